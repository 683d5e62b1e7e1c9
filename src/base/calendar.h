// The proleptic Gregorian calendar: days, timestamps and their fields, with PostgreSQL's meanings.
//
// A date is the count of days since 1970-01-01. A timestamp is the count of units (seconds to
// nanoseconds) since 1970-01-01 00:00:00; whether that is UTC or a local clock is the caller's
// matter, see base/zone.h. Years are astronomical: 0 is 1 BC, -43 is 44 BC; only texts and extract
// know "BC". Days, years and months are 64 and 32 bits wide so that every timestamp of every unit
// has a date; what leaves the width of its type says `..._fits`.
#ifndef FIRN_BASE_CALENDAR_H
#define FIRN_BASE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

typedef enum time_unit { UNIT_SECOND, UNIT_MILLI, UNIT_MICRO, UNIT_NANO } time_unit;

#define CALENDAR_DAY_SECONDS INT64_C(86400)
#define CALENDAR_DAY_NANOS (CALENDAR_DAY_SECONDS * 1000000000)

/// Units in a second: 1, 1000, 1000000, 1000000000.
int64_t calendar_units_per_second(time_unit unit);

/// Division that rounds toward minus infinity, and its remainder of 0 to divisor - 1; divisor > 0.
static inline int64_t calendar_floor_div(int64_t value, int64_t divisor) {
    return value / divisor - (value % divisor < 0);
}

static inline int64_t calendar_floor_mod(int64_t value, int64_t divisor) {
    const int64_t rest = value % divisor;
    return rest < 0 ? rest + divisor : rest;
}

// ---- Days --------------------------------------------------------------------------------------

typedef struct calendar_date {
    int64_t year;  // Astronomical.
    int32_t month; // 1 to 12.
    int32_t day;   // 1 to 31.
} calendar_date;

/// The date of a day; |days| at most 2^47, far more than any timestamp reaches.
/// Cost: a few multiplications, no division and no loop within 1.4 million years around 1970.
calendar_date calendar_date_of(int64_t days);

/// The day of a date, which exists (calendar_date_exists); |year| at most 3 * 10^11.
int64_t calendar_days_of(calendar_date date);

static inline bool calendar_is_leap(int64_t year) {
    // Of the multiples of 100 just those of 16 are multiples of 400.
    return (year & (year % 100 == 0 ? 15 : 3)) == 0;
}

/// 28 to 31; `month` from 1 to 12.
int32_t calendar_month_days(int64_t year, int32_t month);

static inline bool calendar_date_exists(calendar_date date) {
    return date.month >= 1 && date.month <= 12 && date.day >= 1 &&
           date.day <= calendar_month_days(date.year, date.month);
}

/// 0 = Sunday to 6 = Saturday.
static inline int32_t calendar_weekday(int64_t days) {
    return (int32_t)calendar_floor_mod(days + 4, 7);
}

/// 1 to 366.
int32_t calendar_day_of_year(calendar_date date);

/// ISO 8601 weeks begin on Monday; week 1 holds January 4th. The year is the week's.
typedef struct calendar_week {
    int64_t year;
    int32_t week; // 1 to 53.
} calendar_week;
calendar_week calendar_week_of(int64_t days);
/// The Monday of a week.
int64_t calendar_week_start(calendar_week week);

/// The same day `months` later, or the last day of that month if it has no such day.
calendar_date calendar_add_months(calendar_date date, int64_t months);

/// calendar_add_months on the days of a DATE.
bool calendar_date_add_months_fits(int32_t days, int64_t months, int32_t *out);

// ---- Timestamps --------------------------------------------------------------------------------

/// A timestamp as day and nanoseconds within it, 0 to CALENDAR_DAY_NANOS - 1.
typedef struct calendar_moment {
    int64_t days;
    int64_t nanos;
} calendar_moment;

calendar_moment calendar_moment_of(int64_t value, time_unit unit);

/// The timestamp of a moment; nanoseconds that the unit can't show round to the nearest, a half
/// later. `nanos` may be any number, also negative or more than a day.
bool calendar_timestamp_fits(calendar_moment moment, time_unit unit, int64_t *out);

/// A timestamp in another unit; rounds as above.
bool calendar_rescale_fits(int64_t value, time_unit from, time_unit to, int64_t *out);

// ---- Fields: date_part, extract, date_trunc ----------------------------------------------------

// Name as SQL prints it; whether date_trunc knows it.
#define CALENDAR_FIELD_LIST(X)                                                                     \
    X(NANOSECOND, "nanosecond", true)                                                              \
    X(MICROSECOND, "microsecond", true)                                                            \
    X(MILLISECOND, "millisecond", true)                                                            \
    X(SECOND, "second", true)                                                                      \
    X(MINUTE, "minute", true)                                                                      \
    X(HOUR, "hour", true)                                                                          \
    X(DAY, "day", true)                                                                            \
    X(WEEK, "week", true)                                                                          \
    X(MONTH, "month", true)                                                                        \
    X(QUARTER, "quarter", true)                                                                    \
    X(YEAR, "year", true)                                                                          \
    X(DECADE, "decade", true)                                                                      \
    X(CENTURY, "century", true)                                                                    \
    X(MILLENNIUM, "millennium", true)                                                              \
    X(DOW, "dow", false)                                                                           \
    X(ISODOW, "isodow", false)                                                                     \
    X(DOY, "doy", false)                                                                           \
    X(ISOYEAR, "isoyear", false)                                                                   \
    X(YEARWEEK, "yearweek", false)                                                                 \
    X(JULIAN, "julian", false)                                                                     \
    X(ERA, "era", false)                                                                           \
    X(EPOCH, "epoch", false)                                                                       \
    X(TIMEZONE, "timezone", false)                                                                 \
    X(TIMEZONE_HOUR, "timezone_hour", false)                                                       \
    X(TIMEZONE_MINUTE, "timezone_minute", false)

#define X(name, word, is_truncated) CALENDAR_##name,
typedef enum calendar_field { CALENDAR_FIELD_LIST(X) CALENDAR_FIELD_COUNT } calendar_field;
#undef X

/// The field of a word in any case: PostgreSQL's names, plurals and abbreviations ("mon", "hrs",
/// "ms"), DataFusion's and DuckDB's ("dayofweek"). False if there is none.
bool calendar_field_of(text word, calendar_field *out);
/// The word of a field. Static storage.
const char *calendar_field_word(calendar_field field);
bool calendar_field_is_truncated(calendar_field field);
/// Months in a field from MONTH to MILLENNIUM, 0 of others.
int32_t calendar_months_in(calendar_field field);
/// Nanoseconds in a field from NANOSECOND to HOUR, 0 of others.
int64_t calendar_nanos_in(calendar_field field);

/// A field as a whole number: seconds and epoch without their fraction, milliseconds to nanoseconds
/// with the seconds of the minute in front (5.25 s are 5250 ms). Years before 1 are negative and
/// there is no year 0. `offset_seconds` is what the local clock is ahead of UTC: epoch and the
/// timezone fields use it.
int64_t calendar_extract(calendar_field field, calendar_moment moment, int32_t offset_seconds);

/// The same with fractions, for second, millisecond, microsecond, epoch and julian.
double calendar_extract_f64(calendar_field field, calendar_moment moment, int32_t offset_seconds);

/// The start of the second, day, week (Monday), ... millennium in which a timestamp lies. The field
/// is one that date_trunc knows. False if the start is before all timestamps.
bool calendar_truncate_fits(calendar_field field, int64_t value, time_unit unit, int64_t *out);

/// The same for a day; fields below DAY leave it as it is.
int64_t calendar_truncate_days(calendar_field field, int64_t days);

#endif
