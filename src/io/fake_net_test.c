#include "io/fake_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/host.h"
#include "base/test.h"

static fake_net *current;

struct net_client {
    fake_net *net;
};

static net_client only_client;

static net_client *client_open(const net_host *host, uint32_t connection_count) {
    (void)host;
    (void)connection_count;
    mutex_lock(&current->lock);
    current->client_count += 1;
    mutex_unlock(&current->lock);
    only_client.net = current;
    return &only_client;
}

static void client_close(net_client *self) {
    mutex_lock(&self->net->lock);
    self->net->client_count -= 1;
    mutex_unlock(&self->net->lock);
}

static bool client_start(net_client *self, net_call *call) {
    fake_net *net = self->net;
    mutex_lock(&net->lock);
    fake_call *slot = NULL;
    for (size_t i = 0; i < FAKE_CALL_COUNT_MAX && slot == NULL; i++) {
        slot = net->calls[i].call == NULL ? &net->calls[i] : NULL;
    }
    if (slot != NULL) {
        *slot = (fake_call){.call = call, .answer = {.cut_after = SIZE_MAX}};
        net->newest_ns = host_clock_ns();
        net->script(net->user, net->request_count, call, &slot->answer);
        slot->due_ns = slot->answer.pause_ms == FAKE_NEVER
                           ? INT64_MAX
                           : net->newest_ns + (int64_t)slot->answer.pause_ms * 1000000;
        call->handle = slot;
        net->request_count += 1;
        net->moving_count += 1;
        if (net->moving_count > net->moving_count_max) {
            net->moving_count_max = net->moving_count;
        }
    }
    mutex_unlock(&net->lock);
    return slot != NULL;
}

static void forget(fake_net *net, fake_call *slot) {
    mutex_lock(&net->lock);
    slot->call = NULL;
    net->moving_count -= 1;
    mutex_unlock(&net->lock);
}

static void client_stop(net_client *self, net_call *call) {
    self->net->stop_count += 1;
    forget(self->net, call->handle);
    call->handle = NULL;
}

static void end_call(fake_net *net, fake_call *slot, net_end end) {
    net_call *call = slot->call;
    const char *reason = slot->answer.reason;
    call->redirect_url = slot->answer.redirect_url;
    call->handle = NULL;
    forget(net, slot);
    call->callbacks->done(call, end, reason == NULL ? "the fake says so" : reason);
}

static void answer_call(fake_net *net, fake_call *slot) {
    net_call *call = slot->call;
    const fake_answer answer = slot->answer;
    if (answer.status != 0) {
        call->status = answer.status;
        call->callbacks->status(call);
    }
    for (uint32_t i = 0; i < answer.header_count; i++) {
        if (!call->callbacks->header(call, answer.headers[i].name, answer.headers[i].value)) {
            end_call(net, slot, NET_STOPPED);
            return;
        }
    }
    const size_t size = answer.body.size < answer.cut_after ? answer.body.size : answer.cut_after;
    const size_t part = answer.part_size == 0 ? SIZE_MAX : answer.part_size;
    for (size_t at = 0; at < size && strcmp(call->method, "HEAD") != 0;) {
        const size_t take = size - at < part ? size - at : part;
        // A copy of exactly that size: the sanitizer sees whoever reads behind it.
        uint8_t *copy = host_alloc(take);
        if (copy == NULL) {
            end_call(net, slot, NET_NO_MEMORY);
            return;
        }
        memcpy(copy, answer.body.data + at, take);
        const bool goes_on = call->callbacks->body(call, (bytes){.data = copy, .size = take});
        host_free(copy);
        if (!goes_on) {
            end_call(net, slot, NET_STOPPED);
            return;
        }
        at += take;
    }
    end_call(net, slot, answer.end);
}

// The call that has been due for longest, or NULL; lowers `wake_ns` to when the next one is.
static fake_call *find_due(fake_net *net, int64_t *wake_ns) REQUIRES(&net->lock) {
    const int64_t gathered_ns =
        net->moving_count_max < net->gathers ? net->newest_ns + net->gather_ns : 0;
    fake_call *due = NULL;
    for (size_t i = 0; i < FAKE_CALL_COUNT_MAX; i++) {
        fake_call *slot = &net->calls[i];
        const int64_t due_ns = slot->due_ns > gathered_ns ? slot->due_ns : gathered_ns;
        if (slot->call != NULL && due_ns < *wake_ns) {
            *wake_ns = due_ns;
            due = slot;
        }
    }
    return *wake_ns <= host_clock_ns() ? due : NULL;
}

static void client_drive(net_client *self, uint32_t timeout_ms) {
    fake_net *net = self->net;
    const int64_t end_ns = host_clock_ns() + (int64_t)timeout_ms * 1000000;
    bool is_first = true;
    for (;;) {
        mutex_lock(&net->lock);
        int64_t wake_ns = end_ns + 1;
        fake_call *due = find_due(net, &wake_ns);
        const int64_t left_ns = wake_ns - host_clock_ns();
        if (due == NULL && is_first && !net->is_woken && left_ns > 0) {
            condition_wait(&net->woken, &net->lock, (uint32_t)(left_ns / 1000000) + 1);
            wake_ns = end_ns + 1;
            due = find_due(net, &wake_ns);
        }
        net->is_woken = false;
        mutex_unlock(&net->lock);
        is_first = false;
        if (due == NULL) {
            return;
        }
        answer_call(net, due);
    }
}

static void client_wake(net_client *self) {
    mutex_lock(&self->net->lock);
    self->net->is_woken = true;
    condition_wake_all(&self->net->woken);
    mutex_unlock(&self->net->lock);
}

void fake_net_gather(fake_net *self, uint32_t count, uint32_t patience_ms) {
    mutex_lock(&self->lock);
    self->gathers = count;
    self->gather_ns = (int64_t)patience_ms * 1000000;
    self->is_woken = true;
    condition_wake_all(&self->woken);
    mutex_unlock(&self->lock);
}

static const char *client_library(void) {
    return "fake";
}

const net_module *fake_net_module(void) {
    static const net_module module = {
        .version = NET_MODULE_VERSION,
        .library = client_library,
        .open = client_open,
        .close = client_close,
        .start = client_start,
        .stop = client_stop,
        .drive = client_drive,
        .wake = client_wake,
    };
    return &module;
}

void fake_net_begin(fake_net *self, fake_script script, void *user) {
    *self = (fake_net){.script = script, .user = user};
    mutex_begin(&self->lock, MUTEX_LEAF);
    condition_begin(&self->woken);
    current = self;
}

void fake_net_end(fake_net *self) {
    CHECK(self->moving_count == 0);
    CHECK(self->client_count == 0);
    condition_end(&self->woken);
    mutex_end(&self->lock);
    current = NULL;
}

text fake_header(const net_call *call, text name) {
    for (uint32_t i = 0; i < call->header_count; i++) {
        if (text_equal_nocase(call->headers[i].name, name)) {
            return call->headers[i].value;
        }
    }
    return (text){.size = 0};
}

static void add_header(fake_answer *out, text name, text value) {
    out->headers[out->header_count++] = (net_header){.name = name, .value = value};
}

// "bytes=1-2" or "bytes=-3", clipped to the object. False: nothing of it is there.
static bool clip(const char *range, size_t size, size_t *first, size_t *last) {
    const char *numbers = range + sizeof "bytes=" - 1;
    if (size == 0) {
        return false;
    }
    if (numbers[0] == '-') {
        const size_t wanted = strtoull(numbers + 1, NULL, 10);
        *first = wanted < size ? size - wanted : 0;
        *last = size - 1;
        return true;
    }
    char *dash;
    *first = strtoull(numbers, &dash, 10);
    *last = strtoull(dash + 1, NULL, 10);
    *last = *last < size ? *last : size - 1;
    return *first < size;
}

void fake_object_answer(fake_object *self, uint32_t number, const net_call *call,
                        fake_answer *out) {
    const size_t size = self->content.size;
    char *head = self->heads[number % FAKE_CALL_COUNT_MAX];
    char *asked = self->ranges[number % FAKE_CALL_COUNT_MAX];
    const size_t room = sizeof self->heads[0];
    const text range = fake_header(call, TEXT("Range"));
    (void)snprintf(asked, sizeof self->ranges[0], "%.*s", TEXT_ARGS(range));
    out->pause_ms = self->pause_ms;
    if (self->etag != NULL) {
        add_header(out, TEXT("ETag"), text_of(self->etag));
    }
    size_t first = 0;
    size_t last = 0;
    if (range.size == 0 || self->ignores_ranges) {
        out->status = 200;
        out->body = self->content;
        (void)snprintf(head, room, "%zu", size);
        add_header(out, TEXT("Content-Length"), text_of(head));
    } else if (clip(asked, size, &first, &last)) {
        out->status = 206;
        out->body = (bytes){.data = self->content.data + first, .size = last - first + 1};
        (void)snprintf(head, room, "bytes %zu-%zu/%zu", first, last, size);
        add_header(out, TEXT("Content-Range"), text_of(head));
    } else {
        out->status = 416;
        (void)snprintf(head, room, "bytes */%zu", size);
        add_header(out, TEXT("Content-Range"), text_of(head));
    }
}

void fake_object_script(void *user, uint32_t number, const net_call *call, fake_answer *out) {
    fake_object_answer(user, number, call, out);
}
