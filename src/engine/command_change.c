// DELETE, UPDATE, MERGE, TRUNCATE: plan, count and commit are those of INSERT.
#include "engine/transactions.h"

// What columns of the target may be named by.
static firn_status names_of(run *self, const sql_names *path, const object_place *found,
                            text_list *out, firn_error *err) {
    if (path->count == 1) {
        return session_name_place(self->session, found, &self->memory, out, err);
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

static firn_status refuse(const char *statement, uint32_t position, bool is_view, firn_error *err) {
    return FAIL_SQL(err, FIRN_INVALID, "42809", position, "%s changes rows of tables: this is a %s",
                    statement, is_view ? "view" : "table that can only be read");
}

static firn_status open_target(run *self, uint32_t position, const char *statement,
                               const object_place *place, text ref, catalog_object *found,
                               firn_error *err) {
    return found->snapshot == NULL || found->snapshot->kind->sink == NULL
               ? refuse(statement, position, found->snapshot == NULL, err)
               : run_open_target(self, place, ref, statement, position, &found->snapshot, err);
}

firn_status command_find_target(run *self, const sql_names *path, uint32_t position,
                                const char *statement, change_target *out, firn_error *err) {
    object_place place;
    catalog_object found;
    text ref;
    if (session_is_information_schema(path)) {
        return refuse(statement, position, false, err);
    }
    TRY(run_begin_transaction(self, err));
    TRY(session_find_rows(self, path, &place, &ref, &found, err));
    text_list names = {0};
    firn_status status = names_of(self, path, &place, &names, err);
    if (status == FIRN_OK) {
        status = open_target(self, position, statement, &place, ref, &found, err);
    }
    if (status != FIRN_OK) {
        table_snapshot_release(found.snapshot);
        return status;
    }
    *out = (change_target){.table = found.snapshot, .place = names};
    return FIRN_OK;
}

// What it changes, and what it is called.
static const sql_table *target_of(const sql_statement *statement, const char **name) {
    switch ((int)sql_statement_kind_of(statement)) {
    case SQL_DELETE:
        *name = "DELETE";
        return sql_delete_of(statement)->table;
    case SQL_UPDATE:
        *name = "UPDATE";
        return sql_update_of(statement)->table;
    default:
        *name = "MERGE";
        return sql_merge_of(statement)->table;
    }
}

firn_status command_bind_change(run *self, const sql_statement *statement,
                                const bind_parameters *known, firn_error *err) {
    if (self->is_bound) {
        return FIRN_OK;
    }
    const char *name;
    const sql_table *written = target_of(statement, &name);
    const bind_env env = session_bind_env(self);
    change_target target;
    TRY(command_find_target(self, &written->path, written->node.position, name, &target, err));
    const firn_status status =
        bind_change(statement, &target, &env, known, &self->memory, &self->bound, err);
    table_snapshot_release(target.table);
    return status;
}

firn_status command_change(run *self, const sql_statement *statement, const bind_parameters *known,
                           const literal *values, firn_error *err) {
    TRY(command_bind_change(self, statement, known, err));
    return run_change(self, values, known == NULL ? 0 : known->count, true, err);
}

firn_status command_truncate(run *self, const sql_truncate *written, firn_error *err) {
    const bind_env env = session_bind_env(self);
    const sql_names none = {0};
    change_target target;
    TRY(command_find_target(self, &written->table, written->table.items[0].position, "TRUNCATE",
                            &target, err));
    const insert_target into = {
        .table = target.table, .columns = &none, .is_overwrite = true, .is_empty = true};
    const firn_status status =
        bind_insert(NULL, &into, &env, NULL, &self->memory, &self->bound, err);
    table_snapshot_release(target.table);
    TRY(status);
    return run_change(self, NULL, 0, false, err); // No count is handed out: nobody counted.
}
