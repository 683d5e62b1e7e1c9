// What was made of long values a short while ago, by where they lie: rows that were made of one, as
// joins and unnest do, have its list or text in common, and what is made of it once serves all.
//
// A cache of 4 ways: of values that come by turns some dozens are found again, of more some are
// made anew. Short values are not worth a look-up.
#ifndef FIRN_COLUMN_VALUE_MEMO_H
#define FIRN_COLUMN_VALUE_MEMO_H

#include <stdint.h>

#include "base/hash.h"

#define VALUE_MEMO_SETS 16
#define VALUE_MEMO_WAYS 4
#define VALUE_MEMO_ELEMENTS 8 ///< Lists of at least so many elements are long …
#define VALUE_MEMO_BYTES 64   ///< … and texts of so many bytes.

/// Where a value lies and how large it is.
typedef struct value_place {
    const void *base; ///< Bytes of a text, or the elements among which a list lies …
    uint32_t offset;  ///< … from here on.
    uint32_t size;    ///< Never 0.
} value_place;

typedef struct value_memo_entry {
    value_place place; ///< Size 0: free.
    uint64_t made;
} value_memo_entry;

/// Zeroed memory is an empty one.
typedef struct value_memo {
    uint8_t oldest[VALUE_MEMO_SETS];
    value_memo_entry entries[VALUE_MEMO_SETS][VALUE_MEMO_WAYS];
} value_memo;

/// What was made of a value; `*is_there` is false if nothing is known: then the caller fills it in.
static inline uint64_t *value_memo_find(value_memo *self, value_place place, bool *is_there) {
    const uint64_t key = (uint64_t)(uintptr_t)place.base ^ (uint64_t)place.offset << 20;
    const uint32_t set = (uint32_t)(hash_u64(key) % VALUE_MEMO_SETS);
    value_memo_entry *ways = self->entries[set];
    for (uint32_t way = 0; way < VALUE_MEMO_WAYS; way++) {
        const value_place *known = &ways[way].place;
        if (known->size == place.size && known->offset == place.offset &&
            known->base == place.base) {
            *is_there = true;
            return &ways[way].made;
        }
    }
    const uint32_t way = self->oldest[set];
    self->oldest[set] = (uint8_t)((way + 1) % VALUE_MEMO_WAYS);
    ways[way].place = place;
    *is_there = false;
    return &ways[way].made;
}

#endif
