// Longer than most: putting, choosing and ending are one state. See the header.
#include "formats/parquet/write/pw_chunk.h"

#include <assert.h>
#include <string.h>

#include "formats/parquet/pq_thrift.h"
#include "formats/parquet/write/pw_bloom.h"
#include "formats/parquet/write/pw_dictionary.h"
#include "formats/parquet/write/pw_page.h"
#include "formats/parquet/write/pw_page_index.h"
#include "formats/parquet/write/pw_strings.h"
#include "memory/arena_grow.h"

#define PIECE_ENTRIES 1024 // Go to a page at once.
#define SAMPLE_BYTES_MAX (UINT64_C(2) << 20)
#define SAMPLE_BODIES 4    // That the codec of a chunk with dictionary is chosen by.
#define GROWN_SHARE 8      // Of a dictionary that hardly grows, what counts.
#define DICTIONARY_COST 95 // Percent: codes are worth something to readers.

// A page whose body is not in its final form yet, or is.
typedef struct held_page {
    bytes body; // Not compressed, in `raw`; or the final content, in `memory`.
    bool is_final;
    pq_encoding encoding;
    uint32_t row_count;
    uint32_t entry_count;
} held_page;

// A dictionary that comes in: the code of each of its entries that was met.
typedef struct source_codes {
    arena memory;
    uint64_t identity; // 0: none.
    pw_values entries;
    uint32_t *map;
} source_codes;

struct pw_chunk {
    const pw_options *options;
    const pw_leaf_options *leaf_options;
    const pq_leaf *leaf;
    arena memory; // Holds the chunk itself and all that is final.
    arena raw;    // Bodies that wait for the codec.
    arena coded;  // The dictionary.
    pw_page page;
    pw_dictionary *dictionary; // NULL: none, or given up.
    source_codes source;
    uint64_t *seen; // Entries that occur on the page; by code, `seen_size` of them.
    uint32_t seen_size;
    uint32_t half_entries; // Of the dictionary when the first page was half full.
    bool is_first;
    bool is_codec_known;
    bool is_compressed;
    bool has_otherwise; // `otherwise` was chosen.
    pq_encoding otherwise;
    uint32_t page_count;
    uint32_t page_capacity;
    held_page *pages;
    uint64_t held_size; // Of all pages.
    pw_statistics page_statistics;
    pw_statistics statistics;
    pw_page_index index;
    pw_bloom bloom;
    pw_chunk_result result;
};

static const pw_leaf_options *leaf_options_of(const pw_options *options, uint32_t leaf) {
    return options->leaves == NULL ? &options->leaf : &options->leaves[leaf];
}

firn_status pw_chunk_open(const pw_schema *schema, const pw_options *options, uint32_t leaf,
                          pool *owner, pw_chunk **out, firn_error *err) {
    arena memory = arena_open_in(owner, SIZE_MAX);
    pw_chunk *self = ARENA_NEW(&memory, pw_chunk, 1);
    if (self == NULL) {
        const firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    *self = (pw_chunk){.options = options,
                       .leaf_options = leaf_options_of(options, leaf),
                       .leaf = &schema->tree->leaves[leaf],
                       .memory = memory,
                       .raw = arena_open_in(owner, SIZE_MAX),
                       .coded = arena_open_in(owner, SIZE_MAX),
                       .page = pw_page_open(owner),
                       .source = {.memory = arena_open_in(owner, SIZE_MAX)},
                       .is_first = true};
    *out = self;
    self->page_statistics = pw_statistics_open(&self->memory);
    self->statistics = pw_statistics_open(&self->memory);
    self->index = pw_page_index_open(&self->memory, self->leaf, self->leaf_options->bound_bytes);
    const bool may_code = (self->leaf_options->encodings & PW_DICTIONARY) != 0 &&
                          self->leaf->type != PQ_BOOLEAN && options->dictionary_bytes > 0;
    pw_page_reset(&self->page, may_code);
    firn_status status = FIRN_OK;
    if (may_code) {
        status = pw_dictionary_open(&self->coded, self->leaf->type, self->leaf->width,
                                    options->dictionary_bytes, &self->dictionary, err);
    }
    if (status == FIRN_OK && self->leaf->type != PQ_BOOLEAN) {
        status = pw_bloom_open(options, self->leaf_options, &self->memory, &self->bloom, err);
    }
    if (status != FIRN_OK) {
        pw_chunk_close(self);
        *out = NULL;
    }
    return status;
}

void pw_chunk_close(pw_chunk *self) {
    if (self == NULL) {
        return;
    }
    pw_page_close(&self->page);
    arena_close(&self->source.memory);
    arena_close(&self->coded);
    arena_close(&self->raw);
    arena memory = self->memory; // The chunk lies in it.
    arena_close(&memory);
}

uint64_t pw_chunk_size(const pw_chunk *self) {
    const uint64_t codes = self->page.is_coded ? (uint64_t)self->page.value_count * 2 : 0;
    return self->held_size + self->page.plain_bytes + codes +
           (self->dictionary == NULL ? 0 : pw_dictionary_bytes(self->dictionary));
}

uint64_t pw_chunk_memory(const pw_chunk *self) {
    return self->memory.used + self->raw.used + self->coded.used + self->page.memory.used +
           self->source.memory.used;
}

// ---- Pages -------------------------------------------------------------------------------------

static firn_status hold(pw_chunk *self, const held_page *page, firn_error *err) {
    held_page *grown = ARENA_GROW(&self->memory, held_page, self->pages, self->page_count, 1,
                                  &self->page_capacity);
    if (grown == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    self->pages = grown;
    self->pages[self->page_count++] = *page;
    self->held_size += page->body.size;
    return FIRN_OK;
}

// A page header before a body, in `memory`.
static firn_status wrap(pw_chunk *self, pq_page_header *header, bytes body, bytes *out,
                        firn_error *err) {
    if (body.size > INT32_MAX || header->uncompressed_size < 0) {
        return FAIL(err, FIRN_INVALID, "a page of %zu bytes, a Parquet file has at most %d",
                    body.size, INT32_MAX);
    }
    header->compressed_size = (int32_t)body.size;
    pq_page_header_set_type(header);
    pq_page_header_set_uncompressed_size(header);
    pq_page_header_set_compressed_size(header);
    if (self->options->has_checksums) {
        const uint32_t crc = codec_crc32(body);
        memcpy(&header->crc, &crc, sizeof crc);
        pq_page_header_set_crc(header);
    }
    pq_thrift_output head = {.memory = &self->memory};
    TRY(pq_thrift_write(&head, &pq_page_header_table, header, err));
    uint8_t *content = ARENA_NEW(&self->memory, uint8_t, head.size + body.size + 1);
    if (content == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    memcpy(content, head.data, head.size);
    if (body.size > 0) {
        memcpy(content + head.size, body.data, body.size);
    }
    *out = (bytes){.data = content, .size = head.size + body.size};
    return FIRN_OK;
}

// The body as it lies in the file. It may be in the worker's scratch.
static firn_status packed(pw_chunk *self, bytes body, pw_worker *with, bytes *out,
                          firn_error *err) {
    *out = body;
    if (self->is_compressed) {
        byte_output to = {.memory = &with->scratch};
        TRY(pw_compress(self->options, body, &to, with, err));
        *out = byte_output_bytes(&to);
    }
    return FIRN_OK;
}

static firn_status make_final(pw_chunk *self, held_page *page, pw_worker *with, firn_error *err) {
    const arena_mark mark = arena_mark_take(&with->scratch);
    bytes body;
    TRY(packed(self, page->body, with, &body, err));
    pq_page_header header = {.type = PQ_PAGE_DATA,
                             .uncompressed_size =
                                 page->body.size > INT32_MAX ? -1 : (int32_t)page->body.size};
    header.data = (pq_data_page_header){.value_count = (int32_t)page->entry_count,
                                        .encoding = page->encoding,
                                        .definition_encoding = PQ_ENCODING_RLE,
                                        .repetition_encoding = PQ_ENCODING_RLE};
    pq_data_page_header_set_value_count(&header.data);
    pq_data_page_header_set_encoding(&header.data);
    pq_data_page_header_set_definition_encoding(&header.data);
    pq_data_page_header_set_repetition_encoding(&header.data);
    pq_page_header_set_data(&header);
    self->result.uncompressed_size += page->body.size;
    const size_t raw_size = page->body.size;
    TRY(wrap(self, &header, body, &page->body, err));
    self->result.uncompressed_size += page->body.size - body.size; // The header.
    self->held_size = self->held_size - raw_size + page->body.size;
    page->is_final = true;
    arena_rewind(&with->scratch, mark);
    return FIRN_OK;
}

// The dictionary as the body of its page, in the worker's scratch.
static firn_status dictionary_body(const pw_chunk *self, pw_worker *with, bytes *out,
                                   firn_error *err) {
    byte_output body = {.memory = &with->scratch};
    const pw_values entries = pw_dictionary_entries(self->dictionary);
    TRY(pw_put_plain(&body, &entries, err));
    *out = byte_output_bytes(&body);
    return FIRN_OK;
}

// By the dictionary and some of the pages together.
static firn_status choose_codec(pw_chunk *self, pw_worker *with, firn_error *err) {
    const arena_mark mark = arena_mark_take(&with->scratch);
    bytes sample;
    bool is_compressed;
    uint64_t before = 0;
    uint64_t after = 0;
    TRY(dictionary_body(self, with, &sample, err));
    for (uint32_t i = 0; i <= self->page_count && i <= SAMPLE_BODIES; i++) {
        uint64_t size;
        const pw_options measured = {.codec = self->options->codec,
                                     .codec_level = self->options->codec_level,
                                     .codec_choice = PW_CODEC_GIVEN};
        TRY(pw_choose_codec(&measured, sample, with, &is_compressed, &size, err));
        before += sample.size;
        after += size;
        if (i < self->page_count) {
            // A few of the pages, spread evenly.
            const uint32_t step = self->page_count / SAMPLE_BODIES;
            sample = self->pages[step < 2 ? i : i * step % self->page_count].body;
        }
    }
    arena_rewind(&with->scratch, mark);
    self->is_compressed =
        self->options->codec != CODEC_NONE &&
        (self->options->codec_choice == PW_CODEC_GIVEN || after <= before / 10 * 9);
    self->is_codec_known = true;
    return FIRN_OK;
}

// Once the codec is known: what waited for it.
static firn_status settle(pw_chunk *self, pw_worker *with, firn_error *err) {
    for (uint32_t i = 0; i < self->page_count; i++) {
        if (!self->pages[i].is_final) {
            TRY(make_final(self, &self->pages[i], with, err));
        }
    }
    arena_reset(&self->raw);
    arena_shrink(&self->raw);
    return FIRN_OK;
}

// ---- Choosing ----------------------------------------------------------------------------------

// So many of the first values that trying encodings on them takes little.
static uint32_t sample_count(const pw_values *values) {
    const uint64_t size = pw_plain_size(values);
    return size <= SAMPLE_BYTES_MAX
               ? values->count
               : (uint32_t)((double)values->count * SAMPLE_BYTES_MAX / (double)size) + 1;
}

static firn_status choose_otherwise(pw_chunk *self, const pw_values *values, pw_worker *with,
                                    pw_choice *out, firn_error *err) {
    pw_values sample = *values;
    sample.count = sample_count(values);
    TRY(pw_choose(self->options, self->leaf_options, &sample, with, out, err));
    self->otherwise = out->encoding;
    self->has_otherwise = true;
    return FIRN_OK;
}

// Whether codes are the best form of the first page's values, and so of the chunk's.
static firn_status is_coding_best(pw_chunk *self, const pw_values *values, pw_worker *with,
                                  pw_choice *other, bool *out, firn_error *err) {
    const arena_mark mark = arena_mark_take(&with->scratch);
    const uint32_t count = sample_count(values);
    byte_output codes = {.memory = &with->scratch};
    bytes entries;
    bool is_compressed;
    uint64_t codes_size;
    uint64_t entries_size;
    TRY(choose_otherwise(self, values, with, other, err));
    TRY(pw_encode_codes(pw_page_codes(&self->page), count, &codes, err));
    TRY(pw_choose_codec(self->options, byte_output_bytes(&codes), with, &is_compressed, &codes_size,
                        err));
    TRY(dictionary_body(self, with, &entries, err));
    TRY(pw_choose_codec(self->options, entries, with, &is_compressed, &entries_size, err));
    arena_rewind(&with->scratch, mark);
    const uint32_t entry_count = pw_dictionary_entries(self->dictionary).count;
    const bool hardly_grows =
        self->half_entries > 0 && (entry_count - self->half_entries) * 4 <= self->half_entries;
    // What the dictionary has grown to on so many values it has to be paid for by them alone.
    const uint64_t shared = hardly_grows ? entries_size / GROWN_SHARE : entries_size;
    const uint64_t coded = codes_size + shared * count / values->count;
    *out = coded * DICTIONARY_COST <= other->size * 100;
    return FIRN_OK;
}

// From here on pages have the other encoding. The one that is filled is empty.
static firn_status give_dictionary_up(pw_chunk *self, pw_worker *with, firn_error *err) {
    if (self->page_count > 0) { // They are coded: it stays, for the dictionary page.
        TRY(choose_codec(self, with, err));
        TRY(settle(self, with, err));
    } else {
        self->dictionary = NULL;
        arena_reset(&self->coded);
        arena_shrink(&self->coded);
    }
    pw_page_reset(&self->page, false);
    return FIRN_OK;
}

// ---- Ending a page -----------------------------------------------------------------------------

static bool is_float(const pq_leaf *leaf) {
    const pq_order order = pq_order_of(leaf);
    return order == PQ_ORDER_FLOAT || order == PQ_ORDER_FLOAT16;
}

// Entries that occur on the page, each once.
static firn_status seen_values(pw_chunk *self, pw_worker *with, pw_values *out, firn_error *err) {
    uint32_t *codes = ARENA_NEW(&with->scratch, uint32_t, (size_t)self->seen_size + 1);
    if (codes == NULL) {
        return ARENA_FULL(&with->scratch, err);
    }
    uint32_t count = 0;
    for (size_t word = 0; word < BITMAP_WORDS(self->seen_size); word++) {
        for (uint64_t left = self->seen[word]; left != 0; left &= left - 1) {
            codes[count++] = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(left);
        }
        self->seen[word] = 0;
    }
    return pw_dictionary_values(self->dictionary, codes, count, &with->scratch, out, err);
}

// Statistics of the page, where values did not go into them one by one.
static firn_status end_statistics(pw_chunk *self, pw_worker *with, firn_error *err) {
    pw_statistics *page = &self->page_statistics;
    const uint32_t nulls = self->page.entry_count - self->page.value_count;
    if (self->leaf_options->statistics == PW_STATISTICS_NONE) {
        return FIRN_OK;
    }
    pw_values values = {.type = self->leaf->type, .width = self->leaf->width};
    if (self->page.is_coded && !is_float(self->leaf)) {
        TRY(seen_values(self, with, &values, err));
    }
    TRY(pw_statistics_add(page, self->leaf, &values, nulls, err));
    page->value_count = self->page.value_count;
    TRY(pw_statistics_merge(&self->statistics, self->leaf, page, err));
    if (self->options->has_page_index && self->leaf_options->statistics == PW_STATISTICS_BOUNDS) {
        TRY(pw_page_index_add(&self->index, page, err));
    }
    pw_statistics_reset(page);
    return FIRN_OK;
}

static firn_status end_page(pw_chunk *self, pw_worker *with, firn_error *err) {
    pw_page *page = &self->page;
    if (page->row_count == 0) {
        return FIRN_OK;
    }
    const arena_mark mark = arena_mark_take(&with->scratch);
    TRY(end_statistics(self, with, err));
    pw_values values = pw_page_values(page, self->leaf);
    bool is_coded = page->is_coded;
    if (self->is_first && page->value_count > 0) {
        pw_choice other;
        if (is_coded) {
            TRY(pw_dictionary_values(self->dictionary, pw_page_codes(page), page->value_count,
                                     &with->scratch, &values, err));
            TRY(is_coding_best(self, &values, with, &other, &is_coded, err));
        } else {
            TRY(choose_otherwise(self, &values, with, &other, err));
        }
        if (!is_coded) {
            self->is_compressed = other.is_compressed;
            self->is_codec_known = true;
        }
        self->is_first = false;
    } else if (!is_coded && !self->has_otherwise && page->value_count > 0) {
        pw_choice other; // The dictionary was given up before.
        TRY(choose_otherwise(self, &values, with, &other, err));
    }
    if (!is_coded) {
        pw_bloom_add(&self->bloom, &values);
    }
    const held_page made = {.encoding = is_coded              ? PQ_ENCODING_RLE_DICTIONARY
                                        : self->has_otherwise ? self->otherwise
                                                              : PQ_ENCODING_PLAIN,
                            .row_count = page->row_count,
                            .entry_count = page->entry_count};
    byte_output body = {.memory = self->is_codec_known ? &with->scratch : &self->raw};
    TRY(pw_page_put_levels(page, self->leaf, &body, err));
    TRY(is_coded ? pw_encode_codes(pw_page_codes(page), page->value_count, &body, err)
                 : pw_encode(made.encoding, &values, &body, &with->scratch, err));
    TRY(hold(self, &made, err));
    held_page *held = &self->pages[self->page_count - 1];
    held->body = byte_output_bytes(&body);
    self->held_size += held->body.size;
    self->result.entry_count += page->entry_count;
    if (self->is_codec_known) {
        TRY(make_final(self, held, with, err));
    }
    arena_rewind(&with->scratch, mark);
    if (page->is_coded && !is_coded) {
        self->dictionary = NULL;
        arena_reset(&self->coded);
        arena_shrink(&self->coded);
    }
    pw_page_reset(page, is_coded);
    return FIRN_OK;
}

// ---- Putting -----------------------------------------------------------------------------------

static firn_status mark_seen(pw_chunk *self, const uint32_t *codes, uint32_t count,
                             firn_error *err) {
    const uint32_t entries = pw_dictionary_entries(self->dictionary).count;
    if (entries > self->seen_size) {
        const uint32_t size = entries < UINT32_MAX / 2 ? entries * 2 : entries;
        uint64_t *grown = ARENA_NEW(&self->coded, uint64_t, BITMAP_WORDS(size) + 1);
        if (grown == NULL) {
            return ARENA_FULL(&self->coded, err);
        }
        memset(grown, 0, BITMAP_WORDS(size) * sizeof *grown);
        if (self->seen_size > 0) {
            memcpy(grown, self->seen, BITMAP_WORDS(self->seen_size) * sizeof *grown);
        }
        self->seen = grown;
        self->seen_size = size;
    }
    for (uint32_t i = 0; i < count; i++) {
        bitmap_set(self->seen, codes[i]);
    }
    return FIRN_OK;
}

// The values of all entries that are put, in one of two forms.
typedef struct put_values {
    bool is_source; // Indexes into the source's entries; else values.
    pw_values values;
    uint32_t *indexes;
} put_values;

static firn_status open_source(pw_chunk *self, const column *coded, firn_error *err) {
    source_codes *source = &self->source;
    const dictionary *entries = coded->dictionary;
    if (source->identity == entries->identity) {
        return FIRN_OK;
    }
    arena_reset(&source->memory);
    source->identity = 0;
    source->map = ARENA_NEW(&source->memory, uint32_t, (size_t)entries->size + 1);
    if (source->map == NULL) {
        return ARENA_FULL(&source->memory, err);
    }
    memset(source->map, 0xff, entries->size * sizeof *source->map); // PW_NO_CODE
    TRY(pw_store(self->leaf, entries->values, NULL, entries->size, &source->memory,
                 &source->entries, err));
    source->identity = entries->identity;
    return FIRN_OK;
}

static firn_status prepare_values(pw_chunk *self, const pw_entries *entries, pw_worker *with,
                                  put_values *out, firn_error *err) {
    const column *values = entries->values;
    column flat;
    *out = (put_values){0};
    if (values->form == FORM_DICTIONARY && self->page.is_coded && !is_float(self->leaf)) {
        out->is_source = true;
        out->indexes = ARENA_NEW(&with->scratch, uint32_t, (size_t)entries->value_count + 1);
        if (out->indexes == NULL) {
            return ARENA_FULL(&with->scratch, err);
        }
        const uint32_t *codes = values->values;
        for (uint32_t i = 0; i < entries->value_count; i++) {
            out->indexes[i] = codes[entries->rows == NULL ? i : entries->rows[i]];
        }
        return open_source(self, values, err);
    }
    if (values->form == FORM_DICTIONARY || values->form == FORM_RUNS) {
        TRY(column_flatten(&with->scratch, values, &flat, err));
        values = &flat;
    }
    return pw_store(self->leaf, values, entries->rows, entries->value_count, &with->scratch,
                    &out->values, err);
}

// Values [from, from + count) of an array.
static firn_status slice_values(const pw_values *values, uint32_t from, uint32_t count,
                                arena *scratch, pw_values *out, firn_error *err) {
    *out = *values;
    out->count = count;
    if (values->type != PQ_BOOLEAN) {
        out->data = (const uint8_t *)values->data +
                    (size_t)from * pw_values_size(values->type, values->width);
        return FIRN_OK;
    }
    uint64_t *bits = ARENA_NEW(scratch, uint64_t, BITMAP_WORDS(count) + 1);
    if (bits == NULL) {
        return ARENA_FULL(scratch, err);
    }
    bitmap_copy(values->bits, from, count, bits);
    out->bits = bits;
    return FIRN_OK;
}

// Codes of some values; *is_full says that the dictionary has no room for all.
static firn_status code_piece(pw_chunk *self, const put_values *all, uint32_t from, uint32_t count,
                              pw_worker *with, bool *is_full, firn_error *err) {
    uint32_t *codes = ARENA_NEW(&with->scratch, uint32_t, (size_t)count + 1);
    uint32_t taken;
    if (codes == NULL) {
        return ARENA_FULL(&with->scratch, err);
    }
    if (all->is_source) {
        const pw_coded coded = {.entries = &self->source.entries,
                                .map = self->source.map,
                                .indexes = all->indexes + from,
                                .count = count};
        TRY(pw_dictionary_translate(self->dictionary, &coded, codes, &taken, err));
    } else {
        pw_values values;
        TRY(slice_values(&all->values, from, count, &with->scratch, &values, err));
        TRY(pw_dictionary_codes(self->dictionary, &values, codes, &taken, err));
        if (taken == count && is_float(self->leaf) &&
            self->leaf_options->statistics != PW_STATISTICS_NONE) {
            TRY(pw_statistics_add(&self->page_statistics, self->leaf, &values, 0, err));
        }
    }
    *is_full = taken < count;
    if (*is_full) {
        return FIRN_OK;
    }
    if (!is_float(self->leaf)) {
        TRY(mark_seen(self, codes, count, err));
    }
    TRY(pw_page_add_codes(&self->page, codes, count, err));
    if (self->is_first && self->half_entries == 0 &&
        self->page.row_count * UINT64_C(2) >= self->options->page_rows) {
        self->half_entries = pw_dictionary_entries(self->dictionary).count;
    }
    return FIRN_OK;
}

static firn_status plain_piece(pw_chunk *self, const put_values *all, uint32_t from, uint32_t count,
                               pw_worker *with, firn_error *err) {
    pw_values values;
    if (all->is_source) { // The dictionary was given up in the middle of these entries.
        pw_values entries = self->source.entries;
        const size_t size = pw_values_size(entries.type, entries.width);
        uint8_t *copies = ARENA_NEW(&with->scratch, uint8_t, size *((size_t)count + 1));
        if (copies == NULL) {
            return ARENA_FULL(&with->scratch, err);
        }
        for (uint32_t i = 0; i < count; i++) {
            memcpy(copies + i * size, (const uint8_t *)entries.data + all->indexes[from + i] * size,
                   size);
        }
        values = entries;
        values.count = count;
        values.data = copies;
    } else {
        TRY(slice_values(&all->values, from, count, &with->scratch, &values, err));
    }
    if (self->leaf_options->statistics != PW_STATISTICS_NONE) {
        TRY(pw_statistics_add(&self->page_statistics, self->leaf, &values, 0, err));
    }
    return pw_page_add_values(&self->page, &values, err);
}

// The next entries that go to the page together: whole rows, a piece of them or one long one.
static pw_entries next_piece(const pw_chunk *self, const pw_entries *all, uint32_t row,
                             uint32_t entry) {
    const uint32_t rows_max = self->options->page_rows - self->page.row_count;
    const uint32_t left = all->row_count - row;
    pw_entries out = *all;
    out.row_count = left < rows_max ? left : rows_max;
    out.row_count = out.row_count < PIECE_ENTRIES ? out.row_count : PIECE_ENTRIES;
    out.entry_count = out.row_count;
    if (all->repetitions != NULL) {
        uint32_t rows = 0;
        uint32_t at = entry;
        while (at < all->entry_count && rows < out.row_count &&
               (rows == 0 || at - entry < PIECE_ENTRIES)) {
            for (at++; at < all->entry_count && all->repetitions[at] > 0; at++) {
            }
            rows++;
        }
        out.row_count = rows;
        out.entry_count = at - entry;
        out.repetitions = all->repetitions + entry;
    }
    out.value_count = out.entry_count;
    if (all->definitions != NULL) {
        out.definitions = all->definitions + entry;
        out.value_count = 0;
        for (uint32_t i = 0; i < out.entry_count; i++) {
            out.value_count += out.definitions[i] == self->leaf->definition_max;
        }
    }
    return out;
}

// Fewer rows, where values are so long that a page would grow far beyond its size.
static void shorten(const pw_chunk *self, const put_values *all, uint32_t value,
                    const pw_entries *entries, uint32_t *value_max) {
    const pw_values *values = all->is_source ? &self->source.entries : &all->values;
    *value_max = entries->value_count;
    if (values->type != PQ_BYTE_ARRAY) {
        return;
    }
    uint64_t size = self->page.plain_bytes;
    for (uint32_t i = 0; i < entries->value_count; i++) {
        const uint32_t at = all->is_source ? all->indexes[value + i] : value + i;
        size += values->strings[at].size;
        if (size > self->options->page_bytes) {
            *value_max = i + 1;
            return;
        }
    }
}

// The first rows of a piece, so that it has at most so many values, or one row.
static void cut_piece(const pw_chunk *self, pw_entries *piece, uint32_t value_max) {
    uint32_t rows = 0;
    uint32_t values = 0;
    uint32_t at = 0;
    while (at < piece->entry_count) {
        uint32_t more = 0;
        uint32_t end = at;
        do {
            more +=
                piece->definitions == NULL || piece->definitions[end] == self->leaf->definition_max;
            end++;
        } while (piece->repetitions != NULL && end < piece->entry_count &&
                 piece->repetitions[end] > 0);
        if (rows > 0 && values + more > value_max) {
            break;
        }
        rows++;
        values += more;
        at = end;
    }
    piece->row_count = rows;
    piece->entry_count = at;
    piece->value_count = values;
}

firn_status pw_chunk_put(pw_chunk *self, const pw_entries *entries, pw_worker *with,
                         firn_error *err) {
    const arena_mark start = arena_mark_take(&with->scratch);
    put_values all;
    TRY(prepare_values(self, entries, with, &all, err));
    uint32_t row = 0;
    uint32_t entry = 0;
    uint32_t value = 0;
    const arena_mark mark = arena_mark_take(&with->scratch);
    while (row < entries->row_count) {
        pw_entries piece = next_piece(self, entries, row, entry);
        uint32_t value_max;
        bool is_full = false;
        if (!self->page.is_coded) {
            shorten(self, &all, value, &piece, &value_max);
            if (value_max < piece.value_count) {
                cut_piece(self, &piece, value_max);
            }
        }
        if (self->page.is_coded) {
            TRY(code_piece(self, &all, value, piece.value_count, with, &is_full, err));
        } else {
            TRY(plain_piece(self, &all, value, piece.value_count, with, err));
        }
        if (is_full) {
            TRY(end_page(self, with, err));
            if (self->page.is_coded) {
                TRY(give_dictionary_up(self, with, err));
            }
            continue;
        }
        TRY(pw_page_add_levels(&self->page, self->leaf, &piece, err));
        row += piece.row_count;
        entry += piece.entry_count;
        value += piece.value_count;
        arena_rewind(&with->scratch, mark);
        if (self->page.row_count >= self->options->page_rows ||
            self->page.plain_bytes >= self->options->page_bytes ||
            self->page.entry_count >= self->options->page_bytes) {
            TRY(end_page(self, with, err));
        }
    }
    arena_rewind(&with->scratch, start);
    return FIRN_OK;
}

// ---- Finishing ---------------------------------------------------------------------------------

static firn_status finish_dictionary(pw_chunk *self, pw_worker *with, firn_error *err) {
    const arena_mark mark = arena_mark_take(&with->scratch);
    const pw_values entries = pw_dictionary_entries(self->dictionary);
    bytes plain;
    bytes body;
    TRY(dictionary_body(self, with, &plain, err));
    TRY(packed(self, plain, with, &body, err));
    pq_page_header header = {.type = PQ_PAGE_DICTIONARY,
                             .uncompressed_size =
                                 plain.size > INT32_MAX ? -1 : (int32_t)plain.size};
    header.dictionary = (pq_dictionary_page_header){.value_count = (int32_t)entries.count,
                                                    .encoding = PQ_ENCODING_PLAIN};
    pq_dictionary_page_header_set_value_count(&header.dictionary);
    pq_dictionary_page_header_set_encoding(&header.dictionary);
    pq_page_header_set_dictionary(&header);
    TRY(wrap(self, &header, body, &self->result.dictionary_page, err));
    self->result.uncompressed_size += plain.size + (self->result.dictionary_page.size - body.size);
    pw_bloom_add(&self->bloom, &entries);
    arena_rewind(&with->scratch, mark);
    return FIRN_OK;
}

firn_status pw_chunk_finish(pw_chunk *self, pw_worker *with, const pw_chunk_result **out,
                            firn_error *err) {
    TRY(end_page(self, with, err));
    pw_chunk_result *result = &self->result;
    const bool has_dictionary = self->dictionary != NULL && self->page_count > 0 &&
                                self->pages[0].encoding == PQ_ENCODING_RLE_DICTIONARY;
    if (has_dictionary && !self->is_codec_known) {
        TRY(choose_codec(self, with, err));
    }
    TRY(settle(self, with, err));
    if (has_dictionary) {
        TRY(finish_dictionary(self, with, err));
    }
    pw_written_page *pages =
        ARENA_NEW(&self->memory, pw_written_page, (size_t)self->page_count + 1);
    if (pages == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    result->size = result->dictionary_page.size;
    result->encodings = UINT32_C(1) << PQ_ENCODING_RLE; // Of levels.
    result->encodings |= has_dictionary ? UINT32_C(1) << PQ_ENCODING_PLAIN : 0;
    for (uint32_t i = 0; i < self->page_count; i++) {
        const held_page *page = &self->pages[i];
        pages[i] = (pw_written_page){.content = page->body, .row_count = page->row_count};
        result->size += page->body.size;
        result->encodings |= UINT32_C(1) << page->encoding;
        if (page->encoding == PQ_ENCODING_RLE_DICTIONARY) {
            result->dictionary_coded_pages++;
        } else {
            result->otherwise_coded_pages++;
            result->otherwise = page->encoding;
        }
    }
    result->pages = pages;
    result->page_count = self->page_count;
    result->codec = self->is_compressed ? self->options->codec : CODEC_NONE;
    TRY(pw_statistics_bounds(&self->statistics, self->leaf, self->leaf_options->bound_bytes,
                             &self->memory, &result->bounds, err));
    if (self->leaf_options->statistics == PW_STATISTICS_NONE) {
        result->bounds = (pq_bounds){0};
    } else if (self->leaf_options->statistics == PW_STATISTICS_COUNTS) {
        result->bounds.has_minimum = false;
        result->bounds.has_maximum = false;
    }
    if (self->options->has_page_index && self->page_count > 0 &&
        self->leaf_options->statistics == PW_STATISTICS_BOUNDS) {
        TRY(pw_page_index_finish(&self->index, &result->column_index, err));
    }
    pw_bloom_fold(&self->bloom, self->leaf_options->bloom_rate);
    if (self->bloom.bitset != NULL) {
        result->bloom = (bytes){.data = self->bloom.bitset, .size = self->bloom.size};
    }
    *out = result;
    return FIRN_OK;
}
