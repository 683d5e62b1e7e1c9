// Private to plan/binder*: what DELETE, UPDATE and MERGE share.
//
//     scan of the table with row ids ─ join with what else is asked ─ filter ─ ChangeOnce, where
//     several rows of the source may match ─ projection to the table's columns, action, row id ─
//     Insert
#ifndef FIRN_PLAN_BINDER_CHANGE_H
#define FIRN_PLAN_BINDER_CHANGE_H

#include "plan/binder_private.h"
#include "tables/row_change.h"

/// A statement that changes rows, while it is bound.
typedef struct change_build {
    const change_target *target;
    plan_node *node;  ///< Of what is bound so far.
    scope *rows;      ///< The table's columns, by its alias.
    plan_columns own; ///< The same, in the table's order.
    expr *row_id;     ///< A column.
    uint32_t table;   ///< Number of the table in the plan.
    name_index names; ///< Of the table's columns.
} change_build;

/// The value of each column of the table, and where the statement says it (UINT32_MAX: nowhere).
typedef struct column_values {
    expr **items;
    uint32_t *positions;
} column_values;

/// The scan of the table.
firn_status change_begin(binder *self, const sql_table *written, const change_target *target,
                         change_build *out);
/// Only rows for which the predicate is true.
firn_status change_filter(binder *self, change_build *build, expr *predicate);
/// From here on a row id may come once. `position`: of what lets it come twice.
firn_status change_once(binder *self, change_build *build, uint32_t position);
/// A scope of the columns of both; an error if a relation of one has a name of the other.
firn_status change_both(binder *self, const scope *left, const scope *right, uint32_t position,
                        scope **out);

/// Values that mean nothing: NULLs, but for those columns of a deleted row that the sink wishes.
firn_status change_deleted(binder *self, const change_build *build, change_kind kind,
                           column_values *out);
/// The row as it is.
firn_status change_kept(binder *self, const change_build *build, column_values *out);
/// The columns as SET says; the others stay what `values` has. `names`: what values may mention.
firn_status change_assign(binder *self, const change_build *build, scope *names,
                          const sql_list *assignments, column_values *values);
/// What fills column `column`: cast to its type. Errors name the column.
firn_status change_fill(binder *self, const change_build *build, uint32_t column, expr *value,
                        uint32_t position, expr **out);
/// What is written for a column: an expression, or DEFAULT.
firn_status change_value(binder *self, const change_build *build, scope *names, uint32_t column,
                         const sql_expr *written, expr **out);

/// Number of an action, of a row id that is none.
expr *change_action(binder *self, row_action action);
expr *change_no_row(binder *self);

/// The projection and the sink. WITH ends here.
firn_status change_end(binder *self, change_build *build, const column_values *values, expr *action,
                       expr *row_id, change_kind kind, bound_query *out);

firn_status bind_merge(binder *self, const sql_merge *written, const change_target *target,
                       bound_query *out);

#endif
