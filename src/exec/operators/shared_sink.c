// A shared subplan: its rows are kept once and read by every SharedScan that mentions its slot.
#include "exec/operator.h"
#include "exec/rows/row_buffer.h"

static firn_status open_sink(const plan_node *node, const input_layout *input, execution *run,
                             void **shared, firn_error *err) {
    row_buffer *rows;
    TRY(row_buffer_open(run, node->shared_.definition, &rows, err));
    // Columns lie in the order of the definition's outputs: shared_source finds them by id.
    (void)input;
    run->shared_slots[node->shared_.slot] = rows;
    run->node_state[node->number] = rows;
    *shared = rows;
    return FIRN_OK;
}

static firn_status push(op_call *call, const batch *input, batch *output, step_answer *out,
                        firn_error *err) {
    (void)output;
    *out = STEP_NEXT;
    return row_buffer_push(call->shared, call, input, err);
}

static firn_status finish(void *shared, finish_plan *out, firn_error *err) {
    (void)out;
    return row_buffer_finish(shared, err);
}

static uint64_t min_bytes(const void *shared, uint32_t workers) {
    return row_buffer_min_bytes(shared, workers);
}

static void measure(const void *shared, node_statistics *add_to) {
    row_buffer_measure(shared, add_to);
}

static void close_sink(void *shared) {
    row_buffer_close(shared);
}

const operator_kind operator_shared_sink = {
    .name = "Shared",
    .takes_forms = true,
    .writes_values = operator_always,
    .min_bytes = min_bytes,
    .open = open_sink,
    .push = push,
    .finish = finish,
    .measure = measure,
    .close = close_sink,
};

// ---- Reading ------------------------------------------------------------------------------------

typedef struct shared_reader {
    execution *run;
    uint32_t slot;
    uint32_t width;
    uint32_t *positions; // Of the wanted columns in the buffer's batches.
    atomic_uint next;
} shared_reader;

typedef struct reader_local {
    bool is_running;
    bool is_waiting; // Took a task that may not begin yet.
    uint32_t task;
    column columns[];
} reader_local;

// The definition's columns in order, found in the plan by the slot.
static bool find_definition(void *user, plan_node **slot) {
    const plan_node **found = user;
    if ((*slot)->kind == PLAN_SHARED && (*found)->kind == PLAN_SHARED_SCAN &&
        (*slot)->shared_.slot == (*found)->shared_scan_.slot) {
        *found = *slot;
        return false;
    }
    return plan_visit_children(*slot, find_definition, user);
}

static firn_status open_source(const plan_node *node, const input_layout *input, execution *run,
                               void **shared, firn_error *err) {
    (void)input;
    const uint32_t width = node->shared_scan_.ids.count;
    shared_reader *self = ARENA_NEW(&run->memory, shared_reader, 1);
    uint32_t *positions = ARENA_NEW(&run->memory, uint32_t, width + 1);
    if (self == NULL || positions == NULL) {
        return ARENA_FULL(&run->memory, err);
    }
    const plan_node *definition = node;
    plan_node *root = run->plan->root;
    (void)find_definition(&definition, &root);
    if (definition->kind != PLAN_SHARED) {
        return FAIL(err, FIRN_INTERNAL, "a shared subplan without a definition");
    }
    plan_columns columns;
    TRY(plan_outputs(definition->shared_.definition, &run->memory, &columns, err));
    for (uint32_t i = 0; i < width; i++) {
        positions[i] = UINT32_MAX;
        for (uint32_t k = 0; k < columns.count; k++) {
            if (columns.items[k].id == node->shared_scan_.source_ids.items[i]) {
                positions[i] = k;
            }
        }
        if (positions[i] == UINT32_MAX) {
            return FAIL(err, FIRN_INTERNAL, "a shared subplan lacks a column");
        }
    }
    *self = (shared_reader){
        .run = run, .slot = node->shared_scan_.slot, .width = width, .positions = positions};
    *shared = self;
    return FIRN_OK;
}

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)worker;
    const shared_reader *owner = shared;
    reader_local *self =
        arena_alloc(memory, 1, sizeof(reader_local) + owner->width * sizeof(column));
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (reader_local){.is_running = false};
    *local = self;
    return FIRN_OK;
}

static firn_status next(op_call *call, batch *output, step_answer *out, firn_error *err) {
    shared_reader *owner = call->shared;
    reader_local *self = call->local;
    const row_buffer *rows = owner->run->shared_slots[owner->slot];
    if (rows == NULL) {
        return FAIL(err, FIRN_INTERNAL, "a shared subplan is read before it is there");
    }
    *out = STEP_NEXT;
    if (self->is_running) {
        self->is_running = false;
        op_end_task(call, self->task);
        return FIRN_OK;
    }
    if (!self->is_waiting) {
        self->task = atomic_fetch_add(&owner->next, 1);
    }
    if (self->task >= row_buffer_batches(rows)) {
        *out = STEP_DONE;
        return FIRN_OK;
    }
    self->is_waiting = !op_begin_task(call, self->task);
    if (self->is_waiting) {
        *out = STEP_WAIT;
        return FIRN_OK;
    }
    self->is_running = true;
    const uint32_t task = self->task;
    TRY(row_buffer_read(rows, task, call->scratch, output, err));
    for (uint32_t i = 0; i < owner->width; i++) {
        self->columns[i] = output->columns[owner->positions[i]];
    }
    output->columns = self->columns;
    output->column_count = owner->width;
    output->sequence = (batch_sequence){.task = task};
    return FIRN_OK;
}

const operator_kind operator_shared_source = {
    .name = "SharedScan",
    .open = open_source,
    .open_worker = open_worker,
    .next = next,
};
