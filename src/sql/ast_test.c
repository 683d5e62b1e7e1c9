#include "sql/ast.h"

#include <string.h>

#include "base/test.h"
#include "sql/parser.h"

#define MEMORY_MAX ((size_t)64 << 20)

static const sql_expr *parse(const char *sql, arena *memory) {
    firn_error err = ERR_INIT;
    const sql_expr *expr = NULL;
    if (sql_parse_expression(text_of(sql), memory, &expr, &err) != FIRN_OK) {
        test_fail(__FILE__, __LINE__, err.text);
        return NULL;
    }
    return expr;
}

static const sql_query *parse_query(const char *sql, arena *memory) {
    firn_error err = ERR_INIT;
    const sql_statement *statement = NULL;
    size_t used;
    if (sql_parse_statement(text_of(sql), 0, memory, &statement, &used, &err) != FIRN_OK ||
        statement == NULL || sql_statement_kind_of(statement) != SQL_QUERY_STATEMENT) {
        test_fail(__FILE__, __LINE__, sql);
        return NULL;
    }
    return sql_query_statement_of(statement)->query;
}

// ---- Children ----------------------------------------------------------------------------------

typedef struct seen {
    char names[256]; // Of the children, separated by blanks.
    size_t left;     // Stop after so many.
} seen;

static bool see(const sql_node *child, void *user) {
    seen *self = user;
    const size_t size = strlen(self->names);
    const size_t room = sizeof self->names - size;
    (void)snprintf(self->names + size, room, "%s ", sql_node_name(child));
    self->left -= 1;
    return self->left > 0;
}

TEST(ast_visits_the_children_of_a_node) {
    static const struct {
        const char *sql;
        const char *children;
    } cases[] = {
        {"1", ""},
        {"a + 1", "column literal "},
        {"a AND b = 2 AND f(c)", "column binary call "},
        {"f(x, y -> y, z => 2 ORDER BY a) FILTER (WHERE b IS NULL) OVER (ORDER BY c)",
         "column lambda named_argument order_item is window "},
        {"CASE a WHEN 1 THEN 2 WHEN 3 THEN 4 ELSE 5 END", "column when when literal "},
        {"a IN (1, 2)", "column literal literal "},
        {"a IN (SELECT 1)", "column query "},
        {"CAST(a AS INT[])", "column type "},
        {"a LIKE 'b' ESCAPE 'c'", "column literal literal "},
        {"a[1:2]", "column literal literal "},
    };
    arena memory = arena_open(MEMORY_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        seen all = {.left = 100};
        const sql_expr *expr = parse(cases[i].sql, &memory);
        REQUIRE(expr != NULL);
        CHECK(sql_visit_children(expr, see, &all));
        if (strcmp(all.names, cases[i].children) != 0) {
            test_fail(__FILE__, __LINE__, all.names);
        }
    }
    arena_close(&memory);
}

TEST(ast_stops_a_visit_when_it_is_told_to) {
    arena memory = arena_open(MEMORY_MAX);
    seen some = {.left = 2};
    const sql_expr *expr = parse("f(1, a, 2, b)", &memory);
    REQUIRE(expr != NULL);
    CHECK(!sql_visit_children(expr, see, &some));
    CHECK(strcmp(some.names, "literal column ") == 0);
    arena_close(&memory);
}

// ---- Height ------------------------------------------------------------------------------------

TEST(ast_counts_the_height_of_trees_without_left_leaning_chains) {
    static const struct {
        const char *sql;
        uint16_t height;
    } cases[] = {
        {"a", 1},
        {"a + b", 2},
        {"a + b + c + d", 2},
        {"a - (b - c)", 3},
        {"a * b + c * d", 3},
        {"a + f(b)", 3},
        {"f(a) + b", 3},
        {"f(g(h(1)))", 4},
        {"a AND b AND c", 2},
        {"-(-(a))", 3},
        {"a IS NULL IS NULL", 3},
        {"[1, [2, [3]]]", 4},
    };
    arena memory = arena_open(MEMORY_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const sql_expr *expr = parse(cases[i].sql, &memory);
        if (expr == NULL || expr->height != cases[i].height) {
            test_fail(__FILE__, __LINE__, cases[i].sql);
        }
    }
    arena_close(&memory);
}

TEST(ast_compares_everything_but_positions) {
    static const struct {
        const char *one;
        const char *other;
        bool are_equal;
    } cases[] = {
        {"SELECT a FROM t", "  select\na /* x */ from t", true},
        {"SELECT a AS b", "SELECT a b", true},
        {"SELECT a AS b", "SELECT a AS B", false},
        {"SELECT a FROM t", "SELECT a FROM t AS u", false},
        {"SELECT a FROM t, u", "SELECT a FROM t CROSS JOIN u", false},
        {"SELECT a FROM t JOIN u ON b", "SELECT a FROM t LEFT JOIN u ON b", false},
        {"SELECT a FROM t JOIN u USING (b)", "SELECT a FROM t JOIN u USING (c)", false},
        {"SELECT a UNION SELECT b", "SELECT a UNION ALL SELECT b", false},
        {"SELECT a UNION SELECT b UNION SELECT c", "SELECT x UNION SELECT b UNION SELECT c", false},
        {"SELECT a UNION SELECT b UNION SELECT c", "SELECT a UNION SELECT b UNION SELECT c", true},
        {"SELECT a LIMIT 1", "SELECT a OFFSET 1", false},
        {"SELECT a", "SELECT DISTINCT a", false},
        {"SELECT a, b", "SELECT a", false},
        {"SELECT a ORDER BY b", "SELECT a ORDER BY b DESC", false},
        {"SELECT 1 WHERE a", "SELECT 1", false},
        {"SELECT 1", "SELECT 1 WHERE a", false},
        {"WITH a AS (SELECT 1) SELECT 1", "WITH RECURSIVE a AS (SELECT 1) SELECT 1", false},
    };
    arena memory = arena_open(MEMORY_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const sql_query *one = parse_query(cases[i].one, &memory);
        const sql_query *other = parse_query(cases[i].other, &memory);
        REQUIRE(one != NULL && other != NULL);
        if (sql_equal(&one->node, &other->node) != cases[i].are_equal ||
            sql_equal(&other->node, &one->node) != cases[i].are_equal) {
            test_fail(__FILE__, __LINE__, cases[i].one);
        }
    }
    CHECK(sql_equal(NULL, NULL));
    arena_close(&memory);
}

TEST(ast_has_what_a_query_says) {
    arena memory = arena_open(MEMORY_MAX);
    const sql_query *query =
        parse_query("SELECT t.a AS x, count(*) FROM s.t AS u (p, q) JOIN 'f.parquet' USING (k) "
                    "WHERE b GROUP BY ROLLUP (a) ORDER BY 1 DESC NULLS FIRST LIMIT 3",
                    &memory);
    REQUIRE(query != NULL && sql_body_kind_of(query->body) == SQL_SELECT);
    const sql_select *select = sql_select_of(query->body);
    REQUIRE(select->items.count == 2 && select->from.count == 1 && select->group_by.count == 1);
    const sql_select_item *item = sql_select_item_of(select->items.items[0]);
    CHECK(text_equal(item->alias.value, TEXT("x")) && item->alias.position == 14);
    REQUIRE(sql_relation_kind_of(select->from.items[0]) == SQL_JOIN);
    const sql_join *join = sql_join_of(select->from.items[0]);
    CHECK(join->kind == SQL_JOIN_INNER && join->using.count == 1 && join->on == NULL);
    const sql_table *table = sql_table_of(join->left);
    CHECK(table->path.count == 2 && table->columns.count == 2 && table->file == NULL);
    CHECK(text_equal(sql_table_of(join->right)->file->value, TEXT("f.parquet")));
    CHECK(sql_grouping_of(select->group_by.items[0])->kind == SQL_GROUPING_ROLLUP);
    const sql_order_item *order = sql_order_item_of(query->order_by.items[0]);
    CHECK(order->direction == SQL_DIRECTION_DESC && order->nulls == SQL_NULL_ORDER_FIRST);
    CHECK(sql_is_expr(query->limit, SQL_LITERAL) && query->offset == NULL);
    arena_close(&memory);
}

TEST(ast_knows_how_operators_and_units_are_written) {
    CHECK(strcmp(sql_operator_text(SQL_OP_LESS_EQUAL), "<=") == 0);
    CHECK(strcmp(sql_operator_text(SQL_OP_NOT_ILIKE), "NOT ILIKE") == 0);
    CHECK(strcmp(sql_unit_text(SQL_UNIT_NONE), "") == 0);
    CHECK(strcmp(sql_unit_text(SQL_UNIT_NANOSECOND), "NANOSECOND") == 0);
}
