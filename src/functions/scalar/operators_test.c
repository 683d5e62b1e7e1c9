// The operators over columns, with the values, types and errors that firn promises.
#include "expr/expr_testing.h"
#include "functions/overload.h"
#include "functions/registry.h"

static expr *call(testing *table, const char *name, expr *left, expr *right) {
    firn_error err = ERR_INIT;
    expr *const args[] = {left, right};
    expr *out = NULL;
    const uint32_t count = right == NULL ? 1 : 2;
    const bool is_good =
        function_call_named(text_of(name), args, count, &table->memory, &out, &err) == FIRN_OK;
    if (!is_good) {
        fprintf(stderr, "%s\n", err.text);
    }
    CHECK(is_good);
    return out;
}

typedef struct operator_case {
    const char *name;
    const type *left_type;
    const char *left;
    const type *right_type;
    const char *right; ///< NULL: unary.
    const char *result_type;
    const char *expected;
} operator_case;

#define D(precision_, scale_)                                                                      \
    (&(const type){                                                                                \
        .id = TYPE_DECIMAL, .unit = UNIT_MICRO, .precision = (precision_), .scale = (scale_)})
#define T(name) TYPE_OF(name)

// Every case runs with columns on both sides, and with a constant on each.
static void check_case(const operator_case *of) {
    for (int shape = 0; shape < 4; shape++) {
        testing table = testing_open(1);
        expr *left = (shape & 1) == 0 ? testing_column(&table, "a", of->left_type, of->left)
                                      : testing_literal(&table, of->left_type, of->left);
        expr *right = NULL;
        if (of->right != NULL) {
            right = (shape & 2) == 0 ? testing_column(&table, "b", of->right_type, of->right)
                                     : testing_literal(&table, of->right_type, of->right);
        }
        const expr *root = call(&table, of->name, left, right);
        const bool has_type =
            text_equal(type_text(root->type, &table.memory), text_of(of->result_type));
        if (!has_type) {
            fprintf(stderr, "%s: type %.*s, not %s\n", of->name,
                    TEXT_ARGS(type_text(root->type, &table.memory)), of->result_type);
        }
        CHECK(has_type);
        CHECK_RUN(&table, root, of->expected);
        testing_close(&table);
    }
}

static void check_cases(const operator_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        check_case(&cases[i]);
    }
}
#define CHECK_CASES(cases) check_cases((cases), sizeof(cases) / sizeof(cases)[0])

TEST(operators_on_integers_keep_the_wider_type_and_never_wrap) {
    const operator_case cases[] = {
        {"+", T(INTEGER), "1", T(INTEGER), "2", "INTEGER", "3"},
        {"+", T(TINYINT), "1", T(UTINYINT), "255", "SMALLINT", "256"},
        {"+", T(INTEGER), "1", T(BIGINT), "2", "BIGINT", "3"},
        {"+", T(UBIGINT), "18446744073709551615", T(INTEGER), "1", "DECIMAL(21,0)",
         "18446744073709551616"},
        {"+", T(INTEGER), "NULL", T(INTEGER), "2", "INTEGER", "NULL"},
        {"+", T(INTEGER), "2147483647", T(INTEGER), "1", "INTEGER",
         "error: 22003 invalid: the result is out of range for INTEGER\n  while evaluating ..."},
        {"-", T(BIGINT), "-9223372036854775808", T(BIGINT), "1", "BIGINT", "error: 22003 ..."},
        {"*", T(BIGINT), "4611686018427387904", T(BIGINT), "2", "BIGINT", "error: 22003 ..."},
        {"/", T(INTEGER), "-7", T(INTEGER), "2", "INTEGER", "-3"},
        {"/", T(INTEGER), "-2147483648", T(INTEGER), "-1", "INTEGER", "error: 22003 ..."},
        {"/", T(INTEGER), "1", T(INTEGER), "0", "INTEGER",
         "error: 22012 invalid: division by zero\n  while evaluating ..."},
        {"//", T(INTEGER), "7", T(INTEGER), "2", "INTEGER", "3"},
        {"%", T(INTEGER), "-7", T(INTEGER), "3", "INTEGER", "-1"},
        {"%", T(INTEGER), "7", T(INTEGER), "0", "INTEGER", "error: 22012 ..."},
        {"%", T(BIGINT), "-9223372036854775808", T(BIGINT), "-1", "BIGINT", "0"},
        {"-", T(INTEGER), "-2147483648", NULL, NULL, "INTEGER", "error: 22003 ..."},
        {"-", T(SMALLINT), "5", NULL, NULL, "SMALLINT", "-5"},
    };
    CHECK_CASES(cases);
}

TEST(operators_on_floats_pass_ieee_values_through) {
    const operator_case cases[] = {
        {"/", T(DOUBLE), "1", T(DOUBLE), "0", "DOUBLE", "inf"},
        {"/", T(DOUBLE), "0", T(INTEGER), "0", "DOUBLE", "NaN"},
        {"+", T(REAL), "1.5", T(INTEGER), "1", "DOUBLE", "2.5"},
        {"+", T(REAL), "1.5", T(FLOAT16), "1", "REAL", "2.5"},
        {"*", T(DOUBLE), "1e308", T(DOUBLE), "10", "DOUBLE", "inf"},
        {"+", D(5, 2), "1.25", T(DOUBLE), "0.5", "DOUBLE", "1.75"},
        {"-", T(DOUBLE), "0.0", NULL, NULL, "DOUBLE", "-0.0"},
    };
    CHECK_CASES(cases);
}

TEST(operators_on_decimals_have_the_types_and_rounding_of_sql) {
    const operator_case cases[] = {
        {"+", D(5, 2), "1.25", D(5, 2), "0.75", "DECIMAL(6,2)", "2.00"},
        {"+", D(9, 2), "9999999.99", D(9, 4), "0.0001", "DECIMAL(12,4)", "9999999.9901"},
        {"+", D(15, 2), "1.25", T(INTEGER), "1", "DECIMAL(16,2)", "2.25"},
        {"-", D(38, 10), "1.5", D(38, 0), "1", "DECIMAL(38,10)", "0.5000000000"},
        {"+", D(38, 0), "99999999999999999999999999999999999999", D(38, 0), "1", "DECIMAL(38,0)",
         "error: 22003 invalid: the result is out of range for DECIMAL(38,0)..."},
        {"+", D(38, 0), "99999999999999999999999999999999999999", D(38, 10), "1", "DECIMAL(38,10)",
         "error: 22003 ..."},
        {"*", D(15, 2), "12.34", D(15, 2), "-2.00", "DECIMAL(31,4)", "-24.6800"},
        {"*", D(4, 2), "12.34", D(4, 2), "2.00", "DECIMAL(9,4)", "24.6800"},
        {"*", D(38, 10), "12345678901234567890.5", D(38, 2), "1000000", "DECIMAL(38,12)",
         "12345678901234567890500000.000000000000"},
        {"*", D(38, 10), "1234567890123456789012345678.5", D(38, 2), "1000000", "DECIMAL(38,12)",
         "error: 22003 ..."},
        {"/", D(2, 1), "1.0", T(INTEGER), "3", "DECIMAL(38,16)", "0.3333333333333333"},
        {"/", D(2, 1), "2.0", T(INTEGER), "3", "DECIMAL(38,16)", "0.6666666666666667"},
        {"/", D(38, 20), "-2.0", D(38, 20), "3", "DECIMAL(38,20)", "-0.66666666666666666667"},
        {"/", D(2, 1), "1.0", D(2, 1), "0", "DECIMAL(38,16)", "error: 22012 ..."},
        {"/", D(38, 0), "99999999999999999999999999999999999999", D(38, 2), "0.01",
         "DECIMAL(38,16)", "error: 22003 ..."},
        {"%", D(5, 2), "5.50", T(INTEGER), "2", "DECIMAL(5,2)", "1.50"},
        {"%", D(5, 2), "-5.50", D(3, 0), "2", "DECIMAL(5,2)", "-1.50"},
        {"%", D(38, 0), "7", D(38, 38), "0.3", "DECIMAL(38,38)",
         "0.10000000000000000000000000000000000000"},
        {"+", D(50, 10), "1.5", D(38, 20), "1", "DECIMAL(61,20)", "2.50000000000000000000"},
        {"*", D(50, 10), "-1.5", D(5, 1), "1.5", "DECIMAL(56,11)", "-2.25000000000"},
        {"/", D(50, 10), "1.5", D(5, 1), "0.5", "DECIMAL(76,16)", "3.0000000000000000"},
        {"%", D(50, 10), "1.5", D(5, 1), "0.4", "DECIMAL(14,10)", "0.3000000000"},
        {"-", D(9, 2), "1.50", NULL, NULL, "DECIMAL(9,2)", "-1.50"},
        {"-", D(76, 2), "1.50", NULL, NULL, "DECIMAL(76,2)", "-1.50"},
    };
    CHECK_CASES(cases);
}

TEST(operators_on_dates_and_times_follow_the_calendar) {
    const type *nanos = type_temporal(TYPE_TIMESTAMP, UNIT_NANO);
    const operator_case cases[] = {
        {"+", T(DATE), "2020-02-28", T(INTEGER), "2", "DATE", "2020-03-01"},
        {"+", T(INTEGER), "2", T(DATE), "2020-02-28", "DATE", "2020-03-01"},
        {"-", T(DATE), "2020-03-01", T(BIGINT), "1", "DATE", "2020-02-29"},
        {"+", T(DATE), "2020-03-01", T(BIGINT), "99999999999", "DATE", "error: 22008 ..."},
        {"-", T(DATE), "2020-03-01", T(DATE), "2020-02-28", "BIGINT", "2"},
        {"+", T(DATE), "2020-01-31", T(INTERVAL), "1_month", "TIMESTAMP", "2020-02-29 00:00:00"},
        {"-", T(DATE), "2020-03-31", T(INTERVAL), "1_month", "TIMESTAMP", "2020-02-29 00:00:00"},
        {"+", T(TIMESTAMP), "2020-01-01_10:00:00", T(INTERVAL), "1_day_02:00:00", "TIMESTAMP",
         "2020-01-02 12:00:00"},
        {"+", T(INTERVAL), "1_day", nanos, "2020-01-01_10:00:00.000000001", "TIMESTAMP_NS",
         "2020-01-02 10:00:00.000000001"},
        {"-", T(TIMESTAMP), "2020-01-02_03:00:00", T(DATE), "2020-01-01", "INTERVAL",
         "1 day 03:00:00"},
        {"+", T(TIMESTAMPTZ), "2020-01-01_10:00:00+02", T(INTERVAL), "1_hour",
         "TIMESTAMP WITH TIME ZONE", "2020-01-01 09:00:00+00"},
        {"-", T(TIMESTAMPTZ), "2020-01-01_10:00:00+02", T(TIMESTAMP), "2020-01-01_07:00:00",
         "INTERVAL", "01:00:00"},
        {"+", T(TIME), "23:30:00", T(INTERVAL), "01:00:00", "TIME", "00:30:00"},
        {"-", T(TIME), "00:30:00", T(INTERVAL), "01:00:00", "TIME", "23:30:00"},
        {"-", T(TIME), "02:30:00", T(TIME), "01:00:00", "INTERVAL", "01:30:00"},
        {"+", T(DATE), "2020-01-01", T(TIME), "01:00:00", "TIMESTAMP", "2020-01-01 01:00:00"},
        {"+", T(INTERVAL), "1_month", T(INTERVAL), "2_days", "INTERVAL", "1 mon 2 days"},
        {"-", T(INTERVAL), "1_month", NULL, NULL, "INTERVAL", "-1 mons"},
        {"*", T(INTERVAL), "1_hour", D(3, 1), "1.5", "INTERVAL", "01:30:00"},
        {"*", T(INTEGER), "3", T(INTERVAL), "1_hour", "INTERVAL", "03:00:00"},
        {"/", T(INTERVAL), "1_hour", T(INTEGER), "2", "INTERVAL", "00:30:00"},
        {"/", T(INTERVAL), "1_hour", T(INTEGER), "0", "INTERVAL", "error: 22012 ..."},
    };
    CHECK_CASES(cases);
}

TEST(operators_compare_with_the_type_of_the_other_side) {
    const operator_case cases[] = {
        {"=", T(INTEGER), "1", T(DOUBLE), "1.0", "BOOLEAN", "true"},
        {"<", T(VARCHAR), "9", T(INTEGER), "10", "BOOLEAN", "true"},
        {"<", T(VARCHAR), "b", T(INTEGER), "10", "BOOLEAN",
         "error: 22P02 invalid: \"b\" is no INTEGER\n  while evaluating CAST..."},
        {">", T(DOUBLE), "NaN", T(DOUBLE), "inf", "BOOLEAN", "true"},
        {"=", T(DOUBLE), "NaN", T(DOUBLE), "NaN", "BOOLEAN", "true"},
        {"=", T(DOUBLE), "-0.0", T(DOUBLE), "0.0", "BOOLEAN", "true"},
        {"<>", D(38, 0), "99999999999999999999999999999999999999", D(38, 10), "1", "BOOLEAN",
         "true"},
        {">=", T(DATE), "2020-01-01", T(VARCHAR), "2019-12-31", "BOOLEAN", "true"},
        {"=", T(INTERVAL), "1_month", T(INTERVAL), "30_days", "BOOLEAN", "true"},
        {"=", T(INTEGER), "NULL", T(INTEGER), "1", "BOOLEAN", "NULL"},
        {"is_distinct_from", T(INTEGER), "NULL", T(INTEGER), "1", "BOOLEAN", "true"},
        {"is_distinct_from", T(INTEGER), "NULL", T(INTEGER), "NULL", "BOOLEAN", "false"},
        {"is_not_distinct_from", T(INTEGER), "1", T(INTEGER), "1", "BOOLEAN", "true"},
        {"is_not_distinct_from", T(INTEGER), "1", T(INTEGER), "2", "BOOLEAN", "false"},
        {"not", T(BOOLEAN), "true", NULL, NULL, "BOOLEAN", "false"},
        {"not", T(BOOLEAN), "NULL", NULL, NULL, "BOOLEAN", "NULL"},
        {"is_null", T(DATE), "NULL", NULL, NULL, "BOOLEAN", "true"},
        {"is_null", T(DATE), "2020-01-01", NULL, NULL, "BOOLEAN", "false"},
        {"is_not_null", TYPE_OF(NULL), "NULL", NULL, NULL, "BOOLEAN", "false"},
        {"is_true", T(BOOLEAN), "NULL", NULL, NULL, "BOOLEAN", "false"},
        {"is_false", T(BOOLEAN), "false", NULL, NULL, "BOOLEAN", "true"},
    };
    CHECK_CASES(cases);
}

TEST(operators_say_which_values_were_at_fault) {
    testing table = testing_open(3);
    expr *a = testing_column(&table, "a", T(INTEGER), "1 NULL 7");
    expr *b = testing_column(&table, "b", T(INTEGER), "1 0 0");
    const expr *root = call(&table, "+", call(&table, "/", a, b), a);
    CHECK_RUN(&table, root,
              "error: 22012 invalid: division by zero\n  while evaluating a / b with a = 7, b = 0");
    const uint16_t rows[] = {0, 1};
    table.selection = rows;
    table.selected_count = 2;
    CHECK_RUN(&table, root, "2 NULL"); // A row that is not selected is no error.
    testing_close(&table);
}

TEST(operators_compute_wide_decimals_in_64_bits_where_they_fit) {
    testing table = testing_open(4);
    expr *price = testing_column(&table, "price", D(15, 2), "100.00 -0.01 NULL 9999999999999.99");
    expr *discount = testing_column(&table, "discount", D(15, 2), "0.10 0.00 0.05 0.99");
    expr *one = testing_literal(&table, T(INTEGER), "1");
    const expr *root = call(&table, "*", price, call(&table, "-", one, discount));
    CHECK(!expr_can_fail(root));
    CHECK_RUN(&table, root, "90.0000 -0.0100 NULL 99999999999.9999");
    const expr *square = call(&table, "*", price, price);
    CHECK_RUN(&table, square, "10000.0000 0.0001 NULL 99999999999999800000000000.0001");
    const expr *compared = call(&table, ">", (expr *)(uintptr_t)root, one);
    CHECK_RUN(&table, compared, "true false NULL true");
    testing_close(&table);
}

TEST(operators_that_divide_by_a_constant_cannot_fail) {
    testing table = testing_open(1);
    expr *a = testing_column(&table, "a", T(BIGINT), "7");
    CHECK(!expr_can_fail(call(&table, "/", a, testing_literal(&table, T(INTEGER), "2"))));
    CHECK(!expr_can_fail(call(&table, "%", a, testing_literal(&table, T(INTEGER), "-1"))));
    CHECK(expr_can_fail(call(&table, "/", a, testing_literal(&table, T(INTEGER), "-1"))));
    CHECK(expr_can_fail(call(&table, "/", a, testing_literal(&table, T(INTEGER), "0"))));
    CHECK(expr_can_fail(call(&table, "+", a, testing_literal(&table, T(INTEGER), "2"))));
    testing_close(&table);
}

TEST(registry_finds_functions_by_name_alias_and_likeness) {
    CHECK(function_find(TEXT("+")) != NULL);
    CHECK(function_find(TEXT("MOD")) == function_find(TEXT("%")));
    CHECK(function_find(TEXT("IS_NULL")) != NULL);
    CHECK(function_find(TEXT("no_such_function")) == NULL);
    CHECK(function_find(TEXT("")) == NULL);
    nearest_name near = nearest_to(TEXT("is_nul"));
    function_offer_names(&near);
    CHECK(near.count > 0 && text_equal(near.found[0], TEXT("is_null")));
    near = nearest_to(TEXT("zzzzzzzzzzzzzzzz"));
    function_offer_names(&near);
    CHECK(near.count == 0);
}
