// Filter: the rows for which a predicate is true, as a selection; nothing is copied.
#include "exec/operator.h"

typedef struct filter_shared {
    expr_program *program;
    execution *run;
} filter_shared;

static firn_status open_shared(const plan_node *node, const input_layout *input, execution *run,
                               void **shared, firn_error *err) {
    filter_shared *self = ARENA_NEW(&run->memory, filter_shared, 1);
    if (self == NULL) {
        return ARENA_FULL(&run->memory, err);
    }
    const expr *predicate = node->filter_.predicate;
    self->run = run;
    TRY(expr_compile(&predicate, 1, input, &run->memory, &self->program, err));
    *shared = self;
    return FIRN_OK;
}

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)worker;
    const filter_shared *self = shared;
    expr_state *state;
    TRY(expr_open(self->program, self->run->context, &self->run->dynamic, memory, &state, err));
    *local = state;
    return FIRN_OK;
}

static firn_status push(op_call *call, const batch *input, batch *output, step_answer *out,
                        firn_error *err) {
    *out = STEP_NEXT;
    const batch_sequence sequence = output->sequence;
    *output = *input;
    output->sequence = sequence;
    return expr_filter(call->local, input, call->scratch, &output->selection,
                       &output->selected_count, err);
}

static uint64_t decoded(const void *local) {
    return expr_values_decoded(local);
}

static void close_worker(void *local) {
    expr_close(local);
}

const operator_kind operator_filter_step = {
    .name = "Filter",
    .keeps_order = true,
    .takes_forms = true,
    .open = open_shared,
    .open_worker = open_worker,
    .push = push,
    .decoded = decoded,
    .close_worker = close_worker,
};
