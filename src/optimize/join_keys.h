// Which equalities become the keys of a join.
//
// Those that cannot fail, or only by numbers that do not fit, all do. Of the others (casts of text,
// divisions) one does where there would be no key: to compare all pairs of rows would be the only
// other way. A key that can fail is evaluated for those rows of its side that pass what else is
// asked of that side alone: CASE WHEN that THEN key END where a filter below the join could not
// ask.
#ifndef FIRN_OPTIMIZE_JOIN_KEYS_H
#define FIRN_OPTIMIZE_JOIN_KEYS_H

#include "optimize/rewrite.h"

/// The columns of a join's two inputs.
typedef struct join_sides {
    id_set left, right;
} join_sides;

firn_status join_sides_of(optimizer *self, const plan_node *join, join_sides *out);

/// Does an equality fail, if at all, by numbers that do not fit?
bool join_key_is_by_range(const expr *equality);

/// Adds keys to the join. What is left of its condition goes to `residual`. `above`: conjuncts over
/// an inner join's result, of which one may become a key too and is taken out; NULL: none.
firn_status join_keys_find(optimizer *self, plan_node *join, const join_sides *ids,
                           const expr_list *condition, expr_list *above, expr_list *residual);

#endif
