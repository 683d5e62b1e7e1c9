#include "memory/arena.h"

#include <assert.h>
#include <stdint.h>

#include "base/checked.h"
#include "base/compiler.h"
#include "base/host.h"

#define ALIGNMENT 16
#define CHUNK_MIN 4096
#define CHUNK_MAX ((size_t)1 << 20)

struct arena_chunk {
    arena_chunk *older;
    size_t size; // Bytes in data.
    size_t used; // Bytes of data given out, a multiple of ALIGNMENT.
    _Alignas(ALIGNMENT) uint8_t data[];
};

// The gap of one alignment unit after each allocation catches an overrun by one; it exists only
// where somebody looks.
#if ASAN_ENABLED
#define GAP ALIGNMENT
#else
#define GAP 0
#endif

arena arena_open(size_t limit) {
    return (arena){.limit = limit};
}

static void close_chunks(arena *self, arena_chunk *chunk) {
    while (chunk != NULL) {
        arena_chunk *older = chunk->older;
        self->used -= sizeof *chunk + chunk->size;
        ASAN_UNPOISON(chunk->data, chunk->size);
        host_free(chunk);
        chunk = older;
    }
}

void arena_close(arena *self) {
    close_chunks(self, self->chunk);
    self->chunk = NULL;
    assert(self->used == 0);
}

void arena_reset(arena *self) {
    if (self->chunk != NULL) {
        close_chunks(self, self->chunk->older);
        self->chunk->older = NULL;
        self->chunk->used = 0;
        ASAN_POISON(self->chunk->data, self->chunk->size);
    }
}

// Puts a new chunk with at least `wanted` bytes in front. Each is twice the one before, so that the
// number of chunks grows with the logarithm of the arena; a huge wish gets a chunk of its own.
static arena_chunk *add_chunk(arena *self, size_t wanted) {
    size_t size = self->chunk == NULL ? CHUNK_MIN : self->chunk->size * 2;
    size = size > CHUNK_MAX ? CHUNK_MAX : size;
    size = size < wanted ? wanted : size;
    size_t total;
    size_t used;
    if (!add_fits(size, sizeof(arena_chunk), &total) || !add_fits(self->used, total, &used) ||
        used > self->limit) {
        return NULL;
    }
    arena_chunk *chunk = host_alloc(total);
    if (chunk == NULL) {
        return NULL;
    }
    *chunk = (arena_chunk){.older = self->chunk, .size = size};
    ASAN_POISON(chunk->data, size);
    self->chunk = chunk;
    self->used = used;
    return chunk;
}

void *arena_alloc(arena *self, size_t count, size_t size) {
    size_t wanted;
    size_t padded;
    if (!mul_fits(count, size, &wanted) || !add_fits(wanted, GAP + ALIGNMENT - 1, &padded)) {
        return NULL;
    }
    padded -= padded % ALIGNMENT;
    arena_chunk *chunk = self->chunk;
    if (chunk == NULL || padded > chunk->size - chunk->used) {
        chunk = add_chunk(self, padded);
        if (chunk == NULL) {
            return NULL;
        }
    }
    uint8_t *result = chunk->data + chunk->used;
    chunk->used += padded;
    ASAN_UNPOISON(result, wanted);
    return result;
}
