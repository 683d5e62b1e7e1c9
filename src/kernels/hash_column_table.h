// Private to kernels/hash_column*: loops over flat values without NULLs, by instruction-set level.
#ifndef FIRN_KERNELS_HASH_COLUMN_TABLE_H
#define FIRN_KERNELS_HASH_COLUMN_TABLE_H

#include "kernels/hash_column.h"

// Physical types with a loop of numbers: name, word, C type.
#define HASH_TYPE_LIST(X)                                                                          \
    PHYSICAL_INTEGER_LIST(X)                                                                       \
    X(F32, f32, float)                                                                             \
    X(F64, f64, double)                                                                            \
    X(I128, i128, i128)

typedef void (*hash_kernel)(const void *values, size_t count, bool combines, uint64_t *out);

typedef struct hash_table_of_level {
    hash_kernel kernels[PHYSICAL_COUNT];
} hash_table_of_level;

extern const hash_table_of_level hash_kernels_base;
#if defined(__x86_64__)
extern const hash_table_of_level hash_kernels_v3;
extern const hash_table_of_level hash_kernels_v4;
#endif

#endif
