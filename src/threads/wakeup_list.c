#include "threads/wakeup_list.h"

#include <assert.h>

firn_status wakeup_list_open(uint32_t capacity, arena *memory, wakeup_list *out, firn_error *err) {
    *out = (wakeup_list){.waiting = ARENA_NEW(memory, wakeup *, (size_t)capacity + 1)};
    if (out->waiting == NULL) {
        return ARENA_FULL(memory, err);
    }
    out->capacity = capacity;
    for (uint32_t i = 0; i < capacity; i++) {
        out->waiting[i] = NULL;
    }
    return FIRN_OK;
}

void wakeup_list_add(wakeup_list *self, wakeup *added) {
    wakeup **place = NULL;
    for (uint32_t i = 0; i < self->capacity; i++) {
        if (self->waiting[i] == added) {
            return;
        }
        place = place == NULL && self->waiting[i] == NULL ? &self->waiting[i] : place;
    }
    assert(place != NULL);
    *place = added;
}

void wakeup_list_forget(wakeup_list *self, const wakeup *which) {
    for (uint32_t i = 0; i < self->capacity; i++) {
        if (self->waiting[i] == which) {
            self->waiting[i] = NULL;
        }
    }
}

void wakeup_list_fire(wakeup_list *self) {
    for (uint32_t i = 0; i < self->capacity; i++) {
        if (self->waiting[i] != NULL) {
            wakeup_fire(self->waiting[i]);
            self->waiting[i] = NULL;
        }
    }
}
