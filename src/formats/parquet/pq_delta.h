// Decodes DELTA_BINARY_PACKED: 32- and 64-bit integers as differences.
//
//     header     varints: values a block, miniblocks a block, values in all; zigzag: first value
//     block      zigzag: least difference; a byte per miniblock: bit width; miniblocks
//     miniblock  differences minus the least one, packed, lowest bit first
//
// A miniblock of the last block that holds no value is not stored, whatever its width says. Sums
// wrap around, as the format wants it.
//
// Specification: apache/parquet-format, Encodings.md, "Delta Encoding".
#ifndef FIRN_FORMATS_PARQUET_PQ_DELTA_H
#define FIRN_FORMATS_PARQUET_PQ_DELTA_H

#include "base/bytes.h"
#include "formats/parquet/pq_unpack.h"

/// The position in a sequence of values. Plain data, owns nothing.
typedef struct pq_delta {
    byte_reader in;            // What follows the current miniblock. Borrows the page.
    const uint8_t *widths;     // Of the current block's miniblocks.
    const uint8_t *packed;     // The current miniblock, ...
    uint32_t width;            // ... its bits a value, ...
    uint32_t at;               // ... and values of it already taken.
    uint32_t miniblock_values; // Values a miniblock; a multiple of 32.
    uint32_t miniblock_count;  // Miniblocks a block.
    uint32_t miniblock;        // The next one of the current block; miniblock_count: a new block.
    bool has_first;            // The first value has not been taken; it stands in `last`.
    uint64_t left;             // Values not yet taken.
    uint64_t last;             // The last value taken.
    uint64_t least;            // The current block's least difference.
    const pq_unpack_kernels *unpack;
    const struct pq_delta_kernels *sums;
} pq_delta;

/// Starts at the first value of `input`, which must be readable for PQ_PAD bytes behind its end.
///
/// Errors: FIRN_CORRUPT if the header is cut off or its sizes are not what the format allows.
firn_status pq_delta_open(pq_delta *self, bytes input, firn_error *err);

/// Takes the next `count` values. Errors: FIRN_CORRUPT if there are fewer or a width is above 64.
firn_status pq_delta_read_i64(pq_delta *self, uint32_t count, int64_t *out, firn_error *err);
firn_status pq_delta_read_i32(pq_delta *self, uint32_t count, int32_t *out, firn_error *err);

/// Passes over `count` values. Cost: about half of reading them.
firn_status pq_delta_skip(pq_delta *self, uint64_t count, firn_error *err);

/// The bytes behind the sequence: what follows it in a page. Only before anything was taken.
/// Cost: a look at each block's head.
firn_status pq_delta_rest(const pq_delta *self, bytes *out, firn_error *err);

#endif
