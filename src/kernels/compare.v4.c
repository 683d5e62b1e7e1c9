// Comparisons with AVX-512, whose compare instructions give mask bits by themselves: 0.03 to 0.06
// ns a row where the loop of compare.template.h, which goes through bytes, takes 0.15.
#include "kernels/compare_table.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "base/compiler.h"

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))

#define WORD i8
#define C_TYPE int8_t
#define VECTOR __m512i
#define LANES 64
#define LOAD(at) _mm512_loadu_si512(at)
#define LOAD_SOME(mask, at) _mm512_maskz_loadu_epi8((__mmask64)(mask), at)
#define SPREAD(value) _mm512_set1_epi8(value)
#define MASK_LT(l, r) _mm512_cmplt_epi8_mask(l, r)
#define MASK_LE(l, r) _mm512_cmple_epi8_mask(l, r)
#define MASK_EQ(l, r) _mm512_cmpeq_epi8_mask(l, r)
#include "kernels/compare.v4.template.h"

#define WORD i16
#define C_TYPE int16_t
#define VECTOR __m512i
#define LANES 32
#define LOAD(at) _mm512_loadu_si512(at)
#define LOAD_SOME(mask, at) _mm512_maskz_loadu_epi16((__mmask32)(mask), at)
#define SPREAD(value) _mm512_set1_epi16(value)
#define MASK_LT(l, r) _mm512_cmplt_epi16_mask(l, r)
#define MASK_LE(l, r) _mm512_cmple_epi16_mask(l, r)
#define MASK_EQ(l, r) _mm512_cmpeq_epi16_mask(l, r)
#include "kernels/compare.v4.template.h"

#define WORD i32
#define C_TYPE int32_t
#define VECTOR __m512i
#define LANES 16
#define LOAD(at) _mm512_loadu_si512(at)
#define LOAD_SOME(mask, at) _mm512_maskz_loadu_epi32((__mmask16)(mask), at)
#define SPREAD(value) _mm512_set1_epi32(value)
#define MASK_LT(l, r) _mm512_cmplt_epi32_mask(l, r)
#define MASK_LE(l, r) _mm512_cmple_epi32_mask(l, r)
#define MASK_EQ(l, r) _mm512_cmpeq_epi32_mask(l, r)
#include "kernels/compare.v4.template.h"

#define WORD i64
#define C_TYPE int64_t
#define VECTOR __m512i
#define LANES 8
#define LOAD(at) _mm512_loadu_si512(at)
#define LOAD_SOME(mask, at) _mm512_maskz_loadu_epi64((__mmask8)(mask), at)
#define SPREAD(value) _mm512_set1_epi64(value)
#define MASK_LT(l, r) _mm512_cmplt_epi64_mask(l, r)
#define MASK_LE(l, r) _mm512_cmple_epi64_mask(l, r)
#define MASK_EQ(l, r) _mm512_cmpeq_epi64_mask(l, r)
#include "kernels/compare.v4.template.h"

// NaN is above all: l < r unless l >= r or l is none, and all are <= NaN.
#define WORD f32
#define C_TYPE float
#define VECTOR __m512
#define LANES 16
#define LOAD(at) _mm512_loadu_ps(at)
#define LOAD_SOME(mask, at) _mm512_maskz_loadu_ps((__mmask16)(mask), at)
#define SPREAD(value) _mm512_set1_ps(value)
#define MASK_LT(l, r) (_mm512_cmp_ps_mask(l, r, _CMP_NGE_UQ) & _mm512_cmp_ps_mask(l, l, _CMP_ORD_Q))
#define MASK_LE(l, r)                                                                              \
    (_mm512_cmp_ps_mask(l, r, _CMP_LE_OQ) | _mm512_cmp_ps_mask(r, r, _CMP_UNORD_Q))
#define MASK_EQ(l, r)                                                                              \
    (_mm512_cmp_ps_mask(l, r, _CMP_EQ_OQ) |                                                        \
     (_mm512_cmp_ps_mask(l, l, _CMP_UNORD_Q) & _mm512_cmp_ps_mask(r, r, _CMP_UNORD_Q)))
#include "kernels/compare.v4.template.h"

#define WORD f64
#define C_TYPE double
#define VECTOR __m512d
#define LANES 8
#define LOAD(at) _mm512_loadu_pd(at)
#define LOAD_SOME(mask, at) _mm512_maskz_loadu_pd((__mmask8)(mask), at)
#define SPREAD(value) _mm512_set1_pd(value)
#define MASK_LT(l, r) (_mm512_cmp_pd_mask(l, r, _CMP_NGE_UQ) & _mm512_cmp_pd_mask(l, l, _CMP_ORD_Q))
#define MASK_LE(l, r)                                                                              \
    (_mm512_cmp_pd_mask(l, r, _CMP_LE_OQ) | _mm512_cmp_pd_mask(r, r, _CMP_UNORD_Q))
#define MASK_EQ(l, r)                                                                              \
    (_mm512_cmp_pd_mask(l, r, _CMP_EQ_OQ) |                                                        \
     (_mm512_cmp_pd_mask(l, l, _CMP_UNORD_Q) & _mm512_cmp_pd_mask(r, r, _CMP_UNORD_Q)))
#include "kernels/compare.v4.template.h"

#define COMPARE_WIDE_LIST(X)                                                                       \
    X(I8, i8)                                                                                      \
    X(I16, i16)                                                                                    \
    X(I32, i32)                                                                                    \
    X(I64, i64)                                                                                    \
    X(F32, f32)                                                                                    \
    X(F64, f64)
#define CONSTANT(NAME, word)                                                                       \
    [PHYSICAL_##NAME] = {                                                                          \
        [COMPARE_LT] = compare_lt_v4_##word,                                                       \
        [COMPARE_LE] = compare_le_v4_##word,                                                       \
        [COMPARE_EQ] = compare_eq_v4_##word,                                                       \
    },
#define COLUMNS(NAME, word)                                                                        \
    [PHYSICAL_##NAME] = {                                                                          \
        [COMPARE_LT] = compare_lt_columns_v4_##word,                                               \
        [COMPARE_LE] = compare_le_columns_v4_##word,                                               \
        [COMPARE_EQ] = compare_eq_columns_v4_##word,                                               \
    },
const compare_table compare_table_wide = {.columns = {COMPARE_WIDE_LIST(COLUMNS)},
                                          .constant = {COMPARE_WIDE_LIST(CONSTANT)}};
#endif
