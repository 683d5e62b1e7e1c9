// Compiled once per instruction-set level; see base/isa.h. Exports one symbol: the level's table.
#include <math.h>

#include "base/compiler.h"
#include "kernels/arithmetic.h"
#include "kernels/arithmetic_table.h"

// Products with the sign of overflow. The 64-bit product of 32-bit numbers is exact.
static ALWAYS_INLINE int32_t value_mul_i32(int32_t left, int32_t right, int64_t *bad) {
    const int64_t product = (int64_t)left * right;
    *bad |= product ^ (int64_t)(int32_t)product;
    return (int32_t)product;
}

static ALWAYS_INLINE int64_t value_mul_i64(int64_t left, int64_t right, int64_t *bad) {
    int64_t product;
    *bad |= __builtin_mul_overflow(left, right, &product) ? INT64_MIN : 0;
    return product;
}

// The smallest b for which all values are from -2^b to 2^b - 1.
static uint32_t bits_of_i64(const int64_t *values, uint32_t mask, uint32_t count) {
    uint64_t all = 0;
    for (uint32_t i = 0; i < (mask == 0 ? 1 : count); i++) {
        all |= (uint64_t)(values[i] ^ (values[i] >> 63));
    }
    return all == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(all);
}

WRAPS static ALWAYS_INLINE int64_t product_of(int64_t left, int64_t right) {
    return (int64_t)((uint64_t)left * (uint64_t)right);
}

// Products of at most 2^62, which fit: a plain loop, which vectors can do. Looking at both columns
// first costs a third of what asking each product for overflow does.
static bool multiply_small_i64(const arithmetic_call *call) {
    const int64_t *restrict left = call->left;
    const int64_t *restrict right = call->right;
    int64_t *restrict out = call->out;
    const uint32_t count = call->count;
    const bool is_plain = call->rows == NULL && (call->left_mask | call->right_mask) != 0;
    if (!is_plain ||
        bits_of_i64(left, call->left_mask, count) + bits_of_i64(right, call->right_mask, count) >
            62) {
        return false;
    }
    if (call->right_mask == 0 || call->left_mask == 0) {
        const int64_t constant = call->right_mask == 0 ? right[0] : left[0];
        const int64_t *restrict values = call->right_mask == 0 ? left : right;
        for (uint32_t i = 0; i < count; i++) {
            out[i] = product_of(values[i], constant);
        }
        return true;
    }
    for (uint32_t i = 0; i < count; i++) {
        out[i] = product_of(left[i], right[i]);
    }
    return true;
}

static bool has_zero_i64(const int64_t *values, uint32_t mask, uint32_t count) {
    uint64_t zeros = 0;
    for (uint32_t i = 0; i < (mask == 0 ? 1 : count); i++) {
        zeros |= values[i] == 0 ? 1 : 0;
    }
    return zeros != 0;
}

// The quotient of whole numbers below 2^52, truncated: exact by way of doubles, because a quotient
// that is no whole number is further from the next one than a double's half step. Four times as
// fast as dividing integers.
static ALWAYS_INLINE int64_t quotient_of(int64_t left, int64_t right) {
    return (int64_t)((double)left / (double)right);
}

static ALWAYS_INLINE void divide_loop(const arithmetic_call *call, bool wants_rest) {
    const int64_t *restrict left = call->left;
    const int64_t *restrict right = call->right;
    int64_t *restrict out = call->out;
    const uint32_t count = call->count;
    if (call->right_mask == 0) {
        const int64_t divisor = right[0];
        for (uint32_t i = 0; i < count; i++) {
            const int64_t quotient = quotient_of(left[i], divisor);
            out[i] = wants_rest ? left[i] - quotient * divisor : quotient;
        }
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const int64_t value = left[i & call->left_mask];
        const int64_t quotient = quotient_of(value, right[i]);
        out[i] = wants_rest ? value - quotient * right[i] : quotient;
    }
}

static bool divide_small_i64(const arithmetic_call *call, bool wants_rest) {
    const bool is_plain = call->rows == NULL && (call->left_mask | call->right_mask) != 0;
    if (!is_plain || bits_of_i64(call->left, call->left_mask, call->count) > 52 ||
        bits_of_i64(call->right, call->right_mask, call->count) > 52 ||
        has_zero_i64(call->right, call->right_mask, call->count)) {
        return false;
    }
    if (wants_rest) {
        divide_loop(call, true);
    } else {
        divide_loop(call, false);
    }
    return true;
}

// The exclusive or of a product that does not fit has any bits; of a sum, the sign.
#define WORD i32
#define C_TYPE int32_t
#define U_TYPE uint32_t
#define OVERFLOW int64_t
#define IS_FLOAT 0
#define HAS_OVERFLOWED(bad) ((bad) < 0 || (bad) > INT32_MAX)
#define MULTIPLIES_FAST(call) false
#define DIVIDES_FAST(call, wants_rest) false
#include "kernels/arithmetic.template.h"

#define WORD i64
#define C_TYPE int64_t
#define U_TYPE uint64_t
#define OVERFLOW int64_t
#define IS_FLOAT 0
#define HAS_OVERFLOWED(bad) ((bad) < 0)
#define MULTIPLIES_FAST(call) multiply_small_i64(call)
#define DIVIDES_FAST(call, wants_rest) divide_small_i64(call, wants_rest)
#include "kernels/arithmetic.template.h"

#define WORD f32
#define C_TYPE float
#define U_TYPE float
#define OVERFLOW int
#define IS_FLOAT 1
#define HAS_OVERFLOWED(bad) ((bad) != 0)
#define MULTIPLIES_FAST(call) false
#define DIVIDES_FAST(call, wants_rest) false
#include "kernels/arithmetic.template.h"

#define WORD f64
#define C_TYPE double
#define U_TYPE double
#define OVERFLOW int
#define IS_FLOAT 1
#define HAS_OVERFLOWED(bad) ((bad) != 0)
#define MULTIPLIES_FAST(call) false
#define DIVIDES_FAST(call, wants_rest) false
#include "kernels/arithmetic.template.h"

#define ROW(NAME, word, c_type, u_type)                                                            \
    [PHYSICAL_##NAME] = {                                                                          \
        [ARITHMETIC_ADD] = ISA_NAME(arithmetic_add_##word),                                        \
        [ARITHMETIC_SUB] = ISA_NAME(arithmetic_sub_##word),                                        \
        [ARITHMETIC_MUL] = ISA_NAME(arithmetic_mul_##word),                                        \
        [ARITHMETIC_DIV] = ISA_NAME(arithmetic_div_##word),                                        \
        [ARITHMETIC_REM] = ISA_NAME(arithmetic_rem_##word),                                        \
    },
const arithmetic_table ISA_NAME(arithmetic_table) = {{ARITHMETIC_VECTOR_LIST(ROW)}};
