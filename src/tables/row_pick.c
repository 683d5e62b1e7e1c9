#include "tables/row_pick.h"

firn_status row_filter_open(expr_list filters, const uint32_t *ids, uint32_t count,
                            const scan_env *env, arena *memory, expr_state **out, firn_error *err) {
    *out = NULL;
    if (filters.count == 0) {
        return FIRN_OK;
    }
    expr *all = expr_and_all(memory, filters.items, filters.count);
    if (all == NULL) {
        return ARENA_FULL(memory, err);
    }
    input_layout layout = {.count = count, .ids = ids};
    TRY(input_layout_index(&layout, memory, err));
    const expr *root = all;
    expr_program *program;
    TRY(expr_compile(&root, 1, &layout, memory, &program, err));
    return expr_open(program, env->context, env->dynamic, memory, out, err);
}

firn_status row_field(const column *parent, uint32_t child, arena *scratch, column *out,
                      firn_error *err) {
    column flat;
    TRY(column_flatten(scratch, parent, &flat, err));
    if (flat.validity == NULL) {
        *out = flat.children[child];
        return FIRN_OK;
    }
    TRY(column_flatten(scratch, &flat.children[child], out, err));
    uint64_t *bits = ARENA_NEW(scratch, uint64_t, BITMAP_WORDS(out->length) + 1);
    if (bits == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (size_t word = 0; word < BITMAP_WORDS(out->length); word++) {
        bits[word] =
            flat.validity[word] & (out->validity == NULL ? UINT64_MAX : out->validity[word]);
    }
    out->validity = bits;
    return FIRN_OK;
}

firn_status row_pick_open(row_pick *self, const scan_request *request, const scan_env *env,
                          arena *memory, firn_error *err) {
    *self = (row_pick){.request = request,
                       .columns = ARENA_NEW(memory, column, request->column_count + 1)};
    uint32_t *ids = ARENA_NEW(memory, uint32_t, request->column_count + 1);
    if (self->columns == NULL || ids == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < request->column_count; i++) {
        ids[i] = request->columns[i].id;
    }
    return row_filter_open(request->filters, ids, request->column_count, env, memory, &self->filter,
                           err);
}

// A column of the rows, or a field of one.
static firn_status pick(const batch *rows, const scan_column *wanted, arena *scratch, column *out,
                        firn_error *err) {
    *out = rows->columns[wanted->path[0]];
    for (uint32_t i = 1; i < wanted->path_length; i++) {
        const column parent = *out;
        TRY(row_field(&parent, wanted->path[i], scratch, out, err));
    }
    return FIRN_OK;
}

firn_status row_pick_apply(row_pick *self, const batch *rows, uint32_t from, uint32_t count,
                           arena *scratch, batch *out, firn_error *err) {
    for (uint32_t i = 0; i < self->request->column_count; i++) {
        TRY(pick(rows, &self->request->columns[i], scratch, &self->columns[i], err));
        if (count < rows->row_count) {
            const column whole = self->columns[i];
            TRY(column_slice(scratch, &whole, from, count, &self->columns[i], err));
        }
    }
    *out = batch_of(self->columns, self->request->column_count, count);
    if (self->filter != NULL) {
        TRY(expr_filter(self->filter, out, scratch, &out->selection, &out->selected_count, err));
    }
    out->column_count = self->request->output_count;
    return FIRN_OK;
}

firn_status row_pick_number(row_pick *self, uint64_t first, arena *scratch, batch *out,
                            firn_error *err) {
    column *ids = &self->columns[out->column_count]; // Behind it only filters had columns.
    TRY(column_new_unset(scratch, TYPE_OF(UBIGINT), out->row_count, ids, err));
    for (uint32_t i = 0; i < out->row_count; i++) {
        COLUMN_OUT(ids, uint64_t)[i] = first + i;
    }
    out->column_count++;
    return FIRN_OK;
}

void row_pick_close(row_pick *self) {
    expr_close(self->filter);
}
