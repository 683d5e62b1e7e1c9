#include "exec/join_testing.h"

static const join_kind all_kinds[] = {JOIN_INNER,      JOIN_LEFT,      JOIN_RIGHT, JOIN_FULL,
                                      JOIN_SEMI,       JOIN_ANTI,      JOIN_MARK,  JOIN_SINGLE,
                                      JOIN_RIGHT_SEMI, JOIN_RIGHT_ANTI};
#define KIND_COUNT (sizeof all_kinds / sizeof all_kinds[0])

static const join_test usual = {.keys = TEST_KEYS_DENSE,
                                .left_count = 60,
                                .right_count = 40,
                                .domain = 30,
                                .null_each = 6,
                                .threads = 1,
                                .batch_rows = 16,
                                .padding = 8};

// All kinds, keys, residuals and ways to see NULL of a test.
static bool run_all(const join_test *base, uint64_t seed) {
    for (uint32_t kind = 0; kind < KIND_COUNT; kind++) {
        for (uint32_t bits = 0; bits < 8; bits++) {
            join_test each = *base;
            each.kind = all_kinds[kind];
            each.null_equal[0] = (bits & 1) != 0;
            each.null_equal[1] = (bits & 2) != 0;
            each.null_aware = (bits & 4) != 0;
            const bool may_be_aware = each.kind == JOIN_ANTI || each.kind == JOIN_MARK;
            if ((each.null_aware && !may_be_aware) ||
                (each.null_equal[1] && base->keys != TEST_KEYS_TWO)) {
                continue;
            }
            if (!join_test_run(&each, seed + bits, NULL)) {
                return false;
            }
        }
    }
    return true;
}

TEST(joins_of_all_kinds_agree_with_the_plainest_code) {
    for (uint32_t keys = TEST_KEYS_DENSE; keys < TEST_KEYS_COUNT; keys++) {
        for (uint32_t residual = 0; residual < TEST_RESIDUAL_COUNT; residual++) {
            join_test each = usual;
            each.keys = (join_test_keys)keys;
            each.residual = (join_test_residual)residual;
            REQUIRE(run_all(&each, keys * 100 + residual));
        }
    }
}

TEST(joins_without_keys_agree_with_the_plainest_code) {
    const uint32_t sizes[][2] = {{60, 40}, {5, 70}, {70, 3}, {40, 1}, {0, 7}, {7, 0}};
    for (uint32_t residual = 0; residual < TEST_RESIDUAL_COUNT; residual++) {
        for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            join_test each = usual;
            each.keys = TEST_KEYS_NONE;
            each.residual = (join_test_residual)residual;
            each.left_count = sizes[i][0];
            each.right_count = sizes[i][1];
            REQUIRE(run_all(&each, residual * 10 + i));
        }
    }
}
