// CREATE TABLE, CREATE TABLE AS, CREATE VIEW, INSERT.
#include "engine/objects.h"
#include "sql/printer.h"

static firn_status refuse_catalog(const object_place *place, uint32_t position, const char *what,
                                  firn_error *err) {
    return FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", position,
                    "%s is not supported in the catalog \"%.*s\"", what,
                    TEXT_ARGS(place->catalog->alias));
}

static firn_status columns_of(run *self, const sql_create_table *written, schema *out,
                              firn_error *err) {
    const uint32_t count = (uint32_t)written->columns.count;
    field *fields = ARENA_NEW(&self->memory, field, count + 1);
    if (fields == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        const sql_column_definition *each = sql_column_definition_of(written->columns.items[i]);
        const sql_name *name = &each->path.items[0];
        if (each->type == NULL) {
            return FAIL_SQL(err, FIRN_INVALID, "42601", name->position,
                            "column \"%.*s\" has no type", TEXT_ARGS(name->value));
        }
        bool is_not_null = each->is_not_null;
        for (size_t k = 0; k < each->constraints.count; k++) {
            is_not_null |=
                sql_constraint_of(each->constraints.items[k])->kind == SQL_CONSTRAINT_PRIMARY_KEY;
        }
        fields[i] = (field){.name = name->value, .is_nullable = !is_not_null, .id = -1};
        TRY(bind_type(each->type, &self->memory, &fields[i].type, err));
        for (uint32_t k = 0; k < i; k++) {
            if (text_equal_nocase(fields[k].name, name->value)) {
                return FAIL_SQL(err, FIRN_INVALID, "42701", name->position,
                                "column \"%.*s\" is given twice", TEXT_ARGS(name->value));
            }
        }
    }
    *out = (schema){.count = count, .fields = fields};
    return FIRN_OK;
}

// Runs a bound INSERT to its end; the run's result is the count.
static firn_status run_insert(run *self, const literal *values, uint32_t value_count,
                              firn_error *err) {
    self->changed_rows = 0;
    return run_start(self, values, value_count, false, err);
}

// A name of the query's columns, or of the list behind the table's name.
static firn_status names_of_query(run *self, const sql_create_table *written, schema *columns,
                                  firn_error *err) {
    if (written->columns.count > columns->count) {
        return FAIL_SQL(err, FIRN_INVALID, "42601", written->node.position,
                        "%zu column names for a query of %u columns", written->columns.count,
                        columns->count);
    }
    field *fields = ARENA_NEW(&self->memory, field, columns->count + 1);
    if (fields == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < columns->count; i++) {
        fields[i] = columns->fields[i];
        fields[i].is_nullable = true;
        if (i < written->columns.count) {
            fields[i].name =
                sql_column_definition_of(written->columns.items[i])->path.items[0].value;
        }
        for (uint32_t k = 0; k < i; k++) {
            if (text_equal_nocase(fields[k].name, fields[i].name)) {
                firn_status status =
                    FAIL_SQL(err, FIRN_INVALID, "42701", written->node.position,
                             "two columns would be called \"%.*s\"", TEXT_ARGS(fields[i].name));
                err_hint(err, "give one of them another name with AS");
                return status;
            }
        }
    }
    columns->fields = fields;
    return FIRN_OK;
}

static firn_status create_as(run *self, const sql_create_table *written, const object_place *place,
                             firn_error *err) {
    const bind_env env = session_bind_env(self);
    bind_result probe = {0};
    TRY(bind_query(written->query, &env, NULL, &self->memory, &probe, err));
    // Copied, as the types of the query belong to the tables that it reads.
    schema columns;
    firn_status status =
        schema_copy(&self->memory, &probe.plan.root->output_.columns, &columns, err);
    bind_result_release(&probe);
    TRY(status);
    TRY(names_of_query(self, written, &columns, err));
    // Until it is published the name means what it meant: also to the query, and after a fault.
    table_snapshot *made;
    TRY(place->catalog->kind->stage_table(place->catalog, place->object, &columns,
                                          written->or_replace, &made, err));
    if (!written->with_no_data) {
        const sql_names none = {0};
        const insert_target target = {.table = made, .columns = &none};
        status = bind_insert(written->query, &target, &env, NULL, &self->memory, &self->bound, err);
        status = status == FIRN_OK ? run_insert(self, NULL, 0, err) : status;
        status = status == FIRN_OK ? run_drain(self, err) : status;
    }
    if (status == FIRN_OK) {
        status = place->catalog->kind->publish_table(place->catalog, place->object, made,
                                                     written->or_replace, err);
    }
    table_snapshot_release(made);
    return status == FIRN_OK && !written->with_no_data ? run_count(self, err) : status;
}

static firn_status exists(run *self, const object_place *place, bool *out, firn_error *err) {
    catalog_object object = {0};
    firn_status status = place->catalog->kind->load(place->catalog, place->object, NULL,
                                                    &self->memory, &object, &self->cancel, err);
    *out = status == FIRN_OK;
    table_snapshot_release(object.snapshot);
    return status == FIRN_NOT_FOUND ? FIRN_OK : status;
}

firn_status command_create_table(run *self, const sql_create_table *written, firn_error *err) {
    object_place place;
    TRY(session_place(self, &written->table, written->is_temporary, &place, err));
    if (place.catalog->kind->create_table == NULL || place.catalog->is_read_only) {
        return refuse_catalog(&place, written->node.position, "CREATE TABLE", err);
    }
    if (written->partitioned_by.count > 0 || written->location != NULL ||
        written->format.value.size > 0) {
        return refuse_catalog(&place, written->node.position,
                              "CREATE TABLE with USING, PARTITIONED BY or LOCATION", err);
    }
    bool is_there = false;
    if (written->if_not_exists) {
        TRY(exists(self, &place, &is_there, err));
    }
    if (is_there) {
        return FIRN_OK;
    }
    if (written->query != NULL) {
        return create_as(self, written, &place, err);
    }
    schema columns;
    catalog_object made = {0};
    TRY(columns_of(self, written, &columns, err));
    TRY(place.catalog->kind->create_table(place.catalog, place.object, &columns,
                                          written->or_replace, &made, err));
    table_snapshot_release(made.snapshot);
    return FIRN_OK;
}

firn_status command_create_view(run *self, const sql_create_view *written, firn_error *err) {
    object_place place;
    TRY(session_place(self, &written->view, written->is_temporary, &place, err));
    if (place.catalog->kind->create_view == NULL || place.catalog->is_read_only) {
        return refuse_catalog(&place, written->node.position, "CREATE VIEW", err);
    }
    bool is_there = false;
    if (written->if_not_exists) {
        TRY(exists(self, &place, &is_there, err));
    }
    if (is_there) {
        return FIRN_OK;
    }
    // Bound once, so that a view that can never be read is refused now.
    const bind_env env = session_bind_env(self);
    bind_result probe = {0};
    TRY(bind_query(written->query, &env, NULL, &self->memory, &probe, err));
    bind_result_release(&probe);
    text_builder printed = text_builder_open(&self->memory);
    sql_print_query(&printed, written->query);
    text *columns = ARENA_NEW(&self->memory, text, written->columns.count + 1);
    if (columns == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (size_t i = 0; i < written->columns.count; i++) {
        columns[i] = written->columns.items[i].value;
    }
    view_definition view = {
        .catalog = self->context.catalog,
        .space = {.count = 1, .items = &self->context.schema},
        .columns = {.count = (uint32_t)written->columns.count, .items = columns},
    };
    TRY(text_builder_finish(&printed, &view.sql, err));
    return place.catalog->kind->create_view(place.catalog, place.object, &view, written->or_replace,
                                            err);
}

firn_status command_bind_insert(run *self, const sql_insert *written, const bind_parameters *known,
                                firn_error *err) {
    if (self->is_bound) {
        return FIRN_OK;
    }
    if (written->is_overwrite || written->replace_where != NULL || written->with != NULL ||
        written->returning.count > 0 || written->query == NULL) {
        return FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", written->node.position,
                        "this form of INSERT is not supported");
    }
    const bind_env env = session_bind_env(self);
    const table_version now = {.kind = VERSION_CURRENT};
    bound_object target = {0};
    TRY(env.find(self, &written->table->path, &now, NULL, &self->memory, &target, err));
    if (target.snapshot == NULL || target.snapshot->kind->sink == NULL) {
        firn_status status =
            FAIL_SQL(err, FIRN_INVALID, "42809", written->table->node.position,
                     "rows cannot be inserted here: it is a %s",
                     target.snapshot == NULL ? "view" : "table that can only be read");
        table_snapshot_release(target.snapshot);
        return status;
    }
    const insert_target into = {
        .table = target.snapshot, .columns = &written->columns, .is_by_name = written->is_by_name};
    firn_status status =
        bind_insert(written->query, &into, &env, known, &self->memory, &self->bound, err);
    table_snapshot_release(target.snapshot);
    return status;
}

firn_status command_insert(run *self, const sql_insert *written, const bind_parameters *known,
                           const literal *values, firn_error *err) {
    TRY(command_bind_insert(self, written, known, err));
    TRY(run_insert(self, values, known == NULL ? 0 : known->count, err));
    TRY(run_drain(self, err));
    return run_count(self, err);
}
