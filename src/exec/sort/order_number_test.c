#include "exec/sort/order_number.h"

#include <math.h>

#include "base/test.h"

static uint64_t key_at(const column *values, uint32_t row, bool *is_null) {
    const uint16_t rows[1] = {(uint16_t)row};
    uint32_t lanes[1];
    uint64_t out[1] = {0};
    *is_null = false;
    order_numbers_of(values, rows, 1, lanes, out, is_null);
    return out[0];
}

// Values that rise from row to row, all different.
static void check_rising(const column *values) {
    const bool is_exact = order_number_is_exact(values->type);
    for (uint32_t row = 1; row < values->length; row++) {
        bool is_null[2];
        const uint64_t before = key_at(values, row - 1, &is_null[0]);
        const uint64_t next = key_at(values, row, &is_null[1]);
        CHECK(!is_null[0] && !is_null[1]);
        CHECK(is_exact ? before < next : before <= next);
    }
}

#define RISING(name, c_type, ...)                                                                  \
    do {                                                                                           \
        const c_type values[] = {__VA_ARGS__};                                                     \
        column made;                                                                               \
        REQUIRE(column_new(&memory, TYPE_OF(name), sizeof values / sizeof values[0], &made,        \
                           &err) == FIRN_OK);                                                      \
        memcpy(COLUMN_OUT(&made, c_type), values, sizeof values);                                  \
        check_rising(&made);                                                                       \
    } while (0)

TEST(order_numbers_order_as_values_do_to_the_borders_of_their_types) {
    arena memory = arena_open((size_t)1 << 20);
    firn_error err = ERR_INIT;
    RISING(TINYINT, int8_t, -128, -1, 0, 1, 127);
    RISING(INTEGER, int32_t, INT32_MIN, -7, 0, 7, INT32_MAX);
    RISING(BIGINT, int64_t, INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX);
    RISING(UBIGINT, uint64_t, 0, 1, INT64_MAX, UINT64_MAX - 1, UINT64_MAX);
    RISING(DOUBLE, double, -(double)INFINITY, -1e300, -1, 0.0, 5e-324, 1, (double)INFINITY,
           (double)NAN);
    RISING(REAL, float, -INFINITY, -1.5F, 0, 1.5F, INFINITY, NAN);
    RISING(DATE, int32_t, -719162, 0, 18321, 2932896);
    arena_close(&memory);
}

TEST(order_numbers_of_wide_decimals_tell_those_apart_that_fit_into_64_bits) {
    arena memory = arena_open((size_t)1 << 20);
    firn_error err = ERR_INIT;
    const i128 values[] = {-((i128)1 << 100), INT64_MIN, -1, 0, 1, INT64_MAX, (i128)1 << 100};
    column made;
    bool is_null;
    REQUIRE(column_new(&memory, type_decimal(&memory, 38, 3), 7, &made, &err) == FIRN_OK);
    memcpy(COLUMN_OUT(&made, i128), values, sizeof values);
    check_rising(&made);
    CHECK(key_at(&made, 2, &is_null) < key_at(&made, 3, &is_null));
    arena_close(&memory);
}

TEST(order_numbers_take_both_zeros_for_one_and_leave_nulls_out) {
    arena memory = arena_open((size_t)1 << 20);
    firn_error err = ERR_INIT;
    column made;
    bool is_null;
    REQUIRE(column_new(&memory, TYPE_OF(DOUBLE), 3, &made, &err) == FIRN_OK);
    COLUMN_OUT(&made, double)[0] = 0.0;
    COLUMN_OUT(&made, double)[1] = -0.0;
    COLUMN_OUT(&made, double)[2] = 1;
    REQUIRE(column_set_null(&memory, &made, 2));
    CHECK(key_at(&made, 0, &is_null) == key_at(&made, 1, &is_null));
    (void)key_at(&made, 2, &is_null);
    CHECK(is_null);
    arena_close(&memory);
}

TEST(order_numbers_of_text_order_by_its_first_bytes) {
    arena memory = arena_open((size_t)1 << 20);
    firn_error err = ERR_INIT;
    const char *const texts[] = {"", "a", "ab", "abcdefgh", "abcdefghi", "b", "\xc3\xa9"};
    column made;
    REQUIRE(column_new(&memory, TYPE_OF(VARCHAR), 7, &made, &err) == FIRN_OK);
    for (uint32_t i = 0; i < 7; i++) {
        COLUMN_OUT(&made, string_value)[i] = string_of(texts[i], (uint32_t)strlen(texts[i]));
    }
    check_rising(&made);
    bool is_null;
    CHECK(key_at(&made, 1, &is_null) < key_at(&made, 2, &is_null));
    CHECK(key_at(&made, 3, &is_null) == key_at(&made, 4, &is_null));
    arena_close(&memory);
}
