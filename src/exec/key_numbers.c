#include "exec/key_numbers.h"

#include <assert.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "memory/pool.h"

#define TEXT_MAX UINT32_C(65535) // Different texts of one column.
#define TEXT_BYTES_MAX 256       // Of one of them.
#define TEXT_FIND_BYTES 64       // A text's share of arrays, and of those that became too small.
#define TEXTS_SHARE 64           // Of the memory limit, at most, for all texts.
#define SLOTS_MIN 64
#define BITS_MAX 62 // Of a number.
#define ROOM_BITS 1

// One column.
typedef struct key_numbering {
    const type *type;
    bool is_text;
    uint32_t bits; // 0: no value has come yet.
    uint32_t shift;
    int64_t low;  // Integers: what has number 1;
    int64_t high; // the highest so far.
    // Text: values in the order of their numbers, found by open addressing.
    string_value *texts;
    uint64_t *hashes;
    uint32_t text_count;
    uint32_t text_capacity;
    uint32_t *slots; // Numbers; 0: empty.
    uint32_t slot_count;
    // The dictionary that came last.
    uint64_t identity; // 0: none.
    uint32_t *entry_numbers;
    arena entry_memory;
} key_numbering;

struct key_numbers {
    uint32_t key_count;
    key_numbering *keys;
    uint64_t text_bytes_left; // Of texts and what finds them: under a small limit there are few.
    arena memory;
};

static bool is_text(const type *self) {
    return type_physical(self) == PHYSICAL_STRING && type_equal_is_bytes(self);
}

bool key_numbers_take(const type *key) {
    const physical layout = type_physical(key);
    // Numbers are counted in int64_t.
    const bool is_number =
        layout == PHYSICAL_BIT || (physical_is_integer(layout) && layout != PHYSICAL_U64);
    return is_number || is_text(key);
}

firn_status key_numbers_open(const type *const *types, uint32_t count, pool *query,
                             key_numbers **out, firn_error *err) {
    arena memory = arena_open_in(query, SIZE_MAX);
    key_numbers *self = ARENA_NEW(&memory, key_numbers, 1);
    key_numbering *keys = ARENA_NEW(&memory, key_numbering, (size_t)count + 1);
    if (self == NULL || keys == NULL) {
        const firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    for (uint32_t i = 0; i < count; i++) {
        keys[i] = (key_numbering){.type = types[i],
                                  .is_text = is_text(types[i]),
                                  .entry_memory = arena_open_in(query, SIZE_MAX)};
    }
    *self = (key_numbers){.key_count = count,
                          .keys = keys,
                          .text_bytes_left = pool_limit(pool_engine(query)) / TEXTS_SHARE,
                          .memory = memory};
    *out = self;
    return FIRN_OK;
}

void key_numbers_close(key_numbers *self) {
    if (self == NULL) {
        return;
    }
    for (uint32_t i = 0; i < self->key_count; i++) {
        arena_close(&self->keys[i].entry_memory);
    }
    arena memory = self->memory; // It lies in there itself.
    arena_close(&memory);
}

// ---- Values -------------------------------------------------------------------------------------

#define WIDEN(NAME, word, c_type)                                                                  \
    case PHYSICAL_##NAME:                                                                          \
        for (uint32_t k = 0; k < count; k++) {                                                     \
            out[k] = (int64_t)((const c_type *)values)[lanes[k]];                                  \
        }                                                                                          \
        break;

void key_widen(physical layout, const void *values, const uint32_t *lanes, uint32_t count,
               int64_t *out) {
    switch ((int)layout) {
        PHYSICAL_INTEGER_LIST(WIDEN)
    case PHYSICAL_BIT:
        for (uint32_t k = 0; k < count; k++) {
            out[k] = bitmap_get(values, lanes[k]);
        }
        break;
    default:
        break;
    }
}
#undef WIDEN

static uint32_t bits_for(uint64_t numbers) { // 0 to numbers - 1.
    return numbers <= 2 ? 1 : 64 - (uint32_t)__builtin_clzll(numbers - 1);
}

// Takes values from `low` to `high` in. False if the range is too wide.
static bool widen_range(key_numbering *self, int64_t low, int64_t high, bool *has_moved) {
    const bool is_new = self->bits == 0;
    if (!is_new && low >= self->low && high <= self->high) {
        return true;
    }
    low = is_new || low < self->low ? low : self->low;
    high = is_new || high > self->high ? high : self->high;
    int64_t range;
    if (__builtin_sub_overflow(high, low, &range) || range >= INT64_C(1) << (BITS_MAX - 2)) {
        return false;
    }
    // Room to grow: each time it is used up, all groups get other numbers.
    const uint32_t needed = bits_for((uint64_t)range + 2);
    const uint32_t bits = needed <= self->bits ? self->bits : needed + (is_new ? 0 : ROOM_BITS);
    *has_moved |= bits != self->bits || low != self->low;
    if (!is_new && low < self->low) { // Grows downwards: what is to spare goes there.
        const int64_t spare = (INT64_C(1) << bits) - 2 - range; // BITS_MAX bits at most.
        low = low < INT64_MIN + spare ? INT64_MIN : low - spare;
    }
    if (low != self->low) {
        self->identity = 0; // Numbers of its entries are others now.
    }
    self->low = low;
    self->high = high;
    self->bits = bits;
    return true;
}

// ---- Text ---------------------------------------------------------------------------------------

static bool grow_texts(key_numbers *self, key_numbering *key) {
    const uint32_t capacity = key->text_capacity == 0 ? SLOTS_MIN / 2 : key->text_capacity * 2;
    string_value *texts = ARENA_NEW(&self->memory, string_value, (size_t)capacity + 1);
    uint64_t *hashes = ARENA_NEW(&self->memory, uint64_t, (size_t)capacity + 1);
    uint32_t *slots = ARENA_NEW(&self->memory, uint32_t, (size_t)capacity * 2);
    if (texts == NULL || hashes == NULL || slots == NULL) {
        return false;
    }
    const uint32_t mask = capacity * 2 - 1;
    memset(slots, 0, (size_t)capacity * 2 * sizeof *slots);
    for (uint32_t number = 1; number <= key->text_count; number++) {
        texts[number] = key->texts[number];
        hashes[number] = key->hashes[number];
        uint32_t slot = (uint32_t)hashes[number] & mask;
        while (slots[slot] != 0) {
            slot = (slot + 1) & mask;
        }
        slots[slot] = number;
    }
    key->texts = texts;
    key->hashes = hashes;
    key->slots = slots;
    key->slot_count = capacity * 2;
    key->text_capacity = capacity;
    return true;
}

// The number of a text; 0 if it is one too many, or too long.
static uint32_t number_of_text(key_numbers *self, key_numbering *key, const string_value *value,
                               bool *has_moved) {
    if (key->text_count == key->text_capacity && !grow_texts(self, key)) {
        return 0;
    }
    const uint64_t hash = hash_bytes(string_data(value), value->size);
    const uint32_t mask = key->slot_count - 1;
    uint32_t slot = (uint32_t)hash & mask;
    for (uint32_t number; (number = key->slots[slot]) != 0; slot = (slot + 1) & mask) {
        if (key->hashes[number] == hash && string_equal(&key->texts[number], value)) {
            return number;
        }
    }
    string_value *copy = &key->texts[key->text_count + 1];
    const uint64_t bytes = value->size + TEXT_FIND_BYTES;
    if (key->text_count == TEXT_MAX || value->size > TEXT_BYTES_MAX ||
        bytes > self->text_bytes_left ||
        !string_new(&self->memory, string_data(value), value->size, copy)) {
        return 0;
    }
    self->text_bytes_left -= bytes;
    key->text_count++;
    key->hashes[key->text_count] = hash;
    key->slots[slot] = key->text_count;
    const uint32_t bits = bits_for((uint64_t)key->text_count + 1);
    *has_moved |= bits > key->bits;
    key->bits = bits > key->bits ? bits : key->bits;
    return key->text_count;
}

// ---- Columns ------------------------------------------------------------------------------------

// A column of the rows to be numbered.
typedef struct numbering_call {
    key_numbers *numbers;
    key_numbering *key;
    const column *values; // As it came.
    const column *flat;   // Its entries, or itself.
    const uint32_t *rows;
    uint32_t count;
    bool has_moved;
    arena *scratch;
} numbering_call;

static bool row_is_null(const numbering_call *self, uint32_t k) {
    return !column_is_valid(self->values, self->rows[k]);
}

// Numbers of all entries of a dictionary. False if there are too many.
static bool number_entries(numbering_call *self) {
    key_numbering *key = self->key;
    const dictionary *entries = self->values->dictionary;
    if (entries->identity != 0 && entries->identity == key->identity) {
        return true;
    }
    arena_reset(&key->entry_memory);
    key->identity = 0;
    key->entry_numbers = ARENA_NEW(&key->entry_memory, uint32_t, (size_t)entries->size + 1);
    if (key->entry_numbers == NULL || entries->size > TEXT_MAX) {
        return false;
    }
    if (key->is_text) {
        const string_value *texts = entries->values->values;
        for (uint32_t i = 0; i < entries->size; i++) {
            key->entry_numbers[i] = number_of_text(self->numbers, key, &texts[i], &self->has_moved);
            if (key->entry_numbers[i] == 0) {
                return false;
            }
        }
        key->identity = entries->identity;
        return true;
    }
    int64_t *wide = ARENA_NEW(self->scratch, int64_t, (size_t)entries->size + 1);
    uint32_t *lanes = ARENA_NEW(self->scratch, uint32_t, (size_t)entries->size + 1);
    if (wide == NULL || lanes == NULL) {
        return false;
    }
    int64_t low = INT64_MAX;
    int64_t high = INT64_MIN;
    for (uint32_t i = 0; i < entries->size; i++) {
        lanes[i] = i;
    }
    key_widen(type_physical(key->type), entries->values->values, lanes, entries->size, wide);
    for (uint32_t i = 0; i < entries->size; i++) {
        low = wide[i] < low ? wide[i] : low;
        high = wide[i] > high ? wide[i] : high;
    }
    if (low <= high && (!widen_range(key, low, high, &self->has_moved) || key->bits > 31)) {
        return false;
    }
    for (uint32_t i = 0; i < entries->size; i++) {
        key->entry_numbers[i] = (uint32_t)(wide[i] - key->low + 1);
    }
    key->identity = entries->identity;
    return true;
}

static bool number_texts(numbering_call *self, int64_t *out) {
    const string_value *texts = self->values->values;
    for (uint32_t k = 0; k < self->count; k++) {
        out[k] = 0;
        if (!row_is_null(self, k)) {
            const uint32_t lane = self->values->form == FORM_CONSTANT ? 0 : self->rows[k];
            out[k] = number_of_text(self->numbers, self->key, &texts[lane], &self->has_moved);
            if (out[k] == 0) {
                return false;
            }
        }
    }
    return true;
}

WRAPS static bool number_integers(numbering_call *self, const uint32_t *lanes, int64_t *out) {
    key_numbering *key = self->key;
    int64_t low = INT64_MAX;
    int64_t high = INT64_MIN;
    key_widen(type_physical(key->type), self->values->values, lanes, self->count, out);
    if (self->values->validity == NULL) {
        for (uint32_t k = 0; k < self->count; k++) {
            low = out[k] < low ? out[k] : low;
            high = out[k] > high ? out[k] : high;
        }
    } else {
        for (uint32_t k = 0; k < self->count; k++) {
            const bool counts = !row_is_null(self, k);
            low = counts && out[k] < low ? out[k] : low;
            high = counts && out[k] > high ? out[k] : high;
        }
    }
    if (low <= high && !widen_range(key, low, high, &self->has_moved)) {
        return false;
    }
    const uint64_t before = (uint64_t)key->low - 1;
    for (uint32_t k = 0; k < self->count; k++) {
        out[k] = (int64_t)((uint64_t)out[k] - before); // Of NULL: anything, it is set below.
    }
    return true;
}

// Numbers of one column's rows. False if there are too many.
static bool number_column(numbering_call *self, bool allows_text, int64_t *out) {
    const column *values = self->values;
    if (values->type->id == TYPE_NULL) {
        memset(out, 0, self->count * sizeof *out);
        return true;
    }
    uint32_t *lanes = ARENA_NEW(self->scratch, uint32_t, (size_t)self->count + 1);
    if (lanes == NULL) {
        return false;
    }
    const uint32_t *codes = values->form == FORM_DICTIONARY ? values->values : NULL;
    for (uint32_t k = 0; k < self->count; k++) {
        lanes[k] = values->form == FORM_CONSTANT ? 0 : self->rows[k];
    }
    if (codes != NULL) {
        if (!number_entries(self)) {
            return false;
        }
        const uint32_t *numbers = self->key->entry_numbers;
        for (uint32_t k = 0; k < self->count; k++) {
            out[k] = numbers[codes[lanes[k]]];
        }
    } else if (self->key->is_text) {
        if (!allows_text || !number_texts(self, out)) {
            return false;
        }
    } else if (!number_integers(self, lanes, out)) {
        return false;
    }
    for (uint32_t k = 0; k < self->count && values->validity != NULL; k++) {
        out[k] = row_is_null(self, k) ? 0 : out[k];
    }
    return true;
}

// Puts the columns side by side. False if they have more bits than a number.
static bool place_columns(key_numbers *self) {
    uint32_t at = 0;
    for (uint32_t left = self->key_count; left > 0; left--) {
        self->keys[left - 1].shift = at;
        at += self->keys[left - 1].bits;
    }
    return at <= BITS_MAX;
}

firn_status key_numbers_of(key_numbers *self, const key_rows *in, int64_t *out, key_answer *answer,
                           arena *scratch, firn_error *err) {
    const uint32_t count = in->count;
    uint32_t *numbers = ARENA_NEW(scratch, uint32_t, (size_t)count + 1);
    int64_t *part = ARENA_NEW(scratch, int64_t, (size_t)count + 1);
    if (numbers == NULL || part == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t k = 0; k < count; k++) {
        numbers[k] = in->rows == NULL ? k : in->rows[k];
    }
    memset(out, 0, count * sizeof *out);
    *answer = KEYS_NUMBERED;
    for (uint32_t i = 0; i < self->key_count; i++) {
        key_numbering *key = &self->keys[i];
        numbering_call call = {.numbers = self,
                               .key = key,
                               .values = &in->columns[i],
                               .rows = numbers,
                               .count = count,
                               .scratch = scratch};
        if (!number_column(&call, in->allows_text, part)) {
            *answer = KEYS_TOO_MANY;
            return FIRN_OK;
        }
        *answer = call.has_moved ? KEYS_MOVED : *answer;
        for (uint32_t k = 0; k < count && *answer == KEYS_NUMBERED; k++) {
            out[k] |= part[k] << key->shift;
        }
    }
    if (*answer == KEYS_MOVED && !place_columns(self)) {
        *answer = KEYS_TOO_MANY;
    }
    return FIRN_OK;
}
