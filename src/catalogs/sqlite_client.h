// The catalog in one SQLite file that PyIceberg, Java's JdbcCatalog and iceberg-rust share.
//
//     iceberg_tables                 catalog_name, table_namespace, table_name, metadata_location,
//                                    previous_metadata_location [, iceberg_type]
//     iceberg_namespace_properties   catalog_name, namespace, property_key, property_value
//
// Several catalogs may lie in one file, told apart by catalog_name. `iceberg_type` (schema V1) is
// 'TABLE', 'VIEW' or NULL, which means table; in V0 the column is missing. Levels of a namespace
// are joined by '.'; a namespace exists when a table, a view or a property is in it or below it.
//
// A file that does not exist is made, with both tables in schema V1, when it may be written; so are
// they in an empty one. What else has no iceberg_tables is somebody else's and left alone.
//
// Functions that write are one transaction of the file each (BEGIN IMMEDIATE … COMMIT). FIRN_IO: it
// was not written, others held it too long; FIRN_COMMIT_UNKNOWN: SQLite failed in the middle of its
// COMMIT. They cannot be cancelled.
//
// The file is outside data like any other: what is not UTF-8 text is FIRN_CORRUPT, and a view in
// the place of a table is none, for it could run for ever. Other programs hold short locks; they
// are waited for up to the busy timeout.
#ifndef FIRN_CATALOGS_SQLITE_CLIENT_H
#define FIRN_CATALOGS_SQLITE_CLIENT_H

#include "catalogs/catalog_loaded.h"
#include "tables/transaction.h"

typedef struct sqlite_options {
    text path;         // A file path, without "sqlite:".
    text alias;        // Of the catalog: the name to look for if the file does not tell; messages.
    text catalog_name; // CATALOG_NAME; size 0: the only name in the file, else the alias. One of
                       // those in the file, unless that has none: then it is a new catalog's.
    bool is_read_only;
    uint32_t busy_timeout_ms;  // 0: 10 s.
    const cancel_flag *cancel; // While it is opened; NULL: nobody stops that.
} sqlite_options;

/// One connection. One thread at a time.
typedef struct sqlite_client sqlite_client;

/// Errors: FIRN_NOT_FOUND (no such file and READ_ONLY, or no such folder, or no catalog of that
/// name among others in it), FIRN_CORRUPT (no database, or without iceberg_tables),
///         FIRN_IO, FIRN_NO_MEMORY, FIRN_CANCELLED.
firn_status sqlite_client_open(const sqlite_options *options, sqlite_client **out, firn_error *err);
/// NULL: nothing.
void sqlite_client_close(sqlite_client *self);

/// The catalog_name in use. Lives as long as the client.
text sqlite_client_name(const sqlite_client *self);

/// Child namespaces of `parent` (count 0: the top), in bytewise order, each with all its levels.
firn_status sqlite_client_namespaces(sqlite_client *self, namespace_path parent, arena *memory,
                                     namespace_path **out, uint32_t *count,
                                     const cancel_flag *cancel, firn_error *err);

firn_status sqlite_client_has_namespace(sqlite_client *self, namespace_path space, bool *out,
                                        const cancel_flag *cancel, firn_error *err);

firn_status sqlite_client_namespace_properties(sqlite_client *self, namespace_path space,
                                               arena *memory, catalog_properties *out,
                                               const cancel_flag *cancel, firn_error *err);

/// Tables and views, each kind in bytewise order. FIRN_NOT_FOUND: no such namespace.
firn_status sqlite_client_list(sqlite_client *self, namespace_path space, arena *memory,
                               catalog_entry_list *out, const cancel_flag *cancel, firn_error *err);

/// The table or view of that name, with its metadata location. FIRN_NOT_FOUND if there is none;
/// FIRN_CORRUPT if it has no location.
firn_status sqlite_client_load(sqlite_client *self, namespace_path space, text name, arena *memory,
                               loaded_table *out, const cancel_flag *cancel, firn_error *err);

/// A table or view of any catalog in the file, other than `of`, whose metadata lies at or below a
/// location: *out is how it is called, in `memory`; empty: there is none.
firn_status sqlite_client_neighbour(sqlite_client *self, object_name of, text location,
                                    arena *memory, text *out, const cancel_flag *cancel,
                                    firn_error *err);

// ---- Writing -----------------------------------------------------------------------------------

/// Makes a namespace or changes its properties. "exists", which keeps an empty namespace alive, is
/// none of the user's.
/// Errors: FIRN_CONFLICT 42P06 (is_new), FIRN_NOT_FOUND 3F000, FIRN_INVALID.
firn_status sqlite_client_change_namespace(sqlite_client *self, namespace_path space,
                                           const namespace_change *change, firn_error *err);
/// Errors: FIRN_INVALID 2BP01 (something is in it or below it), FIRN_NOT_FOUND 3F000.
firn_status sqlite_client_drop_namespace(sqlite_client *self, namespace_path space,
                                         firn_error *err);
/// Forgets a table or view, whatever its state; its files stay. FIRN_NOT_FOUND 42P01.
firn_status sqlite_client_drop(sqlite_client *self, object_name name, bool is_view,
                               firn_error *err);
/// Names the metadata file of a view: of a new one (`old` is empty), or of one whose metadata is
/// `old`. Errors: FIRN_CONFLICT (42P07 something has the name; 40001 it is not at `old` any more),
/// FIRN_NOT_FOUND 3F000, FIRN_UNSUPPORTED (schema V0 has no views).
firn_status sqlite_client_put_view(sqlite_client *self, object_name name, text old, text location,
                                   firn_error *err);
/// Errors: FIRN_NOT_FOUND (no such table or view 42P01, no such namespace), FIRN_CONFLICT 42P07.
firn_status sqlite_client_rename(sqlite_client *self, object_name from, object_name to,
                                 bool is_view, firn_error *err);

/// Does all parts, of the form COMMIT_POINTER, or none: catalog_committer.commit. FIRN_NOT_FOUND if
/// the namespace of a new table does not exist.
firn_status sqlite_client_commit(sqlite_client *self, const commit_parts *parts,
                                 uint32_t deadline_ms, commit_answer *out, firn_error *err);

#endif
