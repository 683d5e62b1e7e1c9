// Metadata files of views, for catalogs that point to one.
#ifndef FIRN_CATALOGS_VIEW_FILE_H
#define FIRN_CATALOGS_VIEW_FILE_H

#include "catalogs/catalog_loaded.h"
#include "io/io.h"
#include "tables/commit_pace.h"

/// The metadata file of a view, in `memory`, if the catalog has not sent it.
firn_status view_file_read(io *files, const loaded_table *loaded, arena *memory, bytes *out,
                           const cancel_flag *cancel, firn_error *err);

/// Writes the first metadata file of a view below its location. `out`: its path, in `memory`.
/// Errors: as ice_view_first, and those of writing.
firn_status view_file_write(io *files, const new_view *view, text location, arena *memory,
                            text *out, firn_error *err);

typedef struct written_view {
    text path;            ///< Empty: there is nothing to be done.
    commit_options retry; ///< As ice_view_change has it.
} written_view;

/// Writes the next one of a view that is there. Errors: as ice_view_next, and those of writing.
firn_status view_file_next(io *files, const view_change *change, const loaded_table *old,
                           arena *memory, written_view *out, firn_error *err);

/// Removes what was written and is not named. `is_first`: with the folders of the view, if they are
/// empty. What cannot be removed is an orphan that nobody names.
void view_file_remove(io *files, text path, bool is_first);

#endif
