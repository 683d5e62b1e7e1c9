// How files of a table are written: what its properties say, and over them the statement's options.
//
//     write.format.default                       parquet; others are refused
//     write.target-file-size-bytes               512 MiB
//     write.parquet.compression-codec, -level    zstd where it pays; said: all pages
//     write.parquet.row-group-size-bytes         128 MiB
//     write.parquet.row-group-limit              1,048,576 rows
//     write.parquet.page-size-bytes, page-row-limit, dict-size-bytes
//     write.parquet.bloom-filter-enabled.column.NAME, -fpp.column.NAME, -ndv.column.NAME,
//                   bloom-filter-max-bytes
//     write.parquet.stats-enabled.column.NAME
//     write.metadata.metrics.default, .column.NAME, .max-inferred-column-defaults
//
// Names are those of leaves (ice_leaf.name). Metrics modes that are none count as the usual one, as
// in Java; everything else that is wrong is an error.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_WRITE_OPTIONS_H
#define FIRN_TABLES_ICEBERG_ICEBERG_WRITE_OPTIONS_H

#include "tables/iceberg/iceberg_metrics.h"

typedef struct ice_write_options {
    pw_options writer;
    uint64_t file_size;
    ice_leaf_list leaves; ///< With their modes.
} ice_write_options;

/// Makes them for the columns of a table, in `memory`.
///
/// Borrows: `metadata`, `columns`.
/// Errors:  FIRN_INVALID (22023) names the property and its value; FIRN_UNSUPPORTED for formats and
///          codecs that are not written.
firn_status ice_write_options_make(const ice_metadata *metadata, const firn_option *options,
                                   size_t option_count, const schema *columns, arena *memory,
                                   ice_write_options *out, firn_error *err);

/// Those of files of position deletes, whose `columns` are their two: write.delete.X, and where it
/// is not said write.X. Otherwise as ice_write_options_make.
firn_status ice_delete_options_make(const ice_metadata *metadata, const schema *columns,
                                    arena *memory, ice_write_options *out, firn_error *err);

#endif
