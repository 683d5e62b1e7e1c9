// Finding the build rows of a key: a directory per partition, or an array indexed by the key.
//
//     slot   ┌ 16 bits ┬ 48 bits ┐        every row of the chain has set two of the 16 bits by its
//            └ filter  ┴ pointer ┘        hash, so that most misses never touch a row
//     row    ┌ hash ┬ link ┬ keys …       link = pointer to the next row of the slot and, in the
//                                         top bit, whether the row found a partner
//
// Where a NULL leaves rows undecided, rows are also found by their group: those whose keys that
// take NULL as a value are equal. A second half of the directory has the chains of groups, and a
// row a second link. The top bits of a row's hash are its group's, so that a group lies in one
// partition.
//
// An integer key whose values lie close together needs no hash: slot key - first of an array points
// to its rows, all of which have exactly this key. Where rows need not be seen at all, only that
// there is one, the array is a bitmap.
#ifndef FIRN_EXEC_JOIN_TABLE_H
#define FIRN_EXEC_JOIN_TABLE_H

#include <stdatomic.h>

#include "exec/join/join_plan.h"

#define JOIN_LINK_BYTES 8
#define JOIN_GROUP_SHIFT 40 // The bits of a hash from there on are the group's.

typedef struct join_slots {
    directory memory;
    uint64_t *slots;  ///< Of a spilled partition: one, empty.
    uint64_t *groups; ///< As many slots, of groups; NULL: there are none.
    uint64_t mask;
    bool is_spilled;
} join_slots;

typedef enum join_lookup {
    JOIN_LOOKUP_HASH,
    JOIN_LOOKUP_DIRECT,
    JOIN_LOOKUP_BITMAP,
} join_lookup;

typedef struct join_table {
    join_lookup lookup;
    uint32_t part_count;
    uint32_t shift; ///< Of a hash; with several partitions.
    join_slots *parts;
    bool has_spilled;
    // DIRECT, BITMAP:
    int64_t first;
    uint64_t range; ///< Keys first to first + range - 1.
    directory array;
    atomic_bool has_chains;       ///< DIRECT: a key has several rows. Constant once all are added.
    const struct join_runs *runs; ///< Of long chains: see join_runs.h. NULL: there are none.
} join_table;

static inline uint32_t join_table_part(const join_table *self, uint64_t hash) {
    return self->part_count == 1 ? 0 : (uint32_t)(hash >> self->shift) & (self->part_count - 1);
}

// ---- Links -------------------------------------------------------------------------------------

#define JOIN_POINTER_MASK ((UINT64_C(1) << 48) - 1)
#define JOIN_MATCHED (UINT64_C(1) << 63)

typedef _Atomic(uint64_t) join_link;

static inline join_link *join_link_of(const row_layout *layout, const uint8_t *row) {
    return (join_link *)(uintptr_t)(row + layout->extra_offset);
}
static inline const uint8_t *join_next(const row_layout *layout, const uint8_t *row) {
    const uint64_t link = atomic_load_explicit(join_link_of(layout, row), memory_order_relaxed);
    return (const uint8_t *)(uintptr_t)(link & JOIN_POINTER_MASK);
}
static inline bool join_row_is_matched(const row_layout *layout, const uint8_t *row) {
    return (atomic_load_explicit(join_link_of(layout, row), memory_order_relaxed) & JOIN_MATCHED) !=
           0;
}
/// Marks a row; was it marked before? Workers may do so at once; who reads the marks comes after
/// all of them.
static inline bool join_row_mark(const row_layout *layout, const uint8_t *row) {
    join_link *link = join_link_of(layout, row);
    return (atomic_load_explicit(link, memory_order_relaxed) & JOIN_MATCHED) != 0 ||
           (atomic_fetch_or_explicit(link, JOIN_MATCHED, memory_order_relaxed) & JOIN_MATCHED) != 0;
}

/// The next row of the chain that nobody marked. Marked ones in between leave the chain, so that it
/// is short for who comes next: for joins that ask of each right row only once. Workers may do so
/// at once: what another one puts here leads past marked rows only, too.
static inline const uint8_t *join_next_unmarked(const row_layout *layout, const uint8_t *row) {
    join_link *link = join_link_of(layout, row);
    uint64_t known = atomic_load_explicit(link, memory_order_relaxed);
    const uint8_t *first = (const uint8_t *)(uintptr_t)(known & JOIN_POINTER_MASK);
    const uint8_t *next = first;
    while (next != NULL && join_row_is_matched(layout, next)) {
        next = join_next(layout, next);
    }
    if (next != first) {
        const uint64_t shorter = (known & JOIN_MATCHED) | (uint64_t)(uintptr_t)next;
        (void)atomic_compare_exchange_strong_explicit(link, &known, shorter, memory_order_relaxed,
                                                      memory_order_relaxed);
    }
    return next;
}

// The next row of the group.
static inline const uint8_t *join_group_next(const row_layout *layout, const uint8_t *row) {
    const uint8_t *next;
    memcpy(&next, row + layout->extra_offset + JOIN_LINK_BYTES, sizeof next);
    return next;
}
static inline bool join_has_groups(const row_layout *layout) {
    return layout->extra_size > JOIN_LINK_BYTES;
}

// ---- Building ----------------------------------------------------------------------------------

/// Bytes of a directory for that many rows.
uint64_t join_slots_bytes(const row_layout *layout, uint64_t row_count);
/// Opens an empty one. False: refused.
bool join_slots_open(join_slots *self, const row_store *store, uint64_t row_count, bool is_urgent);
void join_slots_close(join_slots *self);
/// Adds the rows of a page; those with a NULL key that equals nothing stay out. `direct`: to the
/// table's array instead. Rows of one key are added by one thread.
void join_table_add_page(join_table *self, const join_plan *plan, uint32_t part, row_page *page,
                         bool direct);

/// The first row of the chain that a row of partition `part` is in, if it is in one.
const uint8_t *join_table_head_of(const join_table *self, const join_plan *plan, uint32_t part,
                                  const uint8_t *row);

// ---- Integer keys ------------------------------------------------------------------------------

/// The integer of a row's key column.
int64_t join_key_of_row(const row_layout *layout, const type *of, uint32_t number,
                        const uint8_t *row);
/// out[k] = the integer in row lanes[k] of `keys`.
void join_key_values(const column *keys, const uint16_t *lanes, uint32_t count, int64_t *out);
/// The least and the greatest of them, NULLs left out. False if there are none, or one that does
/// not fit into int64_t.
typedef struct join_bounds {
    bool is_known; ///< False once a value did not fit.
    uint64_t count;
    int64_t low;
    int64_t high;
} join_bounds;
void join_bounds_add(join_bounds *self, const column *keys, const uint16_t *lanes, uint32_t count);
void join_bounds_merge(join_bounds *self, const join_bounds *other);
/// How many values lie between them, both included; UINT64_MAX if unknown or more.
uint64_t join_bounds_range(const join_bounds *self);

// ---- Looking up --------------------------------------------------------------------------------

static inline uint64_t join_slot_bits(uint64_t hash) {
    return UINT64_C(1) << (48 + (hash >> 36 & 15)) | UINT64_C(1) << (48 + (hash >> 32 & 15));
}
/// heads[k]: the first row of the chain that hashes[k] may be in, or NULL.
void join_table_heads(const join_table *self, const uint64_t *hashes, uint32_t count,
                      const uint8_t **heads);
/// heads[k]: the first row of the chain that the group of hashes[k] may be in, or NULL.
void join_table_groups(const join_table *self, const uint64_t *hashes, uint32_t count,
                       const uint8_t **heads);
/// DIRECT: heads[k] for values[k].
void join_table_heads_direct(const join_table *self, const int64_t *values, uint32_t count,
                             const uint8_t **heads);
/// BITMAP: sets bit lanes[k] of `matched` if values[k] is there.
void join_table_bits(const join_table *self, const int64_t *values, const uint16_t *lanes,
                     uint32_t count, uint64_t *matched);

#endif
