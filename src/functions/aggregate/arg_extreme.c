// arg_min and arg_max: the first argument of the row that has the lowest or highest second one; of
// several such rows the first by ORDER BY, then the first that came.
#include "expr/aggregate.h"

static const aggregate_choice lowest = {.is_by_arg = true, .key = 1};
static const aggregate_choice highest = {.is_by_arg = true, .key = 1, .is_descending = true};

const aggregate_function aggregate_arg_min = {
    .name = "arg_min",
    .aliases = "min_by argmin",
    .category = "aggregate",
    .summary = "the first argument of the row with the lowest second one; of rows without NULL",
    .examples = (const char *const[]){"arg_min(x, y) <- ('a', 2), ('b', 1), ('c', NULL)", "b",
                                      "arg_min(x, y) <- (NULL::INTEGER, 1)", "NULL",
                                      "arg_min(x, y) <- ('a', 1), ('b', 1)", "a", NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_ORDER_MATTERS | AGGREGATE_DISTINCT_IS_SAME,
    .overloads =
        (const aggregate_overload[]){
            {.signature = "T <- T, U", .choice = &lowest},
            {0},
        },
};

const aggregate_function aggregate_arg_max = {
    .name = "arg_max",
    .aliases = "max_by argmax",
    .category = "aggregate",
    .summary = "the first argument of the row with the highest second one; of rows without NULL",
    .examples = (const char *const[]){"arg_max(x, y) <- ('a', 2), ('b', 1)", "a",
                                      "arg_max(x, y) <- ([1], 2), ([2], 3)", "[2]",
                                      "max_by(x, y) <- (1, NULL::INTEGER)", "NULL", NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_ORDER_MATTERS | AGGREGATE_DISTINCT_IS_SAME,
    .overloads =
        (const aggregate_overload[]){
            {.signature = "T <- T, U", .choice = &highest},
            {0},
        },
};
