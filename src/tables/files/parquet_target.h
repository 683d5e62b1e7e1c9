// Parquet files that are made: what COPY … TO writes into, as a table that has a sink and no
// reader.
//
//     COPY … TO 'sales.parquet'                        sales.parquet
//     COPY … TO 'sales' (FILE_SIZE '100MB')            sales/data_0.parquet, data_1.parquet, …
//     COPY … TO 'sales' (PARTITION_BY (region, day)) sales/region=EU/day=2024-01-01/data_0.parquet
//
// Files are written under hidden names beside their places and get their own when the statement
// commits: until then, and after any fault, nothing of them can be seen. Names of folders are
// escaped as Hive does; NULL is __HIVE_DEFAULT_PARTITION__.
#ifndef FIRN_TABLES_FILES_PARQUET_TARGET_H
#define FIRN_TABLES_FILES_PARQUET_TARGET_H

#include "formats/parquet/write/pw_options.h"
#include "tables/row_change.h"

/// What COPY was told.
typedef struct parquet_target_options {
    pw_options writer;
    uint64_t file_size; ///< A file ends once it is about as large; 0: one file, as large as it is.
    uint32_t partition_count;
    const uint32_t *partitions; ///< Columns that are folders and not in the files.
    bool overwrite;             ///< What is there is replaced.
} parquet_target_options;

/// A snapshot to insert into; copies what it is given.
typedef struct parquet_target {
    table_snapshot base;
    text path;
    parquet_target_options options;
} parquet_target;

extern const table_kind parquet_target_kind;

/// Errors: FIRN_INVALID for partitions that are nested, or all of the columns; FIRN_NO_MEMORY.
firn_status parquet_target_open(text path, const schema *columns,
                                const parquet_target_options *options, struct pool *pool,
                                table_snapshot **out, firn_error *err);

static inline const parquet_target *parquet_target_of(const table_snapshot *base) {
    return (const parquet_target *)base; // `base` is its first member.
}

/// Whether it writes a folder of files.
static inline bool parquet_target_is_folder(const parquet_target *self) {
    return self->options.file_size > 0 || self->options.partition_count > 0;
}

// ---- The files of one statement ----------------------------------------------------------------

typedef struct parquet_outputs parquet_outputs;

/// Looks at what is there. `io` and `target` live longer.
/// Errors: FIRN_CONFLICT (58P02) if something is there and may not be replaced.
firn_status parquet_outputs_open(const parquet_target *target, struct io *io, struct pool *pool,
                                 const cancel_flag *cancel, parquet_outputs **out, firn_error *err);
/// The next file of a folder ("" without partitions): where it is written until it is finished. One
/// caller at a time, as for the others. Folders come one after the other.
firn_status parquet_outputs_next(parquet_outputs *self, text folder, text *path, firn_error *err);
/// All files are finished: gives them their names, and removes what they replace.
firn_status parquet_outputs_commit(parquet_outputs *self, firn_error *err);
/// Without a commit nothing stays of them. NULL does nothing.
void parquet_outputs_close(parquet_outputs *self);

/// The folder of row `row`: "region=EU/day=2024-01-01", in `memory`.
firn_status parquet_target_folder(const parquet_target *self, const column *columns, uint32_t row,
                                  arena *memory, text *out, firn_error *err);

#endif
