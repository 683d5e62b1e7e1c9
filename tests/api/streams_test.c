// Streams that nobody reads, streams under streams, and who works on them: any number of results
// may lie unread while others go on, a query may read another query's stream, and with threads = 1
// there is no thread but the caller's.
#include "scene.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

// Far more rows than a result queue holds, so that its query is parked.
#define MANY "SELECT n FROM generate_series(1, 3000000) s(n)"
#define MANY_SUM INT64_C(4500001500000)

// Pulls one batch and leaves the rest.
static bool open_unread(firn_session *session, struct ArrowArrayStream *out) {
    struct ArrowArray batch = {0};
    if (!scene_query(session, MANY, out)) {
        return false;
    }
    const bool has_rows = out->get_next(out, &batch) == 0 && batch.release != NULL;
    if (has_rows) {
        batch.release(&batch);
    }
    return has_rows;
}

static void reads_beside_unread(const char *threads) {
    scene here;
    struct ArrowArrayStream first = {0};
    struct ArrowArrayStream second = {0};
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(scene_open(&here, threads));
    REQUIRE(open_unread(here.session, &first));
    REQUIRE(open_unread(here.session, &second));
    CHECK(scene_number(here.session,
                       "SELECT CAST(sum(n % 1000) AS BIGINT) FROM generate_series(1, 2000000) s(n)",
                       &err) == 999000000);
    // The one that was opened last goes on, though the other one still lies there.
    CHECK(scene_sum(&second, &err) == MANY_SUM - INT64_C(65536) * 65537 / 2);
    second.release(&second);
    CHECK(scene_sum(&first, &err) == MANY_SUM - INT64_C(65536) * 65537 / 2);
    first.release(&first);
    CHECK(scene_pool_bytes(&here) == 0);
    scene_close(&here);
    CHECK(host_thread_count() == 0);
}

TEST(streams_unread_do_not_stop_a_third_query) {
    reads_beside_unread("2");
}

TEST(streams_unread_do_not_stop_a_third_query_of_one_thread) {
    reads_beside_unread("1");
}

TEST(streams_in_any_number_lie_unread) {
    enum { COUNT = 40 };
    scene here;
    struct ArrowArrayStream streams[COUNT] = {0};
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(scene_open(&here, "2"));
    for (size_t i = 0; i < COUNT; i++) {
        REQUIRE(open_unread(here.session, &streams[i]));
    }
    CHECK(scene_number(here.session, "SELECT CAST(count(*) AS BIGINT) FROM (" MANY ")", &err) ==
          3000000);
    CHECK(scene_sum(&streams[COUNT / 2], &err) == MANY_SUM - INT64_C(65536) * 65537 / 2);
    for (size_t i = 0; i < COUNT; i++) {
        streams[i].release(&streams[i]);
    }
    CHECK(scene_pool_bytes(&here) == 0);
    scene_close(&here);
}

// ---- A stream under a query --------------------------------------------------------------------

static void reads_own_stream(const char *threads) {
    scene here;
    struct ArrowArrayStream rows = {0};
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(scene_open(&here, threads));
    REQUIRE(scene_query(here.session, MANY, &rows));
    REQUIRE(firn_register_stream(here.session, "inner", &rows, &err) == FIRN_OK);
    CHECK(scene_number(here.session, "SELECT CAST(sum(n) AS BIGINT) FROM \"inner\"", &err) ==
          MANY_SUM);

    // Three deep, sorted and joined on the way.
    REQUIRE(scene_query(here.session, MANY, &rows));
    REQUIRE(firn_register_stream(here.session, "one", &rows, &err) == FIRN_OK);
    REQUIRE(scene_query(here.session, "SELECT n FROM one WHERE n % 10 = 0 ORDER BY n DESC", &rows));
    REQUIRE(firn_register_stream(here.session, "two", &rows, &err) == FIRN_OK);
    REQUIRE(scene_query(here.session,
                        "SELECT two.n FROM two JOIN generate_series(1, 1000) s(n) ON two.n = s.n",
                        &rows));
    REQUIRE(firn_register_stream(here.session, "three", &rows, &err) == FIRN_OK);
    CHECK(scene_number(here.session, "SELECT CAST(sum(n) AS BIGINT) FROM three", &err) == 50500);
    CHECK(err.status == FIRN_OK);
    scene_close(&here);
    CHECK(host_thread_count() == 0);
}

TEST(streams_of_a_session_are_tables_of_the_same) {
    reads_own_stream("2");
    reads_own_stream("4");
}

TEST(streams_of_a_session_are_tables_of_the_same_with_one_thread) {
    reads_own_stream("1");
}

TEST(streams_under_a_query_pass_their_error_up) {
    scene here;
    struct ArrowArrayStream rows = {0};
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(scene_open(&here, "2"));
    REQUIRE(scene_query(here.session,
                        "SELECT 10 // (n - 100000) AS n FROM generate_series(1, 200000) s(n)",
                        &rows));
    REQUIRE(firn_register_stream(here.session, "broken", &rows, &err) == FIRN_OK);
    CHECK(scene_number(here.session, "SELECT CAST(sum(n) AS BIGINT) FROM broken", &err) == -1);
    CHECK(strstr(err.text, "zero") != NULL);
    CHECK(strstr(err.text, "broken") != NULL);
    scene_close(&here);
}

// ---- Threads -----------------------------------------------------------------------------------

TEST(streams_with_one_thread_make_no_thread) {
    static const char *const options[] = {"memory_limit", "32MB", NULL};
    scene here;
    firn_error err = FIRN_ERROR_INIT;
    const uint32_t before = scene_thread_count();
    REQUIRE(scene_open_with(&here, "1", options));
    static const char *const queries[] = {
        "SELECT CAST(count(*) AS BIGINT) FROM " FLIGHTS " WHERE dep_delay > 60",
        "SELECT CAST(count(*) AS BIGINT) FROM " FLIGHTS " a JOIN " FLIGHTS
        " b ON a.tailnum = b.tailnum AND a.time_hour = b.time_hour",
        "SELECT CAST(max(r) AS BIGINT) FROM (SELECT n AS r FROM generate_series(1, 2000000) s(n) "
        "ORDER BY n % 1000, n)",
        "SELECT CAST(count(*) AS BIGINT) FROM (SELECT n % 500000 AS k, max(n) FROM "
        "generate_series(1, 2000000) s(n) GROUP BY 1)",
    };
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct ArrowArrayStream rows = {0};
        struct ArrowArray batch = {0};
        REQUIRE(scene_query(here.session, queries[i], &rows));
        CHECK(rows.get_next(&rows, &batch) == 0 && batch.release != NULL);
        CHECK(scene_thread_count() == before);
        if (batch.release != NULL) {
            batch.release(&batch);
        }
        rows.release(&rows);
    }
    CHECK(err.status == FIRN_OK);
    CHECK(host_thread_count() == 0);
    scene_close(&here);
}

TEST(streams_of_small_queries_make_no_thread) {
    scene here;
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(scene_open(&here, "4"));
    CHECK(host_thread_count() == 0);
    CHECK(scene_number(here.session, "SELECT CAST(1 AS BIGINT)", &err) == 1);
    CHECK(host_thread_count() == 0);
    CHECK(scene_number(here.session, "SELECT CAST(sum(n) AS BIGINT) FROM (" MANY ")", &err) ==
          MANY_SUM);
    scene_close(&here);
    CHECK(host_thread_count() == 0);
}

typedef struct puller {
    struct ArrowArrayStream rows;
    int64_t sum;
} puller;

static void pull(void *user) {
    puller *self = user;
    firn_error err = FIRN_ERROR_INIT;
    self->sum = scene_sum(&self->rows, &err);
    self->rows.release(&self->rows);
}

TEST(streams_are_pulled_on_threads_of_their_own_while_the_session_goes_on) {
    enum { COUNT = 3 };
    scene here;
    puller pullers[COUNT] = {0};
    host_thread *threads[COUNT] = {0};
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(scene_open(&here, "2"));
    for (size_t i = 0; i < COUNT; i++) {
        REQUIRE(scene_query(here.session, MANY, &pullers[i].rows));
        REQUIRE(host_thread_start(pull, &pullers[i], &threads[i], &err) == FIRN_OK);
    }
    for (int i = 0; i < 20; i++) {
        CHECK(scene_number(here.session,
                           "SELECT CAST(count(*) AS BIGINT) FROM "
                           "generate_series(1, 100000) s(n) WHERE n % 3 = 0",
                           &err) == 33333);
    }
    for (size_t i = 0; i < COUNT; i++) {
        host_thread_join(threads[i]);
        CHECK(pullers[i].sum == MANY_SUM);
    }
    CHECK(scene_pool_bytes(&here) == 0);
    scene_close(&here);
}

// ---- Released while another thread is inside ---------------------------------------------------

typedef struct late_puller {
    struct ArrowArrayStream *rows;
    atomic_bool is_inside;
    int code;
} late_puller;

static void pull_until_it_fails(void *user) {
    late_puller *self = user;
    struct ArrowArrayStream own =
        *self->rows; // The caller's is emptied by the one who releases it.
    struct ArrowArray batch = {0};
    atomic_store(&self->is_inside, true);
    self->code = own.get_next(&own, &batch);
    if (batch.release != NULL) {
        batch.release(&batch);
    }
}

static void releases_while_pulled(const scene *here, firn_statement *statement) {
    firn_error err = FIRN_ERROR_INIT;
    for (int i = 0; i < 20; i++) {
        struct ArrowArrayStream rows = {0};
        struct ArrowArrayStream parameters = {0};
        late_puller puller = {.rows = &rows};
        host_thread *thread;
        if (statement == NULL) {
            REQUIRE(scene_query(here->session, "SELECT n FROM (" MANY ") ORDER BY n % 7919, n DESC",
                                &rows));
        } else {
            REQUIRE(scene_query(here->session, "SELECT n FROM (VALUES (7919), (7901)) v(n)",
                                &parameters));
            REQUIRE(firn_statement_bind_stream(statement, &parameters, &err) == FIRN_OK);
            REQUIRE(firn_statement_run(statement, &rows, &err) == FIRN_OK);
        }
        REQUIRE(host_thread_start(pull_until_it_fails, &puller, &thread, &err) == FIRN_OK);
        while (!atomic_load(&puller.is_inside)) {
            sched_yield();
        }
        usleep((useconds_t)(10000 + i * 1000));
        if (i % 2 == 0) { // A second thread inside is told so, or finds the first one gone.
            struct ArrowArray batch = {0};
            const int code = rows.get_next(&rows, &batch);
            CHECK(code == EBUSY || code == 0);
            CHECK(code == 0 || batch.release == NULL);
            if (batch.release != NULL) {
                batch.release(&batch);
            }
        }
        rows.release(&rows);
        host_thread_join(thread);
        CHECK(puller.code == 0 || puller.code == ECANCELED);
    }
}

TEST(streams_are_released_while_another_thread_pulls_them) {
    scene here;
    REQUIRE(scene_open(&here, "2"));
    releases_while_pulled(&here, NULL);
    CHECK(scene_pool_bytes(&here) == 0);
    scene_close(&here);
}

TEST(streams_of_many_runs_are_released_while_another_thread_pulls_them) {
    scene here;
    firn_statement *statement;
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(scene_open(&here, "2"));
    REQUIRE(firn_prepare(here.session, "SELECT n FROM (" MANY ") ORDER BY n % $1, n DESC",
                         FIRN_NUL_TERMINATED, &statement, NULL, &err) == FIRN_OK);
    releases_while_pulled(&here, statement);
    firn_statement_close(statement);
    CHECK(scene_pool_bytes(&here) == 0);
    scene_close(&here);
}
