#include "expr/row_merge.h"

#include "base/checked.h"
#include "kernels/gather.h"

// ---- Concatenation ---------------------------------------------------------------------------

static bool any_has_nulls(const column *parts, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (parts[i].validity != NULL) {
            return true;
        }
    }
    return false;
}

static void append_bits(uint64_t *out, uint32_t at, const uint64_t *bits, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        bitmap_put(out, at + i, bits == NULL || bitmap_get(bits, i));
    }
}

// The children of list or struct parts, each concatenated.
static firn_status concat_children(arena *memory, const type *of, const column *parts,
                                   uint32_t count, column *out, firn_error *err) {
    column *children = ARENA_NEW(memory, column, of->child_count + 1);
    column *pieces = ARENA_NEW(memory, column, count + 1);
    if (children == NULL || pieces == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t child = 0; child < of->child_count; child++) {
        for (uint32_t i = 0; i < count; i++) {
            pieces[i] = parts[i].children[child];
            if (of->id == TYPE_STRUCT) {
                pieces[i].length = parts[i].length; // It may be longer than its parent needs.
            }
        }
        TRY(columns_concat(memory, of->children[child].type, pieces, count, &children[child], err));
    }
    out->children = children;
    return FIRN_OK;
}

// Slices of later parts point behind the elements of the earlier ones.
static void append_slices(column *out, uint32_t at, const column *part, uint32_t first_element) {
    const list_value *slices = part->values;
    list_value *to = COLUMN_OUT(out, list_value) + at;
    for (uint32_t i = 0; i < part->length; i++) {
        to[i] = (list_value){slices[i].offset + first_element, slices[i].size};
    }
}

firn_status columns_concat(arena *memory, const type *of, const column *parts, uint32_t count,
                           column *out, firn_error *err) {
    size_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!add_fits(total, parts[i].length, &total) || total >= UINT32_MAX) {
            return FAIL(err, FIRN_INVALID, "more than %u values in one column", UINT32_MAX);
        }
    }
    if (of->id == TYPE_NULL) {
        return column_new_null(memory, of, (uint32_t)total, out, err);
    }
    TRY(column_new(memory, of, (uint32_t)total, out, err));
    const physical layout = type_physical(of);
    if (layout == PHYSICAL_LIST || layout == PHYSICAL_STRUCT) {
        TRY(concat_children(memory, of, parts, count, out, err));
    }
    uint64_t *validity = NULL;
    if (any_has_nulls(parts, count)) {
        validity = column_validity_out(memory, out);
        if (validity == NULL) {
            return ARENA_FULL(memory, err);
        }
    }
    const uint32_t width = physical_size(layout);
    uint32_t at = 0;
    uint32_t first_element = 0;
    for (uint32_t i = 0; i < count; i++) {
        const column *part = &parts[i];
        if (validity != NULL) {
            append_bits(validity, at, part->validity, part->length);
        }
        if (layout == PHYSICAL_LIST) {
            append_slices(out, at, part, first_element);
            first_element += part->children[0].length;
        } else if (layout == PHYSICAL_BIT) {
            append_bits(COLUMN_OUT(out, uint64_t), at, part->values, part->length);
        } else if (width > 0 && part->length > 0) {
            memcpy(COLUMN_OUT(out, uint8_t) + (size_t)at * width, part->values,
                   (size_t)part->length * width);
        }
        at += part->length;
    }
    return FIRN_OK;
}

// ---- Merging ---------------------------------------------------------------------------------

firn_status row_merge_open(row_merge *self, const type *of, uint32_t length, uint32_t part_count,
                           arena *memory, firn_error *err) {
    *self =
        (row_merge){.memory = memory, .type = of, .length = length, .part_capacity = part_count};
    self->is_valid = ARENA_NEW(memory, uint64_t, BITMAP_WORDS(length) + 1);
    if (self->is_valid == NULL) {
        return ARENA_FULL(memory, err);
    }
    bits_clear(self->is_valid, length);
    if (type_is_nested(of)) {
        self->parts = ARENA_NEW(memory, column, part_count + 1);
        self->taken = ARENA_NEW(memory, uint32_t, length + 1);
        if (self->parts == NULL || self->taken == NULL) {
            return ARENA_FULL(memory, err);
        }
        memset(self->taken, 0xff, length * sizeof *self->taken);
        return FIRN_OK;
    }
    TRY(column_new(memory, of, length, &self->out, err));
    const uint32_t width = physical_size(type_physical(of));
    if (width > 0) {
        memset(COLUMN_OUT(&self->out, uint8_t), 0, (size_t)width * length);
    }
    return FIRN_OK;
}

#define SPARE_ELEMENTS 1024 // So many that no row has are not worth leaving out.

// How many elements the rows have, those of neighbours with the same list once.
static uint64_t count_elements(const column *lists, const uint16_t *rows, uint32_t count) {
    const list_value *slices = lists->values;
    uint64_t elements = 0;
    for (uint32_t k = 0; k < count; k++) {
        const bool is_same = k > 0 && slices[rows[k]].offset == slices[rows[k - 1]].offset;
        elements += is_same ? 0 : slices[rows[k]].size;
    }
    return elements;
}

// Lists beside which most elements belong to other rows leave those behind: a batch may show a few
// rows of many that have their elements in one column, and all of them would be merged each time.
static firn_status leave_spare(const row_merge *self, const uint16_t *rows, uint32_t count,
                               column *lists, firn_error *err) {
    const uint64_t elements = count_elements(lists, rows, count);
    if (lists->children[0].length <= elements * 2 + SPARE_ELEMENTS) {
        return FIRN_OK;
    }
    uint32_t *wanted = ARENA_NEW(self->memory, uint32_t, (size_t)self->length + 1);
    if (wanted == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    memset(wanted, 0xff, self->length * sizeof *wanted);
    for (uint32_t k = 0; k < count; k++) {
        wanted[rows[k]] = rows[k];
    }
    column taken;
    TRY(column_take(self->memory, lists, wanted, self->length, &taken, err));
    return column_copy(self->memory, &taken, lists, err);
}

static firn_status add_nested(row_merge *self, const column *value, row_scope *scope,
                              firn_error *err) {
    const uint16_t *rows = scope_rows(scope, self->memory);
    if (rows == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    assert(self->part_count < self->part_capacity);
    column *part = &self->parts[self->part_count];
    TRY(column_flatten(self->memory, value, part, err));
    if (type_physical(part->type) == PHYSICAL_LIST) {
        TRY(leave_spare(self, rows, scope->count, part, err));
    }
    for (uint32_t k = 0; k < scope->count; k++) {
        self->taken[rows[k]] = self->part_count * self->length + rows[k];
    }
    self->part_count++;
    return FIRN_OK;
}

static firn_status add_booleans(row_merge *self, const column *value, row_scope *scope,
                                firn_error *err) {
    const uint64_t *mask = scope_bits(scope, self->memory);
    if (mask == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    uint64_t *out = COLUMN_OUT(&self->out, uint64_t);
    const uint64_t *bits = value->values;
    const bool is_constant = value->form == FORM_CONSTANT;
    const uint64_t constant = is_constant && bitmap_get(bits, 0) ? UINT64_MAX : 0;
    for (size_t word = 0; word < BITMAP_WORDS(self->length); word++) {
        out[word] =
            (out[word] & ~mask[word]) | ((is_constant ? constant : bits[word]) & mask[word]);
    }
    return FIRN_OK;
}

// Which rows of the scope have a value: added to those that have one.
static firn_status add_validity(row_merge *self, const column *value, row_scope *scope,
                                firn_error *err) {
    const uint64_t *mask = scope_bits(scope, self->memory);
    if (mask == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (size_t word = 0; word < BITMAP_WORDS(self->length); word++) {
        const uint64_t valid = value->validity == NULL ? UINT64_MAX : value->validity[word];
        self->is_valid[word] |= mask[word] & valid;
    }
    return FIRN_OK;
}

firn_status row_merge_add(row_merge *self, const column *value, row_scope *scope, firn_error *err) {
    if (value->type->id == TYPE_NULL ||
        (value->form == FORM_CONSTANT && !column_is_valid(value, 0))) {
        return FIRN_OK; // NULL is what rows are anyway.
    }
    if (type_is_nested(self->type)) {
        return add_nested(self, value, scope, err);
    }
    column flat = *value;
    if (value->form == FORM_RUNS ||
        (value->form == FORM_DICTIONARY && value->dictionary->size == 0)) {
        TRY(column_flatten(self->memory, value, &flat, err));
    }
    column whole = flat;
    if (whole.form == FORM_CONSTANT) {
        whole.validity = NULL;
    }
    TRY(add_validity(self, &whole, scope, err));
    const physical layout = type_physical(self->type);
    if (layout == PHYSICAL_BIT) {
        if (flat.form == FORM_DICTIONARY) {
            TRY(column_flatten(self->memory, value, &flat, err));
        }
        return add_booleans(self, &flat, scope, err);
    }
    const uint32_t width = physical_size(layout);
    uint8_t *out = COLUMN_OUT(&self->out, uint8_t);
    if (scope_is_all(scope) && flat.form == FORM_FLAT) {
        memcpy(out, flat.values, (size_t)width * self->length);
        return FIRN_OK;
    }
    if (scope_is_dense(scope) && flat.form != FORM_DICTIONARY) {
        const uint64_t *bits = scope_bits(scope, self->memory);
        if (bits == NULL) {
            return ARENA_FULL(self->memory, err);
        }
        gather_blend_bits(width, flat.values, flat.form == FORM_CONSTANT, bits, self->length, out);
        return FIRN_OK;
    }
    const uint16_t *rows = scope_rows(scope, self->memory);
    if (rows == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    if (flat.form == FORM_CONSTANT) {
        gather_fill(width, flat.values, rows, scope->count, out);
    } else if (flat.form == FORM_DICTIONARY) {
        gather_codes_rows(width, flat.dictionary->values->values, flat.values, rows, scope->count,
                          out);
    } else {
        gather_blend(width, flat.values, rows, scope->count, out);
    }
    return FIRN_OK;
}

firn_status row_merge_finish(row_merge *self, column *out, firn_error *err) {
    if (type_is_nested(self->type)) {
        if (self->part_count == 0) {
            return column_new_null(self->memory, self->type, self->length, out, err);
        }
        column all;
        TRY(columns_concat(self->memory, self->type, self->parts, self->part_count, &all, err));
        return column_take(self->memory, &all, self->taken, self->length, out, err);
    }
    *out = self->out;
    if (!bits_all(self->is_valid, self->length)) {
        out->validity = self->is_valid;
    }
    return FIRN_OK;
}
