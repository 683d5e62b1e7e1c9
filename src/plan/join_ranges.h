// Which conjuncts of a join's condition bound an expression of its right side by one of its left
// side: `left < right`, `left >= right` and so on. Rows of a join without keys that has some are
// found by order instead of one by one.
#ifndef FIRN_PLAN_JOIN_RANGES_H
#define FIRN_PLAN_JOIN_RANGES_H

#include "plan/plan.h"

typedef struct join_range {
    const expr *left;
    const expr *right;
    bool is_lower;  ///< right > left, or >=; else right < left, or <=.
    bool is_strict; ///< Without =.
} join_range;

/// The sides of a join by the ids that they hand out.
typedef struct join_side_ids {
    id_set left, right;
} join_side_ids;
firn_status join_side_ids_of(const plan_node *join, arena *memory, join_side_ids *out,
                             firn_error *err);

/// Is a conjunct such a bound? Those that change from row to row by themselves are none.
firn_status join_range_of(const expr *conjunct, const join_side_ids *sides, bool *is_range,
                          join_range *out, firn_error *err);

/// Does the join have one, and no keys? Where NULL leaves rows undecided it must be all that is
/// asked.
firn_status join_is_range(const plan_node *join, arena *memory, bool *out, firn_error *err);

#endif
