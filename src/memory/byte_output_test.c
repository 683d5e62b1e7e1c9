#include "memory/byte_output.h"

#include <string.h>

#include "base/test.h"

#define LIMIT ((size_t)8 << 20)

TEST(byte_output_appends_over_every_capacity) {
    arena memory = arena_open(LIMIT);
    byte_output out = {.memory = &memory};
    CHECK(byte_output_bytes(&out).size == 0);
    for (size_t i = 0; i < 5000; i++) {
        const uint8_t pair[2] = {(uint8_t)(i % 251), (uint8_t)(i % 13)};
        REQUIRE(byte_output_put(&out, (bytes){.data = pair, .size = 1 + i % 2}));
    }
    REQUIRE(byte_output_put(&out, (bytes){.size = 0}));
    const bytes all = byte_output_bytes(&out);
    REQUIRE(all.size == 7500);
    size_t at = 0;
    bool same = true;
    for (size_t i = 0; i < 5000; i++) {
        same = same && all.data[at++] == i % 251;
        if (i % 2 == 1) {
            same = same && all.data[at++] == i % 13;
        }
    }
    CHECK(same);
    arena_close(&memory);
}

TEST(byte_output_room_is_the_callers_to_fill) {
    arena memory = arena_open(LIMIT);
    byte_output out = {.memory = &memory};
    REQUIRE(byte_output_room(&out, 0) != NULL);
    REQUIRE(byte_output_put(&out, (bytes){.data = (const uint8_t *)"ab", .size = 2}));
    uint8_t *room = byte_output_room(&out, 100000);
    REQUIRE(room != NULL);
    memset(room, 'c', 100000); // More than is used in the end.
    out.size += 3;
    CHECK(out.size == 5 && memcmp(out.data, "abccc", 5) == 0);
    CHECK(byte_output_room(&out, SIZE_MAX) == NULL);
    CHECK(byte_output_room(&out, SIZE_MAX - 5) == NULL);
    CHECK(out.size == 5 && memcmp(out.data, "abccc", 5) == 0);
    arena_close(&memory);
}

TEST(byte_output_is_unchanged_when_memory_is_full) {
    arena memory = arena_open(20000);
    byte_output out = {.memory = &memory};
    const uint8_t block[1000] = {1};
    size_t size = 0;
    while (byte_output_put(&out, (bytes){.data = block, .size = sizeof block})) {
        size += sizeof block;
        REQUIRE(size < 20000);
    }
    CHECK(out.size == size && out.data[size - sizeof block] == 1);
    firn_error err = ERR_INIT;
    CHECK(BYTE_OUTPUT_FULL(&out, &err) == FIRN_NO_MEMORY);
    arena_close(&memory);
}

TEST(byte_output_writes_numbers_in_groups_of_7_bits) {
    static const struct {
        uint64_t value;
        const char *content;
        size_t size;
    } cases[] = {
        {0, "\x00", 1},
        {127, "\x7f", 1},
        {128, "\x80\x01", 2},
        {300, "\xac\x02", 2},
        {UINT32_MAX, "\xff\xff\xff\xff\x0f", 5},
        {UINT64_MAX, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10},
    };
    arena memory = arena_open(LIMIT);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        byte_output out = {.memory = &memory};
        REQUIRE(byte_output_varint(&out, cases[i].value));
        CHECK(out.size == cases[i].size && memcmp(out.data, cases[i].content, out.size) == 0);
    }
    static const struct {
        int64_t value;
        const char *content;
        size_t size;
    } signs[] = {
        {0, "\x00", 1},
        {-1, "\x01", 1},
        {1, "\x02", 1},
        {-64, "\x7f", 1},
        {64, "\x80\x01", 2},
        {INT64_MAX, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10},
        {INT64_MIN, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10},
    };
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        byte_output out = {.memory = &memory};
        REQUIRE(byte_output_zigzag(&out, signs[i].value));
        CHECK(out.size == signs[i].size && memcmp(out.data, signs[i].content, out.size) == 0);
    }
    arena_close(&memory);
}
