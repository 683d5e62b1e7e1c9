#include <string.h>

#include "base/test.h"
#include "sql/parser.h"
#include "sql/round_trip.h"

#define MEMORY_MAX ((size_t)256 << 20)

typedef struct error_case {
    const char *sql;
    uint64_t position;
    const char *words; // In the message.
    const char *hint;  // In the hint; "" for none.
} error_case;

static const error_case error_cases[] = {
    // What is wrong in queries.
    {"SELECT FROM t", 7, "expected an expression, found \"FROM\"", ""},
    {"SELECT", 6, "expected an expression, found the end of the text", ""},
    {"SELECT order FROM t", 7, "expected an expression, found \"order\"",
     "must be quoted: \"order\""},
    {"SELECT * FROM Group", 14, "expected a table, found \"Group\"", "quoted: \"Group\""},
    {"SELECT 1 +;", 10, "expected an expression, found \";\"", ""},
    {"SELECT (1;", 9, "expected \")\", found \";\"", ""},
    {"SELECT a b c", 11, "expected \";\" or the end of the statement, found \"c\"", ""},
    {"SELECT a FORM t", 14, "found \"t\"", "did you mean FROM?"},
    {"SELECT a FROM t WEHRE b = 1", 22, "found \"b\"", "did you mean WHERE?"},
    {"SELECT a FROM t GRUOP BY b", 22, "found \"BY\"", "did you mean GROUP?"},
    {"SELECT a FROM t GROUP a", 22, "expected BY, found \"a\"", ""},
    {"SELECT * FROM t JOIN u", 22, "expected ON or USING of the join", "CROSS JOIN"},
    {"SELECT a = b = c", 13, "\"=\" behind a comparison", "AND"},
    {"SELECT a < b <> c", 13, "\"<>\" behind a comparison", "parentheses"},
    {"SELECT a == b", 9, "\"==\" is no operator", "="},
    {"SELECT f(a, FROM t", 12, "expected an expression, found \"FROM\"", ""},
    {"SELECT f(a b)", 11, "expected \",\" or \")\" in the arguments", ""},
    {"SELECT CASE WHEN a THEN b", 25, "expected WHEN, ELSE or END of CASE", ""},
    {"SELECT CASE a END", 14, "expected WHEN, found \"END\"", ""},
    {"SELECT CAST(a INT)", 14, "expected AS, found \"INT\"", ""},
    {"SELECT CAST(a AS 1)", 17, "expected a type, found \"1\"", ""},
    {"SELECT CAST(a AS DECIMAL(x))", 25, "expected a number, as in DECIMAL(10, 2)", ""},
    {"SELECT CAST(a AS STRUCT<x INT)", 29, "expected \">\" that closes the type", ""},
    {"SELECT a NOT b", 9, "found \"NOT\"", ""},
    {"SELECT a IS b", 12, "expected NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM", ""},
    {"SELECT a IN b", 12, "expected \"(\", found \"b\"", ""},
    {"SELECT a BETWEEN 1 OR 2", 19, "expected AND, found \"OR\"", ""},
    {"SELECT a[1", 10, "expected \"]\" or \":\"", ""},
    {"SELECT EXTRACT(1 FROM a)", 15, "expected a field such as YEAR, found \"1\"", ""},
    {"SELECT {'a' 1}", 12, "expected \":\", found \"1\"", ""},
    {"SELECT {'': 1}", 8, "a field without a name", ""},
    {"SELECT INTERVAL 3 x", 18, "expected a unit such as DAY", ""},
    {"SELECT INTERVAL '3' DAY TO x", 27, "expected a unit such as SECOND", ""},
    {"SELECT a.1", 8, "found \".1\"", ""},
    {"SELECT a.", 9, "expected a name or \"*\" behind the dot", ""},
    {"SELECT (a).", 11, "expected a field, a function or \"*\" behind the dot", ""},
    {"SELECT sum(a) OVER (PARTITION a)", 30, "a frame or \")\" of the window", ""},
    {"SELECT sum(a) OVER (ROWS 1)", 26, "expected PRECEDING or FOLLOWING", ""},
    {"SELECT ARRAY", 12, "expected \"[\" or \"(\" behind ARRAY", ""},
    {"SELECT ?, $1", 10, "parameters written ? and parameters written $", ""},
    {"SELECT $1, ?", 11, "parameters written ? and parameters written $", ""},
    {"SELECT $0", 7, "parameter \"$0\", they count from 1", ""},
    {"SELECT $99999999999999999999", 7, "they count from 1 to 65535", ""},
    {"SELECT a ORDER BY a NULLS", 25, "expected FIRST or LAST", ""},
    {"SELECT a LIMIT 1 LIMIT 2", 17, "found \"LIMIT\"", ""},
    {"SELECT a FETCH FIRST 2 ROWS", 27, "expected ONLY or WITH TIES", ""},
    {"SELECT 1 ORDER BY 1 UNION SELECT 2", 20, "expected the end of the query", "parentheses"},
    {"SELECT 1 UNION", 14, "expected a query, found the end", ""},
    {"VALUES (1), (2, 3)", 12, "a row of VALUES with 2 columns, the first has 1", ""},
    {"SELECT * FROM t FOR UPDATE", 16, "expected FOR VERSION AS OF or FOR TIMESTAMP AS OF", ""},
    {"SELECT * FROM t FOR VERSION AS OF 1 FOR VERSION AS OF 2", 36, "found \"FOR\"", ""},
    {"SELECT * FROM LATERAL t", 23, "behind LATERAL", ""},
    {"SELECT * FROM ((a JOIN b ON c) AS d) AS e", 40, "a second alias for a join", ""},
    {"WITH a SELECT 1", 7, "expected AS, found \"SELECT\"", ""},
    {"SELECT 'abc", 7, "the text that begins here is never closed", "close it with '"},
    {"SELECT values(1)", 7, "expected an expression, found \"values\"", ""},
    {"SELECT * FROM VALUES (1)", 14, "expected a table, found \"VALUES\"", "in parentheses"},
    {"SELECT 1; SELECT 'abc", 17, "never closed", "close it with '"},
    {"SELECT a /* b", 9, "comment", "*/"},
    {"SELECT 'a\xff'", 9, "the byte 0xff is not UTF-8 text", ""},
    {"SELECT 1 \"0123456789012345678901234567890123456789x\" 2", 53, "found \"2\"", ""},
    {"SELECT a aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 1", 86,
     "found \"1\"", ""},
    // Statements that are none.
    {"SELCT 1", 0, "expected a statement, found \"SELCT\"", "did you mean SELECT?"},
    {"UPDTE t SET a = 1", 0, "expected a statement", "did you mean UPDATE?"},
    {"foo", 0, "expected a statement, found \"foo\"", ""},
    {"\xff\xfes", 0, "the byte 0xff is not UTF-8 text", ""},
    {"select 1 fro\xfe", 12, "the byte 0xfe is not UTF-8 text", ""},
    {"1", 0, "expected a statement, found \"1\"", ""},
    {"EXPLAIN", 7, "expected a statement, found the end of the text", ""},
    // What is wrong in others.
    {"CREATE t", 7, "expected TABLE, VIEW or SCHEMA behind CREATE", ""},
    {"CREATE TABLE t", 14, "expected the columns of the table", ""},
    {"CREATE TABLE t (a)", 17, "expected the type of column \"a\"", ""},
    {"CREATE TABLE t (a INT,)", 22, "expected the name of a column", ""},
    {"CREATE TABLE t (a INT, PRIMARY KEY (a), b INT)", 40, "another constraint of the table", ""},
    {"CREATE TABLE t (a.b INT)", 18, "a dotted name for a column of a new table", ""},
    {"CREATE TABLE t (a INT) COMMENT x", 31, "a comment in single quotes", ""},
    {"CREATE TABLE t (a INT) USING a USING b", 31, "found \"USING\"", ""},
    {"DROP TABEL t", 5, "expected TABLE, VIEW or SCHEMA behind DROP", ""},
    {"ALTER TABLE t FROB", 14, "expected ADD, DROP, RENAME, ALTER", ""},
    {"ALTER TABLE t ALTER COLUMN a FROB", 29, "expected TYPE, SET, DROP, COMMENT, FIRST or AFTER",
     ""},
    {"ALTER TABLE t ADD COLUMN a", 26, "expected a type", ""},
    {"ALTER TABLE t WRITE", 19, "expected ORDERED BY, UNORDERED", ""},
    {"INSERT t VALUES (1)", 7, "expected INTO or OVERWRITE", ""},
    {"INSERT INTO t (a) DEFAULT VALUES", 26, "DEFAULT VALUES goes with", ""},
    {"INSERT INTO t", 13, "expected a query", ""},
    {"UPDATE t WHERE a", 9, "expected SET, found \"WHERE\"", ""},
    {"UPDATE t SET a", 14, "expected \"=\"", ""},
    {"DELETE t", 7, "expected FROM", ""},
    {"MERGE INTO t USING u ON a", 25, "expected WHEN", ""},
    {"MERGE INTO t USING u ON a WHEN MATCHED THEN INSERT VALUES (1)", 44,
     "INSERT where a row of the table is there", ""},
    {"MERGE INTO t USING u ON a WHEN NOT MATCHED THEN DELETE", 48, "allowed is INSERT", ""},
    {"MERGE INTO t USING u ON a WHEN NOT MATCHED THEN INSERT (a, b) VALUES (1)", 70,
     "1 values for 2 columns", ""},
    {"COPY (SELECT 1) FROM 'x'", 16, "expected TO", ""},
    {"COPY t TO x", 10, "expected a path or address in single quotes", ""},
    {"COPY t TO 'x' (FORMAT", 21, "expected an expression", ""},
    {"SET x", 5, "expected \"=\" or TO", ""},
    {"SHOW COLUMNS", 12, "expected FROM and a table", ""},
    {"EXPLAIN (FORMAT x, COSTS) SELECT 1", 19, "no option \"COSTS\"", "FORMAT"},
    {"EXPLAIN (VERBOS) SELECT 1", 9, "no option \"VERBOS\"", "did you mean \"VERBOSE\"?"},
    {"EXPLAIN (costs off) SELECT 1", 9, "no option \"costs\"", "ANALYZE"},
    {"BEGIN ISOLATION LEVEL x", 22, "READ COMMITTED", ""},
    {"CALL f(1) 'x'", 10, "expected \";\" or the end of the statement, found a text", ""},
    {"ATTACH 'x' AS c (TOKEN 'a' 'secret')", 27, "behind an option, found a text in quotes", ""},
};

TEST(parser_says_where_and_what_is_wrong) {
    for (size_t i = 0; i < sizeof error_cases / sizeof error_cases[0]; i++) {
        const error_case *expected = &error_cases[i];
        arena memory = arena_open(MEMORY_MAX);
        firn_error err = ERR_INIT;
        const text sql = text_of(expected->sql);
        const sql_statement *statement;
        firn_status status = FIRN_OK;
        size_t at = 0;
        while (status == FIRN_OK && at < sql.size) {
            status = sql_parse_statement(sql, at, &memory, &statement, &at, &err);
        }
        if (status != FIRN_INVALID || err.position != expected->position ||
            strstr(err.text, expected->words) == NULL || strstr(err.hint, expected->hint) == NULL ||
            (expected->hint[0] == '\0' && err.hint[0] != '\0')) {
            test_fail(__FILE__, __LINE__, expected->sql);
            (void)fprintf(stderr, "  at %llu: %s\n  hint: %s\n", (unsigned long long)err.position,
                          err.text, err.hint);
        }
        arena_close(&memory);
    }
}

TEST(parser_refuses_more_behind_an_expression_or_type) {
    arena memory = arena_open(MEMORY_MAX);
    firn_error err = ERR_INIT;
    const sql_expr *expr;
    const sql_type *type;
    CHECK(sql_parse_expression(TEXT("a b"), &memory, &expr, &err) == FIRN_INVALID);
    CHECK(strstr(err.text, "expected an operator or the end of the expression") != NULL);
    CHECK(sql_parse_expression(TEXT("a;"), &memory, &expr, &err) == FIRN_INVALID);
    CHECK(sql_parse_expression(TEXT(""), &memory, &expr, &err) == FIRN_INVALID);
    CHECK(sql_parse_type(TEXT("INT x"), &memory, &type, &err) == FIRN_INVALID);
    CHECK(strstr(err.text, "expected the end of the type") != NULL);
    CHECK(sql_parse_type(TEXT("STRUCT(a INT)[]"), &memory, &type, &err) == FIRN_OK);
    CHECK(type->kind == SQL_TYPE_LIST && type->element->kind == SQL_TYPE_STRUCT);
    arena_close(&memory);
}

TEST(parser_refuses_a_text_that_positions_cannot_count) {
    arena memory = arena_open(MEMORY_MAX);
    firn_error err = ERR_INIT;
    const sql_expr *expr;
    const text sql = {.data = "1", .size = (size_t)UINT32_MAX + 1}; // Nothing of it is read.
    CHECK(sql_parse_expression(sql, &memory, &expr, &err) == FIRN_INVALID);
    CHECK(strcmp(err.sqlstate, "54000") == 0 && err.position == UINT64_MAX);
    arena_close(&memory);
}

TEST(parser_goes_through_a_script_statement_by_statement) {
    static const size_t starts[] = {2, 14, 31};
    const text sql = TEXT("; SELECT 1;;; SELECT 2 -- x;\n;/* ; */SELECT ';' ; -- end");
    arena memory = arena_open(MEMORY_MAX);
    firn_error err = ERR_INIT;
    size_t at = 0;
    size_t count = 0;
    while (at < sql.size) {
        const sql_statement *statement;
        REQUIRE(sql_parse_statement(sql, at, &memory, &statement, &at, &err) == FIRN_OK);
        if (statement != NULL) {
            REQUIRE(count < 3);
            CHECK(statement->position == (count == 2 ? 37 : starts[count]));
            count += 1;
        }
    }
    CHECK(count == 3);
    CHECK(at == sql.size);
    arena_close(&memory);
}

TEST(parser_says_where_the_next_statement_begins) {
    static const struct {
        const char *sql;
        size_t used;
    } cases[] = {
        {"SELECT 1", 8},
        {"SELECT 1;", 9},
        {"SELECT 1 ; -- x\n ; ", 19},
        {"SELECT 1; /* y */", 17},
        {"SELECT 1; SELECT 2", 9},
        {"SELECT 1; 'not closed", 9},
        {"SELECT 1 -- ; SELECT 2", 22},
    };
    arena memory = arena_open(MEMORY_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        firn_error err = ERR_INIT;
        const sql_statement *statement;
        size_t used;
        REQUIRE(sql_parse_statement(text_of(cases[i].sql), 0, &memory, &statement, &used, &err) ==
                FIRN_OK);
        CHECK(statement != NULL && used == cases[i].used);
    }
    arena_close(&memory);
}

TEST(parser_finds_no_statement_in_blanks_and_comments) {
    static const char *const texts[] = {"", "  \n", "-- a", "/* a */ ;;", ";"};
    arena memory = arena_open(MEMORY_MAX);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        firn_error err = ERR_INIT;
        const sql_statement *statement;
        size_t used = 99;
        CHECK(sql_parse_statement(text_of(texts[i]), 0, &memory, &statement, &used, &err) ==
              FIRN_OK);
        CHECK(statement == NULL && used == strlen(texts[i]));
    }
    arena_close(&memory);
}

TEST(parser_fails_cleanly_at_every_size_of_memory) {
    const text sql =
        TEXT("WITH a (x) AS (SELECT E'a\\n', \"b\"\"c\" FROM (VALUES (1, 0x10)) v (p, q)) "
             "SELECT Sum(x) OVER (w ROWS 1 PRECEDING), {'k': [x]}, x::DECIMAL(3, 1) "
             "FROM a JOIN b USING (x, y) WHERE x IN (1, 2, 3) WINDOW w AS (ORDER BY x)");
    firn_status status = FIRN_NO_MEMORY;
    size_t failure_count = 0;
    for (size_t limit = 0; status != FIRN_OK; limit += 64) {
        arena memory = arena_open(limit);
        firn_error err = ERR_INIT;
        const sql_statement *statement;
        size_t used;
        REQUIRE(limit < (size_t)1 << 20);
        status = sql_parse_statement(sql, 0, &memory, &statement, &used, &err);
        CHECK(status == FIRN_OK || status == FIRN_NO_MEMORY);
        failure_count += status == FIRN_OK ? 0 : 1;
        arena_close(&memory);
    }
    CHECK(failure_count > 1);
}

// ---- Depth and length --------------------------------------------------------------------------

// `count` times `open`, then `middle`, then `count` times `close`; then the same for a statement.
static text repeat(arena *memory, size_t count, const char *open, const char *middle,
                   const char *close) {
    text_builder out = text_builder_open(memory);
    firn_error err = ERR_INIT;
    text sql = {0};
    for (size_t i = 0; i < count; i++) {
        text_append(&out, text_of(open));
    }
    text_append(&out, text_of(middle));
    for (size_t i = 0; i < count; i++) {
        text_append(&out, text_of(close));
    }
    CHECK(text_builder_finish(&out, &sql, &err) == FIRN_OK);
    return sql;
}

static const struct {
    const char *first;
    const char *open;
    const char *middle;
    const char *close;
} nestings[] = {
    {"SELECT ", "(", "1", ")"},
    {"SELECT ", "- ", "1", ""},
    {"SELECT ", "NOT ", "a", ""},
    {"SELECT ", "~ ", "a", ""},
    {"SELECT ", "f(", "1", ")"},
    {"SELECT ", "[", "1", "]"},
    {"SELECT ", "{a: ", "1", "}"},
    {"SELECT ", "MAP {1: ", "1", "}"},
    {"SELECT ", "ROW(", "1", ")"},
    {"SELECT ", "a[", "1", "]"},
    {"SELECT ", "CASE WHEN a THEN b ELSE ", "1", " END"},
    {"SELECT ", "CAST(", "1", " AS INT)"},
    {"SELECT ", "(a, ", "1", ")"},
    {"SELECT ", "a = ANY (", "1", ")"},
    {"SELECT ", "a IN (", "1", ")"},
    {"SELECT ", "EXISTS (SELECT ", "1", ")"},
    {"SELECT ", "ARRAY(SELECT ", "1", ")"},
    {"SELECT ", "substring(", "a", " FROM 1)"},
    {"SELECT ", "f(x -> ", "1", ")"},
    {"SELECT ", "f(a => ", "1", ")"},
    {"SELECT ", "sum(a) OVER (PARTITION BY ", "1", ")"},
    {"SELECT ", "INTERVAL (", "1", ") DAY"},
    {"SELECT 1 ^ ", "(2 ^ ", "3", ")"},
    {"SELECT a AND ", "(b OR (c AND ", "d", "))"},
    {"SELECT a BETWEEN ", "- ", "1 AND 1", ""},
    {"SELECT a LIKE ", "~ ", "1", ""},
    {"SELECT 1 GROUP BY ", "ROLLUP (", "a", ")"},
    {"SELECT 1 GROUP BY ", "GROUPING SETS (", "a", ")"},
    {"SELECT 1::", "STRUCT(x ", "INT", ")"},
    {"SELECT 1::", "MAP(INT, ", "INT", ")"},
    {"SELECT 1::", "ARRAY<", "INT", ">"},
    {"SELECT 1::INT", "", "", "[]"},
    {"SELECT a", "", "", "[1]"},
    {"SELECT (a)", "", "", ".b"},
    {"SELECT a", "", "", "::INT"},
    {"SELECT a", "", "", " IS NULL"},
    {"SELECT a", "", "", " COLLATE x"},
    {"SELECT a", "", "", " IN (1)"},
    {"SELECT * FROM ", "(", "a", ")"},
    {"SELECT * FROM ", "(SELECT * FROM ", "a", ")"},
    {"SELECT * FROM ", "(a CROSS JOIN ", "a", ")"},
    {"SELECT * FROM ", "a JOIN ", "a", " ON b"},
    {"", "(", "SELECT 1", ")"},
    {"SELECT 1 UNION ", "(SELECT 1 UNION ", "SELECT 1", ")"},
    {"", "WITH a AS (", "SELECT 1", ") SELECT 1"},
    {"SELECT * FROM t WHERE a > ", "(SELECT max(b) FROM t WHERE a > ", "1", ")"},
    {"", "EXPLAIN ", "SELECT 1", ""},
    {"", "PREPARE p AS ", "SELECT 1", ""},
};

TEST(parser_refuses_deep_nesting_without_a_deep_stack) {
    for (size_t i = 0; i < sizeof nestings / sizeof nestings[0]; i++) {
        arena memory = arena_open(MEMORY_MAX);
        firn_error err = ERR_INIT;
        text sql;
        text printed;
        size_t used;
        const text nested =
            repeat(&memory, 50000, nestings[i].open, nestings[i].middle, nestings[i].close);
        REQUIRE(text_format(&memory, &sql, &err, "%s%.*s", nestings[i].first, TEXT_ARGS(nested)) ==
                FIRN_OK);
        const round_trip result = sql_round_trip(sql, 0, &memory, &printed, &used, &err);
        // Brackets around nothing but a query or a table leave no trace, but they count as well.
        if (result != ROUND_TRIP_REFUSED || strcmp(err.sqlstate, "54001") != 0 ||
            strstr(err.text, "500") == NULL) {
            test_fail(__FILE__, __LINE__, nestings[i].open);
            (void)fprintf(stderr, "  %s: %d %s\n", nestings[i].first, (int)result, err.text);
        }
        arena_close(&memory);
    }
}

TEST(parser_takes_nesting_that_people_and_programs_write) {
    for (size_t i = 0; i < sizeof nestings / sizeof nestings[0]; i++) {
        arena memory = arena_open(MEMORY_MAX);
        firn_error err = ERR_INIT;
        text sql;
        text printed;
        size_t used;
        const text nested =
            repeat(&memory, 100, nestings[i].open, nestings[i].middle, nestings[i].close);
        REQUIRE(text_format(&memory, &sql, &err, "%s%.*s", nestings[i].first, TEXT_ARGS(nested)) ==
                FIRN_OK);
        if (sql_round_trip(sql, 0, &memory, &printed, &used, &err) != ROUND_TRIP_SAME) {
            test_fail(__FILE__, __LINE__, nestings[i].open);
            (void)fprintf(stderr, "  %s: %s\n", nestings[i].first, err.text);
        }
        arena_close(&memory);
    }
}

TEST(parser_takes_long_chains_and_lists) {
    static const struct {
        const char *first;
        const char *middle;
        const char *more;
        size_t count;
    } chains[] = {
        {"SELECT ", "a", " + b", 10000},
        {"SELECT ", "a", " - b * c", 10000},
        {"SELECT ", "a", " || 'x'", 100000},
        {"SELECT * FROM t WHERE ", "a = 1", " OR a = 2", 100000},
        {"SELECT * FROM t WHERE ", "a = 1", " AND b > 2", 10000},
        {"SELECT a IN (", "1", ", 2", 100000},
        {"SELECT ", "1", ", 2", 100000},
        {"VALUES ", "(1, 'a')", ", (2, 'b')", 100000},
        {"SELECT * FROM ", "a", " CROSS JOIN b", 10000},
        {"SELECT * FROM ", "a", " JOIN b ON c", 10000},
        {"SELECT * FROM ", "a", ", b", 10000},
        {"", "SELECT 1", " UNION ALL SELECT 2", 10000},
        {"", "SELECT 1", " INTERSECT SELECT 2", 10000},
        {"SELECT CASE ", "", "WHEN a THEN b ", 10000},
        {"SELECT a", "", ".b", 10000},
        {"SELECT 1 ORDER BY ", "a", ", b DESC", 10000},
    };
    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
        arena memory = arena_open(MEMORY_MAX);
        firn_error err = ERR_INIT;
        text sql;
        text printed;
        size_t used;
        const text chain = repeat(&memory, chains[i].count, "", chains[i].middle, chains[i].more);
        const char *end = strstr(chains[i].first, "IN (") != NULL   ? ")"
                          : strstr(chains[i].first, "CASE") != NULL ? "END"
                                                                    : "";
        REQUIRE(text_format(&memory, &sql, &err, "%s%.*s%s", chains[i].first, TEXT_ARGS(chain),
                            end) == FIRN_OK);
        if (sql_round_trip(sql, 0, &memory, &printed, &used, &err) != ROUND_TRIP_SAME) {
            test_fail(__FILE__, __LINE__, chains[i].more);
            (void)fprintf(stderr, "  %s: %s\n", chains[i].first, err.text);
        }
        arena_close(&memory);
    }
}
