// Reading one Parquet file for a scan: what tables of files and Iceberg tables have in common.
//
// A parquet_scan belongs to one worker and reads file after file, keeping its buffers. It opens the
// footer without blocking; the Parquet reader leaves out what cannot pass and filters exactly.
#ifndef FIRN_TABLES_FILES_PARQUET_SCAN_H
#define FIRN_TABLES_FILES_PARQUET_SCAN_H

#include "formats/parquet/pq_reader.h"
#include "tables/files/parquet_cut.h"

typedef struct parquet_scan parquet_scan;

/// The columns of every file. Plain data; what it points to outlives the scan.
typedef struct parquet_scan_columns {
    uint32_t count;
    uint32_t filter_only_count; ///< So many of the last are for filters and not handed out.
    const uint32_t *ids;        ///< In the query.
    expr_list filters;
} parquet_scan_columns;

/// What a file is read for.
typedef struct parquet_scan_target {
    text path;
    pq_file *file;     ///< Opened already, or NULL.
    bool is_immutable; ///< What lies under its path never changes.
    pq_file_options options;
    bool verify_checksums;
    parquet_part part;
    /// If not 0: of that part only row groups that begin in [begins_from, begins_to), in bytes.
    uint64_t begins_from, begins_to;
    pq_deletes deletes;
    /// Fills in the picks for the columns, in order, once the file is open.
    firn_status (*pick)(void *user, const pq_file *file, arena *memory, pq_pick *picks,
                        firn_error *err);
    void *user;
} parquet_scan_target;

/// Copies `columns`; `env` outlives it.
firn_status parquet_scan_open(const parquet_scan_columns *columns, const scan_env *env,
                              parquet_scan **out, firn_error *err);
void parquet_scan_close(parquet_scan *self); ///< NULL does nothing.
/// Begins with a file, or another part of the one that is read: then with its buffers, picks and
/// deletes. What came before is gone. Copies `target`.
firn_status parquet_scan_begin(parquet_scan *self, const parquet_scan_target *target,
                               firn_error *err);
/// Batches have parts that count up from 0.
firn_status parquet_scan_next(parquet_scan *self, batch *out, scan_answer *answer, firn_error *err);
void parquet_scan_counters(const parquet_scan *self, scan_counters *add_to);

#endif
