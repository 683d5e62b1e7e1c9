// Names of catalogs, schemas and tables that somebody may have meant: what is offered to a
// nearest_name when a name means nothing. What cannot be listed proposes nothing.
#ifndef FIRN_ENGINE_PROPOSE_H
#define FIRN_ENGINE_PROPOSE_H

#include "base/nearest.h"
#include "engine/objects.h"

/// Who is asked, for how long, and where the names live.
typedef struct proposal {
    nearest_name near;
    arena *memory;
    const cancel_flag *cancel;
} proposal;

void propose_catalogs(proposal *self, const catalog_set *among);

/// Schemas beside the last level of `space`, which does not exist; `target` may be NULL.
void propose_spaces(proposal *self, catalog *target, namespace_path space);

/// Tables and views of the schema where something is not; it may have no catalog.
void propose_tables(proposal *self, const object_place *beside);

/// The tables of information_schema.
void propose_information_schema(proposal *self);

/// Adds to `err`, which says that a catalog without a default schema has no thing of that name
/// outside of a schema: the same name in one of its first schemas, else what schemas it has. `name`
/// may be empty.
void propose_schemas_of(catalog *target, text name, arena *memory, const cancel_flag *cancel,
                        firn_error *err);

#endif
