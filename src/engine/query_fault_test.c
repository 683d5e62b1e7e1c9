// Queries while the first, second, third … call to the system fails: the answer is right or there
// is an error, nothing leaks, and the same session answers again afterwards.
#include <string.h>

#include "base/host.h"
#include "column/arrow.h"
#include "engine/scene_testing.h"

static bool open_with(scene *self, const char *threads) {
    const firn_option options[] = {{"memory_limit", "16MB"}, {"threads", threads}};
    return scene_open(self, options, 2);
}

// The sum of the first column, a BIGINT, over all rows.
static firn_status sum_of(const scene *self, const char *sql, int64_t *sum) {
    firn_error err = FIRN_ERROR_INIT;
    struct ArrowArrayStream rows = {0};
    *sum = 0;
    firn_status status = firn_query(self->session, sql, FIRN_NUL_TERMINATED, &rows, &err);
    if (status != FIRN_OK) {
        return status;
    }
    for (;;) {
        struct ArrowArray batch = {0};
        if (rows.get_next(&rows, &batch) != 0) {
            status = firn_stream_error(&rows, &err);
            status = err.status;
            break;
        }
        if (batch.release == NULL) {
            break;
        }
        const int64_t *values = batch.children[0]->buffers[1];
        for (int64_t i = 0; i < batch.length; i++) {
            *sum += values[batch.children[0]->offset + i];
        }
        batch.release(&batch);
    }
    rows.release(&rows);
    return status;
}

static const char *const queries[] = {
    "SELECT x FROM generate_series(1, 3000) AS t(x) WHERE x % 3 = 0 ORDER BY x % 7, x",
    "SELECT count(*) + k FROM (SELECT x % 10 AS k, x FROM generate_series(1, 3000) AS t(x)) AS q "
    "GROUP BY k HAVING count(DISTINCT x) > 1",
    "SELECT a.x FROM generate_series(1, 3000) AS a(x) LEFT JOIN (SELECT x FROM generate_series(1, "
    "500) AS s(x)) AS b ON a.x = b.x * 2",
    "SELECT a.x FROM generate_series(1, 100) AS a(x) JOIN generate_series(1, 20) AS b(x) ON a.x < "
    "b.x",
    "WITH c AS (SELECT x FROM generate_series(1, 500) AS t(x)) SELECT l.x FROM c AS l JOIN c AS r "
    "ON l.x = r.x + 1 UNION ALL (SELECT x FROM c LIMIT 3)",
    "SELECT length(k) FROM (SELECT repeat('k', 70000) || CAST(x AS VARCHAR) AS k FROM "
    "generate_series(1, 6) AS t(x)) AS q ORDER BY k DESC",
};

// Of the calls at most `most` fail, one after the other.
static void sweep(host_call kind, const char *sql, const char *threads, uint64_t most) {
    int64_t expected;
    scene self;
    REQUIRE(open_with(&self, threads));
    CHECK(sum_of(&self, sql, &expected) == FIRN_OK);
    host_fault_set(kind, UINT64_MAX);
    int64_t sum;
    CHECK(sum_of(&self, sql, &sum) == FIRN_OK);
    CHECK(sum == expected);
    const uint64_t count = host_fault_count(kind);
    CHECK(count > 0);
    for (uint64_t n = 1; n <= count; n += count / most + 1) {
        host_fault_set(kind, n);
        const firn_status status = sum_of(&self, sql, &sum);
        CHECK(status != FIRN_OK || sum == expected);
    }
    host_fault_set(kind, 0);
    CHECK(sum_of(&self, sql, &sum) == FIRN_OK);
    CHECK(sum == expected);
    scene_close(&self);
}

TEST(queries_end_cleanly_whatever_allocation_fails) {
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        sweep(HOST_ALLOC, queries[i], "1", UINT64_MAX);
        sweep(HOST_MAP, queries[i], "1", UINT64_MAX);
        sweep(HOST_ALLOC, queries[i], "2", UINT64_MAX); // Which call fails then is chance.
    }
}

// Of more than memory holds.
static const char *const spilling[] = {
    "SELECT x FROM (SELECT x, repeat('p', 400) AS p FROM generate_series(1, 60000) AS t(x)) AS q "
    "ORDER BY p || CAST(x AS VARCHAR)",
    "SELECT count(*) FROM (SELECT x, repeat('p', 300) || CAST(x AS VARCHAR) AS p FROM "
    "generate_series(1, 60000) AS t(x)) AS q GROUP BY p",
    "SELECT a.x FROM generate_series(1, 60000) AS a(x) JOIN (SELECT x, repeat('p', 400) AS p FROM "
    "generate_series(1, 60000) AS t(x)) AS b ON a.x = b.x WHERE length(b.p) > a.x % 100",
};

TEST(queries_end_cleanly_whatever_access_to_the_spill_file_fails) {
    for (size_t i = 0; i < sizeof spilling / sizeof spilling[0]; i++) {
        sweep(HOST_OPEN, spilling[i], "1", 3);
        sweep(HOST_WRITE, spilling[i], "1", 4);
        sweep(HOST_READ, spilling[i], "1", 4);
    }
}
