// Dynamic filters: what a running operator learned that lets a scan skip rows.
//
// A plan names a filter by slot number (EXPR_DYNAMIC); its content lives in the execution. A join
// publishes one once, after all build workers are done; a Top-N publishes ever tighter bounds. A
// filter may only drop rows that cannot change the result, so ignoring one is always right, and a
// reader looks at it once per morsel or page. Before it is published every row passes.
#ifndef FIRN_EXPR_DYNAMIC_H
#define FIRN_EXPR_DYNAMIC_H

#include <stdatomic.h>

#include "expr/facts.h"
#include "expr/row_scope.h"

/// Immutable once published. All parts that are there must hold for a row to pass.
typedef struct dynamic_content {
    uint32_t key_count; ///< How many argument columns the filter looks at.
    bool passes_null;   ///< Does a row with a NULL key pass? (null-equal keys)
    bool is_empty;      ///< Nothing passes: the build side had no rows.
    // Per key, one row each; NULL: no bound.
    const column *const *minimum;
    const column *const *maximum;
    // One integer key with a known range: bit (value - bitmap_first), `bitmap_bits` of them.
    const uint64_t *bitmap;
    int64_t bitmap_first;
    uint64_t bitmap_bits;
    // Else a register-blocked bloom filter over the hashes of the keys (kernels/hash_column.h,
    // combined in key order): `bloom_blocks` 64-bit words, a power of two; dynamic_bloom_add.
    const uint64_t *bloom;
    uint64_t bloom_blocks;
    uint64_t row_estimate; ///< Distinct keys, about; small ones are worth a dictionary test.
    // Top-N: rows behind (key 0 in this order) do not pass. Uses minimum or maximum only.
} dynamic_content;

typedef struct dynamic_filter {
    _Atomic(const dynamic_content *) content; ///< NULL until published. Release / acquire.
    atomic_bool will_come;                    ///< A build is running: planning may wait for it.
} dynamic_filter;

/// The slots of an execution.
typedef struct dynamic_filters {
    uint32_t count;
    dynamic_filter *slots;
} dynamic_filters;

static inline const dynamic_content *dynamic_content_of(const dynamic_filters *self,
                                                        uint32_t slot) {
    return self == NULL || slot >= self->count
               ? NULL
               : atomic_load_explicit(&self->slots[slot].content, memory_order_acquire);
}

/// The word of a hash in a bloom filter, and the bits that are set there: four of 64.
static inline uint64_t dynamic_bloom_block(uint64_t hash, uint64_t blocks) {
    return hash >> 24 & (blocks - 1);
}
static inline uint64_t dynamic_bloom_bits(uint64_t hash) {
    return UINT64_C(1) << (hash & 63) | UINT64_C(1) << (hash >> 6 & 63) |
           UINT64_C(1) << (hash >> 12 & 63) | UINT64_C(1) << (hash >> 18 & 63);
}
static inline void dynamic_bloom_add(uint64_t *bloom, uint64_t blocks, uint64_t hash) {
    bloom[dynamic_bloom_block(hash, blocks)] |= dynamic_bloom_bits(hash);
}

/// Keeps of `rows` (NULL: 0 to count - 1) those that pass, in `out` (room for count); returns how
/// many. `keys` are FLAT, CONSTANT or DICTIONARY. What cannot be tested for lack of memory passes.
uint32_t dynamic_select(const dynamic_content *self, const column *const *keys,
                        const uint16_t *rows, uint32_t count, arena *scratch, uint16_t *out);

/// What a filter says of the entries of a dictionary, kept while the dictionary stays the same.
typedef struct dynamic_memo {
    arena memory;
    uint64_t identity; ///< 0: of none.
    const dynamic_content *content;
    uint64_t asked_rows; ///< So far.
    uint64_t *passes;    ///< By entry; NULL: not known yet.
    // Of rows that are asked one by one, by hash:
    uint64_t looked_rows;  ///< Since it was last looked how many pass,
    uint64_t passed_rows;  ///< and those of them that did.
    uint64_t skipped_rows; ///< Not asked any more, since nearly all pass; 0: they are asked.
} dynamic_memo;

/// Makes of `out` (BITMAP_WORDS(scope->length) words) the bitmap of the scope's rows that pass; one
/// integer key is fast. `keys` as above. False if `scratch` is full.
bool dynamic_pass(const dynamic_content *self, dynamic_memo *memo, const column *const *keys,
                  row_scope *scope, arena *scratch, uint64_t *out);

/// Can any row with keys in these bounds pass? For pruning files, row groups, pages.
verdict dynamic_evaluate(const dynamic_content *self, const column_facts *const *keys);

#endif
