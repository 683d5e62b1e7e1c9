// The pages of a column chunk, one after the other: headers, bodies, decompression.
//
//     peek   the next page's header is known and its body is at hand; may wait
//     load   its body is decompressed, and those of the pages behind it that are at hand as well:
//            codecs decode several at once much faster than one after the other
//     pass   the next page's turn
//
// A page that is passed without having been loaded is never decompressed.
#ifndef FIRN_FORMATS_PARQUET_PQ_PAGES_H
#define FIRN_FORMATS_PARQUET_PQ_PAGES_H

#include "codecs/codec.h"
#include "formats/parquet/pq_window.h"

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
} pq_pages_options;

typedef struct pq_pages {
    pq_window window;
    pq_pages_options options;
    codec codec;
    codec_hint hint;
    bool is_peeked; // `page` is the next page, at the window's start.
    bool has_begun; // A page of this chunk has been seen: a dictionary page comes no more.
    pq_page page;
    uint64_t entries_left; // By the chunk's metadata, behind all pages that were passed.
    uint32_t loaded_at;    // The next page among those loaded ...
    uint32_t loaded_count;
    pq_loaded loaded[PQ_AHEAD_MAX];
    pq_block buffers[PQ_AHEAD_MAX];
    pq_block dictionary;
    int64_t page_count;    // Pages passed, and ...
    int64_t skipped_count; // ... those of them that were never loaded.
} pq_pages;

/// Sets up; must not move afterwards.
void pq_pages_open(pq_pages *self, const pq_pages_options *options);
void pq_pages_close(pq_pages *self);

/// Begins a chunk, reading `step` bytes at a time. Buffers of the chunk before are used again.
///
/// Errors: FIRN_UNSUPPORTED as pq_chunk_check.
firn_status pq_pages_begin(pq_pages *self, const pq_metadata *metadata, uint32_t row_group,
                           uint32_t leaf, size_t step, firn_error *err);

/// Makes self->page the header of the next page, with its body at hand. PQ_END: there is none.
///
/// Errors: FIRN_CORRUPT if the chunk is cut off or the header is damaged; as pq_window_want.
firn_status pq_pages_peek(pq_pages *self, pq_answer *answer, firn_error *err);

/// The page that was peeked, which is a dictionary page: its body. It lives until the next chunk.
firn_status pq_pages_take_dictionary(pq_pages *self, bytes *body, firn_error *err);

/// The body of the data page that was peeked. It lives until pages behind it are peeked. `ahead`
/// says how many pages are worth loading together.
firn_status pq_pages_load(pq_pages *self, uint32_t ahead, const pq_loaded **out, firn_error *err);

/// Passes over the page that was peeked.
void pq_pages_pass(pq_pages *self);

/// True if the page that was peeked is loaded already.
static inline bool pq_pages_is_loaded(const pq_pages *self) {
    return self->loaded_at < self->loaded_count;
}

#endif
