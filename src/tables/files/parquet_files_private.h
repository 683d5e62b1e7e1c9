// What the files of a table of Parquet files share: parquet_files.c opens it, parquet_files_tasks.c
// plans scans, parquet_files_rows.c reads.
#ifndef FIRN_TABLES_FILES_PARQUET_FILES_PRIVATE_H
#define FIRN_TABLES_FILES_PARQUET_FILES_PRIVATE_H

#include "base/mutex.h"
#include "formats/parquet/pq_pick.h"
#include "tables/files/parquet_cut.h"
#include "tables/files/parquet_files.h"

// Up to so many files are cut into a task per row group, or smaller ones.
#define PARQUET_FILES_CUT_MAX 16

// Where a column of the table comes from.
typedef enum parquet_column_kind {
    COLUMN_FILE,
    COLUMN_HIVE,
    COLUMN_FILENAME,
    COLUMN_ROW_NUMBER
} parquet_column_kind;

typedef struct parquet_file {
    text path;
    pq_file *file; // NULL: its footer was not read yet.
} parquet_file;

// What is known of a column of the table, once somebody asked.
typedef struct parquet_known {
    bool is_asked;
    bool is_there;
    column_facts facts;
} parquet_known;

typedef struct parquet_files {
    table_snapshot base;
    parquet_files_options options;
    io_paths patterns; // As written.
    uint32_t file_count;
    uint32_t opened_count; // The first so many have their footers read.
    parquet_file *files;
    parquet_column_kind *kinds; // By column.
    struct pool *pool;
    mutex lock;
    arena facts_memory GUARDED_BY(&lock);
    parquet_known *known GUARDED_BY(&lock); // By column.
} parquet_files;

static inline parquet_files *parquet_files_of(const table_snapshot *base) {
    return (parquet_files *)(uintptr_t)base; // `base` is its first member.
}

typedef struct parquet_task {
    scan_task base;
    uint32_t file;
    parquet_part part;
} parquet_task;

/// Column `number` of the table in one of its files; its node is NULL if the file has none such.
pq_file_field parquet_file_column(const parquet_files *self, const pq_file *file, uint32_t number);
/// Column `number` of the table in one of its files, where it does not come from the file itself: a
/// constant, or a position.
firn_status parquet_constant_column(const parquet_files *self, uint32_t file, uint32_t number,
                                    arena *memory, pq_pick *out, firn_error *err);

// Of table_kind.
firn_status parquet_tasks_plan(table_snapshot *base, const scan_request *request,
                               const scan_env *env, scan_planner **out, firn_error *err);
firn_status parquet_tasks_next(scan_planner *self, const scan_task **out, scan_answer *answer,
                               firn_error *err);
void parquet_tasks_counters(const scan_planner *self, scan_counters *add_to);
void parquet_tasks_close(scan_planner *self);

firn_status parquet_rows_open(table_snapshot *base, const scan_request *request,
                              const scan_task *task, const scan_env *env, scan_reader **out,
                              firn_error *err);
firn_status parquet_rows_reopen(scan_reader *self, const scan_task *task, firn_error *err);
firn_status parquet_rows_next(scan_reader *self, arena *scratch, batch *out, scan_answer *answer,
                              firn_error *err);
void parquet_rows_counters(const scan_reader *self, scan_counters *add_to);
void parquet_rows_close(scan_reader *self);

#endif
