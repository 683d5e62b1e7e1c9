// Arbitrary bytes as a Snappy block, and arbitrary bytes to be encoded as one.
//
// Oracle: both loop shapes, with and without padding and slack, alone and three at once, accept and
// reject the same and give the same bytes; so does libsnappy where it is installed. What the
// encoder makes decodes to what it was made of.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/snappy.h"

#ifdef FIRN_ORACLE_SNAPPY
#include <snappy-c.h>
#endif

#define OUT_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *exactly(size_t size) {
    void *block = malloc(size == 0 ? 1 : size);
    if (block == NULL) {
        abort();
    }
    return block;
}

static void expect(bool condition) {
    if (!condition) {
        abort();
    }
}

// Decodes `in` three times at once with the given spaces; true if all three are accepted. `wanted`
// is NULL or what must come out.
static bool decode(bytes in, size_t out_size, size_t spaces, snappy_shape shape,
                   const uint8_t *wanted) {
    uint8_t *input = exactly(in.size + spaces);
    if (in.size > 0) {
        memcpy(input, in.data, in.size);
    }
    memset(input + in.size, (int)(spaces & 0xff), spaces);
    snappy_block blocks[3];
    for (size_t i = 0; i < 3; i++) {
        blocks[i] = (snappy_block){
            .in = {.data = input, .size = in.size},
            .out = exactly(out_size + 2 * spaces),
            .out_size = out_size,
            .padding = spaces,
            .slack = 2 * spaces,
        };
    }
    firn_error err = ERR_INIT;
    const bool three = snappy_decode(blocks, 3, shape, &err) == FIRN_OK;
    for (size_t i = 0; three && wanted != NULL && i < 3; i++) {
        expect(out_size == 0 || memcmp(blocks[i].out, wanted, out_size) == 0);
    }
    const bool one = snappy_decode(blocks, 1, shape, &err) == FIRN_OK;
    expect(one == three);
    if (one && wanted != NULL) {
        expect(out_size == 0 || memcmp(blocks[0].out, wanted, out_size) == 0);
    }
    for (size_t i = 0; i < 3; i++) {
        free(blocks[i].out);
    }
    free(input);
    return one;
}

static void check_decoder(bytes in) {
    size_t out_size = 0;
    firn_error err = ERR_INIT;
    const bool has_size = snappy_decoded_size(in, &out_size, &err) == FIRN_OK;
#ifdef FIRN_ORACLE_SNAPPY
    size_t their_size = 0;
    expect(has_size ==
           (snappy_uncompressed_length((const char *)in.data, in.size, &their_size) == SNAPPY_OK));
    expect(!has_size || their_size == out_size);
#endif
    if (!has_size || out_size > OUT_MAX) {
        return;
    }
    uint8_t *wanted = exactly(out_size);
    const snappy_block block = {.in = in, .out = wanted, .out_size = out_size};
    const bool accepted = snappy_decode(&block, 1, SNAPPY_SHAPE_GUESS, &err) == FIRN_OK;
    expect(!accepted || out_size <= snappy_decoded_size_max(in.size));
#ifdef FIRN_ORACLE_SNAPPY
    char *theirs = exactly(out_size);
    expect(accepted ==
           (snappy_uncompress((const char *)in.data, in.size, theirs, &their_size) == SNAPPY_OK));
    expect(!accepted || out_size == 0 || memcmp(theirs, wanted, out_size) == 0);
    free(theirs);
#endif
    const size_t spaces[] = {0, 1, 65, 80};
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        for (int shape = SNAPPY_SHAPE_PAIRS; shape <= SNAPPY_SHAPE_TAGS; shape++) {
            expect(accepted ==
                   decode(in, out_size, spaces[i], (snappy_shape)shape, accepted ? wanted : NULL));
        }
    }
    free(wanted);
}

static void check_encoder(bytes in) {
    snappy_table *table = exactly(sizeof *table);
    uint8_t *block = exactly(snappy_encoded_size_max(in.size));
    const size_t block_size = snappy_encode(in, block, table);
    expect(block_size <= snappy_encoded_size_max(in.size));
    const bytes encoded = {.data = block, .size = block_size};
    expect(decode(encoded, in.size, 0, SNAPPY_SHAPE_GUESS, in.data));
#ifdef FIRN_ORACLE_SNAPPY
    expect(snappy_validate_compressed_buffer((const char *)block, block_size) == SNAPPY_OK);
#endif
    free(block);
    free(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const bytes in = {.data = data, .size = size};
    check_decoder(in);
    check_encoder(in);
    return 0;
}
