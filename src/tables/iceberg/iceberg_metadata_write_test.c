// Changes of metadata, as the metadata reader sees them afterwards.
#include "tables/iceberg/iceberg_metadata_write.h"

#include "base/test.h"

#define MEMORY_LIMIT ((size_t)16 << 20)
#define NOW INT64_C(1700000000000)

static const field columns[] = {{{"id", 2}, TYPE_OF(BIGINT), false, -1},
                                {{"name", 4}, TYPE_OF(VARCHAR), true, -1}};

static const json_node *tree_of(text json, arena *memory) {
    const json_node *out = NULL;
    firn_error err = ERR_INIT;
    CHECK(ice_json_read(bytes_of_text(json), memory, &out, &err) == FIRN_OK);
    return out;
}

// What a staged create sends: everything of an empty table.
static text creation(int32_t version, arena *memory) {
    ice_updates updates;
    text out = {0};
    firn_error err = ERR_INIT;
    int32_t last = 0;
    ice_schema first = {.id = 0};
    CHECK(ice_schema_assign(&(schema){.count = 2, .fields = columns}, NULL, version, memory, &last,
                            &first.columns, &err) == FIRN_OK);
    CHECK(last == 2);
    const ice_partition_field part = {.source_id = 1,
                                      .field_id = 1000,
                                      .name = TEXT("id_bucket"),
                                      .transform = {.kind = ICE_BUCKET, .width = 16}};
    const ice_order_field key = {.source_id = 2, .transform = {.kind = ICE_IDENTITY, .width = 1}};
    const firn_option property = {"write.metadata.previous-versions-max", "2"};
    ice_updates_open(&updates, memory);
    ice_update_assign_uuid(&updates, TEXT("9c12d441-03fe-4693-9a96-a0705ddf69c1"));
    ice_update_upgrade(&updates, version);
    ice_update_add_schema(&updates, &first, last);
    ice_update_set_current_schema(&updates, -1);
    ice_update_add_spec(&updates, &(ice_spec){.count = 1, .fields = &part}, memory);
    ice_update_set_default_spec(&updates, -1);
    ice_update_add_order(&updates, &(ice_order){.id = 1, .count = 1, .fields = &key}, memory);
    ice_update_set_default_order(&updates, -1);
    ice_update_set_location(&updates, TEXT("file:/t/"));
    ice_update_set_properties(&updates, 1, &property);
    CHECK(ice_updates_finish(&updates, &out, &err) == FIRN_OK);
    return out;
}

static text changed_at(const json_node *old, text updates, int64_t now_ms, arena *memory) {
    ice_changed out;
    firn_error err = ERR_INIT;
    const ice_change how = {.now_ms = now_ms, .old_location = TEXT("file:/t/metadata/old.json")};
    const firn_status status = ice_metadata_change(old, updates, &how, memory, &out, &err);
    if (status != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
    }
    CHECK(status == FIRN_OK);
    return status == FIRN_OK ? out.json : TEXT("{}");
}

static text append_of(int64_t id, int64_t parent, int64_t sequence, int64_t at, arena *memory) {
    ice_updates updates;
    text out = {0};
    firn_error err = ERR_INIT;
    const firn_option total = {"total-records", "7"};
    ice_updates_open(&updates, memory);
    ice_update_add_snapshot(&updates, &(ice_new_snapshot){.id = id,
                                                          .parent_id = parent,
                                                          .sequence_number = sequence,
                                                          .timestamp_ms = at,
                                                          .manifest_list = TEXT("file:/t/l.avro"),
                                                          .operation = TEXT("append"),
                                                          .summary_count = 1,
                                                          .summary = &total});
    ice_update_set_ref(&updates, &(ice_new_ref){.name = TEXT("main"), .snapshot_id = id});
    CHECK(ice_updates_finish(&updates, &out, &err) == FIRN_OK);
    return out;
}

TEST(ice_metadata_of_a_new_table_is_read) {
    for (int32_t version = 1; version <= 2; version++) {
        arena memory = arena_open(MEMORY_LIMIT);
        firn_error err = ERR_INIT;
        ice_metadata read;
        const text json = changed_at(NULL, creation(version, &memory), NOW, &memory);
        REQUIRE(ice_metadata_read(bytes_of_text(json), &memory, &read, &err) == FIRN_OK);
        CHECK(read.format_version == version && text_equal(read.location, TEXT("file:/t")));
        CHECK(read.schema_count == 1 && read.schemas[0].columns.count == 2);
        CHECK(read.schemas[0].columns.fields[1].id == 2);
        CHECK(!read.schemas[0].columns.fields[0].is_nullable);
        CHECK(read.spec_count == 1 && read.specs[0].fields[0].transform.width == 16);
        CHECK(read.current_snapshot_id == ICE_NO_SNAPSHOT);
        const json_node *root = tree_of(json, &memory);
        // Version 1 has the old single forms besides, version 2 has not.
        CHECK((json_find(root, "schema") != NULL) == (version == 1));
        CHECK((json_find(root, "partition-spec") != NULL) == (version == 1));
        CHECK((json_find(root, "last-sequence-number") != NULL) == (version == 2));
        int64_t number = 0;
        CHECK(json_get_i64(root, "last-updated-ms", &number, &err) == FIRN_OK && number == NOW);
        CHECK(json_get_i64(root, "last-partition-id", &number, &err) == FIRN_OK && number == 1000);
        CHECK(json_get_i64(root, "default-sort-order-id", &number, &err) == FIRN_OK && number == 1);
        arena_close(&memory);
    }
}

TEST(ice_metadata_changes_keep_what_they_do_not_know) {
    arena memory = arena_open(MEMORY_LIMIT);
    const text json = changed_at(NULL, creation(2, &memory), NOW, &memory);
    text_builder extended = text_builder_open(&memory);
    text_append(&extended, TEXT("{\"x-unknown\":{\"a\":[1.50,\"\\u00e4\"]},"));
    text_append(&extended, text_slice(json, 1, json.size));
    const json_node *old = tree_of((text){.data = extended.data, .size = extended.size}, &memory);
    const json_node *root = tree_of(
        changed_at(old, append_of(10, ICE_NO_SNAPSHOT, 1, NOW + 5, &memory), NOW + 5, &memory),
        &memory);
    const json_node *kept = json_find(root, "x-unknown");
    REQUIRE(kept != NULL);
    CHECK(json_nodes_equal(kept, json_find(old, "x-unknown")));
    CHECK(text_equal(kept->first->first->value, TEXT("1.50")));
    arena_close(&memory);
}

TEST(ice_metadata_logs_snapshots_and_files) {
    arena memory = arena_open(MEMORY_LIMIT);
    firn_error err = ERR_INIT;
    ice_metadata read;
    text json = changed_at(NULL, creation(2, &memory), NOW, &memory);
    for (int64_t i = 1; i <= 4; i++) { // The clock of the third goes back by an hour.
        const json_node *old = tree_of(json, &memory);
        const int64_t now = ice_metadata_time(old, i == 3 ? NOW - 3600000 : NOW + i * 10);
        CHECK(now == NOW + (i == 3 ? 20 : i * 10));
        const int64_t parent = i == 1 ? ICE_NO_SNAPSHOT : i - 1;
        json = changed_at(old, append_of(i, parent, i, now, &memory), now, &memory);
    }
    REQUIRE(ice_metadata_read(bytes_of_text(json), &memory, &read, &err) == FIRN_OK);
    CHECK(read.current_snapshot_id == 4 && read.snapshot_count == 4 && read.log_count == 4);
    CHECK(read.snapshots[3].sequence_number == 4 && read.snapshots[3].parent_id == 3);
    CHECK(read.snapshots[0].rows.is_known && read.snapshots[0].rows.value == 7);
    CHECK(read.log[2].timestamp_ms == NOW + 20 && read.log[3].timestamp_ms == NOW + 40);
    const json_node *log = json_find(tree_of(json, &memory), "metadata-log");
    CHECK(log != NULL && log->count == 2); // As the property says.

    // Of what is removed the log keeps nothing, nor what was before it.
    ice_updates updates;
    text removal;
    ice_updates_open(&updates, &memory);
    ice_update_remove_snapshots(&updates, 1, (const int64_t[]){2});
    REQUIRE(ice_updates_finish(&updates, &removal, &err) == FIRN_OK);
    json = changed_at(tree_of(json, &memory), removal, NOW + 50, &memory);
    REQUIRE(ice_metadata_read(bytes_of_text(json), &memory, &read, &err) == FIRN_OK);
    CHECK(read.snapshot_count == 3 && read.log_count == 2 && read.log[0].snapshot_id == 3);
    arena_close(&memory);
}

TEST(ice_metadata_of_version_1_is_upgraded) {
    static const char old[] =
        "{\"format-version\":1,\"table-uuid\":\"u\",\"location\":\"/t\",\"last-updated-ms\":5,"
        "\"last-column-id\":1,\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,"
        "\"name\":\"a\",\"required\":false,\"type\":\"int\"}]},\"partition-spec\":[{\"name\":\"b\","
        "\"transform\":\"bucket[4]\",\"source-id\":1}],\"current-snapshot-id\":7,\"snapshots\":[{"
        "\"snapshot-id\":7,\"timestamp-ms\":5,\"manifest-list\":\"l\"}]}";
    arena memory = arena_open(MEMORY_LIMIT);
    firn_error err = ERR_INIT;
    ice_metadata read;
    const text json = changed_at(
        tree_of(text_of(old), &memory),
        TEXT("[{\"action\":\"upgrade-format-version\",\"format-version\":2}]"), 9, &memory);
    REQUIRE(ice_metadata_read(bytes_of_text(json), &memory, &read, &err) == FIRN_OK);
    CHECK(read.format_version == 2 && read.specs[0].fields[0].field_id == 1000);
    CHECK(read.ref_count == 1 && read.refs[0].snapshot_id == 7);
    const json_node *root = tree_of(json, &memory);
    int64_t number = -1;
    CHECK(json_get_i64(root, "last-sequence-number", &number, &err) == FIRN_OK && number == 0);
    CHECK(json_get_i64(root, "last-partition-id", &number, &err) == FIRN_OK && number == 1000);
    CHECK(json_find(root, "schema") == NULL && json_find(root, "refs") != NULL);
    arena_close(&memory);
}

TEST(ice_metadata_ids_are_used_again_for_what_is_equal) {
    arena memory = arena_open(MEMORY_LIMIT);
    const text json = changed_at(NULL, creation(2, &memory), NOW, &memory);
    const json_node *root = tree_of(
        changed_at(tree_of(json, &memory),
                   TEXT("[{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"name\":\"other\","
                        "\"transform\":\"bucket[16]\",\"source-id\":1},{\"name\":\"n\","
                        "\"transform\":\"truncate[2]\",\"source-id\":2}]}},"
                        "{\"action\":\"set-default-spec\",\"spec-id\":-1},"
                        "{\"action\":\"add-sort-order\",\"sort-order\":{\"order-id\":9,"
                        "\"fields\":[]}}]"),
                   NOW, &memory),
        &memory);
    const json_node *specs = json_find(root, "partition-specs");
    REQUIRE(specs != NULL && specs->count == 2);
    const json_node *fields = json_find(specs->first->next, "fields");
    int64_t first = 0;
    int64_t second = 0;
    int64_t spec = 0;
    firn_error err = ERR_INIT;
    CHECK(json_get_i64(fields->first, "field-id", &first, &err) == FIRN_OK && first == 1000);
    CHECK(json_get_i64(fields->first->next, "field-id", &second, &err) == FIRN_OK &&
          second == 1001);
    CHECK(json_get_i64(root, "default-spec-id", &spec, &err) == FIRN_OK && spec == 1);
    const json_node *again = tree_of(
        changed_at(root,
                   TEXT("[{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\","
                        "\"schema-id\":7,\"fields\":[{\"id\":1,\"name\":\"id\",\"required\":true,"
                        "\"type\":\"long\"},{\"id\":2,\"name\":\"name\",\"required\":false,"
                        "\"type\":\"string\"}]}},"
                        "{\"action\":\"set-current-schema\",\"schema-id\":-1}]"),
                   NOW, &memory),
        &memory);
    CHECK(json_find(again, "schemas")->count == 1);
    arena_close(&memory);
}

// Java's catalog has -1 mean what these updates have added, and nothing else.
TEST(ice_metadata_says_to_catalogs_the_id_of_what_was_there_before) {
    arena memory = arena_open(MEMORY_LIMIT);
    const text json = changed_at(NULL, creation(2, &memory), NOW, &memory);
    const ice_change how = {.now_ms = NOW};
    ice_changed out;
    firn_error err = ERR_INIT;
    CHECK(ice_metadata_change(
              tree_of(json, &memory),
              TEXT("[{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"name\":\"id_bucket\","
                   "\"transform\":\"bucket[16]\",\"source-id\":1,\"field-id\":1000}]}},"
                   "{\"action\":\"set-default-spec\",\"spec-id\":-1},"
                   "{\"action\":\"add-sort-order\",\"sort-order\":{\"order-id\":9,\"fields\":[]}},"
                   "{\"action\":\"set-default-sort-order\",\"sort-order-id\":-1}]"),
              &how, &memory, &out, &err) == FIRN_OK);
    CHECK(text_equal(out.updates, TEXT("[{\"action\":\"set-default-spec\",\"spec-id\":0},"
                                       "{\"action\":\"add-sort-order\",\"sort-order\":"
                                       "{\"order-id\":9,\"fields\":[]}},"
                                       "{\"action\":\"set-default-sort-order\","
                                       "\"sort-order-id\":-1}]")));
    arena_close(&memory);
}

TEST(ice_metadata_refuses_changes_that_cannot_be) {
    static const struct {
        const char *updates;
        firn_status status;
        const char *words;
    } rows[] = {
        {"[{\"action\":\"upgrade-format-version\",\"format-version\":1}]", FIRN_INVALID, "become"},
        {"[{\"action\":\"upgrade-format-version\",\"format-version\":3}]", FIRN_UNSUPPORTED, "3"},
        {"[{\"action\":\"assign-uuid\",\"uuid\":\"x\"}]", FIRN_INVALID, "cannot become"},
        {"[{\"action\":\"set-current-schema\",\"schema-id\":4}]", FIRN_INVALID, "none such"},
        {"[{\"action\":\"set-default-spec\",\"spec-id\":-1}]", FIRN_INVALID, "none was added"},
        {"[{\"action\":\"set-snapshot-ref\",\"ref-name\":\"b\",\"type\":\"branch\","
         "\"snapshot-id\":99}]",
         FIRN_INVALID, "not there"},
        {"[{\"action\":\"set-snapshot-ref\",\"ref-name\":\"main\",\"type\":\"tag\","
         "\"snapshot-id\":1}]",
         FIRN_INVALID, "cannot be"},
        {"[{\"action\":\"set-snapshot-ref\",\"ref-name\":\"t\",\"type\":\"tag\","
         "\"snapshot-id\":1,\"min-snapshots-to-keep\":1}]",
         FIRN_INVALID, "min-snapshots"},
        {"[{\"action\":\"remove-snapshots\",\"snapshot-ids\":[1]}]", FIRN_INVALID, "current"},
        {"[{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":1,\"sequence-number\":9,"
         "\"timestamp-ms\":1700000000000,\"manifest-list\":\"l\","
         "\"summary\":{\"operation\":\"append\"}}}]",
         FIRN_INVALID, "already"},
        {"[{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":2,\"sequence-number\":1,"
         "\"timestamp-ms\":1700000000000,\"manifest-list\":\"l\","
         "\"summary\":{\"operation\":\"append\"}}}]",
         FIRN_CONFLICT, "sequence number"},
        {"[{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":2,\"sequence-number\":9,"
         "\"timestamp-ms\":1600000000000,\"manifest-list\":\"l\","
         "\"summary\":{\"operation\":\"append\"}}}]",
         FIRN_INVALID, "before the last change"},
        {"[{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"name\":\"a\",\"source-id\":9,"
         "\"transform\":\"identity\"}]}}]",
         FIRN_INVALID, "no such column"},
        {"[{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"name\":\"a\",\"source-id\":1,"
         "\"transform\":\"later\"}]}}]",
         FIRN_UNSUPPORTED, "later"},
        {"[{\"action\":\"later\"}]", FIRN_UNSUPPORTED, "later"},
    };
    arena memory = arena_open(MEMORY_LIMIT);
    const text json = changed_at(NULL, creation(2, &memory), NOW, &memory);
    const json_node *old =
        tree_of(changed_at(tree_of(json, &memory), append_of(1, ICE_NO_SNAPSHOT, 1, NOW, &memory),
                           NOW, &memory),
                &memory);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ice_changed out;
        firn_error err = ERR_INIT;
        const firn_status status = ice_metadata_change(
            old, text_of(rows[i].updates), &(ice_change){.now_ms = NOW}, &memory, &out, &err);
        CHECK(status == rows[i].status);
        CHECK(strstr(err.text, rows[i].words) != NULL);
    }
    arena_close(&memory);
}

TEST(ice_metadata_requirements_hold_or_conflict) {
    arena memory = arena_open(MEMORY_LIMIT);
    const json_node *old = tree_of(changed_at(NULL, creation(2, &memory), NOW, &memory), &memory);
    for (int wrong = 0; wrong < 7; wrong++) { // 0: none of them.
        ice_updates list;
        text json;
        firn_error err = ERR_INIT;
        ice_updates_open(&list, &memory);
        ice_require_uuid(&list,
                         wrong == 1 ? TEXT("x") : TEXT("9C12D441-03fe-4693-9a96-a0705ddf69c1"));
        ice_require_ref(&list, TEXT("main"), wrong == 2 ? 5 : ICE_NO_SNAPSHOT);
        ice_require_current_schema(&list, wrong == 3);
        ice_require_last_column(&list, 2 + (wrong == 4));
        ice_require_last_partition(&list, 1000 + (wrong == 5));
        ice_require_default_order(&list, 1 + (wrong == 6));
        ice_require_default_spec(&list, 0);
        REQUIRE(ice_updates_finish(&list, &json, &err) == FIRN_OK);
        CHECK(ice_metadata_require(old, json, &memory, &err) ==
              (wrong == 0 ? FIRN_OK : FIRN_CONFLICT));
    }
    firn_error err = ERR_INIT;
    const text create = TEXT("[{\"type\":\"assert-create\"}]");
    CHECK(ice_metadata_require(NULL, create, &memory, &err) == FIRN_OK);
    CHECK(ice_metadata_require(old, create, &memory, &err) == FIRN_CONFLICT);
    arena_close(&memory);
}
