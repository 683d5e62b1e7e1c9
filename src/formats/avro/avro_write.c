#include "formats/avro/avro_write.h"

#define BLOCK_BYTES (UINT32_C(64) << 10) // Java's default is 64,000.

static const struct {
    codec codec;
    const char *word;
} codec_words[] = {{CODEC_NONE, "null"},
                   {CODEC_DEFLATE, "deflate"},
                   {CODEC_SNAPPY, "snappy"},
                   {CODEC_ZSTD, "zstandard"}};

static const char *word_of(codec wanted) {
    for (size_t i = 0; i < sizeof codec_words / sizeof codec_words[0]; i++) {
        if (codec_words[i].codec == wanted) {
            return codec_words[i].word;
        }
    }
    return NULL;
}

static bool put_property(byte_output *out, text key, bytes value) {
    return avro_put_text(out, key) && avro_put_bytes(out, value);
}

static bool put_header(avro_writer *self, const avro_wanted *wanted, const char *codec_word) {
    static const uint8_t magic[] = {'O', 'b', 'j', 1};
    byte_output *out = &self->file;
    bool fits =
        byte_output_put(out, (bytes){.data = magic, .size = sizeof magic}) &&
        avro_put_count(out, wanted->property_count + 2) &&
        put_property(out, TEXT("avro.schema"), bytes_of_text(wanted->schema_json)) &&
        put_property(out, TEXT("avro.codec"),
                     (bytes){.data = (const uint8_t *)codec_word, .size = strlen(codec_word)});
    for (uint32_t i = 0; i < wanted->property_count && fits; i++) {
        fits = put_property(out, wanted->properties[i].key, wanted->properties[i].value);
    }
    return fits && avro_put_count(out, 0) &&
           byte_output_put(out, (bytes){.data = self->sync, .size = sizeof self->sync});
}

firn_status avro_writer_open(avro_writer *self, const avro_wanted *wanted, arena *memory,
                             codec_scratch *codecs, firn_error *err) {
    const char *word = word_of(wanted->codec);
    if (word == NULL) {
        return FAIL(err, FIRN_UNSUPPORTED, "writing Avro with codec \"%s\"",
                    codec_word(wanted->codec));
    }
    *self = (avro_writer){.file = {.memory = memory},
                          .block = {.memory = memory},
                          .codec = wanted->codec,
                          .codecs = codecs};
    memcpy(self->sync, wanted->sync, sizeof self->sync);
    return put_header(self, wanted, word) ? FIRN_OK : ARENA_FULL(memory, err);
}

// A block behind its size; behind Snappy's its CRC, highest byte first.
static firn_status put_stored(avro_writer *self, firn_error *err) {
    byte_output *out = &self->file;
    const bytes raw = byte_output_bytes(&self->block);
    if (self->codec == CODEC_NONE) {
        return avro_put_bytes(out, raw) ? FIRN_OK : BYTE_OUTPUT_FULL(out, err);
    }
    const size_t most = codec_encoded_size_max(self->codec, raw.size);
    if (most == SIZE_MAX) {
        return FAIL(err, FIRN_INVALID, "an Avro block of %zu bytes cannot be compressed", raw.size);
    }
    codec_output packed = {.data = arena_alloc(out->memory, 1, most + 4), .capacity = most};
    if (packed.data == NULL) {
        return BYTE_OUTPUT_FULL(out, err);
    }
    TRY(codec_encode(self->codec, 0, raw, &packed, self->codecs, err));
    if (self->codec == CODEC_SNAPPY) {
        const uint32_t crc = codec_crc32(raw);
        for (int i = 0; i < 4; i++) {
            packed.data[packed.size++] = (uint8_t)(crc >> (24 - 8 * i) & 0xff);
        }
    }
    return avro_put_bytes(out, (bytes){.data = packed.data, .size = packed.size})
               ? FIRN_OK
               : BYTE_OUTPUT_FULL(out, err);
}

static firn_status end_block(avro_writer *self, firn_error *err) {
    if (self->count == 0) {
        return FIRN_OK;
    }
    if (!byte_output_zigzag(&self->file, (int64_t)self->count)) {
        return BYTE_OUTPUT_FULL(&self->file, err);
    }
    TRY(put_stored(self, err));
    self->count = 0;
    self->block.size = 0;
    return byte_output_put(&self->file, (bytes){.data = self->sync, .size = sizeof self->sync})
               ? FIRN_OK
               : BYTE_OUTPUT_FULL(&self->file, err);
}

firn_status avro_writer_end_record(avro_writer *self, firn_error *err) {
    self->count++;
    self->total++;
    return self->block.size >= BLOCK_BYTES ? end_block(self, err) : FIRN_OK;
}

firn_status avro_writer_finish(avro_writer *self, bytes *out, firn_error *err) {
    TRY(end_block(self, err));
    *out = byte_output_bytes(&self->file);
    return FIRN_OK;
}
