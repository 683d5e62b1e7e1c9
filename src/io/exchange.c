#include <assert.h>
#include <string.h>

#include "io/exchange_private.h"
#include "io/net_loader.h"

#define CONNECTION_COUNT 64
#define CONNECT_TIMEOUT_MS 10000
#define RETRY_COUNT 4
#define RETRY_PAUSE_MS 100
#define WAITING_COUNT_MAX 65536
#define EXCHANGE_MEMORY_LIMIT ((size_t)256 << 10)
// How often a waiter looks at its cancel flag.
#define LOOK_MS 20
#define THREAD_ROUND_MS 1000

// ---- The role of driver ------------------------------------------------------------------------

static void begin_driving(exchange_driver *self) REQUIRES(&self->lock) {
    self->undriven_ns = host_clock_ns() - self->stopped_ns;
    self->is_driven = true;
}

static void end_driving(exchange_driver *self) REQUIRES(&self->lock) {
    self->stopped_ns = exchange_clock_ns(self);
    self->is_driven = false;
    condition_wake_all(&self->changed);
}

static void earlier(int64_t *due_ns, int64_t other_ns) {
    if (other_ns < *due_ns) {
        *due_ns = other_ns;
    }
}

// Stops what was dropped or is out of time. Lowers `due_ns` to when that is the next time.
static void stop_unwanted(exchange_driver *self, int64_t now_ns, int64_t *due_ns)
    REQUIRES(&self->lock) {
    exchange *next;
    for (exchange *what = self->moving.first; what != NULL; what = next) {
        next = what->next;
        const int64_t end_ns = what->total_timeout_ms != 0
                                   ? exchange_end_of_time(self, what)
                                   : exchange_time_end(&what->time, exchange_timeout_ms(self));
        if (!what->is_dropped && now_ns < end_ns) {
            earlier(due_ns, end_ns);
            continue;
        }
        char reason[EXCHANGE_TIME_REASON_BYTES] = "no whole answer came in time";
        if (what->total_timeout_ms == 0) {
            exchange_time_reason(&what->time, now_ns, exchange_timeout_ms(self), reason);
        }
        self->net->stop(self->client, &what->call);
        exchange_list_remove(&self->moving, what);
        exchange_attempt_end(self, what, NET_BROKEN, reason);
    }
}

static void start_due(exchange_driver *self, int64_t now_ns, int64_t *due_ns)
    REQUIRES(&self->lock) {
    exchange *next;
    for (exchange *what = self->paused.first; what != NULL; what = next) {
        next = what->next;
        if (what->due_ns > now_ns) {
            earlier(due_ns, what->due_ns);
            continue;
        }
        exchange_list_remove(&self->paused, what);
        what->state = EXCHANGE_QUEUED;
        exchange_list_add_first(&self->queued, what); // Its patience is running out.
    }
    while (self->queued.first != NULL && self->moving.count < self->settings.connection_count) {
        exchange *what = self->queued.first;
        exchange_list_remove(&self->queued, what);
        exchange_attempt_start(self, what);
    }
}

static void call_wakers(exchange_driver *self) REQUIRES(&self->lock) {
    while (self->waking != NULL) {
        io_ticket *ticket = self->waking;
        self->waking = ticket->next_waking;
        ticket->is_waking = false;
        const io_waker waker = ticket->request.waker;
        if (waker.wake != NULL) {
            ticket->waking_count += 1; // Until it is 0 the ticket is not closed.
            mutex_unlock(&self->lock);
            waker.wake(waker.user);
            mutex_lock(&self->lock);
            ticket->waking_count -= 1;
        }
    }
}

// One round of whoever has the role.
static void drive_round(exchange_driver *self, uint32_t round_ms) REQUIRES(&self->lock) {
    const int64_t now_ns = exchange_clock_ns(self);
    int64_t due_ns = now_ns + (int64_t)round_ms * 1000000;
    start_due(self, now_ns, &due_ns);
    stop_unwanted(self, now_ns, &due_ns);
    const int64_t left_ns = self->has_news || due_ns < now_ns ? 0 : due_ns - now_ns;
    mutex_unlock(&self->lock);
    self->net->drive(self->client, (uint32_t)((left_ns + 999999) / 1000000));
    mutex_lock(&self->lock);
    if (self->has_news) {
        self->has_news = false;
        call_wakers(self);
        condition_wake_all(&self->changed);
    }
}

// A round by a thread that waits, if nobody else has the role.
static bool drive_if_free(exchange_driver *self, uint32_t round_ms) REQUIRES(&self->lock) {
    if (self->is_driven || self->has_thread) {
        return false;
    }
    begin_driving(self);
    drive_round(self, round_ms);
    end_driving(self);
    return true;
}

static void run_thread(void *user) {
    exchange_driver *self = user;
    mutex_lock(&self->lock);
    while (self->is_driven) {
        condition_wait(&self->changed, &self->lock, LOOK_MS);
    }
    begin_driving(self);
    while (!self->is_closing) {
        drive_round(self, THREAD_ROUND_MS);
    }
    end_driving(self);
    mutex_unlock(&self->lock);
}

// Without a thread the waiters drive; so it is no error if there is none to be had.
static void start_thread(exchange_driver *self) REQUIRES(&self->lock) {
    if (!self->has_thread &&
        atomic_load_explicit(self->settings.thread_allowed, memory_order_relaxed)) {
        firn_error ignored = ERR_INIT;
        self->has_thread = host_thread_start(run_thread, self, &self->thread, &ignored) == FIRN_OK;
    }
}

// ---- Functions of the header -------------------------------------------------------------------

static uint32_t or_default(uint32_t value, uint32_t otherwise) {
    return value == 0 ? otherwise : value;
}

firn_status exchange_driver_open(const exchange_settings *settings, arena *memory,
                                 exchange_driver **out, firn_error *err) {
    *out = NULL;
    const net_module *net = settings->net;
    if (net == NULL) {
        TRY(net_module_load(&net, err));
    }
    exchange_driver *self = ARENA_NEW(memory, exchange_driver, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (exchange_driver){.settings = *settings,
                              .net = net,
                              .process_id = host_process_id(),
                              .stopped_ns = host_clock_ns()};
    self->settings.connection_count = or_default(settings->connection_count, CONNECTION_COUNT);
    self->settings.connect_timeout_ms =
        or_default(settings->connect_timeout_ms, CONNECT_TIMEOUT_MS);
    self->settings.retry_count = or_default(settings->retry_count, RETRY_COUNT);
    self->settings.retry_pause_ms = or_default(settings->retry_pause_ms, RETRY_PAUSE_MS);
    self->client = net->open(&net_host_functions, self->settings.connection_count);
    if (self->client == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the network module has no memory to begin with");
    }
    mutex_begin(&self->lock, MUTEX_CACHE);
    condition_begin(&self->changed);
    *out = self;
    return FIRN_OK;
}

void exchange_driver_close(exchange_driver *self) {
    if (self == NULL) {
        return;
    }
    mutex_lock(&self->lock);
    assert(self->queued.count == 0 && self->moving.count == 0 && self->paused.count == 0);
    self->is_closing = true;
    host_thread *thread = self->thread;
    mutex_unlock(&self->lock);
    self->net->wake(self->client);
    host_thread_join(thread);
    self->net->close(self->client);
    condition_end(&self->changed);
    mutex_end(&self->lock);
}

mutex *exchange_lock(exchange_driver *self) {
    return &self->lock;
}

static bool is_url_byte(char byte) {
    return byte > ' ' && byte < 0x7f && strchr("\"<>\\^`{|}", byte) == NULL;
}

static bool is_line(text value) {
    for (size_t i = 0; i < value.size; i++) {
        const unsigned char byte = (unsigned char)value.data[i];
        if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
            return false;
        }
    }
    return true;
}

// A line break in a header would begin another one, of whoever made the value.
static firn_status check_call(const exchange *self, firn_error *err) {
    for (const char *at = self->call.url; *at != '\0'; at++) {
        if (!is_url_byte(*at)) {
            return FAIL(err, FIRN_INVALID, "\"%.*s\" holds a byte that a URL may not have",
                        TEXT_ARGS(self->url));
        }
    }
    // libcurl takes the first part of the path for the host then.
    const char *host = strstr(self->call.url, "://");
    if (host == NULL || host[3] == '\0' || strchr("/?#:", host[3]) != NULL) {
        return FAIL(err, FIRN_INVALID, "\"%.*s\" names no host", TEXT_ARGS(self->url));
    }
    for (uint32_t i = 0; i < self->call.header_count; i++) {
        const net_header *header = &self->call.headers[i];
        const bool has_name = header->name.size > 0 &&
                              text_find(header->name, TEXT(":")) == header->name.size &&
                              text_find(header->name, TEXT(" ")) == header->name.size;
        if (!has_name || !is_line(header->name)) {
            return FAIL(err, FIRN_INVALID, "header %u has no name that HTTP allows", i);
        }
        if (!is_line(header->value)) {
            return FAIL(err, FIRN_INVALID, "header \"%.*s\" holds a control character",
                        TEXT_ARGS(header->name));
        }
    }
    return FIRN_OK;
}

static firn_status queue(exchange_driver *self, exchange *what, firn_error *err)
    REQUIRES(&self->lock) {
    if (host_process_id() != self->process_id) {
        return FAIL(err, FIRN_INVALID, "the engine was opened by another process (fork)");
    }
    TRY(check_call(what, err));
    if (self->queued.count >= WAITING_COUNT_MAX) {
        return FAIL(err, FIRN_NO_MEMORY, "%d requests are waiting, no more are taken",
                    WAITING_COUNT_MAX);
    }
    what->driver = self;
    what->call.callbacks = &exchange_callbacks;
    what->call.connect_timeout_ms =
        or_default(what->call.connect_timeout_ms, self->settings.connect_timeout_ms);
    what->is_dropped = false;
    what->is_progress = false;
    what->is_foreign = false;
    what->attempt = 0;
    what->begun_ns = exchange_clock_ns(self);
    what->time.patient_ns = 0;
    what->redirect_count = 0;
    what->memory = arena_open(EXCHANGE_MEMORY_LIMIT);
    what->status = FIRN_OK;
    what->error = ERR_INIT;
    what->may_be_done = false;
    what->state = EXCHANGE_QUEUED;
    exchange_list_add(&self->queued, what);
    start_thread(self);
    return FIRN_OK;
}

NO_LOCK_CHECK firn_status exchange_queue(exchange_driver *self, exchange *what, firn_error *err) {
    return queue(self, what, err);
}

void exchange_kick(exchange_driver *self) {
    mutex_lock(&self->lock);
    const bool is_driven = self->has_thread || self->is_driven;
    mutex_unlock(&self->lock);
    if (is_driven) {
        self->net->wake(self->client);
    }
}

firn_status exchange_submit(exchange_driver *self, exchange *what, firn_error *err) {
    mutex_lock(&self->lock);
    const firn_status status = queue(self, what, err);
    mutex_unlock(&self->lock);
    exchange_kick(self);
    return status;
}

void exchange_drop_soon(exchange *what) {
    what->is_dropped = true;
}

void exchange_drop(exchange_driver *self, exchange *what) {
    mutex_lock(&self->lock);
    if (what->state == EXCHANGE_QUEUED || what->state == EXCHANGE_PAUSED) {
        exchange_list_remove(what->state == EXCHANGE_QUEUED ? &self->queued : &self->paused, what);
        what->state = EXCHANGE_IDLE;
        arena_close(&what->memory);
    }
    what->is_dropped = true;
    while (what->state == EXCHANGE_MOVING) {
        if (!drive_if_free(self, 0)) {
            self->net->wake(self->client);
            condition_wait(&self->changed, &self->lock, LOOK_MS);
        }
    }
    mutex_unlock(&self->lock);
}

firn_status exchange_wait(exchange_driver *self, bool (*is_ready)(const void *user),
                          const void *user, const cancel_flag *cancel, firn_error *err) {
    firn_status status = FIRN_OK;
    mutex_lock(&self->lock);
    while (!is_ready(user) && status == FIRN_OK) {
        status = cancel_check(cancel, err);
        if (status == FIRN_OK && !drive_if_free(self, LOOK_MS)) {
            condition_wait(&self->changed, &self->lock, LOOK_MS);
        }
    }
    mutex_unlock(&self->lock);
    return status;
}

void exchange_nudge(exchange_driver *self) {
    mutex_lock(&self->lock);
    (void)drive_if_free(self, 0);
    mutex_unlock(&self->lock);
}

firn_status exchange_drive(exchange_driver *self, uint32_t round_ms, firn_error *err) {
    if (host_process_id() != self->process_id) {
        return FAIL(err, FIRN_INVALID, "the engine was opened by another process (fork)");
    }
    mutex_lock(&self->lock);
    const bool is_idle =
        self->queued.count == 0 && self->moving.count == 0 && self->paused.count == 0;
    if (!is_idle && !drive_if_free(self, round_ms)) {
        condition_wait(&self->changed, &self->lock, round_ms);
    }
    mutex_unlock(&self->lock);
    return FIRN_OK;
}

NO_LOCK_CHECK void exchange_wake_later(exchange_driver *self, io_ticket *ticket) {
    if (!ticket->is_waking) {
        ticket->is_waking = true;
        ticket->next_waking = self->waking;
        self->waking = ticket;
    }
}

void exchange_end_waking(exchange_driver *self, io_ticket *ticket) {
    mutex_lock(&self->lock);
    io_ticket **link = &self->waking;
    while (ticket->is_waking) {
        if (*link == ticket) {
            *link = ticket->next_waking;
            ticket->is_waking = false;
        } else {
            link = &(*link)->next_waking;
        }
    }
    // A waker only puts a task in line. Whoever closes the ticket may hold the lock of a planner,
    // so this is no sleep.
    while (ticket->waking_count > 0) {
        mutex_unlock(&self->lock);
        host_yield();
        mutex_lock(&self->lock);
    }
    mutex_unlock(&self->lock);
}

uint32_t exchange_moving_count(exchange_driver *self) {
    mutex_lock(&self->lock);
    const uint32_t count = self->moving.count;
    mutex_unlock(&self->lock);
    return count;
}
