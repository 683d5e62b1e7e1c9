// A file that is written to memory, for tests and fuzz targets: an io_writer of a store of its own,
// of which the n-th write can fail.
//
//     memory_output output = {.memory = arena_open(LIMIT)};
//     io_writer *writer = memory_output_open(&output, files);
//     ...
//     io_writer_close(writer);
//     output.is_finished, byte_output_bytes(&output.content)
//     arena_close(&output.memory);
#ifndef FIRN_IO_MEMORY_OUTPUT_H
#define FIRN_IO_MEMORY_OUTPUT_H

#include <stdlib.h>

#include "io/store.h"
#include "memory/byte_output.h"

typedef struct memory_output {
    arena memory;
    byte_output content;
    uint64_t write_count; // Finishing is one, too.
    uint64_t fails_at;    // The write with this number, from 1, fails; 0: none does.
    bool is_finished;
    bool is_closed;
} memory_output;

// An io_writer with what it writes to; first, so that one can be cast to the other.
typedef struct memory_writer {
    io_writer base;
    memory_output *output;
} memory_writer;

static inline memory_output *memory_output_of(io_writer *writer) {
    return ((memory_writer *)(void *)writer)->output;
}

static inline firn_status memory_output_count(memory_output *self, firn_error *err) {
    self->write_count += 1;
    return self->write_count == self->fails_at ? FAIL(err, FIRN_IO, "write %llu is one that fails",
                                                      (unsigned long long)self->write_count)
                                               : FIRN_OK;
}

static inline firn_status memory_output_write(io_writer *writer, bytes content, firn_error *err) {
    memory_output *self = memory_output_of(writer);
    TRY(memory_output_count(self, err));
    self->content.memory = &self->memory;
    return byte_output_put(&self->content, content) ? FIRN_OK : ARENA_FULL(&self->memory, err);
}

static inline firn_status memory_output_finish(io_writer *writer, firn_error *err) {
    memory_output *self = memory_output_of(writer);
    TRY(memory_output_count(self, err));
    self->is_finished = true;
    return FIRN_OK;
}

static inline void memory_output_close(io_writer *writer) {
    memory_output_of(writer)->is_closed = true;
}

/// Opens a writer to `self`, which outlives it. Aborts without memory.
static inline io_writer *memory_output_open(memory_output *self, io *owner) {
    static const io_store store = {.name = "memory",
                                   .writer_write = memory_output_write,
                                   .writer_finish = memory_output_finish,
                                   .writer_close = memory_output_close};
    arena memory = arena_open((size_t)1 << 16);
    memory_writer *writer = ARENA_NEW(&memory, memory_writer, 1);
    if (writer == NULL) {
        abort();
    }
    *writer = (memory_writer){
        .base = {.owner = owner, .store = &store, .memory = memory, .handle = HOST_FILE_NONE},
        .output = self};
    return &writer->base;
}

#endif
