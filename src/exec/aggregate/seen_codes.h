// Rows that bring nothing new: those whose keys are dictionary entries that came before.
//
// Who wants each value once (DISTINCT, min, max) needs the first row of each combination of entries
// only, as long as the dictionaries stay the same; once all combinations came, none at all.
#ifndef FIRN_EXEC_SEEN_CODES_H
#define FIRN_EXEC_SEEN_CODES_H

#include "column/column.h"

#define SEEN_KEYS_MAX 4
#define SEEN_COMBINATIONS_MAX UINT32_C(65536)

typedef struct seen_codes {
    arena *memory;
    uint32_t capacity;
    uint8_t *seen;         ///< By combination: 1, it came.
    uint32_t combinations; ///< 0: of no dictionaries yet.
    uint32_t seen_count;
    uint32_t key_count;
    uint64_t identities[SEEN_KEYS_MAX];
} seen_codes;

/// Has seen nothing. Takes what it needs from `memory`, which outlives it.
seen_codes seen_codes_open(arena *memory);

/// Leaves of `*count` rows (of those listed in *rows; NULL: 0 to *count - 1) the first ones with
/// their combination of entries, and counts those as seen: the caller takes them in. Leaves all
/// rows if a key is no dictionary column, has a NULL, or there is no memory. The list is made in
/// `scratch`.
void seen_codes_drop(seen_codes *self, const column *keys, uint32_t key_count,
                     const uint16_t **rows, uint32_t *count, arena *scratch);

#endif
