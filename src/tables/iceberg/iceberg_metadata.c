#include "tables/iceberg/iceberg_metadata.h"

#include "base/number_text.h"
#include "memory/arena_grow.h"
#include "tables/iceberg/iceberg_metadata_parts.h"

#define FORMAT_VERSION_MAX 3

#define TREE_BYTES_MAX ((size_t)8 << 30)

// What is made of an array whose elements come one by one: there may be a hundred thousand.
typedef struct streamed {
    const json_node *list; // The array: of several of the same key the last counts.
    void *items;
    uint32_t count;
    uint32_t capacity;
    firn_status status; // The first error, told when it is the array's turn.
    firn_error err;
} streamed;

// The tree lies in an arena of its own: what `out` keeps of it is copied.
typedef struct metadata_reader {
    const json_node *root;
    arena *memory; // Of `out`.
    arena growing; // Of streamed items.
    ice_metadata *out;
    streamed schemas; // Of read_schema.
    streamed snapshots;
    streamed log;
} metadata_reader;

typedef struct read_schema {
    ice_schema schema;
    const firn_error *error; // Why it is not read; NULL: it is.
} read_schema;

static firn_status keep_text(const metadata_reader *self, text *value, firn_error *err) {
    return text_copy(self->memory, *value, value, err);
}

// Says what was wrong with an element of `list`; forgets all if it is not that which was streamed.
static firn_status check_streamed(streamed *self, const json_node *list, firn_error *err) {
    if (list == NULL || self->list != list) {
        self->count = 0;
        return FIRN_OK;
    }
    if (self->status != FIRN_OK) {
        *err = self->err;
    }
    return self->status;
}

// ---- Schemas -----------------------------------------------------------------------------------

// Why a schema is not read is told when somebody wants to read with it.
static firn_status keep_error(metadata_reader *self, firn_error *err, const firn_error **out) {
    firn_error *copy = ARENA_NEW(self->memory, firn_error, 1);
    if (copy == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    *copy = *err;
    *err = ERR_INIT;
    *out = copy;
    return FIRN_OK;
}

static firn_status read_schema_at(metadata_reader *self, const json_node *node, read_schema *out,
                                  firn_error *err) {
    *out = (read_schema){.error = NULL};
    TRY(json_as_object(node, err));
    const firn_status status = ice_schema_read(node, self->memory, &out->schema, err);
    return status == FIRN_UNSUPPORTED ? keep_error(self, err, &out->error) : status;
}

static firn_status add_schema(metadata_reader *self, const json_node *node, firn_error *err) {
    streamed *all = &self->schemas;
    read_schema *items =
        ARENA_GROW(&self->growing, read_schema, all->items, all->count, 1, &all->capacity);
    if (items == NULL) {
        return ARENA_FULL(&self->growing, err);
    }
    all->items = items;
    TRY(read_schema_at(self, node, &items[all->count], err));
    all->count++;
    return FIRN_OK;
}

static firn_status read_schemas(metadata_reader *self, firn_error *err) {
    ice_metadata *out = self->out;
    const json_node *list = NULL;
    const json_node *single = NULL;
    TRY(json_want_array(self->root, "schemas", &list, err));
    TRY(json_want_object(self->root, "schema", &single, err));
    if (out->format_version > 1 || single == NULL) {
        TRY(json_get_array(self->root, "schemas", &list, err));
        TRY(json_get_i32(self->root, "current-schema-id", &out->current_schema_id, err));
    } else {
        TRY(json_want_i32(self->root, "current-schema-id", &out->current_schema_id, err));
    }
    TRY(check_streamed(&self->schemas, list, err));
    if (list == NULL) {
        TRY(add_schema(self, single, err));
    }
    const uint32_t count = self->schemas.count;
    const read_schema *read = self->schemas.items;
    ice_schema *schemas = ARENA_NEW(self->memory, ice_schema, (size_t)count + 1);
    out->schema_errors = ARENA_NEW(self->memory, const firn_error *, (size_t)count + 1);
    if (schemas == NULL || out->schema_errors == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        schemas[i] = read[i].schema;
        out->schema_errors[i] = read[i].error;
    }
    out->schemas = schemas;
    out->schema_count = count;
    if (list == NULL) {
        out->current_schema_id = schemas[0].id;
    }
    if (ice_metadata_schema(out, out->current_schema_id) == NULL) {
        return FAIL(err, FIRN_CORRUPT, "\"current-schema-id\" is %d, there is no such schema",
                    out->current_schema_id);
    }
    return FIRN_OK;
}

// ---- Snapshots ---------------------------------------------------------------------------------

static firn_status read_summary(const json_node *node, ice_snapshot *out, firn_error *err) {
    const json_node *summary = NULL;
    TRY(json_want_object(node, "summary", &summary, err));
    for (const json_node *each = summary == NULL ? NULL : summary->first; each != NULL;
         each = each->next) {
        text value;
        TRY(json_as_text(each, &value, err));
        uint64_t rows = 0;
        if (text_equal(each->key, TEXT("operation"))) {
            out->operation = value;
        } else if (text_equal(each->key, TEXT("total-records")) &&
                   number_parse_u64(value, &rows) == NUMBER_OK) {
            out->rows = (estimate){.is_known = true, .value = (double)rows};
        }
    }
    return FIRN_OK;
}

static firn_status read_snapshot(metadata_reader *self, const json_node *node, ice_snapshot *out,
                                 firn_error *err) {
    const json_node *manifests = NULL;
    *out = (ice_snapshot){.parent_id = ICE_NO_SNAPSHOT, .schema_id = -1};
    TRY(json_get_i64(node, "snapshot-id", &out->id, err));
    TRY(json_want_i64(node, "parent-snapshot-id", &out->parent_id, err));
    TRY(json_want_i64(node, "sequence-number", &out->sequence_number, err));
    TRY(json_get_i64(node, "timestamp-ms", &out->timestamp_ms, err));
    TRY(json_want_i32(node, "schema-id", &out->schema_id, err));
    TRY(json_want_text(node, "manifest-list", &out->manifest_list, err));
    TRY(read_summary(node, out, err));
    TRY(keep_text(self, &out->operation, err));
    TRY(keep_text(self, &out->manifest_list, err));
    if (out->manifest_list.size > 0) {
        return FIRN_OK;
    }
    TRY(json_get_array(node, "manifests", &manifests, err)); // v1 without a list.
    out->manifests.items = ARENA_NEW(self->memory, text, (size_t)manifests->count + 1);
    if (out->manifests.items == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (const json_node *each = manifests->first; each != NULL; each = each->next) {
        text *made = &out->manifests.items[out->manifests.count++];
        TRY(json_as_text(each, made, err));
        TRY(keep_text(self, made, err));
    }
    return FIRN_OK;
}

static firn_status add_snapshot(metadata_reader *self, const json_node *node, firn_error *err) {
    streamed *all = &self->snapshots;
    ice_snapshot *items =
        ARENA_GROW(&self->growing, ice_snapshot, all->items, all->count, 1, &all->capacity);
    if (items == NULL) {
        return ARENA_FULL(&self->growing, err);
    }
    all->items = items;
    TRY(json_as_object(node, err));
    TRY(read_snapshot(self, node, &items[all->count], err));
    all->count++;
    return FIRN_OK;
}

static firn_status read_snapshots(metadata_reader *self, firn_error *err) {
    ice_metadata *out = self->out;
    const json_node *list = NULL;
    out->current_snapshot_id = ICE_NO_SNAPSHOT;
    TRY(json_want_i64(self->root, "current-snapshot-id", &out->current_snapshot_id, err));
    TRY(json_want_array(self->root, "snapshots", &list, err));
    TRY(check_streamed(&self->snapshots, list, err));
    const uint32_t count = self->snapshots.count;
    ice_snapshot *snapshots = ARENA_NEW(self->memory, ice_snapshot, (size_t)count + 1);
    if (snapshots == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    if (count > 0) {
        memcpy(snapshots, self->snapshots.items, count * sizeof *snapshots);
    }
    out->snapshots = snapshots;
    out->snapshot_count = count;
    if (out->current_snapshot_id != ICE_NO_SNAPSHOT &&
        ice_metadata_snapshot(out, out->current_snapshot_id) == NULL) {
        return FAIL(err, FIRN_CORRUPT, "\"current-snapshot-id\" is %lld, there is no such snapshot",
                    (long long)out->current_snapshot_id);
    }
    return FIRN_OK;
}

static firn_status read_ref(const json_node *node, ice_ref *out, firn_error *err) {
    text kind;
    *out = (ice_ref){.name = node->key};
    TRY(json_as_object(node, err));
    TRY(json_get_i64(node, "snapshot-id", &out->snapshot_id, err));
    TRY(json_get_text(node, "type", &kind, err));
    out->is_tag = text_equal_nocase(kind, TEXT("tag"));
    if (!out->is_tag && !text_equal_nocase(kind, TEXT("branch"))) {
        return json_node_fail(node, err, "is a \"%.*s\", a branch or a tag is allowed",
                              TEXT_ARGS(kind));
    }
    return FIRN_OK;
}

static firn_status read_refs(metadata_reader *self, firn_error *err) {
    ice_metadata *out = self->out;
    const json_node *object = NULL;
    TRY(json_want_object(self->root, "refs", &object, err));
    const uint32_t count = object == NULL ? 0 : object->count;
    ice_ref *refs = ARENA_NEW(self->memory, ice_ref, (size_t)count + 2);
    if (refs == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    out->refs = refs;
    bool has_main = false;
    for (const json_node *each = count == 0 ? NULL : object->first; each != NULL;
         each = each->next) {
        ice_ref *made = &refs[out->ref_count++];
        TRY(read_ref(each, made, err));
        TRY(keep_text(self, &made->name, err));
        const bool is_main = text_equal(made->name, TEXT("main"));
        has_main |= is_main;
        if (is_main && made->snapshot_id != out->current_snapshot_id) {
            return json_node_fail(each, err, "is snapshot %lld, the current snapshot is %lld",
                                  (long long)made->snapshot_id,
                                  (long long)out->current_snapshot_id);
        }
    }
    if (!has_main && out->current_snapshot_id != ICE_NO_SNAPSHOT) {
        refs[out->ref_count++] =
            (ice_ref){.name = TEXT("main"), .snapshot_id = out->current_snapshot_id};
    }
    return FIRN_OK;
}

static firn_status add_log_entry(metadata_reader *self, const json_node *node, firn_error *err) {
    streamed *all = &self->log;
    ice_log_entry *items =
        ARENA_GROW(&self->growing, ice_log_entry, all->items, all->count, 1, &all->capacity);
    if (items == NULL) {
        return ARENA_FULL(&self->growing, err);
    }
    all->items = items;
    ice_log_entry *made = &items[all->count];
    TRY(json_as_object(node, err));
    TRY(json_get_i64(node, "snapshot-id", &made->snapshot_id, err));
    TRY(json_get_i64(node, "timestamp-ms", &made->timestamp_ms, err));
    all->count++;
    return FIRN_OK;
}

static firn_status read_log(metadata_reader *self, firn_error *err) {
    ice_metadata *out = self->out;
    const json_node *list = NULL;
    TRY(json_want_array(self->root, "snapshot-log", &list, err));
    TRY(check_streamed(&self->log, list, err));
    const uint32_t count = self->log.count;
    ice_log_entry *log = ARENA_NEW(self->memory, ice_log_entry, (size_t)count + 1);
    if (log == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    if (count > 0) {
        memcpy(log, self->log.items, count * sizeof *log);
    }
    out->log = log;
    out->log_count = count;
    return FIRN_OK;
}

// ---- The document ------------------------------------------------------------------------------

static firn_status check_numbers(metadata_reader *self, firn_error *err) {
    int64_t number;
    TRY(json_get_i64(self->root, "last-updated-ms", &number, err));
    TRY(json_get_i64(self->root, "last-column-id", &number, err));
    if (self->out->format_version == 1) {
        TRY(json_want_text(self->root, "table-uuid", &self->out->uuid, err));
        return keep_text(self, &self->out->uuid, err);
    }
    TRY(json_get_text(self->root, "table-uuid", &self->out->uuid, err));
    TRY(keep_text(self, &self->out->uuid, err));
    TRY(json_get_i64(self->root, "last-sequence-number", &self->out->last_sequence_number, err));
    return self->out->format_version < 3 ? FIRN_OK
                                         : json_get_i64(self->root, "next-row-id", &number, err);
}

static firn_status read_document(metadata_reader *self, firn_error *err) {
    ice_metadata *out = self->out;
    TRY(json_as_object(self->root, err));
    TRY(json_get_i32(self->root, "format-version", &out->format_version, err));
    if (out->format_version < 1) {
        return FAIL(err, FIRN_CORRUPT, "\"format-version\" is %d, at least 1 is required",
                    out->format_version);
    }
    if (out->format_version > FORMAT_VERSION_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED, "\"format-version\" is %d, at most %d is read",
                    out->format_version, FORMAT_VERSION_MAX);
    }
    TRY(json_get_text(self->root, "location", &out->location, err));
    TRY(keep_text(self, &out->location, err));
    TRY(check_numbers(self, err));
    TRY(read_schemas(self, err));
    TRY(ice_read_specs(self->root, self->memory, out, err));
    TRY(ice_read_order(self->root, self->memory, out, err));
    TRY(read_snapshots(self, err));
    TRY(read_refs(self, err));
    TRY(read_log(self, err));
    return ice_read_properties(self->root, self->memory, out, err);
}

// ---- What is read of it -------------------------------------------------------------------------

static bool is_one_of(text key, const char *const *keys) {
    while (*keys != NULL && !text_equal(key, text_of(*keys))) {
        keys++;
    }
    return *keys != NULL;
}

static bool is_element_of_snapshots(const json_node *node) {
    const json_node *list = node->parent;
    return list != NULL && list->kind == JSON_ARRAY && list->parent != NULL &&
           list->parent->parent == NULL && text_equal(list->key, TEXT("snapshots"));
}

// Left out is what may be large and is of no use to a reader: files of statistics, former metadata
// files, most of what is noted of snapshots. Notes that are no texts stay, to be
// told.
static bool wants(void *user, const json_node *object, text key, json_kind kind) {
    static const char *const unread[] = {"metadata-log", "statistics", "partition-statistics",
                                         "encryption-keys", NULL};
    static const char *const of_snapshot[] = {
        "snapshot-id", "parent-snapshot-id", "sequence-number", "timestamp-ms",
        "schema-id",   "manifest-list",      "manifests",       "summary",
        NULL};
    static const char *const of_summary[] = {"operation", "total-records", NULL};
    (void)user;
    if (object->parent == NULL) {
        return !is_one_of(key, unread);
    }
    if (is_element_of_snapshots(object)) {
        return is_one_of(key, of_snapshot);
    }
    const bool is_summary =
        text_equal(object->key, TEXT("summary")) && is_element_of_snapshots(object->parent);
    return kind != JSON_STRING || !is_summary || is_one_of(key, of_summary);
}

static streamed *streamed_of(metadata_reader *self, const json_node *list) {
    const bool is_member = list->parent != NULL && list->parent->parent == NULL;
    return is_member && text_equal(list->key, TEXT("schemas"))        ? &self->schemas
           : is_member && text_equal(list->key, TEXT("snapshots"))    ? &self->snapshots
           : is_member && text_equal(list->key, TEXT("snapshot-log")) ? &self->log
                                                                      : NULL;
}

static bool is_streamed(void *user, const json_node *list) {
    return streamed_of(user, list) != NULL;
}

static firn_status take_into(metadata_reader *self, streamed *all, const json_node *list,
                             const json_node *node, firn_error *err) {
    if (all->list != list) {
        all->list = list;
        all->count = 0;
        all->status = FIRN_OK;
    }
    if (all->status != FIRN_OK) {
        return FIRN_OK;
    }
    firn_status status = all == &self->schemas     ? add_schema(self, node, err)
                         : all == &self->snapshots ? add_snapshot(self, node, err)
                                                   : add_log_entry(self, node, err);
    if (status == FIRN_CORRUPT) { // What stands before it may be wrong too, and is told first.
        all->status = status;
        all->err = *err;
        *err = ERR_INIT;
        status = FIRN_OK;
    }
    return status;
}

static firn_status take_element(void *user, const json_node *node, firn_error *err) {
    metadata_reader *self = user;
    return take_into(self, streamed_of(self, node->parent), node->parent, node, err);
}

// Of a whole tree. Edited ones share nodes, whose parents are those of before.
static firn_status take_lists(metadata_reader *self, firn_error *err) {
    const struct {
        const char *key;
        streamed *all;
    } lists[] = {
        {"schemas", &self->schemas}, {"snapshots", &self->snapshots}, {"snapshot-log", &self->log}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const json_node *list = json_find(self->root, lists[i].key);
        for (const json_node *each = list == NULL || list->kind != JSON_ARRAY ? NULL : list->first;
             each != NULL; each = each->next) {
            TRY(take_into(self, lists[i].all, list, each, err));
        }
    }
    return FIRN_OK;
}

// ---- Files -------------------------------------------------------------------------------------

// The JSON of a file that may be packed with gzip.
static firn_status unpack(bytes file, arena *memory, bytes *out, firn_error *err) {
    *out = file;
    if (file.size < 2 || file.data[0] != 0x1f || file.data[1] != 0x8b) {
        return FIRN_OK;
    }
    codec_scratch scratch = codec_scratch_open_in(memory->owner, (size_t)16 << 20);
    const codec_growth growth = {.memory = memory,
                                 .size_max = ICE_METADATA_BYTES_MAX,
                                 .size_hint = file.size < ICE_METADATA_BYTES_MAX / 8 ? file.size * 8
                                                                                     : file.size};
    const firn_status status = codec_decode_growing(CODEC_GZIP, file, &growth, out, &scratch, err);
    codec_scratch_close(&scratch);
    return status;
}

firn_status ice_json_read(bytes file, arena *memory, const json_node **out, firn_error *err) {
    bytes json;
    TRY(unpack(file, memory, &json, err));
    return json_tree_read(memory, json, out, err);
}

firn_status ice_metadata_read(bytes file, arena *memory, ice_metadata *out, firn_error *err) {
    *out = (ice_metadata){.format_version = 0};
    metadata_reader self = {.memory = memory, .out = out};
    const json_tree_parts parts = {
        .user = &self, .wants = wants, .is_streamed = is_streamed, .element = take_element};
    arena tree = arena_open_in(memory->owner, TREE_BYTES_MAX);
    tree.cancel = memory->cancel;
    self.growing = tree;
    bytes json;
    firn_status status = unpack(file, &tree, &json, err);
    status =
        status == FIRN_OK ? json_tree_read_parts(&tree, json, &parts, &self.root, err) : status;
    status = status == FIRN_OK ? read_document(&self, err) : status;
    arena_close(&self.growing);
    arena_close(&tree);
    return status;
}

firn_status ice_metadata_of(const json_node *root, arena *memory, ice_metadata *out,
                            firn_error *err) {
    *out = (ice_metadata){.format_version = 0};
    metadata_reader self = {.root = root,
                            .memory = memory,
                            .growing = arena_open_in(memory->owner, TREE_BYTES_MAX),
                            .out = out};
    firn_status status = json_as_object(root, err);
    status = status == FIRN_OK ? take_lists(&self, err) : status;
    status = status == FIRN_OK ? read_document(&self, err) : status;
    arena_close(&self.growing);
    return status;
}

const ice_snapshot *ice_metadata_snapshot(const ice_metadata *self, int64_t id) {
    for (uint32_t i = 0; i < self->snapshot_count; i++) {
        if (self->snapshots[i].id == id) {
            return &self->snapshots[i];
        }
    }
    return NULL;
}

const ice_snapshot *ice_metadata_parent(const ice_metadata *self, const ice_snapshot *of) {
    const uint32_t at = (uint32_t)(of - self->snapshots);
    for (uint32_t i = at; i > 0 && of->parent_id != ICE_NO_SNAPSHOT; i--) {
        if (self->snapshots[i - 1].id == of->parent_id) {
            return &self->snapshots[i - 1];
        }
    }
    for (uint32_t i = at; i < self->snapshot_count && of->parent_id != ICE_NO_SNAPSHOT; i++) {
        if (self->snapshots[i].id == of->parent_id) {
            return &self->snapshots[i];
        }
    }
    return NULL;
}

const ice_spec *ice_metadata_spec(const ice_metadata *self, int32_t id) {
    for (uint32_t i = 0; i < self->spec_count; i++) {
        if (self->specs[i].id == id) {
            return &self->specs[i];
        }
    }
    return NULL;
}

const ice_schema *ice_metadata_schema(const ice_metadata *self, int32_t id) {
    for (uint32_t i = 0; i < self->schema_count; i++) {
        if (self->schemas[i].id == id) {
            return &self->schemas[i];
        }
    }
    return NULL;
}

const field *ice_metadata_field(const ice_metadata *self, const ice_schema *first,
                                int32_t field_id) {
    const field *found = ice_schema_find(&first->columns, field_id);
    for (uint32_t i = self->schema_count; i > 0 && found == NULL; i--) {
        found = ice_schema_find(&self->schemas[i - 1].columns, field_id);
    }
    return found;
}
