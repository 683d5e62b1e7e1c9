// A worker's part of an aggregation's source: one partition at a time becomes a table of groups,
// which is then handed out.
//
//     claim ─► rows of the partition into one table, collectors' rows beside it ─► hand out
//                 │ does not fit: everything into 16 parts by the next bits of the hash
//                 └─► the same with each part, up to AGGREGATE_DEPTH_MAX levels deep
#ifndef FIRN_EXEC_AGGREGATE_UNIT_H
#define FIRN_EXEC_AGGREGATE_UNIT_H

#include "exec/aggregate/aggregate_state.h"

/// The parts of a partition that did not fit.
typedef struct unit_level {
    row_writer groups;
    row_writer passed;     ///< Open if the shape has such rows.
    row_writer *collected; ///< By collector.
    uint32_t next_part;
    arena_mark mark; ///< Of unit->memory, from before the level.
} unit_level;

/// A group whose collected rows stay where they are.
typedef struct unit_ranked_group {
    const uint8_t *group;
    uint64_t row_count;
} unit_ranked_group;
#define UNIT_RANKED_MAX 16 ///< Of a partition, each with passes over all its rows: few.

/// Rows of a collector beside the table.
typedef struct unit_collected {
    group_table distinct;
    row_pages rows;
    row_pages *ranked; ///< Rows that stay where they are (aggregate_rank.h); the source's. With
                       ///< groups those of `ranked_groups`; `rows` has copies of all others.
    unit_ranked_group ranked_groups[UNIT_RANKED_MAX];
    uint32_t ranked_count;
    bool is_linked;     ///< All rows above have noted their group.
    uint64_t row_count; ///< That have.
    directory order;    ///< Of them, group after group; uint8_t * each.
} unit_collected;

typedef struct aggregate_unit {
    aggregate_state *shared;
    arena memory;       ///< Lists of levels.
    row_pace pace;      ///< Of rows that are brought together: their keys may be long.
    row_pace emit_pace; ///< Of groups that are handed out.
    spill_desk desk;
    row_page *buffer; ///< Where spilled pages are read.
    row_page *kept;   ///< Pages for a split.
    uint32_t kept_count;
    row_writer *writing; ///< Of the level being filled: who has them now. NULL: they are here.
    uint32_t bits;       ///< Top bits of the hash that all rows of the unit share.
    unit_level levels[AGGREGATE_DEPTH_MAX];
    uint32_t depth;
    bool is_whole;     ///< Without groups: all rows are needed at once, so there is no split.
    bool is_splitting; ///< Rows go into levels[depth].
    bool has_groups;   ///< In the table there are groups that no collected row would make.
    row_page *linking; ///< Of collected rows, with the first `linking_count` linked; in no list.
    uint32_t linking_count;
    uint32_t linking_number; ///< Whose rows they are.
    uint32_t refusals;       ///< In a row, without anything done between them.
    group_table table;
    uint8_t **numbered; ///< Groups of the table by number; NULL: not yet. NULL: nobody has ids.
    aggregate_heap heap;
    unit_collected *collected; ///< By collector.
    uint8_t *single;           ///< Without groups.
    group_cursor cursor;
    uint8_t **left; ///< Groups that the cursor gave and no batch had room for; BATCH_ROWS.
    uint32_t left_count;
} aggregate_unit;

/// Takes no memory yet but for lists.
firn_status unit_open(aggregate_state *shared, arena *memory, aggregate_unit *out, firn_error *err);
void unit_close(aggregate_unit *self); ///< Zeroed memory is closed.

/// Takes the pages that a unit begins with. *has_room is false if there are too few now.
firn_status unit_prepare(aggregate_unit *self, bool *has_room, firn_error *err);

/// Takes over the tables of what is not partitioned.
void unit_adopt(aggregate_unit *self);

/// Where a unit's rows come from: lists that are emptied. Entries may be NULL.
typedef struct unit_source {
    row_pages *groups;
    row_pages *passed;     ///< Rows that went past the tables.
    row_pages **collected; ///< By collector.
} unit_source;

/// Brings the rows of a partition together. *is_ready: they are; else they were split, and the unit
/// goes on with unit_next_part.
firn_status unit_load(aggregate_unit *self, const unit_source *source, bool *is_ready,
                      arena *scratch, firn_error *err);
/// The next part of what was split, likewise. *found is false when there is none left.
firn_status unit_next_part(aggregate_unit *self, bool *found, bool *is_ready, arena *scratch,
                           firn_error *err);
/// Frees what was handed out; the first but for what states keep outside themselves.
void unit_clear_rows(aggregate_unit *self);
void unit_clear(aggregate_unit *self);

// ---- Collected rows and their groups (aggregate_link.c) -----------------------------------------

#define UNIT_CHUNK 512 ///< Rows at a time.

static inline aggregate_collected *unit_collected_of(const aggregate_shape *shape,
                                                     const aggregate_slot *slot, uint8_t *group) {
    return (aggregate_collected *)(void *)(row_extra(&shape->table, group) +
                                           slot->collected_offset);
}

/// Puts up to UNIT_CHUNK rows of a collector to their groups: into states, or as a note in each.
/// Groups are made if the shape is collected. *done: how many, before memory was refused.
firn_status unit_link_rows(aggregate_unit *self, uint32_t number, uint8_t *const *rows,
                           uint32_t count, uint32_t *done, arena *scratch, firn_error *err);
/// The groups of *count rows, up to UNIT_CHUNK, which are made if the shape is collected; *count is
/// then those of how many, before memory was refused.
firn_status unit_find_groups(aggregate_unit *self, uint32_t number, uint8_t *const *rows,
                             uint32_t *count, uint8_t **groups, arena *scratch, firn_error *err);
/// The same for rows whose groups are all there: takes no memory for more.
firn_status unit_known_groups(aggregate_unit *self, uint32_t number, uint8_t *const *rows,
                              uint32_t count, uint8_t **groups, arena *scratch, firn_error *err);
/// Of a shape that is not collected, once all groups are there: notes of rows that do not go into
/// states.
firn_status unit_note_groups(aggregate_unit *self, arena *scratch, firn_error *err);
/// Takes back what was linked: rows and groups are as they came.
void unit_unlink(aggregate_unit *self);
/// Takes memory for the order of rows. False: refused.
bool unit_open_orders(aggregate_unit *self, bool is_urgent);
/// When all is there: the rest goes into states, and rows into the order of their groups.
firn_status unit_arrange(aggregate_unit *self, arena *scratch, firn_error *err);

// ---- Collected rows that stay where they are (aggregate_ranked.c) -------------------------------

/// Whether a collector's rows had better stay where they are, without groups.
bool unit_is_ranked(const aggregate_state *shared, uint32_t number, const row_pages *rows);
/// The same with groups: looks whether most of the rows are of a few. Then theirs stay, and copies
/// of the others go to their groups. *is_refused: not even a group could be made.
firn_status unit_rank_rows(aggregate_unit *self, uint32_t number, row_pages *from, bool *is_refused,
                           arena *scratch, firn_error *err);
/// Takes that back but for `ranked`, whose rows are all there are then.
void unit_unrank_rows(aggregate_unit *self, uint32_t number);
/// The value of an aggregate whose rows stayed, without groups.
firn_status unit_ranked_single(aggregate_unit *self, const aggregate_slot *slot, column *out,
                               arena *scratch, firn_error *err);
/// With groups: puts those of them whose rows stayed in place of what `out` has.
firn_status unit_ranked_values(aggregate_unit *self, const aggregate_slot *slot,
                               uint8_t *const *groups, uint32_t count, column *out, arena *scratch,
                               firn_error *err);

// ---- The order of collected rows (aggregate_order.c) --------------------------------------------

// Rows of a collector.
typedef struct collected_rows {
    const aggregate_collector *collector;
    row_store *store;
    uint32_t first_arg; // The column it is in.
    uint8_t **rows;
    uint32_t count;
    uint32_t *ends; // Group g owns rows [ends[g - 1], ends[g]); NULL where nobody asks.
} collected_rows;

/// Puts the rows of each group into their order.
firn_status unit_order_rows(collected_rows *self, uint32_t group_count, arena *scratch,
                            firn_error *err);

// ---- Handing out (aggregate_emit.c) -------------------------------------------------------------

/// The arguments of an aggregate, as columns, of rows of its collector.
firn_status unit_gather_args(const aggregate_unit *self, const aggregate_collector *collector,
                             uint8_t *const *rows, uint32_t count, column **out, arena *scratch,
                             firn_error *err);
/// The next groups as a batch of at most `max` rows (up to BATCH_ROWS) in `scratch`; none at the
/// end.
firn_status unit_emit(aggregate_unit *self, uint32_t max, arena *scratch, batch *out,
                      firn_error *err);
/// Without groups: the one row.
firn_status unit_emit_single(aggregate_unit *self, arena *scratch, batch *out, firn_error *err);

#endif
