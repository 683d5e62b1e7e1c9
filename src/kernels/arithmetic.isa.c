// Compiled once per instruction-set level; see base/isa.h. Exports one symbol: the level's table.
#include <math.h>

#include "base/compiler.h"
#include "kernels/arithmetic.h"
#include "kernels/arithmetic_table.h"

// Products with the sign of overflow. The 64-bit product of 32-bit numbers is exact.
static ALWAYS_INLINE int32_t value_mul_i32(int32_t left, int32_t right, int64_t *bad) {
    const int64_t product = (int64_t)left * right;
    *bad |= product ^ (int64_t)(int32_t)product;
    return (int32_t)product;
}

static ALWAYS_INLINE int64_t value_mul_i64(int64_t left, int64_t right, int64_t *bad) {
    int64_t product;
    *bad |= __builtin_mul_overflow(left, right, &product) ? INT64_MIN : 0;
    return product;
}

// The exclusive or of a product that does not fit has any bits; of a sum, the sign.
#define WORD i32
#define C_TYPE int32_t
#define U_TYPE uint32_t
#define OVERFLOW int64_t
#define IS_FLOAT 0
#define HAS_OVERFLOWED(bad) ((bad) < 0 || (bad) > INT32_MAX)
#include "kernels/arithmetic.template.h"

#define WORD i64
#define C_TYPE int64_t
#define U_TYPE uint64_t
#define OVERFLOW int64_t
#define IS_FLOAT 0
#define HAS_OVERFLOWED(bad) ((bad) < 0)
#include "kernels/arithmetic.template.h"

#define WORD f32
#define C_TYPE float
#define U_TYPE float
#define OVERFLOW int
#define IS_FLOAT 1
#define HAS_OVERFLOWED(bad) ((bad) != 0)
#include "kernels/arithmetic.template.h"

#define WORD f64
#define C_TYPE double
#define U_TYPE double
#define OVERFLOW int
#define IS_FLOAT 1
#define HAS_OVERFLOWED(bad) ((bad) != 0)
#include "kernels/arithmetic.template.h"

#define ROW(NAME, word, c_type, u_type)                                                            \
    [PHYSICAL_##NAME] = {                                                                          \
        [ARITHMETIC_ADD] = ISA_NAME(arithmetic_add_##word),                                        \
        [ARITHMETIC_SUB] = ISA_NAME(arithmetic_sub_##word),                                        \
        [ARITHMETIC_MUL] = ISA_NAME(arithmetic_mul_##word),                                        \
        [ARITHMETIC_DIV] = ISA_NAME(arithmetic_div_##word),                                        \
        [ARITHMETIC_REM] = ISA_NAME(arithmetic_rem_##word),                                        \
    },
const arithmetic_table ISA_NAME(arithmetic_table) = {{ARITHMETIC_VECTOR_LIST(ROW)}};
