#include "exec/sort/sort_merge.h"

#include "column/batch.h"

#define PREFETCH_AHEAD 16

// Two keys of which one lies in a blob are compared whole: an unknown prefix says nothing.
static firn_status is_before(const sort_merge *self, const sort_head *left, const sort_head *right,
                             arena *scratch, bool *out, firn_error *err) {
    if (left->has_prefix && right->has_prefix && left->entry.prefix != right->entry.prefix) {
        *out = left->entry.prefix < right->entry.prefix;
        return FIRN_OK;
    }
    if (self->prefix_decides) {
        *out = false;
        return FIRN_OK;
    }
    const sort_entry l = {.row = left->entry.row};
    const sort_entry r = {.row = right->entry.row};
    int order;
    TRY(sort_compare(self->store, &l, &r, scratch, &order, err));
    *out = order < 0;
    return FIRN_OK;
}

// Puts `moved` where it belongs below `root`.
static firn_status sift(sort_merge *self, uint32_t root, sort_head moved, arena *scratch,
                        firn_error *err) {
    sort_head *items = self->heads;
    for (uint32_t child = root * 2 + 1; child < self->count; child = root * 2 + 1) {
        bool is_less = false;
        if (child + 1 < self->count) {
            TRY(is_before(self, &items[child + 1], &items[child], scratch, &is_less, err));
            child += is_less;
        }
        TRY(is_before(self, &items[child], &moved, scratch, &is_less, err));
        if (!is_less) {
            break;
        }
        items[root] = items[child];
        root = child;
    }
    items[root] = moved;
    return FIRN_OK;
}

static sort_head head_of(const sort_merge *self, uint32_t cursor) {
    const sort_cursor *from = &self->cursors[cursor];
    return (sort_head){.entry = {.prefix = from->prefix, .row = from->row},
                       .cursor = cursor,
                       .has_prefix = from->has_prefix};
}

// Room for a unit. Past the target if need be: how many runs there are at most was decided by what
// the keeper may hold.
static void *take_unit(pool *keeper, size_t size, size_t *capacity) {
    void *unit = pool_block_take(keeper, size, capacity);
    return unit != NULL ? unit : pool_block_take_urgent(keeper, size, capacity);
}

firn_status sort_merge_open(row_store *store, const sort_input *inputs, uint32_t count,
                            arena *memory, sort_merge *out, firn_error *err) {
    *out = (sort_merge){.store = store,
                        .desk = spill_desk_open(store->keeper),
                        .cursors = ARENA_NEW(memory, sort_cursor, count + 1),
                        .heads = ARENA_NEW(memory, sort_head, count + 1)};
    if (out->cursors == NULL || out->heads == NULL) {
        return ARENA_FULL(memory, err);
    }
    out->prefix_decides = true;
    for (uint32_t i = 0; i < count; i++) {
        out->prefix_decides &= !inputs[i].run->is_spilled && inputs[i].run->prefix_decides;
    }
    for (uint32_t i = 0; i < count; i++) {
        void *unit = NULL;
        size_t unit_bytes = 0;
        if (inputs[i].run->is_spilled) {
            unit = take_unit(store->keeper, store->page_size, &unit_bytes);
            if (unit == NULL) {
                return POOL_FULL(store->keeper, store->page_size, err);
            }
        }
        sort_cursor *cursor = &out->cursors[out->cursor_count++];
        const firn_status status =
            sort_cursor_open(store, inputs[i].run, inputs[i].range, unit, &out->desk, cursor, err);
        cursor->page_bytes = unit_bytes;
        TRY(status);
        if (cursor->row != NULL) {
            out->heads[out->count++] = head_of(out, i);
        }
    }
    for (uint32_t root = out->count / 2; root > 0; root--) {
        TRY(sift(out, root - 1, out->heads[root - 1], memory, err));
    }
    return FIRN_OK;
}

void sort_merge_close(sort_merge *self) {
    if (self->store != NULL) {
        for (uint32_t i = 0; i < self->cursor_count; i++) {
            pool_block_give(self->store->keeper, self->cursors[i].page,
                            self->cursors[i].page_bytes);
        }
        spill_desk_close(&self->desk);
        *self = (sort_merge){0};
    }
}

// The cursor in front goes to its next row.
static firn_status advance(sort_merge *self, arena *scratch, firn_error *err) {
    const uint32_t first = self->heads[0].cursor;
    TRY(sort_cursor_next(self->store, &self->cursors[first], &self->desk, err));
    if (self->cursors[first].row != NULL) {
        return sift(self, 0, head_of(self, first), scratch, err);
    }
    self->count--;
    return self->count > 0 ? sift(self, 0, self->heads[self->count], scratch, err) : FIRN_OK;
}

// Of a row, wherever its heap lies.
static uint64_t row_size(const row_layout *layout, const uint8_t *row) {
    return layout->heap_offset == ROW_NONE ? layout->size
                                           : layout->size + (uint64_t)row_heap_of(layout, row).size;
}

// Rows of the cursor in front while none of another comes before them, at most `max`.
static uint32_t take_streak(sort_merge *self, uint8_t **rows, uint32_t max) {
    sort_cursor *cursor = &self->cursors[self->heads[0].cursor];
    uint64_t last = UINT64_MAX; // The prefix up to which they may go.
    for (uint32_t i = 1; i < self->count && i < 3; i++) {
        last = self->heads[i].entry.prefix < last ? self->heads[i].entry.prefix : last;
    }
    const sort_entry *entries = cursor->run->entries;
    uint64_t at = cursor->range.from;
    const uint64_t end = cursor->range.end - at < max ? cursor->range.end : at + max;
    const uint64_t calm_end = end > PREFETCH_AHEAD ? end - PREFETCH_AHEAD : 0;
    uint32_t count = 0;
    while (at < end && entries[at].prefix <= last) {
        __builtin_prefetch(entries[at < calm_end ? at + PREFETCH_AHEAD : at].row);
        rows[count++] = entries[at++].row;
    }
    cursor->range.from = at - 1; // Advancing steps over the last one.
    return count;
}

// A cursor of a run in memory goes to its entry `at`.
static void move_to(sort_cursor *self, uint64_t at) {
    const bool is_there = at < self->range.end;
    self->range.from = at;
    self->row = is_there ? self->run->entries[at].row : NULL;
    self->prefix = is_there ? self->run->entries[at].prefix : 0;
}

// Rows of the only two cursors that are left, until one of them is at its end, at most `max`.
static firn_status take_of_two(sort_merge *self, uint8_t **rows, uint32_t max, uint32_t *count,
                               arena *scratch, firn_error *err) {
    const uint32_t cursors[2] = {self->heads[0].cursor, self->heads[1].cursor};
    sort_cursor *first = &self->cursors[cursors[0]];
    sort_cursor *second = &self->cursors[cursors[1]];
    uint64_t at[2] = {first->range.from, second->range.from};
    const uint64_t ends[2] = {first->range.end, second->range.end};
    const sort_entry *entries[2] = {first->run->entries, second->run->entries};
    uint32_t taken = 0;
    while (taken < max && at[0] < ends[0] && at[1] < ends[1]) {
        const bool side = entries[1][at[1]].prefix < entries[0][at[0]].prefix;
        const uint64_t next = at[side]++;
        const uint64_t ahead = next + PREFETCH_AHEAD;
        rows[taken++] = entries[side][next].row;
        __builtin_prefetch(entries[side][ahead < ends[side] ? ahead : next].row);
    }
    *count += taken;
    self->count = 0;
    for (uint32_t i = 0; i < 2; i++) {
        move_to(&self->cursors[cursors[i]], at[i]);
        if (self->cursors[cursors[i]].row != NULL) {
            self->heads[self->count++] = head_of(self, cursors[i]);
        }
    }
    return self->count == 2 ? sift(self, 0, self->heads[0], scratch, err) : FIRN_OK;
}

// As many rows as go by prefixes alone, of runs in memory whose rows are all of one size.
static firn_status take_by_prefix(sort_merge *self, uint8_t **rows, uint32_t max, uint32_t *count,
                                  arena *scratch, firn_error *err) {
    const uint32_t row_bytes = self->store->layout->size;
    const uint32_t most = BATCH_BYTES / row_bytes + 1;
    max = max < most ? max : most;
    while (*count < max && self->count > 0) {
        if (self->count == 2) {
            TRY(take_of_two(self, &rows[*count], max - *count, count, scratch, err));
        } else {
            *count += take_streak(self, &rows[*count], max - *count);
            TRY(advance(self, scratch, err));
        }
    }
    return FIRN_OK;
}

// The last row of a unit ends the call: going on would read the next one over rows that were just
// handed out, so the step from it waits.
firn_status sort_merge_take(sort_merge *self, uint8_t **rows, uint32_t max, uint32_t *count,
                            arena *scratch, firn_error *err) {
    *count = 0;
    if (self->is_step_due) {
        self->is_step_due = false;
        TRY(advance(self, scratch, err));
    }
    if (self->prefix_decides && self->store->layout->heap_offset == ROW_NONE) {
        return take_by_prefix(self, rows, max, count, scratch, err);
    }
    uint64_t size = 0;
    while (*count < max && self->count > 0 && size < BATCH_BYTES) {
        uint8_t *row = self->heads[0].entry.row;
        rows[(*count)++] = row;
        size += row_size(self->store->layout, row);
        if (sort_cursor_is_last_of_unit(&self->cursors[self->heads[0].cursor])) {
            self->is_step_due = true;
            return FIRN_OK;
        }
        TRY(advance(self, scratch, err));
    }
    return FIRN_OK;
}
