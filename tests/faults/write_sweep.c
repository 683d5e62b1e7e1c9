#include "write_sweep.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/host.h"

#include "base/test.h"
#include "engine/objects.h"
#include "fault_answer.h"
#include "fault_held.h"
#include "fault_server.h"
#include "fault_sqlite.h"
#include "fault_sweep.h"
#include "io/test_folder.h"
#include "memory/pool.h"

#define SQL_SIZE 4096
#define STATES_MAX 4
#define AGAIN_EVERY 4 // Of the attempts that failed, how many are followed by one that does not.

// What there is, as an engine of its own finds it.
typedef struct found {
    uint64_t rows;
    uint32_t files;
} found;

typedef struct lake {
    write_catalog catalog;
    const write_scenario *scenario;
    const char *mode; // Of rows that go.
    fault_server server;
    test_folder folder; // Of all that follows.
    char warehouse[300];
    char out[300];
    test_folder temporary;
    char attach[800];
    char mark[24];
    char side[24];
    char when[48];
} lake;

// One kind of calls that fail.
typedef struct sweep {
    lake *lake;
    host_call kind;
    const char *threads;
    found states[STATES_MAX]; // The old one, the new one, those that it may also end with.
    uint32_t state_count;
    uint32_t tried;
    uint32_t done;
    uint32_t unknown;
} sweep;

#define OLD 0
#define NEW 1

static const char *amount(void) {
    const char *wish = host_environment("FIRN_FAULTS");
    return wish == NULL ? "most" : wish;
}

// ---- Sessions ----------------------------------------------------------------------------------

typedef struct scene {
    firn_engine *engine;
    firn_session *session;
    uint64_t pool_bytes; // Taken when nothing had run.
} scene;

// Braces and what is in them become what they stand for.
static void expand(const lake *self, const char *sql, char out[SQL_SIZE]) {
    const struct {
        const char *word, *value;
    } words[] = {{"{mark}", self->mark}, {"{side}", self->side}, {"{when}", self->when},
                 {"{out}", self->out},   {"{mode}", self->mode}, {"{w}", self->warehouse}};
    size_t used = 0;
    while (*sql != '\0') {
        const char *value = NULL;
        for (size_t i = 0; i < sizeof words / sizeof *words && value == NULL; i++) {
            const size_t size = strlen(words[i].word);
            if (strncmp(sql, words[i].word, size) == 0) {
                value = words[i].value;
                sql += size;
            }
        }
        const int size = value != NULL ? snprintf(out + used, SQL_SIZE - used, "%s", value)
                                       : snprintf(out + used, SQL_SIZE - used, "%c", *sql++);
        used += (size_t)size;
        REQUIRE(used < SQL_SIZE);
    }
    out[used] = '\0';
}

static firn_status execute(const lake *self, const scene *in, const char *sql, firn_error *err) {
    char text[SQL_SIZE] = "";
    expand(self, sql, text);
    return firn_execute(in->session, text, FIRN_NUL_TERMINATED, NULL, err);
}

static bool works(const lake *self, const scene *in, const char *sql) {
    firn_error err = FIRN_ERROR_INIT;
    const bool is = execute(self, in, sql, &err) == FIRN_OK;
    if (!is) {
        printf("%s: %s: %s\n", self->scenario->name, sql, err.text);
    }
    CHECK(is);
    return is;
}

// With the catalog attached, in its schema "db" once that is there.
static bool open_scene(const lake *self, const char *threads, scene *out) {
    const firn_option options[] = {
        {"memory_limit", "64MB"}, {"threads", threads}, {"temp_directory", self->temporary.path}};
    firn_error err = FIRN_ERROR_INIT;
    *out = (scene){.engine = NULL};
    if (firn_engine_open(options, sizeof options / sizeof *options, &out->engine, &err) !=
            FIRN_OK ||
        firn_session_open(out->engine, &out->session, &err) != FIRN_OK) {
        printf("%s\n", err.text);
        return false;
    }
    out->pool_bytes = pool_used(out->engine->pool);
    return works(self, out, self->attach);
}

static bool close_scene(const lake *self, scene *in) {
    const bool is_detached = works(self, in, "USE memory; DETACH lake");
    firn_engine_trim(in->engine, 0);
    const uint64_t bytes = pool_used(in->engine->pool);
    const bool is_same = bytes == in->pool_bytes;
    if (!is_same) {
        printf("%llu bytes of the pool before, %llu afterwards\n",
               (unsigned long long)in->pool_bytes, (unsigned long long)bytes);
    }
    firn_session_close(in->session);
    firn_engine_close(in->engine);
    return is_detached && is_same;
}

// ---- Lakes -------------------------------------------------------------------------------------

static void empty(const char *folder) {
    firn_error err = FIRN_ERROR_INIT;
    CHECK(host_make_folder(folder, &err) == FIRN_OK && test_folder_empty(folder, &err) == FIRN_OK);
}

static bool lake_open(lake *self, write_catalog catalog) {
    *self = (lake){.catalog = catalog,
                   .folder = test_folder_open("write_sweep"),
                   .temporary = test_folder_open("write_sweep_temporary")};
    const char *folder = self->folder.path;
    (void)snprintf(self->warehouse, sizeof self->warehouse, "%s/w", folder);
    (void)snprintf(self->out, sizeof self->out, "%s/out", folder);
    char database[300];
    (void)snprintf(database, sizeof database, "%s/catalog.db", folder);
    (void)snprintf(self->attach, sizeof self->attach,
                   "ATTACH 'sqlite:%s' AS lake (CATALOG_NAME 'lake', WAREHOUSE '%s')", database,
                   self->warehouse);
    empty(self->warehouse);
    if (catalog == WRITE_FOLDERS) {
        (void)snprintf(self->attach, sizeof self->attach, "ATTACH '%s' AS lake (TYPE iceberg)",
                       self->warehouse);
    } else if (catalog == WRITE_REST) {
        scene made;
        const write_scenario none = {.name = "an empty catalog"};
        self->scenario = &none;
        if (!open_scene(self, "1", &made) || !works(self, &made, "CREATE SCHEMA lake.db") ||
            !close_scene(self, &made) ||
            !fault_server_open_catalog(&self->server, database, self->warehouse)) {
            return false;
        }
        (void)snprintf(self->attach, sizeof self->attach, "ATTACH '%s' AS lake (TYPE iceberg)",
                       self->server.base);
    }
    return true;
}

static void lake_close(lake *self) {
    if (self->catalog == WRITE_REST) {
        fault_server_close(&self->server);
    }
    test_folder_close(&self->folder);
    test_folder_close(&self->temporary);
}

// The ids of two snapshots: the branch "copy" is at "mark" and goes on to "side".
static void find_ids(lake *self, const scene *in) {
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    firn_error err = FIRN_ERROR_INIT;
    CHECK(firn_query(in->session, "CALL lake.system.fast_forward('db.t', 'copy', 'side')",
                     FIRN_NUL_TERMINATED, &rows, &err) == FIRN_OK);
    REQUIRE(err.status == FIRN_OK && rows.get_next(&rows, &batch) == 0 && batch.release != NULL);
    const int64_t *mark = batch.children[1]->buffers[1];
    const int64_t *side = batch.children[2]->buffers[1];
    (void)snprintf(self->mark, sizeof self->mark, "%lld", (long long)*mark);
    (void)snprintf(self->side, sizeof self->side, "%lld", (long long)*side);
    batch.release(&batch);
    rows.release(&rows);
}

// A time behind all that was committed so far, and before what will be.
static void note_time(lake *self) {
    const int64_t now_us = host_time_us();
    const time_t now = (time_t)(now_us / 1000000);
    const long ms = (long)(now_us / 1000 % 1000);
    struct tm parts;
    char day[24];
    CHECK(gmtime_r(&now, &parts) != NULL);
    CHECK(strftime(day, sizeof day, "%Y-%m-%d %H:%M:%S", &parts) > 0);
    (void)snprintf(self->when, sizeof self->when, "TIMESTAMPTZ '%s.%03ld+00'", day, ms);
    CHECK(usleep(2000) == 0);
}

static void put_orphan(const lake *self) {
    char path[600];
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    if (self->scenario->orphan == NULL) {
        return;
    }
    (void)snprintf(path, sizeof path, "%s/%s", self->warehouse, self->scenario->orphan);
    const int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    CHECK(file >= 0 && futimens(file, times) == 0 && close(file) == 0);
}

// All anew.
static void lake_reset(lake *self) {
    static const char first[] =
        "CREATE SCHEMA lake.db; CREATE SCHEMA lake.empty; USE lake.db;"
        "CREATE TABLE t (x BIGINT, p VARCHAR) PARTITIONED BY (p) WITH ('write.delete.mode' = "
        "'{mode}', 'write.update.mode' = '{mode}', 'write.merge.mode' = '{mode}', "
        "'commit.retry.min-wait-ms' = '1', 'commit.retry.max-wait-ms' = '2');"
        "INSERT INTO t SELECT x, 'p' || x % 3 FROM range(20) AS g(x);"
        "ALTER TABLE t CREATE TAG mark, CREATE BRANCH copy";
    static const char second[] =
        "USE lake.db; INSERT INTO t SELECT x, 'p' || x % 3 FROM range(20, 26) AS g(x);"
        "ALTER TABLE t CREATE BRANCH side; INSERT INTO t.branch_side VALUES (99, 'p1')";
    scene in;
    if (self->catalog == WRITE_REST) { // It keeps names in memory.
        REQUIRE(open_scene(self, "1", &in));
        CHECK(works(self, &in,
                    "DROP SCHEMA IF EXISTS lake.db CASCADE; "
                    "DROP SCHEMA IF EXISTS lake.empty CASCADE; "
                    "DROP SCHEMA IF EXISTS lake.more CASCADE"));
        CHECK(close_scene(self, &in));
    } else {
        empty(self->folder.path);
    }
    empty(self->warehouse);
    empty(self->out);
    REQUIRE(open_scene(self, "1", &in));
    CHECK(works(self, &in, first));
    note_time(self);
    CHECK(works(self, &in, second));
    find_ids(self, &in);
    put_orphan(self);
    CHECK(self->scenario->before == NULL || works(self, &in, self->scenario->before));
    CHECK(close_scene(self, &in));
}

// What an engine that knows nothing yet reads.
static found lake_find(const lake *self) {
    static const char *const queries[] = {
        "SHOW SCHEMAS FROM lake",
        "SHOW TABLES FROM lake.db",
        "SELECT * FROM lake.db.t ORDER BY x, p",
        "SELECT * FROM lake.db.u ORDER BY x, p",
        "SELECT * FROM lake.db.w ORDER BY x, p",
        "SELECT * FROM lake.db.t FOR VERSION AS OF 'side' ORDER BY x, p",
        "SELECT * FROM lake.db.t FOR VERSION AS OF 'mark' ORDER BY x, p",
        "SELECT * FROM lake.db.t FOR VERSION AS OF 'other' ORDER BY x, p",
        "SHOW CREATE TABLE lake.db.t",
        "SHOW CREATE TABLE lake.db.u",
        "SHOW CREATE VIEW lake.db.w",
        "SHOW CREATE TABLE lake.empty.a",
        "SELECT * FROM read_parquet('{out}/**/*.parquet') ORDER BY x, p",
    };
    found out = {.rows = 0, .files = fault_file_count(self->folder.path)};
    scene in;
    if (!open_scene(self, "1", &in)) {
        CHECK(false);
        return out;
    }
    CHECK(self->scenario->probe == NULL || works(self, &in, self->scenario->probe));
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        firn_error err = FIRN_ERROR_INIT;
        char sql[SQL_SIZE] = "";
        expand(self, queries[i], sql);
        if (fault_read_answer(in.session, sql, 0, &out.rows, &err) != FIRN_OK) {
            fault_mix(&out.rows, (uint64_t)err.status); // There is no such thing.
            if (err.status != FIRN_NOT_FOUND) {
                printf("%s: %s: %s\n", self->scenario->name, sql, err.text);
                CHECK(false);
            }
        }
    }
    CHECK(close_scene(self, &in));
    return out;
}

// ---- Sweeps ------------------------------------------------------------------------------------

static bool is_same(const found *a, const found *b) {
    return a->rows == b->rows && a->files == b->files;
}

// Whether there are as many files as there should be, but for what a commit need not have done.
static bool has_files(const sweep *self, firn_status status, uint32_t files, uint32_t wanted) {
    const bool is_numbered = self->lake->catalog == WRITE_FOLDERS && status == FIRN_OK;
    const uint32_t missing = is_numbered ? 1 : 0; // version-hint.text.
    // What could not be removed, or the name that metadata had before it got its number.
    const bool may_stay = self->kind == HOST_REMOVE || (is_numbered && self->kind == HOST_SYNC);
    return files + missing >= wanted && files <= wanted + (may_stay ? 1 : 0);
}

// Whether what is there now is what the attempt may have left.
static bool is_as_told(const sweep *self, firn_status status, const firn_error *err,
                       const found *now) {
    const char *may_stay = self->lake->scenario->may_stay;
    bool is = false;
    if (may_stay != NULL && (status == FIRN_OK ? self->lake->catalog == WRITE_FOLDERS
                                               : strstr(err->text, may_stay) != NULL)) {
        is = now->rows == self->states[NEW].rows && now->files >= self->states[NEW].files;
    }
    for (uint32_t i = 0; i < self->state_count && !is; i++) {
        const found *state = &self->states[i];
        const bool may_be = status == FIRN_COMMIT_UNKNOWN || (status == FIRN_OK) == (i == NEW);
        is = may_be && now->rows == state->rows &&
             (status == FIRN_COMMIT_UNKNOWN || has_files(self, status, now->files, state->files));
    }
    if (!is) {
        printf("%s, %u files, of %u before and %u afterwards\n",
               now->rows == self->states[NEW].rows   ? "it is done"
               : now->rows == self->states[OLD].rows ? "it is not done"
                                                     : "neither old nor new",
               now->files, self->states[OLD].files, self->states[NEW].files);
    }
    return is;
}

// The statement, while the n-th call fails; the number of calls.
static uint64_t try_fault(sweep *self, uint64_t n) {
    lake *lake = self->lake;
    const write_scenario *scenario = lake->scenario;
    const fault_held before = fault_held_count(lake->temporary.path);
    firn_error err = FIRN_ERROR_INIT;
    firn_error ignored = FIRN_ERROR_INIT;
    scene in;
    if (!open_scene(lake, self->threads, &in) || !works(lake, &in, "USE lake.db")) {
        CHECK(false);
        return 0;
    }
    host_fault_set(self->kind, n);
    const firn_status status = execute(lake, &in, scenario->sql, &err);
    const uint64_t calls = host_fault_count(self->kind);
    host_fault_set(self->kind, 0);
    (void)(execute(lake, &in, "ROLLBACK", &ignored) == FIRN_OK);
    const found now = lake_find(lake);
    bool is_good =
        status == FIRN_OK || status == FIRN_COMMIT_UNKNOWN || fault_is_clean(self->kind, &err);
    is_good = is_as_told(self, status, &err, &now) && is_good;
    bool is_old = is_same(&now, &self->states[OLD]) && scenario->probe == NULL;
    self->tried += 1;
    self->done += status == FIRN_OK;
    self->unknown += status == FIRN_COMMIT_UNKNOWN;
    if (is_old && self->tried % AGAIN_EVERY == 0) {
        is_good = works(lake, &in, scenario->sql) && is_good;
        const found again = lake_find(lake);
        if (again.rows != self->states[NEW].rows || again.files != self->states[NEW].files) {
            printf("another answer afterwards, %u files of %u\n", again.files,
                   self->states[NEW].files);
            is_good = false;
        }
        is_old = false;
    }
    is_good = works(lake, &in, "SELECT 1") && is_good;
    is_good = close_scene(lake, &in) && is_good;
    is_good = fault_held_as(&before, lake->temporary.path) && is_good;
    if (!is_good) {
        printf("    %s, %s: %s %llu of %llu fails: %s\n", scenario->name, lake->mode,
               fault_word(self->kind), (unsigned long long)n, (unsigned long long)calls,
               status == FIRN_OK ? "done" : err.text);
    }
    CHECK(is_good);
    if (!is_old) {
        lake_reset(lake);
    }
    return calls;
}

// What there is without faults.
static void learn(sweep *self) {
    const write_scenario *scenario = self->lake->scenario;
    const char *const wanted[STATES_MAX] = {NULL, scenario->sql, scenario->also[0],
                                            scenario->also[1]};
    self->state_count = 0;
    for (uint32_t i = 0; i < STATES_MAX && (i == OLD || wanted[i] != NULL); i++) {
        scene in;
        lake_reset(self->lake);
        REQUIRE(open_scene(self->lake, "1", &in) && works(self->lake, &in, "USE lake.db"));
        CHECK(wanted[i] == NULL || works(self->lake, &in, wanted[i]));
        CHECK(close_scene(self->lake, &in));
        self->states[i] = lake_find(self->lake);
        self->state_count += 1;
    }
    if (is_same(&self->states[OLD], &self->states[NEW])) {
        printf("%s does nothing\n", scenario->name);
        CHECK(false);
    }
    lake_reset(self->lake);
}

// The first calls and the last ones, where the commit is, one after the other, and between them
// every k-th.
static uint64_t next_fault(uint64_t n, uint64_t count) {
    if (strcmp(amount(), "all") == 0) {
        return n + 1;
    }
    const bool is_few = strcmp(amount(), "few") == 0;
    const uint64_t at_ends = is_few ? 1 : 4;
    const uint64_t step = count / (is_few ? 2 : 8) + 1;
    if (n < at_ends || n + at_ends >= count) {
        return n + 1;
    }
    return n + step + at_ends < count ? n + step : count - at_ends + 1;
}

// So that no scenario loses its subject unnoticed.
static unsigned commit_kinds(write_catalog catalog) {
    static const unsigned kinds[] = {
        [WRITE_SQLITE] = FAULT_KIND(ALLOC) | FAULT_KIND(OPEN) | FAULT_KIND(READ) |
                         FAULT_KIND(WRITE) | FAULT_KIND(SYNC),
        [WRITE_FOLDERS] =
            FAULT_KIND(ALLOC) | FAULT_KIND(OPEN) | FAULT_KIND(SYNC) | FAULT_KIND(RENAME),
        [WRITE_REST] = FAULT_KIND(ALLOC) | FAULT_KIND(REQUEST),
    };
    return kinds[catalog];
}

static void sweep_kind(lake *in, host_call kind, const char *threads, const sweep *learned) {
    sweep self = *learned;
    self.kind = kind;
    self.threads = threads;
    const uint64_t count = try_fault(&self, UINT64_MAX);
    const unsigned wanted = in->scenario->is_small ? 0 : commit_kinds(in->catalog);
    if (count == 0 && (wanted & 1U << kind) != 0) {
        printf("%s: no %s\n", in->scenario->name, fault_word(kind));
        CHECK(false);
    }
    for (uint64_t n = 1; n <= count; n = next_fault(n, count)) {
        (void)try_fault(&self, n);
    }
    if (count > 0) {
        printf("%s, %s: %llu times %s, %u failed, %u done, %u unknown\n", in->scenario->name,
               in->mode, (unsigned long long)count, fault_word(kind), self.tried - 1, self.done - 1,
               self.unknown);
    }
}

static void sweep_scenario(lake *in) {
    sweep learned = {.lake = in};
    learn(&learned);
    for (host_call kind = 0; kind < HOST_CALL_COUNT; kind++) {
        if (kind == HOST_THREAD) { // In this mode threads start at once, else with enough to do.
            CHECK(setenv("FIRN_TEST", "wait", 1) == 0);
            sweep_kind(in, kind, "3", &learned);
            CHECK(unsetenv("FIRN_TEST") == 0);
        } else {
            sweep_kind(in, kind, "1", &learned);
        }
    }
}

void write_sweep(write_catalog catalog, const write_scenario *scenarios) {
    lake self;
    const char *only = host_environment("FIRN_FAULTS_ONLY");
    REQUIRE(fault_sqlite_begin());
    printf("FIRN_FAULTS=%s\n", amount()); // Here the stream gets its memory.
    fault_held_fill_stack_cache();
    if (lake_open(&self, catalog)) {
        for (const write_scenario *each = scenarios; each->name != NULL; each++) {
            self.scenario = each;
            if ((each->not_in & 1U << catalog) != 0 ||
                (only != NULL && strstr(each->name, only) == NULL)) {
                continue;
            }
            self.mode = "copy-on-write";
            sweep_scenario(&self);
            if (each->has_modes) {
                self.mode = "merge-on-read";
                sweep_scenario(&self);
            }
        }
    } else {
        CHECK(false);
    }
    lake_close(&self);
}
