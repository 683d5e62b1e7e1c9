// Batches to Arrow arrays: a tree of growing buffers, one node per column or child.
//
// Rows come as lanes: for each row the number of its value in a flat column, or LANE_NULL. So
// forms, selections and NULLs are looked at once per batch, and every layout has one loop.
#include <assert.h>

#include "base/checked.h"
#include "base/hash.h"
#include "base/host.h"
#include "column/arrow_private.h"
#include "memory/buffer.h"

#define LANE_NULL UINT32_MAX
#define LANES_AT_ONCE BATCH_ROWS
#define STRING_BYTES_MAX ((uint64_t)INT32_MAX - (UINT64_C(1) << 26)) // Of one batch of utf8.
#define CAPACITY_MIN 1024

typedef struct node {
    const type *type;
    const arrow_options *options;
    struct pool *pool;
    arrow_layout layout;
    uint32_t width;
    uint64_t length;
    uint64_t null_count;
    buffer *validity; // NULL until the first NULL.
    buffer *values;   // Values, offsets or views.
    buffer *bytes;    // Of strings.
    uint32_t child_count;
    struct node *children;
    struct node *entries; // Of codes: the texts that came, each once. Else NULL.
    buffer *slots;        // A hash table of numbers of entries, from 1; 0 is free.
} node;

struct arrow_builder {
    arena memory;
    node root;
    arrow_options options;
    arrow_options entries; // Of dictionaries.
};

// ---- Growing ------------------------------------------------------------------------------------

static firn_status reserve(const node *self, buffer **slot, uint64_t size, firn_error *err) {
    if (*slot != NULL && (*slot)->capacity >= size) {
        return FIRN_OK;
    }
    uint64_t capacity = *slot == NULL ? CAPACITY_MIN : (*slot)->capacity * 2;
    capacity = capacity < size ? size : capacity;
    buffer *grown;
    TRY(buffer_open(self->pool, capacity, &grown, err));
    grown->size = 0;
    if (*slot != NULL) {
        memcpy(grown->data, (*slot)->data, (*slot)->size);
        grown->size = (*slot)->size;
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

// Validity of `count` more rows; made when the first NULL comes.
static firn_status push_validity(node *self, const uint32_t *lanes, uint32_t count,
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
    TRY(reserve(self, &self->validity, size, err));
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

static firn_status push_bits(node *self, const column *flat, const uint32_t *lanes, uint32_t count,
                             firn_error *err) {
    const uint64_t size = (self->length + count + 7) / 8;
    const uint64_t before = self->values == NULL ? 0 : self->values->size;
    TRY(reserve(self, &self->values, size, err));
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
static void widen(const node *self, const column *flat, uint32_t lane, uint8_t *out) {
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

static firn_status push_fixed(node *self, const column *flat, const uint32_t *lanes, uint32_t count,
                              firn_error *err) {
    uint64_t size;
    if (__builtin_mul_overflow(self->length + count, self->width, &size)) {
        return FAIL(err, FIRN_NO_MEMORY, "a batch of %llu rows", (unsigned long long)self->length);
    }
    TRY(reserve(self, &self->values, size, err));
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

static firn_status push_fixed_bytes(node *self, const column *flat, const uint32_t *lanes,
                                    uint32_t count, firn_error *err) {
    const uint64_t size = (self->length + count) * self->width;
    TRY(reserve(self, &self->values, size, err));
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

static void put_offset(const node *self, uint64_t row, uint64_t offset) {
    if (self->layout == ARROW_LAYOUT_STRING || self->layout == ARROW_LAYOUT_LIST) {
        const int32_t narrow = (int32_t)offset;
        memcpy(self->values->data + row * sizeof narrow, &narrow, sizeof narrow);
    } else {
        memcpy(self->values->data + row * sizeof offset, &offset, sizeof offset);
    }
}

static uint32_t offset_width(const node *self) {
    return self->layout == ARROW_LAYOUT_STRING || self->layout == ARROW_LAYOUT_LIST ? 4 : 8;
}

static firn_status begin_offsets(node *self, uint32_t count, firn_error *err) {
    const bool is_first = self->values == NULL;
    const uint64_t size = (self->length + count + 1) * offset_width(self);
    TRY(reserve(self, &self->values, size, err));
    assert(self->values != NULL);
    self->values->size = size;
    if (is_first) {
        put_offset(self, 0, 0);
    }
    return FIRN_OK;
}

static firn_status append_bytes(node *self, const char *data, uint32_t size, firn_error *err) {
    const uint64_t before = self->bytes == NULL ? 0 : self->bytes->size;
    TRY(reserve(self, &self->bytes, before + size, err));
    assert(self->bytes != NULL);
    if (size > 0) {
        memcpy(self->bytes->data + before, data, size);
    }
    self->bytes->size = before + size;
    return FIRN_OK;
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

static firn_status string_at(const node *self, const column *flat, uint32_t lane, arena *scratch,
                             string_value *out, firn_error *err) {
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

static firn_status push_strings(node *self, const column *flat, const uint32_t *lanes,
                                uint32_t count, firn_error *err) {
    TRY(begin_offsets(self, count, err));
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
    status = reserve(self, &self->bytes, total + more, err);
    for (uint32_t i = 0; i < count && status == FIRN_OK; i++) {
        string_value value;
        status = string_at(self, flat, lanes[i], &scratch, &value, err);
        if (status == FIRN_OK) {
            status = append_bytes(self, string_data(&value), value.size, err);
            assert(self->bytes != NULL); // Reserved above.
            put_offset(self, self->length + i + 1, self->bytes->size);
        }
    }
    arena_close(&scratch);
    return status;
}

// Arrow's view: size, then 12 bytes inline, or prefix, buffer number (0: we have one) and offset.
static firn_status push_views(node *self, const column *flat, const uint32_t *lanes, uint32_t count,
                              firn_error *err) {
    const uint64_t size = (self->length + count) * 16;
    TRY(reserve(self, &self->values, size, err));
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

static text entry_at(const node *entries, uint32_t index) {
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
static uint32_t *find_slot(const node *self, text value) {
    uint32_t *slots = (uint32_t *)(void *)self->slots->data;
    const uint64_t mask = self->slots->size / sizeof *slots - 1;
    uint64_t at = hash_bytes(value.data, value.size) & mask;
    while (slots[at] != 0 && !text_equal(entry_at(self->entries, slots[at] - 1), value)) {
        at = (at + 1) & mask;
    }
    return &slots[at];
}

// Room for `count` more entries with half of the slots free.
static firn_status reserve_slots(node *self, uint32_t count, firn_error *err) {
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

static firn_status push_codes(node *self, const column *flat, const uint32_t *lanes, uint32_t count,
                              firn_error *err) {
    node *entries = self->entries;
    const uint64_t size = (self->length + count) * sizeof(int32_t);
    TRY(reserve(self, &self->values, size, err));
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

// ---- Nested -------------------------------------------------------------------------------------

static firn_status push_lanes(node *self, const column *flat, const uint32_t *lanes, uint32_t count,
                              firn_error *err);

// Rows `rows` of a child that may have NULLs of its own.
static firn_status push_rows(node *self, const column *child, const uint32_t *rows, uint32_t count,
                             firn_error *err) {
    uint32_t lanes[LANES_AT_ONCE];
    const column *flat = child->form == FORM_DICTIONARY ? child->dictionary->values : child;
    while (count > 0) {
        const uint32_t now = count < LANES_AT_ONCE ? count : LANES_AT_ONCE;
        for (uint32_t i = 0; i < now; i++) {
            lanes[i] = rows[i] == LANE_NULL || !column_is_valid(child, rows[i])
                           ? LANE_NULL
                           : column_lane(child, rows[i]);
        }
        TRY(push_lanes(self, flat, lanes, now, err));
        rows += now;
        count -= now;
    }
    return FIRN_OK;
}

static firn_status push_slice(node *self, const column *list, list_value slice, firn_error *err) {
    uint32_t rows[LANES_AT_ONCE];
    // A map's entries are a struct without NULLs; its children are ours directly.
    node *targets = list->type->id == TYPE_MAP ? self->children[0].children : self->children;
    for (uint32_t at = 0; at < slice.size;) {
        const uint32_t now = slice.size - at < LANES_AT_ONCE ? slice.size - at : LANES_AT_ONCE;
        for (uint32_t i = 0; i < now; i++) {
            rows[i] = slice.offset + at + i;
        }
        for (uint32_t child = 0; child < list->type->child_count; child++) {
            TRY(push_rows(&targets[child], &list->children[child], rows, now, err));
        }
        at += now;
    }
    if (list->type->id == TYPE_MAP) {
        self->children[0].length += slice.size;
    }
    return FIRN_OK;
}

static firn_status push_lists(node *self, const column *flat, const uint32_t *lanes, uint32_t count,
                              firn_error *err) {
    TRY(begin_offsets(self, count, err));
    for (uint32_t i = 0; i < count; i++) {
        if (lanes[i] != LANE_NULL) {
            TRY(push_slice(self, flat, COLUMN_VALUES(flat, list_value)[lanes[i]], err));
        }
        if (self->layout == ARROW_LAYOUT_LIST && self->children[0].length > INT32_MAX) {
            return FAIL(err, FIRN_INVALID, "lists of over 2^31 elements in one batch");
        }
        put_offset(self, self->length + i + 1, self->children[0].length);
    }
    return FIRN_OK;
}

static firn_status push_lanes(node *self, const column *flat, const uint32_t *lanes, uint32_t count,
                              firn_error *err) {
    if (self->layout != ARROW_LAYOUT_NULL) {
        TRY(push_validity(self, lanes, count, err));
    }
    switch (self->layout) {
    case ARROW_LAYOUT_NULL:
        self->null_count += count;
        break;
    case ARROW_LAYOUT_BITS:
        TRY(push_bits(self, flat, lanes, count, err));
        break;
    case ARROW_LAYOUT_FIXED:
        TRY(push_fixed(self, flat, lanes, count, err));
        break;
    case ARROW_LAYOUT_FIXED_BYTES:
        TRY(push_fixed_bytes(self, flat, lanes, count, err));
        break;
    case ARROW_LAYOUT_STRING:
    case ARROW_LAYOUT_LARGE_STRING:
        TRY(push_strings(self, flat, lanes, count, err));
        break;
    case ARROW_LAYOUT_VIEW:
        TRY(push_views(self, flat, lanes, count, err));
        break;
    case ARROW_LAYOUT_LIST:
    case ARROW_LAYOUT_LARGE_LIST:
        TRY(push_lists(self, flat, lanes, count, err));
        break;
    case ARROW_LAYOUT_CODES:
        TRY(push_codes(self, flat, lanes, count, err));
        break;
    case ARROW_LAYOUT_STRUCT:
        for (uint32_t child = 0; child < self->child_count; child++) {
            TRY(push_rows(&self->children[child], &flat->children[child], lanes, count, err));
        }
        break;
    }
    self->length += count;
    return FIRN_OK;
}

// ---- The builder --------------------------------------------------------------------------------

static firn_status open_node(arrow_builder *owner, const type *type, struct pool *pool, node *out,
                             firn_error *err) {
    *out = (node){.type = type,
                  .options = &owner->options,
                  .pool = pool,
                  .layout = arrow_layout_of(type, &owner->options),
                  .width = arrow_fixed_width(type, &owner->options),
                  .child_count = type->id == TYPE_MAP ? 1 : type->child_count};
    out->children = ARENA_NEW(&owner->memory, node, out->child_count + 1);
    if (out->children == NULL) {
        return ARENA_FULL(&owner->memory, err);
    }
    if (out->layout == ARROW_LAYOUT_CODES) {
        out->entries = ARENA_NEW(&owner->memory, node, 1);
        if (out->entries == NULL) {
            return ARENA_FULL(&owner->memory, err);
        }
        *out->entries = (node){.type = type,
                               .options = &owner->entries,
                               .pool = pool,
                               .layout = arrow_layout_of(type, &owner->entries)};
    }
    if (type->id == TYPE_MAP) {
        struct type *pair = ARENA_NEW(&owner->memory, struct type, 1);
        if (pair == NULL) {
            return ARENA_FULL(&owner->memory, err);
        }
        *pair = (struct type){.id = TYPE_STRUCT, .child_count = 2, .children = type->children};
        return open_node(owner, pair, pool, &out->children[0], err);
    }
    for (uint32_t i = 0; i < type->child_count; i++) {
        TRY(open_node(owner, type->children[i].type, pool, &out->children[i], err));
    }
    return FIRN_OK;
}

firn_status arrow_builder_open(const schema *self, const arrow_options *options, struct pool *pool,
                               arrow_builder **out, firn_error *err) {
    arena memory = arena_open(SIZE_MAX);
    arrow_builder *made = ARENA_NEW(&memory, arrow_builder, 1);
    type *row = ARENA_NEW(&memory, type, 1);
    if (made == NULL || row == NULL) {
        firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    *row = (type){.id = TYPE_STRUCT, .child_count = self->count, .children = self->fields};
    *made = (arrow_builder){
        .memory = memory, .options = *options, .entries = arrow_options_of_entries(options)};
    if (made->options.batch_rows == 0) {
        made->options.batch_rows = ARROW_BATCH_ROWS_DEFAULT;
    }
    firn_status status = open_node(made, row, pool, &made->root, err);
    if (status != FIRN_OK) {
        arrow_builder_close(made);
        return status;
    }
    *out = made;
    return FIRN_OK;
}

firn_status arrow_builder_push(arrow_builder *self, const batch *rows, firn_error *err) {
    uint32_t numbers[LANES_AT_ONCE];
    assert(rows->column_count == self->root.child_count && rows->selected_count <= LANES_AT_ONCE);
    for (uint32_t k = 0; k < rows->selected_count; k++) {
        numbers[k] = batch_row(rows, k);
    }
    for (uint32_t i = 0; i < rows->column_count; i++) {
        TRY(push_rows(&self->root.children[i], &rows->columns[i], numbers, rows->selected_count,
                      err));
    }
    self->root.length += rows->selected_count;
    return FIRN_OK;
}

uint64_t arrow_builder_rows(const arrow_builder *self) {
    return self->root.length;
}

static uint64_t size_of(const buffer *self) {
    return self == NULL ? 0 : self->size;
}

static uint64_t bytes_of(const node *self) {
    uint64_t bytes = size_of(self->validity) + size_of(self->values) + size_of(self->bytes) +
                     (self->entries == NULL ? 0 : bytes_of(self->entries));
    for (uint32_t i = 0; i < self->child_count; i++) {
        bytes += bytes_of(&self->children[i]);
    }
    return bytes;
}

bool arrow_builder_is_full(const arrow_builder *self) {
    const uint64_t bytes_max = self->options.batch_bytes;
    bool is_full = self->root.length >= self->options.batch_rows ||
                   (bytes_max != 0 && bytes_of(&self->root) >= bytes_max);
    for (uint32_t i = 0; i < self->root.child_count; i++) {
        const node *given = &self->root.children[i];
        const node *child = given->entries == NULL ? given : given->entries;
        is_full |= child->bytes != NULL && child->bytes->size > STRING_BYTES_MAX / 16;
    }
    return is_full;
}

static void empty_node(node *self) {
    buffer_release(self->validity);
    buffer_release(self->values);
    buffer_release(self->bytes);
    buffer_release(self->slots);
    self->validity = NULL;
    self->values = NULL;
    self->bytes = NULL;
    self->slots = NULL;
    self->length = 0;
    self->null_count = 0;
    const uint32_t count = self->child_count;
    for (uint32_t i = 0; i < count; i++) {
        empty_node(&self->children[i]);
    }
    if (self->entries != NULL) {
        empty_node(self->entries);
    }
}

void arrow_builder_close(arrow_builder *self) {
    if (self != NULL) {
        if (self->root.children != NULL) {
            empty_node(&self->root);
        }
        arena memory = self->memory; // It holds `self`.
        arena_close(&memory);
    }
}

// ---- Handing out --------------------------------------------------------------------------------

// What an exported array keeps alive. Behind it lie its children's structs and pointers.
typedef struct array_block {
    buffer *buffers[3];
    const void *pointers[4];
    int64_t view_sizes[1];
    uint32_t child_count;
    struct ArrowArray *children;
    struct ArrowArray **child_pointers;
    struct ArrowArray dictionary; // Of codes, else without release.
} array_block;

static void release_array(struct ArrowArray *self) {
    array_block *block = self->private_data;
    for (uint32_t i = 0; i < block->child_count; i++) {
        if (block->children[i].release != NULL) {
            block->children[i].release(&block->children[i]);
        }
    }
    if (block->dictionary.release != NULL) {
        block->dictionary.release(&block->dictionary);
    }
    for (int i = 0; i < 3; i++) {
        buffer_release(block->buffers[i]);
    }
    host_free(block);
    self->release = NULL;
}

static array_block *new_block(uint32_t child_count) {
    const size_t size = sizeof(array_block) + (size_t)child_count * (sizeof(struct ArrowArray) +
                                                                     sizeof(struct ArrowArray *));
    array_block *block = host_alloc(size);
    if (block != NULL) {
        memset(block, 0, size);
        block->children = (struct ArrowArray *)(void *)(block + 1);
        block->child_pointers = (struct ArrowArray **)(void *)(block->children + child_count);
    }
    return block;
}

// Which buffers a layout has; offsets and values must be there even for no rows.
static firn_status fill_buffers(node *self, array_block *block, int64_t *count, firn_error *err) {
    const bool has_offsets =
        self->layout == ARROW_LAYOUT_STRING || self->layout == ARROW_LAYOUT_LARGE_STRING ||
        self->layout == ARROW_LAYOUT_LIST || self->layout == ARROW_LAYOUT_LARGE_LIST;
    if (has_offsets && self->values == NULL) {
        TRY(begin_offsets(self, 0, err));
    }
    if (self->values == NULL && self->layout != ARROW_LAYOUT_NULL &&
        self->layout != ARROW_LAYOUT_STRUCT) {
        TRY(reserve(self, &self->values, 8, err));
        assert(self->values != NULL);
    }
    const bool has_bytes = self->layout == ARROW_LAYOUT_STRING ||
                           self->layout == ARROW_LAYOUT_LARGE_STRING ||
                           self->layout == ARROW_LAYOUT_VIEW;
    if (has_bytes && self->bytes == NULL) {
        TRY(reserve(self, &self->bytes, 8, err));
        assert(self->bytes != NULL);
    }
    buffer *const all[3] = {self->validity, self->values, self->bytes};
    for (int i = 0; i < 3; i++) {
        block->buffers[i] = buffer_retain(all[i]);
        if (all[i] != NULL) {
            buffer_hand_out(all[i]);
            block->pointers[i] = all[i]->data;
        }
    }
    switch (self->layout) {
    case ARROW_LAYOUT_NULL:
        *count = 0;
        break;
    case ARROW_LAYOUT_STRUCT:
        *count = 1;
        break;
    case ARROW_LAYOUT_VIEW:
        block->view_sizes[0] = (int64_t)self->bytes->size;
        block->pointers[3] = block->view_sizes;
        *count = 4;
        break;
    case ARROW_LAYOUT_STRING:
    case ARROW_LAYOUT_LARGE_STRING:
        *count = 3;
        break;
    case ARROW_LAYOUT_BITS:
    case ARROW_LAYOUT_FIXED:
    case ARROW_LAYOUT_FIXED_BYTES:
    case ARROW_LAYOUT_LIST:
    case ARROW_LAYOUT_LARGE_LIST:
    case ARROW_LAYOUT_CODES:
        *count = 2;
        break;
    }
    return FIRN_OK;
}

static firn_status finish_node(node *self, struct ArrowArray *out, firn_error *err) {
    *out = (struct ArrowArray){0};
    array_block *block = new_block(self->child_count);
    if (block == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no memory for an array");
    }
    *out = (struct ArrowArray){.length = (int64_t)self->length,
                               .null_count = (int64_t)self->null_count,
                               .n_children = self->child_count,
                               .buffers = block->pointers,
                               .children = block->child_pointers,
                               .release = release_array,
                               .private_data = block};
    firn_status status = fill_buffers(self, block, &out->n_buffers, err);
    for (uint32_t i = 0; i < self->child_count && status == FIRN_OK; i++) {
        block->child_pointers[i] = &block->children[i];
        status = finish_node(&self->children[i], &block->children[i], err);
        block->child_count++;
    }
    if (status == FIRN_OK && self->entries != NULL) {
        out->dictionary = &block->dictionary;
        status = finish_node(self->entries, &block->dictionary, err);
    }
    if (status != FIRN_OK) {
        release_array(out);
    }
    return status;
}

firn_status arrow_builder_finish(arrow_builder *self, struct ArrowArray *out, firn_error *err) {
    firn_status status = finish_node(&self->root, out, err);
    empty_node(&self->root);
    return status;
}
