// A table made of Parquet files: read_parquet('…') and FROM 'x.parquet'.
#ifndef FIRN_TABLES_FILES_PARQUET_FILES_H
#define FIRN_TABLES_FILES_PARQUET_FILES_H

#include "formats/parquet/pq_file.h"
#include "io/glob.h"
#include "tables/files/file_tables.h"

typedef enum hive_mode { HIVE_AUTO, HIVE_ON, HIVE_OFF } hive_mode;

typedef struct parquet_files_options {
    hive_mode hive;       ///< Folder names such as region=EU become columns.
    bool union_by_name;   ///< Columns of all files; else those of the first.
    bool with_filename;   ///< A column `filename`.
    bool with_row_number; ///< A column `file_row_number`.
    bool verify_checksums;
    pq_type_options types;
} parquet_files_options;

// The options that are on or off: name in SQL, member.
#define PARQUET_FLAG_LIST(X)                                                                       \
    X(union_by_name, union_by_name)                                                                \
    X(filename, with_filename)                                                                     \
    X(file_row_number, with_row_number)                                                            \
    X(verify_checksums, verify_checksums)                                                          \
    X(binary_as_string, types.binary_as_string)                                                    \
    X(int96_in_micros, types.int96_in_micros)

/// What a table is made of.
typedef struct parquet_files_paths {
    io_paths patterns; ///< As written.
    io_paths files;    ///< What they matched, at least one.
} parquet_files_paths;

extern const table_kind parquet_files_kind;

/// Opens the table of these files (at least one). Reads the footers of some for schema and facts.
/// The caller releases the snapshot.
firn_status parquet_files_open(const parquet_files_paths *paths, text name,
                               const parquet_files_options *options, const file_env *env,
                               table_snapshot **out, firn_error *err);

#endif
