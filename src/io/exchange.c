#include "io/exchange.h"

#include <assert.h>
#include <string.h>

#include "base/host.h"
#include "io/io_path.h"
#include "io/net_loader.h"
#include "memory/text_builder.h"

#define CONNECTION_COUNT 64
#define CONNECT_TIMEOUT_MS 10000
#define RETRY_COUNT 4
#define RETRY_PAUSE_MS 100
#define RETRY_PAUSE_MS_MAX 10000
// A server that asks for a longer pause gets an error to its user instead.
#define RETRY_AFTER_MS_MAX 30000
#define REDIRECT_COUNT_MAX 5
#define WAITING_COUNT_MAX 65536
// Of an answer's headers together, and of a redirected URL with the headers sent there.
#define HEAD_BYTES_MAX ((size_t)256 << 10)
#define EXCHANGE_MEMORY_LIMIT ((size_t)256 << 10)
// How often a waiter looks at its cancel flag.
#define LOOK_MS 20
#define THREAD_ROUND_MS 1000

typedef struct exchange_list {
    exchange *first;
    exchange *last;
    uint32_t count;
} exchange_list;

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

static void list_add(exchange_list *self, exchange *what) {
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

static void list_add_first(exchange_list *self, exchange *what) {
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

static void list_remove(exchange_list *self, exchange *what) {
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

// ---- Time --------------------------------------------------------------------------------------

static int64_t clock_ns(const exchange_driver *self) REQUIRES(&self->lock) {
    return self->is_driven ? host_clock_ns() - self->undriven_ns : self->stopped_ns;
}

static void begin_driving(exchange_driver *self) REQUIRES(&self->lock) {
    self->undriven_ns = host_clock_ns() - self->stopped_ns;
    self->is_driven = true;
}

static void end_driving(exchange_driver *self) REQUIRES(&self->lock) {
    self->stopped_ns = clock_ns(self);
    self->is_driven = false;
    condition_wake_all(&self->changed);
}

static uint32_t timeout_ms(const exchange_driver *self) {
    return atomic_load_explicit(self->settings.timeout_ms, memory_order_relaxed);
}

// ---- Ends of an attempt ------------------------------------------------------------------------

static void finish(exchange *self) {
    self->state = EXCHANGE_IDLE;
    arena_close(&self->memory);
    self->kind->done(self);
}

// Whether the answer means "not now", and asking again does no harm. Who is told that there were
// too many requests knows that this one was not done.
static bool is_passing(const exchange *self) {
    if (!self->is_repeatable) {
        return self->head.status == 429;
    }
    switch (self->head.status) {
    case 408:
    case 429:
    case 502:
    case 503:
    case 504:
        return true;
    case 500:
        return self->repeats_500;
    default:
        return false;
    }
}

// The pause before the next attempt: doubled each time, between half and the whole of that by
// chance, so that many clients do not come back together; or what the server asks for.
static uint64_t pause_ms(const exchange_driver *self, const exchange *what) {
    if (what->head.has_retry_after) {
        return what->head.retry_after_ms;
    }
    const uint32_t doublings = what->attempt < 16 ? what->attempt : 16;
    uint64_t pause = (uint64_t)self->settings.retry_pause_ms << doublings;
    pause = pause < RETRY_PAUSE_MS_MAX ? pause : RETRY_PAUSE_MS_MAX;
    uint16_t chance = 0;
    firn_error ignored = ERR_INIT;
    (void)(host_random(&chance, sizeof chance, &ignored) == FIRN_OK);
    return pause / 2 + pause * chance / (UINT64_C(2) * UINT16_MAX);
}

// When all attempts together have taken as long as they may.
static int64_t end_of_time(const exchange_driver *self, const exchange *what) {
    return what->total_timeout_ms == 0 ? exchange_time_patience_end(&what->time, timeout_ms(self))
                                       : what->begun_ns + (int64_t)what->total_timeout_ms * 1000000;
}

static bool can_try_again(const exchange_driver *self, const exchange *what) REQUIRES(&self->lock) {
    const uint64_t least_ms = what->head.has_retry_after ? what->head.retry_after_ms : 0;
    return what->attempt < self->settings.retry_count && least_ms <= RETRY_AFTER_MS_MAX &&
           clock_ns(self) + (int64_t)least_ms * 1000000 < end_of_time(self, what);
}

// Whether another attempt is made; then it is PAUSED.
static bool try_again(exchange_driver *self, exchange *what) REQUIRES(&self->lock) {
    if (what->is_progress) {
        what->attempt = 0;
        what->is_progress = false;
    }
    if (!can_try_again(self, what)) {
        return false;
    }
    const int64_t due_ns = clock_ns(self) + (int64_t)pause_ms(self, what) * 1000000;
    if (due_ns >= end_of_time(self, what)) {
        return false;
    }
    what->attempt += 1;
    what->due_ns = due_ns;
    what->state = EXCHANGE_PAUSED;
    list_add(&self->paused, what);
    return true;
}

static text origin_of(text url) {
    const text scheme = io_path_scheme(url);
    const size_t host = scheme.size + 3 < url.size ? scheme.size + 3 : url.size;
    return text_slice(url, 0, host + text_find(text_slice(url, host, url.size), TEXT("/")));
}

// Sends the exchange to where the answer points. Another server never gets our secrets: only
// headers that say what is wanted go with it.
static firn_status follow(exchange_driver *self, exchange *what, text target, firn_error *err)
    REQUIRES(&self->lock) {
    const text old = text_of(what->call.url);
    if (!io_path_is_web(target)) {
        return FAIL(err, FIRN_IO, "\"%.*s\" redirects to something that is not http",
                    TEXT_ARGS(what->url));
    }
    if (text_equal_nocase(io_path_scheme(old), TEXT("https")) &&
        !text_equal_nocase(io_path_scheme(target), TEXT("https"))) {
        return FAIL(err, FIRN_IO, "\"%.*s\" redirects from https to http, which is not followed",
                    TEXT_ARGS(what->url));
    }
    if (what->redirect_count == REDIRECT_COUNT_MAX) {
        return FAIL(err, FIRN_IO, "\"%.*s\" redirects more than %d times", TEXT_ARGS(what->url),
                    REDIRECT_COUNT_MAX);
    }
    text copy;
    TRY(text_copy(&what->memory, target, &copy, err));
    what->is_foreign = what->is_foreign || !text_equal(origin_of(old), origin_of(target));
    what->call.url = copy.data;
    what->redirect_count += 1;
    what->state = EXCHANGE_QUEUED;
    list_add(&self->queued, what);
    return FIRN_OK;
}

static bool is_redirect(const exchange *self) {
    const uint32_t status = self->head.status;
    const bool moves =
        status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    return moves && !self->keeps_redirects && self->call.redirect_url != NULL &&
           (strcmp(self->call.method, "GET") == 0 || strcmp(self->call.method, "HEAD") == 0);
}

static void fail_network(exchange *self, net_end end, const char *reason) {
    self->may_be_done = end == NET_BROKEN || end == NET_GARBAGE;
    if (end == NET_NO_MEMORY) {
        self->status = FAIL(&self->error, FIRN_NO_MEMORY, "no memory for a request to \"%.*s\"",
                            TEXT_ARGS(self->url));
        return;
    }
    if (self->attempt == 0) {
        self->status = FAIL(&self->error, FIRN_IO, "\"%.*s\": %s", TEXT_ARGS(self->url), reason);
    } else {
        self->status = FAIL(&self->error, FIRN_IO, "\"%.*s\": %s (tried %u times)",
                            TEXT_ARGS(self->url), reason, self->attempt + 1);
    }
    self->error.retryable = end == NET_UNREACHED || end == NET_BROKEN;
}

// Decides how an exchange goes on whose attempt is over and that is in no list.
static void end_attempt(exchange_driver *self, exchange *what, net_end end, const char *reason)
    REQUIRES(&self->lock) {
    self->has_news = true; // The next round must not sleep past a pause that begins here.
    if (what->is_dropped) {
        what->state = EXCHANGE_IDLE;
        arena_close(&what->memory);
        return;
    }
    if (end == NET_DONE && is_redirect(what)) {
        what->status = follow(self, what, text_of(what->call.redirect_url), &what->error);
        if (what->status != FIRN_OK) {
            finish(what);
        }
        return;
    }
    if (end == NET_DONE && what->status == FIRN_OK && is_passing(what) && try_again(self, what)) {
        return;
    }
    if (end == NET_UNREACHED || end == NET_BROKEN) {
        what->head.has_retry_after = false;
        if ((what->is_repeatable || end == NET_UNREACHED) && try_again(self, what)) {
            return;
        }
    }
    if (end != NET_DONE && end != NET_STOPPED) {
        fail_network(what, end, reason);
    } else {
        what->may_be_done = what->status != FIRN_OK; // What came was not what is allowed.
    }
    finish(what);
}

// ---- Callbacks of the module -------------------------------------------------------------------

static exchange *exchange_of(net_call *call) {
    return (exchange *)(void *)((char *)call - offsetof(exchange, call));
}

static void on_status(net_call *call) {
    exchange *self = exchange_of(call);
    mutex_lock(&self->driver->lock);
    exchange_time_attempt(&self->time, clock_ns(self->driver));
    self->head = (exchange_head){.status = call->status};
    self->head_is_told = false;
    if (self->kind->status != NULL) {
        self->kind->status(self);
    }
    mutex_unlock(&self->driver->lock);
}

static bool on_header(net_call *call, text name, text value) {
    exchange *self = exchange_of(call);
    mutex_lock(&self->driver->lock);
    bool goes_on = !self->is_dropped;
    self->head_bytes += name.size + value.size;
    if (self->head_bytes > HEAD_BYTES_MAX) {
        self->status =
            FAIL(&self->error, FIRN_IO, "\"%.*s\" answers with more than %zu KiB of headers",
                 TEXT_ARGS(self->url), HEAD_BYTES_MAX >> 10);
        goes_on = false;
    } else if (goes_on) {
        exchange_head_add(&self->head, name, value, host_time_us() / 1000000);
        if (self->kind->header != NULL) {
            self->kind->header(self, name, value);
        }
    }
    mutex_unlock(&self->driver->lock);
    return goes_on;
}

// Whether the answer at hand is the one the kind will get: no redirect, nothing to repeat. Its body
// is for the kind then; the others are thrown away.
static bool is_final(const exchange_driver *driver, const exchange *self) REQUIRES(&driver->lock) {
    const uint32_t status = self->head.status;
    const bool moves = status >= 300 && status < 400 && !self->keeps_redirects;
    return !moves && !(is_passing(self) && can_try_again(driver, self));
}

static bool tell_head(const exchange_driver *driver, exchange *self) REQUIRES(&driver->lock) {
    if (!self->head_is_told && is_final(driver, self)) {
        self->head_is_told = true;
        return self->kind->head == NULL || self->kind->head(self);
    }
    return true;
}

static bool on_body(net_call *call, bytes part) {
    exchange *self = exchange_of(call);
    exchange_driver *driver = self->driver;
    mutex_lock(&driver->lock);
    driver->has_news = true;
    bool goes_on = !self->is_dropped && tell_head(driver, self);
    if (goes_on && is_final(driver, self) && self->kind->body != NULL) {
        exchange_time_body(&self->time, clock_ns(driver), part.size, timeout_ms(driver));
        goes_on = self->kind->body(self, part);
    }
    mutex_unlock(&driver->lock);
    return goes_on;
}

static void on_done(net_call *call, net_end end, const char *reason) {
    exchange *self = exchange_of(call);
    exchange_driver *driver = self->driver;
    mutex_lock(&driver->lock);
    list_remove(&driver->moving, self);
    if (end == NET_DONE && !self->is_dropped) {
        (void)tell_head(driver, self); // An answer without a body.
    }
    end_attempt(driver, self, end, reason);
    mutex_unlock(&driver->lock);
}

static const net_callbacks callbacks = {
    .status = on_status, .header = on_header, .body = on_body, .done = on_done};

// ---- Driving -----------------------------------------------------------------------------------

// A server other than the one that was asked gets no header that might hold a secret.
static firn_status keep_harmless_headers(exchange *self, firn_error *err) {
    static const char *const harmless[] = {"Range", "Accept", "If-None-Match"};
    net_header *kept = ARENA_NEW(&self->memory, net_header, self->call.header_count + 1);
    if (kept == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->call.header_count; i++) {
        for (size_t j = 0; j < sizeof harmless / sizeof harmless[0]; j++) {
            if (text_equal_nocase(self->call.headers[i].name, text_of(harmless[j]))) {
                kept[count++] = self->call.headers[i];
            }
        }
    }
    self->call.headers = kept;
    self->call.header_count = count;
    return FIRN_OK;
}

static void start_attempt(exchange_driver *self, exchange *what) REQUIRES(&self->lock) {
    what->head = (exchange_head){.status = 0};
    what->head_bytes = 0;
    what->head_is_told = false;
    if (what->time.patient_ns == 0) {
        exchange_time_begin(&what->time, clock_ns(self));
    }
    exchange_time_attempt(&what->time, clock_ns(self));
    what->call.status = 0;
    what->call.redirect_url = NULL;
    if (what->kind->begin != NULL) {
        what->kind->begin(what);
    }
    if (what->is_foreign) {
        what->status = keep_harmless_headers(what, &what->error);
        if (what->status != FIRN_OK) {
            finish(what);
            return;
        }
    }
    what->state = EXCHANGE_MOVING;
    list_add(&self->moving, what);
    if (host_fault(HOST_REQUEST)) {
        list_remove(&self->moving, what);
        end_attempt(self, what, NET_BROKEN, "the connection broke, as the test wanted");
    } else if (!self->net->start(self->client, &what->call)) {
        list_remove(&self->moving, what);
        end_attempt(self, what, NET_NO_MEMORY, "");
    }
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
                                   ? end_of_time(self, what)
                                   : exchange_time_end(&what->time, timeout_ms(self));
        if (!what->is_dropped && now_ns < end_ns) {
            earlier(due_ns, end_ns);
            continue;
        }
        char reason[EXCHANGE_TIME_REASON_BYTES] = "no whole answer came in time";
        if (what->total_timeout_ms == 0) {
            exchange_time_reason(&what->time, now_ns, timeout_ms(self), reason);
        }
        self->net->stop(self->client, &what->call);
        list_remove(&self->moving, what);
        end_attempt(self, what, NET_BROKEN, reason);
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
        list_remove(&self->paused, what);
        what->state = EXCHANGE_QUEUED;
        list_add_first(&self->queued, what); // Its patience is running out.
    }
    while (self->queued.first != NULL && self->moving.count < self->settings.connection_count) {
        exchange *what = self->queued.first;
        list_remove(&self->queued, what);
        start_attempt(self, what);
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
    const int64_t now_ns = clock_ns(self);
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
    what->call.callbacks = &callbacks;
    what->call.connect_timeout_ms =
        or_default(what->call.connect_timeout_ms, self->settings.connect_timeout_ms);
    what->is_dropped = false;
    what->is_progress = false;
    what->is_foreign = false;
    what->attempt = 0;
    what->begun_ns = clock_ns(self);
    what->time.patient_ns = 0;
    what->redirect_count = 0;
    what->memory = arena_open(EXCHANGE_MEMORY_LIMIT);
    what->status = FIRN_OK;
    what->error = ERR_INIT;
    what->may_be_done = false;
    what->state = EXCHANGE_QUEUED;
    list_add(&self->queued, what);
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
        list_remove(what->state == EXCHANGE_QUEUED ? &self->queued : &self->paused, what);
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
    while (ticket->waking_count > 0) {
        condition_wait(&self->changed, &self->lock, LOOK_MS);
    }
    mutex_unlock(&self->lock);
}

uint32_t exchange_moving_count(exchange_driver *self) {
    mutex_lock(&self->lock);
    const uint32_t count = self->moving.count;
    mutex_unlock(&self->lock);
    return count;
}
