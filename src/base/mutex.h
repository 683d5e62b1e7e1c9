// Locks with ranks, condition variables, and the cancel flag.
//
// A thread may take a lock only while all locks it holds have a smaller rank; debug builds stop
// when it does not, so a deadlock is found by the first test that could have had one.
#ifndef FIRN_BASE_MUTEX_H
#define FIRN_BASE_MUTEX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"
#include "base/error.h"

// From the outermost to the innermost.
#define MUTEX_RANK_LIST(X)                                                                         \
    X(ENGINE)                                                                                      \
    X(SESSION)                                                                                     \
    X(CATALOG)                                                                                     \
    X(TABLE)                                                                                       \
    X(QUERY)                                                                                       \
    X(EXECUTION)                                                                                   \
    X(TABLE_SCAN)                                                                                  \
    X(OPERATOR)                                                                                    \
    X(SCHEDULER)                                                                                   \
    X(IO)                                                                                          \
    X(CACHE)                                                                                       \
    X(SPILL)                                                                                       \
    X(POOL)                                                                                        \
    X(LEAF)

#define X(name) MUTEX_##name,
typedef enum mutex_rank { MUTEX_RANK_LIST(X) MUTEX_RANK_COUNT } mutex_rank;
#undef X

typedef struct CAPABILITY("mutex") mutex {
    pthread_mutex_t lock;
    mutex_rank rank;
} mutex;

/// Begins and ends a mutex; it lives inside another struct.
void mutex_begin(mutex *self, mutex_rank rank);
void mutex_end(mutex *self);
void mutex_lock(mutex *self) ACQUIRE(self);
void mutex_unlock(mutex *self) RELEASE(self);

typedef struct condition {
    pthread_cond_t cond;
} condition;
void condition_begin(condition *self);
void condition_end(condition *self);
/// Waits until woken or `timeout_ms` passed (UINT32_MAX: for ever). Holds `lock` before and after.
void condition_wait(condition *self, mutex *lock, uint32_t timeout_ms) REQUIRES(lock);
/// The same for a thread that may hold other locks, of smaller ranks: whoever wants those waits as
/// long, so what is waited for must come, or be given up, without them.
void condition_wait_holding(condition *self, mutex *lock, uint32_t timeout_ms) REQUIRES(lock);
void condition_wake_one(condition *self);
void condition_wake_all(condition *self);

/// Raised once by whoever wants a query to stop; looked at every 10 ms by everything that works for
/// it. A flag may have a parent (a session's), whose raising counts as its own.
typedef struct cancel_flag {
    atomic_bool raised;
    const struct cancel_flag *parent; // NULL if none; outlives this one.
} cancel_flag;

static inline void cancel_raise(cancel_flag *self) {
    atomic_store_explicit(&self->raised, true, memory_order_relaxed);
}

static inline bool cancel_is_raised(const cancel_flag *self) {
    for (; self != NULL; self = self->parent) {
        if (atomic_load_explicit(&self->raised, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

#define CANCEL_COPY_STEP ((size_t)1 << 20)

/// memcpy that leaves off, and answers false, when the flag is raised meanwhile.
static inline bool cancel_copy(const cancel_flag *self, void *out, const void *in, size_t size) {
    for (; size > CANCEL_COPY_STEP; size -= CANCEL_COPY_STEP) {
        memcpy(out, in, CANCEL_COPY_STEP);
        if (cancel_is_raised(self)) {
            return false;
        }
        out = (char *)out + CANCEL_COPY_STEP;
        in = (const char *)in + CANCEL_COPY_STEP;
    }
    if (size > 0) {
        memcpy(out, in, size);
    }
    return true;
}

/// FIRN_OK, or FIRN_CANCELLED with its text. NULL counts as never raised.
static inline firn_status cancel_check(const cancel_flag *self, firn_error *err) {
    if (cancel_is_raised(self)) {
        return FAIL(err, FIRN_CANCELLED, "the query was stopped");
    }
    return FIRN_OK;
}

/// Counts the work on values of any size, and looks at a flag once in a while.
typedef struct cancel_watch {
    const cancel_flag *cancel; ///< NULL: it is never raised.
    size_t done;               ///< Since it last looked.
} cancel_watch;

#define CANCEL_LOOK_EVERY ((size_t)1 << 16)

/// Counts work: bytes that are read one by one, elements that are compared. Once the flag was seen
/// raised the answer stays true. `self` may be NULL: nobody looks.
static inline bool cancel_watch_is_raised(cancel_watch *self, size_t work) {
    if (self == NULL) {
        return false;
    }
    self->done += work;
    if (self->done < CANCEL_LOOK_EVERY) {
        return false;
    }
    if (cancel_is_raised(self->cancel)) {
        return true;
    }
    self->done = 0;
    return false;
}

#define CANCEL_LONG ((size_t)4096) // Bytes from which on the work on one value is counted.

int cancel_watch_compare_long(cancel_watch *self, const void *left, const void *right, size_t size);

/// memcmp that counts its work: any answer once the flag is raised. `self` may be NULL.
static inline int cancel_watch_compare(cancel_watch *self, const void *left, const void *right,
                                       size_t size) {
    return size > CANCEL_LONG ? cancel_watch_compare_long(self, left, right, size)
           : size == 0        ? 0
                              : memcmp(left, right, size);
}

#endif
