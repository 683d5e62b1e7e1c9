// States of what is added up: a sum and how many values are in it. sum and avg differ in what they
// make of it only.
//
//     wide       integers and decimals of at most 38 digits, in 128 bits
//     long       decimals of more, in 256 bits
//     float      doubles
//     interval
#ifndef FIRN_FUNCTIONS_AGGREGATE_SUM_STATE_H
#define FIRN_FUNCTIONS_AGGREGATE_SUM_STATE_H

#include "functions/aggregate/fold.h"

typedef struct sum_wide {
    fold_i128 sum;
    int64_t count;
} sum_wide;

typedef struct sum_long {
    sum_wide low; ///< The low half of the sum, and the count.
    fold_i128 high;
} sum_long;

static inline i256 sum_long_get(const sum_long *state) {
    return (i256){{state->low.sum.low, (uint64_t)state->low.sum.high, state->high.low,
                   (uint64_t)state->high.high}};
}

typedef struct sum_float {
    double sum;
    int64_t count;
} sum_float;

typedef struct sum_interval {
    interval_value sum;
    int64_t count;
} sum_interval;

// Values that go into a sum_wide: word, C type.
#define SUM_WIDE_LIST(X)                                                                           \
    X(i8, int8_t)                                                                                  \
    X(i16, int16_t)                                                                                \
    X(i32, int32_t)                                                                                \
    X(i64, int64_t)                                                                                \
    X(u8, uint8_t)                                                                                 \
    X(u16, uint16_t)                                                                               \
    X(u32, uint32_t)                                                                               \
    X(u64, uint64_t)                                                                               \
    X(i128, i128)

/// Defines an update: `add(state, value)` puts a value, as `add` takes it, into a state; false when
/// the sum is forbidden.
#define SUM_UPDATE(name, c_type, state_type, sum_type, add)                                        \
    uint32_t name(aggregate_call *call, const column *const *args, void *const *states,            \
                  uint32_t offset) {                                                               \
        const c_type *in = COLUMN_VALUES(args[0], c_type);                                         \
        const uint32_t mask = column_mask(args[0]);                                                \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            const uint32_t row = call->rows == NULL ? k : call->rows[k];                           \
            state_type *state = fold_state(states, k, offset);                                     \
            state->count++;                                                                        \
            if (!add(state, (sum_type)in[row & mask])) {                                           \
                return k;                                                                          \
            }                                                                                      \
        }                                                                                          \
        return call->count;                                                                        \
    }

#define SUM_UPDATES(word)                                                                          \
    uint32_t sum_##word##_update(aggregate_call *call, const column *const *args,                  \
                                 void *const *states, uint32_t offset);                            \
    uint32_t sum_##word##_update_one(aggregate_call *call, const column *const *args, void *state);
#define SUM_REST(prefix)                                                                           \
    uint32_t prefix##_combine(aggregate_call *call, void *const *targets, void *const *sources,    \
                              uint32_t offset);                                                    \
    uint32_t prefix##_export(aggregate_call *call, void *const *states, uint32_t offset,           \
                             column *out);                                                         \
    uint32_t prefix##_import(aggregate_call *call, const column *const *columns,                   \
                             void *const *states, uint32_t offset);

// sum_i64_update, sum_i64_update_one, sum_i64_update_counted …
#define X(word, c_type)                                                                            \
    SUM_UPDATES(word)                                                                              \
    uint32_t sum_##word##_update_counted(aggregate_call *call, const column *const *args,          \
                                         const uint32_t *counts, void *state);
SUM_WIDE_LIST(X)
#undef X
// sum_wide_combine, sum_wide_export …
SUM_REST(sum_wide)
SUM_UPDATES(f32)
SUM_UPDATES(f64)
SUM_REST(sum_float)
SUM_UPDATES(interval)
SUM_REST(sum_interval)

/// Decimals of 32, 64 or 128 bits, whichever the column has: it may be narrower than declared.
SUM_UPDATES(decimal)
uint32_t sum_decimal_update_counted(aggregate_call *call, const column *const *args,
                                    const uint32_t *counts, void *state);

/// Decimals of any declared width; results of long ones are declared long.
static inline bool sum_is_long(const aggregate_call *call) {
    return call->result->precision > DECIMAL_PRECISION_I128;
}
SUM_UPDATES(any)
uint32_t sum_any_update_counted(aggregate_call *call, const column *const *args,
                                const uint32_t *counts, void *state);
SUM_REST(sum_any)
uint32_t sum_any_state_size(const type *const *types);

#define SUM_STATE_WIDE "DECIMAL(38,0), BIGINT"

bool sum_wide_update_total(i128 total, int64_t count, void *state);

/// Members of an overload whose state is a sum_wide, but for `finish`.
#define SUM_MEMBERS_WIDE(word)                                                                     \
    .state_size = sizeof(sum_wide), .state_columns = SUM_STATE_WIDE,                               \
    .update = sum_##word##_update, .update_one = sum_##word##_update_one,                          \
    .update_counted = sum_##word##_update_counted, .update_total = sum_wide_update_total,          \
    .combine = sum_wide_combine, .export_state = sum_wide_export, .import_state = sum_wide_import
/// Of one whose state is a sum_wide or a sum_long. Totals come of decimals with at most 38 digits.
#define SUM_MEMBERS_DECIMALS                                                                       \
    .state_size = sizeof(sum_long), .state_size_for = sum_any_state_size,                          \
    .state_columns = SUM_STATE_WIDE ", DECIMAL(38,0)", .update = sum_any_update,                   \
    .update_one = sum_any_update_one, .update_counted = sum_any_update_counted,                    \
    .update_total = sum_wide_update_total, .combine = sum_any_combine,                             \
    .export_state = sum_any_export, .import_state = sum_any_import
#define SUM_MEMBERS_FLOAT(word)                                                                    \
    .state_size = sizeof(sum_float), .state_columns = "DOUBLE, BIGINT",                            \
    .update = sum_##word##_update, .update_one = sum_##word##_update_one,                          \
    .combine = sum_float_combine, .export_state = sum_float_export,                                \
    .import_state = sum_float_import
#define SUM_MEMBERS_INTERVAL                                                                       \
    .state_size = sizeof(sum_interval), .state_columns = "INTERVAL, BIGINT",                       \
    .update = sum_interval_update, .update_one = sum_interval_update_one,                          \
    .combine = sum_interval_combine, .export_state = sum_interval_export,                          \
    .import_state = sum_interval_import

#endif
