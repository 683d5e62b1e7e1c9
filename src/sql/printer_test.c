#include "sql/printer.h"

#include <string.h>

#include "base/test.h"
#include "sql/round_trip.h"

#define MEMORY_MAX ((size_t)64 << 20)

typedef struct print_case {
    const char *sql;
    const char *printed; // NULL: as written.
} print_case;

// Checks that each statement prints as expected, and that the text parses to the same tree.
static void check_cases(const print_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        arena memory = arena_open(MEMORY_MAX);
        firn_error err = ERR_INIT;
        text printed;
        size_t used;
        const text sql = text_of(cases[i].sql);
        const char *expected = cases[i].printed == NULL ? cases[i].sql : cases[i].printed;
        if (sql_round_trip(sql, 0, &memory, &printed, &used, &err) != ROUND_TRIP_SAME ||
            used != sql.size || !text_equal(printed, text_of(expected))) {
            test_fail(__FILE__, __LINE__, cases[i].sql);
            (void)fprintf(stderr, "  printed: %.*s\n  error: %s\n", TEXT_ARGS(printed), err.text);
        }
        arena_close(&memory);
    }
}

#define CHECK_CASES(cases) check_cases((cases), sizeof(cases) / sizeof((cases)[0]))

static const print_case expression_cases[] = {
    {"SELECT 1, 1.50, 1e3, 'it''s', X'CAFE', B'101', NULL, true, false", NULL},
    {"SELECT (a+b)*c, a-(b-c), -(-1), - -1, a - -1, NOT (a OR b)",
     "SELECT (a + b) * c, a - (b - c), -(-1), -(-1), a - -1, NOT (a OR b)"},
    {"SELECT ((a + b) * c - d) / e + f, ((a))", "SELECT ((a + b) * c - d) / e + f, a"},
    {"SELECT (a AND b) AND (c OR d) AND NOT e", "SELECT (a AND b) AND (c OR d) AND NOT e"},
    {"SELECT (a = b) = c, (a < b) IS NULL, a < (b IS NULL)",
     "SELECT (a = b) = c, a < b IS NULL, a < (b IS NULL)"},
    {"SELECT DATE '2020-01-01', TIMESTAMP(3) '2020-01-01', DECIMAL(10, 2) '1.5'", NULL},
    {"SELECT INTERVAL '1 day', INTERVAL '3' DAY TO SECOND, INTERVAL 3 MONTH, INTERVAL (a) HOUR",
     NULL},
    {"SELECT a.b.\"C d\", \"x\"\"y\", t.*, (r).*, (r).x, f(x).y[1]", NULL},
    {"SELECT $1, $2, $1", NULL},
    {"SELECT ?, ?", "SELECT $1, $2"},
    {"SELECT * EXCLUDE (a, t.b) REPLACE (a + 1 AS a) RENAME (c AS d), t.* LIKE 'x%'", NULL},
    {"SELECT * EXCEPT (a)", "SELECT * EXCLUDE (a)"},
    {"SELECT a IN (1, 2), a NOT IN (SELECT 1), (a, b) IN ((1, 2), (3, 4))", NULL},
    {"SELECT a BETWEEN 1 AND 2, a NOT BETWEEN SYMMETRIC 2 AND 1", NULL},
    {"SELECT a LIKE 'x' ESCAPE '#', a NOT ILIKE b, a SIMILAR TO 'x'", NULL},
    {"SELECT a = ANY (SELECT 1), a < ALL ([1, 2]), a NOT LIKE ANY ('a', 'b')", NULL},
    {"SELECT a IS TRUE, a IS NOT UNKNOWN, a IS DISTINCT FROM b", NULL},
    {"SELECT CASE a WHEN 1 THEN 'x' WHEN 2 THEN 'y' ELSE 'z' END", NULL},
    {"SELECT CAST(a AS INTEGER[]), TRY_CAST(a AS STRUCT(x INTEGER, \"Y z\" MAP(TEXT, DATE)))",
     NULL},
    {"SELECT a::varchar(10)", "SELECT CAST(a AS VARCHAR(10))"},
    {"SELECT CAST(a AS INTERVAL YEAR TO MONTH), CAST(a AS INT[3][])", NULL},
    {"SELECT COUNT(*), SUM(DISTINCT a), Array_Agg(a ORDER BY b DESC NULLS LAST, c)",
     "SELECT count(*), sum(DISTINCT a), array_agg(a ORDER BY b DESC NULLS LAST, c)"},
    {"SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FILTER (WHERE b)", NULL},
    {"SELECT lag(a) IGNORE NULLS OVER w, rank() OVER (w PARTITION BY a ORDER BY b)", NULL},
    {"SELECT sum(a) OVER (ORDER BY b ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE "
     "TIES)",
     NULL},
    {"SELECT sum(a) OVER (RANGE INTERVAL '1' DAY PRECEDING), sum(a) OVER ()",
     "SELECT sum(a) OVER (RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT ROW), sum(a) "
     "OVER ()"},
    {"SELECT sum(a) OVER (GROUPS BETWEEN (unbounded) PRECEDING AND 1 FOLLOWING)", NULL},
    {"SELECT f(x -> x + 1), f((x, y) -> x || y), f(LAMBDA x: 1), f(a => 1, b => 2)", NULL},
    {"SELECT f(j -> 'a'), f(j -> 0 ->> 'b'), f((j -> k)), f(((a, b) -> k)), j -> k", NULL},
    {"SELECT (a, b), ROW(a), ROW(), [1, [2, 3]], [], {'a': 1, b: {c: 2}}, MAP {'k': 1, 2: 3}",
     NULL},
    {"SELECT a[1], a[1:2], a[:2], a[1:], a[:], a[1:2:3], a['x'], (a + b)[1]", NULL},
    {"SELECT ('abc')[1], (CASE WHEN a THEN b END).c, (DATE 'x')[1]", NULL},
    {"SELECT extract(year FROM d), extract('a b' FROM d), substring(s FROM 2 FOR 3)", NULL},
    {"SELECT position('a' IN s), trim(LEADING 'x' FROM s), trim(BOTH FROM s), trim(s)", NULL},
    {"SELECT overlay(s PLACING t FROM 1 FOR 2), current_date, current_timestamp(3)", NULL},
    {"SELECT position((a = b) IN s), position((a IN (b)) IN s)",
     "SELECT position((a = b) IN s), position((a IN (b)) IN s)"},
    {"SELECT EXISTS (SELECT 1), ARRAY(SELECT 1), (SELECT 1) + 1, ((SELECT 1), 2)", NULL},
    {"SELECT a COLLATE \"C\", a AT TIME ZONE 'UTC', (a || b) COLLATE c.d", NULL},
    {"SELECT a OVERLAPS b, a @> b, a && b, a ^@ b, a #>> b, a ~* b", NULL},
    {"SELECT position(LAMBDA x, y: x), position(x -> x, 1), position(((x, y) -> z) IN s)",
     "SELECT position(LAMBDA x, y: x), position(LAMBDA x: x, 1), position((x, y) -> z IN s)"},
    {"SELECT trim((leading), x), trim((both)), (a).\"case\"(1)",
     "SELECT trim((leading), x), trim((both)), \"case\"(a, 1)"},
};

TEST(printer_writes_expressions_that_read_back) {
    CHECK_CASES(expression_cases);
}

static const print_case query_cases[] = {
    {"SELECT DISTINCT a AS x, b AS \"Y\" FROM t", NULL},
    {"SELECT DISTINCT ON (a, b) a FROM t", NULL},
    {"SELECT ALL a, b, FROM t", "SELECT a, b FROM t"},
    {"SELECT a year, b \"order\", c AS select FROM t",
     "SELECT a AS year, b AS \"order\", c AS select FROM t"},
    {"FROM t", "SELECT * FROM t"},
    {"FROM t AS x SELECT a WHERE b", "SELECT a FROM t AS x WHERE b"},
    {"TABLE a.b", "SELECT * FROM a.b"},
    {"VALUES (1, 'a'), (2, DEFAULT)", NULL},
    {"SELECT * FROM 'x.parquet' AS p, c.s.t AS u (a, b), \"T\"", NULL},
    {"SELECT * FROM t FOR VERSION AS OF 123 AS x", NULL},
    {"SELECT * FROM t FOR VERSION AS OF 'tag' x", "SELECT * FROM t FOR VERSION AS OF 'tag' AS x"},
    {"SELECT * FROM t x FOR TIMESTAMP AS OF TIMESTAMPTZ '2020-01-01 00:00:00Z'",
     "SELECT * FROM t FOR TIMESTAMP AS OF TIMESTAMPTZ '2020-01-01 00:00:00Z' AS x"},
    {"SELECT * FROM t FOR TIMESTAMP AS OF now() - INTERVAL '1' DAY AS x JOIN u ON a = b", NULL},
    {"SELECT * FROM t VERSION AS OF 1", "SELECT * FROM t FOR VERSION AS OF 1"},
    {"SELECT * FROM t AT (VERSION => 1) x", "SELECT * FROM t FOR VERSION AS OF 1 AS x"},
    {"SELECT * FROM t FOR SYSTEM_TIME AS OF x", "SELECT * FROM t FOR TIMESTAMP AS OF x"},
    {"SELECT * FROM (SELECT 1) AS a (x), (VALUES (1)), LATERAL (SELECT a.x) AS b", NULL},
    {"SELECT * FROM f(1, b => 2) AS t (x), LATERAL unnest(a.l) WITH ORDINALITY AS u (v, i)", NULL},
    {"SELECT * FROM t TABLESAMPLE BERNOULLI (10) REPEATABLE (1) x, u TABLESAMPLE (5 ROWS)",
     "SELECT * FROM t AS x TABLESAMPLE BERNOULLI (10 PERCENT) REPEATABLE (1), u TABLESAMPLE (5 "
     "ROWS)"},
    {"SELECT * FROM a INNER JOIN b ON x LEFT OUTER JOIN c USING (y, z) CROSS JOIN d",
     "SELECT * FROM a JOIN b ON x LEFT JOIN c USING (y, z) CROSS JOIN d"},
    {"SELECT * FROM a NATURAL JOIN b NATURAL LEFT JOIN c RIGHT JOIN d ON x FULL JOIN e ON y", NULL},
    {"SELECT * FROM a SEMI JOIN b ON x ANTI JOIN c ON y",
     "SELECT * FROM a LEFT SEMI JOIN b ON x LEFT ANTI JOIN c ON y"},
    {"SELECT * FROM a RIGHT SEMI JOIN b USING (x) RIGHT ANTI JOIN c ON y", NULL},
    {"SELECT * FROM a ASOF JOIN b ON x >= y ASOF LEFT JOIN c ON z POSITIONAL JOIN d", NULL},
    {"SELECT * FROM a asof, b semi, c anti", "SELECT * FROM a AS asof, b AS semi, c AS anti"},
    {"SELECT * FROM a JOIN b JOIN c ON x ON y", "SELECT * FROM a JOIN (b JOIN c ON x) ON y"},
    {"SELECT * FROM a JOIN b CROSS JOIN c ON x", "SELECT * FROM a JOIN (b CROSS JOIN c) ON x"},
    {"SELECT * FROM ((a JOIN b ON x) AS j (p, q) JOIN c ON y)",
     "SELECT * FROM (a JOIN b ON x) AS j (p, q) JOIN c ON y"},
    {"SELECT * FROM ((SELECT 1) UNION (SELECT 2)) u, ((SELECT 1) AS a CROSS JOIN b)",
     "SELECT * FROM (SELECT 1 UNION SELECT 2) AS u, (SELECT 1) AS a CROSS JOIN b"},
    {"SELECT a FROM t WHERE b GROUP BY a, 1 HAVING c WINDOW w AS (ORDER BY a) QUALIFY d", NULL},
    {"SELECT a GROUP BY ALL", NULL},
    {"SELECT a GROUP BY (), ROLLUP (a, (b, c)), CUBE (d), GROUPING SETS ((a), (), ROLLUP (b))",
     "SELECT a GROUP BY (), ROLLUP (a, (b, c)), CUBE (d), GROUPING SETS (a, (), ROLLUP (b))"},
    {"SELECT a GROUP BY (rollup(a)), grouping, (cube(a)[1])",
     "SELECT a GROUP BY (rollup(a)), grouping, (cube(a)[1])"},
    {"SELECT a ORDER BY a ASC NULLS FIRST, b DESC LIMIT 1 + 1 OFFSET 2", NULL},
    {"SELECT a ORDER BY ALL DESC", NULL},
    {"SELECT a OFFSET 1 ROWS FETCH NEXT 3 ROWS ONLY", "SELECT a LIMIT 3 OFFSET 1"},
    {"SELECT a FETCH FIRST ROW ONLY", "SELECT a LIMIT 1"},
    {"SELECT a ORDER BY b FETCH FIRST 2 ROWS WITH TIES", NULL},
    {"SELECT a LIMIT ALL", "SELECT a"},
    {"SELECT a LIMIT NULL", NULL},
    {"SELECT a LIMIT 50%", "SELECT a LIMIT 50 PERCENT"},
    {"SELECT a LIMIT 50 % 7", NULL},
    {"SELECT 1 UNION SELECT 2 INTERSECT SELECT 3 EXCEPT ALL SELECT 4", NULL},
    {"(SELECT 1 UNION SELECT 2) INTERSECT SELECT 3", NULL},
    {"SELECT 1 UNION (SELECT 2 UNION SELECT 3)", NULL},
    {"SELECT 1 UNION DISTINCT (SELECT 2) UNION ALL BY NAME SELECT 3",
     "SELECT 1 UNION SELECT 2 UNION ALL BY NAME SELECT 3"},
    {"(SELECT 1 ORDER BY a LIMIT 1) UNION ALL (VALUES (2)) ORDER BY 1",
     "(SELECT 1 ORDER BY a LIMIT 1) UNION ALL VALUES (2) ORDER BY 1"},
    {"((SELECT 1 LIMIT 2) LIMIT 1)", "(SELECT 1 LIMIT 2) LIMIT 1"},
    {"(((SELECT 1)))", "SELECT 1"},
    {"WITH a AS (SELECT 1), b (x, y) AS NOT MATERIALIZED (SELECT 2) SELECT * FROM a", NULL},
    {"WITH RECURSIVE r (n) AS MATERIALIZED (SELECT 1 UNION ALL SELECT n + 1 FROM r) TABLE r",
     "WITH RECURSIVE r (n) AS MATERIALIZED (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT * "
     "FROM r"},
    {"SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) AS t", NULL},
};

TEST(printer_writes_queries_that_read_back) {
    CHECK_CASES(query_cases);
}

static const print_case definition_cases[] = {
    {"CREATE TABLE IF NOT EXISTS a.b (x INTEGER NOT NULL COMMENT 'c', \"Y\" VARCHAR)", NULL},
    {"CREATE OR REPLACE TABLE t (id BIGINT, ts TIMESTAMPTZ) USING iceberg PARTITIONED BY (id, "
     "bucket(16, id), year(ts)) LOCATION 's3://a/b' COMMENT 'x' WITH ('format-version' = '2')",
     NULL},
    {"CREATE TABLE t (a INT) COMMENT 'x' PARTITIONED BY (a) TBLPROPERTIES (write.a.b 'c') "
     "USING "
     "delta",
     "CREATE TABLE t (a INT) USING delta PARTITIONED BY (a) COMMENT 'x' WITH (write.a.b = "
     "'c')"},
    {"CREATE TEMP TABLE t AS SELECT 1 AS a WITH NO DATA",
     "CREATE TEMPORARY TABLE t AS SELECT 1 AS a WITH NO DATA"},
    {"CREATE TABLE t (a, b) AS (SELECT 1, 2)", "CREATE TABLE t (a, b) AS SELECT 1, 2"},
    {"CREATE TABLE t (a INT DEFAULT 1 + 1 NOT NULL, b INT GENERATED ALWAYS AS (a + 1) STORED, "
     "c "
     "INT GENERATED BY DEFAULT AS IDENTITY)",
     "CREATE TABLE t (a INT NOT NULL DEFAULT 1 + 1, b INT GENERATED ALWAYS AS (a + 1), c INT "
     "GENERATED ALWAYS AS IDENTITY)"},
    {"CREATE TABLE t (a INT PRIMARY KEY CHECK (a > 0) REFERENCES u (x), b INT CONSTRAINT c "
     "UNIQUE, PRIMARY KEY (a), UNIQUE (a, b), CONSTRAINT d FOREIGN KEY (a) REFERENCES s.u (x), "
     "CHECK (a < b))",
     NULL},
    {"CREATE TABLE t (check INT, unique INT)", NULL},
    {"CREATE EXTERNAL TABLE t STORED AS csv LOCATION 'f.csv' OPTIONS ('format.has_header' "
     "'true')",
     "CREATE EXTERNAL TABLE t USING csv LOCATION 'f.csv' WITH ('format.has_header' = 'true')"},
    {"CREATE TABLE t (a STRUCT(x INT NOT NULL COMMENT 'c', y LIST(MAP(TEXT, INT[]))))",
     "CREATE TABLE t (a STRUCT(x INT NOT NULL COMMENT 'c', y MAP(TEXT, INT[])[]))"},
    {"CREATE TABLE t (a TIMESTAMP(9) WITH TIME ZONE, b TIME WITHOUT TIME ZONE, c DOUBLE "
     "PRECISION, d DECIMAL(10,2), e CHARACTER VARYING(3), f INTERVAL)",
     "CREATE TABLE t (a TIMESTAMPTZ(9), b TIME, c DOUBLE, d DECIMAL(10, 2), e VARCHAR(3), f "
     "INTERVAL)"},
    {"CREATE OR REPLACE VIEW v (a, b) COMMENT 'x' AS SELECT 1, 2", NULL},
    {"CREATE TEMPORARY VIEW IF NOT EXISTS v WITH (a = 'b') AS VALUES (1)", NULL},
    {"CREATE RECURSIVE VIEW v (n) AS SELECT 1", NULL},
    {"CREATE SCHEMA IF NOT EXISTS c.s COMMENT 'x' LOCATION 'y' WITH (a = 1)", NULL},
    {"CREATE NAMESPACE n", "CREATE SCHEMA n"},
    {"CREATE DATABASE n WITH DBPROPERTIES ('a' = 'b')", "CREATE SCHEMA n WITH ('a' = 'b')"},
    {"DROP TABLE IF EXISTS a, b.c CASCADE PURGE", NULL},
    {"DROP VIEW v RESTRICT", NULL},
    {"DROP DATABASE IF EXISTS n", "DROP SCHEMA IF EXISTS n"},
    {"COMMENT ON TABLE a.b IS 'x'", NULL},
    {"COMMENT ON COLUMN t.a IS NULL", NULL},
    {"ALTER TABLE IF EXISTS a.b RENAME TO c.d", NULL},
    {"ALTER TABLE t ADD a.b INT COMMENT 'x' AFTER c, DROP COLUMN IF EXISTS d.e",
     "ALTER TABLE t ADD COLUMN a.b INT COMMENT 'x' AFTER c, DROP COLUMN IF EXISTS d.e"},
    {"ALTER TABLE t ADD COLUMNS (a INT FIRST, b TEXT NOT NULL)", NULL},
    {"ALTER TABLE t ADD COLUMN IF NOT EXISTS a INT DEFAULT 1", NULL},
    {"ALTER TABLE t DROP COLUMNS (a, b.c)", "ALTER TABLE t DROP COLUMN a, DROP COLUMN b.c"},
    {"ALTER TABLE t RENAME a.b TO c", "ALTER TABLE t RENAME COLUMN a.b TO c"},
    {"ALTER TABLE t RENAME COLUMN column TO columns", NULL},
    {"ALTER TABLE t ALTER COLUMN a.b TYPE BIGINT USING a.b + 1, ALTER c SET DATA TYPE TEXT",
     "ALTER TABLE t ALTER COLUMN a.b TYPE BIGINT USING a.b + 1, ALTER COLUMN c TYPE TEXT"},
    {"ALTER TABLE t ALTER COLUMN a SET DEFAULT 1, ALTER COLUMN a DROP DEFAULT", NULL},
    {"ALTER TABLE t ALTER COLUMN a SET NOT NULL, ALTER COLUMN a DROP NOT NULL", NULL},
    {"ALTER TABLE t ALTER COLUMN a COMMENT 'x', ALTER COLUMN a FIRST, ALTER COLUMN a AFTER b",
     NULL},
    {"ALTER TABLE t ADD PARTITION FIELD bucket(16, id) AS shard", NULL},
    {"ALTER TABLE t DROP PARTITION FIELD year(ts), DROP PARTITION FIELD shard", NULL},
    {"ALTER TABLE t REPLACE PARTITION FIELD day(ts) WITH hour(ts) AS h", NULL},
    {"ALTER TABLE t WRITE ORDERED BY a, b DESC NULLS LAST", NULL},
    {"ALTER TABLE t WRITE LOCALLY ORDERED BY bucket(4, a)", NULL},
    {"ALTER TABLE t WRITE DISTRIBUTED BY PARTITION LOCALLY ORDERED BY a", NULL},
    {"ALTER TABLE t WRITE UNORDERED", NULL},
    {"ALTER TABLE t WRITE DISTRIBUTED BY PARTITION",
     "ALTER TABLE t WRITE DISTRIBUTED BY PARTITION UNORDERED"},
    {"ALTER TABLE t SET IDENTIFIER FIELDS a, b.c", NULL},
    {"ALTER TABLE t DROP IDENTIFIER FIELDS a", NULL},
    {"ALTER TABLE t SET TBLPROPERTIES ('a.b' = 'c', d.e = 1)", NULL},
    {"ALTER TABLE t UNSET TBLPROPERTIES IF EXISTS ('a', b)", NULL},
    {"ALTER TABLE t SET LOCATION 's3://x'", NULL},
    {"ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0), DROP CONSTRAINT IF EXISTS d", NULL},
    {"ALTER TABLE t CREATE OR REPLACE BRANCH b AS OF VERSION 12 RETAIN 7 DAYS WITH SNAPSHOT "
     "RETENTION 5 SNAPSHOTS 2 HOURS",
     NULL},
    {"ALTER TABLE t CREATE BRANCH IF NOT EXISTS b WITH SNAPSHOT RETENTION 2 DAYS", NULL},
    {"ALTER TABLE t CREATE TAG x AS OF VERSION 1 RETAIN 1 DAY",
     "ALTER TABLE t CREATE TAG x AS OF VERSION 1 RETAIN 1 DAYS"},
    {"ALTER TABLE t REPLACE BRANCH b AS OF VERSION 3, REPLACE TAG x AS OF VERSION 4", NULL},
    {"ALTER TABLE t DROP BRANCH IF EXISTS b, DROP TAG x", NULL},
    {"ALTER VIEW v AS SELECT 1", NULL},
    {"ALTER VIEW v RENAME TO w", NULL},
    {"ALTER SCHEMA s SET DBPROPERTIES (a = 'b')", "ALTER SCHEMA s SET TBLPROPERTIES (a = 'b')"},
};

TEST(printer_writes_definitions_that_read_back) {
    CHECK_CASES(definition_cases);
}

static const print_case change_cases[] = {
    {"INSERT INTO a.b (x, \"Y\") VALUES (1, DEFAULT), (2, 3)", NULL},
    {"INSERT INTO TABLE t SELECT * FROM u", "INSERT INTO t SELECT * FROM u"},
    {"INSERT INTO t BY NAME SELECT 1 AS a RETURNING a, b AS c", NULL},
    {"INSERT INTO t DEFAULT VALUES", NULL},
    {"INSERT INTO t (SELECT 1)", "INSERT INTO t SELECT 1"},
    {"INSERT INTO t (a) (SELECT 1 LIMIT 1) UNION SELECT 2", NULL},
    {"INSERT INTO t (SELECT 1 LIMIT 1) UNION SELECT 2", NULL},
    {"INSERT OVERWRITE TABLE t (a) SELECT 1", "INSERT OVERWRITE t (a) SELECT 1"},
    {"INSERT INTO t REPLACE WHERE d = DATE '2020-01-01' SELECT 1",
     "INSERT INTO t REPLACE WHERE (d = DATE '2020-01-01') SELECT 1"},
    {"WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", NULL},
    {"UPDATE t AS x SET a.b = 1, (c, d) = (SELECT 1, 2), e = DEFAULT FROM u WHERE f RETURNING "
     "*",
     NULL},
    {"UPDATE t x SET a = 1", "UPDATE t AS x SET a = 1"},
    {"UPDATE t SET a = 1", NULL},
    {"DELETE FROM t AS x USING u, v WHERE a RETURNING b", NULL},
    {"DELETE FROM t.branch_x", NULL},
    {"MERGE INTO t AS x USING (SELECT 1) AS s ON x.a = s.a WHEN MATCHED AND b THEN UPDATE SET "
     "c = "
     "1, d = 2 WHEN MATCHED THEN DELETE WHEN NOT MATCHED AND e THEN INSERT (a, b) VALUES (1, "
     "DEFAULT) WHEN NOT MATCHED THEN INSERT DEFAULT VALUES WHEN NOT MATCHED BY SOURCE THEN DO "
     "NOTHING RETURNING a",
     NULL},
    {"MERGE INTO t USING u ON a WHEN MATCHED THEN UPDATE * WHEN NOT MATCHED BY TARGET THEN "
     "INSERT "
     "*",
     "MERGE INTO t USING u ON a WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"},
    {"MERGE INTO t USING a JOIN b ON c ON d WHEN MATCHED THEN DELETE", NULL},
    {"WITH a AS (SELECT 1) MERGE INTO t USING a ON b WHEN NOT MATCHED THEN INSERT VALUES (1)",
     NULL},
    {"TRUNCATE a.b", "TRUNCATE TABLE a.b"},
    {"COPY t (a, b) TO 'x.parquet' (FORMAT parquet, PARTITION_BY (a, b), OVERWRITE)",
     "COPY t (a, b) TO 'x.parquet' (FORMAT = parquet, PARTITION_BY = (a, b), OVERWRITE)"},
    {"COPY (SELECT 1) TO $1 WITH (COMPRESSION 'zstd', ROW_GROUP_ROWS 1000, FILE_SIZE = '1MB')",
     "COPY (SELECT 1) TO $1 (COMPRESSION = 'zstd', ROW_GROUP_ROWS = 1000, FILE_SIZE = '1MB')"},
    {"COPY t TO 'x' STORED AS csv PARTITIONED BY (a) OPTIONS ('b' 'c')",
     "COPY t TO 'x' (FORMAT = csv, PARTITION_BY = a, 'b' = 'c')"},
    {"COPY t FROM 'x.csv' (HEADER, DELIMITER ';')",
     "COPY t FROM 'x.csv' (HEADER, DELIMITER = ';')"},
    {"COPY t TO 'x' (FORMAT table, PARTITION_BY (a))",
     "COPY t TO 'x' (FORMAT = table, PARTITION_BY = a)"},
};

TEST(printer_writes_changes_that_read_back) {
    CHECK_CASES(change_cases);
}

static const print_case statement_cases[] = {
    {"BEGIN", NULL},
    {"START TRANSACTION READ ONLY", "BEGIN READ ONLY"},
    {"BEGIN WORK ISOLATION LEVEL REPEATABLE READ, READ WRITE",
     "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE"},
    {"COMMIT TRANSACTION", "COMMIT"},
    {"ROLLBACK", NULL},
    {"ROLLBACK TO a", "ROLLBACK TO SAVEPOINT a"},
    {"SAVEPOINT \"A\"", NULL},
    {"RELEASE SAVEPOINT \"A\"", NULL},
    {"RELEASE savepoint", "RELEASE SAVEPOINT savepoint"},
    {"SET memory_limit = '512MB'", NULL},
    {"SET search_path TO a, \"B\", 'c'", "SET search_path = a, \"B\", 'c'"},
    {"SET SESSION a.b.c = on", NULL},
    {"SET LOCAL x TO DEFAULT", "SET LOCAL x = DEFAULT"},
    {"SET session = 1", NULL},
    {"SET TIME ZONE 'UTC'", "SET TimeZone = 'UTC'"},
    {"SET x = -1 + 2", NULL},
    {"RESET ALL", NULL},
    {"RESET a.b", NULL},
    {"RESET TIME ZONE", "RESET TimeZone"},
    {"SHOW ALL", "SHOW ALL SETTINGS"},
    {"SHOW SETTINGS LIKE 'a%'", "SHOW ALL SETTINGS LIKE 'a%'"},
    {"SHOW threads", NULL},
    {"SHOW TIME ZONE", "SHOW TimeZone"},
    {"SHOW CATALOGS", NULL},
    {"SHOW DATABASES IN c", "SHOW SCHEMAS FROM c"},
    {"SHOW TABLES FROM c.s LIKE 'x%'", NULL},
    {"SHOW VIEWS", NULL},
    {"SHOW COLUMNS FROM t", NULL},
    {"SHOW FUNCTIONS", NULL},
    {"SHOW CREATE TABLE a.b", NULL},
    {"SHOW CREATE VIEW v", NULL},
    {"SHOW \"tables\"", NULL},
    {"USE c.s", NULL},
    {"ATTACH 'sqlite:x.db' AS c (TYPE iceberg, WAREHOUSE 'w', READ_ONLY, HEADERS MAP {'a': "
     "'b'})",
     "ATTACH 'sqlite:x.db' AS c (TYPE = iceberg, WAREHOUSE = 'w', READ_ONLY, HEADERS = "
     "'***')"},
    {"ATTACH 'http://h' AS c (token 'hunter22', Credential = 'id:hunter22')",
     "ATTACH 'http://h' AS c (token = '***', Credential = '***')"},
    {"ATTACH 'http://h' AS c (tokn hunter22, \"token\" $$hunter22$$, scope 's')",
     "ATTACH 'http://h' AS c (tokn = '***', \"token\" = '***', scope = 's')"},
    {"ATTACH OR REPLACE DATABASE IF NOT EXISTS 'x'", "ATTACH OR REPLACE IF NOT EXISTS 'x'"},
    {"DETACH DATABASE IF EXISTS c", "DETACH IF EXISTS c"},
    {"DETACH database", NULL},
    {"DESCRIBE t FOR VERSION AS OF 1", "DESCRIBE TABLE t FOR VERSION AS OF 1"},
    {"DESC TABLE EXTENDED", "DESCRIBE TABLE EXTENDED"},
    {"DESCRIBE EXTENDED t", "DESCRIBE TABLE t"},
    {"DESCRIBE 'x.parquet'", "DESCRIBE TABLE 'x.parquet'"},
    {"DESCRIBE SELECT 1", NULL},
    {"SUMMARIZE (SELECT 1)", "SUMMARIZE SELECT 1"},
    {"SUMMARIZE t", "SUMMARIZE TABLE t"},
    {"EXPLAIN SELECT 1", NULL},
    {"EXPLAIN ANALYZE VERBOSE SELECT 1", "EXPLAIN (ANALYZE, VERBOSE) SELECT 1"},
    {"EXPLAIN VERBOSE ANALYZE SELECT 1", "EXPLAIN (ANALYZE, VERBOSE) SELECT 1"},
    {"EXPLAIN (FORMAT json, VERBOSE false, ANALYZE true) DELETE FROM t",
     "EXPLAIN (ANALYZE, FORMAT json) DELETE FROM t"},
    {"EXPLAIN (SELECT 1) UNION SELECT 2", "EXPLAIN SELECT 1 UNION SELECT 2"},
    {"EXPLAIN (ANALYZE false) ANALYZE t", "EXPLAIN (ANALYZE false) ANALYZE TABLE t"},
    {"EXPLAIN (ANALYZE false) ANALYZE", NULL},
    {"EXPLAIN FORMAT tree CREATE TABLE t AS SELECT 1",
     "EXPLAIN (FORMAT tree) CREATE TABLE t AS SELECT 1"},
    {"PREPARE p (INTEGER, TEXT[]) AS SELECT $1, $2", NULL},
    {"EXECUTE p(1, 'a', x => 2)", "EXECUTE p (1, 'a', x => 2)"},
    {"EXECUTE p", NULL},
    {"DEALLOCATE PREPARE p", "DEALLOCATE p"},
    {"DEALLOCATE ALL", NULL},
    {"DEALLOCATE prepare", NULL},
    {"CALL cat.system.remove_orphan_files(table => 'a.b', dry_run => true)", NULL},
    {"CALL p()", NULL},
    {"ANALYZE", NULL},
    {"ANALYZE a.b (x, y)", "ANALYZE TABLE a.b (x, y)"},
    {"ANALYZE TABLE t COMPUTE STATISTICS FOR COLUMNS x, y", "ANALYZE TABLE t (x, y)"},
    {"ANALYZE TABLE t COMPUTE STATISTICS FOR ALL COLUMNS", "ANALYZE TABLE t"},
    {"ANALYZE VERBOSE verbose", "ANALYZE TABLE verbose"},
};

TEST(printer_writes_other_statements_that_read_back) {
    CHECK_CASES(statement_cases);
}

TEST(printer_quotes_names_that_need_it) {
    static const struct {
        const char *name;
        bool is_quoted;
        const char *printed;
    } cases[] = {
        {"abc", false, "abc"},        {"abc", true, "\"abc\""}, {"a b", false, "\"a b\""},
        {"a\"b", true, "\"a\"\"b\""}, {"1a", false, "\"1a\""},  {"\xc3\xa4", false, "\xc3\xa4"},
        {"a-b", false, "\"a-b\""},    {"_1$", false, "_1$"},    {"$a", false, "\"$a\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        arena memory = arena_open(MEMORY_MAX);
        firn_error err = ERR_INIT;
        text printed;
        text_builder out = text_builder_open(&memory);
        sql_print_name(
            &out, &(sql_name){.value = text_of(cases[i].name), .is_quoted = cases[i].is_quoted});
        REQUIRE(text_builder_finish(&out, &printed, &err) == FIRN_OK);
        CHECK(text_equal(printed, text_of(cases[i].printed)));
        arena_close(&memory);
    }
}

TEST(printer_says_when_memory_runs_out) {
    arena memory = arena_open(MEMORY_MAX);
    firn_error err = ERR_INIT;
    const sql_expr *expr;
    REQUIRE(sql_parse_expression(TEXT("a + b"), &memory, &expr, &err) == FIRN_OK);
    arena none = arena_open(0);
    text_builder out = text_builder_open(&none);
    text printed;
    sql_print_expr(&out, expr);
    CHECK(text_builder_finish(&out, &printed, &err) == FIRN_NO_MEMORY);
    arena_close(&none);
    arena_close(&memory);
}
