#include "kernels/reduce.h"

#include <math.h>

#include "base/test.h"
#include "kernels/reduce_table.h"

#define COUNT_MAX 131 // Around two blocks of 64.

// Values of every type, with the borders of their range among them.
#define FILL(word, c_type, low, high)                                                              \
    static void fill_##word(c_type *out, uint32_t count, uint64_t seed) {                          \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            const uint64_t value = test_random(&seed);                                             \
            out[i] = value % 7 == 0 ? (low) : value % 7 == 1 ? (high) : (c_type)(value >> 40);     \
        }                                                                                          \
    }
FILL(i8, int8_t, INT8_MIN, INT8_MAX)
FILL(i16, int16_t, INT16_MIN, INT16_MAX)
FILL(i32, int32_t, INT32_MIN, INT32_MAX)
FILL(i64, int64_t, INT64_MIN, INT64_MAX)
FILL(u8, uint8_t, 0, UINT8_MAX)
FILL(u16, uint16_t, 0, UINT16_MAX)
FILL(u32, uint32_t, 0, UINT32_MAX)
FILL(u64, uint64_t, 0, UINT64_MAX)
FILL(f32, float, NAN, -0.5f)
FILL(f64, double, (double)NAN, -0.5)

static const reduce_table_of_level *const levels[] = {
    &reduce_kernels_base,
#if defined(__x86_64__)
    &reduce_kernels_v3,
    &reduce_kernels_v4,
#endif
};

static bool same_f64(double left, double right) {
    return left == right || (left != left && right != right);
}
#define SAME_NUMBER(left, right) ((left) == (right))
#define SAME_FLOAT(left, right) same_f64((double)(left), (double)(right))

// Against a loop that compares as column_compare_rows does: NaN above all.
#define CHECK_TYPE(word, c_type, sum_type, same)                                                   \
    static void check_##word(isa_level level) {                                                    \
        c_type values[COUNT_MAX];                                                                  \
        uint16_t rows[COUNT_MAX];                                                                  \
        for (uint32_t count = 1; count <= COUNT_MAX; count++) {                                    \
            fill_##word(values, count, count);                                                     \
            sum_type sum = 0;                                                                      \
            c_type lowest = values[0];                                                             \
            c_type highest = values[0];                                                            \
            for (uint32_t i = 0; i < count; i++) {                                                 \
                rows[i] = (uint16_t)(count - 1 - i);                                               \
                sum += (sum_type)values[i];                                                        \
                lowest = values[i] < lowest || lowest != lowest ? values[i] : lowest;              \
                highest = values[i] > highest || values[i] != values[i] ? values[i] : highest;     \
            }                                                                                      \
            CHECK(same(levels[level]->sum_##word(values, count), sum));                            \
            CHECK(same(levels[level]->min_##word(values, count), lowest));                         \
            CHECK(same(levels[level]->max_##word(values, count), highest));                        \
            CHECK(same(reduce_sum_##word(values, rows, count), sum));                              \
            CHECK(same(reduce_min_##word(values, rows, count), lowest));                           \
            CHECK(same(reduce_max_##word(values, rows, count), highest));                          \
            CHECK(same(reduce_max_##word(values, NULL, count), highest));                          \
        }                                                                                          \
    }
CHECK_TYPE(i8, int8_t, int64_t, SAME_NUMBER)
CHECK_TYPE(i16, int16_t, int64_t, SAME_NUMBER)
CHECK_TYPE(i32, int32_t, int64_t, SAME_NUMBER)
CHECK_TYPE(i64, int64_t, i128, SAME_NUMBER)
CHECK_TYPE(u8, uint8_t, int64_t, SAME_NUMBER)
CHECK_TYPE(u16, uint16_t, int64_t, SAME_NUMBER)
CHECK_TYPE(u32, uint32_t, int64_t, SAME_NUMBER)
CHECK_TYPE(u64, uint64_t, i128, SAME_NUMBER)
CHECK_TYPE(f32, float, double, SAME_FLOAT)
CHECK_TYPE(f64, double, double, SAME_FLOAT)

TEST(reduce_agrees_with_plain_loops_at_every_level) {
    for (isa_level level = ISA_BASE; level <= isa_best(); level++) {
#define X(NAME, word, c_type, sum_type) check_##word(level);
        REDUCE_TYPE_LIST(X)
#undef X
    }
}
