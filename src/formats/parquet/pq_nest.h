// Turns levels into the validity and the list slices of nested columns.
//
// Of the entries of a leaf, those that begin a value of a node are its *slots*: the repetition
// level is at most the number of lists around the node, and the definition level says that the
// element of the innermost of these lists is there. The k-th slot is row k of the node's column.
// All work is done on 64 entries at once: three comparisons make bitmaps, the rest is counting and
// packing bits.
//
// Entries here are those of whole rows: the first one begins a row.
#ifndef FIRN_FORMATS_PARQUET_PQ_NEST_H
#define FIRN_FORMATS_PARQUET_PQ_NEST_H

#include "base/isa.h"
#include "column/value.h"

/// Entries of one leaf; both arrays readable for PQ_PAD bytes behind.
typedef struct pq_entries {
    const uint8_t *repetition;
    const uint8_t *definition;
    uint32_t count;
} pq_entries;

/// Which entries are slots of a node.
typedef struct pq_slots {
    uint8_t repetition; // Lists around the node.
    uint8_t definition; // Level from which on the element of the innermost one is there.
} pq_slots;

typedef struct pq_nest_kernels {
    /// How many slots there are.
    uint32_t (*count)(const pq_entries *entries, pq_slots slots);
    /// Bit k of `validity`: slot k has a definition level of at least `definition`. Bits behind the
    /// last slot are 0 up to the end of its word; room for a bit per entry, in whole words. Returns
    /// the slots; `*valid_count` the set bits.
    uint32_t (*validity)(const pq_entries *entries, pq_slots slots, uint8_t definition,
                         uint64_t *validity, uint32_t *valid_count);
    /// Slice k: the elements of slot k, which are the slots `elements` of the same entries. Room
    /// for a slice per entry. Returns the slots; `*element_count` their elements.
    uint32_t (*lists)(const pq_entries *entries, pq_slots slots, pq_slots elements, list_value *out,
                      uint32_t *element_count);
} pq_nest_kernels;

/// The kernels for this machine.
const pq_nest_kernels *pq_nest(void);

/// The same for one level; the machine must be able to run it. For tests and benchmarks.
const pq_nest_kernels *pq_nest_at(isa_level level);

#endif
