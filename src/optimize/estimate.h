// How many rows to expect: from what tables know of themselves (counts, bounds, distinct values),
// textbook formulas for filters and joins, and plain guesses where nothing is known. Estimates only
// choose between plans that are all right.
#ifndef FIRN_OPTIMIZE_ESTIMATE_H
#define FIRN_OPTIMIZE_ESTIMATE_H

#include "optimize/rewrite.h"

/// What is thought of a column's values.
typedef struct column_estimate {
    bool is_known;
    double distinct; ///< In its table, or in the aggregate that made it.
    double rows;     ///< Of that table or aggregate; 0: not known.
    double null_share;
    bool has_range; ///< Numbers, dates and times.
    double low, high;
} column_estimate;

/// Estimates of columns by id; grows with the plan's ids.
typedef struct estimates {
    optimizer *self;
    uint32_t count;
    column_estimate *columns;
    uint64_t facts_bytes_max; ///< What a table's facts may cost to be asked for.
    const plan_node **shared; ///< By slot: what is kept there; NULL where it was not met.
    uint32_t shared_count;
} estimates;

/// Sets row_estimate in every node of the tree.
firn_status estimate_plan(optimizer *self, plan_node *root);

/// The same once more, for who reads the plan: with the facts that were not asked for because they
/// choose nothing in it.
firn_status estimate_shown(optimizer *self, plan_node *root);

/// As estimate_plan, and keeps what is known of columns for the questions below.
firn_status estimate_tree(estimates *self, plan_node *root);
/// The same for what a SHARED node keeps, so that the scans of it are known.
firn_status estimate_shared(estimates *self, plan_node *shared);
/// Rows of one of the plan's tables.
double estimate_table_rows(const optimizer *self, uint32_t table);
const column_estimate *estimate_column(const estimates *self, uint32_t id);
/// Share of rows for which the conjunct is true, 0 to 1.
double estimate_selectivity(const estimates *self, const expr *conjunct);
/// Distinct values of an expression among `rows` rows.
double estimate_distinct(const estimates *self, const expr *value, double rows);

/// One side's column of an equality, before filters.
typedef struct key_estimate {
    double distinct;
    double rows; ///< Of the table that it comes from.
    bool has_range;
    double low, high;
} key_estimate;
key_estimate estimate_key(const estimates *self, const expr *value, double rows);

/// An equality between two relations: the share of their pairs of rows for which it is true.
typedef struct equal_estimate {
    double share;
    double overlap;              ///< Share of pairs whose values are both in the common range.
    double distinct[2], rows[2]; ///< Of both sides, in the common range.
} equal_estimate;
equal_estimate estimate_equal(const key_estimate *left, const key_estimate *right);
/// Several equalities between the same two relations: they are rarely independent.
double estimate_equal_all(const equal_estimate *each, uint32_t count);

#endif
