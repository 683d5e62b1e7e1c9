// Private to io/exchange*: the driver, and what becomes of one attempt.
#ifndef FIRN_IO_EXCHANGE_PRIVATE_H
#define FIRN_IO_EXCHANGE_PRIVATE_H

#include "base/host.h"
#include "io/exchange.h"

typedef struct exchange_list {
    exchange *first;
    exchange *last;
    uint32_t count;
} exchange_list;

static inline void exchange_list_add(exchange_list *self, exchange *what) {
    what->previous = self->last;
    what->next = NULL;
    if (self->last == NULL) {
        self->first = what;
    } else {
        self->last->next = what;
    }
    self->last = what;
    self->count += 1;
}

static inline void exchange_list_add_first(exchange_list *self, exchange *what) {
    what->previous = NULL;
    what->next = self->first;
    if (self->first == NULL) {
        self->last = what;
    } else {
        self->first->previous = what;
    }
    self->first = what;
    self->count += 1;
}

static inline void exchange_list_remove(exchange_list *self, exchange *what) {
    if (what->previous == NULL) {
        self->first = what->next;
    } else {
        what->previous->next = what->next;
    }
    if (what->next == NULL) {
        self->last = what->previous;
    } else {
        what->next->previous = what->previous;
    }
    what->previous = NULL;
    what->next = NULL;
    self->count -= 1;
}

struct exchange_driver {
    exchange_settings settings; // Defaults filled in.
    const net_module *net;
    net_client *client;
    uint32_t process_id;
    mutex lock;
    condition changed; // Something arrived, or the role of driver is free.
    bool is_driven GUARDED_BY(&lock);
    int64_t undriven_ns GUARDED_BY(&lock); // How long nobody drove, all in all.
    int64_t stopped_ns GUARDED_BY(&lock);  // What clock_ns was when somebody last did.
    bool has_thread GUARDED_BY(&lock);     // The I/O thread has the role, or waits for it.
    bool is_closing GUARDED_BY(&lock);
    host_thread *thread GUARDED_BY(&lock);
    exchange_list queued GUARDED_BY(&lock);
    exchange_list moving GUARDED_BY(&lock);
    exchange_list paused GUARDED_BY(&lock);
    bool has_news GUARDED_BY(&lock);     // Since waiters were last woken.
    io_ticket *waking GUARDED_BY(&lock); // Tickets whose waker is to be called.
};

/// What the module calls as an answer arrives.
extern const net_callbacks exchange_callbacks;

/// Time of the driver: only what passes while somebody drives.
static inline int64_t exchange_clock_ns(const exchange_driver *self) REQUIRES(&self->lock) {
    return self->is_driven ? host_clock_ns() - self->undriven_ns : self->stopped_ns;
}

static inline uint32_t exchange_timeout_ms(const exchange_driver *self) {
    return atomic_load_explicit(self->settings.timeout_ms, memory_order_relaxed);
}

/// When all attempts together have taken as long as they may.
int64_t exchange_end_of_time(const exchange_driver *self, const exchange *what);

/// Sends an exchange that is in no list.
void exchange_attempt_start(exchange_driver *self, exchange *what) REQUIRES(&self->lock);

/// Decides how an exchange goes on whose attempt is over and that is in no list: once more, to
/// where it was redirected, or done. `reason` is for a message.
void exchange_attempt_end(exchange_driver *self, exchange *what, net_end end, const char *reason)
    REQUIRES(&self->lock);

#endif
