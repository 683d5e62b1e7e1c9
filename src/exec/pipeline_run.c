// Pipelines of an execution one after the other and side by side: who may start, workers, finish
// tasks, and what follows.
#include <assert.h>

#include "base/host.h"
#include "exec/execution_memory.h"
#include "exec/pipeline.h"
#include "exec/test_modes.h"

// Runs finish tasks of a pipeline, one after the other, until none is left.
typedef struct finish_runner {
    task task;
    pipeline *owner;
    uint32_t worker;
    finish_task *waiting; // To be called again; NULL: the next one.
    arena scratch;
} finish_runner;

#define SCRATCH_MAX (UINT64_C(1) << 40)

// Nobody joins a pipeline that is through with its chains.
static bool has_room(const pipeline *self) REQUIRES(&self->lock) {
    return self->stage != NULL && self->worker_count < self->run->worker_count &&
           !execution_has_failed(self->run);
}

// False: there is no room for more.
static bool add_worker(pipeline *self, bool may_start_thread) {
    pipeline_worker *worker;
    firn_error err = ERR_INIT;
    if (pipeline_worker_open(self, &worker, &err) != FIRN_OK) {
        execution_fail(self->run, &err);
        return false;
    }
    mutex_lock(&self->lock);
    const bool has_joined = has_room(self);
    if (has_joined) {
        pipeline_worker_join(self, worker);
        task_group_submit(self->run->group, pipeline_worker_task(worker), may_start_thread);
    }
    mutex_unlock(&self->lock);
    if (!has_joined) {
        pipeline_worker_close(worker);
    }
    return has_joined;
}

static void start(pipeline *self) {
    mutex_lock(&self->lock);
    self->stage = self->first_chain;
    mutex_unlock(&self->lock);
    const unsigned at_once = TEST_MODE_TINY | TEST_MODE_WAIT | TEST_MODE_ORDER;
    if (add_worker(self, false) && (self->run->options->test_modes & at_once) != 0) {
        pipeline_add_workers(self);
    }
}

void pipeline_add_workers(pipeline *self) {
    bool may_add = true;
    while (may_add) {
        mutex_lock(&self->lock);
        may_add = has_room(self);
        mutex_unlock(&self->lock);
        may_add = may_add && add_worker(self, true);
    }
}

void pipelines_start(execution *run) {
    mutex_lock(&run->lock);
    run->pipelines_left = run->pipeline_count;
    for (pipeline *each = run->pipelines; each != NULL; each = each->following) {
        each->starts_first = each->waits_for == 0; // Later the first to be done change waits_for.
    }
    mutex_unlock(&run->lock);
    for (pipeline *each = run->pipelines; each != NULL; each = each->following) {
        if (each->starts_first) {
            start(each);
        }
    }
}

// The pipeline's result is there: those that wait for it alone begin.
static void done(pipeline *self) {
    execution *run = self->run;
    for (op_instance *each = self->instances; each != NULL; each = each->beside) {
        if (each->kind->release != NULL) {
            each->kind->release(each->shared);
        }
    }
    mutex_lock(&run->lock);
    run->pipelines_left--;
    for (pipeline_link *link = self->dependents; link != NULL; link = link->following) {
        link->target->waits_for--;
        link->is_ready = link->target->waits_for == 0;
    }
    mutex_unlock(&run->lock);
    for (pipeline_link *link = self->dependents; link != NULL; link = link->following) {
        if (link->is_ready) {
            start(link->target);
        }
    }
    task_group_notify(run->group);
}

static void begin_round(pipeline *self);

// With the last runner of a round: the next round, or the end.
static void end_round(pipeline *self) {
    firn_error err = ERR_INIT;
    if (execution_has_failed(self->run)) {
        return;
    }
    firn_status (*then)(void *, finish_plan *, firn_error *) = self->finish.then;
    self->finish.count = 0;
    self->finish.then = NULL;
    if (then != NULL) {
        if (then(self->sink->shared, &self->finish, &err) != FIRN_OK) {
            execution_fail(self->run, &err);
            return;
        }
        begin_round(self);
        return;
    }
    done(self);
}

static finish_task *next_finish_task(finish_runner *self) {
    pipeline *owner = self->owner;
    finish_task *waiting = self->waiting;
    if (waiting != NULL) {
        return waiting;
    }
    const uint32_t index = atomic_fetch_add(&owner->next_task, 1);
    return index < owner->finish.count ? &owner->finish.tasks[index] : NULL;
}

static task_answer run_finish(task *base) {
    finish_runner *self = (finish_runner *)base; // `task` is its first member.
    pipeline *owner = self->owner;
    firn_error err = ERR_INIT;
    finish_task *work = next_finish_task(self);
    if (work != NULL && !execution_has_failed(owner->run)) {
        op_call call = {.shared = work->shared,
                        .run = owner->run,
                        .wakeup = &self->task.wakeup,
                        .scratch = &self->scratch,
                        .worker = self->worker};
        const arena_mark mark = arena_mark_take(&self->scratch);
        const int64_t began = owner->run->is_analyzed ? host_clock_ns() : 0;
        firn_status status = cancel_check(&owner->run->cancel, &err);
        status = status == FIRN_OK ? work->run(work, &call, &err) : status;
        arena_rewind(&self->scratch, mark);
        if (began != 0) {
            const uint32_t node = owner->sink->node->number;
            owner->run->worker_statistics[self->worker][node].cpu_ns += host_clock_ns() - began;
        }
        if (status != FIRN_OK) {
            execution_fail(owner->run, &err);
            return TASK_DONE;
        }
        self->waiting = call.must_wait ? work : NULL;
        return call.must_wait ? TASK_WAIT : TASK_AGAIN;
    }
    mutex_lock(&owner->lock);
    const bool is_last = --owner->runners_left == 0;
    mutex_unlock(&owner->lock);
    if (is_last) {
        end_round(owner);
    }
    return TASK_DONE;
}

static void begin_round(pipeline *self) {
    if (self->finish.count == 0) {
        end_round(self);
        return;
    }
    execution *run = self->run;
    atomic_store(&self->next_task, 0);
    const uint32_t runners =
        self->finish.count < run->worker_count ? self->finish.count : run->worker_count;
    self->runners_left = runners;
    for (uint32_t i = 0; i < runners; i++) {
        finish_runner *runner = &self->runners[i];
        runner->owner = self;
        runner->worker = i;
        runner->task.run = run_finish;
        runner->task.distance = self->distance;
        task_group_submit(run->group, &runner->task, i > 0);
    }
}

void pipeline_finish(pipeline *self) {
    execution *run = self->run;
    firn_error err = ERR_INIT;
    execution_chains_ended(run, self);
    self->finish = (finish_plan){.memory = &self->finish_memory};
    self->finish_memory = execution_arena(run, SCRATCH_MAX);
    self->runners = ARENA_NEW(&self->finish_memory, finish_runner, run->worker_count);
    firn_status status = self->runners == NULL ? ARENA_FULL(&self->finish_memory, &err) : FIRN_OK;
    for (uint32_t i = 0; i < run->worker_count && status == FIRN_OK; i++) {
        self->runners[i] = (finish_runner){.scratch = execution_arena(run, SCRATCH_MAX)};
        self->runner_count++;
    }
    if (status == FIRN_OK && self->sink->kind->finish != NULL) {
        status = self->sink->kind->finish(self->sink->shared, &self->finish, &err);
    }
    if (status != FIRN_OK) {
        execution_fail(run, &err);
        return;
    }
    begin_round(self);
}

void pipeline_close(pipeline *self) {
    for (uint32_t i = 0; i < self->worker_count; i++) {
        pipeline_worker_close(self->workers[i]);
    }
    self->worker_count = 0;
    for (uint32_t i = 0; i < self->runner_count; i++) {
        arena_close(&self->runners[i].scratch);
    }
    arena_close(&self->finish_memory);
    order_gate_close(self->order);
    mutex_end(&self->lock);
}
