// Compiled once per instruction-set level; see base/isa.h. Exports one symbol: the level's kernels.
#include <stdbool.h>
#include <string.h>

#include "base/compiler.h"
#include "base/isa.h"
#include "base/wide.h"
#include "formats/parquet/pq_spread_table.h"

#if defined(__BMI2__)
#include <immintrin.h>
#endif

static ALWAYS_INLINE uint64_t first_bits(size_t count) {
    return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

static ALWAYS_INLINE size_t count_bits(const uint64_t *bitmap, size_t count) {
    size_t set = 0;
    for (size_t at = 0; at < count; at += 64) {
        set += (size_t)__builtin_popcountll(bitmap[at / 64] & first_bits(count - at));
    }
    return set;
}

#define WORD 1
#define C_TYPE uint8_t
#define ZERO 0
#include "formats/parquet/pq_spread.template.h"

#define WORD 2
#define C_TYPE uint16_t
#define ZERO 0
#include "formats/parquet/pq_spread.template.h"

#define WORD 16
#define C_TYPE i128
#define ZERO 0
#include "formats/parquet/pq_spread.template.h"

#define WORD 32
#define C_TYPE i256
#define ZERO {{0, 0, 0, 0}}
#include "formats/parquet/pq_spread.template.h"

#if defined(__AVX512F__)

// Eight rows a step: the expanding load does the work.
static void ISA_NAME(spread_8)(void *values, const uint64_t *validity, uint32_t row_count) {
    uint64_t *rows = values;
    size_t left = count_bits(validity, row_count);
    for (size_t from = ((size_t)row_count + 7) / 8 * 8; from > 0;) {
        from -= 8;
        const size_t count = row_count - from;
        const uint64_t bits =
            validity[from / 64] >> (from % 64) & first_bits(count < 8 ? count : 8);
        left -= (size_t)__builtin_popcountll(bits);
        const __m512i value = _mm512_maskz_expandloadu_epi64((__mmask8)bits, rows + left);
        _mm512_mask_storeu_epi64(rows + from, (__mmask8)first_bits(count < 8 ? count : 8), value);
    }
}

static void ISA_NAME(spread_4)(void *values, const uint64_t *validity, uint32_t row_count) {
    uint32_t *rows = values;
    size_t left = count_bits(validity, row_count);
    for (size_t from = ((size_t)row_count + 15) / 16 * 16; from > 0;) {
        from -= 16;
        const size_t count = row_count - from;
        const uint64_t bits =
            validity[from / 64] >> (from % 64) & first_bits(count < 16 ? count : 16);
        left -= (size_t)__builtin_popcountll(bits);
        const __m512i value = _mm512_maskz_expandloadu_epi32((__mmask16)bits, rows + left);
        _mm512_mask_storeu_epi32(rows + from, (__mmask16)first_bits(count < 16 ? count : 16),
                                 value);
    }
}

#else

#define WORD 4
#define C_TYPE uint32_t
#define ZERO 0
#include "formats/parquet/pq_spread.template.h"

#define WORD 8
#define C_TYPE uint64_t
#define ZERO 0
#include "formats/parquet/pq_spread.template.h"

#endif

// The low bits of `bits` to the places of the set bits of `mask`.
static ALWAYS_INLINE uint64_t deposit(uint64_t bits, uint64_t mask) {
#if defined(__BMI2__)
    return _pdep_u64(bits, mask);
#else
    uint64_t out = 0;
    for (; mask != 0; mask &= mask - 1) {
        out |= (bits & 1) << __builtin_ctzll(mask);
        bits >>= 1;
    }
    return out;
#endif
}

// 64 bits of a bitmap from bit `at` on; does not read the next word if nothing of it is needed.
WRAPS static ALWAYS_INLINE uint64_t bits_at(const uint64_t *bitmap, size_t at, size_t count) {
    const size_t shift = at % 64;
    uint64_t bits = bitmap[at / 64] >> shift;
    if (shift > 0 && count > 64 - shift) {
        bits |= bitmap[at / 64 + 1] << (64 - shift);
    }
    return bits;
}

WRAPS static void ISA_NAME(spread_bits)(void *values, const uint64_t *validity,
                                        uint32_t row_count) {
    uint64_t *rows = values;
    size_t left = count_bits(validity, row_count);
    for (size_t word = ((size_t)row_count + 63) / 64; word > 0; word--) {
        const size_t from = (word - 1) * 64;
        const uint64_t mask = validity[word - 1] & first_bits(row_count - from);
        const size_t present = (size_t)__builtin_popcountll(mask);
        left -= present;
        rows[word - 1] = present == 0 ? 0 : deposit(bits_at(rows, left, present), mask);
    }
}

const pq_spread_kernels ISA_NAME(pq_spread_kernels) = {
    .size_1 = ISA_NAME(spread_1),
    .size_2 = ISA_NAME(spread_2),
    .size_4 = ISA_NAME(spread_4),
    .size_8 = ISA_NAME(spread_8),
    .size_16 = ISA_NAME(spread_16),
    .size_32 = ISA_NAME(spread_32),
    .bits = ISA_NAME(spread_bits),
};
