// The half of the SQLite client that writes: each function is one transaction of the file, begun
// with BEGIN IMMEDIATE, so that what it reads stays true until it has written.
#include "base/host.h"
#include "catalogs/sqlite_client_private.h"
#include "memory/text_builder.h"

// Which rows are tables, and which views; in schema V0 all are tables.
#define IS_TABLE " AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL)"
#define IS_VIEW " AND iceberg_type = 'VIEW'"
#define NAMED " WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3"

#define SPACES_TABLE                                                                               \
    "CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (catalog_name VARCHAR(255) NOT "      \
    "NULL, namespace VARCHAR(255) NOT NULL, property_key VARCHAR(255), property_value "            \
    "VARCHAR(1000), PRIMARY KEY (catalog_name, namespace, property_key))"
#define TABLES_TABLE                                                                               \
    "CREATE TABLE IF NOT EXISTS iceberg_tables (catalog_name VARCHAR(255) NOT NULL, "              \
    "table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL, metadata_location "  \
    "VARCHAR(1000), previous_metadata_location VARCHAR(1000), iceberg_type VARCHAR(5), PRIMARY "   \
    "KEY (catalog_name, table_namespace, table_name))"

// ---- Transactions of the file ------------------------------------------------------------------

// Runs a statement that answers nothing; *changed is how many rows it changed.
static firn_status run(sqlite_client *self, const char *sql, const text *values, uint32_t count,
                       int *changed, firn_error *err) {
    sqlite3_stmt *statement;
    bool has_row;
    TRY(sqlite_client_prepare(self, sql, values, count, &statement, err));
    const firn_status status = sqlite_client_step(self, statement, &has_row, err);
    (void)sqlite3_finalize(statement);
    *changed = sqlite3_changes(self->database);
    return status;
}

static firn_status begin(sqlite_client *self, firn_error *err) {
    int ignored;
    return run(self, "BEGIN IMMEDIATE", NULL, 0, &ignored, err);
}

// Ends the transaction: COMMIT if all went well so far. *is_unsure: SQLite failed in the middle of
// that, and the journal says to whoever opens the file next which state is the true one.
static firn_status try_end(sqlite_client *self, firn_status status, bool *is_unsure,
                           firn_error *err) {
    *is_unsure = false;
    if (status != FIRN_OK) {
        (void)sqlite_client_roll_back(self); // Or the next statement does it first.
        return status;
    }
    const int code = sqlite3_exec(self->database, "COMMIT", NULL, NULL, NULL);
    if (code == SQLITE_OK) {
        return FIRN_OK;
    }
    status = sqlite_client_fail(self, code, err);
    // Readers hold it: nothing was written. Any other failure came while the file was written. What
    // is open then must not stay so: reading would show it as if it were in the file.
    const bool is_ended = sqlite_client_roll_back(self);
    *is_unsure = (code & 0xff) != SQLITE_BUSY || !is_ended;
    return status;
}

static firn_status end(sqlite_client *self, firn_status status, firn_error *err) {
    bool is_unsure;
    status = try_end(self, status, &is_unsure, err);
    if (!is_unsure) {
        return status;
    }
    const firn_error cause = *err;
    return FAIL(err, FIRN_COMMIT_UNKNOWN, "%s, and whether the change is in it is not known",
                cause.text);
}

// Begins a call that writes. It is not stopped on the way: what has begun is ended.
static arena begin_call(sqlite_client *self) {
    self->cancel = NULL;
    return arena_open(CALL_MEMORY_LIMIT);
}

firn_status sqlite_client_make_tables(sqlite_client *self, firn_error *err) {
    int ignored;
    TRY(begin(self, err));
    firn_status status = run(self, TABLES_TABLE, NULL, 0, &ignored, err);
    if (status == FIRN_OK) {
        status = run(self, SPACES_TABLE, NULL, 0, &ignored, err);
    }
    return end(self, status, err);
}

// Whether a statement has a row.
static firn_status has_row(sqlite_client *self, const char *sql, const text *values, uint32_t count,
                           bool *out, firn_error *err) {
    sqlite3_stmt *statement;
    TRY(sqlite_client_prepare(self, sql, values, count, &statement, err));
    const firn_status status = sqlite_client_step(self, statement, out, err);
    (void)sqlite3_finalize(statement);
    return status;
}

// ---- Namespaces --------------------------------------------------------------------------------

static firn_status set_property(sqlite_client *self, text space, text key, text value,
                                firn_error *err) {
    const text values[4] = {self->name, space, key, value};
    int ignored;
    TRY(run(self,
            "DELETE FROM iceberg_namespace_properties WHERE catalog_name = ?1 AND namespace = ?2 "
            "AND property_key = ?3",
            values, 3, &ignored, err));
    return run(self,
               "INSERT INTO iceberg_namespace_properties (catalog_name, namespace, property_key, "
               "property_value) VALUES (?1, ?2, ?3, ?4)",
               values, 4, &ignored, err);
}

static firn_status check_property(text key, firn_error *err) {
    return text_equal(key, TEXT("exists"))
               ? FAIL(err, FIRN_INVALID,
                      "the property \"exists\" of a namespace is the SQLite catalog's own")
               : FIRN_OK;
}

static firn_status change_properties(sqlite_client *self, text space, const property_change *change,
                                     firn_error *err) {
    for (size_t i = 0; i < change->removed_count; i++) {
        const text values[3] = {self->name, space, text_of(change->removed[i])};
        int ignored;
        TRY(check_property(values[2], err));
        TRY(run(self,
                "DELETE FROM iceberg_namespace_properties WHERE catalog_name = ?1 AND namespace = "
                "?2 AND property_key = ?3",
                values, 3, &ignored, err));
    }
    for (size_t i = 0; i < change->set_count; i++) {
        const text key = text_of(change->set[i].key);
        TRY(check_property(key, err));
        TRY(set_property(self, space, key, text_of(change->set[i].value), err));
    }
    return set_property(self, space, TEXT("exists"), TEXT("true"), err); // It stays, also empty.
}

static firn_status change_space(sqlite_client *self, namespace_path space, text joined,
                                const namespace_change *change, firn_error *err) {
    if (!self->has_spaces) { // A file of schema V0 may lack it.
        int ignored;
        TRY(run(self, SPACES_TABLE, NULL, 0, &ignored, err));
    }
    bool exists;
    const bool had_spaces = self->has_spaces;
    self->has_spaces = true;
    firn_status status = sqlite_client_has_namespace(self, space, &exists, NULL, err);
    self->has_spaces = had_spaces;
    TRY(status);
    if (exists && change->is_new) {
        return FAIL_SQL(err, FIRN_CONFLICT, "42P06", NO_POSITION,
                        "a schema \"%.*s\" exists already in catalog \"%.*s\"", TEXT_ARGS(joined),
                        TEXT_ARGS(self->alias));
    }
    if (!exists && !change->is_new) {
        return FAIL_SQL(err, FIRN_NOT_FOUND, "3F000", NO_POSITION,
                        "there is no schema \"%.*s\" in catalog \"%.*s\"", TEXT_ARGS(joined),
                        TEXT_ARGS(self->alias));
    }
    return change_properties(self, joined, &change->properties, err);
}

static firn_status check_named(text joined, firn_error *err) {
    return joined.size > 0
               ? FIRN_OK
               : FAIL(err, FIRN_INVALID, "a namespace without a level, at least one is needed");
}

firn_status sqlite_client_change_namespace(sqlite_client *self, namespace_path space,
                                           const namespace_change *change, firn_error *err) {
    arena memory = begin_call(self);
    text joined;
    firn_status status = sqlite_client_join(space, &memory, &joined, err);
    status = status == FIRN_OK ? check_named(joined, err) : status;
    status = status == FIRN_OK ? begin(self, err) : status;
    if (status == FIRN_OK) {
        status = end(self, change_space(self, space, joined, change, err), err);
        self->has_spaces = self->has_spaces || status == FIRN_OK;
    }
    arena_close(&memory);
    return status;
}

// What is in it or below it but its own properties; bounds as of open_spaces.
static firn_status is_used(sqlite_client *self, text joined, arena *memory, bool *out,
                           firn_error *err) {
    text values[4] = {self->name, joined};
    TRY(text_format(memory, &values[2], err, "%.*s.", TEXT_ARGS(joined)));
    TRY(text_format(memory, &values[3], err, "%.*s/", TEXT_ARGS(joined)));
    TRY(has_row(self,
                "SELECT 1 FROM iceberg_tables WHERE catalog_name = ?1 AND (table_namespace = ?2 OR "
                "(table_namespace >= ?3 AND table_namespace < ?4))",
                values, 4, out, err));
    if (*out || !self->has_spaces) {
        return FIRN_OK;
    }
    const text below[3] = {values[0], values[2], values[3]};
    return has_row(self,
                   "SELECT 1 FROM iceberg_namespace_properties WHERE catalog_name = ?1 AND "
                   "namespace >= ?2 AND namespace < ?3",
                   below, 3, out, err);
}

static firn_status drop_space(sqlite_client *self, text joined, arena *memory, firn_error *err) {
    bool has_things;
    TRY(is_used(self, joined, memory, &has_things, err));
    if (has_things) {
        const firn_status status = FAIL_SQL(err, FIRN_INVALID, "2BP01", NO_POSITION,
                                            "the schema \"%.*s\" is not empty", TEXT_ARGS(joined));
        err_hint(err, "drop what is in it first");
        return status;
    }
    int changed = 0;
    const text values[2] = {self->name, joined};
    if (self->has_spaces) {
        TRY(run(self,
                "DELETE FROM iceberg_namespace_properties WHERE catalog_name = ?1 AND namespace = "
                "?2",
                values, 2, &changed, err));
    }
    return changed > 0 ? FIRN_OK
                       : FAIL_SQL(err, FIRN_NOT_FOUND, "3F000", NO_POSITION,
                                  "there is no schema \"%.*s\" in catalog \"%.*s\"",
                                  TEXT_ARGS(joined), TEXT_ARGS(self->alias));
}

firn_status sqlite_client_drop_namespace(sqlite_client *self, namespace_path space,
                                         firn_error *err) {
    arena memory = begin_call(self);
    text joined;
    firn_status status = sqlite_client_join(space, &memory, &joined, err);
    status = status == FIRN_OK ? check_named(joined, err) : status;
    status = status == FIRN_OK ? begin(self, err) : status;
    if (status == FIRN_OK) {
        status = end(self, drop_space(self, joined, &memory, err), err);
    }
    arena_close(&memory);
    return status;
}

// ---- Tables and views --------------------------------------------------------------------------

static const char *pick(const sqlite_client *self, const char *v0, const char *v1) {
    return self->has_kinds ? v1 : v0;
}

static firn_status say_no_object(const sqlite_client *self, bool is_view, text space, text name,
                                 firn_error *err) {
    return FAIL_SQL(err, FIRN_NOT_FOUND, "42P01", NO_POSITION,
                    "there is no %s \"%.*s.%.*s\" in catalog \"%.*s\"", is_view ? "view" : "table",
                    TEXT_ARGS(space), TEXT_ARGS(name), TEXT_ARGS(self->alias));
}

static firn_status drop_row(sqlite_client *self, const text values[3], bool is_view,
                            firn_error *err) {
    int changed = 0;
    if (is_view && !self->has_kinds) {
        return say_no_object(self, is_view, values[1], values[2], err);
    }
    const char *sql = is_view ? "DELETE FROM iceberg_tables" NAMED IS_VIEW
                              : pick(self, "DELETE FROM iceberg_tables" NAMED,
                                     "DELETE FROM iceberg_tables" NAMED IS_TABLE);
    TRY(run(self, sql, values, 3, &changed, err));
    return changed > 0 ? FIRN_OK : say_no_object(self, is_view, values[1], values[2], err);
}

firn_status sqlite_client_drop(sqlite_client *self, object_name name, bool is_view,
                               firn_error *err) {
    arena memory = begin_call(self);
    text values[3] = {self->name, {.size = 0}, name.name};
    firn_status status = sqlite_client_join(name.space, &memory, &values[1], err);
    status = status == FIRN_OK ? begin(self, err) : status;
    if (status == FIRN_OK) {
        status = end(self, drop_row(self, values, is_view, err), err);
    }
    arena_close(&memory);
    return status;
}

// values: catalog, namespace, name.
static firn_status say_taken(const sqlite_client *self, const text values[3], firn_error *err) {
    return FAIL_SQL(err, FIRN_CONFLICT, "42P07", NO_POSITION,
                    "\"%.*s.%.*s\" exists already in catalog \"%.*s\"", TEXT_ARGS(values[1]),
                    TEXT_ARGS(values[2]), TEXT_ARGS(self->alias));
}

// values: catalog, namespace, name, old location, new location.
static firn_status put_view_row(sqlite_client *self, const text values[5], namespace_path space,
                                firn_error *err) {
    bool is_taken;
    int changed = 0;
    if (values[3].size > 0) {
        TRY(run(self,
                "UPDATE iceberg_tables SET metadata_location = ?5, previous_metadata_location = "
                "?4" NAMED " AND metadata_location = ?4" IS_VIEW,
                values, 5, &changed, err));
        return changed == 1 ? FIRN_OK
                            : FAIL(err, FIRN_CONFLICT,
                                   "the view \"%.*s.%.*s\" was changed or dropped meanwhile",
                                   TEXT_ARGS(values[1]), TEXT_ARGS(values[2]));
    }
    TRY(sqlite_client_must_exist(self, space, values[1], NULL, err));
    TRY(has_row(self, "SELECT 1 FROM iceberg_tables" NAMED, values, 3, &is_taken, err));
    if (is_taken) {
        return say_taken(self, values, err);
    }
    const text row[4] = {values[0], values[1], values[2], values[4]};
    return run(self,
               "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, "
               "metadata_location, iceberg_type) VALUES (?1, ?2, ?3, ?4, 'VIEW')",
               row, 4, &changed, err);
}

firn_status sqlite_client_put_view(sqlite_client *self, object_name name, text old, text location,
                                   firn_error *err) {
    if (!self->has_kinds) {
        return FAIL(err, FIRN_UNSUPPORTED,
                    "the file of catalog \"%.*s\" has no views: its schema is V0, without the "
                    "column iceberg_type",
                    TEXT_ARGS(self->alias));
    }
    arena memory = begin_call(self);
    text values[5] = {self->name, {.size = 0}, name.name, old, location};
    firn_status status = sqlite_client_join(name.space, &memory, &values[1], err);
    status = status == FIRN_OK ? begin(self, err) : status;
    if (status == FIRN_OK) {
        status = end(self, put_view_row(self, values, name.space, err), err);
    }
    arena_close(&memory);
    return status;
}

// values: catalog, namespace, name, new namespace, new name.
static firn_status rename_row(sqlite_client *self, const text values[5], namespace_path to_space,
                              bool is_view, firn_error *err) {
    const text target[3] = {values[0], values[3], values[4]};
    bool is_taken;
    int changed = 0;
    if (is_view && !self->has_kinds) {
        return say_no_object(self, is_view, values[1], values[2], err);
    }
    TRY(sqlite_client_must_exist(self, to_space, values[3], NULL, err));
    TRY(has_row(self, "SELECT 1 FROM iceberg_tables" NAMED, target, 3, &is_taken, err));
    if (is_taken) {
        return say_taken(self, target, err);
    }
#define RENAME "UPDATE iceberg_tables SET table_namespace = ?4, table_name = ?5" NAMED
    const char *sql = is_view ? RENAME IS_VIEW : pick(self, RENAME, RENAME IS_TABLE);
#undef RENAME
    TRY(run(self, sql, values, 5, &changed, err));
    return changed > 0 ? FIRN_OK : say_no_object(self, is_view, values[1], values[2], err);
}

firn_status sqlite_client_rename(sqlite_client *self, object_name from, object_name to,
                                 bool is_view, firn_error *err) {
    arena memory = begin_call(self);
    text values[5] = {self->name, {.size = 0}, from.name, {.size = 0}, to.name};
    firn_status status = sqlite_client_join(from.space, &memory, &values[1], err);
    if (status == FIRN_OK) {
        status = sqlite_client_join(to.space, &memory, &values[3], err);
    }
    status = status == FIRN_OK ? begin(self, err) : status;
    if (status == FIRN_OK) {
        status = end(self, rename_row(self, values, to.space, is_view, err), err);
    }
    arena_close(&memory);
    return status;
}

// ---- Commits -----------------------------------------------------------------------------------

static firn_status create_row(sqlite_client *self, const commit_part *part, const text names[3],
                              bool *fits, firn_error *err) {
    const text values[4] = {names[0], names[1], names[2], part->pointer.new_location};
    bool is_taken;
    int ignored;
    TRY(sqlite_client_must_exist(self, part->name.space, names[1], NULL, err));
    TRY(has_row(self, "SELECT 1 FROM iceberg_tables" NAMED, names, 3, &is_taken, err));
    *fits = !is_taken;
    if (is_taken) {
        return FIRN_OK;
    }
#define INSERT "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, "
    return run(self,
               pick(self, INSERT "metadata_location) VALUES (?1, ?2, ?3, ?4)",
                    INSERT "metadata_location, iceberg_type) VALUES (?1, ?2, ?3, ?4, 'TABLE')"),
               values, 4, &ignored, err);
#undef INSERT
}

static firn_status apply_part(sqlite_client *self, const commit_part *part, arena *memory,
                              bool *fits, firn_error *err) {
    text values[5] = {self->name,
                      {.size = 0},
                      part->name.name,
                      part->pointer.old_location,
                      part->pointer.new_location};
    int changed = 0;
    TRY(sqlite_client_join(part->name.space, memory, &values[1], err));
    if (part->kind == PART_CREATE) {
        return create_row(self, part, values, fits, err);
    }
    if (part->kind == PART_DROP) {
#define DELETE "DELETE FROM iceberg_tables" NAMED " AND metadata_location = ?4"
        TRY(run(self, pick(self, DELETE, DELETE IS_TABLE), values, 4, &changed, err));
#undef DELETE
    } else {
#define UPDATE                                                                                     \
    "UPDATE iceberg_tables SET metadata_location = ?5, previous_metadata_location = ?4" NAMED      \
    " AND metadata_location = ?4"
        TRY(run(self, pick(self, UPDATE, UPDATE IS_TABLE), values, 5, &changed, err));
#undef UPDATE
    }
    *fits = changed == 1;
    return FIRN_OK;
}

static firn_status apply_all(sqlite_client *self, const commit_parts *parts, arena *memory,
                             bool *fit, firn_error *err) {
    *fit = true;
    for (uint32_t i = 0; i < parts->count && *fit; i++) {
        TRY(apply_part(self, &parts->items[i], memory, fit, err));
    }
    return FIRN_OK;
}

// After a COMMIT that failed: whether the file has the old state for certain. One part tells for
// all, since they are in one transaction of the file.
static bool is_as_before(sqlite_client *self, const commit_part *part, arena *memory) {
    firn_error ignored = ERR_INIT;
    loaded_table now;
    const firn_status status =
        sqlite_client_load(self, part->name.space, part->name.name, memory, &now, NULL, &ignored);
    return part->kind == PART_CREATE
               ? status == FIRN_NOT_FOUND
               : status == FIRN_OK && text_equal(now.metadata_location, part->pointer.old_location);
}

static firn_status commit_within(sqlite_client *self, const commit_parts *parts, arena *memory,
                                 commit_answer *out, firn_error *err) {
    bool fit = false;
    TRY(begin(self, err));
    firn_status status = apply_all(self, parts, memory, &fit, err);
    if (status != FIRN_OK || !fit) {
        (void)sqlite_client_roll_back(self);
        *out = COMMIT_CONFLICT;
        return status;
    }
    bool is_unsure;
    status = try_end(self, FIRN_OK, &is_unsure, err);
    *out = COMMIT_DONE;
    if (is_unsure && !is_as_before(self, &parts->items[0], memory)) {
        *out = COMMIT_UNKNOWN;
        return err_forgive(err, status, status);
    }
    return status;
}

firn_status sqlite_client_commit(sqlite_client *self, const commit_parts *parts,
                                 uint32_t deadline_ms, commit_answer *out, firn_error *err) {
    *out = COMMIT_DONE;
    if (parts->count == 0) {
        return FIRN_OK;
    }
    arena memory = begin_call(self);
    const uint32_t usual_ms = self->busy_timeout_ms;
    self->busy_timeout_ms = deadline_ms < usual_ms ? deadline_ms : usual_ms;
    const firn_status status = commit_within(self, parts, &memory, out, err);
    self->busy_timeout_ms = usual_ms;
    arena_close(&memory);
    return status;
}
