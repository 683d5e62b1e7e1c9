// abs, sign, ceil, floor, trunc, round. Integers and decimals stay what they
// are, without the digits that go; a half is rounded away from zero, of doubles
// too.
#include <math.h>

#include "expr/cast.h"
#include "functions/scalar/row_values.h"

// ---- Whole numbers of decimals ------------------------------------------------------------------

// Decimals of at most 38 digits are done in 128 bits, others in 256.
static bool is_wide(const type *self) {
    return type_physical(self) == PHYSICAL_I256;
}

static i128 load(const column *from, uint32_t lane) {
    switch ((int)type_physical(from->type)) {
    case PHYSICAL_I32:
        return COLUMN_VALUES(from, int32_t)[lane];
    case PHYSICAL_I64:
        return COLUMN_VALUES(from, int64_t)[lane];
    default:
        return COLUMN_VALUES(from, i128)[lane];
    }
}

static i256 load_wide(const column *from, uint32_t lane) {
    return is_wide(from->type) ? COLUMN_VALUES(from, i256)[lane] : i256_from_i128(load(from, lane));
}

static bool store(column *out, uint32_t row, i128 value) {
    if (!i128_has_digits(value, out->type->precision)) {
        return false;
    }
    switch ((int)type_physical(out->type)) {
    case PHYSICAL_I32:
        COLUMN_OUT(out, int32_t)[row] = (int32_t)value;
        break;
    case PHYSICAL_I64:
        COLUMN_OUT(out, int64_t)[row] = (int64_t)value;
        break;
    default:
        COLUMN_OUT(out, i128)[row] = value;
        break;
    }
    return true;
}

static bool store_wide(column *out, uint32_t row, i256 value) {
    i128 narrow;
    if (!is_wide(out->type)) {
        return i256_to_i128_fits(value, &narrow) && store(out, row, narrow);
    }
    COLUMN_OUT(out, i256)[row] = value;
    return i256_has_digits(value, out->type->precision);
}

typedef enum rounding { ROUND_HALF, ROUND_DOWN, ROUND_UP, ROUND_CUT } rounding;

// value / divisor as a whole number.
static i128 divide(i128 value, i128 divisor, rounding how) {
    if (how == ROUND_HALF) {
        return i128_divide_round(value, divisor);
    }
    const i128 quotient = value / divisor;
    const i128 rest = value % divisor;
    return quotient + (how == ROUND_UP && rest > 0) - (how == ROUND_DOWN && rest < 0);
}

static bool divide_wide(i256 value, i256 divisor, rounding how, i256 *out) {
    i256 rest;
    if (how == ROUND_HALF) {
        return i256_divide_round_fits(value, divisor, out);
    }
    if (!i256_divide_fits(value, divisor, out, &rest)) {
        return false;
    }
    if (how == ROUND_UP && !i256_is_zero(rest) && !i256_is_negative(rest)) {
        return i256_add_fits(*out, i256_from_i64(1), out);
    }
    return how != ROUND_DOWN || !i256_is_negative(rest) ||
           i256_add_fits(*out, i256_from_i64(-1), out);
}

// Brings a decimal to `places` digits behind the point and then to the scale of
// the result.
static bool round_decimal(const column *from, uint32_t lane, int64_t places, rounding how,
                          column *out, uint32_t row) {
    const int32_t scale = from->type->scale;
    const int32_t kept = places > scale ? scale : places < -76 ? -76 : (int32_t)places;
    const int32_t cut = scale - kept; // Digits that go.
    const int32_t to = out->type->scale;
    if (!is_wide(from->type) && cut <= DECIMAL128_DIGITS_MAX && !is_wide(out->type)) {
        const i128 rounded = divide(load(from, lane), i128_power_of_ten[cut], how);
        i128 value;
        return i128_rescale_fits(rounded, kept, to, &value) && store(out, row, value);
    }
    i256 value = I256_ZERO;
    if (cut <= DECIMAL256_DIGITS_MAX &&
        (!divide_wide(load_wide(from, lane), i256_power_of_ten[cut], how, &value) ||
         !i256_rescale_fits(value, kept, to, &value))) {
        return false;
    }
    return store_wide(out, row, value);
}

// ---- Decimals of at most 18 digits --------------------------------------------------------------
//
// As many digits go from every row of a batch, so that the division is a multiplication by the
// reciprocal: for any u below 2^63 and divisor up to 2^bits, u / divisor is the high part of
// u * (floor(2^(63 + bits) / divisor) + 1), exactly (Granlund and Montgomery, 1994).

typedef struct short_rounding {
    uint64_t reciprocal;
    uint64_t added[2]; // To the magnitude before it is divided: of positive, of negative values.
    uint64_t factor;   // Of the quotient, for the scale of the result.
    uint32_t shift;
    uint64_t limit; // What the result stays below.
} short_rounding;

static bool is_short(const type *self) {
    return type_physical(self) == PHYSICAL_I32 || type_physical(self) == PHYSICAL_I64;
}

// False: not that short, or places of their own for each row.
static bool plan_short(const column *const *args, uint32_t arg_count, rounding how,
                       const type *result, short_rounding *out) {
    const type *from = args[0]->type;
    if (!is_short(from) || is_wide(result) || (arg_count == 2 && column_mask(args[1]) != 0)) {
        return false;
    }
    const int64_t places = arg_count == 2 ? *COLUMN_VALUES(args[1], int64_t) : 0;
    if (places < from->scale - DECIMAL64_DIGITS_MAX) {
        return false;
    }
    const int32_t kept = places > from->scale ? from->scale : (int32_t)places;
    const int32_t risen = result->scale - kept; // Digits that come back as zeros.
    if (risen < 0 || risen > from->scale - kept) {
        return false; // Never, as bind_places has it: the product below then fits 63 bits.
    }
    const uint64_t divisor = u64_power_of_ten[from->scale - kept];
    uint32_t bits = 0;
    while ((UINT64_C(1) << bits) < divisor) {
        bits += 1;
    }
    *out = (short_rounding){
        .reciprocal = (uint64_t)(((u128)1 << (63 + bits)) / divisor) + 1,
        .factor = u64_power_of_ten[risen],
        .shift = 63 + bits,
        .limit = is_short(result) ? u64_power_of_ten[result->precision] : UINT64_C(1) << 63,
    };
    out->added[0] = how == ROUND_HALF ? divisor / 2 : how == ROUND_UP ? divisor - 1 : 0;
    out->added[1] = how == ROUND_HALF ? divisor / 2 : how == ROUND_DOWN ? divisor - 1 : 0;
    return true;
}

// False: more digits than the result has.
static inline bool round_short(const short_rounding *self, int64_t value, int64_t *out) {
    const bool is_negative = value < 0;
    const uint64_t distance = is_negative ? (uint64_t)~value + 1 : (uint64_t)value;
    const uint64_t magnitude = distance + self->added[is_negative];
    const uint64_t quotient = (uint64_t)((u128)magnitude * self->reciprocal >> self->shift);
    const uint64_t made = quotient * self->factor;
    if (made >= self->limit) {
        return false;
    }
    *out = is_negative ? -(int64_t)made : (int64_t)made;
    return true;
}

#define SHORT_DECIMALS(word, from_type, to_type)                                                   \
    static uint32_t word(const function_call *call, const column *from, const short_rounding *by,  \
                         column *out) {                                                            \
        const from_type *values = COLUMN_VALUES(from, from_type);                                  \
        const uint32_t mask = column_mask(from);                                                   \
        FOR_ROWS(call, row) {                                                                      \
            int64_t made;                                                                          \
            if (!round_short(by, values[row & mask], &made)) {                                     \
                return ROW_VISIT(row);                                                             \
            }                                                                                      \
            COLUMN_OUT(out, to_type)[row] = (to_type)made;                                         \
        }                                                                                          \
        return call->count;                                                                        \
    }
SHORT_DECIMALS(round_i32_to_i32, int32_t, int32_t)
SHORT_DECIMALS(round_i32_to_i64, int32_t, int64_t)
SHORT_DECIMALS(round_i64_to_i32, int64_t, int32_t)
SHORT_DECIMALS(round_i64_to_i64, int64_t, int64_t)
SHORT_DECIMALS(round_i64_to_i128, int64_t, i128)

static uint32_t round_shorts(const function_call *call, const column *from,
                             const short_rounding *by, column *out) {
    const bool from_i32 = type_physical(from->type) == PHYSICAL_I32;
    if (type_physical(out->type) == PHYSICAL_I32) {
        return from_i32 ? round_i32_to_i32(call, from, by, out)
                        : round_i64_to_i32(call, from, by, out);
    }
    if (type_physical(out->type) == PHYSICAL_I64) {
        return from_i32 ? round_i32_to_i64(call, from, by, out)
                        : round_i64_to_i64(call, from, by, out);
    }
    return round_i64_to_i128(call, from, by, out);
}

// ---- Decimals of any size -----------------------------------------------------------------------

static uint32_t round_decimals(function_call *call, const column *const *args, rounding how,
                               column *out) {
    const uint32_t mask = column_mask(args[0]);
    const bool has_places = call->arg_count == 2;
    short_rounding by;
    if (call->count > 1 && plan_short(args, call->arg_count, how, out->type, &by)) {
        return round_shorts(call, args[0], &by, out);
    }
    FOR_ROWS(call, row) {
        const int64_t places = has_places ? i64_at(i64_rows_of(args[1]), row) : 0;
        if (!round_decimal(args[0], row & mask, places, how, out, row)) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

static uint32_t round_decimal_half(function_call *call, const column *const *args, column *out) {
    return round_decimals(call, args, ROUND_HALF, out);
}

static uint32_t round_decimal_down(function_call *call, const column *const *args, column *out) {
    return round_decimals(call, args, ROUND_DOWN, out);
}

static uint32_t round_decimal_up(function_call *call, const column *const *args, column *out) {
    return round_decimals(call, args, ROUND_UP, out);
}

static uint32_t round_decimal_cut(function_call *call, const column *const *args, column *out) {
    return round_decimals(call, args, ROUND_CUT, out);
}

// DECIMAL(p, s) keeps as many digits behind the point as are asked for by a
// constant, else all.
static firn_status bind_places(function_bind_call *call, firn_error *err) {
    const type *from = type_as_decimal(call->types[0]);
    if (from == NULL) {
        from = call->types[0]; // NULL: DECIMAL as it comes.
    }
    const int64_t cap =
        from->precision > DECIMAL_PRECISION_I128 ? DECIMAL_PRECISION_MAX : DECIMAL_PRECISION_I128;
    const column *constant;
    int64_t scale = call->arg_count == 1 ? 0 : from->scale;
    if (call->arg_count == 2 && call->args != NULL && literal_column(call->args[1], &constant)) {
        const int64_t places = *COLUMN_VALUES(constant, int64_t);
        scale = places < 0 ? 0 : places > from->scale ? from->scale : places;
    }
    const int64_t digits = (int64_t)from->precision - from->scale + scale + 1;
    call->result =
        type_decimal(call->memory, (uint8_t)(digits > cap ? cap : digits), (uint8_t)scale);
    return call->result == NULL ? ARENA_FULL(call->memory, err) : FIRN_OK;
}

// A result of more digits than the argument has before the point holds every
// value.
static bool has_room(const expr *call) {
    const type *from = call->call_.args.items[0]->type;
    return call->type->precision - call->type->scale > from->precision - from->scale;
}

// ---- Doubles ------------------------------------------------------------------------------------

#define DOUBLES(word, c_type, expression)                                                          \
    static uint32_t word(function_call *call, const column *const *args, column *out) {            \
        const c_type *values = args[0]->values;                                                    \
        const uint32_t mask = column_mask(args[0]);                                                \
        FOR_ROWS(call, row) {                                                                      \
            const c_type x = values[row & mask];                                                   \
            COLUMN_OUT(out, c_type)[row] = (expression);                                           \
        }                                                                                          \
        return call->count;                                                                        \
    }
DOUBLES(round_f64, double, round(x))
DOUBLES(ceil_f64, double, ceil(x))
DOUBLES(floor_f64, double, floor(x))
DOUBLES(trunc_f64, double, trunc(x))
DOUBLES(abs_f64, double, fabs(x))
DOUBLES(round_f32, float, roundf(x))
DOUBLES(ceil_f32, float, ceilf(x))
DOUBLES(floor_f32, float, floorf(x))
DOUBLES(trunc_f32, float, truncf(x))
DOUBLES(abs_f32, float, fabsf(x))
DOUBLES(same_i64, int64_t, x)
DOUBLES(same_i32, int32_t, x)

// At `places` digits behind the point. What has no digits there stays as it is.
static double at_places(double value, int64_t places, double (*to_whole)(double)) {
    if (!isfinite(value) || places > 323) {
        return value;
    }
    if (places < -308) {
        return copysign(0.0, value);
    }
    if (places >= 0) {
        const double factor = pow(10.0, (double)places);
        const double scaled = value * factor;
        const double whole = to_whole(scaled);
        return isfinite(scaled) && fabs(scaled) < 9007199254740992.0 ? whole / factor : value;
    }
    const double factor = pow(10.0, (double)-places);
    const double made = to_whole(value / factor) * factor;
    return isfinite(made) ? made : value;
}

static uint32_t round_f64_places(function_call *call, const column *const *args, column *out) {
    const f64_rows values = f64_rows_of(args[0]);
    const i64_rows places = i64_rows_of(args[1]);
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, double)
        [row] = at_places(f64_at(values, row), i64_at(places, row), round);
    }
    return call->count;
}

static uint32_t trunc_f64_places(function_call *call, const column *const *args, column *out) {
    const f64_rows values = f64_rows_of(args[0]);
    const i64_rows places = i64_rows_of(args[1]);
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, double)
        [row] = at_places(f64_at(values, row), i64_at(places, row), trunc);
    }
    return call->count;
}

// ---- Integers -----------------------------------------------------------------------------------

static bool integer_at_places(int64_t value, int64_t places, rounding how, int64_t *out) {
    if (places >= 0) {
        *out = value;
        return true;
    }
    if (places < -19) {
        *out = 0;
        return true;
    }
    const i128 factor = i128_power_of_ten[-places];
    const i128 rounded = divide(value, factor, how) * factor;
    *out = (int64_t)(rounded < INT64_MIN || rounded > INT64_MAX ? 0 : rounded);
    return rounded >= INT64_MIN && rounded <= INT64_MAX;
}

static uint32_t round_integers(function_call *call, const column *const *args, rounding how,
                               column *out) {
    const i64_rows values = i64_rows_of(args[0]);
    const i64_rows places = i64_rows_of(args[1]);
    FOR_ROWS(call, row) {
        if (!integer_at_places(i64_at(values, row), i64_at(places, row), how,
                               &COLUMN_OUT(out, int64_t)[row])) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

static uint32_t round_i64_places(function_call *call, const column *const *args, column *out) {
    return round_integers(call, args, ROUND_HALF, out);
}

static uint32_t trunc_i64_places(function_call *call, const column *const *args, column *out) {
    return round_integers(call, args, ROUND_CUT, out);
}

// ---- Functions ----------------------------------------------------------------------------------

static void explain_range(const function_call *call, const column *const *args, uint32_t row,
                          firn_error *err) {
    (void)args;
    (void)row;
    err_set_sql(err, FIRN_INVALID, "22003", NO_POSITION, "the result is out of range for %.*s",
                TEXT_ARGS(type_text(call->result, call->scratch)));
}

#define FLAGS (FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY | FUNCTION_MONOTONE | FUNCTION_CAN_FAIL)
#define SAFE(signature_, kernel_)                                                                  \
    {.signature = signature_, .kernel = kernel_, .flags_cleared = FUNCTION_CAN_FAIL}
#define OF_WHOLES SAFE("INTEGER <- INTEGER", same_i32), SAFE("BIGINT <- BIGINT", same_i64)
#define OF_DECIMALS(kernel_)                                                                       \
    {.signature = "? <- DECIMAL(p,s)",                                                             \
     .kernel = kernel_,                                                                            \
     .bind = bind_places,                                                                          \
     .cannot_fail = has_room}
#define OF_DECIMALS_AND_PLACES(kernel_)                                                            \
    {.signature = "? <- DECIMAL(p,s), BIGINT",                                                     \
     .kernel = kernel_,                                                                            \
     .bind = bind_places,                                                                          \
     .cannot_fail = has_room}

const scalar_function function_round = {
    .name = "round",
    .category = "math",
    .summary = "the nearest number with some digits behind the point, a half "
               "away from zero",
    .examples = (const char *const[]){"round(2.5)",
                                      "3",
                                      "round(-2.5)",
                                      "-3",
                                      "round(1.005, 2)",
                                      "1.01",
                                      "round(2.5::DOUBLE)",
                                      "3.0",
                                      "round(1234.567::DOUBLE, -2)",
                                      "1200.0",
                                      "round(42.4382, 2)",
                                      "42.44",
                                      "round(0.15::DOUBLE, 1)",
                                      "0.2",
                                      "round(155, -1)",
                                      "160",
                                      "round(NULL)",
                                      "NULL",
                                      "round(1.5, NULL)",
                                      "NULL",
                                      "round(9.99, 1)",
                                      "10.0",
                                      "round(1e300, 5)",
                                      "1e+300",
                                      "round(9223372036854775807, -1)",
                                      "error: out of range",
                                      "round(1.55, 9)",
                                      "1.55",
                                      "round('x'::VARCHAR)",
                                      "error: no \"round\" takes",
                                      NULL},
    .flags = FLAGS,
    .overloads =
        (const overload[]){
            SAFE("DOUBLE <- DOUBLE", round_f64),
            SAFE("REAL <- REAL", round_f32),
            OF_DECIMALS(round_decimal_half),
            OF_WHOLES,
            SAFE("DOUBLE <- DOUBLE, BIGINT", round_f64_places),
            OF_DECIMALS_AND_PLACES(round_decimal_half),
            {.signature = "BIGINT <- BIGINT, BIGINT", .kernel = round_i64_places},
            {0},
        },
    .explain_failure = explain_range,
};

const scalar_function function_trunc = {
    .name = "trunc",
    .aliases = "truncate",
    .category = "math",
    .summary = "the number without the digits behind some place, cut toward zero",
    .examples =
        (const char *const[]){"trunc(2.7)", "2", "trunc(-2.7)", "-2", "trunc(42.4382, 2)", "42.43",
                              "trunc(-1.5::DOUBLE)", "-1.0", "trunc(1299.9::DOUBLE, -2)", "1200.0",
                              "trunc(159, -1)", "150", "trunc(NULL)", "NULL", "trunc(0.0)", "0",
                              "trunc(true)", "error: no \"trunc\" takes", NULL},
    .flags = FLAGS,
    .overloads =
        (const overload[]){
            SAFE("DOUBLE <- DOUBLE", trunc_f64),
            SAFE("REAL <- REAL", trunc_f32),
            OF_DECIMALS(round_decimal_cut),
            OF_WHOLES,
            SAFE("DOUBLE <- DOUBLE, BIGINT", trunc_f64_places),
            OF_DECIMALS_AND_PLACES(round_decimal_cut),
            {.signature = "BIGINT <- BIGINT, BIGINT", .kernel = trunc_i64_places},
            {0},
        },
    .explain_failure = explain_range,
};

const scalar_function function_ceil = {
    .name = "ceil",
    .aliases = "ceiling",
    .category = "math",
    .summary = "the lowest whole number not below the argument",
    .examples = (const char *const[]){"ceil(1.2)", "2", "ceil(-1.8)", "-1", "ceil(1.5::DOUBLE)",
                                      "2.0", "ceil(9.99)", "10", "ceil(7)", "7", "ceil(NULL)",
                                      "NULL", "ceil('NaN'::DOUBLE)", "NaN", "ceil(true)",
                                      "error: no \"ceil\" takes", NULL},
    .flags = FLAGS,
    .overloads =
        (const overload[]){
            SAFE("DOUBLE <- DOUBLE", ceil_f64),
            SAFE("REAL <- REAL", ceil_f32),
            OF_DECIMALS(round_decimal_up),
            OF_WHOLES,
            {0},
        },
    .explain_failure = explain_range,
};

const scalar_function function_floor = {
    .name = "floor",
    .category = "math",
    .summary = "the highest whole number not above the argument",
    .examples =
        (const char *const[]){"floor(1.8)", "1", "floor(-1.2)", "-2", "floor(-0.5::DOUBLE)", "-1.0",
                              "floor(7)", "7", "floor(NULL)", "NULL", "floor('-inf'::DOUBLE)",
                              "-inf", "floor(true)", "error: no \"floor\" takes", NULL},
    .flags = FLAGS,
    .overloads =
        (const overload[]){
            SAFE("DOUBLE <- DOUBLE", floor_f64),
            SAFE("REAL <- REAL", floor_f32),
            OF_DECIMALS(round_decimal_down),
            OF_WHOLES,
            {0},
        },
    .explain_failure = explain_range,
};

// ---- abs, sign ----------------------------------------------------------------------------------

#define ABSOLUTE(word, c_type, lowest)                                                             \
    static uint32_t word(function_call *call, const column *const *args, column *out) {            \
        const c_type *values = args[0]->values;                                                    \
        const uint32_t mask = column_mask(args[0]);                                                \
        FOR_ROWS(call, row) {                                                                      \
            const c_type x = values[row & mask];                                                   \
            if (x == (lowest)) {                                                                   \
                return ROW_VISIT(row);                                                             \
            }                                                                                      \
            COLUMN_OUT(out, c_type)[row] = (c_type)(x < 0 ? -x : x);                               \
        }                                                                                          \
        return call->count;                                                                        \
    }
ABSOLUTE(abs_i8, int8_t, INT8_MIN)
ABSOLUTE(abs_i16, int16_t, INT16_MIN)
ABSOLUTE(abs_i32, int32_t, INT32_MIN)
ABSOLUTE(abs_i64, int64_t, INT64_MIN)

// Decimals are symmetric; lanes of NULL rows hold anything.
#define MAGNITUDES(c_type)                                                                         \
    do {                                                                                           \
        const c_type *values = args[0]->values;                                                    \
        c_type *to = COLUMN_OUT(out, c_type);                                                      \
        FOR_ROWS(call, row) {                                                                      \
            const c_type x = values[row & mask];                                                   \
            c_type negative;                                                                       \
            (void)__builtin_sub_overflow((c_type)0, x, &negative);                                 \
            to[row] = x < 0 ? negative : x;                                                        \
        }                                                                                          \
    } while (0)

static void abs_wide(const function_call *call, const column *from, column *out) {
    const uint32_t mask = column_mask(from);
    FOR_ROWS(call, row) {
        i256 value = COLUMN_VALUES(from, i256)[row & mask];
        if (i256_is_negative(value)) {
            (void)i256_neg_fits(value, &value);
        }
        COLUMN_OUT(out, i256)[row] = value;
    }
}

static uint32_t abs_decimal(function_call *call, const column *const *args, column *out) {
    const uint32_t mask = column_mask(args[0]);
    switch ((int)type_physical(out->type)) {
    case PHYSICAL_I32:
        MAGNITUDES(int32_t);
        break;
    case PHYSICAL_I64:
        MAGNITUDES(int64_t);
        break;
    case PHYSICAL_I128:
        MAGNITUDES(i128);
        break;
    default:
        abs_wide(call, args[0], out);
        break;
    }
    return call->count;
}

const scalar_function function_abs = {
    .name = "abs",
    .category = "math",
    .summary = "the distance from zero",
    .examples = (const char *const[]){"abs(-3)", "3", "abs(-1.5)", "1.5", "abs(-0.0::DOUBLE)",
                                      "0.0", "abs('-inf'::DOUBLE)", "inf", "abs(NULL)", "NULL",
                                      "abs(-9223372036854775808)", "error: out of range for BIGINT",
                                      "abs(true)", "error: no \"abs\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY | FUNCTION_CAN_FAIL,
    .overloads =
        (const overload[]){
            {.signature = "INTEGER <- INTEGER", .kernel = abs_i32},
            {.signature = "BIGINT <- BIGINT", .kernel = abs_i64},
            {.signature = "SMALLINT <- SMALLINT", .kernel = abs_i16},
            {.signature = "TINYINT <- TINYINT", .kernel = abs_i8},
            SAFE("DOUBLE <- DOUBLE", abs_f64),
            SAFE("REAL <- REAL", abs_f32),
            SAFE("DECIMAL(p,s) <- DECIMAL(p,s)", abs_decimal),
            {0},
        },
    .explain_failure = explain_range,
};

static uint32_t sign_f64(function_call *call, const column *const *args, column *out) {
    const f64_rows values = f64_rows_of(args[0]);
    FOR_ROWS(call, row) {
        const double x = f64_at(values, row);
        COLUMN_OUT(out, double)[row] = isnan(x) ? x : (double)((x > 0) - (x < 0));
    }
    return call->count;
}

static uint32_t sign_i64(function_call *call, const column *const *args, column *out) {
    const i64_rows values = i64_rows_of(args[0]);
    FOR_ROWS(call, row) {
        const int64_t x = i64_at(values, row);
        COLUMN_OUT(out, int32_t)[row] = (x > 0) - (x < 0);
    }
    return call->count;
}

static uint32_t sign_decimal(function_call *call, const column *const *args, column *out) {
    const uint32_t mask = column_mask(args[0]);
    FOR_ROWS(call, row) {
        const i256 x = load_wide(args[0], row & mask);
        COLUMN_OUT(out, int32_t)
        [row] = i256_is_zero(x) ? 0 : i256_is_negative(x) ? -1 : 1;
    }
    return call->count;
}

const scalar_function function_sign = {
    .name = "sign",
    .aliases = "signum",
    .category = "math",
    .summary = "-1, 0 or 1, as the number is below, equal to or above zero",
    .examples =
        (const char *const[]){"sign(-3)", "-1", "sign(0.0)", "0", "sign(2.5)", "1",
                              "sign(-0.5::DOUBLE)", "-1.0", "sign('NaN'::DOUBLE)", "NaN",
                              "sign(NULL)", "NULL", "sign(true)", "error: no \"sign\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY | FUNCTION_MONOTONE,
    .overloads =
        (const overload[]){
            {.signature = "DOUBLE <- DOUBLE", .kernel = sign_f64},
            {.signature = "INTEGER <- BIGINT", .kernel = sign_i64},
            {.signature = "INTEGER <- DECIMAL(p,s)", .kernel = sign_decimal},
            {0},
        },
};
