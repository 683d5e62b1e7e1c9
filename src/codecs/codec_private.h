// What each codec_*.c file fills in for its codecs.
#ifndef FIRN_CODECS_CODEC_PRIVATE_H
#define FIRN_CODECS_CODEC_PRIVATE_H

#include "codecs/codec.h"

/// How much a block may decode to.
typedef struct codec_sizes {
    size_t likely;
    size_t most; // SIZE_MAX if the format has no bound.
} codec_sizes;

/// All members but `encode` and `encoded_size_max` are there in every kind.
typedef struct codec_kind {
    const char *word;
    /// Writes at most out->capacity bytes and sets out->size; or sets out->is_full and returns
    /// FIRN_OK when the block needs more. `in` is not empty.
    firn_status (*decode)(bytes in, codec_output *out, codec_scratch *scratch, firn_error *err);
    codec_sizes (*decoded_sizes)(bytes in);
    size_t (*encoded_size_max)(size_t size);
    /// out->capacity is at least encoded_size_max.
    firn_status (*encode)(int level, bytes in, codec_output *out, codec_scratch *scratch,
                          firn_error *err);
} codec_kind;

#define CODEC(NAME, word, what) extern const codec_kind codec_kind_##word;
#include "codecs/codecs.def"
#undef CODEC

/// Gives back what the libraries took from the system by themselves.
void codec_deflate_close(codec_scratch *scratch);

/// `size` times `factor`, or SIZE_MAX.
static inline size_t codec_times(size_t size, size_t factor) {
    return size > SIZE_MAX / factor ? SIZE_MAX : size * factor;
}

#endif
