// LZ4 by liblz4: the raw block, and what old Parquet files call LZ4.
//
// Parquet's first LZ4 was never specified. Its writers left three forms, which no flag tells apart;
// they are tried in the order in which a wrong guess is least likely to succeed:
//
//     Hadoop   per frame: 4 bytes big-endian, the size of its output; then, until that is there,
//              4 bytes big-endian and a raw block of so many bytes
//     frame    the LZ4 frame format, with magic 04 22 4d 18 and checksums
//     raw      one raw block
//
// liblz4 does not refuse a copy from distance 0 in a damaged block: it leaves those bytes of the
// output as they were. That stays inside the output, but is why they must not be anybody's secret.
#define LZ4F_STATIC_LINKING_ONLY // For a decoder in memory of ours; we link the archive.
#include <limits.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lz4hc.h>
#include <string.h>

#include "codecs/codec_private.h"

#define LEVEL_FAST_MAX 2 // Above it the slower, denser encoder.
// The densest block makes 255 bytes of each byte of a length.
#define RATIO_MAX 255

// What a decoder of one of the forms answers.
typedef enum form_answer { FORM_DONE, FORM_OTHER, FORM_FULL } form_answer;

static int to_int(size_t size) {
    return size > INT_MAX ? INT_MAX : (int)size;
}

// Decodes a raw block to out->data + out->size. False if it is damaged or does not fit.
static bool decode_raw(bytes in, size_t room, codec_output *out) {
    if (in.size > INT_MAX) {
        return false;
    }
    const int size = LZ4_decompress_safe((const char *)in.data, (char *)out->data + out->size,
                                         (int)in.size, to_int(room));
    if (size < 0) {
        return false;
    }
    out->size += (size_t)size;
    return true;
}

static codec_sizes decoded_sizes(bytes in) {
    return (codec_sizes){.likely = codec_times(in.size, 4),
                         .most = codec_times(in.size, RATIO_MAX)};
}

static firn_status lz4_decode(bytes in, codec_output *out, codec_scratch *scratch,
                              firn_error *err) {
    (void)scratch;
    if (decode_raw(in, out->capacity, out)) {
        return FIRN_OK;
    }
    // The library does not tell damage from lack of room.
    if (out->capacity < decoded_sizes(in).most) {
        out->is_full = true;
        return FIRN_OK;
    }
    return FAIL(err, FIRN_CORRUPT, "lz4 block of %zu bytes is damaged", in.size);
}

static bool take_be32(byte_reader *in, size_t *out) {
    firn_error err = ERR_INIT;
    bytes raw;
    if (reader_take(in, 4, &raw, &err) != FIRN_OK) {
        return false;
    }
    *out = (size_t)raw.data[0] << 24 | (size_t)raw.data[1] << 16 | (size_t)raw.data[2] << 8 |
           (size_t)raw.data[3];
    return true;
}

// One block of a frame, whose size is before it.
static bool take_block(byte_reader *in, size_t room, codec_output *out) {
    size_t size;
    bytes block;
    firn_error err = ERR_INIT;
    return take_be32(in, &size) && reader_take(in, size, &block, &err) == FIRN_OK &&
           decode_raw(block, room, out);
}

// The input in Hadoop's framing. False if it is in another form or does not fit.
static bool decode_hadoop(bytes in, codec_output *out) {
    byte_reader reader = reader_open(in);
    while (reader_left(&reader) > 0) {
        size_t frame_size;
        if (!take_be32(&reader, &frame_size) || frame_size > out->capacity - out->size) {
            return false;
        }
        const size_t frame_end = out->size + frame_size;
        while (out->size < frame_end) { // Each round takes at least 4 bytes.
            if (!take_block(&reader, frame_end - out->size, out)) {
                return false;
            }
        }
        // No bytes are a frame without blocks, or, of arrow-rs, with one that holds nothing.
        byte_reader behind = reader;
        if (frame_size == 0 && take_block(&behind, 0, out)) {
            reader = behind;
        }
    }
    return true;
}

static void *take(void *opaque, size_t size) {
    return arena_alloc(opaque, 1, size);
}

static void give_back(void *opaque, void *block) {
    (void)opaque;
    (void)block;
}

// Decodes frames until the input is used up.
static form_answer decode_frames(LZ4F_dctx *decoder, bytes in, codec_output *out) {
    const LZ4F_decompressOptions_t options = {.stableDst = 1}; // Nothing moves between calls.
    size_t wanted = 1;
    while (in.size > 0) {
        size_t in_size = in.size;
        size_t out_size = out->capacity - out->size;
        wanted =
            LZ4F_decompress(decoder, out->data + out->size, &out_size, in.data, &in_size, &options);
        if (LZ4F_isError(wanted)) {
            return FORM_OTHER;
        }
        out->size += out_size;
        in = (bytes){.data = in.data + in_size, .size = in.size - in_size};
        if (in_size == 0 && out_size == 0) {
            break;
        }
    }
    if (wanted == 0) { // The last frame is complete.
        return in.size == 0 ? FORM_DONE : FORM_OTHER;
    }
    return out->size == out->capacity ? FORM_FULL : FORM_OTHER;
}

// The input as LZ4 frames. The decoder's buffers, up to 4 MiB for a frame's block, lie in the
// scratch's arena for temporary things; if that is full, the form is not recognised.
static form_answer decode_frame(bytes in, codec_output *out, codec_scratch *scratch) {
    static const uint8_t magic[] = {0x04, 0x22, 0x4d, 0x18};
    if (in.size < sizeof magic || memcmp(in.data, magic, sizeof magic) != 0) {
        return FORM_OTHER;
    }
    arena_reset(&scratch->temporary);
    const LZ4F_CustomMem memory = {
        .customAlloc = take,
        .customFree = give_back,
        .opaqueState = &scratch->temporary,
    };
    LZ4F_dctx *decoder = LZ4F_createDecompressionContext_advanced(memory, LZ4F_VERSION);
    if (decoder == NULL) {
        return FORM_OTHER;
    }
    const form_answer answer = decode_frames(decoder, in, out);
    (void)LZ4F_freeDecompressionContext(decoder);
    return answer;
}

static firn_status hadoop_decode(bytes in, codec_output *out, codec_scratch *scratch,
                                 firn_error *err) {
    if (decode_hadoop(in, out)) {
        return FIRN_OK;
    }
    out->size = 0;
    switch (decode_frame(in, out, scratch)) {
    case FORM_DONE:
        return FIRN_OK;
    case FORM_FULL:
        out->is_full = true;
        return FIRN_OK;
    case FORM_OTHER:
        break;
    }
    out->size = 0;
    return lz4_decode(in, out, scratch, err);
}

static size_t lz4_encoded_size_max(size_t size) {
    return size > LZ4_MAX_INPUT_SIZE ? SIZE_MAX : (size_t)LZ4_compressBound((int)size);
}

// Memory of an encoder, allocated once into `*state`.
static firn_status open_encoder(void **state, int size, codec_scratch *scratch, firn_error *err) {
    if (*state == NULL) {
        *state = arena_alloc(&scratch->contexts, 1, (size_t)size);
        if (*state == NULL) {
            return ARENA_FULL(&scratch->contexts, err);
        }
    }
    return FIRN_OK;
}

static firn_status lz4_encode(int level, bytes in, codec_output *out, codec_scratch *scratch,
                              firn_error *err) {
    if (level < 0 || level > LZ4HC_CLEVEL_MAX) {
        return FAIL(err, FIRN_INVALID, "lz4 level %d, 1 to %d are allowed", level,
                    LZ4HC_CLEVEL_MAX);
    }
    const char *from = (const char *)in.data;
    char *to = (char *)out->data;
    const int room = to_int(out->capacity);
    int size;
    if (level <= LEVEL_FAST_MAX) {
        TRY(open_encoder(&scratch->lz4_encoder, LZ4_sizeofState(), scratch, err));
        size = LZ4_compress_fast_extState(scratch->lz4_encoder, from, to, (int)in.size, room, 1);
    } else {
        TRY(open_encoder(&scratch->lz4_encoder_high, LZ4_sizeofStateHC(), scratch, err));
        size = LZ4_compress_HC_extStateHC(scratch->lz4_encoder_high, from, to, (int)in.size, room,
                                          level);
    }
    if (size <= 0) {
        return FAIL(err, FIRN_INTERNAL, "lz4 made more than its bound of %zu bytes", out->capacity);
    }
    out->size = (size_t)size;
    return FIRN_OK;
}

const codec_kind codec_kind_lz4 = {
    .word = "lz4",
    .decode = lz4_decode,
    .decoded_sizes = decoded_sizes,
    .encoded_size_max = lz4_encoded_size_max,
    .encode = lz4_encode,
};

const codec_kind codec_kind_lz4_hadoop = {
    .word = "lz4_hadoop",
    .decode = hadoop_decode,
    .decoded_sizes = decoded_sizes,
};
