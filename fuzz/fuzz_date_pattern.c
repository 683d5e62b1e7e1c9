// A pattern of dates and a text, with a newline between them: the pattern writes moments and
// intervals, and reads the text.
//
// Oracle: what is written fits what was said of its size, and a moment that was read is one that
// the pattern writes.
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "functions/scalar/date_pattern.h"

#define MEMORY_MAX ((size_t)16 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition) {
    if (!condition) {
        abort();
    }
}

static void write_moment(const date_pattern *pattern, clock_moment moment) {
    moment.zone_word = TEXT("CEST");
    const size_t size_max = date_pattern_size_max(pattern, moment.zone_word.size);
    char *out = malloc(size_max + 1);
    expect(out != NULL && date_pattern_write(pattern, &moment, out) <= size_max);
    free(out);
}

static void check(const date_pattern *pattern, text input) {
    static const int64_t days[] = {-106751991, -719529, 0, 18326, 106751991};
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        const clock_moment moment = {
            .moment = {.days = days[i], .nanos = CALENDAR_DAY_NANOS - 1 - (int64_t)i * 12345678901},
            .offset_seconds = (int32_t)i * 20000 - 40000,
            .is_time = days[i] == 0,
        };
        write_moment(pattern, moment);
    }
    for (int is_strict = 0; is_strict < 2; is_strict++) {
        clock_moment moment;
        bool has_offset;
        pattern_failure failure;
        if (date_pattern_read(pattern, input, is_strict == 1, &moment, &has_offset, &failure) ==
            DATE_OK) {
            expect(moment.moment.nanos >= 0 && moment.moment.nanos <= CALENDAR_DAY_NANOS);
            write_moment(pattern, moment);
        }
    }
}

static void check_intervals(const date_pattern *pattern) {
    static const interval_value values[] = {
        {0},
        {.months = 14, .days = 3, .nanos = 3723000000456},
        {.months = -1234567, .days = -40, .nanos = -90000123456789},
        {.months = INT32_MAX, .days = INT32_MAX, .nanos = INT64_MAX},
        {.months = INT32_MIN, .days = INT32_MIN, .nanos = INT64_MIN},
    };
    const bool is_asked =
        pattern->unknown.size == 0 && date_pattern_beyond_interval(pattern) == NULL;
    for (size_t i = 0; is_asked && i < sizeof values / sizeof *values; i++) {
        write_moment(pattern, (clock_moment){.interval = &values[i]});
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || !utf8_is_valid((bytes){.data = data, .size = size})) {
        return 0;
    }
    const uint8_t *newline = memchr(data, '\n', size);
    const size_t split = newline == NULL ? size : (size_t)(newline - data);
    const text pattern = {.data = (const char *)data, .size = split};
    const text input = newline == NULL
                           ? (text){0}
                           : (text){.data = (const char *)newline + 1, .size = size - split - 1};
    arena memory = arena_open(MEMORY_MAX);
    date_pattern made;
    if (date_pattern_make(pattern, &memory, &made)) {
        check(&made, input);
    }
    if (date_pattern_make_template(pattern, &memory, &made)) { // With a % as well.
        check(&made, input);
        check_intervals(&made);
    }
    if (date_pattern_make_percent(pattern, &memory, &made)) {
        check(&made, input);
    }
    arena_close(&memory);
    return 0;
}
