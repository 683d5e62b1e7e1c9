// Dates, times, timestamps and intervals to text and back, in PostgreSQL's forms.
//
//     2020-01-02    2020/1/2    20200102    +12020-01-02    0044-03-15 BC    -0043-03-15
//     03:04    3:04:05.123456789    11:30 PM    24:00:00
//     2020-01-02 03:04:05.5    2020-01-02T03:04:05Z    ... 03:04:05+02:30    ... Europe/Berlin
//     1 year 2 mons 3 days 04:05:06.5    P1Y2M3DT4H5M6.5S    -1.5 weeks    3 hours ago    1-2
//
// As in number_text.h, parsing takes one whole text with blanks around it if you like, answers by
// an enum and writes `out` only with DATE_OK; printing returns the size, with no NUL behind.
#ifndef FIRN_BASE_DATE_TEXT_H
#define FIRN_BASE_DATE_TEXT_H

#include "base/calendar.h"
#include "base/interval.h"
#include "base/text.h"

typedef enum date_answer {
    DATE_OK,
    DATE_SYNTAX, // Not of these forms.
    DATE_RANGE,  // A month 13, a February 30th, or outside of the type.
    DATE_LARGE,  // An interval of parts that are larger than it can hold.
} date_answer;

// ---- Reading -----------------------------------------------------------------------------------

/// A time of the day and an offset behind the date are taken and don't count.
date_answer date_parse_date(text input, int32_t *out);

/// From 0 to 24:00:00 in units; digits that the unit can't show round, a half up. An offset or an
/// abbreviation of a zone behind the time is taken and doesn't count.
date_answer date_parse_time(text input, time_unit unit, int64_t *out);

/// A timestamp as it stands; with an offset, what a clock in UTC showed at that instant. Names of
/// zones other than UTC and GMT are DATE_SYNTAX here: see base/zone.h. Digits round as above.
date_answer date_parse_timestamp(text input, time_unit unit, int64_t *out);

/// A timestamp in its parts, for who knows what to do with the zone.
typedef enum date_zone { DATE_ZONE_NONE, DATE_ZONE_OFFSET, DATE_ZONE_NAME } date_zone;
typedef struct date_parts {
    calendar_moment moment; // As the text has it; nanos may be a day or a second more.
    bool has_tenth;         // The digit behind the nanoseconds is 5 or more.
    date_zone zone;         // What stands behind the time: ...
    int32_t offset_seconds; // ... DATE_ZONE_OFFSET: ahead of UTC, less than 16 hours;
    text zone_name;         // DATE_ZONE_NAME: borrowed from the input, unchecked.
} date_parts;
date_answer date_parse_parts(text input, date_parts *out);

/// The timestamp of parts in a unit, after `offset_seconds` are taken away.
date_answer date_parts_timestamp(const date_parts *parts, int32_t offset_seconds, time_unit unit,
                                 int64_t *out);

date_answer date_parse_interval(text input, interval_value *out);

/// The text of INTERVAL '...' FIRST TO LAST, or INTERVAL '...' LAST with both the same: a number
/// without a unit counts in the last one, "1:30" are minutes if the first one is MINUTE, and what
/// is smaller than the last one is cut away. Fields from SECOND to MILLENNIUM.
date_answer date_parse_interval_between(text input, calendar_field first, calendar_field last,
                                        interval_value *out);

// ---- Writing -----------------------------------------------------------------------------------

#define DATE_TEXT_SIZE_MAX 64
#define INTERVAL_TEXT_SIZE_MAX 80

#define DATE_DIGITS_NEEDED (-1) // No zeros at the end of a fraction.

typedef struct date_style {
    char separator;         // Between date and time: ' ' or 'T'.
    int8_t fraction_digits; // 0 to 9, or DATE_DIGITS_NEEDED.
    bool has_offset;        // The offset stands behind the time: "+00", "-03:30" ...
    bool has_long_offset;   // ... always with minutes: "+00:00".
    int32_t offset_seconds; // Added to the value before it is printed.
} date_style;

/// SQL's form: 2020-01-02 03:04:05.5.
#define DATE_STYLE_SQL ((date_style){.separator = ' ', .fraction_digits = DATE_DIGITS_NEEDED})

/// 2020-01-02; years before 1 as "0044-03-15 BC"; more than four digits where needed.
size_t date_print_date(int64_t days, char out[DATE_TEXT_SIZE_MAX]);
/// 03:04:05.5; `value` from 0 to 24:00:00. Of the style only fraction_digits counts.
size_t date_print_time(int64_t value, time_unit unit, const date_style *style,
                       char out[DATE_TEXT_SIZE_MAX]);
size_t date_print_timestamp(int64_t value, time_unit unit, const date_style *style,
                            char out[DATE_TEXT_SIZE_MAX]);
/// 1 year 2 mons 3 days 04:05:06.5; of nothing 00:00:00.
size_t date_print_interval(interval_value value, char out[INTERVAL_TEXT_SIZE_MAX]);

#endif
