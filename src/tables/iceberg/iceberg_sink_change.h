// Rows that a statement takes away from a table: which they are, and the files that say so.
//
//     row ids ─► a set of positions a file ─┬─ merge-on-read: position deletes, a file for each
//                                           │  data file (or partition: write.delete.granularity)
//                                           └─ copy-on-write: what is left of it, in a new file
//
// Files that lose all rows go as a whole either way. write.delete.mode, write.update.mode and
// write.merge.mode say which way; tables of version 1 have no deletes and are always rewritten.
// Both keep the spec and partition of the data file, whatever the table's is now.
//
// Memory: the sets (iceberg_row_set.h), at most a bit a row of files that lose rows, and of each
// worker a reader and a writer; one that finds no room leaves the files to others.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_SINK_CHANGE_H
#define FIRN_TABLES_ICEBERG_ICEBERG_SINK_CHANGE_H

#include "tables/iceberg/iceberg_row_file.h"
#include "tables/iceberg/iceberg_sink_file.h"

typedef struct ice_sink_change ice_sink_change;

/// `data`: how data files are written. Borrows all as long as it lives.
firn_status ice_sink_change_open(const row_sink_request *request, const scan_env *env,
                                 ice_sink_files *files, const ice_file_form *data,
                                 ice_sink_change **out, firn_error *err);
void ice_sink_change_close(ice_sink_change *self); ///< NULL does nothing.

/// How strict the commit is: ISOLATION_TABLE as the table says.
firn_status ice_sink_isolation(const row_sink_request *request, isolation *out, firn_error *err);

/// Those of the rows that come new, without action and row id; the selection is in `selection`, of
/// BATCH_ROWS.
batch ice_sink_change_added(const batch *rows, uint16_t *selection);

#define ICE_NOTED_MAX BATCH_ROWS

/// Rows that go, as one worker has found them and not yet told the others: few of many rows would
/// have the workers wait for each other at every batch. Zeroed memory is none.
typedef struct ice_noted_rows {
    uint32_t count;
    uint64_t inserted; ///< Rows that only come.
    uint64_t ids[ICE_NOTED_MAX];
    bool are_deleted[ICE_NOTED_MAX]; ///< May be so twice; else they change.
} ice_noted_rows;

/// Notes the rows that go. Any thread, of `noted` one. Errors: 21000 for a row that is changed
/// twice, by this or a later call.
firn_status ice_sink_change_take(ice_sink_change *self, ice_noted_rows *noted, const batch *rows,
                                 firn_error *err);
/// Tells the others of what is noted: at the latest before ice_sink_change_finish.
firn_status ice_sink_change_tell(ice_sink_change *self, ice_noted_rows *noted, firn_error *err);

/// All rows are there: how many pieces of work there are.
firn_status ice_sink_change_finish(ice_sink_change *self, uint32_t *piece_count, firn_error *err);
firn_status ice_sink_change_run(ice_sink_change *self, uint32_t piece, const scan_env *env,
                                bool *must_wait, firn_error *err);
/// After all pieces: what the step takes away and names, and how many rows changed.
void ice_sink_change_end(const ice_sink_change *self, ice_row_step *step, uint64_t *changed_rows);

#endif
