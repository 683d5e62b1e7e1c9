// Ranks among values that order as numbers of 64 bits: a pass over the rows for their bounds, one
// or two that count them by ranges, one that brings the few that are left together.
#include <assert.h>

#include "exec/aggregate/aggregate_rank.h"
#include "functions/aggregate/value_order.h"

#define KEPT_MAX UINT64_C(65536) // Values that are brought together, at most.
#define VALUE_BYTES 8            // Of a value, at most.

typedef struct numbering numbering;

// Sees a chunk of values and their numbers.
typedef firn_status (*number_visit)(numbering *self, const ordered_value *items,
                                    const column *values, uint32_t count);

struct numbering {
    const ranked_rows *from;
    arena *memory;  // Of what stays.
    arena *scratch; // Of a chunk.
    firn_error *err;
    number_visit visit;
    number_range range;
    uint64_t counts[NUMBER_BUCKETS];
    column kept; // Values in the range,
    ordered_value *items;
    uint32_t kept_count;
    uint32_t kept_max;
    ordered_value above; // the lowest number beyond it,
    bool has_above;
    column above_value; // and its value.
};

static firn_status visit_numbers(void *user, uint8_t *const *rows, uint32_t count, bool *is_done,
                                 firn_error *err) {
    numbering *self = user;
    const ranked_rows *from = self->from;
    const uint8_t *passed[RANKED_CHUNK];
    uint16_t numbers[RANKED_CHUNK];
    UNINITIALISED ordered_value items[RANKED_CHUNK];
    uint32_t n = count;
    column values;
    *is_done = false; // Each pass sees all rows.
    if (from->filter != NULL) {
        TRY(from->filter(from->user, rows, count, numbers, &n, self->scratch, err));
        for (uint32_t i = 0; i < n; i++) {
            passed[i] = rows[numbers[i]];
        }
    }
    if (n == 0) {
        return FIRN_OK;
    }
    const uint8_t *const *gathered = from->filter == NULL ? (const uint8_t *const *)rows : passed;
    TRY(rows_gather(from->store, from->column, gathered, n, self->scratch, &values, err));
    const value_order order = value_order_of(&values, self->scratch->cancel);
    value_order_list(&order, 0, n, items);
    return self->visit(self, items, &values, n);
}

static firn_status visit_all(numbering *self, number_visit visit) {
    self->visit = visit;
    return aggregate_rank_visit(self->from, visit_numbers, self, self->scratch, self->err);
}

static firn_status see_bounds(numbering *self, const ordered_value *items, const column *values,
                              uint32_t count) {
    number_range *range = &self->range;
    (void)values;
    for (uint32_t i = 0; i < count; i++) {
        range->low = items[i].number < range->low ? items[i].number : range->low;
        range->high = items[i].number > range->high ? items[i].number : range->high;
    }
    range->left += count;
    return FIRN_OK;
}

static firn_status count_numbers(numbering *self, const ordered_value *items, const column *values,
                                 uint32_t count) {
    const number_range range = self->range;
    const uint32_t shift = number_range_shift(&range);
    (void)values;
    for (uint32_t i = 0; i < count; i++) {
        if (number_range_has(&range, items[i].number)) {
            self->counts[(items[i].number - range.low) >> shift]++;
        }
    }
    return FIRN_OK;
}

static firn_status keep_values(numbering *self, const ordered_value *items, const column *values,
                               uint32_t count) {
    const number_range range = self->range;
    const size_t width = physical_size(type_physical(values->type));
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *value = (const uint8_t *)values->values + i * width;
        if (number_range_has(&range, items[i].number)) {
            if (self->kept_count < self->kept_max) {
                memcpy(COLUMN_OUT(&self->kept, uint8_t) + self->kept_count * width, value, width);
                self->items[self->kept_count] =
                    (ordered_value){.number = items[i].number, .row = self->kept_count};
                self->kept_count++;
            }
        } else if (items[i].number > range.high &&
                   (!self->has_above || items[i].number < self->above.number)) {
            self->has_above = true;
            self->above = items[i];
            memcpy(COLUMN_OUT(&self->above_value, uint8_t), value, width);
        }
    }
    return FIRN_OK;
}

// Divides the numbers until few are left, and brings their values together.
static firn_status find_range(numbering *self, const type *of) {
    number_range *range = &self->range;
    const uint64_t most = self->from->bytes_max / (sizeof(ordered_value) + VALUE_BYTES);
    const uint64_t few = most < 1 ? 1 : most < KEPT_MAX ? most : KEPT_MAX;
    range->low = UINT64_MAX;
    TRY(visit_all(self, see_bounds));
    assert(range->rank < range->left);
    while (range->low < range->high && range->left > few) {
        memset(self->counts, 0, sizeof self->counts);
        TRY(visit_all(self, count_numbers));
        number_range_narrow(range, self->counts);
    }
    // Where all are the same, one will do.
    self->kept_max = range->low == range->high ? 1 : (uint32_t)range->left;
    TRY(column_new(self->memory, of, self->kept_max, &self->kept, self->err));
    TRY(column_new(self->memory, of, 1, &self->above_value, self->err));
    self->items = ARENA_NEW(self->memory, ordered_value, self->kept_max);
    if (self->items == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    TRY(visit_all(self, keep_values));
    assert(self->kept_count == self->kept_max);
    return FIRN_OK;
}

// The value of a rank counted from the range's first.
static void take_value(numbering *self, uint64_t rank, const column **source, uint32_t *row) {
    *source = &self->kept;
    if (rank >= self->range.left) {
        assert(self->has_above && rank == self->range.left);
        *source = &self->above_value;
        *row = 0;
    } else if (self->kept_max == 1) {
        *row = 0;
    } else {
        value_order order = value_order_of(&self->kept, self->scratch->cancel);
        value_order_select(&order, self->items, self->kept_count, (uint32_t)rank);
        *row = self->items[rank].row;
    }
}

firn_status aggregate_rank_numbers(const ranked_rows *from, uint64_t rank, uint32_t count,
                                   arena *scratch, arena *out_memory, column *out,
                                   firn_error *err) {
    const type *of = from->store->layout->types[from->column];
    numbering *self = ARENA_NEW(out_memory, numbering, 1);
    if (self == NULL) {
        return ARENA_FULL(out_memory, err);
    }
    *self = (numbering){.from = from,
                        .memory = out_memory,
                        .scratch = scratch,
                        .err = err,
                        .range = {.rank = rank}};
    TRY(find_range(self, of));
    const column *sources[2];
    uint32_t rows[2];
    assert(count <= 2);
    for (uint32_t i = 0; i < count; i++) {
        take_value(self, self->range.rank + i, &sources[i], &rows[i]);
    }
    const gathered_rows gathered = {.sources = sources, .rows = rows, .count = count};
    return column_gather(out_memory, of, &gathered, out, err);
}
