// Deflate in its three wrappings (none, zlib, gzip) by libdeflate.
//
// libdeflate works on whole blocks only. When the output's size is not known, the block is decoded
// again into twice the room; the size that gzip stores at its end makes that rare there.
#include <libdeflate.h>

#include "codecs/codec_private.h"

#define LEVEL_DEFAULT 6
#define LEVEL_MAX 12
// The densest stream makes 258 bytes of 2 bits.
#define RATIO_MAX 1032

void codec_deflate_close(codec_scratch *scratch) {
    libdeflate_free_decompressor(scratch->deflate_decoder);
    libdeflate_free_compressor(scratch->deflate_encoder);
    scratch->deflate_decoder = NULL;
    scratch->deflate_encoder = NULL;
}

typedef enum libdeflate_result (*decompress)(struct libdeflate_decompressor *decoder,
                                             const void *in, size_t in_size, void *out,
                                             size_t capacity, size_t *in_used, size_t *out_size);

// Decodes one stream into what is left of `out`; `used` is what it took of `in`.
static firn_status decode_stream(decompress function, const char *word, bytes in, size_t *used,
                                 codec_output *out, codec_scratch *scratch, firn_error *err) {
    if (scratch->deflate_decoder == NULL) {
        scratch->deflate_decoder = libdeflate_alloc_decompressor();
        if (scratch->deflate_decoder == NULL) {
            return FAIL(err, FIRN_NO_MEMORY, "no memory for the deflate decoder");
        }
    }
    size_t size = 0;
    const enum libdeflate_result result =
        function(scratch->deflate_decoder, in.data, in.size, out->data + out->size,
                 out->capacity - out->size, used, &size);
    switch ((int)result) {
    case LIBDEFLATE_SUCCESS:
        out->size += size;
        return FIRN_OK;
    case LIBDEFLATE_INSUFFICIENT_SPACE:
        out->is_full = true;
        return FIRN_OK;
    default:
        return FAIL(err, FIRN_CORRUPT, "%s block of %zu bytes is damaged", word, in.size);
    }
}

static firn_status check_used(const char *word, bytes in, size_t used, const codec_output *out,
                              firn_error *err) {
    if (!out->is_full && used < in.size) {
        return FAIL(err, FIRN_CORRUPT, "%zu bytes behind the end of the %s stream", in.size - used,
                    word);
    }
    return FIRN_OK;
}

static firn_status deflate_decode(bytes in, codec_output *out, codec_scratch *scratch,
                                  firn_error *err) {
    size_t used = 0;
    return decode_stream(libdeflate_deflate_decompress_ex, "deflate", in, &used, out, scratch, err);
}

static firn_status zlib_decode(bytes in, codec_output *out, codec_scratch *scratch,
                               firn_error *err) {
    size_t used = 0;
    TRY(decode_stream(libdeflate_zlib_decompress_ex, "zlib", in, &used, out, scratch, err));
    return check_used("zlib", in, used, out, err);
}

static bool is_zlib(bytes in) {
    return in.size >= 2 && (in.data[0] & 0x0f) == 8 && (in.data[0] << 8 | in.data[1]) % 31 == 0;
}

static firn_status gzip_decode(bytes in, codec_output *out, codec_scratch *scratch,
                               firn_error *err) {
    if (is_zlib(in)) {
        return zlib_decode(in, out, scratch, err);
    }
    while (in.size > 0 && !out->is_full) { // Each round takes a member of at least 18 bytes.
        size_t used = 0;
        TRY(decode_stream(libdeflate_gzip_decompress_ex, "gzip", in, &used, out, scratch, err));
        if (!out->is_full) {
            in = (bytes){.data = in.data + used, .size = in.size - used};
        }
    }
    return FIRN_OK;
}

static codec_sizes decoded_sizes(bytes in) {
    return (codec_sizes){.likely = codec_times(in.size, 4),
                         .most = codec_times(in.size, RATIO_MAX)};
}

// The last 4 bytes are the size of the last member, little-endian, modulo 2^32.
static codec_sizes gzip_decoded_sizes(bytes in) {
    codec_sizes sizes = decoded_sizes(in);
    if (in.size >= 18 && !is_zlib(in)) {
        const uint8_t *end = in.data + in.size - 4;
        const size_t said =
            (size_t)end[0] | (size_t)end[1] << 8 | (size_t)end[2] << 16 | (size_t)end[3] << 24;
        if (said >= in.size / 2 && said <= codec_times(in.size, 64)) {
            sizes.likely = said;
        }
    }
    return sizes;
}

// Leaves the encoder for `level` in the scratch.
static firn_status open_encoder(int level, codec_scratch *scratch, firn_error *err) {
    level = level == 0 ? LEVEL_DEFAULT : level;
    if (level < 1 || level > LEVEL_MAX) {
        return FAIL(err, FIRN_INVALID, "deflate level %d, 1 to %d are allowed", level, LEVEL_MAX);
    }
    if (scratch->deflate_encoder != NULL && scratch->deflate_encoder_level == level) {
        return FIRN_OK;
    }
    libdeflate_free_compressor(scratch->deflate_encoder);
    scratch->deflate_encoder = libdeflate_alloc_compressor(level);
    scratch->deflate_encoder_level = level;
    if (scratch->deflate_encoder == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "no memory for the deflate encoder of level %d", level);
    }
    return FIRN_OK;
}

typedef size_t (*compress)(struct libdeflate_compressor *encoder, const void *in, size_t in_size,
                           void *out, size_t capacity);

static firn_status encode(compress function, int level, bytes in, codec_output *out,
                          codec_scratch *scratch, firn_error *err) {
    TRY(open_encoder(level, scratch, err));
    // The library adds to the pointer, which may not be NULL then.
    const void *data = in.size == 0 ? (const void *)"" : in.data;
    out->size = function(scratch->deflate_encoder, data, in.size, out->data, out->capacity);
    if (out->size == 0) {
        return FAIL(err, FIRN_INTERNAL, "deflate made more than its bound of %zu bytes",
                    out->capacity);
    }
    return FIRN_OK;
}

static firn_status deflate_encode(int level, bytes in, codec_output *out, codec_scratch *scratch,
                                  firn_error *err) {
    return encode(libdeflate_deflate_compress, level, in, out, scratch, err);
}

static firn_status zlib_encode(int level, bytes in, codec_output *out, codec_scratch *scratch,
                               firn_error *err) {
    return encode(libdeflate_zlib_compress, level, in, out, scratch, err);
}

static firn_status gzip_encode(int level, bytes in, codec_output *out, codec_scratch *scratch,
                               firn_error *err) {
    return encode(libdeflate_gzip_compress, level, in, out, scratch, err);
}

static size_t deflate_encoded_size_max(size_t size) {
    return size > SIZE_MAX / 2 ? SIZE_MAX : libdeflate_deflate_compress_bound(NULL, size);
}

static size_t zlib_encoded_size_max(size_t size) {
    return size > SIZE_MAX / 2 ? SIZE_MAX : libdeflate_zlib_compress_bound(NULL, size);
}

static size_t gzip_encoded_size_max(size_t size) {
    return size > SIZE_MAX / 2 ? SIZE_MAX : libdeflate_gzip_compress_bound(NULL, size);
}

uint32_t codec_crc32(bytes data) {
    return data.size == 0 ? 0 : libdeflate_crc32(0, data.data, data.size);
}

const codec_kind codec_kind_deflate = {
    .word = "deflate",
    .decode = deflate_decode,
    .decoded_sizes = decoded_sizes,
    .encoded_size_max = deflate_encoded_size_max,
    .encode = deflate_encode,
};

const codec_kind codec_kind_zlib = {
    .word = "zlib",
    .decode = zlib_decode,
    .decoded_sizes = decoded_sizes,
    .encoded_size_max = zlib_encoded_size_max,
    .encode = zlib_encode,
};

const codec_kind codec_kind_gzip = {
    .word = "gzip",
    .decode = gzip_decode,
    .decoded_sizes = gzip_decoded_sizes,
    .encoded_size_max = gzip_encoded_size_max,
    .encode = gzip_encode,
};
