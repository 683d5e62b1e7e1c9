// Many values into one: the inside of sum, min and max over rows of one group.
//
// Dense loops are compiled per instruction-set level; over a list of rows they are plain loops.
// Sums of integers are exact: 64 bits for up to 32-bit values, 128 bits for 64-bit ones. Sums of
// doubles are added in a fixed order that depends on the count only, not on the level.
#ifndef FIRN_KERNELS_REDUCE_H
#define FIRN_KERNELS_REDUCE_H

#include "base/isa.h"
#include "column/column.h"

// Physical types with loops: name, word, C type, type of the sum.
#define REDUCE_TYPE_LIST(X)                                                                        \
    X(I8, i8, int8_t, int64_t)                                                                     \
    X(I16, i16, int16_t, int64_t)                                                                  \
    X(I32, i32, int32_t, int64_t)                                                                  \
    X(I64, i64, int64_t, i128)                                                                     \
    X(U8, u8, uint8_t, int64_t)                                                                    \
    X(U16, u16, uint16_t, int64_t)                                                                 \
    X(U32, u32, uint32_t, int64_t)                                                                 \
    X(U64, u64, uint64_t, i128)                                                                    \
    X(F32, f32, float, double)                                                                     \
    X(F64, f64, double, double)

// reduce_sum_i32(values, rows, count): the sum of values[rows[k]] (NULL: of the first `count`), at
// most 2^31 of them. reduce_min_i32, reduce_max_i32: the lowest and highest; count is not 0. NaN is
// above every number.
#define X(NAME, word, c_type, sum_type)                                                            \
    sum_type reduce_sum_##word(const c_type *values, const uint16_t *rows, uint32_t count);        \
    c_type reduce_min_##word(const c_type *values, const uint16_t *rows, uint32_t count);          \
    c_type reduce_max_##word(const c_type *values, const uint16_t *rows, uint32_t count);
REDUCE_TYPE_LIST(X)
#undef X

#endif
