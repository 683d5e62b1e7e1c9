// Rows into Parquet files, in order and by all workers: the engine of every sink that writes such
// files. What the files are and where they go is its user's (parquet_lines_user).
//
// There is **one line** of rows, in the order of the source, and a **lane** for each column:
//
//     push ─► early ──────► line: rows rows rows END rows rows          lane a ───────────►
//             (rows of tasks      of row group 1 │ of row group 2       lane b ────►
//             whose turn has not                                        lane c ──────────►
//             come yet)                                                 how far each column is
//
// A worker that pushes copies its rows, puts them where they belong, and then works: it takes a
// lane that nobody has and encodes its column of all that waits there. So the columns of a row
// group are encoded side by side, at their own pace, and the files are the same whatever the number
// of workers is: row groups are full although their rows came from many tasks, and no more than one
// row group is being filled. When all lanes are through with an END its row group is finished, and
// one worker at a time writes those, in order. With one worker nothing waits: its rows are encoded
// where they lie, without a copy.
//
// (The other design, a row group of its own for each worker, keeps order only if row groups end
// where tasks do: files of small row groups where tasks are small, and as many of them in memory as
// there are workers.)
//
// Partitions: the plan gives rows by partition (row_wish.cluster_count), so the file of one ends
// before that of the next begins, and many partitions take no more memory than one.
//
// **Fan-out**: where the plan knows that partitions are few it gives rows as they come, which have
// no order then. Row groups of all partitions are open at once, and each worker gathers the rows of
// its pushes until they are many, so that what goes to an encoder at once are many rows too:
//
//     push ─► gathered: some 10,000 rows ─► by partition ─► line: a a a b b c c END of a
//
// Ends of groups, and the lanes, are the same. A partition's file stays open while more groups of
// it may come. Where partitions turn out to be more than the plan said, groups and files end early.
//
// Memory: all of it is a keeper's. What waits is bounded (`queue_bytes`); pages and dictionaries
// are small where there are many columns or open groups, or little memory; the largest row group
// ends early when the keeper is told to shrink, or open groups have grown to what they may hold. A
// worker that finds no room works, and if there is nothing to do waits for who does.
#ifndef FIRN_TABLES_FILES_PARQUET_LINES_H
#define FIRN_TABLES_FILES_PARQUET_LINES_H

#include "formats/parquet/write/pw_file.h"
#include "tables/row_change.h"

typedef struct parquet_lines parquet_lines;
typedef struct parquet_lines_worker parquet_lines_worker;

/// The rows of a batch, as runs of neighbours that go into one file.
typedef struct parquet_runs {
    uint32_t count;
    uint32_t *ends;   ///< Run i ends before row ends[i] of those that are selected.
    text *partitions; ///< Of each run: equal where partitions are.
} parquet_runs;

/// Who writes files with it. After an error of one of these, lines can only be closed.
typedef struct parquet_lines_user {
    /// What parts the rows of a batch: columns of values, of as many rows, in `memory`. Any worker,
    /// also at the same time. NULL: all rows are of the partition "".
    firn_status (*values)(void *user, const batch *rows, arena *memory, const column **out,
                          uint32_t *count, firn_error *err);
    /// The partition of a row of these, in `memory`: equal where the values are. Likewise.
    firn_status (*key)(void *user, const column *values, uint32_t row, arena *memory, text *out,
                       firn_error *err);
    /// A file is begun: where, and what it is called by in `finished`. One at a time, as below.
    firn_status (*next)(void *user, text partition, text *path, void **file, firn_error *err);
    /// It is finished. NULL: nobody asks.
    firn_status (*finished)(void *user, void *file, const pw_report *report, firn_error *err);
} parquet_lines_user;

/// Are two rows of one partition?
static inline bool parquet_lines_is_same(const column *values, uint32_t count, uint32_t left,
                                         uint32_t right) {
    bool is_same = true;
    for (uint32_t i = 0; i < count && is_same; i++) {
        is_same = column_rows_equal(&values[i], left, &values[i], right);
    }
    return is_same;
}

/// Borrowed as long as the lines are, but for `writer` itself.
typedef struct parquet_lines_options {
    const pw_schema *schema; ///< Of the files.
    const uint32_t *places;  ///< Of its columns among those of the rows. NULL: the same.
    const pw_options *writer;
    uint64_t file_size; ///< A file ends once it is about as large. 0: as large as it is.
    bool syncs_later;   ///< The caller has io_sync make the files durable.
    bool has_file;      ///< There is one even without rows; it is begun at once.
    uint32_t fan_out;   ///< So many partitions are expected, in any order; 0: they lie together.
    const parquet_lines_user *user;
    void *of_user;
} parquet_lines_options;

/// Borrows: what `env` names. Errors: FIRN_INVALID for options of the writer; FIRN_NO_MEMORY.
firn_status parquet_lines_open(const parquet_lines_options *options, const scan_env *env,
                               parquet_lines **out, firn_error *err);
/// Files that are not finished are removed. NULL does nothing.
void parquet_lines_close(parquet_lines *self);

// ---- Steps of a row_sink_kind that needs order, as told there ----------------------------------

uint64_t parquet_lines_min_bytes(const parquet_lines *self);
firn_status parquet_lines_open_worker(parquet_lines *self, const scan_env *env,
                                      parquet_lines_worker **out, firn_error *err);
void parquet_lines_close_worker(parquet_lines_worker *self); ///< NULL does nothing.
void parquet_lines_advance(parquet_lines *self, uint64_t complete);
firn_status parquet_lines_push(parquet_lines_worker *self, const batch *rows, bool *must_wait,
                               firn_error *err);
firn_status parquet_lines_finish_worker(parquet_lines_worker *self, firn_error *err);
firn_status parquet_lines_finish(parquet_lines *self, uint32_t *piece_count, firn_error *err);
firn_status parquet_lines_run_piece(parquet_lines *self, const scan_env *env, bool *must_wait,
                                    firn_error *err);
/// After all pieces: the last file is finished too. *row_count: of all files.
firn_status parquet_lines_end(parquet_lines *self, uint64_t *row_count, firn_error *err);

#endif
