// UNION, INTERSECT and EXCEPT, of rows by position or by name.
#include "plan/binder_private.h"

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
                   bind_must_cast(query->columns.items[i].type, types[i]);
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

// The untyped literal that a column of a side is, else a mention of the column.
static expr *cell_of(binder *self, const bound_query *side, const plan_column *column) {
    const plan_node *node = side->node;
    for (uint32_t k = 0; node->kind == PLAN_PROJECT && k < node->project_.ids.count; k++) {
        expr *value = node->project_.values.items[k];
        if (node->project_.ids.items[k] == column->id && value->kind == EXPR_LITERAL &&
            bind_is_unknown(value)) {
            return value;
        }
    }
    return expr_column(self->memory, column->id, column->name, column->type);
}

// The common types of the columns of all sides; they hold untyped literals as these are written.
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
            cells[side] = cell_of(self, &sides[side], &sides[side].columns.items[i]);
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
        if (arg == NULL) {
            return binder_full(self);
        }
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
firn_status bind_set_operation(binder *self, const sql_set_operation *written, scope *outer,
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
