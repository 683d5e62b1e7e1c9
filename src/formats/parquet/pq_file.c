#include "formats/parquet/pq_file.h"

#include <assert.h>
#include <string.h>

#include "base/host.h"
#include "io/io_path.h"

#define TAIL_SIZE_DEFAULT ((uint32_t)64 << 10)
// What a footer's structures may take: many times the bytes of a footer of any sane file.
#define FOOTER_MEMORY_MAX ((size_t)1 << 30)

struct pq_opener {
    pq_file *file; // Being filled; handed out at the end.
    pq_file_options options;
    io_request request;
    io_ticket ticket;
    io_range range;
    bool has_whole_footer; // The second range was asked for: it is exactly the footer.
};

text pq_file_path(const pq_file *self) {
    return io_file_path(self->input);
}

pq_file *pq_file_retain(pq_file *self) {
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    return self;
}

void pq_file_release(pq_file *self) {
    // The last release sees what all others did before theirs.
    if (self == NULL || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) > 1) {
        return;
    }
    arena_close(&self->memory);
    if (self->footer != NULL) {
        pool_block_give(self->owner, self->footer, self->footer_capacity);
    }
    io_file_release(self->input);
    pool_give(self->owner, sizeof *self);
    host_free(self);
}

static firn_status new_file(io_file *input, pool *owner, pq_file **out, firn_error *err) {
    if (!pool_take(owner, sizeof **out)) {
        return POOL_FULL(owner, sizeof **out, err);
    }
    pq_file *self = host_alloc(sizeof *self);
    if (self == NULL) {
        pool_give(owner, sizeof **out);
        return FAIL(err, FIRN_NO_MEMORY, "%zu bytes for a file", sizeof *self);
    }
    memset(self, 0, sizeof *self);
    atomic_init(&self->references, 1);
    self->input = io_file_retain(input);
    self->owner = owner;
    self->memory = arena_open_in(owner, FOOTER_MEMORY_MAX);
    *out = self;
    return FIRN_OK;
}

// Asks for `size` bytes at `offset` into a block of their own.
static firn_status ask(pq_opener *self, uint64_t offset, size_t size, firn_error *err) {
    pq_file *file = self->file;
    if (file->footer != NULL) {
        pool_block_give(file->owner, file->footer, file->footer_capacity);
    }
    file->footer = pool_block_take(file->owner, size, &file->footer_capacity);
    const cancel_flag *cancel = self->request.cancel;
    if (file->footer == NULL && cancel != NULL) { // Nothing can be planned without it.
        file->footer = pool_block_take_patient(file->owner, size, &file->footer_capacity, cancel);
    }
    if (file->footer == NULL) {
        return POOL_FULL(file->owner, size, err);
    }
    self->range = (io_range){.offset = offset, .size = size, .into = file->footer};
    return io_submit(file->input, &self->range, 1, &self->request, &self->ticket, err);
}

firn_status pq_opener_open(io_file *input, const pq_file_options *options, pool *owner,
                           const io_request *request, pq_opener **out, firn_error *err) {
    *out = NULL;
    if (!pool_take(owner, sizeof **out)) {
        return POOL_FULL(owner, sizeof **out, err);
    }
    pq_opener *self = host_alloc(sizeof *self);
    if (self == NULL) {
        pool_give(owner, sizeof **out);
        return FAIL(err, FIRN_NO_MEMORY, "%zu bytes to open a file", sizeof *self);
    }
    *self = (pq_opener){.options = *options, .request = *request, .ticket = IO_TICKET_NONE};
    firn_status status = new_file(input, owner, &self->file, err);
    if (status == FIRN_OK) {
        const uint32_t size = options->tail_size == 0 ? TAIL_SIZE_DEFAULT : options->tail_size;
        status = ask(self, IO_FROM_END, size, err);
    }
    if (status != FIRN_OK) {
        io_path_while(err, "opening", io_file_path(input));
        pool_give(owner, sizeof *self);
        pq_file_release(self->file);
        host_free(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

void pq_opener_close(pq_opener *self) {
    if (self == NULL) {
        return;
    }
    io_ticket_close(&self->ticket);
    pool *owner = self->file->owner; // The reference below keeps it in use.
    pool_give(owner, sizeof *self);
    pq_file_release(self->file);
    host_free(self);
}

// The footer's bytes are all there: reads them, and waits while others give back memory for that.
static firn_status finish(pq_opener *self, bytes footer, uint64_t file_size, firn_error *err) {
    pq_file *file = self->file;
    file->memory.cancel = self->request.cancel;
    firn_status status = pq_metadata_read(footer, file_size, &file->memory, &file->metadata, err);
    if (status == FIRN_OK) {
        status =
            pq_types_find(file->metadata, &self->options.types, &file->memory, &file->types, err);
    }
    file->memory.cancel = NULL; // The file may live longer than the query that opens it.
    return status;
}

// Keeps a footer that is small in a block of its size: there may be thousands of files. Where it
// stays if there is none.
static bytes trim_footer(pq_file *file, bytes footer) {
    if (footer.size > file->footer_capacity / 2) {
        return footer;
    }
    size_t capacity;
    uint8_t *trimmed = pool_block_take(file->owner, footer.size, &capacity);
    if (trimmed == NULL) {
        return footer;
    }
    memcpy(trimmed, footer.data, footer.size);
    pool_block_give(file->owner, file->footer, file->footer_capacity);
    file->footer = trimmed;
    file->footer_capacity = capacity;
    return (bytes){.data = trimmed, .size = footer.size};
}

// What the first range tells: the footer itself, or where it is.
static firn_status look_at_tail(pq_opener *self, bool *is_done, firn_error *err) {
    pq_file *file = self->file;
    const io_identity identity = io_file_identity(file->input);
    uint64_t file_size = identity.size;
    if (file_size == IO_SIZE_UNKNOWN) {
        TRY(io_file_size(file->input, self->request.cancel, &file_size, err));
    }
    const bytes tail = {.data = file->footer, .size = self->range.filled};
    pq_footer_place place;
    TRY(pq_footer_find(tail, file_size, &place, err));
    *is_done = place.size + (size_t)PQ_TAIL_SIZE <= tail.size;
    io_ticket_close(&self->ticket);
    if (!*is_done) {
        self->has_whole_footer = true;
        return ask(self, place.offset, place.size, err);
    }
    const size_t at = tail.size - PQ_TAIL_SIZE - place.size;
    const bytes footer = {.data = tail.data + at, .size = place.size};
    return finish(self, trim_footer(file, footer), file_size, err);
}

static firn_status step(pq_opener *self, bool *is_done, pq_answer *answer, firn_error *err) {
    io_answer arrived;
    TRY(io_collect(&self->ticket, 0, &arrived, err));
    if (arrived == IO_WAIT) {
        *answer = PQ_WAIT;
        return FIRN_OK;
    }
    if (!self->has_whole_footer) {
        return look_at_tail(self, is_done, err);
    }
    *is_done = true;
    const io_identity identity = io_file_identity(self->file->input);
    const bytes footer = {.data = self->file->footer, .size = self->range.filled};
    return finish(self, footer, identity.size, err);
}

firn_status pq_opener_next(pq_opener *self, pq_file **out, pq_answer *answer, firn_error *err) {
    *out = NULL;
    *answer = PQ_READY;
    bool is_done = false;
    while (!is_done && *answer == PQ_READY) {
        const firn_status status = step(self, &is_done, answer, err);
        if (status != FIRN_OK) {
            io_path_while(err, "opening", pq_file_path(self->file));
            return status;
        }
    }
    if (is_done) {
        *out = pq_file_retain(self->file);
    }
    return FIRN_OK;
}

firn_status pq_opener_wait(pq_opener *self, firn_error *err) {
    const firn_status status = io_wait(&self->ticket, 0, err);
    if (status != FIRN_OK) {
        io_path_while(err, "opening", pq_file_path(self->file));
    }
    return status;
}

firn_status pq_file_open(io_file *input, const pq_file_options *options, pool *owner,
                         const cancel_flag *cancel, pq_file **out, firn_error *err) {
    *out = NULL;
    pq_opener *opener;
    TRY(pq_opener_open(input, options, owner, &(io_request){.cancel = cancel}, &opener, err));
    pq_answer answer = PQ_WAIT;
    firn_status status = FIRN_OK;
    while (status == FIRN_OK && answer == PQ_WAIT) {
        status = pq_opener_wait(opener, err);
        if (status == FIRN_OK) {
            status = pq_opener_next(opener, out, &answer, err);
        }
    }
    pq_opener_close(opener);
    return status;
}
