// DELETE, UPDATE, MERGE, TRUNCATE: plan, count and commit are those of INSERT.
#include <string.h>

#include "engine/transactions.h"

// What is asked of a catalog that cannot.
static const char *statement_of(const char *doing) {
    return strcmp(doing, "inserted") == 0  ? "INSERT"
           : strcmp(doing, "updated") == 0 ? "UPDATE"
           : strcmp(doing, "merged") == 0  ? "MERGE"
                                           : "DELETE";
}

// Names by which columns of the target may be named.
static firn_status name_target(run *self, const sql_names *path, const object_place *place,
                               text_list *out, firn_error *err) {
    if (path->count == 1) {
        return session_place_names(self, place, out, err);
    }
    text *written = ARENA_NEW(&self->memory, text, path->count);
    if (written == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (size_t i = 0; i < path->count; i++) {
        written[i] = path->items[i].value;
    }
    *out = (text_list){.count = (uint32_t)path->count, .items = written};
    return FIRN_OK;
}

firn_status command_find_target(run *self, const sql_names *path, uint32_t position,
                                const char *doing, change_target *out, firn_error *err) {
    object_place place = {.catalog = NULL};
    catalog_object found = {.snapshot = NULL};
    const bool is_listed = session_is_information_schema(path);
    if (!is_listed) {
        TRY(run_begin_transaction(self, err)); // What it reads is as it was when it began.
        TRY(session_find(self, path, &place, &found, err));
    }
    firn_status status = FIRN_OK;
    if (found.snapshot == NULL || found.snapshot->kind->sink == NULL) {
        status =
            FAIL_SQL(err, FIRN_INVALID, "42809", position, "rows cannot be %s here: it is a %s",
                     doing, found.view != NULL ? "view" : "table that can only be read");
    } else {
        status = run_open_target(self, &place, statement_of(doing), position, &found.snapshot, err);
    }
    if (status == FIRN_OK) {
        status = name_target(self, path, &place, &out->place, err);
    }
    if (status != FIRN_OK) {
        table_snapshot_release(found.snapshot);
        return status;
    }
    out->table = found.snapshot;
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
