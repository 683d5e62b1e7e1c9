#include <sqlite3.h>
#include <stdio.h>

#include "base/host.h"
#include "base/test.h"
#include "catalogs/sqlite_client.h"
#include "catalogs/sqlite_faults.h"
#include "io/test_folder.h"
#include "memory/text_builder.h"

static firn_error err = FIRN_ERROR_INIT;

static bool says(const char *words) {
    if (strstr(err.text, words) != NULL || strstr(err.hint, words) != NULL) {
        return true;
    }
    (void)fprintf(stderr, "not in: %s (%s)\n", err.text, err.hint);
    return false;
}

#define SCHEMA_V0                                                                                  \
    "CREATE TABLE iceberg_tables (catalog_name VARCHAR(255) NOT NULL, table_namespace "            \
    "VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL, metadata_location VARCHAR(1000), "   \
    "previous_metadata_location VARCHAR(1000), PRIMARY KEY (catalog_name, table_namespace, "       \
    "table_name));"
#define ROWS                                                                                       \
    "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location) "   \
    "VALUES ('alias', 'db', 't', 'm1'), ('alias', 'db', 'u', 'n1');"

typedef struct setting {
    test_folder folder;
    char path[512];
    sqlite_client *client;
    arena memory;
} setting;

static sqlite_client *connect(const setting *s, uint32_t busy_timeout_ms) {
    sqlite_client *client = NULL;
    const sqlite_options options = {
        .path = text_of(s->path), .alias = TEXT("alias"), .busy_timeout_ms = busy_timeout_ms};
    CHECK(sqlite_client_open(&options, &client, &err) == FIRN_OK);
    return client;
}

static void run_sql(const setting *s, const char *sql) {
    sqlite3 *database;
    CHECK(sqlite3_open(s->path, &database) == SQLITE_OK);
    CHECK(sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK);
    CHECK(sqlite3_close(database) == SQLITE_OK);
}

// What a query of one column and row answers, by a connection of its own.
static const char *ask(const setting *s, const char *sql) {
    static char out[256];
    sqlite3 *database;
    sqlite3_stmt *statement;
    (void)snprintf(out, sizeof out, "nothing");
    CHECK(sqlite3_open(s->path, &database) == SQLITE_OK);
    CHECK(sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK);
    if (sqlite3_step(statement) == SQLITE_ROW) {
        const char *value = (const char *)sqlite3_column_text(statement, 0);
        (void)snprintf(out, sizeof out, "%s", value == NULL ? "NULL" : value);
    }
    CHECK(sqlite3_finalize(statement) == SQLITE_OK);
    CHECK(sqlite3_close(database) == SQLITE_OK);
    return out;
}

static setting set_up_file(const char *sql) {
    setting s = {.folder = test_folder_open("sqlite_write"), .memory = arena_open((size_t)1 << 20)};
    (void)snprintf(s.path, sizeof s.path, "%s/catalog.db", s.folder.path);
    if (sql != NULL) {
        run_sql(&s, sql);
    }
    return s;
}

static setting set_up(const char *sql) {
    setting s = set_up_file(sql);
    s.client = connect(&s, 0);
    return s;
}

static void tear_down(setting *s) {
    sqlite_client_close(s->client);
    arena_close(&s->memory);
    test_folder_close(&s->folder);
}

static text db_level[] = {{.data = "db", .size = 2}};
static const namespace_path db = {.count = 1, .items = db_level};
static text ab_levels[] = {{.data = "a", .size = 1}, {.data = "b", .size = 1}};
static const namespace_path ab = {.count = 2, .items = ab_levels};

static object_name named(namespace_path space, const char *name) {
    return (object_name){.space = space, .name = text_of(name)};
}

static commit_part part_of(uint32_t kind, const char *name, const char *from, const char *to) {
    commit_part part = {.name = named(db, name), .form = COMMIT_POINTER};
    part.kind = kind;
    part.pointer.old_location = text_of(from);
    part.pointer.new_location = text_of(to);
    return part;
}

static firn_status commit_one(sqlite_client *client, commit_part part, commit_answer *out) {
    return sqlite_client_commit(client, &(commit_parts){.count = 1, .items = &part}, UINT32_MAX,
                                out, &err);
}

TEST(sqlite_client_makes_a_new_catalog_file) {
    setting s = set_up(NULL);
    CHECK(strcmp(ask(&s, "SELECT group_concat(name) FROM sqlite_master WHERE type = 'table'"),
                 "iceberg_tables,iceberg_namespace_properties") == 0);
    CHECK(strcmp(ask(&s, "SELECT group_concat(name) FROM pragma_table_info('iceberg_tables')"),
                 "catalog_name,table_namespace,table_name,metadata_location,"
                 "previous_metadata_location,iceberg_type") == 0);
    CHECK(text_equal(sqlite_client_name(s.client), TEXT("alias")));
    sqlite_client_close(s.client);
    s.client = connect(&s, 0); // And again, as it is now.
    tear_down(&s);
}

TEST(sqlite_client_makes_tables_where_its_maker_died) {
    setting s = set_up_file(NULL);
    test_folder_write(&s.folder, "catalog.db", "");
    s.client = connect(&s, 0);
    CHECK(strcmp(ask(&s, "SELECT count(*) FROM iceberg_tables"), "0") == 0);
    tear_down(&s);
}

TEST(sqlite_client_makes_no_file_where_none_is_wanted) {
    setting s = set_up_file(NULL);
    sqlite_options options = {
        .path = text_of(s.path), .alias = TEXT("alias"), .is_read_only = true};
    CHECK(sqlite_client_open(&options, &s.client, &err) == FIRN_NOT_FOUND);
    options.is_read_only = false;
    char below[600];
    (void)snprintf(below, sizeof below, "%s/none/catalog.db", s.folder.path);
    options.path = text_of(below);
    CHECK(sqlite_client_open(&options, &s.client, &err) == FIRN_NOT_FOUND);
    CHECK(says("a new catalog file is made in a folder that exists"));
    // A database of somebody else's gets no tables.
    run_sql(&s, "CREATE TABLE mine (x INTEGER)");
    options.path = text_of(s.path);
    CHECK(sqlite_client_open(&options, &s.client, &err) == FIRN_CORRUPT);
    CHECK(strcmp(ask(&s, "SELECT count(*) FROM sqlite_master"), "1") == 0);
    tear_down(&s);
}

TEST(sqlite_client_changes_namespaces) {
    setting s = set_up(NULL);
    const firn_option set[] = {{"owner", "me"}, {"location", "/x"}};
    const namespace_change made = {.is_new = true, .properties = {.set_count = 2, .set = set}};
    CHECK(sqlite_client_change_namespace(s.client, db, &made, &err) == FIRN_OK);
    CHECK(sqlite_client_change_namespace(s.client, db, &made, &err) == FIRN_CONFLICT);
    CHECK(strcmp(err.sqlstate, "42P06") == 0);
    const firn_option other[] = {{"owner", "you"}};
    const char *const removed[] = {"location", "none"};
    const namespace_change changed = {
        .properties = {.set_count = 1, .set = other, .removed_count = 2, .removed = removed}};
    CHECK(sqlite_client_change_namespace(s.client, db, &changed, &err) == FIRN_OK);
    CHECK(strcmp(ask(&s, "SELECT group_concat(property_key || '=' || property_value) FROM (SELECT "
                         "* FROM iceberg_namespace_properties ORDER BY property_key)"),
                 "exists=true,owner=you") == 0);
    const char *const own[] = {"exists"};
    CHECK(sqlite_client_change_namespace(
              s.client, db, &(namespace_change){.properties = {.removed_count = 1, .removed = own}},
              &err) == FIRN_INVALID);
    CHECK(sqlite_client_change_namespace(s.client, ab, &changed, &err) == FIRN_NOT_FOUND);
    CHECK(strcmp(err.sqlstate, "3F000") == 0);
    CHECK(sqlite_client_change_namespace(s.client, (namespace_path){0}, &made, &err) ==
          FIRN_INVALID);
    tear_down(&s);
}

TEST(sqlite_client_drops_namespaces_that_are_empty) {
    setting s = set_up(NULL);
    text levels[] = {TEXT("a")};
    const namespace_path a = {.count = 1, .items = levels};
    const namespace_change made = {.is_new = true};
    CHECK(sqlite_client_change_namespace(s.client, a, &made, &err) == FIRN_OK);
    CHECK(sqlite_client_change_namespace(s.client, ab, &made, &err) == FIRN_OK);
    CHECK(sqlite_client_drop_namespace(s.client, a, &err) == FIRN_INVALID);
    CHECK(strcmp(err.sqlstate, "2BP01") == 0 && says("is not empty"));
    commit_answer answer;
    commit_part part = part_of(PART_CREATE, "t", "", "m1");
    part.name.space = ab;
    CHECK(commit_one(s.client, part, &answer) == FIRN_OK && answer == COMMIT_DONE);
    CHECK(sqlite_client_drop_namespace(s.client, ab, &err) == FIRN_INVALID);
    CHECK(sqlite_client_drop(s.client, named(ab, "t"), false, &err) == FIRN_OK);
    CHECK(sqlite_client_drop_namespace(s.client, ab, &err) == FIRN_OK);
    CHECK(sqlite_client_drop_namespace(s.client, a, &err) == FIRN_OK);
    CHECK(sqlite_client_drop_namespace(s.client, a, &err) == FIRN_NOT_FOUND);
    CHECK(strcmp(err.sqlstate, "3F000") == 0);
    CHECK(strcmp(ask(&s, "SELECT count(*) FROM iceberg_namespace_properties"), "0") == 0);
    tear_down(&s);
}

// One table through its life, in both layouts of the file.
TEST(sqlite_client_commits_what_is_as_it_was_seen) {
    for (int v1 = 0; v1 < 2; v1++) {
        setting s = set_up(v1 ? NULL : SCHEMA_V0);
        commit_answer answer;
        CHECK(commit_one(s.client, part_of(PART_CREATE, "t", "", "m1"), &answer) ==
              FIRN_NOT_FOUND); // The namespace.
        CHECK(says("no namespace \"db\""));
        CHECK(sqlite_client_change_namespace(s.client, db, &(namespace_change){.is_new = true},
                                             &err) == FIRN_OK);
        const struct {
            commit_part part;
            commit_answer answer;
            const char *location;
            const char *previous;
        } steps[] = {
            {part_of(PART_CHANGE, "t", "m0", "m1"), COMMIT_CONFLICT, "nothing", "nothing"},
            {part_of(PART_CREATE, "t", "", "m1"), COMMIT_DONE, "m1", "NULL"},
            {part_of(PART_CREATE, "t", "", "m9"), COMMIT_CONFLICT, "m1", "NULL"},
            {part_of(PART_CHANGE, "t", "m1", "m2"), COMMIT_DONE, "m2", "m1"},
            {part_of(PART_CHANGE, "t", "m1", "m3"), COMMIT_CONFLICT, "m2", "m1"},
            {part_of(PART_REPLACE, "t", "m2", "m4"), COMMIT_DONE, "m4", "m2"},
            {part_of(PART_DROP, "t", "m2", ""), COMMIT_CONFLICT, "m4", "m2"},
            {part_of(PART_DROP, "t", "m4", ""), COMMIT_DONE, "nothing", "nothing"},
            {part_of(PART_DROP, "t", "m4", ""), COMMIT_CONFLICT, "nothing", "nothing"},
        };
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
            CHECK(commit_one(s.client, steps[i].part, &answer) == FIRN_OK);
            CHECK(answer == steps[i].answer);
            CHECK(strcmp(ask(&s, "SELECT metadata_location FROM iceberg_tables"),
                         steps[i].location) == 0);
            CHECK(strcmp(ask(&s, "SELECT previous_metadata_location FROM iceberg_tables"),
                         steps[i].previous) == 0);
            CHECK(i != 1 || !v1 ||
                  strcmp(ask(&s, "SELECT iceberg_type FROM iceberg_tables"), "TABLE") == 0);
        }
        tear_down(&s);
    }
}

TEST(sqlite_client_commits_all_tables_or_none) {
    setting s = set_up(SCHEMA_V0 ROWS);
    commit_answer answer;
    commit_part parts[] = {part_of(PART_CHANGE, "t", "m1", "m2"),
                           part_of(PART_CREATE, "v", "", "v1"),
                           part_of(PART_CHANGE, "u", "stale", "n2")};
    const commit_parts all = {.count = 3, .items = parts};
#define STATE "SELECT group_concat(metadata_location) FROM iceberg_tables"
    CHECK(sqlite_client_commit(s.client, &all, UINT32_MAX, &answer, &err) == FIRN_OK);
    CHECK(answer == COMMIT_CONFLICT && strcmp(ask(&s, STATE), "m1,n1") == 0);
    parts[2].pointer.old_location = TEXT("n1");
    CHECK(sqlite_client_commit(s.client, &all, UINT32_MAX, &answer, &err) == FIRN_OK);
    CHECK(answer == COMMIT_DONE && strcmp(ask(&s, STATE), "m2,n2,v1") == 0);
    const commit_parts none = {.count = 0};
    CHECK(sqlite_client_commit(s.client, &none, UINT32_MAX, &answer, &err) == FIRN_OK);
    CHECK(answer == COMMIT_DONE);
    tear_down(&s);
}

TEST(sqlite_client_leaves_views_alone) {
    setting s = set_up(NULL);
    run_sql(&s, "INSERT INTO iceberg_tables VALUES ('alias', 'db', 't', 'm1', NULL, 'VIEW')");
    commit_answer answer;
    CHECK(commit_one(s.client, part_of(PART_CHANGE, "t", "m1", "m2"), &answer) == FIRN_OK);
    CHECK(answer == COMMIT_CONFLICT);
    CHECK(commit_one(s.client, part_of(PART_DROP, "t", "m1", ""), &answer) == FIRN_OK);
    CHECK(answer == COMMIT_CONFLICT);
    CHECK(commit_one(s.client, part_of(PART_CREATE, "t", "", "m2"), &answer) == FIRN_OK);
    CHECK(answer == COMMIT_CONFLICT);
    CHECK(sqlite_client_drop(s.client, named(db, "t"), false, &err) == FIRN_NOT_FOUND);
    CHECK(strcmp(err.sqlstate, "42P01") == 0);
    CHECK(sqlite_client_rename(s.client, named(db, "t"), named(db, "w"), false, &err) ==
          FIRN_NOT_FOUND);
    CHECK(sqlite_client_rename(s.client, named(db, "t"), named(db, "w"), true, &err) == FIRN_OK);
    CHECK(sqlite_client_drop(s.client, named(db, "w"), true, &err) == FIRN_OK);
    tear_down(&s);
}

TEST(sqlite_client_names_views) {
    setting s = set_up(NULL);
    const object_name v = named(db, "v");
    const text none = {.size = 0};
    CHECK(sqlite_client_put_view(s.client, v, none, TEXT("v1"), &err) == FIRN_NOT_FOUND);
    CHECK(says("no namespace \"db\""));
    CHECK(sqlite_client_change_namespace(s.client, db, &(namespace_change){.is_new = true}, &err) ==
          FIRN_OK);
    CHECK(sqlite_client_put_view(s.client, v, none, TEXT("v1"), &err) == FIRN_OK);
    CHECK(sqlite_client_put_view(s.client, v, none, TEXT("v2"), &err) == FIRN_CONFLICT);
    CHECK(strcmp(err.sqlstate, "42P07") == 0);
    CHECK(sqlite_client_put_view(s.client, v, TEXT("v1"), TEXT("v2"), &err) == FIRN_OK);
    CHECK(sqlite_client_put_view(s.client, v, TEXT("v1"), TEXT("v3"), &err) == FIRN_CONFLICT);
    CHECK(strcmp(err.sqlstate, "40001") == 0 && says("was changed or dropped meanwhile"));
    CHECK(strcmp(ask(&s, "SELECT metadata_location || previous_metadata_location || iceberg_type "
                         "FROM iceberg_tables"),
                 "v2v1VIEW") == 0);
    // No table becomes a view.
    commit_answer answer;
    CHECK(commit_one(s.client, part_of(PART_CREATE, "t", "", "m1"), &answer) == FIRN_OK);
    CHECK(sqlite_client_put_view(s.client, named(db, "t"), TEXT("m1"), TEXT("v3"), &err) ==
          FIRN_CONFLICT);
    tear_down(&s);
}

TEST(sqlite_client_names_no_views_in_schema_v0) {
    setting s = set_up(SCHEMA_V0 ROWS);
    CHECK(sqlite_client_put_view(s.client, named(db, "v"), (text){.size = 0}, TEXT("v1"), &err) ==
          FIRN_UNSUPPORTED);
    CHECK(says("schema is V0"));
    tear_down(&s);
}

TEST(sqlite_client_renames) {
    setting s = set_up(SCHEMA_V0 ROWS);
    CHECK(sqlite_client_rename(s.client, named(db, "t"), named(db, "u"), false, &err) ==
          FIRN_CONFLICT);
    CHECK(strcmp(err.sqlstate, "42P07") == 0);
    CHECK(sqlite_client_rename(s.client, named(db, "t"), named(ab, "t"), false, &err) ==
          FIRN_NOT_FOUND);
    CHECK(says("no namespace \"a.b\""));
    CHECK(sqlite_client_change_namespace(s.client, ab, &(namespace_change){.is_new = true}, &err) ==
          FIRN_OK);
    CHECK(sqlite_client_rename(s.client, named(db, "t"), named(ab, "x"), false, &err) == FIRN_OK);
    CHECK(strcmp(ask(&s, "SELECT table_namespace || '.' || table_name FROM iceberg_tables WHERE "
                         "metadata_location = 'm1'"),
                 "a.b.x") == 0);
    CHECK(sqlite_client_rename(s.client, named(db, "none"), named(ab, "y"), false, &err) ==
          FIRN_NOT_FOUND);
    CHECK(sqlite_client_rename(s.client, named(db, "u"), named(ab, "y"), true, &err) ==
          FIRN_NOT_FOUND); // Views there are none of in this layout.
    tear_down(&s);
}

TEST(sqlite_client_runs_no_trigger) {
    setting s = set_up(SCHEMA_V0 ROWS "CREATE TRIGGER spin AFTER UPDATE ON iceberg_tables BEGIN "
                                      "DELETE FROM iceberg_tables; END;");
    commit_answer answer;
    CHECK(commit_one(s.client, part_of(PART_CHANGE, "t", "m1", "m2"), &answer) == FIRN_OK);
    CHECK(answer == COMMIT_DONE && strcmp(ask(&s, STATE), "m2,n1") == 0);
    tear_down(&s);
}

// ---- Others ------------------------------------------------------------------------------------

TEST(sqlite_client_writes_nothing_while_others_hold_the_file) {
    static const char *const locks[] = {"BEGIN IMMEDIATE", "BEGIN; SELECT * FROM iceberg_tables"};
    for (size_t i = 0; i < 2; i++) {
        setting s = set_up_file(SCHEMA_V0 ROWS);
        s.client = connect(&s, 30);
        sqlite3 *other;
        sqlite3_stmt *statement = NULL;
        REQUIRE(sqlite3_open(s.path, &other) == SQLITE_OK);
        CHECK(sqlite3_exec(other, i == 0 ? locks[0] : "BEGIN", NULL, NULL, NULL) == SQLITE_OK);
        if (i == 1) { // A reader in the middle of a table: the COMMIT itself waits for it.
            CHECK(sqlite3_prepare_v2(other, "SELECT * FROM iceberg_tables", -1, &statement, NULL) ==
                  SQLITE_OK);
            CHECK(sqlite3_step(statement) == SQLITE_ROW);
        }
        commit_answer answer;
        CHECK(commit_one(s.client, part_of(PART_CHANGE, "t", "m1", "m2"), &answer) == FIRN_IO);
        CHECK(says("another program holds a lock") && err.retryable);
        (void)sqlite3_finalize(statement);
        CHECK(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
        CHECK(strcmp(ask(&s, STATE), "m1,n1") == 0);
        CHECK(commit_one(s.client, part_of(PART_CHANGE, "t", "m1", "m2"), &answer) == FIRN_OK);
        CHECK(answer == COMMIT_DONE && strcmp(ask(&s, STATE), "m2,n1") == 0);
        CHECK(sqlite3_close(other) == SQLITE_OK);
        tear_down(&s);
    }
}

#define RACER_COUNT 4
#define RACER_COMMITS 25

typedef struct racer {
    const setting *s;
    int number;
    int conflicts;
    char bases[RACER_COMMITS][64]; // What each commit that was done was put on top of.
} racer;

// Commits on top of what it sees until it was first often enough.
static void race(void *user) {
    racer *self = user;
    sqlite_client *client = connect(self->s, 0);
    int done = 0;
    while (done < RACER_COMMITS) {
        arena memory = arena_open((size_t)1 << 20);
        loaded_table now;
        firn_error said = ERR_INIT;
        commit_answer answer = COMMIT_UNKNOWN;
        CHECK(sqlite_client_load(client, db, TEXT("t"), &memory, &now, NULL, &said) == FIRN_OK);
        host_yield();
        char to[64];
        (void)snprintf(to, sizeof to, "%d.%d", self->number, done);
        commit_part part = part_of(PART_CHANGE, "t", "", to);
        part.pointer.old_location = now.metadata_location;
        CHECK(sqlite_client_commit(client, &(commit_parts){.count = 1, .items = &part}, UINT32_MAX,
                                   &answer, &said) == FIRN_OK);
        CHECK(answer != COMMIT_UNKNOWN);
        if (answer == COMMIT_DONE) {
            (void)snprintf(self->bases[done], sizeof self->bases[done], "%.*s",
                           TEXT_ARGS(now.metadata_location));
        }
        done += answer == COMMIT_DONE ? 1 : 0;
        self->conflicts += answer == COMMIT_CONFLICT ? 1 : 0;
        arena_close(&memory);
    }
    sqlite_client_close(client);
}

// How many commits were done on top of a state.
static int count_on(const racer *racers, const char *base) {
    int count = 0;
    for (int i = 0; i < RACER_COUNT; i++) {
        for (int j = 0; j < RACER_COMMITS; j++) {
            count += strcmp(racers[i].bases[j], base) == 0 ? 1 : 0;
        }
    }
    return count;
}

TEST(sqlite_client_loses_no_commit_among_several) {
    setting s = set_up(SCHEMA_V0 ROWS);
    static racer racers[RACER_COUNT];
    host_thread *threads[RACER_COUNT];
    for (int i = 0; i < RACER_COUNT; i++) {
        racers[i] = (racer){.s = &s, .number = i};
        REQUIRE(host_thread_start(race, &racers[i], &threads[i], &err) == FIRN_OK);
    }
    int conflicts = 0;
    for (int i = 0; i < RACER_COUNT; i++) {
        host_thread_join(threads[i]);
        conflicts += racers[i].conflicts;
    }
    CHECK(conflicts > 0);
    // A chain: each state but the last one was replaced once. Twice, and a commit is lost.
    const char *last = ask(&s, "SELECT metadata_location FROM iceberg_tables WHERE table_name='t'");
    CHECK(count_on(racers, "m1") == 1);
    for (int i = 0; i < RACER_COUNT; i++) {
        for (int j = 0; j < RACER_COMMITS; j++) {
            char made[64];
            (void)snprintf(made, sizeof made, "%d.%d", i, j);
            CHECK(count_on(racers, made) == (strcmp(made, last) == 0 ? 0 : 1));
        }
    }
    tear_down(&s);
}

// ---- Faults ------------------------------------------------------------------------------------

// The outcome of one commit of two tables must agree with the file, whatever failed.
static bool is_honest(const setting *s, firn_status status, commit_answer answer) {
    const char *state = ask(s, STATE);
    const bool is_old = strcmp(state, "m1,n1") == 0;
    const bool is_new = strcmp(state, "m2") == 0;
    if (status != FIRN_OK) {
        return is_old && err.text[0] != '\0';
    }
    return (is_old && answer == COMMIT_UNKNOWN) || (is_new && answer != COMMIT_CONFLICT);
}

typedef struct outcome {
    int call_count;
    int unknown_count;
    int done_count;
} outcome;

static void commit_two(setting *s, outcome *out) {
    commit_part parts[] = {part_of(PART_CHANGE, "t", "m1", "m2"),
                           part_of(PART_DROP, "u", "n1", "")};
    commit_answer answer = COMMIT_DONE;
    err = ERR_INIT;
    const firn_status status = sqlite_client_commit(
        s->client, &(commit_parts){.count = 2, .items = parts}, UINT32_MAX, &answer, &err);
    out->unknown_count += status == FIRN_OK && answer == COMMIT_UNKNOWN ? 1 : 0;
    out->done_count += status == FIRN_OK && answer == COMMIT_DONE ? 1 : 0;
    // What is at fault ends here.
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    if (strcmp(vfs->zName, "faults") == 0) {
        sqlite_faults *faults = vfs->pAppData;
        out->call_count = faults->count;
        sqlite_faults_set(faults, 0, 0, 0);
    }
    (void)sqlite3_hard_heap_limit64(0);
    host_fault_set(HOST_ALLOC, 0);
    CHECK(is_honest(s, status, answer));
    // The connection is good for the next one.
    loaded_table now;
    CHECK(sqlite_client_load(s->client, db, TEXT("t"), &s->memory, &now, NULL, &err) == FIRN_OK);
}

static outcome commit_with_fault(int at, int is_for_all, int is_late, sqlite_faults *faults,
                                 outcome sum) {
    setting s = set_up(SCHEMA_V0 ROWS);
    sqlite_faults_set(faults, at, is_for_all, is_late);
    commit_two(&s, &sum);
    tear_down(&s);
    return sum;
}

TEST(sqlite_client_tells_the_truth_when_its_disk_fails) {
    sqlite_faults faults;
    sqlite_faults_open(&faults);
    outcome sum = commit_with_fault(0, 0, 0, &faults, (outcome){0});
    const int count = sum.call_count;
    CHECK(count > 5 && sum.done_count == 1); // Journal, pages, syncs, and the end of the journal.
    for (int at = 1; at <= count; at++) {
        sum = commit_with_fault(at, 0, 0, &faults, sum);
        sum = commit_with_fault(at, 0, 1, &faults, sum);
        sum = commit_with_fault(at, 1, 0, &faults, sum);
    }
    CHECK(sum.unknown_count > 0); // The journal was gone, and SQLite said that it failed.
    sqlite_faults_close(&faults);
}

TEST(sqlite_client_tells_the_truth_without_memory) {
    outcome sum = {0};
    for (int room = 0; sum.done_count < 10; room += 256) { // SQLite's.
        REQUIRE(room < 1 << 20);
        setting s = set_up(SCHEMA_V0 ROWS);
        (void)sqlite3_hard_heap_limit64(sqlite3_memory_used() + room);
        commit_two(&s, &sum);
        tear_down(&s);
    }
    sum = (outcome){0};
    for (uint64_t at = 1; sum.done_count == 0; at++) { // Our own.
        REQUIRE(at < 1000);
        setting s = set_up(SCHEMA_V0 ROWS);
        host_fault_set(HOST_ALLOC, at);
        commit_two(&s, &sum);
        tear_down(&s);
    }
}

TEST(sqlite_client_leaves_old_or_new_names_when_its_disk_fails) {
    sqlite_faults faults;
    sqlite_faults_open(&faults);
    int at = 0;
    for (firn_status status = FIRN_IO; status != FIRN_OK; at++) {
        REQUIRE(at < 1000);
        setting s = set_up(SCHEMA_V0 ROWS);
        sqlite_faults_set(&faults, at + 1, 0, at % 2);
        status = sqlite_client_rename(s.client, named(db, "t"), named(db, "w"), false, &err);
        sqlite_faults_set(&faults, 0, 0, 0);
        const bool is_new =
            strcmp(ask(&s, "SELECT table_name FROM iceberg_tables WHERE metadata_location = 'm1'"),
                   "w") == 0;
        CHECK(status == FIRN_OK ? is_new : !is_new || status == FIRN_COMMIT_UNKNOWN);
        tear_down(&s);
    }
    sqlite_faults_close(&faults);
    CHECK(at > 5);
}
