// Reads that are on their way, and the scheduler: how a task that waits for bytes is made ready.
#ifndef FIRN_IO_IO_WAKEUP_H
#define FIRN_IO_IO_WAKEUP_H

#include "io/io.h"
#include "threads/scheduler.h"

static inline void io_wakeup_fire(void *user) {
    wakeup_fire(user);
}

/// For io_request.waker: makes the task of `handle` ready when something arrived. The handle lives
/// until the ticket is closed.
static inline io_waker io_waker_of(wakeup *handle) {
    return (io_waker){.wake = io_wakeup_fire, .user = handle};
}

/// For scheduler_options.idle, with an io as user: without an I/O thread, whoever finds nothing
/// ready moves the transfers on. What fails comes out of io_collect.
static inline void io_idle(void *user, uint32_t timeout_ms) {
    firn_error ignored = ERR_INIT;
    (void)(io_drive(user, timeout_ms, &ignored) == FIRN_OK);
}

#endif
