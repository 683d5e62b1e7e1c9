// What scheduler.c (threads, choosing, running) and scheduler_group.c (groups, the caller's thread,
// wakeups) share. Everything is guarded by scheduler.lock but the state of wakeups.
//
// States of a wakeup, which is the state of its task:
//
//     IDLE ──submit──▶ READY ──taken──▶ RUNNING ──fire──▶ FIRED     (without the lock)
//                        ▲ ▲               │ TASK_WAIT      │ TASK_WAIT
//                        │ └─ TASK_AGAIN ──┤                └──▶ READY
//                        │                 ▼
//                        └──── fire ──── PARKED       all with the lock, but RUNNING ──▶ FIRED
//
// The step RUNNING ──▶ PARKED is a compare-and-swap, so a fire either comes before it and is seen,
// or finds PARKED. After TASK_DONE nobody writes the state: the task may be gone.
#ifndef FIRN_THREADS_SCHEDULER_PRIVATE_H
#define FIRN_THREADS_SCHEDULER_PRIVATE_H

#include "base/host.h"
#include "threads/scheduler.h"

enum { TASK_IDLE, TASK_READY, TASK_RUNNING, TASK_FIRED, TASK_PARKED };

// Tasks farther from the result than this are in one list, first in, first out.
#define DISTANCE_COUNT 32

typedef struct task_list {
    task *first;
    task *last;
} task_list;

typedef struct engine_thread {
    host_thread *thread;
    scheduler *scheduler;
    struct engine_thread *next;
    uint64_t id; // host_thread_id; 0 until it runs.
    bool has_ended;
} engine_thread;

struct scheduler {
    scheduler_options options;
    mutex lock;
    condition work; // For idle threads.
    task_group *groups;
    engine_thread *threads; // Ended ones are joined when the next one starts, or at the end.
    uint32_t thread_count;  // Running, or about to.
    uint32_t thread_limit;
    uint32_t idle_count;
    uint64_t clock_floor_ns; // Where a group starts that comes late.
    uint64_t random_state;
    bool is_closing;
};

struct task_group {
    scheduler *scheduler;
    task_group *next;
    task_group *previous;
    condition changed; // For a sleeping caller's thread, and for task_group_close.
    task_list ready[DISTANCE_COUNT];
    uint32_t ready_bits; // Bit i: ready[i] is not empty.
    task_list parked;
    uint32_t ready_count;
    uint32_t running_count;
    uint32_t running_limit;
    uint32_t sleeping_count;
    uint64_t wake_count;  // Calls of task_group_wake_all.
    uint64_t event_count; // Goes up whenever is_done should be asked again.
    uint64_t clock_ns;    // CPU used, as far as it counts for taking turns.
    atomic_uint_fast64_t cpu_ns;
    bool is_closing;
};

/// Puts a task into the ready list. With the lock. Somebody must take it: call
/// scheduler_wake_thread unless the caller itself goes on taking.
void scheduler_make_ready(scheduler *self, task *ready);

/// Wakes an idle thread if there is something that may run. With the lock. That thread wakes the
/// next one if there is more.
void scheduler_wake_thread(scheduler *self);

/// Takes the next task of a group, or of the group whose turn it is if `group` is NULL. NULL if
/// there is none that may run. With the lock; the task counts as running.
task *scheduler_take(scheduler *self, task_group *group);

/// Runs a slice of what was taken. With the lock, which it lets go of meanwhile.
void scheduler_run(scheduler *self, task *taken);

/// Starts an engine thread if one is wanted. Without the lock.
void scheduler_start_threads(scheduler *self);

/// Tells a sleeping caller's thread that something is different. With the lock.
void scheduler_note_event(task_group *group);

void task_list_append(task_list *self, task *added);
void task_list_remove(task_list *self, task *removed);

#endif
