// Every operation of every integer type, at every level, against 256-bit arithmetic.
#include "kernels/arithmetic.h"

#include <math.h>

#include "base/test.h"

#define ROWS 70

typedef struct integer_type {
    physical layout;
    uint32_t bits;
    bool is_signed;
} integer_type;

static const integer_type integers[] = {
    {PHYSICAL_I8, 8, true},    {PHYSICAL_I16, 16, true},  {PHYSICAL_I32, 32, true},
    {PHYSICAL_I64, 64, true},  {PHYSICAL_U8, 8, false},   {PHYSICAL_U16, 16, false},
    {PHYSICAL_U32, 32, false}, {PHYSICAL_U64, 64, false}, {PHYSICAL_I128, 128, true},
};

static bool fits(const integer_type *of, i256 value) {
    const i256 high = i256_shift_right(I256_MAX, 255 - (of->bits - (of->is_signed ? 1 : 0)));
    i256 low = I256_ZERO;
    if (of->is_signed) {
        (void)i256_neg_fits(high, &low);
        (void)i256_sub_fits(low, i256_from_i64(1), &low);
    }
    return i256_compare(value, high) <= 0 && i256_compare(value, low) >= 0;
}

// Extremes and small numbers of both signs.
static i256 pick(const integer_type *of, uint64_t *seed) {
    const uint64_t choice = test_random(seed) % 8;
    i256 value = i256_from_i64((int64_t)(test_random(seed) % 7) - 3);
    if (choice < 2) {
        value = i256_shift_right(I256_MAX, 255 - (of->bits - (of->is_signed ? 1 : 0)));
    } else if (choice == 2) {
        (void)i256_shift_left_fits(i256_from_i64(-1), of->bits - 1, &value);
    } else if (choice < 5) {
        value = i256_from_i64(
            (int64_t)(test_random(seed) >> (64 - (of->bits < 60 ? of->bits / 2 : 30))));
    }
    return fits(of, value) ? value : I256_ZERO;
}

static i256 load(const integer_type *of, const uint8_t *at) {
    i256 value = I256_ZERO;
    memcpy(&value, at, of->bits / 8);
    if (of->is_signed) { // Fill with the sign.
        (void)i256_shift_left_fits(I256_ZERO, 0, &value);
        uint8_t raw[32];
        memset(raw, (at[of->bits / 8 - 1] & 0x80) != 0 ? 0xff : 0, sizeof raw);
        memcpy(raw, at, of->bits / 8);
        memcpy(&value, raw, sizeof value);
    }
    return value;
}

static bool expected_of(arithmetic_op op, i256 left, i256 right, i256 *out) {
    i256 quotient;
    switch (op) {
    case ARITHMETIC_ADD:
        return i256_add_fits(left, right, out);
    case ARITHMETIC_SUB:
        return i256_sub_fits(left, right, out);
    case ARITHMETIC_MUL:
        return i256_mul_fits(left, right, out);
    case ARITHMETIC_DIV:
        return i256_divide_fits(left, right, out, NULL);
    case ARITHMETIC_REM:
        return i256_divide_fits(left, right, &quotient, out);
    case ARITHMETIC_OP_COUNT:
        break;
    }
    return false;
}

// Calls the kernel and compares up to the first row that must fail.
static void check_call(const integer_type *of, arithmetic_op op, arithmetic_kernel kernel,
                       const arithmetic_call *call) {
    const uint32_t width = of->bits / 8;
    uint32_t expected = 0;
    i256 wanted[ROWS];
    for (; expected < call->count; expected++) {
        const uint32_t row = call->rows == NULL ? expected : call->rows[expected];
        const i256 left =
            load(of, (const uint8_t *)call->left + (size_t)(row & call->left_mask) * width);
        const i256 right =
            load(of, (const uint8_t *)call->right + (size_t)(row & call->right_mask) * width);
        if (!expected_of(op, left, right, &wanted[expected]) || !fits(of, wanted[expected])) {
            break;
        }
    }
    REQUIRE(kernel(call) == expected);
    for (uint32_t k = 0; k < expected; k++) {
        const uint32_t row = call->rows == NULL ? k : call->rows[k];
        REQUIRE(i256_equal(load(of, (const uint8_t *)call->out + (size_t)row * width), wanted[k]));
    }
}

static void check_type(const integer_type *of, isa_level level) {
    const uint32_t width = of->bits / 8;
    uint64_t seed = of->bits;
    for (uint32_t round = 0; round < 200; round++) {
        _Alignas(16) uint8_t left[ROWS * 16];
        _Alignas(16) uint8_t right[ROWS * 16];
        _Alignas(16) uint8_t out[ROWS * 16];
        uint16_t rows[ROWS];
        uint32_t listed = 0;
        const uint32_t count = 1 + (uint32_t)(test_random(&seed) % ROWS);
        const bool is_tame = round % 2 == 0; // So that most rows fit.
        for (uint32_t row = 0; row < count; row++) {
            i256 l = pick(of, &seed);
            i256 r = pick(of, &seed);
            l = is_tame ? i256_from_i64(row % 10) : l;
            r = is_tame ? i256_from_i64(1 + row % 5) : r;
            memcpy(left + (size_t)row * width, &l, width);
            memcpy(right + (size_t)row * width, &r, width);
            rows[listed] = (uint16_t)row;
            listed += test_random(&seed) % 3 == 0 ? 1 : 0;
        }
        for (int op = 0; op < (int)ARITHMETIC_OP_COUNT; op++) {
            const arithmetic_kernel kernel =
                arithmetic_kernel_at(level, (arithmetic_op)op, of->layout);
            arithmetic_call call = {left, right, UINT32_MAX, UINT32_MAX, NULL, count, out};
            check_call(of, (arithmetic_op)op, kernel, &call);
            call.left_mask = 0;
            check_call(of, (arithmetic_op)op, kernel, &call);
            call.left_mask = UINT32_MAX;
            call.right_mask = 0;
            check_call(of, (arithmetic_op)op, kernel, &call);
            call.rows = rows;
            call.count = listed;
            check_call(of, (arithmetic_op)op, kernel, &call);
        }
    }
}

TEST(arithmetic_of_integers_never_wraps) {
    for (int level = 0; level <= (int)isa_best(); level++) {
        for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++) {
            check_type(&integers[i], (isa_level)level);
        }
    }
}

TEST(arithmetic_of_doubles_is_that_of_ieee) {
    const double left[] = {1.5, -7.5, (double)INFINITY, 0.0, 1e308};
    const double right[] = {0.5, 2.0, 1.0, 0.0, 10.0};
    double out[5];
    for (int level = 0; level <= (int)isa_best(); level++) {
        const arithmetic_call call = {left, right, UINT32_MAX, UINT32_MAX, NULL, 5, out};
        CHECK(arithmetic_kernel_at((isa_level)level, ARITHMETIC_DIV, PHYSICAL_F64)(&call) == 5);
        CHECK(out[0] == 3.0 && out[1] == -3.75 && isinf(out[2]) && isnan(out[3]));
        CHECK(arithmetic_kernel_at((isa_level)level, ARITHMETIC_REM, PHYSICAL_F64)(&call) == 5);
        CHECK(out[1] == -1.5 && isnan(out[2]) && isnan(out[3]));
        CHECK(arithmetic_kernel_at((isa_level)level, ARITHMETIC_MUL, PHYSICAL_F64)(&call) == 5);
        CHECK(isinf(out[4]));
    }
}

TEST(arithmetic_negates) {
    const int32_t in[] = {5, -5, 0, INT32_MIN};
    int32_t out[4];
    arithmetic_call call = {.left = in, .left_mask = UINT32_MAX, .count = 4, .out = out};
    CHECK(arithmetic_negate_for(PHYSICAL_I32)(&call) == 3);
    CHECK(out[0] == -5 && out[1] == 5 && out[2] == 0);
    const uint8_t bytes[] = {0, 1};
    uint8_t bytes_out[2];
    call = (arithmetic_call){.left = bytes, .left_mask = UINT32_MAX, .count = 2, .out = bytes_out};
    CHECK(arithmetic_negate_for(PHYSICAL_U8)(&call) == 1);
}

TEST(arithmetic_quotients_by_way_of_doubles_are_exact) {
    uint64_t seed = 77;
    for (int round = 0; round < 20000; round++) {
        int64_t left[4];
        int64_t right[4];
        int64_t out[4];
        for (int i = 0; i < 4; i++) { // Next to whole quotients, near the limit.
            right[i] = 1 + (int64_t)(test_random(&seed) >> (12 + test_random(&seed) % 51));
            const int64_t quotient = (int64_t)((UINT64_C(1) << 52) / (uint64_t)right[i]);
            const int64_t near = (int64_t)(test_random(&seed) % 3) - 1;
            left[i] = quotient * right[i] + near;
            left[i] = left[i] >= INT64_C(1) << 52 ? quotient * right[i] - 1 : left[i];
            right[i] = round % 2 == 0 ? right[i] : -right[i];
        }
        const arithmetic_call call = {left, right, UINT32_MAX, UINT32_MAX, NULL, 4, out};
        REQUIRE(arithmetic_kernel_for(ARITHMETIC_DIV, PHYSICAL_I64)(&call) == 4);
        for (int i = 0; i < 4; i++) {
            REQUIRE(out[i] == left[i] / right[i]);
        }
        REQUIRE(arithmetic_kernel_for(ARITHMETIC_REM, PHYSICAL_I64)(&call) == 4);
        for (int i = 0; i < 4; i++) {
            REQUIRE(out[i] == left[i] % right[i]);
        }
    }
}
