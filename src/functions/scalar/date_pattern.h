// Patterns of dates and times, for writing and for reading: PostgreSQL's (to_char, to_date,
// to_timestamp) and, if there is a % in it, strftime's. Both are taken apart into the same items.
#ifndef FIRN_FUNCTIONS_SCALAR_DATE_PATTERN_H
#define FIRN_FUNCTIONS_SCALAR_DATE_PATTERN_H

#include "base/zone.h"
#include "memory/arena.h"

typedef enum pattern_field {
    PATTERN_FIELD_LITERAL,
    PATTERN_FIELD_YEAR,   // All digits, at least four.
    PATTERN_FIELD_YEAR_3, // The last three ...
    PATTERN_FIELD_YEAR_2, // ... two ...
    PATTERN_FIELD_YEAR_1, // ... one.
    PATTERN_FIELD_ISOYEAR,
    PATTERN_FIELD_CENTURY,
    PATTERN_FIELD_QUARTER,
    PATTERN_FIELD_MONTH,
    PATTERN_FIELD_MONTH_NAME,
    PATTERN_FIELD_MONTH_SHORT,
    PATTERN_FIELD_DAY,
    PATTERN_FIELD_DAY_NAME,
    PATTERN_FIELD_DAY_SHORT,
    PATTERN_FIELD_DAY_OF_YEAR,
    PATTERN_FIELD_DOW,        // 0 = Sunday.
    PATTERN_FIELD_DOW_FROM_1, // 1 = Sunday.
    PATTERN_FIELD_ISODOW,
    PATTERN_FIELD_JULIAN,
    PATTERN_FIELD_WEEK, // From January 1st, 1 to 53.
    PATTERN_FIELD_WEEK_SUNDAY,
    PATTERN_FIELD_WEEK_MONDAY,
    PATTERN_FIELD_ISOWEEK,
    PATTERN_FIELD_HOUR,
    PATTERN_FIELD_HOUR_12,
    PATTERN_FIELD_MINUTE,
    PATTERN_FIELD_SECOND,
    PATTERN_FIELD_MILLI,
    PATTERN_FIELD_MICRO,
    PATTERN_FIELD_NANO,
    PATTERN_FIELD_SECOND_OF_DAY,
    PATTERN_FIELD_EPOCH,
    PATTERN_FIELD_MERIDIEM,
    PATTERN_FIELD_MERIDIEM_DOTS,
    PATTERN_FIELD_ERA,
    PATTERN_FIELD_ZONE_WORD,
    PATTERN_FIELD_ZONE_OFFSET
} pattern_field;

typedef enum pattern_case { PATTERN_UPPER, PATTERN_TITLE, PATTERN_LOWER } pattern_case;

typedef struct pattern_item {
    pattern_field field;
    pattern_case letters; // Of names.
    bool is_bare;         // No zeros in front, no blanks behind.
    bool has_ordinal;     // st, nd, rd, th behind.
    text literal;
} pattern_item;

typedef struct date_pattern {
    const pattern_item *items;
    uint32_t count;
    text unknown; // What is no pattern, if there is any: from there on.
} date_pattern;

/// A moment as a clock shows it.
typedef struct clock_moment {
    calendar_moment moment;
    int32_t offset_seconds; // Ahead of UTC.
    text zone_word;
} clock_moment;

/// Takes a pattern apart; the items are in `memory` and point into the pattern. False if it is
/// full.
bool date_pattern_make(text pattern, arena *memory, date_pattern *out);
/// strftime's: without a % all of it is literal.
bool date_pattern_make_percent(text pattern, arena *memory, date_pattern *out);

#define DATE_PATTERN_ITEM_SIZE_MAX 32 // Of an item that is neither literal nor a zone's word.

/// Bytes that date_pattern_write needs at most, with a zone word of `word_size`: files of zones
/// have words of any size.
size_t date_pattern_size_max(const date_pattern *self, size_t word_size);
size_t date_pattern_write(const date_pattern *self, const clock_moment *moment, char *out);

/// Reads a text. DATE_SYNTAX if it is not as the pattern says. Without a zone in it,
/// `*has_offset` is false. `is_strict`: all of the text, blanks where the pattern has them.
date_answer date_pattern_read(const date_pattern *self, text input, bool is_strict,
                              clock_moment *out, bool *has_offset);

#endif
