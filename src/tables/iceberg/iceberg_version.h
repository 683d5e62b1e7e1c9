// Time travel: which snapshot, and which schema, a version of a table means. A snapshot, a tag and
// a time are read with the schema of their snapshot, branches with that of the table.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_VERSION_H
#define FIRN_TABLES_ICEBERG_ICEBERG_VERSION_H

#include "tables/iceberg/iceberg_metadata.h"

/// What a version of the table is. `*snapshot` is NULL if the table was empty then.
///
/// Errors: FIRN_NOT_FOUND (no such snapshot or branch, nothing that old), with SQLSTATE;
///         FIRN_INVALID (an incremental range that is none); FIRN_UNSUPPORTED (a type).
firn_status ice_version_resolve(const ice_metadata *self, const table_version *version,
                                const ice_snapshot **snapshot, const ice_schema **schema,
                                firn_error *err);

#endif
