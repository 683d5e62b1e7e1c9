// Steps of rows: manifests of the added files, written once, and a snapshot for each head.
#include "tables/iceberg/iceberg_change_rows.h"

#include <stdlib.h>

#include "io/io_path.h"
#include "memory/arena_grow.h"

#define MANIFEST_ENTRIES_MAX 20000 // About what fills a manifest of its target size.

// ---- Sets of texts -----------------------------------------------------------------------------

firn_status ice_text_set_add(ice_text_set *self, text item, arena *memory, firn_error *err) {
    text *items = ARENA_GROW(memory, text, self->items, self->count, 1, &self->capacity);
    if (items == NULL) {
        return ARENA_FULL(memory, err);
    }
    self->items = items;
    items[self->count++] = item;
    return FIRN_OK;
}

static int compare_texts(const void *left, const void *right) {
    return text_compare(*(const text *)left, *(const text *)right);
}

firn_status ice_text_set_sort(ice_text_set *self, arena *memory, firn_error *err) {
    self->are_found = ARENA_NEW(memory, bool, (size_t)self->count + 1);
    if (self->are_found == NULL) {
        return ARENA_FULL(memory, err);
    }
    memset(self->are_found, 0, (size_t)self->count + 1);
    if (self->count > 0) {
        qsort(self->items, self->count, sizeof *self->items, compare_texts);
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < self->count; i++) {
        if (kept == 0 || !text_equal(self->items[kept - 1], self->items[i])) {
            self->items[kept++] = self->items[i];
        }
    }
    self->count = kept;
    return FIRN_OK;
}

uint32_t ice_text_set_find(const ice_text_set *self, text item) {
    const text *found = self->count == 0 ? NULL
                                         : bsearch(&item, self->items, self->count,
                                                   sizeof *self->items, compare_texts);
    return found == NULL ? UINT32_MAX : (uint32_t)(found - self->items);
}

// ---- Manifests ---------------------------------------------------------------------------------

void ice_partition_key(int32_t spec_id, uint32_t count, const ice_scalar *values,
                       text_builder *out) {
    text_append(out, (text){.data = (const char *)&spec_id, .size = sizeof spec_id});
    for (uint32_t i = 0; i < count; i++) {
        ice_scalar_key(&values[i], out);
    }
}

firn_status ice_entry_key(const ice_walk *walk, const ice_entry *entry, const type *const *sources,
                          arena *memory, text *out, firn_error *err) {
    const ice_scalar *values;
    TRY(ice_entry_partition(walk, entry, sources, memory, &values, err));
    text_builder key = text_builder_open(memory);
    ice_partition_key(walk->spec->id, walk->spec->count, values, &key);
    return text_builder_finish(&key, out, err);
}

firn_status ice_rows_begin(ice_table_change *change, ice_play *play, arena *memory,
                           ice_rows_play *out, firn_error *err) {
    *out = (ice_rows_play){
        .change = change, .play = play, .memory = memory, .data_sequence_min = ICE_NO_SEQUENCE};
    out->schema = ice_metadata_schema(&play->metadata, play->metadata.current_schema_id);
    text_builder builder = text_builder_open(memory);
    json_writer json = json_writer_into(&builder, 0);
    ice_schema_write(&json, out->schema);
    json_writer_finish(&json);
    return text_builder_finish(&builder, &out->schema_json, err);
}

firn_status ice_rows_add_manifest(ice_rows_play *self, const ice_manifest *added, firn_error *err) {
    ice_manifest *items =
        ARENA_GROW(self->memory, ice_manifest, self->manifests, self->count, 1, &self->capacity);
    if (items == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    self->manifests = items;
    items[self->count++] = *added;
    return FIRN_OK;
}

firn_status ice_making_open(ice_manifest_making *self, const ice_rows_play *of, int32_t spec_id,
                            bool has_deletes, arena *memory, firn_error *err) {
    const ice_metadata *metadata = &of->play->metadata;
    const ice_spec *spec = ice_metadata_spec(metadata, spec_id);
    text folder;
    if (spec == NULL) {
        return FAIL(err, FIRN_CONFLICT, "the table has no partition spec %d any more", spec_id);
    }
    *self = (ice_manifest_making){.wanted = {.format_version = metadata->format_version,
                                             .has_deletes = has_deletes,
                                             .snapshot_id = of->snapshot_id,
                                             .schema_json = of->schema_json,
                                             .schema_id = of->schema->id,
                                             .spec = spec}};
    TRY(ice_spec_sources(metadata, of->schema, spec, memory, &self->wanted.sources, err));
    TRY(ice_metadata_folder(of->play->root, memory, &folder, err));
    TRY(text_format(memory, &self->wanted.path, err, "%.*s/%s-m%llu.avro", TEXT_ARGS(folder),
                    of->change->uuid, (unsigned long long)of->change->file_number++));
    TRY(host_random(self->wanted.sync, sizeof self->wanted.sync, err));
    return ice_manifest_writer_open(&self->writer, &self->wanted, memory, &of->change->codecs, err);
}

static firn_status copy_summaries(ice_manifest *self, arena *memory, firn_error *err) {
    ice_summary *made = ARENA_NEW(memory, ice_summary, (size_t)self->summary_count + 1);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < self->summary_count; i++) {
        made[i] = self->summaries[i];
        TRY(bytes_copy(memory, made[i].low, &made[i].low, err));
        TRY(bytes_copy(memory, made[i].high, &made[i].high, err));
    }
    self->summaries = made;
    return text_copy(memory, self->path, &self->path, err);
}

firn_status ice_making_finish(ice_manifest_making *self, const ice_rows_play *of, arena *keep,
                              ice_manifest *out, firn_error *err) {
    bytes file;
    TRY(ice_manifest_writer_finish(&self->writer, &file, out, err));
    TRY(copy_summaries(out, keep, err));
    return ice_change_write(of->change, ICE_WRITTEN_MANIFEST, out->path, file, err);
}

// ---- Manifests of added files ------------------------------------------------------------------

// Files of a spec and kind, from `at` on.
typedef struct adding {
    const ice_row_step *wanted;
    int32_t spec_id;
    bool has_deletes;
    uint32_t at;
} adding;

static bool is_such(const adding *self, const ice_added_file *file) {
    return file->spec_id == self->spec_id && (file->file.content != ICE_DATA) == self->has_deletes;
}

// As many of them as one manifest has.
static firn_status write_added(const ice_rows_play *self, adding *files, arena *scratch,
                               ice_manifest *out, firn_error *err) {
    ice_manifest_making making;
    uint32_t count = 0;
    TRY(ice_making_open(&making, self, files->spec_id, files->has_deletes, scratch, err));
    for (; files->at < files->wanted->added_count && count < MANIFEST_ENTRIES_MAX; files->at++) {
        const ice_added_file *each = &files->wanted->added[files->at];
        const ice_new_entry entry = {.status = ICE_ADDED,
                                     .snapshot_id = self->snapshot_id,
                                     .sequence_number = ICE_NO_SEQUENCE,
                                     .file_sequence_number = ICE_NO_SEQUENCE,
                                     .file = each->file};
        if (is_such(files, each)) {
            TRY(ice_manifest_writer_add(&making.writer, &entry, err));
            count++;
        }
    }
    return ice_making_finish(&making, self, &self->change->memory, out, err);
}

static bool has_such(const adding *files) {
    for (uint32_t i = files->at; i < files->wanted->added_count; i++) {
        if (is_such(files, &files->wanted->added[i])) {
            return true;
        }
    }
    return false;
}

static firn_status add_written(ice_table_change *self, ice_step *step, uint32_t *capacity,
                               const ice_manifest *made, firn_error *err) {
    ice_manifest *items =
        ARENA_GROW(&self->memory, ice_manifest, step->manifests, step->manifest_count, 1, capacity);
    if (items == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    items[step->manifest_count++] = *made;
    step->manifests = items;
    return FIRN_OK;
}

static firn_status write_manifests(ice_table_change *self, const ice_row_step *wanted,
                                   ice_step *step, firn_error *err) {
    arena scratch = arena_open_in(self->env->pool, ICE_SCRATCH_MAX);
    uint32_t capacity = 0;
    ice_rows_play rows;
    firn_status status = ice_rows_begin(self, &self->play, &scratch, &rows, err);
    rows.snapshot_id = step->snapshot_id;
    const ice_metadata *metadata = &self->play.metadata;
    for (uint32_t i = 0; i < metadata->spec_count * 2 && status == FIRN_OK; i++) {
        adding files = {
            .wanted = wanted, .spec_id = metadata->specs[i / 2].id, .has_deletes = i % 2 == 1};
        while (status == FIRN_OK && has_such(&files)) {
            ice_manifest made;
            const arena_mark mark = arena_mark_take(&scratch);
            status = write_added(&rows, &files, &scratch, &made, err);
            status = status == FIRN_OK ? add_written(self, step, &capacity, &made, err) : status;
            arena_rewind(&scratch, mark);
        }
    }
    arena_close(&scratch);
    return status;
}

// ---- A step ------------------------------------------------------------------------------------

static firn_status check_added(const ice_metadata *metadata, const ice_row_step *wanted,
                               firn_error *err) {
    for (uint32_t i = 0; i < wanted->added_count; i++) {
        const ice_added_file *each = &wanted->added[i];
        if (ice_metadata_spec(metadata, each->spec_id) == NULL) {
            return FAIL(err, FIRN_INVALID, "the table has no partition spec %d", each->spec_id);
        }
        if (each->file.content != ICE_DATA && metadata->format_version < 2) {
            const firn_status status =
                FAIL(err, FIRN_UNSUPPORTED, "tables of version 1 have no delete files");
            err_hint(err, "upgrade the table: ALTER TABLE … SET TBLPROPERTIES "
                          "('format-version' = '2')");
            return status;
        }
    }
    return FIRN_OK;
}

// The partitions of the added files, which are of no other use once the manifests are written.
static firn_status take_partitions(ice_table_change *self, const ice_row_step *wanted,
                                   ice_step *step, firn_error *err) {
    ice_text_set all = {.count = 0};
    for (uint32_t i = 0; i < wanted->added_count; i++) {
        const ice_added_file *each = &wanted->added[i];
        const ice_spec *spec = ice_metadata_spec(&self->play.metadata, each->spec_id);
        text_builder key = text_builder_open(&self->memory);
        text made;
        ice_partition_key(each->spec_id, spec->count, each->file.partition, &key);
        TRY(text_builder_finish(&key, &made, err));
        TRY(ice_text_set_add(&all, made, &self->memory, err));
    }
    TRY(ice_text_set_sort(&all, &self->memory, err));
    step->partition_count = all.count;
    step->partitions = all.items;
    return FIRN_OK;
}

// Whether the files are of a spec that says of no row where it is: `void` fields do not.
static bool are_of_whole(const ice_metadata *metadata, const ice_row_step *wanted) {
    for (uint32_t i = 0; i < wanted->added_count; i++) {
        const ice_spec *spec = ice_metadata_spec(metadata, wanted->added[i].spec_id);
        bool is_parted = false;
        for (uint32_t j = 0; j < spec->count; j++) {
            is_parted |= spec->fields[j].transform.kind != ICE_VOID;
        }
        if (!is_parted) {
            return true;
        }
    }
    return false;
}

static void count_added(const ice_row_step *wanted, ice_tally *out) {
    for (uint32_t i = 0; i < wanted->added_count; i++) {
        const ice_file *each = &wanted->added[i].file;
        out->added_files[each->content]++;
        out->added_rows[each->content] += each->row_count;
        out->added_bytes += each->size;
    }
}

static bool is_of_any(const ice_row_step *wanted, int32_t spec_id) {
    for (uint32_t i = 0; i < wanted->added_count; i++) {
        if (wanted->added[i].spec_id == spec_id) {
            return true;
        }
    }
    return false;
}

static firn_status copy_specs(ice_table_change *self, const ice_row_step *wanted, ice_step *step,
                              firn_error *err) {
    const ice_metadata *metadata = &self->play.metadata;
    ice_spec *specs = ARENA_NEW(&self->memory, ice_spec, (size_t)metadata->spec_count + 1);
    if (specs == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < metadata->spec_count; i++) {
        const ice_spec *from = &metadata->specs[i];
        if (!is_of_any(wanted, from->id)) {
            continue;
        }
        ice_partition_field *fields =
            ARENA_NEW(&self->memory, ice_partition_field, (size_t)from->count + 1);
        if (fields == NULL) {
            return ARENA_FULL(&self->memory, err);
        }
        for (uint32_t j = 0; j < from->count; j++) {
            fields[j] = from->fields[j];
            TRY(text_copy(&self->memory, fields[j].name, &fields[j].name, err));
        }
        specs[step->spec_count++] =
            (ice_spec){.id = from->id, .count = from->count, .fields = fields};
    }
    step->specs = specs;
    return FIRN_OK;
}

// Columns that the change has defined are its own: also those that keep the id of one that was
// called alike.
static firn_status last_others_id(const ice_table_change *self, int64_t *out, firn_error *err) {
    for (uint32_t i = 0; i < self->step_count; i++) {
        if (self->steps[i].kind == ICE_STEP_CREATE) {
            return FIRN_OK;
        }
    }
    return json_want_i64(self->play.head, "last-column-id", out, err);
}

static firn_status add_step(ice_table_change *self, const ice_row_step *wanted, uint32_t written,
                            firn_error *err) {
    ice_step step = {.kind = ICE_STEP_ROWS};
    const ice_metadata *metadata = &self->play.metadata;
    const ice_schema *schema = ice_metadata_schema(metadata, metadata->current_schema_id);
    int64_t last = 0;
    TRY(check_added(metadata, wanted, err));
    TRY(ice_row_step_copy(wanted, &self->memory, &step.rows, err));
    step.rows.branch = step.rows.branch.size == 0 ? self->branch : step.rows.branch;
    TRY(take_partitions(self, wanted, &step, err));
    step.format_version = metadata->format_version;
    step.default_spec_id = metadata->default_spec_id;
    step.is_of_whole = are_of_whole(metadata, wanted);
    TRY(schema_copy(&self->memory, &schema->columns, &step.schema.columns, err));
    step.schema.id = schema->id;
    count_added(wanted, &step.tally);
    TRY(copy_specs(self, wanted, &step, err));
    TRY(last_others_id(self, &last, err));
    step.last_column_id = (int32_t)last;
    TRY(ice_snapshot_id_make(&self->play, &step.snapshot_id, err));
    TRY(write_manifests(self, wanted, &step, err));
    return ice_change_add_step(self, &step, written, err);
}

// Files are the change's, also those that there is no room to note.
static firn_status note_added(ice_table_change *self, const ice_row_step *wanted, firn_error *err) {
    for (uint32_t i = 0; i < wanted->added_count; i++) {
        const firn_status status =
            ice_change_note(self, ICE_WRITTEN_DATA, wanted->added[i].file.path, err);
        if (status == FIRN_OK) {
            continue;
        }
        for (; i < wanted->added_count; i++) {
            firn_error ignored = ERR_INIT;
            (void)io_remove(self->env->io, wanted->added[i].file.path, &ignored);
        }
        return status;
    }
    return FIRN_OK;
}

firn_status ice_change_add_rows(table_change *base, const ice_row_step *step,
                                const cancel_flag *cancel, firn_error *err) {
    ice_table_change *self = ice_table_change_of(base);
    const uint32_t written = self->written_count;
    if (step->added_count == 0 && step->removed_count == 0 && step->kind != CHANGE_OVERWRITE) {
        return FIRN_OK;
    }
    self->cancel = cancel;
    firn_status status = note_added(self, step, err);
    status = status == FIRN_OK ? add_step(self, step, written, err) : status;
    self->cancel = NULL;
    if (status != FIRN_OK) {
        ice_change_unwrite(self, written);
    }
    return status;
}

// ---- Playing it --------------------------------------------------------------------------------

static firn_status take_step(ice_rows_play *self, firn_error *err) {
    const ice_step *step = self->step;
    const bool overwrites = step->rows.kind == CHANGE_OVERWRITE;
    for (uint32_t i = 0; i < step->rows.removed_count; i++) {
        TRY(ice_text_set_add(&self->removed, step->rows.removed[i], self->memory, err));
    }
    TRY(ice_text_set_sort(&self->removed, self->memory, err));
    for (uint32_t i = 0; i < step->partition_count; i++) {
        TRY(ice_text_set_add(&self->touched, step->partitions[i], self->memory, err));
        if (overwrites && step->rows.overwrite == OVERWRITE_PARTITIONS) {
            TRY(ice_text_set_add(&self->partitions, step->partitions[i], self->memory, err));
        }
    }
    TRY(ice_text_set_sort(&self->partitions, self->memory, err));
    self->removes_all =
        overwrites && (step->rows.overwrite == OVERWRITE_ALL ||
                       (step->rows.overwrite == OVERWRITE_PARTITIONS && step->is_of_whole));
    self->tally = step->tally;
    return FIRN_OK;
}

static text operation_of(const ice_rows_play *self) {
    const ice_tally *tally = &self->tally;
    const bool adds_deletes = tally->added_files[ICE_POSITION_DELETES] > 0 ||
                              tally->added_files[ICE_EQUALITY_DELETES] > 0;
    const bool removes = tally->removed_files[ICE_DATA] > 0;
    if (self->kind == CHANGE_REWRITE) {
        return TEXT("replace");
    }
    if (self->partitions.count > 0) {
        return TEXT("overwrite");
    }
    if (tally->added_files[ICE_DATA] == 0 && self->kind != CHANGE_APPEND) {
        return TEXT("delete");
    }
    return adds_deletes || removes ? TEXT("overwrite") : TEXT("append");
}

static firn_status write_list(ice_rows_play *self, int64_t sequence, ice_played *out,
                              firn_error *err) {
    ice_list_wanted wanted = {.format_version = self->play->metadata.format_version,
                              .snapshot_id = self->snapshot_id,
                              .parent_id = self->parent_id,
                              .sequence_number = sequence,
                              .count = self->count,
                              .manifests = self->manifests};
    text folder;
    bytes file;
    TRY(host_random(wanted.sync, sizeof wanted.sync, err));
    TRY(ice_manifest_list_write(&wanted, self->memory, &self->change->codecs, &file, err));
    TRY(ice_metadata_folder(self->play->root, self->memory, &folder, err));
    TRY(text_format(self->memory, &out->list_path, err, "%.*s/snap-%lld-%llu-%s.avro",
                    TEXT_ARGS(folder), (long long)self->snapshot_id,
                    (unsigned long long)++self->change->file_number, self->change->uuid));
    TRY(ice_change_write(self->change, ICE_WRITTEN_MANIFEST, out->list_path, file, err));
    return ice_manifest_list_read(file, self->memory, &out->list, err);
}

firn_status ice_rows_finish(ice_rows_play *self, ice_played *out, ice_updates *updates,
                            firn_error *err) {
    TRY(ice_rows_merge(self, err));
    ice_new_snapshot made = {
        .id = self->snapshot_id,
        .parent_id = self->parent_id,
        .timestamp_ms = ice_metadata_time(self->play->root, host_time_us() / 1000),
        .schema_id = self->schema->id,
        .operation = operation_of(self),
    };
    int64_t last = 0;
    TRY(json_want_i64(self->play->root, "last-sequence-number", &last, err));
    if (last == INT64_MAX) {
        return FAIL(err, FIRN_CORRUPT, "the table has no sequence number left");
    }
    made.sequence_number = self->play->metadata.format_version == 1 ? 0 : last + 1;
    TRY(write_list(self, made.sequence_number, out, err));
    TRY(ice_rows_summary(self, &made.summary_count, &made.summary, err));
    made.manifest_list = out->list_path;
    out->snapshot_id = made.id;
    ice_update_add_snapshot(updates, &made);
    ice_play_set_branch(self->play, self->branch, made.id, updates);
    return FIRN_OK;
}

firn_status ice_play_rows(ice_table_change *change, ice_play *play, const ice_step *step,
                          ice_played *out, ice_updates *updates, firn_error *err) {
    ice_rows_play self;
    ice_manifest_list parent;
    bool is_tag;
    TRY(ice_rows_begin(change, play, &play->memory, &self, err));
    self.step = step;
    self.kind = step->rows.kind;
    self.snapshot_id = step->snapshot_id;
    self.branch = step->rows.branch;
    self.parent_id = ice_play_ref(&play->metadata, self.branch, &is_tag);
    if (is_tag) {
        return FAIL(err, FIRN_CONFLICT, "\"%.*s\" is a tag now", TEXT_ARGS(self.branch));
    }
    if (self.parent_id == ICE_NO_SNAPSHOT && !text_equal(self.branch, ICE_MAIN)) {
        return FAIL(err, FIRN_CONFLICT, "there is no branch \"%.*s\" any more",
                    TEXT_ARGS(self.branch));
    }
    TRY(take_step(&self, err));
    TRY(ice_play_manifests(change, play, self.parent_id, self.memory, &parent, err));
    for (uint32_t i = 0; i < step->manifest_count; i++) {
        TRY(ice_rows_add_manifest(&self, &step->manifests[i], err));
    }
    TRY(ice_rows_filter(&self, &parent, err));
    const ice_tally *tally = &self.tally;
    if (step->manifest_count == 0 && tally->removed_files[ICE_DATA] == 0 &&
        tally->removed_files[ICE_POSITION_DELETES] == 0 &&
        tally->removed_files[ICE_EQUALITY_DELETES] == 0) {
        return FIRN_OK;
    }
    return ice_rows_finish(&self, out, updates, err);
}
