#include "exec/join/join_probe.h"

#include <assert.h>

#include "kernels/bits.h"

// ---- Opening -----------------------------------------------------------------------------------

static firn_status open_groups(join_probe *self, uint32_t most, arena *memory, firn_error *err) {
    const uint32_t key_count = self->plan->right.key_count;
    self->group_columns = ARENA_NEW(memory, uint32_t, key_count + 1);
    self->group_keys = ARENA_NEW(memory, column, key_count + 1);
    self->rest = ARENA_NEW(memory, uint16_t, most);
    self->truth = ARENA_NEW(memory, uint8_t, most);
    self->is_open = ARENA_NEW(memory, bool, most);
    self->row_hashes = ARENA_NEW(memory, uint64_t, most);
    if (self->group_columns == NULL || self->group_keys == NULL || self->rest == NULL ||
        self->truth == NULL || self->is_open == NULL || self->row_hashes == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < key_count; i++) {
        if (self->plan->null_equal[i]) {
            self->group_columns[self->group_count++] = i;
        }
    }
    return FIRN_OK;
}

firn_status join_probe_open(join_probe *self, join_state *state, const join_table *table,
                            arena *memory, firn_error *err) {
    const uint32_t asked = state->run->options->batch_rows;
    const uint32_t most = asked > BATCH_ROWS ? asked : BATCH_ROWS;
    const size_t words = BITMAP_WORDS(most);
    *self = (join_probe){
        .state = state,
        .plan = &state->plan,
        .table = table,
        .is_last = true,
        .is_done = true,
        .codes = join_codes_open(state, table, memory),
        .runs = join_run_probe_open(&state->plan, most, memory),
        .pair_max = asked,
        .selected = ARENA_NEW(memory, uint16_t, most),
        .lanes = ARENA_NEW(memory, uint16_t, most),
        .hashes = ARENA_NEW(memory, uint64_t, most),
        .heads = ARENA_NEW(memory, const uint8_t *, most),
        .matched = ARENA_NEW(memory, uint64_t, words),
        .undecided = ARENA_NEW(memory, uint64_t, words),
        .pairs = {.store = &state->rows,
                  .lanes = ARENA_NEW(memory, uint16_t, most),
                  .rows = ARENA_NEW(memory, const uint8_t *, most)},
        .numbers = ARENA_NEW(memory, uint16_t, most),
        .values = ARENA_NEW(memory, int64_t, most),
    };
    if (self->selected == NULL || self->lanes == NULL || self->hashes == NULL ||
        self->heads == NULL || self->matched == NULL || self->undecided == NULL ||
        self->pairs.lanes == NULL || self->pairs.rows == NULL || self->numbers == NULL ||
        self->values == NULL) {
        return ARENA_FULL(memory, err);
    }
    if (state->decides_by_group) {
        TRY(open_groups(self, most, memory, err));
    }
    return join_plan_open_residual(self->plan, memory, &self->residual, err);
}

void join_probe_close(join_probe *self) {
    join_run_probe_close(&self->runs);
    expr_close(self->residual);
    self->residual = NULL;
}

// ---- A batch begins ----------------------------------------------------------------------------

static void keep_lane(join_probe *self, uint32_t k, uint32_t to) {
    self->lanes[to] = self->lanes[k];
    self->hashes[to] = self->hashes[k];
    self->heads[to] = self->heads[k];
    if (self->has_runs) {
        join_run_probe_move(&self->runs, k, to);
    }
}

// Rows without a chain go.
static void keep_found(join_probe *self) {
    uint32_t kept = 0;
    for (uint32_t k = 0; k < self->count; k++) {
        keep_lane(self, k, kept);
        kept += self->heads[k] != NULL ? 1 : 0;
    }
    self->count = kept;
}

static void find_heads(join_probe *self) {
    const join_table *table = self->table;
    if (table->lookup == JOIN_LOOKUP_HASH) {
        join_table_heads(table, self->hashes, self->count, self->heads);
    } else {
        join_key_values(&self->keys[0], self->lanes, self->count, self->values);
        if (table->lookup == JOIN_LOOKUP_BITMAP) {
            join_table_bits(table, self->values, self->lanes, self->count, self->matched);
            self->count = 0;
            return;
        }
        join_table_heads_direct(table, self->values, self->count, self->heads);
    }
    keep_found(self);
}

// All rows of a chain have one key: is it that of the left row?
static firn_status compare_heads(join_probe *self, arena *scratch, firn_error *err) {
    const row_pairs pairs = {.store = self->pairs.store,
                             .key_count = self->plan->right.key_count,
                             .keys = self->keys,
                             .null_equal = self->plan->null_equal,
                             .rows = self->heads,
                             .lanes = self->lanes};
    for (uint32_t k = 0; k < self->count; k++) {
        self->numbers[k] = (uint16_t)k;
    }
    TRY(rows_match(&pairs, self->numbers, self->count, NULL, &self->count, scratch, err));
    for (uint32_t k = 0; k < self->count; k++) {
        keep_lane(self, self->numbers[k], k);
    }
    self->is_exact = true;
    return FIRN_OK;
}

// Those whose rows lie side by side.
static firn_status find_runs(join_probe *self, arena *scratch, firn_error *err) {
    const join_runs *runs = self->table->runs;
    if (runs == NULL || self->count == 0) {
        return FIRN_OK;
    }
    const batch looking = join_selected(self->left, self->lanes, self->count);
    TRY(join_run_probe_begin(&self->runs, runs, &looking, self->heads, &self->has_runs, scratch,
                             err));
    keep_found(self);
    return self->has_runs && self->runs.is_alike && !self->is_exact
               ? compare_heads(self, scratch, err)
               : FIRN_OK;
}

// In the last stages no row matches any more; ANTI drops what is undecided.
static bool is_decided(const join_probe *self, uint16_t lane) {
    const bool wants_match = self->stage == JOIN_STAGE_EXACT && self->plan->kind != JOIN_ANTI;
    return bitmap_get(self->matched, lane) || (!wants_match && bitmap_get(self->undecided, lane));
}

static void begin_stage(join_probe *self, join_stage stage) {
    self->stage = stage;
    self->count = 0;
    if (stage == JOIN_STAGE_OPEN_RIGHT && self->state->null_count == 0) {
        return;
    }
    for (uint32_t k = 0; k < self->selected_count; k++) {
        const uint16_t lane = self->selected[k];
        const uint64_t hash = self->row_hashes[lane];
        const bool looks = self->is_open[lane] == (stage == JOIN_STAGE_OPEN_LEFT);
        self->lanes[self->count] = lane;
        self->hashes[self->count] = stage == JOIN_STAGE_OPEN_RIGHT ? join_open_hash(hash) : hash;
        self->count += looks && !is_decided(self, lane) ? 1 : 0;
    }
    if (stage == JOIN_STAGE_OPEN_LEFT) {
        join_table_groups(self->table, self->hashes, self->count, self->heads);
    } else {
        join_table_heads(self->table, self->hashes, self->count, self->heads);
    }
    keep_found(self);
}

// NOT IN with one key: counters tell which rows stay undecided if they find no match.
static void mark_undecided(join_probe *self) {
    const join_state *state = self->state;
    if (!self->plan->null_aware || state->decides_by_group || state->seen_count == 0) {
        return;
    }
    const column *key = &self->keys[0];
    const bool may_be_null = key->validity != NULL || key->type->id == TYPE_NULL;
    for (uint32_t k = 0; k < self->selected_count; k++) {
        const uint16_t lane = self->selected[k];
        if (state->null_count > 0 || (may_be_null && !column_is_valid(key, lane))) {
            bitmap_set(self->undecided, lane);
        }
    }
}

firn_status join_probe_begin(join_probe *self, const batch *left, const column *keys,
                             const join_lanes *rows, arena *scratch, firn_error *err) {
    const uint32_t count = rows->count;
    const join_plan *plan = self->plan;
    self->left = left;
    self->keys = keys;
    self->pairs.left = left;
    self->selected_count = count;
    self->at = 0;
    self->fetched = 0;
    self->is_fresh = true;
    self->is_done = false;
    self->has_runs = false;
    self->is_exact = self->table->lookup == JOIN_LOOKUP_DIRECT;
    self->is_unique =
        self->is_exact && !atomic_load_explicit(&self->table->has_chains, memory_order_relaxed);
    memcpy(self->selected, rows->lanes, count * sizeof *rows->lanes);
    memcpy(self->lanes, rows->lanes, count * sizeof *rows->lanes);
    if (!self->has_carry) {
        bits_clear(self->matched, left->row_count);
        bits_clear(self->undecided, left->row_count);
    }
    mark_undecided(self);
    for (uint32_t i = 0; i < self->group_count; i++) {
        self->group_keys[i] = keys[self->group_columns[i]];
    }
    self->count = self->state->decides_by_group
                      ? count
                      : join_plan_valid_keys(plan, keys, self->lanes, count);
    bool is_found = false;
    const join_lanes valid = {.lanes = self->lanes, .count = self->count};
    TRY(join_codes_find(&self->codes, keys, &valid, self->heads, &is_found, scratch, err));
    if (is_found) {
        self->is_exact = true;
        self->is_unique = true;
        keep_found(self);
        return FIRN_OK;
    }
    if (self->table->lookup == JOIN_LOOKUP_HASH) {
        if (rows->hashes != NULL && self->count == count) {
            memcpy(self->hashes, rows->hashes, count * sizeof *rows->hashes);
        } else {
            TRY(join_state_hash(self->state, keys, self->lanes, self->count, scratch, self->hashes,
                                err));
        }
    }
    if (self->state->decides_by_group) {
        for (uint32_t k = 0; k < count; k++) {
            self->row_hashes[self->lanes[k]] = self->hashes[k];
        }
        join_state_find_open(self->state, keys, self->selected, count, self->is_open);
        begin_stage(self, JOIN_STAGE_EXACT);
        return FIRN_OK;
    }
    find_heads(self);
    return find_runs(self, scratch, err);
}

// ---- Candidates --------------------------------------------------------------------------------

// Rows lie in no order: asked for this many lanes ahead, those of many lanes are on their way.
#define PREFETCH_LANES 24
#define FETCHED_ROWS_MAX 4096 // They stay in the caches of a core until they are looked at.

static const uint8_t *head_ahead(const join_probe *self, uint32_t k) {
    return self->heads[k + PREFETCH_LANES < self->count ? k + PREFETCH_LANES : k];
}

// Follows the group of lane number `k`; candidates until there are `max`.
static void follow_group(join_probe *self, uint32_t k, uint32_t max) {
    const row_layout *layout = &self->plan->right.layout;
    const uint8_t *row = self->heads[k];
    uint32_t count = self->pairs.count;
    while (row != NULL && count < max) {
        self->pairs.rows[count] = row;
        self->pairs.lanes[count] = self->lanes[k];
        count += (row_hash(row) ^ self->hashes[k]) >> JOIN_GROUP_SHIFT == 0 ? 1 : 0;
        row = join_group_next(layout, row);
    }
    self->heads[k] = row;
    self->pairs.count = count;
}

// Follows the chain of lane number `k`; candidates until there are `max`.
static void follow(join_probe *self, uint32_t k, uint32_t max) {
    const row_layout *layout = &self->plan->right.layout;
    const uint8_t *row = self->heads[k];
    uint32_t count = self->pairs.count;
    while (row != NULL && count < max) {
        self->pairs.rows[count] = row;
        self->pairs.lanes[count] = self->lanes[k];
        count += self->is_exact || row_hash(row) == self->hashes[k] ? 1 : 0;
        row = self->is_unique ? NULL : join_next(layout, row);
    }
    self->heads[k] = row;
    self->pairs.count = count;
}

// The same of joins that ask once whether a right row has a partner. Of rows that have one only
// the first of a chain is passed again and again.
static void follow_unmarked(join_probe *self, uint32_t k, uint32_t max) {
    const row_layout *layout = &self->plan->right.layout;
    const uint8_t *row = self->heads[k];
    uint32_t count = self->pairs.count;
    while (row != NULL && count < max) {
        const bool is_asked = !join_row_is_matched(layout, row) &&
                              (self->is_exact || row_hash(row) == self->hashes[k]);
        self->pairs.rows[count] = row;
        self->pairs.lanes[count] = self->lanes[k];
        count += is_asked ? 1 : 0;
        row = self->is_unique ? NULL : join_next_unmarked(layout, row);
    }
    self->heads[k] = row;
    self->pairs.count = count;
}

static bool asks_once(const join_probe *self) {
    return self->plan->kind == JOIN_RIGHT_SEMI || self->plan->kind == JOIN_RIGHT_ANTI;
}

// Candidates of lane number `k` from those of its chain that are in order, until there are `max`.
static void follow_run(join_probe *self, uint32_t k, uint32_t max) {
    const row_layout *layout = &self->plan->right.layout;
    join_pairs *pairs = &self->pairs;
    const uint32_t before = pairs->count;
    bool is_done;
    const uint8_t **rows = pairs->rows + before;
    const uint32_t found = join_run_probe_next(&self->runs, k, rows, max - before, &is_done);
    uint32_t count = found;
    if (!self->is_exact || asks_once(self)) {
        count = 0;
        for (uint32_t i = 0; i < found; i++) {
            rows[count] = rows[i];
            count += (self->is_exact || row_hash(rows[i]) == self->hashes[k]) &&
                             !(asks_once(self) && join_row_is_matched(layout, rows[i]))
                         ? 1
                         : 0;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        pairs->lanes[before + i] = self->lanes[k];
    }
    pairs->count = before + count;
    self->heads[k] = is_done ? NULL : self->heads[k];
}

static bool has_run(const join_probe *self, uint32_t k) {
    return self->has_runs && self->runs.indexes[k] != NULL;
}

static void keep_numbers(join_pairs *pairs, const uint16_t *numbers, uint32_t count) {
    for (uint32_t k = 0; k < count; k++) {
        pairs->lanes[k] = pairs->lanes[numbers[k]];
        pairs->rows[k] = pairs->rows[numbers[k]];
    }
    pairs->count = count;
}

// Candidates become pairs: the keys (of the group) are equal and, but for NOT IN by group, the
// residual is true.
static firn_status make_pairs(join_probe *self, arena *scratch, firn_error *err) {
    const join_plan *plan = self->plan;
    join_pairs *pairs = &self->pairs;
    const bool judges = self->state->decides_by_group;
    const bool by_group = judges && self->stage != JOIN_STAGE_EXACT;
    const row_pairs keys = {
        .store = pairs->store,
        .key_count = by_group ? self->group_count : plan->right.key_count,
        .key_columns = by_group ? self->group_columns : NULL,
        .keys = by_group ? self->group_keys : self->keys,
        .null_equal = by_group ? NULL : plan->null_equal,
        .rows = pairs->rows,
        .lanes = pairs->lanes,
    };
    if (!self->is_exact && pairs->count > 0 && keys.key_count > 0) {
        for (uint32_t k = 0; k < pairs->count; k++) {
            self->numbers[k] = (uint16_t)k;
        }
        uint32_t count;
        TRY(rows_match(&keys, self->numbers, pairs->count, NULL, &count, scratch, err));
        keep_numbers(pairs, self->numbers, count);
    }
    const bool is_whole = judges || (self->has_runs && self->runs.is_whole);
    return is_whole ? FIRN_OK : join_pairs_filter(plan, self->residual, pairs, scratch, err);
}

// ---- SEMI, ANTI, MARK --------------------------------------------------------------------------

// What one key says of the pairs.
static firn_status judge_key(join_probe *self, uint32_t number, arena *scratch, firn_error *err) {
    const join_pairs *pairs = &self->pairs;
    const column *key = &self->keys[number];
    const bool never_equal = false;
    const row_pairs compared = {
        .store = pairs->store,
        .key_count = 1,
        .key_columns = &number,
        .keys = key,
        .null_equal = &never_equal,
        .rows = pairs->rows,
        .lanes = pairs->lanes,
    };
    for (uint32_t k = 0; k < pairs->count; k++) {
        self->numbers[k] = (uint16_t)k;
    }
    uint32_t equal;
    TRY(rows_match(&compared, self->numbers, pairs->count, self->rest, &equal, scratch, err));
    for (uint32_t i = 0; i < pairs->count - equal; i++) {
        const uint16_t k = self->rest[i];
        const bool has_both = column_is_valid(key, pairs->lanes[k]) &&
                              row_is_valid(&self->plan->right.layout, pairs->rows[k], number);
        const uint8_t said = has_both ? JOIN_FALSE : JOIN_UNKNOWN;
        self->truth[k] = said < self->truth[k] ? said : self->truth[k];
    }
    return FIRN_OK;
}

// Of rows with the same keys, or of a group's: which are a match, and which may be one.
static firn_status decide_pairs(join_probe *self, arena *scratch, firn_error *err) {
    const join_plan *plan = self->plan;
    join_pairs *pairs = &self->pairs;
    memset(self->truth, JOIN_TRUE, pairs->count);
    for (uint32_t i = 0; i < plan->right.key_count; i++) {
        if (self->stage != JOIN_STAGE_EXACT && !plan->null_equal[i]) {
            TRY(judge_key(self, i, scratch, err));
        }
    }
    TRY(join_pairs_judge(plan, self->residual, pairs, self->truth, scratch, err));
    uint32_t kept = 0;
    for (uint32_t k = 0; k < pairs->count; k++) {
        if (self->truth[k] == JOIN_UNKNOWN) {
            bitmap_set(self->undecided, pairs->lanes[k]);
        }
        self->numbers[kept] = (uint16_t)k;
        kept += self->truth[k] == JOIN_TRUE ? 1 : 0;
    }
    keep_numbers(pairs, self->numbers, kept);
    return FIRN_OK;
}

static bool is_by_group(const join_probe *self) {
    return self->state->decides_by_group && self->stage == JOIN_STAGE_OPEN_LEFT;
}

static bool is_settled(const join_probe *self, uint16_t lane) {
    return self->state->decides_by_group ? is_decided(self, lane) : bitmap_get(self->matched, lane);
}

// Rounds over all chains at once, until each has found a match or its end.
static firn_status find_first(join_probe *self, arena *scratch, firn_error *err) {
    while (self->count > 0) {
        const arena_mark mark = arena_mark_take(scratch);
        TRY(cancel_check(&self->state->run->cancel, err));
        const uint32_t at_once = self->count < self->pair_max ? self->count : self->pair_max;
        const uint32_t each = self->pair_max / at_once;
        self->pairs.count = 0;
        for (uint32_t k = 0; k < at_once; k++) {
            __builtin_prefetch(head_ahead(self, k));
            if (is_by_group(self)) {
                follow_group(self, k, self->pairs.count + each);
            } else if (has_run(self, k)) {
                follow_run(self, k, self->pairs.count + (self->runs.is_whole ? 1 : each));
            } else {
                follow(self, k, self->pairs.count + each);
            }
        }
        TRY(make_pairs(self, scratch, err));
        if (self->state->decides_by_group && self->pairs.count > 0) {
            TRY(decide_pairs(self, scratch, err));
        }
        for (uint32_t k = 0; k < self->pairs.count; k++) {
            bitmap_set(self->matched, self->pairs.lanes[k]);
        }
        uint32_t kept = 0;
        for (uint32_t k = 0; k < self->count; k++) {
            keep_lane(self, k, kept);
            kept += self->heads[k] != NULL && !is_settled(self, self->lanes[k]) ? 1 : 0;
        }
        self->count = kept;
        arena_rewind(scratch, mark);
    }
    return FIRN_OK;
}

static firn_status next_first(join_probe *self, arena *scratch, batch *output, firn_error *err) {
    TRY(find_first(self, scratch, err));
    while (self->state->decides_by_group && self->stage + 1 < JOIN_STAGE_COUNT) {
        begin_stage(self, self->stage + 1);
        TRY(find_first(self, scratch, err));
    }
    self->is_done = true;
    if (self->plan->kind != JOIN_SEMI && !self->is_last) {
        return FIRN_OK;
    }
    const join_decision decided = {.left = self->left,
                                   .selected = self->selected,
                                   .selected_count = self->selected_count,
                                   .matched = self->matched,
                                   .undecided = self->undecided};
    return join_output_decided(self->plan, &decided, scratch, output, err);
}

// ---- All matches -------------------------------------------------------------------------------

static firn_status note_left(join_probe *self, firn_error *err) {
    const join_pairs *pairs = &self->pairs;
    if (!self->plan->left_survives) {
        return FIRN_OK;
    }
    for (uint32_t k = 0; k < pairs->count; k++) {
        if (self->plan->kind == JOIN_SINGLE && bitmap_get(self->matched, pairs->lanes[k])) {
            return expr_say_second_row(self->plan->node->position, err);
        }
        bitmap_set(self->matched, pairs->lanes[k]);
    }
    return FIRN_OK;
}

// Marks right rows; RIGHT_SEMI keeps those that nobody marked before.
static void note_right(join_probe *self) {
    join_pairs *pairs = &self->pairs;
    const row_layout *layout = &self->plan->right.layout;
    const bool is_semi = self->plan->kind == JOIN_RIGHT_SEMI;
    if (!self->plan->right_survives && !is_semi) {
        return;
    }
    uint32_t kept = 0;
    for (uint32_t k = 0; k < pairs->count; k++) {
        const bool was_marked = join_row_mark(layout, pairs->rows[k]);
        pairs->rows[kept] = pairs->rows[k];
        pairs->lanes[kept] = pairs->lanes[k];
        kept += is_semi && was_marked ? 0 : 1;
    }
    pairs->count = self->plan->kind == JOIN_RIGHT_ANTI ? 0 : kept;
}

// Does every left row stand in at most one pair, and most of them in one?
static bool is_sparse(const join_probe *self) {
    const join_pairs *pairs = &self->pairs;
    for (uint32_t k = 1; k < pairs->count; k++) {
        if (pairs->lanes[k] <= pairs->lanes[k - 1]) {
            return false;
        }
    }
    return pairs->count * 2 >= self->left->row_count;
}

// All pairs of the batch at once: left columns stay as they are.
static firn_status output_in_place(join_probe *self, arena *scratch, batch *output,
                                   firn_error *err) {
    const join_pairs *pairs = &self->pairs;
    const uint8_t **rows = ARENA_NEW(scratch, const uint8_t *, self->left->row_count);
    if (rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t lane = 0; lane < self->left->row_count; lane++) {
        rows[lane] = self->plan->right.layout.null_row;
    }
    for (uint32_t k = 0; k < pairs->count; k++) {
        rows[pairs->lanes[k]] = pairs->rows[k];
    }
    const bool has_all = self->plan->left_survives && self->is_last;
    self->is_done = true;
    const batch left = has_all ? join_selected(self->left, self->selected, self->selected_count)
                               : join_selected(self->left, pairs->lanes, pairs->count);
    return join_output_lanes(self->plan, pairs->store, &left, rows, scratch, output, err);
}

static firn_status output_matches(join_probe *self, bool is_all, arena *scratch, batch *output,
                                  firn_error *err) {
    const join_pairs *pairs = &self->pairs;
    if (self->plan->kind == JOIN_RIGHT_SEMI) {
        return join_output_right(self->plan, pairs->store, pairs->rows, pairs->count, scratch,
                                 output, err);
    }
    if (is_all && is_sparse(self) && !self->has_carry) {
        return output_in_place(self, scratch, output, err);
    }
    return join_output_pairs(self->plan, pairs, scratch, output, err);
}

static firn_status output_unmatched(join_probe *self, arena *scratch, batch *output,
                                    firn_error *err) {
    self->is_done = true;
    if (!self->plan->left_survives || !self->is_last) {
        return FIRN_OK;
    }
    const uint32_t count = bits_filter_rows(self->matched, false, self->selected,
                                            self->selected_count, self->selected);
    const batch left = join_selected(self->left, self->selected, count);
    return count == 0 ? FIRN_OK : join_output_left(self->plan, &left, NULL, scratch, output, err);
}

// The rows of a chain may lie anywhere, and each says where the next one is: those of as many
// chains as heads are on their way are fetched side by side before one chain after the other is
// followed.
static void fetch_chains(join_probe *self) {
    const row_layout *layout = &self->plan->right.layout;
    const uint32_t left = self->count - self->at;
    const uint32_t count = left < PREFETCH_LANES ? left : PREFETCH_LANES;
    uint32_t room = FETCHED_ROWS_MAX;
    const uint8_t *rows[PREFETCH_LANES];
    uint32_t active = count;
    memcpy(rows, self->heads + self->at, count * sizeof *rows);
    while (active > 1 && room > 0) {
        uint32_t kept = 0;
        for (uint32_t k = 0; k < active; k++) {
            const uint8_t *next = join_next(layout, rows[k]);
            __builtin_prefetch(next);
            rows[kept] = next;
            kept += next != NULL ? 1 : 0;
        }
        room -= active < room ? active : room;
        active = kept;
    }
    self->fetched = self->at + count;
}

// Marked rows leave the chain: is less left of it than lies between the bounds?
static bool leaves_run(join_probe *self, uint32_t k) {
    const row_layout *layout = &self->plan->right.layout;
    const range_cursor *at = &self->runs.cursors[k];
    const uint8_t *row = self->heads[k];
    for (uint64_t left = at->end - at->next; row != NULL && left > 0; left--) {
        row = join_next_unmarked(layout, row);
    }
    if (row == NULL) {
        self->runs.indexes[k] = NULL;
        self->runs.is_whole = false;
    }
    return row == NULL;
}

// Candidates from where the last ones ended.
static void collect(join_probe *self) {
    const bool is_asked_once = asks_once(self);
    join_pairs *pairs = &self->pairs;
    bool has_steps = true;
    pairs->count = 0;
    if (self->is_unique) {
        const uint32_t left = self->count - self->at;
        pairs->count = left < self->pair_max ? left : self->pair_max;
        memcpy(pairs->lanes, self->lanes + self->at, pairs->count * sizeof *pairs->lanes);
        memcpy(pairs->rows, self->heads + self->at, pairs->count * sizeof *pairs->rows);
        self->at += pairs->count;
    }
    while (self->at < self->count && pairs->count < self->pair_max && has_steps) {
        if (self->at == self->fetched && !self->has_runs) {
            fetch_chains(self);
        }
        __builtin_prefetch(head_ahead(self, self->at));
        if (has_run(self, self->at) && !(is_asked_once && leaves_run(self, self->at))) {
            const uint32_t before = pairs->count;
            follow_run(self, self->at, self->pair_max);
            has_steps = pairs->count > before || self->heads[self->at] == NULL;
        } else if (is_asked_once) {
            follow_unmarked(self, self->at, self->pair_max);
        } else {
            follow(self, self->at, self->pair_max);
        }
        self->at += self->heads[self->at] == NULL ? 1 : 0;
    }
}

static firn_status next_all(join_probe *self, arena *scratch, batch *output, firn_error *err) {
    while (self->at < self->count) {
        TRY(cancel_check(&self->state->run->cancel, err));
        const bool is_first = self->is_fresh;
        self->is_fresh = false;
        collect(self);
        const arena_mark mark = arena_mark_take(scratch);
        TRY(make_pairs(self, scratch, err));
        arena_rewind(scratch, mark);
        TRY(note_left(self, err));
        note_right(self);
        if (self->pairs.count > 0) {
            TRY(output_matches(self, is_first && self->at == self->count, scratch, output, err));
            if (!self->plan->left_survives && self->at == self->count) {
                self->is_done = true;
            }
            return FIRN_OK;
        }
    }
    return output_unmatched(self, scratch, output, err);
}

firn_status join_probe_next(join_probe *self, arena *scratch, batch *output, firn_error *err) {
    assert(!self->is_done);
    return self->plan->is_first_match ? next_first(self, scratch, output, err)
                                      : next_all(self, scratch, output, err);
}
