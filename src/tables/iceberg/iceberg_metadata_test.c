#include "tables/iceberg/iceberg_metadata.h"
#include "tables/iceberg/iceberg_version.h"

#include "base/test.h"
#include "memory/text_builder.h"

// A table of version 2 with two schemas, two snapshots, a branch and a tag.
static const char whole[] =
    "{\"format-version\":2,\"table-uuid\":\"u\",\"location\":\"file:/t\",\"last-updated-ms\":2000,"
    "\"last-column-id\":3,\"last-sequence-number\":2,\"current-schema-id\":1,\"schemas\":["
    "{\"type\":\"struct\",\"schema-id\":0,\"fields\":["
    "{\"id\":1,\"name\":\"id\",\"required\":true,\"type\":\"int\"}]},"
    "{\"type\":\"struct\",\"schema-id\":1,\"fields\":["
    "{\"id\":1,\"name\":\"id\",\"required\":true,\"type\":\"long\"},"
    "{\"id\":2,\"name\":\"price\",\"required\":false,\"type\":\"decimal(9, 2)\"},"
    "{\"id\":3,\"name\":\"tags\",\"required\":false,\"type\":{\"type\":\"list\",\"element-id\":4,"
    "\"element\":\"string\",\"element-required\":false}}]}],"
    "\"default-spec-id\":0,\"last-partition-id\":1000,\"partition-specs\":[{\"spec-id\":0,"
    "\"fields\":[{\"name\":\"b\",\"transform\":\"bucket[8]\",\"source-id\":1,"
    "\"field-id\":1000}]}],"
    "\"sort-orders\":[{\"order-id\":0,\"fields\":[]}],\"default-sort-order-id\":0,"
    "\"properties\":{},\"current-snapshot-id\":11,\"snapshots\":["
    "{\"snapshot-id\":10,\"sequence-number\":1,\"timestamp-ms\":1000,\"manifest-list\":\"a\","
    "\"schema-id\":0,\"summary\":{\"operation\":\"append\"}},"
    "{\"snapshot-id\":11,\"parent-snapshot-id\":10,\"sequence-number\":2,\"timestamp-ms\":2000,"
    "\"manifest-list\":\"b\",\"schema-id\":1,\"summary\":{\"operation\":\"append\","
    "\"total-records\":\"7\"}}],"
    "\"snapshot-log\":[{\"snapshot-id\":10,\"timestamp-ms\":1000},"
    "{\"snapshot-id\":11,\"timestamp-ms\":2000}],"
    "\"refs\":{\"main\":{\"snapshot-id\":11,\"type\":\"branch\"},"
    "\"old\":{\"snapshot-id\":10,\"type\":\"tag\"},"
    "\"dev\":{\"snapshot-id\":10,\"type\":\"branch\"}}}";

// `whole` with its first `from` replaced.
static text changed(const char *from, const char *to, arena *memory) {
    const text all = text_of(whole);
    const size_t at = text_find(all, text_of(from));
    text_builder builder = text_builder_open(memory);
    CHECK(at < all.size);
    text_append(&builder, text_slice(all, 0, at));
    text_append(&builder, text_of(to));
    text_append(&builder, text_slice(all, at + strlen(from), all.size));
    text out = {0};
    firn_error err = ERR_INIT;
    CHECK(text_builder_finish(&builder, &out, &err) == FIRN_OK);
    return out;
}

TEST(ice_metadata_resolves_versions_with_their_schemas) {
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    ice_metadata metadata;
    REQUIRE(ice_metadata_read(bytes_of_text(text_of(whole)), &memory, &metadata, &err) == FIRN_OK);
    const struct {
        table_version version;
        int64_t snapshot; // 0: there is none.
        int32_t schema;
    } rows[] = {
        {{.kind = VERSION_CURRENT}, 11, 1},
        {{.kind = VERSION_SNAPSHOT, .number = 10}, 10, 0},
        {{.kind = VERSION_SNAPSHOT, .number = 12}, 0, 0},
        {{.kind = VERSION_REF, .ref = TEXT("old")}, 10, 0},
        {{.kind = VERSION_REF, .ref = TEXT("dev")}, 10, 1},
        {{.kind = VERSION_REF, .ref = TEXT("mian")}, 0, 0},
        {{.kind = VERSION_TIMESTAMP, .number = 1999999}, 10, 0},
        {{.kind = VERSION_TIMESTAMP, .number = 2000000}, 11, 1},
        {{.kind = VERSION_TIMESTAMP, .number = 999999}, 0, 0},
        {{.is_incremental = true, .from_snapshot_id = 10, .to_snapshot_id = 11}, 11, 1},
        {{.is_incremental = true, .from_snapshot_id = 11, .to_snapshot_id = 10}, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const ice_snapshot *snapshot;
        const ice_schema *schema;
        const firn_status status =
            ice_version_resolve(&metadata, &rows[i].version, &snapshot, &schema, &err);
        CHECK((status == FIRN_OK) == (rows[i].snapshot != 0));
        if (status == FIRN_OK) {
            CHECK(snapshot->id == rows[i].snapshot);
            CHECK(schema->id == rows[i].schema);
        }
    }
    arena_close(&memory);
}

TEST(ice_metadata_refuses_what_java_refuses) {
    const struct {
        const char *from;
        const char *to;
        const char *words;
    } rows[] = {
        {"\"format-version\":2", "\"format-version\":9", "at most 3 is read"},
        {"\"format-version\":2", "\"format-version\":0", "at least 1"},
        {"\"format-version\":2", "\"format-version\":\"2\"", "format-version"},
        {"\"table-uuid\":\"u\",", "", "table-uuid"},
        {"\"location\":\"file:/t\",", "", "location"},
        {"\"last-column-id\":3", "\"last-column-id\":\"3\"", "last-column-id"},
        {"\"last-sequence-number\":2,", "", "last-sequence-number"},
        {"\"last-partition-id\":1000,", "", "last-partition-id"},
        {"\"current-schema-id\":1", "\"current-schema-id\":7", "there is no such schema"},
        {"\"default-spec-id\":0", "\"default-spec-id\":5", "there is no such spec"},
        {"\"sort-orders\":[{\"order-id\":0,\"fields\":[]}],", "", "sort-orders"},
        {"\"current-snapshot-id\":11", "\"current-snapshot-id\":12", "no such snapshot"},
        {"\"main\":{\"snapshot-id\":11", "\"main\":{\"snapshot-id\":10", "the current snapshot"},
        {"\"type\":\"tag\"", "\"type\":\"label\"", "a branch or a tag"},
        {"\"properties\":{}", "\"properties\":{\"a\":1}", "properties"},
        {"\"operation\":\"append\"", "\"operation\":1", "operation"},
        {"\"manifest-list\":\"a\",", "", "manifests"},
        {"\"type\":\"long\"", "\"type\":\"longer\"", "not a type"},
        {"decimal(9, 2)", "decimal(39, 2)", "at most 38"},
        {"decimal(9, 2)", "decimal(9, 10)", "scale"},
        {"decimal(9, 2)", "decimal(9)", "not a type"},
        {"decimal(9, 2)", "fixed[-1]", "length"},
        {"\"id\":2", "\"id\":4", "twice"},
        {"\"element-id\":4,", "", "element-id"},
        {"\"required\":false", "\"required\":\"no\"", "required"},
        {"}}}", "}}", "line 1"},
        {"\"fields\":[]}],\"default-sort-order-id\":0",
         "\"fields\":[{\"transform\":\"identity\",\"source-id\":1,\"direction\":\"up\","
         "\"null-order\":\"nulls-first\"}],\"order-id\":1}],\"default-sort-order-id\":1",
         "direction"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        arena memory = arena_open(1 << 20);
        firn_error err = ERR_INIT;
        ice_metadata metadata;
        const text file = changed(rows[i].from, rows[i].to, &memory);
        CHECK(ice_metadata_read(bytes_of_text(file), &memory, &metadata, &err) != FIRN_OK);
        CHECK(strstr(err.text, rows[i].words) != NULL);
        if (strstr(err.text, rows[i].words) == NULL) {
            printf("  \"%s\" for \"%s\"\n", err.text, rows[i].to);
        }
        arena_close(&memory);
    }
}

TEST(ice_metadata_takes_a_transform_of_a_later_specification) {
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    ice_metadata metadata;
    const text file = changed("bucket[8]", "zorder[8]", &memory);
    REQUIRE(ice_metadata_read(bytes_of_text(file), &memory, &metadata, &err) == FIRN_OK);
    CHECK(metadata.specs[0].fields[0].transform.kind == ICE_UNKNOWN);
    arena_close(&memory);
}

TEST(ice_metadata_of_version_1_needs_neither_uuid_nor_lists) {
    static const char first[] =
        "{\"format-version\":1,\"location\":\"/t\",\"last-updated-ms\":1,\"last-column-id\":1,"
        "\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"a\",\"required\":false,"
        "\"type\":\"fixed[4]\"}]},\"partition-spec\":[{\"name\":\"a\",\"transform\":\"identity\","
        "\"source-id\":1}],\"current-snapshot-id\":-1}";
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    ice_metadata metadata;
    REQUIRE(ice_metadata_read(bytes_of_text(text_of(first)), &memory, &metadata, &err) == FIRN_OK);
    CHECK(metadata.spec_count == 1 && metadata.specs[0].fields[0].field_id == 1000);
    CHECK(metadata.schemas[0].columns.fields[0].type->width == 4);
    const ice_snapshot *snapshot;
    const ice_schema *schema;
    CHECK(ice_version_resolve(&metadata, NULL, &snapshot, &schema, &err) == FIRN_OK);
    CHECK(snapshot == NULL && schema->columns.count == 1);
    arena_close(&memory);
}

TEST(ice_metadata_keeps_what_a_writer_needs) {
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    ice_metadata metadata;
    REQUIRE(ice_metadata_read(bytes_of_text(text_of(whole)), &memory, &metadata, &err) == FIRN_OK);
    CHECK(text_equal(metadata.uuid, TEXT("u")));
    CHECK(metadata.last_sequence_number == 2);
    CHECK(metadata.order.id == 0 && metadata.order.count == 0 && metadata.property_count == 0);
    char large[1100]; // Longer than what is shown; what writers obey is kept all the same.
    memset(large, 'x', sizeof large);
    text properties;
    REQUIRE(text_format(&memory, &properties, &err,
                        "\"properties\":{\"write.format.default\":\"avro\",\"mine\":\"%.*s\","
                        "\"short\":\"y\",\"commit.x\":\"%.*s\",\"gc.enabled\":\"false\"}",
                        (int)sizeof large, large, (int)sizeof large, large) == FIRN_OK);
    const text told = changed("\"properties\":{}", properties.data, &memory);
    REQUIRE(ice_metadata_read(bytes_of_text(told), &memory, &metadata, &err) == FIRN_OK);
    text value = TEXT("as it was");
    CHECK(metadata.property_count == 4);
    CHECK(!ice_metadata_property(&metadata, TEXT("mine"), &value));
    CHECK(text_equal(value, TEXT("as it was")));
    CHECK(ice_metadata_property(&metadata, TEXT("write.format.default"), &value));
    CHECK(text_equal(value, TEXT("avro")));
    const text sorted =
        changed("\"fields\":[]}],\"default-sort-order-id\":0",
                "\"fields\":[]},{\"order-id\":3,\"fields\":[{\"transform\":\"bucket[4]\","
                "\"source-id\":2,\"direction\":\"desc\",\"null-order\":\"nulls-first\"}]}],"
                "\"default-sort-order-id\":3",
                &memory);
    REQUIRE(ice_metadata_read(bytes_of_text(sorted), &memory, &metadata, &err) == FIRN_OK);
    REQUIRE(metadata.order.id == 3 && metadata.order.count == 1);
    const ice_order_field *by = &metadata.order.fields[0];
    CHECK(by->source_id == 2 && by->is_descending && by->nulls_first);
    CHECK(by->transform.kind == ICE_BUCKET && by->transform.width == 4);
    arena_close(&memory);
}

TEST(ice_metadata_finds_parents_wherever_they_stand) {
    const ice_snapshot snapshots[] = {{.id = 1, .parent_id = ICE_NO_SNAPSHOT},
                                      {.id = 2, .parent_id = 4},
                                      {.id = 3, .parent_id = 1},
                                      {.id = 4, .parent_id = 3},
                                      {.id = 5, .parent_id = 99}};
    const ice_metadata metadata = {.snapshot_count = 5, .snapshots = snapshots};
    const int64_t past[] = {2, 4, 3, 1};
    const ice_snapshot *at = &snapshots[1];
    for (size_t i = 0; i < sizeof past / sizeof *past; i++) {
        REQUIRE(at != NULL && at->id == past[i]);
        at = ice_metadata_parent(&metadata, at);
    }
    CHECK(at == NULL && ice_metadata_parent(&metadata, &snapshots[4]) == NULL);
}

TEST(ice_metadata_of_a_tree_is_that_of_its_text) {
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    const json_node *root;
    ice_metadata read;
    ice_metadata of;
    REQUIRE(ice_metadata_read(bytes_of_text(text_of(whole)), &memory, &read, &err) == FIRN_OK);
    REQUIRE(ice_json_read(bytes_of_text(text_of(whole)), &memory, &root, &err) == FIRN_OK);
    REQUIRE(ice_metadata_of(root, &memory, &of, &err) == FIRN_OK);
    CHECK(of.format_version == read.format_version && text_equal(of.uuid, read.uuid));
    CHECK(text_equal(of.location, read.location) && of.spec_count == read.spec_count);
    CHECK(of.schema_count == read.schema_count && of.ref_count == read.ref_count);
    CHECK(of.log_count == read.log_count && of.property_count == read.property_count);
    REQUIRE(of.snapshot_count == read.snapshot_count && of.snapshot_count > 0);
    for (uint32_t i = 0; i < of.snapshot_count; i++) {
        CHECK(of.snapshots[i].id == read.snapshots[i].id);
        CHECK(of.snapshots[i].parent_id == read.snapshots[i].parent_id);
        CHECK(text_equal(of.snapshots[i].manifest_list, read.snapshots[i].manifest_list));
    }
    arena_close(&memory);
}
