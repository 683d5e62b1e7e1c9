// Delete files: which of them apply to a data file, and what they delete.
//
// Planning gathers them in an index first: by the one data file they are about, by partition, or
// for all of the table. Finding those of a data file is a look-up and a binary search by sequence
// number. Their content is read by the first task that needs it and kept for the query.
//
// Specification: apache/iceberg, format/spec.md, "Row-level Deletes", "Scan Planning".
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_DELETE_H
#define FIRN_TABLES_ICEBERG_ICEBERG_DELETE_H

#include <stdatomic.h>

#include "tables/iceberg/iceberg_delete_match.h"

#define ICE_DELETE_PATH_ID 2147483546
#define ICE_DELETE_POSITION_ID 2147483545

typedef struct ice_deleted ice_deleted; ///< The content of a delete file.

/// Columns that equality deletes compare, and how to read them. One per set of ids.
typedef struct ice_key {
    struct ice_key *next;
    uint32_t number; ///< Counts the keys of a scan.
    uint32_t count;
    const int32_t *ids; ///< Ascending.
    const ice_wanted *columns;
} ice_key;

typedef struct ice_delete_file {
    struct ice_delete_file *next; ///< Of all in the index.
    text path;
    text format;
    ice_content content;
    int64_t sequence_number;
    uint64_t row_count;
    const ice_key *key;         ///< Of equality deletes, ...
    const ice_metrics *metrics; ///< ... and what is known of its columns.
    bytes path_low;             ///< Of position deletes: bounds of file_path; NULL: not said.
    bytes path_high;
    /// Set once by the first reader that read it. Release / acquire.
    _Atomic(ice_deleted *) loaded;
    atomic_bool is_begun; ///< Some reader is at it, or was.
} ice_delete_file;

/// Some delete files in a row of the index.
typedef struct ice_delete_slice {
    uint32_t count;
    ice_delete_file *const *items;
} ice_delete_slice;

/// Those that apply to a data file.
typedef struct ice_deletes {
    ice_delete_slice by_path;      ///< Position deletes of this file alone.
    ice_delete_slice by_partition; ///< Position deletes of its partition.
    ice_delete_slice equal;        ///< Equality deletes of its partition, ...
    ice_delete_slice equal_global; ///< ... and of the whole table.
} ice_deletes;

typedef struct ice_delete_index ice_delete_index;

/// Makes an empty index in `memory`.
firn_status ice_delete_index_open(const ice_metadata *metadata, const ice_schema *schema,
                                  arena *memory, ice_delete_index **out, firn_error *err);
/// Ends the content that was read. NULL: nothing.
void ice_delete_index_close(ice_delete_index *self);

/// Takes in an entry of a delete manifest.
firn_status ice_delete_index_add(ice_delete_index *self, const ice_walk *walk,
                                 const ice_entry *entry, firn_error *err);
/// After the last one: sorts.
firn_status ice_delete_index_finish(ice_delete_index *self, firn_error *err);
/// How many were opened so far.
uint64_t ice_delete_index_opened(const ice_delete_index *self);

/// The delete files that apply to a data file, without those whose metrics say that they delete
/// nothing of it.
firn_status ice_delete_index_find(ice_delete_index *self, const ice_walk *walk,
                                  const ice_entry *entry, ice_deletes *out, firn_error *err);

static inline bool ice_deletes_is_empty(const ice_deletes *self) {
    return self->by_path.count + self->by_partition.count + self->equal.count +
               self->equal_global.count ==
           0;
}

// ---- Content -----------------------------------------------------------------------------------

/// Reads a delete file piece by piece.
typedef struct ice_delete_loader ice_delete_loader;
firn_status ice_delete_loader_open(ice_delete_file *file, const scan_env *env,
                                   ice_delete_loader **out, firn_error *err);
/// SCAN_END: it is in file->loaded now. `scratch` is reset.
firn_status ice_delete_loader_next(ice_delete_loader *self, arena *scratch, scan_answer *answer,
                                   firn_error *err);
void ice_delete_loader_close(ice_delete_loader *self); ///< NULL: nothing.

void ice_deleted_close(ice_deleted *self); ///< NULL: nothing.

/// The deleted positions of a data file, ascending.
typedef struct ice_positions {
    uint64_t count;
    const uint64_t *items;
} ice_positions;
ice_positions ice_deleted_positions(const ice_deleted *self, text path);

/// Whether equality deletes hold the key in row `row` of these columns, whose hash that is.
bool ice_deleted_has_key(const ice_deleted *self, uint64_t hash, const column *const *keys,
                         uint32_t row);
uint64_t ice_key_hash(const column *const *keys, uint32_t count, uint32_t row);

#endif
