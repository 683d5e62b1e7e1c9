// What folds have in common: visiting rows and states, and states as columns.
//
// A fold says how one row and how another state go into a state; the macros make the loops that
// the contract (expr/aggregate.h) asks for.
#ifndef FIRN_FUNCTIONS_AGGREGATE_FOLD_H
#define FIRN_FUNCTIONS_AGGREGATE_FOLD_H

#include "expr/aggregate.h"

/// State number k of a call.
static inline void *fold_state(void *const *states, uint32_t k, uint32_t offset) {
    return (char *)states[k] + offset;
}

/// The lane of the k-th visited row in an argument.
static inline uint32_t fold_lane(const aggregate_call *call, const column *arg, uint32_t k) {
    const uint32_t row = call->rows == NULL ? k : call->rows[k];
    return row & column_mask(arg);
}

/// Defines an update and an update_one: `add(state, call, args, k)` takes the k-th visited row and
/// is false when its value is forbidden; with _OR the loop then answers `failure`.
#define FOLD_UPDATE_OR(prefix, state_type, add, failure)                                           \
    static uint32_t prefix##_update(aggregate_call *call, const column *const *args,               \
                                    void *const *states, uint32_t offset) {                        \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            state_type *state = fold_state(states, k, offset);                                     \
            if (!add(state, call, args, k)) {                                                      \
                return failure;                                                                    \
            }                                                                                      \
        }                                                                                          \
        return call->count;                                                                        \
    }
#define FOLD_UPDATE(prefix, state_type, add) FOLD_UPDATE_OR(prefix, state_type, add, k)

#define FOLD_UPDATE_ONE_OR(prefix, state_type, add, failure)                                       \
    static uint32_t prefix##_update_one(aggregate_call *call, const column *const *args,           \
                                        void *state) {                                             \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            if (!add((state_type *)state, call, args, k)) {                                        \
                return failure;                                                                    \
            }                                                                                      \
        }                                                                                          \
        return call->count;                                                                        \
    }
#define FOLD_UPDATE_ONE(prefix, state_type, add) FOLD_UPDATE_ONE_OR(prefix, state_type, add, k)

/// Defines a combine: `merge(target, source, call)` is false when the result is forbidden.
#define FOLD_COMBINE_OR(prefix, state_type, merge, failure)                                        \
    static uint32_t prefix##_combine(aggregate_call *call, void *const *targets,                   \
                                     void *const *sources, uint32_t offset) {                      \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            state_type *target = fold_state(targets, k, offset);                                   \
            const state_type *source = fold_state(sources, k, offset);                             \
            if (!merge(target, source, call)) {                                                    \
                return failure;                                                                    \
            }                                                                                      \
        }                                                                                          \
        return call->count;                                                                        \
    }
#define FOLD_COMBINE(prefix, state_type, merge) FOLD_COMBINE_OR(prefix, state_type, merge, k)

/// Defines a finish: `value(state, call, out, k)` writes row k of `out`. It answers FOLD_GOOD,
/// FOLD_NULL for no value, or FOLD_BAD if SQL forbids it.
typedef enum fold_answer { FOLD_GOOD, FOLD_NULL, FOLD_BAD } fold_answer;

#define FOLD_FINISH(prefix, state_type, value)                                                     \
    static uint32_t prefix##_finish(aggregate_call *call, void *const *states, uint32_t offset,    \
                                    column *out) {                                                 \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            const state_type *state = fold_state(states, k, offset);                               \
            const fold_answer answer = value(state, call, out, k);                                 \
            if (answer == FOLD_BAD) {                                                              \
                return k;                                                                          \
            }                                                                                      \
            if (answer == FOLD_NULL && !fold_set_null(call, out, k)) {                             \
                return KERNEL_NO_MEMORY;                                                           \
            }                                                                                      \
        }                                                                                          \
        return call->count;                                                                        \
    }

/// Row k becomes NULL; its lane is zeroed.
static inline bool fold_set_null(const aggregate_call *call, column *out, uint32_t k) {
    const size_t width = physical_size(type_physical(out->type));
    if (width > 0) {
        memset(COLUMN_OUT(out, char) + k * width, 0, width);
    }
    return column_set_null(call->scratch, out, k);
}

/// A field of a state that goes out as a column of fixed width.
typedef struct fold_field {
    uint32_t offset;
    uint32_t size;
} fold_field;
#define FOLD_FIELD(state_type, member)                                                             \
    {(uint32_t)offsetof(state_type, member), (uint32_t)sizeof(((state_type *)0)->member)}

static inline void fold_export(const fold_field *fields, uint32_t field_count, uint32_t count,
                               void *const *states, uint32_t offset, column *out) {
    for (uint32_t i = 0; i < field_count; i++) {
        char *to = COLUMN_OUT(&out[i], char);
        for (uint32_t k = 0; k < count; k++) {
            memcpy(to + (size_t)k * fields[i].size,
                   (char *)fold_state(states, k, offset) + fields[i].offset, fields[i].size);
        }
    }
}

/// The k-th state of imported columns; fields that are no columns are zero.
static inline void fold_import(const fold_field *fields, uint32_t field_count,
                               const column *const *columns, uint32_t k, void *state) {
    for (uint32_t i = 0; i < field_count; i++) {
        const size_t lane = k & column_mask(columns[i]);
        memcpy((char *)state + fields[i].offset,
               (const char *)columns[i]->values + lane * fields[i].size, fields[i].size);
    }
}

/// Defines export_state and import_state of a state whose fields are columns of fixed width.
#define FOLD_COLUMNS(prefix, state_type, merge, ...)                                               \
    static const fold_field prefix##_fields[] = {__VA_ARGS__};                                     \
    static uint32_t prefix##_export(aggregate_call *call, void *const *states, uint32_t offset,    \
                                    column *out) {                                                 \
        fold_export(prefix##_fields, sizeof prefix##_fields / sizeof(fold_field), call->count,     \
                    states, offset, out);                                                          \
        return call->count;                                                                        \
    }                                                                                              \
    static uint32_t prefix##_import(aggregate_call *call, const column *const *columns,            \
                                    void *const *states, uint32_t offset) {                        \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            state_type source = {0};                                                               \
            fold_import(prefix##_fields, sizeof prefix##_fields / sizeof(fold_field), columns, k,  \
                        &source);                                                                  \
            if (!merge((state_type *)fold_state(states, k, offset), &source, call)) {              \
                return k;                                                                          \
            }                                                                                      \
        }                                                                                          \
        return call->count;                                                                        \
    }

/// The members of an overload that these macros define.
#define FOLD_MEMBERS(prefix, state_type)                                                           \
    .state_size = sizeof(state_type), .update = prefix##_update,                                   \
    .update_one = prefix##_update_one, .combine = prefix##_combine, .finish = prefix##_finish,     \
    .export_state = prefix##_export, .import_state = prefix##_import

/// 128 bits in a state, which is 8-aligned only.
typedef struct fold_i128 {
    uint64_t low;
    int64_t high;
} fold_i128;

static inline i128 fold_i128_get(fold_i128 self) {
    return (i128)((u128)(uint64_t)self.high << 64 | self.low);
}
static inline fold_i128 fold_i128_of(i128 value) {
    return (fold_i128){.low = (uint64_t)((u128)value & UINT64_MAX), .high = (int64_t)(value >> 64)};
}
static inline bool fold_i128_add(fold_i128 *self, i128 value) {
    i128 sum;
    if (!i128_add_fits(fold_i128_get(*self), value, &sum)) {
        return false;
    }
    *self = fold_i128_of(sum);
    return true;
}

#endif
