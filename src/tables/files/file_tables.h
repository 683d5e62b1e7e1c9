// Tables made of files: read_parquet('…'), FROM 'x.parquet', iceberg_scan('folder').
#ifndef FIRN_TABLES_FILES_FILE_TABLES_H
#define FIRN_TABLES_FILES_FILE_TABLES_H

#include "tables/table.h"

/// A constant argument of a table function.
typedef struct table_argument {
    text name; ///< "" for positional ones.
    literal value;
    const type *type;
    uint64_t position; ///< In the statement; NO_POSITION if nowhere.
} table_argument;
typedef struct table_arguments {
    uint32_t count;
    const table_argument *items;
} table_arguments;

/// A fault of an argument that knows no place is where the argument stands.
static inline firn_status at_argument(const table_argument *arg, firn_status status,
                                      firn_error *err) {
    if (status != FIRN_OK && err->position == NO_POSITION) {
        err->position = arg->position;
    }
    return status;
}

/// What opening files needs. All outlive the call; `pool` the tables too.
typedef struct file_env {
    struct io *io;
    struct pool *pool; ///< What open tables are charged to.
    const cancel_flag *cancel;
} file_env;

/// Opens what a table function names; function "" means a file in FROM. *found is false if there is
/// no such function, or the path is no file of a kind that is known.
firn_status file_table_open(text function, table_arguments args, const file_env *env, arena *memory,
                            bool *found, table_snapshot **out, firn_error *err);

#endif
