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

static bool are_small(const expr_list *values) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < values->count; i++) {
        if (!count_node(&count, &values->items[i])) {
            return false;
        }
    }
    return true;
}

// The values in columns of what a projection reads. *done is false where they must stay.
static firn_status substitute_all(optimizer *self, const plan_node *project, expr_list *values,
                                  bool *done) {
    const substitution map = {.from = project->project_.ids, .to = project->project_.values};
    expr_list moved = {0};
    *done = false;
    for (uint32_t i = 0; i < values->count; i++) {
        expr *copy = expr_copy(self->memory, values->items[i]);
        if (copy == NULL) {
            return rewrite_full(self);
        }
        TRY(rewrite_substitute(self, &copy, &map));
        if (expr_is_volatile(copy)) {
            return FIRN_OK;
        }
        TRY(rewrite_add_expr(self, &moved, copy));
    }
    *values = moved;
    *done = true;
    return FIRN_OK;
}

// What can fail stands above the aggregate: `values` in columns of the node below the projections
// that compute them, and below an order, which means nothing for one row.
static firn_status values_below(optimizer *self, plan_node **node, expr_list *values) {
    plan_node *below = *node;
    expr_list moved = *values;
    while (are_small(&moved)) {
        if (below->kind == PLAN_SORT && below->sort_.limit == UINT64_MAX &&
            below->sort_.offset == 0) {
            below = below->sort_.input;
            continue;
        }
        if (below->kind != PLAN_PROJECT) {
            break;
        }
        bool done;
        TRY(substitute_all(self, below, &moved, &done));
        if (!done) {
            break;
        }
        below = below->project_.input;
    }
    bool can_fail = false;
    for (uint32_t i = 0; i < moved.count; i++) {
        can_fail |= expr_can_fail(moved.items[i]);
    }
    if (can_fail) {
        *values = moved;
        *node = below;
    }
    return FIRN_OK;
}

// CASE WHEN is_only_row(count) THEN value END
static firn_status check_count(optimizer *self, const expr *query, const expr *count,
                               expr **value) {
    expr *checked = expr_new(self->memory, EXPR_CASE, (*value)->type);
    expr *otherwise = expr_null(self->memory, (*value)->type);
    expr *copy = expr_copy(self->memory, count);
    if (checked == NULL || otherwise == NULL || copy == NULL) {
        return rewrite_full(self);
    }
    checked->case_.otherwise = otherwise;
    TRY(function_call_named(TEXT("is_only_row"), &copy, 1, self->memory, &copy, self->err));
    copy->position = query->position;
    TRY(rewrite_add_expr(self, &checked->case_.conditions, copy));
    TRY(rewrite_add_expr(self, &checked->case_.values, *value));
    *value = checked;
    return FIRN_OK;
}

firn_status unnest_count_rows(optimizer *self, expr *query) {
    plan_node *rows = query->subquery_.plan;
    if (one_row_is_most(rows)) {
        return FIRN_OK;
    }
    // One value, or those that a row is compared with.
    const uint32_t needed = query->subquery_.args.count > 0 ? query->subquery_.args.count : 1;
    plan_columns columns;
    plan_node *group;
    expr_list values = {0};
    expr *value;
    expr *count;
    substitution map = {0};
    u32_list ids = {0};
    TRY(plan_outputs(rows, self->memory, &columns, self->err));
    for (uint32_t i = 0; i < needed; i++) {
        TRY(rewrite_column(self, columns.items[i].id, columns.items[i].type, &value));
        TRY(rewrite_add_expr(self, &values, value));
    }
    TRY(values_below(self, &rows, &values));
    if (values.items[0]->type->id == TYPE_NULL) { // No aggregate has such values; no row has them.
        values.items[0] = expr_null(self->memory, query->type);
        if (values.items[0] == NULL) {
            return rewrite_full(self);
        }
    }
    TRY(rewrite_node(self, PLAN_AGGREGATE, &group));
    group->aggregate_.input = rows;
    group->aggregate_.set_id = NO_SLOT;
    TRY(add_aggregate(self, group, "count", NULL, &count));
    TRY(plan_outputs(rows, self->memory, &columns, self->err));
    id_set used = id_set_open(self->memory);
    for (uint32_t i = 0; i < needed; i++) {
        TRY(rewrite_used(self, values.items[i], &used));
    }
    for (uint32_t i = 0; i < columns.count; i++) {
        if (id_set_has(&used, columns.items[i].id)) {
            expr *column;
            TRY(rewrite_column(self, columns.items[i].id, columns.items[i].type, &column));
            TRY(add_aggregate(self, group, "any_value", column, &column));
            TRY(rewrite_add_id(self, &map.from, columns.items[i].id));
            TRY(rewrite_add_expr(self, &map.to, column));
        }
    }
    for (uint32_t i = 0; i < needed; i++) {
        TRY(rewrite_substitute(self, &values.items[i], &map));
        TRY(check_count(self, query, count, &values.items[i]));
        TRY(rewrite_add_id(self, &ids, rewrite_new_id(self)));
    }
    return rewrite_project(self, group, &ids, &values, &query->subquery_.plan);
}
