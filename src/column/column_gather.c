// One column from rows of many: constants of VALUES, elements of list constructors, batches joined.
#include "column/column.h"

#include "base/checked.h"
#include "column/value_memo.h"

// The flat column behind a row, and its lane there.
static const column *lane_of(const column *source, uint32_t row, uint32_t *lane) {
    *lane = column_lane(source, row);
    return source->form == FORM_DICTIONARY ? source->dictionary->values : source;
}

#define LOOK_EVERY 65536 // Rows between two looks at the cancel flag.

typedef struct gathering {
    arena *memory;
    const type *type;
    const column **sources; // Flat; NULL: a NULL row.
    uint32_t *lanes;
    uint32_t count;
    firn_error *err;
} gathering;

static firn_status look(const gathering *self, uint32_t row) {
    return row % LOOK_EVERY == LOOK_EVERY - 1 ? cancel_check(self->memory->cancel, self->err)
                                              : FIRN_OK;
}

static firn_status gather_fixed(const gathering *self, uint32_t width, column *out) {
    uint8_t *values = COLUMN_OUT(out, uint8_t);
    for (uint32_t i = 0; i < self->count; i++) {
        TRY(look(self, i));
        uint8_t *to = values + (size_t)i * width;
        if (self->sources[i] == NULL) {
            memset(to, 0, width);
        } else {
            memcpy(to, (const uint8_t *)self->sources[i]->values + (size_t)self->lanes[i] * width,
                   width);
        }
    }
    return FIRN_OK;
}

static firn_status gather_bits(const gathering *self, column *out) {
    for (uint32_t i = 0; i < self->count; i++) {
        TRY(look(self, i));
        if (self->sources[i] != NULL && bitmap_get(self->sources[i]->values, self->lanes[i])) {
            bitmap_set(COLUMN_OUT(out, uint64_t), i);
        }
    }
    return FIRN_OK;
}

// Child `number` of every row's source: for structs the same lanes, for lists `rows` of them.
static firn_status gather_child(const gathering *self, uint32_t number, const column **sources,
                                const uint32_t *rows, uint32_t count, column *out) {
    const column **children = ARENA_NEW(self->memory, const column *, count + 1);
    if (children == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    for (uint32_t i = 0; i < count; i++) {
        TRY(look(self, i));
        children[i] = sources[i] == NULL ? NULL : &sources[i]->children[number];
    }
    const gathered_rows from = {.sources = children, .rows = rows, .count = count};
    return column_gather(self->memory, self->type->children[number].type, &from, out, self->err);
}

// The children that all rows have in common; NULL: they are of several columns, or there are none.
static const column *shared_children(const gathering *self) {
    const column *children = NULL;
    for (uint32_t i = 0; i < self->count; i++) {
        const column *source = self->sources[i];
        if (source != NULL && children != NULL && source->children != children) {
            return NULL;
        }
        children = source == NULL ? children : source->children;
    }
    return children;
}

// The slices of all rows, which become those in the result: rows in `is_new` bring elements, the
// others have theirs in common with one before.
static bool place_lists(const gathering *self, list_value *slices, uint64_t *is_new,
                        uint32_t *total) {
    value_memo memo = {.oldest = {0}};
    *total = 0;
    for (uint32_t i = 0; i < self->count; i++) {
        if (self->sources[i] == NULL) {
            continue;
        }
        const list_value slice = COLUMN_VALUES(self->sources[i], list_value)[self->lanes[i]];
        bool is_there = false;
        uint64_t anew = 0;
        uint64_t *place = &anew;
        if (slice.size >= VALUE_MEMO_ELEMENTS) {
            place = value_memo_find(&memo,
                                    (value_place){.base = self->sources[i]->children,
                                                  .offset = slice.offset,
                                                  .size = slice.size},
                                    &is_there);
        }
        bitmap_put(is_new, i, !is_there);
        if (!is_there) {
            *place = *total;
            if (__builtin_add_overflow(*total, slice.size, total)) {
                return false;
            }
        }
        slices[i] = (list_value){(uint32_t)*place, slice.size};
    }
    return true;
}

static firn_status gather_lists(const gathering *self, column *out, column *children) {
    list_value *slices = COLUMN_OUT(out, list_value);
    uint64_t *is_new = ARENA_NEW(self->memory, uint64_t, BITMAP_WORDS(self->count) + 1);
    uint32_t total;
    if (is_new == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    if (!place_lists(self, slices, is_new, &total)) {
        return FAIL(self->err, FIRN_INVALID, "lists of more than %u elements", UINT32_MAX);
    }
    const column **sources = ARENA_NEW(self->memory, const column *, (size_t)total + 1);
    uint32_t *rows = ARENA_NEW(self->memory, uint32_t, (size_t)total + 1);
    if (sources == NULL || rows == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    for (uint32_t i = 0; i < self->count; i++) {
        const column *source = self->sources[i];
        const uint32_t at = slices[i].offset;
        for (uint32_t k = 0; source != NULL && k < slices[i].size && bitmap_get(is_new, i); k++) {
            TRY(look(self, k));
            sources[at + k] = source;
            rows[at + k] = COLUMN_VALUES(source, list_value)[self->lanes[i]].offset + k;
        }
    }
    for (uint32_t child = 0; child < self->type->child_count; child++) {
        TRY(gather_child(self, child, sources, rows, total, &children[child]));
    }
    return FIRN_OK;
}

static firn_status gather_values(const gathering *self, column *out) {
    const physical kind = type_physical(self->type);
    if (kind == PHYSICAL_BIT) {
        return gather_bits(self, out);
    }
    if (kind != PHYSICAL_LIST && kind != PHYSICAL_STRUCT) {
        return gather_fixed(self, physical_size(kind), out);
    }
    const column *shared = kind == PHYSICAL_LIST ? shared_children(self) : NULL;
    if (shared != NULL) {
        out->children = shared;
        return gather_fixed(self, physical_size(kind), out);
    }
    column *children = ARENA_NEW(self->memory, column, self->type->child_count + 1);
    if (children == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    out->children = children;
    if (kind == PHYSICAL_LIST) {
        return gather_lists(self, out, children);
    }
    for (uint32_t child = 0; child < self->type->child_count; child++) {
        TRY(gather_child(self, child, self->sources, self->lanes, self->count, &children[child]));
    }
    return FIRN_OK;
}

firn_status column_gather(arena *memory, const type *type, const gathered_rows *from, column *out,
                          firn_error *err) {
    const uint32_t count = from->count;
    TRY(column_new(memory, type, count, out, err));
    if (type->id == TYPE_NULL) {
        return FIRN_OK;
    }
    gathering state = {.memory = memory,
                       .type = type,
                       .sources = ARENA_NEW(memory, const column *, (size_t)count + 1),
                       .lanes = ARENA_NEW(memory, uint32_t, (size_t)count + 1),
                       .count = count,
                       .err = err};
    if (state.sources == NULL || state.lanes == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        TRY(look(&state, i));
        const column *source = from->sources[i];
        const bool is_valid = source != NULL && column_is_valid(source, from->rows[i]);
        state.sources[i] = NULL;
        state.lanes[i] = 0;
        if (is_valid) {
            state.sources[i] = lane_of(source, from->rows[i], &state.lanes[i]);
        } else if (!column_set_null(memory, out, i)) {
            return ARENA_FULL(memory, err);
        }
    }
    return gather_values(&state, out);
}
