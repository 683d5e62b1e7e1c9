// How many rows to expect: from what tables know of themselves (counts, bounds, distinct values),
// textbook formulas for filters and joins, and plain guesses where nothing is known. Estimates only
// choose between plans that are all right.
#ifndef FIRN_OPTIMIZE_ESTIMATE_H
#define FIRN_OPTIMIZE_ESTIMATE_H

#include "optimize/rewrite.h"

/// What is thought of a column's values.
typedef struct column_estimate {
    bool is_known;
    double distinct;
    double null_share;
    bool has_range; ///< Numbers, dates and times.
    double low, high;
} column_estimate;

/// Estimates of columns by id; grows with the plan's ids.
typedef struct estimates {
    optimizer *self;
    uint32_t count;
    column_estimate *columns;
} estimates;

/// Sets row_estimate in every node of the tree.
firn_status estimate_plan(optimizer *self, plan_node *root);

/// The same, and keeps what is known of columns for the questions below.
firn_status estimate_tree(estimates *self, plan_node *root);
const column_estimate *estimate_column(const estimates *self, uint32_t id);
/// Share of rows for which the conjunct is true, 0 to 1.
double estimate_selectivity(const estimates *self, const expr *conjunct);
/// Distinct values of an expression among `rows` rows.
double estimate_distinct(const estimates *self, const expr *value, double rows);

#endif
