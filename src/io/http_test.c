#include "io/http.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/host.h"
#include "io/fake_net.h"
#include "io/test_folder.h"

static firn_error err = FIRN_ERROR_INIT;

static bool says(const char *words) {
    if (strstr(err.text, words) != NULL) {
        return true;
    }
    (void)fprintf(stderr, "not in: %s\n", err.text);
    return false;
}

// A script that is a list of answers, the last one for ever, and notes what it was asked.
typedef struct play {
    fake_answer answers[8];
    uint32_t count;
    char urls[8][128];
    char tokens[8][64];
    char bodies[8][64];
} play;

static void play_script(void *user, uint32_t number, const net_call *call, fake_answer *out) {
    play *self = user;
    const uint32_t i = number < self->count ? number : self->count - 1;
    const size_t cut = out->cut_after;
    *out = self->answers[i];
    out->cut_after = out->cut_after == 0 ? cut : out->cut_after;
    const uint32_t slot = number % 8;
    (void)snprintf(self->urls[slot], sizeof self->urls[0], "%s", call->url);
    (void)snprintf(self->tokens[slot], sizeof self->tokens[0], "%.*s",
                   TEXT_ARGS(fake_header(call, TEXT("Authorization"))));
    (void)snprintf(self->bodies[slot], sizeof self->bodies[0], "%.*s", (int)call->body.size,
                   call->body.data == NULL ? "" : (const char *)call->body.data);
}

typedef struct setting {
    fake_net net;
    io *self;
    arena memory;
    http_answer answer;
} setting;

static setting *set_up(play *what) {
    setting *s = host_alloc(sizeof *s);
    *s = (setting){.memory = arena_open((size_t)1 << 20)};
    fake_net_begin(&s->net, play_script, what);
    const io_options options = {.net = fake_net_module(), .retry_pause_ms = 1};
    CHECK(io_open(&options, &s->self, &err) == FIRN_OK);
    return s;
}

static void tear_down(setting *s) {
    io_close(s->self);
    arena_close(&s->memory);
    fake_net_end(&s->net);
    host_free(s);
}

static firn_status send(setting *s, http_request request) {
    const net_header headers[] = {{TEXT("Authorization"), TEXT("Bearer secret")},
                                  {TEXT("Accept"), TEXT("application/json")}};
    request.method = request.method == NULL ? "GET" : request.method;
    request.url = request.url.size == 0 ? TEXT("http://a/x") : request.url;
    request.answer_bytes_max = request.answer_bytes_max == 0 ? 1000 : request.answer_bytes_max;
    if (request.headers == NULL) {
        request.headers = headers;
        request.header_count = 2;
    }
    return http_send(s->self, &request, &s->memory, &s->answer, &err);
}

#define BODY(literal) {.data = (const uint8_t *)(literal), .size = sizeof(literal) - 1}

TEST(http_hands_out_status_headers_and_body) {
    play what = {.answers = {{.status = 404,
                              .header_count = 2,
                              .headers = {{TEXT("Content-Type"), TEXT("text/plain")},
                                          {TEXT("X"), TEXT("y")}},
                              .body = BODY("no such thing"),
                              .part_size = 2}},
                 .count = 1};
    setting *s = set_up(&what);
    REQUIRE(send(s, (http_request){.is_repeatable = true}) == FIRN_OK);
    CHECK(s->answer.status == 404 && s->answer.header_count == 2);
    CHECK(text_equal(http_header(&s->answer, TEXT("content-type")), TEXT("text/plain")));
    CHECK(http_header(&s->answer, TEXT("none")).size == 0);
    CHECK(s->answer.body.size == 13 && memcmp(s->answer.body.data, "no such thing", 13) == 0);
    CHECK(strcmp(what.tokens[0], "Bearer secret") == 0);
    tear_down(s);
}

TEST(http_repeats_only_what_may_be_repeated) {
    const struct {
        bool is_repeatable;
        fake_answer first;
        uint32_t request_count;
        firn_status status;
        uint32_t http_status;
        bool may_be_done;
    } cases[] = {
        {true, {.status = 503}, 2, FIRN_OK, 200, false},
        {true, {.end = NET_BROKEN}, 2, FIRN_OK, 200, false},
        {true, {.status = 500}, 1, FIRN_OK, 500, false}, // A catalog's 500 is an answer.
        {false, {.status = 503}, 1, FIRN_OK, 503, false},
        {false, {.status = 429}, 2, FIRN_OK, 200, false},        // Certainly not done.
        {false, {.end = NET_UNREACHED}, 2, FIRN_OK, 200, false}, // The same.
        {false, {.end = NET_BROKEN}, 1, FIRN_IO, 0, true},
        {false,
         {.status = 200, .body = BODY("1234"), .cut_after = 2, .end = NET_BROKEN},
         1,
         FIRN_IO,
         0,
         true},
        {false, {.end = NET_GARBAGE}, 1, FIRN_IO, 0, true},
        {false, {.end = NET_REFUSED}, 1, FIRN_IO, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        play what = {.answers = {cases[i].first, {.status = 200, .body = BODY("ok")}}, .count = 2};
        setting *s = set_up(&what);
        const http_request request = {.method = "POST",
                                      .has_body = true,
                                      .body = BODY("commit"),
                                      .is_repeatable = cases[i].is_repeatable};
        CHECK(send(s, request) == cases[i].status);
        CHECK(s->net.request_count == cases[i].request_count);
        CHECK(s->answer.status == cases[i].http_status);
        CHECK(s->answer.may_be_done == cases[i].may_be_done);
        CHECK(strcmp(what.bodies[0], "commit") == 0);
        if (cases[i].http_status == 200) {
            CHECK(s->answer.body.size == 2);
        }
        tear_down(s);
    }
}

TEST(http_gives_the_body_of_the_last_refusal) {
    play what = {.answers = {{.status = 503, .body = BODY("busy")}}, .count = 1};
    setting *s = set_up(&what);
    REQUIRE(send(s, (http_request){.is_repeatable = true}) == FIRN_OK);
    CHECK(s->answer.status == 503 && s->answer.body.size == 4);
    CHECK(s->net.request_count == 5);
    tear_down(s);
}

TEST(http_refuses_answers_that_are_too_large) {
    play what = {.answers = {{.status = 200, .body = BODY("12345"), .part_size = 2}}, .count = 1};
    setting *s = set_up(&what);
    CHECK(send(s, (http_request){.answer_bytes_max = 5}) == FIRN_OK);
    CHECK(send(s, (http_request){.answer_bytes_max = 4}) == FIRN_INVALID);
    CHECK(says("more than the allowed 4 bytes") && s->answer.may_be_done);
    what.answers[0].headers[0] = (net_header){TEXT("Content-Length"), TEXT("99999999999")};
    what.answers[0].header_count = 1;
    CHECK(send(s, (http_request){.answer_bytes_max = 5}) == FIRN_INVALID);
    static char large[300000];
    memset(large, 'x', sizeof large);
    what.answers[0].headers[0] = (net_header){TEXT("X"), {.data = large, .size = sizeof large}};
    CHECK(send(s, (http_request){.answer_bytes_max = 5}) == FIRN_IO);
    CHECK(says("more than 256 KiB of headers"));
    tear_down(s);
}

TEST(http_tells_a_caller_without_room_from_a_lack_of_memory) {
    static char large[3000000];
    memset(large, 'x', sizeof large);
    const bytes body = {.data = (const uint8_t *)large, .size = sizeof large};
    play what = {.answers = {{.status = 200, .body = body, .part_size = 65536}}, .count = 1};
    setting *s = set_up(&what);
    const http_request request = {
        .method = "GET", .url = TEXT("http://a/x?key"), .answer_bytes_max = (size_t)2 << 20};
    arena wide = arena_open((size_t)16 << 20);
    CHECK(http_send(s->self, &request, &wide, &s->answer, &err) == FIRN_INVALID);
    CHECK(says("\"http://a/x\" answers with more than the allowed 2 MB"));
    arena_close(&wide);

    const http_request larger = {
        .method = "GET", .url = TEXT("http://a/x?key"), .answer_bytes_max = (size_t)512 << 20};
    arena small = arena_open((size_t)3 << 20);
    CHECK(http_send(s->self, &larger, &small, &s->answer, &err) == FIRN_INVALID);
    CHECK(says("\"http://a/x\" answers with more than the allowed 1 MB"));
    arena_close(&small);

    pool *engine;
    REQUIRE(pool_open_engine((size_t)4 << 20, &engine, &err) == FIRN_OK);
    arena owned = arena_open_in(engine, SIZE_MAX);
    CHECK(http_send(s->self, &larger, &owned, &s->answer, &err) == FIRN_NO_MEMORY);
    CHECK(says("of memory_limit 4194304") && says("while receiving \"http://a/x\", of which "));
    arena_close(&owned);
    pool_close(engine);
    tear_down(s);
}

TEST(http_follows_redirects_but_keeps_secrets_at_home) {
    const struct {
        const char *method;
        const char *url;
        const char *to;
        firn_status status;
        uint32_t http_status;
        const char *token;
        const char *words;
    } cases[] = {
        {"GET", "http://a/x", "http://a/y", FIRN_OK, 200, "Bearer secret", ""},
        {"GET", "http://a/x", "http://b/y", FIRN_OK, 200, "", ""},
        {"GET", "http://a/x", "http://a:81/y", FIRN_OK, 200, "", ""},
        {"GET", "http://a/x", "https://a/y", FIRN_OK, 200, "", ""},
        {"GET", "https://a/x", "http://a/y", FIRN_IO, 0, NULL, "from https to http"},
        {"GET", "http://a/x", "ftp://a/y", FIRN_IO, 0, NULL, "not http"},
        {"GET", "http://a/x", "file:///etc/passwd", FIRN_IO, 0, NULL, "not http"},
        {"POST", "http://a/x", "http://a/y", FIRN_OK, 307, NULL, ""},
        {"GET", "http://a/x", NULL, FIRN_OK, 307, NULL, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        play what = {.answers = {{.status = 307, .redirect_url = cases[i].to},
                                 {.status = 200, .body = BODY("ok")}},
                     .count = 2};
        setting *s = set_up(&what);
        CHECK(send(s, (http_request){.method = cases[i].method, .url = text_of(cases[i].url)}) ==
              cases[i].status);
        CHECK(s->answer.status == cases[i].http_status);
        if (cases[i].token != NULL) {
            CHECK(strcmp(what.urls[1], cases[i].to) == 0);
            CHECK(strcmp(what.tokens[1], cases[i].token) == 0);
        }
        CHECK(cases[i].status == FIRN_OK || says(cases[i].words));
        tear_down(s);
    }
    play circle = {.answers = {{.status = 301, .redirect_url = "http://a/x"}}, .count = 1};
    setting *s = set_up(&circle);
    CHECK(send(s, (http_request){.is_repeatable = true}) == FIRN_IO);
    CHECK(says("redirects more than 5 times"));
    tear_down(s);
}

// After a detour over another server the secret does not come back, not even at home.
TEST(http_never_sends_a_secret_after_a_detour) {
    play what = {.answers = {{.status = 302, .redirect_url = "http://b/y"},
                             {.status = 302, .redirect_url = "http://a/z"},
                             {.status = 200}},
                 .count = 3};
    setting *s = set_up(&what);
    REQUIRE(send(s, (http_request){.is_repeatable = true}) == FIRN_OK);
    CHECK(strcmp(what.tokens[0], "Bearer secret") == 0);
    CHECK(strcmp(what.tokens[1], "") == 0 && strcmp(what.tokens[2], "") == 0);
    tear_down(s);
}

TEST(http_refuses_requests_that_would_say_more_than_meant) {
    const net_header bad[] = {{TEXT("X"), TEXT("a\r\nAuthorization: b")},
                              {TEXT("X: y"), TEXT("a")},
                              {TEXT(""), TEXT("a")},
                              {TEXT("X\n"), TEXT("a")},
                              {TEXT("X"), TEXT("a\0b")}};
    play what = {.answers = {{.status = 200}}, .count = 1};
    setting *s = set_up(&what);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(send(s, (http_request){.headers = &bad[i], .header_count = 1}) == FIRN_INVALID);
        CHECK(says("header"));
    }
    const text urls[] = {
        TEXT("http://a/ HTTP/1.1"), TEXT("http://a/\r\nX: y"), TEXT("http://a/\xc3\xa4"),
        TEXT("http://a/\0b"),       TEXT("file:///x"),         TEXT("x"),
        TEXT("http:///a"),          TEXT("http://:80/a"),      TEXT("http://")};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        CHECK(send(s, (http_request){.url = urls[i]}) == FIRN_INVALID);
    }
    CHECK(s->net.request_count == 0);
    tear_down(s);
}

// It would be waited for for ever: any time shows that it is not, and a busy machine takes some.
#define GIVEN_UP_NS_MAX INT64_C(20000000000)

TEST(http_gives_up_an_answer_that_takes_too_long) {
    play what = {.answers = {{.status = 200, .pause_ms = FAKE_NEVER}}, .count = 1};
    setting *s = set_up(&what);
    const int64_t start = host_clock_ns();
    CHECK(send(s, (http_request){.total_timeout_ms = 30}) == FIRN_IO);
    CHECK(host_clock_ns() - start < GIVEN_UP_NS_MAX);
    CHECK(says("no whole answer came in time") && s->answer.may_be_done);
    cancel_flag cancel = {.parent = NULL};
    cancel_raise(&cancel);
    CHECK(send(s, (http_request){.cancel = &cancel}) == FIRN_CANCELLED);
    tear_down(s);
}

TEST(http_repeats_within_the_time_limit_only) {
    static const fake_answer never = {.status = 200, .pause_ms = FAKE_NEVER};
    play hangs = {.answers = {never, never, never, never, never, never}, .count = 6};
    setting *s = set_up(&hangs);
    const int64_t start = host_clock_ns();
    CHECK(send(s, (http_request){.total_timeout_ms = 60, .is_repeatable = true}) == FIRN_IO);
    CHECK(host_clock_ns() - start < GIVEN_UP_NS_MAX && s->net.request_count == 1);
    CHECK(says("no whole answer came in time"));
    tear_down(s);
    // A pause that the server asks for and that is longer than what is left is not begun.
    play waits = {.answers = {{.status = 503,
                               .header_count = 1,
                               .headers = {{TEXT("Retry-After"), TEXT("5")}}}},
                  .count = 1};
    s = set_up(&waits);
    CHECK(send(s, (http_request){.total_timeout_ms = 1000, .is_repeatable = true}) == FIRN_OK);
    CHECK(s->answer.status == 503 && s->net.request_count == 1);
    tear_down(s);
}

TEST(http_answers_an_error_in_a_forked_child) {
    play what = {.answers = {{.status = 200}}, .count = 1};
    setting *s = set_up(&what);
    REQUIRE(send(s, (http_request){.is_repeatable = true}) == FIRN_OK);
    const pid_t child = fork();
    if (child == 0) {
        const bool is_refused = send(s, (http_request){.is_repeatable = true}) == FIRN_INVALID &&
                                strstr(err.text, "another process") != NULL;
        _exit(is_refused ? 7 : 1);
    }
    int state = 0;
    REQUIRE(waitpid(child, &state, 0) == child);
    CHECK(WIFEXITED(state) && WEXITSTATUS(state) == 7);
    tear_down(s);
}
