// One step that all loops over levels are built on: 64 levels compared with a bound to 64 bits.
// Included by *.isa.c files only.
#ifndef FIRN_FORMATS_PARQUET_PQ_LEVEL_WORD_H
#define FIRN_FORMATS_PARQUET_PQ_LEVEL_WORD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#define WORD_LEVELS 64

// Bit i says at[i] >= least. Reads 64 bytes.
#if defined(__AVX512BW__)
static ALWAYS_INLINE uint64_t at_least_word(const uint8_t *at, uint8_t least) {
    const __m512i levels = _mm512_loadu_si512(at);
    return _mm512_cmpge_epu8_mask(levels, _mm512_set1_epi8((char)least));
}
#elif defined(__AVX2__)
static ALWAYS_INLINE uint64_t at_least_word(const uint8_t *at, uint8_t least) {
    const __m256i bound = _mm256_set1_epi8((char)least);
    uint64_t word = 0;
    for (uint32_t half = 0; half < 2; half++) {
        const __m256i levels =
            _mm256_loadu_si256((const __m256i *)(const void *)(at + (size_t)32 * half));
        const __m256i equal = _mm256_cmpeq_epi8(_mm256_max_epu8(levels, bound), levels);
        word |= (uint64_t)(uint32_t)_mm256_movemask_epi8(equal) << (32 * half);
    }
    return word;
}
#elif defined(__SSE2__)
static ALWAYS_INLINE uint64_t at_least_word(const uint8_t *at, uint8_t least) {
    const __m128i bound = _mm_set1_epi8((char)least);
    uint64_t word = 0;
    for (uint32_t part = 0; part < 4; part++) {
        const __m128i levels =
            _mm_loadu_si128((const __m128i *)(const void *)(at + (size_t)16 * part));
        const __m128i equal = _mm_cmpeq_epi8(_mm_max_epu8(levels, bound), levels);
        word |= (uint64_t)(uint32_t)_mm_movemask_epi8(equal) << (16 * part);
    }
    return word;
}
#else
// 8 flags to 8 bits: the multiplication moves the low bits of 8 bytes side by side into the top
// byte; on a little-endian machine byte i becomes bit i.
WRAPS static ALWAYS_INLINE uint64_t at_least_word(const uint8_t *at, uint8_t least) {
    uint64_t word = 0;
    for (uint32_t group = 0; group < WORD_LEVELS / 8; group++) {
        uint8_t flags[8];
        for (uint32_t i = 0; i < 8; i++) {
            flags[i] = at[8 * group + i] >= least;
        }
        uint64_t eight;
        memcpy(&eight, flags, sizeof eight);
        word |= ((eight * UINT64_C(0x0102040810204080)) >> 56) << (group * 8);
    }
    return word;
}
#endif

static ALWAYS_INLINE uint64_t first_bits(size_t count) {
    return count >= WORD_LEVELS ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

#endif
