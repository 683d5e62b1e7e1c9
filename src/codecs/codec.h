// Compression behind one interface. A codec turns one block of bytes into another: a page of a
// Parquet file, a block of an Avro or ORC file, a whole gzip'd metadata file.
//
// Two ways to decode: into exactly the size that the file's own metadata gives (pages), or into an
// arena up to a limit, when nobody knows the size (Avro blocks, metadata). Pages that do not depend
// on each other are decoded together by codec_decode_many, which Snappy turns into two to three
// times the speed.
//
// No codec trusts its input: any bytes give an answer or an error, nothing is read behind the input
// or written behind the output, and memory is bounded by what the caller gave.
#ifndef FIRN_CODECS_CODEC_H
#define FIRN_CODECS_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "memory/arena.h"

#define CODEC(NAME, word, what) CODEC_##NAME,
typedef enum codec {
#include "codecs/codecs.def"
    CODEC_COUNT
} codec;
#undef CODEC

/// The word of a codec, such as "zstd". Static storage.
const char *codec_word(codec self);

/// The codec of a word, whatever the case of its letters. False if there is none.
bool codec_find(text word, codec *out);

/// What codecs keep between calls: contexts of the libraries, tables. One per worker. Made with
/// codec_scratch_open; each part is allocated at its first use. Closing one that never allocated
/// does nothing.
///
/// Memory lies in the two arenas and counts there, but for libdeflate's (12 KiB to decode, up to
/// 1 MiB to encode), which that library takes from the system by itself.
typedef struct codec_scratch {
    arena contexts;  // Until the scratch is closed.
    arena temporary; // Until the end of a call.
    void *zstd_decoder;
    void *zstd_encoder;
    int zstd_encoder_level;   // The highest that zstd_encoder has room for, …
    size_t zstd_encoder_most; // … and the largest input.
    void *deflate_decoder;
    void *deflate_encoder;
    int deflate_encoder_level;
    void *lz4_encoder;
    void *lz4_encoder_high;
    void *snappy_encoder;
} codec_scratch;

/// Starts a scratch whose arenas take at most `limit_bytes` each. 16 MiB is enough to decode, 4 MiB
/// to encode at default levels; zstd's level 19 needs 96 MiB.
codec_scratch codec_scratch_open(size_t limit_bytes);
/// The same, counted against a pool, which outlives it.
codec_scratch codec_scratch_open_in(pool *owner, size_t limit_bytes);
void codec_scratch_close(codec_scratch *self);
/// Bytes that the scratch holds now.
size_t codec_scratch_bytes(const codec_scratch *self);

/// One block to decode into its known size.
typedef struct codec_block {
    bytes in;
    uint8_t *out;    // Room for out_size bytes and the slack. Overlaps no input.
    size_t out_size; // What the block decodes to, exactly.
    size_t padding;  // Bytes behind `in` that may be read, ...
    size_t slack;    // ... and behind the output that may be written. 0 is always right.
} codec_block;

// How Snappy is decoded; the same bytes come out. See codecs/snappy.h.
typedef enum codec_hint {
    CODEC_HINT_NONE,    // Looks at the block.
    CODEC_HINT_NUMBERS, // Most values are numbers and differ from each other.
    CODEC_HINT_TEXT,    // Text, sorted or repeating values.
} codec_hint;

/// Decodes one block into exactly `out_size` bytes at `out`. An empty block is what 0 bytes may be
/// stored as, with any codec.
///
/// Errors:  FIRN_CORRUPT if the block is damaged or holds another number of bytes, FIRN_NO_MEMORY
///          if the scratch is full. `out` is then undefined.
firn_status codec_decode(codec self, bytes in, uint8_t *out, size_t out_size,
                         codec_scratch *scratch, firn_error *err);

/// Decodes `count` blocks that do not depend on each other. Errors name the block.
firn_status codec_decode_many(codec self, const codec_block *blocks, size_t count, codec_hint hint,
                              codec_scratch *scratch, firn_error *err);

/// The CRC-32 of gzip and zlib, which Avro puts behind Snappy blocks and Parquet into page headers.
uint32_t codec_crc32(bytes data);

/// Where a block of unknown size goes, and what it may take.
typedef struct codec_growth {
    arena *memory;    // Holds the output, and smaller tries that did not do.
    size_t size_max;  // The most that the block may decode to.
    size_t size_hint; // What it will probably decode to, such as the block before it. 0: no idea.
} codec_growth;

/// Decodes one block whose size nobody knows. `out` lies in the arena; with CODEC_NONE it is `in`.
///
/// Errors:  FIRN_CORRUPT if the block is damaged, FIRN_NO_MEMORY if it is bigger than size_max or
///          an arena is full.
firn_status codec_decode_growing(codec self, bytes in, const codec_growth *growth, bytes *out,
                                 codec_scratch *scratch, firn_error *err);

/// Room for what is encoded or decoded, and how much of it is in use.
typedef struct codec_output {
    uint8_t *data;
    size_t capacity;
    size_t size;
    bool is_full; // Set by decoders: the block holds more than `capacity` bytes.
} codec_output;

/// The most that `size` bytes encode to; SIZE_MAX if a block cannot hold so many or the codec has
/// no encoder.
size_t codec_encoded_size_max(codec self, size_t size);

/// A level of zstd that looks for repetitions at few places, and so takes less time than its
/// default. Numbers that are not sorted have few, and often get no larger by it.
#define CODEC_LEVEL_QUICK (-2)

/// Encodes `in` as one block at out->data and sets out->size. `level` 0 is the codec's default;
/// zstd has 1 to 22 and CODEC_LEVEL_QUICK, gzip, zlib and deflate 1 to 12, lz4 1 to 12; the others
/// ignore it.
///
/// Errors:  FIRN_UNSUPPORTED for lz4_hadoop and brotli, which nobody should write any more;
///          FIRN_INVALID for a level that is none or out->capacity below codec_encoded_size_max.
firn_status codec_encode(codec self, int level, bytes in, codec_output *out, codec_scratch *scratch,
                         firn_error *err);

#endif
