// Asks a real REST catalog server, as the engine would, and prints what it says; for rest.sh.
//
//     rest_probe URI namespaces [LEVEL...]     one namespace a line
//     rest_probe URI list LEVEL...             "table NAME" or "view NAME" a line
//     rest_probe URI load LEVEL... NAME        location, then "metadata BYTES format-version N"
//     rest_probe URI updates LEVEL... NAME     commits statistics, schemas, specs and keys of a
//     table that
//                                              come and go; what the server has then, a line each
//     rest_probe URI get PATH                  any other path below the URI, its status and size
//
// Options come from the environment: WAREHOUSE, TOKEN, CREDENTIAL, REQUEST_TIMEOUT (ms),
// CANCEL_AFTER (ms: the call is cancelled by another thread), NO_THREAD. Exit: 0, or 1 with the
// error on stderr.
#include <stdio.h>
#include <stdlib.h>

#include "base/host.h"
#include "catalogs/rest_client.h"
#include "memory/json_tree.h"
#include "tables/iceberg/iceberg_metadata_write.h"

static text option(const char *name) {
    const char *value = host_environment(name);
    return value == NULL ? (text){.size = 0} : text_of(value);
}

static uint32_t number_option(const char *name) {
    const char *value = host_environment(name);
    return value == NULL ? 0 : (uint32_t)strtoul(value, NULL, 10);
}

typedef struct probe {
    io *files;
    rest_client *client;
    arena memory;
    cancel_flag cancel;
    namespace_path space;
    text name;
} probe;

static void cancel_later(void *user) {
    host_sleep_ms(number_option("CANCEL_AFTER"));
    cancel_raise(user);
}

static void print_space(namespace_path space) {
    for (uint32_t i = 0; i < space.count; i++) {
        printf("%s%.*s", i > 0 ? "." : "", TEXT_ARGS(space.items[i]));
    }
    printf("\n");
}

static firn_status namespaces(probe *self, firn_error *err) {
    namespace_path *spaces;
    uint32_t count;
    TRY(rest_client_namespaces(self->client, self->space, &self->memory, &spaces, &count,
                               &self->cancel, err));
    for (uint32_t i = 0; i < count; i++) {
        print_space(spaces[i]);
    }
    return FIRN_OK;
}

static firn_status list(probe *self, firn_error *err) {
    catalog_entry_list entries;
    TRY(rest_client_list(self->client, self->space, &self->memory, &entries, &self->cancel, err));
    for (uint32_t i = 0; i < entries.count; i++) {
        printf("%s %.*s\n", entries.items[i].kind == ENTRY_VIEW ? "view" : "table",
               TEXT_ARGS(entries.items[i].name));
    }
    return FIRN_OK;
}

static firn_status load(probe *self, firn_error *err) {
    const rest_load what = {.space = self->space, .name = self->name};
    loaded_table table;
    TRY(rest_client_load(self->client, &what, &self->memory, &table, &self->cancel, err));
    const json_node *metadata;
    int64_t version = 0;
    TRY(json_tree_read(&self->memory, table.metadata, &metadata, err));
    TRY(json_get_i64(metadata, "format-version", &version, err));
    printf("%.*s\n%s %zu format-version %lld\n", TEXT_ARGS(table.metadata_location),
           table.is_view ? "view" : "metadata", table.metadata.size, (long long)version);
    // The same again by its ETag, if the server gives any: nothing is sent.
    if (table.etag.size > 0) {
        const rest_load again = {.space = self->space, .name = self->name, .etag = table.etag};
        TRY(rest_client_load(self->client, &again, &self->memory, &table, &self->cancel, err));
        printf("%s\n", table.is_unchanged ? "unchanged" : "changed");
    }
    return FIRN_OK;
}

// ---- Updates -----------------------------------------------------------------------------------

#define SNAPSHOT 77
#define COMMIT_MS 60000

// Sends updates and prints how many of what there are then.
static firn_status send(probe *self, const char *name, ice_updates *updates, firn_error *err) {
    static const char *const lists[] = {"snapshots", "statistics",      "partition-statistics",
                                        "schemas",   "partition-specs", "encryption-keys"};
    commit_part part = {.name = {.space = self->space, .name = self->name},
                        .form = COMMIT_UPDATES,
                        .kind = PART_CHANGE};
    commit_answer answer;
    loaded_table table;
    const json_node *metadata;
    part.updates.requirements = TEXT("[]");
    TRY(ice_updates_finish(updates, &part.updates.updates, err));
    TRY(rest_client_commit(self->client, &(commit_parts){.count = 1, .items = &part}, COMMIT_MS,
                           &answer, err));
    const rest_load what = {.space = self->space, .name = self->name};
    TRY(rest_client_load(self->client, &what, &self->memory, &table, &self->cancel, err));
    TRY(json_tree_read(&self->memory, table.metadata, &metadata, err));
    printf("%s:%s", name, answer == COMMIT_DONE ? "" : " not done");
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const json_node *list = json_find(metadata, lists[i]);
        printf(" %u", list == NULL ? 0 : list->count);
    }
    printf("\n");
    return FIRN_OK;
}

static firn_status send_statistics(probe *self, firn_error *err) {
    static const int32_t id = 1;
    const firn_option ndv = {"ndv", "41"};
    const ice_new_blob blob = {.type = TEXT("apache-datasketches-theta-v1"),
                               .snapshot_id = SNAPSHOT,
                               .sequence_number = 1,
                               .column_count = 1,
                               .columns = &id,
                               .property_count = 1,
                               .properties = &ndv};
    ice_updates updates;
    ice_updates_open(&updates, &self->memory);
    ice_update_add_snapshot(&updates, &(ice_new_snapshot){.id = SNAPSHOT,
                                                          .parent_id = ICE_NO_SNAPSHOT,
                                                          .sequence_number = 1,
                                                          .timestamp_ms = host_time_us() / 1000,
                                                          .manifest_list = TEXT("file:/none.avro"),
                                                          .operation = TEXT("append")});
    ice_update_set_statistics(&updates, &(ice_new_statistics){.snapshot_id = SNAPSHOT,
                                                              .path = TEXT("file:/a.puffin"),
                                                              .size = 100,
                                                              .footer_size = 40,
                                                              .blob_count = 1,
                                                              .blobs = &blob});
    ice_update_set_partition_statistics(
        &updates, &(ice_new_partition_statistics){SNAPSHOT, TEXT("file:/p.parquet"), 9});
    TRY(send(self, "set-statistics", &updates, err));
    ice_updates_open(&updates, &self->memory);
    ice_update_remove_statistics(&updates, SNAPSHOT);
    ice_update_remove_partition_statistics(&updates, SNAPSHOT);
    return send(self, "remove-statistics", &updates, err);
}

static firn_status send_old_ones(probe *self, firn_error *err) {
    static const int32_t one = 1;
    ice_updates updates;
    ice_updates_open(&updates, &self->memory);
    const json_node *schema;
    TRY(json_tree_read(&self->memory,
                       bytes_of_text(TEXT("{\"type\":\"struct\",\"schema-id\":1,\"fields\":[{"
                                          "\"id\":1,\"name\":\"a\",\"required\":false,"
                                          "\"type\":\"long\"},{\"id\":2,\"name\":\"b\","
                                          "\"required\":false,\"type\":\"long\"}]}")),
                       &schema, err));
    ice_update_add_schema_node(&updates, schema, 2);
    const ice_partition_field part = {.source_id = 1,
                                      .field_id = 1000,
                                      .name = TEXT("a_bucket"),
                                      .transform = {.kind = ICE_BUCKET, .width = 16}};
    ice_update_add_spec(&updates, &(ice_spec){.id = 1, .count = 1, .fields = &part}, &self->memory);
    TRY(send(self, "add-schema, add-spec", &updates, err));
    ice_updates_open(&updates, &self->memory);
    ice_update_remove_schemas(&updates, 1, &one);
    ice_update_remove_specs(&updates, 1, &one);
    return send(self, "remove-schemas, remove-partition-specs", &updates, err);
}

static firn_status send_keys(probe *self, firn_error *err) {
    const ice_new_key key = {.id = TEXT("k"), .encrypted = bytes_of_text(TEXT("four"))};
    ice_updates updates;
    ice_updates_open(&updates, &self->memory);
    ice_update_upgrade(&updates, 3);
    ice_update_add_key(&updates, &key, &self->memory);
    TRY(send(self, "add-encryption-key", &updates, err));
    ice_updates_open(&updates, &self->memory);
    ice_update_remove_key(&updates, TEXT("k"));
    return send(self, "remove-encryption-key", &updates, err);
}

static firn_status send_updates(probe *self, firn_error *err) {
    TRY(send_statistics(self, err));
    TRY(send_old_ones(self, err));
    return send_keys(self, err);
}

static firn_status get(probe *self, const char *uri, firn_error *err) {
    text url;
    TRY(text_format(&self->memory, &url, err, "%s/%.*s", uri, TEXT_ARGS(self->name)));
    const http_request request = {.method = "GET",
                                  .url = url,
                                  .is_repeatable = true,
                                  .answer_bytes_max = (size_t)16 << 20,
                                  .total_timeout_ms = number_option("REQUEST_TIMEOUT"),
                                  .cancel = &self->cancel};
    http_answer answer;
    TRY(http_send(self->files, &request, &self->memory, &answer, err));
    printf("%u %zu\n", answer.status, answer.body.size);
    return FIRN_OK;
}

static firn_status run(probe *self, const char *uri, const char *what, firn_error *err) {
    const rest_options options = {
        .alias = TEXT("probe"),
        .uri = text_of(uri),
        .warehouse = option("WAREHOUSE"),
        .token = option("TOKEN"),
        .credential = option("CREDENTIAL"),
        .request_timeout_ms = number_option("REQUEST_TIMEOUT"),
        .wants_credentials = true,
    };
    TRY(rest_client_open(self->files, &options, &self->client, err));
    if (strcmp(what, "namespaces") == 0) {
        return namespaces(self, err);
    }
    if (strcmp(what, "list") == 0) {
        return list(self, err);
    }
    if (strcmp(what, "updates") == 0) {
        return send_updates(self, err);
    }
    return strcmp(what, "load") == 0 ? load(self, err) : get(self, uri, err);
}

int main(int argc, char **argv) {
    if (argc < 3) {
        return 2;
    }
    static text levels[32];
    probe self = {.memory = arena_open((size_t)1 << 30), .space = {.items = levels}};
    for (int i = 3; i < argc && i < 35; i++) {
        levels[self.space.count++] = text_of(argv[i]);
    }
    const bool has_name = strcmp(argv[2], "load") == 0 || strcmp(argv[2], "get") == 0 ||
                          strcmp(argv[2], "updates") == 0;
    if (has_name && self.space.count > 0) {
        self.space.count -= 1;
        self.name = levels[self.space.count];
    }
    firn_error err = ERR_INIT;
    host_thread *canceller = NULL;
    const io_options options = {.has_thread = host_environment("NO_THREAD") == NULL,
                                .retry_pause_ms = 10};
    firn_status status = io_open(&options, &self.files, &err);
    if (status == FIRN_OK && host_environment("CANCEL_AFTER") != NULL) {
        status = host_thread_start(cancel_later, &self.cancel, &canceller, &err);
    }
    if (status == FIRN_OK) {
        status = run(&self, argv[1], argv[2], &err);
    }
    if (status != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
    }
    host_thread_join(canceller);
    rest_client_close(self.client);
    io_close(self.files);
    arena_close(&self.memory);
    return status == FIRN_OK ? 0 : 1;
}
