// Compiled once per instruction-set level; see base/isa.h. Exports one symbol: the level's table.
#include <math.h>

#include "base/isa.h"
#include "kernels/extremes_table.h"

#define INTEGERS(NAME, word, c_type)                                                               \
    static void ISA_NAME(extremes_##word)(const void *values, size_t count, void *smallest,        \
                                          void *largest) {                                         \
        const c_type *in = values;                                                                 \
        c_type low = in[0];                                                                        \
        c_type high = in[0];                                                                       \
        for (size_t i = 1; i < count; i++) {                                                       \
            low = in[i] < low ? in[i] : low;                                                       \
            high = in[i] > high ? in[i] : high;                                                    \
        }                                                                                          \
        *(c_type *)smallest = low;                                                                 \
        *(c_type *)largest = high;                                                                 \
    }
EXTREMES_INTEGER_LIST(INTEGERS)

// Comparisons with NaN are false, so it never gets in; whether there was one is counted apart.
#define FLOATS(NAME, word, c_type)                                                                 \
    static void ISA_NAME(extremes_##word)(const void *values, size_t count, void *smallest,        \
                                          void *largest) {                                         \
        const c_type *in = values;                                                                 \
        c_type low = (c_type)INFINITY;                                                             \
        c_type high = (c_type) - INFINITY;                                                         \
        size_t nan_count = 0;                                                                      \
        for (size_t i = 0; i < count; i++) {                                                       \
            low = in[i] < low ? in[i] : low;                                                       \
            high = in[i] > high ? in[i] : high;                                                    \
            nan_count += in[i] != in[i] ? 1 : 0;                                                   \
        }                                                                                          \
        *(c_type *)smallest = nan_count == count ? (c_type)NAN : low;                              \
        *(c_type *)largest = nan_count > 0 ? (c_type)NAN : high;                                   \
    }
EXTREMES_FLOAT_LIST(FLOATS)

#define ROW(NAME, word, c_type) [PHYSICAL_##NAME] = ISA_NAME(extremes_##word),
const extremes_table ISA_NAME(extremes_table) = {
    {EXTREMES_INTEGER_LIST(ROW) EXTREMES_FLOAT_LIST(ROW)}};
