// A cursor over text that is read piece by piece: digits, words, signs. For the texts of dates,
// intervals and time zones.
#ifndef FIRN_BASE_DATE_CURSOR_H
#define FIRN_BASE_DATE_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

typedef struct date_cursor {
    const char *at;
    const char *end;
} date_cursor;

/// Starts behind blanks and ends before them.
date_cursor date_cursor_open(text input);

static inline bool date_is_blank(char byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static inline bool date_is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static inline bool date_is_letter(char byte) {
    const char lower = (char)(byte | 0x20);
    return lower >= 'a' && lower <= 'z';
}

static inline bool date_at_end(const date_cursor *self) {
    return self->at == self->end;
}

/// The byte to come, 0 at the end.
static inline char date_peek(const date_cursor *self) {
    return self->at < self->end ? *self->at : '\0';
}

/// Takes a byte if it is this one.
static inline bool date_take(date_cursor *self, char byte) {
    if (self->at < self->end && *self->at == byte) {
        self->at += 1;
        return true;
    }
    return false;
}

void date_skip_blanks(date_cursor *self);

/// Takes digits; how many. The value of more than 18 is INT64_MAX.
int64_t date_take_digits(date_cursor *self, int64_t *value);

/// Takes the digits of a fraction, behind its point, as billionths; *has_tenth if the tenth digit
/// is 5 or more. How many there are.
int64_t date_take_fraction(date_cursor *self, int64_t *billionths, bool *has_tenth);

/// Takes letters; an empty text if none are there.
text date_take_word(date_cursor *self);

/// Takes one of the words, if it stands there whole; in any case.
bool date_take_this_word(date_cursor *self, const char *wanted);

/// Takes an offset from UTC, [+-]HH[[:]MM[[:]SS]] to the east, less than 16 hours. False if that is
/// not what stands there; *is_known tells a wrong number from another text.
bool date_take_offset(date_cursor *self, int32_t *seconds, bool *is_known);

#endif
