// What is left of a join whose condition no pair of rows fulfils.
#ifndef FIRN_OPTIMIZE_EMPTY_JOINS_H
#define FIRN_OPTIMIZE_EMPTY_JOINS_H

#include "optimize/rewrite.h"

/// Has a join a conjunct that is FALSE or NULL as it stands, so that no pair matches? Where NULL
/// leaves rows undecided, only FALSE counts.
bool join_is_empty(const plan_node *join, const expr_list *condition);

/// Puts in its place what it hands out: nothing, or the rows that survive without a partner. Both
/// sides of a FULL join survive: that one stays, *done is false.
firn_status join_without_pairs(optimizer *self, plan_node **slot, bool *done);

#endif
