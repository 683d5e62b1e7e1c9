// The value of one rank among rows that do not fit into memory, by passes over their pages: the
// keys of all rows (as sort_key.h) begin with a prefix that becomes longer until few are left.
//
//     extremes   the lowest and the highest key with the prefix: what both begin with is the prefix
//     count      how many there are by the byte behind it: that of the wanted rank joins it
//     keep       few are left: they are brought together, and the one of the rank selected
#ifndef FIRN_EXEC_AGGREGATE_RANK_H
#define FIRN_EXEC_AGGREGATE_RANK_H

#include "exec/aggregation.h"
#include "exec/rows.h"

/// Rows, in memory and spilled; they stay where they are.
typedef struct ranked_rows {
    row_store *store;
    const row_pages *pages;
    uint32_t column;    ///< Of the value.
    spill_desk *desk;   ///< For reading …
    row_page *buffer;   ///< … into this.
    uint64_t bytes_max; ///< Of keys that may be brought together.
} ranked_rows;

/// A column of the values of `count` ranks; 0 is that of the lowest. In `out_memory`, another arena
/// than `scratch`, which is reset to where it was.
firn_status aggregate_rank_values(const ranked_rows *from, const uint64_t *ranks, uint32_t count,
                                  arena *scratch, arena *out_memory, column *out, firn_error *err);

#endif
