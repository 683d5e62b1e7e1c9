// Moves values apart to leave room for NULLs: a page stores only the values that are there, a
// column has a lane per row.
//
// Where is the kernel I see in the profile? spread_8_v4 → pq_spread.isa.c, values of 8 bytes.
#ifndef FIRN_FORMATS_PARQUET_PQ_SPREAD_H
#define FIRN_FORMATS_PARQUET_PQ_SPREAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/isa.h"

/// In place: the values at the start of `values`, as many as bits are set in `validity`, move to
/// the rows of those bits; the other rows become zero bytes. `values` has room for `row_count`
/// values and PQ_PAD bytes; bits of `validity` behind the last row are not looked at.
typedef void (*pq_spread_kernel)(void *values, const uint64_t *validity, uint32_t row_count);

typedef struct pq_spread_kernels {
    pq_spread_kernel size_1;
    pq_spread_kernel size_2;
    pq_spread_kernel size_4;
    pq_spread_kernel size_8;
    pq_spread_kernel size_16;
    pq_spread_kernel size_32;
    pq_spread_kernel bits; // A bitmap of values.
} pq_spread_kernels;

/// Spreads values of `size` bytes: 1, 2, 4, 8, 16 or 32.
void pq_spread(void *values, uint32_t size, const uint64_t *validity, uint32_t row_count);

/// Spreads a bitmap.
void pq_spread_bits(uint64_t *values, const uint64_t *validity, uint32_t row_count);

/// The kernels of one level; the machine must be able to run it. For tests and benchmarks.
const pq_spread_kernels *pq_spread_kernels_at(isa_level level);

#endif
