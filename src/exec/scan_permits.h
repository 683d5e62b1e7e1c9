// How many readers of files may hold pages at once in a query.
//
// Readers cannot shrink, and every pipeline that has begun has readers of its own: where memory is
// short a worker needs a permit before it opens one, and pipelines read one after the other. There
// are at least as many permits as workers, so no thread is idle for it. A worker has at most one,
// whatever chains it runs.
#ifndef FIRN_EXEC_SCAN_PERMITS_H
#define FIRN_EXEC_SCAN_PERMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mutex.h"

struct wakeup;

/// A scan's place for a worker's permit, zeroed at first. Must not move while it has or waits for
/// one.
typedef struct scan_permit {
    struct wakeup *worker; ///< NULL: neither.
    bool is_held;
    struct scan_permit *next;
} scan_permit;

typedef struct scan_permits {
    mutex lock;
    uint32_t free GUARDED_BY(&lock);
    scan_permit *holders GUARDED_BY(&lock);
    scan_permit *waiters GUARDED_BY(&lock);
} scan_permits;

/// With none to give away.
void scan_permits_begin(scan_permits *self);
/// All permits were given back.
void scan_permits_end(scan_permits *self);
void scan_permits_add(scan_permits *self, uint32_t count);
/// Takes a permit for the worker with this wakeup, or takes over the one it has for another scan.
/// False: there is none; the wakeup fires when it is worth asking again.
bool scan_permits_take(scan_permits *self, scan_permit *permit, struct wakeup *worker);
/// Gives it back, or stops waiting. Nothing if there is neither.
void scan_permits_give(scan_permits *self, scan_permit *permit);

#endif
