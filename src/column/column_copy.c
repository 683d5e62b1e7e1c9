// A deep copy of a column.
//
// Values and validity are copied at once where the column is flat. Bytes of texts lie together
// afterwards, and elements of lists without gaps; what rows have in common they keep in common.
#include "column/column.h"

#include "base/checked.h"
#include "column/value_memo.h"

static bool is_long(const string_value *value) {
    return value->size >= VALUE_MEMO_BYTES && !string_is_inline(value);
}

// Bytes of the copies that copy_strings makes.
static bool size_copies(const column *self, size_t *total) {
    value_memo memo = {.oldest = {0}};
    const string_value *values = COLUMN_VALUES(self, string_value);
    *total = 0;
    for (uint32_t i = 0; i < self->length; i++) {
        bool is_there = string_is_inline(&values[i]);
        if (is_long(&values[i])) {
            (void)value_memo_find(
                &memo, (value_place){.base = values[i].data, .size = values[i].size}, &is_there);
        }
        if (!is_there && !add_fits(*total, values[i].size, total)) {
            return false;
        }
    }
    return true;
}

// Bytes that lie one behind the other and wait until they are copied together.
typedef struct neighbours {
    const char *from;
    size_t size;
    char *to;
} neighbours;

// False if the arena's flag is raised.
static bool copy_neighbours(arena *memory, neighbours *self) {
    const bool is_copied =
        self->size == 0 || cancel_copy(memory->cancel, self->to, self->from, self->size);
    self->to += self->size;
    self->size = 0;
    return is_copied;
}

static firn_status copy_strings(arena *memory, column *self, firn_error *err) {
    value_memo memo = {.oldest = {0}};
    string_value *values = COLUMN_OUT(self, string_value);
    size_t total;
    if (!size_copies(self, &total)) {
        return FAIL(err, FIRN_INTERNAL, "strings of more than SIZE_MAX bytes");
    }
    if (total == 0) {
        return FIRN_OK; // All are inline.
    }
    char *const copies = ARENA_NEW(memory, char, total);
    if (copies == NULL) {
        return ARENA_FULL(memory, err);
    }
    neighbours waiting = {.from = copies, .to = copies};
    size_t filled = 0;
    for (uint32_t i = 0; i < self->length; i++) {
        string_value *value = &values[i];
        if (string_is_inline(value)) {
            continue;
        }
        bool is_there = false;
        uint64_t anew = 0;
        uint64_t *place = &anew;
        if (is_long(value)) {
            place = value_memo_find(&memo, (value_place){.base = value->data, .size = value->size},
                                    &is_there);
        }
        if (!is_there) {
            *place = filled;
            filled += value->size;
            if (value->data != waiting.from + waiting.size) {
                if (!copy_neighbours(memory, &waiting)) {
                    return ARENA_FULL(memory, err);
                }
                waiting.from = value->data;
            }
            waiting.size += value->size;
        }
        value->data = copies + *place;
    }
    return copy_neighbours(memory, &waiting) ? FIRN_OK : ARENA_FULL(memory, err);
}

// Where the elements of each slice will lie; those of the rows in `is_copied`, the others share
// them. How many there are.
static size_t place_slices(column *self, list_value *places, uint64_t *is_copied) {
    value_memo memo = {.oldest = {0}};
    list_value *slices = COLUMN_OUT(self, list_value);
    size_t total = 0;
    for (uint32_t i = 0; i < self->length; i++) {
        if (!column_row_is_valid(self, i)) {
            slices[i] = (list_value){0, 0};
        }
        const list_value slice = slices[i];
        bool is_there = false;
        uint64_t anew = 0;
        uint64_t *place = &anew;
        if (slice.size >= VALUE_MEMO_ELEMENTS) {
            place = value_memo_find(
                &memo, (value_place){.offset = slice.offset, .size = slice.size}, &is_there);
        }
        if (!is_there) {
            *place = total;
            total += slice.size;
        }
        places[i] = (list_value){(uint32_t)*place, slice.size};
        bitmap_put(is_copied, i, !is_there);
    }
    return total;
}

// Gives the slices of a freshly gathered list column children of their own, without gaps.
static firn_status copy_elements(arena *memory, column *self, firn_error *err) {
    list_value *slices = COLUMN_OUT(self, list_value);
    list_value *places = ARENA_NEW(memory, list_value, (size_t)self->length + 1);
    uint64_t *is_copied = ARENA_NEW(memory, uint64_t, BITMAP_WORDS(self->length) + 1);
    if (places == NULL || is_copied == NULL) {
        return ARENA_FULL(memory, err);
    }
    const size_t total = place_slices(self, places, is_copied);
    if (total >= UINT32_MAX) {
        return FAIL(err, FIRN_INVALID, "lists of %zu elements in one batch", total);
    }
    uint32_t *rows = ARENA_NEW(memory, uint32_t, total == 0 ? 1 : total);
    column *children = ARENA_NEW(memory, column, self->type->child_count);
    if (rows == NULL || children == NULL) {
        return ARENA_FULL(memory, err);
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->length; i++) {
        for (uint32_t k = 0; k < slices[i].size && bitmap_get(is_copied, i); k++) {
            rows[count++] = slices[i].offset + k;
        }
        slices[i] = places[i];
    }
    for (uint32_t i = 0; i < self->type->child_count; i++) {
        column taken;
        TRY(column_take(memory, &self->children[i], rows, count, &taken, err));
        TRY(column_copy(memory, &taken, &children[i], err));
    }
    self->children = children;
    return FIRN_OK;
}

static firn_status copy_validity(arena *memory, column *self, firn_error *err) {
    const uint64_t *from = self->validity;
    if (from == NULL) {
        return FIRN_OK;
    }
    const size_t words = BITMAP_WORDS(self->length);
    uint64_t *bits = ARENA_NEW(memory, uint64_t, words + 1);
    if (bits == NULL) {
        return ARENA_FULL(memory, err);
    }
    if (words > 0) {
        memcpy(bits, from, words * sizeof *bits);
    }
    self->validity = bits;
    return FIRN_OK;
}

static firn_status copy_children(arena *memory, column *self, firn_error *err) {
    const uint32_t count = self->type->child_count;
    column *children = ARENA_NEW(memory, column, (size_t)count + 1);
    if (children == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        TRY(column_copy(memory, &self->children[i], &children[i], err));
    }
    self->children = children;
    return FIRN_OK;
}

// Of a flat column: texts, lists and children are still the other's.
static firn_status copy_values(arena *memory, const column *self, column *out, firn_error *err) {
    const size_t size = column_values_size(self);
    TRY(column_new_unset(memory, self->type, self->length, out, err));
    if (size > 0 && !cancel_copy(memory->cancel, COLUMN_OUT(out, uint8_t), self->values, size)) {
        return ARENA_FULL(memory, err);
    }
    out->validity = self->validity;
    out->children = self->children;
    return FIRN_OK;
}

firn_status column_copy(arena *memory, const column *self, column *out, firn_error *err) {
    if (self->type->id == TYPE_NULL) {
        return column_new_null(memory, self->type, self->length, out, err);
    }
    TRY(self->form == FORM_FLAT ? copy_values(memory, self, out, err)
                                : column_flatten(memory, self, out, err)); // Values of its own.
    TRY(copy_validity(memory, out, err));
    switch ((int)type_physical(self->type)) {
    case PHYSICAL_STRING:
        return copy_strings(memory, out, err);
    case PHYSICAL_LIST:
        return copy_elements(memory, out, err);
    case PHYSICAL_STRUCT:
        return copy_children(memory, out, err);
    default:
        return FIRN_OK;
    }
}
