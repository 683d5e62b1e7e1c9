// Expressions in the order in which they were added, found again by what is equal to them: keys of
// a GROUP BY, aggregates, values of a projection.
#ifndef FIRN_EXPR_EXPR_INDEX_H
#define FIRN_EXPR_EXPR_INDEX_H

#include "expr/expr.h"

#define NO_EXPR UINT32_MAX

typedef struct expr_index_entry {
    const expr *value; // Borrowed.
    uint64_t hash;
} expr_index_entry;

typedef struct expr_index {
    uint32_t count; ///< Expressions are numbered from 0 on.
    uint32_t capacity;
    expr_index_entry *entries;
    uint32_t *slots; // Numbers by hash.
    uint32_t slot_mask;
} expr_index;

/// The first that is expr_equal to it; NO_EXPR if none is.
uint32_t expr_index_find(const expr_index *self, const expr *value);

/// Adds one, which gets the number `count`, also if an equal one is there. A zeroed index is empty.
/// In `memory`; the expression lives as long and does not change.
firn_status expr_index_add(expr_index *self, const expr *value, arena *memory, firn_error *err);

#endif
