// Iceberg tables as the engine sees them: opening a metadata file gives a snapshot to scan.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_TABLE_H
#define FIRN_TABLES_ICEBERG_ICEBERG_TABLE_H

#include "io/io.h"
#include "tables/catalog.h"

extern const table_kind iceberg_table_kind;

/// What is to be opened.
typedef struct ice_open {
    struct pool *pool;            ///< What the table is charged to; outlives it. NULL: nothing.
    text location;                ///< Of the metadata file.
    bytes metadata;               ///< The file itself if a catalog sent it; size 0: it is read.
    text catalog;                 ///< Alias, or "".
    text name;                    ///< As in table_ref.
    const table_version *version; ///< NULL: current.
} ice_open;

/// Opens a version of a table: reads its metadata and the manifest list, and waits for both, and
/// for memory while others give some back.
///
/// Keeps:  `files`, which outlives the snapshot.
/// Owns:   the caller releases *out.
/// Errors: FIRN_NOT_FOUND (no such file, snapshot, branch), FIRN_CORRUPT, FIRN_UNSUPPORTED, those
///         of io, all with the file's name.
firn_status ice_table_open(io *files, const ice_open *what, const cancel_flag *cancel,
                           table_snapshot **out, firn_error *err);

// What an open table is made of, for those who change it. Valid as long as the snapshot.
const struct ice_metadata *ice_table_metadata(const table_snapshot *self);
/// Of the metadata file.
text ice_table_location(const table_snapshot *self);
/// That rows written to this version go to; "": it is in the past, or a tag.
text ice_table_branch(const table_snapshot *self);
/// The data files of which `filters` take every row, as metadata tells: such can go as a whole.
/// Filters are over the table's columns by position as id. Paths as manifests have them, in
/// `memory`. Reads all manifests of data, and waits for them.
firn_status ice_table_covered(const table_snapshot *base, const expr_list *filters,
                              const cancel_flag *cancel, arena *memory, text_list *out,
                              firn_error *err);
/// How many manifests the snapshot has.
uint32_t ice_table_manifest_count(const table_snapshot *self);

#endif
