// Small tables of text: what SHOW, DESCRIBE, EXPLAIN and information_schema answer.
//
// Rows are gathered as texts and become constant data of a plan, so that they leave through the
// same way as any query's.
#include "engine/objects.h"
#include "functions/scalar/like_pattern.h"

#define ROWS_MIN 16

struct listing {
    run *owner;
    uint32_t width;
    schema columns;
    uint32_t row_count, capacity;
    text *cells;
    bool has_pattern; // Only rows are kept whose cell `name_column` is like it.
    uint32_t name_column;
    like_pattern pattern;
};

firn_status listing_open(run *self, const char *const *names, uint32_t count, listing **out,
                         firn_error *err) {
    listing *made = ARENA_NEW(&self->memory, listing, 1);
    field *fields = ARENA_NEW(&self->memory, field, count);
    if (made == NULL || fields == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        fields[i] = (field){
            .name = text_of(names[i]), .type = TYPE_OF(VARCHAR), .is_nullable = true, .id = -1};
    }
    *made = (listing){.owner = self, .width = count, .columns = {.count = count, .fields = fields}};
    *out = made;
    return FIRN_OK;
}

firn_status listing_only(listing *self, uint32_t column, const sql_literal *pattern,
                         firn_error *err) {
    if (pattern == NULL) {
        return FIRN_OK;
    }
    text copy; // The pattern points into it.
    TRY(text_copy(&self->owner->memory, pattern->value, &copy, err));
    if (like_pattern_make(copy, (text){.size = 0}, &self->owner->memory, &self->pattern) !=
        LIKE_OK) { // Without an escape there is no bad one.
        return ARENA_FULL(&self->owner->memory, err);
    }
    self->has_pattern = true;
    self->name_column = column;
    return FIRN_OK;
}

firn_status listing_add(listing *self, const text *values, firn_error *err) {
    arena *memory = &self->owner->memory;
    if (self->has_pattern &&
        !like_pattern_matches(&self->pattern, values[self->name_column], NULL)) {
        return FIRN_OK;
    }
    if (self->row_count == self->capacity) {
        const uint32_t capacity = self->capacity == 0 ? ROWS_MIN : self->capacity * 2;
        text *cells = arena_alloc(memory, (size_t)capacity * self->width, sizeof *cells);
        if (cells == NULL) {
            return ARENA_FULL(memory, err);
        }
        if (self->row_count > 0) {
            memcpy(cells, self->cells, (size_t)self->row_count * self->width * sizeof *cells);
        }
        self->cells = cells;
        self->capacity = capacity;
    }
    for (uint32_t i = 0; i < self->width; i++) {
        text *cell = &self->cells[(size_t)self->row_count * self->width + i];
        *cell = (text){.data = NULL};
        if (values[i].data != NULL) {
            TRY(text_copy(memory, values[i], cell, err));
        }
    }
    self->row_count++;
    return FIRN_OK;
}

firn_status listing_rows(listing *self, column_data_list *rows, schema *columns, firn_error *err) {
    arena *memory = &self->owner->memory;
    column *data = ARENA_NEW(memory, column, self->width);
    if (data == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < self->width; i++) {
        TRY(column_new(memory, TYPE_OF(VARCHAR), self->row_count, &data[i], err));
        for (uint32_t row = 0; row < self->row_count; row++) {
            const text cell = self->cells[(size_t)row * self->width + i];
            COLUMN_OUT(&data[i], string_value)[row] = string_of(cell.data, (uint32_t)cell.size);
            if (cell.data == NULL && !column_set_null(memory, &data[i], row)) {
                return ARENA_FULL(memory, err);
            }
        }
    }
    *rows = (column_data_list){.count = self->width, .items = data};
    *columns = self->columns;
    return FIRN_OK;
}

firn_status listing_finish(listing *self, firn_error *err) {
    run *owner = self->owner;
    arena *memory = &owner->memory;
    plan_node *values = plan_new(memory, PLAN_VALUES);
    plan_node *root = plan_new(memory, PLAN_OUTPUT);
    uint32_t *ids = ARENA_NEW(memory, uint32_t, self->width);
    if (values == NULL || root == NULL || ids == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < self->width; i++) {
        ids[i] = i;
    }
    const u32_list list = {.count = self->width, .items = ids};
    values->values_.ids = list;
    values->values_.row_count = self->row_count;
    root->output_.input = values;
    root->output_.ids = list;
    TRY(listing_rows(self, &values->values_.columns, &root->output_.columns, err));
    owner->bound.plan = (plan){.root = root, .id_count = self->width};
    plan_number(root);
    return run_execute(owner, false, err);
}
