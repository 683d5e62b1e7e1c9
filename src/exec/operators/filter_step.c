// Filter: the rows for which a predicate is true, as a selection; nothing is copied.
#include "exec/operators/expr_step.h"
#include "exec/row_pace.h"
#include "memory/arena_measure.h"

typedef struct filter_shared {
    expr_program *program;
    execution *run;
} filter_shared;

typedef struct filter_local {
    expr_step base; // First.
    row_pace pace;
} filter_local;

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
    filter_local *made = ARENA_NEW(memory, filter_local, 1);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    *made = (filter_local){.pace = row_pace_open(self->run)};
    *local = made;
    return expr_step_open(&made->base, self->program, self->run, memory, err);
}

// Some of the rows at a time, and of their values nothing is kept.
static firn_status filter_in_parts(filter_local *self, const batch *input, arena *scratch,
                                   batch *output, firn_error *err) {
    uint16_t *rows = ARENA_NEW(scratch, uint16_t, input->selected_count);
    if (rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    output->selection = rows;
    output->selected_count = 0;
    const arena_mark mark = arena_mark_take(scratch);
    for (uint32_t from = 0; from < input->selected_count;) {
        const uint32_t count = row_pace_rows(&self->pace, input->selected_count - from);
        batch part;
        TRY(batch_slice(scratch, input, from, count, &part, err));
        const uint16_t *found;
        uint32_t found_count;
        TRY(expr_filter(self->base.state, &part, scratch, &found, &found_count, err));
        const uint32_t first = part.sequence.first - input->sequence.first;
        for (uint32_t k = 0; k < found_count; k++) {
            rows[output->selected_count++] = (uint16_t)(first + (found == NULL ? k : found[k]));
        }
        row_pace_learn(&self->pace, count, arena_bytes_since(scratch, mark));
        arena_rewind(scratch, mark);
        from += count;
    }
    return FIRN_OK;
}

static firn_status push(op_call *call, const batch *input, batch *output, step_answer *out,
                        firn_error *err) {
    *out = STEP_NEXT;
    const batch_sequence sequence = output->sequence;
    *output = *input;
    output->sequence = sequence;
    filter_local *self = call->local;
    const uint32_t count = input->selected_count;
    if (row_pace_rows(&self->pace, count) < count) {
        return filter_in_parts(self, input, call->scratch, output, err);
    }
    const arena_mark mark = arena_mark_take(call->scratch);
    TRY(expr_filter(self->base.state, input, call->scratch, &output->selection,
                    &output->selected_count, err));
    row_pace_learn(&self->pace, count, arena_bytes_since(call->scratch, mark));
    return FIRN_OK;
}

const operator_kind operator_filter_step = {
    .name = "Filter",
    .keeps_order = true,
    .takes_forms = true,
    .open = open_shared,
    .open_worker = open_worker,
    .push = push,
    .decoded = expr_step_decoded,
    .close_worker = expr_step_close,
};
