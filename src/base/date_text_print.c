// Writing dates, times, timestamps and intervals.
#include <assert.h>
#include <string.h>

#include "base/date_text.h"
#include "base/number_text.h"

#define NANOS_PER_SECOND INT64_C(1000000000)
#define NANOS_PER_MINUTE (60 * NANOS_PER_SECOND)
#define NANOS_PER_HOUR (60 * NANOS_PER_MINUTE)

// At least `width` digits, at most 9 of them zeros.
static size_t print_number(int64_t value, size_t width, char *out) {
    assert(value >= 0 && width <= 9);
    char digits[NUMBER_I64_SIZE_MAX];
    const size_t count = number_print_i64(value, digits);
    const size_t zeros = count < width ? width - count : 0;
    memset(out, '0', zeros);
    memcpy(out + zeros, digits, count);
    return zeros + count;
}

// ".f", or nothing.
static size_t print_fraction(int64_t nanos, int fraction_digits, char *out) {
    char digits[9 + NUMBER_I64_SIZE_MAX];
    (void)print_number(nanos, 9, digits);
    size_t count = 9;
    if (fraction_digits >= 0) {
        assert(fraction_digits <= 9);
        count = (size_t)fraction_digits;
    } else {
        while (count > 0 && digits[count - 1] == '0') {
            count -= 1;
        }
    }
    if (count == 0) {
        return 0;
    }
    out[0] = '.';
    memcpy(out + 1, digits, count);
    return count + 1;
}

// ":MM:SS.f"
static size_t print_below_hour(int64_t nanos, int fraction_digits, char *out) {
    assert(nanos >= 0 && nanos < NANOS_PER_HOUR);
    size_t size = 0;
    out[size++] = ':';
    size += print_number(nanos / NANOS_PER_MINUTE, 2, out + size);
    out[size++] = ':';
    size += print_number(nanos / NANOS_PER_SECOND % 60, 2, out + size);
    return size + print_fraction(nanos % NANOS_PER_SECOND, fraction_digits, out + size);
}

static size_t print_clock(int64_t nanos, int fraction_digits, char *out) {
    const size_t size = print_number(nanos / NANOS_PER_HOUR, 2, out);
    return size + print_below_hour(nanos % NANOS_PER_HOUR, fraction_digits, out + size);
}

// Without the "BC".
static size_t print_day(calendar_date date, char *out) {
    size_t size = print_number(date.year > 0 ? date.year : 1 - date.year, 4, out);
    out[size++] = '-';
    size += print_number(date.month, 2, out + size);
    out[size++] = '-';
    return size + print_number(date.day, 2, out + size);
}

static size_t print_era(calendar_date date, char *out) {
    if (date.year > 0) {
        return 0;
    }
    memcpy(out, " BC", 3);
    return 3;
}

static size_t print_offset(int32_t offset, bool is_long, char *out) {
    const int32_t seconds = offset < 0 ? -offset : offset;
    size_t size = 0;
    out[size++] = offset < 0 ? '-' : '+';
    size += print_number(seconds / 3600, 2, out + size);
    if (seconds % 3600 != 0 || is_long) {
        out[size++] = ':';
        size += print_number(seconds / 60 % 60, 2, out + size);
    }
    if (seconds % 60 != 0) {
        out[size++] = ':';
        size += print_number(seconds % 60, 2, out + size);
    }
    return size;
}

size_t date_print_date(int64_t days, char out[DATE_TEXT_SIZE_MAX]) {
    const calendar_date date = calendar_date_of(days);
    const size_t size = print_day(date, out);
    return size + print_era(date, out + size);
}

size_t date_print_time(int64_t value, time_unit unit, const date_style *style,
                       char out[DATE_TEXT_SIZE_MAX]) {
    const int64_t nanos = value * (NANOS_PER_SECOND / calendar_units_per_second(unit));
    return print_clock(nanos, style->fraction_digits, out);
}

size_t date_print_timestamp(int64_t value, time_unit unit, const date_style *style,
                            char out[DATE_TEXT_SIZE_MAX]) {
    calendar_moment moment = calendar_moment_of(value, unit);
    moment.nanos += style->offset_seconds * NANOS_PER_SECOND;
    moment.days += calendar_floor_div(moment.nanos, CALENDAR_DAY_NANOS);
    moment.nanos = calendar_floor_mod(moment.nanos, CALENDAR_DAY_NANOS);
    const calendar_date date = calendar_date_of(moment.days);
    size_t size = print_day(date, out);
    out[size++] = style->separator;
    size += print_clock(moment.nanos, style->fraction_digits, out + size);
    if (style->has_offset) {
        size += print_offset(style->offset_seconds, style->has_long_offset, out + size);
    }
    return size + print_era(date, out + size);
}

// " 3 days": the sign is shown where it differs from that of the part before.
static size_t print_part(int64_t value, const char *word, bool *is_behind_negative, size_t size,
                         char *out) {
    if (value == 0) {
        return size;
    }
    if (size > 0) {
        out[size++] = ' ';
    }
    if (value > 0 && *is_behind_negative) {
        out[size++] = '+';
    }
    size += number_print_i64(value, out + size);
    out[size++] = ' ';
    const size_t word_size = strlen(word);
    memcpy(out + size, word, word_size);
    size += word_size;
    if (value != 1) {
        out[size++] = 's';
    }
    *is_behind_negative = value < 0;
    return size;
}

size_t date_print_interval(interval_value value, char out[INTERVAL_TEXT_SIZE_MAX]) {
    bool is_behind_negative = false;
    size_t size = print_part(value.months / 12, "year", &is_behind_negative, 0, out);
    size = print_part(value.months % 12, "mon", &is_behind_negative, size, out);
    size = print_part(value.days, "day", &is_behind_negative, size, out);
    if (value.nanos == 0 && size > 0) {
        return size;
    }
    if (size > 0) {
        out[size++] = ' ';
    }
    if (value.nanos < 0) {
        out[size++] = '-';
    } else if (is_behind_negative) {
        out[size++] = '+';
    }
    // The magnitude of hours and rest apart: that of INT64_MIN has no int64_t.
    const int64_t hours = value.nanos / NANOS_PER_HOUR;
    const int64_t rest = value.nanos % NANOS_PER_HOUR;
    size += print_number(hours < 0 ? -hours : hours, 2, out + size);
    return size + print_below_hour(rest < 0 ? -rest : rest, DATE_DIGITS_NEEDED, out + size);
}
