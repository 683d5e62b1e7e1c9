#include "catalogs/sqlite_client.h"

#include <sqlite3.h>
#include <stdio.h>

#include "base/host.h"
#include "base/test.h"
#include "io/test_folder.h"

static firn_error err = FIRN_ERROR_INIT;

static bool says(const char *words) {
    if (strstr(err.text, words) != NULL) {
        return true;
    }
    (void)fprintf(stderr, "not in: %s\n", err.text);
    return false;
}

#define SCHEMA_V0                                                                                  \
    "CREATE TABLE iceberg_tables (catalog_name VARCHAR(255) NOT NULL, table_namespace "            \
    "VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL, metadata_location VARCHAR(1000), "   \
    "previous_metadata_location VARCHAR(1000), PRIMARY KEY (catalog_name, table_namespace, "       \
    "table_name));"
#define SCHEMA_SPACES                                                                              \
    "CREATE TABLE iceberg_namespace_properties (catalog_name VARCHAR(255) NOT NULL, namespace "    \
    "VARCHAR(255) NOT NULL, property_key VARCHAR(255), property_value VARCHAR(1000), PRIMARY KEY " \
    "(catalog_name, namespace, property_key));"
#define SCHEMA_V1                                                                                  \
    SCHEMA_V0 SCHEMA_SPACES "ALTER TABLE iceberg_tables ADD COLUMN iceberg_type VARCHAR(5);"
#define ROWS_V1                                                                                    \
    "INSERT INTO iceberg_tables VALUES"                                                            \
    " ('lake','db','t2','file:///t2.json','file:///t1.json','TABLE'),"                             \
    " ('lake','db','t1','/t1.json',NULL,NULL),"                                                    \
    " ('lake','db','v1','/v.json',NULL,'VIEW'),"                                                   \
    " ('lake','a.b.c','x','/x.json',NULL,'TABLE'),"                                                \
    " ('lake','a.b!','y','/y.json',NULL,'TABLE'),"                                                 \
    " ('lake','db','broken',NULL,NULL,'TABLE');"                                                   \
    "INSERT INTO iceberg_namespace_properties VALUES"                                              \
    " ('lake','empty','exists','true'), ('lake','db','owner','me'), ('lake','a.b.d','k','v'),"     \
    " ('lake','db','exists','true');"

typedef struct setting {
    test_folder folder;
    char path[512];
    sqlite_client *client;
    arena memory;
} setting;

static void run_sql(const char *path, const char *sql) {
    sqlite3 *database;
    CHECK(sqlite3_open(path, &database) == SQLITE_OK);
    char *problem = NULL;
    CHECK(sqlite3_exec(database, sql, NULL, NULL, &problem) == SQLITE_OK);
    if (problem != NULL) {
        (void)fprintf(stderr, "%s\n", problem);
        sqlite3_free(problem);
    }
    CHECK(sqlite3_close(database) == SQLITE_OK);
}

static firn_status open_client(setting *s, text name) {
    sqlite_client_close(s->client);
    return sqlite_client_open(&(sqlite_options){.path = text_of(s->path),
                                                .alias = TEXT("alias"),
                                                .catalog_name = name,
                                                .is_read_only = true},
                              &s->client, &err);
}

static setting set_up(const char *sql) {
    setting s = {.folder = test_folder_open("sqlite"), .memory = arena_open((size_t)1 << 20)};
    (void)snprintf(s.path, sizeof s.path, "%s/catalog.db", s.folder.path);
    run_sql(s.path, sql);
    CHECK(open_client(&s, (text){.size = 0}) == FIRN_OK);
    return s;
}

static void tear_down(setting *s) {
    sqlite_client_close(s->client);
    arena_close(&s->memory);
    test_folder_close(&s->folder);
}

static namespace_path space_of(text *levels, uint32_t count) {
    return (namespace_path){.count = count, .items = levels};
}

// The children of a namespace as "a.b,a.c".
static const char *children_of(setting *s, namespace_path parent) {
    static char out[256];
    namespace_path *spaces;
    uint32_t count;
    out[0] = '\0';
    CHECK(sqlite_client_namespaces(s->client, parent, &s->memory, &spaces, &count, NULL, &err) ==
          FIRN_OK);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < spaces[i].count; j++) {
            const size_t used = strlen(out);
            (void)snprintf(out + used, sizeof out - used, "%s%.*s",
                           j > 0   ? "."
                           : i > 0 ? ","
                                   : "",
                           TEXT_ARGS(spaces[i].items[j]));
        }
    }
    return out;
}

TEST(sqlite_client_lists_namespaces_of_all_levels) {
    setting s = set_up(SCHEMA_V1 ROWS_V1);
    CHECK(text_equal(sqlite_client_name(s.client), TEXT("lake")));
    text levels[] = {TEXT("a"), TEXT("b"), TEXT("c")};
    CHECK(strcmp(children_of(&s, (namespace_path){0}), "a,db,empty") == 0);
    CHECK(strcmp(children_of(&s, space_of(levels, 1)), "a.b,a.b!") == 0);
    CHECK(strcmp(children_of(&s, space_of(levels, 2)), "a.b.c,a.b.d") == 0);
    CHECK(strcmp(children_of(&s, space_of(levels, 3)), "") == 0);
    const struct {
        text level;
        bool exists;
    } cases[] = {{TEXT("a"), true},  {TEXT("db"), true},  {TEXT("empty"), true},
                 {TEXT("d"), false}, {TEXT("DB"), false}, {TEXT("%"), false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        text level = cases[i].level;
        bool exists;
        CHECK(sqlite_client_has_namespace(s.client, space_of(&level, 1), &exists, NULL, &err) ==
              FIRN_OK);
        CHECK(exists == cases[i].exists);
    }
    tear_down(&s);
}

TEST(sqlite_client_lists_what_stands_beside_broken_namespaces) {
    setting s = set_up(SCHEMA_V1 "INSERT INTO iceberg_tables VALUES"
                                 "('lake','','t','file:///t',NULL,NULL),"
                                 "('lake','.x','t','file:///t',NULL,NULL),"
                                 "('lake','a..b','t','file:///t',NULL,NULL),"
                                 "('lake','c.d.','t','file:///t',NULL,NULL),"
                                 "('lake','.','t','file:///t',NULL,NULL),"
                                 "('lake',CAST(X'ff41' AS TEXT),'t','file:///t',NULL,NULL),"
                                 "('lake','db','t','file:///t',NULL,NULL);");
    text levels[] = {TEXT("c"), TEXT("d")};
    text a[] = {TEXT("a")};
    CHECK(strcmp(children_of(&s, (namespace_path){0}), "a,c,db") == 0);
    CHECK(strcmp(children_of(&s, space_of(a, 1)), "") == 0);
    CHECK(strcmp(children_of(&s, space_of(levels, 1)), "c.d") == 0);
    CHECK(strcmp(children_of(&s, space_of(levels, 2)), "") == 0);
    tear_down(&s);
}

TEST(sqlite_client_lists_tables_before_views) {
    setting s = set_up(SCHEMA_V1 ROWS_V1);
    text db[] = {TEXT("db")};
    text none[] = {TEXT("none")};
    catalog_entry_list entries;
    REQUIRE(sqlite_client_list(s.client, space_of(db, 1), &s.memory, &entries, NULL, &err) ==
            FIRN_OK);
    REQUIRE(entries.count == 4);
    CHECK(text_equal(entries.items[0].name, TEXT("broken")));
    CHECK(text_equal(entries.items[1].name, TEXT("t1")) && entries.items[1].kind == ENTRY_TABLE);
    CHECK(text_equal(entries.items[2].name, TEXT("t2")));
    CHECK(text_equal(entries.items[3].name, TEXT("v1")) && entries.items[3].kind == ENTRY_VIEW);
    CHECK(sqlite_client_list(s.client, space_of(none, 1), &s.memory, &entries, NULL, &err) ==
          FIRN_NOT_FOUND);
    CHECK(says("no namespace \"none\" in catalog \"alias\""));
    catalog_properties properties;
    REQUIRE(sqlite_client_namespace_properties(s.client, space_of(db, 1), &s.memory, &properties,
                                               NULL, &err) == FIRN_OK);
    CHECK(properties.count == 1 && text_equal(properties.items[0].value, TEXT("me")));
    tear_down(&s);
}

TEST(sqlite_client_loads_locations) {
    setting s = set_up(SCHEMA_V1 ROWS_V1);
    text db[] = {TEXT("db")};
    loaded_table table;
    REQUIRE(sqlite_client_load(s.client, space_of(db, 1), TEXT("t2"), &s.memory, &table, NULL,
                               &err) == FIRN_OK);
    CHECK(text_equal(table.metadata_location, TEXT("file:///t2.json")) && !table.is_view);
    CHECK(text_equal(table.previous_location, TEXT("file:///t1.json")));
    REQUIRE(sqlite_client_load(s.client, space_of(db, 1), TEXT("v1"), &s.memory, &table, NULL,
                               &err) == FIRN_OK);
    CHECK(table.is_view && table.previous_location.size == 0);
    CHECK(sqlite_client_load(s.client, space_of(db, 1), TEXT("nope"), &s.memory, &table, NULL,
                             &err) == FIRN_NOT_FOUND);
    CHECK(says("no table \"db.nope\" in catalog \"alias\"") && strcmp(err.sqlstate, "42P01") == 0);
    CHECK(sqlite_client_load(s.client, space_of(db, 1), TEXT("broken"), &s.memory, &table, NULL,
                             &err) == FIRN_CORRUPT);
    CHECK(says("\"db.broken\" of catalog \"alias\" has no metadata location"));
    text dotted[] = {TEXT("a.b")};
    CHECK(sqlite_client_load(s.client, space_of(dotted, 1), TEXT("y"), &s.memory, &table, NULL,
                             &err) == FIRN_INVALID);
    CHECK(says("level \"a.b\""));
    tear_down(&s);
}

TEST(sqlite_client_reads_the_oldest_schema) {
    setting s = set_up(SCHEMA_V0 "INSERT INTO iceberg_tables VALUES('only','db','t','/t',NULL);");
    CHECK(text_equal(sqlite_client_name(s.client), TEXT("only")));
    CHECK(strcmp(children_of(&s, (namespace_path){0}), "db") == 0);
    text db[] = {TEXT("db")};
    catalog_entry_list entries;
    REQUIRE(sqlite_client_list(s.client, space_of(db, 1), &s.memory, &entries, NULL, &err) ==
            FIRN_OK);
    CHECK(entries.count == 1 && entries.items[0].kind == ENTRY_TABLE);
    loaded_table table;
    REQUIRE(sqlite_client_load(s.client, space_of(db, 1), TEXT("t"), &s.memory, &table, NULL,
                               &err) == FIRN_OK);
    CHECK(text_equal(table.metadata_location, TEXT("/t")));
    catalog_properties properties;
    CHECK(sqlite_client_namespace_properties(s.client, space_of(db, 1), &s.memory, &properties,
                                             NULL, &err) == FIRN_OK);
    CHECK(properties.count == 0);
    tear_down(&s);
}

TEST(sqlite_client_chooses_the_name_of_the_catalog) {
    const struct {
        const char *rows;
        text asked;
        text chosen;
    } cases[] = {
        {"", TEXT(""), TEXT("alias")},
        {"", TEXT("asked"), TEXT("asked")},
        {"INSERT INTO iceberg_tables VALUES('one','d','t','/t',NULL,NULL);", TEXT(""), TEXT("one")},
        {"INSERT INTO iceberg_namespace_properties VALUES('one','d','exists','true');", TEXT(""),
         TEXT("one")},
        {"INSERT INTO iceberg_tables VALUES('one','d','t','/t',NULL,NULL);"
         "INSERT INTO iceberg_namespace_properties VALUES('two','d','exists','true');",
         TEXT("two"), TEXT("two")},
        {"INSERT INTO iceberg_tables VALUES('one','d','t','/t',NULL,NULL);"
         "INSERT INTO iceberg_tables VALUES('alias','d','t','/t',NULL,NULL);",
         TEXT(""), TEXT("alias")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setting s = set_up(SCHEMA_V1);
        run_sql(s.path, cases[i].rows);
        CHECK(open_client(&s, cases[i].asked) == FIRN_OK);
        CHECK(text_equal(sqlite_client_name(s.client), cases[i].chosen));
        tear_down(&s);
    }
}

TEST(sqlite_client_refuses_a_name_that_only_others_have) {
    const struct {
        const char *rows;
        text asked;
        const char *words;
    } cases[] = {
        {"INSERT INTO iceberg_tables VALUES('one','d','t','/t',NULL,NULL);", TEXT("two"),
         "holds \"one\" and no catalog \"two\""},
        {"INSERT INTO iceberg_tables VALUES('two','d','t','/t',NULL,NULL);"
         "INSERT INTO iceberg_namespace_properties VALUES('one','d','exists','true');",
         TEXT(""), "holds \"one\", \"two\" and no catalog \"alias\""},
        {"INSERT INTO iceberg_tables VALUES('one','d','t','/t',NULL,NULL);", TEXT("One"),
         "no catalog \"One\""},
        {"WITH RECURSIVE r(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM r LIMIT 12) INSERT INTO "
         "iceberg_tables SELECT 'c' || n,'d','t','/t',NULL,NULL FROM r;",
         TEXT("x"), "\"c19\", … and no catalog \"x\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setting s = set_up(SCHEMA_V1);
        sqlite_client_close(s.client);
        s.client = NULL;
        run_sql(s.path, cases[i].rows);
        CHECK(open_client(&s, cases[i].asked) == FIRN_NOT_FOUND);
        CHECK(s.client == NULL && says(cases[i].words));
        tear_down(&s);
    }
}

TEST(sqlite_client_refuses_what_is_no_catalog) {
    setting s = set_up(SCHEMA_V1);
    test_folder_write(&s.folder, "text", "this is no database, and long enough to be looked at");
    test_folder_write(&s.folder, "empty", "");
    const struct {
        const char *name;
        firn_status status;
        const char *words;
    } cases[] = {
        {"none", FIRN_NOT_FOUND, "none"},
        {"text", FIRN_CORRUPT, "not a database"},
        {"empty", FIRN_CORRUPT, "is no Iceberg catalog"},
        {"", FIRN_INVALID, "is a folder"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)snprintf(s.path, sizeof s.path, "%s/%s", s.folder.path, cases[i].name);
        CHECK(open_client(&s, (text){.size = 0}) == cases[i].status);
        CHECK(s.client == NULL && says(cases[i].words));
    }
    tear_down(&s);
}

TEST(sqlite_client_checks_what_is_in_the_rows) {
    setting s = set_up(SCHEMA_V1 "INSERT INTO iceberg_tables VALUES"
                                 "('lake','db',CAST(X'ff41' AS TEXT),'/t',NULL,NULL),"
                                 "('lake','db','t',CAST(X'c328' AS TEXT),NULL,NULL);");
    text db[] = {TEXT("db")};
    catalog_entry_list entries;
    CHECK(sqlite_client_list(s.client, space_of(db, 1), &s.memory, &entries, NULL, &err) ==
          FIRN_CORRUPT);
    CHECK(says("column \"table_name\" is not UTF-8"));
    loaded_table table;
    CHECK(sqlite_client_load(s.client, space_of(db, 1), TEXT("t"), &s.memory, &table, NULL, &err) ==
          FIRN_CORRUPT);
    tear_down(&s);
}

static void raise_soon(void *user) {
    host_sleep_ms(20);
    cancel_raise(user);
}

// Another program that holds a lock on the file until it is closed.
static sqlite3 *lock_file(const setting *s) {
    sqlite3 *other = NULL;
    CHECK(sqlite3_open(s->path, &other) == SQLITE_OK);
    CHECK(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK);
    return other;
}

TEST(sqlite_client_waits_for_locks_but_not_for_ever) {
    setting s = set_up(SCHEMA_V1 ROWS_V1);
    sqlite_client_close(s.client);
    REQUIRE(sqlite_client_open(&(sqlite_options){.path = text_of(s.path),
                                                 .alias = TEXT("alias"),
                                                 .is_read_only = true,
                                                 .busy_timeout_ms = 50},
                               &s.client, &err) == FIRN_OK);
    sqlite3 *other = lock_file(&s);
    text db[] = {TEXT("db")};
    loaded_table table;
    CHECK(sqlite_client_load(s.client, space_of(db, 1), TEXT("t1"), &s.memory, &table, NULL,
                             &err) == FIRN_IO);
    CHECK(says("another program holds a lock") && err.retryable);

    REQUIRE(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
    CHECK(sqlite_client_load(s.client, space_of(db, 1), TEXT("t1"), &s.memory, &table, NULL,
                             &err) == FIRN_OK);
    CHECK(sqlite3_close(other) == SQLITE_OK);
    tear_down(&s);
}

TEST(sqlite_client_is_cancelled_while_it_waits_for_a_lock) {
    setting s = set_up(SCHEMA_V1 ROWS_V1);
    sqlite3 *other = lock_file(&s);
    cancel_flag cancel = {.parent = NULL};
    host_thread *thread;
    REQUIRE(host_thread_start(raise_soon, &cancel, &thread, &err) == FIRN_OK);
    const int64_t start = host_clock_ns();
    text db[] = {TEXT("db")};
    loaded_table table;
    CHECK(sqlite_client_load(s.client, space_of(db, 1), TEXT("t1"), &s.memory, &table, &cancel,
                             &err) == FIRN_CANCELLED);
    CHECK((host_clock_ns() - start) / 1000000 < 5000); // Half of what is waited for a lock.
    host_thread_join(thread);
    REQUIRE(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
    CHECK(sqlite3_close(other) == SQLITE_OK);
    tear_down(&s);
}

TEST(sqlite_client_is_cancelled_while_it_is_opened) {
    setting s = set_up(SCHEMA_V1 ROWS_V1);
    sqlite_client_close(s.client);
    s.client = NULL;
    sqlite3 *other = lock_file(&s);
    cancel_flag cancel = {.parent = NULL};
    host_thread *thread;
    REQUIRE(host_thread_start(raise_soon, &cancel, &thread, &err) == FIRN_OK);
    const int64_t start = host_clock_ns();
    CHECK(sqlite_client_open(&(sqlite_options){.path = text_of(s.path),
                                               .alias = TEXT("alias"),
                                               .is_read_only = true,
                                               .cancel = &cancel},
                             &s.client, &err) == FIRN_CANCELLED);
    CHECK((host_clock_ns() - start) / 1000000 < 5000);
    host_thread_join(thread);
    CHECK(sqlite3_close(other) == SQLITE_OK);
    tear_down(&s);
}

static bool has_neighbour(setting *s, const char *name, const char *location, const char *other) {
    text db[] = {TEXT("db")};
    text found;
    const object_name of = {.space = space_of(db, 1), .name = text_of(name)};
    return sqlite_client_neighbour(s->client, of, text_of(location), &s->memory, &found, NULL,
                                   &err) == FIRN_OK &&
           text_equal(found, text_of(other));
}

TEST(sqlite_client_tells_what_lies_where_a_table_lies) {
    setting s =
        set_up(SCHEMA_V0 "INSERT INTO iceberg_tables VALUES"
                         " ('alias','db','plain','/w/db/p/metadata/1.json',NULL),"
                         " ('alias','db','java','file:/w/db/j/metadata/1.json',NULL),"
                         " ('alias','db','py','file:///w/db/y_%/deep/metadata/1.json',NULL),"
                         " ('alias','db','far','s3://b/db/f/metadata/1.json',NULL),"
                         " ('other','db','p','/w/db/o/metadata/1.json',NULL);");
    CHECK(has_neighbour(&s, "p", "/w/db/p", "db.plain"));
    CHECK(has_neighbour(&s, "p", "file:///w//db/p/", "db.plain"));
    CHECK(has_neighbour(&s, "plain", "/w/db/p", ""));
    CHECK(has_neighbour(&s, "x", "/w/db/j", "db.java"));
    CHECK(has_neighbour(&s, "x", "/w/db/y_%", "db.py"));
    CHECK(has_neighbour(&s, "x", "/w/db/y%_", ""));
    CHECK(has_neighbour(&s, "x", "/w/db/y", ""));
    CHECK(has_neighbour(&s, "x", "s3://b/db/f/", "db.far"));
    CHECK(has_neighbour(&s, "p", "/w/db/o", "db.p")); // Of another catalog in the file.
    tear_down(&s);
}

// Reading it would never end.
TEST(sqlite_client_refuses_a_view_in_the_place_of_the_table) {
    setting s = set_up(SCHEMA_V1 ROWS_V1);
    run_sql(s.path, "DROP TABLE iceberg_tables; CREATE VIEW iceberg_tables AS "
                    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) "
                    "SELECT 'c' AS catalog_name, 'db' AS table_namespace, 't' || n AS table_name, "
                    "'/t' AS metadata_location, NULL AS iceberg_type FROM r;");
    CHECK(open_client(&s, (text){.size = 0}) == FIRN_CORRUPT);
    CHECK(says("it has no table \"iceberg_tables\""));
    tear_down(&s);
}
