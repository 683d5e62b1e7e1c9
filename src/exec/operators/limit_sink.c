// LIMIT and OFFSET inside a query: the first rows in the order of the source are kept, then handed
// out. (At the root of a query the result does this without keeping anything.) Where LIMIT or
// OFFSET is a subquery's value it is a column, the same in every row: then all rows are kept, and
// the first one tells.
//
// While a task is the oldest unfinished one it is known how many rows come before each of its rows:
// what OFFSET skips is dropped, and nothing more is asked for once there are enough. Of later tasks
// as many rows are kept as could be wanted.
#include "exec/operator.h"
#include "exec/order.h"
#include "exec/rows/row_buffer.h"

// Rows of a task that ended before one that comes before it.
typedef struct ended_task {
    uint64_t task;
    uint64_t rows;
    struct ended_task *following;
} ended_task;

typedef struct limit_shared {
    execution *run;
    arena memory; // Of the list; under the lock.
    mutex lock;
    ended_task *ended GUARDED_BY(&lock);
    ended_task *spare GUARDED_BY(&lock); // For reuse.
    uint64_t before GUARDED_BY(&lock);   // Rows of all tasks before the oldest unfinished one.
    uint64_t dropped GUARDED_BY(&lock);  // Of those that OFFSET skips.
    expr_program *limit_program, *offset_program; // NULL: the number is known.
    row_buffer *rows;
    uint64_t limit, offset;
    uint64_t wanted; // limit + offset: no task needs to keep more.
    atomic_bool is_taken;
} limit_shared;

typedef struct limit_local {
    uint64_t task;
    uint64_t rows; // Of the task so far.
} limit_local;

static uint64_t number_of(const expr *value, uint64_t otherwise) {
    if (value == NULL || value->kind != EXPR_LITERAL || value->literal_.value.is_null) {
        return otherwise;
    }
    return (uint64_t)*COLUMN_VALUES(value->literal_.value.value, int64_t);
}

static firn_status compile_number(const expr *value, const input_layout *input, execution *run,
                                  expr_program **out, firn_error *err) {
    *out = NULL;
    if (value == NULL || value->kind == EXPR_LITERAL) {
        return FIRN_OK;
    }
    return expr_compile(&value, 1, input, &run->memory, out, err);
}

static firn_status open_sink(const plan_node *node, const input_layout *input, execution *run,
                             void **shared, firn_error *err) {
    limit_shared *self = ARENA_NEW(&run->memory, limit_shared, 1);
    if (self == NULL) {
        return ARENA_FULL(&run->memory, err);
    }
    *self = (limit_shared){.run = run,
                           .memory = execution_arena(run, SIZE_MAX),
                           .limit = number_of(node->limit_.limit, UINT64_MAX),
                           .offset = number_of(node->limit_.offset, 0)};
    if (__builtin_add_overflow(self->limit, self->offset, &self->wanted)) {
        self->wanted = UINT64_MAX;
    }
    mutex_begin(&self->lock, MUTEX_OPERATOR);
    run->node_state[node->number] = self;
    *shared = self;
    TRY(compile_number(node->limit_.limit, input, run, &self->limit_program, err));
    TRY(compile_number(node->limit_.offset, input, run, &self->offset_program, err));
    if (self->limit_program != NULL || self->offset_program != NULL) {
        self->wanted = UINT64_MAX;
    }
    return row_buffer_open(run, node->limit_.input, &self->rows, err);
}

static void close_sink(void *shared) {
    limit_shared *self = shared;
    if (self != NULL) {
        row_buffer_close(self->rows);
        arena_close(&self->memory);
        mutex_end(&self->lock);
    }
}

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)shared;
    (void)worker;
    limit_local *self = ARENA_NEW(memory, limit_local, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (limit_local){.task = UINT64_MAX};
    *local = self;
    return FIRN_OK;
}

// Adds up what comes before the oldest unfinished task.
static void settle_ended(limit_shared *self, uint64_t oldest) REQUIRES(&self->lock) {
    for (ended_task **place = &self->ended; *place != NULL;) {
        ended_task *each = *place;
        if (each->task < oldest) {
            self->before += each->rows;
            *place = each->following;
            each->following = self->spare;
            self->spare = each;
        } else {
            place = &each->following;
        }
    }
}

// Rows of a batch that are kept: those from `from` on, `count` of them.
typedef struct kept_rows {
    uint32_t from;
    uint32_t count;
    bool is_enough; // No row behind them is wanted.
} kept_rows;

static uint32_t at_most(uint64_t number, uint32_t most) {
    return number < most ? (uint32_t)number : most;
}

// Which of the next rows of a task are kept. Without a gate the order is free: rows come before
// those that are claimed later.
static kept_rows claim(limit_shared *self, limit_local *local, order_gate *order, uint32_t count) {
    const uint64_t oldest = order == NULL ? 0 : order_gate_watermark(order);
    mutex_lock(&self->lock);
    settle_ended(self, oldest);
    const bool is_known = order == NULL || local->task <= oldest;
    const uint64_t place = order == NULL ? self->before : self->before + local->rows;
    kept_rows out = {0};
    const bool is_fixed = self->limit_program == NULL && self->offset_program == NULL;
    if (is_known && is_fixed && place < self->offset) {
        out.from = at_most(self->offset - place, count);
    }
    const uint64_t left = place < self->wanted ? self->wanted - place : 0;
    out.count = at_most(left, count) - out.from; // Nothing is wanted before OFFSET ends.
    out.is_enough = is_known && left <= count;
    self->dropped += out.from;
    self->before += order == NULL ? count : 0;
    mutex_unlock(&self->lock);
    local->rows += count;
    return out;
}

static firn_status push(op_call *call, const batch *input, batch *output, step_answer *out,
                        firn_error *err) {
    (void)output;
    limit_shared *shared = call->shared;
    limit_local *self = call->local;
    *out = STEP_NEXT;
    if (self->task != input->sequence.task) {
        self->task = input->sequence.task;
        self->rows = 0;
    }
    const kept_rows kept = claim(shared, self, call->order, input->selected_count);
    *out = kept.is_enough ? STEP_DONE : STEP_NEXT;
    if (kept.count == 0) {
        return FIRN_OK;
    }
    batch rows;
    TRY(batch_part(call->scratch, input, kept.from, kept.count, &rows, err));
    return row_buffer_push(shared->rows, call, &rows, err);
}

static firn_status end_task(op_call *call, uint64_t task, firn_error *err) {
    limit_shared *shared = call->shared;
    const limit_local *self = call->local;
    if (self->task != task || self->rows == 0) {
        return FIRN_OK;
    }
    mutex_lock(&shared->lock);
    ended_task *made = shared->spare;
    if (made != NULL) {
        shared->spare = made->following;
    } else {
        made = ARENA_NEW(&shared->memory, ended_task, 1);
    }
    if (made != NULL) {
        *made = (ended_task){.task = task, .rows = self->rows, .following = shared->ended};
        shared->ended = made;
    }
    mutex_unlock(&shared->lock);
    return made == NULL ? ARENA_FULL(&shared->memory, err) : FIRN_OK;
}

// The number that a program makes of the first row.
static firn_status read_number(const limit_shared *self, const batch *rows,
                               const expr_program *program, uint64_t otherwise, uint64_t *out,
                               arena *memory, firn_error *err) {
    expr_state *state;
    column made;
    if (program == NULL) {
        return FIRN_OK;
    }
    *out = otherwise;
    TRY(expr_open(program, self->run->context, &self->run->dynamic, memory, &state, err));
    const firn_status status = expr_run(state, rows, memory, &made, err);
    expr_close(state);
    if (status != FIRN_OK || !column_is_valid(&made, 0)) {
        return status;
    }
    const int64_t number = COLUMN_VALUES(&made, int64_t)[column_lane(&made, 0)];
    *out = (uint64_t)number;
    return number >= 0 ? FIRN_OK
                       : FAIL_SQL(err, FIRN_INVALID, "2201W", NO_POSITION,
                                  "LIMIT and OFFSET must not be negative");
}

static firn_status finish(void *shared, finish_plan *out, firn_error *err) {
    limit_shared *self = shared;
    TRY(row_buffer_finish(self->rows, err));
    mutex_lock(&self->lock);
    const uint64_t dropped = self->dropped;
    mutex_unlock(&self->lock);
    self->offset -= dropped;
    if (row_buffer_batches(self->rows) == 0) {
        return FIRN_OK;
    }
    batch first;
    arena *memory = out->memory;
    TRY(row_buffer_read(self->rows, 0, memory, &first, err));
    TRY(read_number(self, &first, self->limit_program, UINT64_MAX, &self->limit, memory, err));
    return read_number(self, &first, self->offset_program, 0, &self->offset, memory, err);
}

static uint64_t min_bytes(const void *shared, uint32_t workers) {
    return row_buffer_min_bytes(((const limit_shared *)shared)->rows, workers);
}

static void measure(const void *shared, node_statistics *add_to) {
    row_buffer_measure(((const limit_shared *)shared)->rows, add_to);
}

const operator_kind operator_limit_sink = {
    .name = "Limit",
    .needs_order = true,
    .takes_forms = true,
    .min_bytes = min_bytes,
    .open = open_sink,
    .open_worker = open_worker,
    .push = push,
    .end_task = end_task,
    .finish = finish,
    .measure = measure,
    .close = close_sink,
};

// ---- Reading ------------------------------------------------------------------------------------

typedef struct limit_reader {
    bool is_mine; // One worker hands everything out.
    uint32_t next;
    uint64_t skipped, given;
} limit_reader;

static firn_status open_reader(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)shared;
    (void)worker;
    limit_reader *self = ARENA_NEW(memory, limit_reader, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (limit_reader){0};
    *local = self;
    return FIRN_OK;
}

// The part of a batch behind OFFSET and before LIMIT.
static firn_status cut(const limit_shared *shared, limit_reader *self, const batch *rows,
                       arena *scratch, batch *out, firn_error *err) {
    const uint64_t to_skip = shared->offset - self->skipped;
    const uint32_t from = to_skip < rows->row_count ? (uint32_t)to_skip : rows->row_count;
    const uint64_t left = shared->limit - self->given;
    const uint32_t there = rows->row_count - from;
    const uint32_t count = left < there ? (uint32_t)left : there;
    self->skipped += from;
    self->given += count;
    column *columns = ARENA_NEW(scratch, column, rows->column_count + 1);
    if (columns == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < rows->column_count; i++) {
        TRY(column_slice(scratch, &rows->columns[i], from, count, &columns[i], err));
    }
    *out = batch_of(columns, rows->column_count, count);
    out->sequence.part = self->next;
    return FIRN_OK;
}

static firn_status next(op_call *call, batch *output, step_answer *out, firn_error *err) {
    limit_shared *shared = call->shared;
    limit_reader *self = call->local;
    if (!op_begin_only_task(call, &shared->is_taken, &self->is_mine, out)) {
        return FIRN_OK;
    }
    *out = STEP_DONE;
    if (self->next == row_buffer_batches(shared->rows) || self->given == shared->limit) {
        op_end_task(call, 0);
        return FIRN_OK;
    }
    *out = STEP_NEXT;
    batch rows;
    TRY(row_buffer_read(shared->rows, self->next++, call->scratch, &rows, err));
    return cut(shared, self, &rows, call->scratch, output, err);
}

const operator_kind operator_limit_source = {
    .name = "Limit",
    .open = op_open_kept,
    .open_worker = open_reader,
    .next = next,
};
