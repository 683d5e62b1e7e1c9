// The files that a sink writes, of which nothing is left if they come to nothing, and a writer of
// one of them by itself: of deletes, or of rows that a file keeps.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_SINK_FILE_H
#define FIRN_TABLES_ICEBERG_ICEBERG_SINK_FILE_H

#include "base/mutex.h"
#include "tables/files/parquet_lines.h"
#include "tables/iceberg/iceberg_sink.h"
#include "tables/iceberg/iceberg_write_options.h"

/// Any thread, between begin and end.
typedef struct ice_sink_files {
    const ice_sink_end *to;
    table_change *change;
    io *io;
    mutex lock;
    arena memory;
    uint32_t count;
    uint32_t capacity;
    ice_added_file **items;
    bool is_handed_over; ///< They are the change's.
} ice_sink_files;

void ice_sink_files_begin(ice_sink_files *self, const ice_sink_end *to, table_change *change,
                          const scan_env *env);
/// Files that were not handed over are removed.
void ice_sink_files_end(ice_sink_files *self);

/// A file that is about to be written; `like` says all but its path and what is measured. Its
/// partition is copied nowhere.
firn_status ice_sink_files_add(ice_sink_files *self, const ice_added_file *like, text folder,
                               const char *ending, ice_added_file **out, firn_error *err);
/// It is there: its size, rows and metrics.
firn_status ice_sink_files_measure(ice_sink_files *self, ice_added_file *made,
                                   const ice_leaf_list *leaves, const pw_report *report,
                                   firn_error *err);
/// The step with these files ends in the change.
firn_status ice_sink_files_hand_over(ice_sink_files *self, const ice_row_step *step,
                                     const cancel_flag *cancel, firn_error *err);

/// What files of a kind have in common.
typedef struct ice_file_form {
    const pw_schema *schema;
    const ice_write_options *options;
    uint64_t file_size; ///< 0: one file has all rows.
    const char *ending;
} ice_file_form;

/// Rows of one partition into files of their own, by one thread.
typedef struct ice_file_writer {
    ice_sink_files *files;
    const ice_file_form *form;
    ice_added_file like;
    text folder;
    scan_env env;
    parquet_lines *lines;
    parquet_lines_worker *worker;
} ice_file_writer;

/// Borrows all until it is closed. Errors: FIRN_NO_MEMORY if what it needs at least is not free.
firn_status ice_file_writer_open(ice_file_writer *self, ice_sink_files *files,
                                 const ice_file_form *form, const ice_added_file *like, text folder,
                                 const scan_env *env, firn_error *err);
firn_status ice_file_writer_push(ice_file_writer *self, const batch *rows, firn_error *err);
/// Without rows there is no file.
firn_status ice_file_writer_finish(ice_file_writer *self, firn_error *err);
void ice_file_writer_close(ice_file_writer *self); ///< Of zeros: does nothing.

#endif
