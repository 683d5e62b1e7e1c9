// The pages of a column chunk, one after the other: headers, bodies, decompression.
//
//     peek     the next page's header is known and its body is at hand; may wait
//     prepare  says what is to be decoded: the page, and pages behind it that are at hand as well
//     commit   it was decoded
//     pass     the next page's turn
//
// Decoding lies between prepare and commit so that blocks of several pages, columns and row groups
// can be decoded together, which codecs do much faster than one after the other. pq_pages_load is
// all of it for one chunk. A page that is passed without having been loaded is never decompressed.
#ifndef FIRN_FORMATS_PARQUET_PQ_PAGES_H
#define FIRN_FORMATS_PARQUET_PQ_PAGES_H

#include "codecs/codec.h"
#include "formats/parquet/pq_window.h"
#include "io/block_cache.h"

// How many pages are decompressed together at most.
#define PQ_AHEAD_MAX 3

// A page that was loaded.
typedef struct pq_loaded {
    pq_page page;
    bytes body; // Levels and values; readable for PQ_PAD bytes behind.
} pq_loaded;

typedef struct pq_pages_options {
    io_file *input;
    pool *owner;
    codec_scratch *codecs;
    io_request request;
    bool verify_checksums;
    size_t window_bytes;     // To read at once ...
    size_t window_bytes_max; // ... and at most, where pages are large.
    size_t ahead_bytes;      // Pages are loaded together while all of them are below this.
    bool is_thrifty;         // Gives room back that only a dictionary needed.
    block_cache *cache;      // NULL: pages are not kept.
    uint64_t cache_file;     // The number that the cache gave the file; 0: not kept either.
    uint32_t cache_query;    // And the query.
} pq_pages_options;

typedef struct pq_pages {
    pq_window window;
    pq_pages_options options;
    codec codec;
    codec_hint hint;
    uint32_t ahead;   // Pages to decode together.
    bool is_peeked;   // `page` is the next page, at the window's start.
    bool is_prepared; // Pages or a dictionary wait for being decoded.
    bool has_begun;   // A page of this chunk has been seen: a dictionary page comes no more.
    pq_page page;
    uint64_t entries_left; // By the chunk's metadata, behind all pages that were passed.
    uint32_t loaded_at;    // The next page among those loaded ...
    uint32_t loaded_count;
    uint32_t level_size; // Of the page before: where values will begin in the next one, probably.
    pq_loaded loaded[PQ_AHEAD_MAX];
    pq_block buffers[PQ_AHEAD_MAX];
    pq_block dictionary;
    bytes dictionary_body;
    bool keeps;          // Pages are looked for in the cache, and put there.
    cached_block *found; // The page that was peeked is in the cache: held until it is passed.
    cached_block *held;  // The body of the page that is loaded.
    cached_block *held_dictionary;
    int64_t decoded_count; // Data pages that were loaded, and ...
    int64_t skipped_count; // ... those that were passed without that.
    int64_t cached_count;  // Of those that were loaded: found in the cache.
} pq_pages;

/// Sets up; must not move afterwards.
void pq_pages_open(pq_pages *self, const pq_pages_options *options);
void pq_pages_close(pq_pages *self);

/// Begins a chunk. Buffers of the chunk before are used again.
///
/// Errors: FIRN_UNSUPPORTED as pq_chunk_check.
firn_status pq_pages_begin(pq_pages *self, const pq_metadata *metadata, uint32_t row_group,
                           uint32_t leaf, firn_error *err);

/// Asks for the chunk's first bytes without waiting, unless the cache has its first page.
firn_status pq_pages_ask(pq_pages *self, firn_error *err);

/// Makes self->page the header of the next page, with its body at hand. PQ_END: there is none.
///
/// Errors: FIRN_CORRUPT if the chunk is cut off or the header is damaged; as pq_window_want.
firn_status pq_pages_peek(pq_pages *self, pq_answer *answer, firn_error *err);

/// The same without the body: for a page that is passed over, most likely.
firn_status pq_pages_peek_header(pq_pages *self, pq_answer *answer, firn_error *err);

/// The blocks that some pages are decoded from, and how.
typedef struct pq_blocks {
    codec_block items[PQ_AHEAD_MAX];
    uint32_t count; // Pages that are stored as they are have none.
} pq_blocks;

/// Of the data page that was peeked, and of pages behind it if the codec gains by that.
firn_status pq_pages_prepare(pq_pages *self, pq_blocks *out, firn_error *err);
/// After the blocks were decoded: the pages are loaded. Bodies live until pages behind all of them
/// are peeked.
void pq_pages_commit(pq_pages *self);

/// The same for a dictionary page that was peeked. Its body lives until the next chunk.
firn_status pq_pages_prepare_dictionary(pq_pages *self, pq_blocks *out, firn_error *err);
void pq_pages_commit_dictionary(pq_pages *self, bytes *body);

/// Decodes blocks.
firn_status pq_pages_decode(const pq_pages *self, const pq_blocks *blocks, firn_error *err);

/// The data page that was peeked, loaded if it is not yet.
firn_status pq_pages_load(pq_pages *self, const pq_loaded **out, firn_error *err);

/// Passes over the page that was peeked.
void pq_pages_pass(pq_pages *self);

/// Goes forward to the data page at `offset` in the file. No page is loaded.
/// False if that is before what was passed already; then nothing happened.
bool pq_pages_seek(pq_pages *self, uint64_t offset);

/// True if the page that was peeked is loaded already.
static inline bool pq_pages_is_loaded(const pq_pages *self) {
    return self->loaded_at < self->loaded_count;
}

#endif
