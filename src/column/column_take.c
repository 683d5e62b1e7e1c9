// Rows of a column as a new column: by number, by selection, or all of them flat.
//
// All are one gather: which lane each new row comes from, then values and validity lane by lane.
// Struct children are gathered alike; lists and maps keep their children and gather slices only.
#include "column/column.h"

#define ROW_NULL UINT32_MAX
#define LANES_AT_ONCE ((uint32_t)1 << 16) // Between two looks at the arena's flag.

// Gathers values of one fixed width; a lane of ROW_NULL leaves zeros. One loop per width, because
// memcpy of a constant size is a move.
#define GATHER(width)                                                                              \
    for (uint32_t i = 0; i < count; i++) {                                                         \
        if (lanes[i] == ROW_NULL) {                                                                \
            memset(out + (size_t)i * (width), 0, width);                                           \
        } else {                                                                                   \
            memcpy(out + (size_t)i * (width), in + (size_t)lanes[i] * (width), width);             \
        }                                                                                          \
    }

static void gather_some(const uint8_t *in, uint32_t width, const uint32_t *lanes, uint32_t count,
                        uint8_t *out) {
    switch (width) {
    case 1:
        GATHER(1)
        break;
    case 2:
        GATHER(2)
        break;
    case 4:
        GATHER(4)
        break;
    case 8:
        GATHER(8)
        break;
    case 16:
        GATHER(16)
        break;
    default:
        GATHER(width)
    }
}

// Of columns of elements, which may be many.
static void gather_values(const uint8_t *in, uint32_t width, const uint32_t *lanes, uint32_t count,
                          const cancel_flag *cancel, uint8_t *out) {
    for (; count > LANES_AT_ONCE && !cancel_is_raised(cancel); count -= LANES_AT_ONCE) {
        gather_some(in, width, lanes, LANES_AT_ONCE, out);
        lanes += LANES_AT_ONCE;
        out += (size_t)LANES_AT_ONCE * width;
    }
    gather_some(in, width, lanes, count < LANES_AT_ONCE ? count : LANES_AT_ONCE, out);
}

static void gather_bits(const uint64_t *in, const uint32_t *lanes, uint32_t count, uint64_t *out) {
    if (count == 0) {
        return; // No words either.
    }
    memset(out, 0, BITMAP_WORDS(count) * sizeof *out);
    for (uint32_t i = 0; i < count; i++) {
        if (lanes[i] != ROW_NULL && bitmap_get(in, lanes[i])) {
            bitmap_set(out, i);
        }
    }
}

static firn_status take_lanes(arena *memory, const column *self, const uint32_t *lanes,
                              uint32_t count, bool has_null_lane, column *out, firn_error *err);

// Children of a struct, gathered by the same lanes.
static firn_status take_children(arena *memory, const column *self, const uint32_t *lanes,
                                 uint32_t count, bool has_null_lane, column *out, firn_error *err) {
    column *children = ARENA_NEW(memory, column, self->type->child_count + 1);
    if (children == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < self->type->child_count; i++) {
        TRY(take_lanes(memory, &self->children[i], lanes, count, has_null_lane, &children[i], err));
    }
    out->children = children;
    return FIRN_OK;
}

// `self` seen as a flat column whose row numbers are lanes (dictionary: its entries; runs: theirs).
static firn_status take_lanes(arena *memory, const column *self, const uint32_t *lanes,
                              uint32_t count, bool has_null_lane, column *out, firn_error *err) {
    TRY(column_new_unset(memory, self->type, count, out, err));
    if (self->type->id == TYPE_NULL) {
        return FIRN_OK;
    }
    const physical kind = type_physical(self->type);
    if (kind == PHYSICAL_BIT) {
        gather_bits(self->values, lanes, count, COLUMN_OUT(out, uint64_t));
    } else if (kind == PHYSICAL_STRUCT) {
        TRY(take_children(memory, self, lanes, count, has_null_lane, out, err));
    } else {
        gather_values(self->values, physical_size(kind), lanes, count, memory->cancel,
                      COLUMN_OUT(out, uint8_t));
        out->children = self->children;
    }
    if (count > LANES_AT_ONCE) {
        TRY(cancel_check(memory->cancel, err));
    }
    if (self->validity == NULL && !has_null_lane) {
        return FIRN_OK;
    }
    uint64_t *bits = column_validity_out(memory, out);
    if (bits == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (lanes[i] == ROW_NULL ||
            (self->validity != NULL && !bitmap_get(self->validity, lanes[i]))) {
            bitmap_clear(bits, i);
        }
    }
    return FIRN_OK;
}

// A dictionary column's codes, or a dictionary's entries, lie behind the same pointer type.
static firn_status take_codes(arena *memory, const column *self, const uint32_t *rows,
                              uint32_t count, bool has_null_row, column *out, firn_error *err) {
    uint32_t *codes = ARENA_NEW(memory, uint32_t, count == 0 ? 1 : count);
    if (codes == NULL) {
        return ARENA_FULL(memory, err);
    }
    const uint32_t *in = self->values;
    for (uint32_t i = 0; i < count; i++) {
        codes[i] = rows[i] == ROW_NULL ? 0 : in[rows[i]];
    }
    *out = *self;
    out->length = count;
    out->values = codes;
    out->validity = NULL;
    if (self->validity == NULL && !has_null_row) {
        return FIRN_OK;
    }
    uint64_t *bits = column_validity_out(memory, out);
    if (bits == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i] == ROW_NULL ||
            (self->validity != NULL && !bitmap_get(self->validity, rows[i]))) {
            bitmap_clear(bits, i);
        }
    }
    return FIRN_OK;
}

firn_status column_take(arena *memory, const column *self, const uint32_t *rows, uint32_t count,
                        column *out, firn_error *err) {
    bool has_null_row = false;
    for (uint32_t i = 0; i < count; i++) {
        has_null_row |= rows[i] == ROW_NULL;
    }
    if (self->form == FORM_DICTIONARY) {
        return take_codes(memory, self, rows, count, has_null_row, out, err);
    }
    if (self->form == FORM_FLAT) {
        return take_lanes(memory, self, rows, count, has_null_row, out, err);
    }
    if (self->form == FORM_CONSTANT && !has_null_row) {
        *out = *self;
        out->length = count;
        return FIRN_OK;
    }
    uint32_t *lanes = ARENA_NEW(memory, uint32_t, count == 0 ? 1 : count);
    if (lanes == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        lanes[i] = rows[i] == ROW_NULL ? ROW_NULL : column_lane(self, rows[i]);
    }
    return take_lanes(memory, self, lanes, count, has_null_row, out, err);
}

firn_status column_take_selection(arena *memory, const column *self, const uint16_t *rows,
                                  uint32_t count, column *out, firn_error *err) {
    uint32_t *wide = ARENA_NEW(memory, uint32_t, count == 0 ? 1 : count);
    if (wide == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        wide[i] = rows[i];
    }
    return column_take(memory, self, wide, count, out, err);
}

firn_status column_of_entries(arena *memory, const column *values, const uint32_t *codes,
                              uint32_t count, column *out, firn_error *err) {
    assert(values->form == FORM_FLAT && values->type->id != TYPE_NULL);
    column *bare = ARENA_NEW(memory, column, 1);
    dictionary *entries = ARENA_NEW(memory, dictionary, 1);
    if (bare == NULL || entries == NULL) {
        return ARENA_FULL(memory, err);
    }
    *bare = *values;
    bare->validity = NULL; // Lanes of NULL are entries that no row uses.
    *entries =
        (dictionary){.identity = dictionary_identity_new(), .size = values->length, .values = bare};
    *out = (column){.type = values->type,
                    .form = FORM_DICTIONARY,
                    .length = count,
                    .values = codes,
                    .children = values->children,
                    .dictionary = entries};
    if (values->validity == NULL) {
        return FIRN_OK;
    }
    uint64_t *bits = column_validity_out(memory, out);
    if (bits == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        bitmap_put(bits, i, bitmap_get(values->validity, codes[i]));
    }
    return FIRN_OK;
}

static firn_status flatten_dictionary(arena *memory, const column *self, column *out,
                                      firn_error *err) {
    const dictionary *entries = self->dictionary;
    if (entries->size == 0) { // Only NULL rows.
        TRY(column_new_null(memory, self->type, self->length, out, err));
        return column_flatten(memory, out, out, err);
    }
    const uint64_t *validity = self->validity;
    TRY(take_lanes(memory, entries->values, self->values, self->length, false, out, err));
    out->type = self->type;
    out->validity = validity;
    return FIRN_OK;
}

firn_status column_flatten(arena *memory, const column *self, column *out, firn_error *err) {
    if (self->form == FORM_FLAT) {
        *out = *self;
        return FIRN_OK;
    }
    if (self->form == FORM_DICTIONARY) {
        return flatten_dictionary(memory, self, out, err);
    }
    if (self->type->id == TYPE_NULL) {
        *out = *self; // A constant is all that type NULL ever is.
        return FIRN_OK;
    }
    uint32_t *lanes = ARENA_NEW(memory, uint32_t, self->length == 0 ? 1 : self->length);
    if (lanes == NULL) {
        return ARENA_FULL(memory, err);
    }
    uint32_t run = 0;
    for (uint32_t i = 0; i < self->length; i++) {
        if (self->form == FORM_RUNS && i >= self->run_ends[run]) {
            run++;
        }
        lanes[i] = run;
    }
    const column source = *self;
    return take_lanes(memory, &source, lanes, source.length, false, out, err);
}
