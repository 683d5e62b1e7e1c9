// CREATE SCHEMA, DROP, and ALTER … RENAME TO.
#include "engine/command_define.h"
#include "engine/propose.h"
#include "engine/spelling.h"
#include "engine/transactions.h"
#include "memory/text_builder.h"

// ---- Schemas -----------------------------------------------------------------------------------

// COMMENT and LOCATION are properties, too, by the names that Iceberg's catalogs have for them.
static firn_status schema_properties(run *self, const sql_create_schema *written,
                                     const firn_option **out, size_t *count, firn_error *err) {
    const firn_option *said;
    TRY(define_properties(self, &written->properties, &said, count, err));
    firn_option *all = ARENA_NEW(&self->memory, firn_option, *count + 2);
    text value;
    if (all == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (size_t i = 0; i < *count; i++) {
        all[i] = said[i];
    }
    if (written->comment != NULL) {
        TRY(text_copy(&self->memory, written->comment->value, &value, err));
        all[(*count)++] = (firn_option){.key = "comment", .value = value.data};
    }
    if (written->location != NULL) {
        TRY(command_constant_text(self, written->location, &value, err));
        TRY(text_copy(&self->memory, value, &value, err)); // With a NUL behind it.
        all[(*count)++] = (firn_option){.key = "location", .value = value.data};
    }
    *out = all;
    return FIRN_OK;
}

firn_status command_create_schema(run *self, const sql_create_schema *written, firn_error *err) {
    object_place place;
    const sql_names *path = &written->schema;
    TRY(session_schema_place(self, path, &place, err));
    if (place.catalog->kind->create_namespace == NULL || place.catalog->is_read_only) {
        return command_refuse_catalog(place.catalog, written->node.position, "CREATE SCHEMA", err);
    }
    if (text_equal_nocase(path->items[path->count - 1].value, TEXT("information_schema"))) {
        return command_refuse_listed(path, "CREATE SCHEMA", err);
    }
    if (written->if_not_exists) {
        bool exists;
        TRY(spell_space(place.catalog, &place.object.space, &self->memory, &self->cancel, &exists,
                        err));
        if (exists) {
            return FIRN_OK;
        }
    }
    namespace_change made = {.is_new = true};
    TRY(run_refuse_in_block(self, "CREATE SCHEMA", written->node.position, err));
    TRY(schema_properties(self, written, &made.properties.set, &made.properties.set_count, err));
    catalog *of = place.catalog;
    if (made.properties.set_count > 0 && of->kind->change_namespace == NULL) {
        return command_refuse_catalog(of, written->node.position,
                                      "CREATE SCHEMA with COMMENT, LOCATION or properties", err);
    }
    firn_status status = of->kind->change_namespace == NULL
                             ? of->kind->create_namespace(of, place.object.space, err)
                             : of->kind->change_namespace(of, place.object.space, &made, err);
    if (status != FIRN_OK && err->position == NO_POSITION) {
        err->position = path->items[0].position;
    }
    return status;
}

static firn_status say_no_schema(run *self, const sql_names *path, const object_place *place,
                                 firn_error *err) {
    const text name = path->items[path->count - 1].value;
    firn_status status = FAIL_SQL(err, FIRN_NOT_FOUND, "3F000", path->items[0].position,
                                  "there is no schema \"%.*s\" in the catalog \"%.*s\"",
                                  TEXT_ARGS(name), TEXT_ARGS(place->catalog->alias));
    proposal offer = {.near = nearest_to(name), .memory = &self->memory, .cancel = &self->cancel};
    propose_spaces(&offer, place->catalog, place->object.space);
    (void)nearest_hint(&offer.near, err);
    return status;
}

// ---- Changes of schemas ------------------------------------------------------------------------

firn_status command_change_schema(run *self, const sql_names *path, uint32_t position,
                                  const namespace_change *change, firn_error *err) {
    object_place place;
    bool exists;
    TRY(session_schema_place(self, path, &place, err));
    catalog *of = place.catalog;
    if (of->kind->change_namespace == NULL || of->is_read_only) {
        return command_refuse_catalog(of, position, "changing properties of a schema", err);
    }
    TRY(run_refuse_in_block(self, "changing a schema", position, err));
    TRY(spell_space(of, &place.object.space, &self->memory, &self->cancel, &exists, err));
    if (!exists) {
        return say_no_schema(self, path, &place, err);
    }
    const firn_status status = of->kind->change_namespace(of, place.object.space, change, err);
    if (status != FIRN_OK && err->position == NO_POSITION) {
        err->position = path->items[0].position;
    }
    return status;
}

firn_status command_alter_schema(run *self, const sql_alter *written, firn_error *err) {
    const sql_alter_action *action = sql_alter_action_of(written->actions.items[0]);
    const uint32_t position = written->node.position;
    namespace_change change = {.is_new = false};
    firn_option location = {.key = "location"};
    text value;
    if (written->actions.count > 1) {
        return FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", position,
                        "ALTER SCHEMA takes one action at a time");
    }
    switch ((uint32_t)action->kind) {
    case SQL_ALTER_SET_PROPERTIES:
    case SQL_ALTER_UNSET_PROPERTIES:
        TRY(define_property_change(self, action, &change.properties, err));
        break;
    case SQL_ALTER_SET_LOCATION:
        TRY(command_constant_text(self, action->value, &value, err));
        TRY(text_copy(&self->memory, value, &value, err)); // With a NUL behind it.
        location.value = value.data;
        change.properties = (property_change){.set_count = 1, .set = &location};
        break;
    default:
        return FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", position,
                        "ALTER SCHEMA sets properties and the location, nothing else");
    }
    return command_change_schema(self, &written->name, position, &change, err);
}

// ---- DROP SCHEMA -------------------------------------------------------------------------------

// Commits it at once.
static firn_status drop_object(run *self, const sql_drop *written, catalog *of, object_name name,
                               bool is_view, firn_error *err) {
    if (of->kind->committer == NULL || is_view) {
        return of->kind->drop != NULL
                   ? of->kind->drop(of, name, is_view, err)
                   : command_refuse_catalog(of, written->node.position, "DROP VIEW", err);
    }
    transaction *owner;
    TRY(run_transaction_of(self, of, &owner, err));
    TRY(transaction_drop(owner, name, false, err));
    return run_commit_transaction(self, err);
}

// What is in the schema goes one by one: what another session makes there meanwhile is kept.
static firn_status drop_contents(run *self, const sql_drop *written, const object_place *place,
                                 firn_error *err) {
    catalog *of = place->catalog;
    catalog_entry_list entries;
    TRY(of->kind->list(of, place->object.space, &self->memory, &entries, &self->cancel, err));
    for (uint32_t i = 0; i < entries.count; i++) {
        const object_name name = {.space = place->object.space, .name = entries.items[i].name};
        const firn_status status =
            drop_object(self, written, of, name, entries.items[i].kind == ENTRY_VIEW, err);
        TRY(err_forgive(err, status, FIRN_NOT_FOUND));
    }
    return FIRN_OK;
}

// Emptied only if that is all that stands in the way.
static firn_status drop_space(run *self, const sql_drop *written, const object_place *place,
                              firn_error *err) {
    catalog *of = place->catalog;
    firn_status status = of->kind->drop_namespace(of, place->object.space, err);
    if (status == FIRN_OK || written->behavior != SQL_DROP_CASCADE ||
        (of->kind->drop == NULL && of->kind->committer == NULL) ||
        strcmp(err->sqlstate, "2BP01") != 0) {
        return status;
    }
    TRY(err_forgive(err, status, FIRN_INVALID));
    TRY(drop_contents(self, written, place, err));
    return of->kind->drop_namespace(of, place->object.space, err);
}

static firn_status drop_schema(run *self, const sql_drop *written, const sql_names *path,
                               firn_error *err) {
    object_place place;
    TRY(session_schema_place(self, path, &place, err));
    if (text_equal_nocase(path->items[path->count - 1].value, TEXT("information_schema"))) {
        return command_refuse_listed(path, "DROP SCHEMA", err);
    }
    if (place.catalog->kind->drop_namespace == NULL || place.catalog->is_read_only) {
        return command_refuse_catalog(place.catalog, written->node.position, "DROP SCHEMA", err);
    }
    bool exists;
    TRY(run_refuse_in_block(self, "DROP SCHEMA", written->node.position, err));
    TRY(spell_space(place.catalog, &place.object.space, &self->memory, &self->cancel, &exists,
                    err));
    if (exists) {
        return drop_space(self, written, &place, err);
    }
    return path->count == 1 ? say_no_schema(self, path, &place, err)
                            : session_say_no_space(self->catalogs, path, &place, &self->memory,
                                                   &self->cancel, err);
}

// ---- Tables and views --------------------------------------------------------------------------

firn_status command_check_kind(const catalog_object *found, bool is_view, text name,
                               const char *word, firn_error *err) {
    return (found->snapshot == NULL) == is_view ? FIRN_OK
                                                : catalog_say_other_kind(name, is_view, word, err);
}

// With the commit of the transaction.
static firn_status drop_in_transaction(run *self, const sql_drop *written, object_place *place,
                                       firn_error *err) {
    const bool is_view = written->object == SQL_OBJECT_VIEW;
    catalog *of = place->catalog;
    catalog_object found = {0};
    transaction *owner;
    TRY(run_begin_transaction(self, err)); // What is looked at is what is dropped.
    TRY(session_load_at(self, place, &found, err));
    firn_status status = command_check_kind(&found, is_view, place->object.name, "DROP", err);
    table_snapshot_release(found.snapshot);
    TRY(status);
    if (is_view) {
        TRY(run_refuse_in_block(self, "DROP VIEW", written->node.position, err));
        return of->kind->drop != NULL
                   ? of->kind->drop(of, place->object, true, err)
                   : command_refuse_catalog(of, written->node.position, "DROP VIEW", err);
    }
    TRY(run_transaction_of(self, of, &owner, err));
    return transaction_drop(owner, place->object, written->is_purge, err);
}

static firn_status drop_at(run *self, const sql_drop *written, const sql_names *path,
                           object_place *place, firn_error *err) {
    catalog *of = place->catalog;
    if (session_space_is_listed(&place->object.space)) {
        catalog_object found = {0};
        TRY(session_load_at(self, place, &found, err));
        table_snapshot_release(found.snapshot);
        return command_refuse_listed(path, "DROP", err);
    }
    if (of->is_read_only || (of->kind->drop == NULL && of->kind->committer == NULL)) {
        return command_refuse_catalog(of, written->node.position, "DROP", err);
    }
    return of->kind->committer != NULL
               ? drop_in_transaction(self, written, place, err)
               : of->kind->drop(of, place->object, written->object == SQL_OBJECT_VIEW, err);
}

// Of the places where the name may be, that which has it: as a query finds it.
static firn_status drop_found(run *self, const sql_drop *written, const sql_names *path,
                              object_places *places, firn_error *err) {
    firn_error missing = ERR_INIT;
    for (size_t i = 0; i < places->count; i++) {
        firn_error said = ERR_INIT;
        if (places->items[i].catalog == NULL) {
            continue;
        }
        const firn_status status = drop_at(self, written, path, &places->items[i], &said);
        if (status == FIRN_OK) {
            return FIRN_OK;
        }
        if (status != FIRN_NOT_FOUND) {
            *err = said;
            return status;
        }
        if (i == places->told || missing.status == FIRN_OK) {
            missing = said;
        }
    }
    *err = missing;
    session_propose(self, path, places, err);
    return err->status;
}

static firn_status drop_one(run *self, const sql_drop *written, const sql_names *path,
                            firn_error *err) {
    if (written->object == SQL_OBJECT_SCHEMA) {
        return drop_schema(self, written, path, err);
    }
    if (session_is_information_schema(path)) {
        return command_refuse_listed(path, "DROP", err);
    }
    object_places places = {.count = 1};
    TRY(session_check_name(self, path, err));
    TRY(path->count == 1 ? session_places(self, path, NULL, &self->memory, &places, err)
                         : session_place(self, path, false, &places.items[0], err));
    return drop_found(self, written, path, &places, err);
}

firn_status command_drop(run *self, const sql_drop *written, firn_error *err) {
    for (size_t i = 0; i < written->names.count; i++) {
        const sql_object_name *name = sql_object_name_of(written->names.items[i]);
        firn_status status = drop_one(self, written, &name->path, err);
        if (written->if_exists) {
            status = err_forgive(err, status, FIRN_NOT_FOUND);
        }
        if (status != FIRN_OK) {
            err->position = name->node.position;
            return status;
        }
    }
    return FIRN_OK;
}

// ---- RENAME TO ---------------------------------------------------------------------------------

firn_status command_rename(run *self, const sql_alter *written, const sql_names *to,
                           firn_error *err) {
    const uint32_t position = written->node.position;
    const bool is_view = written->object == SQL_OBJECT_VIEW;
    object_place from;
    object_place place;
    catalog_object found = {0};
    TRY(session_find(self, &written->name, &from, &found, err));
    firn_status status = command_check_kind(&found, is_view, from.object.name, "ALTER", err);
    table_snapshot_release(found.snapshot);
    if (status != FIRN_OK) {
        err->position = written->name.items[0].position;
        return status;
    }
    if (session_space_is_listed(&from.object.space)) {
        return command_refuse_listed(&written->name, "RENAME TO", err);
    }
    catalog *of = from.catalog;
    if (of->kind->rename == NULL || of->is_read_only) {
        return command_refuse_catalog(of, position, "RENAME TO", err);
    }
    TRY(run_refuse_in_block(self, "RENAME TO", position, err));
    place = from;
    place.object.name = to->items[0].value;
    place.object.is_exact = to->items[0].is_quoted;
    if (to->count > 1) {
        TRY(session_place(self, to, false, &place, err));
    }
    if (place.catalog != of) {
        return FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", to->items[0].position,
                        "RENAME TO cannot take \"%.*s\" to another catalog",
                        TEXT_ARGS(from.object.name));
    }
    status = of->kind->rename(of, from.object, place.object, is_view, err);
    if (status != FIRN_OK && err->position == NO_POSITION) {
        err->position = to->items[0].position;
    }
    return status;
}
