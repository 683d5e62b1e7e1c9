// Changes of Iceberg tables that are refused, stopped or taken back: nothing is left of them.
#include <string.h>

#include "base/host.h"
#include "engine/scene_testing.h"
#include "io/test_folder.h"

typedef struct lake {
    scene scene;
    test_folder folder;
} lake;

static int64_t number_of(scene *self, const char *sql) {
    struct ArrowArrayStream rows = {0};
    int64_t sum = 0;
    if (firn_query(self->session, sql, FIRN_NUL_TERMINATED, &rows, &self->err) != FIRN_OK) {
        return -1;
    }
    for (;;) {
        struct ArrowArray batch = {0};
        if (rows.get_next(&rows, &batch) != 0) {
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
    rows.release(&rows);
    return sum;
}

static void must_run(lake *self, const char *sql) {
    const firn_status status = scene_execute(&self->scene, sql);
    if (status != FIRN_OK) {
        printf("%s: %s\n", sql, self->scene.err.text);
    }
    REQUIRE(status == FIRN_OK);
}

static void open_session_with(lake *self, const char *threads) {
    char sql[1024];
    const firn_option options[] = {{"memory_limit", "64MB"}, {"threads", threads}};
    REQUIRE(scene_open(&self->scene, options, 2));
    (void)snprintf(sql, sizeof sql,
                   "ATTACH 'sqlite:%s/c.db' AS lake (TYPE iceberg, WAREHOUSE '%s/data')",
                   self->folder.path, self->folder.path);
    must_run(self, sql);
}

static void open_session(lake *self) {
    open_session_with(self, "1");
}

// A table of 900 rows in six files, three partitions.
static void open_lake(lake *self, const char *mode) {
    char sql[1024];
    *self = (lake){.folder = test_folder_open("ice_changes")};
    open_session(self);
    must_run(self, "CREATE SCHEMA lake.db");
    (void)snprintf(sql, sizeof sql,
                   "CREATE TABLE lake.db.t (a BIGINT, p INTEGER, s VARCHAR) PARTITIONED BY (p) "
                   "WITH ('write.delete.mode' = '%s', 'write.update.mode' = '%s', "
                   "'write.merge.mode' = '%s')",
                   mode, mode, mode);
    must_run(self, sql);
    must_run(self, "INSERT INTO lake.db.t SELECT x, x % 3, 'text ' || x FROM range(600) AS g(x)");
    must_run(self, "INSERT INTO lake.db.t SELECT x, x % 3, 'x' FROM range(600, 900) AS g(x)");
}

static void close_lake(lake *self) {
    scene_close(&self->scene);
    test_folder_close(&self->folder);
}

typedef struct counting {
    char path[512];
    int count;
} counting;

static firn_status count_entry(void *user, const char *name, bool is_folder, firn_error *err) {
    counting *self = user;
    counting below = {.count = 0};
    if (!is_folder) {
        self->count++;
        return FIRN_OK;
    }
    (void)snprintf(below.path, sizeof below.path, "%.400s/%.100s", self->path, name);
    TRY(host_list(below.path, count_entry, &below, err));
    self->count += below.count;
    return FIRN_OK;
}

static int files_of(const lake *self) {
    counting all = {.count = 0};
    firn_error err = ERR_INIT;
    (void)snprintf(all.path, sizeof all.path, "%s/data", self->folder.path);
    CHECK(host_list(all.path, count_entry, &all, &err) == FIRN_OK);
    return all.count;
}

#define CHECKSUM                                                                                   \
    "SELECT CAST(coalesce(sum(a * 7 + p * 3 + length(s)), 0) + count(*) * 10000000 AS BIGINT) "    \
    "FROM lake.db.t"

// A row that the statement would change twice is found before anything is written for good.
TEST(iceberg_rows_that_would_be_changed_twice_leave_the_table_as_it_was) {
    lake self;
    open_lake(&self, "merge-on-read");
    const int64_t before = number_of(&self.scene, CHECKSUM);
    const int files = files_of(&self);
    CHECK(scene_execute(&self.scene,
                        "UPDATE lake.db.t SET p = k FROM (SELECT x AS k, 5 AS i FROM range(2) AS "
                        "g(x)) AS q WHERE a = i") == FIRN_INVALID);
    CHECK(strcmp(self.scene.err.sqlstate, "21000") == 0);
    CHECK(number_of(&self.scene, CHECKSUM) == before && files_of(&self) == files);
    close_lake(&self);
}

// Of a statement that fails, other workers may be beginning files, which ask the change where: it
// is closed behind them.
TEST(a_failed_change_outlives_its_workers) {
    static const char *const starts[] = {"INSERT INTO lake.db.t ",
                                         "CREATE TABLE lake.db.made TBLPROPERTIES "
                                         "('write.target-file-size-bytes' = '100') AS "};
    lake self = {.folder = test_folder_open("ice_changes")};
    open_session_with(&self, "4");
    must_run(&self, "CREATE SCHEMA lake.db");
    must_run(&self, "CREATE TABLE lake.db.t (a BIGINT, b BIGINT) TBLPROPERTIES "
                    "('write.target-file-size-bytes' = '100')");
    const int files = files_of(&self);
    for (int64_t i = 0; i < 24; i++) {
        char sql[512];
        const bool is_block = i % 4 > 1;
        must_run(&self, is_block ? "BEGIN" : "SELECT 1");
        (void)snprintf(sql, sizeof sql,
                       "%s SELECT x AS a, CAST(CASE WHEN x = %lld THEN 'x' ELSE '1' END AS BIGINT) "
                       "AS b FROM range(100000) AS g(x)",
                       starts[i % 2], (long long)(99000 - i * 1000));
        CHECK(scene_execute(&self.scene, sql) == FIRN_INVALID);
        CHECK(strcmp(self.scene.err.sqlstate, "22P02") == 0);
        if (is_block) {
            must_run(&self, "ROLLBACK");
        }
    }
    CHECK(number_of(&self.scene, "SELECT count(*) FROM lake.db.t") == 0);
    CHECK(files_of(&self) == files);
    close_lake(&self);
}

// Stops the session once so many files are there.
typedef struct stopping {
    lake *of;
    int files;
} stopping;

static void stop_it(void *user) {
    const stopping *self = user;
    while (files_of(self->of) < self->files) {
        host_sleep_ms(1);
    }
    firn_session_cancel(self->of->scene.session);
}

// The same of one that is stopped while its workers write: nothing is seen of it, nothing is left.
TEST(a_stopped_change_outlives_its_workers) {
    static const char *const starts[] = {
        "INSERT INTO lake.db.t", "INSERT OVERWRITE lake.db.t",
        "CREATE TABLE lake.db.made TBLPROPERTIES ('write.target-file-size-bytes' = '100') AS"};
    lake self = {.folder = test_folder_open("ice_changes")};
    open_session_with(&self, "4");
    must_run(&self, "CREATE SCHEMA lake.db");
    must_run(&self, "CREATE TABLE lake.db.t (a BIGINT, b BIGINT) TBLPROPERTIES "
                    "('write.target-file-size-bytes' = '100')");
    must_run(&self, "INSERT INTO lake.db.t VALUES (1, 1)");
    const int files = files_of(&self);
    for (int i = 0; i < 12; i++) {
        char sql[512];
        host_thread *thread;
        stopping stop = {.of = &self, .files = files + 1 + i * 2};
        const bool is_block = i % 4 > 1;
        must_run(&self, is_block ? "BEGIN" : "SELECT 1");
        (void)snprintf(sql, sizeof sql,
                       "%s SELECT x AS a, x + 1 AS b FROM range(100000000000) AS g(x)",
                       starts[i % 3]);
        REQUIRE(host_thread_start(stop_it, &stop, &thread, &self.scene.err) == FIRN_OK);
        CHECK(scene_execute(&self.scene, sql) == FIRN_CANCELLED);
        host_thread_join(thread);
        if (is_block) {
            must_run(&self, "ROLLBACK");
        }
        CHECK(files_of(&self) == files);
    }
    CHECK(number_of(&self.scene, "SELECT count(*) FROM lake.db.t") == 1);
    CHECK(scene_execute(&self.scene, "SELECT 1 FROM lake.db.made") == FIRN_NOT_FOUND);
    close_lake(&self);
}

TEST(a_change_that_was_taken_back_leaves_a_transaction_free_for_another_catalog) {
    char sql[1024];
    lake self = {.folder = test_folder_open("ice_changes")};
    open_session(&self);
    (void)snprintf(sql, sizeof sql,
                   "ATTACH 'sqlite:%s/p.db' AS pond (TYPE iceberg, WAREHOUSE '%s/pond')",
                   self.folder.path, self.folder.path);
    must_run(&self, sql);
    must_run(&self, "CREATE SCHEMA lake.db; CREATE SCHEMA pond.db; "
                    "CREATE TABLE pond.db.t (x INTEGER)");
    must_run(&self, "BEGIN; EXPLAIN CREATE TABLE lake.db.made AS SELECT 1 AS x; "
                    "INSERT INTO pond.db.t VALUES (5); COMMIT");
    CHECK(number_of(&self.scene, "SELECT CAST(x AS BIGINT) FROM pond.db.t") == 5);
    close_lake(&self);
}
