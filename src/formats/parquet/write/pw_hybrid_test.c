#include "formats/parquet/write/pw_hybrid.h"

#include <string.h>

#include "base/test.h"
#include "formats/parquet/pq_codes.h"

#define VALUES 1100
#define LIMIT ((size_t)64 << 20)

static const uint32_t counts[] = {0,  1,  7,   8,   9,   15,  16,  17,  31,  32,   33,
                                  63, 64, 127, 128, 129, 503, 504, 505, 512, 1000, 1100};
#define COUNTS (sizeof counts / sizeof *counts)

static uint32_t mask_of(uint32_t width) {
    return width == 0 ? 0 : UINT32_MAX >> (32 - width);
}

// Runs of lengths up to `run_max`, 1: none.
static void fill(uint32_t *out, uint32_t width, uint32_t run_max, uint64_t *seed) {
    for (uint32_t i = 0; i < VALUES;) {
        const uint32_t value = (uint32_t)test_random(seed) & mask_of(width);
        for (uint64_t left = 1 + test_random(seed) % run_max; left > 0 && i < VALUES; left--) {
            out[i++] = value;
        }
    }
}

// A copy with the pad that pages have.
static bytes page_of(const byte_output *out, arena *memory) {
    uint8_t *data = ARENA_NEW(memory, uint8_t, out->size + PQ_PAD);
    memset(data + out->size, 0xee, PQ_PAD);
    if (out->size > 0) {
        memcpy(data, out->data, out->size);
    }
    return (bytes){.data = data, .size = out->size};
}

static void check_u32(const uint32_t *values, uint32_t count, uint32_t width, arena *memory) {
    firn_error err = ERR_INIT;
    byte_output out = {.memory = memory};
    REQUIRE(pw_hybrid_put_u32(&out, values, count, width, &err) == FIRN_OK);
    pq_hybrid in = pq_hybrid_open(page_of(&out, memory), width);
    static uint32_t read[VALUES + PQ_UNPACK_SPARE];
    REQUIRE(pq_hybrid_read_u32(&in, count, read, &err) == FIRN_OK);
    CHECK(memcmp(read, values, count * sizeof *values) == 0);
    CHECK(reader_left(&in.in) == 0);
    // Never longer than one packed run with its header.
    CHECK(out.size <= (size_t)(count + 7) / 8 * width + 5);
}

static void check_u8(const uint32_t *values, uint32_t count, uint32_t width, arena *memory) {
    firn_error err = ERR_INIT;
    uint8_t octets[VALUES];
    for (uint32_t i = 0; i < count; i++) {
        octets[i] = (uint8_t)values[i];
    }
    byte_output out = {.memory = memory};
    byte_output words = {.memory = memory};
    REQUIRE(pw_hybrid_put_u8(&out, octets, count, width, &err) == FIRN_OK);
    REQUIRE(pw_hybrid_put_u32(&words, values, count, width, &err) == FIRN_OK);
    CHECK(out.size == words.size && (out.size == 0 || memcmp(out.data, words.data, out.size) == 0));
}

static void check_bits(const uint32_t *values, uint32_t count, arena *memory) {
    firn_error err = ERR_INIT;
    uint64_t bits[VALUES / 64 + 1];
    memset(bits, 0xee, sizeof bits); // Garbage behind the last one.
    for (uint32_t i = 0; i < count; i++) {
        bits[i / 64] = (bits[i / 64] & ~(UINT64_C(1) << (i % 64))) | (uint64_t)values[i]
                                                                         << (i % 64);
    }
    byte_output out = {.memory = memory};
    byte_output words = {.memory = memory};
    REQUIRE(pw_hybrid_put_bits(&out, bits, count, &err) == FIRN_OK);
    REQUIRE(pw_hybrid_put_u32(&words, values, count, 1, &err) == FIRN_OK);
    CHECK(out.size == words.size && (out.size == 0 || memcmp(out.data, words.data, out.size) == 0));
}

TEST(pw_hybrid_round_trips_every_width_with_runs_of_all_lengths) {
    static uint32_t values[VALUES];
    static const uint32_t run_maxes[] = {1, 5, 20, 150, VALUES};
    uint64_t seed = 5;
    for (uint32_t width = 0; width <= 32; width++) {
        for (size_t r = 0; r < sizeof run_maxes / sizeof *run_maxes; r++) {
            arena memory = arena_open(LIMIT);
            fill(values, width, run_maxes[r], &seed);
            for (size_t c = 0; c < COUNTS; c++) {
                check_u32(values, counts[c], width, &memory);
                if (width <= 8) {
                    check_u8(values, counts[c], width, &memory);
                }
                if (width == 1) {
                    check_bits(values, counts[c], &memory);
                }
            }
            arena_close(&memory);
        }
    }
}

// The sequence of several calls, all but the last of multiples of eight.
TEST(pw_hybrid_goes_on_where_it_left_off) {
    arena memory = arena_open(LIMIT);
    firn_error err = ERR_INIT;
    static uint32_t values[VALUES];
    uint64_t seed = 6;
    fill(values, 5, 40, &seed);
    byte_output out = {.memory = &memory};
    REQUIRE(pw_hybrid_put_u32(&out, values, 504, 5, &err) == FIRN_OK);
    REQUIRE(pw_hybrid_put_repeated(&out, 17, 13, 5, &err) == FIRN_OK);
    REQUIRE(pw_hybrid_put_u32(&out, values + 504, VALUES - 504, 5, &err) == FIRN_OK);
    pq_hybrid in = pq_hybrid_open(page_of(&out, &memory), 5);
    static uint32_t read[VALUES + PQ_UNPACK_SPARE];
    REQUIRE(pq_hybrid_read_u32(&in, 504, read, &err) == FIRN_OK);
    CHECK(memcmp(read, values, 504 * sizeof *values) == 0);
    REQUIRE(pq_hybrid_read_u32(&in, 13, read, &err) == FIRN_OK);
    CHECK(read[0] == 17 && read[12] == 17);
    REQUIRE(pq_hybrid_read_u32(&in, VALUES - 504, read, &err) == FIRN_OK);
    CHECK(memcmp(read, values + 504, (VALUES - 504) * sizeof *values) == 0);
    arena_close(&memory);
}

#define BYTES(...)                                                                                 \
    ((bytes){.data = (const uint8_t[]){__VA_ARGS__}, .size = sizeof((uint8_t[]){__VA_ARGS__})})

static bool holds(const byte_output *out, bytes expected) {
    return out->size == expected.size && memcmp(out->data, expected.data, expected.size) == 0;
}

TEST(pw_hybrid_writes_what_the_specification_says) {
    arena memory = arena_open(LIMIT);
    firn_error err = ERR_INIT;
    { // Numbers 0 to 7 in 3 bits each: one packed group.
        byte_output out = {.memory = &memory};
        const uint32_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7};
        REQUIRE(pw_hybrid_put_u32(&out, numbers, 8, 3, &err) == FIRN_OK);
        CHECK(holds(&out, BYTES(1 << 1 | 1, 0x88, 0xc6, 0xfa)));
    }
    { // The value of a repeated run takes whole bytes: 1000 times 0x1234 in 13 bits.
        byte_output out = {.memory = &memory};
        REQUIRE(pw_hybrid_put_repeated(&out, 0x1234, 1000, 13, &err) == FIRN_OK);
        CHECK(holds(&out, BYTES(0xd0, 0x0f, 0x34, 0x12)));
    }
    { // Width 0: no bytes for the value; none of them: nothing.
        byte_output out = {.memory = &memory};
        REQUIRE(pw_hybrid_put_u32(&out, (const uint32_t[5]){0}, 5, 0, &err) == FIRN_OK);
        CHECK(holds(&out, BYTES(10)));
        REQUIRE(pw_hybrid_put_u32(&out, NULL, 0, 7, &err) == FIRN_OK);
        CHECK(out.size == 1);
    }
    { // The last group is filled up with zeros.
        byte_output out = {.memory = &memory};
        REQUIRE(pw_hybrid_put_u8(&out, (const uint8_t[]){1, 2, 3}, 3, 4, &err) == FIRN_OK);
        CHECK(holds(&out, BYTES(1 << 1 | 1, 0x21, 0x03, 0, 0)));
    }
    { // Packed, repeated, packed: 8 values, 24 sevens, 2 values in 8 bits.
        uint8_t values[34];
        memset(values, 7, sizeof values);
        for (uint8_t i = 0; i < 8; i++) {
            values[i] = i;
        }
        values[32] = 1;
        values[33] = 2;
        byte_output out = {.memory = &memory};
        REQUIRE(pw_hybrid_put_u8(&out, values, 34, 8, &err) == FIRN_OK);
        CHECK(holds(&out, BYTES(1 << 1 | 1, 0, 1, 2, 3, 4, 5, 6, 7, 24 << 1, 7, 1 << 1 | 1, 1, 2, 0,
                                0, 0, 0, 0, 0)));
    }
    { // A run at the end takes what is behind the last group.
        uint8_t values[30];
        memset(values, 9, sizeof values);
        values[0] = 1;
        byte_output out = {.memory = &memory};
        REQUIRE(pw_hybrid_put_u8(&out, values, 30, 8, &err) == FIRN_OK);
        CHECK(holds(&out, BYTES(1 << 1 | 1, 1, 9, 9, 9, 9, 9, 9, 9, 22 << 1, 9)));
    }
    { // Values that are all the same, fewer than a group and more.
        byte_output out = {.memory = &memory};
        REQUIRE(pw_hybrid_put_bits(&out, (const uint64_t[]){0x7f}, 7, &err) == FIRN_OK);
        REQUIRE(pw_hybrid_put_bits(&out, (const uint64_t[]){0x7ff}, 11, &err) == FIRN_OK);
        CHECK(holds(&out, BYTES(7 << 1, 1, 11 << 1, 1)));
    }
    arena_close(&memory);
}

TEST(pw_hybrid_splits_runs_that_no_reader_could_count) {
    arena memory = arena_open(LIMIT);
    firn_error err = ERR_INIT;
    byte_output out = {.memory = &memory};
    REQUIRE(pw_hybrid_put_repeated(&out, 3, UINT32_MAX, 2, &err) == FIRN_OK);
    pq_hybrid in = pq_hybrid_open(page_of(&out, &memory), 2);
    REQUIRE(pq_hybrid_skip(&in, UINT32_MAX - 1, &err) == FIRN_OK);
    uint32_t last[1 + PQ_UNPACK_SPARE];
    REQUIRE(pq_hybrid_read_u32(&in, 1, last, &err) == FIRN_OK);
    CHECK(last[0] == 3 && reader_left(&in.in) == 0);
    arena_close(&memory);
}

TEST(pw_hybrid_says_when_memory_is_full) {
    arena memory = arena_open(4000);
    firn_error err = ERR_INIT;
    static uint32_t values[VALUES];
    uint64_t seed = 8;
    fill(values, 32, 1, &seed);
    byte_output out = {.memory = &memory};
    CHECK(pw_hybrid_put_u32(&out, values, VALUES, 32, &err) == FIRN_NO_MEMORY);
    arena_close(&memory);
}

TEST(pw_width_of_is_what_the_highest_number_needs) {
    CHECK(pw_width_of(0) == 0 && pw_width_of(1) == 1 && pw_width_of(2) == 2);
    CHECK(pw_width_of(255) == 8 && pw_width_of(256) == 9 && pw_width_of(UINT32_MAX) == 32);
}
