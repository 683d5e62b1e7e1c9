// sum: of small integers BIGINT; of 64-bit integers and decimals DECIMAL, in 128 bits (256 for
// those declared with more than 38 digits); of floats DOUBLE; of intervals INTERVAL.
#include "functions/aggregate/fold.h"
#include "kernels/reduce.h"

// ---- Small integers
// ------------------------------------------------------------------------------

typedef struct sum_small {
    int64_t sum;
    int64_t count;
} sum_small;

static bool merge_small(sum_small *target, const sum_small *source, const aggregate_call *call) {
    (void)call;
    target->count += source->count;
    return !__builtin_add_overflow(target->sum, source->sum, &target->sum);
}

static fold_answer value_small(const sum_small *state, const aggregate_call *call, column *out,
                               uint32_t k) {
    (void)call;
    COLUMN_OUT(out, int64_t)[k] = state->sum;
    return state->count == 0 ? FOLD_NULL : FOLD_GOOD;
}

FOLD_COMBINE(small, sum_small, merge_small)
FOLD_FINISH(small, sum_small, value_small)
FOLD_COLUMNS(small, sum_small, merge_small, FOLD_FIELD(sum_small, sum),
             FOLD_FIELD(sum_small, count))

#define SUM_SMALL(word, c_type)                                                                    \
    static uint32_t word##_update(aggregate_call *call, const column *const *args,                 \
                                  void *const *states, uint32_t offset) {                          \
        const c_type *in = COLUMN_VALUES(args[0], c_type);                                         \
        const uint32_t mask = column_mask(args[0]);                                                \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            const uint32_t row = call->rows == NULL ? k : call->rows[k];                           \
            sum_small *state = fold_state(states, k, offset);                                      \
            state->count++;                                                                        \
            if (__builtin_add_overflow(state->sum, (int64_t)in[row & mask], &state->sum)) {        \
                return k;                                                                          \
            }                                                                                      \
        }                                                                                          \
        return call->count;                                                                        \
    }                                                                                              \
    static uint32_t word##_update_one(aggregate_call *call, const column *const *args,             \
                                      void *states) {                                              \
        const c_type *in = COLUMN_VALUES(args[0], c_type);                                         \
        sum_small *state = states;                                                                 \
        const int64_t sum = args[0]->form == FORM_CONSTANT                                         \
                                ? (int64_t)in[0] * call->count                                     \
                                : reduce_sum_##word(in, call->rows, call->count);                  \
        state->count += call->count;                                                               \
        return __builtin_add_overflow(state->sum, sum, &state->sum) ? 0 : call->count;             \
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
     .combine = small_combine,                                                                     \
     .finish = small_finish,                                                                       \
     .export_state = small_export,                                                                 \
     .import_state = small_import}

// ---- 128 bits
// ------------------------------------------------------------------------------------

typedef struct sum_wide {
    fold_i128 sum;
    int64_t count;
} sum_wide;

static bool merge_wide(sum_wide *target, const sum_wide *source, const aggregate_call *call) {
    (void)call;
    target->count += source->count;
    return fold_i128_add(&target->sum, fold_i128_get(source->sum));
}

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

FOLD_COMBINE(wide, sum_wide, merge_wide)
FOLD_FINISH(wide, sum_wide, value_wide)
FOLD_COLUMNS(wide, sum_wide, merge_wide, FOLD_FIELD(sum_wide, sum), FOLD_FIELD(sum_wide, count))

#define SUM_WIDE(word, c_type, sum_of)                                                             \
    static uint32_t wide_##word##_update(aggregate_call *call, const column *const *args,          \
                                         void *const *states, uint32_t offset) {                   \
        const c_type *in = COLUMN_VALUES(args[0], c_type);                                         \
        const uint32_t mask = column_mask(args[0]);                                                \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            const uint32_t row = call->rows == NULL ? k : call->rows[k];                           \
            sum_wide *state = fold_state(states, k, offset);                                       \
            state->count++;                                                                        \
            if (!fold_i128_add(&state->sum, in[row & mask])) {                                     \
                return k;                                                                          \
            }                                                                                      \
        }                                                                                          \
        return call->count;                                                                        \
    }                                                                                              \
    static uint32_t wide_##word##_update_one(aggregate_call *call, const column *const *args,      \
                                             void *states) {                                       \
        const c_type *in = COLUMN_VALUES(args[0], c_type);                                         \
        sum_wide *state = states;                                                                  \
        i128 sum;                                                                                  \
        if (args[0]->form == FORM_CONSTANT) {                                                      \
            if (!i128_mul_fits(in[0], call->count, &sum)) {                                        \
                return 0;                                                                          \
            }                                                                                      \
        } else if (!sum_of(in, call->rows, call->count, &sum)) {                                   \
            return 0;                                                                              \
        }                                                                                          \
        state->count += call->count;                                                               \
        return fold_i128_add(&state->sum, sum) ? call->count : 0;                                  \
    }

static bool sum_i32(const int32_t *in, const uint16_t *rows, uint32_t count, i128 *out) {
    *out = reduce_sum_i32(in, rows, count);
    return true;
}
static bool sum_i64(const int64_t *in, const uint16_t *rows, uint32_t count, i128 *out) {
    *out = reduce_sum_i64(in, rows, count);
    return true;
}
static bool sum_u64(const uint64_t *in, const uint16_t *rows, uint32_t count, i128 *out) {
    *out = reduce_sum_u64(in, rows, count);
    return true;
}
static bool sum_i128(const i128 *in, const uint16_t *rows, uint32_t count, i128 *out) {
    i128 sum = 0;
    bool fits = true;
    for (uint32_t k = 0; k < count; k++) {
        fits &= i128_add_fits(sum, in[rows == NULL ? k : rows[k]], &sum);
    }
    *out = sum;
    return fits;
}
SUM_WIDE(i32, int32_t, sum_i32)
SUM_WIDE(i64, int64_t, sum_i64)
SUM_WIDE(u64, uint64_t, sum_u64)
SUM_WIDE(i128, i128, sum_i128)

#define OVERLOAD_WIDE(type_name, word)                                                             \
    {.signature = "DECIMAL(38,0) <- " type_name,                                                   \
     .state_size = sizeof(sum_wide),                                                               \
     .state_columns = "DECIMAL(38,0), BIGINT",                                                     \
     .update = wide_##word##_update,                                                               \
     .update_one = wide_##word##_update_one,                                                       \
     .combine = wide_combine,                                                                      \
     .finish = wide_finish,                                                                        \
     .export_state = wide_export,                                                                  \
     .import_state = wide_import}

// ---- Decimals: by the column's width
// -------------------------------------------------------------

typedef struct sum_decimal {
    sum_wide narrow; ///< For declared precisions up to 38; else the low half of the sum.
    fold_i128 high;  ///< The high half.
} sum_decimal;

static i256 long_sum(const sum_decimal *state) {
    return (i256){{state->narrow.sum.low, (uint64_t)state->narrow.sum.high, state->high.low,
                   (uint64_t)state->high.high}};
}

static bool add_long(sum_decimal *state, i256 value) {
    i256 sum;
    if (!i256_add_fits(long_sum(state), value, &sum)) {
        return false;
    }
    state->narrow.sum = (fold_i128){.low = sum.limb[0], .high = (int64_t)sum.limb[1]};
    state->high = (fold_i128){.low = sum.limb[2], .high = (int64_t)sum.limb[3]};
    return true;
}

static bool is_long(const aggregate_call *call) {
    return call->result->precision > DECIMAL_PRECISION_I128;
}

static uint32_t decimal_update(aggregate_call *call, const column *const *args, void *const *states,
                               uint32_t offset) {
    switch ((int)type_physical(args[0]->type)) {
    case PHYSICAL_I32:
        return wide_i32_update(call, args, states, offset);
    case PHYSICAL_I64:
        return wide_i64_update(call, args, states, offset);
    case PHYSICAL_I128:
        if (!is_long(call)) {
            return wide_i128_update(call, args, states, offset);
        }
        break;
    default:
        break;
    }
    for (uint32_t k = 0; k < call->count; k++) {
        sum_decimal *state = fold_state(states, k, offset);
        state->narrow.count++;
        if (!add_long(state, COLUMN_VALUES(args[0], i256)[fold_lane(call, args[0], k)])) {
            return k;
        }
    }
    return call->count;
}

static uint32_t decimal_update_one(aggregate_call *call, const column *const *args, void *state) {
    switch ((int)type_physical(args[0]->type)) {
    case PHYSICAL_I32:
        return wide_i32_update_one(call, args, state);
    case PHYSICAL_I64:
        return wide_i64_update_one(call, args, state);
    case PHYSICAL_I128:
        return wide_i128_update_one(call, args, state);
    default:
        break;
    }
    for (uint32_t k = 0; k < call->count; k++) {
        if (!add_long(state, COLUMN_VALUES(args[0], i256)[fold_lane(call, args[0], k)])) {
            return k;
        }
    }
    ((sum_decimal *)state)->narrow.count += call->count;
    return call->count;
}

static bool merge_decimal(sum_decimal *target, const sum_decimal *source,
                          const aggregate_call *call) {
    if (!is_long(call)) {
        return merge_wide(&target->narrow, &source->narrow, call);
    }
    target->narrow.count += source->narrow.count;
    return add_long(target, long_sum(source));
}

static fold_answer value_decimal(const sum_decimal *state, const aggregate_call *call, column *out,
                                 uint32_t k) {
    if (!is_long(call)) {
        return value_wide(&state->narrow, call, out, k);
    }
    const i256 sum = long_sum(state);
    COLUMN_OUT(out, i256)[k] = sum;
    if (state->narrow.count == 0) {
        return FOLD_NULL;
    }
    return i256_has_digits(sum, DECIMAL256_DIGITS_MAX) ? FOLD_GOOD : FOLD_BAD;
}

FOLD_COMBINE(decimal, sum_decimal, merge_decimal)
FOLD_FINISH(decimal, sum_decimal, value_decimal)
FOLD_COLUMNS(long, sum_decimal, merge_decimal, FOLD_FIELD(sum_decimal, narrow.sum),
             FOLD_FIELD(sum_decimal, narrow.count), FOLD_FIELD(sum_decimal, high))

// A short state has no high half; its column is zero.
static uint32_t decimal_export(aggregate_call *call, void *const *states, uint32_t offset,
                               column *out) {
    if (is_long(call)) {
        return long_export(call, states, offset, out);
    }
    memset(COLUMN_OUT(&out[2], char), 0, call->count * sizeof(i128));
    return wide_export(call, states, offset, out);
}

static uint32_t decimal_import(aggregate_call *call, const column *const *columns,
                               void *const *states, uint32_t offset) {
    return is_long(call) ? long_import(call, columns, states, offset)
                         : wide_import(call, columns, states, offset);
}

static uint32_t decimal_state_size(const type *const *types) {
    return types[0]->precision > DECIMAL_PRECISION_I128 ? sizeof(sum_decimal) : sizeof(sum_wide);
}

static firn_status bind_decimal(function_bind_call *call, firn_error *err) {
    const type *arg = call->types[0];
    call->result = type_decimal(call->memory,
                                arg->precision > DECIMAL_PRECISION_I128 ? DECIMAL_PRECISION_MAX
                                                                        : DECIMAL_PRECISION_I128,
                                arg->scale);
    return call->result == NULL ? ARENA_FULL(call->memory, err) : FIRN_OK;
}

// ---- Floats
// --------------------------------------------------------------------------------------

typedef struct sum_float {
    double sum;
    int64_t count;
} sum_float;

static bool merge_float(sum_float *target, const sum_float *source, const aggregate_call *call) {
    (void)call;
    target->sum += source->sum;
    target->count += source->count;
    return true;
}

static fold_answer value_float(const sum_float *state, const aggregate_call *call, column *out,
                               uint32_t k) {
    (void)call;
    COLUMN_OUT(out, double)[k] = state->sum;
    return state->count == 0 ? FOLD_NULL : FOLD_GOOD;
}

FOLD_COMBINE(float, sum_float, merge_float)
FOLD_FINISH(float, sum_float, value_float)
FOLD_COLUMNS(float, sum_float, merge_float, FOLD_FIELD(sum_float, sum),
             FOLD_FIELD(sum_float, count))

#define SUM_FLOAT(word, c_type)                                                                    \
    static uint32_t word##_update(aggregate_call *call, const column *const *args,                 \
                                  void *const *states, uint32_t offset) {                          \
        const c_type *in = COLUMN_VALUES(args[0], c_type);                                         \
        const uint32_t mask = column_mask(args[0]);                                                \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            const uint32_t row = call->rows == NULL ? k : call->rows[k];                           \
            sum_float *state = fold_state(states, k, offset);                                      \
            state->sum += (double)in[row & mask];                                                  \
            state->count++;                                                                        \
        }                                                                                          \
        return call->count;                                                                        \
    }                                                                                              \
    static uint32_t word##_update_one(aggregate_call *call, const column *const *args,             \
                                      void *states) {                                              \
        const c_type *in = COLUMN_VALUES(args[0], c_type);                                         \
        sum_float *state = states;                                                                 \
        if (args[0]->form == FORM_CONSTANT) {                                                      \
            for (uint32_t k = 0; k < call->count; k++) {                                           \
                state->sum += (double)in[0];                                                       \
            }                                                                                      \
        } else {                                                                                   \
            state->sum += reduce_sum_##word(in, call->rows, call->count);                          \
        }                                                                                          \
        state->count += call->count;                                                               \
        return call->count;                                                                        \
    }
SUM_FLOAT(f32, float)
SUM_FLOAT(f64, double)

#define OVERLOAD_FLOAT(type_name, word)                                                            \
    {.signature = "DOUBLE <- " type_name,                                                          \
     .state_size = sizeof(sum_float),                                                              \
     .state_columns = "DOUBLE, BIGINT",                                                            \
     .update = word##_update,                                                                      \
     .update_one = word##_update_one,                                                              \
     .combine = float_combine,                                                                     \
     .finish = float_finish,                                                                       \
     .export_state = float_export,                                                                 \
     .import_state = float_import}

// ---- Intervals
// -----------------------------------------------------------------------------------

typedef struct sum_interval {
    interval_value sum;
    int64_t count;
} sum_interval;

static bool merge_interval(sum_interval *target, const sum_interval *source,
                           const aggregate_call *call) {
    (void)call;
    target->count += source->count;
    return interval_add_fits(target->sum, source->sum, &target->sum);
}

static bool add_interval(sum_interval *state, const aggregate_call *call, const column *const *args,
                         uint32_t k) {
    const sum_interval one = {
        .sum = COLUMN_VALUES(args[0], interval_value)[fold_lane(call, args[0], k)], .count = 1};
    return merge_interval(state, &one, call);
}

static fold_answer value_interval(const sum_interval *state, const aggregate_call *call,
                                  column *out, uint32_t k) {
    (void)call;
    COLUMN_OUT(out, interval_value)[k] = state->sum;
    return state->count == 0 ? FOLD_NULL : FOLD_GOOD;
}

FOLD_UPDATE(interval, sum_interval, add_interval)
FOLD_UPDATE_ONE(interval, sum_interval, add_interval)
FOLD_COMBINE(interval, sum_interval, merge_interval)
FOLD_FINISH(interval, sum_interval, value_interval)
FOLD_COLUMNS(interval, sum_interval, merge_interval, FOLD_FIELD(sum_interval, sum),
             FOLD_FIELD(sum_interval, count))

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
            OVERLOAD_WIDE("BIGINT", i64),
            OVERLOAD_WIDE("UBIGINT", u64),
            {.signature = "? <- DECIMAL(p,s)",
             .bind = bind_decimal,
             .state_columns = "DECIMAL(38,0), BIGINT, DECIMAL(38,0)",
             .state_size = sizeof(sum_decimal),
             .state_size_for = decimal_state_size,
             .update = decimal_update,
             .update_one = decimal_update_one,
             .combine = decimal_combine,
             .finish = decimal_finish,
             .export_state = decimal_export,
             .import_state = decimal_import},
            OVERLOAD_FLOAT("DOUBLE", f64),
            OVERLOAD_FLOAT("REAL", f32),
            {.signature = "INTERVAL <- INTERVAL",
             .state_columns = "INTERVAL, BIGINT",
             FOLD_MEMBERS(interval, sum_interval)},
            {0},
        },
};
