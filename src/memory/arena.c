// Chunks in a list, in the order in which they are filled:
//
//     (oldest) ◀─▶ full ◀─▶ [chunk: being filled] ◀─▶ spare ◀─▶ spare
//
// A rewind only moves `chunk` back; what lies behind it is spare, whatever its `filled` says.
#include "memory/arena.h"

#include <assert.h>
#include <stdint.h>

#include "base/checked.h"
#include "base/compiler.h"
#include "base/host.h"
#include "memory/arena_measure.h"

#define ALIGNMENT ((size_t)16)
#define LINE ((size_t)64)
#define LINE_FROM ((size_t)256) // Allocations of so many bytes begin at a cache line.
#define CHUNK_MIN ((size_t)4096)
#define CHUNK_MAX ((size_t)1 << 20)

struct arena_chunk {
    arena_chunk *older;
    arena_chunk *newer;
    size_t size;   // Bytes in data.
    size_t filled; // Bytes of data given out.
    size_t taken;  // Bytes of the whole chunk.
    _Alignas(ALIGNMENT) uint8_t data[];
};

// The gap of one alignment unit after each allocation catches an overrun by one; it exists only
// where somebody looks.
#if ASAN_ENABLED
#define GAP ALIGNMENT
#else
#define GAP ((size_t)0)
#endif

arena arena_open(size_t limit) {
    return (arena){.limit = limit};
}

arena arena_open_in(pool *owner, size_t limit) {
    return (arena){.limit = limit, .owner = owner};
}

// ---- Chunks ------------------------------------------------------------------------------------

static void chunk_close(arena *self, arena_chunk *chunk) {
    const size_t taken = chunk->taken;
    self->used -= taken;
    ASAN_UNPOISON(chunk->data, chunk->size);
    if (self->owner == NULL) {
        host_free(chunk);
    } else {
        pool_block_give(self->owner, chunk, taken);
    }
}

// Frees `chunk` and everything behind it.
static void close_from(arena *self, arena_chunk *chunk) {
    while (chunk != NULL) {
        arena_chunk *newer = chunk->newer;
        chunk_close(self, chunk);
        chunk = newer;
    }
}

static arena_chunk *oldest(const arena *self) {
    arena_chunk *chunk = self->chunk;
    while (chunk != NULL && chunk->older != NULL) {
        chunk = chunk->older;
    }
    return chunk;
}

// How large a chunk for `least` bytes, with its header, should be: twice the one before, so that
// their number grows with the logarithm of the arena, but not beyond the limit if that suffices.
static size_t chunk_wish(const arena *self, size_t least) {
    size_t wish = self->chunk == NULL ? CHUNK_MIN : self->chunk->taken * 2;
    wish = wish > CHUNK_MAX ? CHUNK_MAX : wish;
    const size_t left = self->limit - self->used;
    wish = wish > left ? left : wish;
    return wish < least ? least : wish;
}

// A chunk of the pool as large as is good, or as small as will do; refusal would be the end, so
// that a statement waits for what others give back.
static arena_chunk *take_chunk(const arena *self, size_t wish, size_t least, size_t *taken) {
    arena_chunk *chunk = pool_block_take(self->owner, wish, taken);
    if (chunk == NULL && least < wish) {
        chunk = pool_block_take(self->owner, least, taken);
    }
    if (chunk == NULL) {
        chunk = self->cancel == NULL
                    ? pool_block_take_urgent(self->owner, least, taken)
                    : pool_block_take_patient(self->owner, least, taken, self->cancel);
    }
    return chunk;
}

// Puts a new chunk with at least `wanted` bytes of data behind the current one.
static arena_chunk *add_chunk(arena *self, size_t wanted) {
    size_t least;
    if (!add_fits(wanted, sizeof(arena_chunk), &least) || least > self->limit - self->used) {
        return NULL;
    }
    size_t taken = chunk_wish(self, least);
    arena_chunk *chunk =
        self->owner == NULL ? host_alloc(taken) : take_chunk(self, taken, least, &taken);
    if (chunk == NULL) {
        return NULL;
    }
    arena_chunk *older = self->chunk;
    ASAN_UNPOISON(chunk, sizeof *chunk);
    *chunk = (arena_chunk){.older = older, .size = taken - sizeof *chunk, .taken = taken};
    ASAN_POISON(chunk->data, chunk->size);
    if (older != NULL) {
        chunk->newer = older->newer;
        older->newer = chunk;
        if (chunk->newer != NULL) {
            chunk->newer->older = chunk;
        }
    }
    self->used += taken;
    return chunk;
}

// Finds a spare chunk with room and puts it right behind the current one.
static arena_chunk *find_spare(arena *self, size_t wanted) {
    arena_chunk *current = self->chunk;
    arena_chunk *found = current == NULL ? NULL : current->newer;
    while (found != NULL && found->size < wanted) {
        found = found->newer;
    }
    if (found != NULL && found != current->newer) {
        found->older->newer = found->newer;
        if (found->newer != NULL) {
            found->newer->older = found->older;
        }
        found->newer = current->newer;
        found->newer->older = found;
        found->older = current;
        current->newer = found;
    }
    return found;
}

// ---- Allocation --------------------------------------------------------------------------------

// Where an allocation of `wanted` bytes lies in the chunk. False if it does not fit.
static bool place(const arena_chunk *chunk, size_t wanted, size_t *from, size_t *to) {
    const size_t step = wanted < LINE_FROM ? ALIGNMENT : LINE;
    const size_t start = (uintptr_t)(chunk->data + chunk->filled) % step;
    *from = chunk->filled + (start == 0 ? 0 : step - start);
    if (*from > chunk->size || wanted > chunk->size - *from) {
        return false;
    }
    size_t end = *from + wanted + GAP;
    end += (ALIGNMENT - end % ALIGNMENT) % ALIGNMENT;
    *to = end < chunk->size ? end : chunk->size;
    return true;
}

// Makes a chunk current that has room for sure. Large ones need not be full before.
static bool advance(arena *self, size_t wanted) {
    size_t padded;
    if (!add_fits(wanted, LINE + GAP + ALIGNMENT, &padded) || cancel_is_raised(self->cancel)) {
        return false;
    }
    arena_chunk *chunk = find_spare(self, padded);
    if (chunk == NULL) {
        chunk = add_chunk(self, padded);
    }
    if (chunk == NULL) {
        return false;
    }
    chunk->filled = 0;
    self->chunk = chunk;
    return true;
}

void *arena_alloc(arena *self, size_t count, size_t size) {
    size_t wanted;
    size_t from = 0;
    size_t to = 0;
    if (!mul_fits(count, size, &wanted)) {
        return NULL;
    }
#if !defined(NDEBUG)
    if (host_fault(HOST_ARENA)) {
        self->refused = wanted;
        return NULL;
    }
#endif
    if (self->chunk == NULL || !place(self->chunk, wanted, &from, &to)) {
        if (!advance(self, wanted) || !place(self->chunk, wanted, &from, &to)) {
            self->refused = wanted;
            return NULL;
        }
    }
    uint8_t *result = self->chunk->data + from;
    self->chunk->filled = to;
    ASAN_UNPOISON(result, wanted);
    return result;
}

// ---- Going back --------------------------------------------------------------------------------

arena_mark arena_mark_take(const arena *self) {
    if (self->chunk == NULL) {
        return (arena_mark){0};
    }
    return (arena_mark){.chunk = self->chunk, .filled = self->chunk->filled};
}

void arena_rewind(arena *self, arena_mark mark) {
    if (mark.chunk == NULL) {
        mark.chunk = oldest(self);
        if (mark.chunk == NULL) {
            return;
        }
    }
#if ASAN_ENABLED
    for (arena_chunk *at = self->chunk; at != mark.chunk; at = at->older) {
        ASAN_POISON(at->data, at->size);
    }
    ASAN_POISON(mark.chunk->data + mark.filled, mark.chunk->size - mark.filled);
#endif
    assert(mark.filled <= mark.chunk->filled);
    self->chunk = mark.chunk;
    mark.chunk->filled = mark.filled;
}

size_t arena_bytes_since(const arena *self, arena_mark mark) {
    size_t bytes = 0;
    const arena_chunk *at = self->chunk;
    for (; at != NULL && at != mark.chunk; at = at->older) {
        bytes += at->filled;
    }
    return at == NULL ? bytes : bytes + at->filled - mark.filled;
}

void arena_reset(arena *self) {
    arena_rewind(self, (arena_mark){0});
}

void arena_shrink(arena *self) {
    if (self->chunk == NULL) {
        return;
    }
    if (self->chunk->older == NULL && self->chunk->filled == 0) {
        arena_close(self);
        return;
    }
    close_from(self, self->chunk->newer);
    self->chunk->newer = NULL;
}

void arena_close(arena *self) {
    close_from(self, oldest(self));
    self->chunk = NULL;
    assert(self->used == 0);
}

bool arena_is_at_limit(const arena *self) {
    const size_t left = self->limit - self->used;
    return !cancel_is_raised(self->cancel) &&
           (left < CHUNK_MIN || self->refused > left - CHUNK_MIN);
}

firn_status arena_say_full(const arena *self, firn_error *err) {
    TRY(cancel_check(self->cancel, err));
    if (self->owner == NULL || self->used > self->limit / 2) {
        return FAIL(err, FIRN_NO_MEMORY, "%zu of %zu bytes in use", self->used, self->limit);
    }
    pool_report report;
    pool_describe(self->owner, &report);
    err_set(err, FIRN_NO_MEMORY,
            "%s cannot add %zu bytes to its %zu; of memory_limit %llu, %llu are in use",
            pool_name(self->owner), self->refused, self->used, (unsigned long long)report.limit,
            (unsigned long long)report.used);
    err_hint(err, "raise memory_limit, or lower threads");
    return FIRN_NO_MEMORY;
}
