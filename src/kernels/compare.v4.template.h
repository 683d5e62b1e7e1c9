// The comparison kernels of one type with AVX-512. Included by compare.v4.c once per type, with
//     WORD, C_TYPE           the type's word and C type
//     VECTOR                 the vector type
//     LANES                  values in a vector
//     LOAD(at)               LANES values; LOAD_SOME(mask, at) those of the mask, else zero
//     SPREAD(value)          one value in all lanes
//     MASK_LT(l, r) …        mask bits of l < r, l <= r, l = r, as SQL orders them
// defined.
#define TYPED(name) ISA_JOIN(name, WORD)
#define PART(index)                                                                                \
    TYPED(mask_of)(op, LOAD(l + (size_t)(index) * LANES),                                          \
                   is_constant ? constant : LOAD(r + (size_t)(index) * LANES))

AVX512 static ALWAYS_INLINE uint64_t TYPED(mask_of)(compare_op op, VECTOR left, VECTOR right) {
    return op == COMPARE_LT   ? (uint64_t)MASK_LT(left, right)
           : op == COMPARE_LE ? (uint64_t)MASK_LE(left, right)
                              : (uint64_t)MASK_EQ(left, right);
}

AVX512 static ALWAYS_INLINE void TYPED(compare)(const void *values, const void *others,
                                                size_t count, uint64_t *restrict mask,
                                                compare_op op, bool is_constant) {
    if (count == 0) {
        return; // There may be no constant either.
    }
    const C_TYPE *left = values;
    const C_TYPE *right = others;
    const VECTOR constant = SPREAD(right[0]);
    const size_t words = count / 64;
    for (size_t word = 0; word < words; word++) {
        const C_TYPE *l = left + word * 64;
        const C_TYPE *r = is_constant ? right : right + word * 64;
        // Written out: gcc's -O2 does not unroll, and shifts by a constant are free.
        uint64_t bits = PART(0);
#if LANES < 64
        bits |= PART(1) << LANES;
#endif
#if LANES < 32
        bits |= PART(2) << 2 * LANES | PART(3) << 3 * LANES;
#endif
#if LANES < 16
        bits |= PART(4) << 4 * LANES | PART(5) << 5 * LANES;
        bits |= PART(6) << 6 * LANES | PART(7) << 7 * LANES;
#endif
        mask[word] = bits;
    }
    uint64_t bits = 0;
    for (size_t row = words * 64; row < count; row += LANES) {
        const size_t rest = count - row < LANES ? count - row : LANES;
        const uint64_t some = UINT64_MAX >> (64 - rest);
        const VECTOR other = is_constant ? constant : LOAD_SOME(some, right + row);
        bits |= (TYPED(mask_of)(op, LOAD_SOME(some, left + row), other) & some) << (row % 64);
    }
    if (count % 64 != 0) {
        mask[words] = bits;
    }
}

#define KERNELS(OP, op_word)                                                                       \
    AVX512 static void TYPED(compare_##op_word##_v4)(const void *left, const void *right,          \
                                                     size_t count, uint64_t *mask) {               \
        TYPED(compare)(left, right, count, mask, COMPARE_##OP, true);                              \
    }                                                                                              \
    AVX512 static void TYPED(compare_##op_word##_columns_v4)(const void *left, const void *right,  \
                                                             size_t count, uint64_t *mask) {       \
        TYPED(compare)(left, right, count, mask, COMPARE_##OP, false);                             \
    }
KERNELS(LT, lt)
KERNELS(LE, le)
KERNELS(EQ, eq)
#undef KERNELS

#undef TYPED
#undef PART
#undef WORD
#undef C_TYPE
#undef VECTOR
#undef LANES
#undef LOAD
#undef LOAD_SOME
#undef SPREAD
#undef MASK_LT
#undef MASK_LE
#undef MASK_EQ
