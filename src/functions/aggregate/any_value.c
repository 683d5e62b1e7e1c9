// any_value, first, last: one of the values. any_value never takes a NULL if there is a value, and
// without ORDER BY it is that of whichever row came first. first and last take what the first and
// last row have: by ORDER BY, else as their source has them, whatever workers and partitions do.
#include "functions/aggregate/held_value.h"

// ---- any_value: the first value that came -------------------------------------------------------

static bool any_add(held_fixed *state, const aggregate_call *call, const column *const *args,
                    uint32_t k) {
    if (state->has_value == 0) {
        held_take(args[0], fold_lane(call, args[0], k), state->value);
        state->has_value = HELD_VALUE;
    }
    return true;
}

static bool any_merge(held_fixed *target, const held_fixed *source, const aggregate_call *call) {
    if (target->has_value == 0) {
        memcpy(target, source, held_size(call->types));
    }
    return true;
}

FOLD_UPDATE(any, held_fixed, any_add)
FOLD_UPDATE_ONE(any, held_fixed, any_add)
FOLD_COMBINE(any, held_fixed, any_merge)

static uint32_t any_import(aggregate_call *call, const column *const *columns, void *const *states,
                           uint32_t offset) {
    for (uint32_t k = 0; k < call->count; k++) {
        const held_fixed source = held_fixed_import(columns[0], k);
        (void)any_merge(fold_state(states, k, offset), &source, call);
    }
    return call->count;
}

static bool any_string_add(held_string *state, const aggregate_call *call,
                           const column *const *args, uint32_t k) {
    const uint32_t lane = fold_lane(call, args[0], k);
    return state->has_value != 0 ||
           held_string_put(state, &COLUMN_VALUES(args[0], string_value)[lane], call);
}

static bool any_string_merge(held_string *target, const held_string *source,
                             const aggregate_call *call) {
    return target->has_value != 0 || source->has_value == 0 ||
           held_string_put(target, &source->value, call);
}

FOLD_UPDATE_OR(any_string, held_string, any_string_add, KERNEL_NO_MEMORY)
FOLD_UPDATE_ONE_OR(any_string, held_string, any_string_add, KERNEL_NO_MEMORY)
FOLD_COMBINE_OR(any_string, held_string, any_string_merge, KERNEL_NO_MEMORY)

static uint32_t any_string_import(aggregate_call *call, const column *const *columns,
                                  void *const *states, uint32_t offset) {
    for (uint32_t k = 0; k < call->count; k++) {
        const held_string source = held_string_import(columns[0], k);
        if (!any_string_merge(fold_state(states, k, offset), &source, call)) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

// ---- By an order, or of nested values: the row is chosen ----------------------------------------

static const aggregate_choice any_choice = {.takes_last = false};
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
    .overloads = HELD_OVERLOADS(any),
};

const aggregate_function aggregate_first = {
    .name = "first",
    .aliases = "first_value",
    .category = "aggregate",
    .summary = "the value of the first row, NULL or not; ORDER BY says which, else the source",
    .examples = (const char *const[]){"first(x ORDER BY x DESC) <- (1), (3), (2)", "3",
                                      "first(x ORDER BY x NULLS FIRST) <- (1), (NULL)", "NULL",
                                      "first(x ORDER BY x) <- ('b'), ('a longer text than that')",
                                      "a longer text than that",
                                      "first(x ORDER BY x) <- ([2]), ([1])", "[1]", NULL},
    .flags = AGGREGATE_ORDER_MATTERS,
    .overloads = (const aggregate_overload[]){{.signature = "T <- T", .choice = &any_choice}, {0}},
};

const aggregate_function aggregate_last = {
    .name = "last",
    .aliases = "last_value",
    .category = "aggregate",
    .summary = "the value of the last row, NULL or not; ORDER BY says which, else the source",
    .examples = (const char *const[]){"last(x ORDER BY x) <- (1), (3), (2)", "3",
                                      "last(x ORDER BY x) <- (1), (NULL)", "NULL", NULL},
    .flags = AGGREGATE_ORDER_MATTERS,
    .overloads = (const aggregate_overload[]){{.signature = "T <- T", .choice = &last_choice}, {0}},
};
