#include "formats/parquet/pq_window.h"

#include <string.h>

#include "base/test.h"
#include "formats/parquet/pq_unpack.h"
#include "io/memory_input.h"

#define CONTENT_BYTES 40000
#define MEMORY_LIMIT ((size_t)64 << 20)

// A file of bytes that tell their place, and a window on it.
typedef struct scene {
    uint8_t content[CONTENT_BYTES];
    io *io;
    pool *engine;
    pool *query;
    memory_input input;
    io_file *file;
    pq_window window;
    pq_window_ahead ahead;
    firn_error err;
} scene;

static void scene_open(scene *self, bool is_remote, uint32_t waits, uint64_t seed) {
    memset(self, 0, sizeof *self);
    self->err = (firn_error){.size = sizeof self->err};
    for (size_t i = 0; i < CONTENT_BYTES; i++) {
        self->content[i] = (uint8_t)((i * 31 + i / 256 * 7) & 0xff);
    }
    REQUIRE(io_open(&(io_options){.has_thread = false}, &self->io, &self->err) == FIRN_OK);
    REQUIRE(pool_open_engine(MEMORY_LIMIT, &self->engine, &self->err) == FIRN_OK);
    const pool_options options = {.kind = POOL_QUERY, .name = "test"};
    REQUIRE(pool_open(self->engine, &options, &self->query, &self->err) == FIRN_OK);
    self->input = (memory_input){.content = {.data = self->content, .size = CONTENT_BYTES},
                                 .waits = waits,
                                 .seed = seed,
                                 .is_remote = is_remote};
    self->file = memory_input_open(&self->input, self->io, "far");
    const io_request request = {.cancel = NULL};
    pq_window_open(&self->window, self->file, self->query, &request);
    memset(&self->ahead, 0, sizeof self->ahead);
    self->window.ahead = &self->ahead;
}

static void scene_close(scene *self) {
    pq_window_close(&self->window);
    io_file_release(self->file);
    CHECK(self->input.tickets_moving == 0);
    CHECK(pool_used(self->query) == 0);
    pool_close(self->query);
    pool_close(self->engine);
    io_close(self->io);
}

// What is at hand is what lies at `at`, with zeros behind unless more is on its way to there.
static bool is_right(const scene *self, uint64_t at) {
    const pq_window *window = &self->window;
    const bytes at_hand = pq_window_bytes(window);
    if (at_hand.size == 0) {
        return true;
    }
    uint8_t behind = 0;
    for (size_t i = 0; i < PQ_PAD; i++) {
        behind |= window->buffer.data[window->to + i];
    }
    return (behind == 0 || window->ticket.file != NULL) &&
           memcmp(at_hand.data, self->content + at, at_hand.size) == 0;
}

// Bytes that are at hand stay where they are.
static void want(scene *self, size_t size, bool is_few) {
    const bytes before = pq_window_bytes(&self->window);
    pq_answer answer = PQ_WAIT;
    while (answer == PQ_WAIT) {
        REQUIRE((is_few ? pq_window_want_few(&self->window, size, &answer, &self->err)
                        : pq_window_want(&self->window, size, &answer, &self->err)) == FIRN_OK);
    }
    CHECK(before.size < size || pq_window_bytes(&self->window).data == before.data);
}

// Goes over a chunk in steps of all kinds; `at` is where the window must be.
static void wander(scene *self, pq_chunk_range chunk, uint64_t *seed) {
    uint64_t at = chunk.offset;
    const uint64_t end = chunk.offset + chunk.size;
    pq_window_begin(&self->window, chunk, 1 + test_random(seed) % 3000);
    self->window.reads_ahead = self->input.is_remote;
    if (test_random(seed) % 2 == 0) {
        REQUIRE(pq_window_ask(&self->window, &self->err) == FIRN_OK);
    }
    for (int i = 0; i < 60; i++) {
        const uint64_t left = end - at;
        const uint64_t size = test_random(seed) % (left / 4 + 100);
        CHECK(pq_window_left(&self->window) == left);
        switch (test_random(seed) % 5) {
        case 0:
        case 1:
            want(self, (size_t)size, test_random(seed) % 4 == 0);
            CHECK(pq_window_bytes(&self->window).size >= (size < left ? size : left));
            break;
        case 2:
            pq_window_pass(&self->window, size < left ? size : left);
            at += size < left ? size : left;
            break;
        case 3:
            pq_window_seek(&self->window, at + size);
            at += size < left ? size : left;
            break;
        default:
            self->window.step = 1 + test_random(seed) % 3000;
            break;
        }
        CHECK(is_right(self, at));
    }
}

TEST(pq_window_moves_over_a_chunk_in_any_steps) {
    uint64_t seed = 5;
    for (uint32_t round = 0; round < 60; round++) {
        scene *s = host_alloc(sizeof *s);
        REQUIRE(s != NULL);
        scene_open(s, round % 2 == 1, round % 4, 1 + round);
        for (int i = 0; i < 5; i++) {
            const uint64_t from = test_random(&seed) % CONTENT_BYTES;
            const uint64_t size = test_random(&seed) % (CONTENT_BYTES - from + 1);
            wander(s, (pq_chunk_range){.offset = from, .size = size}, &seed);
        }
        scene_close(s);
        host_free(s);
    }
}

TEST(pq_window_asks_for_the_next_bytes_before_they_are_needed) {
    scene *s = host_alloc(sizeof *s);
    REQUIRE(s != NULL);
    scene_open(s, true, 0, 1);
    pq_window_begin(&s->window, (pq_chunk_range){.offset = 0, .size = 10000}, 1000);
    s->window.reads_ahead = true;
    want(s, 10, false);
    CHECK(s->input.bytes_asked == 2000);
    pq_window_pass(&s->window, 990);
    want(s, 20, false); // Over the border of the two.
    CHECK(is_right(s, 990) && s->input.bytes_asked == 3000);
    pq_window_pass(&s->window, 5000); // Nobody needs what was on its way.
    want(s, 10, false);
    CHECK(is_right(s, 5990) && s->input.bytes_asked == 5000);
    scene_close(s);
    host_free(s);
}
