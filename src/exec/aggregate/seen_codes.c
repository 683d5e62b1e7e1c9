#include "exec/aggregate/seen_codes.h"

#include <assert.h>

#define CAPACITY_MIN UINT32_C(1024)

seen_codes seen_codes_open(arena *memory) {
    return (seen_codes){.memory = memory};
}

// How many combinations the keys can have; 0: they are of another kind, or too many.
static uint32_t combinations_of(const column *keys, uint32_t key_count) {
    uint64_t combinations = key_count > 0 && key_count <= SEEN_KEYS_MAX ? 1 : 0;
    for (uint32_t i = 0; i < key_count && combinations > 0; i++) {
        const column *key = &keys[i];
        const bool is_known = key->form == FORM_DICTIONARY && key->validity == NULL &&
                              key->dictionary->identity != 0 &&
                              key->dictionary->values->validity == NULL;
        combinations *= is_known ? key->dictionary->size : 0;
        combinations = combinations > SEEN_COMBINATIONS_MAX ? 0 : combinations;
    }
    return (uint32_t)combinations;
}

static bool is_same(const seen_codes *self, const column *keys, uint32_t key_count) {
    bool same = self->combinations > 0 && self->key_count == key_count;
    for (uint32_t i = 0; i < key_count && same; i++) {
        same = self->identities[i] == keys[i].dictionary->identity;
    }
    return same;
}

// Forgets what came, unless the dictionaries are the same. False without memory.
static bool begin(seen_codes *self, const column *keys, uint32_t key_count, uint32_t combinations) {
    if (is_same(self, keys, key_count)) {
        assert(self->combinations == combinations);
        return true;
    }
    self->combinations = 0;
    if (combinations > self->capacity) {
        uint32_t capacity = self->capacity == 0 ? CAPACITY_MIN : self->capacity;
        while (capacity < combinations) {
            capacity *= 4;
        }
        uint8_t *seen = ARENA_NEW(self->memory, uint8_t, capacity);
        if (seen == NULL) {
            return false;
        }
        self->seen = seen;
        self->capacity = capacity;
    }
    memset(self->seen, 0, combinations);
    self->combinations = combinations;
    self->seen_count = 0;
    self->key_count = key_count;
    for (uint32_t i = 0; i < key_count; i++) {
        self->identities[i] = keys[i].dictionary->identity;
    }
    return true;
}

static uint32_t row_at(const uint16_t *rows, uint32_t k) {
    return rows == NULL ? k : rows[k];
}

// The combination of each row, by number of the row.
static const uint32_t *number_rows(const column *keys, uint32_t key_count, const uint16_t *rows,
                                   uint32_t count, arena *scratch) {
    if (key_count == 1) {
        return keys[0].values;
    }
    uint32_t *numbers = ARENA_NEW(scratch, uint32_t, keys[0].length);
    for (uint32_t i = 0; i < key_count && numbers != NULL; i++) {
        const uint32_t *codes = keys[i].values;
        const uint32_t size = keys[i].dictionary->size;
        for (uint32_t k = 0; k < count; k++) {
            const uint32_t row = row_at(rows, k);
            numbers[row] = i == 0 ? codes[row] : numbers[row] * size + codes[row];
        }
    }
    return numbers;
}

void seen_codes_drop(seen_codes *self, const column *keys, uint32_t key_count,
                     const uint16_t **rows, uint32_t *count, arena *scratch) {
    const uint32_t combinations = combinations_of(keys, key_count);
    if (combinations == 0 || *count == 0 || !begin(self, keys, key_count, combinations)) {
        return;
    }
    if (self->seen_count == combinations) {
        *count = 0;
        return;
    }
    const uint32_t *numbers = number_rows(keys, key_count, *rows, *count, scratch);
    uint16_t *fresh = ARENA_NEW(scratch, uint16_t, *count);
    if (numbers == NULL || fresh == NULL) {
        return;
    }
    uint32_t fresh_count = 0;
    for (uint32_t k = 0; k < *count; k++) {
        const uint32_t row = row_at(*rows, k);
        fresh[fresh_count] = (uint16_t)row;
        fresh_count += 1U - self->seen[numbers[row]];
        self->seen[numbers[row]] = 1;
    }
    self->seen_count += fresh_count;
    *rows = fresh;
    *count = fresh_count;
}
