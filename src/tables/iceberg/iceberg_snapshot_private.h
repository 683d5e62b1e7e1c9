// What opening, planning and reading of a table share.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_SNAPSHOT_PRIVATE_H
#define FIRN_TABLES_ICEBERG_ICEBERG_SNAPSHOT_PRIVATE_H

#include "tables/iceberg/iceberg_data.h"
#include "tables/iceberg/iceberg_delete.h"
#include "tables/iceberg/iceberg_prune.h"
#include "tables/iceberg/iceberg_snapshot.h"

typedef struct ice_facts ice_facts;

typedef struct ice_table {
    table_snapshot base;
    io *files;                  ///< Where manifests are read for facts.
    table_snapshot *source;     ///< Whose metadata it is; NULL: its own.
    _Atomic(ice_facts *) facts; ///< Set once, by whoever asks first. Release / acquire.
    ice_metadata metadata;
    const ice_snapshot *snapshot; ///< NULL: the table is empty.
    const ice_schema *schema;
    ice_manifest_list manifests;
    bool is_incremental; ///< Only files that `added` snapshots added, without deletes.
    uint32_t added_count;
    int64_t *added;
    text location; ///< Of the metadata file.
    text branch;   ///< That rows written to this version go to; "": it is in the past, or a tag.
} ice_table;

static inline ice_table *ice_table_of(table_snapshot *base) {
    return (ice_table *)base; // Its first member.
}

/// A part of a data file. Plain data in the planner's memory.
typedef struct ice_task {
    scan_task base;
    text path;
    text format;
    ice_part part;
    uint64_t row_count;   ///< Of the file.
    uint64_t file_number; ///< Counts data files of the scan; with row ids their ordinal.
    const ice_spec *spec;
    const ice_scalar *partition; ///< By spec field; NONE where it is of no use.
    ice_deletes deletes;
    bool is_covered; ///< With row ids: all its rows go, and none is read.
} ice_task;

/// Gives the file that `walk` stands at an ordinal, which becomes the task's file number
/// (iceberg_row_file.h). Before the task is cut into parts.
firn_status ice_row_file_add(const ice_walk *walk, const ice_entry *entry,
                             const type *const *sources, struct row_files *files, ice_task *task,
                             arena *memory, firn_error *err);

const column_facts *ice_column_facts(const table_snapshot *base, uint32_t column,
                                     const cancel_flag *cancel);
void ice_facts_close(ice_facts *self); ///< NULL: nothing.

firn_status ice_table_define(const table_snapshot *base, arena *memory,
                             struct table_definition *out, firn_error *err);

firn_status ice_plan(table_snapshot *base, const scan_request *request, const scan_env *env,
                     scan_planner **out, firn_error *err);
firn_status ice_planner_next(scan_planner *self, const scan_task **out, scan_answer *answer,
                             firn_error *err);
void ice_planner_counters(const scan_planner *self, scan_counters *add_to);
void ice_planner_close(scan_planner *self);

firn_status ice_reader_open(table_snapshot *base, const scan_request *request,
                            const scan_task *task, const scan_env *env, scan_reader **out,
                            firn_error *err);
firn_status ice_reader_reopen(scan_reader *self, const scan_task *task, firn_error *err);
firn_status ice_reader_next(scan_reader *self, arena *scratch, batch *out, scan_answer *answer,
                            firn_error *err);
void ice_reader_counters(const scan_reader *self, scan_counters *add_to);
void ice_reader_close(scan_reader *self);

#endif
