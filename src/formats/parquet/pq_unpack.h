// Unpacks numbers of a fixed count of bits, lowest bit first, as runs of levels, of dictionary
// indexes and of deltas hold them: value i is bits [i * width, (i + 1) * width).
//
// Kernels for every width, per instruction set. They work in blocks of up to 64 values and so
// read and write beyond the end:
//   - `packed` must be readable for PQ_PAD bytes behind its last byte,
//   - `out` must have room for `count` + PQ_UNPACK_SPARE values; those behind `count` are garbage.
// The caller has checked that count * width bits are there.
//
// Where is the kernel I see in the profile? unpack_u32_v4 → pq_unpack.isa.c, level v4.
#ifndef FIRN_FORMATS_PARQUET_PQ_UNPACK_H
#define FIRN_FORMATS_PARQUET_PQ_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/isa.h"

// Readable bytes that must follow every page body: kernels load whole registers.
#define PQ_PAD 64

// Values of room behind the end of an output.
#define PQ_UNPACK_SPARE 64

/// Unpacks `count` values of `width` bits: 0 to 8 bits to bytes, 0 to 32 to 32-bit words, 0 to 64
/// to 64-bit words. No two pointers overlap. Cannot fail.
typedef struct pq_unpack_kernels {
    void (*u8)(const uint8_t *packed, uint32_t width, size_t count, uint8_t *out);
    void (*u32)(const uint8_t *packed, uint32_t width, size_t count, uint32_t *out);
    void (*u64)(const uint8_t *packed, uint32_t width, size_t count, uint64_t *out);
    /// The highest of `count` values; 0 if there is none.
    uint32_t (*highest)(const uint32_t *values, size_t count);
} pq_unpack_kernels;

/// The kernels for this machine.
const pq_unpack_kernels *pq_unpack(void);

/// The same for one level; the machine must be able to run it. For tests and benchmarks.
const pq_unpack_kernels *pq_unpack_at(isa_level level);

#endif
