// COPY … TO as programs use it: what it answers, that files do not depend on the number of workers,
// that it keeps to the memory limit, and that nothing is left of one that fails or is stopped.
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "base/host.h"
#include "engine/scene_testing.h"
#include "io/test_folder.h"
#include "memory/pool.h"

#define SQL_SIZE 4096

static bool open_with(scene *self, const char *memory_limit, const char *threads) {
    const firn_option options[] = {{"memory_limit", memory_limit}, {"threads", threads}};
    return scene_open(self, options, 2);
}

// The first number of the first row; -1: a fault.
static int64_t number_of(scene *self, const char *sql) {
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    int64_t number = -1;
    if (firn_query(self->session, sql, FIRN_NUL_TERMINATED, &rows, &self->err) != FIRN_OK) {
        return -1;
    }
    if (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
        const int64_t *values = batch.children[0]->buffers[1];
        number = values[batch.offset + batch.children[0]->offset];
        batch.release(&batch);
    }
    rows.release(&rows);
    return number;
}

// Files below a folder, hidden ones too.
static int count_files(const char *path) {
    int count = 0;
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return 0;
    }
    for (const struct dirent *each = readdir(folder); each != NULL; each = readdir(folder)) {
        char below[1024];
        struct stat what;
        if (strcmp(each->d_name, ".") == 0 || strcmp(each->d_name, "..") == 0) {
            continue;
        }
        (void)snprintf(below, sizeof below, "%s/%s", path, each->d_name);
        if (stat(below, &what) == 0) {
            count += S_ISDIR(what.st_mode) ? count_files(below) : 1;
        }
    }
    (void)closedir(folder);
    return count;
}

static bool have_same_bytes(const char *left, const char *right) {
    FILE *first = fopen(left, "rb");
    FILE *second = fopen(right, "rb");
    bool is_same = first != NULL && second != NULL;
    uint64_t size = 0;
    for (size_t count = 1; is_same && count > 0; size += count) {
        char one[8192];
        char other[sizeof one];
        count = fread(one, 1, sizeof one, first);
        is_same = count == fread(other, 1, sizeof other, second) && memcmp(one, other, count) == 0;
    }
    if (first != NULL) {
        (void)fclose(first);
    }
    if (second != NULL) {
        (void)fclose(second);
    }
    return is_same && size > 0;
}

// ---- Answers -----------------------------------------------------------------------------------

TEST(copy_answers_how_many_rows_there_were) {
    scene self;
    test_folder folder = test_folder_open("copy");
    char sql[SQL_SIZE];
    int64_t changed = 0;
    REQUIRE(open_with(&self, "64MB", "2"));
    (void)snprintf(sql, sizeof sql,
                   "COPY (SELECT x FROM generate_series(1, 4321) AS g(x)) TO '%s/a.parquet'",
                   folder.path);
    CHECK(number_of(&self, sql) == 4321);
    (void)snprintf(sql, sizeof sql,
                   "COPY (FROM '%s/a.parquet' LIMIT 7) TO '%s/b.parquet'; COPY (FROM "
                   "'%s/a.parquet' LIMIT 5) TO '%s/c.parquet'",
                   folder.path, folder.path, folder.path, folder.path);
    CHECK(firn_execute(self.session, sql, FIRN_NUL_TERMINATED, &changed, &self.err) == FIRN_OK);
    CHECK(changed == 12);
    CHECK(count_files(folder.path) == 3);
    scene_close(&self);
    test_folder_close(&folder);
}

TEST(a_prepared_copy_has_parameters_and_runs_again) {
    scene self;
    test_folder folder = test_folder_open("copy");
    char sql[SQL_SIZE];
    firn_statement *statement = NULL;
    struct ArrowSchema columns = {0};
    struct ArrowSchema parameters = {0};
    struct ArrowArrayStream rows = {0};
    REQUIRE(open_with(&self, "64MB", "1"));
    (void)snprintf(sql, sizeof sql,
                   "COPY (SELECT x FROM generate_series(1, 10) AS g(x)) TO '%s/p.parquet' "
                   "(OVERWRITE)",
                   folder.path);
    REQUIRE(firn_prepare(self.session, sql, FIRN_NUL_TERMINATED, &statement, NULL, &self.err) ==
            FIRN_OK);
    CHECK(count_files(folder.path) == 0);
    REQUIRE(firn_statement_schema(statement, &columns, &self.err) == FIRN_OK);
    CHECK(columns.n_children == 1 && strcmp(columns.children[0]->name, "count") == 0);
    columns.release(&columns);
    for (int i = 0; i < 2; i++) {
        REQUIRE(firn_statement_run(statement, &rows, &self.err) == FIRN_OK);
        rows.release(&rows);
        CHECK(count_files(folder.path) == 1);
    }
    firn_statement_close(statement);
    (void)snprintf(sql, sizeof sql,
                   "COPY (SELECT x FROM generate_series(1, 10) AS g(x) WHERE x > $1) TO "
                   "'%s/q.parquet'",
                   folder.path);
    REQUIRE(firn_prepare(self.session, sql, FIRN_NUL_TERMINATED, &statement, NULL, &self.err) ==
            FIRN_OK);
    REQUIRE(firn_statement_parameters(statement, &parameters, &self.err) == FIRN_OK);
    CHECK(parameters.n_children == 1);
    parameters.release(&parameters);
    firn_statement_close(statement);
    scene_close(&self);
    test_folder_close(&folder);
}

// ---- Order and memory --------------------------------------------------------------------------

// Rows of many tasks of very different sizes, with filters that empty some.
#define MANY_TASKS                                                                                 \
    "SELECT x, 'text ' || x %% 1000 AS s, CASE WHEN x %% 3 = 0 THEN [x, 1] END AS l FROM "         \
    "read_parquet('%s/source.parquet') WHERE x %% 11 <> 4 AND x NOT BETWEEN 20000 AND 41000 "      \
    "UNION ALL SELECT x, '', NULL FROM generate_series(1, 300) AS g(x) "                           \
    "UNION ALL SELECT x, 'again', [] FROM read_parquet('%s/source.parquet') WHERE x %% 5 = 0"

static void check_same_bytes(const char *ending, const char *options) {
    static const char *const threads[] = {"1", "2", "4", "4"};
    test_folder folder = test_folder_open("copy");
    char sql[SQL_SIZE];
    char first[512];
    char other[512];
    for (int i = 0; i < 4; i++) {
        scene self;
        REQUIRE(open_with(&self, "256MB", threads[i]));
        if (i == 0) {
            (void)snprintf(sql, sizeof sql,
                           "COPY (SELECT x FROM generate_series(1, 200000) AS g(x)) TO "
                           "'%s/source.parquet' (ROW_GROUP_ROWS 3000)",
                           folder.path);
            CHECK(number_of(&self, sql) == 200000);
        }
        (void)snprintf(sql, sizeof sql, "COPY (" MANY_TASKS ") TO '%s/copy_%d.%s' (%s)",
                       folder.path, folder.path, folder.path, i, ending, options);
        CHECK(number_of(&self, sql) > 200000);
        (void)snprintf(first, sizeof first, "%s/copy_0.%s", folder.path, ending);
        (void)snprintf(other, sizeof other, "%s/copy_%d.%s", folder.path, i, ending);
        CHECK(have_same_bytes(first, other));
        scene_close(&self);
    }
    test_folder_close(&folder);
}

TEST(files_are_the_same_whatever_the_number_of_workers) {
    check_same_bytes("parquet", "ROW_GROUP_ROWS 17000");
    check_same_bytes("csv", "OVERWRITE false");
    check_same_bytes("json.gz", "COMPRESSION_LEVEL 1");
    check_same_bytes("ndjson.zst", "COMPRESSION_LEVEL 1");
}

static void check_wide_rows(const char *name) {
    static const char *const threads[] = {"1", "2"};
    for (int i = 0; i < 2; i++) {
        scene self;
        test_folder folder = test_folder_open("copy");
        arena memory = arena_open((size_t)1 << 20);
        text_builder sql = text_builder_open(&memory);
        text whole = {0};
        REQUIRE(open_with(&self, "32MB", threads[i]));
        text_append(&sql, TEXT("COPY (SELECT x"));
        for (int k = 0; k < 100; k++) {
            text_append_format(&sql, ", x * %d AS n%d", k + 2, k);
            if (k % 4 == 0) {
                text_append_format(&sql, ", 'text ' || x + %d AS s%d", k, k);
            }
        }
        text_append_format(&sql, " FROM generate_series(1, 20000) AS g(x)) TO '%s/%s'", folder.path,
                           name);
        REQUIRE(text_builder_finish(&sql, &whole, &self.err) == FIRN_OK);
        const int64_t count = number_of(&self, whole.data);
        if (count != 20000) {
            printf("%s\n", self.err.text);
        }
        CHECK(count == 20000);
        pool_report report;
        pool_describe(self.engine->pool, &report);
        CHECK(report.resident_peak <= (UINT64_C(32) << 20));
        arena_close(&memory);
        scene_close(&self);
        test_folder_close(&folder);
    }
}

TEST(wide_rows_are_written_within_the_memory_limit) {
    check_wide_rows("w.parquet");
    check_wide_rows("w.csv");
    check_wide_rows("w.json.zst");
    check_wide_rows("w.csv.gz");
    check_wide_rows("w.arrow");
}

// Long texts that rows have in common are there once, until they are written.
TEST(batches_of_much_text_are_written_within_the_memory_limit) {
    static const char *const threads[] = {"1", "2"};
    for (int i = 0; i < 2; i++) {
        scene self;
        test_folder folder = test_folder_open("copy");
        char sql[SQL_SIZE];
        REQUIRE(open_with(&self, "32MB", threads[i]));
        (void)snprintf(sql, sizeof sql,
                       "COPY (SELECT x, repeat('a text', 4000) AS s, repeat('other', 4000) AS t "
                       "FROM generate_series(1, 2500) AS g(x)) TO '%s/long.csv'",
                       folder.path);
        CHECK(number_of(&self, sql) == 2500);
        pool_report report;
        pool_describe(self.engine->pool, &report);
        CHECK(report.resident_peak <= (UINT64_C(32) << 20));
        scene_close(&self);
        test_folder_close(&folder);
    }
}

// ---- All or nothing ----------------------------------------------------------------------------

#define SOURCE                                                                                     \
    "SELECT x, x %% 3 AS k, repeat('t', 50) || x AS s FROM generate_series(1, 9000) AS g(x)"

// At most `most` of the calls fail, one after the other.
static void sweep(host_call kind, const char *threads, const char *options, uint64_t most) {
    scene self;
    char sql[SQL_SIZE];
    uint64_t count = 1;
    REQUIRE(open_with(&self, "32MB", threads));
    for (uint64_t n = 0; n <= count; n += n == 0 ? 1 : count / most + 1) {
        test_folder folder = test_folder_open("copy");
        (void)snprintf(sql, sizeof sql, "COPY (" SOURCE ") TO '%s/out' (FORMAT %s)", folder.path,
                       options);
        host_fault_set(kind, n == 0 ? UINT64_MAX : n);
        const int64_t rows = number_of(&self, sql);
        if (n == 0) {
            count = host_fault_count(kind);
        }
        host_fault_set(kind, 0);
        const int files = count_files(folder.path);
        CHECK(rows == 9000 || n > 0);
        // A file that could not be removed stays, under a name that nobody reads.
        CHECK(rows == 9000 ? files > 0 : files == 0 || kind == HOST_REMOVE);
        test_folder_close(&folder);
    }
    CHECK(count > 0);
    scene_close(&self);
}

TEST(nothing_is_left_of_a_copy_that_fails_anywhere) {
    static const host_call kinds[] = {HOST_ALLOC, HOST_MAP,    HOST_OPEN,
                                      HOST_WRITE, HOST_RENAME, HOST_SYNC};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        sweep(kinds[i], "1", "parquet", 60);
        sweep(kinds[i], "2", "parquet", 30);
        sweep(kinds[i], "1", "parquet, PARTITION_BY k, FILE_SIZE 100000", 40);
        sweep(kinds[i], "1", "csv", 30);
        sweep(kinds[i], "2", "json, COMPRESSION gzip", 30);
        sweep(kinds[i], "2", "csv, COMPRESSION zstd, PARTITION_BY k, FILE_SIZE 20000", 30);
        sweep(kinds[i], "1", "feather, FILE_SIZE 100000", 30);
        sweep(kinds[i], "2", "arrow, PARTITION_BY k", 20);
    }
}

typedef struct stopper {
    firn_session *session;
    const char *path;
} stopper;

static void stop_once_it_writes(void *user) {
    const stopper *self = user;
    for (int i = 0; i < 2000 && count_files(self->path) == 0; i++) {
        host_sleep_ms(1);
    }
    host_sleep_ms(20);
    firn_session_cancel(self->session);
}

static void check_stop(const char *name) {
    static const char *const threads[] = {"1", "2"};
    for (int i = 0; i < 2; i++) {
        scene self;
        test_folder folder = test_folder_open("copy");
        char sql[SQL_SIZE];
        host_thread *thread = NULL;
        REQUIRE(open_with(&self, "128MB", threads[i]));
        stopper how = {.session = self.session, .path = folder.path};
        REQUIRE(host_thread_start(stop_once_it_writes, &how, &thread, &self.err) == FIRN_OK);
        (void)snprintf(sql, sizeof sql,
                       "COPY (SELECT x, 'text ' || x AS s FROM generate_series(1, 2000000000) AS "
                       "g(x)) TO '%s/%s'",
                       folder.path, name);
        CHECK(scene_execute(&self, sql) == FIRN_CANCELLED);
        host_thread_join(thread);
        CHECK(count_files(folder.path) == 0);
        CHECK(scene_execute(&self, "SELECT 1") == FIRN_OK);
        scene_close(&self);
        test_folder_close(&folder);
    }
}

TEST(a_copy_that_is_stopped_leaves_no_file) {
    check_stop("a.parquet");
    check_stop("a.csv");
    check_stop("a.ndjson.gz");
    check_stop("a.arrow");
}
