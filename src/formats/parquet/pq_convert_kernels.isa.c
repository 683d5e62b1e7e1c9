// Compiled once per instruction-set level; see base/isa.h. Exports one symbol: the level's kernels.
#include <string.h>

#include "base/compiler.h"
#include "base/isa.h"
#include "formats/parquet/pq_convert_kernels_table.h"

static ALWAYS_INLINE uint32_t load_u32(const uint8_t *at) {
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static void ISA_NAME(convert_i32_i8)(const uint8_t *restrict raw, size_t count,
                                     uint8_t *restrict out) {
    for (size_t i = 0; i < count; i++) {
        out[i] = (uint8_t)(load_u32(raw + 4 * i) & 0xff);
    }
}

static void ISA_NAME(convert_i32_i16)(const uint8_t *restrict raw, size_t count,
                                      uint16_t *restrict out) {
    for (size_t i = 0; i < count; i++) {
        out[i] = (uint16_t)(load_u32(raw + 4 * i) & 0xffff);
    }
}

static void ISA_NAME(convert_i32_i64)(const uint8_t *restrict raw, size_t count,
                                      int64_t *restrict out) {
    for (size_t i = 0; i < count; i++) {
        out[i] = (int32_t)load_u32(raw + 4 * i);
    }
}

static void ISA_NAME(convert_u32_u64)(const uint8_t *restrict raw, size_t count,
                                      uint64_t *restrict out) {
    for (size_t i = 0; i < count; i++) {
        out[i] = load_u32(raw + 4 * i);
    }
}

static void ISA_NAME(convert_f32_f64)(const uint8_t *restrict raw, size_t count,
                                      double *restrict out) {
    for (size_t i = 0; i < count; i++) {
        float value;
        memcpy(&value, raw + 4 * i, sizeof value);
        out[i] = (double)value;
    }
}

// One load, which reads beyond the value, and an arithmetic shift.
static void ISA_NAME(convert_big_i64)(const uint8_t *restrict raw, uint32_t width, size_t count,
                                      int64_t *restrict out) {
    const uint32_t shift = 64 - 8 * width;
    for (size_t i = 0; i < count; i++) {
        uint64_t word;
        memcpy(&word, raw + i * width, sizeof word);
        out[i] = (int64_t)__builtin_bswap64(word) >> shift;
    }
}

static bool ISA_NAME(is_beyond_i32)(const int32_t *values, size_t count, int32_t limit) {
    int32_t beyond = 0;
    for (size_t i = 0; i < count; i++) {
        beyond |= (values[i] > limit) | (values[i] < -limit);
    }
    return beyond != 0;
}

static bool ISA_NAME(is_beyond_i64)(const int64_t *values, size_t count, int64_t limit) {
    int64_t beyond = 0;
    for (size_t i = 0; i < count; i++) {
        beyond |= (values[i] > limit) | (values[i] < -limit);
    }
    return beyond != 0;
}

const pq_convert_kernels ISA_NAME(pq_convert_kernels) = {
    .i32_i8 = ISA_NAME(convert_i32_i8),
    .i32_i16 = ISA_NAME(convert_i32_i16),
    .i32_i64 = ISA_NAME(convert_i32_i64),
    .u32_u64 = ISA_NAME(convert_u32_u64),
    .f32_f64 = ISA_NAME(convert_f32_f64),
    .big_i64 = ISA_NAME(convert_big_i64),
    .is_beyond_i32 = ISA_NAME(is_beyond_i32),
    .is_beyond_i64 = ISA_NAME(is_beyond_i64),
};
