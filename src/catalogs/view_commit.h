// Changes of views that are made again when others were first.
#ifndef FIRN_CATALOGS_VIEW_COMMIT_H
#define FIRN_CATALOGS_VIEW_COMMIT_H

#include "memory/arena.h"
#include "tables/catalog.h"
#include "tables/commit_pace.h"

/// One attempt: looks at the view as it is now, and puts the change on top of that. `retry` are the
/// usual options; it takes what the view's properties say, if there is a view.
/// Errors: FIRN_CONFLICT 40001 if the view changed meanwhile, 42P07 if one was made; any other is
///         the last.
typedef firn_status view_attempt(void *user, object_name name, const view_change *change,
                                 arena *memory, commit_options *retry, firn_error *err);

/// Attempts after pauses (tables/commit_pace.h) until one succeeds. Each has an arena of its own,
/// of `memory_max` bytes. A request without an answer (FIRN_COMMIT_UNKNOWN) is not made again.
///
/// Errors: as catalog_kind.change_view. It is a conflict too if others have dropped a view that
///         must be there since the first attempt.
firn_status view_commit(view_attempt *attempt, void *user, object_name name,
                        const view_change *change, size_t memory_max, const cancel_flag *cancel,
                        firn_error *err);

#endif
