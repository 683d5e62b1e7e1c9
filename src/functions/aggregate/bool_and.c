// bool_and (every) and bool_or (any): over booleans.
#include "functions/aggregate/fold.h"

typedef struct bool_state {
    int64_t count;
    int64_t true_count;
} bool_state;

static bool add(bool_state *state, const aggregate_call *call, const column *const *args,
                uint32_t k) {
    state->count++;
    state->true_count += bitmap_get(args[0]->values, fold_lane(call, args[0], k));
    return true;
}

static bool merge(bool_state *target, const bool_state *source, const aggregate_call *call) {
    (void)call;
    target->count += source->count;
    target->true_count += source->true_count;
    return true;
}

static fold_answer and_value(const bool_state *state, const aggregate_call *call, column *out,
                             uint32_t k) {
    (void)call;
    bitmap_put(COLUMN_OUT(out, uint64_t), k, state->count == state->true_count);
    return state->count == 0 ? FOLD_NULL : FOLD_GOOD;
}

static fold_answer or_value(const bool_state *state, const aggregate_call *call, column *out,
                            uint32_t k) {
    (void)call;
    bitmap_put(COLUMN_OUT(out, uint64_t), k, state->true_count > 0);
    return state->count == 0 ? FOLD_NULL : FOLD_GOOD;
}

FOLD_UPDATE(and, bool_state, add)
FOLD_UPDATE_ONE(and, bool_state, add)
FOLD_COMBINE(and, bool_state, merge)
FOLD_FINISH(and, bool_state, and_value)
FOLD_FINISH(or, bool_state, or_value)
FOLD_COLUMNS(and, bool_state, merge, FOLD_FIELD(bool_state, count),
             FOLD_FIELD(bool_state, true_count))

#define OVERLOADS(finish_of)                                                                       \
    (const aggregate_overload[]) {                                                                 \
        {.signature = "BOOLEAN <- BOOLEAN",                                                        \
         .state_columns = "BIGINT, BIGINT",                                                        \
         .state_size = sizeof(bool_state),                                                         \
         .update = and_update,                                                                     \
         .update_one = and_update_one,                                                             \
         .combine = and_combine,                                                                   \
         .finish = finish_of,                                                                      \
         .export_state = and_export,                                                               \
         .import_state = and_import},                                                              \
            {0},                                                                                   \
    }

const aggregate_function aggregate_bool_and = {
    .name = "bool_and",
    .aliases = "every",
    .category = "aggregate",
    .summary = "whether all values are true",
    .examples = (const char *const[]){"bool_and(x) <- (true), (NULL)", "true",
                                      "every(x) <- (true), (false)", "false",
                                      "bool_and(x) <- (NULL::BOOLEAN)", "NULL",
                                      "bool_and(x) <- (1)", "error: bool_and", NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_DISTINCT_IS_SAME,
    .overloads = OVERLOADS(and_finish),
};

const aggregate_function aggregate_bool_or = {
    .name = "bool_or",
    .category = "aggregate",
    .summary = "whether any value is true",
    .examples = (const char *const[]){"bool_or(x) <- (true), (false)", "true",
                                      "bool_or(x) <- (false), (NULL)", "false",
                                      "bool_or(x) <- (NULL::BOOLEAN)", "NULL", NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_DISTINCT_IS_SAME,
    .overloads = OVERLOADS(or_finish),
};
