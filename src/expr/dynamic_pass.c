// A dynamic filter on one key: a dictionary's entries are asked for once for all its rows;
// integers, the usual case, by lanes where most rows are asked for and by a list where few are.
#include "expr/dynamic.h"
#include "kernels/compare.h"
#include "kernels/gather.h"
#include "kernels/hash_column.h"

#define HASHES_AT_ONCE 1024 // A multiple of 64.

// Types whose values the loops below know.
static bool is_integer(const column *values) {
    const physical layout = type_physical(values->type);
    return (layout == PHYSICAL_I32 || layout == PHYSICAL_I64) &&
           type_category_of(values->type) != CATEGORY_DECIMAL;
}

// The loops below, for one of the two ways to look a value up and one type of value.
typedef struct lookup {
    const dynamic_content *content;
    const column *key; // FLAT.
    const uint16_t *rows;
    uint32_t count;
    const uint64_t *hashes; // By place in `rows`; only for bloom filters.
    uint64_t *out;
} lookup;

// ---- Bitmaps ---------------------------------------------------------------------------------

WRAPS static inline uint64_t bitmap_bit(const dynamic_content *self, int64_t value) {
    const uint64_t bit = (uint64_t)value - (uint64_t)self->bitmap_first;
    const bool is_inside = bit < self->bitmap_bits;
    const uint64_t at = is_inside ? bit : 0;
    return (self->bitmap[at / 64] >> (at % 64) & 1) & (is_inside ? 1 : 0);
}

#define BITMAP_LOOPS(name, c_type)                                                                 \
    static void bitmap_lanes_##name(const lookup *self) {                                          \
        const c_type *in = self->key->values;                                                      \
        for (uint32_t first = 0; first < self->count; first += 64) {                               \
            const uint32_t lanes = self->count - first < 64 ? self->count - first : 64;            \
            uint64_t word = 0;                                                                     \
            for (uint32_t i = 0; i < lanes; i++) {                                                 \
                word |= bitmap_bit(self->content, in[first + i]) << i;                             \
            }                                                                                      \
            self->out[first / 64] = word;                                                          \
        }                                                                                          \
    }                                                                                              \
    static void bitmap_rows_##name(const lookup *self) {                                           \
        const c_type *in = self->key->values;                                                      \
        for (uint32_t k = 0; k < self->count; k++) {                                               \
            const uint16_t row = self->rows[k];                                                    \
            self->out[row / 64] |= bitmap_bit(self->content, in[row]) << (row % 64);               \
        }                                                                                          \
    }

BITMAP_LOOPS(i32, int32_t)
BITMAP_LOOPS(i64, int64_t)

// ---- Bloom filters ---------------------------------------------------------------------------

static inline uint64_t bloom_bit(const dynamic_content *self, uint64_t hash) {
    const uint64_t bits = dynamic_bloom_bits(hash);
    return (self->bloom[dynamic_bloom_block(hash, self->bloom_blocks)] & bits) == bits ? 1 : 0;
}

static void bloom_lanes(const lookup *self) {
    for (uint32_t first = 0; first < self->count; first += 64) {
        const uint32_t lanes = self->count - first < 64 ? self->count - first : 64;
        uint64_t word = 0;
        for (uint32_t i = 0; i < lanes; i++) {
            word |= bloom_bit(self->content, self->hashes[first + i]) << i;
        }
        self->out[first / 64] = word;
    }
}

static void bloom_rows(const lookup *self) {
    for (uint32_t k = 0; k < self->count; k++) {
        const uint16_t row = self->rows[k];
        self->out[row / 64] |= bloom_bit(self->content, self->hashes[k]) << (row % 64);
    }
}

// Hashes of a part of the rows at a time: they stay in the cache, however long a dictionary is.
static bool look_up_hashes(const lookup *self, arena *scratch) {
    const uint16_t *rows = self->rows;
    const uint32_t width = physical_size(type_physical(self->key->type));
    uint64_t hashes[HASHES_AT_ONCE];
    for (uint32_t first = 0; first < self->count; first += HASHES_AT_ONCE) {
        const uint32_t left = self->count - first;
        lookup part = *self;
        column lanes = *self->key;
        lanes.validity = NULL;
        part.count = left < HASHES_AT_ONCE ? left : HASHES_AT_ONCE;
        part.hashes = hashes;
        if (rows == NULL) {
            lanes.values = (const uint8_t *)self->key->values + (size_t)first * width;
            lanes.length = part.count;
            part.out = self->out + first / 64;
        } else {
            part.rows = rows + first;
        }
        if (!hash_column(&lanes, part.rows, part.count, false, scratch, hashes)) {
            return false;
        }
        (rows == NULL ? bloom_lanes : bloom_rows)(&part);
    }
    return true;
}

// ---- Flat values -----------------------------------------------------------------------------

// Looks `rows` (NULL: the first `count` lanes) up; bits of other lanes become 0.
static bool look_up(const dynamic_content *content, const column *key, const uint16_t *rows,
                    uint32_t count, arena *scratch, uint64_t *out) {
    const lookup self = {.content = content, .key = key, .rows = rows, .count = count, .out = out};
    if (rows != NULL) {
        bits_clear(out, key->length);
    }
    const bool is_wide = type_physical(key->type) == PHYSICAL_I64;
    if (content->bitmap != NULL) {
        if (rows == NULL) {
            (is_wide ? bitmap_lanes_i64 : bitmap_lanes_i32)(&self);
        } else {
            (is_wide ? bitmap_rows_i64 : bitmap_rows_i32)(&self);
        }
        return true;
    }
    return look_up_hashes(&self, scratch);
}

// Clears the bits of lanes beyond a bound.
static bool keep_within(const column *key, const column *bound, compare_op op, arena *scratch,
                        uint64_t *bits) {
    column constant = *bound;
    constant.form = FORM_CONSTANT;
    constant.validity = NULL;
    constant.length = key->length;
    uint64_t *within = ARENA_NEW(scratch, uint64_t, BITMAP_WORDS(key->length) + 1);
    if (within == NULL ||
        !compare_columns(key, &constant, op, NULL, key->length, scratch, within)) {
        return false;
    }
    bits_and(bits, within, key->length, bits);
    return true;
}

static bool keep_between(const dynamic_content *self, const column *key, arena *scratch,
                         uint64_t *bits) {
    const column *low = self->minimum == NULL ? NULL : self->minimum[0];
    const column *high = self->maximum == NULL ? NULL : self->maximum[0];
    return (low == NULL || keep_within(key, low, COMPARE_GE, scratch, bits)) &&
           (high == NULL || keep_within(key, high, COMPARE_LE, scratch, bits));
}

// Which of `asked` pass; `out` may not be `asked`.
static bool pass_dense(const dynamic_content *self, const column *key, const uint64_t *asked,
                       arena *scratch, uint64_t *out) {
    const uint32_t length = key->length;
    memcpy(out, asked, BITMAP_WORDS(length) * sizeof *out);
    if (key->validity != NULL && !self->passes_null) {
        bits_and(out, key->validity, length, out);
    }
    if (self->bitmap == NULL && !keep_between(self, key, scratch, out)) {
        return false;
    }
    if (self->bitmap == NULL && self->bloom == NULL) {
        return true;
    }
    const uint32_t left = (uint32_t)bitmap_count(out, length);
    uint64_t *found = ARENA_NEW(scratch, uint64_t, BITMAP_WORDS(length) + 1);
    if (found == NULL) {
        return false;
    }
    if (length > UINT16_MAX || (uint64_t)left * 4 > (uint64_t)length * 3) {
        if (!look_up(self, key, NULL, length, scratch, found)) {
            return false;
        }
        bits_and(out, found, length, out);
        return true;
    }
    uint16_t *rows = ARENA_NEW(scratch, uint16_t, (size_t)length + 1);
    if (rows == NULL) {
        return false;
    }
    (void)bits_to_rows(out, length, rows);
    return look_up(self, key, rows, left, scratch, out);
}

// NULLs pass where the filter says so.
static void add_nulls(const column *key, const uint64_t *asked, uint64_t *out) {
    for (size_t word = 0; word < BITMAP_WORDS(key->length); word++) {
        out[word] |= asked[word] & ~key->validity[word];
    }
}

// Few of the lanes are asked for.
static bool pass_sparse(const dynamic_content *self, const column *key, row_scope *scope,
                        arena *scratch, uint64_t *out) {
    const uint16_t *rows = scope_rows(scope, scratch);
    uint16_t *kept = ARENA_NEW(scratch, uint16_t, (size_t)scope->count + 1);
    if (rows == NULL || kept == NULL) {
        return false;
    }
    uint32_t count = scope->count;
    if (key->validity != NULL) {
        count = bits_filter_rows(key->validity, true, rows, count, kept);
        rows = kept;
    }
    return look_up(self, key, rows, count, scratch, out);
}

// Bounds alone are compared on all lanes, however few are asked for.
static bool is_listed(const dynamic_content *self, const row_scope *scope) {
    return !scope_is_dense(scope) && (self->bitmap != NULL || self->bloom != NULL);
}

static bool pass_flat(const dynamic_content *self, const column *key, row_scope *scope,
                      arena *scratch, uint64_t *out) {
    const bool is_sparse = is_listed(self, scope);
    if (is_sparse && !pass_sparse(self, key, scope, scratch, out)) {
        return false;
    }
    const uint64_t *asked = is_sparse && key->validity == NULL ? out : scope_bits(scope, scratch);
    if (asked == NULL || (!is_sparse && !pass_dense(self, key, asked, scratch, out))) {
        return false;
    }
    if (key->validity != NULL && self->passes_null) {
        add_nulls(key, asked, out);
    }
    return true;
}

// ---- Dictionaries ----------------------------------------------------------------------------

// Which entries pass, whatever their type. False if that cannot be said now.
static bool pass_entries(const dynamic_content *self, const column *values, arena *scratch,
                         uint64_t *out) {
    const uint32_t count = values->length;
    if (is_integer(values)) {
        uint64_t *all = ARENA_NEW(scratch, uint64_t, BITMAP_WORDS(count) + 1);
        if (all == NULL) {
            return false;
        }
        bits_fill(all, count);
        return pass_dense(self, values, all, scratch, out);
    }
    uint16_t *passed = count > UINT16_MAX ? NULL : ARENA_NEW(scratch, uint16_t, (size_t)count + 1);
    if (passed == NULL) {
        return false;
    }
    const uint32_t left = dynamic_select(self, &values, NULL, count, scratch, passed);
    bits_of_rows(passed, left, count, out);
    return true;
}

// Asks for all entries, once as many rows as there are entries were asked for.
static const uint64_t *passes_of_entries(const dynamic_content *self, dynamic_memo *memo,
                                         const column *key, uint32_t rows, arena *scratch) {
    const dictionary *entries = key->dictionary;
    if (memo == NULL || entries->identity == 0) {
        return NULL;
    }
    if (memo->identity != entries->identity || memo->content != self) {
        arena_reset(&memo->memory);
        *memo =
            (dynamic_memo){.memory = memo->memory, .identity = entries->identity, .content = self};
    }
    memo->asked_rows += rows;
    if (memo->passes != NULL || memo->asked_rows < entries->size) {
        return memo->passes;
    }
    uint64_t *passes = ARENA_NEW(&memo->memory, uint64_t, BITMAP_WORDS(entries->size) + 1);
    column values = *entries->values;
    values.length = entries->size;
    if (passes != NULL && pass_entries(self, &values, scratch, passes)) {
        memo->passes = passes;
    }
    return memo->passes;
}

// The integers behind codes, while their dictionary is not known yet.
static bool pass_codes(const dynamic_content *self, const column *key, row_scope *scope,
                       arena *scratch, uint64_t *out) {
    column flat = *key->dictionary->values;
    const uint32_t width = physical_size(type_physical(flat.type));
    void *values = arena_alloc(scratch, (size_t)key->length + 1, width);
    const uint16_t *rows = is_listed(self, scope) ? scope_rows(scope, scratch) : NULL;
    if (values == NULL || (rows == NULL && is_listed(self, scope))) {
        return false;
    }
    if (rows == NULL) {
        gather_codes(width, flat.values, key->values, key->length, values);
    } else {
        gather_codes_rows(width, flat.values, key->values, rows, scope->count, values);
    }
    flat.values = values;
    flat.length = key->length;
    flat.validity = key->validity;
    return pass_flat(self, &flat, scope, scratch, out);
}

static bool pass_known_entries(const dynamic_content *self, const uint64_t *passes,
                               const column *key, row_scope *scope, arena *scratch, uint64_t *out) {
    const uint64_t *asked = scope_bits(scope, scratch);
    if (asked == NULL) {
        return false;
    }
    bits_of_codes(passes, key->dictionary->size, key->values, key->length, out);
    bits_and(out, asked, key->length, out);
    if (key->validity != NULL) {
        bits_and(out, key->validity, key->length, out);
        if (self->passes_null) {
            add_nulls(key, asked, out);
        }
    }
    return true;
}

// ---- Rows that nearly all pass ------------------------------------------------------------------

// Whoever wants the rows asks by itself, so that a filter which keeps nearly all only costs. It is
// looked again after a while.
#define LOOK_ROWS 32768
#define SKIP_ROWS (UINT64_C(1) << 20)

static bool skips(dynamic_memo *memo, uint32_t rows) {
    if (memo == NULL || memo->skipped_rows == 0) {
        return false;
    }
    memo->skipped_rows -= rows < memo->skipped_rows ? rows : memo->skipped_rows;
    return true;
}

static void learn(dynamic_memo *memo, uint32_t looked, uint32_t passed) {
    if (memo == NULL) {
        return;
    }
    memo->looked_rows += looked;
    memo->passed_rows += passed;
    if (memo->looked_rows >= LOOK_ROWS) {
        memo->skipped_rows = memo->passed_rows > memo->looked_rows / 5 * 4 ? SKIP_ROWS : 0;
        memo->looked_rows = 0;
        memo->passed_rows = 0;
    }
}

static bool pass_all(row_scope *scope, arena *scratch, uint64_t *out) {
    const uint64_t *asked = scope_bits(scope, scratch);
    if (asked != NULL) {
        memcpy(out, asked, BITMAP_WORDS(scope->length) * sizeof *out);
    }
    return asked != NULL;
}

// ---- Choosing --------------------------------------------------------------------------------

static bool is_plain(const dictionary *self) {
    return self->size > 0 && self->values->form == FORM_FLAT && self->values->validity == NULL;
}

bool dynamic_pass(const dynamic_content *self, dynamic_memo *memo, const column *const *keys,
                  row_scope *scope, arena *scratch, uint64_t *out) {
    const column *key = keys[0];
    const bool is_one = self->key_count == 1 && !self->is_empty;
    if (is_one && key->form == FORM_FLAT && is_integer(key)) {
        return pass_flat(self, key, scope, scratch, out);
    }
    if (is_one && key->form == FORM_DICTIONARY && is_plain(key->dictionary)) {
        const uint64_t *passes = passes_of_entries(self, memo, key, scope->count, scratch);
        if (passes != NULL) {
            return pass_known_entries(self, passes, key, scope, scratch, out);
        }
        if (is_integer(key->dictionary->values)) {
            return pass_codes(self, key, scope, scratch, out);
        }
    }
    if (skips(memo, scope->count)) {
        return pass_all(scope, scratch, out);
    }
    uint16_t *passed = ARENA_NEW(scratch, uint16_t, (size_t)scope->count + 1);
    const uint16_t *rows = scope_is_all(scope) ? NULL : scope_rows(scope, scratch);
    if (passed == NULL || (rows == NULL && !scope_is_all(scope))) {
        return false;
    }
    const uint32_t count = dynamic_select(self, keys, rows, scope->count, scratch, passed);
    learn(memo, scope->count, count);
    bits_of_rows(passed, count, scope->length, out);
    return true;
}
