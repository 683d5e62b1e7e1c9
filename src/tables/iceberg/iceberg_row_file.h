// What the files of a scan with row ids are to whoever writes changes of their rows: the data that
// row_files keeps of each (tables/row_change.h).
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_ROW_FILE_H
#define FIRN_TABLES_ICEBERG_ICEBERG_ROW_FILE_H

#include "tables/iceberg/iceberg_manifest_write.h"
#include "tables/row_change.h"

/// Points into the memory of the scan's planner, which lives until the sink has ended.
typedef struct ice_row_file {
    text format;
    uint64_t row_count; ///< Deleted ones counted.
    uint64_t size;
    int64_t sequence_number; ///< Of its data.
    const ice_spec *spec;
    const ice_scalar *partition; ///< By field of the spec, as delete files have it.
    bool is_covered;             ///< All its rows go: none is handed out (row_files_drop_covered).
    /// The file as a whole: opened by a reader of the snapshot (table_kind.open) it gives the rows
    /// that are not deleted, those that stay when it is rewritten.
    const scan_task *whole;
} ice_row_file;

/// Of an ordinal of such a scan; its path is that of row_files.
ice_row_file ice_row_file_at(row_files *files, uint32_t ordinal);

#endif
