// The sums behind DELTA_BINARY_PACKED: out[i] = last + (i + 1) * least + deltas[0] + ... +
// deltas[i].
//
// Where is the kernel I see in the profile? delta_sum_u32_i64_v4 → pq_delta_kernels.isa.c.
#ifndef FIRN_FORMATS_PARQUET_PQ_DELTA_KERNELS_H
#define FIRN_FORMATS_PARQUET_PQ_DELTA_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "base/isa.h"

/// Sums wrap around. Arrays must have room for `count` rounded up to 16. Each returns the last
/// value, or `last` if count is 0.
typedef struct pq_delta_kernels pq_delta_kernels;
struct pq_delta_kernels {
    uint64_t (*sum_u32_i32)(const uint32_t *deltas, size_t count, uint64_t least, uint64_t last,
                            int32_t *out);
    uint64_t (*sum_u32_i64)(const uint32_t *deltas, size_t count, uint64_t least, uint64_t last,
                            int64_t *out);
    uint64_t (*sum_u64_i64)(const uint64_t *deltas, size_t count, uint64_t least, uint64_t last,
                            int64_t *out);
};

/// The kernels for this machine.
const pq_delta_kernels *pq_delta_kernels_best(void);

/// The same for one level; the machine must be able to run it. For tests and benchmarks.
const pq_delta_kernels *pq_delta_kernels_at(isa_level level);

#endif
