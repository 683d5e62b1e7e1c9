// generate_series and range: numbers, or times an interval apart; a second column numbers them from
// 1 on. A task is some thousand numbers; times are one task, since each hangs on the one before.
#include <math.h>

#include "base/interval.h"
#include "exec/operator.h"
#include "expr/session_zone.h"

#define NANOS_PER_MICRO 1000.0
#define TASK_ROWS (UINT64_C(1) << 16) // As many as a batch of the result takes.
#define TASK_MAX (UINT64_C(1) << 32)  // Beyond, tasks are longer.

typedef struct series_shared {
    execution *run;
    const plan_node *node;
    bool is_time, is_instant, includes_end;
    bool is_empty; // Some argument is NULL.
    int64_t first, last, step;
    interval_value distance;
    // Of numbers:
    uint64_t last_row; // Rows are numbered from 0 on.
    uint64_t task_rows;
    atomic_uint_fast64_t next_task;
    atomic_bool is_ended;       // Of times: how many there are is known then.
    atomic_uint_least64_t made; // Rows so far; `progress` reads it from other threads.
} series_shared;

typedef struct series_local {
    bool has_number; // Of a task …
    bool is_running; // … that has begun.
    uint64_t number;
    bool is_done;     // Times: there is no next one.
    int64_t next;     // Value.
    uint64_t row_end; // Numbers: behind the task's last row, and the next row.
    uint64_t row;     // Of times too.
    uint32_t part;
} series_local;

static firn_status argument(execution *run, const plan_node *node, uint32_t index, expr **out,
                            firn_error *err) {
    return expr_fold(node->table_function_.args.items[index], run->context, &run->memory, out, err);
}

static bool is_inside(const series_shared *self, int64_t value) {
    if (value == self->last) {
        return self->includes_end;
    }
    return self->step > 0 ? value < self->last : value > self->last;
}

// How many numbers there are, and how many a task has. All differences fit into 64 bits unsigned.
WRAPS static void count_rows(series_shared *self) {
    self->is_empty = self->is_empty || !is_inside(self, self->first);
    if (self->is_empty || self->is_time) {
        return;
    }
    const uint64_t first = (uint64_t)self->first;
    const uint64_t last = (uint64_t)self->last;
    const uint64_t span = self->step > 0 ? last - first : first - last;
    const uint64_t step =
        self->step > 0 ? (uint64_t)self->step : UINT64_C(0) - (uint64_t)self->step;
    const bool lacks_end = !self->includes_end && span % step == 0;
    self->last_row = span / step - (lacks_end ? 1 : 0);
    self->task_rows = self->last_row / TASK_MAX > TASK_ROWS ? self->last_row / TASK_MAX : TASK_ROWS;
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
    if (self->step == 0) {
        const uint32_t position = self->node->table_function_.args.items[2]->position;
        return FAIL_SQL(err, FIRN_INVALID, "22023", position == UINT32_MAX ? NO_POSITION : position,
                        "the step of a series must not be zero");
    }
    count_rows(self);
    return FIRN_OK;
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
        .is_instant = node->table_function_.columns.fields[0].type->id == TYPE_TIMESTAMPTZ,
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

// ---- Rows --------------------------------------------------------------------------------------

WRAPS static uint32_t next_numbers(const series_shared *shared, series_local *self, uint32_t room,
                                   int64_t *out) {
    const uint64_t left = self->row_end - self->row;
    const uint32_t count = left < room ? (uint32_t)left : room;
    const uint64_t step = (uint64_t)shared->step;
    const uint64_t first = (uint64_t)shared->first + self->row * step;
    for (uint32_t k = 0; k < count; k++) {
        out[k] = (int64_t)(first + k * step);
    }
    self->row += count;
    return count;
}

// The series ends where the next value would leave the type. Instants step on the session's clocks.
static uint32_t next_times(const series_shared *shared, series_local *self, uint32_t room,
                           int64_t *out) {
    zone_cursor cursor = session_zone_cursor(shared->run->context);
    const interval_value step = shared->distance;
    int64_t *at = &self->next;
    uint32_t count = 0;
    while (count < room && !self->is_done && is_inside(shared, *at)) {
        out[count++] = *at;
        self->is_done =
            !(shared->is_instant ? zone_add_interval_fits(&cursor, step, *at, UNIT_MICRO, at)
                                 : interval_add_to_timestamp_fits(step, *at, UNIT_MICRO, at));
    }
    self->row += count;
    return count;
}

// The rows before `self->row`, as numbers from 1 on.
static firn_status number_rows(const series_local *self, const type *of, uint32_t count,
                               arena *scratch, column *out, firn_error *err) {
    TRY(column_new(scratch, of, count, out, err));
    int64_t *numbers = COLUMN_OUT(out, int64_t);
    const int64_t before = (int64_t)(self->row - count);
    for (uint32_t k = 0; k < count; k++) {
        numbers[k] = before + 1 + k;
    }
    return FIRN_OK;
}

// ---- Tasks -------------------------------------------------------------------------------------

static bool is_a_task(const series_shared *self, uint64_t number) {
    return !self->is_empty &&
           (self->is_time ? number == 0 : number <= self->last_row / self->task_rows);
}

// Begins a task; false: `out` is what to answer.
WRAPS static bool begin_task(op_call *call, step_answer *out) {
    series_shared *shared = call->shared;
    series_local *self = call->local;
    if (!self->has_number) {
        self->number = atomic_fetch_add(&shared->next_task, 1);
        self->has_number = true;
    }
    const bool is_there = is_a_task(shared, self->number);
    if (!is_there || !op_begin_task(call, self->number)) {
        *out = is_there ? STEP_WAIT : STEP_DONE;
        return false;
    }
    self->has_number = false;
    self->is_running = true;
    self->part = 0;
    if (!shared->is_time) {
        const uint64_t last = shared->last_row;
        self->row = self->number * shared->task_rows;
        self->row_end =
            last - self->row < shared->task_rows ? last + 1 : self->row + shared->task_rows;
    }
    return true;
}

static firn_status next(op_call *call, batch *output, step_answer *out, firn_error *err) {
    series_shared *shared = call->shared;
    series_local *self = call->local;
    if (!self->is_running && !begin_task(call, out)) {
        return FIRN_OK;
    }
    *out = STEP_NEXT;
    const uint32_t room = call->run->options->batch_rows;
    const schema *columns = &shared->node->table_function_.columns;
    column *values = ARENA_NEW(call->scratch, column, columns->count);
    if (values == NULL) {
        return ARENA_FULL(call->scratch, err);
    }
    TRY(column_new(call->scratch, columns->fields[0].type, room, values, err));
    int64_t *rows = COLUMN_OUT(values, int64_t);
    const uint32_t count = shared->is_time ? next_times(shared, self, room, rows)
                                           : next_numbers(shared, self, room, rows);
    if (count == 0) {
        atomic_store_explicit(&shared->is_ended, shared->is_time, memory_order_relaxed);
        self->is_running = false;
        op_end_task(call, self->number);
        return FIRN_OK;
    }
    atomic_fetch_add_explicit(&shared->made, count, memory_order_relaxed);
    values->length = count;
    if (columns->count > 1) {
        TRY(number_rows(self, columns->fields[1].type, count, call->scratch, &values[1], err));
    }
    *output = batch_of(values, columns->count, count);
    output->sequence = (batch_sequence){.task = self->number, .part = self->part++};
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
