#include "threads/scheduler.h"

#include <assert.h>

#include "threads/scheduler_private.h"

// What a running task counts for until its slice is over, so that threads which choose at the same
// moment do not all go to the same group.
#define SLICE_GUESS_NS ((uint64_t)2000000)

// ---- Lists -------------------------------------------------------------------------------------

void task_list_append(task_list *self, task *added) {
    added->next = NULL;
    added->previous = self->last;
    if (self->last == NULL) {
        self->first = added;
    } else {
        self->last->next = added;
    }
    self->last = added;
}

void task_list_remove(task_list *self, task *removed) {
    if (removed->previous == NULL) {
        self->first = removed->next;
    } else {
        removed->previous->next = removed->next;
    }
    if (removed->next == NULL) {
        self->last = removed->previous;
    } else {
        removed->next->previous = removed->previous;
    }
}

static uint32_t list_index(const task *self) {
    return self->distance < DISTANCE_COUNT ? self->distance : DISTANCE_COUNT - 1;
}

// ---- Becoming ready ----------------------------------------------------------------------------

void scheduler_note_event(task_group *group) {
    group->event_count += 1;
    if (group->sleeping_count > 0) {
        condition_wake_all(&group->changed);
    }
}

void scheduler_make_ready(scheduler *self, task *ready) {
    task_group *group = ready->group;
    if (group->ready_count == 0 && group->running_count == 0 &&
        group->clock_ns < self->clock_floor_ns) {
        group->clock_ns = self->clock_floor_ns;
    }
    atomic_store(&ready->wakeup.state, TASK_READY);
    const uint32_t index = list_index(ready);
    task_list_append(&group->ready[index], ready);
    group->ready_bits |= UINT32_C(1) << index;
    group->ready_count += 1;
    scheduler_note_event(group);
}

// ---- Choosing ----------------------------------------------------------------------------------

static uint64_t next_random(scheduler *self) { // xorshift64: never 0, any order will do.
    uint64_t state = self->random_state;
    state ^= (state & (UINT64_MAX >> 13)) << 13;
    state ^= state >> 7;
    state ^= (state & (UINT64_MAX >> 17)) << 17;
    self->random_state = state;
    return state;
}

static bool may_run(const task_group *group) {
    return group->ready_count > 0 && group->running_count < group->running_limit &&
           !group->is_closing;
}

static uint64_t turn_of(const task_group *group) {
    return group->clock_ns + group->running_count * SLICE_GUESS_NS;
}

static task_group *choose_group(scheduler *self) {
    task_group *best = NULL;
    for (task_group *at = self->groups; at != NULL; at = at->next) {
        if (may_run(at) && (best == NULL || turn_of(at) < turn_of(best))) {
            best = at;
        }
    }
    return best;
}

void scheduler_wake_thread(scheduler *self) {
    if (self->idle_count > 0 && choose_group(self) != NULL) {
        condition_wake_one(&self->work);
    }
}

static task *choose_task(scheduler *self, const task_group *group) {
    if (self->options.order_seed == 0) {
        return group->ready[__builtin_ctz(group->ready_bits)].first;
    }
    uint64_t skip = next_random(self) % group->ready_count;
    for (size_t i = 0; i < DISTANCE_COUNT; i++) {
        for (task *at = group->ready[i].first; at != NULL; at = at->next) {
            if (skip == 0) {
                return at;
            }
            skip -= 1;
        }
    }
    assert(false); // ready_count says how many there are.
    return NULL;
}

task *scheduler_take(scheduler *self, task_group *group) {
    group = group == NULL ? choose_group(self) : group;
    if (group == NULL || !may_run(group)) {
        return NULL;
    }
    task *taken = choose_task(self, group);
    const uint32_t index = list_index(taken);
    task_list_remove(&group->ready[index], taken);
    if (group->ready[index].first == NULL) {
        group->ready_bits &= ~(UINT32_C(1) << index);
    }
    group->ready_count -= 1;
    group->running_count += 1;
    if (group->clock_ns > self->clock_floor_ns) {
        self->clock_floor_ns = group->clock_ns;
    }
    atomic_store(&taken->wakeup.state, TASK_RUNNING);
    return taken;
}

// ---- Running -----------------------------------------------------------------------------------

// `wake_count` is the group's when the slice began: whoever was woken with all others meanwhile has
// perhaps looked before there was something to see.
static void park(scheduler *self, task *waiting, uint64_t wake_count) {
    unsigned expected = TASK_RUNNING;
    if (waiting->group->wake_count == wake_count &&
        atomic_compare_exchange_strong(&waiting->wakeup.state, &expected, TASK_PARKED)) {
        task_list_append(&waiting->group->parked, waiting);
    } else {
        scheduler_make_ready(self, waiting); // Fired while it ran.
    }
}

NO_LOCK_CHECK void scheduler_run(scheduler *self, task *taken) {
    task_group *group = taken->group;
    const uint64_t wake_count = group->wake_count;
    mutex_unlock(&self->lock);
    const int64_t begin_ns = host_cpu_ns();
    const task_answer answer = taken->run(taken);
    const int64_t took_ns = host_cpu_ns() - begin_ns;
    mutex_lock(&self->lock);
    const uint64_t used_ns = took_ns > 0 ? (uint64_t)took_ns : 0;
    const bool was_full = group->running_count >= group->running_limit;
    group->running_count -= 1;
    group->clock_ns += used_ns;
    atomic_fetch_add(&group->cpu_ns, used_ns);
    switch (answer) {
    case TASK_AGAIN:
        scheduler_make_ready(self, taken);
        break;
    case TASK_WAIT:
        park(self, taken, wake_count);
        break;
    case TASK_DONE: // The task may be gone.
        break;
    }
    scheduler_note_event(group);
    if (was_full) {
        scheduler_wake_thread(self); // One more may come in.
    }
    if (group->is_closing) {
        condition_wake_all(&group->changed);
    }
}

// ---- Threads -----------------------------------------------------------------------------------

NO_LOCK_CHECK static void engine_thread_run(void *user) {
    engine_thread *thread = user;
    scheduler *self = thread->scheduler;
    mutex_lock(&self->lock);
    thread->id = host_thread_id();
    while (!self->is_closing && self->thread_count <= self->thread_limit) {
        task *taken = scheduler_take(self, NULL);
        if (taken != NULL) {
            scheduler_wake_thread(self);
            scheduler_run(self, taken);
        } else {
            self->idle_count += 1;
            condition_wait(&self->work, &self->lock, UINT32_MAX);
            self->idle_count -= 1;
        }
    }
    self->thread_count -= 1;
    thread->has_ended = true;
    scheduler_wake_thread(self);
    mutex_unlock(&self->lock);
}

// Another thread helps if there is more to do than the caller's thread and the idle ones will take.
static bool wants_thread(const scheduler *self) {
    if (self->is_closing || self->thread_count >= self->thread_limit) {
        return false;
    }
    for (const task_group *at = self->groups; at != NULL; at = at->next) {
        const uint32_t more = at->ready_count + at->running_count;
        if (may_run(at) && more > 1 && more - 1 > self->idle_count) {
            return true;
        }
    }
    return false;
}

// Takes ended threads out of the list (all of them when closing).
static engine_thread *take_ended(scheduler *self, bool takes_all) {
    engine_thread *ended = NULL;
    engine_thread **link = &self->threads;
    while (*link != NULL) {
        engine_thread *at = *link;
        if (takes_all || at->has_ended) {
            *link = at->next;
            at->next = ended;
            ended = at;
        } else {
            link = &at->next;
        }
    }
    return ended;
}

static void join(engine_thread *ended) {
    while (ended != NULL) {
        engine_thread *next = ended->next;
        host_thread_join(ended->thread);
        host_free(ended);
        ended = next;
    }
}

void scheduler_start_threads(scheduler *self) {
    firn_error ignored = ERR_INIT; // Without threads the caller's thread does the work.
    mutex_lock(&self->lock);
    const bool is_wanted = wants_thread(self);
    self->thread_count += is_wanted;
    engine_thread *ended = is_wanted ? take_ended(self, false) : NULL;
    mutex_unlock(&self->lock);
    join(ended);
    if (!is_wanted) {
        return;
    }
    engine_thread *thread = host_alloc(sizeof *thread);
    firn_status status = FIRN_NO_MEMORY;
    if (thread != NULL) {
        *thread = (engine_thread){.scheduler = self};
        // It is in the list before it runs, and nobody joins it before it has ended.
        mutex_lock(&self->lock);
        status = host_thread_start(engine_thread_run, thread, &thread->thread, &ignored);
        if (status == FIRN_OK) {
            thread->next = self->threads;
            self->threads = thread;
        }
        mutex_unlock(&self->lock);
    }
    if (status != FIRN_OK) {
        host_free(thread);
        mutex_lock(&self->lock);
        self->thread_count -= 1;
        mutex_unlock(&self->lock);
    }
}

// ---- Opening and closing -----------------------------------------------------------------------

firn_status scheduler_open(const scheduler_options *options, scheduler **out, firn_error *err) {
    assert(options->threads >= 1);
    scheduler *self = host_alloc(sizeof *self);
    *out = self;
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "no memory for a scheduler");
    }
    *self = (scheduler){.options = *options};
    self->random_state = options->order_seed;
    self->thread_limit = options->order_seed == 0 ? options->threads - 1 : 0;
    mutex_begin(&self->lock, MUTEX_SCHEDULER);
    condition_begin(&self->work);
    return FIRN_OK;
}

void scheduler_close(scheduler *self) {
    if (self == NULL) {
        return;
    }
    mutex_lock(&self->lock);
    assert(self->groups == NULL);
    self->is_closing = true;
    engine_thread *threads = take_ended(self, true);
    condition_wake_all(&self->work);
    mutex_unlock(&self->lock);
    join(threads);
    condition_end(&self->work);
    mutex_end(&self->lock);
    host_free(self);
}

void scheduler_stop(scheduler *self) {
    mutex_lock(&self->lock);
    self->thread_limit = 0;
    engine_thread *threads = take_ended(self, true);
    condition_wake_all(&self->work);
    mutex_unlock(&self->lock);
    join(threads);
}

void scheduler_set_threads(scheduler *self, uint32_t threads) {
    assert(threads >= 1);
    mutex_lock(&self->lock);
    self->thread_limit = self->options.order_seed == 0 ? threads - 1 : 0;
    condition_wake_all(&self->work);
    mutex_unlock(&self->lock);
}

uint32_t scheduler_thread_count(scheduler *self) {
    mutex_lock(&self->lock);
    const uint32_t count = self->thread_count;
    mutex_unlock(&self->lock);
    return count;
}

bool scheduler_is_on_thread(scheduler *self) {
    const uint64_t caller = host_thread_id();
    bool found = false;
    mutex_lock(&self->lock);
    for (const engine_thread *each = self->threads; each != NULL && !found; each = each->next) {
        found = each->id == caller && !each->has_ended;
    }
    mutex_unlock(&self->lock);
    return found;
}
