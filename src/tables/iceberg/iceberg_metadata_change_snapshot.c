// Snapshots, refs and their log in metadata that is changed.
#include "tables/iceberg/iceberg_metadata_private.h"

#define MINUTE_MS 60000 // How far times of writers may lie apart, as Java has it.

// ---- Snapshots ---------------------------------------------------------------------------------

static firn_status check_snapshot(const metadata_change *self, const json_node *snapshot,
                                  firn_error *err) {
    int64_t id;
    int64_t at;
    text words;
    const json_node *summary;
    TRY(json_get_i64(snapshot, "snapshot-id", &id, err));
    TRY(json_get_i64(snapshot, "timestamp-ms", &at, err));
    TRY(json_get_text(snapshot, "manifest-list", &words, err));
    TRY(json_get_object(snapshot, "summary", &summary, err));
    TRY(json_get_text(summary, "operation", &words, err));
    for (const json_node *each = summary->first; each != NULL; each = each->next) {
        TRY(json_as_text(each, &words, err));
    }
    if (id <= 0 || change_find(self, "snapshots", "snapshot-id", id) != NULL) {
        return FAIL(err, FIRN_INVALID, "the table has snapshot %lld already, or it is not positive",
                    (long long)id);
    }
    if (at < 0 || ice_metadata_time(self->old, at) - at > MINUTE_MS) {
        return FAIL(err, FIRN_INVALID,
                    "the snapshot is of %lld ms, more than a minute before the last change of the "
                    "table",
                    (long long)at);
    }
    int64_t schema = -1;
    TRY(json_want_i64(snapshot, "schema-id", &schema, err));
    return schema < 0 || change_find(self, "schemas", "schema-id", schema) != NULL
               ? FIRN_OK
               : FAIL(err, FIRN_INVALID, "the snapshot is of schema %lld, the table has none such",
                      (long long)schema);
}

firn_status change_add_snapshot(metadata_change *self, const json_node *update, firn_error *err) {
    const json_node *snapshot;
    const json_node *list = NULL;
    int64_t at;
    TRY(json_get_object(update, "snapshot", &snapshot, err));
    TRY(check_snapshot(self, snapshot, err));
    TRY(json_get_i64(snapshot, "timestamp-ms", &at, err));
    if (self->version == 1) {
        snapshot = json_edit_member(&self->edit, snapshot, TEXT("sequence-number"), NULL);
        TRY(json_edit_check(&self->edit, err));
    } else {
        int64_t sequence;
        int64_t last;
        TRY(json_get_i64(snapshot, "sequence-number", &sequence, err));
        TRY(change_number(self, "last-sequence-number", 0, &last, err));
        if (sequence <= last) {
            return FAIL(err, FIRN_CONFLICT,
                        "the snapshot has sequence number %lld, the table is at %lld",
                        (long long)sequence, (long long)last);
        }
        change_put_number(self, "last-sequence-number", sequence);
    }
    TRY(json_want_array(self->root, "snapshots", &list, err));
    change_put(self, "snapshots", json_edit_append(&self->edit, list, snapshot));
    self->time_ms = at > self->time_ms ? at : self->time_ms;
    return json_edit_check(&self->edit, err);
}

typedef struct removal {
    const json_node *ids;
    bool is_log; // What stands before a removed entry is not kept either.
    uint32_t last_removed;
    uint32_t at;
} removal;

static bool is_removed(const json_node *ids, const json_node *element) {
    int64_t id = ICE_NO_SNAPSHOT;
    firn_error ignored = ERR_INIT;
    if (element->kind != JSON_OBJECT ||
        json_want_i64(element, "snapshot-id", &id, &ignored) != FIRN_OK) {
        return false;
    }
    for (const json_node *each = ids->first; each != NULL; each = each->next) {
        int64_t gone;
        if (json_as_i64(each, &gone, &ignored) == FIRN_OK && gone == id) {
            return true;
        }
    }
    return false;
}

static bool keeps(void *user, const json_node *element) {
    removal *self = user;
    if (self->is_log) {
        return self->at++ >= self->last_removed;
    }
    return !is_removed(self->ids, element);
}

// A log with a hole in it would give wrong answers to questions by time.
static uint32_t behind_last_removed(const json_node *log, const json_node *ids) {
    uint32_t at = 0;
    uint32_t out = 0;
    for (const json_node *each = log->first; each != NULL; each = each->next) {
        at++;
        out = is_removed(ids, each) ? at : out;
    }
    return out;
}

static firn_status keep_of(metadata_change *self, const char *list, removal *gone,
                           firn_error *err) {
    const json_node *found = json_find(self->root, list);
    if (found == NULL || (found->kind != JSON_ARRAY && found->kind != JSON_OBJECT)) {
        return FIRN_OK;
    }
    if (gone->is_log) {
        gone->last_removed = behind_last_removed(found, gone->ids);
    }
    change_put(self, list, json_edit_keep(&self->edit, found, keeps, gone));
    return json_edit_check(&self->edit, err);
}

firn_status change_remove_snapshots(metadata_change *self, const json_node *update,
                                    firn_error *err) {
    removal gone = {.ids = NULL};
    int64_t current;
    TRY(json_get_array(update, "snapshot-ids", &gone.ids, err));
    TRY(change_number(self, "current-snapshot-id", ICE_NO_SNAPSHOT, &current, err));
    for (const json_node *each = gone.ids->first; each != NULL; each = each->next) {
        int64_t id;
        TRY(json_as_i64(each, &id, err));
        if (id == current && id != ICE_NO_SNAPSHOT) {
            return FAIL(err, FIRN_INVALID, "snapshot %lld is current and cannot be removed",
                        (long long)id);
        }
    }
    TRY(keep_of(self, "snapshots", &gone, err));
    TRY(keep_of(self, "refs", &gone, err));
    TRY(keep_of(self, "statistics", &gone, err));
    TRY(keep_of(self, "partition-statistics", &gone, err));
    gone.is_log = true;
    return keep_of(self, "snapshot-log", &gone, err);
}

// ---- Refs --------------------------------------------------------------------------------------

static firn_status check_ref(const json_node *ref, text name, bool is_main, firn_error *err) {
    static const char *const ages[] = {"min-snapshots-to-keep", "max-snapshot-age-ms",
                                       "max-ref-age-ms"};
    text kind;
    TRY(json_get_text(ref, "type", &kind, err));
    const bool is_tag = text_equal_nocase(kind, TEXT("tag"));
    if (name.size == 0 || (is_tag && is_main) ||
        (!is_tag && !text_equal_nocase(kind, TEXT("branch")))) {
        return FAIL(err, FIRN_INVALID, "\"%.*s\" cannot be a \"%.*s\"", TEXT_ARGS(name),
                    TEXT_ARGS(kind));
    }
    for (size_t i = 0; i < sizeof ages / sizeof *ages; i++) {
        int64_t value = 1;
        TRY(json_want_i64(ref, ages[i], &value, err));
        if (value < 1 || (is_tag && i < 2 && json_find(ref, ages[i]) != NULL &&
                          json_find(ref, ages[i])->kind != JSON_NULL)) {
            return FAIL(err, FIRN_INVALID, "\"%s\" of \"%.*s\" is not allowed, or below 1", ages[i],
                        TEXT_ARGS(name));
        }
    }
    return FIRN_OK;
}

firn_status change_set_ref(metadata_change *self, const json_node *update, firn_error *err) {
    text name;
    int64_t id;
    const json_node *refs = NULL;
    TRY(json_get_text(update, "ref-name", &name, err));
    TRY(json_get_i64(update, "snapshot-id", &id, err));
    const bool is_main = text_equal(name, TEXT("main"));
    TRY(check_ref(update, name, is_main, err));
    if (change_find(self, "snapshots", "snapshot-id", id) == NULL) {
        return FAIL(err, FIRN_INVALID, "\"%.*s\" cannot be at snapshot %lld, which is not there",
                    TEXT_ARGS(name), (long long)id);
    }
    TRY(json_want_object(self->root, "refs", &refs, err));
    const json_node *ref = json_edit_member(&self->edit, update, TEXT("action"), NULL);
    TRY(json_edit_check(&self->edit, err));
    ref = json_edit_member(&self->edit, ref, TEXT("ref-name"), NULL);
    TRY(json_edit_check(&self->edit, err));
    change_put(self, "refs", json_edit_member(&self->edit, refs, name, ref));
    if (is_main) {
        change_put_number(self, "current-snapshot-id", id);
    }
    return json_edit_check(&self->edit, err);
}

firn_status change_remove_ref(metadata_change *self, const json_node *update, firn_error *err) {
    text name;
    const json_node *refs = NULL;
    TRY(json_get_text(update, "ref-name", &name, err));
    TRY(json_want_object(self->root, "refs", &refs, err));
    if (refs != NULL) {
        change_put(self, "refs", json_edit_member(&self->edit, refs, name, NULL));
    }
    if (text_equal(name, TEXT("main"))) { // The table is empty then, and was never anything else.
        change_put_number(self, "current-snapshot-id", ICE_NO_SNAPSHOT);
        change_put(self, "snapshot-log", json_edit_array(&self->edit));
    }
    return json_edit_check(&self->edit, err);
}

firn_status change_log_snapshot(metadata_change *self, firn_error *err) {
    int64_t before = ICE_NO_SNAPSHOT;
    int64_t now;
    TRY(self->old == NULL ? FIRN_OK
                          : json_want_i64(self->old, "current-snapshot-id", &before, err));
    TRY(change_number(self, "current-snapshot-id", ICE_NO_SNAPSHOT, &now, err));
    if (now == before || now == ICE_NO_SNAPSHOT) {
        return FIRN_OK;
    }
    const json_node *log = NULL;
    TRY(json_want_array(self->root, "snapshot-log", &log, err));
    const json_node *line = json_edit_member(&self->edit, NULL, TEXT("timestamp-ms"),
                                             json_edit_i64(&self->edit, self->time_ms));
    TRY(json_edit_check(&self->edit, err));
    line =
        json_edit_member(&self->edit, line, TEXT("snapshot-id"), json_edit_i64(&self->edit, now));
    TRY(json_edit_check(&self->edit, err));
    change_put(self, "snapshot-log", json_edit_append(&self->edit, log, line));
    return json_edit_check(&self->edit, err);
}
