#include "base/wide.h"

#include <math.h>
#include <string.h>

#include "base/test.h"

#define ROUNDS 20000

// Numbers of every size: random bits, shifted right by a random amount, sometimes negative, and
// now and then one at an edge.
static uint64_t seed = 1;

static uint64_t next_random(void) {
    return test_random(&seed);
}

static i256 random_i256(void) {
    const i256 edges[] = {I256_ZERO,
                          I256_MAX,
                          I256_MIN,
                          {{1}},
                          {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}},
                          {{0, 1}},
                          {{0, 0, 1}},
                          {{UINT64_MAX, UINT64_MAX}},
                          {{0, UINT64_C(1) << 63}},
                          {{UINT64_MAX, INT64_MAX}},
                          {{0, 0, UINT64_C(1) << 63}},
                          {{0, UINT64_C(1) << 63, UINT64_MAX, UINT64_MAX}}};
    const uint64_t choice = next_random();
    if (choice % 8 == 0) {
        return edges[choice / 8 % (sizeof edges / sizeof *edges)];
    }
    i256 value = {{next_random(), next_random(), next_random(), next_random()}};
    return i256_shift_right(value, (uint32_t)(choice / 8 % 255));
}

static i128 random_i128(void) {
    i128 value = 0;
    bool fits = false;
    while (!fits) {
        fits = i256_to_i128_fits(random_i256(), &value);
    }
    return value;
}

TEST(wide_powers_of_ten_are_each_ten_times_the_one_before) {
    CHECK(u64_power_of_ten[0] == 1 && i128_power_of_ten[0] == 1);
    CHECK(i256_equal(i256_power_of_ten[0], i256_from_i64(1)));
    for (uint32_t i = 1; i < 20; i++) {
        CHECK(u64_power_of_ten[i] == u64_power_of_ten[i - 1] * 10);
    }
    for (uint32_t i = 1; i <= DECIMAL128_DIGITS_MAX; i++) {
        CHECK(i128_power_of_ten[i] == i128_power_of_ten[i - 1] * 10);
    }
    for (uint32_t i = 1; i <= DECIMAL256_DIGITS_MAX; i++) {
        i256 next;
        REQUIRE(i256_mul_fits(i256_power_of_ten[i - 1], i256_from_i64(10), &next));
        CHECK(i256_equal(next, i256_power_of_ten[i]));
    }
}

TEST(wide_i128_reports_what_does_not_fit) {
    i128 out = 7;
    CHECK(!i128_add_fits(I128_MAX, 1, &out) && !i128_sub_fits(I128_MIN, 1, &out));
    CHECK(!i128_mul_fits(I128_MIN, -1, &out) && !i128_mul_fits(I128_MAX / 2 + 1, 2, &out));
    CHECK(out == 7);
    CHECK(i128_add_fits(I128_MAX, I128_MIN, &out) && out == -1);
    CHECK(i128_mul_fits(I128_MIN / 2, 2, &out) && out == I128_MIN);
    CHECK(i128_magnitude(I128_MIN) == (u128)1 << 127 && i128_magnitude(-5) == 5);
}

TEST(wide_i128_has_digits_is_the_bound_of_a_precision) {
    CHECK(i128_has_digits(0, 0) && !i128_has_digits(1, 0));
    CHECK(i128_has_digits(-999, 3) && !i128_has_digits(-1000, 3));
    CHECK(i128_has_digits(i128_power_of_ten[38] - 1, 38));
    CHECK(!i128_has_digits(i128_power_of_ten[38], 38) && !i128_has_digits(I128_MIN, 38));
}

TEST(wide_i128_divides_with_halves_away_from_zero) {
    const int rows[][3] = {{5, 10, 1},    {-5, 10, -1},  {4, 10, 0},  {-4, 10, 0},
                           {15, 10, 2},   {25, 10, 3},   {24, 10, 2}, {-25, 10, -3},
                           {25, -10, -3}, {-25, -10, 3}, {7, 1, 7},   {1, 3, 0},
                           {2, 3, 1},     {-2, 3, -1},   {3, 2, 2},   {-7, -1, 7}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK(i128_divide_round(rows[i][0], rows[i][1]) == rows[i][2]);
    }
    CHECK(i128_divide_round(I128_MIN, 1) == I128_MIN);
    CHECK(i128_divide_round(I128_MIN, I128_MIN) == 1 &&
          i128_divide_round(I128_MAX, I128_MIN) == -1);
}

TEST(wide_i128_rescales_both_ways) {
    i128 out = 0;
    CHECK(i128_rescale_fits(125, 2, 1, &out) && out == 13);
    CHECK(i128_rescale_fits(-125, 2, 1, &out) && out == -13);
    CHECK(i128_rescale_fits(124, 2, 1, &out) && out == 12);
    CHECK(i128_rescale_fits(-125, 2, 5, &out) && out == -125000);
    CHECK(i128_rescale_fits(7, 3, 3, &out) && out == 7);
    CHECK(i128_rescale_fits(1, 0, 38, &out) && out == i128_power_of_ten[38]);
    CHECK(!i128_rescale_fits(2, 0, 38, &out) && !i128_rescale_fits(1, 0, 39, &out));
    CHECK(i128_rescale_fits(0, 0, INT32_MAX, &out) && out == 0);
    CHECK(i128_rescale_fits(0, INT32_MIN, INT32_MAX, &out) && out == 0);
    out = 1;
    CHECK(i128_rescale_fits(I128_MIN, 39, 0, &out) && out == 0);
    CHECK(i128_rescale_fits(I128_MIN, 38, 0, &out) && out == -2);
    out = 1;
    CHECK(i128_rescale_fits(I128_MAX, INT32_MAX, INT32_MIN, &out) && out == 0);
}

TEST(wide_i128_from_a_double_rounds_half_to_even) {
    i128 out = 0;
    CHECK(i128_from_double_fits(2.5, &out) && out == 2);
    CHECK(i128_from_double_fits(3.5, &out) && out == 4);
    CHECK(i128_from_double_fits(-2.5, &out) && out == -2);
    CHECK(i128_from_double_fits(-0x1p127, &out) && out == I128_MIN);
    CHECK(i128_from_double_fits(0x1.fffffffffffffp126, &out) && out == (i128)0x1.fffffffffffffp126);
    CHECK(!i128_from_double_fits(0x1p127, &out) && !i128_from_double_fits((double)NAN, &out));
    CHECK(!i128_from_double_fits((double)INFINITY, &out));
    CHECK(!i128_from_double_fits(-0x1.0000000000001p127, &out));
}

TEST(wide_i256_agrees_with_128_bits_where_they_reach) {
    for (int i = 0; i < ROUNDS; i++) {
        const i128 left = random_i128();
        const i128 right = random_i128();
        const i256 wide_left = i256_from_i128(left);
        const i256 wide_right = i256_from_i128(right);
        i128 narrow = 0;
        i128 back = 0;
        i256 wide;
        REQUIRE(i256_add_fits(wide_left, wide_right, &wide));
        const bool sum_fits = i128_add_fits(left, right, &narrow);
        CHECK(i256_to_i128_fits(wide, &back) == sum_fits && (!sum_fits || back == narrow));
        REQUIRE(i256_sub_fits(wide_left, wide_right, &wide));
        const bool difference_fits = i128_sub_fits(left, right, &narrow);
        CHECK(i256_to_i128_fits(wide, &back) == difference_fits);
        CHECK(!difference_fits || back == narrow);
        wide = i256_product(left, right);
        const bool product_fits = i128_mul_fits(left, right, &narrow);
        CHECK(i256_to_i128_fits(wide, &back) == product_fits && (!product_fits || back == narrow));
        CHECK((i256_compare(wide_left, wide_right) < 0) == (left < right));
        if (right != 0 && !(left == I128_MIN && right == -1)) {
            i256 rest;
            REQUIRE(i256_divide_fits(wide_left, wide_right, &wide, &rest));
            CHECK(i256_to_i128_fits(wide, &back) && back == left / right);
            CHECK(i256_to_i128_fits(rest, &back) && back == left % right);
            REQUIRE(i256_divide_round_fits(wide_left, wide_right, &wide));
            CHECK(i256_to_i128_fits(wide, &back) && back == i128_divide_round(left, right));
        }
        CHECK(i256_to_double(wide_left) == (double)left);
    }
}

// Minus the magnitude, which always fits.
static i256 below_zero(i256 value) {
    i256 result = value;
    if (!i256_is_negative(value)) {
        CHECK(i256_neg_fits(value, &result));
    }
    return result;
}

TEST(wide_i256_quotient_times_divisor_plus_rest_is_the_value) {
    int divided = 0;
    for (int i = 0; i < ROUNDS; i++) {
        const i256 value = random_i256();
        const i256 divisor = random_i256();
        i256 quotient;
        i256 rest;
        if (!i256_divide_fits(value, divisor, &quotient, &rest)) {
            CHECK(i256_is_zero(divisor) ||
                  (i256_equal(value, I256_MIN) && i256_equal(divisor, i256_from_i64(-1))));
            continue;
        }
        divided += 1;
        i256 product;
        i256 sum;
        REQUIRE(i256_mul_fits(quotient, divisor, &product));
        REQUIRE(i256_add_fits(product, rest, &sum));
        CHECK(i256_equal(sum, value));
        CHECK(i256_is_zero(rest) || i256_is_negative(rest) == i256_is_negative(value));
        CHECK(i256_compare(below_zero(rest), below_zero(divisor)) > 0); // |rest| < |divisor|
    }
    CHECK(divided > ROUNDS / 2);
}

TEST(wide_i256_divides_where_the_first_estimate_is_too_high) {
    // Limbs of this form make Knuth's step D6, adding back, which random numbers hardly reach.
    const i256 value = {{0, 0, UINT64_C(1) << 63, UINT64_C(0x7fffffffffffffff)}};
    const i256 divisor = {{1, 0, UINT64_C(1) << 63, 0}};
    i256 quotient;
    i256 rest;
    i256 sum;
    REQUIRE(i256_divide_fits(value, divisor, &quotient, &rest));
    REQUIRE(i256_mul_fits(quotient, divisor, &sum) && i256_add_fits(sum, rest, &sum));
    CHECK(i256_equal(sum, value) && i256_compare(rest, divisor) < 0);
    CHECK(i256_equal(quotient, (i256){{UINT64_MAX - 1}}));
}

TEST(wide_i256_quotients_of_scaled_values) {
    int scaled_fit = 0;
    for (int i = 0; i < ROUNDS; i++) {
        const i256 value = random_i256();
        const i256 divisor = random_i256();
        const uint32_t digits = (uint32_t)(next_random() % (2 * DECIMAL256_DIGITS_MAX + 1));
        i256 expected = I256_ZERO;
        i256 out = I256_ZERO;
        const bool fits = i256_quotient_round_fits(value, digits, divisor, &out);
        if (digits <= DECIMAL256_DIGITS_MAX &&
            i256_mul_fits(value, i256_power_of_ten[digits], &expected)) {
            CHECK(fits == i256_divide_round_fits(expected, divisor, &expected));
            CHECK(!fits || i256_equal(out, expected));
            scaled_fit += fits;
        } else if (digits >= DECIMAL256_DIGITS_MAX) {
            // value * 10^digits / 10^76, without the detour.
            const uint32_t more = digits - DECIMAL256_DIGITS_MAX;
            const bool is_there = i256_mul_fits(value, i256_power_of_ten[more], &expected);
            CHECK(i256_quotient_round_fits(value, digits, i256_power_of_ten[DECIMAL256_DIGITS_MAX],
                                           &out) == is_there);
            CHECK(!is_there || i256_equal(out, expected));
        }
    }
    CHECK(scaled_fit > ROUNDS / 100);
    // 10^76 * 10^76 / (10^76 - 1) is 10^76 + 1 and a rest; with one digit more it has no room.
    const i256 power = i256_power_of_ten[DECIMAL256_DIGITS_MAX];
    i256 divisor;
    i256 expected;
    i256 out;
    CHECK(i256_sub_fits(power, i256_from_i64(1), &divisor));
    CHECK(i256_add_fits(power, i256_from_i64(1), &expected));
    CHECK(i256_quotient_round_fits(power, DECIMAL256_DIGITS_MAX, divisor, &out) &&
          i256_equal(out, expected));
    CHECK(!i256_quotient_round_fits(power, DECIMAL256_DIGITS_MAX + 1, divisor, &out));
    CHECK(!i256_quotient_round_fits(power, 2 * DECIMAL256_DIGITS_MAX, divisor, &out));
    CHECK(!i256_quotient_round_fits(power, 0, I256_ZERO, &out));
    CHECK(i256_quotient_round_fits(I256_ZERO, 2 * DECIMAL256_DIGITS_MAX, divisor, &out) &&
          i256_is_zero(out));
    // Halves go away from zero.
    CHECK(i256_quotient_round_fits(i256_from_i64(-1), DECIMAL256_DIGITS_MAX, i256_from_i64(2),
                                   &out) &&
          i256_is_negative(out));
}

TEST(wide_i256_reports_what_does_not_fit) {
    const i256 one = i256_from_i64(1);
    i256 out = i256_from_i64(7);
    i128 narrow = 0;
    int64_t narrower = 0;
    CHECK(!i256_add_fits(I256_MAX, one, &out) && !i256_sub_fits(I256_MIN, one, &out));
    CHECK(!i256_neg_fits(I256_MIN, &out) && !i256_sub_fits(I256_ZERO, I256_MIN, &out));
    CHECK(!i256_mul_fits(I256_MIN, i256_from_i64(-1), &out));
    CHECK(!i256_mul_fits(I256_MAX, i256_from_i64(2), &out));
    CHECK(!i256_mul_fits((i256){{0, 0, 1}}, (i256){{0, 0, 1}}, &out));
    CHECK(!i256_divide_fits(one, I256_ZERO, &out, NULL));
    CHECK(!i256_divide_fits(I256_MIN, i256_from_i64(-1), &out, NULL));
    CHECK(!i256_divide_round_fits(one, I256_ZERO, &out));
    CHECK(!i256_to_i128_fits(I256_MIN, &narrow) && !i256_to_i64_fits((i256){{0, 1}}, &narrower));
    CHECK(!i256_to_i64_fits((i256){{UINT64_C(1) << 63}}, &narrower));
    CHECK(i256_equal(out, i256_from_i64(7)));
    CHECK(i256_neg_fits(I256_MAX, &out) && i256_to_i64_fits(i256_from_i64(INT64_MIN), &narrower));
    CHECK(narrower == INT64_MIN);
    CHECK(i256_mul_fits((i256){{0, 0, 0, UINT64_C(1) << 62}}, i256_from_i64(-2), &out));
    CHECK(i256_equal(out, I256_MIN));
}

TEST(wide_i256_shifts_as_multiplying_and_dividing_do) {
    for (int i = 0; i < ROUNDS / 4; i++) {
        const i256 value = random_i256();
        const uint32_t count = (uint32_t)(next_random() % 300);
        i256 power = i256_from_i64(1);
        bool power_fits = count < 255;
        for (uint32_t bit = 0; power_fits && bit < count; bit++) {
            REQUIRE(i256_add_fits(power, power, &power));
        }
        i256 shifted = I256_ZERO;
        i256 expected = I256_ZERO;
        if (!power_fits) {
            CHECK(i256_equal(i256_shift_right(value, 300), i256_shift_right(value, 255)));
            continue;
        }
        CHECK(i256_shift_left_fits(value, count, &shifted) ==
              i256_mul_fits(value, power, &expected));
        CHECK(i256_equal(shifted, expected));
        i256 rest;
        REQUIRE(i256_divide_fits(value, power, &expected, &rest));
        if (i256_is_negative(rest)) {
            REQUIRE(i256_sub_fits(expected, i256_from_i64(1), &expected));
        }
        CHECK(i256_equal(i256_shift_right(value, count), expected));
    }
    i256 out;
    CHECK(i256_shift_left_fits(i256_from_i64(-1), 255, &out) && i256_equal(out, I256_MIN));
    CHECK(!i256_shift_left_fits(i256_from_i64(1), 255, &out));
    CHECK(!i256_shift_left_fits(i256_from_i64(-1), 256, &out));
    CHECK(i256_shift_left_fits(I256_ZERO, UINT32_MAX, &out) && i256_is_zero(out));
    CHECK(i256_equal(i256_shift_right(i256_from_i64(-5), UINT32_MAX), i256_from_i64(-1)));
}

TEST(wide_i256_rescales_both_ways) {
    i256 out = I256_ZERO;
    int64_t narrow = 0;
    CHECK(i256_rescale_fits(i256_from_i64(-125), 2, 1, &out) && i256_to_i64_fits(out, &narrow));
    CHECK(narrow == -13);
    CHECK(i256_rescale_fits(i256_from_i64(1), 0, 76, &out));
    CHECK(i256_equal(out, i256_power_of_ten[76]));
    CHECK(i256_rescale_fits(out, 76, 0, &out) && i256_equal(out, i256_from_i64(1)));
    CHECK(!i256_rescale_fits(i256_from_i64(6), 0, 76, &out));
    CHECK(!i256_rescale_fits(i256_from_i64(1), 0, 77, &out));
    CHECK(i256_rescale_fits(I256_ZERO, -5, INT32_MAX, &out) && i256_is_zero(out));
    CHECK(i256_rescale_fits(I256_MAX, 77, 0, &out) && i256_equal(out, i256_from_i64(1)));
    CHECK(i256_rescale_fits(I256_MIN, 77, 0, &out) && i256_equal(out, i256_from_i64(-1)));
    CHECK(i256_rescale_fits(I256_MIN, 78, 0, &out) && i256_is_zero(out));
    CHECK(i256_has_digits(i256_from_i64(-99), 2) && !i256_has_digits(i256_from_i64(-100), 2));
    CHECK(!i256_has_digits(I256_MIN, 76) && !i256_has_digits(i256_power_of_ten[76], 76));
}

TEST(wide_i256_to_a_double_rounds_once) {
    CHECK(i256_to_double(I256_MIN) == -0x1p255 && i256_to_double(I256_MAX) == 0x1p255);
    CHECK(i256_to_double(i256_from_i64(-3)) == -3 && i256_to_double(I256_ZERO) == 0);
    // Exactly between two doubles: to the even one; a bit more: up.
    CHECK(i256_to_double((i256){{0, 0, 1, UINT64_C(1) << 53}}) == 0x1p245);
    CHECK(i256_to_double((i256){{0, 0, UINT64_C(1) << 63, UINT64_C(1) << 52}}) == 0x1p244);
    CHECK(i256_to_double((i256){{1, 0, UINT64_C(1) << 63, UINT64_C(1) << 52}}) ==
          0x1.0000000000001p244);
    CHECK(i256_to_double(i256_power_of_ten[76]) == 1e76);
}

TEST(wide_big_endian_bytes_round_trip_at_every_length) {
    for (int i = 0; i < ROUNDS / 4; i++) {
        const i256 value = random_i256();
        const size_t least = i256_big_endian_size(value);
        uint8_t raw[40];
        CHECK(!i256_to_big_endian(value, least - 1, raw));
        i128 narrow = 0;
        const bool fits = i256_to_i128_fits(value, &narrow);
        CHECK(!fits || i128_big_endian_size(narrow) == least);
        for (size_t size = least; size <= sizeof raw; size++) {
            REQUIRE(i256_to_big_endian(value, size, raw));
            i256 back;
            const bytes written = {.data = raw, .size = size};
            REQUIRE(i256_from_big_endian(written, &back));
            CHECK(i256_equal(back, value));
            i128 narrow_back = 0;
            CHECK(i128_from_big_endian(written, &narrow_back) == fits && narrow_back == narrow);
            uint8_t again[40];
            CHECK(!fits ||
                  (i128_to_big_endian(narrow, size, again) && memcmp(raw, again, size) == 0));
        }
    }
}

#define BYTES(...)                                                                                 \
    ((bytes){.data = (const uint8_t[]){__VA_ARGS__}, .size = sizeof((uint8_t[]){__VA_ARGS__})})

TEST(wide_big_endian_bytes_have_their_known_values) {
    i128 out = 5;
    CHECK(!i128_from_big_endian((bytes){0}, &out) && out == 5);
    CHECK(i128_from_big_endian(BYTES(0), &out) && out == 0);
    CHECK(i128_from_big_endian(BYTES(0xff), &out) && out == -1);
    CHECK(i128_from_big_endian(BYTES(0x80), &out) && out == -128);
    CHECK(i128_from_big_endian(BYTES(0, 0x80), &out) && out == 128);
    CHECK(i128_from_big_endian(BYTES(0x01, 0x02), &out) && out == 258);
    CHECK(i128_from_big_endian(BYTES(0xff, 0xff, 0x7f), &out) && out == -129);
    CHECK(!i128_from_big_endian(BYTES(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), &out));
    CHECK(!i128_from_big_endian(BYTES(0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), &out));
    CHECK(i128_big_endian_size(0) == 1 && i128_big_endian_size(127) == 1);
    CHECK(i128_big_endian_size(128) == 2 && i128_big_endian_size(-128) == 1);
    CHECK(i128_big_endian_size(-129) == 2 && i128_big_endian_size(I128_MIN) == 16);
    CHECK(i256_big_endian_size(I256_MAX) == 32 && i256_big_endian_size(i256_from_i64(-1)) == 1);
}
