// Private to optimize/late_values*.c: which computed columns are used in arms alone, and where.
#ifndef FIRN_OPTIMIZE_LATE_VALUES_H
#define FIRN_OPTIMIZE_LATE_VALUES_H

#include "optimize/rewrite.h"

#define NO_VALUE UINT32_MAX

// A place that mentions the value.
typedef struct late_use {
    expr **slot;
    uint32_t step;  // How many projections compute the value or hand it on below.
    uint32_t owner; // The value that it is a part of; NO_VALUE: none that might move.
    bool is_arm;
    uint32_t next; // Of the same value, in the order of steps.
} late_use;

// A computed column that can fail.
typedef enum late_null { LATE_NULL_UNKNOWN, LATE_NULL_KEPT, LATE_NULL_LOST } late_null;

typedef struct late_value {
    uint32_t id;
    expr *source;             // Where it is computed; once that is left, as it is spelled there.
    const plan_node *highest; // The last projection that was met on its way.
    uint32_t step;            // How many were.
    uint32_t first_use, last_use;
    uint32_t use_count;    // Those that compute with it.
    uint32_t met, wanted;  // Mentions of its columns that were met, of all in the plan.
    uint32_t nodes, depth; // Of its expression, with the values in it.
    late_null of_null;     // Is it NULL when all columns below are? Asked for at outer joins.
    bool stays;
} late_value;

typedef struct late_values {
    optimizer *self;
    uint32_t *mentions; // By column id.
    uint32_t *by_id;    // Which value the column is, NO_VALUE: none.
    uint32_t id_count;
    late_value *items;
    uint32_t count, capacity;
    late_use *uses;
    uint32_t use_count, use_capacity;
    uint32_t *open; // Values that met no outer join that may make their columns NULL.
    uint32_t open_count, open_capacity;
    bool is_full; // Memory was short where it could not be said at once.
} late_values;

/// Looks through the whole plan for values that can fail, and for their uses.
firn_status late_values_find(late_values *self, plan_node **root);

#endif
