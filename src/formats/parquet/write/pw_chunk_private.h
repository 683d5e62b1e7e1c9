// The state of a column chunk that is being written, and its parts: putting (pw_chunk.c,
// pw_chunk_pieces.c), choosing (pw_chunk_choose.c) and pages that are ended (pw_chunk_pages.c).
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_CHUNK_PRIVATE_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_CHUNK_PRIVATE_H

#include "formats/parquet/write/pw_bloom.h"
#include "formats/parquet/write/pw_chunk.h"
#include "formats/parquet/write/pw_dictionary.h"
#include "formats/parquet/write/pw_page.h"
#include "formats/parquet/write/pw_page_index.h"

/// A page that is ended.
typedef struct pw_held_page {
    bytes body;    ///< Not compressed, in `raw`; or final: with its header, in `memory`.
    bool is_final; ///< As it will lie in the file.
    bool is_empty; ///< It has levels, but no value. Its encoding is open until it is final, and a
                   ///< byte behind its body is the 0 of codes without bits.
    pq_encoding encoding;
    bool is_quick; ///< If it is compressed, then at CODEC_LEVEL_QUICK.
    uint32_t row_count;
    uint32_t entry_count;
} pw_held_page;

/// A dictionary that comes in: the code of each of its entries that was met.
typedef struct pw_source {
    arena memory;
    uint64_t identity;  ///< 0: none.
    const void *stored; ///< The array that `entries` were made from; it may move.
    pw_values entries;
    uint32_t *map;
} pw_source;

struct pw_chunk {
    const pw_options *options;
    const pw_leaf_options *leaf_options;
    const pq_leaf *leaf;
    arena memory; ///< Holds the chunk itself and all that is final.
    arena raw;    ///< Bodies that wait for the codec.
    arena coded;  ///< The dictionary.
    pw_page page;
    pw_dictionary *dictionary; ///< NULL: none, or given up before a page needed it.
    pw_source source;
    uint8_t *seen; ///< By code, `seen_size` of them: 1 if the entry occurs on the page.
    uint32_t seen_size;
    uint32_t half_entries; ///< Of the dictionary when the first page was half full, ...
    uint32_t half_values;  ///< ... and values of the page.
    bool is_undecided;     ///< Whether codes are good for these values has yet to be seen.
    bool is_codec_known;
    bool is_compressed;
    bool has_otherwise; ///< `otherwise` was chosen.
    pq_encoding otherwise;
    bool is_otherwise_quick; ///< See pw_held_page.
    uint32_t page_count;
    uint32_t page_capacity;
    uint32_t coded_count; ///< Pages of codes.
    pw_held_page *pages;
    uint64_t held_size; ///< Of all pages.
    uint64_t value_count;
    pw_statistics page_statistics;
    pw_statistics statistics;
    pw_page_index index;
    pw_bloom bloom;
    pw_chunk_result result;
};

// ---- pw_chunk_pieces.c -------------------------------------------------------------------------

/// The values of all entries that are put, in one of two forms.
typedef struct pw_put_values {
    bool is_source;   ///< Indexes into the source's entries; else values.
    pw_values values; ///< Those of the entries, or the source's entries.
    uint32_t *indexes;
} pw_put_values;

/// Makes them, in the worker's scratch. Errors: those of pw_store.
firn_status pw_chunk_prepare(pw_chunk *self, const pw_entries *entries, pw_worker *with,
                             pw_put_values *out, firn_error *err);
/// Values [from, from + count) as an array.
firn_status pw_chunk_slice(const pw_put_values *all, uint32_t from, uint32_t count, arena *scratch,
                           pw_values *out, firn_error *err);
/// Where the next piece of entries begins.
typedef struct pw_place {
    uint32_t row;
    uint32_t entry;
    uint32_t value;
} pw_place;
/// The next entries that go to the page together: whole rows, at least one, no more than the page
/// takes.
pw_entries pw_chunk_next_piece(const pw_chunk *self, const pw_entries *all,
                               const pw_put_values *values, pw_place at);

// ---- pw_chunk_choose.c -------------------------------------------------------------------------

/// Chooses the encoding of pages that are not coded by some of their values; and with it the
/// chunk's codec, unless it is known.
firn_status pw_chunk_choose_otherwise(pw_chunk *self, const pw_values *values, pw_worker *with,
                                      pw_choice *out, firn_error *err);
/// Whether codes are the best form of the values of the page that is filled, and so of the chunk's.
/// `goes_on`: more pages may come.
firn_status pw_chunk_is_coding_best(pw_chunk *self, const pw_values *values, bool goes_on,
                                    pw_worker *with, bool *out, firn_error *err);
/// Chooses the codec by the dictionary and some of the pages together, unless it is known.
firn_status pw_chunk_choose_codec(pw_chunk *self, pw_worker *with, firn_error *err);

// ---- pw_chunk_pages.c --------------------------------------------------------------------------

/// Adds an ended page; its body, in the worker's scratch, is compressed or copied.
firn_status pw_chunk_hold(pw_chunk *self, const pw_held_page *page, pw_worker *with,
                          firn_error *err);
/// Once the codec is known: makes final what waited for it.
firn_status pw_chunk_settle(pw_chunk *self, pw_worker *with, firn_error *err);
/// Pages from here on have the other encoding. Where pages are coded the dictionary stays, for the
/// dictionary page; it does not grow any more.
firn_status pw_chunk_end_coding(pw_chunk *self, pw_worker *with, firn_error *err);
/// The entries of the dictionary as the body of its page, in the worker's scratch.
firn_status pw_chunk_dictionary_body(const pw_chunk *self, pw_worker *with, bytes *out,
                                     firn_error *err);
/// Makes the result of the pages, all of which are ended.
firn_status pw_chunk_make_result(pw_chunk *self, pw_worker *with, firn_error *err);

#endif
