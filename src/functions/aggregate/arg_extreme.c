// arg_min and arg_max: the first argument of the row that has the lowest or highest second one.
#include "functions/aggregate/fold.h"

static uint32_t collect(aggregate_call *call, const column *const *args, const uint32_t *ends,
                        int sign, column *out) {
    uint32_t *rows = ARENA_NEW(call->scratch, uint32_t, (size_t)call->count + 1);
    if (rows == NULL) {
        return KERNEL_NO_MEMORY;
    }
    cancel_watch watch = {.cancel = call->scratch->cancel};
    uint32_t row = 0;
    for (uint32_t group = 0; group < call->count; group++) {
        rows[group] = row < ends[group] ? row : UINT32_MAX; // UINT32_MAX: NULL.
        for (; row < ends[group]; row++) {
            const int order =
                column_compare_rows_watched(args[1], row, args[1], rows[group], &watch);
            rows[group] = order * sign > 0 ? row : rows[group];
        }
    }
    firn_error err = ERR_INIT;
    return column_take(call->scratch, args[0], rows, call->count, out, &err) == FIRN_OK
               ? call->count
               : KERNEL_NO_MEMORY;
}

static uint32_t arg_min(aggregate_call *call, const column *const *args, const uint32_t *ends,
                        column *out) {
    return collect(call, args, ends, -1, out);
}

static uint32_t arg_max(aggregate_call *call, const column *const *args, const uint32_t *ends,
                        column *out) {
    return collect(call, args, ends, 1, out);
}

const aggregate_function aggregate_arg_min = {
    .name = "arg_min",
    .aliases = "min_by argmin",
    .category = "aggregate",
    .summary = "the first argument of the row with the lowest second one; of rows without NULL",
    .examples = (const char *const[]){"arg_min(x, y) <- ('a', 2), ('b', 1), ('c', NULL)", "b",
                                      "arg_min(x, y) <- (NULL::INTEGER, 1)", "NULL", NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_COLLECTS | AGGREGATE_DISTINCT_IS_SAME,
    .overloads =
        (const aggregate_overload[]){
            {.signature = "T <- T, U", .collect = arg_min},
            {0},
        },
};

const aggregate_function aggregate_arg_max = {
    .name = "arg_max",
    .aliases = "max_by argmax",
    .category = "aggregate",
    .summary = "the first argument of the row with the highest second one; of rows without NULL",
    .examples = (const char *const[]){"arg_max(x, y) <- ('a', 2), ('b', 1)", "a",
                                      "max_by(x, y) <- (1, NULL::INTEGER)", "NULL", NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_COLLECTS | AGGREGATE_DISTINCT_IS_SAME,
    .overloads =
        (const aggregate_overload[]){
            {.signature = "T <- T, U", .collect = arg_max},
            {0},
        },
};
