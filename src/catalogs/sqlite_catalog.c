// ATTACH 'sqlite:FILE': tables and views named by a SQLite file (sqlite_client.h).
#include "base/host.h"
#include "base/mutex.h"
#include "catalogs/catalog_location.h"
#include "catalogs/catalog_options.h"
#include "catalogs/loaded_object.h"
#include "catalogs/sqlite_client.h"
#include "catalogs/view_commit.h"
#include "catalogs/view_file.h"
#include "memory/text_builder.h"
#include "tables/iceberg/iceberg_purge.h"

#define CATALOG_BYTES_MAX ((size_t)1 << 30)

extern const catalog_kind sqlite_catalog_kind; // As catalogs.def names it.

typedef struct sqlite_catalog {
    catalog base;
    arena memory;
    io *files;
    sqlite_options how;
    text warehouse;
    mutex lock;            // The client takes one thread at a time.
    sqlite_client *client; // NULL until it is connected.
} sqlite_catalog;

static sqlite_catalog *of(catalog *base) {
    return (sqlite_catalog *)base; // Its first member.
}

static bool recognises(text location) {
    return text_starts_with(location, TEXT("sqlite:"));
}

// The file of "sqlite:x", "sqlite:/x" and "sqlite:///x".
static text path_of(text location) {
    const text rest = text_slice(location, sizeof "sqlite:" - 1, location.size);
    return text_starts_with(rest, TEXT("//")) ? text_slice(rest, 2, rest.size) : rest;
}

static firn_status read_options(sqlite_catalog *self, text location, const firn_option *options,
                                size_t count, firn_error *err) {
    catalog_options read;
    TRY(catalog_options_read(options, count, CATALOG_SQLITE, &self->memory, &read, err));
    TRY(text_copy(&self->memory, path_of(location), &self->how.path, err));
    TRY(text_copy(&self->memory, read.catalog_name, &self->how.catalog_name, err));
    TRY(text_copy(&self->memory, read.warehouse, &self->warehouse, err));
    self->base.is_read_only = read.is_read_only;
    self->how.alias = self->base.alias;
    self->how.is_read_only = read.is_read_only;
    return FIRN_OK;
}

static firn_status open_catalog(text alias, text location, const firn_option *options, size_t count,
                                struct io *files, catalog **out, firn_error *err) {
    arena memory = arena_open(CATALOG_BYTES_MAX);
    sqlite_catalog *self = ARENA_NEW(&memory, sqlite_catalog, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self =
        (sqlite_catalog){.base = {.kind = &sqlite_catalog_kind}, .memory = memory, .files = files};
    firn_status status = text_copy(&self->memory, alias, &self->base.alias, err);
    status = status == FIRN_OK ? read_options(self, location, options, count, err) : status;
    if (status != FIRN_OK) {
        memory = self->memory;
        arena_close(&memory);
        return status;
    }
    mutex_begin(&self->lock, MUTEX_CATALOG);
    *out = &self->base;
    return FIRN_OK;
}

// Another program may hold a lock on the file.
static firn_status open_client(catalog *base, const cancel_flag *cancel, firn_error *err) {
    sqlite_catalog *self = of(base);
    self->how.cancel = cancel;
    const firn_status status = sqlite_client_open(&self->how, &self->client, err);
    self->how.cancel = NULL;
    return status;
}

static void close_catalog(catalog *base) {
    sqlite_catalog *self = of(base);
    sqlite_client_close(self->client);
    mutex_end(&self->lock);
    arena memory = self->memory;
    arena_close(&memory);
}

static firn_status list_namespaces(catalog *base, namespace_path parent, arena *memory,
                                   namespace_path **out, uint32_t *count, const cancel_flag *cancel,
                                   firn_error *err) {
    sqlite_catalog *self = of(base);
    mutex_lock(&self->lock);
    const firn_status status =
        sqlite_client_namespaces(self->client, parent, memory, out, count, cancel, err);
    mutex_unlock(&self->lock);
    return status;
}

static firn_status has_namespace(catalog *base, namespace_path space, bool *out,
                                 const cancel_flag *cancel, firn_error *err) {
    sqlite_catalog *self = of(base);
    mutex_lock(&self->lock);
    const firn_status status = sqlite_client_has_namespace(self->client, space, out, cancel, err);
    mutex_unlock(&self->lock);
    return status;
}

static firn_status list(catalog *base, namespace_path space, arena *memory, catalog_entry_list *out,
                        const cancel_flag *cancel, firn_error *err) {
    sqlite_catalog *self = of(base);
    mutex_lock(&self->lock);
    const firn_status status = sqlite_client_list(self->client, space, memory, out, cancel, err);
    mutex_unlock(&self->lock);
    return status;
}

static firn_status load(catalog *base, object_name name, const table_version *version,
                        arena *memory, catalog_object *out, const cancel_flag *cancel,
                        firn_error *err) {
    sqlite_catalog *self = of(base);
    loaded_table loaded = {.is_view = false};
    mutex_lock(&self->lock);
    const firn_status status =
        sqlite_client_load(self->client, name.space, name.name, memory, &loaded, cancel, err);
    mutex_unlock(&self->lock);
    TRY(status);
    const loaded_name names = {
        .pool = base->pool, .alias = base->alias, .object = name, .version = version};
    return loaded_object_open(self->files, &names, &loaded, memory, out, cancel, err);
}

// ---- Writing -----------------------------------------------------------------------------------

static firn_status change_namespace(catalog *base, namespace_path space,
                                    const namespace_change *change, firn_error *err) {
    sqlite_catalog *self = of(base);
    mutex_lock(&self->lock);
    const firn_status status = sqlite_client_change_namespace(self->client, space, change, err);
    mutex_unlock(&self->lock);
    return status;
}

static firn_status create_namespace(catalog *base, namespace_path space, firn_error *err) {
    return change_namespace(base, space, &(namespace_change){.is_new = true}, err);
}

static firn_status drop_namespace(catalog *base, namespace_path space, firn_error *err) {
    sqlite_catalog *self = of(base);
    mutex_lock(&self->lock);
    const firn_status status = sqlite_client_drop_namespace(self->client, space, err);
    mutex_unlock(&self->lock);
    return status;
}

static firn_status read_properties(catalog *base, namespace_path space, arena *memory,
                                   catalog_properties *out, const cancel_flag *cancel,
                                   firn_error *err) {
    sqlite_catalog *self = of(base);
    mutex_lock(&self->lock);
    const firn_status status =
        sqlite_client_namespace_properties(self->client, space, memory, out, cancel, err);
    mutex_unlock(&self->lock);
    return status;
}

static firn_status namespace_properties(catalog *base, namespace_path space, arena *memory,
                                        size_t *count, firn_option **out, const cancel_flag *cancel,
                                        firn_error *err) {
    catalog_properties found;
    *count = 0;
    TRY(read_properties(base, space, memory, &found, cancel, err));
    TRY(catalog_properties_as_options(&found, memory, out, err));
    *count = found.count;
    return FIRN_OK;
}

static firn_status drop(catalog *base, object_name name, bool is_view, firn_error *err) {
    sqlite_catalog *self = of(base);
    mutex_lock(&self->lock);
    const firn_status status = sqlite_client_drop(self->client, name, is_view, err);
    mutex_unlock(&self->lock);
    return status;
}

// Of a view that has that name, where it is; else below the namespace's location or the warehouse.
static firn_status find_view(sqlite_catalog *self, object_name name, arena *memory,
                             loaded_table *out, firn_error *err) {
    mutex_lock(&self->lock);
    const firn_status status =
        sqlite_client_load(self->client, name.space, name.name, memory, out, NULL, err);
    mutex_unlock(&self->lock);
    return status == FIRN_OK && !out->is_view ? catalog_say_other_kind(name.name, true, NULL, err)
                                              : status;
}

static firn_status choose_location(catalog *base, object_name name, text given, arena *memory,
                                   text *out, const cancel_flag *cancel, firn_error *err);

static firn_status write_view(catalog *base, object_name name, const view_change *change,
                              const loaded_table *old, written_view *out, arena *memory,
                              firn_error *err) {
    if (old->metadata_location.size > 0) {
        return view_file_next(of(base)->files, change, old, memory, out, err);
    }
    text location;
    TRY(choose_location(base, name, (text){.size = 0}, memory, &location, NULL, err));
    return view_file_write(of(base)->files, change->view, location, memory, &out->path, err);
}

// Its file is written.
static firn_status name_view(sqlite_catalog *self, object_name name, const loaded_table *old,
                             text written, firn_error *err) {
    mutex_lock(&self->lock);
    const firn_status status =
        sqlite_client_put_view(self->client, name, old->metadata_location, written, err);
    mutex_unlock(&self->lock);
    if (status != FIRN_OK && status != FIRN_COMMIT_UNKNOWN) {
        view_file_remove(self->files, written, old->metadata_location.size == 0);
    }
    return status;
}

static firn_status put_view(void *user, object_name name, const view_change *change, arena *memory,
                            commit_options *retry, firn_error *err) {
    catalog *base = user;
    sqlite_catalog *self = of(base);
    loaded_table old = {.is_view = false};
    written_view next = {.retry = *retry};
    if (change->kind != VIEW_CREATE) {
        const firn_status status = find_view(self, name, memory, &old, err);
        TRY(change->kind == VIEW_CREATE_OR_REPLACE ? err_forgive(err, status, FIRN_NOT_FOUND)
                                                   : status);
    }
    TRY(write_view(base, name, change, &old, &next, memory, err));
    *retry = next.retry;
    return next.path.size == 0 ? FIRN_OK : name_view(self, name, &old, next.path, err);
}

static firn_status change_view(catalog *base, object_name name, const view_change *change,
                               const cancel_flag *cancel, firn_error *err) {
    return view_commit(put_view, base, name, change, CATALOG_BYTES_MAX, cancel, err);
}

static firn_status rename_object(catalog *base, object_name from, object_name to, bool is_view,
                                 firn_error *err) {
    sqlite_catalog *self = of(base);
    mutex_lock(&self->lock);
    const firn_status status = sqlite_client_rename(self->client, from, to, is_view, err);
    mutex_unlock(&self->lock);
    return status;
}

// ---- Commits -----------------------------------------------------------------------------------

static firn_status form(catalog *base, text format, commit_form *out, bool *is_known,
                        const cancel_flag *cancel, firn_error *err) {
    (void)base;
    (void)cancel;
    (void)err;
    *out = COMMIT_POINTER;
    *is_known = format.size == 0 || text_equal_nocase(format, TEXT("iceberg"));
    return FIRN_OK;
}

// All parts are in one transaction of the file.
static uint32_t table_count_max(catalog *base) {
    (void)base;
    return UINT32_MAX;
}

static firn_status neighbour(catalog *base, object_name name, text location, arena *memory,
                             text *out, const cancel_flag *cancel, firn_error *err) {
    sqlite_catalog *self = of(base);
    mutex_lock(&self->lock);
    const firn_status status =
        sqlite_client_neighbour(self->client, name, location, memory, out, cancel, err);
    mutex_unlock(&self->lock);
    return status;
}

// A table that was renamed keeps its folder: the new one of the old name gets one of its own.
static firn_status leave_neighbour(catalog *base, object_name name, arena *memory, text *location,
                                   const cancel_flag *cancel, firn_error *err) {
    text other;
    uint64_t chance;
    TRY(neighbour(base, name, *location, memory, &other, cancel, err));
    if (other.size == 0) {
        return FIRN_OK;
    }
    TRY(host_random(&chance, sizeof chance, err));
    return text_format(memory, location, err, "%.*s-%016llx", TEXT_ARGS(*location),
                       (unsigned long long)chance);
}

static firn_status choose_location(catalog *base, object_name name, text given, arena *memory,
                                   text *out, const cancel_flag *cancel, firn_error *err) {
    catalog_properties of_space;
    TRY(read_properties(base, name.space, memory, &of_space, cancel, err));
    const location_parts parts = {.given = given,
                                  .of_namespace =
                                      catalog_property_find(&of_space, TEXT("location")),
                                  .warehouse = of(base)->warehouse,
                                  .name = name};
    TRY(catalog_location_new(&parts, memory, out, err));
    return given.size > 0 ? FIRN_OK : leave_neighbour(base, name, memory, out, cancel, err);
}

// Nothing is written before the commit.
static firn_status stage(catalog *base, object_name name, const table_definition *wanted,
                         arena *memory, table_definition *out, const cancel_flag *cancel,
                         firn_error *err) {
    *out = *wanted;
    return choose_location(base, name, wanted->location, memory, &out->location, cancel, err);
}

static firn_status commit(catalog *base, const commit_parts *parts, uint32_t deadline_ms,
                          commit_answer *answer, firn_error *err) {
    sqlite_catalog *self = of(base);
    mutex_lock(&self->lock);
    const firn_status status = sqlite_client_commit(self->client, parts, deadline_ms, answer, err);
    mutex_unlock(&self->lock);
    return status;
}

static firn_status purge(catalog *base, object_name name, text location, const cancel_flag *cancel,
                         firn_error *err) {
    (void)name;
    return ice_table_purge(of(base)->files, location, cancel, err);
}

static const catalog_committer committer = {
    .form = form,
    .table_count_max = table_count_max,
    .stage = stage,
    .commit = commit,
    .purge = purge,
};

const catalog_kind sqlite_catalog_kind = {
    .name = "sqlite",
    .recognises = recognises,
    .open = open_catalog,
    .connect = open_client,
    .close = close_catalog,
    .list_namespaces = list_namespaces,
    .has_namespace = has_namespace,
    .list = list,
    .load = load,
    .neighbour = neighbour,
    .create_namespace = create_namespace,
    .change_namespace = change_namespace,
    .namespace_properties = namespace_properties,
    .drop_namespace = drop_namespace,
    .change_view = change_view,
    .has_view_properties = true,
    .drop = drop,
    .rename = rename_object,
    .committer = &committer,
};
