// Arrays in arenas that grow while something is added to them.
#ifndef FIRN_MEMORY_ARENA_GROW_H
#define FIRN_MEMORY_ARENA_GROW_H

#include <stdint.h>

#include "memory/arena.h"

/// Room for `more` values, at least one, behind the `count` that `items` has: `items` itself while
/// `*capacity` has it, else a copy with at least twice the capacity. NULL if there is no memory or
/// a count does not fit. Prefer ARENA_GROW.
void *arena_grow(arena *self, const void *items, uint32_t count, uint32_t more, uint32_t *capacity,
                 size_t size);

/// `uint32_t *rows = ARENA_GROW(memory, uint32_t, self->rows, self->count, 1, &self->capacity);`
#define ARENA_GROW(arena, type, items, count, more, capacity)                                      \
    ((type *)arena_grow((arena), (items), (count), (more), (capacity), sizeof(type)))

#endif
