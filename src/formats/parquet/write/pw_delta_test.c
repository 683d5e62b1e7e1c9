#include "formats/parquet/write/pw_delta.h"

#include <string.h>

#include "base/compiler.h"
#include "base/test.h"
#include "formats/parquet/pq_delta.h"

#define VALUES 1100
#define LIMIT ((size_t)64 << 20)

static const uint32_t counts[] = {0,   1,   2,   7,   8,   9,   31,  32,  33,  34,   64,  65,
                                  127, 128, 129, 130, 255, 256, 257, 258, 503, 1000, 1100};
#define COUNTS (sizeof counts / sizeof *counts)

static bytes page_of(const byte_output *out, arena *memory) {
    uint8_t *data = ARENA_NEW(memory, uint8_t, out->size + PQ_PAD);
    memset(data + out->size, 0xee, PQ_PAD);
    memcpy(data, out->data, out->size);
    return (bytes){.data = data, .size = out->size};
}

static void check_i64(const int64_t *values, uint32_t count, arena *memory) {
    firn_error err = ERR_INIT;
    byte_output out = {.memory = memory};
    REQUIRE(pw_delta_put_i64(&out, values, count, &err) == FIRN_OK);
    pq_delta in;
    bytes rest;
    static int64_t read[VALUES];
    REQUIRE(pq_delta_open(&in, page_of(&out, memory), &err) == FIRN_OK);
    REQUIRE(pq_delta_rest(&in, &rest, &err) == FIRN_OK);
    CHECK(rest.size == 0);
    REQUIRE(pq_delta_read_i64(&in, count, read, &err) == FIRN_OK);
    CHECK(memcmp(read, values, count * sizeof *values) == 0);
    CHECK(pq_delta_read_i64(&in, 1, read, &err) == FIRN_CORRUPT);
}

static void check_i32(const int64_t *values, uint32_t count, arena *memory) {
    firn_error err = ERR_INIT;
    static int32_t small[VALUES];
    for (uint32_t i = 0; i < count; i++) {
        small[i] = (int32_t)(uint32_t)((uint64_t)values[i] & UINT32_MAX);
    }
    byte_output out = {.memory = memory};
    REQUIRE(pw_delta_put_i32(&out, small, count, &err) == FIRN_OK);
    pq_delta in;
    bytes rest;
    static int32_t read[VALUES];
    const bytes page = page_of(&out, memory);
    REQUIRE(pq_delta_open(&in, page, &err) == FIRN_OK);
    REQUIRE(pq_delta_rest(&in, &rest, &err) == FIRN_OK);
    CHECK(rest.size == 0);
    REQUIRE(pq_delta_read_i32(&in, count, read, &err) == FIRN_OK);
    CHECK(memcmp(read, small, count * sizeof *small) == 0);
    // Readers of 32-bit integers take no more than 32 bits.
    CHECK(page.size <= 20 + (size_t)(count + 127) / 128 * (9 + 128 * 4));
}

// Numbers whose differences have `bits` bits, steps of 5 for none.
static void fill(int64_t *out, uint32_t bits, uint64_t *seed) {
    for (size_t i = 0; i < VALUES; i++) {
        const uint64_t random = test_random(seed);
        out[i] = bits == 0 ? 5 * (int64_t)i : (int64_t)(random >> (64 - bits));
    }
}

TEST(pw_delta_round_trips_values_of_every_width) {
    static int64_t values[VALUES];
    uint64_t seed = 21;
    for (uint32_t bits = 0; bits <= 64; bits++) {
        arena memory = arena_open(LIMIT);
        fill(values, bits, &seed);
        for (size_t c = 0; c < COUNTS; c++) {
            check_i64(values, counts[c], &memory);
            check_i32(values, counts[c], &memory);
        }
        arena_close(&memory);
    }
}

// Miniblocks of one block that need different widths.
TEST(pw_delta_round_trips_values_whose_width_changes) {
    static int64_t values[VALUES];
    uint64_t seed = 22;
    for (uint32_t round = 0; round < 20; round++) {
        arena memory = arena_open(LIMIT);
        for (size_t i = 0; i < VALUES; i++) {
            const uint32_t bits = (uint32_t)((i / 32 * 7 + round * 13) % 65);
            values[i] = bits == 0 ? -3 : (int64_t)(test_random(&seed) >> (64 - bits));
        }
        for (size_t c = 0; c < COUNTS; c++) {
            check_i64(values, counts[c], &memory);
            check_i32(values, counts[c], &memory);
        }
        arena_close(&memory);
    }
}

TEST(pw_delta_differences_wrap_around) {
    arena memory = arena_open(LIMIT);
    static const int64_t extremes[] = {INT64_MAX, INT64_MIN, INT64_MAX, 0,  INT64_MIN,
                                       -1,        1,         INT32_MAX, 77, INT32_MIN};
    static const int64_t small[] = {INT32_MAX, INT32_MIN, INT32_MAX, 0, INT32_MIN, -1, 1};
    check_i64(extremes, 10, &memory);
    check_i32(small, 7, &memory);
    check_i64(small, 7, &memory);
    arena_close(&memory);
}

#define BYTES(...)                                                                                 \
    ((bytes){.data = (const uint8_t[]){__VA_ARGS__}, .size = sizeof((uint8_t[]){__VA_ARGS__})})

static bool holds(const byte_output *out, bytes expected) {
    return out->size == expected.size && memcmp(out->data, expected.data, expected.size) == 0;
}

TEST(pw_delta_writes_what_the_specification_says) {
    arena memory = arena_open(LIMIT);
    firn_error err = ERR_INIT;
    { // Its first example: 1, 2, 3, 4, 5, all differences 1.
        byte_output out = {.memory = &memory};
        REQUIRE(pw_delta_put_i32(&out, (const int32_t[]){1, 2, 3, 4, 5}, 5, &err) == FIRN_OK);
        CHECK(holds(&out, BYTES(0x80, 0x01, 4, 5, 2, 2, 0, 0, 0, 0)));
    }
    { // Its second one: 7, 5, 3, 1, 2, 3, 4, 5: least difference -2; 0, 0, 0, 3, 3, 3, 3 above it.
        byte_output out = {.memory = &memory};
        const int64_t values[] = {7, 5, 3, 1, 2, 3, 4, 5};
        REQUIRE(pw_delta_put_i64(&out, values, 8, &err) == FIRN_OK);
        CHECK(
            holds(&out, BYTES(0x80, 0x01, 4, 8, 14, 3, 2, 0, 0, 0, 0xc0, 0x3f, 0, 0, 0, 0, 0, 0)));
    }
    { // No value, one value.
        byte_output out = {.memory = &memory};
        REQUIRE(pw_delta_put_i32(&out, NULL, 0, &err) == FIRN_OK);
        CHECK(holds(&out, BYTES(0x80, 0x01, 4, 0, 0)));
        byte_output one = {.memory = &memory};
        REQUIRE(pw_delta_put_i64(&one, (const int64_t[]){-1}, 1, &err) == FIRN_OK);
        CHECK(holds(&one, BYTES(0x80, 0x01, 4, 1, 1)));
    }
    { // 32 bits wrap: from the highest to the lowest is one step up.
        byte_output out = {.memory = &memory};
        REQUIRE(pw_delta_put_i32(&out, (const int32_t[]){INT32_MAX, INT32_MIN}, 2, &err) ==
                FIRN_OK);
        CHECK(holds(&out, BYTES(0x80, 0x01, 4, 2, 0xfe, 0xff, 0xff, 0xff, 0x0f, 2, 0, 0, 0, 0)));
    }
    { // 130 values: a second block with one difference.
        int32_t values[130];
        for (int32_t i = 0; i < 130; i++) {
            values[i] = i < 129 ? 2 * i : 0;
        }
        byte_output out = {.memory = &memory};
        REQUIRE(pw_delta_put_i32(&out, values, 130, &err) == FIRN_OK);
        CHECK(holds(&out,
                    BYTES(0x80, 0x01, 4, 0x82, 0x01, 0, 4, 0, 0, 0, 0, 0xff, 0x03, 0, 0, 0, 0)));
    }
    arena_close(&memory);
}

TEST(pw_delta_kernels_agree_at_every_level) {
    static int64_t values[VALUES];
    static int32_t small[VALUES];
    uint64_t seed = 23;
    fill(values, 64, &seed);
    for (size_t i = 0; i < VALUES; i++) {
        small[i] = (int32_t)(values[i] >> 32);
    }
    for (uint32_t count = 1; count <= PW_DELTA_BLOCK; count++) {
        uint64_t above[2][PW_DELTA_BLOCK];
        uint64_t bits[2][PW_DELTA_MINIBLOCKS];
        uint32_t above_32[2][PW_DELTA_BLOCK];
        uint32_t bits_32[2][PW_DELTA_MINIBLOCKS];
        const pw_delta_kernels *base = pw_delta_kernels_at(ISA_BASE);
        const int64_t least = base->i64(values, count, above[0], bits[0]);
        const int32_t least_32 = base->i32(small, count, above_32[0], bits_32[0]);
        for (int level = 1; level <= (int)isa_best(); level++) {
            const pw_delta_kernels *kernels = pw_delta_kernels_at((isa_level)level);
            CHECK(kernels->i64(values, count, above[1], bits[1]) == least);
            CHECK(kernels->i32(small, count, above_32[1], bits_32[1]) == least_32);
            CHECK(memcmp(above[0], above[1], sizeof above[0]) == 0);
            CHECK(memcmp(bits[0], bits[1], sizeof bits[0]) == 0);
            CHECK(memcmp(above_32[0], above_32[1], sizeof above_32[0]) == 0);
            CHECK(memcmp(bits_32[0], bits_32[1], sizeof bits_32[0]) == 0);
        }
    }
}

TEST(pw_delta_says_when_memory_is_full) {
    arena memory = arena_open(3000);
    firn_error err = ERR_INIT;
    static int64_t values[VALUES];
    uint64_t seed = 24;
    fill(values, 60, &seed);
    byte_output out = {.memory = &memory};
    CHECK(pw_delta_put_i64(&out, values, VALUES, &err) == FIRN_NO_MEMORY);
    arena_close(&memory);
}
