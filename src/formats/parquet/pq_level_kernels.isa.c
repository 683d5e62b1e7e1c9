// Compiled once per instruction-set level; see base/isa.h. Exports one symbol: the level's kernels.
//
// All are built on one step: 64 levels compared with a bound to 64 bits.
#include <string.h>

#include "base/compiler.h"
#include "base/isa.h"
#include "formats/parquet/pq_level_kernels_table.h"

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
        const __m256i levels = _mm256_loadu_si256((const __m256i *)(const void *)(at + 32 * half));
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
        const __m128i levels = _mm_loadu_si128((const __m128i *)(const void *)(at + 16 * part));
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

static size_t ISA_NAME(level_at_least)(const uint8_t *levels, size_t count, uint8_t least,
                                       uint64_t *out) {
    size_t set = 0;
    for (size_t at = 0; at < count; at += WORD_LEVELS) {
        const uint64_t word = at_least_word(levels + at, least) & first_bits(count - at);
        out[at / WORD_LEVELS] = word;
        set += (size_t)__builtin_popcountll(word);
    }
    return set;
}

static size_t ISA_NAME(level_count_zero)(const uint8_t *levels, size_t count) {
    size_t zeros = 0;
    for (size_t at = 0; at < count; at += WORD_LEVELS) {
        const uint64_t word = ~at_least_word(levels + at, 1) & first_bits(count - at);
        zeros += (size_t)__builtin_popcountll(word);
    }
    return zeros;
}

static size_t ISA_NAME(level_find_zero)(const uint8_t *levels, size_t count, size_t n) {
    for (size_t at = 0; at < count; at += WORD_LEVELS) {
        uint64_t word = ~at_least_word(levels + at, 1) & first_bits(count - at);
        const size_t zeros = (size_t)__builtin_popcountll(word);
        if (n < zeros) {
            for (; n > 0; n--) {
                word &= word - 1;
            }
            return at + (size_t)__builtin_ctzll(word);
        }
        n -= zeros;
    }
    return count;
}

static uint8_t ISA_NAME(level_highest)(const uint8_t *levels, size_t count) {
    uint8_t highest = 0;
    for (size_t i = 0; i < count; i++) {
        highest = levels[i] > highest ? levels[i] : highest;
    }
    return highest;
}

const pq_level_kernels ISA_NAME(pq_level_kernels) = {
    .at_least = ISA_NAME(level_at_least),
    .count_zero = ISA_NAME(level_count_zero),
    .find_zero = ISA_NAME(level_find_zero),
    .highest = ISA_NAME(level_highest),
};
