// VALUES: rows that are written out, as constant data where they can be folded, else a UNION ALL.
#include "plan/binder_private.h"

// Rows of expressions: constants become data of the plan, anything else a union of projections.
static firn_status bind_value_rows(binder *self, const sql_values *written, scope *outer,
                                   expr **cells, uint32_t width) {
    const uint32_t *wanted = self->inserted; // Of this VALUES, not of those in its subqueries.
    const uint32_t wanted_count = self->inserted_count;
    self->inserted = NULL;
    for (size_t row = 0; row < written->rows.count; row++) {
        const sql_list *items = &sql_row_of(written->rows.items[row])->items;
        for (uint32_t i = 0; i < width; i++) {
            const sql_expr *item = items->items[i];
            expr **cell = &cells[row * width + i];
            const bool has_column = wanted != NULL && i < wanted_count && wanted[i] != UINT32_MAX;
            if (has_column && sql_is_expr(item, SQL_DEFAULT)) {
                TRY(bind_default_value(self, self->target, wanted[i], item->position, cell));
                continue;
            }
            TRY(bind_expr(self, outer, item, cell));
            if (has_column) {
                const field *into = &self->target->columns.fields[wanted[i]];
                TRY(binder_while_filling(
                    self, into, bind_cast(self, *cell, into->type, false, item->position, cell)));
            }
        }
    }
    return FIRN_OK;
}

// Column i of all rows, brought to one type.
static firn_status common_column(binder *self, expr **cells, uint32_t width, uint32_t row_count,
                                 uint32_t i, uint32_t position, const type **out) {
    expr **column = ARENA_NEW(self->memory, expr *, row_count);
    if (column == NULL) {
        return binder_full(self);
    }
    for (uint32_t row = 0; row < row_count; row++) {
        column[row] = cells[row * width + i];
    }
    TRY(bind_common(self, column, row_count, "VALUES", position, out));
    for (uint32_t row = 0; row < row_count; row++) {
        cells[row * width + i] = column[row];
    }
    return FIRN_OK;
}

// The cells of VALUES, row by row.
typedef struct value_cells {
    expr **items;
    uint32_t width, row_count;
    const uint32_t *inserted; ///< binder.inserted, `inserted_count` of them; NULL outside INSERT.
    uint32_t inserted_count;
} value_cells;

static firn_status check_not_null(binder *self, const field *into, const expr *value,
                                  uint32_t position) {
    return into->is_nullable || !value->literal_.value.is_null
               ? FIRN_OK
               : FAIL_SQL(self->err, FIRN_INVALID, "23502", position,
                          "NULL in column \"%.*s\", which is NOT NULL", TEXT_ARGS(into->name));
}

// Folds constants of a column into flat data; *is_data is false if some cell is no constant.
static firn_status fold_column(binder *self, const value_cells *cells, uint32_t i, const type *type,
                               column *out, bool *is_data) {
    const uint32_t row_count = cells->row_count;
    for (uint32_t row = 0; row < row_count && *is_data; row++) {
        expr **cell = &cells->items[row * cells->width + i];
        if (!expr_is_constant(*cell) || expr_is_volatile(*cell)) {
            *is_data = false;
            return FIRN_OK;
        }
        const uint32_t position = (*cell)->position;
        firn_status status = expr_fold(*cell, self->env->context, self->memory, cell, self->err);
        if (cells->inserted != NULL && i < cells->inserted_count &&
            cells->inserted[i] != UINT32_MAX) {
            const field *into = &self->target->columns.fields[cells->inserted[i]];
            TRY(binder_while_filling(self, into, status));
            TRY(check_not_null(self, into, *cell, position));
        }
        TRY(status);
    }
    const column **sources = ARENA_NEW(self->memory, const column *, row_count);
    uint32_t *rows = ARENA_NEW(self->memory, uint32_t, row_count);
    if (sources == NULL || rows == NULL) {
        return binder_full(self);
    }
    for (uint32_t row = 0; row < row_count; row++) {
        const literal *value = &cells->items[row * cells->width + i]->literal_.value;
        sources[row] = value->is_null ? NULL : value->value;
        rows[row] = 0;
    }
    const gathered_rows from = {.sources = sources, .rows = rows, .count = row_count};
    return column_gather(self->memory, type, &from, out, self->err);
}

static firn_status add_value_columns(binder *self, plan_node *node, bound_query *out,
                                     const type *const *types, uint32_t width) {
    for (uint32_t i = 0; i < width; i++) {
        const uint32_t id = binder_new_id(self);
        text name;
        TRY(text_format(self->memory, &name, self->err, "column%u", i + 1));
        TRY(plan_columns_add(self, &out->columns,
                             (plan_column){.id = id, .type = types[i], .name = name}));
        u32_list *ids = node->kind == PLAN_VALUES ? &node->values_.ids : &node->union_.ids;
        TRY(u32_list_add(self, ids, id));
    }
    return FIRN_OK;
}

// Rows with subqueries, parameters or outer columns: each a projection of one row.
static firn_status union_rows(binder *self, expr **cells, const type *const *types, uint32_t width,
                              uint32_t row_count, bound_query *out) {
    plan_node *node;
    TRY(binder_node(self, PLAN_UNION, &node));
    plan_node **inputs = ARENA_NEW(self->memory, plan_node *, row_count);
    field *fields = ARENA_NEW(self->memory, field, width + 1);
    if (inputs == NULL || fields == NULL) {
        return binder_full(self);
    }
    *out = (bound_query){.node = node};
    TRY(add_value_columns(self, node, out, types, width));
    for (uint32_t row = 0; row < row_count; row++) {
        plan_node *one;
        expr_list values = {0};
        u32_list ids = {0};
        TRY(binder_node(self, PLAN_VALUES, &one));
        one->values_.row_count = 1;
        for (uint32_t i = 0; i < width; i++) {
            const uint32_t id = binder_new_id(self);
            TRY(expr_list_add(self, &values, cells[row * width + i]));
            TRY(u32_list_add(self, &ids, id));
            TRY(u32_list_add(self, &node->union_.input_ids, id));
        }
        TRY(binder_project(self, one, &values, &ids, &inputs[row]));
    }
    for (uint32_t i = 0; i < width; i++) {
        fields[i] = (field){.name = out->columns.items[i].name, .type = types[i], .id = -1};
    }
    node->union_.inputs = (plan_list){.count = row_count, .items = inputs};
    node->union_.columns = (schema){.count = width, .fields = fields};
    return FIRN_OK;
}

firn_status bind_values(binder *self, const sql_values *written, scope *outer, bound_query *out) {
    const uint32_t width = (uint32_t)sql_row_of(written->rows.items[0])->items.count;
    const uint32_t row_count = (uint32_t)written->rows.count;
    expr **cells = arena_alloc(self->memory, (size_t)width * row_count, sizeof *cells);
    column *columns = ARENA_NEW(self->memory, column, width + 1);
    const type **types = ARENA_NEW(self->memory, const type *, width + 1);
    scope *names = scope_new(self, outer);
    const value_cells all = {.items = cells,
                             .width = width,
                             .row_count = row_count,
                             .inserted = self->inserted,
                             .inserted_count = self->inserted_count};
    if (cells == NULL || columns == NULL || types == NULL || names == NULL) {
        return binder_full(self);
    }
    TRY(bind_value_rows(self, written, names, cells, width));
    bool is_data = true;
    for (uint32_t i = 0; i < width; i++) {
        TRY(common_column(self, cells, width, row_count, i, written->node.position, &types[i]));
    }
    for (uint32_t i = 0; i < width && is_data; i++) {
        TRY(fold_column(self, &all, i, types[i], &columns[i], &is_data));
    }
    if (!is_data) {
        return union_rows(self, cells, types, width, row_count, out);
    }
    plan_node *node;
    TRY(binder_node(self, PLAN_VALUES, &node));
    *out = (bound_query){.node = node};
    node->values_.columns = (column_data_list){.count = width, .items = columns};
    node->values_.row_count = row_count;
    return add_value_columns(self, node, out, types, width);
}
