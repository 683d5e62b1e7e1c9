// Aggregates on D's way down: D's columns are keys of each, and of each of its grouping sets. What
// has a row also where no input row is, without keys, gets it back for every value of D.
#include "functions/overload.h"
#include "functions/registry.h"
#include "optimize/unnest_domain.h"

firn_status domain_add_keys(domain *self, const domain_ids *ids, plan_node *aggregate) {
    optimizer *rules = self->self;
    for (uint32_t i = 0; i < self->outer.count; i++) {
        const uint32_t id = ids->items.items[i];
        expr *value;
        TRY(rewrite_column(rules, id, self->types[i], &value));
        if (i >= self->key_first) {
            TRY(rewrite_add_id(rules, &aggregate->aggregate_.key_ids, id));
            TRY(rewrite_add_expr(rules, &aggregate->aggregate_.keys, value));
            continue;
        }
        expr *any;
        const overload_request request = {
            .types = &self->types[i], .args = &value, .arg_count = 1, .position = UINT32_MAX};
        TRY(aggregate_call_new(aggregate_find(TEXT("any_value")), &request, rules->memory, &any,
                               rules->err));
        TRY(rewrite_add_id(rules, &aggregate->aggregate_.ids, id));
        TRY(rewrite_add_expr(rules, &aggregate->aggregate_.aggregates, any));
    }
    return FIRN_OK;
}

// Sets without keys have a row each, where others have none: D × their numbers instead of D. Rows
// of other sets belong to the first of them: where these are, that one has a row too.
static firn_status restore_each(domain *self, const u32_list *empty, plan_node *node,
                                plan_node *join, uint32_t *set_id) {
    optimizer *rules = self->self;
    plan_node *numbers;
    column *sets = ARENA_NEW(rules->memory, column, 1);
    if (sets == NULL) {
        return rewrite_full(rules);
    }
    TRY(column_new(rules->memory, TYPE_OF(INTEGER), empty->count, sets, rules->err));
    for (uint32_t i = 0; i < empty->count; i++) {
        COLUMN_OUT(sets, int32_t)[i] = (int32_t)empty->items[i];
    }
    *set_id = rewrite_new_id(rules);
    TRY(rewrite_node(rules, PLAN_VALUES, &numbers));
    TRY(rewrite_add_id(rules, &numbers->values_.ids, *set_id));
    numbers->values_.columns = (column_data_list){.count = 1, .items = sets};
    numbers->values_.row_count = empty->count;
    TRY(domain_join(self, join->join_.left, numbers, JOIN_CROSS, &join->join_.left));
    expr *owner = expr_new(rules->memory, EXPR_CASE, TYPE_OF(INTEGER));
    expr *first = expr_i64(rules->memory, TYPE_OF(INTEGER), empty->items[0]);
    if (owner == NULL || first == NULL) {
        return rewrite_full(rules);
    }
    owner->case_.otherwise = first;
    for (uint32_t i = 1; i < empty->count; i++) {
        expr *sides[2];
        expr *is_this;
        for (int side = 0; side < 2; side++) {
            sides[side] = expr_i64(rules->memory, TYPE_OF(INTEGER), empty->items[i]);
            if (sides[side] == NULL) {
                return rewrite_full(rules);
            }
        }
        TRY(rewrite_column(rules, node->aggregate_.set_id, TYPE_OF(INTEGER), &is_this));
        TRY(rewrite_call(rules, "=", is_this, sides[0], &is_this));
        TRY(rewrite_add_expr(rules, &owner->case_.conditions, is_this));
        TRY(rewrite_add_expr(rules, &owner->case_.values, sides[1]));
    }
    expr *number;
    expr_list parts = {0};
    TRY(rewrite_column(rules, *set_id, TYPE_OF(INTEGER), &number));
    TRY(rewrite_call(rules, "=", number, owner, &number));
    TRY(rewrite_add_expr(rules, &parts, number));
    TRY(rewrite_split(rules, join->join_.residual, &parts));
    return rewrite_join(rules, &parts, &join->join_.residual);
}

// The number of the set that a row is of, where the aggregate has no row: of the row that is made.
static firn_status restored_set(domain *self, const u32_list *empty, uint32_t set_id,
                                expr **value) {
    optimizer *rules = self->self;
    expr *otherwise = expr_i64(rules->memory, TYPE_OF(INTEGER), empty->items[0]);
    if (otherwise == NULL) {
        return rewrite_full(rules);
    }
    if (empty->count > 1) {
        TRY(rewrite_column(rules, set_id, TYPE_OF(INTEGER), &otherwise));
    }
    return rewrite_coalesce(rules, *value, otherwise, value);
}

// A scalar aggregate has a row for every value of D, also where no input row is: D LEFT JOIN it,
// and counts that are missing are 0. `empty`: the numbers of its sets without keys; one, 0, where
// it has no sets.
static firn_status restore_empty(domain *self, plan_node **slot, uint32_t key_count,
                                 const u32_list *empty, domain_ids *out) {
    optimizer *rules = self->self;
    plan_node *node = *slot;
    plan_node *values;
    domain_ids outer_ids;
    uint32_t set_id = NO_SLOT;
    TRY(domain_new(self, &values, &outer_ids));
    plan_node *join;
    TRY(domain_join(self, values, node, JOIN_LEFT, &join));
    TRY(domain_equal(self, &outer_ids, out, &join->join_.residual));
    if (empty->count > 1) {
        TRY(restore_each(self, empty, node, join, &set_id));
    }
    u32_list ids = {0};
    expr_list exprs = {0};
    TRY(domain_add_columns(self, &outer_ids, &ids, &exprs));
    for (uint32_t i = 0; i < node->aggregate_.ids.count; i++) {
        const expr *call = node->aggregate_.aggregates.items[i];
        expr *value;
        TRY(rewrite_column(rules, node->aggregate_.ids.items[i], call->type, &value));
        if ((call->aggregate_.function->flags & AGGREGATE_EMPTY_IS_ZERO) != 0) {
            TRY(rewrite_coalesce(rules, value, expr_i64(rules->memory, call->type, 0), &value));
        }
        TRY(rewrite_add_id(rules, &ids, node->aggregate_.ids.items[i]));
        TRY(rewrite_add_expr(rules, &exprs, value));
    }
    for (uint32_t i = 0; i < key_count; i++) { // Of the grand total: all NULL.
        expr *value;
        TRY(rewrite_column(rules, node->aggregate_.key_ids.items[i],
                           node->aggregate_.keys.items[i]->type, &value));
        TRY(rewrite_add_id(rules, &ids, node->aggregate_.key_ids.items[i]));
        TRY(rewrite_add_expr(rules, &exprs, value));
    }
    if (node->aggregate_.set_id != NO_SLOT) {
        expr *value;
        TRY(rewrite_column(rules, node->aggregate_.set_id, TYPE_OF(INTEGER), &value));
        TRY(restored_set(self, empty, set_id, &value));
        TRY(rewrite_add_id(rules, &ids, node->aggregate_.set_id));
        TRY(rewrite_add_expr(rules, &exprs, value));
    }
    *out = outer_ids;
    return rewrite_project(rules, join, &ids, &exprs, slot);
}

// Every grouping set gets D's columns, the keys behind the first `key_count`. `empty`: the numbers
// of those that are the grand total.
static firn_status push_sets(domain *self, plan_node *node, uint32_t key_count, u32_list *empty) {
    optimizer *rules = self->self;
    u32_list sets = {0};
    uint32_t added = 0;
    const uint32_t added_count = self->outer.count - self->key_first;
    if (key_count + added_count > 32) {
        return FAIL_SQL(rules->err, FIRN_UNSUPPORTED, "54023", NO_POSITION,
                        "grouping sets and columns of the queries around them: %u columns, at most "
                        "32 are allowed",
                        key_count + added_count);
    }
    for (uint32_t i = 0; i < added_count; i++) {
        added |= UINT32_C(1) << (key_count + i);
    }
    for (uint32_t i = 0; i < node->aggregate_.sets.count; i++) {
        if (node->aggregate_.sets.items[i] == 0) {
            TRY(rewrite_add_id(rules, empty, i));
        }
        TRY(rewrite_add_id(rules, &sets, node->aggregate_.sets.items[i] | added));
    }
    node->aggregate_.sets = sets;
    if (empty->count > 1 && node->aggregate_.set_id == NO_SLOT) {
        node->aggregate_.set_id = rewrite_new_id(rules);
    }
    return FIRN_OK;
}

// Does an aggregate depend on the order of its input?
static bool takes_order(const plan_node *node) {
    bool takes = false;
    for (uint32_t i = 0; i < node->aggregate_.aggregates.count; i++) {
        const expr *call = node->aggregate_.aggregates.items[i];
        takes |= call->aggregate_.order.count == 0 &&
                 (call->aggregate_.function->flags & AGGREGATE_ORDER_MATTERS) != 0;
    }
    return takes;
}

static firn_status push_input(domain *self, plan_node *node, domain_ids *out) {
    const bool kept_order = self->keeps_order;
    self->keeps_order = takes_order(node);
    const firn_status status = domain_push(self, &node->aggregate_.input, out);
    self->keeps_order = kept_order;
    return status;
}

firn_status domain_push_aggregate(domain *self, plan_node **slot, domain_ids *out) {
    plan_node *node = *slot;
    substitution map;
    const uint32_t key_count = node->aggregate_.keys.count;
    u32_list empty = {0};
    TRY(push_input(self, node, out));
    TRY(domain_substitution(self, out, &map));
    for (uint32_t i = 0; i < node->aggregate_.keys.count; i++) {
        TRY(rewrite_substitute(self->self, &node->aggregate_.keys.items[i], &map));
    }
    for (uint32_t i = 0; i < node->aggregate_.aggregates.count; i++) {
        TRY(rewrite_substitute(self->self, &node->aggregate_.aggregates.items[i], &map));
    }
    if (node->aggregate_.sets.count > 0) {
        TRY(push_sets(self, node, key_count, &empty));
    } else if (key_count == 0) {
        TRY(rewrite_add_id(self->self, &empty, 0));
    }
    TRY(domain_add_keys(self, out, node));
    return empty.count > 0 ? restore_empty(self, slot, key_count, &empty, out) : FIRN_OK;
}
