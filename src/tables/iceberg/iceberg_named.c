#include "tables/iceberg/iceberg_named.h"

#include "tables/iceberg/iceberg_manifest_visit.h"

#define WALK_BYTES_MAX ((size_t)4 << 30)
#define MANIFEST_BYTES_MAX ((uint64_t)1 << 30)
#define CODEC_BYTES_MAX ((size_t)16 << 20)

static firn_status visit_entry(void *user, const ice_walk *walk, const ice_entry *entry,
                               firn_error *err) {
    (void)walk;
    const ice_visitor *to = user;
    return to->visit(to->user, entry->path, err);
}

firn_status ice_visit_manifest(const ice_visitor *to, const ice_metadata *metadata,
                               const ice_manifest *manifest, firn_error *err) {
    codec_scratch codecs = codec_scratch_open(CODEC_BYTES_MAX);
    ice_visitor own = *to;
    const ice_manifest_visitor visitor = {.files = to->files,
                                          .cancel = to->cancel,
                                          .codecs = &codecs,
                                          .bytes_max = MANIFEST_BYTES_MAX,
                                          .memory_max = WALK_BYTES_MAX,
                                          .take = visit_entry,
                                          .user = &own};
    const firn_status status = ice_manifest_visit(&visitor, metadata, manifest, err);
    codec_scratch_close(&codecs);
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
