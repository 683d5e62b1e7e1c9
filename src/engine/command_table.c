// CREATE TABLE, CREATE TABLE AS, INSERT.
#include <assert.h>

#include "base/nearest.h"
#include "engine/command_alter.h"
#include "engine/creation.h"
#include "engine/spelling.h"
#include "engine/transactions.h"
#include "memory/text_builder.h"
#include "sql/printer.h"

// ---- What is asked of a table ------------------------------------------------------------------

static creation creation_of_table(const sql_create_table *written) {
    return (creation){.what = "CREATE TABLE",
                      .path = &written->table,
                      .position = written->node.position,
                      .if_not_exists = written->if_not_exists};
}

// What catalogs without transactions make nothing of.
static firn_status refuse_clauses(const catalog *target, const sql_create_table *written,
                                  firn_error *err) {
    if (written->partitioned_by.count > 0 || written->location != NULL || written->is_external ||
        written->format.value.size > 0) {
        return command_refuse_catalog(
            target, written->node.position,
            "CREATE TABLE with EXTERNAL, USING, PARTITIONED BY or LOCATION", err);
    }
    if (written->properties.count > 0) {
        const sql_option *first = sql_option_of(written->properties.items[0]);
        return FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", first->node.position,
                        "tables of the catalog \"%.*s\" have no properties, such as \"%.*s\"",
                        TEXT_ARGS(target->alias), TEXT_ARGS(first->key.value));
    }
    return FIRN_OK;
}

static firn_status refuse_format(const sql_create_table *written, firn_error *err) {
    const sql_name *format = &written->format;
    if (written->is_external) {
        firn_status status = FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", written->node.position,
                                      "CREATE EXTERNAL TABLE is not supported");
        err_hint(err, "LOCATION says where a table lies");
        return status;
    }
    if (format->value.size == 0 || text_equal_nocase(format->value, TEXT("iceberg"))) {
        return FIRN_OK;
    }
    const bool is_delta = text_equal_nocase(format->value, TEXT("delta"));
    firn_status status =
        is_delta ? FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", format->position,
                            "tables of Delta Lake cannot be made yet")
                 : FAIL_SQL(err, FIRN_INVALID, "22023", format->position,
                            "there is no table format \"%.*s\"", TEXT_ARGS(format->value));
    err_hint(err, "USING iceberg makes a table of Iceberg");
    return status;
}

static firn_status refuse_table(const object_place *place, const sql_create_table *written,
                                firn_error *err) {
    const creation made = creation_of_table(written);
    const catalog_kind *kind = place->catalog->kind;
    TRY(creation_check(&made, place, kind->create_table != NULL || kind->committer != NULL, err));
    TRY(kind->committer != NULL ? refuse_format(written, err)
                                : refuse_clauses(place->catalog, written, err));
    return define_refuse_constraints(&written->constraints, err);
}

// ---- CREATE TABLE ------------------------------------------------------------------------------

static new_table new_table_of(const table_definition *said) {
    return (new_table){.columns = said->columns, .notes = said->notes, .comment = said->comment};
}

// What the definition has no place for.
static firn_status comment_columns(run *self, const sql_create_table *written,
                                   const table_definition *definition, table_change *made,
                                   firn_error *err) {
    altering to = {.self = self};
    for (size_t i = 0; i < written->columns.count; i++) {
        text name = definition->columns.fields[i].name;
        const text_list path = {.count = 1, .items = &name};
        TRY(alter_add_comments(&to, sql_column_definition_of(written->columns.items[i]), &path,
                               err));
    }
    return to.count == 0 ? FIRN_OK : made->kind->alter(made, to.steps, to.count, err);
}

// In the transaction: nobody else sees it before the commit.
static firn_status create_in_transaction(run *self, const sql_create_table *written,
                                         table_definition *definition, staged_table *out,
                                         firn_error *err) {
    catalog *target = out->place.catalog;
    definition->format = TEXT("iceberg"); // The only one that refuse_format lets through.
    TRY(define_refuse_defaults(written, definition, err));
    TRY(run_transaction_of(self, target, &out->owner, err));
    out->mark = transaction_mark_take(out->owner);
    TRY(transaction_create(out->owner, out->place.object, definition, written->or_replace,
                           &out->change, err));
    return comment_columns(self, written, definition, out->change, err);
}

static firn_status make_staged(run *self, const sql_create_table *written,
                               table_definition *definition, staged_table *out, firn_error *err) {
    const object_place *place = &out->place;
    if (place->catalog->kind->committer != NULL) {
        TRY(create_in_transaction(self, written, definition, out, err));
        run_set_change(self, out->change);
        return out->change->kind->see(out->change, &out->made, err);
    }
    const new_table made = new_table_of(definition);
    return place->catalog->kind->stage_table(place->catalog, place->object, &made,
                                             written->or_replace, &out->made, err);
}

// What the name means to the query of the table that takes its place; NULL: nothing.
static firn_status find_replaced(run *self, const sql_create_table *written, object_place *place,
                                 table_snapshot **out, firn_error *err) {
    catalog_object found = {0};
    *out = NULL;
    if (!written->or_replace || place->catalog->kind->committer == NULL) {
        return FIRN_OK;
    }
    const firn_status status = session_load_at(self, place, &found, err);
    *out = status == FIRN_OK ? found.snapshot : NULL;
    return err_forgive(err, status, FIRN_NOT_FOUND);
}

static firn_status bind_staged(run *self, const sql_create_table *written,
                               const bind_parameters *known, staged_table *out, firn_error *err) {
    const bind_env env = session_bind_env(self);
    const sql_names none = {0};
    const insert_target target = {.table = out->made, .columns = &none};
    table_snapshot *replaced = out->replaced;
    self->replaced = &out->place;
    self->replaced_as = replaced;
    const firn_status status =
        bind_insert(written->query, &target, &env, known, &self->memory, &self->bound, err);
    self->replaced_as = NULL;
    if (status != FIRN_OK) {
        command_close_staged(self, out);
    }
    return status;
}

// At `place`, where such a table may be made.
static firn_status stage(run *self, const sql_create_table *written, const object_place *place,
                         const bind_parameters *known, staged_table *out, firn_error *err) {
    const bind_env env = session_bind_env(self);
    bind_result probe = {0};
    TRY(run_begin_transaction(self, err)); // Bound twice, it reads the same.
    TRY(bind_query(written->query, &env, known, &self->memory, &probe, err));
    schema columns;
    firn_status status =
        creation_settle(&probe.plan.root->output_.columns, &self->memory, &columns, err);
    bind_result_release(&probe);
    TRY(status);
    table_definition definition;
    TRY(define_table(self, written, &columns, &definition, err));
    // Until it is published the name means what it meant: also to the query, and after a fault.
    *out = (staged_table){.place = *place, .replaces = written->or_replace};
    TRY(find_replaced(self, written, &out->place, &out->replaced, err));
    status = make_staged(self, written, &definition, out, err);
    if (status != FIRN_OK) {
        command_close_staged(self, out);
        return status;
    }
    return bind_staged(self, written, known, out, err);
}

firn_status command_stage_table(run *self, const sql_create_table *written,
                                const bind_parameters *known, staged_table *out, firn_error *err) {
    object_place place;
    TRY(session_place(self, &written->table, written->is_temporary, &place, err));
    TRY(refuse_table(&place, written, err));
    TRY(spell_place(&place, &self->memory, &self->cancel, err));
    return stage(self, written, &place, known, out, err);
}

firn_status command_publish_table(run *self, staged_table *staged, firn_error *err) {
    const object_place *place = &staged->place;
    if (staged->change != NULL) {
        staged->owner = NULL; // From here on it is the transaction's.
        return run_commit_transaction(self, err);
    }
    return place->catalog->kind->publish_table(place->catalog, place->object, staged->made,
                                               staged->replaces, err);
}

void command_close_staged(run *self, staged_table *staged) {
    table_snapshot_release(staged->made);
    table_snapshot_release(staged->replaced);
    staged->made = NULL;
    staged->replaced = NULL;
    if (staged->owner != NULL) {
        assert(self->execution == NULL); // It would write into what is undone.
        (void)self;
        transaction_undo_to(staged->owner, staged->mark);
        staged->owner = NULL;
    }
}

static firn_status create_as(run *self, const sql_create_table *written, const object_place *place,
                             const bind_parameters *known, const literal *values, firn_error *err) {
    staged_table staged = {.made = NULL};
    TRY(stage(self, written, place, known, &staged, err));
    firn_status status = FIRN_OK;
    if (!written->with_no_data) {
        status = run_change(self, values, known == NULL ? 0 : known->count, true, err);
    }
    // Last: nothing can fail or be stopped any more once the table is there.
    status = status == FIRN_OK ? command_publish_table(self, &staged, err) : status;
    command_close_staged(self, &staged);
    return status;
}

static firn_status create_table(run *self, const sql_create_table *written,
                                const object_place *place, firn_error *err) {
    table_definition definition;
    catalog_object made = {0};
    TRY(define_table(self, written, NULL, &definition, err));
    if (place->catalog->kind->committer != NULL) {
        staged_table staged = {.place = *place};
        TRY(create_in_transaction(self, written, &definition, &staged, err));
        return run_commit_transaction(self, err);
    }
    const new_table wanted = new_table_of(&definition);
    TRY(place->catalog->kind->create_table(place->catalog, place->object, &wanted,
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
    TRY(creation_is_done(self, &made, &place, &is_there, err));
    if (is_there) {
        return FIRN_OK;
    }
    const firn_status status = written->query == NULL
                                   ? create_table(self, written, &place, err)
                                   : create_as(self, written, &place, known, values, err);
    return creation_at_name(self, status, &made, err);
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
    TRY(command_find_target(self, &written->table->path, written->table->node.position, "INSERT",
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
    return run_change(self, values, known == NULL ? 0 : known->count, true, err);
}
