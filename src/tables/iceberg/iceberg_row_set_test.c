// Sets of row positions against bits.
#include "tables/iceberg/iceberg_row_set.h"

#include "base/test.h"
#include "column/column.h"

#define ROWS 200000

#define TAKEN 17 // At once: no page holds a multiple of it.

static void compare(const ice_row_set *set, const uint64_t *bits) {
    uint64_t from = 0;
    uint64_t count = 0;
    int64_t taken[TAKEN];
    uint32_t taken_count = 0;
    for (uint64_t i = 0; i < ROWS; i++) {
        const bool is_in = bitmap_get(bits, i);
        CHECK(ice_row_set_has(set, i) == is_in);
        if (is_in && count % TAKEN == 0) {
            taken_count = ice_row_set_take(set, &from, taken, TAKEN);
        }
        if (is_in) {
            CHECK(count % TAKEN < taken_count && taken[count % TAKEN] == (int64_t)i);
            count++;
        }
    }
    CHECK(taken_count == (count - 1) % TAKEN + 1 && set->count == count);
    CHECK(ice_row_set_take(set, &from, taken, TAKEN) == 0);
    CHECK(!ice_row_set_has(set, ROWS) && !ice_row_set_has(set, UINT64_MAX));
}

// Every `step`-th position, from the front or from the back.
static void fill(uint32_t step, bool is_backward) {
    arena memory = arena_open(16 << 20);
    firn_error err = ERR_INIT;
    ice_row_set set;
    uint64_t *bits = ARENA_NEW(&memory, uint64_t, BITMAP_WORDS(ROWS));
    REQUIRE(bits != NULL && ice_row_set_open(&set, ROWS, &memory, &err) == FIRN_OK);
    memset(bits, 0, BITMAP_WORDS(ROWS) * sizeof *bits);
    for (uint64_t i = 0; i < ROWS; i += step) {
        const uint64_t position = is_backward ? ROWS - 1 - i : i;
        bool is_new = false;
        REQUIRE(ice_row_set_add(&set, position, &memory, &is_new, &err) == FIRN_OK);
        CHECK(is_new);
        REQUIRE(ice_row_set_add(&set, position, &memory, &is_new, &err) == FIRN_OK);
        CHECK(!is_new);
        bitmap_set(bits, position);
    }
    compare(&set, bits);
    arena_close(&memory);
}

TEST(ice_row_set_has_what_was_added) {
    const uint32_t steps[] = {1, 3, 31, 32, 33, 1000, 65536, ROWS};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        fill(steps[i], false);
        if (steps[i] > 30) { // Lists that grow at their front are slow.
            fill(steps[i], true);
        }
    }
}

TEST(ice_row_set_takes_few_bytes) {
    arena memory = arena_open(16 << 20);
    firn_error err = ERR_INIT;
    ice_row_set set;
    bool is_new;
    REQUIRE(ice_row_set_open(&set, ROWS, &memory, &err) == FIRN_OK);
    for (uint64_t i = 0; i < ROWS; i++) {
        REQUIRE(ice_row_set_add(&set, i, &memory, &is_new, &err) == FIRN_OK);
    }
    CHECK(memory.used < ROWS / 8 * 3 + (64 << 10)); // The lists before, and the last block.
    arena_close(&memory);
}

TEST(ice_row_set_without_memory) {
    arena memory = arena_open(40);
    firn_error err = ERR_INIT;
    ice_row_set set;
    CHECK(ice_row_set_open(&set, UINT64_C(1) << 40, &memory, &err) == FIRN_NO_MEMORY);
    arena_close(&memory);
}
