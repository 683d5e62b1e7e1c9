// What the sinks of COPY share: which rows go into which folder, and which columns into the files.
#ifndef FIRN_TABLES_FILES_COPY_SPLIT_H
#define FIRN_TABLES_FILES_COPY_SPLIT_H

#include "tables/files/copy_target.h"
#include "tables/files/parquet_lines.h"

/// As row_sink_kind.wish: by partition, so that one file is open at a time.
firn_status copy_wish(table_snapshot *base, change_kind kind, arena *memory, row_wish *out,
                      firn_error *err);

/// The columns that say the folder, as parquet_lines_user.values.
firn_status copy_split_values(const copy_target *target, const batch *rows, arena *memory,
                              const column **out, firn_error *err);
/// Finds the runs of rows that lie in the same folder.
firn_status copy_split(const copy_target *target, const batch *rows, arena *memory,
                       parquet_runs *out, firn_error *err);

/// The columns of the files, and where they are among those of the rows.
typedef struct copy_written {
    schema columns;
    const uint32_t *places;
} copy_written;

firn_status copy_written_columns(const copy_target *target, arena *memory, copy_written *out,
                                 firn_error *err);

#endif
