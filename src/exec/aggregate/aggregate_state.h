// One run of an Aggregate node: what its sink and its source share, and a worker's part of each.
#ifndef FIRN_EXEC_AGGREGATE_STATE_H
#define FIRN_EXEC_AGGREGATE_STATE_H

#include "exec/aggregate/aggregate_stage.h"
#include "exec/aggregate/aggregate_totals.h"
#include "exec/aggregate/aggregation.h"
#include "exec/row_pace.h"

/// What all workers have made of the groups, or of a collector's rows, once they have merged.
typedef struct aggregate_kept {
    row_store *store;       ///< Of rows in partitions and lists.
    row_store *table_store; ///< Of the tables; NULL: it has none.
    uint32_t key_count;     ///< Of the tables.
    bool is_numbered;       ///< Rows have an id instead of keys.
    row_pages *parts;       ///< By partition.
    row_pages *passed;      ///< Of groups, by partition: rows of the passed layout, if it has one.
    row_pages list;         ///< Of workers that had no partitions.
    uint32_t table_count;
    group_table *tables; ///< Of workers that had no partitions; as many as workers.
    aggregate_heap *heaps;
} aggregate_kept;

/// Keys that collected rows have the number of, while they are few.
typedef struct aggregate_numbers {
    row_store store;
    group_table table;   ///< Of all workers; under the state's lock.
    uint8_t **rows;      ///< By number.
    uint32_t page_max;   ///< Of a table.
    atomic_bool is_over; ///< They are too many: rows have their keys. No number is given then.
} aggregate_numbers;

typedef struct aggregate_state {
    aggregate_shape shape;
    totals_plan totals;
    execution *run;
    mutex lock;
    bool is_open;    ///< The keeper and what hangs on it; under the lock.
    bool has_failed; ///< Opening them did.
    arena memory;    ///< Of them: the execution's is not to be touched while pipelines run.
    pool *keeper;
    row_page *kept_pages; ///< That stages can count on, whatever the keeper says; under the lock.
    row_store table_store;
    /// Open if the shape has a heap; else rows of groups are kept as they are.
    row_store kept_store;
    row_store passed_store; ///< Open if the shape has rows that are passed.
    row_store *collector_stores;
    row_store *numbered_stores; ///< By collector, of rows with ids.
    aggregate_numbers numbers;
    uint32_t part_count; ///< At most, until has_parts.
    bool has_parts;      ///< Somebody needed partitions: there are so many. Under the lock.
    bool is_partitioned; ///< Rows are in parts; else in tables[0] and list. Decided by settle.
    aggregate_kept groups;
    aggregate_kept *collected; ///< By collector.
    aggregate_kept *numbered;  ///< The same with ids; settle leaves one of the two.
    // Without groups: a row of the table's layout for everything. Under the lock.
    uint8_t *single;
    aggregate_heap single_heap;
    // The source's; under the lock.
    bool *has_begun; ///< By partition.
    uint64_t next_task;
    uint32_t busy_count;  ///< Tasks that are worked on.
    bool single_is_taken; ///< What is not partitioned, or the one row without groups.
    // Counters.
    uint64_t input_rows;
    uint64_t decoded_count;
    atomic_bool has_enough; ///< Groups: some worker has found as many as the node's limit.
    atomic_uint_fast64_t group_count;
    atomic_uint_fast64_t split_count;
    atomic_uint_fast32_t split_depth; ///< How often a row's partition was split, at most.
    uint64_t spilled_bytes;           // Of what is closed.
    uint64_t peak_bytes;
} aggregate_state;

firn_status aggregate_state_make(const plan_node *node, const input_layout *input, execution *run,
                                 aggregate_state **out, firn_error *err);
/// Opens keeper and stores; whoever comes first does it.
firn_status aggregate_state_open(aggregate_state *self, firn_error *err);
void aggregate_state_close(aggregate_state *self); ///< NULL does nothing.
/// All groups were handed out: gives back all memory but what reports need.
void aggregate_state_release(aggregate_state *self);
uint64_t aggregate_spilled_bytes(const aggregate_state *self);
uint64_t aggregate_peak_bytes(const aggregate_state *self); ///< The most it ever kept.
/// How many partitions there are; from now on each worker has a page for each.
uint32_t aggregate_partition(aggregate_state *self);
uint32_t aggregate_part_max(aggregate_state *self); ///< There are or will be at most so many.
/// Pages that a stage can count on: 3, of many stages one.
uint32_t aggregate_pages_kept(const aggregate_state *self);
/// Adds up to `count` of the kept pages to a list: whoever has a page can write rows out and go on.
void aggregate_lend(aggregate_state *self, uint32_t count, row_page **list);
/// Puts pages of the keeper back among them; *list is empty then.
void aggregate_take_back(aggregate_state *self, row_page **list);
/// What one worker may hold now, in one stage or table of it.
uint64_t aggregate_share(const aggregate_state *self);
/// Makes room: writes out what lies in memory of a partition that nobody has begun. False: there is
/// nothing of that kind.
firn_status aggregate_shed(aggregate_state *self, spill_desk *desk, bool *has_shed,
                           firn_error *err);

static inline row_store *aggregate_kept_store(aggregate_state *self) {
    return self->shape.has_heap && self->shape.has_groups ? &self->kept_store : &self->table_store;
}

static inline row_store *aggregate_passed_store(aggregate_state *self) {
    return self->shape.has_passed ? &self->passed_store : NULL;
}

// ---- The sink (aggregate_build.c) ---------------------------------------------------------------

/// A worker's part of the sink.
typedef struct aggregate_worker {
    aggregate_state *shared;
    expr_state *exprs;
    aggregate_values values;
    aggregate_stage groups;
    aggregate_heap heap;
    aggregate_stage *collected;  ///< By collector.
    bool is_numbered;            ///< Its collectors' rows get ids,
    group_table key_table;       ///< by these keys,
    bool may_be_direct;          ///< which may find their groups by themselves,
    uint64_t numbered_rows;      ///< so many so far,
    uint64_t rows_expected;      ///< of all workers, by the plan.
    uint64_t look_rows;          ///< From so many on it looks how many keys there are,
    uint64_t looked_keys;        ///< which were so many the last time.
    seen_codes *collected_codes; ///< By collector: rows that need not come again (DISTINCT, min).
    uint8_t *single;             ///< Without groups.
    struct aggregate_cache *cache;
    aggregate_totals *totals; ///< NULL: the shape has none.
    row_pace pace;            ///< Where the shape makes values.
    uint64_t input_rows;
} aggregate_worker;

firn_status aggregate_worker_open(aggregate_state *shared, arena *memory, aggregate_worker **out,
                                  firn_error *err);
void aggregate_worker_close(aggregate_worker *self); ///< NULL does nothing.
firn_status aggregate_worker_push(aggregate_worker *self, op_call *call, const batch *input,
                                  firn_error *err);
/// Are no more rows needed?
bool aggregate_has_enough(aggregate_worker *self);
/// Puts what the worker has added up into its groups. Before it merges.
firn_status aggregate_worker_put_totals(aggregate_worker *self, op_call *call, firn_error *err);

/// What its functions are called with: texts go into `heap`.
aggregate_context aggregate_context_of(aggregate_state *self, aggregate_heap *heap, arena *scratch,
                                       firn_error *err);

/// Groups `groups` (rows of the table's layout, with keys `keys`) into partitions of kept rows, for
/// shapes with a heap. hashes[k] and groups[k] go with row rows[k] of the keys; NULL: row k.
firn_status aggregate_append_exported(const aggregate_context *self, row_writer *to,
                                      const column *keys, const uint16_t *rows,
                                      const uint64_t *hashes, uint8_t *const *groups,
                                      uint32_t count);
/// What a local table may grow to.
uint64_t aggregate_table_bytes(const aggregate_state *self);

// ---- Rows that go past a table (aggregate_passed.c) ---------------------------------------------

/// Whether rows of a batch can wait for their groups as what they are: not those whose decimals are
/// narrower than declared.
bool aggregate_may_pass(const aggregate_shape *shape, const aggregate_values *values);
/// Puts rows of a batch, with keys in->columns, into partitions.
firn_status aggregate_pass(const aggregate_context *self, aggregate_values *values, row_writer *to,
                           const stage_input *in);
/// Copies such rows into partitions of a writer of their store.
firn_status aggregate_copy_passed(aggregate_state *self, uint8_t *const *rows, uint32_t count,
                                  row_writer *to, arena *scratch, firn_error *err);
/// Such rows that come back.
typedef struct aggregate_passed {
    uint8_t **rows; ///< Those that were taken come first then.
    uint32_t count;
    uint32_t taken; ///< Out: for how many there was room.
} aggregate_passed;

/// Puts them into the states of their groups, which are found or made in `table`; the caller has
/// reserved `count`.
firn_status aggregate_take_passed(aggregate_state *self, group_table *table, aggregate_heap *heap,
                                  aggregate_passed *from, arena *scratch, firn_error *err);

// ---- Merging (aggregate_merge.c) ----------------------------------------------------------------

/// What the worker has made becomes shared. Under the pipeline's lock.
firn_status aggregate_worker_merge(aggregate_worker *self, op_call *call, firn_error *err);
/// All workers have merged: one table, or everything into partitions.
firn_status aggregate_settle(aggregate_state *self, arena *scratch, firn_error *err);

/// Rows of another table or page.
typedef struct aggregate_taking {
    row_store *store; ///< Rows of the kept layout of a shape with a heap are imported.
    uint8_t *const *rows;
    uint32_t count;
    uint8_t **groups; ///< Out: of the k-th row; NULL if there was no room for it.
} aggregate_taking;

/// Takes rows in: their groups are found or made in `table`, their states combined.
firn_status aggregate_take_rows(aggregate_state *self, group_table *table, aggregate_heap *heap,
                                const aggregate_taking *from, arena *scratch, firn_error *err);
/// Groups of a table into partitions of kept rows, states with heap exported. Empties the table.
firn_status aggregate_flush_groups(aggregate_state *self, group_table *table, aggregate_heap *heap,
                                   row_writer *to, uint32_t kept_count, arena *scratch,
                                   firn_error *err);

// ---- Ids in place of keys (aggregate_number.c) --------------------------------------------------

// An id is the top bits of the group's hash, which partitions and their splits look at, and a
// number from 1 on. Between them there is room for the row's validity.
#define AGGREGATE_NUMBER_MASK ((UINT64_C(1) << 24) - 1)

/// The number of a row with an id, from 0 on.
static inline uint32_t aggregate_number_of(const uint8_t *row) {
    return (uint32_t)(row_hash(row) & AGGREGATE_NUMBER_MASK) - 1;
}
/// The column of a collector's rows that its first argument is in.
static inline uint32_t aggregate_first_arg(const aggregate_state *self, uint32_t collector) {
    return self->collected[collector].is_numbered ? 0 : self->shape.group_keys;
}

firn_status aggregate_numbers_open(aggregate_state *self, firn_error *err);
void aggregate_numbers_close(aggregate_state *self);
/// How many there are. Once no worker gives any more.
uint64_t aggregate_numbers_count(const aggregate_state *self);
/// Ids of rows, by row, in `scratch`; NULL in *out: rows have their keys from now on.
firn_status aggregate_number_rows(aggregate_worker *self, const column *keys,
                                  const aggregate_rows *rows, uint64_t **out, arena *scratch,
                                  firn_error *err);
/// If keys were too many for others, this worker's rows get theirs too. Gives its table back.
firn_status aggregate_number_end(aggregate_worker *self, arena *scratch, firn_error *err);
/// Rows with ids into a stage, with their keys. Lists are emptied.
firn_status aggregate_rekey(aggregate_state *self, uint32_t collector, row_pages *from,
                            aggregate_stage *to, arena *scratch, firn_error *err);
/// Opens the stage of a collector.
firn_status aggregate_open_collected(aggregate_state *self, uint32_t collector, bool is_numbered,
                                     arena *memory, aggregate_stage *out, firn_error *err);

// ---- Collectors (aggregate_collect.c) -----------------------------------------------------------

/// Puts a batch's rows into the collectors. `keys` are the group's key columns. *left: the rows of
/// which no group is made later.
firn_status aggregate_collect_rows(aggregate_worker *self, const aggregate_context *context,
                                   const column *keys, const aggregate_rows *rows,
                                   aggregate_rows *left);

#endif
