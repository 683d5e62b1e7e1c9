// Arithmetic of numbers that lie in memory as they are: integers of 8 to 128 bits, floats. Integers
// never wrap: the answer is the first row whose result does not fit. Floats are IEEE 754's.
//
//     / of integers truncates toward zero, % has the sign of the left side; by 0 fails.
//
// The loops over all rows have no branch on overflow: they gather the signs of it and look once. If
// there was one, the rows are done again one by one to find it. Those for 32 and 64 bits and floats
// are compiled per instruction set.
#ifndef FIRN_KERNELS_ARITHMETIC_H
#define FIRN_KERNELS_ARITHMETIC_H

#include "base/isa.h"
#include "column/column.h"

#define ARITHMETIC_OP_LIST(X)                                                                      \
    X(ADD, add)                                                                                    \
    X(SUB, sub)                                                                                    \
    X(MUL, mul)                                                                                    \
    X(DIV, div)                                                                                    \
    X(REM, rem)

#define X(name, word) ARITHMETIC_##name,
typedef enum arithmetic_op { ARITHMETIC_OP_LIST(X) ARITHMETIC_OP_COUNT } arithmetic_op;
#undef X

/// out[row] = left[row & left_mask] op right[row & right_mask], for the rows of a list or 0 to
/// count - 1. A mask is ~0 or 0; not both are 0 unless count is 1.
typedef struct arithmetic_call {
    const void *left;
    const void *right;
    uint32_t left_mask;
    uint32_t right_mask;
    const uint16_t *rows;
    uint32_t count;
    void *out;
} arithmetic_call;

/// Answers `count`, or the first visit that fails.
typedef uint32_t (*arithmetic_kernel)(const arithmetic_call *call);

/// The kernel for this machine; NULL if the type has none (F16, I256 and what is no number).
arithmetic_kernel arithmetic_kernel_for(arithmetic_op op, physical layout);
/// The same as compiled for one level.
arithmetic_kernel arithmetic_kernel_at(isa_level level, arithmetic_op op, physical layout);

/// out[row] = -left[row & left_mask]; unsigned types fail but for 0. `right` is not looked at.
arithmetic_kernel arithmetic_negate_for(physical layout);

#endif
