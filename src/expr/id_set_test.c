#include "expr/id_set.h"

#include "base/test.h"

static void add(id_set *set, const uint32_t *ids, uint32_t count) {
    firn_error err = ERR_INIT;
    for (uint32_t i = 0; i < count; i++) {
        CHECK(id_set_add(set, ids[i], &err) == FIRN_OK);
    }
}

TEST(id_set_hands_out_its_ids_in_rising_order) {
    arena memory = arena_open(1 << 20);
    id_set set = id_set_open(&memory);
    CHECK(id_set_is_empty(&set));
    const uint32_t ids[] = {1000, 3, 0, 63, 64, 3, 255, 256};
    add(&set, ids, 8);
    const uint32_t expected[] = {0, 3, 63, 64, 255, 256, 1000};
    uint32_t at = 0;
    for (uint32_t id = 0; id_set_next(&set, &id); id++) {
        REQUIRE(at < 7);
        CHECK(id == expected[at++]);
        CHECK(id_set_has(&set, id));
    }
    CHECK(at == 7);
    CHECK(id_set_count(&set) == 7);
    CHECK(!id_set_has(&set, 4));
    CHECK(!id_set_has(&set, 100000));
    arena_close(&memory);
}

TEST(id_set_compares_sets_of_different_size) {
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    id_set small = id_set_open(&memory);
    id_set large = id_set_open(&memory);
    const uint32_t few[] = {1, 2};
    const uint32_t many[] = {1, 2, 900};
    add(&small, few, 2);
    add(&large, many, 3);
    CHECK(id_set_contains(&large, &small));
    CHECK(!id_set_contains(&small, &large));
    CHECK(id_set_intersects(&small, &large));
    id_set_remove_all(&large, &small);
    CHECK(!id_set_intersects(&small, &large));
    CHECK(id_set_count(&large) == 1);
    CHECK(id_set_add_all(&small, &large, &err) == FIRN_OK);
    CHECK(id_set_has(&small, 900) && id_set_count(&small) == 3);
    arena_close(&memory);
}

TEST(id_set_says_when_its_arena_is_full) {
    arena memory = arena_open(64);
    firn_error err = ERR_INIT;
    id_set set = id_set_open(&memory);
    CHECK(id_set_add(&set, 1 << 20, &err) == FIRN_NO_MEMORY);
    arena_close(&memory);
}
