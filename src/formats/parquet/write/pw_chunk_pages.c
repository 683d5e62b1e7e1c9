// The part of pw_chunk.c that keeps ended pages until they have their final form, and makes the
// chunk's result of them.
#include <string.h>

#include "formats/parquet/pq_thrift.h"
#include "formats/parquet/write/pw_chunk_private.h"
#include "formats/parquet/write/pw_strings.h"
#include "memory/arena_grow.h"

#define HEADER_BYTES_MAX 128 // A page header has a few dozen.

// ---- The form that a page has in the file ------------------------------------------------------

// Sizes and the checksum go into the header, header and body into `memory`.
static firn_status wrap(pw_chunk *self, pq_page_header *header, bytes plain, bytes body,
                        pw_worker *with, bytes *out, firn_error *err) {
    if (plain.size > INT32_MAX || body.size > INT32_MAX - HEADER_BYTES_MAX) {
        return FAIL_SQL(err, FIRN_INVALID, "54000", NO_POSITION,
                        "a page of %zu bytes, a Parquet file has at most %d", plain.size,
                        INT32_MAX - HEADER_BYTES_MAX);
    }
    header->uncompressed_size = (int32_t)plain.size;
    header->compressed_size = (int32_t)body.size;
    pq_page_header_set_type(header);
    pq_page_header_set_uncompressed_size(header);
    pq_page_header_set_compressed_size(header);
    if (self->options->has_checksums) {
        const uint32_t crc = codec_crc32(body);
        memcpy(&header->crc, &crc, sizeof crc);
        pq_page_header_set_crc(header);
    }
    byte_output head = {.memory = &with->scratch};
    TRY(pq_thrift_write(&head, &pq_page_header_table, header, err));
    uint8_t *content = ARENA_NEW(&self->memory, uint8_t, head.size + body.size);
    if (content == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    memcpy(content, head.data, head.size);
    if (body.size > 0) {
        memcpy(content + head.size, body.data, body.size);
    }
    *out = (bytes){.data = content, .size = head.size + body.size};
    self->result.uncompressed_size += head.size + plain.size;
    return FIRN_OK;
}

// The body as it lies in the file. It may be in the worker's scratch.
static firn_status packed(const pw_chunk *self, bool is_quick, bytes body, pw_worker *with,
                          bytes *out, firn_error *err) {
    *out = body;
    if (self->is_compressed) {
        byte_output to = {.memory = &with->scratch};
        TRY(pw_compress(self->options, is_quick, body, &to, with, err));
        *out = byte_output_bytes(&to);
    }
    return FIRN_OK;
}

static firn_status make_final(pw_chunk *self, pw_held_page *page, pw_worker *with,
                              firn_error *err) {
    const arena_mark mark = arena_mark_take(&with->scratch);
    bytes plain = page->body;
    bytes body;
    if (page->is_empty) {
        // As pages with values are where that is cheap, so that readers see a chunk of codes only.
        const bool is_coded = self->coded_count > 0;
        page->encoding = is_coded ? PQ_ENCODING_RLE_DICTIONARY : PQ_ENCODING_PLAIN;
        plain.size += is_coded;
    }
    TRY(packed(self, page->is_quick, plain, with, &body, err));
    pq_page_header header = {.type = PQ_PAGE_DATA};
    header.data = (pq_data_page_header){.value_count = (int32_t)page->entry_count,
                                        .encoding = (int32_t)page->encoding,
                                        .definition_encoding = PQ_ENCODING_RLE,
                                        .repetition_encoding = PQ_ENCODING_RLE};
    pq_data_page_header_set_value_count(&header.data);
    pq_data_page_header_set_encoding(&header.data);
    pq_data_page_header_set_definition_encoding(&header.data);
    pq_data_page_header_set_repetition_encoding(&header.data);
    pq_page_header_set_data(&header);
    const size_t raw_size = page->body.size;
    TRY(wrap(self, &header, plain, body, with, &page->body, err));
    self->held_size = self->held_size - raw_size + page->body.size;
    page->is_final = true;
    arena_rewind(&with->scratch, mark);
    return FIRN_OK;
}

// ---- Pages that wait ---------------------------------------------------------------------------

// A copy in `raw`, of the size that is needed, and the byte behind it.
static firn_status keep_raw(pw_chunk *self, pw_held_page *page, firn_error *err) {
    uint8_t *copy = ARENA_NEW(&self->raw, uint8_t, page->body.size + 1);
    if (copy == NULL) {
        return ARENA_FULL(&self->raw, err);
    }
    if (page->body.size > 0) {
        memcpy(copy, page->body.data, page->body.size);
    }
    copy[page->body.size] = 0;
    page->body.data = copy;
    return FIRN_OK;
}

firn_status pw_chunk_hold(pw_chunk *self, const pw_held_page *page, pw_worker *with,
                          firn_error *err) {
    pw_held_page *grown = ARENA_GROW(&self->memory, pw_held_page, self->pages, self->page_count, 1,
                                     &self->page_capacity);
    if (grown == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    self->pages = grown;
    pw_held_page *held = &self->pages[self->page_count];
    *held = *page;
    self->held_size += page->body.size;
    TRY(self->is_codec_known ? make_final(self, held, with, err) : keep_raw(self, held, err));
    self->page_count++;
    return FIRN_OK;
}

firn_status pw_chunk_settle(pw_chunk *self, pw_worker *with, firn_error *err) {
    for (uint32_t i = 0; i < self->page_count; i++) {
        if (!self->pages[i].is_final) {
            TRY(make_final(self, &self->pages[i], with, err));
        }
    }
    arena_reset(&self->raw);
    arena_shrink(&self->raw);
    return FIRN_OK;
}

firn_status pw_chunk_end_coding(pw_chunk *self, pw_worker *with, firn_error *err) {
    if (self->coded_count > 0) {
        TRY(pw_chunk_choose_codec(self, with, err));
        return pw_chunk_settle(self, with, err);
    }
    self->dictionary = NULL;
    self->seen = NULL;
    self->seen_size = 0;
    arena_reset(&self->coded);
    arena_shrink(&self->coded);
    return FIRN_OK;
}

// ---- The chunk ---------------------------------------------------------------------------------

firn_status pw_chunk_dictionary_body(const pw_chunk *self, pw_worker *with, bytes *out,
                                     firn_error *err) {
    byte_output body = {.memory = &with->scratch};
    const pw_values entries = pw_dictionary_entries(self->dictionary);
    TRY(pw_put_plain(&body, &entries, err));
    *out = byte_output_bytes(&body);
    return FIRN_OK;
}

static firn_status make_dictionary_page(pw_chunk *self, pw_worker *with, firn_error *err) {
    const arena_mark mark = arena_mark_take(&with->scratch);
    const pw_values entries = pw_dictionary_entries(self->dictionary);
    bytes plain;
    bytes body;
    TRY(pw_chunk_dictionary_body(self, with, &plain, err));
    TRY(packed(self, false, plain, with, &body, err));
    pq_page_header header = {.type = PQ_PAGE_DICTIONARY};
    header.dictionary = (pq_dictionary_page_header){.value_count = (int32_t)entries.count,
                                                    .encoding = PQ_ENCODING_PLAIN};
    pq_dictionary_page_header_set_value_count(&header.dictionary);
    pq_dictionary_page_header_set_encoding(&header.dictionary);
    pq_page_header_set_dictionary(&header);
    TRY(wrap(self, &header, plain, body, with, &self->result.dictionary_page, err));
    pw_bloom_add(&self->bloom, self->leaf, &entries);
    arena_rewind(&with->scratch, mark);
    return FIRN_OK;
}

static firn_status list_pages(pw_chunk *self, firn_error *err) {
    pw_chunk_result *result = &self->result;
    pw_written_page *pages =
        ARENA_NEW(&self->memory, pw_written_page, (size_t)self->page_count + 1);
    if (pages == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    result->size = result->dictionary_page.size;
    for (uint32_t i = 0; i < self->page_count; i++) {
        const pw_held_page *page = &self->pages[i];
        pages[i] = (pw_written_page){.content = page->body, .row_count = page->row_count};
        result->size += page->body.size;
        result->pages_of[page->encoding]++;
    }
    result->pages = pages;
    result->page_count = self->page_count;
    result->codec = self->is_compressed ? self->options->codec : CODEC_NONE;
    return FIRN_OK;
}

static firn_status list_bounds(pw_chunk *self, pw_worker *with, firn_error *err) {
    pw_chunk_result *result = &self->result;
    const pw_statistics_mode mode = self->leaf_options->statistics;
    TRY(pw_statistics_bounds(&self->statistics, self->leaf, self->leaf_options->bound_bytes,
                             &self->memory, &result->bounds, err));
    if (mode != PW_STATISTICS_BOUNDS) {
        result->bounds.has_minimum = false;
        result->bounds.has_maximum = false;
    }
    if (mode == PW_STATISTICS_NONE) {
        result->bounds.has_null_count = false;
        result->bounds.has_nan_count = false;
    }
    if (mode == PW_STATISTICS_BOUNDS && self->options->has_page_index && self->page_count > 0) {
        TRY(pw_page_index_finish(&self->index, &with->scratch, &result->column_index, err));
    }
    return FIRN_OK;
}

firn_status pw_chunk_make_result(pw_chunk *self, pw_worker *with, firn_error *err) {
    if (self->coded_count > 0) {
        TRY(pw_chunk_choose_codec(self, with, err));
        TRY(pw_chunk_settle(self, with, err));
        TRY(make_dictionary_page(self, with, err));
    } else {
        TRY(pw_chunk_settle(self, with, err));
    }
    TRY(list_pages(self, err));
    const arena_mark mark = arena_mark_take(&with->scratch);
    TRY(list_bounds(self, with, err));
    arena_rewind(&with->scratch, mark);
    pw_bloom_fold(&self->bloom, self->leaf_options->bloom_rate);
    if (self->bloom.bitset != NULL) {
        self->result.bloom = (bytes){.data = self->bloom.bitset, .size = self->bloom.size};
    }
    return FIRN_OK;
}
