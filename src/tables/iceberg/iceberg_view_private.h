// What the files that write views share.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_VIEW_PRIVATE_H
#define FIRN_TABLES_ICEBERG_ICEBERG_VIEW_PRIVATE_H

#include "memory/json_edit.h"
#include "tables/iceberg/iceberg_view_write.h"

#define VIEW_HISTORY "version.history.num-entries" // Versions that are kept.
#define VIEW_HISTORY_DEFAULT 10

/// A view under way: the tree of its metadata.
typedef struct view_play {
    json_editor edit;
    const json_node *root;
} view_play;

/// Reads metadata that is to be changed, and what every change of it says: *out without `updates`
/// and `metadata`.
firn_status view_play_read(view_play *self, bytes old, ice_view_change *out, firn_error *err);
/// A member of the metadata. That the memory is full is told by view_print.
void view_play_put(view_play *self, const char *key, const json_node *value);
firn_status view_play_print(const view_play *self, text *out, firn_error *err);

/// The element of a list of the metadata whose member `id` is this number. Errors: FIRN_CORRUPT.
firn_status view_find_numbered(const json_node *root, const char *key, const char *id,
                               int64_t number, const json_node **out, firn_error *err);

/// The list of updates is begun with json_begin_array, each with this.
void view_begin_update(json_writer *out, const char *action);

/// Facts about a view that Spark shows, or keeps, as properties, and does not let be changed.
bool view_is_reserved(text key);
/// Whether a view may be given these properties. `positions`: of each in the statement; NULL.
/// Errors: FIRN_INVALID 22023, at the property.
firn_status view_check_properties(const firn_option *properties, size_t count,
                                  const uint32_t *positions, firn_error *err);

#endif
