// Tables without data; those with data are tests/sql/iceberg/orphans.slt's.
#include "tables/iceberg/iceberg_orphans.h"

#include <stdio.h>
#include <unistd.h>

#include "base/test.h"
#include "io/test_folder.h"
#include "tables/iceberg/iceberg_snapshot.h"

#define METADATA                                                                                   \
    "{\"format-version\": 2, \"table-uuid\": \"9c12d441-03fe-4693-9a96-a0705ddf69c1\", "           \
    "\"location\": \"%s\", \"last-sequence-number\": 0, \"last-updated-ms\": 1602638573590, "      \
    "\"last-column-id\": 1, \"current-schema-id\": 0, \"schemas\": [{\"type\": \"struct\", "       \
    "\"schema-id\": 0, \"fields\": [{\"id\": 1, \"name\": \"x\", \"required\": false, \"type\": "  \
    "\"long\"}]}], \"default-spec-id\": 0, \"partition-specs\": [{\"spec-id\": 0, \"fields\": "    \
    "[]}], \"last-partition-id\": 999, \"default-sort-order-id\": 0, \"sort-orders\": "            \
    "[{\"order-id\": 0, \"fields\": []}], \"properties\": {}, \"snapshots\": [%s], "               \
    "\"statistics\": [{\"snapshot-id\": 1, \"statistics-path\": \"file:%s/stats.puffin\"}], "      \
    "\"metadata-log\": [{\"timestamp-ms\": 1, \"metadata-file\": \"file://%s//v1.json\"}, "        \
    "{\"timestamp-ms\": 2, \"metadata-file\": \"%s/gone.json\"}]}"

typedef struct scene {
    test_folder folder;
    io *io;
    char metadata[512];
    table_snapshot *table;
    arena memory;
    ice_orphan_search wanted;
    text_list found;
    firn_error err;
} scene;

// `location`: as the metadata says it, NULL: the folder.
static void scene_open(scene *self, const char *snapshots, const char *location) {
    static char json[8192];
    *self = (scene){.folder = test_folder_open("orphans"),
                    .memory = arena_open((size_t)1 << 20),
                    .wanted = {.older_than_us = INT64_MAX},
                    .err = ERR_INIT};
    const char *at = self->folder.path;
    REQUIRE(io_open(&(io_options){.has_thread = false}, &self->io, &self->err) == FIRN_OK);
    (void)snprintf(self->metadata, sizeof self->metadata, "%s/v2.json", at);
    (void)snprintf(json, sizeof json, METADATA, location == NULL ? at : location, snapshots, at, at,
                   at);
    static const char *const others[] = {
        "v1.json",       "stats.puffin",        "metadata/version-hint.text", ".hidden",
        "_hidden/a",     "data/.a.parquet.crc", "data/.b.parquet.00ff.tmp",   "data/_p=1/a.parquet",
        "data/a.parquet"};
    test_folder_write(&self->folder, "v2.json", json);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        test_folder_write(&self->folder, others[i], "x");
    }
    const ice_open what = {.location = text_of(self->metadata), .name = TEXT("t")};
    REQUIRE(ice_table_open(self->io, &what, NULL, &self->table, &self->err) == FIRN_OK);
}

static void scene_close(scene *self) {
    table_snapshot_release(self->table);
    arena_close(&self->memory);
    io_close(self->io);
    test_folder_close(&self->folder);
}

static firn_status look(scene *self) {
    return ice_find_orphans(self->io, self->table, &self->wanted, NULL, &self->memory, &self->found,
                            &self->err);
}

static firn_status look_and_remove(scene *self) {
    const firn_status status = look(self);
    return status == FIRN_OK ? ice_remove_orphans(self->io, &self->found, NULL, &self->err)
                             : status;
}

static bool has(const scene *self, const char *name) {
    char path[512];
    host_stat found;
    firn_error ignored = ERR_INIT;
    (void)snprintf(path, sizeof path, "%s/%s", self->folder.path, name);
    return host_path_stat(path, &found, &ignored) == FIRN_OK;
}

static bool has_what_is_no_orphan(const scene *self) {
    return has(self, "v1.json") && has(self, "v2.json") && has(self, "stats.puffin") &&
           has(self, "metadata/version-hint.text") && has(self, ".hidden") &&
           has(self, "_hidden/a") && has(self, "data/.a.parquet.crc");
}

static bool has_orphans(const scene *self) {
    return has(self, "data/.b.parquet.00ff.tmp") && has(self, "data/_p=1/a.parquet") &&
           has(self, "data/a.parquet");
}

TEST(iceberg_orphans_are_what_metadata_does_not_name) {
    scene s;
    scene_open(&s, "", NULL);
    CHECK(look(&s) == FIRN_OK && s.found.count == 3 && has_orphans(&s));
    CHECK(text_ends_with(s.found.items[0], TEXT("/data/.b.parquet.00ff.tmp")));
    CHECK(text_ends_with(s.found.items[1], TEXT("/data/_p=1/a.parquet")));
    CHECK(text_ends_with(s.found.items[2], TEXT("/data/a.parquet")));
    s.wanted = (ice_orphan_search){.older_than_us = 1}; // Younger than that.
    CHECK(look(&s) == FIRN_OK && s.found.count == 0 && has_orphans(&s));
    s.wanted.older_than_us = INT64_MAX;
    CHECK(look_and_remove(&s) == FIRN_OK && s.found.count == 3 && has_what_is_no_orphan(&s));
    CHECK(!has(&s, "data/.b.parquet.00ff.tmp") && !has(&s, "data/_p=1/a.parquet") &&
          !has(&s, "data/a.parquet"));
    CHECK(look(&s) == FIRN_OK && s.found.count == 0);
    scene_close(&s);
}

TEST(iceberg_orphans_are_looked_for_in_the_tables_folder_only) {
    scene s;
    char below[600];
    scene_open(&s, "", NULL);
    (void)snprintf(below, sizeof below, "file://%s/data/_p=1/", s.folder.path);
    s.wanted.location = text_of(below);
    CHECK(look(&s) == FIRN_OK && s.found.count == 1);
    static const char *const others[] = {"/",   "/tmp",          ".",       "%s/..",
                                         "%sx", "%s/data/../..", "nope://x"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const text rest = text_of(others[i]);
        const bool is_there = text_starts_with(rest, TEXT("%s"));
        (void)snprintf(below, sizeof below, "%s%s", is_there ? s.folder.path : "",
                       others[i] + (is_there ? 2 : 0));
        s.wanted.location = text_of(below);
        CHECK(look(&s) != FIRN_OK && strcmp(s.err.sqlstate, "22023") == 0);
    }
    (void)snprintf(below, sizeof below, "%s/nothing", s.folder.path);
    s.wanted.location = text_of(below);
    CHECK(look(&s) == FIRN_OK && s.found.count == 0);
    scene_close(&s);
}

// The same folder by two names: its files are the table's by either.
TEST(iceberg_orphans_follow_links) {
    scene s;
    scene_open(&s, "", "/tmp/firn_orphans_link");
    (void)unlink("/tmp/firn_orphans_link");
    REQUIRE(symlink(s.folder.path, "/tmp/firn_orphans_link") == 0);
    CHECK(look_and_remove(&s) == FIRN_OK && s.found.count == 3 && has_what_is_no_orphan(&s));
    CHECK(unlink("/tmp/firn_orphans_link") == 0);
    scene_close(&s);
}

TEST(iceberg_orphans_stay_if_a_manifest_list_cannot_be_read) {
    scene s;
    scene_open(&s,
               "{\"snapshot-id\": 1, \"sequence-number\": 0, \"timestamp-ms\": 1, \"summary\": "
               "{\"operation\": \"append\"}, \"manifest-list\": \"/nowhere/list.avro\"}",
               NULL);
    CHECK(look(&s) == FIRN_NOT_FOUND && has_orphans(&s) && has_what_is_no_orphan(&s));
    CHECK(strstr(s.err.text, "orphan") != NULL && strstr(s.err.text, "list.avro") != NULL);
    scene_close(&s);
}

TEST(iceberg_orphans_of_snapshots_without_manifests) {
    scene s;
    scene_open(&s,
               "{\"snapshot-id\": 1, \"sequence-number\": 0, \"timestamp-ms\": 1, \"summary\": "
               "{\"operation\": \"append\"}, \"manifests\": []}",
               NULL);
    CHECK(look_and_remove(&s) == FIRN_OK && s.found.count == 3 && has_what_is_no_orphan(&s));
    scene_close(&s);
}

TEST(iceberg_orphans_are_removed_whatever_fails) {
    for (uint64_t at = 1; at <= 3; at++) {
        scene s;
        scene_open(&s, "", NULL);
        host_fault_set(HOST_REMOVE, at);
        const firn_status status = look_and_remove(&s);
        host_fault_set(HOST_REMOVE, 0);
        CHECK(status == FIRN_IO && strstr(s.err.hint, "1 of 3") != NULL);
        CHECK(look(&s) == FIRN_OK && s.found.count == 1 && has_what_is_no_orphan(&s));
        scene_close(&s);
    }
    for (uint64_t at = 1;; at++) {
        REQUIRE(at < 1000);
        scene s;
        scene_open(&s, "", NULL);
        host_fault_set(HOST_ALLOC, at);
        const firn_status status = look_and_remove(&s);
        host_fault_set(HOST_ALLOC, 0);
        CHECK(status == FIRN_OK || status == FIRN_NO_MEMORY);
        CHECK(has_what_is_no_orphan(&s) && (status == FIRN_OK) != has_orphans(&s));
        scene_close(&s);
        if (status == FIRN_OK) {
            break;
        }
    }
}
