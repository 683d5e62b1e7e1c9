// Changes of table metadata.
//
// A change is a list of *updates*, in one form for all catalogs: the JSON of the REST
// specification,
// `{"action":"add-snapshot","snapshot":{…}}`. A REST catalog is sent it (COMMIT_UPDATES of
// tables/transaction.h); for the others ice_metadata_change applies it to the old metadata file, or
// to none for a new table. What it does not know of the old file stays as it is.
//
//     ice_updates updates = ice_updates_open(memory);
//     ice_update_add_snapshot(&updates, &snapshot);
//     ice_update_set_ref(&updates, &(ice_new_ref){.name = TEXT("main"), .snapshot_id = …});
//     TRY(ice_updates_finish(&updates, &json, err));
//     TRY(ice_metadata_change(old, json, &how, memory, &changed, err));
//
// Ids: an update that adds a schema, a spec or an order and says -1, or an id that is taken, gets
// the next one, or that of an equal one that is there; `set-…` with -1 means the one added last.
//
// Clocks: a table's time never goes back. A change that is made at a time before that of the last
// one happens at the time of the last one.
//
// Specification: apache/iceberg, format/spec.md, "Table Metadata"; open-api/rest-catalog-open-api,
// TableUpdate, TableRequirement.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_METADATA_WRITE_H
#define FIRN_TABLES_ICEBERG_ICEBERG_METADATA_WRITE_H

#include "memory/json_edit.h"
#include "tables/iceberg/iceberg_schema_write.h"

// ---- Updates and requirements ------------------------------------------------------------------

/// A list of them that is being made. Memory that runs out is told by finish.
typedef struct ice_updates {
    text_builder builder;
    json_writer json;
} ice_updates;

/// Begins. `self` stays where it is until it is finished; the JSON lies in `memory`.
void ice_updates_open(ice_updates *self, arena *memory);
/// The JSON array.
firn_status ice_updates_finish(ice_updates *self, text *out, firn_error *err);

/// A snapshot that is added.
typedef struct ice_new_snapshot {
    int64_t id;              ///< Positive.
    int64_t parent_id;       ///< ICE_NO_SNAPSHOT: none.
    int64_t sequence_number; ///< 0 in v1, which has none.
    int64_t timestamp_ms;    ///< ice_metadata_time.
    text manifest_list;
    int32_t schema_id;
    text operation; ///< append, replace, overwrite or delete.
    uint32_t summary_count;
    const firn_option *summary; ///< Besides the operation.
} ice_new_snapshot;

/// A branch or tag.
typedef struct ice_new_ref {
    text name;
    int64_t snapshot_id;
    bool is_tag;
    int64_t snapshots_min; ///< min-snapshots-to-keep of branches; 0: not said, likewise below.
    int64_t snapshot_age_ms_max;
    int64_t ref_age_ms_max;
} ice_new_ref;

/// What a Puffin file has in one blob.
typedef struct ice_new_blob {
    text type;
    int64_t snapshot_id; ///< Whose rows it is about.
    int64_t sequence_number;
    uint32_t column_count;
    const int32_t *columns; ///< Their field ids.
    size_t property_count;
    const firn_option *properties;
} ice_new_blob;

/// A Puffin file with statistics of a snapshot.
typedef struct ice_new_statistics {
    int64_t snapshot_id;
    text path;
    int64_t size;
    int64_t footer_size;
    uint32_t blob_count;
    const ice_new_blob *blobs;
} ice_new_statistics;

/// A file with statistics of a snapshot's partitions.
typedef struct ice_new_partition_statistics {
    int64_t snapshot_id;
    text path;
    int64_t size;
} ice_new_partition_statistics;

/// An encryption key of a table of version 3.
typedef struct ice_new_key {
    text id;
    bytes encrypted; ///< encrypted-key-metadata, as bytes.
    text by;         ///< The key that encrypted it; size 0: not said.
    size_t property_count;
    const firn_option *properties;
} ice_new_key;

void ice_update_assign_uuid(ice_updates *self, text uuid);
void ice_update_upgrade(ice_updates *self, int32_t format_version);
void ice_update_add_schema(ice_updates *self, const ice_schema *added, int32_t last_column_id);
/// The same of a schema as JSON.
void ice_update_add_schema_node(ice_updates *self, const json_node *added, int32_t last_column_id);
void ice_update_set_current_schema(ice_updates *self, int32_t id); ///< -1: the one just added.
void ice_update_add_spec(ice_updates *self, const ice_spec *added, arena *memory);
void ice_update_set_default_spec(ice_updates *self, int32_t id); ///< Likewise.
void ice_update_add_order(ice_updates *self, const ice_order *added, arena *memory);
void ice_update_set_default_order(ice_updates *self, int32_t id); ///< Likewise.
void ice_update_add_snapshot(ice_updates *self, const ice_new_snapshot *added);
void ice_update_remove_snapshots(ice_updates *self, uint32_t count, const int64_t *ids);
void ice_update_set_ref(ice_updates *self, const ice_new_ref *ref);
void ice_update_remove_ref(ice_updates *self, text name);
void ice_update_set_properties(ice_updates *self, size_t count, const firn_option *properties);
void ice_update_remove_properties(ice_updates *self, uint32_t count, const text *names);
void ice_update_set_location(ice_updates *self, text location);
/// One file a snapshot: a new one takes the place of the old.
void ice_update_set_statistics(ice_updates *self, const ice_new_statistics *set);
void ice_update_remove_statistics(ice_updates *self, int64_t snapshot_id);
void ice_update_set_partition_statistics(ice_updates *self,
                                         const ice_new_partition_statistics *set);
void ice_update_remove_partition_statistics(ice_updates *self, int64_t snapshot_id);
/// Not the default one, and none that a manifest is of: nobody else looks for that.
void ice_update_remove_specs(ice_updates *self, uint32_t count, const int32_t *ids);
/// Not the current one, and none of a snapshot.
void ice_update_remove_schemas(ice_updates *self, uint32_t count, const int32_t *ids);
void ice_update_add_key(ice_updates *self, const ice_new_key *added, arena *memory);
void ice_update_remove_key(ice_updates *self, text id);

void ice_require_create(ice_updates *self); ///< That there is no such table.
void ice_require_uuid(ice_updates *self, text uuid);
/// That a branch or tag is at a snapshot; ICE_NO_SNAPSHOT: that it is not there.
void ice_require_ref(ice_updates *self, text name, int64_t snapshot_id);
void ice_require_current_schema(ice_updates *self, int32_t id);
void ice_require_last_column(ice_updates *self, int32_t id);
void ice_require_default_spec(ice_updates *self, int32_t id);
void ice_require_last_partition(ice_updates *self, int32_t id);
void ice_require_default_order(ice_updates *self, int32_t id);

// ---- Metadata files ----------------------------------------------------------------------------

/// How a change is made.
typedef struct ice_change {
    int64_t now_ms;
    text old_location; ///< Of the old metadata file, for the metadata-log; size 0: not logged.
} ice_change;

typedef struct ice_changed {
    text json;             ///< The new metadata file.
    const json_node *root; ///< The same as a tree, which shares nodes with the old one.
    /// The updates for catalogs, which refuse to make current by -1 what was not new: what had been
    /// there before is not added again, and has its id.
    text updates;
    int64_t timestamp_ms;
    text_list forgotten; ///< Metadata files that the metadata-log names no more. To be deleted if
                         ///< write.metadata.delete-after-commit.enabled says so.
} ice_changed;

/// The time of a change: now, or that of the last change of the table, if that is later. `old` is
/// the root of a metadata file, or NULL.
int64_t ice_metadata_time(const json_node *old, int64_t now_ms);

/// Whether all requirements hold of a table; `old` NULL: there is none.
///
/// Errors: FIRN_CONFLICT, which says the first that does not; FIRN_UNSUPPORTED for one that is not
///         known; FIRN_CORRUPT.
firn_status ice_metadata_require(const json_node *old, text requirements, arena *memory,
                                 firn_error *err);

/// Applies updates to a metadata file, whose root `old` is (ice_json_read; NULL: a new table), and
/// makes the next one. All lies in `memory`.
///
/// Errors: FIRN_INVALID for an update that cannot be (no such snapshot, a lower version, a branch
///         named twice, …); FIRN_CONFLICT for a sequence number that is not above the last;
///         FIRN_UNSUPPORTED for actions that are not known, and version 3; FIRN_CORRUPT if `old`
///         is no metadata; FIRN_NO_MEMORY.
firn_status ice_metadata_change(const json_node *old, text updates, const ice_change *how,
                                arena *memory, ice_changed *out, firn_error *err);

#endif
