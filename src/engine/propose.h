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

#endif
