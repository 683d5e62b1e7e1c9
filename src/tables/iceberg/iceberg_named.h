// Which files a table consists of, as its metadata names them: what DROP TABLE … PURGE removes, and
// what remove_orphan_files keeps.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_NAMED_H
#define FIRN_TABLES_ICEBERG_ICEBERG_NAMED_H

#include "io/io.h"
#include "memory/json_tree.h"
#include "tables/iceberg/iceberg_manifest.h"

/// Called for each file until it fails. `path` is as metadata has it, borrowed for the visit.
typedef firn_status (*ice_visit_path)(void *user, text path, firn_error *err);

typedef struct ice_visitor {
    io *files;
    const cancel_flag *cancel;
    ice_visit_path visit;
    void *user;
} ice_visitor;

/// The data and delete files that a manifest has in its snapshot; not itself.
firn_status ice_visit_manifest(const ice_visitor *to, const ice_metadata *metadata,
                               const ice_manifest *manifest, firn_error *err);
/// Files of statistics, also of partitions.
firn_status ice_visit_statistics(const ice_visitor *to, const json_node *tree, firn_error *err);
/// Earlier metadata files.
firn_status ice_visit_log(const ice_visitor *to, const json_node *tree, firn_error *err);

#endif
