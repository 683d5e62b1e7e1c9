#include "formats/parquet/pq_thrift.h"

#include <string.h>

#include "base/test.h"
#include "formats/parquet/pq_format.h"

#define BYTES(...)                                                                                 \
    ((bytes){.data = (const uint8_t[]){__VA_ARGS__}, .size = sizeof((uint8_t[]){__VA_ARGS__})})

static bytes bytes_of(const char *words) {
    return (bytes){.data = (const uint8_t *)words, .size = strlen(words)};
}

TEST(pq_thrift_reads_what_the_specification_shows) {
    // Field 1 (list of i64), field 3 (i64 by a long head), field 9 (unknown map), end.
    const bytes input = BYTES(0x16, 0x08,             // unencoded_bytes = 4
                              0x19, 0x26, 0x02, 0x03, // repetition_histogram = [1, -2]
                              0x0b, 0x2c, 0x01, 0x85, 0x01, 'k', 0x07, // field 22: {"k": i8 7}
                              0x00);
    arena memory = arena_open(1 << 16);
    firn_error err = ERR_INIT;
    pq_size_statistics out;
    byte_reader in = reader_open(input);
    REQUIRE(pq_thrift_read(&in, &pq_size_statistics_table, &out, &memory, &err) == FIRN_OK);
    CHECK(out.unencoded_bytes == 4);
    CHECK(out.repetition_histogram.count == 2);
    CHECK(out.repetition_histogram.items[0] == 1 && out.repetition_histogram.items[1] == -2);
    CHECK(!pq_size_statistics_has_definition_histogram(&out));
    CHECK(reader_left(&in) == 0);
    arena_close(&memory);
}

// A row group with one of everything, as it might stand in a footer.
static pq_row_group sample_row_group(pq_column_chunk *chunk, bytes statistics) {
    *chunk = (pq_column_chunk){
        .present = 1 << 2 | 1 << 3 | 1 << 5,
        .file_offset = INT64_MIN,
        .offset_index_size = -1,
        .metadata = {.present = 0x2fe | 1 << 12,
                     .type = PQ_INT64,
                     .codec = PQ_CODEC_ZSTD,
                     .value_count = 1,
                     .uncompressed_size = 127,
                     .compressed_size = 128,
                     .data_page_offset = 4,
                     .statistics = statistics},
    };
    return (pq_row_group){
        .present = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 7,
        .columns = {.count = 1, .items = chunk},
        .uncompressed_size = 1000,
        .row_count = 70000,
        .ordinal = -3,
    };
}

TEST(pq_thrift_reads_what_it_writes) {
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    const pq_statistics zebra = {.present = 1 << 5 | 1 << 7 | 1 << 8,
                                 .max_value = bytes_of("zebra"),
                                 .is_max_value_exact = true,
                                 .is_min_value_exact = false};
    byte_output encoded = {.memory = &memory};
    REQUIRE(pq_thrift_write(&encoded, &pq_statistics_table, &zebra, &err) == FIRN_OK);
    pq_column_chunk chunk;
    const pq_row_group group =
        sample_row_group(&chunk, (bytes){.data = encoded.data, .size = encoded.size});
    byte_output written = {.memory = &memory};
    REQUIRE(pq_thrift_write(&written, &pq_row_group_table, &group, &err) == FIRN_OK);
    pq_row_group read;
    byte_reader in = reader_open((bytes){.data = written.data, .size = written.size});
    REQUIRE(pq_thrift_read(&in, &pq_row_group_table, &read, &memory, &err) == FIRN_OK);
    CHECK(reader_left(&in) == 0);
    CHECK(read.present == group.present && read.row_count == 70000 && read.ordinal == -3);
    const pq_column_metadata *metadata = &read.columns.items[0].metadata;
    CHECK(read.columns.items[0].file_offset == INT64_MIN);
    CHECK(read.columns.items[0].offset_index_size == -1);
    CHECK(metadata->present == chunk.metadata.present && metadata->codec == PQ_CODEC_ZSTD);
    pq_statistics statistics;
    byte_reader lazy = reader_open(metadata->statistics);
    REQUIRE(pq_thrift_read(&lazy, &pq_statistics_table, &statistics, &memory, &err) == FIRN_OK);
    CHECK(statistics.is_max_value_exact && !statistics.is_min_value_exact);
    CHECK(pq_statistics_has_is_min_value_exact(&statistics));
    CHECK(memcmp(statistics.max_value.data, "zebra", 5) == 0);

    // Every shorter input is refused, whatever the cut hits.
    for (size_t size = 0; size < written.size; size++) {
        in = reader_open((bytes){.data = written.data, .size = size});
        CHECK(pq_thrift_read(&in, &pq_row_group_table, &read, &memory, &err) == FIRN_CORRUPT);
    }
    arena_close(&memory);
}

TEST(pq_thrift_refuses_what_is_corrupt) {
    const struct {
        bytes input;
        const pq_thrift_struct *type;
        const char *message;
    } cases[] = {
        {{0}, &pq_key_value_table, "metadata is cut off"},
        {BYTES(0x00), &pq_key_value_table, "field \"key\" of \"key_value\" is missing"},
        {BYTES(0x18, 0x05, 'a'), &pq_key_value_table, "text of 5 bytes, 1 are left"},
        {BYTES(0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02),
         &pq_key_value_table, "varint does not fit 64 bits"},
        {BYTES(0x15, 0x80, 0x80, 0x80, 0x80, 0x10), &pq_decimal_type_table,
         "number 2147483648, -2147483648 to 2147483647 are allowed"},
        {BYTES(0x1f, 0x00), &pq_key_value_table, "metadata field of type 15"},
        {BYTES(0x19, 0xfc, 0xff, 0xff, 0x03), &pq_offset_index_table, "list of 65535 elements"},
        {BYTES(0x19, 0x15, 0x00, 0, 0, 0, 0, 0, 0), &pq_offset_index_table,
         "list \"pages\" of type 5"},
        {BYTES(0x29, 0x18, 0x01, 'a', 0), &pq_size_statistics_table, "of type 8"},
        {BYTES(0x59, 0xf9, 0x80, 0x80, 0x80, 0x80, 0x08), &pq_key_value_table, "list of"},
        {BYTES(0x06, 0xff, 0xff, 0x07), &pq_key_value_table, "number -65536"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arena memory = arena_open(1 << 16);
        firn_error err = ERR_INIT;
        uint8_t out[sizeof(pq_row_group)];
        byte_reader in = reader_open(cases[i].input);
        CHECK(pq_thrift_read(&in, cases[i].type, out, &memory, &err) == FIRN_CORRUPT);
        CHECK(strstr(err.text, cases[i].message) != NULL);
        arena_close(&memory);
    }
}

TEST(pq_thrift_stops_at_deep_nesting) {
    // Field 5, unknown, holds a structure whose field 1 holds a structure, ...
    uint8_t input[100];
    memset(input, 0x1c, sizeof input);
    arena memory = arena_open(1 << 16);
    firn_error err = ERR_INIT;
    pq_time_unit out;
    byte_reader in = reader_open((bytes){.data = input, .size = sizeof input});
    CHECK(pq_thrift_read(&in, &pq_time_unit_table, &out, &memory, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "nested deeper than 32") != NULL);
    // Lists in lists: one element each.
    memset(input, 0x19, sizeof input);
    in = reader_open((bytes){.data = input, .size = sizeof input});
    CHECK(pq_thrift_read(&in, &pq_time_unit_table, &out, &memory, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "nested deeper than 32") != NULL);
    arena_close(&memory);
}

TEST(pq_thrift_says_when_memory_is_full) {
    uint8_t input[3002] = {0x19, 0xf6, 0xb0, 0x17}; // 2992 numbers of one byte.
    arena memory = arena_open(8192);
    firn_error err = ERR_INIT;
    pq_size_statistics out;
    input[0] = 0x29;
    byte_reader in = reader_open((bytes){.data = input, .size = sizeof input});
    CHECK(pq_thrift_read(&in, &pq_size_statistics_table, &out, &memory, &err) == FIRN_NO_MEMORY);
    arena_close(&memory);
}
