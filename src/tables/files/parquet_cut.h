// How a Parquet file becomes tasks: some row groups each, or ranges of rows of one.
//
// Where row groups are plenty a task has several: the reader decodes their dictionaries together.
// Where they are fewer than tasks are wanted, big ones are cut into pieces, at pages of the column
// that takes most.
#ifndef FIRN_TABLES_FILES_PARQUET_CUT_H
#define FIRN_TABLES_FILES_PARQUET_CUT_H

#include "formats/parquet/pq_page_starts.h"
#include "formats/parquet/pq_pick.h"
#include "tables/table.h"

/// Tasks that a scan should have, so that its workers end at about the same time.
#define PARQUET_TASKS_PER_WORKER 4

/// What of a file a task reads.
typedef struct parquet_part {
    uint32_t first_row_group;
    uint32_t row_group_count; ///< UINT32_MAX: all from the first on.
    uint64_t from, to;        ///< Of one row group: these of its rows; 0 and UINT64_MAX: all.
} parquet_part;

#define PARQUET_WHOLE ((parquet_part){.row_group_count = UINT32_MAX, .to = UINT64_MAX})

/// How big tasks are.
typedef struct parquet_cut_sizes {
    uint64_t piece_rows;  ///< 0: row groups stay whole, ...
    uint64_t task_groups; ///< ... and so many of them are a task.
} parquet_cut_sizes;

/// Sizes for so many rows in so many row groups, of which `wanted` tasks are to be made.
parquet_cut_sizes parquet_cut_sizes_for(uint64_t rows, uint64_t groups, uint64_t wanted,
                                        const scan_env *env);

/// Walks over the tasks of a file. Between two files it is plain data with an open arena.
typedef struct parquet_cutter {
    parquet_cut_sizes sizes;
    const scan_env *env;
    const pq_file *file; ///< NULL: at the end.
    uint32_t field_count;
    const pq_file_field *fields;
    uint32_t row_group;
    uint64_t row; ///< Where the next piece of the row group begins.
    pq_page_starts starts;
    arena scratch; ///< Of the row group.
} parquet_cutter;

void parquet_cutter_open(parquet_cutter *self, const scan_env *env);
void parquet_cutter_close(parquet_cutter *self);

/// Begins with a file. `fields` are what is read of it.
///
/// Keeps:  file and fields, until its last part.
/// Errors: FIRN_IO, FIRN_CANCELLED, FIRN_NO_MEMORY.
firn_status parquet_cutter_begin(parquet_cutter *self, const pq_file *file, parquet_cut_sizes sizes,
                                 const pq_file_field *fields, uint32_t field_count,
                                 firn_error *err);

/// The next part and how many rows it has; *has_one is false behind the last. Errors: as above.
firn_status parquet_cutter_next(parquet_cutter *self, parquet_part *out, uint64_t *rows,
                                bool *has_one, firn_error *err);

#endif
