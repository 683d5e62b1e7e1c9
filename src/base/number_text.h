// Numbers to text and back, in the forms SQL shows and JSON needs.
//
// Parsing takes one whole text, with blanks around it if you like, and answers by a number_answer
// rather than a sentence: kernels call it per row, and who knows the column makes the message.
// Doubles and floats are rounded correctly for every input (Clinger's fast path, then Lemire's
// product of 64 and 128 bits, then big integers for the texts of more than 19 digits that need
// them) and printed with the fewest digits that read back as the same number (Schubfach).
//
// Printing writes to `out`, no NUL behind, and returns the size; the room needed is a constant.
#ifndef FIRN_BASE_NUMBER_TEXT_H
#define FIRN_BASE_NUMBER_TEXT_H

#include "base/text.h"
#include "base/wide.h"

typedef enum number_answer {
    NUMBER_OK,
    NUMBER_SYNTAX,   // Not a number, or something stands behind it.
    NUMBER_OVERFLOW, // A number, but outside of the type.
} number_answer;

// ---- Text to numbers: `out` is written only with NUMBER_OK, unless it says otherwise -----------

/// Digits with an optional sign; no point, no exponent.
number_answer number_parse_i64(text input, int64_t *out);
number_answer number_parse_u64(text input, uint64_t *out);
number_answer number_parse_i128(text input, i128 *out);

/// `12`, `.5`, `5.`, `1.5e-7`; `inf`, `infinity` and `nan` in any case, with a sign or without.
/// A number too large is NUMBER_OVERFLOW and `*out` the infinity of its sign; one too small is 0.
number_answer number_parse_f64(text input, double *out);
number_answer number_parse_f32(text input, float *out);

/// The forms of number_parse_f64 except infinities and NaN, as a decimal: digits beyond `scale`
/// round half away from zero. NUMBER_OVERFLOW if more than `precision` digits are left.
/// precision <= 38 (76), scale <= precision.
number_answer number_parse_decimal128(text input, uint32_t precision, uint32_t scale, i128 *out);
number_answer number_parse_decimal256(text input, uint32_t precision, uint32_t scale, i256 *out);

/// How many digits before the point and behind it a decimal needs that holds the number whole:
/// 1 and 2 for `1.050`, 0 and 0 for zero. False if the text is no finite number.
bool number_decimal_digits(text input, int64_t *whole, int64_t *scale);

// ---- Between doubles and decimals: through the digits that people see --------------------------

/// The decimal nearest to the shortest text of `value`: 1.005 with scale 2 gives 1.01, although the
/// double lies below it. NUMBER_OVERFLOW as above, and for NaN and infinities.
number_answer number_decimal128_from_f64(double value, uint32_t precision, uint32_t scale,
                                         i128 *out);
number_answer number_decimal256_from_f64(double value, uint32_t precision, uint32_t scale,
                                         i256 *out);
number_answer number_decimal128_from_f32(float value, uint32_t precision, uint32_t scale,
                                         i128 *out);
number_answer number_decimal256_from_f32(float value, uint32_t precision, uint32_t scale,
                                         i256 *out);

/// The nearest double of value / 10^scale, scale <= 76.
double number_decimal128_to_f64(i128 value, uint32_t scale);
double number_decimal256_to_f64(i256 value, uint32_t scale);

// ---- Numbers to text ---------------------------------------------------------------------------

#define NUMBER_I64_SIZE_MAX 20
#define NUMBER_I128_SIZE_MAX 40
#define NUMBER_F64_SIZE_MAX 24
#define NUMBER_DECIMAL_SIZE_MAX 80

typedef enum number_style {
    NUMBER_SQL,  // nan and infinities: NaN, inf, -inf
    NUMBER_JSON, // NaN, Infinity, -Infinity; whoever writes JSON puts quotes around these.
} number_style;

size_t number_print_i64(int64_t value, char out[NUMBER_I64_SIZE_MAX]);
size_t number_print_u64(uint64_t value, char out[NUMBER_I64_SIZE_MAX]);
size_t number_print_i128(i128 value, char out[NUMBER_I128_SIZE_MAX]);

/// The shortest digits that read back, always with a point or an exponent: `1.0`, `0.0001`,
/// `1e-05`, `1e+16`, `-0.0`. The exponent form is used below 1e-4 and from 1e16.
size_t number_print_f64(double value, number_style style, char out[NUMBER_F64_SIZE_MAX]);
size_t number_print_f32(float value, number_style style, char out[NUMBER_F64_SIZE_MAX]);

/// value / 10^scale with exactly `scale` digits behind the point; scale <= 76.
size_t number_print_decimal128(i128 value, uint32_t scale, char out[NUMBER_DECIMAL_SIZE_MAX]);
size_t number_print_decimal256(i256 value, uint32_t scale, char out[NUMBER_DECIMAL_SIZE_MAX]);

#endif
