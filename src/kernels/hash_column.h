// Hashes of rows: one number for each row of one or more columns; base/hash.h has the functions.
// Agrees with column_hash_row: NULL is HASH_NULL, NaN one value, -0.0 as 0.0, intervals by length.
//
// Of the kernels only compare.h (constants) and this one take columns in other forms than flat: a
// dictionary's entries are hashed once and not once a row, a run once, and lifting (expr/lift.c)
// would make numbers flat that are thrown away again. The loops (hash_column.isa.c) see flat
// values.
#ifndef FIRN_KERNELS_HASH_COLUMN_H
#define FIRN_KERNELS_HASH_COLUMN_H

#include "column/column.h"

/// out[k] becomes the hash of the k-th row of `rows` (NULL: rows 0 to count - 1), any form and
/// type; with `combines`, hash_combine(out[k], that): the next column of a key. A dictionary's
/// entries are hashed once if the dictionary has its hashes, or no more entries than there are
/// rows. False when `scratch` is full. Any numbers once its flag is raised.
bool hash_column(const column *self, const uint16_t *rows, uint32_t count, bool combines,
                 arena *scratch, uint64_t *out);

/// The hashes of all entries, for who owns a dictionary and wants to keep them in it.
bool hash_entries(const column *values, arena *scratch, uint64_t *out);

#endif
