// Tables made of files: read_parquet('…'), FROM 'x.parquet', iceberg_scan('folder').
#ifndef FIRN_TABLES_FILES_FILE_TABLES_H
#define FIRN_TABLES_FILES_FILE_TABLES_H

#include "tables/table.h"

/// A constant argument of a table function.
typedef struct table_argument {
    text name; ///< "" for positional ones.
    literal value;
    const type *type;
} table_argument;

/// Opens what a table function names; function "" means a file in FROM. *found is false if there is
/// no such function, or the path is no file of a kind that is known.
firn_status file_table_open(text function, const table_argument *args, uint32_t arg_count,
                            struct io *io, struct pool *pool, const cancel_flag *cancel,
                            arena *memory, bool *found, table_snapshot **out, firn_error *err);

#endif
