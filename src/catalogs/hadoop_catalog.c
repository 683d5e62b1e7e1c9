// ATTACH 'FOLDER': a warehouse of folders (hadoop_folder.h).
#include "catalogs/catalog_options.h"
#include "catalogs/hadoop_folder.h"
#include "catalogs/hadoop_write.h"
#include "catalogs/loaded_object.h"
#include "memory/text_builder.h"

#define CATALOG_BYTES_MAX ((size_t)1 << 30)

extern const catalog_kind hadoop_catalog_kind; // As catalogs.def names it.

typedef struct hadoop_catalog {
    catalog base;
    arena memory;
    hadoop_folder folder;
} hadoop_catalog;

static hadoop_catalog *of(catalog *base) {
    return (hadoop_catalog *)base; // Its first member.
}

// Whatever no other kind takes is a folder; opening looks whether there is one.
static bool recognises(text location) {
    return location.size > 0;
}

static firn_status open_folder(hadoop_catalog *self, text location, const firn_option *options,
                               size_t count, firn_error *err) {
    catalog_options read;
    TRY(catalog_options_read(options, count, CATALOG_FOLDER, &self->memory, &read, err));
    self->base.is_read_only = read.is_read_only;
    self->folder.alias = self->base.alias;
    TRY(text_copy(&self->memory, location, &self->folder.root, err));
    return hadoop_folder_check(&self->folder, NULL, err);
}

static firn_status open_catalog(text alias, text location, const firn_option *options, size_t count,
                                struct io *files, catalog **out, firn_error *err) {
    arena memory = arena_open(CATALOG_BYTES_MAX);
    hadoop_catalog *self = ARENA_NEW(&memory, hadoop_catalog, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (hadoop_catalog){
        .base = {.kind = &hadoop_catalog_kind}, .memory = memory, .folder = {.files = files}};
    firn_status status = text_copy(&self->memory, alias, &self->base.alias, err);
    status = status == FIRN_OK ? open_folder(self, location, options, count, err) : status;
    if (status != FIRN_OK) {
        memory = self->memory;
        arena_close(&memory);
        return status;
    }
    *out = &self->base;
    return FIRN_OK;
}

static void close_catalog(catalog *base) {
    arena memory = of(base)->memory;
    arena_close(&memory);
}

static firn_status list_namespaces(catalog *base, namespace_path parent, arena *memory,
                                   namespace_path **out, uint32_t *count, const cancel_flag *cancel,
                                   firn_error *err) {
    return hadoop_folder_namespaces(&of(base)->folder, parent, memory, out, count, cancel, err);
}

static firn_status has_namespace(catalog *base, namespace_path space, bool *out,
                                 const cancel_flag *cancel, firn_error *err) {
    return hadoop_folder_has_namespace(&of(base)->folder, space, out, cancel, err);
}

static firn_status list(catalog *base, namespace_path space, arena *memory, catalog_entry_list *out,
                        const cancel_flag *cancel, firn_error *err) {
    return hadoop_folder_list(&of(base)->folder, space, memory, out, cancel, err);
}

static firn_status load(catalog *base, object_name name, const table_version *version,
                        arena *memory, catalog_object *out, const cancel_flag *cancel,
                        firn_error *err) {
    hadoop_catalog *self = of(base);
    loaded_table loaded = {.is_view = false};
    TRY(hadoop_folder_load(&self->folder, name.space, name.name, memory, &loaded, cancel, err));
    const loaded_name names = {
        .pool = base->pool, .alias = base->alias, .object = name, .version = version};
    return loaded_object_open(self->folder.files, &names, &loaded, memory, out, cancel, err);
}

// ---- Writing -----------------------------------------------------------------------------------

static firn_status create_namespace(catalog *base, namespace_path space, firn_error *err) {
    return hadoop_create_namespace(&of(base)->folder, space, err);
}

static firn_status drop_namespace(catalog *base, namespace_path space, firn_error *err) {
    return hadoop_drop_namespace(&of(base)->folder, space, err);
}

static firn_status drop(catalog *base, object_name name, bool is_view, firn_error *err) {
    if (is_view) {
        return FAIL_SQL(err, FIRN_NOT_FOUND, "42P01", NO_POSITION,
                        "there is no view \"%.*s\" in catalog \"%.*s\"", TEXT_ARGS(name.name),
                        TEXT_ARGS(base->alias));
    }
    return hadoop_drop_table(&of(base)->folder, name, err);
}

static firn_status form(catalog *base, text format, commit_form *out, bool *is_known,
                        const cancel_flag *cancel, firn_error *err) {
    (void)base;
    (void)cancel;
    (void)err;
    *out = COMMIT_POINTER;
    *is_known = format.size == 0 || text_equal_nocase(format, TEXT("iceberg"));
    return FIRN_OK;
}

static uint32_t table_count_max(catalog *base) {
    (void)base;
    return 1;
}

static firn_status stage(catalog *base, object_name name, const table_definition *wanted,
                         arena *memory, table_definition *out, const cancel_flag *cancel,
                         firn_error *err) {
    return hadoop_stage(&of(base)->folder, name, wanted, memory, out, cancel, err);
}

static firn_status commit(catalog *base, const commit_parts *parts, uint32_t deadline_ms,
                          commit_answer *answer, firn_error *err) {
    (void)deadline_ms; // Nothing is waited for.
    return hadoop_commit(&of(base)->folder, parts, answer, err);
}

// The folder went with the drop.
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

const catalog_kind hadoop_catalog_kind = {
    .name = "hadoop",
    .recognises = recognises,
    .open = open_catalog,
    .close = close_catalog,
    .list_namespaces = list_namespaces,
    .has_namespace = has_namespace,
    .list = list,
    .load = load,
    .create_namespace = create_namespace,
    .drop_namespace = drop_namespace,
    .drop = drop,
    .committer = &committer,
};
