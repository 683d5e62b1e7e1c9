// Private to kernels/extremes*: the tables of the instruction-set levels.
#ifndef FIRN_KERNELS_EXTREMES_TABLE_H
#define FIRN_KERNELS_EXTREMES_TABLE_H

#include "kernels/extremes.h"

#define EXTREMES_INTEGER_LIST(X)                                                                   \
    X(I8, i8, int8_t)                                                                              \
    X(I16, i16, int16_t)                                                                           \
    X(I32, i32, int32_t)                                                                           \
    X(I64, i64, int64_t)                                                                           \
    X(U8, u8, uint8_t)                                                                             \
    X(U16, u16, uint16_t)                                                                          \
    X(U32, u32, uint32_t)                                                                          \
    X(U64, u64, uint64_t)
#define EXTREMES_FLOAT_LIST(X)                                                                     \
    X(F32, f32, float)                                                                             \
    X(F64, f64, double)

typedef struct extremes_table {
    extremes_kernel kernels[PHYSICAL_COUNT];
} extremes_table;

extern const extremes_table extremes_table_base;
#if defined(__x86_64__)
extern const extremes_table extremes_table_v3;
extern const extremes_table extremes_table_v4;
#endif

#endif
