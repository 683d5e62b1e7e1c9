// Whether a delete file can be about rows of a data file, by the metrics of both: position deletes
// by the bounds of file_path, equality deletes by the bounds and null counts of what they compare.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_DELETE_MATCH_H
#define FIRN_TABLES_ICEBERG_ICEBERG_DELETE_MATCH_H

#include "tables/iceberg/iceberg_data.h"
#include "tables/iceberg/iceberg_manifest.h"

/// What metrics say of one column in one file.
typedef struct ice_metrics {
    bytes low; ///< `data` NULL: not said.
    bytes high;
    int64_t null_count; ///< -1: not said.
    int64_t nan_count;
} ice_metrics;

/// Reads the metrics of the fields `ids` (ascending) into `out`, which has as many. Bounds are
/// slices of the entry.
firn_status ice_metrics_read(const ice_walk *walk, const ice_entry *entry, const int32_t *ids,
                             uint32_t count, ice_metrics *out, firn_error *err);

/// Can a value of one file's column equal one of the other's, NULL like NULL? True if unsure.
bool ice_metrics_may_meet(const type *of, const ice_metrics *left, uint64_t left_rows,
                          const ice_metrics *right, uint64_t right_rows);

#endif
