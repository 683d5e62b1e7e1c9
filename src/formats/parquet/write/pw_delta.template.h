// The differences of a block of one type. Included by pw_delta.isa.c once per type, with
//     WORD      the type's word: i32, i64
//     C_TYPE    the C type, such as int32_t
//     UNSIGNED  the unsigned type of the same width, whose differences may wrap
// defined.
//
// The loops have a constant count, which compilers make vectors of; the last block of a page is
// worked on as a whole as well, with what is behind its end set to the least difference.
#define TYPED(name) ISA_JOIN(name, WORD)

WRAPS static ALWAYS_INLINE C_TYPE ISA_NAME(TYPED(least))(const C_TYPE *values, uint32_t count,
                                                         UNSIGNED *deltas) {
    for (uint32_t i = 0; i < count; i++) {
        deltas[i] = (UNSIGNED)values[i + 1] - (UNSIGNED)values[i];
    }
    C_TYPE least = (C_TYPE)deltas[0];
    for (uint32_t i = 0; i < count; i++) {
        const C_TYPE delta = (C_TYPE)deltas[i];
        least = delta < least ? delta : least;
    }
    return least;
}

WRAPS static C_TYPE ISA_NAME(TYPED(delta_block))(const C_TYPE *values, uint32_t count,
                                                 UNSIGNED *above, UNSIGNED *bits) {
    C_TYPE least;
    if (count == PW_DELTA_BLOCK) {
        least = ISA_NAME(TYPED(least))(values, PW_DELTA_BLOCK, above);
    } else {
        least = ISA_NAME(TYPED(least))(values, count, above);
        for (uint32_t i = count; i < PW_DELTA_BLOCK; i++) {
            above[i] = (UNSIGNED)least;
        }
    }
    for (uint32_t m = 0; m < PW_DELTA_MINIBLOCKS; m++) {
        UNSIGNED *part = above + (size_t)m * PW_DELTA_MINIBLOCK;
        UNSIGNED any = 0;
        for (uint32_t i = 0; i < PW_DELTA_MINIBLOCK; i++) {
            part[i] -= (UNSIGNED)least;
            any |= part[i];
        }
        bits[m] = any;
    }
    return least;
}

#undef TYPED
