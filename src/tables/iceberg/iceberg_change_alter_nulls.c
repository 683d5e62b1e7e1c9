// SET NOT NULL of a column that files have: by what manifests say of their NULLs. Every branch has
// the table's columns, so that the files of all of them count; earlier snapshots have their own.
//
// Rows that delete files take away count as well: nobody tells which they are.
#include "tables/iceberg/iceberg_change_alter.h"
#include "tables/iceberg/iceberg_change_rows.h"
#include "tables/iceberg/iceberg_manifest_visit.h"

typedef struct null_search {
    const ice_table_change *change;
    const ice_play *play;
    const field *of;
    arena memory;
    codec_scratch codecs;
    int64_t nulls; // Of the file looked at: the least that is said; -1: nothing is.
} null_search;

// Whether values of a field tell that `of` is not NULL: it itself, or what is in it by structs.
static bool tells(const field *of, int32_t id) {
    bool is_told = of->id == id;
    for (uint32_t i = 0; of->type->id == TYPE_STRUCT && i < of->type->child_count; i++) {
        is_told = is_told || tells(&of->type->children[i], id);
    }
    return is_told;
}

static void take_count(void *user, ice_map map, int32_t key, ice_pair value) {
    null_search *self = user;
    const bool is_least = self->nulls < 0 || value.number < self->nulls;
    if (map == ICE_MAP_NULL_COUNTS && value.number >= 0 && is_least && tells(self->of, key)) {
        self->nulls = value.number;
    }
}

static firn_status check_entry(void *user, const ice_walk *walk, const ice_entry *entry,
                               firn_error *err) {
    null_search *self = user;
    if (entry->content != ICE_DATA || entry->row_count == 0) {
        return FIRN_OK;
    }
    self->nulls = -1;
    TRY(ice_walk_pairs(walk, entry, ICE_MAP_NULL_COUNTS, take_count, self, err));
    if (self->nulls == 0) {
        return FIRN_OK;
    }
    // Fields of a struct may be NULL where it is not.
    const bool is_null = self->nulls > 0 && !type_is_nested(self->of->type);
    const firn_status status =
        is_null
            ? FAIL_SQL(err, FIRN_INVALID, "23502", NO_POSITION,
                       "the column \"%.*s\" contains NULLs: %lld in the file \"%.*s\"",
                       TEXT_ARGS(self->of->name), (long long)self->nulls, TEXT_ARGS(entry->path))
            : FAIL_SQL(err, FIRN_INVALID, "23502", NO_POSITION,
                       "the column \"%.*s\" cannot become NOT NULL: nothing says that the file "
                       "\"%.*s\" holds no NULL of it",
                       TEXT_ARGS(self->of->name), TEXT_ARGS(entry->path));
    err_hint(err, is_null ? "rows that delete files take away count until their file is rewritten"
                          : "it may be older than the column, or written without metrics of it; "
                            "UPDATE of all its rows writes it anew");
    return status;
}

static firn_status check_manifest(null_search *self, const ice_manifest *of, firn_error *err) {
    const ice_manifest_visitor visitor = {.files = self->change->env->io,
                                          .cancel = ice_change_cancel(self->change),
                                          .owner = self->change->env->pool,
                                          .codecs = &self->codecs,
                                          .bytes_max = ICE_MANIFEST_BYTES_MAX,
                                          .memory_max = ICE_SCRATCH_MAX,
                                          .take = check_entry,
                                          .user = self};
    return ice_manifest_visit(&visitor, &self->play->metadata, of, err);
}

static firn_status check_snapshot(null_search *self, int64_t id, firn_error *err) {
    ice_manifest_list list;
    TRY(ice_play_manifests(self->change, self->play, id, &self->memory, &list, err));
    for (uint32_t i = 0; i < list.count; i++) {
        const ice_manifest *each = &list.items[i];
        const bool is_empty = each->live_files.is_known && each->live_files.value == 0;
        if (!each->has_deletes && !is_empty) {
            TRY(check_manifest(self, each, err));
        }
    }
    return FIRN_OK;
}

firn_status ice_check_no_nulls(const ice_table_change *change, const ice_play *play,
                               const field *of, firn_error *err) {
    const ice_metadata *now = &play->metadata;
    pool *owner = change->env->pool;
    null_search self = {.change = change,
                        .play = play,
                        .of = of,
                        .memory = arena_open_in(owner, ICE_SCRATCH_MAX),
                        .codecs = codec_scratch_open_in(owner, ICE_SCRATCH_MAX)};
    firn_status status = now->current_snapshot_id == ICE_NO_SNAPSHOT
                             ? FIRN_OK
                             : check_snapshot(&self, now->current_snapshot_id, err);
    for (uint32_t i = 0; i < now->ref_count && status == FIRN_OK; i++) {
        const ice_ref *each = &now->refs[i];
        if (!each->is_tag && each->snapshot_id != now->current_snapshot_id) {
            status = check_snapshot(&self, each->snapshot_id, err);
            if (status != FIRN_OK) {
                err_while(err, "looking at the branch \"%.*s\"", TEXT_ARGS(each->name));
            }
        }
    }
    codec_scratch_close(&self.codecs);
    arena_close(&self.memory);
    return status;
}
