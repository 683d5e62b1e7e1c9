// The rows of a row group at which the pages of a column begin: where it may be cut for several
// workers, so that no page of that column is decompressed twice.
//
// They stand in the offset index, or are found by walking over the page headers.
#ifndef FIRN_FORMATS_PARQUET_PQ_PAGE_STARTS_H
#define FIRN_FORMATS_PARQUET_PQ_PAGE_STARTS_H

#include "formats/parquet/pq_file.h"

#define PQ_PAGE_STARTS_MAX 4096

typedef struct pq_page_starts {
    bool is_any; // The pages are so many that any row is as good as another.
    uint32_t count;
    uint64_t *rows; // Ascending, the first is 0.
} pq_page_starts;

/// Finds them, in `memory`, for a leaf outside lists. Waits for the bytes: some for each page.
///
/// Errors: FIRN_IO, FIRN_CANCELLED, FIRN_NO_MEMORY. What is damaged ends the list and is no error.
firn_status pq_page_starts_read(const pq_file *file, uint32_t row_group, uint32_t leaf,
                                const cancel_flag *cancel, arena *memory, pq_page_starts *out,
                                firn_error *err);

#endif
