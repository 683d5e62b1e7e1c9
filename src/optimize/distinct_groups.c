// Aggregates of distinct values become two aggregations, where groups are large:
//
//     AGG[k; count(DISTINCT v), max(w), count(*)] (t)
//  →  AGG[k; count(v), max(m), sum(c)] (AGG[k, v; max(w) AS m, count(*) AS c] (t))
//
// So the values of one group may be in several partitions, on disk too, and several workers tell
// them apart. With FILTER (WHERE f) the inner key is CASE WHEN f THEN v END: of aggregates that
// skip NULLs. The most frequent value is that with the highest count:
//
//     AGG[k; mode(v)] (t)
//  →  AGG[k; any_value(v ORDER BY c DESC, v)] (AGG[k, v; count(*) AS c] (t))
//
// Where groups have few rows each it would only make two tables of one; there, and where an
// aggregate cannot be put together from parts, the executor tells values apart group by group.
// Without groups it spreads distinct values over partitions anyway; there only those are split that
// would have to see all of them at once.
#include "functions/overload.h"
#include "functions/registry.h"
#include "optimize/estimate.h"

#define ROWS_A_GROUP 8 // As expected: with fewer, a table of all values is as large as the rows.

typedef struct splitting {
    optimizer *self;
    const expr *distinct; // The first of them: its arguments and filter are the others' too.
    plan_node *inner;
    plan_node *outer;
    uint32_t count_id;  // Of the inner count(*); NO_SLOT: none yet.
    u32_list value_ids; // Of the inner aggregation's values, by argument; NO_SLOT: a constant.
    expr_list results;  // Of the projection above, if there must be one.
    bool needs_results; // A result has another type than what sums up its parts.
} splitting;

static bool is_idempotent(const expr *call) {
    return (call->aggregate_.function->flags & AGGREGATE_DISTINCT_IS_SAME) != 0;
}

// Over distinct values, for which more than one of each makes a difference.
static bool is_distinct(const expr *call) {
    return call->aggregate_.is_distinct && !is_idempotent(call);
}

static bool is_mode(const expr *call) {
    return expr_is_aggregate(call, "mode") && !call->aggregate_.is_distinct;
}

static bool collects_distinct(const expr *call) {
    const aggregate_function *function = call->aggregate_.function;
    return is_distinct(call) && function->overloads[call->aggregate_.overload].collect != NULL &&
           (function->flags & AGGREGATE_ORDER_MATTERS) == 0;
}

// Looks at each value of its group once, if it is split.
static bool is_by_value(const expr *call) {
    return is_distinct(call) || is_mode(call);
}

static bool same_args(const expr *left, const expr *right) {
    const expr *filters[2] = {left->aggregate_.filter, right->aggregate_.filter};
    bool is_same = left->aggregate_.args.count == right->aggregate_.args.count &&
                   (filters[0] == NULL || filters[1] == NULL ? filters[0] == filters[1]
                                                             : expr_equal(filters[0], filters[1]));
    for (uint32_t i = 0; i < left->aggregate_.args.count && is_same; i++) {
        is_same = expr_equal(left->aggregate_.args.items[i], right->aggregate_.args.items[i]);
    }
    return is_same;
}

static bool has_volatile(const expr_list *values) {
    bool found = false;
    for (uint32_t i = 0; i < values->count; i++) {
        found |= expr_is_volatile(values->items[i]);
    }
    return found;
}

// May the aggregate be computed from distinct values, or from parts of its group?
static bool may_split(const expr *call, const expr *distinct) {
    const aggregate_function *function = call->aggregate_.function;
    const expr *filter = call->aggregate_.filter;
    const bool collects = function->overloads[call->aggregate_.overload].collect != NULL;
    if ((collects && !is_mode(call) && !collects_distinct(call)) ||
        (call->aggregate_.order.count > 0 && !is_mode(call)) ||
        has_volatile(&call->aggregate_.args) || (filter != NULL && expr_is_volatile(filter))) {
        return false;
    }
    if (is_by_value(call)) {
        return (filter == NULL || (function->flags & AGGREGATE_SKIPS_NULLS) != 0) &&
               call->aggregate_.args.count > 0 && same_args(call, distinct);
    }
    const bool is_typed_alike = call->aggregate_.args.count == 1 &&
                                type_equal(call->type, call->aggregate_.args.items[0]->type);
    // approx_count_distinct minds no doubles, but its value is none of those it has seen.
    const bool is_own_part =
        is_idempotent(call) && (function->flags & AGGREGATE_EMPTY_IS_ZERO) == 0 && is_typed_alike;
    return is_own_part || expr_is_aggregate(call, "count") || expr_is_aggregate(call, "sum");
}

// The aggregate of distinct values by which the node can be split; NULL if it cannot.
static const expr *find_distinct(const plan_node *node) {
    const expr *distinct = NULL;
    const expr_list *calls = &node->aggregate_.aggregates;
    if (node->aggregate_.sets.count > 0 || node->aggregate_.set_id != NO_SLOT ||
        has_volatile(&node->aggregate_.keys)) {
        return NULL;
    }
    const bool has_keys = node->aggregate_.keys.count > 0;
    for (uint32_t i = 0; i < calls->count && distinct == NULL; i++) {
        const expr *call = calls->items[i];
        const bool splits = has_keys ? is_by_value(call) : is_mode(call) || collects_distinct(call);
        distinct = splits ? call : NULL;
    }
    for (uint32_t i = 0; i < calls->count && distinct != NULL; i++) {
        distinct = may_split(calls->items[i], distinct) ? distinct : NULL;
    }
    return distinct;
}

// One more key of the inner aggregation; `*out`: its column.
static firn_status add_inner_key(splitting *state, expr *value, expr **out) {
    const uint32_t id = rewrite_new_id(state->self);
    TRY(rewrite_add_id(state->self, &state->inner->aggregate_.key_ids, id));
    TRY(rewrite_add_expr(state->self, &state->inner->aggregate_.keys, value));
    return rewrite_column(state->self, id, value->type, out);
}

// CASE WHEN filter THEN value END.
static firn_status guard(optimizer *self, expr *filter, expr *value, expr **out) {
    expr *guarded = expr_new(self->memory, EXPR_CASE, value->type);
    expr *nothing = expr_null(self->memory, value->type);
    if (guarded == NULL || nothing == NULL) {
        return rewrite_full(self);
    }
    guarded->case_.otherwise = nothing;
    guarded->position = value->position;
    *out = guarded;
    TRY(rewrite_add_expr(self, &guarded->case_.conditions, filter));
    return rewrite_add_expr(self, &guarded->case_.values, value);
}

// The keys, then the distinct values that are no constants.
static firn_status add_keys(splitting *state, const plan_node *node) {
    optimizer *self = state->self;
    for (uint32_t i = 0; i < node->aggregate_.keys.count; i++) {
        expr *key;
        TRY(add_inner_key(state, node->aggregate_.keys.items[i], &key));
        TRY(rewrite_add_id(self, &state->outer->aggregate_.key_ids,
                           node->aggregate_.key_ids.items[i]));
        TRY(rewrite_add_expr(self, &state->outer->aggregate_.keys, key));
        TRY(rewrite_column(self, node->aggregate_.key_ids.items[i], key->type, &key));
        TRY(rewrite_add_expr(self, &state->results, key));
    }
    const expr_list *args = &state->distinct->aggregate_.args;
    expr *filter = state->distinct->aggregate_.filter;
    for (uint32_t i = 0; i < args->count; i++) {
        uint32_t id = NO_SLOT;
        expr *arg = args->items[i];
        if (i == 0 && filter != NULL) {
            TRY(guard(self, filter, arg, &arg));
        }
        // Without any key there would be a group where there is no row.
        if (!expr_is_constant(arg) || arg != args->items[i] ||
            state->inner->aggregate_.keys.count == 0) {
            expr *value;
            TRY(add_inner_key(state, arg, &value));
            id = value->column_.id;
        }
        TRY(rewrite_add_id(self, &state->value_ids, id));
    }
    return FIRN_OK;
}

// How many rows the inner aggregation's values have.
static firn_status count_of_values(splitting *state, expr **out) {
    optimizer *self = state->self;
    if (state->count_id == NO_SLOT) {
        expr *count;
        const overload_request request = {.position = UINT32_MAX, .context = self->context};
        TRY(aggregate_call_new(aggregate_find(TEXT("count")), &request, self->memory, &count,
                               self->err));
        state->count_id = rewrite_new_id(self);
        TRY(rewrite_add_id(self, &state->inner->aggregate_.ids, state->count_id));
        TRY(rewrite_add_expr(self, &state->inner->aggregate_.aggregates, count));
    }
    return rewrite_column(self, state->count_id, TYPE_OF(BIGINT), out);
}

// Of the inner aggregation's values the one with the highest count, of several the lowest.
static firn_status choose_most_frequent(splitting *state, const expr *mode, expr **out) {
    optimizer *self = state->self;
    expr *value = mode->aggregate_.args.items[0];
    const overload_request request = {.types = (const type *const[]){value->type},
                                      .args = &value,
                                      .arg_count = 1,
                                      .position = mode->position,
                                      .context = self->context};
    TRY(aggregate_call_new(aggregate_find(TEXT("any_value")), &request, self->memory, out,
                           self->err));
    sort_key *keys = ARENA_NEW(self->memory, sort_key, 2);
    if (keys == NULL) {
        return rewrite_full(self);
    }
    keys[0] = (sort_key){.is_descending = true};
    TRY(count_of_values(state, &keys[0].value));
    keys[1] = (sort_key){.value = expr_copy(self->memory, value)};
    (*out)->aggregate_.order = (sort_key_list){.count = 2, .items = keys};
    return keys[1].value == NULL ? rewrite_full(self) : FIRN_OK;
}

// The same aggregate, of the inner aggregation's values.
static firn_status add_distinct(splitting *state, expr *call, uint32_t id) {
    optimizer *self = state->self;
    for (uint32_t i = 0; i < call->aggregate_.args.count; i++) {
        expr **arg = &call->aggregate_.args.items[i];
        if (state->value_ids.items[i] != NO_SLOT) {
            TRY(rewrite_column(self, state->value_ids.items[i], (*arg)->type, arg));
        }
    }
    const bool chooses = is_mode(call);
    const type *wanted = call->type;
    call->aggregate_.is_distinct = false;
    call->aggregate_.filter = NULL;
    if (chooses) {
        TRY(choose_most_frequent(state, call, &call));
    }
    const bool is_result = type_equal(call->type, wanted); // any_value of BINARY(n) is BINARY.
    const uint32_t made_id = is_result ? id : rewrite_new_id(self);
    TRY(rewrite_add_id(self, &state->outer->aggregate_.ids, made_id));
    TRY(rewrite_add_expr(self, &state->outer->aggregate_.aggregates, call));
    expr *result;
    TRY(rewrite_column(self, made_id, call->type, &result));
    if (!is_result) {
        state->needs_results = true;
        result = expr_cast(self->memory, result, wanted, false, true);
        if (result == NULL) {
            return rewrite_full(self);
        }
    }
    return rewrite_add_expr(self, &state->results, result);
}

// The aggregate as a part by distinct value, and what puts the parts of a group together.
static firn_status add_parts(splitting *state, expr *call, uint32_t id) {
    optimizer *self = state->self;
    const uint32_t part_id = rewrite_new_id(self);
    const uint32_t whole_id = rewrite_new_id(self);
    expr *part;
    expr *whole;
    expr *result;
    TRY(rewrite_add_id(self, &state->inner->aggregate_.ids, part_id));
    TRY(rewrite_add_expr(self, &state->inner->aggregate_.aggregates, call));
    TRY(rewrite_column(self, part_id, call->type, &part));
    const text name = text_of(is_idempotent(call) ? call->aggregate_.function->name : "sum");
    const overload_request request = {.types = (const type *const[]){call->type},
                                      .args = &part,
                                      .arg_count = 1,
                                      .position = UINT32_MAX,
                                      .context = self->context};
    TRY(aggregate_call_new(aggregate_find(name), &request, self->memory, &whole, self->err));
    call->aggregate_.is_distinct = false; // Of an idempotent one.
    const bool may_be_empty = state->outer->aggregate_.keys.count == 0 &&
                              (call->aggregate_.function->flags & AGGREGATE_EMPTY_IS_ZERO) != 0;
    const bool is_same_type = type_equal(whole->type, call->type);
    const bool is_result = is_same_type && !may_be_empty;
    const uint32_t made_id = is_result ? id : whole_id;
    TRY(rewrite_add_id(self, &state->outer->aggregate_.ids, made_id));
    TRY(rewrite_add_expr(self, &state->outer->aggregate_.aggregates, whole));
    TRY(rewrite_column(self, made_id, whole->type, &result));
    state->needs_results |= !is_result;
    if (!is_same_type) {
        result = expr_cast(self->memory, result, call->type, false, true);
        if (result == NULL) {
            return rewrite_full(self);
        }
    }
    if (may_be_empty) { // Without a row there is no part.
        expr *zero = expr_i64(self->memory, call->type, 0);
        if (zero == NULL) {
            return rewrite_full(self);
        }
        TRY(rewrite_coalesce(self, result, zero, &result));
    }
    return rewrite_add_expr(self, &state->results, result);
}

static firn_status split(optimizer *self, plan_node **slot, const expr *distinct) {
    plan_node *node = *slot;
    splitting state = {.self = self, .distinct = distinct, .count_id = NO_SLOT};
    u32_list ids = {0};
    TRY(rewrite_node(self, PLAN_AGGREGATE, &state.inner));
    TRY(rewrite_node(self, PLAN_AGGREGATE, &state.outer));
    state.inner->aggregate_.input = node->aggregate_.input;
    state.inner->aggregate_.set_id = NO_SLOT;
    state.outer->aggregate_.input = state.inner;
    state.outer->aggregate_.set_id = NO_SLOT;
    TRY(add_keys(&state, node));
    for (uint32_t i = 0; i < node->aggregate_.key_ids.count; i++) {
        TRY(rewrite_add_id(self, &ids, node->aggregate_.key_ids.items[i]));
    }
    for (uint32_t i = 0; i < node->aggregate_.ids.count; i++) {
        // A copy: the first distinct one is still asked what its arguments are.
        expr *call = expr_copy(self->memory, node->aggregate_.aggregates.items[i]);
        if (call == NULL) {
            return rewrite_full(self);
        }
        const uint32_t id = node->aggregate_.ids.items[i];
        TRY(is_by_value(call) ? add_distinct(&state, call, id) : add_parts(&state, call, id));
        TRY(rewrite_add_id(self, &ids, id));
    }
    *slot = state.outer;
    return state.needs_results ? rewrite_project(self, state.outer, &ids, &state.results, slot)
                               : FIRN_OK;
}

// `user`: the estimates of the whole rule, since what is thought of a column takes room for every
// one there is.
static bool visit(void *user, plan_node **slot) {
    estimates *known = user;
    optimizer *self = known->self;
    plan_node *node = *slot;
    if (!plan_visit_children(node, visit, user)) {
        return false;
    }
    const expr *distinct = node->kind == PLAN_AGGREGATE ? find_distinct(node) : NULL;
    if (distinct == NULL) {
        return true;
    }
    if (estimate_tree(known, node) != FIRN_OK) {
        return false;
    }
    const bool are_large =
        node->row_estimate * ROWS_A_GROUP <= node->aggregate_.input->row_estimate;
    return !are_large || split(self, slot, distinct) == FIRN_OK;
}

firn_status rule_distinct_groups(optimizer *self, plan_node **root) {
    estimates known = {.self = self};
    return visit(&known, root) ? FIRN_OK : self->err->status;
}
