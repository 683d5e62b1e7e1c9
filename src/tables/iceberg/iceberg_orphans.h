// Files below a table's folder that the table does not name: what was written and came to nothing.
//
//     all that the metadata names: snapshots ─ lists ─ manifests ─ files; statistics; earlier
//     metadata ── minus ── all that lies there and is old enough ──► orphans
//
// As Spark's remove_orphan_files. A file that is newer than `older_than` may be one of a commit
// that is under way. Names that begin with '.' or '_' are hidden from it, but for folders of
// partitions
// ("_day=1") and for our own temporary files (".<name>.<chance>.tmp").
//
// Nothing is removed before everything was read: a manifest that cannot be read is an error. So is
// another table of the catalog that lies there, whose files would be taken for orphans, where the
// catalog can tell.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_ORPHANS_H
#define FIRN_TABLES_ICEBERG_ICEBERG_ORPHANS_H

#include "io/io.h"
#include "tables/catalog.h"

typedef struct ice_orphan_search {
    catalog *of;           ///< Whose other tables may lie there too; NULL: there are none.
    object_name name;      ///< Of the table, in the catalog.
    text location;         ///< Where is looked: the table's, or below; "": the table's.
    int64_t older_than_us; ///< Since 1970 UTC: files that were changed later are left alone.
} ice_orphan_search;

/// Finds them: *out in `memory`, by name. `table` is one of Iceberg.
///
/// Errors: 22023 for another location; 55000 for one where another table lies; FIRN_UNSUPPORTED by
///         stores that cannot list; those of reading; FIRN_CANCELLED.
firn_status ice_find_orphans(io *files, const table_snapshot *table,
                             const ice_orphan_search *wanted, const cancel_flag *cancel,
                             arena *memory, text_list *out, firn_error *err);

/// Removes what was found. Errors: those of the first file that stayed, after all others were
/// tried; FIRN_CANCELLED.
firn_status ice_remove_orphans(io *files, const text_list *orphans, const cancel_flag *cancel,
                               firn_error *err);

#endif
