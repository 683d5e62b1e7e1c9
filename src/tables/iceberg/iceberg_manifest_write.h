// Writes manifests, and hands out what their manifest list says of them. Memory only: the caller
// puts the bytes where `wanted.path` says.
//
//     ice_manifest_writer_open(&writer, &wanted, memory, codecs, &err);
//     ice_manifest_writer_add(&writer, &entry, &err);       for each entry
//     ice_manifest_writer_finish(&writer, &file, &manifest, &err);
//
// A new file is an ICE_ADDED entry whose sequence numbers are null: it inherits those of the
// snapshot that first lists the manifest, so a commit that is tried again writes a new list only. A
// file of an older manifest is copied with all its numbers made explicit (ice_entry_copy), as
// ICE_EXISTING, or as ICE_DELETED in the snapshot that deletes it.
//
// Specification: apache/iceberg, format/spec.md, "Manifests".
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_MANIFEST_WRITE_H
#define FIRN_TABLES_ICEBERG_ICEBERG_MANIFEST_WRITE_H

#include "formats/avro/avro_write.h"
#include "tables/iceberg/iceberg_manifest.h"

/// What is known of one leaf column in one file.
typedef struct ice_column_metric {
    int32_t field_id;
    int64_t size;        ///< On disk, in bytes. -1: not said; likewise below.
    int64_t value_count; ///< NULLs and NaNs counted.
    int64_t null_count;
    int64_t nan_count;
    bytes low; ///< As ice_scalar_bytes makes them; `data` NULL: none.
    bytes high;
} ice_column_metric;

/// A data or delete file.
typedef struct ice_file {
    ice_content content;
    text path;
    text format;                 ///< "PARQUET": upper case.
    const ice_scalar *partition; ///< By spec field: NULL where the transform has no value.
    uint64_t row_count;          ///< Exact, as are the bytes: readers rely on both.
    uint64_t size;
    uint32_t metric_count;
    const ice_column_metric *metrics;
    uint32_t split_count;
    const uint64_t *split_offsets; ///< Ascending.
    uint32_t equality_count;
    const int32_t *equality_ids; ///< Of equality deletes.
    int32_t sort_order_id;       ///< -1: not said. 0: unsorted.
    text referenced_file;        ///< The one data file that deletes are about; size 0: not said.
    bytes key_metadata;          ///< Size 0: none.
} ice_file;

typedef struct ice_new_entry {
    ice_status status;
    int64_t snapshot_id;          ///< That added, or deleted, the file.
    int64_t sequence_number;      ///< ICE_NO_SEQUENCE: null, of added ones only. Unused in v1.
    int64_t file_sequence_number; ///< Likewise.
    ice_file file;
} ice_new_entry;

/// What a manifest is opened with. All of it stays as long as the writer.
typedef struct ice_manifest_wanted {
    int32_t format_version; ///< 1 or 2.
    bool has_deletes;       ///< Content deletes; not in v1.
    text path;              ///< Where it will be; its name must end in ".avro".
    int64_t snapshot_id;    ///< That adds it.
    text schema_json;       ///< Of the table, with its "schema-id".
    int32_t schema_id;
    const ice_spec *spec;
    /// By spec field the type of its source column; NULL: the column is gone. ice_spec_sources.
    const type *const *sources;
    uint8_t sync[AVRO_SYNC_SIZE]; ///< Random.
} ice_manifest_wanted;

/// What is gathered of one partition field.
typedef struct ice_partition_range {
    bool has_null;
    bool has_nan;
    ice_scalar low; ///< NONE: no value yet. Bytes are copies.
    ice_scalar high;
} ice_partition_range;

typedef struct ice_manifest_writer {
    const ice_manifest_wanted *wanted;
    arena *memory;
    avro_writer avro;
    const type **results; ///< Of the partition fields.
    ice_partition_range *ranges;
    uint64_t files[3]; ///< By ice_status.
    uint64_t rows[3];
    int64_t min_sequence_number; ///< ICE_NO_SEQUENCE: no live entry has one.
} ice_manifest_writer;

/// The types of the source columns of a spec's fields, in `memory`, wherever the table has or had
/// them.
firn_status ice_spec_sources(const ice_metadata *metadata, const ice_schema *first,
                             const ice_spec *spec, arena *memory, const type *const **out,
                             firn_error *err);

/// The type of the values of partition field `index`: what its transform gives for its source; of
/// `day` DATE. INTEGER where nothing is known, all values then are NULL.
const type *ice_partition_type(const ice_partition_field *of, const type *source);

/// The partition of the entry that a walk is at, by field of its spec, in `memory`. `sources`: of
/// ice_spec_sources. Errors: FIRN_CORRUPT.
firn_status ice_entry_partition(const ice_walk *walk, const ice_entry *entry,
                                const type *const *sources, arena *memory, const ice_scalar **out,
                                firn_error *err);

/// Begins.
///
/// Owns:   everything lies in `memory`; there is nothing to close.
/// Errors: FIRN_UNSUPPORTED for a transform that is not known, or version 3; FIRN_NO_MEMORY.
firn_status ice_manifest_writer_open(ice_manifest_writer *self, const ice_manifest_wanted *wanted,
                                     arena *memory, codec_scratch *codecs, firn_error *err);

/// Appends an entry. After an error it is as if it had not come.
///
/// Borrows: all of `entry`.
/// Errors:  FIRN_INVALID for what readers would refuse: deletes among data, an existing or deleted
///          entry without numbers, equality deletes without ids, a partition value of another
///          type, numbers above 2^63. FIRN_NO_MEMORY.
firn_status ice_manifest_writer_add(ice_manifest_writer *self, const ice_new_entry *entry,
                                    firn_error *err);

/// Ends it: *file is all of it, *out what a manifest list says of it. The sequence numbers of *out
/// are ICE_NO_SEQUENCE: those of the list.
firn_status ice_manifest_writer_finish(ice_manifest_writer *self, bytes *file, ice_manifest *out,
                                       firn_error *err);

/// How an entry is copied.
typedef struct ice_copy {
    ice_status status;          ///< ICE_EXISTING: it stays as it was. ICE_DELETED: it goes.
    int64_t snapshot_id;        ///< That deletes it.
    const type *const *sources; ///< As in ice_manifest_wanted.
} ice_copy;

/// The entry that a whole walk is at (ice_walk_open_whole), to be added to another manifest of the
/// same spec, with its inherited numbers made explicit. Lies in `memory`.
///
/// Errors: FIRN_CORRUPT.
firn_status ice_entry_copy(const ice_walk *walk, const ice_entry *entry, const ice_copy *how,
                           arena *memory, ice_new_entry *out, firn_error *err);

#endif
