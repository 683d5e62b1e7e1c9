#include <stdlib.h>

#include "base/host.h"
#include "io/fake_net.h"
#include "io/io.h"
#include "io/test_folder.h"

#define FILE_SIZE ((size_t)20 << 20)

static firn_error err = FIRN_ERROR_INIT;

static bool says(const char *words) {
    if (strstr(err.text, words) != NULL) {
        return true;
    }
    (void)fprintf(stderr, "not in: %s\n", err.text);
    return false;
}

// Content that says where it is from: no two places look alike.
static uint8_t byte_at(uint64_t offset) {
    return (uint8_t)((offset * 31 + (offset >> 8) * 7 + (offset >> 16)) & 0xff);
}

static uint8_t *new_content(size_t size) {
    uint8_t *content = host_alloc(size);
    for (size_t i = 0; i < size; i++) {
        content[i] = byte_at(i);
    }
    return content;
}

static bool is_content(const uint8_t *data, uint64_t offset, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (data[i] != byte_at(offset + i)) {
            return false;
        }
    }
    return true;
}

// A fake server with one object, an io on it and the open file.
typedef struct setting {
    fake_net net;
    fake_object object;
    io *self;
    io_file *file;
} setting;

static setting *set_up(size_t size, fake_script script, io_options options,
                       io_open_options open_options) {
    setting *s = host_alloc(sizeof *s);
    *s = (setting){
        .object = {.content = {.data = new_content(size), .size = size}, .etag = "\"1\""}};
    fake_net_begin(&s->net, script == NULL ? fake_object_script : script, &s->object);
    options.net = fake_net_module();
    options.retry_pause_ms = 1;
    CHECK(io_open(&options, &s->self, &err) == FIRN_OK);
    CHECK(io_file_open(s->self, TEXT("http://server/data/x y"), &open_options, &s->file, &err) ==
          FIRN_OK);
    return s;
}

static void tear_down(setting *s) {
    io_file_release(s->file);
    io_close(s->self);
    CHECK(host_thread_count() == 0);
    fake_net_end(&s->net);
    host_free((void *)(uintptr_t)s->object.content.data);
    host_free(s);
}

static const io_request no_request = {.cancel = NULL};

#define CANCEL_TRIES 40

TEST(http_store_costs_no_request_until_it_reads) {
    setting *s = set_up(100, NULL, (io_options){.has_thread = true},
                        (io_open_options){.has_size = true, .size = 100});
    uint64_t size;
    CHECK(io_file_size(s->file, NULL, &size, &err) == FIRN_OK && size == 100);
    CHECK(io_file_is_remote(s->file));
    CHECK(s->net.request_count == 0 && host_thread_count() == 0);
    tear_down(s);
}

TEST(http_store_opens_and_reads_a_footer_in_one_request) {
    for (size_t size = 5; size <= 500; size *= 10) {
        setting *s = set_up(size, NULL, (io_options){.has_thread = true}, (io_open_options){0});
        uint8_t tail[64];
        io_range range = {.offset = IO_FROM_END, .size = sizeof tail, .into = tail};
        io_ticket ticket;
        REQUIRE(io_submit(s->file, &range, 1, &no_request, &ticket, &err) == FIRN_OK);
        REQUIRE(io_wait(&ticket, 0, &err) == FIRN_OK);
        const size_t wanted = size < 64 ? size : 64;
        CHECK(range.filled == wanted && is_content(tail, size - wanted, wanted));
        io_ticket_close(&ticket);
        uint64_t told;
        CHECK(io_file_size(s->file, NULL, &told, &err) == FIRN_OK && told == size);
        const io_identity identity = io_file_identity(s->file);
        CHECK(io_identity_is_exact(&identity) && strcmp(identity.version, "\"1\"") == 0);
        CHECK(s->net.request_count == 1);
        CHECK(strcmp(s->object.ranges[0], "bytes=-64") == 0);
        tear_down(s);
    }
}

TEST(http_store_reads_the_tail_of_an_empty_file) {
    setting *s = set_up(0, NULL, (io_options){.has_thread = false}, (io_open_options){0});
    uint8_t tail[8];
    io_range range = {.offset = IO_FROM_END, .size = 8, .into = tail};
    io_ticket ticket;
    REQUIRE(io_submit(s->file, &range, 1, &no_request, &ticket, &err) == FIRN_OK);
    REQUIRE(io_wait(&ticket, 0, &err) == FIRN_OK);
    CHECK(range.filled == 0);
    io_ticket_close(&ticket);
    REQUIRE(io_submit(s->file, &range, 1, &no_request, &ticket, &err) == FIRN_OK);
    CHECK(io_wait(&ticket, 0, &err) == FIRN_OK); // Now its size is known.
    io_ticket_close(&ticket);
    CHECK(s->net.request_count == 1);
    tear_down(s);
}

TEST(http_store_joins_near_ranges_and_cuts_long_ones) {
    const struct {
        uint64_t offsets[3];
        size_t sizes[3];
        uint32_t count;
        uint32_t request_count;
        const char *first;
    } cases[] = {
        {{100, 0, 50}, {10, 10, 10}, 3, 1, "bytes=0-109"},
        {{0, 200000}, {10, 10}, 2, 1, "bytes=0-200009"},  // The gap is read.
        {{0, 10000000}, {10, 10}, 2, 2, "bytes=0-9"},     // Too far.
        {{0}, {16 << 20}, 1, 2, "bytes=0-8388607"},       // Long: in pieces of equal size.
        {{5, 5, 7}, {100, 100, 10}, 3, 1, "bytes=5-104"}, // One within another, twice.
        {{0, 1, 9000000}, {9000000, 10, 10}, 3, 2, "bytes=0-4500004"},
    };
    uint8_t *out[3];
    for (size_t i = 0; i < 3; i++) {
        out[i] = host_alloc((size_t)16 << 20);
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setting *s = set_up(FILE_SIZE, NULL, (io_options){.has_thread = i % 2 == 0},
                            (io_open_options){.has_size = true, .size = FILE_SIZE});
        io_range ranges[3];
        for (uint32_t j = 0; j < cases[i].count; j++) {
            ranges[j] = (io_range){
                .offset = cases[i].offsets[j], .size = cases[i].sizes[j], .into = out[j]};
        }
        io_ticket ticket;
        REQUIRE(io_submit(s->file, ranges, cases[i].count, &no_request, &ticket, &err) == FIRN_OK);
        REQUIRE(io_wait(&ticket, IO_ALL, &err) == FIRN_OK);
        for (uint32_t j = 0; j < cases[i].count; j++) {
            CHECK(ranges[j].filled == cases[i].sizes[j]);
            CHECK(is_content(out[j], cases[i].offsets[j], cases[i].sizes[j]));
        }
        io_ticket_close(&ticket);
        CHECK(s->net.request_count == cases[i].request_count);
        bool is_first_asked = false;
        for (uint32_t j = 0; j < s->net.request_count; j++) {
            is_first_asked = is_first_asked || strcmp(s->object.ranges[j], cases[i].first) == 0;
        }
        CHECK(is_first_asked);
        tear_down(s);
    }
    for (size_t i = 0; i < 3; i++) {
        host_free(out[i]);
    }
}

// Breaks off every third answer after some bytes, and hands out small parts.
static void flaky_script(void *user, uint32_t number, const net_call *call, fake_answer *out) {
    fake_object_answer(user, number, call, out);
    out->part_size = 1000 + number * 37;
    if (number % 3 == 1) {
        out->cut_after = out->body.size / 2;
        out->end = NET_BROKEN;
    }
}

WRAPS static uint64_t next_random(uint64_t seed) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^ seed << 17;
}

// Any ranges, in any order, overlapping, over a bad line: the same bytes as the file's.
TEST(http_store_fills_any_ranges_whatever_breaks) {
    uint64_t seed = 12345;
    for (int round = 0; round < 8; round++) {
        setting *s = set_up(FILE_SIZE, flaky_script,
                            (io_options){.has_thread = round % 2 == 0,
                                         .connection_count = 4,
                                         .retry_count = 20}, // The same may break often.
                            (io_open_options){0});
        io_range ranges[40];
        for (uint32_t i = 0; i < 40; i++) {
            seed = next_random(seed);
            const size_t size = 1 + seed % (i == 7 ? 9000000 : 70000);
            const uint64_t offset = (seed >> 20) % (FILE_SIZE - size);
            ranges[i] = (io_range){.offset = offset, .size = size, .into = host_alloc(size)};
        }
        ranges[39].offset = IO_FROM_END;
        io_ticket ticket;
        REQUIRE(io_submit(s->file, ranges, 40, &no_request, &ticket, &err) == FIRN_OK);
        CHECK(io_wait(&ticket, IO_ALL, &err) == FIRN_OK);
        for (uint32_t i = 0; i < 40; i++) {
            const uint64_t offset = i == 39 ? FILE_SIZE - ranges[i].size : ranges[i].offset;
            CHECK(is_content(ranges[i].into, offset, ranges[i].size));
        }
        io_ticket_close(&ticket);
        for (uint32_t i = 0; i < 40; i++) {
            host_free(ranges[i].into);
        }
        tear_down(s);
    }
}

TEST(http_store_goes_on_where_a_broken_answer_stopped) {
    setting *s =
        set_up(1000, flaky_script, (io_options){.has_thread = false}, (io_open_options){0});
    uint8_t out[1000];
    CHECK(io_read(s->file, 0, 10, NULL, out, &err) == FIRN_OK);
    CHECK(io_read(s->file, 100, 200, NULL, out, &err) == FIRN_OK); // Request 1 breaks.
    CHECK(is_content(out, 100, 200));
    CHECK(strcmp(s->object.ranges[1], "bytes=100-299") == 0);
    CHECK(strcmp(s->object.ranges[2], "bytes=200-299") == 0);
    tear_down(s);
}

static void count_wake(void *user) {
    atomic_fetch_add((atomic_uint *)user, 1);
}

TEST(http_store_keeps_32_reads_in_flight_with_one_thread) {
    setting *s = set_up(FILE_SIZE, NULL, (io_options){.has_thread = true, .connection_count = 40},
                        (io_open_options){.has_size = true, .size = FILE_SIZE});
    fake_net_gather(&s->net, UINT32_MAX, 20000);
    host_thread_most_reset();
    atomic_uint wakes = 0;
    const io_request request = {.waker = {.wake = count_wake, .user = &wakes}};
    uint8_t out[64][16];
    io_range ranges[64];
    for (uint32_t i = 0; i < 64; i++) {
        ranges[i] = (io_range){.offset = (uint64_t)i * 300 * 1024, .size = 16, .into = out[i]};
    }
    io_ticket ticket;
    REQUIRE(io_submit(s->file, ranges, 64, &request, &ticket, &err) == FIRN_OK);
    io_answer answer;
    REQUIRE(io_collect(&ticket, 63, &answer, &err) == FIRN_OK);
    CHECK(answer == IO_WAIT);
    CHECK(host_thread_count() == 1);
    fake_net_gather(&s->net, 40, 20000);
    REQUIRE(io_wait(&ticket, IO_ALL, &err) == FIRN_OK);
    for (uint32_t i = 0; i < 64; i++) {
        CHECK(io_collect(&ticket, i, &answer, &err) == FIRN_OK && answer == IO_READY);
        CHECK(is_content(out[i], ranges[i].offset, 16));
    }
    io_ticket_close(&ticket);
    CHECK(atomic_load(&wakes) > 0);
    CHECK(s->net.moving_count_max == 40); // As many as allowed, and no more.
    CHECK(host_thread_most() == 1);
    tear_down(s);
}

TEST(http_store_needs_no_thread_when_it_may_have_none) {
    setting *s = set_up(FILE_SIZE, NULL, (io_options){.has_thread = false},
                        (io_open_options){.has_size = true, .size = FILE_SIZE});
    s->object.pause_ms = 5;
    atomic_uint wakes = 0;
    const io_request request = {.waker = {.wake = count_wake, .user = &wakes}};
    uint8_t out[32][16];
    io_range ranges[32];
    for (uint32_t i = 0; i < 32; i++) {
        ranges[i] = (io_range){.offset = (uint64_t)i * 300 * 1024, .size = 16, .into = out[i]};
    }
    io_ticket ticket;
    REQUIRE(io_submit(s->file, ranges, 32, &request, &ticket, &err) == FIRN_OK);
    // As a scheduler with one thread would: ask, else drive.
    io_answer answer = IO_WAIT;
    int rounds = 0;
    while (answer == IO_WAIT && rounds < 1000) {
        REQUIRE(io_collect(&ticket, IO_ALL, &answer, &err) == FIRN_OK);
        if (answer == IO_WAIT) {
            REQUIRE(io_drive(s->self, 100, &err) == FIRN_OK);
        }
        rounds += 1;
    }
    CHECK(answer == IO_READY && rounds < 100);
    CHECK(host_thread_count() == 0);
    CHECK(s->net.moving_count_max == 32 && atomic_load(&wakes) > 0);
    io_ticket_close(&ticket);
    CHECK(io_drive(s->self, 100, &err) == FIRN_OK); // Nothing moves: returns at once.
    tear_down(s);
}

static void hang_script(void *user, uint32_t number, const net_call *call, fake_answer *out) {
    fake_object_answer(user, number, call, out);
    out->pause_ms = FAKE_NEVER;
}

static void raise_soon(void *user) {
    host_sleep_ms(20);
    cancel_raise(user);
}

// In 50 ms, when the machine lets it: one of some tries is enough.
TEST(http_store_is_cancelled_within_50_ms_while_a_server_hangs) {
    int64_t best_ms[2] = {INT64_MAX, INT64_MAX};
    for (int i = 0; i < 2 * CANCEL_TRIES; i++) {
        const int has_thread = i % 2;
        if (best_ms[has_thread] < 20 + 50) {
            continue;
        }
        setting *s = set_up(1000, hang_script, (io_options){.has_thread = has_thread == 1},
                            (io_open_options){0});
        uint8_t out[10];
        cancel_flag cancel = {.parent = NULL};
        host_thread *thread;
        const int64_t start = host_clock_ns();
        REQUIRE(host_thread_start(raise_soon, &cancel, &thread, &err) == FIRN_OK);
        CHECK(io_read(s->file, 0, 10, &cancel, out, &err) == FIRN_CANCELLED);
        const int64_t took_ms = (host_clock_ns() - start) / 1000000;
        CHECK(took_ms >= 20);
        best_ms[has_thread] = took_ms < best_ms[has_thread] ? took_ms : best_ms[has_thread];
        host_thread_join(thread);
        CHECK(s->net.moving_count == 0 && s->net.stop_count == s->net.request_count);
        tear_down(s);
    }
    CHECK(best_ms[0] < 20 + 50 && best_ms[1] < 20 + 50);
}

TEST(http_store_closing_a_ticket_stops_everything) {
    for (int has_thread = 0; has_thread < 2; has_thread++) {
        setting *s = set_up(FILE_SIZE, hang_script,
                            (io_options){.has_thread = has_thread == 1, .connection_count = 4},
                            (io_open_options){.has_size = true, .size = FILE_SIZE});
        uint8_t *out = host_alloc(160);
        io_range ranges[10]; // 4 are on their way, 6 wait.
        for (uint32_t i = 0; i < 10; i++) {
            ranges[i] = (io_range){
                .offset = (uint64_t)i * 300 * 1024, .size = 16, .into = out + (size_t)i * 16};
        }
        io_ticket ticket;
        REQUIRE(io_submit(s->file, ranges, 10, &no_request, &ticket, &err) == FIRN_OK);
        io_answer answer;
        REQUIRE(io_collect(&ticket, 0, &answer, &err) == FIRN_OK);
        CHECK(answer == IO_WAIT);
        io_ticket_close(&ticket);
        host_free(out); // Nobody writes there any more.
        CHECK(s->net.moving_count == 0);
        tear_down(s);
    }
}

// Servers that never end by themselves, each in its way. The fake hands over what it sends at once,
// so that what drips is one byte an attempt.
static void quiet_503_script(void *user, uint32_t number, const net_call *call, fake_answer *out) {
    fake_object_answer(user, number, call, out);
    out->status = 503;
    out->header_count = 0;
    out->pause_ms = number == 0 ? 0 : FAKE_NEVER;
}

// A byte each attempt, and the next attempt soon: attempts alone would never end.
static void drip_script(void *user, uint32_t number, const net_call *call, fake_answer *out) {
    fake_object_answer(user, number, call, out);
    out->pause_ms = 15;
    out->cut_after = 1;
    out->end = NET_BROKEN;
}

static void patient_script(void *user, uint32_t number, const net_call *call, fake_answer *out) {
    fake_object_answer(user, number, call, out);
    out->status = 503;
    out->header_count = 1;
    out->headers[0] = (net_header){TEXT("Retry-After"), TEXT("1")};
}

typedef struct hanging_case {
    fake_script script;
    uint32_t retries;
    uint32_t requests;
    const char *words;
} hanging_case;

// Whether it made as many requests as it should: those of a machine that stands still for longer
// than the time limit are fewer.
static bool gives_up(const hanging_case *one, bool has_thread, uint32_t timeout_ms) {
    setting *s =
        set_up(1000, one->script,
               (io_options){
                   .has_thread = has_thread, .timeout_ms = timeout_ms, .retry_count = one->retries},
               (io_open_options){0});
    uint8_t out[10];
    const int64_t start = host_clock_ns();
    CHECK(io_read(s->file, 0, 10, NULL, out, &err) == FIRN_IO);
    CHECK(host_clock_ns() - start < INT64_C(20000000000)); // It would hang for ever.
    CHECK(says("http://server/data/x y") && err.retryable);
    const bool is_right = (one->requests == 0 || s->net.request_count == one->requests) &&
                          strstr(err.text, one->words) != NULL;
    tear_down(s);
    return is_right;
}

TEST(http_store_gives_up_whatever_hangs_after_twice_the_time) {
    static const uint32_t timeouts_ms[] = {30, 120, 480}; // The longer ones: on a busy machine.
    char twice[64];
    const hanging_case cases[] = {
        {hang_script, 4, 2, twice},
        {hang_script, 1, 2, "(tried 2 times)"},
        {quiet_503_script, 4, 0, "the setting \"http_timeout\" (tried"},
        {drip_script, 1000, 0, "(tried "},
        {patient_script, 4, 1, "the server answers HTTP 503"},
    };
    for (size_t i = 0; i < 2 * (sizeof cases / sizeof *cases); i++) {
        bool is_right = false;
        for (size_t k = 0; k < 3 && !is_right; k++) {
            (void)snprintf(twice, sizeof twice, "in %g s, twice the setting \"http_timeout\"",
                           2 * timeouts_ms[k] / 1000.0);
            is_right = gives_up(&cases[i / 2], i % 2 == 0, timeouts_ms[k]);
        }
        CHECK(is_right);
    }
}

// Without an I/O thread the transfers of a query that nobody pulls from have all the time there is.
TEST(http_store_counts_no_time_in_which_nobody_waits) {
    setting *s = set_up(1000, NULL, (io_options){.has_thread = false, .timeout_ms = 30},
                        (io_open_options){0});
    s->object.pause_ms = 10;
    uint8_t out[10];
    io_range range = {.offset = 5, .size = 10, .into = out};
    io_ticket ticket;
    REQUIRE(io_submit(s->file, &range, 1, &no_request, &ticket, &err) == FIRN_OK);
    io_answer answer;
    REQUIRE(io_collect(&ticket, 0, &answer, &err) == FIRN_OK && answer == IO_WAIT);
    host_sleep_ms(100);
    CHECK(io_wait(&ticket, 0, &err) == FIRN_OK && is_content(out, 5, 10));
    CHECK(s->net.request_count == 1 && s->net.stop_count == 0);
    io_ticket_close(&ticket);
    tear_down(s);
}

TEST(http_store_takes_a_new_time_limit_for_what_is_on_its_way) {
    setting *s = set_up(1000, hang_script, (io_options){.has_thread = false}, (io_open_options){0});
    uint8_t out[10];
    io_range range = {.offset = 5, .size = 10, .into = out};
    io_ticket ticket;
    REQUIRE(io_submit(s->file, &range, 1, &no_request, &ticket, &err) == FIRN_OK);
    io_set_timeout(s->self, 20);
    CHECK(io_wait(&ticket, 0, &err) == FIRN_IO && says("http_timeout"));
    io_ticket_close(&ticket);
    tear_down(s);
}

// What a server may do wrong: the n-th script answers once, then well.
typedef enum fault {
    FAULT_503,
    FAULT_429_WITH_PAUSE,
    FAULT_NO_CONNECTION,
    FAULT_BROKEN_HEAD,
    FAULT_EARLY_END,
    FAULT_ENCODED,
    FAULT_404,
    FAULT_403,
    FAULT_500_ALWAYS,
    FAULT_RANGE_OF_ANOTHER_PLACE,
    FAULT_RANGE_WITHOUT_PLACE,
    FAULT_OTHER_VERSION,
    FAULT_OTHER_SIZE,
    FAULT_SHORT_FILE,
    FAULT_LONG_PAUSE,
    FAULT_TLS,
    FAULT_COUNT,
} fault;

static fault current_fault;

static void faulty_script(void *user, uint32_t number, const net_call *call, fake_answer *out) {
    fake_object_answer(user, number, call, out);
    if (number == 0 && current_fault != FAULT_SHORT_FILE) {
        return; // The first read goes well: what is known of the file is known.
    }
    const bool is_once = number == 1;
    switch (current_fault) {
    case FAULT_503:
        out->status = is_once ? 503 : out->status;
        break;
    case FAULT_429_WITH_PAUSE:
        if (is_once) {
            *out = (fake_answer){
                .status = 429, .header_count = 1, .headers = {{TEXT("Retry-After"), TEXT("0")}}};
        }
        break;
    case FAULT_NO_CONNECTION:
        if (is_once) {
            *out = (fake_answer){.end = NET_UNREACHED};
        }
        break;
    case FAULT_BROKEN_HEAD:
        if (is_once) {
            *out = (fake_answer){.status = 206, .end = NET_BROKEN};
        }
        break;
    case FAULT_EARLY_END:
        out->cut_after = 5;
        break;
    case FAULT_ENCODED:
        out->headers[out->header_count++] = (net_header){TEXT("Content-Encoding"), TEXT("gzip")};
        out->cut_after = 5;
        break;
    case FAULT_404:
        *out = (fake_answer){.status = 404};
        break;
    case FAULT_403:
        *out = (fake_answer){.status = 403};
        break;
    case FAULT_500_ALWAYS:
        *out = (fake_answer){.status = 500};
        break;
    case FAULT_RANGE_OF_ANOTHER_PLACE:
        out->headers[1].value = TEXT("bytes 0-9/1000");
        break;
    case FAULT_RANGE_WITHOUT_PLACE:
        out->header_count = 1;
        break;
    case FAULT_OTHER_VERSION:
        out->headers[0].value = TEXT("\"2\"");
        break;
    case FAULT_OTHER_SIZE:
        out->headers[1].value = TEXT("bytes 100-109/1001");
        break;
    case FAULT_SHORT_FILE:
        *out = (fake_answer){.status = 416,
                             .header_count = 1,
                             .headers = {{TEXT("Content-Range"), TEXT("bytes */50")}}};
        break;
    case FAULT_LONG_PAUSE:
        *out = (fake_answer){
            .status = 503, .header_count = 1, .headers = {{TEXT("Retry-After"), TEXT("3600")}}};
        break;
    case FAULT_TLS:
        *out = (fake_answer){.end = NET_REFUSED};
        break;
    case FAULT_COUNT:
        break;
    }
}

TEST(http_store_overcomes_what_passes_and_names_what_does_not) {
    const struct {
        fault fault;
        firn_status status;
        uint32_t request_count;
        bool is_retryable;
        const char *words;
    } cases[] = {
        {FAULT_503, FIRN_OK, 3, false, ""},
        {FAULT_429_WITH_PAUSE, FIRN_OK, 3, false, ""},
        {FAULT_NO_CONNECTION, FIRN_OK, 3, false, ""},
        {FAULT_BROKEN_HEAD, FIRN_OK, 3, false, ""},
        {FAULT_EARLY_END, FIRN_IO, 2, true, "ended its answer too early"},
        {FAULT_ENCODED, FIRN_IO, 2, true, "compresses its answer (Content-Encoding)"},
        {FAULT_404, FIRN_NOT_FOUND, 2, false, "does not exist (HTTP 404)"},
        {FAULT_403, FIRN_IO, 2, false, "HTTP 403, access is denied"},
        {FAULT_500_ALWAYS, FIRN_IO, 6, true, "HTTP 500"},
        {FAULT_RANGE_OF_ANOTHER_PLACE, FIRN_IO, 2, true, "sends another range"},
        {FAULT_RANGE_WITHOUT_PLACE, FIRN_IO, 2, true, "without saying which"},
        {FAULT_OTHER_VERSION, FIRN_IO, 2, true, "changed while it was read"},
        {FAULT_OTHER_SIZE, FIRN_CORRUPT, 2, false, "has 1001 bytes, 1000 were expected"},
        {FAULT_SHORT_FILE, FIRN_CORRUPT, 1, false, "ends at byte 50"},
        {FAULT_LONG_PAUSE, FIRN_IO, 2, true, "HTTP 503"},
        {FAULT_TLS, FIRN_IO, 2, false, "the fake says so"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        current_fault = cases[i].fault;
        setting *s = set_up(1000, faulty_script, (io_options){.has_thread = i % 2 == 0},
                            (io_open_options){0});
        uint8_t out[10];
        if (cases[i].fault != FAULT_SHORT_FILE) {
            CHECK(io_read(s->file, 0, 10, NULL, out, &err) == FIRN_OK);
        }
        CHECK(io_read(s->file, 100, 10, NULL, out, &err) == cases[i].status);
        if (cases[i].status == FIRN_OK) {
            CHECK(is_content(out, 100, 10));
        } else {
            CHECK(says(cases[i].words) && says("http://server/data/x y"));
            CHECK(err.retryable == cases[i].is_retryable);
        }
        CHECK(s->net.request_count == cases[i].request_count);
        tear_down(s);
    }
}

TEST(http_store_copes_with_servers_that_know_no_ranges) {
    setting *s = set_up(1000, NULL, (io_options){.has_thread = true}, (io_open_options){0});
    s->object.ignores_ranges = true;
    uint8_t out[4][10];
    io_range ranges[] = {{.offset = 0, .size = 10, .into = out[0]},
                         {.offset = 500, .size = 10, .into = out[1]},
                         {.offset = IO_FROM_END, .size = 10, .into = out[2]},
                         {.offset = 990, .size = 10, .into = out[3]}};
    io_ticket ticket;
    REQUIRE(io_submit(s->file, ranges, 4, &no_request, &ticket, &err) == FIRN_OK);
    REQUIRE(io_wait(&ticket, IO_ALL, &err) == FIRN_OK);
    CHECK(is_content(out[0], 0, 10) && is_content(out[1], 500, 10));
    CHECK(is_content(out[2], 990, 10) && is_content(out[3], 990, 10));
    io_ticket_close(&ticket);
    CHECK(io_read(s->file, 995, 10, NULL, out[0], &err) == FIRN_CORRUPT);
    CHECK(says("which ends at 1000"));
    tear_down(s);
}

TEST(http_store_sees_a_change_between_plan_and_scan) {
    setting *s = set_up(1000, NULL, (io_options){.has_thread = false}, (io_open_options){0});
    uint8_t out[10];
    CHECK(io_read(s->file, 0, 10, NULL, out, &err) == FIRN_OK);
    const io_identity planned = io_file_identity(s->file);
    s->object.etag = "\"2\"";
    CHECK(io_file_check(s->file, NULL, &err) == FIRN_IO);
    io_file *file;
    REQUIRE(io_file_open(s->self, TEXT("http://server/data/x y"),
                         &(io_open_options){.expected = &planned}, &file, &err) == FIRN_OK);
    CHECK(io_read(file, 0, 10, NULL, out, &err) == FIRN_IO);
    CHECK(says("changed while it was read"));
    io_file_release(file);
    tear_down(s);
}

TEST(http_store_says_whether_an_object_exists_and_reads_it_whole) {
    current_fault = FAULT_404;
    setting *s =
        set_up(1000, faulty_script, (io_options){.has_thread = false}, (io_open_options){0});
    bool exists = false;
    CHECK(io_exists(s->self, TEXT("http://server/x"), NULL, &exists, &err) == FIRN_OK && exists);
    CHECK(io_exists(s->self, TEXT("http://server/x"), NULL, &exists, &err) == FIRN_OK && !exists);
    arena memory = arena_open((size_t)1 << 20);
    bytes out;
    CHECK(io_get(s->self, TEXT("http://server/x"), 5000, NULL, &memory, &out, &err) ==
          FIRN_NOT_FOUND);
    current_fault = FAULT_503;
    REQUIRE(io_get(s->self, TEXT("http://server/x"), 1000, NULL, &memory, &out, &err) == FIRN_OK);
    CHECK(out.size == 1000 && is_content(out.data, 0, 1000));
    CHECK(io_get(s->self, TEXT("http://server/x?token=secret"), 999, NULL, &memory, &out, &err) ==
          FIRN_INVALID);
    CHECK(says("\"http://server/x\" answers with more than the allowed 999 bytes"));
    arena_close(&memory);
    tear_down(s);
}

TEST(http_store_cannot_list_or_write) {
    setting *s = set_up(10, NULL, (io_options){.has_thread = false}, (io_open_options){0});
    CHECK(io_put(s->self, TEXT("http://server/x"), (bytes){.size = 0}, &err) == FIRN_UNSUPPORTED);
    CHECK(says("the store \"http\" cannot write \"http://server/x\""));
    CHECK(io_list(s->self, TEXT("http://server/"), &(io_list_options){0}, NULL, NULL, &err) ==
          FIRN_UNSUPPORTED);
    CHECK(io_rename(s->self, TEXT("http://server/x"), TEXT("/tmp/x"), &err) == FIRN_UNSUPPORTED);
    CHECK(io_remove(s->self, TEXT("http://server/x"), &err) == FIRN_UNSUPPORTED);
    io_writer *writer;
    CHECK(io_writer_open(s->self, TEXT("http://server/x"), true, &writer, &err) ==
          FIRN_UNSUPPORTED);
    tear_down(s);
}

// Each request, then each allocation fails once: the answer is right, or an error, and nothing
// leaks.
TEST(http_store_survives_the_failure_of_any_request_or_allocation) {
    const host_call kinds[] = {HOST_REQUEST, HOST_ALLOC, HOST_THREAD};
    for (size_t kind = 0; kind < 3; kind++) {
        for (uint64_t n = 1; n < 8; n++) {
            setting *s =
                set_up(1000, NULL, (io_options){.has_thread = n % 2 == 0}, (io_open_options){0});
            uint8_t out[20] = {0};
            io_range ranges[] = {{.offset = 0, .size = 10, .into = out},
                                 {.offset = IO_FROM_END, .size = 10, .into = out + 10}};
            host_fault_set(kinds[kind], n);
            io_ticket ticket;
            firn_status status = io_submit(s->file, ranges, 2, &no_request, &ticket, &err);
            if (status == FIRN_OK) {
                status = io_wait(&ticket, IO_ALL, &err);
                CHECK(status != FIRN_OK ||
                      (is_content(out, 0, 10) && is_content(out + 10, 990, 10)));
            }
            CHECK(status == FIRN_OK || status == FIRN_NO_MEMORY);
            io_ticket_close(&ticket);
            host_fault_set(kinds[kind], 0);
            tear_down(s);
        }
    }
}

// Several readers with no I/O thread: each drives for all, none is forgotten.
typedef struct reader {
    setting *s;
    uint32_t number;
    bool is_right;
} reader;

static void read_much(void *user) {
    reader *self = user;
    self->is_right = true;
    for (uint32_t i = 0; i < 50; i++) {
        uint8_t out[100];
        firn_error problem = ERR_INIT;
        const uint64_t offset = (uint64_t)self->number * 1000000 + (uint64_t)i * 1000;
        self->is_right = self->is_right &&
                         io_read(self->s->file, offset, 100, NULL, out, &problem) == FIRN_OK &&
                         is_content(out, offset, 100);
    }
}

TEST(http_store_serves_many_readers_at_once) {
    for (int has_thread = 0; has_thread < 2; has_thread++) {
        setting *s = set_up(FILE_SIZE, NULL, (io_options){.has_thread = has_thread == 1},
                            (io_open_options){.has_size = true, .size = FILE_SIZE});
        s->object.pause_ms = 1;
        reader readers[4];
        host_thread *threads[4];
        for (uint32_t i = 0; i < 4; i++) {
            readers[i] = (reader){.s = s, .number = i};
            REQUIRE(host_thread_start(read_much, &readers[i], &threads[i], &err) == FIRN_OK);
        }
        for (uint32_t i = 0; i < 4; i++) {
            host_thread_join(threads[i]);
            CHECK(readers[i].is_right);
        }
        tear_down(s);
    }
}
