#include "io/http.h"

#include <string.h>

#include "io/exchange.h"
#include "io/io_path.h"
#include "io/store.h"
#include "memory/text_builder.h"

#define FIRST_BODY_BYTES ((size_t)16 << 10)
#define FIRST_HEADER_COUNT 16

// Everything here but the waiting happens under the driver's lock, while the caller waits: so the
// driver's thread may use the caller's arena.
typedef struct http_call {
    exchange exchange; // First, so that one is the other.
    const http_request *request;
    arena *memory;
    http_answer *answer;
    uint32_t header_capacity;
    uint8_t *body;
    size_t body_size;
    size_t body_capacity;
    bool is_over;
} http_call;

static http_call *call_of(exchange *self) {
    return (http_call *)(void *)self;
}

static void call_status(exchange *self) {
    http_call *call = call_of(self);
    call->answer->header_count = 0;
    call->body_size = 0;
}

static void call_header(exchange *self, text name, text value) {
    http_call *call = call_of(self);
    http_answer *answer = call->answer;
    if (answer->header_count == call->header_capacity) {
        const uint32_t capacity =
            call->header_capacity == 0 ? FIRST_HEADER_COUNT : call->header_capacity * 2;
        net_header *headers = ARENA_NEW(call->memory, net_header, capacity);
        if (headers == NULL) {
            self->status = ARENA_FULL(call->memory, &self->error);
            return;
        }
        if (answer->header_count > 0) {
            memcpy(headers, answer->headers, answer->header_count * sizeof *headers);
        }
        answer->headers = headers;
        call->header_capacity = capacity;
    }
    net_header *header = &answer->headers[answer->header_count];
    self->status = text_copy(call->memory, name, &header->name, &self->error);
    if (self->status == FIRN_OK) {
        self->status = text_copy(call->memory, value, &header->value, &self->error);
    }
    answer->header_count += self->status == FIRN_OK ? 1 : 0;
}

static bool refuse_size(http_call *call, size_t limit) {
    exchange *self = &call->exchange;
    char shown[IO_SIZE_TEXT];
    self->status =
        FAIL(&self->error, FIRN_INVALID, "\"%.*s\" answers with more than the allowed %s",
             TEXT_ARGS(self->url), io_size_shown(limit, shown));
    return false;
}

// A caller's arena that is full is too small for such an answer; that is nothing of memory_limit.
static bool refuse_body(http_call *call) {
    exchange *self = &call->exchange;
    if (arena_is_at_limit(call->memory)) {
        return refuse_size(call, call->body_capacity);
    }
    self->status = ARENA_FULL(call->memory, &self->error);
    err_while(&self->error, "receiving \"%.*s\", of which %zu bytes have come",
              TEXT_ARGS(self->url), call->body_size);
    return false;
}

static bool call_head(exchange *self) {
    http_call *call = call_of(self);
    if (self->status != FIRN_OK) {
        return false; // A header did not fit.
    }
    if (call->request->accepts_gzip || !self->head.has_length ||
        strcmp(self->call.method, "HEAD") == 0) {
        return true; // The length says nothing of the body.
    }
    if (self->head.length > call->request->answer_bytes_max) {
        return refuse_size(call, call->request->answer_bytes_max);
    }
    const size_t wanted = (size_t)self->head.length;
    if (wanted > call->body_capacity) {
        // A claim, but bounded by what the caller allows; memory is touched as bytes come.
        uint8_t *body = ARENA_NEW(call->memory, uint8_t, wanted);
        if (body != NULL) { // If not, the body may yet be shorter.
            call->body = body;
            call->body_capacity = wanted;
        }
    }
    return true;
}

static bool call_body(exchange *self, bytes part) {
    http_call *call = call_of(self);
    const size_t limit = call->request->answer_bytes_max;
    if (part.size > limit - call->body_size) {
        return refuse_size(call, limit);
    }
    const size_t wanted = call->body_size + part.size;
    if (wanted > call->body_capacity) {
        size_t capacity =
            call->body_capacity < FIRST_BODY_BYTES ? FIRST_BODY_BYTES : call->body_capacity * 2;
        capacity = capacity < wanted ? wanted : capacity;
        capacity = capacity > limit ? limit : capacity;
        uint8_t *body = ARENA_NEW(call->memory, uint8_t, capacity);
        if (body == NULL) {
            return refuse_body(call);
        }
        if (call->body_size > 0) {
            memcpy(body, call->body, call->body_size);
        }
        call->body = body;
        call->body_capacity = capacity;
    }
    memcpy(call->body + call->body_size, part.data, part.size);
    call->body_size = wanted;
    return true;
}

static void call_done(exchange *self) {
    call_of(self)->is_over = true;
}

static const exchange_kind kind = {
    .status = call_status,
    .header = call_header,
    .head = call_head,
    .body = call_body,
    .done = call_done,
};

static bool is_over(const void *user) {
    return ((const http_call *)user)->is_over;
}

static firn_status run(io *owner, http_call *call, firn_error *err) {
    exchange_driver *driver;
    TRY(io_driver(owner, &driver, err));
    TRY(exchange_submit(driver, &call->exchange, err));
    const firn_status status = exchange_wait(driver, is_over, call, call->request->cancel, err);
    if (status != FIRN_OK) {
        call->answer->may_be_done = true;
        exchange_drop(driver, &call->exchange);
        return status;
    }
    call->answer->may_be_done = call->exchange.may_be_done;
    if (call->exchange.status != FIRN_OK) {
        *err = call->exchange.error;
        return call->exchange.status;
    }
    call->answer->status = call->exchange.head.status;
    call->answer->body = (bytes){.data = call->body, .size = call->body_size};
    return FIRN_OK;
}

firn_status http_send(io *owner, const http_request *request, arena *memory, http_answer *out,
                      firn_error *err) {
    *out = (http_answer){.status = 0};
    TRY(cancel_check(request->cancel, err));
    char shown[512];
    text url;
    TRY(text_copy(memory, request->url, &url, err));
    http_call *call = ARENA_NEW(memory, http_call, 1);
    if (call == NULL) {
        return ARENA_FULL(memory, err);
    }
    *call = (http_call){
        .exchange = {.call = {.method = request->method,
                              .url = url.data,
                              .headers = request->headers,
                              .header_count = request->header_count,
                              .has_body = request->has_body,
                              .body = request->body,
                              .accepts_gzip = request->accepts_gzip,
                              .is_sent_once = !request->is_repeatable,
                              .connect_timeout_ms = request->connect_timeout_ms},
                     .kind = &kind,
                     .url = request->shown_url.size > 0
                                ? request->shown_url
                                : io_path_shown(request->url, shown, sizeof shown),
                     .is_repeatable = request->is_repeatable,
                     .keeps_redirects = request->keeps_redirects,
                     .total_timeout_ms = request->total_timeout_ms},
        .request = request,
        .memory = memory,
        .answer = out,
    };
    if (!io_path_is_web(request->url) ||
        memchr(request->url.data, '\0', request->url.size) != NULL) {
        return FAIL(err, FIRN_INVALID, "\"%.*s\" is no http or https URL",
                    TEXT_ARGS(call->exchange.url));
    }
    return run(owner, call, err);
}

text http_header(const http_answer *answer, text name) {
    for (uint32_t i = 0; i < answer->header_count; i++) {
        if (text_equal_nocase(answer->headers[i].name, name)) {
            return answer->headers[i].value;
        }
    }
    return (text){.size = 0};
}
