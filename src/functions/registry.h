// Which functions there are: look-up by name in the lists functions.def and aggregates.def.
//
// A scalar function is found by its name or one of its aliases, whatever the case. Operators are
// functions whose name is their sign ("+", "<="), or words that SQL spells otherwise: "not",
// "is_null", "is_distinct_from", "like" …; functions.def lists them first.
#ifndef FIRN_FUNCTIONS_REGISTRY_H
#define FIRN_FUNCTIONS_REGISTRY_H

#include "base/nearest.h"
#include "expr/aggregate.h"

/// The function of that name or alias; NULL if there is none.
const scalar_function *function_find(text name);
const aggregate_function *aggregate_find(text name);

/// All functions, in the order of their list: index below the count.
uint32_t function_count(void);
const scalar_function *function_at(uint32_t index);
uint32_t aggregate_count(void);
const aggregate_function *aggregate_at(uint32_t index);

/// For "did you mean": offers the names of all scalar and aggregate functions. Static storage.
void function_offer_names(nearest_name *near);

#endif
