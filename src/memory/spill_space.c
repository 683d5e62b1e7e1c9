// Free parts of a spill file, by size. A page takes a free slot of just its size, else one that is
// up to an eighth larger and cut, else the file grows: overwriting is three times as fast as
// growing.
#include <assert.h>
#include <string.h>

#include "memory/spill_private.h"

#define LIST_CAPACITY_MIN 32

static spill_free_list *list_for(spill_space *self, uint64_t steps) {
    assert(steps > 0 && steps <= SPILL_EXTENT_STEPS);
    if (steps <= SPILL_PACK_STEPS) {
        return &self->lists[steps - 1];
    }
    assert(steps % SPILL_PACK_STEPS == 0);
    return &self->lists[SPILL_PACK_STEPS + steps / SPILL_PACK_STEPS - 2];
}

static bool list_grow(spill_space *self, spill_free_list *list) {
    const size_t capacity = list->capacity == 0 ? LIST_CAPACITY_MIN : list->capacity * 2;
    if (!pool_take_urgent(self->owner, capacity * sizeof *list->offsets)) {
        return false;
    }
    uint64_t *offsets = host_alloc(capacity * sizeof *offsets);
    if (offsets == NULL) {
        pool_give(self->owner, capacity * sizeof *offsets);
        return false;
    }
    if (list->count > 0) {
        memcpy(offsets, list->offsets, list->count * sizeof *offsets);
    }
    host_free(list->offsets);
    pool_give(self->owner, list->capacity * sizeof *offsets);
    list->offsets = offsets;
    list->capacity = capacity;
    return true;
}

bool spill_space_take(spill_space *self, uint64_t steps, uint64_t *offset) {
    spill_free_list *exact = list_for(self, steps);
    if (exact->count > 0) {
        exact->count -= 1;
        *offset = exact->offsets[exact->count];
        return true;
    }
    const uint64_t most = steps + steps / 8;
    for (uint64_t larger = steps + 1; larger <= most && larger <= SPILL_PACK_STEPS; larger++) {
        spill_free_list *list = list_for(self, larger);
        if (list->count > 0) {
            list->count -= 1;
            *offset = list->offsets[list->count];
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
    spill_free_list *list = list_for(self, steps);
    if (list->count < list->capacity || list_grow(self, list)) {
        list->offsets[list->count] = offset;
        list->count += 1;
    }
}

void spill_space_close(spill_space *self) {
    for (size_t i = 0; i < sizeof self->lists / sizeof *self->lists; i++) {
        spill_free_list *list = &self->lists[i];
        if (list->capacity > 0) {
            host_free(list->offsets);
            pool_give(self->owner, list->capacity * sizeof *list->offsets);
            *list = (spill_free_list){0};
        }
    }
}
