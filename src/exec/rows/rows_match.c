// Are the keys of rows equal to those of a batch? A loop per key column over the pairs that are
// left; each keeps the equal ones in place and hands the others out.
#include <assert.h>

#include "column/value_memo.h"
#include "exec/rows/rows_private.h"

#define LONG_BYTES                                                                                 \
    256 // Of texts for which it is worth looking whether the pair was compared before.

// What a loop knows of its column.
typedef struct match_key {
    const row_store *store;
    const column *values; // Flat: of a dictionary, its entries.
    const uint8_t *const *rows;
    const uint32_t *lanes;    // Of the k-th pair.
    const uint64_t *validity; // Of the batch's rows; NULL: all valid.
    const uint16_t *bits;     // Their numbers in `validity`; NULL: k.
    bool is_constant;         // `validity` has one bit.
    bool null_equal;
    uint32_t number; // In the layout.
    uint32_t offset;
    arena *scratch;
    cancel_watch watch;
    value_memo *memo;   // Of long values: how pairs compared before. In scratch, once needed.
    firn_status status; // Of reading blobs.
    firn_error *err;
} match_key;

static bool batch_is_valid(const match_key *self, uint32_t k) {
    if (self->validity == NULL) {
        return true;
    }
    const uint32_t row = self->bits == NULL ? k : self->bits[k];
    return bitmap_get(self->validity, self->is_constant ? 0 : row);
}

// The frame of every loop: `equal` says whether the values of pair k are the same.
#define MATCH_LOOP(self, pairs, count, rest, rest_count, equal)                                    \
    do {                                                                                           \
        uint32_t kept = 0;                                                                         \
        for (uint32_t i = 0; i < (count); i++) {                                                   \
            const uint16_t k = (pairs)[i];                                                         \
            const uint8_t *row = (self)->rows[k];                                                  \
            const uint8_t *value = row + (self)->offset;                                           \
            const size_t lane = (self)->lanes[k];                                                  \
            const bool row_has = row_is_valid((self)->store->layout, row, (self)->number);         \
            const bool batch_has = batch_is_valid((self), k);                                      \
            const bool same =                                                                      \
                row_has && batch_has ? (equal) : row_has == batch_has && (self)->null_equal;       \
            (pairs)[kept] = k;                                                                     \
            (rest)[*(rest_count)] = k;                                                             \
            kept += same;                                                                          \
            *(rest_count) += !same;                                                                \
        }                                                                                          \
        return kept;                                                                               \
    } while (0)

// Without NULLs in the batch, and fixed width: no branch.
#define MATCH_LOOP_FLAT(self, pairs, count, rest, rest_count, c_type)                              \
    do {                                                                                           \
        const row_layout *layout = (self)->store->layout;                                          \
        const c_type *in = (self)->values->values;                                                 \
        uint32_t kept = 0;                                                                         \
        for (uint32_t i = 0; i < (count); i++) {                                                   \
            const uint16_t k = (pairs)[i];                                                         \
            const uint8_t *row = (self)->rows[k];                                                  \
            c_type value;                                                                          \
            memcpy(&value, row + (self)->offset, sizeof value);                                    \
            const bool same =                                                                      \
                (value == in[(self)->lanes[k]]) & row_is_valid(layout, row, (self)->number);       \
            (pairs)[kept] = k;                                                                     \
            (rest)[*(rest_count)] = k;                                                             \
            kept += same;                                                                          \
            *(rest_count) += !same;                                                                \
        }                                                                                          \
        return kept;                                                                               \
    } while (0)

typedef uint32_t (*match_loop)(match_key *self, uint16_t *pairs, uint32_t count, uint16_t *rest,
                               uint32_t *rest_count);

#define MATCH_INTEGER(word, c_type)                                                                \
    static uint32_t match_##word(match_key *self, uint16_t *pairs, uint32_t count, uint16_t *rest, \
                                 uint32_t *rest_count) {                                           \
        if (self->validity == NULL) {                                                              \
            MATCH_LOOP_FLAT(self, pairs, count, rest, rest_count, c_type);                         \
        }                                                                                          \
        const c_type *in = self->values->values;                                                   \
        MATCH_LOOP(self, pairs, count, rest, rest_count,                                           \
                   memcmp(value, &in[lane], sizeof(c_type)) == 0);                                 \
    }
MATCH_INTEGER(1, uint8_t)
MATCH_INTEGER(2, uint16_t)
MATCH_INTEGER(4, uint32_t)
MATCH_INTEGER(8, uint64_t)
MATCH_INTEGER(16, u128)

static uint32_t match_32(match_key *self, uint16_t *pairs, uint32_t count, uint16_t *rest,
                         uint32_t *rest_count) {
    const i256 *in = self->values->values;
    MATCH_LOOP(self, pairs, count, rest, rest_count, memcmp(value, &in[lane], sizeof *in) == 0);
}

static uint32_t match_bits(match_key *self, uint16_t *pairs, uint32_t count, uint16_t *rest,
                           uint32_t *rest_count) {
    const uint64_t *in = self->values->values;
    MATCH_LOOP(self, pairs, count, rest, rest_count, (*value != 0) == bitmap_get(in, lane));
}

// NaN is one value, whatever its bits; -0.0 equals 0.0 anyway.
#define MATCH_FLOAT(word, c_type)                                                                  \
    static bool same_##word(const uint8_t *value, c_type other) {                                  \
        c_type held;                                                                               \
        memcpy(&held, value, sizeof held);                                                         \
        return held == other || (held != held && other != other);                                  \
    }                                                                                              \
    static uint32_t match_##word(match_key *self, uint16_t *pairs, uint32_t count, uint16_t *rest, \
                                 uint32_t *rest_count) {                                           \
        const c_type *in = self->values->values;                                                   \
        MATCH_LOOP(self, pairs, count, rest, rest_count, same_##word(value, in[lane]));            \
    }
MATCH_FLOAT(f32, float)
MATCH_FLOAT(f64, double)

// Half floats, intervals: as columns compare them.
static uint32_t match_by_value(match_key *self, uint16_t *pairs, uint32_t count, uint16_t *rest,
                               uint32_t *rest_count) {
    _Alignas(32) uint8_t held[sizeof(i256)] = {0};
    const size_t width = row_value_size(self->values->type);
    const column one = {
        .type = self->values->type, .form = FORM_CONSTANT, .length = 1, .values = held};
    MATCH_LOOP(
        self, pairs, count, rest, rest_count,
        (memcpy(held, value, width), column_rows_equal(&one, 0, self->values, (uint32_t)lane)));
}

static uint32_t match_null(match_key *self, uint16_t *pairs, uint32_t count, uint16_t *rest,
                           uint32_t *rest_count) {
    (void)rest;
    if (self->null_equal) {
        return count;
    }
    memcpy(rest + *rest_count, pairs, count * sizeof *pairs);
    *rest_count += count;
    return 0;
}

// A part of a row's heap, wherever it is; NULL after a fault, which is recorded.
static const uint8_t *part_of(match_key *self, const uint8_t *row, row_slice part) {
    const row_layout *layout = self->store->layout;
    if (LIKELY(row_heap_of(layout, row).blob == ROW_NONE)) {
        return row + layout->size + part.offset;
    }
    const uint8_t *out = NULL;
    if (self->status == FIRN_OK) {
        self->status = row_heap_read(self->store, row, part, self->scratch, &out, self->err);
    }
    return self->status == FIRN_OK ? out : NULL;
}

// How a pair of a row and a long value compared before: other rows of the batch may have the value
// in common. NULL after a fault, which is recorded.
static uint64_t *look_up(match_key *self, value_place place, bool *is_there) {
    if (self->memo == NULL) {
        self->memo = ARENA_NEW(self->scratch, value_memo, 1);
        if (self->memo == NULL) {
            self->status = ARENA_FULL(self->scratch, self->err);
            return NULL;
        }
        memset(self->memo, 0, sizeof *self->memo);
    }
    return value_memo_find(self->memo, place, is_there);
}

// Texts of the same size and beginning, both long.
static bool rest_same(match_key *self, const uint8_t *row, const uint8_t *value,
                      const string_value *other) {
    const arena_mark mark = arena_mark_take(self->scratch);
    const uint8_t *data = part_of(self, row, row_string_slice(value));
    const bool same = LIKELY(data != NULL) &&
                      cancel_watch_compare(&self->watch, data, other->data, other->size) == 0;
    arena_rewind(self->scratch, mark);
    return same;
}

static bool string_same(match_key *self, const uint8_t *row, const uint8_t *value,
                        const string_value *other, uint32_t lane) {
    uint64_t head[2];
    memcpy(&head[0], value, 8); // Size and first four bytes in one comparison.
    memcpy(&head[1], other, 8);
    if (head[0] != head[1]) {
        return false;
    }
    if (string_is_inline(other)) {
        return memcmp(value + 8, (const char *)other + 8, 8) == 0;
    }
    if (other->size < LONG_BYTES) {
        return rest_same(self, row, value, other);
    }
    bool is_there;
    uint64_t *same =
        look_up(self, (value_place){.base = row, .offset = lane, .size = 1}, &is_there);
    if (same == NULL) {
        return false;
    }
    if (!is_there) {
        *same = rest_same(self, row, value, other);
    }
    return *same != 0;
}

static uint32_t match_strings(match_key *self, uint16_t *pairs, uint32_t count, uint16_t *rest,
                              uint32_t *rest_count) {
    const string_value *in = self->values->values;
    MATCH_LOOP(self, pairs, count, rest, rest_count,
               string_same(self, row, value, &in[lane], (uint32_t)lane));
}

// Where the value of a lane lies among those of a column: lanes may have a list in common.
static value_place place_of(const column *values, uint32_t lane, const uint8_t *row) {
    if (type_physical(values->type) != PHYSICAL_LIST) {
        return (value_place){.base = row, .offset = lane, .size = 1};
    }
    const list_value slice = COLUMN_VALUES(values, list_value)[lane];
    return (value_place){.base = row, .offset = slice.offset, .size = slice.size + 1};
}

// Of a pair that both have a value, which is long or in a blob.
static bool nested_same(match_key *self, const uint8_t *row, const uint8_t *value, uint32_t lane) {
    bool is_there;
    uint64_t *same = look_up(self, place_of(self->values, lane, row), &is_there);
    if (same == NULL) {
        return false;
    }
    if (!is_there) {
        const arena_mark mark = arena_mark_take(self->scratch);
        const uint8_t *data = part_of(self, row, row_slice_of(value));
        *same = data != NULL && row_nested_equal_at(&data, self->values, lane, &self->watch);
        arena_rewind(self->scratch, mark);
    }
    return *same != 0;
}

// Sets same[i] of pairs whose values are long, and puts the others with values into `out`.
static void sort_out_nested(match_key *self, const uint16_t *pairs, uint32_t count, bool *same,
                            row_nested_pairs *out) {
    const row_layout *layout = self->store->layout;
    for (uint32_t i = 0; i < count; i++) {
        const uint16_t k = pairs[i];
        const uint8_t *row = self->rows[k];
        const uint8_t *value = row + self->offset;
        const bool row_has = row_is_valid(layout, row, self->number);
        const bool batch_has = batch_is_valid(self, k);
        if (!row_has || !batch_has) {
            same[i] = row_has == batch_has && self->null_equal;
            continue;
        }
        const row_slice slice = row_slice_of(value);
        if (UNLIKELY(slice.size > LONG_BYTES || row_heap_of(layout, row).blob != ROW_NONE)) {
            same[i] = nested_same(self, row, value, self->lanes[k]);
            continue;
        }
        same[i] = false;
        out->at[out->count] = row + layout->size + slice.offset;
        out->lanes[out->count] = self->lanes[k];
        out->numbers[out->count++] = (uint16_t)i;
    }
}

static uint32_t match_nested(match_key *self, uint16_t *pairs, uint32_t count, uint16_t *rest,
                             uint32_t *rest_count) {
    row_nested_pairs compared = {.at = ARENA_NEW(self->scratch, const uint8_t *, count),
                                 .lanes = ARENA_NEW(self->scratch, uint32_t, count),
                                 .numbers = ARENA_NEW(self->scratch, uint16_t, count),
                                 .watch = &self->watch};
    bool *same = ARENA_NEW(self->scratch, bool, count);
    if (compared.at == NULL || compared.lanes == NULL || compared.numbers == NULL || same == NULL) {
        self->status = ARENA_FULL(self->scratch, self->err);
        return 0;
    }
    sort_out_nested(self, pairs, count, same, &compared);
    row_nested_match(&compared, self->values);
    for (uint32_t i = 0; i < compared.count; i++) {
        same[compared.numbers[i]] = true;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint16_t k = pairs[i];
        pairs[kept] = k;
        rest[*rest_count] = k;
        kept += same[i];
        *rest_count += !same[i];
    }
    return kept;
}

static match_loop loop_for(const type *type) {
    static const match_loop loops[PHYSICAL_COUNT] = {
        [PHYSICAL_NONE] = match_null,      [PHYSICAL_BIT] = match_bits,
        [PHYSICAL_I8] = match_1,           [PHYSICAL_I16] = match_2,
        [PHYSICAL_I32] = match_4,          [PHYSICAL_I64] = match_8,
        [PHYSICAL_U8] = match_1,           [PHYSICAL_U16] = match_2,
        [PHYSICAL_U32] = match_4,          [PHYSICAL_U64] = match_8,
        [PHYSICAL_F16] = match_by_value,   [PHYSICAL_F32] = match_f32,
        [PHYSICAL_F64] = match_f64,        [PHYSICAL_I128] = match_16,
        [PHYSICAL_I256] = match_32,        [PHYSICAL_INTERVAL] = match_by_value,
        [PHYSICAL_STRING] = match_strings, [PHYSICAL_LIST] = match_nested,
        [PHYSICAL_STRUCT] = match_nested,
    };
    return loops[type_physical(type)];
}

// The lane of each pair among `count` numbers of pairs.
static void find_lanes(const row_pairs *self, const column *key, const uint16_t *pairs,
                       uint32_t count, uint32_t *lanes) {
    const uint32_t *codes = key->form == FORM_DICTIONARY ? key->values : NULL;
    for (uint32_t i = 0; i < count; i++) {
        const uint16_t k = pairs[i];
        const uint32_t row = self->lanes == NULL ? k : self->lanes[k];
        lanes[k] = codes != NULL ? codes[row] : key->form == FORM_CONSTANT ? 0 : row;
    }
}

firn_status rows_match(const row_pairs *self, uint16_t *pairs, uint32_t count, uint16_t *rest,
                       uint32_t *equal_count, arena *scratch, firn_error *err) {
    uint32_t highest = 0;
    for (uint32_t i = 0; i < count; i++) {
        highest = pairs[i] > highest ? pairs[i] : highest;
    }
    uint32_t *lanes = ARENA_NEW(scratch, uint32_t, (size_t)highest + 1);
    uint16_t *dropped = rest == NULL ? ARENA_NEW(scratch, uint16_t, (size_t)count + 1) : rest;
    if (lanes == NULL || dropped == NULL) {
        return ARENA_FULL(scratch, err);
    }
    uint32_t dropped_count = 0;
    for (uint32_t i = 0; i < self->key_count && count > 0; i++) {
        const column *key = &self->keys[i];
        const uint32_t number = self->key_columns == NULL ? i : self->key_columns[i];
        assert(key->form != FORM_RUNS);
        find_lanes(self, key, pairs, count, lanes);
        match_key state = {
            .store = self->store,
            .values = key->form == FORM_DICTIONARY ? key->dictionary->values : key,
            .rows = self->rows,
            .lanes = lanes,
            .validity = key->validity,
            .bits = self->lanes,
            .is_constant = key->form == FORM_CONSTANT,
            .null_equal = self->null_equal == NULL || self->null_equal[i],
            .number = number,
            .offset = self->store->layout->offsets[number],
            .scratch = scratch,
            .watch = {.cancel = scratch->cancel},
            .err = err,
        };
        count = loop_for(key->type)(&state, pairs, count, dropped, &dropped_count);
        TRY(state.status);
    }
    *equal_count = count;
    return FIRN_OK;
}

// Equal bytes behind the extra ones; of rows with blobs, those of the blobs.
static firn_status plain_equal(const row_store *self, const uint8_t *left, const uint8_t *right,
                               arena *scratch, bool *out, firn_error *err) {
    const row_layout *layout = self->layout;
    uint32_t from = layout->extra_offset + layout->extra_size;
    uint32_t to = layout->size;
    if (layout->heap_offset != ROW_NONE) {
        const row_heap heaps[2] = {row_heap_of(layout, left), row_heap_of(layout, right)};
        if (UNLIKELY(heaps[0].blob != ROW_NONE && heaps[1].blob != ROW_NONE)) {
            const uint8_t *bytes[2];
            from = layout->heap_offset + (uint32_t)sizeof(row_heap);
            *out =
                heaps[0].size == heaps[1].size && memcmp(left + from, right + from, to - from) == 0;
            if (*out) {
                const row_slice whole = {.size = heaps[0].size};
                TRY(row_heap_read(self, left, whole, scratch, &bytes[0], err));
                TRY(row_heap_read(self, right, whole, scratch, &bytes[1], err));
                cancel_watch watch = {.cancel = scratch->cancel};
                *out = cancel_watch_compare(&watch, bytes[0], bytes[1], heaps[0].size) == 0;
            }
            return FIRN_OK;
        }
        to += heaps[0].size; // If the sizes differ, so do the heads.
        if (heaps[0].size != heaps[1].size || heaps[0].blob != heaps[1].blob) {
            *out = false;
            return FIRN_OK;
        }
    }
    *out = memcmp(left + from, right + from, to - from) == 0;
    return FIRN_OK;
}

// A column of two rows that both have a value, of a fixed width.
static bool fixed_equal(const type *type, const uint8_t *left, const uint8_t *right) {
    _Alignas(32) uint8_t values[2][sizeof(i256)];
    const size_t width = row_value_size(type);
    if (type_physical(type) == PHYSICAL_F64) {
        double other;
        memcpy(&other, right, sizeof other);
        return same_f64(left, other);
    }
    memcpy(values[0], left, width);
    memcpy(values[1], right, width);
    const column one = {.type = type, .form = FORM_CONSTANT, .length = 1, .values = values[0]};
    const column two = {.type = type, .form = FORM_CONSTANT, .length = 1, .values = values[1]};
    return column_rows_equal(&one, 0, &two, 0);
}

static firn_status column_equal(const row_store *self, uint32_t number, const uint8_t *left,
                                const uint8_t *right, arena *scratch, bool *out, firn_error *err) {
    const row_layout *layout = self->layout;
    const type *type = layout->types[number];
    const uint32_t offset = layout->offsets[number];
    const bool left_has = row_is_valid(layout, left, number);
    const physical kind = type_physical(type);
    if (!left_has || !row_is_valid(layout, right, number)) {
        *out = left_has == row_is_valid(layout, right, number);
        return FIRN_OK;
    }
    if (kind == PHYSICAL_STRING || kind == PHYSICAL_LIST || kind == PHYSICAL_STRUCT) {
        const arena_mark mark = arena_mark_take(scratch);
        int order = 0;
        const firn_status status = rows_compare(self, number, left, right, scratch, &order, err);
        arena_rewind(scratch, mark);
        *out = order == 0;
        return status;
    }
    *out = kind == PHYSICAL_BIT ? left[offset] == right[offset]
                                : fixed_equal(type, left + offset, right + offset);
    return FIRN_OK;
}

firn_status rows_equal(const row_store *self, const uint8_t *left, const uint8_t *right,
                       arena *scratch, bool *out, firn_error *err) {
    if (LIKELY(self->layout->is_plain)) {
        return plain_equal(self, left, right, scratch, out, err);
    }
    *out = true;
    for (uint32_t i = 0; i < self->layout->column_count && *out; i++) {
        TRY(column_equal(self, i, left, right, scratch, out, err));
    }
    return FIRN_OK;
}
