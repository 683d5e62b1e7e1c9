// Fields of dates and timestamps by name: what extract reads and date_trunc cuts to.
#include <assert.h>

#include "base/calendar.h"
#include "base/wide.h"

#define NANOS_PER_SECOND INT64_C(1000000000)
#define JULIAN_1970 2440588

// ---- Names -------------------------------------------------------------------------------------

static const struct field_word {
    const char *word;
    calendar_field field;
} field_words[] = {
    {"c", CALENDAR_CENTURY},
    {"cent", CALENDAR_CENTURY},
    {"centuries", CALENDAR_CENTURY},
    {"century", CALENDAR_CENTURY},
    {"d", CALENDAR_DAY},
    {"day", CALENDAR_DAY},
    {"dayofmonth", CALENDAR_DAY},
    {"dayofweek", CALENDAR_DOW},
    {"dayofyear", CALENDAR_DOY},
    {"days", CALENDAR_DAY},
    {"dec", CALENDAR_DECADE},
    {"decade", CALENDAR_DECADE},
    {"decades", CALENDAR_DECADE},
    {"decs", CALENDAR_DECADE},
    {"dow", CALENDAR_DOW},
    {"doy", CALENDAR_DOY},
    {"epoch", CALENDAR_EPOCH},
    {"era", CALENDAR_ERA},
    {"h", CALENDAR_HOUR},
    {"hour", CALENDAR_HOUR},
    {"hours", CALENDAR_HOUR},
    {"hr", CALENDAR_HOUR},
    {"hrs", CALENDAR_HOUR},
    {"isodow", CALENDAR_ISODOW},
    {"isoyear", CALENDAR_ISOYEAR},
    {"julian", CALENDAR_JULIAN},
    {"m", CALENDAR_MINUTE},
    {"microsecond", CALENDAR_MICROSECOND},
    {"microseconds", CALENDAR_MICROSECOND},
    {"mil", CALENDAR_MILLENNIUM},
    {"millennia", CALENDAR_MILLENNIUM},
    {"millennium", CALENDAR_MILLENNIUM},
    {"millenniums", CALENDAR_MILLENNIUM},
    {"millisecond", CALENDAR_MILLISECOND},
    {"milliseconds", CALENDAR_MILLISECOND},
    {"mils", CALENDAR_MILLENNIUM},
    {"min", CALENDAR_MINUTE},
    {"mins", CALENDAR_MINUTE},
    {"minute", CALENDAR_MINUTE},
    {"minutes", CALENDAR_MINUTE},
    {"mon", CALENDAR_MONTH},
    {"mons", CALENDAR_MONTH},
    {"month", CALENDAR_MONTH},
    {"months", CALENDAR_MONTH},
    {"ms", CALENDAR_MILLISECOND},
    {"msec", CALENDAR_MILLISECOND},
    {"msecs", CALENDAR_MILLISECOND},
    {"nanosecond", CALENDAR_NANOSECOND},
    {"nanoseconds", CALENDAR_NANOSECOND},
    {"ns", CALENDAR_NANOSECOND},
    {"nsec", CALENDAR_NANOSECOND},
    {"nsecs", CALENDAR_NANOSECOND},
    {"qtr", CALENDAR_QUARTER},
    {"quarter", CALENDAR_QUARTER},
    {"quarters", CALENDAR_QUARTER},
    {"s", CALENDAR_SECOND},
    {"sec", CALENDAR_SECOND},
    {"second", CALENDAR_SECOND},
    {"seconds", CALENDAR_SECOND},
    {"secs", CALENDAR_SECOND},
    {"timezone", CALENDAR_TIMEZONE},
    {"timezone_hour", CALENDAR_TIMEZONE_HOUR},
    {"timezone_minute", CALENDAR_TIMEZONE_MINUTE},
    {"us", CALENDAR_MICROSECOND},
    {"usec", CALENDAR_MICROSECOND},
    {"usecs", CALENDAR_MICROSECOND},
    {"w", CALENDAR_WEEK},
    {"week", CALENDAR_WEEK},
    {"weekday", CALENDAR_DOW},
    {"weekofyear", CALENDAR_WEEK},
    {"weeks", CALENDAR_WEEK},
    {"y", CALENDAR_YEAR},
    {"year", CALENDAR_YEAR},
    {"years", CALENDAR_YEAR},
    {"yearweek", CALENDAR_YEARWEEK},
    {"yr", CALENDAR_YEAR},
    {"yrs", CALENDAR_YEAR},
};

bool calendar_field_of(text word, calendar_field *out) {
    for (size_t i = 0; i < sizeof field_words / sizeof *field_words; i++) {
        if (text_equal_nocase(word, text_of(field_words[i].word))) {
            *out = field_words[i].field;
            return true;
        }
    }
    return false;
}

const char *calendar_field_word(calendar_field field) {
    static const char *const words[CALENDAR_FIELD_COUNT] = {
#define X(name, word, is_truncated) [CALENDAR_##name] = word,
        CALENDAR_FIELD_LIST(X)
#undef X
    };
    return words[field];
}

bool calendar_field_is_truncated(calendar_field field) {
    static const bool answers[CALENDAR_FIELD_COUNT] = {
#define X(name, word, is_truncated) [CALENDAR_##name] = is_truncated,
        CALENDAR_FIELD_LIST(X)
#undef X
    };
    return answers[field];
}

int32_t calendar_months_in(calendar_field field) {
    static const int32_t months[CALENDAR_FIELD_COUNT] = {
        [CALENDAR_MONTH] = 1,    [CALENDAR_QUARTER] = 3,    [CALENDAR_YEAR] = 12,
        [CALENDAR_DECADE] = 120, [CALENDAR_CENTURY] = 1200, [CALENDAR_MILLENNIUM] = 12000,
    };
    return months[field];
}

int64_t calendar_nanos_in(calendar_field field) {
    static const int64_t nanos[CALENDAR_FIELD_COUNT] = {
        [CALENDAR_NANOSECOND] = 1,
        [CALENDAR_MICROSECOND] = 1000,
        [CALENDAR_MILLISECOND] = 1000000,
        [CALENDAR_SECOND] = NANOS_PER_SECOND,
        [CALENDAR_MINUTE] = 60 * NANOS_PER_SECOND,
        [CALENDAR_HOUR] = 3600 * NANOS_PER_SECOND,
    };
    return nanos[field];
}

// ---- extract -----------------------------------------------------------------------------------

// There is no year 0: 1 BC is -1.
static int64_t shown_year(int64_t year) {
    return year > 0 ? year : year - 1;
}

// Spans of years that begin with year 1: the first of them is 1, the one before -1.
static int64_t span_of_year(int64_t year, int64_t span) {
    return year > 0 ? (year + span - 1) / span : -((span - year) / span);
}

static int64_t extract_date(calendar_field field, int64_t days) {
    const calendar_date date = calendar_date_of(days);
    switch (field) {
    case CALENDAR_DAY:
        return date.day;
    case CALENDAR_MONTH:
        return date.month;
    case CALENDAR_QUARTER:
        return (date.month - 1) / 3 + 1;
    case CALENDAR_YEAR:
        return shown_year(date.year);
    case CALENDAR_DECADE:
        return calendar_floor_div(date.year, 10);
    case CALENDAR_CENTURY:
        return span_of_year(date.year, 100);
    case CALENDAR_MILLENNIUM:
        return span_of_year(date.year, 1000);
    case CALENDAR_DOY:
        return calendar_day_of_year(date);
    case CALENDAR_ERA:
        return date.year > 0;
    case CALENDAR_WEEK:
        return calendar_week_of(days).week;
    case CALENDAR_ISOYEAR:
        return shown_year(calendar_week_of(days).year);
    case CALENDAR_YEARWEEK: {
        const calendar_week week = calendar_week_of(days);
        const int64_t year = shown_year(week.year);
        return year * 100 + (year < 0 ? -week.week : week.week);
    }
    case CALENDAR_DOW:
        return calendar_weekday(days);
    case CALENDAR_ISODOW:
        return (calendar_weekday(days) + 6) % 7 + 1;
    case CALENDAR_JULIAN:
        return days + JULIAN_1970;
    case CALENDAR_NANOSECOND:
    case CALENDAR_MICROSECOND:
    case CALENDAR_MILLISECOND:
    case CALENDAR_SECOND:
    case CALENDAR_MINUTE:
    case CALENDAR_HOUR:
    case CALENDAR_EPOCH:
    case CALENDAR_TIMEZONE:
    case CALENDAR_TIMEZONE_HOUR:
    case CALENDAR_TIMEZONE_MINUTE:
    case CALENDAR_FIELD_COUNT:
        break;
    }
    assert(false);
    return 0;
}

int64_t calendar_extract(calendar_field field, calendar_moment moment, int32_t offset_seconds) {
    const int64_t in_minute = moment.nanos % (60 * NANOS_PER_SECOND);
    if (field == CALENDAR_NANOSECOND) {
        return in_minute;
    }
    if (field == CALENDAR_MICROSECOND) {
        return in_minute / 1000;
    }
    if (field == CALENDAR_MILLISECOND) {
        return in_minute / 1000000;
    }
    if (field == CALENDAR_SECOND) {
        return in_minute / NANOS_PER_SECOND;
    }
    if (field == CALENDAR_MINUTE) {
        return moment.nanos / (60 * NANOS_PER_SECOND) % 60;
    }
    if (field == CALENDAR_HOUR) {
        return moment.nanos / (3600 * NANOS_PER_SECOND);
    }
    if (field == CALENDAR_EPOCH) {
        return moment.days * CALENDAR_DAY_SECONDS + moment.nanos / NANOS_PER_SECOND -
               offset_seconds;
    }
    if (field == CALENDAR_TIMEZONE) {
        return offset_seconds;
    }
    if (field == CALENDAR_TIMEZONE_HOUR) {
        return offset_seconds / 3600;
    }
    if (field == CALENDAR_TIMEZONE_MINUTE) {
        return offset_seconds / 60 % 60;
    }
    return extract_date(field, moment.days);
}

double calendar_extract_f64(calendar_field field, calendar_moment moment, int32_t offset_seconds) {
    const int64_t in_minute = moment.nanos % (60 * NANOS_PER_SECOND);
    if (field == CALENDAR_MICROSECOND) {
        return (double)in_minute / 1e3;
    }
    if (field == CALENDAR_MILLISECOND) {
        return (double)in_minute / 1e6;
    }
    if (field == CALENDAR_SECOND) {
        return (double)in_minute / 1e9;
    }
    if (field == CALENDAR_EPOCH) {
        // In one division, so that it rounds once: nanoseconds of some years fit a double exactly
        // only as microseconds.
        const int64_t seconds = moment.days * CALENDAR_DAY_SECONDS - offset_seconds;
        const i128 nanos = (i128)seconds * NANOS_PER_SECOND + moment.nanos;
        const i128 micros = nanos / 1000;
        return nanos % 1000 == 0 ? (double)micros / 1e6 : (double)nanos / 1e9;
    }
    if (field == CALENDAR_JULIAN) {
        return (double)(moment.days + JULIAN_1970) +
               (double)moment.nanos / (double)CALENDAR_DAY_NANOS;
    }
    return (double)calendar_extract(field, moment, offset_seconds);
}

// ---- date_trunc --------------------------------------------------------------------------------

// The first day of the span of years, such as 1901 for 2000 and 100; spans begin with year 1.
static int64_t span_start(int64_t year, int64_t span) {
    const int64_t first = calendar_floor_div(year - 1, span) * span + 1;
    return calendar_days_of((calendar_date){.year = first, .month = 1, .day = 1});
}

int64_t calendar_truncate_days(calendar_field field, int64_t days) {
    assert(calendar_field_is_truncated(field));
    if (field <= CALENDAR_DAY) {
        return days;
    }
    if (field == CALENDAR_WEEK) {
        return days - (calendar_weekday(days) + 6) % 7;
    }
    calendar_date date = calendar_date_of(days);
    if (field == CALENDAR_MILLENNIUM) {
        return span_start(date.year, 1000);
    }
    if (field == CALENDAR_CENTURY) {
        return span_start(date.year, 100);
    }
    date.day = 1;
    if (field == CALENDAR_DECADE) { // Decades begin with a year that ends in 0.
        date.year -= calendar_floor_mod(date.year, 10);
        date.month = 1;
    } else if (field == CALENDAR_YEAR) {
        date.month = 1;
    } else if (field == CALENDAR_QUARTER) {
        date.month -= (date.month - 1) % 3;
    }
    return calendar_days_of(date);
}

bool calendar_truncate_fits(calendar_field field, int64_t value, time_unit unit, int64_t *out) {
    assert(calendar_field_is_truncated(field));
    const int64_t per_second = calendar_units_per_second(unit);
    const int64_t per_day = per_second * CALENDAR_DAY_SECONDS;
    int64_t moved;
    if (field > CALENDAR_DAY) {
        const int64_t days = calendar_truncate_days(field, calendar_floor_div(value, per_day));
        return !__builtin_mul_overflow(days, per_day, out);
    }
    // Nanoseconds in each step from NANOSECOND to DAY; those finer than the unit cut nothing.
    static const int64_t steps[] = {1,
                                    1000,
                                    1000000,
                                    NANOS_PER_SECOND,
                                    60 * NANOS_PER_SECOND,
                                    3600 * NANOS_PER_SECOND,
                                    CALENDAR_DAY_NANOS};
    const int64_t step = steps[field] / (NANOS_PER_SECOND / per_second);
    const int64_t rest = step > 1 ? calendar_floor_mod(value, step) : 0;
    if (__builtin_sub_overflow(value, rest, &moved)) {
        return false;
    }
    *out = moved;
    return true;
}
