#include "base/distinct_sketch.h"

#include <string.h>

#include "base/test.h"

static int64_t count_values(uint64_t first, uint64_t count, uint32_t times) {
    uint8_t registers[DISTINCT_SKETCH_SIZE] = {0};
    for (uint32_t again = 0; again < times; again++) {
        for (uint64_t i = 0; i < count; i++) {
            distinct_sketch_put(registers, distinct_sketch_mix(first + i));
        }
    }
    return distinct_sketch_estimate(registers);
}

TEST(distinct_sketch_is_near_whatever_the_count) {
    CHECK(count_values(0, 0, 1) == 0);
    for (uint64_t count = 1; count <= 1000000; count *= 10) {
        const int64_t found = count_values(count * 7, count, 2);
        const double error = ((double)found - (double)count) / (double)count;
        CHECK(error > -0.065 && error < 0.065); // Four standard errors.
    }
}

TEST(distinct_sketch_of_any_registers_is_a_number) {
    uint8_t registers[DISTINCT_SKETCH_SIZE];
    memset(registers, 255, sizeof registers);
    CHECK(distinct_sketch_estimate(registers) == INT64_MAX);
    memset(registers, 1, sizeof registers);
    CHECK(distinct_sketch_estimate(registers) > 0);
}
