#include "exec/join/join_runs.h"

#include "exec/join/join_state.h"

#define CHAIN_MIN 32     // Shorter chains have no runs: following them costs less than searching.
#define SAMPLE_ROWS 64   // Of which it is looked how long their chains are …
#define SAMPLE_PAGES 16  // … on about so many pages …
#define SAMPLE_STEPS 256 // … and so many steps far.
#define ROWS_AT_ONCE 256

void join_part_runs_close(join_part_runs *self) {
    range_index_close(&self->index);
    if (self->memory.data != NULL) {
        directory_close(&self->memory);
    }
    *self = (join_part_runs){0};
}

// ---- Are chains long? --------------------------------------------------------------------------

static uint64_t chain_length(const row_layout *layout, const uint8_t *row, uint64_t most) {
    uint64_t count = 0;
    while (row != NULL && count < most) {
        row = join_next(layout, row);
        count++;
    }
    return count;
}

// How many rows the chain of a row has, on average: of those that most rows are in.
static double sample_chains(const join_state *state, uint32_t number) {
    const row_layout *layout = &state->plan.right.layout;
    const row_pages *pages = &state->parts[number].rows;
    const uint32_t step = pages->page_count / SAMPLE_PAGES + 1;
    const uint32_t each = SAMPLE_ROWS / (pages->page_count / step + 1);
    uint64_t asked = 0;
    uint64_t length = 0;
    uint32_t place = 0;
    for (row_page *page = pages->first; page != NULL; page = page->next, place++) {
        uint8_t *rows[SAMPLE_ROWS];
        uint32_t at = 0;
        const uint32_t count =
            place % step == 0 ? row_page_rows(page, layout, &at, rows, each > 0 ? each : 1) : 0;
        for (uint32_t k = 0; k < count; k++) {
            const uint8_t *head = join_table_head_of(&state->table, &state->plan, number, rows[k]);
            length += chain_length(layout, head, SAMPLE_STEPS);
            asked++;
        }
    }
    return asked == 0 ? 0 : (double)length / (double)asked;
}

bool join_runs_may_pay(const join_state *state) {
    const join_plan *plan = &state->plan;
    const bool asks_once = plan->kind == JOIN_RIGHT_SEMI || plan->kind == JOIN_RIGHT_ANTI;
    const bool may_have =
        plan->split.key_count > 0 || (plan->is_first_match ? plan->residual != NULL : !asks_once);
    const bool has_chains = state->table.lookup == JOIN_LOOKUP_HASH ||
                            (state->table.lookup == JOIN_LOOKUP_DIRECT &&
                             atomic_load_explicit(&state->table.has_chains, memory_order_relaxed));
    return may_have && has_chains && state->row_count >= CHAIN_MIN && !state->decides_by_group;
}

// Every chain is followed once more; those of as many left rows are not any more.
static bool is_worth_it(const join_state *state, uint32_t number) {
    const double left_rows = state->plan.node->join_.left->row_estimate;
    const double length = sample_chains(state, number);
    return length >= CHAIN_MIN && (left_rows < 0 || left_rows * length >= (double)state->row_count);
}

// ---- Building ----------------------------------------------------------------------------------

static bool open_memory(join_state *state, join_part_runs *self, uint64_t row_count) {
    const uint64_t runs_bytes = (row_count / CHAIN_MIN + 1) * sizeof(range_run);
    const uint64_t each = sizeof(sort_entry) + 2 * sizeof(uint64_t); // Second keys and their spans.
    return pool_used(state->keeper) + runs_bytes + row_count * each <= state->budget &&
           range_index_open(&self->index, state->keeper, row_count) &&
           directory_open(state->keeper, runs_bytes, &self->memory);
}

static void add_chain(join_part_runs *self, const row_layout *layout, const uint8_t *head) {
    range_index *index = &self->index;
    const uint64_t from = index->count;
    if (chain_length(layout, head, CHAIN_MIN) < CHAIN_MIN) {
        return;
    }
    for (const uint8_t *row = head; row != NULL; row = join_next(layout, row)) {
        index->entries[index->count++].row = (uint8_t *)(uintptr_t)row;
    }
    self->runs[self->count++] = (range_run){.head = head, .from = from, .end = index->count};
}

static firn_status add_chains(join_part_runs *self, const join_state *state, uint32_t number,
                              firn_error *err) {
    const row_layout *layout = &state->plan.right.layout;
    uint8_t *rows[ROWS_AT_ONCE];
    for (row_page *page = state->parts[number].rows.first; page != NULL; page = page->next) {
        uint32_t at = 0;
        uint32_t count;
        TRY(cancel_check(&state->run->cancel, err));
        while ((count = row_page_rows(page, layout, &at, rows, ROWS_AT_ONCE)) > 0) {
            for (uint32_t k = 0; k < count; k++) {
                if (join_table_head_of(&state->table, &state->plan, number, rows[k]) == rows[k]) {
                    add_chain(self, layout, rows[k]);
                }
            }
        }
    }
    return FIRN_OK;
}

// Of which runs all rows have the keys of the first?
static firn_status compare_keys(join_part_runs *self, const join_state *state, arena *scratch,
                                firn_error *err) {
    const join_plan *plan = &state->plan;
    const uint32_t key_count = plan->right.key_count;
    const uint8_t *rows[ROWS_AT_ONCE];
    const uint8_t *heads[ROWS_AT_ONCE];
    uint16_t numbers[ROWS_AT_ONCE];
    for (uint64_t i = 0; i < self->count; i++) {
        range_run *run = &self->runs[i];
        run->is_alike = true;
        for (uint64_t from = run->from; from < run->end && run->is_alike; from += ROWS_AT_ONCE) {
            const arena_mark mark = arena_mark_take(scratch);
            const uint64_t left = run->end - from;
            const uint32_t count = left < ROWS_AT_ONCE ? (uint32_t)left : ROWS_AT_ONCE;
            column *keys = ARENA_NEW(scratch, column, (size_t)key_count + 1);
            if (keys == NULL) {
                return ARENA_FULL(scratch, err);
            }
            TRY(cancel_check(&state->run->cancel, err));
            for (uint32_t k = 0; k < count; k++) {
                rows[k] = self->index.entries[from + k].row;
                heads[k] = run->head;
                numbers[k] = (uint16_t)k;
            }
            for (uint32_t key = 0; key < key_count; key++) {
                TRY(rows_gather(&state->rows, key, rows, count, scratch, &keys[key], err));
            }
            const row_pairs pairs = {
                .store = &state->rows, .key_count = key_count, .keys = keys, .rows = heads};
            uint32_t equal;
            TRY(rows_match(&pairs, numbers, count, NULL, &equal, scratch, err));
            run->is_alike = equal == count;
            arena_rewind(scratch, mark);
        }
    }
    return FIRN_OK;
}

static firn_status order_chains(join_part_runs *self, join_state *state, bool *is_built,
                                arena *scratch, firn_error *err) {
    const join_split *split = &state->plan.split;
    range_source source = {.split = split, .store = &state->rows, .cancel = &state->run->cancel};
    firn_status status = expr_open(split->keys.program, state->run->context, &state->run->dynamic,
                                   scratch, &source.keys, err);
    if (status == FIRN_OK) {
        status = range_index_order(&self->index, &source, self->runs, self->count, scratch,
                                   is_built, err);
    }
    expr_close(source.keys);
    return status;
}

firn_status join_part_runs_build(join_state *state, uint32_t number, arena *scratch,
                                 firn_error *err) {
    join_part_runs *self = &state->parts[number].runs;
    if (!is_worth_it(state, number)) {
        return FIRN_OK;
    }
    const arena_mark mark = arena_mark_take(scratch);
    firn_status status = FIRN_OK;
    bool is_built = false;
    if (open_memory(state, self, state->parts[number].rows.row_count)) {
        self->runs = self->memory.data;
        is_built = state->plan.split.key_count == 0;
        status = add_chains(self, state, number, err);
        if (status == FIRN_OK && state->table.lookup == JOIN_LOOKUP_HASH) {
            status = compare_keys(self, state, scratch, err);
        }
        if (status == FIRN_OK && !is_built) {
            status = order_chains(self, state, &is_built, scratch, err);
        }
    }
    if (!is_built || status != FIRN_OK) {
        join_part_runs_close(self);
    }
    arena_rewind(scratch, mark);
    return status;
}

// ---- Looking up --------------------------------------------------------------------------------

static join_run *slot_of(const join_runs *self, const uint8_t *head) {
    uint64_t at = hash_u64((uintptr_t)head) & self->mask;
    while (self->slots[at].entries.head != NULL && self->slots[at].entries.head != head) {
        at = (at + 1) & self->mask;
    }
    return &self->slots[at];
}

void join_runs_gather(join_state *state) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < state->part_count; i++) {
        count += state->parts[i].runs.count;
    }
    uint64_t slots = 16;
    while (slots < count * 2) {
        slots *= 2;
    }
    if (count == 0) {
        return;
    }
    state->runs =
        (join_runs){.slots = ARENA_NEW(&state->memory, join_run, slots), .mask = slots - 1};
    if (state->runs.slots == NULL) {
        return;
    }
    memset(state->runs.slots, 0, slots * sizeof(join_run));
    for (uint32_t i = 0; i < state->part_count; i++) {
        const join_part_runs *part = &state->parts[i].runs;
        for (uint64_t k = 0; k < part->count; k++) {
            *slot_of(&state->runs, part->runs[k].head) =
                (join_run){.index = &part->index, .entries = part->runs[k]};
        }
    }
    state->table.runs = &state->runs;
    state->run_count = count;
}

const join_run *join_runs_find(const join_runs *self, const uint8_t *head) {
    const join_run *found = slot_of(self, head);
    return found->entries.head == NULL ? NULL : found;
}
