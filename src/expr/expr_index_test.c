#include "expr/expr_index.h"

#include "base/test.h"

#define COUNT 2000

static expr *number_of(arena *memory, uint32_t number) {
    return expr_column(memory, number, TEXT("c"), TYPE_OF(BIGINT));
}

TEST(expr_index_finds_the_first_that_is_equal) {
    arena memory = arena_open(1 << 22);
    firn_error err = ERR_INIT;
    expr_index self = {0};
    CHECK(expr_index_find(&self, number_of(&memory, 0)) == NO_EXPR);
    for (uint32_t i = 0; i < COUNT; i++) {
        CHECK(self.count == i);
        CHECK(expr_index_find(&self, number_of(&memory, i % 1500)) ==
              (i < 1500 ? NO_EXPR : i % 1500));
        CHECK(expr_index_add(&self, number_of(&memory, i % 1500), &memory, &err) == FIRN_OK);
    }
    for (uint32_t i = 0; i < 1500; i++) {
        CHECK(expr_index_find(&self, number_of(&memory, i)) == i);
    }
    CHECK(expr_index_find(&self, number_of(&memory, 1500)) == NO_EXPR);
    arena_close(&memory);
}

TEST(expr_index_says_when_its_arena_is_full) {
    arena memory = arena_open(1 << 20);
    arena small = arena_open(64);
    firn_error err = ERR_INIT;
    expr_index self = {0};
    CHECK(expr_index_add(&self, number_of(&memory, 1), &small, &err) == FIRN_NO_MEMORY);
    CHECK(expr_index_find(&self, number_of(&memory, 1)) == NO_EXPR);
    arena_close(&memory);
}
