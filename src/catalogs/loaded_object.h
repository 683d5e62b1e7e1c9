// From what a client says about a table or view to what the engine scans or binds.
#ifndef FIRN_CATALOGS_LOADED_OBJECT_H
#define FIRN_CATALOGS_LOADED_OBJECT_H

#include "catalogs/catalog_loaded.h"
#include "io/io.h"
#include "tables/catalog.h"

/// A table or view of a catalog, by its name there, and in which state it is wanted.
typedef struct loaded_name {
    struct pool *pool; ///< What a table is charged to.
    text alias;        ///< Of the catalog; stays as long as a view that is made.
    object_name object;
    const table_version *version; ///< NULL: the current one.
} loaded_name;

/// Opens it: a snapshot, or a view in `memory`.
///
/// Errors: FIRN_INVALID (a version of a view); what ice_table_open and ice_view_read say.
firn_status loaded_object_open(io *files, const loaded_name *name, const loaded_table *loaded,
                               arena *memory, catalog_object *out, const cancel_flag *cancel,
                               firn_error *err);

#endif
