// Printing: digits two at a time, and the layout of doubles.
#include <assert.h>
#include <string.h>

#include "base/number_text.h"
#include "base/number_text_private.h"

#define CHUNK_DIGITS 19 // 10^19 is the greatest power of ten in 64 bits.
#define EXPONENT_FORM_BELOW (-4)
#define EXPONENT_FORM_FROM 16

static const char pairs[201] = "00010203040506070809101112131415161718192021222324"
                               "25262728293031323334353637383940414243444546474849"
                               "50515253545556575859606162636465666768697071727374"
                               "75767778798081828384858687888990919293949596979899";

static uint32_t digit_count(uint64_t value) {
    // log10 from log2, at most one too low.
    const uint32_t bits = 64 - (uint32_t)__builtin_clzll(value | 1);
    const uint32_t guess = bits * 1233 >> 12;
    return guess + (value >= u64_power_of_ten[guess] || guess == 0);
}

// Writes exactly `count` digits of `value`, with leading zeros.
static void print_padded(uint64_t value, size_t count, char *out) {
    while (count >= 2) {
        memcpy(out + count - 2, pairs + value % 100 * 2, 2);
        value /= 100;
        count -= 2;
    }
    if (count == 1) {
        out[0] = (char)('0' + value % 10);
    }
}

size_t number_print_digits(uint64_t value, char out[NUMBER_I64_SIZE_MAX]) {
    const size_t count = digit_count(value);
    print_padded(value, count, out);
    return count;
}

size_t number_print_u64(uint64_t value, char out[NUMBER_I64_SIZE_MAX]) {
    return number_print_digits(value, out);
}

size_t number_print_i64(int64_t value, char out[NUMBER_I64_SIZE_MAX]) {
    if (value >= 0) {
        return number_print_digits((uint64_t)value, out);
    }
    char digits[NUMBER_I64_SIZE_MAX];
    const size_t count = number_print_digits((uint64_t)-(value + 1) + 1, digits);
    out[0] = '-';
    memcpy(out + 1, digits, count);
    return count + 1;
}

// Digits of a number in chunks of 19, the lowest first.
static size_t print_chunks(const uint64_t *chunks, size_t count, char *out) {
    while (count > 1 && chunks[count - 1] == 0) {
        count -= 1;
    }
    size_t size = number_print_digits(chunks[count - 1], out);
    for (size_t i = count - 1; i > 0; i--) {
        print_padded(chunks[i - 1], CHUNK_DIGITS, out + size);
        size += CHUNK_DIGITS;
    }
    return size;
}

static size_t print_magnitude(u128 value, char out[NUMBER_I128_SIZE_MAX]) {
    if (value <= UINT64_MAX) {
        return number_print_digits((uint64_t)value, out);
    }
    const u128 power = u64_power_of_ten[CHUNK_DIGITS];
    const uint64_t chunks[] = {(uint64_t)(value % power), (uint64_t)(value / power % power),
                               (uint64_t)(value / power / power)};
    return print_chunks(chunks, 3, out);
}

size_t number_print_i128(i128 value, char out[NUMBER_I128_SIZE_MAX]) {
    out[0] = '-';
    const size_t sign = value < 0;
    char digits[NUMBER_I128_SIZE_MAX];
    const size_t count = print_magnitude(i128_magnitude(value), digits);
    memcpy(out + sign, digits, count);
    return count + sign;
}

// ---- Decimals ----------------------------------------------------------------------------------

// Sign, digits, and a point `scale` digits from the right.
static size_t place_point(bool is_negative, const char *digits, size_t count, size_t scale,
                          char *out) {
    size_t size = 0;
    if (is_negative) {
        out[size++] = '-';
    }
    if (scale == 0) {
        memcpy(out + size, digits, count);
        return size + count;
    }
    if (count <= scale) {
        out[size++] = '0';
        out[size++] = '.';
        memset(out + size, '0', scale - count);
        size += scale - count;
        memcpy(out + size, digits, count);
        return size + count;
    }
    memcpy(out + size, digits, count - scale);
    size += count - scale;
    out[size++] = '.';
    memcpy(out + size, digits + count - scale, scale);
    return size + scale;
}

size_t number_print_decimal128(i128 value, uint32_t scale, char out[NUMBER_DECIMAL_SIZE_MAX]) {
    assert(scale <= DECIMAL256_DIGITS_MAX);
    char digits[NUMBER_I128_SIZE_MAX];
    const size_t count = print_magnitude(i128_magnitude(value), digits);
    return place_point(value < 0, digits, count, scale, out);
}

size_t number_print_decimal256(i256 value, uint32_t scale, char out[NUMBER_DECIMAL_SIZE_MAX]) {
    assert(scale <= DECIMAL256_DIGITS_MAX);
    const bool is_negative = i256_is_negative(value);
    uint64_t chunks[5];
    for (size_t i = 0; i < 5; i++) { // 5 * 19 digits are more than 2^255 has.
        i256 rest = I256_ZERO;
        i128 chunk = 0;
        (void)i256_divide_fits(value, i256_power_of_ten[CHUNK_DIGITS], &value, &rest);
        (void)i256_to_i128_fits(rest, &chunk);
        chunks[i] = (uint64_t)i128_magnitude(chunk);
    }
    char digits[5 * CHUNK_DIGITS + 1];
    const size_t count = print_chunks(chunks, 5, digits);
    return place_point(is_negative, digits, count, scale, out);
}

// ---- Doubles and floats ------------------------------------------------------------------------

static size_t print_word(bool is_negative, const char *word, char *out) {
    const size_t size = strlen(word);
    out[0] = '-';
    memcpy(out + is_negative, word, size);
    return size + is_negative;
}

// "e+20" or "e-07": at least two digits.
static size_t print_exponent(int32_t exponent, char *out) {
    const uint32_t size = (uint32_t)(exponent < 0 ? -exponent : exponent);
    out[0] = 'e';
    out[1] = exponent < 0 ? '-' : '+';
    if (size >= 100) {
        out[2] = (char)('0' + size / 100);
        print_padded(size % 100, 2, out + 3);
        return 5;
    }
    print_padded(size, 2, out + 2);
    return 4;
}

static size_t print_shortest(number_shortest shortest, char *out) {
    char digits[NUMBER_I64_SIZE_MAX];
    const size_t count = number_print_digits(shortest.digits, digits);
    const int32_t point = (int32_t)count + shortest.exponent; // Digits before the point.
    if (point - 1 < EXPONENT_FORM_BELOW || point - 1 >= EXPONENT_FORM_FROM) {
        size_t size = place_point(false, digits, count, count - 1, out);
        return size + print_exponent(point - 1, out + size);
    }
    if (shortest.exponent < 0) {
        return place_point(false, digits, count, (size_t)-shortest.exponent, out);
    }
    memcpy(out, digits, count);
    memset(out + count, '0', (size_t)shortest.exponent);
    memcpy(out + point, ".0", 2);
    return (size_t)point + 2;
}

size_t number_print_f64(double value, number_style style, char out[NUMBER_F64_SIZE_MAX]) {
    const bool is_negative = __builtin_signbit(value) != 0;
    if (__builtin_isnan(value)) {
        return print_word(false, "NaN", out);
    }
    if (__builtin_isinf(value)) {
        return print_word(is_negative, style == NUMBER_SQL ? "inf" : "Infinity", out);
    }
    if (value == 0) {
        return print_word(is_negative, "0.0", out);
    }
    out[0] = '-';
    return is_negative + print_shortest(number_shortest_f64(value), out + is_negative);
}

size_t number_print_f32(float value, number_style style, char out[NUMBER_F64_SIZE_MAX]) {
    if (!__builtin_isfinite(value) || value == 0) {
        return number_print_f64((double)value, style, out);
    }
    const bool is_negative = value < 0;
    out[0] = '-';
    return is_negative + print_shortest(number_shortest_f32(value), out + is_negative);
}
