// Sorted runs: rows of the row store in the order of their keys, in memory or in the spill file.
//
// Column 0 of every row is its key (exec/sort/sort_key.h), or the key is of a fixed size and lies
// in its extra bytes. A worker gathers rows on pages and, when it is through or memory is refused,
// sorts an array of (key prefix, row pointer): the array is moved, not the rows. In memory the run
// is this array; a spilled run is units of rows written in order.
#ifndef FIRN_EXEC_SORT_RUN_H
#define FIRN_EXEC_SORT_RUN_H

#include "exec/rows/rows.h"

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
    bool prefix_decides;  // Rows of equal prefixes have equal keys; in all runs or in none.
    // Spilled:
    bool is_spilled;
    bool has_blob_keys; // Of them the file knows no prefix.
    spill_run units;    // Pages of rows, in order.
    uint64_t *heads;    // Prefix of the first key of each unit.
    size_t head_room;   // How many `heads` holds.
    size_t heads_bytes; // Taken from the keeper.
    struct sort_run *following;
} sort_run;

/// Gives back what a run holds, in memory and in the file.
void sort_run_close(row_store *store, sort_run *self);

/// A part of a run: of one in memory the entries [from, end); of a spilled one the rows whose
/// prefix is at least `first` and, unless it goes to the end, below `behind`.
typedef struct sort_range {
    uint64_t from, end;
    uint64_t first, behind;
    bool goes_to_end;
} sort_range;
#define SORT_RANGE_ALL ((sort_range){.end = UINT64_MAX, .goes_to_end = true})

/// Where a reader is in a run: the row in front of it.
typedef struct sort_cursor {
    const sort_run *run;
    sort_range range;  // Of a run in memory `from` is where the cursor is.
    size_t unit;       // Of a spilled run: the next one.
    row_page *page;    // Room of the reader for a unit; NULL for runs in memory.
    size_t page_bytes; // What the reader took for it.
    bool is_loaded;
    uint32_t offset; // Of the row behind this one.
    uint8_t *row;    // NULL: at the end.
    uint64_t prefix;
    bool has_prefix; // Else the key lies in a blob, and only sort_compare knows it.
} sort_cursor;

/// The key of a row; data is NULL where it lies in a blob.
text sort_row_key(const row_store *store, const uint8_t *row);
/// Order of two rows by their keys. Both prefixes are right, or both are the same.
firn_status sort_compare(const row_store *store, const sort_entry *left, const sort_entry *right,
                         arena *scratch, int *out, firn_error *err);
/// How many of the sorted entries come before a key; by the prefix alone if key->row is NULL.
firn_status sort_lower_bound(const row_store *store, const sort_run *run, const sort_entry *key,
                             arena *scratch, uint64_t *out, firn_error *err);

/// Writes rows, one after the other in order, as units of a run.
typedef struct sort_run_writer {
    row_store *store;
    spill_desk *desk;
    row_page *page; // The unit being filled.
    sort_run *out;
} sort_run_writer;

/// `room` has page_size bytes; `out` becomes an empty spilled run. They outlive the writer.
sort_run_writer sort_run_writer_open(row_store *store, spill_desk *desk, void *room, sort_run *out);
firn_status sort_run_writer_add(sort_run_writer *self, const uint8_t *row, firn_error *err);
firn_status sort_run_writer_finish(sort_run_writer *self, firn_error *err);

/// Stands on the first row of a part of a run. `page` has page_size bytes if it is spilled.
firn_status sort_cursor_open(row_store *store, const sort_run *run, sort_range range, void *page,
                             spill_desk *desk, sort_cursor *out, firn_error *err);
firn_status sort_cursor_next(row_store *store, sort_cursor *self, spill_desk *desk,
                             firn_error *err);
/// Would sort_cursor_next read a unit over the one that the row lies in?
bool sort_cursor_is_last_of_unit(const sort_cursor *self);

#endif
