// Arbitrary bytes as a date, time, timestamp, interval.
//
// Oracle: what was read is printed, and reads back as the same value.
#include <stdint.h>
#include <stdlib.h>

#include "base/date_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_timestamp(text input, time_unit unit) {
    int64_t value = 0;
    int64_t back = 0;
    char out[DATE_TEXT_SIZE_MAX];
    if (date_parse_timestamp(input, unit, &value) == DATE_OK) {
        const size_t printed = date_print_timestamp(value, unit, &DATE_STYLE_SQL, out);
        if (date_parse_timestamp((text){.data = out, .size = printed}, unit, &back) != DATE_OK ||
            back != value) {
            abort();
        }
    }
    if (date_parse_time(input, unit, &value) == DATE_OK) {
        const size_t printed = date_print_time(value, unit, &DATE_STYLE_SQL, out);
        if (date_parse_time((text){.data = out, .size = printed}, unit, &back) != DATE_OK ||
            back != value) {
            abort();
        }
    }
}

static void check_date(text input) {
    int32_t days = 0;
    int32_t back = 0;
    char out[DATE_TEXT_SIZE_MAX];
    if (date_parse_date(input, &days) == DATE_OK) {
        const size_t printed = date_print_date(days, out);
        if (date_parse_date((text){.data = out, .size = printed}, &back) != DATE_OK ||
            back != days) {
            abort();
        }
    }
}

static void check_interval(interval_value value) {
    interval_value back = {0};
    char out[INTERVAL_TEXT_SIZE_MAX];
    const size_t printed = date_print_interval(value, out);
    if (date_parse_interval((text){.data = out, .size = printed}, &back) != DATE_OK ||
        back.months != value.months || back.days != value.days || back.nanos != value.nanos) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    const text input = {.data = (const char *)data + 1, .size = size - 1};
    const uint32_t choice = data[0];
    const calendar_field first = CALENDAR_SECOND + choice % 8;
    const calendar_field last = CALENDAR_SECOND + choice / 8 % 8;
    check_timestamp(input, (time_unit)(choice % 4));
    check_date(input);
    interval_value value = {0};
    if (date_parse_interval(input, &value) == DATE_OK) {
        check_interval(value);
    }
    if (date_parse_interval_between(input, first, last, &value) == DATE_OK) {
        check_interval(value);
    }
    return 0;
}
