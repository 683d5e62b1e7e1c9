// Project: computed columns. Columns that are only handed on are not copied.
#include "exec/operators/expr_step.h"
#include "exec/row_pace.h"
#include "memory/arena_measure.h"

typedef struct project_shared {
    expr_program *program;
    uint32_t width;
    execution *run;
} project_shared;

typedef struct project_local {
    expr_step base; // First.
    row_pace pace;
    uint32_t next;    // Of the input's rows that count: the first that was not handed out yet.
    column columns[]; // Of the output; valid until the next call.
} project_local;

static firn_status open_shared(const plan_node *node, const input_layout *input, execution *run,
                               void **shared, firn_error *err) {
    project_shared *self = ARENA_NEW(&run->memory, project_shared, 1);
    if (self == NULL) {
        return ARENA_FULL(&run->memory, err);
    }
    const expr_list *values = &node->project_.values;
    *self = (project_shared){.width = values->count, .run = run};
    TRY(expr_compile((const expr *const *)values->items, values->count, input, &run->memory,
                     &self->program, err));
    *shared = self;
    return FIRN_OK;
}

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)worker;
    const project_shared *self = shared;
    project_local *made =
        arena_alloc(memory, 1, sizeof(project_local) + self->width * sizeof(column));
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    made->base.state = NULL;
    made->pace = row_pace_open(self->run);
    made->next = 0;
    *local = made;
    return expr_step_open(&made->base, self->program, self->run, memory, err);
}

static firn_status push(op_call *call, const batch *input, batch *output, step_answer *out,
                        firn_error *err) {
    const project_shared *shared = call->shared;
    project_local *self = call->local;
    const uint32_t from = self->next;
    const uint32_t count = row_pace_rows(&self->pace, input->selected_count - from);
    batch part;
    TRY(batch_slice(call->scratch, input, from, count, &part, err));
    const arena_mark mark = arena_mark_take(call->scratch);
    TRY(expr_run(self->base.state, &part, call->scratch, self->columns, err));
    row_pace_learn(&self->pace, count, arena_bytes_since(call->scratch, mark));
    self->next = from + count < input->selected_count ? from + count : 0;
    *out = self->next > 0 ? STEP_MORE : STEP_NEXT;
    *output = part;
    output->columns = self->columns;
    output->column_count = shared->width;
    return FIRN_OK;
}

const operator_kind operator_project_step = {
    .name = "Project",
    .keeps_order = true,
    .takes_forms = true,
    .open = open_shared,
    .open_worker = open_worker,
    .push = push,
    .decoded = expr_step_decoded,
    .close_worker = expr_step_close,
};
