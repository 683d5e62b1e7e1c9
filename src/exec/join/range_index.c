#include "exec/join/range_index.h"

#include "exec/sort/order_number.h"
#include "exec/sort/sort_by_prefix.h"

#define ROWS_AT_ONCE 1024
#define FANOUT 16
#define FANOUT_BITS 4
#define STEPS_MAX 4096

// ---- Building ----------------------------------------------------------------------------------

typedef struct build {
    range_index *index;
    const range_source *source;
    arena *scratch;
    firn_error *err;
    bool has_failed; // A key could not be evaluated.
    uint16_t rows[ROWS_AT_ONCE];
    uint32_t lanes[ROWS_AT_ONCE];
    uint64_t numbers[JOIN_RANGE_KEYS_MAX][ROWS_AT_ONCE];
    bool is_null[ROWS_AT_ONCE];
} build;

// The keys of some rows as numbers. What fails for a row may be what SQL never reaches: then the
// rows are looked at one by one.
static firn_status number_rows(build *self, const uint8_t *const *rows, uint32_t count) {
    const range_source *source = self->source;
    const join_split *split = source->split;
    arena *scratch = self->scratch;
    firn_error *err = self->err;
    batch input;
    column keys[JOIN_RANGE_KEYS_MAX];
    TRY(join_row_batch(&split->keys, source->store, rows, count, scratch, &input, err));
    firn_error fault = ERR_INIT;
    const firn_status status = expr_run(source->keys, &input, scratch, keys, &fault);
    if (status_is_refusal(status)) {
        *err = fault;
        return status;
    }
    self->has_failed = status != FIRN_OK;
    memset(self->is_null, 0, count * sizeof *self->is_null);
    for (uint32_t i = 0; i < split->key_count && !self->has_failed; i++) {
        TRY(rows_flatten_runs(&keys[i], 1, scratch, err));
        order_numbers_of(&keys[i], self->rows, count, self->lanes, self->numbers[i], self->is_null);
    }
    return FIRN_OK;
}

static firn_status add_page(build *self, row_page *page) {
    range_index *index = self->index;
    uint8_t *rows[ROWS_AT_ONCE];
    uint32_t at = 0;
    uint32_t count;
    const range_source *source = self->source;
    const row_layout *layout = source->store->layout;
    const join_row_guarding guarding = {
        .split = source->split, .state = source->guard, .store = source->store};
    while (!self->has_failed &&
           (count = row_page_rows(page, layout, &at, rows, ROWS_AT_ONCE)) > 0) {
        const arena_mark mark = arena_mark_take(self->scratch);
        TRY(cancel_check(self->source->cancel, self->err));
        TRY(join_row_guard(&guarding, rows, NULL, &count, self->scratch, self->err));
        TRY(number_rows(self, (const uint8_t *const *)rows, count));
        for (uint32_t k = 0; k < count && !self->has_failed; k++) {
            if (!self->is_null[k]) {
                index->entries[index->count++] =
                    (sort_entry){.prefix = self->numbers[0][k], .row = rows[k]};
            }
        }
        arena_rewind(self->scratch, mark);
    }
    return FIRN_OK;
}

static void take_firsts(build *self, uint64_t from, uint32_t count) {
    sort_entry *entries = &self->index->entries[from];
    for (uint32_t k = 0; k < count; k++) {
        entries[k].prefix = self->numbers[0][k];
        entries[k].row = self->is_null[k] ? NULL : entries[k].row;
    }
}

static void take_seconds(build *self, uint64_t from, uint32_t count) {
    memcpy(&self->index->seconds[from], self->numbers[1], count * sizeof(uint64_t));
}

// Numbers of the entries, in their order.
static firn_status number_entries(build *self, void (*take)(build *, uint64_t, uint32_t)) {
    range_index *index = self->index;
    const uint8_t *rows[ROWS_AT_ONCE];
    for (uint64_t from = 0; from < index->count && !self->has_failed; from += ROWS_AT_ONCE) {
        const uint64_t left = index->count - from;
        const uint32_t count = left < ROWS_AT_ONCE ? (uint32_t)left : ROWS_AT_ONCE;
        const arena_mark mark = arena_mark_take(self->scratch);
        TRY(cancel_check(self->source->cancel, self->err));
        for (uint32_t k = 0; k < count; k++) {
            rows[k] = index->entries[from + k].row;
        }
        TRY(number_rows(self, rows, count));
        take(self, from, count);
        arena_rewind(self->scratch, mark);
    }
    return FIRN_OK;
}

static uint64_t groups_of(uint64_t count) {
    return (count + FANOUT - 1) / FANOUT;
}

// Spans of seconds, then of spans.
static void make_levels(range_index *self) {
    uint64_t below = self->count;
    for (uint32_t level = 0; level < self->level_count; level++) {
        const range_span *spans = level == 0 ? NULL : self->levels[level - 1];
        for (uint64_t group = 0; group < groups_of(below); group++) {
            range_span *span = &self->levels[level][group];
            *span = (range_span){.low = UINT64_MAX};
            const uint64_t end = (group + 1) * FANOUT < below ? (group + 1) * FANOUT : below;
            for (uint64_t i = group * FANOUT; i < end; i++) {
                const uint64_t low = spans == NULL ? self->seconds[i] : spans[i].low;
                const uint64_t high = spans == NULL ? self->seconds[i] : spans[i].high;
                span->low = low < span->low ? low : span->low;
                span->high = high > span->high ? high : span->high;
            }
        }
        below = groups_of(below);
    }
}

// Seconds and levels in one block of memory. False: refused.
static bool open_seconds(range_index *self, pool *keeper) {
    uint64_t span_count = 0;
    uint64_t counts[RANGE_LEVELS_MAX];
    for (uint64_t below = self->count; below > 1 && self->level_count < RANGE_LEVELS_MAX;) {
        below = groups_of(below);
        counts[self->level_count++] = below;
        span_count += below;
    }
    const uint64_t bytes = self->count * sizeof(uint64_t) + span_count * sizeof(range_span);
    if (!directory_open(keeper, bytes, &self->second_memory)) {
        return false;
    }
    range_span *spans = self->second_memory.data;
    for (uint32_t i = 0; i < self->level_count; i++) {
        self->levels[i] = spans;
        spans += counts[i];
    }
    self->seconds = (uint64_t *)spans;
    return true;
}

static build *open_build(range_index *self, const range_source *source, arena *scratch,
                         firn_error *err) {
    build *out = ARENA_NEW(scratch, build, 1);
    if (out != NULL) {
        *out = (build){.index = self, .source = source, .scratch = scratch, .err = err};
        for (uint32_t k = 0; k < ROWS_AT_ONCE; k++) {
            out->rows[k] = (uint16_t)k;
        }
    }
    return out;
}

// The entries are in order: what belongs to the second key.
static firn_status finish(build *self, bool *is_built) {
    range_index *index = self->index;
    const range_source *source = self->source;
    if (source->split->key_count > 1 && index->count > 0) {
        if (!open_seconds(index, source->store->keeper)) {
            return FIRN_OK;
        }
        TRY(number_entries(self, take_seconds));
        make_levels(index);
    }
    *is_built = !self->has_failed;
    return FIRN_OK;
}

static firn_status build_all(build *self, bool *is_built) {
    range_index *index = self->index;
    const range_source *source = self->source;
    if (source->row_count == 0 ||
        !range_index_open(index, source->store->keeper, source->row_count)) {
        return FIRN_OK;
    }
    for (row_page *page = source->pages; page != NULL && !self->has_failed; page = page->next) {
        TRY(add_page(self, page));
    }
    if (self->has_failed) {
        return FIRN_OK;
    }
    TRY(sort_by_prefix(index->entries, index->count, source->cancel, self->err));
    return finish(self, is_built);
}

firn_status range_index_build(range_index *self, const range_source *source, arena *scratch,
                              bool *is_built, firn_error *err) {
    *self = (range_index){0};
    *is_built = false;
    const arena_mark mark = arena_mark_take(scratch);
    build *state = open_build(self, source, scratch, err);
    if (state == NULL) {
        return ARENA_FULL(scratch, err);
    }
    const firn_status status = build_all(state, is_built);
    if (!*is_built) {
        range_index_close(self);
    }
    arena_rewind(scratch, mark);
    return status;
}

bool range_index_open(range_index *self, pool *keeper, uint64_t row_count) {
    *self = (range_index){0};
    if (!directory_open(keeper, row_count * sizeof(sort_entry), &self->memory)) {
        return false;
    }
    self->entries = self->memory.data;
    return true;
}

// Rows that have no number leave their runs.
static void close_gaps(range_index *self, range_run *runs, uint64_t run_count) {
    self->count = 0;
    for (uint64_t i = 0; i < run_count; i++) {
        const range_run all = runs[i];
        runs[i].from = self->count;
        for (uint64_t k = all.from; k < all.end; k++) {
            self->entries[self->count] = self->entries[k];
            self->count += self->entries[k].row != NULL ? 1 : 0;
        }
        runs[i].end = self->count;
    }
}

static firn_status order_all(build *self, range_run *runs, uint64_t run_count, bool *is_built) {
    range_index *index = self->index;
    TRY(number_entries(self, take_firsts));
    if (self->has_failed) {
        return FIRN_OK;
    }
    close_gaps(index, runs, run_count);
    for (uint64_t i = 0; i < run_count; i++) {
        TRY(sort_by_prefix(&index->entries[runs[i].from], runs[i].end - runs[i].from,
                           self->source->cancel, self->err));
    }
    return finish(self, is_built);
}

firn_status range_index_order(range_index *self, const range_source *source, range_run *runs,
                              uint64_t run_count, arena *scratch, bool *is_built, firn_error *err) {
    *is_built = false;
    const arena_mark mark = arena_mark_take(scratch);
    build *state = open_build(self, source, scratch, err);
    if (state == NULL) {
        return ARENA_FULL(scratch, err);
    }
    const firn_status status = order_all(state, runs, run_count, is_built);
    if (!*is_built) {
        range_index_close(self);
    }
    arena_rewind(scratch, mark);
    return status;
}

void range_index_close(range_index *self) {
    if (self->memory.data != NULL) {
        directory_close(&self->memory);
    }
    if (self->second_memory.data != NULL) {
        directory_close(&self->second_memory);
    }
    *self = (range_index){0};
}

// ---- Looking up --------------------------------------------------------------------------------

// places[k] becomes the first entry whose number is at least firsts[k].low: all searches go on step
// by step together, so that what they wait for is on its way at the same time.
static void find_all(const range_index *self, const range_bounds *firsts, uint32_t count,
                     uint64_t *places) {
    const sort_entry *entries = self->entries;
    for (uint32_t k = 0; k < count; k++) {
        places[k] = 0;
    }
    uint64_t left = self->count;
    while (left > 1) {
        const uint64_t half = left / 2;
        for (uint32_t k = 0; k < count; k++) {
            const bool is_below = entries[places[k] + half - 1].prefix < firsts[k].low;
            places[k] += is_below ? half : 0;
        }
        left -= half;
    }
    for (uint32_t k = 0; k < count && left > 0; k++) {
        places[k] += entries[places[k]].prefix < firsts[k].low ? 1 : 0;
    }
}

// The first entry of `from` to `end` whose number is above `number`: mostly it is near.
static uint64_t find_end(const sort_entry *entries, uint64_t from, uint64_t end, uint64_t number) {
    uint64_t step = 1;
    while (step <= end - from && entries[from + step - 1].prefix <= number) {
        from += step;
        step *= 2;
    }
    uint64_t left = step < end - from ? step : end - from;
    while (left > 0) {
        const uint64_t half = left / 2;
        const bool is_within = entries[from + half].prefix <= number;
        from += is_within ? half + 1 : 0;
        left = is_within ? left - half - 1 : half;
    }
    return from;
}

static bool is_empty(const range_bounds *first, const range_cursor *at) {
    return first->low > first->high || at->second.low > at->second.high;
}

void range_index_seek(const range_index *self, const range_bounds *firsts, uint32_t count,
                      uint64_t *places, range_cursor *at) {
    find_all(self, firsts, count, places);
    for (uint32_t k = 0; k < count; k++) {
        at[k].next = places[k];
        at[k].end = is_empty(&firsts[k], &at[k])
                        ? places[k]
                        : find_end(self->entries, places[k], self->count, firsts[k].high);
    }
}

void range_index_seek_run(const range_index *self, const range_bounds *first, range_cursor *at) {
    const sort_entry *entries = self->entries;
    const uint64_t end = at->end;
    uint64_t place = at->next;
    uint64_t left = end - place;
    while (left > 1) {
        const uint64_t half = left / 2;
        place += entries[place + half - 1].prefix < first->low ? half : 0;
        left -= half;
    }
    place += left > 0 && entries[place].prefix < first->low ? 1 : 0;
    at->next = place;
    at->end = is_empty(first, at) ? place : find_end(entries, place, end, first->high);
}

static bool has_none(const range_span *span, const range_bounds *wanted) {
    return span->high < wanted->low || span->low > wanted->high;
}

// How many entries from `at` on are known to lie outside: all of the largest groups that begin
// there.
static uint64_t outside(const range_index *self, uint64_t at, const range_bounds *wanted) {
    uint64_t skipped = 0;
    for (uint32_t level = 0; level < self->level_count; level++) {
        const uint32_t bits = FANOUT_BITS * (level + 1);
        const uint64_t group = at >> bits;
        if (group << bits != at || has_none(&self->levels[level][group], wanted) == false) {
            break;
        }
        skipped = UINT64_C(1) << bits;
    }
    return skipped;
}

uint32_t range_index_next(const range_index *self, range_cursor *at, const uint8_t **rows,
                          uint32_t max) {
    uint32_t count = 0;
    uint64_t next = at->next;
    if (self->seconds == NULL) {
        const uint64_t left = at->end - next;
        count = left < max ? (uint32_t)left : max;
        for (uint32_t k = 0; k < count; k++) {
            rows[k] = self->entries[next + k].row;
            __builtin_prefetch(rows[k]);
        }
        at->next = next + count;
        return count;
    }
    for (uint32_t steps = 0; steps < STEPS_MAX && next < at->end && count < max; steps++) {
        const uint64_t skipped = outside(self, next, &at->second);
        if (skipped > 0) {
            next += skipped;
            continue;
        }
        const uint64_t second = self->seconds[next];
        rows[count] = self->entries[next].row;
        __builtin_prefetch(rows[count]);
        count += second >= at->second.low && second <= at->second.high ? 1 : 0;
        next++;
    }
    at->next = next < at->end ? next : at->end;
    return count;
}
