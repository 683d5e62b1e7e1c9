// Left rows look among the rows of long chains, which are in order: see join_runs.h.
#ifndef FIRN_EXEC_JOIN_RUN_PROBE_H
#define FIRN_EXEC_JOIN_RUN_PROBE_H

#include "exec/join/join_runs.h"
#include "exec/join/range_bounding.h"

typedef struct join_run_probe {
    const join_plan *plan;
    arena *memory;
    uint32_t most;           ///< Rows at a time.
    range_bounding bounding; ///< Closed where nothing is bounded.
    bool is_alike; ///< The rows of each run that was found have equal keys, and no chain is
                   ///< followed.
    bool is_whole; ///< Candidates meet the condition: all are found by bounds that say all of it.
    // Of the k-th row that looks:
    range_cursor *cursors;
    const range_index **indexes; ///< NULL: its chain is followed.
} join_run_probe;

/// For up to `most` rows at a time. Takes what it needs from `memory` when it begins.
join_run_probe join_run_probe_open(const join_plan *plan, uint32_t most, arena *memory);
void join_run_probe_close(join_run_probe *self);

/// Begins with `looking`, the k-th of which has the chain heads[k]; heads[k] becomes NULL where
/// nothing lies between its bounds. *is_found is false where all chains are to be followed.
firn_status join_run_probe_begin(join_run_probe *self, const join_runs *runs, const batch *looking,
                                 const uint8_t **heads, bool *is_found, arena *scratch,
                                 firn_error *err);
/// The k-th row takes the place of row number `to`.
static inline void join_run_probe_move(join_run_probe *self, uint32_t k, uint32_t to) {
    self->cursors[to] = self->cursors[k];
    self->indexes[to] = self->indexes[k];
}
/// At most `max` candidates of the k-th row; how many. It is at its end if *is_done.
static inline uint32_t join_run_probe_next(join_run_probe *self, uint32_t k, const uint8_t **rows,
                                           uint32_t max, bool *is_done) {
    range_cursor *at = &self->cursors[k];
    const uint32_t count = range_index_next(self->indexes[k], at, rows, max);
    *is_done = at->next == at->end;
    return count;
}

#endif
