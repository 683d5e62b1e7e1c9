#include "base/number_text.h"

#include <assert.h>
#include <string.h>

#include "base/compiler.h"
#include "base/number_text_private.h"

#define MANTISSA_DIGITS_MAX 19 // Any 19 digits fit 64 bits.
#define EXPONENT_MAX INT64_C(1000000000)

// ---- Scanning ----------------------------------------------------------------------------------

static bool is_blank(char byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

text number_trim(text input) {
    size_t from = 0;
    size_t to = input.size;
    while (from < to && is_blank(input.data[from])) {
        from += 1;
    }
    while (from < to && is_blank(input.data[to - 1])) {
        to -= 1;
    }
    return text_slice(input, from, to);
}

// Whether the 8 bytes are all digits: their high halves must be 3, also after 6 was added.
WRAPS static bool are_8_digits(uint64_t eight) {
    const uint64_t high = UINT64_C(0xf0f0f0f0f0f0f0f0);
    return ((eight & high) | ((eight + UINT64_C(0x0606060606060606)) & high) >> 4) ==
           UINT64_C(0x3333333333333333);
}

// Their value: pairs, then fours, then all eight, each step in one multiplication.
WRAPS static uint64_t value_of_8_digits(uint64_t eight) {
    const uint64_t mask = UINT64_C(0x000000ff000000ff);
    eight -= UINT64_C(0x3030303030303030);
    eight = eight * 10 + (eight >> 8);
    return ((eight & mask) * (100 + (UINT64_C(1000000) << 32)) +
            ((eight >> 16) & mask) * (1 + (UINT64_C(10000) << 32))) >>
           32;
}

// Runs over the digits from `at`, adding them to *mantissa, which wraps when there are too many;
// the caller counts. Where the digits end.
WRAPS static const char *run_digits(const char *at, const char *end, uint64_t *mantissa) {
    uint64_t value = *mantissa;
    while (end - at >= 8) {
        uint64_t eight;
        memcpy(&eight, at, sizeof eight);
        if (!are_8_digits(eight)) {
            break;
        }
        value = value * 100000000 + value_of_8_digits(eight);
        at += 8;
    }
    while (at < end && is_digit(*at)) {
        value = value * 10 + (uint64_t)(*at - '0');
        at += 1;
    }
    *mantissa = value;
    return at;
}

// Reads [+-]digits to the end of the text.
static bool scan_exponent(const char *at, const char *end, int64_t *out) {
    const bool is_negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) {
        at += 1;
    }
    if (at == end) {
        return false;
    }
    int64_t value = 0;
    for (; at < end; at++) {
        if (!is_digit(*at)) {
            return false;
        }
        value = value > EXPONENT_MAX / 10 ? EXPONENT_MAX : value * 10 + (*at - '0');
    }
    *out = is_negative ? -value : value;
    return true;
}

// Replaces the mantissa of more than 19 digits, which has wrapped, by the first 19 of them.
static void cut_mantissa(number_scan *scan) {
    const char *at = scan->digits.data;
    const char *end = at + scan->digits.size;
    while (at < end && (*at == '0' || *at == '.')) {
        at += 1;
    }
    scan->digits = (text){.data = at, .size = (size_t)(end - at)};
    scan->mantissa = 0;
    int64_t kept = 0;
    int64_t left = 0;
    bool has_more = false;
    for (; at < end; at++) {
        if (*at == '.') {
            continue;
        }
        if (kept < MANTISSA_DIGITS_MAX) {
            scan->mantissa = scan->mantissa * 10 + (uint64_t)(*at - '0');
            kept += 1;
        } else {
            has_more = has_more || *at != '0';
            left += 1;
        }
    }
    scan->exponent = scan->last + left;
    scan->is_exact = !has_more;
}

bool number_scan_text(text input, number_scan *out) {
    const text whole = number_trim(input);
    if (whole.size == 0) {
        return false;
    }
    const char *at = whole.data;
    const char *end = at + whole.size;
    out->is_negative = *at == '-';
    at += *at == '-' || *at == '+';
    const char *first = at;
    out->mantissa = 0;
    at = run_digits(at, end, &out->mantissa);
    int64_t count = at - first;
    int64_t fraction = 0;
    if (at < end && *at == '.') {
        const char *point = at + 1;
        at = run_digits(point, end, &out->mantissa);
        fraction = at - point;
        count += fraction;
    }
    if (count == 0) {
        return false;
    }
    out->digits = (text){.data = first, .size = (size_t)(at - first)};
    int64_t exponent = 0;
    if (at < end && ((*at != 'e' && *at != 'E') || !scan_exponent(at + 1, end, &exponent))) {
        return false;
    }
    out->last = exponent - fraction;
    out->exponent = out->last;
    out->is_exact = true;
    if (count > MANTISSA_DIGITS_MAX) {
        cut_mantissa(out);
    }
    return true;
}

// ---- Integers ----------------------------------------------------------------------------------

// What stands between blanks, without its sign and leading zeros. False if that is not all digits.
static bool trim_integer(text input, bool *is_negative, text *digits) {
    const text whole = number_trim(input);
    const bool has_sign = whole.size > 0 && (whole.data[0] == '-' || whole.data[0] == '+');
    *is_negative = has_sign && whole.data[0] == '-';
    size_t from = has_sign ? 1 : 0;
    if (from == whole.size) {
        return false;
    }
    for (size_t i = from; i < whole.size; i++) {
        if (!is_digit(whole.data[i])) {
            return false;
        }
    }
    while (from + 1 < whole.size && whole.data[from] == '0') {
        from += 1;
    }
    *digits = text_slice(whole, from, whole.size);
    return true;
}

// The distance from zero of an integer. For texts of at most 19 digits one pass does it.
static number_answer parse_magnitude(text input, bool *is_negative, u128 *out) {
    text digits;
    if (!trim_integer(input, is_negative, &digits)) {
        return NUMBER_SYNTAX;
    }
    u128 value = 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (u128)(digits.data[i] - '0'), &value)) {
            return NUMBER_OVERFLOW;
        }
    }
    *out = value;
    return NUMBER_OK;
}

// The common case of at most 18 digits without blanks; false if it is another.
static bool parse_short(text input, int64_t *out) {
    if (input.size == 0 || input.size > MANTISSA_DIGITS_MAX) {
        return false;
    }
    const char *at = input.data;
    const char *end = at + input.size;
    const bool is_negative = *at == '-';
    at += is_negative;
    if (at == end || end - at == MANTISSA_DIGITS_MAX) {
        return false;
    }
    uint64_t value = 0;
    if (run_digits(at, end, &value) != end) {
        return false;
    }
    *out = is_negative ? -(int64_t)value : (int64_t)value;
    return true;
}

number_answer number_parse_i64(text input, int64_t *out) {
    if (parse_short(input, out)) {
        return NUMBER_OK;
    }
    i128 value = 0;
    const number_answer answer = number_parse_i128(input, &value);
    if (answer != NUMBER_OK) {
        return answer;
    }
    if (value < INT64_MIN || value > INT64_MAX) {
        return NUMBER_OVERFLOW;
    }
    *out = (int64_t)value;
    return NUMBER_OK;
}

number_answer number_parse_u64(text input, uint64_t *out) {
    bool is_negative = false;
    u128 size = 0;
    const number_answer answer = parse_magnitude(input, &is_negative, &size);
    if (answer != NUMBER_OK) {
        return answer;
    }
    if (size > UINT64_MAX || (is_negative && size != 0)) {
        return NUMBER_OVERFLOW;
    }
    *out = (uint64_t)size;
    return NUMBER_OK;
}

number_answer number_parse_i128(text input, i128 *out) {
    bool is_negative = false;
    u128 size = 0;
    const number_answer answer = parse_magnitude(input, &is_negative, &size);
    if (answer != NUMBER_OK) {
        return answer;
    }
    if (size > (u128)I128_MAX + is_negative) {
        return NUMBER_OVERFLOW;
    }
    // -size, in steps that each fit.
    *out = is_negative && size > 0 ? -(i128)(size - 1) - 1 : (i128)size;
    return NUMBER_OK;
}

// ---- Decimals ----------------------------------------------------------------------------------

// mantissa * 10^exponent in units of 10^-scale.
static number_answer place(uint64_t mantissa, int64_t exponent, bool is_negative,
                           uint32_t precision, uint32_t scale, i256 *out) {
    // 10^19 > mantissa and precision <= 76, so anything beyond these bounds is 0 or too large.
    const int64_t bounded = exponent < -200 ? -200 : exponent > 200 ? 200 : exponent;
    i256 value = i256_from_i128((i128)mantissa);
    if (!i256_rescale_fits(value, (int32_t)-bounded, (int32_t)scale, &value) ||
        !i256_has_digits(value, precision)) {
        return NUMBER_OVERFLOW;
    }
    if (is_negative && !i256_neg_fits(value, &value)) {
        return NUMBER_OVERFLOW;
    }
    *out = value;
    return NUMBER_OK;
}

// All digits of a number that has more than the mantissa holds. `kept` of them stand before the
// place at which the decimal ends; the next one decides the rounding.
static number_answer place_long(const number_scan *scan, uint32_t precision, uint32_t scale,
                                i256 *out) {
    int64_t kept = scan->last + scale;
    for (size_t i = 0; i < scan->digits.size; i++) {
        kept += scan->digits.data[i] != '.';
    }
    if (kept > precision) {
        return NUMBER_OVERFLOW;
    }
    i256 value = I256_ZERO;
    int64_t count = 0;
    for (size_t at = 0; at < scan->digits.size; at++) {
        if (scan->digits.data[at] == '.') {
            continue;
        }
        const int64_t digit = scan->digits.data[at] - '0';
        if (count >= kept) {
            const bool rounds_up = kept >= 0 && digit >= 5;
            (void)i256_add_fits(value, i256_from_i64(rounds_up ? 1 : 0), &value);
            break;
        }
        (void)i256_mul_fits(value, i256_from_i64(10), &value);
        (void)i256_add_fits(value, i256_from_i64(digit), &value);
        count += 1;
    }
    for (; count < kept; count++) { // Zeros that the text does not have.
        (void)i256_mul_fits(value, i256_from_i64(10), &value);
    }
    if (!i256_has_digits(value, precision)) {
        return NUMBER_OVERFLOW;
    }
    if (scan->is_negative) {
        (void)i256_neg_fits(value, &value);
    }
    *out = value;
    return NUMBER_OK;
}

number_answer number_parse_decimal256(text input, uint32_t precision, uint32_t scale, i256 *out) {
    assert(precision <= DECIMAL256_DIGITS_MAX && scale <= precision);
    number_scan scan;
    if (!number_scan_text(input, &scan)) {
        return NUMBER_SYNTAX;
    }
    if (scan.is_exact) {
        return place(scan.mantissa, scan.exponent, scan.is_negative, precision, scale, out);
    }
    return place_long(&scan, precision, scale, out);
}

// The same in 64 bits, for the many numbers of few digits; false if it is none of them.
static bool place_short(const number_scan *scan, uint32_t precision, uint32_t scale, i128 *out) {
    const int64_t digits = scan->exponent + scale;
    if (!scan->is_exact || digits < 0 || digits > MANTISSA_DIGITS_MAX) {
        return false;
    }
    const u128 size = (u128)scan->mantissa * u64_power_of_ten[digits];
    if (size > (u128)I128_MAX || !i128_has_digits((i128)size, precision)) {
        return false;
    }
    *out = scan->is_negative ? -(i128)size : (i128)size;
    return true;
}

number_answer number_parse_decimal128(text input, uint32_t precision, uint32_t scale, i128 *out) {
    assert(precision <= DECIMAL128_DIGITS_MAX && scale <= precision);
    number_scan scan;
    if (!number_scan_text(input, &scan)) {
        return NUMBER_SYNTAX;
    }
    if (place_short(&scan, precision, scale, out)) {
        return NUMBER_OK;
    }
    i256 wide;
    const number_answer answer = scan.is_exact ? place(scan.mantissa, scan.exponent,
                                                       scan.is_negative, precision, scale, &wide)
                                               : place_long(&scan, precision, scale, &wide);
    if (answer != NUMBER_OK) {
        return answer;
    }
    const bool fits = i256_to_i128_fits(wide, out);
    assert(fits); // It has at most 38 digits.
    (void)fits;
    return NUMBER_OK;
}

bool number_decimal_digits(text input, int64_t *whole, int64_t *scale) {
    number_scan scan;
    if (!number_scan_text(input, &scan)) {
        return false;
    }
    int64_t place = scan.last; // Of the digit at hand, from the last one on.
    int64_t highest = INT64_MIN;
    int64_t lowest = INT64_MAX;
    for (size_t rest = scan.digits.size; rest > 0; rest--) {
        const char byte = scan.digits.data[rest - 1];
        if (byte == '.') {
            continue;
        }
        if (byte != '0') {
            lowest = lowest == INT64_MAX ? place : lowest;
            highest = place;
        }
        place += 1;
    }
    *whole = highest < 0 ? 0 : highest + 1;
    *scale = lowest >= 0 ? 0 : -lowest;
    return true;
}

// ---- Between doubles and decimals --------------------------------------------------------------

static number_answer place_shortest(number_shortest shortest, bool is_negative, uint32_t precision,
                                    uint32_t scale, i256 *out) {
    return place(shortest.digits, shortest.exponent, is_negative, precision, scale, out);
}

number_answer number_decimal256_from_f64(double value, uint32_t precision, uint32_t scale,
                                         i256 *out) {
    assert(precision <= DECIMAL256_DIGITS_MAX && scale <= precision);
    if (!__builtin_isfinite(value)) {
        return NUMBER_OVERFLOW;
    }
    if (value == 0) {
        *out = I256_ZERO;
        return NUMBER_OK;
    }
    return place_shortest(number_shortest_f64(value), value < 0, precision, scale, out);
}

number_answer number_decimal256_from_f32(float value, uint32_t precision, uint32_t scale,
                                         i256 *out) {
    assert(precision <= DECIMAL256_DIGITS_MAX && scale <= precision);
    if (!__builtin_isfinite(value)) {
        return NUMBER_OVERFLOW;
    }
    if (value == 0) {
        *out = I256_ZERO;
        return NUMBER_OK;
    }
    return place_shortest(number_shortest_f32(value), value < 0, precision, scale, out);
}

static number_answer narrow(number_answer answer, i256 wide, i128 *out) {
    if (answer != NUMBER_OK) {
        return answer;
    }
    return i256_to_i128_fits(wide, out) ? NUMBER_OK : NUMBER_OVERFLOW;
}

number_answer number_decimal128_from_f64(double value, uint32_t precision, uint32_t scale,
                                         i128 *out) {
    i256 wide = I256_ZERO;
    return narrow(number_decimal256_from_f64(value, precision, scale, &wide), wide, out);
}

number_answer number_decimal128_from_f32(float value, uint32_t precision, uint32_t scale,
                                         i128 *out) {
    i256 wide = I256_ZERO;
    return narrow(number_decimal256_from_f32(value, precision, scale, &wide), wide, out);
}

double number_decimal128_to_f64(i128 value, uint32_t scale) {
    const u128 size = i128_magnitude(value);
    if (size <= UINT64_MAX) {
        const double result = number_round_f64((uint64_t)size, -(int64_t)scale);
        return value < 0 ? -result : result;
    }
    return number_decimal256_to_f64(i256_from_i128(value), scale);
}

double number_decimal256_to_f64(i256 value, uint32_t scale) {
    char out[NUMBER_DECIMAL_SIZE_MAX];
    const text printed = {.data = out, .size = number_print_decimal256(value, scale, out)};
    double result = 0;
    const number_answer answer = number_parse_f64(printed, &result);
    assert(answer == NUMBER_OK);
    (void)answer;
    return result;
}
