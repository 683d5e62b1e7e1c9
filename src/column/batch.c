#include "column/batch.h"

#include <assert.h>
#include <stdio.h>

firn_status batch_part(arena *memory, const batch *self, uint32_t from, uint32_t count, batch *out,
                       firn_error *err) {
    assert(from <= self->selected_count && count <= self->selected_count - from);
    *out = *self;
    out->selected_count = count;
    if (self->selection != NULL) {
        out->selection = self->selection + from;
        return FIRN_OK;
    }
    if (count == self->row_count) {
        return FIRN_OK;
    }
    uint16_t *rows = ARENA_NEW(memory, uint16_t, count + 1);
    if (rows == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t k = 0; k < count; k++) {
        rows[k] = (uint16_t)(from + k);
    }
    out->selection = rows;
    return FIRN_OK;
}

firn_status batch_slice(arena *memory, const batch *self, uint32_t from, uint32_t count, batch *out,
                        firn_error *err) {
    assert(from <= self->selected_count && count <= self->selected_count - from);
    *out = *self;
    if (count == self->selected_count) {
        return FIRN_OK;
    }
    const uint32_t first = count == 0 ? 0 : batch_row(self, from);
    const uint32_t length = count == 0 ? 0 : batch_row(self, from + count - 1) + 1 - first;
    column *columns = ARENA_NEW(memory, column, self->column_count + 1);
    uint16_t *rows = ARENA_NEW(memory, uint16_t, count + 1);
    if (columns == NULL || rows == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < self->column_count; i++) {
        TRY(column_slice(memory, &self->columns[i], first, length, &columns[i], err));
    }
    for (uint32_t k = 0; k < count; k++) {
        rows[k] = (uint16_t)(batch_row(self, from + k) - first);
    }
    out->row_count = length;
    out->columns = columns;
    out->selection = length == count ? NULL : rows;
    out->selected_count = count;
    out->sequence.first += first;
    return FIRN_OK;
}

firn_status batch_compact(arena *memory, const batch *self, batch *out, firn_error *err) {
    if (self->selection == NULL) {
        *out = *self;
        return FIRN_OK;
    }
    column *columns = ARENA_NEW(memory, column, self->column_count + 1);
    if (columns == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < self->column_count; i++) {
        TRY(column_take_selection(memory, &self->columns[i], self->selection, self->selected_count,
                                  &columns[i], err));
    }
    const batch_sequence sequence = self->sequence;
    *out = batch_of(columns, self->column_count, self->selected_count);
    out->sequence = sequence;
    return FIRN_OK;
}

firn_status batch_copy(arena *memory, const batch *self, batch *out, firn_error *err) {
    batch compact;
    TRY(batch_compact(memory, self, &compact, err));
    column *columns = ARENA_NEW(memory, column, compact.column_count + 1);
    if (columns == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < compact.column_count; i++) {
        TRY(column_copy(memory, &compact.columns[i], &columns[i], err));
    }
    *out = compact;
    out->columns = columns;
    return FIRN_OK;
}
void batch_print(const batch *self) {
    arena memory = arena_open((size_t)1 << 24);
    text_builder out = text_builder_open(&memory);
    for (uint32_t k = 0; k < self->selected_count; k++) {
        for (uint32_t i = 0; i < self->column_count; i++) {
            text_append(&out, i == 0 ? TEXT("") : TEXT(" | "));
            column_print_row(&self->columns[i], batch_row(self, k), &out);
        }
        text_append_char(&out, '\n');
    }
    text printed;
    firn_error err = ERR_INIT;
    if (text_builder_finish(&out, &printed, &err) == FIRN_OK) {
        (void)fprintf(stderr, "%.*s", TEXT_ARGS(printed));
    }
    arena_close(&memory);
}
