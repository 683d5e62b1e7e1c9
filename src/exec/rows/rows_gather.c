// From rows to columns, a column at a time, and the order of two rows.
#include <assert.h>

#include "exec/rows/rows_private.h"

#define GATHER_ROWS                                                                                \
    (UINT32_C(1) << 15) // Between two looks at the flag: of one group there may be
                        // millions.

// The next rows behind `from`; 0 if there are none, or the flag of `memory` is raised.
static uint32_t next_rows(const arena *memory, uint32_t from, uint32_t count) {
    if (from > 0 && cancel_is_raised(memory->cancel)) {
        return 0;
    }
    return count - from < GATHER_ROWS ? count - from : GATHER_ROWS;
}

// One loop per width, so that each copy is one load and one store.
#define GATHER_WIDTH(width)                                                                        \
    case width:                                                                                    \
        for (uint32_t k = 0; k < count; k++) {                                                     \
            memcpy(out + (size_t)k * (width), rows[k] + offset, (width));                          \
        }                                                                                          \
        return;

static void gather_fixed(const uint8_t *const *rows, uint32_t count, uint32_t offset,
                         uint32_t value_size, uint8_t *out) {
    switch (value_size) {
        GATHER_WIDTH(1)
        GATHER_WIDTH(2)
        GATHER_WIDTH(4)
        GATHER_WIDTH(8)
        GATHER_WIDTH(16)
        GATHER_WIDTH(32)
    default:
        assert(value_size == 0);
    }
}

static firn_status gather_validity(const row_layout *layout, uint32_t number,
                                   const uint8_t *const *rows, uint32_t count, arena *memory,
                                   column *out, firn_error *err) {
    const uint32_t offset = layout->validity_offset + number / 8;
    const uint32_t shift = number % 8;
    uint8_t all = UINT8_MAX;
    for (uint32_t from = 0, n; (n = next_rows(memory, from, count)) > 0; from += n) {
        for (uint32_t k = from; k < from + n; k++) {
            all &= rows[k][offset];
        }
    }
    if ((all >> shift & 1) != 0) {
        return FIRN_OK;
    }
    uint64_t *validity = column_validity_out(memory, out);
    if (validity == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t from = 0, n; (n = next_rows(memory, from, count)) > 0; from += n) {
        for (uint32_t k = from; k < from + n; k++) {
            bitmap_put(validity, k, (rows[k][offset] >> shift & 1) != 0);
        }
    }
    return FIRN_OK;
}

static firn_status gather_strings(const row_store *self, uint32_t number,
                                  const uint8_t *const *rows, uint32_t count, arena *memory,
                                  column *out, firn_error *err) {
    const row_layout *layout = self->layout;
    const uint32_t offset = layout->offsets[number];
    string_value *values = COLUMN_OUT(out, string_value);
    for (uint32_t k = 0; k < count; k++) {
        if (k % GATHER_ROWS == 0 && k > 0 && cancel_is_raised(memory->cancel)) {
            return cancel_check(memory->cancel, err);
        }
        values[k] = row_string(rows[k] + offset);
        if (!string_is_inline(&values[k])) {
            const uint8_t *data = rows[k] + layout->size + row_string_offset(rows[k] + offset);
            if (UNLIKELY(row_heap_of(layout, rows[k]).blob != ROW_NONE)) {
                TRY(row_heap_read(self, rows[k], row_string_slice(rows[k] + offset), memory, &data,
                                  err));
            }
            values[k].data = (const char *)data;
        }
    }
    return FIRN_OK;
}

static firn_status gather_nested(const row_store *self, uint32_t number, const uint8_t *const *rows,
                                 uint32_t count, arena *memory, column *out, firn_error *err) {
    const row_layout *layout = self->layout;
    const uint8_t **values = ARENA_NEW(memory, const uint8_t *, (size_t)count + 1);
    if (values == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t k = 0; k < count; k++) {
        values[k] = NULL;
        if (row_is_valid(layout, rows[k], number)) {
            const row_slice slice = row_slice_of(rows[k] + layout->offsets[number]);
            TRY(row_heap_read(self, rows[k], slice, memory, &values[k], err));
        }
    }
    return row_nested_gather(layout->types[number], values, count, memory, out, err);
}

firn_status rows_gather(const row_store *self, uint32_t number, const uint8_t *const *rows,
                        uint32_t count, arena *memory, column *out, firn_error *err) {
    const row_layout *layout = self->layout;
    const type *type = layout->types[number];
    const physical kind = type_physical(type);
    const uint32_t offset = layout->offsets[number];
    assert(number < layout->column_count);
    if (kind == PHYSICAL_LIST || kind == PHYSICAL_STRUCT) {
        return gather_nested(self, number, rows, count, memory, out, err);
    }
    TRY(kind == PHYSICAL_STRING ? column_new_unset(memory, type, count, out, err)
                                : column_new(memory, type, count, out, err));
    if (kind == PHYSICAL_NONE) {
        return FIRN_OK;
    }
    if (kind == PHYSICAL_STRING) {
        TRY(gather_strings(self, number, rows, count, memory, out, err));
    } else if (kind == PHYSICAL_BIT) {
        uint64_t *bits = COLUMN_OUT(out, uint64_t);
        for (uint32_t k = 0; k < count; k++) {
            bits[k / 64] |= (uint64_t)rows[k][offset] << (k % 64);
        }
    } else {
        const uint32_t size = physical_size(kind);
        for (uint32_t from = 0, n; (n = next_rows(memory, from, count)) > 0; from += n) {
            gather_fixed(rows + from, n, offset, size,
                         COLUMN_OUT(out, uint8_t) + (size_t)from * size);
        }
    }
    TRY(cancel_check(memory->cancel, err)); // Then not all were gathered.
    return gather_validity(layout, number, rows, count, memory, out, err);
}

firn_status rows_compare(const row_store *self, uint32_t number, const uint8_t *left,
                         const uint8_t *right, arena *scratch, int *out, firn_error *err) {
    const uint8_t *pair[2] = {left, right};
    column values;
    TRY(rows_gather(self, number, pair, 2, scratch, &values, err));
    cancel_watch watch = {.cancel = scratch->cancel};
    *out = column_compare_rows_watched(&values, 0, &values, 1, &watch);
    return FIRN_OK;
}
