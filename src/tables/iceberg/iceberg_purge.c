#include "tables/iceberg/iceberg_purge.h"

#include "io/io_path.h"
#include "memory/name_index.h"
#include "tables/iceberg/iceberg_manifest.h"

#define PURGE_BYTES_MAX ((size_t)4 << 30)
#define MANIFEST_BYTES_MAX ((uint64_t)1 << 30)
#define CODEC_BYTES_MAX ((size_t)16 << 20)

typedef struct purge {
    io *files;
    const cancel_flag *cancel;
    arena memory;
    ice_metadata metadata;
    bool has_data; // Data files go too.
    name_index manifests;
    uint64_t kept_count; // Files that could not be removed, or manifests not read, ...
    firn_error why;      // ... and what was said of the first.
} purge;

static void keep(purge *self, text path, firn_error *said) {
    if (self->kept_count == 0) {
        io_path_while(said, "removing", path);
        self->why = *said;
    }
    self->kept_count += 1;
}

static void remove_file(purge *self, text path) {
    firn_error said = ERR_INIT;
    const firn_status status = io_remove(self->files, path, &said);
    if (status != FIRN_OK && status != FIRN_NOT_FOUND) {
        keep(self, path, &said);
    }
}

// Each manifest once, though snapshots share them. Names that differ in case only are two.
static firn_status add_manifest(purge *self, const ice_manifest *manifest, bool *is_new,
                                firn_error *err) {
    uint32_t at = name_index_first(&self->manifests, manifest->path);
    while (at != NO_NAME && !text_equal(self->manifests.entries[at].name, manifest->path)) {
        at = name_index_next(&self->manifests, at);
    }
    *is_new = at == NO_NAME;
    return *is_new ? name_index_add(&self->manifests, manifest->path, &self->memory, err) : FIRN_OK;
}

static firn_status walk_files(purge *self, const ice_manifest *manifest, arena *walk_memory,
                              arena *block, codec_scratch *codecs, firn_error *err) {
    const ice_walk_memory parts = {.walk = walk_memory, .block = block, .codecs = codecs};
    bytes file;
    ice_walk walk;
    bool has_entry = true;
    TRY(io_get(self->files, manifest->path, MANIFEST_BYTES_MAX, self->cancel, walk_memory, &file,
               err));
    TRY(ice_walk_open(&walk, file, manifest, &self->metadata, &parts, err));
    while (has_entry) {
        ice_entry entry;
        TRY(cancel_check(self->cancel, err));
        TRY(ice_walk_next(&walk, &entry, &has_entry, err));
        if (has_entry) {
            remove_file(self, entry.path);
        }
    }
    return FIRN_OK;
}

// The files of a manifest, and itself; of one that cannot be read the files stay, and so does it.
static firn_status remove_manifest(purge *self, const ice_manifest *manifest, firn_error *err) {
    firn_status status = FIRN_OK;
    const uint64_t kept_before = self->kept_count;
    if (self->has_data) {
        arena walk_memory = arena_open(PURGE_BYTES_MAX);
        arena block = arena_open(PURGE_BYTES_MAX);
        codec_scratch codecs = codec_scratch_open(CODEC_BYTES_MAX);
        firn_error said = ERR_INIT;
        status = walk_files(self, manifest, &walk_memory, &block, &codecs, &said);
        codec_scratch_close(&codecs);
        arena_close(&block);
        arena_close(&walk_memory);
        if (status == FIRN_CANCELLED || status == FIRN_NO_MEMORY) {
            *err = said;
            return status;
        }
        if (status != FIRN_OK && status != FIRN_NOT_FOUND) { // Gone: an earlier purge was here.
            keep(self, manifest->path, &said);
            return FIRN_OK;
        }
    }
    if (self->kept_count == kept_before) {
        remove_file(self, manifest->path);
    }
    return FIRN_OK;
}

static firn_status remove_snapshot(purge *self, const ice_snapshot *snapshot, firn_error *err) {
    ice_manifest_list list;
    firn_error said = ERR_INIT;
    const uint64_t kept_before = self->kept_count;
    const firn_status status =
        ice_manifests_of(self->files, snapshot, self->cancel, &self->memory, &list, &said);
    if (status == FIRN_CANCELLED || status == FIRN_NO_MEMORY) {
        *err = said;
        return status;
    }
    if (status != FIRN_OK) {
        if (status != FIRN_NOT_FOUND) {
            keep(self, snapshot->manifest_list, &said);
        }
        return FIRN_OK;
    }
    for (uint32_t i = 0; i < list.count; i++) {
        bool is_new;
        TRY(add_manifest(self, &list.items[i], &is_new, err));
        if (is_new) {
            TRY(remove_manifest(self, &list.items[i], err));
        }
    }
    if (snapshot->manifest_list.size > 0 && self->kept_count == kept_before) {
        remove_file(self, snapshot->manifest_list);
    }
    return FIRN_OK;
}

// Elements of an array of objects that each name a file.
static firn_status remove_named(purge *self, const json_node *tree, const char *array_key,
                                const char *key, firn_error *err) {
    const json_node *array = NULL;
    TRY(json_want_array(tree, array_key, &array, err));
    for (const json_node *each = array == NULL ? NULL : array->first; each != NULL;
         each = each->next) {
        text path = {.size = 0};
        TRY(json_want_text(each, key, &path, err));
        if (path.size > 0) {
            remove_file(self, path);
        }
    }
    return FIRN_OK;
}

static bool keeps_data(const json_node *tree) {
    const json_node *value = json_find(json_find(tree, "properties"), "gc.enabled");
    return value != NULL &&
           (value->kind == JSON_FALSE ||
            (value->kind == JSON_STRING && text_equal_nocase(value->value, TEXT("false"))));
}

static firn_status purge_all(purge *self, text metadata_location, firn_error *err) {
    bytes file;
    const json_node *tree;
    TRY(io_get(self->files, metadata_location, ICE_METADATA_BYTES_MAX, self->cancel, &self->memory,
               &file, err));
    TRY(ice_json_read(file, &self->memory, &tree, err));
    TRY(ice_metadata_read(file, &self->memory, &self->metadata, err));
    self->has_data = !keeps_data(tree);
    for (uint32_t i = 0; i < self->metadata.snapshot_count; i++) {
        TRY(cancel_check(self->cancel, err));
        TRY(remove_snapshot(self, &self->metadata.snapshots[i], err));
    }
    TRY(remove_named(self, tree, "statistics", "statistics-path", err));
    TRY(remove_named(self, tree, "partition-statistics", "statistics-path", err));
    if (self->kept_count == 0) { // Else it is what can be begun with again.
        TRY(remove_named(self, tree, "metadata-log", "metadata-file", err));
        remove_file(self, metadata_location);
    }
    return FIRN_OK;
}

firn_status ice_table_purge(io *files, text metadata_location, const cancel_flag *cancel,
                            firn_error *err) {
    purge self = {.files = files, .cancel = cancel, .memory = arena_open(PURGE_BYTES_MAX)};
    const firn_status status = purge_all(&self, metadata_location, err);
    arena_close(&self.memory);
    if (status != FIRN_OK) {
        io_path_while(err, "removing the files of the table of", metadata_location);
        return status;
    }
    if (self.kept_count > 0) {
        *err = self.why;
        err_hint(err, "%llu files of the dropped table stayed",
                 (unsigned long long)self.kept_count);
        return err->status;
    }
    return FIRN_OK;
}
