// Files that are made: what COPY … TO writes into, as a table that has a sink and no reader.
//
//     COPY … TO 'sales.parquet'                        sales.parquet
//     COPY … TO 'sales' (FILE_SIZE '100MB')            sales/data_0.parquet, data_1.parquet, …
//     COPY … TO 'sales' (PARTITION_BY (region, day)) sales/region=EU/day=2024-01-01/data_0.parquet
//
// Names of folders are escaped as Hive does; NULL is __HIVE_DEFAULT_PARTITION__. When files appear
// says copy_outputs.h.
#ifndef FIRN_TABLES_FILES_COPY_TARGET_H
#define FIRN_TABLES_FILES_COPY_TARGET_H

#include "formats/parquet/write/pw_options.h"
#include "tables/files/copy_format.h"
#include "tables/row_change.h"

/// What COPY was told.
typedef struct copy_target_options {
    const copy_format *format; ///< NULL: Parquet.
    csv_options csv;           ///< Of the format csv; copied.
    pw_options writer;         ///< Of Parquet; of a text its codec and the level of that alone.
    uint64_t file_size; ///< A file ends once it is about as large; 0: one file, as large as it is.
    uint32_t partition_count;
    const uint32_t *partitions; ///< Columns that are folders and not in the files.
    bool overwrite;             ///< What is there is replaced.
} copy_target_options;

/// A snapshot to insert into; copies what it is given.
typedef struct copy_target {
    table_snapshot base;
    text path;
    copy_target_options options;
} copy_target;

extern const table_kind copy_parquet_kind;
extern const table_kind copy_encoded_kind; ///< Of all other formats.

/// Errors: FIRN_INVALID for partitions that are nested, or all of the columns; FIRN_NO_MEMORY.
firn_status copy_target_open(text path, const schema *columns, const copy_target_options *options,
                             struct pool *pool, table_snapshot **out, firn_error *err);

static inline const copy_target *copy_target_of(const table_snapshot *base) {
    return (const copy_target *)base; // `base` is its first member.
}

/// Whether it writes a folder of files.
static inline bool copy_target_is_folder(const copy_target *self) {
    return self->options.file_size > 0 || self->options.partition_count > 0;
}

/// What names of files in folders end in, in two parts: ".csv" and ".gz", ".parquet" and "".
text copy_target_ending(const copy_target *self);
text copy_target_codec_ending(const copy_target *self);
/// The folder of row `row`, by the values of the partitions: "region=EU/day=2024-01-01", in
/// `memory`.
firn_status copy_target_folder(const copy_target *self, const column *values, uint32_t row,
                               arena *memory, text *out, firn_error *err);

#endif
