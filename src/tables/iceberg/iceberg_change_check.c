// Whether a step of rows may stand on top of what others committed meanwhile.
//
// Specification: apache/iceberg, format/spec.md, "Commit Conflict Resolution and Retry".
#include "tables/iceberg/iceberg_change_rows.h"
#include "tables/iceberg/iceberg_manifest_visit.h"
#include "tables/iceberg/iceberg_prune.h"

// ---- The schema and the specs ------------------------------------------------------------------

// What readers turn old files' values into (ice_scalar_of_bytes and the Parquet readers do).
static bool is_promoted(const type *from, const type *to) {
    if (type_same_values(from, to)) {
        return true;
    }
    return (from->id == TYPE_INTEGER && to->id == TYPE_BIGINT) ||
           (from->id == TYPE_REAL && to->id == TYPE_DOUBLE) ||
           (from->id == TYPE_DECIMAL && to->id == TYPE_DECIMAL && from->scale == to->scale &&
            from->precision <= to->precision);
}

static firn_status gone(firn_error *err, text name, const char *what) {
    return FAIL(err, FIRN_CONFLICT, "the column \"%.*s\" was %s meanwhile", TEXT_ARGS(name), what);
}

// Columns of the written files as the table has them now. Recursion is bounded by TYPE_DEPTH_MAX.
static firn_status check_fields(const ice_step *step, const ice_schema *now, uint32_t count,
                                const field *fields, firn_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const field *was = &fields[i];
        const field *is = ice_schema_find(&now->columns, was->id);
        const bool is_own = was->id > step->last_column_id;
        if (is == NULL) { // Its values are not seen any more, which does no harm.
            TRY(is_own ? gone(err, was->name, "given another id") : FIRN_OK);
            continue;
        }
        if (is_own && !text_equal(is->name, was->name)) {
            return gone(err, was->name, "given another id");
        }
        if (!type_is_nested(was->type) && !is_promoted(was->type, is->type)) {
            return gone(err, was->name, "given another type");
        }
        if (!is->is_nullable && was->is_nullable) {
            return gone(err, was->name, "made NOT NULL");
        }
        TRY(check_fields(step, now, was->type->child_count, was->type->children, err));
    }
    return FIRN_OK;
}

// Values of a column that is gone are not seen; but where another has its name now, nobody who
// reads the rows could tell why it holds nothing.
static firn_status check_replaced(const ice_step *step, const ice_schema *now, firn_error *err) {
    for (uint32_t i = 0; i < step->schema.columns.count; i++) {
        const field *was = &step->schema.columns.fields[i];
        if (ice_schema_find(&now->columns, was->id) != NULL) {
            continue;
        }
        for (uint32_t j = 0; j < now->columns.count; j++) {
            if (text_equal(now->columns.fields[j].name, was->name)) {
                return gone(err, was->name, "replaced by another");
            }
        }
    }
    return FIRN_OK;
}

// A column that every row must have now, and the written rows lack.
static firn_status check_required(const ice_step *step, const ice_schema *now, firn_error *err) {
    for (uint32_t i = 0; i < now->columns.count; i++) {
        const field *is = &now->columns.fields[i];
        if (!is->is_nullable && ice_schema_find(&step->schema.columns, is->id) == NULL) {
            return FAIL(err, FIRN_CONFLICT, "the column \"%.*s\" was added meanwhile as NOT NULL",
                        TEXT_ARGS(is->name));
        }
    }
    return FIRN_OK;
}

static bool is_same_spec(const ice_spec *left, const ice_spec *right) {
    bool is_same = left->count == right->count;
    for (uint32_t i = 0; is_same && i < left->count; i++) {
        const ice_partition_field *a = &left->fields[i];
        const ice_partition_field *b = &right->fields[i];
        is_same = a->source_id == b->source_id && a->field_id == b->field_id &&
                  a->transform.kind == b->transform.kind &&
                  a->transform.width == b->transform.width;
    }
    return is_same;
}

// Manifests are written once, in the form of the table's version: those of version 1 would say of
// new files, by the absence of a sequence number, that they are as old as the table.
static firn_status check_version(const ice_step *step, const ice_metadata *now, firn_error *err) {
    return step->manifest_count == 0 || step->format_version == now->format_version
               ? FIRN_OK
               : FAIL(err, FIRN_CONFLICT, "the table was upgraded to version %d meanwhile",
                      now->format_version);
}

static firn_status check_specs(const ice_step *step, const ice_metadata *now, firn_error *err) {
    // What a partition is was meant as the statement saw it.
    if (step->rows.kind == CHANGE_OVERWRITE && step->rows.overwrite == OVERWRITE_PARTITIONS &&
        now->default_spec_id != step->default_spec_id) {
        return FAIL(err, FIRN_CONFLICT, "the table is partitioned in another way meanwhile");
    }
    for (uint32_t i = 0; i < step->spec_count; i++) {
        const ice_spec *is = ice_metadata_spec(now, step->specs[i].id);
        if (is == NULL || !is_same_spec(&step->specs[i], is)) {
            return FAIL(err, FIRN_CONFLICT, "the table is partitioned in another way meanwhile");
        }
    }
    return FIRN_OK;
}

// ---- What others did ---------------------------------------------------------------------------

// A step that stands against the snapshots that came meanwhile.
typedef struct checking {
    ice_table_change *change;
    const ice_play *play;
    const ice_step *step;
    arena *memory;
    ice_pruner *pruner;    // NULL: every row may be one that the step read.
    ice_text_set removed;  // Data files.
    ice_text_set named;    // Those that its delete files name.
    ice_text_set replaced; // Partitions.
    const type *const *sources;
    // Of the snapshot that is looked at.
    const ice_snapshot *of;
    bool heeds_data;
    bool heeds_gone;
    bool heeds_deletes;
} checking;

static firn_status conflict(const checking *self, const char *what, text path, firn_error *err) {
    return FAIL(err, FIRN_CONFLICT, "snapshot %lld, which was committed meanwhile, %s \"%.*s\"",
                (long long)self->of->id, what, TEXT_ARGS(path));
}

static firn_status fill(ice_text_set *set, uint32_t count, const text *from, arena *memory,
                        firn_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        TRY(ice_text_set_add(set, from[i], memory, err));
    }
    return ice_text_set_sort(set, memory, err);
}

// The filter over the columns that the statement saw, by position.
static firn_status make_pruner(checking *self, firn_error *err) {
    const schema *columns = &self->step->schema.columns;
    scan_column *made = ARENA_NEW(self->memory, scan_column, (size_t)columns->count + 1);
    uint32_t *paths = ARENA_NEW(self->memory, uint32_t, (size_t)columns->count + 1);
    scan_request *request = ARENA_NEW(self->memory, scan_request, 1);
    if (made == NULL || paths == NULL || request == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (uint32_t i = 0; i < columns->count; i++) {
        paths[i] = i;
        made[i] = (scan_column){.id = i,
                                .path = &paths[i],
                                .path_length = 1,
                                .type = columns->fields[i].type,
                                .name = columns->fields[i].name};
    }
    *request = (scan_request){.column_count = columns->count,
                              .columns = made,
                              .filters = *self->step->rows.filters,
                              .limit = UINT64_MAX};
    return ice_pruner_make(&self->play->metadata, &self->step->schema, request, NULL, self->memory,
                           &self->pruner, err);
}

// Whether a file may hold what the step read or replaced.
static firn_status concerns(checking *self, const ice_walk *walk, const ice_entry *entry, bool *out,
                            firn_error *err) {
    const ice_row_step *rows = &self->step->rows;
    ice_pruned answer = ICE_KEPT;
    if (rows->kind == CHANGE_OVERWRITE &&
        (rows->overwrite == OVERWRITE_ALL ||
         (rows->overwrite == OVERWRITE_PARTITIONS && self->step->is_of_whole))) {
        *out = true;
        return FIRN_OK;
    }
    if (rows->kind == CHANGE_OVERWRITE && rows->overwrite == OVERWRITE_PARTITIONS) {
        const arena_mark mark = arena_mark_take(self->memory);
        text key;
        TRY(ice_entry_key(walk, entry, self->sources, self->memory, &key, err));
        *out = ice_text_set_find(&self->replaced, key) != UINT32_MAX;
        arena_rewind(self->memory, mark);
        return FIRN_OK;
    }
    if (self->pruner != NULL) {
        TRY(ice_prune_file(self->pruner, walk, entry, &answer, err));
    }
    *out = answer == ICE_KEPT;
    return FIRN_OK;
}

static firn_status check_entry(void *user, const ice_walk *walk, const ice_entry *entry,
                               firn_error *err) {
    checking *self = user;
    bool is_hit = false;
    if (entry->status == ICE_EXISTING || entry->snapshot_id != self->of->id) {
        return FIRN_OK;
    }
    if (entry->content == ICE_DATA && entry->status == ICE_DELETED) {
        return self->heeds_gone && ice_text_set_find(&self->named, entry->path) != UINT32_MAX
                   ? conflict(self, "rewrote or deleted", entry->path, err)
                   : FIRN_OK;
    }
    if (entry->status == ICE_DELETED) {
        return FIRN_OK;
    }
    if (entry->content == ICE_DATA) {
        TRY(self->heeds_data ? concerns(self, walk, entry, &is_hit, err) : FIRN_OK);
        return is_hit ? conflict(self, "added rows that the statement would have read, in",
                                 entry->path, err)
                      : FIRN_OK;
    }
    if (!self->heeds_deletes) {
        return FIRN_OK;
    }
    const text file = entry->referenced_file;
    if (file.size > 0 && self->step->rows.kind != CHANGE_OVERWRITE) {
        is_hit = ice_text_set_find(&self->removed, file) != UINT32_MAX ||
                 ice_text_set_find(&self->named, file) != UINT32_MAX;
    } else { // It may be about any file of its partition.
        TRY(concerns(self, walk, entry, &is_hit, err));
    }
    return is_hit ? conflict(self, "deleted rows of the same files, by", entry->path, err)
                  : FIRN_OK;
}

// Which columns the partitions of the manifest are of.
static firn_status find_sources(void *user, const ice_walk *walk, arena *memory, firn_error *err) {
    checking *self = user;
    return ice_spec_sources(&self->play->metadata, &self->step->schema, walk->spec, memory,
                            &self->sources, err);
}

static firn_status check_manifest(checking *self, const ice_manifest *of, firn_error *err) {
    const ice_manifest_visitor visitor = {.files = self->change->env->io,
                                          .cancel = ice_change_cancel(self->change),
                                          .owner = self->change->env->pool,
                                          .codecs = &self->change->codecs,
                                          .bytes_max = ICE_MANIFEST_BYTES_MAX,
                                          .memory_max = ICE_SCRATCH_MAX,
                                          .is_whole = true,
                                          .begin = find_sources,
                                          .take = check_entry,
                                          .user = self};
    return ice_manifest_visit(&visitor, &self->play->metadata, of, err);
}

// Which of what a snapshot did matters to the step, by Java's rules for the same operations.
static void take_snapshot(checking *self, const ice_snapshot *of) {
    const ice_row_step *rows = &self->step->rows;
    const bool is_rewrite = rows->kind == CHANGE_REWRITE;
    const bool is_replace = text_equal(of->operation, TEXT("replace"));
    self->of = of;
    self->heeds_data = rows->isolation == ISOLATION_SERIALIZABLE && !is_rewrite && !is_replace;
    // Rows that others deleted as well are no conflict of two DELETEs.
    self->heeds_gone = rows->kind != CHANGE_DELETE || !text_equal(of->operation, TEXT("delete"));
    self->heeds_deletes = rows->kind != CHANGE_DELETE || rows->removed_count > 0;
}

// Whether a manifest may have entries of the snapshot that matter to the step.
static bool may_matter(const checking *self, const ice_manifest *of) {
    if (of->is_bare) {
        return true;
    }
    const bool is_heeded = of->has_deletes
                               ? self->heeds_deletes
                               : self->heeds_data || (self->heeds_gone && self->named.count > 0);
    const bool is_told = of->files.added.is_known && of->files.deleted.is_known;
    return of->added_snapshot_id == self->of->id && is_heeded &&
           (!is_told || of->files.added.value > 0 || of->files.deleted.value > 0);
}

static firn_status check_snapshot(checking *self, const ice_snapshot *of, firn_error *err) {
    ice_manifest_list list;
    take_snapshot(self, of);
    TRY(ice_manifests_of(self->change->env->io, of, ice_change_cancel(self->change), self->memory,
                         &list, err));
    for (uint32_t i = 0; i < list.count; i++) {
        const ice_manifest *each = &list.items[i];
        if (may_matter(self, each)) {
            TRY(check_manifest(self, each, err));
        }
    }
    return FIRN_OK;
}

static firn_status check_snapshots(checking *self, int64_t from, int64_t to, firn_error *err) {
    const ice_metadata *metadata = &self->play->metadata;
    const ice_snapshot *at = ice_metadata_snapshot(metadata, to);
    if (from != ICE_NO_SNAPSHOT && !ice_is_ancestor(metadata, from, to)) {
        return FAIL(err, FIRN_CONFLICT,
                    "the branch \"%.*s\" was put back behind snapshot %lld meanwhile",
                    TEXT_ARGS(self->step->rows.branch), (long long)from);
    }
    for (uint32_t i = 0; at != NULL && at->id != from && i <= metadata->snapshot_count; i++) {
        TRY(check_snapshot(self, at, err));
        const ice_snapshot *parent = ice_metadata_parent(metadata, at);
        if (parent == NULL && at->parent_id != ICE_NO_SNAPSHOT && at->parent_id != from) {
            return FAIL(err, FIRN_CONFLICT,
                        "snapshot %lld, which was committed meanwhile, has expired already",
                        (long long)at->parent_id);
        }
        at = parent;
    }
    return FIRN_OK;
}

static firn_status check_history(checking *self, int64_t from, int64_t to, firn_error *err) {
    const ice_step *step = self->step;
    TRY(fill(&self->removed, step->rows.removed_count, step->rows.removed, self->memory, err));
    TRY(fill(&self->named, step->rows.referenced_count, step->rows.referenced, self->memory, err));
    TRY(fill(&self->replaced, step->partition_count, step->partitions, self->memory, err));
    TRY(step->rows.filters == NULL ? FIRN_OK : make_pruner(self, err));
    const firn_status status = check_snapshots(self, from, to, err);
    ice_pruner_close(self->pruner);
    return status;
}

// The branch whose state a step leaves behind, whatever it is then; size 0: none.
static text left_branch(const ice_table_change *self, const ice_step *step) {
    if (step->kind == ICE_STEP_CREATE) {
        return ICE_MAIN;
    }
    const alteration *wanted = step->alteration;
    return wanted->kind == ALTER_ROLLBACK                     ? self->branch
           : wanted->kind == ALTER_SET_REF && !wanted->is_tag ? wanted->name
                                                              : TEXT("");
}

firn_status ice_change_check_left(const ice_table_change *self, const ice_play *before,
                                  const ice_play *play, const ice_step *step, firn_error *err) {
    const text branch = step->is_serializable ? left_branch(self, step) : TEXT("");
    if (branch.size == 0) {
        return FIRN_OK;
    }
    const ice_metadata *metadata = &play->metadata;
    const int64_t from = ice_root_ref(before->head, branch);
    int64_t at = ice_root_ref(play->head, branch);
    for (uint32_t i = 0; at != from && i <= metadata->snapshot_count; i++) {
        const ice_snapshot *of = ice_metadata_snapshot(metadata, at);
        // A compaction leaves the rows as they are.
        if (of == NULL || !text_equal(of->operation, TEXT("replace"))) {
            return FAIL(err, FIRN_CONFLICT,
                        "the rows of \"%.*s\" were changed meanwhile, and would be left behind",
                        TEXT_ARGS(branch));
        }
        at = of->parent_id;
    }
    return FIRN_OK;
}

firn_status ice_change_check_rows(ice_table_change *self, const ice_play *before,
                                  const ice_play *play, const ice_step *step, firn_error *err) {
    const ice_schema *now = ice_metadata_schema(&play->metadata, play->metadata.current_schema_id);
    const int64_t from = ice_root_ref(before->head, step->rows.branch);
    const int64_t to = ice_root_ref(play->head, step->rows.branch);
    TRY(check_fields(step, now, step->schema.columns.count, step->schema.columns.fields, err));
    TRY(check_replaced(step, now, err));
    TRY(check_required(step, now, err));
    TRY(check_version(step, &play->metadata, err));
    TRY(check_specs(step, &play->metadata, err));
    if (step->rows.kind == CHANGE_APPEND || from == to) {
        return FIRN_OK;
    }
    arena memory = arena_open_in(self->env->pool, ICE_SCRATCH_MAX);
    checking check = {.change = self, .play = play, .step = step, .memory = &memory};
    const firn_status status = check_history(&check, from, to, err);
    arena_close(&memory);
    return status;
}
