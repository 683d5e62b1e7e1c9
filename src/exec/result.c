#include "exec/result.h"

#include <assert.h>

#include "exec/pipeline.h"
#include "memory/pool.h"

#define QUEUE_PER_WORKER 2 // Batches that may wait for the reader.
#define BATCHES_SHARE 32   // Of the memory limit, for all batches that wait or are being made.
#define BATCH_BYTES_MIN (UINT64_C(64) << 10)
#define BATCH_BYTES_MAX (UINT64_C(16) << 20)
#define NO_TASK UINT64_MAX

typedef struct entry {
    struct ArrowArray rows;
    uint64_t task;
    struct entry *following;
} entry;

struct result {
    execution *run;
    arena memory; // Of the entries; under the lock.
    schema columns;
    arrow_options options;
    uint64_t limit;  // Rows still to hand out.
    uint64_t offset; // Rows still to skip.
    uint64_t wanted; // limit + offset at the start: no task needs more rows than that.
    mutex lock;
    entry *first; // In order of task; equal ones in order of arrival.
    entry *spare; // For reuse.
    uint32_t count;
    uint32_t count_max;
    uint64_t prefix_rows; // Rows queued or handed out of which nothing before can come.
    bool is_complete;     // The sink's pipeline is done.
    wakeup **waiters;     // By worker.
    order_gate *order;
};

typedef struct local {
    result *owner;
    arrow_builder *builder;
    const uint32_t *positions;
    uint64_t task;      // Of the rows in the builder.
    uint64_t task_rows; // Rows of this task so far.
    column columns[];
} local;

typedef struct sink_shared {
    result *owner;
    const uint32_t *positions; // Of the output columns in the input.
} sink_shared;

// ---- The result --------------------------------------------------------------------------------

static uint64_t number_of(const expr *value, uint64_t otherwise) {
    if (value == NULL || value->kind != EXPR_LITERAL || value->literal_.value.is_null) {
        return otherwise;
    }
    const int64_t number = *COLUMN_VALUES(value->literal_.value.value, int64_t);
    return number < 0 ? 0 : (uint64_t)number;
}

// What a batch may hold: rows can be wide, and several batches wait for the reader.
static uint64_t batch_bytes(const execution *run) {
    const uint64_t count = (uint64_t)run->worker_count * (QUEUE_PER_WORKER + 1);
    const uint64_t share = pool_limit(pool_engine(run->pool)) / BATCHES_SHARE / count;
    return share < BATCH_BYTES_MIN   ? BATCH_BYTES_MIN
           : share > BATCH_BYTES_MAX ? BATCH_BYTES_MAX
                                     : share;
}

firn_status result_open(execution *run, const schema *columns, const arrow_options *options,
                        result **out, firn_error *err) {
    result *self = ARENA_NEW(&run->memory, result, 1);
    wakeup **waiters = ARENA_NEW(&run->memory, wakeup *, run->worker_count);
    if (self == NULL || waiters == NULL) {
        return ARENA_FULL(&run->memory, err);
    }
    for (uint32_t i = 0; i < run->worker_count; i++) {
        waiters[i] = NULL;
    }
    *self = (result){.run = run,
                     .memory = execution_arena(run, SIZE_MAX),
                     .columns = *columns,
                     .options = *options,
                     .limit = UINT64_MAX,
                     .wanted = UINT64_MAX,
                     .count_max = run->worker_count * QUEUE_PER_WORKER,
                     .waiters = waiters};
    const plan_node *input = run->plan->root->output_.input;
    if (input->kind == PLAN_LIMIT && plan_limit_is_known(input)) {
        self->limit = number_of(input->limit_.limit, UINT64_MAX);
        self->offset = number_of(input->limit_.offset, 0);
        if (__builtin_add_overflow(self->limit, self->offset, &self->wanted)) {
            self->wanted = UINT64_MAX;
        }
    }
    self->options.batch_bytes = batch_bytes(run);
    self->options.cancel = &run->cancel;
    mutex_begin(&self->lock, MUTEX_OPERATOR);
    *out = self;
    return FIRN_OK;
}

void result_set_order(result *self, struct order_gate *order) {
    self->order = order;
}

void result_close(result *self) {
    if (self == NULL) {
        return;
    }
    for (entry *each = self->first; each != NULL; each = each->following) {
        each->rows.release(&each->rows);
    }
    arena_close(&self->memory);
    mutex_end(&self->lock);
}

static uint64_t watermark(const result *self) {
    return self->order == NULL ? NO_TASK : order_gate_watermark(self->order);
}

bool result_is_ready(result *self) {
    const uint64_t complete = watermark(self); // Before the lock: the gate has one of its own.
    mutex_lock(&self->lock);
    const bool is_ready = self->is_complete || self->limit == 0 ||
                          (self->first != NULL && self->first->task <= complete);
    mutex_unlock(&self->lock);
    return is_ready;
}

// Cuts what OFFSET and LIMIT take away from a batch; false when nothing is left.
static bool cut(result *self, struct ArrowArray *rows) {
    const uint64_t length = (uint64_t)rows->length;
    const uint64_t skipped = length < self->offset ? length : self->offset;
    const uint64_t left = length - skipped;
    const uint64_t taken = left < self->limit ? left : self->limit;
    self->offset -= skipped;
    if (self->limit != UINT64_MAX) {
        self->limit -= taken;
    }
    arrow_rows_cut(rows, skipped, taken);
    return taken > 0;
}

static void wake_waiters(result *self) {
    for (uint32_t i = 0; i < self->run->worker_count; i++) {
        if (self->waiters[i] != NULL) {
            wakeup_fire(self->waiters[i]);
            self->waiters[i] = NULL;
        }
    }
}

bool result_take(result *self, struct ArrowArray *out) {
    *out = (struct ArrowArray){0};
    const uint64_t complete = watermark(self);
    mutex_lock(&self->lock);
    while (self->limit > 0 && self->first != NULL && out->release == NULL &&
           (self->is_complete || self->first->task <= complete)) {
        entry *taken = self->first;
        self->first = taken->following;
        taken->following = self->spare;
        self->spare = taken;
        self->count--;
        *out = taken->rows;
        if (!cut(self, out)) {
            out->release(out);
            *out = (struct ArrowArray){0};
        }
    }
    // All that was there may have been skipped by OFFSET: that is not the end.
    const bool is_end =
        out->release == NULL && (self->limit == 0 || (self->is_complete && self->first == NULL));
    wake_waiters(self);
    mutex_unlock(&self->lock);
    return out->release != NULL || is_end;
}

// ---- The sink ----------------------------------------------------------------------------------

static firn_status sink_open(const plan_node *node, const input_layout *input, execution *run,
                             void **shared, firn_error *err) {
    const u32_list *ids = &node->output_.ids;
    sink_shared *self = ARENA_NEW(&run->memory, sink_shared, 1);
    uint32_t *positions = ARENA_NEW(&run->memory, uint32_t, ids->count + 1);
    if (self == NULL || positions == NULL) {
        return ARENA_FULL(&run->memory, err);
    }
    for (uint32_t i = 0; i < ids->count; i++) {
        positions[i] = input_layout_find(input, ids->items[i]);
        if (positions[i] == NO_PLACE) {
            return FAIL(err, FIRN_INTERNAL, "result column %u is made nowhere", ids->items[i]);
        }
    }
    *self = (sink_shared){.owner = run->result, .positions = positions};
    *shared = self;
    return FIRN_OK;
}

static firn_status sink_open_worker(void *shared, uint32_t worker, arena *memory, void **out,
                                    firn_error *err) {
    (void)worker;
    sink_shared *sink = shared;
    result *owner = sink->owner;
    local *self = arena_alloc(memory, 1, sizeof(local) + owner->columns.count * sizeof(column));
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (local){.owner = owner, .positions = sink->positions, .task = NO_TASK};
    TRY(arrow_builder_open(&owner->columns, &owner->options, owner->run->pool, &self->builder,
                           err));
    *out = self;
    return FIRN_OK;
}

static void sink_close_worker(void *state) {
    local *self = state;
    if (self != NULL) {
        arrow_builder_close(self->builder);
    }
}

// A queued batch and where it belongs: behind all of its task and of earlier ones.
static firn_status enqueue(result *self, struct ArrowArray *rows, uint64_t task, firn_error *err) {
    const uint64_t complete = watermark(self);
    mutex_lock(&self->lock);
    entry *made = self->spare;
    if (made != NULL) {
        self->spare = made->following;
    } else {
        made = ARENA_NEW(&self->memory, entry, 1);
    }
    if (made == NULL) {
        mutex_unlock(&self->lock);
        rows->release(rows);
        return ARENA_FULL(&self->memory, err);
    }
    *made = (entry){.rows = *rows, .task = task};
    entry **place = &self->first;
    while (*place != NULL && (*place)->task <= task) {
        place = &(*place)->following;
    }
    made->following = *place;
    *place = made;
    self->count++;
    if (task <= complete) {
        self->prefix_rows += (uint64_t)rows->length;
    }
    mutex_unlock(&self->lock);
    task_group_notify(self->run->group);
    return FIRN_OK;
}

// Hands the builder's rows over.
static firn_status settle(local *self, firn_error *err) {
    if (arrow_builder_rows(self->builder) == 0) {
        return FIRN_OK;
    }
    struct ArrowArray rows;
    TRY(arrow_builder_finish(self->builder, &rows, err));
    return enqueue(self->owner, &rows, self->owner->order == NULL ? 0 : self->task, err);
}

// Is there no room for a batch of this task? Then the worker is woken when the reader took one.
static bool is_queue_full(result *self, uint64_t task, op_call *call) {
    const uint64_t complete = watermark(self);
    mutex_lock(&self->lock);
    const bool is_next = self->order != NULL && task <= complete;
    const bool is_full = self->count >= (is_next ? self->count_max * 2 : self->count_max) &&
                         !(is_next && (self->first == NULL || self->first->task > task));
    if (is_full) {
        self->waiters[call->worker] = call->wakeup;
    }
    mutex_unlock(&self->lock);
    return is_full;
}

// Must this worker wait until the reader has taken something, or its own task is the next one? The
// latter may come without any batch: when the tasks before end and had no rows.
static bool must_wait(result *self, uint64_t task, op_call *call) {
    if (!is_queue_full(self, task, call)) {
        return false;
    }
    if (self->order == NULL) {
        return true;
    }
    order_gate_watch(self->order, call->wakeup);
    return is_queue_full(self, task, call); // Looks again: no end goes unnoticed.
}

// Rows of a batch that are kept: those from `from` on, `count` of them.
typedef struct kept_rows {
    uint32_t from;
    uint32_t count;
    bool is_enough; // With them all that LIMIT takes is there.
} kept_rows;

// Which rows of a batch may be among those that are handed out. Where nothing can come before them
// but what is queued and what this worker's builder holds, OFFSET skips here what it skips, and no
// more is kept than LIMIT takes.
static kept_rows claim(local *self, uint32_t count) {
    result *owner = self->owner;
    const uint64_t complete = watermark(owner);
    const uint64_t built = arrow_builder_rows(self->builder);
    uint64_t skipped = 0;
    mutex_lock(&owner->lock);
    uint64_t before = built;
    for (const entry *each = owner->first; each != NULL && each->task <= self->task;
         each = each->following) {
        before += (uint64_t)each->rows.length;
    }
    uint64_t left = owner->wanted - self->task_rows;
    if (self->task <= complete) {
        skipped = before < owner->offset ? owner->offset - before : 0;
        skipped = skipped < count ? skipped : count;
        owner->offset -= skipped;
        owner->prefix_rows += skipped;
        const uint64_t known = owner->prefix_rows + built;
        const uint64_t wanted = known < owner->wanted ? owner->wanted - known : 0;
        left = wanted < left - skipped ? wanted : left - skipped;
    }
    mutex_unlock(&owner->lock);
    const uint32_t there = count - (uint32_t)skipped;
    self->task_rows += count;
    return (kept_rows){.from = (uint32_t)skipped,
                       .count = left < there ? (uint32_t)left : there,
                       .is_enough = left <= there};
}

static firn_status sink_push(op_call *call, const batch *input, batch *output, step_answer *out,
                             firn_error *err) {
    (void)output;
    local *self = call->local;
    result *owner = self->owner;
    const uint64_t task = input->sequence.task;
    *out = STEP_NEXT;
    if (self->task != task) {
        if (owner->order != NULL) {
            TRY(settle(self, err));
        }
        self->task = task;
        self->task_rows = 0;
    }
    if (self->task_rows >= owner->wanted) {
        return FIRN_OK; // The task has given all that the limit can take of it.
    }
    if (must_wait(owner, task, call)) {
        *out = STEP_WAIT;
        return FIRN_OK;
    }
    for (uint32_t i = 0; i < owner->columns.count; i++) {
        self->columns[i] = input->columns[self->positions[i]];
    }
    const kept_rows kept = claim(self, input->selected_count);
    batch rows;
    TRY(batch_part(call->scratch, input, kept.from, kept.count, &rows, err));
    rows.columns = self->columns;
    rows.column_count = owner->columns.count;
    TRY(arrow_builder_push(self->builder, &rows, err));
    if (arrow_builder_is_full(self->builder) || kept.is_enough) {
        TRY(settle(self, err));
    }
    mutex_lock(&owner->lock);
    if (owner->prefix_rows >= owner->wanted) {
        *out = STEP_DONE;
    }
    mutex_unlock(&owner->lock);
    return FIRN_OK;
}

static firn_status sink_end_task(op_call *call, uint64_t task, firn_error *err) {
    local *self = call->local;
    return self->task == task ? settle(self, err) : FIRN_OK;
}

static firn_status sink_merge(op_call *call, firn_error *err) {
    return settle(call->local, err);
}

static firn_status sink_finish(void *shared, finish_plan *out, firn_error *err) {
    (void)out;
    (void)err;
    result *self = ((sink_shared *)shared)->owner;
    mutex_lock(&self->lock);
    self->is_complete = true;
    mutex_unlock(&self->lock);
    task_group_notify(self->run->group);
    return FIRN_OK;
}

const operator_kind operator_result_sink = {
    .name = "Result",
    .needs_order = true,
    .takes_forms = true,
    .open = sink_open,
    .open_worker = sink_open_worker,
    .push = sink_push,
    .end_task = sink_end_task,
    .merge = sink_merge,
    .finish = sink_finish,
    .close_worker = sink_close_worker,
};
