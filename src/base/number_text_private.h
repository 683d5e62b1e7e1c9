// What the files of number_text share: the scanned number, shortest digits, the table of powers.
#ifndef FIRN_BASE_NUMBER_TEXT_PRIVATE_H
#define FIRN_BASE_NUMBER_TEXT_PRIVATE_H

#include "base/number_text.h"

/// A number as it stands in a text, without loss.
typedef struct number_scan {
    bool is_negative;
    bool is_exact;     // `mantissa` holds all digits that are not 0.
    uint64_t mantissa; // The first 19 digits, counted from the first that is not 0.
    int64_t exponent;  // |value| is mantissa * 10^exponent, cut off there unless is_exact.
    text digits;       // From the first digit that is not 0 to the last digit; may hold a point.
    int64_t last;      // The last digit of `digits` counts 10^last.
} number_scan;

/// Scans a whole text but blanks around it; false if that is no number. Infinities and NaN are
/// number_word's. Exponents beyond +-10^9 are cut to that, which is out of range for every type.
bool number_scan_text(text input, number_scan *out);

/// `input` without blanks at both ends.
text number_trim(text input);

/// |value| as digits * 10^exponent with the fewest digits; `value` is finite and not 0. Digits do
/// not end in 0.
typedef struct number_shortest {
    uint64_t digits; // At most 17 of them.
    int32_t exponent;
} number_shortest;
number_shortest number_shortest_f64(double value);
number_shortest number_shortest_f32(float value);

/// Rounds mantissa * 10^exponent to a double, exactly; an overflow is infinity.
double number_round_f64(uint64_t mantissa, int64_t exponent);

/// Writes `value` in decimal; the count of digits, 1 to 20.
size_t number_print_digits(uint64_t value, char out[NUMBER_I64_SIZE_MAX]);

// 10^q = (mantissa / 2^127) * 2^floor(log2(10^q)), mantissa in [2^127, 2^128): exact for q from 0
// to 55, rounded up from -27 to -1, cut off elsewhere. Lemire needs exactly these roundings.
#define NUMBER_POWER_MIN (-342)
#define NUMBER_POWER_MAX 324
typedef struct number_power {
    uint64_t high;
    uint64_t low;
} number_power;
extern const number_power number_powers[NUMBER_POWER_MAX - NUMBER_POWER_MIN + 1];

#endif
