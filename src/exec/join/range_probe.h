// Left rows look for partners among right rows by order: the inside of the nested probe step where
// the condition bounds keys (join_split.h) and the right rows are indexed by them (range_index.h).
//
//     batch ─ bounds ─ cursors ─► candidates ─ the whole condition ─► pairs
//                                 └ at most a batch of them at a time ┘
//
// Where the numbers of keys tell all values apart, and nothing but bounds is asked, candidates are
// pairs as they are.
#ifndef FIRN_EXEC_RANGE_PROBE_H
#define FIRN_EXEC_RANGE_PROBE_H

#include "exec/join/range_bounding.h"

typedef struct range_probe {
    const join_plan *plan;
    const range_index *index;
    const cancel_flag *cancel;
    range_bounding bounding; ///< Is it whole, candidates are pairs.
    expr_state *residual;
    uint32_t pair_max;
    // Of the batch that is being probed, those of its rows that may have partners:
    uint16_t *lanes;
    range_cursor *cursors;
    uint32_t count;
    uint32_t at; ///< In them.
    join_pairs pairs;
} range_probe;

/// In `memory`. Borrows the residual.
firn_status range_probe_open(range_probe *self, const join_plan *plan, const range_index *index,
                             const row_store *store, expr_state *residual, arena *memory,
                             firn_error *err);
void range_probe_close(range_probe *self); ///< Zeroed memory is a closed one.

/// Begins a batch with those of its rows that look for partners. *is_worth is false where they are
/// better looked at beside each right row: too many of them match, or a bound cannot be evaluated.
firn_status range_probe_begin(range_probe *self, const batch *left, const uint16_t *lanes,
                              uint32_t count, arena *scratch, bool *is_worth, firn_error *err);
static inline bool range_probe_is_done(const range_probe *self) {
    return self->at >= self->count;
}
/// The next pairs, in self->pairs: there may be none before all is done.
firn_status range_probe_next(range_probe *self, arena *scratch, firn_error *err);
/// Sets the bits of all rows that have a partner.
firn_status range_probe_first(range_probe *self, uint64_t *matched, arena *scratch,
                              firn_error *err);

#endif
