#include "expr/input_layout.h"

#include "base/compiler.h"

#define FEW 16 // Columns that are looked through as fast as a table is made.

WRAPS static uint32_t slot_of(const input_layout *self, uint32_t id) {
    return id * UINT32_C(0x9e3779b1) & self->slot_mask;
}

firn_status input_layout_index(input_layout *self, arena *memory, firn_error *err) {
    if (self->count <= FEW) {
        return FIRN_OK;
    }
    uint32_t size = FEW;
    while (size / 2 < self->count) {
        size *= 2;
    }
    uint32_t *slots = ARENA_NEW(memory, uint32_t, size);
    if (slots == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < size; i++) {
        slots[i] = NO_PLACE;
    }
    self->slot_mask = size - 1;
    for (uint32_t i = 0; i < self->count; i++) {
        uint32_t slot = slot_of(self, self->ids[i]);
        while (slots[slot] != NO_PLACE && self->ids[slots[slot]] != self->ids[i]) {
            slot = (slot + 1) & self->slot_mask;
        }
        slots[slot] = slots[slot] == NO_PLACE ? i : slots[slot];
    }
    self->slots = slots;
    return FIRN_OK;
}

uint32_t input_layout_find(const input_layout *self, uint32_t id) {
    if (self->slots != NULL) {
        uint32_t slot = slot_of(self, id);
        while (self->slots[slot] != NO_PLACE && self->ids[self->slots[slot]] != id) {
            slot = (slot + 1) & self->slot_mask;
        }
        return self->slots[slot];
    }
    uint32_t place = 0;
    while (place < self->count && self->ids[place] != id) {
        place++;
    }
    return place < self->count ? place : NO_PLACE;
}
