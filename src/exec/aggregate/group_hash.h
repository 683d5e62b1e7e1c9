// A hash table of groups: rows of a row store, found by their key.
//
//     directory  ┌ 0 ┬ tag, row ┬ 0 ┬ tag, row ┬ …        8 bytes a slot, linear probing
//     rows       on pages of the table's writer, hash first
//
// The tag is 16 bits of the hash above those that choose the slot, so that nearly no row of another
// key is looked at. The row's address has the other 48. Groups are never removed singly.
//
// The table takes pages and its directory from the store's keeper and never writes out by itself:
// refused, it stops, and its owner moves the groups elsewhere (aggregate_build.c,
// aggregate_finish.c).
#ifndef FIRN_EXEC_GROUP_HASH_H
#define FIRN_EXEC_GROUP_HASH_H

#include "exec/key_numbers.h"
#include "exec/rows/rows.h"

/// Instead of a directory: entries by key (group_direct.c).
typedef struct group_direct {
    bool is_on;
    key_numbers *numbers; ///< NULL: the one key is an integer, and itself the number.
    uint32_t **chunks;    ///< By number from `first` on; NULL: no key fell into it yet.
    int64_t first;        ///< key >> shift of the first one.
    uint64_t chunk_count; ///< In the list.
    uint64_t used_count;  ///< That are there.
    uint32_t shift;
    uint64_t mask;       ///< Of a key: its place in the chunk.
    uint64_t slot_max;   ///< Entries in all chunks.
    uint32_t null_entry; ///< Of the group of NULL.
    uint8_t **pages;     ///< Of rows, as entries number them.
    uint64_t page_count;
    uint64_t page_capacity;
} group_direct;

typedef struct group_table {
    row_store *store;   ///< Its layout has hashes.
    uint32_t key_count; ///< The key are the first columns.
    row_writer rows;    ///< One partition.
    directory slots;    ///< uint64_t each; data is NULL before the first group.
    group_direct direct;
    arena memory; ///< Lists.
    uint64_t slot_count;
    uint64_t group_count;
} group_table;

/// Opens an empty table. Its lists are counted against `query`; it may be moved as bytes.
firn_status group_table_open(row_store *store, uint32_t key_count, pool *query, group_table *out,
                             firn_error *err);
void group_table_close(group_table *self); ///< Zeroed memory is a closed table.

/// Makes room in the directory for `more` further groups: it is at most 60 % full then, or 85 % if
/// the keeper refuses a larger one. False: not even that.
bool group_table_reserve(group_table *self, uint64_t more);
/// The same, by urgent requests: of who could not go on without.
bool group_table_reserve_urgent(group_table *self, uint64_t more);

/// Hashes that a table takes: 0 marks rows that are groups no more.
static inline uint64_t group_hash(uint64_t hash) {
    return hash == 0 ? 1 : hash;
}

/// Hashes of keys, as tables take them. False if `scratch` is full.
bool group_hash_rows(const column *keys, uint32_t key_count, const uint16_t *rows, uint32_t count,
                     arena *scratch, uint64_t *out);

/// Rows of a batch to be found, or made groups of.
typedef struct group_lookup {
    const column *columns; ///< The layout's, keys first; any form but RUNS.
    const uint16_t *rows;  ///< NULL: rows 0 to count - 1.
    uint32_t count;
    const uint64_t *hashes; ///< By group_hash.
    /// By key: hashes of rows that make groups; NULL: group_hash_rows. False if `scratch` is full.
    bool (*hash_rows)(void *user, const uint16_t *rows, uint32_t count, arena *scratch,
                      uint64_t *out);
    void *user;
    bool allows_text; ///< By key: flat text too, row by row.
    bool finds_only;  ///< By key: no group is made, rows of others than are there are missing.
    uint8_t **groups; ///< Out: the group of the k-th row; NULL if there was no room for it.
    uint16_t *fresh;  ///< Out: for which k a group was made, without extra bytes yet.
    uint32_t fresh_count;
    uint32_t missing_count; ///< Out: for how many there was no room.
} group_lookup;

/// Finds or makes the group of each row. The caller has reserved `count` groups.
firn_status group_table_find(group_table *self, group_lookup *call, arena *scratch,
                             firn_error *err);

/// Rows of the store (not of this table) that become groups, or belong to one.
typedef struct group_absorbing {
    uint8_t *const *rows;
    uint32_t count;
    bool in_place;    ///< They lie on a page of the table itself; else they are copied.
    uint8_t **groups; ///< Out: rows[k], its copy, or the group with the same key.
    bool *is_fresh;   ///< Out: it became a group. Else, in place, rows[k] is dead.
    uint32_t done;    ///< Out: how many were taken in before memory was refused.
} group_absorbing;

/// Takes rows in. The caller has reserved `count` groups.
firn_status group_table_absorb(group_table *self, group_absorbing *call, arena *scratch,
                               firn_error *err);

// ---- By key instead of hash (group_direct.c) ----------------------------------------------------

/// Whether groups of keys of these types can be found by key.
bool group_direct_takes(const type *const *keys, uint32_t count);

/// From now on the table's groups are found by key, with at most `slot_max` entries. *is_on is
/// false if that is too few, memory is refused or groups are so wide that their pages are larger
/// than PAGE_BYTES_MAX; all is as before then.
firn_status group_direct_begin(group_table *self, uint64_t slot_max, bool *is_on, arena *scratch,
                               firn_error *err);

/// As group_table_find; nothing is reserved before, and call->hashes is not looked at. *fits is
/// false if keys are too far apart to begin with: no rows are added then, and group_direct_end has
/// to follow. If memory is refused or more than `slot_max` entries would be needed, rows are
/// missing.
firn_status group_direct_find(group_table *self, group_lookup *call, uint64_t slot_max, bool *fits,
                              arena *scratch, firn_error *err);

/// Takes in the numbers of rows' keys; groups of the table move for them. *fits is false if they
/// are too far apart, or too many.
firn_status group_direct_learn(group_table *self, const group_absorbing *call, bool *fits,
                               arena *scratch, firn_error *err);

/// As group_table_absorb, of rows in place that are groups of no other table and whose keys were
/// learned. The table's pages may hold them already, so nothing moves.
firn_status group_direct_absorb(group_table *self, group_absorbing *call, arena *scratch,
                                firn_error *err);

/// Gives the entries back. Groups are not found until group_table_reserve has filled a directory.
void group_direct_end(group_table *self);

/// A place among the groups; zeroed: the first.
typedef struct group_cursor {
    row_page *page;
    uint32_t at;
    bool has_begun;
} group_cursor;

/// The next groups, at most `max`; how many, 0 at the end. The table does not change meanwhile.
uint32_t group_table_next(const group_table *self, group_cursor *cursor, uint8_t **out,
                          uint32_t max);

/// Empties the table; its pages stay as spares of its writer, its directory is zeroed.
void group_table_clear(group_table *self);

/// Empties the table and gives pages and directory back; it can be used again.
void group_table_close_rows(group_table *self);

/// Moves all groups to partitions of a writer of the same store, page by page, and gives the pages
/// (or keeps them as spares) and the directory back.
firn_status group_table_flush(group_table *self, row_writer *to, uint32_t kept_count,
                              firn_error *err);

#endif
