// Encodes BYTE_STREAM_SPLIT (pq_split.h): all first bytes, then all second ones, and so on.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_SPLIT_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_SPLIT_H

#include "base/isa.h"
#include "formats/parquet/write/pw_stored.h"
#include "memory/byte_output.h"

/// Appends values of PQ_INT32, PQ_INT64, PQ_FLOAT, PQ_DOUBLE or PQ_FIXED.
/// Errors: FIRN_NO_MEMORY.
firn_status pw_put_split(byte_output *out, const pw_values *values, firn_error *err);

/// Parts `count` values of `width` bytes into streams that begin `stride` bytes apart: one level's
/// kernel.
typedef void (*pw_split_kernel)(const uint8_t *values, size_t stride, uint32_t width, size_t count,
                                uint8_t *out);
pw_split_kernel pw_split_kernel_at(isa_level level);

#endif
