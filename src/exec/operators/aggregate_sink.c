// Aggregate, where rows go in: see exec/aggregate/aggregation.h.
#include "exec/aggregate/aggregate_state.h"

static firn_status open_shared(const plan_node *node, const input_layout *input, execution *run,
                               void **shared, firn_error *err) {
    aggregate_state *self = NULL;
    const firn_status status = aggregate_state_make(node, input, run, &self, err);
    *shared = self;
    run->node_state[node->number] = self;
    return status;
}

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)worker;
    aggregate_worker *self = NULL;
    const firn_status status = aggregate_worker_open(shared, memory, &self, err);
    *local = self;
    return status;
}

static firn_status push(op_call *call, const batch *input, batch *output, step_answer *out,
                        firn_error *err) {
    (void)output;
    TRY(aggregate_worker_push(call->local, call, input, err));
    *out = aggregate_has_enough(call->local) ? STEP_DONE : STEP_NEXT;
    return FIRN_OK;
}

static firn_status merge(op_call *call, firn_error *err) {
    return aggregate_worker_merge(call->local, call, err);
}

static firn_status settle(finish_task *task, op_call *call, firn_error *err) {
    return aggregate_settle(task->shared, call->scratch, err);
}

// One task, since it needs scratch memory; the work per partition is the source's.
static firn_status finish(void *shared, finish_plan *out, firn_error *err) {
    out->tasks = ARENA_NEW(out->memory, finish_task, 1);
    if (out->tasks == NULL) {
        return ARENA_FULL(out->memory, err);
    }
    out->tasks[0] = (finish_task){.run = settle, .shared = shared};
    out->count = 1;
    return FIRN_OK;
}

static void report(const void *shared, op_report *out) {
    const aggregate_state *self = shared;
    text_append_format(out->out, "groups=%llu ",
                       (unsigned long long)atomic_load(&self->group_count));
    if (self->is_partitioned) {
        text_append_format(out->out, "partitions=%u ", self->part_count);
    }
    const uint64_t splits = atomic_load(&self->split_count);
    if (splits > 0) {
        text_append_format(out->out, "splits=%llu split_depth=%u ", (unsigned long long)splits,
                           (unsigned)atomic_load(&self->split_depth));
    }
}

static uint64_t min_bytes(const void *shared, uint32_t workers) {
    return aggregate_min_bytes(&((const aggregate_state *)shared)->shape, workers);
}

static void measure(const void *shared, node_statistics *add_to) {
    const aggregate_state *self = shared;
    if (!self->is_open) {
        return;
    }
    add_to->memory_peak += aggregate_peak_bytes(self);
    add_to->values_decoded += self->decoded_count;
    add_to->spilled_bytes += aggregate_spilled_bytes(self);
}

// States that keep a value keep it for each group: of a dictionary's texts as many as rows.
static bool writes_values(const void *shared) {
    return ((const aggregate_state *)shared)->shape.has_heap;
}

static void close_worker(void *local) {
    aggregate_worker_close(local);
}

static void close_shared(void *shared) {
    aggregate_state_close(shared);
}

const operator_kind operator_aggregate_sink = {
    .name = "Aggregate",
    .takes_forms = true,
    .writes_values = writes_values,
    .min_bytes = min_bytes,
    .open = open_shared,
    .open_worker = open_worker,
    .push = push,
    .merge = merge,
    .finish = finish,
    .report = report,
    .measure = measure,
    .close_worker = close_worker,
    .close = close_shared,
};
