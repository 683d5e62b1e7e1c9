// The driver: runs the chains of a pipeline for one worker, call by call.
//
// A worker is a scheduler task. Its place in a chain is a stack of levels: level d is the d-th step
// (the last one is the sink) with its input batch. A call's output becomes the input of the next
// level; when a level wants no more of its input, the one above it goes on. So a worker may leave
// between any two calls, and everything it needs to go on is in pipeline_worker.
//
// Memory: each level has a mark in the worker's scratch arena. Before a level is called with the
// same or new input the arena is rewound to its mark: everything that was made further down is
// dead.
#include <assert.h>

#include "base/host.h"
#include "exec/batch_slicer.h"
#include "exec/form_shuffle.h"
#include "exec/pipeline.h"
#include "exec/test_modes.h"

#define SLICE_NS INT64_C(10000000) // A task gives way after so long.
#define ALONE_NS INT64_C(2000000)  // The first worker gets company after so long.
#define NO_TASK UINT64_MAX
#define SCRATCH_MAX (UINT64_C(1) << 40) // The pool is what limits it.

typedef struct level {
    op_instance *instance;
    batch input;
    arena_mark mark;
    bool has_more; // It answered STEP_MORE, call again with the same input; or there are slices.
    batch whole;   // What `input` is a slice of, and …
    uint32_t slice_rows; // … how large slices are; 0: `input` is all there is.
    uint32_t sliced;     // Rows of `whole` in this slice and those before.
    arena_mark slice_mark;
    bool is_slice_done;
} level;

typedef enum worker_phase {
    PHASE_SOURCE, // Ask the source.
    PHASE_LEVEL,  // Call the level at `depth`.
    PHASE_FLUSH,  // The source is at its end: what do the steps hold back?
    PHASE_STAGE,  // Through with a chain: the next one, or wait for the others.
    PHASE_MERGE,
    PHASE_ENDED,
} worker_phase;

struct pipeline_worker {
    task task;
    pipeline *owner;
    uint32_t index;
    worker_phase phase;
    chain *way;
    uint32_t depth;
    uint32_t flush_depth;    // Steps below it are flushed, …
    op_instance *flush_step; // … the one of that number is next; the sink: all are.
    bool is_flushing;
    uint64_t open_task; // That its source began and did not end, or NO_TASK.
    bool has_arrived;   // At the end of a stage.
    bool awaits_turn;   // To merge; under the pipeline's lock.
    uint32_t stage_number;
    level *levels; // step_count_max + 1.
    void **locals;
    bool *has_local;
    op_instance **opened; // Those that have a local, in the order in which they got it.
    uint32_t opened_count;
    arena memory;
    arena scratch;
    arena_mark source_mark;
    batch_slicer slicer;
    uint64_t random;
};

task *pipeline_worker_task(pipeline_worker *self) {
    return &self->task;
}

// ---- Opening and closing ------------------------------------------------------------------------

static task_answer run_worker(task *base);

firn_status pipeline_worker_open(pipeline *owner, pipeline_worker **out, firn_error *err) {
    arena memory = execution_arena(owner->run, SCRATCH_MAX);
    pipeline_worker *self = ARENA_NEW(&memory, pipeline_worker, 1);
    level *levels = ARENA_NEW(&memory, level, owner->step_count_max + 1);
    void **locals = ARENA_NEW(&memory, void *, owner->local_count);
    bool *has_local = ARENA_NEW(&memory, bool, owner->local_count);
    op_instance **opened = ARENA_NEW(&memory, op_instance *, owner->local_count);
    if (self == NULL || levels == NULL || locals == NULL || has_local == NULL || opened == NULL) {
        firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    for (uint32_t i = 0; i < owner->local_count; i++) {
        locals[i] = NULL;
        has_local[i] = false;
    }
    *self = (pipeline_worker){.owner = owner,
                              .open_task = NO_TASK,
                              .levels = levels,
                              .locals = locals,
                              .has_local = has_local,
                              .opened = opened,
                              .memory = memory,
                              .scratch = execution_arena(owner->run, SCRATCH_MAX),
                              .slicer = batch_slicer_open(owner->run)};
    self->task.run = run_worker;
    self->task.distance = owner->distance;
    *out = self;
    return FIRN_OK;
}

void pipeline_worker_join(pipeline *owner, pipeline_worker *self) {
    self->index = owner->worker_count;
    self->way = owner->stage;
    self->stage_number = owner->stage_number;
    self->random = 0x9e3779b97f4a7c15u + self->index + UINT64_C(0x1000003) * owner->number;
    owner->workers[owner->worker_count++] = self;
}

static node_statistics *statistics_of(const pipeline_worker *self, const plan_node *node) {
    return &self->owner->run->worker_statistics[self->index][node->number];
}

static void close_locals(pipeline_worker *self) {
    while (self->opened_count > 0) {
        const op_instance *each = self->opened[--self->opened_count];
        void *local = self->locals[each->local_index];
        if (each->kind->decoded != NULL && local != NULL) {
            statistics_of(self, each->node)->values_decoded += each->kind->decoded(local);
        }
        if (each->kind->close_worker != NULL) {
            each->kind->close_worker(local);
        }
        self->has_local[each->local_index] = false;
    }
}

void pipeline_worker_close(pipeline_worker *self) {
    if (self == NULL) {
        return;
    }
    close_locals(self);
    arena_close(&self->scratch);
    arena memory = self->memory; // It holds `self`.
    arena_close(&memory);
}

static firn_status open_local(pipeline_worker *self, op_instance *instance, firn_error *err) {
    const uint32_t index = instance->local_index;
    if (self->has_local[index]) {
        return FIRN_OK;
    }
    firn_status status = FIRN_OK;
    if (instance->kind->open_worker != NULL) {
        status = instance->kind->open_worker(instance->shared, self->index, &self->memory,
                                             &self->locals[index], err);
    }
    // What was opened in part is closed like any other.
    self->has_local[index] = status == FIRN_OK || self->locals[index] != NULL;
    if (self->has_local[index]) {
        self->opened[self->opened_count++] = instance;
    }
    return status;
}

// ---- Calls --------------------------------------------------------------------------------------

static op_call call_of(pipeline_worker *self, op_instance *instance) {
    return (op_call){.shared = instance->shared,
                     .local = self->locals[instance->local_index],
                     .run = self->owner->run,
                     .wakeup = &self->task.wakeup,
                     .scratch = &self->scratch,
                     .order = self->owner->order,
                     .chain = self->way->number,
                     .worker = self->index};
}

firn_status op_open_kept(const plan_node *node, const input_layout *input, execution *run,
                         void **shared, firn_error *err) {
    (void)input;
    *shared = run->node_state[node->number];
    return *shared != NULL ? FIRN_OK
                           : FAIL(err, FIRN_INTERNAL, "%s: nothing was kept to go on with",
                                  plan_kind_label(node->kind));
}

bool op_begin_task(op_call *call, uint64_t number) {
    const uint64_t task = (uint64_t)call->chain << ORDER_CHAIN_SHIFT | number;
    if (call->order != NULL && !order_gate_begin(call->order, task, call->wakeup)) {
        return false;
    }
    call->has_begun_task = true;
    call->begun_task = task;
    return true;
}

bool op_begin_only_task(op_call *call, atomic_bool *is_taken, bool *is_mine, step_answer *out) {
    if (!*is_mine && atomic_exchange(is_taken, true)) {
        *out = STEP_DONE;
        return false;
    }
    if (!*is_mine && !op_begin_task(call, 0)) {
        atomic_store(is_taken, false);
        *out = STEP_WAIT;
        return false;
    }
    *is_mine = true;
    return true;
}

void op_end_task(op_call *call, uint64_t number) {
    assert(!call->has_ended_task);
    call->has_ended_task = true;
    call->ended_task = (uint64_t)call->chain << ORDER_CHAIN_SHIFT | number;
}

// The sink hears of the end of a task before the gate does: then everything of it is in its queue.
static firn_status end_task(pipeline_worker *self, uint64_t task, firn_error *err) {
    op_instance *sink = self->owner->sink;
    if (self->owner->order == NULL) {
        return FIRN_OK;
    }
    if (sink->kind->end_task != NULL && self->has_local[sink->local_index]) {
        op_call call = call_of(self, sink);
        TRY(sink->kind->end_task(&call, task, err));
    }
    order_gate_end(self->owner->order, task);
    if (sink->kind->end_task != NULL) {
        task_group_notify(self->owner->run->group);
    }
    return FIRN_OK;
}

// In the test mode `wait` an operator now and then seems to wait; the task is simply run again.
WRAPS static bool pretends_to_wait(pipeline_worker *self) {
    if ((self->owner->run->options->test_modes & TEST_MODE_WAIT) == 0) {
        return false;
    }
    self->random ^= self->random << 13;
    self->random ^= self->random >> 7;
    self->random ^= self->random << 17;
    if (self->random % 4 != 0) {
        return false;
    }
    wakeup_fire(&self->task.wakeup);
    return true;
}

static void account(op_instance *instance, pipeline_worker *self, const batch *output,
                    int64_t began_ns) {
    node_statistics *sum = statistics_of(self, instance->node);
    if (output->selected_count > 0) {
        sum->rows_out += output->selected_count;
        sum->batches_out++;
    }
    if (began_ns != 0) {
        sum->cpu_ns += host_clock_ns() - began_ns;
    }
}

// Does any operator further down say that it needs nothing more?
static bool is_chain_closed(const chain *way) {
    for (const op_instance *each = way->source->next; each != NULL; each = each->next) {
        if (atomic_load_explicit(&each->is_done, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

// Gives an operator that takes no forms flat columns.
static firn_status flatten_input(pipeline_worker *self, const plan_node *node, batch *input,
                                 firn_error *err) {
    node_statistics *sum = statistics_of(self, node);
    bool is_flat = true;
    for (uint32_t i = 0; i < input->column_count; i++) {
        is_flat &= input->columns[i].form <= FORM_CONSTANT;
    }
    if (is_flat) {
        return FIRN_OK;
    }
    column *columns = ARENA_NEW(&self->scratch, column, input->column_count);
    if (columns == NULL) {
        return ARENA_FULL(&self->scratch, err);
    }
    for (uint32_t i = 0; i < input->column_count; i++) {
        columns[i] = input->columns[i];
        if (columns[i].form > FORM_CONSTANT) {
            TRY(column_flatten(&self->scratch, &input->columns[i], &columns[i], err));
            sum->values_decoded += columns[i].length;
        }
    }
    input->columns = columns;
    return FIRN_OK;
}

bool operator_always(const void *shared) {
    (void)shared;
    return true;
}

static firn_status next_slice(pipeline_worker *self, level *here, firn_error *err) {
    const uint32_t left = here->whole.selected_count - here->sliced;
    const uint32_t count = here->slice_rows < left ? here->slice_rows : left;
    arena_rewind(&self->scratch, here->slice_mark);
    TRY(batch_slice(&self->scratch, &here->whole, here->sliced, count, &here->input, err));
    here->sliced += count;
    here->is_slice_done = false;
    here->mark = arena_mark_take(&self->scratch);
    return FIRN_OK;
}

// The whole input, or its first slice.
static firn_status begin_slices(pipeline_worker *self, level *here, firn_error *err) {
    here->mark = arena_mark_take(&self->scratch);
    here->slice_rows = 0;
    here->is_slice_done = false;
    const op_instance *to = here->instance;
    const uint32_t rows = to->kind->writes_values != NULL && to->kind->writes_values(to->shared)
                              ? batch_slicer_rows(&self->slicer, &here->input)
                              : here->input.selected_count;
    if (rows == here->input.selected_count) {
        return FIRN_OK;
    }
    here->whole = here->input;
    here->slice_rows = rows;
    here->sliced = 0;
    here->slice_mark = here->mark;
    return next_slice(self, here, err);
}

// The output of a call becomes the input of the level below.
static firn_status descend(pipeline_worker *self, uint32_t depth, op_instance *next,
                           const batch *output, firn_error *err) {
    level *below = &self->levels[depth];
    below->instance = next;
    below->input = *output;
    below->has_more = false;
    TRY(open_local(self, next, err));
    if ((self->owner->run->options->test_modes & TEST_MODE_FORMS) != 0) {
        TRY(form_shuffle(&self->scratch, &self->random, output, &below->input, err));
    }
    if (!next->kind->takes_forms) {
        TRY(flatten_input(self, next->node, &below->input, err));
    }
    TRY(begin_slices(self, below, err));
    self->depth = depth;
    self->phase = PHASE_LEVEL;
    return FIRN_OK;
}

// Goes back to the nearest level that wants to be called again with its input, or to what fed it.
static void ascend(pipeline_worker *self) {
    while (self->depth > 0) {
        self->depth--;
        if (self->levels[self->depth].has_more) {
            self->phase = PHASE_LEVEL;
            return;
        }
    }
    self->phase = self->is_flushing ? PHASE_FLUSH : PHASE_SOURCE;
}

// Whoever is done needs nothing from above it: levels above forget their input.
static void close_upstream(pipeline_worker *self, uint32_t depth) {
    atomic_store_explicit(&self->levels[depth].instance->is_done, true, memory_order_relaxed);
    for (uint32_t i = 0; i <= depth; i++) {
        self->levels[i].has_more = false;
    }
}

static firn_status step_level(pipeline_worker *self, bool *waits, firn_error *err) {
    const uint32_t depth = self->depth;
    level *here = &self->levels[depth];
    op_instance *instance = here->instance;
    if (here->is_slice_done) {
        TRY(next_slice(self, here, err));
    }
    arena_rewind(&self->scratch, here->mark);
    op_call call = call_of(self, instance);
    call.kept = here->mark;
    batch output = {0};
    step_answer answer = STEP_NEXT;
    const int64_t began = self->owner->run->is_analyzed ? host_clock_ns() : 0;
    output.sequence = here->input.sequence;
    TRY(instance->kind->push(&call, &here->input, &output, &answer, err));
    here->mark = call.kept;
    account(instance, self, &output, began);
    if (answer == STEP_WAIT) {
        *waits = true;
        return FIRN_OK;
    }
    here->is_slice_done =
        answer == STEP_NEXT && here->slice_rows > 0 && here->sliced < here->whole.selected_count;
    here->has_more = answer == STEP_MORE || here->is_slice_done;
    if (answer == STEP_DONE) {
        close_upstream(self, depth);
    }
    if (output.selected_count > 0) {
        assert(instance->next != NULL);
        return descend(self, depth + 1, instance->next, &output, err);
    }
    if (!here->has_more) {
        ascend(self);
    }
    return FIRN_OK;
}

static firn_status step_source(pipeline_worker *self, bool *waits, firn_error *err) {
    op_instance *source = self->way->source;
    TRY(open_local(self, source, err));
    arena_rewind(&self->scratch, self->source_mark);
    step_answer answer = STEP_DONE;
    batch output = {0};
    op_call call = call_of(self, source);
    const int64_t began = self->owner->run->is_analyzed ? host_clock_ns() : 0;
    if (!is_chain_closed(self->way)) {
        TRY(source->kind->next(&call, &output, &answer, err));
        account(source, self, &output, began);
        if (call.has_ended_task) {
            TRY(end_task(self, call.ended_task, err));
            self->open_task = NO_TASK;
        }
        if (call.has_begun_task && !(call.has_ended_task && call.ended_task == call.begun_task)) {
            self->open_task = call.begun_task;
        }
    }
    if (answer == STEP_WAIT) {
        *waits = true;
        return FIRN_OK;
    }
    if (answer == STEP_DONE) {
        self->is_flushing = true;
        self->flush_depth = 0;
        self->flush_step = source->next;
        self->phase = PHASE_FLUSH;
    }
    if (output.selected_count > 0) {
        output.sequence.task |= (uint64_t)self->way->number << ORDER_CHAIN_SHIFT;
        return descend(self, 0, source->next, &output, err);
    }
    return FIRN_OK;
}

static void flush_next(pipeline_worker *self) {
    self->flush_depth++;
    self->flush_step = self->flush_step->next;
}

static firn_status step_flush(pipeline_worker *self, bool *waits, firn_error *err) {
    if (self->flush_depth == self->way->step_count) {
        self->is_flushing = false;
        self->phase = PHASE_STAGE;
        return FIRN_OK;
    }
    op_instance *step = self->flush_step;
    if (step->kind->flush == NULL || !self->has_local[step->local_index]) {
        flush_next(self);
        return FIRN_OK;
    }
    arena_rewind(&self->scratch, self->source_mark);
    op_call call = call_of(self, step);
    batch output = {0};
    step_answer answer = STEP_NEXT;
    TRY(step->kind->flush(&call, &output, &answer, err));
    account(step, self, &output, 0);
    if (answer == STEP_WAIT) {
        *waits = true;
        return FIRN_OK;
    }
    if (answer != STEP_MORE) {
        flush_next(self);
    }
    if (output.selected_count > 0) {
        const uint32_t depth = answer == STEP_MORE ? self->flush_depth + 1 : self->flush_depth;
        for (uint32_t i = 0; i < depth; i++) {
            self->levels[i].has_more = false;
        }
        return descend(self, depth, step->next, &output, err);
    }
    return FIRN_OK;
}

// ---- Stages: chains up to the next drain run side by side, then all workers meet ----------------

static void begin_chain(pipeline_worker *self, chain *way) {
    self->way = way;
    self->is_flushing = false;
    self->phase = PHASE_SOURCE;
}

static void wake_workers(pipeline *owner) REQUIRES(&owner->lock) {
    for (uint32_t i = 0; i < owner->worker_count; i++) {
        wakeup_fire(&owner->workers[i]->task.wakeup);
    }
}

// Through with a chain: the next one of the stage, or the meeting at its end. The last worker to
// arrive there begins the next stage.
static firn_status step_stage(pipeline_worker *self, bool *waits, firn_error *err) {
    pipeline *owner = self->owner;
    // Somebody needs no more rows, so the source was not asked to the end of its task.
    if (self->open_task != NO_TASK) {
        const uint64_t task = self->open_task;
        self->open_task = NO_TASK;
        TRY(end_task(self, task, err));
    }
    chain *next = self->way->following;
    mutex_lock(&owner->lock);
    if (!self->has_arrived && owner->order != NULL) {
        order_gate_end_chain(owner->order, self->way->number, owner->worker_count);
    }
    if (next != NULL && !next->is_drain) {
        mutex_unlock(&owner->lock);
        begin_chain(self, next);
        return FIRN_OK;
    }
    if (!self->has_arrived) {
        self->has_arrived = true;
        owner->arrived_count++;
        if (owner->arrived_count == owner->worker_count) {
            owner->arrived_count = 0;
            owner->stage = next;
            owner->stage_number++;
            wake_workers(owner);
        }
    }
    const bool goes_on = owner->stage_number > self->stage_number;
    chain *stage = owner->stage;
    self->stage_number = goes_on ? owner->stage_number : self->stage_number;
    mutex_unlock(&owner->lock);
    *waits = !goes_on;
    if (goes_on) {
        self->has_arrived = false;
        if (stage == NULL) {
            self->phase = PHASE_MERGE;
        } else {
            begin_chain(self, stage);
        }
    }
    return FIRN_OK;
}

// One worker merges at a time, since others read and write the same; the others wait without
// holding a thread. Not under the lock: merging may wait for memory.
static bool begin_merge(pipeline_worker *self) {
    pipeline *owner = self->owner;
    mutex_lock(&owner->lock);
    const bool is_my_turn = !owner->is_merging;
    owner->is_merging = true;
    self->awaits_turn = !is_my_turn;
    mutex_unlock(&owner->lock);
    return is_my_turn;
}

// True with the last worker of the pipeline.
static bool end_merge(pipeline_worker *self) {
    pipeline *owner = self->owner;
    mutex_lock(&owner->lock);
    owner->is_merging = false;
    owner->ended_count++;
    const bool is_last = owner->ended_count == owner->worker_count;
    for (uint32_t i = 0; i < owner->worker_count; i++) {
        if (owner->workers[i]->awaits_turn) {
            wakeup_fire(&owner->workers[i]->task.wakeup);
        }
    }
    mutex_unlock(&owner->lock);
    return is_last;
}

// Hands this worker's part of the sink over. True with the last worker of the pipeline.
static firn_status step_merge(pipeline_worker *self, bool *waits, bool *is_last, firn_error *err) {
    pipeline *owner = self->owner;
    op_instance *sink = owner->sink;
    *waits = !begin_merge(self);
    if (*waits) {
        return FIRN_OK;
    }
    // Also a sink that saw no row has something to say. In turn, for others are merging into what
    // its open_worker reads.
    firn_status status = open_local(self, sink, err);
    if (status == FIRN_OK && sink->kind->merge != NULL) {
        op_call call = call_of(self, sink);
        status = sink->kind->merge(&call, err);
    }
    close_locals(self); // Before the last one ends: then operators give back what they keep.
    arena_close(&self->scratch);
    self->phase = PHASE_ENDED;
    *is_last = end_merge(self);
    return status;
}

// ---- The task -----------------------------------------------------------------------------------

// One call of whatever comes next.
static firn_status step(pipeline_worker *self, bool *waits, bool *is_last, firn_error *err) {
    switch (self->phase) {
    case PHASE_SOURCE:
        return step_source(self, waits, err);
    case PHASE_LEVEL:
        return step_level(self, waits, err);
    case PHASE_FLUSH:
        return step_flush(self, waits, err);
    case PHASE_STAGE:
        return step_stage(self, waits, err);
    case PHASE_MERGE:
        return step_merge(self, waits, is_last, err);
    case PHASE_ENDED:
        break;
    }
    return FIRN_OK;
}

static task_answer run_worker(task *base) {
    pipeline_worker *self = (pipeline_worker *)base; // `task` is its first member.
    pipeline *owner = self->owner;
    firn_error err = ERR_INIT;
    const int64_t began = host_clock_ns();
    int64_t now = began;
    while (self->phase != PHASE_ENDED && now - began < SLICE_NS) {
        bool waits = false;
        bool is_last = false;
        firn_status status = cancel_check(&owner->run->cancel, &err);
        if (status == FIRN_OK && pretends_to_wait(self)) {
            return TASK_WAIT;
        }
        if (status == FIRN_OK) {
            status = step(self, &waits, &is_last, &err);
        }
        if (status != FIRN_OK) {
            execution_fail(owner->run, &err);
            return TASK_DONE;
        }
        if (is_last) {
            pipeline_finish(owner);
            return TASK_DONE;
        }
        if (waits) {
            return TASK_WAIT;
        }
        now = host_clock_ns();
        if (self->index == 0 && now - began > ALONE_NS) {
            pipeline_add_workers(owner);
        }
    }
    return self->phase == PHASE_ENDED ? TASK_DONE : TASK_AGAIN;
}
