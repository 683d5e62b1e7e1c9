// What is written is read back by avro_file, whatever the codec, and lies as the specification has
// it.
#include "formats/avro/avro_write.h"

#include <stdio.h>

#include "base/test.h"
#include "formats/avro/avro_reader.h"

#define MEMORY_LIMIT ((size_t)64 << 20)
#define SCHEMA                                                                                     \
    "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"n\",\"type\":\"long\"},"          \
    "{\"name\":\"t\",\"type\":\"string\"}]}"

static avro_wanted wanted_with(codec used) {
    static const avro_property properties[] = {
        {.key = {.data = "format-version", .size = 14},
         .value = {.data = (const uint8_t *)"2", .size = 1}}};
    avro_wanted out = {
        .schema_json = TEXT(SCHEMA), .codec = used, .property_count = 1, .properties = properties};
    memcpy(out.sync, "0123456789abcdef", sizeof out.sync);
    return out;
}

static void write_numbers(codec used, uint32_t count, arena *memory, codec_scratch *codecs,
                          bytes *out) {
    const avro_wanted wanted = wanted_with(used);
    avro_writer writer;
    firn_error err = ERR_INIT;
    REQUIRE(avro_writer_open(&writer, &wanted, memory, codecs, &err) == FIRN_OK);
    for (uint32_t i = 0; i < count; i++) {
        char word[32];
        const int size = snprintf(word, sizeof word, "row %u", i * 7);
        REQUIRE(avro_put_long(&writer.block, (int64_t)i - 5) &&
                avro_put_text(&writer.block, (text){.data = word, .size = (size_t)size}));
        REQUIRE(avro_writer_end_record(&writer, &err) == FIRN_OK);
    }
    CHECK(writer.total == count);
    CHECK(avro_writer_finish(&writer, out, &err) == FIRN_OK);
}

// How many records a file has, each as write_numbers made it.
static uint64_t count_numbers(bytes file, arena *memory, codec_scratch *codecs) {
    avro_header header;
    size_t wanted;
    firn_error err = ERR_INIT;
    if (avro_header_read(file, memory, &header, &wanted, &err) != FIRN_OK || wanted > 0) {
        return UINT64_MAX;
    }
    const bytes *version = avro_header_find(&header, TEXT("format-version"));
    CHECK(version != NULL && text_equal(text_of_bytes(*version), TEXT("2")));
    CHECK(text_equal(text_of_bytes(header.schema_json), TEXT(SCHEMA)));
    uint64_t total = 0;
    for (size_t at = header.size; at < file.size;) {
        avro_block block;
        bytes values;
        const bytes window = {.data = file.data + at, .size = file.size - at};
        const codec_growth growth = {.memory = memory, .size_max = MEMORY_LIMIT};
        if (avro_block_read(&header, window, &block, &wanted, &err) != FIRN_OK || wanted > 0 ||
            avro_block_decode(&header, &block, &growth, codecs, &values, &err) != FIRN_OK) {
            return UINT64_MAX;
        }
        byte_reader in = reader_open(values);
        for (uint64_t i = 0; i < block.count; i++, total++) {
            char word[32];
            int64_t number = 0;
            bytes found = {0};
            (void)snprintf(word, sizeof word, "row %u", (uint32_t)total * 7);
            CHECK(avro_read_long(&in, &number, &err) == FIRN_OK && number == (int64_t)total - 5);
            CHECK(avro_read_bytes(&in, &found, &err) == FIRN_OK &&
                  text_equal(text_of_bytes(found), text_of(word)));
        }
        CHECK(reader_left(&in) == 0);
        at += block.size;
    }
    return total;
}

TEST(avro_write_is_read_back_with_every_codec) {
    static const codec all[] = {CODEC_NONE, CODEC_DEFLATE, CODEC_SNAPPY, CODEC_ZSTD};
    static const uint32_t counts[] = {0, 1, 1000, 20000}; // The last one in several blocks.
    codec_scratch codecs = codec_scratch_open(MEMORY_LIMIT);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        for (size_t k = 0; k < sizeof counts / sizeof counts[0]; k++) {
            arena memory = arena_open(MEMORY_LIMIT);
            bytes file = {0};
            write_numbers(all[i], counts[k], &memory, &codecs, &file);
            CHECK(count_numbers(file, &memory, &codecs) == counts[k]);
            arena_close(&memory);
        }
    }
    codec_scratch_close(&codecs);
}

TEST(avro_write_lies_as_the_specification_has_it) {
    static const char expected[] = "Obj\1"
                                   "\6" // Three properties.
                                   "\x16"
                                   "avro.schema"
                                   "\x04"
                                   "{}"
                                   "\x14"
                                   "avro.codec"
                                   "\x08"
                                   "null"
                                   "\x1c"
                                   "format-version"
                                   "\x02"
                                   "2"
                                   "\0"
                                   "0123456789abcdef"
                                   "\x02\x0e" // One record of seven bytes.
                                   "\x01"
                                   "\x01"
                                   "\x02"
                                   "\x06"
                                   "abc"
                                   "0123456789abcdef";
    arena memory = arena_open(MEMORY_LIMIT);
    codec_scratch codecs = codec_scratch_open(MEMORY_LIMIT);
    avro_wanted wanted = wanted_with(CODEC_NONE);
    wanted.schema_json = TEXT("{}");
    avro_writer writer;
    bytes file;
    firn_error err = ERR_INIT;
    REQUIRE(avro_writer_open(&writer, &wanted, &memory, &codecs, &err) == FIRN_OK);
    CHECK(avro_put_long(&writer.block, -1) && avro_put_boolean(&writer.block, true) &&
          avro_put_branch(&writer.block, 1) && avro_put_text(&writer.block, TEXT("abc")));
    CHECK(avro_writer_end_record(&writer, &err) == FIRN_OK);
    REQUIRE(avro_writer_finish(&writer, &file, &err) == FIRN_OK);
    CHECK(file.size == sizeof expected - 1 && memcmp(file.data, expected, file.size) == 0);
    codec_scratch_close(&codecs);
    arena_close(&memory);
}

TEST(avro_write_refuses_other_codecs_and_full_memory) {
    codec_scratch codecs = codec_scratch_open(MEMORY_LIMIT);
    arena memory = arena_open(MEMORY_LIMIT);
    avro_wanted wanted = wanted_with(CODEC_GZIP);
    avro_writer writer;
    firn_error err = ERR_INIT;
    CHECK(avro_writer_open(&writer, &wanted, &memory, &codecs, &err) == FIRN_UNSUPPORTED);
    CHECK(strstr(err.text, "gzip") != NULL);
    wanted.codec = CODEC_DEFLATE;
    arena small = arena_open(8);
    CHECK(avro_writer_open(&writer, &wanted, &small, &codecs, &err) == FIRN_NO_MEMORY);
    arena_close(&small);
    arena_close(&memory);
    codec_scratch_close(&codecs);
}
