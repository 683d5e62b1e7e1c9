// Reads row groups of a Parquet file as batches.
//
//     pq_reader_open     what to read: picks; nothing is read yet
//     pq_reader_start    which row groups; may be called again for the next task, keeping buffers
//     pq_reader_next     a batch, PQ_WAIT, or PQ_END
//
// A batch ends where the first of its flat columns reaches the end of a page, so that columns can
// point into pages and keep the codes of a dictionary. Columns under lists and structs are put
// together row by row from as many pages as it takes.
//
// Filters are applied exactly. Columns of the first filter are read for all rows, the others only
// for the rows that are left: while these are many the batch has a selection, when they become few
// its columns are made of them alone. Pages of which no row is left are not decompressed.
#ifndef FIRN_FORMATS_PARQUET_PQ_READER_H
#define FIRN_FORMATS_PARQUET_PQ_READER_H

#include "column/batch.h"
#include "formats/parquet/pq_filter.h"
#include "formats/parquet/pq_leaf.h"
#include "formats/parquet/pq_pick.h"

typedef struct pq_reader pq_reader;

/// Rows of the file that are not there any more.
typedef struct pq_deletes {
    /// Sets the bits of deleted rows: bit i for row first + i of the file; `bits` comes in clear.
    /// False if there is none among the `count` rows. NULL: nothing is deleted.
    bool (*find)(void *user, uint64_t first, uint32_t count, uint64_t *bits);
    void *user;
} pq_deletes;

typedef struct pq_reader_options {
    pool *owner;           // To take page buffers from.
    codec_scratch *codecs; // This worker's.
    io_request request;    // Its waker is called when PQ_WAIT is over.
    uint32_t batch_rows;   // At most; 0: BATCH_ROWS.
    uint64_t memory_bytes; // What windows and pages may take, about; 0: what serves speed.
    bool verify_checksums;
    block_cache *cache;   // Keeps pages for the next query; NULL: none.
    uint32_t cache_query; // Which query this is.
    pq_filter_options filter;
    pq_deletes deletes;
    uint32_t filter_only_count; // So many of the last picks are for filters and not handed out.
} pq_reader_options;

/// Counters, added up over all tasks.
typedef struct pq_reader_counters {
    uint64_t row_groups_seen;   // Of one that is read in pieces the first piece counts.
    uint64_t row_groups;        // Read, not counting those that were left out ...
    uint64_t pruned_statistics; // ... for these reasons.
    uint64_t pruned_dynamic;
    uint64_t pruned_bloom;
    uint64_t pruned_dictionary;
    uint64_t pages_pruned;   // By the page index.
    uint64_t pages;          // Of data, read: decompressed, ...
    uint64_t pages_cached;   // ... or these of them found in the cache; ...
    uint64_t pages_skipped;  // ... and those that no row of was wanted.
    uint64_t rows;           // Looked at, ...
    uint64_t rows_deleted;   // ... of these gone, ...
    uint64_t rows_filtered;  // ... and of the others dropped by filters.
    uint64_t values_decoded; // Made flat or converted; codes that were kept are not counted, nor
                             // dictionaries whose entries are the page's bytes.
    uint64_t bytes;          // Read from the file, of column chunks.
} pq_reader_counters;

/// Opens a reader for `picks`, which become the columns of its batches in this order.
///
/// Keeps:  the file (retained); picks and what options point to until it is closed.
/// Errors: FIRN_NO_MEMORY; what compiling the filters says.
firn_status pq_reader_open(pq_file *file, pq_pick *picks, uint32_t pick_count,
                           const pq_reader_options *options, pq_reader **out, firn_error *err);
void pq_reader_close(pq_reader *self); // NULL: nothing.

/// Begins with row groups [from, from + count).
void pq_reader_start(pq_reader *self, uint32_t from, uint32_t count);

/// Begins with rows [from, to) of one row group: a piece of it for one of several workers. Where
/// the file has an offset index only the pages of these rows are read; pages that two pieces share
/// are decompressed by both, so pieces should begin at pages. A piece behind the one before, of the
/// same row group, goes on where that ended: nothing is begun or decompressed again.
void pq_reader_start_rows(pq_reader *self, uint32_t row_group, uint64_t from, uint64_t to);

/// The next batch that has a row; what it points to lives until the next call.
///
/// Errors: FIRN_CORRUPT and others with the names of column, row group and file. After an error the
///         reader can be started again or closed.
firn_status pq_reader_next(pq_reader *self, batch *out, pq_answer *answer, firn_error *err);

/// Waits until what PQ_WAIT spoke of has arrived: for planning, which may wait.
///
/// Errors: FIRN_IO, FIRN_CANCELLED.
firn_status pq_reader_wait(pq_reader *self, firn_error *err);

pq_reader_counters pq_reader_count(const pq_reader *self);

#endif
