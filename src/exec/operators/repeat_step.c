// Repeat: each row as often as an expression says (INTERSECT ALL, EXCEPT ALL). 0 or less: not at
// all.
#include "exec/operators/expr_step.h"

typedef struct repeat_shared {
    expr_program *program;
    execution *run;
} repeat_shared;

typedef struct repeat_local {
    expr_step base;   // First.
    uint32_t next;    // Which of the rows that count is being repeated.
    int64_t repeated; // How often it was handed out.
    bool is_begun;
    column times;
} repeat_local;

static firn_status open_shared(const plan_node *node, const input_layout *input, execution *run,
                               void **shared, firn_error *err) {
    repeat_shared *self = ARENA_NEW(&run->memory, repeat_shared, 1);
    if (self == NULL) {
        return ARENA_FULL(&run->memory, err);
    }
    const expr *times = node->repeat_.times;
    self->run = run;
    TRY(expr_compile(&times, 1, input, &run->memory, &self->program, err));
    *shared = self;
    return FIRN_OK;
}

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)worker;
    const repeat_shared *owner = shared;
    repeat_local *self = ARENA_NEW(memory, repeat_local, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (repeat_local){0};
    *local = self;
    return expr_step_open(&self->base, owner->program, owner->run, memory, err);
}

static firn_status push(op_call *call, const batch *input, batch *output, step_answer *out,
                        firn_error *err) {
    repeat_local *self = call->local;
    if (!self->is_begun) {
        column times;
        TRY(expr_run(self->base.state, input, call->scratch, &times, err));
        TRY(column_flatten(call->scratch, &times, &self->times, err));
        self->next = 0;
        self->repeated = 0;
        call->kept = arena_mark_take(call->scratch);
        self->is_begun = true;
    }
    const uint32_t room = call->run->options->batch_rows;
    uint32_t *rows = ARENA_NEW(call->scratch, uint32_t, room);
    column *columns = ARENA_NEW(call->scratch, column, input->column_count + 1);
    if (rows == NULL || columns == NULL) {
        return ARENA_FULL(call->scratch, err);
    }
    uint32_t count = 0;
    while (count < room && self->next < input->selected_count) {
        const uint32_t row = batch_row(input, self->next);
        const bool is_there = column_row_is_valid(&self->times, row);
        if (!is_there || self->repeated >= COLUMN_VALUES(&self->times, int64_t)[row]) {
            self->next++;
            self->repeated = 0;
            continue;
        }
        rows[count++] = row;
        self->repeated++;
    }
    for (uint32_t i = 0; i < input->column_count; i++) {
        TRY(column_take(call->scratch, &input->columns[i], rows, count, &columns[i], err));
    }
    const batch_sequence sequence = output->sequence;
    *output = batch_of(columns, input->column_count, count);
    output->sequence = sequence;
    *out = self->next < input->selected_count ? STEP_MORE : STEP_NEXT;
    self->is_begun = *out == STEP_MORE;
    return FIRN_OK;
}

const operator_kind operator_repeat_step = {
    .name = "Repeat",
    .keeps_order = true,
    .takes_forms = true,
    .open = open_shared,
    .open_worker = open_worker,
    .push = push,
    .decoded = expr_step_decoded,
    .close_worker = expr_step_close,
};
