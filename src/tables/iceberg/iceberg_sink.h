// Rows into and out of an Iceberg table: data files by partition, with metrics, and deletes or
// rewritten files (iceberg_sink_change.h), that end as one step of a change.
//
//     new rows ─► runs of one partition ─► parquet_lines ─► files ─┬─► ice_change_add_rows
//     row ids  ─► which rows go ─► deletes, or files without them ─┘
//
// The plan gives rows by partition, and within each in the table's sort order (`wish`), so one file
// is open at a time whatever the number of partitions; or, where partitions are few and there is no
// order, as they come (`fan_out`). Of a finished file its metrics are kept.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_SINK_H
#define FIRN_TABLES_ICEBERG_ICEBERG_SINK_H

#include "tables/iceberg/iceberg_change.h"

extern const row_sink_kind ice_sink_kind;

/// Where files of a sink go and what they become: the functions of iceberg_change.h, or what a test
/// has in their place.
typedef struct ice_sink_end {
    firn_status (*path)(const table_change *change, text partition, uint64_t number,
                        const char *ending, arena *memory, text *out, firn_error *err);
    firn_status (*add)(table_change *change, const ice_row_step *step, const cancel_flag *cancel,
                       firn_error *err);
    /// Told of each file that came to nothing, once it is removed. May be NULL.
    void (*removed)(const table_change *change, text path);
} ice_sink_end;

/// As row_sink_kind.open. Errors: FIRN_UNSUPPORTED for tables of version 3, unknown transforms,
/// formats that are not written; those of ice_write_options_make and pw_schema_make.
firn_status ice_sink_open(const row_sink_request *request, const scan_env *env,
                          const ice_sink_end *to, row_sink **out, firn_error *err);

#endif
