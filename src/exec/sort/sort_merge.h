// Merging sorted runs: a heap of the rows in front, one for each run. The room for units of spilled
// runs is taken from the sort's keeper.
#ifndef FIRN_EXEC_SORT_MERGE_H
#define FIRN_EXEC_SORT_MERGE_H

#include "exec/sort/sort_run.h"

typedef struct sort_input {
    const sort_run *run;
    sort_range range;
} sort_input;

/// The row in front of a cursor.
typedef struct sort_head {
    sort_entry entry;
    uint32_t cursor;
    bool has_prefix;
} sort_head;

/// One merge, of one worker. Zeroed memory is a closed one.
typedef struct sort_merge {
    row_store *store;
    spill_desk desk;
    sort_cursor *cursors;
    sort_head *heads; // A heap by key: the next row is heads[0]'s.
    uint32_t count;   // Of heads.
    uint32_t cursor_count;
    bool prefix_decides; // All runs are in memory, and no key need be looked at.
    bool is_step_due;    // The row in front was handed out.
} sort_merge;

/// Begins to merge. Lists in `memory`. Close it also after a failure.
///
/// Errors: FIRN_NO_MEMORY, those of reading the spill file.
firn_status sort_merge_open(row_store *store, const sort_input *inputs, uint32_t count,
                            arena *memory, sort_merge *out, firn_error *err);
void sort_merge_close(sort_merge *self);

/// The next rows in order, at most `max`; *count is 0 at the end. They stay where they are until
/// the next call.
firn_status sort_merge_take(sort_merge *self, uint8_t **rows, uint32_t max, uint32_t *count,
                            arena *scratch, firn_error *err);

#endif
