// Private to kernels/widen*: the tables of the instruction-set levels.
#ifndef FIRN_KERNELS_WIDEN_TABLE_H
#define FIRN_KERNELS_WIDEN_TABLE_H

#include "kernels/widen.h"

// From, its word and C type, to, its word and C type.
#define WIDEN_LIST(X)                                                                              \
    X(I8, i8, int8_t, I64, i64, int64_t)                                                           \
    X(I16, i16, int16_t, I64, i64, int64_t)                                                        \
    X(I32, i32, int32_t, I64, i64, int64_t)                                                        \
    X(U8, u8, uint8_t, I64, i64, int64_t)                                                          \
    X(U16, u16, uint16_t, I64, i64, int64_t)                                                       \
    X(U32, u32, uint32_t, I64, i64, int64_t)                                                       \
    X(I8, i8, int8_t, F64, f64, double)                                                            \
    X(I16, i16, int16_t, F64, f64, double)                                                         \
    X(I32, i32, int32_t, F64, f64, double)                                                         \
    X(U8, u8, uint8_t, F64, f64, double)                                                           \
    X(U16, u16, uint16_t, F64, f64, double)                                                        \
    X(U32, u32, uint32_t, F64, f64, double)                                                        \
    X(I64, i64, int64_t, F64, f64, double)                                                         \
    X(F32, f32, float, F64, f64, double)

typedef struct widen_table {
    widen_kernel to_i64[PHYSICAL_COUNT];
    widen_kernel to_f64[PHYSICAL_COUNT];
    bool (*decimals)(const int64_t *in, size_t count, double power, double *out);
} widen_table;

extern const widen_table widen_table_base;
#if defined(__x86_64__)
extern const widen_table widen_table_v3;
extern const widen_table widen_table_v4;
#endif

#endif
