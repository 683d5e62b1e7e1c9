// Free parts of a spill file, by size. A page takes a free slot of just its size, else one that is
// up to an eighth larger and cut, else the file grows: overwriting is three times as fast as
// growing.
#include <assert.h>

#include "memory/spill_private.h"

static spill_free_part **list_for(spill_space *self, uint64_t steps) {
    assert(steps > 0 && steps <= SPILL_EXTENT_STEPS);
    if (steps <= SPILL_PACK_STEPS) {
        return &self->lists[steps - 1];
    }
    assert(steps % SPILL_PACK_STEPS == 0);
    return &self->lists[SPILL_PACK_STEPS + steps / SPILL_PACK_STEPS - 2];
}

static bool list_grow(spill_space *self, spill_free_part **list) {
    if (!pool_take_urgent(self->owner, sizeof **list)) {
        return false;
    }
    spill_free_part *part = host_alloc(sizeof *part);
    if (part == NULL) {
        pool_give(self->owner, sizeof *part);
        return false;
    }
    part->below = *list;
    part->count = 0;
    *list = part;
    return true;
}

static void list_shrink(spill_space *self, spill_free_part **list) {
    spill_free_part *part = *list;
    *list = part->below;
    host_free(part);
    pool_give(self->owner, sizeof *part);
}

// Parts that are there have at least one.
static bool list_take(spill_space *self, spill_free_part **list, uint64_t *offset) {
    if (*list == NULL) {
        return false;
    }
    (*list)->count -= 1;
    *offset = (*list)->offsets[(*list)->count];
    if ((*list)->count == 0) {
        list_shrink(self, list);
    }
    return true;
}

bool spill_space_take(spill_space *self, uint64_t steps, uint64_t *offset) {
    if (list_take(self, list_for(self, steps), offset)) {
        return true;
    }
    const uint64_t most = steps + steps / 8;
    for (uint64_t larger = steps + 1; larger <= most && larger <= SPILL_PACK_STEPS; larger++) {
        if (list_take(self, list_for(self, larger), offset)) {
            spill_space_give(self, *offset + steps, larger - steps);
            return true;
        }
    }
    if (steps > SPILL_STEPS_END - self->end_steps) {
        return false;
    }
    *offset = self->end_steps;
    self->end_steps += steps;
    return true;
}

void spill_space_give(spill_space *self, uint64_t offset, uint64_t steps) {
    spill_free_part **list = list_for(self, steps);
    if ((*list != NULL && (*list)->count < SPILL_FREE_COUNT) || list_grow(self, list)) {
        (*list)->offsets[(*list)->count] = offset;
        (*list)->count += 1;
    }
}

void spill_space_close(spill_space *self) {
    for (size_t i = 0; i < sizeof self->lists / sizeof *self->lists; i++) {
        while (self->lists[i] != NULL) {
            list_shrink(self, &self->lists[i]);
        }
    }
}
