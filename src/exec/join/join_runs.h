// The rows of long chains side by side: for keys that many build rows share.
//
//     chain   head ─► row ─► row ─► …     each says where the next one is, and is compared by key
//     run     entries of a range_index    rows with equal keys: one comparison is enough
//
// Where the condition bounds something of the right row by the left one, the entries of a run are
// in its order: what lies between the bounds lies together, and nothing else is looked at.
//
// Chains stay what they are: short ones, and those of partitions from the file, are followed.
#ifndef FIRN_EXEC_JOIN_RUNS_H
#define FIRN_EXEC_JOIN_RUNS_H

#include "exec/join/range_index.h"

struct join_state;

/// Those of one partition.
typedef struct join_part_runs {
    range_index index;
    directory memory;
    range_run *runs;
    uint64_t count; ///< 0: none.
} join_part_runs;

/// One that was found.
typedef struct join_run {
    const range_index *index;
    range_run entries; ///< Without head: there is none.
} join_run;

/// Those of a table by the heads of their chains.
typedef struct join_runs {
    join_run *slots;
    uint64_t mask;
} join_runs;

/// Can any chain of the table be worth it? Looks at what the join asks, not at its rows.
bool join_runs_may_pay(const struct join_state *state);
/// Makes runs of the long chains of partition `number`, which is in the table, if that is worth it
/// and there is memory. `scratch` is left as it was.
firn_status join_part_runs_build(struct join_state *state, uint32_t number, arena *scratch,
                                 firn_error *err);
void join_part_runs_close(join_part_runs *self); ///< Zeroed memory is a closed one.

/// Gathers the runs of all partitions; the table has none if there is no memory for that.
void join_runs_gather(struct join_state *state);

/// The run of a chain; NULL: it has none.
const join_run *join_runs_find(const join_runs *self, const uint8_t *head);

#endif
