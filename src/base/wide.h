// Integers of 128 and 256 bits: the values behind DECIMAL(p > 18) and the sums of 64-bit numbers.
//
// 128 bits are the compiler's own type. 256 bits are four limbs in two's complement, the lowest
// first, which on a little-endian machine is the layout of Arrow's decimal256. As in checked.h,
// whatever can leave its range says `..._fits`, returns true when the result fits and was stored,
// and stores nothing otherwise.
#ifndef FIRN_BASE_WIDE_H
#define FIRN_BASE_WIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

__extension__ typedef __int128 i128;
__extension__ typedef unsigned __int128 u128;

#define I128_MAX ((i128)(~(u128)0 >> 1))
#define I128_MIN (-I128_MAX - 1)

typedef struct i256 {
    uint64_t limb[4]; // Two's complement, limb[0] is the lowest.
} i256;

#define I256_ZERO ((i256){{0, 0, 0, 0}})
#define I256_MAX ((i256){{UINT64_MAX, UINT64_MAX, UINT64_MAX, INT64_MAX}})
#define I256_MIN ((i256){{0, 0, 0, UINT64_C(1) << 63}})

#define DECIMAL64_DIGITS_MAX 18
#define DECIMAL128_DIGITS_MAX 38
#define DECIMAL256_DIGITS_MAX 76

// ---- Powers of ten -----------------------------------------------------------------------------

extern const uint64_t u64_power_of_ten[20];
extern const i128 i128_power_of_ten[DECIMAL128_DIGITS_MAX + 1];
extern const i256 i256_power_of_ten[DECIMAL256_DIGITS_MAX + 1];

// ---- 128 bits ----------------------------------------------------------------------------------

static inline bool i128_add_fits(i128 left, i128 right, i128 *out) {
    i128 sum;
    if (__builtin_add_overflow(left, right, &sum)) {
        return false;
    }
    *out = sum;
    return true;
}

static inline bool i128_sub_fits(i128 left, i128 right, i128 *out) {
    i128 difference;
    if (__builtin_sub_overflow(left, right, &difference)) {
        return false;
    }
    *out = difference;
    return true;
}

static inline bool i128_mul_fits(i128 left, i128 right, i128 *out) {
    i128 product;
    if (__builtin_mul_overflow(left, right, &product)) {
        return false;
    }
    *out = product;
    return true;
}

/// The distance from zero, which for I128_MIN has no i128.
static inline u128 i128_magnitude(i128 value) {
    return value < 0 ? (u128) - (value + 1) + 1 : (u128)value;
}

/// Whether `value` has at most `precision` decimal digits, the bound of DECIMAL(precision, s).
/// `precision` is at most DECIMAL128_DIGITS_MAX.
static inline bool i128_has_digits(i128 value, uint32_t precision) {
    return i128_magnitude(value) < (u128)i128_power_of_ten[precision];
}

/// The quotient, a half rounded away from zero. `divisor` is neither 0, nor -1 when `value` is
/// I128_MIN.
i128 i128_divide_round(i128 value, i128 divisor);

/// Moves the decimal point of a number from scale `from` to scale `to`: multiplies by a power of
/// ten, or divides by one and rounds a half away from zero. Scales may be any number: what is
/// pushed out at the right becomes 0.
bool i128_rescale_fits(i128 value, int32_t from, int32_t to, i128 *out);

/// Rounds half to even, as a cast of DOUBLE to an integer does. False for NaN and out of range.
bool i128_from_double_fits(double value, i128 *out);

/// Reads two's complement, highest byte first, of any length: decimals in Iceberg, Avro, Parquet.
/// False if there is no byte, or if those beyond 16 are not just copies of the sign.
bool i128_from_big_endian(bytes raw, i128 *out);

/// Bytes that two's complement of `value` needs: 1 to 16.
size_t i128_big_endian_size(i128 value);

/// Writes exactly `size` bytes, highest first, longer ones filled with the sign. False if `value`
/// needs more than `size`.
bool i128_to_big_endian(i128 value, size_t size, uint8_t *out);

// ---- 256 bits ----------------------------------------------------------------------------------

static inline bool i256_is_negative(i256 value) {
    return value.limb[3] >> 63 != 0;
}

static inline bool i256_equal(i256 left, i256 right) {
    return ((left.limb[0] ^ right.limb[0]) | (left.limb[1] ^ right.limb[1]) |
            (left.limb[2] ^ right.limb[2]) | (left.limb[3] ^ right.limb[3])) == 0;
}

static inline bool i256_is_zero(i256 value) {
    return (value.limb[0] | value.limb[1] | value.limb[2] | value.limb[3]) == 0;
}

/// Negative, 0 or positive, as `left` is below, equal to or above `right`.
int i256_compare(i256 left, i256 right);

static inline i256 i256_from_i128(i128 value) {
    const uint64_t sign = value < 0 ? UINT64_MAX : 0;
    return (i256){
        {(uint64_t)((u128)value & UINT64_MAX), (uint64_t)((u128)value >> 64), sign, sign}};
}

static inline i256 i256_from_i64(int64_t value) {
    return i256_from_i128(value);
}

bool i256_to_i128_fits(i256 value, i128 *out);
bool i256_to_i64_fits(i256 value, int64_t *out);

bool i256_add_fits(i256 left, i256 right, i256 *out);
bool i256_sub_fits(i256 left, i256 right, i256 *out);
bool i256_neg_fits(i256 value, i256 *out);
bool i256_mul_fits(i256 left, i256 right, i256 *out);

/// The full product of two 128-bit numbers; it always fits.
i256 i256_product(i128 left, i128 right);

/// Truncates toward zero; the remainder has the sign of `value`. False if `divisor` is 0 or the
/// quotient is 2^255. `remainder` may be NULL.
bool i256_divide_fits(i256 value, i256 divisor, i256 *quotient, i256 *remainder);

/// As i256_divide_fits, but rounds a half away from zero.
bool i256_divide_round_fits(i256 value, i256 divisor, i256 *out);
/// value * 10^digits / divisor, rounded likewise, whatever lies between has no room. `digits` is at
/// most 2 * DECIMAL256_DIGITS_MAX.
bool i256_quotient_round_fits(i256 value, uint32_t digits, i256 divisor, i256 *out);

/// value * 2^count.
bool i256_shift_left_fits(i256 value, uint32_t count, i256 *out);
/// value / 2^count, rounded toward minus infinity.
i256 i256_shift_right(i256 value, uint32_t count);

/// As i128_has_digits, `precision` at most DECIMAL256_DIGITS_MAX.
bool i256_has_digits(i256 value, uint32_t precision);
/// As i128_rescale_fits.
bool i256_rescale_fits(i256 value, int32_t from, int32_t to, i256 *out);

/// The nearest double, a tie to the even one.
double i256_to_double(i256 value);

/// As the functions of the same name for 128 bits, with 32 for 16.
bool i256_from_big_endian(bytes raw, i256 *out);
size_t i256_big_endian_size(i256 value);
bool i256_to_big_endian(i256 value, size_t size, uint8_t *out);

#endif
