// Rows and pages of a column chunk by its offset index.
#ifndef FIRN_FORMATS_PARQUET_PQ_PAGE_INDEX_H
#define FIRN_FORMATS_PARQUET_PQ_PAGE_INDEX_H

#include "formats/parquet/pq_metadata.h"

/// Rows [from, to) of a row group.
typedef struct pq_row_span {
    uint64_t from;
    uint64_t to;
} pq_row_span;

/// The rows of page `page`; the last one ends with the row group.
pq_row_span pq_page_rows(const pq_offset_index *index, size_t page, uint64_t row_count);

/// The page that holds row `row`, which is below the row group's count; 0 if there are no pages.
/// Of pages that begin with the same row it is the last one.
size_t pq_page_of_row(const pq_offset_index *index, uint64_t row);

/// An ascending list of spans that neither overlap nor touch.
typedef struct pq_row_spans {
    size_t count;
    pq_row_span *items;
} pq_row_spans;

/// Takes the rows [from, to) out of `spans`, in place. There must be room for one span more.
void pq_row_spans_remove(pq_row_spans *spans, uint64_t from, uint64_t to);

/// How many rows the spans hold.
uint64_t pq_row_spans_rows(const pq_row_spans *spans);

#endif
