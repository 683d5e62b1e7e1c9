// A network module for fuzz targets of the REST client: it answers each request at once with what
// is next in `left`, and shows it to `seen` first.
//
// The answers are separated by 0x1e: three digits, the status of HTTP, then the body; "000" is a
// connection that breaks. What comes after the last one is 404.
#ifndef FIRN_FUZZ_REST_SERVER_H
#define FIRN_FUZZ_REST_SERVER_H

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/net_module.h"

#define REQUESTS_MAX 200000

static inline void expect(bool condition) {
    if (!condition) {
        abort();
    }
}

struct net_client {
    text left;
    net_call *moving; // One thread asks, so there is one call at a time.
    uint32_t request_count;
    void (*seen)(const net_call *call); // NULL: nobody looks.
};

static net_client server;

static net_client *server_open(const net_host *host, uint32_t connection_count) {
    (void)host;
    (void)connection_count;
    return &server;
}

static void server_close(net_client *self) {
    expect(self->moving == NULL);
}

static bool server_start(net_client *self, net_call *call) {
    expect(self->moving == NULL && ++self->request_count < REQUESTS_MAX);
    self->moving = call;
    return true;
}

static void server_stop(net_client *self, net_call *call) {
    expect(self->moving == call);
    self->moving = NULL;
}

// The next answer; its status is 0 if there is none.
static text next_answer(net_client *self, uint32_t *status) {
    const size_t end = text_find(self->left, TEXT("\x1e"));
    const text answer = text_slice(self->left, 0, end);
    const size_t behind = end < self->left.size ? end + 1 : end;
    *status = 404;
    if (self->left.size > 0 && answer.size >= 3) {
        *status = 0;
        for (size_t i = 0; i < 3; i++) {
            *status =
                *status * 10 + (uint32_t)((unsigned char)answer.data[i] + 2) % 10; // '0' is 48.
        }
    }
    self->left = text_slice(self->left, behind, self->left.size);
    return text_slice(answer, answer.size < 3 ? answer.size : 3, answer.size);
}

static void server_drive(net_client *self, uint32_t timeout_ms) {
    net_call *call = self->moving;
    (void)timeout_ms;
    if (call == NULL) {
        return;
    }
    self->moving = NULL;
    const text body = next_answer(self, &call->status);
    if (self->seen != NULL) {
        self->seen(call);
    }
    net_end end = call->status == 0 ? NET_BROKEN : NET_DONE;
    if (call->status != 0) {
        call->callbacks->status(call);
        const bool goes_on =
            call->callbacks->header(call, TEXT("ETag"), TEXT("\"e\"")) &&
            (strcmp(call->method, "HEAD") == 0 || body.size == 0 ||
             call->callbacks->body(call,
                                   (bytes){.data = (const uint8_t *)body.data, .size = body.size}));
        end = goes_on ? NET_DONE : NET_STOPPED;
    }
    call->callbacks->done(call, end, "it broke");
}

static void server_wake(net_client *self) {
    (void)self;
}

static const char *server_library(void) {
    return "none";
}

static const net_module server_module = {
    .version = NET_MODULE_VERSION,
    .library = server_library,
    .open = server_open,
    .close = server_close,
    .start = server_start,
    .stop = server_stop,
    .drive = server_drive,
    .wake = server_wake,
};

#endif
