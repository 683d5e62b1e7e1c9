// Arbitrary bytes as a footer, a page header, an index or a bloom filter's header; the first byte
// says which.
//
// Oracle: what was read is written and read again; both writings must be the same bytes. Chunks of
// an accepted footer lie inside the file.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formats/parquet/pq_bounds.h"
#include "formats/parquet/pq_metadata.h"
#include "formats/parquet/pq_thrift.h"

#define MEMORY_LIMIT ((size_t)64 << 20)
#define FILE_SIZE 100000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
    if (!condition) {
        abort();
    }
}

static bytes written(const pq_thrift_struct *type, const void *value, arena *memory) {
    firn_error err = ERR_INIT;
    byte_output out = {.memory = memory};
    must(pq_thrift_write(&out, type, value, &err) == FIRN_OK);
    return (bytes){.data = out.data, .size = out.size};
}

static void check_round_trip(const pq_thrift_struct *type, bytes input, arena *memory) {
    firn_error err = ERR_INIT;
    byte_reader in = reader_open(input);
    void *value = arena_alloc(memory, 1, type->size);
    must(value != NULL);
    if (pq_thrift_read(&in, type, value, memory, &err) != FIRN_OK) {
        return;
    }
    const bytes first = written(type, value, memory);
    in = reader_open(first);
    must(pq_thrift_read(&in, type, value, memory, &err) == FIRN_OK);
    must(reader_left(&in) == 0);
    const bytes second = written(type, value, memory);
    must(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
}

static void check_footer(bytes input, arena *memory) {
    firn_error err = ERR_INIT;
    const pq_metadata *out;
    if (pq_metadata_read(input, FILE_SIZE, memory, &out, &err) != FIRN_OK) {
        return;
    }
    for (uint32_t group = 0; group < out->file.row_groups.count; group++) {
        for (uint32_t leaf = 0; leaf < out->schema->leaf_count; leaf++) {
            const pq_chunk_range range = pq_chunk_place(out, group, leaf);
            must(range.offset <= FILE_SIZE && range.size <= FILE_SIZE - range.offset);
            const pq_statistics statistics = pq_chunk_statistics(out, group, leaf);
            const pq_bounds bounds = pq_bounds_of(out, leaf, &statistics);
            must(!bounds.minimum_is_exact || bounds.has_minimum);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const pq_thrift_struct *const types[] = {
        &pq_file_metadata_table, &pq_page_header_table,  &pq_offset_index_table,
        &pq_column_index_table,  &pq_bloom_header_table, &pq_row_group_table,
    };
    if (size < 1) {
        return 0;
    }
    const bytes input = {.data = data + 1, .size = size - 1};
    arena memory = arena_open(MEMORY_LIMIT);
    check_round_trip(types[data[0] % (sizeof types / sizeof *types)], input, &memory);
    check_footer(input, &memory);
    firn_error err = ERR_INIT;
    pq_page page;
    bool is_short;
    if (pq_page_header_read(input, &page, &is_short, &err) == FIRN_OK) {
        must(page.header_size <= input.size);
        must((uint64_t)page.definition_size + page.repetition_size <= page.body_size);
    }
    arena_close(&memory);
    return 0;
}
