// Cancelling and early closing at any moment of a query: it stops within 50 ms, gives all memory
// back, leaves no temporary file and no open file, and the session goes on.
//
// Each scenario runs once to its end to learn how long it takes, then again and again while it is
// stopped at moments spread over that time. In builds with assertions or sanitizers the clock is
// not looked at, and there are fewer tries.
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene.h"

#if defined(NDEBUG)
#define TRIES 12
#define HAS_CLOCK true
#else
#define TRIES 4
#define HAS_CLOCK false
#endif
#define ANSWER_MS_MAX 50
#define LATE_OF(tries) ((uint32_t)(tries) / 20) // 95 of 100 are in time.

#define SERIES(count) "generate_series(1, " #count ") s(n)"
#define EIGHT(file) file ", " file ", " file ", " file ", " file ", " file ", " file ", " file
#define FLIGHTS_FILE "'examples/data/nycflights13/flights.parquet'"

typedef struct scenario {
    const char *name;
    const char *sql;
    const char *memory_limit;
} scenario;

static const scenario scenarios[] = {
    {"scan",
     "SELECT CAST(sum(distance) AS BIGINT) FROM read_parquet([" EIGHT(
         FLIGHTS_FILE) "]) "
                       "WHERE tailnum LIKE '%N1%' OR dest LIKE '%A%'",
     "1GB"},
    {"sort", "SELECT n FROM " SERIES(600000) " ORDER BY (n * 7919) % 1000003, n", "1GB"},
    {"sort of texts",
     "SELECT n FROM " SERIES(200000) " ORDER BY CAST((n * 7919) % 1000003 AS VARCHAR) || "
                                     "'abcdefghijkl', n",
     "1GB"},
    {"sort that spills", "SELECT n FROM " SERIES(600000) " ORDER BY (n * 7919) % 1000003, n",
     "32MB"},
    {"aggregation",
     "SELECT CAST(sum(c) AS BIGINT) FROM (SELECT n % 300000 AS k, count(*) AS c, max(n) "
     "FROM " SERIES(1500000) " GROUP BY 1)",
     "1GB"},
    {"aggregation that spills",
     "SELECT CAST(sum(c) AS BIGINT) FROM (SELECT n % 600000 AS k, count(*) AS c, max(n) "
     "FROM " SERIES(1200000) " GROUP BY 1)",
     "32MB"},
    {"join build",
     "SELECT CAST(count(*) AS BIGINT) FROM generate_series(1, 1000000) a(n) JOIN "
     "(SELECT n * 3 AS m FROM generate_series(1, 1000000) b(n)) ON a.n = m",
     "1GB"},
    {"join that spills",
     "SELECT CAST(count(*) AS BIGINT) FROM generate_series(1, 800000) a(n) JOIN "
     "(SELECT n * 3 AS m FROM generate_series(1, 800000) b(n)) ON a.n = m",
     "32MB"},
    {"nested loop",
     "SELECT CAST(count(*) AS BIGINT) FROM generate_series(1, 4000) a(n), "
     "generate_series(1, 4000) b(n) WHERE a.n * b.n % 1000 = b.n + 7",
     "1GB"},
    {"long texts",
     "SELECT max(length(replace(repeat('ab', 2000000 + CAST(n AS INTEGER)), 'a', 'xx'))) "
     "FROM " SERIES(5),
     "1GB"},
    {"texts compared",
     "SELECT max(levenshtein(repeat('ab', 1500 + CAST(n AS INTEGER)), repeat('ba', 1500))) "
     "FROM " SERIES(5),
     "1GB"},
    {"lists sorted", "SELECT max(len(list_sort(range(1, 100000 + n)))) FROM " SERIES(8), "1GB"},
    {"regular expressions",
     "SELECT max(length(regexp_replace(repeat('ab', 100000 + CAST(n AS INTEGER)), 'a', 'xx', "
     "'g'))) FROM " SERIES(5),
     "1GB"},
    {"rows handed out", "SELECT n FROM " SERIES(6000000), "1GB"},
};
#define SCENARIO_COUNT (sizeof scenarios / sizeof scenarios[0])

static int64_t ms_since(int64_t began_ns) {
    return (host_clock_ns() - began_ns) / 1000000;
}

// ---- What must be as before --------------------------------------------------------------------

typedef struct before {
    uint32_t files;
    char folder[64];
} before;

static bool begin(scene *here, const char *threads, const char *memory_limit, before *out) {
    (void)snprintf(out->folder, sizeof out->folder, "/tmp/firn_cancel_XXXXXX");
    if (mkdtemp(out->folder) == NULL) {
        return false;
    }
    // What the cache keeps is no query's.
    const char *const options[] = {
        "memory_limit", memory_limit, "temp_directory", out->folder, "block_cache", "off", NULL};
    const bool is_open = scene_open_with(here, threads, options);
    out->files = scene_entry_count("/proc/self/fd");
    return is_open;
}

static void check_given_back(const scene *here, const before *was, const char *name) {
    const uint64_t bytes = scene_pool_bytes(here);
    if (bytes != 0) {
        printf("%s: %llu bytes are still taken\n", name, (unsigned long long)bytes);
    }
    CHECK(bytes == 0);
    CHECK(spill_area_bytes(here->engine->spill) == 0);
    CHECK(scene_entry_count(was->folder) == 0);
    CHECK(scene_entry_count("/proc/self/fd") == was->files);
    firn_error err = FIRN_ERROR_INIT;
    CHECK(scene_number(here->session, "SELECT CAST(41 + 1 AS BIGINT)", &err) == 42);
}

static void end(scene *here, const before *was) {
    scene_close(here);
    CHECK(host_thread_count() == 0);
    CHECK(rmdir(was->folder) == 0);
}

// ---- A thread that pulls -----------------------------------------------------------------------

typedef struct puller {
    struct ArrowArrayStream rows;
    firn_session *session; // With `script`, which is executed instead.
    const char *script;
    firn_error err;
    int code;
    int64_t ended_ns;
    atomic_bool has_ended;
} puller;

static void pull(void *user) {
    puller *self = user;
    self->code = 0;
    if (self->script != NULL) {
        self->code = firn_execute(self->session, self->script, FIRN_NUL_TERMINATED, NULL,
                                  &self->err) == FIRN_OK
                         ? 0
                         : EINVAL;
    }
    for (bool is_end = self->script != NULL; !is_end;) {
        struct ArrowArray batch = {0};
        self->code = self->rows.get_next(&self->rows, &batch);
        is_end = self->code != 0 || batch.release == NULL;
        if (batch.release != NULL) {
            batch.release(&batch);
        }
    }
    if (self->code != 0 && self->script == NULL) {
        (void)firn_stream_error(&self->rows, &self->err);
    }
    if (self->script == NULL) {
        self->rows.release(&self->rows);
    }
    self->ended_ns = host_clock_ns();
    atomic_store(&self->has_ended, true);
}

static bool start(puller *self, const scene *here, const scenario *what, host_thread **thread) {
    firn_error err = FIRN_ERROR_INIT;
    *self = (puller){.session = here->session, .err = FIRN_ERROR_INIT};
    return scene_query(here->session, what->sql, &self->rows) &&
           host_thread_start(pull, self, thread, &err) == FIRN_OK;
}

// How long the whole query takes, in microseconds; also shows that it works.
static int64_t time_whole(const scene *here, const scenario *what) {
    puller self;
    host_thread *thread = NULL;
    const int64_t began_ns = host_clock_ns();
    if (!start(&self, here, what, &thread)) {
        return 0;
    }
    host_thread_join(thread);
    if (self.code != 0) {
        printf("%s: %s\n", what->name, self.err.text);
        return 0;
    }
    return (self.ended_ns - began_ns) / 1000;
}

static void sleep_us(int64_t us) {
    (void)usleep((useconds_t)us);
}

// ---- Cancelling --------------------------------------------------------------------------------

static void cancel_everywhere(const char *threads) {
    uint32_t late_sum = 0;
    for (size_t k = 0; k < SCENARIO_COUNT; k++) {
        const scenario *what = &scenarios[k];
        scene here;
        before was;
        REQUIRE(begin(&here, threads, what->memory_limit, &was));
        const int64_t whole_us = time_whole(&here, what);
        CHECK(whole_us > 0);
        check_given_back(&here, &was, what->name);
        uint32_t late_count = 0;
        int64_t latest_ms = 0;
        for (int64_t i = 0; i < TRIES && whole_us > 0; i++) {
            puller self;
            host_thread *thread = NULL;
            REQUIRE(start(&self, &here, what, &thread));
            sleep_us(whole_us * i / TRIES);
            const int64_t asked_ns = host_clock_ns();
            firn_session_cancel(here.session);
            host_thread_join(thread);
            const int64_t answer_ms = self.ended_ns < asked_ns ? 0 : ms_since(asked_ns);
            late_count += answer_ms > ANSWER_MS_MAX;
            latest_ms = answer_ms > latest_ms ? answer_ms : latest_ms;
            CHECK(self.code == 0 || (self.code == ECANCELED && self.err.status == FIRN_CANCELLED));
            check_given_back(&here, &was, what->name);
        }
        printf("     %-24s %5lld ms whole, %lld ms at most to stop, %u of %d late\n", what->name,
               (long long)whole_us / 1000, (long long)latest_ms, late_count, TRIES);
        late_sum += late_count;
        end(&here, &was);
    }
    CHECK(!HAS_CLOCK || late_sum <= LATE_OF(SCENARIO_COUNT * TRIES));
}

TEST(cancel_stops_at_any_moment_with_two_threads) {
    cancel_everywhere("2");
}

TEST(cancel_stops_at_any_moment_with_one_thread) {
    cancel_everywhere("1");
}

TEST(cancel_stops_a_statement_that_runs_inside_its_call) {
    static const char *const scripts[] = {
        "CREATE OR REPLACE TEMP TABLE t AS SELECT n, CAST(n AS VARCHAR) AS v "
        "FROM generate_series(1, 2000000) s(n)",
        "CREATE OR REPLACE TEMP TABLE t AS SELECT n FROM generate_series(1, 1000000) s(n) "
        "ORDER BY (n * 7919) % 1000003",
    };
    for (size_t k = 0; k < sizeof scripts / sizeof scripts[0]; k++) {
        scene here;
        before was;
        REQUIRE(begin(&here, "2", "1GB", &was));
        REQUIRE(scene_execute(here.session, "CREATE TEMP TABLE t AS SELECT 1 AS n"));
        const uint64_t tables = pool_used(here.engine->tables);
        uint32_t late_count = 0;
        for (int i = 1; i <= TRIES; i++) {
            puller self = {.session = here.session, .script = scripts[k], .err = FIRN_ERROR_INIT};
            host_thread *thread = NULL;
            REQUIRE(host_thread_start(pull, &self, &thread, &self.err) == FIRN_OK);
            sleep_us(4000 * i);
            const int64_t asked_ns = host_clock_ns();
            while (!atomic_load(&self.has_ended)) { // It may not have begun yet.
                firn_session_cancel(here.session);
                host_sleep_ms(1);
            }
            host_thread_join(thread);
            late_count += self.ended_ns > asked_ns && (self.ended_ns - asked_ns) / 1000000 > 50;
            if (self.code != 0) {
                CHECK(self.err.status == FIRN_CANCELLED);
                CHECK(pool_used(here.engine->tables) == tables);
                check_given_back(&here, &was, scripts[k]);
            } else { // It was faster.
                REQUIRE(
                    scene_execute(here.session, "CREATE OR REPLACE TEMP TABLE t AS SELECT 1 AS n"));
            }
        }
        CHECK(!HAS_CLOCK || late_count <= 1);
        end(&here, &was);
    }
}

TEST(cancel_of_a_statement_stops_its_newest_run_only) {
    scene here;
    before was;
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(begin(&here, "2", "1GB", &was));
    firn_statement *statement = NULL;
    REQUIRE(firn_prepare(here.session, scenarios[1].sql, FIRN_NUL_TERMINATED, &statement, NULL,
                         &err) == FIRN_OK);
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
static void close_early(scene *here, const scenario *what, int batches, uint32_t *late_count,
                        int64_t *latest_ms) {
    struct ArrowArrayStream rows = {0};
    REQUIRE(scene_query(here->session, what->sql, &rows));
    for (int i = 0; i < batches; i++) {
        struct ArrowArray batch = {0};
        if (rows.get_next(&rows, &batch) != 0 || batch.release == NULL) {
            break;
        }
        batch.release(&batch);
    }
    const int64_t asked_ns = host_clock_ns();
    rows.release(&rows);
    const int64_t took_ms = ms_since(asked_ns);
    *late_count += took_ms > ANSWER_MS_MAX;
    *latest_ms = took_ms > *latest_ms ? took_ms : *latest_ms;
}

TEST(cancel_by_releasing_a_stream_in_the_middle) {
    for (size_t k = 0; k < SCENARIO_COUNT; k++) {
        const scenario *what = &scenarios[k];
        scene here;
        before was;
        REQUIRE(begin(&here, "2", what->memory_limit, &was));
        uint32_t late_count = 0;
        int64_t latest_ms = 0;
        for (int i = 0; i < 4; i++) {
            close_early(&here, what, i, &late_count, &latest_ms);
            check_given_back(&here, &was, what->name);
        }
        printf("     %-24s %lld ms at most to close\n", what->name, (long long)latest_ms);
        CHECK(!HAS_CLOCK || late_count <= 1);
        end(&here, &was);
    }
}

TEST(cancel_by_closing_the_engine_under_its_streams) {
    scene here;
    before was;
    REQUIRE(begin(&here, "2", "1GB", &was));
    puller self;
    host_thread *thread = NULL;
    REQUIRE(start(&self, &here, &scenarios[1], &thread));
    host_sleep_ms(20);
    const int64_t asked_ns = host_clock_ns();
    firn_engine *engine = here.engine;
    here.engine = NULL;
    firn_engine_close(engine);
    host_thread_join(thread);
    CHECK(!HAS_CLOCK || ms_since(asked_ns) < 4 * ANSWER_MS_MAX); // One try: a busy machine.
    CHECK(self.code == ECANCELED);
    firn_error err = FIRN_ERROR_INIT;
    CHECK(scene_number(here.session, "SELECT CAST(1 AS BIGINT)", &err) == -1);
    CHECK(err.status == FIRN_CANCELLED);
    end(&here, &was);
}

// A stream of the session under a query of the session: stopping the outer one by its statement
// does not wait until the inner one has something to say.
TEST(cancel_reaches_a_stream_under_a_query) {
    scene here;
    before was;
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(begin(&here, "2", "1GB", &was));
    uint32_t late_count = 0;
    for (int i = 0; i < TRIES; i++) {
        struct ArrowArrayStream rows = {0};
        REQUIRE(scene_query(here.session, scenarios[1].sql, &rows));
        REQUIRE(firn_register_stream(here.session, "inner", &rows, &err) == FIRN_OK);
        firn_statement *statement = NULL;
        REQUIRE(firn_prepare(here.session, "SELECT n FROM \"inner\"", FIRN_NUL_TERMINATED,
                             &statement, NULL, &err) == FIRN_OK);
        puller self = {.err = FIRN_ERROR_INIT};
        host_thread *thread = NULL;
        REQUIRE(firn_statement_run(statement, &self.rows, &err) == FIRN_OK);
        REQUIRE(host_thread_start(pull, &self, &thread, &err) == FIRN_OK);
        sleep_us(4000 * i);
        const int64_t asked_ns = host_clock_ns();
        firn_statement_cancel(statement);
        host_thread_join(thread);
        late_count += self.ended_ns > asked_ns && (self.ended_ns - asked_ns) / 1000000 > 50;
        CHECK(self.code == 0 || self.err.status == FIRN_CANCELLED);
        firn_statement_close(statement);
        REQUIRE(scene_execute(here.session, "DROP TABLE \"inner\""));
        check_given_back(&here, &was, "a stream under a query");
    }
    CHECK(!HAS_CLOCK || late_count <= 1);
    end(&here, &was);
}

// ---- Ctrl-C ------------------------------------------------------------------------------------

// The program beside this one, which is built with it; false where it is not there.
static bool find_program(char path[4096]) {
    if (!host_own_path(path, 4000)) {
        return false;
    }
    char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return false;
    }
    memcpy(slash, "/firn", sizeof "/firn");
    return access(path, X_OK) == 0;
}

// It has a thread for Ctrl-C, which it starts before anything else.
static void wait_until_it_listens(pid_t child) {
    char folder[64];
    (void)snprintf(folder, sizeof folder, "/proc/%d/task", (int)child);
    for (int i = 0; i < 5000 && scene_entry_count(folder) < 2; i++) {
        host_sleep_ms(1);
    }
}

extern char **environ;

TEST(cancel_by_interrupting_the_program) {
    char path[4096];
    REQUIRE(find_program(path));
    uint32_t late_count = 0;
    for (size_t k = 0; k < SCENARIO_COUNT; k++) {
        const char *const arguments[] = {path, "--format",       "csv", "--output", "/dev/null",
                                         "-c", scenarios[k].sql, NULL};
        pid_t child = 0;
        REQUIRE(posix_spawn(&child, path, NULL, NULL, (char *const *)(uintptr_t)arguments,
                            environ) == 0);
        wait_until_it_listens(child);
        host_sleep_ms(20 + 10 * (uint32_t)k);
        const int64_t asked_ns = host_clock_ns();
        REQUIRE(kill(child, SIGINT) == 0);
        int result = 0;
        REQUIRE(waitpid(child, &result, 0) == child);
        late_count += ms_since(asked_ns) > ANSWER_MS_MAX;
        CHECK(WIFEXITED(result) && (WEXITSTATUS(result) == 130 || WEXITSTATUS(result) == 0));
    }
    CHECK(!HAS_CLOCK || late_count <= 1);
}
