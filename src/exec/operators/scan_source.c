// Scan: takes tasks from the table's planner and lets readers run them, one a worker.
//
// The planner is asked under a lock that is never held while bytes are read: planning answers
// SCAN_WAIT instead, and whoever was told so is woken when it goes on.
#include "exec/operator.h"
#include "exec/test_modes.h"

#include "base/mutex.h"
#include "codecs/codec.h"
#include "memory/pool.h"
#include "threads/scheduler.h"

#define CODEC_BYTES_MAX ((size_t)64 << 20) // Tables and contexts of one worker's codecs.

typedef struct scan_shared {
    const plan_node *node;
    execution *run;
    table_snapshot *table;
    scan_request request;
    scan_env env; // Of readers; constant.
    mutex lock;
    scan_env planner_env; // Its wakeup is that of the worker that asks.
    scan_planner *planner;
    bool is_planned; // The planner is at its end.
    uint64_t next_number;
    scan_counters counters; // Of tasks that ended; under the lock.
    wakeup **waiters;       // Workers that wait for the planner.
} scan_shared;

typedef struct scan_local {
    scan_shared *owner;
    scan_env env;
    scan_reader *reader;
    codec_scratch codecs;
    scan_permit permit;       // To have a reader.
    const scan_task *waiting; // Taken, but too far ahead to begin.
    uint64_t number;          // Of the task that runs or waits.
    bool is_running;
    scan_counters counted; // Of the reader: what the owner has of it.
} scan_local;

static firn_status open_shared(const plan_node *node, const input_layout *input, execution *run,
                               void **shared, firn_error *err) {
    (void)input;
    scan_shared *self = ARENA_NEW(&run->memory, scan_shared, 1);
    wakeup **waiters = ARENA_NEW(&run->memory, wakeup *, run->worker_count);
    if (self == NULL || waiters == NULL) {
        return ARENA_FULL(&run->memory, err);
    }
    for (uint32_t i = 0; i < run->worker_count; i++) {
        waiters[i] = NULL;
    }
    *self = (scan_shared){
        .node = node,
        .run = run,
        .table = run->tables[node->scan_.table],
        .request = {.column_count = node->scan_.columns.count,
                    .columns = node->scan_.columns.items,
                    .output_count = node->scan_.output_count,
                    .filters = node->scan_.filters,
                    .limit = node->scan_.limit,
                    .needs_row_ids = node->scan_.needs_row_ids},
        .env = {.io = run->io,
                .cache = run->cache,
                .cache_query = run->cache_query,
                .pool = run->pool,
                .context = run->context,
                .dynamic = &run->dynamic,
                .cancel = &run->cancel,
                .batch_rows = run->options->batch_rows,
                .workers = run->worker_count},
        .waiters = waiters,
    };
    self->planner_env = self->env;
    mutex_begin(&self->lock, MUTEX_TABLE_SCAN);
    *shared = self;
    return FIRN_OK;
}

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)worker;
    scan_shared *owner = shared;
    scan_local *self = ARENA_NEW(memory, scan_local, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (scan_local){.owner = owner, .env = owner->env};
    self->codecs = codec_scratch_open_in(owner->run->pool, CODEC_BYTES_MAX);
    self->env.codecs = &self->codecs;
    self->env.reader_bytes = owner->run->reader_bytes;
    *local = self;
    return FIRN_OK;
}

static void wake_waiters(scan_shared *self) {
    for (uint32_t i = 0; i < self->run->worker_count; i++) {
        if (self->waiters[i] != NULL) {
            wakeup_fire(self->waiters[i]);
            self->waiters[i] = NULL;
        }
    }
}

// The next task of the planner, which is opened by the first worker that asks.
static firn_status take_task(scan_shared *self, op_call *call, const scan_task **task,
                             uint64_t *number, scan_answer *answer, firn_error *err) {
    firn_status status = FIRN_OK;
    const table_kind *kind = self->table->kind;
    mutex_lock(&self->lock);
    *answer = SCAN_END;
    if (!self->is_planned) {
        self->planner_env.wakeup = call->wakeup;
        if (self->planner == NULL) {
            status =
                kind->plan(self->table, &self->request, &self->planner_env, &self->planner, err);
        }
        if (status == FIRN_OK) {
            status = kind->planner_next(self->planner, task, answer, err);
        }
        if (status == FIRN_OK && *answer == SCAN_END) {
            self->is_planned = true;
        }
        if (status == FIRN_OK && *answer == SCAN_WAIT) {
            self->waiters[call->worker] = call->wakeup;
        } else {
            wake_waiters(self);
        }
        *number = self->next_number;
        self->next_number += *answer == SCAN_READY;
    }
    mutex_unlock(&self->lock);
    return status;
}

// Adds what the reader did since the last time.
static void count(scan_local *self) {
    scan_shared *owner = self->owner;
    scan_counters now = {0};
    owner->table->kind->counters(self->reader, &now);
    mutex_lock(&owner->lock);
#define X(member, words) owner->counters.member += now.member - self->counted.member;
    SCAN_COUNTER_LIST(X)
#undef X
    mutex_unlock(&owner->lock);
    self->counted = now;
}

static void close_reader(scan_local *self) {
    if (self->reader != NULL) {
        count(self);
        self->owner->table->kind->close(self->reader);
        self->reader = NULL;
        self->counted = (scan_counters){0};
    }
}

// There are no more tasks, or nobody needs their rows: pages and permit go.
static void end_reading(scan_local *self) {
    close_reader(self);
    codec_scratch_close(&self->codecs);
    scan_permits_give(&self->owner->run->permits, &self->permit);
}

// Ends the reader's current task but keeps its buffers where the kind can use them again.
static firn_status begin_reading(scan_local *self, const scan_task *task, firn_error *err) {
    scan_shared *owner = self->owner;
    const table_kind *kind = owner->table->kind;
    if (self->reader != NULL && kind->reopen != NULL) {
        return kind->reopen(self->reader, task, err);
    }
    close_reader(self);
    return kind->open(owner->table, &owner->request, task, &self->env, &self->reader, err);
}

static firn_status next(op_call *call, batch *output, step_answer *out, firn_error *err) {
    scan_local *self = call->local;
    scan_shared *owner = self->owner;
    const table_kind *kind = owner->table->kind;
    scan_answer answer = SCAN_READY;
    *out = STEP_NEXT;
    if (!self->is_running) {
        if (kind->keeps_pages &&
            !scan_permits_take(&owner->run->permits, &self->permit, call->wakeup)) {
            *out = STEP_WAIT;
            return FIRN_OK;
        }
        if (self->waiting == NULL) {
            TRY(take_task(owner, call, &self->waiting, &self->number, &answer, err));
        }
        if (answer == SCAN_END) {
            end_reading(self);
            *out = STEP_DONE;
            return FIRN_OK;
        }
        if (answer == SCAN_WAIT) {
            *out = STEP_WAIT;
            return FIRN_OK;
        }
        if (!op_begin_task(call, self->number)) {
            *out = STEP_WAIT;
            return FIRN_OK;
        }
        const scan_task *task = self->waiting;
        self->waiting = NULL;
        self->is_running = true;
        self->env.wakeup = call->wakeup;
        TRY(begin_reading(self, task, err));
    }
    firn_status status = kind->next(self->reader, call->scratch, output, &answer, err);
    if (status != FIRN_OK) {
        return status;
    }
    if (answer == SCAN_WAIT) {
        *out = STEP_WAIT;
    } else if (answer == SCAN_END) {
        *output = (batch){0};
        self->is_running = false;
        count(self);
        op_end_task(call, self->number);
    }
    output->sequence.task = self->number;
    return FIRN_OK;
}

static void close_worker(void *local) {
    scan_local *self = local;
    if (self == NULL) {
        return;
    }
    end_reading(self);
}

static scan_counters counters_of(const scan_shared *shared) {
    scan_shared *self = (scan_shared *)(uintptr_t)shared; // Only the lock is changed.
    mutex_lock(&self->lock);
    const scan_counters sum = self->counters;
    mutex_unlock(&self->lock);
    return sum;
}

static void report(const void *shared, op_report *out) {
    const scan_shared *self = shared;
    scan_counters sum = counters_of(self);
    if (self->planner != NULL) {
        self->table->kind->planner_counters(self->planner, &sum);
    }
    sum.values_decoded = 0; // Measured.
#define X(member, words)                                                                           \
    if (sum.member > 0) {                                                                          \
        text_append_format(out->out, " %s=%llu", words, (unsigned long long)sum.member);           \
    }
    SCAN_COUNTER_LIST(X)
#undef X
}

static void measure(const void *shared, node_statistics *add_to) {
    add_to->values_decoded += counters_of(shared).values_decoded;
}

static void progress(void *shared, firn_progress *add_to) {
    const scan_counters sum = counters_of(shared);
    add_to->rows += sum.rows_read;
    add_to->bytes += sum.bytes_read;
}

static void close_shared(void *shared) {
    scan_shared *self = shared;
    if (self != NULL) {
        if (self->planner != NULL) {
            self->table->kind->planner_close(self->planner);
        }
        mutex_end(&self->lock);
    }
}

const operator_kind operator_scan_source = {
    .name = "Scan",
    .open = open_shared,
    .open_worker = open_worker,
    .next = next,
    .progress = progress,
    .report = report,
    .measure = measure,
    .close_worker = close_worker,
    .close = close_shared,
};
