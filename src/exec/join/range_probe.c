#include "exec/join/range_probe.h"

#define LOOP_SHARE 8 // Of all pairs, one in so many being candidates: a loop is the faster way.
#define SAMPLE_LANES 8
#define SAMPLE_ROWS 256

firn_status range_probe_open(range_probe *self, const join_plan *plan, const range_index *index,
                             const row_store *store, expr_state *residual, arena *memory,
                             firn_error *err) {
    const uint32_t asked = plan->run->options->batch_rows;
    const uint32_t most = asked > BATCH_ROWS ? asked : BATCH_ROWS;
    *self = (range_probe){
        .plan = plan,
        .index = index,
        .cancel = &plan->run->cancel,
        .residual = residual,
        .pair_max = asked,
        .lanes = ARENA_NEW(memory, uint16_t, most),
        .cursors = ARENA_NEW(memory, range_cursor, most),
        .pairs = {.store = store,
                  .lanes = ARENA_NEW(memory, uint16_t, most),
                  .rows = ARENA_NEW(memory, const uint8_t *, most)},
    };
    if (self->lanes == NULL || self->cursors == NULL || self->pairs.lanes == NULL ||
        self->pairs.rows == NULL) {
        return ARENA_FULL(memory, err);
    }
    return range_bounding_open(&self->bounding, plan, most, memory, err);
}

void range_probe_close(range_probe *self) {
    range_bounding_close(&self->bounding);
}

// ---- A batch begins ----------------------------------------------------------------------------

// Cursors begin where the bounds say; rows without candidates go.
static void make_cursors(range_probe *self, const uint16_t *lanes, uint32_t count) {
    const range_bounding *bounding = &self->bounding;
    range_index_seek(self->index, bounding->firsts, count, bounding->numbers, self->cursors);
    self->count = 0;
    for (uint32_t k = 0; k < count; k++) {
        const range_cursor found = self->cursors[k];
        self->cursors[self->count] = found;
        self->lanes[self->count] = lanes[k];
        self->count += !bounding->is_null[k] && found.next < found.end ? 1 : 0;
    }
}

// About how many candidates a row has.
static double count_candidates(range_probe *self, uint32_t k) {
    range_cursor at = self->cursors[k];
    const uint64_t from = at.next;
    const double all = (double)(at.end - from);
    if (self->index->seconds == NULL) {
        return all;
    }
    uint32_t found = 0;
    for (uint32_t round = 0; round < SAMPLE_ROWS && found < SAMPLE_ROWS && at.next < at.end;
         round++) {
        found += range_index_next(self->index, &at, self->pairs.rows, self->pair_max);
    }
    return all * found / (double)(at.next - from);
}

static bool is_sparse(range_probe *self) {
    if (self->plan->is_first_match || self->count == 0) {
        return true; // One of them is enough.
    }
    const uint32_t step = self->count / SAMPLE_LANES + 1;
    double candidates = 0;
    uint32_t asked = 0;
    for (uint32_t k = 0; k < self->count; k += step) {
        candidates += count_candidates(self, k);
        asked++;
    }
    return candidates * LOOP_SHARE <= (double)asked * (double)self->index->count;
}

firn_status range_probe_begin(range_probe *self, const batch *left, const uint16_t *lanes,
                              uint32_t count, arena *scratch, bool *is_worth, firn_error *err) {
    self->pairs.left = left;
    self->at = 0;
    self->count = 0;
    *is_worth = true;
    if (count == 0) {
        return FIRN_OK;
    }
    const batch looking = join_selected(left, lanes, count);
    TRY(range_bounding_find(&self->bounding, &looking, self->cursors, is_worth, scratch, err));
    if (*is_worth) {
        make_cursors(self, lanes, count);
        *is_worth = is_sparse(self);
    }
    return FIRN_OK;
}

// ---- Pairs -------------------------------------------------------------------------------------

// Adds up to `max` candidates of row number `k`.
static void add_candidates(range_probe *self, uint32_t k, uint32_t max) {
    join_pairs *pairs = &self->pairs;
    const uint32_t found =
        range_index_next(self->index, &self->cursors[k], pairs->rows + pairs->count, max);
    for (uint32_t i = 0; i < found; i++) {
        pairs->lanes[pairs->count + i] = self->lanes[k];
    }
    pairs->count += found;
}

static bool has_more(const range_probe *self, uint32_t k) {
    return self->cursors[k].next < self->cursors[k].end;
}

static firn_status keep_true(range_probe *self, arena *scratch, firn_error *err) {
    if (self->bounding.is_whole) {
        return FIRN_OK;
    }
    const arena_mark mark = arena_mark_take(scratch);
    TRY(join_pairs_filter(self->plan, self->residual, &self->pairs, scratch, err));
    arena_rewind(scratch, mark);
    return FIRN_OK;
}

firn_status range_probe_next(range_probe *self, arena *scratch, firn_error *err) {
    join_pairs *pairs = &self->pairs;
    pairs->count = 0;
    TRY(cancel_check(self->cancel, err));
    while (self->at < self->count && pairs->count < self->pair_max) {
        const uint32_t before = pairs->count;
        add_candidates(self, self->at, self->pair_max - before);
        if (!has_more(self, self->at)) {
            self->at++;
        } else if (pairs->count == before) { // Many steps without one.
            TRY(cancel_check(self->cancel, err));
        }
    }
    return keep_true(self, scratch, err);
}

firn_status range_probe_first(range_probe *self, uint64_t *matched, arena *scratch,
                              firn_error *err) {
    join_pairs *pairs = &self->pairs;
    while (self->count > 0) { // Rounds: some candidates of each row that has found none.
        TRY(cancel_check(self->cancel, err));
        const uint32_t at_once = self->count < self->pair_max ? self->count : self->pair_max;
        const uint32_t each = self->pair_max / at_once;
        pairs->count = 0;
        for (uint32_t k = 0; k < at_once; k++) {
            add_candidates(self, k, self->bounding.is_whole ? 1 : each);
        }
        TRY(keep_true(self, scratch, err));
        for (uint32_t k = 0; k < pairs->count; k++) {
            bitmap_set(matched, pairs->lanes[k]);
        }
        uint32_t kept = 0;
        for (uint32_t k = 0; k < self->count; k++) {
            self->lanes[kept] = self->lanes[k];
            self->cursors[kept] = self->cursors[k];
            kept += has_more(self, k) && !bitmap_get(matched, self->lanes[k]) ? 1 : 0;
        }
        self->count = kept;
    }
    return FIRN_OK;
}
