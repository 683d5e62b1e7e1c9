// Private to kernels/arithmetic*: tables by instruction-set level, and the loops of rare types.
#ifndef FIRN_KERNELS_ARITHMETIC_TABLE_H
#define FIRN_KERNELS_ARITHMETIC_TABLE_H

#include "kernels/arithmetic.h"

// Types whose loops are compiled per level: name, word, C type, its unsigned twin.
#define ARITHMETIC_VECTOR_LIST(X)                                                                  \
    X(I32, i32, int32_t, uint32_t)                                                                 \
    X(I64, i64, int64_t, uint64_t)                                                                 \
    X(F32, f32, float, float)                                                                      \
    X(F64, f64, double, double)

// Types done row by row: name, word, C type, and the divisor whose quotient may not fit: -1, or 0
// (which no division gets to) for unsigned types.
#define ARITHMETIC_SCALAR_LIST(X)                                                                  \
    X(I8, i8, int8_t, -1)                                                                          \
    X(I16, i16, int16_t, -1)                                                                       \
    X(U8, u8, uint8_t, 0)                                                                          \
    X(U16, u16, uint16_t, 0)                                                                       \
    X(U32, u32, uint32_t, 0)                                                                       \
    X(U64, u64, uint64_t, 0)                                                                       \
    X(I128, i128, i128, -1)

typedef struct arithmetic_table {
    arithmetic_kernel kernels[PHYSICAL_COUNT][ARITHMETIC_OP_COUNT];
} arithmetic_table;

extern const arithmetic_table arithmetic_table_base;
#if defined(__x86_64__)
extern const arithmetic_table arithmetic_table_v3;
extern const arithmetic_table arithmetic_table_v4;
#endif
extern const arithmetic_table arithmetic_table_scalar;

#endif
