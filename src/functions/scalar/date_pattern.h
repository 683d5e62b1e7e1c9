// Patterns of dates and times, for writing and for reading: PostgreSQL's templates (to_char,
// to_date, to_timestamp) and, if there is a % in it, strftime's. Both are taken apart into the same
// items; each has its own way of reading.
#ifndef FIRN_FUNCTIONS_SCALAR_DATE_PATTERN_H
#define FIRN_FUNCTIONS_SCALAR_DATE_PATTERN_H

#include "base/date_cursor.h"
#include "base/interval.h"
#include "base/zone.h"
#include "memory/arena.h"

typedef enum pattern_field {
    PATTERN_FIELD_LITERAL,
    PATTERN_FIELD_YEAR,       // All digits, at least four.
    PATTERN_FIELD_YEAR_COMMA, // 2,020
    PATTERN_FIELD_YEAR_3,     // The last three ...
    PATTERN_FIELD_YEAR_2,     // ... two ...
    PATTERN_FIELD_YEAR_1,     // ... one.
    PATTERN_FIELD_ISOYEAR,
    PATTERN_FIELD_ISOYEAR_3,
    PATTERN_FIELD_ISOYEAR_2,
    PATTERN_FIELD_ISOYEAR_1,
    PATTERN_FIELD_CENTURY,
    PATTERN_FIELD_QUARTER,
    PATTERN_FIELD_MONTH,
    PATTERN_FIELD_MONTH_NAME,
    PATTERN_FIELD_MONTH_SHORT,
    PATTERN_FIELD_MONTH_ROMAN,
    PATTERN_FIELD_DAY,
    PATTERN_FIELD_DAY_NAME,
    PATTERN_FIELD_DAY_SHORT,
    PATTERN_FIELD_DAY_OF_YEAR,
    PATTERN_FIELD_DAY_OF_ISOYEAR,
    PATTERN_FIELD_DOW,        // 0 = Sunday.
    PATTERN_FIELD_DOW_FROM_1, // 1 = Sunday.
    PATTERN_FIELD_ISODOW,
    PATTERN_FIELD_JULIAN,
    PATTERN_FIELD_WEEK,          // From January 1st, 1 to 53.
    PATTERN_FIELD_WEEK_OF_MONTH, // From the first, 1 to 5.
    PATTERN_FIELD_WEEK_SUNDAY,
    PATTERN_FIELD_WEEK_MONDAY,
    PATTERN_FIELD_ISOWEEK,
    PATTERN_FIELD_ERA,
    PATTERN_FIELD_ERA_DOTS,
    PATTERN_FIELD_HOUR, // From here on the time of the day.
    PATTERN_FIELD_HOUR_12,
    PATTERN_FIELD_MINUTE,
    PATTERN_FIELD_SECOND,
    PATTERN_FIELD_MILLI,    // Of a template: its first three digits behind the second.
    PATTERN_FIELD_FRACTION, // As many digits of the second's fraction as `digits` says.
    PATTERN_FIELD_SECOND_OF_DAY,
    PATTERN_FIELD_EPOCH,
    PATTERN_FIELD_MERIDIEM,
    PATTERN_FIELD_MERIDIEM_DOTS,
    PATTERN_FIELD_ZONE_WORD,
    PATTERN_FIELD_ZONE_OFFSET,  // +02, -03:30
    PATTERN_FIELD_ZONE_HOURS,   // +02
    PATTERN_FIELD_ZONE_MINUTES, // 30
    PATTERN_FIELD_FIXED         // FX: nothing; it says how to read what follows.
} pattern_field;

typedef enum pattern_case { PATTERN_UPPER, PATTERN_TITLE, PATTERN_LOWER } pattern_case;

typedef enum pattern_ordinal {
    PATTERN_NO_ORDINAL,
    PATTERN_ORDINAL_UPPER, // ST, ND, RD, TH behind a number ...
    PATTERN_ORDINAL_LOWER
} pattern_ordinal;

/// Which year a template's field belongs to: reading can't mix them.
typedef enum pattern_calendar {
    PATTERN_ANY_YEAR,
    PATTERN_GREGORIAN_YEAR,
    PATTERN_ISO_YEAR
} pattern_calendar;

typedef struct pattern_item {
    pattern_field field;
    pattern_case letters; // Of names.
    pattern_ordinal ordinal;
    pattern_calendar calendar;
    uint8_t digits;  // Of a fraction.
    bool is_bare;    // FM: no zeros in front, no blanks behind.
    bool is_wide;    // With zeros in front all the same.
    bool is_numeric; // Of a template: what it reads is digits.
    bool is_quoted;  // A literal of a template that stands in quotes.
    text literal;    // Of another field in a template: how it is written there.
} pattern_item;

typedef struct date_pattern {
    const pattern_item *items;
    uint32_t count;
    bool is_template; // PostgreSQL's.
    text unknown;     // What is no pattern, if there is any: from there on.
} date_pattern;

/// A moment as a clock shows it.
typedef struct clock_moment {
    calendar_moment moment;
    int32_t offset_seconds;         // Ahead of UTC.
    bool is_time;                   // A time of no day: its day's numbers are 0, as in PostgreSQL.
    const interval_value *interval; // What is written instead, if it is not NULL.
    text zone_word;
} clock_moment;

/// Takes a pattern apart; the items are in `memory` and point into the pattern. False if it is
/// full.
bool date_pattern_make(text pattern, arena *memory, date_pattern *out);
/// strftime's: without a % all of it is literal.
bool date_pattern_make_percent(text pattern, arena *memory, date_pattern *out);
/// PostgreSQL's, whatever is in it.
bool date_pattern_make_template(text pattern, arena *memory, date_pattern *out);

/// Adds an item behind the others; literals that follow each other become one.
void date_pattern_add(date_pattern *out, pattern_item *items, pattern_item item);

/// The first item that a time of no day doesn't have, such as the name of a month; NULL if it has
/// all of them.
const pattern_item *date_pattern_beyond_time(const date_pattern *self);
/// The same of an interval.
const pattern_item *date_pattern_beyond_interval(const date_pattern *self);

#define DATE_PATTERN_ITEM_SIZE_MAX 32 // Of an item that is neither literal nor a zone's word.

/// Bytes that date_pattern_write needs at most, with a zone word of `word_size`: files of zones
/// have words of any size.
size_t date_pattern_size_max(const date_pattern *self, size_t word_size);
size_t date_pattern_write(const date_pattern *self, const clock_moment *moment, char *out);

/// Why a text was not read; nothing is in it if all that is to say is that the text is not as the
/// pattern says.
typedef struct pattern_failure {
    text field;      // How the pattern writes the field that failed.
    const char *why; // A sentence behind it, or NULL.
} pattern_failure;

/// Reads a text by any pattern. DATE_SYNTAX if it is not as the pattern says. Without a zone in it,
/// `*has_offset` is false. `is_strict`, with strftime's patterns: all of the text, blanks where the
/// pattern has them; a date that it doesn't tell is of 1900-01-01.
date_answer date_pattern_read(const date_pattern *self, text input, bool is_strict,
                              clock_moment *out, bool *has_offset, pattern_failure *failure);
/// By a template: one part of the above.
date_answer date_pattern_read_template(const date_pattern *self, text input, clock_moment *out,
                                       bool *has_offset, pattern_failure *failure);

/// Parts of both ways of reading. Takes the names of months or days, 0 the first: whole or their
/// first three letters.
bool date_pattern_take_month(date_cursor *in, bool is_short, int64_t *out);
bool date_pattern_take_weekday(date_cursor *in, bool is_short, int64_t *out);
/// Takes one of several words in any case; which one, or `count`.
uint32_t date_pattern_take_word(date_cursor *in, const char *const *words, uint32_t count);
/// Takes an offset or an abbreviation of a zone.
bool date_pattern_take_zone(date_cursor *in, int32_t *offset_seconds);

#endif
