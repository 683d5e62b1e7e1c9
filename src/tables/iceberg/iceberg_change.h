// A change of an Iceberg table: what one transaction did to it, as **steps** that can be said again
// on top of what others committed meanwhile.
//
//     head ── step ── step ── step ──► working metadata ── see ──► a snapshot to scan
//             │       │       └ rows: files that came, files and rows that went (a snapshot)
//             │       └ alterations: schema, spec, order, properties, refs
//             └ create: all of a new table
//
// A step is kept as what was wanted, and *played* on the metadata of a head: it appends updates in
// the REST specification's form to one list, and the working metadata is what ice_metadata_change
// makes of the head with that list. Statements see it at once; `prepare` hands the list out
// (COMMIT_UPDATES), or writes the metadata file (COMMIT_POINTER); `rebase` plays all steps on the
// new head, by new validation.
//
// A step of rows is one snapshot with an id of its own that it keeps for ever: `is_in` looks for
// it. Manifests of added files are written once, when the step comes: their entries inherit what a
// repetition changes. Manifests of which files are taken away, and manifest lists, belong to a head
// and are written anew on another one.
//
// Everything that is written is remembered and removed again if it comes to be of no use: `settle`
// and `close`.
//
// Specification: apache/iceberg, format/spec.md, "Commit Conflict Resolution and Retry".
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_CHANGE_H
#define FIRN_TABLES_ICEBERG_ICEBERG_CHANGE_H

#include "tables/iceberg/iceberg_manifest_write.h"
#include "tables/transaction.h"

extern const table_change_kind ice_table_changes;

/// A file that a statement wrote, data or deletes, of the spec with this id.
typedef struct ice_added_file {
    int32_t spec_id;
    ice_file file;
} ice_added_file;

/// What a statement did to the files of a table.
typedef struct ice_row_step {
    change_kind kind;
    text branch;              ///< That the rows are of: ice_table_branch of what was scanned or
                              ///< seen. "": that of the change's base.
    overwrite_kind overwrite; ///< With CHANGE_OVERWRITE.
    isolation isolation;      ///< ISOLATION_TABLE was resolved to one of the others.
    /// What it read of the table: over the table's columns by position as id. NULL: everything.
    const expr_list *filters;
    uint32_t added_count;
    const ice_added_file *added;
    /// Data files that go as a whole, by path as manifests have it: rewritten ones, and those of
    /// which all rows are deleted. They were in the snapshot that the statement scanned.
    uint32_t removed_count;
    const text *removed;
    /// Data files that added delete files name rows of: they must still be there at the commit.
    uint32_t referenced_count;
    const text *referenced;
} ice_row_step;

/// Adds a step of rows: makes its snapshot, so that the next statement sees it. All or nothing; a
/// step that would change nothing (an INSERT of no rows) makes no snapshot.
///
/// Borrows: all of `step`. Files in it are the change's from then on, also after an error: it
///          removes them if they come to nothing.
/// Errors:  FIRN_IO, FIRN_NO_MEMORY, those of manifests.
/// Threads: one at a time.
firn_status ice_change_add_rows(table_change *base, const ice_row_step *step,
                                const cancel_flag *cancel, firn_error *err);

/// Behind the removal of a file of a table that is yet to be made: removes the folders that it was
/// in, up to the table's own, which are empty. In a catalog of folders they would be schemas.
void ice_change_remove_folders(const table_change *base, text path);

/// Where a new file goes, in `memory`: below write.data.path (else <location>/data), below
/// `partition` ("day=2024-01-01/region=EU", already escaped; size 0: none), or below hashed folders
/// if write.object-storage.enabled says so. Names hold `number`, and are never given twice.
firn_status ice_change_data_path(const table_change *base, text partition, uint64_t number,
                                 const char *ending, arena *memory, text *out, firn_error *err);

#endif
