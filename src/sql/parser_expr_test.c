#include <string.h>

#include "base/test.h"
#include "sql/parser.h"
#include "sql/printer.h"

#define MEMORY_MAX ((size_t)64 << 20)

// Whether two texts are the same expression.
static bool are_equal(const char *left, const char *right, arena *memory) {
    firn_error err = ERR_INIT;
    const sql_expr *l;
    const sql_expr *r;
    return sql_parse_expression(text_of(left), memory, &l, &err) == FIRN_OK &&
           sql_parse_expression(text_of(right), memory, &r, &err) == FIRN_OK && sql_equal(l, r);
}

TEST(parser_binds_operators_as_postgresql_does) {
    static const struct {
        const char *written;
        const char *meant;
    } cases[] = {
        {"a + b * c", "a + (b * c)"},
        {"a * b + c", "(a * b) + c"},
        {"a - b - c", "(a - b) - c"},
        {"a / b * c % d // e", "(((a / b) * c) % d) // e"},
        {"a ^ b ^ c", "(a ^ b) ^ c"},
        {"a * b ^ c", "a * (b ^ c)"},
        {"-a ^ b", "(-a) ^ b"},
        {"- a::int", "-(a::int)"},
        {"-a[1]", "-(a[1])"},
        {"a::int[1]", "CAST(a AS INT[1])"},
        {"-a COLLATE x", "(-a) COLLATE x"},
        {"a || b COLLATE x", "a || (b COLLATE x)"},
        {"a AT TIME ZONE b ^ c", "(a AT TIME ZONE b) ^ c"},
        {"a AT TIME ZONE b AT TIME ZONE c", "(a AT TIME ZONE b) AT TIME ZONE c"},
        {"a + b AT TIME ZONE c", "a + (b AT TIME ZONE c)"},
        {"a || b + c", "a || (b + c)"},
        {"a || b || c", "(a || b) || c"},
        {"a << b + c", "a << (b + c)"},
        {"a & b | c # d", "((a & b) | c) # d"},
        {"~ a + b", "~ (a + b)"},
        {"~ a | b", "(~ a) | b"},
        {"a -> b ->> c", "(a -> b) ->> c"},
        {"a ->> 'x' = b", "(a ->> 'x') = b"},
        {"a = b || c", "a = (b || c)"},
        {"a < b + c", "a < (b + c)"},
        {"a BETWEEN b + c AND d || e", "a BETWEEN (b + c) AND (d || e)"},
        {"a BETWEEN b AND c AND d", "(a BETWEEN b AND c) AND d"},
        {"a = b BETWEEN c AND d", "a = (b BETWEEN c AND d)"},
        {"a LIKE b || c", "a LIKE (b || c)"},
        {"a = b LIKE c", "a = (b LIKE c)"},
        {"a IN (b) = c", "(a IN (b)) = c"},
        {"a + b IN (c)", "(a + b) IN (c)"},
        {"a = b IS NULL", "(a = b) IS NULL"},
        {"NOT a IS NULL", "NOT (a IS NULL)"},
        {"NOT a = b", "NOT (a = b)"},
        {"NOT a AND b", "(NOT a) AND b"},
        {"NOT NOT a", "NOT (NOT a)"},
        {"a = NOT b AND c", "(a = (NOT b)) AND c"},
        {"a OR b AND c", "a OR (b AND c)"},
        {"a AND b OR c AND d", "(a AND b) OR (c AND d)"},
        {"a IS NULL IS NOT TRUE", "(a IS NULL) IS NOT TRUE"},
        {"a IS DISTINCT FROM b + c", "a IS DISTINCT FROM (b + c)"},
        {"a OVERLAPS b AND c", "(a OVERLAPS b) AND c"},
        {"a = ANY (b) AND c", "(a = ANY (b)) AND c"},
        {"a + 1 = ALL (b)", "(a + 1) = ALL (b)"},
        {"a @> b || c", "(a @> b) || c"},
        {"a ~ b AND c !~* d", "(a ~ b) AND (c !~* d)"},
        {"(a).b[1].c", "((a).b)[1].c"},
    };
    arena memory = arena_open(MEMORY_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (!are_equal(cases[i].written, cases[i].meant, &memory)) {
            test_fail(__FILE__, __LINE__, cases[i].written);
        }
    }
    arena_close(&memory);
}

TEST(parser_takes_other_spellings_for_the_same_expression) {
    static const struct {
        const char *one;
        const char *other;
    } cases[] = {
        {"a != b", "a <> b"},
        {"a ISNULL", "a IS NULL"},
        {"a NOTNULL", "a IS NOT NULL"},
        {"a ~~ b", "a LIKE b"},
        {"a !~~ b", "a NOT LIKE b"},
        {"a ~~* b", "a ILIKE b"},
        {"a !~~* b", "a NOT ILIKE b"},
        {"a ~~ ANY (b)", "a LIKE ANY (b)"},
        {"a = SOME (b)", "a = ANY (b)"},
        {"a::int", "CAST(a AS INT)"},
        {"SAFE_CAST(a AS INT)", "TRY_CAST(a AS INT)"},
        {"ARRAY[1, 2]", "[1, 2]"},
        {"ROW(a, b)", "(a, b)"},
        {"0x10", "16"},
        {"E'a'", "'a'"},
        {"$$a$$", "'a'"},
        {"F(a)", "f(a)"},
        {"f(ALL a)", "f(a)"},
        {"f(a := 1)", "f(a => 1)"},
        {"struct(1 AS a)", "struct(a => 1)"},
        {"(a).f(b)", "f(a, b)"},
        {"(a).trim(b)", "\"trim\"(a, b)"},
        {"a BETWEEN ASYMMETRIC b AND c", "a BETWEEN b AND c"},
        {"INTERVAL '1' DAYS", "INTERVAL '1' DAY"},
        {"TIMESTAMP WITH TIME ZONE 'x'", "timestamptz 'x'"},
        {"TIMESTAMP WITHOUT TIME ZONE 'x'", "TIMESTAMP 'x'"},
        {"TIMESTAMP(3) WITH TIME ZONE 'x'", "TIMESTAMPTZ(3) 'x'"},
        {"TIME WITH TIME ZONE 'x'", "TIMETZ 'x'"},
        {"DOUBLE PRECISION '1'", "DOUBLE '1'"},
        {"CHARACTER VARYING 'a'", "VARCHAR 'a'"},
        {"CAST(a AS ARRAY<STRUCT<x: INT, y: ARRAY<INT>>>)", "CAST(a AS STRUCT(x INT, y INT[])[])"},
        {"CAST(a AS MAP<TEXT, LIST<INT>>)", "CAST(a AS MAP(TEXT, LIST(INT)))"},
        {"CAST(a AS INT ARRAY)", "CAST(a AS INT[])"},
        {"CAST(a AS ROW(x INT))", "CAST(a AS STRUCT(x INT))"},
        {"CAST(a AS NATIONAL CHARACTER VARYING(3))", "CAST(a AS VARCHAR(3))"},
        {"x IN ((SELECT 1))", "x IN (SELECT 1)"},
        {"((SELECT 1))", "(SELECT 1)"},
        {"((SELECT 1) UNION (SELECT 2))", "(SELECT 1 UNION SELECT 2)"},
        {"f(LAMBDA x: x + 1)", "f(x -> x + 1)"},
        {"f((x) -> x + 1)", "f(x -> x + 1)"},
        {"f(LAMBDA x, y: x)", "f((x, y) -> x)"},
        {"current_schema()", "current_schema"},
        {"sum(a) OVER (ROWS 1 PRECEDING)",
         "sum(a) OVER (ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)"},
        {"sum(a) OVER (ROWS CURRENT ROW EXCLUDE NO OTHERS)",
         "sum(a) OVER (ROWS BETWEEN CURRENT ROW AND CURRENT ROW)"},
        {"f(a IGNORE NULLS) OVER ()", "f(a) IGNORE NULLS OVER ()"},
        {"sum(a) FILTER (b)", "sum(a) FILTER (WHERE b)"},
        {"substring(a FOR 2)", "substring(a FROM 1 FOR 2)"},
        {"substring(a FOR 2 FROM 3)", "substring(a FROM 3 FOR 2)"},
        {"substring(a || b SIMILAR c ESCAPE d)", "substring(a || b FROM c FOR d)"},
        {"substring(a SIMILAR TO b)", "substring(a SIMILAR TO b)"},
        {"trim(a FROM b)", "trim(BOTH a FROM b)"},
        {"trim(FROM b)", "trim(BOTH FROM b)"},
        {"trim(LEADING b)", "trim(LEADING FROM b)"},
    };
    arena memory = arena_open(MEMORY_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (!are_equal(cases[i].one, cases[i].other, &memory)) {
            test_fail(__FILE__, __LINE__, cases[i].one);
        }
    }
    arena_close(&memory);
}

TEST(parser_keeps_different_expressions_apart) {
    static const struct {
        const char *one;
        const char *other;
    } cases[] = {
        {"a", "\"a\""},
        {"a", "A"},
        {"1", "1.0"},
        {"a - (b - c)", "a - b - c"},
        {"a AND b", "a OR b"},
        {"(a AND b) AND c", "a AND b AND c"},
        {"a IN (1)", "a NOT IN (1)"},
        {"a IS NULL", "a IS NOT NULL"},
        {"count(a)", "count(DISTINCT a)"},
        {"count(*)", "count(a)"},
        {"f(a)", "f(a) OVER ()"},
        {"f(a) OVER w", "f(a) OVER (w)"},
        {"(a).b", "a.b"},
        {"a[1]", "a[1:]"},
        {"a[:1]", "a[1:]"},
        {"a = ANY (b)", "a = ALL (b)"},
        {"a BETWEEN SYMMETRIC b AND c", "a BETWEEN b AND c"},
        {"CAST(a AS INT)", "TRY_CAST(a AS INT)"},
        {"CAST(a AS DECIMAL(10, 2))", "CAST(a AS DECIMAL(10, 3))"},
        {"(SELECT 1)", "EXISTS (SELECT 1)"},
        {"(SELECT 1)", "ARRAY(SELECT 1)"},
        {"ROW(a)", "(a)"},
        {"CASE WHEN a THEN b END", "CASE WHEN a THEN b ELSE NULL END"},
        {"CASE a WHEN b THEN c END", "CASE WHEN b THEN c END"},
        {"INTERVAL '1' DAY", "INTERVAL '1' DAY TO HOUR"},
        {"f(x -> 'a')", "f(LAMBDA x: 'a')"},
        {"f((x -> y))", "f(x -> y)"},
        {"extract(year FROM a)", "extract('year', a)"},
        {"a COLLATE x", "a COLLATE y"},
        {"a LIKE b", "a LIKE b ESCAPE c"},
    };
    arena memory = arena_open(MEMORY_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        firn_error err = ERR_INIT;
        const sql_expr *one;
        const sql_expr *other;
        REQUIRE(sql_parse_expression(text_of(cases[i].one), &memory, &one, &err) == FIRN_OK);
        REQUIRE(sql_parse_expression(text_of(cases[i].other), &memory, &other, &err) == FIRN_OK);
        if (sql_equal(one, other) || !sql_equal(one, one) || sql_equal(one, NULL)) {
            test_fail(__FILE__, __LINE__, cases[i].one);
        }
    }
    arena_close(&memory);
}

// ---- What the binder finds in the tree ---------------------------------------------------------

static const sql_expr *parse(const char *sql, arena *memory) {
    firn_error err = ERR_INIT;
    const sql_expr *expr = NULL;
    if (sql_parse_expression(text_of(sql), memory, &expr, &err) != FIRN_OK) {
        test_fail(__FILE__, __LINE__, err.text);
        return NULL;
    }
    return expr;
}

static bool has_name(const sql_name *name, const char *value) {
    return text_equal(name->value, text_of(value));
}

TEST(parser_makes_plain_calls_of_functions_with_a_syntax_of_their_own) {
    static const struct {
        const char *sql;
        const char *function;
        sql_call_syntax syntax;
        size_t argument_count;
        const char *first; // The first argument, printed.
    } cases[] = {
        {"EXTRACT(YEAR FROM d)", "extract", SQL_CALL_EXTRACT, 2, "'YEAR'"},
        {"EXTRACT('year' FROM d)", "extract", SQL_CALL_EXTRACT, 2, "'year'"},
        {"EXTRACT('year', d)", "extract", SQL_CALL_PLAIN, 2, "'year'"},
        {"SUBSTRING(s FROM 2 FOR 3)", "substring", SQL_CALL_SUBSTRING, 3, "s"},
        {"SUBSTRING(s FROM 2)", "substring", SQL_CALL_SUBSTRING, 2, "s"},
        {"SUBSTRING(s, 2, 3)", "substring", SQL_CALL_PLAIN, 3, "s"},
        {"POSITION('a' IN s)", "position", SQL_CALL_POSITION, 2, "'a'"},
        {"POSITION('a' || b IN s)", "position", SQL_CALL_POSITION, 2, "'a' || b"},
        {"POSITION('a', s)", "position", SQL_CALL_PLAIN, 2, "'a'"},
        {"TRIM(s)", "trim", SQL_CALL_PLAIN, 1, "s"},
        {"TRIM(s, 'x')", "trim", SQL_CALL_PLAIN, 2, "s"},
        {"TRIM(BOTH 'x' FROM s)", "btrim", SQL_CALL_TRIM, 2, "s"},
        {"TRIM(LEADING 'x' FROM s)", "ltrim", SQL_CALL_TRIM, 2, "s"},
        {"TRIM(TRAILING FROM s)", "rtrim", SQL_CALL_TRIM, 1, "s"},
        {"TRIM(both)", "trim", SQL_CALL_PLAIN, 1, "both"},
        {"OVERLAY(s PLACING t FROM 2 FOR 3)", "overlay", SQL_CALL_OVERLAY, 4, "s"},
        {"OVERLAY(s PLACING t FROM 2)", "overlay", SQL_CALL_OVERLAY, 3, "s"},
        {"CURRENT_DATE", "current_date", SQL_CALL_WORD, 0, NULL},
        {"CURRENT_TIMESTAMP(3)", "current_timestamp", SQL_CALL_WORD, 1, "3"},
        {"LocalTimestamp", "localtimestamp", SQL_CALL_WORD, 0, NULL},
        {"Count(*)", "count", SQL_CALL_PLAIN, 1, "*"},
        {"LEFT('abc', 2)", "left", SQL_CALL_PLAIN, 2, "'abc'"},
    };
    arena memory = arena_open(MEMORY_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        firn_error err = ERR_INIT;
        const sql_expr *expr = parse(cases[i].sql, &memory);
        REQUIRE(sql_is_expr(expr, SQL_CALL));
        const sql_call *call = sql_call_of(expr);
        CHECK(has_name(&call->path.items[0], cases[i].function));
        CHECK(call->syntax == cases[i].syntax);
        CHECK(call->arguments.count == cases[i].argument_count);
        if (cases[i].first != NULL) {
            text_builder out = text_builder_open(&memory);
            text printed;
            sql_print_expr(&out, call->arguments.items[0]);
            REQUIRE(text_builder_finish(&out, &printed, &err) == FIRN_OK);
            CHECK(text_equal(printed, text_of(cases[i].first)));
        }
    }
    arena_close(&memory);
}

TEST(parser_counts_parameters) {
    arena memory = arena_open(MEMORY_MAX);
    const sql_expr *expr = parse("? + ?", &memory);
    REQUIRE(expr != NULL);
    CHECK(sql_parameter_of(sql_binary_of(expr)->left)->number == 1);
    CHECK(sql_parameter_of(sql_binary_of(expr)->right)->number == 2);
    expr = parse("$7", &memory);
    REQUIRE(expr != NULL);
    CHECK(sql_parameter_of(expr)->number == 7);
    expr = parse("$since", &memory);
    REQUIRE(expr != NULL);
    CHECK(sql_parameter_of(expr)->number == 0);
    CHECK(has_name(&sql_parameter_of(expr)->name, "since"));
    arena_close(&memory);
}

TEST(parser_says_of_each_node_where_it_stands) {
    static const struct {
        const char *sql;
        uint32_t position;
        uint32_t length;
    } cases[] = {
        {"  a + b ", 2, 5},
        {"( a ) + b", 0, 9},
        {"f( x ) FILTER (WHERE y) -- z", 0, 23},
        {"CASE WHEN a THEN b END ", 0, 22},
        {" 'it''s' ", 1, 7},
        {"a IS NOT NULL", 0, 13},
        {"(SELECT 1) ", 0, 10},
        {"x::DECIMAL(10, 2) ", 0, 17},
        {"a AND b AND c ", 0, 13},
        {" a.\"b\" . c ", 1, 9},
    };
    arena memory = arena_open(MEMORY_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const sql_expr *expr = parse(cases[i].sql, &memory);
        if (expr == NULL || expr->position != cases[i].position ||
            expr->length != cases[i].length) {
            test_fail(__FILE__, __LINE__, cases[i].sql);
        }
    }
    arena_close(&memory);
}

TEST(parser_takes_words_of_the_grammar_as_names_where_it_can) {
    static const char *const names[] = {
        "year",   "date",   "time",     "timestamp", "interval", "row",     "map",     "struct",
        "list",   "offset", "first",    "value",     "values",   "key",     "type",    "desc",
        "asc",    "filter", "window",   "user",      "name",     "version", "comment", "exists",
        "lambda", "left_",  "position", "trim",      "both",     "check",   "column",  "snapshot",
        "set",    "show",   "range",    "rows",      "text",     "day",     "at",      "no",
        "only",   "do",     "extract",  "double",    "begin",
    };
    arena memory = arena_open(MEMORY_MAX);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        static const char *const frames[] = {"%s",      "%s + %s",    "f(%s, %s)",
                                             "t.%s[1]", "%s IS NULL", "CASE WHEN %s THEN %s END",
                                             "(%s)",    "-%s::int"};
        for (size_t j = 0; j < sizeof frames / sizeof frames[0]; j++) {
            firn_error err = ERR_INIT;
            const sql_expr *expr;
            char sql[128] = "";
            size_t size = 0;
            for (const char *at = frames[j]; *at != '\0'; at++) {
                if (*at == '%') {
                    const size_t name_size = strlen(names[i]);
                    memcpy(sql + size, names[i], name_size);
                    size += name_size;
                    at += 1; // The s.
                } else {
                    sql[size] = *at;
                    size += 1;
                }
            }
            if (sql_parse_expression((text){.data = sql, .size = size}, &memory, &expr, &err) !=
                FIRN_OK) {
                test_fail(__FILE__, __LINE__, sql);
            }
        }
    }
    arena_close(&memory);
}
