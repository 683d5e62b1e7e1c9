// greatest, least, nullif. (coalesce, CASE and if are kinds of expressions.)
#include "functions/scalar/row_values.h"
#include "kernels/bits.h"
#include "kernels/compare.h"

// ---- nullif ----------------------------------------------------------------------------------

// A column of all lanes, flat, under the type of the result.
static bool flatten(function_call *call, const column *arg, column *out) {
    firn_error ignored = ERR_INIT;
    const type *result = out->type;
    column whole = *arg;
    whole.length = call->length;
    const bool is_good = column_flatten(call->scratch, &whole, out, &ignored) == FIRN_OK;
    out->type = result;
    return is_good;
}

static uint32_t nullif(function_call *call, const column *const *args, column *out) {
    column right;
    right.type = args[1]->type;
    uint64_t *same = ARENA_NEW(call->scratch, uint64_t, BITMAP_WORDS(call->length) + 1);
    uint64_t *kept = ARENA_NEW(call->scratch, uint64_t, BITMAP_WORDS(call->length) + 1);
    if (same == NULL || kept == NULL || !flatten(call, args[0], out) ||
        !flatten(call, args[1], &right)) {
        return KERNEL_NO_MEMORY;
    }
    if (args[0]->type->id == TYPE_NULL) {
        return call->count;
    }
    if (!compare_columns(out, &right, COMPARE_EQ, NULL, call->length, call->scratch, same)) {
        return KERNEL_NO_MEMORY;
    }
    if (right.validity != NULL) {
        bits_and(same, right.validity, call->length, same);
    }
    bits_not(same, call->length, kept);
    if (out->validity != NULL) {
        bits_and(kept, out->validity, call->length, kept);
    }
    out->validity = kept;
    return call->count;
}

const scalar_function function_nullif = {
    .name = "nullif",
    .category = "comparison",
    .summary = "NULL if both are equal, else the first one",
    .examples =
        (const char *const[]){"nullif(1, 1)", "NULL", "nullif(1, 2)", "1", "nullif('a', 'b')", "a",
                              "nullif(1, NULL)", "1", "nullif(NULL, 1)", "NULL",
                              "nullif(0.0, -0.0)", "NULL", "nullif([1], [1])", "NULL",
                              "nullif(true, 1)", "error: ", NULL},
    .flags = 0,
    .overloads = (const overload[]){{.signature = "T <- T, T", .kernel = nullif}, {0}},
};

// ---- greatest, least -------------------------------------------------------------------------

// In SQL's order: NaN is above all numbers.
static int order_f64(double left, double right) {
    if (left != left || right != right) {
        return (left != left) - (right != right);
    }
    return (left > right) - (left < right);
}

#define ORDER_CASE(NAME, c_type, order)                                                            \
    case PHYSICAL_##NAME: {                                                                        \
        const c_type *l = &COLUMN_VALUES(left, c_type)[left_lane];                                 \
        const c_type *r = &COLUMN_VALUES(right, c_type)[right_lane];                               \
        return order;                                                                              \
    }

static int order_of(const column *left, uint32_t left_lane, const column *right,
                    uint32_t right_lane, cancel_watch *watch) {
    switch ((int)type_physical(left->type)) {
        ORDER_CASE(I32, int32_t, (*l > *r) - (*l < *r))
        ORDER_CASE(I64, int64_t, (*l > *r) - (*l < *r))
        ORDER_CASE(I128, i128, (*l > *r) - (*l < *r))
        ORDER_CASE(F64, double, order_f64(*l, *r))
        ORDER_CASE(STRING, string_value, string_compare_watched(l, r, watch))
    default:
        return column_compare_rows_watched(left, left_lane, right, right_lane, watch);
    }
}

// For each row the argument that is highest, or lowest; the values are gathered at once.
static uint32_t choose(function_call *call, const column *const *args, int sign, column *out) {
    const column **sources = ARENA_NEW(call->scratch, const column *, call->length + 1);
    uint32_t *rows = ARENA_NEW(call->scratch, uint32_t, call->length + 1);
    if (sources == NULL || rows == NULL) {
        return KERNEL_NO_MEMORY;
    }
    memset(sources, 0, call->length * sizeof(const column *));
    memset(rows, 0, call->length * sizeof *rows);
    cancel_watch watch = {.cancel = function_cancel(call)};
    for (uint32_t i = 0; i < call->arg_count; i++) {
        const uint32_t mask = column_mask(args[i]);
        FOR_ROWS(call, row) {
            if (!column_row_is_valid(args[i], row)) {
                continue;
            }
            const uint32_t lane = row & mask;
            if (sources[row] == NULL ||
                order_of(args[i], lane, sources[row], rows[row], &watch) * sign > 0) {
                sources[row] = args[i];
                rows[row] = lane;
            }
        }
    }
    firn_error ignored = ERR_INIT;
    const gathered_rows from = {.sources = sources, .rows = rows, .count = call->length};
    return column_gather(call->scratch, call->result, &from, out, &ignored) == FIRN_OK
               ? call->count
               : KERNEL_NO_MEMORY;
}

static uint32_t greatest(function_call *call, const column *const *args, column *out) {
    return choose(call, args, 1, out);
}

static uint32_t least(function_call *call, const column *const *args, column *out) {
    return choose(call, args, -1, out);
}

const scalar_function function_greatest = {
    .name = "greatest",
    .category = "conditional",
    .summary = "the highest of the arguments, NULL ones left out",
    .examples =
        (const char *const[]){"greatest(1, 3, 2)", "3", "greatest('a', 'B')", "a",
                              "greatest(1, 2.5)", "2.5", "greatest(NULL, 1)", "1",
                              "greatest(NULL, NULL)", "NULL", "greatest('NaN'::DOUBLE, 1e300)",
                              "NaN", "greatest(DATE '2020-01-01', TIMESTAMP '2019-01-01')",
                              "2020-01-01 00:00:00", "greatest(1, true)",
                              "error: no \"greatest\" takes", NULL},
    .flags = 0,
    .overloads = (const overload[]){{.signature = "T <- T...", .kernel = greatest}, {0}},
};

const scalar_function function_least = {
    .name = "least",
    .category = "conditional",
    .summary = "the lowest of the arguments, NULL ones left out",
    .examples = (const char *const[]){"least(3, 1, 2)", "1", "least('a', 'B')", "B",
                                      "least(NULL, 1)", "1", "least(NULL)", "NULL",
                                      "least('NaN'::DOUBLE, 1e300)", "1e+300", "least(-1, -1.5)",
                                      "-1.5", "least(1, true)", "error: no \"least\" takes", NULL},
    .flags = 0,
    .overloads = (const overload[]){{.signature = "T <- T...", .kernel = least}, {0}},
};
