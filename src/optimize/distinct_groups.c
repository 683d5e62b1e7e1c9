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
#include "optimize/two_steps.h"

#define ROWS_A_GROUP 8 // As expected: with fewer, a table of all values is as large as the rows.

typedef struct splitting {
    two_steps steps;
    const expr *distinct; // The first of them: its arguments and filter are the others' too.
    uint32_t count_id;    // Of the inner count(*); NO_SLOT: none yet.
    u32_list value_ids;   // Of the inner aggregation's values, by argument; NO_SLOT: a constant.
} splitting;

static bool is_mode(const expr *call) {
    return expr_is_aggregate(call, "mode") && !call->aggregate_.is_distinct;
}

static bool collects_distinct(const expr *call) {
    const aggregate_function *function = call->aggregate_.function;
    return two_steps_is_distinct(call) &&
           function->overloads[call->aggregate_.overload].collect != NULL &&
           (function->flags & AGGREGATE_ORDER_MATTERS) == 0;
}

// Looks at each value of its group once, if it is split.
static bool is_by_value(const expr *call) {
    return two_steps_is_distinct(call) || is_mode(call);
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

// May the aggregate be computed from distinct values, or from parts of its group?
static bool may_split(const expr *call, const expr *distinct) {
    const aggregate_function *function = call->aggregate_.function;
    const expr *filter = call->aggregate_.filter;
    if (!is_by_value(call)) {
        return two_steps_has_parts(call);
    }
    const bool collects = function->overloads[call->aggregate_.overload].collect != NULL;
    return (is_mode(call) ||
            ((!collects || collects_distinct(call)) && call->aggregate_.order.count == 0)) &&
           !two_steps_has_volatile(&call->aggregate_.args) &&
           (filter == NULL ||
            (!expr_is_volatile(filter) && (function->flags & AGGREGATE_SKIPS_NULLS) != 0)) &&
           call->aggregate_.args.count > 0 && same_args(call, distinct);
}

// The aggregate of distinct values by which the node can be split; NULL if it cannot.
static const expr *find_distinct(const plan_node *node) {
    const expr *distinct = NULL;
    const expr_list *calls = &node->aggregate_.aggregates;
    if (node->aggregate_.sets.count > 0 || node->aggregate_.set_id != NO_SLOT ||
        two_steps_has_volatile(&node->aggregate_.keys)) {
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

// The distinct values that are no constants are keys, too.
static firn_status add_values(splitting *state) {
    optimizer *self = state->steps.self;
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
            state->steps.inner->aggregate_.keys.count == 0) {
            expr *value;
            TRY(two_steps_add_key(&state->steps, arg, &value));
            id = value->column_.id;
        }
        TRY(rewrite_add_id(self, &state->value_ids, id));
    }
    return FIRN_OK;
}

// How many rows the inner aggregation's values have.
static firn_status count_of_values(splitting *state, expr **out) {
    optimizer *self = state->steps.self;
    if (state->count_id == NO_SLOT) {
        expr *count;
        const overload_request request = {.position = UINT32_MAX, .context = self->context};
        TRY(aggregate_call_new(aggregate_find(TEXT("count")), &request, self->memory, &count,
                               self->err));
        state->count_id = rewrite_new_id(self);
        TRY(rewrite_add_id(self, &state->steps.inner->aggregate_.ids, state->count_id));
        TRY(rewrite_add_expr(self, &state->steps.inner->aggregate_.aggregates, count));
    }
    return rewrite_column(self, state->count_id, TYPE_OF(BIGINT), out);
}

// Of the inner aggregation's values the one with the highest count, of several the lowest.
static firn_status choose_most_frequent(splitting *state, const expr *mode, expr **out) {
    optimizer *self = state->steps.self;
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
    optimizer *self = state->steps.self;
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
    TRY(rewrite_add_id(self, &state->steps.outer->aggregate_.ids, made_id));
    TRY(rewrite_add_expr(self, &state->steps.outer->aggregate_.aggregates, call));
    expr *result;
    TRY(rewrite_column(self, made_id, call->type, &result));
    if (!is_result) {
        state->steps.needs_results = true;
        result = expr_cast(self->memory, result, wanted, false, true);
        if (result == NULL) {
            return rewrite_full(self);
        }
    }
    return rewrite_add_expr(self, &state->steps.results, result);
}

static firn_status split(optimizer *self, plan_node **slot, const expr *distinct) {
    const plan_node *node = *slot;
    splitting state = {.distinct = distinct, .count_id = NO_SLOT};
    TRY(two_steps_open(self, node, &state.steps));
    TRY(add_values(&state));
    for (uint32_t i = 0; i < node->aggregate_.ids.count; i++) {
        // A copy: the first distinct one is still asked what its arguments are.
        expr *call = expr_copy(self->memory, node->aggregate_.aggregates.items[i]);
        if (call == NULL) {
            return rewrite_full(self);
        }
        const uint32_t id = node->aggregate_.ids.items[i];
        TRY(is_by_value(call) ? add_distinct(&state, call, id)
                              : two_steps_add_parts(&state.steps, call, id));
    }
    return two_steps_close(&state.steps, node, slot);
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
