#include "tables/iceberg/iceberg_orphans.h"

#include <stdlib.h>

#include "base/host.h"
#include "io/io_path.h"
#include "memory/arena_grow.h"
#include "tables/iceberg/iceberg_manifest_list.h"
#include "tables/iceberg/iceberg_named.h"
#include "tables/iceberg/iceberg_snapshot.h"

#define NAMES_BYTES_MAX ((size_t)8 << 30)

// A file: its whole path, however it was written, and the last part of that.
typedef struct file_name {
    text name;
    text path;
} file_name;

typedef struct file_names {
    uint32_t count;
    uint32_t capacity;
    file_name *items;
} file_names;

typedef struct search {
    io *files;
    const cancel_flag *cancel;
    const ice_orphan_search *wanted;
    arena names; // Of the files that are named, and of those that lie there.
    text location;
    file_names named;
    file_names found; // Old enough.
} search;

// ---- Paths -------------------------------------------------------------------------------------

static firn_status whole_path(text path, arena *memory, text *out, firn_error *err) {
    char whole[IO_LOCAL_PATH_MAX];
    if (!io_path_is_local(path)) {
        return text_copy(memory, path, out, err);
    }
    TRY(io_path_whole(path, whole, err));
    return text_copy(memory, text_of(whole), out, err);
}

static bool is_below(text path, text folder) {
    return text_starts_with(path, folder) &&
           (path.size == folder.size || path.data[folder.size] == '/');
}

static int compare_names(const void *left, const void *right) {
    const file_name *l = left;
    const file_name *r = right;
    const int by_name = text_compare(l->name, r->name);
    return by_name != 0 ? by_name : text_compare(l->path, r->path);
}

static firn_status add_name(search *self, file_names *to, text path, firn_error *err) {
    file_name *items = ARENA_GROW(&self->names, file_name, to->items, to->count, 1, &to->capacity);
    if (items == NULL) {
        return ARENA_FULL(&self->names, err);
    }
    to->items = items;
    file_name *made = &items[to->count];
    TRY(whole_path(path, &self->names, &made->path, err));
    made->name = io_path_name(made->path);
    to->count++;
    return FIRN_OK;
}

// ---- What is named -----------------------------------------------------------------------------

static firn_status name_file(void *user, text path, firn_error *err) {
    search *self = user;
    return add_name(self, &self->named, path, err);
}

typedef struct manifest_set {
    uint32_t count;
    uint32_t capacity;
    const ice_manifest **items;
} manifest_set;

static int compare_manifests(const void *left, const void *right) {
    const ice_manifest *const *l = left;
    const ice_manifest *const *r = right;
    return text_compare((*l)->path, (*r)->path);
}

static firn_status gather_manifests(search *self, const ice_metadata *metadata, manifest_set *all,
                                    firn_error *err) {
    for (uint32_t i = 0; i < metadata->snapshot_count; i++) {
        const ice_snapshot *snapshot = &metadata->snapshots[i];
        ice_manifest_list list;
        TRY(cancel_check(self->cancel, err));
        TRY(ice_manifests_of(self->files, snapshot, self->cancel, &self->names, &list, err));
        TRY(snapshot->manifest_list.size == 0 ? FIRN_OK
                                              : name_file(self, snapshot->manifest_list, err));
        if (list.count == 0) { // An empty table, or all of it deleted.
            continue;
        }
        const ice_manifest **items = ARENA_GROW(&self->names, const ice_manifest *, all->items,
                                                all->count, list.count, &all->capacity);
        if (items == NULL) {
            return ARENA_FULL(&self->names, err);
        }
        all->items = items;
        for (uint32_t j = 0; j < list.count; j++) {
            items[all->count++] = &list.items[j];
        }
    }
    return FIRN_OK;
}

// Manifests that several snapshots have are read once.
static firn_status name_data(search *self, const ice_metadata *metadata, firn_error *err) {
    const ice_visitor visitor = {
        .files = self->files, .cancel = self->cancel, .visit = name_file, .user = self};
    manifest_set all = {.count = 0};
    TRY(gather_manifests(self, metadata, &all, err));
    if (all.count > 0) {
        qsort(all.items, all.count, sizeof *all.items, compare_manifests);
    }
    for (uint32_t i = 0; i < all.count; i++) {
        if (i > 0 && text_equal(all.items[i]->path, all.items[i - 1]->path)) {
            continue;
        }
        TRY(name_file(self, all.items[i]->path, err));
        TRY(ice_visit_manifest(&visitor, metadata, all.items[i], err));
    }
    return FIRN_OK;
}

// Where the location may be: the table's folder, and those that properties tell.
static firn_status check_location(search *self, const json_node *tree, text home, firn_error *err) {
    static const char *const others[] = {"write.data.path", "write.metadata.path"};
    const json_node *properties = json_find(tree, "properties");
    text root;
    TRY(whole_path(io_path_unslashed(home), &self->names, &root, err));
    self->location = self->wanted->location.size == 0 ? home : self->wanted->location;
    TRY(whole_path(io_path_unslashed(self->location), &self->names, &self->location, err));
    bool is_ours = root.size > 1 && is_below(self->location, root);
    for (size_t i = 0; i < sizeof others / sizeof *others && !is_ours; i++) {
        const json_node *value = properties == NULL ? NULL : json_find(properties, others[i]);
        if (value != NULL && value->kind == JSON_STRING && value->value.size > 1) {
            TRY(whole_path(io_path_unslashed(value->value), &self->names, &root, err));
            is_ours = root.size > 1 && is_below(self->location, root);
        }
    }
    const bool leads_away = text_find(self->location, TEXT("/../")) < self->location.size ||
                            text_ends_with(self->location, TEXT("/.."));
    return is_ours && !leads_away ? FIRN_OK
                                  : FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                                             "\"%.*s\" is not below the table's location \"%.*s\"",
                                             TEXT_ARGS(self->location), TEXT_ARGS(home));
}

// What another table has would be taken for orphans of this one.
static firn_status check_neighbour(search *self, firn_error *err) {
    catalog *of = self->wanted->of;
    text other = {.size = 0};
    if (of != NULL && of->kind->neighbour != NULL) {
        TRY(of->kind->neighbour(of, self->wanted->name, self->location, &self->names, &other,
                                self->cancel, err));
    }
    if (other.size == 0) {
        return FIRN_OK;
    }
    const firn_status status =
        FAIL_SQL(err, FIRN_INVALID, "55000", NO_POSITION,
                 "the table \"%.*s\" lies at or below \"%.*s\" too, its files are no orphans",
                 TEXT_ARGS(other), TEXT_ARGS(self->location));
    err_hint(err, "location => names a folder that is of this table alone");
    return status;
}

static firn_status name_all(search *self, text metadata_location, firn_error *err) {
    const ice_visitor visitor = {
        .files = self->files, .cancel = self->cancel, .visit = name_file, .user = self};
    bytes file;
    const json_node *tree;
    ice_metadata metadata;
    text home = {.size = 0};
    text hint;
    TRY(io_get(self->files, metadata_location, ICE_METADATA_BYTES_MAX, self->cancel, &self->names,
               &file, err));
    TRY(ice_json_read(file, &self->names, &tree, err));
    TRY(ice_metadata_read(file, &self->names, &metadata, err));
    TRY(json_get_text(tree, "location", &home, err));
    TRY(check_location(self, tree, home, err));
    TRY(check_neighbour(self, err));
    TRY(name_data(self, &metadata, err));
    TRY(ice_visit_statistics(&visitor, tree, err));
    TRY(ice_visit_log(&visitor, tree, err));
    TRY(name_file(self, metadata_location, err));
    TRY(text_format(&self->names, &hint, err, "%.*s/metadata/version-hint.text",
                    TEXT_ARGS(io_path_unslashed(home))));
    TRY(name_file(self, hint, err)); // Of catalogs that are folders.
    qsort(self->named.items, self->named.count, sizeof *self->named.items, compare_names);
    return FIRN_OK;
}

// ---- What lies there ---------------------------------------------------------------------------

static bool is_hidden_part(text part, bool is_last) {
    if (text_starts_with(part, TEXT(".")) && is_last && text_ends_with(part, TEXT(".tmp"))) {
        return false; // Ours, of somebody who died.
    }
    if (text_starts_with(part, TEXT("_")) && !is_last && text_find(part, TEXT("=")) < part.size) {
        return false; // Of a partition.
    }
    return text_starts_with(part, TEXT(".")) || text_starts_with(part, TEXT("_"));
}

static bool is_hidden(text name) {
    text rest = name;
    while (rest.size > 0) {
        const size_t slash = text_find(rest, TEXT("/"));
        const bool is_last = slash >= rest.size;
        if (is_hidden_part(text_slice(rest, 0, is_last ? rest.size : slash), is_last)) {
            return true;
        }
        rest = is_last ? (text){.size = 0} : text_slice(rest, slash + 1, rest.size);
    }
    return false;
}

static firn_status take_entry(void *user, const io_entry *entry, firn_error *err) {
    search *self = user;
    const bool is_old = entry->mtime_ns / 1000 < self->wanted->older_than_us;
    return entry->is_folder || !is_old || is_hidden(entry->name)
               ? FIRN_OK
               : add_name(self, &self->found, entry->path, err);
}

// ---- What is left ------------------------------------------------------------------------------

// Links may lead to a file by a path of which the table knows nothing.
static bool is_same_file(text left, text right) {
    host_stat one;
    host_stat other;
    firn_error ignored = ERR_INIT;
    return io_path_is_local(left) && io_path_is_local(right) &&
           host_path_stat(left.data, &one, &ignored) == FIRN_OK &&
           host_path_stat(right.data, &other, &ignored) == FIRN_OK && one.inode == other.inode &&
           one.size == other.size && one.mtime_ns == other.mtime_ns;
}

static uint32_t first_of_name(const file_names *all, text name) {
    uint32_t from = 0;
    uint32_t to = all->count;
    while (from < to) {
        const uint32_t middle = from + (to - from) / 2;
        if (text_compare(all->items[middle].name, name) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

static bool is_named(const search *self, const file_name *file) {
    const file_names *all = &self->named;
    if (all->count > 0 &&
        bsearch(file, all->items, all->count, sizeof *all->items, compare_names) != NULL) {
        return true;
    }
    for (uint32_t i = first_of_name(all, file->name);
         i < all->count && text_equal(all->items[i].name, file->name); i++) {
        if (is_same_file(all->items[i].path, file->path)) {
            return true;
        }
    }
    return false;
}

static int compare_texts(const void *left, const void *right) {
    return text_compare(*(const text *)left, *(const text *)right);
}

static firn_status find(search *self, text metadata_location, arena *memory, text_list *out,
                        firn_error *err) {
    const io_list_options deep = {.cancel = self->cancel, .is_deep = true};
    TRY(name_all(self, metadata_location, err));
    const firn_status status = io_list(self->files, self->location, &deep, take_entry, self, err);
    TRY(err_forgive(err, status, FIRN_NOT_FOUND)); // Nothing was ever written there.
    text *items = ARENA_NEW(memory, text, (size_t)self->found.count + 1);
    if (items == NULL) {
        return ARENA_FULL(memory, err);
    }
    *out = (text_list){.items = items};
    for (uint32_t i = 0; i < self->found.count; i++) {
        if (!is_named(self, &self->found.items[i])) {
            TRY(text_copy(memory, self->found.items[i].path, &items[out->count], err));
            out->count++;
        }
    }
    qsort(items, out->count, sizeof *items, compare_texts);
    return FIRN_OK;
}

firn_status ice_find_orphans(io *files, const table_snapshot *table,
                             const ice_orphan_search *wanted, const cancel_flag *cancel,
                             arena *memory, text_list *out, firn_error *err) {
    search self = {.files = files,
                   .cancel = cancel,
                   .wanted = wanted,
                   .names = arena_open_in(table->memory.owner, NAMES_BYTES_MAX)};
    *out = (text_list){.count = 0};
    const firn_status status = find(&self, ice_table_location(table), memory, out, err);
    arena_close(&self.names);
    if (status != FIRN_OK && err->status != FIRN_CANCELLED) {
        err_while(err, "looking for orphan files");
    }
    return status;
}

firn_status ice_remove_orphans(io *files, const text_list *orphans, const cancel_flag *cancel,
                               firn_error *err) {
    firn_error why = ERR_INIT;
    uint32_t kept_count = 0;
    for (uint32_t i = 0; i < orphans->count; i++) {
        firn_error said = ERR_INIT;
        TRY(cancel_check(cancel, err));
        const firn_status status = io_remove(files, orphans->items[i], &said);
        if (status != FIRN_OK && status != FIRN_NOT_FOUND && kept_count++ == 0) {
            io_path_while(&said, "removing", orphans->items[i]);
            why = said;
        }
    }
    if (kept_count == 0) {
        return FIRN_OK;
    }
    *err = why;
    err_hint(err, "%u of %u orphan files stayed", kept_count, orphans->count);
    return err->status;
}
