#include "formats/parquet/write/pw_pack.h"

#include <string.h>

#include "base/compiler.h"
#include "base/test.h"
#include "formats/parquet/pq_unpack.h"

#define VALUES 1032
#define BYTES_MAX (VALUES / 8 * 64)

static uint64_t mask_of(uint32_t width) {
    return width == 0 ? 0 : UINT64_MAX >> (64 - width);
}

typedef struct sample {
    uint64_t u64[VALUES];
    uint32_t u32[VALUES];
    uint8_t u8[VALUES];
} sample;

// Random values of `width` bits among which the highest one and 0 are frequent.
static void fill(sample *out, uint32_t width, uint64_t *seed) {
    for (size_t i = 0; i < VALUES; i++) {
        const uint64_t random = test_random(seed);
        const uint64_t value = random % 8 == 0 ? UINT64_MAX : random % 8 == 1 ? 0 : random;
        out->u64[i] = value & mask_of(width);
        out->u32[i] = (uint32_t)(out->u64[i] & UINT32_MAX);
        out->u8[i] = (uint8_t)(out->u64[i] & UINT8_MAX);
    }
}

// The slow way, bit by bit.
static void pack_slowly(const uint64_t *values, size_t count, uint32_t width, uint8_t *out) {
    memset(out, 0, BYTES_MAX);
    for (size_t bit = 0; bit < count * width; bit++) {
        const uint64_t one = values[bit / width] >> (bit % width) & 1;
        out[bit / 8] = (uint8_t)(out[bit / 8] | one << (bit % 8));
    }
}

static uint8_t expected[BYTES_MAX];
static uint8_t packed[BYTES_MAX + PW_PACK_SPARE];

static bool same(size_t size) {
    return memcmp(packed, expected, size) == 0;
}

static void check_level(const pw_pack_kernels *kernels, const sample *values, size_t count,
                        uint32_t width) {
    const size_t size = count / 8 * width;
    pack_slowly(values->u64, count, width, expected);
    memset(packed, 0xee, sizeof packed);
    // Nothing is written further than the pad: AddressSanitizer looks.
    ASAN_POISON(packed + size + PW_PACK_SPARE, BYTES_MAX - size);
    kernels->u64(values->u64, count, width, packed);
    CHECK(same(size));
    if (width <= 32) {
        memset(packed, 0xee, size);
        kernels->u32(values->u32, count, width, packed);
        CHECK(same(size));
    }
    if (width <= 8) {
        memset(packed, 0xee, size);
        kernels->u8(values->u8, count, width, packed);
        CHECK(same(size));
    }
    ASAN_UNPOISON(packed, sizeof packed);
}

TEST(pw_pack_packs_every_width_at_every_level) {
    static const size_t counts[] = {0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 128, 248, 256, 264, 1032};
    static sample values;
    uint64_t seed = 11;
    for (uint32_t width = 0; width <= 64; width++) {
        fill(&values, width, &seed);
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            for (int level = 0; level <= (int)isa_best(); level++) {
                check_level(pw_pack_at((isa_level)level), &values, counts[c], width);
            }
        }
    }
}

TEST(pw_pack_is_undone_by_pq_unpack) {
    static sample values;
    static uint64_t out[VALUES + PQ_UNPACK_SPARE];
    static uint8_t all[BYTES_MAX + PW_PACK_SPARE + PQ_PAD];
    uint64_t seed = 12;
    for (uint32_t width = 0; width <= 64; width++) {
        fill(&values, width, &seed);
        pw_pack()->u64(values.u64, VALUES, width, all);
        pq_unpack()->u64(all, width, VALUES, out);
        CHECK(memcmp(out, values.u64, sizeof values.u64) == 0);
    }
}

TEST(pw_pack_packs_the_example_of_the_specification) {
    // Numbers 0 to 7 in 3 bits each.
    static const uint32_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7};
    static const uint8_t bytes_3[] = {0x88, 0xc6, 0xfa};
    pw_pack()->u32(numbers, 8, 3, packed);
    CHECK(memcmp(packed, bytes_3, sizeof bytes_3) == 0);
}
