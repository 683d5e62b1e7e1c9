// Where a thing of some name may be, or belongs when it is made: catalogs and schemas.
//
// A name of one part is a temporary thing, else looked for in the schemas of search_path; CREATE
// takes the first of them. A name of two parts is a schema of the current catalog first, then an
// attached catalog with its default schema; if both have it, it is ambiguous. More parts begin with
// a catalog, else with a schema of the current one of several levels. Inside a view names mean what
// they meant to its maker.
#include "engine/objects.h"

bool session_has_main(const firn_session *self, const catalog *each) {
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

firn_status session_levels(const sql_name *names, size_t count, arena *memory, namespace_path *out,
                           firn_error *err) {
    text *items = ARENA_NEW(memory, text, count + 1);
    bool *are_exact = ARENA_NEW(memory, bool, count + 1);
    if (items == NULL || are_exact == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (size_t i = 0; i < count; i++) {
        items[i] = names[i].value;
        are_exact[i] = names[i].is_quoted;
    }
    *out = (namespace_path){.count = (uint32_t)count, .items = items, .are_exact = are_exact};
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

catalog *session_named_catalog(const run *user, const sql_name *name,
                               const view_definition *inside) {
    catalog *found = catalog_set_catalog(user->catalogs, name);
    return found == NULL && inside != NULL && text_equal_nocase(name->value, inside->catalog)
               ? current_catalog(user, inside)
               : found;
}

// A temporary thing of that name, then each schema of the path.
static firn_status places_on_path(run *user, const sql_name *last, const view_definition *inside,
                                  arena *memory, object_places *out, firn_error *err) {
    firn_session *self = user->session;
    object_name wanted = {.name = last->value, .is_exact = last->is_quoted};
    catalog *current = current_catalog(user, inside);
    if (inside == NULL || inside->sees_temporary) {
        out->items[out->count++] = (object_place){.catalog = self->temporary, .object = wanted};
    }
    out->told = out->count;
    if (inside != NULL && inside->search_path.size == 0) {
        wanted.space = (namespace_path){.count = inside->space.count, .items = inside->space.items};
        out->items[out->count++] = (object_place){.catalog = current, .object = wanted};
        return FIRN_OK;
    }
    text rest = inside != NULL ? inside->search_path : user->search_path;
    do {
        TRY(levels_of(search_path_next(&rest), memory, &wanted.space, err));
        out->items[out->count++] = (object_place){.catalog = current, .object = wanted};
    } while (rest.size > 0 && out->count < OBJECT_PLACES_MAX);
    return FIRN_OK;
}

firn_status session_places(run *user, const sql_names *path, const view_definition *inside,
                           arena *memory, object_places *out, firn_error *err) {
    const sql_name *last = &path->items[path->count - 1];
    const object_name wanted = {.name = last->value, .is_exact = last->is_quoted};
    out->count = 0;
    if (path->count == 1) {
        return places_on_path(user, last, inside, memory, out, err);
    }
    object_place in_current = {.catalog = current_catalog(user, inside), .object = wanted};
    object_place in_named = {.catalog = session_named_catalog(user, &path->items[0], inside),
                             .object = wanted};
    TRY(session_levels(path->items, path->count - 1, memory, &in_current.object.space, err));
    TRY(session_levels(path->items + 1, path->count - 2, memory, &in_named.object.space, err));
    if (in_named.catalog == NULL) {
        out->items[out->count++] = in_current;
        out->told = 0;
        return FIRN_OK;
    }
    out->items[out->count++] = path->count == 2 ? in_current : in_named;
    out->items[out->count++] = path->count == 2 ? in_named : in_current;
    out->told = path->count == 2 ? 1 : 0;
    return FIRN_OK;
}

// ---- Where new things belong -------------------------------------------------------------------

// Who says TEMPORARY wants nobody else to see it: no other catalog may take it.
static firn_status refuse_temporary(const sql_name *catalog, firn_error *err) {
    const firn_status status =
        FAIL_SQL(err, FIRN_INVALID, "42P16", catalog->position,
                 "what is temporary lies in the catalog \"temp\", not in \"%.*s\"",
                 TEXT_ARGS(catalog->value));
    err_hint(err, "write its name alone, or leave out TEMPORARY");
    return status;
}

firn_status session_place(run *user, const sql_names *path, bool is_temporary, object_place *out,
                          firn_error *err) {
    firn_session *self = user->session;
    const sql_name *name = &path->items[path->count - 1];
    *out = (object_place){.catalog = is_temporary ? self->temporary : current_catalog(user, NULL),
                          .object = {.name = name->value, .is_exact = name->is_quoted}};
    if (path->count == 1) {
        return is_temporary
                   ? FIRN_OK
                   : levels_of(user->context.schema, &user->memory, &out->object.space, err);
    }
    // catalog.schema.name, catalog.name, schema.name: an attached catalog's alias comes first
    // unless, before one name only, the current catalog has such a schema.
    namespace_path whole;
    TRY(session_levels(path->items, path->count - 1, &user->memory, &whole, err));
    bool exists = false;
    catalog *named = catalog_set_catalog(user->catalogs, &path->items[0]);
    if (out->catalog != NULL && named != NULL && path->count == 2) {
        TRY(out->catalog->kind->has_namespace(out->catalog, whole, &exists, &user->cancel, err));
    }
    if (exists || named == NULL) {
        out->object.space = whole;
        return FIRN_OK;
    }
    if (is_temporary && named != self->temporary) {
        return refuse_temporary(&path->items[0], err);
    }
    out->catalog = named;
    TRY(session_levels(path->items + 1, path->count - 2, &user->memory, &out->object.space, err));
    if (out->object.space.count == 0 && session_has_main(self, named)) {
        return levels_of(TEXT("main"), &user->memory, &out->object.space, err);
    }
    return FIRN_OK;
}

firn_status session_place_in(run *user, const sql_names *space, object_place *out,
                             firn_error *err) {
    sql_name *names = ARENA_NEW(&user->memory, sql_name, space->count + 1);
    if (names == NULL) {
        return ARENA_FULL(&user->memory, err);
    }
    if (space->count > 0) {
        memcpy(names, space->items, space->count * sizeof *names);
    }
    names[space->count] = (sql_name){.value = TEXT("x")};
    const sql_names inside = {.count = space->count + 1, .items = names};
    return session_place(user, &inside, false, out, err);
}

firn_status session_schema_place(run *user, const sql_names *schema, object_place *out,
                                 firn_error *err) {
    if (schema->count != 1) {
        return session_place_in(user, schema, out, err);
    }
    *out = (object_place){.catalog = current_catalog(user, NULL)};
    return session_levels(schema->items, 1, &user->memory, &out->object.space, err);
}
