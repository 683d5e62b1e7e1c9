// Lanes to the buffers of one node of an Arrow array: one loop for each layout.
#include <assert.h>

#include "base/checked.h"
#include "base/hash.h"
#include "column/arrow_export.h"

#define CAPACITY_MIN 1024

// ---- Growing ------------------------------------------------------------------------------------

firn_status arrow_node_reserve(const arrow_node *self, buffer **slot, uint64_t size,
                               firn_error *err) {
    if (*slot != NULL && (*slot)->capacity >= size) {
        return FIRN_OK;
    }
    uint64_t capacity = *slot == NULL ? CAPACITY_MIN : (*slot)->capacity * 2;
    capacity = capacity < size ? size : capacity;
    buffer *grown;
    TRY(buffer_open(self->pool, capacity, &grown, err));
    grown->size = 0;
    if (*slot != NULL) {
        grown->size = (*slot)->size;
        if (!cancel_copy(self->options->cancel, grown->data, (*slot)->data, grown->size)) {
            buffer_release(grown);
            return cancel_check(self->options->cancel, err);
        }
        buffer_release(*slot);
    }
    *slot = grown;
    return FIRN_OK;
}

static void set_bits(uint8_t *bits, uint64_t from, uint64_t to) {
    for (uint64_t i = from; i < to; i++) {
        bits[i / 8] |= (uint8_t)(1u << (i % 8));
    }
}

firn_status arrow_node_push_validity(arrow_node *self, const uint32_t *lanes, uint32_t count,
                                     firn_error *err) {
    uint32_t nulls = 0;
    for (uint32_t i = 0; i < count; i++) {
        nulls += lanes[i] == LANE_NULL;
    }
    if (nulls == 0 && self->validity == NULL) {
        return FIRN_OK;
    }
    const bool is_first = self->validity == NULL;
    const uint64_t size = (self->length + count + 7) / 8;
    TRY(arrow_node_reserve(self, &self->validity, size, err));
    assert(self->validity != NULL);
    uint8_t *bits = self->validity->data;
    memset(bits + self->validity->size, 0, size - self->validity->size);
    self->validity->size = size;
    if (is_first) {
        set_bits(bits, 0, self->length);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (lanes[i] != LANE_NULL) {
            const uint64_t bit = self->length + i;
            bits[bit / 8] |= (uint8_t)(1u << (bit % 8));
        }
    }
    self->null_count += nulls;
    return FIRN_OK;
}

// ---- Values -------------------------------------------------------------------------------------

static firn_status push_bits(arrow_node *self, const column *flat, const uint32_t *lanes,
                             uint32_t count, firn_error *err) {
    const uint64_t size = (self->length + count + 7) / 8;
    const uint64_t before = self->values == NULL ? 0 : self->values->size;
    TRY(arrow_node_reserve(self, &self->values, size, err));
    assert(self->values != NULL);
    memset(self->values->data + before, 0, size - before);
    self->values->size = size;
    for (uint32_t i = 0; i < count; i++) {
        if (lanes[i] != LANE_NULL && bitmap_get(flat->values, lanes[i])) {
            const uint64_t bit = self->length + i;
            self->values->data[bit / 8] |= (uint8_t)(1u << (bit % 8));
        }
    }
    return FIRN_OK;
}

// A half as a float.
static float float_of_half(uint16_t half) {
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    const uint32_t exponent = half >> 10 & 0x1f;
    const uint32_t fraction = half & 0x3ff;
    uint32_t bits;
    if (exponent == 0x1f) {
        bits = sign | 0x7f800000u | fraction << 13;
    } else if (exponent > 0) {
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    } else {
        const float value = (float)fraction * 0x1p-24f;
        return sign != 0 ? -value : value;
    }
    float out;
    memcpy(&out, &bits, sizeof out);
    return out;
}

// One value of a type whose width in Arrow is another: decimals in 32 and 64 bits, halves.
static void widen(const arrow_node *self, const column *flat, uint32_t lane, uint8_t *out) {
    const physical kind = type_physical(self->type);
    if (kind == PHYSICAL_F16) {
        const float value = float_of_half(COLUMN_VALUES(flat, uint16_t)[lane]);
        memcpy(out, &value, sizeof value);
        return;
    }
    assert(kind == PHYSICAL_I32 || kind == PHYSICAL_I64);
    const i128 value = kind == PHYSICAL_I32 ? COLUMN_VALUES(flat, int32_t)[lane]
                                            : COLUMN_VALUES(flat, int64_t)[lane];
    memcpy(out, &value, sizeof value);
}

#define COPY_LANES(size)                                                                           \
    for (uint32_t i = 0; i < count; i++) {                                                         \
        if (lanes[i] == LANE_NULL) {                                                               \
            memset(out + (size_t)i * (size), 0, size);                                             \
        } else {                                                                                   \
            memcpy(out + (size_t)i * (size), in + (size_t)lanes[i] * (size), size);                \
        }                                                                                          \
    }

static void copy_lanes(const uint8_t *in, uint32_t width, const uint32_t *lanes, uint32_t count,
                       uint8_t *out) {
    if (count > 0 && lanes[0] != LANE_NULL && lanes[count - 1] != LANE_NULL &&
        lanes[count - 1] >= lanes[0] && lanes[count - 1] - lanes[0] == count - 1) {
        bool is_run = true; // Neighbours without a gap: one copy.
        for (uint32_t i = 1; i < count && is_run; i++) {
            is_run = lanes[i] == lanes[0] + i;
        }
        if (is_run) {
            memcpy(out, in + (size_t)lanes[0] * width, (size_t)count * width);
            return;
        }
    }
    switch (width) {
    case 1:
        COPY_LANES(1)
        break;
    case 2:
        COPY_LANES(2)
        break;
    case 4:
        COPY_LANES(4)
        break;
    case 8:
        COPY_LANES(8)
        break;
    case 16:
        COPY_LANES(16)
        break;
    default:
        COPY_LANES(width)
    }
}

static firn_status push_fixed(arrow_node *self, const column *flat, const uint32_t *lanes,
                              uint32_t count, firn_error *err) {
    uint64_t size;
    if (__builtin_mul_overflow(self->length + count, self->width, &size)) {
        return FAIL(err, FIRN_NO_MEMORY, "a batch of %llu rows", (unsigned long long)self->length);
    }
    TRY(arrow_node_reserve(self, &self->values, size, err));
    assert(self->values != NULL);
    uint8_t *out = self->values->data + self->length * self->width;
    self->values->size = size;
    const uint32_t own = physical_size(type_physical(self->type));
    if (own == self->width) {
        copy_lanes(flat->values, own, lanes, count, out);
        return FIRN_OK;
    }
    for (uint32_t i = 0; i < count; i++) {
        memset(out + (size_t)i * self->width, 0, self->width);
        if (lanes[i] != LANE_NULL) {
            widen(self, flat, lanes[i], out + (size_t)i * self->width);
        }
    }
    return FIRN_OK;
}

static firn_status push_fixed_bytes(arrow_node *self, const column *flat, const uint32_t *lanes,
                                    uint32_t count, firn_error *err) {
    const uint64_t size = (self->length + count) * self->width;
    TRY(arrow_node_reserve(self, &self->values, size, err));
    assert(self->values != NULL);
    uint8_t *out = self->values->data + self->length * self->width;
    self->values->size = size;
    for (uint32_t i = 0; i < count; i++, out += self->width) {
        memset(out, 0, self->width);
        if (lanes[i] == LANE_NULL) {
            continue;
        }
        const string_value *value = &COLUMN_VALUES(flat, string_value)[lanes[i]];
        if (value->size != self->width) {
            return FAIL(err, FIRN_INTERNAL, "a value of %u bytes in a column of %u", value->size,
                        self->width);
        }
        memcpy(out, string_data(value), self->width);
    }
    return FIRN_OK;
}

void arrow_node_put_offset(const arrow_node *self, uint64_t row, uint64_t offset) {
    if (self->layout == ARROW_LAYOUT_STRING || self->layout == ARROW_LAYOUT_LIST) {
        const int32_t narrow = (int32_t)offset;
        memcpy(self->values->data + row * sizeof narrow, &narrow, sizeof narrow);
    } else {
        memcpy(self->values->data + row * sizeof offset, &offset, sizeof offset);
    }
}

static uint32_t offset_width(const arrow_node *self) {
    return self->layout == ARROW_LAYOUT_STRING || self->layout == ARROW_LAYOUT_LIST ? 4 : 8;
}

firn_status arrow_node_begin_offsets(arrow_node *self, uint32_t count, firn_error *err) {
    const bool is_first = self->values == NULL;
    const uint64_t size = (self->length + count + 1) * offset_width(self);
    TRY(arrow_node_reserve(self, &self->values, size, err));
    assert(self->values != NULL);
    self->values->size = size;
    if (is_first) {
        arrow_node_put_offset(self, 0, 0);
    }
    return FIRN_OK;
}

static firn_status append_bytes(arrow_node *self, const char *data, uint32_t size,
                                firn_error *err) {
    const uint64_t before = self->bytes == NULL ? 0 : self->bytes->size;
    TRY(arrow_node_reserve(self, &self->bytes, before + size, err));
    assert(self->bytes != NULL);
    self->bytes->size = before + size;
    return cancel_copy(self->options->cancel, self->bytes->data + before, data, size)
               ? FIRN_OK
               : cancel_check(self->options->cancel, err);
}

// Intervals and wide decimals as text.
static firn_status print_lane(const column *flat, uint32_t lane, arena *scratch, string_value *out,
                              firn_error *err) {
    text_builder builder = text_builder_open(scratch);
    column_print_row(flat, lane, &builder);
    text printed;
    TRY(text_builder_finish(&builder, &printed, err));
    *out = string_of(printed.data, (uint32_t)printed.size);
    return FIRN_OK;
}

static firn_status string_at(const arrow_node *self, const column *flat, uint32_t lane,
                             arena *scratch, string_value *out, firn_error *err) {
    *out = (string_value){.size = 0};
    if (lane == LANE_NULL) {
        return FIRN_OK;
    }
    if (type_physical(self->type) != PHYSICAL_STRING) {
        return print_lane(flat, lane, scratch, out, err);
    }
    *out = COLUMN_VALUES(flat, string_value)[lane];
    return FIRN_OK;
}

static firn_status push_strings(arrow_node *self, const column *flat, const uint32_t *lanes,
                                uint32_t count, firn_error *err) {
    TRY(arrow_node_begin_offsets(self, count, err));
    arena scratch = arena_open((size_t)1 << 20);
    firn_status status = FIRN_OK;
    uint64_t total = self->bytes == NULL ? 0 : self->bytes->size;
    uint64_t more = 0;
    for (uint32_t i = 0; i < count && type_physical(self->type) == PHYSICAL_STRING; i++) {
        more += lanes[i] == LANE_NULL ? 0 : COLUMN_VALUES(flat, string_value)[lanes[i]].size;
    }
    if (self->layout == ARROW_LAYOUT_STRING && total + more > INT32_MAX) {
        return FAIL(err, FIRN_INVALID, "texts of over 2 GiB in one batch");
    }
    status = arrow_node_reserve(self, &self->bytes, total + more, err);
    for (uint32_t i = 0; i < count && status == FIRN_OK; i++) {
        string_value value;
        status = string_at(self, flat, lanes[i], &scratch, &value, err);
        if (status == FIRN_OK) {
            status = append_bytes(self, string_data(&value), value.size, err);
            assert(self->bytes != NULL); // Reserved above.
            arrow_node_put_offset(self, self->length + i + 1, self->bytes->size);
        }
    }
    arena_close(&scratch);
    return status;
}

// Arrow's view: size, then 12 bytes inline, or prefix, buffer number (0: we have one) and offset.
static firn_status push_views(arrow_node *self, const column *flat, const uint32_t *lanes,
                              uint32_t count, firn_error *err) {
    const uint64_t size = (self->length + count) * 16;
    TRY(arrow_node_reserve(self, &self->values, size, err));
    assert(self->values != NULL);
    uint8_t *out = self->values->data + self->length * 16;
    self->values->size = size;
    arena scratch = arena_open((size_t)1 << 20);
    firn_status status = FIRN_OK;
    for (uint32_t i = 0; i < count && status == FIRN_OK; i++, out += 16) {
        string_value value;
        status = string_at(self, flat, lanes[i], &scratch, &value, err);
        memset(out, 0, 16);
        memcpy(out, &value.size, 4);
        const char *data = string_data(&value);
        if (value.size <= 12) {
            memcpy(out + 4, data, value.size);
        } else if (status == FIRN_OK) {
            const int32_t offset = (int32_t)(self->bytes == NULL ? 0 : self->bytes->size);
            memcpy(out + 4, data, 4);
            memcpy(out + 12, &offset, 4);
            status = append_bytes(self, data, value.size, err);
        }
    }
    arena_close(&scratch);
    return status;
}

// ---- Dictionaries -------------------------------------------------------------------------------

static text entry_at(const arrow_node *entries, uint32_t index) {
    const uint8_t *values = entries->values->data;
    const char *bytes = entries->bytes == NULL ? "" : (const char *)entries->bytes->data;
    if (entries->layout == ARROW_LAYOUT_VIEW) {
        uint32_t view[4];
        memcpy(view, values + (size_t)index * sizeof view, sizeof view);
        const char *inside = (const char *)values + (size_t)index * sizeof view + 4;
        return (text){.data = view[0] <= 12 ? inside : bytes + view[3], .size = view[0]};
    }
    uint64_t ends[2] = {0, 0};
    const size_t width = offset_width(entries);
    memcpy(&ends[0], values + index * width, width); // Little-endian: the low half comes first.
    memcpy(&ends[1], values + (index + UINT64_C(1)) * width, width);
    return (text){.data = bytes + ends[0], .size = (size_t)(ends[1] - ends[0])};
}

// The slot of a text: its own, or the free one where it belongs.
static uint32_t *find_slot(const arrow_node *self, text value) {
    uint32_t *slots = (uint32_t *)(void *)self->slots->data;
    const uint64_t mask = self->slots->size / sizeof *slots - 1;
    uint64_t at = hash_bytes(value.data, value.size) & mask;
    while (slots[at] != 0 && !text_equal(entry_at(self->entries, slots[at] - 1), value)) {
        at = (at + 1) & mask;
    }
    return &slots[at];
}

// Room for `count` more entries with half of the slots free.
static firn_status reserve_slots(arrow_node *self, uint32_t count, firn_error *err) {
    const uint64_t wanted = (self->entries->length + count) * 2;
    uint64_t slots = self->slots == NULL ? 64 : self->slots->size / sizeof(uint32_t);
    if (wanted > INT32_MAX) {
        return FAIL(err, FIRN_INVALID, "a dictionary of over 2^30 texts in one batch");
    }
    if (self->slots != NULL && wanted <= slots) {
        return FIRN_OK;
    }
    while (slots < wanted) {
        slots *= 2;
    }
    buffer_release(self->slots);
    self->slots = NULL;
    TRY(buffer_open(self->pool, slots * sizeof(uint32_t), &self->slots, err));
    self->slots->size = slots * sizeof(uint32_t);
    memset(self->slots->data, 0, self->slots->size);
    for (uint32_t i = 0; i < self->entries->length; i++) {
        *find_slot(self, entry_at(self->entries, i)) = i + 1;
    }
    return FIRN_OK;
}

static firn_status push_codes(arrow_node *self, const column *flat, const uint32_t *lanes,
                              uint32_t count, firn_error *err) {
    arrow_node *entries = self->entries;
    const uint64_t size = (self->length + count) * sizeof(int32_t);
    TRY(arrow_node_reserve(self, &self->values, size, err));
    assert(self->values != NULL);
    TRY(reserve_slots(self, count, err));
    assert(self->slots != NULL);
    self->values->size = size;
    uint8_t *out = self->values->data + self->length * sizeof(int32_t);
    for (uint32_t i = 0; i < count; i++, out += sizeof(int32_t)) {
        int32_t code = 0;
        if (lanes[i] != LANE_NULL) {
            uint32_t *slot =
                find_slot(self, string_text(&COLUMN_VALUES(flat, string_value)[lanes[i]]));
            if (*slot == 0) {
                TRY(entries->layout == ARROW_LAYOUT_VIEW
                        ? push_views(entries, flat, &lanes[i], 1, err)
                        : push_strings(entries, flat, &lanes[i], 1, err));
                *slot = (uint32_t)++entries->length;
            }
            code = (int32_t)*slot - 1;
        }
        memcpy(out, &code, sizeof code);
    }
    return FIRN_OK;
}

firn_status arrow_node_push_values(arrow_node *self, const column *flat, const uint32_t *lanes,
                                   uint32_t count, firn_error *err) {
    switch (self->layout) {
    case ARROW_LAYOUT_BITS:
        return push_bits(self, flat, lanes, count, err);
    case ARROW_LAYOUT_FIXED:
        return push_fixed(self, flat, lanes, count, err);
    case ARROW_LAYOUT_FIXED_BYTES:
        return push_fixed_bytes(self, flat, lanes, count, err);
    case ARROW_LAYOUT_STRING:
    case ARROW_LAYOUT_LARGE_STRING:
        return push_strings(self, flat, lanes, count, err);
    case ARROW_LAYOUT_VIEW:
        return push_views(self, flat, lanes, count, err);
    case ARROW_LAYOUT_CODES:
        return push_codes(self, flat, lanes, count, err);
    case ARROW_LAYOUT_NULL:
    case ARROW_LAYOUT_LIST:
    case ARROW_LAYOUT_LARGE_LIST:
    case ARROW_LAYOUT_STRUCT:
        break; // They have no values of their own.
    }
    return FIRN_OK;
}
