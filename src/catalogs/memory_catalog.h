// The catalog in memory: schemas, tables and views that live as long as it does. `memory` belongs
// to an engine, `temp` to a session.
#ifndef FIRN_CATALOGS_MEMORY_CATALOG_H
#define FIRN_CATALOGS_MEMORY_CATALOG_H

#include "tables/catalog.h"

extern const catalog_kind memory_catalog_kind;

/// A catalog with the empty schema `main`. Its tables are charged to `pool`, which outlives it.
firn_status memory_catalog_open(text alias, struct pool *pool, catalog **out, firn_error *err);
/// Puts a snapshot under a name: a registered stream. Takes it over on success.
firn_status memory_catalog_put(catalog *base, text name, table_snapshot *taken, firn_error *err);
/// Drops all tables, views and streams. What reads them goes on.
void memory_catalog_clear(catalog *base);

#endif
