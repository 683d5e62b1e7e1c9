// About how many groups rows have that no table sees, by their hashes.
#ifndef FIRN_EXEC_GROUP_COUNTER_H
#define FIRN_EXEC_GROUP_COUNTER_H

#include "memory/arena.h"

typedef struct group_counter {
    arena *memory;
    uint8_t *registers; ///< Of a distinct_sketch; NULL before the first row.
    uint64_t rows;      ///< Counted in so far.
    uint64_t next_look; ///< At so many.
    uint64_t groups;    ///< When it was last looked.
} group_counter;

/// Takes what it needs, a few KiB, from `memory` when rows come.
group_counter group_counter_open(arena *memory);
/// Counts rows in; true if `groups` was estimated anew, at each doubling of the rows. Without
/// memory nothing is counted.
bool group_counter_add(group_counter *self, const uint64_t *hashes, uint32_t count);

#endif
