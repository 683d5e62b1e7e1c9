// LIMIT and OFFSET in a correlated subquery, counted for each value of the domain: one list of
// structs per value, in order, cut to what they leave, unnested again. Of LIMIT 1 the first struct,
// for which no list is kept.
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

// LIMIT or OFFSET as a column of the group: all its rows say the same. No list is longer than
// LIST_LENGTH_MAX, so that more says nothing.
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
    expr *args[] = {NULL, expr_i64(o->memory, TYPE_OF(BIGINT), LIST_LENGTH_MAX)};
    TRY(rewrite_coalesce(o, value, instead, &args[0]));
    return args[1] == NULL ? rewrite_full(o) : domain_call(self, "least", args, 2, out);
}

static bool is_first_only(const limited *rows) {
    return rows->offset == NULL && rows->limit != NULL && rows->limit->kind == EXPR_LITERAL &&
           !rows->limit->literal_.value.is_null && type_equal(rows->limit->type, TYPE_OF(BIGINT)) &&
           *COLUMN_VALUES(rows->limit->literal_.value.value, int64_t) == 1;
}

// The rows of `input` as structs, gathered for each value of the domain.
typedef struct gathering {
    expr_list parts; // Name and value of each field.
    const type *row;
    plan_node *group;
    uint32_t id; // Of what `name` made of them.
    const type *made;
} gathering;

static firn_status gather(domain *self, const limited *rows, const domain_ids *ids,
                          const char *name, gathering *out) {
    optimizer *o = self->self;
    const plan_columns *columns = &rows->columns;
    *out = (gathering){.id = rewrite_new_id(o)};
    for (uint32_t i = 0; i < columns->count; i++) {
        expr *value;
        text label;
        TRY(text_format(o->memory, &label, o->err, "f%u", i));
        expr *field_name = expr_string(o->memory, TYPE_OF(VARCHAR), label);
        if (field_name == NULL) {
            return rewrite_full(o);
        }
        TRY(rewrite_column(o, columns->items[i].id, columns->items[i].type, &value));
        TRY(rewrite_add_expr(o, &out->parts, field_name));
        TRY(rewrite_add_expr(o, &out->parts, value));
    }
    expr *row;
    expr *made;
    TRY(domain_call(self, "named_struct", out->parts.items, out->parts.count, &row));
    const overload_request request = {
        .types = &row->type, .args = &row, .arg_count = 1, .position = UINT32_MAX};
    TRY(aggregate_call_new(aggregate_find(text_of(name)), &request, o->memory, &made, o->err));
    made->aggregate_.order = rows->order;
    out->row = row->type;
    out->made = made->type;
    TRY(rewrite_node(o, PLAN_AGGREGATE, &out->group));
    out->group->aggregate_.input = rows->input;
    out->group->aggregate_.set_id = NO_SLOT;
    TRY(domain_add_keys(self, ids, out->group));
    TRY(rewrite_add_id(o, &out->group->aggregate_.ids, out->id));
    return rewrite_add_expr(o, &out->group->aggregate_.aggregates, made);
}

// The list without what LIMIT and OFFSET leave out, unnested; *row_id: its structs.
static firn_status unnest_rest(domain *self, const limited *rows, const gathering *list,
                               plan_node **out, uint32_t *row_id) {
    optimizer *o = self->self;
    expr *slice[3];
    expr *count;
    expr *one = expr_i64(o->memory, TYPE_OF(BIGINT), 1);
    TRY(limit_value(self, list->group, rows->offset, 0, &slice[1]));
    TRY(limit_value(self, list->group, rows->limit, LIST_LENGTH_MAX, &count));
    expr *skipped = expr_copy(o->memory, slice[1]);
    if (one == NULL || skipped == NULL) {
        return rewrite_full(o);
    }
    TRY(rewrite_call(o, "+", skipped, count, &slice[2]));
    TRY(rewrite_call(o, "+", slice[1], one, &slice[1]));
    expr *cut;
    TRY(rewrite_column(o, list->id, list->made, &slice[0]));
    TRY(domain_call(self, "list_slice", slice, 3, &cut));
    TRY(rewrite_node(o, PLAN_UNNEST, out));
    (*out)->unnest_.input = list->group;
    (*out)->unnest_.ordinality_id = NO_SLOT;
    TRY(rewrite_add_expr(o, &(*out)->unnest_.lists, cut));
    *row_id = rewrite_new_id(o);
    return rewrite_add_id(o, &(*out)->unnest_.ids, *row_id);
}

static firn_status limit_rows(domain *self, const limited *rows, const domain_ids *ids,
                              plan_node **out) {
    optimizer *o = self->self;
    const bool is_first = is_first_only(rows);
    gathering made;
    TRY(gather(self, rows, ids, is_first ? "first" : "array_agg", &made));
    plan_node *source = made.group;
    uint32_t row_id = made.id;
    if (!is_first) {
        TRY(unnest_rest(self, rows, &made, &source, &row_id));
    }
    u32_list columns = {0};
    expr_list values = {0};
    TRY(domain_add_columns(self, ids, &columns, &values));
    for (uint32_t i = 0; i < rows->columns.count; i++) {
        expr *args[2] = {NULL, made.parts.items[2 * (size_t)i]};
        expr *value;
        TRY(rewrite_column(o, row_id, made.row, &args[0]));
        TRY(domain_call(self, "struct_extract", args, 2, &value));
        TRY(rewrite_add_id(o, &columns, rows->columns.items[i].id));
        TRY(rewrite_add_expr(o, &values, value));
    }
    return rewrite_project(o, source, &columns, &values, out);
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
    return limit_rows(self, &rows, out, slot);
}
