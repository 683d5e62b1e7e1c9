#include "memory/arena_grow.h"

#include <assert.h>
#include <string.h>

#define GROW_COUNT_MIN 16

void *arena_grow(arena *self, const void *items, uint32_t count, uint32_t more, uint32_t *capacity,
                 size_t size) {
    assert(count <= *capacity && more > 0);
    if (more <= *capacity - count) {
        return (void *)(uintptr_t)items; // The caller's own, which is not const there.
    }
    uint64_t wanted = (uint64_t)count + more;
    if (wanted > UINT32_MAX) {
        return NULL;
    }
    const uint64_t twice = (uint64_t)*capacity * 2;
    wanted = wanted < twice ? twice : wanted;
    wanted = wanted < GROW_COUNT_MIN ? GROW_COUNT_MIN : wanted > UINT32_MAX ? UINT32_MAX : wanted;
    void *made = arena_alloc(self, (size_t)wanted, size);
    if (made != NULL && count > 0) {
        memcpy(made, items, count * size); // Which was allocated once.
    }
    *capacity = made != NULL ? (uint32_t)wanted : *capacity;
    return made;
}
