#include "expr/id_set.h"

#include <string.h>

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

// Against an array of flags: sets that grow on both sides, and far apart.
TEST(id_set_is_a_set_wherever_its_ids_lie) {
    enum { ID_MAX = 5000 };
    uint64_t seed = 11;
    firn_error err = ERR_INIT;
    for (uint32_t round = 0; round < 200; round++) {
        arena memory = arena_open(1 << 20);
        id_set sets[2] = {id_set_open(&memory), id_set_open(&memory)};
        static bool flags[2][ID_MAX];
        memset(flags, 0, sizeof flags);
        for (uint32_t which = 0; which < 2; which++) {
            const uint32_t middle = (uint32_t)(test_random(&seed) % ID_MAX);
            const uint32_t width = 1 + (uint32_t)(test_random(&seed) % 700);
            for (uint32_t count = round % 40; count > 0; count--) {
                const uint32_t id = (middle + (uint32_t)(test_random(&seed) % width)) % ID_MAX;
                CHECK(id_set_add(&sets[which], id, &err) == FIRN_OK);
                flags[which][id] = true;
            }
        }
        bool contains = true;
        bool intersects = false;
        for (uint32_t id = 0; id < ID_MAX; id++) {
            CHECK(id_set_has(&sets[0], id) == flags[0][id]);
            contains &= flags[0][id] || !flags[1][id];
            intersects |= flags[0][id] && flags[1][id];
        }
        CHECK(id_set_contains(&sets[0], &sets[1]) == contains);
        CHECK(id_set_intersects(&sets[0], &sets[1]) == intersects);
        id_set both = id_set_open(&memory);
        CHECK(id_set_add_all(&both, &sets[0], &err) == FIRN_OK);
        CHECK(id_set_add_all(&both, &sets[1], &err) == FIRN_OK);
        uint32_t next = 0;
        for (uint32_t id = 0; id < ID_MAX; id++) {
            if (flags[0][id] || flags[1][id]) {
                CHECK(id_set_next(&both, &next) && next == id);
                next++;
            }
        }
        CHECK(!id_set_next(&both, &next));
        id_set_remove_all(&both, &sets[1]);
        for (uint32_t id = 0; id < ID_MAX; id++) {
            CHECK(id_set_has(&both, id) == (flags[0][id] && !flags[1][id]));
        }
        arena_close(&memory);
    }
}

TEST(id_set_of_late_ids_is_small) {
    arena memory = arena_open(1 << 16);
    firn_error err = ERR_INIT;
    for (uint32_t i = 0; i < 500; i++) {
        id_set set = id_set_open(&memory);
        CHECK(id_set_add(&set, 1000000 + i, &err) == FIRN_OK);
    }
    arena_close(&memory);
}

TEST(id_set_says_when_its_arena_is_full) {
    arena memory = arena_open(64);
    firn_error err = ERR_INIT;
    id_set set = id_set_open(&memory);
    CHECK(id_set_add(&set, 1 << 20, &err) == FIRN_NO_MEMORY);
    arena_close(&memory);
}
