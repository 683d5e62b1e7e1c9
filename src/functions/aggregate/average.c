// avg: of integers and floats DOUBLE; of decimals DECIMAL with at least four digits more, rounded
// half away from zero; of intervals INTERVAL.
#include "functions/aggregate/fold.h"
#include "kernels/reduce.h"

typedef struct average_state { // Of integers and decimals.
    fold_i128 sum;
    int64_t count;
} average_state;

static bool merge(average_state *target, const average_state *source, const aggregate_call *call) {
    (void)call;
    target->count += source->count;
    return fold_i128_add(&target->sum, fold_i128_get(source->sum));
}

static fold_answer integer_value(const average_state *state, const aggregate_call *call,
                                 column *out, uint32_t k) {
    (void)call;
    if (state->count == 0) {
        return FOLD_NULL;
    }
    COLUMN_OUT(out, double)[k] = (double)fold_i128_get(state->sum) / (double)state->count;
    return FOLD_GOOD;
}

FOLD_COMBINE(average, average_state, merge)
FOLD_FINISH(integer, average_state, integer_value)
FOLD_COLUMNS(average, average_state, merge, FOLD_FIELD(average_state, sum),
             FOLD_FIELD(average_state, count))

#define AVERAGE(word, c_type)                                                                      \
    static uint32_t word##_update(aggregate_call *call, const column *const *args,                 \
                                  void *const *states, uint32_t offset) {                          \
        const c_type *in = COLUMN_VALUES(args[0], c_type);                                         \
        const uint32_t mask = column_mask(args[0]);                                                \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            const uint32_t row = call->rows == NULL ? k : call->rows[k];                           \
            average_state *state = fold_state(states, k, offset);                                  \
            state->count++;                                                                        \
            if (!fold_i128_add(&state->sum, in[row & mask])) {                                     \
                return k;                                                                          \
            }                                                                                      \
        }                                                                                          \
        return call->count;                                                                        \
    }                                                                                              \
    static uint32_t word##_update_one(aggregate_call *call, const column *const *args,             \
                                      void *states) {                                              \
        const c_type *in = COLUMN_VALUES(args[0], c_type);                                         \
        average_state *state = states;                                                             \
        i128 sum = 0;                                                                              \
        if (args[0]->form == FORM_CONSTANT) {                                                      \
            sum = (i128)in[0] * call->count;                                                       \
        } else {                                                                                   \
            sum = reduce_sum_##word(in, call->rows, call->count);                                  \
        }                                                                                          \
        state->count += call->count;                                                               \
        return fold_i128_add(&state->sum, sum) ? call->count : 0;                                  \
    }
AVERAGE(i8, int8_t)
AVERAGE(i16, int16_t)
AVERAGE(i32, int32_t)
AVERAGE(i64, int64_t)
AVERAGE(u8, uint8_t)
AVERAGE(u16, uint16_t)
AVERAGE(u32, uint32_t)
AVERAGE(u64, uint64_t)

#define OVERLOAD_INTEGER(type_name, word)                                                          \
    {.signature = "DOUBLE <- " type_name,                                                          \
     .state_columns = "DECIMAL(38,0), BIGINT",                                                     \
     .state_size = sizeof(average_state),                                                          \
     .update = word##_update,                                                                      \
     .update_one = word##_update_one,                                                              \
     .combine = average_combine,                                                                   \
     .finish = integer_finish,                                                                     \
     .export_state = average_export,                                                               \
     .import_state = average_import}

// ---- Decimals
// ------------------------------------------------------------------------------------

static bool add_i128(average_state *state, const aggregate_call *call, const column *const *args,
                     uint32_t k) {
    state->count++;
    return fold_i128_add(&state->sum, COLUMN_VALUES(args[0], i128)[fold_lane(call, args[0], k)]);
}
FOLD_UPDATE(i128, average_state, add_i128)
FOLD_UPDATE_ONE(i128, average_state, add_i128)

// Decimals declared with more than 38 digits; their sums, too, must fit into 128 bits.
static bool add_i256(average_state *state, const aggregate_call *call, const column *const *args,
                     uint32_t k) {
    i128 value;
    state->count++;
    return i256_to_i128_fits(COLUMN_VALUES(args[0], i256)[fold_lane(call, args[0], k)], &value) &&
           fold_i128_add(&state->sum, value);
}
FOLD_UPDATE(i256, average_state, add_i256)
FOLD_UPDATE_ONE(i256, average_state, add_i256)

static uint32_t decimal_update(aggregate_call *call, const column *const *args, void *const *states,
                               uint32_t offset) {
    switch ((int)type_physical(args[0]->type)) {
    case PHYSICAL_I32:
        return i32_update(call, args, states, offset);
    case PHYSICAL_I64:
        return i64_update(call, args, states, offset);
    case PHYSICAL_I128:
        return i128_update(call, args, states, offset);
    default:
        return i256_update(call, args, states, offset);
    }
}

static uint32_t decimal_update_one(aggregate_call *call, const column *const *args, void *state) {
    switch ((int)type_physical(args[0]->type)) {
    case PHYSICAL_I32:
        return i32_update_one(call, args, state);
    case PHYSICAL_I64:
        return i64_update_one(call, args, state);
    case PHYSICAL_I128:
        return i128_update_one(call, args, state);
    default:
        return i256_update_one(call, args, state);
    }
}

// sum * 10^(scale of the result - scale of the sum) / count.
static fold_answer decimal_value(const average_state *state, const aggregate_call *call,
                                 column *out, uint32_t k) {
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
FOLD_FINISH(decimal, average_state, decimal_value)

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

// ---- Floats
// --------------------------------------------------------------------------------------

typedef struct average_float {
    double sum;
    int64_t count;
} average_float;

static bool merge_float(average_float *target, const average_float *source,
                        const aggregate_call *call) {
    (void)call;
    target->sum += source->sum;
    target->count += source->count;
    return true;
}

static fold_answer float_value(const average_float *state, const aggregate_call *call, column *out,
                               uint32_t k) {
    (void)call;
    if (state->count == 0) {
        return FOLD_NULL;
    }
    COLUMN_OUT(out, double)[k] = state->sum / (double)state->count;
    return FOLD_GOOD;
}

static bool add_f64(average_float *state, const aggregate_call *call, const column *const *args,
                    uint32_t k) {
    state->sum += COLUMN_VALUES(args[0], double)[fold_lane(call, args[0], k)];
    state->count++;
    return true;
}

static uint32_t float_update_one(aggregate_call *call, const column *const *args, void *states) {
    average_float *state = states;
    if (args[0]->form == FORM_CONSTANT) {
        for (uint32_t k = 0; k < call->count; k++) {
            (void)add_f64(state, call, args, k);
        }
        return call->count;
    }
    state->sum += reduce_sum_f64(COLUMN_VALUES(args[0], double), call->rows, call->count);
    state->count += call->count;
    return call->count;
}

FOLD_UPDATE(float, average_float, add_f64)
FOLD_COMBINE(float, average_float, merge_float)
FOLD_FINISH(float, average_float, float_value)
FOLD_COLUMNS(float, average_float, merge_float, FOLD_FIELD(average_float, sum),
             FOLD_FIELD(average_float, count))

// ---- Intervals
// -----------------------------------------------------------------------------------

typedef struct average_interval {
    interval_value sum;
    int64_t count;
} average_interval;

static bool merge_interval(average_interval *target, const average_interval *source,
                           const aggregate_call *call) {
    (void)call;
    target->count += source->count;
    return interval_add_fits(target->sum, source->sum, &target->sum);
}

static bool add_interval(average_interval *state, const aggregate_call *call,
                         const column *const *args, uint32_t k) {
    const average_interval one = {
        .sum = COLUMN_VALUES(args[0], interval_value)[fold_lane(call, args[0], k)], .count = 1};
    return merge_interval(state, &one, call);
}

static fold_answer interval_value_of(const average_interval *state, const aggregate_call *call,
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

FOLD_UPDATE(interval, average_interval, add_interval)
FOLD_UPDATE_ONE(interval, average_interval, add_interval)
FOLD_COMBINE(interval, average_interval, merge_interval)
FOLD_FINISH(interval, average_interval, interval_value_of)
FOLD_COLUMNS(interval, average_interval, merge_interval, FOLD_FIELD(average_interval, sum),
             FOLD_FIELD(average_interval, count))

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
            {.signature = "DOUBLE <- DOUBLE",
             .state_columns = "DOUBLE, BIGINT",
             FOLD_MEMBERS(float, average_float)},
            {.signature = "? <- DECIMAL(p,s)",
             .bind = bind_decimal,
             .state_columns = "DECIMAL(38,0), BIGINT",
             .state_size = sizeof(average_state),
             .update = decimal_update,
             .update_one = decimal_update_one,
             .combine = average_combine,
             .finish = decimal_finish,
             .export_state = average_export,
             .import_state = average_import},
            {.signature = "INTERVAL <- INTERVAL",
             .state_columns = "INTERVAL, BIGINT",
             FOLD_MEMBERS(interval, average_interval)},
            {0},
        },
};
