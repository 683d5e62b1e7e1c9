// About how many different values there are among many, from their hashes: HyperLogLog.
//
// A register for each part of the hashes keeps the longest run of zeros that was seen there, plus
// one: 4 KiB whatever is counted, 1.6 % standard error. Neither the order of the hashes nor who put
// them in makes a difference, and the registers of two sketches are joined by taking the larger.
#ifndef FIRN_BASE_DISTINCT_SKETCH_H
#define FIRN_BASE_DISTINCT_SKETCH_H

#include <stdint.h>

#include "base/compiler.h"

#define DISTINCT_SKETCH_INDEX_BITS 12
#define DISTINCT_SKETCH_SIZE (1U << DISTINCT_SKETCH_INDEX_BITS) ///< Registers, of a byte each.
#define DISTINCT_SKETCH_RANK_MAX (64 - DISTINCT_SKETCH_INDEX_BITS + 1)

/// Hashes of base/hash.h need not differ in all bits: these do (the finish of SplitMix64).
WRAPS static inline uint64_t distinct_sketch_mix(uint64_t hash) {
    hash += UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ (hash >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    hash = (hash ^ (hash >> 27)) * UINT64_C(0x94d049bb133111eb);
    return hash ^ (hash >> 31);
}

/// Counts a mixed hash in; `registers` are DISTINCT_SKETCH_SIZE, 0 at first.
WRAPS static inline void distinct_sketch_put(uint8_t *registers, uint64_t mixed) {
    const uint64_t rest = mixed << DISTINCT_SKETCH_INDEX_BITS;
    const uint8_t rank =
        (uint8_t)(rest == 0 ? DISTINCT_SKETCH_RANK_MAX : __builtin_clzll(rest) + 1);
    uint8_t *at = registers + (mixed >> (64 - DISTINCT_SKETCH_INDEX_BITS));
    *at = *at > rank ? *at : rank;
}

/// How many different hashes there were; INT64_MAX once all registers are full.
int64_t distinct_sketch_estimate(const uint8_t *registers);

#endif
