// The real firn_net.so against a real server on this machine.
#include <libdeflate.h>
#include <stdlib.h>

#include "io/http.h"
#include "io/loopback_server.h"
#include "io/net_loader.h"
#include "io/test_folder.h"

static firn_error err = FIRN_ERROR_INIT;

static bool says(const char *words) {
    if (strstr(err.text, words) != NULL) {
        return true;
    }
    (void)fprintf(stderr, "not in: %s\n", err.text);
    return false;
}

typedef struct setting {
    loopback_server server;
    io *self;
    arena memory;
    http_answer answer;
} setting;

static setting *set_up(fake_script script, void *user, io_options options) {
    setting *s = host_alloc(sizeof *s);
    *s = (setting){.memory = arena_open((size_t)16 << 20)};
    options.retry_pause_ms = 1;
    CHECK(loopback_open(&s->server, script, user));
    CHECK(io_open(&options, &s->self, &err) == FIRN_OK);
    return s;
}

static void tear_down(setting *s) {
    io_close(s->self);
    loopback_close(&s->server);
    CHECK(host_thread_count() == 0);
    arena_close(&s->memory);
    host_free(s);
}

static firn_status send(setting *s, const char *path, http_request request) {
    char url[256];
    (void)snprintf(url, sizeof url, "%s%s", s->server.base, path);
    request.method = request.method == NULL ? "GET" : request.method;
    request.url = text_of(url);
    request.answer_bytes_max = request.answer_bytes_max == 0 ? 100000 : request.answer_bytes_max;
    return http_send(s->self, &request, &s->memory, &s->answer, &err);
}

#define BODY(literal) {.data = (const uint8_t *)(literal), .size = sizeof(literal) - 1}

TEST(net_module_is_found_beside_the_program_and_has_our_version) {
    const net_module *module;
    REQUIRE(net_module_load(&module, &err) == FIRN_OK);
    CHECK(strcmp(module->version, NET_MODULE_VERSION) == 0);
    CHECK(strstr(module->library(), "libcurl/") != NULL);
    CHECK(strstr(module->library(), "OpenSSL/") != NULL);
}

TEST(net_module_reads_ranges_over_real_sockets_on_many_connections) {
    const size_t size = (size_t)20 << 20;
    uint8_t *content = host_alloc(size);
    REQUIRE(content != NULL);
    for (size_t i = 0; i < size; i++) {
        content[i] = (uint8_t)((i * 7 + (i >> 9)) & 0xff);
    }
    fake_object object = {.content = {.data = content, .size = size}, .etag = "\"v\""};
    for (int has_thread = 0; has_thread < 2; has_thread++) {
        object.pause_ms = 5;
        setting *s =
            set_up(fake_object_script, &object, (io_options){.has_thread = has_thread == 1});
        char path[128];
        (void)snprintf(path, sizeof path, "%s/a b", s->server.base);
        io_file *file;
        REQUIRE(io_file_open(s->self, text_of(path), &(io_open_options){0}, &file, &err) ==
                FIRN_OK);
        uint8_t *out = host_alloc(size);
        io_range ranges[34];
        for (uint32_t i = 0; i < 32; i++) {
            ranges[i] = (io_range){
                .offset = (uint64_t)i * 600000, .size = 1000, .into = out + (size_t)i * 1000};
        }
        ranges[32] = (io_range){.offset = 0, .size = 9000000, .into = out + 100000};
        ranges[33] = (io_range){.offset = IO_FROM_END, .size = 8, .into = out + 9200000};
        io_ticket ticket;
        REQUIRE(io_submit(file, ranges, 34, &(io_request){0}, &ticket, &err) == FIRN_OK);
        REQUIRE(io_wait(&ticket, IO_ALL, &err) == FIRN_OK);
        for (uint32_t i = 0; i < 33; i++) {
            CHECK(memcmp(ranges[i].into, content + ranges[i].offset, ranges[i].size) == 0);
        }
        CHECK(memcmp(out + 9200000, content + size - 8, 8) == 0);
        io_ticket_close(&ticket);
        // Connections are used again.
        const uint32_t before = s->server.connection_count;
        for (uint32_t i = 0; i < 20; i++) {
            CHECK(io_read(file, i * 500, 100, NULL, out, &err) == FIRN_OK);
        }
        CHECK(s->server.connection_count == before);
        host_free(out);
        io_file_release(file);
        tear_down(s);
    }
    host_free(content);
}

#define ECHO_COUNT 16
#define ECHO_SIZE 1000

// Answers with what it was asked. Each in a text of its own: another connection may still be
// handing out the one before.
static void echo_script(void *user, uint32_t number, const net_call *call, fake_answer *out) {
    char *echo = (char *)user + (size_t)(number % ECHO_COUNT) * ECHO_SIZE;
    (void)snprintf(echo, ECHO_SIZE, "%s %s [%.*s] [%.*s] [%.*s] [%.*s]", call->method, call->url,
                   TEXT_ARGS(fake_header(call, TEXT("X-Test"))),
                   TEXT_ARGS(fake_header(call, TEXT("Content-Type"))),
                   TEXT_ARGS(fake_header(call, TEXT("Accept-Encoding"))), (int)call->body.size,
                   call->body.data == NULL ? "" : (const char *)call->body.data);
    out->status = 200;
    out->body = (bytes){.data = (const uint8_t *)echo, .size = strlen(echo)};
}

TEST(net_module_sends_what_it_was_given) {
    const net_header headers[] = {{TEXT("X-Test"), TEXT("yes; no")},
                                  {TEXT("Content-Type"), TEXT("application/json")}};
    const net_header empty[] = {{TEXT("X-Test"), TEXT("")}};
    const struct {
        http_request request;
        const char *path;
        const char *echo;
    } cases[] = {
        {{.method = "GET", .is_repeatable = true}, "/a%20b?c=d", "GET /a%20b?c=d [] [] [] []"},
        {{.method = "GET", .is_repeatable = true, .accepts_gzip = true},
         "/",
         "GET / [] [] [gzip] []"},
        {{.method = "GET", .is_repeatable = true, .headers = empty, .header_count = 1},
         "/",
         "GET / [] [] [] []"},
        {{.method = "POST",
          .headers = headers,
          .header_count = 2,
          .has_body = true,
          .body = BODY("{\"a\":1}")},
         "/x",
         "POST /x [yes; no] [application/json] [] [{\"a\":1}]"},
        {{.method = "POST", .has_body = true}, "/x", "POST /x [] [] [] []"},
        {{.method = "POST", .has_body = true, .body = BODY("x")}, "/x", "POST /x [] [] [] [x]"},
        {{.method = "DELETE"}, "/x", "DELETE /x [] [] [] []"},
        {{.method = "PUT", .has_body = true, .body = BODY("y")}, "/x", "PUT /x [] [] [] [y]"},
    };
    char echo[ECHO_COUNT * ECHO_SIZE];
    setting *s = set_up(echo_script, echo, (io_options){.has_thread = false});
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        REQUIRE(send(s, cases[i].path, cases[i].request) == FIRN_OK);
        CHECK(s->answer.status == 200);
        const bool is_same = s->answer.body.size == strlen(cases[i].echo) &&
                             memcmp(s->answer.body.data, cases[i].echo, s->answer.body.size) == 0;
        if (!is_same) {
            (void)fprintf(stderr, "%.*s\n", (int)s->answer.body.size,
                          (const char *)s->answer.body.data);
        }
        CHECK(is_same);
    }
    REQUIRE(send(s, "/head", (http_request){.method = "HEAD", .is_repeatable = true}) == FIRN_OK);
    CHECK(s->answer.status == 200 && s->answer.body.size == 0);
    // libcurl sends a request once more when a connection that was kept is found closed. So each of
    // the five that must not be sent twice has one of its own; the others share theirs.
    CHECK(s->server.connection_count == 1 + 5);
    tear_down(s);
}

static void one_answer_script(void *user, uint32_t number, const net_call *call, fake_answer *out) {
    (void)number;
    (void)call;
    const size_t cut = out->cut_after;
    *out = *(const fake_answer *)user;
    out->cut_after = out->cut_after == 0 ? cut : out->cut_after;
}

TEST(net_module_names_every_kind_of_failure) {
    const struct {
        fake_answer answer;
        firn_status status;
        bool may_be_done;
        const char *words;
    } cases[] = {
        {{.status = 0}, FIRN_IO, true, "Empty reply"},
        {{.end = NET_GARBAGE}, FIRN_IO, true, "HTTP/0.9"},
        {{.status = 200, .body = BODY("0123456789"), .cut_after = 5},
         FIRN_IO,
         true,
         "5 bytes remaining"},
        {{.status = 200, .body = BODY("0123456789"), .end = NET_STOPPED},
         FIRN_INVALID,
         true,
         "more than the allowed 100000 bytes"},
        {{.status = 200,
          .header_count = 1,
          .headers = {{TEXT("Content-Encoding"), TEXT("gzip")}},
          .body = BODY("this is no gzip")},
         FIRN_IO,
         true,
         "content unencoding"},
        {{.pause_ms = FAKE_NEVER}, FIRN_IO, true, "no whole answer came in time"},
        {{.status = 302, .header_count = 1, .headers = {{TEXT("Location"), TEXT("ftp://x/")}}},
         FIRN_IO,
         false,
         "not http"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake_answer answer = cases[i].answer;
        setting *s = set_up(one_answer_script, &answer, (io_options){.has_thread = i % 2 == 0});
        const bool hangs = answer.pause_ms == FAKE_NEVER;
        const http_request request = {.accepts_gzip = true,
                                      .total_timeout_ms = hangs ? 1000 : 30000};
        CHECK(send(s, "/x?token=secret", request) == cases[i].status);
        CHECK(says(cases[i].words) && !strstr(err.text, "secret"));
        CHECK(s->answer.may_be_done == cases[i].may_be_done);
        tear_down(s);
    }
}

TEST(net_module_tells_an_unreachable_server_from_a_broken_one) {
    fake_answer answer = {.status = 200};
    setting *s = set_up(one_answer_script, &answer, (io_options){.has_thread = false});
    loopback_server deaf;
    REQUIRE(loopback_open_deaf(&deaf));
    char url[64];
    (void)snprintf(url, sizeof url, "%s/x", deaf.base);
    const http_request request = {
        .method = "POST", .has_body = true, .url = text_of(url), .answer_bytes_max = 100};
    CHECK(http_send(s->self, &request, &s->memory, &s->answer, &err) == FIRN_IO);
    CHECK(says("(tried 5 times)") && !s->answer.may_be_done && err.retryable);
    loopback_close(&deaf);
    tear_down(s);
}

TEST(net_module_names_a_host_that_is_not_found) {
    setting *s = set_up(NULL, NULL, (io_options){.has_thread = false});
    char url[128]; // With a label longer than DNS allows, so that nobody is asked.
    (void)snprintf(url, sizeof url, "http://%070d.invalid/x", 0);
    const http_request request = {.method = "GET", .url = text_of(url), .answer_bytes_max = 100};
    CHECK(http_send(s->self, &request, &s->memory, &s->answer, &err) == FIRN_IO);
    CHECK(says("000.invalid") && says("resolve host") && says("(tried 5 times)"));
    tear_down(s);
}

TEST(net_module_unpacks_gzip_and_chunks) {
    char plain[50000];
    for (size_t i = 0; i < sizeof plain; i++) {
        plain[i] = (char)('a' + i % 17);
    }
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
    uint8_t packed[50000];
    const size_t packed_size =
        libdeflate_gzip_compress(compressor, plain, sizeof plain, packed, sizeof packed);
    libdeflate_free_compressor(compressor);
    REQUIRE(packed_size > 0 && packed_size < 10000);
    fake_answer answer = {.status = 200,
                          .header_count = 1,
                          .headers = {{TEXT("Content-Encoding"), TEXT("gzip")}},
                          .body = {.data = packed, .size = packed_size},
                          .part_size = 100};
    setting *s = set_up(one_answer_script, &answer, (io_options){.has_thread = true});
    REQUIRE(send(s, "/x", (http_request){.accepts_gzip = true}) == FIRN_OK);
    CHECK(s->answer.body.size == sizeof plain &&
          memcmp(s->answer.body.data, plain, sizeof plain) == 0);
    // The limit is of what comes out, not of what comes in.
    CHECK(send(s, "/x", (http_request){.accepts_gzip = true, .answer_bytes_max = 49999}) ==
          FIRN_INVALID);
    tear_down(s);
}

static void redirect_script(void *user, uint32_t number, const net_call *call, fake_answer *out) {
    (void)number;
    if (strcmp(call->url, "/old/x") == 0) {
        out->status = 308;
        out->headers[out->header_count++] = (net_header){TEXT("Location"), TEXT("../new?y=1")};
        return;
    }
    echo_script(user, number, call, out);
}

TEST(net_module_resolves_relative_redirects) {
    char echo[ECHO_COUNT * ECHO_SIZE];
    setting *s = set_up(redirect_script, echo, (io_options){.has_thread = false});
    REQUIRE(send(s, "/old/x", (http_request){.is_repeatable = true}) == FIRN_OK);
    CHECK(s->answer.status == 200);
    CHECK(s->answer.body.size > 13 && memcmp(s->answer.body.data, "GET /new?y=1 ", 13) == 0);
    REQUIRE(send(s, "/old/x", (http_request){.keeps_redirects = true}) == FIRN_OK);
    CHECK(s->answer.status == 308);
    tear_down(s);
}

static void raise_soon(void *user) {
    host_sleep_ms(20);
    cancel_raise(user);
}

// In 50 ms, when the machine lets it: one of some tries is enough.
TEST(net_module_is_cancelled_while_a_server_hangs) {
    fake_answer answer = {.pause_ms = FAKE_NEVER};
    int64_t best_ms[2] = {INT64_MAX, INT64_MAX};
    for (int i = 0; i < 40; i++) {
        const int has_thread = i % 2;
        if (best_ms[has_thread] < 20 + 50) {
            continue;
        }
        setting *s =
            set_up(one_answer_script, &answer, (io_options){.has_thread = has_thread == 1});
        cancel_flag cancel = {.parent = NULL};
        host_thread *thread;
        REQUIRE(host_thread_start(raise_soon, &cancel, &thread, &err) == FIRN_OK);
        const int64_t start = host_clock_ns();
        CHECK(send(s, "/x", (http_request){.cancel = &cancel}) == FIRN_CANCELLED);
        const int64_t took_ms = (host_clock_ns() - start) / 1000000;
        best_ms[has_thread] = took_ms < best_ms[has_thread] ? took_ms : best_ms[has_thread];
        host_thread_join(thread);
        tear_down(s);
    }
    CHECK(best_ms[0] < 20 + 50 && best_ms[1] < 20 + 50);
}

// https to a server that speaks http: no secret is sent in the clear, and the error says why.
TEST(net_module_does_not_fall_back_from_tls) {
    fake_answer answer = {.status = 200};
    setting *s = set_up(one_answer_script, &answer, (io_options){.has_thread = false});
    char url[64];
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/x", s->server.port);
    const http_request request = {
        .method = "GET", .url = text_of(url), .answer_bytes_max = 100, .is_repeatable = true};
    CHECK(http_send(s->self, &request, &s->memory, &s->answer, &err) == FIRN_IO);
    CHECK(s->server.request_count == 0);
    tear_down(s);
}
