// is_only_row: what unnesting asks where a subquery is a value that not every row needs
// (optimize/unnest_arms.c). Not told to users.
#include "functions/scalar/row_values.h"
#include "kernels/bits.h"

static uint32_t is_only_row(function_call *call, const column *const *args, column *out) {
    const i64_rows counts = i64_rows_of(args[0]);
    FOR_ROWS(call, row) {
        if (i64_at(counts, row) > 1) {
            return ROW_VISIT(row);
        }
        put_bit(out, row, i64_at(counts, row) == 1);
    }
    return call->count;
}

static void explain_rows(const function_call *call, const column *const *args, uint32_t row,
                         firn_error *err) {
    (void)call;
    (void)args;
    (void)row;
    (void)expr_say_second_row(UINT32_MAX, err);
}

const scalar_function function_is_only_row = {
    .name = "is_only_row",
    .category = "other",
    .summary = "whether a count is one; an error of more",
    .examples = (const char *const[]){"is_only_row(0)", "false", "is_only_row(1)", "true",
                                      "is_only_row(NULL)", "NULL", "is_only_row(2)",
                                      "error: gave more than one row", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_INTERNAL,
    .overloads = (const overload[]){{.signature = "BOOLEAN <- BIGINT", .kernel = is_only_row}, {0}},
    .explain_failure = explain_rows,
};
