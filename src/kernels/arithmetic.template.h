// The arithmetic loops of one type. Included by arithmetic.isa.c once per type, with
//     WORD      the type's word, such as i32
//     C_TYPE    the C type, such as int32_t
//     U_TYPE    its unsigned twin, in which sums wrap (floats: the type itself)
//     OVERFLOW  the type in which signs of overflow are gathered; negative or not 0 says so
//     IS_FLOAT  1 or 0
//     HAS_OVERFLOWED(bad)    whether the gathered signs tell of overflow
//     MULTIPLIES_FAST(call), DIVIDES_FAST(call, wants_rest)
//                            do products and quotients in a way of their own, or are false
// and the functions TYPED(value_add) … of the including file defined.
#define TYPED(name) ISA_JOIN(name, WORD)

// One row exactly: false if SQL forbids the result. `op` is a constant in every caller.
static ALWAYS_INLINE bool TYPED(exact)(arithmetic_op op, C_TYPE left, C_TYPE right, C_TYPE *out) {
    switch (op) {
#if IS_FLOAT
    case ARITHMETIC_ADD:
        *out = left + right;
        return true;
    case ARITHMETIC_SUB:
        *out = left - right;
        return true;
    case ARITHMETIC_MUL:
        *out = left * right;
        return true;
    case ARITHMETIC_DIV:
        *out = left / right;
        return true;
    case ARITHMETIC_REM:
        *out = (C_TYPE)fmod((double)left, (double)right);
        return true;
#else
    case ARITHMETIC_ADD:
        return !__builtin_add_overflow(left, right, out);
    case ARITHMETIC_SUB:
        return !__builtin_sub_overflow(left, right, out);
    case ARITHMETIC_MUL:
        return !__builtin_mul_overflow(left, right, out);
    case ARITHMETIC_DIV:
        if (right == -1) {
            return !__builtin_sub_overflow((C_TYPE)0, left, out);
        }
        *out = right == 0 ? 0 : (C_TYPE)(left / right);
        return right != 0;
    case ARITHMETIC_REM:
        *out = right == 0 || right == -1 ? 0 : (C_TYPE)(left % right);
        return right != 0;
#endif
    case ARITHMETIC_OP_COUNT:
        break;
    }
    return false;
}

// Row by row: lists, and to find the row that overflowed.
static ALWAYS_INLINE uint32_t TYPED(by_rows)(const arithmetic_call *call, arithmetic_op op) {
    const C_TYPE *left = call->left;
    const C_TYPE *right = call->right;
    C_TYPE *out = call->out;
    for (uint32_t k = 0; k < call->count; k++) {
        const uint32_t row = call->rows == NULL ? k : call->rows[k];
        C_TYPE value;
        if (!TYPED(exact)(op, left[row & call->left_mask], right[row & call->right_mask], &value)) {
            return k;
        }
        out[row] = value;
    }
    return call->count;
}

// One row without a branch; what overflowed leaves its sign in `bad`.
WRAPS static ALWAYS_INLINE C_TYPE TYPED(wrapping)(arithmetic_op op, C_TYPE left, C_TYPE right,
                                                  OVERFLOW *bad) {
#if IS_FLOAT
    C_TYPE value;
    *bad |= 0; // Nothing overflows.
    (void)TYPED(exact)(op, left, right, &value);
    return value;
#else
    if (op == ARITHMETIC_MUL) {
        return TYPED(value_mul)(left, right, bad);
    }
    const C_TYPE value = op == ARITHMETIC_ADD ? (C_TYPE)((U_TYPE)left + (U_TYPE)right)
                                              : (C_TYPE)((U_TYPE)left - (U_TYPE)right);
    // A sum overflows if both sides have a sign that it has not; a difference if the sides differ
    // and it has not the sign of the left one.
    *bad |= op == ARITHMETIC_ADD ? (OVERFLOW)((left ^ value) & (right ^ value))
                                 : (OVERFLOW)((left ^ right) & (left ^ value));
    return value;
#endif
}

static ALWAYS_INLINE OVERFLOW TYPED(all_rows)(const arithmetic_call *call, arithmetic_op op) {
    const C_TYPE *restrict left = call->left;
    const C_TYPE *restrict right = call->right;
    C_TYPE *restrict out = call->out;
    const uint32_t count = call->count;
    OVERFLOW bad = 0;
    if (call->right_mask == 0) {
        const C_TYPE constant = right[0];
        for (uint32_t i = 0; i < count; i++) {
            out[i] = TYPED(wrapping)(op, left[i], constant, &bad);
        }
    } else if (call->left_mask == 0) {
        const C_TYPE constant = left[0];
        for (uint32_t i = 0; i < count; i++) {
            out[i] = TYPED(wrapping)(op, constant, right[i], &bad);
        }
    } else {
        for (uint32_t i = 0; i < count; i++) {
            out[i] = TYPED(wrapping)(op, left[i], right[i], &bad);
        }
    }
    return bad;
}

static ALWAYS_INLINE uint32_t TYPED(vector)(const arithmetic_call *call, arithmetic_op op) {
    const bool is_plain =
        call->rows == NULL && call->count > 0 && (call->left_mask | call->right_mask) != 0;
    if (is_plain && !HAS_OVERFLOWED(TYPED(all_rows)(call, op))) {
        return call->count;
    }
    return TYPED(by_rows)(call, op);
}

static uint32_t ISA_NAME(TYPED(arithmetic_add))(const arithmetic_call *call) {
    return TYPED(vector)(call, ARITHMETIC_ADD);
}
static uint32_t ISA_NAME(TYPED(arithmetic_sub))(const arithmetic_call *call) {
    return TYPED(vector)(call, ARITHMETIC_SUB);
}
static uint32_t ISA_NAME(TYPED(arithmetic_mul))(const arithmetic_call *call) {
    return MULTIPLIES_FAST(call) ? call->count : TYPED(vector)(call, ARITHMETIC_MUL);
}
static uint32_t ISA_NAME(TYPED(arithmetic_div))(const arithmetic_call *call) {
#if IS_FLOAT
    return TYPED(vector)(call, ARITHMETIC_DIV);
#else
    return DIVIDES_FAST(call, false) ? call->count : TYPED(by_rows)(call, ARITHMETIC_DIV);
#endif
}
static uint32_t ISA_NAME(TYPED(arithmetic_rem))(const arithmetic_call *call) {
    return DIVIDES_FAST(call, true) ? call->count : TYPED(by_rows)(call, ARITHMETIC_REM);
}

#undef TYPED
#undef WORD
#undef C_TYPE
#undef U_TYPE
#undef OVERFLOW
#undef IS_FLOAT
#undef HAS_OVERFLOWED
#undef MULTIPLIES_FAST
#undef DIVIDES_FAST
