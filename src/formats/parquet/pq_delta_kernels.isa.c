// Compiled once per instruction-set level; see base/isa.h. Exports one symbol: the level's kernels.
//
// The vector form adds within a register in log steps (each lane gets the sum of those before it),
// then the last value of the register before: only that addition and its broadcast wait for the
// step before.
#include "base/compiler.h"
#include "base/isa.h"
#include "formats/parquet/pq_delta_kernels_table.h"

#if defined(__AVX512BW__)
#include <immintrin.h>

// Sums of 8 lanes: lane i gets lanes 0 to i.
static ALWAYS_INLINE __m512i running_u64(__m512i lanes) {
    const __m512i zero = _mm512_setzero_si512();
    lanes = _mm512_add_epi64(lanes, _mm512_alignr_epi64(lanes, zero, 7));
    lanes = _mm512_add_epi64(lanes, _mm512_alignr_epi64(lanes, zero, 6));
    return _mm512_add_epi64(lanes, _mm512_alignr_epi64(lanes, zero, 4));
}

static ALWAYS_INLINE __m512i running_u32(__m512i lanes) {
    const __m512i zero = _mm512_setzero_si512();
    lanes = _mm512_add_epi32(lanes, _mm512_alignr_epi32(lanes, zero, 15));
    lanes = _mm512_add_epi32(lanes, _mm512_alignr_epi32(lanes, zero, 14));
    lanes = _mm512_add_epi32(lanes, _mm512_alignr_epi32(lanes, zero, 12));
    return _mm512_add_epi32(lanes, _mm512_alignr_epi32(lanes, zero, 8));
}

WRAPS static uint64_t ISA_NAME(delta_sum_u32_i32)(const uint32_t *deltas, size_t count,
                                                  uint64_t least, uint64_t last, int32_t *out) {
    const __m512i step = _mm512_set1_epi32((int32_t)(uint32_t)least);
    const __m512i last_lane = _mm512_set1_epi32(15);
    __m512i before = _mm512_set1_epi32((int32_t)(uint32_t)last);
    for (size_t i = 0; i < count; i += 16) {
        const __m512i raw = _mm512_add_epi32(_mm512_loadu_si512(deltas + i), step);
        const __m512i values = _mm512_add_epi32(running_u32(raw), before);
        _mm512_storeu_si512(out + i, values);
        before = _mm512_permutexvar_epi32(last_lane, values);
    }
    return count == 0 ? last : (uint64_t)(uint32_t)out[count - 1];
}

static ALWAYS_INLINE void sum_8(__m512i raw, __m512i step, __m512i *before, int64_t *out) {
    const __m512i last_lane = _mm512_set1_epi64(7);
    const __m512i values = _mm512_add_epi64(running_u64(_mm512_add_epi64(raw, step)), *before);
    _mm512_storeu_si512(out, values);
    *before = _mm512_permutexvar_epi64(last_lane, values);
}

WRAPS static uint64_t ISA_NAME(delta_sum_u32_i64)(const uint32_t *deltas, size_t count,
                                                  uint64_t least, uint64_t last, int64_t *out) {
    const __m512i step = _mm512_set1_epi64((int64_t)least);
    __m512i before = _mm512_set1_epi64((int64_t)last);
    for (size_t i = 0; i < count; i += 8) {
        const __m256i raw = _mm256_loadu_si256((const __m256i *)(const void *)(deltas + i));
        sum_8(_mm512_cvtepu32_epi64(raw), step, &before, out + i);
    }
    return count == 0 ? last : (uint64_t)out[count - 1];
}

WRAPS static uint64_t ISA_NAME(delta_sum_u64_i64)(const uint64_t *deltas, size_t count,
                                                  uint64_t least, uint64_t last, int64_t *out) {
    const __m512i step = _mm512_set1_epi64((int64_t)least);
    __m512i before = _mm512_set1_epi64((int64_t)last);
    for (size_t i = 0; i < count; i += 8) {
        sum_8(_mm512_loadu_si512(deltas + i), step, &before, out + i);
    }
    return count == 0 ? last : (uint64_t)out[count - 1];
}

#else

WRAPS static uint64_t ISA_NAME(delta_sum_u32_i32)(const uint32_t *deltas, size_t count,
                                                  uint64_t least, uint64_t last, int32_t *out) {
    uint32_t sum = (uint32_t)last;
    for (size_t i = 0; i < count; i++) {
        sum += deltas[i] + (uint32_t)least;
        out[i] = (int32_t)sum;
    }
    return count == 0 ? last : sum;
}

WRAPS static uint64_t ISA_NAME(delta_sum_u32_i64)(const uint32_t *deltas, size_t count,
                                                  uint64_t least, uint64_t last, int64_t *out) {
    for (size_t i = 0; i < count; i++) {
        last += deltas[i] + least;
        out[i] = (int64_t)last;
    }
    return last;
}

WRAPS static uint64_t ISA_NAME(delta_sum_u64_i64)(const uint64_t *deltas, size_t count,
                                                  uint64_t least, uint64_t last, int64_t *out) {
    for (size_t i = 0; i < count; i++) {
        last += deltas[i] + least;
        out[i] = (int64_t)last;
    }
    return last;
}

#endif

const pq_delta_kernels ISA_NAME(pq_delta_kernels) = {
    .sum_u32_i32 = ISA_NAME(delta_sum_u32_i32),
    .sum_u32_i64 = ISA_NAME(delta_sum_u32_i64),
    .sum_u64_i64 = ISA_NAME(delta_sum_u64_i64),
};
