#include "tables/iceberg/iceberg_named.h"

#define WALK_BYTES_MAX ((size_t)4 << 30)
#define MANIFEST_BYTES_MAX ((uint64_t)1 << 30)
#define CODEC_BYTES_MAX ((size_t)16 << 20)

static firn_status walk_entries(const ice_visitor *to, const ice_metadata *metadata,
                                const ice_manifest *manifest, const ice_walk_memory *parts,
                                firn_error *err) {
    bytes file;
    ice_walk walk;
    bool has_entry = true;
    TRY(io_get(to->files, manifest->path, MANIFEST_BYTES_MAX, to->cancel, parts->walk, &file, err));
    TRY(ice_walk_open(&walk, file, manifest, metadata, parts, err));
    while (has_entry) {
        ice_entry entry;
        TRY(cancel_check(to->cancel, err));
        TRY(ice_walk_next(&walk, &entry, &has_entry, err));
        if (has_entry) {
            TRY(to->visit(to->user, entry.path, err));
        }
    }
    return FIRN_OK;
}

firn_status ice_visit_manifest(const ice_visitor *to, const ice_metadata *metadata,
                               const ice_manifest *manifest, firn_error *err) {
    arena walk_memory = arena_open(WALK_BYTES_MAX);
    arena block = arena_open(WALK_BYTES_MAX);
    codec_scratch codecs = codec_scratch_open(CODEC_BYTES_MAX);
    const ice_walk_memory parts = {.walk = &walk_memory, .block = &block, .codecs = &codecs};
    const firn_status status = walk_entries(to, metadata, manifest, &parts, err);
    codec_scratch_close(&codecs);
    arena_close(&block);
    arena_close(&walk_memory);
    return status;
}

// The members `key` of the objects in an array.
static firn_status visit_members(const ice_visitor *to, const json_node *tree,
                                 const char *array_key, const char *key, firn_error *err) {
    const json_node *array = NULL;
    TRY(json_want_array(tree, array_key, &array, err));
    for (const json_node *each = array == NULL ? NULL : array->first; each != NULL;
         each = each->next) {
        text path = {.size = 0};
        TRY(json_want_text(each, key, &path, err));
        if (path.size > 0) {
            TRY(to->visit(to->user, path, err));
        }
    }
    return FIRN_OK;
}

firn_status ice_visit_statistics(const ice_visitor *to, const json_node *tree, firn_error *err) {
    TRY(visit_members(to, tree, "statistics", "statistics-path", err));
    return visit_members(to, tree, "partition-statistics", "statistics-path", err);
}

firn_status ice_visit_log(const ice_visitor *to, const json_node *tree, firn_error *err) {
    return visit_members(to, tree, "metadata-log", "metadata-file", err);
}
