#include "expr/input_layout.h"

#include "base/test.h"

#define COUNT 1000

// Ids in no order, with gaps, and one of them twice.
static void fill(uint32_t *ids) {
    for (uint32_t i = 0; i < COUNT; i++) {
        ids[i] = (i * 7919) % 10007;
    }
    ids[COUNT - 1] = ids[3];
}

TEST(input_layout_finds_the_same_with_and_without_an_index) {
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    uint32_t ids[COUNT];
    fill(ids);
    for (uint32_t count = 0; count <= COUNT; count += count < 40 ? 1 : 320) {
        input_layout plain = {.count = count, .ids = ids};
        input_layout indexed = plain;
        CHECK(input_layout_index(&indexed, &memory, &err) == FIRN_OK);
        CHECK((indexed.slots != NULL) == (count > 16));
        for (uint32_t id = 0; id < 10020; id++) {
            const uint32_t place = input_layout_find(&indexed, id);
            CHECK(place == input_layout_find(&plain, id));
            CHECK(place == NO_PLACE || (place < count && ids[place] == id));
        }
        for (uint32_t i = 0; i + 1 < count; i++) {
            CHECK(input_layout_find(&indexed, ids[i]) == i);
        }
    }
    arena_close(&memory);
}

TEST(input_layout_says_when_its_arena_is_full) {
    arena memory = arena_open(64);
    firn_error err = ERR_INIT;
    uint32_t ids[COUNT];
    fill(ids);
    input_layout layout = {.count = COUNT, .ids = ids};
    CHECK(input_layout_index(&layout, &memory, &err) == FIRN_NO_MEMORY);
    arena_close(&memory);
}
