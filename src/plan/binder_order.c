// Whole queries: what they are made of, and ORDER BY, LIMIT and OFFSET around it.
#include "plan/binder_private.h"

firn_status bind_body(binder *self, const sql_body *body, const sql_list *order, scope *outer,
                      bound_query *out) {
    TRY(binder_check(self));
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

bool bind_ordinal(const sql_expr *written, uint64_t *out) {
    if (!sql_is_expr(written, SQL_LITERAL) ||
        sql_literal_of(written)->kind != SQL_LITERAL_INTEGER) {
        return false;
    }
    const text digits = sql_literal_of(written)->value;
    *out = 0;
    for (size_t i = 0; i < digits.size && *out < UINT32_MAX; i++) {
        *out = *out * 10 + (uint64_t)(digits.data[i] - '0');
    }
    return true;
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
        uint64_t ordinal = 0;
        if (item->value != NULL && bind_ordinal(item->value, &ordinal) &&
            (ordinal < 1 || ordinal > columns->count)) {
            return FAIL_SQL(self->err, FIRN_INVALID, "42P10", item->value->position,
                            "position %.*s is not among the %u result columns",
                            TEXT_ARGS(sql_literal_of(item->value)->value), columns->count);
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

static firn_status add_column(binder *self, uint32_t id, text name, const type *of,
                              expr_list *values, u32_list *ids) {
    expr *value = expr_column(self->memory, id, name, of);
    if (value == NULL) {
        return binder_full(self);
    }
    TRY(expr_list_add(self, values, value));
    return u32_list_add(self, ids, id);
}

static bool has_id(const u32_list *ids, uint32_t id) {
    bool is_found = false;
    for (uint32_t i = 0; i < ids->count; i++) {
        is_found |= ids->items[i] == id;
    }
    return is_found;
}

static firn_status take_key(binder *self, sort_key *key, expr_list *values, u32_list *ids) {
    const expr *by = key->value;
    if (by->kind == EXPR_COLUMN) {
        return has_id(ids, by->column_.id)
                   ? FIRN_OK
                   : add_column(self, by->column_.id, by->column_.name, by->type, values, ids);
    }
    const uint32_t id = binder_new_id(self);
    TRY(expr_list_add(self, values, key->value));
    TRY(u32_list_add(self, ids, id));
    key->value = expr_column(self->memory, id, TEXT(""), by->type);
    return key->value == NULL ? binder_full(self) : FIRN_OK;
}

firn_status binder_compute_keys(binder *self, const plan_columns *columns, sort_key *keys,
                                uint32_t count, plan_node *input, plan_node **out) {
    bool is_plain = true;
    expr_list values = {0};
    u32_list ids = {0};
    *out = input;
    for (uint32_t i = 0; i < count; i++) {
        is_plain &= keys[i].value->kind == EXPR_COLUMN;
    }
    if (is_plain) {
        return FIRN_OK;
    }
    for (uint32_t i = 0; i < columns->count; i++) {
        const plan_column *column = &columns->items[i];
        TRY(add_column(self, column->id, column->name, column->type, &values, &ids));
    }
    for (uint32_t i = 0; i < count; i++) {
        TRY(take_key(self, &keys[i], &values, &ids));
    }
    return binder_project(self, input, &values, &ids, out);
}

static firn_status sort_query(binder *self, const sql_query *query, bound_query *out) {
    scope *names = scope_new(self, NULL);
    if (names == NULL) {
        return binder_full(self);
    }
    const sql_names none = {0};
    TRY(scope_add_query(self, names, &out->columns, TEXT(""), (text_list){0}, &none, 0));
    sort_key_list keys;
    TRY(bind_sort_keys(self, &query->order_by, &out->columns, names, &keys));
    plan_node *sort;
    plan_node *input;
    TRY(binder_compute_keys(self, &out->columns, keys.items, keys.count, out->node, &input));
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
