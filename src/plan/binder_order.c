// Whole queries: set operations, VALUES, and ORDER BY, LIMIT and OFFSET around them.
#include <assert.h>

#include "plan/binder_private.h"

static firn_status bind_body(binder *self, const sql_body *body, const sql_list *order,
                             scope *outer, bound_query *out);

// ---- VALUES ----------------------------------------------------------------------------------

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
                TRY(bind_default_value(self, self->target, wanted[i], cell));
                continue;
            }
            TRY(bind_expr(self, outer, item, cell));
            if (has_column) {
                TRY(bind_cast(self, *cell, self->target->columns.fields[wanted[i]].type, false,
                              item->position, cell));
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
} value_cells;

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
        TRY(expr_fold(*cell, self->env->context, self->memory, cell, self->err));
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
    return column_gather(self->memory, type, sources, rows, row_count, out, self->err);
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

static firn_status bind_values(binder *self, const sql_values *written, scope *outer,
                               bound_query *out) {
    const uint32_t width = (uint32_t)sql_row_of(written->rows.items[0])->items.count;
    const uint32_t row_count = (uint32_t)written->rows.count;
    expr **cells = arena_alloc(self->memory, (size_t)width * row_count, sizeof *cells);
    column *columns = ARENA_NEW(self->memory, column, width + 1);
    const type **types = ARENA_NEW(self->memory, const type *, width + 1);
    scope *names = scope_new(self, outer);
    if (cells == NULL || columns == NULL || types == NULL || names == NULL) {
        return binder_full(self);
    }
    TRY(bind_value_rows(self, written, names, cells, width));
    const value_cells all = {.items = cells, .width = width, .row_count = row_count};
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

// ---- Set operations --------------------------------------------------------------------------

// Untyped literals and parameters in the select list of a side become what the columns are.
static firn_status type_literals(binder *self, bound_query *query, const type *const *types,
                                 uint32_t position) {
    plan_node *node = query->node;
    for (uint32_t i = 0; i < query->columns.count && node->kind == PLAN_PROJECT; i++) {
        plan_column *column = &query->columns.items[i];
        for (uint32_t k = 0; k < node->project_.ids.count; k++) {
            expr **value = &node->project_.values.items[k];
            if (node->project_.ids.items[k] == column->id && bind_is_unknown(*value)) {
                TRY(bind_coerce(self, *value, types[i], position, value));
                column->type = (*value)->type;
            }
        }
    }
    return FIRN_OK;
}

firn_status bind_cast_columns(binder *self, bound_query *query, const type *const *types,
                              uint32_t position) {
    bool differs = false;
    TRY(type_literals(self, query, types, position));
    for (uint32_t i = 0; i < query->columns.count; i++) {
        differs |= query->columns.items[i].type == &type_unknown ||
                   !type_same_values(query->columns.items[i].type, types[i]);
    }
    if (!differs) {
        return FIRN_OK;
    }
    expr_list values = {0};
    u32_list ids = {0};
    plan_columns columns = {0};
    for (uint32_t i = 0; i < query->columns.count; i++) {
        const plan_column *column = &query->columns.items[i];
        expr *value = expr_column(self->memory, column->id, column->name, column->type);
        if (value == NULL) {
            return binder_full(self);
        }
        TRY(bind_coerce(self, value, types[i], position, &value));
        const uint32_t id = binder_new_id(self);
        TRY(expr_list_add(self, &values, value));
        TRY(u32_list_add(self, &ids, id));
        TRY(plan_columns_add(self, &columns,
                             (plan_column){.id = id, .type = types[i], .name = column->name}));
    }
    query->columns = columns;
    return binder_project(self, query->node, &values, &ids, &query->node);
}

// The common types of the columns of all sides.
static firn_status common_types(binder *self, const bound_query *sides, uint32_t count,
                                uint32_t position, const type ***out) {
    const uint32_t width = sides[0].columns.count;
    const type **types = ARENA_NEW(self->memory, const type *, width + 1);
    expr **cells = ARENA_NEW(self->memory, expr *, count);
    if (types == NULL || cells == NULL) {
        return binder_full(self);
    }
    for (uint32_t i = 0; i < width; i++) {
        for (uint32_t side = 0; side < count; side++) {
            const plan_column *column = &sides[side].columns.items[i];
            cells[side] = expr_column(self->memory, column->id, column->name, column->type);
            if (cells[side] == NULL) {
                return binder_full(self);
            }
        }
        TRY(bind_common(self, cells, count, "a set operation", position, &types[i]));
    }
    *out = types;
    return FIRN_OK;
}

static firn_status check_width(binder *self, const bound_query *left, const bound_query *right,
                               uint32_t position) {
    if (left->columns.count != right->columns.count) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42601", position,
                        "the sides of a set operation have %u and %u columns", left->columns.count,
                        right->columns.count);
    }
    return FIRN_OK;
}

// Brings the columns of all sides to their common types.
static firn_status unify_sides(binder *self, bound_query *sides, uint32_t count,
                               uint32_t position) {
    const type **types = NULL;
    TRY(common_types(self, sides, count, position, &types));
    for (uint32_t i = 0; i < count; i++) {
        TRY(bind_cast_columns(self, &sides[i], types, position));
    }
    return FIRN_OK;
}

// The columns of both sides in one UNION ALL node, with a tag column if `tags` is not NULL.
static firn_status union_of(binder *self, bound_query *sides, uint32_t count, bound_query *out) {
    plan_node *node;
    TRY(binder_node(self, PLAN_UNION, &node));
    const uint32_t width = sides[0].columns.count;
    plan_node **inputs = ARENA_NEW(self->memory, plan_node *, count);
    field *fields = ARENA_NEW(self->memory, field, width + 1);
    if (inputs == NULL || fields == NULL) {
        return binder_full(self);
    }
    *out = (bound_query){.node = node};
    for (uint32_t i = 0; i < width; i++) {
        const plan_column *column = &sides[0].columns.items[i];
        const uint32_t id = binder_new_id(self);
        fields[i] =
            (field){.name = column->name, .type = column->type, .is_nullable = true, .id = -1};
        TRY(u32_list_add(self, &node->union_.ids, id));
        TRY(plan_columns_add(self, &out->columns,
                             (plan_column){.id = id, .type = column->type, .name = column->name}));
    }
    for (uint32_t side = 0; side < count; side++) {
        inputs[side] = sides[side].node;
        for (uint32_t i = 0; i < width; i++) {
            TRY(u32_list_add(self, &node->union_.input_ids, sides[side].columns.items[i].id));
        }
    }
    node->union_.inputs = (plan_list){.count = count, .items = inputs};
    node->union_.columns = (schema){.count = width, .fields = fields};
    return FIRN_OK;
}

static firn_status group_all(binder *self, bound_query *query, uint32_t key_count,
                             plan_node **out) {
    TRY(binder_node(self, PLAN_AGGREGATE, out));
    (*out)->aggregate_.input = query->node;
    (*out)->aggregate_.set_id = NO_SLOT;
    for (uint32_t i = 0; i < key_count; i++) {
        const plan_column *column = &query->columns.items[i];
        expr *key = expr_column(self->memory, column->id, column->name, column->type);
        if (key == NULL) {
            return binder_full(self);
        }
        TRY(expr_list_add(self, &(*out)->aggregate_.keys, key));
        TRY(u32_list_add(self, &(*out)->aggregate_.key_ids, column->id));
    }
    query->node = *out;
    return FIRN_OK;
}

// Gives a side two BIGINT columns more: 1 and 0, or 0 and 1. Their sums count each row per side.
static firn_status add_tags(binder *self, bound_query *side, bool is_left) {
    expr_list values = {0};
    u32_list ids = {0};
    for (uint32_t i = 0; i < side->columns.count; i++) {
        const plan_column *column = &side->columns.items[i];
        expr *value = expr_column(self->memory, column->id, column->name, column->type);
        if (value == NULL) {
            return binder_full(self);
        }
        TRY(expr_list_add(self, &values, value));
        TRY(u32_list_add(self, &ids, column->id));
    }
    for (int tag = 0; tag < 2; tag++) {
        expr *value = expr_i64(self->memory, TYPE_OF(BIGINT), (tag == 0) == is_left ? 1 : 0);
        if (value == NULL) {
            return binder_full(self);
        }
        const uint32_t id = binder_new_id(self);
        TRY(expr_list_add(self, &values, value));
        TRY(u32_list_add(self, &ids, id));
        TRY(plan_columns_add(self, &side->columns,
                             (plan_column){.id = id, .type = TYPE_OF(BIGINT), .name = TEXT("")}));
    }
    return binder_project(self, side->node, &values, &ids, &side->node);
}

static firn_status bigint(binder *self, expr *value, expr **out) {
    return bind_cast(self, value, TYPE_OF(BIGINT), false, UINT32_MAX, out);
}

// INTERSECT and EXCEPT by counting: group the union of both sides, keep groups by how many rows
// they have left and right; ALL repeats each group min(l, r) or max(l - r, 0) times.
static firn_status count_sides(binder *self, const sql_set_operation *written, bound_query *sides,
                               bound_query *out) {
    TRY(add_tags(self, &sides[0], true));
    TRY(add_tags(self, &sides[1], false));
    bound_query both;
    TRY(union_of(self, sides, 2, &both));
    const uint32_t width = both.columns.count - 2;
    plan_node *group;
    TRY(group_all(self, &both, width, &group));
    expr *counts[2];
    for (uint32_t side = 0; side < 2; side++) {
        const plan_column *tag = &both.columns.items[width + side];
        expr *arg = expr_column(self->memory, tag->id, TEXT(""), tag->type);
        expr *sum;
        const overload_request request = {
            .types = &tag->type, .args = &arg, .arg_count = 1, .position = UINT32_MAX};
        TRY(aggregate_call_new(aggregate_find(TEXT("sum")), &request, self->memory, &sum,
                               self->err));
        const uint32_t id = binder_new_id(self);
        TRY(expr_list_add(self, &group->aggregate_.aggregates, sum));
        TRY(u32_list_add(self, &group->aggregate_.ids, id));
        expr *counted = expr_column(self->memory, id, TEXT(""), sum->type);
        if (counted == NULL) {
            return binder_full(self);
        }
        TRY(bigint(self, counted, &counts[side]));
    }
    both.columns.count = width;
    const bool is_except = written->op == SQL_EXCEPT;
    plan_node *node;
    if (written->is_all) {
        expr *times;
        if (is_except) {
            TRY(bind_call2(self, "-", counts[0], counts[1], UINT32_MAX, &times));
        } else {
            TRY(bind_call2(self, "least", counts[0], counts[1], UINT32_MAX, &times));
        }
        TRY(binder_node(self, PLAN_REPEAT, &node));
        node->repeat_.input = group;
        node->repeat_.times = times;
    } else {
        expr *zero = expr_i64(self->memory, TYPE_OF(BIGINT), 0);
        expr *left;
        expr *right;
        TRY(bind_call2(self, ">", counts[0], zero, UINT32_MAX, &left));
        TRY(bind_call2(self, is_except ? "=" : ">", counts[1], zero, UINT32_MAX, &right));
        TRY(binder_node(self, PLAN_FILTER, &node));
        node->filter_.input = group;
        node->filter_.predicate = expr_and(self->memory, left, right);
        if (node->filter_.predicate == NULL) {
            return binder_full(self);
        }
    }
    both.node = node;
    *out = both;
    return FIRN_OK;
}

static firn_status by_name(binder *self, const sql_set_operation *written, bound_query *left,
                           bound_query *right) {
    // Every name of either side; what a side lacks is NULL.
    plan_columns names = {0};
    for (int side = 0; side < 2; side++) {
        const plan_columns *columns = side == 0 ? &left->columns : &right->columns;
        for (uint32_t i = 0; i < columns->count; i++) {
            bool is_known = false;
            for (uint32_t k = 0; k < names.count; k++) {
                is_known |= text_equal_nocase(names.items[k].name, columns->items[i].name);
            }
            if (!is_known) {
                TRY(plan_columns_add(self, &names, columns->items[i]));
            }
        }
    }
    (void)written;
    for (int side = 0; side < 2; side++) {
        bound_query *query = side == 0 ? left : right;
        expr_list values = {0};
        u32_list ids = {0};
        plan_columns columns = {0};
        for (uint32_t k = 0; k < names.count; k++) {
            const plan_column *found = NULL;
            for (uint32_t i = 0; i < query->columns.count; i++) {
                if (text_equal_nocase(query->columns.items[i].name, names.items[k].name)) {
                    found = &query->columns.items[i];
                }
            }
            expr *value = found == NULL
                              ? expr_null(self->memory, names.items[k].type)
                              : expr_column(self->memory, found->id, found->name, found->type);
            if (value == NULL) {
                return binder_full(self);
            }
            const uint32_t id = binder_new_id(self);
            TRY(expr_list_add(self, &values, value));
            TRY(u32_list_add(self, &ids, id));
            TRY(plan_columns_add(
                self, &columns,
                (plan_column){.id = id, .type = value->type, .name = names.items[k].name}));
        }
        TRY(binder_project(self, query->node, &values, &ids, &query->node));
        query->columns = columns;
    }
    return FIRN_OK;
}

#define UNION_NODES 2   // With the grouping of its rows, or the projection of its columns by name.
#define COUNTED_NODES 4 // INTERSECT and EXCEPT: see count_sides.

// Sides of UNIONs that stand in a row; together one node, and one grouping if the last is no ALL.
typedef struct union_run {
    bound_query *sides;
    uint32_t count, capacity;
    bool is_distinct;
    uint32_t position;
    uint32_t node_count; // Nodes over nodes that the first side is by now.
} union_run;

static firn_status add_side(binder *self, union_run *run, const bound_query *side) {
    if (run->count == run->capacity) {
        run->sides = binder_grow(self, run->sides, run->count, &run->capacity, sizeof *run->sides);
        if (run->sides == NULL) {
            return binder_full(self);
        }
    }
    run->sides[run->count++] = *side;
    return FIRN_OK;
}

// Walks over a plan recurse, so what a chain may pile up is bounded.
static firn_status count_nodes(binder *self, union_run *run, uint32_t added, uint32_t position) {
    run->node_count += added;
    return run->node_count <= BIND_NESTING_MAX
               ? FIRN_OK
               : FAIL_SQL(self->err, FIRN_INVALID, "54001", position,
                          "too many set operations in a chain: INTERSECT, EXCEPT, BY NAME and "
                          "UNION ALL behind UNION make more than %d nodes, one over the other",
                          BIND_NESTING_MAX);
}

// Makes one query of a run, which goes on with it as its only side.
static firn_status end_run(binder *self, union_run *run) {
    bound_query made = run->sides[0];
    plan_node *group;
    if (run->count > 1) {
        TRY(count_nodes(self, run, UNION_NODES, run->position));
        TRY(unify_sides(self, run->sides, run->count, run->position));
        TRY(union_of(self, run->sides, run->count, &made));
    }
    if (run->is_distinct) {
        TRY(group_all(self, &made, made.columns.count, &group));
    }
    run->sides[0] = made;
    run->count = 1;
    run->is_distinct = false;
    return FIRN_OK;
}

static firn_status combine(binder *self, const sql_set_operation *written, union_run *run,
                           bound_query *right) {
    const bool is_union = written->op == SQL_UNION;
    const bool goes_on =
        is_union && !written->is_by_name && (!run->is_distinct || !written->is_all);
    if (!goes_on) {
        TRY(end_run(self, run));
    }
    if (written->is_by_name) {
        TRY(by_name(self, written, &run->sides[0], right));
    }
    TRY(check_width(self, &run->sides[0], right, written->node.position));
    run->position = written->node.position;
    if (is_union) {
        run->is_distinct |= !written->is_all;
        return add_side(self, run, right);
    }
    bound_query sides[2] = {run->sides[0], *right};
    TRY(count_nodes(self, run, COUNTED_NODES, written->node.position));
    TRY(unify_sides(self, sides, 2, written->node.position));
    return count_sides(self, written, sides, &run->sides[0]);
}

// A chain of set operations leans to the left: walked from the innermost outwards.
static firn_status bind_set_operation(binder *self, const sql_set_operation *written, scope *outer,
                                      bound_query *out) {
    uint32_t depth = 1;
    const sql_body *innermost = written->left;
    while (sql_body_kind_of(innermost) == SQL_SET_OPERATION) {
        innermost = sql_set_operation_of(innermost)->left;
        depth++;
    }
    const sql_set_operation **chain = ARENA_NEW(self->memory, const sql_set_operation *, depth);
    if (chain == NULL) {
        return binder_full(self);
    }
    chain[0] = written;
    for (uint32_t i = 1; i < depth; i++) {
        chain[i] = sql_set_operation_of(chain[i - 1]->left);
    }
    union_run run = {0};
    bound_query side = {0};
    self->is_branch = sql_body_kind_of(innermost) == SQL_SELECT;
    TRY(bind_body(self, innermost, NULL, outer, &side));
    TRY(add_side(self, &run, &side));
    for (uint32_t rest = depth; rest > 0; rest--) {
        const uint32_t i = rest - 1;
        side = (bound_query){0};
        self->is_branch = sql_body_kind_of(chain[i]->right) == SQL_SELECT;
        TRY(bind_body(self, chain[i]->right, NULL, outer, &side));
        TRY(combine(self, chain[i], &run, &side));
    }
    TRY(end_run(self, &run));
    *out = run.sides[0];
    return FIRN_OK;
}

// ---- ORDER BY, LIMIT -------------------------------------------------------------------------

static firn_status bind_body(binder *self, const sql_body *body, const sql_list *order,
                             scope *outer, bound_query *out) {
    switch (sql_body_kind_of(body)) {
    case SQL_QUERY:
        return bind_query_body(self, sql_query_of(body), outer, out);
    case SQL_SELECT:
        return bind_select(self, sql_select_of(body), order, outer, out);
    case SQL_SET_OPERATION:
        return bind_set_operation(self, sql_set_operation_of(body), outer, out);
    case SQL_VALUES:
        return bind_values(self, sql_values_of(body), outer, out);
    }
    return FAIL(self->err, FIRN_INTERNAL, "an unknown query body");
}

// ORDER BY over a set operation or VALUES: names, ordinals and expressions of the result columns.
firn_status bind_sort_keys(binder *self, const sql_list *order, const plan_columns *columns,
                           scope *names, sort_key_list *out) {
    sort_key *items = arena_alloc(self->memory, order->count + columns->count, sizeof *items);
    if (items == NULL) {
        return binder_full(self);
    }
    *out = (sort_key_list){.items = items};
    for (size_t i = 0; i < order->count; i++) {
        const sql_order_item *item = sql_order_item_of(order->items[i]);
        uint32_t ordinal = 0;
        if (item->value != NULL && sql_is_expr(item->value, SQL_LITERAL) &&
            sql_literal_of(item->value)->kind == SQL_LITERAL_INTEGER) {
            expr *number;
            TRY(bind_expr(self, names, item->value, &number));
            TRY(bind_cast(self, number, TYPE_OF(INTEGER), false, item->value->position, &number));
            const int32_t value = *COLUMN_VALUES(number->literal_.value.value, int32_t);
            if (value < 1 || (uint32_t)value > columns->count) {
                return FAIL_SQL(self->err, FIRN_INVALID, "42P10", item->value->position,
                                "position %d is not among the %u result columns", value,
                                columns->count);
            }
            ordinal = (uint32_t)value;
        }
        const bool is_all = item->value == NULL;
        for (uint32_t k = 0; k < columns->count && (is_all || ordinal > 0); k++) {
            if (is_all || k + 1 == ordinal) {
                const plan_column *column = &columns->items[k];
                expr *value = expr_column(self->memory, column->id, column->name, column->type);
                if (value == NULL) {
                    return binder_full(self);
                }
                items[out->count++] = sort_key_of(item, value);
            }
        }
        if (!is_all && ordinal == 0) {
            expr *value;
            TRY(bind_expr(self, names, item->value, &value));
            items[out->count++] = sort_key_of(item, value);
        }
    }
    return FIRN_OK;
}

// Sort keys that are no plain columns are computed below the sort.
static firn_status sort_query(binder *self, const sql_query *query, bound_query *out) {
    scope *names = scope_new(self, NULL);
    if (names == NULL) {
        return binder_full(self);
    }
    const sql_names none = {0};
    TRY(scope_add_query(self, names, &out->columns, TEXT(""), (text_list){0}, &none, 0));
    sort_key_list keys;
    TRY(bind_sort_keys(self, &query->order_by, &out->columns, names, &keys));
    expr_list values = {0};
    u32_list ids = {0};
    for (uint32_t i = 0; i < out->columns.count; i++) {
        const plan_column *column = &out->columns.items[i];
        expr *value = expr_column(self->memory, column->id, column->name, column->type);
        if (value == NULL) {
            return binder_full(self);
        }
        TRY(expr_list_add(self, &values, value));
        TRY(u32_list_add(self, &ids, column->id));
    }
    for (uint32_t i = 0; i < keys.count; i++) {
        expr *key = keys.items[i].value;
        if (key->kind != EXPR_COLUMN) {
            const uint32_t id = binder_new_id(self);
            TRY(expr_list_add(self, &values, key));
            TRY(u32_list_add(self, &ids, id));
            keys.items[i].value = expr_column(self->memory, id, TEXT(""), key->type);
            if (keys.items[i].value == NULL) {
                return binder_full(self);
            }
        }
    }
    plan_node *sort;
    plan_node *input = out->node;
    if (values.count > out->columns.count) {
        TRY(binder_project(self, out->node, &values, &ids, &input));
    }
    TRY(binder_node(self, PLAN_SORT, &sort));
    sort->sort_.input = input;
    sort->sort_.keys = keys;
    sort->sort_.limit = UINT64_MAX;
    sort->sort_.dynamic_slot = NO_SLOT;
    out->node = sort;
    return FIRN_OK;
}

static firn_status bind_limit_value(binder *self, const sql_expr *written, scope *outer,
                                    const char *what, expr **out) {
    *out = NULL;
    if (written == NULL) {
        return FIRN_OK;
    }
    scope *nothing = scope_new(self, outer);
    if (nothing == NULL) {
        return binder_full(self);
    }
    TRY(bind_expr(self, nothing, written, out));
    TRY(bind_cast(self, *out, TYPE_OF(BIGINT), false, written->position, out));
    if ((*out)->kind == EXPR_LITERAL && !(*out)->literal_.value.is_null &&
        *COLUMN_VALUES((*out)->literal_.value.value, int64_t) < 0) {
        return FAIL_SQL(self->err, FIRN_INVALID, "2201W", written->position,
                        "%s must not be negative", what);
    }
    return FIRN_OK;
}

static firn_status limit_query(binder *self, const sql_query *query, scope *outer,
                               bound_query *out) {
    if (query->limit == NULL && query->offset == NULL) {
        return FIRN_OK;
    }
    if (query->is_limit_percent || query->with_ties) {
        return FAIL_SQL(self->err, FIRN_UNSUPPORTED, "0A000", query->node.position,
                        "%s is not supported",
                        query->with_ties ? "WITH TIES" : "a LIMIT in percent");
    }
    plan_node *node;
    TRY(binder_node(self, PLAN_LIMIT, &node));
    node->limit_.input = out->node;
    TRY(bind_limit_value(self, query->limit, outer, "LIMIT", &node->limit_.limit));
    TRY(bind_limit_value(self, query->offset, outer, "OFFSET", &node->limit_.offset));
    out->node = node;
    return FIRN_OK;
}

firn_status bind_query_body(binder *self, const sql_query *query, scope *outer, bound_query *out) {
    cte *const before = self->ctes;
    if (query->with != NULL && query->with->is_recursive) {
        return FAIL_SQL(self->err, FIRN_UNSUPPORTED, "0A000", query->with->node.position,
                        "WITH RECURSIVE is not supported");
    }
    TRY(bind_with(self, query->with, outer));
    const bool is_select = sql_body_kind_of(query->body) == SQL_SELECT;
    const sql_list *order = query->order_by.count > 0 ? &query->order_by : NULL;
    TRY(bind_body(self, query->body, is_select ? order : NULL, outer, out));
    if (order != NULL && !is_select) {
        TRY(sort_query(self, query, out));
    }
    TRY(limit_query(self, query, outer, out));
    return bind_end_with(self, before, &out->node);
}
