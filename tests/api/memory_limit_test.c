// What holds under a memory limit and only a program sees: batches of wide rows are small, and
// queries of several sessions share the limit.
#include "memory/pool.h"
#include "scene.h"

#define LIMIT ((uint64_t)48 << 20)
#define LIMITED ((const char *const[]){"memory_limit", "48MB", NULL})

static pool_report report_of(const scene *self) {
    pool_report report;
    pool_describe(self->engine->pool, &report);
    return report;
}

TEST(batches_of_wide_rows_are_a_small_part_of_the_limit) {
    scene self;
    REQUIRE(scene_open_with(&self, "2", LIMITED));
    struct ArrowArrayStream rows = {0};
    REQUIRE(scene_query(self.session,
                        "SELECT repeat('wide', 500) AS w FROM generate_series(1, 40000) AS g(n)",
                        &rows));
    int64_t count = 0;
    int64_t most = 0;
    for (;;) {
        struct ArrowArray batch = {0};
        REQUIRE(rows.get_next(&rows, &batch) == 0);
        if (batch.release == NULL) {
            break;
        }
        count += batch.length;
        most = batch.length > most ? batch.length : most;
        batch.release(&batch);
    }
    rows.release(&rows);
    CHECK(count == 40000);
    CHECK(most * 2000 <= (int64_t)LIMIT / 4); // A batch of the engine's own has 2,048 rows.
    CHECK(report_of(&self).resident_peak <= LIMIT);
    scene_close(&self);
}

// States that keep values outside of themselves are the aggregate's: it is what asked in vain.
TEST(what_an_aggregate_cannot_keep_is_said_of_it) {
    scene self;
    REQUIRE(scene_open_with(&self, "1", ((const char *const[]){"memory_limit", "10MB", NULL})));
    firn_error err = FIRN_ERROR_INIT;
    const char *const sums[] = {
        "length(max(t)) + length(min(t)) + length(max(t || 'a'))",
        "length(arg_max(t, x)) + length(first(t)) + length(last(t || 'a'))"};
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
        char sql[256];
        (void)snprintf(sql, sizeof sql,
                       "SELECT %s FROM (SELECT x, repeat('v', 2000000) || x AS t "
                       "FROM generate_series(1, 3) AS g(x)) AS q",
                       sums[i]);
        CHECK(scene_number(self.session, sql, &err) == -1);
        CHECK(strstr(err.text, "aggregate asks for 2000") != NULL);
    }
    scene_close(&self);
}

// What a prepared statement keeps, its text first of all, is the session's.
TEST(a_statement_that_is_too_long_is_not_even_read) {
    scene self;
    REQUIRE(scene_open_with(&self, "1", ((const char *const[]){"memory_limit", "4MB", NULL})));
    firn_error err = FIRN_ERROR_INIT;
    const size_t size = (size_t)8 << 20;
    char *sql = malloc(size);
    REQUIRE(sql != NULL);
    memset(sql, ' ', size);
    memcpy(sql, "SELECT 1", 8);
    firn_statement *statement;
    CHECK(firn_prepare(self.session, sql, size, &statement, NULL, &err) == FIRN_NO_MEMORY);
    CHECK(strstr(err.text, "session cannot add 8388") != NULL);
    CHECK(firn_prepare(self.session, sql, size / 16, &statement, NULL, &err) == FIRN_OK);
    firn_statement_close(statement);
    free(sql);
    scene_close(&self);
}

// ---- Several queries ---------------------------------------------------------------------------

typedef struct client {
    firn_session *session;
    const char *sql;
    int64_t sum;
    firn_error err;
} client;

static void ask(void *user) {
    client *self = user;
    struct ArrowArrayStream rows = {0};
    self->err = (firn_error)FIRN_ERROR_INIT;
    self->sum = -1;
    if (firn_query(self->session, self->sql, FIRN_NUL_TERMINATED, &rows, &self->err) == FIRN_OK) {
        self->sum = scene_sum(&rows, &self->err);
        rows.release(&rows);
    }
}

// Each of far more than the limit.
static const char *const greedy[] = {
    "SELECT CAST(sum(c) AS BIGINT) FROM (SELECT n % 300000 AS k, count(*) AS c, max(n) AS m "
    "FROM generate_series(1, 600000) AS g(n) GROUP BY 1) AS q",
    "SELECT CAST(sum(a.n) AS BIGINT) FROM generate_series(1, 300000) AS a(n) JOIN (SELECT n * 2 AS "
    "m, repeat('p', 60) AS p FROM generate_series(1, 300000) AS b(n)) AS b ON a.n = b.m WHERE "
    "length(b.p) > a.n % 60",
    "SELECT CAST(n AS BIGINT) FROM (SELECT n, repeat('p', 60) AS p FROM generate_series(1, 300000) "
    "AS g(n)) AS q ORDER BY p || n",
};
#define GREEDY (sizeof greedy / sizeof greedy[0])

// Of files: what readers hold cannot be written out.
static const char *const reading[] = {
    "SELECT CAST(flight AS BIGINT) FROM " FLIGHTS " ORDER BY tailnum || dest || time_hour, flight",
    "SELECT CAST(sum(c) AS BIGINT) FROM (SELECT tailnum || dest || time_hour AS k, count(*) AS "
    "c FROM " FLIGHTS " GROUP BY 1) AS q",
    "SELECT CAST(sum(distance) AS BIGINT) FROM (SELECT DISTINCT tailnum, dest, time_hour, "
    "distance FROM " FLIGHTS ") AS q",
    "SELECT CAST(dep_time AS BIGINT) FROM " FLIGHTS
    " WHERE dep_time > 0 ORDER BY dest || tailnum, day, "
    "dep_time",
};
#define READING (sizeof reading / sizeof reading[0])

static void check_at_once(const char *const *queries, size_t count) {
    scene self;
    client alone[READING];
    client beside[READING];
    host_thread *threads[READING];
    REQUIRE(scene_open(&self, "2"));
    for (size_t i = 0; i < count; i++) {
        alone[i] = (client){.session = self.session, .sql = queries[i]};
        ask(&alone[i]);
        CHECK(alone[i].sum > 0);
    }
    scene_close(&self);
    REQUIRE(scene_open_with(&self, "2", LIMITED));
    for (size_t i = 0; i < count; i++) {
        firn_error err = FIRN_ERROR_INIT;
        beside[i] = (client){.sql = queries[i]};
        REQUIRE(firn_session_open(self.engine, &beside[i].session, &err) == FIRN_OK);
    }
    for (size_t i = 0; i < count; i++) {
        firn_error err = FIRN_ERROR_INIT;
        REQUIRE(host_thread_start(ask, &beside[i], &threads[i], &err) == FIRN_OK);
    }
    for (size_t i = 0; i < count; i++) {
        host_thread_join(threads[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (beside[i].sum != alone[i].sum) {
            printf("%s\n    %s\n", beside[i].err.text, queries[i]);
        }
        CHECK(beside[i].sum == alone[i].sum);
        firn_session_close(beside[i].session);
    }
    CHECK(report_of(&self).resident_peak <= LIMIT);
    CHECK(report_of(&self).waiting_count == 0);
    scene_close(&self);
}

TEST(queries_at_once_share_the_limit) {
    check_at_once(greedy, GREEDY);
}

TEST(queries_at_once_over_files_share_the_limit) {
    check_at_once(reading, READING);
}

// ---- A limit that falls -------------------------------------------------------------------------

#define RUNNING 4
#define TURNS 12 // Each is enough to catch requests of all kinds.

static const char *const spilling[RUNNING] = {
    "SELECT a % 20011, string_agg(CAST(a AS VARCHAR), ',') FROM range(120000) r(a) GROUP BY 1",
    "SELECT a FROM range(150000) r(a) ORDER BY a * 7919 % 100003",
    "SELECT count(*) FROM (SELECT a, count(*) FROM range(200000) r(a) GROUP BY a) AS q",
    "SELECT count(*) FROM range(100000) r(a) JOIN range(100000) s(b) ON a = b",
};

typedef struct worker {
    firn_session *session;
    uint32_t first;
    atomic_bool *is_over;
    uint32_t wrong; // Answers that are neither rows nor a refusal.
} worker;

static void go_round(void *user) {
    worker *self = user;
    for (uint32_t i = self->first; !atomic_load(self->is_over); i++) {
        client one = {.session = self->session, .sql = spilling[i % RUNNING]};
        ask(&one);
        if (one.err.status != FIRN_OK && one.err.status != FIRN_NO_MEMORY) {
            printf("%s\n", one.err.text);
            self->wrong++;
        }
    }
}

// What waits for memory while the limit is below what is in use holds no lock that it must not.
TEST(a_limit_that_falls_under_running_queries_ends_none_of_them_wrong) {
    scene self;
    REQUIRE(scene_open_with(&self, "2", LIMITED));
    atomic_bool is_over = false;
    worker workers[RUNNING];
    host_thread *threads[RUNNING];
    firn_error err = FIRN_ERROR_INIT;
    for (uint32_t i = 0; i < RUNNING; i++) {
        workers[i] = (worker){.first = i, .is_over = &is_over};
        REQUIRE(firn_session_open(self.engine, &workers[i].session, &err) == FIRN_OK);
        REQUIRE(host_thread_start(go_round, &workers[i], &threads[i], &err) == FIRN_OK);
    }
    for (uint32_t i = 0; i < TURNS; i++) {
        const char *limit = i % 2 == 0 ? "8MB" : "200MB";
        CHECK(firn_engine_set(self.engine, "memory_limit", limit, &err) == FIRN_OK);
        host_sleep_ms(60);
    }
    atomic_store(&is_over, true);
    for (uint32_t i = 0; i < RUNNING; i++) {
        host_thread_join(threads[i]);
        CHECK(workers[i].wrong == 0);
        firn_session_close(workers[i].session);
    }
    CHECK(report_of(&self).waiting_count == 0);
    scene_close(&self);
}
