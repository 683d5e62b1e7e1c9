#include "expr/id_set.h"

#include <string.h>

#define WORD_BITS 64
#define WORDS_FIRST 4 // Enough for the ids of a small query.

static uint32_t end_of(const id_set *self) {
    return self->word_first + self->word_count;
}

// The word of that number; 0 beyond those that are there.
static uint64_t word_at(const id_set *self, uint32_t word) {
    return word >= self->word_first && word < end_of(self) ? self->words[word - self->word_first]
                                                           : 0;
}

// Makes room for the words from `from` to `to`, for twice as many as before where that lies; new
// words are zero.
static firn_status grow(id_set *self, uint32_t from, uint32_t to, firn_error *err) {
    uint32_t first = from;
    uint32_t end = to;
    if (self->word_count > 0) {
        first = from < self->word_first ? from : self->word_first;
        end = to > end_of(self) ? to : end_of(self);
    }
    const uint32_t wish = self->word_count == 0 ? WORDS_FIRST : 2 * self->word_count;
    const uint32_t spare = wish > end - first ? wish - (end - first) : 0;
    if (self->word_count > 0 && from < self->word_first) {
        first -= spare < first ? spare : first;
    } else {
        end += spare;
    }
    uint64_t *words = ARENA_NEW(self->memory, uint64_t, end - first);
    if (words == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    memset(words, 0, (end - first) * sizeof *words);
    if (self->word_count > 0) {
        memcpy(words + (self->word_first - first), self->words, self->word_count * sizeof *words);
    }
    self->words = words;
    self->word_first = first;
    self->word_count = end - first;
    return FIRN_OK;
}

firn_status id_set_add(id_set *self, uint32_t id, firn_error *err) {
    const uint32_t word = id / WORD_BITS;
    if (word < self->word_first || word >= end_of(self)) {
        TRY(grow(self, word, word + 1, err));
    }
    self->words[word - self->word_first] |= UINT64_C(1) << (id % WORD_BITS);
    return FIRN_OK;
}

firn_status id_set_add_all(id_set *self, const id_set *other, firn_error *err) {
    if (other->word_count == 0) {
        return FIRN_OK;
    }
    if (self->word_count == 0 || other->word_first < self->word_first ||
        end_of(other) > end_of(self)) {
        TRY(grow(self, other->word_first, end_of(other), err));
    }
    uint64_t *into = self->words + (other->word_first - self->word_first);
    for (uint32_t i = 0; i < other->word_count; i++) {
        into[i] |= other->words[i];
    }
    return FIRN_OK;
}

void id_set_remove_all(id_set *self, const id_set *other) {
    for (uint32_t i = 0; i < self->word_count; i++) {
        self->words[i] &= ~word_at(other, self->word_first + i);
    }
}

bool id_set_has(const id_set *self, uint32_t id) {
    return (word_at(self, id / WORD_BITS) >> (id % WORD_BITS) & 1) != 0;
}

bool id_set_is_empty(const id_set *self) {
    for (uint32_t i = 0; i < self->word_count; i++) {
        if (self->words[i] != 0) {
            return false;
        }
    }
    return true;
}

bool id_set_contains(const id_set *self, const id_set *other) {
    for (uint32_t i = 0; i < other->word_count; i++) {
        if ((other->words[i] & ~word_at(self, other->word_first + i)) != 0) {
            return false;
        }
    }
    return true;
}

bool id_set_intersects(const id_set *self, const id_set *other) {
    const id_set *fewer = self->word_count < other->word_count ? self : other;
    const id_set *more = fewer == self ? other : self;
    for (uint32_t i = 0; i < fewer->word_count; i++) {
        if ((fewer->words[i] & word_at(more, fewer->word_first + i)) != 0) {
            return true;
        }
    }
    return false;
}

uint32_t id_set_count(const id_set *self) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->word_count; i++) {
        count += (uint32_t)__builtin_popcountll(self->words[i]);
    }
    return count;
}

bool id_set_next(const id_set *self, uint32_t *id) {
    uint32_t word = *id / WORD_BITS;
    uint32_t bit = *id % WORD_BITS;
    if (word < self->word_first) {
        word = self->word_first;
        bit = 0;
    }
    if (word >= end_of(self)) {
        return false;
    }
    uint64_t rest = word_at(self, word) >> bit << bit;
    while (rest == 0) {
        if (++word >= end_of(self)) {
            return false;
        }
        rest = word_at(self, word);
    }
    *id = word * WORD_BITS + (uint32_t)__builtin_ctzll(rest);
    return true;
}
