// Updates and requirements as the JSON of the REST specification.
#include "tables/iceberg/iceberg_metadata_write.h"

void ice_updates_open(ice_updates *self, arena *memory) {
    self->builder = text_builder_open(memory);
    self->json = json_writer_into(&self->builder, 0);
    json_begin_array(&self->json);
}

firn_status ice_updates_finish(ice_updates *self, text *out, firn_error *err) {
    json_end_array(&self->json);
    json_writer_finish(&self->json);
    return text_builder_finish(&self->builder, out, err);
}

static void put_text(ice_updates *self, const char *key, text value) {
    json_write_key(&self->json, text_of(key));
    json_write_text(&self->json, value);
}

static void put_number(ice_updates *self, const char *key, int64_t value) {
    json_write_key(&self->json, text_of(key));
    json_write_i64(&self->json, value);
}

static void begin_update(ice_updates *self, const char *action) {
    json_begin_object(&self->json);
    put_text(self, "action", text_of(action));
}

static void end_update(ice_updates *self) {
    json_end_object(&self->json);
}

// ---- Updates -----------------------------------------------------------------------------------

void ice_update_assign_uuid(ice_updates *self, text uuid) {
    begin_update(self, "assign-uuid");
    put_text(self, "uuid", uuid);
    end_update(self);
}

void ice_update_upgrade(ice_updates *self, int32_t format_version) {
    begin_update(self, "upgrade-format-version");
    put_number(self, "format-version", format_version);
    end_update(self);
}

void ice_update_add_schema(ice_updates *self, const ice_schema *added, int32_t last_column_id) {
    begin_update(self, "add-schema");
    json_write_key(&self->json, TEXT("schema"));
    ice_schema_write(&self->json, added);
    put_number(self, "last-column-id", last_column_id);
    end_update(self);
}

void ice_update_add_schema_node(ice_updates *self, const json_node *added, int32_t last_column_id) {
    begin_update(self, "add-schema");
    json_write_key(&self->json, TEXT("schema"));
    json_write_node(&self->json, added);
    put_number(self, "last-column-id", last_column_id);
    end_update(self);
}

static void update_id(ice_updates *self, const char *action, const char *key, int64_t id) {
    begin_update(self, action);
    put_number(self, key, id);
    end_update(self);
}

void ice_update_set_current_schema(ice_updates *self, int32_t id) {
    update_id(self, "set-current-schema", "schema-id", id);
}

void ice_update_add_spec(ice_updates *self, const ice_spec *added, arena *memory) {
    begin_update(self, "add-spec");
    json_write_key(&self->json, TEXT("spec"));
    ice_spec_write(&self->json, added, memory);
    end_update(self);
}

void ice_update_set_default_spec(ice_updates *self, int32_t id) {
    update_id(self, "set-default-spec", "spec-id", id);
}

void ice_update_add_order(ice_updates *self, const ice_order *added, arena *memory) {
    begin_update(self, "add-sort-order");
    json_write_key(&self->json, TEXT("sort-order"));
    ice_order_write(&self->json, added, memory);
    end_update(self);
}

void ice_update_set_default_order(ice_updates *self, int32_t id) {
    update_id(self, "set-default-sort-order", "sort-order-id", id);
}

static void put_options(ice_updates *self, size_t count, const firn_option *options) {
    for (size_t i = 0; i < count; i++) {
        put_text(self, options[i].key, text_of(options[i].value));
    }
}

void ice_update_add_snapshot(ice_updates *self, const ice_new_snapshot *added) {
    begin_update(self, "add-snapshot");
    json_write_key(&self->json, TEXT("snapshot"));
    json_begin_object(&self->json);
    put_number(self, "snapshot-id", added->id);
    if (added->parent_id != ICE_NO_SNAPSHOT) {
        put_number(self, "parent-snapshot-id", added->parent_id);
    }
    if (added->sequence_number > 0) {
        put_number(self, "sequence-number", added->sequence_number);
    }
    put_number(self, "timestamp-ms", added->timestamp_ms);
    put_text(self, "manifest-list", added->manifest_list);
    put_number(self, "schema-id", added->schema_id);
    json_write_key(&self->json, TEXT("summary"));
    json_begin_object(&self->json);
    put_text(self, "operation", added->operation);
    put_options(self, added->summary_count, added->summary);
    json_end_object(&self->json);
    json_end_object(&self->json);
    end_update(self);
}

void ice_update_remove_snapshots(ice_updates *self, uint32_t count, const int64_t *ids) {
    begin_update(self, "remove-snapshots");
    json_write_key(&self->json, TEXT("snapshot-ids"));
    json_begin_array(&self->json);
    for (uint32_t i = 0; i < count; i++) {
        json_write_i64(&self->json, ids[i]);
    }
    json_end_array(&self->json);
    end_update(self);
}

void ice_update_set_ref(ice_updates *self, const ice_new_ref *ref) {
    begin_update(self, "set-snapshot-ref");
    put_text(self, "ref-name", ref->name);
    put_text(self, "type", ref->is_tag ? TEXT("tag") : TEXT("branch"));
    put_number(self, "snapshot-id", ref->snapshot_id);
    if (ref->snapshots_min > 0) {
        put_number(self, "min-snapshots-to-keep", ref->snapshots_min);
    }
    if (ref->snapshot_age_ms_max > 0) {
        put_number(self, "max-snapshot-age-ms", ref->snapshot_age_ms_max);
    }
    if (ref->ref_age_ms_max > 0) {
        put_number(self, "max-ref-age-ms", ref->ref_age_ms_max);
    }
    end_update(self);
}

void ice_update_remove_ref(ice_updates *self, text name) {
    begin_update(self, "remove-snapshot-ref");
    put_text(self, "ref-name", name);
    end_update(self);
}

void ice_update_set_properties(ice_updates *self, size_t count, const firn_option *properties) {
    begin_update(self, "set-properties");
    json_write_key(&self->json, TEXT("updates"));
    json_begin_object(&self->json);
    put_options(self, count, properties);
    json_end_object(&self->json);
    end_update(self);
}

void ice_update_remove_properties(ice_updates *self, uint32_t count, const text *names) {
    begin_update(self, "remove-properties");
    json_write_key(&self->json, TEXT("removals"));
    json_begin_array(&self->json);
    for (uint32_t i = 0; i < count; i++) {
        json_write_text(&self->json, names[i]);
    }
    json_end_array(&self->json);
    end_update(self);
}

void ice_update_set_location(ice_updates *self, text location) {
    begin_update(self, "set-location");
    put_text(self, "location", location);
    end_update(self);
}

static void put_named_options(ice_updates *self, size_t count, const firn_option *options) {
    if (count > 0) {
        json_write_key(&self->json, TEXT("properties"));
        json_begin_object(&self->json);
        put_options(self, count, options);
        json_end_object(&self->json);
    }
}

static void put_ids(ice_updates *self, const char *key, uint32_t count, const int32_t *ids) {
    json_write_key(&self->json, text_of(key));
    json_begin_array(&self->json);
    for (uint32_t i = 0; i < count; i++) {
        json_write_i64(&self->json, ids[i]);
    }
    json_end_array(&self->json);
}

static void put_blob(ice_updates *self, const ice_new_blob *blob) {
    json_begin_object(&self->json);
    put_text(self, "type", blob->type);
    put_number(self, "snapshot-id", blob->snapshot_id);
    put_number(self, "sequence-number", blob->sequence_number);
    put_ids(self, "fields", blob->column_count, blob->columns);
    put_named_options(self, blob->property_count, blob->properties);
    json_end_object(&self->json);
}

void ice_update_set_statistics(ice_updates *self, const ice_new_statistics *set) {
    begin_update(self, "set-statistics");
    put_number(self, "snapshot-id", set->snapshot_id); // Deprecated, and read by old servers.
    json_write_key(&self->json, TEXT("statistics"));
    json_begin_object(&self->json);
    put_number(self, "snapshot-id", set->snapshot_id);
    put_text(self, "statistics-path", set->path);
    put_number(self, "file-size-in-bytes", set->size);
    put_number(self, "file-footer-size-in-bytes", set->footer_size);
    json_write_key(&self->json, TEXT("blob-metadata"));
    json_begin_array(&self->json);
    for (uint32_t i = 0; i < set->blob_count; i++) {
        put_blob(self, &set->blobs[i]);
    }
    json_end_array(&self->json);
    json_end_object(&self->json);
    end_update(self);
}

void ice_update_remove_statistics(ice_updates *self, int64_t snapshot_id) {
    update_id(self, "remove-statistics", "snapshot-id", snapshot_id);
}

void ice_update_set_partition_statistics(ice_updates *self,
                                         const ice_new_partition_statistics *set) {
    begin_update(self, "set-partition-statistics");
    json_write_key(&self->json, TEXT("partition-statistics"));
    json_begin_object(&self->json);
    put_number(self, "snapshot-id", set->snapshot_id);
    put_text(self, "statistics-path", set->path);
    put_number(self, "file-size-in-bytes", set->size);
    json_end_object(&self->json);
    end_update(self);
}

void ice_update_remove_partition_statistics(ice_updates *self, int64_t snapshot_id) {
    update_id(self, "remove-partition-statistics", "snapshot-id", snapshot_id);
}

void ice_update_remove_specs(ice_updates *self, uint32_t count, const int32_t *ids) {
    begin_update(self, "remove-partition-specs");
    put_ids(self, "spec-ids", count, ids);
    end_update(self);
}

void ice_update_remove_schemas(ice_updates *self, uint32_t count, const int32_t *ids) {
    begin_update(self, "remove-schemas");
    put_ids(self, "schema-ids", count, ids);
    end_update(self);
}

void ice_update_add_key(ice_updates *self, const ice_new_key *added, arena *memory) {
    text_builder base64 = text_builder_open(memory);
    text encrypted = {.size = 0};
    firn_error ignored = ERR_INIT; // The same memory is told by finish.
    text_append_base64(&base64, added->encrypted);
    (void)text_builder_finish(&base64, &encrypted, &ignored);
    begin_update(self, "add-encryption-key");
    json_write_key(&self->json, TEXT("encryption-key"));
    json_begin_object(&self->json);
    put_text(self, "key-id", added->id);
    put_text(self, "encrypted-key-metadata", encrypted);
    if (added->by.size > 0) {
        put_text(self, "encrypted-by-id", added->by);
    }
    put_named_options(self, added->property_count, added->properties);
    json_end_object(&self->json);
    end_update(self);
}

void ice_update_remove_key(ice_updates *self, text id) {
    begin_update(self, "remove-encryption-key");
    put_text(self, "key-id", id);
    end_update(self);
}

// ---- Requirements ------------------------------------------------------------------------------

static void begin_require(ice_updates *self, const char *kind) {
    json_begin_object(&self->json);
    put_text(self, "type", text_of(kind));
}

static void require_id(ice_updates *self, const char *kind, const char *key, int64_t id) {
    begin_require(self, kind);
    put_number(self, key, id);
    json_end_object(&self->json);
}

void ice_require_create(ice_updates *self) {
    begin_require(self, "assert-create");
    json_end_object(&self->json);
}

void ice_require_uuid(ice_updates *self, text uuid) {
    begin_require(self, "assert-table-uuid");
    put_text(self, "uuid", uuid);
    json_end_object(&self->json);
}

void ice_require_ref(ice_updates *self, text name, int64_t snapshot_id) {
    begin_require(self, "assert-ref-snapshot-id");
    put_text(self, "ref", name);
    if (snapshot_id == ICE_NO_SNAPSHOT) {
        json_write_key(&self->json, TEXT("snapshot-id"));
        json_write_null(&self->json);
    } else {
        put_number(self, "snapshot-id", snapshot_id);
    }
    json_end_object(&self->json);
}

void ice_require_current_schema(ice_updates *self, int32_t id) {
    require_id(self, "assert-current-schema-id", "current-schema-id", id);
}

void ice_require_last_column(ice_updates *self, int32_t id) {
    require_id(self, "assert-last-assigned-field-id", "last-assigned-field-id", id);
}

void ice_require_default_spec(ice_updates *self, int32_t id) {
    require_id(self, "assert-default-spec-id", "default-spec-id", id);
}

void ice_require_last_partition(ice_updates *self, int32_t id) {
    require_id(self, "assert-last-assigned-partition-id", "last-assigned-partition-id", id);
}

void ice_require_default_order(ice_updates *self, int32_t id) {
    require_id(self, "assert-default-sort-order-id", "default-sort-order-id", id);
}
