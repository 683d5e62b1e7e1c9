#include "codecs/codec.h"

#include <assert.h>
#include <string.h>

#include "codecs/codec_private.h"
#include "codecs/snappy.h"

#define CODEC(NAME, word, what) [CODEC_##NAME] = &codec_kind_##word,
static const codec_kind *const kinds[CODEC_COUNT] = {
#include "codecs/codecs.def"
};
#undef CODEC

// Blocks decoded by one call of snappy_decode; a bound for an array on the stack.
#define SNAPPY_BLOCKS 32

static const codec_kind *kind_of(codec self) {
    assert(self < CODEC_COUNT);
    return kinds[self];
}

const char *codec_word(codec self) {
    return kind_of(self)->word;
}

bool codec_find(text word, codec *out) {
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        if (text_equal_nocase(word, text_of(kinds[i]->word))) {
            *out = (codec)i;
            return true;
        }
    }
    return false;
}

codec_scratch codec_scratch_open_in(pool *owner, size_t limit_bytes) {
    return (codec_scratch){
        .contexts = arena_open_in(owner, limit_bytes),
        .temporary = arena_open_in(owner, limit_bytes),
    };
}

codec_scratch codec_scratch_open(size_t limit_bytes) {
    return codec_scratch_open_in(NULL, limit_bytes);
}

void codec_scratch_close(codec_scratch *self) {
    codec_deflate_close(self);
    arena_close(&self->contexts);
    arena_close(&self->temporary);
    *self = codec_scratch_open_in(self->contexts.owner, self->contexts.limit);
}

size_t codec_scratch_bytes(const codec_scratch *self) {
    return self->contexts.used + self->temporary.used;
}

firn_status codec_decode(codec self, bytes in, uint8_t *out, size_t out_size,
                         codec_scratch *scratch, firn_error *err) {
    const codec_kind *kind = kind_of(self);
    codec_output output = {.data = out, .capacity = out_size};
    if (in.size > 0) {
        TRY(kind->decode(in, &output, scratch, err));
    }
    if (output.is_full) {
        return FAIL(err, FIRN_CORRUPT,
                    "%s block is damaged or holds more than the %zu bytes expected", kind->word,
                    out_size);
    }
    if (output.size != out_size) {
        return FAIL(err, FIRN_CORRUPT, "%s block of %zu bytes holds %zu bytes, %zu are expected",
                    kind->word, in.size, output.size, out_size);
    }
    return FIRN_OK;
}

static snappy_shape shape_of(codec_hint hint) {
    switch (hint) {
    case CODEC_HINT_NUMBERS:
        return SNAPPY_SHAPE_PAIRS;
    case CODEC_HINT_TEXT:
        return SNAPPY_SHAPE_TAGS;
    case CODEC_HINT_NONE:
        break;
    }
    return SNAPPY_SHAPE_GUESS;
}

static firn_status decode_many_snappy(const codec_block *blocks, size_t count, codec_hint hint,
                                      firn_error *err) {
    assert(count <= SNAPPY_BLOCKS);
    snappy_block list[SNAPPY_BLOCKS];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const codec_block *block = &blocks[i];
        if (block->in.size == 0 && block->out_size == 0) {
            continue;
        }
        list[used++] = (snappy_block){
            .in = block->in,
            .out = block->out,
            .out_size = block->out_size,
            .padding = block->padding,
            .slack = block->slack,
        };
    }
    return snappy_decode(list, used, shape_of(hint), err);
}

firn_status codec_decode_many(codec self, const codec_block *blocks, size_t count, codec_hint hint,
                              codec_scratch *scratch, firn_error *err) {
    if (self == CODEC_SNAPPY) {
        for (size_t at = 0; at < count; at += SNAPPY_BLOCKS) {
            const size_t left = count - at;
            const size_t part = left < SNAPPY_BLOCKS ? left : SNAPPY_BLOCKS;
            TRY(decode_many_snappy(blocks + at, part, hint, err));
        }
        return FIRN_OK;
    }
    for (size_t i = 0; i < count; i++) {
        const codec_block *block = &blocks[i];
        const firn_status status =
            codec_decode(self, block->in, block->out, block->out_size, scratch, err);
        if (status != FIRN_OK) {
            err_while(err, "decoding block %zu of %zu", i + 1, count);
            return status;
        }
    }
    return FIRN_OK;
}

firn_status codec_decode_growing(codec self, bytes in, const codec_growth *growth, bytes *out,
                                 codec_scratch *scratch, firn_error *err) {
    const codec_kind *kind = kind_of(self);
    if (self == CODEC_NONE) {
        if (in.size > growth->size_max) {
            return FAIL(err, FIRN_NO_MEMORY, "block of %zu bytes, at most %zu are allowed", in.size,
                        growth->size_max);
        }
        *out = in;
        return FIRN_OK;
    }
    if (in.size == 0) {
        return FAIL(err, FIRN_CORRUPT, "%s block of 0 bytes", kind->word);
    }
    const codec_sizes sizes = kind->decoded_sizes(in);
    const size_t most = sizes.most < growth->size_max ? sizes.most : growth->size_max;
    size_t capacity = growth->size_hint > sizes.likely ? growth->size_hint : sizes.likely;
    for (;;) {
        capacity = capacity < most ? capacity : most;
        codec_output output = {.data = ARENA_NEW(growth->memory, uint8_t, capacity),
                               .capacity = capacity};
        if (output.data == NULL) {
            return ARENA_FULL(growth->memory, err);
        }
        TRY(kind->decode(in, &output, scratch, err));
        if (!output.is_full) {
            *out = (bytes){.data = output.data, .size = output.size};
            return FIRN_OK;
        }
        if (capacity == most) {
            break;
        }
        capacity = codec_times(capacity < 64 ? 64 : capacity, 2);
    }
    if (most == sizes.most) {
        return FAIL(err, FIRN_CORRUPT, "%s block of %zu bytes is damaged", kind->word, in.size);
    }
    return FAIL(err, FIRN_NO_MEMORY, "%s block of %zu bytes decodes to more than the %zu allowed",
                kind->word, in.size, most);
}

size_t codec_encoded_size_max(codec self, size_t size) {
    const codec_kind *kind = kind_of(self);
    return kind->encoded_size_max == NULL ? SIZE_MAX : kind->encoded_size_max(size);
}

firn_status codec_encode(codec self, int level, bytes in, codec_output *out, codec_scratch *scratch,
                         firn_error *err) {
    const codec_kind *kind = kind_of(self);
    if (kind->encode == NULL) {
        return FAIL(err, FIRN_UNSUPPORTED, "writing with codec \"%s\"", kind->word);
    }
    const size_t size_max = kind->encoded_size_max(in.size);
    if (out->capacity < size_max) {
        return FAIL(err, FIRN_INVALID, "%zu bytes of room to encode %zu bytes with %s, not %zu",
                    out->capacity, in.size, kind->word, size_max);
    }
    return kind->encode(level, in, out, scratch, err);
}

// ---- none ------------------------------------------------------------------------------------

static firn_status none_decode(bytes in, codec_output *out, codec_scratch *scratch,
                               firn_error *err) {
    (void)scratch;
    (void)err;
    if (in.size > out->capacity) {
        out->is_full = true;
        return FIRN_OK;
    }
    memcpy(out->data, in.data, in.size);
    out->size = in.size;
    return FIRN_OK;
}

static codec_sizes none_decoded_sizes(bytes in) {
    return (codec_sizes){.likely = in.size, .most = in.size};
}

static size_t none_encoded_size_max(size_t size) {
    return size;
}

static firn_status none_encode(int level, bytes in, codec_output *out, codec_scratch *scratch,
                               firn_error *err) {
    (void)level;
    (void)scratch;
    (void)err;
    if (in.size > 0) {
        memcpy(out->data, in.data, in.size);
    }
    out->size = in.size;
    return FIRN_OK;
}

const codec_kind codec_kind_none = {
    .word = "none",
    .decode = none_decode,
    .decoded_sizes = none_decoded_sizes,
    .encoded_size_max = none_encoded_size_max,
    .encode = none_encode,
};
