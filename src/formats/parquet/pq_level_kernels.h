// Loops over levels: arrays of one byte an entry.
//
// `levels` must be readable for PQ_PAD bytes behind its end; bitmaps are written in whole words.
//
// Where is the kernel I see in the profile? level_at_least_v4 → pq_level_kernels.isa.c.
#ifndef FIRN_FORMATS_PARQUET_PQ_LEVEL_KERNELS_H
#define FIRN_FORMATS_PARQUET_PQ_LEVEL_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "base/isa.h"

typedef struct pq_level_kernels {
    /// Bit i of `out` says levels[i] >= least. Bits behind the last one are 0. Returns how many are
    /// set.
    size_t (*at_least)(const uint8_t *levels, size_t count, uint8_t least, uint64_t *out);
    /// How many levels are 0: in repetition levels, how many rows begin.
    size_t (*count_zero)(const uint8_t *levels, size_t count);
    /// The index of the zero number `n` (from 0), or `count` if there are not so many.
    size_t (*find_zero)(const uint8_t *levels, size_t count, size_t n);
    /// The highest level; 0 if there is none.
    uint8_t (*highest)(const uint8_t *levels, size_t count);
} pq_level_kernels;

/// The kernels for this machine.
const pq_level_kernels *pq_level_kernels_best(void);

/// The same for one level of instruction set; the machine must be able to run it.
const pq_level_kernels *pq_level_kernels_at(isa_level level);

#endif
