#include "formats/parquet/pq_pages.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "formats/parquet/pq_unpack.h"

#define HEADER_SIZE_GUESS 128
// Bytes behind an output that a decoder may garble: all that Snappy finds useful.
#define SLACK 144
// Where the values of a v2 page begin in its buffer, so that they can be used in place.
#define ALIGNMENT 64

void pq_pages_open(pq_pages *self, const pq_pages_options *options) {
    *self = (pq_pages){.options = *options};
    pq_window_open(&self->window, options->input, options->owner, &options->request);
}

static void let_go(const pq_pages *self, cached_block **block) {
    if (*block != NULL) {
        block_cache_release(self->options.cache, *block);
        *block = NULL;
    }
}

void pq_pages_close(pq_pages *self) {
    let_go(self, &self->found);
    let_go(self, &self->held);
    let_go(self, &self->held_dictionary);
    pq_window_close(&self->window);
    for (uint32_t i = 0; i < PQ_AHEAD_MAX; i++) {
        pq_block_close(&self->buffers[i], self->options.owner);
    }
    pq_block_close(&self->dictionary, self->options.owner);
}

static codec codec_of(int32_t number) {
    switch ((pq_codec)number) {
    case PQ_CODEC_SNAPPY:
        return CODEC_SNAPPY;
    case PQ_CODEC_GZIP:
        return CODEC_GZIP;
    case PQ_CODEC_BROTLI:
        return CODEC_BROTLI;
    case PQ_CODEC_LZ4:
        return CODEC_LZ4_HADOOP;
    case PQ_CODEC_ZSTD:
        return CODEC_ZSTD;
    case PQ_CODEC_LZ4_RAW:
        return CODEC_LZ4;
    case PQ_CODEC_UNCOMPRESSED:
    case PQ_CODEC_LZO: // Refused by pq_chunk_check.
        break;
    }
    return CODEC_NONE;
}

// Where in the file the next page begins that was not loaded.
static uint64_t next_offset(const pq_pages *self) {
    return self->window.end - pq_window_left(&self->window);
}

firn_status pq_pages_begin(pq_pages *self, const pq_metadata *metadata, uint32_t row_group,
                           uint32_t leaf, firn_error *err) {
    TRY(pq_chunk_check(metadata, row_group, leaf, err));
    const pq_column_metadata *chunk = pq_chunk_metadata(metadata, row_group, leaf);
    const bool is_text = chunk->type == PQ_BYTE_ARRAY;
    pq_window_begin(&self->window, pq_chunk_place(metadata, row_group, leaf),
                    self->options.window_bytes);
    self->codec = codec_of(chunk->codec);
    self->hint = is_text ? CODEC_HINT_TEXT : CODEC_HINT_NUMBERS;
    // Only Snappy is faster on several blocks; for the others fewer bytes at a time stay in cache.
    self->ahead = self->codec == CODEC_SNAPPY ? PQ_AHEAD_MAX : 1;
    self->is_peeked = false;
    self->is_prepared = false;
    self->has_begun = false;
    self->entries_left = (uint64_t)chunk->value_count;
    self->loaded_at = 0;
    self->loaded_count = 0;
    let_go(self, &self->found);
    let_go(self, &self->held);
    let_go(self, &self->held_dictionary);
    const uint64_t file = self->options.cache_file;
    self->keeps = file != 0 && block_cache_touch(self->options.cache, file, next_offset(self),
                                                 self->options.cache_query);
    return FIRN_OK;
}

// ---- The cache ---------------------------------------------------------------------------------

_Static_assert(sizeof(pq_page) <= CACHED_HEADER_MAX, "a page's header must fit");

static size_t page_size(const pq_page *page) {
    return (size_t)page->header_size + page->body_size;
}

// Whether a page can be the chunk's next one. Footers may lay chunks over one another, so this does
// not follow from its having been one of another chunk.
static bool is_possible(const pq_pages *self, const pq_page *page) {
    return page_size(page) <= pq_window_left(&self->window) &&
           (page->type != PQ_PAGE_DICTIONARY || !self->has_begun);
}

// Is the next page in the cache? Then it need not be read. What can't be is read, to be told.
static bool find_cached(pq_pages *self) {
    if (!self->keeps || self->entries_left == 0 || pq_window_left(&self->window) == 0) {
        return false;
    }
    self->found =
        block_cache_find(self->options.cache, self->options.cache_file, next_offset(self));
    if (self->found == NULL) {
        return false;
    }
    memcpy(&self->page, self->found->header, sizeof self->page);
    self->is_peeked = is_possible(self, &self->page);
    if (!self->is_peeked) {
        let_go(self, &self->found);
    }
    return self->is_peeked;
}

// Keeps a page that was decoded, as it lies at `offset`. A memory limit may be against it.
static void keep(const pq_pages *self, const pq_page *page, bytes body, uint64_t offset) {
    const size_t skew = (uintptr_t)body.data % ALIGNMENT;
    cached_block *block = block_cache_new(self->options.cache, body.size, skew, PQ_PAD);
    if (block == NULL) {
        return;
    }
    pq_page header = *page;
    header.statistics = (pq_statistics){0}; // They lie in the window.
    memcpy(block->header, &header, sizeof header);
    if (body.size > 0) {
        memcpy((uint8_t *)(uintptr_t)block->body.data, body.data, body.size);
    }
    block_cache_put(self->options.cache, block, self->options.cache_file, offset);
}

firn_status pq_pages_ask(pq_pages *self, firn_error *err) {
    return find_cached(self) ? FIRN_OK : pq_window_ask(&self->window, err);
}

// ---- Headers -----------------------------------------------------------------------------------

// Reads the header at the window's start, with as many bytes as that takes.
static firn_status read_header(pq_pages *self, bool is_alone, pq_answer *answer, firn_error *err) {
    size_t size = HEADER_SIZE_GUESS;
    for (;;) {
        TRY(is_alone ? pq_window_want_few(&self->window, size, answer, err)
                     : pq_window_want(&self->window, size, answer, err));
        if (*answer != PQ_READY) {
            return FIRN_OK;
        }
        const bytes at_hand = pq_window_bytes(&self->window);
        bool is_short;
        const firn_status status = pq_page_header_read(at_hand, &self->page, &is_short, err);
        if (status == FIRN_OK) {
            break;
        }
        if (!is_short || at_hand.size >= pq_window_left(&self->window)) {
            return status;
        }
        size = at_hand.size * 2;
    }
    const uint64_t left = pq_window_left(&self->window) - self->page.header_size;
    if (self->page.body_size > left) {
        return FAIL(err, FIRN_CORRUPT, "page of %u bytes, its column chunk has %llu left",
                    self->page.body_size, (unsigned long long)left);
    }
    return FIRN_OK;
}

// Finds the next page; `*answer` is PQ_END if there is none.
static firn_status find_page(pq_pages *self, bool is_alone, pq_answer *answer, firn_error *err) {
    *answer = PQ_READY;
    if (pq_pages_is_loaded(self)) {
        self->page = self->loaded[self->loaded_at].page;
        return FIRN_OK;
    }
    while (!self->is_peeked) {
        // Chunks end with their last value; some have bytes behind it.
        if (self->entries_left == 0 || pq_window_left(&self->window) == 0) {
            *answer = PQ_END;
            return FIRN_OK;
        }
        if (find_cached(self)) {
            break;
        }
        TRY(read_header(self, is_alone, answer, err));
        if (*answer != PQ_READY) {
            return FIRN_OK;
        }
        if (self->page.type == PQ_PAGE_INDEX) { // Holds no values.
            pq_window_pass(&self->window, page_size(&self->page));
            continue;
        }
        if (self->page.type == PQ_PAGE_DICTIONARY && self->has_begun) {
            return FAIL(err, FIRN_CORRUPT, "dictionary page behind other pages");
        }
        self->is_peeked = true;
    }
    return FIRN_OK;
}

firn_status pq_pages_peek_header(pq_pages *self, pq_answer *answer, firn_error *err) {
    return find_page(self, true, answer, err);
}

firn_status pq_pages_peek(pq_pages *self, pq_answer *answer, firn_error *err) {
    TRY(find_page(self, false, answer, err));
    if (*answer != PQ_READY || pq_pages_is_loaded(self) || self->found != NULL) {
        return FIRN_OK;
    }
    // So that the pages behind it are at hand, too, when it is decoded.
    const size_t wanted = self->ahead * page_size(&self->page);
    if (wanted > self->window.step) {
        const size_t most = self->options.window_bytes_max;
        self->window.step = wanted < most ? wanted : most;
    }
    return pq_window_want(&self->window, page_size(&self->page), answer, err);
}

void pq_pages_pass(pq_pages *self) {
    assert(self->is_peeked || pq_pages_is_loaded(self));
    const uint64_t entries = self->page.type == PQ_PAGE_DATA ? self->page.value_count : 0;
    self->entries_left -= entries < self->entries_left ? entries : self->entries_left;
    self->has_begun = true;
    if (pq_pages_is_loaded(self)) {
        self->loaded_at += 1;
        return;
    }
    self->skipped_count += self->page.type == PQ_PAGE_DATA;
    self->is_peeked = false;
    let_go(self, &self->found);
    pq_window_pass(&self->window, page_size(&self->page));
}

bool pq_pages_seek(pq_pages *self, uint64_t offset) {
    assert(!pq_pages_is_loaded(self) && !self->is_prepared);
    if (offset < next_offset(self)) {
        return false;
    }
    let_go(self, &self->found);
    pq_window_seek(&self->window, offset);
    self->is_peeked = false;
    self->has_begun = true;
    self->entries_left = UINT64_MAX; // Nobody counted those that were passed: bytes tell the end.
    return true;
}

// ---- Bodies ------------------------------------------------------------------------------------

static firn_status reserve(const pq_pages *self, pq_block *buffer, size_t size, firn_error *err) {
    size_t wanted;
    if (!add_fits(size, ALIGNMENT + SLACK + PQ_PAD, &wanted)) {
        return FAIL(err, FIRN_CORRUPT, "page of %zu bytes", size);
    }
    return pq_block_reserve(buffer, self->options.owner, wanted, 0, err);
}

static firn_status check_sum(const pq_pages *self, const pq_page *page, bytes stored,
                             firn_error *err) {
    if (!self->options.verify_checksums || !page->has_crc) {
        return FIRN_OK;
    }
    const uint32_t crc = codec_crc32(stored);
    if (crc != page->crc) {
        return FAIL(err, FIRN_CORRUPT, "page with checksum %08x, its header says %08x", crc,
                    page->crc);
    }
    return FIRN_OK;
}

// Prepares one page: either its body lies where it is, or a block says what to decode. Levels of a
// v2 page are not compressed: they are copied in front of the values, which begin aligned; those of
// a v1 page begin aligned if its levels take as many bytes as the page before's.
static firn_status prepare(const pq_pages *self, const pq_page *page, bytes stored,
                           pq_block *buffer, pq_blocks *blocks, bytes *body, firn_error *err) {
    TRY(check_sum(self, page, stored, err));
    if (self->codec == CODEC_NONE || !page->is_compressed) {
        *body = stored;
        return FIRN_OK;
    }
    TRY(reserve(self, buffer, page->plain_size, err));
    const uint32_t copied = page->definition_size + page->repetition_size;
    const uint32_t level_size = page->is_v2 ? copied : self->level_size;
    uint8_t *out = buffer->data + (ALIGNMENT - level_size % ALIGNMENT) % ALIGNMENT;
    if (copied > 0) {
        memcpy(out, stored.data, copied);
    }
    *body = (bytes){.data = out, .size = page->plain_size};
    blocks->items[blocks->count++] = (codec_block){
        .in = {.data = stored.data + copied, .size = stored.size - copied},
        .out = out + copied,
        .out_size = page->plain_size - copied,
        .padding = PQ_PAD, // The window has as many behind what is at hand.
        .slack = SLACK,
    };
    return FIRN_OK;
}

// The pages at hand: the one that was peeked and up to `ahead` - 1 data pages behind it.
static uint32_t gather(pq_pages *self, uint32_t ahead, bytes *stored) {
    bytes at_hand = pq_window_bytes(&self->window);
    size_t total = 0;
    uint32_t count = 0;
    uint64_t entries = 0;
    while (count < ahead && entries < self->entries_left) {
        pq_page page = self->page;
        bool is_short;
        firn_error ignored = ERR_INIT; // Whoever peeks at that page will see it.
        if (count > 0 && (at_hand.size == 0 ||
                          pq_page_header_read(at_hand, &page, &is_short, &ignored) != FIRN_OK)) {
            break;
        }
        total += page.plain_size;
        const bool is_data = page.type == PQ_PAGE_DATA;
        if (count > 0 &&
            (!is_data || page_size(&page) > at_hand.size || total > self->options.ahead_bytes)) {
            break;
        }
        stored[count] = (bytes){.data = at_hand.data + page.header_size, .size = page.body_size};
        self->loaded[count].page = page;
        at_hand.data += page_size(&page);
        at_hand.size -= page_size(&page);
        entries += page.value_count;
        count += 1;
    }
    return count;
}

// What lies behind an output was garbled, and must read as zeros.
static void clear_pad(const pq_block *buffer, bytes body) {
    const uint8_t *start = buffer->data;
    if (start != NULL && body.data >= start && body.data < start + buffer->size) {
        memset(buffer->data + (body.data - start) + body.size, 0, PQ_PAD);
    }
}

firn_status pq_pages_decode(const pq_pages *self, const pq_blocks *blocks, firn_error *err) {
    if (blocks->count == 0) {
        return FIRN_OK;
    }
    return codec_decode_many(self->codec, blocks->items, blocks->count, self->hint,
                             self->options.codecs, err);
}

// Nothing is to be decoded: the body is there.
static void prepare_cached(pq_pages *self) {
    self->held = self->found;
    self->found = NULL;
    self->loaded[0] = (pq_loaded){.page = self->page, .body = self->held->body};
    self->loaded_at = 1; // As below.
    self->loaded_count = 1;
    self->is_prepared = true;
    self->cached_count += 1;
}

firn_status pq_pages_prepare(pq_pages *self, pq_blocks *out, firn_error *err) {
    assert(self->is_peeked && !pq_pages_is_loaded(self) && self->page.type == PQ_PAGE_DATA);
    bytes stored[PQ_AHEAD_MAX];
    out->count = 0;
    let_go(self, &self->held);
    if (self->found != NULL) {
        prepare_cached(self);
        return FIRN_OK;
    }
    const uint32_t count = gather(self, self->ahead, stored);
    for (uint32_t i = 0; i < count; i++) {
        TRY(prepare(self, &self->loaded[i].page, stored[i], &self->buffers[i], out,
                    &self->loaded[i].body, err));
    }
    self->loaded_at = count; // None is loaded before they are decoded.
    self->loaded_count = count;
    self->is_prepared = true;
    return FIRN_OK;
}

void pq_pages_commit(pq_pages *self) {
    assert(self->is_prepared);
    for (uint32_t i = 0; i < self->loaded_count; i++) {
        const pq_loaded *each = &self->loaded[i];
        clear_pad(&self->buffers[i], each->body);
        if (self->keeps && self->held == NULL) {
            keep(self, &each->page, each->body, next_offset(self));
        }
        pq_window_pass(&self->window, page_size(&each->page));
    }
    self->decoded_count += self->loaded_count;
    self->is_prepared = false;
    self->is_peeked = false;
    self->loaded_at = 0;
}

firn_status pq_pages_load(pq_pages *self, const pq_loaded **out, firn_error *err) {
    if (!pq_pages_is_loaded(self)) {
        pq_blocks blocks;
        TRY(pq_pages_prepare(self, &blocks, err));
        TRY(pq_pages_decode(self, &blocks, err));
        pq_pages_commit(self);
    }
    *out = &self->loaded[self->loaded_at];
    return FIRN_OK;
}

firn_status pq_pages_prepare_dictionary(pq_pages *self, pq_blocks *out, firn_error *err) {
    assert(self->is_peeked && self->page.type == PQ_PAGE_DICTIONARY);
    out->count = 0;
    if (self->found != NULL) {
        self->held_dictionary = self->found;
        self->found = NULL;
        self->dictionary_body = self->held_dictionary->body;
        self->is_prepared = true;
        return FIRN_OK;
    }
    const bytes at_hand = pq_window_bytes(&self->window);
    const bytes stored = {.data = at_hand.data + self->page.header_size,
                          .size = self->page.body_size};
    self->level_size = 0;
    TRY(prepare(self, &self->page, stored, &self->dictionary, out, &self->dictionary_body, err));
    if (out->count == 0) { // Stored as it is: it must outlive the window.
        TRY(reserve(self, &self->dictionary, stored.size, err));
        if (stored.size > 0) {
            memcpy(self->dictionary.data, stored.data, stored.size);
        }
        self->dictionary_body = (bytes){.data = self->dictionary.data, .size = stored.size};
    }
    self->is_prepared = true;
    return FIRN_OK;
}

void pq_pages_commit_dictionary(pq_pages *self, bytes *body) {
    assert(self->is_prepared && self->page.type == PQ_PAGE_DICTIONARY);
    clear_pad(&self->dictionary, self->dictionary_body);
    if (self->keeps && self->held_dictionary == NULL) {
        keep(self, &self->page, self->dictionary_body, next_offset(self));
    }
    *body = self->dictionary_body;
    self->is_prepared = false;
    pq_pages_pass(self);
    if (self->options.is_thrifty) {
        pq_window_trim(&self->window);
    }
}
