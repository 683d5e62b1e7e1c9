#include "expr/row_scope.h"

#include "base/test.h"

#define DEPTH 300

TEST(scope_is_within_all_around_it_and_no_other) {
    static const uint64_t bits[1] = {UINT64_MAX};
    arena memory = arena_open(1 << 20);
    static row_scope scopes[DEPTH];
    scopes[0] = (row_scope){.serial = 1, .length = 64, .count = 64};
    for (uint32_t i = 1; i < DEPTH; i++) { // Odd numbers only.
        REQUIRE(scope_narrow(&scopes[i - 1], bits, true, 2 * i + 1, &memory, &scopes[i]));
        CHECK(scopes[i].outer == &scopes[i - 1] && scopes[i].depth == i);
    }
    for (uint32_t i = 0; i < DEPTH; i++) {
        for (uint64_t serial = 0; serial < 2 * DEPTH + 2; serial++) {
            CHECK(scope_is_within(&scopes[i], serial) == (serial % 2 == 1 && serial <= 2 * i + 1));
        }
    }
    arena_close(&memory);
}

TEST(scope_reaches_the_outermost_in_few_steps) {
    static const uint64_t bits[1] = {UINT64_MAX};
    arena memory = arena_open(1 << 20);
    static row_scope scopes[DEPTH];
    scopes[0] = (row_scope){.serial = 1, .length = 64, .count = 64};
    for (uint32_t i = 1; i < DEPTH; i++) {
        REQUIRE(scope_narrow(&scopes[i - 1], bits, true, i + 1, &memory, &scopes[i]));
        uint32_t step_count = 0;
        for (const row_scope *at = &scopes[i]; at != &scopes[0]; step_count++) {
            at = at->jump;
        }
        CHECK(step_count <= 17); // Twice the logarithm.
    }
    arena_close(&memory);
}
