// What CREATE TABLE and CREATE VIEW have in common: where something is made.
#ifndef FIRN_ENGINE_CREATION_H
#define FIRN_ENGINE_CREATION_H

#include "engine/objects.h"

typedef struct creation {
    const char *what; ///< "CREATE TABLE"
    const sql_names *path;
    uint32_t position;
    bool if_not_exists;
} creation;

/// Refuses a place where nothing can be made. `is_known`: the catalog has such objects.
firn_status creation_check(const creation *self, const object_place *place, bool is_known,
                           firn_error *err);
/// With IF NOT EXISTS what is there is left alone: *out says so. The place gets the catalog's
/// spelling, so that no name is made that differs from one that is there in case only.
firn_status creation_is_done(run *self, const creation *made, object_place *place, bool *out,
                             firn_error *err);
/// Faults of a catalog know no place in the statement: they are about the name.
firn_status creation_at_name(run *self, firn_status status, const creation *made, firn_error *err);
/// The columns of a query as those of something of its own: copied, as their types belong to the
/// tables that it reads. As in PostgreSQL, SELECT NULL AS n is a text.
firn_status creation_settle(const schema *of, arena *memory, schema *out, firn_error *err);

#endif
