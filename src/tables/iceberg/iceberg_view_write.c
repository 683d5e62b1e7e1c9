#include "base/host.h"
#include "tables/iceberg/iceberg_metadata_write.h"
#include "tables/iceberg/iceberg_root_properties.h"
#include "tables/iceberg/iceberg_uuid.h"
#include "tables/iceberg/iceberg_view_private.h"

#define DIALECT "firn"
#define MAY_DROP_DIALECT "replace.drop-dialect.allowed"
#define LAST_ADDED (-1) // In updates: the id of what was added last.

// A view that is made or replaced.
typedef struct query_play {
    const new_view *wanted;
    view_play view;
    int64_t now_ms;
} query_play;

// ---- Parts -------------------------------------------------------------------------------------

static firn_status node_of(text_builder *json, arena *memory, const json_node **out,
                           firn_error *err) {
    text made;
    TRY(text_builder_finish(json, &made, err));
    return json_tree_read(memory, bytes_of_text(made), out, err);
}

// Its columns; all views of the same columns have equal ones but for their id.
static firn_status make_schema(const new_view *wanted, arena *memory, const json_node **out,
                               firn_error *err) {
    ice_schema made = {.id = 0};
    int32_t last_id = 0;
    TRY(ice_schema_assign(&wanted->columns, NULL, 2, memory, &last_id, &made.columns, err));
    text_builder json = text_builder_open(memory);
    json_writer writer = json_writer_into(&json, 0);
    ice_schema_write(&writer, &made);
    json_writer_finish(&writer);
    return node_of(&json, memory, out, err);
}

static void put_member(json_writer *out, const char *key, text value) {
    json_write_key(out, text_of(key));
    json_write_text(out, value);
}

static void put_number(json_writer *out, const char *key, int64_t value) {
    json_write_key(out, text_of(key));
    json_write_i64(out, value);
}

firn_status view_play_read(view_play *self, bytes old, ice_view_change *out, firn_error *err) {
    text uuid;
    *out = (ice_view_change){.retry = commit_options_usual()};
    TRY(ice_json_read(old, self->edit.memory, &self->root, err));
    TRY(json_as_object(self->root, err));
    ice_root_commit_options(self->root, &out->retry);
    TRY(json_get_text(self->root, "view-uuid", &uuid, err));
    TRY(json_get_text(self->root, "location", &out->location, err));
    text_builder json = text_builder_open(self->edit.memory);
    json_writer list = json_writer_into(&json, 0);
    json_begin_array(&list);
    json_begin_object(&list);
    put_member(&list, "type", TEXT("assert-view-uuid"));
    put_member(&list, "uuid", uuid);
    json_end_object(&list);
    json_end_array(&list);
    json_writer_finish(&list);
    return text_builder_finish(&json, &out->requirements, err);
}

void view_play_put(view_play *self, const char *key, const json_node *value) {
    const json_node *made = json_edit_member(&self->edit, self->root, text_of(key), value);
    self->root = made == NULL ? self->root : made;
}

firn_status view_play_print(const view_play *self, text *out, firn_error *err) {
    TRY(json_edit_check(&self->edit, err));
    text_builder json = text_builder_open(self->edit.memory);
    json_writer writer = json_writer_into(&json, 0);
    json_write_node(&writer, self->root);
    json_writer_finish(&writer);
    return text_builder_finish(&json, out, err);
}

void view_begin_update(json_writer *out, const char *action) {
    json_begin_object(out);
    put_member(out, "action", text_of(action));
}

static firn_status make_version(const query_play *self, int64_t id, int64_t schema_id,
                                const json_node **out, firn_error *err) {
    const new_view *wanted = self->wanted;
    text_builder json = text_builder_open(self->view.edit.memory);
    json_writer made = json_writer_into(&json, 0);
    json_begin_object(&made);
    put_number(&made, "version-id", id);
    put_number(&made, "timestamp-ms", self->now_ms);
    put_number(&made, "schema-id", schema_id);
    json_write_key(&made, TEXT("summary"));
    json_begin_object(&made);
    put_member(&made, "engine-name", TEXT("firn"));
    put_member(&made, "engine-version", wanted->version);
    json_end_object(&made);
    json_write_key(&made, TEXT("representations"));
    json_begin_array(&made);
    json_begin_object(&made);
    put_member(&made, "type", TEXT("sql"));
    put_member(&made, "sql", wanted->as.sql);
    put_member(&made, "dialect", TEXT(DIALECT));
    json_end_object(&made);
    json_end_array(&made);
    json_write_key(&made, TEXT("default-namespace"));
    json_begin_array(&made);
    for (uint32_t i = 0; i < wanted->as.space.count; i++) {
        json_write_text(&made, wanted->as.space.items[i]);
    }
    json_end_array(&made);
    json_end_object(&made);
    json_writer_finish(&made);
    return node_of(&json, self->view.edit.memory, out, err);
}

static firn_status check_properties(const new_view *wanted, firn_error *err) {
    return view_check_properties(wanted->as.properties, wanted->as.property_count,
                                 wanted->positions, err);
}

// The properties that are set; NULL: none.
static const json_node *with_properties(query_play *self, const json_node *properties) {
    const new_view *wanted = self->wanted;
    for (size_t i = 0; i < wanted->as.property_count; i++) {
        const firn_option *each = &wanted->as.properties[i];
        properties = json_edit_member(&self->view.edit, properties, text_of(each->key),
                                      json_edit_text(&self->view.edit, text_of(each->value)));
    }
    return wanted->as.comment.size == 0
               ? properties
               : json_edit_member(&self->view.edit, properties, TEXT("comment"),
                                  json_edit_text(&self->view.edit, wanted->as.comment));
}

static void log_version(query_play *self, int64_t id) {
    const json_node *entry = json_edit_member(&self->view.edit, NULL, TEXT("timestamp-ms"),
                                              json_edit_i64(&self->view.edit, self->now_ms));
    entry = json_edit_member(&self->view.edit, entry, TEXT("version-id"),
                             json_edit_i64(&self->view.edit, id));
    view_play_put(
        &self->view, "version-log",
        json_edit_append(&self->view.edit, json_find(self->view.root, "version-log"), entry));
}

// ---- New views ---------------------------------------------------------------------------------

static query_play open_play(const new_view *wanted, arena *memory) {
    return (query_play){
        .wanted = wanted, .view = {.edit = {.memory = memory}}, .now_ms = host_time_us() / 1000};
}

firn_status ice_view_request(const new_view *self, text name, arena *memory, text *out,
                             firn_error *err) {
    query_play play = open_play(self, memory);
    const json_node *schema;
    const json_node *version;
    TRY(check_properties(self, err));
    TRY(make_schema(self, memory, &schema, err));
    TRY(make_version(&play, 1, 0, &version, err));
    view_play_put(&play.view, "name", json_edit_text(&play.view.edit, name));
    view_play_put(&play.view, "schema", schema);
    view_play_put(&play.view, "view-version", version);
    view_play_put(&play.view, "properties",
                  with_properties(&play, json_edit_object(&play.view.edit)));
    return view_play_print(&play.view, out, err);
}

firn_status ice_view_first(const new_view *self, text location, arena *memory, text *out,
                           firn_error *err) {
    query_play play = open_play(self, memory);
    json_editor *edit = &play.view.edit;
    const json_node *schema;
    const json_node *version;
    char uuid[ICE_UUID_SIZE + 1];
    TRY(ice_uuid_make(uuid, err));
    TRY(check_properties(self, err));
    TRY(make_schema(self, memory, &schema, err));
    TRY(make_version(&play, 1, 0, &version, err));
    view_play_put(&play.view, "view-uuid", json_edit_text(edit, text_of(uuid)));
    view_play_put(&play.view, "format-version", json_edit_i64(edit, 1));
    view_play_put(&play.view, "location", json_edit_text(edit, location));
    view_play_put(&play.view, "schemas", json_edit_append(edit, NULL, schema));
    view_play_put(&play.view, "current-version-id", json_edit_i64(edit, 1));
    view_play_put(&play.view, "versions", json_edit_append(edit, NULL, version));
    log_version(&play, 1);
    view_play_put(&play.view, "properties", with_properties(&play, json_edit_object(edit)));
    return view_play_print(&play.view, out, err);
}

// ---- Another query -----------------------------------------------------------------------------

// A list of things with numbers, which are the same but for them and what else does not count.
typedef struct numbered {
    const char *list;
    const char *id;
    const char *aside[2]; // NULL: nothing.
} numbered;

static const json_node *bare(query_play *self, const numbered *of, const json_node *node) {
    node = json_edit_member(&self->view.edit, node, text_of(of->id), NULL);
    for (size_t i = 0; i < sizeof of->aside / sizeof *of->aside && of->aside[i] != NULL; i++) {
        node = json_edit_member(&self->view.edit, node, text_of(of->aside[i]), NULL);
    }
    return node;
}

// *found: the number of the one that is the same as `wanted`, -1 if there is none; *last: the
// highest.
static firn_status find_equal(query_play *self, const numbered *of, const json_node *wanted,
                              int64_t *found, int64_t *last, firn_error *err) {
    const json_node *list;
    const json_node *sought = bare(self, of, wanted);
    *found = -1;
    *last = -1;
    TRY(json_get_array(self->view.root, of->list, &list, err));
    for (const json_node *each = list->first; each != NULL; each = each->next) {
        int64_t id;
        TRY(json_as_object(each, err));
        TRY(json_get_i64(each, of->id, &id, err));
        if (id < 0 || id >= INT32_MAX) {
            return json_node_fail(each, err, "has \"%s\" %lld, 0 to %d is allowed", of->id,
                                  (long long)id, INT32_MAX - 1);
        }
        const json_node *other = bare(self, of, each);
        TRY(json_edit_check(&self->view.edit, err));
        *found = json_nodes_equal(sought, other) ? id : *found;
        *last = id > *last ? id : *last;
    }
    return FIRN_OK;
}

static bool may_drop_dialect(const json_node *properties) {
    const json_node *said = properties == NULL ? NULL : json_find(properties, MAY_DROP_DIALECT);
    return said != NULL && said->kind == JSON_STRING &&
           text_equal_nocase(said->value, TEXT("true"));
}

static firn_status check_dialects(const json_node *version, const json_node *properties,
                                  firn_error *err) {
    const json_node *list;
    TRY(json_get_array(version, "representations", &list, err));
    for (const json_node *each = list->first; each != NULL; each = each->next) {
        text dialect = TEXT(DIALECT);
        TRY(json_as_object(each, err));
        TRY(json_want_text(each, "dialect", &dialect, err));
        if (!text_equal_nocase(dialect, TEXT(DIALECT)) && !may_drop_dialect(properties)) {
            const firn_status status =
                FAIL(err, FIRN_INVALID,
                     "the view has a query in the dialect \"%.*s\", which it would lose",
                     TEXT_ARGS(dialect));
            err_hint(err, "drop it first, or give it the property '" MAY_DROP_DIALECT "' = 'true'");
            return status;
        }
    }
    return FIRN_OK;
}

// A view's time never goes back.
static firn_status keep_time(query_play *self, firn_error *err) {
    const json_node *log = NULL;
    TRY(json_want_array(self->view.root, "version-log", &log, err));
    for (const json_node *each = log == NULL ? NULL : log->first; each != NULL; each = each->next) {
        int64_t at;
        TRY(json_as_object(each, err));
        TRY(json_get_i64(each, "timestamp-ms", &at, err));
        self->now_ms = at > self->now_ms ? at : self->now_ms;
    }
    return FIRN_OK;
}

// Of a list the first ones go; `user` counts how many still.
static bool keeps_rest(void *user, const json_node *element) {
    uint32_t *left = user;
    (void)element;
    const bool goes = *left > 0;
    *left -= goes;
    return !goes;
}

static bool has_version(const json_node *versions, const json_node *entry) {
    const json_node *wanted = json_find(entry, "version-id");
    for (const json_node *each = versions->first; each != NULL; each = each->next) {
        const json_node *id = json_find(each, "version-id");
        if (wanted != NULL && id != NULL && json_nodes_equal(id, wanted)) {
            return true;
        }
    }
    return false;
}

// The newest versions are kept. Of the log what stands before an entry whose version went means
// nothing any more.
static void cut_history(query_play *self) {
    const uint64_t most = ice_root_number(self->view.root, VIEW_HISTORY, 1, VIEW_HISTORY_DEFAULT);
    const json_node *list = json_find(self->view.root, "versions");
    const json_node *log = json_find(self->view.root, "version-log");
    if (list->count <= most || log == NULL) {
        return;
    }
    uint32_t gone = list->count - (uint32_t)most;
    list = json_edit_keep(&self->view.edit, list, keeps_rest, &gone);
    if (list == NULL || self->view.edit.is_full) {
        return;
    }
    view_play_put(&self->view, "versions", list);
    uint32_t at = 0;
    for (const json_node *each = log->first; each != NULL; each = each->next) {
        at++;
        gone = has_version(list, each) ? gone : at;
    }
    view_play_put(&self->view, "version-log",
                  json_edit_keep(&self->view.edit, log, keeps_rest, &gone));
}

// What has become of the parts of a replacement.
typedef struct replaced_parts {
    const json_node *schema; // NULL: an equal one was there.
    const json_node *version;
    int64_t schema_id;
    int64_t version_id;
    bool is_current; // The version was there, and is the current one.
} replaced_parts;

static const numbered schemas = {"schemas", "schema-id", {NULL}};
// A server may say in the summary that it was who made it.
static const numbered versions = {"versions", "version-id", {"timestamp-ms", "summary"}};

static firn_status add_parts(query_play *self, replaced_parts *out, firn_error *err) {
    const json_node *schema;
    const json_node *version;
    const json_node *before;
    const json_node *properties = NULL;
    int64_t found;
    int64_t last;
    int64_t current;
    TRY(json_get_i64(self->view.root, "current-version-id", &current, err));
    TRY(view_find_numbered(self->view.root, "versions", "version-id", current, &before, err));
    TRY(json_want_object(self->view.root, "properties", &properties, err));
    properties = with_properties(self, properties);
    TRY(json_edit_check(&self->view.edit, err));
    TRY(check_dialects(before, properties, err));
    TRY(make_schema(self->wanted, self->view.edit.memory, &schema, err));
    TRY(find_equal(self, &schemas, schema, &found, &last, err));
    out->schema_id = found < 0 ? last + 1 : found;
    if (found < 0) {
        out->schema = json_edit_member(&self->view.edit, schema, TEXT("schema-id"),
                                       json_edit_i64(&self->view.edit, out->schema_id));
        view_play_put(&self->view, schemas.list,
                      json_edit_append(&self->view.edit, json_find(self->view.root, schemas.list),
                                       out->schema));
    }
    TRY(make_version(self, 0, out->schema_id, &version, err));
    TRY(find_equal(self, &versions, version, &found, &last, err));
    out->version_id = found < 0 ? last + 1 : found;
    out->is_current = found >= 0 && found == current;
    if (found < 0) {
        out->version = json_edit_member(&self->view.edit, version, TEXT("version-id"),
                                        json_edit_i64(&self->view.edit, out->version_id));
        view_play_put(&self->view, versions.list,
                      json_edit_append(&self->view.edit, json_find(self->view.root, versions.list),
                                       out->version));
    }
    if (!out->is_current) {
        view_play_put(&self->view, "current-version-id",
                      json_edit_i64(&self->view.edit, out->version_id));
        log_version(self, out->version_id);
    }
    if (properties != NULL) {
        view_play_put(&self->view, "properties", properties);
    }
    TRY(json_edit_check(&self->view.edit, err));
    if (out->version != NULL) { // Else an old one is current, which must stay.
        cut_history(self);
    }
    return json_edit_check(&self->view.edit, err);
}

static firn_status write_updates(query_play *self, const replaced_parts *parts, text *out,
                                 firn_error *err) {
    const json_node *set = with_properties(self, NULL);
    const json_node *version = parts->version;
    if (parts->schema != NULL && version != NULL) { // Another may have added one of that id.
        version = json_edit_member(&self->view.edit, version, TEXT("schema-id"),
                                   json_edit_i64(&self->view.edit, LAST_ADDED));
    }
    TRY(json_edit_check(&self->view.edit, err));
    text_builder json = text_builder_open(self->view.edit.memory);
    json_writer list = json_writer_into(&json, 0);
    json_begin_array(&list);
    if (parts->schema != NULL) {
        view_begin_update(&list, "add-schema");
        json_write_key(&list, TEXT("schema"));
        json_write_node(&list, parts->schema);
        json_end_object(&list);
    }
    if (version != NULL) {
        view_begin_update(&list, "add-view-version");
        json_write_key(&list, TEXT("view-version"));
        json_write_node(&list, version);
        json_end_object(&list);
    }
    if (!parts->is_current) {
        view_begin_update(&list, "set-current-view-version");
        put_number(&list, "view-version-id",
                   parts->version != NULL ? LAST_ADDED : parts->version_id);
        json_end_object(&list);
    }
    if (set != NULL) {
        view_begin_update(&list, "set-properties");
        json_write_key(&list, TEXT("updates"));
        json_write_node(&list, set);
        json_end_object(&list);
    }
    json_end_array(&list);
    json_writer_finish(&list);
    return text_builder_finish(&json, out, err);
}

firn_status ice_view_replace(const new_view *self, bytes old, arena *memory, ice_view_change *out,
                             firn_error *err) {
    query_play play = open_play(self, memory);
    replaced_parts parts = {.schema = NULL};
    TRY(check_properties(self, err));
    TRY(view_play_read(&play.view, old, out, err));
    TRY(keep_time(&play, err));
    TRY(add_parts(&play, &parts, err));
    TRY(write_updates(&play, &parts, &out->updates, err));
    return view_play_print(&play.view, &out->metadata, err);
}
