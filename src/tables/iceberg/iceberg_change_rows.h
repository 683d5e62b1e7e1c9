// A step of rows being played on a head: what its parts share (iceberg_change_rows.c, _filter.c,
// _merge.c, _summary.c).
//
//     manifests of the branch ─ filter ─► without what goes ─ + manifests of added files ─ merge ─►
//     manifest list ─► snapshot, with its summary
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_CHANGE_ROWS_H
#define FIRN_TABLES_ICEBERG_ICEBERG_CHANGE_ROWS_H

#include "tables/iceberg/iceberg_change_private.h"

#define ICE_SCRATCH_MAX ((size_t)4 << 30)

/// Paths or partitions, to be found among many: sorted.
typedef struct ice_text_set {
    uint32_t count;
    uint32_t capacity;
    text *items;
    bool *are_found; ///< By item.
    uint32_t found_count;
} ice_text_set;

firn_status ice_text_set_add(ice_text_set *self, text item, arena *memory, firn_error *err);
/// Sorts, without the second of equal ones. Before ice_text_set_find.
firn_status ice_text_set_sort(ice_text_set *self, arena *memory, firn_error *err);
/// UINT32_MAX: it is not among them.
uint32_t ice_text_set_find(const ice_text_set *self, text item);

typedef struct ice_rows_play {
    ice_table_change *change;
    ice_play *play;
    const ice_step *step; ///< Of rows; NULL: of another kind.
    change_kind kind;
    int64_t picked_id; ///< Whose files come again (ALTER_CHERRYPICK); 0: none's.
    text picked_wap;   ///< "wap.id" of that snapshot.
    arena *memory;     ///< Of the play.
    int64_t snapshot_id;
    int64_t parent_id;
    text branch;              ///< That the snapshot goes to.
    const ice_schema *schema; ///< Current.
    text schema_json;
    ice_text_set removed;    ///< Data files that go.
    ice_text_set partitions; ///< That rows are overwritten in: keys of ice_partition_key.
    bool removes_all;
    int64_t data_sequence_min; ///< Once data files went, of those that stay: delete files that are
                               ///< older are about none any more. ICE_NO_SEQUENCE: not known.
    uint32_t count;            ///< The snapshot's manifests, newest first.
    uint32_t capacity;
    ice_manifest *manifests;
    ice_tally tally;
    ice_text_set touched; ///< Partitions that files came to or went from.
} ice_rows_play;

/// Begins, with what writers of manifests need of the metadata.
firn_status ice_rows_begin(ice_table_change *change, ice_play *play, arena *memory,
                           ice_rows_play *out, firn_error *err);
firn_status ice_rows_add_manifest(ice_rows_play *self, const ice_manifest *added, firn_error *err);

/// Appends what is equal for files of one partition.
void ice_partition_key(int32_t spec_id, uint32_t count, const ice_scalar *values,
                       text_builder *out);

/// The key of the partition that an entry is in, in `memory`; `sources` as in ice_manifest_wanted.
firn_status ice_entry_key(const ice_walk *walk, const ice_entry *entry, const type *const *sources,
                          arena *memory, text *out, firn_error *err);

/// A manifest that is being written.
typedef struct ice_manifest_making {
    ice_manifest_wanted wanted;
    ice_manifest_writer writer;
} ice_manifest_making;

/// Begins a manifest of files of a spec. `memory` holds it until it is finished.
firn_status ice_making_open(ice_manifest_making *self, const ice_rows_play *of, int32_t spec_id,
                            bool has_deletes, arena *memory, firn_error *err);
/// Writes the file. What `out` points to lies in `keep`.
firn_status ice_making_finish(ice_manifest_making *self, const ice_rows_play *of, arena *keep,
                              ice_manifest *out, firn_error *err);

/// Takes the manifests of the branch, without files that go.
firn_status ice_rows_filter(ice_rows_play *self, const ice_manifest_list *parent, firn_error *err);
/// Puts small manifests together, as commit.manifest… says.
firn_status ice_rows_merge(ice_rows_play *self, firn_error *err);
/// Merges manifests, writes their list and says the snapshot, which the branch is at then.
firn_status ice_rows_finish(ice_rows_play *self, ice_played *out, ice_updates *updates,
                            firn_error *err);
/// The summary besides the operation.
firn_status ice_rows_summary(ice_rows_play *self, uint32_t *count, const firn_option **out,
                             firn_error *err);

#endif
