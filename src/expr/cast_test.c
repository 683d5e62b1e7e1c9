// Casts: text forms and roundings, the matrix, and nested values.
#include "expr/cast.h"

#include "base/zone.h"
#include "expr/expr_testing.h"

#define T(name) TYPE_OF(name)
#define D(precision_, scale_)                                                                      \
    (&(const type){                                                                                \
        .id = TYPE_DECIMAL, .unit = UNIT_MICRO, .precision = (precision_), .scale = (scale_)})

typedef struct cast_case {
    const type *from;
    const char *value;
    const type *to;
    const char *expected;
} cast_case;

static void check_cases(const cast_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        testing table = testing_open(1);
        expr *value = testing_column(&table, "v", cases[i].from, cases[i].value);
        expr *cast = expr_cast(&table.memory, value, cases[i].to, false, false);
        CHECK_RUN(&table, cast, cases[i].expected);
        const bool fails = strncmp(cases[i].expected, "error", 5) == 0;
        CHECK(!fails || expr_can_fail(cast)); // Whoever fails must have said so.
        expr *tried = expr_cast(&table.memory, value, cases[i].to, true, false);
        CHECK_RUN(&table, tried, fails ? "NULL" : cases[i].expected);
        testing_close(&table);
    }
}
#define CHECK_CASES(cases) check_cases((cases), sizeof(cases) / sizeof(cases)[0])

TEST(cast_numbers_round_and_never_wrap) {
    const cast_case cases[] = {
        {T(INTEGER), "300", T(TINYINT), "error: 22003 invalid: 300 is out of range for TINYINT..."},
        {T(INTEGER), "-1", T(UBIGINT), "error: 22003 ..."},
        {T(UBIGINT), "18446744073709551615", T(BIGINT), "error: 22003 ..."},
        {T(UBIGINT), "18446744073709551615", D(20, 0), "18446744073709551615"},
        {T(DOUBLE), "2.5", T(INTEGER), "2"}, // Half to even.
        {T(DOUBLE), "3.5", T(INTEGER), "4"},
        {T(DOUBLE), "-2.5", T(BIGINT), "-2"},
        {T(DOUBLE), "NaN", T(INTEGER), "error: 22003 invalid: NaN is out of range for INTEGER..."},
        {T(DOUBLE), "9223372036854775808", T(BIGINT), "error: 22003 ..."},
        {T(DOUBLE), "-9223372036854775808", T(BIGINT), "-9223372036854775808"},
        {T(DOUBLE), "255.5", T(UTINYINT), "error: 22003 ..."},
        {D(5, 2), "2.50", T(INTEGER), "3"}, // Half away from zero.
        {D(5, 2), "-2.50", T(INTEGER), "-3"},
        {D(5, 2), "127.50", T(TINYINT), "error: 22003 ..."},
        {D(38, 10), "0.49999", T(TINYINT), "0"},
        {D(5, 2), "9.99", D(2, 1), "error: 22003 ..."}, // Rounds to 10.0.
        {D(5, 2), "9.94", D(2, 1), "9.9"},
        {D(5, 2), "-123.45", D(76, 30), "-123.450000000000000000000000000000"},
        {D(76, 30), "-123.455", D(5, 2), "-123.46"},
        {T(INTEGER), "123", D(5, 2), "123.00"},
        {T(INTEGER), "1234", D(5, 2), "error: 22003 ..."},
        {T(DOUBLE), "1.005", D(5, 2), "1.01"}, // By its digits.
        {T(DOUBLE), "1e10", D(5, 2), "error: 22003 ..."},
        {T(DOUBLE), "inf", D(5, 2), "error: 22003 ..."},
        {T(REAL), "0.1", D(10, 9), "0.100000000"},
        {D(15, 2), "1234567.89", T(DOUBLE), "1234567.89"},
        {D(38, 37), "0.1000000000000000055511151231257827021", T(DOUBLE), "0.1"},
        {T(DOUBLE), "1e300", T(REAL), "error: 22003 ..."},
        {T(DOUBLE), "0.1", T(FLOAT16), "0.099975586"},
        {T(BIGINT), "9007199254740993", T(DOUBLE), "9007199254740992.0"},
        {T(BOOLEAN), "true", T(INTEGER), "1"},
        {T(BOOLEAN), "true", D(5, 2), "1.00"},
        {T(BOOLEAN), "true", D(2, 2), "error: 22003 ..."},
        {T(BOOLEAN), "false", T(DOUBLE), "0.0"},
        {T(INTEGER), "2", T(BOOLEAN), "true"},
        {D(5, 2), "0.00", T(BOOLEAN), "false"},
        {T(DOUBLE), "NaN", T(BOOLEAN), "true"},
    };
    CHECK_CASES(cases);
}

TEST(cast_text_to_values_reads_the_forms_of_sql) {
    const cast_case cases[] = {
        {T(VARCHAR), "_12_", T(INTEGER), "12"},
        {T(VARCHAR), "12.7", T(INTEGER), "error: 22P02 invalid: \"12.7\" is no INTEGER..."},
        {T(VARCHAR), "1e3", T(INTEGER), "error: 22P02 ..."},
        {T(VARCHAR), "128", T(TINYINT), "error: 22P02 ..."},
        {T(VARCHAR), "18446744073709551615", T(UBIGINT), "18446744073709551615"},
        {T(VARCHAR), "1.005", D(5, 2), "1.01"},
        {T(VARCHAR), "1e2", D(5, 2), "100.00"},
        {T(VARCHAR), "1000", D(5, 2), "error: 22P02 ..."},
        {T(VARCHAR), "-Infinity", T(DOUBLE), "-inf"},
        {T(VARCHAR), "1e400", T(DOUBLE), "error: 22P02 ..."},
        {T(VARCHAR), "YES", T(BOOLEAN), "true"},
        {T(VARCHAR), "_off_", T(BOOLEAN), "false"},
        {T(VARCHAR), "2", T(BOOLEAN), "error: 22P02 ..."},
        {T(VARCHAR), "\\x1F", T(BINARY), "\\x1f"},
        {T(VARCHAR), "\\x1", T(BINARY), "error: 22P02 ..."},
        {T(VARCHAR), "ab", T(BINARY), "\\x6162"},
        {T(VARCHAR), "{A0EEBC99-9C0B4EF8-BB6D6BB9BD380A11}", T(UUID),
         "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
        {T(VARCHAR), "a0eebc99", T(UUID), "error: 22P02 ..."},
        {T(VARCHAR), "{\"a\":[1,2]}", T(JSON), "{\"a\":[1,2]}"},
        {T(VARCHAR), "{a:1}", T(JSON), "error: 22P02 ..."},
        {T(VARCHAR), "2020-02-30", T(DATE), "error: 22007 invalid: \"2020-02-30\" is no DATE..."},
        {T(VARCHAR), "2020-02-29", T(DATE), "2020-02-29"},
        {T(VARCHAR), "03:04:05.5", T(TIME), "03:04:05.5"},
        {T(VARCHAR), "2020-01-02T03:04:05Z", T(TIMESTAMP), "2020-01-02 03:04:05"},
        {T(VARCHAR), "2020-01-02_03:04:05.1234567", T(TIMESTAMP), "2020-01-02 03:04:05.123457"},
        {T(VARCHAR), "2020-01-02_03:04:05+02", T(TIMESTAMPTZ), "2020-01-02 01:04:05+00"},
        {T(VARCHAR), "1_year_2_mons_3_days_04:05:06.5", T(INTERVAL),
         "1 year 2 mons 3 days 04:05:06.5"},
    };
    CHECK_CASES(cases);
}

TEST(cast_values_to_text_prints_the_forms_of_sql) {
    const cast_case cases[] = {
        {T(BIGINT), "-9223372036854775808", T(VARCHAR), "-9223372036854775808"},
        {T(UBIGINT), "18446744073709551615", T(VARCHAR), "18446744073709551615"},
        {T(UTINYINT), "200", T(VARCHAR), "200"},
        {T(DOUBLE), "1e20", T(VARCHAR), "1e+20"},
        {T(DOUBLE), "3", T(VARCHAR), "3.0"},
        {T(REAL), "0.1", T(VARCHAR), "0.1"},
        {D(5, 2), "-0.5", T(VARCHAR), "-0.50"},
        {T(BOOLEAN), "true", T(VARCHAR), "true"},
        {T(BINARY), "\\x00ff", T(VARCHAR), "\\x00ff"},
        {T(DATE), "2020-01-02", T(VARCHAR), "2020-01-02"},
        {T(TIMESTAMP), "2020-01-02", T(VARCHAR), "2020-01-02 00:00:00"},
        {T(TIMESTAMPTZ), "2020-01-02", T(VARCHAR), "2020-01-02 00:00:00+00"},
        {T(UUID), "a0eebc999c0b4ef8bb6d6bb9bd380a11", T(VARCHAR),
         "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
        {T(JSON), "[1]", T(VARCHAR), "[1]"},
    };
    CHECK_CASES(cases);
}

TEST(cast_times_change_units_and_pass_through_the_zone) {
    const type *seconds = type_temporal(TYPE_TIMESTAMP, UNIT_SECOND);
    const type *nanos = type_temporal(TYPE_TIMESTAMP, UNIT_NANO);
    const type *time_ms = type_temporal(TYPE_TIME, UNIT_MILLI);
    const cast_case cases[] = {
        {T(DATE), "2020-01-02", T(TIMESTAMP), "2020-01-02 00:00:00"},
        {T(DATE), "2020-01-02", nanos, "2020-01-02 00:00:00"},
        {T(DATE), "9999-12-31", nanos,
         "error: 22008 invalid: 9999-12-31 is out of range for "
         "TIMESTAMP_NS..."},
        {T(TIMESTAMP), "1969-12-31_23:59:59", T(DATE), "1969-12-31"},
        {T(TIMESTAMP), "2020-01-02_03:04:05.6", T(TIME), "03:04:05.6"},
        {T(TIMESTAMP), "2020-01-02_03:04:05.5", seconds, "2020-01-02 03:04:06"},
        {seconds, "2020-01-02_03:04:05", nanos, "2020-01-02 03:04:05"},
        {seconds, "9999-01-02_03:04:05", nanos, "error: 22008 ..."},
        {T(TIME), "03:04:05.123456", time_ms, "03:04:05.123"},
        {time_ms, "03:04:05.123", T(TIME), "03:04:05.123"},
        {T(TIME), "03:04:05.5", T(INTERVAL), "03:04:05.5"},
        {T(INTERVAL), "1_day_25:00:00", T(TIME), "01:00:00"},
        {T(TIMESTAMP), "2020-01-02_03:04:05", T(TIMESTAMPTZ), "2020-01-02 03:04:05+00"},
        {T(TIMESTAMPTZ), "2020-01-02_03:04:05+01", T(DATE), "2020-01-02"},
    };
    CHECK_CASES(cases);
    const zone berlin = zone_fixed(3600);
    testing table = testing_open(1);
    table.context.zone = &berlin;
    expr *local = testing_column(&table, "l", T(TIMESTAMP), "2020-01-02_00:30:00");
    expr *instant = expr_cast(&table.memory, local, T(TIMESTAMPTZ), false, false);
    CHECK_RUN(&table, instant, "2020-01-01 23:30:00+00"); // Tests print in UTC.
    CHECK_RUN(&table, expr_cast(&table.memory, instant, T(VARCHAR), false, false),
              "2020-01-02 00:30:00+01");
    CHECK_RUN(&table, expr_cast(&table.memory, instant, T(DATE), false, false), "2020-01-02");
    testing_close(&table);
}

TEST(cast_nested_values_casts_their_children) {
    testing table = testing_open(3);
    arena *memory = &table.memory;
    const type *integers = type_list(memory, T(INTEGER));
    const type *texts = type_list(memory, T(VARCHAR));
    expr *list = testing_column(&table, "l", integers, "[1,300] NULL []");
    CHECK_RUN(&table, expr_cast(memory, list, texts, false, false), "[1, 300] NULL []");
    CHECK_RUN(&table, expr_cast(memory, list, type_list(memory, T(TINYINT)), false, false),
              "error: 22003 ...");
    CHECK_RUN(&table, expr_cast(memory, list, type_list(memory, T(TINYINT)), true, false),
              "NULL NULL []");
    CHECK_RUN(&table, expr_cast(memory, list, T(VARCHAR), false, false), "[1, 300] NULL []");
    const field ab[] = {{.name = TEXT("a"), .type = T(INTEGER)},
                        {.name = TEXT("b"), .type = T(VARCHAR)}};
    const field ba[] = {{.name = TEXT("B"), .type = T(VARCHAR)},
                        {.name = TEXT("A"), .type = T(BIGINT)}};
    const field xy[] = {{.name = TEXT("x"), .type = T(BIGINT)},
                        {.name = TEXT("y"), .type = T(VARCHAR)}};
    expr *row =
        testing_column(&table, "r", type_struct(memory, 2, ab), "{a:1,b:x} NULL {b:'y,}',a:NULL}");
    CHECK_RUN(&table, expr_cast(memory, row, type_struct(memory, 2, ba), false, false),
              "{B: x, A: 1} NULL {B: 'y,}', A: NULL}");
    CHECK_RUN(&table, expr_cast(memory, row, type_struct(memory, 2, xy), false, false),
              "{x: 1, y: x} NULL {x: NULL, y: 'y,}'}");
    expr *map = testing_column(&table, "m", type_map(memory, T(VARCHAR), T(INTEGER)),
                               "{a:1,b:NULL} {} NULL");
    CHECK_RUN(&table, expr_cast(memory, map, type_map(memory, T(VARCHAR), T(DOUBLE)), false, false),
              "{a: 1.0, b: NULL} {} NULL");
    testing_close(&table);
}

TEST(cast_text_to_nested_values_refuses_what_is_malformed) {
    static const char *const bad[] = {"[1,2", "1,2]",  "[1,,2]", "[1]x", "{a:1}",
                                      "[a]",  "[[1]]", "",       "['1]"};
    testing table = testing_open(1);
    const type *integers = type_list(&table.memory, T(INTEGER));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        expr *source = expr_string(&table.memory, T(VARCHAR), text_of(bad[i]));
        CHECK_RUN(&table, expr_cast(&table.memory, source, integers, false, false),
                  "error: 22P02 ...");
    }
    const type *deep = type_list(&table.memory, integers);
    expr *source = expr_string(&table.memory, T(VARCHAR), TEXT(" [ [1, 2] , NULL, [] ] "));
    CHECK_RUN(&table, expr_cast(&table.memory, source, deep, false, false), "[[1, 2], NULL, []]");
    const type *words = type_list(&table.memory, T(VARCHAR));
    source =
        expr_string(&table.memory, T(VARCHAR), TEXT("[a b, 'it''s', \"q\\\"\", 'NULL', null]"));
    CHECK_RUN(&table, expr_cast(&table.memory, source, words, false, false),
              "[a b, 'it\\'s', 'q\"', 'NULL', NULL]");
    testing_close(&table);
}

TEST(cast_matrix_has_a_kernel_for_every_cast) {
    arena memory = arena_open(1 << 20);
    const field ab[] = {{.name = TEXT("a"), .type = T(INTEGER)}};
    const type *decimal = D(9, 2); // A compound literal: it must live as long as the loops.
    for (int from = 0; from < (int)TYPE_COUNT; from++) {
        for (int to = 0; to < (int)TYPE_COUNT; to++) {
            const type *types[2];
            for (int side = 0; side < 2; side++) {
                const type_id id = (type_id)(side == 0 ? from : to);
                types[side] = id == TYPE_DECIMAL  ? decimal
                              : id == TYPE_LIST   ? type_list(&memory, T(INTEGER))
                              : id == TYPE_MAP    ? type_map(&memory, T(INTEGER), T(INTEGER))
                              : id == TYPE_STRUCT ? type_struct(&memory, 1, ab)
                                                  : &type_constants[id];
            }
            const cast_rule rule = cast_find(types[0], types[1]);
            CHECK((rule.kind == CAST_IMPLICIT) == (rule.cost > 0));
            CHECK(from != to || rule.kind == CAST_SAME);
            const bool needs_kernel = rule.kind != CAST_SAME && rule.kind != CAST_NONE;
            CHECK((rule.kind == CAST_NONE) ||
                  needs_kernel == (cast_kernel(types[0], types[1]) != NULL));
        }
    }
    arena_close(&memory);
}

typedef struct common_case {
    const type *left;
    const type *right;
    const char *expected; ///< "" if there is none.
    const char *compared;
} common_case;

TEST(type_common_is_the_smallest_type_that_holds_both) {
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    const type *nanos = type_temporal(TYPE_TIMESTAMP, UNIT_NANO);
    const common_case cases[] = {
        {T(INTEGER), T(BIGINT), "BIGINT", "BIGINT"},
        {T(UTINYINT), T(TINYINT), "SMALLINT", "SMALLINT"},
        {T(UINTEGER), T(INTEGER), "BIGINT", "BIGINT"},
        {T(UBIGINT), T(TINYINT), "DECIMAL(20,0)", "DECIMAL(20,0)"},
        {T(INTEGER), D(5, 2), "DECIMAL(12,2)", "DECIMAL(12,2)"},
        {D(38, 0), D(38, 10), "DECIMAL(38,10)", "DECIMAL(48,10)"},
        {D(50, 0), D(38, 10), "DECIMAL(60,10)", "DECIMAL(60,10)"},
        {D(5, 2), T(DOUBLE), "DOUBLE", "DOUBLE"},
        {T(REAL), T(INTEGER), "DOUBLE", "DOUBLE"},
        {T(REAL), T(FLOAT16), "REAL", "REAL"},
        {T(DATE), T(TIMESTAMP), "TIMESTAMP", "TIMESTAMP"},
        {nanos, T(TIMESTAMPTZ), "TIMESTAMPTZ_NS", "TIMESTAMPTZ_NS"},
        {T(DATE), T(TIME), "", ""},
        {T(VARCHAR), T(INTEGER), "", "INTEGER"},
        {T(VARCHAR), T(DATE), "", "DATE"},
        {T(VARCHAR), T(JSON), "VARCHAR", "VARCHAR"},
        {T(VARCHAR), T(BINARY), "", ""},
        {T(BOOLEAN), T(INTEGER), "", ""},
        {TYPE_OF(NULL), T(DATE), "DATE", "DATE"},
        {TYPE_OF(NULL), TYPE_OF(NULL), "NULL", "NULL"},
        {type_list(&memory, T(INTEGER)), type_list(&memory, T(DOUBLE)), "DOUBLE[]", "DOUBLE[]"},
        {type_list(&memory, T(INTEGER)), type_list(&memory, T(DATE)), "", ""},
        {type_list(&memory, TYPE_OF(NULL)), type_list(&memory, T(DATE)), "DATE[]", "DATE[]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int swapped = 0; swapped < 2; swapped++) {
            const type *left = swapped == 0 ? cases[i].left : cases[i].right;
            const type *right = swapped == 0 ? cases[i].right : cases[i].left;
            const type *common = NULL;
            const type *compared = NULL;
            REQUIRE(type_common(left, right, &memory, &common, &err) == FIRN_OK);
            REQUIRE(type_common_compared(left, right, &memory, &compared, &err) == FIRN_OK);
            CHECK(testing_is(common == NULL ? TEXT("") : type_text(common, &memory),
                             cases[i].expected));
            CHECK(testing_is(compared == NULL ? TEXT("") : type_text(compared, &memory),
                             cases[i].compared));
        }
    }
    const type *product = NULL;
    CHECK(type_of_decimals(DECIMAL_MULTIPLY, D(38, 20), D(38, 19), &memory, &product, &err) ==
          FIRN_INVALID);
    CHECK(strstr(err.text, "has 39 digits behind the point, at most 38 are allowed") != NULL);
    CHECK(strstr(err.hint, "CAST") != NULL);
    arena_close(&memory);
}
