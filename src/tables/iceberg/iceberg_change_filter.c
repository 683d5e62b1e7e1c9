// The manifests of a branch without the files that a step takes away. A manifest that has such is
// written anew: with these as deleted, the others as existing.
#include "io/io_path.h"
#include "tables/iceberg/iceberg_change_rows.h"

// One manifest being looked at.
typedef struct looking {
    ice_rows_play *of;
    const ice_manifest *manifest;
    arena memory;
    arena block;
    bytes file;
    ice_walk walk;
    const type *const *sources;
} looking;

static firn_status looking_open(looking *self, ice_rows_play *of, const ice_manifest *manifest,
                                firn_error *err) {
    pool *owner = of->change->env->pool;
    *self = (looking){.of = of,
                      .manifest = manifest,
                      .memory = arena_open_in(owner, ICE_SCRATCH_MAX),
                      .block = arena_open_in(owner, ICE_SCRATCH_MAX)};
    return io_get(of->change->env->io, manifest->path, ICE_MANIFEST_BYTES_MAX,
                  ice_change_cancel(of->change), &self->memory, &self->file, err);
}

static void looking_close(looking *self) {
    arena_close(&self->block);
    arena_close(&self->memory);
}

static firn_status begin_walk(looking *self, firn_error *err) {
    const ice_walk_memory in = {&self->memory, &self->block, &self->of->change->codecs};
    const ice_metadata *metadata = &self->of->play->metadata;
    TRY(ice_walk_open_whole(&self->walk, self->file, self->manifest, metadata, &in, err));
    return ice_spec_sources(metadata, self->of->schema, self->walk.spec, &self->memory,
                            &self->sources, err);
}

static firn_status goes(looking *self, const ice_entry *entry, bool *out, firn_error *err) {
    ice_rows_play *of = self->of;
    *out = of->removes_all;
    if (*out || entry->status == ICE_DELETED) {
        return FIRN_OK;
    }
    if (entry->content != ICE_DATA && entry->sequence_number != ICE_NO_SEQUENCE &&
        entry->sequence_number < of->data_sequence_min) {
        *out = true;
        return FIRN_OK;
    }
    const text path = entry->content == ICE_DATA ? entry->path : entry->referenced_file;
    const uint32_t at =
        entry->content == ICE_EQUALITY_DELETES ? UINT32_MAX : ice_text_set_find(&of->removed, path);
    if (at != UINT32_MAX) {
        if (entry->content == ICE_DATA && !of->removed.are_found[at]) {
            of->removed.are_found[at] = true;
            of->removed.found_count++;
        }
        *out = true;
        return FIRN_OK;
    }
    if (of->partitions.count > 0) {
        const arena_mark mark = arena_mark_take(&self->memory);
        text key;
        TRY(ice_entry_key(&self->walk, entry, self->sources, &self->memory, &key, err));
        *out = ice_text_set_find(&of->partitions, key) != UINT32_MAX;
        arena_rewind(&self->memory, mark);
    }
    return FIRN_OK;
}

static firn_status count_removed(looking *self, const ice_entry *entry, firn_error *err) {
    ice_rows_play *of = self->of;
    text key;
    of->tally.removed_files[entry->content]++;
    of->tally.removed_rows[entry->content] += entry->row_count;
    of->tally.removed_bytes += entry->size;
    TRY(ice_entry_key(&self->walk, entry, self->sources, of->memory, &key, err));
    return ice_text_set_add(&of->touched, key, of->memory, err);
}

static firn_status has_any(looking *self, bool *out, firn_error *err) {
    bool has_entry = true;
    *out = false;
    TRY(begin_walk(self, err));
    while (has_entry) {
        ice_entry entry;
        bool is_gone = false;
        TRY(ice_walk_next(&self->walk, &entry, &has_entry, err));
        TRY(has_entry ? goes(self, &entry, &is_gone, err) : FIRN_OK);
        *out |= is_gone && entry.status != ICE_DELETED;
    }
    return FIRN_OK;
}

static firn_status write_anew(looking *self, ice_manifest *out, firn_error *err) {
    ice_manifest_making making;
    bool has_entry = true;
    TRY(begin_walk(self, err));
    TRY(ice_making_open(&making, self->of, self->walk.spec->id, self->manifest->has_deletes,
                        &self->memory, err));
    while (has_entry) {
        ice_entry entry;
        ice_new_entry copy;
        bool is_gone = false;
        TRY(ice_walk_next(&self->walk, &entry, &has_entry, err));
        if (!has_entry || entry.status == ICE_DELETED) {
            continue; // Deleted ones live only in the snapshot that deleted them.
        }
        TRY(goes(self, &entry, &is_gone, err));
        const ice_copy how = {.status = is_gone ? ICE_DELETED : ICE_EXISTING,
                              .snapshot_id = self->of->snapshot_id,
                              .sources = self->sources};
        TRY(ice_entry_copy(&self->walk, &entry, &how, &self->memory, &copy, err));
        TRY(ice_manifest_writer_add(&making.writer, &copy, err));
        TRY(is_gone ? count_removed(self, &entry, err) : FIRN_OK);
    }
    return ice_making_finish(&making, self->of, self->of->memory, out, err);
}

// Lists of version 2 need what those of old writers do not say.
static bool is_told(const ice_manifest *of) {
    const exact_u64 counts[] = {of->files.added, of->files.existing, of->files.deleted,
                                of->rows.added,  of->rows.existing,  of->rows.deleted};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        if (!counts[i].is_known) {
            return false;
        }
    }
    return !of->is_bare && of->length > 0;
}

// Whether anything in a manifest may have to go.
static bool may_go(const ice_rows_play *self, const ice_manifest *of) {
    if (self->removes_all || self->partitions.count > 0) {
        return true;
    }
    return of->has_deletes
               ? self->removed.count > 0 || of->min_sequence_number < self->data_sequence_min
               : self->removed.found_count < self->removed.count;
}

static firn_status filter_one(ice_rows_play *self, const ice_manifest *of, bool is_forced,
                              firn_error *err) {
    looking look;
    bool is_changed = is_forced;
    ice_manifest made = *of;
    firn_status status = looking_open(&look, self, of, err);
    if (status == FIRN_OK && !is_forced) {
        status = has_any(&look, &is_changed, err);
    }
    if (status == FIRN_OK && is_changed) {
        status = write_anew(&look, &made, err);
    }
    looking_close(&look);
    if (status != FIRN_OK) {
        io_path_while(err, "reading the manifest", of->path);
        return status;
    }
    return ice_rows_add_manifest(self, &made, err);
}

static bool is_empty(const ice_manifest *of) {
    return of->live_files.is_known && of->live_files.value == 0;
}

static firn_status filter_content(ice_rows_play *self, const ice_manifest_list *parent,
                                  bool has_deletes, firn_error *err) {
    for (uint32_t i = 0; i < parent->count; i++) {
        const ice_manifest *each = &parent->items[i];
        const bool is_forced = !is_told(each);
        if (is_empty(each) || each->has_deletes != has_deletes) {
            continue; // An empty one only said what an older snapshot deleted.
        }
        TRY(is_forced || may_go(self, each) ? filter_one(self, each, is_forced, err)
                                            : ice_rows_add_manifest(self, each, err));
    }
    return FIRN_OK;
}

// Delete files are about data of their own age or before: once the last of that has gone, also as
// Java does it, they go. Files that the step itself adds are younger than all.
static void find_data_sequence(ice_rows_play *self, uint32_t from) {
    self->data_sequence_min = INT64_MAX;
    for (uint32_t i = from; i < self->count; i++) {
        const ice_manifest *each = &self->manifests[i];
        if (!is_empty(each) && each->min_sequence_number < self->data_sequence_min) {
            self->data_sequence_min = each->min_sequence_number;
        }
    }
}

firn_status ice_rows_filter(ice_rows_play *self, const ice_manifest_list *parent, firn_error *err) {
    const uint32_t added_count = self->count;
    TRY(filter_content(self, parent, false, err));
    if (self->tally.removed_files[ICE_DATA] > 0) {
        find_data_sequence(self, added_count);
    }
    TRY(filter_content(self, parent, true, err));
    if (self->removed.found_count < self->removed.count) {
        for (uint32_t i = 0; i < self->removed.count; i++) {
            if (!self->removed.are_found[i]) {
                return FAIL(err, FIRN_CONFLICT,
                            "the data file \"%.*s\" was rewritten or deleted meanwhile",
                            TEXT_ARGS(self->removed.items[i]));
            }
        }
    }
    return FIRN_OK;
}
