// Puts small manifests together, so that the cost of a commit does not grow with the number of
// commits before it. As Java: manifests of one spec and content are packed from the oldest on into
// bins of the target size; the bin with the newest waits until it has enough of them.
#include "io/io_path.h"
#include "tables/iceberg/iceberg_change_rows.h"

#define TARGET_BYTES ((uint64_t)8 << 20)
#define COUNT_MIN 100

typedef struct merging {
    ice_rows_play *of;
    int32_t spec_id;
    bool has_deletes;
    arena memory;
    arena block;
    ice_manifest_making making;
} merging;

// An entry as it stands in the merged manifest; *is_kept is false of what older snapshots deleted.
static firn_status copy_entry(merging *self, ice_walk *walk, const ice_entry *entry, bool *is_kept,
                              ice_new_entry *out, firn_error *err) {
    const bool is_ours = entry->snapshot_id == self->of->snapshot_id;
    *is_kept = entry->status != ICE_DELETED || is_ours;
    if (!*is_kept) {
        return FIRN_OK;
    }
    const ice_copy how = {.status = entry->status == ICE_DELETED ? ICE_DELETED : ICE_EXISTING,
                          .snapshot_id = self->of->snapshot_id,
                          .sources = self->making.wanted.sources};
    TRY(ice_entry_copy(walk, entry, &how, &self->memory, out, err));
    if (entry->status == ICE_ADDED && is_ours) {
        out->status = ICE_ADDED;
        out->sequence_number = ICE_NO_SEQUENCE;
        out->file_sequence_number = ICE_NO_SEQUENCE;
    }
    return FIRN_OK;
}

static firn_status merge_one(merging *self, const ice_manifest *from, firn_error *err) {
    const ice_walk_memory in = {&self->memory, &self->block, &self->of->change->codecs};
    bytes file;
    ice_walk walk;
    bool has_entry = true;
    TRY(io_get(self->of->change->env->io, from->path, ICE_MANIFEST_BYTES_MAX,
               ice_change_cancel(self->of->change), &self->memory, &file, err));
    TRY(ice_walk_open_whole(&walk, file, from, &self->of->play->metadata, &in, err));
    while (has_entry) {
        ice_entry entry;
        ice_new_entry copy;
        bool is_kept = false;
        TRY(ice_walk_next(&walk, &entry, &has_entry, err));
        TRY(has_entry ? copy_entry(self, &walk, &entry, &is_kept, &copy, err) : FIRN_OK);
        TRY(is_kept ? ice_manifest_writer_add(&self->making.writer, &copy, err) : FIRN_OK);
    }
    return FIRN_OK;
}

// Merges manifests [from, to) of `bin` into one.
static firn_status merge_bin(ice_rows_play *of, const ice_manifest *bin, uint32_t count,
                             ice_manifest *out, firn_error *err) {
    pool *owner = of->change->env->pool;
    merging self = {.of = of,
                    .spec_id = bin->spec_id,
                    .has_deletes = bin->has_deletes,
                    .memory = arena_open_in(owner, ICE_SCRATCH_MAX),
                    .block = arena_open_in(owner, ICE_SCRATCH_MAX)};
    firn_status status =
        ice_making_open(&self.making, of, self.spec_id, self.has_deletes, &self.memory, err);
    for (uint32_t i = 0; i < count && status == FIRN_OK; i++) {
        status = merge_one(&self, &bin[i], err);
        if (status != FIRN_OK) {
            io_path_while(err, "merging the manifest", bin[i].path);
        }
    }
    status = status == FIRN_OK ? ice_making_finish(&self.making, of, of->memory, out, err) : status;
    arena_close(&self.block);
    arena_close(&self.memory);
    return status;
}

// Packs a group, newest first, and adds what comes of it. The first bin is found last.
static firn_status merge_group(ice_rows_play *self, const ice_manifest *group, uint32_t count,
                               firn_error *err) {
    const uint64_t target =
        ice_root_number(self->play->root, "commit.manifest.target-size-bytes", 1, TARGET_BYTES);
    const uint64_t count_min =
        ice_root_number(self->play->root, "commit.manifest.min-count-to-merge", 1, COUNT_MIN);
    ice_manifest *made = ARENA_NEW(self->memory, ice_manifest, (size_t)count + 1);
    if (made == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    uint32_t made_count = 0; // At the end of `made`, so that the newest come first.
    uint32_t end = count;
    while (end > 0) {
        uint64_t size = group[end - 1].length;
        uint32_t from = end - 1;
        while (from > 0 && group[from - 1].length <= target && size <= target &&
               group[from - 1].length <= target - size) {
            size += group[--from].length;
        }
        const bool is_kept = end - from == 1 || (from == 0 && end < count_min);
        if (is_kept) {
            for (uint32_t i = end; i > from; i--) {
                made[count - ++made_count] = group[i - 1];
            }
        } else {
            TRY(merge_bin(self, group + from, end - from, &made[count - ++made_count], err));
        }
        end = from;
    }
    for (uint32_t i = count - made_count; i < count; i++) {
        TRY(ice_rows_add_manifest(self, &made[i], err));
    }
    return FIRN_OK;
}

firn_status ice_rows_merge(ice_rows_play *self, firn_error *err) {
    if (!ice_root_flag(self->play->root, "commit.manifest-merge.enabled", true)) {
        return FIRN_OK;
    }
    const uint32_t count = self->count;
    const ice_manifest *all = self->manifests;
    ice_manifest *group = ARENA_NEW(self->memory, ice_manifest, (size_t)count + 1);
    bool *is_done = ARENA_NEW(self->memory, bool, (size_t)count + 1);
    if (group == NULL || is_done == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    memset(is_done, 0, (size_t)count + 1);
    self->count = 0;
    self->manifests = NULL;
    self->capacity = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t grouped = 0;
        for (uint32_t j = i; j < count && !is_done[i]; j++) {
            if (!is_done[j] && all[j].spec_id == all[i].spec_id &&
                all[j].has_deletes == all[i].has_deletes) {
                group[grouped++] = all[j];
                is_done[j] = j > i;
            }
        }
        TRY(grouped > 0 ? merge_group(self, group, grouped, err) : FIRN_OK);
    }
    return FIRN_OK;
}
