// Encodes the RLE / bit-packed hybrid (pq_hybrid.h): levels, dictionary codes, RLE booleans.
//
// Runs of equal values that begin at a multiple of eight become repeated runs where that is at
// least eight bytes shorter than packing them (72 values of one bit, 8 of ten bits), or where they
// are all there is; what is between them is packed. A shorter gain would be paid with a slower
// reader. Packed runs are as long as the format allows (readers in Java take up to 2^31 values; 504
// was a limit of one writer, not of the format).
//
// A packed run has a multiple of eight values, the last one is filled up with zeros. So of several
// calls for one sequence of runs only the last may have another count.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_HYBRID_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_HYBRID_H

#include "memory/byte_output.h"

/// Appends `count` values of at most `width` bits (0 to 32); none writes nothing.
/// Errors: FIRN_NO_MEMORY.
firn_status pw_hybrid_put_u32(byte_output *out, const uint32_t *values, uint32_t count,
                              uint32_t width, firn_error *err);
/// The same of bytes (levels; width 0 to 8).
firn_status pw_hybrid_put_u8(byte_output *out, const uint8_t *values, uint32_t count,
                             uint32_t width, firn_error *err);
/// The same of a bitmap, width 1; bits behind `count` may be anything.
firn_status pw_hybrid_put_bits(byte_output *out, const uint64_t *bits, uint32_t count,
                               firn_error *err);
/// A repeated run, whatever its length; of none nothing.
firn_status pw_hybrid_put_repeated(byte_output *out, uint32_t value, uint32_t count, uint32_t width,
                                   firn_error *err);

/// Bits that numbers up to `highest` need; 0 for 0.
static inline uint32_t pw_width_of(uint32_t highest) {
    return highest == 0 ? 0 : 32 - (uint32_t)__builtin_clz(highest);
}

#endif
