// Cherry-picking: the files that one snapshot appended, once more, on top of the branch.
#include "io/io_path.h"
#include "tables/iceberg/iceberg_change_alter.h"
#include "tables/iceberg/iceberg_change_rows.h"

static text summary_value(const json_node *root, int64_t id, const char *key) {
    const json_node *snapshot = ice_root_snapshot(root, id);
    const json_node *summary = snapshot == NULL ? NULL : json_find(snapshot, "summary");
    const json_node *found = summary == NULL ? NULL : json_find(summary, key);
    return found == NULL || found->kind != JSON_STRING ? (text){.size = 0} : found->value;
}

// What was picked already, or published under its name, is not picked again.
static firn_status check_new(const ice_play *play, int64_t head, int64_t id, text wap,
                             firn_error *err) {
    const ice_metadata *metadata = &play->metadata;
    const ice_snapshot *at = ice_metadata_snapshot(metadata, head);
    for (uint32_t i = 0; at != NULL && i <= metadata->snapshot_count; i++) {
        int64_t source = 0;
        const text said = summary_value(play->root, at->id, "source-snapshot-id");
        const bool is_it = number_parse_i64(said, &source) == NUMBER_OK && source == id;
        const bool is_wap =
            wap.size > 0 &&
            (text_equal(summary_value(play->root, at->id, "wap.id"), wap) ||
             text_equal(summary_value(play->root, at->id, "published-wap-id"), wap));
        if (at->id == id || is_it || is_wap) {
            return FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                            "snapshot %lld was picked already, its changes are there",
                            (long long)id);
        }
        at = ice_metadata_parent(metadata, at);
    }
    return FIRN_OK;
}

// The entries that the snapshot added, as added by the new one.
static firn_status copy_added(ice_rows_play *self, ice_walk *walk, ice_manifest_making *making,
                              uint32_t *count, arena *memory, firn_error *err) {
    bool has_entry = true;
    while (has_entry) {
        ice_entry entry;
        ice_new_entry copy;
        const ice_copy how = {.status = ICE_EXISTING, .sources = making->wanted.sources};
        TRY(ice_walk_next(walk, &entry, &has_entry, err));
        if (!has_entry || entry.status != ICE_ADDED || entry.snapshot_id != self->picked_id) {
            continue;
        }
        TRY(ice_entry_copy(walk, &entry, &how, memory, &copy, err));
        copy.status = ICE_ADDED;
        copy.snapshot_id = self->snapshot_id;
        copy.sequence_number = ICE_NO_SEQUENCE;
        copy.file_sequence_number = ICE_NO_SEQUENCE;
        TRY(ice_manifest_writer_add(&making->writer, &copy, err));
        text_builder key = text_builder_open(self->memory);
        text made;
        ice_partition_key(walk->spec->id, walk->spec->count, copy.file.partition, &key);
        TRY(text_builder_finish(&key, &made, err));
        TRY(ice_text_set_add(&self->touched, made, self->memory, err));
        self->tally.added_files[ICE_DATA]++;
        self->tally.added_rows[ICE_DATA] += entry.row_count;
        self->tally.added_bytes += entry.size;
        *count += 1;
    }
    return FIRN_OK;
}

static firn_status pick_manifest(ice_rows_play *self, const ice_manifest *of, arena *memory,
                                 arena *block, firn_error *err) {
    const ice_walk_memory in = {memory, block, &self->change->codecs};
    ice_manifest_making making;
    ice_manifest made;
    ice_walk walk;
    bytes file;
    uint32_t count = 0;
    TRY(io_get(self->change->env->io, of->path, ICE_MANIFEST_BYTES_MAX,
               ice_change_cancel(self->change), memory, &file, err));
    TRY(ice_walk_open_whole(&walk, file, of, &self->play->metadata, &in, err));
    TRY(ice_making_open(&making, self, walk.spec->id, false, memory, err));
    TRY(copy_added(self, &walk, &making, &count, memory, err));
    if (count == 0) {
        return FIRN_OK;
    }
    TRY(ice_making_finish(&making, self, self->memory, &made, err));
    return ice_rows_add_manifest(self, &made, err);
}

static firn_status pick_files(ice_rows_play *self, firn_error *err) {
    pool *owner = self->change->env->pool;
    ice_manifest_list list;
    TRY(ice_play_manifests(self->change, self->play, self->picked_id, self->memory, &list, err));
    for (uint32_t i = 0; i < list.count; i++) {
        const ice_manifest *each = &list.items[i];
        if (each->has_deletes || (!each->is_bare && each->added_snapshot_id != self->picked_id)) {
            continue;
        }
        arena memory = arena_open_in(owner, ICE_SCRATCH_MAX);
        arena block = arena_open_in(owner, ICE_SCRATCH_MAX);
        const firn_status status = pick_manifest(self, each, &memory, &block, err);
        arena_close(&block);
        arena_close(&memory);
        if (status != FIRN_OK) {
            io_path_while(err, "picking from the manifest", each->path);
            return status;
        }
    }
    return FIRN_OK;
}

firn_status ice_alter_pick(ice_table_change *change, ice_play *play, const ice_step *step,
                           ice_played *out, ice_updates *updates, firn_error *err) {
    const int64_t id = step->alteration->snapshot_id;
    const ice_snapshot *picked = ice_metadata_snapshot(&play->metadata, id);
    const text wap = summary_value(play->root, id, "wap.id");
    ice_rows_play self;
    ice_manifest_list parent;
    bool is_tag;
    const int64_t head = ice_play_ref(&play->metadata, change->branch, &is_tag);
    if (picked == NULL) {
        return FAIL_SQL(err, FIRN_NOT_FOUND, "42704", NO_POSITION, "there is no snapshot %lld",
                        (long long)id);
    }
    TRY(check_new(play, head, id, wap, err));
    if (picked->parent_id == head) { // Nothing came between: the branch moves on to it.
        ice_play_set_branch(play, change->branch, id, updates);
        return FIRN_OK;
    }
    if (!text_equal(picked->operation, TEXT("append"))) {
        return FAIL(err, FIRN_UNSUPPORTED,
                    "snapshot %lld is of the operation \"%.*s\"; only appends can be picked, or "
                    "what follows on the branch",
                    (long long)id, TEXT_ARGS(picked->operation));
    }
    TRY(ice_rows_begin(change, play, &play->memory, &self, err));
    self.kind = CHANGE_APPEND;
    self.branch = change->branch;
    self.snapshot_id = step->snapshot_id;
    self.parent_id = head;
    self.picked_id = id;
    self.picked_wap = wap;
    TRY(pick_files(&self, err));
    TRY(ice_text_set_sort(&self.removed, self.memory, err));
    TRY(ice_play_manifests(change, play, head, self.memory, &parent, err));
    TRY(ice_rows_filter(&self, &parent, err));
    return ice_rows_finish(&self, out, updates, err);
}
