// Values: constant rows of the plan, or one row without columns. One task; the first worker to ask
// hands out everything.
#include "exec/operator.h"

typedef struct values_shared {
    const plan_node *node;
    atomic_bool is_taken;
} values_shared;

typedef struct values_local {
    bool is_mine; // This worker hands the rows out.
    uint64_t next;
} values_local;

static firn_status open_shared(const plan_node *node, const input_layout *input, execution *run,
                               void **shared, firn_error *err) {
    (void)input;
    values_shared *self = ARENA_NEW(&run->memory, values_shared, 1);
    if (self == NULL) {
        return ARENA_FULL(&run->memory, err);
    }
    *self = (values_shared){.node = node};
    *shared = self;
    return FIRN_OK;
}

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)shared;
    (void)worker;
    values_local *self = ARENA_NEW(memory, values_local, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (values_local){0};
    *local = self;
    return FIRN_OK;
}

static firn_status next(op_call *call, batch *output, step_answer *out, firn_error *err) {
    values_shared *shared = call->shared;
    values_local *self = call->local;
    const plan_node *node = shared->node;
    if (!op_begin_only_task(call, &shared->is_taken, &self->is_mine, out)) {
        return FIRN_OK;
    }
    const uint64_t left = node->values_.row_count - self->next;
    if (left == 0) {
        op_end_task(call, 0);
        *out = STEP_DONE;
        return FIRN_OK;
    }
    const uint32_t room = call->run->options->batch_rows;
    const uint32_t count = left < room ? (uint32_t)left : room;
    const uint32_t width = node->values_.columns.count;
    column *columns = ARENA_NEW(call->scratch, column, width + 1);
    if (columns == NULL) {
        return ARENA_FULL(call->scratch, err);
    }
    for (uint32_t i = 0; i < width; i++) {
        TRY(column_slice(call->scratch, &node->values_.columns.items[i], (uint32_t)self->next,
                         count, &columns[i], err));
    }
    *output = batch_of(columns, width, count);
    output->sequence.part = (uint32_t)(self->next / room);
    self->next += count;
    *out = STEP_NEXT;
    return FIRN_OK;
}

const operator_kind operator_values_source = {
    .name = "Values",
    .open = open_shared,
    .open_worker = open_worker,
    .next = next,
};
