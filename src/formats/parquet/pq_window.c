#include "formats/parquet/pq_window.h"

#include <assert.h>
#include <string.h>

#include "formats/parquet/pq_unpack.h"

// Read at a time where only headers are wanted: a local read costs little more than its bytes.
#define FEW_BYTES 512

void pq_window_open(pq_window *self, io_file *input, pool *owner, const io_request *request) {
    *self =
        (pq_window){.input = input, .owner = owner, .request = *request, .ticket = IO_TICKET_NONE};
}

static bool is_ahead(const pq_window *self) {
    return self->ahead != NULL && self->ahead->ticket.file != NULL;
}

static void give_up_ahead(pq_window *self) {
    if (self->ahead != NULL) {
        io_ticket_close(&self->ahead->ticket);
    }
}

void pq_window_close(pq_window *self) {
    io_ticket_close(&self->ticket);
    give_up_ahead(self);
    pq_block_close(&self->buffer, self->owner);
    if (self->ahead != NULL) {
        pq_block_close(&self->ahead->buffer, self->owner);
    }
}

void pq_window_begin(pq_window *self, pq_chunk_range chunk, size_t step) {
    io_ticket_close(&self->ticket);
    give_up_ahead(self);
    self->step = step;
    self->reads_ahead = false;
    self->next = chunk.offset;
    self->end = chunk.offset + chunk.size;
    self->from = 0;
    self->to = 0;
}

// Makes room for `size` more bytes behind those at hand, which move to the start.
static firn_status make_room(pq_window *self, size_t size, firn_error *err) {
    const size_t kept = self->to - self->from;
    const size_t wanted = kept + size + PQ_PAD;
    if (self->from > 0 && wanted > self->buffer.size - self->from) {
        memmove(self->buffer.data, self->buffer.data + self->from, kept);
        self->from = 0;
        self->to = kept;
    }
    return pq_block_reserve(&self->buffer, self->owner, self->from + wanted, self->to, err);
}

// Asks for `size` bytes or what is left of the chunk; nothing is asked for now.
static firn_status ask(pq_window *self, size_t size, firn_error *err) {
    assert(self->ticket.file == NULL);
    const uint64_t left = self->end - self->next;
    size = left < size ? (size_t)left : size;
    if (size == 0) {
        return FIRN_OK;
    }
    TRY(make_room(self, size, err));
    self->range =
        (io_range){.offset = self->next, .size = size, .into = self->buffer.data + self->to};
    TRY(io_submit(self->input, &self->range, 1, &self->request, &self->ticket, err));
    self->next += size;
    return FIRN_OK;
}

firn_status pq_window_ask(pq_window *self, firn_error *err) {
    assert(!is_ahead(self));
    return self->ticket.file == NULL && self->to == self->from ? ask(self, self->step, err)
                                                               : FIRN_OK;
}

// ---- Reading ahead -----------------------------------------------------------------------------

// Asks for the next step while what is at hand is in use. It may be refused: then it is asked for
// when it is needed.
static void ask_ahead(pq_window *self) {
    pq_window_ahead *ahead = self->ahead;
    const uint64_t left = self->end - self->next;
    const size_t size = left < self->step ? (size_t)left : self->step;
    firn_error ignored = ERR_INIT;
    if (size == 0 || self->ticket.file != NULL || ahead == NULL || ahead->ticket.file != NULL) {
        return;
    }
    ahead->room = self->to - self->from;
    ahead->skip = 0;
    if (pq_block_reserve(&ahead->buffer, self->owner, ahead->room + size + PQ_PAD, 0, &ignored) !=
        FIRN_OK) {
        return;
    }
    ahead->range =
        (io_range){.offset = self->next, .size = size, .into = ahead->buffer.data + ahead->room};
    if (io_submit(self->input, &ahead->range, 1, &self->request, &ahead->ticket, &ignored) ==
        FIRN_OK) {
        self->next += size;
    }
}

// What was asked for ahead is there: what is left at hand goes before it.
static void swap_buffers(pq_window *self) {
    pq_window_ahead *ahead = self->ahead;
    const size_t kept = self->to - self->from;
    const size_t start = ahead->room - kept;
    assert(kept <= ahead->room && (kept == 0 || ahead->skip == 0));
    if (kept > 0) {
        memcpy(ahead->buffer.data + start, self->buffer.data + self->from, kept);
    }
    const pq_block before = self->buffer;
    self->buffer = ahead->buffer;
    ahead->buffer = before;
    self->from = start + (size_t)ahead->skip;
    self->to = ahead->room + ahead->range.size;
    self->arrived_bytes += ahead->range.size;
    io_ticket_close(&ahead->ticket);
    memset(self->buffer.data + self->to, 0, PQ_PAD);
}

// Asks for at least `step` bytes at a time.
static firn_status want(pq_window *self, size_t size, size_t step, pq_answer *answer,
                        firn_error *err) {
    *answer = PQ_READY;
    for (;;) {
        if (self->to - self->from >= size) {
            if (self->reads_ahead) {
                ask_ahead(self);
            }
            return FIRN_OK;
        }
        io_answer arrived;
        if (is_ahead(self)) {
            TRY(io_collect(&self->ahead->ticket, 0, &arrived, err));
            if (arrived == IO_WAIT) {
                *answer = PQ_WAIT;
                return FIRN_OK;
            }
            swap_buffers(self);
            continue;
        }
        if (self->ticket.file == NULL) {
            const size_t missing = size - (self->to - self->from);
            TRY(ask(self, missing > step ? missing : step, err));
        }
        if (self->ticket.file == NULL) {
            return FIRN_OK; // The chunk has no more.
        }
        TRY(io_collect(&self->ticket, 0, &arrived, err));
        if (arrived == IO_WAIT) {
            *answer = PQ_WAIT;
            return FIRN_OK;
        }
        self->to += self->range.size;
        self->arrived_bytes += self->range.size;
        io_ticket_close(&self->ticket);
        memset(self->buffer.data + self->to, 0, PQ_PAD);
    }
}

firn_status pq_window_want(pq_window *self, size_t size, pq_answer *answer, firn_error *err) {
    return want(self, size, self->step, answer, err);
}

firn_status pq_window_want_few(pq_window *self, size_t size, pq_answer *answer, firn_error *err) {
    return want(self, size, io_file_is_remote(self->input) ? self->step : FEW_BYTES, answer, err);
}

void pq_window_trim(pq_window *self) {
    const size_t at_hand = self->to - self->from;
    const size_t wanted = at_hand + self->step + PQ_PAD;
    if (self->ticket.file != NULL || self->buffer.size / 2 < wanted) {
        return;
    }
    pq_block trimmed = {.size = wanted};
    trimmed.data = pool_block_take(self->owner, wanted, &trimmed.capacity);
    if (trimmed.data == NULL) {
        return;
    }
    memcpy(trimmed.data, self->buffer.data + self->from, at_hand);
    memset(trimmed.data + at_hand, 0, PQ_PAD);
    pq_block_close(&self->buffer, self->owner);
    self->buffer = trimmed;
    self->from = 0;
    self->to = at_hand;
}

firn_status pq_window_wait(pq_window *self, firn_error *err) {
    if (self->ticket.file != NULL) {
        TRY(io_wait(&self->ticket, 0, err));
    }
    return is_ahead(self) ? io_wait(&self->ahead->ticket, 0, err) : FIRN_OK;
}

void pq_window_pass(pq_window *self, uint64_t size) {
    assert(size <= pq_window_left(self));
    const size_t at_hand = self->to - self->from;
    if (size <= at_hand) {
        self->from += (size_t)size;
        return;
    }
    size -= at_hand;
    self->from = self->to;
    if (is_ahead(self)) {
        self->ahead->skip += size;
        if (self->ahead->skip < self->ahead->range.size) {
            return; // Some of it is wanted.
        }
        size = self->ahead->skip;
        self->next -= self->ahead->range.size;
        io_ticket_close(&self->ahead->ticket);
    }
    if (self->ticket.file != NULL) { // Give up what is on its way and ask for what is behind.
        self->next -= self->range.size;
        io_ticket_close(&self->ticket);
    }
    self->next += size;
}

void pq_window_seek(pq_window *self, uint64_t offset) {
    const uint64_t at = self->end - pq_window_left(self);
    assert(offset >= at);
    const uint64_t left = pq_window_left(self);
    pq_window_pass(self, offset - at < left ? offset - at : left);
}
