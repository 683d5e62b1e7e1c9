// Changes of table metadata: the input is an old metadata file, a line break, and updates; without
// a line break, updates of a new table; the same list is taken as requirements too. What is no JSON
// array of updates is taken apart from a list of such as may follow.
//
// Oracle: what a change makes is metadata that the reader takes if it took the old one, with the
// unknown member of the root as it was; changing it by nothing gives the same again but for its
// logs.
#include <stdlib.h>

#include "memory/json_edit.h"
#include "tables/iceberg/iceberg_metadata_write.h"

#define MEMORY_MAX ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true) {
    if (!is_true) {
        abort();
    }
}

static bytes bytes_of(text value) {
    return (bytes){.data = (const uint8_t *)value.data, .size = value.size};
}

// Lists of actions that the bytes of the input choose from.
static text updates_of(bytes input, arena *memory) {
    static const char *const some[] = {
        "{\"action\":\"upgrade-format-version\",\"format-version\":2}",
        "{\"action\":\"assign-uuid\",\"uuid\":\"u\"}",
        "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,"
        "\"name\":\"a\",\"required\":true,\"type\":\"long\"}]}}",
        "{\"action\":\"set-current-schema\",\"schema-id\":-1}",
        "{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"name\":\"p\",\"source-id\":1,"
        "\"transform\":\"bucket[4]\"}]}}",
        "{\"action\":\"add-spec\",\"spec\":{\"fields\":[]}}",
        "{\"action\":\"set-default-spec\",\"spec-id\":-1}",
        "{\"action\":\"add-sort-order\",\"sort-order\":{\"fields\":[]}}",
        "{\"action\":\"set-default-sort-order\",\"sort-order-id\":-1}",
        "{\"action\":\"set-location\",\"location\":\"/t\"}",
        "{\"action\":\"set-properties\",\"updates\":{\"a\":\"b\"}}",
        "{\"action\":\"remove-properties\",\"removals\":[\"a\"]}",
        "{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":5,\"sequence-number\":3,"
        "\"timestamp-ms\":9000,\"manifest-list\":\"l\",\"summary\":{\"operation\":\"append\"}}}",
        "{\"action\":\"set-snapshot-ref\",\"ref-name\":\"main\",\"type\":\"branch\","
        "\"snapshot-id\":5}",
        "{\"action\":\"set-snapshot-ref\",\"ref-name\":\"x\",\"type\":\"tag\",\"snapshot-id\":5}",
        "{\"action\":\"remove-snapshot-ref\",\"ref-name\":\"main\"}",
        "{\"action\":\"remove-snapshots\",\"snapshot-ids\":[5]}",
    };
    text_builder out = text_builder_open(memory);
    text made = {0};
    firn_error err = ERR_INIT;
    text_append_char(&out, '[');
    for (size_t i = 0; i < input.size && i < 64; i++) {
        text_append(&out, i == 0 ? TEXT("") : TEXT(","));
        text_append(&out, text_of(some[input.data[i] % (sizeof some / sizeof *some)]));
    }
    text_append_char(&out, ']');
    return text_builder_finish(&out, &made, &err) == FIRN_OK ? made : TEXT("[]");
}

static const json_node *tree_of(text json, arena *memory) {
    const json_node *out = NULL;
    firn_error err = ERR_INIT;
    const firn_status status = ice_json_read(bytes_of(json), memory, &out, &err);
    require(status == FIRN_OK || status == FIRN_NO_MEMORY);
    return out;
}

static void check(const json_node *old, bool is_readable, text json, arena *memory) {
    ice_metadata read;
    ice_changed again;
    firn_error err = ERR_INIT;
    const json_node *root = tree_of(json, memory);
    if (root == NULL) {
        return;
    }
    const firn_status status = ice_metadata_read(bytes_of(json), memory, &read, &err);
    require(!is_readable || status == FIRN_OK || status == FIRN_NO_MEMORY);
    const json_node *unknown = old == NULL ? NULL : json_find(old, "x-unknown");
    const json_node *kept = json_find(root, "x-unknown");
    require((unknown == NULL) == (kept == NULL));
    require(unknown == NULL || json_nodes_equal(unknown, kept));
    const ice_change how = {.now_ms = 0};
    err = ERR_INIT;
    const firn_status same = ice_metadata_change(root, TEXT("[]"), &how, memory, &again, &err);
    require(same == FIRN_OK || same == FIRN_NO_MEMORY);
    if (same == FIRN_OK) {
        const json_node *twice = tree_of(again.json, memory);
        require(twice == NULL || json_nodes_equal(root, twice));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    arena memory = arena_open(MEMORY_MAX);
    firn_error err = ERR_INIT;
    const text all = {.data = (const char *)data, .size = size};
    const size_t line = text_find(all, TEXT("\n"));
    const bool has_old = line < size;
    const text rest = text_slice(all, has_old ? line + 1 : 0, size);
    const json_node *old = NULL;
    const json_node *list = NULL;
    ice_metadata read;
    ice_changed changed;
    bool is_readable = true;
    if (has_old) {
        const text head = text_slice(all, 0, line);
        if (json_tree_read(&memory, bytes_of(head), &old, &err) != FIRN_OK) {
            arena_close(&memory);
            return 0;
        }
        is_readable = ice_metadata_read(bytes_of(head), &memory, &read, &err) == FIRN_OK;
    }
    const bool is_list =
        json_tree_read(&memory, bytes_of(rest), &list, &err) == FIRN_OK && list->kind == JSON_ARRAY;
    const text updates = is_list ? rest : updates_of(bytes_of(rest), &memory);
    const ice_change how = {.now_ms = 8000, .old_location = TEXT("/t/metadata/old.json")};
    err = ERR_INIT;
    if (ice_metadata_change(old, updates, &how, &memory, &changed, &err) == FIRN_OK) {
        check(old, is_readable, changed.json, &memory);
    } else {
        require(err.length > 0);
    }
    // The same list as requirements.
    err = ERR_INIT;
    const firn_status met = ice_metadata_require(old, rest, &memory, &err);
    require(met == FIRN_OK || err.text[0] != '\0');
    arena_close(&memory);
    return 0;
}
