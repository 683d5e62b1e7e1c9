// Compiled once per instruction-set level; see base/isa.h. Exports one symbol: the level's kernels.
//
// The idea of the vector forms: a block of values is loaded so that each 128-bit lane holds the
// bytes of the lane's values; a byte shuffle moves a window of bytes that contains value i to place
// i; a shift by place and a mask are left. A window of 2, 4 or 8 bytes holds a value of up to 8
// (9), 25 or 57 bits whatever bit of a byte it begins at. The shuffles and shifts depend on the
// width only and stand in tables.
#include <string.h>

#include "base/compiler.h"
#include "base/isa.h"
#include "formats/parquet/pq_unpack_table.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#define U8_BITS_MAX 8
#define U32_WINDOW_BITS_MAX 25
#define U64_WINDOW_BITS_MAX 57

static ALWAYS_INLINE uint64_t load_u64(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static ALWAYS_INLINE uint64_t bits_mask(uint32_t width) {
    return width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
}

// Value `i` of a packed run, for widths up to 64: the ninth byte is needed above 57 bits.
WRAPS static ALWAYS_INLINE uint64_t unpack_one(const uint8_t *packed, uint32_t width, size_t i) {
    const size_t bit = i * width;
    const uint32_t shift = (uint32_t)(bit % 8);
    uint64_t value = load_u64(packed + bit / 8) >> shift;
    if (width > U64_WINDOW_BITS_MAX && shift > 0) {
        value |= (uint64_t)packed[bit / 8 + 8] << 1 << (63 - shift);
    }
    return value & bits_mask(width);
}

#if !defined(__AVX2__)

// `width` is a constant in every caller, so that shifts and offsets are constants in the loop.
static ALWAYS_INLINE void unpack_u32_of(const uint8_t *packed, size_t count, uint32_t *out,
                                        uint32_t width) {
    for (size_t block = 0; block < count; block += 8) {
        for (size_t i = 0; i < 8; i++) {
            out[block + i] = (uint32_t)unpack_one(packed, width, i);
        }
        packed += width;
    }
}

static ALWAYS_INLINE void unpack_u8_of(const uint8_t *packed, size_t count, uint8_t *out,
                                       uint32_t width) {
    for (size_t block = 0; block < count; block += 8) {
        const uint64_t eight = load_u64(packed);
        for (size_t i = 0; i < 8; i++) {
            out[block + i] = (uint8_t)(eight >> (i * width) & bits_mask(width));
        }
        packed += width;
    }
}

#define WIDTHS_TO_8(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#define WIDTHS_TO_32(X)                                                                            \
    WIDTHS_TO_8(X)                                                                                 \
    X(9)                                                                                           \
    X(10)                                                                                          \
    X(11)                                                                                          \
    X(12)                                                                                          \
    X(13)                                                                                          \
    X(14)                                                                                          \
    X(15)                                                                                          \
    X(16)                                                                                          \
    X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31) X(32)

static void unpack_u8_some(const uint8_t *packed, uint32_t width, size_t count, uint8_t *out) {
    switch (width) {
#define X(w)                                                                                       \
    case w:                                                                                        \
        unpack_u8_of(packed, count, out, w);                                                       \
        break;
        WIDTHS_TO_8(X)
#undef X
    default:
        break;
    }
}

static void unpack_u32_some(const uint8_t *packed, uint32_t width, size_t count, uint32_t *out) {
    switch (width) {
#define X(w)                                                                                       \
    case w:                                                                                        \
        unpack_u32_of(packed, count, out, w);                                                      \
        break;
        WIDTHS_TO_32(X)
#undef X
    default:
        break;
    }
}

static void unpack_u64_some(const uint8_t *packed, uint32_t width, size_t count, uint64_t *out) {
    for (size_t i = 0; i < count; i++) {
        out[i] = unpack_one(packed, width, i);
    }
}

#else

// Tables of the byte shuffles and shifts, one row per width. In lane `l` the values before it take
// `l * per_lane * width` bits; what is left over of the last byte moves the lane's windows.
#define LANE_BIT(w, l, per_lane) (((l) * (per_lane) * (w)) % 8)
#define VALUE_BIT(w, l, i, per_lane) (LANE_BIT(w, l, per_lane) + (i) * (w))
#define AT(w, l, i, n, per_lane) (uint8_t)(VALUE_BIT(w, l, i, per_lane) / 8 + (n))

#define WINDOW_2(w, l, i) AT(w, l, i, 0, 8), AT(w, l, i, 1, 8)
#define LANE_2(w, l)                                                                               \
    WINDOW_2(w, l, 0), WINDOW_2(w, l, 1), WINDOW_2(w, l, 2), WINDOW_2(w, l, 3), WINDOW_2(w, l, 4), \
        WINDOW_2(w, l, 5), WINDOW_2(w, l, 6), WINDOW_2(w, l, 7)

#define WINDOW_4(w, l, i) AT(w, l, i, 0, 4), AT(w, l, i, 1, 4), AT(w, l, i, 2, 4), AT(w, l, i, 3, 4)
#define LANE_4(w, l) WINDOW_4(w, l, 0), WINDOW_4(w, l, 1), WINDOW_4(w, l, 2), WINDOW_4(w, l, 3)
#define SHIFT_4(w, l, i) VALUE_BIT(w, l, i, 4) % 8
#define SHIFTS_4(w, l) SHIFT_4(w, l, 0), SHIFT_4(w, l, 1), SHIFT_4(w, l, 2), SHIFT_4(w, l, 3)

#define WINDOW_8(w, l, i)                                                                          \
    AT(w, l, i, 0, 2), AT(w, l, i, 1, 2), AT(w, l, i, 2, 2), AT(w, l, i, 3, 2), AT(w, l, i, 4, 2), \
        AT(w, l, i, 5, 2), AT(w, l, i, 6, 2), AT(w, l, i, 7, 2)
#define LANE_8(w, l) WINDOW_8(w, l, 0), WINDOW_8(w, l, 1)
#define SHIFT_8(w, l, i) VALUE_BIT(w, l, i, 2) % 8
#define SHIFTS_8(w, l) SHIFT_8(w, l, 0), SHIFT_8(w, l, 1)

#define WIDTHS_0_TO_8(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#define WIDTHS_0_TO_25(X)                                                                          \
    WIDTHS_0_TO_8(X)                                                                               \
    X(9)                                                                                           \
    X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25)
#define WIDTHS_0_TO_57(X)                                                                          \
    WIDTHS_0_TO_25(X)                                                                              \
    X(26)                                                                                          \
    X(27)                                                                                          \
    X(28)                                                                                          \
    X(29)                                                                                          \
    X(30)                                                                                          \
    X(31)                                                                                          \
    X(32)                                                                                          \
    X(33)                                                                                          \
    X(34)                                                                                          \
    X(35)                                                                                          \
    X(36)                                                                                          \
    X(37)                                                                                          \
    X(38)                                                                                          \
    X(39)                                                                                          \
    X(40)                                                                                          \
    X(41)                                                                                          \
    X(42) X(43) X(44) X(45) X(46) X(47) X(48) X(49) X(50) X(51) X(52) X(53) X(54) X(55) X(56) X(57)

// Bytes: eight values a lane, so that every lane begins at a whole byte and all look the same.
static const uint8_t shuffles_2[U8_BITS_MAX + 1][16] = {
#define X(w) {LANE_2(w, 0)},
    WIDTHS_0_TO_8(X)
#undef X
};
// Instead of a shift right by s: a multiplication by 2^(8 - s), then a shift right by 8.
#define FACTOR(w, i) (uint16_t)(256 >> VALUE_BIT(w, 0, i, 8) % 8)
static const uint16_t factors_2[U8_BITS_MAX + 1][8] = {
#define X(w)                                                                                       \
    {FACTOR(w, 0), FACTOR(w, 1), FACTOR(w, 2), FACTOR(w, 3),                                       \
     FACTOR(w, 4), FACTOR(w, 5), FACTOR(w, 6), FACTOR(w, 7)},
    WIDTHS_0_TO_8(X)
#undef X
};
static const uint8_t shuffles_4[U32_WINDOW_BITS_MAX + 1][64] = {
#define X(w) {LANE_4(w, 0), LANE_4(w, 1), LANE_4(w, 2), LANE_4(w, 3)},
    WIDTHS_0_TO_25(X)
#undef X
};
static const uint32_t shifts_4[U32_WINDOW_BITS_MAX + 1][16] = {
#define X(w) {SHIFTS_4(w, 0), SHIFTS_4(w, 1), SHIFTS_4(w, 2), SHIFTS_4(w, 3)},
    WIDTHS_0_TO_25(X)
#undef X
};
static const uint8_t shuffles_8[U64_WINDOW_BITS_MAX + 1][64] = {
#define X(w) {LANE_8(w, 0), LANE_8(w, 1), LANE_8(w, 2), LANE_8(w, 3)},
    WIDTHS_0_TO_57(X)
#undef X
};
static const uint64_t shifts_8[U64_WINDOW_BITS_MAX + 1][8] = {
#define X(w) {SHIFTS_8(w, 0), SHIFTS_8(w, 1), SHIFTS_8(w, 2), SHIFTS_8(w, 3)},
    WIDTHS_0_TO_57(X)
#undef X
};

static ALWAYS_INLINE __m128i load_lane(const uint8_t *at) {
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

static ALWAYS_INLINE __m256i load_lanes_2(const uint8_t *a, const uint8_t *b) {
    return _mm256_inserti128_si256(_mm256_castsi128_si256(load_lane(a)), load_lane(b), 1);
}

// 16 values a step.
static void unpack_u8_some(const uint8_t *packed, uint32_t width, size_t count, uint8_t *out) {
    const __m256i shuffle = _mm256_broadcastsi128_si256(load_lane(shuffles_2[width]));
    const __m256i factor =
        _mm256_broadcastsi128_si256(load_lane((const uint8_t *)factors_2[width]));
    const __m256i mask = _mm256_set1_epi16((int16_t)bits_mask(width));
    for (size_t i = 0; i < count; i += 16) {
        const __m256i raw = load_lanes_2(packed, packed + width);
        const __m256i windows = _mm256_shuffle_epi8(raw, shuffle);
        const __m256i moved = _mm256_srli_epi16(_mm256_mullo_epi16(windows, factor), 8);
        const __m256i values = _mm256_and_si256(moved, mask);
        const __m128i bytes_16 =
            _mm_packus_epi16(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
        _mm_storeu_si128((__m128i *)(void *)(out + i), bytes_16);
        packed += 2 * (size_t)width;
    }
}

#if defined(__AVX512BW__)

static ALWAYS_INLINE __m512i load_lanes_4(const uint8_t *at, size_t b, size_t c, size_t d) {
    const __m512i low = _mm512_castsi256_si512(load_lanes_2(at, at + b));
    return _mm512_inserti64x4(low, load_lanes_2(at + c, at + d), 1);
}

// 16 values a step.
static void unpack_u32_window(const uint8_t *packed, uint32_t width, size_t count, uint32_t *out) {
    const __m512i shuffle = _mm512_loadu_si512(shuffles_4[width]);
    const __m512i shift = _mm512_loadu_si512(shifts_4[width]);
    const __m512i mask = _mm512_set1_epi32((int32_t)bits_mask(width));
    const size_t b = width / 2;
    const size_t d = (3 * (size_t)width) / 2;
    for (size_t i = 0; i < count; i += 16) {
        const __m512i raw = load_lanes_4(packed, b, width, d);
        const __m512i windows = _mm512_shuffle_epi8(raw, shuffle);
        const __m512i values = _mm512_and_si512(_mm512_srlv_epi32(windows, shift), mask);
        _mm512_storeu_si512(out + i, values);
        packed += 2 * (size_t)width;
    }
}

// 8 values of 64-bit windows.
static ALWAYS_INLINE __m512i unpack_8(const uint8_t *packed, uint32_t width, __m512i shuffle,
                                      __m512i shift, __m512i mask) {
    const __m512i raw = load_lanes_4(packed, width / 4, width / 2, (3 * (size_t)width) / 4);
    const __m512i windows = _mm512_shuffle_epi8(raw, shuffle);
    return _mm512_and_si512(_mm512_srlv_epi64(windows, shift), mask);
}

static void unpack_u32_wide(const uint8_t *packed, uint32_t width, size_t count, uint32_t *out) {
    const __m512i shuffle = _mm512_loadu_si512(shuffles_8[width]);
    const __m512i shift = _mm512_loadu_si512(shifts_8[width]);
    const __m512i mask = _mm512_set1_epi64((int64_t)bits_mask(width));
    for (size_t i = 0; i < count; i += 8) {
        const __m512i values = unpack_8(packed, width, shuffle, shift, mask);
        _mm256_storeu_si256((__m256i *)(void *)(out + i), _mm512_cvtepi64_epi32(values));
        packed += width;
    }
}

static void unpack_u64_window(const uint8_t *packed, uint32_t width, size_t count, uint64_t *out) {
    const __m512i shuffle = _mm512_loadu_si512(shuffles_8[width]);
    const __m512i shift = _mm512_loadu_si512(shifts_8[width]);
    const __m512i mask = _mm512_set1_epi64((int64_t)bits_mask(width));
    for (size_t i = 0; i < count; i += 8) {
        _mm512_storeu_si512(out + i, unpack_8(packed, width, shuffle, shift, mask));
        packed += width;
    }
}

#else

// 8 values a step. Two steps of 4 values a lane make 8w bits, a whole number of bytes.
static void unpack_u32_window(const uint8_t *packed, uint32_t width, size_t count, uint32_t *out) {
    const __m256i shuffle = _mm256_loadu_si256((const __m256i *)(const void *)shuffles_4[width]);
    const __m256i shift = _mm256_loadu_si256((const __m256i *)(const void *)shifts_4[width]);
    const __m256i mask = _mm256_set1_epi32((int32_t)bits_mask(width));
    for (size_t i = 0; i < count; i += 8) {
        const __m256i raw = load_lanes_2(packed, packed + width / 2);
        const __m256i windows = _mm256_shuffle_epi8(raw, shuffle);
        const __m256i values = _mm256_and_si256(_mm256_srlv_epi32(windows, shift), mask);
        _mm256_storeu_si256((__m256i *)(void *)(out + i), values);
        packed += width;
    }
}

// Four values of 64-bit windows: half `half` of a block of eight.
static ALWAYS_INLINE __m256i unpack_4(const uint8_t *packed, uint32_t width, size_t half) {
    const __m256i shuffle =
        _mm256_loadu_si256((const __m256i *)(const void *)(shuffles_8[width] + 32 * half));
    const __m256i shift =
        _mm256_loadu_si256((const __m256i *)(const void *)(shifts_8[width] + 4 * half));
    const __m256i mask = _mm256_set1_epi64x((int64_t)bits_mask(width));
    const __m256i raw =
        load_lanes_2(packed + 2 * half * width / 4, packed + (2 * half + 1) * width / 4);
    return _mm256_and_si256(_mm256_srlv_epi64(_mm256_shuffle_epi8(raw, shuffle), shift), mask);
}

static void unpack_u32_wide(const uint8_t *packed, uint32_t width, size_t count, uint32_t *out) {
    const __m256i low_words = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
    for (size_t i = 0; i < count; i += 8) {
        for (size_t half = 0; half < 2; half++) {
            const __m256i values = unpack_4(packed, width, half);
            const __m256i packed_words = _mm256_permutevar8x32_epi32(values, low_words);
            _mm_storeu_si128((__m128i *)(void *)(out + i + 4 * half),
                             _mm256_castsi256_si128(packed_words));
        }
        packed += width;
    }
}

static void unpack_u64_window(const uint8_t *packed, uint32_t width, size_t count, uint64_t *out) {
    for (size_t i = 0; i < count; i += 8) {
        for (size_t half = 0; half < 2; half++) {
            _mm256_storeu_si256((__m256i *)(void *)(out + i + 4 * half),
                                unpack_4(packed, width, half));
        }
        packed += width;
    }
}

#endif

static void unpack_u32_some(const uint8_t *packed, uint32_t width, size_t count, uint32_t *out) {
    if (width <= U32_WINDOW_BITS_MAX) {
        unpack_u32_window(packed, width, count, out);
    } else {
        unpack_u32_wide(packed, width, count, out);
    }
}

static void unpack_u64_some(const uint8_t *packed, uint32_t width, size_t count, uint64_t *out) {
    if (width <= U64_WINDOW_BITS_MAX) {
        unpack_u64_window(packed, width, count, out);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        out[i] = unpack_one(packed, width, i);
    }
}

#endif

static void ISA_NAME(unpack_u8)(const uint8_t *packed, uint32_t width, size_t count, uint8_t *out) {
    if (width == 0) {
        memset(out, 0, count);
    } else {
        unpack_u8_some(packed, width, count, out);
    }
}

static void ISA_NAME(unpack_u32)(const uint8_t *packed, uint32_t width, size_t count,
                                 uint32_t *out) {
    if (width == 0) {
        memset(out, 0, count * sizeof *out);
    } else {
        unpack_u32_some(packed, width, count, out);
    }
}

static void ISA_NAME(unpack_u64)(const uint8_t *packed, uint32_t width, size_t count,
                                 uint64_t *out) {
    if (width == 0) {
        memset(out, 0, count * sizeof *out);
    } else {
        unpack_u64_some(packed, width, count, out);
    }
}

static uint32_t ISA_NAME(highest_u32)(const uint32_t *values, size_t count) {
    uint32_t highest = 0;
    for (size_t i = 0; i < count; i++) {
        highest = values[i] > highest ? values[i] : highest;
    }
    return highest;
}

const pq_unpack_kernels ISA_NAME(pq_unpack_kernels) = {
    .u8 = ISA_NAME(unpack_u8),
    .u32 = ISA_NAME(unpack_u32),
    .u64 = ISA_NAME(unpack_u64),
    .highest = ISA_NAME(highest_u32),
};
