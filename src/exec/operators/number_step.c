// Number: rows with a number more, each another one. Numbers are given batch by batch, to whichever
// worker asks: they tell rows apart and mean nothing else.
#include "exec/operator.h"

typedef struct number_shared {
    atomic_uint_fast64_t next;
} number_shared;

static firn_status open_shared(const plan_node *node, const input_layout *input, execution *run,
                               void **shared, firn_error *err) {
    (void)node;
    (void)input;
    number_shared *self = ARENA_NEW(&run->memory, number_shared, 1);
    if (self == NULL) {
        return ARENA_FULL(&run->memory, err);
    }
    atomic_init(&self->next, 0);
    *shared = self;
    return FIRN_OK;
}

static firn_status push(op_call *call, const batch *input, batch *output, step_answer *out,
                        firn_error *err) {
    number_shared *self = call->shared;
    column *columns = ARENA_NEW(call->scratch, column, input->column_count + 1);
    if (columns == NULL) {
        return ARENA_FULL(call->scratch, err);
    }
    for (uint32_t i = 0; i < input->column_count; i++) {
        columns[i] = input->columns[i];
    }
    column *numbers = &columns[input->column_count];
    TRY(column_new(call->scratch, TYPE_OF(BIGINT), input->row_count, numbers, err));
    const uint64_t first =
        atomic_fetch_add_explicit(&self->next, input->row_count, memory_order_relaxed);
    for (uint32_t i = 0; i < input->row_count; i++) {
        COLUMN_OUT(numbers, int64_t)[i] = (int64_t)(first + i);
    }
    const batch_sequence sequence = output->sequence;
    *output = *input;
    output->columns = columns;
    output->column_count = input->column_count + 1;
    output->sequence = sequence;
    *out = STEP_NEXT;
    return FIRN_OK;
}

const operator_kind operator_number_step = {
    .name = "Number",
    .keeps_order = true,
    .takes_forms = true,
    .open = open_shared,
    .push = push,
};
