// A window that moves over the bytes of one column chunk, in a buffer that is used again and again.
//
//     chunk   ....|consumed|  at hand  |  asked for  |  not yet asked for  |
//                          ^from       ^to           ^next                 ^end
//
// It reads `step` bytes at a time, more if one page needs more, and never waits itself. Bytes at
// hand stay where they are until pq_window_want is called for more than there are.
//
// Where reading takes long the next bytes are asked for while those at hand are in use. They land
// in a second buffer, behind room for what will be left at hand by then; then the buffers are
// swapped.
#ifndef FIRN_FORMATS_PARQUET_PQ_WINDOW_H
#define FIRN_FORMATS_PARQUET_PQ_WINDOW_H

#include "formats/parquet/pq_block.h"
#include "formats/parquet/pq_file.h"

// The second buffer; never used while the window's `ticket` is.
typedef struct pq_window_ahead {
    pq_block buffer;
    size_t room;   // Before what arrives there.
    uint64_t skip; // Bytes of it that were passed over already.
    io_ticket ticket;
    io_range range;
} pq_window_ahead;

typedef struct pq_window {
    io_file *input; // Borrowed.
    pool *owner;
    io_request request;
    size_t step;
    uint64_t next; // Offset in the file.
    uint64_t end;
    pq_block buffer;
    size_t from;
    size_t to;
    io_ticket ticket;
    io_range range;         // What is asked for.
    uint64_t arrived_bytes; // So far, of all chunks.
    bool reads_ahead;       // To be set for a chunk that was begun, if all of it is wanted.
    pq_window_ahead *ahead; // NULL: nothing is asked for ahead.
} pq_window;

/// Sets a window up; nothing is asked for or allocated yet. Must not move afterwards. Who wants
/// bytes to be asked for ahead sets `ahead` to one that is all zero and lives as long.
void pq_window_open(pq_window *self, io_file *input, pool *owner, const io_request *request);
void pq_window_close(pq_window *self);

/// Begins at the start of another chunk; `step` bytes at a time.
void pq_window_begin(pq_window *self, pq_chunk_range chunk, size_t step);

/// Asks for the first bytes without waiting for them, so that several columns' come together.
firn_status pq_window_ask(pq_window *self, firn_error *err);

/// Makes `size` bytes available at `from`, or as many as the chunk has left.
/// Errors: FIRN_IO, FIRN_NO_MEMORY, FIRN_CANCELLED.
firn_status pq_window_want(pq_window *self, size_t size, pq_answer *answer, firn_error *err);

/// The same, but asks for few bytes more than that: for headers of pages that may be passed over.
firn_status pq_window_want_few(pq_window *self, size_t size, pq_answer *answer, firn_error *err);

/// Waits for what is on its way.
firn_status pq_window_wait(pq_window *self, firn_error *err);

/// Passes over `size` bytes, at most what the chunk has left; those not read yet are never read,
/// unless they are on their way.
void pq_window_pass(pq_window *self, uint64_t size);

/// Goes to `offset` in the file, which is not before the first byte at hand.
void pq_window_seek(pq_window *self, uint64_t offset);

static inline bytes pq_window_bytes(const pq_window *self) {
    const uint8_t *data = self->buffer.data;
    return (bytes){.data = data == NULL ? NULL : data + self->from, .size = self->to - self->from};
}

/// Gives back room beyond what the next steps need, which one large page took.
void pq_window_trim(pq_window *self);

/// Bytes from `from` to the end of the chunk.
static inline uint64_t pq_window_left(const pq_window *self) {
    return self->end - self->next + (self->to - self->from) +
           (self->ticket.file == NULL ? 0 : self->range.size) +
           (self->ahead == NULL || self->ahead->ticket.file == NULL
                ? 0
                : self->ahead->range.size - self->ahead->skip);
}

#endif
