// Sums by combination of dictionary entries.
//
//     GROUP BY flag, status        keys are dictionary columns
//     sum(price * (1 - discount))  a **measure** times a **factor**, of dictionary columns
//     sum(quantity)                a measure alone
//     count(*)                     rows
//
// While the dictionaries of the keys and of the factors' columns stay the same a row adds its
// measures to the **cell** of its combination of entries, and nothing else; a factor is computed
// once a combination. When they change, or a cell could overflow, what is in the cells goes into
// the states of the groups: cell times factor. Products are exact: integers and decimals only.
//
// What is not of that kind, or has a NULL, is refused and goes the common way; both add to the same
// states.
#ifndef FIRN_EXEC_AGGREGATE_TOTALS_H
#define FIRN_EXEC_AGGREGATE_TOTALS_H

#include "exec/aggregate/aggregation.h"

#define TOTALS_DIMENSIONS_MAX 8 ///< Keys and columns of factors.
#define TOTALS_MEASURES_MAX 4
#define TOTALS_FACTORS_MAX 4 ///< Of one aggregate.

/// What one aggregate adds up.
typedef struct totals_term {
    bool counts_rows; ///< Nothing but rows.
    uint32_t measure; ///< Number of the measure; ROW_NONE: a row counts as 1.
    uint32_t factor_count;
    uint32_t factors[TOTALS_FACTORS_MAX]; ///< Roots of the program.
} totals_term;

/// How a shape's aggregates are added up. Positions are those of input columns.
typedef struct totals_plan {
    bool is_possible;
    uint32_t input_count;
    uint32_t slot_count;
    uint32_t key_count; ///< The first dimensions are the group's key.
    uint32_t dimension_count;
    uint32_t dimensions[TOTALS_DIMENSIONS_MAX];
    uint32_t measure_count;
    uint32_t measures[TOTALS_MEASURES_MAX];
    uint32_t present_count; ///< Columns whose rows are counted: they may have no NULL.
    uint32_t *present;
    uint32_t factor_count;
    expr_program *program; ///< Of the factors.
    totals_term *terms;    ///< By slot.
} totals_plan;

/// Says whether and how. (aggregate_totals_plan.c)
firn_status totals_plan_make(const aggregate_shape *shape, const input_layout *input, arena *memory,
                             totals_plan *out, firn_error *err);

/// A worker's cells.
typedef struct aggregate_totals aggregate_totals;

firn_status aggregate_totals_open(const totals_plan *plan, const statement_context *statement,
                                  arena *memory, aggregate_totals **out, firn_error *err);
void aggregate_totals_close(aggregate_totals *self); ///< NULL does nothing.

typedef enum totals_answer {
    TOTALS_REFUSED, ///< The batch goes another way.
    TOTALS_TAKEN,
    TOTALS_FULL, ///< What is in the cells must go into the states first; then ask again.
} totals_answer;

/// Adds a batch's rows to the cells.
firn_status aggregate_totals_add(aggregate_totals *self, const batch *input, arena *scratch,
                                 totals_answer *answer, firn_error *err);

bool aggregate_totals_has_rows(const aggregate_totals *self);
/// The keys that have rows in their cells, as columns of `*count` rows.
firn_status aggregate_totals_keys(aggregate_totals *self, arena *scratch, column **keys,
                                  uint32_t *count, firn_error *err);
/// Puts what belongs to row `k` of those into the states of `group`.
firn_status aggregate_totals_put(const aggregate_totals *self, const aggregate_context *context,
                                 uint32_t k, uint8_t *group);
/// Empties the cells.
void aggregate_totals_clear(aggregate_totals *self);

#endif
