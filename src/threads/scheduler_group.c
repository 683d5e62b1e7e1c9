// Groups of tasks, the caller's thread inside one, and wakeups.
#include <assert.h>

#include "threads/scheduler_private.h"

// How long a sleeping caller's thread goes without asking is_done: a raised cancel flag of a
// session is seen within that time even if nobody notifies.
#define SLEEP_MS 20
#define IDLE_MS 10
// When the idle callback comes back at once there was nothing to drive: sleep a little instead.
#define IDLE_SHORT_NS 200000
#define IDLE_SLEEP_MS 2

firn_status task_group_open(scheduler *self, task_group **out, firn_error *err) {
    task_group *group = host_alloc(sizeof *group);
    *out = group;
    if (group == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "no memory for a group of tasks");
    }
    *group = (task_group){.scheduler = self, .running_limit = UINT32_MAX};
    atomic_init(&group->cpu_ns, 0);
    condition_begin(&group->changed);
    mutex_lock(&self->lock);
    group->clock_ns = self->clock_floor_ns;
    group->next = self->groups;
    if (self->groups != NULL) {
        self->groups->previous = group;
    }
    self->groups = group;
    mutex_unlock(&self->lock);
    return FIRN_OK;
}

// A fire that comes later finds the tasks idle.
static void forget(task_list *list) {
    for (const task *at = list->first; at != NULL;) {
        task *forgotten = list->first;
        at = forgotten->next;
        task_list_remove(list, forgotten);
        atomic_store(&forgotten->wakeup.state, TASK_IDLE);
    }
}

void task_group_close(task_group *self) {
    if (self == NULL) {
        return;
    }
    scheduler *owner = self->scheduler;
    mutex_lock(&owner->lock);
    self->is_closing = true;
    while (self->running_count > 0) {
        condition_wait(&self->changed, &owner->lock, UINT32_MAX);
    }
    for (size_t i = 0; i < DISTANCE_COUNT; i++) {
        forget(&self->ready[i]);
    }
    forget(&self->parked);
    if (self->previous == NULL) {
        owner->groups = self->next;
    } else {
        self->previous->next = self->next;
    }
    if (self->next != NULL) {
        self->next->previous = self->previous;
    }
    mutex_unlock(&owner->lock);
    condition_end(&self->changed);
    host_free(self);
}

void task_group_submit(task_group *self, task *submitted, bool may_start_thread) {
    scheduler *owner = self->scheduler;
    submitted->group = self;
    submitted->may_start_thread = may_start_thread;
    submitted->wakeup.task = submitted;
    submitted->wakeup.scheduler = owner;
    mutex_lock(&owner->lock);
    scheduler_make_ready(owner, submitted);
    if (may_start_thread) {
        scheduler_wake_thread(owner);
    }
    const bool may_want_thread = may_start_thread && owner->thread_count < owner->thread_limit;
    mutex_unlock(&owner->lock);
    if (may_want_thread) {
        scheduler_start_threads(owner);
    }
}

// ---- The caller's thread -----------------------------------------------------------------------

// Nothing is ready: drives transfers, or sleeps until something of the group changes.
NO_LOCK_CHECK static void rest(task_group *self, uint64_t events) {
    scheduler *owner = self->scheduler;
    uint32_t sleep_ms = SLEEP_MS;
    if (owner->options.idle != NULL) {
        mutex_unlock(&owner->lock);
        const int64_t begin_ns = host_clock_ns();
        owner->options.idle(owner->options.user, IDLE_MS);
        const int64_t took_ns = host_clock_ns() - begin_ns;
        mutex_lock(&owner->lock);
        if (took_ns >= IDLE_SHORT_NS) {
            return;
        }
        sleep_ms = IDLE_SLEEP_MS;
    }
    if (self->event_count == events) {
        self->sleeping_count += 1;
        condition_wait(&self->changed, &owner->lock, sleep_ms);
        self->sleeping_count -= 1;
    }
}

NO_LOCK_CHECK void task_group_run_until(task_group *self, bool (*is_done)(void *user), void *user) {
    scheduler *owner = self->scheduler;
    mutex_lock(&owner->lock);
    for (;;) {
        // Whatever changes after this number was read ends the sleep below, or prevents it.
        const uint64_t events = self->event_count;
        mutex_unlock(&owner->lock);
        const bool is_over = is_done(user);
        mutex_lock(&owner->lock);
        if (is_over) {
            break;
        }
        task *taken = scheduler_take(owner, self);
        if (taken != NULL) {
            scheduler_run(owner, taken);
        } else if (self->event_count == events) {
            rest(self, events);
        }
    }
    scheduler_wake_thread(owner); // What this thread leaves behind.
    mutex_unlock(&owner->lock);
}

void task_group_notify(task_group *self) {
    mutex_lock(&self->scheduler->lock);
    scheduler_note_event(self);
    mutex_unlock(&self->scheduler->lock);
}

void task_group_wake_all(task_group *self) {
    scheduler *owner = self->scheduler;
    mutex_lock(&owner->lock);
    while (self->parked.first != NULL) {
        task *woken = self->parked.first;
        task_list_remove(&self->parked, woken);
        scheduler_make_ready(owner, woken);
    }
    self->wake_count += 1; // For those that are running and about to park.
    scheduler_note_event(self);
    scheduler_wake_thread(owner);
    mutex_unlock(&owner->lock);
}

void task_group_limit_set(task_group *self, uint32_t worker_count) {
    assert(worker_count >= 1);
    mutex_lock(&self->scheduler->lock);
    self->running_limit = worker_count;
    condition_wake_all(&self->scheduler->work);
    mutex_unlock(&self->scheduler->lock);
}

int64_t task_group_cpu_ns(const task_group *self) {
    return (int64_t)atomic_load(&self->cpu_ns);
}

// ---- Wakeups -----------------------------------------------------------------------------------

void wakeup_fire(wakeup *self) {
    unsigned expected = TASK_RUNNING;
    if (atomic_compare_exchange_strong(&self->state, &expected, TASK_FIRED) ||
        expected != TASK_PARKED) {
        return; // Seen when it wants to park, or nothing to wake.
    }
    scheduler *owner = self->scheduler;
    mutex_lock(&owner->lock);
    if (atomic_load(&self->state) == TASK_PARKED) { // Only ever left with the lock.
        task_list_remove(&self->task->group->parked, self->task);
        scheduler_make_ready(owner, self->task);
        // Whoever fires may go on with its own slice, while the thread that the woken one parked on
        // is idle. A task that is alone is taken by the caller's thread.
        const task_group *group = self->task->group;
        if (self->task->may_start_thread || group->ready_count + group->running_count > 1) {
            scheduler_wake_thread(owner);
        }
    }
    mutex_unlock(&owner->lock);
}
