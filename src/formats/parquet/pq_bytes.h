// Decodes byte arrays: PLAIN, DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY.
//
//     PLAIN                     size (4 bytes), bytes, size, bytes, ...
//     DELTA_LENGTH_BYTE_ARRAY   sizes as DELTA_BINARY_PACKED, then all bytes
//     DELTA_BYTE_ARRAY          how many first bytes are those of the value before, as
//                               DELTA_BINARY_PACKED; then the rest as DELTA_LENGTH_BYTE_ARRAY
//
// The first two hand out string values that point into the page. The third has to put values
// together: into memory that the caller names per call.
//
// Specification: apache/parquet-format, Encodings.md.
#ifndef FIRN_FORMATS_PARQUET_PQ_BYTES_H
#define FIRN_FORMATS_PARQUET_PQ_BYTES_H

#include "column/value.h"
#include "formats/parquet/pq_delta.h"
#include "memory/arena.h"

// ---- PLAIN -------------------------------------------------------------------------------------

/// Takes the next `count` values of a PLAIN page, which must be readable for PQ_PAD bytes behind
/// its end. Values longer than STRING_INLINE_MAX point into the page.
///
/// Errors: FIRN_CORRUPT if the page ends early.
firn_status pq_plain_bytes_read(byte_reader *page, uint32_t count, string_value *out,
                                firn_error *err);

/// Takes the next `count` values and hands out those with the numbers wanted[0 ... wanted_count),
/// ascending. Views of the others are not made.
firn_status pq_plain_bytes_take(byte_reader *page, uint32_t count, const uint16_t *wanted,
                                uint32_t wanted_count, string_value *out, firn_error *err);

/// Passes over `count` values.
firn_status pq_plain_bytes_skip(byte_reader *page, uint64_t count, firn_error *err);

/// String values over `count` values of `width` bytes each that lie one behind another, readable
/// for PQ_PAD bytes behind. Long ones point there.
void pq_fixed_bytes_view(const uint8_t *values, uint32_t width, uint32_t count, string_value *out);

// ---- DELTA_LENGTH_BYTE_ARRAY -------------------------------------------------------------------

typedef struct pq_delta_lengths {
    pq_delta sizes;
    byte_reader data; // What the sizes not yet taken belong to.
} pq_delta_lengths;

/// Starts at the first value of `page`, which must be readable for PQ_PAD bytes behind its end.
firn_status pq_delta_lengths_open(pq_delta_lengths *self, bytes page, firn_error *err);

/// As pq_plain_bytes_read.
/// Errors: FIRN_CORRUPT if a size is negative or the bytes end early.
firn_status pq_delta_lengths_read(pq_delta_lengths *self, uint32_t count, string_value *out,
                                  firn_error *err);
firn_status pq_delta_lengths_skip(pq_delta_lengths *self, uint64_t count, firn_error *err);

// ---- DELTA_BYTE_ARRAY --------------------------------------------------------------------------

// Sizes are decoded so many at a time.
#define PQ_DELTA_BYTES_WINDOW 256
#define PQ_DELTA_BYTES_ROOM ((size_t)2 * PQ_DELTA_BYTES_WINDOW * sizeof(int32_t) + PQ_PAD)

typedef struct pq_delta_bytes {
    pq_delta prefixes;
    pq_delta suffixes;
    byte_reader data;      // Of the suffixes not yet taken.
    uint8_t *last;         // The value before, in memory of the caller of open.
    uint32_t last_size;    // Never more than the page's size.
    uint32_t window_at;    // The next value in the window, ...
    uint32_t window_end;   // ... which holds so many.
    int32_t *prefix_sizes; // The window: PQ_DELTA_BYTES_WINDOW of each.
    int32_t *suffix_sizes;
} pq_delta_bytes;

/// Starts at the first value of `page`, which must be readable for PQ_PAD bytes behind its end.
///
/// Keeps: `room`, page.size + PQ_DELTA_BYTES_ROOM bytes, aligned to 4, for the window and the value
///        before; until the page is done.
firn_status pq_delta_bytes_open(pq_delta_bytes *self, bytes page, uint8_t *room, firn_error *err);

/// Says how many of the next `count` values take at most `limit_bytes` together; at least one if
/// there is one. So a batch can end early before memory is taken.
firn_status pq_delta_bytes_measure(pq_delta_bytes *self, uint32_t count, size_t limit_bytes,
                                   uint32_t *out, firn_error *err);

/// Takes `count` values; the bytes of those longer than STRING_INLINE_MAX lie in `memory`.
///
/// Errors: FIRN_CORRUPT if a prefix is longer than the value before or the bytes end early;
///         FIRN_NO_MEMORY.
firn_status pq_delta_bytes_read(pq_delta_bytes *self, uint32_t count, arena *memory,
                                string_value *out, firn_error *err);

/// Takes `count` values that must all have `width` bytes, one behind another.
firn_status pq_delta_bytes_read_fixed(pq_delta_bytes *self, uint32_t count, uint32_t width,
                                      uint8_t *out, firn_error *err);

firn_status pq_delta_bytes_skip(pq_delta_bytes *self, uint64_t count, firn_error *err);

#endif
