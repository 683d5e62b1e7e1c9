// Casts between numbers: integers, decimals, floats, BOOLEAN.
//
//   integer, decimal → integer, decimal   exact, or rounded a half away from zero (kernels/decimal)
//   float → integer                       rounds a half to even; NaN and what is too large fail
//   float → decimal                       through the shortest text of the float
//   → float                               the nearest one
#include <math.h>

#include "base/half.h"
#include "base/number_text.h"
#include "expr/cast_private.h"
#include "kernels/decimal.h"
#include "kernels/widen.h"

// ---- Whole numbers ---------------------------------------------------------------------------

static uint32_t exact_to_exact(function_call *call, const column *const *args, column *out) {
    const decimal_conversion conversion = {.from = decimal_format_of(args[0]->type),
                                           .to = decimal_format_of(call->result),
                                           .in = args[0]->values,
                                           .mask = column_mask(args[0]),
                                           .rows = call->rows,
                                           .count = call->count};
    return decimal_convert(&conversion, COLUMN_OUT(out, void));
}

// ---- To floats -------------------------------------------------------------------------------

// False if a number becomes infinite.
static bool store_float(const type *to, column *out, uint32_t row, double value) {
    switch ((int)to->id) {
    case TYPE_FLOAT16: {
        const uint16_t half = half_of_float((float)value);
        COLUMN_OUT(out, uint16_t)[row] = half;
        return !isinf(half_to_float(half)) || isinf(value);
    }
    case TYPE_REAL:
        COLUMN_OUT(out, float)[row] = (float)value;
        return !isinf((float)value) || isinf(value);
    default:
        COLUMN_OUT(out, double)[row] = value;
        return true;
    }
}

#define FROM_INTEGER(NAME, c_type)                                                                 \
    case PHYSICAL_##NAME: {                                                                        \
        const c_type *in = args[0]->values;                                                        \
        FOR_ROWS(call, row) {                                                                      \
            if (!store_float(call->result, out, row, (double)in[row & mask])) {                    \
                return ROW_VISIT(row);                                                             \
            }                                                                                      \
        }                                                                                          \
        break;                                                                                     \
    }

// A whole column to DOUBLE, if there is a loop for it.
static bool widens(const function_call *call, const column *arg, column *out) {
    if (call->rows != NULL || arg->form != FORM_FLAT || call->result->id != TYPE_DOUBLE) {
        return false;
    }
    const widen_kernel kernel = widen_kernel_for(type_physical(arg->type), PHYSICAL_F64);
    if (kernel != NULL) {
        kernel(arg->values, call->count, COLUMN_OUT(out, void));
    }
    return kernel != NULL;
}

static uint32_t integer_to_float(function_call *call, const column *const *args, column *out) {
    const uint32_t mask = column_mask(args[0]);
    if (widens(call, args[0], out)) {
        return call->count;
    }
    switch ((int)type_physical(args[0]->type)) {
        FROM_INTEGER(I8, int8_t)
        FROM_INTEGER(I16, int16_t)
        FROM_INTEGER(I32, int32_t)
        FROM_INTEGER(I64, int64_t)
        FROM_INTEGER(U8, uint8_t)
        FROM_INTEGER(U16, uint16_t)
        FROM_INTEGER(U32, uint32_t)
        FROM_INTEGER(U64, uint64_t)
    default:
        assert(false);
    }
    return call->count;
}

// Below 2^53 and for powers of ten up to 10^22 both are exact doubles: one division rounds right.
#define EXACT_DOUBLE (INT64_C(1) << 53)
#define EXACT_POWER_MAX 22
static const double exact_powers[EXACT_POWER_MAX + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static double double_of_decimal(i128 value, uint32_t scale) {
    if (value > -EXACT_DOUBLE && value < EXACT_DOUBLE && scale <= EXACT_POWER_MAX) {
        return (double)(int64_t)value / exact_powers[scale];
    }
    return number_decimal128_to_f64(value, scale);
}

static double decimal_at(const column *values, uint32_t lane) {
    const uint32_t scale = values->type->scale;
    switch ((int)type_physical(values->type)) {
    case PHYSICAL_I32:
        return double_of_decimal(COLUMN_VALUES(values, int32_t)[lane], scale);
    case PHYSICAL_I64:
        return double_of_decimal(COLUMN_VALUES(values, int64_t)[lane], scale);
    case PHYSICAL_I128:
        return double_of_decimal(COLUMN_VALUES(values, i128)[lane], scale);
    default:
        return number_decimal256_to_f64(COLUMN_VALUES(values, i256)[lane], scale);
    }
}

static uint32_t decimal_to_float(function_call *call, const column *const *args, column *out) {
    const uint32_t mask = column_mask(args[0]);
    const bool is_whole = call->rows == NULL && mask != 0 && call->result->id == TYPE_DOUBLE;
    if (is_whole && type_physical(args[0]->type) == PHYSICAL_I64 &&
        widen_decimals(args[0]->values, call->count, exact_powers[args[0]->type->scale],
                       COLUMN_OUT(out, double))) {
        return call->count;
    }
    FOR_ROWS(call, row) {
        if (!store_float(call->result, out, row, decimal_at(args[0], row & mask))) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

// ---- From floats -----------------------------------------------------------------------------

static double float_at(const column *values, uint32_t lane) {
    switch ((int)values->type->id) {
    case TYPE_FLOAT16:
        return (double)half_to_float(COLUMN_VALUES(values, uint16_t)[lane]);
    case TYPE_REAL:
        return (double)COLUMN_VALUES(values, float)[lane];
    default:
        return COLUMN_VALUES(values, double)[lane];
    }
}

static uint32_t float_to_float(function_call *call, const column *const *args, column *out) {
    const uint32_t mask = column_mask(args[0]);
    if (args[0]->type->id == TYPE_REAL && widens(call, args[0], out)) {
        return call->count;
    }
    FOR_ROWS(call, row) {
        if (!store_float(call->result, out, row, float_at(args[0], row & mask))) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

// 2^(bits - 1) or 2^bits: the first double that is too large; exact for all types.
#define TO_INTEGER(NAME, c_type, low, end)                                                         \
    case PHYSICAL_##NAME:                                                                          \
        FOR_ROWS(call, row) {                                                                      \
            const double value = nearbyint(float_at(args[0], row & mask));                         \
            if (!(value >= (low) && value < (end))) {                                              \
                return ROW_VISIT(row);                                                             \
            }                                                                                      \
            COLUMN_OUT(out, c_type)[row] = (c_type)value;                                          \
        }                                                                                          \
        break;

static uint32_t float_to_integer(function_call *call, const column *const *args, column *out) {
    const uint32_t mask = column_mask(args[0]);
    switch ((int)type_physical(call->result)) {
        TO_INTEGER(I8, int8_t, -0x1p7, 0x1p7)
        TO_INTEGER(I16, int16_t, -0x1p15, 0x1p15)
        TO_INTEGER(I32, int32_t, -0x1p31, 0x1p31)
        TO_INTEGER(I64, int64_t, -0x1p63, 0x1p63)
        TO_INTEGER(U8, uint8_t, 0.0, 0x1p8)
        TO_INTEGER(U16, uint16_t, 0.0, 0x1p16)
        TO_INTEGER(U32, uint32_t, 0.0, 0x1p32)
        TO_INTEGER(U64, uint64_t, 0.0, 0x1p64)
    default:
        assert(false);
    }
    return call->count;
}

static number_answer wide_of_float(const column *values, uint32_t lane, const type *to, i256 *out) {
    if (to->precision <= DECIMAL128_DIGITS_MAX) {
        i128 narrow = 0;
        const number_answer answer =
            values->type->id == TYPE_DOUBLE
                ? number_decimal128_from_f64(COLUMN_VALUES(values, double)[lane], to->precision,
                                             to->scale, &narrow)
                : number_decimal128_from_f32((float)float_at(values, lane), to->precision,
                                             to->scale, &narrow);
        *out = i256_from_i128(narrow);
        return answer;
    }
    return values->type->id == TYPE_DOUBLE
               ? number_decimal256_from_f64(COLUMN_VALUES(values, double)[lane], to->precision,
                                            to->scale, out)
               : number_decimal256_from_f32((float)float_at(values, lane), to->precision, to->scale,
                                            out);
}

// Little-endian two's complement: the low bytes of a number that fits are the narrower number.
static void store_decimal(column *out, uint32_t row, const i256 *value) {
    const uint32_t width = physical_size(type_physical(out->type));
    memcpy(COLUMN_OUT(out, uint8_t) + (size_t)row * width, value, width);
}

static uint32_t float_to_decimal(function_call *call, const column *const *args, column *out) {
    const uint32_t mask = column_mask(args[0]);
    FOR_ROWS(call, row) {
        i256 value;
        if (wide_of_float(args[0], row & mask, call->result, &value) != NUMBER_OK) {
            return ROW_VISIT(row);
        }
        store_decimal(out, row, &value);
    }
    return call->count;
}

// ---- BOOLEAN ---------------------------------------------------------------------------------

static uint32_t boolean_to_number(function_call *call, const column *const *args, column *out) {
    const uint32_t mask = column_mask(args[0]);
    const uint64_t *bits = args[0]->values;
    const type *to = call->result;
    const uint32_t width = physical_size(type_physical(to));
    i256 one = i256_from_i64(1);
    if (to->id == TYPE_DECIMAL &&
        !i256_rescale_fits(one, 0, to->scale, &one)) { // At most 10^76: it fits.
        return 0;
    }
    const bool is_float = type_category_of(to) == CATEGORY_FLOAT;
    const bool has_room = to->id != TYPE_DECIMAL || to->precision > to->scale;
    FOR_ROWS(call, row) {
        const bool value = bitmap_get(bits, row & mask);
        if (is_float) {
            (void)store_float(to, out, row, value ? 1.0 : 0.0);
            continue;
        }
        if (value && !has_room) {
            return ROW_VISIT(row);
        }
        const i256 number = value ? one : I256_ZERO;
        memcpy(COLUMN_OUT(out, uint8_t) + (size_t)row * width, &number, width);
    }
    return call->count;
}

static bool is_zero(const column *values, uint32_t lane) {
    if (type_category_of(values->type) == CATEGORY_FLOAT) {
        return float_at(values, lane) == 0.0;
    }
    static const uint8_t zeros[sizeof(i256)] = {0};
    const uint32_t width = physical_size(type_physical(values->type));
    return memcmp((const uint8_t *)values->values + (size_t)lane * width, zeros, width) == 0;
}

static uint32_t number_to_boolean(function_call *call, const column *const *args, column *out) {
    const uint32_t mask = column_mask(args[0]);
    FOR_ROWS(call, row) {
        bitmap_put(COLUMN_OUT(out, uint64_t), row, !is_zero(args[0], row & mask));
    }
    return call->count;
}

scalar_kernel cast_number_kernel(const type *from, const type *to) {
    const type_category source = type_category_of(from);
    const type_category target = type_category_of(to);
    if (source == CATEGORY_BOOLEAN) {
        return boolean_to_number;
    }
    if (target == CATEGORY_BOOLEAN) {
        return number_to_boolean;
    }
    if (source == CATEGORY_FLOAT) {
        return target == CATEGORY_FLOAT     ? float_to_float
               : target == CATEGORY_INTEGER ? float_to_integer
                                            : float_to_decimal;
    }
    if (target == CATEGORY_FLOAT) {
        return source == CATEGORY_INTEGER ? integer_to_float : decimal_to_float;
    }
    return exact_to_exact;
}
