// avg: of integers and floats DOUBLE; of decimals DECIMAL with at least four digits more, rounded
// half away from zero; of intervals INTERVAL.
#include "functions/aggregate/sum_state.h"

// ---- Integers, floats, intervals ---------------------------------------------------------------

static fold_answer integer_value(const sum_wide *state, const aggregate_call *call, column *out,
                                 uint32_t k) {
    (void)call;
    if (state->count == 0) {
        return FOLD_NULL;
    }
    COLUMN_OUT(out, double)[k] = (double)fold_i128_get(state->sum) / (double)state->count;
    return FOLD_GOOD;
}
FOLD_FINISH(integer, sum_wide, integer_value)

static fold_answer float_value(const sum_float *state, const aggregate_call *call, column *out,
                               uint32_t k) {
    (void)call;
    if (state->count == 0) {
        return FOLD_NULL;
    }
    COLUMN_OUT(out, double)[k] = state->sum / (double)state->count;
    return FOLD_GOOD;
}
FOLD_FINISH(float, sum_float, float_value)

static fold_answer interval_value_of(const sum_interval *state, const aggregate_call *call,
                                     column *out, uint32_t k) {
    (void)call;
    if (state->count == 0) {
        return FOLD_NULL;
    }
    return interval_divide_fits(state->sum, (double)state->count,
                                &COLUMN_OUT(out, interval_value)[k])
               ? FOLD_GOOD
               : FOLD_BAD;
}
FOLD_FINISH(interval, sum_interval, interval_value_of)

// ---- Decimals ----------------------------------------------------------------------------------

// sum * 10^(scale of the result - scale of the sum) / count.
static bool mean_of(const aggregate_call *call, i256 sum, int64_t count, i256 *out) {
    const uint32_t more = (uint32_t)call->result->scale - call->types[0]->scale;
    return i256_quotient_round_fits(sum, more, i256_from_i64(count), out) &&
           i256_has_digits(*out, call->result->precision);
}

static fold_answer wide_value(const sum_wide *state, const aggregate_call *call, column *out,
                              uint32_t k) {
    if (state->count == 0) {
        return FOLD_NULL;
    }
    i256 mean;
    return mean_of(call, i256_from_i128(fold_i128_get(state->sum)), state->count, &mean) &&
                   i256_to_i128_fits(mean, &COLUMN_OUT(out, i128)[k])
               ? FOLD_GOOD
               : FOLD_BAD;
}
FOLD_FINISH(wide, sum_wide, wide_value)

static fold_answer long_value(const sum_long *state, const aggregate_call *call, column *out,
                              uint32_t k) {
    if (state->low.count == 0) {
        return FOLD_NULL;
    }
    return mean_of(call, sum_long_get(state), state->low.count, &COLUMN_OUT(out, i256)[k])
               ? FOLD_GOOD
               : FOLD_BAD;
}
FOLD_FINISH(long, sum_long, long_value)

static uint32_t decimal_finish(aggregate_call *call, void *const *states, uint32_t offset,
                               column *out) {
    return sum_is_long(call) ? long_finish(call, states, offset, out)
                             : wide_finish(call, states, offset, out);
}

static firn_status bind_decimal(function_bind_call *call, firn_error *err) {
    const type *arg = call->types[0];
    const uint8_t precision =
        arg->precision > DECIMAL_PRECISION_I128 ? DECIMAL_PRECISION_MAX : DECIMAL_PRECISION_I128;
    uint32_t scale = arg->scale + 4u < 16 ? 16 : arg->scale + 4u;
    scale = scale > DECIMAL_PRECISION_I128 ? DECIMAL_PRECISION_I128 : scale;
    scale = scale < arg->scale ? arg->scale : scale;
    call->result = type_decimal(call->memory, precision, (uint8_t)scale);
    return call->result == NULL ? ARENA_FULL(call->memory, err) : FIRN_OK;
}

#define OVERLOAD_INTEGER(type_name, word)                                                          \
    {.signature = "DOUBLE <- " type_name, .finish = integer_finish, SUM_MEMBERS_WIDE(word)}

const aggregate_function aggregate_avg = {
    .name = "avg",
    .aliases = "mean",
    .category = "aggregate",
    .summary = "the arithmetic mean; NULL if there is no value",
    .examples =
        (const char *const[]){
            "avg(x) <- (1), (2), (NULL)", "1.5", "avg(x) <- (1.00), (2.01)", "1.5050000000000000",
            "avg(x) <- (1), (1), (2)", "1.3333333333333333", "avg(x) <- (0.1), (0.1), (0.2)",
            "0.1333333333333333", "avg(x) <- (INTERVAL '1 hour'), (INTERVAL '2 hours')", "01:30:00",
            "avg(x) <- (NULL::DOUBLE)", "NULL", "avg(x) <- ('a')", "error: avg", NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_CAN_FAIL | AGGREGATE_TAKES_NARROW,
    .overloads =
        (const aggregate_overload[]){
            OVERLOAD_INTEGER("INTEGER", i32),
            OVERLOAD_INTEGER("BIGINT", i64),
            OVERLOAD_INTEGER("SMALLINT", i16),
            OVERLOAD_INTEGER("TINYINT", i8),
            OVERLOAD_INTEGER("UBIGINT", u64),
            OVERLOAD_INTEGER("UINTEGER", u32),
            OVERLOAD_INTEGER("USMALLINT", u16),
            OVERLOAD_INTEGER("UTINYINT", u8),
            {.signature = "DOUBLE <- DOUBLE", .finish = float_finish, SUM_MEMBERS_FLOAT(f64)},
            {.signature = "? <- DECIMAL(p,s)",
             .bind = bind_decimal,
             .finish = decimal_finish,
             SUM_MEMBERS_DECIMALS},
            {.signature = "INTERVAL <- INTERVAL", .finish = interval_finish, SUM_MEMBERS_INTERVAL},
            {0},
        },
};
