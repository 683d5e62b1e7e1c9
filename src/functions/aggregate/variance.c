// Variance and standard deviation, of a sample and of a population; product. The sum of squared
// distances from the mean is kept as rows come (Welford) and put together (Chan et al.).
#include <math.h>

#include "functions/aggregate/fold.h"

typedef struct variance_state {
    int64_t count;
    double mean;
    double squares; // Sum of squared distances from the mean.
} variance_state;

// Of NaN or an infinite value among them the result is NaN, whatever comes before and after; where
// finite values only are too far apart it is infinite, as a sum of doubles is.
static void settle(variance_state *state, bool is_finite) {
    if (!is_finite) {
        state->mean = (double)NAN;
        state->squares = (double)NAN;
    } else if (!isfinite(state->mean) || !isfinite(state->squares)) {
        state->mean = 0;
        state->squares = (double)INFINITY;
    }
}

static bool add(variance_state *state, const aggregate_call *call, const column *const *args,
                uint32_t k) {
    const double value = COLUMN_VALUES(args[0], double)[fold_lane(call, args[0], k)];
    const bool is_finite = isfinite(value) && !isnan(state->mean);
    const double distance = value - state->mean;
    state->count++;
    state->mean += distance / (double)state->count;
    state->squares += distance * (value - state->mean);
    settle(state, is_finite);
    return true;
}

static bool merge(variance_state *target, const variance_state *source,
                  const aggregate_call *call) {
    (void)call;
    if (source->count == 0) {
        return true;
    }
    const bool is_finite = !isnan(target->mean) && !isnan(source->mean);
    const double left = (double)target->count;
    const double right = (double)source->count;
    const double distance = source->mean - target->mean;
    target->mean += left > 0 ? distance * right / (left + right) : distance;
    // An infinite distance times no rows would be NaN.
    target->squares +=
        source->squares + (left > 0 ? distance * distance * left * right / (left + right) : 0);
    target->count += source->count;
    settle(target, is_finite);
    return true;
}

FOLD_UPDATE(variance, variance_state, add)
FOLD_UPDATE_ONE(variance, variance_state, add)
FOLD_COMBINE(variance, variance_state, merge)
FOLD_COLUMNS(variance, variance_state, merge, FOLD_FIELD(variance_state, count),
             FOLD_FIELD(variance_state, mean), FOLD_FIELD(variance_state, squares))

// `less` is 1 for a sample: there is one degree of freedom less than rows.
static fold_answer put_value(const variance_state *state, int64_t less, bool is_root, column *out,
                             uint32_t k) {
    if (state->count <= less) {
        return FOLD_NULL;
    }
    const double variance = state->squares / (double)(state->count - less);
    COLUMN_OUT(out, double)[k] = is_root ? sqrt(variance) : variance;
    return FOLD_GOOD;
}

#define VALUE(which, less, is_root)                                                                \
    static fold_answer which##_value(const variance_state *state, const aggregate_call *call,      \
                                     column *out, uint32_t k) {                                    \
        (void)call;                                                                                \
        return put_value(state, less, is_root, out, k);                                            \
    }                                                                                              \
    FOLD_FINISH(which, variance_state, which##_value)
VALUE(var_samp, 1, false)
VALUE(var_pop, 0, false)
VALUE(stddev_samp, 1, true)
VALUE(stddev_pop, 0, true)

#define OVERLOADS(finish_of)                                                                       \
    (const aggregate_overload[]) {                                                                 \
        {.signature = "DOUBLE <- DOUBLE",                                                          \
         .state_columns = "BIGINT, DOUBLE, DOUBLE",                                                \
         .state_size = sizeof(variance_state),                                                     \
         .update = variance_update,                                                                \
         .update_one = variance_update_one,                                                        \
         .combine = variance_combine,                                                              \
         .finish = finish_of,                                                                      \
         .export_state = variance_export,                                                          \
         .import_state = variance_import},                                                         \
            {0},                                                                                   \
    }

const aggregate_function aggregate_var_samp = {
    .name = "var_samp",
    .aliases = "variance var_sample",
    .category = "aggregate",
    .summary = "the variance of a sample; NULL for fewer than two values",
    .examples = (const char *const[]){"var_samp(x) <- (1), (2), (3), (4), (NULL)",
                                      "1.6666666666666667", "variance(x) <- (1)", "NULL",
                                      "var_samp(x) <- ('a')", "error: var_samp", NULL},
    .flags = AGGREGATE_SKIPS_NULLS,
    .overloads = OVERLOADS(var_samp_finish),
};

const aggregate_function aggregate_var_pop = {
    .name = "var_pop",
    .aliases = "var_population",
    .category = "aggregate",
    .summary = "the variance of all values",
    .examples =
        (const char *const[]){"var_pop(x) <- (1), (2), (3), (4)", "1.25", "var_pop(x) <- (1.5)",
                              "0.0", "var_pop(x) <- (NULL::DOUBLE)", "NULL", NULL},
    .flags = AGGREGATE_SKIPS_NULLS,
    .overloads = OVERLOADS(var_pop_finish),
};

const aggregate_function aggregate_stddev_samp = {
    .name = "stddev_samp",
    .aliases = "stddev",
    .category = "aggregate",
    .summary = "the standard deviation of a sample; NULL for fewer than two values",
    .examples = (const char *const[]){"stddev(x) <- (1), (2), (3), (4)", "1.2909944487358056",
                                      "stddev_samp(x) <- (1)", "NULL", NULL},
    .flags = AGGREGATE_SKIPS_NULLS,
    .overloads = OVERLOADS(stddev_samp_finish),
};

const aggregate_function aggregate_stddev_pop = {
    .name = "stddev_pop",
    .category = "aggregate",
    .summary = "the standard deviation of all values",
    .examples = (const char *const[]){"stddev_pop(x) <- (1), (2), (3), (4)", "1.118033988749895",
                                      "stddev_pop(x) <- (7)", "0.0", NULL},
    .flags = AGGREGATE_SKIPS_NULLS,
    .overloads = OVERLOADS(stddev_pop_finish),
};

// ---- product ------------------------------------------------------------------------------------

typedef struct product_state {
    int64_t count;
    double product; // Of `count` values; 0 when there is none.
} product_state;

static bool product_merge(product_state *target, const product_state *source,
                          const aggregate_call *call) {
    (void)call;
    if (source->count > 0) {
        target->product = target->count == 0 ? source->product : target->product * source->product;
        target->count += source->count;
    }
    return true;
}

static bool product_add(product_state *state, const aggregate_call *call, const column *const *args,
                        uint32_t k) {
    const product_state one = {
        .count = 1, .product = COLUMN_VALUES(args[0], double)[fold_lane(call, args[0], k)]};
    return product_merge(state, &one, call);
}

static fold_answer product_value(const product_state *state, const aggregate_call *call,
                                 column *out, uint32_t k) {
    (void)call;
    COLUMN_OUT(out, double)[k] = state->product;
    return state->count == 0 ? FOLD_NULL : FOLD_GOOD;
}

FOLD_UPDATE(product, product_state, product_add)
FOLD_UPDATE_ONE(product, product_state, product_add)
FOLD_COMBINE(product, product_state, product_merge)
FOLD_FINISH(product, product_state, product_value)
FOLD_COLUMNS(product, product_state, product_merge, FOLD_FIELD(product_state, count),
             FOLD_FIELD(product_state, product))

const aggregate_function aggregate_product = {
    .name = "product",
    .category = "aggregate",
    .summary = "all values multiplied",
    .examples = (const char *const[]){"product(x) <- (2), (3.5), (NULL)", "7.0",
                                      "product(x) <- (NULL::INTEGER)", "NULL", NULL},
    .flags = AGGREGATE_SKIPS_NULLS,
    .overloads =
        (const aggregate_overload[]){
            {.signature = "DOUBLE <- DOUBLE",
             .state_columns = "BIGINT, DOUBLE",
             FOLD_MEMBERS(product, product_state)},
            {0},
        },
};
