// A block of a pool that is used again and again and grows when something larger comes.
#ifndef FIRN_FORMATS_PARQUET_PQ_BLOCK_H
#define FIRN_FORMATS_PARQUET_PQ_BLOCK_H

#include "memory/pool.h"

/// Starts as zeros: no memory.
typedef struct pq_block {
    uint8_t *data;
    size_t size;     // Bytes that may be used.
    size_t capacity; // Bytes that were taken.
} pq_block;

/// Makes room for `size` bytes; the first `kept` of the old content stay.
/// Errors: FIRN_NO_MEMORY; the block is then empty, or as it was if something is kept.
firn_status pq_block_reserve(pq_block *self, pool *owner, size_t size, size_t kept,
                             firn_error *err);

void pq_block_close(pq_block *self, pool *owner);

#endif
