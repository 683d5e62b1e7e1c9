// Scan: takes tasks from the table's planner and lets readers run them, one a worker, and while
// bytes are on their way begins the next ones.
//
// The planner is asked under a lock that is never held while bytes are read: planning answers
// SCAN_WAIT instead, and whoever was told so is woken when it goes on.
#include "exec/execution_memory.h"
#include "exec/operator.h"
#include "exec/planning_clock.h"
#include "exec/test_modes.h"

#include "base/host.h"
#include "base/mutex.h"
#include "codecs/codec.h"
#include "memory/pool.h"
#include "threads/scheduler.h"

#define CODEC_BYTES_MAX ((size_t)64 << 20)   // Tables and contexts of one worker's codecs.
#define READS_AHEAD 64                       // Tasks of all workers, at work or begun ahead.
#define AHEAD_BYTES_MAX ((size_t)64 << 20)   // Of a batch that waits for its turn.
#define AHEAD_BYTES_EACH ((uint64_t)8 << 20) // At most, of a reader.

typedef struct scan_shared {
    const plan_node *node;
    execution *run;
    table_snapshot *table;
    scan_request request;
    scan_env env;         // Of readers; constant.
    uint64_t ahead_bytes; // What one that is begun ahead takes, about.
    mutex lock;
    scan_env planner_env; // Its wakeup is that of the worker that asks.
    scan_planner *planner;
    bool is_planned; // The planner is at its end.
    uint64_t next_number;
    scan_counters counters; // Of tasks that ended; under the lock.
    uint64_t rows_ended;    // In them, as estimated; under the lock.
    uint64_t rows_planned;  // In all tasks that were handed out; under the lock.
    wakeup **waiters;       // Workers that wait for the planner.
    planning_clock clock;   // Of EXPLAIN ANALYZE; under the lock.
} scan_shared;

// A task that a worker has taken, and its reader.
typedef struct scan_slot {
    const scan_task *task;
    uint64_t number;
    scan_reader *reader;
    scan_counters counted; // Of the reader: what the owner has of it.
    // What the reader gave before it was its turn.
    arena scratch;
    batch rows;
    scan_answer answer; // SCAN_WAIT: nothing yet.
    firn_status status;
    firn_error *error; // Of a status that is none.
} scan_slot;

// A worker reads one task at a time. While it waits for bytes it takes more tasks and lets their
// readers begin, so that many reads are on their way: one more at each wait, for sources that are
// slow enough that there are waits. Their rows come when it is their turn.
typedef struct scan_local {
    scan_shared *owner;
    scan_env env;
    codec_scratch codecs;
    scan_permit permit; // To have a reader.
    scan_slot *slots;   // A ring.
    uint32_t slot_count;
    uint32_t first;        // The task at work.
    uint32_t filled_count; // It and those that come after it.
    uint32_t wanted_count; // How many to have at most, for now.
    bool is_begun;         // The first one; it may be too far ahead to begin.
    uint32_t random;       // Of the test mode `wait`.
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
                    .needs_row_ids = node->scan_.row_id != NO_SLOT},
        .env = {.io = run->io,
                .cache = run->cache,
                .cache_query = run->cache_query,
                .pool = run->pool,
                .context = run->context,
                .dynamic = &run->dynamic,
                .cancel = &run->cancel,
                .row_files = run->row_files,
                .batch_rows = run->options->batch_rows,
                .workers = run->worker_count},
        .waiters = waiters,
    };
    const uint64_t reader = execution_scan_bytes(run, node);
    self->ahead_bytes = reader < AHEAD_BYTES_EACH ? reader : AHEAD_BYTES_EACH;
    self->planner_env = self->env;
    mutex_begin(&self->lock, MUTEX_TABLE_SCAN);
    *shared = self;
    return FIRN_OK;
}

// How many tasks a worker may have: enough that all of them together keep the connections busy.
static uint32_t slots_of(const scan_shared *self) {
    const bool is_bounded = self->request.limit != UINT64_MAX && self->request.filters.count == 0;
    const uint32_t share = READS_AHEAD / self->run->worker_count;
    return is_bounded || share < 2 ? 1 : share;
}

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    scan_shared *owner = shared;
    scan_local *self = ARENA_NEW(memory, scan_local, 1);
    const uint32_t slot_count = slots_of(owner);
    scan_slot *slots = ARENA_NEW(memory, scan_slot, slot_count);
    if (self == NULL || slots == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < slot_count; i++) {
        slots[i] = (scan_slot){.scratch = arena_open_in(owner->run->pool, AHEAD_BYTES_MAX)};
    }
    *self = (scan_local){.owner = owner,
                         .env = owner->env,
                         .slots = slots,
                         .slot_count = slot_count,
                         .wanted_count = 1,
                         .random = worker + 1};
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

// What the planner answers; it is opened by the first worker that asks. Under the lock.
static firn_status ask_planner(scan_shared *self, const scan_task **task, scan_answer *answer,
                               firn_error *err) {
    const table_kind *kind = self->table->kind;
    const bool is_timed = self->run->is_analyzed;
    firn_status status = FIRN_OK;
    if (is_timed) {
        planning_clock_enter(&self->clock, host_clock_ns(), host_cpu_ns());
    }
    if (self->planner == NULL) {
        status = kind->plan(self->table, &self->request, &self->planner_env, &self->planner, err);
    }
    if (status == FIRN_OK) {
        status = kind->planner_next(self->planner, task, answer, err);
    }
    if (is_timed) {
        const bool has_task = status == FIRN_OK && *answer == SCAN_READY;
        const bool waits = status == FIRN_OK && *answer == SCAN_WAIT;
        planning_clock_leave(&self->clock,
                             has_task ? PLANNING_TASK
                             : waits  ? PLANNING_WAIT
                                      : PLANNING_OVER,
                             host_clock_ns(), host_cpu_ns());
    }
    return status;
}

// The next task of the planner.
static firn_status take_task(scan_shared *self, op_call *call, const scan_task **task,
                             uint64_t *number, scan_answer *answer, firn_error *err) {
    firn_status status = FIRN_OK;
    mutex_lock(&self->lock);
    *answer = SCAN_END;
    if (!self->is_planned) {
        self->planner_env.wakeup = call->wakeup;
        status = ask_planner(self, task, answer, err);
        if (status == FIRN_OK && *answer == SCAN_END) {
            self->is_planned = true;
        }
        if (status == FIRN_OK && *answer == SCAN_WAIT) {
            self->waiters[call->worker] = call->wakeup;
        } else {
            wake_waiters(self);
        }
        *number = self->next_number;
        if (status == FIRN_OK && *answer == SCAN_READY) {
            self->next_number += 1;
            self->rows_planned += (*task)->row_estimate;
        }
    }
    mutex_unlock(&self->lock);
    return status;
}

// ---- Slots -------------------------------------------------------------------------------------

static scan_slot *slot_at(const scan_local *self, uint32_t place) {
    return &self->slots[(self->first + place) % self->slot_count];
}

// Adds what the reader did since the last time, and the rows of its task if that has ended.
static void count(scan_shared *owner, scan_slot *slot, uint64_t rows_ended) {
    scan_counters now = {0};
    owner->table->kind->counters(slot->reader, &now);
    mutex_lock(&owner->lock);
#define X(member, words) owner->counters.member += now.member - slot->counted.member;
    SCAN_COUNTER_LIST(X)
#undef X
    owner->rows_ended += rows_ended;
    mutex_unlock(&owner->lock);
    slot->counted = now;
}

static void close_reader(scan_shared *owner, scan_slot *slot) {
    if (slot->reader != NULL) {
        count(owner, slot, 0);
        owner->table->kind->close(slot->reader);
        slot->reader = NULL;
        slot->counted = (scan_counters){0};
    }
}

// There are no more tasks, or nobody needs their rows: pages and permit go.
static void end_reading(scan_local *self) {
    for (uint32_t i = 0; i < self->slot_count; i++) {
        close_reader(self->owner, &self->slots[i]);
        arena_close(&self->slots[i].scratch);
    }
    codec_scratch_close(&self->codecs);
    scan_permits_give(&self->owner->run->permits, &self->permit);
}

// Ends the slot's reader but keeps its buffers where the kind can use them again.
static firn_status open_reader(scan_local *self, scan_slot *slot, firn_error *err) {
    scan_shared *owner = self->owner;
    const table_kind *kind = owner->table->kind;
    if (slot->reader != NULL && kind->reopen != NULL) {
        return kind->reopen(slot->reader, slot->task, err);
    }
    close_reader(owner, slot);
    return kind->open(owner->table, &owner->request, slot->task, &self->env, &slot->reader, err);
}

// The task at work has ended: the slot that is filled next takes over its reader, since one whose
// turn comes much later would keep buffers until then.
static void free_first(scan_local *self) {
    scan_slot *ended = slot_at(self, 0);
    self->first = (self->first + 1) % self->slot_count;
    self->filled_count--;
    scan_slot *next = slot_at(self, self->filled_count);
    if (next != ended) {
        close_reader(self->owner, next);
        next->reader = ended->reader;
        next->counted = ended->counted;
        ended->reader = NULL;
        ended->counted = (scan_counters){0};
    }
}

// Takes a task into the next free slot and opens its reader.
static firn_status fill_slot(scan_local *self, op_call *call, scan_answer *answer,
                             firn_error *err) {
    const scan_task *task = NULL;
    uint64_t number = 0;
    TRY(take_task(self->owner, call, &task, &number, answer, err));
    if (*answer != SCAN_READY) {
        return FIRN_OK;
    }
    scan_slot *slot = slot_at(self, self->filled_count++);
    slot->task = task;
    slot->number = number;
    slot->answer = SCAN_WAIT;
    slot->status = FIRN_OK;
    return open_reader(self, slot, err);
}

// ---- Reading ahead -----------------------------------------------------------------------------

// A fault of a task that may never be reached is told when it is.
static void keep_fault(scan_local *self, scan_slot *slot, const firn_error *err) {
    slot->error =
        slot->error != NULL ? slot->error : arena_alloc(&slot->scratch, 1, sizeof *slot->error);
    if (slot->error != NULL) {
        *slot->error = *err;
    }
    (void)self;
}

// Lets a reader whose turn has not come go on until it has rows.
static void run_ahead(scan_local *self, scan_slot *slot) {
    const table_kind *kind = self->owner->table->kind;
    if (slot->answer != SCAN_WAIT || slot->status != FIRN_OK) {
        return;
    }
    firn_error err = ERR_INIT;
    arena_reset(&slot->scratch);
    slot->error = NULL;
    slot->rows = (batch){0};
    slot->status = kind->next(slot->reader, &slot->scratch, &slot->rows, &slot->answer, &err);
    if (slot->status != FIRN_OK) {
        keep_fault(self, slot, &err);
    }
}

// Are readers that nobody waits for yet within a quarter of what memory there is? What queries were
// promised counts: they would have to wait for it.
static bool has_room(const scan_local *self) {
    pool_report now;
    pool_describe(pool_engine(self->owner->run->pool), &now);
    return now.committed + self->filled_count * self->owner->ahead_bytes < now.limit / 4;
}

static void go_on(scan_local *self) {
    for (uint32_t i = 1; i < self->filled_count; i++) {
        run_ahead(self, slot_at(self, i));
    }
}

// While the task at work waits for bytes.
static firn_status read_ahead(scan_local *self, op_call *call, firn_error *err) {
    go_on(self);
    if (self->wanted_count < self->slot_count) {
        self->wanted_count =
            self->wanted_count * 2 < self->slot_count ? self->wanted_count * 2 : self->slot_count;
    }
    scan_answer answer = SCAN_READY;
    while (self->filled_count < self->wanted_count && has_room(self)) {
        TRY(fill_slot(self, call, &answer, err));
        if (answer != SCAN_READY) {
            return FIRN_OK;
        }
        run_ahead(self, slot_at(self, self->filled_count - 1));
    }
    return FIRN_OK;
}

// ---- The task at work --------------------------------------------------------------------------

// Has one; false: `*out` says why not.
static firn_status has_first(scan_local *self, op_call *call, step_answer *out, bool *has_one,
                             firn_error *err) {
    scan_shared *owner = self->owner;
    scan_answer answer = SCAN_READY;
    *has_one = false;
    if (self->filled_count == 0) {
        if (owner->table->kind->keeps_pages &&
            !scan_permits_take(&owner->run->permits, &self->permit, call->wakeup)) {
            *out = STEP_WAIT;
            return FIRN_OK;
        }
        self->env.wakeup = call->wakeup;
        TRY(fill_slot(self, call, &answer, err));
    }
    if (answer == SCAN_END) {
        end_reading(self);
        self->slot_count = 0;
        *out = STEP_DONE;
        return FIRN_OK;
    }
    if (answer == SCAN_WAIT ||
        (!self->is_begun && !op_begin_task(call, slot_at(self, 0)->number))) {
        go_on(self);
        *out = STEP_WAIT;
        return FIRN_OK;
    }
    self->is_begun = true;
    *has_one = true;
    return FIRN_OK;
}

// What the reader of the first task gave ahead, or gives now.
static firn_status read_first(scan_local *self, op_call *call, batch *output, scan_answer *answer,
                              firn_error *err) {
    scan_slot *slot = slot_at(self, 0);
    if (slot->status != FIRN_OK) {
        if (slot->error == NULL) {
            return ARENA_FULL(&slot->scratch, err);
        }
        *err = *slot->error;
        return slot->status;
    }
    *answer = slot->answer;
    if (slot->answer == SCAN_WAIT) {
        return self->owner->table->kind->next(slot->reader, call->scratch, output, answer, err);
    }
    *output = slot->rows;
    slot->answer = SCAN_WAIT;
    return FIRN_OK;
}

// In the test mode `wait` local readers now and then wait too.
WRAPS static bool pretends_to_wait(scan_local *self, op_call *call) {
    if ((self->owner->run->options->test_modes & TEST_MODE_WAIT) == 0) {
        return false;
    }
    self->random ^= self->random << 13;
    self->random ^= self->random >> 17;
    self->random ^= self->random << 5;
    if (self->random % 3 == 0) {
        wakeup_fire(call->wakeup);
        return true;
    }
    return false;
}

static firn_status next(op_call *call, batch *output, step_answer *out, firn_error *err) {
    scan_local *self = call->local;
    scan_answer answer = SCAN_WAIT;
    bool has_one;
    *out = STEP_NEXT;
    TRY(has_first(self, call, out, &has_one, err));
    if (!has_one) {
        return FIRN_OK;
    }
    scan_slot *slot = slot_at(self, 0);
    if (!pretends_to_wait(self, call)) {
        TRY(read_first(self, call, output, &answer, err));
    }
    if (answer == SCAN_WAIT) {
        *out = STEP_WAIT;
        return read_ahead(self, call, err);
    }
    if (answer == SCAN_END) {
        *output = (batch){0};
        count(self->owner, slot, slot->task->row_estimate);
        op_end_task(call, slot->number);
        free_first(self);
        self->is_begun = false;
    }
    output->sequence.task = slot->number;
    return FIRN_OK;
}

static void close_worker(void *local) {
    scan_local *self = local;
    if (self != NULL && self->slot_count > 0) {
        end_reading(self);
    }
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
    planning_clock_report(&self->clock, out->out);
}

static void measure(const void *shared, node_statistics *add_to) {
    add_to->values_decoded += counters_of(shared).values_decoded;
}

static void progress(void *shared, op_progress *add_to) {
    scan_shared *self = shared;
    mutex_lock(&self->lock);
    // Once all tasks are out their rows are known, without those of files that were passed over.
    const bool is_known = add_to->total >= 0 && (self->is_planned || self->table->rows.is_known);
    const double total =
        self->is_planned ? (double)self->rows_planned : (double)self->table->rows.value;
    add_to->rows += self->counters.rows_read;
    add_to->bytes += self->counters.bytes_read;
    add_to->ended += (double)self->rows_ended;
    mutex_unlock(&self->lock);
    add_to->total = is_known ? add_to->total + total : -1;
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
