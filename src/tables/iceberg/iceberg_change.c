#include "tables/iceberg/iceberg_change.h"

#include "io/io_path.h"
#include "memory/arena_grow.h"
#include "tables/iceberg/iceberg_change_alter.h"
#include "tables/iceberg/iceberg_write_options.h"

#define CHANGE_BYTES_MAX ((size_t)8 << 30)
#define CODEC_BYTES_MAX ((size_t)64 << 20)

// ---- Heads -------------------------------------------------------------------------------------

static firn_status take_json(ice_play *self, bytes file, firn_error *err) {
    TRY(ice_json_read(file, &self->memory, &self->root, err));
    return ice_metadata_of(self->root, &self->memory, &self->metadata, err);
}

// The file itself is read, since a table keeps of it only what readers need.
static firn_status read_head(ice_table_change *self, ice_play *out, firn_error *err) {
    bytes file;
    firn_status status = io_get(self->env->io, out->location, ICE_METADATA_BYTES_MAX,
                                ice_change_cancel(self), &out->memory, &file, err);
    status = status == FIRN_OK ? take_json(out, file, err) : status;
    if (status != FIRN_OK) {
        io_path_while(err, "reading the metadata of the table that is changed", out->location);
        return status;
    }
    out->head = out->root;
    return out->metadata.format_version <= 2
               ? FIRN_OK
               : FAIL(err, FIRN_UNSUPPORTED, "tables of version %d are not written, at most 2",
                      out->metadata.format_version);
}

firn_status ice_play_open(ice_table_change *self, text location, ice_play *out, firn_error *err) {
    *out = (ice_play){.memory = arena_open_in(self->env->pool, CHANGE_BYTES_MAX)};
    if (location.size == 0) {
        return FIRN_OK;
    }
    firn_status status = text_copy(&out->memory, location, &out->location, err);
    status = status == FIRN_OK ? read_head(self, out, err) : status;
    if (status != FIRN_OK) {
        ice_play_close(out);
    }
    return status;
}

void ice_play_close(ice_play *self) {
    arena memory = self->memory;
    arena_close(&memory);
    *self = (ice_play){.count = 0};
}

const json_node *ice_root_snapshot(const json_node *root, int64_t id) {
    const json_node *list = root == NULL ? NULL : json_find(root, "snapshots");
    for (const json_node *each = list == NULL ? NULL : list->first; each != NULL;
         each = each->next) {
        int64_t is = ICE_NO_SNAPSHOT;
        firn_error ignored = ERR_INIT;
        if (each->kind == JSON_OBJECT &&
            json_want_i64(each, "snapshot-id", &is, &ignored) == FIRN_OK && is == id) {
            return each;
        }
    }
    return NULL;
}

int64_t ice_root_ref(const json_node *root, text name) {
    const json_node *refs = json_find(root, "refs");
    int64_t out = ICE_NO_SNAPSHOT;
    firn_error ignored = ERR_INIT;
    for (const json_node *each = refs == NULL || refs->kind != JSON_OBJECT ? NULL : refs->first;
         each != NULL; each = each->next) {
        if (text_equal(each->key, name) && each->kind == JSON_OBJECT) {
            (void)json_want_i64(each, "snapshot-id", &out, &ignored);
        }
    }
    if (out == ICE_NO_SNAPSHOT && text_equal(name, ICE_MAIN)) {
        (void)json_want_i64(root, "current-snapshot-id", &out, &ignored);
    }
    return out;
}

int64_t ice_play_ref(const ice_metadata *metadata, text name, bool *is_tag) {
    for (uint32_t i = 0; i < metadata->ref_count; i++) {
        if (text_equal(metadata->refs[i].name, name)) {
            *is_tag = metadata->refs[i].is_tag;
            return metadata->refs[i].snapshot_id;
        }
    }
    *is_tag = false;
    return ICE_NO_SNAPSHOT;
}

void ice_play_ref_settings(const ice_play *play, text name, ice_new_ref *out) {
    const json_node *refs = play->root == NULL ? NULL : json_find(play->root, "refs");
    for (const json_node *each = refs == NULL || refs->kind != JSON_OBJECT ? NULL : refs->first;
         each != NULL; each = each->next) {
        firn_error ignored = ERR_INIT; // What is no number is not said.
        if (text_equal(each->key, name) && each->kind == JSON_OBJECT) {
            (void)json_want_i64(each, "min-snapshots-to-keep", &out->snapshots_min, &ignored);
            (void)json_want_i64(each, "max-snapshot-age-ms", &out->snapshot_age_ms_max, &ignored);
            (void)json_want_i64(each, "max-ref-age-ms", &out->ref_age_ms_max, &ignored);
        }
    }
}

void ice_play_set_branch(const ice_play *play, text branch, int64_t snapshot_id,
                         ice_updates *updates) {
    ice_new_ref ref = {.name = branch, .snapshot_id = snapshot_id};
    ice_play_ref_settings(play, branch, &ref);
    ice_update_set_ref(updates, &ref);
}

firn_status ice_snapshot_id_make(const ice_play *play, int64_t *out, firn_error *err) {
    do {
        TRY(host_random(out, sizeof *out, err));
        *out &= INT64_MAX;
    } while (*out == 0 || ice_metadata_snapshot(&play->metadata, *out) != NULL);
    return FIRN_OK;
}

firn_status ice_play_manifests(const ice_table_change *self, const ice_play *play,
                               int64_t snapshot_id, arena *memory, ice_manifest_list *out,
                               firn_error *err) {
    *out = (ice_manifest_list){.count = 0};
    for (uint32_t i = 0; i < play->count; i++) {
        if (snapshot_id != ICE_NO_SNAPSHOT && play->items[i].snapshot_id == snapshot_id) {
            *out = play->items[i].list;
            return FIRN_OK;
        }
    }
    return ice_manifests_of(self->env->io, ice_metadata_snapshot(&play->metadata, snapshot_id),
                            ice_change_cancel(self), memory, out, err);
}

// ---- Steps -------------------------------------------------------------------------------------

static firn_status play_kind(ice_table_change *self, ice_play *play, const ice_step *step,
                             ice_played *out, ice_updates *updates, firn_error *err) {
    switch (step->kind) {
    case ICE_STEP_CREATE:
        return ice_play_create(play, step->definition, &play->memory, updates, err);
    case ICE_STEP_ALTER:
        return ice_play_alter(self, play, step, out, updates, err);
    case ICE_STEP_ROWS:
        break;
    }
    return ice_play_rows(self, play, step, out, updates, err);
}

// The first change is made as a commit of it alone would be: mostly there is no other, and its JSON
// is what is written.
static firn_status apply(ice_play *play, ice_played *made, firn_error *err) {
    const bool is_first = play->json.size == 0;
    const ice_change how = {.now_ms = host_time_us() / 1000,
                            .old_location = is_first ? play->location : (text){.size = 0}};
    ice_changed changed;
    TRY(ice_metadata_change(play->root, made->updates, &how, &play->memory, &changed, err));
    play->json = changed.json;
    play->root = changed.root;
    made->updates = changed.updates;
    made->forgotten = changed.forgotten;
    return ice_metadata_of(play->root, &play->memory, &play->metadata, err);
}

static firn_status play_step(ice_table_change *self, ice_play *play, const ice_step *step,
                             firn_error *err) {
    ice_played made = {.snapshot_id = ICE_NO_SNAPSHOT,
                       .root_before = play->root,
                       .json_before = play->json,
                       .metadata_before = play->metadata};
    ice_updates updates;
    ice_played *items =
        ARENA_GROW(&play->memory, ice_played, play->items, play->count, 1, &play->capacity);
    if (items == NULL) {
        return ARENA_FULL(&play->memory, err);
    }
    play->items = items;
    ice_updates_open(&updates, &play->memory);
    TRY(play_kind(self, play, step, &made, &updates, err));
    TRY(ice_updates_finish(&updates, &made.updates, err));
    if (text_equal(made.updates, TEXT("[]"))) {
        made.updates.size = 0;
    } else {
        TRY(apply(play, &made, err));
    }
    items[play->count++] = made;
    return FIRN_OK;
}

// Puts a play back to what it was, but for the memory that it took since.
static void put_back(ice_play *to, const ice_play *from) {
    const arena memory = to->memory;
    *to = *from;
    to->memory = memory;
}

firn_status ice_play_step(ice_table_change *self, ice_play *play, const ice_step *step,
                          firn_error *err) {
    const ice_play before = *play;
    const uint32_t written = self->written_count;
    const firn_status status = play_step(self, play, step, err);
    if (status != FIRN_OK) {
        put_back(play, &before);
        ice_change_unwrite(self, written);
    }
    return status;
}

firn_status ice_change_add_step(ice_table_change *self, const ice_step *step, uint32_t written,
                                firn_error *err) {
    ice_step *items =
        ARENA_GROW(&self->memory, ice_step, self->steps, self->step_count, 1, &self->step_capacity);
    if (items == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    self->steps = items;
    items[self->step_count] = *step;
    items[self->step_count].number = transaction_next_step(self->base.owner);
    items[self->step_count].written_count = written;
    TRY(ice_play_step(self, &self->play, step, err));
    self->step_count++;
    self->is_prepared = false;
    return FIRN_OK;
}

// Takes the last steps back.
static void cut_steps(ice_table_change *self, uint32_t count) {
    if (count < self->step_count) {
        const ice_played *first = &self->play.items[count];
        self->play.root = first->root_before;
        self->play.json = first->json_before;
        self->play.metadata = first->metadata_before;
        self->play.count = count;
        ice_change_unwrite(self, self->steps[count].written_count);
        self->step_count = count;
        self->is_prepared = false;
    }
}

static void undo(table_change *base, uint64_t step) {
    ice_table_change *self = ice_table_change_of(base);
    uint32_t count = self->step_count;
    while (count > 0 && self->steps[count - 1].number >= step) {
        count--;
    }
    cut_steps(self, count);
}

// ---- Opening and closing -----------------------------------------------------------------------

static void close_change(table_change *base) {
    ice_table_change *self = ice_table_change_of(base);
    if (self == NULL) {
        return;
    }
    if (!self->is_settled) {
        ice_change_unwrite(self, 0);
    }
    ice_play_close(&self->play);
    codec_scratch_close(&self->codecs);
    table_snapshot_release(self->base.base);
    arena memory = self->memory; // It holds the change.
    arena_close(&memory);
}

static firn_status check_base(const table_snapshot *table, firn_error *err) {
    if (ice_table_branch(table).size == 0) {
        return FAIL(err, FIRN_UNSUPPORTED,
                    "a tag or a version of the past cannot be changed, only branches can");
    }
    return FIRN_OK;
}

// A property that was set, by what the table is then.
static firn_status check_set(ice_table_change *self, text key, text value, firn_error *err) {
    const ice_metadata *now = &self->play.metadata;
    const ice_schema *of = ice_metadata_schema(now, now->current_schema_id);
    const arena_mark mark = arena_mark_take(&self->memory);
    const firn_status status =
        ice_write_property_check(now, &of->columns, key, value, &self->memory, err);
    arena_rewind(&self->memory, mark);
    return status;
}

static firn_status create(ice_table_change *self, const table_definition *definition,
                          firn_error *err) {
    ice_step step = {.kind = ICE_STEP_CREATE,
                     .is_serializable = self->env->isolation == ISOLATION_SERIALIZABLE};
    TRY(ice_definition_copy(definition, &self->memory, &step.definition, err));
    if (self->base.base == NULL) {
        self->new_folder = io_path_unslashed(step.definition->location);
    }
    TRY(ice_change_add_step(self, &step, 0, err));
    for (size_t i = 0; i < definition->property_count; i++) {
        const firn_option *each = &definition->properties[i];
        TRY(check_set(self, text_of(each->key), text_of(each->value), err));
    }
    return FIRN_OK;
}

static firn_status open_in(ice_table_change *self, const table_definition *definition,
                           firn_error *err) {
    const table_snapshot *table = self->base.base;
    text location = {.size = 0};
    TRY(ice_uuid_make(self->uuid, err));
    self->branch = ICE_MAIN;
    if (table != NULL) {
        TRY(check_base(table, err));
        TRY(text_copy(&self->memory, ice_table_branch(table), &self->branch, err));
        location = ice_table_location(table);
    }
    TRY(ice_play_open(self, location, &self->play, err));
    return definition == NULL ? FIRN_OK : create(self, definition, err);
}

static firn_status open_change(transaction *owner, const transaction_env *env, table_snapshot *base,
                               const table_definition *definition, table_change **out,
                               firn_error *err) {
    arena memory = arena_open_in(env->pool, CHANGE_BYTES_MAX);
    ice_table_change *self = ARENA_NEW(&memory, ice_table_change, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (ice_table_change){
        .base = {.kind = &ice_table_changes,
                 .owner = owner,
                 .base = base == NULL ? NULL : table_snapshot_retain(base)},
        .env = env,
        .memory = memory,
        .codecs = codec_scratch_open_in(env->pool, CODEC_BYTES_MAX),
    };
    const firn_status status = open_in(self, definition, err);
    if (status != FIRN_OK) {
        close_change(&self->base);
        return status;
    }
    *out = &self->base;
    return FIRN_OK;
}

// ---- Seeing and altering -----------------------------------------------------------------------

static firn_status dotted_name(const object_name *name, arena *memory, text *out, firn_error *err) {
    text_builder builder = text_builder_open(memory);
    for (uint32_t i = 0; i < name->space.count; i++) {
        text_append(&builder, name->space.items[i]);
        text_append_char(&builder, '.');
    }
    text_append(&builder, name->name);
    return text_builder_finish(&builder, out, err);
}

// A name that is nobody's: what is seen has no file yet.
static firn_status see_in(ice_table_change *self, arena *memory, table_snapshot **out,
                          firn_error *err) {
    const table_snapshot *base = self->base.base;
    const table_version version = {.kind = VERSION_REF, .ref = self->branch};
    bool is_tag;
    const bool has_branch = ice_play_ref(&self->play.metadata, self->branch, &is_tag) >= 0;
    ice_open what = {.pool = self->env->pool,
                     .metadata = bytes_of_text(self->play.json),
                     .catalog = base == NULL ? (text){.size = 0} : base->ref.catalog,
                     .version = has_branch ? &version : NULL};
    text folder;
    TRY(ice_metadata_folder(self->play.root, memory, &folder, err));
    TRY(text_format(memory, &what.location, err, "%.*s/uncommitted-%s-%u.metadata.json",
                    TEXT_ARGS(folder), self->uuid, self->step_count));
    if (base == NULL) {
        TRY(dotted_name(&self->base.name, memory, &what.name, err));
    } else {
        what.name = base->ref.name;
    }
    return ice_table_open(self->env->io, &what, ice_change_cancel(self), out, err);
}

static firn_status see(table_change *base, table_snapshot **out, firn_error *err) {
    ice_table_change *self = ice_table_change_of(base);
    if (self->play.json.size == 0) {
        *out = table_snapshot_retain(self->base.base);
        return FIRN_OK;
    }
    const arena_mark mark = arena_mark_take(&self->memory);
    const firn_status status = see_in(self, &self->memory, out, err);
    arena_rewind(&self->memory, mark);
    return status;
}

static firn_status alter_by(ice_table_change *self, const alteration *wanted, firn_error *err) {
    ice_step step = {.kind = ICE_STEP_ALTER,
                     .is_serializable = self->env->isolation == ISOLATION_SERIALIZABLE};
    alteration pinned = *wanted;
    ice_alter_pin(&self->play, &pinned);
    TRY(ice_alteration_copy(&pinned, &self->memory, &step.alteration, err));
    TRY(ice_snapshot_id_make(&self->play, &step.snapshot_id, err));
    return ice_change_add_step(self, &step, self->written_count, err);
}

static firn_status alter(table_change *base, const alteration *steps, uint32_t count,
                         firn_error *err) {
    ice_table_change *self = ice_table_change_of(base);
    const uint32_t step_count = self->step_count;
    firn_status status = FIRN_OK;
    // Properties are looked at when all are set: of a codec and its level none is first.
    for (uint32_t i = 0; i < 2 * count && status == FIRN_OK; i++) {
        const alteration *each = &steps[i % count];
        if (i < count) {
            status = alter_by(self, each, err);
        } else if (each->kind == ALTER_SET_PROPERTY) {
            status = check_set(self, each->name, each->comment, err);
        }
        if (status != FIRN_OK && err->position == NO_POSITION && each->position != UINT32_MAX) {
            err->position = each->position;
        }
    }
    if (status != FIRN_OK) {
        cut_steps(self, step_count);
    }
    return status;
}

const table_change_kind ice_table_changes = {
    .name = "iceberg",
    .open = open_change,
    .see = see,
    .alter = alter,
    .undo = undo,
    .options = ice_change_options,
    .prepare = ice_change_prepare,
    .rebase = ice_change_rebase,
    .is_in = ice_change_is_in,
    .settle = ice_change_settle,
    .close = close_change,
};
