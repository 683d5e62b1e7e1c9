// Small Parquet files made in memory, for test files: flat columns of numbers or texts whose values
// are a function of the row, with the indexes and the pages that a test asks for.
//
//     const pq_sample_column columns[] = {{.name = "n", .type = PQ_INT64, .value = row_itself}};
//     const pq_sample sample = {.columns = columns, .column_count = 1, .row_count = 1000};
//     bytes file = pq_sample_make(&sample, &memory);
//
// Aborts when the arena is full.
#ifndef FIRN_FORMATS_PARQUET_PQ_SAMPLE_H
#define FIRN_FORMATS_PARQUET_PQ_SAMPLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/codec.h"
#include "formats/parquet/pq_bloom.h"
#include "formats/parquet/pq_metadata.h"
#include "formats/parquet/pq_thrift.h"

#define PQ_SAMPLE_NULL INT64_MIN
#define PQ_SAMPLE_BLOOM_BYTES 1024

typedef struct pq_sample_column {
    const char *name;
    pq_type type;                   // PQ_INT64, or PQ_BYTE_ARRAY: the number in decimal as VARCHAR.
    int64_t (*value)(uint64_t row); // PQ_SAMPLE_NULL is NULL.
    pq_codec codec;
    uint32_t page_rows; // 0: one page a row group.
    bool has_dictionary;
    bool has_statistics;
    bool has_index; // Column and offset index.
    bool has_bloom;
} pq_sample_column;

typedef struct pq_sample {
    const pq_sample_column *columns;
    uint32_t column_count;
    uint64_t row_count;
    uint64_t group_rows; // 0: one row group.
} pq_sample;

// What a file is put together from; `group` is the one that is written.
typedef struct pq_sample_writer {
    const pq_sample *sample;
    arena *memory;
    byte_output out;
    codec_scratch codecs;
} pq_sample_writer;

// The entries of some rows: levels, and values that are there.
typedef struct pq_sample_page {
    uint64_t from;
    uint64_t to;
    uint32_t nulls;
    int64_t minimum; // Of numbers.
    int64_t maximum;
    bytes least; // As statistics store them.
    bytes greatest;
} pq_sample_page;

static inline void pq_sample_must(bool condition) {
    if (!condition) {
        abort();
    }
}

static inline bytes pq_sample_text(const char *content) {
    return (bytes){.data = (const uint8_t *)content, .size = strlen(content)};
}

static inline void pq_sample_put(byte_output *out, const void *data, size_t size) {
    pq_sample_must(byte_output_put(out, (bytes){.data = data, .size = size}));
}

static inline void pq_sample_write(byte_output *out, const pq_thrift_struct *type,
                                   const void *value) {
    firn_error err = ERR_INIT;
    pq_sample_must(pq_thrift_write(out, type, value, &err) == FIRN_OK);
}

// A structure for a LAZY member, and a list of one.
static inline bytes pq_sample_encoded(const pq_thrift_struct *type, const void *value,
                                      arena *memory) {
    byte_output out = {.memory = memory};
    pq_sample_write(&out, type, value);
    return (bytes){.data = out.data, .size = out.size};
}

static inline bytes pq_sample_encoded_list(const pq_thrift_struct *type, const void *value,
                                           arena *memory) {
    static const uint8_t list_of_one = 1 << 4 | 12;
    byte_output out = {.memory = memory};
    pq_sample_put(&out, &list_of_one, 1);
    pq_sample_write(&out, type, value);
    return (bytes){.data = out.data, .size = out.size};
}

// A value as PLAIN stores it, of texts without the size.
static inline bytes pq_sample_stored(const pq_sample_column *column, int64_t value, arena *memory) {
    char *room = ARENA_NEW(memory, char, 24);
    pq_sample_must(room != NULL);
    if (column->type == PQ_INT64) {
        memcpy(room, &value, sizeof value);
        return (bytes){.data = (const uint8_t *)room, .size = sizeof value};
    }
    (void)snprintf(room, 24, "%lld", (long long)value);
    return pq_sample_text(room);
}

static inline void pq_sample_put_value(const pq_sample_column *column, int64_t value,
                                       byte_output *out) {
    const bytes stored = pq_sample_stored(column, value, out->memory);
    const uint32_t size = (uint32_t)stored.size;
    if (column->type == PQ_BYTE_ARRAY) {
        pq_sample_put(out, &size, sizeof size);
    }
    pq_sample_put(out, stored.data, stored.size);
}

// One bit-packed run of `count` numbers of `width` bits.
static inline void pq_sample_put_run(const uint32_t *numbers, uint32_t count, uint32_t width,
                                     byte_output *out) {
    uint32_t head = (count + 7) / 8 << 1 | 1;
    const size_t size = (size_t)((count + 7) / 8) * width;
    for (; head >= 0x80; head >>= 7) {
        pq_sample_put(out, &(uint8_t){(uint8_t)(head & 0x7f) | 0x80}, 1);
    }
    pq_sample_put(out, &(uint8_t){(uint8_t)head}, 1);
    uint8_t *packed = ARENA_NEW(out->memory, uint8_t, size + 1);
    pq_sample_must(packed != NULL);
    memset(packed, 0, size + 1);
    for (size_t bit = 0; bit < (size_t)count * width; bit++) {
        const uint32_t is_set = numbers[bit / width] >> bit % width & 1;
        packed[bit / 8] = (uint8_t)(packed[bit / 8] | is_set << bit % 8);
    }
    pq_sample_put(out, packed, size);
}

static inline int64_t pq_sample_entry(const int64_t *entries, uint32_t count, int64_t value) {
    for (uint32_t i = 0; i < count; i++) {
        if (entries[i] == value) {
            return i;
        }
    }
    return -1;
}

// The different values of a row group, for its dictionary.
static inline uint32_t pq_sample_entries(const pq_sample_column *column, uint64_t from, uint64_t to,
                                         int64_t **out, arena *memory) {
    uint32_t count = 0;
    *out = ARENA_NEW(memory, int64_t, (size_t)(to - from) + 1);
    pq_sample_must(*out != NULL);
    for (uint64_t row = from; row < to; row++) {
        const int64_t value = column->value(row);
        if (value != PQ_SAMPLE_NULL && pq_sample_entry(*out, count, value) < 0) {
            (*out)[count++] = value;
        }
    }
    return count;
}

static inline void pq_sample_note(const pq_sample_column *column, pq_sample_page *page,
                                  int64_t value, arena *memory) {
    const bytes stored = pq_sample_stored(column, value, memory);
    if (column->type == PQ_INT64) {
        const bool is_first = page->least.data == NULL;
        page->least = is_first || value < page->minimum ? stored : page->least;
        page->greatest = is_first || value > page->maximum ? stored : page->greatest;
        page->minimum = is_first || value < page->minimum ? value : page->minimum;
        page->maximum = is_first || value > page->maximum ? value : page->maximum;
        return;
    }
    // Digits are never the start of one another in what tests ask of the bounds of texts.
    if (page->least.data == NULL ||
        strcmp((const char *)stored.data, (const char *)page->least.data) < 0) {
        page->least = stored;
    }
    if (page->greatest.data == NULL ||
        strcmp((const char *)stored.data, (const char *)page->greatest.data) > 0) {
        page->greatest = stored;
    }
}

// The body of a data page, before compression; fills in what is known of its rows.
static inline bytes pq_sample_body(const pq_sample_column *column, const int64_t *entries,
                                   uint32_t entry_count, pq_sample_page *page, arena *memory) {
    const uint32_t rows = (uint32_t)(page->to - page->from);
    byte_output out = {.memory = memory};
    byte_output levels = {.memory = memory};
    uint32_t *numbers = ARENA_NEW(memory, uint32_t, (size_t)rows + 1);
    uint32_t *codes = ARENA_NEW(memory, uint32_t, (size_t)rows + 1);
    pq_sample_must(numbers != NULL && codes != NULL);
    byte_output values = {.memory = memory};
    uint32_t present = 0;
    for (uint32_t i = 0; i < rows; i++) {
        const int64_t value = column->value(page->from + i);
        numbers[i] = value != PQ_SAMPLE_NULL;
        if (numbers[i] == 0) {
            page->nulls += 1;
            continue;
        }
        pq_sample_note(column, page, value, memory);
        if (column->has_dictionary) {
            codes[present] = (uint32_t)pq_sample_entry(entries, entry_count, value);
        } else {
            pq_sample_put_value(column, value, &values);
        }
        present += 1;
    }
    pq_sample_put_run(numbers, rows, 1, &levels);
    const uint32_t level_size = (uint32_t)levels.size;
    pq_sample_put(&out, &level_size, sizeof level_size);
    pq_sample_put(&out, levels.data, levels.size);
    if (column->has_dictionary) {
        uint32_t width = 1;
        for (; entry_count > UINT32_C(1) << width; width++) {
        }
        pq_sample_put(&out, &(uint8_t){(uint8_t)width}, 1);
        pq_sample_put_run(codes, present, width, &out);
    } else {
        pq_sample_put(&out, values.data, values.size);
    }
    return (bytes){.data = out.data, .size = out.size};
}

// Writes a page: its header with the sizes filled in, and its body.
static inline void pq_sample_put_page(pq_sample_writer *self, const pq_sample_column *column,
                                      pq_page_header header, bytes body) {
    bytes stored = body;
    if (column->codec == PQ_CODEC_SNAPPY) {
        firn_error err = ERR_INIT;
        codec_output encoded = {.capacity = codec_encoded_size_max(CODEC_SNAPPY, body.size)};
        encoded.data = ARENA_NEW(self->memory, uint8_t, encoded.capacity + 1);
        pq_sample_must(encoded.data != NULL);
        pq_sample_must(codec_encode(CODEC_SNAPPY, 0, body, &encoded, &self->codecs, &err) ==
                       FIRN_OK);
        stored = (bytes){.data = encoded.data, .size = encoded.size};
    }
    header.present |= 1 << 1 | 1 << 2 | 1 << 3;
    header.uncompressed_size = (int32_t)body.size;
    header.compressed_size = (int32_t)stored.size;
    pq_sample_write(&self->out, &pq_page_header_table, &header);
    pq_sample_put(&self->out, stored.data, stored.size);
}

static inline void pq_sample_put_dictionary(pq_sample_writer *self, const pq_sample_column *column,
                                            const int64_t *entries, uint32_t count) {
    byte_output body = {.memory = self->memory};
    for (uint32_t i = 0; i < count; i++) {
        pq_sample_put_value(column, entries[i], &body);
    }
    const pq_page_header header = {
        .present = 1 << 7,
        .type = PQ_PAGE_DICTIONARY,
        .dictionary = {.present = 1 << 1 | 1 << 2, .value_count = (int32_t)count}};
    pq_sample_put_page(self, column, header, (bytes){.data = body.data, .size = body.size});
}

static inline pq_page_header pq_sample_data_header(const pq_sample_column *column,
                                                   const pq_sample_page *page) {
    return (pq_page_header){.present = 1 << 5,
                            .type = PQ_PAGE_DATA,
                            .data = {.present = 0x1e,
                                     .value_count = (int32_t)(page->to - page->from),
                                     .encoding = column->has_dictionary ? PQ_ENCODING_RLE_DICTIONARY
                                                                        : PQ_ENCODING_PLAIN,
                                     .definition_encoding = PQ_ENCODING_RLE,
                                     .repetition_encoding = PQ_ENCODING_RLE}};
}

// Writes both indexes of a chunk and notes where.
static inline void pq_sample_put_indexes(pq_sample_writer *self, const pq_sample_page *pages,
                                         pq_page_location *places, uint32_t count,
                                         pq_column_chunk *chunk) {
    bool *null_pages = ARENA_NEW(self->memory, bool, (size_t)count + 1);
    bytes *least = ARENA_NEW(self->memory, bytes, (size_t)count + 1);
    bytes *greatest = ARENA_NEW(self->memory, bytes, (size_t)count + 1);
    int64_t *nulls = ARENA_NEW(self->memory, int64_t, (size_t)count + 1);
    pq_sample_must(null_pages != NULL && least != NULL && greatest != NULL && nulls != NULL);
    for (uint32_t i = 0; i < count; i++) {
        null_pages[i] = pages[i].nulls == pages[i].to - pages[i].from;
        least[i] = pages[i].least;
        greatest[i] = pages[i].greatest;
        nulls[i] = pages[i].nulls;
    }
    const pq_column_index index = {.present = 0x3e,
                                   .null_pages = {.count = count, .items = null_pages},
                                   .min_values = {.count = count, .items = least},
                                   .max_values = {.count = count, .items = greatest},
                                   .null_counts = {.count = count, .items = nulls}};
    const pq_offset_index offsets = {.present = 1 << 1, .pages = {.count = count, .items = places}};
    chunk->column_index_offset = (int64_t)self->out.size;
    pq_sample_write(&self->out, &pq_column_index_table, &index);
    chunk->column_index_size = (int32_t)((int64_t)self->out.size - chunk->column_index_offset);
    chunk->offset_index_offset = (int64_t)self->out.size;
    pq_sample_write(&self->out, &pq_offset_index_table, &offsets);
    chunk->offset_index_size = (int32_t)((int64_t)self->out.size - chunk->offset_index_offset);
    chunk->present |= 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7;
}

static inline void pq_sample_put_bloom(pq_sample_writer *self, const pq_sample_column *column,
                                       uint64_t from, uint64_t to, pq_column_chunk *chunk) {
    uint8_t bits[PQ_SAMPLE_BLOOM_BYTES] = {0};
    for (uint64_t row = from; row < to; row++) {
        const int64_t value = column->value(row);
        if (value != PQ_SAMPLE_NULL) {
            const bytes stored = pq_sample_stored(column, value, self->memory);
            pq_bloom_insert(bits, sizeof bits, pq_bloom_hash_of(stored));
        }
    }
    const pq_bloom_header header = {.present = 0x1e,
                                    .size = sizeof bits,
                                    .algorithm = {.present = 1 << 1},
                                    .hash = {.present = 1 << 1},
                                    .compression = {.present = 1 << 1}};
    chunk->metadata.bloom_offset = (int64_t)self->out.size;
    pq_sample_write(&self->out, &pq_bloom_header_table, &header);
    pq_sample_put(&self->out, bits, sizeof bits);
    chunk->metadata.bloom_size = (int32_t)((int64_t)self->out.size - chunk->metadata.bloom_offset);
    chunk->metadata.present |= 1 << 14 | 1 << 15;
}

static inline void pq_sample_put_chunk(pq_sample_writer *self, const pq_sample_column *column,
                                       uint64_t from, uint64_t to, pq_column_chunk *chunk) {
    const uint64_t page_rows = column->page_rows == 0 ? to - from : column->page_rows;
    const uint32_t count = (uint32_t)((to - from + page_rows - 1) / page_rows);
    int64_t *entries = NULL;
    uint32_t entry_count = 0;
    pq_sample_page *pages = ARENA_NEW(self->memory, pq_sample_page, (size_t)count + 1);
    pq_page_location *places = ARENA_NEW(self->memory, pq_page_location, (size_t)count + 1);
    pq_sample_must(pages != NULL && places != NULL);
    const pq_page_encoding_statistics encodings = {
        .present = 0xe,
        .page_type = PQ_PAGE_DATA,
        .encoding = column->has_dictionary ? PQ_ENCODING_RLE_DICTIONARY : PQ_ENCODING_PLAIN,
        .count = (int32_t)count};
    const int64_t start = (int64_t)self->out.size;
    if (column->has_dictionary) {
        entry_count = pq_sample_entries(column, from, to, &entries, self->memory);
        pq_sample_put_dictionary(self, column, entries, entry_count);
    }
    const int64_t data_start = (int64_t)self->out.size;
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t first = from + i * page_rows;
        const int64_t at = (int64_t)self->out.size;
        pages[i] =
            (pq_sample_page){.from = first, .to = first + page_rows < to ? first + page_rows : to};
        const bytes body = pq_sample_body(column, entries, entry_count, &pages[i], self->memory);
        pq_sample_put_page(self, column, pq_sample_data_header(column, &pages[i]), body);
        places[i] = (pq_page_location){.present = 0xe,
                                       .offset = at,
                                       .size = (int32_t)((int64_t)self->out.size - at),
                                       .first_row = (int64_t)(first - from)};
    }
    *chunk = (pq_column_chunk){
        .present = 1 << 2 | 1 << 3,
        .metadata = {.present = 0x2fe | 1 << 13 | (column->has_dictionary ? 1 << 11 : 0),
                     .type = (int32_t)column->type,
                     .codec = (int32_t)column->codec,
                     .value_count = (int64_t)(to - from),
                     .uncompressed_size = (int64_t)self->out.size - start,
                     .compressed_size = (int64_t)self->out.size - start,
                     .data_page_offset = data_start,
                     .dictionary_page_offset = start,
                     .page_encodings = pq_sample_encoded_list(&pq_page_encoding_statistics_table,
                                                              &encodings, self->memory)}};
    pq_sample_page all = {.from = from, .to = to};
    (void)pq_sample_body(column, entries, entry_count, &all, self->memory);
    if (column->has_statistics) {
        chunk->metadata.present |= 1 << 12;
        const pq_statistics statistics = {.present = 1 << 3 |
                                                     (all.least.data == NULL ? 0 : 1 << 5 | 1 << 6),
                                          .null_count = all.nulls,
                                          .max_value = all.greatest,
                                          .min_value = all.least};
        chunk->metadata.statistics =
            pq_sample_encoded(&pq_statistics_table, &statistics, self->memory);
    }
    if (column->has_index) {
        pq_sample_put_indexes(self, pages, places, count, chunk);
    }
    if (column->has_bloom) {
        pq_sample_put_bloom(self, column, from, to, chunk);
    }
}

static inline void pq_sample_put_footer(pq_sample_writer *self, pq_row_group *groups,
                                        uint32_t group_count) {
    const pq_sample *sample = self->sample;
    const uint32_t count = sample->column_count;
    pq_schema_element *elements = ARENA_NEW(self->memory, pq_schema_element, (size_t)count + 1);
    pq_column_order *orders = ARENA_NEW(self->memory, pq_column_order, (size_t)count + 1);
    pq_sample_must(elements != NULL && orders != NULL);
    elements[0] = (pq_schema_element){
        .present = 0x30, .name = pq_sample_text("schema"), .child_count = (int32_t)count};
    for (uint32_t i = 0; i < count; i++) {
        const bool is_text = sample->columns[i].type == PQ_BYTE_ARRAY;
        elements[i + 1] = (pq_schema_element){.present = 0x1a | (is_text ? 1 << 6 : 0),
                                              .type = (int32_t)sample->columns[i].type,
                                              .repetition = PQ_OPTIONAL,
                                              .name = pq_sample_text(sample->columns[i].name),
                                              .converted_type = PQ_CONVERTED_UTF8};
        orders[i] = (pq_column_order){.present = 1 << 1};
    }
    const pq_file_metadata file = {.present = 0x1e | 1 << 7,
                                   .version = 1,
                                   .schema = {.count = (size_t)count + 1, .items = elements},
                                   .row_count = (int64_t)sample->row_count,
                                   .row_groups = {.count = group_count, .items = groups},
                                   .column_orders = {.count = count, .items = orders}};
    const size_t start = self->out.size;
    pq_sample_write(&self->out, &pq_file_metadata_table, &file);
    const uint32_t size = (uint32_t)(self->out.size - start);
    pq_sample_put(&self->out, &size, sizeof size);
    pq_sample_put(&self->out, "PAR1", 4);
}

/// The bytes of a file, in `memory`.
static inline bytes pq_sample_make(const pq_sample *self, arena *memory) {
    pq_sample_writer writer = {.sample = self,
                               .memory = memory,
                               .out = {.memory = memory},
                               .codecs = codec_scratch_open((size_t)1 << 20)};
    const uint64_t group_rows = self->group_rows == 0 ? self->row_count : self->group_rows;
    const uint32_t count = (uint32_t)((self->row_count + group_rows - 1) / group_rows);
    pq_row_group *groups = ARENA_NEW(memory, pq_row_group, (size_t)count + 1);
    pq_sample_must(groups != NULL);
    pq_sample_put(&writer.out, "PAR1", 4);
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t from = i * group_rows;
        const uint64_t to =
            from + group_rows < self->row_count ? from + group_rows : self->row_count;
        pq_column_chunk *chunks = ARENA_NEW(memory, pq_column_chunk, self->column_count);
        pq_sample_must(chunks != NULL);
        for (uint32_t k = 0; k < self->column_count; k++) {
            pq_sample_put_chunk(&writer, &self->columns[k], from, to, &chunks[k]);
        }
        groups[i] = (pq_row_group){.present = 0xe,
                                   .columns = {.count = self->column_count, .items = chunks},
                                   .row_count = (int64_t)(to - from)};
    }
    pq_sample_put_footer(&writer, groups, count);
    codec_scratch_close(&writer.codecs);
    return (bytes){.data = writer.out.data, .size = writer.out.size};
}

#endif
