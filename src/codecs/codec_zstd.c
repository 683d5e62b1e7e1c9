// Zstandard by libzstd, whose contexts lie in the scratch's arena.
#define ZSTD_STATIC_LINKING_ONLY // For contexts in memory of ours; we link the archive.
#include <zstd.h>
#include <zstd_errors.h>

#include "codecs/codec_private.h"

// Of pages that our encodings have made small already: lineitem takes 1.6 times the CPU at level 3,
// for 2 % fewer bytes.
#define LEVEL_DEFAULT 1
#define LEVEL_MAX 22
#define ENCODER_INPUT_MIN ((size_t)1 << 20)

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

// What a context needs for inputs of up to `most` bytes at all levels up to `level`. Without an end
// of the input level 22 wants 650 MB, for a page of 1 MiB a twentieth of that.
static size_t encoder_size(int level, size_t most) {
    static const size_t tables[] = {(size_t)16 << 10, (size_t)128 << 10, (size_t)256 << 10};
    size_t out = 0;
    for (int each = CODEC_LEVEL_QUICK; each <= level; each++) { // 0 and -1 are levels of zstd too.
        for (size_t i = 0; i <= sizeof tables / sizeof *tables; i++) { // It has one for each.
            const size_t input = i < sizeof tables / sizeof *tables ? tables[i] : most;
            const size_t size = ZSTD_estimateCCtxSize_usingCParams(ZSTD_getCParams(each, input, 0));
            out = size > out ? size : out;
        }
    }
    return out;
}

static firn_status open_encoder(codec_scratch *scratch, int level, size_t input, firn_error *err) {
    if (scratch->zstd_encoder != NULL && scratch->zstd_encoder_level >= level &&
        scratch->zstd_encoder_most >= input) {
        return FIRN_OK;
    }
    size_t most = ENCODER_INPUT_MIN; // Doubled, so that few are made for inputs that grow.
    while (most < input && most <= SIZE_MAX / 2) {
        most *= 2;
    }
    most = most < scratch->zstd_encoder_most ? scratch->zstd_encoder_most : most;
    level = level < scratch->zstd_encoder_level ? scratch->zstd_encoder_level : level;
    const size_t size = encoder_size(level, most);
    void *memory = arena_alloc(&scratch->contexts, 1, size);
    if (memory == NULL) {
        return ARENA_FULL(&scratch->contexts, err);
    }
    scratch->zstd_encoder = ZSTD_initStaticCCtx(memory, size);
    if (scratch->zstd_encoder == NULL) {
        return FAIL(err, FIRN_INTERNAL, "zstd encoder does not fit the %zu bytes it wants", size);
    }
    scratch->zstd_encoder_level = level;
    scratch->zstd_encoder_most = most;
    return FIRN_OK;
}

static firn_status encode(int level, bytes in, codec_output *out, codec_scratch *scratch,
                          firn_error *err) {
    level = level == 0 ? LEVEL_DEFAULT : level;
    if ((level < 1 && level != CODEC_LEVEL_QUICK) || level > LEVEL_MAX) {
        return FAIL(err, FIRN_INVALID, "zstd level %d, 1 to %d are allowed", level, LEVEL_MAX);
    }
    TRY(open_encoder(scratch, level < LEVEL_DEFAULT ? LEVEL_DEFAULT : level, in.size, err));
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
