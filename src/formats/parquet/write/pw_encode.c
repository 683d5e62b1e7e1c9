#include "formats/parquet/write/pw_encode.h"

#include <assert.h>

#include "formats/parquet/write/pw_delta.h"
#include "formats/parquet/write/pw_hybrid.h"
#include "formats/parquet/write/pw_split.h"
#include "formats/parquet/write/pw_strings.h"

#define CODEC_MEMORY_MAX ((size_t)128 << 20) // Of one arena; zstd's level 19 needs 96 MiB.
#define QUICK_BYTES_MIN ((uint64_t)64 << 10) // Of less it is not worth a try.

pw_worker pw_worker_open(pool *owner, const cancel_flag *cancel) {
    pw_worker self = {.scratch = arena_open_in(owner, SIZE_MAX),
                      .codecs = codec_scratch_open_in(owner, CODEC_MEMORY_MAX)};
    self.scratch.cancel = cancel;
    return self;
}

void pw_worker_close(pw_worker *self) {
    codec_scratch_close(&self->codecs);
    arena_close(&self->scratch);
}

// RLE of booleans: behind a size of four bytes.
static firn_status put_boolean_runs(const pw_values *values, byte_output *out, firn_error *err) {
    const size_t at = out->size;
    if (byte_output_room(out, 4) == NULL) {
        return BYTE_OUTPUT_FULL(out, err);
    }
    out->size += 4;
    TRY(pw_hybrid_put_bits(out, values->bits, values->count, err));
    const uint32_t size = (uint32_t)(out->size - at - 4);
    memcpy(out->data + at, &size, sizeof size);
    return FIRN_OK;
}

firn_status pw_encode(pq_encoding encoding, const pw_values *values, byte_output *out,
                      arena *scratch, firn_error *err) {
    switch (encoding) {
    case PQ_ENCODING_PLAIN:
        return pw_put_plain(out, values, err);
    case PQ_ENCODING_RLE:
        return put_boolean_runs(values, out, err);
    case PQ_ENCODING_DELTA_BINARY_PACKED:
        return values->type == PQ_INT32 ? pw_delta_put_i32(out, values->i32, values->count, err)
                                        : pw_delta_put_i64(out, values->i64, values->count, err);
    case PQ_ENCODING_DELTA_LENGTH_BYTE_ARRAY:
        return pw_put_delta_lengths(out, values, scratch, err);
    case PQ_ENCODING_DELTA_BYTE_ARRAY:
        return pw_put_delta_bytes(out, values, scratch, err);
    case PQ_ENCODING_BYTE_STREAM_SPLIT:
        return pw_put_split(out, values, err);
    case PQ_ENCODING_PLAIN_DICTIONARY:
    case PQ_ENCODING_BIT_PACKED:
    case PQ_ENCODING_RLE_DICTIONARY:
        break;
    }
    return FAIL(err, FIRN_INTERNAL, "values in encoding %s", pq_encoding_name((int32_t)encoding));
}

firn_status pw_encode_codes(const uint32_t *codes, uint32_t count, byte_output *out,
                            firn_error *err) {
    uint32_t highest = 0;
    for (uint32_t i = 0; i < count; i++) {
        highest = codes[i] > highest ? codes[i] : highest;
    }
    const uint8_t width = (uint8_t)pw_width_of(highest);
    if (!byte_output_put(out, (bytes){.data = &width, .size = 1})) {
        return BYTE_OUTPUT_FULL(out, err);
    }
    return pw_hybrid_put_u32(out, codes, count, width, err);
}

firn_status pw_compress(const pw_options *options, bool is_quick, bytes in, byte_output *out,
                        pw_worker *with, firn_error *err) {
    const size_t most = codec_encoded_size_max(options->codec, in.size);
    if (most == SIZE_MAX) {
        return FAIL(err, FIRN_INVALID, "%s cannot compress a page of %zu bytes",
                    codec_word(options->codec), in.size);
    }
    uint8_t *room = byte_output_room(out, most);
    if (room == NULL) {
        return BYTE_OUTPUT_FULL(out, err);
    }
    codec_output to = {.data = room, .capacity = most};
    const int level = is_quick ? CODEC_LEVEL_QUICK : options->codec_level;
    TRY(codec_encode(options->codec, level, in, &to, &with->codecs, err));
    out->size += to.size;
    return FIRN_OK;
}

firn_status pw_compressed_size(const pw_options *options, bool is_quick, bytes in, pw_worker *with,
                               uint64_t *out, firn_error *err) {
    const arena_mark mark = arena_mark_take(&with->scratch);
    byte_output packed = {.memory = &with->scratch};
    TRY(pw_compress(options, is_quick, in, &packed, with, err));
    arena_rewind(&with->scratch, mark);
    *out = packed.size;
    return FIRN_OK;
}

// ---- Choosing ----------------------------------------------------------------------------------

firn_status pw_choose_codec(const pw_options *options, bytes sample, pw_worker *with,
                            bool *is_compressed, uint64_t *size, firn_error *err) {
    *size = sample.size;
    *is_compressed = false;
    if (options->codec == CODEC_NONE) {
        return FIRN_OK;
    }
    uint64_t packed;
    TRY(pw_compressed_size(options, false, sample, with, &packed, err));
    const bool pays = (double)packed * 10 <= (double)sample.size * 9;
    *is_compressed = options->codec_choice == PW_CODEC_GIVEN || pays;
    *size = *is_compressed ? packed : sample.size;
    return FIRN_OK;
}

// Encodings besides PLAIN: of which types, and what a byte of theirs counts, in percent, for the
// time that decoding it takes. PQ_FIXED may have the last two as well, but Polars 2.1 reads neither
// and DuckDB 2.0 not the last.
#define TYPE_BIT(type) (UINT32_C(1) << (type))
static const struct {
    pw_encodings allowed_by;
    uint32_t types;
    pq_encoding encoding;
    uint32_t cost;
} costs[] = {
    {PW_DELTA_INTEGERS, TYPE_BIT(PQ_INT32) | TYPE_BIT(PQ_INT64), PQ_ENCODING_DELTA_BINARY_PACKED,
     95}, // Usually without a codec: cheaper than what it replaces.
    {PW_DELTA_BYTES, TYPE_BIT(PQ_BYTE_ARRAY), PQ_ENCODING_DELTA_LENGTH_BYTE_ARRAY, 100},
    {PW_DELTA_BYTES, TYPE_BIT(PQ_BYTE_ARRAY), PQ_ENCODING_DELTA_BYTE_ARRAY, 120},
    {PW_SPLIT, TYPE_BIT(PQ_FLOAT) | TYPE_BIT(PQ_DOUBLE), PQ_ENCODING_BYTE_STREAM_SPLIT, 110},
    {PW_RLE_BOOLEANS, TYPE_BIT(PQ_BOOLEAN), PQ_ENCODING_RLE, 100},
};

static bool may_be_quick(const pw_options *options, const pw_choice *choice,
                         const pw_values *sample) {
    return choice->is_compressed && choice->encoding == PQ_ENCODING_PLAIN &&
           options->codec == CODEC_ZSTD && options->codec_level == 0 &&
           sample->type != PQ_BYTE_ARRAY && pw_plain_size(sample) >= QUICK_BYTES_MIN;
}

static firn_status try_encoding(const pw_options *options, pq_encoding encoding,
                                const pw_values *sample, pw_worker *with, pw_choice *out,
                                firn_error *err) {
    const arena_mark mark = arena_mark_take(&with->scratch);
    byte_output body = {.memory = &with->scratch};
    *out = (pw_choice){.encoding = encoding};
    TRY(pw_encode(encoding, sample, &body, &with->scratch, err));
    TRY(pw_choose_codec(options, byte_output_bytes(&body), with, &out->is_compressed, &out->size,
                        err));
    if (may_be_quick(options, out, sample)) {
        uint64_t size;
        TRY(pw_compressed_size(options, true, byte_output_bytes(&body), with, &size, err));
        out->is_quick = size <= out->size;
        out->size = out->is_quick ? size : out->size;
    }
    arena_rewind(&with->scratch, mark);
    return FIRN_OK;
}

firn_status pw_choose(const pw_options *options, const pw_leaf_options *leaf,
                      const pw_values *sample, pw_worker *with, pw_choice *out, firn_error *err) {
    TRY(try_encoding(options, PQ_ENCODING_PLAIN, sample, with, out, err));
    uint64_t best = out->size * 100;
    for (size_t i = 0; i < sizeof costs / sizeof costs[0]; i++) {
        if ((leaf->encodings & costs[i].allowed_by) == 0 ||
            (costs[i].types & TYPE_BIT(sample->type)) == 0) {
            continue;
        }
        pw_choice tried;
        TRY(try_encoding(options, costs[i].encoding, sample, with, &tried, err));
        if (tried.size * costs[i].cost < best) {
            best = tried.size * costs[i].cost;
            *out = tried;
        }
    }
    return FIRN_OK;
}
