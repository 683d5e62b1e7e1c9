// The parts of unnesting (rule `unnest`): subqueries to dependent joins, dependent joins to joins.
#ifndef FIRN_OPTIMIZE_UNNEST_H
#define FIRN_OPTIMIZE_UNNEST_H

#include "optimize/rewrite.h"

/// Replaces a dependent join whose right side mentions columns of the left by an ordinary join.
/// Dependent joins inside its sides are gone already.
firn_status unnest_dependent_join(optimizer *self, plan_node **slot);

/// The straight way, where it can be taken: the right side is computed row by row of the left, on
/// top of it. *done is false if the right side is not of that shape; then nothing changed.
firn_status unnest_apply(optimizer *self, plan_node **slot, bool *done);

/// generate_series or range whose arguments are columns of `input`: as a list for each row of it,
/// unnested.
firn_status unnest_series(optimizer *self, const plan_node *series, plan_node *input,
                          plan_node **out);

/// The cheap way, where it can be taken: the predicates that correlate the right side are pulled up
/// into the join's condition. *done is false if the right side is not of that shape; then nothing
/// changed.
firn_status unnest_pull(optimizer *self, plan_node **slot, const id_set *outer, bool *done);

/// The general way (Neumann and Kemper, "Unnesting Arbitrary Queries", 2015): the right side is
/// computed once for all distinct values of the columns it mentions, which become columns of it.
firn_status unnest_push(optimizer *self, plan_node **slot, const id_set *outer);
/// The distinct values of some columns of `source`, computed by a copy of it; `tagged`: of which of
/// them (by index) the tags tell them apart too; `made`: their ids, then those of the tags.
firn_status unnest_distinct(optimizer *self, const plan_node *source, const u32_list *columns,
                            const type *const *types, const u32_list *tagged, plan_node **out,
                            u32_list *made);
/// Which of the columns, by index, have equal values that are not the same to a right side or a
/// condition with subqueries; each may be NULL.
firn_status unnest_find_tagged(optimizer *self, plan_node *right, expr *condition,
                               const u32_list *columns, const type *const *types, u32_list *out);
/// The tag of a column, BINARY: of equal values the same exactly if they are the same.
firn_status unnest_tag(optimizer *self, uint32_t id, const type *of, expr **out);

/// An outer, semi or anti join whose ON has subqueries over columns of both sides: the pairs of
/// values that fulfil it are computed first, and become a table between the two sides.
firn_status unnest_on(optimizer *self, plan_node *join);

/// Where a subquery is a value that not every row needs, two rows are an error only of those rows
/// that need it: it is made one that counts its rows and looks at the count where the value is
/// used.
firn_status unnest_count_rows(optimizer *self, expr *query);

/// Turns the subqueries of a filter's predicate into dependent joins below it.
firn_status unnest_filter(optimizer *self, plan_node *filter);

#endif
