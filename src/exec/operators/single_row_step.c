// SingleRow: hands one row on; a second one is an error (a scalar subquery that gave two).
#include "exec/operator.h"

typedef struct single_shared {
    const plan_node *node;
    atomic_uint rows; // Of all workers.
} single_shared;

static firn_status open_shared(const plan_node *node, const input_layout *input, execution *run,
                               void **shared, firn_error *err) {
    (void)input;
    single_shared *self = ARENA_NEW(&run->memory, single_shared, 1);
    if (self == NULL) {
        return ARENA_FULL(&run->memory, err);
    }
    self->node = node;
    atomic_init(&self->rows, 0);
    *shared = self;
    return FIRN_OK;
}

static firn_status push(op_call *call, const batch *input, batch *output, step_answer *out,
                        firn_error *err) {
    single_shared *self = call->shared;
    *out = STEP_NEXT;
    const unsigned before = atomic_fetch_add(&self->rows, input->selected_count);
    if (before + input->selected_count > 1) {
        return expr_say_second_row(self->node->position, err);
    }
    *output = *input;
    return FIRN_OK;
}

const operator_kind operator_single_row_step = {
    .name = "SingleRow",
    .keeps_order = true,
    .takes_forms = true,
    .open = open_shared,
    .push = push,
};
