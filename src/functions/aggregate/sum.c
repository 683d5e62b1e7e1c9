// sum: of small integers BIGINT; of 64-bit integers and decimals DECIMAL, in 128 bits (256 for
// those declared with more than 38 digits); of floats DOUBLE; of intervals INTERVAL.
#include "functions/aggregate/sum_state.h"
#include "kernels/reduce.h"

// ---- Small integers -----------------------------------------------------------------------------

typedef struct sum_small {
    int64_t sum;
    int64_t count;
} sum_small;

static ALWAYS_INLINE bool add_small(sum_small *state, int64_t value) {
    return !__builtin_add_overflow(state->sum, value, &state->sum);
}

static bool merge_small(sum_small *target, const sum_small *source, const aggregate_call *call) {
    (void)call;
    target->count += source->count;
    return add_small(target, source->sum);
}

static fold_answer value_small(const sum_small *state, const aggregate_call *call, column *out,
                               uint32_t k) {
    (void)call;
    COLUMN_OUT(out, int64_t)[k] = state->sum;
    return state->count == 0 ? FOLD_NULL : FOLD_GOOD;
}

static bool small_update_total(i128 total, int64_t count, void *state) {
    sum_small *self = state;
    self->count += count;
    return total >= INT64_MIN && total <= INT64_MAX && add_small(self, (int64_t)total);
}

FOLD_COMBINE(small, sum_small, merge_small)
FOLD_FINISH(small, sum_small, value_small)
FOLD_COLUMNS(small, sum_small, merge_small, FOLD_FIELD(sum_small, sum),
             FOLD_FIELD(sum_small, count))

#define SUM_SMALL(word, c_type)                                                                    \
    static SUM_UPDATE(word##_update, c_type, sum_small, int64_t, add_small) static uint32_t        \
    word##_update_one(aggregate_call *call, const column *const *args, void *states) {             \
        const c_type *in = COLUMN_VALUES(args[0], c_type);                                         \
        sum_small *state = states;                                                                 \
        const int64_t sum = args[0]->form == FORM_CONSTANT                                         \
                                ? (int64_t)in[0] * call->count                                     \
                                : reduce_sum_##word(in, call->rows, call->count);                  \
        state->count += call->count;                                                               \
        return __builtin_add_overflow(state->sum, sum, &state->sum) ? 0 : call->count;             \
    }                                                                                              \
    static uint32_t word##_update_counted(aggregate_call *call, const column *const *args,         \
                                          const uint32_t *counts, void *states) {                  \
        const c_type *in = COLUMN_VALUES(args[0], c_type);                                         \
        sum_small *state = states;                                                                 \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            const uint32_t row = call->rows == NULL ? k : call->rows[k];                           \
            if (__builtin_add_overflow(state->sum, (int64_t)in[row] * counts[k], &state->sum)) {   \
                return k;                                                                          \
            }                                                                                      \
            state->count += counts[k];                                                             \
        }                                                                                          \
        return call->count;                                                                        \
    }
SUM_SMALL(i8, int8_t)
SUM_SMALL(i16, int16_t)
SUM_SMALL(i32, int32_t)
SUM_SMALL(u8, uint8_t)
SUM_SMALL(u16, uint16_t)
SUM_SMALL(u32, uint32_t)

#define OVERLOAD_SMALL(type_name, word)                                                            \
    {.signature = "BIGINT <- " type_name,                                                          \
     .state_size = sizeof(sum_small),                                                              \
     .state_columns = "BIGINT, BIGINT",                                                            \
     .update = word##_update,                                                                      \
     .update_one = word##_update_one,                                                              \
     .update_counted = word##_update_counted,                                                      \
     .update_total = small_update_total,                                                           \
     .combine = small_combine,                                                                     \
     .finish = small_finish,                                                                       \
     .export_state = small_export,                                                                 \
     .import_state = small_import}

// ---- 64-bit integers -----------------------------------------------------------------

static fold_answer value_wide(const sum_wide *state, const aggregate_call *call, column *out,
                              uint32_t k) {
    (void)call;
    const i128 sum = fold_i128_get(state->sum);
    COLUMN_OUT(out, i128)[k] = sum;
    if (state->count == 0) {
        return FOLD_NULL;
    }
    return i128_has_digits(sum, DECIMAL128_DIGITS_MAX) ? FOLD_GOOD : FOLD_BAD;
}
FOLD_FINISH(wide, sum_wide, value_wide)

// ---- Decimals ----------------------------------------------------------------------------------

static fold_answer value_long(const sum_long *state, const aggregate_call *call, column *out,
                              uint32_t k) {
    (void)call;
    const i256 sum = sum_long_get(state);
    COLUMN_OUT(out, i256)[k] = sum;
    if (state->low.count == 0) {
        return FOLD_NULL;
    }
    return i256_has_digits(sum, DECIMAL256_DIGITS_MAX) ? FOLD_GOOD : FOLD_BAD;
}
FOLD_FINISH(long, sum_long, value_long)

static uint32_t decimal_finish(aggregate_call *call, void *const *states, uint32_t offset,
                               column *out) {
    return sum_is_long(call) ? long_finish(call, states, offset, out)
                             : wide_finish(call, states, offset, out);
}

static firn_status bind_decimal(function_bind_call *call, firn_error *err) {
    const type *arg = call->types[0];
    call->result = type_decimal(call->memory,
                                arg->precision > DECIMAL_PRECISION_I128 ? DECIMAL_PRECISION_MAX
                                                                        : DECIMAL_PRECISION_I128,
                                arg->scale);
    return call->result == NULL ? ARENA_FULL(call->memory, err) : FIRN_OK;
}

// ---- Floats, intervals -------------------------------------------------------------------------

static fold_answer value_float(const sum_float *state, const aggregate_call *call, column *out,
                               uint32_t k) {
    (void)call;
    COLUMN_OUT(out, double)[k] = state->sum;
    return state->count == 0 ? FOLD_NULL : FOLD_GOOD;
}
FOLD_FINISH(float, sum_float, value_float)

static fold_answer value_interval(const sum_interval *state, const aggregate_call *call,
                                  column *out, uint32_t k) {
    (void)call;
    COLUMN_OUT(out, interval_value)[k] = state->sum;
    return state->count == 0 ? FOLD_NULL : FOLD_GOOD;
}
FOLD_FINISH(interval, sum_interval, value_interval)

const aggregate_function aggregate_sum = {
    .name = "sum",
    .category = "aggregate",
    .summary = "all values added up; NULL if there is none",
    .examples =
        (const char *const[]){
            "sum(x) <- (1), (2), (NULL)", "3", "sum(x) <- (9223372036854775807), (1)",
            "9223372036854775808", "sum(x) <- (1.10), (2.25)", "3.35", "sum(x) <- (1e0), (0.5e0)",
            "1.5", "sum(DISTINCT x) <- (2), (2), (3)", "5",
            "sum(x) <- (INTERVAL '1 day'), (INTERVAL '2 hours')", "1 day 02:00:00",
            "sum(x) <- (NULL::INTEGER)", "NULL", "sum(x) <- ('a')", "error: sum",
            "sum(x) <- (99999999999999999999999999999999999999), (1)", "error: the value of sum",
            NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_CAN_FAIL | AGGREGATE_TAKES_NARROW,
    .overloads =
        (const aggregate_overload[]){
            OVERLOAD_SMALL("INTEGER", i32),
            OVERLOAD_SMALL("SMALLINT", i16),
            OVERLOAD_SMALL("TINYINT", i8),
            OVERLOAD_SMALL("UINTEGER", u32),
            OVERLOAD_SMALL("USMALLINT", u16),
            OVERLOAD_SMALL("UTINYINT", u8),
            {.signature = "DECIMAL(38,0) <- BIGINT", .finish = wide_finish, SUM_MEMBERS_WIDE(i64)},
            {.signature = "DECIMAL(38,0) <- UBIGINT", .finish = wide_finish, SUM_MEMBERS_WIDE(u64)},
            {.signature = "? <- DECIMAL(p,s)",
             .bind = bind_decimal,
             .finish = decimal_finish,
             SUM_MEMBERS_DECIMALS},
            {.signature = "DOUBLE <- DOUBLE", .finish = float_finish, SUM_MEMBERS_FLOAT(f64)},
            {.signature = "DOUBLE <- REAL", .finish = float_finish, SUM_MEMBERS_FLOAT(f32)},
            {.signature = "INTERVAL <- INTERVAL", .finish = interval_finish, SUM_MEMBERS_INTERVAL},
            {0},
        },
};
