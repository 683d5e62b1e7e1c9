#include "expr/expr.h"

#include "expr/aggregate.h"
#include "expr/expr_testing.h"
#include "expr/id_set.h"

static uint32_t no_kernel(function_call *call, const column *const *args, column *out) {
    (void)args;
    (void)out;
    return call->count;
}

#define OPERATOR(symbol, word, flags_)                                                             \
    static const scalar_function symbol = {                                                        \
        .name = word,                                                                              \
        .flags = flags_,                                                                           \
        .overloads = (const overload[]){{.signature = "T <- T", .kernel = no_kernel},              \
                                        {.signature = "T <- T, T", .kernel = no_kernel},           \
                                        {0}},                                                      \
    }
OPERATOR(op_add, "+", FUNCTION_CAN_FAIL);
OPERATOR(op_sub, "-", FUNCTION_CAN_FAIL);
OPERATOR(op_mul, "*", FUNCTION_CAN_FAIL);
OPERATOR(op_lt, "<", 0);
OPERATOR(op_not, "not", 0);
OPERATOR(op_null, "is_null", 0);
OPERATOR(op_concat, "||", 0);
OPERATOR(op_upper, "upper", 0);
OPERATOR(op_random, "random", FUNCTION_VOLATILE);

static const aggregate_function agg_sum = {.name = "sum"};

static expr *apply(testing *table, const scalar_function *function, const type *result, expr *left,
                   expr *right) {
    expr *const args[] = {left, right};
    return expr_call(&table->memory, function, 0, result, args, right == NULL ? 1 : 2);
}

static expr *a_of(testing *table) {
    return expr_column(&table->memory, 1, TEXT("a"), TYPE_OF(INTEGER));
}
static expr *b_of(testing *table) {
    return expr_column(&table->memory, 2, TEXT("b"), TYPE_OF(INTEGER));
}
static expr *number(testing *table, int64_t value) {
    return expr_i64(&table->memory, TYPE_OF(INTEGER), value);
}

#define CHECK_TEXT(table, root, expected)                                                          \
    CHECK(testing_is(expr_text((root), &(table)->memory), (expected)))

TEST(expr_prints_operators_with_as_few_parentheses_as_can_be) {
    testing t = testing_open(1);
    const type *integer = TYPE_OF(INTEGER);
    const type *boolean = TYPE_OF(BOOLEAN);
    expr *a = a_of(&t);
    expr *b = b_of(&t);
    expr *sum = apply(&t, &op_add, integer, a, b);
    CHECK_TEXT(&t, apply(&t, &op_mul, integer, sum, number(&t, 2)), "(a + b) * 2");
    CHECK_TEXT(&t, apply(&t, &op_add, integer, sum, number(&t, 2)), "a + b + 2");
    CHECK_TEXT(&t, apply(&t, &op_sub, integer, a, sum), "a - (a + b)");
    CHECK_TEXT(&t, apply(&t, &op_sub, integer, a, number(&t, -2)), "a - -2");
    CHECK_TEXT(&t, apply(&t, &op_sub, integer, sum, NULL), "-(a + b)");
    CHECK_TEXT(&t, apply(&t, &op_sub, integer, number(&t, -2), NULL), "-(-2)");
    expr *less = apply(&t, &op_lt, boolean, a, b);
    CHECK_TEXT(&t, apply(&t, &op_not, boolean, less, NULL), "NOT a < b");
    CHECK_TEXT(&t, apply(&t, &op_null, boolean, less, NULL), "(a < b) IS NULL");
    expr *either = expr_or(&t.memory, less, apply(&t, &op_null, boolean, a, NULL));
    CHECK_TEXT(&t, expr_and(&t.memory, either, less), "(a < b OR a IS NULL) AND a < b");
    CHECK_TEXT(&t, apply(&t, &op_not, boolean, either, NULL), "NOT (a < b OR a IS NULL)");
    CHECK_TEXT(&t, apply(&t, &op_concat, integer, a, b), "a || b");
    CHECK_TEXT(&t, apply(&t, &op_upper, integer, sum, NULL), "upper(a + b)");
    testing_close(&t);
}

TEST(expr_prints_literals_as_sql_reads_them) {
    testing t = testing_open(1);
    CHECK_TEXT(&t, expr_string(&t.memory, TYPE_OF(VARCHAR), TEXT("it's")), "'it''s'");
    CHECK_TEXT(&t, expr_bool(&t.memory, true), "true");
    CHECK_TEXT(&t, expr_null(&t.memory, TYPE_OF(DATE)), "NULL");
    CHECK_TEXT(&t, testing_literal(&t, TYPE_OF(DATE), "2020-01-02"), "DATE '2020-01-02'");
    CHECK_TEXT(&t, testing_literal(&t, TYPE_OF(INTERVAL), "1_day"), "INTERVAL '1 day'");
    CHECK_TEXT(&t, testing_literal(&t, TYPE_OF(BINARY), "\\x1fa0"), "X'1fa0'");
    CHECK_TEXT(&t, testing_literal(&t, TYPE_OF(DOUBLE), "2"), "2.0");
    CHECK_TEXT(&t, expr_i64(&t.memory, TYPE_OF(UTINYINT), 200), "200");
    CHECK_TEXT(&t, expr_column(&t.memory, 7, TEXT(""), TYPE_OF(DATE)), "#7");
    testing_close(&t);
}

TEST(expr_prints_casts_that_were_written_and_hides_the_others) {
    testing t = testing_open(1);
    expr *a = a_of(&t);
    CHECK_TEXT(&t, expr_cast(&t.memory, a, TYPE_OF(BIGINT), false, true), "a");
    CHECK_TEXT(&t, expr_cast(&t.memory, a, TYPE_OF(BIGINT), false, false), "CAST(a AS BIGINT)");
    CHECK_TEXT(&t, expr_cast(&t.memory, a, TYPE_OF(DATE), true, false), "TRY_CAST(a AS DATE)");
    CHECK(expr_cast(&t.memory, a, TYPE_OF(INTEGER), false, false) == a);
    testing_close(&t);
}

TEST(expr_prints_the_other_kinds) {
    testing t = testing_open(1);
    expr *a = a_of(&t);
    expr *in = expr_new(&t.memory, EXPR_IN, TYPE_OF(BOOLEAN));
    const column values = testing_values(&t, TYPE_OF(INTEGER), "1 2", 2);
    in->in_.arg = a;
    in->in_.values = &values;
    in->in_.has_null = true;
    in->in_.is_negated = true;
    CHECK_TEXT(&t, in, "a NOT IN (1, 2, NULL)");
    expr *choice = expr_new(&t.memory, EXPR_CASE, TYPE_OF(INTEGER));
    expr *condition = in;
    expr *value = number(&t, 1);
    choice->case_.conditions = (expr_list){.count = 1, .items = &condition};
    choice->case_.values = (expr_list){.count = 1, .items = &value};
    choice->case_.otherwise = a;
    CHECK_TEXT(&t, choice, "CASE WHEN a NOT IN (1, 2, NULL) THEN 1 ELSE a END");
    expr *sum = expr_new(&t.memory, EXPR_AGGREGATE, TYPE_OF(BIGINT));
    sort_key key = {.value = a, .is_descending = true};
    sum->aggregate_.function = &agg_sum;
    sum->aggregate_.args = (expr_list){.count = 1, .items = &a};
    sum->aggregate_.is_distinct = true;
    sum->aggregate_.filter = in;
    sum->aggregate_.order = (sort_key_list){1, &key};
    CHECK_TEXT(&t, sum,
               "sum(DISTINCT a ORDER BY a DESC NULLS LAST) FILTER (WHERE a NOT IN (1, 2, NULL))");
    expr *deep = a;
    for (int i = 0; i < 1000; i++) {
        deep = apply(&t, &op_upper, TYPE_OF(INTEGER), deep, NULL);
    }
    CHECK(text_find(expr_text(deep, &t.memory), TEXT("...")) > 0);
    testing_close(&t);
}

TEST(expr_equality_is_that_of_values_not_of_places_and_names) {
    testing t = testing_open(1);
    expr *a = a_of(&t);
    expr *renamed = expr_column(&t.memory, 1, TEXT("other"), TYPE_OF(INTEGER));
    renamed->position = 7;
    CHECK(expr_equal(a, renamed) && expr_hash(a) == expr_hash(renamed));
    CHECK(!expr_equal(a, b_of(&t)));
    CHECK(expr_equal(number(&t, 5), number(&t, 5)));
    CHECK(!expr_equal(number(&t, 5), number(&t, 6)));
    CHECK(!expr_equal(number(&t, 5), expr_i64(&t.memory, TYPE_OF(BIGINT), 5)));
    CHECK(!expr_equal(number(&t, 5), expr_null(&t.memory, TYPE_OF(INTEGER))));
    // Equal for SQL, but not the same value.
    const expr *zero = testing_literal(&t, TYPE_OF(DOUBLE), "0.0");
    CHECK(!expr_equal(zero, testing_literal(&t, TYPE_OF(DOUBLE), "-0.0")));
    const expr *month = testing_literal(&t, TYPE_OF(INTERVAL), "1_month");
    CHECK(!expr_equal(month, testing_literal(&t, TYPE_OF(INTERVAL), "30_days")));
    const expr *sum = apply(&t, &op_add, TYPE_OF(INTEGER), a, number(&t, 1));
    const expr *same = apply(&t, &op_add, TYPE_OF(INTEGER), renamed, number(&t, 1));
    CHECK(expr_equal(sum, same) && expr_hash(sum) == expr_hash(same));
    const expr *random = apply(&t, &op_random, TYPE_OF(DOUBLE), a, NULL);
    CHECK(!expr_equal(random, random));
    const type *lists = type_list(&t.memory, TYPE_OF(INTEGER));
    CHECK(
        expr_equal(testing_literal(&t, lists, "[1,NULL]"), testing_literal(&t, lists, "[1,NULL]")));
    CHECK(!expr_equal(testing_literal(&t, lists, "[1,NULL]"), testing_literal(&t, lists, "[1,2]")));
    testing_close(&t);
}

TEST(expr_copies_depend_on_nothing_of_the_original) {
    testing t = testing_open(1);
    testing other = testing_open(1);
    expr *word = expr_string(&t.memory, TYPE_OF(VARCHAR), TEXT("a rather long text, not inline"));
    expr *cast = expr_cast(&t.memory, word, type_decimal(&t.memory, 12, 2), false, false);
    const type *lists = type_list(&t.memory, TYPE_OF(VARCHAR));
    expr *list = testing_literal(&t, lists, "[abc,NULL,abcdefghijklmnopqrst]");
    expr *root = apply(&t, &op_add, lists, cast, list);
    expr *copy = expr_copy(&other.memory, root);
    REQUIRE(copy != NULL && expr_equal(root, copy));
    testing_close(&t); // Poisons the original.
    CHECK_TEXT(&other, copy,
               "CAST('a rather long text, not inline' AS DECIMAL(12,2)) + "
               "[abc, NULL, abcdefghijklmnopqrst]");
    arena tiny = arena_open(200);
    CHECK(expr_copy(&tiny, copy) == NULL);
    arena_close(&tiny);
    testing_close(&other);
}

TEST(expr_junctions_are_flat) {
    testing t = testing_open(1);
    expr *a = expr_column(&t.memory, 1, TEXT("a"), TYPE_OF(BOOLEAN));
    expr *b = expr_column(&t.memory, 2, TEXT("b"), TYPE_OF(BOOLEAN));
    expr *both = expr_and(&t.memory, a, b);
    expr *all = expr_and(&t.memory, both, expr_and(&t.memory, b, a));
    CHECK(all->and_.args.count == 4);
    CHECK(expr_and(&t.memory, NULL, a) == a && expr_and(&t.memory, a, NULL) == a);
    CHECK(expr_or(&t.memory, both, a)->or_.args.count == 2);
    testing_close(&t);
}

static bool count_child(void *user, expr **slot) {
    (void)slot;
    uint32_t *count = user;
    *count += 1;
    return *count < 3;
}

TEST(expr_visits_children_until_told_to_stop) {
    testing t = testing_open(1);
    expr *items[5];
    for (int i = 0; i < 5; i++) {
        items[i] = a_of(&t);
    }
    expr *list = expr_new(&t.memory, EXPR_COALESCE, TYPE_OF(INTEGER));
    list->coalesce_.args = (expr_list){.count = 5, .items = items};
    uint32_t count = 0;
    CHECK(!expr_visit_children(list, count_child, &count));
    CHECK(count == 3);
    testing_close(&t);
}

TEST(expr_knows_what_can_fail_what_varies_and_which_columns_it_reads) {
    testing t = testing_open(1);
    firn_error err = ERR_INIT;
    expr *a = a_of(&t);
    expr *sum = apply(&t, &op_add, TYPE_OF(INTEGER), a, number(&t, 1));
    expr *quiet = expr_new(&t.memory, EXPR_TRY, TYPE_OF(INTEGER));
    quiet->try_.arg = sum;
    CHECK(expr_can_fail(sum) && !expr_can_fail(quiet) && !expr_can_fail(a));
    CHECK(!expr_is_constant(sum) && expr_is_constant(number(&t, 1)));
    expr *word = expr_cast(&t.memory, a, TYPE_OF(VARCHAR), false, false);
    CHECK(!expr_can_fail(word));
    CHECK(expr_can_fail(expr_cast(&t.memory, word, TYPE_OF(DATE), false, false)));
    CHECK(!expr_can_fail(expr_cast(&t.memory, word, TYPE_OF(DATE), true, false)));
    // A lambda's parameter is no column of the input.
    uint32_t parameter = 50;
    expr *x = expr_column(&t.memory, parameter, TEXT("x"), TYPE_OF(INTEGER));
    expr *lambda = expr_new(&t.memory, EXPR_LAMBDA, TYPE_OF(INTEGER));
    lambda->lambda_.parameters = (u32_list){.count = 1, .items = &parameter};
    lambda->lambda_.body = apply(&t, &op_add, TYPE_OF(INTEGER), x, x);
    CHECK(expr_is_constant(lambda));
    lambda->lambda_.body = apply(&t, &op_add, TYPE_OF(INTEGER), x, b_of(&t));
    CHECK(!expr_is_constant(lambda));
    id_set columns = id_set_open(&t.memory);
    REQUIRE(expr_columns(lambda, &columns, &err) == FIRN_OK);
    CHECK(id_set_count(&columns) == 1 && id_set_has(&columns, 2));
    testing_close(&t);
}
