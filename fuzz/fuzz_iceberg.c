// Table metadata from any bytes. What is read must be the same after the document was written anew
// from its tree, and every version it names must resolve or fail cleanly.
#include <stdlib.h>

#include "memory/text_builder.h"
#include "tables/iceberg/iceberg_metadata.h"
#include "tables/iceberg/iceberg_view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true) {
    if (!is_true) {
        abort();
    }
}

static void resolve_all(const ice_metadata *metadata) {
    const ice_snapshot *snapshot;
    const ice_schema *schema;
    firn_error err = ERR_INIT;
    for (uint32_t i = 0; i < metadata->ref_count && i < 16; i++) {
        const table_version version = {.kind = VERSION_REF, .ref = metadata->refs[i].name};
        if (ice_metadata_resolve(metadata, &version, &snapshot, &schema, &err) == FIRN_OK) {
            require(snapshot != NULL && schema != NULL);
        }
    }
    for (uint32_t i = 0; i < metadata->log_count && i < 16; i++) {
        const table_version version = {.kind = VERSION_TIMESTAMP,
                                       .number = metadata->log[i].timestamp_ms};
        (void)(ice_metadata_resolve(metadata, &version, &snapshot, &schema, &err) == FIRN_OK);
    }
    const table_version range = {
        .is_incremental = true, .from_snapshot_id = 0, .to_snapshot_id = -1};
    (void)(ice_metadata_resolve(metadata, &range, &snapshot, &schema, &err) == FIRN_OK);
}

static void compare(const ice_metadata *left, const ice_metadata *right) {
    require(left->format_version == right->format_version);
    require(left->current_snapshot_id == right->current_snapshot_id);
    require(left->schema_count == right->schema_count && left->spec_count == right->spec_count);
    require(left->snapshot_count == right->snapshot_count && left->ref_count == right->ref_count);
    for (uint32_t i = 0; i < left->schema_count; i++) {
        require((left->schema_errors[i] == NULL) == (right->schema_errors[i] == NULL));
        require(left->schemas[i].columns.count == right->schemas[i].columns.count);
        for (uint32_t j = 0; left->schema_errors[i] == NULL && j < left->schemas[i].columns.count;
             j++) {
            require(type_equal(left->schemas[i].columns.fields[j].type,
                               right->schemas[i].columns.fields[j].type));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    arena memory = arena_open((size_t)64 << 20);
    const bytes file = {.size = size, .data = data};
    firn_error err = ERR_INIT;
    ice_metadata metadata;
    view_definition *view;
    const json_node *root;
    if (ice_metadata_read(file, &memory, &metadata, &err) == FIRN_OK) {
        resolve_all(&metadata);
        text_builder builder = text_builder_open(&memory);
        json_writer json = json_writer_into(&builder, 0);
        text copy;
        ice_metadata again;
        require(ice_json_read(file, &memory, &root, &err) == FIRN_OK);
        json_write_node(&json, root);
        json_writer_finish(&json);
        if (text_builder_finish(&builder, &copy, &err) == FIRN_OK) {
            const bytes written = {.size = copy.size, .data = (const uint8_t *)copy.data};
            const firn_status status = ice_metadata_read(written, &memory, &again, &err);
            require(status == FIRN_OK || status == FIRN_NO_MEMORY);
            if (status == FIRN_OK) {
                compare(&metadata, &again);
            }
        }
    }
    (void)(ice_view_read(file, TEXT("lake"), &memory, &view, &err) == FIRN_OK);
    arena_close(&memory);
    return 0;
}
