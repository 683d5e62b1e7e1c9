// A hash table with linear probing whose slots name entries: small slots, so that dictionaries of
// thousands of values stay in the nearest caches. Slots of bytes and strings have the upper half of
// a word for a part of the hash, so that bytes are seldom compared in vain. Numbers that lie near
// each other, as dates and prices do, have a slot each by their value: neither hash nor comparison.
#include "formats/parquet/write/pw_dictionary.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "formats/parquet/write/pw_entry.h"
#include "memory/arena_grow.h"

#define SIZE_BYTES sizeof(uint32_t) // Before each string in a dictionary page.
#define SLOTS_MIN 64
#define SLOTS_NEAR (UINT64_C(1) << 12) // So many fit the nearest cache.
#define SLOTS_BY_VALUE_MAX (UINT64_C(1) << 17)
#define NO_SLOT UINT32_MAX // Of a number that lies too far from the others.
#define BLOCK_BYTES_MIN 1024
#define BLOCK_BYTES_MAX 65536
#define WORDS_AT_ONCE 8
#define STRINGS_AT_ONCE 4

struct pw_dictionary {
    arena *memory;
    pq_type type;
    entry_kind kind;
    uint32_t size; // Bytes an entry.
    uint32_t count;
    uint32_t capacity;
    uint8_t *entries;
    uint32_t slot_mask; // One less than there are slots, a power of two.
    uint32_t *slots;    // Words: an entry's code + 1; 0: none.
    bool is_by_value;   // Words: the slot of a number is what it is above `base`.
    uint64_t base;
    int64_t lowest; // Words: of the numbers that are entries, or were.
    int64_t highest;
    uint64_t *tagged; // Others: the same below, the entry's hash above.
    char *block;      // Where bytes of strings go.
    size_t block_left;
    uint64_t bytes;
    uint64_t bytes_max;
};

// Why there is no code for a value.
typedef enum answer { ANSWER_FOUND, ANSWER_LIMIT, ANSWER_MEMORY } answer;

// ---- Entries -----------------------------------------------------------------------------------

// What a new entry adds to the dictionary page.
static ALWAYS_INLINE uint64_t page_bytes(const pw_dictionary *self, const uint8_t *value) {
    return self->kind == ENTRY_STRING
               ? SIZE_BYTES + (uint64_t)((const string_value *)(const void *)value)->size
               : self->size;
}

// ---- Slots -------------------------------------------------------------------------------------

static bool is_word(const pw_dictionary *self) {
    return self->kind == ENTRY_4 || self->kind == ENTRY_8;
}

static ALWAYS_INLINE int64_t number_of(uint64_t word, entry_kind kind) {
    return kind == ENTRY_4 ? (int32_t)(uint32_t)word : (int64_t)word;
}

// NO_SLOT if the slots do not reach so far. Numbers wrap around.
WRAPS static ALWAYS_INLINE uint32_t slot_by_value(const pw_dictionary *self, uint64_t word,
                                                  entry_kind kind) {
    const uint64_t at = (uint64_t)number_of(word, kind) - self->base;
    return at <= self->slot_mask ? (uint32_t)at : NO_SLOT;
}

// The slot that a value has or would have; `*code` is what it names.
static ALWAYS_INLINE uint32_t find_word(const pw_dictionary *self, uint64_t word, entry_kind kind,
                                        uint32_t *code) {
    const size_t size = kind == ENTRY_4 ? 4 : 8;
    *code = PW_NO_CODE;
    if (self->is_by_value) {
        const uint32_t slot = slot_by_value(self, word, kind);
        if (slot != NO_SLOT && self->slots[slot] != 0) {
            *code = self->slots[slot] - 1;
        }
        return slot;
    }
    uint32_t at = (uint32_t)hash_word_of(word, kind) & self->slot_mask;
    for (;;) {
        const uint32_t above = self->slots[at]; // Code + 1.
        if (above == 0) {
            return at;
        }
        if (load_word(self->entries + (above - 1) * size, kind) == word) {
            *code = above - 1;
            return at;
        }
        at = (at + 1) & self->slot_mask;
    }
}

static ALWAYS_INLINE uint32_t find_tagged(const pw_dictionary *self, const uint8_t *value,
                                          uint32_t hash, entry_kind kind, uint32_t size,
                                          uint32_t *code) {
    uint32_t at = hash & self->slot_mask;
    for (;;) {
        const uint64_t slot = self->tagged[at];
        if (slot == 0) {
            *code = PW_NO_CODE;
            return at;
        }
        if (slot >> 32 == hash) {
            const uint32_t found = (uint32_t)slot - 1;
            if (is_equal(self->entries + (size_t)found * size, value, kind, size)) {
                *code = found;
                return at;
            }
        }
        at = (at + 1) & self->slot_mask;
    }
}

static void fill_words(pw_dictionary *self) {
    for (uint32_t code = 0; code < self->count; code++) {
        const uint64_t word = load_word(self->entries + (size_t)code * self->size, self->kind);
        uint32_t at = self->is_by_value
                          ? slot_by_value(self, word, self->kind)
                          : (uint32_t)hash_word_of(word, self->kind) & self->slot_mask;
        while (self->slots[at] != 0) { // By value it is free.
            at = (at + 1) & self->slot_mask;
        }
        self->slots[at] = code + 1;
    }
}

// Fills the slots, which are none, from the entries, which all differ.
static void fill_slots(pw_dictionary *self) {
    if (is_word(self)) {
        fill_words(self);
        return;
    }
    for (uint32_t code = 0; code < self->count; code++) {
        const uint8_t *entry = self->entries + (size_t)code * self->size;
        const uint32_t hash = hash_of(entry, self->kind, self->size);
        uint32_t at = hash & self->slot_mask;
        while (self->tagged[at] != 0) {
            at = (at + 1) & self->slot_mask;
        }
        self->tagged[at] = (uint64_t)hash << 32 | (code + 1);
    }
}

static void clear_slots(pw_dictionary *self) {
    const size_t slots = (size_t)self->slot_mask + 1;
    if (is_word(self)) {
        memset(self->slots, 0, slots * sizeof *self->slots);
    } else {
        memset(self->tagged, 0, slots * sizeof *self->tagged);
    }
}

// Each search of a value that is there but not in its first slot is a mispredicted branch, so small
// tables, which cost no cache misses, are kept nearly empty.
static bool has_room(uint64_t slots, uint64_t count) {
    const uint64_t each = slots <= SLOTS_NEAR        ? 16
                          : slots <= 4 * SLOTS_NEAR  ? 8
                          : slots <= 16 * SLOTS_NEAR ? 4
                                                     : 2;
    return count * each <= slots;
}

// How many slots by value take all numbers, and as many more that lie around them. 0: too many, of
// which most would be for numbers that never come.
WRAPS static uint64_t slots_by_value(const pw_dictionary *self, uint64_t hashed_slots) {
    const uint64_t most = 2 * hashed_slots;
    const uint64_t reach = (uint64_t)self->highest - (uint64_t)self->lowest;
    uint64_t slots = SLOTS_MIN;
    while (slots / 2 <= reach && slots <= most && slots <= SLOTS_BY_VALUE_MAX) {
        slots *= 2;
    }
    return slots <= most && slots <= SLOTS_BY_VALUE_MAX ? slots : 0;
}

// New slots, with room for all entries and some more. False, and nothing has changed, if memory is
// full.
WRAPS static bool make_slots(pw_dictionary *self) {
    size_t slots = SLOTS_MIN;
    while (!has_room(slots, self->count)) {
        slots *= 2;
    }
    if (!is_word(self)) {
        uint64_t *tagged = ARENA_NEW(self->memory, uint64_t, slots);
        if (tagged == NULL) {
            return false;
        }
        self->tagged = tagged;
    } else {
        const uint64_t by_value = self->count == 0 ? 0 : slots_by_value(self, slots);
        slots = by_value > 0 ? (size_t)by_value : slots;
        uint32_t *words = ARENA_NEW(self->memory, uint32_t, slots);
        if (words == NULL) {
            return false;
        }
        self->slots = words;
        self->is_by_value = by_value > 0;
        const uint64_t reach = (uint64_t)self->highest - (uint64_t)self->lowest;
        self->base = (uint64_t)self->lowest - (slots - reach) / 2;
    }
    self->slot_mask = (uint32_t)(slots - 1);
    clear_slots(self);
    fill_slots(self);
    return true;
}

// ---- New entries -------------------------------------------------------------------------------

// Room for the bytes of a string that is not inline. NULL if memory is full.
static char *take_bytes(pw_dictionary *self, uint32_t size) {
    if (size > self->block_left) {
        // As much again as there is, within bounds, so that little is lost at the end of a block.
        size_t block = self->bytes < BLOCK_BYTES_MAX ? (size_t)self->bytes : BLOCK_BYTES_MAX;
        block = block < BLOCK_BYTES_MIN ? BLOCK_BYTES_MIN : block;
        if (size > block / 4) { // Has one of its own.
            return ARENA_NEW(self->memory, char, size);
        }
        char *made = ARENA_NEW(self->memory, char, block);
        if (made == NULL) {
            return NULL;
        }
        self->block = made;
        self->block_left = block;
    }
    char *to = self->block;
    self->block += size;
    self->block_left -= size;
    return to;
}

// Whether the next entry, whose slot would be `slot`, leaves room among the slots.
static bool has_slot_for_one(const pw_dictionary *self, uint32_t slot) {
    return self->is_by_value ? slot != NO_SLOT
                             : has_room((uint64_t)self->slot_mask + 1, self->count + UINT64_C(1));
}

// Widens what the numbers lie between.
static void note_number(pw_dictionary *self, int64_t number) {
    self->lowest = self->count == 0 || number < self->lowest ? number : self->lowest;
    self->highest = self->count == 0 || number > self->highest ? number : self->highest;
}

// Makes `value`, whose slot is empty, an entry: the next code. Slots may move.
static NEVER_INLINE answer add_entry(pw_dictionary *self, const uint8_t *value, uint32_t slot,
                                     uint32_t hash) {
    const uint64_t more = page_bytes(self, value);
    if (more > self->bytes_max - self->bytes) {
        return ANSWER_LIMIT;
    }
    uint8_t *entries =
        arena_grow(self->memory, self->entries, self->count, 1, &self->capacity, self->size);
    if (entries == NULL) {
        return ANSWER_MEMORY;
    }
    self->entries = entries;
    uint8_t *to = entries + (size_t)self->count * self->size;
    if (self->kind == ENTRY_STRING) {
        const string_value *string = (const string_value *)(const void *)value;
        string_value kept = *string;
        if (!string_is_inline(string)) {
            char *bytes = take_bytes(self, string->size);
            if (bytes == NULL ||
                !cancel_copy(self->memory->cancel, bytes, string->data, string->size)) {
                return ANSWER_MEMORY;
            }
            kept.data = bytes;
        }
        memcpy(to, &kept, sizeof kept);
    } else {
        memcpy(to, value, self->size);
        if (is_word(self)) {
            note_number(self, number_of(load_word(value, self->kind), self->kind));
        }
    }
    const bool has_slot = has_slot_for_one(self, slot);
    self->count += 1;
    if (!has_slot) {
        if (!make_slots(self)) {
            self->count -= 1;
            return ANSWER_MEMORY;
        }
    } else if (is_word(self)) {
        self->slots[slot] = self->count;
    } else {
        self->tagged[slot] = (uint64_t)hash << 32 | self->count;
    }
    self->bytes += more;
    return ANSWER_FOUND;
}

// ---- Codes -------------------------------------------------------------------------------------

static ALWAYS_INLINE void fill_codes(uint32_t *codes, uint32_t count, uint32_t code) {
    for (uint32_t i = 0; i < count; i++) {
        codes[i] = code;
    }
}

// Whether `count` values, a constant, are all `word`.
static ALWAYS_INLINE bool are_all(const uint8_t *values, uint32_t count, uint64_t word,
                                  entry_kind kind) {
    const size_t size = kind == ENTRY_4 ? 4 : 8;
    uint64_t differ = 0;
    for (uint32_t i = 0; i < count; i++) {
        differ |= load_word(values + i * size, kind) ^ word;
    }
    return differ == 0;
}

static ALWAYS_INLINE answer code_words(pw_dictionary *self, const uint8_t *values, uint32_t count,
                                       entry_kind kind, uint32_t *codes, uint32_t *taken) {
    const size_t size = kind == ENTRY_4 ? 4 : 8;
    for (uint32_t i = 0; i < count;) {
        // A repeated value is looked for in eights only: one branch for each value would be
        // mispredicted where there are few distinct ones.
        const uint32_t step = min_u32(count - i, WORDS_AT_ONCE);
        if (i > 0 && step == WORDS_AT_ONCE &&
            are_all(values + i * size, WORDS_AT_ONCE, load_word(values + (i - 1) * size, kind),
                    kind)) {
            fill_codes(codes + i, WORDS_AT_ONCE, codes[i - 1]);
            i += WORDS_AT_ONCE;
            continue;
        }
        for (const uint32_t end = i + step; i < end; i++) {
            const uint8_t *value = values + i * size;
            const uint32_t slot = find_word(self, load_word(value, kind), kind, &codes[i]);
            if (UNLIKELY(codes[i] == PW_NO_CODE)) {
                const answer added = add_entry(self, value, slot, 0);
                if (added != ANSWER_FOUND) {
                    *taken = i;
                    return added;
                }
                codes[i] = self->count - 1;
            }
        }
    }
    *taken = count;
    return ANSWER_FOUND;
}

static ALWAYS_INLINE answer code_tagged_one(pw_dictionary *self, const uint8_t *value,
                                            entry_kind kind, uint32_t size, uint32_t *code) {
    if (kind == ENTRY_STRING && UNLIKELY(page_bytes(self, value) > self->bytes_max)) {
        return ANSWER_LIMIT; // However long it is, it is no entry and is not looked at.
    }
    const uint32_t hash = hash_of(value, kind, size);
    const uint32_t slot = find_tagged(self, value, hash, kind, size, code);
    if (UNLIKELY(*code == PW_NO_CODE)) {
        const answer added = add_entry(self, value, slot, hash);
        if (added != ANSWER_FOUND) {
            return added;
        }
        *code = self->count - 1;
    }
    return ANSWER_FOUND;
}

static ALWAYS_INLINE answer code_bytes(pw_dictionary *self, const uint8_t *values, uint32_t count,
                                       uint32_t size, uint32_t *codes, uint32_t *taken) {
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *value = values + (size_t)i * size;
        const answer found = code_tagged_one(self, value, ENTRY_BYTES, size, &codes[i]);
        if (found != ANSWER_FOUND) {
            *taken = i;
            return found;
        }
    }
    *taken = count;
    return ANSWER_FOUND;
}

// Whether the next strings all have the 16 bytes of the one before them: inline ones that are the
// same, long ones at the same place.
static ALWAYS_INLINE bool repeat_last(const string_value *values) {
    const uint8_t *at = (const uint8_t *)values;
    const uint64_t first = hash_load64(at - sizeof *values);
    const uint64_t second = hash_load64(at - sizeof *values + 8);
    uint64_t differ = 0;
    for (uint32_t i = 0; i < STRINGS_AT_ONCE; i++) {
        differ |= hash_load64(at + i * sizeof *values) ^ first;
        differ |= hash_load64(at + i * sizeof *values + 8) ^ second;
    }
    return differ == 0;
}

static answer code_strings(pw_dictionary *self, const string_value *values, uint32_t count,
                           uint32_t *codes, uint32_t *taken) {
    for (uint32_t i = 0; i < count;) {
        const uint32_t step = min_u32(count - i, STRINGS_AT_ONCE);
        if (i > 0 && step == STRINGS_AT_ONCE && repeat_last(values + i)) {
            fill_codes(codes + i, STRINGS_AT_ONCE, codes[i - 1]);
            i += STRINGS_AT_ONCE;
            continue;
        }
        for (const uint32_t end = i + step; i < end; i++) {
            const answer found = code_tagged_one(self, (const uint8_t *)&values[i], ENTRY_STRING,
                                                 sizeof *values, &codes[i]);
            if (found != ANSWER_FOUND) {
                *taken = i;
                return found;
            }
        }
    }
    *taken = count;
    return ANSWER_FOUND;
}

static answer code_all(pw_dictionary *self, const pw_values *values, uint32_t *codes,
                       uint32_t *taken) {
    switch (self->kind) {
    case ENTRY_4:
        return code_words(self, values->data, values->count, ENTRY_4, codes, taken);
    case ENTRY_8:
        return code_words(self, values->data, values->count, ENTRY_8, codes, taken);
    case ENTRY_BYTES:
        if (self->size == sizeof(i128)) { // Decimals and UUIDs: a constant width.
            return code_bytes(self, values->fixed, values->count, sizeof(i128), codes, taken);
        }
        return code_bytes(self, values->fixed, values->count, self->size, codes, taken);
    case ENTRY_STRING:
        break;
    }
    return code_strings(self, values->strings, values->count, codes, taken);
}

// Back to what there was: the slots have enough room for it. Bytes of strings stay in the arena.
static void forget_entries(pw_dictionary *self, uint32_t count, uint64_t bytes) {
    self->count = count;
    self->bytes = bytes;
    clear_slots(self);
    fill_slots(self);
}

// ---- The functions of the header ---------------------------------------------------------------

static entry_kind kind_of(pq_type type, uint32_t size) {
    return type == PQ_BYTE_ARRAY ? ENTRY_STRING
           : size == 4           ? ENTRY_4
           : size == 8           ? ENTRY_8
                                 : ENTRY_BYTES;
}

firn_status pw_dictionary_open(arena *memory, pq_type type, uint32_t width, uint64_t bytes_max,
                               pw_dictionary **out, firn_error *err) {
    pw_dictionary *self = ARENA_NEW(memory, pw_dictionary, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    const uint32_t size = pw_values_size(type, width);
    assert(size > 0);
    *self = (pw_dictionary){
        .memory = memory,
        .type = type,
        .kind = kind_of(type, size),
        .size = size,
        .bytes_max = bytes_max < INT32_MAX ? bytes_max : INT32_MAX,
    };
    if (!make_slots(self)) {
        return ARENA_FULL(memory, err);
    }
    *out = self;
    return FIRN_OK;
}

firn_status pw_dictionary_codes(pw_dictionary *self, const pw_values *values, uint32_t *codes,
                                uint32_t *taken, firn_error *err) {
    assert(pw_values_size(values->type, values->width) == self->size);
    const uint32_t count = self->count;
    const uint64_t bytes = self->bytes;
    if (code_all(self, values, codes, taken) == ANSWER_MEMORY) {
        forget_entries(self, count, bytes);
        return ARENA_FULL(self->memory, err);
    }
    return FIRN_OK;
}

firn_status pw_dictionary_translate(pw_dictionary *self, const pw_coded *values, uint32_t *codes,
                                    uint32_t *taken, firn_error *err) {
    const uint32_t count = self->count;
    const uint64_t bytes = self->bytes;
    pw_values one = *values->entries;
    const uint8_t *entries = one.data;
    one.count = 1;
    for (uint32_t i = 0; i < values->count; i++) {
        const uint32_t index = values->indexes[i];
        codes[i] = values->map[index];
        if (UNLIKELY(codes[i] == PW_NO_CODE)) {
            uint32_t done;
            one.data = entries + (size_t)index * self->size;
            const answer found = code_all(self, &one, &codes[i], &done);
            if (found == ANSWER_MEMORY) {
                for (uint32_t k = 0; k < i; k++) { // What became an entry in this call.
                    if (codes[k] >= count) {
                        values->map[values->indexes[k]] = PW_NO_CODE;
                    }
                }
                forget_entries(self, count, bytes);
                return ARENA_FULL(self->memory, err);
            }
            if (found == ANSWER_LIMIT) {
                *taken = i;
                return FIRN_OK;
            }
            values->map[index] = codes[i];
        }
    }
    *taken = values->count;
    return FIRN_OK;
}

pw_values pw_dictionary_entries(const pw_dictionary *self) {
    return (pw_values){
        .type = self->type,
        .width = self->type == PQ_FIXED ? self->size : 0,
        .count = self->count,
        .data = self->entries,
    };
}

uint64_t pw_dictionary_bytes(const pw_dictionary *self) {
    return self->bytes;
}

firn_status pw_dictionary_values(const pw_dictionary *self, const uint32_t *codes, uint32_t count,
                                 arena *scratch, pw_values *out, firn_error *err) {
    uint8_t *values = arena_alloc(scratch, count, self->size);
    if (values == NULL) {
        return ARENA_FULL(scratch, err);
    }
    const size_t size = self->size;
    if (self->kind == ENTRY_4) {
        for (uint32_t i = 0; i < count; i++) {
            memcpy(values + i * (size_t)4, self->entries + codes[i] * (size_t)4, 4);
        }
    } else if (self->kind == ENTRY_8) {
        for (uint32_t i = 0; i < count; i++) {
            memcpy(values + i * (size_t)8, self->entries + codes[i] * (size_t)8, 8);
        }
    } else {
        for (uint32_t i = 0; i < count; i++) {
            memcpy(values + i * size, self->entries + codes[i] * size, size);
        }
    }
    *out = pw_dictionary_entries(self);
    out->count = count;
    out->data = values;
    return FIRN_OK;
}
