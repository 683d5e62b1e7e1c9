// Join without keys, build side: keeps the rows of the right input in one list of pages.
#include "exec/join/nested_state.h"

typedef struct nested_build {
    nested_state *owner;
    row_writer writer;
} nested_build;

static firn_status open_shared(const plan_node *node, const input_layout *input, execution *run,
                               void **shared, firn_error *err) {
    (void)input;
    nested_state *self;
    TRY(nested_state_open(node, run, &self, err));
    run->node_state[node->number] = self;
    *shared = self;
    return FIRN_OK;
}

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)worker;
    nested_state *owner = shared;
    TRY(nested_state_begin(owner, err));
    nested_build *self = ARENA_NEW(memory, nested_build, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (nested_build){.owner = owner};
    *local = self;
    TRY(row_writer_open(&owner->rows, 1, 0, memory, &self->writer, err));
    (void)row_writer_keep(&self->writer, 1);
    return FIRN_OK;
}

static firn_status push(op_call *call, const batch *input, batch *output, step_answer *out,
                        firn_error *err) {
    (void)output;
    nested_build *self = call->local;
    arena *scratch = call->scratch;
    *out = STEP_NEXT;
    column *columns;
    uint8_t **rows = ARENA_NEW(scratch, uint8_t *, input->selected_count + 1);
    if (rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    TRY(join_side_columns(&self->owner->plan.right, NULL, input, scratch, &columns, err));
    row_input in = {.columns = columns, .rows = input->selection, .count = input->selected_count};
    const row_layout *layout = &self->owner->plan.right.layout;
    while (in.next < in.count) {
        const uint32_t from = in.next;
        TRY(row_writer_append(&self->writer, &in, rows, scratch, err));
        for (uint32_t k = from; layout->extra_size > 0 && k < in.next; k++) {
            memset(row_extra(layout, rows[k]), 0, layout->extra_size); // Before they are written.
        }
    }
    return row_writer_look(&self->writer, err);
}

static firn_status merge(op_call *call, firn_error *err) {
    nested_build *self = call->local;
    return row_pages_append(&self->owner->pages, &self->writer.parts[0], err);
}

static firn_status finish(void *shared, finish_plan *out, firn_error *err) {
    return nested_state_finish(shared, out->memory, err);
}

static void report(const void *shared, op_report *out) {
    const nested_state *self = shared;
    text_append_format(out->out, " build_rows=%llu lookup=%s", (unsigned long long)self->row_count,
                       self->has_index ? "range" : "loop");
}

static uint64_t min_bytes(const void *shared, uint32_t workers) {
    return nested_state_min_bytes(shared, workers);
}

static void measure(const void *shared, node_statistics *add_to) {
    const nested_state *self = shared;
    add_to->memory_peak += self->keeper == NULL ? 0 : pool_peak(self->keeper);
    add_to->spilled_bytes += atomic_load(&self->rows.spilled_bytes);
}

static void close_worker(void *local) {
    nested_build *self = local;
    if (self != NULL) {
        row_writer_close(&self->writer);
    }
}

static void close_shared(void *shared) {
    nested_state_close(shared);
}

const operator_kind operator_nested_build_sink = {
    .name = "NestedLoopBuild",
    .takes_forms = true,
    .writes_values = operator_always,
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
