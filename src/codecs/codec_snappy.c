// Snappy behind the interface of codec.h; the work is done in codecs/snappy.h.
#include "codecs/codec_private.h"
#include "codecs/snappy.h"

static firn_status decode(bytes in, codec_output *out, codec_scratch *scratch, firn_error *err) {
    (void)scratch;
    size_t size;
    TRY(snappy_decoded_size(in, &size, err));
    if (size > out->capacity) {
        out->is_full = true;
        return FIRN_OK;
    }
    const snappy_block block = {.in = in, .out = out->data, .out_size = size};
    TRY(snappy_decode(&block, 1, SNAPPY_SHAPE_GUESS, err));
    out->size = size;
    return FIRN_OK;
}

static codec_sizes decoded_sizes(bytes in) {
    firn_error err = ERR_INIT;
    const size_t most = snappy_decoded_size_max(in.size);
    size_t said;
    if (snappy_decoded_size(in, &said, &err) != FIRN_OK) {
        said = 0; // decode says what is wrong.
    }
    return (codec_sizes){.likely = said, .most = most};
}

static firn_status encode(int level, bytes in, codec_output *out, codec_scratch *scratch,
                          firn_error *err) {
    (void)level;
    if (in.size > UINT32_MAX) {
        return FAIL(err, FIRN_INVALID, "%zu bytes in a snappy block, at most %u are allowed",
                    in.size, UINT32_MAX);
    }
    if (scratch->snappy_encoder == NULL) {
        scratch->snappy_encoder = ARENA_NEW(&scratch->contexts, snappy_table, 1);
        if (scratch->snappy_encoder == NULL) {
            return ARENA_FULL(&scratch->contexts, err);
        }
    }
    out->size = snappy_encode(in, out->data, scratch->snappy_encoder);
    return FIRN_OK;
}

const codec_kind codec_kind_snappy = {
    .word = "snappy",
    .decode = decode,
    .decoded_sizes = decoded_sizes,
    .encoded_size_max = snappy_encoded_size_max,
    .encode = encode,
};
