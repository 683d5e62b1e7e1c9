// Join without keys, left side: what the index of the right rows finds for each left row, or every
// left row beside every right row.
//
// Right rows come in chunks. Of a chunk and the left batch the longer one is the vector; each row
// of the other in turn stands beside it as constants, so nothing is copied, and the condition runs
// over whole vectors. Rows of either side that fail what is asked of that side alone are beside
// none; where the condition hangs on one side only, one row of the other one tells all.
#include "exec/join/nested_state.h"
#include "exec/join/range_probe.h"
#include "kernels/bits.h"

#define HELD_MAX (UINT64_C(1) << 40) // The pool is what limits it.

typedef enum nested_phase {
    NESTED_IDLE,  // No batch.
    NESTED_CHUNK, // The next right rows.
    NESTED_PAIRS, // Number `at` of the shorter side.
    NESTED_RANGE, // Pairs that the index finds.
    NESTED_LEFT,  // Left rows without a match.
} nested_phase;

typedef struct nested_probe {
    nested_state *owner;
    const join_plan *plan;
    expr_state *residual;
    expr_state *left_guard;
    expr_state *right_guard;
    range_probe range;
    nested_cursor cursor;
    arena held; // Columns of the chunk.
    nested_phase phase;
    const batch *left;
    uint16_t *selected; // Rows of the left batch that count …
    uint32_t selected_count;
    uint16_t *lanes; // … and those that still look for a match.
    uint32_t lane_count;
    uint64_t *matched;
    uint64_t *undecided;
    bool has_verdict; // No left row differs from the first one, which was …
    bool is_matched;
    bool is_undecided;
    // Chunk:
    uint8_t **rows;
    uint32_t row_count;
    uint64_t first_row;
    uint16_t *numbers; // Of the rows, from first_row on; not of chosen ones.
    uint64_t next_chosen;
    column *columns; // By row column; of those that are needed.
    bool is_right_vector;
    uint32_t at;
    uint8_t *truth;
    uint16_t *found; // Rows of the vector that match.
} nested_probe;

// Row `at` of the shorter side beside the vector.
typedef struct nested_beside {
    uint32_t length;           // Of the vector's columns.
    const uint16_t *selection; // Its rows that count.
    uint32_t count;
    uint32_t row; // Of the constant: lane of the left batch, or number in the chunk.
} nested_beside;

static firn_status open_guard(const nested_probe *self, const expr_program *guard, arena *memory,
                              expr_state **out, firn_error *err) {
    const execution *run = self->owner->run;
    return guard == NULL ? FIRN_OK
                         : expr_open(guard, run->context, &run->dynamic, memory, out, err);
}

static firn_status open_programs(nested_probe *self, arena *memory, firn_error *err) {
    const nested_state *owner = self->owner;
    const join_split *split = &owner->plan.split;
    TRY(join_plan_open_residual(&owner->plan, memory, &self->residual, err));
    TRY(open_guard(self, split->left_guard, memory, &self->left_guard, err));
    TRY(open_guard(self, split->right_guard.program, memory, &self->right_guard, err));
    return owner->has_index ? range_probe_open(&self->range, &owner->plan, &owner->index,
                                               &owner->rows, self->residual, memory, err)
                            : FIRN_OK;
}

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)worker;
    nested_state *owner = shared;
    const uint32_t asked = owner->run->options->batch_rows;
    const uint32_t most = asked > BATCH_ROWS ? asked : BATCH_ROWS;
    nested_probe *self = ARENA_NEW(memory, nested_probe, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (nested_probe){
        .owner = owner,
        .plan = &owner->plan,
        .held = execution_arena(owner->run, HELD_MAX),
        .selected = ARENA_NEW(memory, uint16_t, most),
        .lanes = ARENA_NEW(memory, uint16_t, most),
        .matched = ARENA_NEW(memory, uint64_t, BITMAP_WORDS(most)),
        .undecided = ARENA_NEW(memory, uint64_t, BITMAP_WORDS(most)),
        .rows = ARENA_NEW(memory, uint8_t *, most),
        .numbers = ARENA_NEW(memory, uint16_t, most),
        .columns = ARENA_NEW(memory, column, owner->plan.right.column_count + 1),
        .truth = ARENA_NEW(memory, uint8_t, most),
        .found = ARENA_NEW(memory, uint16_t, most),
    };
    *local = self;
    if (self->selected == NULL || self->lanes == NULL || self->matched == NULL ||
        self->undecided == NULL || self->rows == NULL || self->numbers == NULL ||
        self->columns == NULL || self->truth == NULL || self->found == NULL) {
        return ARENA_FULL(memory, err);
    }
    TRY(open_programs(self, memory, err));
    return nested_cursor_open(&self->cursor, owner, memory, err);
}

// ---- Columns -----------------------------------------------------------------------------------

// One row of a column, `length` times.
static firn_status repeat(const column *from, uint32_t row, uint32_t length, arena *scratch,
                          column *out, firn_error *err) {
    column taken;
    TRY(column_take(scratch, from, &row, 1, &taken, err));
    TRY(column_flatten(scratch, &taken, out, err));
    out->form = FORM_CONSTANT;
    out->length = length;
    return FIRN_OK;
}

static firn_status columns_of(nested_probe *self, const join_column *from, uint32_t count,
                              const nested_beside *beside, arena *scratch, column **out,
                              firn_error *err) {
    column *columns = ARENA_NEW(scratch, column, count + 1);
    if (columns == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        const column *source = from[i].is_right ? &self->columns[from[i].number]
                                                : &self->left->columns[from[i].number];
        if (from[i].is_right == self->is_right_vector) {
            columns[i] = *source;
        } else {
            TRY(repeat(source, beside->row, beside->length, scratch, &columns[i], err));
        }
    }
    *out = columns;
    return FIRN_OK;
}

// ---- Batches and chunks ------------------------------------------------------------------------

// Does the first left row tell what becomes of all?
static bool one_left_tells(const join_plan *plan) {
    return plan->is_first_match && plan->residual != NULL && !plan->reads_left &&
           plan->split.left_guard == NULL;
}

// Does the first right row?
static bool one_right_tells(const join_plan *plan) {
    return plan->is_first_match && !plan->reads_right;
}

// Which left rows are to be looked at.
static firn_status choose_lanes(nested_probe *self, arena *scratch, firn_error *err) {
    self->lane_count = self->selected_count;
    memcpy(self->lanes, self->selected, self->selected_count * sizeof *self->lanes);
    if (self->left_guard != NULL) {
        const uint16_t *passed;
        const arena_mark mark = arena_mark_take(scratch);
        const batch asked = join_selected(self->left, self->selected, self->selected_count);
        TRY(expr_filter(self->left_guard, &asked, scratch, &passed, &self->lane_count, err));
        if (passed != NULL) {
            memcpy(self->lanes, passed, self->lane_count * sizeof *self->lanes);
        }
        arena_rewind(scratch, mark);
    }
    if (one_left_tells(self->plan)) {
        self->lane_count = self->has_verdict || self->lane_count == 0 ? 0 : 1;
    }
    return FIRN_OK;
}

static firn_status begin_batch(nested_probe *self, const batch *input, arena *scratch,
                               firn_error *err) {
    self->left = input;
    self->selected_count = input->selected_count;
    self->row_count = 0;
    for (uint32_t k = 0; k < input->selected_count; k++) {
        self->selected[k] = (uint16_t)batch_row(input, k);
    }
    bits_clear(self->matched, input->row_count);
    bits_clear(self->undecided, input->row_count);
    TRY(choose_lanes(self, scratch, err));
    self->phase = NESTED_CHUNK;
    if (self->owner->has_index) {
        bool is_worth;
        TRY(range_probe_begin(&self->range, input, self->lanes, self->lane_count, scratch,
                              &is_worth, err));
        if (is_worth) {
            self->phase = NESTED_RANGE;
            return FIRN_OK;
        }
    }
    nested_cursor_seek(&self->cursor, 0, self->owner->list_count);
    self->next_chosen = 0;
    return FIRN_OK;
}

// The next right rows that are to be looked at, at most `most`; how many, 0 at the end.
static firn_status next_rows(nested_probe *self, uint32_t most, firn_error *err) {
    nested_state *owner = self->owner;
    const join_row_guarding guarding = {
        .split = &self->plan->split, .state = self->right_guard, .store = &owner->rows};
    bool has_chunk = true;
    if (owner->chosen != NULL) {
        const uint64_t left = owner->chosen_count - self->next_chosen;
        self->row_count = left < most ? (uint32_t)left : most;
        memcpy(self->rows, owner->chosen + self->next_chosen, self->row_count * sizeof *self->rows);
        self->next_chosen += self->row_count;
        return FIRN_OK;
    }
    while (has_chunk && self->row_count == 0) {
        TRY(cancel_check(&owner->run->cancel, err));
        arena_reset(&self->held);
        TRY(nested_cursor_next(&self->cursor, self->rows, most, &self->row_count, &self->first_row,
                               err));
        has_chunk = self->row_count > 0;
        TRY(join_row_guard(&guarding, self->rows, self->numbers, &self->row_count, &self->held,
                           err));
    }
    return FIRN_OK;
}

// Left rows of which nothing more can be found out go.
static void drop_lanes(nested_probe *self) {
    const join_plan *plan = self->plan;
    if (one_right_tells(plan) && self->row_count > 0) {
        self->lane_count = 0;
    }
    if (plan->is_first_match) {
        self->lane_count =
            bits_filter_rows(self->matched, false, self->lanes, self->lane_count, self->lanes);
    }
    if (plan->kind == JOIN_ANTI) {
        self->lane_count =
            bits_filter_rows(self->undecided, false, self->lanes, self->lane_count, self->lanes);
    }
}

static firn_status next_chunk(nested_probe *self, firn_error *err) {
    const join_plan *plan = self->plan;
    nested_state *owner = self->owner;
    const uint32_t most = one_right_tells(plan) ? 1 : owner->run->options->batch_rows;
    drop_lanes(self);
    self->row_count = 0;
    if (self->lane_count > 0) {
        TRY(next_rows(self, most, err));
    }
    if (self->row_count == 0) {
        self->phase = NESTED_LEFT;
        return FIRN_OK;
    }
    arena_reset(&self->held);
    for (uint32_t i = 0; i < plan->right.column_count; i++) {
        TRY(rows_gather(&owner->rows, i, (const uint8_t *const *)self->rows, self->row_count,
                        &self->held, &self->columns[i], err));
    }
    self->is_right_vector = self->row_count >= self->lane_count;
    self->at = 0;
    self->phase = NESTED_PAIRS;
    return FIRN_OK;
}

// ---- Pairs -------------------------------------------------------------------------------------

// NOT IN and its like: a pair that is not known to differ leaves its left row undecided.
static firn_status judge(nested_probe *self, const nested_beside *beside, const batch *input,
                         arena *scratch, uint32_t *found, firn_error *err) {
    uint32_t count = 0;
    memset(self->truth, JOIN_TRUE, beside->count);
    TRY(join_batch_judge(self->residual, input, self->truth, scratch, err));
    for (uint32_t k = 0; k < beside->count; k++) {
        const uint16_t row = (uint16_t)batch_row(input, k);
        if (self->truth[k] == JOIN_UNKNOWN) {
            bitmap_set(self->undecided, self->is_right_vector ? beside->row : row);
        }
        self->found[count] = row;
        count += self->truth[k] == JOIN_TRUE ? 1 : 0;
    }
    *found = count;
    return FIRN_OK;
}

// Which rows of the vector match.
static firn_status find(nested_probe *self, const nested_beside *beside, arena *scratch,
                        uint32_t *found, firn_error *err) {
    const uint16_t *selection = beside->selection;
    *found = beside->count;
    if (self->residual != NULL) {
        column *columns;
        TRY(columns_of(self, self->plan->residual_inputs, self->plan->residual_count, beside,
                       scratch, &columns, err));
        batch input = batch_of(columns, self->plan->residual_count, beside->length);
        input.selection = beside->selection;
        input.selected_count = beside->count;
        if (self->plan->null_aware) {
            return judge(self, beside, &input, scratch, found, err);
        }
        TRY(expr_filter(self->residual, &input, scratch, &selection, found, err));
    }
    for (uint32_t k = 0; k < *found; k++) {
        self->found[k] = selection == NULL ? (uint16_t)k : selection[k];
    }
    return FIRN_OK;
}

static firn_status note_left(nested_probe *self, const nested_beside *beside, uint32_t found,
                             firn_error *err) {
    const bool is_single = self->plan->kind == JOIN_SINGLE;
    for (uint32_t k = 0; k < found; k++) {
        const uint32_t lane = self->is_right_vector ? beside->row : self->found[k];
        if (is_single && bitmap_get(self->matched, lane)) {
            return expr_say_second_row(self->plan->node->position, err);
        }
        bitmap_set(self->matched, lane);
        if (self->is_right_vector && !is_single) {
            break;
        }
    }
    return FIRN_OK;
}

static bool mark_row(nested_probe *self, uint32_t row) {
    nested_state *owner = self->owner;
    return nested_mark(owner, owner->chosen == NULL ? self->first_row + self->numbers[row]
                                                    : nested_row_number(owner, self->rows[row]));
}

// Marks right rows; for RIGHT_SEMI what is left are those that nobody marked before.
static uint32_t note_right(nested_probe *self, const nested_beside *beside, uint32_t found) {
    const bool is_semi = self->plan->kind == JOIN_RIGHT_SEMI;
    if (!self->owner->keeps_marks || found == 0) {
        return found;
    }
    if (!self->is_right_vector) {
        const bool was_marked = mark_row(self, beside->row);
        return is_semi ? !was_marked : found;
    }
    uint32_t kept = 0;
    for (uint32_t k = 0; k < found; k++) {
        const bool was_marked = mark_row(self, self->found[k]);
        self->found[kept] = self->found[k];
        kept += is_semi && was_marked ? 0 : 1;
    }
    return kept;
}

static bool hands_out_pairs(const join_plan *plan) {
    return !plan->is_first_match && plan->kind != JOIN_RIGHT_ANTI;
}

static firn_status step_pairs(nested_probe *self, arena *scratch, batch *output, firn_error *err) {
    nested_beside beside;
    if (self->is_right_vector) {
        beside = (nested_beside){
            .length = self->row_count, .count = self->row_count, .row = self->lanes[self->at]};
    } else {
        beside = (nested_beside){.length = self->left->row_count,
                                 .selection = self->lanes,
                                 .count = self->lane_count,
                                 .row = self->at};
    }
    self->at++;
    if (self->at == (self->is_right_vector ? self->lane_count : self->row_count)) {
        self->phase = NESTED_CHUNK;
    }
    uint32_t found;
    const arena_mark mark = arena_mark_take(scratch);
    TRY(find(self, &beside, scratch, &found, err));
    arena_rewind(scratch, mark);
    TRY(note_left(self, &beside, found, err));
    found = note_right(self, &beside, found);
    if (found == 0 || !hands_out_pairs(self->plan)) {
        return FIRN_OK;
    }
    const batch_sequence sequence = output->sequence;
    const uint16_t *selection = self->found;
    uint32_t length = beside.length;
    if (self->plan->kind == JOIN_RIGHT_SEMI && !self->is_right_vector) { // One row, once.
        beside.row = self->at - 1;
        return join_output_right(self->plan, &self->owner->rows,
                                 (const uint8_t *const *)&self->rows[beside.row], 1, scratch,
                                 output, err);
    }
    column *columns;
    TRY(columns_of(self, self->plan->outputs, self->plan->output_count, &beside, scratch, &columns,
                   err));
    *output = batch_of(columns, self->plan->output_count, length);
    output->selection = found == length ? NULL : selection;
    output->selected_count = found;
    output->sequence = sequence;
    return FIRN_OK;
}

// ---- Pairs by the index ------------------------------------------------------------------------

// The same for pairs.
static firn_status note_pairs(nested_probe *self, firn_error *err) {
    const join_plan *plan = self->plan;
    join_pairs *pairs = &self->range.pairs;
    uint32_t kept = 0;
    for (uint32_t k = 0; k < pairs->count; k++) {
        if (plan->kind == JOIN_SINGLE && bitmap_get(self->matched, pairs->lanes[k])) {
            return expr_say_second_row(self->plan->node->position, err);
        }
        bitmap_set(self->matched, pairs->lanes[k]);
    }
    for (uint32_t k = 0; self->owner->keeps_marks && k < pairs->count; k++) {
        const bool was_marked =
            nested_mark(self->owner, nested_row_number(self->owner, pairs->rows[k]));
        pairs->lanes[kept] = pairs->lanes[k];
        pairs->rows[kept] = pairs->rows[k];
        kept += plan->kind == JOIN_RIGHT_SEMI && was_marked ? 0 : 1;
    }
    pairs->count = self->owner->keeps_marks ? kept : pairs->count;
    return FIRN_OK;
}

// Where one bound is all that is asked: a NULL on either side leaves a row that found no match
// undecided.
static void note_undecided(nested_probe *self) {
    const nested_state *owner = self->owner;
    const bool has_nulls = owner->index.count < owner->row_count;
    for (uint32_t k = 0; self->plan->null_aware && k < self->lane_count; k++) {
        if (has_nulls || self->range.bounding.is_null[k]) {
            bitmap_set(self->undecided, self->lanes[k]);
        }
    }
}

static firn_status step_range(nested_probe *self, arena *scratch, batch *output, firn_error *err) {
    const join_plan *plan = self->plan;
    const join_pairs *pairs = &self->range.pairs;
    if (plan->is_first_match) {
        self->phase = NESTED_LEFT;
        TRY(range_probe_first(&self->range, self->matched, scratch, err));
        note_undecided(self);
        return FIRN_OK;
    }
    if (range_probe_is_done(&self->range)) {
        self->phase = NESTED_LEFT;
        return FIRN_OK;
    }
    TRY(range_probe_next(&self->range, scratch, err));
    TRY(note_pairs(self, err));
    if (pairs->count == 0 || !hands_out_pairs(plan)) {
        return FIRN_OK;
    }
    if (plan->kind == JOIN_RIGHT_SEMI) {
        return join_output_right(plan, pairs->store, pairs->rows, pairs->count, scratch, output,
                                 err);
    }
    return join_output_pairs(plan, pairs, scratch, output, err);
}

// ---- Left rows ---------------------------------------------------------------------------------

// What is true of the first row is true of all.
static void spread_verdict(nested_probe *self) {
    if (!one_left_tells(self->plan) || self->selected_count == 0) {
        return;
    }
    if (!self->has_verdict) {
        self->has_verdict = true;
        self->is_matched = bitmap_get(self->matched, self->selected[0]);
        self->is_undecided = bitmap_get(self->undecided, self->selected[0]);
    }
    for (uint32_t k = 0; k < self->selected_count; k++) {
        bitmap_put(self->matched, self->selected[k], self->is_matched);
        bitmap_put(self->undecided, self->selected[k], self->is_undecided);
    }
}

static firn_status step_left(nested_probe *self, arena *scratch, batch *output, firn_error *err) {
    const join_plan *plan = self->plan;
    self->phase = NESTED_IDLE;
    spread_verdict(self);
    if (plan->is_first_match) {
        const join_decision decided = {.left = self->left,
                                       .selected = self->selected,
                                       .selected_count = self->selected_count,
                                       .matched = self->matched,
                                       .undecided = self->undecided};
        return join_output_decided(plan, &decided, scratch, output, err);
    }
    if (!plan->left_survives) {
        return FIRN_OK;
    }
    const uint32_t count = bits_filter_rows(self->matched, false, self->selected,
                                            self->selected_count, self->selected);
    const batch left = join_selected(self->left, self->selected, count);
    return count == 0 ? FIRN_OK : join_output_left(plan, &left, NULL, scratch, output, err);
}

static firn_status push(op_call *call, const batch *input, batch *output, step_answer *out,
                        firn_error *err) {
    nested_probe *self = call->local;
    if (self->owner->row_count == 0 && !self->plan->left_survives) {
        *out = STEP_DONE;
        return FIRN_OK;
    }
    if (self->phase == NESTED_IDLE) {
        TRY(begin_batch(self, input, call->scratch, err));
    }
    while (self->phase != NESTED_IDLE && output->selected_count == 0) {
        TRY(cancel_check(&call->run->cancel, err));
        if (self->phase == NESTED_CHUNK) {
            TRY(next_chunk(self, err));
        } else if (self->phase == NESTED_PAIRS) {
            TRY(step_pairs(self, call->scratch, output, err));
        } else if (self->phase == NESTED_RANGE) {
            TRY(step_range(self, call->scratch, output, err));
        } else {
            TRY(step_left(self, call->scratch, output, err));
        }
    }
    *out = self->phase == NESTED_IDLE ? STEP_NEXT : STEP_MORE;
    return FIRN_OK;
}

static uint64_t decoded(const void *local) {
    const nested_probe *self = local;
    return self->residual == NULL ? 0 : expr_values_decoded(self->residual);
}

static void close_worker(void *local) {
    nested_probe *self = local;
    if (self != NULL) {
        expr_close(self->residual);
        expr_close(self->left_guard);
        expr_close(self->right_guard);
        range_probe_close(&self->range);
        nested_cursor_close(&self->cursor);
        arena_close(&self->held);
    }
}

const operator_kind operator_nested_probe_step = {
    .name = "NestedLoopProbe",
    .keeps_order = true,
    .takes_forms = true,
    .open = op_open_kept,
    .open_worker = open_worker,
    .push = push,
    .decoded = decoded,
    .close_worker = close_worker,
};
