// Arbitrary bytes as a block of any codec, and as content to be encoded.
//
// Oracle: what decodes into an arena decodes to the same bytes when their exact size is given, and
// not when it is one more or less; what the encoder makes decodes to what it was made of.
//
// And the library of each codec, called without ours (zlib for the forms of deflate, which is not
// what ours is made of): what both accept is the same bytes; each decodes what the other encoded.
//
// The first byte picks codec and level.
#include <brotli/decode.h>
#include <lz4.h>
#include <lz4frame.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "codecs/codec.h"

#ifdef FIRN_ORACLE_SNAPPY
#include <snappy-c.h>
#endif
#ifdef FIRN_ORACLE_BROTLIENC
#include <brotli/encode.h>
#endif
#ifdef FIRN_ORACLE_ZLIB
#define ZLIB_CONST
#include <zlib.h>
#endif

#define DECODED_MAX ((size_t)1 << 18)
#define MEMORY_MAX ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition) {
    if (!condition) {
        abort();
    }
}

static uint8_t *exactly(size_t size) {
    uint8_t *block = malloc(size == 0 ? 1 : size);
    expect(block != NULL);
    return block;
}

// Decodes to exactly `size` bytes; true if that is accepted and the bytes are `wanted`.
static bool decodes_to(codec which, bytes in, const uint8_t *wanted, size_t size,
                       codec_scratch *scratch) {
    uint8_t *out = exactly(size);
    firn_error err = ERR_INIT;
    const firn_status status = codec_decode(which, in, out, size, scratch, &err);
    const bool equal = status == FIRN_OK && (size == 0 || memcmp(out, wanted, size) == 0);
    free(out);
    return equal;
}

// ---- The libraries -----------------------------------------------------------------------------

// What a library makes of a block. False if it refuses, has no room or is not there.
typedef bool oracle_function(bytes in, uint8_t *out, size_t capacity, size_t *size);

static bool none_copy(bytes in, uint8_t *out, size_t capacity, size_t *size) {
    *size = in.size;
    if (in.size > 0 && in.size <= capacity) {
        memcpy(out, in.data, in.size);
    }
    return in.size <= capacity;
}

#ifdef FIRN_ORACLE_SNAPPY
static bool snappy_decode_theirs(bytes in, uint8_t *out, size_t capacity, size_t *size) {
    *size = capacity;
    return snappy_uncompress((const char *)in.data, in.size, (char *)out, size) == SNAPPY_OK;
}

static bool snappy_encode_theirs(bytes in, uint8_t *out, size_t capacity, size_t *size) {
    *size = capacity;
    return snappy_compress((const char *)in.data, in.size, (char *)out, size) == SNAPPY_OK;
}
#else
#define snappy_decode_theirs NULL
#define snappy_encode_theirs NULL
#endif

static bool zstd_decode_theirs(bytes in, uint8_t *out, size_t capacity, size_t *size) {
    *size = ZSTD_decompress(out, capacity, in.data, in.size);
    return !ZSTD_isError(*size);
}

static bool zstd_encode_theirs(bytes in, uint8_t *out, size_t capacity, size_t *size) {
    *size = ZSTD_compress(out, capacity, in.data, in.size, 1);
    return !ZSTD_isError(*size);
}

static bool lz4_decode_theirs(bytes in, uint8_t *out, size_t capacity, size_t *size) {
    const int made =
        LZ4_decompress_safe((const char *)in.data, (char *)out, (int)in.size, (int)capacity);
    *size = made < 0 ? 0 : (size_t)made;
    return made >= 0;
}

static bool lz4_encode_theirs(bytes in, uint8_t *out, size_t capacity, size_t *size) {
    *size = (size_t)LZ4_compress_default((const char *)in.data, (char *)out, (int)in.size,
                                         (int)capacity);
    return *size > 0;
}

// Old LZ4 as a frame.
static bool lz4_frame_theirs(bytes in, uint8_t *out, size_t capacity, size_t *size) {
    *size = LZ4F_compressFrame(out, capacity, in.data, in.size, NULL);
    return !LZ4F_isError(*size);
}

static bool brotli_decode_theirs(bytes in, uint8_t *out, size_t capacity, size_t *size) {
    *size = capacity;
    return BrotliDecoderDecompress(in.size, in.data, size, out) == BROTLI_DECODER_RESULT_SUCCESS;
}

#ifdef FIRN_ORACLE_BROTLIENC
static bool brotli_encode_theirs(bytes in, uint8_t *out, size_t capacity, size_t *size) {
    *size = capacity;
    return BrotliEncoderCompress(3, 16, BROTLI_MODE_GENERIC, in.size, in.data, size, out) ==
           BROTLI_TRUE;
}
#else
#define brotli_encode_theirs NULL
#endif

#ifdef FIRN_ORACLE_ZLIB
// Streams one after the other, as gzip members are, or one.
static bool zlib_decode(bytes in, int form, bool is_repeated, uint8_t *out, size_t capacity,
                        size_t *size) {
    z_stream stream = {.next_in = in.data,
                       .avail_in = (uInt)in.size,
                       .next_out = out,
                       .avail_out = (uInt)capacity};
    if (inflateInit2(&stream, form) != Z_OK) {
        return false;
    }
    int answer = inflate(&stream, Z_FINISH);
    while (is_repeated && answer == Z_STREAM_END && stream.avail_in > 0) {
        answer = inflateReset(&stream) == Z_OK ? inflate(&stream, Z_FINISH) : Z_DATA_ERROR;
    }
    *size = capacity - stream.avail_out;
    (void)inflateEnd(&stream);
    return answer == Z_STREAM_END;
}

static bool zlib_encode(bytes in, int form, uint8_t *out, size_t capacity, size_t *size) {
    z_stream stream = {.next_in = in.data,
                       .avail_in = (uInt)in.size,
                       .next_out = out,
                       .avail_out = (uInt)capacity};
    if (deflateInit2(&stream, 6, Z_DEFLATED, form, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return false;
    }
    const int answer = deflate(&stream, Z_FINISH);
    *size = capacity - stream.avail_out;
    (void)deflateEnd(&stream);
    return answer == Z_STREAM_END;
}

// The window, and what is around it: nothing, zlib's head, gzip's.
#define FORMS(X) X(deflate, -15, false) X(zlib, 15, false) X(gzip, 15 + 16, true)
#define X(name, form, is_repeated)                                                                 \
    static bool name##_decode_theirs(bytes in, uint8_t *out, size_t capacity, size_t *size) {      \
        return zlib_decode(in, form, is_repeated, out, capacity, size);                            \
    }                                                                                              \
    static bool name##_encode_theirs(bytes in, uint8_t *out, size_t capacity, size_t *size) {      \
        return zlib_encode(in, form, out, capacity, size);                                         \
    }
FORMS(X)
#undef X
#else
#define deflate_decode_theirs NULL
#define deflate_encode_theirs NULL
#define zlib_decode_theirs NULL
#define zlib_encode_theirs NULL
#define gzip_decode_theirs NULL
#define gzip_encode_theirs NULL
#endif

static const struct {
    oracle_function *decode;
    oracle_function *encode;
} oracles[CODEC_COUNT] = {
    [CODEC_NONE] = {none_copy, none_copy},
    [CODEC_SNAPPY] = {snappy_decode_theirs, snappy_encode_theirs},
    [CODEC_GZIP] = {gzip_decode_theirs, gzip_encode_theirs},
    [CODEC_DEFLATE] = {deflate_decode_theirs, deflate_encode_theirs},
    [CODEC_ZLIB] = {zlib_decode_theirs, zlib_encode_theirs},
    [CODEC_ZSTD] = {zstd_decode_theirs, zstd_encode_theirs},
    [CODEC_LZ4] = {lz4_decode_theirs, lz4_encode_theirs},
    [CODEC_LZ4_HADOOP] = {NULL, lz4_frame_theirs},
    [CODEC_BROTLI] = {brotli_decode_theirs, brotli_encode_theirs},
};

// What the library makes of `in`, which ours decoded to `ours`.
static void check_same(codec which, bytes in, bytes ours) {
    uint8_t *theirs = exactly(DECODED_MAX);
    size_t size = 0;
    // A copy from distance 0 takes what lay in the output before: the same in both.
    memset(theirs, 0, DECODED_MAX);
    if (oracles[which].decode != NULL && oracles[which].decode(in, theirs, DECODED_MAX, &size)) {
        expect(size == ours.size);
        expect(size == 0 || which == CODEC_LZ4 || memcmp(theirs, ours.data, size) == 0);
    }
    free(theirs);
}

// What a library encodes, ours decodes.
static void check_their_encoder(codec which, bytes in, codec_scratch *scratch) {
    const size_t capacity = 2 * in.size + 1024;
    uint8_t *block = exactly(capacity);
    size_t size = 0;
    if (oracles[which].encode != NULL && oracles[which].encode(in, block, capacity, &size)) {
        const bytes encoded = {.data = block, .size = size};
        expect(decodes_to(which, encoded, in.data, in.size, scratch));
    }
    free(block);
}

// What ours encoded, the library decodes.
static void check_their_decoder(codec which, bytes encoded, bytes in) {
    uint8_t *theirs = exactly(in.size + 1);
    size_t size = 0;
    if (oracles[which].decode != NULL) {
        expect(oracles[which].decode(encoded, theirs, in.size + 1, &size));
        expect(size == in.size && (size == 0 || memcmp(theirs, in.data, size) == 0));
    }
    free(theirs);
}

static void check_decoder(codec which, bytes in, codec_scratch *scratch) {
    arena memory = arena_open(MEMORY_MAX);
    const codec_growth growth = {.memory = &memory, .size_max = DECODED_MAX};
    bytes out;
    firn_error err = ERR_INIT;
    if (codec_decode_growing(which, in, &growth, &out, scratch, &err) == FIRN_OK) {
        expect(out.size <= DECODED_MAX);
        check_same(which, in, out);
        // Old LZ4 may be another of its forms when another size is given.
        if (which != CODEC_LZ4_HADOOP) {
            // liblz4 is stricter about what stands for no bytes when there is no room for any, and
            // a copy from distance 0, which it lets pass, takes what lay in the output before.
            expect(decodes_to(which, in, out.data, out.size, scratch) || which == CODEC_LZ4);
            uint8_t *longer = exactly(out.size + 1);
            expect(codec_decode(which, in, longer, out.size + 1, scratch, &err) == FIRN_CORRUPT);
            if (out.size > 0) {
                expect(codec_decode(which, in, longer, out.size - 1, scratch, &err) ==
                       FIRN_CORRUPT);
            }
            free(longer);
        }
    }
    arena_close(&memory);
    const size_t sizes[] = {0, 7, 4096};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *room = exactly(sizes[i]);
        const firn_status status = codec_decode(which, in, room, sizes[i], scratch, &err);
        expect(status == FIRN_OK || status == FIRN_CORRUPT || status == FIRN_NO_MEMORY);
        free(room);
    }
}

static void check_encoder(codec which, int level, bytes in, codec_scratch *scratch) {
    const size_t capacity = codec_encoded_size_max(which, in.size);
    if (capacity == SIZE_MAX) {
        return;
    }
    codec_output block = {.data = exactly(capacity), .capacity = capacity};
    firn_error err = ERR_INIT;
    expect(codec_encode(which, level, in, &block, scratch, &err) == FIRN_OK);
    const bytes encoded = {.data = block.data, .size = block.size};
    expect(decodes_to(which, encoded, in.data, in.size, scratch));
    check_their_decoder(which, encoded, in);
    free(block.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) {
        return 0;
    }
    const codec which = (codec)(data[0] % CODEC_COUNT);
    const int level = data[0] / (int)CODEC_COUNT % 8;
    // An exact copy, so that AddressSanitizer sees a read behind it.
    uint8_t *copy = exactly(size - 1);
    memcpy(copy, data + 1, size - 1);
    const bytes in = {.data = copy, .size = size - 1};
    codec_scratch scratch = codec_scratch_open(MEMORY_MAX);
    check_decoder(which, in, &scratch);
    check_encoder(which, level, in, &scratch);
    check_their_encoder(which, in, &scratch);
    codec_scratch_close(&scratch);
    free(copy);
    return 0;
}
