#include "catalogs/hadoop_folder.h"

#include <stdio.h>

#include "io/test_folder.h"
#include "tables/iceberg/hadoop_version.h"

static firn_error err = FIRN_ERROR_INIT;

TEST(hadoop_version_is_told_by_names_of_metadata_files_only) {
    const struct {
        text name;
        bool is_metadata;
        uint64_t version;
    } cases[] = {
        {TEXT("v3.metadata.json"), true, 3},
        {TEXT("v12.gz.metadata.json"), true, 12},
        {TEXT("v0.metadata.json.gz"), true, 0},
        {TEXT("00007-4e95-0f60.metadata.json"), true, 7},
        {TEXT("00007-x.gz.metadata.json"), true, 7},
        {TEXT("v999999999999999999.metadata.json"), true, 999999999999999999},
        {TEXT("v9999999999999999999.metadata.json"), false, 0},
        {TEXT("v3-metadata.json"), false, 0},
        {TEXT("v.metadata.json"), false, 0},
        {TEXT("v3x.metadata.json"), false, 0},
        {TEXT("3.metadata.json"), false, 0},
        {TEXT("v3.metadata.json.crc"), false, 0},
        {TEXT("snap-1-2-3.avro"), false, 0},
        {TEXT("version-hint.text"), false, 0},
        {TEXT(""), false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t version = 0;
        CHECK(hadoop_version_of(cases[i].name, &version) == cases[i].is_metadata);
        CHECK(!cases[i].is_metadata || version == cases[i].version);
    }
}

typedef struct setting {
    test_folder folder;
    io *files;
    arena memory;
} setting;

static setting set_up(void) {
    setting s = {.folder = test_folder_open("hadoop"), .memory = arena_open((size_t)4 << 20)};
    CHECK(io_open(&(io_options){.has_thread = false}, &s.files, &err) == FIRN_OK);
    return s;
}

static void tear_down(setting *s) {
    io_close(s->files);
    arena_close(&s->memory);
    test_folder_close(&s->folder);
}

// The name of the current metadata file of table `t` after these files were written.
static const char *current(const char *hint, const char *const *names) {
    static char found[128];
    setting s = set_up();
    for (; *names != NULL; names++) {
        char path[128];
        (void)snprintf(path, sizeof path, "t/metadata/%s", *names);
        test_folder_write(&s.folder, path, "{}");
    }
    if (hint != NULL) {
        test_folder_write(&s.folder, "t/metadata/version-hint.text", hint);
    }
    char table[512];
    (void)snprintf(table, sizeof table, "%s/t/", s.folder.path);
    text out;
    if (hadoop_current_metadata(s.files, text_of(table), NULL, &s.memory, &out, &err) == FIRN_OK) {
        const size_t skipped = strlen(table) + strlen("metadata/");
        (void)snprintf(found, sizeof found, "%.*s", TEXT_ARGS(text_slice(out, skipped, out.size)));
    } else {
        (void)snprintf(found, sizeof found, "%s", status_name(err.status));
    }
    tear_down(&s);
    return found;
}

TEST(hadoop_current_metadata_starts_at_the_hint_and_goes_on) {
    const struct {
        const char *hint;
        const char *names[6];
        const char *current;
    } cases[] = {
        {"2", {"v1.metadata.json", "v2.metadata.json"}, "v2.metadata.json"},
        {"2\n",
         {"v2.metadata.json", "v3.gz.metadata.json", "v4.metadata.json.gz"},
         "v4.metadata.json.gz"},
        {"2", {"v2.metadata.json", "v4.metadata.json"}, "v2.metadata.json"}, // v4 is an orphan.
        {"7", {"v1.metadata.json", "v2.metadata.json"}, "v2.metadata.json"}, // The hint is wrong.
        {"x", {"v1.metadata.json", "v10.metadata.json", "v9.metadata.json"}, "v10.metadata.json"},
        {"", {"v1.metadata.json"}, "v1.metadata.json"},
        {"99999999999999999999", {"v1.metadata.json"}, "v1.metadata.json"},
        {NULL,
         {"v1.metadata.json", "v2.metadata.json", "v2.metadata.json.crc"},
         "v2.metadata.json"},
        {NULL,
         {"00000-a.metadata.json", "00010-b.metadata.json", "00002-c.metadata.json"},
         "00010-b.metadata.json"},
        {"00002-c.metadata.json",
         {"00002-c.metadata.json", "00010-b.metadata.json"},
         "00002-c.metadata.json"},
        {"00002-c", {"00002-c.metadata.json", "00010-b.metadata.json"}, "00002-c.metadata.json"},
        {"../../../etc/v1.metadata.json", {"v1.metadata.json"}, "v1.metadata.json"},
        {NULL, {"snap-1.avro"}, "not found"},
        {"1", {NULL}, "not found"},
        {NULL, {NULL}, "not found"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *found = current(cases[i].hint, cases[i].names);
        if (strcmp(found, cases[i].current) != 0) {
            (void)fprintf(stderr, "case %zu: %s\n", i, found);
        }
        CHECK(strcmp(found, cases[i].current) == 0);
    }
}

static namespace_path space_of(text *levels, uint32_t count) {
    return (namespace_path){.count = count, .items = levels};
}

TEST(hadoop_folder_tells_tables_from_namespaces) {
    setting s = set_up();
    const char *names[] = {"db/t2/metadata/v1.metadata.json",
                           "db/t1/metadata/version-hint.text",
                           "db/t1/metadata/v1.metadata.json",
                           "db/inner/t3/metadata/v4.metadata.json",
                           "db/plain/file.parquet",
                           "db/.hidden/x",
                           "db/_temporary/x",
                           "top/x"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        test_folder_write(&s.folder, names[i], "1");
    }
    char root[512];
    (void)snprintf(root, sizeof root, "file://%s/", s.folder.path);
    const hadoop_folder warehouse = {.files = s.files, .root = text_of(root), .alias = TEXT("h")};
    CHECK(hadoop_folder_check(&warehouse, NULL, &err) == FIRN_OK);
    namespace_path *spaces;
    uint32_t count;
    REQUIRE(hadoop_folder_namespaces(&warehouse, (namespace_path){0}, &s.memory, &spaces, &count,
                                     NULL, &err) == FIRN_OK);
    REQUIRE(count == 2);
    CHECK(text_equal(spaces[0].items[0], TEXT("db")) &&
          text_equal(spaces[1].items[0], TEXT("top")));
    text levels[] = {TEXT("db"), TEXT("inner")};
    REQUIRE(hadoop_folder_namespaces(&warehouse, space_of(levels, 1), &s.memory, &spaces, &count,
                                     NULL, &err) == FIRN_OK);
    REQUIRE(count == 2);
    CHECK(spaces[0].count == 2 && text_equal(spaces[0].items[1], TEXT("inner")));
    CHECK(text_equal(spaces[1].items[1], TEXT("plain")));
    catalog_entry_list entries;
    REQUIRE(hadoop_folder_list(&warehouse, space_of(levels, 1), &s.memory, &entries, NULL, &err) ==
            FIRN_OK);
    REQUIRE(entries.count == 2);
    CHECK(text_equal(entries.items[0].name, TEXT("t1")));
    loaded_table table;
    REQUIRE(hadoop_folder_load(&warehouse, space_of(levels, 2), TEXT("t3"), &s.memory, &table, NULL,
                               &err) == FIRN_OK);
    CHECK(text_ends_with(table.metadata_location, TEXT("/db/inner/t3/metadata/v4.metadata.json")));
    CHECK(text_starts_with(table.metadata_location, TEXT("file:///")));
    tear_down(&s);
}

TEST(hadoop_folder_finds_no_namespace_that_is_a_table_or_missing) {
    setting s = set_up();
    test_folder_write(&s.folder, "db/t/metadata/v1.metadata.json", "{}");
    const hadoop_folder warehouse = {
        .files = s.files, .root = text_of(s.folder.path), .alias = TEXT("h")};
    text levels[] = {TEXT("db"), TEXT("t")};
    text other[] = {TEXT("other")};
    bool exists;
    CHECK(hadoop_folder_has_namespace(&warehouse, space_of(levels, 1), &exists, NULL, &err) ==
          FIRN_OK);
    CHECK(exists);
    CHECK(hadoop_folder_has_namespace(&warehouse, space_of(levels, 2), &exists, NULL, &err) ==
          FIRN_OK);
    CHECK(!exists);
    CHECK(hadoop_folder_has_namespace(&warehouse, space_of(other, 1), &exists, NULL, &err) ==
          FIRN_OK);
    CHECK(!exists);
    catalog_entry_list entries;
    CHECK(hadoop_folder_list(&warehouse, space_of(other, 1), &s.memory, &entries, NULL, &err) ==
          FIRN_NOT_FOUND);
    loaded_table table;
    CHECK(hadoop_folder_load(&warehouse, space_of(levels, 1), TEXT("none"), &s.memory, &table, NULL,
                             &err) == FIRN_NOT_FOUND);
    CHECK(strcmp(err.sqlstate, "42P01") == 0);
    CHECK(strstr(err.text, "there is no table \"none\" in catalog") != NULL);
    tear_down(&s);
}

TEST(hadoop_folder_refuses_names_that_lead_out_of_the_warehouse) {
    setting s = set_up();
    const hadoop_folder warehouse = {
        .files = s.files, .root = text_of(s.folder.path), .alias = TEXT("h")};
    const text names[] = {TEXT(".."), TEXT("."), TEXT(""), TEXT("a/b"), TEXT("../x")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        text level = names[i];
        text fine = TEXT("db");
        loaded_table table;
        catalog_entry_list entries;
        CHECK(hadoop_folder_load(&warehouse, space_of(&fine, 1), names[i], &s.memory, &table, NULL,
                                 &err) == FIRN_INVALID);
        CHECK(hadoop_folder_list(&warehouse, space_of(&level, 1), &s.memory, &entries, NULL,
                                 &err) == FIRN_INVALID);
    }
    tear_down(&s);
}
