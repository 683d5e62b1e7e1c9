// Who waits until something of a shared state is different: each once, all woken together. It has
// no lock: that of the state guards it, and whoever wakes holds it.
#ifndef FIRN_THREADS_WAKEUP_LIST_H
#define FIRN_THREADS_WAKEUP_LIST_H

#include "memory/arena.h"
#include "threads/scheduler.h"

typedef struct wakeup_list {
    uint32_t capacity;
    wakeup **waiting; // NULL: a free place.
} wakeup_list;

/// Room for `capacity` that wait at a time, in `memory`.
firn_status wakeup_list_open(uint32_t capacity, arena *memory, wakeup_list *out, firn_error *err);
/// There is room for it, or it is there already.
void wakeup_list_add(wakeup_list *self, wakeup *added);
/// Before the task of it goes.
void wakeup_list_forget(wakeup_list *self, const wakeup *which);
/// Fires all of them, and forgets them.
void wakeup_list_fire(wakeup_list *self);

#endif
