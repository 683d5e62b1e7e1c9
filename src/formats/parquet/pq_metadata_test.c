#include "formats/parquet/pq_metadata.h"

#include <string.h>

#include "base/test.h"
#include "formats/parquet/pq_bounds.h"
#include "formats/parquet/pq_thrift.h"

#define BYTES(...)                                                                                 \
    ((bytes){.data = (const uint8_t[]){__VA_ARGS__}, .size = sizeof((uint8_t[]){__VA_ARGS__})})
#define FILE_SIZE 1000

static bytes bytes_of(const char *words) {
    return (bytes){.data = (const uint8_t *)words, .size = strlen(words)};
}

// A file of one row group with one column "a"; tests change what they look at and write it.
typedef struct sample {
    arena memory;
    firn_error err;
    pq_schema_element elements[2];
    pq_column_chunk chunk;
    pq_row_group group;
    pq_column_order order;
    pq_file_metadata file;
    const pq_metadata *read;
} sample;

static void sample_open(sample *self) {
    *self = (sample){.memory = arena_open(1 << 20), .err = ERR_INIT};
    self->elements[0] =
        (pq_schema_element){.present = 0x30, .name = bytes_of("schema"), .child_count = 1};
    self->elements[1] = (pq_schema_element){
        .present = 0x1a, .type = PQ_INT32, .repetition = PQ_OPTIONAL, .name = bytes_of("a")};
    self->chunk = (pq_column_chunk){.present = 1 << 2 | 1 << 3,
                                    .metadata = {.present = 0x2fe,
                                                 .type = PQ_INT32,
                                                 .codec = PQ_CODEC_SNAPPY,
                                                 .value_count = 10,
                                                 .compressed_size = 100,
                                                 .data_page_offset = 4}};
    self->group = (pq_row_group){
        .present = 0xe, .columns = {.count = 1, .items = &self->chunk}, .row_count = 10};
    self->order = (pq_column_order){.present = 1 << 1};
    self->file = (pq_file_metadata){.present = 0x1e | 1 << 7,
                                    .version = 2,
                                    .schema = {.count = 2, .items = self->elements},
                                    .row_count = 10,
                                    .row_groups = {.count = 1, .items = &self->group},
                                    .column_orders = {.count = 1, .items = &self->order}};
}

static firn_status sample_read(sample *self) {
    byte_output out = {.memory = &self->memory};
    TRY(pq_thrift_write(&out, &pq_file_metadata_table, &self->file, &self->err));
    const bytes footer = {.data = out.data, .size = out.size};
    return pq_metadata_read(footer, FILE_SIZE, &self->memory, &self->read, &self->err);
}

TEST(pq_footer_is_found) {
    firn_error err = ERR_INIT;
    pq_footer_place place;
    const bytes tail = BYTES(9, 9, 44, 1, 0, 0, 'P', 'A', 'R', '1');
    REQUIRE(pq_footer_find(tail, FILE_SIZE, &place, &err) == FIRN_OK);
    CHECK(place.offset == FILE_SIZE - 8 - 300 && place.size == 300);
    CHECK(pq_footer_find(tail, 312, &place, &err) == FIRN_OK && place.offset == 4);

    const struct {
        bytes tail;
        uint64_t file_size;
        firn_status status;
        const char *message;
    } cases[] = {
        {tail, 311, FIRN_CORRUPT, "footer of 300 bytes in a file of 311"},
        {tail, 11, FIRN_CORRUPT, "11 bytes, at least 12"},
        {BYTES('P', 'A', 'R', '1'), 12, FIRN_CORRUPT, "no Parquet file"},
        {BYTES(0, 0, 0, 0, 'P', 'A', 'R', '2'), 12, FIRN_CORRUPT, "does not end in \"PAR1\""},
        {BYTES(0, 0, 0, 0, 'P', 'A', 'R', 'E'), 12, FIRN_UNSUPPORTED, "encrypted footer"},
        {BYTES(0xff, 0xff, 0xff, 0xff, 'P', 'A', 'R', '1'), 1000, FIRN_CORRUPT, "4294967295"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const firn_status status = pq_footer_find(cases[i].tail, cases[i].file_size, &place, &err);
        CHECK(status == cases[i].status);
        CHECK(strstr(err.text, cases[i].message) != NULL);
    }
}

TEST(pq_metadata_knows_where_chunks_lie) {
    sample s;
    sample_open(&s);
    REQUIRE(sample_read(&s) == FIRN_OK);
    CHECK(pq_chunk_place(s.read, 0, 0).offset == 4 && pq_chunk_place(s.read, 0, 0).size == 100);
    // A dictionary page comes first; offset 0 means there is none.
    s.chunk.metadata.present |= 1 << 11;
    s.chunk.metadata.data_page_offset = 60;
    s.chunk.metadata.dictionary_page_offset = 20;
    REQUIRE(sample_read(&s) == FIRN_OK);
    CHECK(pq_chunk_place(s.read, 0, 0).offset == 20);
    s.chunk.metadata.dictionary_page_offset = 0;
    REQUIRE(sample_read(&s) == FIRN_OK);
    CHECK(pq_chunk_place(s.read, 0, 0).offset == 60);
    CHECK(pq_chunk_check(s.read, 0, 0, &s.err) == FIRN_OK);
    // Old parquet-mr forgot a header.
    s.file.present |= 1 << 6;
    s.file.created_by = bytes_of("parquet-mr version 1.2.8");
    REQUIRE(sample_read(&s) == FIRN_OK);
    CHECK(pq_chunk_place(s.read, 0, 0).size == 200);
    arena_close(&s.memory);
}

TEST(pq_metadata_refuses_what_is_corrupt) {
    static const char *const messages[] = {
        "column chunk of type INT64, the schema says INT32\n  while checking column \"a\"",
        "column chunk of -1 values",
        "column chunk of 997 bytes at 4 in a file of 1000",
        "column chunk of 100 bytes at -1",
        "0 column chunks, the schema has 1",
        "-5 rows",
        "its data lies in another file, \"b.parquet\"",
        "column chunk without metadata",
    };
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        sample s;
        sample_open(&s);
        s.chunk.metadata.type = i == 0 ? PQ_INT64 : PQ_INT32;
        s.chunk.metadata.value_count = i == 1 ? -1 : 10;
        s.chunk.metadata.compressed_size = i == 2 ? 997 : 100;
        s.chunk.metadata.data_page_offset = i == 3 ? -1 : 4;
        s.group.columns.count = i == 4 ? 0 : 1;
        s.group.row_count = i == 5 ? -5 : 10;
        s.chunk.file_path = bytes_of("b.parquet");
        s.chunk.present = i == 6 ? 1 << 1 | 1 << 2 | 1 << 3 : i == 7 ? 1 << 2 : 1 << 2 | 1 << 3;
        CHECK(sample_read(&s) == (i == 6 ? FIRN_UNSUPPORTED : FIRN_CORRUPT));
        CHECK(strstr(s.err.text, messages[i]) != NULL);
        CHECK(strstr(s.err.text, "while checking row group 0\n  while reading the footer") != NULL);
        arena_close(&s.memory);
    }
}

TEST(pq_metadata_counts_the_rows_of_the_file) {
    static const int64_t counts[] = {10, 0, 9, 11, -10};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        sample s;
        sample_open(&s);
        s.file.row_count = counts[i];
        const bool is_right = i < 2; // Old parquet-rs wrote 0.
        CHECK(sample_read(&s) == (is_right ? FIRN_OK : FIRN_CORRUPT));
        CHECK(is_right || strstr(s.err.text, "row groups of 10 rows in a file of ") != NULL);
        arena_close(&s.memory);
    }
}

TEST(pq_metadata_refuses_encrypted_columns_when_they_are_read) {
    sample s;
    sample_open(&s);
    s.chunk.present |= 1 << 8;
    REQUIRE(sample_read(&s) == FIRN_OK);
    CHECK(pq_chunk_check(s.read, 0, 0, &s.err) == FIRN_UNSUPPORTED);
    CHECK(strstr(s.err.text, "encrypted") != NULL);
    s.chunk.present &= ~(UINT32_C(1) << 8);
    s.chunk.metadata.codec = PQ_CODEC_LZO;
    REQUIRE(sample_read(&s) == FIRN_OK);
    CHECK(pq_chunk_check(s.read, 0, 0, &s.err) == FIRN_UNSUPPORTED);
    CHECK(strstr(s.err.text, "codec LZO (3)") != NULL);
    arena_close(&s.memory);
}

TEST(pq_page_header_is_read_and_checked) {
    arena memory = arena_open(1 << 16);
    firn_error err = ERR_INIT;
    pq_page_header header = {
        .present = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 8,
        .type = PQ_PAGE_DATA_V2,
        .uncompressed_size = 50,
        .compressed_size = 30,
        .data_v2 = {.present = 0x7e,
                    .value_count = 9,
                    .null_count = 2,
                    .row_count = 4,
                    .encoding = PQ_ENCODING_RLE_DICTIONARY,
                    .definition_size = 6,
                    .repetition_size = 7},
    };
    byte_output out = {.memory = &memory};
    REQUIRE(pq_thrift_write(&out, &pq_page_header_table, &header, &err) == FIRN_OK);
    pq_page page;
    bool is_short = false;
    const bytes whole = {.data = out.data, .size = out.size};
    REQUIRE(pq_page_header_read(whole, &page, &is_short, &err) == FIRN_OK);
    CHECK(page.type == PQ_PAGE_DATA && page.is_v2 && page.is_compressed && !page.has_crc);
    CHECK(page.header_size == out.size && page.body_size == 30 && page.plain_size == 50);
    CHECK(page.value_count == 9 && page.row_count == 4);
    CHECK(page.definition_size == 6 && page.repetition_size == 7);
    for (size_t size = 0; size < out.size; size++) {
        const bytes part = {.data = out.data, .size = size};
        CHECK(pq_page_header_read(part, &page, &is_short, &err) == FIRN_CORRUPT && is_short);
    }
    header.data_v2.repetition_size = 25;
    out = (byte_output){.memory = &memory};
    REQUIRE(pq_thrift_write(&out, &pq_page_header_table, &header, &err) == FIRN_OK);
    CHECK(pq_page_header_read((bytes){.data = out.data, .size = out.size}, &page, &is_short,
                              &err) == FIRN_CORRUPT);
    CHECK(!is_short && strstr(err.text, "levels of 25 and 6 bytes in a page of 30") != NULL);
    header.compressed_size = -1;
    out = (byte_output){.memory = &memory};
    REQUIRE(pq_thrift_write(&out, &pq_page_header_table, &header, &err) == FIRN_OK);
    CHECK(pq_page_header_read((bytes){.data = out.data, .size = out.size}, &page, &is_short,
                              &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "page of 9 values in -1 bytes") != NULL);
    arena_close(&memory);
}

static const uint8_t *i32_bytes(int32_t value, uint8_t *out) {
    memcpy(out, &value, sizeof value);
    return out;
}

TEST(pq_bounds_are_believed_only_with_their_order) {
    sample s;
    sample_open(&s);
    uint8_t low[4];
    uint8_t high[4];
    pq_statistics statistics = {
        .present = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 6,
        .min = {.data = i32_bytes(-5, low), .size = 4},
        .max = {.data = i32_bytes(7, high), .size = 4},
        .min_value = {.data = low, .size = 4},
        .max_value = {.data = high, .size = 4},
        .null_count = 3,
    };
    REQUIRE(sample_read(&s) == FIRN_OK);
    pq_bounds bounds = pq_bounds_of(s.read, 0, &statistics);
    CHECK(bounds.has_minimum && bounds.has_maximum && bounds.minimum_is_exact);
    CHECK(bounds.has_null_count && bounds.null_count == 3 && !bounds.has_nan_count);

    // Without column orders only the old pair counts, and it is signed.
    s.file.present = 0x1e;
    REQUIRE(sample_read(&s) == FIRN_OK);
    CHECK(pq_bounds_of(s.read, 0, &statistics).has_minimum);
    s.elements[1].present |= 1 << 6;
    s.elements[1].converted_type = PQ_CONVERTED_UINT_32;
    REQUIRE(sample_read(&s) == FIRN_OK);
    CHECK(!pq_bounds_of(s.read, 0, &statistics).has_minimum);
    s.file.present |= 1 << 7;
    REQUIRE(sample_read(&s) == FIRN_OK);
    CHECK(pq_bounds_of(s.read, 0, &statistics).has_minimum);

    // An order or a logical type that nobody knows, a bound of the wrong size.
    s.order.present = 0;
    REQUIRE(sample_read(&s) == FIRN_OK);
    CHECK(!pq_bounds_of(s.read, 0, &statistics).has_minimum);
    s.order.present = 1 << 1;
    s.elements[1].present = 0x1a | 1 << 10;
    REQUIRE(sample_read(&s) == FIRN_OK);
    CHECK(!pq_bounds_of(s.read, 0, &statistics).has_minimum);
    s.elements[1].present = 0x1a;
    statistics.min_value.size = 3;
    REQUIRE(sample_read(&s) == FIRN_OK);
    bounds = pq_bounds_of(s.read, 0, &statistics);
    CHECK(!bounds.has_minimum && !bounds.minimum_is_exact && bounds.has_maximum);
    arena_close(&s.memory);
}

TEST(pq_bounds_of_floats_drop_nan_and_widen_zero) {
    sample s;
    sample_open(&s);
    s.elements[1].type = PQ_DOUBLE;
    s.chunk.metadata.type = PQ_DOUBLE;
    REQUIRE(sample_read(&s) == FIRN_OK);
    double low = 0.0;
    double high = -0.0;
    const pq_statistics statistics = {
        .present = 1 << 5 | 1 << 6 | 1 << 9,
        .min_value = {.data = (const uint8_t *)&low, .size = 8},
        .max_value = {.data = (const uint8_t *)&high, .size = 8},
        .nan_count = 1,
    };
    const pq_bounds bounds = pq_bounds_of(s.read, 0, &statistics);
    REQUIRE(bounds.has_minimum && bounds.has_maximum && bounds.nan_count == 1);
    CHECK(bounds.minimum.data[7] == 0x80 && bounds.maximum.data[7] == 0);
    low = __builtin_nan("");
    CHECK(!pq_bounds_of(s.read, 0, &statistics).has_minimum);
    CHECK(pq_bounds_of(s.read, 0, &statistics).has_maximum);
    arena_close(&s.memory);
}

TEST(pq_bounds_of_bytes_may_be_shortened) {
    sample s;
    sample_open(&s);
    s.elements[1].type = PQ_BYTE_ARRAY;
    s.elements[1].present |= 1 << 6;
    s.elements[1].converted_type = PQ_CONVERTED_UTF8;
    s.chunk.metadata.type = PQ_BYTE_ARRAY;
    REQUIRE(sample_read(&s) == FIRN_OK);
    pq_statistics statistics = {.present = 1 << 5 | 1 << 6 | 1 << 8,
                                .min_value = bytes_of("aa"),
                                .max_value = bytes_of("zz"),
                                .is_min_value_exact = true};
    pq_bounds bounds = pq_bounds_of(s.read, 0, &statistics);
    CHECK(bounds.has_minimum && bounds.minimum_is_exact);
    CHECK(bounds.has_maximum && !bounds.maximum_is_exact);
    // The deprecated pair of bytes is never believed.
    statistics =
        (pq_statistics){.present = 1 << 1 | 1 << 2, .min = bytes_of("aa"), .max = bytes_of("aa")};
    bounds = pq_bounds_of(s.read, 0, &statistics);
    CHECK(!bounds.has_minimum && !bounds.has_maximum);
    arena_close(&s.memory);
}

static firn_status read_offset_index(sample *s, pq_page_location *pages, size_t count,
                                     pq_offset_index *out) {
    const pq_offset_index index = {.present = 1 << 1, .pages = {.count = count, .items = pages}};
    byte_output written = {.memory = &s->memory};
    TRY(pq_thrift_write(&written, &pq_offset_index_table, &index, &s->err));
    const bytes input = {.data = written.data, .size = written.size};
    return pq_offset_index_read(input, FILE_SIZE, 10, &s->memory, out, &s->err);
}

TEST(pq_offset_index_is_checked) {
    sample s;
    sample_open(&s);
    pq_page_location pages[] = {
        {.present = 0xe, .offset = 4, .size = 50, .first_row = 0},
        {.present = 0xe, .offset = 54, .size = 46, .first_row = 6},
    };
    pq_offset_index out;
    REQUIRE(read_offset_index(&s, pages, 2, &out) == FIRN_OK);
    CHECK(out.pages.count == 2 && out.pages.items[1].first_row == 6);
    pages[1].offset = 53;
    CHECK(read_offset_index(&s, pages, 2, &out) == FIRN_CORRUPT);
    pages[1].offset = 990;
    CHECK(read_offset_index(&s, pages, 2, &out) == FIRN_CORRUPT);
    pages[1].offset = 54;
    pages[1].first_row = 11;
    CHECK(read_offset_index(&s, pages, 2, &out) == FIRN_CORRUPT);
    CHECK(strstr(s.err.text, "page 1 of 46 bytes at 54 begins at row 11") != NULL);
    pages[1].first_row = 6;
    pages[0].first_row = 1;
    CHECK(read_offset_index(&s, pages, 2, &out) == FIRN_CORRUPT);
    arena_close(&s.memory);
}

TEST(pq_bloom_header_is_checked) {
    sample s;
    sample_open(&s);
    pq_bloom_header header = {.present = 0x1e, .size = 64};
    header.algorithm.present = 1 << 1;
    header.hash.present = 1 << 1;
    header.compression.present = 1 << 1;
    const int32_t sizes[] = {64, 0, 33, -32};
    for (size_t i = 0; i < 4; i++) {
        header.size = sizes[i];
        byte_output out = {.memory = &s.memory};
        REQUIRE(pq_thrift_write(&out, &pq_bloom_header_table, &header, &s.err) == FIRN_OK);
        pq_bloom_header read;
        size_t bitset;
        const firn_status status = pq_bloom_header_read((bytes){.data = out.data, .size = out.size},
                                                        &read, &bitset, &s.err);
        CHECK(status == (i == 0 ? FIRN_OK : FIRN_CORRUPT));
        CHECK(i > 0 || (read.size == 64 && bitset == out.size));
    }
    header.size = 64;
    header.hash.present = 0;
    byte_output out = {.memory = &s.memory};
    REQUIRE(pq_thrift_write(&out, &pq_bloom_header_table, &header, &s.err) == FIRN_OK);
    size_t bitset;
    CHECK(pq_bloom_header_read((bytes){.data = out.data, .size = out.size}, &header, &bitset,
                               &s.err) == FIRN_UNSUPPORTED);
    arena_close(&s.memory);
}
