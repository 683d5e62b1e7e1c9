// The column index of a chunk while it is written: bounds and counts by page.
//
// Specification: apache/parquet-format, PageIndex.md.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_PAGE_INDEX_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_PAGE_INDEX_H

#include "formats/parquet/write/pw_statistics.h"

typedef struct pw_page_bounds {
    bool is_null; ///< No value.
    bytes minimum;
    bytes maximum;
    int64_t null_count;
    int64_t nan_count;
} pw_page_bounds;

typedef struct pw_page_index {
    arena *memory;
    const pq_leaf *leaf;
    uint32_t bound_bytes;
    bool has_gap; ///< A page has values and no bounds: then there is no index.
    uint32_t count;
    uint32_t capacity;
    pw_page_bounds *pages;
} pw_page_index;

static inline pw_page_index pw_page_index_open(arena *memory, const pq_leaf *leaf,
                                               uint32_t bound_bytes) {
    return (pw_page_index){.memory = memory, .leaf = leaf, .bound_bytes = bound_bytes};
}

/// Adds the next page. Errors: FIRN_NO_MEMORY.
firn_status pw_page_index_add(pw_page_index *self, const pw_statistics *page, arena *scratch,
                              firn_error *err);
/// The index, encoded, in its memory; empty if there can be none: a page with values has no bounds
/// (NaNs only, no order, too long), or it is beyond the 2 GiB that its size has room for. Errors:
/// FIRN_NO_MEMORY.
firn_status pw_page_index_finish(pw_page_index *self, arena *scratch, bytes *out, firn_error *err);

#endif
