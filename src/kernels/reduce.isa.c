// Compiled once per instruction-set level; see base/isa.h. Exports one symbol: the level's table.
#include "base/compiler.h"
#include "base/isa.h"
#include "kernels/reduce_table.h"

// ---- Sums --------------------------------------------------------------------------------------

#define SUM_SMALL(word, c_type)                                                                    \
    static int64_t ISA_NAME(reduce_sum_##word)(const c_type *values, uint32_t count) {             \
        int64_t sum = 0;                                                                           \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            sum += values[i];                                                                      \
        }                                                                                          \
        return sum;                                                                                \
    }
SUM_SMALL(i8, int8_t)
SUM_SMALL(i16, int16_t)
SUM_SMALL(i32, int32_t)
SUM_SMALL(u8, uint8_t)
SUM_SMALL(u16, uint16_t)
SUM_SMALL(u32, uint32_t)

// Both halves of each value in 64 bits of their own: 2^31 of them cannot overflow.
static i128 ISA_NAME(reduce_sum_i64)(const int64_t *values, uint32_t count) {
    uint64_t low = 0;
    int64_t high = 0;
    for (uint32_t i = 0; i < count; i++) {
        low += (uint64_t)values[i] & UINT32_MAX;
        high += values[i] >> 32;
    }
    return (i128)high * ((i128)1 << 32) + (i128)low;
}

static i128 ISA_NAME(reduce_sum_u64)(const uint64_t *values, uint32_t count) {
    uint64_t low = 0;
    uint64_t high = 0;
    for (uint32_t i = 0; i < count; i++) {
        low += values[i] & UINT32_MAX;
        high += values[i] >> 32;
    }
    return (i128)high * ((i128)1 << 32) + (i128)low;
}

// Eight partial sums, in every level the same ones.
#define SUM_FLOAT(word, c_type)                                                                    \
    static double ISA_NAME(reduce_sum_##word)(const c_type *values, uint32_t count) {              \
        double sums[8] = {0};                                                                      \
        uint32_t i = 0;                                                                            \
        for (; i + 8 <= count; i += 8) {                                                           \
            for (uint32_t lane = 0; lane < 8; lane++) {                                            \
                sums[lane] += (double)values[i + lane];                                            \
            }                                                                                      \
        }                                                                                          \
        for (; i < count; i++) {                                                                   \
            sums[i % 8] += (double)values[i];                                                      \
        }                                                                                          \
        return ((sums[0] + sums[4]) + (sums[1] + sums[5])) +                                       \
               ((sums[2] + sums[6]) + (sums[3] + sums[7]));                                        \
    }
SUM_FLOAT(f32, float)
SUM_FLOAT(f64, double)

// ---- Lowest and highest -------------------------------------------------------------------------

#define EXTREMES(word, c_type)                                                                     \
    static c_type ISA_NAME(reduce_min_##word)(const c_type *values, uint32_t count) {              \
        c_type lowest = values[0];                                                                 \
        for (uint32_t i = 1; i < count; i++) {                                                     \
            lowest = values[i] < lowest ? values[i] : lowest;                                      \
        }                                                                                          \
        return lowest;                                                                             \
    }                                                                                              \
    static c_type ISA_NAME(reduce_max_##word)(const c_type *values, uint32_t count) {              \
        c_type highest = values[0];                                                                \
        for (uint32_t i = 1; i < count; i++) {                                                     \
            highest = values[i] > highest ? values[i] : highest;                                   \
        }                                                                                          \
        return highest;                                                                            \
    }
EXTREMES(i8, int8_t)
EXTREMES(i16, int16_t)
EXTREMES(i32, int32_t)
EXTREMES(i64, int64_t)
EXTREMES(u8, uint8_t)
EXTREMES(u16, uint16_t)
EXTREMES(u32, uint32_t)
EXTREMES(u64, uint64_t)

// NaN is above every number: it loses against any in min, and wins in max.
#define EXTREMES_FLOAT(word, c_type)                                                               \
    static c_type ISA_NAME(reduce_min_##word)(const c_type *values, uint32_t count) {              \
        c_type lowest = values[0];                                                                 \
        for (uint32_t i = 1; i < count; i++) {                                                     \
            const bool is_lower = values[i] < lowest || lowest != lowest;                          \
            lowest = is_lower ? values[i] : lowest;                                                \
        }                                                                                          \
        return lowest;                                                                             \
    }                                                                                              \
    static c_type ISA_NAME(reduce_max_##word)(const c_type *values, uint32_t count) {              \
        c_type highest = values[0];                                                                \
        for (uint32_t i = 1; i < count; i++) {                                                     \
            const bool is_higher = values[i] > highest || values[i] != values[i];                  \
            highest = is_higher ? values[i] : highest;                                             \
        }                                                                                          \
        return highest;                                                                            \
    }
EXTREMES_FLOAT(f32, float)
EXTREMES_FLOAT(f64, double)

#define X(NAME, word, c_type, sum_type)                                                            \
    .sum_##word = ISA_NAME(reduce_sum_##word), .min_##word = ISA_NAME(reduce_min_##word),          \
    .max_##word = ISA_NAME(reduce_max_##word),
const reduce_table_of_level ISA_NAME(reduce_kernels) = {REDUCE_TYPE_LIST(X)};
