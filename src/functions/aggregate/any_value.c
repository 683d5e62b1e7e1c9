// any_value, first, last: one of the values. any_value never takes a NULL if there is a value;
// first and last take what the first and last row have. Without ORDER BY it is the first or last
// row that came, which is that of the source only when one thread reads it.
#include "functions/aggregate/held_value.h"

// ---- Fixed width --------------------------------------------------------------------------------

static bool has_row(const column *arg, const aggregate_call *call, uint32_t k) {
    const uint32_t row = call->rows == NULL ? k : call->rows[k];
    return arg->type->id != TYPE_NULL && column_row_is_valid(arg, row);
}

static void put_row(held_fixed *state, const aggregate_call *call, const column *arg, uint32_t k) {
    if (has_row(arg, call, k)) {
        held_take(arg, fold_lane(call, arg, k), state->value);
        state->has_value = HELD_VALUE;
    } else {
        state->has_value = HELD_NULL;
    }
}

static bool first_add(held_fixed *state, const aggregate_call *call, const column *const *args,
                      uint32_t k) {
    if (state->has_value == 0) {
        put_row(state, call, args[0], k);
    }
    return true;
}

static bool last_add(held_fixed *state, const aggregate_call *call, const column *const *args,
                     uint32_t k) {
    put_row(state, call, args[0], k);
    return true;
}

static bool first_merge(held_fixed *target, const held_fixed *source, const aggregate_call *call) {
    if (target->has_value == 0) {
        memcpy(target, source, held_size(call->types));
    }
    return true;
}

static bool last_merge(held_fixed *target, const held_fixed *source, const aggregate_call *call) {
    if (source->has_value != 0) {
        memcpy(target, source, held_size(call->types));
    }
    return true;
}

#define FIXED(which)                                                                               \
    FOLD_UPDATE(which, held_fixed, which##_add)                                                    \
    FOLD_UPDATE_ONE(which, held_fixed, which##_add)                                                \
    FOLD_COMBINE(which, held_fixed, which##_merge)                                                 \
    static uint32_t which##_import(aggregate_call *call, const column *const *columns,             \
                                   void *const *states, uint32_t offset) {                         \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            held_fixed source = held_fixed_import(columns[0], k);                                  \
            const uint32_t lane = k & column_mask(columns[1]);                                     \
            source.has_value = COLUMN_VALUES(columns[1], uint8_t)[lane];                           \
            (void)which##_merge(fold_state(states, k, offset), &source, call);                     \
        }                                                                                          \
        return call->count;                                                                        \
    }
FIXED(first)
FIXED(last)

static uint32_t row_fixed_export(aggregate_call *call, void *const *states, uint32_t offset,
                                 column *out) {
    for (uint32_t k = 0; k < call->count; k++) {
        const held_fixed *state = fold_state(states, k, offset);
        COLUMN_OUT(&out[1], uint8_t)[k] = (uint8_t)state->has_value;
    }
    return held_fixed_export(call, states, offset, out);
}

// ---- Strings ------------------------------------------------------------------------------------

static bool put_string(held_string *state, const aggregate_call *call, const column *arg,
                       uint32_t k) {
    if (!has_row(arg, call, k)) {
        state->has_value = HELD_NULL;
        return true;
    }
    return held_string_put(state, &COLUMN_VALUES(arg, string_value)[fold_lane(call, arg, k)], call);
}

static bool move_string(held_string *target, const held_string *source,
                        const aggregate_call *call) {
    if (source->has_value == HELD_VALUE) {
        return held_string_put(target, &source->value, call);
    }
    target->has_value = source->has_value;
    return true;
}

static bool first_string_add(held_string *state, const aggregate_call *call,
                             const column *const *args, uint32_t k) {
    return state->has_value != 0 || put_string(state, call, args[0], k);
}
static bool last_string_add(held_string *state, const aggregate_call *call,
                            const column *const *args, uint32_t k) {
    return put_string(state, call, args[0], k);
}
static bool first_string_merge(held_string *target, const held_string *source,
                               const aggregate_call *call) {
    return target->has_value != 0 || move_string(target, source, call);
}
static bool last_string_merge(held_string *target, const held_string *source,
                              const aggregate_call *call) {
    return source->has_value == 0 || move_string(target, source, call);
}

#define STRING(which)                                                                              \
    FOLD_UPDATE_OR(which, held_string, which##_add, KERNEL_NO_MEMORY)                              \
    FOLD_UPDATE_ONE_OR(which, held_string, which##_add, KERNEL_NO_MEMORY)                          \
    FOLD_COMBINE_OR(which, held_string, which##_merge, KERNEL_NO_MEMORY)                           \
    static uint32_t which##_import(aggregate_call *call, const column *const *columns,             \
                                   void *const *states, uint32_t offset) {                         \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            held_string source = held_string_import(columns[0], k);                                \
            const uint32_t lane = k & column_mask(columns[1]);                                     \
            source.has_value = COLUMN_VALUES(columns[1], uint8_t)[lane];                           \
            if (!which##_merge(fold_state(states, k, offset), &source, call)) {                    \
                return KERNEL_NO_MEMORY;                                                           \
            }                                                                                      \
        }                                                                                          \
        return call->count;                                                                        \
    }
STRING(first_string)
STRING(last_string)

static uint32_t row_string_export(aggregate_call *call, void *const *states, uint32_t offset,
                                  column *out) {
    for (uint32_t k = 0; k < call->count; k++) {
        const held_string *state = fold_state(states, k, offset);
        COLUMN_OUT(&out[1], uint8_t)[k] = (uint8_t)state->has_value;
    }
    return held_string_export(call, states, offset, out);
}

// ---- By an order, or of nested values -----------------------------------------------------------

static const aggregate_choice first_choice = {.takes_last = false};
static const aggregate_choice last_choice = {.takes_last = true};

const aggregate_function aggregate_any_value = {
    .name = "any_value",
    .aliases = "arbitrary",
    .category = "aggregate",
    .summary = "any of the values; NULL if there is none",
    .examples =
        (const char *const[]){"any_value(x) <- (NULL), (1)", "1",
                              "any_value(x) <- ('a text of some length')", "a text of some length",
                              "any_value(x) <- (NULL::DATE)", "NULL", NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_ORDER_MATTERS | AGGREGATE_DISTINCT_IS_SAME,
    .overloads = HELD_OVERLOADS(first, ", UTINYINT", row),
};

const aggregate_function aggregate_first = {
    .name = "first",
    .aliases = "first_value",
    .category = "aggregate",
    .summary =
        "the value of the first row, NULL or not; ORDER BY says which, else the first to come",
    .examples = (const char *const[]){"first(x ORDER BY x DESC) <- (1), (3), (2)", "3",
                                      "first(x ORDER BY x NULLS FIRST) <- (1), (NULL)", "NULL",
                                      "first(x ORDER BY x) <- ('b'), ('a longer text than that')",
                                      "a longer text than that",
                                      "first(x ORDER BY x) <- ([2]), ([1])", "[1]", NULL},
    .flags = AGGREGATE_ORDER_MATTERS,
    .overloads = HELD_OVERLOADS(first, ", UTINYINT", row),
};

const aggregate_function aggregate_last = {
    .name = "last",
    .aliases = "last_value",
    .category = "aggregate",
    .summary = "the value of the last row, NULL or not; ORDER BY says which, else the last to come",
    .examples = (const char *const[]){"last(x ORDER BY x) <- (1), (3), (2)", "3",
                                      "last(x ORDER BY x) <- (1), (NULL)", "NULL", NULL},
    .flags = AGGREGATE_ORDER_MATTERS,
    .overloads = HELD_OVERLOADS(last, ", UTINYINT", row),
};
