// An opened Parquet file: the bytes behind it, its checked footer, the types of its columns.
//
// Opening reads the end of the file, which holds the footer unless that is unusually long. It never
// blocks: pq_opener_next says PQ_WAIT while a range is on its way.
#ifndef FIRN_FORMATS_PARQUET_PQ_FILE_H
#define FIRN_FORMATS_PARQUET_PQ_FILE_H

#include <stdatomic.h>

#include "formats/parquet/pq_types.h"
#include "io/io.h"
#include "memory/pool.h"

typedef enum pq_answer {
    PQ_READY,
    PQ_WAIT, // Bytes are on their way; the waker will be called.
    PQ_END,  // There is no more.
} pq_answer;

typedef struct pq_file_options {
    pq_type_options types;
    uint32_t tail_size; // Bytes to read from the end at first; 0: 64 KiB.
} pq_file_options;

/// Immutable and reference-counted: any number of readers on any threads.
typedef struct pq_file {
    io_file *input;
    const pq_metadata *metadata;
    pq_file_types types;
    // For pq_file.c only.
    atomic_uint references;
    arena memory;
    pool *owner;
    uint8_t *footer; // The block that the metadata points into.
    size_t footer_capacity;
} pq_file;

pq_file *pq_file_retain(pq_file *self);
void pq_file_release(pq_file *self); // NULL: nothing.

text pq_file_path(const pq_file *self);
static inline uint32_t pq_file_row_group_count(const pq_file *self) {
    return (uint32_t)self->metadata->file.row_groups.count;
}
static inline uint64_t pq_file_rows_of(const pq_file *self, uint32_t row_group) {
    return (uint64_t)self->metadata->file.row_groups.items[row_group].row_count;
}

/// The opening of a file, until it is done or given up.
typedef struct pq_opener pq_opener;

/// Begins to open `input`. Memory is taken from `owner`.
///
/// Keeps:  `input` (retained); `owner` and request->cancel until the file is released.
/// Errors: FIRN_NO_MEMORY, FIRN_IO.
firn_status pq_opener_open(io_file *input, const pq_file_options *options, pool *owner,
                           const io_request *request, pq_opener **out, firn_error *err);

/// PQ_READY: `*out` is the file, which the caller releases.
///
/// Errors: what pq_footer_find, pq_metadata_read and pq_types_find say, with the file's name.
firn_status pq_opener_next(pq_opener *self, pq_file **out, pq_answer *answer, firn_error *err);

/// Waits until what PQ_WAIT spoke of has arrived: for planning, which may wait.
firn_status pq_opener_wait(pq_opener *self, firn_error *err);

/// Gives up or ends the opening. NULL does nothing.
void pq_opener_close(pq_opener *self);

/// All of it in one, waiting for the bytes.
firn_status pq_file_open(io_file *input, const pq_file_options *options, pool *owner,
                         const cancel_flag *cancel, pq_file **out, firn_error *err);

#endif
