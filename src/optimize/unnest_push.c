// The general way to unnest (T. Neumann, A. Kemper: "Unnesting Arbitrary Queries", BTW 2015).
//
// D = the distinct values of the left side's columns that the right side mentions. The dependent
// join becomes an ordinary one of left and right', where right' = right computed for all of D at
// once: it hands out D's columns too, and the join compares them (NULL equals NULL) with the
// left's.
//
// D travels down the right side until nothing below mentions the left any more; there it is joined
// in. On the way each node learns to keep D's columns apart: aggregates group by them, joins
// compare them, limits count per value of them. Every place gets its own copy of D under new ids.
//
// The left side stands twice in the result, as itself and in D: D's definition is a copy.
#include <assert.h>

#include "functions/overload.h"
#include "functions/registry.h"
#include "optimize/unnest_domain.h"

static firn_status mentions_domain(const domain *self, plan_node *node, bool *out) {
    id_set used = id_set_open(self->self->memory);
    TRY(rewrite_free(self->self, node, &used));
    *out = false;
    for (uint32_t i = 0; i < self->outer.count; i++) {
        *out |= id_set_has(&used, self->outer.items[i]);
    }
    return FIRN_OK;
}

firn_status unnest_distinct(optimizer *self, const plan_node *source, const u32_list *columns,
                            const type *const *types, plan_node **out, u32_list *made) {
    uint32_t *renamed;
    plan_node *copy;
    TRY(domain_copy(self, source, &copy, &renamed));
    plan_node *group;
    TRY(rewrite_node(self, PLAN_AGGREGATE, &group));
    group->aggregate_.input = copy;
    group->aggregate_.set_id = NO_SLOT;
    *made = (u32_list){0};
    for (uint32_t i = 0; i < columns->count; i++) {
        const uint32_t id = renamed[columns->items[i]];
        expr *key;
        TRY(rewrite_column(self, id, types[i], &key));
        TRY(rewrite_add_expr(self, &group->aggregate_.keys, key));
        TRY(rewrite_add_id(self, &group->aggregate_.key_ids, id));
        TRY(rewrite_add_id(self, made, id));
    }
    *out = group;
    return FIRN_OK;
}

// A fresh copy of D: distinct columns of a copy of the left side, or a reader of the numbered one.
static firn_status new_domain(domain *self, plan_node **out, domain_ids *made) {
    return self->is_numbered ? domain_read_numbered(self, out, made)
                             : unnest_distinct(self->self, self->left, &self->outer, self->types,
                                               out, &made->items);
}

firn_status domain_substitution(domain *self, const domain_ids *ids, substitution *out) {
    *out = (substitution){.from = self->outer};
    for (uint32_t i = 0; i < self->outer.count; i++) {
        expr *value;
        TRY(rewrite_column(self->self, ids->items.items[i], self->types[i], &value));
        TRY(rewrite_add_expr(self->self, &out->to, value));
    }
    return FIRN_OK;
}

firn_status domain_equal(domain *self, const domain_ids *left, const domain_ids *right,
                         expr **condition) {
    optimizer *rules = self->self;
    expr_list parts = {0};
    for (uint32_t i = self->key_first; i < self->outer.count; i++) {
        expr *sides[2];
        expr *same;
        TRY(rewrite_column(rules, left->items.items[i], self->types[i], &sides[0]));
        TRY(rewrite_column(rules, right->items.items[i], self->types[i], &sides[1]));
        TRY(rewrite_same(rules, sides[0], sides[1], &same));
        TRY(rewrite_add_expr(rules, &parts, same));
    }
    TRY(rewrite_split(rules, *condition, &parts));
    return rewrite_join(rules, &parts, condition);
}

static firn_status new_join(domain *self, plan_node *left, plan_node *right, join_kind kind,
                            plan_node **out) {
    TRY(rewrite_node(self->self, PLAN_JOIN, out));
    (*out)->join_.left = left;
    (*out)->join_.right = right;
    (*out)->join_.join = kind;
    (*out)->join_.mark_id = NO_SLOT;
    return FIRN_OK;
}

// Nothing here mentions the left: every value of D sees the same rows.
static firn_status push_leaf(domain *self, plan_node **slot, domain_ids *out) {
    plan_node *values;
    TRY(new_domain(self, &values, out));
    return new_join(self, *slot, values, JOIN_CROSS, slot);
}

firn_status domain_add_columns(domain *self, const domain_ids *ids, u32_list *to,
                               expr_list *values) {
    for (uint32_t i = 0; i < self->outer.count; i++) {
        expr *value;
        TRY(rewrite_column(self->self, ids->items.items[i], self->types[i], &value));
        TRY(rewrite_add_id(self->self, to, ids->items.items[i]));
        TRY(rewrite_add_expr(self->self, values, value));
    }
    return FIRN_OK;
}

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

static firn_status push_filter(domain *self, plan_node *node, domain_ids *out) {
    substitution map;
    TRY(domain_push(self, &node->filter_.input, out));
    TRY(domain_substitution(self, out, &map));
    return rewrite_substitute(self->self, &node->filter_.predicate, &map);
}

static firn_status push_project(domain *self, plan_node *node, domain_ids *out) {
    substitution map;
    TRY(domain_push(self, &node->project_.input, out));
    TRY(domain_substitution(self, out, &map));
    for (uint32_t i = 0; i < node->project_.values.count; i++) {
        TRY(rewrite_substitute(self->self, &node->project_.values.items[i], &map));
    }
    return domain_add_columns(self, out, &node->project_.ids, &node->project_.values);
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
    TRY(new_join(self, join->join_.left, numbers, JOIN_CROSS, &join->join_.left));
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
    TRY(new_domain(self, &values, &outer_ids));
    plan_node *join;
    TRY(new_join(self, values, node, JOIN_LEFT, &join));
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

// (SELECT string_agg(s, ',') FROM (SELECT … ORDER BY s)): rows in order for all values of D are in
// order for each. Elsewhere order alone means nothing in a subquery.
static firn_status push_sort(domain *self, plan_node **slot, domain_ids *out) {
    plan_node *node = *slot;
    substitution map;
    if (!self->keeps_order) {
        *slot = node->sort_.input;
        return domain_push(self, slot, out);
    }
    TRY(domain_push(self, &node->sort_.input, out));
    TRY(domain_substitution(self, out, &map));
    for (uint32_t i = 0; i < node->sort_.keys.count; i++) {
        TRY(rewrite_substitute(self->self, &node->sort_.keys.items[i].value, &map));
    }
    return FIRN_OK;
}

static firn_status push_input(domain *self, plan_node *node, domain_ids *out) {
    const bool kept_order = self->keeps_order;
    self->keeps_order = takes_order(node);
    const firn_status status = domain_push(self, &node->aggregate_.input, out);
    self->keeps_order = kept_order;
    return status;
}

static firn_status push_aggregate(domain *self, plan_node **slot, domain_ids *out) {
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

// A row of a full join may lack either side: D's columns are those of the one that is there.
static firn_status merge_domains(domain *self, plan_node **slot, const domain_ids *left,
                                 const domain_ids *right, domain_ids *out) {
    optimizer *rules = self->self;
    u32_list ids = {0};
    expr_list values = {0};
    *out = (domain_ids){0};
    TRY(rewrite_pass(rules, *slot, &ids, &values));
    for (uint32_t i = 0; i < self->outer.count; i++) {
        const uint32_t id = rewrite_new_id(rules);
        expr *sides[2];
        expr *value;
        TRY(rewrite_column(rules, left->items.items[i], self->types[i], &sides[0]));
        TRY(rewrite_column(rules, right->items.items[i], self->types[i], &sides[1]));
        TRY(rewrite_coalesce(rules, sides[0], sides[1], &value));
        TRY(rewrite_add_id(rules, &ids, id));
        TRY(rewrite_add_expr(rules, &values, value));
        TRY(rewrite_add_id(rules, &out->items, id));
    }
    return rewrite_project(rules, *slot, &ids, &values, slot);
}

static firn_status push_join(domain *self, plan_node **slot, domain_ids *out) {
    optimizer *rules = self->self;
    plan_node *node = *slot;
    const join_kind kind = node->join_.join;
    bool left_mentions;
    bool right_mentions;
    bool condition_mentions = false;
    TRY(mentions_domain(self, node->join_.left, &left_mentions));
    TRY(mentions_domain(self, node->join_.right, &right_mentions));
    if (node->join_.residual != NULL) {
        id_set used = id_set_open(rules->memory);
        TRY(rewrite_used(rules, node->join_.residual, &used));
        for (uint32_t i = 0; i < self->outer.count; i++) {
            condition_mentions |= id_set_has(&used, self->outer.items[i]);
        }
    }
    const bool is_inner = kind == JOIN_INNER || kind == JOIN_CROSS;
    // An inner join needs D on one side only if that is enough; so does one that keeps left rows.
    const bool push_left = left_mentions || !right_mentions || !is_inner;
    const bool push_right = right_mentions || kind == JOIN_RIGHT || kind == JOIN_FULL ||
                            kind == JOIN_RIGHT_SEMI || kind == JOIN_RIGHT_ANTI;
    domain_ids left = {0};
    domain_ids right = {0};
    if (push_left) {
        TRY(domain_push(self, &node->join_.left, &left));
    }
    if (push_right) {
        TRY(domain_push(self, &node->join_.right, &right));
    }
    *out = push_left ? left : right;
    if (condition_mentions) {
        substitution map;
        TRY(domain_substitution(self, out, &map));
        TRY(rewrite_substitute(rules, &node->join_.residual, &map));
    }
    if (push_left && push_right) {
        TRY(domain_equal(self, &left, &right, &node->join_.residual));
        node->join_.join = kind == JOIN_CROSS ? JOIN_INNER : kind;
        if (kind == JOIN_RIGHT || kind == JOIN_RIGHT_SEMI || kind == JOIN_RIGHT_ANTI) {
            *out = right;
        }
    }
    return kind == JOIN_FULL ? merge_domains(self, slot, &left, &right, out) : FIRN_OK;
}

static firn_status push_union(domain *self, plan_node *node, domain_ids *out) {
    optimizer *rules = self->self;
    const uint32_t width = node->union_.ids.count;
    u32_list input_ids = {0};
    field *fields = ARENA_NEW(rules->memory, field, width + self->outer.count + 1);
    if (fields == NULL) {
        return rewrite_full(rules);
    }
    for (uint32_t i = 0; i < node->union_.inputs.count; i++) {
        domain_ids part;
        TRY(domain_push(self, &node->union_.inputs.items[i], &part));
        for (uint32_t k = 0; k < width; k++) {
            TRY(rewrite_add_id(rules, &input_ids, node->union_.input_ids.items[i * width + k]));
        }
        for (uint32_t k = 0; k < self->outer.count; k++) {
            TRY(rewrite_add_id(rules, &input_ids, part.items.items[k]));
        }
    }
    for (uint32_t i = 0; i < width; i++) {
        fields[i] = node->union_.columns.fields[i];
    }
    *out = (domain_ids){0};
    for (uint32_t i = 0; i < self->outer.count; i++) {
        const uint32_t id = rewrite_new_id(rules);
        fields[width + i] = (field){.type = self->types[i], .is_nullable = true, .id = -1};
        TRY(rewrite_add_id(rules, &node->union_.ids, id));
        TRY(rewrite_add_id(rules, &out->items, id));
    }
    node->union_.input_ids = input_ids;
    node->union_.columns = (schema){.count = width + self->outer.count, .fields = fields};
    return FIRN_OK;
}

firn_status domain_call(domain *self, const char *name, expr **args, uint32_t count, expr **out) {
    return function_call_named(text_of(name), args, count, self->self->memory, out,
                               self->self->err);
}

static firn_status push_unnest(domain *self, plan_node *node, domain_ids *out) {
    substitution map;
    TRY(domain_push(self, &node->unnest_.input, out));
    TRY(domain_substitution(self, out, &map));
    for (uint32_t i = 0; i < node->unnest_.lists.count; i++) {
        TRY(rewrite_substitute(self->self, &node->unnest_.lists.items[i], &map));
    }
    return FIRN_OK;
}

// generate_series(1, outer.n): as a list for each value of D, unnested.
static firn_status push_table_function(domain *self, plan_node **slot, domain_ids *out) {
    plan_node *node = *slot;
    plan_node *values;
    substitution map;
    TRY(new_domain(self, &values, out));
    TRY(domain_substitution(self, out, &map));
    for (uint32_t i = 0; i < node->table_function_.args.count; i++) {
        TRY(rewrite_substitute(self->self, &node->table_function_.args.items[i], &map));
    }
    return unnest_series(self->self, node, values, slot);
}

firn_status domain_push(domain *self, plan_node **slot, domain_ids *out) {
    bool mentions;
    TRY(mentions_domain(self, *slot, &mentions));
    if (!mentions) {
        return push_leaf(self, slot, out);
    }
    plan_node *node = *slot;
    switch ((int)node->kind) {
    case PLAN_FILTER:
        return push_filter(self, node, out);
    case PLAN_PROJECT:
        return push_project(self, node, out);
    case PLAN_AGGREGATE:
        return push_aggregate(self, slot, out);
    case PLAN_JOIN:
        return push_join(self, slot, out);
    case PLAN_UNION:
        return push_union(self, node, out);
    case PLAN_LIMIT:
        return domain_push_limit(self, slot, out);
    case PLAN_SORT:
        return push_sort(self, slot, out);
    case PLAN_UNNEST:
        return push_unnest(self, node, out);
    case PLAN_TABLE_FUNCTION:
        return push_table_function(self, slot, out);
    case PLAN_REPEAT: {
        substitution map;
        TRY(domain_push(self, &node->repeat_.input, out));
        TRY(domain_substitution(self, out, &map));
        return rewrite_substitute(self->self, &node->repeat_.times, &map);
    }
    case PLAN_SHARED:
        return domain_push(self, &node->shared_.body, out);
    default:
        return FAIL_SQL(self->self->err, FIRN_UNSUPPORTED, "0A000", NO_POSITION,
                        "a correlated subquery of this shape");
    }
}

// IS NOT FALSE: for null-aware tests, a row that may match counts as one that does.
static firn_status not_false(optimizer *self, expr *condition, expr **out) {
    return rewrite_coalesce(self, condition, expr_bool(self->memory, true), out);
}

// Has it an equality, by which a join finds what matches?
static bool has_equality(const expr *condition) {
    const uint32_t count = condition->kind == EXPR_AND ? condition->and_.args.count : 1;
    for (uint32_t i = 0; i < count; i++) {
        const expr *each = condition->kind == EXPR_AND ? condition->and_.args.items[i] : condition;
        if (expr_is_call(each, "=")) {
            return true;
        }
    }
    return false;
}

firn_status unnest_push(optimizer *self, plan_node **slot, const id_set *outer) {
    plan_node *node = *slot;
    plan_node **source;
    plan_node *shared;
    TRY(domain_source(self, &node->dependent_join_.left, outer, &source));
    TRY(domain_share(self, source, &shared));
    domain state = {.self = self, .left = *source};
    plan_columns columns;
    TRY(plan_outputs(state.left, self->memory, &columns, self->err));
    state.types = ARENA_NEW(self->memory, const type *, id_set_count(outer) + 2);
    if (state.types == NULL) {
        return rewrite_full(self);
    }
    for (uint32_t id = 0; id_set_next(outer, &id); id++) {
        state.types[state.outer.count] = rewrite_type_of(&columns, id);
        TRY(rewrite_add_id(self, &state.outer, id));
    }
    plan_node *numbered;
    TRY(domain_number(&state, &node->dependent_join_.left, node->dependent_join_.right, &numbered));
    const domain_ids left = {.items = state.outer};
    domain_ids right = {0};
    TRY(domain_push(&state, &node->dependent_join_.right, &right));
    plan_node *join;
    const join_kind kind = node->dependent_join_.join;
    TRY(new_join(&state, node->dependent_join_.left, node->dependent_join_.right, kind, &join));
    join->position = node->position;
    join->join_.mark_id = node->dependent_join_.mark_id;
    join->join_.residual = node->dependent_join_.condition;
    if (node->dependent_join_.null_aware && kind == JOIN_ANTI &&
        !has_equality(join->join_.residual)) {
        TRY(not_false(self, join->join_.residual, &join->join_.residual));
    } else {
        join->join_.null_aware = node->dependent_join_.null_aware;
    }
    TRY(domain_equal(&state, &left, &right, &join->join_.residual));
    *slot = join;
    plan_node *const above[] = {numbered, shared}; // D may be made of what is shared.
    for (int i = 0; i < 2; i++) {
        if (above[i] != NULL) {
            above[i]->shared_.body = *slot;
            *slot = above[i];
        }
    }
    return FIRN_OK;
}
