// information_schema: tables about the tables of all attached catalogs.
//
// A table of it is a snapshot without rows until its plan runs. Then the filters that reached its
// scan say which catalogs, schemas and tables are asked about, and nothing else is listed or
// loaded.
#ifndef FIRN_ENGINE_INFORMATION_SCHEMA_H
#define FIRN_ENGINE_INFORMATION_SCHEMA_H

#include "engine/objects.h"

#define INFORMATION_SCHEMA_COUNT 4

/// The name of one of its tables.
text information_schema_name(uint32_t index);

/// Its table of that name: *out is NULL if there is none.
firn_status information_schema_open(text name, table_snapshot **out, firn_error *err);

/// Gathers the rows of those of its tables that the run's plan scans. Waits for the catalogs.
firn_status information_schema_fill(run *self, firn_error *err);

#endif
