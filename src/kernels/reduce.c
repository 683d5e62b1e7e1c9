#include "kernels/reduce.h"

#include <assert.h>

#include "kernels/reduce_table.h"

static const reduce_table_of_level *kernels(void) {
    static const reduce_table_of_level *const tables[ISA_COUNT] = {
        [ISA_BASE] = &reduce_kernels_base,
#if defined(__x86_64__)
        [ISA_V3] = &reduce_kernels_v3,
        [ISA_V4] = &reduce_kernels_v4,
#endif
    };
    return tables[isa_best()];
}

#define SUM(word, c_type, sum_type)                                                                \
    sum_type reduce_sum_##word(const c_type *values, const uint16_t *rows, uint32_t count) {       \
        if (rows == NULL) {                                                                        \
            return kernels()->sum_##word(values, count);                                           \
        }                                                                                          \
        sum_type sum = 0;                                                                          \
        for (uint32_t k = 0; k < count; k++) {                                                     \
            sum += (sum_type)values[rows[k]];                                                      \
        }                                                                                          \
        return sum;                                                                                \
    }

// What a value must be to take the place of the best so far.
#define IS_LOWER(value, best) ((value) < (best))
#define IS_HIGHER(value, best) ((value) > (best))
#define IS_LOWER_FLOAT(value, best) ((value) < (best) || (best) != (best))
#define IS_HIGHER_FLOAT(value, best) ((value) > (best) || (value) != (value))

#define EXTREME(which, word, c_type, is_better)                                                    \
    c_type reduce_##which##_##word(const c_type *values, const uint16_t *rows, uint32_t count) {   \
        assert(count > 0);                                                                         \
        if (rows == NULL) {                                                                        \
            return kernels()->which##_##word(values, count);                                       \
        }                                                                                          \
        c_type best = values[rows[0]];                                                             \
        for (uint32_t k = 1; k < count; k++) {                                                     \
            const c_type value = values[rows[k]];                                                  \
            best = is_better(value, best) ? value : best;                                          \
        }                                                                                          \
        return best;                                                                               \
    }

#define INTEGER(word, c_type, sum_type)                                                            \
    SUM(word, c_type, sum_type)                                                                    \
    EXTREME(min, word, c_type, IS_LOWER)                                                           \
    EXTREME(max, word, c_type, IS_HIGHER)
INTEGER(i8, int8_t, int64_t)
INTEGER(i16, int16_t, int64_t)
INTEGER(i32, int32_t, int64_t)
INTEGER(i64, int64_t, i128)
INTEGER(u8, uint8_t, int64_t)
INTEGER(u16, uint16_t, int64_t)
INTEGER(u32, uint32_t, int64_t)
INTEGER(u64, uint64_t, i128)

#define FLOAT(word, c_type)                                                                        \
    SUM(word, c_type, double)                                                                      \
    EXTREME(min, word, c_type, IS_LOWER_FLOAT)                                                     \
    EXTREME(max, word, c_type, IS_HIGHER_FLOAT)
FLOAT(f32, float)
FLOAT(f64, double)
