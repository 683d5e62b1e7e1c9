// Table metadata from any bytes. What is read must be the same after the document was written anew
// from its tree, and every version it names must resolve or fail cleanly.
//
// With its types go values, of the bytes of the document: what a value is as a column of one row is
// the value again; what its partition value says of it (a range, a bucket) holds for it. A mapping
// keeps the shape of a type.
#include <stdlib.h>

#include "base/hash.h"
#include "memory/text_builder.h"
#include "tables/iceberg/iceberg_version.h"
#include "tables/iceberg/iceberg_view.h"
#include "tables/iceberg/iceberg_view_write.h"

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
        if (ice_version_resolve(metadata, &version, &snapshot, &schema, &err) == FIRN_OK) {
            require(snapshot != NULL && schema != NULL);
        }
    }
    for (uint32_t i = 0; i < metadata->log_count && i < 16; i++) {
        const table_version version = {.kind = VERSION_TIMESTAMP,
                                       .number = metadata->log[i].timestamp_ms};
        (void)(ice_version_resolve(metadata, &version, &snapshot, &schema, &err) == FIRN_OK);
    }
    for (uint32_t i = 0; i < metadata->snapshot_count && i < 16; i++) {
        const table_version version = {.kind = VERSION_SNAPSHOT,
                                       .number = metadata->snapshots[i].id};
        (void)(ice_version_resolve(metadata, &version, &snapshot, &schema, &err) == FIRN_OK);
    }
    static const char *const names[] = {"main", "mian", ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const table_version version = {.kind = VERSION_REF, .ref = text_of(names[i])};
        (void)(ice_version_resolve(metadata, &version, &snapshot, &schema, &err) == FIRN_OK);
    }
    const table_version others[] = {{.kind = VERSION_CURRENT},
                                    {.kind = VERSION_SNAPSHOT, .number = -7},
                                    {.kind = VERSION_TIMESTAMP, .number = 0}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        (void)(ice_version_resolve(metadata, &others[i], &snapshot, &schema, &err) == FIRN_OK);
    }
    const table_version range = {
        .is_incremental = true, .from_snapshot_id = 0, .to_snapshot_id = -1};
    (void)(ice_version_resolve(metadata, &range, &snapshot, &schema, &err) == FIRN_OK);
}

// ---- Values ------------------------------------------------------------------------------------

static bool is_same(const ice_scalar *left, const ice_scalar *right, arena *memory) {
    text_builder builders[] = {text_builder_open(memory), text_builder_open(memory)};
    text keys[2];
    firn_error err = ERR_INIT;
    ice_scalar_key(left, &builders[0]);
    ice_scalar_key(right, &builders[1]);
    return text_builder_finish(&builders[0], &keys[0], &err) != FIRN_OK ||
           text_builder_finish(&builders[1], &keys[1], &err) != FIRN_OK ||
           text_equal(keys[0], keys[1]);
}

// Numbers only: bounds of texts are cut where characters end.
static void check_transform(const ice_transform *by, const type *of, const ice_scalar *value,
                            arena *memory) {
    int32_t bucket = 0;
    if (by->kind == ICE_BUCKET && ice_bucket_of(of, value, by->width, &bucket)) {
        require(bucket >= 0 && bucket < by->width);
    }
    const type *result = ice_transform_result(by, of);
    const ice_scalar made = ice_transform_apply(by, of, value, memory);
    if (result == NULL || made.kind == ICE_SCALAR_NONE || made.kind == ICE_SCALAR_NULL) {
        return;
    }
    require(made.kind == ice_scalar_kind_of(result));
    ice_scalar low;
    ice_scalar high;
    ice_transform_range(by, of, &made, &made, memory, &low, &high);
    if (value->kind == ICE_SCALAR_NUMBER) {
        require(low.kind != ICE_SCALAR_NUMBER || low.number <= value->number);
        require(high.kind != ICE_SCALAR_NUMBER || high.number >= value->number);
    }
}

static void check_value(const ice_metadata *metadata, const field *of, bytes raw, arena *memory) {
    const ice_scalar value = ice_scalar_of_bytes(of->type, raw);
    const column *made = ice_scalar_try_column(of->type, &value, memory);
    if (made != NULL) {
        const ice_scalar again = ice_scalar_of_column(made, 0);
        require(is_same(&value, &again, memory));
    }
    if (value.kind == ICE_SCALAR_NONE) {
        return;
    }
    for (uint32_t i = 0; i < metadata->spec_count && i < 8; i++) {
        const ice_spec *spec = &metadata->specs[i];
        for (uint32_t k = 0; k < spec->count && k < 32; k++) {
            if (spec->fields[k].source_id == of->id) {
                check_transform(&spec->fields[k].transform, of->type, &value, memory);
            }
        }
    }
}

static void check_values(const ice_metadata *metadata, bytes file) {
    static const size_t sizes[] = {1, 2, 4, 8, 9, 16};
    arena memory = arena_open((size_t)16 << 20);
    uint64_t seed = file.size;
    for (uint32_t i = 0; i < metadata->schema_count && i < 4; i++) {
        const schema *columns = &metadata->schemas[i].columns;
        const bool is_read = metadata->schema_errors[i] == NULL;
        for (uint32_t k = 0; is_read && k < columns->count && k < 64; k++) {
            const field *of = &columns->fields[k];
            const column *given = ice_schema_default(&metadata->schemas[i], of->id);
            require(given == NULL || type_equal(given->type, of->type));
            for (uint32_t n = 0; n < 24; n++) {
                seed = hash_u64(seed);
                const size_t size = sizes[seed % 6];
                const size_t at = (size_t)((seed >> 8) % file.size);
                // Small numbers and those of texts: half of them have zeros in front.
                uint8_t raw[16] = {0};
                for (size_t b = 0; b < size; b++) {
                    const bool is_taken = n % 2 == 0 || b == 0 || b + 1 == size;
                    raw[b] = is_taken && at + b < file.size ? (uint8_t)(file.data[at + b] * 37) : 0;
                }
                check_value(metadata, of, (bytes){.data = raw, .size = size}, &memory);
                arena_reset(&memory);
            }
        }
    }
    arena_close(&memory);
}

static bool has_shape(const type *left, const type *right) {
    bool is = left->id == right->id && left->child_count == right->child_count;
    for (uint32_t i = 0; is && i < left->child_count; i++) {
        is = has_shape(left->children[i].type, right->children[i].type);
    }
    return is;
}

static void check_mapping(const ice_metadata *metadata, arena *memory) {
    for (uint32_t i = 0; i < metadata->schema_count && i < 4; i++) {
        const schema *columns = &metadata->schemas[i].columns;
        if (metadata->schema_errors[i] != NULL) {
            continue;
        }
        require(columns->count == 0 || ice_schema_has_ids(columns));
        for (uint32_t k = 0; k < columns->count && k < 64; k++) {
            const type *of = columns->fields[k].type;
            const ice_mapping *below;
            const type *named = ice_mapping_rename(metadata->mapping, of, of, memory);
            require(named == NULL || has_shape(named, of));
            (void)ice_mapping_find(metadata->mapping, columns, columns->fields[k].id, &below);
        }
    }
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

// A view that gets another query has that one, whatever its metadata held.
static void replace_view(bytes file, arena *memory) {
    static const field column = {.name = {.data = "a", .size = 1}, .type = TYPE_OF(BIGINT)};
    const new_view wanted = {.as = {.sql = TEXT("SELECT 1 AS a")},
                             .columns = {.count = 1, .fields = &column},
                             .version = TEXT("1")};
    firn_error err = ERR_INIT;
    ice_view_change change;
    view_definition *view;
    const json_node *updates;
    if (ice_view_replace(&wanted, file, memory, &change, &err) != FIRN_OK) {
        return;
    }
    const firn_status status =
        ice_view_read(bytes_of_text(change.metadata), TEXT("lake"), memory, &view, &err);
    require(
        status == FIRN_NO_MEMORY ||
        (status == FIRN_OK && text_equal(view->sql, wanted.as.sql) && view->columns.count == 1));
    require(json_tree_read(memory, bytes_of_text(change.updates), &updates, &err) != FIRN_CORRUPT);
}

// One that gets another property has that one and no other more, and is read as it was.
static void change_view(bytes file, arena *memory) {
    const firn_option set = {.key = "k", .value = "v"};
    const char *const removed[] = {"owner", "none"};
    const property_change wanted = {
        .set_count = 1, .set = &set, .removed_count = 2, .removed = removed};
    firn_error err = ERR_INIT;
    ice_view_change change;
    view_definition *before;
    view_definition *after;
    const json_node *root;
    const firn_status readable = ice_view_read(file, TEXT("lake"), memory, &before, &err);
    if (ice_view_change_properties(&wanted, file, memory, &change, &err) != FIRN_OK) {
        return;
    }
    require(!change.is_empty);
    firn_status status = json_tree_read(memory, bytes_of_text(change.metadata), &root, &err);
    require(status == FIRN_OK || status == FIRN_NO_MEMORY);
    if (status == FIRN_OK) {
        const json_node *properties = json_find(root, "properties");
        require(text_equal(json_find(properties, "k")->value, TEXT("v")));
        require(json_find(properties, "owner") == NULL);
    }
    status = ice_view_read(bytes_of_text(change.metadata), TEXT("lake"), memory, &after, &err);
    require(status == readable || status == FIRN_NO_MEMORY || readable == FIRN_NO_MEMORY);
    require(status != FIRN_OK || readable != FIRN_OK || text_equal(before->sql, after->sql));
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
        check_values(&metadata, file);
        check_mapping(&metadata, &memory);
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
    replace_view(file, &memory);
    change_view(file, &memory);
    arena_close(&memory);
    return 0;
}
