#include "formats/parquet/write/pw_file.h"

#include <string.h>

#include "formats/parquet/pq_thrift.h"
#include "formats/parquet/write/pw_statistics.h"
#include "memory/arena_grow.h"

#define WRITE_BYTES (UINT32_C(1) << 20) // Pages are gathered, for stores count their writes.

static const uint8_t magic[4] = {'P', 'A', 'R', '1'};

typedef struct kept_chunk {
    bytes metadata; // pq_written_metadata, encoded.
    bytes column_index;
    bytes offset_index;
} kept_chunk;

typedef struct kept_group {
    pq_written_group group;
    kept_chunk *chunks;
} kept_group;

// What the file has of a leaf so far: statistics that grow by chunk.
typedef struct leaf_total {
    uint64_t size;
    uint64_t entry_count;
    uint64_t null_count;
    uint64_t nan_count;
    bool is_unknown_below; // A chunk with values had no bound.
    bool is_unknown_above;
    bool has_minimum;
    bool has_maximum;
    byte_output minimum;
    byte_output maximum;
} leaf_total;

struct pw_file {
    arena memory;  // Holds the file itself and what the footer will have.
    arena scratch; // Of one call.
    const pw_schema *schema;
    const pw_options *options;
    io_writer *writer;
    uint64_t size;
    uint8_t *buffer;
    size_t buffered;
    uint64_t row_count;
    uint32_t group_count;
    uint32_t group_capacity;
    kept_group *groups;
    leaf_total *leaves;
    pw_report report;
};

static firn_status flush(pw_file *self, firn_error *err) {
    const bytes content = {.data = self->buffer, .size = self->buffered};
    self->buffered = 0;
    return content.size == 0 ? FIRN_OK : io_writer_write(self->writer, content, err);
}

static firn_status put(pw_file *self, bytes content, firn_error *err) {
    self->size += content.size;
    if (content.size > WRITE_BYTES - self->buffered) {
        TRY(flush(self, err));
    }
    if (content.size > WRITE_BYTES) {
        return io_writer_write(self->writer, content, err);
    }
    if (content.size > 0) {
        memcpy(self->buffer + self->buffered, content.data, content.size);
        self->buffered += content.size;
    }
    return FIRN_OK;
}

firn_status pw_file_open(io_writer *writer, const pw_schema *schema, const pw_options *options,
                         pool *owner, pw_file **out, firn_error *err) {
    arena memory = arena_open_in(owner, SIZE_MAX);
    const size_t leaf_count = schema->tree->leaf_count;
    pw_file *self = ARENA_NEW(&memory, pw_file, 1);
    uint8_t *buffer = ARENA_NEW(&memory, uint8_t, WRITE_BYTES);
    leaf_total *leaves = ARENA_NEW(&memory, leaf_total, leaf_count + 1);
    if (self == NULL || buffer == NULL || leaves == NULL) {
        const firn_status status = ARENA_FULL(&memory, err);
        io_writer_close(writer);
        arena_close(&memory);
        return status;
    }
    *self = (pw_file){
        .memory = memory,
        .scratch = arena_open_in(owner, SIZE_MAX),
        .schema = schema,
        .options = options,
        .writer = writer,
        .buffer = buffer,
        .leaves = leaves,
    };
    for (size_t i = 0; i < leaf_count; i++) {
        leaves[i] = (leaf_total){.minimum = {.memory = &self->memory},
                                 .maximum = {.memory = &self->memory}};
    }
    const firn_status status = put(self, (bytes){.data = magic, .size = sizeof magic}, err);
    if (status != FIRN_OK) {
        pw_file_close(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

void pw_file_close(pw_file *self) {
    if (self == NULL) {
        return;
    }
    io_writer_close(self->writer);
    arena_close(&self->scratch);
    arena memory = self->memory; // The file lies in it.
    arena_close(&memory);
}

uint64_t pw_file_size(const pw_file *self) {
    return self->size;
}

// ---- Row groups --------------------------------------------------------------------------------

// In `scratch`.
static firn_status encode(pw_file *self, const pq_thrift_struct *type, const void *value,
                          bytes *out, firn_error *err) {
    byte_output encoded = {.memory = &self->scratch};
    TRY(pq_thrift_write(&encoded, type, value, err));
    *out = (bytes){.data = encoded.data, .size = encoded.size};
    return FIRN_OK;
}

// Copies what was encoded to where it stays.
static firn_status keep(pw_file *self, bytes *content, firn_error *err) {
    uint8_t *copy = ARENA_NEW(&self->memory, uint8_t, content->size + 1);
    if (copy == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    if (content->size > 0) {
        memcpy(copy, content->data, content->size);
    }
    content->data = copy;
    return FIRN_OK;
}

static pq_codec stored_codec(codec self) {
    switch ((int)self) {
    case CODEC_SNAPPY:
        return PQ_CODEC_SNAPPY;
    case CODEC_GZIP:
        return PQ_CODEC_GZIP;
    case CODEC_ZSTD:
        return PQ_CODEC_ZSTD;
    case CODEC_LZ4:
        return PQ_CODEC_LZ4_RAW;
    default:
        return PQ_CODEC_UNCOMPRESSED; // pw_options_check lets no other one through.
    }
}

static pq_statistics stored_statistics(const pq_bounds *bounds) {
    pq_statistics out = {.null_count = (int64_t)bounds->null_count,
                         .max_value = bounds->maximum,
                         .min_value = bounds->minimum,
                         .is_max_value_exact = bounds->maximum_is_exact,
                         .is_min_value_exact = bounds->minimum_is_exact};
    if (bounds->has_null_count) {
        pq_statistics_set_null_count(&out);
    }
    if (bounds->has_maximum) {
        pq_statistics_set_max_value(&out);
        pq_statistics_set_is_max_value_exact(&out);
    }
    if (bounds->has_minimum) {
        pq_statistics_set_min_value(&out);
        pq_statistics_set_is_min_value_exact(&out);
    }
    return out;
}

// Pages one behind the other; where each lies.
static firn_status put_pages(pw_file *self, const pw_chunk_result *chunk, bytes *offset_index,
                             firn_error *err) {
    pq_page_location *places =
        ARENA_NEW(&self->scratch, pq_page_location, (size_t)chunk->page_count + 1);
    if (places == NULL) {
        return ARENA_FULL(&self->scratch, err);
    }
    int64_t row = 0;
    for (uint32_t i = 0; i < chunk->page_count; i++) {
        const pw_written_page *page = &chunk->pages[i];
        places[i] = (pq_page_location){
            .offset = (int64_t)self->size, .size = (int32_t)page->content.size, .first_row = row};
        pq_page_location_set_offset(&places[i]);
        pq_page_location_set_size(&places[i]);
        pq_page_location_set_first_row(&places[i]);
        row += page->row_count;
        TRY(put(self, page->content, err));
    }
    *offset_index = (bytes){0};
    if (!self->options->has_page_index) {
        return FIRN_OK;
    }
    pq_offset_index index = {.pages = {.count = chunk->page_count, .items = places}};
    pq_offset_index_set_pages(&index);
    TRY(encode(self, &pq_offset_index_table, &index, offset_index, err));
    return keep(self, offset_index, err);
}

static firn_status put_bloom(pw_file *self, bytes bitset, firn_error *err) {
    pq_bloom_header header = {.size = (int32_t)bitset.size};
    pq_bloom_algorithm_set_split_block(&header.algorithm);
    pq_bloom_hash_set_xxhash(&header.hash);
    pq_bloom_compression_set_uncompressed(&header.compression);
    pq_bloom_header_set_size(&header);
    pq_bloom_header_set_algorithm(&header);
    pq_bloom_header_set_hash(&header);
    pq_bloom_header_set_compression(&header);
    bytes head;
    TRY(encode(self, &pq_bloom_header_table, &header, &head, err));
    TRY(put(self, head, err));
    return put(self, bitset, err);
}

// Lists of the metadata that are as long as the path, and as there are encodings.
static firn_status list_names(pw_file *self, const pw_path *path, pq_list_BINARY *out,
                              firn_error *err) {
    out->count = path->count;
    out->items = ARENA_NEW(&self->scratch, bytes, (size_t)path->count + 1);
    if (out->items == NULL) {
        return ARENA_FULL(&self->scratch, err);
    }
    for (uint32_t i = 0; i < path->count; i++) {
        out->items[i] = bytes_of_text(path->names[i]);
    }
    return FIRN_OK;
}

// Levels have RLE, the dictionary PLAIN.
static uint32_t list_encodings(const pw_chunk_result *chunk, int32_t out[PW_ENCODING_COUNT]) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < PW_ENCODING_COUNT; i++) {
        if (chunk->pages_of[i] > 0 || i == PQ_ENCODING_RLE ||
            (i == PQ_ENCODING_PLAIN && chunk->dictionary_page.size > 0)) {
            out[count++] = (int32_t)i;
        }
    }
    return count;
}

static pq_page_encoding_statistics count_pages(pq_page_type type, uint32_t encoding,
                                               uint32_t count) {
    pq_page_encoding_statistics out = {
        .page_type = (int32_t)type, .encoding = (int32_t)encoding, .count = (int32_t)count};
    pq_page_encoding_statistics_set_page_type(&out);
    pq_page_encoding_statistics_set_encoding(&out);
    pq_page_encoding_statistics_set_count(&out);
    return out;
}

// How many pages have which encoding.
static uint32_t list_pages(const pw_chunk_result *chunk,
                           pq_page_encoding_statistics out[PW_ENCODING_COUNT + 1]) {
    uint32_t count = 0;
    if (chunk->dictionary_page.size > 0) {
        out[count++] = count_pages(PQ_PAGE_DICTIONARY, PQ_ENCODING_PLAIN, 1);
    }
    for (uint32_t i = 0; i < PW_ENCODING_COUNT; i++) {
        if (chunk->pages_of[i] > 0) {
            out[count++] = count_pages(PQ_PAGE_DATA, i, chunk->pages_of[i]);
        }
    }
    return count;
}

static firn_status add_bound(byte_output *kept, bool *has, bytes bound, const pq_leaf *leaf,
                             int sign, firn_error *err) {
    if (*has && pw_statistics_compare(leaf, bound, byte_output_bytes(kept)) * sign <= 0) {
        return FIRN_OK;
    }
    *has = true;
    kept->size = 0;
    return byte_output_put(kept, bound) ? FIRN_OK : BYTE_OUTPUT_FULL(kept, err);
}

static firn_status add_totals(pw_file *self, uint32_t leaf, const pw_chunk_result *chunk,
                              firn_error *err) {
    leaf_total *total = &self->leaves[leaf];
    const pq_leaf *of = &self->schema->tree->leaves[leaf];
    const pq_bounds *bounds = &chunk->bounds;
    const bool has_values = chunk->entry_count > chunk->null_count;
    total->size += chunk->size;
    total->entry_count += chunk->entry_count;
    total->null_count += chunk->null_count;
    total->nan_count += bounds->nan_count;
    total->is_unknown_below |= has_values && !bounds->has_minimum;
    total->is_unknown_above |= has_values && !bounds->has_maximum;
    if (bounds->has_minimum) {
        TRY(add_bound(&total->minimum, &total->has_minimum, bounds->minimum, of, -1, err));
    }
    if (bounds->has_maximum) {
        TRY(add_bound(&total->maximum, &total->has_maximum, bounds->maximum, of, 1, err));
    }
    return FIRN_OK;
}

static firn_status put_chunk(pw_file *self, uint32_t leaf, const pw_chunk_result *chunk,
                             pq_written_metadata *metadata, kept_chunk *kept, firn_error *err) {
    const int64_t start = (int64_t)self->size;
    *metadata = (pq_written_metadata){
        .type = (int32_t)self->schema->tree->leaves[leaf].type,
        .codec = (int32_t)stored_codec(chunk->codec),
        .value_count = (int64_t)chunk->entry_count,
        .uncompressed_size = (int64_t)chunk->uncompressed_size,
        .compressed_size = (int64_t)chunk->size,
        .data_page_offset = start + (int64_t)chunk->dictionary_page.size,
        .dictionary_page_offset = start,
        .statistics = stored_statistics(&chunk->bounds),
    };
    *kept = (kept_chunk){.column_index = {0}};
    TRY(put(self, chunk->dictionary_page, err));
    TRY(put_pages(self, chunk, &kept->offset_index, err));
    if (self->options->has_page_index && chunk->column_index.size > 0) {
        kept->column_index = chunk->column_index;
        TRY(keep(self, &kept->column_index, err));
    }
    pq_written_metadata_set_type(metadata);
    pq_written_metadata_set_encodings(metadata);
    pq_written_metadata_set_path(metadata);
    pq_written_metadata_set_codec(metadata);
    pq_written_metadata_set_value_count(metadata);
    pq_written_metadata_set_uncompressed_size(metadata);
    pq_written_metadata_set_compressed_size(metadata);
    pq_written_metadata_set_data_page_offset(metadata);
    pq_written_metadata_set_page_encodings(metadata);
    if (chunk->dictionary_page.size > 0) {
        pq_written_metadata_set_dictionary_page_offset(metadata);
    }
    if (metadata->statistics.present != 0) {
        pq_written_metadata_set_statistics(metadata);
    }
    return add_totals(self, leaf, chunk, err);
}

static firn_status encode_metadata(pw_file *self, uint32_t leaf, const pw_chunk_result *chunk,
                                   pq_written_metadata *metadata, bytes *out, firn_error *err) {
    int32_t encodings[PW_ENCODING_COUNT];
    pq_page_encoding_statistics pages[PW_ENCODING_COUNT + 1];
    metadata->encodings.count = list_encodings(chunk, encodings);
    metadata->encodings.items = encodings;
    metadata->page_encodings.count = list_pages(chunk, pages);
    metadata->page_encodings.items = pages;
    TRY(list_names(self, &self->schema->leaf_paths[leaf], &metadata->path, err));
    TRY(encode(self, &pq_written_metadata_table, metadata, out, err));
    return keep(self, out, err);
}

static firn_status keep_sorting(pw_file *self, pq_written_group *group, firn_error *err) {
    const uint32_t count = self->options->sorting_count;
    if (count == 0) {
        return FIRN_OK;
    }
    pq_sorting_column *items = ARENA_NEW(&self->memory, pq_sorting_column, count);
    if (items == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        const pw_sorting *key = &self->options->sorting[i];
        items[i] = (pq_sorting_column){.leaf = (int32_t)key->leaf,
                                       .is_descending = key->is_descending,
                                       .is_nulls_first = key->nulls_first};
        pq_sorting_column_set_leaf(&items[i]);
        pq_sorting_column_set_is_descending(&items[i]);
        pq_sorting_column_set_is_nulls_first(&items[i]);
    }
    group->sorting = (pq_sorting_column_list){.count = count, .items = items};
    pq_written_group_set_sorting(group);
    return FIRN_OK;
}

firn_status pw_file_add(pw_file *self, const pw_group *group, firn_error *err) {
    const uint32_t leaf_count = group->leaf_count;
    if (group->row_count == 0) { // Some readers stumble over a group without rows.
        return FIRN_OK;
    }
    arena_reset(&self->scratch);
    kept_group kept = {.chunks = ARENA_NEW(&self->memory, kept_chunk, (size_t)leaf_count + 1)};
    pq_written_metadata *metadata =
        ARENA_NEW(&self->scratch, pq_written_metadata, (size_t)leaf_count + 1);
    kept_group *grown = ARENA_GROW(&self->memory, kept_group, self->groups, self->group_count, 1,
                                   &self->group_capacity);
    if (metadata == NULL) {
        return ARENA_FULL(&self->scratch, err);
    }
    if (kept.chunks == NULL || grown == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    self->groups = grown;
    kept.group = (pq_written_group){.row_count = (int64_t)group->row_count,
                                    .file_offset = (int64_t)self->size};
    for (uint32_t i = 0; i < leaf_count; i++) {
        const pw_chunk_result *chunk = group->results[i];
        TRY(put_chunk(self, i, chunk, &metadata[i], &kept.chunks[i], err));
        kept.group.uncompressed_size += (int64_t)chunk->uncompressed_size;
        kept.group.compressed_size += (int64_t)chunk->size;
    }
    for (uint32_t i = 0; i < leaf_count; i++) {
        const pw_chunk_result *chunk = group->results[i];
        if (chunk->bloom.size > 0) {
            metadata[i].bloom_offset = (int64_t)self->size;
            TRY(put_bloom(self, chunk->bloom, err));
            metadata[i].bloom_size = (int32_t)((int64_t)self->size - metadata[i].bloom_offset);
            pq_written_metadata_set_bloom_offset(&metadata[i]);
            pq_written_metadata_set_bloom_size(&metadata[i]);
        }
        TRY(encode_metadata(self, i, chunk, &metadata[i], &kept.chunks[i].metadata, err));
    }
    pq_written_group_set_columns(&kept.group);
    pq_written_group_set_uncompressed_size(&kept.group);
    pq_written_group_set_row_count(&kept.group);
    pq_written_group_set_file_offset(&kept.group);
    pq_written_group_set_compressed_size(&kept.group);
    if (self->group_count <= INT16_MAX) { // More of them have no number.
        kept.group.ordinal = (int16_t)self->group_count;
        pq_written_group_set_ordinal(&kept.group);
    }
    TRY(keep_sorting(self, &kept.group, err));
    self->groups[self->group_count++] = kept;
    self->row_count += group->row_count;
    return FIRN_OK;
}

// ---- The end -----------------------------------------------------------------------------------

// Indexes of all chunks, and the chunks with the places of theirs.
static firn_status put_indexes(pw_file *self, firn_error *err) {
    const size_t leaf_count = self->schema->tree->leaf_count;
    for (uint32_t g = 0; g < self->group_count; g++) {
        kept_group *group = &self->groups[g];
        pq_written_chunk *chunks = ARENA_NEW(&self->memory, pq_written_chunk, leaf_count + 1);
        if (chunks == NULL) {
            return ARENA_FULL(&self->memory, err);
        }
        for (size_t i = 0; i < leaf_count; i++) {
            const kept_chunk *kept = &group->chunks[i];
            chunks[i] = (pq_written_chunk){.metadata = kept->metadata};
            pq_written_chunk_set_file_offset(&chunks[i]);
            pq_written_chunk_set_metadata(&chunks[i]);
            if (kept->column_index.size > 0) {
                chunks[i].column_index_offset = (int64_t)self->size;
                chunks[i].column_index_size = (int32_t)kept->column_index.size;
                pq_written_chunk_set_column_index_offset(&chunks[i]);
                pq_written_chunk_set_column_index_size(&chunks[i]);
                TRY(put(self, kept->column_index, err));
            }
        }
        group->group.columns = (pq_written_chunk_list){.count = leaf_count, .items = chunks};
    }
    for (uint32_t g = 0; g < self->group_count; g++) {
        for (size_t i = 0; i < leaf_count; i++) {
            const kept_chunk *kept = &self->groups[g].chunks[i];
            pq_written_chunk *chunk = &self->groups[g].group.columns.items[i];
            if (kept->offset_index.size > 0) {
                chunk->offset_index_offset = (int64_t)self->size;
                chunk->offset_index_size = (int32_t)kept->offset_index.size;
                pq_written_chunk_set_offset_index_offset(chunk);
                pq_written_chunk_set_offset_index_size(chunk);
                TRY(put(self, kept->offset_index, err));
            }
        }
    }
    return FIRN_OK;
}

static firn_status put_footer(pw_file *self, firn_error *err) {
    arena_reset(&self->scratch);
    const size_t leaf_count = self->schema->tree->leaf_count;
    const uint32_t key_count = self->options->key_value_count;
    pq_written_group *groups =
        ARENA_NEW(&self->scratch, pq_written_group, (size_t)self->group_count + 1);
    pq_column_order *orders = ARENA_NEW(&self->scratch, pq_column_order, leaf_count + 1);
    pq_key_value *keys = ARENA_NEW(&self->scratch, pq_key_value, (size_t)key_count + 1);
    if (groups == NULL || orders == NULL || keys == NULL) {
        return ARENA_FULL(&self->scratch, err);
    }
    for (uint32_t i = 0; i < self->group_count; i++) {
        groups[i] = self->groups[i].group;
    }
    for (size_t i = 0; i < leaf_count; i++) {
        orders[i] = (pq_column_order){0};
        pq_column_order_set_type_defined(&orders[i]);
    }
    for (uint32_t i = 0; i < key_count; i++) {
        keys[i] = (pq_key_value){.key = bytes_of_text(self->options->key_values[i].key),
                                 .value = bytes_of_text(self->options->key_values[i].value)};
        pq_key_value_set_key(&keys[i]);
        pq_key_value_set_value(&keys[i]);
    }
    pq_written_file file = {
        .version = 2,
        .schema = self->schema->elements,
        .row_count = (int64_t)self->row_count,
        .row_groups = {.count = self->group_count, .items = groups},
        .key_values = {.count = key_count, .items = keys},
        .created_by = bytes_of_text(self->options->created_by),
        .column_orders = {.count = leaf_count, .items = orders},
    };
    pq_written_file_set_version(&file);
    pq_written_file_set_schema(&file);
    pq_written_file_set_row_count(&file);
    pq_written_file_set_row_groups(&file);
    pq_written_file_set_column_orders(&file);
    if (file.created_by.size > 0) {
        pq_written_file_set_created_by(&file);
    }
    if (key_count > 0) {
        pq_written_file_set_key_values(&file);
    }
    bytes footer;
    TRY(encode(self, &pq_written_file_table, &file, &footer, err));
    if (footer.size > INT32_MAX) {
        return FAIL(err, FIRN_INVALID, "a Parquet footer of %zu bytes, there are at most %d",
                    footer.size, INT32_MAX);
    }
    const uint32_t size = (uint32_t)footer.size;
    TRY(put(self, footer, err));
    TRY(put(self, (bytes){.data = (const uint8_t *)&size, .size = sizeof size}, err));
    return put(self, (bytes){.data = magic, .size = sizeof magic}, err);
}

static firn_status make_report(pw_file *self, firn_error *err) {
    const size_t leaf_count = self->schema->tree->leaf_count;
    pw_leaf_report *leaves = ARENA_NEW(&self->memory, pw_leaf_report, leaf_count + 1);
    int64_t *offsets = ARENA_NEW(&self->memory, int64_t, (size_t)self->group_count + 1);
    if (leaves == NULL || offsets == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (size_t i = 0; i < leaf_count; i++) {
        const leaf_total *total = &self->leaves[i];
        leaves[i] = (pw_leaf_report){.size = total->size,
                                     .entry_count = total->entry_count,
                                     .null_count = total->null_count,
                                     .nan_count = total->nan_count,
                                     .has_minimum = total->has_minimum && !total->is_unknown_below,
                                     .has_maximum = total->has_maximum && !total->is_unknown_above,
                                     .minimum = byte_output_bytes(&total->minimum),
                                     .maximum = byte_output_bytes(&total->maximum)};
    }
    for (uint32_t i = 0; i < self->group_count; i++) {
        offsets[i] = self->groups[i].group.file_offset;
    }
    self->report = (pw_report){.size = self->size,
                               .row_count = self->row_count,
                               .group_count = self->group_count,
                               .group_offsets = offsets,
                               .leaf_count = (uint32_t)leaf_count,
                               .leaves = leaves};
    return FIRN_OK;
}

firn_status pw_file_finish(pw_file *self, const pw_report **out, firn_error *err) {
    TRY(put_indexes(self, err));
    TRY(put_footer(self, err));
    TRY(flush(self, err));
    TRY(make_report(self, err));
    TRY(io_writer_finish(self->writer, err));
    if (out != NULL) {
        *out = &self->report;
    }
    return FIRN_OK;
}
