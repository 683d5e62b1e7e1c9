// The values of a page in an encoding, and which encoding they should have.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_ENCODE_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_ENCODE_H

#include "codecs/codec.h"
#include "formats/parquet/write/pw_options.h"
#include "formats/parquet/write/pw_stored.h"
#include "memory/byte_output.h"

/// What a worker that encodes has for itself; its arena is rewound after each step.
typedef struct pw_worker {
    arena scratch;
    codec_scratch codecs;
} pw_worker;

/// Counted against `owner`, which outlives it.
pw_worker pw_worker_open(pool *owner, const cancel_flag *cancel);
void pw_worker_close(pw_worker *self);

/// Appends values in an encoding that is none of a dictionary's.
/// Errors: those of the encoding (pw_strings.h).
firn_status pw_encode(pq_encoding encoding, const pw_values *values, byte_output *out,
                      arena *scratch, firn_error *err);
/// Appends codes as RLE_DICTIONARY has them.
firn_status pw_encode_codes(const uint32_t *codes, uint32_t count, byte_output *out,
                            firn_error *err);

/// Appends `in` compressed, in one block. `is_quick`: at CODEC_LEVEL_QUICK, whatever the options.
/// Errors: FIRN_NO_MEMORY; FIRN_INVALID for more than the codec takes at once.
firn_status pw_compress(const pw_options *options, bool is_quick, bytes in, byte_output *out,
                        pw_worker *with, firn_error *err);

/// Bytes that `in` takes compressed. Errors: likewise.
firn_status pw_compressed_size(const pw_options *options, bool is_quick, bytes in, pw_worker *with,
                               uint64_t *out, firn_error *err);

/// How values of one kind are best stored, and how large they were so.
typedef struct pw_choice {
    pq_encoding encoding;
    bool is_compressed;
    bool is_quick; ///< At CODEC_LEVEL_QUICK, if it is.
    uint64_t size;
} pw_choice;

/// Tries what the leaf may have on some of its values.
///
/// What takes longer to decode must be smaller by a share (pw_encode.c: costs); compressed is what
/// a tenth of the size is saved by, or everything where the codec is given. Numbers as they are may
/// be compressed quickly where no level is asked for and that takes no more bytes.
/// Errors: FIRN_NO_MEMORY, FIRN_CANCELLED.
firn_status pw_choose(const pw_options *options, const pw_leaf_options *leaf,
                      const pw_values *sample, pw_worker *with, pw_choice *out, firn_error *err);
/// Whether bytes shall be compressed, and how many they are then.
firn_status pw_choose_codec(const pw_options *options, bytes sample, pw_worker *with,
                            bool *is_compressed, uint64_t *size, firn_error *err);

#endif
