#include "exec/scan_permits.h"

#include <assert.h>

#include "threads/scheduler.h"

static void enter(scan_permit **list, scan_permit *permit, wakeup *worker, bool is_held) {
    *permit = (scan_permit){.worker = worker, .is_held = is_held, .next = *list};
    *list = permit;
}

static void leave(scan_permit **list, scan_permit *permit) {
    while (*list != permit) {
        list = &(*list)->next;
    }
    *list = permit->next;
    *permit = (scan_permit){.worker = NULL};
}

void scan_permits_begin(scan_permits *self) {
    *self = (scan_permits){.free = 0};
    mutex_begin(&self->lock, MUTEX_OPERATOR);
}

NO_LOCK_CHECK void scan_permits_end(scan_permits *self) {
    assert(self->holders == NULL && self->waiters == NULL);
    mutex_end(&self->lock);
}

void scan_permits_add(scan_permits *self, uint32_t count) {
    mutex_lock(&self->lock);
    self->free += count;
    mutex_unlock(&self->lock);
}

bool scan_permits_take(scan_permits *self, scan_permit *permit, wakeup *worker) {
    if (permit->is_held) {
        return true;
    }
    mutex_lock(&self->lock);
    scan_permit *other = self->holders;
    while (other != NULL && other->worker != worker) {
        other = other->next;
    }
    if (permit->worker != NULL) {
        leave(&self->waiters, permit);
    }
    const bool is_taken = other != NULL || self->free > 0;
    if (other != NULL) {
        leave(&self->holders, other);
    } else if (is_taken) {
        self->free--;
    }
    enter(is_taken ? &self->holders : &self->waiters, permit, worker, is_taken);
    mutex_unlock(&self->lock);
    return is_taken;
}

void scan_permits_give(scan_permits *self, scan_permit *permit) {
    mutex_lock(&self->lock);
    if (permit->is_held) {
        leave(&self->holders, permit);
        self->free++;
        // All of them: one alone may have lost interest.
        for (scan_permit *each = self->waiters; each != NULL; each = each->next) {
            wakeup_fire(each->worker);
        }
    } else if (permit->worker != NULL) {
        leave(&self->waiters, permit);
    }
    mutex_unlock(&self->lock);
}
