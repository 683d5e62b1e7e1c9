// Tables by what a plan says of them: a table_ref is data, and here it becomes a table again, in
// this process or another.
#ifndef FIRN_TABLES_FILES_TABLE_REFS_H
#define FIRN_TABLES_FILES_TABLE_REFS_H

#include "tables/files/parquet_files.h"

/// The options of the ref of a table of Parquet files, as JSON: its patterns and what differs from
/// the default.
firn_status parquet_ref_options(const io_paths *patterns, const parquet_files_options *options,
                                arena *memory, text *out, firn_error *err);

/// Opens the table that a ref names, in the snapshot that it names. The caller releases it.
///
/// Errors: FIRN_UNSUPPORTED: a kind that is unknown here, or a thing of a session (`local`).
///         FIRN_CORRUPT: options that are none. FIRN_NOT_FOUND, FIRN_IO: as when it was first
///         opened.
firn_status table_ref_open(const table_ref *ref, const file_env *env, arena *memory,
                           table_snapshot **out, firn_error *err);

#endif
