// Rows that have a long list or text in common: what is made of them is not copied for each, and
// what LIMIT, OFFSET or ORDER BY with LIMIT drops is not kept. Kept for each row, the values of one
// batch alone would take a few times the limit.
#include "memory/pool.h"
#include "scene.h"

#define LIMIT ((uint64_t)64 << 20)
#define LIMITED ((const char *const[]){"memory_limit", "64MB", NULL})

static const char *const tables[] = {
    "CREATE TABLE few AS SELECT i, range(i, i + 20000) AS l, repeat(chr(96 + i::INTEGER), 100000) "
    "AS s FROM range(1, 3) AS t(i)",
    "CREATE TABLE many AS SELECT x, x % 4 AS i FROM range(0, 20000) AS t(x)",
};

// A query and the sum of its first column.
static const struct {
    const char *sql;
    int64_t sum;
} queries[] = {
    {"SELECT length(few.l) FROM few, many WHERE few.i = many.i", 200000000},
    {"SELECT length(few.l) FROM many LEFT JOIN few ON few.i = many.i", 200000000},
    {"SELECT length(few.l) FROM few, many WHERE few.i < many.i", 300000000},
    {"SELECT sum(length({'a': few.l, 'x': many.x}.a)) FROM few, many WHERE few.i = many.i",
     200000000},
    {"SELECT sum(length(coalesce(few.l, [1]))) FROM few, many WHERE few.i = many.i", 200000000},
    {"SELECT sum(length([few.l, few.l][1])) FROM few, many WHERE few.i = many.i", 200000000},
    {"SELECT length(any_value(few.l)) FROM few, many WHERE few.i = many.i", 20000},
    {"SELECT length(max(few.l)) FROM few, many WHERE few.i = many.i GROUP BY x % 10", 200000},
    {"SELECT length(max(l)) FROM few, unnest(l) AS u(e)", 20000},
    {"SELECT count(*) FROM few, many WHERE few.i = many.i GROUP BY few.l", 10000},
    {"SELECT count(*) FROM few, many WHERE few.i = many.i GROUP BY few.s", 10000},
    {"SELECT x FROM (SELECT x, l FROM many JOIN few USING (i) ORDER BY x DESC LIMIT 10)", 199895},
    {"SELECT count(x) FROM (SELECT x, l FROM many JOIN few USING (i) ORDER BY l LIMIT 3)", 3},
    {"SELECT x, l FROM many JOIN few USING (i) ORDER BY x DESC LIMIT 3", 59989},
    {"SELECT x, l FROM many JOIN few USING (i) LIMIT 2 OFFSET 9000", 36003},
    {"SELECT count(x) FROM (SELECT x, l FROM many JOIN few USING (i) LIMIT 10 OFFSET 9000)", 10},
    {"SELECT e, l, i FROM few, unnest(l) AS u(e) LIMIT 3 OFFSET 30000", 30009},
    {"SELECT count(l) FROM (SELECT l FROM few, unnest(l) AS u(e) LIMIT 10 OFFSET 1000)", 10},
};

TEST(what_rows_have_in_common_is_not_copied_for_each) {
    scene self;
    REQUIRE(scene_open_with(&self, "1", LIMITED));
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        struct ArrowArrayStream rows = {0};
        REQUIRE(scene_query(self.session, tables[i], &rows));
        firn_error err = FIRN_ERROR_INIT;
        (void)scene_sum(&rows, &err);
        rows.release(&rows);
    }
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        struct ArrowArrayStream rows = {0};
        firn_error err = FIRN_ERROR_INIT;
        REQUIRE(scene_query(self.session, queries[i].sql, &rows));
        const int64_t sum = scene_sum(&rows, &err);
        CHECK(sum == queries[i].sum);
        if (sum != queries[i].sum) {
            (void)fprintf(stderr, "%s: %lld, %s\n", queries[i].sql, (long long)sum, err.text);
        }
        rows.release(&rows);
    }
    pool_report report;
    pool_describe(self.engine->pool, &report);
    CHECK(report.resident_peak <= LIMIT);
    scene_close(&self);
}
