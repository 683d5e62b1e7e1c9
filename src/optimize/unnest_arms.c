// Subqueries as values in arms: of CASE, COALESCE, AND, OR. A single join fails at a second row
// whether or not the row's value is needed. So its right side becomes one row that cannot fail, and
// what fails is an expression over it, which the rule late_values takes into the arm:
//
//     SELECT 1 / x FROM q  →  SELECT CASE WHEN is_only_row(count(*)) THEN 1 / any_value(x) END FROM
//     q
#include "functions/overload.h"
#include "functions/registry.h"
#include "optimize/one_row.h"
#include "optimize/unnest.h"

#define NODES_MAX 64 // Of a value that still moves: in copies of copies it would explode.

static firn_status add_aggregate(optimizer *self, plan_node *group, const char *name, expr *arg,
                                 expr **out) {
    const overload_request request = {.types = arg == NULL ? NULL : &arg->type,
                                      .args = &arg,
                                      .arg_count = arg == NULL ? 0 : 1,
                                      .position = UINT32_MAX};
    expr *call;
    const uint32_t id = rewrite_new_id(self);
    TRY(aggregate_call_new(aggregate_find(text_of(name)), &request, self->memory, &call,
                           self->err));
    TRY(rewrite_add_id(self, &group->aggregate_.ids, id));
    TRY(rewrite_add_expr(self, &group->aggregate_.aggregates, call));
    return rewrite_column(self, id, call->type, out);
}

static bool count_node(void *user, expr **slot) {
    uint32_t *count = user;
    ++*count;
    return *count <= NODES_MAX && expr_visit_children(*slot, count_node, user);
}

static bool is_small(expr *value) {
    uint32_t count = 0;
    return count_node(&count, &value);
}

// What can fail stands above the aggregate: `value` in columns of the node below the projections
// that compute it, and below an order, which means nothing for one row.
static firn_status value_below(optimizer *self, plan_node **node, expr **value) {
    plan_node *below = *node;
    expr *moved = *value;
    while (is_small(moved)) {
        if (below->kind == PLAN_SORT && below->sort_.limit == UINT64_MAX &&
            below->sort_.offset == 0) {
            below = below->sort_.input;
            continue;
        }
        if (below->kind != PLAN_PROJECT) {
            break;
        }
        const substitution map = {.from = below->project_.ids, .to = below->project_.values};
        expr *copy = expr_copy(self->memory, moved);
        if (copy == NULL) {
            return rewrite_full(self);
        }
        TRY(rewrite_substitute(self, &copy, &map));
        if (expr_is_volatile(copy)) {
            break;
        }
        moved = copy;
        below = below->project_.input;
    }
    if (expr_can_fail(moved)) {
        *value = moved;
        *node = below;
    }
    return FIRN_OK;
}

firn_status unnest_count_rows(optimizer *self, expr *query) {
    plan_node *rows = query->subquery_.plan;
    if (one_row_is_most(rows)) {
        return FIRN_OK;
    }
    plan_columns columns;
    plan_node *group;
    expr *value;
    expr *count;
    substitution map = {0};
    TRY(plan_outputs(rows, self->memory, &columns, self->err));
    TRY(rewrite_column(self, columns.items[0].id, columns.items[0].type, &value));
    TRY(value_below(self, &rows, &value));
    if (value->type->id == TYPE_NULL) { // No aggregate has such values.
        value = expr_null(self->memory, query->type);
        if (value == NULL) {
            return rewrite_full(self);
        }
    }
    TRY(rewrite_node(self, PLAN_AGGREGATE, &group));
    group->aggregate_.input = rows;
    group->aggregate_.set_id = NO_SLOT;
    TRY(add_aggregate(self, group, "count", NULL, &count));
    TRY(plan_outputs(rows, self->memory, &columns, self->err));
    id_set used = id_set_open(self->memory);
    TRY(rewrite_used(self, value, &used));
    for (uint32_t i = 0; i < columns.count; i++) {
        if (id_set_has(&used, columns.items[i].id)) {
            expr *column;
            TRY(rewrite_column(self, columns.items[i].id, columns.items[i].type, &column));
            TRY(add_aggregate(self, group, "any_value", column, &column));
            TRY(rewrite_add_id(self, &map.from, columns.items[i].id));
            TRY(rewrite_add_expr(self, &map.to, column));
        }
    }
    TRY(rewrite_substitute(self, &value, &map));
    expr *checked = expr_new(self->memory, EXPR_CASE, value->type);
    expr *otherwise = expr_null(self->memory, value->type);
    if (checked == NULL || otherwise == NULL) {
        return rewrite_full(self);
    }
    checked->case_.otherwise = otherwise;
    TRY(function_call_named(TEXT("is_only_row"), &count, 1, self->memory, &count, self->err));
    count->position = query->position;
    TRY(rewrite_add_expr(self, &checked->case_.conditions, count));
    TRY(rewrite_add_expr(self, &checked->case_.values, value));
    u32_list ids = {0};
    expr_list values = {0};
    TRY(rewrite_add_id(self, &ids, rewrite_new_id(self)));
    TRY(rewrite_add_expr(self, &values, checked));
    return rewrite_project(self, group, &ids, &values, &query->subquery_.plan);
}
