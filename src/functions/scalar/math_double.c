// Functions of DOUBLE: roots, logarithms, powers, angles. What IEEE has a value
// for passes through; what has none (the root of a negative number) is an
// error.
#include <math.h>

#include "base/number_text.h"
#include "functions/scalar/row_values.h"

// Kernels over one argument `x`. Those of the second kind fail where `is_good`
// is false; NaN stays.
#define INFALLIBLE(word, expression)                                                               \
    static uint32_t word##_kernel(function_call *call, const column *const *args, column *out) {   \
        const f64_rows values = f64_rows_of(args[0]);                                              \
        double *result = COLUMN_OUT(out, double);                                                  \
        FOR_ROWS(call, row) {                                                                      \
            const double x = f64_at(values, row);                                                  \
            result[row] = (expression);                                                            \
        }                                                                                          \
        return call->count;                                                                        \
    }
#define FALLIBLE(word, is_good, expression)                                                        \
    static uint32_t word##_kernel(function_call *call, const column *const *args, column *out) {   \
        const f64_rows values = f64_rows_of(args[0]);                                              \
        double *result = COLUMN_OUT(out, double);                                                  \
        FOR_ROWS(call, row) {                                                                      \
            const double x = f64_at(values, row);                                                  \
            if (!(is_good) && !isnan(x)) {                                                         \
                return ROW_VISIT(row);                                                             \
            }                                                                                      \
            result[row] = (expression);                                                            \
        }                                                                                          \
        return call->count;                                                                        \
    }

#define PI 3.14159265358979323846
#define INFINITE ((double)INFINITY)

// One step of Newton: the library is off by a bit for cubes of whole numbers.
static double cube_root(double x) {
    const double root = cbrt(x);
    if (root == 0 || !isfinite(root)) {
        return root;
    }
    return root - (root * root * root - x) / (3 * root * root);
}

INFALLIBLE(cbrt, cube_root(x))
INFALLIBLE(exp, exp(x))
INFALLIBLE(degrees, (x * (180.0 / PI)))
INFALLIBLE(radians, (x * (PI / 180.0)))
INFALLIBLE(atan, atan(x))
INFALLIBLE(sinh, sinh(x))
INFALLIBLE(cosh, cosh(x))
INFALLIBLE(tanh, tanh(x))
INFALLIBLE(asinh, asinh(x))
FALLIBLE(sqrt, x >= 0, sqrt(x))
FALLIBLE(ln, x >= 0, x == 0 ? -INFINITE : log(x))
FALLIBLE(log10, x >= 0, x == 0 ? -INFINITE : log10(x))
FALLIBLE(log2, x >= 0, x == 0 ? -INFINITE : log2(x))
FALLIBLE(sin, isfinite(x), sin(x))
FALLIBLE(cos, isfinite(x), cos(x))
FALLIBLE(tan, isfinite(x), tan(x))
FALLIBLE(cot, isfinite(x), x == 0 ? copysign(INFINITE, x) : 1.0 / tan(x))
FALLIBLE(asin, x >= -1 && x <= 1, asin(x))
FALLIBLE(acos, x >= -1 && x <= 1, acos(x))
FALLIBLE(acosh, x >= 1, acosh(x))
FALLIBLE(atanh, x >= -1 && x <= 1, atanh(x))

static void explain(const function_call *call, const column *const *args, uint32_t row,
                    const char *state, const char *words, firn_error *err) {
    char digits[NUMBER_F64_SIZE_MAX];
    const uint32_t last = call->arg_count - 1;
    const size_t size = number_print_f64(f64_at(f64_rows_of(args[last]), row), NUMBER_SQL, digits);
    err_set_sql(err, FIRN_INVALID, state, NO_POSITION, "%s %.*s", words, (int)size, digits);
}

static void explain_root(const function_call *call, const column *const *args, uint32_t row,
                         firn_error *err) {
    explain(call, args, row, "2201F", "the square root of a negative number:", err);
}

static void explain_log(const function_call *call, const column *const *args, uint32_t row,
                        firn_error *err) {
    explain(call, args, row, "2201E", "the logarithm of a negative number:", err);
}

static void explain_angle(const function_call *call, const column *const *args, uint32_t row,
                          firn_error *err) {
    explain(call, args, row, "22003", "the argument is out of range:", err);
}

#define MATH(word, aliases_, summary_, flags_, explain_, ...)                                      \
    const scalar_function function_##word = {                                                      \
        .name = #word,                                                                             \
        .aliases = aliases_,                                                                       \
        .category = "math",                                                                        \
        .summary = summary_,                                                                       \
        .examples = (const char *const[]){__VA_ARGS__, NULL},                                      \
        .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY | (flags_),                            \
        .overloads =                                                                               \
            (const overload[]){{.signature = "DOUBLE <- DOUBLE", .kernel = word##_kernel}, {0}},   \
        .explain_failure = explain_,                                                               \
    };

#define FAILS FUNCTION_CAN_FAIL
#define RISES FUNCTION_MONOTONE

MATH(sqrt, NULL, "the square root", FAILS | RISES, explain_root, "sqrt(16)", "4.0", "sqrt(2)",
     "1.4142135623730951", "sqrt(0)", "0.0", "sqrt(NULL)", "NULL", "sqrt('inf'::DOUBLE)", "inf",
     "sqrt(-1)", "error: the square root of a negative number: -1.0", "sqrt('x')", "error: ")
MATH(cbrt, NULL, "the cube root", RISES, NULL, "cbrt(27)", "3.0", "cbrt(-8)", "-2.0", "cbrt(0)",
     "0.0", "cbrt(NULL)", "NULL", "cbrt(true)", "error: no \"cbrt\" takes")
MATH(exp, NULL, "e to the power of the argument", RISES, NULL, "exp(0)", "1.0", "exp(1)",
     "2.718281828459045", "exp('-inf'::DOUBLE)", "0.0", "exp(1000)", "inf", "exp(NULL)", "NULL",
     "exp(true)", "error: no \"exp\" takes")
MATH(ln, NULL, "the natural logarithm; of 0 -inf", FAILS | RISES, explain_log, "ln(1)", "0.0",
     "ln(10)", "2.302585092994046", "ln(0)", "-inf", "ln('NaN'::DOUBLE)", "NaN", "ln(NULL)", "NULL",
     "ln(-1)", "error: the logarithm of a negative number: -1.0", "ln(true)",
     "error: no \"ln\" takes")
MATH(log10, NULL, "the logarithm to base 10; of 0 -inf", FAILS | RISES, explain_log, "log10(1000)",
     "3.0", "log10(0.01)", "-2.0", "log10(0)", "-inf", "log10(NULL)", "NULL", "log10(-2)",
     "error: the logarithm of a negative number: -2.0", "log10(true)", "error: no \"log10\" takes")
MATH(log2, NULL, "the logarithm to base 2; of 0 -inf", FAILS | RISES, explain_log, "log2(8)", "3.0",
     "log2(0.5)", "-1.0", "log2(0)", "-inf", "log2(NULL)", "NULL", "log2(-2)",
     "error: the logarithm of a negative number", "log2(true)", "error: no \"log2\" takes")
MATH(degrees, NULL, "an angle in radians as degrees", RISES, NULL, "degrees(pi())", "180.0",
     "degrees(0)", "0.0", "degrees(NULL)", "NULL", "degrees(true)", "error: no \"degrees\" takes")
MATH(radians, NULL, "an angle in degrees as radians", RISES, NULL, "radians(180)",
     "3.141592653589793", "radians(0)", "0.0", "radians(NULL)", "NULL", "radians(true)",
     "error: no \"radians\" takes")
MATH(sin, NULL, "the sine of an angle in radians", FAILS, explain_angle, "sin(0)", "0.0",
     "sin(pi() / 2)", "1.0", "sin(NULL)", "NULL", "sin('NaN'::DOUBLE)", "NaN", "sin('inf'::DOUBLE)",
     "error: out of range: inf", "sin(true)", "error: no \"sin\" takes")
MATH(cos, NULL, "the cosine of an angle in radians", FAILS, explain_angle, "cos(0)", "1.0",
     "cos(pi())", "-1.0", "cos(NULL)", "NULL", "cos('-inf'::DOUBLE)", "error: out of range: -inf",
     "cos(true)", "error: no \"cos\" takes")
MATH(tan, NULL, "the tangent of an angle in radians", FAILS, explain_angle, "tan(0)", "0.0",
     "round(tan(pi() / 4), 10)", "1.0", "tan(NULL)", "NULL", "tan('inf'::DOUBLE)",
     "error: out of range: inf", "tan(true)", "error: no \"tan\" takes")
MATH(cot, NULL, "the cotangent of an angle in radians", FAILS, explain_angle, "round(cot(1), 10)",
     "0.6420926159", "cot(0)", "inf", "cot(NULL)", "NULL", "cot('inf'::DOUBLE)",
     "error: out of range: inf", "cot(true)", "error: no \"cot\" takes")
MATH(asin, NULL, "the angle of a sine, in radians", FAILS | RISES, explain_angle, "asin(1)",
     "1.5707963267948966", "asin(0)", "0.0", "asin(NULL)", "NULL", "asin(2)",
     "error: out of range: 2.0", "asin(true)", "error: no \"asin\" takes")
MATH(acos, NULL, "the angle of a cosine, in radians", FAILS, explain_angle, "acos(1)", "0.0",
     "acos(-1)", "3.141592653589793", "acos(NULL)", "NULL", "acos(-1.5)",
     "error: out of range: -1.5", "acos(true)", "error: no \"acos\" takes")
MATH(atan, NULL, "the angle of a tangent, in radians", RISES, NULL, "atan(1)", "0.7853981633974483",
     "atan('inf'::DOUBLE)", "1.5707963267948966", "atan(NULL)", "NULL", "atan(true)",
     "error: no \"atan\" takes")
MATH(sinh, NULL, "the hyperbolic sine", RISES, NULL, "sinh(0)", "0.0", "round(sinh(1), 10)",
     "1.1752011936", "sinh(NULL)", "NULL", "sinh(true)", "error: no \"sinh\" takes")
MATH(cosh, NULL, "the hyperbolic cosine", 0, NULL, "cosh(0)", "1.0", "round(cosh(1), 10)",
     "1.5430806348", "cosh(NULL)", "NULL", "cosh(true)", "error: no \"cosh\" takes")
MATH(tanh, NULL, "the hyperbolic tangent", RISES, NULL, "tanh(0)", "0.0", "tanh('inf'::DOUBLE)",
     "1.0", "tanh(NULL)", "NULL", "tanh(true)", "error: no \"tanh\" takes")
MATH(asinh, NULL, "the inverse of the hyperbolic sine", RISES, NULL, "asinh(0)", "0.0",
     "round(asinh(1), 10)", "0.881373587", "asinh(NULL)", "NULL", "asinh(true)",
     "error: no \"asinh\" takes")
MATH(acosh, NULL, "the inverse of the hyperbolic cosine", FAILS | RISES, explain_angle, "acosh(1)",
     "0.0", "round(acosh(2), 10)", "1.3169578969", "acosh(NULL)", "NULL", "acosh(0.5)",
     "error: out of range: 0.5", "acosh(true)", "error: no \"acosh\" takes")
MATH(atanh, NULL, "the inverse of the hyperbolic tangent", FAILS | RISES, explain_angle, "atanh(0)",
     "0.0", "atanh(1)", "inf", "atanh(NULL)", "NULL", "atanh(2)", "error: out of range: 2.0",
     "atanh(true)", "error: no \"atanh\" takes")

// ---- Of two arguments, of none ------------------------------------------------------------------

static uint32_t power_kernel(function_call *call, const column *const *args, column *out) {
    const f64_rows bases = f64_rows_of(args[0]);
    const f64_rows exponents = f64_rows_of(args[1]);
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, double)
        [row] = pow(f64_at(bases, row), f64_at(exponents, row));
    }
    return call->count;
}

static uint32_t atan2_kernel(function_call *call, const column *const *args, column *out) {
    const f64_rows ys = f64_rows_of(args[0]);
    const f64_rows xs = f64_rows_of(args[1]);
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, double)[row] = atan2(f64_at(ys, row), f64_at(xs, row));
    }
    return call->count;
}

// log(base, x)
static uint32_t log_kernel(function_call *call, const column *const *args, column *out) {
    const f64_rows bases = f64_rows_of(args[0]);
    const f64_rows values = f64_rows_of(args[1]);
    FOR_ROWS(call, row) {
        const double base = f64_at(bases, row);
        const double value = f64_at(values, row);
        if (base <= 0 || base == 1 || value < 0) {
            return ROW_VISIT(row);
        }
        COLUMN_OUT(out, double)
        [row] = base == 2 ? log2(value) : base == 10 ? log10(value) : log(value) / log(base);
    }
    return call->count;
}

static void explain_base(const function_call *call, const column *const *args, uint32_t row,
                         firn_error *err) {
    const double base = f64_at(f64_rows_of(args[0]), row);
    if (call->arg_count == 2 && (base <= 0 || base == 1)) {
        err_set_sql(err, FIRN_INVALID, "2201E", NO_POSITION,
                    "a logarithm to base %g, which must be above 0 and not 1", base);
        return;
    }
    explain_log(call, args, row, err);
}

static uint32_t pi_kernel(function_call *call, const column *const *args, column *out) {
    (void)args;
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, double)[row] = PI;
    }
    return call->count;
}

const scalar_function function_power = {
    .name = "power",
    .aliases = "pow ^",
    .category = "math",
    .summary = "the first argument to the power of the second, as a DOUBLE",
    .examples = (const char *const[]){"power(2, 10)", "1024.0", "2 ^ 0.5", "1.4142135623730951",
                                      "power(0, 0)", "1.0", "power(0, -1)", "inf",
                                      "power(-8, 1.0 / 3)", "NaN", "power(NULL, 2)", "NULL",
                                      "power(true, 1)", "error: no \"power\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){{.signature = "DOUBLE <- DOUBLE, DOUBLE", .kernel = power_kernel}, {0}},
};

const scalar_function function_atan2 = {
    .name = "atan2",
    .category = "math",
    .summary = "the angle of the point (x, y) in radians: atan2(y, x)",
    .examples = (const char *const[]){"atan2(1, 1)", "0.7853981633974483", "atan2(0, -1)",
                                      "3.141592653589793", "atan2(0, 0)", "0.0", "atan2(NULL, 1)",
                                      "NULL", "atan2(true, 1)", "error: no \"atan2\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){{.signature = "DOUBLE <- DOUBLE, DOUBLE", .kernel = atan2_kernel}, {0}},
};

const scalar_function function_log = {
    .name = "log",
    .category = "math",
    .summary = "the logarithm to base 10, or to a base: log(base, x)",
    .examples = (const char *const[]){"log(100)", "2.0", "log(2, 64)", "6.0", "log(3, 9)", "2.0",
                                      "log(0)", "-inf", "log(NULL)", "NULL", "log(1, 2)",
                                      "error: a logarithm to base 1", "log(-1)",
                                      "error: the logarithm of a negative number", "log(true)",
                                      "error: no \"log\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY | FUNCTION_CAN_FAIL,
    .overloads =
        (const overload[]){
            {.signature = "DOUBLE <- DOUBLE",
             .kernel = log10_kernel,
             .flags_set = FUNCTION_MONOTONE},
            {.signature = "DOUBLE <- DOUBLE, DOUBLE", .kernel = log_kernel},
            {0},
        },
    .explain_failure = explain_base,
};

const scalar_function function_pi = {
    .name = "pi",
    .category = "math",
    .summary = "the circumference of a circle of diameter 1",
    .examples = (const char *const[]){"pi()", "3.141592653589793", "round(pi(), 4)", "3.1416",
                                      "pi(1)", "error: no \"pi\" takes", NULL},
    .flags = FUNCTION_PURE,
    .overloads = (const overload[]){{.signature = "DOUBLE <-", .kernel = pi_kernel}, {0}},
};

// ---- What kind of number ------------------------------------------------------------------------

static uint32_t isnan_kernel(function_call *call, const column *const *args, column *out) {
    const f64_rows values = f64_rows_of(args[0]);
    FOR_ROWS(call, row) {
        put_bit(out, row, isnan(f64_at(values, row)));
    }
    return call->count;
}

static uint32_t isinf_kernel(function_call *call, const column *const *args, column *out) {
    const f64_rows values = f64_rows_of(args[0]);
    FOR_ROWS(call, row) {
        put_bit(out, row, isinf(f64_at(values, row)));
    }
    return call->count;
}

static uint32_t isfinite_kernel(function_call *call, const column *const *args, column *out) {
    const f64_rows values = f64_rows_of(args[0]);
    FOR_ROWS(call, row) {
        put_bit(out, row, isfinite(f64_at(values, row)));
    }
    return call->count;
}

// Dates and times have no infinite values here.
static uint32_t moment_isfinite_kernel(function_call *call, const column *const *args,
                                       column *out) {
    (void)args;
    FOR_ROWS(call, row) {
        put_bit(out, row, true);
    }
    return call->count;
}

#define KIND(word, summary_, ...)                                                                  \
    const scalar_function function_##word = {                                                      \
        .name = #word,                                                                             \
        .category = "math",                                                                        \
        .summary = summary_,                                                                       \
        .examples = (const char *const[]){__VA_ARGS__, NULL},                                      \
        .flags = FUNCTION_NULL_STRICT,                                                             \
        .overloads =                                                                               \
            (const overload[]){{.signature = "BOOLEAN <- DOUBLE", .kernel = word##_kernel}, {0}},  \
    };

KIND(isnan, "whether a number is NaN", "isnan('NaN'::DOUBLE)", "true", "isnan(1)", "false",
     "isnan('inf'::REAL)", "false", "isnan(NULL)", "NULL", "isnan(true)", "error: no \"isnan\"")
KIND(isinf, "whether a number is inf or -inf", "isinf('-inf'::DOUBLE)", "true", "isinf(1e308)",
     "false", "isinf('NaN'::DOUBLE)", "false", "isinf(NULL)", "NULL", "isinf(true)",
     "error: no \"isinf\"")

const scalar_function function_isfinite = {
    .name = "isfinite",
    .category = "math",
    .summary = "whether a number is neither NaN nor infinite; true of dates and times",
    .examples =
        (const char *const[]){"isfinite(1.5)", "true", "isfinite('inf'::DOUBLE)", "false",
                              "isfinite('NaN'::DOUBLE)", "false", "isfinite(NULL)", "NULL",
                              "isfinite(DATE '2020-01-01')", "true", "isfinite(NULL::INTERVAL)",
                              "NULL", "isfinite(true)", "error: no \"isfinite\"", NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){
            {.signature = "BOOLEAN <- DOUBLE", .kernel = isfinite_kernel},
            {.signature = "BOOLEAN <- DATE", .kernel = moment_isfinite_kernel},
            {.signature = "BOOLEAN <- TIMESTAMP(u)", .kernel = moment_isfinite_kernel},
            {.signature = "BOOLEAN <- TIMESTAMPTZ(u)", .kernel = moment_isfinite_kernel},
            {.signature = "BOOLEAN <- INTERVAL", .kernel = moment_isfinite_kernel},
            {0},
        },
};
