// The cheap way to unnest: a right side of filters, projections, inner joins and at most one
// aggregate, correlated only by filter conjuncts. These are pulled up into the join's condition; on
// the way through an aggregate an equality `inner = outer` makes `inner` one more grouping key.
//
//     SINGLE JOIN (left, AGG[sum(q)] (FILTER[k = left.k] (t)))
//  →  SINGLE JOIN ON k = left.k (left, AGG[k; sum(q)] (t))
//
// A group that does not exist is a missing row instead of count() = 0: what is computed from the
// aggregates moves above the join, where a missing count is 0 and everything else is NULL.
//
// The tree is first only looked at; it is changed when the whole of it can be.
#include <assert.h>

#include "optimize/unnest.h"

typedef struct pulling {
    optimizer *self;
    const id_set *outer;
    expr_list pulled;      // Conjuncts for the join's condition.
    substitution restored; // Columns of the aggregate as seen above the join (count: 0 for NULL).
    plan_node *aggregate;  // The scalar one, without keys of its own.
    expr_list above;       // Values of projections over the scalar aggregate, moved above the join.
    u32_list above_ids;
} pulling;

static firn_status mentions_outer(const pulling *state, const expr *value, bool *out) {
    id_set used = id_set_open(state->self->memory);
    TRY(rewrite_used(state->self, value, &used));
    *out = id_set_intersects(state->outer, &used);
    return FIRN_OK;
}

static firn_status is_correlated(const pulling *state, plan_node *node, bool *out) {
    id_set used = id_set_open(state->self->memory);
    TRY(rewrite_free(state->self, node, &used));
    *out = id_set_intersects(state->outer, &used);
    return FIRN_OK;
}

// inner = outer, either way round, with only outer columns on one side and none on the other.
static firn_status is_key_equality(const pulling *state, expr *conjunct, expr **inner, bool *out) {
    optimizer *self = state->self;
    *out = false;
    if (!expr_is_call(conjunct, "=")) {
        return FIRN_OK;
    }
    for (int side = 0; side < 2 && !*out; side++) {
        expr *here = conjunct->call_.args.items[side];
        bool only_outer;
        bool any_outer;
        TRY(rewrite_covers(self, state->outer, conjunct->call_.args.items[1 - side], &only_outer));
        TRY(mentions_outer(state, here, &any_outer));
        if (only_outer && !any_outer && (!expr_can_fail(here) || rewrite_may_be_key(conjunct))) {
            *inner = here;
            *out = true;
        }
    }
    return FIRN_OK;
}

typedef struct shape {
    bool below_aggregate; // Only equalities may be pulled from here.
    bool is_value_chain;  // Projections between the join and its scalar aggregate.
} shape;

static firn_status exprs_are_free(const pulling *state, const expr_list *values, bool *out) {
    *out = true;
    for (uint32_t i = 0; i < values->count && *out; i++) {
        bool mentions;
        TRY(mentions_outer(state, values->items[i], &mentions));
        *out = !mentions;
    }
    return FIRN_OK;
}

// ---- Looking ---------------------------------------------------------------------------------

static firn_status can_pull(const pulling *state, plan_node *node, shape where, bool *out);

static firn_status can_pull_filter(const pulling *state, plan_node *node, shape where, bool *out) {
    expr_list conjuncts = {0};
    TRY(rewrite_split(state->self, node->filter_.predicate, &conjuncts));
    for (uint32_t i = 0; i < conjuncts.count; i++) {
        bool mentions;
        bool is_key = true;
        expr *inner;
        TRY(mentions_outer(state, conjuncts.items[i], &mentions));
        if (mentions && where.below_aggregate) {
            TRY(is_key_equality(state, conjuncts.items[i], &inner, &is_key));
        }
        const bool is_safe = !expr_can_fail(conjuncts.items[i]) ||
                             rewrite_may_be_key(conjuncts.items[i]) ||
                             rewrite_may_be_bound(conjuncts.items[i]);
        if (mentions && (!is_key || !is_safe)) {
            *out = false;
            return FIRN_OK;
        }
    }
    where.is_value_chain = false;
    return can_pull(state, node->filter_.input, where, out);
}

static firn_status can_pull_aggregate(const pulling *state, plan_node *node, shape where,
                                      bool *out) {
    *out = node->aggregate_.sets.count == 0 && node->aggregate_.set_id == NO_SLOT &&
           !where.below_aggregate;
    // A scalar aggregate has a row even for no input: only right below the join is that known.
    if (node->aggregate_.keys.count == 0 && !where.is_value_chain) {
        *out = false;
    }
    bool is_free = true;
    if (*out) {
        TRY(exprs_are_free(state, &node->aggregate_.keys, &is_free));
        *out = is_free;
    }
    for (uint32_t i = 0; i < node->aggregate_.aggregates.count && *out; i++) {
        bool mentions;
        TRY(mentions_outer(state, node->aggregate_.aggregates.items[i], &mentions));
        *out = !mentions;
    }
    if (!*out) {
        return FIRN_OK;
    }
    return can_pull(state, node->aggregate_.input,
                    (shape){.below_aggregate = true, .is_value_chain = false}, out);
}

static firn_status can_pull(const pulling *state, plan_node *node, shape where, bool *out) {
    bool correlated;
    TRY(is_correlated(state, node, &correlated));
    *out = true;
    if (!correlated) {
        return FIRN_OK;
    }
    switch ((int)node->kind) {
    case PLAN_FILTER:
        return can_pull_filter(state, node, where, out);
    case PLAN_PROJECT:
        TRY(exprs_are_free(state, &node->project_.values, out));
        return *out ? can_pull(state, node->project_.input, where, out) : FIRN_OK;
    case PLAN_AGGREGATE:
        return can_pull_aggregate(state, node, where, out);
    case PLAN_JOIN: {
        const join_kind kind = node->join_.join;
        bool mentions = false;
        if (node->join_.residual != NULL) {
            TRY(mentions_outer(state, node->join_.residual, &mentions));
        }
        where.is_value_chain = false;
        if (kind == JOIN_INNER || kind == JOIN_CROSS) {
            *out = !mentions; // Conditions are still residuals here: keys are found later.
            if (*out) {
                TRY(can_pull(state, node->join_.left, where, out));
            }
            return *out ? can_pull(state, node->join_.right, where, out) : FIRN_OK;
        }
        bool right_correlated;
        TRY(is_correlated(state, node->join_.right, &right_correlated));
        *out = !mentions && !right_correlated &&
               (kind == JOIN_LEFT || kind == JOIN_SEMI || kind == JOIN_ANTI ||
                kind == JOIN_SINGLE || kind == JOIN_MARK);
        return *out ? can_pull(state, node->join_.left, where, out) : FIRN_OK;
    }
    default:
        *out = false;
        return FIRN_OK;
    }
}

// ---- Pulling ---------------------------------------------------------------------------------

static firn_status pull(pulling *state, plan_node **slot, bool is_value_chain);

static firn_status pull_filter(pulling *state, plan_node **slot) {
    plan_node *node = *slot;
    optimizer *self = state->self;
    expr_list conjuncts = {0};
    expr_list kept = {0};
    TRY(rewrite_split(self, node->filter_.predicate, &conjuncts));
    for (uint32_t i = 0; i < conjuncts.count; i++) {
        bool mentions;
        TRY(mentions_outer(state, conjuncts.items[i], &mentions));
        TRY(rewrite_add_expr(self, mentions ? &state->pulled : &kept, conjuncts.items[i]));
    }
    TRY(pull(state, &node->filter_.input, false));
    return rewrite_filter(self, node->filter_.input, &kept, slot);
}

// Columns of `input` that pulled conjuncts mention must pass through.
static firn_status pass_needed(pulling *state, const plan_node *input, u32_list *ids,
                               expr_list *values) {
    optimizer *self = state->self;
    plan_columns columns;
    id_set used = id_set_open(self->memory);
    TRY(plan_outputs(input, self->memory, &columns, self->err));
    for (uint32_t i = 0; i < state->pulled.count; i++) {
        TRY(rewrite_used(self, state->pulled.items[i], &used));
    }
    for (uint32_t i = 0; i < columns.count; i++) {
        bool is_there = false;
        for (uint32_t k = 0; k < ids->count; k++) {
            is_there |= ids->items[k] == columns.items[i].id;
        }
        if (id_set_has(&used, columns.items[i].id) && !is_there) {
            expr *value;
            TRY(rewrite_column(self, columns.items[i].id, columns.items[i].type, &value));
            TRY(rewrite_add_id(self, ids, columns.items[i].id));
            TRY(rewrite_add_expr(self, values, value));
        }
    }
    return FIRN_OK;
}

static firn_status pull_project(pulling *state, plan_node **slot, bool is_value_chain) {
    plan_node *node = *slot;
    TRY(pull(state, &node->project_.input, is_value_chain));
    if (state->aggregate != NULL && is_value_chain) {
        // Over the scalar aggregate: computed above the join, from what is restored there.
        substitution map = {0};
        for (uint32_t i = 0; i < node->project_.ids.count; i++) {
            expr *value = node->project_.values.items[i];
            TRY(rewrite_substitute(state->self, &value, &state->restored));
            TRY(rewrite_add_id(state->self, &map.from, node->project_.ids.items[i]));
            TRY(rewrite_add_expr(state->self, &map.to, value));
        }
        state->restored = map;
        *slot = node->project_.input;
        return FIRN_OK;
    }
    return pass_needed(state, node->project_.input, &node->project_.ids, &node->project_.values);
}

static firn_status pull_aggregate(pulling *state, plan_node *node) {
    optimizer *self = state->self;
    const bool is_scalar = node->aggregate_.keys.count == 0;
    const uint32_t before = state->pulled.count;
    TRY(pull(state, &node->aggregate_.input, false));
    id_set made = id_set_open(self->memory);
    TRY(rewrite_outputs(self, node->aggregate_.input, &made));
    for (uint32_t i = before; i < state->pulled.count; i++) {
        expr *inner = NULL;
        bool is_key;
        TRY(is_key_equality(state, state->pulled.items[i], &inner, &is_key));
        assert(is_key);
        // The key's id stands for the inner side in the pulled equality. A column of a query
        // further out keeps its own: with it the aggregate would seem to make it.
        const bool is_own = inner->kind == EXPR_COLUMN && id_set_has(&made, inner->column_.id);
        const uint32_t id = is_own ? inner->column_.id : rewrite_new_id(self);
        bool is_there = false;
        for (uint32_t k = 0; k < node->aggregate_.key_ids.count; k++) {
            is_there |= node->aggregate_.key_ids.items[k] == id;
        }
        if (!is_there) {
            TRY(rewrite_add_id(self, &node->aggregate_.key_ids, id));
            TRY(rewrite_add_expr(self, &node->aggregate_.keys, inner));
        }
        expr *key;
        TRY(rewrite_column(self, id, inner->type, &key));
        expr_list *args = &state->pulled.items[i]->call_.args;
        for (int side = 0; side < 2; side++) {
            if (args->items[side] == inner) {
                args->items[side] = key;
            }
        }
    }
    if (!is_scalar) {
        return FIRN_OK;
    }
    state->aggregate = node;
    for (uint32_t i = 0; i < node->aggregate_.ids.count; i++) {
        const expr *call = node->aggregate_.aggregates.items[i];
        expr *value;
        TRY(rewrite_column(self, node->aggregate_.ids.items[i], call->type, &value));
        if ((call->aggregate_.function->flags & AGGREGATE_EMPTY_IS_ZERO) != 0) {
            TRY(rewrite_coalesce(self, value, expr_i64(self->memory, call->type, 0), &value));
        }
        TRY(rewrite_add_id(self, &state->restored.from, node->aggregate_.ids.items[i]));
        TRY(rewrite_add_expr(self, &state->restored.to, value));
    }
    return FIRN_OK;
}

static firn_status pull(pulling *state, plan_node **slot, bool is_value_chain) {
    bool correlated;
    TRY(is_correlated(state, *slot, &correlated));
    if (!correlated) {
        return FIRN_OK;
    }
    switch ((int)(*slot)->kind) {
    case PLAN_FILTER:
        return pull_filter(state, slot);
    case PLAN_PROJECT:
        return pull_project(state, slot, is_value_chain);
    case PLAN_AGGREGATE:
        return pull_aggregate(state, *slot);
    case PLAN_JOIN:
        TRY(pull(state, &(*slot)->join_.left, false));
        if ((*slot)->join_.join == JOIN_INNER || (*slot)->join_.join == JOIN_CROSS) {
            return pull(state, &(*slot)->join_.right, false);
        }
        return FIRN_OK;
    default:
        return FAIL(state->self->err, FIRN_INTERNAL, "a correlated node that cannot be pulled");
    }
}

// The columns of the single join are computed above it from the aggregate's columns.
static firn_status restore_values(pulling *state, plan_node *join, plan_node **out) {
    optimizer *self = state->self;
    u32_list ids = {0};
    expr_list values = {0};
    TRY(rewrite_pass(self, join->join_.left, &ids, &values));
    for (uint32_t i = 0; i < state->restored.from.count; i++) {
        TRY(rewrite_add_id(self, &ids, state->restored.from.items[i]));
        TRY(rewrite_add_expr(self, &values, state->restored.to.items[i]));
    }
    return rewrite_project(self, join, &ids, &values, out);
}

firn_status unnest_pull(optimizer *self, plan_node **slot, const id_set *outer, bool *done) {
    plan_node *node = *slot;
    const join_kind kind = node->dependent_join_.join;
    pulling state = {.self = self, .outer = outer};
    const shape top = {.is_value_chain = kind == JOIN_SINGLE};
    TRY(can_pull(&state, node->dependent_join_.right, top, done));
    // A null-aware test over other predicates would have to know which rows they pass.
    if (node->dependent_join_.null_aware) {
        *done = false;
    }
    if (!*done) {
        return FIRN_OK;
    }
    TRY(pull(&state, &node->dependent_join_.right, top.is_value_chain));
    TRY(rewrite_split(self, node->dependent_join_.condition, &state.pulled));
    plan_node *join;
    TRY(rewrite_node(self, PLAN_JOIN, &join));
    join->join_.left = node->dependent_join_.left;
    join->join_.right = node->dependent_join_.right;
    join->join_.join = kind;
    join->join_.mark_id = node->dependent_join_.mark_id;
    join->position = node->position;
    TRY(rewrite_join(self, &state.pulled, &join->join_.residual));
    *slot = join;
    if (state.aggregate != NULL) {
        join->join_.join = JOIN_LEFT; // One group, one row: nothing to check.
        return restore_values(&state, join, slot);
    }
    return FIRN_OK;
}
