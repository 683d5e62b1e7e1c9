// Statistics of metadata that is changed, and old schemas and specs that go.
#include "tables/iceberg/iceberg_metadata_private.h"

// ---- Lists -------------------------------------------------------------------------------------

typedef struct leaving {
    const char *key;
    const json_node *ids; // An array of numbers, or one number.
} leaving;

static bool is_id(const json_node *node, int64_t id) {
    int64_t is;
    firn_error ignored = ERR_INIT;
    return json_as_i64(node, &is, &ignored) == FIRN_OK && is == id;
}

static bool stays(void *user, const json_node *element) {
    const leaving *self = user;
    int64_t id = ICE_NO_SNAPSHOT;
    firn_error ignored = ERR_INIT;
    if (element->kind != JSON_OBJECT ||
        json_get_i64(element, self->key, &id, &ignored) != FIRN_OK) {
        return true;
    }
    if (self->ids->kind != JSON_ARRAY) {
        return !is_id(self->ids, id);
    }
    bool goes = false;
    for (const json_node *each = self->ids->first; each != NULL; each = each->next) {
        goes = goes || is_id(each, id);
    }
    return !goes;
}

static firn_status take_out(metadata_change *self, const char *list, const leaving *gone,
                            firn_error *err) {
    const json_node *found = NULL;
    leaving what = *gone;
    TRY(json_want_array(self->root, list, &found, err));
    if (found != NULL) {
        change_put(self, list, json_edit_keep(&self->edit, found, stays, &what));
    }
    return json_edit_check(&self->edit, err);
}

firn_status change_append(metadata_change *self, const char *list, const json_node *added,
                          firn_error *err) {
    const json_node *found = NULL;
    TRY(json_want_array(self->root, list, &found, err));
    change_put(self, list, json_edit_append(&self->edit, found, added));
    return json_edit_check(&self->edit, err);
}

// ---- Statistics --------------------------------------------------------------------------------

// A number that must be there and not negative.
static firn_status check_size(const json_node *file, const char *key, firn_error *err) {
    int64_t size;
    TRY(json_get_i64(file, key, &size, err));
    return size >= 0 ? FIRN_OK
                     : FAIL(err, FIRN_INVALID, "\"%s\" is %lld, below 0", key, (long long)size);
}

// What both kinds of files have.
static firn_status check_file(const metadata_change *self, const json_node *file, int64_t *snapshot,
                              firn_error *err) {
    text path;
    TRY(json_get_i64(file, "snapshot-id", snapshot, err));
    TRY(json_get_text(file, "statistics-path", &path, err));
    TRY(check_size(file, "file-size-in-bytes", err));
    if (path.size == 0) {
        return FAIL(err, FIRN_INVALID, "\"statistics-path\" is empty");
    }
    return change_find(self, "snapshots", "snapshot-id", *snapshot) != NULL
               ? FIRN_OK
               : FAIL(err, FIRN_INVALID, "statistics of snapshot %lld, which is not there",
                      (long long)*snapshot);
}

firn_status change_check_texts(const json_node *object, const char *key, firn_error *err) {
    const json_node *texts = NULL;
    TRY(json_want_object(object, key, &texts, err));
    for (const json_node *each = texts == NULL ? NULL : texts->first; each != NULL;
         each = each->next) {
        text value;
        TRY(json_as_text(each, &value, err));
    }
    return FIRN_OK;
}

static firn_status check_blobs(const json_node *file, firn_error *err) {
    const json_node *blobs;
    TRY(json_get_array(file, "blob-metadata", &blobs, err));
    for (const json_node *each = blobs->first; each != NULL; each = each->next) {
        const json_node *fields;
        text kind;
        int64_t number;
        TRY(json_as_object(each, err));
        TRY(json_get_text(each, "type", &kind, err));
        TRY(json_get_i64(each, "snapshot-id", &number, err));
        TRY(json_get_i64(each, "sequence-number", &number, err));
        TRY(json_get_array(each, "fields", &fields, err));
        for (const json_node *field = fields->first; field != NULL; field = field->next) {
            TRY(json_as_i64(field, &number, err));
        }
        TRY(change_check_texts(each, "properties", err));
    }
    return FIRN_OK;
}

// One file a snapshot: a newer one takes the place of that before.
static firn_status put_file(metadata_change *self, const char *list, const json_node *file,
                            firn_error *err) {
    const leaving old = {.key = "snapshot-id", .ids = json_find(file, "snapshot-id")};
    TRY(take_out(self, list, &old, err));
    return change_append(self, list, file, err);
}

firn_status change_set_statistics(metadata_change *self, const json_node *update, firn_error *err) {
    const json_node *file;
    int64_t snapshot;
    TRY(json_get_object(update, "statistics", &file, err));
    TRY(check_file(self, file, &snapshot, err));
    TRY(check_size(file, "file-footer-size-in-bytes", err));
    TRY(check_blobs(file, err));
    int64_t said = snapshot;
    TRY(json_want_i64(update, "snapshot-id", &said, err)); // Deprecated.
    if (said != snapshot) {
        return FAIL(err, FIRN_INVALID, "statistics of snapshot %lld, said to be of %lld",
                    (long long)snapshot, (long long)said);
    }
    return put_file(self, "statistics", file, err);
}

firn_status change_set_partition_statistics(metadata_change *self, const json_node *update,
                                            firn_error *err) {
    const json_node *file;
    int64_t snapshot;
    TRY(json_get_object(update, "partition-statistics", &file, err));
    TRY(check_file(self, file, &snapshot, err));
    return put_file(self, "partition-statistics", file, err);
}

static firn_status remove_file(metadata_change *self, const char *list, const json_node *update,
                               firn_error *err) {
    int64_t snapshot;
    TRY(json_get_i64(update, "snapshot-id", &snapshot, err));
    const leaving gone = {.key = "snapshot-id", .ids = json_find(update, "snapshot-id")};
    return take_out(self, list, &gone, err);
}

firn_status change_remove_statistics(metadata_change *self, const json_node *update,
                                     firn_error *err) {
    return remove_file(self, "statistics", update, err);
}

firn_status change_remove_partition_statistics(metadata_change *self, const json_node *update,
                                               firn_error *err) {
    return remove_file(self, "partition-statistics", update, err);
}

// ---- What is old -------------------------------------------------------------------------------

// The ids of an update, of which none is `current`.
static firn_status read_ids(const metadata_change *self, const json_node *update, const char *key,
                            const char *current, const json_node **out, firn_error *err) {
    int64_t in_use;
    TRY(json_get_array(update, key, out, err));
    TRY(change_number(self, current, 0, &in_use, err));
    for (const json_node *each = (*out)->first; each != NULL; each = each->next) {
        int64_t id;
        TRY(json_as_i64(each, &id, err));
        if (id == in_use) {
            return FAIL(err, FIRN_INVALID, "%lld is the \"%s\" and cannot be removed",
                        (long long)id, current);
        }
    }
    return FIRN_OK;
}

// Whose manifests are of a spec is not said in metadata: who removes one has looked.
firn_status change_remove_specs(metadata_change *self, const json_node *update, firn_error *err) {
    leaving gone = {.key = "spec-id"};
    TRY(read_ids(self, update, "spec-ids", "default-spec-id", &gone.ids, err));
    return take_out(self, "partition-specs", &gone, err);
}

firn_status change_remove_schemas(metadata_change *self, const json_node *update, firn_error *err) {
    leaving gone = {.key = "schema-id"};
    const json_node *snapshots = NULL;
    TRY(read_ids(self, update, "schema-ids", "current-schema-id", &gone.ids, err));
    TRY(json_want_array(self->root, "snapshots", &snapshots, err));
    for (const json_node *each = snapshots == NULL ? NULL : snapshots->first; each != NULL;
         each = each->next) {
        int64_t schema = -1;
        int64_t snapshot = ICE_NO_SNAPSHOT;
        TRY(json_as_object(each, err));
        TRY(json_want_i64(each, "schema-id", &schema, err));
        TRY(json_want_i64(each, "snapshot-id", &snapshot, err));
        if (schema >= 0 && !stays(&gone, each)) {
            return FAIL(err, FIRN_INVALID, "schema %lld is that of snapshot %lld and stays",
                        (long long)schema, (long long)snapshot);
        }
    }
    return take_out(self, "schemas", &gone, err);
}
