// Comparison operators: = <> < <= > >=, IS [NOT] DISTINCT FROM. Both sides have one type, the
// smallest that holds both; the loops are in kernels/compare.h.
#include "expr/function.h"
#include "kernels/bits.h"
#include "kernels/compare.h"

static uint32_t compare(function_call *call, const column *const *args, compare_op op,
                        column *out) {
    return compare_columns(args[0], args[1], op, call->rows, call->count, call->scratch,
                           COLUMN_OUT(out, uint64_t))
               ? call->count
               : KERNEL_NO_MEMORY;
}

#define OPERATOR(OP, word, sign, commutes, summary_, ...)                                          \
    static uint32_t compare_##word(function_call *call, const column *const *args, column *out) {  \
        return compare(call, args, COMPARE_##OP, out);                                             \
    }                                                                                              \
    const scalar_function function_##word = {                                                      \
        .name = sign,                                                                              \
        .category = "comparison",                                                                  \
        .summary = summary_,                                                                       \
        .examples = (const char *const[]){__VA_ARGS__, NULL},                                      \
        .flags = FUNCTION_NULL_STRICT | (commutes),                                                \
        .overloads =                                                                               \
            (const overload[]){                                                                    \
                {.signature = "BOOLEAN <- T, T",                                                   \
                 .kernel = compare_##word,                                                         \
                 .narrow_kernel = compare_##word},                                                 \
                {0},                                                                               \
            },                                                                                     \
    };

OPERATOR(EQ, eq, "=", FUNCTION_COMMUTES, "true if both sides are equal; NaN equals NaN", "1 = 1.0",
         "true", "'a' = 'b'", "false", "1 = NULL", "NULL", "[1, NULL] = [1, NULL]", "true")
OPERATOR(NE, ne, "<>", FUNCTION_COMMUTES, "true if the sides differ", "1 <> 2", "true")
OPERATOR(LT, lt, "<", 0, "true if the left side is below the right one", "1 < 2", "true",
         "'b' < 'a'", "false")
OPERATOR(LE, le, "<=", 0, "true if the left side is not above the right one", "2 <= 2", "true")
OPERATOR(GT, gt, ">", 0, "true if the left side is above the right one; NaN is above all numbers",
         "2 > 1", "true", "'NaN'::DOUBLE > 1e300", "true")
OPERATOR(GE, ge, ">=", 0, "true if the left side is not below the right one", "2 >= 3", "false")

// ---- IS [NOT] DISTINCT FROM --------------------------------------------------------------------

// The validity as words of all lanes, clean.
static bool validity_words(function_call *call, const column *arg, uint64_t *out) {
    if (arg->type->id == TYPE_NULL ||
        (arg->form == FORM_CONSTANT && !column_row_is_valid(arg, 0))) {
        bits_clear(out, call->length);
        return false;
    }
    bits_fill(out, call->length);
    if (arg->validity != NULL && arg->form == FORM_FLAT) {
        bits_and(out, arg->validity, call->length, out);
    }
    return true;
}

// Equal values that are both there, or both NULL.
static uint32_t same_or_not(function_call *call, const column *const *args, bool wants_same,
                            column *out) {
    const size_t words = BITMAP_WORDS(call->length);
    uint64_t *left = ARENA_NEW(call->scratch, uint64_t, words + 1);
    uint64_t *right = ARENA_NEW(call->scratch, uint64_t, words + 1);
    uint64_t *result = COLUMN_OUT(out, uint64_t);
    if (left == NULL || right == NULL) {
        return KERNEL_NO_MEMORY;
    }
    const bool left_has_values = validity_words(call, args[0], left);
    const bool right_has_values = validity_words(call, args[1], right);
    if (!left_has_values || !right_has_values) {
        bits_clear(result, call->length);
    } else if (!compare_columns(args[0], args[1], COMPARE_EQ, call->rows, call->count,
                                call->scratch, result)) {
        return KERNEL_NO_MEMORY;
    }
    for (size_t word = 0; word < words; word++) {
        const uint64_t same =
            (result[word] & left[word] & right[word]) | ~(left[word] | right[word]);
        result[word] = wants_same ? same : ~same;
    }
    bits_clean(result, call->length);
    return call->count;
}

static uint32_t is_distinct_from(function_call *call, const column *const *args, column *out) {
    return same_or_not(call, args, false, out);
}

static uint32_t is_not_distinct_from(function_call *call, const column *const *args, column *out) {
    return same_or_not(call, args, true, out);
}

const scalar_function function_is_distinct_from = {
    .name = "is_distinct_from",
    .category = "comparison",
    .summary = "IS DISTINCT FROM: <>, where NULL equals NULL and nothing else",
    .examples = (const char *const[]){"1 IS DISTINCT FROM NULL", "true",
                                      "NULL IS DISTINCT FROM NULL", "false", NULL},
    .flags = FUNCTION_COMMUTES,
    .overloads =
        (const overload[]){
            {.signature = "BOOLEAN <- T, T", .kernel = is_distinct_from},
            {0},
        },
};

const scalar_function function_is_not_distinct_from = {
    .name = "is_not_distinct_from",
    .category = "comparison",
    .summary = "IS NOT DISTINCT FROM: =, where NULL equals NULL and nothing else",
    .examples = (const char *const[]){"1 IS NOT DISTINCT FROM NULL", "false",
                                      "NULL IS NOT DISTINCT FROM NULL", "true", NULL},
    .flags = FUNCTION_COMMUTES,
    .overloads =
        (const overload[]){
            {.signature = "BOOLEAN <- T, T", .kernel = is_not_distinct_from},
            {0},
        },
};
