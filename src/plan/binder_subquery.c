// Subqueries: as values, behind EXISTS, IN, ANY and ALL, and copies of expressions that hold some.
#include "plan/binder_private.h"

#define NUMBERED_MAX 256

// A copy mentions the shared subplans of WITH once more.
static bool count_references(void *user, plan_node **slot);

static bool count_in_subquery(void *user, expr **slot) {
    if ((*slot)->kind == EXPR_SUBQUERY) {
        (void)count_references(user, &(*slot)->subquery_.plan);
    }
    return expr_visit_children(*slot, count_in_subquery, user);
}

static bool count_references(void *user, plan_node **slot) {
    const binder *self = user;
    for (cte *each = self->ctes; (*slot)->kind == PLAN_SHARED_SCAN && each != NULL;
         each = each->older) {
        if (each->reference_count > 0 && each->slot == (*slot)->shared_scan_.slot) {
            each->reference_count++;
        }
    }
    return plan_visit_exprs(*slot, count_in_subquery, user) &&
           plan_visit_children(*slot, count_references, user);
}

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
    plan_renaming renaming = {.next_id = &self->next_id,
                              .shared_count = &self->shared_count,
                              .ids = renamed,
                              .id_count = id_count};
    return plan_copy_renamed(self->memory, (*slot)->subquery_.plan, &renaming,
                             &(*slot)->subquery_.plan, self->err) == FIRN_OK &&
           count_references(self, &(*slot)->subquery_.plan) &&
           expr_visit_children(*slot, copy_subquery, user);
}

firn_status bind_copy(binder *self, const expr *value, expr **out) {
    *out = expr_copy(self->memory, value);
    if (*out == NULL) {
        return binder_full(self);
    }
    if (bind_is_unknown(value)) { // Which is known by its address.
        (*out)->type = value->type;
    }
    return copy_subquery(self, out) ? FIRN_OK : self->err->status;
}

// Subqueries of a select that groups get numbers: those in the same words are the same.
static firn_status number_query(binder *self, const scope *names, const sql_query *written,
                                uint32_t *out) {
    select_state *state = names->select;
    *out = 0;
    if (state == NULL || (state->written->group_by.count == 0 && !state->written->is_group_all &&
                          !state->written->is_distinct)) {
        return FIRN_OK;
    }
    uint32_t count = 0;
    for (const numbered_query *each = state->queries; each != NULL; each = each->older) {
        if (sql_equal(&each->written->node, &written->node)) {
            *out = each->number;
            return FIRN_OK;
        }
        count++;
    }
    if (count == NUMBERED_MAX) {
        return FIRN_OK;
    }
    numbered_query *made = ARENA_NEW(self->memory, numbered_query, 1);
    if (made == NULL) {
        return binder_full(self);
    }
    *made = (numbered_query){
        .written = written, .number = ++self->numbered_count, .older = state->queries};
    state->queries = made;
    *out = made->number;
    return FIRN_OK;
}

// A test of the query's rows; what makes a value of them gives it its type.
static firn_status new_subquery(binder *self, scope *names, const sql_query *query,
                                subquery_kind kind, bound_query *rows, expr **out) {
    TRY(bind_query_body(self, query, names, rows));
    *out = expr_new(self->memory, EXPR_SUBQUERY, TYPE_OF(BOOLEAN));
    if (*out == NULL) {
        return binder_full(self);
    }
    (*out)->subquery_.subquery = kind;
    (*out)->subquery_.plan = rows->node;
    (*out)->position = query->node.position;
    return number_query(self, names, query, &(*out)->subquery_.same);
}

// Notes the columns of the queries around it that a finished subquery mentions.
static firn_status note_outer(binder *self, expr *query) {
    id_set needed;
    TRY(bind_free_ids(self, query->subquery_.plan, &needed));
    for (uint32_t id = 0; id_set_next(&needed, &id); id++) {
        TRY(u32_list_add(self, &query->subquery_.outer_ids, id));
    }
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

// Brings the columns of the rows and what they are compared with to common types.
static firn_status compare_rows(binder *self, expr *query, const expr_list *args, bound_query *rows,
                                const char *comparison) {
    expr_list values = {0};
    u32_list ids = {0};
    query->subquery_.args = *args;
    query->subquery_.comparison = text_of(comparison);
    for (uint32_t i = 0; i < args->count; i++) {
        const plan_column *column = &rows->columns.items[i];
        expr *value = expr_column(self->memory, column->id, column->name, column->type);
        expr_list one = {0};
        const type *common;
        if (value == NULL) {
            return binder_full(self);
        }
        TRY(expr_list_add(self, &one, value));
        TRY(bind_compared_type(self, args->items[i], &one, &common));
        if (common == NULL) {
            firn_status status = FAIL_SQL(self->err, FIRN_INVALID, "42883", query->position,
                                          "%.*s is compared with a subquery's %.*s",
                                          TEXT_ARGS(type_text(args->items[i]->type, self->memory)),
                                          TEXT_ARGS(type_text(value->type, self->memory)));
            err_hint(self->err, "write CAST(... AS type) around one of them");
            return status;
        }
        TRY(bind_cast(self, args->items[i], common, false, args->items[i]->position,
                      &args->items[i]));
        // The cast of the subquery's side may be an explicit one: text compared with a number.
        TRY(bind_cast(self, value, common, false, query->position, &value));
        TRY(expr_list_add(self, &values, value));
        TRY(u32_list_add(self, &ids, binder_new_id(self)));
    }
    TRY(binder_project(self, rows->node, &values, &ids, &query->subquery_.plan));
    return note_outer(self, query);
}

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
    return compare_rows(self, *out, &args, &rows, comparison);
}

firn_status bind_compare_list(binder *self, expr *left, expr *list, const char *comparison,
                              subquery_kind kind, uint32_t position, expr **out) {
    plan_node *one;
    bound_query rows = {0};
    expr_list args = {0};
    const uint32_t id = binder_new_id(self);
    TRY(binder_node(self, PLAN_VALUES, &one));
    one->values_.row_count = 1;
    TRY(binder_node(self, PLAN_UNNEST, &rows.node));
    rows.node->unnest_.input = one;
    rows.node->unnest_.ordinality_id = NO_SLOT;
    TRY(expr_list_add(self, &rows.node->unnest_.lists, list));
    TRY(u32_list_add(self, &rows.node->unnest_.ids, id));
    TRY(plan_columns_add(self, &rows.columns,
                         (plan_column){.id = id, .type = list->type->children[0].type}));
    TRY(expr_list_add(self, &args, left));
    *out = expr_new(self->memory, EXPR_SUBQUERY, TYPE_OF(BOOLEAN));
    if (*out == NULL) {
        return binder_full(self);
    }
    (*out)->subquery_.subquery = kind;
    (*out)->position = position;
    return compare_rows(self, *out, &args, &rows, comparison);
}

// ARRAY(query): its rows as a list in their order, an empty one if there are none.
static firn_status gather_rows(binder *self, bound_query *rows, expr *query) {
    const plan_column *column = &rows->columns.items[0];
    expr *value = expr_column(self->memory, column->id, column->name, column->type);
    expr *call;
    expr *empty;
    if (value == NULL) {
        return binder_full(self);
    }
    const overload_request request = {
        .types = &column->type, .args = &value, .arg_count = 1, .position = query->position};
    TRY(aggregate_call_new(aggregate_find(TEXT("array_agg")), &request, self->memory, &call,
                           self->err));
    const plan_node *sort = rows->node->kind == PLAN_LIMIT ? rows->node->limit_.input : rows->node;
    if (sort->kind == PLAN_SORT) {
        const sort_key_list *keys = &sort->sort_.keys;
        call->aggregate_.order.items = ARENA_NEW(self->memory, sort_key, keys->count + 1);
        if (call->aggregate_.order.items == NULL) {
            return binder_full(self);
        }
        for (uint32_t i = 0; i < keys->count; i++) {
            call->aggregate_.order.items[i] = keys->items[i];
            TRY(bind_copy(self, keys->items[i].value, &call->aggregate_.order.items[i].value));
        }
        call->aggregate_.order.count = keys->count;
    }
    plan_node *group;
    TRY(binder_node(self, PLAN_AGGREGATE, &group));
    group->aggregate_.input = rows->node;
    group->aggregate_.set_id = NO_SLOT;
    const uint32_t id = binder_new_id(self);
    TRY(expr_list_add(self, &group->aggregate_.aggregates, call));
    TRY(u32_list_add(self, &group->aggregate_.ids, id));
    TRY(bind_function(self, "list_value", NULL, 0, query->position, &empty));
    TRY(bind_cast(self, empty, call->type, false, query->position, &empty));
    expr *list = expr_column(self->memory, id, TEXT(""), call->type);
    expr *result = expr_new(self->memory, EXPR_COALESCE, call->type);
    if (list == NULL || result == NULL) {
        return binder_full(self);
    }
    TRY(expr_list_add(self, &result->coalesce_.args, list));
    TRY(expr_list_add(self, &result->coalesce_.args, empty));
    expr_list values = {0};
    u32_list ids = {0};
    TRY(expr_list_add(self, &values, result));
    TRY(u32_list_add(self, &ids, binder_new_id(self)));
    TRY(binder_project(self, group, &values, &ids, &query->subquery_.plan));
    query->type = call->type;
    return note_outer(self, query);
}

firn_status bind_subquery(binder *self, scope *names, const sql_subquery *written, expr **out) {
    bound_query rows = {0};
    if (written->kind == SQL_SUBQUERY_EXISTS) {
        TRY(new_subquery(self, names, written->query, SUBQUERY_EXISTS, &rows, out));
        return note_outer(self, *out);
    }
    TRY(new_subquery(self, names, written->query, SUBQUERY_SCALAR, &rows, out));
    if (rows.columns.count != 1) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42601", written->query->node.position,
                        "a subquery used as a value gives %u columns, one is needed",
                        rows.columns.count);
    }
    const type *result = rows.columns.items[0].type;
    (*out)->type = result == &type_unknown ? TYPE_OF(VARCHAR) : result;
    if (written->kind == SQL_SUBQUERY_SCALAR) {
        TRY(narrow(self, &rows));
        (*out)->subquery_.plan = rows.node;
        return note_outer(self, *out);
    }
    return gather_rows(self, &rows, *out); // ARRAY(query)
}
