// Subqueries as values in arms: of CASE, COALESCE, AND, OR. A single join fails at a second row
// whether or not the row's value is needed. So its right side becomes one row that cannot fail, and
// what fails is an expression over it, which the rule late_values takes into the arm:
//
//     q  →  SELECT CASE WHEN is_only_row(count(*)) THEN any_value(x) END FROM q
#include "functions/overload.h"
#include "functions/registry.h"
#include "optimize/one_row.h"
#include "optimize/unnest.h"

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

firn_status unnest_count_rows(optimizer *self, expr *query) {
    if (one_row_is_most(query->subquery_.plan)) {
        return FIRN_OK;
    }
    plan_columns columns;
    plan_node *group;
    expr *value;
    expr *count;
    TRY(plan_outputs(query->subquery_.plan, self->memory, &columns, self->err));
    TRY(rewrite_node(self, PLAN_AGGREGATE, &group));
    group->aggregate_.input = query->subquery_.plan;
    group->aggregate_.set_id = NO_SLOT;
    TRY(rewrite_column(self, columns.items[0].id, columns.items[0].type, &value));
    TRY(add_aggregate(self, group, "any_value", value, &value));
    TRY(add_aggregate(self, group, "count", NULL, &count));
    expr *checked = expr_new(self->memory, EXPR_CASE, value->type);
    if (checked == NULL) {
        return rewrite_full(self);
    }
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
