// count: of all rows, of those with a value, of those for which a condition is true.
#include "functions/aggregate/fold.h"

typedef struct count_state {
    int64_t count;
} count_state;

static bool merge(count_state *target, const count_state *source, const aggregate_call *call) {
    (void)call;
    target->count += source->count;
    return true;
}

static uint32_t count_update(aggregate_call *call, const column *const *args, void *const *states,
                             uint32_t offset) {
    (void)args;
    for (uint32_t k = 0; k < call->count; k++) {
        ((count_state *)fold_state(states, k, offset))->count++;
    }
    return call->count;
}

static uint32_t count_update_one(aggregate_call *call, const column *const *args, void *state) {
    (void)args;
    ((count_state *)state)->count += call->count;
    return call->count;
}

static bool count_update_total(i128 total, int64_t count, void *state) {
    (void)total;
    ((count_state *)state)->count += count;
    return true;
}

static fold_answer value_of(const count_state *state, const aggregate_call *call, column *out,
                            uint32_t k) {
    (void)call;
    COLUMN_OUT(out, int64_t)[k] = state->count;
    return FOLD_GOOD;
}

FOLD_COMBINE(count, count_state, merge)
FOLD_FINISH(count, count_state, value_of)
FOLD_COLUMNS(count, count_state, merge, FOLD_FIELD(count_state, count))

const aggregate_function aggregate_count_rows = {
    .name = "count",
    .category = "aggregate",
    .summary = "how many rows there are, or how many of them have a value",
    .examples =
        (const char *const[]){"count(*) <- (1), (NULL)", "2", "count(x) <- (1), (NULL)", "1",
                              "count(DISTINCT x) <- (1), (1), (2), (NULL)", "2",
                              "count(x) <- (NULL)", "0",
                              "count(*) FILTER (WHERE x > 1) <- (1), (2), (NULL)", "1", NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_EMPTY_IS_ZERO | AGGREGATE_TAKES_NARROW |
             AGGREGATE_VALIDITY_ONLY,
    .overloads =
        (const aggregate_overload[]){
            {.signature = "BIGINT <-",
             .state_columns = "BIGINT",
             .update_total = count_update_total,
             FOLD_MEMBERS(count, count_state)},
            {.signature = "BIGINT <- ANY",
             .state_columns = "BIGINT",
             .update_total = count_update_total,
             FOLD_MEMBERS(count, count_state)},
            {0},
        },
};

static bool add_if(count_state *state, const aggregate_call *call, const column *const *args,
                   uint32_t k) {
    state->count += bitmap_get(args[0]->values, fold_lane(call, args[0], k));
    return true;
}

FOLD_UPDATE(count_if, count_state, add_if)
FOLD_UPDATE_ONE(count_if, count_state, add_if)

const aggregate_function aggregate_count_if = {
    .name = "count_if",
    .aliases = "countif",
    .category = "aggregate",
    .summary = "for how many rows a condition is true",
    .examples = (const char *const[]){"count_if(x > 1) <- (1), (2), (NULL), (3)", "2",
                                      "count_if(x) <- (true), (false)", "1", "count_if(x) <- (1)",
                                      "error: count_if", NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_EMPTY_IS_ZERO,
    .overloads =
        (const aggregate_overload[]){
            {.signature = "BIGINT <- BOOLEAN",
             .state_columns = "BIGINT",
             .state_size = sizeof(count_state),
             .update = count_if_update,
             .update_one = count_if_update_one,
             .combine = count_combine,
             .finish = count_finish,
             .export_state = count_export,
             .import_state = count_import},
            {0},
        },
};
