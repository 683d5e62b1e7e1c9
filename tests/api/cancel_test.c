// Cancelling and early closing at any moment of a query: it stops within 50 ms, gives all memory
// back, leaves no temporary file and no open file, and the session goes on.
//
// Each scenario runs once to its end to learn how long it takes, then again and again while it is
// stopped at moments spread over that time. Servers that hang are cancel_hang_test.c's, Ctrl-C is
// cancel_interrupt_test.c's.
#include "cancel_scene.h"

// ---- Cancelling --------------------------------------------------------------------------------

// Cancels a query so long after it began; whether it was still at work.
static bool cancel_after(const scene *here, const scenario *what, int64_t moment_us,
                         stop_times *times) {
    puller self;
    host_thread *thread = NULL;
    if (!start(&self, here, what, &thread)) {
        return false;
    }
    sleep_us(moment_us);
    const asked then = ask_now();
    firn_session_cancel(here->session);
    host_thread_join(thread);
    CHECK(self.code == 0 || (self.code == ECANCELED && self.err.status == FIRN_CANCELLED));
    return add_try(times, &then, self.ended_ns);
}

// Cancels a query at so many moments spread over the time that it takes.
static stop_times cancel_often(const scenario *what, const char *threads, uint32_t tries) {
    stop_times times = {0};
    scene here;
    before was;
    if (!begin(&here, threads, what->memory_limit, &was)) {
        CHECK(false);
        return times;
    }
    was.kept_files_max = kept_files_max(what);
    const int64_t whole_us = time_whole(&here, what);
    CHECK(whole_us > 0);
    check_given_back(&here, &was, what->name);
    for (uint32_t i = 0; i < tries && whole_us > 0; i++) {
        int64_t moment_us = whole_us * i / tries;
        bool is_real = false;
        for (int again = 0; again < AGAIN_MAX && !is_real; again++) {
            is_real = cancel_after(&here, what, moment_us, &times);
            moment_us = moment_us * 3 / 4; // It was faster.
            check_given_back(&here, &was, what->name);
        }
    }
    CHECK(times.count == tries);
    print_times(&times, what->name);
    end(&here, &was);
    return times;
}

static void cancel_everywhere(const void *user, stop_times *all) {
    for (size_t k = 0; k < SCENARIO_COUNT; k++) {
        const stop_times times = cancel_often(&scenarios[k], user, TRIES);
        add_times(all, &times);
    }
}

TEST(cancel_stops_at_any_moment_with_two_threads) {
    check_rounds(cancel_everywhere, "2");
}

TEST(cancel_stops_at_any_moment_with_one_thread) {
    check_rounds(cancel_everywhere, "1");
}

// Each by itself: one function that does not look is late every time, and would be few among all.
TEST(cancel_stops_within_one_large_value) {
    for (size_t k = 0; k < LARGE_VALUE_COUNT; k++) {
        bool is_in_time = false;
        for (int i = 0; i < ROUNDS && !is_in_time; i++) {
            const stop_times times = cancel_often(&large_values[k], "2", LARGE_TRIES);
            is_in_time = !HAS_CLOCK || times.late_count == 0;
        }
        CHECK(is_in_time);
    }
}

static void cancel_scripts(const void *user, stop_times *times) {
    (void)user;
    static const char *const scripts[] = {
        "CREATE OR REPLACE TEMP TABLE t AS SELECT n, CAST(n AS VARCHAR) AS v "
        "FROM generate_series(1, 2000000) s(n)",
        "CREATE OR REPLACE TEMP TABLE t AS SELECT n FROM generate_series(1, 1000000) s(n) "
        "ORDER BY (n * 7919) % 1000003",
        // Constants, which planning evaluates.
        "CREATE OR REPLACE TEMP TABLE t AS SELECT 1 AS n WHERE "
        "length(regexp_replace(repeat('ab ', " HUGE_COUNT "), 'b', 'yy', 'g')) = 1",
    };
    for (size_t k = 0; k < sizeof scripts / sizeof scripts[0]; k++) {
        scene here;
        before was;
        REQUIRE(begin(&here, "2", "1GB", &was));
        REQUIRE(scene_execute(here.session, "CREATE TEMP TABLE t AS SELECT 1 AS n"));
        const uint64_t tables = pool_used(here.engine->tables);
        uint32_t real_count = 0;
        for (int64_t i = 0; i < 2 * SERIES_TRIES && real_count < SERIES_TRIES / 2; i++) {
            puller self = {.session = here.session, .script = scripts[k], .err = FIRN_ERROR_INIT};
            host_thread *thread = NULL;
            REQUIRE(host_thread_start(pull, &self, &thread, &self.err) == FIRN_OK);
            sleep_us(400 * (i % 50));
            real_count += cancel_until_ended(&self, thread, times);
            if (self.code != 0) {
                CHECK(self.err.status == FIRN_CANCELLED);
                CHECK(pool_used(here.engine->tables) == tables);
                check_given_back(&here, &was, scripts[k]);
            } else { // It was faster.
                REQUIRE(
                    scene_execute(here.session, "CREATE OR REPLACE TEMP TABLE t AS SELECT 1 AS n"));
            }
        }
        CHECK(real_count == SERIES_TRIES / 2);
        end(&here, &was);
    }
}

TEST(cancel_stops_a_statement_that_runs_inside_its_call) {
    check_rounds(cancel_scripts, NULL);
}

TEST(cancel_of_a_statement_stops_its_newest_run_only) {
    scene here;
    before was;
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(begin(&here, "2", "1GB", &was));
    firn_statement *statement = NULL;
    REQUIRE(firn_prepare(here.session, scenario_of("sort")->sql, FIRN_NUL_TERMINATED, &statement,
                         NULL, &err) == FIRN_OK);
    struct ArrowArrayStream other = {0};
    REQUIRE(scene_query(here.session, "SELECT n FROM generate_series(1, 200000) s(n)", &other));
    for (int i = 0; i < TRIES; i++) {
        puller self = {.err = FIRN_ERROR_INIT};
        host_thread *thread = NULL;
        REQUIRE(firn_statement_run(statement, &self.rows, &err) == FIRN_OK);
        REQUIRE(host_thread_start(pull, &self, &thread, &err) == FIRN_OK);
        firn_progress progress = FIRN_PROGRESS_INIT;
        for (int k = 0; k < 5; k++) {
            sleep_us(1000 * i);
            firn_statement_progress(statement, &progress);
        }
        firn_statement_cancel(statement);
        host_thread_join(thread);
        CHECK(self.code == 0 || self.err.status == FIRN_CANCELLED);
    }
    CHECK(scene_sum(&other, &err) == INT64_C(20000100000));
    other.release(&other);
    firn_statement_close(statement);
    check_given_back(&here, &was, "a prepared statement");
    end(&here, &was);
}

// ---- Closing early -----------------------------------------------------------------------------

// Pulls `batches` batches and releases the stream, which must not take longer than cancelling.
// Whether there was more to come.
static bool close_early(scene *here, const scenario *what, int batches, stop_times *times) {
    struct ArrowArrayStream rows = {0};
    bool has_more = scene_query(here->session, what->sql, &rows);
    CHECK(has_more);
    for (int i = 0; i < batches && has_more; i++) {
        struct ArrowArray batch = {0};
        has_more = rows.get_next(&rows, &batch) == 0 && batch.release != NULL;
        if (has_more) {
            batch.release(&batch);
        }
    }
    const asked then = ask_now();
    if (rows.release != NULL) {
        rows.release(&rows);
    }
    if (has_more) {
        add_time(times, took_ms(&then, host_clock_ns()));
    }
    return has_more;
}

// Queries with many batches, all of which have a middle.
static const scenario streams[] = {
    {"rows handed out", "SELECT n FROM " SERIES(6000000), "1GB"},
    {"rows of a scan", "SELECT tailnum, distance FROM read_parquet([" EIGHT(FLIGHTS_FILE) "])",
     "1GB"},
    {"rows of an Iceberg scan", LARGE " UNION ALL " LARGE " UNION ALL " LARGE, "1GB"},
    {"sorted rows", "SELECT n FROM " SERIES(300000) " ORDER BY n DESC", "1GB"},
    {"joined rows",
     "SELECT a.n FROM generate_series(1, 1000000) a(n) JOIN generate_series(1, 1000) b(m) "
     "ON a.n % 1000 + 1 = m",
     "1GB"},
};

static void close_often(const scenario *what, int tries, int batches_max, stop_times *all) {
    scene here;
    before was;
    stop_times times = {0};
    REQUIRE(begin(&here, "2", what->memory_limit, &was));
    was.kept_files_max = kept_files_max(what);
    for (int i = 0; i < tries; i++) {
        CHECK(close_early(&here, what, i % batches_max, &times));
        check_given_back(&here, &was, what->name);
    }
    print_times(&times, what->name);
    add_times(all, &times);
    end(&here, &was);
}

static void close_everywhere(const void *user, stop_times *all) {
    (void)user;
    for (size_t k = 0; k < SCENARIO_COUNT; k++) {
        close_often(&scenarios[k], 2, 1, all); // One batch, which is the end.
    }
    for (size_t k = 0; k < sizeof streams / sizeof *streams; k++) {
        close_often(&streams[k], HAS_CLOCK ? 20 : TRIES, 8, all);
    }
}

TEST(cancel_by_releasing_a_stream_in_the_middle) {
    check_rounds(close_everywhere, NULL);
}

// Seconds of work on any machine: the engine is closed long before it could end by itself.
static const scenario long_sort = {
    "a long sort", "SELECT n FROM " SERIES(20000000) " ORDER BY (n * 7919) % 1000003, n", "1GB"};

static void close_engine(int64_t *ended_ms) {
    scene here;
    before was;
    REQUIRE(begin(&here, "2", long_sort.memory_limit, &was));
    puller self;
    host_thread *thread = NULL;
    REQUIRE(start(&self, &here, &long_sort, &thread));
    host_sleep_ms(20);
    const asked then = ask_now();
    firn_engine *engine = here.engine;
    here.engine = NULL;
    firn_engine_close(engine);
    host_thread_join(thread);
    CHECK(self.code == ECANCELED);
    firn_error err = FIRN_ERROR_INIT;
    CHECK(scene_number(here.session, "SELECT CAST(1 AS BIGINT)", &err) == -1);
    CHECK(err.status == FIRN_CANCELLED);
    end(&here, &was);
    *ended_ms = took_ms(&then, self.ended_ns);
}

TEST(cancel_by_closing_the_engine_under_its_streams) {
    int64_t ended_ms = INT64_MAX;
    for (int i = 0; i < ROUNDS && ended_ms > ANSWER_MS_MAX; i++) {
        close_engine(&ended_ms);
    }
    CHECK(!HAS_CLOCK || ended_ms <= ANSWER_MS_MAX);
}

// A stream of the session under a query of the session: stopping the outer one by its statement
// does not wait until the inner one has something to say.
static void cancel_above_streams(const void *user, stop_times *times) {
    (void)user;
    scene here;
    before was;
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(begin(&here, "2", "1GB", &was));
    uint32_t real_count = 0;
    for (int64_t i = 0; i < 4 * SERIES_TRIES && real_count < SERIES_TRIES; i++) {
        struct ArrowArrayStream rows = {0};
        REQUIRE(scene_query(here.session, scenario_of("sort")->sql, &rows));
        REQUIRE(firn_register_stream(here.session, "inner", &rows, &err) == FIRN_OK);
        firn_statement *statement = NULL;
        REQUIRE(firn_prepare(here.session, "SELECT n FROM \"inner\"", FIRN_NUL_TERMINATED,
                             &statement, NULL, &err) == FIRN_OK);
        puller self = {.err = FIRN_ERROR_INIT};
        host_thread *thread = NULL;
        REQUIRE(firn_statement_run(statement, &self.rows, &err) == FIRN_OK);
        REQUIRE(host_thread_start(pull, &self, &thread, &err) == FIRN_OK);
        sleep_us(200 * (i % 50));
        const asked then = ask_now();
        firn_statement_cancel(statement);
        host_thread_join(thread);
        real_count += add_try(times, &then, self.ended_ns);
        CHECK(self.code == 0 || self.err.status == FIRN_CANCELLED);
        firn_statement_close(statement);
        REQUIRE(scene_execute(here.session, "DROP TABLE \"inner\""));
        check_given_back(&here, &was, "a stream under a query");
    }
    CHECK(real_count == SERIES_TRIES);
    end(&here, &was);
}

TEST(cancel_reaches_a_stream_under_a_query) {
    check_rounds(cancel_above_streams, NULL);
}
