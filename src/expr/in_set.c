#include "expr/in_set.h"

#include "base/compiler.h"
#include "base/hash.h"
#include "kernels/bits.h"
#include "kernels/compare.h"
#include "kernels/hash_column.h"

#define FEW_VALUES 4                        // Compared one by one.
#define BITMAP_BITS_MAX (UINT64_C(1) << 16) // 8 KiB stay in cache.
#define EMPTY UINT32_MAX

struct in_set {
    const column *values;
    physical layout;
    bool is_integer; ///< Values fit 64 bits; keys are sign-extended.
    // Integers of a small range: bit key - first.
    const uint64_t *bitmap;
    uint64_t first;
    uint64_t bitmap_bits;
    // Else rows of `values` by hash; linear probing, at most half full.
    const uint32_t *slots;
    uint32_t slot_mask;
    const uint64_t *slot_keys; ///< Integers: the key of a slot; an empty one has the key `no_key`.
    uint64_t no_key;           ///< A number that is not in the set.
    column *singles;           ///< Few values: a constant each.
};

// ---- Integers as 64-bit keys -----------------------------------------------------------------

static bool is_integer_layout(physical layout) {
    return layout >= PHYSICAL_I8 && layout <= PHYSICAL_U64;
}

#define WIDEN(NAME, c_type)                                                                        \
    case PHYSICAL_##NAME:                                                                          \
        for (uint32_t k = 0; k < count; k++) {                                                     \
            out[k] = (uint64_t)(int64_t)((const c_type *)values)[rows == NULL ? k : rows[k]];      \
        }                                                                                          \
        break;

static void widen_keys(physical layout, const void *values, const uint16_t *rows, uint32_t count,
                       uint64_t *out) {
    switch ((int)layout) {
        WIDEN(I8, int8_t)
        WIDEN(I16, int16_t)
        WIDEN(I32, int32_t)
        WIDEN(I64, int64_t)
        WIDEN(U8, uint8_t)
        WIDEN(U16, uint16_t)
        WIDEN(U32, uint32_t)
        WIDEN(U64, uint64_t)
    default:
        assert(false);
    }
}

// The smallest key as a signed number, and how far the greatest is from it.
WRAPS static uint64_t range_of(const uint64_t *keys, uint32_t count, uint64_t *first) {
    int64_t low = (int64_t)keys[0];
    int64_t high = low;
    for (uint32_t i = 1; i < count; i++) {
        const int64_t key = (int64_t)keys[i];
        low = key < low ? key : low;
        high = key > high ? key : high;
    }
    *first = (uint64_t)low;
    return (uint64_t)high - (uint64_t)low;
}

WRAPS static uint64_t offset_of(uint64_t key, uint64_t first) {
    return key - first;
}

static firn_status build_bitmap(arena *memory, in_set *self, const uint64_t *keys, uint64_t range,
                                firn_error *err) {
    uint64_t *bits = ARENA_NEW(memory, uint64_t, BITMAP_WORDS(range + 1));
    if (bits == NULL) {
        return ARENA_FULL(memory, err);
    }
    memset(bits, 0, BITMAP_WORDS(range + 1) * sizeof *bits);
    for (uint32_t i = 0; i < self->values->length; i++) {
        bitmap_set(bits, offset_of(keys[i], self->first));
    }
    self->bitmap = bits;
    self->bitmap_bits = range + 1;
    return FIRN_OK;
}

// ---- Hash table ------------------------------------------------------------------------------

static bool rows_are_equal(const in_set *self, uint32_t own, const column *arg, uint32_t row) {
    if (self->layout == PHYSICAL_STRING && arg->form != FORM_DICTIONARY && arg->form != FORM_RUNS) {
        return string_equal(&COLUMN_VALUES(self->values, string_value)[own],
                            &COLUMN_VALUES(arg, string_value)[row & column_mask(arg)]);
    }
    return column_rows_equal(self->values, own, arg, row);
}

static uint32_t find_slot(const in_set *self, const column *arg, uint32_t row, uint64_t hash) {
    uint32_t slot = (uint32_t)hash & self->slot_mask;
    while (self->slots[slot] != EMPTY && !rows_are_equal(self, self->slots[slot], arg, row)) {
        slot = (slot + 1) & self->slot_mask;
    }
    return slot;
}

static firn_status build_table(arena *memory, in_set *self, firn_error *err) {
    const uint32_t count = self->values->length;
    size_t size = 8;
    while (size < (size_t)count * 2) {
        size *= 2;
    }
    uint32_t *slots = ARENA_NEW(memory, uint32_t, size);
    if (slots == NULL) {
        return ARENA_FULL(memory, err);
    }
    memset(slots, 0xff, size * sizeof *slots);
    self->slots = slots;
    self->slot_mask = (uint32_t)(size - 1);
    for (uint32_t i = 0; i < count; i++) {
        slots[find_slot(self, self->values, i, column_hash_row(self->values, i))] = i;
    }
    return FIRN_OK;
}

// A second table for integers, of the keys themselves.
static firn_status build_keys(arena *memory, in_set *self, const uint64_t *keys, firn_error *err) {
    uint64_t *slot_keys = ARENA_NEW(memory, uint64_t, (size_t)self->slot_mask + 1);
    if (slot_keys == NULL) {
        return ARENA_FULL(memory, err);
    }
    column candidate = {.type = self->values->type, .form = FORM_FLAT, .length = 1};
    int64_t value = 0; // The first number from 0 that is not there: at most as many as there are.
    candidate.values = &value;
    while (in_set_has(self, &candidate, 0)) {
        value++;
    }
    self->no_key = (uint64_t)value;
    for (uint32_t slot = 0; slot <= self->slot_mask; slot++) {
        const uint32_t row = self->slots[slot];
        slot_keys[slot] = row == EMPTY ? self->no_key : keys[row];
    }
    self->slot_keys = slot_keys;
    return FIRN_OK;
}

static firn_status build_singles(arena *memory, in_set *self, firn_error *err) {
    self->singles = ARENA_NEW(memory, column, self->values->length);
    if (self->singles == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < self->values->length; i++) {
        TRY(column_take(memory, self->values, &i, 1, &self->singles[i], err));
        self->singles[i].form = FORM_CONSTANT;
    }
    return FIRN_OK;
}

firn_status in_set_build(arena *memory, const column *values, const in_set **out, firn_error *err) {
    in_set *self = ARENA_NEW(memory, in_set, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (in_set){.values = values, .layout = type_physical(values->type)};
    self->is_integer = is_integer_layout(self->layout);
    *out = self;
    if (values->length == 0) {
        return FIRN_OK;
    }
    TRY(build_table(memory, self, err));
    if (values->length <= FEW_VALUES) {
        return build_singles(memory, self, err);
    }
    if (self->is_integer) {
        uint64_t *keys = ARENA_NEW(memory, uint64_t, values->length);
        if (keys == NULL) {
            return ARENA_FULL(memory, err);
        }
        widen_keys(self->layout, values->values, NULL, values->length, keys);
        const uint64_t range = range_of(keys, values->length, &self->first);
        return range < BITMAP_BITS_MAX ? build_bitmap(memory, self, keys, range, err)
                                       : build_keys(memory, self, keys, err);
    }
    return FIRN_OK;
}

// ---- Look-up ---------------------------------------------------------------------------------

static bool find_few(const in_set *self, const column *arg, const uint16_t *rows, uint32_t count,
                     uint32_t length, arena *scratch, uint64_t *out) {
    uint64_t *one = ARENA_NEW(scratch, uint64_t, BITMAP_WORDS(length) + 1);
    if (one == NULL) {
        return false;
    }
    bits_clear(out, length);
    for (uint32_t i = 0; i < self->values->length; i++) {
        column constant = self->singles[i];
        constant.length = length;
        if (!compare_columns(arg, &constant, COMPARE_EQ, rows, count, scratch, one)) {
            return false;
        }
        bits_or(out, one, length, out);
    }
    return true;
}

// One byte a visit to one bit a row.
static void put_found(const uint8_t *found, const uint16_t *rows, uint32_t count, uint64_t *out) {
    for (uint32_t k = 0; rows != NULL && k < count; k++) {
        out[rows[k] / 64] |= (uint64_t)found[k] << (rows[k] % 64);
    }
    for (uint32_t first = 0; rows == NULL && first < count; first += 64) {
        const uint32_t end = count - first < 64 ? count - first : 64;
        uint64_t word = 0;
        for (uint32_t i = 0; i < end; i++) {
            word |= (uint64_t)found[first + i] << i;
        }
        out[first / 64] = word;
    }
}

static bool find_in_bitmap(const in_set *self, const column *arg, const uint16_t *rows,
                           uint32_t count, arena *scratch, uint64_t *out) {
    uint64_t *keys = ARENA_NEW(scratch, uint64_t, count + 1);
    if (keys == NULL) {
        return false;
    }
    widen_keys(self->layout, arg->values, rows, count, keys);
    uint8_t *found = ARENA_NEW(scratch, uint8_t, count + 1);
    if (found == NULL) {
        return false;
    }
    // Without a branch: a key outside of the range looks at bit 0 and is masked.
    for (uint32_t k = 0; k < count; k++) {
        const uint64_t offset = offset_of(keys[k], self->first);
        const bool is_inside = offset < self->bitmap_bits;
        const uint64_t bit = is_inside ? offset : 0;
        found[k] = (uint8_t)(self->bitmap[bit / 64] >> (bit % 64) & (is_inside ? 1 : 0));
    }
    put_found(found, rows, count, out);
    return true;
}

// Integers by their own table: the hash is column_hash_row's.
static bool find_keys(const in_set *self, const column *arg, const uint16_t *rows, uint32_t count,
                      arena *scratch, uint64_t *out) {
    uint64_t *keys = ARENA_NEW(scratch, uint64_t, count + 1);
    uint8_t *found = ARENA_NEW(scratch, uint8_t, count + 1);
    if (keys == NULL || found == NULL) {
        return false;
    }
    widen_keys(self->layout, arg->values, rows, count, keys);
    const uint64_t *slot_keys = self->slot_keys;
    const uint32_t mask = self->slot_mask;
    for (uint32_t k = 0; k < count; k++) {
        const uint64_t key = keys[k];
        uint32_t slot = (uint32_t)hash_u64(key) & mask;
        while (slot_keys[slot] != key && slot_keys[slot] != self->no_key) {
            slot = (slot + 1) & mask;
        }
        found[k] = (uint8_t)(slot_keys[slot] == key && key != self->no_key);
    }
    put_found(found, rows, count, out);
    return true;
}

static bool find_by_hash(const in_set *self, const column *arg, const uint16_t *rows,
                         uint32_t count, arena *scratch, uint64_t *out) {
    uint64_t *hashes = ARENA_NEW(scratch, uint64_t, count + 1);
    column values = *arg;
    values.validity = NULL; // Also lanes of NULLs have a value that can be hashed.
    if (hashes == NULL || !hash_column(&values, rows, count, false, scratch, hashes)) {
        return false;
    }
    for (uint32_t k = 0; k < count; k++) {
        const uint32_t row = rows == NULL ? k : rows[k];
        if (self->slots[find_slot(self, &values, row, hashes[k])] != EMPTY) {
            bitmap_set(out, row);
        }
    }
    return true;
}

bool in_set_find(const in_set *self, const column *arg, const uint16_t *rows, uint32_t count,
                 uint32_t length, arena *scratch, uint64_t *out) {
    if (rows == NULL) {
        count = length;
    }
    if (self->singles != NULL) {
        return find_few(self, arg, rows, count, length, scratch, out);
    }
    bits_clear(out, length);
    if (self->values->length == 0) {
        return true;
    }
    if (self->bitmap != NULL) {
        return find_in_bitmap(self, arg, rows, count, scratch, out);
    }
    return self->slot_keys != NULL ? find_keys(self, arg, rows, count, scratch, out)
                                   : find_by_hash(self, arg, rows, count, scratch, out);
}

bool in_set_has(const in_set *self, const column *arg, uint32_t row) {
    if (self->values->length == 0 || !column_is_valid(arg, row)) {
        return false;
    }
    return self->slots[find_slot(self, arg, row, column_hash_row(arg, row))] != EMPTY;
}

const column *in_set_values(const in_set *self) {
    return self->values;
}
