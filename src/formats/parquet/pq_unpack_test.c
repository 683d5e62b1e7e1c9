#include "formats/parquet/pq_unpack.h"

#include <string.h>

#include "base/compiler.h"
#include "base/test.h"

#define VALUES 200
#define BYTES_MAX ((VALUES * 64) / 8)

WRAPS static uint64_t mix(uint64_t i) {
    i = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    return i ^ i >> 29;
}

static uint64_t mask_of(uint32_t width) {
    return width == 0 ? 0 : UINT64_MAX >> (64 - width);
}

// Writes VALUES values the slow way, bit by bit.
static void pack(uint32_t width, uint8_t *out) {
    memset(out, 0, BYTES_MAX + PQ_PAD);
    for (size_t bit = 0; bit < (size_t)VALUES * width; bit++) {
        const uint64_t one = mix(bit / width) >> (bit % width) & 1;
        out[bit / 8] = (uint8_t)(out[bit / 8] | one << (bit % 8));
    }
}

static void check_level(const pq_unpack_kernels *kernels, uint32_t width, const uint8_t *packed) {
    const size_t counts[] = {0, 1, 7, 8, 9, 16, 31, 64, 65, 100, VALUES};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        const size_t count = counts[c];
        uint8_t bytes_out[VALUES + PQ_UNPACK_SPARE];
        uint32_t words_out[VALUES + PQ_UNPACK_SPARE];
        uint64_t longs_out[VALUES + PQ_UNPACK_SPARE];
        bool same = true;
        kernels->u64(packed, width, count, longs_out);
        for (size_t i = 0; i < count; i++) {
            same = same && longs_out[i] == (mix(i) & mask_of(width));
        }
        if (width <= 32) {
            kernels->u32(packed, width, count, words_out);
            for (size_t i = 0; i < count; i++) {
                same = same && words_out[i] == (mix(i) & mask_of(width));
            }
        }
        if (width <= 8) {
            kernels->u8(packed, width, count, bytes_out);
            for (size_t i = 0; i < count; i++) {
                same = same && bytes_out[i] == (mix(i) & mask_of(width));
            }
        }
        CHECK(same);
        uint32_t highest = 0;
        for (size_t i = 0; i < count && width <= 32; i++) {
            highest = words_out[i] > highest ? words_out[i] : highest;
        }
        CHECK(width > 32 || kernels->highest(words_out, count) == highest);
    }
}

TEST(pq_unpack_unpacks_every_width_at_every_level) {
    static uint8_t packed[BYTES_MAX + PQ_PAD];
    for (uint32_t width = 0; width <= 64; width++) {
        pack(width, packed);
        for (int level = 0; level <= (int)isa_best(); level++) {
            check_level(pq_unpack_at((isa_level)level), width, packed);
        }
    }
}

// Nothing is read further than PQ_PAD behind the packed bytes, nothing written further than
// PQ_UNPACK_SPARE behind the values: AddressSanitizer looks at both.
TEST(pq_unpack_stays_within_its_pads) {
    for (uint32_t width = 1; width <= 64; width++) {
        for (size_t count = 1; count <= 70; count++) {
            const size_t size = (count * width + 7) / 8;
            static uint8_t all[BYTES_MAX];
            static uint64_t out[70 + PQ_UNPACK_SPARE];
            static uint32_t words[70 + PQ_UNPACK_SPARE];
            static uint8_t octets[70 + PQ_UNPACK_SPARE];
            ASAN_POISON(all + size + PQ_PAD, sizeof all - size - PQ_PAD);
            ASAN_POISON(out + count + PQ_UNPACK_SPARE, (70 - count) * sizeof *out);
            for (int level = 0; level <= (int)isa_best(); level++) {
                const pq_unpack_kernels *kernels = pq_unpack_at((isa_level)level);
                kernels->u64(all, width, count, out);
                if (width <= 32) {
                    kernels->u32(all, width, count,
                                 words + sizeof words / sizeof *words - count - PQ_UNPACK_SPARE);
                }
                if (width <= 8) {
                    kernels->u8(all, width, count,
                                octets + sizeof octets - count - PQ_UNPACK_SPARE);
                }
            }
            CHECK(out[count - 1] == 0);
            ASAN_UNPOISON(all, sizeof all);
            ASAN_UNPOISON(out, sizeof out);
        }
    }
}
