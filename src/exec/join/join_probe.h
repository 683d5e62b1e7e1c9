// Left rows look for partners: the inside of the probe step, and of the drain for what was spilled.
//
//     batch ─ keys ─ hashes ─ heads of chains ─► candidates ─ keys equal? ─ residual? ─► pairs
//                                                 └ at most a batch of them at a time ┘
//
// A batch of left rows is begun once; join_probe_next then hands out output batches until it says
// that there are no more. SEMI, ANTI and MARK hand out one, a selection of the left batch.
//
// NOT IN. A left row without a match is undecided if its key is NULL and the right side has rows,
// or if the right side has a NULL key. With one key and no residual two counters tell. With more
// keys or a residual only rows that may match count, and a batch goes through stages:
//
//     EXACT       left rows without NULL: rows whose keys are all equal, by the hash of them
//     OPEN_RIGHT  those that found none: right rows of the group that have a NULL
//     OPEN_LEFT   left rows with a NULL: all right rows of the group
//
// In the latter two no pair matches, and the first one that may leaves the row undecided.
//
// A partition that does not fit into memory is probed block by block: the bits that earlier blocks
// left for each row are filled into `matched` and `undecided` before a batch begins.
#ifndef FIRN_EXEC_JOIN_PROBE_H
#define FIRN_EXEC_JOIN_PROBE_H

#include "exec/join/join_codes.h"
#include "exec/join/join_run_probe.h"

typedef enum join_stage { // Of NOT IN by group.
    JOIN_STAGE_EXACT,
    JOIN_STAGE_OPEN_RIGHT,
    JOIN_STAGE_OPEN_LEFT,
    JOIN_STAGE_COUNT,
} join_stage;

typedef struct join_probe {
    join_state *state;
    const join_plan *plan;
    const join_table *table;
    expr_state *residual;
    join_codes codes;
    bool is_last;      ///< No further block follows: rows without a match may be handed out.
    bool has_carry;    ///< `matched` and `undecided` were filled in before the batch began.
    uint32_t pair_max; ///< Candidates, and rows of an output batch.
    // Of the batch that is being probed:
    const batch *left;
    const column *keys;
    column *group_keys; ///< NOT IN by group: the keys that make groups.
    uint32_t group_count;
    join_stage stage;
    bool *is_open;        ///< By lane: has a NULL.
    uint64_t *row_hashes; ///< By lane.
    uint16_t *selected;   ///< Rows to be handed out, ascending.
    uint32_t selected_count;
    uint16_t *lanes; ///< Of them, those that may have partners …
    uint64_t *hashes;
    const uint8_t **heads; ///< … and where their chains go on.
    uint32_t count;
    uint32_t fetched;    ///< The lane up to which chains are on their way.
    uint32_t at;         ///< In `lanes`.
    bool is_fresh;       ///< Nothing was handed out yet.
    bool is_done;        ///< Everything was.
    bool is_exact;       ///< Rows of a chain have the key: no comparison.
    bool is_unique;      ///< And each chain is one row.
    bool has_runs;       ///< Some chains are in order …
    join_run_probe runs; ///< … and candidates come from there.
    uint64_t *matched;   ///< By lane.
    uint64_t *undecided; ///< By lane.
    // Candidates, and then pairs:
    join_pairs pairs;
    uint16_t *numbers;
    int64_t *values;
    uint16_t *rest;
    uint8_t *truth;
    uint32_t *group_columns;
} join_probe;

/// Room for batches, in `memory`.
firn_status join_probe_open(join_probe *self, join_state *state, const join_table *table,
                            arena *memory, firn_error *err);
void join_probe_close(join_probe *self);

/// Begins a batch. `keys` are its key columns; both stay until the batch is done. Only `rows` are
/// handed out.
firn_status join_probe_begin(join_probe *self, const batch *left, const column *keys,
                             const join_lanes *rows, arena *scratch, firn_error *err);
/// The next output; none if its selected_count is 0. When self->is_done nothing more follows.
firn_status join_probe_next(join_probe *self, arena *scratch, batch *output, firn_error *err);

#endif
