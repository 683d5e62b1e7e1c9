// ATTACH 'https://…': tables and views of a REST catalog server (rest_client.h).
#include "base/host.h"
#include "catalogs/catalog_options.h"
#include "catalogs/loaded_object.h"
#include "catalogs/rest_client.h"
#include "catalogs/rest_client_storage.h"
#include "catalogs/rest_kept.h"
#include "catalogs/view_commit.h"
#include "memory/text_builder.h"

#define CATALOG_BYTES_MAX ((size_t)1 << 30)

extern const catalog_kind rest_catalog_kind; // As catalogs.def names it.

typedef struct rest_catalog {
    catalog base;
    arena memory;
    io *files;
    rest_client *client;
    rest_kept kept;
} rest_catalog;

static rest_catalog *of(catalog *base) {
    return (rest_catalog *)base; // Its first member.
}

static bool recognises(text location) {
    return text_starts_with(location, TEXT("http://")) ||
           text_starts_with(location, TEXT("https://"));
}

static firn_status open_client(rest_catalog *self, text location, const firn_option *options,
                               size_t count, firn_error *err) {
    catalog_options read;
    TRY(catalog_options_read(options, count, CATALOG_REST, &self->memory, &read, err));
    self->base.is_read_only = read.is_read_only;
    const rest_options client = {.alias = self->base.alias,
                                 .uri = location,
                                 .warehouse = read.warehouse,
                                 .token = read.token,
                                 .credential = read.credential,
                                 .scope = read.scope,
                                 .oauth2_server_uri = read.oauth2_server_uri,
                                 .headers = read.headers,
                                 .header_count = read.header_count,
                                 .connect_timeout_ms = read.connect_timeout_ms,
                                 .request_timeout_ms = read.request_timeout_ms,
                                 .wants_credentials = true,
                                 .properties = read.properties};
    return rest_client_open(self->files, &client, &self->client, err);
}

static firn_status open_catalog(text alias, text location, const firn_option *options, size_t count,
                                struct io *files, catalog **out, firn_error *err) {
    arena memory = arena_open(CATALOG_BYTES_MAX);
    rest_catalog *self = ARENA_NEW(&memory, rest_catalog, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (rest_catalog){.base = {.kind = &rest_catalog_kind}, .memory = memory, .files = files};
    firn_status status = text_copy(&self->memory, alias, &self->base.alias, err);
    status = status == FIRN_OK ? open_client(self, location, options, count, err) : status;
    if (status != FIRN_OK) {
        memory = self->memory;
        arena_close(&memory);
        return status;
    }
    rest_kept_open(&self->kept);
    *out = &self->base;
    return FIRN_OK;
}

static firn_status connect_catalog(catalog *base, const cancel_flag *cancel, firn_error *err) {
    return rest_client_connect(of(base)->client, cancel, err);
}

static void close_catalog(catalog *base) {
    rest_catalog *self = of(base);
    rest_client_close(self->client);
    rest_kept_close(&self->kept);
    arena memory = self->memory;
    arena_close(&memory);
}

static firn_status list_namespaces(catalog *base, namespace_path parent, arena *memory,
                                   namespace_path **out, uint32_t *count, const cancel_flag *cancel,
                                   firn_error *err) {
    return rest_client_namespaces(of(base)->client, parent, memory, out, count, cancel, err);
}

static firn_status has_namespace(catalog *base, namespace_path space, bool *out,
                                 const cancel_flag *cancel, firn_error *err) {
    return rest_client_has_namespace(of(base)->client, space, out, cancel, err);
}

static firn_status list(catalog *base, namespace_path space, arena *memory, catalog_entry_list *out,
                        const cancel_flag *cancel, firn_error *err) {
    return rest_client_list(of(base)->client, space, memory, out, cancel, err);
}

// A table that has not changed since it was last sent is not sent again.
static firn_status load_kept(rest_catalog *self, object_name name, arena *memory, loaded_table *out,
                             const cancel_flag *cancel, firn_error *err) {
    rest_load what = {.space = name.space, .name = name.name};
    const int64_t now_ms = host_time_us() / 1000;
    bool has_keys;
    TRY(rest_kept_etag(&self->kept, name, now_ms, memory, &what.etag, &has_keys, err));
    if (has_keys && !rest_storage_knows(self->client, name)) {
        what.etag.size = 0; // The keys were forgotten for those of others.
    }
    TRY(rest_client_load(self->client, &what, memory, out, cancel, err));
    if (out->is_unchanged) {
        bool is_kept;
        TRY(rest_kept_take(&self->kept, name, what.etag, memory, out, &is_kept, err));
        if (is_kept) {
            return FIRN_OK;
        }
        what.etag.size = 0; // Others were asked for meanwhile, and it had to go.
        TRY(rest_client_load(self->client, &what, memory, out, cancel, err));
    }
    rest_kept_put(&self->kept, name, out);
    return FIRN_OK;
}

static firn_status load(catalog *base, object_name name, const table_version *version,
                        arena *memory, catalog_object *out, const cancel_flag *cancel,
                        firn_error *err) {
    rest_catalog *self = of(base);
    loaded_table loaded = {.is_view = false};
    TRY(load_kept(self, name, memory, &loaded, cancel, err));
    const loaded_name names = {
        .pool = base->pool, .alias = base->alias, .object = name, .version = version};
    return loaded_object_open(self->files, &names, &loaded, memory, out, cancel, err);
}

// ---- Writing -----------------------------------------------------------------------------------

static firn_status change_namespace(catalog *base, namespace_path space,
                                    const namespace_change *change, firn_error *err) {
    return rest_client_change_namespace(of(base)->client, space, change, err);
}

static firn_status create_namespace(catalog *base, namespace_path space, firn_error *err) {
    return change_namespace(base, space, &(namespace_change){.is_new = true}, err);
}

static firn_status drop_namespace(catalog *base, namespace_path space, firn_error *err) {
    return rest_client_drop_namespace(of(base)->client, space, err);
}

static firn_status namespace_properties(catalog *base, namespace_path space, arena *memory,
                                        size_t *count, firn_option **out, const cancel_flag *cancel,
                                        firn_error *err) {
    catalog_properties found;
    *count = 0;
    TRY(rest_client_namespace_properties(of(base)->client, space, memory, &found, cancel, err));
    TRY(catalog_properties_as_options(&found, memory, out, err));
    *count = found.count;
    return FIRN_OK;
}

static firn_status attempt_view(void *user, object_name name, const view_change *change,
                                arena *memory, commit_options *retry, firn_error *err) {
    return rest_client_change_view(user, name, change, memory, retry, err);
}

static firn_status change_view(catalog *base, object_name name, const view_change *change,
                               const cancel_flag *cancel, firn_error *err) {
    rest_client *client = of(base)->client;
    TRY(rest_client_connect(client, cancel, err));
    return view_commit(attempt_view, client, name, change, CATALOG_BYTES_MAX, cancel, err);
}

static firn_status drop(catalog *base, object_name name, bool is_view, firn_error *err) {
    return rest_client_drop(of(base)->client, name, is_view, false, err);
}

static firn_status rename_object(catalog *base, object_name from, object_name to, bool is_view,
                                 firn_error *err) {
    return rest_client_rename(of(base)->client, from, to, is_view, err);
}

// ---- Commits -----------------------------------------------------------------------------------

static firn_status form(catalog *base, text format, commit_form *out, bool *is_known,
                        const cancel_flag *cancel, firn_error *err) {
    *out = COMMIT_UPDATES;
    TRY(rest_client_connect(of(base)->client, cancel, err));
    *is_known = (format.size == 0 || text_equal_nocase(format, TEXT("iceberg"))) &&
                rest_client_can(of(base)->client, REST_UPDATE_TABLE);
    return FIRN_OK;
}

static uint32_t table_count_max(catalog *base) {
    return rest_client_can(of(base)->client, REST_COMMIT_TRANSACTION) ? UINT32_MAX : 1;
}

static firn_status stage(catalog *base, object_name name, const table_definition *wanted,
                         arena *memory, table_definition *out, const cancel_flag *cancel,
                         firn_error *err) {
    return rest_client_stage(of(base)->client, name, wanted, memory, out, cancel, err);
}

static firn_status commit(catalog *base, const commit_parts *parts, uint32_t deadline_ms,
                          commit_answer *answer, firn_error *err) {
    return rest_client_commit(of(base)->client, parts, deadline_ms, answer, err);
}

// The server did it with the drop.
static firn_status purge(catalog *base, object_name name, text location, const cancel_flag *cancel,
                         firn_error *err) {
    (void)base;
    (void)name;
    (void)location;
    (void)cancel;
    (void)err;
    return FIRN_OK;
}

static const catalog_committer committer = {
    .form = form,
    .table_count_max = table_count_max,
    .stage = stage,
    .commit = commit,
    .purge = purge,
};

const catalog_kind rest_catalog_kind = {
    .name = "rest",
    .recognises = recognises,
    .open = open_catalog,
    .connect = connect_catalog,
    .close = close_catalog,
    .list_namespaces = list_namespaces,
    .has_namespace = has_namespace,
    .list = list,
    .load = load,
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
