// Sums of decimals of any width: short ones as sum_wide, long ones as sum_long.
#include "functions/aggregate/sum_state.h"

// ---- More than 38 digits -----------------------------------------------------------------------

static bool long_add(sum_long *state, i256 value, int64_t count) {
    i256 sum;
    if (!i256_add_fits(sum_long_get(state), value, &sum)) {
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
    return long_add(target, sum_long_get(source), source->low.count);
}

FOLD_UPDATE(long, sum_long, add_lane)
FOLD_UPDATE_ONE(long, sum_long, add_lane)
FOLD_COMBINE(long, sum_long, merge_long)
FOLD_COLUMNS(long, sum_long, merge_long, FOLD_FIELD(sum_long, low.sum),
             FOLD_FIELD(sum_long, low.count), FOLD_FIELD(sum_long, high))

// ---- Either ------------------------------------------------------------------------------------

uint32_t sum_any_update(aggregate_call *call, const column *const *args, void *const *states,
                        uint32_t offset) {
    return sum_is_long(call) ? long_update(call, args, states, offset)
                             : sum_decimal_update(call, args, states, offset);
}

uint32_t sum_any_update_one(aggregate_call *call, const column *const *args, void *state) {
    return sum_is_long(call) ? long_update_one(call, args, state)
                             : sum_decimal_update_one(call, args, state);
}

uint32_t sum_any_update_counted(aggregate_call *call, const column *const *args,
                                const uint32_t *counts, void *state) {
    if (!sum_is_long(call)) {
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

uint32_t sum_any_combine(aggregate_call *call, void *const *targets, void *const *sources,
                         uint32_t offset) {
    return sum_is_long(call) ? long_combine(call, targets, sources, offset)
                             : sum_wide_combine(call, targets, sources, offset);
}

// A short state has no high half; its column is zero.
uint32_t sum_any_export(aggregate_call *call, void *const *states, uint32_t offset, column *out) {
    if (sum_is_long(call)) {
        return long_export(call, states, offset, out);
    }
    memset(COLUMN_OUT(&out[2], char), 0, call->count * sizeof(i128));
    return sum_wide_export(call, states, offset, out);
}

uint32_t sum_any_import(aggregate_call *call, const column *const *columns, void *const *states,
                        uint32_t offset) {
    return sum_is_long(call) ? long_import(call, columns, states, offset)
                             : sum_wide_import(call, columns, states, offset);
}

uint32_t sum_any_state_size(const type *const *types) {
    return types[0]->precision > DECIMAL_PRECISION_I128 ? sizeof(sum_long) : sizeof(sum_wide);
}
