#include "column/column.h"

#include <stdatomic.h>

#include "base/checked.h"

// One word of zeros: the validity of constants that are NULL, of any length.
static const uint64_t no_bits[1] = {0};

uint64_t dictionary_identity_new(void) {
    static atomic_uint_fast64_t last = 0; // Only counts: nothing else is ordered by it.
    return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

size_t bitmap_count(const uint64_t *bitmap, size_t bits) {
    size_t count = 0;
    for (size_t word = 0; word < bits / 64; word++) {
        count += (size_t)__builtin_popcountll(bitmap[word]);
    }
    if (bits % 64 != 0) {
        const uint64_t mask = (UINT64_C(1) << (bits % 64)) - 1;
        count += (size_t)__builtin_popcountll(bitmap[bits / 64] & mask);
    }
    return count;
}

WRAPS void bitmap_copy(const uint64_t *source, size_t from, size_t bits, uint64_t *out) {
    const size_t shift = from % 64;
    const uint64_t *in = source + from / 64;
    const size_t in_words = BITMAP_WORDS(shift + bits);
    for (size_t word = 0; word < BITMAP_WORDS(bits); word++) {
        uint64_t value = in[word] >> shift;
        if (shift > 0 && word + 1 < in_words) {
            value |= in[word + 1] << (64 - shift);
        }
        out[word] = value;
    }
}

bool column_is_valid(const column *self, uint32_t row) {
    if (self->type->id == TYPE_NULL) {
        return false;
    }
    if (self->validity == NULL) {
        return true;
    }
    switch (self->form) {
    case FORM_FLAT:
    case FORM_DICTIONARY:
        return bitmap_get(self->validity, row);
    case FORM_CONSTANT:
        return bitmap_get(self->validity, 0);
    case FORM_RUNS:
        return bitmap_get(self->validity, column_lane(self, row));
    }
    return false;
}

// The run that `row` is in: the first whose end is above it.
static uint32_t run_of(const column *self, uint32_t row) {
    uint32_t low = 0;
    uint32_t high = self->run_count - 1;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (self->run_ends[middle] > row) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

uint32_t column_lane(const column *self, uint32_t row) {
    assert(row < self->length);
    switch (self->form) {
    case FORM_FLAT:
        return row;
    case FORM_CONSTANT:
        return 0;
    case FORM_DICTIONARY:
        return ((const uint32_t *)self->values)[row];
    case FORM_RUNS:
        return run_of(self, row);
    }
    return 0;
}

int64_t column_lane_integer(const column *self, uint32_t lane) {
    switch ((int)type_physical(self->type)) {
    case PHYSICAL_I8:
        return (int64_t)((const int8_t *)self->values)[lane];
    case PHYSICAL_I16:
        return ((const int16_t *)self->values)[lane];
    case PHYSICAL_I32:
        return ((const int32_t *)self->values)[lane];
    case PHYSICAL_U8:
        return ((const uint8_t *)self->values)[lane];
    case PHYSICAL_U16:
        return ((const uint16_t *)self->values)[lane];
    case PHYSICAL_U32:
        return ((const uint32_t *)self->values)[lane];
    default:
        assert(physical_is_integer(type_physical(self->type)));
        return ((const int64_t *)self->values)[lane];
    }
}

// Bytes that `length` values of a physical type take; 0 where children carry them.
static bool values_size(physical kind, uint32_t length, size_t *out) {
    if (kind == PHYSICAL_BIT) {
        *out = BITMAP_WORDS(length) * sizeof(uint64_t);
        return true;
    }
    return mul_fits(length, physical_size(kind), out);
}

firn_status column_new_unset(arena *memory, const type *type, uint32_t length, column *out,
                             firn_error *err) {
    *out = (column){.type = type, .form = FORM_FLAT, .length = length};
    const physical kind = type_physical(type);
    size_t size;
    if (!values_size(kind, length, &size)) {
        return FAIL(err, FIRN_INTERNAL, "a column of %u rows", length);
    }
    if (size > 0) {
        uint8_t *values = arena_alloc(memory, size, 1);
        if (values == NULL) {
            return ARENA_FULL(memory, err);
        }
        out->values = values;
    }
    if (type->id == TYPE_NULL) {
        return column_new_null(memory, type, length, out, err);
    }
    return FIRN_OK;
}

size_t column_values_size(const column *self) {
    size_t size;
    const bool fits = values_size(type_physical(self->type), self->length, &size);
    assert(fits); // It was allocated.
    return fits ? size : 0;
}

void column_clear(column *self) {
    const physical kind = type_physical(self->type);
    const size_t size = column_values_size(self);
    if ((kind == PHYSICAL_STRING || kind == PHYSICAL_LIST || kind == PHYSICAL_BIT) && size > 0) {
        memset(COLUMN_OUT(self, uint8_t), 0, size);
    }
}

firn_status column_new(arena *memory, const type *type, uint32_t length, column *out,
                       firn_error *err) {
    TRY(column_new_unset(memory, type, length, out, err));
    column_clear(out);
    return FIRN_OK;
}

bool string_new(arena *memory, const char *data, size_t size, string_value *out) {
    if (size > STRING_INLINE_MAX) {
        char *copy = size > UINT32_MAX ? NULL : ARENA_NEW(memory, char, size);
        if (copy == NULL || !cancel_copy(memory->cancel, copy, data, size)) {
            return false;
        }
        data = copy;
    }
    *out = string_of(data, (uint32_t)size);
    return true;
}

uint64_t *column_validity_out(arena *memory, column *self) {
    if (self->validity == NULL) {
        const size_t words = self->form == FORM_CONSTANT ? 1 : BITMAP_WORDS(self->length);
        uint64_t *bits = ARENA_NEW(memory, uint64_t, words == 0 ? 1 : words);
        if (bits == NULL) {
            return NULL;
        }
        memset(bits, 0xff, words * sizeof *bits);
        self->validity = bits;
    }
    return (uint64_t *)(uintptr_t)self->validity;
}

bool column_set_null(arena *memory, column *self, uint32_t row) {
    uint64_t *bits = column_validity_out(memory, self);
    if (bits == NULL) {
        return false;
    }
    bitmap_clear(bits, row);
    return true;
}

// One initialised value (all bytes zero) of a type, children included, for NULL constants. Inside a
// list there are no rows, and so none in the structs there.
static firn_status new_zero(arena *memory, const type *type, uint32_t rows, column *out,
                            firn_error *err) {
    const size_t size = physical_size(type_physical(type));
    uint64_t *value = ARENA_NEW(memory, uint64_t, size / sizeof(uint64_t) + 1);
    if (value == NULL) {
        return ARENA_FULL(memory, err);
    }
    memset(value, 0, size + sizeof(uint64_t) - size % sizeof(uint64_t));
    out->values = value;
    if (type->child_count > 0) {
        column *children = ARENA_NEW(memory, column, type->child_count);
        if (children == NULL) {
            return ARENA_FULL(memory, err);
        }
        for (uint32_t i = 0; i < type->child_count; i++) {
            const uint32_t child_rows = type->id == TYPE_STRUCT ? rows : 0;
            children[i] = (column){.type = type->children[i].type,
                                   .form = FORM_FLAT,
                                   .length = child_rows,
                                   .validity = no_bits};
            TRY(new_zero(memory, children[i].type, child_rows, &children[i], err));
        }
        out->children = children;
    }
    return FIRN_OK;
}

firn_status column_new_null(arena *memory, const type *type, uint32_t length, column *out,
                            firn_error *err) {
    *out = (column){.type = type, .form = FORM_CONSTANT, .length = length, .validity = no_bits};
    return new_zero(memory, type, 1, out, err);
}

firn_status column_slice(arena *memory, const column *self, uint32_t from, uint32_t count,
                         column *out, firn_error *err) {
    assert(from <= self->length && count <= self->length - from);
    *out = *self;
    out->length = count;
    if (self->form == FORM_CONSTANT || (from == 0 && self->form != FORM_RUNS)) {
        return FIRN_OK;
    }
    const physical kind = type_physical(self->type);
    const bool is_bits = kind == PHYSICAL_BIT && self->form == FORM_FLAT;
    if (self->form == FORM_RUNS || kind == PHYSICAL_STRUCT || (is_bits && from % 64 != 0)) {
        uint32_t *rows = ARENA_NEW(memory, uint32_t, count == 0 ? 1 : count);
        if (rows == NULL) {
            return ARENA_FULL(memory, err);
        }
        for (uint32_t i = 0; i < count; i++) {
            rows[i] = from + i;
        }
        return column_take(memory, self, rows, count, out, err);
    }
    const size_t size = self->form == FORM_DICTIONARY ? sizeof(uint32_t) : physical_size(kind);
    const size_t skipped = is_bits ? from / 64 * sizeof(uint64_t) : size * from;
    out->values = self->values == NULL ? NULL : (const uint8_t *)self->values + skipped;
    if (self->validity != NULL && from % 64 == 0) {
        out->validity = self->validity + from / 64;
    } else if (self->validity != NULL) {
        uint64_t *bits = ARENA_NEW(memory, uint64_t, BITMAP_WORDS(count) + 1);
        if (bits == NULL) {
            return ARENA_FULL(memory, err);
        }
        bitmap_copy(self->validity, from, count, bits);
        out->validity = bits;
    }
    return FIRN_OK;
}
