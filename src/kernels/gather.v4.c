// Blending by bitmap with AVX-512: bits are the masks of stores.
#include "kernels/gather_v4.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))

// Bits [row, row + lanes) of a bitmap, those behind `count` clear. Lanes divide 64.
static inline uint32_t some_bits(const uint64_t *bits, uint32_t row, uint32_t lanes,
                                 uint32_t count) {
    const uint32_t rest = count - row < lanes ? count - row : lanes;
    return (uint32_t)(bits[row / 64] >> (row % 64)) & ((1U << rest) - 1);
}

AVX512 static void blend_8(const int64_t *in, bool in_is_constant, const uint64_t *bits,
                           uint32_t count, int64_t *out) {
    const __m512i constant = _mm512_set1_epi64(in[0]);
    for (uint32_t row = 0; row < count; row += 8) {
        const __mmask8 mask = (__mmask8)some_bits(bits, row, 8, count);
        const __m512i values = in_is_constant ? constant : _mm512_maskz_loadu_epi64(mask, in + row);
        _mm512_mask_storeu_epi64(out + row, mask, values);
    }
}

AVX512 static void blend_4(const int32_t *in, bool in_is_constant, const uint64_t *bits,
                           uint32_t count, int32_t *out) {
    const __m512i constant = _mm512_set1_epi32(in[0]);
    for (uint32_t row = 0; row < count; row += 16) {
        const __mmask16 mask = (__mmask16)some_bits(bits, row, 16, count);
        const __m512i values = in_is_constant ? constant : _mm512_maskz_loadu_epi32(mask, in + row);
        _mm512_mask_storeu_epi32(out + row, mask, values);
    }
}

void gather_blend_bits_v4(uint32_t width, const void *in, bool in_is_constant, const uint64_t *bits,
                          uint32_t count, void *out) {
    if (count == 0) {
        return;
    }
    if (width == 8) {
        blend_8(in, in_is_constant, bits, count, out);
    } else {
        blend_4(in, in_is_constant, bits, count, out);
    }
}
#endif
