// Snappy blocks: a decoder that works on three blocks at once, and a small fast encoder.
//
// A block is a varint, the size of the output, followed by elements:
//
//     tag & 3 == 0   literal: (tag >> 2) + 1 bytes follow; 60..63 mean 1..4 bytes of size - 1 first
//     tag & 3 == 1   copy of 4 + (tag >> 2 & 7) bytes from (tag >> 5) << 8 | next byte back
//     tag & 3 == 2   copy of 1 + (tag >> 2) bytes, 2 bytes little-endian of how far back
//     tag & 3 == 3   copy of 1 + (tag >> 2) bytes, 4 bytes little-endian of how far back
//
// Where the next element begins is known only after this one's tag, so a single block is one long
// chain of dependent loads and the core idles. Pages of a column are independent of each other:
// stepping through three of them in turn fills it (2 to 3 times the bytes per second).
//
// Two loop shapes give the same bytes at different speeds. SNAPPY_SHAPE_PAIRS takes a literal and
// the copy behind it in one step, which suits integers; SNAPPY_SHAPE_TAGS takes one element a step,
// which suits text. bench/bench_snappy.c measures both.
//
// Specification: google/snappy, format_description.txt.
#ifndef FIRN_CODECS_SNAPPY_H
#define FIRN_CODECS_SNAPPY_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

typedef enum snappy_shape {
    SNAPPY_SHAPE_GUESS, // Looks at the first elements of the first block.
    SNAPPY_SHAPE_PAIRS,
    SNAPPY_SHAPE_TAGS,
} snappy_shape;

/// Beyond these, more padding or slack gains nothing.
#define SNAPPY_PADDING_USEFUL 66
#define SNAPPY_SLACK_USEFUL 144

/// One block to decode, and where to.
typedef struct snappy_block {
    bytes in;
    uint8_t *out;    // Room for out_size bytes and the slack. Overlaps no input.
    size_t out_size; // What the block must decode to, exactly.
    size_t padding;  // Bytes behind `in` that may be read (not used), ...
    size_t slack;    // ... and behind the output that may be written (with garbage).
} snappy_block;

/// Decodes `count` blocks that do not depend on each other. `shape` is for all of them.
///
/// Errors:  FIRN_CORRUPT if one is damaged or holds another number of bytes than its out_size; the
///          text says which. All outputs are then undefined.
/// Cost:    O(bytes), no allocation. Three blocks or more of about the same size are fastest.
firn_status snappy_decode(const snappy_block *blocks, size_t count, snappy_shape shape,
                          firn_error *err);

/// Reads the size that a block says it decodes to. A claim: snappy_size_max bounds it.
firn_status snappy_decoded_size(bytes in, size_t *out, firn_error *err);

/// The most that a block of `size` bytes can decode to: its densest element makes 64 bytes of 3.
size_t snappy_decoded_size_max(size_t size);

/// Memory that snappy_encode works in; needs no preparation and may be reused.
#define SNAPPY_TABLE_BITS 14
typedef struct snappy_table {
    uint16_t positions[1 << SNAPPY_TABLE_BITS];
} snappy_table;

/// The most that `size` bytes encode to. SIZE_MAX if `size` is more than a block can hold.
size_t snappy_encoded_size_max(size_t size);

/// Writes `in` as one block to `out`, which has room for snappy_encoded_size_max(in.size) bytes,
/// and returns its size. `in` is at most UINT32_MAX bytes. Cannot fail.
size_t snappy_encode(bytes in, uint8_t *out, snappy_table *table);

#endif
