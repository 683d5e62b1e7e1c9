// Encodes DELTA_BINARY_PACKED (pq_delta.h): blocks of 128 values in 4 miniblocks, which every
// reader takes.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_DELTA_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_DELTA_H

#include "memory/byte_output.h"

/// Appends `count` values, of which there may be none.
/// Errors: FIRN_NO_MEMORY.
firn_status pw_delta_put_i32(byte_output *out, const int32_t *values, uint32_t count,
                             firn_error *err);
firn_status pw_delta_put_i64(byte_output *out, const int64_t *values, uint32_t count,
                             firn_error *err);

#endif
