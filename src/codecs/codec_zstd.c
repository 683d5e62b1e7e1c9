// Zstandard by libzstd, whose contexts lie in the scratch's arena.
#define ZSTD_STATIC_LINKING_ONLY // For contexts in memory of ours; we link the archive.
#include <zstd.h>
#include <zstd_errors.h>

#include "codecs/codec_private.h"

#define LEVEL_DEFAULT 3
#define LEVEL_MAX 22

static firn_status decode(bytes in, codec_output *out, codec_scratch *scratch, firn_error *err) {
    if (scratch->zstd_decoder == NULL) {
        const size_t size = ZSTD_estimateDCtxSize();
        void *memory = arena_alloc(&scratch->contexts, 1, size);
        if (memory == NULL) {
            return ARENA_FULL(&scratch->contexts, err);
        }
        scratch->zstd_decoder = ZSTD_initStaticDCtx(memory, size);
        if (scratch->zstd_decoder == NULL) {
            return FAIL(err, FIRN_INTERNAL, "zstd decoder does not fit the %zu bytes it wants",
                        size);
        }
    }
    const size_t size =
        ZSTD_decompressDCtx(scratch->zstd_decoder, out->data, out->capacity, in.data, in.size);
    if (!ZSTD_isError(size)) {
        out->size = size;
        return FIRN_OK;
    }
    switch ((int)ZSTD_getErrorCode(size)) {
    case ZSTD_error_dstSize_tooSmall:
        out->is_full = true;
        return FIRN_OK;
    case ZSTD_error_memory_allocation:
        return FAIL(err, FIRN_NO_MEMORY, "zstd needs more than its context");
    default:
        return FAIL(err, FIRN_CORRUPT, "zstd block of %zu bytes: %s", in.size,
                    ZSTD_getErrorName(size));
    }
}

static codec_sizes decoded_sizes(bytes in) {
    codec_sizes sizes = {.likely = codec_times(in.size, 4), .most = SIZE_MAX};
    // The two highest numbers mean an error and "unknown".
    const unsigned long long no_size = UINT64_MAX - 1;
    const unsigned long long most = ZSTD_decompressBound(in.data, in.size);
    if (most < no_size && most < SIZE_MAX) {
        sizes.most = (size_t)most;
    }
    const unsigned long long said = ZSTD_findDecompressedSize(in.data, in.size);
    if (said < no_size && said <= sizes.most) {
        // A claim: frames that claim more than a thousand times their size grow step by step.
        const size_t trusted = codec_times(in.size, 1024);
        sizes.likely = (size_t)said < trusted ? (size_t)said : trusted;
    }
    return sizes;
}

static size_t encoded_size_max(size_t size) {
    const size_t most = ZSTD_compressBound(size);
    return ZSTD_isError(most) ? SIZE_MAX : most;
}

static firn_status encode(int level, bytes in, codec_output *out, codec_scratch *scratch,
                          firn_error *err) {
    level = level == 0 ? LEVEL_DEFAULT : level;
    if (level < 1 || level > LEVEL_MAX) {
        return FAIL(err, FIRN_INVALID, "zstd level %d, 1 to %d are allowed", level, LEVEL_MAX);
    }
    if (scratch->zstd_encoder == NULL || scratch->zstd_encoder_level < level) {
        const size_t size = ZSTD_estimateCCtxSize(level); // Enough for all levels up to it.
        void *memory = arena_alloc(&scratch->contexts, 1, size);
        if (memory == NULL) {
            return ARENA_FULL(&scratch->contexts, err);
        }
        scratch->zstd_encoder = ZSTD_initStaticCCtx(memory, size);
        if (scratch->zstd_encoder == NULL) {
            return FAIL(err, FIRN_INTERNAL, "zstd encoder does not fit the %zu bytes it wants",
                        size);
        }
        scratch->zstd_encoder_level = level;
    }
    const size_t size =
        ZSTD_compressCCtx(scratch->zstd_encoder, out->data, out->capacity, in.data, in.size, level);
    if (ZSTD_isError(size)) {
        return FAIL(err, FIRN_INTERNAL, "zstd at level %d: %s", level, ZSTD_getErrorName(size));
    }
    out->size = size;
    return FIRN_OK;
}

const codec_kind codec_kind_zstd = {
    .word = "zstd",
    .decode = decode,
    .decoded_sizes = decoded_sizes,
    .encoded_size_max = encoded_size_max,
    .encode = encode,
};
