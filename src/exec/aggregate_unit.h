// A worker's part of an aggregation's source: one partition at a time becomes a table of groups,
// which is then handed out.
//
//     claim ─► rows of the partition into one table, collectors' rows beside it ─► hand out
//                 │ does not fit: everything into 16 parts by the next bits of the hash
//                 └─► the same with each part, up to AGGREGATE_DEPTH_MAX levels deep
#ifndef FIRN_EXEC_AGGREGATE_UNIT_H
#define FIRN_EXEC_AGGREGATE_UNIT_H

#include "exec/aggregate_state.h"

/// The parts of a partition that did not fit.
typedef struct unit_level {
    row_writer groups;
    row_writer *collected; ///< By collector.
    uint32_t next_part;
    arena_mark mark; ///< Of unit->memory, from before the level.
} unit_level;

/// Rows of a collector beside the table.
typedef struct unit_collected {
    group_table distinct;
    row_pages rows;
} unit_collected;

typedef struct aggregate_unit {
    aggregate_state *shared;
    arena memory; ///< Lists of levels.
    spill_desk desk;
    row_page *buffer; ///< Where spilled pages are read.
    row_page *kept;   ///< Pages for a split.
    uint32_t kept_count;
    uint32_t bits; ///< Top bits of the hash that all rows of the unit share.
    unit_level levels[AGGREGATE_DEPTH_MAX];
    uint32_t depth;
    bool is_whole;     ///< Without groups: all rows are needed at once, so there is no split.
    bool is_splitting; ///< Rows go into levels[depth].
    uint32_t refusals; ///< In a row, without anything done between them.
    group_table table;
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

// ---- Handing out (aggregate_emit.c) -------------------------------------------------------------

/// Puts the collectors' rows to their groups: into states at once, or in chains.
firn_status unit_link(aggregate_unit *self, arena *scratch, firn_error *err);
/// The next groups as a batch of at most `max` rows (up to BATCH_ROWS) in `scratch`; none at the
/// end.
firn_status unit_emit(aggregate_unit *self, uint32_t max, arena *scratch, batch *out,
                      firn_error *err);
/// Without groups: the one row.
firn_status unit_emit_single(aggregate_unit *self, arena *scratch, batch *out, firn_error *err);

#endif
