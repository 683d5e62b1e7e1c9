// The spreading of values of one size. Included by pq_spread.isa.c once per size, with
//     WORD    the size in kernel names
//     C_TYPE  a C type of that size
// defined. Words of the bitmap are walked from the last to the first: a row is never before the
// value that moves there, so nothing is overwritten that is still to be read.
#define TYPED(name) ISA_JOIN(name, WORD)

static void ISA_NAME(TYPED(spread))(void *values, const uint64_t *validity, uint32_t row_count) {
    C_TYPE *rows = values;
    size_t left = count_bits(validity, row_count); // Values not yet moved.
    for (size_t word = (row_count + 63) / 64; word > 0; word--) {
        const size_t from = (word - 1) * 64;
        const size_t count = row_count - from < 64 ? row_count - from : 64;
        const uint64_t bits = validity[word - 1] & first_bits(count);
        const size_t present = (size_t)__builtin_popcountll(bits);
        if (left == from + present && present == count) {
            return; // Everything from here to the start is in its place.
        }
        if (present == 0) {
            memset(rows + from, 0, count * sizeof *rows);
        } else if (present == count) {
            memmove(rows + from, rows + left - count, count * sizeof *rows);
        } else {
            for (size_t i = count; i > 0; i--) {
                const size_t is_set = bits >> (i - 1) & 1;
                // Where the bit is clear the load is of a lane that is there, and is not used.
                const C_TYPE value = rows[left > 0 ? left - 1 : 0];
                rows[from + i - 1] = is_set != 0 ? value : (C_TYPE)ZERO;
                left -= is_set;
            }
            continue;
        }
        left -= present;
    }
}

#undef TYPED
#undef WORD
#undef C_TYPE
#undef ZERO
