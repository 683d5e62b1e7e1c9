// Writes Avro's container files (avro_file.h), whole in memory: manifests and manifest lists.
//
//     avro_writer_open(&writer, &wanted, &memory, &codecs);
//     for (each record) {
//         byte_output *out = &writer.block;      fields one behind the other, as the schema has
//         them avro_put_long(out, 1) && avro_put_text(out, path) && ...
//         TRY(avro_writer_end_record(&writer, err));
//     }
//     TRY(avro_writer_finish(&writer, &file, err));
//
// Fields: an optional one is avro_put_branch(out, 0) for null or 1 and the value; arrays and maps
// are avro_put_count and the items, then avro_put_count(out, 0).
//
// Specification: Apache Avro 1.12, "Binary encoding", "Object Container Files".
#ifndef FIRN_FORMATS_AVRO_AVRO_WRITE_H
#define FIRN_FORMATS_AVRO_AVRO_WRITE_H

#include <string.h>

#include "formats/avro/avro_file.h"
#include "memory/byte_output.h"

/// What a file is opened with. Plain data; borrowed until avro_writer_open returns.
typedef struct avro_wanted {
    text schema_json;
    codec codec; ///< NONE, DEFLATE, SNAPPY or ZSTD.
    uint32_t property_count;
    const avro_property *properties; ///< Besides avro.schema and avro.codec.
    uint8_t sync[AVRO_SYNC_SIZE];    ///< Random: 16 bytes that no block holds but by chance.
} avro_wanted;

typedef struct avro_writer {
    byte_output file;
    byte_output block; ///< Where the next record goes.
    uint64_t count;    ///< Of records in the block.
    uint64_t total;    ///< Of records in all.
    codec codec;
    codec_scratch *codecs;
    uint8_t sync[AVRO_SYNC_SIZE];
} avro_writer;

/// Writes the header. The file grows in `memory`.
/// Errors: FIRN_UNSUPPORTED for another codec; FIRN_NO_MEMORY.
firn_status avro_writer_open(avro_writer *self, const avro_wanted *wanted, arena *memory,
                             codec_scratch *codecs, firn_error *err);
/// What was appended to `block` is one record more. Ends the block when it is large enough.
/// Errors: FIRN_NO_MEMORY.
firn_status avro_writer_end_record(avro_writer *self, firn_error *err);
/// Ends the last block. `*out` is the whole file, in the memory it was opened with.
firn_status avro_writer_finish(avro_writer *self, bytes *out, firn_error *err);

// Values. False when memory is full.

/// int and long, also dates and times.
static inline bool avro_put_long(byte_output *out, int64_t value) {
    return byte_output_zigzag(out, value);
}
static inline bool avro_put_boolean(byte_output *out, bool value) {
    const uint8_t byte = value ? 1 : 0;
    return byte_output_put(out, (bytes){.data = &byte, .size = 1});
}
static inline bool avro_put_float(byte_output *out, float value) {
    return byte_output_put(out, (bytes){.data = (const uint8_t *)&value, .size = sizeof value});
}
static inline bool avro_put_double(byte_output *out, double value) {
    return byte_output_put(out, (bytes){.data = (const uint8_t *)&value, .size = sizeof value});
}
static inline bool avro_put_bytes(byte_output *out, bytes value) {
    return value.size <= INT64_MAX && byte_output_zigzag(out, (int64_t)value.size) &&
           byte_output_put(out, value);
}
static inline bool avro_put_text(byte_output *out, text value) {
    return avro_put_bytes(out, bytes_of_text(value));
}
/// `size` bytes as they are: of a fixed.
static inline bool avro_put_fixed(byte_output *out, bytes value) {
    return byte_output_put(out, value);
}
/// Which branch of a union follows; of [null, T]: 0 or 1.
static inline bool avro_put_branch(byte_output *out, uint32_t branch) {
    return byte_output_zigzag(out, branch);
}
/// So many items of an array or a map follow; 0: it ends.
static inline bool avro_put_count(byte_output *out, uint32_t count) {
    return byte_output_zigzag(out, count);
}

#endif
