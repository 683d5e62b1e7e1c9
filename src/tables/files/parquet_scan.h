// Reading one Parquet file for a scan: what tables of files and Iceberg tables have in common.
//
// A parquet_scan belongs to one worker and reads file after file, keeping its buffers. It opens the
// footer without blocking; the Parquet reader leaves out what cannot pass and filters exactly.
#ifndef FIRN_TABLES_FILES_PARQUET_SCAN_H
#define FIRN_TABLES_FILES_PARQUET_SCAN_H

#include "formats/parquet/pq_reader.h"
#include "tables/table.h"

typedef struct parquet_scan parquet_scan;

/// What a file is read for.
typedef struct parquet_scan_target {
    text path;
    pq_file *file; ///< Opened already, or NULL.
    pq_file_options options;
    bool verify_checksums;
    uint32_t first_row_group;
    uint32_t row_group_count; ///< UINT32_MAX: all from the first on.
    uint64_t from, to;        ///< Of one row group: these of its rows; 0 and UINT64_MAX: all.
    pq_deletes deletes;
    /// Fills in the picks for the request's columns, in order, once the file is open.
    firn_status (*pick)(void *user, const pq_file *file, arena *memory, pq_pick *picks,
                        firn_error *err);
    void *user;
} parquet_scan_target;

/// `request` and `env` outlive it.
firn_status parquet_scan_open(const scan_request *request, const scan_env *env, parquet_scan **out,
                              firn_error *err);
void parquet_scan_close(parquet_scan *self); ///< NULL does nothing.
/// Begins with a file; what came from the one before is gone. Copies `target`.
firn_status parquet_scan_begin(parquet_scan *self, const parquet_scan_target *target,
                               firn_error *err);
/// Batches have parts that count up from 0.
firn_status parquet_scan_next(parquet_scan *self, batch *out, scan_answer *answer, firn_error *err);
void parquet_scan_counters(const parquet_scan *self, scan_counters *add_to);

#endif
