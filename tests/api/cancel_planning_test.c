// Cancelling while a statement is parsed, bound, optimized or cut into pipelines: wide statements,
// and a search for the order of joins between which there are many conditions. They stop as fast as
// those that run, give everything back, and the session goes on.
#include "cancel_scene.h"
#include "wide_text.h"

typedef struct planning {
    const char *name;
    wide_text text;
    uint32_t count; // Where the clock counts; a tenth of it elsewhere.
} planning;

// Twelve tables in a row; the conditions are asked for each split of each set of them.
#define TWELVE                                                                                     \
    "range(2) a(x), range(2) b(x), range(2) c(x), range(2) d(x), range(2) e(x), range(2) f(x), "   \
    "range(2) g(x), range(2) h(x), range(2) i(x), range(2) j(x), range(2) k(x), range(2) l(x)"

static const planning plannings[] = {
    {"order of joins",
     {"SELECT CAST(count(*) AS BIGINT) FROM " TWELVE " WHERE a.x = b.x AND c.x = d.x",
      " AND (a.x <> # OR l.x <> #)", ""},
     5000},
    {"arms of UNION ALL", {"SELECT 1", " UNION ALL SELECT #", ""}, 50000},
    {"items of SELECT", {"SELECT 1", ", #", ""}, 100000},
    {"conditions",
     {"SELECT CAST(count(*) AS BIGINT) FROM range(9) t(x) WHERE x = 0", " OR (x = # AND x < 5)",
      ""},
     20000},
    {"values",
     {"SELECT CAST(count(*) AS BIGINT) FROM (VALUES (1, 'a')", ", (#, 'b#')", ") v(a, b)"},
     200000},
    {"tables",
     {"WITH q AS (SELECT 1 AS x) SELECT CAST(count(*) AS BIGINT) FROM (SELECT x FROM q",
      " UNION ALL SELECT x + # FROM q", ") u"},
     10000},
    {"arms of CASE",
     {"SELECT CAST(sum(CASE x WHEN 0 THEN 1", " WHEN # THEN x + #",
      " END) AS BIGINT) FROM range(9) t(x)"},
     20000},
    {"items of IN",
     {"SELECT CAST(count(*) AS BIGINT) FROM range(9) t(x) WHERE 'b' || x IN ('a'", ", 'b#'", ")"},
     200000},
};
#define PLANNING_COUNT (sizeof plannings / sizeof *plannings)

static char *spell(const planning *self) {
    return wide_text_spell(&self->text, HAS_CLOCK ? self->count : self->count / 10);
}

typedef enum planning_call {
    CALL_EXECUTE,
    CALL_PREPARE,
} planning_call;

typedef struct planner {
    firn_session *session;
    const char *sql;
    planning_call call;
    firn_error err;
    firn_status status;
    int64_t ended_ns;
} planner;

static void work(void *user) {
    planner *self = user;
    firn_statement *statement = NULL;
    self->status =
        self->call == CALL_EXECUTE
            ? firn_execute(self->session, self->sql, FIRN_NUL_TERMINATED, NULL, &self->err)
            : firn_prepare(self->session, self->sql, FIRN_NUL_TERMINATED, &statement, NULL,
                           &self->err);
    self->ended_ns = host_clock_ns();
    firn_statement_close(statement);
}

// Microseconds that a call takes that nobody stops.
static int64_t time_call(planner *self) {
    const int64_t began_ns = host_clock_ns();
    work(self);
    CHECK(self->status == FIRN_OK);
    if (self->status != FIRN_OK) {
        printf("%.200s\n", self->err.text);
    }
    return (self->ended_ns - began_ns) / 1000;
}

// Asks a call to stop after so long; whether it was still at work.
static bool stop_after(planner *self, int64_t wait_us, const scene *here, stop_times *times) {
    host_thread *thread = NULL;
    firn_error err = FIRN_ERROR_INIT;
    self->err = (firn_error)FIRN_ERROR_INIT;
    CHECK(host_thread_start(work, self, &thread, &err) == FIRN_OK);
    sleep_us(wait_us);
    const asked then = ask_now();
    firn_session_cancel(here->session);
    host_thread_join(thread);
    if (self->status == FIRN_OK) {
        return false;
    }
    add_time(times, took_ms(&then, self->ended_ns));
    CHECK(self->status == FIRN_CANCELLED && self->err.status == FIRN_CANCELLED);
    CHECK(strcmp(self->err.text, "cancelled: the query was stopped") == 0);
    return true;
}

// Stopped at the middle of each of `tries` parts, or earlier where it is faster than it was.
static void stop_call(planner *self, int64_t whole_us, int64_t tries, const scene *here,
                      const before *was, stop_times *times) {
    for (int64_t i = 0; i < tries; i++) {
        int64_t wait_us = whole_us * (2 * i + 1) / (2 * tries);
        bool is_stopped = false;
        for (int again = 0; again < AGAIN_MAX && !is_stopped; again++) {
            is_stopped = stop_after(self, wait_us, here, times);
            check_given_back(here, was, self->sql);
            wait_us /= 2;
        }
    }
}

static void cancel_plannings(const void *user, stop_times *all) {
    const char *threads = user;
    for (size_t k = 0; k < PLANNING_COUNT; k++) {
        scene here;
        before was;
        REQUIRE(begin(&here, threads, "4GB", &was));
        char *sql = spell(&plannings[k]);
        REQUIRE(sql != NULL);
        for (int is_prepare = 0; is_prepare < 2; is_prepare++) {
            planner self = {.session = here.session,
                            .sql = sql,
                            .call = is_prepare == 1 ? CALL_PREPARE : CALL_EXECUTE,
                            .err = FIRN_ERROR_INIT};
            const int64_t whole_us = time_call(&self);
            check_given_back(&here, &was, plannings[k].name);
            stop_times times = {0};
            stop_call(&self, whole_us, TRIES, &here, &was, &times);
            // Elsewhere a call may be over before it can be asked to stop.
            CHECK(!HAS_CLOCK || times.count == TRIES);
            print_times(&times, plannings[k].name);
            add_times(all, &times);
        }
        free(sql);
        end(&here, &was);
    }
}

TEST(cancel_stops_planning_with_one_thread) {
    check_rounds(cancel_plannings, "1");
}

TEST(cancel_stops_planning_with_two_threads) {
    check_rounds(cancel_plannings, "2");
}
