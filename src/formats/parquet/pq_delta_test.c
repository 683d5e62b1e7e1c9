#include "formats/parquet/pq_delta.h"

#include <string.h>

#include "base/compiler.h"
#include "base/test.h"
#include "formats/parquet/pq_delta_kernels.h"

#define VALUES 1000
#define PAGE_BYTES (VALUES * 10 + 2000)

// Writes DELTA_BINARY_PACKED the slow way.
typedef struct writing {
    uint8_t data[PAGE_BYTES + PQ_PAD];
    size_t size;
} writing;

static void put_varint(writing *self, uint64_t value) {
    while (value >= 0x80) {
        self->data[self->size++] = (uint8_t)(0x80 | (value & 0x7f));
        value >>= 7;
    }
    self->data[self->size++] = (uint8_t)value;
}

WRAPS static void put_zigzag(writing *self, int64_t value) {
    put_varint(self, ((uint64_t)value << 1) ^ (uint64_t)(value < 0 ? -1 : 0));
}

WRAPS static void put_miniblock(writing *self, const int64_t *values, size_t count, size_t at,
                                size_t per_miniblock, int64_t least, uint32_t width) {
    for (size_t i = 0; i < per_miniblock && at + i < count; i++) {
        const uint64_t delta = (uint64_t)values[at + i] - (uint64_t)values[at + i - 1];
        for (uint32_t bit = 0; bit < width; bit++) {
            const size_t to = i * width + bit;
            const uint64_t one = (delta - (uint64_t)least) >> bit & 1;
            self->data[self->size + to / 8] |= (uint8_t)(one << (to % 8));
        }
    }
    self->size += per_miniblock / 8 * width;
}

// The least difference of a block, and the width that all others need above it.
WRAPS static void measure(const int64_t *values, size_t count, size_t from, size_t block,
                          int64_t *least, uint32_t *width) {
    *least = INT64_MAX;
    for (size_t i = from; i < from + block && i < count; i++) {
        const int64_t delta = (int64_t)((uint64_t)values[i] - (uint64_t)values[i - 1]);
        *least = delta < *least ? delta : *least;
    }
    uint64_t most = 0;
    for (size_t i = from; i < from + block && i < count; i++) {
        const uint64_t above = (uint64_t)values[i] - (uint64_t)values[i - 1] - (uint64_t)*least;
        most = above > most ? above : most;
    }
    *width = most == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(most);
}

static void write_delta(writing *self, const int64_t *values, size_t count, size_t block,
                        size_t miniblocks) {
    memset(self, 0, sizeof *self);
    put_varint(self, block);
    put_varint(self, miniblocks);
    put_varint(self, count);
    put_zigzag(self, count == 0 ? 0 : values[0]);
    for (size_t at = 1; at < count; at += block) {
        int64_t least;
        uint32_t width;
        measure(values, count, at, block, &least, &width);
        put_zigzag(self, least);
        const size_t used = (count - at + block / miniblocks - 1) / (block / miniblocks);
        for (size_t m = 0; m < miniblocks; m++) { // Widths of unused miniblocks are garbage.
            self->data[self->size++] = (uint8_t)(m < used ? width : 77);
        }
        for (size_t m = 0; m < miniblocks && m < used; m++) {
            put_miniblock(self, values, count, at + m * (block / miniblocks), block / miniblocks,
                          least, width);
        }
    }
}

// Reads in portions with skips in between and compares; 64 and 32 bits.
static void check_portions(const writing *page, const int64_t *values, uint32_t count,
                           uint64_t *seed) {
    firn_error err = ERR_INIT;
    pq_delta longs;
    pq_delta ints;
    const bytes input = {.data = page->data, .size = page->size};
    REQUIRE(pq_delta_open(&longs, input, &err) == FIRN_OK);
    REQUIRE(pq_delta_open(&ints, input, &err) == FIRN_OK);
    CHECK(longs.left == count);
    bytes rest;
    REQUIRE(pq_delta_rest(&longs, &rest, &err) == FIRN_OK);
    CHECK(rest.size == 0);
    bool same = true;
    for (uint32_t at = 0; at < count;) {
        const uint64_t random = test_random(seed);
        uint32_t take = 1 + (uint32_t)(random >> 8) % (random % 4 == 0 ? 300 : 20);
        take = take < count - at ? take : count - at;
        if ((random >> 40) % 3 == 0) {
            REQUIRE(pq_delta_skip(&longs, take, &err) == FIRN_OK);
            REQUIRE(pq_delta_skip(&ints, take, &err) == FIRN_OK);
        } else {
            int64_t out[300];
            int32_t out_32[300];
            REQUIRE(pq_delta_read_i64(&longs, take, out, &err) == FIRN_OK);
            REQUIRE(pq_delta_read_i32(&ints, take, out_32, &err) == FIRN_OK);
            for (uint32_t i = 0; i < take; i++) {
                same = same && out[i] == values[at + i];
                same = same && (uint32_t)out_32[i] == ((uint64_t)values[at + i] & UINT32_MAX);
            }
        }
        at += take;
    }
    CHECK(same);
    int64_t none;
    CHECK(pq_delta_read_i64(&longs, 1, &none, &err) == FIRN_CORRUPT);
}

TEST(pq_delta_round_trips_any_values) {
    static const struct {
        size_t block, miniblocks;
    } shapes[] = {{128, 4}, {128, 1}, {256, 8}, {1024, 2}, {32, 1}};
    uint64_t seed = 1;
    static writing page;
    static int64_t values[VALUES];
    for (uint32_t bits = 0; bits <= 64; bits++) {
        for (size_t i = 0; i < VALUES; i++) {
            const uint64_t random = test_random(&seed);
            values[i] = bits == 0 ? 5 * (int64_t)i : (int64_t)(random >> (64 - bits));
        }
        const uint32_t counts[] = {0, 1, 2, 33, 129, VALUES - 1, VALUES};
        const size_t shape = bits % 5;
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            write_delta(&page, values, counts[c], shapes[shape].block, shapes[shape].miniblocks);
            check_portions(&page, values, counts[c], &seed);
        }
    }
}

TEST(pq_delta_sums_wrap_around) {
    static writing page;
    const int64_t values[] = {INT64_MAX, INT64_MIN, INT64_MAX, 0, INT64_MIN};
    write_delta(&page, values, 5, 128, 4);
    uint64_t seed = 7;
    check_portions(&page, values, 5, &seed);
}

TEST(pq_delta_reads_a_last_miniblock_that_is_not_filled_up) {
    static writing page;
    int64_t values[40];
    for (int64_t i = 0; i < 40; i++) {
        values[i] = i * i;
    }
    write_delta(&page, values, 40, 128, 4);
    firn_error err = ERR_INIT;
    pq_delta in;
    // 39 differences above the least, 7 in the second miniblock, 7 bits each: 7 bytes are enough.
    const bytes cut = {.data = page.data, .size = page.size - 32 / 8 * 7 + 7};
    REQUIRE(pq_delta_open(&in, cut, &err) == FIRN_OK);
    int64_t out[40];
    REQUIRE(pq_delta_read_i64(&in, 40, out, &err) == FIRN_OK);
    CHECK(memcmp(out, values, sizeof out) == 0);
    const bytes shorter = {.data = page.data, .size = cut.size - 1};
    REQUIRE(pq_delta_open(&in, shorter, &err) == FIRN_OK);
    CHECK(pq_delta_read_i64(&in, 40, out, &err) == FIRN_CORRUPT);
}

#define PAGE(...)                                                                                  \
    ((bytes){.data = (const uint8_t[sizeof((uint8_t[]){__VA_ARGS__}) + PQ_PAD]){__VA_ARGS__},      \
             .size = sizeof((uint8_t[]){__VA_ARGS__})})

TEST(pq_delta_refuses_what_is_corrupt) {
    const struct {
        bytes page;
        const char *message;
    } cases[] = {
        {{0}, "varint is cut off"},
        {PAGE(0x80, 0x01, 0, 5, 0), "delta block of 128 values in 0 miniblocks"},
        {PAGE(0x80, 0x01, 3, 5, 0), "delta block of 128 values in 3"},
        {PAGE(40, 1, 5, 0), "delta block of 40 values"},
        {PAGE(0, 1, 5, 0), "delta block of 0 values"},
        {PAGE(0x80, 0x01, 4, 0x80, 0x80, 0x80, 0x80, 0x10, 0), "4294967296 delta values"},
        {PAGE(0x80, 0x01, 4, 5, 0), "1 bytes wanted, 0 left"},
        {PAGE(0x80, 0x01, 4, 5, 0, 0, 1, 1), "4 bytes wanted, 2 left"},
        {PAGE(0x80, 0x01, 4, 5, 0, 0, 65, 1, 1, 1), "delta of 65 bits"},
        {PAGE(0x80, 0x01, 4, 5, 0, 0, 9, 1, 1, 1, 1), "delta miniblock of 5 bytes, 1 are left"},
        {PAGE(0x80, 0x01, 4, 1, 0), "1 delta values wanted, 0 are left"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        firn_error err = ERR_INIT;
        pq_delta in;
        int64_t out[2];
        firn_status status = pq_delta_open(&in, cases[i].page, &err);
        if (status == FIRN_OK) {
            status = pq_delta_read_i64(&in, 2, out, &err);
        }
        CHECK(status == FIRN_CORRUPT);
        CHECK(strstr(err.text, cases[i].message) != NULL);
    }
}

WRAPS static uint64_t mix_in(uint64_t hash, uint64_t value) {
    return (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
}

TEST(pq_delta_kernels_agree_at_every_level) {
    uint64_t seed = 3;
    uint32_t deltas[96];
    uint64_t longs[96];
    for (size_t i = 0; i < 96; i++) {
        longs[i] = test_random(&seed);
        deltas[i] = (uint32_t)(longs[i] >> 32);
    }
    for (size_t count = 0; count <= 80; count++) {
        int64_t expected = 0;
        for (int level = 0; level <= (int)isa_best(); level++) {
            const pq_delta_kernels *kernels = pq_delta_kernels_at((isa_level)level);
            int32_t out_32[96];
            int64_t out[96];
            uint64_t hash =
                kernels->sum_u32_i32(deltas, count, UINT64_MAX - 5, 9, out_32) & UINT32_MAX;
            hash ^= kernels->sum_u32_i64(deltas, count, UINT64_MAX - 5, 9, out);
            for (size_t i = 0; i < count; i++) {
                CHECK((int32_t)(uint32_t)((uint64_t)out[i] & UINT32_MAX) == out_32[i]);
            }
            hash ^= kernels->sum_u64_i64(longs, count, UINT64_MAX - 5, 9, out);
            for (size_t i = 0; i < count; i++) {
                hash = mix_in(hash, (uint64_t)out[i]);
            }
            expected = level == 0 ? (int64_t)hash : expected;
            CHECK(expected == (int64_t)hash);
        }
    }
}
