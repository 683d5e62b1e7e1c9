// Who works on what: one scheduler per engine, tasks of queries, threads that run them.
//
// The unit is a **task**: a struct of its owner with a function that works for some milliseconds
// and answers whether it has more to do, is done, or waits. Tasks belong to a **group** (a query).
// Ready tasks of all groups lie in one list; a thread takes from the group that has used the least
// CPU, and inside it the task nearest the result. A group that comes late or was asleep starts
// level with the others: nobody starves, and nobody saves up.
//
//     a thread of the engine        ─┐
//     the thread inside get_next    ─┼─► takes a ready task ─► run ─► TASK_AGAIN: back in the list
//       (works for its own group)   ─┘                             ├► TASK_WAIT: parked until fired
//                                                                  └► TASK_DONE
//
// Engine threads start when work is submitted that the caller's thread should not do alone
// (task_group_submit with more than one ready task), at most threads - 1 of them: with threads = 1
// no thread is ever made, and everything runs inside task_group_run_until.
//
// Waiting: a task that answers TASK_WAIT is parked until wakeup_fire(&task->wakeup), from any
// thread. A fire that comes before the task has parked is not lost: the task runs again at once.
// Several fires before it runs wake it once. Firing a task that is ready, running for other reasons
// or done does no harm, as long as its memory is there: whoever was given a wakeup is told to
// forget it before the task goes.
#ifndef FIRN_THREADS_SCHEDULER_H
#define FIRN_THREADS_SCHEDULER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mutex.h"

typedef struct scheduler scheduler;
typedef struct task_group task_group;
typedef struct task task;

typedef enum task_answer {
    TASK_AGAIN, ///< There is more to do; others may go first.
    TASK_WAIT,  ///< Nothing to do until the wakeup fires.
    TASK_DONE,  ///< The scheduler will not touch the task again.
} task_answer;

/// The handle that makes a parked task ready. Lives in its task.
typedef struct wakeup {
    // The scheduler's own:
    task *task;
    scheduler *scheduler;
    atomic_uint state;
} wakeup;

struct task {
    /// Works for about 10 ms at most. One thread at a time; which one, may differ from call to
    /// call. Must not block.
    task_answer (*run)(task *self);
    uint32_t distance; ///< From the result: 0 is nearest, and runs first within its group.
    wakeup wakeup;
    // The scheduler's own:
    task_group *group;
    task *next;
    task *previous;
    bool may_start_thread;
};

typedef struct scheduler_options {
    uint32_t threads;    ///< Callers' thread included; at least 1.
    uint64_t order_seed; ///< Not 0: take ready tasks in a pseudo-random order (FIRN_TEST=order).
    /// Called by a caller's thread that finds nothing ready, instead of sleeping, when it is not
    /// NULL: moves transfers on for at most `timeout_ms`. For engines without I/O thread.
    void (*idle)(void *user, uint32_t timeout_ms);
    void *user;
} scheduler_options;

/// Starts no thread. Errors: FIRN_NO_MEMORY.
firn_status scheduler_open(const scheduler_options *options, scheduler **out, firn_error *err);
/// Joins the threads. All groups must be closed. NULL does nothing.
void scheduler_close(scheduler *self);
/// Ends and joins the engine threads, which finish their slice first: from now on callers' threads
/// do the work. Not from a task.
void scheduler_stop(scheduler *self);
/// Takes effect for tasks submitted later; threads beyond it end when they are idle.
void scheduler_set_threads(scheduler *self, uint32_t threads);
uint32_t scheduler_thread_count(scheduler *self); ///< Engine threads that run now.
/// Is the caller one of the engine threads, so that it may be inside a task of any group?
bool scheduler_is_on_thread(scheduler *self);

/// A query's tasks. Errors: FIRN_NO_MEMORY.
firn_status task_group_open(scheduler *self, task_group **out, firn_error *err);
/// Waits until no task of the group is running, forgets ready and parked ones (they are not run
/// again), and frees the group. Called by the group's owner, not from one of its tasks.
void task_group_close(task_group *self);

/// Makes a task ready for the first time. Any thread, also from a running task. Its `run` and
/// `distance` are set; the rest is initialised here. The task stays where it is until it is done.
/// `may_start_thread`: worth an engine thread of its own if none is idle.
/// Errors: none; when a thread cannot be started the caller's thread does the work.
void task_group_submit(task_group *self, task *submitted, bool may_start_thread);

/// Works on tasks of this group in the caller's thread until `is_done(user)` holds; asked before
/// each task and whenever something of the group changed. Sleeps (or calls `idle`) while nothing is
/// ready. Several threads may be inside for different groups, one for each group.
void task_group_run_until(task_group *self, bool (*is_done)(void *user), void *user);
/// Lets a sleeping task_group_run_until of the group ask is_done again. Any thread.
void task_group_notify(task_group *self);
/// Makes every parked task of the group ready, so that it sees a raised cancel flag. Any thread.
void task_group_wake_all(task_group *self);
/// How many of its tasks may run at a time; without it as many as there are threads.
void task_group_limit_set(task_group *self, uint32_t worker_count);
/// CPU time that its tasks have used.
int64_t task_group_cpu_ns(const task_group *self);

/// Makes the handle's task ready if it is parked, or about to be. Any thread, also from callbacks;
/// takes the scheduler's lock.
void wakeup_fire(wakeup *self);

#endif
