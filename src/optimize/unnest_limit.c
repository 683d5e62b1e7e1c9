// LIMIT and OFFSET in a correlated subquery, counted for each value of the domain: one list of
// structs per value, in order, cut to what they leave, unnested again.
#include "functions/overload.h"
#include "functions/registry.h"
#include "optimize/unnest_domain.h"

#define LIST_LENGTH_MAX UINT32_MAX // More elements than any list has.

typedef struct limited {
    plan_node *input;
    plan_columns columns; // Of it.
    sort_key_list order;
    expr *limit, *offset; // NULL: none.
} limited;

// LIMIT or OFFSET as a column of the group: all its rows say the same.
static firn_status limit_value(domain *self, plan_node *group, expr *value, int64_t otherwise,
                               expr **out) {
    optimizer *o = self->self;
    expr *instead = expr_i64(o->memory, TYPE_OF(BIGINT), otherwise);
    if (instead == NULL) {
        return rewrite_full(o);
    }
    *out = instead;
    if (value == NULL) {
        return FIRN_OK;
    }
    if (value->kind != EXPR_LITERAL) {
        const overload_request request = {
            .types = &value->type, .args = &value, .arg_count = 1, .position = UINT32_MAX};
        const uint32_t id = rewrite_new_id(o);
        expr *any;
        TRY(aggregate_call_new(aggregate_find(TEXT("any_value")), &request, o->memory, &any,
                               o->err));
        TRY(rewrite_add_id(o, &group->aggregate_.ids, id));
        TRY(rewrite_add_expr(o, &group->aggregate_.aggregates, any));
        TRY(rewrite_column(o, id, value->type, &value));
    }
    return rewrite_coalesce(o, value, instead, out);
}

static firn_status limit_by_list(domain *self, const limited *rows, const domain_ids *ids,
                                 plan_node **out) {
    optimizer *o = self->self;
    const plan_columns *columns = &rows->columns;
    expr_list parts = {0};
    for (uint32_t i = 0; i < columns->count; i++) {
        expr *value;
        text label;
        TRY(text_format(o->memory, &label, o->err, "f%u", i));
        expr *name = expr_string(o->memory, TYPE_OF(VARCHAR), label);
        if (name == NULL) {
            return rewrite_full(o);
        }
        TRY(rewrite_column(o, columns->items[i].id, columns->items[i].type, &value));
        TRY(rewrite_add_expr(o, &parts, name));
        TRY(rewrite_add_expr(o, &parts, value));
    }
    expr *row;
    expr *gathered;
    TRY(domain_call(self, "named_struct", parts.items, parts.count, &row));
    const overload_request request = {
        .types = &row->type, .args = &row, .arg_count = 1, .position = UINT32_MAX};
    TRY(aggregate_call_new(aggregate_find(TEXT("array_agg")), &request, o->memory, &gathered,
                           o->err));
    gathered->aggregate_.order = rows->order;
    plan_node *group;
    TRY(rewrite_node(o, PLAN_AGGREGATE, &group));
    group->aggregate_.input = rows->input;
    group->aggregate_.set_id = NO_SLOT;
    TRY(domain_add_keys(self, ids, group));
    const uint32_t list_id = rewrite_new_id(o);
    TRY(rewrite_add_id(o, &group->aggregate_.ids, list_id));
    TRY(rewrite_add_expr(o, &group->aggregate_.aggregates, gathered));
    expr *slice[3];
    expr *count;
    expr *one = expr_i64(o->memory, TYPE_OF(BIGINT), 1);
    TRY(limit_value(self, group, rows->offset, 0, &slice[1]));
    TRY(limit_value(self, group, rows->limit, LIST_LENGTH_MAX, &count));
    expr *skipped = expr_copy(o->memory, slice[1]);
    if (one == NULL || skipped == NULL) {
        return rewrite_full(o);
    }
    TRY(rewrite_call(o, "+", skipped, count, &slice[2]));
    TRY(rewrite_call(o, "+", slice[1], one, &slice[1]));
    expr *cut;
    TRY(rewrite_column(o, list_id, gathered->type, &slice[0]));
    TRY(domain_call(self, "list_slice", slice, 3, &cut));
    plan_node *unnest;
    TRY(rewrite_node(o, PLAN_UNNEST, &unnest));
    unnest->unnest_.input = group;
    unnest->unnest_.ordinality_id = NO_SLOT;
    TRY(rewrite_add_expr(o, &unnest->unnest_.lists, cut));
    const uint32_t row_id = rewrite_new_id(o);
    TRY(rewrite_add_id(o, &unnest->unnest_.ids, row_id));
    u32_list made = {0};
    expr_list values = {0};
    TRY(domain_add_columns(self, ids, &made, &values));
    for (uint32_t i = 0; i < columns->count; i++) {
        expr *args[2] = {NULL, parts.items[2 * (size_t)i]};
        expr *value;
        TRY(rewrite_column(o, row_id, row->type, &args[0]));
        TRY(domain_call(self, "struct_extract", args, 2, &value));
        TRY(rewrite_add_id(o, &made, columns->items[i].id));
        TRY(rewrite_add_expr(o, &values, value));
    }
    return rewrite_project(o, unnest, &made, &values, out);
}

firn_status domain_push_limit(domain *self, plan_node **slot, domain_ids *out) {
    optimizer *o = self->self;
    plan_node *node = *slot;
    limited rows = {
        .input = node->limit_.input, .limit = node->limit_.limit, .offset = node->limit_.offset};
    if (rows.input->kind == PLAN_SORT) {
        rows.order = rows.input->sort_.keys;
        rows.input = rows.input->sort_.input;
    }
    TRY(plan_outputs(rows.input, o->memory, &rows.columns, o->err));
    TRY(domain_push(self, &rows.input, out));
    substitution map;
    TRY(domain_substitution(self, out, &map));
    for (uint32_t i = 0; i < rows.order.count; i++) {
        TRY(rewrite_substitute(o, &rows.order.items[i].value, &map));
    }
    TRY(rewrite_substitute(o, &rows.limit, &map));
    TRY(rewrite_substitute(o, &rows.offset, &map));
    return limit_by_list(self, &rows, out, slot);
}
