// An aggregation in two steps: the inner one by more keys, whose rows are parts of the groups, and
// the outer one that puts them together:
//
//     AGG[k; max(w), count(*)] (t)  →  AGG[k; max(m), sum(c)] (AGG[k, v; max(w) AS m, count(*) AS
//     c] (t))
#ifndef FIRN_OPTIMIZE_TWO_STEPS_H
#define FIRN_OPTIMIZE_TWO_STEPS_H

#include "optimize/rewrite.h"

typedef struct two_steps {
    optimizer *self;
    plan_node *inner;
    plan_node *outer;   ///< Its sets are those of the node, its keys columns of the inner one.
    expr_list results;  ///< Of the projection above, if there must be one: keys, then aggregates.
    bool needs_results; ///< A result has another type than what sums up its parts.
    bool has_total;     ///< A row comes out even if none comes in.
} two_steps;

bool two_steps_has_volatile(const expr_list *values);
/// Is it over distinct values, for which more than one of each makes a difference?
bool two_steps_is_distinct(const expr *call);
/// May the aggregate be computed from parts of its group?
bool two_steps_has_parts(const expr *call);

/// Begins with the keys of an aggregation.
firn_status two_steps_open(optimizer *self, const plan_node *node, two_steps *out);
/// One more key of the inner aggregation; `*out`: its column.
firn_status two_steps_add_key(two_steps *self, expr *value, expr **out);
/// An aggregate that has parts, whose value is column `id`. Keeps `call`.
firn_status two_steps_add_parts(two_steps *self, expr *call, uint32_t id);
/// Puts both in the place of the node, once `results` has all its aggregates in their order.
firn_status two_steps_close(two_steps *self, const plan_node *node, plan_node **slot);

#endif
