// Brotli by libbrotlidec. Nobody writes it: no encoder is linked.
//
// The decoder's memory, up to twice the window that the stream asks for (16 MiB), lies in the
// scratch's arena for temporary things; freeing single pieces does nothing.
#include <brotli/decode.h>

#include "codecs/codec_private.h"

static void *take(void *opaque, size_t size) {
    return arena_alloc(opaque, 1, size);
}

static void give_back(void *opaque, void *block) {
    (void)opaque;
    (void)block;
}

static firn_status decode(bytes in, codec_output *out, codec_scratch *scratch, firn_error *err) {
    arena *memory = &scratch->temporary;
    arena_reset(memory);
    BrotliDecoderState *decoder = BrotliDecoderCreateInstance(take, give_back, memory);
    if (decoder == NULL) {
        return ARENA_FULL(memory, err);
    }
    const uint8_t *in_at = in.data;
    size_t in_left = in.size;
    uint8_t *out_at = out->data;
    size_t out_left = out->capacity;
    const BrotliDecoderResult result =
        BrotliDecoderDecompressStream(decoder, &in_left, &in_at, &out_left, &out_at, NULL);
    const BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(decoder);
    BrotliDecoderDestroyInstance(decoder);
    if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) {
        out->is_full = true;
        return FIRN_OK;
    }
    // Errors of memory have the numbers -21 to -30.
    if (result == BROTLI_DECODER_RESULT_ERROR && code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
        code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES) {
        return ARENA_FULL(memory, err);
    }
    if (result == BROTLI_DECODER_RESULT_ERROR) {
        return FAIL(err, FIRN_CORRUPT, "brotli block of %zu bytes: %s", in.size,
                    BrotliDecoderErrorString(code));
    }
    if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT) {
        return FAIL(err, FIRN_CORRUPT, "brotli block of %zu bytes is cut off", in.size);
    }
    if (in_left > 0) {
        return FAIL(err, FIRN_CORRUPT, "%zu bytes behind the end of the brotli stream", in_left);
    }
    out->size = out->capacity - out_left;
    return FIRN_OK;
}

static codec_sizes decoded_sizes(bytes in) {
    return (codec_sizes){.likely = codec_times(in.size, 8), .most = SIZE_MAX};
}

const codec_kind codec_kind_brotli = {
    .word = "brotli",
    .decode = decode,
    .decoded_sizes = decoded_sizes,
};
