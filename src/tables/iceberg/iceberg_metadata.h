// Table metadata: the JSON file that says what an Iceberg table is, versions 1, 2 and 3.
//
// As strict as Java's reader: what it refuses is FIRN_CORRUPT here, and unknown keys are ignored.
// Of v3 what v2 has too is read; tables that need more say so when it is met.
//
// Specification: apache/iceberg, format/spec.md, "Table Metadata".
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_METADATA_H
#define FIRN_TABLES_ICEBERG_ICEBERG_METADATA_H

#include "codecs/codec.h"
#include "tables/catalog.h"
#include "tables/iceberg/iceberg_mapping.h"
#include "tables/iceberg/iceberg_schema.h"
#include "tables/iceberg/iceberg_transform.h"

#define ICE_METADATA_BYTES_MAX ((uint64_t)1 << 30)
#define ICE_NO_SNAPSHOT (-1)

typedef struct ice_partition_field {
    int32_t source_id;
    int32_t field_id;
    text name;
    ice_transform transform;
} ice_partition_field;

typedef struct ice_spec {
    int32_t id;
    uint32_t count;
    const ice_partition_field *fields;
} ice_spec;

typedef struct ice_order_field {
    int32_t source_id;
    ice_transform transform;
    bool is_descending;
    bool nulls_first;
} ice_order_field;

typedef struct ice_order {
    int32_t id; ///< 0: unordered, without fields.
    uint32_t count;
    const ice_order_field *fields;
} ice_order;

typedef struct ice_snapshot {
    int64_t id;
    int64_t parent_id;       ///< ICE_NO_SNAPSHOT: none.
    int64_t sequence_number; ///< 0 in v1.
    int64_t timestamp_ms;
    text manifest_list; ///< Path; empty if there is none but `manifests`.
    text_list manifests;
    int32_t schema_id; ///< -1: not said.
    text operation;    ///< "" if not said.
    estimate rows;     ///< total-records of the summary.
} ice_snapshot;

typedef struct ice_ref {
    text name;
    int64_t snapshot_id;
    bool is_tag;
} ice_ref;

typedef struct ice_log_entry {
    int64_t snapshot_id;
    int64_t timestamp_ms;
} ice_log_entry;

typedef struct ice_property {
    text key;
    text value;
} ice_property;

typedef struct ice_metadata {
    int32_t format_version;
    text uuid; ///< "" if version 1 does not say it.
    text location;
    int64_t last_sequence_number; ///< 0 in v1.
    int64_t current_snapshot_id;  ///< ICE_NO_SNAPSHOT: the table is empty.
    int32_t current_schema_id;
    uint32_t schema_count;
    const ice_schema *schemas;
    const firn_error **schema_errors; ///< By schema: why a type of it is not read; NULL: it is.
    uint32_t spec_count;
    const ice_spec *specs;
    int32_t default_spec_id;
    uint32_t snapshot_count;
    const ice_snapshot *snapshots;
    uint32_t ref_count;
    const ice_ref *refs;
    uint32_t log_count;
    const ice_log_entry *log;
    ice_order order; ///< The default one; unordered if there is none.
    /// What writers obey: write.…, commit.…, history.…; and all others that are short.
    uint32_t property_count;
    const ice_property *properties;
    const ice_mapping *mapping; ///< schema.name-mapping.default, or NULL.
} ice_metadata;

/// Reads the JSON of a metadata file of a table or view, packed with gzip or not.
///
/// Borrows: `file`, as long as the tree is used.
firn_status ice_json_read(bytes file, arena *memory, const json_node **out, firn_error *err);

/// Reads metadata, packed or not, into `memory`. Its tree is there only while it is read, and holds
/// what a reader needs; of snapshots one at a time.
///
/// Errors:  FIRN_CORRUPT, FIRN_UNSUPPORTED (a format version above 3), FIRN_NO_MEMORY.
firn_status ice_metadata_read(bytes file, arena *memory, ice_metadata *out, firn_error *err);
/// The same of a tree that is there already (ice_json_read, ice_metadata_change).
firn_status ice_metadata_of(const json_node *root, arena *memory, ice_metadata *out,
                            firn_error *err);

const ice_snapshot *ice_metadata_snapshot(const ice_metadata *self, int64_t id);
/// That before `of`, one of `self`; NULL: it has none, or it expired. Parents mostly stand next to
/// their children, so that a walk through the past does not look through all of it each time.
const ice_snapshot *ice_metadata_parent(const ice_metadata *self, const ice_snapshot *of);
const ice_spec *ice_metadata_spec(const ice_metadata *self, int32_t id);
const ice_schema *ice_metadata_schema(const ice_metadata *self, int32_t id);

/// The value of a property that writers obey; false, and *out as it was, if the table lacks it.
bool ice_metadata_property(const ice_metadata *self, text key, text *out);

/// A field by its id in `first`, else in the newest other schema that has it; NULL if none has.
const field *ice_metadata_field(const ice_metadata *self, const ice_schema *first,
                                int32_t field_id);

#endif
