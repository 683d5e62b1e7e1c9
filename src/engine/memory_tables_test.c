// Tables in memory as statements leave them: how much memory they keep, what snapshots see, and
// that a statement that fails or is stopped at any moment has inserted all of its rows or none.
#include <stdatomic.h>
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

// Is the first column, a BIGINT, 0, 1, 2, … to `count`, in this order?
static bool is_counted_up(scene *self, const char *sql, int64_t count) {
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    int64_t at = 0;
    bool is_good = start_query(self, sql, &rows) == FIRN_OK;
    while (is_good && rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
        const int64_t *values = batch.children[0]->buffers[1];
        for (int64_t i = 0; i < batch.length; i++) {
            is_good = is_good && values[batch.children[0]->offset + i] == at++;
        }
        batch.release(&batch);
    }
    if (rows.release != NULL) {
        rows.release(&rows);
    }
    return is_good && at == count;
}

TEST(statements_of_one_row_keep_bytes_by_their_rows) {
    scene self;
    REQUIRE(open_with(&self, "64MB", "1"));
    CHECK(scene_execute(&self, "CREATE TABLE t (a BIGINT, b VARCHAR, c DOUBLE)") == FIRN_OK);
    for (int i = 0; i < 20000; i++) {
        char sql[96];
        (void)snprintf(sql, sizeof sql, "INSERT INTO t VALUES (%d, 'row number %d', NULL)", i, i);
        REQUIRE(scene_execute(&self, sql) == FIRN_OK);
    }
    // 32 bytes and the text a row; 20,000 arenas would be 80 MB.
    CHECK(table_bytes(&self) < (uint64_t)20000 * 80);
    CHECK(number_of(&self, "SELECT count(*) FROM t WHERE b = 'row number ' || a AND c IS NULL") ==
          20000);
    CHECK(is_counted_up(&self, "SELECT a FROM t", 20000));
    CHECK(scene_execute(&self, "DROP TABLE t") == FIRN_OK);
    CHECK(table_bytes(&self) == 0);
    scene_close(&self);
}

TEST(thin_batches_are_kept_together) {
    scene self;
    REQUIRE(open_with(&self, "64MB", "2"));
    CHECK(scene_execute(
              &self, "CREATE TABLE t AS SELECT x, x / 2 AS y, 'text ' || x AS s FROM "
                     "generate_series(1, 4000000) AS g(x) WHERE x * 7919 % 1000003 % 1000 = 0") ==
          FIRN_OK);
    const int64_t count = number_of(&self, "SELECT count(*) FROM t");
    CHECK(count > 3000 && count < 5000);
    CHECK(table_bytes(&self) < (uint64_t)count * 100);
    scene_close(&self);
}

#define STREAMS 12

TEST(snapshots_do_not_see_later_rows_however_chunks_are_joined) {
    scene self;
    REQUIRE(open_with(&self, "512MB", "1"));
    CHECK(scene_execute(&self, "CREATE TABLE t (a BIGINT, b BIGINT[], c VARCHAR)") == FIRN_OK);
    struct ArrowArrayStream open[STREAMS] = {0};
    int64_t expected[STREAMS] = {0};
    int64_t sum = 0;
    for (int i = 0; i < STREAMS; i++) {
        expected[i] = sum;
        CHECK(start_query(&self, "SELECT t.a + 0 * length(c) FROM t", &open[i]) == FIRN_OK);
        char sql[128];
        const int rows = i % 5 == 4 ? 700 : i % 2 + 1;
        (void)snprintf(sql, sizeof sql,
                       "INSERT INTO t SELECT x, [x, NULL], repeat('t', 90) FROM "
                       "generate_series(1, %d) AS g(x)",
                       rows);
        CHECK(scene_execute(&self, sql) == FIRN_OK);
        sum += (int64_t)rows * (rows + 1) / 2;
    }
    for (int i = 0; i < STREAMS; i++) {
        CHECK(drain(&open[i]) == expected[i]);
    }
    CHECK(number_of(&self, "SELECT CAST(sum(b[1]) AS BIGINT) FROM t WHERE b[2] IS NULL") == sum);
    scene_close(&self);
}

TEST(the_error_names_the_table) {
    scene self;
    REQUIRE(open_with(&self, "8MB", "1"));
    CHECK(scene_execute(&self, "CREATE TABLE kept AS SELECT x, x AS y FROM generate_series(1, "
                               "2000000) AS g(x)") == FIRN_NO_MEMORY);
    CHECK(strstr(self.err.text, "rows in the table \"kept\"") != NULL);
    CHECK(strstr(self.err.text, "by tables in memory") != NULL);
    CHECK(table_bytes(&self) == 0);
    scene_close(&self);
}

// ---- All or nothing -----------------------------------------------------------------------------

#define FILL                                                                                       \
    "CREATE TABLE t AS SELECT x, [x, x + 1] AS l, {'k': 'some longer text ' || x} AS s FROM "      \
    "generate_series(1, 300) AS g(x)"
#define MORE                                                                                       \
    "INSERT INTO t SELECT x, CASE WHEN x % 3 = 0 THEN [x] END, {'k': 'other text that is long ' "  \
    "|| x} FROM generate_series(1, 4000) AS g(x) WHERE x % 40 = 0"

// `sql` while the n-th call fails: what it says and what is there agree.
static void sweep_insert(host_call kind, const char *sql) {
    scene self;
    REQUIRE(open_with(&self, "16MB", "1"));
    REQUIRE(scene_execute(&self, FILL) == FIRN_OK);
    int64_t before = number_of(&self, "SELECT count(*) FROM t");
    host_fault_set(kind, UINT64_MAX);
    const int64_t added = number_of(&self, sql);
    const uint64_t calls = host_fault_count(kind);
    CHECK(added > 0 && calls > 0);
    before += added;
    uint64_t done = 0;
    for (uint64_t n = 1; n <= calls + 3; n++) {
        struct ArrowArrayStream rows = {0};
        host_fault_set(kind, n);
        const firn_status status = start_query(&self, sql, &rows);
        const int64_t told = status == FIRN_OK ? drain(&rows) : 0;
        host_fault_set(kind, 0);
        CHECK(told == (status == FIRN_OK ? added : 0));
        done += status == FIRN_OK;
        before += told;
        CHECK(number_of(&self, "SELECT count(*) FROM t") == before);
    }
    CHECK(done >= 3);
    CHECK(number_of(&self,
                    "SELECT count(*) FROM t WHERE l[1] <> x OR s.k NOT LIKE '%text%' || x") == 0);
    CHECK(scene_execute(&self, "DROP TABLE t") == FIRN_OK);
    CHECK(table_bytes(&self) == 0);
    scene_close(&self);
}

TEST(an_insert_that_fails_anywhere_inserts_nothing) {
    sweep_insert(HOST_ALLOC, MORE);
    sweep_insert(HOST_ALLOC, "INSERT INTO t VALUES (9, [9], {'k': 'a text of row 9'})");
}

// An INSERT all of whose rows have come, and that is stopped then.
TEST(an_insert_that_was_drained_has_not_happened_yet) {
    scene self;
    REQUIRE(open_with(&self, "16MB", "1"));
    REQUIRE(scene_execute(&self, "CREATE TABLE t (a BIGINT)") == FIRN_OK);
    for (int step = 0; step < 3; step++) {
        arena memory = arena_open((size_t)1 << 20);
        const sql_statement *statement = NULL;
        size_t used;
        run *each = NULL;
        REQUIRE(run_open(self.session, &self.session->settings, &each, &self.err) == FIRN_OK);
        REQUIRE(sql_parse_statement(TEXT("INSERT INTO t VALUES (1), (2)"), 0, &memory, &statement,
                                    &used, &self.err) == FIRN_OK);
        CHECK(command_bind_insert(each, sql_insert_of(statement), NULL, &self.err) == FIRN_OK);
        each->changed_rows = 0;
        CHECK(run_start(each, NULL, 0, false, &self.err) == FIRN_OK);
        CHECK(run_drain(each, &self.err) == FIRN_OK);
        CHECK(each->changed_rows == 2);
        CHECK(number_of(&self, "SELECT count(*) FROM t") == 0);
        if (step > 0) {
            CHECK(run_count(each, &self.err) == FIRN_OK);
        }
        run_cancel(each);
        if (step == 2) {
            CHECK(run_commit(each, &self.err) == FIRN_OK);
        }
        run_release(each);
        arena_close(&memory);
        CHECK(number_of(&self, "SELECT count(*) FROM t") == (step == 2 ? 2 : 0));
    }
    scene_close(&self);
}

TEST(an_insert_is_stopped_before_it_commits_or_not_at_all) {
    scene self;
    REQUIRE(open_with(&self, "16MB", "1"));
    REQUIRE(scene_execute(&self, "CREATE TABLE t (a BIGINT)") == FIRN_OK);
    // When it is ready its rows are there: stopping it then takes nothing back, and says so.
    struct ArrowArrayStream rows = {0};
    REQUIRE(start_query(&self, "INSERT INTO t VALUES (1), (2)", &rows) == FIRN_OK);
    CHECK(number_of(&self, "SELECT count(*) FROM t") == 2);
    firn_session_cancel(self.session);
    CHECK(drain(&rows) == 2);
    // A stream that nobody reads.
    REQUIRE(start_query(&self, "INSERT INTO t VALUES (3)", &rows) == FIRN_OK);
    rows.release(&rows);
    CHECK(number_of(&self, "SELECT count(*) FROM t") == 3);
    scene_close(&self);
}

// ---- Side by side -------------------------------------------------------------------------------

#define WRITERS 3
#define INSERTS 200

typedef struct writer {
    firn_session *session;
    uint32_t number;
    uint32_t failed;
} writer;

static void write_rows(void *user) {
    writer *self = user;
    for (int i = 0; i < INSERTS; i++) {
        char sql[128];
        firn_error err = FIRN_ERROR_INIT;
        (void)snprintf(sql, sizeof sql,
                       "INSERT INTO t VALUES (%d, %u, 'from writer %u'), (0, 0, '')", i,
                       self->number, self->number);
        self->failed +=
            firn_execute(self->session, sql, FIRN_NUL_TERMINATED, NULL, &err) != FIRN_OK;
    }
}

TEST(statements_that_insert_and_read_side_by_side_see_whole_ones) {
    scene self;
    REQUIRE(open_with(&self, "64MB", "1"));
    REQUIRE(scene_execute(&self, "CREATE TABLE t (a BIGINT, w BIGINT, s VARCHAR)") == FIRN_OK);
    writer writers[WRITERS] = {0};
    host_thread *threads[WRITERS] = {0};
    for (uint32_t i = 0; i < WRITERS; i++) {
        writers[i].number = i + 1;
        REQUIRE(firn_session_open(self.engine, &writers[i].session, &self.err) == FIRN_OK);
        REQUIRE(host_thread_start(write_rows, &writers[i], &threads[i], &self.err) == FIRN_OK);
    }
    int64_t before = 0;
    for (int i = 0; i < INSERTS / 2; i++) { // Each statement brings two rows.
        const int64_t rows = number_of(&self, "SELECT count(*) FROM t WHERE s IS NOT NULL");
        CHECK(rows >= before && rows % 2 == 0);
        before = rows;
    }
    for (uint32_t i = 0; i < WRITERS; i++) {
        host_thread_join(threads[i]);
        CHECK(writers[i].failed == 0);
        firn_session_close(writers[i].session);
    }
    CHECK(number_of(&self, "SELECT count(*) FROM t") == (int64_t)WRITERS * INSERTS * 2);
    CHECK(number_of(&self, "SELECT a FROM t WHERE w > 0") ==
          (int64_t)WRITERS * INSERTS * (INSERTS - 1) / 2);
    scene_close(&self);
}

typedef struct renamer {
    firn_session *session;
    atomic_bool is_through;
    uint32_t count, failed;
} renamer;

static void rename_table(void *user) {
    renamer *self = user;
    static const char *const sqls[] = {"ALTER TABLE t RENAME TO u", "ALTER TABLE u RENAME TO t"};
    do {
        for (int i = 0; i < 2; i++) {
            firn_error err = FIRN_ERROR_INIT;
            self->failed +=
                firn_execute(self->session, sqls[i], FIRN_NUL_TERMINATED, NULL, &err) != FIRN_OK;
        }
        self->count++;
    } while (!atomic_load(&self->is_through));
}

// Of the name that it has when it begins, or there is none: what else a statement reads of the name
// must be of its snapshot's, which ThreadSanitizer sees.
TEST(statements_change_rows_of_tables_that_are_renamed_meanwhile) {
    scene self;
    renamer other = {.count = 0};
    host_thread *thread = NULL;
    uint64_t done = 0;
    REQUIRE(open_with(&self, "64MB", "1"));
    REQUIRE(scene_execute(&self, "CREATE TABLE t AS SELECT 0 AS a FROM range(5000)") == FIRN_OK);
    REQUIRE(firn_session_open(self.engine, &other.session, &self.err) == FIRN_OK);
    REQUIRE(host_thread_start(rename_table, &other, &thread, &self.err) == FIRN_OK);
    // Where there is one processor, the other thread may stop for long just when there is no "t".
    for (int i = 0; i < 200 || (done == 0 && i < 1000000); i++) {
        const firn_status status = scene_execute(&self, "UPDATE t SET a = a + 1 WHERE a >= 0");
        CHECK(status == FIRN_OK || status == FIRN_NOT_FOUND || status == FIRN_CONFLICT);
        done += status == FIRN_OK;
    }
    atomic_store(&other.is_through, true);
    host_thread_join(thread);
    CHECK(other.failed == 0 && other.count > 0 && done > 0);
    CHECK(number_of(&self, "SELECT sum(a)::BIGINT FROM t") == (int64_t)done * 5000);
    firn_session_close(other.session);
    scene_close(&self);
}
