// A small set of column ids: which columns an expression mentions, a plan node makes, a join side
// covers. A growing bitmap in an arena, of the range in which its ids lie: they are small numbers,
// given out in order, so what is made together lies together.
#ifndef FIRN_EXPR_ID_SET_H
#define FIRN_EXPR_ID_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "memory/arena.h"

typedef struct id_set {
    arena *memory;
    uint64_t *words;
    uint32_t word_first; // Number of words[0]: of ids word_first * 64 and up.
    uint32_t word_count;
} id_set;

static inline id_set id_set_open(arena *memory) {
    return (id_set){.memory = memory};
}
firn_status id_set_add(id_set *self, uint32_t id, firn_error *err);
firn_status id_set_add_all(id_set *self, const id_set *other, firn_error *err);
void id_set_remove_all(id_set *self, const id_set *other);
bool id_set_has(const id_set *self, uint32_t id);
bool id_set_is_empty(const id_set *self);
bool id_set_contains(const id_set *self, const id_set *other); ///< Is `other` a subset of self?
bool id_set_intersects(const id_set *self, const id_set *other);
uint32_t id_set_count(const id_set *self);
/// Ids in rising order: `for (uint32_t id = 0; id_set_next(&set, &id); id++)`.
bool id_set_next(const id_set *self, uint32_t *id);

#endif
