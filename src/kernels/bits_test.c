#include "kernels/bits.h"

#include "base/test.h"
#include "kernels/gather.h"

#define ROWS 300

static uint32_t fill_random(uint64_t *bits, uint32_t rows, uint32_t every, uint64_t *seed) {
    uint32_t count = 0;
    memset(bits, 0, BITMAP_WORDS(rows) * sizeof *bits);
    for (uint32_t row = 0; row < rows; row++) {
        if (test_random(seed) % every == 0) {
            bitmap_set(bits, row);
            count++;
        }
    }
    return count;
}

TEST(bits_become_lists_and_back) {
    uint64_t seed = 1;
    for (uint32_t rows = 0; rows <= ROWS; rows++) {
        for (uint32_t every = 1; every < 20; every += 6) {
            uint64_t bits[ROWS / 64 + 1];
            uint64_t again[ROWS / 64 + 1];
            uint16_t list[ROWS];
            const uint32_t count = fill_random(bits, rows, every, &seed);
            REQUIRE(bits_to_rows(bits, rows, list) == count);
            for (uint32_t k = 0; k < count; k++) {
                REQUIRE(bitmap_get(bits, list[k]));
                REQUIRE(k == 0 || list[k] > list[k - 1]);
            }
            memset(again, 0xff, sizeof again);
            bits_of_rows(list, count, rows, again);
            REQUIRE(memcmp(bits, again, BITMAP_WORDS(rows) * sizeof *bits) == 0);
            REQUIRE(bits_any(bits, rows) == (count > 0));
            REQUIRE(bits_all(bits, rows) == (count == rows));
            bits_not(bits, rows, again);
            REQUIRE(bitmap_count(again, BITMAP_WORDS(rows) * 64) == rows - count);
        }
    }
}

TEST(bits_filter_gather_and_scatter_by_list) {
    uint64_t seed = 2;
    uint64_t bits[ROWS / 64 + 1];
    uint64_t chosen[ROWS / 64 + 1];
    uint16_t list[ROWS];
    uint16_t kept[ROWS];
    (void)fill_random(bits, ROWS, 2, &seed);
    (void)fill_random(chosen, ROWS, 3, &seed);
    const uint32_t count = bits_to_rows(chosen, ROWS, list);
    const uint32_t set = bits_filter_rows(bits, true, list, count, kept);
    for (uint32_t k = 0; k < set; k++) {
        CHECK(bitmap_get(bits, kept[k]) && bitmap_get(chosen, kept[k]));
    }
    CHECK(set + bits_filter_rows(bits, false, list, count, kept) == count);
    uint64_t dense[ROWS / 64 + 1];
    uint64_t back[ROWS / 64 + 1];
    bits_gather(bits, list, count, dense);
    CHECK(bitmap_count(dense, BITMAP_WORDS(count) * 64) == set);
    bits_clear(back, ROWS);
    bits_scatter(dense, list, count, back);
    bits_and(bits, chosen, ROWS, bits);
    CHECK(memcmp(bits, back, BITMAP_WORDS(ROWS) * sizeof *bits) == 0);
}

TEST(bits_of_codes_looks_up_entries) {
    static const uint32_t sizes[] = {3, 64, 65, 511, 512, 513, 1025, 3000, 4096, 4097};
    uint64_t seed = 6;
    for (size_t size = 0; size < sizeof sizes / sizeof sizes[0]; size++) {
        for (uint32_t rows = 0; rows <= ROWS; rows += 7) {
            uint64_t table[4097 / 64 + 1];
            uint32_t codes[ROWS];
            (void)fill_random(table, sizes[size], 2, &seed);
            for (uint32_t row = 0; row < rows; row++) {
                codes[row] = (uint32_t)(test_random(&seed) % sizes[size]);
            }
            uint64_t bits[ROWS / 64 + 1];
            memset(bits, 0xff, sizeof bits);
            bits_of_codes(table, sizes[size], codes, rows, bits);
            for (uint32_t row = 0; row < BITMAP_WORDS(rows) * 64; row++) {
                REQUIRE(bitmap_get(bits, row) == (row < rows && bitmap_get(table, codes[row])));
            }
        }
    }
}

TEST(gather_moves_values_of_all_widths) {
    uint8_t in[32 * 10];
    for (size_t i = 0; i < sizeof in; i++) {
        in[i] = (uint8_t)(i * 7);
    }
    const uint16_t rows[] = {1, 4, 9};
    const uint32_t codes[] = {9, 0, 3, 3, 1, 2, 5, 7, 8, 6};
    for (uint32_t width = 1; width <= 32; width *= 2) {
        uint8_t out[32 * 10];
        gather_rows(width, in, rows, 3, out);
        CHECK(memcmp(out + width, in + (size_t)4 * width, width) == 0);
        gather_codes(width, in, codes, 10, out);
        CHECK(memcmp(out, in + (size_t)9 * width, width) == 0);
        memset(out, 0, sizeof out);
        gather_codes_rows(width, in, codes, rows, 3, out);
        CHECK(memcmp(out + (size_t)9 * width, in + (size_t)6 * width, width) == 0);
        CHECK(out[0] == 0);
        memset(out, 0, sizeof out);
        gather_blend(width, in, rows, 3, out);
        CHECK(memcmp(out + (size_t)9 * width, in + (size_t)9 * width, width) == 0);
        gather_fill(width, in + width, rows, 3, out);
        CHECK(memcmp(out + (size_t)4 * width, in + width, width) == 0);
        gather_repeat(width, in + width, 10, out);
        CHECK(memcmp(out, in + width, width) == 0);
    }
}

TEST(gather_blends_by_bitmap) {
    uint64_t seed = 8;
    for (uint32_t width = 1; width <= 32; width *= 2) {
        for (uint32_t count = 0; count < 150; count += 13) {
            uint8_t in[150 * 32];
            uint8_t out[150 * 32];
            uint64_t bits[3] = {test_random(&seed), test_random(&seed), test_random(&seed)};
            for (size_t i = 0; i < sizeof in; i++) {
                in[i] = (uint8_t)(test_random(&seed) | 1);
            }
            for (int constant = 0; constant < 2; constant++) {
                memset(out, 0, sizeof out);
                gather_blend_bits(width, in, constant == 1, bits, count, out);
                static const uint8_t zeros[32] = {0};
                for (uint32_t i = 0; i < 150; i++) {
                    const uint8_t *from = in + (size_t)(constant == 1 ? 0 : i) * width;
                    const bool is_set = i < count && bitmap_get(bits, i);
                    REQUIRE(memcmp(out + (size_t)i * width, is_set ? from : zeros, width) == 0);
                }
            }
        }
    }
}
