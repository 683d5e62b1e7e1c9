// Every function of firn.h with what it must refuse and in every order that it must bear: wrong
// arguments, closed engines, two threads at once, a forked child, closing in any order, statements
// bound and run again, many statements in one text.
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene.h"

// ---- Wrong arguments ---------------------------------------------------------------------------

// Refused with FIRN_INVALID and a sentence that holds `words`; also without anybody to tell.
#define REFUSES(call, words)                                                                       \
    do {                                                                                           \
        firn_error error_ = FIRN_ERROR_INIT;                                                       \
        firn_error *told = &error_;                                                                \
        CHECK((call) == FIRN_INVALID);                                                             \
        CHECK(error_.status == FIRN_INVALID);                                                      \
        if (strstr(error_.text, words) == NULL) {                                                  \
            printf("\"%s\" lacks \"%s\"\n", error_.text, words);                                   \
            CHECK(false);                                                                          \
        }                                                                                          \
        told = NULL;                                                                               \
        CHECK((call) == FIRN_INVALID);                                                             \
    } while (0)

static void refuses_null_settings(firn_engine *engine, firn_session *session) {
    firn_engine *no_engine = NULL;
    firn_session *no_session = NULL;
    size_t size = 0;
    REFUSES(firn_engine_open(NULL, 0, NULL, told), "\"out\"");
    REFUSES(firn_engine_open(NULL, 1, &no_engine, told), "\"options\"");
    const firn_option no_key = {.key = NULL, .value = "1"};
    const firn_option no_value = {.key = "threads", .value = NULL};
    REFUSES(firn_engine_open(&no_key, 1, &no_engine, told), "\"key\"");
    REFUSES(firn_engine_open(&no_value, 1, &no_engine, told), "\"value\"");
    CHECK(no_engine == NULL);
    REFUSES(firn_engine_set(NULL, "threads", "1", told), "\"engine\"");
    REFUSES(firn_engine_set(engine, NULL, "1", told), "\"key\"");
    REFUSES(firn_engine_set(engine, "threads", NULL, told), "\"value\"");
    REFUSES(firn_engine_get(NULL, "threads", NULL, &size, told), "\"engine\"");
    REFUSES(firn_engine_get(engine, NULL, NULL, &size, told), "\"key\"");
    REFUSES(firn_engine_get(engine, "threads", NULL, NULL, told), "\"size\"");
    REFUSES(firn_session_open(NULL, &no_session, told), "\"engine\"");
    REFUSES(firn_session_open(engine, NULL, told), "\"out\"");
    REFUSES(firn_session_set(NULL, "threads", "1", told), "\"session\"");
    REFUSES(firn_session_set(session, NULL, "1", told), "\"key\"");
    REFUSES(firn_session_set(session, "threads", NULL, told), "\"value\"");
    REFUSES(firn_session_get(NULL, "threads", NULL, &size, told), "\"session\"");
    REFUSES(firn_session_get(session, NULL, NULL, &size, told), "\"key\"");
    REFUSES(firn_session_get(session, "threads", NULL, NULL, told), "\"size\"");
}

static void refuses_null_texts(firn_session *session) {
    firn_statement *no_statement = NULL;
    struct ArrowArrayStream stream = {0};
    REFUSES(firn_query(NULL, "SELECT 1", 8, &stream, told), "\"session\"");
    REFUSES(firn_query(session, NULL, 8, &stream, told), "\"sql\"");
    REFUSES(firn_query(session, "SELECT 1", 8, NULL, told), "\"out\"");
    REFUSES(firn_execute(NULL, "SELECT 1", 8, NULL, told), "\"session\"");
    REFUSES(firn_execute(session, NULL, 0, NULL, told), "\"sql\"");
    REFUSES(firn_prepare(NULL, "SELECT 1", 8, &no_statement, NULL, told), "\"session\"");
    REFUSES(firn_prepare(session, NULL, 8, &no_statement, NULL, told), "\"sql\"");
    REFUSES(firn_prepare(session, "SELECT 1", 8, NULL, NULL, told), "\"out\"");
    REFUSES(firn_register_stream(NULL, "s", &stream, told), "\"session\"");
    REFUSES(firn_register_stream(session, NULL, &stream, told), "\"name\"");
    REFUSES(firn_register_stream(session, "", &stream, told), "needs a name");
    REFUSES(firn_register_stream(session, "s", NULL, told), "\"source\"");
    REFUSES(firn_register_stream(session, "s", &stream, told), "released already");
}

static void refuses_null_statements(firn_statement *statement) {
    struct ArrowArrayStream stream = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArray array = {0};
    REFUSES(firn_statement_set(NULL, "arrow.strings", "view", told), "\"statement\"");
    REFUSES(firn_statement_set(statement, NULL, "view", told), "\"key\"");
    REFUSES(firn_statement_set(statement, "arrow.strings", NULL, told), "\"value\"");
    REFUSES(firn_statement_parameters(NULL, &schema, told), "\"statement\"");
    REFUSES(firn_statement_parameters(statement, NULL, told), "\"out\"");
    REFUSES(firn_statement_schema(NULL, &schema, told), "\"statement\"");
    REFUSES(firn_statement_schema(statement, NULL, told), "\"out\"");
    REFUSES(firn_statement_bind(NULL, &schema, &array, told), "\"statement\"");
    REFUSES(firn_statement_bind(statement, NULL, &array, told), "\"types\"");
    REFUSES(firn_statement_bind(statement, &schema, NULL, told), "\"rows\"");
    REFUSES(firn_statement_bind(statement, &schema, &array, told), "released already");
    REFUSES(firn_statement_bind_stream(NULL, &stream, told), "released already");
    REFUSES(firn_statement_bind_stream(statement, NULL, told), "\"rows\"");
    REFUSES(firn_statement_bind_stream(statement, &stream, told), "released already");
    REFUSES(firn_statement_run(NULL, &stream, told), "\"statement\"");
    REFUSES(firn_statement_run(statement, NULL, told), "\"out\"");
}

TEST(surface_refuses_null_where_something_is_needed) {
    scene here;
    firn_statement *statement = NULL;
    struct ArrowArrayStream stream = {0};
    firn_error own = FIRN_ERROR_INIT;
    REQUIRE(scene_open(&here, "2"));
    REQUIRE(firn_prepare(here.session, "SELECT $1 + 1", FIRN_NUL_TERMINATED, &statement, NULL,
                         &own) == FIRN_OK);
    refuses_null_settings(here.engine, here.session);
    refuses_null_texts(here.session);
    refuses_null_statements(statement);
    CHECK(firn_stream_error(NULL, &own) == FIRN_INVALID);
    CHECK(firn_stream_error(&stream, &own) == FIRN_INVALID);
    CHECK(firn_stream_error(&stream, NULL) == FIRN_INVALID);

    firn_engine_close(NULL);
    firn_engine_trim(NULL, 0);
    firn_session_close(NULL);
    firn_session_cancel(NULL);
    firn_statement_close(NULL);
    firn_statement_cancel(NULL);
    firn_statement_progress(statement, NULL);
    firn_progress progress = FIRN_PROGRESS_INIT;
    firn_statement_progress(NULL, &progress);
    CHECK(progress.rows == 0 && progress.size == sizeof progress);
    CHECK(strcmp(firn_version(), "0.1.0") == 0);
    firn_statement_close(statement);
    scene_close(&here);
}

TEST(surface_settings_are_text_that_says_its_size) {
    scene here;
    REQUIRE(scene_open(&here, "2"));
    firn_error err = FIRN_ERROR_INIT;
    char value[8] = "before";
    size_t size = sizeof value;
    CHECK(firn_engine_get(here.engine, "threads", value, &size, &err) == FIRN_OK);
    CHECK(strcmp(value, "2") == 0 && size == 2);
    size = 1; // Too small for "2" and its NUL.
    value[0] = 'x';
    CHECK(firn_engine_get(here.engine, "threads", value, &size, &err) == FIRN_OK);
    CHECK(value[0] == 'x' && size == 2);
    size = 0;
    CHECK(firn_session_get(here.session, "TimeZone", NULL, &size, &err) == FIRN_OK);
    CHECK(size == sizeof "UTC");
    CHECK(firn_session_set(here.session, "timezone", "Europe/Berlin", &err) == FIRN_OK);
    CHECK(firn_session_get(here.session, "TimeZone", NULL, &size, &err) == FIRN_OK);
    CHECK(size == sizeof "Europe/Berlin");
    REFUSES(firn_engine_set(here.engine, "thread", "2", told), "thread");
    CHECK(firn_engine_set(here.engine, "thread", "2", &err) == FIRN_INVALID);
    CHECK(strstr(err.hint, "threads") != NULL);
    REFUSES(firn_session_set(here.session, "threads", "none", told), "none");
    REFUSES(firn_session_get(here.session, "colour", NULL, &size, told), "colour");
    const firn_option options[] = {{"threads", "2"}, {"memory_limit", "much"}};
    firn_engine *other = here.engine;
    CHECK(firn_engine_open(options, 2, &other, &err) == FIRN_INVALID && other == NULL);
    scene_close(&here);
}

// ---- Texts -------------------------------------------------------------------------------------

TEST(surface_query_takes_one_statement) {
    scene here;
    REQUIRE(scene_open(&here, "1"));
    struct ArrowArrayStream rows = {0};
    static const struct {
        const char *sql;
        const char *words;
    } wrong[] = {
        {"SELECT 1; SELECT 2", "another follows"},
        {"", "no statement"},
        {" ; -- nothing\n /* at all */ ;", "no statement"},
        {"SELECT", "end of the text"},
        {"SELECT 'abc", "never closed"},
        {"SELECT \xff", ""},
        {"SELECT '\xc3\x28'", ""},
        {"SELECT $1", "parameter"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        REFUSES(firn_query(here.session, wrong[i].sql, FIRN_NUL_TERMINATED, &rows, told),
                wrong[i].words);
        CHECK(rows.release == NULL);
    }
    firn_error err = FIRN_ERROR_INIT;
    // Only as many bytes as were given; behind them lies something else.
    CHECK(firn_query(here.session, "SELECT 1 AS a; garbage", 14, &rows, &err) == FIRN_OK);
    rows.release(&rows);
    CHECK(firn_query(here.session, "SELECT 1\0", 9, &rows, &err) == FIRN_INVALID);
    CHECK(firn_query(here.session, "garbage", 0, &rows, &err) == FIRN_INVALID);
    scene_close(&here);
}

TEST(surface_execute_runs_scripts) {
    scene here;
    REQUIRE(scene_open(&here, "2"));
    firn_error err = FIRN_ERROR_INIT;
    int64_t changed = -7;
    CHECK(firn_execute(here.session,
                       "CREATE TABLE t (a BIGINT); INSERT INTO t VALUES (1), (2); -- two\n"
                       "INSERT INTO t SELECT a + 2 FROM t; SELECT * FROM t;",
                       FIRN_NUL_TERMINATED, &changed, &err) == FIRN_OK);
    CHECK(changed == 4);
    CHECK(firn_execute(here.session, " -- nothing", FIRN_NUL_TERMINATED, &changed, &err) ==
          FIRN_OK);
    CHECK(changed == 0);
    // What was done before the fault stays done.
    CHECK(firn_execute(here.session, "INSERT INTO t VALUES (5); INSERT INTO nowhere VALUES (6)",
                       FIRN_NUL_TERMINATED, &changed, &err) == FIRN_NOT_FOUND);
    CHECK(changed == 1);
    CHECK(scene_number(here.session, "SELECT CAST(sum(a) AS BIGINT) FROM t", &err) == 15);
    scene_close(&here);
}

TEST(surface_prepare_walks_through_a_script) {
    static const char script[] = "SELECT 1; ; /* two */ SELECT 2 ;\n-- the end\n";
    scene here;
    REQUIRE(scene_open(&here, "1"));
    firn_error err = FIRN_ERROR_INIT;
    int64_t sum = 0;
    unsigned count = 0;
    for (size_t at = 0; at < sizeof script - 1;) {
        firn_statement *statement = NULL;
        size_t used = 0;
        REQUIRE(firn_prepare(here.session, script + at, sizeof script - 1 - at, &statement, &used,
                             &err) == FIRN_OK);
        REQUIRE(used > 0);
        at += used;
        if (statement == NULL) {
            continue;
        }
        struct ArrowArrayStream rows = {0};
        struct ArrowArray batch = {0};
        CHECK(firn_statement_run(statement, &rows, &err) == FIRN_OK);
        CHECK(rows.get_next(&rows, &batch) == 0);
        const struct ArrowArray *values = batch.children[0];
        sum += ((const int32_t *)values->buffers[1])[values->offset];
        count++;
        batch.release(&batch);
        rows.release(&rows);
        firn_statement_close(statement);
    }
    CHECK(count == 2 && sum == 3);
    firn_statement *statement = NULL;
    REFUSES(firn_prepare(here.session, "SELECT 1; SELECT 2", FIRN_NUL_TERMINATED, &statement, NULL,
                         told),
            "another follows");
    CHECK(firn_prepare(here.session, "-- nothing", FIRN_NUL_TERMINATED, &statement, NULL, &err) ==
          FIRN_OK);
    CHECK(statement == NULL);
    scene_close(&here);
}

// ---- Parameters --------------------------------------------------------------------------------

// A struct array of one row made by a query, as a caller would hand it in.
static bool make_row(firn_session *session, const char *sql, struct ArrowSchema *types,
                     struct ArrowArray *rows) {
    struct ArrowArrayStream stream = {0};
    if (!scene_query(session, sql, &stream)) {
        return false;
    }
    const bool is_good =
        stream.get_schema(&stream, types) == 0 && stream.get_next(&stream, rows) == 0;
    stream.release(&stream);
    return is_good && rows->release != NULL;
}

static bool bind(firn_session *session, firn_statement *statement, const char *sql) {
    struct ArrowSchema types = {0};
    struct ArrowArray rows = {0};
    firn_error err = FIRN_ERROR_INIT;
    if (!make_row(session, sql, &types, &rows) ||
        firn_statement_bind(statement, &types, &rows, &err) != FIRN_OK) {
        printf("%s\n", err.text);
        return false;
    }
    return types.release == NULL && rows.release == NULL; // Taken over.
}

static int64_t run_statement_sum(firn_statement *statement, firn_error *err) {
    struct ArrowArrayStream rows = {0};
    if (firn_statement_run(statement, &rows, err) != FIRN_OK) {
        return -1;
    }
    const int64_t sum = scene_sum(&rows, err);
    rows.release(&rows);
    return sum;
}

TEST(surface_statement_binds_and_runs_again) {
    scene here;
    REQUIRE(scene_open(&here, "2"));
    firn_error err = FIRN_ERROR_INIT;
    firn_statement *statement = NULL;
    REQUIRE(firn_prepare(here.session,
                         "SELECT CAST(sum(n) AS BIGINT) AS s FROM generate_series(1, 100) g(n) "
                         "WHERE n <= $1 AND CAST(n AS VARCHAR) <> $2",
                         FIRN_NUL_TERMINATED, &statement, NULL, &err) == FIRN_OK);
    struct ArrowSchema schema = {0};
    CHECK(firn_statement_parameters(statement, &schema, &err) == FIRN_OK);
    CHECK(schema.n_children == 2 && strcmp(schema.children[0]->format, "l") == 0 &&
          strcmp(schema.children[1]->format, "u") == 0);
    schema.release(&schema);
    CHECK(firn_statement_schema(statement, &schema, &err) == FIRN_OK);
    CHECK(schema.n_children == 1 && strcmp(schema.children[0]->name, "s") == 0);
    schema.release(&schema);

    CHECK(run_statement_sum(statement, &err) == -1 && err.status == FIRN_INVALID);
    CHECK(strstr(err.text, "parameter $1 has no value") != NULL);
    CHECK(bind(here.session, statement, "SELECT CAST(10 AS BIGINT), '5'"));
    CHECK(run_statement_sum(statement, &err) == 50);
    CHECK(run_statement_sum(statement, &err) == 50);
    CHECK(bind(here.session, statement, "SELECT CAST(3 AS SMALLINT), 'long enough for the heap'"));
    struct ArrowArrayStream first = {0};
    CHECK(firn_statement_run(statement, &first, &err) == FIRN_OK);
    CHECK(bind(here.session, statement, "SELECT 4.0, '1'")); // While the first is not yet read.
    struct ArrowArrayStream second = {0};
    CHECK(firn_statement_run(statement, &second, &err) == FIRN_OK);
    firn_statement_close(statement); // Its streams go on.
    CHECK(scene_sum(&second, &err) == 9);
    CHECK(scene_sum(&first, &err) == 6);
    first.release(&first);
    second.release(&second);
    scene_close(&here);
    CHECK(host_thread_count() == 0);
}

TEST(surface_statement_refuses_wrong_rows) {
    scene here;
    REQUIRE(scene_open(&here, "1"));
    firn_error err = FIRN_ERROR_INIT;
    firn_statement *statement = NULL;
    REQUIRE(firn_prepare(here.session, "SELECT CAST($1 + CAST($2 AS INT) AS BIGINT)",
                         FIRN_NUL_TERMINATED, &statement, NULL, &err) == FIRN_OK);
    static const struct {
        const char *rows;
        const char *words;
    } wrong[] = {
        {"SELECT 1", "1 values are bound, the statement has 2 parameters"},
        {"SELECT 1, 2, 3", "3 values are bound, the statement has 2 parameters"},
        {"SELECT * FROM (VALUES (1, 2), (3, 4)) v", "2 rows of parameters"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct ArrowSchema types = {0};
        struct ArrowArray rows = {0};
        REQUIRE(make_row(here.session, wrong[i].rows, &types, &rows));
        REFUSES(firn_statement_bind(statement, &types, &rows, told), wrong[i].words);
        CHECK(types.release != NULL && rows.release != NULL); // Still the caller's.
        types.release(&types);
        rows.release(&rows);
    }
    CHECK(bind(here.session, statement, "SELECT 1, 'two'"));
    CHECK(run_statement_sum(statement, &err) == -1 && err.status == FIRN_INVALID);
    CHECK(bind(here.session, statement, "SELECT 1, DATE '2020-01-01'"));
    CHECK(run_statement_sum(statement, &err) == -1 && err.status == FIRN_INVALID);
    CHECK(bind(here.session, statement, "SELECT 20, '22'"));
    REFUSES(firn_statement_set(statement, "arrow.string", "view", told), "arrow.string");
    REFUSES(firn_statement_set(statement, "arrow.strings", "round", told), "round");
    firn_statement_close(statement);
    scene_close(&here);
}

TEST(surface_statements_that_are_no_queries_say_what_they_give) {
    static const struct {
        const char *sql;
        int64_t parameters;
        int64_t columns;
    } all[] = {
        {"INSERT INTO t VALUES ($1, $2)", 2, 1},
        {"INSERT INTO t SELECT n, 'x' FROM generate_series(1, 10) s(n) WHERE n > $1", 1, 1},
        {"CREATE TABLE u AS SELECT 1 AS a", 0, 1},
        {"CREATE TABLE u AS SELECT $1 AS a, a FROM t WHERE a > $2", 2, 1},
        {"CREATE TABLE u AS SELECT $1 AS a WITH NO DATA", 1, 0},
        {"EXPLAIN CREATE TABLE u AS SELECT $1 AS a", 1, 1},
        {"CREATE TABLE v (a INT)", 0, 0},
        {"SHOW TABLES", 0, 4},
        {"DESCRIBE t", 0, 5},
        {"EXPLAIN SELECT a FROM t WHERE a = $1", 1, 1},
        {"SET threads = 2", 0, 0},
        {"DROP TABLE t", 0, 0},
    };
    scene here;
    REQUIRE(scene_open(&here, "2"));
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(scene_execute(here.session, "CREATE TABLE t (a BIGINT, b VARCHAR)"));
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        firn_statement *statement = NULL;
        if (firn_prepare(here.session, all[i].sql, FIRN_NUL_TERMINATED, &statement, NULL, &err) !=
            FIRN_OK) {
            printf("%s: %s\n", all[i].sql, err.text);
            CHECK(false);
            continue;
        }
        struct ArrowSchema schema = {0};
        CHECK(firn_statement_parameters(statement, &schema, &err) == FIRN_OK);
        CHECK(schema.n_children == all[i].parameters);
        schema.release(&schema);
        CHECK(firn_statement_schema(statement, &schema, &err) == FIRN_OK);
        if (schema.n_children != all[i].columns) {
            printf("%s: %lld columns\n", all[i].sql, (long long)schema.n_children);
            CHECK(false);
        }
        schema.release(&schema);
        firn_statement_close(statement);
    }
    // Preparing changed nothing.
    CHECK(scene_number(here.session, "SELECT count(*) FROM t", &err) == 0);
    scene_close(&here);
}

TEST(surface_parameters_have_the_types_that_their_places_say) {
    static const struct {
        const char *sql;
        const char *formats; // Of Arrow, one a parameter.
    } all[] = {
        {"SELECT $1", "u"}, // As a literal in quotes: text.
        {"SELECT $1 IS NULL", "u"},
        {"SELECT count($1)", "u"},
        {"SELECT $1 + 1", "i"},
        {"SELECT ROW($1, 1) = ROW(2, $2)", "ii"},
        {"SELECT ($1, 1) < (2, $2)", "ii"},
        {"SELECT ROW($1, 1) IN (SELECT 2, CAST(3 AS BIGINT))", "i"},
        {"SELECT ($1, $2) IN ((1, CAST(2 AS BIGINT)), (3, 4))", "il"},
        {"SELECT 1 WHERE $2 IS NULL LIMIT $1", "lu"},
        {"SELECT $2", "nu"}, // The first one is not mentioned.
    };
    scene here;
    REQUIRE(scene_open(&here, "2"));
    firn_error err = FIRN_ERROR_INIT;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        firn_statement *statement = NULL;
        if (firn_prepare(here.session, all[i].sql, FIRN_NUL_TERMINATED, &statement, NULL, &err) !=
            FIRN_OK) {
            printf("%s: %s\n", all[i].sql, err.text);
            CHECK(false);
            continue;
        }
        struct ArrowSchema schema = {0};
        CHECK(firn_statement_parameters(statement, &schema, &err) == FIRN_OK);
        char formats[16] = "";
        for (int64_t k = 0; k < schema.n_children; k++) {
            strncat(formats, schema.children[k]->format, 1);
        }
        if (strcmp(formats, all[i].formats) != 0) {
            printf("%s: %s\n", all[i].sql, formats);
            CHECK(false);
        }
        schema.release(&schema);
        firn_statement_close(statement);
    }
    scene_close(&here);
}

TEST(surface_create_table_as_takes_parameters) {
    scene here;
    REQUIRE(scene_open(&here, "2"));
    firn_error err = FIRN_ERROR_INIT;
    firn_statement *statement = NULL;
    REQUIRE(firn_prepare(here.session,
                         "CREATE TABLE t AS SELECT $1 AS a, n FROM generate_series(1, 9) s(n) "
                         "WHERE n > $2",
                         FIRN_NUL_TERMINATED, &statement, NULL, &err) == FIRN_OK);
    CHECK(run_statement_sum(statement, &err) == -1);
    CHECK(strstr(err.text, "parameter $1 has no value") != NULL);
    CHECK(bind(here.session, statement, "SELECT CAST(40 AS BIGINT), CAST(6 AS BIGINT)"));
    CHECK(run_statement_sum(statement, &err) == 3);
    CHECK(scene_number(here.session, "SELECT CAST(sum(a + n) AS BIGINT) FROM t", &err) == 144);
    firn_statement_close(statement);
    CHECK(firn_prepare(here.session, "CREATE VIEW v AS SELECT $1 AS a", FIRN_NUL_TERMINATED,
                       &statement, NULL, &err) == FIRN_OK);
    CHECK(run_statement_sum(statement, &err) == -1);
    CHECK(strstr(err.text, "a view has no parameters, its query has 1") != NULL);
    firn_statement_close(statement);
    scene_close(&here);
}

TEST(surface_statement_runs_over_a_stream_of_rows) {
    scene here;
    REQUIRE(scene_open(&here, "2"));
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(scene_execute(here.session, "CREATE TABLE t (a BIGINT)"));
    firn_statement *statement = NULL;
    struct ArrowArrayStream rows = {0};
    REQUIRE(firn_prepare(here.session,
                         "INSERT INTO t SELECT $1 * n FROM generate_series(1, 3) s(n)",
                         FIRN_NUL_TERMINATED, &statement, NULL, &err) == FIRN_OK);
    REQUIRE(scene_query(here.session, "SELECT n FROM generate_series(1, 100) s(n)", &rows));
    CHECK(firn_statement_bind_stream(statement, &rows, &err) == FIRN_OK);
    CHECK(rows.release == NULL);
    CHECK(run_statement_sum(statement, &err) == 300); // A count of 3 for each.
    CHECK(scene_number(here.session, "SELECT CAST(sum(a) AS BIGINT) FROM t", &err) == 30300);

    // The stream takes the place of a row that was bound before it, and is used up.
    CHECK(bind(here.session, statement, "SELECT CAST(1 AS BIGINT)"));
    REQUIRE(scene_query(here.session, "SELECT n FROM generate_series(1, 2) s(n)", &rows));
    CHECK(firn_statement_bind_stream(statement, &rows, &err) == FIRN_OK);
    CHECK(run_statement_sum(statement, &err) == 6);
    CHECK(run_statement_sum(statement, &err) == -1 && err.status == FIRN_INVALID);
    CHECK(strstr(err.text, "parameter $1 has no value") != NULL);
    firn_statement_close(statement);

    // The statement is closed while its stream is read; a fault in a later row says what it is.
    REQUIRE(firn_prepare(here.session, "SELECT CAST(100 // $1 AS BIGINT)", FIRN_NUL_TERMINATED,
                         &statement, NULL, &err) == FIRN_OK);
    REQUIRE(scene_query(here.session, "SELECT 2 - n AS n FROM generate_series(0, 5) s(n)", &rows));
    CHECK(firn_statement_bind_stream(statement, &rows, &err) == FIRN_OK);
    struct ArrowArrayStream results = {0};
    CHECK(firn_statement_run(statement, &results, &err) == FIRN_OK);
    firn_statement_close(statement);
    CHECK(scene_sum(&results, &err) == -1);
    CHECK(err.status == FIRN_INVALID && strstr(err.text, "zero") != NULL);
    struct ArrowArray batch = {0};
    CHECK(results.get_next(&results, &batch) == EINVAL); // And goes on saying it.
    CHECK(strstr(results.get_last_error(&results), "zero") != NULL);
    results.release(&results);
    scene_close(&here);
}

TEST(surface_cancel_between_rows_of_parameters_holds) {
    scene here;
    REQUIRE(scene_open(&here, "2"));
    firn_error err = FIRN_ERROR_INIT;
    firn_statement *statement = NULL;
    struct ArrowArrayStream rows = {0};
    REQUIRE(firn_prepare(here.session, "SELECT CAST($1 AS BIGINT)", FIRN_NUL_TERMINATED, &statement,
                         NULL, &err) == FIRN_OK);
    REQUIRE(scene_query(here.session, "SELECT n FROM generate_series(1, 1000) s(n)", &rows));
    REQUIRE(firn_statement_bind_stream(statement, &rows, &err) == FIRN_OK);
    REQUIRE(firn_statement_run(statement, &rows, &err) == FIRN_OK);
    struct ArrowArray batch = {0};
    CHECK(rows.get_next(&rows, &batch) == 0 && batch.release != NULL);
    batch.release(&batch);
    firn_statement_cancel(statement);
    CHECK(rows.get_next(&rows, &batch) == ECANCELED);
    rows.release(&rows);
    firn_statement_close(statement);
    scene_close(&here);
}

// The schema of a bound run is that of its first row, whatever types were guessed before.
TEST(surface_bound_streams_have_the_types_of_what_is_bound) {
    static const struct {
        const char *rows;
        const char *format; // Of the result's column.
    } cases[] = {
        {"SELECT x FROM (VALUES (1.5::DOUBLE), (2.0)) v(x)", "g"},
        {"SELECT x FROM (VALUES (1::BIGINT), (5)) v(x)", "l"},
        {"SELECT x FROM (VALUES (1::BIGINT), (NULL)) v(x)", "l"},
    };
    scene here;
    REQUIRE(scene_open(&here, "2"));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        firn_error err = FIRN_ERROR_INIT;
        firn_statement *statement = NULL;
        struct ArrowArrayStream rows = {0};
        struct ArrowSchema types = {0};
        struct ArrowArray batch = {0};
        REQUIRE(firn_prepare(here.session, "SELECT $1 + 1::SMALLINT AS a", FIRN_NUL_TERMINATED,
                             &statement, NULL, &err) == FIRN_OK);
        REQUIRE(scene_query(here.session, cases[i].rows, &rows));
        REQUIRE(firn_statement_bind_stream(statement, &rows, &err) == FIRN_OK);
        REQUIRE(firn_statement_run(statement, &rows, &err) == FIRN_OK);
        REQUIRE(rows.get_schema(&rows, &types) == 0);
        CHECK(strcmp(types.children[0]->format, cases[i].format) == 0);
        types.release(&types);
        REQUIRE(rows.get_next(&rows, &batch) == 0 && batch.release != NULL);
        CHECK(batch.length == 1);
        batch.release(&batch);
        REQUIRE(rows.get_next(&rows, &batch) == 0 && batch.release != NULL);
        batch.release(&batch);
        CHECK(rows.get_next(&rows, &batch) == 0 && batch.release == NULL);
        rows.release(&rows);
        firn_statement_close(statement);
    }
    CHECK(scene_pool_bytes(&here) == 0);
    scene_close(&here);
}

// ---- Streams -----------------------------------------------------------------------------------

TEST(surface_stream_says_its_end_and_its_fault_again) {
    scene here;
    REQUIRE(scene_open(&here, "2"));
    struct ArrowArrayStream rows = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(scene_query(here.session, "SELECT CAST(1 AS BIGINT) AS a", &rows));
    for (int i = 0; i < 2; i++) {
        CHECK(rows.get_schema(&rows, &schema) == 0 && schema.n_children == 1);
        schema.release(&schema);
    }
    CHECK(rows.get_last_error(&rows) == NULL);
    CHECK(rows.get_next(&rows, &batch) == 0 && batch.length == 1);
    batch.release(&batch);
    for (int i = 0; i < 2; i++) {
        CHECK(rows.get_next(&rows, &batch) == 0 && batch.release == NULL);
    }
    CHECK(firn_stream_error(&rows, &err) == FIRN_OK && err.status == FIRN_OK);
    rows.release(&rows);
    CHECK(rows.release == NULL);

    REQUIRE(scene_query(here.session,
                        "SELECT 1 // (n - 50000) AS a FROM "
                        "generate_series(1, 100000) s(n)",
                        &rows));
    int code = 0;
    while (code == 0) {
        code = rows.get_next(&rows, &batch);
        REQUIRE(code != 0 || batch.release != NULL);
        if (batch.release != NULL) {
            batch.release(&batch);
        }
    }
    CHECK(code == EINVAL);
    CHECK(rows.get_next(&rows, &batch) == EINVAL && batch.release == NULL);
    CHECK(rows.get_schema(&rows, &schema) == 0);
    schema.release(&schema);
    CHECK(strstr(rows.get_last_error(&rows), "zero") != NULL);
    CHECK(firn_stream_error(&rows, &err) == FIRN_OK && strcmp(err.sqlstate, "22012") == 0);
    rows.release(&rows);
    scene_close(&here);
}

// Objects are closed in every order; the batch that was handed out outlives them all.
TEST(surface_closes_in_any_order) {
    for (unsigned order = 0; order < 24; order++) {
        scene here;
        firn_error err = FIRN_ERROR_INIT;
        firn_statement *statement = NULL;
        struct ArrowArrayStream rows = {0};
        struct ArrowArray batch = {0};
        REQUIRE(scene_open(&here, "2"));
        REQUIRE(firn_prepare(here.session,
                             "SELECT n, 'a text that is not inline' || n AS t FROM "
                             "generate_series(1, 200000) s(n)",
                             FIRN_NUL_TERMINATED, &statement, NULL, &err) == FIRN_OK);
        REQUIRE(firn_statement_run(statement, &rows, &err) == FIRN_OK);
        REQUIRE(rows.get_next(&rows, &batch) == 0 && batch.release != NULL);
        unsigned left[4] = {0, 1, 2, 3};
        unsigned number = order;
        for (unsigned count = 4; count > 0; count--) {
            const unsigned at = number % count;
            number /= count;
            const unsigned which = left[at];
            left[at] = left[count - 1];
            struct ArrowArray more = {0};
            switch (which) {
            case 0:
                firn_engine_close(here.engine);
                CHECK(host_thread_count() == 0); // Joined, whatever is still open.
                break;
            case 1:
                firn_session_close(here.session);
                break;
            case 2:
                firn_statement_close(statement);
                break;
            default:
                if (rows.get_next(&rows, &more) == 0 && more.release != NULL) {
                    more.release(&more);
                }
                rows.release(&rows);
                break;
            }
        }
        CHECK(host_thread_count() == 0);
        CHECK(rows_int64(&batch, 0, 65535) == 65536);
        const struct ArrowArray *texts = batch.children[1];
        CHECK(strncmp((const char *)texts->buffers[2], "a text that is not inline1", 26) == 0);
        batch.release(&batch);
    }
}

TEST(surface_calls_of_a_closed_engine_say_so) {
    scene here;
    firn_error err = FIRN_ERROR_INIT;
    firn_statement *statement = NULL;
    struct ArrowArrayStream rows = {0};
    struct ArrowArrayStream other = {0};
    struct ArrowSchema schema = {0};
    size_t size = 0;
    REQUIRE(scene_open(&here, "2"));
    REQUIRE(firn_prepare(here.session, "SELECT 1", FIRN_NUL_TERMINATED, &statement, NULL, &err) ==
            FIRN_OK);
    REQUIRE(firn_statement_run(statement, &rows, &err) == FIRN_OK);
    firn_engine_close(here.engine);
    firn_session *session = here.session;
    CHECK(firn_query(session, "SELECT 1", 8, &other, &err) == FIRN_CANCELLED);
    CHECK(firn_execute(session, "SELECT 1", 8, NULL, &err) == FIRN_CANCELLED);
    firn_statement *another = NULL;
    CHECK(firn_prepare(session, "SELECT 1", 8, &another, NULL, &err) == FIRN_CANCELLED);
    CHECK(firn_session_set(session, "threads", "1", &err) == FIRN_CANCELLED);
    CHECK(firn_session_get(session, "threads", NULL, &size, &err) == FIRN_CANCELLED);
    CHECK(firn_statement_run(statement, &other, &err) == FIRN_CANCELLED);
    CHECK(firn_statement_set(statement, "threads", "1", &err) == FIRN_CANCELLED);
    CHECK(firn_statement_schema(statement, &schema, &err) == FIRN_CANCELLED);
    CHECK(firn_statement_parameters(statement, &schema, &err) == FIRN_CANCELLED);
    struct ArrowArray batch = {0};
    CHECK(rows.get_next(&rows, &batch) == ECANCELED);
    CHECK(firn_stream_error(&rows, &err) == FIRN_OK && err.status == FIRN_CANCELLED);
    firn_session_cancel(session);
    firn_statement_cancel(statement);
    rows.release(&rows);
    firn_statement_close(statement);
    firn_session_close(session);
}

// ---- Threads and processes ---------------------------------------------------------------------

typedef struct intruder {
    scene *here;
    firn_statement *statement;
    atomic_bool is_inside;
    firn_status session;
    firn_status other;
    char text[1024];
} intruder;

// A foreign stream whose schema is asked for while the session is in firn_register_stream.
static intruder *newest_intruder;

static void intrude(void *user) {
    intruder *self = user;
    firn_error err = FIRN_ERROR_INIT;
    struct ArrowArrayStream rows = {0};
    self->session = firn_query(self->here->session, "SELECT 1", 8, &rows, &err);
    if (self->session == FIRN_OK) {
        rows.release(&rows);
    }
    (void)snprintf(self->text, sizeof self->text, "%s", err.text);
    firn_session *own = NULL;
    self->other = firn_session_open(self->here->engine, &own, &err);
    if (self->other == FIRN_OK) {
        self->other = firn_query(own, "SELECT 1", 8, &rows, &err);
        if (self->other == FIRN_OK) {
            rows.release(&rows);
        }
        firn_session_close(own);
    }
}

static int intruding_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    (void)stream;
    (void)out;
    firn_error err = FIRN_ERROR_INIT;
    host_thread *thread = NULL;
    if (host_thread_start(intrude, newest_intruder, &thread, &err) == FIRN_OK) {
        host_thread_join(thread);
    }
    // The thread that is inside may call again.
    CHECK(scene_number(newest_intruder->here->session, "SELECT CAST(3 AS BIGINT)", &err) == 3);
    return EINVAL;
}

static int no_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    (void)stream;
    (void)out;
    return EINVAL;
}

static void no_release(struct ArrowArrayStream *stream) {
    stream->release = NULL;
}

TEST(surface_session_is_for_one_thread_at_a_time) {
    scene here;
    intruder self = {.here = &here};
    firn_error err = FIRN_ERROR_INIT;
    newest_intruder = &self;
    REQUIRE(scene_open(&here, "2"));
    struct ArrowArrayStream source = {
        .get_schema = intruding_schema, .get_next = no_next, .release = no_release};
    CHECK(firn_register_stream(here.session, "s", &source, &err) == FIRN_INVALID);
    CHECK(self.session == FIRN_INVALID);
    CHECK(strstr(self.text, "another thread") != NULL);
    CHECK(self.other == FIRN_OK);
    host_thread *thread = NULL; // One after the other is allowed.
    REQUIRE(host_thread_start(intrude, &self, &thread, &err) == FIRN_OK);
    host_thread_join(thread);
    CHECK(self.session == FIRN_OK);
    scene_close(&here);
}

static unsigned use_in_child(scene *here, firn_statement *statement,
                             struct ArrowArrayStream *rows) {
    firn_error err = FIRN_ERROR_INIT;
    struct ArrowArrayStream other = {0};
    struct ArrowArray batch = {0};
    firn_session *session = NULL;
    unsigned wrong = 0;
    wrong += firn_query(here->session, "SELECT 1", 8, &other, &err) != FIRN_INVALID;
    wrong += strstr(err.text, "forked") == NULL || err.hint[0] == '\0';
    wrong += firn_execute(here->session, "SELECT 1", 8, NULL, &err) != FIRN_INVALID;
    wrong += firn_session_open(here->engine, &session, &err) != FIRN_INVALID;
    wrong += firn_engine_set(here->engine, "threads", "1", &err) != FIRN_INVALID;
    wrong += firn_statement_run(statement, &other, &err) != FIRN_INVALID;
    wrong += rows->get_next(rows, &batch) != EINVAL;
    firn_session_cancel(here->session);
    firn_statement_cancel(statement);
    firn_engine_trim(here->engine, 0);
    rows->release(rows);
    firn_statement_close(statement);
    firn_session_close(here->session);
    firn_engine_close(here->engine);
    // An engine of its own.
    scene own;
    wrong += !scene_open(&own, "1");
    wrong += scene_number(own.session, "SELECT CAST(5 AS BIGINT)", &err) != 5;
    scene_close(&own);
    return wrong;
}

TEST(surface_forked_child_gets_errors_and_hangs_nowhere) {
    scene here;
    firn_error err = FIRN_ERROR_INIT;
    firn_statement *statement = NULL;
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    REQUIRE(scene_open(&here, "2"));
    REQUIRE(firn_prepare(here.session, "SELECT n FROM generate_series(1, 3000000) s(n)",
                         FIRN_NUL_TERMINATED, &statement, NULL, &err) == FIRN_OK);
    REQUIRE(firn_statement_run(statement, &rows, &err) == FIRN_OK);
    REQUIRE(rows.get_next(&rows, &batch) == 0 && batch.release != NULL);
    batch.release(&batch);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        alarm(20); // A hang ends the child.
        _exit((int)use_in_child(&here, statement, &rows));
    }
    int result = 0;
    CHECK(waitpid(child, &result, 0) == child);
    CHECK(WIFEXITED(result) && WEXITSTATUS(result) == 0);
    CHECK(scene_sum(&rows, &err) > 0); // The parent saw nothing of it.
    rows.release(&rows);
    firn_statement_close(statement);
    scene_close(&here);
}

// ---- What a good call leaves behind ------------------------------------------------------------

static bool is_silent(const firn_error *err) {
    return err->status == FIRN_OK && err->length == 0 && err->text[0] == '\0' &&
           err->hint[0] == '\0' && err->sqlstate[0] == '\0' && err->position == UINT64_MAX;
}

// Runs each through firn_execute, firn_query and a prepared statement, as far as it can be
// repeated.
TEST(surface_good_calls_leave_nothing_in_the_error) {
    static const char *const scripts[] = {
        "CREATE TABLE t (a int)",           "CREATE TABLE IF NOT EXISTS t2 (a int)",
        "CREATE VIEW v AS SELECT * FROM t", "INSERT INTO t VALUES (1)",
        "DROP TABLE IF EXISTS nope",        "DROP VIEW IF EXISTS nope",
        "DROP SCHEMA IF EXISTS nope",       "CREATE SCHEMA IF NOT EXISTS s",
    };
    static const char *const queries[] = {
        "SELECT * FROM t",
        "SELECT * FROM main.t",
        "SELECT * FROM memory.main.t",
        "SELECT * FROM v",
        "DESCRIBE t",
        "DESCRIBE v",
        "EXPLAIN SELECT * FROM t",
        "SHOW TABLES",
        "SELECT * FROM sales.db.sales",
        "SELECT count(*) FROM information_schema.columns",
    };
    scene here;
    REQUIRE(scene_open(&here, "2"));
    REQUIRE(scene_execute(here.session, "ATTACH 'sqlite:tests/data/iceberg/catalog.db' AS sales "
                                        "(TYPE iceberg)"));
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        firn_error err = FIRN_ERROR_INIT;
        CHECK(firn_execute(here.session, scripts[i], FIRN_NUL_TERMINATED, NULL, &err) == FIRN_OK);
        if (!is_silent(&err)) {
            printf("%s: %s\n", scripts[i], err.text);
            CHECK(false);
        }
    }
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        firn_error err = FIRN_ERROR_INIT;
        firn_error of_prepare = FIRN_ERROR_INIT;
        struct ArrowArrayStream rows = {0};
        firn_statement *statement = NULL;
        CHECK(firn_query(here.session, queries[i], FIRN_NUL_TERMINATED, &rows, &err) == FIRN_OK);
        CHECK(firn_prepare(here.session, queries[i], FIRN_NUL_TERMINATED, &statement, NULL,
                           &of_prepare) == FIRN_OK);
        if (!is_silent(&err) || !is_silent(&of_prepare)) {
            printf("%s: %s%s\n", queries[i], err.text, of_prepare.text);
            CHECK(false);
        }
        firn_statement_close(statement);
        if (rows.release != NULL) {
            rows.release(&rows);
        }
    }
    scene_close(&here);
}

// ---- Options of a statement --------------------------------------------------------------------

// The Arrow format of the one column of a query under an option.
static bool has_format(firn_session *session, const char *sql, const firn_option *option,
                       const char *format) {
    firn_error err = FIRN_ERROR_INIT;
    firn_statement *statement = NULL;
    struct ArrowArrayStream rows = {0};
    struct ArrowSchema told = {0};
    struct ArrowSchema streamed = {0};
    bool is_right =
        firn_prepare(session, sql, FIRN_NUL_TERMINATED, &statement, NULL, &err) == FIRN_OK &&
        firn_statement_set(statement, option->key, option->value, &err) == FIRN_OK &&
        firn_statement_schema(statement, &told, &err) == FIRN_OK &&
        firn_statement_run(statement, &rows, &err) == FIRN_OK &&
        rows.get_schema(&rows, &streamed) == 0;
    is_right = is_right && strcmp(told.children[0]->format, format) == 0 &&
               strcmp(streamed.children[0]->format, format) == 0;
    if (!is_right) {
        printf("%s = %s: %s %s\n", option->key, option->value,
               streamed.release == NULL ? "" : streamed.children[0]->format, err.text);
    }
    if (told.release != NULL) {
        told.release(&told);
    }
    if (streamed.release != NULL) {
        streamed.release(&streamed);
    }
    if (rows.release != NULL) {
        rows.release(&rows);
    }
    firn_statement_close(statement);
    return is_right;
}

TEST(surface_statement_options_say_what_arrow_looks_like) {
    static const struct {
        const char *sql;
        firn_option option;
        const char *format;
    } rows[] = {
        {"SELECT 'a'", {"arrow.strings", "utf8"}, "u"},
        {"SELECT 'a'", {"arrow.strings", "large"}, "U"},
        {"SELECT 'a'", {"arrow.strings", "view"}, "vu"},
        {"SELECT INTERVAL '1 day'", {"arrow.intervals", "native"}, "tin"},
        {"SELECT INTERVAL '1 day'", {"arrow.intervals", "text"}, "u"},
        {"SELECT CAST(1 AS FLOAT16)", {"arrow.float16", "native"}, "e"},
        {"SELECT CAST(1 AS FLOAT16)", {"ARROW.FLOAT16", "float32"}, "f"},
        {"SELECT CAST(1 AS DECIMAL(50, 2))", {"arrow.decimals", "native"}, "d:50,2,256"},
        {"SELECT CAST(1 AS DECIMAL(50, 2))", {"arrow.decimals", "text"}, "u"},
        {"SELECT CAST(1 AS DECIMAL(10, 2))", {"arrow.decimals", "text"}, "d:10,2"},
        {"SELECT [1, 2]", {"arrow.lists", "list"}, "+l"},
        {"SELECT [1, 2]", {"arrow.lists", "large"}, "+L"},
    };
    static const struct {
        firn_option option;
        const char *words;
        const char *hint;
    } wrong[] = {
        {{"arrow.string", "view"}, "no setting \"arrow.string\"", "mean \"arrow.strings\"?"},
        {{"arrow.bogus", "view"}, "no setting \"arrow.bogus\"", "SHOW ALL SETTINGS"},
        {{"arrow.strings", "true"}, "no value of \"arrow.strings\"", "utf8, large or view"},
        {{"arrow.lists", "true"}, "no value of \"arrow.lists\"", "list or large"},
        {{"arrow.dictionaries", "yes"}, "no value", "plain or keep"},
        {{"arrow.batch_rows", "0"}, "no value", "from 1 to 16777216"},
        {{"bogus", "0"}, "there is no setting \"bogus\"", "SHOW ALL SETTINGS"},
    };
    scene here;
    firn_statement *statement = NULL;
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(scene_open(&here, "1"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK(has_format(here.session, rows[i].sql, &rows[i].option, rows[i].format));
    }
    REQUIRE(firn_prepare(here.session, "SELECT 1", FIRN_NUL_TERMINATED, &statement, NULL, &err) ==
            FIRN_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK(firn_statement_set(statement, wrong[i].option.key, wrong[i].option.value, &err) ==
              FIRN_INVALID);
        if (strstr(err.text, wrong[i].words) == NULL || strstr(err.hint, wrong[i].hint) == NULL) {
            printf("%s: %s\n", err.text, err.hint);
            CHECK(false);
        }
    }
    firn_statement_close(statement);
    scene_close(&here);
}
