#include "exec/join/join_testing.h"

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

TEST(joins_agree_across_batch_borders_and_for_empty_sides) {
    const uint32_t sizes[][2] = {{0, 0},   {0, 50},  {50, 0},  {1, 1},    {16, 16},   {17, 15},
                                 {100, 1}, {1, 100}, {33, 64}, {300, 10}, {10, 3000}, {3000, 10}};
    for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        join_test each = usual;
        each.left_count = sizes[i][0];
        each.right_count = sizes[i][1];
        each.keys = i % 2 == 0 ? TEST_KEYS_DENSE : TEST_KEYS_TEXT;
        each.domain = 20 + sizes[i][1] / 4;
        REQUIRE(run_all(&each, i));
    }
}

TEST(joins_find_each_key_once_or_never_in_large_sides) {
    const join_test_keys keys[] = {TEST_KEYS_DENSE, TEST_KEYS_WIDE, TEST_KEYS_TWO};
    for (uint32_t i = 0; i < 3; i++) {
        join_test each = usual;
        each.keys = keys[i];
        each.left_count = 3000;
        each.right_count = 500;
        each.domain = 2500;
        each.batch_rows = 2048;
        each.null_each = i == 0 ? 0 : 50;
        each.is_pruned = i == 1;
        REQUIRE(run_all(&each, i));
    }
}

TEST(joins_follow_one_key_of_many_rows) {
    join_test each = usual;
    each.left_count = 10;
    each.right_count = 5000;
    each.domain = 2;
    each.batch_rows = 2048;
    for (uint32_t i = 0; i < 2; i++) {
        each.keys = i == 0 ? TEST_KEYS_DENSE : TEST_KEYS_WIDE;
        each.residual = TEST_RESIDUAL_LESS;
        REQUIRE(run_all(&each, i));
    }
}

// Chains are so long that their rows are kept in order: of one key each, and, of hashed doubles,
// some that NaN and both zeros share.
TEST(joins_look_among_the_rows_of_a_key_in_order) {
    const uint32_t modes[] = {0, 0, TEST_MODE_TINY, TEST_MODE_SPILL};
    for (uint32_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        const uint32_t step = i == 0 ? 1 : 2;
        for (uint32_t keys = TEST_KEYS_DENSE; keys < TEST_KEYS_COUNT; keys += step) {
            for (uint32_t residual = 0; residual < TEST_RESIDUAL_COUNT; residual += step) {
                join_test each = usual;
                each.keys = (join_test_keys)keys;
                each.residual = (join_test_residual)residual;
                each.left_count = 8;
                each.right_count = 100;
                each.domain = 2;
                each.modes = modes[i];
                each.batch_rows = i == 0 ? 2048 : 7;
                each.threads = i == 1 ? 3 : 1;
                each.parts = i == 1 ? 4 : 0;
                REQUIRE(run_all(&each, i * 1000 + keys * 100 + residual));
            }
        }
    }
}

TEST(joins_agree_in_all_test_modes_and_with_several_workers) {
    const uint32_t modes[] = {0, TEST_MODE_TINY, TEST_MODE_TINY | TEST_MODE_WAIT,
                              TEST_MODE_TINY | TEST_MODE_ORDER, TEST_MODE_TINY | TEST_MODE_SPILL};
    for (uint32_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        for (uint32_t keys = TEST_KEYS_NONE; keys < TEST_KEYS_COUNT; keys += 2) {
            join_test each = usual;
            each.modes = modes[i];
            each.keys = (join_test_keys)keys;
            each.parts = 4;
            each.left_count = 40;
            each.right_count = 24;
            each.domain = 15;
            each.threads = (modes[i] & TEST_MODE_ORDER) != 0 ? 1 : 3;
            each.batch_rows = (modes[i] & TEST_MODE_TINY) != 0 ? 3 : 64;
            each.residual = keys == TEST_KEYS_TEXT ? TEST_RESIDUAL_NULL : TEST_RESIDUAL_NONE;
            REQUIRE(run_all(&each, i * 10 + keys));
        }
    }
}

TEST(joins_publish_dynamic_filters_that_drop_only_what_has_no_partner) {
    const join_kind kinds[] = {JOIN_INNER, JOIN_RIGHT, JOIN_SEMI, JOIN_RIGHT_SEMI, JOIN_RIGHT_ANTI};
    for (uint32_t keys = TEST_KEYS_DENSE; keys < TEST_KEYS_COUNT; keys++) {
        for (uint32_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
            for (uint32_t null_equal = 0; null_equal < 2; null_equal++) {
                join_test each = usual;
                each.keys = (join_test_keys)keys;
                each.kind = kinds[i];
                each.has_slots = true;
                each.null_equal[0] = null_equal == 1;
                each.right_count = i == 1 ? 0 : 40;
                each.left_count = 500;
                each.domain = 300;
                REQUIRE(join_test_run(&each, keys * 10 + i, NULL));
            }
        }
    }
}

// What a test says of itself in EXPLAIN ANALYZE.
static bool run_reported(const join_test *test, uint64_t seed, const char *words) {
    arena memory = arena_open(SIZE_MAX);
    text_builder report = text_builder_open(&memory);
    bool is_right = join_test_run(test, seed, &report);
    const text said = {.data = report.data, .size = report.size};
    if (is_right && words[0] != 0 && text_find(said, text_of(words)) == said.size) {
        fprintf(stderr, "no \"%s\" in \"%.*s\"\n", words, (int)said.size, said.data);
        is_right = false;
    }
    arena_close(&memory);
    return is_right;
}

TEST(joins_past_their_memory_go_through_the_spill_file) {
    for (uint32_t kind = 0; kind < KIND_COUNT; kind++) {
        for (uint32_t aware = 0; aware < 2; aware++) {
            join_test each = usual;
            each.kind = all_kinds[kind];
            each.keys = TEST_KEYS_WIDE;
            each.null_aware = aware == 1;
            if (each.null_aware && each.kind != JOIN_ANTI && each.kind != JOIN_MARK) {
                continue;
            }
            each.left_count = 800;
            each.right_count = 16000;
            each.domain = 30000;
            each.null_each = each.null_aware ? 3000 : 50;
            each.padding = 900;
            each.memory_limit = (uint64_t)12 << 20;
            each.batch_rows = 2048;
            each.parts = 4;
            each.threads = 2;
            const bool needs_payload = each.kind != JOIN_SINGLE && each.kind != JOIN_SEMI &&
                                       each.kind != JOIN_ANTI && each.kind != JOIN_MARK;
            REQUIRE(run_reported(&each, kind, needs_payload ? "spilled_partitions" : ""));
        }
    }
}

TEST(joins_that_need_no_rows_make_bits_of_those_in_the_file) {
    const join_kind kinds[] = {JOIN_SEMI, JOIN_ANTI, JOIN_MARK};
    for (uint32_t i = 0; i < 6; i++) {
        join_test each = usual;
        each.kind = kinds[i / 2];
        each.keys = TEST_KEYS_DENSE;
        each.null_aware = i % 2 == 1 && each.kind != JOIN_SEMI;
        each.has_slots = i == 1;
        each.left_count = 100;
        each.right_count = 150000;
        each.domain = 400000;
        each.null_each = 0;
        each.is_pruned = true;
        each.memory_limit = (uint64_t)4 << 20;
        each.batch_rows = 2048;
        each.parts = 4;
        each.threads = 2;
        REQUIRE(run_reported(&each, i, "lookup=bitmap read_back="));
    }
}

TEST(joins_whose_keys_are_few_go_block_by_block) {
    for (uint32_t kind = 0; kind < KIND_COUNT; kind++) {
        for (uint32_t domain = 1; domain < 3; domain++) {
            join_test each = usual;
            each.kind = all_kinds[kind];
            each.keys = TEST_KEYS_WIDE;
            each.left_count = 2;
            each.right_count = 16000;
            each.domain = domain;
            each.null_each = 0;
            each.residual = domain == 1 ? TEST_RESIDUAL_NULL : TEST_RESIDUAL_NONE;
            each.padding = 900;
            each.memory_limit = (uint64_t)12 << 20;
            each.batch_rows = 256;
            each.parts = 4;
            each.threads = 2 * domain;
            REQUIRE(run_reported(&each, kind, each.kind == JOIN_INNER ? "blocks" : ""));
        }
    }
}
