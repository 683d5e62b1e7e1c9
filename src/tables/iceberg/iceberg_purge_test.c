// Tables without data; those with data are tests/interop/catalog_write_test.py's.
#include "tables/iceberg/iceberg_purge.h"

#include <stdio.h>

#include "base/test.h"
#include "io/test_folder.h"

typedef struct scene {
    test_folder folder;
    io *io;
    char metadata[512];
    firn_error err;
} scene;

#define METADATA                                                                                   \
    "{\"format-version\": 2, \"table-uuid\": \"9c12d441-03fe-4693-9a96-a0705ddf69c1\", "           \
    "\"location\": \"%s\", \"last-sequence-number\": 0, \"last-updated-ms\": 1602638573590, "      \
    "\"last-column-id\": 1, \"current-schema-id\": 0, \"schemas\": [{\"type\": \"struct\", "       \
    "\"schema-id\": 0, \"fields\": [{\"id\": 1, \"name\": \"x\", \"required\": false, \"type\": "  \
    "\"long\"}]}], \"default-spec-id\": 0, \"partition-specs\": [{\"spec-id\": 0, \"fields\": "    \
    "[]}], \"last-partition-id\": 999, \"default-sort-order-id\": 0, \"sort-orders\": "            \
    "[{\"order-id\": 0, \"fields\": []}], \"properties\": {}, \"snapshots\": [%s], "               \
    "\"statistics\": [{\"snapshot-id\": 1, \"statistics-path\": \"%s/stats.puffin\"}], "           \
    "\"metadata-log\": [{\"timestamp-ms\": 1, \"metadata-file\": \"%s/v1.json\"}, "                \
    "{\"timestamp-ms\": 2, \"metadata-file\": \"%s/gone.json\"}]}"

static void scene_open(scene *self, const char *snapshots) {
    *self = (scene){.folder = test_folder_open("purge"), .err = ERR_INIT};
    static char text[8192];
    const char *at = self->folder.path;
    REQUIRE(io_open(&(io_options){.has_thread = false}, &self->io, &self->err) == FIRN_OK);
    (void)snprintf(self->metadata, sizeof self->metadata, "%s/v2.json", at);
    (void)snprintf(text, sizeof text, METADATA, at, snapshots, at, at, at);
    test_folder_write(&self->folder, "v2.json", text);
    test_folder_write(&self->folder, "v1.json", "{}");
    test_folder_write(&self->folder, "stats.puffin", "PFA1");
    test_folder_write(&self->folder, "mine.txt", "of somebody else");
}

static void scene_close(scene *self) {
    io_close(self->io);
    test_folder_close(&self->folder);
}

static bool has(const scene *self, const char *name) {
    char path[512];
    host_stat found;
    firn_error ignored = ERR_INIT;
    (void)snprintf(path, sizeof path, "%s/%s", self->folder.path, name);
    return host_path_stat(path, &found, &ignored) == FIRN_OK;
}

TEST(iceberg_purge_removes_what_metadata_names) {
    scene s;
    scene_open(&s, "");
    CHECK(ice_table_purge(s.io, text_of(s.metadata), NULL, &s.err) == FIRN_OK);
    CHECK(!has(&s, "v2.json") && !has(&s, "v1.json") && !has(&s, "stats.puffin"));
    CHECK(has(&s, "mine.txt"));
    CHECK(ice_table_purge(s.io, text_of(s.metadata), NULL, &s.err) == FIRN_NOT_FOUND);
    scene_close(&s);
}

TEST(iceberg_purge_keeps_the_way_to_what_it_cannot_read) {
    scene s;
    scene_open(&s, "{\"snapshot-id\": 1, \"sequence-number\": 0, \"timestamp-ms\": 1, "
                   "\"summary\": {\"operation\": \"append\"}, "
                   "\"manifest-list\": \"/dev/null/not/../a list\"}, "
                   "{\"snapshot-id\": 2, \"sequence-number\": 0, \"timestamp-ms\": 2, "
                   "\"summary\": {\"operation\": \"append\"}, \"manifest-list\": \"nope://x\"}");
    CHECK(ice_table_purge(s.io, text_of(s.metadata), NULL, &s.err) != FIRN_OK);
    CHECK(strstr(s.err.text, "nope://x") != NULL && strstr(s.err.hint, "stayed") != NULL);
    CHECK(has(&s, "v2.json") && has(&s, "v1.json"));
    scene_close(&s);
}

TEST(iceberg_purge_can_be_begun_again) {
    for (uint64_t at = 1; at <= 3; at++) { // Three files are there to be removed.
        scene s;
        scene_open(&s, "");
        host_fault_set(HOST_REMOVE, at);
        const firn_status status = ice_table_purge(s.io, text_of(s.metadata), NULL, &s.err);
        host_fault_set(HOST_REMOVE, 0);
        CHECK(status == FIRN_IO && strstr(s.err.text, "removing") != NULL);
        if (has(&s, "v2.json")) {
            CHECK(ice_table_purge(s.io, text_of(s.metadata), NULL, &s.err) == FIRN_OK);
        }
        CHECK(!has(&s, "v2.json") && has(&s, "mine.txt"));
        scene_close(&s);
    }
    for (uint64_t at = 1;; at++) {
        REQUIRE(at < 1000);
        scene s;
        scene_open(&s, "");
        host_fault_set(HOST_ALLOC, at);
        const firn_status status = ice_table_purge(s.io, text_of(s.metadata), NULL, &s.err);
        host_fault_set(HOST_ALLOC, 0);
        CHECK(status == FIRN_OK || status == FIRN_NO_MEMORY);
        CHECK((status == FIRN_OK) != has(&s, "v2.json"));
        scene_close(&s);
        if (status == FIRN_OK) {
            break;
        }
    }
}
