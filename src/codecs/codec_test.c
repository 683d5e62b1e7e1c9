#include "codecs/codec.h"

#include <string.h>

#include "base/compiler.h"
#include "base/test.h"

#ifdef FIRN_ORACLE_BROTLIENC
#include <brotli/encode.h>
#endif

#define LIST(...) {.data = (const uint8_t[]){__VA_ARGS__}, .size = sizeof((uint8_t[]){__VA_ARGS__})}
#define BYTES(...) ((bytes)LIST(__VA_ARGS__))

#define SCRATCH_LIMIT ((size_t)128 << 20)
#define PLAIN "firn firn firn firn firn!"
#define PLAIN_SIZE (sizeof PLAIN - 1)

#define GZIP_PLAIN                                                                                 \
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0xcb, 0x2c, 0xca, 0x53,      \
        0x48, 0xc3, 0x24, 0x14, 0x01, 0xfc, 0x2c, 0xb0, 0x71, 0x19, 0x00, 0x00, 0x00
#define ZLIB_PLAIN                                                                                 \
    0x78, 0xda, 0x4b, 0xcb, 0x2c, 0xca, 0x53, 0x48, 0xc3, 0x24, 0x14, 0x01, 0x78, 0x4c, 0x09, 0x0d
#define DEFLATE_PLAIN 0x4b, 0xcb, 0x2c, 0xca, 0x53, 0x48, 0xc3, 0x24, 0x14, 0x01
#define ZSTD_PLAIN                                                                                 \
    0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x19, 0x65, 0x00, 0x00, 0x30, 0x66, 0x69, 0x72, 0x6e, 0x20,      \
        0x21, 0x01, 0x00, 0x48, 0x8a, 0x16, 0xf6, 0x99, 0x48, 0xef
#define LZ4_PLAIN 0x5b, 0x66, 0x69, 0x72, 0x6e, 0x20, 0x05, 0x00, 0x50, 0x66, 0x69, 0x72, 0x6e, 0x21
#define LZ4_FRAME_PLAIN                                                                            \
    0x04, 0x22, 0x4d, 0x18, 0x64, 0x40, 0xa7, 0x0e, 0, 0, 0, LZ4_PLAIN, 0, 0, 0, 0, 0x94, 0x59,    \
        0x74, 0x35
#define HADOOP_PLAIN 0, 0, 0, 25, 0, 0, 0, 14, LZ4_PLAIN
#define BROTLI_PLAIN                                                                               \
    0x1b, 0x18, 0x00, 0xf8, 0x8d, 0x54, 0xb5, 0xbf, 0x34, 0x4b, 0x93, 0x4b, 0x90, 0x10, 0xb7,      \
        0x52, 0x64, 0x9d, 0x28, 0x60, 0x7a, 0x02
#define SNAPPY_PLAIN                                                                               \
    25, 4 << 2, 'f', 'i', 'r', 'n', ' ', 14 << 2 | 2, 5, 0, 4 << 2, 'f', 'i', 'r', 'n', '!'

// What other programs (gzip, zlib of Python, zstd, lz4, brotli) make of PLAIN, and by hand the
// forms that exist in files only.
static const struct {
    bytes block;
    codec codec;
    uint32_t repeats; // How often PLAIN comes out.
} samples[] = {
    {{.data = (const uint8_t *)PLAIN, .size = PLAIN_SIZE}, CODEC_NONE, 1},
    {LIST(SNAPPY_PLAIN), CODEC_SNAPPY, 1},
    {LIST(GZIP_PLAIN), CODEC_GZIP, 1},
    {LIST(GZIP_PLAIN, GZIP_PLAIN), CODEC_GZIP, 2},
    {LIST(ZLIB_PLAIN), CODEC_GZIP, 1},
    {LIST(ZLIB_PLAIN), CODEC_ZLIB, 1},
    {LIST(DEFLATE_PLAIN), CODEC_DEFLATE, 1},
    {LIST(DEFLATE_PLAIN, 0x78, 0x4c, 0x09), CODEC_DEFLATE, 1}, // As Avro's old Python writer.
    {LIST(ZSTD_PLAIN), CODEC_ZSTD, 1},
    {LIST(ZSTD_PLAIN, ZSTD_PLAIN), CODEC_ZSTD, 2},
    {LIST(LZ4_PLAIN), CODEC_LZ4, 1},
    {LIST(LZ4_PLAIN), CODEC_LZ4_HADOOP, 1},
    {LIST(LZ4_FRAME_PLAIN), CODEC_LZ4_HADOOP, 1},
    {LIST(LZ4_FRAME_PLAIN, LZ4_FRAME_PLAIN), CODEC_LZ4_HADOOP, 2},
    {LIST(HADOOP_PLAIN), CODEC_LZ4_HADOOP, 1},
    {LIST(0, 0, 0, 0, 0, 0, 0, 1, 0, HADOOP_PLAIN), CODEC_LZ4_HADOOP, 1},
    {LIST(HADOOP_PLAIN, HADOOP_PLAIN, HADOOP_PLAIN), CODEC_LZ4_HADOOP, 3},
    // One frame of two blocks.
    {LIST(0, 0, 0, 50, 0, 0, 0, 14, LZ4_PLAIN, 0, 0, 0, 14, LZ4_PLAIN), CODEC_LZ4_HADOOP, 2},
    {LIST(BROTLI_PLAIN), CODEC_BROTLI, 1},
};

static bool is_repeated_plain(bytes out, uint32_t repeats) {
    bool equal = out.size == repeats * PLAIN_SIZE;
    for (size_t i = 0; equal && i < repeats; i++) {
        equal = memcmp(out.data + i * PLAIN_SIZE, PLAIN, PLAIN_SIZE) == 0;
    }
    return equal;
}

TEST(codec_decodes_what_other_programs_write) {
    codec_scratch scratch = codec_scratch_open(SCRATCH_LIMIT);
    arena memory = arena_open(1 << 20);
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        firn_error err = ERR_INIT;
        const size_t size = samples[i].repeats * PLAIN_SIZE;
        uint8_t *out = ARENA_NEW(&memory, uint8_t, size);
        REQUIRE(out != NULL);
        CHECK(codec_decode(samples[i].codec, samples[i].block, out, size, &scratch, &err) ==
              FIRN_OK);
        CHECK(is_repeated_plain((bytes){.data = out, .size = size}, samples[i].repeats));
        // One byte too few or too many is an error.
        CHECK(codec_decode(samples[i].codec, samples[i].block, out, size - 1, &scratch, &err) ==
              FIRN_CORRUPT);
        out = ARENA_NEW(&memory, uint8_t, size + 1);
        REQUIRE(out != NULL);
        CHECK(codec_decode(samples[i].codec, samples[i].block, out, size + 1, &scratch, &err) ==
              FIRN_CORRUPT);
    }
    arena_close(&memory);
    codec_scratch_close(&scratch);
}

TEST(codec_decodes_into_an_arena_when_the_size_is_unknown) {
    codec_scratch scratch = codec_scratch_open(SCRATCH_LIMIT);
    arena memory = arena_open(1 << 20);
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        const size_t size = samples[i].repeats * PLAIN_SIZE;
        const size_t hints[] = {0, 1, size, 4096};
        for (size_t k = 0; k < sizeof hints / sizeof *hints; k++) {
            firn_error err = ERR_INIT;
            bytes out = {0};
            const codec_growth growth = {&memory, .size_max = 4096, .size_hint = hints[k]};
            CHECK(codec_decode_growing(samples[i].codec, samples[i].block, &growth, &out, &scratch,
                                       &err) == FIRN_OK);
            CHECK(is_repeated_plain(out, samples[i].repeats));
        }
        firn_error err = ERR_INIT;
        bytes out;
        const codec_growth exact = {&memory, .size_max = size};
        CHECK(codec_decode_growing(samples[i].codec, samples[i].block, &exact, &out, &scratch,
                                   &err) == FIRN_OK);
        const codec_growth small = {&memory, .size_max = size - 1};
        CHECK(codec_decode_growing(samples[i].codec, samples[i].block, &small, &out, &scratch,
                                   &err) == FIRN_NO_MEMORY);
        CHECK(strstr(err.text, "allowed") != NULL);
    }
    arena_close(&memory);
    codec_scratch_close(&scratch);
}

// A sample with its last byte missing, or any byte changed, must give an error or the right size.
TEST(codec_survives_every_changed_byte) {
    codec_scratch scratch = codec_scratch_open(SCRATCH_LIMIT);
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        const size_t size = samples[i].repeats * PLAIN_SIZE;
        for (size_t at = 0; at < samples[i].block.size; at++) {
            arena memory = arena_open(1 << 16);
            uint8_t *block = ARENA_NEW(&memory, uint8_t, samples[i].block.size);
            uint8_t *out = ARENA_NEW(&memory, uint8_t, size);
            REQUIRE(block != NULL && out != NULL);
            memcpy(block, samples[i].block.data, samples[i].block.size);
            for (int bit = 0; bit < 8; bit++) {
                block[at] ^= (uint8_t)(1 << bit);
                firn_error err = ERR_INIT;
                const bytes in = {.data = block, .size = samples[i].block.size};
                const firn_status status =
                    codec_decode(samples[i].codec, in, out, size, &scratch, &err);
                CHECK(status == FIRN_OK || status == FIRN_CORRUPT);
                block[at] ^= (uint8_t)(1 << bit);
            }
            firn_error err = ERR_INIT;
            const bytes cut = {.data = block, .size = at};
            CHECK(codec_decode(samples[i].codec, cut, out, size, &scratch, &err) == FIRN_CORRUPT ||
                  samples[i].codec == CODEC_DEFLATE);
            arena_close(&memory);
        }
    }
    codec_scratch_close(&scratch);
}

TEST(codec_takes_an_empty_block_for_no_bytes) {
    codec_scratch scratch = codec_scratch_open(SCRATCH_LIMIT);
    for (int i = 0; i < (int)CODEC_COUNT; i++) {
        firn_error err = ERR_INIT;
        uint8_t out[1];
        CHECK(codec_decode((codec)i, (bytes){0}, out, 0, &scratch, &err) == FIRN_OK);
        CHECK(codec_decode((codec)i, (bytes){0}, out, 1, &scratch, &err) == FIRN_CORRUPT);
        CHECK(strstr(err.text, "holds 0 bytes, 1 are expected") != NULL);
        const codec_block block = {.out = out};
        CHECK(codec_decode_many((codec)i, &block, 1, CODEC_HINT_NONE, &scratch, &err) == FIRN_OK);
    }
    codec_scratch_close(&scratch);
}

static bytes make_plain(size_t size, uint64_t *seed, arena *memory) {
    uint8_t *data = ARENA_NEW(memory, uint8_t, size);
    if (data == NULL) {
        return (bytes){0};
    }
    for (size_t i = 0; i < size; i++) {
        const uint64_t random = test_random(seed);
        data[i] = i < 20 || random % 4 == 0 ? (uint8_t)(random >> 8) : data[i - 13];
    }
    return (bytes){.data = data, .size = size};
}

// As Hadoop writes no bytes, and as arrow-rs does.
TEST(codec_takes_frames_of_no_bytes) {
    const bytes blocks[] = {BYTES(0, 0, 0, 0), BYTES(0, 0, 0, 0, 0, 0, 0, 1, 0)};
    codec_scratch scratch = codec_scratch_open(SCRATCH_LIMIT);
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        uint8_t out[1];
        firn_error err = ERR_INIT;
        CHECK(codec_decode(CODEC_LZ4_HADOOP, blocks[i], out, 0, &scratch, &err) == FIRN_OK);
        CHECK(codec_decode(CODEC_LZ4_HADOOP, blocks[i], out, 1, &scratch, &err) == FIRN_CORRUPT);
    }
    codec_scratch_close(&scratch);
}

TEST(codec_round_trips_at_every_level) {
    codec_scratch scratch = codec_scratch_open((size_t)1 << 30);
    arena memory = arena_open((size_t)16 << 20);
    uint64_t seed = 1;
    for (int i = 0; i < (int)CODEC_COUNT; i++) {
        const codec which = (codec)i;
        if (codec_encoded_size_max(which, 1) == SIZE_MAX) {
            continue;
        }
        for (int level = 0; level <= 12; level++) {
            const size_t sizes[] = {0, 1, 100, 40000};
            for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
                arena_reset(&memory);
                const bytes plain = make_plain(sizes[k], &seed, &memory);
                const size_t capacity = codec_encoded_size_max(which, plain.size);
                codec_output block = {.data = ARENA_NEW(&memory, uint8_t, capacity),
                                      .capacity = capacity};
                uint8_t *out = ARENA_NEW(&memory, uint8_t, plain.size);
                REQUIRE(plain.data != NULL && block.data != NULL && out != NULL);
                firn_error err = ERR_INIT;
                REQUIRE(codec_encode(which, level, plain, &block, &scratch, &err) == FIRN_OK);
                CHECK(block.size <= capacity);
                CHECK(which == CODEC_NONE || plain.size < 1000 || block.size < plain.size);
                const bytes in = {.data = block.data, .size = block.size};
                REQUIRE(codec_decode(which, in, out, plain.size, &scratch, &err) == FIRN_OK);
                CHECK(memcmp(out, plain.data, plain.size) == 0);
                if (capacity > 0) {
                    block.capacity = capacity - 1;
                    CHECK(codec_encode(which, level, plain, &block, &scratch, &err) ==
                          FIRN_INVALID);
                }
            }
        }
    }
    CHECK(codec_scratch_bytes(&scratch) > 0);
    codec_scratch_close(&scratch);
    CHECK(codec_scratch_bytes(&scratch) == 0);
    arena_close(&memory);
}

static size_t zstd_size(int level, bytes plain, arena *memory) {
    codec_scratch scratch = codec_scratch_open((size_t)16 << 20);
    firn_error err = ERR_INIT;
    const size_t capacity = codec_encoded_size_max(CODEC_ZSTD, plain.size);
    codec_output block = {.data = ARENA_NEW(memory, uint8_t, capacity), .capacity = capacity};
    CHECK(codec_encode(CODEC_ZSTD, level, plain, &block, &scratch, &err) == FIRN_OK);
    codec_scratch_close(&scratch);
    return block.size;
}

TEST(codec_packs_numbers_no_worse_at_the_quick_level) {
    arena memory = arena_open((size_t)4 << 20);
    uint64_t seed = 1;
    int64_t *numbers = ARENA_NEW(&memory, int64_t, 50000);
    REQUIRE(numbers != NULL);
    for (uint32_t i = 0; i < 50000; i++) {
        numbers[i] = (int64_t)(test_random(&seed) % 1000000);
    }
    const bytes plain = {.data = (const uint8_t *)numbers, .size = 50000 * sizeof *numbers};
    const size_t quick = zstd_size(CODEC_LEVEL_QUICK, plain, &memory);
    CHECK(quick < plain.size / 2 && quick <= zstd_size(1, plain, &memory));
    arena_close(&memory);
}

// Of a page: level 22 of zstd wants 650 MB where it is not told how much comes.
TEST(codec_has_the_memory_of_a_page_at_every_level) {
    static const struct {
        int level;
        size_t size;
    } cases[] = {{CODEC_LEVEL_QUICK, 3 << 20},
                 {22, 10},
                 {3, 1 << 20},
                 {22, 20000},
                 {19, 300000},
                 {1, 0},
                 {20, 140000},
                 {21, 1 << 18},
                 {22, 70000},
                 {9, 3 << 20},
                 {17, 1 << 14}};
    codec_scratch scratch = codec_scratch_open((size_t)128 << 20);
    arena memory = arena_open((size_t)16 << 20);
    uint64_t seed = 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arena_reset(&memory);
        const bytes plain = make_plain(cases[i].size, &seed, &memory);
        const size_t capacity = codec_encoded_size_max(CODEC_ZSTD, plain.size);
        codec_output block = {.data = ARENA_NEW(&memory, uint8_t, capacity), .capacity = capacity};
        uint8_t *out = ARENA_NEW(&memory, uint8_t, plain.size);
        REQUIRE(plain.data != NULL && block.data != NULL && out != NULL);
        firn_error err = ERR_INIT;
        REQUIRE(codec_encode(CODEC_ZSTD, cases[i].level, plain, &block, &scratch, &err) == FIRN_OK);
        const bytes in = {.data = block.data, .size = block.size};
        REQUIRE(codec_decode(CODEC_ZSTD, in, out, plain.size, &scratch, &err) == FIRN_OK);
        CHECK(memcmp(out, plain.data, plain.size) == 0);
    }
    codec_scratch_close(&scratch);
    arena_close(&memory);
}

TEST(codec_refuses_to_encode_what_it_cannot) {
    codec_scratch scratch = codec_scratch_open(SCRATCH_LIMIT);
    const struct {
        codec codec;
        int level;
        firn_status status;
        const char *message;
    } cases[] = {
        {CODEC_BROTLI, 0, FIRN_UNSUPPORTED, "writing with codec \"brotli\""},
        {CODEC_LZ4_HADOOP, 0, FIRN_UNSUPPORTED, "writing with codec \"lz4_hadoop\""},
        {CODEC_ZSTD, 23, FIRN_INVALID, "zstd level 23, 1 to 22 are allowed"},
        {CODEC_ZSTD, -1, FIRN_INVALID, "zstd level -1, 1 to 22 are allowed"},
        {CODEC_GZIP, CODEC_LEVEL_QUICK, FIRN_INVALID, "deflate level -2, 1 to 12 are allowed"},
        {CODEC_GZIP, -1, FIRN_INVALID, "deflate level -1, 1 to 12 are allowed"},
        {CODEC_LZ4, 13, FIRN_INVALID, "lz4 level 13, 1 to 12 are allowed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t room[1024];
        codec_output out = {.data = room, .capacity = sizeof room};
        firn_error err = ERR_INIT;
        CHECK(codec_encode(cases[i].codec, cases[i].level, BYTES(1, 2, 3), &out, &scratch, &err) ==
              cases[i].status);
        CHECK(strstr(err.text, cases[i].message) != NULL);
    }
    codec_scratch_close(&scratch);
}

TEST(codec_stops_at_the_limit_of_its_scratch) {
    const codec needy[] = {CODEC_ZSTD, CODEC_BROTLI};
    const bytes blocks[] = {BYTES(ZSTD_PLAIN), BYTES(BROTLI_PLAIN)};
    for (size_t i = 0; i < 2; i++) {
        codec_scratch scratch = codec_scratch_open(100);
        firn_error err = ERR_INIT;
        uint8_t out[PLAIN_SIZE];
        CHECK(codec_decode(needy[i], blocks[i], out, sizeof out, &scratch, &err) == FIRN_NO_MEMORY);
        CHECK(strstr(err.text, "of 100 bytes in use") != NULL);
        codec_scratch_close(&scratch);
    }
    codec_scratch scratch = codec_scratch_open(100);
    firn_error err = ERR_INIT;
    uint8_t room[1024];
    codec_output out = {.data = room, .capacity = sizeof room};
    CHECK(codec_encode(CODEC_SNAPPY, 0, BYTES(1), &out, &scratch, &err) == FIRN_NO_MEMORY);
    CHECK(codec_encode(CODEC_ZSTD, 0, BYTES(1), &out, &scratch, &err) == FIRN_NO_MEMORY);
    CHECK(codec_encode(CODEC_LZ4, 0, BYTES(1), &out, &scratch, &err) == FIRN_NO_MEMORY);
    codec_scratch_close(&scratch);
}

TEST(codec_decodes_many_blocks) {
    enum { COUNT = 70 };
    codec_scratch scratch = codec_scratch_open(SCRATCH_LIMIT);
    const codec which[] = {CODEC_SNAPPY, CODEC_ZSTD, CODEC_LZ4, CODEC_GZIP};
    arena memory = arena_open((size_t)64 << 20);
    uint64_t seed = 5;
    for (size_t w = 0; w < sizeof which / sizeof *which; w++) {
        arena_reset(&memory);
        codec_block blocks[COUNT];
        bytes plain[COUNT];
        firn_error err = ERR_INIT;
        for (size_t i = 0; i < COUNT; i++) {
            plain[i] = make_plain(test_random(&seed) % 3000, &seed, &memory);
            const size_t capacity = codec_encoded_size_max(which[w], plain[i].size);
            codec_output block = {.data = ARENA_NEW(&memory, uint8_t, capacity),
                                  .capacity = capacity};
            uint8_t *out = ARENA_NEW(&memory, uint8_t, plain[i].size);
            REQUIRE(plain[i].data != NULL && block.data != NULL && out != NULL);
            REQUIRE(codec_encode(which[w], 0, plain[i], &block, &scratch, &err) == FIRN_OK);
            blocks[i] = (codec_block){
                .in = {.data = block.data, .size = block.size},
                .out = out,
                .out_size = plain[i].size,
            };
        }
        for (int hint = CODEC_HINT_NONE; hint <= CODEC_HINT_TEXT; hint++) {
            REQUIRE(codec_decode_many(which[w], blocks, COUNT, (codec_hint)hint, &scratch, &err) ==
                    FIRN_OK);
            for (size_t i = 0; i < COUNT; i++) {
                CHECK(memcmp(blocks[i].out, plain[i].data, plain[i].size) == 0);
            }
        }
        blocks[COUNT - 1].in.size -= 1;
        CHECK(codec_decode_many(which[w], blocks, COUNT, CODEC_HINT_NONE, &scratch, &err) ==
              FIRN_CORRUPT);
        CHECK(strstr(err.text, "while decoding") != NULL);
    }
    arena_close(&memory);
    codec_scratch_close(&scratch);
}

TEST(codec_computes_the_crc_of_zlib) {
    CHECK(codec_crc32((bytes){0}) == 0);
    CHECK(codec_crc32(BYTES('1', '2', '3', '4', '5', '6', '7', '8', '9')) == 0xcbf43926);
}

TEST(codec_finds_words_whatever_their_case) {
    codec found = CODEC_COUNT;
    CHECK(codec_find(TEXT("Zstd"), &found) && found == CODEC_ZSTD);
    CHECK(codec_find(TEXT("LZ4_HADOOP"), &found) && found == CODEC_LZ4_HADOOP);
    CHECK(!codec_find(TEXT("lzo"), &found));
    CHECK(strcmp(codec_word(CODEC_NONE), "none") == 0);
}

#ifdef FIRN_ORACLE_BROTLIENC
TEST(codec_decodes_brotli_of_every_quality) {
    codec_scratch scratch = codec_scratch_open(SCRATCH_LIMIT);
    arena memory = arena_open((size_t)16 << 20);
    uint64_t seed = 9;
    for (int quality = 0; quality <= 9; quality++) {
        arena_reset(&memory);
        const bytes plain = make_plain(100000, &seed, &memory);
        REQUIRE(plain.data != NULL);
        size_t size = BrotliEncoderMaxCompressedSize(plain.size);
        uint8_t *block = ARENA_NEW(&memory, uint8_t, size);
        uint8_t *out = ARENA_NEW(&memory, uint8_t, plain.size);
        REQUIRE(block != NULL && out != NULL);
        REQUIRE(BrotliEncoderCompress(quality, 22, BROTLI_MODE_GENERIC, plain.size, plain.data,
                                      &size, block));
        firn_error err = ERR_INIT;
        const bytes in = {.data = block, .size = size};
        CHECK(codec_decode(CODEC_BROTLI, in, out, plain.size, &scratch, &err) == FIRN_OK);
        CHECK(memcmp(out, plain.data, plain.size) == 0);
        bytes grown;
        const codec_growth growth = {.memory = &memory, .size_max = 200000};
        CHECK(codec_decode_growing(CODEC_BROTLI, in, &growth, &grown, &scratch, &err) == FIRN_OK);
        CHECK(grown.size == plain.size && memcmp(grown.data, plain.data, plain.size) == 0);
    }
    arena_close(&memory);
    codec_scratch_close(&scratch);
}
#endif
