#include "engine/creation.h"

#include "engine/spelling.h"
#include "engine/transactions.h"

firn_status creation_check(const creation *self, const object_place *place, bool is_known,
                           firn_error *err) {
    if (session_is_information_schema(self->path) ||
        session_space_is_listed(&place->object.space)) {
        return command_refuse_listed(self->path, self->what, err);
    }
    return is_known && !place->catalog->is_read_only
               ? FIRN_OK
               : command_refuse_catalog(place->catalog, self->position, self->what, err);
}

firn_status creation_is_done(run *self, const creation *made, object_place *place, bool *out,
                             firn_error *err) {
    *out = false;
    if (!made->if_not_exists) {
        return spell_place(place, &self->memory, &self->cancel, err);
    }
    catalog_object object = {0};
    const firn_status status = session_load_at(self, place, &object, err);
    *out = status == FIRN_OK;
    table_snapshot_release(object.snapshot);
    return err_forgive(err, status, FIRN_NOT_FOUND);
}

firn_status creation_at_name(run *self, firn_status status, const creation *made, firn_error *err) {
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

firn_status creation_settle(const schema *of, arena *memory, schema *out, firn_error *err) {
    field *settled = ARENA_NEW(memory, field, of->count + 1);
    if (settled == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < of->count; i++) {
        settled[i] = of->fields[i];
        settled[i].type = settled[i].type->id == TYPE_NULL ? TYPE_OF(VARCHAR) : settled[i].type;
    }
    const schema columns = {.count = of->count, .fields = settled};
    return schema_copy(memory, &columns, out, err);
}
