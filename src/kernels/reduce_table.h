// Private to kernels/reduce*: dense loops, by instruction-set level.
#ifndef FIRN_KERNELS_REDUCE_TABLE_H
#define FIRN_KERNELS_REDUCE_TABLE_H

#include "kernels/reduce.h"

#define X(NAME, word, c_type, sum_type)                                                            \
    sum_type (*sum_##word)(const c_type *values, uint32_t count);                                  \
    c_type (*min_##word)(const c_type *values, uint32_t count);                                    \
    c_type (*max_##word)(const c_type *values, uint32_t count);
typedef struct reduce_table_of_level {
    REDUCE_TYPE_LIST(X)
} reduce_table_of_level;
#undef X

extern const reduce_table_of_level reduce_kernels_base;
#if defined(__x86_64__)
extern const reduce_table_of_level reduce_kernels_v3;
extern const reduce_table_of_level reduce_kernels_v4;
#endif

#endif
