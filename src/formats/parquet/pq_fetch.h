// Some ranges of a file, read together into one block: indexes, bloom filters.
#ifndef FIRN_FORMATS_PARQUET_PQ_FETCH_H
#define FIRN_FORMATS_PARQUET_PQ_FETCH_H

#include "formats/parquet/pq_block.h"
#include "formats/parquet/pq_file.h"

typedef struct pq_fetch {
    io_file *input; // Borrowed.
    pool *owner;
    io_request request;
    io_ticket ticket;
    pq_block block;
    uint32_t count;
    uint32_t capacity;
    io_range *ranges;
    size_t total; // Bytes of all ranges added.
} pq_fetch;

/// Sets up for up to `capacity` ranges, in `memory`. Must not move afterwards.
firn_status pq_fetch_open(pq_fetch *self, io_file *input, pool *owner, const io_request *request,
                          uint32_t capacity, arena *memory, firn_error *err);
void pq_fetch_close(pq_fetch *self);

/// Forgets what was read before.
void pq_fetch_begin(pq_fetch *self);

/// Adds a range, which lies in the file; returns its number.
uint32_t pq_fetch_add(pq_fetch *self, uint64_t offset, size_t size);

/// Asks for all of them.
firn_status pq_fetch_submit(pq_fetch *self, firn_error *err);

/// PQ_READY when all are there, or none was added.
firn_status pq_fetch_next(pq_fetch *self, pq_answer *answer, firn_error *err);

/// The bytes of a range; readable for PQ_PAD bytes behind. They live until pq_fetch_begin.
static inline bytes pq_fetch_bytes(const pq_fetch *self, uint32_t number) {
    return (bytes){.data = self->ranges[number].into, .size = self->ranges[number].size};
}

#endif
