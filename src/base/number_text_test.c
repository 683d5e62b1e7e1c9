#include "base/number_text.h"

#include <string.h>

#include "base/test.h"

static bool prints(const char *out, size_t size, const char *expected) {
    if (size == strlen(expected) && memcmp(out, expected, size) == 0) {
        return true;
    }
    (void)fprintf(stderr, "printed \"%.*s\", expected \"%s\"\n", (int)size, out, expected);
    return false;
}

TEST(number_text_reads_integers) {
    const struct {
        const char *input;
        number_answer answer;
        int64_t value;
    } rows[] = {
        {"0", NUMBER_OK, 0},
        {"-0", NUMBER_OK, 0},
        {"+7", NUMBER_OK, 7},
        {" \t\n 12 \r\v\f", NUMBER_OK, 12},
        {"00000000000000000000000000000000000000000000000012", NUMBER_OK, 12},
        {"123456789012345678", NUMBER_OK, 123456789012345678},
        {"9223372036854775807", NUMBER_OK, INT64_MAX},
        {"-9223372036854775808", NUMBER_OK, INT64_MIN},
        {"9223372036854775808", NUMBER_OVERFLOW, 0},
        {"-9223372036854775809", NUMBER_OVERFLOW, 0},
        {"99999999999999999999999999999999999999999999999999", NUMBER_OVERFLOW, 0},
        {"99999999999999999999999999999999999999999999999999x", NUMBER_SYNTAX, 0},
        {"", NUMBER_SYNTAX, 0},
        {"  ", NUMBER_SYNTAX, 0},
        {"-", NUMBER_SYNTAX, 0},
        {"+", NUMBER_SYNTAX, 0},
        {"--1", NUMBER_SYNTAX, 0},
        {"1 2", NUMBER_SYNTAX, 0},
        {"- 1", NUMBER_SYNTAX, 0},
        {"12.7", NUMBER_SYNTAX, 0},
        {"1e3", NUMBER_SYNTAX, 0},
        {"abc", NUMBER_SYNTAX, 0},
        {"1234567/", NUMBER_SYNTAX, 0},
        {"12345:78", NUMBER_SYNTAX, 0},
        {"1234567\xb2", NUMBER_SYNTAX, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t value = 0;
        CHECK(number_parse_i64(text_of(rows[i].input), &value) == rows[i].answer);
        CHECK(value == rows[i].value);
        i128 wide = 0;
        if (rows[i].answer == NUMBER_OK) {
            CHECK(number_parse_i128(text_of(rows[i].input), &wide) == NUMBER_OK);
            CHECK(wide == rows[i].value);
        }
    }
    int64_t value = 0;
    CHECK(number_parse_i64((text){0}, &value) == NUMBER_SYNTAX);
    CHECK(number_parse_i64((text){.data = "1\0", .size = 2}, &value) == NUMBER_SYNTAX);
}

TEST(number_text_reads_unsigned_and_128_bit_integers_to_their_ends) {
    uint64_t value = 0;
    CHECK(number_parse_u64(TEXT("18446744073709551615"), &value) == NUMBER_OK);
    CHECK(value == UINT64_MAX);
    CHECK(number_parse_u64(TEXT("18446744073709551616"), &value) == NUMBER_OVERFLOW);
    CHECK(number_parse_u64(TEXT("-1"), &value) == NUMBER_OVERFLOW);
    CHECK(number_parse_u64(TEXT("-0"), &value) == NUMBER_OK && value == 0);
    CHECK(number_parse_u64(TEXT("1.0"), &value) == NUMBER_SYNTAX);
    i128 wide = 0;
    CHECK(number_parse_i128(TEXT("170141183460469231731687303715884105727"), &wide) == NUMBER_OK);
    CHECK(wide == I128_MAX);
    CHECK(number_parse_i128(TEXT("-170141183460469231731687303715884105728"), &wide) == NUMBER_OK);
    CHECK(wide == I128_MIN);
    CHECK(number_parse_i128(TEXT("170141183460469231731687303715884105728"), &wide) ==
          NUMBER_OVERFLOW);
    CHECK(number_parse_i128(TEXT("-170141183460469231731687303715884105729"), &wide) ==
          NUMBER_OVERFLOW);
    CHECK(number_parse_i128(TEXT("-"), &wide) == NUMBER_SYNTAX);
}

TEST(number_text_prints_integers) {
    char out[NUMBER_I128_SIZE_MAX];
    CHECK(prints(out, number_print_i64(0, out), "0"));
    CHECK(prints(out, number_print_i64(-1, out), "-1"));
    CHECK(prints(out, number_print_i64(INT64_MIN, out), "-9223372036854775808"));
    CHECK(prints(out, number_print_u64(UINT64_MAX, out), "18446744073709551615"));
    CHECK(prints(out, number_print_i128(0, out), "0"));
    CHECK(prints(out, number_print_i128(I128_MAX, out), "170141183460469231731687303715884105727"));
    CHECK(
        prints(out, number_print_i128(I128_MIN, out), "-170141183460469231731687303715884105728"));
    char expected[40];
    for (size_t digits = 0; digits < 20; digits++) {
        const uint64_t power = u64_power_of_ten[digits];
        (void)snprintf(expected, sizeof expected, "%llu", (unsigned long long)power);
        CHECK(prints(out, number_print_u64(power, out), expected));
        (void)snprintf(expected, sizeof expected, "%llu", (unsigned long long)power - 1);
        CHECK(prints(out, number_print_u64(power - 1, out), expected));
    }
    uint64_t seed = 3;
    for (int i = 0; i < 2000; i++) {
        const uint64_t bits = test_random(&seed);
        const int64_t value = (int64_t)(bits >> 1) >> (bits % 60);
        (void)snprintf(expected, sizeof expected, "%lld", (long long)-value);
        CHECK(prints(out, number_print_i64(-value, out), expected));
    }
}

TEST(number_text_128_bit_integers_round_trip) {
    uint64_t seed = 4;
    for (int i = 0; i < 5000; i++) {
        u128 bits = (u128)test_random(&seed) << 64 | test_random(&seed);
        bits >>= test_random(&seed) % 127;
        const i128 value = test_random(&seed) % 2 == 0 ? (i128)(bits >> 1) : -(i128)(bits >> 1);
        char out[NUMBER_I128_SIZE_MAX];
        const size_t size = number_print_i128(value, out);
        i128 back = 0;
        CHECK(number_parse_i128((text){.data = out, .size = size}, &back) == NUMBER_OK);
        CHECK(back == value);
    }
}

// Input, precision, scale; the answer, and as printed.
static const struct decimal_row {
    const char *input;
    uint32_t precision;
    uint32_t scale;
    number_answer answer;
    const char *printed;
} decimal_rows[] = {
    {"1.5", 10, 2, NUMBER_OK, "1.50"},
    {"  -1.5 ", 10, 2, NUMBER_OK, "-1.50"},
    {"+.5", 10, 2, NUMBER_OK, "0.50"},
    {"5.", 10, 2, NUMBER_OK, "5.00"},
    {"0", 10, 2, NUMBER_OK, "0.00"},
    {"-0.001", 10, 2, NUMBER_OK, "0.00"},
    {"0.005", 10, 2, NUMBER_OK, "0.01"},
    {"-0.005", 10, 2, NUMBER_OK, "-0.01"},
    {"0.00499999999999999999999999999999999999", 10, 2, NUMBER_OK, "0.00"},
    {"0.00500000000000000000000000000000000000", 10, 2, NUMBER_OK, "0.01"},
    {"1.004999999999999999999999", 10, 2, NUMBER_OK, "1.00"},
    {"1e3", 10, 2, NUMBER_OK, "1000.00"},
    {"12345E-3", 10, 2, NUMBER_OK, "12.35"},
    {"1.5e+3", 10, 0, NUMBER_OK, "1500"},
    {"2.5", 10, 0, NUMBER_OK, "3"},
    {"-2.5", 10, 0, NUMBER_OK, "-3"},
    {"9.995", 3, 2, NUMBER_OVERFLOW, ""},
    {"9.994", 3, 2, NUMBER_OK, "9.99"},
    {"10", 3, 2, NUMBER_OVERFLOW, ""},
    {"0.99", 2, 2, NUMBER_OK, "0.99"},
    {"0.995", 2, 2, NUMBER_OVERFLOW, ""},
    {"12345678901234567890.5", 38, 10, NUMBER_OK, "12345678901234567890.5000000000"},
    {"99999999999999999999999999999999999999", 38, 0, NUMBER_OK,
     "99999999999999999999999999999999999999"},
    {"99999999999999999999999999999999999999.4", 38, 0, NUMBER_OK,
     "99999999999999999999999999999999999999"},
    {"99999999999999999999999999999999999999.5", 38, 0, NUMBER_OVERFLOW, ""},
    {"-99999999999999999999999999999999999999", 38, 0, NUMBER_OK,
     "-99999999999999999999999999999999999999"},
    {"100000000000000000000000000000000000000", 38, 0, NUMBER_OVERFLOW, ""},
    {".12345678901234567890123456789012345678", 38, 38, NUMBER_OK,
     "0.12345678901234567890123456789012345678"},
    {"1234567890123456789012345678e-28", 38, 10, NUMBER_OK, "0.1234567890"},
    {"00000000000000000000000000000000000000000000000.1", 3, 1, NUMBER_OK, "0.1"},
    {"0.10000000000000000000000000000000000000000000000", 3, 1, NUMBER_OK, "0.1"},
    {"1e38", 38, 0, NUMBER_OVERFLOW, ""},
    {"1e37", 38, 0, NUMBER_OK, "10000000000000000000000000000000000000"},
    {"1e-400", 38, 10, NUMBER_OK, "0.0000000000"},
    {"1e400", 38, 10, NUMBER_OVERFLOW, ""},
    {"1e99999999999999999999", 38, 10, NUMBER_OVERFLOW, ""},
    {"1e-99999999999999999999", 38, 1, NUMBER_OK, "0.0"},
    {"0e99999999999999999999", 38, 1, NUMBER_OK, "0.0"},
    {"123456789012345678901234567890e999999999", 38, 1, NUMBER_OVERFLOW, ""},
    {"123456789012345678901234567890e-999999999", 38, 1, NUMBER_OK, "0.0"},
    {"", 10, 2, NUMBER_SYNTAX, ""},
    {".", 10, 2, NUMBER_SYNTAX, ""},
    {"-", 10, 2, NUMBER_SYNTAX, ""},
    {"1.2.3", 10, 2, NUMBER_SYNTAX, ""},
    {"1e", 10, 2, NUMBER_SYNTAX, ""},
    {"1e+", 10, 2, NUMBER_SYNTAX, ""},
    {"1e1.5", 10, 2, NUMBER_SYNTAX, ""},
    {"e5", 10, 2, NUMBER_SYNTAX, ""},
    {"0x10", 10, 2, NUMBER_SYNTAX, ""},
    {"NaN", 10, 2, NUMBER_SYNTAX, ""},
    {"inf", 10, 2, NUMBER_SYNTAX, ""},
    {"1,5", 10, 2, NUMBER_SYNTAX, ""},
};

TEST(number_text_reads_and_prints_decimals_of_128_bits) {
    for (size_t i = 0; i < sizeof decimal_rows / sizeof *decimal_rows; i++) {
        const struct decimal_row *row = &decimal_rows[i];
        i128 value = 0;
        CHECK(number_parse_decimal128(text_of(row->input), row->precision, row->scale, &value) ==
              row->answer);
        char out[NUMBER_DECIMAL_SIZE_MAX];
        if (row->answer == NUMBER_OK) {
            CHECK(prints(out, number_print_decimal128(value, row->scale, out), row->printed));
        }
    }
}

TEST(number_text_reads_and_prints_decimals_of_256_bits) {
    for (size_t i = 0; i < sizeof decimal_rows / sizeof *decimal_rows; i++) {
        const struct decimal_row *row = &decimal_rows[i];
        i256 value = I256_ZERO;
        CHECK(number_parse_decimal256(text_of(row->input), row->precision, row->scale, &value) ==
              row->answer);
        char out[NUMBER_DECIMAL_SIZE_MAX];
        if (row->answer == NUMBER_OK) {
            CHECK(prints(out, number_print_decimal256(value, row->scale, out), row->printed));
        }
    }
    i256 value = I256_ZERO;
    char out[NUMBER_DECIMAL_SIZE_MAX];
    const char nines[] =
        "-9999999999999999999999999999999999999999999999999999999999999999999999999999";
    CHECK(number_parse_decimal256(text_of(nines), 76, 0, &value) == NUMBER_OK);
    CHECK(prints(out, number_print_decimal256(value, 0, out), nines));
    CHECK(number_parse_decimal256(TEXT("1e76"), 76, 0, &value) == NUMBER_OVERFLOW);
    CHECK(prints(out, number_print_decimal256(I256_MIN, 76, out),
                 "-5.78960446186580977117854925043439539266"
                 "34992332820282019728792003956564819968"));
    CHECK(prints(out, number_print_decimal256(i256_from_i64(-1), 76, out),
                 "-0.00000000000000000000000000000000000000"
                 "00000000000000000000000000000000000001"));
    CHECK(prints(out, number_print_decimal128(I128_MIN, 38, out),
                 "-1.70141183460469231731687303715884105728"));
    CHECK(prints(out, number_print_decimal128(I128_MIN, 76, out),
                 "-0.0000000000000000000000000000000000000"
                 "170141183460469231731687303715884105728"));
}

TEST(number_text_counts_the_digits_of_a_decimal) {
    static const struct {
        const char *input;
        int64_t whole, scale;
    } rows[] = {
        {"1.050", 1, 2},
        {" -0012.", 2, 0},
        {"+.5 ", 0, 1},
        {"0.00", 0, 0},
        {"1200", 4, 0},
        {"1.25e1", 2, 1},
        {"125e-5", 0, 5},
        {"1e3", 4, 0},
        {"0.000000000000000000000000000000000000000000012300", 0, 46},
        {"12345678901234567890123.5", 23, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t whole = -1;
        int64_t scale = -1;
        CHECK(number_decimal_digits(text_of(rows[i].input), &whole, &scale));
        CHECK(whole == rows[i].whole);
        CHECK(scale == rows[i].scale);
    }
    int64_t unused;
    CHECK(!number_decimal_digits(TEXT("."), &unused, &unused));
    CHECK(!number_decimal_digits(TEXT("NaN"), &unused, &unused));
    CHECK(!number_decimal_digits(TEXT("1.5x"), &unused, &unused));
}

TEST(number_text_decimals_of_256_bits_round_trip) {
    uint64_t seed = 5;
    for (int i = 0; i < 3000; i++) {
        i256 value = {
            {test_random(&seed), test_random(&seed), test_random(&seed), test_random(&seed)}};
        value = i256_shift_right(value, 3 + (uint32_t)(test_random(&seed) % 250));
        if (!i256_has_digits(value, 76)) {
            continue;
        }
        const uint32_t scale = (uint32_t)(test_random(&seed) % 77);
        char out[NUMBER_DECIMAL_SIZE_MAX];
        const text printed = {.data = out, .size = number_print_decimal256(value, scale, out)};
        i256 back = I256_ZERO;
        CHECK(number_parse_decimal256(printed, 76, scale, &back) == NUMBER_OK);
        CHECK(i256_equal(back, value));
    }
}

TEST(number_text_a_decimal_of_a_double_has_the_digits_that_are_shown) {
    const struct {
        double value;
        uint32_t precision;
        uint32_t scale;
        number_answer answer;
        const char *printed;
    } rows[] = {
        {1.005, 10, 2, NUMBER_OK, "1.01"},
        {-1.005, 10, 2, NUMBER_OK, "-1.01"},
        {0.1, 38, 20, NUMBER_OK, "0.10000000000000000000"},
        {0.1 + 0.2, 38, 20, NUMBER_OK, "0.30000000000000004000"},
        {1e22, 38, 0, NUMBER_OK, "10000000000000000000000"},
        {5e-324, 38, 10, NUMBER_OK, "0.0000000000"},
        {-0.0, 3, 1, NUMBER_OK, "0.0"},
        {99.95, 3, 1, NUMBER_OVERFLOW, ""},
        {1e300, 38, 0, NUMBER_OVERFLOW, ""},
        {__builtin_nan(""), 38, 0, NUMBER_OVERFLOW, ""},
        {-__builtin_inf(), 38, 0, NUMBER_OVERFLOW, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        i128 narrow = 0;
        i256 wide = I256_ZERO;
        char out[NUMBER_DECIMAL_SIZE_MAX];
        const uint32_t precision = rows[i].precision;
        const uint32_t scale = rows[i].scale;
        CHECK(number_decimal128_from_f64(rows[i].value, precision, scale, &narrow) ==
              rows[i].answer);
        CHECK(number_decimal256_from_f64(rows[i].value, precision, scale, &wide) == rows[i].answer);
        CHECK(i256_equal(wide, i256_from_i128(narrow)));
        if (rows[i].answer == NUMBER_OK) {
            CHECK(prints(out, number_print_decimal128(narrow, scale, out), rows[i].printed));
        }
    }
    i128 narrow = 0;
    i256 wide = I256_ZERO;
    CHECK(number_decimal128_from_f32(0.1F, 38, 20, &narrow) == NUMBER_OK);
    CHECK(narrow == i128_power_of_ten[19]);
    CHECK(number_decimal256_from_f32(-0.0F, 38, 20, &wide) == NUMBER_OK && i256_is_zero(wide));
    CHECK(number_decimal256_from_f32(3e38F, 38, 0, &wide) == NUMBER_OVERFLOW);
    CHECK(number_decimal128_from_f32(__builtin_inff(), 38, 0, &narrow) == NUMBER_OVERFLOW);
}

TEST(number_text_a_double_of_a_decimal_is_the_nearest) {
    CHECK(number_decimal128_to_f64(1, 1) == 0.1 && number_decimal128_to_f64(-15, 1) == -1.5);
    CHECK(number_decimal128_to_f64(0, 38) == 0);
    CHECK(number_decimal128_to_f64((i128)UINT64_MAX, 0) == 0x1p64);
    CHECK(number_decimal128_to_f64(I128_MIN, 0) == -0x1p127);
    CHECK(number_decimal128_to_f64(i128_power_of_ten[38], 38) == 1);
    CHECK(number_decimal128_to_f64(i128_power_of_ten[38] / 3, 38) == 1.0 / 3);
    CHECK(number_decimal256_to_f64(i256_power_of_ten[76], 76) == 1);
    CHECK(number_decimal256_to_f64(I256_MIN, 0) == -0x1p255);
}
