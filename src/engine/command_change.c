// DELETE, UPDATE, MERGE, TRUNCATE: plan, count and commit are those of INSERT.
#include <string.h>

#include "engine/transactions.h"

// Where its changed rows end: in a change of a transaction, if its catalog has those.
static firn_status open_target(run *self, const sql_names *path, uint32_t position,
                               const char *doing, table_snapshot **table, firn_error *err) {
    static const struct {
        const char *doing;
        const char *what;
    } words[] = {
        {"inserted", "INSERT"}, {"deleted", "DELETE"}, {"updated", "UPDATE"}, {"merged", "MERGE"}};
    const char *what = "a change";
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        what = strcmp(doing, words[i].doing) == 0 ? words[i].what : what;
    }
    object_place place;
    catalog_object found = {0};
    TRY(session_find(self, path, &place, &found, err));
    table_snapshot_release(found.snapshot);
    return run_open_target(self, &place, what, position, table, err);
}

firn_status command_find_target(run *self, const sql_names *path, uint32_t position,
                                const char *doing, change_target *out, firn_error *err) {
    const bind_env env = session_bind_env(self);
    const table_version now = {.kind = VERSION_CURRENT};
    bound_object found = {0};
    TRY(run_begin_transaction(self, err));
    TRY(env.find(self, path, &now, NULL, &self->memory, &found, err));
    if (found.snapshot == NULL || found.snapshot->kind->sink == NULL) {
        const firn_status status =
            FAIL_SQL(err, FIRN_INVALID, "42809", position, "rows cannot be %s here: it is a %s",
                     doing, found.snapshot == NULL ? "view" : "table that can only be read");
        table_snapshot_release(found.snapshot);
        return status;
    }
    text *written = ARENA_NEW(&self->memory, text, path->count);
    const firn_status status = written == NULL
                                   ? ARENA_FULL(&self->memory, err)
                                   : open_target(self, path, position, doing, &found.snapshot, err);
    if (status != FIRN_OK) {
        table_snapshot_release(found.snapshot);
        return status;
    }
    for (size_t i = 0; i < path->count; i++) {
        written[i] = path->items[i].value;
    }
    *out = (change_target){.table = found.snapshot,
                           .place = {.count = (uint32_t)path->count, .items = written}};
    if (found.place.count > path->count) {
        out->place = found.place;
    }
    return FIRN_OK;
}

// What it changes, and the word for it.
static const sql_table *target_of(const sql_statement *statement, const char **doing) {
    switch ((int)sql_statement_kind_of(statement)) {
    case SQL_DELETE:
        *doing = "deleted";
        return sql_delete_of(statement)->table;
    case SQL_UPDATE:
        *doing = "updated";
        return sql_update_of(statement)->table;
    default:
        *doing = "merged";
        return sql_merge_of(statement)->table;
    }
}

firn_status command_bind_change(run *self, const sql_statement *statement,
                                const bind_parameters *known, firn_error *err) {
    if (self->is_bound) {
        return FIRN_OK;
    }
    const char *doing;
    const sql_table *written = target_of(statement, &doing);
    const bind_env env = session_bind_env(self);
    change_target target;
    TRY(command_find_target(self, &written->path, written->node.position, doing, &target, err));
    const firn_status status =
        bind_change(statement, &target, &env, known, &self->memory, &self->bound, err);
    table_snapshot_release(target.table);
    return status;
}

firn_status command_change(run *self, const sql_statement *statement, const bind_parameters *known,
                           const literal *values, firn_error *err) {
    TRY(command_bind_change(self, statement, known, err));
    return command_run_insert(self, values, known == NULL ? 0 : known->count, err);
}

firn_status command_truncate(run *self, const sql_truncate *written, firn_error *err) {
    const bind_env env = session_bind_env(self);
    const sql_names none = {0};
    change_target target;
    TRY(command_find_target(self, &written->table, written->table.items[0].position, "deleted",
                            &target, err));
    const insert_target into = {
        .table = target.table, .columns = &none, .is_overwrite = true, .is_empty = true};
    const firn_status status =
        bind_insert(NULL, &into, &env, NULL, &self->memory, &self->bound, err);
    table_snapshot_release(target.table);
    TRY(status);
    TRY(run_start(self, NULL, 0, false, err)); // No count is handed out: nobody counted.
    TRY(run_drain(self, err));
    return run_commit(self, err);
}
