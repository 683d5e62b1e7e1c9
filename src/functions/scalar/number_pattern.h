// Patterns of numbers, PostgreSQL's: '999,990.99', 'S9V99', 'FM9.9EEEE', 'RN'.
#ifndef FIRN_FUNCTIONS_SCALAR_NUMBER_PATTERN_H
#define FIRN_FUNCTIONS_SCALAR_NUMBER_PATTERN_H

#include "memory/text_builder.h"

typedef enum number_field {
    NUMBER_FIELD_LITERAL,
    NUMBER_FIELD_NOTHING, // What only says how others are written: FM, V, PR …
    NUMBER_FIELD_DIGIT,   // 9
    NUMBER_FIELD_ZERO,    // 0
    NUMBER_FIELD_POINT,   // . D
    NUMBER_FIELD_COMMA,   // , G
    NUMBER_FIELD_MONEY,   // L
    NUMBER_FIELD_ROMAN,   // RN
    NUMBER_FIELD_ROMAN_LOWER,
    NUMBER_FIELD_ORDINAL, // TH
    NUMBER_FIELD_ORDINAL_LOWER,
    NUMBER_FIELD_MINUS,    // MI
    NUMBER_FIELD_PLUS,     // PL
    NUMBER_FIELD_EACH_SIGN // SG
} number_field;

typedef struct number_item {
    number_field field;
    text literal;
} number_item;

/// Where S writes the sign.
typedef enum number_sign_place { SIGN_BY_ITSELF, SIGN_BEFORE, SIGN_BEHIND } number_sign_place;

typedef struct number_pattern {
    const number_item *items;
    uint32_t count;
    uint32_t digits_before; ///< The point.
    uint32_t digits_behind;
    uint32_t shift;              ///< Digits behind V: the number is taken times ten as often.
    uint32_t zero_from;          ///< Of the first 0, from 1; 0: there is none.
    uint32_t zero_to;            ///< Behind the last 0.
    uint32_t digits_before_sign; ///< Before an S that stands before the point.
    number_sign_place sign;
    bool is_bare, is_decimal, is_exponent, is_roman, is_bracket, has_minus, has_plus;
    const char *fault; ///< Why it is no pattern; NULL: it is one.
} number_pattern;

/// Takes a pattern apart; the items are in `memory` and point into the pattern. False if it is
/// full.
bool number_pattern_make(text pattern, arena *memory, number_pattern *out);

/// A number as it goes into a pattern: digits, of which `digits_behind` are behind a point; NaN and
/// Infinity as words; with EEEE all of it, signed or with a blank before. `is_negative` beside it.
void number_pattern_write(const number_pattern *self, text digits, bool is_negative,
                          text_builder *out);
/// By a pattern with RN: a number beyond 1 to 3999 becomes #.
void number_pattern_write_roman(const number_pattern *self, int64_t number, text_builder *out);

#endif
