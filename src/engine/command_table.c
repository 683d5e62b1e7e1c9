// CREATE TABLE, CREATE TABLE AS, CREATE VIEW, INSERT.
#include "base/nearest.h"
#include "engine/objects.h"
#include "memory/name_index.h"
#include "sql/printer.h"

static text text_of_literal(const sql_literal *written) {
    return written == NULL ? TEXT("") : written->value;
}

// ---- Where something is made -------------------------------------------------------------------

typedef struct creation {
    const char *what; // "CREATE TABLE"
    const sql_names *path;
    uint32_t position;
    bool if_not_exists;
} creation;

// `is_known`: the catalog has such objects.
static firn_status check_place(const creation *self, const object_place *place, bool is_known,
                               firn_error *err) {
    if (session_is_information_schema(self->path)) {
        return command_refuse_listed(self->path, self->what, err);
    }
    return is_known && !place->catalog->is_read_only
               ? FIRN_OK
               : command_refuse_catalog(place->catalog, self->position, self->what, err);
}

// With IF NOT EXISTS what is there is left alone.
static firn_status is_done(run *self, const creation *made, const object_place *place, bool *out,
                           firn_error *err) {
    *out = false;
    if (!made->if_not_exists) {
        return FIRN_OK;
    }
    catalog_object object = {0};
    firn_status status = place->catalog->kind->load(place->catalog, place->object, NULL,
                                                    &self->memory, &object, &self->cancel, err);
    *out = status == FIRN_OK;
    table_snapshot_release(object.snapshot);
    return err_forgive(err, status, FIRN_NOT_FOUND);
}

// Faults of a catalog know no place in the statement: they are about the name.
static firn_status at_name(run *self, firn_status status, const creation *made, firn_error *err) {
    const sql_names *path = made->path;
    if (status == FIRN_NOT_FOUND && strcmp(err->sqlstate, "3F000") == 0 && path->count > 2 &&
        catalog_set_catalog(self->catalogs, &path->items[0]) == NULL) {
        // a.b.t: the place was taken to be a schema below another.
        const sql_names space = {.count = path->count - 1, .items = path->items};
        object_place place;
        TRY(session_place(self, path, false, &place, err));
        status =
            session_say_no_space(self->catalogs, &space, &place, &self->memory, &self->cancel, err);
    }
    if (status != FIRN_OK && err->position == NO_POSITION) {
        err->position = made->path->items[0].position;
    }
    return status;
}

// ---- What is asked of a table ------------------------------------------------------------------

static creation creation_of_table(const sql_create_table *written) {
    return (creation){.what = "CREATE TABLE",
                      .path = &written->table,
                      .position = written->node.position,
                      .if_not_exists = written->if_not_exists};
}

static firn_status refuse_constraints(const sql_list *constraints, firn_error *err) {
    static const char *const words[] = {
        [SQL_CONSTRAINT_PRIMARY_KEY] = "PRIMARY KEY",
        [SQL_CONSTRAINT_UNIQUE] = "UNIQUE",
        [SQL_CONSTRAINT_CHECK] = "CHECK",
        [SQL_CONSTRAINT_FOREIGN_KEY] = "REFERENCES",
    };
    if (constraints->count == 0) {
        return FIRN_OK;
    }
    const sql_constraint *first = sql_constraint_of(constraints->items[0]);
    firn_status status =
        FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", first->node.position,
                 "%s is not supported: nothing would keep rows to it", words[first->kind]);
    err_hint(err, "NOT NULL is what a column can be held to");
    return status;
}

// Of one column, the part that is not kept and so must not be asked for.
static firn_status refuse_column(const sql_column_definition *written, firn_error *err) {
    if (written->generated != NULL || written->is_identity) {
        return FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", written->node.position,
                        "column \"%.*s\": GENERATED is not supported",
                        TEXT_ARGS(written->path.items[0].value));
    }
    return refuse_constraints(&written->constraints, err);
}

static firn_status refuse_table(const object_place *place, const sql_create_table *written,
                                firn_error *err) {
    const creation made = creation_of_table(written);
    TRY(check_place(&made, place, place->catalog->kind->create_table != NULL, err));
    if (written->partitioned_by.count > 0 || written->location != NULL || written->is_external ||
        written->format.value.size > 0) {
        return command_refuse_catalog(
            place->catalog, made.position,
            "CREATE TABLE with EXTERNAL, USING, PARTITIONED BY or LOCATION", err);
    }
    if (written->properties.count > 0) {
        const sql_option *first = sql_option_of(written->properties.items[0]);
        return FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", first->node.position,
                        "tables of the catalog \"%.*s\" have no properties, such as \"%.*s\"",
                        TEXT_ARGS(place->catalog->alias), TEXT_ARGS(first->key.value));
    }
    return refuse_constraints(&written->constraints, err);
}

// ---- Columns -----------------------------------------------------------------------------------

// Adds a name that none before it may be.
static firn_status add_name(run *self, name_index *names, text name, uint32_t position,
                            firn_error *err) {
    if (name_index_first(names, name) != NO_NAME) {
        firn_status status = FAIL_SQL(err, FIRN_INVALID, "42701", position,
                                      "two columns would be called \"%.*s\"", TEXT_ARGS(name));
        err_hint(err, "give one of them another name");
        return status;
    }
    return name_index_add(names, name, &self->memory, err);
}

// A column as written; `out` holds what the query says of it, or has no type.
static firn_status define_column(run *self, const sql_column_definition *written, field *out,
                                 column_note *note, firn_error *err) {
    const sql_name *name = &written->path.items[0];
    TRY(refuse_column(written, err));
    out->name = name->value;
    out->is_nullable = !written->is_not_null;
    note->comment = text_of_literal(written->comment);
    if (written->type != NULL) {
        TRY(bind_type(written->type, &self->memory, &out->type, err));
    }
    if (out->type == NULL) {
        return FAIL_SQL(err, FIRN_INVALID, "42601", name->position, "column \"%.*s\" has no type",
                        TEXT_ARGS(name->value));
    }
    if (written->default_value != NULL) {
        const bind_env env = session_bind_env(self);
        TRY(bind_default(written->default_value, out->type, &env, &self->memory,
                         &note->default_value, err));
    }
    return FIRN_OK;
}

// The columns of the query (NULL: there is none), or of the list behind the table's name, which
// says more of them: names, types that the rows are cast to as INSERT does, NOT NULL, and so on.
static firn_status define_table(run *self, const sql_create_table *written, const schema *query,
                                new_table *out, firn_error *err) {
    const uint32_t listed = (uint32_t)written->columns.count;
    const uint32_t count = query != NULL ? query->count : listed;
    if (listed > count) {
        return FAIL_SQL(err, FIRN_INVALID, "42601", written->columns.items[count]->position,
                        "%u column names for a query of %u columns", listed, count);
    }
    field *fields = ARENA_NEW(&self->memory, field, count + 1);
    column_note *notes = ARENA_NEW(&self->memory, column_note, count + 1);
    if (fields == NULL || notes == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    name_index names = {0};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t position = written->node.position;
        notes[i] = (column_note){0};
        fields[i] = query != NULL ? query->fields[i] : (field){.id = -1};
        fields[i].is_nullable = true;
        if (i < listed) {
            position = written->columns.items[i]->position;
            TRY(define_column(self, sql_column_definition_of(written->columns.items[i]), &fields[i],
                              &notes[i], err));
        }
        TRY(add_name(self, &names, fields[i].name, position, err));
    }
    *out = (new_table){.columns = {.count = count, .fields = fields},
                       .notes = notes,
                       .comment = text_of_literal(written->comment)};
    return FIRN_OK;
}

// ---- CREATE TABLE ------------------------------------------------------------------------------

firn_status command_run_insert(run *self, const literal *values, uint32_t value_count,
                               firn_error *err) {
    self->changed_rows = 0; // Counted when it is drained.
    TRY(run_start(self, values, value_count, false, err));
    TRY(run_drain(self, err));
    TRY(run_count(self, err));
    return run_commit(self, err);
}

// At `place`, where such a table may be made.
static firn_status stage(run *self, const sql_create_table *written, const object_place *place,
                         const bind_parameters *known, staged_table *out, firn_error *err) {
    const bind_env env = session_bind_env(self);
    bind_result probe = {0};
    TRY(bind_query(written->query, &env, known, &self->memory, &probe, err));
    // Copied, as the types of the query belong to the tables that it reads.
    schema columns;
    firn_status status =
        schema_copy(&self->memory, &probe.plan.root->output_.columns, &columns, err);
    bind_result_release(&probe);
    TRY(status);
    new_table definition;
    TRY(define_table(self, written, &columns, &definition, err));
    // Until it is published the name means what it meant: also to the query, and after a fault.
    *out = (staged_table){.place = *place, .replaces = written->or_replace};
    TRY(place->catalog->kind->stage_table(place->catalog, place->object, &definition,
                                          written->or_replace, &out->made, err));
    const sql_names none = {0};
    const insert_target target = {.table = out->made, .columns = &none};
    status = bind_insert(written->query, &target, &env, known, &self->memory, &self->bound, err);
    if (status != FIRN_OK) {
        table_snapshot_release(out->made);
        out->made = NULL;
    }
    return status;
}

firn_status command_stage_table(run *self, const sql_create_table *written,
                                const bind_parameters *known, staged_table *out, firn_error *err) {
    object_place place;
    TRY(session_place(self, &written->table, written->is_temporary, &place, err));
    TRY(refuse_table(&place, written, err));
    return stage(self, written, &place, known, out, err);
}

firn_status command_publish_table(const staged_table *staged, firn_error *err) {
    const object_place *place = &staged->place;
    return place->catalog->kind->publish_table(place->catalog, place->object, staged->made,
                                               staged->replaces, err);
}

static firn_status create_as(run *self, const sql_create_table *written, const object_place *place,
                             const bind_parameters *known, const literal *values, firn_error *err) {
    staged_table staged;
    TRY(stage(self, written, place, known, &staged, err));
    firn_status status = FIRN_OK;
    if (!written->with_no_data) {
        status = command_run_insert(self, values, known == NULL ? 0 : known->count, err);
    }
    // Last: nothing can fail or be stopped any more once the table is there.
    status = status == FIRN_OK ? command_publish_table(&staged, err) : status;
    table_snapshot_release(staged.made);
    return status;
}

static firn_status create_table(run *self, const sql_create_table *written,
                                const object_place *place, firn_error *err) {
    new_table definition;
    catalog_object made = {0};
    TRY(define_table(self, written, NULL, &definition, err));
    TRY(place->catalog->kind->create_table(place->catalog, place->object, &definition,
                                           written->or_replace, &made, err));
    table_snapshot_release(made.snapshot);
    return FIRN_OK;
}

firn_status command_create_table(run *self, const sql_create_table *written,
                                 const bind_parameters *known, const literal *values,
                                 firn_error *err) {
    const creation made = creation_of_table(written);
    object_place place;
    bool is_there;
    TRY(session_place(self, made.path, written->is_temporary, &place, err));
    TRY(refuse_table(&place, written, err));
    TRY(is_done(self, &made, &place, &is_there, err));
    if (is_there) {
        return FIRN_OK;
    }
    const firn_status status = written->query == NULL
                                   ? create_table(self, written, &place, err)
                                   : create_as(self, written, &place, known, values, err);
    return at_name(self, status, &made, err);
}

// ---- CREATE VIEW -------------------------------------------------------------------------------

static firn_status refuse_view(const object_place *place, const creation *made,
                               const sql_create_view *written, firn_error *err) {
    TRY(check_place(made, place, place->catalog->kind->create_view != NULL, err));
    if (written->is_recursive || written->properties.count > 0) {
        return command_refuse_catalog(
            place->catalog, made->position,
            written->is_recursive ? "CREATE RECURSIVE VIEW" : "CREATE VIEW with properties", err);
    }
    return FIRN_OK;
}

// The names of the view's columns: those listed, then the query's.
static firn_status view_columns(run *self, const sql_create_view *written, const schema *query,
                                text_list *out, firn_error *err) {
    const uint32_t listed = (uint32_t)written->columns.count;
    if (listed > query->count) {
        return FAIL_SQL(err, FIRN_INVALID, "42601", written->columns.items[query->count].position,
                        "%u column names for a query of %u columns", listed, query->count);
    }
    text *names = ARENA_NEW(&self->memory, text, query->count + 1);
    if (names == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    name_index known = {0};
    for (uint32_t i = 0; i < query->count; i++) {
        const bool is_listed = i < listed;
        const text name = is_listed ? written->columns.items[i].value : query->fields[i].name;
        TRY(add_name(self, &known, name,
                     is_listed ? written->columns.items[i].position : written->node.position, err));
        TRY(text_copy(&self->memory, name, &names[i], err));
    }
    *out = (text_list){.count = listed, .items = names};
    return FIRN_OK;
}

// Bound once, so that a view that can never be read is refused now.
static firn_status check_view(run *self, const sql_create_view *written, const object_place *place,
                              text_list *columns, firn_error *err) {
    const bind_env env = session_bind_env(self);
    bind_result probe = {0};
    self->defined = place;
    firn_status status = bind_query(written->query, &env, NULL, &self->memory, &probe, err);
    self->defined = NULL;
    TRY(status);
    if (probe.parameters.count > 0) {
        status = FAIL_SQL(err, FIRN_INVALID, "42P02", written->query->node.position,
                          "a view has no parameters, its query has %u", probe.parameters.count);
    } else {
        status = view_columns(self, written, &probe.plan.root->output_.columns, columns, err);
    }
    bind_result_release(&probe);
    return status;
}

static firn_status create_view(run *self, const sql_create_view *written, const object_place *place,
                               firn_error *err) {
    view_definition view = {
        .name = place->object.name,
        .catalog = self->context.catalog,
        .search_path = text_of(self->settings.texts[SETTING_search_path]),
        .sees_temporary = place->catalog == self->session->temporary,
        .comment = text_of_literal(written->comment),
    };
    TRY(check_view(self, written, place, &view.columns, err));
    text_builder printed = text_builder_open(&self->memory);
    sql_print_query(&printed, written->query);
    TRY(text_builder_finish(&printed, &view.sql, err));
    return place->catalog->kind->create_view(place->catalog, place->object, &view,
                                             written->or_replace, err);
}

firn_status command_create_view(run *self, const sql_create_view *written, firn_error *err) {
    const creation made = {.what = "CREATE VIEW",
                           .path = &written->view,
                           .position = written->node.position,
                           .if_not_exists = written->if_not_exists};
    object_place place;
    bool is_there;
    TRY(session_place(self, made.path, written->is_temporary, &place, err));
    TRY(refuse_view(&place, &made, written, err));
    TRY(is_done(self, &made, &place, &is_there, err));
    return is_there ? FIRN_OK : at_name(self, create_view(self, written, &place, err), &made, err);
}

// ---- INSERT ------------------------------------------------------------------------------------

firn_status command_bind_insert(run *self, const sql_insert *written, const bind_parameters *known,
                                firn_error *err) {
    if (self->is_bound) {
        return FIRN_OK;
    }
    if (written->returning.count > 0) {
        return FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", written->node.position,
                        "INSERT with RETURNING is not supported");
    }
    const bind_env env = session_bind_env(self);
    change_target target;
    TRY(command_find_target(self, &written->table->path, written->table->node.position, "inserted",
                            &target, err));
    const insert_target into = {.table = target.table,
                                .columns = &written->columns,
                                .is_by_name = written->is_by_name,
                                .is_overwrite = written->is_overwrite,
                                .with = written->with,
                                .written = written->table,
                                .replaced = written->replace_where,
                                .place = target.place};
    firn_status status =
        bind_insert(written->query, &into, &env, known, &self->memory, &self->bound, err);
    table_snapshot_release(target.table);
    return status;
}

firn_status command_insert(run *self, const sql_insert *written, const bind_parameters *known,
                           const literal *values, firn_error *err) {
    TRY(command_bind_insert(self, written, known, err));
    return command_run_insert(self, values, known == NULL ? 0 : known->count, err);
}
