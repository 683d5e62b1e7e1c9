#include "exec/form_shuffle.h"

#include <assert.h>

WRAPS static uint64_t draw(uint64_t *random, uint64_t below) {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (*random >> 16) % below;
}

// Are rows `row` and `row + 1` of a flat column the same, also when they are printed?
static bool is_repeated(const column *flat, uint32_t row) {
    return type_equal_is_bytes(flat->type) && column_rows_equal(flat, row, flat, row + 1);
}

// The values of a flat column in another order, with codes that lead to them. Each value stays an
// entry of its own, and lanes of NULL rows are entries that no row uses.
static firn_status to_dictionary(arena *memory, uint64_t *random, const column *flat, column *out,
                                 firn_error *err) {
    const uint32_t count = flat->length;
    uint32_t *codes = ARENA_NEW(memory, uint32_t, count);
    uint32_t *lanes = ARENA_NEW(memory, uint32_t, count);
    column *values = ARENA_NEW(memory, column, 1);
    dictionary *entries = ARENA_NEW(memory, dictionary, 1);
    if (codes == NULL || lanes == NULL || values == NULL || entries == NULL) {
        return ARENA_FULL(memory, err);
    }
    const uint32_t first = (uint32_t)draw(random, count);
    for (uint32_t i = 0; i < count; i++) {
        lanes[i] = (first + i) % count;
        codes[lanes[i]] = i;
    }
    // The same value again: both codes are right.
    for (uint32_t i = 1; i < count; i++) {
        if (is_repeated(flat, i - 1) && draw(random, 2) == 0) {
            codes[i] = codes[i - 1];
        }
    }
    column bare = *flat;
    bare.validity = NULL;
    TRY(column_take(memory, &bare, lanes, count, values, err));
    *entries = (dictionary){.identity = dictionary_identity_new(), .size = count, .values = values};
    *out = *flat;
    out->form = FORM_DICTIONARY;
    out->values = codes;
    out->children = values->children;
    out->dictionary = entries;
    return FIRN_OK;
}

static firn_status to_runs(arena *memory, uint64_t *random, const column *flat, column *out,
                           firn_error *err) {
    uint32_t *ends = ARENA_NEW(memory, uint32_t, flat->length);
    uint32_t *rows = ARENA_NEW(memory, uint32_t, flat->length);
    if (ends == NULL || rows == NULL) {
        return ARENA_FULL(memory, err);
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < flat->length; i++) {
        if (i > 0 && is_repeated(flat, i - 1) && draw(random, 8) != 0) {
            ends[count - 1] = i + 1;
        } else {
            rows[count] = i;
            ends[count++] = i + 1;
        }
    }
    column values;
    TRY(column_take(memory, flat, rows, count, &values, err));
    *out = values;
    out->form = FORM_RUNS;
    out->length = flat->length;
    out->run_ends = ends;
    out->run_count = count;
    return FIRN_OK;
}

static bool is_all_the_same(const column *flat) {
    for (uint32_t i = 0; i + 1 < flat->length; i++) {
        if (!is_repeated(flat, i)) {
            return false;
        }
    }
    return true;
}

static firn_status shuffle_column(arena *memory, uint64_t *random, const column *input, column *out,
                                  firn_error *err) {
    enum { AS_IT_IS, FLAT, DICTIONARY, RUNS, CONSTANT, WAYS };
    const uint64_t way = draw(random, WAYS);
    *out = *input;
    if (way == AS_IT_IS || input->length == 0 || input->type->id == TYPE_NULL) {
        return FIRN_OK;
    }
    column flat;
    TRY(column_flatten(memory, input, &flat, err));
    *out = flat;
    if (way == DICTIONARY) {
        return to_dictionary(memory, random, &flat, out, err);
    }
    if (way == RUNS && !type_is_nested(input->type)) { // Nested values have no runs anywhere.
        return to_runs(memory, random, &flat, out, err);
    }
    if (way == CONSTANT && is_all_the_same(&flat)) {
        *out = flat; // Lane 0 and bit 0 are what a constant needs.
        out->form = FORM_CONSTANT;
    }
    return FIRN_OK;
}

static firn_status select_all(arena *memory, batch *self, firn_error *err) {
    uint16_t *selection = ARENA_NEW(memory, uint16_t, self->row_count);
    if (selection == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < self->row_count; i++) {
        selection[i] = (uint16_t)i;
    }
    self->selection = selection;
    return FIRN_OK;
}

firn_status form_shuffle(arena *memory, uint64_t *random, const batch *input, batch *out,
                         firn_error *err) {
    assert(*random != 0);
    *out = *input;
    column *columns = ARENA_NEW(memory, column, input->column_count + 1);
    if (columns == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < input->column_count; i++) {
        TRY(shuffle_column(memory, random, &input->columns[i], &columns[i], err));
    }
    out->columns = columns;
    if (draw(random, 2) == 0) {
        return FIRN_OK;
    }
    return out->selection == NULL ? select_all(memory, out, err)
                                  : batch_compact(memory, out, out, err);
}
