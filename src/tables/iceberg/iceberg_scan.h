// The table function iceberg_scan: a table without a catalog.
//
//     iceberg_scan('table folder or metadata file' [, snapshot_id => n] [, ref => 'branch or tag']
//                  [, timestamp => t] [, from_snapshot_id => n, to_snapshot_id => n])
//
// A folder means version-hint.text, else the greatest version (hadoop_version.h).
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_SCAN_H
#define FIRN_TABLES_ICEBERG_ICEBERG_SCAN_H

#include "tables/files/file_tables.h"
#include "tables/iceberg/iceberg_snapshot.h"

/// Opens what the arguments say.
///
/// Errors: FIRN_INVALID with SQLSTATE for arguments that are unknown, of another type or exclude
///         each other; what ice_table_open says.
firn_status ice_scan_open(table_arguments args, const file_env *env, arena *memory,
                          table_snapshot **out, firn_error *err);

#endif
