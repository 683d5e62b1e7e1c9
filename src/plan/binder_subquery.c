// Subqueries: as values, behind EXISTS, IN, ANY and ALL, and copies of expressions that hold some.
#include "plan/binder_private.h"

// A subquery that stands twice is two subqueries: unnesting rewrites each in its place.
static bool copy_subquery(void *user, expr **slot) {
    binder *self = user;
    if ((*slot)->kind != EXPR_SUBQUERY) {
        return expr_visit_children(*slot, copy_subquery, user);
    }
    const uint32_t id_count = self->next_id;
    uint32_t *renamed = ARENA_NEW(self->memory, uint32_t, id_count + 1);
    if (renamed == NULL) {
        return binder_full(self) == FIRN_OK;
    }
    for (uint32_t i = 0; i < id_count; i++) {
        renamed[i] = i;
    }
    return plan_copy_renamed(self->memory, (*slot)->subquery_.plan, &self->next_id, renamed,
                             id_count, &(*slot)->subquery_.plan, self->err) == FIRN_OK &&
           expr_visit_children(*slot, copy_subquery, user);
}

firn_status bind_copy(binder *self, const expr *value, expr **out) {
    *out = expr_copy(self->memory, value);
    if (*out == NULL) {
        return binder_full(self);
    }
    return copy_subquery(self, out) ? FIRN_OK : self->err->status;
}

static firn_status new_subquery(binder *self, scope *names, const sql_query *query,
                                subquery_kind kind, bound_query *rows, expr **out) {
    TRY(bind_query_body(self, query, names, rows));
    const bool is_scalar = kind == SUBQUERY_SCALAR;
    if (is_scalar && rows->columns.count != 1) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42601", query->node.position,
                        "a subquery used as a value gives %u columns, one is needed",
                        rows->columns.count);
    }
    const type *result = is_scalar ? rows->columns.items[0].type : TYPE_OF(BOOLEAN);
    *out =
        expr_new(self->memory, EXPR_SUBQUERY, result == &type_unknown ? TYPE_OF(VARCHAR) : result);
    if (*out == NULL) {
        return binder_full(self);
    }
    (*out)->subquery_.subquery = kind;
    (*out)->subquery_.plan = rows->node;
    (*out)->position = query->node.position;
    return FIRN_OK;
}

// The rows keep only the columns that the subquery is about, first; sort columns behind them go.
static firn_status narrow(binder *self, bound_query *rows) {
    plan_columns made;
    TRY(plan_outputs(rows->node, self->memory, &made, self->err));
    if (made.count == rows->columns.count) {
        return FIRN_OK;
    }
    expr_list values = {0};
    u32_list ids = {0};
    for (uint32_t i = 0; i < rows->columns.count; i++) {
        const plan_column *column = &rows->columns.items[i];
        expr *value = expr_column(self->memory, column->id, column->name, column->type);
        if (value == NULL) {
            return binder_full(self);
        }
        TRY(expr_list_add(self, &values, value));
        TRY(u32_list_add(self, &ids, column->id));
    }
    return binder_project(self, rows->node, &values, &ids, &rows->node);
}

// left op ANY|ALL (query): both sides brought to what they are compared as.
firn_status bind_compare_query(binder *self, scope *names, const sql_expr *left,
                               const sql_query *query, const char *comparison, subquery_kind kind,
                               expr **out) {
    expr_list args = {0};
    bound_query rows = {0};
    TRY(bind_row_items(self, names, left, &args));
    TRY(new_subquery(self, names, query, kind, &rows, out));
    if (rows.columns.count != args.count) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42601", query->node.position,
                        "the subquery gives %u columns, %u are compared", rows.columns.count,
                        args.count);
    }
    const type **types = ARENA_NEW(self->memory, const type *, args.count + 1);
    if (types == NULL) {
        return binder_full(self);
    }
    for (uint32_t i = 0; i < args.count; i++) {
        const plan_column *column = &rows.columns.items[i];
        expr *side = expr_column(self->memory, column->id, column->name, column->type);
        expr_list one = {0};
        if (side == NULL) {
            return binder_full(self);
        }
        TRY(expr_list_add(self, &one, side));
        TRY(bind_compared_type(self, args.items[i], &one, &types[i]));
        TRY(bind_cast(self, args.items[i], types[i], false, left->position, &args.items[i]));
    }
    // Casts of the subquery's side may be explicit ones: text compared with a number.
    expr_list values = {0};
    u32_list ids = {0};
    for (uint32_t i = 0; i < args.count; i++) {
        const plan_column *column = &rows.columns.items[i];
        expr *value = expr_column(self->memory, column->id, column->name, column->type);
        if (value == NULL) {
            return binder_full(self);
        }
        TRY(bind_cast(self, value, types[i], false, query->node.position, &value));
        TRY(expr_list_add(self, &values, value));
        TRY(u32_list_add(self, &ids, binder_new_id(self)));
    }
    TRY(binder_project(self, rows.node, &values, &ids, &rows.node));
    (*out)->subquery_.plan = rows.node;
    (*out)->subquery_.args = args;
    (*out)->subquery_.comparison = text_of(comparison);
    return FIRN_OK;
}

firn_status bind_subquery(binder *self, scope *names, const sql_subquery *written, expr **out) {
    bound_query rows = {0};
    if (written->kind == SQL_SUBQUERY_EXISTS) {
        return new_subquery(self, names, written->query, SUBQUERY_EXISTS, &rows, out);
    }
    if (written->kind == SQL_SUBQUERY_SCALAR) {
        TRY(new_subquery(self, names, written->query, SUBQUERY_SCALAR, &rows, out));
        TRY(narrow(self, &rows));
        (*out)->subquery_.plan = rows.node;
        return FIRN_OK;
    }
    // ARRAY(query): array_agg over its rows, an empty list for none.
    return FAIL_SQL(self->err, FIRN_UNSUPPORTED, "0A000", written->node.position,
                    "ARRAY(query) is not supported; write (SELECT array_agg(...) FROM ...)");
}
