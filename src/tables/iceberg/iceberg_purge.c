#include "tables/iceberg/iceberg_purge.h"

#include "io/io_path.h"
#include "memory/name_index.h"
#include "tables/iceberg/hadoop_version.h"
#include "tables/iceberg/iceberg_named.h"

#define PURGE_BYTES_MAX ((size_t)4 << 30)

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

static firn_status visit(void *user, text path, firn_error *err) {
    (void)err;
    remove_file(user, path);
    return FIRN_OK;
}

static ice_visitor visitor_of(purge *self) {
    return (ice_visitor){
        .files = self->files, .cancel = self->cancel, .visit = visit, .user = self};
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

// The files of a manifest, and itself; of one that cannot be read the files stay, and so does it.
static firn_status remove_manifest(purge *self, const ice_manifest *manifest, firn_error *err) {
    firn_status status = FIRN_OK;
    const uint64_t kept_before = self->kept_count;
    if (self->has_data) {
        firn_error said = ERR_INIT;
        const ice_visitor visitor = visitor_of(self);
        status = ice_visit_manifest(&visitor, &self->metadata, manifest, &said);
        if (status_is_refusal(status)) {
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
    if (status_is_refusal(status)) {
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
    const ice_visitor visitor = visitor_of(self);
    TRY(ice_visit_statistics(&visitor, tree, err));
    if (self->kept_count == 0) { // Else it is what can be begun with again.
        TRY(ice_visit_log(&visitor, tree, err));
        remove_file(self, metadata_location);
    }
    return FIRN_OK;
}

// The metadata file of a table that is given by its folder.
static firn_status find_metadata(purge *self, text location, text *out, firn_error *err) {
    *out = location;
    return text_ends_with(location, TEXT(".json")) || text_ends_with(location, TEXT(".json.gz"))
               ? FIRN_OK
               : hadoop_current_metadata(self->files, location, self->cancel, &self->memory, out,
                                         err);
}

firn_status ice_table_purge(io *files, text location, const cancel_flag *cancel, firn_error *err) {
    purge self = {.files = files, .cancel = cancel, .memory = arena_open(PURGE_BYTES_MAX)};
    text metadata;
    firn_status status = find_metadata(&self, location, &metadata, err);
    status = status == FIRN_OK ? purge_all(&self, metadata, err) : status;
    arena_close(&self.memory);
    if (status != FIRN_OK) {
        io_path_while(err, "removing the files of the table of", location);
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
