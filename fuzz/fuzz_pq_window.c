// Arbitrary bytes as what a reader of pages asks of the window over a column chunk: the first says
// whether the file is far away and how often it makes the reader wait, the next three the chunk and
// the step; then each pair is an operation and a size.
//
// Oracle: at hand is always what the file holds at that place, with zeros behind it, as much as was
// wanted or the chunk has left; bytes at hand do not move while there are enough.
#include <stdlib.h>
#include <string.h>

#include "formats/parquet/pq_unpack.h"
#include "formats/parquet/pq_window.h"
#include "io/memory_input.h"

#define CONTENT_BYTES ((size_t)20000)
#define MEMORY_MAX (UINT64_C(64) << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition) {
    if (!condition) {
        abort();
    }
}

typedef struct scene {
    pq_window window;
    pq_window_ahead ahead;
    uint8_t content[CONTENT_BYTES];
    uint64_t at; // Where the window must be.
    uint64_t end;
} scene;

static void check(const scene *self) {
    const pq_window *window = &self->window;
    const bytes at_hand = pq_window_bytes(window);
    expect(pq_window_left(window) == self->end - self->at);
    expect(at_hand.size <= self->end - self->at);
    if (at_hand.size == 0) {
        return;
    }
    expect(at_hand.data != NULL);
    expect(memcmp(at_hand.data, self->content + self->at, at_hand.size) == 0);
    for (size_t i = 0; window->ticket.file == NULL && i < PQ_PAD; i++) {
        expect(window->buffer.data[window->to + i] == 0);
    }
}

static void want(scene *self, size_t size, bool is_few) {
    const bytes before = pq_window_bytes(&self->window);
    const uint64_t left = self->end - self->at;
    pq_answer answer = PQ_WAIT;
    firn_error err = ERR_INIT;
    for (uint32_t i = 0; answer == PQ_WAIT; i++) {
        expect((is_few ? pq_window_want_few(&self->window, size, &answer, &err)
                       : pq_window_want(&self->window, size, &answer, &err)) == FIRN_OK);
        // Waiting for it or asking again is the same.
        expect(answer != PQ_WAIT || i % 2 == 0 || pq_window_wait(&self->window, &err) == FIRN_OK);
    }
    const bytes after = pq_window_bytes(&self->window);
    expect(after.size >= (size < left ? size : left));
    expect(before.size < size || after.data == before.data);
}

static void pass(scene *self, uint64_t size, bool by_place) {
    const uint64_t left = self->end - self->at;
    const uint64_t moved = size < left ? size : left;
    if (by_place) { // Behind the end is at the end.
        pq_window_seek(&self->window, self->at + size);
    } else {
        pq_window_pass(&self->window, moved);
    }
    self->at += moved;
}

static void operate(scene *self, uint8_t operation, uint8_t number) {
    const size_t size = (size_t)number * (1 + operation / 8 % 32);
    firn_error err = ERR_INIT;
    switch (operation % 8) {
    case 0:
    case 1:
        want(self, size, false);
        break;
    case 2:
        want(self, size, true);
        break;
    case 3:
        pass(self, size, false);
        break;
    case 4:
        pass(self, size, true);
        break;
    case 5:
        pq_window_trim(&self->window);
        break;
    case 6:
        expect(self->ahead.ticket.file != NULL || pq_window_ask(&self->window, &err) == FIRN_OK);
        break;
    default:
        self->window.step = 1 + size;
        break;
    }
}

static void begin(scene *self, const uint8_t *data, bool is_remote) {
    const uint64_t offset = (uint64_t)data[0] * 64;
    const uint64_t most = CONTENT_BYTES - offset;
    const uint64_t size = (uint64_t)data[1] * 79 < most ? (uint64_t)data[1] * 79 : most;
    self->at = offset;
    self->end = offset + size;
    pq_window_begin(&self->window, (pq_chunk_range){.offset = offset, .size = size},
                    1 + (size_t)data[2] * 16);
    self->window.reads_ahead = is_remote;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 4) {
        return 0;
    }
    scene *self = malloc(sizeof *self);
    firn_error err = ERR_INIT;
    io *files;
    pool *engine;
    pool *query;
    const pool_options options = {.kind = POOL_QUERY, .name = "fuzz"};
    expect(self != NULL && io_open(&(io_options){.has_thread = false}, &files, &err) == FIRN_OK);
    expect(pool_open_engine(MEMORY_MAX, &engine, &err) == FIRN_OK);
    expect(pool_open(engine, &options, &query, &err) == FIRN_OK);
    for (size_t i = 0; i < CONTENT_BYTES; i++) {
        self->content[i] = (uint8_t)((i * 31 + i / 256 * 7) & 0xff);
    }
    const bool is_remote = (data[0] & 1) != 0;
    memory_input input = {.content = {.data = self->content, .size = CONTENT_BYTES},
                          .waits = data[0] / 2 % 4,
                          .seed = 1 + data[0],
                          .is_remote = is_remote};
    io_file *file = memory_input_open(&input, files, "far");
    const io_request request = {.cancel = NULL};
    pq_window_open(&self->window, file, query, &request);
    self->ahead = (pq_window_ahead){.ticket = IO_TICKET_NONE};
    self->window.ahead = &self->ahead;
    begin(self, data + 1, is_remote);
    for (size_t i = 4; i + 1 < size; i += 2) {
        if (data[i] == 0xff && i + 4 < size) { // Another chunk.
            begin(self, data + i + 1, is_remote);
            i += 2;
        } else {
            operate(self, data[i], data[i + 1]);
        }
        check(self);
    }
    pq_window_close(&self->window);
    io_file_release(file);
    expect(input.tickets_moving == 0 && pool_used(query) == 0);
    pool_close(query);
    pool_close(engine);
    io_close(files);
    free(self);
    return 0;
}
