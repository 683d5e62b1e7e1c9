#include "exec/aggregate/aggregate_rank.h"

#include <assert.h>
#include <math.h>

#include "base/hash.h"
#include "functions/aggregate/value_order.h"

#define SAMPLE_MAX 65536u // Rows that are held, at most.
#define BYTES_A_ROW 48    // Of a held row, beside its own: its place, its value and number.
#define BOUND_COUNT 4

// A row that was seen and its value.
typedef struct rank_bound {
    const uint8_t *row; // NULL: no bound.
    column value;
    ordered_value item;
} rank_bound;

typedef struct ranking {
    const ranked_rows *from;
    arena *scratch; // Of a chunk.
    firn_error *err;
    // The rank lies between these two; where a pass shows that it does not, the outer ones hold.
    rank_bound low;
    rank_bound high;
    rank_bound outer_low;
    rank_bound outer_high;
    uint64_t below; // Rows, by the last pass.
    uint64_t low_equal;
    uint64_t between;
    uint64_t high_equal;
    // The sample of those between. Rows and bounds are in one of two arenas: moving what stays to
    // the other frees the rest.
    arena memories[2];
    uint32_t memory;
    const uint8_t **rows;
    uint32_t count;
    uint32_t capacity;
    uint64_t bytes;
    uint64_t stride; // One row of so many is taken, a power of 2.
    uint64_t seed;
} ranking;

// ---- Passes over pages --------------------------------------------------------------------------

static firn_status visit_page(const ranked_rows *from, row_page *page, ranked_visit visit,
                              void *user, bool *is_done, arena *scratch, firn_error *err) {
    uint8_t *rows[RANKED_CHUNK];
    uint32_t at = 0;
    TRY(cancel_check(scratch->cancel, err));
    for (uint32_t n; !*is_done &&
                     (n = row_page_rows(page, from->store->layout, &at, rows, RANKED_CHUNK)) > 0;) {
        const arena_mark mark = arena_mark_take(scratch);
        TRY(visit(user, rows, n, is_done, err));
        arena_rewind(scratch, mark);
    }
    return FIRN_OK;
}

firn_status aggregate_rank_visit(const ranked_rows *from, ranked_visit visit, void *user,
                                 arena *scratch, firn_error *err) {
    bool is_done = false;
    for (row_page *page = from->pages->first; page != NULL && !is_done; page = page->next) {
        TRY(visit_page(from, page, visit, user, &is_done, scratch, err));
    }
    for (size_t i = 0; i < from->pages->spilled.count && !is_done; i++) {
        TRY(row_pages_peek(from->store, from->pages, i, from->desk, from->buffer, err));
        TRY(visit_page(from, from->buffer, visit, user, &is_done, scratch, err));
    }
    return FIRN_OK;
}

// The rows that the filter lets through; `out` may be `rows`.
static firn_status filter_rows(const ranked_rows *from, uint8_t *const *rows, uint32_t count,
                               uint8_t **out, uint32_t *out_count, arena *scratch,
                               firn_error *err) {
    uint16_t numbers[RANKED_CHUNK];
    if (from->filter == NULL || count == 0) {
        memmove(out, rows, count * sizeof *out);
        *out_count = count;
        return FIRN_OK;
    }
    TRY(from->filter(from->user, rows, count, numbers, out_count, scratch, err));
    for (uint32_t i = 0; i < *out_count; i++) {
        out[i] = rows[numbers[i]];
    }
    return FIRN_OK;
}

// ---- What is held -------------------------------------------------------------------------------

static uint64_t bytes_of(const ranking *self, const uint8_t *row) {
    const row_layout *layout = self->from->store->layout;
    const uint64_t heap =
        layout->heap_offset == ROW_NONE ? 0 : row_heap_of(layout, row).size; // In a blob, too.
    // Twice: while it is moved.
    return (layout->size + heap) * 2 + BYTES_A_ROW;
}

static firn_status copy_row(const ranking *self, arena *memory, const uint8_t **row) {
    const uint32_t size = row_bytes(self->from->store->layout, *row);
    uint8_t *copy = ARENA_NEW(memory, uint8_t, size);
    if (copy == NULL) {
        return ARENA_FULL(memory, self->err);
    }
    memcpy(copy, *row, size);
    *row = copy;
    return FIRN_OK;
}

static firn_status move_bound(const ranking *self, arena *memory, rank_bound *bound) {
    if (bound->row == NULL) {
        return FIRN_OK;
    }
    TRY(copy_row(self, memory, &bound->row));
    TRY(rows_gather(self->from->store, self->from->column, &bound->row, 1, memory, &bound->value,
                    self->err));
    const value_order order = value_order_of(&bound->value, self->scratch->cancel);
    value_order_list(&order, 0, 1, &bound->item);
    return FIRN_OK;
}

// Keeps the bounds and every `step`th row of the sample.
static firn_status move_held(ranking *self, uint32_t step) {
    rank_bound *const bounds[BOUND_COUNT] = {&self->low, &self->high, &self->outer_low,
                                             &self->outer_high};
    arena *memory = &self->memories[1 - self->memory];
    arena_reset(memory);
    for (uint32_t i = 0; i < BOUND_COUNT; i++) {
        TRY(move_bound(self, memory, bounds[i]));
    }
    uint32_t kept = 0;
    self->bytes = 0;
    for (uint32_t i = 0; i < self->count; i += step) {
        self->rows[kept] = self->rows[i];
        self->bytes += bytes_of(self, self->rows[i]);
        TRY(copy_row(self, memory, &self->rows[kept++]));
    }
    self->count = kept;
    self->memory = 1 - self->memory;
    return FIRN_OK;
}

static firn_status hold_row(ranking *self, const uint8_t *row) {
    const uint64_t bytes = bytes_of(self, row);
    while (self->count == self->capacity ||
           (self->count > 1 && self->bytes + bytes > self->from->bytes_max)) {
        self->stride *= 2;
        TRY(move_held(self, 2));
    }
    self->rows[self->count] = row;
    self->bytes += bytes;
    return copy_row(self, &self->memories[self->memory], &self->rows[self->count++]);
}

static bool is_taken(ranking *self) {
    return self->stride == 1 || (hash_u64(self->seed++) & (self->stride - 1)) == 0;
}

// ---- A pass -------------------------------------------------------------------------------------

static firn_status hold_rows(ranking *self, uint8_t *const *rows, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        TRY(hold_row(self, rows[i]));
    }
    return FIRN_OK;
}

// Without bounds there is nothing to count.
static firn_status see_sample(void *user, uint8_t *const *rows, uint32_t count, bool *is_done,
                              firn_error *err) {
    ranking *self = user;
    uint8_t *taken[RANKED_CHUNK];
    uint32_t n = 0;
    *is_done = false;
    for (uint32_t k = 0; k < count; k++) {
        taken[n] = rows[k];
        n += is_taken(self);
    }
    TRY(filter_rows(self->from, taken, n, taken, &n, self->scratch, err));
    return hold_rows(self, taken, n);
}

static int compare(const rank_bound *bound, value_order *order, const ordered_value *item) {
    if (item->number != bound->item.number) {
        return item->number < bound->item.number ? -1 : 1;
    }
    return order->is_exact ? 0
                           : column_compare_rows_watched(order->values, item->row, &bound->value, 0,
                                                         &order->watch);
}

static firn_status see_rows(void *user, uint8_t *const *rows, uint32_t count, bool *is_done,
                            firn_error *err) {
    ranking *self = user;
    const ranked_rows *from = self->from;
    uint8_t *passed[RANKED_CHUNK];
    UNINITIALISED ordered_value items[RANKED_CHUNK];
    uint32_t n;
    column values;
    *is_done = false;
    TRY(filter_rows(from, rows, count, passed, &n, self->scratch, err));
    if (n == 0) {
        return FIRN_OK;
    }
    TRY(rows_gather(from->store, from->column, (const uint8_t *const *)passed, n, self->scratch,
                    &values, err));
    value_order order = value_order_of(&values, self->scratch->cancel);
    value_order_list(&order, 0, n, items);
    uint32_t taken = 0;
    for (uint32_t i = 0; i < n; i++) {
        const int to_low = self->low.row == NULL ? 1 : compare(&self->low, &order, &items[i]);
        self->below += to_low < 0;
        self->low_equal += to_low == 0;
        if (to_low > 0) {
            const int to_high =
                self->high.row == NULL ? -1 : compare(&self->high, &order, &items[i]);
            self->between += to_high < 0;
            self->high_equal += to_high == 0;
            passed[taken] = passed[i];
            taken += to_high < 0 && is_taken(self);
        }
    }
    return hold_rows(self, passed, taken);
}

// Counts rows by the bounds and takes a sample of those between them, of which there should be
// `expected`.
static firn_status look(ranking *self, uint64_t expected) {
    const bool is_open = self->low.row == NULL && self->high.row == NULL;
    self->count = 0;
    TRY(move_held(self, 1));
    self->stride = 1;
    while (expected / self->stride > self->capacity - self->capacity / 4) {
        self->stride *= 2;
    }
    self->below = 0;
    self->low_equal = 0;
    self->between = is_open ? self->from->row_count : 0;
    self->high_equal = 0;
    return aggregate_rank_visit(self->from, is_open ? see_sample : see_rows, self, self->scratch,
                                self->err);
}

// ---- Searching ----------------------------------------------------------------------------------

// The values of the sample; ordered by rank as far as value_order_select goes.
static firn_status list_sample(ranking *self, column *values, ordered_value **items) {
    TRY(rows_gather(self->from->store, self->from->column, self->rows, self->count, self->scratch,
                    values, self->err));
    *items = ARENA_NEW(self->scratch, ordered_value, self->count);
    if (*items == NULL) {
        return ARENA_FULL(self->scratch, self->err);
    }
    const value_order order = value_order_of(values, self->scratch->cancel);
    value_order_list(&order, 0, self->count, *items);
    return FIRN_OK;
}

static const uint8_t *row_at(const ranking *self, const column *values, ordered_value *items,
                             int64_t rank) {
    value_order order = value_order_of(values, self->scratch->cancel);
    value_order_select(&order, items, self->count, (uint32_t)rank);
    return self->rows[items[rank].row];
}

// New bounds, three times as far from each other as a rank in the sample deviates: three halves to
// each side. `rank` is counted from the first row between the old ones.
static firn_status choose_bounds(ranking *self, uint64_t rank, uint64_t *expected) {
    const int64_t count = self->count;
    *expected = self->between;
    if (count == 0) {
        return FIRN_OK; // By chance; the next pass goes by the number that is known now.
    }
    const double share = (double)rank / (double)self->between;
    const int64_t spread = (int64_t)(1.5 * sqrt((double)count)) + 1;
    const int64_t middle = (int64_t)(share * (double)count);
    const int64_t at = middle < count ? middle : count - 1;
    int64_t low = at - spread;
    int64_t high = at + spread;
    if (low < 0 && high >= count) { // A sample that is too small for two: one halves the rows.
        low = at;
        high = at;
    }
    self->outer_low = self->low;
    self->outer_high = self->high;
    column values;
    ordered_value *items;
    TRY(list_sample(self, &values, &items));
    if (low >= 0) {
        self->low.row = row_at(self, &values, items, low);
    }
    if (high < count) {
        self->high.row = row_at(self, &values, items, high);
    }
    const int64_t inside = (high < count ? high : count) - (low < 0 ? 0 : low);
    *expected = (uint64_t)((double)inside / (double)count * (double)self->between);
    return FIRN_OK;
}

// The row of the rank, once a pass has shown it; *is_found.
static firn_status find_row(ranking *self, uint64_t rank, const uint8_t **row, bool *is_found) {
    const uint64_t after_low = self->below + self->low_equal;
    const uint64_t after_between = after_low + self->between;
    uint64_t expected = self->between;
    *is_found = true;
    if (rank < self->below) {
        self->high = self->low;
        self->low = self->outer_low;
        expected = self->below;
    } else if (rank < after_low) {
        *row = self->low.row;
        return FIRN_OK;
    } else if (rank >= after_between && rank - after_between < self->high_equal) {
        *row = self->high.row;
        return FIRN_OK;
    } else if (rank >= after_between) {
        self->low = self->high;
        self->high = self->outer_high;
        expected = self->from->row_count - after_between;
    } else if (self->stride == 1) {
        column values;
        ordered_value *items;
        assert(self->count == self->between);
        TRY(list_sample(self, &values, &items));
        *row = row_at(self, &values, items, (int64_t)(rank - after_low));
        return FIRN_OK;
    } else {
        TRY(choose_bounds(self, rank - after_low, &expected));
    }
    *is_found = false;
    return look(self, expected);
}

static firn_status find_value(ranking *self, uint64_t rank, arena *out_memory, column *out) {
    const ranked_rows *from = self->from;
    arena *scratch = self->scratch;
    const uint8_t *row = NULL;
    assert(rank < from->row_count);
    for (bool is_found = false; !is_found;) {
        const arena_mark mark = arena_mark_take(scratch);
        TRY(find_row(self, rank, &row, &is_found));
        TRY(cancel_check(scratch->cancel, self->err));
        arena_rewind(scratch, mark);
    }
    column value;
    const arena_mark mark = arena_mark_take(scratch);
    TRY(rows_gather(from->store, from->column, &row, 1, scratch, &value, self->err));
    TRY(column_copy(out_memory, &value, out, self->err));
    arena_rewind(scratch, mark);
    return FIRN_OK;
}

static firn_status find_values(ranking *self, uint64_t rank, uint32_t count, arena *out_memory,
                               column *out) {
    column found[2];
    const column *sources[2];
    const uint32_t rows[2] = {0};
    assert(count <= 2);
    TRY(look(self, self->from->row_count));
    for (uint32_t i = 0; i < count; i++) {
        TRY(find_value(self, rank + i, out_memory, &found[i]));
        sources[i] = &found[i];
    }
    const gathered_rows gathered = {.sources = sources, .rows = rows, .count = count};
    return column_gather(out_memory, self->from->store->layout->types[self->from->column],
                         &gathered, out, self->err);
}

static arena arena_beside(const arena *other) {
    arena out = arena_open_in(other->owner, other->limit);
    out.cancel = other->cancel;
    return out;
}

firn_status aggregate_rank_values(const ranked_rows *from, uint64_t rank, uint32_t count,
                                  arena *scratch, arena *out_memory, column *out, firn_error *err) {
    const uint64_t fitting = from->bytes_max / (from->store->layout->size * 2 + BYTES_A_ROW);
    const uint32_t capacity = fitting > SAMPLE_MAX ? SAMPLE_MAX
                              : fitting < 8        ? 8
                                                   : (uint32_t)fitting;
    ranking self = {
        .from = from,
        .scratch = scratch,
        .err = err,
        .memories = {arena_beside(scratch), arena_beside(scratch)},
        .rows = ARENA_NEW(out_memory, const uint8_t *, capacity),
        .capacity = capacity,
    };
    const firn_status status = self.rows == NULL ? ARENA_FULL(out_memory, err)
                                                 : find_values(&self, rank, count, out_memory, out);
    arena_close(&self.memories[0]);
    arena_close(&self.memories[1]);
    return status;
}

// ---- The first row ------------------------------------------------------------------------------

typedef struct taking {
    const ranked_rows *from;
    arena *scratch;
    arena *memory;
    uint32_t count;
    column *out;
} taking;

static firn_status take_args(void *user, uint8_t *const *rows, uint32_t count, bool *is_done,
                             firn_error *err) {
    const taking *self = user;
    uint8_t *passed[RANKED_CHUNK];
    uint32_t n;
    TRY(filter_rows(self->from, rows, count, passed, &n, self->scratch, err));
    *is_done = n > 0;
    for (uint32_t i = 0; *is_done && i < self->count; i++) {
        column value;
        TRY(rows_gather(self->from->store, self->from->column + i,
                        (const uint8_t *const[]){passed[0]}, 1, self->scratch, &value, err));
        TRY(column_copy(self->memory, &value, &self->out[i], err));
    }
    return FIRN_OK;
}

firn_status aggregate_rank_args(const ranked_rows *from, uint32_t count, arena *scratch,
                                arena *out_memory, column *out, firn_error *err) {
    taking state = {
        .from = from, .scratch = scratch, .memory = out_memory, .count = count, .out = out};
    return aggregate_rank_visit(from, take_args, &state, scratch, err);
}
