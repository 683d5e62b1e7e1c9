#include "formats/parquet/write/pw_split.h"

#include <string.h>

#include "base/test.h"
#include "formats/parquet/pq_split.h"

#define VALUES 1100
#define WIDTH_MAX 40
#define LIMIT ((size_t)8 << 20)

static const uint32_t counts[] = {0,  1,  2,   7,   8,   9,   15,  16,  17,  31,   32,   33,  63,
                                  64, 65, 127, 128, 129, 503, 511, 512, 513, 1024, 1025, 1100};
#define COUNTS (sizeof counts / sizeof *counts)

TEST(pw_split_round_trips_every_width_at_every_level) {
    static uint8_t values[VALUES * WIDTH_MAX];
    static uint8_t page[VALUES * WIDTH_MAX];
    static uint8_t read[VALUES * WIDTH_MAX];
    uint64_t seed = 41;
    for (size_t i = 0; i < sizeof values; i++) {
        values[i] = (uint8_t)test_random(&seed);
    }
    firn_error err = ERR_INIT;
    for (uint32_t width = 1; width <= WIDTH_MAX; width++) {
        for (size_t c = 0; c < COUNTS; c++) {
            const size_t size = (size_t)counts[c] * width;
            for (int level = 0; level <= (int)isa_best(); level++) {
                memset(page, 0xee, sizeof page);
                pw_split_kernel_at((isa_level)level)(values, counts[c], width, counts[c], page);
                pq_split in;
                REQUIRE(pq_split_open(&in, (bytes){.data = page, .size = size}, width, &err) ==
                        FIRN_OK);
                REQUIRE(pq_split_read(&in, counts[c], read, &err) == FIRN_OK);
                CHECK(memcmp(read, values, size) == 0);
                CHECK(size == sizeof page || page[size] == 0xee); // Nothing behind the end.
            }
        }
    }
}

TEST(pw_split_writes_the_example_of_the_specification) {
    // AA BB CC DD, 00 11 22 33, A3 B4 C5 D6.
    static const uint32_t numbers[] = {0xddccbbaa, 0x33221100, 0xd6c5b4a3};
    static const uint8_t expected[] = {0xaa, 0x00, 0xa3, 0xbb, 0x11, 0xb4,
                                       0xcc, 0x22, 0xc5, 0xdd, 0x33, 0xd6};
    arena memory = arena_open(LIMIT);
    firn_error err = ERR_INIT;
    byte_output out = {.memory = &memory};
    const pw_values values = {.type = PQ_FLOAT, .count = 3, .data = numbers};
    REQUIRE(pw_put_split(&out, &values, &err) == FIRN_OK);
    CHECK(out.size == sizeof expected && memcmp(out.data, expected, sizeof expected) == 0);
    const pw_values none = {.type = PQ_DOUBLE};
    REQUIRE(pw_put_split(&out, &none, &err) == FIRN_OK);
    CHECK(out.size == sizeof expected);
    arena_close(&memory);
}

TEST(pw_split_says_when_memory_is_full) {
    arena memory = arena_open(3000);
    firn_error err = ERR_INIT;
    static const uint64_t numbers[VALUES];
    byte_output out = {.memory = &memory};
    const pw_values values = {.type = PQ_DOUBLE, .count = VALUES, .data = numbers};
    CHECK(pw_put_split(&out, &values, &err) == FIRN_NO_MEMORY);
    CHECK(out.size == 0);
    arena_close(&memory);
}
