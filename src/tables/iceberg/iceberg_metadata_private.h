// A change of metadata under way: what its parts share (iceberg_metadata_write.c and
// iceberg_metadata_change_*.c).
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_METADATA_PRIVATE_H
#define FIRN_TABLES_ICEBERG_ICEBERG_METADATA_PRIVATE_H

#include "tables/iceberg/iceberg_metadata_write.h"

#define ICE_NONE_ADDED (-1)

/// What an update with the id -1 means.
typedef struct last_added {
    int32_t id;    ///< ICE_NONE_ADDED: nothing was.
    bool is_known; ///< It had been there before.
} last_added;

typedef struct metadata_change {
    json_editor edit;
    const json_node *old; ///< NULL: the table is new.
    const json_node *root;
    int32_t version;
    int64_t time_ms;
    last_added last_schema;
    last_added last_spec;
    last_added last_order;
    const json_node *said; ///< The update that is applied, as catalogs take it; NULL: not at all.
} metadata_change;

/// The number of a member of the root; what it is if it is missing or null.
static inline firn_status change_number(const metadata_change *self, const char *key,
                                        int64_t missing, int64_t *out, firn_error *err) {
    *out = missing;
    return json_want_i64(self->root, key, out, err);
}

/// The element of a list of the root whose member `key` is `id`, or NULL.
const json_node *change_find(const metadata_change *self, const char *list, const char *key,
                             int64_t id);

/// Adds an element to a list of the root, which need not be there.
firn_status change_append(metadata_change *self, const char *list, const json_node *added,
                          firn_error *err);
/// Of an optional member, an object: all its values are texts.
firn_status change_check_texts(const json_node *object, const char *key, firn_error *err);
void change_put(metadata_change *self, const char *key, const json_node *value);
void change_put_number(metadata_change *self, const char *key, int64_t value);

/// Applies one update. FIRN_UNSUPPORTED if no part knows its action.
typedef firn_status (*change_apply)(metadata_change *self, const json_node *update,
                                    firn_error *err);
typedef struct change_action {
    const char *name;
    change_apply apply;
} change_action;

firn_status change_add_schema(metadata_change *self, const json_node *update, firn_error *err);
firn_status change_set_current_schema(metadata_change *self, const json_node *update,
                                      firn_error *err);
firn_status change_add_spec(metadata_change *self, const json_node *update, firn_error *err);
firn_status change_set_default_spec(metadata_change *self, const json_node *update,
                                    firn_error *err);
firn_status change_add_order(metadata_change *self, const json_node *update, firn_error *err);
firn_status change_set_default_order(metadata_change *self, const json_node *update,
                                     firn_error *err);
firn_status change_add_snapshot(metadata_change *self, const json_node *update, firn_error *err);
firn_status change_remove_snapshots(metadata_change *self, const json_node *update,
                                    firn_error *err);
firn_status change_set_ref(metadata_change *self, const json_node *update, firn_error *err);
firn_status change_remove_ref(metadata_change *self, const json_node *update, firn_error *err);
firn_status change_set_statistics(metadata_change *self, const json_node *update, firn_error *err);
firn_status change_remove_statistics(metadata_change *self, const json_node *update,
                                     firn_error *err);
firn_status change_set_partition_statistics(metadata_change *self, const json_node *update,
                                            firn_error *err);
firn_status change_remove_partition_statistics(metadata_change *self, const json_node *update,
                                               firn_error *err);
firn_status change_remove_specs(metadata_change *self, const json_node *update, firn_error *err);
firn_status change_remove_schemas(metadata_change *self, const json_node *update, firn_error *err);
firn_status change_add_key(metadata_change *self, const json_node *update, firn_error *err);
firn_status change_remove_key(metadata_change *self, const json_node *update, firn_error *err);

/// Makes of the single forms of old version 1 writers the lists that every version may have, and
/// `main` of a current snapshot.
firn_status change_normalize(metadata_change *self, firn_error *err);

/// After all updates: a line of the snapshot-log if another snapshot is current.
firn_status change_log_snapshot(metadata_change *self, firn_error *err);

#endif
