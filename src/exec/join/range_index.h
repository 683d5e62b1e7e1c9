// The right rows of a join by order: found by bounds of one or two of their keys.
//
//     entries   (number of the first key, row), sorted
//     seconds   number of the second key of each entry, in their order
//     levels    least and greatest of 16 seconds, of 16 of those, and so on: what lies outside of
//               a left row's bounds is stepped over at once
//
// Rows between bounds of the first key lie together. Of those between bounds of the second key each
// costs a few steps: what two overlapping intervals need. Rows with a NULL key, which are between
// no bounds, are not in it. 16 bytes a row, or 25.
#ifndef FIRN_EXEC_RANGE_INDEX_H
#define FIRN_EXEC_RANGE_INDEX_H

#include "exec/join/join_split.h"
#include "exec/sort/sort_run.h"

#define RANGE_LEVELS_MAX 16

/// Least and greatest of some seconds; of none of them, low > high.
typedef struct range_span {
    uint64_t low, high;
} range_span;

typedef struct range_index {
    directory memory;
    directory second_memory;
    uint64_t count;
    sort_entry *entries;
    uint64_t *seconds; ///< NULL: there is no second key.
    uint32_t level_count;
    range_span *levels[RANGE_LEVELS_MAX];
} range_index;

/// Where a list of right rows comes from.
typedef struct range_source {
    const join_split *split;
    const row_store *store;
    row_page *pages;
    uint64_t row_count;
    expr_state *keys;
    expr_state *guard; ///< Of the rows that are in it; NULL: all.
    const cancel_flag *cancel;
} range_source;

/// Builds it. *is_built is false, and nothing is held, where memory is refused or a key cannot be
/// evaluated for some row. `scratch` is left as it was.
///
/// Errors: FIRN_CANCELLED, those of reading rows.
firn_status range_index_build(range_index *self, const range_source *source, arena *scratch,
                              bool *is_built, firn_error *err);
/// Entries that lie side by side and are in order of their own, as those of one chain of a hash
/// join are.
typedef struct range_run {
    uint64_t from, end;
    const uint8_t *head; ///< What its owner knows it by …
    bool is_alike;       ///< … and of it: the rows have equal keys.
} range_run;
/// Makes room for entries, whose rows the caller then fills in. False: refused.
bool range_index_open(range_index *self, pool *keeper, uint64_t row_count);
/// The same as range_index_build for entries that are there: `runs` of them, one behind the other,
/// each of which is put in order. Without its rows that have a NULL key a run is shorter. Of the
/// source pages, row_count and guard do not count.
firn_status range_index_order(range_index *self, const range_source *source, range_run *runs,
                              uint64_t run_count, arena *scratch, bool *is_built, firn_error *err);
void range_index_close(range_index *self); ///< Zeroed memory is a closed one.

/// Bounds of a key, both included.
typedef struct range_bounds {
    uint64_t low, high;
} range_bounds;

/// What is left to be looked at for a left row: entries `next` to `end` - 1.
typedef struct range_cursor {
    uint64_t next, end;
    range_bounds second;
} range_cursor;

/// Begins cursors at[k], whose `second` is set, for firsts[k]. `places` is room for as many
/// numbers.
void range_index_seek(const range_index *self, const range_bounds *firsts, uint32_t count,
                      uint64_t *places, range_cursor *at);

/// The same for one cursor, which is at the beginning of a run: next and end are the run's.
void range_index_seek_run(const range_index *self, const range_bounds *first, range_cursor *at);

/// The rows from there on that lie between the bounds, at most `max`; how many. It may stop short
/// after some steps: it is at its end when next == end.
uint32_t range_index_next(const range_index *self, range_cursor *at, const uint8_t **rows,
                          uint32_t max);

#endif
