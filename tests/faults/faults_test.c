// The scenarios in which everything fails once. Run from the top folder of the
// repository; the argument is a part of a scenario's name.
#include <stdio.h>

#include "base/test.h"
#include "fault_server.h"
#include "fault_sqlite.h"
#include "fault_sweep.h"
#include "io/test_folder.h"

#define WEATHER "read_parquet('examples/data/nycflights13/weather.parquet')"
#define PLANES "read_parquet('examples/data/nycflights13/planes.parquet')"
#define AIRPORTS "read_parquet('examples/data/nycflights13/airports.parquet')"
#define ROWS(count) "generate_series(1, " #count ") AS t(x)"
// Some 400 bytes each: more than the limits below hold, and quick to make.
#define WIDE_ROWS(count)                                                                           \
    "(SELECT x, repeat('p', 400) || CAST(x * 7919 % " #count                                       \
    " AS VARCHAR) AS p FROM " ROWS(count) ")"

TEST(faults_scan) {
    static const char *const statements[] = {
        "SELECT CAST(month * 10000 + day * 100 + hour AS BIGINT), origin FROM " WEATHER
        " WHERE temp > 95",
        "SELECT region, CAST(sum(amount) AS BIGINT), CAST(count(*) AS BIGINT) FROM "
        "read_parquet('tests/data/parquet/sales/**/*.parquet') WHERE day < DATE '2024-01-03' OR "
        "region IS NULL GROUP BY region ORDER BY region",
        "SELECT CAST(id AS BIGINT), place.city, CAST(len(tags) AS BIGINT) FROM "
        "read_parquet('tests/data/parquet/nested.parquet')",
        NULL};
    fault_sweep(&(fault_scenario){.name = "scan",
                                  .memory_limit = "64MB",
                                  .statements = statements,
                                  .kinds = FAULT_KIND(ALLOC) | FAULT_KIND(MAP) | FAULT_KIND(OPEN) |
                                           FAULT_KIND(READ) | FAULT_KIND(LIST) |
                                           FAULT_KIND(THREAD)});
}

TEST(faults_planning) {
    static const char *const statements[] = {
        "EXPLAIN WITH busy AS (SELECT origin, count(*) AS n FROM " WEATHER
        " WHERE wind_speed > (SELECT avg(wind_speed) FROM " WEATHER ") GROUP BY origin) SELECT "
        "a.name, b.n, p.model FROM busy AS b JOIN " AIRPORTS
        " AS a ON a.faa = b.origin LEFT JOIN " PLANES
        " AS p ON p.seats = a.alt AND p.year IN (1999, 2000, 2001) WHERE EXISTS (SELECT 1 "
        "FROM " AIRPORTS " AS c WHERE c.tz = a.tz AND c.faa <> a.faa) AND a.lat BETWEEN 30 AND 50 "
        "UNION ALL SELECT lower(model), seats, upper(engine) FROM " PLANES " WHERE engines > 2 "
        "ORDER BY 1 LIMIT 10",
        "DESCRIBE SELECT struct_pack(a := x, b := [x, NULL]) AS s, CASE WHEN x > 1 THEN 'a' END "
        "FROM " ROWS(10),
        NULL};
    fault_sweep(
        &(fault_scenario){.name = "planning",
                          .memory_limit = "64MB",
                          .statements = statements,
                          .kinds = FAULT_KIND(ALLOC) | FAULT_KIND(OPEN) | FAULT_KIND(READ)});
}

TEST(faults_join) {
    static const char *const statements[] = {
        "SELECT a.x, CAST(length(b.p) AS BIGINT) FROM generate_series(1, 24000) AS a(x) "
        "JOIN " WIDE_ROWS(20000) " AS b ON a.x = b.x WHERE length(b.p) > a.x % 405 ORDER BY a.x",
        "SELECT origin, CAST(count(*) AS BIGINT), CAST(count(a.faa) AS BIGINT) FROM " WEATHER
        " AS w LEFT JOIN " AIRPORTS " AS a ON w.origin = a.faa AND w.month = 1 GROUP BY origin "
        "ORDER BY origin",
        NULL};
    fault_sweep(&(fault_scenario){.name = "join",
                                  .memory_limit = "12MB",
                                  .statements = statements,
                                  .kinds = FAULT_KIND(ALLOC) | FAULT_KIND(MAP) | FAULT_KIND(OPEN) |
                                           FAULT_KIND(READ) | FAULT_KIND(WRITE) |
                                           FAULT_KIND(THREAD)});
}

TEST(faults_sort) {
    static const char *const statements[] = {
        "SELECT x FROM " WIDE_ROWS(14000) " AS q ORDER BY p DESC", NULL};
    fault_sweep(&(fault_scenario){.name = "sort",
                                  .memory_limit = "6MB",
                                  .statements = statements,
                                  .kinds = FAULT_KIND(ALLOC) | FAULT_KIND(MAP) | FAULT_KIND(OPEN) |
                                           FAULT_KIND(READ) | FAULT_KIND(WRITE) |
                                           FAULT_KIND(THREAD)});
}

TEST(faults_aggregate) {
    static const char *const statements[] = {
        "SELECT k % 100, CAST(count(*) AS BIGINT), CAST(sum(n) AS BIGINT) FROM (SELECT max(x) AS "
        "k, count(*) AS n FROM " WIDE_ROWS(20000) " AS q GROUP BY p) AS g GROUP BY 1 ORDER BY 1",
        NULL};
    fault_sweep(&(fault_scenario){.name = "aggregate",
                                  .memory_limit = "12MB",
                                  .statements = statements,
                                  .kinds = FAULT_KIND(ALLOC) | FAULT_KIND(MAP) | FAULT_KIND(OPEN) |
                                           FAULT_KIND(READ) | FAULT_KIND(WRITE) |
                                           FAULT_KIND(THREAD)});
}

TEST(faults_catalog_load) {
    static const char *const statements[] = {
        "ATTACH 'sqlite:tests/data/iceberg/catalog.db' AS lake (TYPE iceberg, READ_ONLY)",
        "SHOW TABLES FROM lake.db",
        "SELECT area, CAST(sum(qty) AS BIGINT) FROM lake.db.sales GROUP BY area ORDER BY area",
        "SELECT CAST(count(*) AS BIGINT) FROM lake.db.sales WHERE qty > 3", NULL};
    REQUIRE(fault_sqlite_begin());
    fault_sweep(&(fault_scenario){.name = "catalog load",
                                  .memory_limit = "64MB",
                                  .statements = statements,
                                  .undo = "DETACH lake",
                                  .kinds = FAULT_KIND(ALLOC) | FAULT_KIND(OPEN) | FAULT_KIND(READ) |
                                           FAULT_KIND(THREAD)});
}

// What cannot be listed is as if it had nothing.
TEST(faults_names_in_another_case) {
    static const char *const statements[] = {
        "ATTACH 'sqlite:tests/data/iceberg/cases/catalog.db' AS lake (TYPE iceberg, READ_ONLY)",
        "SELECT n FROM lake.DB.COUNTS ORDER BY n",
        "USE lake.DB.INNER",
        "SHOW TABLES FROM lake.DB.INNER",
        "SELECT CAST(count(*) AS BIGINT) FROM NESTED",
        "USE memory",
        NULL};
    REQUIRE(fault_sqlite_begin());
    fault_sweep(&(fault_scenario){.name = "names in another case",
                                  .memory_limit = "64MB",
                                  .statements = statements,
                                  .undo = "DETACH lake",
                                  .kinds = FAULT_KIND(ALLOC) | FAULT_KIND(OPEN) | FAULT_KIND(READ) |
                                           FAULT_KIND(THREAD),
                                  .may_hide = FAULT_KIND(READ)});
}

TEST(faults_rest_load) {
    fault_server server;
    REQUIRE(fault_server_open(&server));
    char attach[128];
    char remote[256];
    (void)snprintf(attach, sizeof attach, "ATTACH '%s' AS lake (TYPE iceberg)", server.base);
    (void)snprintf(remote, sizeof remote,
                   "SELECT CAST(count(*) AS BIGINT), CAST(sum(amount) AS BIGINT) FROM "
                   "read_parquet('%s/tests/data/parquet/sales/region=EU/day=2024-01-01/"
                   "part-0.parquet')",
                   server.base);
    const char *const statements[] = {
        attach,
        "SHOW TABLES FROM lake.db",
        "SELECT area, CAST(sum(qty) AS BIGINT) FROM lake.db.sales GROUP BY area ORDER BY area",
        "SELECT CAST(count(*) AS BIGINT) FROM lake.DB.SALES",
        remote,
        NULL};
    fault_sweep(&(fault_scenario){.name = "REST load",
                                  .memory_limit = "64MB",
                                  .statements = statements,
                                  .undo = "DETACH lake",
                                  .kinds = FAULT_KIND(ALLOC) | FAULT_KIND(READ) |
                                           FAULT_KIND(REQUEST) | FAULT_KIND(THREAD)});
    fault_server_close(&server);
}

TEST(faults_early_close) {
    static const char *const statements[] = {
        "SELECT x, x % 7 FROM generate_series(1, 40000) AS t(x), " AIRPORTS " AS a WHERE a.alt > 5",
        NULL};
    fault_sweep(&(fault_scenario){.name = "early close",
                                  .memory_limit = "64MB",
                                  .statements = statements,
                                  .batches_wanted = 1,
                                  .kinds = FAULT_KIND(ALLOC) | FAULT_KIND(OPEN) | FAULT_KIND(READ) |
                                           FAULT_KIND(THREAD)});
}

// ---- Writing
// ------------------------------------------------------------------------------------- Tables of a
// SQLite catalog of our own: as before or as afterwards, and no file that nobody knows.

#define WRITES                                                                                     \
    FAULT_KIND(ALLOC) | FAULT_KIND(OPEN) | FAULT_KIND(WRITE) | FAULT_KIND(SYNC) | FAULT_KIND(READ)
#define T "lake.db.t"
#define U "lake.db.u"

typedef struct fault_lake {
    test_folder folder;
    char attach[768];
    char written[300];
} fault_lake;

static void lake_open(fault_lake *self) {
    firn_error err = FIRN_ERROR_INIT;
    firn_engine *engine;
    firn_session *session;
    REQUIRE(fault_sqlite_begin());
    self->folder = test_folder_open("fault_lake");
    (void)snprintf(self->attach, sizeof self->attach,
                   "ATTACH 'sqlite:%s/catalog.db' AS lake (CATALOG_NAME 'lake', WAREHOUSE '%s/w')",
                   self->folder.path, self->folder.path);
    (void)snprintf(self->written, sizeof self->written, "%s/w", self->folder.path);
    REQUIRE(host_make_folder(self->written, &err) == FIRN_OK);
    REQUIRE(firn_engine_open(NULL, 0, &engine, &err) == FIRN_OK);
    REQUIRE(firn_session_open(engine, &session, &err) == FIRN_OK);
    CHECK(firn_execute(session, self->attach, FIRN_NUL_TERMINATED, NULL, &err) == FIRN_OK);
    CHECK(firn_execute(session, "CREATE SCHEMA lake.db", FIRN_NUL_TERMINATED, NULL, &err) ==
          FIRN_OK);
    firn_session_close(session);
    firn_engine_close(engine);
}

static const char *const lake_after[] = {"ROLLBACK", "DROP TABLE " T " PURGE",
                                         "DROP TABLE " U " PURGE", "DETACH lake", NULL};

// Statements on a table of three rows.
static void sweep_lake(const char *name, const char *const *statements, const char *check,
                       unsigned kinds) {
    fault_lake lake;
    lake_open(&lake);
    const char *const before[] = {lake.attach, "CREATE TABLE " T " (x BIGINT, p VARCHAR)",
                                  "INSERT INTO " T " VALUES (1, 'a'), (2, 'b'), (3, NULL)", NULL};
    fault_sweep(&(fault_scenario){.name = name,
                                  .memory_limit = "64MB",
                                  .statements = statements,
                                  .before = before,
                                  .check = check,
                                  .after = lake_after,
                                  .written = lake.written,
                                  .kinds = kinds});
    test_folder_close(&lake.folder);
}

TEST(faults_create_table_as) {
    static const char *const statements[] = {"CREATE TABLE " U
                                             " PARTITIONED BY (bucket(3, x)) AS SELECT * FROM " T,
                                             "SELECT x, p FROM " U " ORDER BY x", NULL};
    sweep_lake("create table as", statements, "SELECT count(*) FROM " U, WRITES);
}

TEST(faults_insert) {
    static const char *const statements[] = {"INSERT INTO " T
                                             " SELECT x, 'n' || CAST(x AS VARCHAR) FROM " ROWS(5),
                                             "SELECT x, p FROM " T " ORDER BY x, p", NULL};
    sweep_lake("insert", statements, "SELECT count(*) FROM " T, WRITES);
}

TEST(faults_alter) {
    static const char *const statements[] = {"ALTER TABLE " T " ADD COLUMN y BIGINT",
                                             "SELECT x, y FROM " T " ORDER BY x", NULL};
    sweep_lake("alter", statements, "SELECT y FROM " T, WRITES);
}

TEST(faults_drop) {
    static const char *const statements[] = {"DROP TABLE " T, NULL};
    fault_lake lake;
    lake_open(&lake);
    const char *const before[] = {lake.attach, "CREATE TABLE " T " (x BIGINT)", NULL};
    // Its files stay, as the statement says, and are no longer known.
    fault_sweep(&(fault_scenario){.name = "drop",
                                  .memory_limit = "64MB",
                                  .statements = statements,
                                  .before = before,
                                  .check = "SELECT * FROM " T,
                                  .after = lake_after,
                                  .kinds = FAULT_KIND(ALLOC) | FAULT_KIND(READ)});
    test_folder_close(&lake.folder);
}

TEST(faults_transaction) {
    static const char *const statements[] = {"BEGIN",
                                             "CREATE TABLE " U " (x BIGINT)",
                                             "INSERT INTO " T " VALUES (4, 'd')",
                                             "INSERT INTO " U " SELECT x FROM " T,
                                             "COMMIT",
                                             "SELECT x FROM " U " ORDER BY x",
                                             NULL};
    sweep_lake("transaction", statements,
               "SELECT (SELECT count(*) FROM " T ") * 10 + (SELECT count(*) FROM " U ")", WRITES);
}
