// min and max, of every type. NaN is above every number; text is ordered by its bytes.
#include "functions/aggregate/held_value.h"
#include "kernels/reduce.h"

// Of floats NaN is the highest; integers are equal to themselves.
#define IS_LOWER(value, best) ((value) < (best) || (best) != (best))
#define IS_HIGHER(value, best) ((value) > (best) || (value) != (value))

#define NUMBER_LOOPS(which, word, c_type, is_better)                                               \
    static void which##_put_##word(held_fixed *state, c_type value) {                              \
        c_type best;                                                                               \
        memcpy(&best, state->value, sizeof best);                                                  \
        if (state->has_value == 0 || is_better(value, best)) {                                     \
            memcpy(state->value, &value, sizeof value);                                            \
            state->has_value = HELD_VALUE;                                                         \
        }                                                                                          \
    }                                                                                              \
    static void which##_rows_##word(const aggregate_call *call, const column *arg,                 \
                                    void *const *states, uint32_t offset) {                        \
        const c_type *in = COLUMN_VALUES(arg, c_type);                                             \
        const uint32_t mask = column_mask(arg);                                                    \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            const uint32_t row = call->rows == NULL ? k : call->rows[k];                           \
            which##_put_##word(fold_state(states, k, offset), in[row & mask]);                     \
        }                                                                                          \
    }                                                                                              \
    static void which##_one_##word(const aggregate_call *call, const column *arg, void *state) {   \
        const c_type *in = COLUMN_VALUES(arg, c_type);                                             \
        which##_put_##word(state, arg->form == FORM_CONSTANT                                       \
                                      ? in[0]                                                      \
                                      : reduce_##which##_##word(in, call->rows, call->count));     \
    }
#define X(NAME, word, c_type, sum_type) NUMBER_LOOPS(min, word, c_type, IS_LOWER)
REDUCE_TYPE_LIST(X)
#undef X
#define X(NAME, word, c_type, sum_type) NUMBER_LOOPS(max, word, c_type, IS_HIGHER)
REDUCE_TYPE_LIST(X)
#undef X

// ---- Fixed width --------------------------------------------------------------------------------

// Decimals of more than 18 digits, intervals, booleans, half floats: value by value. `sign` is 1
// for max, -1 for min.
static void put_fixed(held_fixed *state, const type *type, const void *value, int sign) {
    if (state->has_value == 0 || held_compare(type, value, state->value) * sign > 0) {
        memcpy(state->value, value, held_size(&type) - 8);
        state->has_value = HELD_VALUE;
    }
}

static void put_lane(held_fixed *state, const aggregate_call *call, const column *arg, uint32_t k,
                     int sign) {
    uint64_t value[4] = {0};
    held_take(arg, fold_lane(call, arg, k), value);
    put_fixed(state, arg->type, value, sign);
}

#define FIXED(which, sign)                                                                         \
    static uint32_t which##_update(aggregate_call *call, const column *const *args,                \
                                   void *const *states, uint32_t offset) {                         \
        switch ((int)type_physical(args[0]->type)) {                                               \
            REDUCE_TYPE_LIST(CASE_ROWS_##which)                                                    \
        default:                                                                                   \
            break;                                                                                 \
        }                                                                                          \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            put_lane(fold_state(states, k, offset), call, args[0], k, sign);                       \
        }                                                                                          \
        return call->count;                                                                        \
    }                                                                                              \
    static uint32_t which##_update_one(aggregate_call *call, const column *const *args,            \
                                       void *state) {                                              \
        switch ((int)type_physical(args[0]->type)) {                                               \
            REDUCE_TYPE_LIST(CASE_ONE_##which)                                                     \
        default:                                                                                   \
            break;                                                                                 \
        }                                                                                          \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            put_lane(state, call, args[0], k, sign);                                               \
        }                                                                                          \
        return call->count;                                                                        \
    }                                                                                              \
    static uint32_t which##_combine(aggregate_call *call, void *const *targets,                    \
                                    void *const *sources, uint32_t offset) {                       \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            const held_fixed *source = fold_state(sources, k, offset);                             \
            if (source->has_value != 0) {                                                          \
                put_fixed(fold_state(targets, k, offset), call->types[0], source->value, sign);    \
            }                                                                                      \
        }                                                                                          \
        return call->count;                                                                        \
    }                                                                                              \
    static uint32_t which##_import(aggregate_call *call, const column *const *columns,             \
                                   void *const *states, uint32_t offset) {                         \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            const held_fixed source = held_fixed_import(columns[0], k);                            \
            if (source.has_value != 0) {                                                           \
                put_fixed(fold_state(states, k, offset), call->types[0], source.value, sign);      \
            }                                                                                      \
        }                                                                                          \
        return call->count;                                                                        \
    }
#define CASE_ROWS(which, NAME, word)                                                               \
    case PHYSICAL_##NAME:                                                                          \
        which##_rows_##word(call, args[0], states, offset);                                        \
        return call->count;
#define CASE_ONE(which, NAME, word)                                                                \
    case PHYSICAL_##NAME:                                                                          \
        if (call->count > 0) {                                                                     \
            which##_one_##word(call, args[0], state);                                              \
        }                                                                                          \
        return call->count;
#define CASE_ROWS_min(NAME, word, c_type, sum_type) CASE_ROWS(min, NAME, word)
#define CASE_ROWS_max(NAME, word, c_type, sum_type) CASE_ROWS(max, NAME, word)
#define CASE_ONE_min(NAME, word, c_type, sum_type) CASE_ONE(min, NAME, word)
#define CASE_ONE_max(NAME, word, c_type, sum_type) CASE_ONE(max, NAME, word)
FIXED(min, -1)
FIXED(max, 1)

// ---- Strings ------------------------------------------------------------------------------------

static bool put_string(held_string *state, const string_value *value, int sign,
                       const aggregate_call *call) {
    cancel_watch watch = {.cancel = call->scratch->cancel};
    return (state->has_value != 0 &&
            string_compare_watched(value, &state->value, &watch) * sign <= 0) ||
           held_string_put(state, value, call);
}

#define STRING(which, sign)                                                                        \
    static bool which##_add(held_string *state, const aggregate_call *call,                        \
                            const column *const *args, uint32_t k) {                               \
        const uint32_t lane = fold_lane(call, args[0], k);                                         \
        return put_string(state, &COLUMN_VALUES(args[0], string_value)[lane], sign, call);         \
    }                                                                                              \
    static bool which##_merge(held_string *target, const held_string *source,                      \
                              const aggregate_call *call) {                                        \
        return source->has_value == 0 || put_string(target, &source->value, sign, call);           \
    }                                                                                              \
    FOLD_UPDATE_OR(which##_string, held_string, which##_add, KERNEL_NO_MEMORY)                     \
    FOLD_UPDATE_ONE_OR(which##_string, held_string, which##_add, KERNEL_NO_MEMORY)                 \
    FOLD_COMBINE_OR(which##_string, held_string, which##_merge, KERNEL_NO_MEMORY)                  \
    static uint32_t which##_string_import(aggregate_call *call, const column *const *columns,      \
                                          void *const *states, uint32_t offset) {                  \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            const held_string source = held_string_import(columns[0], k);                          \
            if (!which##_merge(fold_state(states, k, offset), &source, call)) {                    \
                return KERNEL_NO_MEMORY;                                                           \
            }                                                                                      \
        }                                                                                          \
        return call->count;                                                                        \
    }
STRING(min, -1)
STRING(max, 1)

// ---- Nested values: of all rows of the group ----------------------------------------------------

static const aggregate_choice min_choice = {.is_by_arg = true};
static const aggregate_choice max_choice = {.is_by_arg = true, .is_descending = true};

const aggregate_function aggregate_min = {
    .name = "min",
    .category = "aggregate",
    .summary = "the lowest value; NULL if there is none",
    .examples = (const char *const[]){"min(x) <- (2), (1), (NULL)", "1",
                                      "min(x) <- ('b'), ('abcdefghijklmnop'), (NULL)",
                                      "abcdefghijklmnop", "min(x) <- ('NaN'::DOUBLE), (1e0)", "1.0",
                                      "min(x) <- (NULL::INTEGER)", "NULL",
                                      "min(x) <- ([2]), ([1, 2])", "[1, 2]", NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_DISTINCT_IS_SAME,
    .overloads = HELD_OVERLOADS(min),
};

const aggregate_function aggregate_max = {
    .name = "max",
    .category = "aggregate",
    .summary = "the highest value; NULL if there is none",
    .examples = (const char *const[]){"max(x) <- (2), (1), (NULL)", "2",
                                      "max(x) <- ('b'), ('abcdefghijklmnop')", "b",
                                      "max(x) <- ('NaN'::DOUBLE), (1e0)", "NaN",
                                      "max(x) <- (true), (false)", "true",
                                      "max(x) <- (NULL::INTEGER)", "NULL", NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_DISTINCT_IS_SAME,
    .overloads = HELD_OVERLOADS(max),
};
