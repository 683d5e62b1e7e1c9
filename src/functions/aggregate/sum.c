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

// ---- 64-bit integers, decimals -----------------------------------------------------------------

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

// ---- Decimals of more than 38 digits -----------------------------------------------------------

typedef struct sum_long {
    sum_wide low; ///< The low half of the sum, and the count.
    fold_i128 high;
} sum_long;

static i256 long_get(const sum_long *state) {
    return (i256){{state->low.sum.low, (uint64_t)state->low.sum.high, state->high.low,
                   (uint64_t)state->high.high}};
}

static bool long_add(sum_long *state, i256 value, int64_t count) {
    i256 sum;
    if (!i256_add_fits(long_get(state), value, &sum)) {
        return false;
    }
    state->low.sum = (fold_i128){.low = sum.limb[0], .high = (int64_t)sum.limb[1]};
    state->high = (fold_i128){.low = sum.limb[2], .high = (int64_t)sum.limb[3]};
    state->low.count += count;
    return true;
}

// The column may be narrower than declared.
static bool add_lane(sum_long *state, const aggregate_call *call, const column *const *args,
                     uint32_t k) {
    const uint32_t lane = fold_lane(call, args[0], k);
    const i256 value = type_physical(args[0]->type) == PHYSICAL_I64
                           ? i256_from_i64(COLUMN_VALUES(args[0], int64_t)[lane])
                           : COLUMN_VALUES(args[0], i256)[lane];
    return long_add(state, value, 1);
}

static bool merge_long(sum_long *target, const sum_long *source, const aggregate_call *call) {
    (void)call;
    return long_add(target, long_get(source), source->low.count);
}

static fold_answer value_long(const sum_long *state, const aggregate_call *call, column *out,
                              uint32_t k) {
    (void)call;
    const i256 sum = long_get(state);
    COLUMN_OUT(out, i256)[k] = sum;
    if (state->low.count == 0) {
        return FOLD_NULL;
    }
    return i256_has_digits(sum, DECIMAL256_DIGITS_MAX) ? FOLD_GOOD : FOLD_BAD;
}

FOLD_UPDATE(long, sum_long, add_lane)
FOLD_UPDATE_ONE(long, sum_long, add_lane)
FOLD_COMBINE(long, sum_long, merge_long)
FOLD_FINISH(long, sum_long, value_long)
FOLD_COLUMNS(long, sum_long, merge_long, FOLD_FIELD(sum_long, low.sum),
             FOLD_FIELD(sum_long, low.count), FOLD_FIELD(sum_long, high))

// ---- Decimals: short ones as sum_wide, long ones as sum_long -----------------------------------

static bool is_long(const aggregate_call *call) {
    return call->result->precision > DECIMAL_PRECISION_I128;
}

static uint32_t decimal_update(aggregate_call *call, const column *const *args, void *const *states,
                               uint32_t offset) {
    return is_long(call) ? long_update(call, args, states, offset)
                         : sum_decimal_update(call, args, states, offset);
}

static uint32_t decimal_update_one(aggregate_call *call, const column *const *args, void *state) {
    return is_long(call) ? long_update_one(call, args, state)
                         : sum_decimal_update_one(call, args, state);
}

static uint32_t decimal_update_counted(aggregate_call *call, const column *const *args,
                                       const uint32_t *counts, void *state) {
    if (!is_long(call)) {
        return sum_decimal_update_counted(call, args, counts, state);
    }
    for (uint32_t k = 0; k < call->count; k++) {
        for (uint32_t i = 0; i < counts[k]; i++) {
            if (!add_lane(state, call, args, k)) {
                return k;
            }
        }
    }
    return call->count;
}

static uint32_t decimal_combine(aggregate_call *call, void *const *targets, void *const *sources,
                                uint32_t offset) {
    return is_long(call) ? long_combine(call, targets, sources, offset)
                         : sum_wide_combine(call, targets, sources, offset);
}

static uint32_t decimal_finish(aggregate_call *call, void *const *states, uint32_t offset,
                               column *out) {
    return is_long(call) ? long_finish(call, states, offset, out)
                         : wide_finish(call, states, offset, out);
}

// A short state has no high half; its column is zero.
static uint32_t decimal_export(aggregate_call *call, void *const *states, uint32_t offset,
                               column *out) {
    if (is_long(call)) {
        return long_export(call, states, offset, out);
    }
    memset(COLUMN_OUT(&out[2], char), 0, call->count * sizeof(i128));
    return sum_wide_export(call, states, offset, out);
}

static uint32_t decimal_import(aggregate_call *call, const column *const *columns,
                               void *const *states, uint32_t offset) {
    return is_long(call) ? long_import(call, columns, states, offset)
                         : sum_wide_import(call, columns, states, offset);
}

static uint32_t decimal_state_size(const type *const *types) {
    return types[0]->precision > DECIMAL_PRECISION_I128 ? sizeof(sum_long) : sizeof(sum_wide);
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
             .state_columns = SUM_STATE_WIDE ", DECIMAL(38,0)",
             .state_size = sizeof(sum_long),
             .state_size_for = decimal_state_size,
             .update = decimal_update,
             .update_one = decimal_update_one,
             .update_counted = decimal_update_counted,
             .update_total = sum_wide_update_total, // Of those with at most 38 digits.
             .combine = decimal_combine,
             .finish = decimal_finish,
             .export_state = decimal_export,
             .import_state = decimal_import},
            {.signature = "DOUBLE <- DOUBLE", .finish = float_finish, SUM_MEMBERS_FLOAT(f64)},
            {.signature = "DOUBLE <- REAL", .finish = float_finish, SUM_MEMBERS_FLOAT(f32)},
            {.signature = "INTERVAL <- INTERVAL", .finish = interval_finish, SUM_MEMBERS_INTERVAL},
            {0},
        },
};
