#include "catalogs/hadoop_folder.h"

#include "base/host.h"
#include "io/io_path.h"
#include "memory/arena_grow.h"
#include "memory/text_builder.h"
#include "tables/iceberg/hadoop_version.h"

#define CALL_MEMORY_LIMIT ((size_t)64 << 20)

static bool is_hidden(text name) {
    return text_starts_with(name, TEXT(".")) || text_starts_with(name, TEXT("_"));
}

// A level is one folder: "..", a slash or nothing at all would be another one.
static firn_status check_level(text level, firn_error *err) {
    const bool leads_away = level.size == 0 || text_equal(level, TEXT(".")) ||
                            text_equal(level, TEXT("..")) ||
                            text_find(level, TEXT("/")) < level.size;
    if (leads_away) {
        return FAIL(err, FIRN_INVALID,
                    "\"%.*s\" is no name in a folder of tables: it is empty, dots or holds a \"/\"",
                    TEXT_ARGS(level));
    }
    return FIRN_OK;
}

firn_status hadoop_folder_path(const hadoop_folder *self, namespace_path space, text name,
                               arena *memory, text *out, firn_error *err) {
    text_builder path = text_builder_open(memory);
    text_append(&path, io_path_unslashed(self->root));
    for (uint32_t i = 0; i < space.count; i++) {
        TRY(check_level(space.items[i], err));
        text_append_char(&path, '/');
        text_append(&path, space.items[i]);
    }
    if (name.size > 0) {
        TRY(check_level(name, err));
        text_append_char(&path, '/');
        text_append(&path, name);
    }
    return text_builder_finish(&path, out, err);
}

// ---- Folders -----------------------------------------------------------------------------------

typedef struct folder_names {
    arena *memory;
    text *items;
    uint32_t count;
    uint32_t capacity;
} folder_names;

static firn_status keep_folder(void *user, const io_entry *entry, firn_error *err) {
    folder_names *self = user;
    if (!entry->is_folder || is_hidden(entry->name)) {
        return FIRN_OK;
    }
    text *items = ARENA_GROW(self->memory, text, self->items, self->count, 1, &self->capacity);
    if (items == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    self->items = items;
    TRY(text_copy(self->memory, entry->name, &self->items[self->count], err));
    self->count += 1;
    return FIRN_OK;
}

static bool is_of_metadata(text name) {
    uint64_t version;
    return hadoop_version_of(name, &version) || text_equal(name, TEXT("version-hint.text"));
}

static firn_status see_metadata(void *user, const io_entry *entry, firn_error *err) {
    (void)err;
    bool *is_table = user;
    *is_table = *is_table || is_of_metadata(entry->name);
    return FIRN_OK;
}

static firn_status is_table_folder(const hadoop_folder *self, text folder, arena *memory,
                                   const cancel_flag *cancel, bool *out, firn_error *err) {
    *out = false;
    text metadata;
    TRY(text_format(memory, &metadata, err, "%.*s/metadata", TEXT_ARGS(folder)));
    const io_list_options options = {.cancel = cancel, .no_detail = true};
    const firn_status status = io_list(self->files, metadata, &options, see_metadata, out, err);
    return err_forgive(err, status, FIRN_NOT_FOUND);
}

// Lists the folders in a namespace that are tables, or those that are not.
static firn_status list_folders(const hadoop_folder *self, namespace_path space, bool are_tables,
                                arena *memory, folder_names *out, const cancel_flag *cancel,
                                firn_error *err) {
    text folder;
    TRY(hadoop_folder_path(self, space, (text){.size = 0}, memory, &folder, err));
    const io_list_options options = {.cancel = cancel, .no_detail = true};
    folder_names all = {.memory = memory};
    const firn_status status = io_list(self->files, folder, &options, keep_folder, &all, err);
    if (status == FIRN_NOT_FOUND) {
        return FAIL(err, FIRN_NOT_FOUND, "catalog \"%.*s\" has no folder \"%.*s\"",
                    TEXT_ARGS(self->alias), TEXT_ARGS(folder));
    }
    TRY(status);
    for (uint32_t i = 0; i < all.count; i++) {
        text path;
        bool is_table;
        TRY(text_format(memory, &path, err, "%.*s/%.*s", TEXT_ARGS(folder),
                        TEXT_ARGS(all.items[i])));
        TRY(is_table_folder(self, path, memory, cancel, &is_table, err));
        if (is_table == are_tables) {
            all.items[out->count++] = all.items[i];
        }
    }
    out->items = all.items;
    return FIRN_OK;
}

// ---- Functions of the header -------------------------------------------------------------------

static firn_status ignore_entry(void *user, const io_entry *entry, firn_error *err) {
    (void)user;
    (void)entry;
    (void)err;
    return FIRN_OK;
}

firn_status hadoop_folder_check(const hadoop_folder *self, const cancel_flag *cancel,
                                firn_error *err) {
    const io_list_options options = {.cancel = cancel, .no_detail = true};
    return io_list(self->files, self->root, &options, ignore_entry, NULL, err);
}

firn_status hadoop_folder_namespaces(const hadoop_folder *self, namespace_path parent,
                                     arena *memory, namespace_path **out, uint32_t *count,
                                     const cancel_flag *cancel, firn_error *err) {
    *out = NULL;
    *count = 0;
    folder_names names = {.memory = memory};
    TRY(list_folders(self, parent, false, memory, &names, cancel, err));
    *out = ARENA_NEW(memory, namespace_path, (size_t)names.count + 1);
    if (*out == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < names.count; i++) {
        text *levels = ARENA_NEW(memory, text, (size_t)parent.count + 1);
        if (levels == NULL) {
            return ARENA_FULL(memory, err);
        }
        for (uint32_t j = 0; j < parent.count; j++) {
            levels[j] = parent.items[j];
        }
        levels[parent.count] = names.items[i];
        (*out)[i] = (namespace_path){.count = parent.count + 1, .items = levels};
    }
    *count = names.count;
    return FIRN_OK;
}

// FIRN_NOT_FOUND if there is none. Of stores that have no folders, what lies in it is listed.
static firn_status see_folder(const hadoop_folder *self, text folder, const cancel_flag *cancel,
                              firn_error *err) {
    char path[IO_LOCAL_PATH_MAX];
    host_stat found;
    if (!io_path_is_local(folder)) {
        const io_list_options options = {.cancel = cancel, .no_detail = true};
        return io_list(self->files, folder, &options, ignore_entry, NULL, err);
    }
    TRY(cancel_check(cancel, err));
    TRY(io_path_local(folder, path, err));
    TRY(host_path_stat(path, &found, err));
    return found.is_folder ? FIRN_OK : FAIL(err, FIRN_NOT_FOUND, "\"%s\" is no folder", path);
}

firn_status hadoop_folder_has_namespace(const hadoop_folder *self, namespace_path space, bool *out,
                                        const cancel_flag *cancel, firn_error *err) {
    *out = false;
    arena memory = arena_open(CALL_MEMORY_LIMIT);
    text folder;
    bool is_table = false;
    firn_status status = hadoop_folder_path(self, space, (text){.size = 0}, &memory, &folder, err);
    status = status == FIRN_OK ? see_folder(self, folder, cancel, err) : status;
    if (status == FIRN_OK) {
        status = is_table_folder(self, folder, &memory, cancel, &is_table, err);
    }
    arena_close(&memory);
    *out = status == FIRN_OK && !is_table;
    return err_forgive(err, status, FIRN_NOT_FOUND);
}

firn_status hadoop_folder_is_in_table(const hadoop_folder *self, namespace_path space,
                                      arena *memory, bool *out, const cancel_flag *cancel,
                                      firn_error *err) {
    *out = false;
    for (uint32_t i = 1; i <= space.count && !*out; i++) {
        const namespace_path above = {.count = i, .items = space.items};
        text folder;
        TRY(hadoop_folder_path(self, above, (text){.size = 0}, memory, &folder, err));
        TRY(is_table_folder(self, folder, memory, cancel, out, err));
    }
    return FIRN_OK;
}

// Whether a part of the path begins as those that no list shows do.
static bool has_hidden(text path) {
    return is_hidden(path) || text_find(path, TEXT("/.")) < path.size ||
           text_find(path, TEXT("/_")) < path.size;
}

static firn_status see_table(void *user, const io_entry *entry, firn_error *err) {
    (void)err;
    bool *has_table = user;
    const text folder = io_path_folder(entry->name);
    const bool is_below = text_ends_with(folder, TEXT("/metadata"));
    *has_table = *has_table || (!entry->is_folder && is_below && !has_hidden(folder) &&
                                is_of_metadata(io_path_name(entry->name)));
    return FIRN_OK;
}

firn_status hadoop_folder_holds_tables(const hadoop_folder *self, text folder, bool *out,
                                       const cancel_flag *cancel, firn_error *err) {
    const io_list_options options = {.cancel = cancel, .no_detail = true, .is_deep = true};
    *out = false;
    const firn_status status = io_list(self->files, folder, &options, see_table, out, err);
    return err_forgive(err, status, FIRN_NOT_FOUND);
}

firn_status hadoop_folder_list(const hadoop_folder *self, namespace_path space, arena *memory,
                               catalog_entry_list *out, const cancel_flag *cancel,
                               firn_error *err) {
    *out = (catalog_entry_list){.count = 0};
    folder_names names = {.memory = memory};
    TRY(list_folders(self, space, true, memory, &names, cancel, err));
    out->items = ARENA_NEW(memory, catalog_entry, (size_t)names.count + 1);
    if (out->items == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < names.count; i++) {
        out->items[i] = (catalog_entry){.name = names.items[i], .kind = ENTRY_TABLE};
    }
    out->count = names.count;
    return FIRN_OK;
}

firn_status hadoop_folder_load(const hadoop_folder *self, namespace_path space, text name,
                               arena *memory, loaded_table *out, const cancel_flag *cancel,
                               firn_error *err) {
    *out = (loaded_table){.is_view = false};
    TRY(check_level(name, err));
    text folder;
    TRY(hadoop_folder_path(self, space, name, memory, &folder, err));
    const firn_status status =
        hadoop_current_metadata(self->files, folder, cancel, memory, &out->metadata_location, err);
    return status != FIRN_NOT_FOUND
               ? status
               : FAIL_SQL(err, FIRN_NOT_FOUND, "42P01", NO_POSITION,
                          "there is no table \"%.*s\" in catalog \"%.*s\": no metadata file is in "
                          "\"%.*s/metadata\"",
                          TEXT_ARGS(name), TEXT_ARGS(self->alias), TEXT_ARGS(folder));
}
