#include "formats/parquet/write/pw_page.h"

#include <string.h>

#include "base/checked.h"
#include "formats/parquet/pq_hybrid.h"
#include "formats/parquet/write/pw_hybrid.h"
#include "formats/parquet/write/pw_strings.h"

#define VALUES_BYTES_MIN ((size_t)1024)

pw_page pw_page_open(pool *owner) {
    return (pw_page){.memory = arena_open_in(owner, SIZE_MAX),
                     .array = arena_open_in(owner, SIZE_MAX)};
}

void pw_page_close(pw_page *self) {
    arena_close(&self->memory);
    arena_close(&self->array);
}

void pw_page_reset(pw_page *self, bool is_coded) {
    const pw_page before = *self;
    *self = (pw_page){
        .memory = before.memory,
        .array = before.array,
        .is_coded = is_coded,
        .values = {.data = before.values.data, .capacity = before.values.capacity},
    };
    arena_reset(&self->memory);
}

void pw_page_shrink(pw_page *self) {
    arena_shrink(&self->memory);
    arena_close(&self->array);
    self->values = (byte_output){.data = NULL};
}

// The arrays are in the page's own arena, wherever the page lies.
static byte_output *in_memory(pw_page *self, byte_output *array) {
    array->memory = &self->memory;
    return array;
}

static firn_status add_bytes(pw_page *self, byte_output *array, const void *data, size_t size,
                             firn_error *err) {
    return byte_output_put(in_memory(self, array), (bytes){.data = data, .size = size})
               ? FIRN_OK
               : ARENA_FULL(&self->memory, err);
}

// Room for more values. Pages of many chunks are filled at once, and are as large as they grow.
static uint8_t *values_room(pw_page *self, size_t size) {
    byte_output *values = &self->values;
    size_t wanted;
    if (!add_fits(values->size, size, &wanted)) {
        return NULL;
    }
    if (values->data != NULL && wanted <= values->capacity) {
        return values->data + values->size;
    }
    const size_t more = values->capacity / 2;
    size_t capacity = wanted > VALUES_BYTES_MIN ? wanted : VALUES_BYTES_MIN;
    capacity = values->capacity < SIZE_MAX - more && values->capacity + more > capacity
                   ? values->capacity + more
                   : capacity;
    arena grown = arena_open_in(self->memory.owner, SIZE_MAX);
    grown.cancel = self->memory.cancel;
    uint8_t *data = ARENA_NEW(&grown, uint8_t, capacity);
    if (data == NULL || !cancel_copy(grown.cancel, data, values->data, values->size)) {
        self->memory.refused = capacity;
        arena_close(&grown);
        return NULL;
    }
    arena_close(&self->array);
    self->array = grown;
    values->data = data;
    values->capacity = capacity;
    return data + values->size;
}

// `count` times the same level.
static firn_status add_level(pw_page *self, byte_output *array, uint8_t level, uint32_t count,
                             firn_error *err) {
    uint8_t *room = byte_output_room(in_memory(self, array), count);
    if (room == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    memset(room, level, count);
    array->size += count;
    return FIRN_OK;
}

firn_status pw_page_add_levels(pw_page *self, const pq_leaf *leaf, const pw_entries *entries,
                               firn_error *err) {
    if (entries->definitions != NULL && !self->has_definitions) {
        TRY(add_level(self, &self->definitions, leaf->definition_max, self->entry_count, err));
        self->has_definitions = true;
    }
    if (self->has_definitions) {
        TRY(entries->definitions == NULL ? add_level(self, &self->definitions, leaf->definition_max,
                                                     entries->entry_count, err)
                                         : add_bytes(self, &self->definitions, entries->definitions,
                                                     entries->entry_count, err));
    }
    if (leaf->repetition_max > 0) {
        TRY(add_bytes(self, &self->repetitions, entries->repetitions, entries->entry_count, err));
    }
    self->row_count += entries->row_count;
    self->entry_count += entries->entry_count;
    return FIRN_OK;
}

static firn_status add_values(pw_page *self, const void *data, size_t size, firn_error *err) {
    uint8_t *room = values_room(self, size);
    if (room == NULL || !cancel_copy(self->memory.cancel, room, data, size)) {
        return ARENA_FULL(&self->memory, err);
    }
    self->values.size += size;
    return FIRN_OK;
}

firn_status pw_page_add_codes(pw_page *self, const uint32_t *codes, uint32_t count,
                              firn_error *err) {
    self->value_count += count;
    return add_values(self, codes, count * sizeof *codes, err);
}

static firn_status add_bits(pw_page *self, const pw_values *values, firn_error *err) {
    const size_t words = BITMAP_WORDS((size_t)self->value_count + values->count);
    const size_t more = words * sizeof(uint64_t) - self->values.size;
    // One word of room: bits are copied word by word.
    if (values_room(self, more + sizeof(uint64_t)) == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    uint64_t *bits = (uint64_t *)(void *)self->values.data;
    for (uint32_t i = 0; i < values->count; i++) {
        bitmap_put(bits, (size_t)self->value_count + i, bitmap_get(values->bits, i));
    }
    self->values.size += more;
    return FIRN_OK;
}

static firn_status add_strings(pw_page *self, const pw_values *values, firn_error *err) {
    string_value *to =
        (string_value *)(void *)values_room(self, values->count * sizeof(string_value));
    if (to == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    uint64_t size = 0;
    for (uint32_t i = 0; i < values->count; i++) {
        size += string_is_inline(&values->strings[i]) ? 0 : values->strings[i].size;
    }
    char *copies = arena_alloc(&self->memory, 1, (size_t)size + 1);
    if (copies == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < values->count; i++) {
        to[i] = values->strings[i];
        if (!string_is_inline(&to[i])) {
            memcpy(copies, to[i].data, to[i].size);
            to[i].data = copies;
            copies += to[i].size;
        }
    }
    self->values.size += values->count * sizeof(string_value);
    return FIRN_OK;
}

firn_status pw_page_add_values(pw_page *self, const pw_values *values, firn_error *err) {
    if (values->type == PQ_BOOLEAN) {
        TRY(add_bits(self, values, err));
    } else if (values->type == PQ_BYTE_ARRAY) {
        TRY(add_strings(self, values, err));
    } else {
        const size_t size = (size_t)values->count * pw_values_size(values->type, values->width);
        TRY(add_values(self, values->data, size, err));
    }
    self->value_count += values->count;
    self->plain_bytes += pw_plain_size(values);
    return FIRN_OK;
}

pw_values pw_page_values(const pw_page *self, const pq_leaf *leaf) {
    return (pw_values){.type = leaf->type,
                       .width = leaf->width,
                       .count = self->value_count,
                       .data = self->values.data};
}

// A sequence of levels behind its size in four bytes.
static firn_status put_levels(byte_output *out, const uint8_t *levels, uint8_t most, uint32_t count,
                              firn_error *err) {
    const size_t at = out->size;
    const uint32_t width = pw_width_of(most);
    if (byte_output_room(out, 4) == NULL) {
        return BYTE_OUTPUT_FULL(out, err);
    }
    out->size += 4;
    TRY(levels == NULL ? pw_hybrid_put_repeated(out, most, count, width, err)
                       : pw_hybrid_put_u8(out, levels, count, width, err));
    const uint32_t size = (uint32_t)(out->size - at - 4); // A byte a level at most, and some.
    memcpy(out->data + at, &size, sizeof size);
    return FIRN_OK;
}

firn_status pw_page_put_levels(const pw_page *self, const pq_leaf *leaf, byte_output *out,
                               firn_error *err) {
    if (leaf->repetition_max > 0) {
        TRY(put_levels(out, self->repetitions.data, leaf->repetition_max, self->entry_count, err));
    }
    if (leaf->definition_max == 0) {
        return FIRN_OK;
    }
    return put_levels(out, self->has_definitions ? self->definitions.data : NULL,
                      leaf->definition_max, self->entry_count, err);
}
