// Covariance, correlation and linear regression of pairs (y, x): rows with a NULL in either are
// left out. Sums of products of distances from the means, kept as in variance.c.
#include <math.h>

#include "functions/aggregate/fold.h"

typedef struct pair_state {
    int64_t count;
    double mean_y, mean_x;
    double yy, xx, yx; // Sums of products of distances.
} pair_state;

static bool add(pair_state *state, const aggregate_call *call, const column *const *args,
                uint32_t k) {
    const double y = COLUMN_VALUES(args[0], double)[fold_lane(call, args[0], k)];
    const double x = COLUMN_VALUES(args[1], double)[fold_lane(call, args[1], k)];
    const double distance_y = y - state->mean_y;
    const double distance_x = x - state->mean_x;
    state->count++;
    state->mean_y += distance_y / (double)state->count;
    state->mean_x += distance_x / (double)state->count;
    state->yy += distance_y * (y - state->mean_y);
    state->xx += distance_x * (x - state->mean_x);
    state->yx += distance_x * (y - state->mean_y);
    return true;
}

static bool merge(pair_state *target, const pair_state *source, const aggregate_call *call) {
    (void)call;
    if (source->count == 0) {
        return true;
    }
    const double left = (double)target->count;
    const double right = (double)source->count;
    const double weight = left * right / (left + right);
    const double distance_y = source->mean_y - target->mean_y;
    const double distance_x = source->mean_x - target->mean_x;
    target->yy += source->yy + distance_y * distance_y * weight;
    target->xx += source->xx + distance_x * distance_x * weight;
    target->yx += source->yx + distance_y * distance_x * weight;
    target->mean_y += distance_y * right / (left + right);
    target->mean_x += distance_x * right / (left + right);
    target->count += source->count;
    return true;
}

FOLD_UPDATE(pair, pair_state, add)
FOLD_UPDATE_ONE(pair, pair_state, add)
FOLD_COMBINE(pair, pair_state, merge)
FOLD_COLUMNS(pair, pair_state, merge, FOLD_FIELD(pair_state, count), FOLD_FIELD(pair_state, mean_y),
             FOLD_FIELD(pair_state, mean_x), FOLD_FIELD(pair_state, yy), FOLD_FIELD(pair_state, xx),
             FOLD_FIELD(pair_state, yx))

// Symbol, name, aliases, fewest rows, when else it is NULL, value, summary.
#define PAIR_LIST(X)                                                                               \
    X(covar_samp, NULL, 2, false, s->yx / (n - 1), "the covariance of a sample",                   \
      "covar_samp(x, y) <- (1, 2), (2, 4), (3, 7)", "2.5")                                         \
    X(covar_pop, NULL, 1, false, s->yx / n, "the covariance of all pairs",                         \
      "covar_pop(x, y) <- (1, 2), (2, 4), (3, 6)", "1.3333333333333333")                           \
    X(corr, NULL, 2, s->xx <= 0 || s->yy <= 0, s->yx / sqrt(s->xx * s->yy),                        \
      "Pearson's correlation; NULL where one side has only one value",                             \
      "corr(x, y) <- (1, 2), (2, 4), (3, 6), (NULL, 1)", "1.0")                                    \
    X(regr_slope, NULL, 1, s->xx <= 0, s->yx / s->xx, "the slope of the regression line y(x)",     \
      "regr_slope(x, y) <- (2, 1), (4, 2)", "2.0")                                                 \
    X(regr_intercept, NULL, 1, s->xx <= 0, s->mean_y - s->mean_x * s->yx / s->xx,                  \
      "where the regression line y(x) has x = 0", "regr_intercept(x, y) <- (3, 1), (5, 2)", "1.0") \
    X(regr_r2, NULL, 1, s->xx <= 0, s->yy <= 0 ? 1 : s->yx * s->yx / (s->xx * s->yy),              \
      "the square of the correlation", "regr_r2(x, y) <- (2, 1), (4, 2)", "1.0")                   \
    X(regr_avgx, NULL, 1, false, s->mean_x, "the mean of x over pairs",                            \
      "regr_avgx(x, y) <- (1, 2), (1, 4), (1, NULL)", "3.0")                                       \
    X(regr_avgy, NULL, 1, false, s->mean_y, "the mean of y over pairs",                            \
      "regr_avgy(x, y) <- (1, 2), (2, 4), (NULL, 1)", "1.5")                                       \
    X(regr_sxx, NULL, 1, false, s->xx, "the sum of squared distances of x from its mean",          \
      "regr_sxx(x, y) <- (0, 1), (0, 3)", "2.0")                                                   \
    X(regr_syy, NULL, 1, false, s->yy, "the sum of squared distances of y from its mean",          \
      "regr_syy(x, y) <- (1, 0), (3, 0)", "2.0")                                                   \
    X(regr_sxy, NULL, 1, false, s->yx, "the sum of products of both distances from the means",     \
      "regr_sxy(x, y) <- (1, 1), (3, 3)", "2.0")

#define X(symbol, aliases_, fewest, is_null, value, summary_, example, expected)                   \
    static fold_answer symbol##_value(const pair_state *s, const aggregate_call *call,             \
                                      column *out, uint32_t k) {                                   \
        (void)call;                                                                                \
        const double n = (double)s->count;                                                         \
        (void)n;                                                                                   \
        if (s->count < (fewest) || (is_null)) {                                                    \
            return FOLD_NULL;                                                                      \
        }                                                                                          \
        COLUMN_OUT(out, double)[k] = (value);                                                      \
        return FOLD_GOOD;                                                                          \
    }                                                                                              \
    FOLD_FINISH(symbol, pair_state, symbol##_value)                                                \
    const aggregate_function aggregate_##symbol = {                                                \
        .name = #symbol,                                                                           \
        .aliases = (aliases_),                                                                     \
        .category = "aggregate",                                                                   \
        .summary = (summary_),                                                                     \
        .examples = (const char *const[]){(example), (expected),                                   \
                                          (#symbol "(x, y) <- (NULL::DOUBLE, 1)"), "NULL", NULL},  \
        .flags = AGGREGATE_SKIPS_NULLS,                                                            \
        .overloads =                                                                               \
            (const aggregate_overload[]){                                                          \
                {.signature = "DOUBLE <- DOUBLE, DOUBLE",                                          \
                 .state_columns = "BIGINT, DOUBLE, DOUBLE, DOUBLE, DOUBLE, DOUBLE",                \
                 .state_size = sizeof(pair_state),                                                 \
                 .update = pair_update,                                                            \
                 .update_one = pair_update_one,                                                    \
                 .combine = pair_combine,                                                          \
                 .finish = symbol##_finish,                                                        \
                 .export_state = pair_export,                                                      \
                 .import_state = pair_import},                                                     \
                {0},                                                                               \
            },                                                                                     \
    };
PAIR_LIST(X)
#undef X

static fold_answer count_value(const pair_state *state, const aggregate_call *call, column *out,
                               uint32_t k) {
    (void)call;
    COLUMN_OUT(out, int64_t)[k] = state->count;
    return FOLD_GOOD;
}
FOLD_FINISH(count, pair_state, count_value)

const aggregate_function aggregate_regr_count = {
    .name = "regr_count",
    .category = "aggregate",
    .summary = "how many pairs have both values",
    .examples = (const char *const[]){"regr_count(x, y) <- (1, 2), (1, NULL)", "1", NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_EMPTY_IS_ZERO,
    .overloads =
        (const aggregate_overload[]){
            {.signature = "BIGINT <- DOUBLE, DOUBLE",
             .state_columns = "BIGINT, DOUBLE, DOUBLE, DOUBLE, DOUBLE, DOUBLE",
             .state_size = sizeof(pair_state),
             .update = pair_update,
             .update_one = pair_update_one,
             .combine = pair_combine,
             .finish = count_finish,
             .export_state = pair_export,
             .import_state = pair_import},
            {0},
        },
};
