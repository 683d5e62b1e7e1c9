// Rows of one worker on their way into partitions: first into a table that makes groups of them and
// stays in cache, from there into partitions when it is full. Rows that are kept one by one have no
// table; they are a list until they are many.
//
//     table, or list ── full ──► partitions by hash
//          ▲                         ▲
//     rows ┴── table does not help ──┘
#ifndef FIRN_EXEC_AGGREGATE_STAGE_H
#define FIRN_EXEC_AGGREGATE_STAGE_H

#include "exec/aggregate/group_counter.h"
#include "exec/aggregate/group_hash.h"

typedef struct aggregate_stage aggregate_stage;

/// Rows that a stage is given.
typedef struct stage_input {
    const column *columns; ///< Those of the stage's layout; any form but RUNS.
    const uint16_t *rows;  ///< NULL: rows 0 to count - 1.
    uint32_t count;
    const uint64_t *hashes; ///< hashes[k] of the k-th row, by group_hash. NULL if the rows that are
                            ///< kept have none: then there is one partition.
} stage_input;

/// Rows that have a place now.
typedef struct stage_places {
    const stage_input *in; ///< What they were given as, or a part of it.
    const uint16_t *ks;    ///< Row number ks[i] of `in` lies at places[i]; NULL: number i.
    uint32_t count;
    uint8_t *const *places;
    const uint16_t *fresh; ///< Numbers i of those that have no extra bytes yet.
    uint32_t fresh_count;
} stage_places;

/// What the owner of a stage does itself. Everything but `user` and `scratch` may be NULL.
typedef struct stage_owner {
    void *user;
    arena *scratch;
    /// Rows have a place, until the next call with this stage.
    firn_status (*placed)(void *user, const stage_places *rows, firn_error *err);
    /// Moves the table's groups into the partitions and empties it. NULL: they move as bytes.
    firn_status (*flush)(void *user, aggregate_stage *stage, firn_error *err);
    /// Puts rows into the partitions. NULL: as they are, then `placed`.
    firn_status (*append)(void *user, aggregate_stage *stage, const stage_input *in,
                          firn_error *err);
    bool passes; ///< `append` puts them into stage->passed.
    /// Hashes of rows that come without: as group_lookup.
    bool (*hash_rows)(void *user, const uint16_t *rows, uint32_t count, arena *scratch,
                      uint64_t *out);
} stage_owner;

struct aggregate_stage {
    bool has_table;
    group_table table;
    row_store *kept; ///< Of the rows in list and partitions.
    row_writer list;
    row_writer parts; ///< Open once is_partitioned.
    row_store *passed_store;
    row_writer passed; ///< Likewise, if there is a store of them: rows that went past the table.
    row_page *spares;  ///< For whichever of the two comes first, when the keeper refuses.
    bool is_partitioned;
    uint32_t (*count_parts)(void *user); ///< As in stage_options.
    void *user;
    arena *memory;
    uint64_t group_max;      ///< Groups in the table before they move on, or it grows.
    uint32_t table_page_max; ///< Pages of it, likewise.
    uint32_t free_page_max;  ///< To so many it grows whatever it holds,
    uint32_t grow_page_max;  ///< to so many as long as there are fewer groups than rows.
    bool expects_few;        ///< Fewer groups than rows, by the plan.
    uint64_t rows_in_fill;   ///< That went into the table since it was empty.
    uint32_t poor_fills;     ///< In a row, with fewer than 1.5 rows a group.
    uint64_t rows_to_bypass; ///< That go past the table.
    group_counter passing;   ///< Of those: a small table may not see that they are of few groups.
    uint64_t group_bytes;    ///< A group's bytes in the table when it was last emptied.
    uint64_t pages_to_grow;  ///< What it may hold if few groups pass it.
    // Groups by key instead of hash.
    bool may_be_direct;
    bool is_settled;       ///< There is room for no more groups: rows of others than these go past.
    uint64_t settled_rows; ///< That came since, or since they were last counted,
    uint64_t missed_rows;  ///< and those of other groups among them.
    uint32_t part_max;     ///< As in stage_options.
    uint64_t direct_slots; ///< Entries that may be spent before any rows have come.
    uint64_t rows_seen;
};

/// How many pages the table keeps when it is emptied: what it will fill before that again.
static inline uint32_t stage_kept_pages(const aggregate_stage *self) {
    return self->rows_to_bypass > 0 ? 0 : self->table_page_max;
}

typedef struct stage_options {
    row_store *table; ///< Of the table's groups; NULL: no table.
    uint32_t key_count;
    row_store *kept;
    row_store *passed; ///< Of rows that go past the table, in a layout of their own; NULL: none.
    uint32_t (*count_parts)(void *user); ///< How many partitions there are; asked for the first row
    void *user;                          ///< that goes into one.
    uint32_t part_max;                   ///< It is at most this.
    uint64_t table_bytes;                ///< What the table holds at first.
    uint64_t share_bytes;                ///< What the worker may hold.
    bool may_be_direct; ///< Its key may find groups by itself (group_direct_takes).
    uint64_t group_estimate;
    uint64_t row_estimate; ///< 0: neither is known.
} stage_options;

/// Opens an empty stage that takes no memory yet but from `memory`.
firn_status stage_open(const stage_options *options, arena *memory, aggregate_stage *out,
                       firn_error *err);
void stage_close(aggregate_stage *self); ///< Zeroed memory is a closed stage.

/// Takes rows in; `owner->placed` is told where they are.
firn_status stage_add(aggregate_stage *self, const stage_input *in, const stage_owner *owner,
                      firn_error *err);
/// The same for rows without hashes, if their keys find groups by themselves. What is left over,
/// all of them if it was not tried, stays in *in. `share_bytes` is what the worker may hold.
firn_status stage_add_direct(aggregate_stage *self, stage_input *in, uint64_t share_bytes,
                             const stage_owner *owner, firn_error *err);
/// Moves everything into partitions.
firn_status stage_partition(aggregate_stage *self, const stage_owner *owner, firn_error *err);
/// To be called between batches, with what the worker may hold: writes out what is too much.
firn_status stage_look(aggregate_stage *self, uint64_t share_bytes, firn_error *err);

#endif
