// What names in SQL mean for a session: the tables and views at the places where they may be
// (places.c).
#include <assert.h>

#include "engine/information_schema.h"
#include "engine/propose.h"
#include "engine/spelling.h"
#include "engine/transactions.h"
#include "memory/arena_grow.h"
#include "memory/text_builder.h"

bool session_is_information_schema(const sql_names *path) {
    return path->count >= 2 &&
           text_equal_nocase(path->items[path->count - 2].value, TEXT("information_schema"));
}

bool session_space_is_listed(const namespace_path *space) {
    return space->count == 1 && text_equal_nocase(space->items[0], TEXT("information_schema"));
}

// ---- Looking -----------------------------------------------------------------------------------

// A schema beside those that places have and a name does not mean, else a catalog.
static void propose_around(run *user, const sql_names *path, const object_places *places,
                           proposal *offer, firn_error *err) {
    for (size_t i = 0; i < places->count; i++) {
        const namespace_path space = places->items[i].object.space;
        if (space.count > 0) {
            offer->near = nearest_to(space.items[space.count - 1]);
            propose_spaces(offer, places->items[i].catalog, space);
            if (nearest_hint(&offer->near, err)) {
                return;
            }
        }
    }
    offer->near = nearest_to(path->items[0].value);
    propose_catalogs(offer, user->catalogs);
    (void)nearest_hint(&offer->near, err);
}

// Whoever wrote the name may have meant another one: of a table, else of a schema or catalog.
static void propose(run *user, const sql_names *path, const object_places *places, arena *memory,
                    firn_error *err) {
    proposal offer = {.near = nearest_to(path->items[path->count - 1].value),
                      .memory = memory,
                      .cancel = &user->cancel};
    if (session_is_information_schema(path)) {
        propose_information_schema(&offer);
    }
    for (size_t i = 0; i < places->count; i++) {
        if (path->count == 1 && session_space_is_listed(&places->items[i].object.space)) {
            propose_information_schema(&offer);
        }
        propose_tables(&offer, &places->items[i]);
    }
    if (!nearest_hint(&offer.near, err) && path->count > 1) {
        propose_around(user, path, places, &offer, err);
    }
}

void session_propose(run *user, const sql_names *path, const object_places *places,
                     firn_error *err) {
    propose(user, path, places, &user->memory, err);
}

static bool is_same_word(text left, text right, bool is_exact) {
    return is_exact ? text_equal(left, right) : text_equal_nocase(left, right);
}

bool session_is_same_place(const object_place *left, const object_place *right, bool is_spelled) {
    const namespace_path *one = &left->object.space;
    const namespace_path *other = &right->object.space;
    const bool is_exact = left->object.is_exact && right->object.is_exact;
    const bool is_default = one->count + other->count == 1; // One says "main", the other nothing.
    bool is_same = left->catalog == right->catalog && (one->count == other->count || is_default) &&
                   is_same_word(left->object.name, right->object.name, is_spelled || is_exact);
    for (uint32_t i = 0; is_same && i < one->count && i < other->count; i++) {
        is_same = is_same_word(one->items[i], other->items[i], is_spelled);
    }
    if (is_same && is_default) {
        is_same =
            text_equal_nocase(one->count == 1 ? one->items[0] : other->items[0], TEXT("main"));
    }
    return is_same;
}

// What the query of a view that is being made must not read.
static firn_status check_defined(const run *user, const object_place *found, firn_error *err) {
    const object_place *defined = &user->defined->place;
    if (session_is_same_place(defined, found, false)) {
        return FAIL_SQL(err, FIRN_INVALID, "42P17", NO_POSITION,
                        "the view \"%.*s\" would read itself", TEXT_ARGS(found->object.name));
    }
    const catalog *temporary = user->session->temporary;
    if (found->catalog == temporary && defined->catalog != temporary) {
        firn_status status = FAIL_SQL(
            err, FIRN_INVALID, "42P16", NO_POSITION,
            "the view \"%.*s\" would read \"%.*s\", which is temporary and this session's only",
            TEXT_ARGS(defined->object.name), TEXT_ARGS(found->object.name));
        err_hint(err, "CREATE TEMPORARY VIEW makes a view of this session");
        return status;
    }
    return user->defined->is_shared && found->catalog == user->session->engine->memory
               ? FAIL_SQL(err, FIRN_INVALID, "42P16", NO_POSITION,
                          "the view \"%.*s\", which lasts, would read \"%.*s\" of the catalog "
                          "\"%.*s\", which ends with this process",
                          TEXT_ARGS(defined->object.name), TEXT_ARGS(found->object.name),
                          TEXT_ARGS(found->catalog->alias))
               : FIRN_OK;
}

// A name in the query of a view that is being made.
static firn_status note_defined(run *user, const sql_names *path, const object_place *found,
                                firn_error *err) {
    defined_view *to = user->defined;
    to->names = ARENA_GROW(&user->memory, defined_name, to->names, to->count, 1, &to->capacity);
    if (to->names == NULL) {
        return ARENA_FULL(&user->memory, err);
    }
    to->names[to->count++] = (defined_name){.path = path, .place = *found};
    return FIRN_OK;
}

static firn_status load_listed(text name, const table_version *version, table_snapshot **out,
                               firn_error *err) {
    TRY(information_schema_open(name, out, err));
    if (*out != NULL && version != NULL && version->kind != VERSION_CURRENT) {
        table_snapshot_release(*out);
        *out = NULL;
        return FAIL_SQL(err, FIRN_INVALID, "42809", NO_POSITION,
                        "\"%.*s\" is of information_schema and has no earlier versions",
                        TEXT_ARGS(name));
    }
    return FIRN_OK;
}

static firn_status load(const object_place *place, const table_version *version, run *user,
                        arena *memory, catalog_object *out, firn_error *err) {
    if (place->catalog == NULL) {
        return FAIL(err, FIRN_NOT_FOUND, "no catalog");
    }
    if (session_space_is_listed(&place->object.space)) {
        *out = (catalog_object){0};
        TRY(load_listed(place->object.name, version, &out->snapshot, err));
        return out->snapshot != NULL ? FIRN_OK
                                     : FAIL_SQL(err, FIRN_NOT_FOUND, "42P01", NO_POSITION,
                                                "there is no table \"%.*s\" in information_schema",
                                                TEXT_ARGS(place->object.name));
    }
    if (user->replaced_as != NULL && session_is_same_place(user->replaced, place, false) &&
        (version == NULL || version->kind == VERSION_CURRENT)) {
        *out = (catalog_object){.snapshot = table_snapshot_retain(user->replaced_as)};
        return FIRN_OK;
    }
    TRY(run_load(user, place->catalog, place->object, version, memory, out, err));
    firn_status status = user->defined == NULL ? FIRN_OK : check_defined(user, place, err);
    if (status != FIRN_OK) {
        table_snapshot_release(out->snapshot);
    }
    return status;
}

// A name of two parts that the current catalog has as schema.name must not be another catalog's
// as well.
static firn_status check_ambiguous(run *user, const sql_names *path, const object_places *places,
                                   firn_error *err) {
    const object_place *first = &places->items[0];
    const object_place *second = &places->items[1];
    catalog_object object = {0};
    firn_error ignored = ERR_INIT;
    if (load(second, NULL, user, &user->memory, &object, &ignored) != FIRN_OK) {
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

// Whether all parts but the last name a table or view: then that is what to tell.
static bool tell_what_is_before(run *user, const sql_names *path, const view_definition *inside,
                                arena *memory, firn_error *err) {
    const sql_names before = {.count = path->count - 1, .items = path->items};
    object_places places;
    firn_error ignored = ERR_INIT;
    if (before.count == 0 ||
        session_places(user, &before, inside, memory, &places, &ignored) != FIRN_OK) {
        return false;
    }
    catalog_object object = {0};
    bool is_found = false;
    for (size_t i = 0; i < places.count && !is_found; i++) {
        is_found = load(&places.items[i], NULL, user, memory, &object, &ignored) == FIRN_OK;
    }
    if (!is_found) {
        return false;
    }
    const bool is_view = object.snapshot == NULL;
    table_snapshot_release(object.snapshot);
    const text last = path->items[path->count - 1].value;
    (void)FAIL_SQL(err, FIRN_NOT_FOUND, "42P01", path->items[0].position,
                   "\"%.*s\" is a %s, and \"%.*s\" behind it names nothing",
                   TEXT_ARGS(path->items[path->count - 2].value), is_view ? "view" : "table",
                   TEXT_ARGS(last));
    if (!is_view) {
        err_hint(err, "there are no metadata tables; FOR VERSION AS OF and FOR TIMESTAMP AS OF "
                      "read earlier snapshots");
    }
    return true;
}

// Whether it is the schema that is missing: then that is what to tell. Asked only of the place of
// which `err` tells that it has no such table.
static bool tell_no_schema(run *user, const sql_names *path, const object_places *places,
                           arena *memory, firn_error *err) {
    const object_place *place = &places->items[places->told];
    const namespace_path space = place->object.space;
    const bool is_named = path->count == 2 || (size_t)space.count + 2 == path->count;
    firn_error ignored = ERR_INIT;
    bool exists = true;
    if (place->catalog == NULL || path->count == 1 || space.count == 0 || !is_named ||
        place->listed.count > 0 || session_is_information_schema(path) ||
        place->catalog->kind->has_namespace(place->catalog, space, &exists, &user->cancel,
                                            &ignored) != FIRN_OK ||
        exists) {
        return false;
    }
    text_builder name = text_builder_open(memory);
    text shown;
    for (uint32_t i = 0; i < space.count; i++) {
        text_append(&name, i == 0 ? TEXT("") : TEXT("."));
        text_append(&name, space.items[i]);
    }
    if (text_builder_finish(&name, &shown, &ignored) != FIRN_OK) {
        return false;
    }
    (void)FAIL_SQL(err, FIRN_NOT_FOUND, "42P01", path->items[0].position,
                   "there is no schema \"%.*s\" in the catalog \"%.*s\"", TEXT_ARGS(shown),
                   TEXT_ARGS(place->catalog->alias));
    proposal offer = {.memory = memory, .cancel = &user->cancel};
    propose_around(user, path, places, &offer, err);
    if (err->hint[0] == '\0' && !session_has_main(user->session, place->catalog)) {
        propose_schemas_of(place->catalog, (text){.size = 0}, memory, &user->cancel, err);
    }
    return true;
}

// Whether no schema was named where there is no default one: then that is what to tell.
static bool tell_no_default(run *user, const object_places *places, arena *memory,
                            firn_error *err) {
    const object_place *place = &places->items[places->told];
    if (place->catalog == NULL || place->object.space.count > 0 ||
        session_has_main(user->session, place->catalog)) {
        return false;
    }
    proposal offer = {
        .near = nearest_to(place->object.name), .memory = memory, .cancel = &user->cancel};
    propose_tables(&offer, place); // Folders may have tables outside of any schema.
    if (!nearest_hint(&offer.near, err)) {
        propose_schemas_of(place->catalog, place->object.name, memory, &user->cancel, err);
    }
    return true;
}

// Whether search_path has a schema "catalog.schema" of an attached catalog: then that is what to
// tell, since all of it is looked for in the current catalog.
static bool tell_path_is_of_one(run *user, const sql_names *path, firn_error *err) {
    text rest = user->search_path;
    while (path->count == 1 && rest.size > 0) {
        const text schema = search_path_next(&rest);
        const size_t dot = text_find(schema, TEXT("."));
        const sql_name first = {.value = text_slice(schema, 0, dot)};
        const attached *found = catalog_set_find(user->catalogs, &first);
        if (dot < schema.size && found != NULL) {
            (void)FAIL_SQL(
                err, FIRN_NOT_FOUND, "42P01", path->items[0].position,
                "there is no table \"%.*s\" in the schemas of search_path, which are the "
                "current catalog's",
                TEXT_ARGS(path->items[0].value));
            err_hint(err, "USE %.*s makes the schema of that catalog the current one",
                     TEXT_ARGS(schema));
            return true;
        }
    }
    return false;
}

// The whole path of what a name of one part means.
firn_status session_name_place(firn_session *self, const object_place *found, arena *memory,
                               text_list *out, firn_error *err) {
    const namespace_path *space = &found->object.space;
    text *items = ARENA_NEW(memory, text, (size_t)space->count + 3);
    if (items == NULL) {
        return ARENA_FULL(memory, err);
    }
    *out = (text_list){.items = items};
    items[out->count++] = found->catalog->alias;
    for (uint32_t i = 0; i < space->count; i++) {
        items[out->count++] = space->items[i];
    }
    if (space->count == 0 && session_has_main(self, found->catalog)) {
        items[out->count++] = TEXT("main");
    }
    items[out->count++] = found->object.name;
    return FIRN_OK;
}

// What a name means: the places where it may be, in one of which it is or not.
typedef struct lookup {
    run *user;
    const sql_names *path;
    const table_version *version;
    arena *memory;
    object_places places;
    size_t at;          // The place where it was found.
    firn_error missing; // What a place says that does not have it: told only if no place has it.
} lookup;

static firn_status look_at(lookup *self, size_t index, catalog_object *out, bool *is_found,
                           firn_error *err) {
    firn_error said = ERR_INIT;
    firn_status status =
        load(&self->places.items[index], self->version, self->user, self->memory, out, &said);
    if (status == FIRN_OK) {
        self->at = index;
        *is_found = true;
        const bool may_be_both = self->path->count == 2 && index == 0 && self->places.count == 2;
        status =
            may_be_both ? check_ambiguous(self->user, self->path, &self->places, err) : FIRN_OK;
        if (status != FIRN_OK) {
            table_snapshot_release(out->snapshot);
        }
        return status;
    }
    if (status != FIRN_NOT_FOUND) {
        *err = said;
        return status;
    }
    if (index == self->places.told || self->missing.status == FIRN_OK) {
        self->missing = said;
    }
    return FIRN_OK;
}

static firn_status spell_at(lookup *self, size_t index, firn_error *err) {
    const firn_status status =
        spell_place(&self->places.items[index], self->memory, &self->user->cancel, err);
    if (status != FIRN_OK) {
        err->position = self->path->items[0].position;
    }
    return status;
}

// As it is written in all places before as it may be spelled in any: that must be asked for.
static firn_status look(lookup *self, catalog_object *out, bool *is_found, firn_error *err) {
    *is_found = false;
    for (size_t i = 0; i < self->places.count && !*is_found; i++) {
        TRY(look_at(self, i, out, is_found, err));
    }
    for (size_t i = 0; i < self->places.count && !*is_found; i++) {
        TRY(spell_at(self, i, err));
        if (!self->places.items[i].is_spelled) {
            continue;
        }
        if (self->path->count == 2 && i == 0 && self->places.count == 2) { // It may be both.
            TRY(spell_at(self, 1, err));
        }
        TRY(look_at(self, i, out, is_found, err));
    }
    return FIRN_OK;
}

static firn_status say_missing(lookup *self, const view_definition *inside, firn_error *err) {
    run *user = self->user;
    const sql_names *path = self->path;
    *err = self->missing;
    err->position = path->items[0].position;
    if (inside != NULL && path->count > 2 &&
        session_named_catalog(user, &path->items[0], inside) == NULL) {
        err_hint(err, "if \"%.*s\" is a catalog to the view's maker, attach it under that name",
                 TEXT_ARGS(path->items[0].value));
    } else if (inside == NULL && tell_path_is_of_one(user, path, err)) {
        // Said.
    } else if (!tell_what_is_before(user, path, inside, self->memory, err) &&
               !tell_no_schema(user, path, &self->places, self->memory, err) &&
               !tell_no_default(user, &self->places, self->memory, err) && err->hint[0] == '\0') {
        propose(user, path, &self->places, self->memory, err);
    }
    TRY(cancel_check(&user->cancel, err));
    return err->status;
}

// t.branch_x and t.tag_x, where no table is called so: what t is at that branch or tag.
static bool is_name_of_ref(const lookup *self, text *ref) {
    static const char *const beginnings[] = {"branch_", "tag_"};
    const text last = self->path->items[self->path->count - 1].value;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        const size_t size = strlen(beginnings[i]);
        if (last.size > size &&
            text_equal_nocase(text_slice(last, 0, size), text_of(beginnings[i]))) {
            *ref = text_slice(last, size, last.size);
            return self->path->count > 1 && self->version->kind == VERSION_CURRENT;
        }
    }
    return false;
}

// Errors of a table that has no such branch or tag; if there is no such table only where nothing
// else can have been meant. `place`, of the table, and `ref` may be NULL.
static firn_status look_at_ref(lookup *self, const view_definition *inside, object_place *place,
                               text *ref, catalog_object *out, bool *is_found, firn_error *err) {
    table_version version = {.kind = VERSION_REF};
    const sql_names before = {.count = self->path->count - 1, .items = self->path->items};
    lookup table = {.user = self->user,
                    .path = &before,
                    .version = &version,
                    .memory = self->memory,
                    .missing = ERR_INIT};
    if (!is_name_of_ref(self, &version.ref)) {
        return FIRN_OK;
    }
    TRY(session_places(self->user, &before, inside, self->memory, &table.places, err));
    firn_status status = look(&table, out, is_found, err);
    // The table is there; or catalog, schema and table were named, and that is what is missing.
    const bool is_told = strcmp(table.missing.sqlstate, "42704") == 0 ||
                         (self->path->count > 3 && strcmp(table.missing.sqlstate, "42P01") == 0);
    if (status == FIRN_OK && !*is_found && is_told) {
        *err = table.missing;
        status = err->status;
    }
    if (status != FIRN_OK && err->position == NO_POSITION) {
        err->position = self->path->items[before.count].position;
    }
    *is_found = *is_found && out->snapshot != NULL; // A view has none.
    if (*is_found && place != NULL) {
        *place = table.places.items[table.at];
        *ref = version.ref;
    }
    return status;
}

static firn_status find(void *session, const sql_names *path, const table_version *version,
                        const view_definition *inside, arena *memory, bound_object *out,
                        firn_error *err) {
    lookup self = {
        .user = session, .path = path, .version = version, .memory = memory, .missing = ERR_INIT};
    *out = (bound_object){0};
    if (session_is_information_schema(path)) {
        const firn_status status =
            load_listed(path->items[path->count - 1].value, version, &out->snapshot, err);
        if (status != FIRN_OK) {
            err->position = path->items[0].position;
            return status;
        }
        if (out->snapshot != NULL) {
            return FIRN_OK;
        }
    }
    catalog_object object = {0};
    object_place place;
    text ref;
    bool is_found;
    TRY(session_places(self.user, path, inside, memory, &self.places, err));
    TRY(look(&self, &object, &is_found, err));
    if (is_found) {
        place = self.places.items[self.at];
    } else {
        TRY(look_at_ref(&self, inside, &place, &ref, &object, &is_found, err));
    }
    if (!is_found) {
        return say_missing(&self, inside, err);
    }
    firn_status status = FIRN_OK;
    if (path->count == 1) {
        status = session_name_place(self.user->session, &place, memory, &out->place, err);
    }
    if (status == FIRN_OK && self.user->defined != NULL && self.user->defined->as == inside) {
        status = note_defined(self.user, path, &place, err);
    }
    if (status != FIRN_OK) {
        table_snapshot_release(object.snapshot);
        return status;
    }
    out->view = object.view;
    out->snapshot = object.snapshot;
    return FIRN_OK;
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

firn_status session_check_name(run *user, const sql_names *path, firn_error *err) {
    object_places places;
    catalog_object object = {0};
    firn_error ignored = ERR_INIT;
    TRY(session_places(user, path, NULL, &user->memory, &places, err));
    if (path->count != 2 || places.count != 2 ||
        load(&places.items[0], NULL, user, &user->memory, &object, &ignored) != FIRN_OK) {
        return FIRN_OK;
    }
    table_snapshot_release(object.snapshot);
    return check_ambiguous(user, path, &places, err);
}

// `ref` may be NULL: then names of branches and tags are none.
static firn_status find_place(run *user, const sql_names *path, object_place *place, text *ref,
                              catalog_object *out, firn_error *err) {
    const table_version now = {.kind = VERSION_CURRENT};
    lookup self = {
        .user = user, .path = path, .version = &now, .memory = &user->memory, .missing = ERR_INIT};
    bool is_found;
    *out = (catalog_object){0};
    if (session_is_information_schema(path)) {
        return command_refuse_listed(path, "this", err);
    }
    TRY(session_places(user, path, NULL, &user->memory, &self.places, err));
    TRY(look(&self, out, &is_found, err));
    if (is_found) {
        *place = self.places.items[self.at];
        return FIRN_OK;
    }
    if (ref != NULL) {
        TRY(look_at_ref(&self, NULL, place, ref, out, &is_found, err));
    }
    return is_found ? FIRN_OK : say_missing(&self, NULL, err);
}

firn_status session_find(run *user, const sql_names *path, object_place *place, catalog_object *out,
                         firn_error *err) {
    return find_place(user, path, place, NULL, out, err);
}

firn_status session_find_rows(run *user, const sql_names *path, object_place *place, text *ref,
                              catalog_object *out, firn_error *err) {
    *ref = (text){.size = 0};
    return find_place(user, path, place, ref, out, err);
}

firn_status session_load_at(run *user, object_place *place, catalog_object *out, firn_error *err) {
    const table_version now = {.kind = VERSION_CURRENT};
    firn_error missing = ERR_INIT;
    const firn_status status = load(place, &now, user, &user->memory, out, &missing);
    if (status == FIRN_NOT_FOUND) {
        TRY(spell_place(place, &user->memory, &user->cancel, err));
        if (place->is_spelled) {
            return load(place, &now, user, &user->memory, out, err);
        }
    }
    if (status != FIRN_OK) {
        *err = missing;
    }
    return status;
}
