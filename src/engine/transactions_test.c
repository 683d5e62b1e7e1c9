// Transactions of a session and of its statements, over the catalog and the tables of numbers of
// tables/transaction_testing.h. Of the table `t` the numbers are 1, 2 and 3, of `u` 7.
#include <string.h>

#include "base/host.h"
#include "column/arrow.h"
#include "engine/scene_testing.h"
#include "engine/transactions.h"
#include "io/test_folder.h"
#include "tables/transaction_testing.h"

typedef struct lakes {
    scene scene;
    fake_catalog lake, pond;
} lakes;

static bool attach(scene *self, fake_catalog *of, const char *alias) {
    firn_session *session = self->session;
    attached *made;
    catalog_set *with;
    of->base.alias = text_of(alias);
    if (attached_open(&of->base, false, text_of(alias), &made, &self->err) != FIRN_OK) {
        return false;
    }
    const firn_status status = catalog_set_with(session->catalogs, made, &with, &self->err);
    attached_release(made);
    if (status != FIRN_OK) {
        return false;
    }
    catalog_set_release(session->catalogs);
    session->catalogs = with;
    return true;
}

static bool open_lakes(lakes *self) {
    const firn_option options[] = {{"threads", "1"}};
    const fake_catalog fresh = {
        .base = {.kind = &fake_catalogs},
        .table_count_max = 2,
        .tables = {{.name = TEXT("t"), .now = {.count = 3, .values = {1, 2, 3}}},
                   {.name = TEXT("u"), .now = {.count = 1, .values = {7}}}}};
    self->lake = fresh;
    self->pond = fresh;
    return scene_open(&self->scene, options, 1) && attach(&self->scene, &self->lake, "lake") &&
           attach(&self->scene, &self->pond, "pond");
}

static void close_lakes(lakes *self) {
    scene_close(&self->scene);
    CHECK(fake_open_count == 0);
}

static firn_status run_sql(lakes *self, const char *sql) {
    const firn_status status = scene_execute(&self->scene, sql);
    return status;
}

#define OK(sql) CHECK(run_sql(&self, sql) == FIRN_OK)
#define FAILS(sql, status, state)                                                                  \
    CHECK(run_sql(&self, sql) == (status) && strcmp(self.scene.err.sqlstate, state) == 0)

// The one number that a query gives; INT64_MIN: it failed.
static int64_t ask(lakes *self, const char *sql) {
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    int64_t answer = INT64_MIN;
    if (firn_query(self->scene.session, sql, FIRN_NUL_TERMINATED, &rows, &self->scene.err) !=
        FIRN_OK) {
        return answer;
    }
    if (rows.get_next(&rows, &batch) == 0 && batch.release != NULL && batch.length == 1) {
        answer = ((const int64_t *)batch.children[0]->buffers[1])[batch.children[0]->offset];
    }
    if (batch.release != NULL) {
        batch.release(&batch);
    }
    rows.release(&rows);
    return answer;
}

#define SUM(table) ask(&self, "SELECT CAST(sum(x) AS BIGINT) FROM " table)

static int64_t stored_sum(fake_catalog *in, const char *table) {
    const stored *found = fake_find(in, text_of(table));
    int64_t sum = found == NULL ? -1 : 0;
    for (uint32_t i = 0; found != NULL && i < found->now.count; i++) {
        sum += found->now.values[i];
    }
    return sum;
}

TEST(statements_are_transactions_of_their_own) {
    lakes self;
    int64_t changed;
    REQUIRE(open_lakes(&self));
    CHECK(firn_execute(self.scene.session,
                       "INSERT INTO lake.t VALUES (10), (20); INSERT INTO lake.u SELECT x FROM "
                       "lake.t WHERE x > 9",
                       FIRN_NUL_TERMINATED, &changed, &self.scene.err) == FIRN_OK);
    CHECK(changed == 4 && self.lake.commit_count == 2);
    CHECK(stored_sum(&self.lake, "t") == 36 && stored_sum(&self.lake, "u") == 37);
    CHECK(SUM("lake.t") == 36);
    // The source is the target: what it was when the statement began.
    CHECK(ask(&self, "INSERT INTO lake.t SELECT x FROM lake.t") == 5);
    CHECK(stored_sum(&self.lake, "t") == 72);
    // What comes to nothing is not committed.
    FAILS("INSERT INTO lake.t SELECT CAST(CASE WHEN x = 3 THEN 'a' ELSE '1' END AS BIGINT) FROM "
          "lake.t",
          FIRN_INVALID, "22P02");
    FAILS("INSERT INTO lake.t VALUES (NULL)", FIRN_INVALID, "23502");
    CHECK(self.lake.commit_count == 3 && stored_sum(&self.lake, "t") == 72);
    close_lakes(&self);
}

TEST(statements_commit_on_top_of_what_others_did) {
    static const script never[] = {{.is_lost = true, .does_not = true},
                                   {.is_lost = true, .does_not = true},
                                   {.is_lost = true, .does_not = true}};
    lakes self;
    REQUIRE(open_lakes(&self));
    self.lake.others = OTHERS_ADD;
    self.lake.others_count = 2;
    OK("INSERT INTO lake.t VALUES (10)");
    CHECK(stored_sum(&self.lake, "t") == 2016 && self.lake.commit_count == 3);
    self.lake.others_count = 3;
    FAILS("INSERT INTO lake.t VALUES (10)", FIRN_CONFLICT, "40001");
    CHECK(self.scene.err.retryable && strstr(self.scene.err.hint, "again") != NULL);
    CHECK(stored_sum(&self.lake, "t") == 5016);
    self.lake.commit_count = 0;
    self.lake.scripts = never;
    self.lake.script_count = 3;
    FAILS("INSERT INTO lake.t VALUES (10)", FIRN_COMMIT_UNKNOWN, "40003");
    CHECK(!self.scene.err.retryable && fake_settled == COMMIT_UNKNOWN);
    OK("INSERT INTO lake.t VALUES (10)");
    CHECK(stored_sum(&self.lake, "t") == 5026);
    close_lakes(&self);
}

TEST(blocks_see_their_changes_and_commit_them_at_once) {
    lakes self;
    REQUIRE(open_lakes(&self));
    OK("BEGIN");
    CHECK(SUM("lake.t") == 6 && SUM("pond.u") == 7);
    self.lake.tables[0].now.values[0] = 100; // Others.
    self.lake.tables[0].now.version = 1;
    self.pond.tables[1].now.values[0] = 100;
    CHECK(SUM("lake.t") == 6 && SUM("pond.u") == 7);
    OK("INSERT INTO lake.t VALUES (10)");
    CHECK(ask(&self, "INSERT INTO lake.u SELECT x FROM lake.t") == 4);
    CHECK(SUM("lake.t") == 16 && SUM("lake.u") == 23 && SUM("pond.u") == 7);
    CHECK(self.lake.commit_count == 0 && stored_sum(&self.lake, "u") == 7);
    OK("COMMIT");
    CHECK(self.lake.commit_count == 2); // The first was a conflict.
    CHECK(SUM("lake.t") == 115 && SUM("lake.u") == 23 && SUM("pond.u") == 100);
    OK("START TRANSACTION; INSERT INTO lake.t VALUES (10); ROLLBACK");
    CHECK(self.lake.commit_count == 2 && SUM("lake.t") == 115);
    OK("BEGIN; COMMIT; BEGIN; SELECT x FROM lake.t; COMMIT");
    CHECK(self.lake.commit_count == 2);
    close_lakes(&self);
}

TEST(blocks_with_a_failed_statement_can_only_be_rolled_back) {
    static const char *const failing[] = {"SELECT x FROM lake.nothing", "SELEC",
                                          "INSERT INTO lake.t VALUES (NULL)",
                                          "SELECT CAST('a' AS BIGINT)", "SET threads = 'many'"};
    lakes self;
    REQUIRE(open_lakes(&self));
    for (size_t i = 0; i < sizeof failing / sizeof failing[0]; i++) {
        OK("BEGIN; INSERT INTO lake.t VALUES (10)");
        CHECK(run_sql(&self, failing[i]) != FIRN_OK);
        FAILS("SELECT 1", FIRN_INVALID, "25P02");
        CHECK(strstr(self.scene.err.hint, "ROLLBACK") != NULL);
        FAILS("INSERT INTO lake.t VALUES (10)", FIRN_INVALID, "25P02");
        FAILS("COMMIT", FIRN_INVALID, "25P02");
        FAILS("BEGIN", FIRN_INVALID, "25P02");
        FAILS("SELEC", FIRN_INVALID, "42601"); // What is no statement says so, as in PostgreSQL.
        OK("ROLLBACK");
        CHECK(SUM("lake.t") == 6 && self.lake.commit_count == 0);
    }
    // Also one that is only prepared.
    firn_statement *prepared;
    OK("BEGIN");
    CHECK(firn_prepare(self.scene.session, "SELECT y FROM lake.t", FIRN_NUL_TERMINATED, &prepared,
                       NULL, &self.scene.err) != FIRN_OK);
    CHECK(strcmp(self.scene.err.sqlstate, "42703") == 0);
    CHECK(firn_prepare(self.scene.session, "SELECT 1", FIRN_NUL_TERMINATED, &prepared, NULL,
                       &self.scene.err) == FIRN_INVALID);
    OK("ROLLBACK");
    // And one that fails when it is read.
    OK("BEGIN");
    CHECK(ask(&self, "SELECT CAST(CASE WHEN x = 3 THEN 'a' ELSE '1' END AS BIGINT) FROM lake.t") ==
          INT64_MIN);
    FAILS("SELECT 1", FIRN_INVALID, "25P02");
    OK("ROLLBACK");
    close_lakes(&self);
}

TEST(blocks_begin_and_end_once) {
    lakes self;
    REQUIRE(open_lakes(&self));
    FAILS("COMMIT", FIRN_INVALID, "25P01");
    FAILS("ROLLBACK", FIRN_INVALID, "25P01");
    OK("BEGIN; INSERT INTO lake.t VALUES (10)");
    FAILS("BEGIN", FIRN_INVALID, "25001");
    FAILS("SAVEPOINT here", FIRN_UNSUPPORTED, "0A000");
    FAILS("ROLLBACK TO here", FIRN_UNSUPPORTED, "0A000");
    OK("COMMIT"); // Those did no harm.
    CHECK(SUM("lake.t") == 16);
    // One that could not be committed is over as well.
    OK("BEGIN; INSERT INTO lake.t VALUES (10)");
    self.lake.others = OTHERS_ADD;
    self.lake.others_count = 100;
    FAILS("COMMIT", FIRN_CONFLICT, "40001");
    FAILS("ROLLBACK", FIRN_INVALID, "25P01");
    CHECK(fake_open_count == 0);
    // And one whose session is closed.
    OK("BEGIN; INSERT INTO lake.t VALUES (10)");
    CHECK(fake_open_count == 1);
    close_lakes(&self);
    CHECK(stored_sum(&self.lake, "t") == 3016);
}

TEST(blocks_refuse_what_they_could_not_take_back) {
    static const char *const refused[] = {"CREATE TABLE m2 (x BIGINT)",
                                          "CREATE TEMP TABLE m2 (x BIGINT)",
                                          "CREATE TABLE m2 AS SELECT 1 AS x",
                                          "INSERT INTO m VALUES (1)",
                                          "DROP TABLE m",
                                          "DROP VIEW v",
                                          "CREATE VIEW w AS SELECT 1",
                                          "CREATE SCHEMA s",
                                          "DROP SCHEMA s",
                                          "EXPLAIN ANALYZE CREATE TABLE m2 AS SELECT 1 AS x"};
    lakes self;
    REQUIRE(open_lakes(&self));
    OK("CREATE TABLE m (x BIGINT); CREATE VIEW v AS SELECT 1 AS x; INSERT INTO m VALUES (5)");
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        OK("BEGIN");
        FAILS(refused[i], FIRN_UNSUPPORTED, "25001");
        CHECK(strstr(self.scene.err.hint, "COMMIT") != NULL);
        CHECK(self.scene.err.position == (strncmp(refused[i], "INSERT", 6) == 0    ? 12
                                          : strncmp(refused[i], "EXPLAIN", 7) == 0 ? 16
                                                                                   : 0));
        OK("ROLLBACK");
    }
    CHECK(SUM("m") == 5);
    OK("BEGIN; INSERT INTO lake.t SELECT x FROM m");
    FAILS("INSERT INTO pond.t VALUES (1)", FIRN_UNSUPPORTED, "0A000");
    CHECK(strstr(self.scene.err.text, "\"lake\", not of \"pond\"") != NULL);
    OK("ROLLBACK; BEGIN READ ONLY");
    FAILS("EXPLAIN ANALYZE INSERT INTO lake.t VALUES (1)", FIRN_INVALID, "25006");
    OK("ROLLBACK");
    // A catalog that commits one table at a time.
    self.lake.table_count_max = 1;
    OK("BEGIN; INSERT INTO lake.t VALUES (1)");
    FAILS("INSERT INTO lake.u VALUES (1)", FIRN_UNSUPPORTED, "0A000");
    CHECK(strcmp(self.scene.err.hint, "COMMIT first") == 0);
    OK("ROLLBACK");
    // What it uses is not detached.
    OK("BEGIN; SELECT x FROM lake.t");
    FAILS("DETACH lake", FIRN_INVALID, "55006");
    OK("ROLLBACK; BEGIN; USE lake; INSERT INTO t VALUES (1); DETACH pond; COMMIT; DETACH lake");
    CHECK(stored_sum(&self.lake, "t") == 7);
    close_lakes(&self);
}

TEST(blocks_are_as_strict_as_they_were_begun) {
    lakes self;
    REQUIRE(open_lakes(&self));
    OK("BEGIN READ ONLY");
    CHECK(SUM("lake.t") == 6);
    FAILS("INSERT INTO lake.t VALUES (1)", FIRN_INVALID, "25006");
    OK("ROLLBACK; BEGIN READ ONLY");
    FAILS("EXPLAIN ANALYZE INSERT INTO lake.t VALUES (1)", FIRN_INVALID, "25006");
    OK("ROLLBACK");
    static const struct {
        const char *sql;
        isolation isolation;
    } cases[] = {{"INSERT INTO lake.t VALUES (1)", ISOLATION_TABLE},
                 {"BEGIN ISOLATION LEVEL SNAPSHOT; INSERT INTO lake.t VALUES (1); COMMIT",
                  ISOLATION_SNAPSHOT},
                 {"BEGIN ISOLATION LEVEL READ COMMITTED; INSERT INTO lake.t VALUES (1); COMMIT",
                  ISOLATION_SNAPSHOT},
                 {"BEGIN ISOLATION LEVEL SERIALIZABLE; INSERT INTO lake.t VALUES (1); COMMIT",
                  ISOLATION_SERIALIZABLE},
                 {"SET transaction_isolation = 'serializable'; INSERT INTO lake.t VALUES (1)",
                  ISOLATION_SERIALIZABLE},
                 {"SET transaction_isolation = snapshot; BEGIN; INSERT INTO lake.t VALUES (1); "
                  "COMMIT; RESET transaction_isolation",
                  ISOLATION_SNAPSHOT}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        OK(cases[i].sql);
        CHECK(fake_isolation == cases[i].isolation);
    }
    FAILS("SET transaction_isolation = 'weak'", FIRN_INVALID, "22023");
    close_lakes(&self);
}

TEST(prepared_inserts_begin_their_transaction_when_they_run) {
    lakes self;
    firn_statement *prepared = NULL;
    struct ArrowArrayStream rows = {0};
    struct ArrowArray count = {0};
    REQUIRE(open_lakes(&self));
    self.lake.table_count_max = 1;
    OK("BEGIN");
    CHECK(firn_prepare(self.scene.session, "INSERT INTO lake.t SELECT x FROM lake.t",
                       FIRN_NUL_TERMINATED, &prepared, NULL, &self.scene.err) == FIRN_OK);
    CHECK(fake_open_count == 0);
    OK("ROLLBACK");
    for (int i = 1; i <= 2; i++) {
        CHECK(firn_statement_run(prepared, &rows, &self.scene.err) == FIRN_OK);
        REQUIRE(rows.get_next(&rows, &count) == 0 && count.release != NULL);
        CHECK(*(const int64_t *)count.children[0]->buffers[1] == 3 * i);
        count.release(&count);
        rows.release(&rows);
        CHECK(stored_sum(&self.lake, "t") == (6 << i) && fake_open_count == 0);
    }
    // In a block, and after it.
    OK("BEGIN");
    CHECK(firn_statement_run(prepared, &rows, &self.scene.err) == FIRN_OK);
    rows.release(&rows);
    CHECK(stored_sum(&self.lake, "t") == 24 && SUM("lake.t") == 48);
    OK("ROLLBACK");
    CHECK(SUM("lake.t") == 24);
    firn_statement_close(prepared);
    OK("BEGIN; EXPLAIN INSERT INTO lake.u VALUES (1); INSERT INTO lake.t VALUES (1); COMMIT");
    OK("EXPLAIN ANALYZE INSERT INTO lake.t VALUES (5)");
    CHECK(stored_sum(&self.lake, "t") == 30);
    close_lakes(&self);
}

// A foreign stream that runs a statement in the session that reads it.
typedef struct meddler {
    firn_session *session;
    const char *sql; // Once.
    struct ArrowArrayStream rows;
    firn_status said;
} meddler;

static int meddle_schema(struct ArrowArrayStream *self, struct ArrowSchema *out) {
    meddler *own = self->private_data;
    return own->rows.get_schema(&own->rows, out);
}

static int meddle_next(struct ArrowArrayStream *self, struct ArrowArray *out) {
    meddler *own = self->private_data;
    if (own->sql != NULL) {
        own->said = firn_execute(own->session, own->sql, FIRN_NUL_TERMINATED, NULL, NULL);
        own->sql = NULL;
    }
    return own->rows.get_next(&own->rows, out);
}

static const char *meddle_error(struct ArrowArrayStream *self) {
    (void)self;
    return NULL;
}

static void meddle_release(struct ArrowArrayStream *self) {
    meddler *own = self->private_data;
    own->rows.release(&own->rows);
    self->release = NULL;
}

typedef struct intruder {
    lakes *of;
    firn_status said;
} intruder;

// Another thread, as who pulls a statement over many rows is one, wants to change a table too.
static void intrude(void *user) {
    intruder *self = user;
    firn_session *session = self->of->scene.session;
    firn_error err = ERR_INIT;
    run *made = NULL;
    transaction *owner;
    self->said = run_open(session, &session->settings, &made, &err);
    if (self->said == FIRN_OK) {
        self->said = run_transaction_of(made, &self->of->lake.base, &owner, &err);
        (void)run_leave_transaction(made, FIRN_OK);
    }
    run_release(made);
}

static void let_intrude(void *user) {
    host_thread *thread;
    firn_error err = ERR_INIT;
    if (host_thread_start(intrude, user, &thread, &err) == FIRN_OK) {
        host_thread_join(thread);
    }
}

TEST(blocks_are_of_one_thread_until_its_statement_is_over) {
    lakes self;
    REQUIRE(open_lakes(&self));
    intruder other = {.of = &self, .said = FIRN_OK};
    run *first = NULL;
    transaction *owner;
    firn_session *session = self.scene.session;
    OK("BEGIN");
    REQUIRE(run_open(session, &session->settings, &first, &self.scene.err) == FIRN_OK);
    CHECK(run_transaction_of(first, &self.lake.base, &owner, &self.scene.err) == FIRN_OK);
    let_intrude(&other);
    CHECK(other.said == FIRN_INVALID);
    (void)run_leave_transaction(first, FIRN_OK);
    let_intrude(&other);
    CHECK(other.said == FIRN_OK);
    run_release(first);
    OK("ROLLBACK");
    close_lakes(&self);
}

TEST(statements_that_are_bound_twice_read_the_same) {
    char copy[512];
    lakes self;
    test_folder folder = test_folder_open("twice");
    REQUIRE(open_lakes(&self));
    OK("CREATE TABLE m AS SELECT x FROM lake.t");
    CHECK(self.lake.load_count == 1 && SUM("m") == 6);
    (void)snprintf(copy, sizeof copy, "COPY (SELECT x FROM lake.t) TO '%s/x.csv'", folder.path);
    OK(copy);
    CHECK(self.lake.load_count == 2);
    OK("DROP TABLE lake.u");
    CHECK(self.lake.load_count == 3 && stored_sum(&self.lake, "u") == -1);
    close_lakes(&self);
    test_folder_close(&folder);
}

TEST(blocks_do_not_end_while_a_statement_of_theirs_runs) {
    static const char *const ends[] = {"COMMIT", "ROLLBACK"};
    for (size_t i = 0; i < 2; i++) {
        lakes self;
        firn_session *other = NULL;
        REQUIRE(open_lakes(&self));
        CHECK(firn_session_open(self.scene.engine, &other, &self.scene.err) == FIRN_OK);
        meddler meddling = {.session = self.scene.session, .sql = ends[i], .said = FIRN_OK};
        CHECK(firn_query(other, "SELECT 50::BIGINT AS x", FIRN_NUL_TERMINATED, &meddling.rows,
                         &self.scene.err) == FIRN_OK);
        struct ArrowArrayStream stream = {.get_schema = meddle_schema,
                                          .get_next = meddle_next,
                                          .get_last_error = meddle_error,
                                          .release = meddle_release,
                                          .private_data = &meddling};
        CHECK(firn_register_stream(self.scene.session, "s", &stream, &self.scene.err) == FIRN_OK);
        OK("BEGIN; INSERT INTO lake.t SELECT x FROM s");
        CHECK(meddling.said == FIRN_INVALID);
        OK("COMMIT");
        CHECK(SUM("lake.t") == 56);
        firn_session_close(other);
        close_lakes(&self);
    }
}

TEST(inserts_into_catalogs_end_cleanly_whatever_allocation_fails) {
    static const char *const scripts[] = {
        "INSERT INTO lake.t SELECT x FROM lake.u",
        "BEGIN; INSERT INTO lake.t SELECT x FROM lake.u; INSERT INTO lake.u VALUES (1); COMMIT"};
    lakes self;
    uint64_t failed = 0;
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        uint64_t count = 1;
        for (uint64_t n = 0; n <= count; n++) {
            REQUIRE(open_lakes(&self));
            OK("SELECT 1");
            host_fault_set(HOST_ALLOC, n == 0 ? UINT64_MAX : n);
            const firn_status status = run_sql(&self, scripts[i]);
            count = n == 0 ? host_fault_count(HOST_ALLOC) : count;
            host_fault_set(HOST_ALLOC, 0);
            const bool is_done = stored_sum(&self.lake, "t") == 13;
            CHECK(is_done || stored_sum(&self.lake, "t") == 6);
            CHECK(stored_sum(&self.lake, "u") == (is_done && i == 1 ? 8 : 7));
            CHECK(status != FIRN_OK || is_done);
            // The block that failed can be left.
            if (self.scene.session->block != NULL) {
                OK("ROLLBACK");
            }
            CHECK(SUM("lake.t") == (is_done ? 13 : 6));
            failed += status != FIRN_OK ? 1 : 0;
            close_lakes(&self);
        }
    }
    CHECK(failed > 20);
}
