#include <assert.h>

#include "base/host.h"
#include "base/utf8.h"
#include "catalogs/catalogs.h"
#include "catalogs/memory_catalog.h"
#include "engine/propose.h"
#include "engine/spelling.h"
#include "engine/transactions.h"
#include "tables/stream/registered_stream.h"

// ---- Open and close -----------------------------------------------------------------------------

// Adds a catalog, which is the session's on success when it is owned.
static firn_status add_attached(firn_session *self, catalog *taken, bool is_owned, text alias,
                                firn_error *err) {
    attached *made;
    TRY(attached_open(taken, is_owned, alias, &made, err));
    catalog_set *with;
    firn_status status = catalog_set_with(self->catalogs, made, &with, err);
    if (status != FIRN_OK) {
        made->is_owned = false; // Still the caller's.
    }
    attached_release(made);
    TRY(status);
    mutex_lock(&self->lock);
    catalog_set *before = self->catalogs;
    self->catalogs = with;
    mutex_unlock(&self->lock);
    catalog_set_release(before);
    return FIRN_OK;
}

static void close_session(firn_session *self) {
    firn_engine *engine = self->engine;
    mutex_lock(&engine->lock);
    if (self->previous != NULL) {
        self->previous->next = self->next;
    } else if (engine->sessions == self) {
        engine->sessions = self->next;
    }
    if (self->next != NULL) {
        self->next->previous = self->previous;
    }
    mutex_unlock(&engine->lock);
    session_end_block(self);
    catalog_set_release(self->catalogs);
    if (self->temporary != NULL) {
        self->temporary->kind->close(self->temporary);
    }
    arena_close(&self->memory);
    pool_close(self->pool);
    mutex_end(&self->lock);
    host_free(self);
    engine_release(engine);
}

firn_session *session_retain(firn_session *self) {
    (void)atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    return self;
}

void session_release(firn_session *self) {
    if (atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) == 1) {
        close_session(self);
    }
}

static firn_status fill(firn_session *self, firn_error *err) {
    firn_engine *engine = self->engine;
    const pool_options options = {.kind = POOL_SESSION, .name = "session"};
    TRY(pool_open(engine->pool, &options, &self->pool, err));
    TRY(memory_catalog_open(TEXT("temp"), engine->tables, &self->temporary, err));
    TRY(add_attached(self, self->temporary, false, TEXT("temp"), err));
    TRY(add_attached(self, engine->memory, false, TEXT("memory"), err));
    self->current_catalog = TEXT("memory");
    return text_copy(&self->memory, text_of(self->settings.texts[SETTING_search_path]),
                     &self->search_path, err);
}

firn_status firn_session_open(firn_engine *engine, firn_session **out, firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    TRY(check_given(out, "out", err));
    *out = NULL;
    TRY(engine_check(engine, err));
    firn_session *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self);
    }
    *self = (firn_session){.engine = engine, .memory = arena_open(SIZE_MAX)};
    atomic_init(&self->references, 1);
    mutex_begin(&self->lock, MUTEX_SESSION);
    (void)atomic_fetch_add_explicit(&engine->references, 1, memory_order_relaxed);
    mutex_lock(&engine->lock);
    self->settings = engine->settings;
    self->next = engine->sessions;
    if (self->next != NULL) {
        self->next->previous = self;
    }
    engine->sessions = self;
    mutex_unlock(&engine->lock);
    firn_status status = fill(self, err);
    if (status != FIRN_OK) {
        session_release(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

void firn_session_close(firn_session *session) {
    if (session != NULL && engine_is_ours(session->engine)) {
        // Now and not with the last reference: a registered stream may be a query of this session,
        // which keeps it alive.
        session_end_block(session);
        memory_catalog_clear(session->temporary);
        session_release(session);
    }
}

firn_status session_enter(firn_session *self, firn_error *err) {
    TRY(check_given(self, "session", err));
    TRY(engine_check(self->engine, err));
    return caller_enter(&self->caller, "session", err);
}

void session_leave(firn_session *self) {
    caller_leave(&self->caller);
}

// ---- Settings and cancelling --------------------------------------------------------------------

firn_status firn_session_set(firn_session *session, const char *key, const char *value,
                             firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    TRY(check_given(key, "key", err));
    TRY(check_given(value, "value", err));
    TRY(session_enter(session, err));
    firn_status status = session_set(session, text_of(key), text_of(value), err);
    engine_note_change(session->engine);
    session_leave(session);
    return status;
}

// What USE, DETACH and search_path say. The texts live in the session's memory, where runs still
// read old ones.
static firn_status set_current(firn_session *self, text catalog_name, text path, firn_error *err) {
    TRY(text_copy(&self->memory, catalog_name, &catalog_name, err));
    TRY(text_copy(&self->memory, path, &path, err));
    TRY(settings_set_path(&self->settings, path, err));
    mutex_lock(&self->lock);
    self->current_catalog = catalog_name;
    self->search_path = path;
    mutex_unlock(&self->lock);
    return FIRN_OK;
}

firn_status session_set(firn_session *self, text key, text value, firn_error *err) {
    setting_id id;
    TRY(settings_find(key, &id, err));
    if (setting_is_of_engine(id)) {
        TRY(engine_set(self->engine, key, value, err));
    }
    TRY(settings_set(&self->settings, key, value, err));
    return id == SETTING_search_path ? set_current(self, self->current_catalog, value, err)
                                     : FIRN_OK;
}

firn_status session_reset(firn_session *self, text key, firn_error *err) {
    setting_id id;
    TRY(settings_find(key, &id, err));
    return session_set(self, setting_name(id), setting_default(id), err);
}

void session_setting(firn_session *self, setting_id id, char *out) {
    if (setting_is_of_engine(id)) {
        mutex_lock(&self->engine->lock);
        settings_resolved(&self->engine->settings, id, out);
        mutex_unlock(&self->engine->lock);
    } else {
        settings_resolved(&self->settings, id, out);
    }
}

firn_status firn_session_get(firn_session *session, const char *key, char *value, size_t *size,
                             firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    TRY(check_given(key, "key", err));
    TRY(check_given(size, "size", err));
    TRY(session_enter(session, err));
    setting_id id;
    firn_status status = settings_find(text_of(key), &id, err);
    if (status == FIRN_OK) {
        char found[SETTING_TEXT_MAX];
        session_setting(session, id, found);
        settings_copy_out(text_of(found), value, size);
    }
    session_leave(session);
    return status;
}

void session_add_run(firn_session *self, run *added) {
    mutex_lock(&self->lock);
    added->next = self->runs;
    if (added->next != NULL) {
        added->next->previous = added;
    }
    self->runs = added;
    added->catalogs = catalog_set_retain(self->catalogs);
    added->context.catalog = self->current_catalog;
    added->search_path = self->search_path;
    added->block = block_retain(self->block);
    text rest = self->search_path;
    added->context.schema = search_path_next(&rest);
    mutex_unlock(&self->lock);
}

void session_remove_run(firn_session *self, run *removed) {
    mutex_lock(&self->lock);
    if (removed->previous != NULL) {
        removed->previous->next = removed->next;
    } else if (self->runs == removed) {
        self->runs = removed->next;
    }
    if (removed->next != NULL) {
        removed->next->previous = removed->previous;
    }
    removed->previous = NULL;
    removed->next = NULL;
    mutex_unlock(&self->lock);
}

void session_stop_runs(firn_session *self) {
    mutex_lock(&self->lock);
    for (run *each = self->runs; each != NULL; each = each->next) {
        run_cancel(each);
    }
    mutex_unlock(&self->lock);
}

// A cancelled run whose stream nobody pulls; the caller releases it. NULL: none.
static run *retain_left(firn_session *self) {
    mutex_lock(&self->lock);
    run *found = self->runs;
    // One whose last reference has gone is about to leave the list.
    while (found != NULL && !(run_is_left(found) && run_retain_living(found))) {
        found = found->next;
    }
    mutex_unlock(&self->lock);
    return found;
}

void firn_session_cancel(firn_session *session) {
    if (session == NULL || !engine_is_ours(session->engine)) {
        return;
    }
    session_stop_runs(session);
    // Streams that are pulled give back what they hold themselves. So does, when it is pulled again
    // or released, one that is cancelled from inside a query: its tasks would wait for themselves.
    if (!scheduler_is_on_thread(session->engine->scheduler)) {
        for (run *left = retain_left(session); left != NULL; left = retain_left(session)) {
            run_end_left(left);
            run_release(left);
        }
    }
}

firn_status firn_register_stream(firn_session *session, const char *name,
                                 struct ArrowArrayStream *source, firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    TRY(check_given(name, "name", err));
    TRY(check_given(source, "source", err));
    if (name[0] == '\0') {
        return FAIL(err, FIRN_INVALID, "a registered stream needs a name");
    }
    const text given = text_of(name);
    if (!utf8_is_valid(bytes_of_text(given))) {
        return FAIL(err, FIRN_INVALID, "the name \"%s\" is not UTF-8", name);
    }
    TRY(session_enter(session, err));
    table_snapshot *made;
    firn_status status = registered_stream_open(text_of(name), source, stream_pull, &made, err);
    if (status == FIRN_OK) {
        status = memory_catalog_put(session->temporary, text_of(name), made, err);
        if (status != FIRN_OK) {
            registered_stream_give_back(made, source);
        }
    }
    engine_note_change(session->engine);
    session_leave(session);
    return status;
}

// ---- Catalogs -----------------------------------------------------------------------------------

firn_status session_attach(firn_session *self, text alias, text location,
                           const firn_option *options, size_t count, const cancel_flag *cancel,
                           firn_error *err) {
    const sql_name name = {.value = alias};
    if (catalog_set_find(self->catalogs, &name) != NULL) {
        firn_status status = FAIL_SQL(err, FIRN_INVALID, "42710", NO_POSITION,
                                      "a catalog \"%.*s\" is attached already", TEXT_ARGS(alias));
        err_hint(err, "DETACH it first, or choose another name with AS");
        return status;
    }
    catalog *made;
    TRY(catalog_open(alias, location, options, count, self->engine->io, &made, err));
    made->pool = self->engine->tables;
    firn_status status =
        made->kind->connect == NULL ? FIRN_OK : made->kind->connect(made, cancel, err);
    status = status == FIRN_OK ? add_attached(self, made, true, alias, err) : status;
    if (status != FIRN_OK) {
        made->kind->close(made);
    }
    return status;
}

firn_status session_say_no_catalog(const catalog_set *among, const sql_name *name,
                                   firn_error *err) {
    firn_status status = FAIL_SQL(err, FIRN_NOT_FOUND, "3D000", name->position,
                                  "no catalog \"%.*s\" is attached", TEXT_ARGS(name->value));
    proposal offer = {.near = nearest_to(name->value)};
    propose_catalogs(&offer, among);
    (void)nearest_hint(&offer.near, err);
    return status;
}

firn_status session_say_no_space(const catalog_set *among, const sql_names *path,
                                 const object_place *place, arena *memory,
                                 const cancel_flag *cancel, firn_error *err) {
    const attached *whole = catalog_set_find(among, &path->items[0]);
    if (path->count == 1 && whole != NULL && whole->catalog == place->catalog) {
        const firn_status status =
            FAIL_SQL(err, FIRN_NOT_FOUND, "3F000", path->items[0].position,
                     "the catalog \"%.*s\" has no default schema", TEXT_ARGS(whole->alias));
        propose_schemas_of(whole->catalog, (text){.size = 0}, memory, cancel, err);
        return status;
    }
    text_builder builder = text_builder_open(memory);
    for (size_t i = 0; i < path->count; i++) {
        text_append(&builder, i == 0 ? TEXT("") : TEXT("."));
        text_append(&builder, path->items[i].value);
    }
    text name;
    TRY(text_builder_finish(&builder, &name, err));
    firn_status status = FAIL_SQL(err, FIRN_NOT_FOUND, "3F000", path->items[0].position,
                                  "there is no catalog or schema \"%.*s\"", TEXT_ARGS(name));
    proposal offer = {
        .near = nearest_to(path->items[path->count - 1].value), .memory = memory, .cancel = cancel};
    propose_spaces(&offer, place->catalog, place->object.space);
    if (!nearest_hint(&offer.near, err)) {
        offer.near = nearest_to(path->items[0].value);
        propose_catalogs(&offer, among);
        (void)nearest_hint(&offer.near, err);
    }
    return status;
}

firn_status session_detach(firn_session *self, const sql_name *name, firn_error *err) {
    const attached *found = catalog_set_find(self->catalogs, name);
    if (found == NULL) {
        return session_say_no_catalog(self->catalogs, name, err);
    }
    if (found->catalog == self->engine->memory || found->catalog == self->temporary) {
        return FAIL_SQL(err, FIRN_INVALID, "42809", name->position,
                        "the catalog \"%.*s\" cannot be detached", TEXT_ARGS(name->value));
    }
    if (session_block_has(self, found->catalog)) {
        const firn_status status =
            FAIL_SQL(err, FIRN_INVALID, "55006", name->position,
                     "the catalog \"%.*s\" is used by the transaction", TEXT_ARGS(name->value));
        err_hint(err, "COMMIT or ROLLBACK first");
        return status;
    }
    if (text_equal(self->current_catalog, found->alias)) {
        TRY(set_current(self, TEXT("memory"), TEXT("main"), err));
    }
    catalog_set *without;
    TRY(catalog_set_without(self->catalogs, found, &without, err));
    mutex_lock(&self->lock);
    catalog_set *before = self->catalogs;
    self->catalogs = without;
    mutex_unlock(&self->lock);
    catalog_set_release(before); // Runs that began with it still have the catalog.
    return FIRN_OK;
}

// USE catalog, USE catalog.schema, USE schema (of the current catalog).
firn_status session_use(firn_session *self, const sql_names *path, arena *memory,
                        const cancel_flag *cancel, firn_error *err) {
    const attached *named = catalog_set_find(self->catalogs, &path->items[0]);
    const size_t used = named != NULL ? 1 : 0;
    const text catalog_name = named != NULL ? named->alias : self->current_catalog;
    const sql_name found = {.value = catalog_name, .is_quoted = true};
    object_place place = {.catalog = catalog_set_catalog(self->catalogs, &found)};
    if (path->count == used) {
        const text schema = session_has_main(self, place.catalog) ? TEXT("main") : TEXT("");
        return set_current(self, catalog_name, schema, err);
    }
    namespace_path *space = &place.object.space;
    bool exists;
    TRY(session_levels(path->items + used, path->count - used, memory, space, err));
    firn_status status = FIRN_OK;
    exists = session_space_is_listed(space);
    if (!exists) {
        status = spell_space(place.catalog, space, memory, cancel, &exists, err);
    }
    if (status == FIRN_OK && !exists) {
        status = session_say_no_space(self->catalogs, path, &place, memory, cancel, err);
    }
    if (status != FIRN_OK) {
        err->position = path->items[0].position;
        return status;
    }
    text_builder builder = text_builder_open(memory);
    for (uint32_t i = 0; i < space->count; i++) {
        text_append(&builder, i == 0 ? TEXT("") : TEXT("."));
        text_append(&builder, space->items[i]);
    }
    text schema;
    TRY(text_builder_finish(&builder, &schema, err));
    return set_current(self, catalog_name, schema, err);
}
