#include "memory/name_index.h"

#include <string.h>

#include "base/compiler.h"

#define CAPACITY_FIRST 8
#define HASH_SEED UINT64_C(0xcbf29ce484222325)
#define HASH_PRIME UINT64_C(0x100000001b3)

// Of its letters in lower case, FNV-1a.
WRAPS static uint32_t hash_of(text name) {
    uint64_t hash = HASH_SEED;
    for (size_t i = 0; i < name.size; i++) {
        const char letter = name.data[i];
        const char lower = letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
        hash = (hash ^ (unsigned char)lower) * HASH_PRIME;
    }
    return (uint32_t)(hash ^ hash >> 32);
}

// The slot of the first of a name, or an empty one.
static uint32_t find_slot(const name_index *self, text name) {
    uint32_t slot = hash_of(name) & self->slot_mask;
    while (self->slots[slot] != NO_NAME &&
           !text_equal_nocase(self->entries[self->slots[slot]].name, name)) {
        slot = (slot + 1) & self->slot_mask;
    }
    return slot;
}

// Room for as many again, and slots that are at most half full.
static firn_status grow(name_index *self, arena *memory, firn_error *err) {
    const uint32_t capacity = self->capacity == 0 ? CAPACITY_FIRST : self->capacity * 2;
    const uint32_t slot_count = capacity * 2;
    name_index_entry *entries = ARENA_NEW(memory, name_index_entry, capacity);
    uint32_t *slots = ARENA_NEW(memory, uint32_t, slot_count);
    if (entries == NULL || slots == NULL) {
        return ARENA_FULL(memory, err);
    }
    if (self->count > 0) {
        memcpy(entries, self->entries, self->count * sizeof *entries);
    }
    for (uint32_t i = 0; i < slot_count; i++) {
        slots[i] = NO_NAME;
    }
    const name_index before = *self;
    self->capacity = capacity;
    self->entries = entries;
    self->slots = slots;
    self->slot_mask = slot_count - 1;
    for (uint32_t i = 0; before.slots != NULL && i <= before.slot_mask; i++) {
        if (before.slots[i] != NO_NAME) {
            slots[find_slot(self, entries[before.slots[i]].name)] = before.slots[i];
        }
    }
    return FIRN_OK;
}

firn_status name_index_add(name_index *self, text name, arena *memory, firn_error *err) {
    if (self->count == self->capacity) {
        TRY(grow(self, memory, err));
    }
    const uint32_t number = self->count++;
    self->entries[number] = (name_index_entry){.name = name, .next = NO_NAME, .last = number};
    const uint32_t slot = find_slot(self, name);
    const uint32_t first = self->slots[slot];
    if (first == NO_NAME) {
        self->slots[slot] = number;
        return FIRN_OK;
    }
    self->entries[self->entries[first].last].next = number;
    self->entries[first].last = number;
    return FIRN_OK;
}

uint32_t name_index_first(const name_index *self, text name) {
    return self->count == 0 ? NO_NAME : self->slots[find_slot(self, name)];
}

uint32_t name_index_next(const name_index *self, uint32_t number) {
    return self->entries[number].next;
}
