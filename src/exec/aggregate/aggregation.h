// Aggregation: groups of rows by key, and what is computed over each.
//
//     worker   rows ─ keys, arguments ─► local table (stays in L2)
//                                            │ 60 % full: groups move to partitions by hash;
//                                            ▼ no table any more if that does not reduce; groups
//                                              that are found by key stay, rows of others go past
//              partitions of each worker: pages in memory and spilled ones
//     merge    small: the local tables become one. Else: lists of pages, partition by partition
//     source   a partition is a task: its rows into one table, states of equal keys combined; if
//              that does not fit, the partition is split by further bits of the hash
//
// States of fixed size are bytes of the group's row. Aggregates that need all values of a group
// (median, array_agg, DISTINCT, ORDER BY) keep (key, value) rows in a **collector**, partitioned as
// the groups are, and see them when their group is handed out.
//
//     aggregate_shape.c    what a node means: expressions, slots, layouts
//     aggregate_heap.c     memory of what states keep outside themselves
//     aggregate_update.c   a batch's values into states
//     aggregate_choice.c   the same, of aggregates that keep one row of a group
//     aggregate_codes.c    the same by dictionary entry
//     aggregate_totals.c   sums by combination of dictionary entries, before any of this
//     aggregate_build.c    a worker's part: local table, partitions, merge
//     aggregate_passed.c   rows that go past a table, and come back
//     aggregate_collect.c  (key, value) rows: in
//     aggregate_number.c   numbers in place of their keys, where there are few
//     aggregate_merge.c    workers' parts become one
//     aggregate_unit.c     a partition's groups into one table, splits
//     aggregate_link.c     (key, value) rows to their groups
//     aggregate_order.c    the order of a group's rows
//     aggregate_emit.c     groups out
//     aggregate_ranked.c   the median of more rows than fit; aggregate_rank.c: a rank among them
//     operators/aggregate_sink.c, aggregate_source.c
#ifndef FIRN_EXEC_AGGREGATION_H
#define FIRN_EXEC_AGGREGATION_H

#include "exec/aggregate/group_hash.h"
#include "exec/aggregate/seen_codes.h"
#include "exec/operator.h"

#define AGGREGATE_DEPTH_MAX 4  ///< Splits of a partition, by 4 bits each.
#define AGGREGATE_STAGES_FEW 8 ///< Collectors and groups that have all pages they want.
#define AGGREGATE_SPLIT_BITS 4
#define AGGREGATE_SPLIT_COUNT (1u << AGGREGATE_SPLIT_BITS)

// ---- What a node means --------------------------------------------------------------------------

/// One aggregate call. Roots are numbers of expressions of the shape's program.
typedef struct aggregate_slot {
    const expr *call;
    const aggregate_overload *overload;
    const type *const *types; ///< Of the arguments.
    uint32_t arg_count;
    const uint32_t *args; ///< Roots.
    uint32_t filter;      ///< Root, or ROW_NONE.
    bool skips_nulls;
    bool is_fold;                            ///< It has a state; else `collect` makes the value.
    const struct aggregate_chooser *chooser; ///< It keeps one row: aggregate_choice.h. Else NULL.
    uint32_t state_offset;                   ///< In a group's extra bytes.
    uint32_t state_size;
    uint32_t collector;        ///< Where its rows are kept, or ROW_NONE.
    uint32_t collected_offset; ///< With a collector: of the group's aggregate_collected.
    schema exported;           ///< Of a state with heap: the columns it goes out as.
    uint32_t first_exported;   ///< The first of them in the kept layout.
} aggregate_slot;

/// Rows of a group in a collector: in its extra bytes while a partition is finished.
typedef struct aggregate_collected {
    uint64_t end; ///< Behind the group's rows in the unit's order, once it has one.
    uint64_t count;
} aggregate_collected;

// Extra bytes of a collector's row: the place of its group, or where it came from.
#define COLLECTED_GROUP_SIZE 8
#define COLLECTED_PLACE_SIZE 16
#define AGGREGATE_ID_SIZE 8
#define AGGREGATE_ID_FREE 3 // Bytes of an id that it does not use (aggregate_state.h).
#define AGGREGATE_ID_FREE_SIZE 2
#define COLLECTED_TASK 0 // Task,
#define COLLECTED_PART 8 // part and row.

/// How (key, value) rows of one aggregate are kept.
typedef struct aggregate_collector {
    uint32_t slot;
    bool is_distinct;
    bool is_ordered;      ///< Rows of a group are sorted before they are used.
    bool is_direct;       ///< DISTINCT: rows may be found by key.
    bool feeds_at_once;   ///< DISTINCT of a fold without order: rows go into the state unsorted.
    uint32_t arg_count;   ///< Of those that are kept (aggregate_is_kept).
    const uint32_t *args; ///< Roots of them.
    uint32_t order_count;
    const uint32_t *order; ///< Roots.
    const sort_key *sort_keys;
    /// Group keys, arguments, order keys. Extra bytes: of rows that are ordered as they came, where
    /// they came from; of DISTINCT ones the place of their group.
    row_layout layout;
    bool may_number;       ///< Rows may have the number of their group instead of its keys:
    row_layout numbered;   ///< this layout without them, and an id (aggregate_number.c) as hash.
    uint32_t group_offset; ///< In a row that was put to its group: where that is. It is the hash's
                           ///< place where nobody needs it any more.
} aggregate_collector;

/// Read-only while the query runs.
typedef struct aggregate_shape {
    const plan_node *node;
    expr_program *program;
    uint32_t root_count;
    uint32_t key_count;  ///< Of the node; roots 0 to key_count - 1.
    uint32_t set_count;  ///< Grouping sets; 0: plain GROUP BY.
    uint32_t group_keys; ///< Columns of a group's key: key_count, and the set with grouping sets.
    bool has_groups;     ///< False: one row over everything.
    bool is_direct;      ///< Keys may find groups by themselves.
    bool makes_values;   ///< Some root is computed and has values of any length.
    bool is_collected;   ///< All aggregates collect: groups are made of the first one's rows, and
                         ///< only rows that it does not take are put into groups as they come.
    uint32_t slot_count;
    aggregate_slot *slots;
    uint32_t collector_count;
    aggregate_collector *collectors;
    bool may_number;     ///< Some collector's rows may have numbers:
    row_layout numbers;  ///< of groups with these keys; its extra bytes are the id.
    uint32_t state_size; ///< Extra bytes of a group: states without heap, collected rows, others.
    uint32_t plain_size; ///< Of them those that move as bytes; the first.
    bool has_heap;       ///< Some state has a heap: `kept` differs from `table`.
    row_layout table;    ///< Rows of groups.
    row_layout kept;     ///< Rows in partitions: keys, exported states; plain extra bytes.
    /// Rows that go past a worker's table wait for their groups as what they are, where that is
    /// less than a group: keys and what the states would be made of, without a hash.
    bool has_passed;
    uint32_t passed_count;
    const uint32_t *passed_roots; ///< Behind the keys.
    row_layout passed;
    uint64_t page_bytes; ///< What pages must have for rows of all these.
    uint32_t output_count;
} aggregate_shape;

firn_status aggregate_shape_make(const plan_node *node, const input_layout *input, arena *memory,
                                 aggregate_shape *out, firn_error *err);

/// Is an argument kept with each row? Else it is the same in all: the column of it, for so many.
bool aggregate_is_kept(const aggregate_slot *slot, uint32_t arg);
column aggregate_constant(const aggregate_slot *slot, uint32_t arg, uint32_t length);

/// What the keeper of such a node can never do without.
uint64_t aggregate_min_bytes(const aggregate_shape *self, uint32_t workers);

// ---- Heap of states -----------------------------------------------------------------------------

typedef struct aggregate_block aggregate_block;

/// Bytes that states of one table keep outside themselves. Taken past the keeper's target if need
/// be: states cannot be half updated. Its owner looks at `size` after each batch.
typedef struct aggregate_heap {
    state_heap base;
    pool *keeper;
    aggregate_block *blocks;      ///< The first is being filled.
    aggregate_block *spares;      ///< For `step` bytes.
    aggregate_block *long_blocks; ///< Of one value each.
    uint64_t size;
    uint64_t filled; ///< Of `blocks`, all but the first of which are full.
    uint64_t step;   ///< The most that one batch has filled; what is kept for it has a bound.
    size_t refused;  ///< That the keeper did not give; 0: nothing yet.
} aggregate_heap;

aggregate_heap aggregate_heap_open(pool *keeper);
void aggregate_heap_close(aggregate_heap *self); ///< May be opened again. Zeroed memory is closed.
/// Whether there is room for what one more batch may keep, long values apart. If not, it is time to
/// move groups elsewhere: states cannot be half updated.
bool aggregate_heap_reserve(aggregate_heap *self);
/// Gives back all but the room for one more batch: memory that others take at once would be missed.
void aggregate_heap_clear(aggregate_heap *self);
/// `to`, which has no room for a batch, gets that of `from`.
void aggregate_heap_lend(aggregate_heap *from, aggregate_heap *to);
/// There are no more batches.
void aggregate_heap_end(aggregate_heap *self);

// ---- Values and states --------------------------------------------------------------------------

typedef struct aggregate_codes aggregate_codes;

/// Evaluated expressions of a batch, flattened where somebody asks.
typedef struct aggregate_values {
    column *columns; ///< By root, any form.
    column *flats;   ///< FLAT or CONSTANT, once is_flat says so.
    bool *is_flat;
    aggregate_codes **codes; ///< By root: of the rows that were last counted; NULL: none yet.
    seen_codes *taken_codes; ///< By slot, without groups: entries that its state has taken in.
    uint64_t decoded_count;  ///< Values made flat so far.
} aggregate_values;

/// Rows to be put into states: all of a call's, or those that pass FILTER and have no NULL.
typedef struct aggregate_rows {
    const uint16_t *rows; ///< NULL: 0 to count - 1.
    uint32_t count;
    uint8_t *const *groups; ///< Of the k-th row. NULL: all in `single`.
    uint8_t *single;
} aggregate_rows;

/// What the functions of this part need to know.
typedef struct aggregate_context {
    const aggregate_shape *shape;
    const statement_context *statement;
    arena *scratch;
    aggregate_heap *heap;
    firn_error *err;
    batch_sequence sequence; ///< Of the batch whose rows go into states.
} aggregate_context;

firn_status aggregate_value_flat(aggregate_values *self, uint32_t root, arena *scratch,
                                 const column **out, firn_error *err);
/// Those of `rows` that an aggregate takes.
firn_status aggregate_select(const aggregate_context *self, aggregate_values *values,
                             const aggregate_slot *slot, const aggregate_rows *rows,
                             aggregate_rows *out);
/// What the functions of an aggregate are called with; rows and count are set for each call.
aggregate_call aggregate_call_of(const aggregate_context *self, const aggregate_slot *slot);
/// Puts rows of one group into its state by dictionary entry (aggregate_codes.c), if the argument
/// and the aggregate allow it; *is_done tells.
firn_status aggregate_update_codes(const aggregate_context *self, const aggregate_slot *slot,
                                   aggregate_values *values, const aggregate_rows *rows,
                                   bool *is_done);
/// Puts rows of a batch into the states of all folds that need no collector.
firn_status aggregate_update_all(const aggregate_context *self, aggregate_values *values,
                                 const aggregate_rows *rows);
/// The same for one aggregate and columns of its arguments.
firn_status aggregate_update_one_slot(const aggregate_context *self, const aggregate_slot *slot,
                                      const column *args, const aggregate_rows *rows);
/// Begins the extra bytes of groups: extra[k] is where they are.
void aggregate_init(const aggregate_shape *self, uint8_t *const *extra, uint32_t count);
/// The same for groups that were just made: those numbered by `fresh`.
firn_status aggregate_init_fresh(const aggregate_shape *self, uint8_t *const *groups,
                                 const uint16_t *fresh, uint32_t count, arena *scratch,
                                 firn_error *err);
/// targets[k] takes in sources[k]; with plain_only those may be rows of the kept layout.
firn_status aggregate_combine(const aggregate_context *self, uint8_t *const *targets,
                              uint8_t *const *sources, uint32_t count, bool plain_only);
/// Exported states of groups as columns, those of slot after slot; and back into groups.
firn_status aggregate_export(const aggregate_context *self, uint8_t *const *groups, uint32_t count,
                             column *out);
firn_status aggregate_import(const aggregate_context *self, const column *columns,
                             uint8_t *const *groups, uint32_t count);
/// The values of a fold's states.
firn_status aggregate_value_of(const aggregate_context *self, const aggregate_slot *slot,
                               uint8_t *const *groups, uint32_t count, column *out);
/// The values of an aggregate that collects; group g owns rows [ends[g - 1], ends[g]) of `args`.
firn_status aggregate_collect(const aggregate_context *self, const aggregate_slot *slot,
                              const column *args, const uint32_t *ends, uint32_t count,
                              column *out);
/// The error of the aggregate whose function stopped at a row.
firn_status aggregate_fail(const aggregate_context *self, const aggregate_slot *slot,
                           uint32_t done);

#endif
