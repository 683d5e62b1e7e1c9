// The bloom filter of a chunk while it is written. It begins as large as it may become, since
// nobody knows how many values come, and is folded to half of its size as often as the rate of
// false positives allows: the block of a value in half as many blocks is its block / 2
// (pq_bloom.h).
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_BLOOM_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_BLOOM_H

#include "formats/parquet/write/pw_options.h"
#include "formats/parquet/write/pw_stored.h"

/// The bitset is NULL where there is no filter.
typedef struct pw_bloom {
    uint8_t *bitset;
    size_t size; ///< A power of two of at least a block.
} pw_bloom;

/// In `memory`. Errors: FIRN_NO_MEMORY.
firn_status pw_bloom_open(const pw_options *options, const pw_leaf_options *leaf, arena *memory,
                          pw_bloom *out, firn_error *err);
/// Adds values of the leaf. Not of PQ_BOOLEAN, which has none. Of floats, both zeros are added
/// where there is one, and the usual NaNs where there is any: they are equal to readers, whose hash
/// is of the bits.
void pw_bloom_add(pw_bloom *self, const pq_leaf *leaf, const pw_values *values);
/// Makes it as small as `rate` allows.
void pw_bloom_fold(pw_bloom *self, double rate);

#endif
