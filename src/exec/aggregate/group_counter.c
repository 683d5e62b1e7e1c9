#include "exec/aggregate/group_counter.h"

#include <string.h>

#include "base/distinct_sketch.h"

#define FIRST_LOOK (UINT64_C(1) << 18)

group_counter group_counter_open(arena *memory) {
    return (group_counter){.memory = memory, .next_look = FIRST_LOOK};
}

bool group_counter_add(group_counter *self, const uint64_t *hashes, uint32_t count) {
    if (self->registers == NULL) {
        self->registers = ARENA_NEW(self->memory, uint8_t, DISTINCT_SKETCH_SIZE);
        if (self->registers == NULL) {
            return false;
        }
        memset(self->registers, 0, DISTINCT_SKETCH_SIZE);
    }
    for (uint32_t k = 0; k < count; k++) {
        distinct_sketch_put(self->registers, distinct_sketch_mix(hashes[k]));
    }
    self->rows += count;
    if (self->rows < self->next_look) {
        return false;
    }
    self->next_look = self->rows * 2;
    self->groups = (uint64_t)distinct_sketch_estimate(self->registers);
    return true;
}
