// How many rows a subplan gives, where its shape alone says it.
#ifndef FIRN_OPTIMIZE_ONE_ROW_H
#define FIRN_OPTIMIZE_ONE_ROW_H

#include "plan/plan.h"

/// Surely one row, neither none nor two: an aggregate without keys, VALUES of one row, and what
/// keeps all of them. False if it is not seen at once.
bool one_row_is_sure(const plan_node *node);
/// None or one: the same, filtered or limited.
bool one_row_is_most(const plan_node *node);

#endif
