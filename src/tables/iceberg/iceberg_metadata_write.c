#include "tables/iceberg/iceberg_metadata_write.h"

#include "io/io_path.h"
#include "tables/iceberg/iceberg_metadata_private.h"

#define VERSION_WRITTEN_MAX 2
#define LOG_ENTRIES_DEFAULT 100
#define LOG_ENTRIES "write.metadata.previous-versions-max"

// ---- What parts use ----------------------------------------------------------------------------

const json_node *change_find(const metadata_change *self, const char *list, const char *key,
                             int64_t id) {
    return json_find_numbered(json_find(self->root, list), key, id);
}

void change_put(metadata_change *self, const char *key, const json_node *value) {
    if (!self->edit.is_full) {
        const json_node *made = json_edit_member(&self->edit, self->root, text_of(key), value);
        self->root = made == NULL ? self->root : made; // That it is full is told at the end.
    }
}

void change_put_number(metadata_change *self, const char *key, int64_t value) {
    const json_node *node = json_edit_i64(&self->edit, value);
    change_put(self, key, node);
}

static void put_text(metadata_change *self, const char *key, text value) {
    const json_node *node = json_edit_text(&self->edit, value);
    change_put(self, key, node);
}

// ---- Small updates -----------------------------------------------------------------------------

static firn_status assign_uuid(metadata_change *self, const json_node *update, firn_error *err) {
    text uuid;
    text has = {0};
    TRY(json_get_text(update, "uuid", &uuid, err));
    TRY(json_want_text(self->root, "table-uuid", &has, err));
    if (uuid.size == 0 || (has.size > 0 && !text_equal_nocase(has, uuid))) {
        return FAIL(err, FIRN_INVALID, "the table is \"%.*s\" and cannot become \"%.*s\"",
                    TEXT_ARGS(has), TEXT_ARGS(uuid));
    }
    put_text(self, "table-uuid", uuid);
    return FIRN_OK;
}

static firn_status upgrade(metadata_change *self, const json_node *update, firn_error *err) {
    int32_t version;
    TRY(json_get_i32(update, "format-version", &version, err));
    if (version > VERSION_WRITTEN_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED, "tables of version %d are not written, at most %d",
                    version, VERSION_WRITTEN_MAX);
    }
    if (version < self->version) {
        return FAIL(err, FIRN_INVALID, "a table of version %d cannot become one of version %d",
                    self->version, version);
    }
    self->version = version;
    change_put_number(self, "format-version", version);
    return FIRN_OK;
}

static firn_status set_location(metadata_change *self, const json_node *update, firn_error *err) {
    text location;
    TRY(json_get_text(update, "location", &location, err));
    put_text(self, "location", io_path_unslashed(location));
    return FIRN_OK;
}

static firn_status set_properties(metadata_change *self, const json_node *update, firn_error *err) {
    const json_node *updates;
    const json_node *properties = NULL;
    TRY(json_get_object(update, "updates", &updates, err));
    TRY(json_want_object(self->root, "properties", &properties, err));
    for (const json_node *each = updates->first; each != NULL; each = each->next) {
        text value;
        TRY(json_as_text(each, &value, err));
        properties = json_edit_member(&self->edit, properties, each->key, each);
        TRY(json_edit_check(&self->edit, err));
    }
    if (properties != NULL) {
        change_put(self, "properties", properties);
    }
    return FIRN_OK;
}

static firn_status remove_properties(metadata_change *self, const json_node *update,
                                     firn_error *err) {
    const json_node *removals;
    const json_node *properties = NULL;
    TRY(json_get_array(update, "removals", &removals, err));
    TRY(json_want_object(self->root, "properties", &properties, err));
    for (const json_node *each = removals->first; each != NULL; each = each->next) {
        text name;
        TRY(json_as_text(each, &name, err));
        properties = json_edit_member(&self->edit, properties, name, NULL);
        TRY(json_edit_check(&self->edit, err));
    }
    if (properties != NULL) {
        change_put(self, "properties", properties);
    }
    return FIRN_OK;
}

static const change_action actions[] = {
    {"assign-uuid", assign_uuid},
    {"upgrade-format-version", upgrade},
    {"add-schema", change_add_schema},
    {"set-current-schema", change_set_current_schema},
    {"add-spec", change_add_spec},
    {"set-default-spec", change_set_default_spec},
    {"add-sort-order", change_add_order},
    {"set-default-sort-order", change_set_default_order},
    {"add-snapshot", change_add_snapshot},
    {"remove-snapshots", change_remove_snapshots},
    {"set-snapshot-ref", change_set_ref},
    {"remove-snapshot-ref", change_remove_ref},
    {"set-properties", set_properties},
    {"remove-properties", remove_properties},
    {"set-location", set_location},
    {"set-statistics", change_set_statistics},
    {"remove-statistics", change_remove_statistics},
    {"set-partition-statistics", change_set_partition_statistics},
    {"remove-partition-statistics", change_remove_partition_statistics},
    {"remove-partition-specs", change_remove_specs},
    {"remove-schemas", change_remove_schemas},
    {"add-encryption-key", change_add_key},
    {"remove-encryption-key", change_remove_key},
};

static firn_status apply(metadata_change *self, const json_node *update, firn_error *err) {
    text action;
    TRY(json_as_object(update, err));
    TRY(json_get_text(update, "action", &action, err));
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (text_equal(action, text_of(actions[i].name))) {
            const firn_status status = actions[i].apply(self, update, err);
            if (status != FIRN_OK) {
                err_while(err, "changing table metadata: %s", actions[i].name);
            }
            return status;
        }
    }
    return FAIL(err, FIRN_UNSUPPORTED, "the metadata update \"%.*s\" is not known",
                TEXT_ARGS(action));
}

// ---- From the old file to the new --------------------------------------------------------------

static firn_status empty_table(metadata_change *self, arena *memory, firn_error *err) {
    static const char json[] =
        "{\"format-version\":1,\"location\":\"\",\"last-sequence-number\":0,\"last-updated-ms\":0,"
        "\"last-column-id\":0,\"schemas\":[],\"current-schema-id\":-1,\"partition-specs\":[],"
        "\"default-spec-id\":-1,\"last-partition-id\":999,\"sort-orders\":[],"
        "\"default-sort-order-id\":-1,\"properties\":{},\"current-snapshot-id\":-1,\"refs\":{},"
        "\"snapshots\":[],\"statistics\":[],\"partition-statistics\":[],\"snapshot-log\":[],"
        "\"metadata-log\":[]}";
    self->version = 1;
    return json_tree_read(memory, (bytes){.data = (const uint8_t *)json, .size = sizeof json - 1},
                          &self->root, err);
}

static firn_status begin(metadata_change *self, arena *memory, firn_error *err) {
    if (self->old == NULL) {
        return empty_table(self, memory, err);
    }
    int64_t number;
    TRY(json_as_object(self->old, err));
    TRY(json_get_i32(self->old, "format-version", &self->version, err));
    if (self->version < 1 || self->version > VERSION_WRITTEN_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED, "tables of version %d are not written, at most %d",
                    self->version, VERSION_WRITTEN_MAX);
    }
    TRY(json_get_i64(self->old, "last-updated-ms", &number, err));
    TRY(json_get_i64(self->old, "last-column-id", &number, err));
    self->root = self->old;
    return change_normalize(self, err);
}

// A table needs at least these.
static firn_status check_whole(const metadata_change *self, firn_error *err) {
    static const struct {
        const char *list;
        const char *key;
        const char *chosen;
    } rows[] = {{"schemas", "schema-id", "current-schema-id"},
                {"partition-specs", "spec-id", "default-spec-id"},
                {"sort-orders", "order-id", "default-sort-order-id"}};
    text words = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t id;
        TRY(change_number(self, rows[i].chosen, 0, &id, err));
        if (change_find(self, rows[i].list, rows[i].key, id) == NULL) {
            return FAIL(err, FIRN_INVALID, "\"%s\" is %lld, the table has none such",
                        rows[i].chosen, (long long)id);
        }
    }
    TRY(json_get_text(self->root, "location", &words, err));
    if (words.size == 0) {
        return FAIL(err, FIRN_INVALID, "the table has no location");
    }
    words.size = 0;
    TRY(json_want_text(self->root, "table-uuid", &words, err));
    return words.size > 0 || self->version == 1
               ? FIRN_OK
               : FAIL(err, FIRN_INVALID, "the table has no UUID, which version %d needs",
                      self->version);
}

static bool is_in_place(void *user, const json_node *element) {
    uint32_t *to_drop = user;
    (void)element;
    if (*to_drop > 0) {
        *to_drop -= 1;
        return false;
    }
    return true;
}

static firn_status log_entries_max(const metadata_change *self, uint32_t *out, firn_error *err) {
    const json_node *properties = NULL;
    text value = {0};
    int64_t most = LOG_ENTRIES_DEFAULT;
    TRY(json_want_object(self->root, "properties", &properties, err));
    if (properties != NULL) {
        TRY(json_want_text(properties, LOG_ENTRIES, &value, err));
    }
    if (value.size > 0 && number_parse_i64(value, &most) != NUMBER_OK) {
        most = LOG_ENTRIES_DEFAULT;
    }
    *out = most < 1 ? 1 : most > UINT32_MAX ? UINT32_MAX : (uint32_t)most;
    return FIRN_OK;
}

// The old file goes into the log, whose first ones are forgotten when there are too many.
static firn_status log_metadata(metadata_change *self, text location, text_list *forgotten,
                                firn_error *err) {
    const json_node *log = NULL;
    int64_t at;
    uint32_t most;
    if (self->old == NULL || location.size == 0) {
        return FIRN_OK;
    }
    TRY(json_want_array(self->root, "metadata-log", &log, err));
    TRY(json_get_i64(self->old, "last-updated-ms", &at, err));
    TRY(log_entries_max(self, &most, err));
    const json_node *line =
        json_edit_member(&self->edit, NULL, TEXT("timestamp-ms"), json_edit_i64(&self->edit, at));
    TRY(json_edit_check(&self->edit, err));
    line = json_edit_member(&self->edit, line, TEXT("metadata-file"),
                            json_edit_text(&self->edit, location));
    TRY(json_edit_check(&self->edit, err));
    log = json_edit_append(&self->edit, log, line);
    TRY(json_edit_check(&self->edit, err));
    uint32_t to_drop = log->count > most ? log->count - most : 0;
    forgotten->items = ARENA_NEW(self->edit.memory, text, (size_t)to_drop + 1);
    if (forgotten->items == NULL) {
        return ARENA_FULL(self->edit.memory, err);
    }
    const json_node *each = log->first;
    for (uint32_t i = 0; i < to_drop; i++, each = each->next) {
        const json_node *file = json_find(each, "metadata-file");
        if (file != NULL && file->kind == JSON_STRING) {
            forgotten->items[forgotten->count++] = file->value;
        }
    }
    change_put(self, "metadata-log", json_edit_keep(&self->edit, log, is_in_place, &to_drop));
    return json_edit_check(&self->edit, err);
}

// What only one of the versions has.
static void put_version(metadata_change *self) {
    int64_t schema = 0;
    int64_t spec = 0;
    firn_error ignored = ERR_INIT;
    if (self->version > 1) {
        change_put(self, "schema", NULL);
        change_put(self, "partition-spec", NULL);
        if (json_find(self->root, "last-sequence-number") == NULL) {
            change_put_number(self, "last-sequence-number", 0);
        }
        return;
    }
    if (change_number(self, "current-schema-id", 0, &schema, &ignored) == FIRN_OK &&
        change_number(self, "default-spec-id", 0, &spec, &ignored) == FIRN_OK) {
        change_put(self, "schema", change_find(self, "schemas", "schema-id", schema));
        const json_node *of = change_find(self, "partition-specs", "spec-id", spec);
        change_put(self, "partition-spec", of == NULL ? NULL : json_find(of, "fields"));
    }
    if (self->old == NULL) {
        change_put(self, "last-sequence-number", NULL);
    }
}

int64_t ice_metadata_time(const json_node *old, int64_t now_ms) {
    int64_t out = now_ms;
    int64_t last = now_ms;
    firn_error ignored = ERR_INIT;
    if (old == NULL) {
        return out;
    }
    if (json_want_i64(old, "last-updated-ms", &last, &ignored) == FIRN_OK && last > out) {
        out = last;
    }
    const json_node *log = json_find(old, "snapshot-log");
    for (const json_node *each = log == NULL ? NULL : log->first; each != NULL; each = each->next) {
        if (json_want_i64(each, "timestamp-ms", &last, &ignored) == FIRN_OK && last > out) {
            out = last;
        }
    }
    return out;
}

firn_status ice_metadata_change(const json_node *old, text updates, const ice_change *how,
                                arena *memory, ice_changed *out, firn_error *err) {
    metadata_change self = {.edit = {.memory = memory},
                            .old = old,
                            .time_ms = ice_metadata_time(old, how->now_ms),
                            .last_schema = {.id = ICE_NONE_ADDED},
                            .last_spec = {.id = ICE_NONE_ADDED},
                            .last_order = {.id = ICE_NONE_ADDED}};
    const json_node *list;
    ice_updates said;
    *out = (ice_changed){.timestamp_ms = 0};
    TRY(begin(&self, memory, err));
    TRY(json_tree_read(memory, bytes_of_text(updates), &list, err));
    TRY(json_as_array(list, err));
    ice_updates_open(&said, memory);
    for (const json_node *each = list->first; each != NULL; each = each->next) {
        self.said = each;
        TRY(apply(&self, each, err));
        TRY(json_edit_check(&self.edit, err));
        if (self.said != NULL) {
            json_write_node(&said.json, self.said);
        }
    }
    TRY(ice_updates_finish(&said, &out->updates, err));
    TRY(check_whole(&self, err));
    TRY(change_log_snapshot(&self, err));
    TRY(log_metadata(&self, how->old_location, &out->forgotten, err));
    put_version(&self);
    change_put_number(&self, "last-updated-ms", self.time_ms);
    TRY(json_edit_check(&self.edit, err));
    text_builder builder = text_builder_open(memory);
    json_writer json = json_writer_into(&builder, 0);
    json_write_node(&json, self.root);
    json_writer_finish(&json);
    out->timestamp_ms = self.time_ms;
    out->root = self.root;
    return text_builder_finish(&builder, &out->json, err);
}

// ---- Requirements ------------------------------------------------------------------------------

static firn_status unmet(firn_error *err, text kind) {
    return FAIL(err, FIRN_CONFLICT, "the table was changed: \"%.*s\" does not hold",
                TEXT_ARGS(kind));
}

static firn_status require_ref(const json_node *old, const json_node *node, text kind,
                               firn_error *err) {
    text name;
    int64_t wanted = ICE_NO_SNAPSHOT;
    int64_t is = ICE_NO_SNAPSHOT;
    const json_node *refs = NULL;
    TRY(json_get_text(node, "ref", &name, err));
    TRY(json_want_i64(node, "snapshot-id", &wanted, err));
    TRY(json_want_object(old, "refs", &refs, err));
    for (const json_node *each = refs == NULL ? NULL : refs->first; each != NULL;
         each = each->next) {
        if (text_equal(each->key, name)) {
            TRY(json_get_i64(each, "snapshot-id", &is, err));
        }
    }
    if (is == ICE_NO_SNAPSHOT && text_equal(name, TEXT("main"))) {
        TRY(json_want_i64(old, "current-snapshot-id", &is, err));
    }
    return is == wanted ? FIRN_OK : unmet(err, kind);
}

static firn_status require_uuid(const json_node *old, const json_node *node, text kind,
                                firn_error *err) {
    text wanted;
    text is = {0};
    TRY(json_get_text(node, "uuid", &wanted, err));
    TRY(json_want_text(old, "table-uuid", &is, err));
    return text_equal_nocase(is, wanted) ? FIRN_OK : unmet(err, kind);
}

static firn_status require(const json_node *old, const json_node *node, firn_error *err) {
    static const struct {
        const char *kind;
        const char *wanted;
        const char *is;
    } numbers[] = {
        {"assert-current-schema-id", "current-schema-id", "current-schema-id"},
        {"assert-last-assigned-field-id", "last-assigned-field-id", "last-column-id"},
        {"assert-default-spec-id", "default-spec-id", "default-spec-id"},
        {"assert-last-assigned-partition-id", "last-assigned-partition-id", "last-partition-id"},
        {"assert-default-sort-order-id", "default-sort-order-id", "default-sort-order-id"},
    };
    text kind;
    TRY(json_as_object(node, err));
    TRY(json_get_text(node, "type", &kind, err));
    if (text_equal(kind, TEXT("assert-create"))) {
        return old == NULL ? FIRN_OK : unmet(err, kind);
    }
    if (old == NULL) {
        return unmet(err, kind);
    }
    if (text_equal(kind, TEXT("assert-table-uuid"))) {
        return require_uuid(old, node, kind, err);
    }
    if (text_equal(kind, TEXT("assert-ref-snapshot-id"))) {
        return require_ref(old, node, kind, err);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (text_equal(kind, text_of(numbers[i].kind))) {
            int64_t wanted;
            int64_t is = 0; // As version 1 has it where nothing is said.
            TRY(json_get_i64(node, numbers[i].wanted, &wanted, err));
            TRY(json_want_i64(old, numbers[i].is, &is, err));
            return is == wanted ? FIRN_OK : unmet(err, kind);
        }
    }
    return FAIL(err, FIRN_UNSUPPORTED, "the requirement \"%.*s\" is not known", TEXT_ARGS(kind));
}

firn_status ice_metadata_require(const json_node *old, text requirements, arena *memory,
                                 firn_error *err) {
    const json_node *list;
    TRY(json_tree_read(memory, bytes_of_text(requirements), &list, err));
    TRY(json_as_array(list, err));
    for (const json_node *each = list->first; each != NULL; each = each->next) {
        TRY(require(old, each, err));
    }
    return FIRN_OK;
}
