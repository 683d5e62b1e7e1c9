// Where errors say that something is wrong: the place in the statement, the view, the column.
#include "io/test_folder.h"
#include "scene.h"

typedef struct place {
    const char *sql;
    const char *words; ///< In the message.
    const char *at;    ///< How the SQL goes on where the position is; NULL: there is none.
} place;

static const char *const setup[] = {
    "CREATE TABLE t (a INTEGER, s VARCHAR)",
    "INSERT INTO t VALUES (0, 'x')",
    "CREATE VIEW v AS SELECT 10 / a AS q, CAST(s AS INTEGER) AS n, a FROM t",
    "CREATE VIEW w AS SELECT q + 1 AS r, 5 / a AS p FROM v",
    "CREATE TABLE n (i INTEGER NOT NULL, d DATE)",
    "CREATE TABLE f (s VARCHAR, i INTEGER DEFAULT CAST('no ' || random() AS INTEGER))",
    "INSERT INTO f VALUES ('y', 1)",
    "CREATE VIEW zero_steps AS SELECT * FROM range(1, 10, 0)",
};

static const place places[] = {
    // Rows of a view: the place would be in the view's text.
    {"SELECT q FROM v", "while reading the view \"v\"", NULL},
    {"SELECT x.n FROM v x WHERE n > 1", "while reading the view \"v\"", NULL},
    {"SELECT (SELECT max(n) FROM v)", "while reading the view \"v\"", NULL},
    {"SELECT r FROM w", "while reading the view \"v\"", NULL},
    {"SELECT p FROM w", "while reading the view \"w\"", NULL},
    {"SELECT 7 / a FROM v", "division by zero", "7 / a"},
    // What is bound is not what was written.
    {"SUMMARIZE SELECT a FROM t WHERE a > 'x' || s", "is no INTEGER", NULL},
    {"SUMMARIZE SELECT n FROM v", "while reading the view \"v\"", NULL},
    {"SUMMARIZE SELECT (SELECT b FROM (VALUES (1), (2)) u (b)) AS c FROM t", "more than one row",
     NULL},
    {"SUMMARIZE SELECT a, nosuch FROM t", "no column \"nosuch\"", "nosuch"},
    // Columns that are filled.
    {"INSERT INTO n VALUES (1, 'no date')", "while filling the column \"d\"", "'no date'"},
    {"INSERT INTO n (d, i) VALUES (NULL, 99999999999)", "while filling the column \"i\"",
     "99999999999"},
    {"INSERT INTO n VALUES (1, true)", "while filling the column \"d\"", "true"},
    {"INSERT INTO n SELECT a, s FROM t", "while filling the column \"d\"", "s FROM"},
    {"INSERT INTO n SELECT a, true FROM t", "while filling the column \"d\"", NULL},
    {"INSERT INTO n SELECT *, 1 FROM t", "INSERT gives 3 columns", "SELECT *"},
    {"INSERT INTO n SELECT * FROM t", "while filling the column \"d\"", NULL},
    {"INSERT INTO n VALUES (NULL, NULL)", "NULL in column \"i\", which is NOT NULL", "NULL, NULL"},
    {"INSERT INTO n VALUES (1, NULL), (2 - NULL, NULL)", "NULL in column \"i\"", "2 - NULL"},
    {"INSERT INTO n (d) VALUES (NULL)", "NULL in column \"i\"", "d) VALUES"},
    {"INSERT INTO n SELECT nullif(a, 0), NULL FROM t", "NULL in column \"i\"", "nullif"},
    {"INSERT INTO n BY NAME SELECT NULL AS d, nullif(a, 0) AS i FROM t", "NULL in column \"i\"",
     "nullif"},
    {"INSERT INTO n DEFAULT VALUES", "NULL in column \"i\"", NULL},
    {"INSERT INTO n (d, i) VALUES (NULL, DEFAULT)", "NULL in column \"i\"", "DEFAULT"},
    {"INSERT INTO n (i, i) VALUES (7, DEFAULT)", "NULL in column \"i\"", "DEFAULT"},
    {"INSERT INTO f VALUES ('x', DEFAULT)", "is no INTEGER", "DEFAULT"},
    {"INSERT INTO f (s) VALUES ('x')", "is no INTEGER", NULL},
    {"UPDATE f SET i = DEFAULT", "is no INTEGER", "DEFAULT"},
    {"INSERT INTO n VALUES (1)", "INSERT gives 1 columns, the table takes 2", "VALUES"},
    // Functions that read files: the argument.
    {"SELECT * FROM read_parquet('/nowhere/x.parquet')", "/nowhere/x.parquet", "'/nowhere"},
    {"SELECT * FROM read_parquet('x', hive_partitoning => true)", "no option \"hive_partitoning\"",
     "hive_partitoning"},
    {"SELECT * FROM read_parquet('x', union_by_nam = true)", "no option \"union_by_nam\"",
     "union_by_nam"},
    {"SELECT * FROM read_parquet('x', filename = 3)", "filename takes true or false", "filename"},
    {"SELECT * FROM read_parquet(5)", "a path or a list of paths", "5"},
    {"SELECT * FROM iceberg_scan('x', snapsht_id => 3)", "no argument \"snapsht_id\"",
     "snapsht_id"},
    {"SELECT * FROM iceberg_scan(ref => 'a', 3)", "one path and named arguments", "3)"},
    {"SELECT * FROM iceberg_scan('/nowhere')", "/nowhere", "'/nowhere')"},
    {"SELECT * FROM read_parquet('tests/data/parquet/bounds.parquet') WITH ORDINALITY",
     "WITH ORDINALITY is not supported", "read_parquet"},
    {"SELECT * FROM generate_series(1, 2.5)", "no \"generate_series\" takes", "generate_series"},
    {"SELECT * FROM generate_series(DATE '2020-01-01', DATE '2020-01-02')", "an INTERVAL",
     "generate_series"},
    // Subqueries as values that give two rows: the subquery, in each kind of join.
    {"SELECT 1, (SELECT a FROM (VALUES (1), (2)) t (a))", "more than one row", "SELECT a"},
    {"SELECT 1, (SELECT a FROM (VALUES (1), (2)) t (a))", "LIMIT 1 or an aggregate", "SELECT a"},
    {"SELECT (SELECT a FROM (VALUES (1), (1)) t (a) WHERE a = b) FROM (VALUES (1), (3)) u (b)",
     "more than one row", "SELECT a"},
    {"SELECT (SELECT a FROM (VALUES (1), (1)) t (a) WHERE a < b) FROM (VALUES (1), (3)) u (b)",
     "more than one row", "SELECT a"},
    {"SELECT b FROM (VALUES (1), (3)) u (b) WHERE b = (SELECT a + b FROM (VALUES (1), (1)) t (a) "
     "LIMIT 2)",
     "more than one row", "SELECT a"},
    {"SELECT * FROM read_parqet('x')", "did you mean \"read_parquet\"", "read_parqet"},
    {"SELECT * FROM 'tests/data'", "'tests/data/**/*.parquet'", "'tests/data'"},
    {"SELECT * FROM 'tests/data/'", "'tests/data/**/*.parquet'", "'tests/data/'"},
    {"SELECT * FROM read_parquet('tests/data/')", "'tests/data/**/*.parquet'", "'tests/data/'"},
    {"SELECT * FROM 'tests/data/nosuch*.parquet'", "no file matches", "'tests/data"},
    {"SELECT 1 FROM 'tests/data/[.parquet'", "[.parquet", "'tests/data"},
    {"SELECT * FROM '/nowhere/x.parquet'", "/nowhere/x.parquet", "'/nowhere"},
    {"SELECT * FROM ''", "the name of the file is empty", "''"},
    {"SELECT * FROM read_parquet('x', filename => true, FILENAME => false)",
     "\"FILENAME\" is given twice", "FILENAME"},
    {"SELECT * FROM range(1, 10, 0)", "must not be zero", "0)"},
    {"SELECT * FROM generate_series(1, 10, 2 - 2)", "must not be zero", "2 - 2"},
    {"SELECT * FROM zero_steps", "must not be zero", NULL},
    // Catalogs and settings: the option or the name.
    {"ATTACH '/nowhere' AS c (TYPE icebrg)", "did you mean \"iceberg\"", "TYPE"},
    {"ATTACH '/nowhere' AS c (TYPE iceberg, WREHOUSE 'x')", "did you mean \"WAREHOUSE\"",
     "WREHOUSE"},
    {"ATTACH '/nowhere' AS c (READ_ONLY 'maybe')", "READ_ONLY is \"maybe\"", "READ_ONLY"},
    {"ATTACH '/nowhere' AS c", "/nowhere", "'/nowhere'"},
    {"DROP VIEW nosuch", "there is no view \"nosuch\"", "nosuch"},
    {"DROP SCHEMA nosuch", "there is no schema \"nosuch\" in the catalog \"memory\"", "nosuch"},
    {"SELECT q.aB FROM (SELECT 1 AS \"ab\", 2 AS \"AB\") q",
     "the columns \"ab\", \"AB\" differ only in the case of letters", "aB FROM"},
    {"SET TimeZone = 'Europe/Berln'", "\"Europe/Berlin\"", "TimeZone"},
    {"SELECT now() AT TIME ZONE 'Europe/Berln'", "\"Europe/Berlin\"", "now()"},
    {"DETACH memry", "did you mean \"memory\"", "memry"},
    {"RESET tread", "did you mean \"threads\"", "tread"},
    {"SHOW TABLES FROM mian", "did you mean \"main\"", "mian"},
    {"SHOW tabels", "did you mean \"TABLES\"", "tabels"},
    {"SHOW thraeds", "did you mean \"threads\"", "thraeds"},
    {"ATTACH '/nowhere' AS c (typ iceberg)", "did you mean \"TYPE\"", "typ "},
    {"SELECT interval '1 dya'", "did you mean \"day\"", "interval"},
    {"SELECT CAST('2 hours 3 minuets ago' AS INTERVAL)", "did you mean \"minute\"", "'2 hours"},
    {"CREATE TEMP TABLE memory.main.x (a INTEGER)", "lies in the catalog \"temp\"", "memory"},
    {"CREATE TEMPORARY VIEW memory.x AS SELECT 1", "lies in the catalog \"temp\"", "memory"},
    {"CREATE TABLE t (b INTEGER)", "\"t\" exists already", "t (b"},
    {"CREATE VIEW v AS SELECT 1", "\"v\" exists already", "v AS"},
    {"CREATE SCHEMA main", "\"main\" exists already", "main"},
    {"WITH a AS (SELECT 1), a AS (SELECT 2) SELECT 3", "is given twice", "a AS (SELECT 2)"},
    {"SELECT 1 + $2", "parameter $2 has no value", "$2"},
    {"ROLLBACK", "there is no transaction", "ROLLBACK"},
};

// What is like nothing that there is.
TEST(errors_do_not_guess_at_what_is_far_from_all_names) {
    static const char *const wrong[] = {
        "SELECT nosuch(1)",
        "SELECT printf('%d', 1)",
        "SELECT even(1)",
        "SET TimeZone = 'Americ'", // A folder of zones is none.
    };
    scene here;
    REQUIRE(scene_open(&here, "1"));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        firn_error err = FIRN_ERROR_INIT;
        CHECK(firn_execute(here.session, wrong[i], FIRN_NUL_TERMINATED, NULL, &err) != FIRN_OK);
        if (err.hint[0] != '\0') {
            printf("%s\n    hint: %s\n", wrong[i], err.hint);
            CHECK(false);
        }
    }
    scene_close(&here);
}

static void run_all(firn_session *session, const char *const *statements, size_t count) {
    for (size_t i = 0; i < count; i++) {
        firn_error err = FIRN_ERROR_INIT;
        const firn_status status =
            firn_execute(session, statements[i], FIRN_NUL_TERMINATED, NULL, &err);
        if (status != FIRN_OK) {
            printf("%s\n    %s\n", statements[i], err.text);
        }
        REQUIRE(status == FIRN_OK);
    }
}

static void check_places(firn_session *session, const place *all, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const place *each = &all[i];
        firn_error err = FIRN_ERROR_INIT;
        const firn_status status =
            firn_execute(session, each->sql, FIRN_NUL_TERMINATED, NULL, &err);
        const bool is_told =
            strstr(err.text, each->words) != NULL || strstr(err.hint, each->words) != NULL;
        const bool is_placed = each->at == NULL ? err.position == UINT64_MAX
                                                : err.position < strlen(each->sql) &&
                                                      strncmp(each->sql + err.position, each->at,
                                                              strlen(each->at)) == 0;
        if (status == FIRN_OK || !is_told || !is_placed) {
            printf("%s\n    %s\n    hint: %s, position %lld\n", each->sql, err.text, err.hint,
                   (long long)err.position);
        }
        CHECK(status != FIRN_OK);
        CHECK(is_told);
        CHECK(is_placed);
    }
}

TEST(errors_say_where_the_fault_is) {
    scene here;
    REQUIRE(scene_open(&here, "1"));
    run_all(here.session, setup, sizeof setup / sizeof *setup);
    check_places(here.session, places, sizeof places / sizeof *places);
    scene_close(&here);
}

// ---- Views that last ---------------------------------------------------------------------------

static const char *const lasting_setup[] = {
    "CREATE SCHEMA lake.db",
    "CREATE TABLE lake.db.t (x BIGINT)",
    "CREATE VIEW lake.db.totals WITH ('a.b' = '1', 'owner' = 'me') AS SELECT x FROM lake.db.t",
    "USE lake.db",
};

static const place lasting_places[] = {
    {"ALTER VIEW totals SET TBLPROPERTIES ('x' = 'y', 'location' = 'z')", "is reserved",
     "'location'"},
    {"ALTER VIEW totals SET TBLPROPERTIES (x = 'y', 'version.history.num-entries' = 'z')",
     "1 to 2147483647 is allowed", "'version.history"},
    {"ALTER VIEW totals UNSET TBLPROPERTIES ('owner', 'a.c')", "did you mean \"a.b\"", "'a.c'"},
    {"ALTER VIEW totals UNSET TBLPROPERTIES IF EXISTS (none, provider)", "is reserved", "provider"},
    {"ALTER VIEW totals SET TBLPROPERTIES ('x' = 'y', 'x' = 'z')", "given twice", "'x' = 'z'"},
    {"CREATE VIEW u WITH ('x' = 'y', 'format-version' = '1') AS SELECT 1 AS n", "is reserved",
     "'format-version'"},
    {"ALTER VIEW total SET TBLPROPERTIES ('x' = 'y')", "did you mean \"totals\"", "total SET"},
    {"ALTER VIEW t SET TBLPROPERTIES ('x' = 'y')", "is a table, not a view", "t SET"},
    {"ALTER VIEW total AS SELECT 1 AS n", "did you mean \"totals\"", "total AS"},
    {"ALTER VIEW t AS SELECT 1 AS n", "is a table, not a view", "t AS"},
    {"ALTER VIEW totals AS SELECT y FROM t", "there is no column \"y\"", "y FROM"},
    {"ALTER VIEW totals AS SELECT x FROM u", "there is no table", "u"},
    {"ALTER VIEW totals AS SELECT $1 AS n", "a view has no parameters", "SELECT $1"},
    {"ALTER VIEW totals AS SELECT x, x FROM t", "would be called", "ALTER"},
};

TEST(errors_of_views_that_last_say_where_the_fault_is) {
    scene here;
    char attach[1024];
    test_folder folder = test_folder_open("error_places");
    (void)snprintf(attach, sizeof attach,
                   "ATTACH 'sqlite:%s/c.db' AS lake (TYPE iceberg, WAREHOUSE '%s/w')", folder.path,
                   folder.path);
    const char *const attached = attach;
    REQUIRE(scene_open(&here, "1"));
    run_all(here.session, &attached, 1);
    run_all(here.session, lasting_setup, sizeof lasting_setup / sizeof *lasting_setup);
    check_places(here.session, lasting_places, sizeof lasting_places / sizeof *lasting_places);
    scene_close(&here);
    test_folder_close(&folder);
}

TEST(errors_of_paths_that_are_too_long_say_so) {
    scene here;
    char sql[8192] = "SELECT * FROM '";
    const size_t before = strlen(sql);
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(scene_open(&here, "1"));
    memset(sql + before, 'x', 5000);
    memcpy(sql + before + 5000, "'", 2);
    CHECK(firn_execute(here.session, sql, FIRN_NUL_TERMINATED, NULL, &err) == FIRN_INVALID);
    CHECK(strstr(err.text, "4095") != NULL && strstr(err.hint, "**") == NULL);
    CHECK(err.position == strlen("SELECT * FROM "));
    scene_close(&here);
}

// What ATTACH holds is in no error, whatever is wrong with it; of addresses only what may be shown.
TEST(errors_repeat_no_secret) {
    static const char *const statements[] = {
        "ATTACH 'http://h' AS l (TOKEN SECRET SECRET)",
        "ATTACH 'http://h' AS l (TOKEN SECRET || 'x')",
        "ATTACH 'http://h' AS l (TOKEN SECRET.x)",
        "ATTACH 'http://h' AS l (TOKEN SECRET(1))",
        "ATTACH 'http://h' AS l (TOKEN 'a'::SECRET)",
        "ATTACH 'http://h' AS l (TOKEN 'SECRET'::INTEGER)",
        "ATTACH 'http://h' AS l (TOKEN 123SECRET)",
        "ATTACH 'http://h' AS l (TOKEN $$SECRET$$ \"SECRET\")",
        "ATTACH 'http://h' AS l (TOKEN 'SECRET",
        "ATTACH 'http://h' AS l (TOKEN $SECRET$SECRET",
        "ATTACH 'http://h' AS l (TOKEN x'SECRET')",
        "ATTACH 'http://h' AS l (tokn 'SECRET')",
        "ATTACH 'http://h' AS l (HEADERS 'SECRET')",
        "ATTACH 'http://h' AS l (HEADERS MAP {'a': SECRET})",
        "ATTACH 'http://h' AS l (HEADERS MAP {'a' 'SECRET'})",
        "ATTACH 'http://h' AS l TOKEN 'SECRET'",
        "ATTACH 'http://me:SECRET@127.0.0.1:1/?SECRET' AS l",
        "SELECT 'https://me:SECRET@h?SECRET'::INTEGER",
        "SELECT * FROM \"https://me:SECRET@h/x.parquet?SECRET\"",
        "SELECT * FROM 'https://me:SECRET@127.0.0.1:1/x.parquet?SECRET'",
        "SELECT * FROM iceberg_scan('https://me:SECRET@127.0.0.1:1/x?SECRET')",
        "COPY (SELECT 1) TO 'https://me:SECRET@127.0.0.1:1/x.parquet?SECRET'",
    };
    scene here;
    REQUIRE(scene_open(&here, "1"));
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        firn_error err = FIRN_ERROR_INIT;
        CHECK(firn_execute(here.session, statements[i], FIRN_NUL_TERMINATED, NULL, &err) !=
              FIRN_OK);
        const bool is_hidden =
            strstr(err.text, "SECRET") == NULL && strstr(err.hint, "SECRET") == NULL;
        if (!is_hidden) {
            printf("%s\n    %s\n    hint: %s\n", statements[i], err.text, err.hint);
        }
        CHECK(is_hidden);
    }
    scene_close(&here);
}
