// Row changes: how rows get into tables, and the identity of the rows that go.
//
// INSERT, UPDATE, DELETE, MERGE and compaction are one plan whose rows end in **one sink**, which
// adds them to **one change** of the table (tables/transaction.h):
//
//     source ─ join with the target ─ check of double matches ─► sink ─► table_change ─► commit
//              (a scan with row ids)   one row a changed row
//
// A row change is (the table's new columns, action, row id). A format writes it its own way:
//
//     memory     new chunks, and a selection for each chunk that loses rows
//     Iceberg    data files; copy-on-write files, position deletes (v2), deletion vectors (v3)
//     Delta      add actions; remove + add of rewritten files, or of the same file with its vector
//
// The engine never asks which: it pushes rows, runs the pieces that finish says, and ends.
#ifndef FIRN_TABLES_ROW_CHANGE_H
#define FIRN_TABLES_ROW_CHANGE_H

#include <assert.h>

#include "tables/table.h"

// ---- Identity ----------------------------------------------------------------------------------

// A row id is the ordinal of the file in the pinned scan (24 bits) and the position of the row in
// it (40 bits), deleted rows counted: what position deletes and deletion vectors are made of. Row
// ids compare as the rows lie, so sorted ones come file by file. The last ordinal has no file: it
// is that of ROW_ID_NONE, which so is no row's.
#define ROW_ID_POSITION_BITS 40
#define ROW_ID_ROWS_MAX (UINT64_C(1) << ROW_ID_POSITION_BITS) // Of a file.
#define ROW_ID_FILE_MAX ((UINT64_C(1) << 24) - 2)
#define ROW_ID_NONE UINT64_MAX // Of rows that are new.

/// Whether all rows of a file have ids; asked once, when the file gets its ordinal (row_files_add).
/// Errors: FIRN_UNSUPPORTED beyond ROW_ID_FILE_MAX and ROW_ID_ROWS_MAX, with a hint to change less
/// at a time if there are too many files.
static inline firn_status row_id_check_file(uint64_t file, uint64_t row_count, firn_error *err) {
    if (file > ROW_ID_FILE_MAX) {
        const firn_status status =
            FAIL(err, FIRN_UNSUPPORTED, "the statement changes rows of more than %llu files",
                 (unsigned long long)ROW_ID_FILE_MAX + 1);
        err_hint(err, "change fewer rows at a time");
        return status;
    }
    return row_count <= ROW_ID_ROWS_MAX
               ? FIRN_OK
               : FAIL(err, FIRN_UNSUPPORTED,
                      "a file of %llu rows, those of up to %llu rows can be changed",
                      (unsigned long long)row_count, (unsigned long long)ROW_ID_ROWS_MAX);
}

/// The id of a row of a file that was checked.
static inline uint64_t row_id_make(uint64_t file, uint64_t position) {
    assert(file <= ROW_ID_FILE_MAX);
    assert(position < ROW_ID_ROWS_MAX);
    return file << ROW_ID_POSITION_BITS | position;
}

static inline uint64_t row_id_file(uint64_t id) {
    return id >> ROW_ID_POSITION_BITS;
}

static inline uint64_t row_id_position(uint64_t id) {
    return id & (ROW_ID_ROWS_MAX - 1);
}

/// The files of one scan by ordinal. The scan that hands out row ids adds each file before its
/// first row (scan_env.row_files); the sink of the same statement asks for them. Any thread.
typedef struct row_files row_files;

firn_status row_files_open(struct pool *pool, row_files **out, firn_error *err);
void row_files_close(row_files *self); ///< NULL does nothing.
/// Adds a file of so many rows, deleted ones counted. `data` is what its format needs to write a
/// change of it: partition, sequence number, size, existing deletion vector; plain data, copied. A
/// file that was added before keeps its ordinal. Errors: those of row_id_check_file.
firn_status row_files_add(row_files *self, text path, uint64_t row_count, bytes data,
                          uint32_t *ordinal, firn_error *err);
uint32_t row_files_count(row_files *self);
/// All rows that the scan's filters let through go, and nothing else is asked of them: of files
/// that the filters cover as a whole the scan may hand out the ordinal alone, if its format says in
/// `data` that it did. Before the scan is planned.
void row_files_drop_covered(row_files *self);
bool row_files_drops_covered(row_files *self);
/// Valid until row_files_close.
text row_files_path(row_files *self, uint32_t ordinal);
bytes row_files_data(row_files *self, uint32_t ordinal);

// ---- What is changed ---------------------------------------------------------------------------

typedef enum row_action {
    ROW_INSERT, ///< New columns, no row id.
    ROW_DELETE, ///< A row id; the columns mean nothing, but those that the sink asked for.
    ROW_UPDATE, ///< Both. Row lineage (Iceberg v3, Delta row tracking) keeps the row's own id.
    ROW_KEEP,   ///< Both: a row that compaction or copy-on-write moves unchanged.
} row_action;

/// Which operation the changes are, as formats write it into their history.
typedef enum change_kind {
    CHANGE_APPEND,    ///< New rows only: conflicts with nothing but a changed schema.
    CHANGE_DELETE,    ///< DELETE.
    CHANGE_UPDATE,    ///< UPDATE.
    CHANGE_MERGE,     ///< MERGE.
    CHANGE_OVERWRITE, ///< New rows in the place of those that `overwrite` names.
    CHANGE_REWRITE,   ///< The same rows in other files (compaction): no reader sees a difference.
} change_kind;

/// What CHANGE_OVERWRITE takes away.
typedef enum overwrite_kind {
    OVERWRITE_ALL,        ///< INSERT OVERWRITE of an unpartitioned table.
    OVERWRITE_PARTITIONS, ///< The partitions that new rows fall into (dynamic).
} overwrite_kind;

/// How strictly a commit looks at what others did meanwhile.
typedef enum isolation {
    ISOLATION_TABLE,        ///< As the table's properties say.
    ISOLATION_SNAPSHOT,     ///< What was changed must not have been changed.
    ISOLATION_SERIALIZABLE, ///< Nor may rows have come that the statement would have read.
} isolation;

/// What a sink is opened for. Lives until the sink has ended.
typedef struct row_sink_request {
    struct table_change *change; ///< Where it ends. NULL: the sink's own commit makes the rows
                                 ///< visible (tables in memory outside of a transaction).
    table_snapshot *base;        ///< The pinned snapshot, own earlier changes included.
    change_kind kind;
    overwrite_kind overwrite;  ///< With CHANGE_OVERWRITE.
    isolation isolation;       ///< Of the session or statement.
    const schema *columns;     ///< What is pushed: the table's columns, in its order.
    const uint32_t *positions; ///< In the statement, of what fills each column, for errors of rows;
                               ///< UINT32_MAX: nowhere. NULL: all of them.
    const expr_list *filters;  ///< What the statement read of the table: for validation, pruning of
                               ///< files to look at. Over the table's columns
                               ///< by position as id. NULL: everything.
    row_files *files;          ///< NULL: no row ids come.
    uint32_t fan_out; ///< So many partitions at most are expected, whose rows come in any order; 0:
                      ///< they come as it was wished.
    const firn_option *options; ///< write.… of the statement, over the table's own.
    size_t option_count;
} row_sink_request;

/// A key that a sink would like its rows sorted by. Transforms are Iceberg's: identity, bucket[n],
/// truncate[w], year, month, day, hour.
typedef struct row_wish_key {
    uint32_t column;
    uint32_t path_count; ///< Of a field of structs in the column; 0: the column itself.
    const text *path;
    text transform;
    bool is_descending;
    bool nulls_first;
} row_wish_key;

/// How a sink would like its rows: a plan that can give them so opens fewer files at a time.
typedef struct row_wish {
    uint32_t cluster_count; ///< The first keys need not be sorted, only lie together (partitions).
    uint32_t key_count;
    const row_wish_key *keys;
    bool by_row_id;   ///< Changed rows of a file should lie together, in order.
    bool keeps_order; ///< The order in which rows come means something (tables in memory).
    /// What ROW_DELETE must bring besides the row id: columns of equality deletes and partitions.
    uint32_t deleted_column_count;
    const uint32_t *deleted_columns;
} row_wish;

// ---- The sink ----------------------------------------------------------------------------------

typedef struct row_sink row_sink;
typedef struct row_sink_worker row_sink_worker;

/// How rows get into tables of a kind: one sink for one statement's changes of one table. Workers
/// push in parallel, each into its own part. Nothing is visible before the change is committed, and
/// a statement's part of a change is there as a whole or not at all.
///
///     open ─► open_worker, push …, finish_worker (each worker) ─► finish ─► run_piece (each piece,
///     any worker) ─► end ─► commit                         close at any time, also after a fault
typedef struct row_sink_kind {
    const char *name;
    /// Rows must end up in the order of their source (batch.sequence). The sink restores it by what
    /// `advance` tells it.
    bool needs_order;
    /// It takes few partitions side by side as well (row_sink_request.fan_out).
    bool fans_out;
    /// How it would like its rows; in `memory`. NULL: any way.
    firn_status (*wish)(table_snapshot *base, change_kind kind, arena *memory, row_wish *out,
                        firn_error *err);
    firn_status (*open)(const row_sink_request *request, const scan_env *env, row_sink **out,
                        firn_error *err);
    /// What the sink can never do without; reserved before anything runs. NULL: nothing.
    uint64_t (*min_bytes)(const row_sink *self);
    /// `env` lives as long as the worker; its wakeup is set before each push.
    firn_status (*open_worker)(row_sink *self, const scan_env *env, row_sink_worker **out,
                               firn_error *err);
    /// With needs_order: all rows of tasks before `complete` have been pushed, and no more than one
    /// worker is in `complete` itself; UINT64_MAX where the order means nothing. Any worker, before
    /// it pushes. NULL without needs_order.
    void (*advance)(row_sink *self, uint64_t complete);
    /// `rows`: the table's columns; for all kinds but CHANGE_APPEND two more behind: action
    /// (TINYINT, a row_action) and row id (UBIGINT). Copies what it keeps. *must_wait is set when
    /// writes under way fill its buffers: nothing was taken, env->wakeup fires, push again. Errors:
    /// 23502 for NULL in a NOT NULL column, 23514 for a CHECK; FIRN_IO, 53100 disk full.
    firn_status (*push)(row_sink_worker *self, const batch *rows, bool *must_wait, firn_error *err);
    /// Hands this worker's part over; writes under way may go on, the pieces wait for them.
    firn_status (*finish_worker)(row_sink_worker *self, firn_error *err);
    void (*close_worker)(row_sink_worker *self); ///< Instead of finish_worker, or after it.
    /// All workers are through, and the order is complete: says how many pieces of work are left
    /// that can run side by side: a file to be rewritten, a deletion vector to be written.
    firn_status (*finish)(row_sink *self, uint32_t *piece_count, firn_error *err);
    /// One piece. *must_wait as in push. NULL if there are never any.
    firn_status (*run_piece)(row_sink *self, uint32_t piece, const scan_env *env, bool *must_wait,
                             firn_error *err);
    /// Adds everything to the change. One caller, after all pieces.
    firn_status (*end)(row_sink *self, uint64_t *changed_rows, firn_error *err);
    /// Only without a change: makes all rows visible at once, or none. The last step of a statement
    /// but for the names of new tables, after which it can neither fail nor be cancelled. It may
    /// come when the execution is closed. NULL: there is always a change.
    firn_status (*commit)(row_sink *self, firn_error *err);
    /// Without a successful end, or commit where there is no change: what was written is removed
    /// again.
    void (*close)(row_sink *self);
} row_sink_kind;

#endif
