// Rows of the build side by dictionary entry of the probe side's key.
//
// As long as a dictionary stays the same each of its entries looks for its row once: it is hashed,
// its chain followed and the key compared, and every further batch takes the answer by code. That
// is for joins by one key that no two build rows share; where two do, it ends.
#ifndef FIRN_EXEC_JOIN_CODES_H
#define FIRN_EXEC_JOIN_CODES_H

#include "exec/join/join_state.h"

/// The rows of a batch that look for partners in a table.
typedef struct join_lanes {
    const uint16_t *lanes;  ///< Ascending.
    const uint64_t *hashes; ///< Of each; NULL: not there yet.
    uint32_t count;
} join_lanes;

typedef struct join_codes {
    join_state *state;
    const join_table *table; ///< NULL: not for this join.
    arena *memory;
    uint64_t identity; ///< Of the dictionary; 0: none yet.
    uint32_t capacity;
    const uint8_t **rows; ///< By entry: its row; NULL: it has none; else nobody asked yet.
} join_codes;

/// Knows nothing yet. Takes what it needs from `memory`, which outlives it. The rows of `table`
/// stay where they are, and all of them are there.
join_codes join_codes_open(join_state *state, const join_table *table, arena *memory);

/// The rows of lanes whose key is not NULL: heads[k] of the k-th, NULL if it has none. *is_done is
/// false where the key is no such dictionary, or rows share keys.
firn_status join_codes_find(join_codes *self, const column *key, const join_lanes *of,
                            const uint8_t **heads, bool *is_done, arena *scratch, firn_error *err);

#endif
