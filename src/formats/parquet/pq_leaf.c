#include "formats/parquet/pq_leaf.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "base/utf8.h"
#include "formats/parquet/pq_spread.h"
#include "kernels/bits.h"
#include "kernels/gather.h"

// A dictionary is handed on while it has at most one entry in so many rows.
#define ROWS_PER_ENTRY 4

void pq_leaf_open(pq_leaf_reader *self, const pq_target *target, uint32_t index, bool is_nested) {
    memset(self, 0, sizeof *self);
    self->target = *target;
    self->index = index;
    self->reads_values = true;
    self->is_nested = is_nested;
}

firn_status pq_leaf_attach(pq_leaf_reader *self, const pq_pages_options *options, pq_chunk *chunks,
                           uint32_t slot_count, arena *memory, firn_error *err) {
    assert(slot_count >= 1 && slot_count <= PQ_GROUPS_AHEAD);
    const size_t level_size = self->is_nested ? PQ_LEVEL_STEP + PQ_UNPACK_SPARE : 0;
    uint8_t *levels = ARENA_NEW(memory, uint8_t, 2 * level_size);
    const uint32_t ahead_count = io_file_is_remote(options->input) ? slot_count : 0;
    pq_window_ahead *ahead = ARENA_NEW(memory, pq_window_ahead, ahead_count);
    if (levels == NULL || ahead == NULL) {
        return ARENA_FULL(memory, err);
    }
    memset(ahead, 0, ahead_count * sizeof *ahead);
    self->memory = arena_open_in(options->owner, SIZE_MAX);
    self->repetition = levels;
    self->definition = levels + level_size;
    self->chunks = chunks;
    self->chunk = chunks;
    self->slot_count = slot_count;
    memset(chunks, 0, slot_count * sizeof *chunks);
    for (uint32_t i = 0; i < slot_count; i++) {
        pq_pages_open(&chunks[i].pages, options);
        chunks[i].pages.window.ahead = ahead_count > 0 ? &ahead[i] : NULL;
        pq_dictionary_open(&chunks[i].dictionary, options->owner);
    }
    return FIRN_OK;
}

void pq_leaf_close(pq_leaf_reader *self) {
    for (uint32_t i = 0; i < self->slot_count; i++) {
        pq_pages_close(&self->chunks[i].pages);
        pq_dictionary_close(&self->chunks[i].dictionary);
    }
    arena_close(&self->memory);
    if (self->room.data != NULL) {
        pq_block_close(&self->room, self->chunk->pages.options.owner);
    }
}

firn_status pq_leaf_begin(pq_leaf_reader *self, const pq_metadata *metadata, uint32_t row_group,
                          uint32_t slot, uint64_t identity, firn_error *err) {
    pq_chunk *chunk = &self->chunks[slot];
    TRY(pq_pages_begin(&chunk->pages, metadata, row_group, self->index, err));
    pq_dictionary_clear(&chunk->dictionary);
    chunk->row_count = (uint64_t)metadata->file.row_groups.items[row_group].row_count;
    chunk->identity = identity;
    chunk->is_prepared = false;
    return pq_pages_ask(&chunk->pages, err);
}

firn_status pq_leaf_peek_first(pq_leaf_reader *self, uint32_t slot, pq_answer *answer,
                               firn_error *err) {
    return pq_pages_peek(&self->chunks[slot].pages, answer, err);
}

firn_status pq_leaf_prepare_dictionary(pq_leaf_reader *self, uint32_t slot, pq_blocks *blocks,
                                       firn_error *err) {
    pq_chunk *chunk = &self->chunks[slot];
    blocks->count = 0;
    if (!chunk->pages.is_peeked || chunk->pages.page.type != PQ_PAGE_DICTIONARY) {
        return FIRN_OK;
    }
    if (!self->reads_values) {
        pq_pages_pass(&chunk->pages);
        return FIRN_OK;
    }
    chunk->is_prepared = true;
    return pq_pages_prepare_dictionary(&chunk->pages, blocks, err);
}

firn_status pq_leaf_commit_dictionary(pq_leaf_reader *self, uint32_t slot, firn_error *err) {
    pq_chunk *chunk = &self->chunks[slot];
    if (!chunk->is_prepared) {
        return FIRN_OK;
    }
    const pq_page page = chunk->pages.page;
    bytes body;
    chunk->is_prepared = false;
    pq_pages_commit_dictionary(&chunk->pages, &body);
    pq_dictionary *dictionary = &chunk->dictionary;
    TRY(pq_dictionary_load(dictionary, &page, body, &self->target, chunk->identity, err));
    chunk->keeps_codes = dictionary->view.size <= chunk->row_count / ROWS_PER_ENTRY;
    // Texts and bytes do, also those of a fixed width.
    const bool points_into_body = type_physical(self->target.type) == PHYSICAL_STRING ||
                                  dictionary->values.values == (const void *)body.data;
    if (chunk->pages.options.is_thrifty && !points_into_body) {
        pq_block_close(&chunk->pages.dictionary, chunk->pages.options.owner);
    }
    return FIRN_OK;
}

void pq_leaf_enter(pq_leaf_reader *self, uint32_t slot, const pq_offset_index *offsets) {
    self->chunk = &self->chunks[slot];
    self->offsets = offsets;
    // Where pages are chosen by an index the next bytes are not what is wanted next.
    pq_pages *pages = &self->chunk->pages;
    pages->window.reads_ahead =
        offsets == NULL && io_file_is_remote(pages->options.input) && !pages->options.is_thrifty;
    self->rows_taken = 0;
    self->skip = 0;
    self->is_open = false;
    self->level_from = 0;
    self->level_to = 0;
}

// ---- Pages -------------------------------------------------------------------------------------

firn_status pq_leaf_peek(pq_leaf_reader *self, pq_answer *answer, firn_error *err) {
    TRY(pq_pages_peek(&self->chunk->pages, answer, err));
    assert(*answer != PQ_READY || self->chunk->pages.page.type == PQ_PAGE_DATA);
    return FIRN_OK;
}

void pq_leaf_seek(pq_leaf_reader *self) {
    const uint64_t wanted = self->rows_taken + self->skip;
    pq_pages *pages = &self->chunk->pages;
    if (self->offsets == NULL || self->skip == 0 || self->is_open || pq_pages_is_loaded(pages)) {
        return;
    }
    const pq_page_location *page =
        &self->offsets->pages.items[pq_page_of_row(self->offsets, wanted)];
    const uint64_t first = (uint64_t)page->first_row;
    if (first > self->rows_taken && pq_pages_seek(pages, (uint64_t)page->offset)) {
        self->rows_taken = first;
        self->skip = wanted - first;
    }
}

void pq_leaf_pass_page(pq_leaf_reader *self) {
    pq_pages_pass(&self->chunk->pages);
    self->is_open = false;
}

// Whether all text of the page is proved to be ASCII at once. In PLAIN pages the sizes lie between
// the texts: below 128 they are bytes of ASCII as well, so this fails for pages of long texts only.
static bool is_ascii_page(const pq_leaf_reader *self) {
    const byte_reader *in = NULL;
    if (self->values.form == PQ_VALUES_STRINGS && self->values.encoding == PQ_ENCODING_PLAIN) {
        in = &self->values.as.plain;
    } else if (self->values.encoding == PQ_ENCODING_DELTA_LENGTH_BYTE_ARRAY) {
        in = &self->values.as.delta_lengths.data;
    }
    return in != NULL &&
           utf8_is_ascii((text){.data = (const char *)in->at, .size = reader_left(in)});
}

firn_status pq_leaf_open_page(pq_leaf_reader *self, firn_error *err) {
    const pq_loaded *loaded;
    TRY(pq_pages_load(&self->chunk->pages, &loaded, err));
    const pq_leaf *leaf = self->target.leaf;
    size_t level_size;
    TRY(pq_levels_open(&self->levels, &loaded->page, leaf, loaded->body, &level_size, err));
    self->chunk->pages.level_size = (uint32_t)level_size;
    self->is_open = true;
    self->is_all_present = pq_levels_are_all_present(&self->levels);
    if (!self->reads_values) {
        return FIRN_OK;
    }
    const bytes body = {.data = loaded->body.data + level_size,
                        .size = loaded->body.size - level_size};
    const int32_t encoding = loaded->page.encoding;
    uint8_t *room = NULL;
    if (pq_values_need_room(encoding)) {
        // For sizes, and the value before, which DELTA_BYTE_ARRAY builds upon.
        pool *owner = self->chunk->pages.options.owner;
        TRY(pq_block_reserve(&self->room, owner, body.size + PQ_DELTA_BYTES_ROOM, 0, err));
        room = self->room.data;
    }
    const uint32_t size =
        self->chunk->dictionary.is_there ? self->chunk->dictionary.view.size : UINT32_MAX;
    TRY(pq_values_open(&self->values, encoding, leaf, body, size, room, err));
    self->is_ascii = type_category_of(self->target.type) == CATEGORY_TEXT && is_ascii_page(self);
    return FIRN_OK;
}

// ---- Values ------------------------------------------------------------------------------------

static firn_status read_strings(pq_leaf_reader *self, uint32_t count, arena *scratch, void *out,
                                firn_error *err) {
    string_value *raw = out;
    const pq_target *target = &self->target;
    if (target->conversion.strings != NULL) {
        raw = ARENA_NEW(scratch, string_value, count);
        if (raw == NULL) {
            return ARENA_FULL(scratch, err);
        }
    }
    TRY(pq_values_strings(&self->values, count, scratch, raw, err));
    if (self->is_ascii && target->conversion.strings == NULL) {
        return FIRN_OK;
    }
    return pq_target_convert_strings(target, raw, count, out, err);
}

// Where `count` values of fixed width go that do not lie in the page.
static firn_status fixed_scratch(const pq_leaf_reader *self, uint32_t count, arena *scratch,
                                 uint8_t **out, firn_error *err) {
    *out = NULL;
    if (self->values.encoding == PQ_ENCODING_PLAIN) {
        return FIRN_OK;
    }
    size_t size;
    if (!mul_fits(count, self->values.width, &size)) {
        return FAIL(err, FIRN_CORRUPT, "%u values of %u bytes", count, self->values.width);
    }
    *out = ARENA_NEW(scratch, uint8_t, size + PQ_PAD);
    return *out == NULL ? ARENA_FULL(scratch, err) : FIRN_OK;
}

static firn_status read_fixed(pq_leaf_reader *self, uint32_t count, arena *scratch, void *out,
                              firn_error *err) {
    uint8_t *room = out; // Without a conversion the values are decoded to where they belong.
    if (self->target.conversion.fixed != NULL) {
        TRY(fixed_scratch(self, count, scratch, &room, err));
    }
    const uint8_t *raw;
    TRY(pq_values_fixed(&self->values, count, room, &raw, err));
    return raw == out ? FIRN_OK : pq_target_convert(&self->target, raw, count, out, err);
}

static firn_status read_codes(pq_leaf_reader *self, uint32_t count, arena *scratch, uint32_t **out,
                              firn_error *err) {
    *out = ARENA_NEW(scratch, uint32_t, (size_t)count + PQ_UNPACK_SPARE);
    if (*out == NULL) {
        return ARENA_FULL(scratch, err);
    }
    return pq_values_codes(&self->values, count, *out, err);
}

firn_status pq_leaf_read_values(pq_leaf_reader *self, uint32_t count, arena *scratch, void *out,
                                size_t at, firn_error *err) {
    uint32_t *codes;
    switch (self->values.form) {
    case PQ_VALUES_BITS:
        return pq_values_bits(&self->values, count, out, at, err);
    case PQ_VALUES_STRINGS:
        return read_strings(self, count, scratch, out, err);
    case PQ_VALUES_FIXED:
        return read_fixed(self, count, scratch, out, err);
    case PQ_VALUES_CODES:
        break;
    }
    TRY(read_codes(self, count, scratch, &codes, err));
    gather_codes(self->target.conversion.size, self->chunk->dictionary.values.values, codes, count,
                 out);
    return FIRN_OK;
}

// ---- Rows outside lists ------------------------------------------------------------------------

firn_status pq_leaf_available(pq_leaf_reader *self, uint32_t *rows, pq_answer *answer,
                              firn_error *err) {
    *answer = PQ_READY;
    for (;;) {
        uint32_t left = self->levels.left;
        if (!self->is_open) {
            pq_leaf_seek(self);
            TRY(self->skip > 0 ? pq_pages_peek_header(&self->chunk->pages, answer, err)
                               : pq_leaf_peek(self, answer, err));
            if (*answer == PQ_END) {
                return FAIL(err, FIRN_CORRUPT, "the column ends after %llu of %llu rows",
                            (unsigned long long)self->rows_taken,
                            (unsigned long long)self->chunk->row_count);
            }
            if (*answer == PQ_WAIT) {
                return FIRN_OK;
            }
            left = self->chunk->pages.page.value_count;
        }
        if (self->skip < left) {
            *rows = left - (uint32_t)self->skip;
            // Of a page that is to be read the body must be at hand.
            return self->is_open ? FIRN_OK : pq_leaf_peek(self, answer, err);
        }
        self->skip -= left;
        self->rows_taken += left;
        pq_leaf_pass_page(self);
    }
}

// Opens the page if need be and passes over what is to be skipped of it.
static firn_status enter_page(pq_leaf_reader *self, uint32_t count, firn_error *err) {
    if (!self->is_open) {
        TRY(pq_leaf_open_page(self, err));
    }
    assert(self->skip + count <= self->levels.left);
    if (self->skip > 0) {
        uint32_t present;
        const uint32_t skip = (uint32_t)self->skip;
        TRY(pq_levels_skip(&self->levels, skip, &present, err));
        TRY(pq_values_skip(&self->values, present, err));
        self->rows_taken += skip;
        self->skip = 0;
    }
    self->rows_taken += count;
    return FIRN_OK;
}

// The validity of the next `count` rows; NULL if all are there.
static firn_status read_validity(pq_leaf_reader *self, uint32_t count, arena *scratch,
                                 uint64_t **validity, uint32_t *present, firn_error *err) {
    *validity = NULL;
    if (self->is_all_present) {
        return pq_levels_skip(&self->levels, count, present, err);
    }
    uint64_t *bits = ARENA_NEW(scratch, uint64_t, BITMAP_WORDS(count) + 1);
    uint8_t *levels = ARENA_NEW(scratch, uint8_t, (size_t)count + PQ_UNPACK_SPARE);
    if (bits == NULL || levels == NULL) {
        return ARENA_FULL(scratch, err);
    }
    TRY(pq_levels_read_validity(&self->levels, count, bits, 0, levels, present, err));
    *validity = *present == count ? NULL : bits;
    return FIRN_OK;
}

// Room for `count` values of the target's type, more behind them, zero where lanes need it.
static firn_status new_values(const pq_leaf_reader *self, uint32_t count, arena *scratch,
                              void **out, firn_error *err) {
    const bool is_bits = self->values.form == PQ_VALUES_BITS;
    const size_t size = is_bits ? (BITMAP_WORDS(count) + 1) * sizeof(uint64_t)
                                : ((size_t)count + PQ_UNPACK_SPARE) * self->target.conversion.size;
    *out = arena_alloc(scratch, 1, size + PQ_PAD);
    if (*out == NULL) {
        return ARENA_FULL(scratch, err);
    }
    if (is_bits) {
        memset(*out, 0, size);
    }
    return FIRN_OK;
}

static void spread(const pq_leaf_reader *self, void *values, const uint64_t *validity,
                   uint32_t count) {
    if (validity == NULL) {
        return;
    }
    if (self->values.form == PQ_VALUES_BITS) {
        pq_spread_bits(values, validity, count);
    } else {
        pq_spread(values, self->target.conversion.size, validity, count);
    }
}

// True if the page's own bytes can be the column's values.
static bool is_in_place(const pq_leaf_reader *self) {
    return self->values.form == PQ_VALUES_FIXED && self->values.encoding == PQ_ENCODING_PLAIN &&
           pq_target_is_in_place(&self->target, self->values.as.plain.at);
}

// True if the next `count` rows are one run of one entry: a constant column, without unpacking.
static firn_status read_one_run(pq_leaf_reader *self, uint32_t count, column *out, bool *is_one,
                                firn_error *err) {
    bool is_repeated;
    uint32_t code;
    uint32_t length;
    pq_codes *codes = &self->values.as.codes;
    TRY(pq_hybrid_peek(&codes->runs, &is_repeated, &code, &length, err));
    *is_one = is_repeated && length >= count;
    if (!*is_one) {
        return FIRN_OK;
    }
    TRY(pq_codes_take_repeated(codes, count, &code, &length, err));
    assert(length == count);
    const uint8_t *entries = self->chunk->dictionary.values.values;
    out->form = FORM_CONSTANT;
    out->values = entries + (size_t)code * self->target.conversion.size;
    return FIRN_OK;
}

static firn_status read_rows_codes(pq_leaf_reader *self, uint32_t present, const uint64_t *validity,
                                   arena *scratch, column *out, firn_error *err) {
    uint32_t *codes = ARENA_NEW(scratch, uint32_t, (size_t)out->length + PQ_UNPACK_SPARE);
    if (codes == NULL) {
        return ARENA_FULL(scratch, err);
    }
    TRY(pq_values_codes(&self->values, present, codes, err));
    if (validity != NULL) {
        pq_spread(codes, sizeof *codes, validity, out->length);
    }
    out->form = FORM_DICTIONARY;
    out->values = codes;
    out->dictionary = &self->chunk->dictionary.view;
    return FIRN_OK;
}

firn_status pq_leaf_read(pq_leaf_reader *self, uint32_t count, arena *scratch, column *out,
                         firn_error *err) {
    TRY(enter_page(self, count, err));
    uint64_t *validity;
    uint32_t present;
    TRY(read_validity(self, count, scratch, &validity, &present, err));
    const type *kind = self->target.type;
    if ((present == 0 && count > 0) || kind->id == TYPE_NULL) {
        TRY(pq_values_skip(&self->values, present, err));
        return column_new_null(scratch, kind, count, out, err);
    }
    *out = (column){.type = kind, .form = FORM_FLAT, .length = count, .validity = validity};
    if (self->values.form == PQ_VALUES_CODES && validity == NULL && count > 0) {
        bool is_one;
        TRY(read_one_run(self, count, out, &is_one, err));
        if (is_one) {
            return FIRN_OK;
        }
    }
    if (self->values.form == PQ_VALUES_CODES && self->chunk->keeps_codes) {
        return read_rows_codes(self, present, validity, scratch, out, err);
    }
    if (validity == NULL && is_in_place(self)) {
        const uint8_t *raw;
        TRY(pq_values_fixed(&self->values, count, NULL, &raw, err));
        out->values = raw;
        return pq_target_check(&self->target, raw, count, err);
    }
    void *values;
    TRY(new_values(self, count, scratch, &values, err));
    TRY(pq_leaf_read_values(self, present, scratch, values, 0, err));
    spread(self, values, validity, count);
    out->values = values;
    return FIRN_OK;
}

// ---- Some rows only ----------------------------------------------------------------------------

// Which values the wanted rows have: their numbers among those that are there.
typedef struct wanted {
    const uint16_t *ordinals;
    uint32_t count;     // Of those that are there.
    uint32_t row_count; // Of all.
    const uint64_t *validity;
} wanted;

// Numbers the set bits: the value of row r, if it is there, is the one after all set bits before r.
static firn_status number_rows(const uint64_t *validity, const uint16_t *rows, uint32_t row_count,
                               arena *scratch, wanted *out, firn_error *err) {
    uint16_t *ordinals = ARENA_NEW(scratch, uint16_t, row_count);
    uint64_t *bits = ARENA_NEW(scratch, uint64_t, BITMAP_WORDS(row_count) + 1);
    if (ordinals == NULL || bits == NULL) {
        return ARENA_FULL(scratch, err);
    }
    bits_gather(validity, rows, row_count, bits);
    uint32_t count = 0;
    uint32_t word = 0;
    uint32_t before = 0; // Set bits before `word`.
    for (uint32_t k = 0; k < row_count; k++) {
        const uint32_t row = rows[k];
        for (; word < row / 64; word++) {
            before += (uint32_t)__builtin_popcountll(validity[word]);
        }
        const uint64_t below = validity[word] & ((UINT64_C(1) << (row % 64)) - 1);
        ordinals[count] = (uint16_t)(before + (uint32_t)__builtin_popcountll(below));
        count += (uint32_t)(validity[word] >> (row % 64) & 1);
    }
    *out = (wanted){.ordinals = ordinals,
                    .count = count,
                    .row_count = row_count,
                    .validity = count == row_count ? NULL : bits};
    return FIRN_OK;
}

// The wanted ones of values of any width, unaligned.
static void gather_raw(const uint8_t *raw, uint32_t width, const wanted *want, uint8_t *out) {
    switch (width) {
    case 4:
        for (uint32_t k = 0; k < want->count; k++) {
            memcpy(out + (size_t)k * 4, raw + (size_t)want->ordinals[k] * 4, 4);
        }
        break;
    case 8:
        for (uint32_t k = 0; k < want->count; k++) {
            memcpy(out + (size_t)k * 8, raw + (size_t)want->ordinals[k] * 8, 8);
        }
        break;
    default:
        for (uint32_t k = 0; k < want->count; k++) {
            memcpy(out + (size_t)k * width, raw + (size_t)want->ordinals[k] * width, width);
        }
        break;
    }
}

static firn_status take_fixed(pq_leaf_reader *self, uint32_t present, const wanted *want,
                              arena *scratch, void *out, firn_error *err) {
    uint8_t *room;
    const uint8_t *raw;
    TRY(fixed_scratch(self, present, scratch, &room, err));
    TRY(pq_values_fixed(&self->values, present, room, &raw, err));
    uint8_t *dense = out;
    if (self->target.conversion.fixed != NULL) {
        dense = ARENA_NEW(scratch, uint8_t, (size_t)want->count * self->values.width + PQ_PAD);
        if (dense == NULL) {
            return ARENA_FULL(scratch, err);
        }
    }
    gather_raw(raw, self->values.width, want, dense);
    return dense == out ? FIRN_OK : pq_target_convert(&self->target, dense, want->count, out, err);
}

static firn_status take_strings(pq_leaf_reader *self, uint32_t present, const wanted *want,
                                arena *scratch, void *out, firn_error *err) {
    string_value *all = ARENA_NEW(scratch, string_value, present);
    string_value *dense = out;
    if (self->target.conversion.strings != NULL) {
        dense = ARENA_NEW(scratch, string_value, want->count);
    }
    if (all == NULL || dense == NULL) {
        return ARENA_FULL(scratch, err);
    }
    if (self->values.encoding == PQ_ENCODING_PLAIN) {
        TRY(pq_plain_bytes_take(&self->values.as.plain, present, want->ordinals, want->count, dense,
                                err));
    } else {
        TRY(pq_values_strings(&self->values, present, scratch, all, err));
        gather_rows(sizeof *all, all, want->ordinals, want->count, dense);
    }
    if (self->is_ascii && self->target.conversion.strings == NULL) {
        return FIRN_OK;
    }
    return pq_target_convert_strings(&self->target, dense, want->count, out, err);
}

static firn_status take_codes(pq_leaf_reader *self, uint32_t present, const wanted *want,
                              arena *scratch, column *out, firn_error *err) {
    uint32_t *all;
    TRY(read_codes(self, present, scratch, &all, err));
    uint32_t *codes = ARENA_NEW(scratch, uint32_t, (size_t)want->row_count + PQ_UNPACK_SPARE);
    if (codes == NULL) {
        return ARENA_FULL(scratch, err);
    }
    gather_rows(sizeof *all, all, want->ordinals, want->count, codes);
    if (self->chunk->keeps_codes) {
        if (want->validity != NULL) {
            pq_spread(codes, sizeof *codes, want->validity, want->row_count);
        }
        out->form = FORM_DICTIONARY;
        out->values = codes;
        out->dictionary = &self->chunk->dictionary.view;
        return FIRN_OK;
    }
    void *values;
    TRY(new_values(self, want->row_count, scratch, &values, err));
    gather_codes(self->target.conversion.size, self->chunk->dictionary.values.values, codes,
                 want->count, values);
    spread(self, values, want->validity, want->row_count);
    out->values = values;
    return FIRN_OK;
}

static firn_status take_bits(pq_leaf_reader *self, uint32_t present, const wanted *want,
                             arena *scratch, void *out, firn_error *err) {
    uint64_t *all = ARENA_NEW(scratch, uint64_t, BITMAP_WORDS(present) + 1);
    if (all == NULL) {
        return ARENA_FULL(scratch, err);
    }
    TRY(pq_values_bits(&self->values, present, all, 0, err));
    bits_gather(all, want->ordinals, want->count, out);
    return FIRN_OK;
}

static firn_status take_values(pq_leaf_reader *self, uint32_t present, const wanted *want,
                               arena *scratch, column *out, firn_error *err) {
    if (self->values.form == PQ_VALUES_CODES) {
        return take_codes(self, present, want, scratch, out, err);
    }
    void *values;
    TRY(new_values(self, want->row_count, scratch, &values, err));
    out->values = values;
    if (self->values.form == PQ_VALUES_FIXED) {
        TRY(take_fixed(self, present, want, scratch, values, err));
    } else if (self->values.form == PQ_VALUES_STRINGS) {
        TRY(take_strings(self, present, want, scratch, values, err));
    } else {
        TRY(take_bits(self, present, want, scratch, values, err));
    }
    spread(self, values, want->validity, want->row_count);
    return FIRN_OK;
}

firn_status pq_leaf_read_rows(pq_leaf_reader *self, uint32_t count, const uint16_t *rows,
                              uint32_t row_count, arena *scratch, column *out, firn_error *err) {
    TRY(enter_page(self, count, err));
    uint64_t *validity;
    uint32_t present;
    TRY(read_validity(self, count, scratch, &validity, &present, err));
    wanted want = {.ordinals = rows, .count = row_count, .row_count = row_count};
    if (validity != NULL) {
        TRY(number_rows(validity, rows, row_count, scratch, &want, err));
    }
    const type *kind = self->target.type;
    if (want.count == 0 || kind->id == TYPE_NULL) {
        TRY(pq_values_skip(&self->values, present, err));
        return column_new_null(scratch, kind, row_count, out, err);
    }
    *out =
        (column){.type = kind, .form = FORM_FLAT, .length = row_count, .validity = want.validity};
    return take_values(self, present, &want, scratch, out, err);
}
