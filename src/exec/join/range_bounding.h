// The bounds that left rows set for right ones: values of expressions, as numbers.
#ifndef FIRN_EXEC_RANGE_BOUNDING_H
#define FIRN_EXEC_RANGE_BOUNDING_H

#include "exec/join/join_plan.h"
#include "exec/join/range_index.h"

typedef struct range_bounding {
    const join_split *split;
    bool is_whole; ///< What lies between the bounds meets the condition: they are all of it.
    expr_state *values;
    // By row that looks:
    range_bounds *firsts; ///< Bounds of the first key.
    bool *is_null;        ///< No right row lies between its bounds.
    uint32_t *places;
    uint64_t *numbers; ///< Room for numbers.
} range_bounding;

/// For up to `most` rows at a time, in `memory`.
firn_status range_bounding_open(range_bounding *self, const join_plan *plan, uint32_t most,
                                arena *memory, firn_error *err);
void range_bounding_close(range_bounding *self); ///< Zeroed memory is a closed one.

/// The bounds of some rows of a batch: firsts[k], is_null[k] and cursors[k].second. *is_known is
/// false where a value could not be evaluated: what fails here, SQL may not reach for any pair.
/// `scratch` is left as it was.
firn_status range_bounding_find(range_bounding *self, const batch *looking, range_cursor *cursors,
                                bool *is_known, arena *scratch, firn_error *err);

#endif
