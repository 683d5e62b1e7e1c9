#include "kernels/extremes.h"

#include <math.h>

#include "base/test.h"

#define ROWS 90

static void check_numbers(const type *of, bool is_float) {
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    uint64_t seed = 12;
    column values;
    REQUIRE(column_new(&memory, of, ROWS, &values, &err) == FIRN_OK);
    const uint32_t width = physical_size(type_physical(of));
    for (uint32_t row = 0; row < ROWS; row++) {
        uint64_t bits = test_random(&seed);
        if (is_float && width == 8) {
            const double value = row % 11 == 3 ? (double)NAN : (double)(int64_t)bits;
            memcpy(&bits, &value, 8);
        } else if (is_float) {
            const float value = row % 11 == 3 ? NAN : (float)(int64_t)bits;
            memcpy(&bits, &value, 4);
        }
        memcpy(COLUMN_OUT(&values, uint8_t) + (size_t)row * width, &bits, width);
    }
    for (int level = 0; level <= (int)isa_best(); level++) {
        for (uint32_t count = 1; count <= ROWS; count++) {
            uint32_t smallest;
            uint32_t largest;
            REQUIRE(extremes_rows(&values, NULL, count, &smallest, &largest));
            column found;
            REQUIRE(column_new(&memory, of, 2, &found, &err) == FIRN_OK);
            uint8_t *out = COLUMN_OUT(&found, uint8_t);
            extremes_kernel_at((isa_level)level, type_physical(of))(values.values, count, out,
                                                                    out + width);
            REQUIRE(column_rows_equal(&found, 0, &values, smallest));
            REQUIRE(column_rows_equal(&found, 1, &values, largest));
        }
    }
    arena_close(&memory);
}

TEST(extremes_kernels_agree_with_the_order_of_rows) {
    for (int id = TYPE_TINYINT; id <= TYPE_UBIGINT; id++) {
        check_numbers(&type_constants[id], false);
    }
    check_numbers(TYPE_OF(REAL), true);
    check_numbers(TYPE_OF(DOUBLE), true);
}

TEST(extremes_rows_leaves_nulls_out_and_takes_the_first_of_equals) {
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    static const char *const words[] = {"pear", "apple", "zebra", "apple", "zebra"};
    column values;
    REQUIRE(column_new(&memory, TYPE_OF(VARCHAR), 5, &values, &err) == FIRN_OK);
    for (uint32_t row = 0; row < 5; row++) {
        COLUMN_OUT(&values, string_value)
        [row] = string_of(words[row], (uint32_t)strlen(words[row]));
    }
    uint32_t smallest;
    uint32_t largest;
    REQUIRE(extremes_rows(&values, NULL, 5, &smallest, &largest));
    CHECK(smallest == 1 && largest == 2);
    REQUIRE(column_set_null(&memory, &values, 1));
    const uint16_t rows[] = {0, 1, 3, 4};
    REQUIRE(extremes_rows(&values, rows, 4, &smallest, &largest));
    CHECK(smallest == 3 && largest == 4);
    const uint16_t null[] = {1};
    CHECK(!extremes_rows(&values, null, 1, &smallest, &largest));
    CHECK(!extremes_rows(&values, NULL, 0, &smallest, &largest));
    arena_close(&memory);
}
