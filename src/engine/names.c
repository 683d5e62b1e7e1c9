// What names in SQL mean for a session.
//
// A name of one part is a temporary thing, else looked for in the current schema and then along
// search_path. A name of two parts is a schema of the current catalog first, then an attached
// catalog with its default schema; if both have it, it is ambiguous. More parts begin with a
// catalog, else with a schema of the current one of several levels.
#include <assert.h>

#include "engine/objects.h"

static bool is_schemaless(firn_session *self, const catalog *each) {
    return each == self->engine->memory || each == self->temporary;
}

// A schema text "a.b" as its levels.
static firn_status levels_of(text schema, arena *memory, namespace_path *out, firn_error *err) {
    uint32_t count = schema.size == 0 ? 0 : 1;
    for (size_t i = 0; i < schema.size; i++) {
        count += schema.data[i] == '.';
    }
    text *items = ARENA_NEW(memory, text, count + 1);
    if (items == NULL) {
        return ARENA_FULL(memory, err);
    }
    size_t from = 0;
    uint32_t level = 0;
    for (size_t i = 0; i <= schema.size && count > 0; i++) {
        if (i == schema.size || schema.data[i] == '.') {
            items[level++] = text_slice(schema, from, i);
            from = i + 1;
        }
    }
    *out = (namespace_path){.count = count, .items = items};
    return FIRN_OK;
}

static firn_status names_as_levels(const sql_name *names, size_t count, arena *memory,
                                   namespace_path *out, firn_error *err) {
    text *items = ARENA_NEW(memory, text, count + 1);
    if (items == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (size_t i = 0; i < count; i++) {
        items[i] = names[i].value;
    }
    *out = (namespace_path){.count = (uint32_t)count, .items = items};
    return FIRN_OK;
}

static catalog *current_catalog(const run *user, const view_definition *inside) {
    const sql_name name = {.value = inside != NULL ? inside->catalog : user->context.catalog};
    catalog *found = catalog_set_catalog(user->catalogs, &name);
    if (found == NULL && inside != NULL) { // Its maker knew its catalog by another name.
        const sql_name owner = {.value = inside->owner};
        found = catalog_set_catalog(user->catalogs, &owner);
    }
    return found;
}

// The catalog that a name begins with.
static catalog *named_catalog(const run *user, const sql_name *name,
                              const view_definition *inside) {
    catalog *found = catalog_set_catalog(user->catalogs, name);
    return found == NULL && inside != NULL && text_equal_nocase(name->value, inside->catalog)
               ? current_catalog(user, inside)
               : found;
}

#define CANDIDATES_MAX 16

// Places where a name may be, the likeliest first.
static firn_status candidates_of(run *user, const sql_names *path, const view_definition *inside,
                                 arena *memory, object_place *out, size_t *count, firn_error *err) {
    firn_session *self = user->session;
    const text last = path->items[path->count - 1].value;
    catalog *current = current_catalog(user, inside);
    *count = 0;
    if (path->count == 1) {
        out[(*count)++] = (object_place){.catalog = self->temporary, .object = {.name = last}};
        namespace_path space;
        if (inside != NULL) {
            space = inside->space;
        } else {
            TRY(levels_of(user->context.schema, memory, &space, err));
        }
        out[(*count)++] =
            (object_place){.catalog = current, .object = {.space = space, .name = last}};
        text rest = text_of(user->settings.texts[SETTING_search_path]);
        while (rest.size > 0 && *count < CANDIDATES_MAX && inside == NULL) {
            const size_t comma = text_find(rest, TEXT(","));
            text schema = text_slice(rest, 0, comma);
            while (schema.size > 0 && schema.data[0] == ' ') {
                schema = text_slice(schema, 1, schema.size);
            }
            TRY(levels_of(schema, memory, &space, err));
            out[(*count)++] =
                (object_place){.catalog = current, .object = {.space = space, .name = last}};
            rest = comma == rest.size ? TEXT("") : text_slice(rest, comma + 1, rest.size);
        }
        return FIRN_OK;
    }
    object_place in_current = {.catalog = current, .object = {.name = last}};
    object_place in_named = {.catalog = named_catalog(user, &path->items[0], inside),
                             .object = {.name = last}};
    TRY(names_as_levels(path->items, path->count - 1, memory, &in_current.object.space, err));
    TRY(names_as_levels(path->items + 1, path->count - 2, memory, &in_named.object.space, err));
    if (in_named.catalog == NULL) {
        out[(*count)++] = in_current;
        return FIRN_OK;
    }
    out[(*count)++] = path->count == 2 ? in_current : in_named;
    out[(*count)++] = path->count == 2 ? in_named : in_current;
    return FIRN_OK;
}

static bool is_missing(const firn_error *err) {
    return err->status == FIRN_NOT_FOUND;
}

static bool is_information_schema(const sql_names *path) {
    return path->count >= 2 &&
           text_equal_nocase(path->items[path->count - 2].value, TEXT("information_schema"));
}

static firn_status load(const object_place *place, const table_version *version, run *user,
                        arena *memory, catalog_object *out, firn_error *err) {
    return place->catalog->kind->load(place->catalog, place->object, version, memory, out,
                                      &user->cancel, err);
}

// A name of two parts that the current catalog has as schema.name must not be another catalog's
// as well.
static firn_status check_ambiguous(run *user, const sql_names *path, const object_place *first,
                                   const object_place *second, firn_error *err) {
    catalog_object object = {0};
    firn_error ignored = ERR_INIT;
    if (second->catalog == NULL ||
        load(second, NULL, user, &user->memory, &object, &ignored) != FIRN_OK) {
        return cancel_check(&user->cancel, err);
    }
    table_snapshot_release(object.snapshot);
    const text name = path->items[1].value;
    const text both = path->items[0].value;
    firn_status status = FAIL_SQL(
        err, FIRN_INVALID, "42P09", path->items[0].position,
        "\"%.*s.%.*s\" is \"%.*s\" of the schema \"%.*s\" in the catalog \"%.*s\", and "
        "\"%.*s\" of the catalog \"%.*s\"",
        TEXT_ARGS(both), TEXT_ARGS(name), TEXT_ARGS(name), TEXT_ARGS(both),
        TEXT_ARGS(first->catalog->alias), TEXT_ARGS(name), TEXT_ARGS(second->catalog->alias));
    err_hint(err, "\"%.*s.%.*s.%.*s\" is the former", TEXT_ARGS(first->catalog->alias),
             TEXT_ARGS(both), TEXT_ARGS(name));
    return status;
}

static firn_status find(void *session, const sql_names *path, const table_version *version,
                        const view_definition *inside, arena *memory, bound_object *out,
                        firn_error *err) {
    run *user = session;
    object_place places[CANDIDATES_MAX + 2];
    size_t count;
    *out = (bound_object){0};
    if (is_information_schema(path)) {
        bool found;
        TRY(information_schema(user, path->items[path->count - 1].value, out, &found, err));
        if (found) {
            return FIRN_OK;
        }
    }
    TRY(candidates_of(user, path, inside, memory, places, &count, err));
    firn_error first = ERR_INIT;
    for (size_t i = 0; i < count; i++) {
        catalog_object object = {0};
        firn_status status = places[i].catalog == NULL
                                 ? FAIL(err, FIRN_NOT_FOUND, "no catalog")
                                 : load(&places[i], version, user, memory, &object, err);
        if (status == FIRN_OK && path->count == 2 && i == 0 && count == 2) {
            status = check_ambiguous(user, path, &places[0], &places[1], err);
            if (status != FIRN_OK) {
                table_snapshot_release(object.snapshot);
                return status;
            }
        }
        if (status == FIRN_OK) {
            out->snapshot = object.snapshot;
            out->view = object.view;
            return FIRN_OK;
        }
        if (!is_missing(err)) {
            return status;
        }
        // What is said in the end: of the current schema, or of the catalog that was named.
        const bool is_told = path->count == 1 ? i == 1 : path->count == 2 ? i + 1 == count : i == 0;
        if (is_told || first.status == FIRN_OK) {
            first = *err;
        }
    }
    *err = first;
    err->position = path->items[0].position;
    if (inside != NULL && path->count > 2 && named_catalog(user, &path->items[0], inside) == NULL) {
        err_hint(err, "if \"%.*s\" is a catalog to the view's maker, attach it under that name",
                 TEXT_ARGS(path->items[0].value));
    }
    return err->status;
}

static firn_status open_files(void *session, text function, table_arguments args, arena *memory,
                              bool *found, table_snapshot **out, firn_error *err) {
    run *user = session;
    firn_engine *engine = user->session->engine;
    const file_env env = {.io = engine->io, .pool = engine->tables, .cancel = &user->cancel};
    return file_table_open(function, args, &env, memory, found, out, err);
}

bind_env session_bind_env(run *user) {
    return (bind_env){
        .session = user, .context = &user->context, .find = find, .open_files = open_files};
}

firn_status session_place(run *user, const sql_names *path, bool is_temporary, object_place *out,
                          firn_error *err) {
    firn_session *self = user->session;
    const text name = path->items[path->count - 1].value;
    *out = (object_place){.catalog = is_temporary ? self->temporary : current_catalog(user, NULL),
                          .object = {.name = name}};
    if (path->count == 1) {
        return is_temporary
                   ? FIRN_OK
                   : levels_of(user->context.schema, &user->memory, &out->object.space, err);
    }
    // catalog.schema.name, catalog.name, schema.name: an attached catalog's alias comes first
    // unless, before one name only, the current catalog has such a schema.
    namespace_path whole;
    TRY(names_as_levels(path->items, path->count - 1, &user->memory, &whole, err));
    bool exists = false;
    catalog *named = catalog_set_catalog(user->catalogs, &path->items[0]);
    if (out->catalog != NULL && named != NULL && path->count == 2) {
        TRY(out->catalog->kind->has_namespace(out->catalog, whole, &exists, &user->cancel, err));
    }
    if (exists || named == NULL) {
        out->object.space = whole;
        return FIRN_OK;
    }
    out->catalog = named;
    TRY(names_as_levels(path->items + 1, path->count - 2, &user->memory, &out->object.space, err));
    if (out->object.space.count == 0 && is_schemaless(self, named)) {
        return levels_of(TEXT("main"), &user->memory, &out->object.space, err);
    }
    return FIRN_OK;
}

firn_status session_check_name(run *user, const sql_names *path, firn_error *err) {
    object_place places[CANDIDATES_MAX + 2];
    size_t count;
    catalog_object object = {0};
    firn_error ignored = ERR_INIT;
    TRY(candidates_of(user, path, NULL, &user->memory, places, &count, err));
    if (path->count != 2 || count != 2 || places[0].catalog == NULL ||
        load(&places[0], NULL, user, &user->memory, &object, &ignored) != FIRN_OK) {
        return FIRN_OK;
    }
    table_snapshot_release(object.snapshot);
    return check_ambiguous(user, path, &places[0], &places[1], err);
}
