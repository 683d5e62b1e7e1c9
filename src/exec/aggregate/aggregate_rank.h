// The value of one rank among rows that do not fit into memory, by passes over their pages.
//
//     sample   a pass takes rows at random, as many as may be held: two of them, below and above
//              the place where the rank should be, become bounds
//     count    a pass counts the rows below, at, between and above the bounds, and takes a sample
//              of those between: all of them once they are few, and that ends it
//
// Of four million numbers that is two passes. Bounds that turn out to be on the wrong side only
// cost another one (Floyd and Rivest 1975, Expected time bounds for selection).
#ifndef FIRN_EXEC_AGGREGATE_RANK_H
#define FIRN_EXEC_AGGREGATE_RANK_H

#include "exec/aggregate/aggregation.h"
#include "exec/rows/rows.h"

/// Which of some rows count: their numbers into `out`, which has room for all.
typedef firn_status (*ranked_filter)(void *user, uint8_t *const *rows, uint32_t count,
                                     uint16_t *out, uint32_t *out_count, arena *scratch,
                                     firn_error *err);

/// Rows, in memory and spilled; they stay where they are.
typedef struct ranked_rows {
    row_store *store;
    const row_pages *pages;
    ranked_filter filter; ///< NULL: all.
    void *user;           ///< Of `filter`.
    uint64_t row_count;   ///< Of those that count.
    uint32_t column;      ///< Of the value; other arguments follow.
    spill_desk *desk;     ///< For reading …
    row_page *buffer;     ///< … into this.
    uint64_t bytes_max;   ///< Of rows that may be held beside them.
} ranked_rows;

#define RANKED_CHUNK 512 ///< Rows at a time.

/// Looks at all rows, a chunk at a time, until *is_done.
typedef firn_status (*ranked_visit)(void *user, uint8_t *const *rows, uint32_t count, bool *is_done,
                                    firn_error *err);
firn_status aggregate_rank_visit(const ranked_rows *from, ranked_visit visit, void *user,
                                 arena *scratch, firn_error *err);

/// The arguments of one of the rows, `count` columns of one row each. In `out_memory`, another
/// arena than `scratch`, which is reset to where it was.
firn_status aggregate_rank_args(const ranked_rows *from, uint32_t count, arena *scratch,
                                arena *out_memory, column *out, firn_error *err);

/// A column of the values of ranks `rank` to rank + count - 1, of one or two; 0 is that of the
/// lowest. Likewise.
firn_status aggregate_rank_values(const ranked_rows *from, uint64_t rank, uint32_t count,
                                  arena *scratch, arena *out_memory, column *out, firn_error *err);

#endif
