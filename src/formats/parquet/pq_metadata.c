#include "formats/parquet/pq_metadata.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "formats/parquet/pq_thrift.h"

// Old writers of parquet-mr left the dictionary page's header out of the chunk's size.
#define CHUNK_SLACK_BYTES 100

#define BLOOM_BLOCK_SIZE 32
#define BLOOM_SIZE_MAX (128 << 20)

// ---- Footer -------------------------------------------------------------------------------------

static uint32_t load_u32(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

firn_status pq_footer_find(bytes tail, uint64_t file_size, pq_footer_place *out, firn_error *err) {
    if (file_size < PQ_MAGIC_SIZE + PQ_TAIL_SIZE || tail.size < PQ_TAIL_SIZE) {
        return FAIL(err, FIRN_CORRUPT, "no Parquet file: %llu bytes, at least 12 are needed",
                    (unsigned long long)file_size);
    }
    const uint8_t *at = tail.data + tail.size - PQ_TAIL_SIZE;
    if (memcmp(at + 4, "PARE", PQ_MAGIC_SIZE) == 0) {
        return FAIL(err, FIRN_UNSUPPORTED, "Parquet file with an encrypted footer");
    }
    if (memcmp(at + 4, "PAR1", PQ_MAGIC_SIZE) != 0) {
        return FAIL(err, FIRN_CORRUPT,
                    "no Parquet file, or one that was cut off: it does not end in \"PAR1\"");
    }
    const uint32_t size = load_u32(at);
    if (size > file_size - PQ_MAGIC_SIZE - PQ_TAIL_SIZE) {
        return FAIL(err, FIRN_CORRUPT, "footer of %u bytes in a file of %llu", size,
                    (unsigned long long)file_size);
    }
    *out = (pq_footer_place){.offset = file_size - PQ_TAIL_SIZE - size, .size = size};
    return FIRN_OK;
}

// Where a chunk's first page is. Writers that have no dictionary page leave its offset out or 0.
static int64_t chunk_start(const pq_column_metadata *chunk) {
    const bool has_dictionary = pq_column_metadata_has_dictionary_page_offset(chunk) &&
                                chunk->dictionary_page_offset > 0 &&
                                chunk->dictionary_page_offset < chunk->data_page_offset;
    return has_dictionary ? chunk->dictionary_page_offset : chunk->data_page_offset;
}

static firn_status check_chunk(const pq_metadata *self, const pq_column_chunk *chunk,
                               const pq_leaf *leaf, firn_error *err) {
    if (pq_column_chunk_has_file_path(chunk) && chunk->file_path.size > 0) {
        return FAIL(err, FIRN_UNSUPPORTED, "its data lies in another file, \"%.*s\"",
                    (int)chunk->file_path.size, (const char *)chunk->file_path.data);
    }
    if (!pq_column_chunk_has_metadata(chunk)) {
        if (pq_column_chunk_has_encryption(chunk)) {
            return FIRN_OK; // Refused when it is read.
        }
        return FAIL(err, FIRN_CORRUPT, "column chunk without metadata");
    }
    const pq_column_metadata *metadata = &chunk->metadata;
    if (metadata->type != (int32_t)leaf->type) {
        return FAIL(err, FIRN_CORRUPT, "column chunk of type %s, the schema says %s",
                    pq_type_name(metadata->type), pq_type_name((int32_t)leaf->type));
    }
    if (metadata->value_count < 0) {
        return FAIL(err, FIRN_CORRUPT, "column chunk of %lld values",
                    (long long)metadata->value_count);
    }
    const int64_t start = chunk_start(metadata);
    const int64_t size = metadata->compressed_size;
    const int64_t file_size = (int64_t)self->file_size;
    if (start < 0 || size < 0 || start > file_size || size > file_size - start) {
        return FAIL(err, FIRN_CORRUPT, "column chunk of %lld bytes at %lld in a file of %lld",
                    (long long)size, (long long)start, (long long)file_size);
    }
    return FIRN_OK;
}

static firn_status check_row_group(const pq_metadata *self, const pq_row_group *group,
                                   firn_error *err) {
    const size_t leaf_count = self->schema->leaf_count;
    if (group->columns.count != leaf_count) {
        return FAIL(err, FIRN_CORRUPT, "%zu column chunks, the schema has %zu columns",
                    group->columns.count, leaf_count);
    }
    if (group->row_count < 0) {
        return FAIL(err, FIRN_CORRUPT, "%lld rows", (long long)group->row_count);
    }
    for (size_t i = 0; i < leaf_count; i++) {
        const pq_leaf *leaf = &self->schema->leaves[i];
        const firn_status status = check_chunk(self, &group->columns.items[i], leaf, err);
        if (status != FIRN_OK) {
            err_while(err, "checking column \"%.*s\"", TEXT_ARGS(leaf->node->name));
            return status;
        }
    }
    return FIRN_OK;
}

static firn_status check_file(const pq_metadata *self, firn_error *err) {
    int64_t row_count = 0;
    for (size_t i = 0; i < self->file.row_groups.count; i++) {
        const pq_row_group *group = &self->file.row_groups.items[i];
        const firn_status status = check_row_group(self, group, err);
        if (status != FIRN_OK) {
            err_while(err, "checking row group %zu", i);
            return status;
        }
        if (__builtin_add_overflow(row_count, group->row_count, &row_count)) {
            return FAIL(err, FIRN_CORRUPT, "more rows than fit 64 bits");
        }
    }
    // A row group is missing, or there twice. Old parquet-rs left it 0.
    if (self->file.row_count != row_count && self->file.row_count != 0) {
        return FAIL(err, FIRN_CORRUPT, "row groups of %lld rows in a file of %lld",
                    (long long)row_count, (long long)self->file.row_count);
    }
    return FIRN_OK;
}

firn_status pq_metadata_read(bytes footer, uint64_t file_size, arena *memory,
                             const pq_metadata **out, firn_error *err) {
    pq_metadata *self = ARENA_NEW(memory, pq_metadata, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    self->file_size = file_size;
    byte_reader in = reader_open(footer);
    firn_status status = pq_thrift_read(&in, &pq_file_metadata_table, &self->file, memory, err);
    if (status == FIRN_OK && file_size > INT64_MAX) {
        status = FAIL(err, FIRN_CORRUPT, "file of %llu bytes", (unsigned long long)file_size);
    }
    if (status == FIRN_OK) {
        status = pq_schema_build(&self->file.schema, memory, &self->schema, err);
    }
    if (status == FIRN_OK) {
        status = check_file(self, err);
    }
    if (status != FIRN_OK) {
        err_while(err, "reading the footer");
        return status;
    }
    *out = self;
    return FIRN_OK;
}

text pq_metadata_value(const pq_metadata *self, text key) {
    for (size_t i = 0; i < self->file.key_values.count; i++) {
        const pq_key_value *entry = &self->file.key_values.items[i];
        const text name = {.data = (const char *)entry->key.data, .size = entry->key.size};
        if (text_equal(name, key)) {
            return (text){.data = (const char *)entry->value.data, .size = entry->value.size};
        }
    }
    return (text){.data = NULL};
}

// ---- Chunks -------------------------------------------------------------------------------------

pq_chunk_range pq_chunk_place(const pq_metadata *self, uint32_t row_group, uint32_t leaf) {
    const pq_column_metadata *chunk = pq_chunk_metadata(self, row_group, leaf);
    const uint64_t start = (uint64_t)chunk_start(chunk);
    const uint64_t left = self->file_size - start;
    const uint64_t size = (uint64_t)chunk->compressed_size;
    const bool has_slack = left - size >= CHUNK_SLACK_BYTES;
    const text writer = {.data = (const char *)self->file.created_by.data,
                         .size = self->file.created_by.size};
    const bool is_old = text_equal(writer, TEXT("parquet-mr")) ||
                        text_starts_with(writer, TEXT("parquet-mr version 1.0")) ||
                        text_starts_with(writer, TEXT("parquet-mr version 1.1")) ||
                        text_starts_with(writer, TEXT("parquet-mr version 1.2"));
    return (pq_chunk_range){
        .offset = start,
        .size = is_old && has_slack ? size + CHUNK_SLACK_BYTES : size,
    };
}

firn_status pq_chunk_check(const pq_metadata *self, uint32_t row_group, uint32_t leaf,
                           firn_error *err) {
    const pq_column_chunk *chunk = &self->file.row_groups.items[row_group].columns.items[leaf];
    if (pq_column_chunk_has_encryption(chunk)) {
        return FAIL(err, FIRN_UNSUPPORTED, "the column is encrypted");
    }
    const int32_t codec = chunk->metadata.codec;
    if (codec < PQ_CODEC_UNCOMPRESSED || codec > PQ_CODEC_LZ4_RAW || codec == PQ_CODEC_LZO) {
        return FAIL(err, FIRN_UNSUPPORTED, "codec %s (%d)", pq_codec_name(codec), codec);
    }
    return FIRN_OK;
}

pq_statistics pq_chunk_statistics(const pq_metadata *self, uint32_t row_group, uint32_t leaf) {
    const pq_column_metadata *chunk = pq_chunk_metadata(self, row_group, leaf);
    pq_statistics out = {.present = 0};
    arena none = arena_open(0); // They hold no list.
    firn_error ignored = ERR_INIT;
    byte_reader in = reader_open(chunk->statistics);
    if (!pq_column_metadata_has_statistics(chunk) ||
        pq_thrift_read(&in, &pq_statistics_table, &out, &none, &ignored) != FIRN_OK) {
        out = (pq_statistics){.present = 0};
    }
    return out;
}

// ---- Pages --------------------------------------------------------------------------------------

static firn_status check_counts(const pq_page_header *header, int32_t value_count,
                                firn_error *err) {
    if (header->compressed_size < 0 || header->uncompressed_size < 0 || value_count < 0) {
        return FAIL(err, FIRN_CORRUPT, "page of %d values in %d bytes, %d uncompressed",
                    value_count, header->compressed_size, header->uncompressed_size);
    }
    return FIRN_OK;
}

static firn_status read_data_page(const pq_page_header *header, pq_page *out, firn_error *err) {
    const pq_data_page_header *data = &header->data;
    if (!pq_page_header_has_data(header)) {
        return FAIL(err, FIRN_CORRUPT, "data page without its header");
    }
    TRY(check_counts(header, data->value_count, err));
    out->value_count = (uint32_t)data->value_count;
    out->encoding = data->encoding;
    out->definition_encoding = data->definition_encoding;
    out->repetition_encoding = data->repetition_encoding;
    out->statistics = data->statistics;
    return FIRN_OK;
}

static firn_status read_data_page_v2(const pq_page_header *header, pq_page *out, firn_error *err) {
    const pq_data_page_header_v2 *data = &header->data_v2;
    if (!pq_page_header_has_data_v2(header)) {
        return FAIL(err, FIRN_CORRUPT, "data page without its header");
    }
    TRY(check_counts(header, data->value_count, err));
    const int64_t level_size = (int64_t)data->definition_size + data->repetition_size;
    if (data->definition_size < 0 || data->repetition_size < 0 ||
        level_size > header->compressed_size || level_size > header->uncompressed_size) {
        return FAIL(err, FIRN_CORRUPT, "levels of %d and %d bytes in a page of %d",
                    data->repetition_size, data->definition_size, header->compressed_size);
    }
    if (data->row_count < 0 || data->row_count > data->value_count || data->null_count < 0 ||
        data->null_count > data->value_count) {
        return FAIL(err, FIRN_CORRUPT, "page of %d values with %d rows and %d NULLs",
                    data->value_count, data->row_count, data->null_count);
    }
    out->type = PQ_PAGE_DATA;
    out->is_v2 = true;
    out->is_compressed = !pq_data_page_header_v2_has_is_compressed(data) || data->is_compressed;
    out->value_count = (uint32_t)data->value_count;
    out->row_count = (uint32_t)data->row_count;
    out->encoding = data->encoding;
    out->definition_size = (uint32_t)data->definition_size;
    out->repetition_size = (uint32_t)data->repetition_size;
    out->statistics = data->statistics;
    return FIRN_OK;
}

static firn_status read_dictionary_page(const pq_page_header *header, pq_page *out,
                                        firn_error *err) {
    if (!pq_page_header_has_dictionary(header)) {
        return FAIL(err, FIRN_CORRUPT, "dictionary page without its header");
    }
    TRY(check_counts(header, header->dictionary.value_count, err));
    out->value_count = (uint32_t)header->dictionary.value_count;
    out->encoding = header->dictionary.encoding;
    return FIRN_OK;
}

firn_status pq_page_header_read(bytes input, pq_page *out, bool *is_short, firn_error *err) {
    pq_page_header header;
    arena none = arena_open(0); // A page header holds no list.
    byte_reader in = reader_open(input);
    const firn_status status = pq_thrift_read(&in, &pq_page_header_table, &header, &none, err);
    *is_short = status != FIRN_OK && input.size < PQ_PAGE_HEADER_SIZE_MAX;
    if (status != FIRN_OK) {
        return status;
    }
    *out = (pq_page){
        .type = (pq_page_type)header.type,
        .is_compressed = true,
        .has_crc = pq_page_header_has_crc(&header),
        .crc = (uint32_t)header.crc,
        .header_size = (uint32_t)(input.size - reader_left(&in)),
        .body_size = (uint32_t)header.compressed_size,
        .plain_size = (uint32_t)header.uncompressed_size,
    };
    switch (header.type) {
    case PQ_PAGE_DATA:
        return read_data_page(&header, out, err);
    case PQ_PAGE_DATA_V2:
        return read_data_page_v2(&header, out, err);
    case PQ_PAGE_DICTIONARY:
        return read_dictionary_page(&header, out, err);
    default: // Index pages and whatever comes later hold no values: the reader passes over them.
        out->type = PQ_PAGE_INDEX;
        return check_counts(&header, 0, err);
    }
}

// ---- Indexes ------------------------------------------------------------------------------------

firn_status pq_offset_index_read(bytes input, uint64_t file_size, uint64_t row_count, arena *memory,
                                 pq_offset_index *out, firn_error *err) {
    byte_reader in = reader_open(input);
    TRY(pq_thrift_read(&in, &pq_offset_index_table, out, memory, err));
    int64_t end = 0;
    int64_t row = -1;
    for (size_t i = 0; i < out->pages.count; i++) {
        const pq_page_location *page = &out->pages.items[i];
        const bool is_inside = page->offset >= end && page->size >= 0 &&
                               (uint64_t)page->offset <= file_size &&
                               (uint64_t)page->size <= file_size - (uint64_t)page->offset;
        // Pages of nested columns may hold no row start, so first rows may repeat.
        if (!is_inside || page->first_row < row || (i == 0 && page->first_row != 0) ||
            (uint64_t)page->first_row > row_count) {
            return FAIL(err, FIRN_CORRUPT,
                        "offset index: page %zu of %d bytes at %lld begins at row %lld", i,
                        page->size, (long long)page->offset, (long long)page->first_row);
        }
        end = page->offset + page->size;
        row = page->first_row;
    }
    return FIRN_OK;
}

firn_status pq_column_index_read(bytes input, size_t page_count, arena *memory,
                                 pq_column_index *out, firn_error *err) {
    byte_reader in = reader_open(input);
    TRY(pq_thrift_read(&in, &pq_column_index_table, out, memory, err));
    const bool has_nulls = pq_column_index_has_null_counts(out);
    const bool has_nans = pq_column_index_has_nan_counts(out);
    if (out->null_pages.count != page_count || out->min_values.count != page_count ||
        out->max_values.count != page_count ||
        (has_nulls && out->null_counts.count != page_count) ||
        (has_nans && out->nan_counts.count != page_count)) {
        return FAIL(err, FIRN_CORRUPT, "column index of %zu pages, the offset index has %zu",
                    out->null_pages.count, page_count);
    }
    return FIRN_OK;
}

firn_status pq_bloom_header_read(bytes input, pq_bloom_header *out, size_t *bitset,
                                 firn_error *err) {
    arena none = arena_open(0); // It holds no list.
    byte_reader in = reader_open(input);
    TRY(pq_thrift_read(&in, &pq_bloom_header_table, out, &none, err));
    if (!pq_bloom_algorithm_has_split_block(&out->algorithm) ||
        !pq_bloom_hash_has_xxhash(&out->hash) ||
        !pq_bloom_compression_has_uncompressed(&out->compression)) {
        return FAIL(err, FIRN_UNSUPPORTED, "bloom filter of an unknown kind");
    }
    if (out->size < BLOOM_BLOCK_SIZE || out->size > BLOOM_SIZE_MAX ||
        out->size % BLOOM_BLOCK_SIZE != 0) {
        return FAIL(err, FIRN_CORRUPT, "bloom filter of %d bytes", out->size);
    }
    *bitset = input.size - reader_left(&in);
    return FIRN_OK;
}
