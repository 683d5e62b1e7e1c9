// Reads row groups of a Parquet file as batches.
//
//     pq_reader_open     what to read: picks; nothing is read yet
//     pq_reader_start    which row groups; may be called again for the next task, keeping buffers
//     pq_reader_next     a batch, PQ_WAIT, or PQ_END
//
// A batch ends where the first of its flat columns reaches the end of a page, so that columns can
// point into pages and keep the codes of a dictionary. Columns under lists and structs are put
// together row by row from as many pages as it takes.
#ifndef FIRN_FORMATS_PARQUET_PQ_READER_H
#define FIRN_FORMATS_PARQUET_PQ_READER_H

#include "column/batch.h"
#include "formats/parquet/pq_leaf.h"
#include "formats/parquet/pq_pick.h"

typedef struct pq_reader pq_reader;

typedef struct pq_reader_options {
    pool *owner;           // To take page buffers from.
    codec_scratch *codecs; // This worker's.
    io_request request;    // Its waker is called when PQ_WAIT is over.
    uint32_t batch_rows;   // At most; 0: BATCH_ROWS.
    bool verify_checksums;
} pq_reader_options;

/// Counters, added up over all tasks.
typedef struct pq_reader_counters {
    uint64_t row_groups;
    uint64_t pages;
    uint64_t pages_skipped;
    uint64_t rows;
} pq_reader_counters;

/// Opens a reader for `picks`, which become the columns of its batches in this order.
///
/// Keeps:  the file (retained); picks, options->owner, codecs, cancel flag until it is closed.
/// Errors: FIRN_NO_MEMORY.
firn_status pq_reader_open(pq_file *file, pq_pick *picks, uint32_t pick_count,
                           const pq_reader_options *options, pq_reader **out, firn_error *err);
void pq_reader_close(pq_reader *self); // NULL: nothing.

/// Begins with row groups [from, from + count).
void pq_reader_start(pq_reader *self, uint32_t from, uint32_t count);

/// The next batch; what it points to lives until the next call. `scratch` may be reset in between.
///
/// Errors: FIRN_CORRUPT and others with the names of column, row group and file. After an error the
///         reader can be started again or closed.
firn_status pq_reader_next(pq_reader *self, arena *scratch, batch *out, pq_answer *answer,
                           firn_error *err);

/// The number in the file of the first row of the batch that was handed out last.
uint64_t pq_reader_position(const pq_reader *self);

pq_reader_counters pq_reader_count(const pq_reader *self);

#endif
