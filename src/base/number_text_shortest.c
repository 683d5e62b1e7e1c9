// The fewest decimal digits that read back as the same double or float, and of those the nearest.
//
// Schubfach (R. Giulietti, "The Schubfach way to render doubles", 2020): with c * 2^q the number
// and 10^k the greatest power of ten not above the width of its rounding interval, at most one
// multiple of 10^(k+1) lies in the interval, and if none does, the nearest multiple of 10^k is the
// answer. All is compared in units of 10^k / 4, in which number and ends of the interval are c * 4
// and two neighbours, scaled by 10^-k * 2^q. Scaling keeps a lowest bit that says "and something
// more", so that the comparisons stay exact.
#include <assert.h>
#include <string.h>

#include "base/compiler.h"
#include "base/number_text_private.h"

// floor(log10(2^e)) and floor(log10(2^e * 3/4)), right for |e| <= 1500; floor(log2(10^e)) to 400.
static int32_t log10_of_2(int32_t e) {
    return (e * 1262611) >> 22;
}

static int32_t log10_of_2_less(int32_t e) {
    return (e * 1262611 - 524031) >> 22;
}

static int32_t log2_of_10(int32_t e) {
    return (e * 1741647) >> 19;
}

// The leading 128 bits of 10^k, rounded up where they are not all.
static number_power power_above(int32_t k) {
    number_power power = number_powers[k - NUMBER_POWER_MIN];
    if (k < -27 || k > 55) {
        power.low += 1; // No row ends in 64 ones.
    }
    return power;
}

static uint64_t scale_f64(number_power power, uint64_t value) {
    const u128 low = (u128)power.low * value;
    const u128 high = (u128)power.high * value + (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((high & UINT64_MAX) > 1);
}

static uint64_t scale_f32(uint64_t power, uint64_t value) {
    const u128 product = (u128)power * value;
    return (uint64_t)(product >> 64) | ((product & UINT64_MAX) >> 32 > 1);
}

// The number and its interval, in quarters of 10^exponent.
typedef struct interval {
    uint64_t low;
    uint64_t value;
    uint64_t high;
    bool takes_ends; // Even mantissas win ties, so the ends read back as the number.
    int32_t exponent;
} interval;

static number_shortest strip_zeros(uint64_t digits, int32_t exponent) {
    while (digits % 100000000 == 0) {
        digits /= 100000000;
        exponent += 8;
    }
    while (digits % 10 == 0) {
        digits /= 10;
        exponent += 1;
    }
    return (number_shortest){.digits = digits, .exponent = exponent};
}

static number_shortest pick(interval around) {
    const uint64_t low = around.low + !around.takes_ends;
    const uint64_t high = around.high - !around.takes_ends;
    const uint64_t floor = around.value / 4;
    if (floor >= 10) {
        const uint64_t tens = floor / 10;
        const bool below_fits = low <= 40 * tens;
        const bool above_fits = 40 * tens + 40 <= high;
        if (below_fits != above_fits) {
            return strip_zeros(tens + above_fits, around.exponent + 1);
        }
    }
    const bool below_fits = low <= 4 * floor;
    const bool above_fits = 4 * floor + 4 <= high;
    if (below_fits != above_fits) {
        return strip_zeros(floor + above_fits, around.exponent);
    }
    // Both or none: the nearer one, the even one of a tie.
    const uint64_t middle = 4 * floor + 2;
    const bool rounds_up = around.value > middle || (around.value == middle && (floor & 1) == 1);
    return strip_zeros(floor + rounds_up, around.exponent);
}

number_shortest number_shortest_f64(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint64_t fraction = bits & (UINT64_MAX >> 12);
    const int32_t stored = (int32_t)(bits >> 52 & 0x7ff);
    assert(stored != 0x7ff && (bits & INT64_MAX) != 0);
    const uint64_t c = stored == 0 ? fraction : fraction | UINT64_C(1) << 52;
    const int32_t q = (stored == 0 ? 1 : stored) - 1075;
    if (q <= 0 && q >= -52 && (c & ((UINT64_C(1) << -q) - 1)) == 0) {
        return strip_zeros(c >> -q, 0); // A whole number, exact.
    }
    // Below a power of two the neighbour is only half as far.
    const bool is_lopsided = fraction == 0 && stored > 1;
    const int32_t k = is_lopsided ? log10_of_2_less(q) : log10_of_2(q);
    const int32_t shift = q + log2_of_10(-k) + 1;
    const number_power power = power_above(-k);
    return pick((interval){
        .low = scale_f64(power, (4 * c - 2 + is_lopsided) << shift),
        .value = scale_f64(power, 4 * c << shift),
        .high = scale_f64(power, (4 * c + 2) << shift),
        .takes_ends = (c & 1) == 0,
        .exponent = k,
    });
}

number_shortest number_shortest_f32(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t fraction = bits & (UINT32_MAX >> 9);
    const int32_t stored = (int32_t)(bits >> 23 & 0xff);
    assert(stored != 0xff && (bits & INT32_MAX) != 0);
    const uint64_t c = stored == 0 ? fraction : fraction | UINT32_C(1) << 23;
    const int32_t q = (stored == 0 ? 1 : stored) - 150;
    if (q <= 0 && q >= -23 && (c & ((UINT64_C(1) << -q) - 1)) == 0) {
        return strip_zeros(c >> -q, 0);
    }
    const bool is_lopsided = fraction == 0 && stored > 1;
    const int32_t k = is_lopsided ? log10_of_2_less(q) : log10_of_2(q);
    const int32_t shift = q + log2_of_10(-k) + 1;
    const number_power exact = power_above(-k);
    const uint64_t power = exact.high + (exact.low != 0);
    return pick((interval){
        .low = scale_f32(power, (4 * c - 2 + is_lopsided) << shift),
        .value = scale_f32(power, 4 * c << shift),
        .high = scale_f32(power, (4 * c + 2) << shift),
        .takes_ends = (c & 1) == 0,
        .exponent = k,
    });
}
