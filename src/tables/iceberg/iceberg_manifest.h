// Manifests: which files a snapshot has, from Avro, by field id.
//
//     snapshot ─ manifest list ─ ice_manifest ─ manifest ─ ice_entry ─ data or delete file
//
// Specification: apache/iceberg, format/spec.md, "Manifests".
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_MANIFEST_H
#define FIRN_TABLES_ICEBERG_ICEBERG_MANIFEST_H

#include "formats/avro/avro_file.h"
#include "formats/avro/avro_plan.h"
#include "tables/iceberg/iceberg_manifest_list.h"

typedef enum ice_status { ICE_EXISTING, ICE_ADDED, ICE_DELETED } ice_status;
typedef enum ice_content { ICE_DATA, ICE_POSITION_DELETES, ICE_EQUALITY_DELETES } ice_content;

/// One entry of a manifest. What it points to stays until the next one is read.
typedef struct ice_entry {
    uint32_t status; ///< An ice_status.
    int64_t snapshot_id;
    int64_t sequence_number; ///< Of the data, inherited if it was null.
    ice_content content;
    text path;
    text format;
    uint64_t row_count;
    uint64_t size;
    const avro_value *partition; ///< By spec field.
    // Slices of maps; is_null if they are missing.
    avro_value value_counts;
    avro_value null_counts;
    avro_value nan_counts;
    avro_value low;
    avro_value high;
    avro_value equality_ids;
    avro_value split_offsets;
    text referenced_file; ///< Size 0: none.
    // What only whole walks read.
    int64_t file_sequence_number; ///< Inherited if it was null.
    avro_value column_sizes;
    int32_t sort_order_id; ///< -1: not said.
    bytes key_metadata;    ///< Size 0: none.
} ice_entry;

/// Walks through the entries of a manifest in memory.
typedef struct ice_walk {
    bool is_whole; ///< All that an entry has is read, and deleted ones are walked through too.
    avro_walk avro;
    const avro_plan *plan;
    const ice_manifest *manifest;
    const ice_spec *spec;
    avro_value *values;
    arena *memory;
} ice_walk;

/// Where a walk keeps what it makes.
typedef struct ice_walk_memory {
    arena *walk;  ///< What lives as long as the walk.
    arena *block; ///< The entries.
    codec_scratch *codecs;
} ice_walk_memory;

/// Begins a walk through the live entries, for scans.
firn_status ice_walk_open(ice_walk *self, bytes file, const ice_manifest *manifest,
                          const ice_metadata *metadata, const ice_walk_memory *memory,
                          firn_error *err);

/// Begins a whole walk, for those who write manifests anew.
firn_status ice_walk_open_whole(ice_walk *self, bytes file, const ice_manifest *manifest,
                                const ice_metadata *metadata, const ice_walk_memory *memory,
                                firn_error *err);

/// The next entry, of walks that are not whole the next that is not deleted; *has_entry is false
/// behind the last.
firn_status ice_walk_next(ice_walk *self, ice_entry *out, bool *has_entry, firn_error *err);

/// The Avro schema of partition field `index`, NULL if the manifest lacks it.
const avro_schema *ice_walk_partition_schema(const ice_walk *self, uint32_t index);

// The schemas behind the maps of an entry.
typedef enum ice_map {
    ICE_MAP_VALUE_COUNTS,
    ICE_MAP_NULL_COUNTS,
    ICE_MAP_NAN_COUNTS,
    ICE_MAP_LOW,
    ICE_MAP_HIGH,
    ICE_MAP_COLUMN_SIZES, ///< Of whole walks.
} ice_map;

/// The value of a key in one of the maps: a count, or bytes of a bound.
typedef struct ice_pair {
    int64_t number;
    bytes data;
} ice_pair;
/// Calls `visit` for each pair of a map. Errors: FIRN_CORRUPT.
typedef void (*ice_pair_visit)(void *user, ice_map map, int32_t key, ice_pair value);
firn_status ice_walk_pairs(const ice_walk *self, const ice_entry *entry, ice_map map,
                           ice_pair_visit visit, void *user, firn_error *err);

/// The ids of an equality delete file, in `memory`.
firn_status ice_walk_equality_ids(const ice_walk *self, const ice_entry *entry, arena *memory,
                                  u32_list *out, firn_error *err);

/// Where a file may be cut, as its writer says, and how many such places there are; ascending and
/// below the size of the file. 0 if nothing sensible is said.
uint32_t ice_walk_split_offsets(const ice_walk *self, const ice_entry *entry, arena *memory,
                                const uint64_t **out);

#endif
