// One input of a UNION ALL: its columns, in the order of the union's. No row is touched.
#include "exec/operator.h"

typedef struct union_shared {
    uint32_t width;
    uint32_t positions[]; // Of the union's columns in this input.
} union_shared;

// Are all columns of input `number` here?
static bool is_input(union_shared *self, const plan_node *node, uint32_t number,
                     const input_layout *input) {
    const uint32_t *ids = &node->union_.input_ids.items[(size_t)number * self->width];
    bool is_found = true;
    for (uint32_t i = 0; i < self->width && is_found; i++) {
        self->positions[i] = input_layout_find(input, ids[i]);
        is_found = self->positions[i] != NO_PLACE;
    }
    return is_found;
}

// How many inputs are open: they are opened in order, so the next one is likely that of its number.
static firn_status opened_of(const plan_node *node, execution *run, uint32_t **out,
                             firn_error *err) {
    *out = run->node_state[node->number];
    if (*out == NULL) {
        *out = ARENA_NEW(&run->memory, uint32_t, 1);
        if (*out == NULL) {
            return ARENA_FULL(&run->memory, err);
        }
        **out = 0;
        run->node_state[node->number] = *out;
    }
    return FIRN_OK;
}

static firn_status open_shared(const plan_node *node, const input_layout *input, execution *run,
                               void **shared, firn_error *err) {
    const uint32_t width = node->union_.ids.count;
    const uint32_t count = node->union_.inputs.count;
    union_shared *self =
        arena_alloc(&run->memory, 1, sizeof(union_shared) + width * sizeof(uint32_t));
    if (self == NULL) {
        return ARENA_FULL(&run->memory, err);
    }
    uint32_t *opened;
    TRY(opened_of(node, run, &opened, err));
    self->width = width;
    const uint32_t first = (*opened)++;
    for (uint32_t i = 0; i < count; i++) {
        if (is_input(self, node, (first + i) % count, input)) {
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
