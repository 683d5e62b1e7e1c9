#include "kernels/arithmetic.h"

#include "kernels/arithmetic_table.h"

arithmetic_kernel arithmetic_kernel_at(isa_level level, arithmetic_op op, physical layout) {
    static const arithmetic_table *const tables[ISA_COUNT] = {
        [ISA_BASE] = &arithmetic_table_base,
#if defined(__x86_64__)
        [ISA_V3] = &arithmetic_table_v3,
        [ISA_V4] = &arithmetic_table_v4,
#endif
    };
    if (layout >= PHYSICAL_COUNT) {
        return NULL;
    }
    const arithmetic_kernel kernel = tables[level]->kernels[layout][op];
    return kernel != NULL ? kernel : arithmetic_table_scalar.kernels[layout][op];
}

arithmetic_kernel arithmetic_kernel_for(arithmetic_op op, physical layout) {
    return arithmetic_kernel_at(isa_best(), op, layout);
}

// ---- Rare types, row by row --------------------------------------------------------------------

#define FOR_CALL(c_type, expression)                                                               \
    const c_type *left_values = call->left;                                                        \
    const c_type *right_values = call->right;                                                      \
    c_type *out = call->out;                                                                       \
    for (uint32_t k = 0; k < call->count; k++) {                                                   \
        const uint32_t row = call->rows == NULL ? k : call->rows[k];                               \
        const c_type left = left_values[row & call->left_mask];                                    \
        const c_type right = right_values[row & call->right_mask];                                 \
        c_type value = 0;                                                                          \
        const bool fits = (expression);                                                            \
        if (!fits) {                                                                               \
            return k;                                                                              \
        }                                                                                          \
        out[row] = value;                                                                          \
    }                                                                                              \
    return call->count;

#define SCALAR(NAME, word, c_type, minus_one)                                                      \
    static uint32_t arithmetic_add_##word(const arithmetic_call *call) {                           \
        FOR_CALL(c_type, !__builtin_add_overflow(left, right, &value))                             \
    }                                                                                              \
    static uint32_t arithmetic_sub_##word(const arithmetic_call *call) {                           \
        FOR_CALL(c_type, !__builtin_sub_overflow(left, right, &value))                             \
    }                                                                                              \
    static uint32_t arithmetic_mul_##word(const arithmetic_call *call) {                           \
        FOR_CALL(c_type, !__builtin_mul_overflow(left, right, &value))                             \
    }                                                                                              \
    /* The one quotient that overflows is of the smallest value and -1. */                         \
    static bool div_##word(c_type left, c_type right, c_type *value) {                             \
        if (right == 0) {                                                                          \
            return false;                                                                          \
        }                                                                                          \
        if (right == (minus_one)) {                                                                \
            return !__builtin_sub_overflow((c_type)0, left, value);                                \
        }                                                                                          \
        *value = (c_type)(left / right);                                                           \
        return true;                                                                               \
    }                                                                                              \
    static bool rem_##word(c_type left, c_type right, c_type *value) {                             \
        if (right == 0) {                                                                          \
            return false;                                                                          \
        }                                                                                          \
        *value = right == (minus_one) ? 0 : (c_type)(left % right);                                \
        return true;                                                                               \
    }                                                                                              \
    static uint32_t arithmetic_div_##word(const arithmetic_call *call) {                           \
        FOR_CALL(c_type, div_##word(left, right, &value))                                          \
    }                                                                                              \
    static uint32_t arithmetic_rem_##word(const arithmetic_call *call) {                           \
        FOR_CALL(c_type, rem_##word(left, right, &value))                                          \
    }
ARITHMETIC_SCALAR_LIST(SCALAR)

#define ROW(NAME, word, c_type, minus_one)                                                         \
    [PHYSICAL_##NAME] = {                                                                          \
        [ARITHMETIC_ADD] = arithmetic_add_##word, [ARITHMETIC_SUB] = arithmetic_sub_##word,        \
        [ARITHMETIC_MUL] = arithmetic_mul_##word, [ARITHMETIC_DIV] = arithmetic_div_##word,        \
        [ARITHMETIC_REM] = arithmetic_rem_##word,                                                  \
    },
const arithmetic_table arithmetic_table_scalar = {{ARITHMETIC_SCALAR_LIST(ROW)}};

// ---- Negation --------------------------------------------------------------------------------

#define NEGATE(word, c_type)                                                                       \
    static uint32_t arithmetic_neg_##word(const arithmetic_call *call) {                           \
        const c_type *in = call->left;                                                             \
        c_type *out = call->out;                                                                   \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            const uint32_t row = call->rows == NULL ? k : call->rows[k];                           \
            c_type value;                                                                          \
            if (__builtin_sub_overflow((c_type)0, in[row & call->left_mask], &value)) {            \
                return k;                                                                          \
            }                                                                                      \
            out[row] = value;                                                                      \
        }                                                                                          \
        return call->count;                                                                        \
    }
#define NEGATE_FLOAT(word, c_type)                                                                 \
    static uint32_t arithmetic_neg_##word(const arithmetic_call *call) {                           \
        const c_type *in = call->left;                                                             \
        c_type *out = call->out;                                                                   \
        for (uint32_t k = 0; k < call->count; k++) {                                               \
            const uint32_t row = call->rows == NULL ? k : call->rows[k];                           \
            out[row] = -in[row & call->left_mask];                                                 \
        }                                                                                          \
        return call->count;                                                                        \
    }
NEGATE(i8, int8_t)
NEGATE(i16, int16_t)
NEGATE(i32, int32_t)
NEGATE(i64, int64_t)
NEGATE(u8, uint8_t)
NEGATE(u16, uint16_t)
NEGATE(u32, uint32_t)
NEGATE(u64, uint64_t)
NEGATE(i128, i128)
NEGATE_FLOAT(f32, float)
NEGATE_FLOAT(f64, double)

static uint32_t arithmetic_neg_i256(const arithmetic_call *call) {
    const i256 *in = call->left;
    i256 *out = call->out;
    for (uint32_t k = 0; k < call->count; k++) {
        const uint32_t row = call->rows == NULL ? k : call->rows[k];
        if (!i256_neg_fits(in[row & call->left_mask], &out[row])) {
            return k;
        }
    }
    return call->count;
}

arithmetic_kernel arithmetic_negate_for(physical layout) {
    static const arithmetic_kernel kernels[PHYSICAL_COUNT] = {
        [PHYSICAL_I8] = arithmetic_neg_i8,     [PHYSICAL_I16] = arithmetic_neg_i16,
        [PHYSICAL_I32] = arithmetic_neg_i32,   [PHYSICAL_I64] = arithmetic_neg_i64,
        [PHYSICAL_U8] = arithmetic_neg_u8,     [PHYSICAL_U16] = arithmetic_neg_u16,
        [PHYSICAL_U32] = arithmetic_neg_u32,   [PHYSICAL_U64] = arithmetic_neg_u64,
        [PHYSICAL_I128] = arithmetic_neg_i128, [PHYSICAL_I256] = arithmetic_neg_i256,
        [PHYSICAL_F32] = arithmetic_neg_f32,   [PHYSICAL_F64] = arithmetic_neg_f64,
    };
    return layout < PHYSICAL_COUNT ? kernels[layout] : NULL;
}
