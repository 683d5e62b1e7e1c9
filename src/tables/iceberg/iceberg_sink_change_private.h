// What noting rows, writing deletes and rewriting files share.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_SINK_CHANGE_PRIVATE_H
#define FIRN_TABLES_ICEBERG_ICEBERG_SINK_CHANGE_PRIVATE_H

#include "tables/iceberg/iceberg_row_set.h"
#include "tables/iceberg/iceberg_sink_change.h"

typedef struct ice_rewriter ice_rewriter;

/// A data file that loses some of its rows.
typedef struct ice_touched {
    uint32_t ordinal;
    text path;
    ice_row_file is;
    text partition; ///< Equal in one partition of one spec.
    const ice_row_set *rows;
} ice_touched;

/// Files whose deletes are in one file: neighbours in `touched`.
typedef struct ice_delete_group {
    uint32_t first;
    uint32_t count;
} ice_delete_group;

struct ice_sink_change {
    table_snapshot *base;
    row_files *row_files;
    ice_sink_files *files;
    const ice_file_form *data;
    scan_env env;
    bool merges_on_read;
    bool by_partition; ///< write.delete.granularity.
    mutex lock;
    arena memory; ///< Under the lock, or when there is one caller.
    uint32_t set_count;
    ice_row_set **sets; ///< By ordinal; NULL: all rows stay.
    uint64_t changed_rows;
    // Once all rows are there:
    uint32_t touched_count;
    ice_touched *touched;
    uint32_t removed_count;
    text *removed;
    uint32_t referenced_count;
    text *referenced;
    // What is to be written: groups, or files of `touched`.
    uint32_t pending_count; ///< Under the lock.
    uint32_t *pending;      ///< Those that nobody is at; the last one comes first.
    uint32_t active_count;  ///< That somebody is at; under the lock.
    // Merge-on-read:
    uint32_t group_count;
    ice_delete_group *groups;
    ice_write_options delete_options;
    ice_file_form deletes;
    // Copy-on-write:
    scan_request reads;
    uint32_t rewriter_count;
    ice_rewriter **rewriters;
};

/// The folder of files of a partition; "" where the spec gives none any more.
firn_status ice_sink_change_folder(const ice_sink_change *self, const ice_row_file *of,
                                   arena *memory, text *out, firn_error *err);

firn_status ice_pending_prepare(ice_sink_change *self, uint32_t count, firn_error *err);
/// Takes one; false if there is none.
bool ice_pending_take(ice_sink_change *self, uint32_t *out);
void ice_pending_done(ice_sink_change *self);
/// There was no room for it: leaves it to those who are at another one. False if nobody is: then it
/// is still the caller's, and there may be room by now.
bool ice_pending_give_back(ice_sink_change *self, uint32_t which);
/// How many may be at work.
uint32_t ice_pending_workers(const ice_sink_change *self);

firn_status ice_deletes_prepare(ice_sink_change *self, firn_error *err);
firn_status ice_deletes_run(ice_sink_change *self, const scan_env *env, firn_error *err);

firn_status ice_rewrites_prepare(ice_sink_change *self, firn_error *err);
firn_status ice_rewrites_run(ice_sink_change *self, uint32_t rewriter, const scan_env *env,
                             bool *must_wait, firn_error *err);
void ice_rewrites_close(ice_sink_change *self);

#endif
