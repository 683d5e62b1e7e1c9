#include "functions/aggregate/sum_state.h"

#include "kernels/reduce.h"

// The macros of fold.h make static functions; these are their names outside.
#define SHARE_UPDATES(inside, outside)                                                             \
    uint32_t outside##_update(aggregate_call *call, const column *const *args,                     \
                              void *const *states, uint32_t offset) {                              \
        return inside##_update(call, args, states, offset);                                        \
    }                                                                                              \
    uint32_t outside##_update_one(aggregate_call *call, const column *const *args, void *state) {  \
        return inside##_update_one(call, args, state);                                             \
    }
#define SHARE_REST(inside, outside)                                                                \
    uint32_t outside##_combine(aggregate_call *call, void *const *targets, void *const *sources,   \
                               uint32_t offset) {                                                  \
        return inside##_combine(call, targets, sources, offset);                                   \
    }                                                                                              \
    uint32_t outside##_export(aggregate_call *call, void *const *states, uint32_t offset,          \
                              column *out) {                                                       \
        return inside##_export(call, states, offset, out);                                         \
    }                                                                                              \
    uint32_t outside##_import(aggregate_call *call, const column *const *columns,                  \
                              void *const *states, uint32_t offset) {                              \
        return inside##_import(call, columns, states, offset);                                     \
    }

// ---- Integers and decimals ---------------------------------------------------------------------

static bool merge_wide(sum_wide *target, const sum_wide *source, const aggregate_call *call) {
    (void)call;
    target->count += source->count;
    return fold_i128_add(&target->sum, fold_i128_get(source->sum));
}

FOLD_COMBINE(wide, sum_wide, merge_wide)
FOLD_COLUMNS(wide, sum_wide, merge_wide, FOLD_FIELD(sum_wide, sum), FOLD_FIELD(sum_wide, count))
SHARE_REST(wide, sum_wide)

static ALWAYS_INLINE bool add_wide(sum_wide *state, i128 value) {
    return fold_i128_add(&state->sum, value);
}

// 128-bit values have no kernel: their sum may not fit.
static bool total_of_i128(const i128 *in, const uint16_t *rows, uint32_t count, i128 *out) {
    i128 sum = 0;
    bool fits = true;
    for (uint32_t k = 0; k < count; k++) {
        fits &= i128_add_fits(sum, in[rows == NULL ? k : rows[k]], &sum);
    }
    *out = sum;
    return fits;
}
#define TOTAL(word, c_type)                                                                        \
    static bool total_of_##word(const c_type *in, const uint16_t *rows, uint32_t count,            \
                                i128 *out) {                                                       \
        *out = reduce_sum_##word(in, rows, count);                                                 \
        return true;                                                                               \
    }
TOTAL(i8, int8_t)
TOTAL(i16, int16_t)
TOTAL(i32, int32_t)
TOTAL(i64, int64_t)
TOTAL(u8, uint8_t)
TOTAL(u16, uint16_t)
TOTAL(u32, uint32_t)
TOTAL(u64, uint64_t)

#define X(word, c_type)                                                                            \
    SUM_UPDATE(sum_##word##_update, c_type, sum_wide, i128, add_wide)                              \
    uint32_t sum_##word##_update_one(aggregate_call *call, const column *const *args,              \
                                     void *states) {                                               \
        const c_type *in = COLUMN_VALUES(args[0], c_type);                                         \
        sum_wide *state = states;                                                                  \
        i128 sum;                                                                                  \
        const bool fits = args[0]->form == FORM_CONSTANT                                           \
                              ? i128_mul_fits(in[0], call->count, &sum)                            \
                              : total_of_##word(in, call->rows, call->count, &sum);                \
        state->count += call->count;                                                               \
        return fits && fold_i128_add(&state->sum, sum) ? call->count : 0;                          \
    }                                                                                              \
    uint32_t sum_##word##_update_counted(aggregate_call *call, const column *const *args,          \
                                         const uint32_t *counts, void *states) {                   \
        const c_type *in = COLUMN_VALUES(args[0], c_type);                                         \
        sum_wide *state = states;                                                                  \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            const uint32_t row = call->rows == NULL ? k : call->rows[k];                           \
            i128 sum;                                                                              \
            if (!i128_mul_fits(in[row], counts[k], &sum) || !fold_i128_add(&state->sum, sum)) {    \
                return k;                                                                          \
            }                                                                                      \
            state->count += counts[k];                                                             \
        }                                                                                          \
        return call->count;                                                                        \
    }
SUM_WIDE_LIST(X)
#undef X

bool sum_wide_update_total(i128 total, int64_t count, void *state) {
    sum_wide *self = state;
    self->count += count;
    return fold_i128_add(&self->sum, total);
}

#define DECIMAL_CASES(call_of)                                                                     \
    switch ((int)type_physical(args[0]->type)) {                                                   \
    case PHYSICAL_I32:                                                                             \
        return call_of(i32);                                                                       \
    case PHYSICAL_I64:                                                                             \
        return call_of(i64);                                                                       \
    default:                                                                                       \
        return call_of(i128);                                                                      \
    }

uint32_t sum_decimal_update(aggregate_call *call, const column *const *args, void *const *states,
                            uint32_t offset){
#define UPDATE(word) sum_##word##_update(call, args, states, offset)
    DECIMAL_CASES(UPDATE)
#undef UPDATE
}

uint32_t sum_decimal_update_one(aggregate_call *call, const column *const *args, void *state){
#define UPDATE(word) sum_##word##_update_one(call, args, state)
    DECIMAL_CASES(UPDATE)
#undef UPDATE
}

uint32_t sum_decimal_update_counted(aggregate_call *call, const column *const *args,
                                    const uint32_t *counts, void *state) {
#define UPDATE(word) sum_##word##_update_counted(call, args, counts, state)
    DECIMAL_CASES(UPDATE)
#undef UPDATE
}

// ---- Floats ------------------------------------------------------------------------------------

static bool merge_float(sum_float *target, const sum_float *source, const aggregate_call *call) {
    (void)call;
    target->sum += source->sum;
    target->count += source->count;
    return true;
}

FOLD_COMBINE(float, sum_float, merge_float)
FOLD_COLUMNS(float, sum_float, merge_float, FOLD_FIELD(sum_float, sum),
             FOLD_FIELD(sum_float, count))
SHARE_REST(float, sum_float)

static ALWAYS_INLINE bool add_float(sum_float *state, double value) {
    state->sum += value;
    return true;
}

#define SUM_FLOAT(word, c_type)                                                                    \
    SUM_UPDATE(sum_##word##_update, c_type, sum_float, double, add_float)                          \
    uint32_t sum_##word##_update_one(aggregate_call *call, const column *const *args,              \
                                     void *states) {                                               \
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

// ---- Intervals ---------------------------------------------------------------------------------

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

FOLD_UPDATE(interval, sum_interval, add_interval)
FOLD_UPDATE_ONE(interval, sum_interval, add_interval)
FOLD_COMBINE(interval, sum_interval, merge_interval)
FOLD_COLUMNS(interval, sum_interval, merge_interval, FOLD_FIELD(sum_interval, sum),
             FOLD_FIELD(sum_interval, count))
SHARE_UPDATES(interval, sum_interval)
SHARE_REST(interval, sum_interval)
