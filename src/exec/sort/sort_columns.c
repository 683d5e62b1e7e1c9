// Which columns the rows of a sort hold, and how they get their columns back. One that is itself a
// key of fixed size need not be held twice.
#include "exec/sort/sort_state.h"

static firn_status list_key_types(sort_state *self, firn_error *err) {
    const sort_key_list *keys = &self->node->sort_.keys;
    self->key_types = ARENA_NEW(&self->memory, const type *, keys->count + 1);
    if (self->key_types == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < keys->count; i++) {
        self->key_types[i] = keys->items[i].value->type;
    }
    self->key_bytes = sort_keys_fixed_size(self->key_types, keys->count);
    if (self->key_bytes == 0 && keys->count > 0) {
        self->first_bytes = sort_keys_fixed_size(self->key_types, 1);
    }
    return FIRN_OK;
}

// The key that is this column, from which it can be read back; ROW_NONE: there is none.
static uint32_t find_key(const sort_state *self, uint32_t id) {
    const sort_key_list *keys = &self->node->sort_.keys;
    for (uint32_t i = 0; self->key_bytes > 0 && i < keys->count; i++) {
        const expr *key = keys->items[i].value;
        if (key->kind == EXPR_COLUMN && key->column_.id == id && sort_key_is_exact(key->type)) {
            return i;
        }
    }
    return ROW_NONE;
}

firn_status sort_columns_open(sort_state *self, firn_error *err) {
    arena *memory = &self->memory;
    plan_columns columns;
    TRY(plan_outputs(self->node->sort_.input, memory, &columns, err));
    TRY(list_key_types(self, err));
    const type **types = ARENA_NEW(memory, const type *, columns.count + 1);
    self->columns = ARENA_NEW(memory, sort_column, columns.count + 1);
    if (types == NULL || self->columns == NULL) {
        return ARENA_FULL(memory, err);
    }
    self->width = columns.count;
    types[0] = TYPE_OF(BINARY);
    uint32_t held = self->key_bytes == 0;
    for (uint32_t i = 0; i < columns.count; i++) {
        const uint32_t key = find_key(self, columns.items[i].id);
        self->columns[i] = (sort_column){.number = ROW_NONE, .key = key};
        if (key == ROW_NONE) {
            types[held] = columns.items[i].type;
            self->columns[i].number = held++;
        }
    }
    return row_layout_make(types, held, false, self->key_bytes, memory, &self->layout, err);
}

firn_status sort_columns_keep(const sort_state *self, const batch *rows, column *out,
                              arena *scratch, firn_error *err) {
    for (uint32_t i = 0; i < self->width; i++) {
        const uint32_t number = self->columns[i].number;
        if (number != ROW_NONE) {
            out[number] = rows->columns[i];
            TRY(rows_flatten_runs(&out[number], 1, scratch, err));
        }
    }
    return FIRN_OK;
}

firn_status sort_columns_gather(const sort_state *self, uint32_t i, const uint8_t *const *rows,
                                uint32_t count, arena *memory, column *out, firn_error *err) {
    const sort_column *wanted = &self->columns[i];
    if (wanted->number != ROW_NONE) {
        return rows_gather(&self->store, wanted->number, rows, count, memory, out, err);
    }
    const sort_key_place place = {.type = self->key_types[wanted->key],
                                  .order = self->orders[wanted->key],
                                  .offset = self->layout.extra_offset +
                                            sort_key_offset(self->key_types, wanted->key)};
    return sort_key_decode(&place, rows, count, memory, out, err);
}
