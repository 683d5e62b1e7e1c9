// Manifest lists: which manifests a snapshot has and what is said of each, from Avro, by field id.
//
// Specification: apache/iceberg, format/spec.md, "Manifest Lists".
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_MANIFEST_LIST_H
#define FIRN_TABLES_ICEBERG_ICEBERG_MANIFEST_LIST_H

#include "io/io.h"
#include "tables/iceberg/iceberg_metadata.h"

#define ICE_NO_SEQUENCE INT64_MIN                  // Inherited, or broken.
#define ICE_MANIFEST_BYTES_MAX ((uint64_t)2 << 30) // Of a manifest or a list of them.

/// What a manifest list says of one partition field over a manifest.
typedef struct ice_summary {
    bool has_null; ///< True also when it is not said.
    bool has_nan;  ///< Likewise.
    bool has_low;
    bool has_high;
    bytes low;
    bytes high;
} ice_summary;

/// Files of a manifest, or their rows, by the status of their entries.
typedef struct ice_status_counts {
    exact_u64 existing;
    exact_u64 added;
    exact_u64 deleted;
} ice_status_counts;

typedef struct ice_manifest {
    text path;
    uint64_t length; ///< 0: not said.
    int32_t spec_id;
    bool has_deletes;
    bool is_bare;            ///< Named by v1 metadata alone: nothing but the path is known.
    int64_t sequence_number; ///< Inherited by its entries; 0 in v1. ICE_NO_SEQUENCE: of a new one,
                             ///< that of the snapshot whose list it will be in.
    int64_t min_sequence_number; ///< Of the data of its live entries; likewise.
    int64_t added_snapshot_id;   ///< Inherited by its entries.
    ice_status_counts files;
    ice_status_counts rows;
    exact_u64 live_files; ///< Added and existing.
    exact_u64 live_rows;
    uint32_t summary_count; ///< 0: none are given.
    const ice_summary *summaries;
    bytes key_metadata; ///< Size 0: none.
} ice_manifest;

typedef struct ice_manifest_list {
    uint32_t count;
    ice_manifest *items;
} ice_manifest_list;

/// Reads the manifests of a snapshot, waiting for their bytes, into `memory`.
///
/// Errors: FIRN_CORRUPT, those of io, with the path.
firn_status ice_manifests_of(io *files, const ice_snapshot *snapshot, const cancel_flag *cancel,
                             arena *memory, ice_manifest_list *out, firn_error *err);

/// Reads a manifest list from its bytes.
firn_status ice_manifest_list_read(bytes file, arena *memory, ice_manifest_list *out,
                                   firn_error *err);

#endif
