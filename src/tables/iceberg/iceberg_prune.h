// What partition tuples and metrics say about the columns that a scan filters by, and whether a
// manifest or file can be passed over for it. The one evaluator (expr/facts.h) decides; here the
// facts are put together, only for columns that filters mention.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_PRUNE_H
#define FIRN_TABLES_ICEBERG_ICEBERG_PRUNE_H

#include "tables/iceberg/iceberg_manifest.h"
#include "tables/table.h"

typedef struct ice_pruner ice_pruner;

/// Compiles what pruning needs of the request, in `memory`. `*out` is NULL if no filter mentions a
/// column that has facts.
firn_status ice_pruner_make(const ice_metadata *metadata, const ice_schema *schema,
                            const scan_request *request, const dynamic_filters *dynamic,
                            arena *memory, ice_pruner **out, firn_error *err);

typedef enum ice_pruned { ICE_KEPT, ICE_BY_PARTITION, ICE_BY_BOUNDS, ICE_BY_DYNAMIC } ice_pruned;

/// Whether no file of a manifest can have a row that passes, by its partition summaries.
bool ice_prune_manifest(ice_pruner *self, const ice_manifest *manifest);

/// The same of a data file, by partition values first, then by metrics. Of a delete file by
/// partition values only: no row that it deletes can pass.
firn_status ice_prune_file(ice_pruner *self, const ice_walk *walk, const ice_entry *entry,
                           ice_pruned *out, firn_error *err);

/// Whether all rows of a data file pass, by its partition values and metrics.
firn_status ice_prune_covers(ice_pruner *self, const ice_walk *walk, const ice_entry *entry,
                             bool *out, firn_error *err);

/// Ends what the pruner holds. NULL: nothing.
void ice_pruner_close(ice_pruner *self);

#endif
