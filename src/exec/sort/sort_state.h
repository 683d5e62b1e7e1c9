// What the workers of a sort share.
//
//     sink     rows with their keys on pages, (prefix, row) entries beside them; a worker that is
//              refused memory sorts what it has and writes it out as a run
//     finish   runs in memory are sorted in parallel, and written out if the merge needs their
//              room; then the smallest spilled runs are merged until one merge can read them all
//     source   merges the runs, by ranges of keys, each a task
//
// While rows are gathered a Top-N tells the scan below which ones come too late (sort_bound.c).
//
// The sink's open makes it, the sink's close frees it.
#ifndef FIRN_EXEC_SORT_STATE_H
#define FIRN_EXEC_SORT_STATE_H

#include "exec/operator.h"
#include "exec/sort/sort_entries.h"
#include "exec/sort/sort_key.h"
#include "exec/sort/sort_merge.h"

#define SORT_ENTRIES_MIN 4096 // Entries that a worker always has room for.

/// What a worker can count on, whatever the pool says: without it no row could be kept or written.
typedef struct sort_room {
    void *unit;          ///< A page to write runs from. Stays until the end.
    row_page *spare;     ///< For rows; the worker's from when it opens.
    sort_entry *entries; ///< Likewise.
    size_t entries_bytes;
} sort_room;

/// Where a column is while rows are sorted.
typedef struct sort_column {
    uint32_t number; ///< Of the rows; ROW_NONE: it is read back
    uint32_t key;    ///< from this key.
} sort_column;

typedef struct sort_state {
    execution *run;
    const plan_node *node;
    arena memory; ///< Changed by one thread at a time: opening, finish, or under `lock`.
    uint32_t key_count;
    uint32_t key_bytes;   ///< Of keys in the extra bytes of rows; 0: they are column 0.
    uint32_t first_bytes; ///< Of the first key alone, if only that one is of a fixed size; else 0.
    uint32_t width;       ///< Columns that come and go.
    const type **key_types;
    sort_column *columns;
    sort_order *orders;
    expr_program *program; ///< Of the keys.
    row_layout layout;
    uint64_t limit, offset;
    uint64_t wanted; ///< limit + offset: nobody needs more rows of a run.
    bool is_top;     ///< `wanted` is small: workers throw away what lies behind it.
    bool is_open;
    bool is_packed; ///< All runs are in memory, and merged by the numbers of their keys.
    mutex lock;
    pool *keeper;
    row_store store;
    sort_room *rooms; ///< By worker.
    sort_run *runs GUARDED_BY(&lock);
    sort_bits bits GUARDED_BY(&lock); ///< Of keys in extra bytes.
    // Top-N: the bound of scans.
    uint32_t bound_column; ///< Which of `columns` the first key is; ROW_NONE: nobody asks.
    const column *bound GUARDED_BY(&lock); ///< The tightest so far; NULL: none.
    uint32_t bound_count GUARDED_BY(&lock);
    // From finish on:
    sort_packing packing; ///< Of keys in extra bytes.
    uint32_t run_count;
    sort_run **ordered;
    uint32_t border_count;
    sort_entry *borders; ///< Where range i + 1 begins; row is NULL: by the prefix alone.
    atomic_uint next_range;
    atomic_uint ended_ranges;
    // What it did.
    atomic_uint_fast32_t spilled_run_count;
    uint32_t merged_run_count;
    uint32_t round_count;
    uint64_t spilled_bytes; ///< Of what is closed.
    uint64_t peak_bytes;
} sort_state;

firn_status sort_state_open(const plan_node *node, const input_layout *input, execution *run,
                            sort_state **out, firn_error *err);
void sort_state_close(sort_state *self); ///< NULL does nothing.
/// What its keeper can never do without.
static inline uint64_t sort_state_min_bytes(const sort_state *self, uint32_t workers) {
    return keeper_min_bytes(workers, row_page_bytes(&self->layout));
}
/// All rows were handed out: gives back all memory but what reports need.
void sort_state_release(sort_state *self);

/// Decides what rows hold: columns and layout (sort_columns.c).
firn_status sort_columns_open(sort_state *self, firn_error *err);
/// The columns of a batch that rows hold, to out[their number], none of them RUNS.
firn_status sort_columns_keep(const sort_state *self, const batch *rows, column *out,
                              arena *scratch, firn_error *err);
/// The i-th column of rows as rows_gather would make it.
firn_status sort_columns_gather(const sort_state *self, uint32_t i, const uint8_t *const *rows,
                                uint32_t count, arena *memory, column *out, firn_error *err);

/// What needs the query's memory, once; any worker.
firn_status sort_state_begin(sort_state *self, firn_error *err);
/// Hands a run over.
firn_status sort_state_add(sort_state *self, const sort_run *made, firn_error *err);
/// The same for what is known about the keys of its rows.
void sort_state_add_bits(sort_state *self, const sort_bits *bits);
/// Writes the rows of sorted entries that are wanted as a spilled run, from the unit page of
/// `worker`; their blobs as well. Nobody else reads them.
firn_status sort_state_spill(sort_state *self, uint32_t worker, const sort_entry *entries,
                             uint64_t count, sort_run *out, firn_error *err);
/// Whether and of which column scans are told a bound (sort_bound.c). Once the layout is made.
void sort_bound_open(sort_state *self, const input_layout *input);
/// As many rows as are wanted were seen, of which `row` is the last: scans need none behind its
/// first key.
firn_status sort_bound_tighten(sort_state *self, const uint8_t *row, arena *scratch,
                               firn_error *err);

/// Gives back what all runs hold. Nobody reads any more.
void sort_state_empty(sort_state *self);

/// All workers have handed over what they had (sort_finish.c).
firn_status sort_state_finish(sort_state *self, finish_plan *out, firn_error *err);
static inline uint32_t sort_state_range_count(const sort_state *self) {
    return self->border_count + 1;
}
/// The part of a run that belongs to a range.
firn_status sort_state_range(sort_state *self, uint32_t range, const sort_run *run, arena *scratch,
                             sort_range *out, firn_error *err);

#endif
