#include "base/wide.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define LIMBS 4

// ---- 128 bits ----------------------------------------------------------------------------------

i128 i128_divide_round(i128 value, i128 divisor) {
    assert(divisor != 0);
    const i128 quotient = value / divisor;
    const u128 rest = i128_magnitude(value % divisor);
    if (rest < i128_magnitude(divisor) - rest) {
        return quotient;
    }
    // A divisor of 1 or -1 leaves no rest, so the quotient is far from the ends here.
    return quotient + ((value < 0) == (divisor < 0) ? 1 : -1);
}

bool i128_rescale_fits(i128 value, int32_t from, int32_t to, i128 *out) {
    const int64_t digits = (int64_t)to - from;
    if (digits >= 0) {
        if (digits > DECIMAL128_DIGITS_MAX) {
            *out = value == 0 ? 0 : *out;
            return value == 0;
        }
        return i128_mul_fits(value, i128_power_of_ten[digits], out);
    }
    if (-digits > DECIMAL128_DIGITS_MAX) {
        // No i128 is as large as half of 10^39.
        *out = 0;
        return true;
    }
    *out = i128_divide_round(value, i128_power_of_ten[-digits]);
    return true;
}

bool i128_from_double_fits(double value, i128 *out) {
    const double whole = rint(value);
    if (whole >= -0x1p127 && whole < 0x1p127) {
        *out = (i128)whole;
        return true;
    }
    return false;
}

// ---- Big-endian bytes --------------------------------------------------------------------------

// Fills `count` limbs, the lowest first. False if `raw` is empty or says more than they hold.
static bool load_limbs(bytes raw, size_t count, uint64_t *limbs) {
    assert(count <= LIMBS);
    if (raw.size == 0) {
        return false;
    }
    const size_t room = count * 8;
    const uint8_t sign = raw.data[0] >= 0x80 ? 0xff : 0;
    size_t skip = 0;
    while (raw.size - skip > room) {
        if (raw.data[skip] != sign) {
            return false;
        }
        skip += 1;
    }
    if (((raw.data[skip] ^ sign) & 0x80) != 0) {
        return false;
    }
    uint8_t padded[LIMBS * 8];
    memset(padded, sign, sizeof padded);
    memcpy(padded + room - (raw.size - skip), raw.data + skip, raw.size - skip);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *at = padded + room - 8 * (i + 1);
        uint64_t limb = 0;
        for (size_t byte = 0; byte < 8; byte++) {
            limb = limb << 8 | at[byte];
        }
        limbs[i] = limb;
    }
    return true;
}

// The shortest size in bytes that still shows the sign.
static size_t limbs_size(const uint64_t *limbs, size_t count) {
    const bool is_negative = limbs[count - 1] >> 63 != 0;
    for (size_t i = count; i > 0; i--) {
        const uint64_t distinct = is_negative ? ~limbs[i - 1] : limbs[i - 1];
        if (distinct != 0) {
            const size_t bits = i * 64 - (size_t)__builtin_clzll(distinct);
            return bits / 8 + 1; // One bit more, for the sign.
        }
    }
    return 1;
}

static bool store_limbs(const uint64_t *limbs, size_t count, size_t size, uint8_t *out) {
    if (size < limbs_size(limbs, count)) {
        return false;
    }
    const uint8_t sign = limbs[count - 1] >> 63 != 0 ? 0xff : 0;
    for (size_t i = 0; i < size; i++) {
        const uint64_t limb = i < count * 8 ? limbs[i / 8] : 0;
        out[size - 1 - i] = i < count * 8 ? (uint8_t)(limb >> (i % 8 * 8) & 0xff) : sign;
    }
    return true;
}

static void split_i128(i128 value, uint64_t limbs[2]) {
    limbs[0] = (uint64_t)((u128)value & UINT64_MAX);
    limbs[1] = (uint64_t)((u128)value >> 64);
}

bool i128_from_big_endian(bytes raw, i128 *out) {
    uint64_t limbs[2];
    if (!load_limbs(raw, 2, limbs)) {
        return false;
    }
    *out = (i128)((u128)limbs[1] << 64 | limbs[0]);
    return true;
}

size_t i128_big_endian_size(i128 value) {
    uint64_t limbs[2];
    split_i128(value, limbs);
    return limbs_size(limbs, 2);
}

bool i128_to_big_endian(i128 value, size_t size, uint8_t *out) {
    uint64_t limbs[2];
    split_i128(value, limbs);
    return store_limbs(limbs, 2, size, out);
}

bool i256_from_big_endian(bytes raw, i256 *out) {
    i256 value;
    if (!load_limbs(raw, LIMBS, value.limb)) {
        return false;
    }
    *out = value;
    return true;
}

size_t i256_big_endian_size(i256 value) {
    return limbs_size(value.limb, LIMBS);
}

bool i256_to_big_endian(i256 value, size_t size, uint8_t *out) {
    return store_limbs(value.limb, LIMBS, size, out);
}

// ---- 256 bits ----------------------------------------------------------------------------------
//
// Sums work on two's complement. Products and quotients work on magnitudes, which lie in the same
// struct read as unsigned: that of I256_MIN is 2^255.

// left + right + carry, both with and without sign; the carry out.
static uint64_t add_limbs(i256 left, i256 right, uint64_t carry, i256 *out) {
    for (size_t i = 0; i < LIMBS; i++) {
        const u128 sum = (u128)left.limb[i] + right.limb[i] + carry;
        out->limb[i] = (uint64_t)(sum & UINT64_MAX);
        carry = (uint64_t)(sum >> 64);
    }
    return carry;
}

static i256 invert(i256 value) {
    return (i256){{~value.limb[0], ~value.limb[1], ~value.limb[2], ~value.limb[3]}};
}

// Two's complement; that of 2^255 is itself.
static i256 negate(i256 value) {
    i256 result;
    (void)add_limbs(invert(value), I256_ZERO, 1, &result);
    return result;
}

static i256 magnitude(i256 value) {
    return i256_is_negative(value) ? negate(value) : value;
}

static bool sign_fits(i256 size, bool is_negative, i256 *out) {
    const i256 value = is_negative ? negate(size) : size;
    if (i256_is_negative(value) != is_negative && !i256_is_zero(value)) {
        return false;
    }
    *out = value;
    return true;
}

static int compare_limbs(i256 left, i256 right) {
    for (size_t i = LIMBS; i > 0; i--) {
        if (left.limb[i - 1] != right.limb[i - 1]) {
            return left.limb[i - 1] < right.limb[i - 1] ? -1 : 1;
        }
    }
    return 0;
}

int i256_compare(i256 left, i256 right) {
    const bool is_negative = i256_is_negative(left);
    if (is_negative != i256_is_negative(right)) {
        return is_negative ? -1 : 1;
    }
    return compare_limbs(left, right);
}

bool i256_to_i128_fits(i256 value, i128 *out) {
    const i128 low = (i128)((u128)value.limb[1] << 64 | value.limb[0]);
    if (!i256_equal(i256_from_i128(low), value)) {
        return false;
    }
    *out = low;
    return true;
}

bool i256_to_i64_fits(i256 value, int64_t *out) {
    i128 wide;
    if (!i256_to_i128_fits(value, &wide) || wide < INT64_MIN || wide > INT64_MAX) {
        return false;
    }
    *out = (int64_t)wide;
    return true;
}

bool i256_add_fits(i256 left, i256 right, i256 *out) {
    i256 sum;
    (void)add_limbs(left, right, 0, &sum);
    const bool is_negative = i256_is_negative(left);
    if (is_negative == i256_is_negative(right) && is_negative != i256_is_negative(sum)) {
        return false;
    }
    *out = sum;
    return true;
}

bool i256_sub_fits(i256 left, i256 right, i256 *out) {
    i256 difference;
    (void)add_limbs(left, invert(right), 1, &difference);
    const bool is_negative = i256_is_negative(left);
    if (is_negative != i256_is_negative(right) && is_negative != i256_is_negative(difference)) {
        return false;
    }
    *out = difference;
    return true;
}

bool i256_neg_fits(i256 value, i256 *out) {
    return i256_sub_fits(I256_ZERO, value, out);
}

// Schoolbook multiplication of magnitudes: all limbs of the product.
static void mul_whole(i256 left, i256 right, uint64_t product[2 * LIMBS]) {
    memset(product, 0, (size_t)2 * LIMBS * sizeof *product);
    for (size_t i = 0; i < LIMBS; i++) {
        uint64_t carry = 0;
        for (size_t j = 0; left.limb[i] != 0 && j < LIMBS; j++) {
            const u128 part = (u128)left.limb[i] * right.limb[j] + product[i + j] + carry;
            product[i + j] = (uint64_t)(part & UINT64_MAX);
            carry = (uint64_t)(part >> 64);
        }
        product[i + LIMBS] = carry;
    }
}

// The lower half of twice as many limbs as a number has; false if the upper one is not zero.
static bool low_half(const uint64_t wide[2 * LIMBS], i256 *out) {
    memcpy(out->limb, wide, sizeof out->limb);
    return (wide[4] | wide[5] | wide[6] | wide[7]) == 0;
}

// False if the product needs more than 256 bits.
static bool mul_limbs(i256 left, i256 right, i256 *out) {
    uint64_t product[2 * LIMBS];
    mul_whole(left, right, product);
    return low_half(product, out);
}

bool i256_mul_fits(i256 left, i256 right, i256 *out) {
    i256 product;
    return mul_limbs(magnitude(left), magnitude(right), &product) &&
           sign_fits(product, i256_is_negative(left) != i256_is_negative(right), out);
}

i256 i256_product(i128 left, i128 right) {
    i256 product = I256_ZERO;
    const bool fits = i256_mul_fits(i256_from_i128(left), i256_from_i128(right), &product);
    assert(fits);
    (void)fits;
    return product;
}

static size_t limb_count(i256 value) {
    size_t count = LIMBS;
    while (count > 0 && value.limb[count - 1] == 0) {
        count -= 1;
    }
    return count;
}

static void divide_by_limb(const uint64_t *value, size_t size, uint64_t divisor, uint64_t *quotient,
                           i256 *rest) {
    u128 left = 0;
    for (size_t i = size; i > 0; i--) {
        left = left << 64 | value[i - 1];
        quotient[i - 1] = (uint64_t)(left / divisor);
        left %= divisor;
    }
    *rest = (i256){{(uint64_t)left}};
}

// Estimates a digit of the quotient from the three highest limbs of what is left and the two
// highest of the divisor, whose top bit is set. At most one too high (Knuth 4.3.1, step D3).
static uint64_t estimate(const uint64_t *top, uint64_t first, uint64_t second) {
    const u128 two = (u128)top[0] << 64 | top[-1];
    u128 digit = top[0] >= first ? UINT64_MAX : two / first;
    u128 rest = two - digit * first;
    while (rest <= UINT64_MAX && digit * second > (rest << 64 | top[-2])) {
        digit -= 1;
        rest += first;
    }
    return (uint64_t)digit;
}

// left[0 .. count] -= digit * right[0 .. count-1], and adds `right` back if that was once too much;
// the digit that was right.
static uint64_t subtract_multiple(uint64_t *left, const uint64_t *right, size_t count,
                                  uint64_t digit) {
    uint64_t carry = 0;
    bool borrow = false;
    for (size_t i = 0; i <= count; i++) {
        const u128 part = (i < count ? (u128)digit * right[i] : 0) + carry;
        carry = (uint64_t)(part >> 64);
        const bool first = __builtin_sub_overflow(left[i], (uint64_t)(part & UINT64_MAX), &left[i]);
        borrow = __builtin_sub_overflow(left[i], (uint64_t)borrow, &left[i]) || first;
    }
    if (!borrow) {
        return digit;
    }
    bool over = false;
    for (size_t i = 0; i <= count; i++) {
        const uint64_t part = i < count ? right[i] : 0;
        const bool first = __builtin_add_overflow(left[i], part, &left[i]);
        over = __builtin_add_overflow(left[i], (uint64_t)over, &left[i]) || first;
    }
    return digit - 1;
}

// Long division of magnitudes, Knuth's algorithm D with limbs as digits: of a value of LIMBS or
// 2 * LIMBS limbs, as many as the quotient has room for.
WRAPS static void divide_long(const uint64_t *value, size_t size, i256 divisor, uint64_t *quotient,
                              i256 *rest) {
    const size_t count = limb_count(divisor);
    assert(count > 0 && size <= (size_t)2 * LIMBS);
    memset(quotient, 0, size * sizeof *quotient);
    if (count == 1) {
        divide_by_limb(value, size, divisor.limb[0], quotient, rest);
        return;
    }
    const uint32_t shift = (uint32_t)__builtin_clzll(divisor.limb[count - 1]);
    uint64_t left[2 * LIMBS + 1] = {0};
    uint64_t right[LIMBS] = {0};
    for (size_t i = 0; i < size; i++) {
        const u128 wide = (u128)value[i] << shift;
        left[i] |= (uint64_t)(wide & UINT64_MAX);
        left[i + 1] = (uint64_t)(wide >> 64);
    }
    for (size_t i = 0; i < LIMBS; i++) {
        right[i] = divisor.limb[i] << shift;
        if (i > 0 && shift > 0) {
            right[i] |= divisor.limb[i - 1] >> (64 - shift);
        }
    }
    for (size_t j = size - count + 1; j > 0; j--) {
        uint64_t *at = left + j - 1;
        const uint64_t digit = estimate(at + count, right[count - 1], right[count - 2]);
        quotient[j - 1] = subtract_multiple(at, right, count, digit);
    }
    for (size_t i = 0; i < LIMBS; i++) {
        rest->limb[i] = (uint64_t)(((u128)left[i + 1] << 64 | left[i]) >> shift & UINT64_MAX);
    }
}

static void divide_limbs(i256 value, i256 divisor, i256 *quotient, i256 *rest) {
    divide_long(value.limb, LIMBS, divisor, quotient->limb, rest);
}

// Whether what a division left is half of the divisor or more.
static bool is_half(i256 rest, i256 divisor) {
    i256 lacking;
    (void)add_limbs(divisor, invert(rest), 1, &lacking);
    return compare_limbs(rest, lacking) >= 0;
}

bool i256_divide_fits(i256 value, i256 divisor, i256 *quotient, i256 *remainder) {
    if (i256_is_zero(divisor)) {
        return false;
    }
    i256 whole;
    i256 rest;
    divide_limbs(magnitude(value), magnitude(divisor), &whole, &rest);
    if (!sign_fits(whole, i256_is_negative(value) != i256_is_negative(divisor), quotient)) {
        return false;
    }
    if (remainder != NULL) {
        *remainder = i256_is_negative(value) ? negate(rest) : rest;
    }
    return true;
}

bool i256_divide_round_fits(i256 value, i256 divisor, i256 *out) {
    if (i256_is_zero(divisor)) {
        return false;
    }
    const i256 size = magnitude(divisor);
    i256 whole;
    i256 rest;
    divide_limbs(magnitude(value), size, &whole, &rest);
    if (is_half(rest, size)) {
        (void)add_limbs(whole, I256_ZERO, 1, &whole);
    }
    return sign_fits(whole, i256_is_negative(value) != i256_is_negative(divisor), out);
}

// wide *= factor, of magnitudes. False if it has no room.
static bool mul_wide(uint64_t wide[2 * LIMBS], i256 factor) {
    i256 low;
    uint64_t product[2 * LIMBS];
    uint64_t upper[2 * LIMBS];
    const bool is_short = low_half(wide, &low);
    mul_whole(low, factor, product);
    if (!is_short) {
        i256 high;
        i256 carry;
        memcpy(high.limb, wide + LIMBS, sizeof high.limb);
        memcpy(carry.limb, product + LIMBS, sizeof carry.limb);
        mul_whole(high, factor, upper);
        if (!low_half(upper, &high) || add_limbs(high, carry, 0, &carry) != 0) {
            return false;
        }
        memcpy(product + LIMBS, carry.limb, sizeof carry.limb);
    }
    memcpy(wide, product, sizeof product);
    return true;
}

bool i256_quotient_round_fits(i256 value, uint32_t digits, i256 divisor, i256 *out) {
    assert(digits <= 2 * DECIMAL256_DIGITS_MAX);
    if (i256_is_zero(divisor)) {
        return false;
    }
    const uint32_t first = digits < DECIMAL256_DIGITS_MAX ? digits : DECIMAL256_DIGITS_MAX;
    i256 short_product;
    if (first == digits && i256_mul_fits(value, i256_power_of_ten[digits], &short_product)) {
        return i256_divide_round_fits(short_product, divisor, out);
    }
    const i256 size = magnitude(divisor);
    uint64_t scaled[2 * LIMBS];
    uint64_t quotient[2 * LIMBS];
    i256 whole;
    i256 rest;
    mul_whole(magnitude(value), i256_power_of_ten[first], scaled);
    // What has more than 512 bits is 10^154, and no divisor is as large as 10^77.
    if (!mul_wide(scaled, i256_power_of_ten[digits - first])) {
        return false;
    }
    divide_long(scaled, (size_t)2 * LIMBS, size, quotient, &rest);
    if (!low_half(quotient, &whole) ||
        (is_half(rest, size) && add_limbs(whole, I256_ZERO, 1, &whole) != 0)) {
        return false;
    }
    return sign_fits(whole, i256_is_negative(value) != i256_is_negative(divisor), out);
}

bool i256_shift_left_fits(i256 value, uint32_t count, i256 *out) {
    if (i256_is_zero(value)) {
        *out = value;
        return true;
    }
    if (count > 255) {
        return false;
    }
    const uint32_t limbs = count / 64;
    i256 moved = I256_ZERO;
    for (size_t i = limbs; i < LIMBS; i++) {
        const uint64_t low = i > limbs ? value.limb[i - limbs - 1] : 0;
        moved.limb[i] =
            (uint64_t)(((u128)value.limb[i - limbs] << 64 | low) >> (64 - count % 64) & UINT64_MAX);
    }
    if (!i256_equal(i256_shift_right(moved, count), value)) {
        return false;
    }
    *out = moved;
    return true;
}

i256 i256_shift_right(i256 value, uint32_t count) {
    const uint64_t sign = i256_is_negative(value) ? UINT64_MAX : 0;
    const uint32_t limbs = count / 64;
    i256 moved;
    for (size_t i = 0; i < LIMBS; i++) {
        const uint64_t low = limbs < LIMBS - i ? value.limb[i + limbs] : sign;
        const uint64_t high = limbs + 1 < LIMBS - i ? value.limb[i + limbs + 1] : sign;
        moved.limb[i] = (uint64_t)(((u128)high << 64 | low) >> (count % 64) & UINT64_MAX);
    }
    return moved;
}

bool i256_has_digits(i256 value, uint32_t precision) {
    assert(precision <= DECIMAL256_DIGITS_MAX);
    return compare_limbs(magnitude(value), i256_power_of_ten[precision]) < 0;
}

bool i256_rescale_fits(i256 value, int32_t from, int32_t to, i256 *out) {
    const int64_t digits = (int64_t)to - from;
    if (digits > DECIMAL256_DIGITS_MAX) {
        *out = i256_is_zero(value) ? value : *out;
        return i256_is_zero(value);
    }
    if (digits >= 0) {
        return i256_mul_fits(value, i256_power_of_ten[digits], out);
    }
    if (-digits > DECIMAL256_DIGITS_MAX) {
        // 10^77 has no i256, but values from half of it on exist and round to it.
        i256 half;
        (void)mul_limbs(i256_power_of_ten[DECIMAL256_DIGITS_MAX], i256_from_i64(5), &half);
        const bool rounds_up =
            -digits == DECIMAL256_DIGITS_MAX + 1 && compare_limbs(magnitude(value), half) >= 0;
        return sign_fits(i256_from_i64(rounds_up ? 1 : 0), i256_is_negative(value), out);
    }
    return i256_divide_round_fits(value, i256_power_of_ten[-digits], out);
}

double i256_to_double(i256 value) {
    const i256 size = magnitude(value);
    const size_t count = limb_count(size);
    if (count < 2) {
        return i256_is_negative(value) ? -(double)size.limb[0] : (double)size.limb[0];
    }
    // More than 64 bits are in `top`, so its lowest bit is far below the one that is rounded and
    // may stand for everything under it.
    u128 top = (u128)size.limb[count - 1] << 64 | size.limb[count - 2];
    for (size_t i = 0; i + 2 < count; i++) {
        top |= size.limb[i] != 0;
    }
    const double result = ldexp((double)top, (int)(count - 2) * 64);
    return i256_is_negative(value) ? -result : result;
}
