// Walking over what a catalog holds: SHOW and information_schema.
#ifndef FIRN_ENGINE_CATALOG_WALK_H
#define FIRN_ENGINE_CATALOG_WALK_H

#include "engine/objects.h"

typedef firn_status (*space_visit)(run *self, const attached *owner, namespace_path space,
                                   void *user, firn_error *err);

/// Every schema of a catalog, at every level.
firn_status catalog_each_space(run *self, const attached *owner, space_visit visit, void *user,
                               firn_error *err);

/// "a.b" of the levels a and b, in the run's memory.
firn_status catalog_dotted_space(run *self, namespace_path space, text *out, firn_error *err);

/// TABLE_TYPE as SQL says it.
text catalog_entry_kind(const run *self, const attached *owner, const catalog_entry *entry);

#endif
