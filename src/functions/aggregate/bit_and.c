// bit_and, bit_or, bit_xor: over the bits of integers.
#include "functions/aggregate/fold.h"

typedef struct bits_state {
    uint64_t bits;
    int64_t count;
} bits_state;

// The value's bytes, filled up with zeros: the result has as many bytes as the argument.
static uint64_t bits_of(const aggregate_call *call, const column *arg, uint32_t k) {
    uint64_t bits = 0;
    const size_t width = physical_size(type_physical(arg->type));
    memcpy(&bits, COLUMN_VALUES(arg, char) + fold_lane(call, arg, k) * width, width);
    return bits;
}

#define OPERATION(which, operator)                                                                 \
    static bool which##_put(bits_state *state, uint64_t bits, int64_t count) {                     \
        state->bits = state->count == 0 ? bits                                                     \
                      : count == 0      ? state->bits                                              \
                                        : state->bits operator bits;                               \
        state->count += count;                                                                     \
        return true;                                                                               \
    }                                                                                              \
    static bool which##_add(bits_state *state, const aggregate_call *call,                         \
                            const column *const *args, uint32_t k) {                               \
        return which##_put(state, bits_of(call, args[0], k), 1);                                   \
    }                                                                                              \
    static bool which##_merge(bits_state *target, const bits_state *source,                        \
                              const aggregate_call *call) {                                        \
        (void)call;                                                                                \
        return which##_put(target, source->bits, source->count);                                   \
    }                                                                                              \
    FOLD_UPDATE(which, bits_state, which##_add)                                                    \
    FOLD_UPDATE_ONE(which, bits_state, which##_add)                                                \
    FOLD_COMBINE(which, bits_state, which##_merge)                                                 \
    FOLD_FINISH(which, bits_state, value_of)                                                       \
    FOLD_COLUMNS(which, bits_state, which##_merge, FOLD_FIELD(bits_state, bits),                   \
                 FOLD_FIELD(bits_state, count))

static fold_answer value_of(const bits_state *state, const aggregate_call *call, column *out,
                            uint32_t k) {
    (void)call;
    const size_t width = physical_size(type_physical(out->type));
    memcpy(COLUMN_OUT(out, char) + k * width, &state->bits, width);
    return state->count == 0 ? FOLD_NULL : FOLD_GOOD;
}

OPERATION(and, &)
OPERATION(or, |)
OPERATION(xor, ^)

#define OVERLOAD(which, type_name)                                                                 \
    {.signature = type_name " <- " type_name,                                                      \
     .state_columns = "BIGINT, BIGINT",                                                            \
     FOLD_MEMBERS(which, bits_state)}
#define OVERLOADS(which)                                                                           \
    (const aggregate_overload[]) {                                                                 \
        OVERLOAD(which, "INTEGER"), OVERLOAD(which, "BIGINT"), OVERLOAD(which, "SMALLINT"),        \
            OVERLOAD(which, "TINYINT"), OVERLOAD(which, "UBIGINT"), OVERLOAD(which, "UINTEGER"),   \
            OVERLOAD(which, "USMALLINT"), OVERLOAD(which, "UTINYINT"), {0},                        \
    }

const aggregate_function aggregate_bit_and = {
    .name = "bit_and",
    .category = "aggregate",
    .summary = "the bits that are set in all values",
    .examples =
        (const char *const[]){"bit_and(x) <- (6), (3), (NULL)", "2", "bit_and(x) <- (-1), (5)", "5",
                              "bit_and(x) <- (NULL::INTEGER)", "NULL", "bit_and(x) <- (1.5)",
                              "error: bit_and", NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_DISTINCT_IS_SAME,
    .overloads = OVERLOADS(and),
};

const aggregate_function aggregate_bit_or = {
    .name = "bit_or",
    .category = "aggregate",
    .summary = "the bits that are set in any value",
    .examples = (const char *const[]){"bit_or(x) <- (6), (3), (NULL)", "7",
                                      "bit_or(x) <- (NULL::INTEGER)", "NULL", NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_DISTINCT_IS_SAME,
    .overloads = OVERLOADS(or),
};

const aggregate_function aggregate_bit_xor = {
    .name = "bit_xor",
    .category = "aggregate",
    .summary = "the bits that are set in an odd number of values",
    .examples = (const char *const[]){"bit_xor(x) <- (6), (3), (NULL)", "5",
                                      "bit_xor(x) <- (NULL::BIGINT)", "NULL", NULL},
    .flags = AGGREGATE_SKIPS_NULLS,
    .overloads = OVERLOADS(xor),
};
