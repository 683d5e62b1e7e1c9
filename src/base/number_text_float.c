// Text to doubles and floats, rounded correctly.
//
// A number is w * 10^q with w of at most 19 digits. Three ways, each for what the one before can't:
//   1. Clinger: w and 10^|q| are both exact doubles, so one multiplication or division rounds once.
//   2. Lemire: the 64 bits of w times the leading 128 bits of 10^q give enough of the product to
//      round (D. Lemire, "Number parsing at a gigabyte per second", 2021; that no case is left over
//      is shown in N. Mushtak, D. Lemire, "Fast number parsing without fallback", 2022).
//   3. With more than 19 digits, w and w + 1 enclose the number. If they round alike, that is it;
//      else the half between the two answers is compared with all digits, in big integers.
#include <assert.h>
#include <string.h>

#include "base/compiler.h"
#include "base/number_text.h"
#include "base/number_text_private.h"

typedef struct float_format {
    uint32_t fraction_bits; // Stored bits of the mantissa.
    int32_t exponent_bias;
    int32_t exponent_top; // The stored exponent of infinity.
    int32_t power_min;    // Below 10^power_min every mantissa rounds to 0, ...
    int32_t power_max;    // ... and above 10^power_max to infinity.
    int32_t tie_min;      // Only from 10^tie_min to 10^tie_max can a 64-bit w make a tie.
    int32_t tie_max;
} float_format;

static const float_format format_f64 = {52, 1023, 0x7ff, -342, 308, -4, 23};
static const float_format format_f32 = {23, 127, 0xff, -65, 38, -17, 10};

// The upper 128 bits of w * 10^q, as far as they decide the rounding. `w` has its top bit set.
static u128 multiply(uint64_t w, int32_t q, uint32_t fraction_bits) {
    const number_power power = number_powers[q - NUMBER_POWER_MIN];
    u128 product = (u128)w * power.high;
    const uint64_t undecided = UINT64_MAX >> (fraction_bits + 3);
    if (((uint64_t)(product >> 64) & undecided) == undecided) {
        product += (u128)w * power.low >> 64;
    }
    return product;
}

// The bits, without sign, of the number nearest to w * 10^q; a tie goes to the even one.
WRAPS static ALWAYS_INLINE uint64_t round_product(const float_format *format, uint64_t w,
                                                  int64_t power) {
    const uint64_t infinity = (uint64_t)format->exponent_top << format->fraction_bits;
    if (w == 0 || power < format->power_min) {
        return 0;
    }
    if (power > format->power_max) {
        return infinity;
    }
    const int32_t q = (int32_t)power;
    const uint32_t zeros = (uint32_t)__builtin_clzll(w);
    const u128 product = multiply(w << zeros, q, format->fraction_bits);
    const uint64_t high = (uint64_t)(product >> 64);
    const uint64_t low = (uint64_t)product;
    const uint32_t top = (uint32_t)(high >> 63);
    // One bit more than the mantissa has, for rounding.
    const uint32_t shift = top + 64 - format->fraction_bits - 3;
    uint64_t mantissa = high >> shift;
    int32_t exponent =
        ((217706 * q) >> 16) + 63 + (int32_t)top - (int32_t)zeros + format->exponent_bias;
    if (exponent <= 0) { // Subnormal, or rounded up to the smallest normal number.
        if (-exponent + 1 >= 64) {
            return 0;
        }
        mantissa >>= -exponent + 1;
        mantissa += mantissa & 1;
        return mantissa >> 1; // Bit `fraction_bits` set is exponent 1: the encodings are adjacent.
    }
    // A tie: nothing but the rounding bit was cut off. Then the even one is below.
    if (low <= 1 && q >= format->tie_min && q <= format->tie_max && (mantissa & 3) == 1 &&
        mantissa << shift == high) {
        mantissa &= ~UINT64_C(1);
    }
    mantissa += mantissa & 1;
    mantissa >>= 1;
    // A carry out of the mantissa raises the exponent by itself, also to infinity.
    const uint64_t bits = ((uint64_t)(exponent - 1) << format->fraction_bits) + mantissa;
    return bits < infinity ? bits : infinity;
}

// ---- Big integers ------------------------------------------------------------------------------

// 767 digits decide every double; 800 and a mark for "more" are kept. They take 2,658 bits, the
// half that they are compared with at most 54 bits * 5^1142, which is 2,706 bits.
#define DIGITS_MAX 800
#define BIG_LIMBS_MAX 48

typedef struct big {
    size_t count;
    uint64_t limb[BIG_LIMBS_MAX]; // The lowest first.
} big;

static void big_multiply_add(big *self, uint64_t factor, uint64_t summand) {
    uint64_t carry = summand;
    for (size_t i = 0; i < self->count; i++) {
        const u128 part = (u128)self->limb[i] * factor + carry;
        self->limb[i] = (uint64_t)(part & UINT64_MAX);
        carry = (uint64_t)(part >> 64);
    }
    if (carry > 0) {
        assert(self->count < BIG_LIMBS_MAX);
        self->limb[self->count++] = carry;
    }
}

static void big_multiply_5(big *self, uint64_t power) {
    for (; power >= 27; power -= 27) {
        big_multiply_add(self, UINT64_C(7450580596923828125), 0); // 5^27
    }
    for (; power > 0; power--) {
        big_multiply_add(self, 5, 0);
    }
}

static void big_shift_left(big *self, uint64_t bits) {
    for (; bits >= 32; bits -= 32) {
        big_multiply_add(self, UINT64_C(1) << 32, 0);
    }
    big_multiply_add(self, UINT64_C(1) << bits, 0);
}

static int big_compare(const big *left, const big *right) {
    if (left->count != right->count) {
        return left->count < right->count ? -1 : 1;
    }
    for (size_t i = left->count; i > 0; i--) {
        if (left->limb[i - 1] != right->limb[i - 1]) {
            return left->limb[i - 1] < right->limb[i - 1] ? -1 : 1;
        }
    }
    return 0;
}

// Compares the scanned number with half * 2^exponent.
static int compare_with_half(const number_scan *scan, uint64_t half, int64_t exponent) {
    big left = {0};
    big right = {.count = 1, .limb = {half}};
    int64_t power = scan->last; // Of ten, for the last digit taken.
    int64_t count = 0;
    bool has_more = false;
    for (size_t i = 0; i < scan->digits.size; i++) {
        const char byte = scan->digits.data[i];
        if (byte == '.') {
            continue;
        }
        if (count < DIGITS_MAX) {
            big_multiply_add(&left, 10, (uint64_t)(byte - '0'));
            count += 1;
        } else {
            has_more = has_more || byte != '0';
            power += 1;
        }
    }
    if (has_more) { // One digit stands for all of them.
        big_multiply_add(&left, 10, 1);
        power -= 1;
    }
    if (power >= 0) {
        big_multiply_5(&left, (uint64_t)power);
    } else {
        big_multiply_5(&right, (uint64_t)-power);
    }
    const int64_t shift = power - exponent;
    big_shift_left(shift >= 0 ? &left : &right, (uint64_t)(shift >= 0 ? shift : -shift));
    return big_compare(&left, &right);
}

// The number lies between `below`, which is finite, and the next one above. Takes the nearer.
static uint64_t settle(const float_format *format, const number_scan *scan, uint64_t below) {
    const uint64_t one = UINT64_C(1) << format->fraction_bits;
    const int64_t stored = (int64_t)(below >> format->fraction_bits);
    const uint64_t mantissa = (below & (one - 1)) | (stored > 0 ? one : 0);
    const int64_t exponent =
        (stored > 0 ? stored : 1) - format->exponent_bias - format->fraction_bits;
    const int order = compare_with_half(scan, 2 * mantissa + 1, exponent - 1);
    const bool goes_up = order > 0 || (order == 0 && (mantissa & 1) == 1);
    return below + goes_up;
}

static uint64_t round_scan(const float_format *format, const number_scan *scan, uint64_t below,
                           uint64_t above) {
    assert(!scan->is_exact);
    if (below == above) {
        return below;
    }
    return settle(format, scan, below);
}

// ---- Interface ---------------------------------------------------------------------------------

// Infinities and NaN: the bits without sign, or false.
static bool parse_word(text input, bool *is_nan, bool *is_negative) {
    text word = number_trim(input);
    const bool has_sign = word.size > 0 && (word.data[0] == '-' || word.data[0] == '+');
    *is_negative = has_sign && word.data[0] == '-';
    word = text_slice(word, has_sign ? 1 : 0, word.size);
    *is_nan = text_equal_nocase(word, TEXT("nan"));
    return *is_nan || text_equal_nocase(word, TEXT("inf")) ||
           text_equal_nocase(word, TEXT("infinity"));
}

static double f64_of_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

double number_round_f64(uint64_t mantissa, int64_t exponent) {
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (mantissa <= UINT64_C(1) << 53 && exponent >= -22 && exponent <= 22) {
        return exponent < 0 ? (double)mantissa / powers[-exponent]
                            : (double)mantissa * powers[exponent];
    }
    return f64_of_bits(round_product(&format_f64, mantissa, exponent));
}

number_answer number_parse_f64(text input, double *out) {
    number_scan scan;
    if (!number_scan_text(input, &scan)) {
        bool is_nan;
        bool is_negative;
        if (!parse_word(input, &is_nan, &is_negative)) {
            return NUMBER_SYNTAX;
        }
        const double value = is_nan ? __builtin_nan("") : __builtin_inf();
        *out = is_negative && !is_nan ? -value : value;
        return NUMBER_OK;
    }
    double value = number_round_f64(scan.mantissa, scan.exponent);
    if (!scan.is_exact) {
        const uint64_t below = round_product(&format_f64, scan.mantissa, scan.exponent);
        const uint64_t above = round_product(&format_f64, scan.mantissa + 1, scan.exponent);
        value = f64_of_bits(round_scan(&format_f64, &scan, below, above));
    }
    *out = scan.is_negative ? -value : value;
    return __builtin_isinf(value) ? NUMBER_OVERFLOW : NUMBER_OK;
}

number_answer number_parse_f32(text input, float *out) {
    number_scan scan;
    if (!number_scan_text(input, &scan)) {
        double word = 0;
        const number_answer answer = number_parse_f64(input, &word);
        if (answer == NUMBER_OK) {
            *out = (float)word;
        }
        return answer;
    }
    uint64_t bits = round_product(&format_f32, scan.mantissa, scan.exponent);
    if (!scan.is_exact) {
        const uint64_t above = round_product(&format_f32, scan.mantissa + 1, scan.exponent);
        bits = round_scan(&format_f32, &scan, bits, above);
    }
    const uint32_t narrow = (uint32_t)bits;
    float value;
    memcpy(&value, &narrow, sizeof value);
    *out = scan.is_negative ? -value : value;
    return __builtin_isinf(value) ? NUMBER_OVERFLOW : NUMBER_OK;
}
