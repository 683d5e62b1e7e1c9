// Iceberg views: metadata that holds a query.
//
// Specification: apache/iceberg, format/view-spec.md.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_VIEW_H
#define FIRN_TABLES_ICEBERG_ICEBERG_VIEW_H

#include "tables/catalog.h"

/// Reads the current version of a view: its SQL in firn's dialect, else in Spark's, else in any;
/// the names of its columns, its comment and other properties. Unqualified names in it are looked
/// for in `alias`, where the view is, since the name that its writer knew that catalog by means
/// nothing here.
///
/// Owns:   all of *out lies in `memory`; borrows `file` and `alias` as long as it.
/// Errors: FIRN_CORRUPT, FIRN_UNSUPPORTED (no SQL in it), FIRN_NO_MEMORY.
firn_status ice_view_read(bytes file, text alias, arena *memory, view_definition **out,
                          firn_error *err);

#endif
