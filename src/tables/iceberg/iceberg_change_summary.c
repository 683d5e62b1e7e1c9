// The summary of a snapshot, with Java's keys.
#include "tables/iceberg/iceberg_change_rows.h"

#define ENTRIES_MAX 40

typedef struct summary {
    arena *memory;
    const json_node *parent; // Of the snapshot before; NULL: there is none.
    bool has_parent;
    uint32_t count;
    firn_option *items;
} summary;

static firn_status put(summary *self, const char *key, uint64_t value, firn_error *err) {
    text number;
    TRY(text_format(self->memory, &number, err, "%llu", (unsigned long long)value));
    self->items[self->count++] = (firn_option){.key = key, .value = number.data};
    return FIRN_OK;
}

static firn_status put_some(summary *self, const char *key, uint64_t value, firn_error *err) {
    return value > 0 ? put(self, key, value, err) : FIRN_OK;
}

// A total is left out rather than guessed where the snapshot before does not tell it.
static firn_status put_total(summary *self, const char *key, uint64_t added, uint64_t removed,
                             firn_error *err) {
    uint64_t before = 0;
    if (self->has_parent) {
        const json_node *found = self->parent == NULL ? NULL : json_find(self->parent, key);
        if (found == NULL || found->kind != JSON_STRING ||
            number_parse_u64(found->value, &before) != NUMBER_OK) {
            return FIRN_OK;
        }
    }
    if (before > UINT64_MAX - added || before + added < removed ||
        before + added - removed > INT64_MAX) {
        return FIRN_OK;
    }
    return put(self, key, before + added - removed, err);
}

static firn_status put_counts(summary *self, const ice_tally *of, firn_error *err) {
    const uint64_t deletes_added =
        of->added_files[ICE_POSITION_DELETES] + of->added_files[ICE_EQUALITY_DELETES];
    const uint64_t deletes_removed =
        of->removed_files[ICE_POSITION_DELETES] + of->removed_files[ICE_EQUALITY_DELETES];
    const struct {
        const char *key;
        uint64_t value;
    } rows[] = {
        {"added-data-files", of->added_files[ICE_DATA]},
        {"deleted-data-files", of->removed_files[ICE_DATA]},
        {"added-delete-files", deletes_added},
        {"added-position-delete-files", of->added_files[ICE_POSITION_DELETES]},
        {"added-equality-delete-files", of->added_files[ICE_EQUALITY_DELETES]},
        {"removed-delete-files", deletes_removed},
        {"removed-position-delete-files", of->removed_files[ICE_POSITION_DELETES]},
        {"removed-equality-delete-files", of->removed_files[ICE_EQUALITY_DELETES]},
        {"added-records", of->added_rows[ICE_DATA]},
        {"deleted-records", of->removed_rows[ICE_DATA]},
        {"added-files-size", of->added_bytes},
        {"removed-files-size", of->removed_bytes},
        {"added-position-deletes", of->added_rows[ICE_POSITION_DELETES]},
        {"removed-position-deletes", of->removed_rows[ICE_POSITION_DELETES]},
        {"added-equality-deletes", of->added_rows[ICE_EQUALITY_DELETES]},
        {"removed-equality-deletes", of->removed_rows[ICE_EQUALITY_DELETES]},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        TRY(put_some(self, rows[i].key, rows[i].value, err));
    }
    TRY(put_total(self, "total-records", of->added_rows[ICE_DATA], of->removed_rows[ICE_DATA],
                  err));
    TRY(put_total(self, "total-files-size", of->added_bytes, of->removed_bytes, err));
    TRY(put_total(self, "total-data-files", of->added_files[ICE_DATA], of->removed_files[ICE_DATA],
                  err));
    TRY(put_total(self, "total-delete-files", deletes_added, deletes_removed, err));
    TRY(put_total(self, "total-position-deletes", of->added_rows[ICE_POSITION_DELETES],
                  of->removed_rows[ICE_POSITION_DELETES], err));
    return put_total(self, "total-equality-deletes", of->added_rows[ICE_EQUALITY_DELETES],
                     of->removed_rows[ICE_EQUALITY_DELETES], err);
}

static firn_status put_picked(summary *self, const ice_rows_play *of, firn_error *err) {
    text wap;
    TRY(put_some(self, "source-snapshot-id", (uint64_t)of->picked_id, err));
    if (of->picked_wap.size > 0) {
        TRY(text_copy(self->memory, of->picked_wap, &wap, err));
        self->items[self->count++] = (firn_option){.key = "published-wap-id", .value = wap.data};
    }
    return FIRN_OK;
}

firn_status ice_rows_summary(ice_rows_play *self, uint32_t *count, const firn_option **out,
                             firn_error *err) {
    const json_node *parent = ice_root_snapshot(self->play->root, self->parent_id);
    summary made = {.memory = self->memory,
                    .parent = parent == NULL ? NULL : json_find(parent, "summary"),
                    .has_parent = self->parent_id != ICE_NO_SNAPSHOT,
                    .items = ARENA_NEW(self->memory, firn_option, ENTRIES_MAX)};
    if (made.items == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    made.items[made.count++] = (firn_option){.key = "engine-name", .value = "firn"};
    const statement_context *context = self->change->env->context;
    if (context != NULL && context->version.size > 0) {
        text version;
        TRY(text_copy(self->memory, context->version, &version, err));
        made.items[made.count++] = (firn_option){.key = "engine-version", .value = version.data};
    }
    if (self->partitions.count > 0) {
        made.items[made.count++] = (firn_option){.key = "replace-partitions", .value = "true"};
    }
    TRY(put_picked(&made, self, err));
    TRY(ice_text_set_sort(&self->touched, self->memory, err));
    TRY(put(&made, "changed-partition-count", self->touched.count, err));
    TRY(put_counts(&made, &self->tally, err));
    *count = made.count;
    *out = made.items;
    return FIRN_OK;
}
