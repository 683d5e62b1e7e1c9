#include "formats/json/json_rows.h"

#include <math.h>

#include "base/test.h"

static firn_error err = FIRN_ERROR_INIT;

static text value_of(arena *memory, const column *values, uint32_t row) {
    text_builder out = text_builder_open(memory);
    text whole;
    json_put_value(values, row, &out);
    return text_builder_finish(&out, &whole, &err) == FIRN_OK ? whole : TEXT("failed");
}

#define CHECK_VALUES(type_, c_type, ...)                                                           \
    do {                                                                                           \
        static const struct {                                                                      \
            c_type value;                                                                          \
            const char *json;                                                                      \
        } rows[] = {__VA_ARGS__};                                                                  \
        column values;                                                                             \
        arena memory = arena_open((size_t)1 << 20);                                                \
        const uint32_t count = sizeof rows / sizeof *rows;                                         \
        REQUIRE(column_new(&memory, type_, count, &values, &err) == FIRN_OK);                      \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            COLUMN_OUT(&values, c_type)[i] = rows[i].value;                                        \
        }                                                                                          \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            CHECK(text_equal(value_of(&memory, &values, i), text_of(rows[i].json)));               \
        }                                                                                          \
        arena_close(&memory);                                                                      \
    } while (0)

TEST(numbers_are_json_where_it_has_them) {
    CHECK_VALUES(TYPE_OF(BIGINT), int64_t, {0, "0"}, {INT64_MIN, "-9223372036854775808"});
    CHECK_VALUES(TYPE_OF(UBIGINT), uint64_t, {UINT64_MAX, "18446744073709551615"});
    CHECK_VALUES(TYPE_OF(DOUBLE), double, {1.5, "1.5"}, {-0.0, "-0.0"}, {1e300, "1e+300"},
                 {NAN, "\"NaN\""}, {INFINITY, "\"Infinity\""}, {-INFINITY, "\"-Infinity\""});
    CHECK_VALUES(TYPE_OF(REAL), float, {0.1F, "0.1"}, {INFINITY, "\"Infinity\""});
}

TEST(moments_are_iso_8601) {
    CHECK_VALUES(TYPE_OF(DATE), int32_t, {0, "\"1970-01-01\""}, {-719163, "\"0000-12-31\""},
                 {-719529, "\"-0001-12-31\""}, {2932897, "\"+10000-01-01\""});
    CHECK_VALUES(TYPE_OF(TIMESTAMP), int64_t, {1, "\"1970-01-01T00:00:00.000001\""},
                 {-1, "\"1969-12-31T23:59:59.999999\""});
    CHECK_VALUES(type_temporal(TYPE_TIMESTAMPTZ, UNIT_SECOND), int64_t,
                 {86399, "\"1970-01-01T23:59:59Z\""});
    CHECK_VALUES(type_temporal(TYPE_TIMESTAMP, UNIT_NANO), int64_t,
                 {7, "\"1970-01-01T00:00:00.000000007\""});
    CHECK_VALUES(TYPE_OF(TIME), int64_t, {INT64_C(3661000000), "\"01:01:01.000000\""});
}

TEST(texts_are_escaped) {
    static const char *const rows[][2] = {
        {"", "\"\""},
        {"plain \xc3\xa4", "\"plain \xc3\xa4\""},
        {"a \"quote\", a \\ and a text that is long",
         "\"a \\\"quote\\\", a \\\\ and a text that is long\""},
        {"\n\t\r\b\f\x01", "\"\\n\\t\\r\\b\\f\\u0001\""},
    };
    arena memory = arena_open((size_t)1 << 20);
    column values;
    REQUIRE(column_new(&memory, TYPE_OF(VARCHAR), 4, &values, &err) == FIRN_OK);
    for (uint32_t i = 0; i < 4; i++) {
        REQUIRE(string_new(&memory, rows[i][0], strlen(rows[i][0]),
                           &COLUMN_OUT(&values, string_value)[i]));
        CHECK(text_equal(value_of(&memory, &values, i), text_of(rows[i][1])));
    }
    values.type = TYPE_OF(BINARY);
    CHECK(text_equal(value_of(&memory, &values, 3), TEXT("\"0a090d080c01\"")));
    arena_close(&memory);
}

TEST(a_row_is_an_object) {
    const field fields[] = {{TEXT("a"), TYPE_OF(INTEGER), true, -1},
                            {TEXT("the \"b\""), TYPE_OF(INTEGER), true, -1}};
    const schema columns = {.count = 2, .fields = fields};
    arena memory = arena_open((size_t)1 << 20);
    column values[2];
    json_rows rows;
    text whole;
    text_builder out = text_builder_open(&memory);
    REQUIRE(column_new(&memory, TYPE_OF(INTEGER), 2, &values[0], &err) == FIRN_OK);
    REQUIRE(column_new_null(&memory, TYPE_OF(INTEGER), 2, &values[1], &err) == FIRN_OK);
    COLUMN_OUT(&values[0], int32_t)[1] = 7;
    REQUIRE(json_rows_open(&columns, &memory, &rows, &err) == FIRN_OK);
    const uint16_t selection[] = {1};
    batch of = batch_of(values, 2, 2);
    of.selection = selection;
    of.selected_count = 1;
    json_put_row(&rows, &of, 0, &out);
    REQUIRE(text_builder_finish(&out, &whole, &err) == FIRN_OK);
    CHECK(text_equal(whole, TEXT("{\"a\":7,\"the \\\"b\\\"\":null}")));
    arena_close(&memory);
}
