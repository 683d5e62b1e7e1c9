#include "exec/rows/rows_repeated.h"

#include "base/hash.h"
#include "exec/rows/rows_private.h"

#define ROWS_EACH 2    // So often at least each has to come.
#define SAMPLE_ROWS 16 // Rows of which it is looked how long their texts are.

static uint32_t sample_row(uint32_t i, uint32_t count) {
    return (uint32_t)((uint64_t)i * count / SAMPLE_ROWS);
}

// ---- Rows of a batch ----------------------------------------------------------------------------

static bool has_long_texts(const repeated_lanes *self, const column *from) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < SAMPLE_ROWS; i++) {
        const uint32_t lane = self->lanes[sample_row(i, self->count)];
        bytes += COLUMN_VALUES(from, string_value)[lane].size;
    }
    return bytes >= (uint64_t)self->text_bytes * SAMPLE_ROWS;
}

static firn_status find_lanes(repeated_lanes *self, arena *memory, firn_error *err) {
    uint32_t count = 0;
    for (uint32_t k = 0; k < self->count; k++) {
        count += k == 0 || self->lanes[k] != self->lanes[k - 1];
    }
    self->repeats = count <= self->count / ROWS_EACH ? REPEATED_YES : REPEATED_NO;
    if (self->repeats == REPEATED_NO) {
        return FIRN_OK;
    }
    self->distinct = ARENA_NEW(memory, uint32_t, count);
    self->codes = ARENA_NEW(memory, uint32_t, self->count);
    if (self->distinct == NULL || self->codes == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t k = 0; k < self->count; k++) {
        if (k == 0 || self->lanes[k] != self->lanes[k - 1]) {
            self->distinct[self->distinct_count++] = self->lanes[k];
        }
        self->codes[k] = self->distinct_count - 1;
    }
    return FIRN_OK;
}

firn_status repeated_lanes_take(repeated_lanes *self, const column *from, arena *memory,
                                column *out, firn_error *err) {
    const bool is_text = type_physical(from->type) == PHYSICAL_STRING;
    const bool may_pay = self->count >= ROWS_EACH && from->form == FORM_FLAT &&
                         (type_is_nested(from->type) || (is_text && has_long_texts(self, from)));
    if (may_pay && self->repeats == REPEATED_UNKNOWN) {
        TRY(find_lanes(self, memory, err));
    }
    if (!may_pay || self->repeats == REPEATED_NO) {
        return column_take(memory, from, self->lanes, self->count, out, err);
    }
    column values;
    TRY(column_take(memory, from, self->distinct, self->distinct_count, &values, err));
    return column_of_entries(memory, &values, self->codes, self->count, out, err);
}

// ---- Rows of a store ----------------------------------------------------------------------------

static bool has_long_rows(const repeated_rows *self, uint32_t offset) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < SAMPLE_ROWS; i++) {
        bytes += row_string(self->rows[sample_row(i, self->count)] + offset).size;
    }
    return bytes >= (uint64_t)REPEATED_TEXT_BYTES * SAMPLE_ROWS;
}

// A hash table of the rows that came, by where they lie; gives up when there are too many.
static firn_status find_rows(repeated_rows *self, arena *memory, firn_error *err) {
    const uint32_t most = self->count / ROWS_EACH;
    uint32_t slots = 64;
    while (slots < self->count) {
        slots *= 2;
    }
    uint32_t *table = ARENA_NEW(memory, uint32_t, slots); // Numbers of distinct rows + 1.
    self->distinct = ARENA_NEW(memory, const uint8_t *, most + 1);
    self->codes = ARENA_NEW(memory, uint32_t, self->count);
    if (table == NULL || self->distinct == NULL || self->codes == NULL) {
        return ARENA_FULL(memory, err);
    }
    memset(table, 0, slots * sizeof *table);
    self->repeats = REPEATED_NO;
    for (uint32_t k = 0; k < self->count; k++) {
        const uint8_t *row = self->rows[k];
        if (self->has_gaps && row == self->store->layout->null_row) {
            self->codes[k] = 0; // An entry that the others have.
            continue;
        }
        uint32_t at = (uint32_t)hash_u64((uintptr_t)row) & (slots - 1);
        while (table[at] != 0 && self->distinct[table[at] - 1] != row) {
            at = (at + 1) & (slots - 1);
        }
        if (table[at] == 0) {
            if (self->distinct_count == most) {
                return FIRN_OK;
            }
            self->distinct[self->distinct_count++] = row;
            table[at] = self->distinct_count;
        }
        self->codes[k] = table[at] - 1;
    }
    self->repeats = self->distinct_count > 0 ? REPEATED_YES : REPEATED_NO;
    return FIRN_OK;
}

firn_status repeated_rows_gather(repeated_rows *self, uint32_t number, arena *memory, column *out,
                                 firn_error *err) {
    const row_layout *layout = self->store->layout;
    const type *of = layout->types[number];
    const bool is_text = type_physical(of) == PHYSICAL_STRING;
    const bool may_pay =
        self->count >= ROWS_EACH &&
        (type_is_nested(of) || (is_text && has_long_rows(self, layout->offsets[number])));
    if (may_pay && self->repeats == REPEATED_UNKNOWN) {
        TRY(find_rows(self, memory, err));
    }
    if (!may_pay || self->repeats == REPEATED_NO) {
        return rows_gather(self->store, number, self->rows, self->count, memory, out, err);
    }
    column values;
    TRY(rows_gather(self->store, number, self->distinct, self->distinct_count, memory, &values,
                    err));
    return column_of_entries(memory, &values, self->codes, self->count, out, err);
}
