// Encodes DELTA_BINARY_PACKED (pq_delta.h): blocks of 128 values in 4 miniblocks, which every
// reader takes.
//
// Differences wrap around in the type's own width, so those of 32-bit values never need more than
// 32 bits. A miniblock that holds no value has width 0; the last one is filled up with zeros.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_DELTA_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_DELTA_H

#include "base/isa.h"
#include "memory/byte_output.h"

#define PW_DELTA_BLOCK 128
#define PW_DELTA_MINIBLOCKS 4
#define PW_DELTA_MINIBLOCK (PW_DELTA_BLOCK / PW_DELTA_MINIBLOCKS)

/// Appends `count` values, of which there may be none.
/// Errors: FIRN_NO_MEMORY.
firn_status pw_delta_put_i32(byte_output *out, const int32_t *values, uint32_t count,
                             firn_error *err);
firn_status pw_delta_put_i64(byte_output *out, const int64_t *values, uint32_t count,
                             firn_error *err);

/// The differences of one block: above[i] = values[i + 1] - values[i] - least, for `count` (1 to
/// PW_DELTA_BLOCK) of them; zeros behind, up to PW_DELTA_BLOCK. bits[m] are those that any of
/// miniblock m has set. Returns the least difference.
typedef struct pw_delta_kernels {
    int32_t (*i32)(const int32_t *values, uint32_t count, uint32_t *above, uint32_t *bits);
    int64_t (*i64)(const int64_t *values, uint32_t count, uint64_t *above, uint64_t *bits);
} pw_delta_kernels;

/// For tests. The machine must be able to run `level`.
const pw_delta_kernels *pw_delta_kernels_at(isa_level level);

#endif
