// + - * / % // and unary minus: of integers, floats, decimals, dates, times and intervals. Nothing
// wraps; what overflows, and division of exact numbers by zero, is an error.
#include "kernels/arithmetic.h"

#include "expr/expr.h"
#include "functions/scalar/arithmetic_kernels.h"

// ---- Integers and floats -----------------------------------------------------------------------

static uint32_t run(function_call *call, const column *const *args, arithmetic_op op, column *out) {
    const arithmetic_call whole = {.left = args[0]->values,
                                   .right = args[1]->values,
                                   .left_mask = column_mask(args[0]),
                                   .right_mask = column_mask(args[1]),
                                   .rows = call->rows,
                                   .count = call->count,
                                   .out = COLUMN_OUT(out, void)};
    return arithmetic_kernel_for(op, type_physical(call->result))(&whole);
}

#define X(NAME, word)                                                                              \
    static uint32_t number_##word(function_call *call, const column *const *args, column *out) {   \
        return run(call, args, ARITHMETIC_##NAME, out);                                            \
    }
ARITHMETIC_OP_LIST(X)
#undef X

static uint32_t number_negate(function_call *call, const column *const *args, column *out) {
    const arithmetic_call whole = {.left = args[0]->values,
                                   .left_mask = column_mask(args[0]),
                                   .rows = call->rows,
                                   .count = call->count,
                                   .out = COLUMN_OUT(out, void)};
    return arithmetic_negate_for(type_physical(call->result))(&whole);
}

// ---- What can't fail -------------------------------------------------------------------------

#define INTEGER_CASE(NAME, c_type)                                                                 \
    case PHYSICAL_##NAME: {                                                                        \
        const c_type value = COLUMN_VALUES(constant, c_type)[0];                                   \
        return value != 0 && (!is_quotient || value != (c_type) - 1);                              \
    }

// A constant divisor that is neither 0 nor, for quotients, -1.
static bool has_safe_divisor(const expr *call, bool is_quotient) {
    const expr *divisor = call->call_.args.items[1];
    while (divisor->kind == EXPR_CAST && divisor->cast_.is_implicit) {
        divisor = divisor->cast_.arg;
    }
    if (divisor->kind != EXPR_LITERAL || divisor->literal_.value.is_null) {
        return false;
    }
    const column *constant = divisor->literal_.value.value;
    switch ((int)type_physical(divisor->type)) {
        INTEGER_CASE(I8, int8_t)
        INTEGER_CASE(I16, int16_t)
        INTEGER_CASE(I32, int32_t)
        INTEGER_CASE(I64, int64_t)
        INTEGER_CASE(U8, uint8_t)
        INTEGER_CASE(U16, uint16_t)
        INTEGER_CASE(U32, uint32_t)
        INTEGER_CASE(U64, uint64_t)
    default:
        return false;
    }
}

static bool quotient_is_safe(const expr *call) {
    return has_safe_divisor(call, true);
}

static bool remainder_is_safe(const expr *call) {
    return has_safe_divisor(call, false);
}

// ---- Errors ----------------------------------------------------------------------------------

static bool is_zero(const column *values, uint32_t lane) {
    static const uint8_t zeros[sizeof(i256)] = {0};
    const uint32_t width = physical_size(type_physical(values->type));
    return memcmp((const uint8_t *)values->values + (size_t)lane * width, zeros, width) == 0;
}

static void explain_range(const function_call *call, const column *const *args, uint32_t row,
                          firn_error *err) {
    (void)args;
    (void)row;
    const text result = type_text(call->result, call->scratch);
    const bool is_time = type_category_of(call->result) == CATEGORY_DATETIME;
    err_set_sql(err, FIRN_INVALID, is_time ? "22008" : "22003", NO_POSITION,
                "the result is out of range for %.*s", TEXT_ARGS(result));
    if (call->result->id == TYPE_DECIMAL) {
        err_hint(err, "write CAST(... AS DOUBLE) around an argument");
    }
}

static void explain_division(const function_call *call, const column *const *args, uint32_t row,
                             firn_error *err) {
    if (is_zero(args[1], row & column_mask(args[1]))) {
        err_set_sql(err, FIRN_INVALID, "22012", NO_POSITION, "division by zero");
        return;
    }
    explain_range(call, args, row, err);
}

// ---- Operators -------------------------------------------------------------------------------

#define FLAGS (FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_DICTIONARY)

// The same operation for every type of integers; `safe_` says when it cannot fail, or is NULL.
#define OF_INTEGER(type_, kernel_, safe_)                                                          \
    {.signature = type_ " <- " type_ ", " type_, .kernel = kernel_, .cannot_fail = safe_}
#define OF_INTEGERS(kernel_, safe_)                                                                \
    OF_INTEGER("INTEGER", kernel_, safe_), OF_INTEGER("BIGINT", kernel_, safe_),                   \
        OF_INTEGER("SMALLINT", kernel_, safe_), OF_INTEGER("TINYINT", kernel_, safe_),             \
        OF_INTEGER("UBIGINT", kernel_, safe_), OF_INTEGER("UINTEGER", kernel_, safe_),             \
        OF_INTEGER("USMALLINT", kernel_, safe_), OF_INTEGER("UTINYINT", kernel_, safe_)

// Infinities of either sign make NaN, which is above all: not ascending.
#define OF_FLOATS(kernel_)                                                                         \
    {.signature = "DOUBLE <- DOUBLE, DOUBLE",                                                      \
     .kernel = kernel_,                                                                            \
     .flags_cleared = FUNCTION_CAN_FAIL | FUNCTION_MONOTONE},                                      \
    {                                                                                              \
        .signature = "REAL <- REAL, REAL", .kernel = kernel_,                                      \
        .flags_cleared = FUNCTION_CAN_FAIL | FUNCTION_MONOTONE                                     \
    }

// Zones jump, so neither order nor arguments keep their places.
#define OF_TIMES(signature_, kernel_)                                                              \
    {.signature = signature_,                                                                      \
     .kernel = kernel_,                                                                            \
     .flags_cleared = FUNCTION_COMMUTES | FUNCTION_MONOTONE}
#define OF_DATES(signature_, kernel_)                                                              \
    {.signature = signature_, .kernel = kernel_, .flags_cleared = FUNCTION_COMMUTES}
#define OF_INSTANTS(signature_, kernel_)                                                           \
    {.signature = signature_,                                                                      \
     .kernel = kernel_,                                                                            \
     .flags_set = FUNCTION_STABLE,                                                                 \
     .flags_cleared = FUNCTION_COMMUTES | FUNCTION_MONOTONE}

const scalar_function function_add = {
    .name = "+",
    .category = "arithmetic",
    .summary = "the sum; a date and days, a time and an interval",
    .examples =
        (const char *const[]){"1 + 2", "3", "1.5 + 1", "2.5", "DATE '2020-02-28' + 2", "2020-03-01",
                              "DATE '2020-01-31' + INTERVAL '1 month'", "2020-02-29 00:00:00",
                              "9223372036854775807 + 1", "error: out of range for BIGINT", NULL},
    .flags = FLAGS | FUNCTION_COMMUTES | FUNCTION_MONOTONE,
    .explain_failure = explain_range,
    .overloads =
        (const overload[]){
            OF_INTEGERS(number_add, NULL),
            OF_FLOATS(number_add),
            {.signature = "? <- DECIMAL(p,s), DECIMAL(q,t)",
             .kernel = decimal_add,
             .narrow_kernel = decimal_add,
             .bind = decimal_bind_add,
             .cannot_fail = decimal_sum_has_room},
            OF_DATES("DATE <- DATE, BIGINT", date_plus_days),
            OF_TIMES("DATE <- BIGINT, DATE", days_plus_date),
            OF_DATES("TIMESTAMP <- DATE, INTERVAL", date_plus_interval),
            OF_TIMES("TIMESTAMP <- INTERVAL, DATE", interval_plus_date),
            OF_DATES("TIMESTAMP(m) <- TIMESTAMP(m), INTERVAL", timestamp_plus_interval),
            OF_TIMES("TIMESTAMP(m) <- INTERVAL, TIMESTAMP(m)", interval_plus_timestamp),
            OF_INSTANTS("TIMESTAMPTZ(m) <- TIMESTAMPTZ(m), INTERVAL", timestamp_plus_interval),
            OF_INSTANTS("TIMESTAMPTZ(m) <- INTERVAL, TIMESTAMPTZ(m)", interval_plus_timestamp),
            OF_TIMES("TIME(m) <- TIME(m), INTERVAL", time_plus_interval),
            OF_TIMES("TIME(m) <- INTERVAL, TIME(m)", interval_plus_time),
            OF_TIMES("TIMESTAMP <- DATE, TIME(u)", date_plus_time),
            OF_TIMES("TIMESTAMP <- TIME(u), DATE", time_plus_date),
            {.signature = "INTERVAL <- INTERVAL, INTERVAL", .kernel = interval_plus_interval},
            {0},
        },
};

const scalar_function function_subtract = {
    .name = "-",
    .category = "arithmetic",
    .summary = "the difference, in days between dates, as an interval between times; or the number "
               "with the other sign",
    .examples = (const char *const[]){"1 - 2", "-1", "-(1.5)", "-1.5",
                                      "DATE '2020-03-01' - DATE '2020-02-28'", "2",
                                      "TIMESTAMP '2020-01-02 03:00:00' - TIMESTAMP '2020-01-01'",
                                      "1 day 03:00:00", NULL},
    .flags = FLAGS | FUNCTION_MONOTONE,
    .explain_failure = explain_range,
    .overloads =
        (const overload[]){
            OF_INTEGERS(number_sub, NULL),
            OF_FLOATS(number_sub),
            {.signature = "? <- DECIMAL(p,s), DECIMAL(q,t)",
             .kernel = decimal_subtract,
             .narrow_kernel = decimal_subtract,
             .bind = decimal_bind_add,
             .cannot_fail = decimal_sum_has_room},
            OF_DATES("DATE <- DATE, BIGINT", date_minus_days),
            {.signature = "BIGINT <- DATE, DATE",
             .kernel = date_minus_date,
             .flags_cleared = FUNCTION_CAN_FAIL},
            OF_DATES("TIMESTAMP <- DATE, INTERVAL", date_minus_interval),
            OF_DATES("TIMESTAMP(m) <- TIMESTAMP(m), INTERVAL", timestamp_minus_interval),
            OF_INSTANTS("TIMESTAMPTZ(m) <- TIMESTAMPTZ(m), INTERVAL", timestamp_minus_interval),
            OF_TIMES("INTERVAL <- TIMESTAMP(u), TIMESTAMP(u)", timestamp_minus_timestamp),
            OF_TIMES("INTERVAL <- TIMESTAMPTZ(u), TIMESTAMPTZ(u)", timestamp_minus_timestamp),
            OF_TIMES("TIME(m) <- TIME(m), INTERVAL", time_minus_interval),
            {.signature = "INTERVAL <- TIME(u), TIME(u)",
             .kernel = time_minus_time,
             .flags_cleared = FUNCTION_CAN_FAIL | FUNCTION_MONOTONE},
            {.signature = "INTERVAL <- INTERVAL, INTERVAL", .kernel = interval_minus_interval},
            // Unary: descending.
            {.signature = "INTEGER <- INTEGER",
             .kernel = number_negate,
             .flags_cleared = FUNCTION_MONOTONE},
            {.signature = "BIGINT <- BIGINT",
             .kernel = number_negate,
             .flags_cleared = FUNCTION_MONOTONE},
            {.signature = "SMALLINT <- SMALLINT",
             .kernel = number_negate,
             .flags_cleared = FUNCTION_MONOTONE},
            {.signature = "TINYINT <- TINYINT",
             .kernel = number_negate,
             .flags_cleared = FUNCTION_MONOTONE},
            {.signature = "DOUBLE <- DOUBLE",
             .kernel = number_negate,
             .flags_cleared = FUNCTION_MONOTONE | FUNCTION_CAN_FAIL},
            {.signature = "REAL <- REAL",
             .kernel = number_negate,
             .flags_cleared = FUNCTION_MONOTONE | FUNCTION_CAN_FAIL},
            {.signature = "DECIMAL(p,s) <- DECIMAL(p,s)",
             .kernel = number_negate,
             .flags_cleared = FUNCTION_MONOTONE | FUNCTION_CAN_FAIL},
            {.signature = "INTERVAL <- INTERVAL",
             .kernel = interval_negate,
             .flags_cleared = FUNCTION_MONOTONE},
            {0},
        },
};

const scalar_function function_multiply = {
    .name = "*",
    .category = "arithmetic",
    .summary = "the product; of an interval and a number an interval",
    .examples = (const char *const[]){"3 * 4", "12", "1.5 * 1.5", "2.25", "INTERVAL '1 hour' * 1.5",
                                      "01:30:00", "2147483647 * 2147483647 * 4",
                                      "error: out of range for INTEGER", NULL},
    .flags = FLAGS | FUNCTION_COMMUTES,
    .explain_failure = explain_range,
    .overloads =
        (const overload[]){
            OF_INTEGERS(number_mul, NULL),
            OF_FLOATS(number_mul),
            {.signature = "? <- DECIMAL(p,s), DECIMAL(q,t)",
             .kernel = decimal_multiply,
             .narrow_kernel = decimal_multiply,
             .bind = decimal_bind_multiply,
             .cannot_fail = decimal_product_has_room},
            OF_TIMES("INTERVAL <- INTERVAL, DOUBLE", interval_times_number),
            OF_TIMES("INTERVAL <- DOUBLE, INTERVAL", number_times_interval),
            {0},
        },
};

const scalar_function function_divide = {
    .name = "/",
    .category = "arithmetic",
    .summary =
        "the quotient; of integers truncated toward zero, of decimals with 16 digits or more",
    .examples =
        (const char *const[]){"7 / 2", "3", "-7 / 2", "-3", "1.0 / 3", "0.3333333333333333",
                              "7 / 2::DOUBLE", "3.5", "1 / 0", "error: division by zero", NULL},
    .flags = FLAGS,
    .explain_failure = explain_division,
    .overloads =
        (const overload[]){
            OF_INTEGERS(number_div, quotient_is_safe),
            {.signature = "DECIMAL(20,0) <- UBIGINT, BIGINT", .kernel = unsigned_by_signed},
            {.signature = "DECIMAL(20,0) <- BIGINT, UBIGINT", .kernel = signed_by_unsigned},
            OF_FLOATS(number_div),
            {.signature = "? <- DECIMAL(p,s), DECIMAL(q,t)",
             .kernel = decimal_divide,
             .bind = decimal_bind_divide},
            OF_TIMES("INTERVAL <- INTERVAL, DOUBLE", interval_by_number),
            {0},
        },
};

const scalar_function function_integer_divide = {
    .name = "//",
    .category = "arithmetic",
    .summary = "the quotient of integers, truncated toward zero: what / of integers gives",
    .examples = (const char *const[]){"7 // 2", "3", "-7 // 2", "-3", NULL},
    .flags = FLAGS,
    .explain_failure = explain_division,
    .overloads =
        (const overload[]){
            OF_INTEGERS(number_div, quotient_is_safe),
            {.signature = "DECIMAL(20,0) <- UBIGINT, BIGINT", .kernel = unsigned_by_signed},
            {.signature = "DECIMAL(20,0) <- BIGINT, UBIGINT", .kernel = signed_by_unsigned},
            {0},
        },
};

const scalar_function function_remainder = {
    .name = "%",
    .aliases = "mod",
    .category = "arithmetic",
    .summary = "the remainder of a division, with the sign of the left side",
    .examples = (const char *const[]){"7 % 3", "1", "-7 % 3", "-1", "5.5 % 2", "1.5", "1 % 0",
                                      "error: division by zero", NULL},
    .flags = FLAGS,
    .explain_failure = explain_division,
    .overloads =
        (const overload[]){
            OF_INTEGERS(number_rem, remainder_is_safe),
            OF_FLOATS(number_rem),
            {.signature = "? <- DECIMAL(p,s), DECIMAL(q,t)",
             .kernel = decimal_remainder,
             .bind = decimal_bind_remainder},
            {0},
        },
};
