#include "expr/id_set.h"

#include <string.h>

#define WORD_BITS 64
#define WORDS_FIRST 4 // Enough for the ids of a small query.

// Makes room for word `word`; new words are zero.
static firn_status grow(id_set *self, uint32_t word, firn_error *err) {
    uint32_t count = self->word_count == 0 ? WORDS_FIRST : self->word_count;
    while (count <= word) {
        count *= 2;
    }
    uint64_t *words = ARENA_NEW(self->memory, uint64_t, count);
    if (words == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    memset(words, 0, count * sizeof *words);
    if (self->word_count > 0) {
        memcpy(words, self->words, self->word_count * sizeof *words);
    }
    self->words = words;
    self->word_count = count;
    return FIRN_OK;
}

firn_status id_set_add(id_set *self, uint32_t id, firn_error *err) {
    const uint32_t word = id / WORD_BITS;
    if (word >= self->word_count) {
        TRY(grow(self, word, err));
    }
    self->words[word] |= UINT64_C(1) << (id % WORD_BITS);
    return FIRN_OK;
}

firn_status id_set_add_all(id_set *self, const id_set *other, firn_error *err) {
    if (other->word_count > self->word_count) {
        TRY(grow(self, other->word_count - 1, err));
    }
    for (uint32_t word = 0; word < other->word_count; word++) {
        self->words[word] |= other->words[word];
    }
    return FIRN_OK;
}

void id_set_remove_all(id_set *self, const id_set *other) {
    for (uint32_t word = 0; word < self->word_count && word < other->word_count; word++) {
        self->words[word] &= ~other->words[word];
    }
}

bool id_set_has(const id_set *self, uint32_t id) {
    const uint32_t word = id / WORD_BITS;
    return word < self->word_count && (self->words[word] >> (id % WORD_BITS) & 1) != 0;
}

bool id_set_is_empty(const id_set *self) {
    for (uint32_t word = 0; word < self->word_count; word++) {
        if (self->words[word] != 0) {
            return false;
        }
    }
    return true;
}

bool id_set_contains(const id_set *self, const id_set *other) {
    for (uint32_t word = 0; word < other->word_count; word++) {
        const uint64_t own = word < self->word_count ? self->words[word] : 0;
        if ((other->words[word] & ~own) != 0) {
            return false;
        }
    }
    return true;
}

bool id_set_intersects(const id_set *self, const id_set *other) {
    for (uint32_t word = 0; word < self->word_count && word < other->word_count; word++) {
        if ((self->words[word] & other->words[word]) != 0) {
            return true;
        }
    }
    return false;
}

uint32_t id_set_count(const id_set *self) {
    uint32_t count = 0;
    for (uint32_t word = 0; word < self->word_count; word++) {
        count += (uint32_t)__builtin_popcountll(self->words[word]);
    }
    return count;
}

bool id_set_next(const id_set *self, uint32_t *id) {
    uint32_t word = *id / WORD_BITS;
    if (word >= self->word_count) {
        return false;
    }
    uint64_t rest = self->words[word] >> (*id % WORD_BITS) << (*id % WORD_BITS);
    while (rest == 0) {
        if (++word >= self->word_count) {
            return false;
        }
        rest = self->words[word];
    }
    *id = word * WORD_BITS + (uint32_t)__builtin_ctzll(rest);
    return true;
}
