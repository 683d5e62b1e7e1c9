#include "formats/parquet/pq_fetch.h"

#include <assert.h>

#include "formats/parquet/pq_unpack.h"

firn_status pq_fetch_open(pq_fetch *self, io_file *input, pool *owner, const io_request *request,
                          uint32_t capacity, arena *memory, firn_error *err) {
    *self = (pq_fetch){
        .input = input,
        .owner = owner,
        .request = *request,
        .ticket = IO_TICKET_NONE,
        .capacity = capacity,
        .ranges = ARENA_NEW(memory, io_range, (size_t)capacity + 1),
    };
    return self->ranges == NULL ? ARENA_FULL(memory, err) : FIRN_OK;
}

void pq_fetch_close(pq_fetch *self) {
    io_ticket_close(&self->ticket);
    pq_block_close(&self->block, self->owner);
}

void pq_fetch_begin(pq_fetch *self) {
    io_ticket_close(&self->ticket);
    self->count = 0;
    self->total = 0;
}

uint32_t pq_fetch_add(pq_fetch *self, uint64_t offset, size_t size) {
    assert(self->count < self->capacity && size > 0);
    self->ranges[self->count] = (io_range){.offset = offset, .size = size};
    self->total += size + PQ_PAD;
    return self->count++;
}

firn_status pq_fetch_submit(pq_fetch *self, firn_error *err) {
    if (self->count == 0) {
        return FIRN_OK;
    }
    TRY(pq_block_reserve(&self->block, self->owner, self->total, 0, err));
    uint8_t *into = self->block.data;
    for (uint32_t i = 0; i < self->count; i++) {
        self->ranges[i].into = into;
        into += self->ranges[i].size + PQ_PAD;
    }
    return io_submit(self->input, self->ranges, self->count, &self->request, &self->ticket, err);
}

firn_status pq_fetch_next(pq_fetch *self, pq_answer *answer, firn_error *err) {
    *answer = PQ_READY;
    if (self->ticket.file == NULL) {
        return FIRN_OK;
    }
    for (uint32_t i = 0; i < self->count; i++) {
        io_answer arrived;
        TRY(io_collect(&self->ticket, i, &arrived, err));
        if (arrived == IO_WAIT) {
            *answer = PQ_WAIT;
            return FIRN_OK;
        }
    }
    io_ticket_close(&self->ticket);
    return FIRN_OK;
}
