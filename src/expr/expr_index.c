#include "expr/expr_index.h"

#include <string.h>

#define CAPACITY_FIRST 8

// The slot of the first that is equal, or an empty one.
static uint32_t find_slot(const expr_index *self, const expr *value, uint64_t hash) {
    uint32_t slot = (uint32_t)hash & self->slot_mask;
    for (; self->slots[slot] != NO_EXPR; slot = (slot + 1) & self->slot_mask) {
        const expr_index_entry *entry = &self->entries[self->slots[slot]];
        if (entry->hash == hash && expr_equal(entry->value, value)) {
            break;
        }
    }
    return slot;
}

// Room for as many again, and slots that are at most half full.
static firn_status grow(expr_index *self, arena *memory, firn_error *err) {
    const uint32_t capacity = self->capacity == 0 ? CAPACITY_FIRST : self->capacity * 2;
    const uint32_t slot_count = capacity * 2;
    expr_index_entry *entries = ARENA_NEW(memory, expr_index_entry, capacity);
    uint32_t *slots = ARENA_NEW(memory, uint32_t, slot_count);
    if (entries == NULL || slots == NULL) {
        return ARENA_FULL(memory, err);
    }
    if (self->count > 0) {
        memcpy(entries, self->entries, self->count * sizeof *entries);
    }
    for (uint32_t i = 0; i < slot_count; i++) {
        slots[i] = NO_EXPR;
    }
    self->capacity = capacity;
    self->entries = entries;
    self->slots = slots;
    self->slot_mask = slot_count - 1;
    for (uint32_t i = 0; i < self->count; i++) {
        const uint32_t slot = find_slot(self, entries[i].value, entries[i].hash);
        slots[slot] = slots[slot] == NO_EXPR ? i : slots[slot];
    }
    return FIRN_OK;
}

uint32_t expr_index_find(const expr_index *self, const expr *value) {
    return self->count == 0 ? NO_EXPR : self->slots[find_slot(self, value, expr_hash(value))];
}

firn_status expr_index_add(expr_index *self, const expr *value, arena *memory, firn_error *err) {
    if (self->count == self->capacity) {
        TRY(grow(self, memory, err));
    }
    const uint64_t hash = expr_hash(value);
    const uint32_t number = self->count++;
    self->entries[number] = (expr_index_entry){.value = value, .hash = hash};
    const uint32_t slot = find_slot(self, value, hash);
    self->slots[slot] = self->slots[slot] == NO_EXPR ? number : self->slots[slot];
    return FIRN_OK;
}
