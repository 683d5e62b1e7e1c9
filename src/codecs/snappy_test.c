#include "codecs/snappy.h"

#include <string.h>

#include "base/compiler.h"
#include "base/test.h"
#include "memory/arena.h"

#ifdef FIRN_ORACLE_SNAPPY
#include <snappy-c.h>
#endif

#define BYTES(...)                                                                                 \
    ((bytes){.data = (const uint8_t[]){__VA_ARGS__}, .size = sizeof((uint8_t[]){__VA_ARGS__})})
#define CANARY 0xa5

// Decodes one block into exactly `size` bytes at the end of an allocation of the arena, behind
// which AddressSanitizer watches.
static firn_status decode_exactly(bytes in, size_t size, snappy_shape shape, arena *memory,
                                  uint8_t **out, firn_error *err) {
    *out = ARENA_NEW(memory, uint8_t, size);
    if (*out == NULL) {
        return ARENA_FULL(memory, err);
    }
    const snappy_block block = {.in = in, .out = *out, .out_size = size};
    return snappy_decode(&block, 1, shape, err);
}

static bytes encode(bytes in, arena *memory) {
    uint8_t *out = ARENA_NEW(memory, uint8_t, snappy_encoded_size_max(in.size));
    snappy_table *table = ARENA_NEW(memory, snappy_table, 1);
    if (out == NULL || table == NULL) {
        return (bytes){0};
    }
    return (bytes){.data = out, .size = snappy_encode(in, out, table)};
}

// Kinds of content, by what they make the decoder do.
#define CONTENT_KINDS 6
static bytes content(size_t kind, size_t size, uint64_t *seed, arena *memory) {
    static const char *const words[] = {"carefully", "final", "deposits", "sleep", "a", "of the"};
    uint8_t *data = ARENA_NEW(memory, uint8_t, size + 16);
    if (data == NULL) {
        return (bytes){0};
    }
    const uint8_t period = (uint8_t)(1 + test_random(seed) % 20);
    int64_t key = 0;
    for (size_t at = 0; at < size;) {
        const uint64_t random = test_random(seed);
        size_t step = 8;
        int64_t value = 0;
        switch (kind) {
        case 0: // Short repeats of every small distance.
            data[at] = (uint8_t)(at % period + (random % 50 == 0));
            step = 1;
            break;
        case 1: // Sorted keys with repeats.
            key += (int64_t)(random % 3);
            memcpy(data + at, &key, 8);
            break;
        case 2: // Numbers whose high bytes are zero.
            value = (int64_t)(random % 2000000);
            memcpy(data + at, &value, 8);
            break;
        case 3: // Text.
            step = strlen(words[random % 6]);
            memcpy(data + at, words[random % 6], step);
            break;
        case 4: // Nothing repeats: long literals.
            memcpy(data + at, &random, 8);
            break;
        default: // Long runs, so copies of 64 bytes.
            memset(data + at, (int)(random % 3), 8);
            break;
        }
        at += step;
    }
    return (bytes){.data = data, .size = size};
}

TEST(snappy_decodes_every_kind_of_element) {
    const struct {
        bytes block;
        const char *wanted;
    } cases[] = {
        {BYTES(0), ""},
        {BYTES(3, 2 << 2, 'a', 'b', 'c'), "abc"},
        {BYTES(6, 1 << 2, 'a', 'b', 0 << 5 | 0 << 2 | 1, 2), "ababab"},
        {BYTES(3, 1 << 2, 'a', 'b', 0 << 2 | 2, 2, 0), "aba"},
        {BYTES(4, 1 << 2, 'a', 'b', 1 << 2 | 3, 1, 0, 0, 0), "abbb"},
        {BYTES(2, 60 << 2, 1, 'x', 'y'), "xy"},
        {BYTES(2, 61 << 2, 1, 0, 'x', 'y'), "xy"},
        {BYTES(2, 62 << 2, 1, 0, 0, 'x', 'y'), "xy"},
        {BYTES(2, 63 << 2, 1, 0, 0, 0, 'x', 'y'), "xy"},
        {BYTES(0x82, 0x00, 1 << 2, 'x', 'y'), "xy"}, // A varint may be longer than it need be.
    };
    arena memory = arena_open(1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        firn_error err = ERR_INIT;
        const size_t size = strlen(cases[i].wanted);
        uint8_t *out;
        CHECK(decode_exactly(cases[i].block, size, SNAPPY_SHAPE_GUESS, &memory, &out, &err) ==
              FIRN_OK);
        CHECK(memcmp(out, cases[i].wanted, size) == 0);
    }
    arena_close(&memory);
}

// A literal of 200 bytes, the copy, and enough literals behind it that the fast loop takes it.
TEST(snappy_decodes_copies_of_every_distance_and_length) {
    arena memory = arena_open(1 << 22);
    for (size_t offset = 1; offset <= 200; offset++) {
        arena_reset(&memory);
        for (size_t length = 1; length <= 64; length++) {
            uint8_t block[800];
            uint8_t wanted[800];
            size_t at = 2;
            size_t done = 0;
            block[at++] = 60 << 2;
            block[at++] = 199;
            for (; done < 200; done++) {
                wanted[done] = block[at++] = (uint8_t)(done * 7 + (done >> 4));
            }
            block[at++] = (uint8_t)((length - 1) << 2 | 2);
            block[at++] = (uint8_t)offset;
            block[at++] = 0;
            for (size_t end = done + length; done < end; done++) {
                wanted[done] = wanted[done - offset];
            }
            for (size_t i = 0; i < 40; i++) {
                block[at++] = 5 << 2;
                for (size_t k = 0; k < 6; k++) {
                    wanted[done++] = block[at++] = (uint8_t)(i * 6 + k);
                }
            }
            block[0] = (uint8_t)(0x80 | (done & 0x7f));
            block[1] = (uint8_t)(done >> 7);
            for (int shape = SNAPPY_SHAPE_PAIRS; shape <= SNAPPY_SHAPE_TAGS; shape++) {
                firn_error err = ERR_INIT;
                uint8_t *out;
                REQUIRE(decode_exactly((bytes){.data = block, .size = at}, done,
                                       (snappy_shape)shape, &memory, &out, &err) == FIRN_OK);
                REQUIRE(memcmp(out, wanted, done) == 0);
            }
        }
    }
    arena_close(&memory);
}

TEST(snappy_round_trips_every_content) {
    arena memory = arena_open((size_t)64 << 20);
    uint64_t seed = 1;
    for (size_t kind = 0; kind < CONTENT_KINDS; kind++) {
        for (size_t i = 0; i < 60; i++) {
            arena_reset(&memory);
            const size_t size = i < 40 ? i : (size_t)(test_random(&seed) % 300000);
            const bytes plain = content(kind, size, &seed, &memory);
            const bytes block = encode(plain, &memory);
            REQUIRE(block.data != NULL);
            CHECK(block.size <= snappy_encoded_size_max(size));
            CHECK(snappy_decoded_size_max(block.size) >= size);
            size_t said = 0;
            firn_error err = ERR_INIT;
            CHECK(snappy_decoded_size(block, &said, &err) == FIRN_OK && said == size);
            for (int shape = SNAPPY_SHAPE_GUESS; shape <= SNAPPY_SHAPE_TAGS; shape++) {
                uint8_t *out;
                REQUIRE(decode_exactly(block, size, (snappy_shape)shape, &memory, &out, &err) ==
                        FIRN_OK);
                REQUIRE(size == 0 || memcmp(out, plain.data, size) == 0);
            }
        }
    }
    arena_close(&memory);
}

// Blocks of different sizes and content at once, with every combination of padding and slack.
TEST(snappy_decodes_many_blocks_at_once) {
    enum { COUNT = 9 };
    arena memory = arena_open((size_t)64 << 20);
    uint64_t seed = 2;
    for (size_t round = 0; round < 60; round++) {
        arena_reset(&memory);
        const size_t padding = round % 4 == 0 ? 0 : (size_t)(test_random(&seed) % 80);
        const size_t slack = round % 3 == 0 ? 0 : (size_t)(test_random(&seed) % 160);
        const size_t count = 1 + round % COUNT;
        snappy_block blocks[COUNT];
        bytes plain[COUNT];
        for (size_t i = 0; i < count; i++) {
            const size_t size = (size_t)(test_random(&seed) % (i % 2 == 0 ? 5000 : 200));
            plain[i] = content((size_t)(test_random(&seed) % CONTENT_KINDS), size, &seed, &memory);
            REQUIRE(plain[i].data != NULL);
            const bytes block = encode(plain[i], &memory);
            REQUIRE(block.data != NULL);
            uint8_t *padded = ARENA_NEW(&memory, uint8_t, block.size + padding);
            uint8_t *out = ARENA_NEW(&memory, uint8_t, size + slack + 8);
            REQUIRE(padded != NULL && out != NULL);
            memcpy(padded, block.data, block.size);
            for (size_t k = 0; k < padding; k++) {
                padded[block.size + k] = (uint8_t)test_random(&seed);
            }
            memset(out, CANARY, size + slack + 8);
            blocks[i] = (snappy_block){
                .in = {.data = padded, .size = block.size},
                .out = out,
                .out_size = size,
                .padding = padding,
                .slack = slack,
            };
        }
        firn_error err = ERR_INIT;
        const snappy_shape shape = (snappy_shape)(round / 2 % 3);
        REQUIRE(snappy_decode(blocks, count, shape, &err) == FIRN_OK);
        for (size_t i = 0; i < count; i++) {
            const size_t size = plain[i].size;
            CHECK(size == 0 || memcmp(blocks[i].out, plain[i].data, size) == 0);
            for (size_t k = 0; k < 8; k++) {
                CHECK(blocks[i].out[size + slack + k] == CANARY);
            }
        }
    }
    arena_close(&memory);
}

// Each row is a block that must be refused for 8 bytes of output, and words of the message.
TEST(snappy_refuses_what_is_corrupt) {
    const struct {
        bytes block;
        const char *message;
    } cases[] = {
        {{0}, "varint is cut off"},
        {BYTES(0xff, 0xff, 0xff, 0xff, 0x1f), "varint does not fit 32 bits"},
        {BYTES(7, 6 << 2, 1, 2, 3, 4, 5, 6, 7), "says that it holds 7 bytes, 8 are expected"},
        {BYTES(8), "ends 8 bytes early"},
        {BYTES(8, 2 << 2, 1, 2, 3), "ends 5 bytes early"},
        {BYTES(8, 7 << 2, 1, 2, 3), "literal of 8 bytes, with 3 left of the input and room for 8"},
        {BYTES(8, 8 << 2, 1, 2, 3, 4, 5, 6, 7, 8, 9), "literal of 9 bytes"},
        {BYTES(8, 60 << 2), "1 bytes wanted, 0 left"},
        {BYTES(8, 63 << 2, 0xff, 0xff, 0xff, 0xff, 1), "literal of 4294967296 bytes"},
        {BYTES(8, 0 << 2, 9, 1), "1 bytes wanted, 0 left"},
        {BYTES(8, 0 << 2, 9, 2, 0), "2 bytes wanted, 1 left"},
        {BYTES(8, 0 << 2, 9, 3, 1, 0, 0), "4 bytes wanted, 3 left"},
        {BYTES(8, 1, 1), "copy from 1 bytes back, 1 to 0 are allowed"},
        {BYTES(8, 0 << 2, 9, 1, 0), "copy from 0 bytes back, 1 to 1 are allowed"},
        {BYTES(8, 0 << 2, 9, 1, 2), "copy from 2 bytes back, 1 to 1 are allowed"},
        {BYTES(8, 0 << 2, 9, 31 << 2 | 2, 1, 0), "copy of 32 bytes, room for 7"},
        {BYTES(8, 7 << 2, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1), "literal of 1 bytes"},
        {BYTES(8, 7 << 2, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1), "copy of 4 bytes, room for 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t padding = 0; padding <= SNAPPY_PADDING_USEFUL; padding += 33) {
            firn_error err = ERR_INIT;
            uint8_t in[128] = {0};
            uint8_t out[8 + SNAPPY_SLACK_USEFUL];
            if (cases[i].block.size > 0) {
                memcpy(in, cases[i].block.data, cases[i].block.size);
            }
            const snappy_block block = {
                .in = {.data = in, .size = cases[i].block.size},
                .out = out,
                .out_size = 8,
                .padding = padding,
                .slack = padding == 0 ? 0 : SNAPPY_SLACK_USEFUL,
            };
            CHECK(snappy_decode(&block, 1, SNAPPY_SHAPE_TAGS, &err) == FIRN_CORRUPT);
            // With slack the fast loop takes the last element, and only its end shows the fault.
            CHECK(strstr(err.text, cases[i].message) != NULL ||
                  (padding > 0 && strstr(err.text, "goes past the end") != NULL));
        }
    }
}

TEST(snappy_says_which_block_is_corrupt) {
    uint8_t out[2];
    const snappy_block blocks[] = {
        {.in = BYTES(1, 0, 'a'), .out = out, .out_size = 1},
        {.in = BYTES(1, 1, 'a'), .out = out + 1, .out_size = 1},
    };
    firn_error err = ERR_INIT;
    CHECK(snappy_decode(blocks, 2, SNAPPY_SHAPE_GUESS, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "while decoding snappy block 2 of 2") != NULL);
}

#ifdef FIRN_ORACLE_SNAPPY
TEST(snappy_understands_the_library_and_is_understood) {
    arena memory = arena_open((size_t)64 << 20);
    uint64_t seed = 3;
    for (size_t kind = 0; kind < CONTENT_KINDS; kind++) {
        for (size_t i = 0; i < 10; i++) {
            arena_reset(&memory);
            const size_t size = (size_t)(test_random(&seed) % 200000);
            const bytes plain = content(kind, size, &seed, &memory);
            REQUIRE(plain.data != NULL);
            size_t theirs_size = snappy_max_compressed_length(size);
            char *theirs = ARENA_NEW(&memory, char, theirs_size);
            char *back = ARENA_NEW(&memory, char, size);
            REQUIRE(theirs != NULL && back != NULL);
            REQUIRE(snappy_compress((const char *)plain.data, size, theirs, &theirs_size) ==
                    SNAPPY_OK);
            const bytes in = {.data = (const uint8_t *)theirs, .size = theirs_size};
            uint8_t *out;
            firn_error err = ERR_INIT;
            REQUIRE(decode_exactly(in, size, SNAPPY_SHAPE_GUESS, &memory, &out, &err) == FIRN_OK);
            CHECK(memcmp(out, plain.data, size) == 0);

            const bytes ours = encode(plain, &memory);
            size_t back_size = size;
            REQUIRE(snappy_uncompress((const char *)ours.data, ours.size, back, &back_size) ==
                    SNAPPY_OK);
            CHECK(back_size == size && memcmp(back, plain.data, size) == 0);
            CHECK(ours.size < theirs_size + theirs_size / 8 + 16);
        }
    }
    arena_close(&memory);
}
#endif
