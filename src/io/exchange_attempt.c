// One attempt of an exchange: how it begins, what comes back, and how it goes on then.
#include <string.h>

#include "io/exchange_private.h"
#include "io/io_path.h"
#include "memory/text_builder.h"

#define RETRY_PAUSE_MS_MAX 10000
// A server that asks for a longer pause gets an error to its user instead.
#define RETRY_AFTER_MS_MAX 30000
#define REDIRECT_COUNT_MAX 5
// Of an answer's headers together, and of a redirected URL with the headers sent there.
#define HEAD_BYTES_MAX ((size_t)256 << 10)

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

int64_t exchange_end_of_time(const exchange_driver *self, const exchange *what) {
    return what->total_timeout_ms == 0
               ? exchange_time_patience_end(&what->time, exchange_timeout_ms(self))
               : what->begun_ns + (int64_t)what->total_timeout_ms * 1000000;
}

static bool can_try_again(const exchange_driver *self, const exchange *what) REQUIRES(&self->lock) {
    const uint64_t least_ms = what->head.has_retry_after ? what->head.retry_after_ms : 0;
    return what->attempt < self->settings.retry_count && least_ms <= RETRY_AFTER_MS_MAX &&
           exchange_clock_ns(self) + (int64_t)least_ms * 1000000 < exchange_end_of_time(self, what);
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
    const int64_t due_ns = exchange_clock_ns(self) + (int64_t)pause_ms(self, what) * 1000000;
    if (due_ns >= exchange_end_of_time(self, what)) {
        return false;
    }
    what->attempt += 1;
    what->due_ns = due_ns;
    what->state = EXCHANGE_PAUSED;
    exchange_list_add(&self->paused, what);
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
    exchange_list_add(&self->queued, what);
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
    // The module may run out of memory when the request is on its way, or the answer is.
    self->may_be_done =
        end == NET_BROKEN || end == NET_GARBAGE || (end == NET_NO_MEMORY && self->is_given);
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

void exchange_attempt_end(exchange_driver *self, exchange *what, net_end end, const char *reason)
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
    exchange_time_attempt(&self->time, exchange_clock_ns(self->driver));
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
        exchange_time_body(&self->time, exchange_clock_ns(driver), part.size,
                           exchange_timeout_ms(driver));
        goes_on = self->kind->body(self, part);
    }
    mutex_unlock(&driver->lock);
    return goes_on;
}

static void on_done(net_call *call, net_end end, const char *reason) {
    exchange *self = exchange_of(call);
    exchange_driver *driver = self->driver;
    mutex_lock(&driver->lock);
    exchange_list_remove(&driver->moving, self);
    if (end == NET_DONE && !self->is_dropped) {
        (void)tell_head(driver, self); // An answer without a body.
    }
    exchange_attempt_end(driver, self, end, reason);
    mutex_unlock(&driver->lock);
}

const net_callbacks exchange_callbacks = {
    .status = on_status, .header = on_header, .body = on_body, .done = on_done};

// ---- Beginning -------------------------------------------------------------------------------

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

void exchange_attempt_start(exchange_driver *self, exchange *what) REQUIRES(&self->lock) {
    what->head = (exchange_head){.status = 0};
    what->head_bytes = 0;
    what->head_is_told = false;
    if (what->time.patient_ns == 0) {
        exchange_time_begin(&what->time, exchange_clock_ns(self));
    }
    exchange_time_attempt(&what->time, exchange_clock_ns(self));
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
    exchange_list_add(&self->moving, what);
    if (host_fault(HOST_REQUEST)) {
        exchange_list_remove(&self->moving, what);
        exchange_attempt_end(self, what, NET_BROKEN, "the connection broke, as the test wanted");
        return;
    }
    what->is_given = true;
    if (!self->net->start(self->client, &what->call)) {
        what->is_given = false;
        exchange_list_remove(&self->moving, what);
        exchange_attempt_end(self, what, NET_NO_MEMORY, "");
    }
}
