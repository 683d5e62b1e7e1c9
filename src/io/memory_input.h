// A file that is bytes in memory, for test files and fuzz targets: an io_file of a store of its
// own, which may answer that a range is on its way a number of times, as a server does.
//
//     memory_input input;
//     io_file *file = memory_input_open(&input, files, content, waits);
//     ...
//     io_file_release(file);
//
// Every range waits between 0 and `waits` times, at random; the waker is called each time.
#ifndef FIRN_IO_MEMORY_INPUT_H
#define FIRN_IO_MEMORY_INPUT_H

#include <stdlib.h>

#include "io/store.h"

typedef struct memory_input {
    bytes content;
    uint32_t waits;
    uint64_t seed;
    bool is_remote;          // As io_file_is_remote says.
    uint64_t fails_at;       // The range with this number, from 1, fails; 0: none does.
    uint64_t range_count;    // Ranges asked for.
    uint64_t bytes_asked;    // Of them together.
    uint32_t tickets_moving; // That were not closed.
    uint64_t collected_waits;
} memory_input;

// An io_file with what it reads. The file comes first, so that one can be cast to the other.
typedef struct memory_file {
    io_file base;
    memory_input *input;
} memory_file;

static inline memory_input *memory_input_of(const io_file *file) {
    return ((const memory_file *)(const void *)file)->input;
}

static inline void memory_input_close(io_file *file) {
    (void)file;
}

static inline firn_status memory_input_check(io_file *file, const cancel_flag *cancel,
                                             firn_error *err) {
    (void)file;
    return cancel_check(cancel, err);
}

static inline firn_status memory_input_size(io_file *file, const cancel_flag *cancel, uint64_t *out,
                                            firn_error *err) {
    *out = memory_input_of(file)->content.size;
    return cancel_check(cancel, err);
}

// xorshift64: enough for how often to wait.
WRAPS static inline uint64_t memory_input_random(memory_input *self) {
    self->seed ^= self->seed << 13;
    self->seed ^= self->seed >> 7;
    self->seed ^= self->seed << 17;
    return self->seed;
}

static inline firn_status memory_input_submit(io_ticket *ticket, firn_error *err) {
    memory_input *self = memory_input_of(ticket->file);
    const size_t size = self->content.size;
    for (uint32_t i = 0; i < ticket->count; i++) {
        io_range *range = &ticket->ranges[i];
        self->range_count += 1;
        self->bytes_asked += range->size;
        if (self->range_count == self->fails_at) {
            return FAIL(err, FIRN_IO, "range %llu is one that fails",
                        (unsigned long long)self->range_count);
        }
        range->left = self->waits == 0 ? 0 : memory_input_random(self) % (self->waits + 1);
        range->filled = range->size;
        if (range->offset == IO_FROM_END) {
            range->filled = range->size < size ? range->size : size;
            range->placed = size - range->filled;
        } else if (range->offset > size || range->size > size - range->offset) {
            range->status = FIRN_CORRUPT;
        }
    }
    self->tickets_moving += 1;
    return FIRN_OK;
}

static inline firn_status memory_input_fill(const memory_input *self, io_range *range,
                                            firn_error *err) {
    if (range->status != FIRN_OK) {
        return FAIL(err, FIRN_CORRUPT, "the file ends before byte %llu",
                    (unsigned long long)(range->offset + range->size));
    }
    if (range->filled > 0) {
        memcpy(range->into, self->content.data + range->placed, range->filled);
    }
    return FIRN_OK;
}

static inline firn_status memory_input_wait(io_ticket *ticket, uint32_t index, firn_error *err) {
    const memory_input *self = memory_input_of(ticket->file);
    for (uint32_t i = 0; i < ticket->count; i++) {
        if (index == IO_ALL || index == i) {
            ticket->ranges[i].left = 0;
            TRY(memory_input_fill(self, &ticket->ranges[i], err));
        }
    }
    return FIRN_OK;
}

static inline firn_status memory_input_collect(io_ticket *ticket, uint32_t index, io_answer *out,
                                               firn_error *err) {
    memory_input *self = memory_input_of(ticket->file);
    for (uint32_t i = 0; i < ticket->count; i++) {
        io_range *range = &ticket->ranges[i];
        if ((index == IO_ALL || index == i) && range->left > 0) {
            range->left -= 1;
            self->collected_waits += 1;
            if (ticket->request.waker.wake != NULL) {
                ticket->request.waker.wake(ticket->request.waker.user);
            }
            *out = IO_WAIT;
            return FIRN_OK;
        }
    }
    *out = IO_READY;
    return memory_input_wait(ticket, index, err);
}

static inline void memory_input_withdraw(io_ticket *ticket) {
    memory_input_of(ticket->file)->tickets_moving -= 1;
}

#define MEMORY_INPUT_STORE(remote)                                                                 \
    {                                                                                              \
        .name = "memory",                                                                          \
        .close = memory_input_close,                                                               \
        .check = memory_input_check,                                                               \
        .size = memory_input_size,                                                                 \
        .submit = memory_input_submit,                                                             \
        .collect = memory_input_collect,                                                           \
        .wait = memory_input_wait,                                                                 \
        .withdraw = memory_input_withdraw,                                                         \
        .is_remote = (remote),                                                                     \
    }

/// Opens `self->content` as a file of `owner`; `self` outlives it. Aborts without memory.
static inline io_file *memory_input_open(memory_input *self, io *owner, const char *name) {
    static const io_store stores[2] = {MEMORY_INPUT_STORE(false), MEMORY_INPUT_STORE(true)};
    arena memory = arena_open((size_t)1 << 16);
    memory_file *file = ARENA_NEW(&memory, memory_file, 1);
    if (file == NULL) {
        abort();
    }
    self->seed = self->seed == 0 ? 1 : self->seed;
    *file = (memory_file){.base = {.owner = owner,
                                   .store = &stores[self->is_remote],
                                   .path = text_of(name),
                                   .reference_count = 1,
                                   .identity = {.size = self->content.size},
                                   .handle = HOST_FILE_NONE,
                                   .memory = memory},
                          .input = self};
    return &file->base;
}

#endif
