// Writing dates, times, timestamps and intervals.
#include <assert.h>
#include <string.h>

#include "base/date_text.h"
#include "base/number_text.h"

#define NANOS_PER_SECOND INT64_C(1000000000)
#define NANOS_PER_MINUTE (60 * NANOS_PER_SECOND)
#define NANOS_PER_HOUR (60 * NANOS_PER_MINUTE)

// 0 to 99, in two digits.
static void print_pair(int64_t value, char *out) {
    assert(value >= 0 && value < 100);
    out[0] = (char)('0' + (uint32_t)value / 10);
    out[1] = (char)('0' + (uint32_t)value % 10);
}

// ".f", or nothing.
static size_t print_fraction(int64_t nanos, int fraction_digits, char *out) {
    if (nanos == 0 && fraction_digits <= 0) {
        return 0;
    }
    char digits[9];
    uint32_t left = (uint32_t)nanos;
    for (size_t i = sizeof digits; i > 0; i--) {
        digits[i - 1] = (char)('0' + left % 10);
        left /= 10;
    }
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
    const int64_t seconds = nanos / NANOS_PER_SECOND;
    out[0] = ':';
    print_pair(seconds / 60, out + 1);
    out[3] = ':';
    print_pair(seconds % 60, out + 4);
    return 6 + print_fraction(nanos % NANOS_PER_SECOND, fraction_digits, out + 6);
}

// At most 24 hours.
static size_t print_clock(int64_t nanos, int fraction_digits, char *out) {
    print_pair(nanos / NANOS_PER_HOUR, out);
    return 2 + print_below_hour(nanos % NANOS_PER_HOUR, fraction_digits, out + 2);
}

// Without the "BC".
static size_t print_day(calendar_date date, char *out) {
    const int64_t year = date.year > 0 ? date.year : 1 - date.year;
    size_t size = 4;
    if (year <= 9999) {
        print_pair(year / 100, out);
        print_pair(year % 100, out + 2);
    } else {
        size = number_print_i64(year, out);
    }
    out[size] = '-';
    print_pair(date.month, out + size + 1);
    out[size + 3] = '-';
    print_pair(date.day, out + size + 4);
    return size + 6;
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
    size_t size = 3;
    out[0] = offset < 0 ? '-' : '+';
    print_pair(seconds / 3600, out + 1);
    if (seconds % 3600 != 0 || is_long) {
        out[size] = ':';
        print_pair(seconds / 60 % 60, out + size + 1);
        size += 3;
    }
    if (seconds % 60 != 0) {
        out[size] = ':';
        print_pair(seconds % 60, out + size + 1);
        size += 3;
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
    const int64_t shown = hours < 0 ? -hours : hours;
    out[size] = '0'; // At least two digits.
    size += shown < 10;
    size += number_print_i64(shown, out + size);
    return size + print_below_hour(rest < 0 ? -rest : rest, DATE_DIGITS_NEEDED, out + size);
}
