// For tests of the REST client: a server that expects certain requests, one after the other, and
// has an answer for each. For test files only.
#ifndef FIRN_CATALOGS_REST_TESTING_H
#define FIRN_CATALOGS_REST_TESTING_H

#include <stdio.h>

#include "base/host.h"
#include "base/test.h"
#include "catalogs/rest_client.h"
#include "io/fake_net.h"
#include "memory/text_builder.h"

static firn_error err = FIRN_ERROR_INIT;

static inline bool says(const char *words) {
    if (strstr(err.text, words) != NULL) {
        return true;
    }
    (void)fprintf(stderr, "not in: %s\n", err.text);
    return false;
}

// What the server expects next and what it answers. The line is "METHOD url", then a '|' and what
// the request's headers and body must hold, in one text "Name: value;…|body".
typedef struct step {
    const char *expected;
    const char *holds; // NULL: anything.
    uint32_t status;
    const char *body;
    const char *header; // "Name: value", or NULL.
    net_end end;
} step;

typedef struct play {
    const step *steps;
    uint32_t count;
    uint32_t failed;
} play;

static inline void describe(const net_call *call, char *out, size_t capacity) {
    size_t used = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < call->header_count && used < capacity; i++) {
        used +=
            (size_t)snprintf(out + used, capacity - used, "%.*s: %.*s;",
                             TEXT_ARGS(call->headers[i].name), TEXT_ARGS(call->headers[i].value));
    }
    if (used < capacity && call->has_body) {
        (void)snprintf(out + used, capacity - used, "|%.*s", (int)call->body.size,
                       (const char *)call->body.data);
    }
}

static inline void play_script(void *user, uint32_t number, const net_call *call,
                               fake_answer *out) {
    play *self = user;
    char line[1024];
    char rest[4096];
    (void)snprintf(line, sizeof line, "%s %s", call->method, call->url);
    describe(call, rest, sizeof rest);
    if (number >= self->count) {
        (void)fprintf(stderr, "not expected: %s\n", line);
        self->failed += 1;
        out->status = 599;
        return;
    }
    const step *wanted = &self->steps[number];
    if (strcmp(line, wanted->expected) != 0 ||
        (wanted->holds != NULL && strstr(rest, wanted->holds) == NULL)) {
        (void)fprintf(stderr, "wanted %s [%s]\n   got %s [%s]\n", wanted->expected,
                      wanted->holds == NULL ? "" : wanted->holds, line, rest);
        self->failed += 1;
    }
    out->end = wanted->end;
    out->status = wanted->status;
    if (wanted->body != NULL) {
        out->body = (bytes){.data = (const uint8_t *)wanted->body, .size = strlen(wanted->body)};
        out->part_size = 16384;
    }
    if (wanted->header != NULL) {
        const char *colon = strchr(wanted->header, ':');
        out->headers[0].name =
            (text){.data = wanted->header, .size = (size_t)(colon - wanted->header)};
        out->headers[0].value = text_of(colon + 2);
        out->header_count = 1;
    }
}

typedef struct setting {
    fake_net net;
    play play;
    io *files;
    rest_client *client;
    arena memory;
} setting;

static inline setting *set_up(const step *steps, size_t count, rest_options options) {
    setting *s = host_alloc(sizeof *s);
    *s = (setting){.play = {.steps = steps, .count = (uint32_t)count},
                   .memory = arena_open((size_t)16 << 20)};
    fake_net_begin(&s->net, play_script, &s->play);
    const io_options how = {.net = fake_net_module(), .retry_pause_ms = 1, .retry_count = 2};
    CHECK(io_open(&how, &s->files, &err) == FIRN_OK);
    options.alias = TEXT("lake");
    options.uri = options.uri.size > 0 ? options.uri : TEXT("http://h/api/");
    CHECK(rest_client_open(s->files, &options, &s->client, &err) == FIRN_OK);
    return s;
}

static inline void tear_down(setting *s) {
    CHECK(s->play.failed == 0);
    CHECK(s->net.request_count == s->play.count); // All that was expected was asked.
    rest_client_close(s->client);
    io_close(s->files);
    arena_close(&s->memory);
    fake_net_end(&s->net);
    host_free(s);
}

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define CONFIG_STEP {"GET http://h/api/v1/config", NULL, 200, "{}", NULL, NET_DONE}

static inline namespace_path space_of(text *levels, uint32_t count) {
    return (namespace_path){.count = count, .items = levels};
}

#endif
