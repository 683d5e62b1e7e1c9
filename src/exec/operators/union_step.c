// One input of a UNION ALL: its columns, in the order of the union's. No row is touched.
#include "exec/operator.h"

typedef struct union_shared {
    uint32_t width;
    uint32_t positions[]; // Of the union's columns in this input.
} union_shared;

static uint32_t position_of(const input_layout *input, uint32_t id) {
    for (uint32_t i = 0; i < input->count; i++) {
        if (input->ids[i] == id) {
            return i;
        }
    }
    return UINT32_MAX;
}

static firn_status open_shared(const plan_node *node, const input_layout *input, execution *run,
                               void **shared, firn_error *err) {
    const uint32_t width = node->union_.ids.count;
    union_shared *self =
        arena_alloc(&run->memory, 1, sizeof(union_shared) + width * sizeof(uint32_t));
    if (self == NULL) {
        return ARENA_FULL(&run->memory, err);
    }
    self->width = width;
    // Which input this is: the one whose columns are all here.
    for (uint32_t number = 0; number < node->union_.inputs.count; number++) {
        const uint32_t *ids = &node->union_.input_ids.items[(size_t)number * width];
        uint32_t found = 0;
        for (uint32_t i = 0; i < width; i++) {
            self->positions[i] = position_of(input, ids[i]);
            found += self->positions[i] != UINT32_MAX;
        }
        if (found == width) {
            *shared = self;
            return FIRN_OK;
        }
    }
    return FAIL(err, FIRN_INTERNAL, "an input of a union lacks its columns");
}

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)worker;
    const union_shared *self = shared;
    *local = ARENA_NEW(memory, column, self->width + 1);
    return *local == NULL ? ARENA_FULL(memory, err) : FIRN_OK;
}

static firn_status push(op_call *call, const batch *input, batch *output, step_answer *out,
                        firn_error *err) {
    (void)err;
    const union_shared *shared = call->shared;
    column *columns = call->local;
    *out = STEP_NEXT;
    for (uint32_t i = 0; i < shared->width; i++) {
        columns[i] = input->columns[shared->positions[i]];
    }
    const batch_sequence sequence = output->sequence;
    *output = *input;
    output->columns = columns;
    output->column_count = shared->width;
    output->sequence = sequence;
    return FIRN_OK;
}

const operator_kind operator_union_step = {
    .name = "Union",
    .keeps_order = true,
    .takes_forms = true,
    .open = open_shared,
    .open_worker = open_worker,
    .push = push,
};
