// A change handed to a catalog: as updates, or as a metadata file; and what comes after the answer.
#include "base/checked.h"
#include "io/io_path.h"
#include "memory/arena_grow.h"
#include "tables/iceberg/hadoop_version.h"
#include "tables/iceberg/iceberg_change_rows.h"

#define GZIP "gzip"

// ---- Updates and what they require -------------------------------------------------------------

// All arrays of updates as one.
static firn_status join_updates(const ice_play *play, arena *memory, text *out, firn_error *err) {
    text_builder builder = text_builder_open(memory);
    text_append_char(&builder, '[');
    for (uint32_t i = 0; i < play->count; i++) {
        const text each = play->items[i].updates;
        if (each.size > 2) {
            text_append(&builder, builder.size > 1 ? TEXT(",") : TEXT(""));
            text_append(&builder, text_slice(each, 1, each.size - 1));
        }
    }
    text_append_char(&builder, ']');
    return text_builder_finish(&builder, out, err);
}

typedef struct requiring {
    const ice_play *play;
    ice_updates *out;
    text *refs; // That were required already.
    uint32_t ref_count;
    bool has[8]; // By the first row that asks for it.
} requiring;

static firn_status head_number(const requiring *self, const char *key, int32_t missing,
                               int32_t *out, firn_error *err) {
    *out = missing;
    return json_want_i32(self->play->head, key, out, err);
}

static void require_ref(requiring *self, text name) {
    for (uint32_t i = 0; i < self->ref_count; i++) {
        if (text_equal(self->refs[i], name)) {
            return;
        }
    }
    self->refs[self->ref_count++] = name;
    ice_require_ref(self->out, name, ice_root_ref(self->play->head, name));
}

// A column that no row may lack from now on: nor may rows that came meanwhile, on any branch.
static bool is_narrowing(const ice_step *step) {
    return step->kind == ICE_STEP_ALTER && !step->alteration->is_nullable &&
           (step->alteration->kind == ALTER_COLUMN_NULLABLE ||
            step->alteration->kind == ALTER_ADD_COLUMN);
}

static void require_branches(requiring *self, const json_node *refs) {
    require_ref(self, ICE_MAIN);
    for (const json_node *each = refs == NULL ? NULL : refs->first; each != NULL;
         each = each->next) {
        const json_node *kind = json_find(each, "type");
        if (kind != NULL && kind->kind == JSON_STRING && text_equal(kind->value, TEXT("branch"))) {
            require_ref(self, each->key);
        }
    }
}

// As Java's UpdateRequirements: what an update goes out from must not have changed. More than
// there: what is partitioned or ordered by must not have been dropped.
static firn_status require_of(requiring *self, const json_node *update, firn_error *err) {
    static const struct {
        const char *action;
        const char *key;
        int32_t missing;
        void (*require)(ice_updates *, int32_t);
    } rows[] = {
        {"add-schema", "last-column-id", 0, ice_require_last_column},
        {"set-current-schema", "current-schema-id", 0, ice_require_current_schema},
        {"set-default-spec", "current-schema-id", 0, ice_require_current_schema},
        {"set-default-sort-order", "current-schema-id", 0, ice_require_current_schema},
        {"add-spec", "last-partition-id", 999, ice_require_last_partition},
        {"set-default-spec", "default-spec-id", 0, ice_require_default_spec},
        {"set-default-sort-order", "default-sort-order-id", 0, ice_require_default_order},
    };
    text action;
    TRY(json_get_text(update, "action", &action, err));
    if (text_equal(action, TEXT("set-snapshot-ref")) ||
        text_equal(action, TEXT("remove-snapshot-ref"))) {
        text name;
        TRY(json_get_text(update, "ref-name", &name, err));
        require_ref(self, name);
        return FIRN_OK;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t first = 0;
        while (rows[first].require != rows[i].require) {
            first++;
        }
        if (text_equal(action, text_of(rows[i].action)) && !self->has[first]) {
            int32_t is;
            TRY(head_number(self, rows[i].key, rows[i].missing, &is, err));
            rows[i].require(self->out, is);
            self->has[first] = true;
        }
    }
    return FIRN_OK;
}

static firn_status make_requirements(const ice_table_change *change, text updates, arena *memory,
                                     text *uuid, text *out, firn_error *err) {
    const ice_play *play = &change->play;
    const json_node *refs = play->head == NULL ? NULL : json_find(play->head, "refs");
    const json_node *list;
    ice_updates made;
    requiring self = {.play = play, .out = &made};
    *uuid = (text){.size = 0};
    ice_updates_open(&made, memory);
    if (play->head == NULL) {
        ice_require_create(&made);
        return ice_updates_finish(&made, out, err);
    }
    TRY(json_want_text(play->head, "table-uuid", uuid, err));
    TRY(text_copy(memory, *uuid, uuid, err));
    if (uuid->size > 0) {
        ice_require_uuid(&made, *uuid);
    }
    TRY(json_tree_read(memory, bytes_of_text(updates), &list, err));
    refs = refs == NULL || refs->kind != JSON_OBJECT ? NULL : refs;
    self.refs = ARENA_NEW(memory, text, (size_t)list->count + (refs == NULL ? 0 : refs->count) + 1);
    if (self.refs == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (const json_node *each = list->first; each != NULL; each = each->next) {
        TRY(require_of(&self, each, err));
    }
    for (uint32_t i = 0; i < change->step_count; i++) {
        if (is_narrowing(&change->steps[i])) {
            require_branches(&self, refs);
        }
    }
    return ice_updates_finish(&made, out, err);
}

// ---- Metadata files ----------------------------------------------------------------------------

// The version of the next file; catalogs that number them begin with 1, names of others with 0.
static uint64_t next_version(const ice_play *play) {
    uint64_t version = 0;
    if (play->location.size > 0) {
        (void)hadoop_version_of(io_path_name(play->location), &version);
    }
    return version + 1;
}

static firn_status pack(ice_table_change *self, text json, arena *memory, bytes *out,
                        firn_error *err) {
    codec_output packed = {.capacity = codec_encoded_size_max(CODEC_GZIP, json.size)};
    packed.data = ARENA_NEW(memory, uint8_t, packed.capacity);
    if (packed.data == NULL) {
        return ARENA_FULL(memory, err);
    }
    TRY(codec_encode(CODEC_GZIP, 0, bytes_of_text(json), &packed, &self->codecs, err));
    *out = (bytes){.data = packed.data, .size = packed.size};
    return FIRN_OK;
}

// The change that is the only one; NULL: there are more.
static const ice_played *only_change(const ice_play *play) {
    const ice_played *found = NULL;
    for (uint32_t i = 0; i < play->count; i++) {
        if (play->items[i].updates.size > 0) {
            if (found != NULL) {
                return NULL;
            }
            found = &play->items[i];
        }
    }
    return found;
}

// The metadata file of all steps, in the play's memory.
static firn_status make_metadata(ice_table_change *self, text updates, arena *memory, text *json,
                                 firn_error *err) {
    const ice_play *play = &self->play;
    const ice_played *only = only_change(play);
    if (only != NULL) {
        *json = play->json;
        self->forgotten = only->forgotten;
        return FIRN_OK;
    }
    // States between the steps are nobody's: no log says them.
    const ice_change how = {.now_ms = host_time_us() / 1000, .old_location = play->location};
    ice_changed changed;
    TRY(ice_metadata_change(play->head, updates, &how, memory, &changed, err));
    text *items = ARENA_NEW(&self->play.memory, text, (size_t)changed.forgotten.count + 1);
    if (items == NULL) {
        return ARENA_FULL(&self->play.memory, err);
    }
    for (uint32_t i = 0; i < changed.forgotten.count; i++) {
        TRY(text_copy(&self->play.memory, changed.forgotten.items[i], &items[i], err));
    }
    self->forgotten = (text_list){.count = changed.forgotten.count, .items = items};
    *json = changed.json;
    return FIRN_OK;
}

static firn_status write_metadata(ice_table_change *self, text updates, arena *memory,
                                  firn_error *err) {
    const ice_play *play = &self->play;
    text json;
    text folder;
    char uuid[ICE_UUID_SIZE + 1];
    TRY(make_metadata(self, updates, memory, &json, err));
    TRY(ice_metadata_folder(play->root, memory, &folder, err));
    TRY(ice_uuid_make(uuid, err));
    const bool is_packed = text_equal_nocase(
        ice_root_property(play->root, "write.metadata.compression-codec"), TEXT(GZIP));
    const uint64_t number = play->head == NULL ? 0 : next_version(play);
    text path;
    TRY(text_format(&self->memory, &path, err, "%.*s/%05llu-%s%s.metadata.json", TEXT_ARGS(folder),
                    (unsigned long long)number, uuid, is_packed ? ".gz" : ""));
    bytes content = bytes_of_text(json);
    TRY(is_packed ? pack(self, json, memory, &content, err) : FIRN_OK);
    TRY(ice_change_write(self, ICE_WRITTEN_METADATA, path, content, err));
    self->new_location = path;
    return FIRN_OK;
}

// What will be current on main.
static int64_t last_snapshot(const ice_play *play) {
    return play->metadata.current_snapshot_id;
}

// What was seen goes; nothing is written for it.
static firn_status prepare_drop(const ice_play *play, arena *memory, commit_part *out,
                                firn_error *err) {
    text uuid = {.size = 0};
    ice_updates none;
    out->kind = PART_DROP;
    if (out->form == COMMIT_POINTER) {
        TRY(text_copy(memory, play->location, &out->pointer.old_location, err));
        return FIRN_OK;
    }
    TRY(play->head == NULL ? FIRN_OK : json_want_text(play->head, "table-uuid", &uuid, err));
    TRY(text_copy(memory, uuid, &out->updates.uuid, err));
    ice_updates_open(&none, memory);
    TRY(ice_updates_finish(&none, &out->updates.updates, err));
    ice_updates_open(&none, memory);
    if (uuid.size > 0) {
        ice_require_uuid(&none, out->updates.uuid);
    }
    return ice_updates_finish(&none, &out->updates.requirements, err);
}

firn_status ice_change_prepare(table_change *base, commit_form form, arena *memory,
                               commit_part *out, firn_error *err) {
    ice_table_change *self = ice_table_change_of(base);
    const ice_play *play = &self->play;
    text updates;
    *out = (commit_part){.name = base->name,
                         .form = form,
                         .snapshot_id = last_snapshot(play),
                         .kind = play->head != NULL  ? PART_CHANGE
                                 : base->is_replaced ? PART_REPLACE
                                                     : PART_CREATE};
    if (form != COMMIT_UPDATES && form != COMMIT_POINTER) {
        return FAIL(err, FIRN_UNSUPPORTED, "the catalog cannot commit changes of Iceberg tables");
    }
    if (base->is_dropped) {
        return prepare_drop(play, memory, out, err);
    }
    TRY(join_updates(play, memory, &updates, err));
    if (text_equal(updates, TEXT("[]"))) {
        out->kind = PART_NOTHING;
        return FIRN_OK;
    }
    if (form == COMMIT_UPDATES) {
        out->updates.updates = updates;
        TRY(make_requirements(self, updates, memory, &out->updates.uuid, &out->updates.requirements,
                              err));
        TRY(ice_change_sync(self, memory, err));
    } else {
        if (!self->is_prepared) {
            const uint32_t written = self->written_count;
            firn_status status = write_metadata(self, updates, memory, err);
            status = status == FIRN_OK ? ice_change_sync(self, memory, err) : status;
            if (status != FIRN_OK) {
                ice_change_unwrite(self, written);
                return status;
            }
        }
        TRY(text_copy(memory, play->location, &out->pointer.old_location, err));
        TRY(text_copy(memory, self->new_location, &out->pointer.new_location, err));
    }
    self->form = form;
    self->is_prepared = true;
    return FIRN_OK;
}

// ---- On top of what others committed -----------------------------------------------------------

static text uuid_of(const json_node *root) {
    const json_node *found = root == NULL ? NULL : json_find(root, "table-uuid");
    return found == NULL || found->kind != JSON_STRING ? (text){.size = 0} : found->value;
}

static firn_status check_head(const ice_table_change *self, const ice_play *play, firn_error *err) {
    const text before = uuid_of(self->play.head);
    const text now = uuid_of(play->head);
    if (self->play.head == NULL) {
        return FAIL_SQL(err, FIRN_CONFLICT, "42P07", NO_POSITION,
                        "the table was created meanwhile by somebody else");
    }
    return before.size == 0 || now.size == 0 || text_equal_nocase(before, now)
               ? FIRN_OK
               : FAIL(err, FIRN_CONFLICT, "another table has its name now");
}

// An alteration that cannot be played on a new head stands against what made it new.
static firn_status as_conflict(const ice_step *step, firn_status status, firn_error *err) {
    if (step->kind != ICE_STEP_ALTER) {
        return status;
    }
    if (status != FIRN_INVALID && status != FIRN_NOT_FOUND && status != FIRN_UNSUPPORTED) {
        return status;
    }
    const firn_error why = *err;
    return FAIL(err, FIRN_CONFLICT, "on top of what was committed meanwhile: %s", why.text);
}

static firn_status replay(ice_table_change *self, ice_play *play, firn_error *err) {
    TRY(check_head(self, play, err));
    if (self->base.is_dropped) {
        return FIRN_OK; // Whatever it was to become.
    }
    for (uint32_t i = 0; i < self->step_count; i++) {
        const ice_step *step = &self->steps[i];
        TRY(step->kind == ICE_STEP_ROWS
                ? ice_change_check_rows(self, &self->play, play, step, err)
                : ice_change_check_left(self, &self->play, play, step, err));
        TRY(as_conflict(step, ice_play_step(self, play, step, err), err));
    }
    return FIRN_OK;
}

firn_status ice_change_rebase(table_change *base, table_snapshot *head, firn_error *err) {
    ice_table_change *self = ice_table_change_of(base);
    const uint32_t written = self->written_count;
    ice_play play;
    if (head == NULL) {
        return self->play.head == NULL
                   ? FIRN_OK // It is new, and still nobody else's.
                   : FAIL(err, FIRN_CONFLICT, "the table was dropped meanwhile");
    }
    TRY(ice_play_open(self, ice_table_location(head), &play, err));
    const firn_status status = replay(self, &play, err);
    if (status != FIRN_OK) {
        ice_play_close(&play);
        ice_change_unwrite(self, written);
        return status;
    }
    ice_play_close(&self->play);
    self->play = play;
    self->is_prepared = false;
    self->forgotten = (text_list){.count = 0};
    return FIRN_OK;
}

// Whether updates without a snapshot of their own change nothing any more.
static firn_status are_done(const ice_table_change *self, const ice_play *head, arena *memory,
                            bool *out, firn_error *err) {
    static const char *const others[] = {"last-updated-ms", "metadata-log"};
    const ice_change how = {.now_ms = 0};
    const json_node *trees[2] = {head->root};
    json_editor edit = {.memory = memory};
    ice_changed changed;
    text updates;
    TRY(join_updates(&self->play, memory, &updates, err));
    const firn_status status =
        ice_metadata_change(head->root, updates, &how, memory, &changed, err);
    *out = false;
    if (status != FIRN_OK) { // What cannot be said any more was not said either.
        return status_is_refusal(status) ? status : err_forgive(err, status, status);
    }
    TRY(ice_json_read(bytes_of_text(changed.json), memory, &trees[1], err));
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < sizeof others / sizeof *others; j++) {
            trees[i] = json_edit_member(&edit, trees[i], text_of(others[j]), NULL);
            TRY(json_edit_check(&edit, err));
        }
    }
    *out = json_nodes_equal(trees[0], trees[1]);
    return FIRN_OK;
}

static bool is_logged(const json_node *root, text location) {
    const json_node *log = json_find(root, "metadata-log");
    for (const json_node *each = log == NULL ? NULL : log->first; each != NULL; each = each->next) {
        const json_node *file = json_find(each, "metadata-file");
        if (file != NULL && file->kind == JSON_STRING && text_equal(file->value, location)) {
            return true;
        }
    }
    return false;
}

// In another table of the same name nothing of ours is.
static firn_status find_in(const ice_table_change *self, ice_play *head, bool *out,
                           firn_error *err) {
    const ice_play *play = &self->play;
    *out = false;
    if (!text_equal_nocase(uuid_of(play->root), uuid_of(head->root))) {
        return FIRN_OK;
    }
    for (uint32_t i = play->count; i > 0; i--) {
        if (play->items[i - 1].snapshot_id != ICE_NO_SNAPSHOT &&
            ice_root_snapshot(head->root, play->items[i - 1].snapshot_id) != NULL) {
            *out = true;
            return FIRN_OK;
        }
    }
    if (play->head == NULL || // The UUID is ours alone.
        (self->form == COMMIT_POINTER && (text_equal(head->location, self->new_location) ||
                                          is_logged(head->root, self->new_location)))) {
        *out = true;
        return FIRN_OK;
    }
    for (uint32_t i = 0; i < play->count; i++) {
        if (play->items[i].snapshot_id != ICE_NO_SNAPSHOT) {
            return FIRN_OK;
        }
    }
    return are_done(self, head, &head->memory, out, err);
}

firn_status ice_change_is_in(table_change *base, table_snapshot *head, bool *out, firn_error *err) {
    ice_table_change *self = ice_table_change_of(base);
    ice_play play;
    *out = false;
    if (head == NULL) {
        return FIRN_OK;
    }
    TRY(ice_play_open(self, ice_table_location(head), &play, err));
    const firn_status status = find_in(self, &play, out, err);
    ice_play_close(&play);
    return status;
}

void ice_change_options(const table_change *base, commit_options *in_out) {
    const ice_table_change *self =
        (const ice_table_change *)(const void *)base; // Its first member.
    ice_root_commit_options(self->play.root, in_out);
}

// ---- After the answer --------------------------------------------------------------------------

// The lists and manifests of all steps.
static firn_status take_used(const ice_table_change *self, ice_text_set *out, arena *memory,
                             firn_error *err) {
    for (uint32_t i = 0; i < self->play.count; i++) {
        const ice_played *of = &self->play.items[i];
        TRY(ice_text_set_add(out, of->list_path, memory, err));
        for (uint32_t j = 0; j < of->list.count; j++) {
            TRY(ice_text_set_add(out, of->list.items[j].path, memory, err));
        }
    }
    return ice_text_set_sort(out, memory, err);
}

static bool is_used(const ice_table_change *self, const ice_text_set *used,
                    const ice_written *file) {
    switch (file->kind) {
    case ICE_WRITTEN_DATA:
        return true;
    case ICE_WRITTEN_METADATA:
        return self->form == COMMIT_POINTER && text_equal(file->path, self->new_location);
    case ICE_WRITTEN_MANIFEST:
        break;
    }
    return ice_text_set_find(used, file->path) != UINT32_MAX;
}

static void remove_file(const ice_table_change *self, text path) {
    firn_error ignored = ERR_INIT; // What stays is an orphan that nobody names.
    (void)io_remove(self->env->io, path, &ignored);
}

// What earlier attempts wrote. Without the memory to know which it stays.
static void remove_unused(const ice_table_change *self) {
    arena memory = arena_open_in(self->env->pool, ICE_SCRATCH_MAX);
    ice_text_set used = {.count = 0};
    firn_error ignored = ERR_INIT;
    const bool is_known = take_used(self, &used, &memory, &ignored) == FIRN_OK;
    for (uint32_t i = 0; is_known && i < self->written_count; i++) {
        if (!is_used(self, &used, &self->written[i])) {
            remove_file(self, self->written[i].path);
        }
    }
    arena_close(&memory);
}

void ice_change_settle(table_change *base, commit_answer answer) {
    ice_table_change *self = ice_table_change_of(base);
    if (answer == COMMIT_CONFLICT || (answer == COMMIT_DONE && base->is_dropped)) {
        ice_change_unwrite(self, 0);
    } else if (answer == COMMIT_DONE) {
        remove_unused(self);
        const bool drops =
            self->form == COMMIT_POINTER &&
            ice_root_flag(self->play.root, "write.metadata.delete-after-commit.enabled", false);
        for (uint32_t i = 0; i < self->forgotten.count && drops; i++) {
            remove_file(self, self->forgotten.items[i]);
        }
    }
    self->is_settled = true;
}
