#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number_text.h"
#include "base/number_text_private.h"
#include "base/test.h"

#define ROUNDS 40000

static uint64_t bits_f64(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint32_t bits_f32(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double f64_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float f32_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// Compares both parsers with the C library's, which rounds correctly.
static bool agrees_with_strtod(const char *input) {
    double value = 0;
    float narrow = 0;
    const number_answer answer = number_parse_f64(text_of(input), &value);
    const number_answer narrow_answer = number_parse_f32(text_of(input), &narrow);
    const double expected = strtod(input, NULL);
    const float expected_narrow = strtof(input, NULL);
    const bool is_right = bits_f64(value) == bits_f64(expected) &&
                          bits_f32(narrow) == bits_f32(expected_narrow) &&
                          answer == (isinf(expected) ? NUMBER_OVERFLOW : NUMBER_OK) &&
                          narrow_answer == (isinf(expected_narrow) ? NUMBER_OVERFLOW : NUMBER_OK);
    if (!is_right) {
        (void)fprintf(stderr, "\"%s\" is read as %a, %a\n", input, value, (double)narrow);
    }
    return is_right;
}

TEST(number_text_reads_doubles_as_strtod_does) {
    static const char *const inputs[] = {
        "0",
        "-0",
        "0.0e5",
        "1",
        "-1.5",
        ".5",
        "5.",
        "1e5",
        "1E+5",
        "1e-5",
        "123456789.123456789",
        "9007199254740993",
        "9007199254740991",
        "9007199254740992.5",
        "18446744073709551615",
        "18446744073709551616",
        "1e22",
        "1e23",
        "8.5e22",
        "1e308",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "1.8e308",
        "1e309",
        "1e400",
        "-1e400",
        "4.9406564584124654e-324",
        "2.4703282292062328e-324",
        "2.4703282292062327e-324",
        "1e-324",
        "1e-400",
        "2.2250738585072014e-308",
        "2.2250738585072011e-308",
        "2.225073858507201e-308",
        "1e-45",
        "7e-46",
        "7.1e-46",
        "3.4028235e38",
        "3.4028236e38",
        "3.40282357e38",
        "1e-10000",
        "1.17549435e-38",
        "1.1754942e-38",
        "5e-1",
        "1e99999999999999999999",
        "0e99999999999999999",
        "0.000000000000000000000000000000000000000000000000000000000000000000000000000000001e80",
        "10000000000000000000000000000000000000000000000000000000000000000000000000000000000e-80",
        "16777217",
        "16777216.999999999",
        "16777217.0000000000000000000000000000000000001",
        "9007199254740993.00000000000000000000000000000000000000000000000000000000000001",
        "9007199254740992.99999999999999999999999999999999999999999999999999999999999999"};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        CHECK(agrees_with_strtod(inputs[i]));
    }
}

TEST(number_text_reads_random_digits_at_every_exponent_as_strtod_does) {
    uint64_t seed = 6;
    for (int power = -370; power <= 330; power++) {
        for (int i = 0; i < ROUNDS / 700; i++) {
            char input[64];
            const uint64_t digits = test_random(&seed) >> (test_random(&seed) % 60);
            (void)snprintf(input, sizeof input, "%llue%d", (unsigned long long)digits, power);
            CHECK(agrees_with_strtod(input));
        }
    }
}

TEST(number_text_reads_more_digits_than_64_bits_hold_as_strtod_does) {
    uint64_t seed = 7;
    for (int i = 0; i < ROUNDS / 8; i++) {
        char input[1100];
        size_t size = 0;
        const size_t count = 20 + (size_t)(test_random(&seed) % (i % 20 == 0 ? 1000 : 40));
        const size_t point = (size_t)(test_random(&seed) % count);
        const char repeated = test_random(&seed) % 2 == 0 ? '0' : '9';
        for (size_t digit = 0; digit < count; digit++) {
            if (digit == point) {
                input[size++] = '.';
            }
            input[size++] = digit > 17 && digit + 1 < count && i % 3 == 0
                                ? repeated
                                : (char)('0' + test_random(&seed) % 10);
        }
        (void)snprintf(input + size, sizeof input - size, "e%d",
                       (int)(test_random(&seed) % 700) - 360);
        CHECK(agrees_with_strtod(input));
    }
}

// All digits of the number half way between two doubles (or floats), and its neighbours in text.
TEST(number_text_settles_halves_with_all_their_digits) {
    uint64_t seed = 8;
    for (int i = 0; i < ROUNDS / 40; i++) {
        const uint64_t bits = test_random(&seed) % (UINT64_C(0x7fe) << 52);
        // x87 has the bit more that a half needs; where there is none, floats are tested all the
        // same.
        const long double half =
            i % 2 == 0 ? ((long double)f64_of(bits) + (long double)f64_of(bits + 1)) / 2
                       : ((long double)f32_of((uint32_t)(bits % 0x7f7fffff)) +
                          (long double)f32_of((uint32_t)(bits % 0x7f7fffff) + 1)) /
                             2;
        char input[1600];
        (void)snprintf(input, sizeof input, "%.1100Le", half);
        CHECK(agrees_with_strtod(input));
        char *mark = strchr(input, 'e');
        REQUIRE(mark != NULL);
        mark[-1] = '1'; // A little more, far behind the digits that decide.
        CHECK(agrees_with_strtod(input));
    }
    // The smallest half there is, and the one with the most digits.
    char input[1600];
    (void)snprintf(input, sizeof input, "%.1100Le", (long double)0x1p-1074 / 2);
    CHECK(agrees_with_strtod(input));
    (void)snprintf(input, sizeof input, "%.1100Le", (long double)0x1.fffffffffffff8p-1023L);
    CHECK(agrees_with_strtod(input));
}

TEST(number_text_reads_any_spelling_of_infinity_and_nan) {
    static const char *const infinities[] = {"inf", "Infinity", "INF", " +inf ", "+INFINITY"};
    double value = 0;
    float narrow = 0;
    for (size_t i = 0; i < sizeof infinities / sizeof *infinities; i++) {
        CHECK(number_parse_f64(text_of(infinities[i]), &value) == NUMBER_OK && value == HUGE_VAL);
        CHECK(number_parse_f32(text_of(infinities[i]), &narrow) == NUMBER_OK && isinf(narrow));
    }
    CHECK(number_parse_f64(TEXT("-iNf"), &value) == NUMBER_OK && value == -HUGE_VAL);
    CHECK(number_parse_f32(TEXT("-Infinity"), &narrow) == NUMBER_OK && narrow < 0);
    CHECK(number_parse_f64(TEXT("nan"), &value) == NUMBER_OK && isnan(value));
    CHECK(number_parse_f64(TEXT("-NaN"), &value) == NUMBER_OK && isnan(value));
    CHECK(number_parse_f32(TEXT(" NAN"), &narrow) == NUMBER_OK && isnan(narrow));
    static const char *const wrong[] = {"",    " ",    "-",     "infi", "nan1",   "1.2.3", "1e",
                                        "0x1", "1e+",  "1 2",   "1f",   "- 1",    "++1",   "1e5.0",
                                        ".",   "-.e1", "1_000", "1d",   "inf inf"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK(number_parse_f64(text_of(wrong[i]), &value) == NUMBER_SYNTAX);
        CHECK(number_parse_f32(text_of(wrong[i]), &narrow) == NUMBER_SYNTAX);
    }
}

static bool prints_f64(double value, number_style style, const char *expected) {
    char out[NUMBER_F64_SIZE_MAX];
    const size_t size = number_print_f64(value, style, out);
    const bool is_right = size == strlen(expected) && memcmp(out, expected, size) == 0;
    if (!is_right) {
        (void)fprintf(stderr, "%a is printed \"%.*s\"\n", value, (int)size, out);
    }
    return is_right;
}

TEST(number_text_prints_doubles_in_the_form_of_sql) {
    const struct {
        double value;
        const char *printed;
    } rows[] = {
        {0, "0.0"},
        {-0.0, "-0.0"},
        {1, "1.0"},
        {-1, "-1.0"},
        {10, "10.0"},
        {0.1, "0.1"},
        {1.5, "1.5"},
        {100, "100.0"},
        {123456789012345, "123456789012345.0"},
        {9007199254740992, "9007199254740992.0"},
        {9999999999999998.0, "9999999999999998.0"},
        {1e15, "1000000000000000.0"},
        {1e16, "1e+16"},
        {1.5e16, "1.5e+16"},
        {1e20, "1e+20"},
        {1e100, "1e+100"},
        {1.25e-100, "1.25e-100"},
        {0.001, "0.001"},
        {0.0001, "0.0001"},
        {0.00012345678901234567, "0.00012345678901234567"},
        {0.00009999, "9.999e-05"},
        {1.5e-7, "1.5e-07"},
        {0.3, "0.3"},
        {0.1 + 0.2, "0.30000000000000004"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {-2.2250738585072014e-308, "-2.2250738585072014e-308"},
        {1e23, "1e+23"},
        {9.5367431640625e-7, "9.5367431640625e-07"},
        {2e-323, "2e-323"},
        {4.35, "4.35"},
        {9007199254740992e3, "9.007199254740992e+18"},
        {2251799813685248.5, "2251799813685248.5"},
        {0.5, "0.5"},
        {1.0 / 3, "0.3333333333333333"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK(prints_f64(rows[i].value, NUMBER_SQL, rows[i].printed));
        CHECK(prints_f64(rows[i].value, NUMBER_JSON, rows[i].printed));
    }
    CHECK(prints_f64(HUGE_VAL, NUMBER_SQL, "inf") && prints_f64(-HUGE_VAL, NUMBER_SQL, "-inf"));
    CHECK(prints_f64(HUGE_VAL, NUMBER_JSON, "Infinity"));
    CHECK(prints_f64(-HUGE_VAL, NUMBER_JSON, "-Infinity"));
    CHECK(prints_f64(-f64_of(UINT64_C(0x7ff8) << 48), NUMBER_SQL, "NaN"));
    CHECK(prints_f64(f64_of(UINT64_C(0x7ff8) << 48), NUMBER_JSON, "NaN"));
}

TEST(number_text_prints_floats_with_their_own_digits) {
    const struct {
        float value;
        const char *printed;
    } rows[] = {
        {0.1F, "0.1"},
        {-0.0F, "-0.0"},
        {16777216.0F, "16777216.0"},
        {1e10F, "10000000000.0"},
        {1e16F, "1e+16"},
        {3.4028235e38F, "3.4028235e+38"},
        {1e-45F, "1e-45"},
        {1.17549435e-38F, "1.1754944e-38"},
        {-2.5F, "-2.5"},
        {0.3F, "0.3"},
        {1e-5F, "1e-05"},
        {33554432.0F, "33554432.0"},
        {8.5899346e9F, "8589935000.0"},
        {HUGE_VALF, "inf"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[NUMBER_F64_SIZE_MAX];
        const size_t size = number_print_f32(rows[i].value, NUMBER_SQL, out);
        CHECK(size == strlen(rows[i].printed) && memcmp(out, rows[i].printed, size) == 0);
    }
}

static bool reads_back(const char *input, double value, bool is_narrow) {
    return is_narrow ? strtof(input, NULL) == (float)value : strtod(input, NULL) == value;
}

// The fewest digits by trying one more each time. Of each length the nearest is tried, and the one
// above it: above a power of two there is more room than below.
static number_shortest plain_shortest(double value, bool is_narrow) {
    for (int precision = 0; precision < 17; precision++) {
        char out[64];
        number_scan scan;
        (void)snprintf(out, sizeof out, "%.*e", precision, value);
        CHECK(number_scan_text(text_of(out), &scan));
        if (!reads_back(out, value, is_narrow)) {
            scan.mantissa += 1;
            (void)snprintf(out, sizeof out, "%llue%d", (unsigned long long)scan.mantissa,
                           (int)scan.exponent);
        }
        if (reads_back(out, value, is_narrow)) {
            while (scan.mantissa % 10 == 0) {
                scan.mantissa /= 10;
                scan.exponent += 1;
            }
            return (number_shortest){.digits = scan.mantissa, .exponent = (int32_t)scan.exponent};
        }
    }
    return (number_shortest){0};
}

static bool same_shortest(number_shortest left, number_shortest right) {
    return left.digits == right.digits && left.exponent == right.exponent;
}

TEST(number_text_prints_the_shortest_digits_of_random_doubles) {
    uint64_t seed = 9;
    for (int i = 0; i < ROUNDS / 4; i++) {
        uint64_t bits = test_random(&seed) % (UINT64_C(0x7ff) << 52);
        bits &= i % 8 == 0 ? ~(UINT64_MAX >> 12) : UINT64_MAX; // Now and then a power of two.
        const double value = bits == 0 ? 1 : f64_of(bits);
        const number_shortest found = number_shortest_f64(value);
        const number_shortest plain = plain_shortest(value, false);
        CHECK(same_shortest(found, plain));
        char out[NUMBER_F64_SIZE_MAX];
        const size_t size = number_print_f64(-value, NUMBER_SQL, out);
        double back = 0;
        CHECK(number_parse_f64((text){.data = out, .size = size}, &back) == NUMBER_OK);
        CHECK(bits_f64(back) == bits_f64(-value));
    }
}

TEST(number_text_prints_the_shortest_digits_of_random_floats) {
    uint64_t seed = 10;
    for (int i = 0; i < ROUNDS / 4; i++) {
        uint32_t bits = (uint32_t)(test_random(&seed) % 0x7f800000);
        bits &= i % 8 == 0 ? ~(UINT32_MAX >> 9) : UINT32_MAX;
        const float value = bits == 0 ? 1 : f32_of(bits);
        CHECK(same_shortest(number_shortest_f32(value), plain_shortest((double)value, true)));
        char out[NUMBER_F64_SIZE_MAX];
        const size_t size = number_print_f32(-value, NUMBER_SQL, out);
        float back = 0;
        CHECK(number_parse_f32((text){.data = out, .size = size}, &back) == NUMBER_OK);
        CHECK(bits_f32(back) == bits_f32(-value));
    }
}
