// Arbitrary bytes as a block of any codec, and as content to be encoded.
//
// Oracle: what decodes into an arena decodes to the same bytes when their exact size is given, and
// not when it is one more or less; what the encoder makes decodes to what it was made of.
//
// The first byte picks codec and level.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/codec.h"

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

static void check_decoder(codec which, bytes in, codec_scratch *scratch) {
    arena memory = arena_open(MEMORY_MAX);
    const codec_growth growth = {.memory = &memory, .size_max = DECODED_MAX};
    bytes out;
    firn_error err = ERR_INIT;
    if (codec_decode_growing(which, in, &growth, &out, scratch, &err) == FIRN_OK) {
        expect(out.size <= DECODED_MAX);
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
    codec_scratch_close(&scratch);
    free(copy);
    return 0;
}
