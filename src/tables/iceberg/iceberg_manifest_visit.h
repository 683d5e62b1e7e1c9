// Each entry of a manifest that is read for it: for those who look at entries and keep little.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_MANIFEST_VISIT_H
#define FIRN_TABLES_ICEBERG_ICEBERG_MANIFEST_VISIT_H

#include "io/io.h"
#include "tables/iceberg/iceberg_manifest.h"

typedef struct ice_manifest_visitor {
    io *files;
    const cancel_flag *cancel;
    struct pool *owner; ///< What the manifest is charged to while it is read; NULL: nothing.
    codec_scratch *codecs;
    uint64_t bytes_max; ///< Of a manifest.
    size_t memory_max;  ///< Of what is read of it, and of the block at hand.
    bool is_whole;      ///< As ice_walk_open_whole, else the live entries.
    /// Before the first entry; `memory` lives as long as the walk. NULL: nothing is done.
    firn_status (*begin)(void *user, const ice_walk *walk, arena *memory, firn_error *err);
    /// What the entry points to lives until the next one.
    firn_status (*take)(void *user, const ice_walk *walk, const ice_entry *entry, firn_error *err);
    void *user;
} ice_manifest_visitor;

/// Reads `of`, a manifest of the table with that metadata.
/// Errors: those of `begin` and `take` as they are; others with the manifest's path.
firn_status ice_manifest_visit(const ice_manifest_visitor *to, const ice_metadata *metadata,
                               const ice_manifest *of, firn_error *err);

#endif
