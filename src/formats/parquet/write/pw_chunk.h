// A column chunk that is being written: one leaf of one row group.
//
//     put      entries → the page that is being filled
//     page end → statistics; a body, encoded
//     finish   → pages as they will lie in the file, dictionary first, compressed
//
// **Choosing.** A chunk begins with a dictionary where it may have one. The first page (or the one
// by which there are enough values, where most entries are NULL) shows what the values are like:
// codes and dictionary are compared with the other encodings of the same values, a share of the
// dictionary if it looks as if it would not become too large. If it loses, or later becomes larger
// than pw_options.dictionary_bytes, the pages from there on have the other encoding. Pages without
// a value have codes where others do, else PLAIN: a chunk of NULLs has no dictionary page.
//
// **Codec.** One for all pages of a chunk, as the format has it, so bodies wait uncompressed until
// it is known: with a dictionary until the chunk or the dictionary ends (or, if all pages are to be
// compressed, until codes are chosen), else the first page only.
//
// Pages end between rows. A row has at most INT32_MAX entries less PW_PAGE_BYTES_MAX. One thread at
// a time.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_CHUNK_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_CHUNK_H

#include "formats/parquet/write/pw_encode.h"
#include "formats/parquet/write/pw_schema.h"
#include "formats/parquet/write/pw_shred.h"
#include "formats/parquet/write/pw_statistics.h"

typedef struct pw_chunk pw_chunk;

/// A page as it will lie in the file: header and body.
typedef struct pw_written_page {
    bytes content;
    uint32_t row_count;
} pw_written_page;

#define PW_ENCODING_COUNT ((uint32_t)PQ_ENCODING_BYTE_STREAM_SPLIT + 1)

/// A finished chunk; lives as long as it does.
typedef struct pw_chunk_result {
    uint32_t page_count; ///< Data pages.
    const pw_written_page *pages;
    bytes dictionary_page; ///< Header and body; empty if there is none.
    uint64_t size;         ///< Of all that together.
    uint64_t uncompressed_size;
    uint64_t entry_count; ///< The format's value_count: NULLs included.
    codec codec;
    uint64_t null_count;                  ///< Entries without a value.
    uint32_t pages_of[PW_ENCODING_COUNT]; ///< Data pages by pq_encoding.
    pq_bounds bounds;                     ///< Shortened as asked for; what was not is not there.
    bytes column_index;                   ///< pq_column_index, encoded; empty: none.
    bytes bloom;                          ///< Bitset; empty: none.
} pw_chunk_result;

/// For leaf `leaf`. Borrows `schema` and `options`. Errors: FIRN_NO_MEMORY.
firn_status pw_chunk_open(const pw_schema *schema, const pw_options *options, uint32_t leaf,
                          pool *owner, pw_chunk **out, firn_error *err);
void pw_chunk_close(pw_chunk *self); ///< NULL does nothing.

/// Adds rows. After an error the chunk can only be closed.
/// Errors: those of pw_store and of encodings; FIRN_INVALID (SQLSTATE 54000) for a row of more
///         entries, or a page of more bytes, than Parquet has a form for; FIRN_NO_MEMORY,
///         FIRN_CANCELLED.
firn_status pw_chunk_put(pw_chunk *self, const pw_entries *entries, pw_worker *with,
                         firn_error *err);
/// Bytes that the chunk will have in the file, about, and those of memory that it holds.
uint64_t pw_chunk_size(const pw_chunk *self);
uint64_t pw_chunk_memory(const pw_chunk *self);
/// Ends the last page. `*out` is the chunk's.
firn_status pw_chunk_finish(pw_chunk *self, pw_worker *with, const pw_chunk_result **out,
                            firn_error *err);

#endif
