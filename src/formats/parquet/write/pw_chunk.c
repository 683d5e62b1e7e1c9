// Putting: what goes to a page, when a page ends. The other parts are listed in
// pw_chunk_private.h.
#include "formats/parquet/write/pw_chunk.h"

#include <assert.h>
#include <string.h>

#include "formats/parquet/write/pw_chunk_private.h"

#define DECIDING_VALUES 1000 // So many show what a chunk is like, if the first page has fewer.
#define KEPT_MEMORY_MAX ((size_t)32 << 20) // Of an arena that one large page has blown up.

firn_status pw_chunk_open(const pw_schema *schema, const pw_options *options, uint32_t leaf,
                          pool *owner, pw_chunk **out, firn_error *err) {
    arena memory = arena_open_in(owner, SIZE_MAX);
    pw_chunk *self = ARENA_NEW(&memory, pw_chunk, 1);
    if (self == NULL) {
        const firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    *self = (pw_chunk){
        .options = options,
        .leaf_options = options->leaves == NULL ? &options->leaf : &options->leaves[leaf],
        .leaf = &schema->tree->leaves[leaf],
        .memory = memory,
        .raw = arena_open_in(owner, SIZE_MAX),
        .coded = arena_open_in(owner, SIZE_MAX),
        .page = pw_page_open(owner),
        .source = {.memory = arena_open_in(owner, SIZE_MAX)},
        .is_compressed = options->codec_choice == PW_CODEC_GIVEN && options->codec != CODEC_NONE,
    };
    self->page_statistics = pw_statistics_open(&self->memory);
    self->statistics = pw_statistics_open(&self->memory);
    self->index = pw_page_index_open(&self->memory, self->leaf, self->leaf_options->bound_bytes);
    self->is_undecided = (self->leaf_options->encodings & PW_DICTIONARY) != 0 &&
                         self->leaf->type != PQ_BOOLEAN && options->dictionary_bytes > 0;
    pw_page_reset(&self->page, self->is_undecided);
    firn_status status = FIRN_OK;
    if (self->is_undecided) {
        status = pw_dictionary_open(&self->coded, self->leaf->type, self->leaf->width,
                                    options->dictionary_bytes, &self->dictionary, err);
    }
    if (status == FIRN_OK && self->leaf->type != PQ_BOOLEAN) {
        status = pw_bloom_open(options, self->leaf_options, &self->memory, &self->bloom, err);
    }
    if (status != FIRN_OK) {
        pw_chunk_close(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
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
    return self->memory.used + self->raw.used + self->coded.used + pw_page_memory(&self->page) +
           self->source.memory.used;
}

// Who encodes may be somebody else each time, and it is their statement that is cancelled.
static void work_for(pw_chunk *self, const pw_worker *with) {
    const cancel_flag *cancel = with->scratch.cancel;
    self->memory.cancel = cancel;
    self->raw.cancel = cancel;
    self->coded.cancel = cancel;
    self->page.memory.cancel = cancel;
    self->source.memory.cancel = cancel;
}

// ---- Statistics --------------------------------------------------------------------------------

static bool is_float(const pq_leaf *leaf) {
    const pq_order order = pq_order_of(leaf);
    return order == PQ_ORDER_FLOAT || order == PQ_ORDER_FLOAT16;
}

// Whether statistics need the values: for bounds, and to count NaNs.
static bool looks_at_values(const pw_chunk *self) {
    const pw_statistics_mode mode = self->leaf_options->statistics;
    return mode == PW_STATISTICS_BOUNDS || (mode == PW_STATISTICS_COUNTS && is_float(self->leaf));
}

static firn_status look_at_values(pw_chunk *self, const pw_values *values, firn_error *err) {
    return looks_at_values(self)
               ? pw_statistics_add(&self->page_statistics, self->leaf, values, 0, err)
               : FIRN_OK;
}

// Of codes it is enough to look at each entry that occurs once, but for NaNs, which are counted.
static bool marks_codes(const pw_chunk *self) {
    return looks_at_values(self) && !is_float(self->leaf);
}

static firn_status mark_seen(pw_chunk *self, const uint32_t *codes, uint32_t count,
                             firn_error *err) {
    const uint32_t entries = pw_dictionary_entries(self->dictionary).count;
    if (entries > self->seen_size) {
        const uint32_t size = entries < UINT32_MAX / 2 ? entries * 2 : entries;
        uint8_t *grown = ARENA_NEW(&self->coded, uint8_t, size);
        if (grown == NULL) {
            return ARENA_FULL(&self->coded, err);
        }
        memset(grown, 0, size);
        if (self->seen_size > 0) {
            memcpy(grown, self->seen, self->seen_size);
        }
        self->seen = grown;
        self->seen_size = size;
    }
    for (uint32_t i = 0; i < count; i++) {
        self->seen[codes[i]] = 1;
    }
    return FIRN_OK;
}

static firn_status look_at_seen(pw_chunk *self, pw_worker *with, firn_error *err) {
    uint32_t *codes = ARENA_NEW(&with->scratch, uint32_t, (size_t)self->seen_size + 1);
    if (codes == NULL) {
        return ARENA_FULL(&with->scratch, err);
    }
    uint32_t count = 0;
    for (uint32_t code = 0; code < self->seen_size; code++) {
        codes[count] = code;
        count += self->seen[code];
    }
    if (self->seen_size > 0) {
        memset(self->seen, 0, self->seen_size);
    }
    pw_values values;
    TRY(pw_dictionary_values(self->dictionary, codes, count, &with->scratch, &values, err));
    return look_at_values(self, &values, err);
}

static firn_status end_statistics(pw_chunk *self, pw_worker *with, firn_error *err) {
    pw_statistics *page = &self->page_statistics;
    if (self->page.is_coded && marks_codes(self)) {
        TRY(look_at_seen(self, with, err));
    }
    page->value_count = self->page.value_count;
    page->null_count = self->page.entry_count - self->page.value_count;
    self->result.null_count += page->null_count;
    TRY(pw_statistics_merge(&self->statistics, self->leaf, page, err));
    if (self->options->has_page_index && self->leaf_options->statistics == PW_STATISTICS_BOUNDS) {
        TRY(pw_page_index_add(&self->index, page, &with->scratch, err));
    }
    pw_statistics_reset(page);
    return FIRN_OK;
}

// ---- Ending a page -----------------------------------------------------------------------------

// Levels, then the values: codes or `values`. In the worker's scratch.
static firn_status encode_page(const pw_chunk *self, const pw_values *values, bool is_coded,
                               pw_worker *with, bytes *out, firn_error *err) {
    const pw_page *page = &self->page;
    byte_output body = {.memory = &with->scratch};
    TRY(pw_page_put_levels(page, self->leaf, &body, err));
    if (page->value_count == 0) { // A byte behind the body: see pw_held_page.
        const size_t size = body.size;
        const uint8_t no_bits = 0;
        if (!byte_output_put(&body, (bytes){.data = &no_bits, .size = 1})) {
            return BYTE_OUTPUT_FULL(&body, err);
        }
        body.size = size;
    } else if (is_coded) {
        TRY(pw_encode_codes(pw_page_codes(page), page->value_count, &body, err));
    } else {
        TRY(pw_encode(self->otherwise, values, &body, &with->scratch, err));
    }
    *out = byte_output_bytes(&body);
    return FIRN_OK;
}

// What form the values of the page have; and, the first time that there are enough of them, whether
// the chunk stays with codes.
static firn_status choose_form(pw_chunk *self, bool must_decide, pw_worker *with, pw_values *values,
                               bool *is_coded, firn_error *err) {
    pw_page *page = &self->page;
    *values = pw_page_values(page, self->leaf);
    *is_coded = page->is_coded;
    if (page->value_count == 0) {
        return FIRN_OK;
    }
    if (!page->is_coded) {
        pw_choice other;
        if (self->has_otherwise && self->is_codec_known) {
            return FIRN_OK;
        }
        TRY(pw_chunk_choose_otherwise(self, values, with, &other, err));
        if (!self->is_codec_known) {
            self->is_compressed = other.is_compressed;
            self->is_codec_known = true;
        }
        return FIRN_OK;
    }
    if (!self->is_undecided || (!must_decide && self->value_count < DECIDING_VALUES)) {
        return FIRN_OK;
    }
    TRY(pw_dictionary_values(self->dictionary, pw_page_codes(page), page->value_count,
                             &with->scratch, values, err));
    self->is_undecided = false;
    return pw_chunk_is_coding_best(self, values, !must_decide, with, is_coded, err);
}

// `must_decide`: the chunk ends, or its dictionary is full.
static firn_status end_page(pw_chunk *self, bool must_decide, pw_worker *with, firn_error *err) {
    pw_page *page = &self->page;
    if (page->row_count == 0) {
        return FIRN_OK;
    }
    const arena_mark mark = arena_mark_take(&with->scratch);
    pw_values values;
    bool is_coded;
    self->value_count += page->value_count;
    TRY(end_statistics(self, with, err));
    TRY(choose_form(self, must_decide, with, &values, &is_coded, err));
    if (!is_coded && page->value_count > 0) {
        pw_bloom_add(&self->bloom, self->leaf, &values);
    }
    pw_held_page made = {.is_empty = page->value_count == 0,
                         .encoding = is_coded ? PQ_ENCODING_RLE_DICTIONARY : self->otherwise,
                         .is_quick = !is_coded && self->is_otherwise_quick,
                         .row_count = page->row_count,
                         .entry_count = page->entry_count};
    TRY(encode_page(self, &values, is_coded, with, &made.body, err));
    if (page->is_coded && !is_coded) {
        TRY(pw_chunk_choose_codec(self, with, err)); // With earlier pages, which are few.
    }
    TRY(pw_chunk_hold(self, &made, with, err));
    self->result.entry_count += page->entry_count;
    self->coded_count += is_coded && !made.is_empty;
    const bool gives_up = page->is_coded && !is_coded;
    const bool has_codec = self->coded_count > 0 && !self->is_undecided &&
                           self->options->codec_choice == PW_CODEC_GIVEN;
    arena_rewind(&with->scratch, mark);
    if (gives_up) {
        TRY(pw_chunk_end_coding(self, with, err));
    } else if (has_codec && !self->is_codec_known) {
        TRY(pw_chunk_choose_codec(self, with, err));
        TRY(pw_chunk_settle(self, with, err));
    }
    pw_page_reset(page, is_coded);
    if (pw_page_memory(page) > KEPT_MEMORY_MAX) {
        pw_page_shrink(page);
    }
    return FIRN_OK;
}

// The dictionary has no room for the next values.
static firn_status end_dictionary(pw_chunk *self, pw_worker *with, firn_error *err) {
    TRY(end_page(self, true, with, err));
    if (self->page.is_coded) {
        self->is_undecided = false;
        self->has_otherwise = false; // The next page shows it better than the first did.
        TRY(pw_chunk_end_coding(self, with, err));
        pw_page_reset(&self->page, false);
    }
    return FIRN_OK;
}

// ---- Putting -----------------------------------------------------------------------------------

// Codes of some values; *is_full says that the dictionary has no room for all.
static firn_status put_codes(pw_chunk *self, const pw_put_values *all, uint32_t from,
                             uint32_t count, pw_worker *with, bool *is_full, firn_error *err) {
    uint32_t *codes = ARENA_NEW(&with->scratch, uint32_t, (size_t)count + 1);
    uint32_t taken;
    if (codes == NULL) {
        return ARENA_FULL(&with->scratch, err);
    }
    pw_values values = {.count = 0};
    if (self->coded_count == 0 && self->half_entries == 0 &&
        self->page.row_count * UINT64_C(2) >= self->options->page_rows) {
        self->half_entries = pw_dictionary_entries(self->dictionary).count;
        self->half_values = self->page.value_count;
    }
    if (all->is_source) {
        const pw_coded coded = {.entries = &all->values,
                                .map = self->source.map,
                                .indexes = all->indexes + from,
                                .count = count};
        TRY(pw_dictionary_translate(self->dictionary, &coded, codes, &taken, err));
    } else {
        TRY(pw_chunk_slice(all, from, count, &with->scratch, &values, err));
        TRY(pw_dictionary_codes(self->dictionary, &values, codes, &taken, err));
    }
    *is_full = taken < count;
    if (*is_full) {
        return FIRN_OK;
    }
    if (marks_codes(self)) {
        TRY(mark_seen(self, codes, count, err));
    } else {
        TRY(look_at_values(self, &values, err)); // Floats, which are never a source.
    }
    return pw_page_add_codes(&self->page, codes, count, err);
}

static firn_status put_values(pw_chunk *self, const pw_put_values *all, uint32_t from,
                              uint32_t count, pw_worker *with, firn_error *err) {
    pw_values values;
    TRY(pw_chunk_slice(all, from, count, &with->scratch, &values, err));
    TRY(look_at_values(self, &values, err));
    return pw_page_add_values(&self->page, &values, err);
}

static bool is_page_full(const pw_chunk *self) {
    const pw_page *page = &self->page;
    const pw_options *options = self->options;
    return page->row_count >= options->page_rows || page->plain_bytes >= options->page_bytes ||
           page->entry_count >= options->page_bytes;
}

firn_status pw_chunk_put(pw_chunk *self, const pw_entries *entries, pw_worker *with,
                         firn_error *err) {
    const arena_mark start = arena_mark_take(&with->scratch);
    pw_put_values all;
    work_for(self, with);
    TRY(pw_chunk_prepare(self, entries, with, &all, err));
    pw_place at = {0};
    const arena_mark mark = arena_mark_take(&with->scratch);
    while (at.row < entries->row_count) {
        const pw_entries piece = pw_chunk_next_piece(self, entries, &all, at);
        bool is_full = false;
        if (piece.entry_count > INT32_MAX - self->page.entry_count) {
            return FAIL_SQL(err, FIRN_INVALID, "54000", NO_POSITION,
                            "a row of %u elements, a page of a Parquet file has at most %d entries",
                            piece.entry_count, INT32_MAX);
        }
        if (self->page.is_coded) {
            TRY(put_codes(self, &all, at.value, piece.value_count, with, &is_full, err));
        } else {
            TRY(put_values(self, &all, at.value, piece.value_count, with, err));
        }
        if (is_full) {
            TRY(end_dictionary(self, with, err));
            arena_rewind(&with->scratch, mark);
            continue;
        }
        TRY(pw_page_add_levels(&self->page, self->leaf, &piece, err));
        at.row += piece.row_count;
        at.entry += piece.entry_count;
        at.value += piece.value_count;
        arena_rewind(&with->scratch, mark);
        if (is_page_full(self)) {
            TRY(end_page(self, false, with, err));
        }
    }
    arena_rewind(&with->scratch, start);
    return FIRN_OK;
}

firn_status pw_chunk_finish(pw_chunk *self, pw_worker *with, const pw_chunk_result **out,
                            firn_error *err) {
    work_for(self, with);
    TRY(end_page(self, true, with, err));
    TRY(pw_chunk_make_result(self, with, err));
    if (with->scratch.used > KEPT_MEMORY_MAX) {
        arena_shrink(&with->scratch);
    }
    *out = &self->result;
    return FIRN_OK;
}
