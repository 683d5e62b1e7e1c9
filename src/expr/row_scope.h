// Which rows an expression is evaluated for: all lanes of a batch, or a part of them that became
// smaller on the way (a selection, the arm of a CASE, what the conjuncts before left over).
//
// A scope knows its rows as a bitmap, a list, or both; the other form is made when first asked for.
// Scopes nest: a value computed for a scope serves all scopes inside it.
#ifndef FIRN_EXPR_ROW_SCOPE_H
#define FIRN_EXPR_ROW_SCOPE_H

#include "kernels/bits.h"

typedef struct row_scope {
    const struct row_scope *outer; ///< NULL: the batch itself.
    const struct row_scope *jump;  ///< One further out, so that any is reached in few steps.
    uint32_t depth;                ///< How many are around it.
    uint64_t serial;               ///< Unique in a state, and higher than that of `outer`: which
                                   ///< scope a value was computed for.
    uint32_t length;               ///< Lanes.
    uint32_t count;                ///< Rows in it.
    const uint64_t *bits;          ///< Clean; NULL until made. Neither: all lanes.
    const uint16_t *rows;
} row_scope;

static inline bool scope_is_all(const row_scope *self) {
    return self->count == self->length;
}

/// Are there so many rows that a loop over all lanes is cheaper than one over a list?
static inline bool scope_is_dense(const row_scope *self) {
    return (uint64_t)self->count * 8 > self->length;
}

/// Is `self` the scope with that number, or inside it? Conjuncts nest them by thousands; the number
/// of steps is its logarithm.
bool scope_is_within(const row_scope *self, uint64_t serial);

/// The rows as a list; NULL if `memory` is full.
const uint16_t *scope_rows(row_scope *self, arena *memory);
/// The rows as a clean bitmap; NULL if `memory` is full.
const uint64_t *scope_bits(row_scope *self, arena *memory);

/// The part of `outer` whose bits are set (or clear). False if `memory` is full. `out` may not be
/// `outer`.
bool scope_narrow(row_scope *outer, const uint64_t *bits, bool is_set, uint64_t serial,
                  arena *memory, row_scope *out);

#endif
