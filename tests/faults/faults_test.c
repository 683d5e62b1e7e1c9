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
