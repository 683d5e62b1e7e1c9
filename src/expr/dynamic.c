#include "expr/dynamic.h"

#include "kernels/bits.h"
#include "kernels/compare.h"
#include "kernels/hash_column.h"

// ---- Rows ------------------------------------------------------------------------------------

// A filter being applied: `rows` shrinks.
typedef struct selecting {
    const dynamic_content *content;
    uint16_t *rows;
    uint32_t count;
    arena *scratch;
} selecting;

static bool row_is_null(const column *key, uint32_t row) {
    return key->validity != NULL && !bitmap_get(key->validity, row);
}

// Keeps the rows whose bit is set; where `by_code`, that of their dictionary entry. NULLs stay.
static void keep_bits(selecting *self, const column *key, const uint64_t *bits, bool by_code) {
    const uint32_t *codes = key->values;
    uint32_t kept = 0;
    for (uint32_t k = 0; k < self->count; k++) {
        const uint16_t row = self->rows[k];
        const bool passes = row_is_null(key, row) || bitmap_get(bits, by_code ? codes[row] : row);
        self->rows[kept] = row;
        kept += passes ? 1 : 0;
    }
    self->count = kept;
}

// The one column of values behind a key: its own, or its dictionary's entries.
static const column *values_of(const column *key) {
    return key->form == FORM_DICTIONARY ? key->dictionary->values : key;
}

// Keeps rows with `key op bound`.
static void keep_bound(selecting *self, const column *key, compare_op op, const column *bound) {
    const bool by_code = key->form == FORM_DICTIONARY;
    const column *values = values_of(key);
    column constant = *bound;
    constant.form = FORM_CONSTANT;
    constant.validity = NULL;
    constant.length = values->length;
    const size_t words = BITMAP_WORDS(values->length);
    uint64_t *bits = ARENA_NEW(self->scratch, uint64_t, words + 1);
    if (bits == NULL) {
        return;
    }
    const uint16_t *rows = by_code ? NULL : self->rows;
    if (compare_columns(values, &constant, op, rows, self->count, self->scratch, bits)) {
        keep_bits(self, key, bits, by_code);
    }
}

#define INTEGER_CASE(NAME, c_type)                                                                 \
    case PHYSICAL_##NAME:                                                                          \
        *out = (int64_t)COLUMN_VALUES(values, c_type)[lane];                                       \
        return true;

// A value as a 64-bit integer; false if its type has none or it does not fit.
static bool integer_at(const column *values, uint32_t lane, int64_t *out) {
    switch ((int)type_physical(values->type)) {
        INTEGER_CASE(I8, int8_t)
        INTEGER_CASE(I16, int16_t)
        INTEGER_CASE(I32, int32_t)
        INTEGER_CASE(I64, int64_t)
        INTEGER_CASE(U8, uint8_t)
        INTEGER_CASE(U16, uint16_t)
        INTEGER_CASE(U32, uint32_t)
    case PHYSICAL_U64: {
        const uint64_t value = COLUMN_VALUES(values, uint64_t)[lane];
        *out = (int64_t)value;
        return value <= INT64_MAX;
    }
    default:
        return false;
    }
}

WRAPS static bool bitmap_has(const dynamic_content *self, int64_t value) {
    const uint64_t bit = (uint64_t)value - (uint64_t)self->bitmap_first;
    return bit < self->bitmap_bits && bitmap_get(self->bitmap, bit);
}

static void keep_in_bitmap(selecting *self, const column *key) {
    const uint32_t *codes = key->form == FORM_DICTIONARY ? key->values : NULL;
    const column *values = values_of(key);
    uint32_t kept = 0;
    for (uint32_t k = 0; k < self->count; k++) {
        const uint16_t row = self->rows[k];
        int64_t value = 0;
        const bool passes = row_is_null(key, row) ||
                            !integer_at(values, codes == NULL ? row : codes[row], &value) ||
                            bitmap_has(self->content, value);
        self->rows[kept] = row;
        kept += passes ? 1 : 0;
    }
    self->count = kept;
}

static bool any_is_null(const column *const *keys, uint32_t count, uint32_t row) {
    for (uint32_t i = 0; i < count; i++) {
        if (!column_is_valid(keys[i], row)) {
            return true;
        }
    }
    return false;
}

static void keep_in_bloom(selecting *self, const column *const *keys) {
    const dynamic_content *content = self->content;
    uint64_t *hashes = ARENA_NEW(self->scratch, uint64_t, self->count + 1);
    if (hashes == NULL) {
        return;
    }
    for (uint32_t i = 0; i < content->key_count; i++) {
        if (!hash_column(keys[i], self->rows, self->count, i > 0, self->scratch, hashes)) {
            return;
        }
    }
    uint32_t kept = 0;
    for (uint32_t k = 0; k < self->count; k++) {
        const uint64_t bits = dynamic_bloom_bits(hashes[k]);
        const uint64_t word = content->bloom[dynamic_bloom_block(hashes[k], content->bloom_blocks)];
        const bool passes =
            (word & bits) == bits ||
            (content->passes_null && any_is_null(keys, content->key_count, self->rows[k]));
        self->rows[kept] = self->rows[k];
        kept += passes ? 1 : 0;
    }
    self->count = kept;
}

// Rows with a NULL key go, unless they pass.
static void drop_nulls(selecting *self, const column *const *keys) {
    for (uint32_t i = 0; i < self->content->key_count; i++) {
        if (keys[i]->validity != NULL && keys[i]->form != FORM_CONSTANT) {
            self->count =
                bits_filter_rows(keys[i]->validity, true, self->rows, self->count, self->rows);
        } else if (self->count > 0 && !column_is_valid(keys[i], 0)) {
            self->count = 0;
        }
    }
}

// All rows have the same key: it is tested once.
static void keep_constant(selecting *self, const column *key, uint32_t index) {
    const dynamic_content *content = self->content;
    if (self->count == 0 || !column_is_valid(key, 0)) {
        return;
    }
    const column *low = content->minimum == NULL ? NULL : content->minimum[index];
    const column *high = content->maximum == NULL ? NULL : content->maximum[index];
    int64_t value;
    const bool fails = (low != NULL && column_compare_rows(key, 0, low, 0) < 0) ||
                       (high != NULL && column_compare_rows(key, 0, high, 0) > 0) ||
                       (content->bitmap != NULL && index == 0 && integer_at(key, 0, &value) &&
                        !bitmap_has(content, value));
    if (fails) {
        self->count = 0;
    }
}

uint32_t dynamic_select(const dynamic_content *self, const column *const *keys,
                        const uint16_t *rows, uint32_t count, arena *scratch, uint16_t *out) {
    if (self->is_empty) {
        return 0;
    }
    for (uint32_t k = 0; k < count; k++) {
        out[k] = rows == NULL ? (uint16_t)k : rows[k];
    }
    selecting state = {.content = self, .rows = out, .count = count, .scratch = scratch};
    if (!self->passes_null) {
        drop_nulls(&state, keys);
    }
    for (uint32_t i = 0; i < self->key_count; i++) {
        if (keys[i]->form == FORM_CONSTANT || keys[i]->type->id == TYPE_NULL) {
            keep_constant(&state, keys[i], i);
            continue;
        }
        if (self->minimum != NULL && self->minimum[i] != NULL) {
            keep_bound(&state, keys[i], COMPARE_GE, self->minimum[i]);
        }
        if (self->maximum != NULL && self->maximum[i] != NULL) {
            keep_bound(&state, keys[i], COMPARE_LE, self->maximum[i]);
        }
        if (self->bitmap != NULL && i == 0) {
            keep_in_bitmap(&state, keys[i]);
        }
    }
    if (self->bitmap == NULL && self->bloom != NULL && state.count > 0) {
        keep_in_bloom(&state, keys);
    }
    return state.count;
}

// ---- Units -----------------------------------------------------------------------------------

static bool may_have_nan(const column_facts *facts, const type *of) {
    return type_category_of(of) == CATEGORY_FLOAT &&
           !(facts->nan_count.is_known && facts->nan_count.value == 0);
}

// Is no bit set for any value from `low` to `high`?
WRAPS static bool bitmap_misses(const dynamic_content *self, int64_t low, int64_t high) {
    if (high < self->bitmap_first || low > high) {
        return true;
    }
    const uint64_t first = (uint64_t)self->bitmap_first;
    const uint64_t from = low <= self->bitmap_first ? 0 : (uint64_t)low - first;
    const uint64_t last = (uint64_t)high - first; // One more may be no number.
    const uint64_t end = last < self->bitmap_bits ? last + 1 : self->bitmap_bits;
    uint64_t bit = from;
    while (bit < end) {
        if (bit % 64 == 0 && self->bitmap[bit / 64] == 0) {
            bit += 64; // A word without bits.
        } else if (bitmap_get(self->bitmap, bit)) {
            return false;
        } else {
            bit++;
        }
    }
    return true;
}

// Do the bounds of a unit rule out every value that the filter lets through?
static bool bounds_miss(const dynamic_content *self, uint32_t index, const column_facts *facts) {
    const column *low = self->minimum == NULL ? NULL : self->minimum[index];
    const column *high = self->maximum == NULL ? NULL : self->maximum[index];
    const bool has_nan = facts->maximum != NULL && may_have_nan(facts, facts->maximum->type);
    if (low != NULL && facts->maximum != NULL && !has_nan &&
        type_same_values(low->type, facts->maximum->type) &&
        column_compare_rows(facts->maximum, 0, low, 0) < 0) {
        return true;
    }
    if (high != NULL && facts->minimum != NULL &&
        type_same_values(high->type, facts->minimum->type) &&
        column_compare_rows(facts->minimum, 0, high, 0) > 0) {
        return true; // NaN is above `high` too.
    }
    int64_t first;
    int64_t last;
    return self->bitmap != NULL && index == 0 && facts->minimum != NULL && facts->maximum != NULL &&
           integer_at(facts->minimum, 0, &first) && integer_at(facts->maximum, 0, &last) &&
           bitmap_misses(self, first, last);
}

verdict dynamic_evaluate(const dynamic_content *self, const column_facts *const *keys) {
    if (self->is_empty) {
        return VERDICT_NEVER;
    }
    for (uint32_t i = 0; i < self->key_count; i++) {
        if (keys[i] == NULL) {
            continue;
        }
        const bool nulls_pass = self->passes_null && keys[i]->may_have_null;
        if (!nulls_pass && bounds_miss(self, i, keys[i])) {
            return VERDICT_NEVER;
        }
    }
    return VERDICT_MAYBE;
}
