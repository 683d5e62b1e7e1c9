// The tasks that a data file becomes, one after the other.
//
// A Parquet file is several tasks. The first ones are cut as their footers say, which their readers
// then share; but large remote ones where their writers say that row groups begin: that costs a
// footer more for each part and nobody waits for it here. Others are cut by size, whatever lies in
// it. A file of another format is one task.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_SNAPSHOT_CUT_H
#define FIRN_TABLES_ICEBERG_ICEBERG_SNAPSHOT_CUT_H

#include "formats/parquet/pq_file.h"
#include "tables/iceberg/iceberg_snapshot_private.h"

// So many files of a scan are cut by their footers, or where row groups begin.
#define ICE_CUT_MAX 16

typedef enum ice_cut_way {
    ICE_CUT_ENDED, ///< There is no file, or nothing is left of it.
    ICE_CUT_WHOLE,
    ICE_CUT_OPENING, ///< Its footer is on its way.
    ICE_CUT_BY_FOOTER,
    ICE_CUT_BY_SIZE,
} ice_cut_way;

typedef struct ice_file_cutter {
    const ice_table *table;
    const scan_request *request;
    const scan_env *env;
    arena *memory; ///< Of tasks.
    uint64_t task_count;
    uint64_t file_count;
    // Of the file at hand.
    ice_cut_way way;
    ice_task *last; ///< The task handed out last; at first one to copy.
    // By its footer ...
    pq_opener *opener;
    parquet_cutter cutter;
    pq_file_field *fields; ///< By column of the request.
    uint32_t opened_count;
    pq_file *opened[ICE_CUT_MAX]; ///< Tasks borrow them.
    // ... or by size, where row groups begin if that is known.
    uint64_t rest_from;
    uint64_t rest_end;
    uint64_t rest_step;
    const uint64_t *starts; ///< Of row groups.
    uint32_t start_count;   ///< 0: they are not known.
} ice_file_cutter;

/// Keeps all it is given, until it is closed.
firn_status ice_file_cutter_open(ice_file_cutter *self, const ice_table *table,
                                 const scan_request *request, const scan_env *env, arena *memory,
                                 firn_error *err);
/// Tasks that share a footer are gone with it.
void ice_file_cutter_close(ice_file_cutter *self);

/// A task for the next file, which `walk` stands at: its path, format, rows and number.
firn_status ice_file_cutter_task(ice_file_cutter *self, const ice_entry *entry, ice_task **out,
                                 firn_error *err);
/// Begins with that file, once all else that its tasks have in common is in `task`.
firn_status ice_file_cutter_begin(ice_file_cutter *self, const ice_walk *walk,
                                  const ice_entry *entry, ice_task *task, firn_error *err);
/// The next task of the file at hand; NULL behind its last, and with SCAN_WAIT.
///
/// Errors: those of opening a remote file, which name it.
firn_status ice_file_cutter_next(ice_file_cutter *self, const ice_task **out, scan_answer *answer,
                                 firn_error *err);

#endif
