// The split-block bloom filter of a column chunk: says that a value is certainly not in it.
//
// The bitset is blocks of 256 bits. A value's XXH64 of its PLAIN bytes chooses a block by its upper
// half and, by multiplying its lower half with eight odd numbers, one bit in each of the block's
// eight words.
//
// Specification: apache/parquet-format, BloomFilter.md.
#ifndef FIRN_FORMATS_PARQUET_PQ_BLOOM_H
#define FIRN_FORMATS_PARQUET_PQ_BLOOM_H

#include <stdbool.h>

#include "base/bytes.h"

#define PQ_BLOOM_BLOCK_BYTES 32

/// A bitset. Borrows it.
typedef struct pq_bloom {
    bytes bitset; // A multiple of PQ_BLOOM_BLOCK_BYTES, at least one.
} pq_bloom;

/// False if the value with this hash is certainly not there.
bool pq_bloom_may_contain(const pq_bloom *self, uint64_t hash);

/// The hash of a value: its bytes as PLAIN stores them, of byte arrays without the size.
uint64_t pq_bloom_hash_of(bytes value);

/// Puts a hash into a bitset, for writers.
void pq_bloom_insert(uint8_t *bitset, size_t size, uint64_t hash);

#endif
