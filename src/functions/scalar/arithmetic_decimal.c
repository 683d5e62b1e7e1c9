// Decimal arithmetic: the operands are brought to the width of the result (64, 128 or 256 bits)
// and, for sums, to its scale; then they are whole numbers. type_of_decimals says what type the
// result has.
#include "expr/cast.h"
#include "expr/expr.h"
#include "functions/scalar/arithmetic_kernels.h"
#include "kernels/arithmetic.h"
#include "kernels/decimal.h"

// ---- Result types ----------------------------------------------------------------------------

static firn_status bind(function_bind_call *call, decimal_operation operation, firn_error *err) {
    return type_of_decimals(operation, call->types[0], call->types[1], call->memory, &call->result,
                            err);
}

firn_status decimal_bind_add(function_bind_call *call, firn_error *err) {
    return bind(call, DECIMAL_ADD, err);
}

firn_status decimal_bind_multiply(function_bind_call *call, firn_error *err) {
    return bind(call, DECIMAL_MULTIPLY, err);
}

firn_status decimal_bind_divide(function_bind_call *call, firn_error *err) {
    return bind(call, DECIMAL_DIVIDE, err);
}

firn_status decimal_bind_remainder(function_bind_call *call, firn_error *err) {
    return bind(call, DECIMAL_REMAINDER, err);
}

static uint32_t whole_digits(const type *self) {
    return (uint32_t)self->precision - self->scale;
}

bool decimal_sum_has_room(const expr *call) {
    const type *left = call->call_.args.items[0]->type;
    const type *right = call->call_.args.items[1]->type;
    const uint32_t l = whole_digits(left);
    const uint32_t r = whole_digits(right);
    return (l > r ? l : r) + 1 <= whole_digits(call->type);
}

bool decimal_product_has_room(const expr *call) {
    const type *left = call->call_.args.items[0]->type;
    const type *right = call->call_.args.items[1]->type;
    return (uint32_t)left->precision + right->precision <= call->type->precision;
}

// ---- Operands --------------------------------------------------------------------------------

// An operand as whole numbers of one width and scale: lanes as in the column, or one constant.
typedef struct operand {
    const void *values;
    uint32_t mask;
} operand;

// Brings a column to a layout and scale; `*done` is the first visit that does not fit, else the
// count. False when scratch is full.
static bool prepare(function_call *call, const column *arg, physical layout, uint32_t scale,
                    operand *out, uint32_t *done) {
    const decimal_format from = decimal_format_of(arg->type);
    *out = (operand){.values = arg->values, .mask = column_mask(arg)};
    *done = call->count;
    if (from.layout == layout && from.scale == scale) {
        return true;
    }
    const bool is_constant = out->mask == 0;
    const uint32_t lanes = is_constant ? 1 : call->length;
    uint8_t *values =
        ARENA_NEW(call->scratch, uint8_t, (size_t)physical_size(layout) * (lanes + 1));
    if (values == NULL) {
        return false;
    }
    const decimal_conversion conversion = {.from = from,
                                           .to = {layout, 0, scale},
                                           .in = arg->values,
                                           .mask = UINT32_MAX,
                                           .rows = is_constant ? NULL : call->rows,
                                           .count = is_constant ? 1 : call->count};
    const uint32_t converted = decimal_convert(&conversion, values);
    if (converted < conversion.count) {
        *done = converted; // Of a constant: no row can be computed.
    }
    out->values = values;
    return true;
}

static bool prepare_both(function_call *call, const column *const *args, physical layout,
                         const uint32_t scales[2], operand out[2], uint32_t *done) {
    uint32_t counts[2];
    for (int side = 0; side < 2; side++) {
        if (!prepare(call, args[side], layout, scales[side], &out[side], &counts[side])) {
            return false;
        }
    }
    *done = counts[0] < counts[1] ? counts[0] : counts[1];
    return true;
}

// The first visit whose result has too many digits; they are looked at only where the type was
// capped: elsewhere it has room for all.
static uint32_t check_digits(const function_call *call, const column *out, uint32_t count) {
    const uint32_t precision = out->type->precision;
    FOR_ROWS(call, row) {
        if (ROW_VISIT(row) >= count) {
            break;
        }
        const bool fits = type_physical(out->type) == PHYSICAL_I128
                              ? i128_has_digits(COLUMN_VALUES(out, i128)[row], precision)
                              : i256_has_digits(COLUMN_VALUES(out, i256)[row], precision);
        if (!fits) {
            return ROW_VISIT(row);
        }
    }
    return count;
}

static bool is_capped(const type *self) {
    return self->precision == DECIMAL_PRECISION_I128 || self->precision == DECIMAL_PRECISION_MAX;
}

// ---- 256 bits --------------------------------------------------------------------------------

static bool wide_exact(arithmetic_op op, i256 left, i256 right, i256 *out) {
    i256 quotient;
    switch (op) {
    case ARITHMETIC_ADD:
        return i256_add_fits(left, right, out);
    case ARITHMETIC_SUB:
        return i256_sub_fits(left, right, out);
    case ARITHMETIC_MUL:
        return i256_mul_fits(left, right, out);
    case ARITHMETIC_REM:
        return i256_divide_fits(left, right, &quotient, out);
    case ARITHMETIC_DIV:
    case ARITHMETIC_OP_COUNT:
        break;
    }
    return false;
}

static uint32_t run_wide(function_call *call, arithmetic_op op, const operand sides[2],
                         uint32_t count, column *out) {
    const i256 *left = sides[0].values;
    const i256 *right = sides[1].values;
    FOR_ROWS(call, row) {
        if (ROW_VISIT(row) >= count ||
            !wide_exact(op, left[row & sides[0].mask], right[row & sides[1].mask],
                        &COLUMN_OUT(out, i256)[row])) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

// ---- Sums, products, remainders ----------------------------------------------------------------

// Runs whole numbers of one width into `values`; `count` visits at most.
static uint32_t run_whole(function_call *call, arithmetic_op op, physical layout,
                          const operand sides[2], uint32_t count, void *values) {
    const arithmetic_call whole = {.left = sides[0].values,
                                   .right = sides[1].values,
                                   .left_mask = sides[0].mask,
                                   .right_mask = sides[1].mask,
                                   .rows = call->rows,
                                   .count = count,
                                   .out = values};
    return arithmetic_kernel_for(op, layout)(&whole);
}

// A result of 32 bits: computed in 64 and stored. It has room.
static uint32_t run_small(function_call *call, arithmetic_op op, const operand sides[2],
                          uint32_t count, column *out) {
    int64_t *values = ARENA_NEW(call->scratch, int64_t, call->length + 1);
    if (values == NULL) {
        return KERNEL_NO_MEMORY;
    }
    const uint32_t done = run_whole(call, op, PHYSICAL_I64, sides, count, values);
    const decimal_conversion conversion = {.from = {PHYSICAL_I64, 0, 0},
                                           .to = {PHYSICAL_I32, 0, 0},
                                           .in = values,
                                           .mask = UINT32_MAX,
                                           .rows = call->rows,
                                           .count = done};
    return decimal_convert(&conversion, COLUMN_OUT(out, void));
}

// Products of two 64-bit numbers in 128 bits cannot overflow.
static uint32_t run_products(function_call *call, const operand sides[2], column *out) {
    const int64_t *left = sides[0].values;
    const int64_t *right = sides[1].values;
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, i128)[row] = (i128)left[row & sides[0].mask] * right[row & sides[1].mask];
    }
    return call->count;
}

static bool is_short(const column *arg) {
    const physical layout = type_physical(arg->type);
    return layout == PHYSICAL_I32 || layout == PHYSICAL_I64;
}

static uint32_t compute(function_call *call, const column *const *args, arithmetic_op op,
                        column *out) {
    const physical result = type_physical(out->type);
    const bool is_product = op == ARITHMETIC_MUL;
    const bool has_short_factors =
        is_product && result == PHYSICAL_I128 && is_short(args[0]) && is_short(args[1]);
    const physical layout = result == PHYSICAL_I32 || has_short_factors ? PHYSICAL_I64 : result;
    const uint32_t scales[2] = {is_product ? args[0]->type->scale : out->type->scale,
                                is_product ? args[1]->type->scale : out->type->scale};
    operand sides[2];
    uint32_t count;
    if (!prepare_both(call, args, layout, scales, sides, &count)) {
        return KERNEL_NO_MEMORY;
    }
    if (has_short_factors) {
        count = run_products(call, sides, out);
    } else if (result == PHYSICAL_I32) {
        count = run_small(call, op, sides, count, out);
    } else if (result == PHYSICAL_I256) {
        count = run_wide(call, op, sides, count, out);
    } else {
        const uint32_t done = run_whole(call, op, layout, sides, count, COLUMN_OUT(out, void));
        count = done < count ? done : count;
    }
    return is_capped(out->type) && count != KERNEL_NO_MEMORY ? check_digits(call, out, count)
                                                             : count;
}

uint32_t decimal_add(function_call *call, const column *const *args, column *out) {
    return compute(call, args, ARITHMETIC_ADD, out);
}

uint32_t decimal_subtract(function_call *call, const column *const *args, column *out) {
    return compute(call, args, ARITHMETIC_SUB, out);
}

uint32_t decimal_multiply(function_call *call, const column *const *args, column *out) {
    return compute(call, args, ARITHMETIC_MUL, out);
}

// The operands' common scale may need more width than the remainder: 256 bits then.
uint32_t decimal_remainder(function_call *call, const column *const *args, column *out) {
    const uint32_t scale = out->type->scale;
    uint32_t digits = 0;
    for (int side = 0; side < 2; side++) {
        const uint32_t own = whole_digits(args[side]->type) + scale;
        digits = own > digits ? own : digits;
    }
    const physical layout = digits <= DECIMAL64_DIGITS_MAX    ? PHYSICAL_I64
                            : digits <= DECIMAL128_DIGITS_MAX ? PHYSICAL_I128
                                                              : PHYSICAL_I256;
    const uint32_t scales[2] = {scale, scale};
    operand sides[2];
    uint32_t count;
    column wide = {.form = FORM_FLAT, .length = call->length};
    if (!prepare_both(call, args, layout, scales, sides, &count)) {
        return KERNEL_NO_MEMORY;
    }
    uint8_t *values =
        ARENA_NEW(call->scratch, uint8_t, (size_t)physical_size(layout) * (call->length + 1));
    if (values == NULL) {
        return KERNEL_NO_MEMORY;
    }
    wide.values = values;
    count = layout == PHYSICAL_I256 ? run_wide(call, ARITHMETIC_REM, sides, count, &wide)
                                    : run_whole(call, ARITHMETIC_REM, layout, sides, count, values);
    const decimal_conversion conversion = {.from = {layout, 0, scale},
                                           .to = decimal_format_of(out->type),
                                           .in = values,
                                           .mask = UINT32_MAX,
                                           .rows = call->rows,
                                           .count = count};
    return decimal_convert(&conversion, COLUMN_OUT(out, void));
}

// ---- Quotients -------------------------------------------------------------------------------

// left * 10^shift / right, rounded a half away from zero, of at most 38 digits.
static bool quotient_of(i128 left, i128 right, uint32_t shift, i128 *out) {
    i128 scaled;
    if (shift <= DECIMAL128_DIGITS_MAX && i128_mul_fits(left, i128_power_of_ten[shift], &scaled)) {
        *out = i128_divide_round(scaled, right);
        return true;
    }
    i256 wide;
    return i256_mul_fits(i256_from_i128(left), i256_power_of_ten[shift], &wide) &&
           i256_divide_round_fits(wide, i256_from_i128(right), &wide) &&
           i256_to_i128_fits(wide, out);
}

static uint32_t divide_i128(function_call *call, const operand sides[2], uint32_t shift,
                            column *out) {
    const i128 *left = sides[0].values;
    const i128 *right = sides[1].values;
    const uint32_t precision = out->type->precision;
    FOR_ROWS(call, row) {
        const i128 divisor = right[row & sides[1].mask];
        i128 quotient;
        if (divisor == 0 || !quotient_of(left[row & sides[0].mask], divisor, shift, &quotient) ||
            !i128_has_digits(quotient, precision)) {
            return ROW_VISIT(row);
        }
        COLUMN_OUT(out, i128)[row] = quotient;
    }
    return call->count;
}

static uint32_t divide_i256(function_call *call, const operand sides[2], uint32_t shift,
                            column *out) {
    const i256 *left = sides[0].values;
    const i256 *right = sides[1].values;
    const uint32_t precision = out->type->precision;
    FOR_ROWS(call, row) {
        i256 quotient;
        if (!i256_quotient_round_fits(left[row & sides[0].mask], shift, right[row & sides[1].mask],
                                      &quotient) ||
            !i256_has_digits(quotient, precision)) {
            return ROW_VISIT(row);
        }
        COLUMN_OUT(out, i256)[row] = quotient;
    }
    return call->count;
}

uint32_t decimal_divide(function_call *call, const column *const *args, column *out) {
    const physical layout = type_physical(out->type);
    const uint32_t scales[2] = {args[0]->type->scale, args[1]->type->scale};
    // The result's scale is the left one's at least, so this is no less than the right one's.
    const uint32_t shift = (uint32_t)out->type->scale + scales[1] - scales[0];
    operand sides[2];
    uint32_t count;
    if (!prepare_both(call, args, layout, scales, sides, &count)) {
        return KERNEL_NO_MEMORY;
    }
    assert(count == call->count && shift <= 2 * DECIMAL_PRECISION_MAX);
    return layout == PHYSICAL_I128 ? divide_i128(call, sides, shift, out)
                                   : divide_i256(call, sides, shift, out);
}

// ---- Integers of 64 bits, one without sign -----------------------------------------------------

uint32_t unsigned_by_signed(function_call *call, const column *const *args, column *out) {
    const uint64_t *left = args[0]->values;
    const int64_t *right = args[1]->values;
    FOR_ROWS(call, row) {
        const int64_t divisor = right[row & column_mask(args[1])];
        if (divisor == 0) {
            return ROW_VISIT(row);
        }
        COLUMN_OUT(out, i128)[row] = (i128)left[row & column_mask(args[0])] / divisor;
    }
    return call->count;
}

uint32_t signed_by_unsigned(function_call *call, const column *const *args, column *out) {
    const int64_t *left = args[0]->values;
    const uint64_t *right = args[1]->values;
    FOR_ROWS(call, row) {
        const uint64_t divisor = right[row & column_mask(args[1])];
        if (divisor == 0) {
            return ROW_VISIT(row);
        }
        COLUMN_OUT(out, i128)[row] = left[row & column_mask(args[0])] / (i128)divisor;
    }
    return call->count;
}
