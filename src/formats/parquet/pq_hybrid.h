// Decodes the RLE / bit-packed hybrid: levels, dictionary indexes and RLE booleans. A sequence of
// runs, each with a varint header:
//
//     header & 1 == 0   repeated run: header >> 1 values, all equal, stored once in whole bytes
//     header & 1 == 1   packed run:   (header >> 1) * 8 values, `width` bits each, lowest first
//
// A run is the unit that is handed out, so that whoever can use repetitions sees them. The last
// packed run may announce more values than the bytes that are left hold; only those that are there
// count.
//
// Specification: apache/parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".
#ifndef FIRN_FORMATS_PARQUET_PQ_HYBRID_H
#define FIRN_FORMATS_PARQUET_PQ_HYBRID_H

#include <stdbool.h>

#include "base/bytes.h"
#include "formats/parquet/pq_unpack.h"

#define PQ_HYBRID_BITS_MAX 32

/// The position in a sequence of runs. Plain data, owns nothing; may be copied to keep a place to
/// come back to.
typedef struct pq_hybrid {
    byte_reader in;        // The runs not yet entered. Borrows the page.
    uint32_t width;        // Bits of a value, 0 to PQ_HYBRID_BITS_MAX.
    uint32_t repeat_value; // Of the current repeated run.
    uint64_t repeat_left;  // Values left in it.
    uint64_t packed_left;  // Values left in the current packed run; one of the two is 0.
    const uint8_t *packed; // The group of 8 values that its next value lies in.
    uint32_t packed_at;    // Values of that group already taken, 0 to 7.
    const pq_unpack_kernels *kernels;
} pq_hybrid;

/// Some values of one run.
typedef struct pq_run {
    bool is_repeated;
    uint32_t count; // At least 1.
    uint32_t value; // Repeated: the value.
    uint32_t at;    // Packed: how many values of the group at `packed` come before the first one.
    const uint8_t *packed;
} pq_run;

/// Starts at the first run of `input`, which must be readable for PQ_PAD bytes behind its end.
static inline pq_hybrid pq_hybrid_open(bytes input, uint32_t width) {
    assert(width <= PQ_HYBRID_BITS_MAX);
    return (pq_hybrid){.in = reader_open(input), .width = width, .kernels = pq_unpack()};
}

/// Takes up to `count_max` (at least 1) values that lie in one run.
///
/// Errors: FIRN_CORRUPT if there are no more values, a run is empty or its header is cut off.
firn_status pq_hybrid_take(pq_hybrid *self, uint32_t count_max, pq_run *out, firn_error *err);

/// The run that the next value lies in, without taking it; `*count` is UINT32_MAX when longer.
firn_status pq_hybrid_peek(pq_hybrid *self, bool *is_repeated, uint32_t *value, uint32_t *count,
                           firn_error *err);

/// Takes `count` values into words or bytes (widths up to 8). `out` has room for count +
/// PQ_UNPACK_SPARE.
firn_status pq_hybrid_read_u32(pq_hybrid *self, uint32_t count, uint32_t *out, firn_error *err);
firn_status pq_hybrid_read_u8(pq_hybrid *self, uint32_t count, uint8_t *out, firn_error *err);

/// Takes `count` values of width 1 into a bitmap, from bit `at` on; bits before it stay. The bits
/// behind are garbage up to the end of the word. `*ones` counts the set ones.
firn_status pq_hybrid_read_bits(pq_hybrid *self, uint32_t count, uint64_t *bitmap, size_t at,
                                uint32_t *ones, firn_error *err);

/// Passes over `count` values.
firn_status pq_hybrid_skip(pq_hybrid *self, uint64_t count, firn_error *err);

/// Copies `count` bits that begin at bit `from` of `packed` to bit `at` of a bitmap. Reads up to 8
/// bytes behind the last one, garbles bits behind the last one up to the end of its word. Returns
/// how many of the copied bits are set.
uint32_t pq_copy_bits(const uint8_t *packed, size_t from, size_t count, uint64_t *bitmap,
                      size_t at);

/// Sets or clears `count` bits from bit `at` on; likewise.
void pq_fill_bits(uint64_t *bitmap, size_t at, size_t count, bool value);

#endif
