// The general way to unnest (T. Neumann, A. Kemper: "Unnesting Arbitrary Queries", BTW 2015).
//
// D = the distinct values of the left side's columns that the right side mentions. The dependent
// join becomes an ordinary one of left and right', where right' = right computed for all of D at
// once: it hands out D's columns too, and the join compares them (NULL equals NULL) with the
// left's. Equal values that are not the same are told apart by tags, see unnest_tags.c.
//
// D travels down the right side until nothing below mentions the left any more; there it is joined
// in. On the way each node learns to keep D's columns apart: aggregates group by them, joins
// compare them, limits count per value of them. Every place gets its own copy of D under new ids.
//
// The left side stands twice in the result, as itself and in D: D's definition is a copy.
#include "functions/overload.h"
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
                            const type *const *types, const u32_list *tagged, plan_node **out,
                            u32_list *made) {
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
    for (uint32_t i = 0; i < tagged->count; i++) {
        const uint32_t at = tagged->items[i];
        const uint32_t id = rewrite_new_id(self);
        expr *tag;
        TRY(unnest_tag(self, made->items[at], types[at], &tag));
        TRY(rewrite_add_expr(self, &group->aggregate_.keys, tag));
        TRY(rewrite_add_id(self, &group->aggregate_.key_ids, id));
        TRY(rewrite_add_id(self, made, id));
    }
    *out = group;
    return FIRN_OK;
}

firn_status domain_new(domain *self, plan_node **out, domain_ids *made) {
    return self->is_numbered ? domain_read_numbered(self, out, made)
                             : unnest_distinct(self->self, self->left, &self->columns, self->types,
                                               &self->tagged, out, &made->items);
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

firn_status domain_join(domain *self, plan_node *left, plan_node *right, join_kind kind,
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
    TRY(domain_new(self, &values, out));
    return domain_join(self, *slot, values, JOIN_CROSS, slot);
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
    TRY(domain_new(self, &values, out));
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
        return domain_push_aggregate(self, slot, out);
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
    state.types = ARENA_NEW(self->memory, const type *, 2 * (size_t)id_set_count(outer) + 1);
    if (state.types == NULL) {
        return rewrite_full(self);
    }
    for (uint32_t id = 0; id_set_next(outer, &id); id++) {
        state.types[state.columns.count] = rewrite_type_of(&columns, id);
        TRY(rewrite_add_id(self, &state.columns, id));
    }
    TRY(domain_tag(&state, &node->dependent_join_.left, node->dependent_join_.right));
    plan_node *numbered;
    TRY(domain_number(&state, &node->dependent_join_.left, node->dependent_join_.right, &numbered));
    const domain_ids left = {.items = state.outer};
    domain_ids right = {0};
    TRY(domain_push(&state, &node->dependent_join_.right, &right));
    plan_node *join;
    const join_kind kind = node->dependent_join_.join;
    TRY(domain_join(&state, node->dependent_join_.left, node->dependent_join_.right, kind, &join));
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
