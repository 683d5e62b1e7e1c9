// Compiled once per instruction-set level; see base/isa.h. Exports one symbol: the level's kernels.
#include "base/isa.h"
#include "formats/parquet/write/pw_statistics_table.h"

#define F32_INFINITY INT32_C(0x7f800000)
#define F64_INFINITY INT64_C(0x7ff0000000000000)

// All of one width, and masks instead of branches, for vectors.
#define KEYS(word, c_type, c_count, bits, most, least, infinity)                                   \
    static pw_float_keys ISA_NAME(statistics_##word)(const c_type *values, uint32_t count) {       \
        c_type low = (most);                                                                       \
        c_type high = (least);                                                                     \
        c_count nan_count = 0;                                                                     \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            const c_type value = values[i];                                                        \
            const c_type key = value ^ ((value >> ((bits) - 1)) & (most));                         \
            const c_type nan = -(c_type)((value & (most)) > (infinity));                           \
            const c_type for_low = (key & ~nan) | (nan & (most));                                  \
            const c_type for_high = (key & ~nan) | (nan & (least));                                \
            nan_count += (c_count)(nan & 1);                                                       \
            low = for_low < low ? for_low : low;                                                   \
            high = for_high > high ? for_high : high;                                              \
        }                                                                                          \
        return (pw_float_keys){.low = low, .high = high, .nan_count = (uint32_t)nan_count};        \
    }
KEYS(f32, int32_t, uint32_t, 32, INT32_MAX, INT32_MIN, F32_INFINITY)
KEYS(f64, int64_t, uint64_t, 64, INT64_MAX, INT64_MIN, F64_INFINITY)

const pw_statistics_kernels ISA_NAME(pw_statistics_kernels) = {
    .f32 = ISA_NAME(statistics_f32),
    .f64 = ISA_NAME(statistics_f64),
};
