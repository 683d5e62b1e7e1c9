// Data and delete files of a table, whatever their format: one interface, a kind per format.
//
// A reader hands out columns found by field id (or by name mapping, in files without ids), turned
// into the types that the table has now; columns that the file lacks are constants. Deleted rows
// and rows that filters drop are not among those that count.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_DATA_H
#define FIRN_TABLES_ICEBERG_ICEBERG_DATA_H

#include "io/io.h"
#include "tables/files/parquet_cut.h"
#include "tables/iceberg/iceberg_mapping.h"
#include "tables/iceberg/iceberg_schema.h"

/// A column that is wanted of a file.
typedef struct ice_wanted {
    uint32_t id;      ///< In the query, as filters mention it.
    bool is_position; ///< No column: the row's number in the file, UBIGINT.
    uint32_t path_length;
    const int32_t *path; ///< Field ids, from the column down to the field.
    const type *type;
    const column *missing; ///< What it is in files without it: one row. NULL: null.
} ice_wanted;

/// The part of a Parquet file that a task reads; other files are read whole.
typedef struct ice_part {
    pq_file *file; ///< Opened already, or NULL.
    parquet_part part;
    /// If not 0: only row groups that begin in [begins_from, begins_to), in bytes.
    uint64_t begins_from, begins_to;
} ice_part;

/// What is asked of a file. Stays as long as the reader, with all it points to.
typedef struct ice_read {
    uint32_t count;
    const ice_wanted *columns;
    uint32_t output_count; ///< The first ones are handed out, the others are for filters.
    expr_list filters;
    const ice_schema *schema;   ///< For defaults of nested fields; NULL: none.
    const ice_mapping *mapping; ///< For files without ids; NULL: they have no columns.
    ice_part part;
    uint64_t row_count; ///< Of the whole file, as its manifest says.
    /// Sets bit i if row first + i is deleted; false if none is. NULL: none is deleted.
    bool (*is_deleted)(void *user, uint64_t first, uint32_t count, uint64_t *bits);
    void *user;
} ice_read;

typedef struct ice_data_reader ice_data_reader;
typedef struct ice_data_kind {
    const char *format; ///< As manifests call it, in any case.
    firn_status (*open)(text path, const ice_read *what, const scan_env *env, ice_data_reader **out,
                        firn_error *err);
    /// Begins anew with what->part, which is another of the same file. NULL: close and open.
    firn_status (*reopen)(ice_data_reader *self, firn_error *err);
    /// As in table_kind; the sequence is left to the caller.
    firn_status (*next)(ice_data_reader *self, arena *scratch, batch *out, scan_answer *answer,
                        firn_error *err);
    void (*counters)(const ice_data_reader *self, scan_counters *add_to);
    void (*close)(ice_data_reader *self);
} ice_data_kind;

struct ice_data_reader {
    const ice_data_kind *kind;
};

extern const ice_data_kind ice_parquet_data;
extern const ice_data_kind ice_avro_data;

/// Opens a file; reads nothing yet.
///
/// Errors: FIRN_UNSUPPORTED for a format that is not read (ORC), with the file's name; those of io.
///         Reading says FIRN_CORRUPT if the file has not the rows that its manifest says.
firn_status ice_data_open(text path, text format, const ice_read *what, const scan_env *env,
                          ice_data_reader **out, firn_error *err);

/// For formats: a file has so many rows. Errors: FIRN_CORRUPT if its manifest says something else.
firn_status ice_data_check_rows(const ice_read *what, uint64_t rows, firn_error *err);

/// How Parquet files of tables are opened.
pq_file_options ice_parquet_options(void);

/// The field behind a path of ids, by the ids of the file or else by the name mapping, which may be
/// NULL; `*below` is the mapping of its children, NULL in files with ids. Its node is NULL if the
/// file lacks it.
pq_file_field ice_parquet_find(const pq_file *file, const ice_mapping *mapping, const int32_t *path,
                               uint32_t path_length, const ice_mapping **below);

/// NULL does nothing.
void ice_data_close(ice_data_reader *self);

#endif
