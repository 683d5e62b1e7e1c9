#include "formats/parquet/pq_levels.h"

#include <string.h>

#include "base/compiler.h"
#include "base/test.h"
#include "column/column.h"
#include "formats/parquet/pq_level_kernels.h"

#define PAGE(...)                                                                                  \
    ((bytes){.data = (const uint8_t[sizeof((uint8_t[]){__VA_ARGS__}) + PQ_PAD]){__VA_ARGS__},      \
             .size = sizeof((uint8_t[]){__VA_ARGS__})})

#define LEVELS 300

TEST(pq_level_kernels_agree_with_plain_loops_at_every_level) {
    uint64_t seed = 11;
    for (size_t count = 0; count <= 200; count++) {
        uint8_t levels[LEVELS];
        for (size_t i = 0; i < LEVELS; i++) {
            levels[i] = (uint8_t)(test_random(&seed) % 4);
        }
        for (int level = 0; level <= (int)isa_best(); level++) {
            const pq_level_kernels *kernels = pq_level_kernels_at((isa_level)level);
            uint64_t bits[LEVELS / 64 + 1];
            for (uint8_t least = 0; least <= 4; least++) {
                size_t expected = 0;
                bool same = true;
                const size_t set = kernels->at_least(levels, count, least, bits);
                for (size_t i = 0; i < count; i++) {
                    expected += levels[i] >= least;
                    same = same && bitmap_get(bits, i) == (levels[i] >= least);
                }
                CHECK(same && set == expected);
            }
            size_t zeros = 0;
            uint8_t highest = 0;
            for (size_t i = 0; i < count; i++) {
                if (levels[i] == 0) {
                    CHECK(kernels->find_zero(levels, count, zeros) == i);
                    zeros += 1;
                }
                highest = levels[i] > highest ? levels[i] : highest;
            }
            CHECK(kernels->find_zero(levels, count, zeros) == count);
            CHECK(kernels->count_zero(levels, count) == zeros);
            CHECK(kernels->highest(levels, count) == highest);
        }
    }
}

// Eight entries: repetition 0 1 1 0 0 1 0 0, definition 3 3 1 0 3 2 3 3.
static void check_sample(pq_levels *levels) {
    static const uint8_t repetition_expected[] = {0, 1, 1, 0, 0, 1, 0, 0};
    static const uint8_t definition_expected[] = {3, 3, 1, 0, 3, 2, 3, 3};
    for (uint32_t start = 0; start <= 8; start++) {
        pq_levels in = *levels;
        firn_error err = ERR_INIT;
        uint32_t present;
        uint32_t present_expected = 0;
        uint8_t repetition[8 + PQ_UNPACK_SPARE];
        uint8_t definition[8 + PQ_UNPACK_SPARE];
        REQUIRE(pq_levels_skip(&in, start, &present, &err) == FIRN_OK);
        for (uint32_t i = 0; i < start; i++) {
            present_expected += definition_expected[i] == 3;
        }
        CHECK(present == present_expected);
        REQUIRE(pq_levels_read(&in, 8 - start, repetition, definition, &err) == FIRN_OK);
        CHECK(memcmp(repetition, repetition_expected + start, 8 - start) == 0);
        CHECK(memcmp(definition, definition_expected + start, 8 - start) == 0);
        CHECK(in.left == 0);
    }
}

static const pq_leaf nested = {.definition_max = 3, .repetition_max = 1};

TEST(pq_levels_reads_pages_of_both_versions) {
    // Packed: repetition bits 0x26, definitions 3 3 1 0 | 3 2 3 3 as 0x1f, 0xfb.
    pq_page page = {.value_count = 8,
                    .definition_encoding = PQ_ENCODING_RLE,
                    .repetition_encoding = PQ_ENCODING_RLE};
    const bytes v1 = PAGE(2, 0, 0, 0, 3, 0x26, 3, 0, 0, 0, 3, 0x1f, 0xfb, 99);
    firn_error err = ERR_INIT;
    pq_levels in;
    size_t size;
    REQUIRE(pq_levels_open(&in, &page, &nested, v1, &size, &err) == FIRN_OK);
    CHECK(size == 13 && !pq_levels_are_all_present(&in));
    check_sample(&in);

    const bytes v2 = PAGE(3, 0x26, 3, 0x1f, 0xfb);
    page.is_v2 = true;
    page.repetition_size = 2;
    page.definition_size = 3;
    REQUIRE(pq_levels_open(&in, &page, &nested, v2, &size, &err) == FIRN_OK);
    CHECK(size == 5);
    check_sample(&in);
}

TEST(pq_levels_reads_legacy_bits_from_the_highest_on) {
    // Repetition 0110 0100, definition 11 11 01 00 | 11 10 11 11.
    const pq_page page = {.value_count = 8,
                          .definition_encoding = PQ_ENCODING_BIT_PACKED,
                          .repetition_encoding = PQ_ENCODING_BIT_PACKED};
    firn_error err = ERR_INIT;
    pq_levels in;
    size_t size;
    REQUIRE(pq_levels_open(&in, &page, &nested, PAGE(0x64, 0xf4, 0xef), &size, &err) == FIRN_OK);
    CHECK(size == 3);
    check_sample(&in);
    CHECK(pq_levels_open(&in, &page, &nested, PAGE(0x64, 0xf4), &size, &err) == FIRN_CORRUPT);
}

TEST(pq_levels_sees_that_nothing_is_missing) {
    const pq_leaf optional = {.definition_max = 1};
    pq_page page = {.value_count = 100, .definition_encoding = PQ_ENCODING_RLE};
    const bytes ones = PAGE(3, 0, 0, 0, 0xc8, 0x01, 1);
    firn_error err = ERR_INIT;
    pq_levels in;
    size_t size;
    REQUIRE(pq_levels_open(&in, &page, &optional, ones, &size, &err) == FIRN_OK);
    CHECK(pq_levels_are_all_present(&in));
    page.value_count = 101;
    REQUIRE(pq_levels_open(&in, &page, &optional, ones, &size, &err) == FIRN_OK);
    CHECK(!pq_levels_are_all_present(&in));
    const pq_leaf required = {.definition_max = 0};
    REQUIRE(pq_levels_open(&in, &page, &required, PAGE(1), &size, &err) == FIRN_OK);
    CHECK(pq_levels_are_all_present(&in) && size == 0);
}

// Levels as packed runs of `width` bits with repeated runs in between.
static size_t write_levels(const uint8_t *levels, size_t count, uint32_t width, uint8_t *out) {
    size_t size = 0;
    for (size_t at = 0; at < count;) {
        size_t run = 1;
        while (at + run < count && levels[at + run] == levels[at] && run < 60) {
            run += 1;
        }
        if (run >= 10 || count - at < 8) {
            out[size++] = (uint8_t)(run << 1);
            out[size++] = levels[at];
            at += run;
            continue;
        }
        out[size++] = 1 << 1 | 1;
        memset(out + size, 0, width);
        for (size_t bit = 0; bit < 8 * (size_t)width; bit++) {
            const uint32_t one = levels[at + bit / width] >> (bit % width) & 1;
            out[size + bit / 8] = (uint8_t)(out[size + bit / 8] | one << (bit % 8));
        }
        size += width;
        at += 8;
    }
    return size;
}

static void check_validity(const pq_levels *levels, const uint8_t *expected, uint8_t max,
                           uint64_t *seed) {
    pq_levels in = *levels;
    uint64_t validity[LEVELS / 64 + 2] = {0};
    uint8_t scratch[LEVELS + PQ_UNPACK_SPARE];
    const size_t offset = 5;
    for (uint32_t at = 0; at < LEVELS;) {
        uint32_t take = 1 + (uint32_t)(test_random(seed) % 100);
        take = take < LEVELS - at ? take : LEVELS - at;
        uint32_t present;
        uint32_t present_expected = 0;
        firn_error err = ERR_INIT;
        if (test_random(seed) % 4 == 0) {
            REQUIRE(pq_levels_skip(&in, take, &present, &err) == FIRN_OK);
        } else {
            REQUIRE(pq_levels_read_validity(&in, take, validity, offset + at, scratch, &present,
                                            &err) == FIRN_OK);
            bool same = true;
            for (uint32_t i = at; i < at + take; i++) {
                same = same && bitmap_get(validity, offset + i) == (expected[i] == max);
            }
            CHECK(same);
        }
        for (uint32_t i = at; i < at + take; i++) {
            present_expected += expected[i] == max;
        }
        CHECK(present == present_expected);
        at += take;
    }
}

TEST(pq_levels_makes_validity_in_any_portion) {
    uint64_t seed = 5;
    for (uint8_t max = 1; max <= 5; max++) {
        const uint32_t width = max == 1 ? 1 : max < 4 ? 2 : 3;
        uint8_t levels[LEVELS];
        for (size_t i = 0; i < LEVELS; i++) {
            const bool runs = i / 50 % 2 == 0;
            levels[i] = runs && i > 0 ? levels[i - 1] : (uint8_t)(test_random(&seed) % (max + 1u));
        }
        uint8_t body[LEVELS * 2 + PQ_PAD] = {0};
        const size_t runs_size = write_levels(levels, LEVELS, width, body + 4);
        body[0] = (uint8_t)(runs_size & 0xff);
        body[1] = (uint8_t)(runs_size >> 8);
        const pq_page page = {.value_count = LEVELS, .definition_encoding = PQ_ENCODING_RLE};
        const pq_leaf leaf = {.definition_max = max};
        firn_error err = ERR_INIT;
        pq_levels in;
        size_t size;
        const bytes input = {.data = body, .size = runs_size + 4};
        REQUIRE(pq_levels_open(&in, &page, &leaf, input, &size, &err) == FIRN_OK);
        for (int round = 0; round < 20; round++) {
            check_validity(&in, levels, max, &seed);
        }
    }
}

TEST(pq_levels_refuses_what_is_corrupt) {
    const struct {
        bytes body;
        int32_t encoding;
        uint8_t max;
        const char *message;
    } cases[] = {
        {PAGE(3, 0, 0), PQ_ENCODING_RLE, 1, "4 bytes wanted, 3 left"},
        {PAGE(9, 0, 0, 0, 2, 1), PQ_ENCODING_RLE, 1, "9 bytes wanted, 2 left"},
        {PAGE(2, 0, 0, 0, 2, 1), PQ_ENCODING_PLAIN, 1, "levels in the encoding PLAIN (0)"},
        {PAGE(2, 0, 0, 0, 2, 1), PQ_ENCODING_RLE, 1, "varint is cut off"},
        {PAGE(2, 0, 0, 0, 20, 3), PQ_ENCODING_RLE, 2, "level 3, at most 2 is possible"},
        {PAGE(2, 0, 0, 0, 20, 2), PQ_ENCODING_RLE, 1, "repeated value 2 does not fit 1 bits"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const pq_page page = {.value_count = 10, .definition_encoding = cases[i].encoding};
        const pq_leaf leaf = {.definition_max = cases[i].max};
        firn_error err = ERR_INIT;
        pq_levels in;
        size_t size;
        uint8_t repetition[10 + PQ_UNPACK_SPARE];
        uint8_t definition[10 + PQ_UNPACK_SPARE];
        firn_status status = pq_levels_open(&in, &page, &leaf, cases[i].body, &size, &err);
        if (status == FIRN_OK) {
            status = pq_levels_read(&in, 10, repetition, definition, &err);
        }
        CHECK(status == FIRN_CORRUPT);
        CHECK(strstr(err.text, cases[i].message) != NULL);
    }
}
