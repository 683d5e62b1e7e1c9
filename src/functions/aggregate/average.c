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

// Decimals declared with more than 38 digits; their sums, too, must fit into 128 bits.
static bool add_long(sum_wide *state, const aggregate_call *call, const column *const *args,
                     uint32_t k) {
    i128 value;
    state->count++;
    return i256_to_i128_fits(COLUMN_VALUES(args[0], i256)[fold_lane(call, args[0], k)], &value) &&
           fold_i128_add(&state->sum, value);
}
FOLD_UPDATE(long, sum_wide, add_long)
FOLD_UPDATE_ONE(long, sum_wide, add_long)

static bool is_long(const column *arg) {
    return type_physical(arg->type) == PHYSICAL_I256;
}

static uint32_t decimal_update(aggregate_call *call, const column *const *args, void *const *states,
                               uint32_t offset) {
    return is_long(args[0]) ? long_update(call, args, states, offset)
                            : sum_decimal_update(call, args, states, offset);
}

static uint32_t decimal_update_one(aggregate_call *call, const column *const *args, void *state) {
    return is_long(args[0]) ? long_update_one(call, args, state)
                            : sum_decimal_update_one(call, args, state);
}

static uint32_t decimal_update_counted(aggregate_call *call, const column *const *args,
                                       const uint32_t *counts, void *state) {
    if (!is_long(args[0])) {
        return sum_decimal_update_counted(call, args, counts, state);
    }
    for (uint32_t k = 0; k < call->count; k++) {
        for (uint32_t i = 0; i < counts[k]; i++) {
            if (!add_long(state, call, args, k)) {
                return k;
            }
        }
    }
    return call->count;
}

// sum * 10^(scale of the result - scale of the sum) / count.
static fold_answer decimal_value(const sum_wide *state, const aggregate_call *call, column *out,
                                 uint32_t k) {
    if (state->count == 0) {
        return FOLD_NULL;
    }
    const uint32_t more = (uint32_t)call->result->scale - call->types[0]->scale;
    const i256 scaled = i256_product(fold_i128_get(state->sum), i128_power_of_ten[more]);
    i256 quotient;
    if (!i256_divide_round_fits(scaled, i256_from_i64(state->count), &quotient) ||
        !i256_has_digits(quotient, call->result->precision)) {
        return FOLD_BAD;
    }
    if (type_physical(call->result) == PHYSICAL_I256) {
        COLUMN_OUT(out, i256)[k] = quotient;
        return FOLD_GOOD;
    }
    return i256_to_i128_fits(quotient, &COLUMN_OUT(out, i128)[k]) ? FOLD_GOOD : FOLD_BAD;
}
FOLD_FINISH(decimal, sum_wide, decimal_value)

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
             .state_columns = SUM_STATE_WIDE,
             .state_size = sizeof(sum_wide),
             .update = decimal_update,
             .update_one = decimal_update_one,
             .update_counted = decimal_update_counted,
             .update_total = sum_wide_update_total, // Of those with at most 38 digits.
             .combine = sum_wide_combine,
             .finish = decimal_finish,
             .export_state = sum_wide_export,
             .import_state = sum_wide_import},
            {.signature = "INTERVAL <- INTERVAL", .finish = interval_finish, SUM_MEMBERS_INTERVAL},
            {0},
        },
};
