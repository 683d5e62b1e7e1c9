#include "kernels/decimal.h"

#include "base/test.h"

#define ROWS 600 // More than two chunks.

typedef struct format_case {
    physical layout;
    uint32_t precision;
    uint32_t scale;
} format_case;

static const format_case formats[] = {
    {PHYSICAL_I8, 0, 0},     {PHYSICAL_I16, 0, 0},    {PHYSICAL_I32, 0, 0},
    {PHYSICAL_I64, 0, 0},    {PHYSICAL_U8, 0, 0},     {PHYSICAL_U16, 0, 0},
    {PHYSICAL_U32, 0, 0},    {PHYSICAL_U64, 0, 0},    {PHYSICAL_I32, 4, 2},
    {PHYSICAL_I32, 9, 0},    {PHYSICAL_I64, 15, 2},   {PHYSICAL_I64, 18, 18},
    {PHYSICAL_I128, 20, 0},  {PHYSICAL_I128, 38, 10}, {PHYSICAL_I128, 38, 38},
    {PHYSICAL_I256, 39, 19}, {PHYSICAL_I256, 76, 30},
};

static i256 load(physical layout, const void *in, uint32_t row) {
    switch ((int)layout) {
    case PHYSICAL_I8:
        return i256_from_i64(((const int8_t *)in)[row]);
    case PHYSICAL_I16:
        return i256_from_i64(((const int16_t *)in)[row]);
    case PHYSICAL_I32:
        return i256_from_i64(((const int32_t *)in)[row]);
    case PHYSICAL_I64:
        return i256_from_i64(((const int64_t *)in)[row]);
    case PHYSICAL_U8:
        return i256_from_i64(((const uint8_t *)in)[row]);
    case PHYSICAL_U16:
        return i256_from_i64(((const uint16_t *)in)[row]);
    case PHYSICAL_U32:
        return i256_from_i64(((const uint32_t *)in)[row]);
    case PHYSICAL_U64:
        return i256_from_i128(((const uint64_t *)in)[row]);
    case PHYSICAL_I128:
        return i256_from_i128(((const i128 *)in)[row]);
    default:
        return ((const i256 *)in)[row];
    }
}

// The plain definition: rescale in 256 bits, then see whether it fits.
static bool expected_of(const format_case *from, const format_case *to, i256 value, i256 *out) {
    if (!i256_rescale_fits(value, (int32_t)from->scale, (int32_t)to->scale, out)) {
        return false;
    }
    if (to->precision > 0) {
        return i256_has_digits(*out, to->precision);
    }
    const uint32_t bits = physical_size(to->layout) * 8;
    const bool is_unsigned = to->layout >= PHYSICAL_U8 && to->layout <= PHYSICAL_U64;
    i128 narrow;
    if (!i256_to_i128_fits(*out, &narrow)) {
        return false;
    }
    const i128 high = ((i128)1 << (is_unsigned ? bits : bits - 1)) - 1;
    return narrow <= high && narrow >= (is_unsigned ? 0 : -high - 1);
}

// Random numbers of all magnitudes that the format allows.
static void fill(const format_case *of, uint8_t *out, uint64_t *seed) {
    const uint32_t width = physical_size(of->layout);
    for (uint32_t row = 0; row < ROWS; row++) {
        i256 value = i256_from_i64((int64_t)test_random(seed));
        (void)i256_shift_left_fits(value, (uint32_t)(test_random(seed) % 190), &value);
        value = i256_shift_right(value, (uint32_t)(test_random(seed) % 250));
        const format_case same = *of;
        i256 kept;
        while (!expected_of(&same, &same, value, &kept)) {
            value = i256_shift_right(value, 1);
            if (i256_is_negative(value) && of->layout >= PHYSICAL_U8 &&
                of->layout <= PHYSICAL_U64) {
                value = i256_from_i64((int64_t)(test_random(seed) >> 57));
            }
        }
        memcpy(out + (size_t)row * width, &value, width);
    }
}

static void check_pair(const format_case *from, const format_case *to, uint64_t *seed) {
    static uint8_t in[ROWS * 32];
    static uint8_t out[ROWS * 32];
    fill(from, in, seed);
    uint16_t rows[ROWS];
    uint32_t count = 0;
    for (uint32_t row = 0; row < ROWS; row++) {
        i256 wanted;
        const bool fits = expected_of(from, to, load(from->layout, in, row), &wanted);
        const uint16_t single = (uint16_t)row;
        decimal_conversion one = {.from = {from->layout, from->precision, from->scale},
                                  .to = {to->layout, to->precision, to->scale},
                                  .in = in,
                                  .mask = UINT32_MAX,
                                  .rows = &single,
                                  .count = 1};
        REQUIRE(decimal_convert(&one, out) == (fits ? 1 : 0));
        if (fits) {
            rows[count++] = (uint16_t)row;
        }
    }
    // All that fit at once, by list, then the whole column up to the first that does not.
    decimal_conversion all = {.from = {from->layout, from->precision, from->scale},
                              .to = {to->layout, to->precision, to->scale},
                              .in = in,
                              .mask = UINT32_MAX,
                              .rows = rows,
                              .count = count};
    REQUIRE(decimal_convert(&all, out) == count);
    for (uint32_t k = 0; k < count; k++) {
        i256 wanted;
        (void)expected_of(from, to, load(from->layout, in, rows[k]), &wanted);
        REQUIRE(i256_equal(load(to->layout, out, rows[k]), wanted));
    }
    all.rows = NULL;
    all.count = ROWS;
    uint32_t first_bad = 0;
    while (first_bad < count && rows[first_bad] == first_bad) {
        first_bad++;
    }
    REQUIRE(decimal_convert(&all, out) == first_bad);
}

TEST(decimal_convert_agrees_with_256_bits_for_all_formats) {
    uint64_t seed = 11;
    for (size_t from = 0; from < sizeof formats / sizeof formats[0]; from++) {
        for (size_t to = 0; to < sizeof formats / sizeof formats[0]; to++) {
            check_pair(&formats[from], &formats[to], &seed);
        }
    }
}

TEST(decimal_convert_rounds_a_half_away_from_zero) {
    const int64_t in[] = {150, 149, -150, -149, 50, -50, 49, 250};
    const int64_t expected[] = {2, 1, -2, -1, 1, -1, 0, 3};
    int64_t out[8];
    const decimal_conversion call = {.from = {PHYSICAL_I64, 18, 2},
                                     .to = {PHYSICAL_I64, 18, 0},
                                     .in = in,
                                     .mask = UINT32_MAX,
                                     .count = 8};
    CHECK(decimal_convert(&call, out) == 8);
    CHECK(memcmp(out, expected, sizeof out) == 0);
}
