// Names of schemas, tables and views as a catalog spells them.
//
// SQL's unquoted names match whatever their case; catalogs are asked for names as they are. So what
// is not there as it is written is looked for once more, in the lists of the catalog: a name that
// is there exactly means that one, else the one that is the same but for case; several of those are
// an error (42P09) that lists them. What is written in quotes is exact. Nothing is listed while the
// exact name is found, nor in catalogs that do this themselves (catalog_kind.finds_any_case).
//
// What cannot be listed is as if it had nothing, except for lack of memory and when cancelled.
#ifndef FIRN_ENGINE_SPELLING_H
#define FIRN_ENGINE_SPELLING_H

#include "engine/objects.h"

/// has_namespace of the catalog; `space` becomes what the catalog calls it. Where it has none, the
/// first levels that it has are spelled so nevertheless.
firn_status spell_space(catalog *target, namespace_path *space, arena *memory,
                        const cancel_flag *cancel, bool *exists, firn_error *err);

/// list of the catalog; `space` becomes what the catalog calls it.
firn_status spell_list(catalog *target, namespace_path *space, arena *memory,
                       catalog_entry_list *out, const cancel_flag *cancel, firn_error *err);

/// Spells a place where no table or view is as it is written: `is_spelled` says whether it is
/// another one now, which may have it; `listed` what the schema holds. Done once for a place.
firn_status spell_place(object_place *self, arena *memory, const cancel_flag *cancel,
                        firn_error *err);

#endif
