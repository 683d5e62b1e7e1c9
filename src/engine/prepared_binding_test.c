// What prepare found is used once, and only while it is still so.
#include "column/arrow.h"
#include "engine/scene_testing.h"
#include "io/test_folder.h"

#define LINES "tests/data/parquet/lines/" // From the top folder.
#define ATTEMPTS 200 // On a busy machine a run may begin later than its prepare is fresh.

typedef struct two_sessions {
    scene here;
    firn_session *other;
    firn_statement *statement;
} two_sessions;

static void open_both(two_sessions *self) {
    *self = (two_sessions){0};
    const firn_option options[] = {{.key = "threads", .value = "1"},
                                   {.key = "block_cache", .value = "off"}};
    REQUIRE(scene_open(&self->here, options, 2));
    REQUIRE(firn_session_open(self->here.engine, &self->other, &self->here.err) == FIRN_OK);
}

static void close_both(two_sessions *self) {
    firn_statement_close(self->statement);
    firn_session_close(self->other);
    scene_close(&self->here);
}

static void prepare(two_sessions *self, const char *sql) {
    firn_statement_close(self->statement);
    self->statement = NULL;
    REQUIRE(firn_prepare(self->here.session, sql, FIRN_NUL_TERMINATED, &self->statement, NULL,
                         &self->here.err) == FIRN_OK);
}

static void execute(two_sessions *self, firn_session *session, const char *sql) {
    REQUIRE(firn_execute(session, sql, FIRN_NUL_TERMINATED, NULL, &self->here.err) == FIRN_OK);
}

// The first number of the result; -1 if there is none, -2 after a failure.
static int64_t number_of(two_sessions *self, struct ArrowArrayStream *rows) {
    struct ArrowArray batch = {0};
    int64_t number = -1;
    if (rows->get_next(rows, &batch) != 0) {
        (void)firn_stream_error(rows, &self->here.err);
        number = -2;
    } else if (batch.release != NULL) {
        number = ((const int64_t *)batch.children[0]->buffers[1])[batch.children[0]->offset];
        batch.release(&batch);
    }
    rows->release(rows);
    return number;
}

static int64_t run_number(two_sessions *self) {
    struct ArrowArrayStream rows = {0};
    return firn_statement_run(self->statement, &rows, &self->here.err) == FIRN_OK
               ? number_of(self, &rows)
               : -2;
}

TEST(the_first_run_of_a_statement_reads_no_footer_that_prepare_has_read) {
    two_sessions here;
    open_both(&here);
    bool is_taken = false;
    for (int attempt = 0; attempt < ATTEMPTS && !is_taken; attempt++) {
        host_fault_set(HOST_READ, 0);
        prepare(&here, "SELECT count(DISTINCT id) FROM '" LINES "{a,b}.parquet'");
        const uint64_t prepared = host_fault_count(HOST_READ);
        const int64_t first = run_number(&here);
        const uint64_t taken = host_fault_count(HOST_READ) - prepared;
        CHECK(run_number(&here) == first && first > 0);
        const uint64_t anew = host_fault_count(HOST_READ) - prepared - taken;
        CHECK(prepared >= 2); // A footer of each of two files.
        CHECK(taken == anew || taken + prepared == anew);
        is_taken = taken + prepared == anew;
    }
    CHECK(is_taken);
    host_fault_set(HOST_READ, 0);
    close_both(&here);
}

TEST(a_run_sees_what_changed_since_its_prepare) {
    two_sessions here;
    open_both(&here);
    execute(&here, here.here.session, "CREATE TABLE t AS SELECT CAST(1 AS BIGINT) AS a");
    const char *sql = "SELECT sum(a)::BIGINT FROM t";
    prepare(&here, sql);
    CHECK(run_number(&here) == 1);
    prepare(&here, sql);
    execute(&here, here.here.session, "INSERT INTO t VALUES (10)");
    CHECK(run_number(&here) == 11);
    prepare(&here, sql);
    execute(&here, here.other, "INSERT INTO t VALUES (100)");
    CHECK(run_number(&here) == 111);
    prepare(&here, sql);
    execute(&here, here.other, "DROP TABLE t; CREATE TABLE t AS SELECT 7.5 AS a");
    CHECK(run_number(&here) == 8);
    prepare(&here, sql);
    execute(&here, here.here.session, "CREATE TEMP TABLE t AS SELECT CAST(3 AS BIGINT) AS a");
    CHECK(run_number(&here) == 3);
    close_both(&here);
}

TEST(inserts_go_where_the_table_is_when_they_run) {
    two_sessions here;
    open_both(&here);
    execute(&here, here.here.session, "CREATE TABLE t(a BIGINT)");
    prepare(&here, "INSERT INTO t VALUES (1), (2)");
    CHECK(run_number(&here) == 2);
    CHECK(run_number(&here) == 2);
    prepare(&here, "INSERT INTO t VALUES (1)");
    execute(&here, here.here.session, "DROP TABLE t; CREATE TABLE t(a BIGINT, b BIGINT)");
    CHECK(run_number(&here) == -2);
    CHECK(strstr(here.here.err.text, "1 columns, the table takes 2") != NULL);
    close_both(&here);
}

static void copy_file(const char *from, const char *folder, const char *name) {
    char path[512];
    firn_error err = FIRN_ERROR_INIT;
    host_file in;
    host_file out;
    arena memory = arena_open((size_t)1 << 20);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    REQUIRE(host_open(from, HOST_MODE_READ, &in, &err) == FIRN_OK);
    host_stat found;
    REQUIRE(host_file_stat(in, &found, &err) == FIRN_OK);
    uint8_t *content = ARENA_NEW(&memory, uint8_t, found.size);
    REQUIRE(content != NULL);
    REQUIRE(host_read(in, 0, found.size, content, &err) == FIRN_OK);
    (void)host_remove(path, &err);
    REQUIRE(host_open(path, HOST_MODE_CREATE, &out, &err) == FIRN_OK);
    CHECK(host_write(out, 0, (bytes){.data = content, .size = found.size}, &err) == FIRN_OK);
    host_close(&out);
    host_close(&in);
    arena_close(&memory);
}

TEST(files_that_changed_since_prepare_are_opened_again) {
    two_sessions here;
    open_both(&here);
    char sql[512];
    const test_folder folder = test_folder_open("prepared");
    (void)snprintf(sql, sizeof sql, "SELECT count(*) * 1000000 + max(id) FROM '%s/*.parquet'",
                   folder.path);
    copy_file(LINES "a.parquet", folder.path, "1.parquet");
    prepare(&here, sql);
    const int64_t one = run_number(&here);
    prepare(&here, sql);
    copy_file(LINES "b.parquet", folder.path, "1.parquet");
    const int64_t replaced = run_number(&here);
    CHECK(replaced > 0 && replaced != one);
    prepare(&here, sql);
    copy_file(LINES "a.parquet", folder.path, "2.parquet");
    CHECK(run_number(&here) / 1000000 == one / 1000000 + replaced / 1000000);
    test_folder_close(&folder);
    close_both(&here);
}

TEST(a_prepare_that_is_old_is_not_used) {
    two_sessions here;
    open_both(&here);
    host_fault_set(HOST_READ, 0);
    prepare(&here, "SELECT count(DISTINCT id) FROM '" LINES "a.parquet'");
    const uint64_t prepared = host_fault_count(HOST_READ);
    host_sleep_ms(30);
    CHECK(run_number(&here) > 0);
    const uint64_t first = host_fault_count(HOST_READ) - prepared;
    CHECK(run_number(&here) > 0);
    CHECK(host_fault_count(HOST_READ) - prepared - first == first);
    close_both(&here);
}

TEST(what_was_cancelled_before_it_ran_runs) {
    two_sessions here;
    open_both(&here);
    prepare(&here, "SELECT CAST(5 AS BIGINT)");
    firn_session_cancel(here.here.session);
    CHECK(run_number(&here) == 5);
    close_both(&here);
}

TEST(describe_and_explain_run_as_they_were_prepared) {
    two_sessions here;
    open_both(&here);
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    const char *const statements[] = {"DESCRIBE '" LINES "a.parquet'", "DESCRIBE SELECT 1 AS one",
                                      "SUMMARIZE '" LINES "a.parquet'",
                                      "EXPLAIN SELECT count(DISTINCT id) FROM '" LINES "a.parquet'",
                                      "EXPLAIN ANALYZE SELECT 1"};
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        prepare(&here, statements[i]);
        for (int run = 0; run < 2; run++) {
            REQUIRE(firn_statement_run(here.statement, &rows, &here.here.err) == FIRN_OK);
            CHECK(rows.get_next(&rows, &batch) == 0 && batch.length > 0);
            batch.release(&batch);
            rows.release(&rows);
        }
    }
    close_both(&here);
}
