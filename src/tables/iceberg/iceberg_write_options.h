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
// in Java; everything else that is wrong is an error. Nobody can set what is wrong, neither
// (ice_write_property_check): it is found in tables that others made.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_WRITE_OPTIONS_H
#define FIRN_TABLES_ICEBERG_ICEBERG_WRITE_OPTIONS_H

#include "tables/iceberg/iceberg_metrics.h"

// The usual and the other value of write.delete.mode, .isolation-level and their like.
#define ICE_MODES "copy-on-write", "merge-on-read"
#define ICE_ISOLATIONS "serializable", "snapshot"
#define ICE_GRANULARITY "write.delete.granularity"

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

/// Whether a property is `other` and not `usual`.
///
/// Errors:  FIRN_INVALID (22023) if it is neither.
firn_status ice_choice_read(text key, text value, const char *usual, const char *other,
                            bool *is_other, firn_error *err);

/// Whether a property that `metadata` has by now may be set: with the errors that writing the table
/// would end in, as far as `key` is the reason. Those that are no business of writers are not
/// looked at. Takes `memory`.
firn_status ice_write_property_check(const ice_metadata *metadata, const schema *columns, text key,
                                     text value, arena *memory, firn_error *err);

#endif
