#include "formats/parquet/pq_spread.h"

#include <string.h>

#include "base/test.h"
#include "column/column.h"
#include "formats/parquet/pq_unpack.h"

#define ROWS 300

// A bitmap whose words are full, empty or mixed.
static void fill_validity(uint64_t *seed, uint64_t *validity) {
    for (size_t i = 0; i < BITMAP_WORDS(ROWS); i++) {
        const uint64_t random = test_random(seed);
        validity[i] = random % 4 == 0 ? 0 : random % 4 == 1 ? UINT64_MAX : test_random(seed);
    }
}

static void check_size(pq_spread_kernel kernel, uint32_t size, const uint64_t *validity,
                       uint32_t row_count) {
    _Alignas(64) uint8_t values[ROWS * 32 + PQ_PAD];
    for (size_t i = 0; i < sizeof values; i++) {
        values[i] = (uint8_t)(i / size * 7 + i % size + 1);
    }
    uint8_t dense[ROWS * 32];
    memcpy(dense, values, sizeof dense);
    static const uint8_t zero[32] = {0};
    kernel(values, validity, row_count);
    uint32_t at = 0;
    bool same = true;
    for (uint32_t row = 0; row < row_count; row++) {
        const uint8_t *expected = zero;
        if (bitmap_get(validity, row)) {
            expected = dense + (size_t)at * size;
            at += 1;
        }
        same = same && memcmp(values + (size_t)row * size, expected, size) == 0;
    }
    CHECK(same);
}

TEST(pq_spread_moves_values_of_every_size_at_every_level) {
    uint64_t seed = 21;
    for (uint32_t row_count = 0; row_count <= ROWS; row_count += 1 + row_count % 7) {
        uint64_t validity[BITMAP_WORDS(ROWS)];
        fill_validity(&seed, validity);
        for (int level = 0; level <= (int)isa_best(); level++) {
            const pq_spread_kernels *kernels = pq_spread_kernels_at((isa_level)level);
            check_size(kernels->size_1, 1, validity, row_count);
            check_size(kernels->size_2, 2, validity, row_count);
            check_size(kernels->size_4, 4, validity, row_count);
            check_size(kernels->size_8, 8, validity, row_count);
            check_size(kernels->size_16, 16, validity, row_count);
            check_size(kernels->size_32, 32, validity, row_count);
        }
    }
}

TEST(pq_spread_moves_bits_at_every_level) {
    uint64_t seed = 22;
    for (uint32_t row_count = 0; row_count <= ROWS; row_count++) {
        uint64_t validity[BITMAP_WORDS(ROWS)];
        fill_validity(&seed, validity);
        for (int level = 0; level <= (int)isa_best(); level++) {
            uint64_t bits[BITMAP_WORDS(ROWS)];
            uint64_t dense[BITMAP_WORDS(ROWS)];
            for (size_t i = 0; i < BITMAP_WORDS(ROWS); i++) {
                bits[i] = test_random(&seed);
            }
            memcpy(dense, bits, sizeof dense);
            pq_spread_kernels_at((isa_level)level)->bits(bits, validity, row_count);
            uint32_t at = 0;
            bool same = true;
            for (uint32_t row = 0; row < row_count; row++) {
                const bool is_valid = bitmap_get(validity, row);
                same = same && bitmap_get(bits, row) == (is_valid && bitmap_get(dense, at));
                at += is_valid;
            }
            CHECK(same);
        }
    }
}
