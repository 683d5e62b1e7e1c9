#include "memory/arena_grow.h"

#include "base/test.h"

TEST(arena_grows_what_is_added_to) {
    arena scratch = arena_open((size_t)1 << 20);
    uint32_t *items = NULL;
    uint32_t capacity = 0;
    for (uint32_t count = 0; count < 1000; count++) {
        const uint32_t before = capacity;
        uint32_t *grown = ARENA_GROW(&scratch, uint32_t, items, count, 1, &capacity);
        REQUIRE(grown != NULL && capacity > count);
        CHECK(count < before ? grown == items : capacity >= before * 2);
        items = grown;
        items[count] = count * 3;
    }
    for (uint32_t i = 0; i < 1000; i++) {
        CHECK(items[i] == i * 3);
    }
    uint32_t *many = ARENA_GROW(&scratch, uint32_t, items, 1000, 5000, &capacity);
    REQUIRE(many != NULL && capacity >= 6000);
    CHECK(many[999] == 2997);
    CHECK(ARENA_GROW(&scratch, uint32_t, many, 1000, 1000000, &capacity) == NULL);
    CHECK(ARENA_GROW(&scratch, uint32_t, many, 1000, UINT32_MAX, &capacity) == NULL);
    CHECK(capacity < 1000000 && many[999] == 2997);
    arena_close(&scratch);
}
