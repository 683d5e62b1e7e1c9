#include "base/mutex.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void must_be_zero(int error, const char *what) {
    if (error != 0) {
        (void)fprintf(stderr, "firn: %s: error %d\n", what, error);
        abort();
    }
}

// ---- Ranks -------------------------------------------------------------------------------------

#if defined(NDEBUG)

static void enter_rank(mutex_rank rank) {
    (void)rank;
}

static void leave_rank(mutex_rank rank) {
    (void)rank;
}

static void check_only_rank(mutex_rank rank) {
    (void)rank;
}

#else

static_assert(MUTEX_RANK_COUNT <= 32, "a bit for each rank");

// Bit r: this thread holds a lock of rank r. One bit is enough, since two locks of the same rank
// are never held together. The one hidden thread-local of firn, in debug builds only.
static _Thread_local uint32_t held_ranks;

static const char *rank_word(mutex_rank rank) {
    static const char *const words[] = {
#define X(name) #name,
        MUTEX_RANK_LIST(X)
#undef X
    };
    return rank < MUTEX_RANK_COUNT ? words[rank] : "no rank";
}

static void stop_for_order(const char *what, mutex_rank rank) {
    (void)fprintf(stderr, "firn: %s a lock of rank %s while holding", what, rank_word(rank));
    for (int held = 0; held < (int)MUTEX_RANK_COUNT; held++) {
        if ((held_ranks >> held & 1) != 0) {
            (void)fprintf(stderr, " %s", rank_word((mutex_rank)held));
        }
    }
    (void)fprintf(stderr, "\n");
    abort();
}

static void enter_rank(mutex_rank rank) {
    if (held_ranks >> rank != 0) {
        stop_for_order("taking", rank);
    }
    held_ranks |= UINT32_C(1) << rank;
}

static void leave_rank(mutex_rank rank) {
    if ((held_ranks >> rank & 1) == 0) {
        stop_for_order("giving back", rank);
    }
    held_ranks &= ~(UINT32_C(1) << rank);
}

// Whoever sleeps with another lock in hand stops all who want that one.
static void check_only_rank(mutex_rank rank) {
    if (held_ranks != UINT32_C(1) << rank) {
        stop_for_order("sleeping with", rank);
    }
}

#endif

// ---- Mutex -------------------------------------------------------------------------------------

void mutex_begin(mutex *self, mutex_rank rank) {
    assert(rank < MUTEX_RANK_COUNT);
    self->rank = rank;
    must_be_zero(pthread_mutex_init(&self->lock, NULL), "making a lock");
}

void mutex_end(mutex *self) {
    must_be_zero(pthread_mutex_destroy(&self->lock), "ending a lock");
}

NO_LOCK_CHECK void mutex_lock(mutex *self) {
    enter_rank(self->rank);
    must_be_zero(pthread_mutex_lock(&self->lock), "taking a lock");
}

NO_LOCK_CHECK void mutex_unlock(mutex *self) {
    leave_rank(self->rank);
    must_be_zero(pthread_mutex_unlock(&self->lock), "giving a lock back");
}

// ---- Condition ---------------------------------------------------------------------------------

void condition_begin(condition *self) {
    pthread_condattr_t attributes;
    must_be_zero(pthread_condattr_init(&attributes), "making a condition");
    // Not the wall clock, which may be set while somebody waits.
    must_be_zero(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC), "making a condition");
    must_be_zero(pthread_cond_init(&self->cond, &attributes), "making a condition");
    must_be_zero(pthread_condattr_destroy(&attributes), "making a condition");
}

void condition_end(condition *self) {
    must_be_zero(pthread_cond_destroy(&self->cond), "ending a condition");
}

NO_LOCK_CHECK void condition_wait(condition *self, mutex *lock, uint32_t timeout_ms) {
    check_only_rank(lock->rank);
    condition_wait_holding(self, lock, timeout_ms);
}

NO_LOCK_CHECK void condition_wait_holding(condition *self, mutex *lock, uint32_t timeout_ms) {
    if (timeout_ms == UINT32_MAX) {
        must_be_zero(pthread_cond_wait(&self->cond, &lock->lock), "waiting");
        return;
    }
    struct timespec until;
    must_be_zero(clock_gettime(CLOCK_MONOTONIC, &until), "reading the clock");
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec += 1;
        until.tv_nsec -= 1000000000;
    }
    const int error = pthread_cond_timedwait(&self->cond, &lock->lock, &until);
    must_be_zero(error == ETIMEDOUT ? 0 : error, "waiting");
}

void condition_wake_one(condition *self) {
    must_be_zero(pthread_cond_signal(&self->cond), "waking");
}

void condition_wake_all(condition *self) {
    must_be_zero(pthread_cond_broadcast(&self->cond), "waking");
}

#define BYTES_PER_WORK 16 // Compared at once, so many cost as much as one that is read by itself.

int cancel_watch_compare_long(cancel_watch *self, const void *left, const void *right,
                              size_t size) {
    for (size_t at = 0; at < size; at += CANCEL_COPY_STEP) {
        const size_t step = size - at < CANCEL_COPY_STEP ? size - at : CANCEL_COPY_STEP;
        const int order = memcmp((const char *)left + at, (const char *)right + at, step);
        if (order != 0 || cancel_watch_is_raised(self, step / BYTES_PER_WORK)) {
            return order;
        }
    }
    return 0;
}
