// DELETE, UPDATE and MERGE of tables in memory: what snapshots see, what statements side by side do
// to each other, and that one that fails or is stopped at any moment has changed nothing.
#include <string.h>

#include "base/host.h"
#include "engine/scene_testing.h"
#include "memory/pool.h"
#include "sql/parser.h"

static bool open_with(scene *self, const char *memory_limit, const char *threads) {
    const firn_option options[] = {{"memory_limit", memory_limit}, {"threads", threads}};
    return scene_open(self, options, 2);
}

static uint64_t table_bytes(const scene *self) {
    return pool_used(self->session->engine->tables);
}

static firn_status start_query(scene *self, const char *sql, struct ArrowArrayStream *out) {
    return firn_query(self->session, sql, FIRN_NUL_TERMINATED, out, &self->err);
}

// The sum of the first column, a BIGINT, over what is left of the stream; -1: a fault.
static int64_t drain(struct ArrowArrayStream *rows) {
    int64_t sum = 0;
    for (;;) {
        struct ArrowArray batch = {0};
        if (rows->get_next(rows, &batch) != 0) {
            sum = -1;
            break;
        }
        if (batch.release == NULL) {
            break;
        }
        const int64_t *values = batch.children[0]->buffers[1];
        for (int64_t i = 0; i < batch.length; i++) {
            sum += values[batch.children[0]->offset + i];
        }
        batch.release(&batch);
    }
    rows->release(rows);
    return sum;
}

static int64_t number_of(scene *self, const char *sql) {
    struct ArrowArrayStream rows = {0};
    return start_query(self, sql, &rows) == FIRN_OK ? drain(&rows) : -1;
}

TEST(changes_hand_out_how_many_rows_they_changed) {
    scene self;
    REQUIRE(open_with(&self, "64MB", "2"));
    REQUIRE(number_of(&self, "CREATE TABLE t AS SELECT x AS a, x % 3 AS b FROM "
                             "generate_series(1, 9000) AS g(x)") == 9000);
    CHECK(number_of(&self, "DELETE FROM t WHERE b = 0") == 3000);
    CHECK(number_of(&self, "UPDATE t SET b = 7 WHERE b = 1") == 3000);
    CHECK(number_of(&self, "DELETE FROM t USING generate_series(1, 2) AS g(x) WHERE a = 10") == 1);
    CHECK(number_of(&self,
                    "MERGE INTO t USING (VALUES (1), (2), (20000), (20001)) AS s(k) ON a = k "
                    "WHEN MATCHED AND k = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET b = 0 "
                    "WHEN NOT MATCHED THEN INSERT VALUES (k, k)") == 4);
    CHECK(number_of(&self, "DELETE FROM t WHERE a < 0") == 0);
    CHECK(number_of(&self, "INSERT OVERWRITE t SELECT * FROM t WHERE a < 100") == 64);
    CHECK(scene_execute(&self, "TRUNCATE t") == FIRN_OK);
    CHECK(number_of(&self, "SELECT count(*) FROM t") == 0);
    CHECK(table_bytes(&self) == 0);
    scene_close(&self);
}

// ---- Snapshots ----------------------------------------------------------------------------------

#define STREAMS 8

TEST(snapshots_keep_rows_that_were_changed_since) {
    scene self;
    REQUIRE(open_with(&self, "512MB", "1"));
    REQUIRE(scene_execute(&self, "CREATE TABLE t AS SELECT x AS a, 'text number ' || x AS c FROM "
                                 "generate_series(1, 10000) AS g(x)") == FIRN_OK);
    struct ArrowArrayStream open[STREAMS] = {0};
    int64_t expected[STREAMS] = {0};
    static const char *const changes[STREAMS] = {
        "DELETE FROM t WHERE a % 2 = 0",
        "UPDATE t SET a = a + 1",
        "INSERT INTO t VALUES (5, 'five')",
        "UPDATE t SET c = 'all of them the same' WHERE a > 100",
        ("MERGE INTO t USING generate_series(9000, 11000) AS s(x) ON x = a WHEN MATCHED THEN "
         "DELETE "
         "WHEN NOT MATCHED THEN INSERT VALUES (x, 'x')"),
        "INSERT INTO t VALUES (6, 'six'), (7, 'seven')",
        "TRUNCATE t",
        "INSERT INTO t VALUES (1, 'one')",
    };
    for (int i = 0; i < STREAMS; i++) {
        expected[i] = number_of(&self, "SELECT a + 0 * length(c) FROM t");
        CHECK(start_query(&self, "SELECT a + 0 * length(c) FROM t", &open[i]) == FIRN_OK);
        CHECK(scene_execute(&self, changes[i]) == FIRN_OK);
    }
    CHECK(expected[0] == 50005000 && expected[1] == 25000000 && expected[7] == 0);
    for (int i = 0; i < STREAMS; i++) {
        CHECK(drain(&open[i]) == expected[i]);
    }
    CHECK(number_of(&self, "SELECT a FROM t") == 1);
    CHECK(scene_execute(&self, "DROP TABLE t") == FIRN_OK);
    CHECK(table_bytes(&self) == 0);
    scene_close(&self);
}

// Changes of one row each must not leave a table of chunks of one row, nor the old ones.
TEST(changes_of_one_row_keep_bytes_by_their_rows) {
    scene self;
    REQUIRE(open_with(&self, "64MB", "1"));
    REQUIRE(scene_execute(&self, "CREATE TABLE t AS SELECT x AS a, x AS b FROM "
                                 "generate_series(1, 5000) AS g(x)") == FIRN_OK);
    const uint64_t before = table_bytes(&self);
    for (int i = 1; i <= 2000; i++) {
        char sql[96];
        (void)snprintf(sql, sizeof sql, "UPDATE t SET b = -1 WHERE a = %d", i * 2);
        REQUIRE(scene_execute(&self, sql) == FIRN_OK);
    }
    CHECK(number_of(&self, "SELECT count(*) FROM t WHERE b = -1 AND a % 2 = 0") == 2000);
    CHECK(number_of(&self, "SELECT a FROM t") == 12502500);
    CHECK(table_bytes(&self) < before * 2);
    scene_close(&self);
}

// ---- Side by side -------------------------------------------------------------------------------

// A statement all of whose rows have come, and that has not committed.
static run *run_without_commit(scene *self, arena *memory, const char *sql) {
    const sql_statement *statement = NULL;
    size_t used;
    run *made = NULL;
    firn_status status = run_open(self->session, &self->session->settings, &made, &self->err);
    if (status != FIRN_OK) {
        return NULL;
    }
    status = sql_parse_statement(text_of(sql), 0, memory, &statement, &used, &self->err);
    if (status == FIRN_OK) {
        status = sql_statement_kind_of(statement) == SQL_INSERT
                     ? command_bind_insert(made, sql_insert_of(statement), NULL, &self->err)
                     : command_bind_change(made, statement, NULL, &self->err);
    }
    status = status == FIRN_OK ? run_start(made, NULL, 0, false, &self->err) : status;
    status = status == FIRN_OK ? run_drain(made, &self->err) : status;
    CHECK(status == FIRN_OK);
    return made;
}

TEST(of_two_changes_side_by_side_the_second_is_a_conflict) {
    static const struct {
        const char *first, *second;
        bool is_conflict;
        int64_t sum, count; // Afterwards.
    } cases[] = {
        {"DELETE FROM t WHERE a = 1", "DELETE FROM t WHERE a = 3000", true, 4498500, 2999},
        {"DELETE FROM t WHERE a = 1", "UPDATE t SET a = 0 WHERE a = 1", true, 4501499, 3000},
        {"UPDATE t SET a = a + 1", "TRUNCATE t", true, 0, 0},
        {"INSERT OVERWRITE t VALUES (1)", "DELETE FROM t WHERE a = 3000", true, 4498500, 2999},
        {"DELETE FROM t WHERE a > 5", "DELETE FROM t WHERE a < 0", false, 15, 5},
        // INSERT is none, whatever it joins with thin chunks that stood there.
        {"DELETE FROM t WHERE a >= 2990", "INSERT INTO t VALUES (2995), (1)", false, 4471551, 2991},
        {"UPDATE t SET a = 1", "INSERT INTO t SELECT * FROM t", false, 4504500, 6000},
        {"INSERT OVERWRITE t VALUES (7)", "INSERT INTO t VALUES (8), (9)", false, 24, 3},
        {"INSERT INTO t VALUES (8), (9)", "DELETE FROM t WHERE a > 3", false, 23, 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scene self;
        arena memory = arena_open((size_t)1 << 20);
        REQUIRE(open_with(&self, "64MB", "1"));
        // Some full chunks, and a tail of thin ones.
        REQUIRE(scene_execute(&self, "CREATE TABLE t AS SELECT x AS a FROM generate_series(1, 2990)"
                                     " AS g(x)") == FIRN_OK);
        REQUIRE(scene_execute(&self, "INSERT INTO t SELECT x FROM generate_series(2991, 2999) "
                                     "AS g(x)") == FIRN_OK);
        REQUIRE(scene_execute(&self, "INSERT INTO t VALUES (3000)") == FIRN_OK);
        run *first = run_without_commit(&self, &memory, cases[i].first);
        REQUIRE(first != NULL);
        CHECK(number_of(&self, "SELECT a FROM t") == 4501500);
        CHECK(scene_execute(&self, cases[i].second) == FIRN_OK);
        const firn_status status = run_commit(first, &self.err);
        CHECK(status == (cases[i].is_conflict ? FIRN_CONFLICT : FIRN_OK));
        CHECK(!cases[i].is_conflict || strcmp(self.err.sqlstate, "40001") == 0);
        run_release(first);
        CHECK(number_of(&self, "SELECT a FROM t") == cases[i].sum);
        CHECK(number_of(&self, "SELECT count(*) FROM t") == cases[i].count);
        arena_close(&memory);
        scene_close(&self);
    }
}

#define WRITERS 3
#define CHANGES 100

typedef struct writer {
    firn_session *session;
    uint32_t conflicts, failed;
} writer;

static void count_up(void *user) {
    writer *self = user;
    for (int i = 0; i < CHANGES;) {
        firn_error err = FIRN_ERROR_INIT;
        const firn_status status =
            firn_execute(self->session, "UPDATE t SET a = a + 1", FIRN_NUL_TERMINATED, NULL, &err);
        i += status == FIRN_OK;
        self->conflicts += status == FIRN_CONFLICT;
        if (status != FIRN_OK && status != FIRN_CONFLICT) {
            self->failed++;
            return;
        }
    }
}

TEST(changes_side_by_side_lose_nothing) {
    scene self;
    REQUIRE(open_with(&self, "64MB", "1"));
    REQUIRE(scene_execute(&self, "CREATE TABLE t AS SELECT 0 * x AS a FROM "
                                 "generate_series(1, 3000) AS g(x)") == FIRN_OK);
    writer writers[WRITERS] = {0};
    host_thread *threads[WRITERS] = {0};
    for (uint32_t i = 0; i < WRITERS; i++) {
        REQUIRE(firn_session_open(self.engine, &writers[i].session, &self.err) == FIRN_OK);
        REQUIRE(host_thread_start(count_up, &writers[i], &threads[i], &self.err) == FIRN_OK);
    }
    for (int i = 0; i < CHANGES / 4; i++) { // Rows of one statement are there together.
        CHECK(number_of(&self, "SELECT max(a) - min(a) FROM t") == 0);
        CHECK(number_of(&self, "SELECT count(*) FROM t") == 3000);
    }
    for (uint32_t i = 0; i < WRITERS; i++) {
        host_thread_join(threads[i]);
        CHECK(writers[i].failed == 0);
        firn_session_close(writers[i].session);
    }
    CHECK(number_of(&self, "SELECT a FROM t") == (int64_t)WRITERS * CHANGES * 3000);
    scene_close(&self);
}

// ---- All or nothing -----------------------------------------------------------------------------

#define FILL                                                                                       \
    "CREATE TABLE t AS SELECT x, x AS y, 'some longer text ' || x AS s FROM "                      \
    "generate_series(1, 5000) AS g(x)"
#define CHECKSUM                                                                                   \
    "SELECT CAST(sum(x * 7 + y * 3 + length(s)) AS BIGINT) + count(*) * 100000000000 FROM t"

// `sql` while the n-th allocation fails: the table as it was, or as it is without a fault.
static void sweep_change(const char *sql) {
    uint64_t calls = UINT64_MAX;
    int64_t after = 0;
    uint64_t done = 0;
    uint64_t step = 1;
    for (uint64_t n = 0; n <= calls || done == 0; n += n == 0 ? 1 : step) {
        scene self;
        REQUIRE(open_with(&self, "64MB", "1"));
        REQUIRE(scene_execute(&self, FILL) == FIRN_OK);
        REQUIRE(scene_execute(&self, "INSERT INTO t VALUES (6000, 1, 'of the tail')") == FIRN_OK);
        const int64_t before = number_of(&self, CHECKSUM);
        host_fault_set(HOST_ALLOC, n == 0 ? UINT64_MAX : n);
        // Of a script the end may not be found after the statement has taken effect.
        struct ArrowArrayStream rows = {0};
        const firn_status status = start_query(&self, sql, &rows);
        if (n == 0) {
            calls = host_fault_count(HOST_ALLOC);
            step = calls / 150 + 1;
        }
        host_fault_set(HOST_ALLOC, 0);
        CHECK(status != FIRN_OK || drain(&rows) > 0);
        const int64_t now = number_of(&self, CHECKSUM);
        after = n == 0 ? now : after;
        CHECK(now == (status == FIRN_OK ? after : before) && after != before);
        done += n > 0 && status == FIRN_OK;
        CHECK(scene_execute(&self, "DROP TABLE t") == FIRN_OK);
        CHECK(table_bytes(&self) == 0);
        scene_close(&self);
    }
}

TEST(a_change_that_fails_anywhere_changes_nothing) {
    sweep_change("DELETE FROM t WHERE x % 3 = 0");
    sweep_change("UPDATE t SET y = -x, s = 'another text ' || x WHERE x % 5 = 0 OR x > 4000");
    sweep_change(
        "MERGE INTO t USING generate_series(3000, 6500) AS g(k) ON x = k WHEN MATCHED AND k "
        "% 2 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET y = 0 WHEN NOT MATCHED THEN "
        "INSERT VALUES (k, k, 'new')");
    sweep_change("INSERT OVERWRITE t SELECT x, y, 'x' FROM t WHERE x < 4000");
}

TEST(a_change_that_was_drained_has_not_happened_yet) {
    scene self;
    arena memory = arena_open((size_t)1 << 20);
    REQUIRE(open_with(&self, "16MB", "1"));
    REQUIRE(scene_execute(&self, "CREATE TABLE t (a BIGINT)") == FIRN_OK);
    REQUIRE(scene_execute(&self, "INSERT INTO t VALUES (1), (2), (3)") == FIRN_OK);
    run *stopped = run_without_commit(&self, &memory, "UPDATE t SET a = 10");
    REQUIRE(stopped != NULL);
    run_cancel(stopped);
    run_release(stopped);
    CHECK(number_of(&self, "SELECT a FROM t") == 6);
    CHECK(scene_execute(&self, "EXPLAIN UPDATE t SET a = 10") == FIRN_OK);
    CHECK(number_of(&self, "SELECT a FROM t") == 6);
    CHECK(scene_execute(&self, "EXPLAIN ANALYZE UPDATE t SET a = 10") == FIRN_OK);
    CHECK(number_of(&self, "SELECT a FROM t") == 30); // As INSERT, it runs.
    arena_close(&memory);
    scene_close(&self);
}

// ---- Prepared -----------------------------------------------------------------------------------

TEST(a_prepared_change_sees_the_table_of_each_run) {
    scene self;
    firn_statement *statement = NULL;
    REQUIRE(open_with(&self, "16MB", "1"));
    REQUIRE(scene_execute(&self, "CREATE TABLE t AS SELECT 1 AS a") == FIRN_OK);
    REQUIRE(firn_prepare(self.session, "UPDATE t SET a = a * 2", FIRN_NUL_TERMINATED, &statement,
                         NULL, &self.err) == FIRN_OK);
    for (int i = 0; i < 5; i++) {
        struct ArrowArrayStream rows = {0};
        REQUIRE(firn_statement_run(statement, &rows, &self.err) == FIRN_OK);
        CHECK(drain(&rows) == 1);
    }
    firn_statement_close(statement);
    CHECK(number_of(&self, "SELECT CAST(a AS BIGINT) FROM t") == 32);
    scene_close(&self);
}
