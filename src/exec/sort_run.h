// Sorted runs: rows of the row store in the order of their keys, in memory or in the spill file.
//
// Column 0 of every row is its key (exec/sort_key.h). A worker gathers rows on pages and, when it
// is through or memory is refused, sorts an array of (key prefix, row pointer): the array is moved,
// not the rows. In memory the run is this array; a spilled run is pages written in order.
#ifndef FIRN_EXEC_SORT_RUN_H
#define FIRN_EXEC_SORT_RUN_H

#include "exec/rows.h"

typedef struct sort_entry {
    uint64_t prefix;
    uint8_t *row;
} sort_entry;

typedef struct sort_run {
    // In memory:
    row_pages pages;
    sort_entry *entries;
    uint64_t count;
    size_t entries_bytes; // Taken from the keeper.
    // Spilled:
    bool is_spilled;
    spill_list written;
    struct sort_run *following;
} sort_run;

/// Where a reader is in a run: the row in front of it.
typedef struct sort_cursor {
    sort_run *run;
    uint64_t at, end; // Entries, in memory.
    size_t page;      // Next spilled page.
    void *memory;     // Page of the reader; NULL for runs in memory.
    row_page *current;
    uint32_t offset;
    uint8_t *row; // NULL: at the end.
    uint64_t prefix;
} sort_cursor;

/// The key of a row; FIRN_INTERNAL never: keys in blobs are compared through rows_compare.
text sort_row_key(const row_store *store, const uint8_t *row);
/// Order of two rows by their keys.
firn_status sort_compare(const row_store *store, const sort_entry *left, const sort_entry *right,
                         arena *scratch, int *out, firn_error *err);
/// Sorts entries in place.
firn_status sort_entries(const row_store *store, sort_entry *entries, uint64_t count,
                         arena *scratch, firn_error *err);
/// Writes the rows of sorted entries into the spill file as pages, in order.
firn_status sort_spill(row_store *store, const sort_entry *entries, uint64_t count,
                       spill_desk *desk, spill_list *out, firn_error *err);

/// Entries [from, end) of a run.
typedef struct sort_range {
    uint64_t from, end;
} sort_range;

/// Hands out the entries of a range, if the run is in memory; a spilled run is read whole into
/// pages of `memory` (page_size bytes).
firn_status sort_cursor_open(row_store *store, sort_run *run, sort_range range, void *memory,
                             spill_desk *desk, sort_cursor *out, firn_error *err);
firn_status sort_cursor_next(row_store *store, sort_cursor *self, spill_desk *desk,
                             firn_error *err);

#endif
