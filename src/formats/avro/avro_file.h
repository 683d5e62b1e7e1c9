// Avro's container files, in pieces: the header, then blocks that stand alone.
//
//     header   "Obj" 1; a map of metadata (string to bytes); 16 bytes of sync marker
//     block    long: how many values; long: bytes that follow; those bytes, compressed as a whole;
//              the sync marker
//
// Nothing here reads a file. The caller shows what it has of it, from the place where a header or
// block begins; if that is too little, the answer is how much is needed. So one piece of code
// serves a manifest in memory and a data file of which only a window is:
//
//     size_t wanted;
//     TRY(avro_block_read(&header, window, &block, &wanted, err));
//     if (wanted > 0) { ... get a window of at least `wanted` bytes, then again ... }
//     TRY(avro_block_decode(&header, &block, &growth, scratch, &values, err));
//     ... block.count values begin at `values` ...
//     ... the next block begins block.size bytes further ...
//
// Codecs: null, deflate, snappy (with its CRC), zstandard.
//
// Specification: Apache Avro 1.12, "Object Container Files".
#ifndef FIRN_FORMATS_AVRO_AVRO_FILE_H
#define FIRN_FORMATS_AVRO_AVRO_FILE_H

#include "codecs/codec.h"
#include "formats/avro/avro_schema.h"

#define AVRO_SYNC_SIZE 16
#define AVRO_HEADER_BYTES_MAX ((size_t)64 << 20)
#define AVRO_BLOCK_BYTES_MAX ((size_t)1 << 30) // Of a block, compressed or not.

/// An entry of the header's metadata.
typedef struct avro_property {
    text key;
    bytes value;
} avro_property;

typedef struct avro_header {
    bytes schema_json; // Read it with avro_schema_read, or know it from the file before.
    codec codec;
    uint8_t sync[AVRO_SYNC_SIZE];
    uint32_t property_count;
    const avro_property *properties; // In the order of the file.
    size_t size;                     // Bytes of the header: where the first block begins.
} avro_header;

/// Reads the header from the first bytes of a file. Sets *wanted to 0; or, if there are too few
/// bytes, to how many are needed at least, and leaves `out` as it was.
///
/// Borrows: nothing; everything is copied into `memory`.
/// Errors:  FIRN_CORRUPT, FIRN_UNSUPPORTED (codec), FIRN_NO_MEMORY.
firn_status avro_header_read(bytes window, arena *memory, avro_header *out, size_t *wanted,
                             firn_error *err);

/// The value of a metadata key, or NULL. Of several the last.
const bytes *avro_header_find(const avro_header *self, text key);

/// A block, not yet decompressed.
typedef struct avro_block {
    uint64_t count; // Values in it.
    bytes stored;   // Points into the window.
    size_t size;    // Bytes of the block with everything: the next one begins behind them.
} avro_block;

/// Reads the frame of the block at the beginning of `window`, which is not empty. *wanted as above.
///
/// Errors:  FIRN_CORRUPT; a sync marker that differs among them.
firn_status avro_block_read(const avro_header *self, bytes window, avro_block *out, size_t *wanted,
                            firn_error *err);

/// Decompresses a block. `out` lies in growth->memory or, without a codec, is the block itself.
///
/// Errors:  FIRN_CORRUPT, FIRN_NO_MEMORY.
firn_status avro_block_decode(const avro_header *self, const avro_block *block,
                              const codec_growth *growth, codec_scratch *scratch, bytes *out,
                              firn_error *err);

/// Looks for the sync marker: a block begins behind it. How a scan that starts in the middle of a
/// file finds its first block; blocks belong to the part of a file in which the marker before them
/// begins. SIZE_MAX if there is none in `window`; the last 15 bytes may then hold the start of one.
size_t avro_sync_find(const avro_header *self, bytes window);

/// The error of a file that ends where `wanted` bytes were needed of `left`.
firn_status avro_cut_fail(size_t wanted, size_t left, firn_error *err);

/// Walks through the values of a whole file in memory.
///
///     TRY(avro_walk_open(&walk, file, memory, block_memory, scratch, err));
///     TRY(avro_walk_next(&walk, err));
///     while (walk.has_value) {
///         ... read one value from walk.in ...
///         TRY(avro_walk_next(&walk, err));
///     }
typedef struct avro_walk {
    avro_header header;
    const avro_schema *schema;
    byte_reader in; // Before the next value, if has_value.
    bool has_value;
    uint64_t left; // Values of the block, not counting the one that `in` stands before.
    bytes rest;    // Blocks not yet entered.
    arena *block;  // Holds the block that `in` is in.
    size_t block_bytes;
    codec_scratch *scratch;
} avro_walk;

/// Opens a walk; call avro_walk_next before the first value. Owns nothing.
///
/// Keeps:  `file`, `block`, which is reset for each block, and `scratch`. Header and schema lie in
///         `memory`.
/// Errors: as avro_header_read and avro_schema_read; FIRN_CORRUPT if the file is cut off.
firn_status avro_walk_open(avro_walk *self, bytes file, arena *memory, arena *block,
                           codec_scratch *scratch, firn_error *err);
/// Goes to the next value. The one before must have been read or skipped to its end.
///
/// Errors: FIRN_CORRUPT, also if a block has bytes behind its last value; as avro_block_decode.
firn_status avro_walk_next(avro_walk *self, firn_error *err);

/// Whether `count` values may lie in `size` bytes: what a block claims.
firn_status avro_check_count(const avro_schema *schema, uint64_t count, size_t size,
                             firn_error *err);

#endif
