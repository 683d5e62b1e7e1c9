#include "exec/join/join_side.h"

#include <assert.h>

firn_status join_side_open(join_side *self, const plan_node *input_node, const expr_list *keys,
                           arena *memory, firn_error *err) {
    plan_columns columns;
    TRY(plan_outputs(input_node, memory, &columns, err));
    const uint32_t most = keys->count + columns.count + 1;
    uint32_t *ids = ARENA_NEW(memory, uint32_t, most);
    *self = (join_side){
        .input_count = columns.count,
        .ids = ids,
        .types = ARENA_NEW(memory, const type *, most),
        .key_count = keys->count,
        .column_count = keys->count,
        .column_types = ARENA_NEW(memory, const type *, most),
        .positions = ARENA_NEW(memory, uint32_t, most),
        .row_columns = ARENA_NEW(memory, uint32_t, most),
    };
    if (ids == NULL || self->types == NULL || self->column_types == NULL ||
        self->positions == NULL || self->row_columns == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < columns.count; i++) {
        ids[i] = columns.items[i].id;
        self->types[i] = columns.items[i].type;
        self->row_columns[i] = ROW_NONE;
    }
    self->input = (input_layout){.count = columns.count, .ids = ids};
    TRY(input_layout_index(&self->input, memory, err));
    for (uint32_t i = 0; i < keys->count; i++) {
        const expr *key = keys->items[i];
        const uint32_t position =
            key->kind == EXPR_COLUMN ? join_side_find(self, key->column_.id) : ROW_NONE;
        self->column_types[i] = key->type;
        self->positions[i] = position;
        if (position != ROW_NONE && self->row_columns[position] == ROW_NONE) {
            self->row_columns[position] = i;
        }
    }
    if (keys->count > 0) {
        TRY(expr_compile((const expr *const *)keys->items, keys->count, &self->input, memory,
                         &self->keys, err));
    }
    return FIRN_OK;
}

uint32_t join_side_find(const join_side *self, uint32_t id) {
    const uint32_t place = input_layout_find(&self->input, id);
    return place == NO_PLACE ? ROW_NONE : place;
}

void join_side_want(join_side *self, uint32_t position) {
    assert(position < self->input_count);
    if (self->row_columns[position] == ROW_NONE) {
        self->row_columns[position] = self->column_count;
        self->positions[self->column_count] = position;
        self->column_types[self->column_count] = self->types[position];
        self->column_count++;
    }
}

firn_status join_side_lay_out(join_side *self, bool has_hash, uint32_t extra_size, arena *memory,
                              firn_error *err) {
    return row_layout_make(self->column_types, self->column_count, has_hash, extra_size, memory,
                           &self->layout, err);
}

firn_status join_side_keys(const join_side *self, expr_state *state, const batch *input,
                           arena *memory, column **out, firn_error *err) {
    column *keys = ARENA_NEW(memory, column, self->key_count + 1);
    if (keys == NULL) {
        return ARENA_FULL(memory, err);
    }
    *out = keys;
    if (self->key_count == 0) {
        return FIRN_OK;
    }
    TRY(expr_run(state, input, memory, keys, err));
    for (uint32_t i = 0; i < self->key_count; i++) {
        if (keys[i].form == FORM_RUNS) {
            const column runs = keys[i];
            TRY(column_flatten(memory, &runs, &keys[i], err));
        }
    }
    return FIRN_OK;
}

firn_status join_side_columns(const join_side *self, const column *keys, const batch *input,
                              arena *memory, column **out, firn_error *err) {
    column *columns = ARENA_NEW(memory, column, self->column_count + 1);
    if (columns == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < self->column_count; i++) {
        if (i < self->key_count) {
            columns[i] = keys[i];
            continue;
        }
        columns[i] = input->columns[self->positions[i]];
        if (columns[i].form == FORM_RUNS) {
            const column runs = columns[i];
            TRY(column_flatten(memory, &runs, &columns[i], err));
        }
    }
    *out = columns;
    return FIRN_OK;
}

firn_status join_side_batch(const join_side *self, const row_store *store,
                            const uint8_t *const *rows, uint32_t count, arena *memory, batch *out,
                            firn_error *err) {
    column *columns = ARENA_NEW(memory, column, self->input_count + 1);
    if (columns == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < self->input_count; i++) {
        if (self->row_columns[i] == ROW_NONE) {
            TRY(column_new_null(memory, self->types[i], count, &columns[i], err));
        } else {
            TRY(rows_gather(store, self->row_columns[i], rows, count, memory, &columns[i], err));
        }
    }
    *out = batch_of(columns, self->input_count, count);
    return FIRN_OK;
}
