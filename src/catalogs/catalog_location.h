// Where a new table lies when the catalog has no server that says so.
#ifndef FIRN_CATALOGS_CATALOG_LOCATION_H
#define FIRN_CATALOGS_CATALOG_LOCATION_H

#include "memory/arena.h"
#include "tables/catalog.h"

/// The location of a warehouse, namespace or table as it is written into metadata: a relative path
/// becomes file:///…, since whoever reads it later is in another folder; all others stay as they
/// are, but for slashes at their ends.
firn_status catalog_location_of(text given, arena *memory, text *out, firn_error *err);

/// What a new table's location is made of.
typedef struct location_parts {
    text given;        ///< LOCATION of CREATE TABLE; size 0: none.
    text of_namespace; ///< Its property "location"; size 0: none.
    text warehouse;    ///< Option of ATTACH; size 0: none.
    object_name name;
} location_parts;

/// What was given, else <namespace's location>/<table>, else <warehouse>/<level>/…/<table>.
/// Errors: FIRN_INVALID: no warehouse, or a name that would lead elsewhere (the hint: LOCATION).
firn_status catalog_location_new(const location_parts *self, arena *memory, text *out,
                                 firn_error *err);

#endif
