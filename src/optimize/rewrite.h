// What the rules share: conjuncts, replacing columns, which ids a subplan makes and needs.
#ifndef FIRN_OPTIMIZE_REWRITE_H
#define FIRN_OPTIMIZE_REWRITE_H

#include "optimize/optimize.h"

firn_status rewrite_full(optimizer *self);  ///< FIRN_NO_MEMORY, or FIRN_CANCELLED.
firn_status rewrite_check(optimizer *self); ///< FIRN_CANCELLED if the statement is to stop.
uint32_t rewrite_new_id(optimizer *self);
firn_status rewrite_node(optimizer *self, plan_kind kind, plan_node **out);
firn_status rewrite_column(optimizer *self, uint32_t id, const type *type, expr **out);
firn_status rewrite_add_expr(optimizer *self, expr_list *list, expr *value);
firn_status rewrite_add_id(optimizer *self, u32_list *list, uint32_t id);

/// Is it the literal TRUE, or FALSE?
bool rewrite_is_bool(const expr *value, bool wanted);
/// Is it the literal FALSE, or NULL?
bool rewrite_is_never_true(const expr *value);
/// Adds the conjuncts of a predicate to a list; NULL and TRUE add nothing.
firn_status rewrite_split(optimizer *self, expr *predicate, expr_list *out);
/// Is one of a few expressions equal to it? Of many an expr_index knows it sooner.
bool rewrite_holds(const expr_list *list, const expr *value);
/// AND of a list; NULL when it is empty.
firn_status rewrite_join(optimizer *self, const expr_list *conjuncts, expr **out);
/// A filter of these conjuncts over `node`, or `node` itself if there are none.
firn_status rewrite_filter(optimizer *self, plan_node *node, const expr_list *conjuncts,
                           plan_node **out);
firn_status rewrite_project(optimizer *self, plan_node *input, const u32_list *ids,
                            const expr_list *values, plan_node **out);
/// Instead of a node no rows, with the columns that it hands out: nothing below it is read.
firn_status rewrite_empty(optimizer *self, plan_node **slot);
/// A projection that hands on all outputs of `node` as they are, ready for more to be added.
firn_status rewrite_pass(optimizer *self, plan_node *node, u32_list *ids, expr_list *values);
/// name(left, right): a scalar function that exists.
firn_status rewrite_call(optimizer *self, const char *name, expr *left, expr *right, expr **out);
firn_status rewrite_not(optimizer *self, expr *value, expr **out);
/// COALESCE(value, otherwise).
firn_status rewrite_coalesce(optimizer *self, expr *value, expr *otherwise, expr **out);
/// left = right with NULL equal to NULL.
firn_status rewrite_same(optimizer *self, expr *left, expr *right, expr **out);

/// Calls `visit` for each direct child, in the order of expr_visit_children, until it returns
/// false. `is_arm`: only the rows that come that far evaluate it, which are not all (results of
/// CASE, later arguments of COALESCE; of AND and OR any, as those come first that cannot fail; what
/// an aggregate takes of the rows that its FILTER leaves), or `value` is such an arm itself.
typedef bool (*rewrite_arm_visit)(void *user, expr **child, bool is_arm);
bool rewrite_visit_arms(expr *value, bool is_arm, rewrite_arm_visit visit, void *user);

/// An equality of two values of which neither is constant, that may stand in another place than it
/// was written for, as a key of a join: what is asked of the rows of one side is still asked
/// before.
bool rewrite_may_be_key(const expr *conjunct);
/// The same of a comparison by order that fails, if at all, by numbers that do not fit: a bound of
/// a range join.
bool rewrite_may_be_bound(const expr *conjunct);
/// Does evaluating it fail, if at all, by numbers that do not fit (+, -, *, casts of numbers)? Such
/// keys may stand beside others, although SQL might not have reached every value of them.
bool rewrite_fails_by_range(const expr *value);

/// Replaces columns: an id in `from` becomes a copy of the expression at the same index of `to`.
typedef struct substitution {
    u32_list from;
    expr_list to;
} substitution;
firn_status rewrite_substitute(optimizer *self, expr **value, const substitution *map);
/// The same in all expressions of a whole subplan.
firn_status rewrite_substitute_plan(optimizer *self, plan_node *node, const substitution *map);

/// Ids that an expression mentions (subqueries' outer ones included).
firn_status rewrite_used(optimizer *self, const expr *value, id_set *out);
/// Ids that a subplan mentions but does not make: what correlates it.
firn_status rewrite_free(optimizer *self, plan_node *node, id_set *out);
firn_status rewrite_outputs(optimizer *self, const plan_node *node, id_set *out);
/// Does the expression mention only these ids?
firn_status rewrite_covers(optimizer *self, const id_set *ids, const expr *value, bool *out);
/// The type of an output column.
const type *rewrite_type_of(const plan_columns *columns, uint32_t id);

/// Calls `visit` for every node of the tree, children first, through their slots.
typedef firn_status (*rewrite_visit)(optimizer *self, plan_node **slot);
firn_status rewrite_tree(optimizer *self, plan_node **root, rewrite_visit visit);

#endif
