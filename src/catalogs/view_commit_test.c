#include "catalogs/view_commit.h"

#include <sqlite3.h>

#include "catalogs/view_file.h"
#include "io/test_folder.h"

static firn_error err = FIRN_ERROR_INIT;

#define MEMORY ((size_t)1 << 20)
#define WORD(written) {.data = (written), .size = sizeof(written) - 1}

static text db_level[] = {WORD("db")};
static const object_name v = {.space = {.count = 1, .items = db_level}, .name = WORD("v")};
static const firn_option set_ours[] = {{"ours", "1"}};
static const firn_option set_theirs[] = {{"theirs", "1"}};
static const property_change our_properties = {.set_count = 1, .set = set_ours};
static const property_change their_properties = {.set_count = 1, .set = set_theirs};
static const view_change ours = {.kind = VIEW_PROPERTIES, .properties = &our_properties};
static const view_change theirs = {.kind = VIEW_PROPERTIES, .properties = &their_properties};
static const field columns[] = {{.name = WORD("a"), .type = TYPE_OF(INTEGER), .id = -1}};
static const new_view query = {
    .as = {.sql = WORD("SELECT 1 AS a"), .space = {.count = 1, .items = db_level}},
    .columns = {.count = 1, .fields = columns},
    .version = WORD("1")};

// ---- What is made again ------------------------------------------------------------------------

static bool says(const firn_error *of, const char *words) {
    if (strstr(of->text, words) != NULL) {
        return true;
    }
    printf("not in: %s\n", of->text);
    return false;
}

// Answers of a catalog, one an attempt.
typedef struct answers {
    struct {
        firn_status status;
        const char *state;
    } items[8];
    uint32_t count;
    commit_options retry;
    cancel_flag *stop; // Raised by the first attempt.
} answers;

static firn_status answer(void *user, object_name name, const view_change *change, arena *memory,
                          commit_options *retry, firn_error *error) {
    answers *self = user;
    (void)name;
    (void)change;
    (void)memory;
    const firn_status status = self->items[self->count].status;
    const char *state = self->items[self->count++].state;
    CHECK(retry->attempts_max == 5 && retry->pause_ms_min == 100);
    *retry = self->retry;
    if (self->stop != NULL) {
        cancel_raise(self->stop);
    }
    return status == FIRN_OK ? FIRN_OK : FAIL_SQL(error, status, state, NO_POSITION, "said");
}

static firn_status commit(answers *self, const view_change *change, const cancel_flag *cancel) {
    self->retry = (commit_options){
        .attempts_max = 3, .pause_ms_min = 1, .pause_ms_max = 1, .deadline_ms = UINT32_MAX};
    err = (firn_error)FIRN_ERROR_INIT;
    return view_commit(answer, self, v, change, MEMORY, cancel, &err);
}

TEST(view_commit_tries_again_after_conflicts_only) {
    static const view_change any = {.kind = VIEW_CREATE_OR_REPLACE, .view = &query};
    static const view_change new = {.kind = VIEW_CREATE, .view = &query};
    answers again = {.items = {{FIRN_CONFLICT, "40001"}, {FIRN_CONFLICT, "40001"}, {FIRN_OK, ""}}};
    CHECK(commit(&again, &ours, NULL) == FIRN_OK && again.count == 3);
    CHECK(err.text[0] == '\0');
    answers made = {.items = {{FIRN_CONFLICT, "42P07"}, {FIRN_OK, ""}}};
    CHECK(commit(&made, &any, NULL) == FIRN_OK && made.count == 2);
    answers there = {.items = {{FIRN_CONFLICT, "42P07"}}};
    CHECK(commit(&there, &new, NULL) == FIRN_CONFLICT && there.count == 1);
    CHECK(strcmp(err.sqlstate, "42P07") == 0);
    answers open = {.items = {{FIRN_CONFLICT, "40001"}, {FIRN_COMMIT_UNKNOWN, "40003"}}};
    CHECK(commit(&open, &ours, NULL) == FIRN_COMMIT_UNKNOWN && open.count == 2);
    answers wrong = {.items = {{FIRN_CONFLICT, "40001"}, {FIRN_INVALID, "42809"}}};
    CHECK(commit(&wrong, &ours, NULL) == FIRN_INVALID && says(&err, "said"));
    answers missing = {.items = {{FIRN_NOT_FOUND, "42P01"}}};
    CHECK(commit(&missing, &ours, NULL) == FIRN_NOT_FOUND && missing.count == 1);
}

TEST(view_commit_says_why_it_ends) {
    answers often = {
        .items = {{FIRN_CONFLICT, "40001"}, {FIRN_CONFLICT, "40001"}, {FIRN_CONFLICT, "40001"}}};
    CHECK(commit(&often, &ours, NULL) == FIRN_CONFLICT && often.count == 3);
    CHECK(says(&err, "others changed the view \"v\" first, in each of 3 attempts: "));
    CHECK(strcmp(err.sqlstate, "40001") == 0 && err.retryable);
    answers gone = {.items = {{FIRN_CONFLICT, "40001"}, {FIRN_NOT_FOUND, "42P01"}}};
    CHECK(commit(&gone, &ours, NULL) == FIRN_CONFLICT);
    CHECK(says(&err, "others dropped the view \"v\" meanwhile"));
    cancel_flag stop = {0};
    answers stopped = {.items = {{FIRN_CONFLICT, "40001"}, {FIRN_OK, ""}}, .stop = &stop};
    CHECK(commit(&stopped, &ours, &stop) == FIRN_CANCELLED && stopped.count == 1);
}

// ---- Two writers of a SQLite catalog -----------------------------------------------------------

extern const catalog_kind sqlite_catalog_kind;

typedef struct setting {
    test_folder folder;
    io *files;
    catalog *lake;
    sqlite3 *other; // The other writer.
    arena memory;
    text seen; // The metadata file of the view before either of them changes it.
    const view_change *change;
    firn_status status;
    firn_error said;
} setting;

static void must(setting *s, const char *sql) {
    char *said = NULL;
    if (sqlite3_exec(s->other, sql, NULL, NULL, &said) != SQLITE_OK) {
        printf("%s\n    %s\n", sql, said);
        CHECK(false);
    }
    sqlite3_free(said);
}

static text pointer(setting *s) {
    sqlite3_stmt *statement;
    text out = {.size = 0};
    CHECK(sqlite3_prepare_v2(s->other, "SELECT metadata_location FROM iceberg_tables", -1,
                             &statement, NULL) == SQLITE_OK);
    CHECK(sqlite3_step(statement) == SQLITE_ROW);
    CHECK(text_copy(&s->memory, text_of((const char *)sqlite3_column_text(statement, 0)), &out,
                    &err) == FIRN_OK);
    (void)sqlite3_finalize(statement);
    return out;
}

static void set_up(setting *s) {
    const view_change made = {.kind = VIEW_CREATE, .view = &query};
    const io_options how = {.has_thread = false};
    char path[512];
    char warehouse[512];
    *s = (setting){.folder = test_folder_open("view_commit"), .memory = arena_open(MEMORY)};
    (void)snprintf(path, sizeof path, "sqlite:%s/c.db", s->folder.path);
    (void)snprintf(warehouse, sizeof warehouse, "%s/w", s->folder.path);
    const firn_option options[] = {{"WAREHOUSE", warehouse}};
    err = (firn_error)FIRN_ERROR_INIT;
    REQUIRE(io_open(&how, &s->files, &err) == FIRN_OK);
    REQUIRE(sqlite_catalog_kind.open(TEXT("lake"), text_of(path), options, 1, s->files, &s->lake,
                                     &err) == FIRN_OK);
    REQUIRE(sqlite_catalog_kind.connect(s->lake, NULL, &err) == FIRN_OK);
    REQUIRE(sqlite_catalog_kind.create_namespace(s->lake, v.space, &err) == FIRN_OK);
    REQUIRE(sqlite_catalog_kind.change_view(s->lake, v, &made, NULL, &err) == FIRN_OK);
    REQUIRE(sqlite3_open(path + strlen("sqlite:"), &s->other) == SQLITE_OK);
    s->seen = pointer(s);
}

static void tear_down(setting *s) {
    (void)sqlite3_close(s->other);
    sqlite_catalog_kind.close(s->lake);
    io_close(s->files);
    arena_close(&s->memory);
    test_folder_close(&s->folder);
}

static firn_status count_file(void *user, const char *name, bool is_folder, firn_error *error) {
    (void)name;
    (void)is_folder;
    (void)error;
    *(uint32_t *)user += 1;
    return FIRN_OK;
}

// Of the view, old ones too.
static uint32_t file_count(const setting *s) {
    char folder[512];
    uint32_t count = 0;
    firn_error ignored = ERR_INIT;
    (void)snprintf(folder, sizeof folder, "%s/w/db/v/metadata", s->folder.path);
    (void)(host_list(folder, count_file, &count, &ignored) == FIRN_OK);
    return count;
}

static void change(void *user) {
    setting *s = user;
    s->said = (firn_error)FIRN_ERROR_INIT;
    s->status = sqlite_catalog_kind.change_view(s->lake, v, s->change, NULL, &s->said);
}

// Ours looks, and writes its file, while the other one holds the catalog's file, and comes to its
// turn when that one has done what `sql` says.
static void change_behind(setting *s, const char *sql, const view_change *wanted) {
    host_thread *thread;
    s->change = wanted;
    must(s, "BEGIN IMMEDIATE");
    must(s, sql);
    const uint32_t before = file_count(s);
    REQUIRE(host_thread_start(change, s, &thread, &err) == FIRN_OK);
    for (int i = 0; i < 2000 && file_count(s) == before; i++) {
        host_sleep_ms(1);
    }
    CHECK(file_count(s) == before + 1);
    must(s, "COMMIT");
    host_thread_join(thread);
}

// The other writer's file, which it has yet to name.
static text write_theirs(setting *s) {
    const loaded_table old = {.is_view = true, .metadata_location = s->seen};
    written_view made = {.path = {.size = 0}};
    CHECK(view_file_next(s->files, &theirs, &old, &s->memory, &made, &err) == FIRN_OK);
    return made.path;
}

// SQL that names it.
static void name_theirs(setting *s, char *sql, size_t capacity) {
    const text path = write_theirs(s);
    (void)snprintf(sql, capacity, "UPDATE iceberg_tables SET metadata_location = '%.*s'",
                   TEXT_ARGS(path));
}

static bool has_property(setting *s, const char *key) {
    catalog_object found = {0};
    bool out = false;
    CHECK(sqlite_catalog_kind.load(s->lake, v, NULL, &s->memory, &found, NULL, &err) == FIRN_OK);
    CHECK(found.view != NULL);
    for (size_t i = 0; found.view != NULL && i < found.view->property_count; i++) {
        out = out || strcmp(found.view->properties[i].key, key) == 0;
    }
    return out;
}

TEST(view_commit_goes_on_top_of_what_others_changed_in_sqlite) {
    static const view_change replaced = {.kind = VIEW_REPLACE, .view = &query};
    setting s;
    char sql[1024];
    set_up(&s);
    name_theirs(&s, sql, sizeof sql);
    change_behind(&s, sql, &ours);
    CHECK(s.status == FIRN_OK && s.said.text[0] == '\0');
    CHECK(has_property(&s, "theirs") && has_property(&s, "ours"));
    CHECK(file_count(&s) == 3); // That of the attempt that came to nothing is gone.
    // Another query goes on top likewise.
    s.seen = pointer(&s);
    name_theirs(&s, sql, sizeof sql);
    change_behind(&s, sql, &replaced);
    CHECK(s.status == FIRN_OK && has_property(&s, "theirs") && has_property(&s, "ours"));
    tear_down(&s);
}

TEST(view_commit_says_that_others_dropped_the_view_in_sqlite) {
    setting s;
    set_up(&s);
    change_behind(&s, "DELETE FROM iceberg_tables", &ours);
    CHECK(s.status == FIRN_CONFLICT && strcmp(s.said.sqlstate, "40001") == 0);
    CHECK(says(&s.said, "others dropped the view \"v\" meanwhile"));
    CHECK(file_count(&s) == 1);
    tear_down(&s);
}

TEST(view_commit_replaces_what_others_made_in_sqlite) {
    static const view_change any = {.kind = VIEW_CREATE_OR_REPLACE, .view = &query};
    setting s;
    char sql[1024];
    set_up(&s);
    const text path = write_theirs(&s);
    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, "
                   "metadata_location, iceberg_type) SELECT catalog_name, namespace, 'v', '%.*s', "
                   "'VIEW' FROM iceberg_namespace_properties LIMIT 1",
                   TEXT_ARGS(path));
    must(&s, "DELETE FROM iceberg_tables");
    change_behind(&s, sql, &any);
    CHECK(s.status == FIRN_OK && has_property(&s, "theirs"));
    tear_down(&s);
}
