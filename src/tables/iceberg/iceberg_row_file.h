// What the files of a scan with row ids are to whoever writes changes of their rows: the data that
// row_files keeps of each (tables/row_change.h).
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_ROW_FILE_H
#define FIRN_TABLES_ICEBERG_ICEBERG_ROW_FILE_H

#include "tables/iceberg/iceberg_manifest_write.h"
#include "tables/iceberg/iceberg_snapshot_private.h"
#include "tables/row_change.h"

typedef struct ice_row_file {
    /// The file as a whole: opened by a reader it gives the rows that are not deleted, so that a
    /// rewritten file gets those that stay. Of the scan's planner, which lives until the sink has
    /// ended. Path, format, spec, how many rows it has, deleted ones counted.
    const ice_task *task;
    const ice_scalar *partition; ///< By field of task->spec, as delete files have it; likewise.
    uint64_t size;
    int64_t sequence_number; ///< Of its data.
} ice_row_file;

/// Gives the file that `walk` stands at an ordinal, which becomes the task's file number. Before
/// the task is cut into parts.
firn_status ice_row_file_add(const ice_table *table, const ice_walk *walk, const ice_entry *entry,
                             row_files *files, ice_task *task, arena *memory, firn_error *err);

/// Of an ordinal of such a scan.
ice_row_file ice_row_file_at(row_files *files, uint32_t ordinal);

#endif
