// Statements that are stopped while they are parsed, bound, optimized or cut into pipelines: the
// flag is raised at a place that the test knows, not at a moment.
#include "engine/scene_testing.h"
#include "sql/parser.h"

#define STOPPED "the query was stopped"
#define RULES_MAX 32

static bool is_stopped(firn_status status, const firn_error *err) {
    const bool is_good = status == FIRN_CANCELLED && err->status == FIRN_CANCELLED &&
                         strcmp(err->text, "cancelled: " STOPPED) == 0;
    if (!is_good) {
        printf("%d: %s\n", (int)status, err->text);
    }
    return is_good;
}

static const char *const queries[] = {
    "SELECT 1",
    "SELECT x FROM range(3) t(x) WHERE x > 1 UNION ALL SELECT 2 UNION SELECT 3",
    "VALUES (1), (2)",
    "WITH q AS (SELECT count(*) AS c FROM range(3)) SELECT a.c FROM q a, q b WHERE a.c = b.c",
    "SELECT sum(x) FROM range(9) t(x) WHERE x IN (SELECT y FROM range(3) u(y)) GROUP BY x % 2",
    "SELECT x FROM range(9) t(x) ORDER BY x LIMIT 3",
};
#define QUERY_COUNT (sizeof queries / sizeof *queries)

static const sql_query *parse(const char *sql, arena *memory) {
    firn_error err = ERR_INIT;
    const sql_statement *statement = NULL;
    size_t used;
    CHECK(sql_parse_statement(text_of(sql), 0, memory, &statement, &used, &err) == FIRN_OK);
    return sql_query_statement_of(statement)->query;
}

static firn_status bind(run *self, const sql_query *query, firn_error *err) {
    const bind_env env = session_bind_env(self);
    return bind_query(query, &env, NULL, &self->memory, &self->bound, err);
}

TEST(binding_stops_when_its_run_is_cancelled) {
    scene here;
    REQUIRE(scene_open(&here, NULL, 0));
    for (size_t i = 0; i < QUERY_COUNT; i++) {
        arena memory = arena_open((size_t)1 << 20);
        run *self = NULL;
        REQUIRE(run_open(here.session, &here.session->settings, &self, &here.err) == FIRN_OK);
        const sql_query *query = parse(queries[i], &memory);
        run_cancel(self);
        CHECK(is_stopped(bind(self, query, &here.err), &here.err));
        run_release(self);
        arena_close(&memory);
    }
    CHECK(scene_execute(&here, "SELECT 1") == FIRN_OK);
    scene_close(&here);
}

// Parsing knows its arena only.
TEST(parsing_stops_when_its_run_is_cancelled) {
    scene here;
    REQUIRE(scene_open(&here, NULL, 0));
    run *self = NULL;
    REQUIRE(run_open(here.session, &here.session->settings, &self, &here.err) == FIRN_OK);
    run_cancel(self);
    const sql_statement *statement = NULL;
    size_t used;
    CHECK(is_stopped(
        sql_parse_statement(TEXT("SELECT 1"), 0, &self->memory, &statement, &used, &here.err),
        &here.err));
    run_release(self);
    scene_close(&here);
}

// A rule after which the run is cancelled; how many have run.
typedef struct stop {
    run *run;
    uint32_t after, seen;
} stop;

static void cancel_after(void *user, const char *rule, const plan *changed) {
    (void)rule;
    (void)changed;
    stop *self = user;
    if (self->seen++ == self->after) {
        run_cancel(self->run);
    }
}

// False when there is no such rule.
static bool stop_after_rule(scene *here, const char *sql, uint32_t rule) {
    arena memory = arena_open((size_t)1 << 20);
    stop state = {.after = rule};
    if (run_open(here->session, &here->session->settings, &state.run, &here->err) != FIRN_OK) {
        return false;
    }
    CHECK(bind(state.run, parse(sql, &memory), &here->err) == FIRN_OK);
    const firn_status status = run_optimize(state.run, NULL, 0, cancel_after, &state, &here->err);
    const bool has_rule = state.seen > rule;
    CHECK(has_rule ? is_stopped(status, &here->err) : status == FIRN_OK);
    CHECK(!has_rule || state.seen == rule + 1); // The next one does not begin.
    run_release(state.run);
    arena_close(&memory);
    return has_rule;
}

TEST(optimizing_stops_after_any_rule) {
    scene here;
    REQUIRE(scene_open(&here, NULL, 0));
    for (size_t i = 0; i < QUERY_COUNT; i++) {
        uint32_t rule = 0;
        while (rule < RULES_MAX && stop_after_rule(&here, queries[i], rule)) {
            rule++;
        }
        CHECK(rule > 5 && rule < RULES_MAX);
    }
    CHECK(scene_execute(&here, "SELECT 1") == FIRN_OK);
    scene_close(&here);
}

TEST(building_pipelines_stops_when_its_run_is_cancelled) {
    scene here;
    REQUIRE(scene_open(&here, NULL, 0));
    for (size_t i = 0; i < QUERY_COUNT; i++) {
        arena memory = arena_open((size_t)1 << 20);
        run *self = NULL;
        REQUIRE(run_open(here.session, &here.session->settings, &self, &here.err) == FIRN_OK);
        CHECK(bind(self, parse(queries[i], &memory), &here.err) == FIRN_OK);
        CHECK(run_optimize(self, NULL, 0, NULL, NULL, &here.err) == FIRN_OK);
        run_cancel(self);
        CHECK(is_stopped(run_execute(self, false, &here.err), &here.err));
        CHECK(self->execution == NULL);
        run_release(self);
        arena_close(&memory);
    }
    scene_close(&here);
}
