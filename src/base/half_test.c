#include "base/half.h"

#include <math.h>

#include "base/test.h"

TEST(half_every_value_survives_as_a_float) {
    for (uint32_t half = 0; half < 65536; half++) {
        const float value = half_to_float((uint16_t)half);
        if (isnan(value)) {
            CHECK((half & 0x7c00) == 0x7c00 && (half & 0x3ff) != 0);
            CHECK(isnan(half_to_float(half_of_float(value))));
            continue;
        }
        REQUIRE(half_of_float(value) == half);
        // The definition: fraction and exponent.
        const int exponent = (int)(half >> 10 & 0x1f);
        const double fraction = half & 0x3ff;
        double expected =
            exponent == 0 ? ldexp(fraction, -24) : ldexp(fraction + 1024, exponent - 25);
        expected = exponent == 0x1f ? (double)INFINITY : expected;
        REQUIRE((double)value == ((half & 0x8000) != 0 ? -expected : expected));
    }
}

TEST(half_rounds_to_the_nearest_and_ties_to_even) {
    for (uint32_t half = 0; half < 0x7bff; half++) {
        const float low = half_to_float((uint16_t)half);
        const float high = half_to_float((uint16_t)(half + 1));
        const float middle = (low + high) / 2;
        REQUIRE(half_of_float(middle) == ((half & 1) == 0 ? half : half + 1));
        REQUIRE(half_of_float(nextafterf(middle, 0.0F)) == half);
        REQUIRE(half_of_float(nextafterf(middle, 1e9F)) == half + 1);
    }
    CHECK(half_of_float(65519.0F) == 0x7bff);
    CHECK(half_of_float(65520.0F) == 0x7c00);
    CHECK(half_of_float(-1e30F) == 0xfc00);
    CHECK(half_of_float(1e-30F) == 0);
}
