// The loops behind pq_convert.h that vectors speed up.
//
// Inputs are unaligned. Where is the kernel I see in the profile? convert_i32_i64_v4 →
// pq_convert_kernels.isa.c.
#ifndef FIRN_FORMATS_PARQUET_PQ_CONVERT_KERNELS_H
#define FIRN_FORMATS_PARQUET_PQ_CONVERT_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/isa.h"

typedef struct pq_convert_kernels {
    void (*i32_i8)(const uint8_t *raw, size_t count, uint8_t *out);
    void (*i32_i16)(const uint8_t *raw, size_t count, uint16_t *out);
    void (*i32_i64)(const uint8_t *raw, size_t count, int64_t *out);
    void (*u32_u64)(const uint8_t *raw, size_t count, uint64_t *out);
    void (*f32_f64)(const uint8_t *raw, size_t count, double *out);
    /// Big-endian two's complement of `width` bytes, 1 to 8; reads up to 8 bytes from each value's
    /// start.
    void (*big_i64)(const uint8_t *raw, uint32_t width, size_t count, int64_t *out);
    /// Is any value beyond +-limit?
    bool (*is_beyond_i32)(const int32_t *values, size_t count, int32_t limit);
    bool (*is_beyond_i64)(const int64_t *values, size_t count, int64_t limit);
} pq_convert_kernels;

/// The kernels for this machine.
const pq_convert_kernels *pq_convert_kernels_best(void);

/// The same for one level; the machine must be able to run it. For tests and benchmarks.
const pq_convert_kernels *pq_convert_kernels_at(isa_level level);

#endif
