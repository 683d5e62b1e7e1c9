// The kernels of each level: made by pw_statistics.isa.c, picked by pw_statistics.c.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_STATISTICS_TABLE_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_STATISTICS_TABLE_H

#include <stdint.h>

#include "base/isa.h"

// Floats are compared as integers: their bits, with all but the sign inverted where it is set. -0
// is -1, just below 0. NaNs, beyond the infinities, are counted and left out: without any number
// `low` is the highest integer.
typedef struct pw_float_keys {
    int64_t low;
    int64_t high;
    uint32_t nan_count;
} pw_float_keys;

typedef struct pw_statistics_kernels {
    pw_float_keys (*f32)(const int32_t *values, uint32_t count);
    pw_float_keys (*f64)(const int64_t *values, uint32_t count);
} pw_statistics_kernels;

extern const pw_statistics_kernels pw_statistics_kernels_base;
extern const pw_statistics_kernels pw_statistics_kernels_v3;
extern const pw_statistics_kernels pw_statistics_kernels_v4;

/// The kernels of a level, which the machine must be able to run.
const pw_statistics_kernels *pw_statistics_kernels_at(isa_level level);

#endif
