// generate_series and range: numbers, or times an interval apart. One worker hands them out.
#include <math.h>

#include "base/interval.h"
#include "exec/operator.h"

#define NANOS_PER_MICRO 1000.0

typedef struct series_shared {
    execution *run;
    const plan_node *node;
    bool is_time, includes_end;
    bool is_empty; // Some argument is NULL.
    int64_t first, last, step;
    interval_value distance;
    atomic_bool is_taken;
    atomic_bool is_ended;
    atomic_uint_least64_t made; // Rows so far; `progress` reads it from other threads.
} series_shared;

typedef struct series_local {
    bool is_mine, is_done;
    int64_t next;
    uint32_t part;
} series_local;

static firn_status argument(execution *run, const plan_node *node, uint32_t index, expr **out,
                            firn_error *err) {
    return expr_fold(node->table_function_.args.items[index], run->context, &run->memory, out, err);
}

static firn_status read_arguments(series_shared *self, firn_error *err) {
    expr *args[3];
    for (uint32_t i = 0; i < 3; i++) {
        TRY(argument(self->run, self->node, i, &args[i], err));
        self->is_empty |= args[i]->literal_.value.is_null;
    }
    if (self->is_empty) {
        return FIRN_OK;
    }
    self->first = *COLUMN_VALUES(args[0]->literal_.value.value, int64_t);
    self->last = *COLUMN_VALUES(args[1]->literal_.value.value, int64_t);
    if (self->is_time) {
        self->distance = *COLUMN_VALUES(args[2]->literal_.value.value, interval_value);
        const interval_value none = {0};
        self->step = interval_compare(self->distance, none);
    } else {
        self->step = *COLUMN_VALUES(args[2]->literal_.value.value, int64_t);
    }
    return self->step == 0 ? FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                                      "the step of a series must not be zero")
                           : FIRN_OK;
}

static firn_status open_shared(const plan_node *node, const input_layout *input, execution *run,
                               void **shared, firn_error *err) {
    (void)input;
    series_shared *self = ARENA_NEW(&run->memory, series_shared, 1);
    if (self == NULL) {
        return ARENA_FULL(&run->memory, err);
    }
    *self = (series_shared){
        .run = run,
        .node = node,
        .is_time = node->table_function_.columns.fields[0].type->id != TYPE_BIGINT,
        .includes_end = text_equal(node->table_function_.function, TEXT("generate_series"))};
    *shared = self;
    return read_arguments(self, err);
}

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)worker;
    series_local *self = ARENA_NEW(memory, series_local, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (series_local){.next = ((series_shared *)shared)->first};
    *local = self;
    return FIRN_OK;
}

static bool is_inside(const series_shared *self, int64_t value) {
    if (value == self->last) {
        return self->includes_end;
    }
    return self->step > 0 ? value < self->last : value > self->last;
}

// False when the next value would leave the type: the series ends there.
static bool advance(const series_shared *self, int64_t *value) {
    if (self->is_time) {
        return interval_add_to_timestamp_fits(self->distance, *value, UNIT_MICRO, value);
    }
    return !__builtin_add_overflow(*value, self->step, value);
}

static firn_status next(op_call *call, batch *output, step_answer *out, firn_error *err) {
    series_shared *shared = call->shared;
    series_local *self = call->local;
    if (!op_begin_only_task(call, &shared->is_taken, &self->is_mine, out)) {
        return FIRN_OK;
    }
    *out = STEP_DONE;
    const uint32_t room = call->run->options->batch_rows;
    column *values = ARENA_NEW(call->scratch, column, 1);
    if (values == NULL) {
        return ARENA_FULL(call->scratch, err);
    }
    TRY(column_new(call->scratch, shared->node->table_function_.columns.fields[0].type, room,
                   values, err));
    uint32_t count = 0;
    while (count < room && !self->is_done && !shared->is_empty && is_inside(shared, self->next)) {
        COLUMN_OUT(values, int64_t)[count++] = self->next;
        self->is_done = !advance(shared, &self->next);
    }
    if (count == 0) {
        atomic_store_explicit(&shared->is_ended, true, memory_order_relaxed);
        op_end_task(call, 0);
        return FIRN_OK;
    }
    atomic_fetch_add_explicit(&shared->made, count, memory_order_relaxed);
    values->length = count;
    *output = batch_of(values, 1, count);
    output->sequence.part = self->part++;
    *out = STEP_NEXT;
    return FIRN_OK;
}

// How many rows it makes; of times about, since months differ.
static double rows_in_all(const series_shared *self) {
    const double step = self->is_time ? (double)interval_length(self->distance) / NANOS_PER_MICRO
                                      : (double)self->step;
    const double steps = self->is_empty ? -1 : ((double)self->last - (double)self->first) / step;
    return fmax(0, floor(steps) + 1);
}

static void progress(void *shared, op_progress *add_to) {
    series_shared *self = shared;
    const uint64_t made = atomic_load_explicit(&self->made, memory_order_relaxed);
    const bool is_ended = atomic_load_explicit(&self->is_ended, memory_order_relaxed);
    const double total = is_ended ? (double)made : rows_in_all(self);
    add_to->rows += made;
    add_to->ended += fmin((double)made, total);
    add_to->total = add_to->total >= 0 ? add_to->total + total : -1;
}

const operator_kind operator_series_source = {
    .name = "Series",
    .open = open_shared,
    .open_worker = open_worker,
    .next = next,
    .progress = progress,
};
