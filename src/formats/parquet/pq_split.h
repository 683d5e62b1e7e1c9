// Decodes BYTE_STREAM_SPLIT: byte k of all values, then byte k + 1 of all values, ...
//
// Specification: apache/parquet-format, Encodings.md, "Byte Stream Split".
#ifndef FIRN_FORMATS_PARQUET_PQ_SPLIT_H
#define FIRN_FORMATS_PARQUET_PQ_SPLIT_H

#include "base/bytes.h"
#include "base/isa.h"

/// The position in a page. Plain data, owns nothing.
typedef struct pq_split {
    const uint8_t *data;
    uint32_t width; // Bytes a value, and streams.
    size_t count;   // Values in the page.
    size_t at;      // The next one.
} pq_split;

/// Starts at the first value of `page`.
///
/// Errors: FIRN_CORRUPT if its size is not a multiple of `width`.
firn_status pq_split_open(pq_split *self, bytes page, uint32_t width, firn_error *err);

/// Takes the next `count` values, `width` bytes each. Errors: FIRN_CORRUPT if there are fewer.
firn_status pq_split_read(pq_split *self, uint32_t count, uint8_t *out, firn_error *err);

/// Passes over `count` values.
firn_status pq_split_skip(pq_split *self, uint64_t count, firn_error *err);

/// Joins `count` values of `width` bytes from streams that lie `stride` bytes apart: one level's
/// kernel.
typedef void (*pq_split_kernel)(const uint8_t *data, size_t stride, uint32_t width, size_t count,
                                uint8_t *out);
pq_split_kernel pq_split_kernel_at(isa_level level);

#endif
