#include "exec/order.h"

#define TASKS_AHEAD 4 // Per worker, past the oldest unfinished task.

struct order_gate {
    mutex lock;
    uint32_t chain_count;
    uint32_t ahead_max;
    uint32_t slot_count; // Tasks and waiters at once: one each per worker.
    uint32_t *ended;     // By chain: workers that are through with it.
    bool *chain_is_done;
    uint32_t done_count; // Chains before the first that is not done.
    uint64_t *next;      // By chain: all tasks below it (within the chain) have begun.
    uint64_t *ahead;     // By chain: tasks above it that have begun.
    uint32_t ahead_count_max;
    uint64_t *running; // Unfinished tasks; UINT64_MAX: the slot is free.
    wakeup **waiters;
};

#define FREE_SLOT UINT64_MAX

firn_status order_gate_open(arena *memory, uint32_t chain_count, uint32_t worker_count,
                            order_gate **out, firn_error *err) {
    order_gate *self = ARENA_NEW(memory, order_gate, 1);
    bool *done = ARENA_NEW(memory, bool, chain_count);
    uint32_t *ended = ARENA_NEW(memory, uint32_t, chain_count);
    uint64_t *next = ARENA_NEW(memory, uint64_t, chain_count);
    const uint32_t ahead_count_max = worker_count * (TASKS_AHEAD + 1);
    uint64_t *ahead = ARENA_NEW(memory, uint64_t, (size_t)chain_count *ahead_count_max);
    uint64_t *running = ARENA_NEW(memory, uint64_t, worker_count);
    wakeup **waiters = ARENA_NEW(memory, wakeup *, worker_count);
    if (self == NULL || done == NULL || ended == NULL || next == NULL || ahead == NULL ||
        running == NULL || waiters == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (order_gate){.chain_count = chain_count,
                         .ahead_max = worker_count * TASKS_AHEAD,
                         .slot_count = worker_count,
                         .ended = ended,
                         .chain_is_done = done,
                         .next = next,
                         .ahead = ahead,
                         .ahead_count_max = ahead_count_max,
                         .running = running,
                         .waiters = waiters};
    for (uint32_t i = 0; i < chain_count; i++) {
        done[i] = false;
        ended[i] = 0;
        next[i] = 0;
    }
    for (uint32_t i = 0; i < chain_count * ahead_count_max; i++) {
        ahead[i] = FREE_SLOT;
    }
    for (uint32_t i = 0; i < worker_count; i++) {
        running[i] = FREE_SLOT;
        waiters[i] = NULL;
    }
    mutex_begin(&self->lock, MUTEX_OPERATOR);
    *out = self;
    return FIRN_OK;
}

void order_gate_close(order_gate *self) {
    if (self != NULL) {
        mutex_end(&self->lock);
    }
}

static uint64_t oldest(const order_gate *self) {
    uint64_t task = UINT64_MAX;
    for (uint32_t i = 0; i < self->slot_count; i++) {
        task = self->running[i] < task ? self->running[i] : task;
    }
    const uint32_t chain = self->done_count;
    const uint64_t next = chain == self->chain_count
                              ? UINT64_MAX
                              : (uint64_t)chain << ORDER_CHAIN_SHIFT | self->next[chain];
    return next < task ? next : task;
}

static bool take_ahead(uint64_t *ahead, uint32_t count, uint64_t number) {
    for (uint32_t i = 0; i < count; i++) {
        if (ahead[i] == number) {
            ahead[i] = FREE_SLOT;
            return true;
        }
    }
    return false;
}

// Workers take numbers in order but come here in any: the ones that come early are remembered until
// those before them have begun too.
static void note_begun(order_gate *self, uint64_t chain, uint64_t number) {
    uint64_t *ahead = &self->ahead[chain * self->ahead_count_max];
    uint64_t *next = &self->next[chain];
    if (number != *next) {
        for (uint32_t i = 0; i < self->ahead_count_max; i++) {
            if (ahead[i] == FREE_SLOT) {
                ahead[i] = number;
                return;
            }
        }
        return;
    }
    *next = number + 1;
    while (take_ahead(ahead, self->ahead_count_max, *next)) {
        *next += 1;
    }
}

// Each worker waits for one thing at a time: there is a slot. With the lock held.
static void add_waiter(order_gate *self, wakeup *waiter) {
    for (uint32_t i = 0; i < self->slot_count; i++) {
        if (self->waiters[i] == NULL || self->waiters[i] == waiter) {
            self->waiters[i] = waiter;
            return;
        }
    }
}

void order_gate_watch(order_gate *self, wakeup *waiter) {
    mutex_lock(&self->lock);
    add_waiter(self, waiter);
    mutex_unlock(&self->lock);
}

bool order_gate_begin(order_gate *self, uint64_t task, wakeup *waiter) {
    mutex_lock(&self->lock);
    const uint64_t first = oldest(self);
    const bool may = task < first || task - first <= self->ahead_max;
    for (uint32_t i = 0; i < self->slot_count && may; i++) {
        if (self->running[i] == FREE_SLOT) {
            self->running[i] = task;
            note_begun(self, task >> ORDER_CHAIN_SHIFT,
                       task & ((UINT64_C(1) << ORDER_CHAIN_SHIFT) - 1));
            break;
        }
    }
    if (!may) {
        add_waiter(self, waiter);
    }
    mutex_unlock(&self->lock);
    return may;
}

// Lets everybody who waits look again. With the lock held: wakeup_fire takes a later rank.
static void wake_waiters(order_gate *self) {
    for (uint32_t i = 0; i < self->slot_count; i++) {
        if (self->waiters[i] != NULL) {
            wakeup_fire(self->waiters[i]);
            self->waiters[i] = NULL;
        }
    }
}

void order_gate_end(order_gate *self, uint64_t task) {
    mutex_lock(&self->lock);
    for (uint32_t i = 0; i < self->slot_count; i++) {
        if (self->running[i] == task) {
            self->running[i] = FREE_SLOT;
        }
    }
    wake_waiters(self);
    mutex_unlock(&self->lock);
}

void order_gate_end_chain(order_gate *self, uint32_t chain, uint32_t worker_count) {
    mutex_lock(&self->lock);
    self->ended[chain]++;
    if (self->ended[chain] >= worker_count) {
        self->chain_is_done[chain] = true;
        while (self->done_count < self->chain_count && self->chain_is_done[self->done_count]) {
            self->done_count++;
        }
        wake_waiters(self);
    }
    mutex_unlock(&self->lock);
}

uint64_t order_gate_watermark(order_gate *self) {
    mutex_lock(&self->lock);
    const uint64_t task = oldest(self);
    mutex_unlock(&self->lock);
    return task;
}
