// Requests and answers over the network: queue, repeats, redirects, time limits, cancelling. What
// moves the bytes is a net_module; what the bytes mean is the business of an exchange_kind.
//
//     exchange_submit ─► QUEUED ─► MOVING ─► done
//                           ▲         │
//                           └─ PAUSED ┘   repeat after a growing pause
//
// **Who drives.** One thread at a time has the role of driver: it starts calls, waits on sockets,
// and runs the callbacks. It is the I/O thread, if there is one; else whoever waits takes the role
// while it waits, and others that wait meanwhile are woken by it.
//
// Time is only what passes while somebody drives: a query that nobody pulls from, in an engine
// without I/O thread, finds its transfers where they were.
//
// The callbacks of a kind run on the driver's thread under the driver's lock, so they see a state
// that exchange_drop cannot change under them; they are short.
#ifndef FIRN_IO_EXCHANGE_H
#define FIRN_IO_EXCHANGE_H

#include "io/exchange_head.h"
#include "io/exchange_time.h"
#include "io/io.h"
#include "io/net_module.h"

typedef struct exchange exchange;
typedef struct exchange_driver exchange_driver;

/// Zero is the default for each, see io_options.
typedef struct exchange_settings {
    const net_module *net; // NULL: load firn_net.so.
    const atomic_bool *thread_allowed;
    const atomic_uint *timeout_ms; // See exchange_time.h; not 0.
    uint32_t connection_count;
    uint32_t connect_timeout_ms;
    uint32_t retry_count;
    uint32_t retry_pause_ms;
} exchange_settings;

/// What a consumer makes of an exchange. Each may be NULL but `done`.
typedef struct exchange_kind {
    /// Before each attempt: may set `call.headers` anew (a range that begins later).
    void (*begin)(exchange *self);
    /// An answer begins; headers that came before were of another one.
    void (*status)(exchange *self);
    void (*header)(exchange *self, text name, text value);
    /// The head is complete and its status is final. False: `self->status` says why.
    bool (*head)(exchange *self);
    /// Body of a final answer. False stops it; with self->status FIRN_OK that is a success.
    bool (*body)(exchange *self, bytes part);
    /// Over, with self->status and self->head. The exchange is the kind's again.
    void (*done)(exchange *self);
} exchange_kind;

typedef enum exchange_state {
    EXCHANGE_IDLE,
    EXCHANGE_QUEUED,
    EXCHANGE_MOVING,
    EXCHANGE_PAUSED,
} exchange_state;

/// A request on its way. The kind's memory, which stays where it is until `done` or exchange_drop.
/// The upper members are set before exchange_submit.
struct exchange {
    net_call call;
    const exchange_kind *kind;
    text url;                  // As shown in messages; the one to call is in `call`.
    bool is_repeatable;        // Doing it twice does no harm.
    bool repeats_500;          // 500 means "try again", as object stores mean it.
    bool keeps_redirects;      // A redirect is an answer like any other.
    uint32_t total_timeout_ms; // Of all attempts together; 0: exchange_time.h says when it ends.
    exchange_driver *driver;
    // Guarded by the driver's lock:
    exchange_state state;
    bool is_dropped;
    bool is_progress; // Bytes arrived that need not be asked for again: attempts count anew.
    bool is_foreign;  // Was redirected to another server.
    exchange *previous;
    exchange *next;
    uint32_t attempt;
    uint32_t redirect_count;
    int64_t begun_ns; // When it was queued.
    exchange_time time;
    int64_t due_ns;    // PAUSED: when to go on.
    size_t head_bytes; // Of the answer's headers, against HEAD_BYTES_MAX.
    bool head_is_told;
    arena memory; // Redirected URL; unused as a rule.
    exchange_head head;
    firn_status status;
    bool may_be_done; // After a failure: the server may have seen and done it.
    bool is_given;    // The module has taken it, so that it may have been sent.
    firn_error error;
};

firn_status exchange_driver_open(const exchange_settings *settings, arena *memory,
                                 exchange_driver **out, firn_error *err);
/// Joins the I/O thread. No exchange may be left. NULL: nothing.
void exchange_driver_close(exchange_driver *self);
/// What guards exchanges, tickets and the identities of remote files.
mutex *exchange_lock(exchange_driver *self);

/// Sends it off. Errors: FIRN_NO_MEMORY (queue full), FIRN_INVALID (forked process, a header or URL
/// that HTTP does not allow). After an error the exchange was not taken.
firn_status exchange_submit(exchange_driver *self, exchange *what, firn_error *err);

/// exchange_submit in two steps, for several at once: the first under the lock, the second not.
firn_status exchange_queue(exchange_driver *self, exchange *what, firn_error *err);
void exchange_kick(exchange_driver *self);

/// Stops it, without `done`, wherever it is. On return nobody uses it. Done already: nothing. Not
/// from a callback.
void exchange_drop(exchange_driver *self, exchange *what);
/// Announces an exchange_drop, so that several are stopped in one round. The caller holds the lock.
void exchange_drop_soon(exchange *what);

/// Waits until `is_ready` says so, which is asked under the lock. FIRN_CANCELLED within 50 ms.
firn_status exchange_wait(exchange_driver *self, bool (*is_ready)(const void *user),
                          const void *user, const cancel_flag *cancel, firn_error *err);

/// Moves things on without waiting, unless somebody else does so anyway.
void exchange_nudge(exchange_driver *self);

/// See io_drive.
firn_status exchange_drive(exchange_driver *self, uint32_t round_ms, firn_error *err);

/// Has the ticket's waker called, after the current round. The caller holds the lock.
void exchange_wake_later(exchange_driver *self, io_ticket *ticket);
/// Waits until no waker of the ticket is being called. The caller does not hold the lock.
void exchange_end_waking(exchange_driver *self, io_ticket *ticket);

uint32_t exchange_moving_count(exchange_driver *self);

#endif
