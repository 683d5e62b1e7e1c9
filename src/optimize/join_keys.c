#include "optimize/join_keys.h"

firn_status join_sides_of(optimizer *self, const plan_node *join, join_sides *out) {
    out->left = id_set_open(self->memory);
    out->right = id_set_open(self->memory);
    TRY(rewrite_outputs(self, join->join_.left, &out->left));
    return rewrite_outputs(self, join->join_.right, &out->right);
}

bool join_key_is_by_range(const expr *equality) {
    return rewrite_fails_by_range(equality->call_.args.items[0]) &&
           rewrite_fails_by_range(equality->call_.args.items[1]);
}

// left = right (or IS NOT DISTINCT FROM) with each side covered by one side of the join: a key
// pair.
static firn_status add_key(optimizer *self, plan_node *join, const join_sides *ids, expr *conjunct,
                           bool *done) {
    *done = false;
    const bool null_equal = expr_is_call(conjunct, "is_not_distinct_from");
    if ((!null_equal && !expr_is_call(conjunct, "=")) || expr_is_volatile(conjunct)) {
        return FIRN_OK;
    }
    expr *const *args = conjunct->call_.args.items;
    for (int side = 0; side < 2; side++) {
        bool in_left;
        bool in_right;
        TRY(rewrite_covers(self, &ids->left, args[side], &in_left));
        TRY(rewrite_covers(self, &ids->right, args[1 - side], &in_right));
        if (in_left && in_right && !expr_is_constant(args[0]) && !expr_is_constant(args[1]) &&
            type_same_values(args[0]->type, args[1]->type)) {
            TRY(rewrite_add_expr(self, &join->join_.left_keys, args[side]));
            TRY(rewrite_add_expr(self, &join->join_.right_keys, args[1 - side]));
            TRY(rewrite_add_id(self, &join->join_.null_equal, null_equal ? 1 : 0));
            *done = true;
            return FIRN_OK;
        }
    }
    return FIRN_OK;
}

// Of the first `before` conjuncts of a list those about one side, and of the others those too that
// cannot fail.
static firn_status add_guards(optimizer *self, const id_set *side, const expr_list *list,
                              uint32_t before, expr_list *out) {
    for (uint32_t i = 0; i < list->count; i++) {
        expr *each = list->items[i];
        bool is_covered;
        TRY(rewrite_covers(self, side, each, &is_covered));
        if (is_covered && !expr_is_volatile(each) && (i < before || !expr_can_fail(each))) {
            expr *copy = expr_copy(self->memory, each);
            if (copy == NULL) {
                return rewrite_full(self);
            }
            TRY(rewrite_add_expr(self, out, copy));
        }
    }
    return FIRN_OK;
}

// CASE WHEN guards THEN key END: rows that do not pass them match nothing.
static firn_status guard_key(optimizer *self, const expr_list *guards, expr **key) {
    if (guards->count == 0 || !expr_can_fail(*key)) {
        return FIRN_OK;
    }
    expr *guarded = expr_new(self->memory, EXPR_CASE, (*key)->type);
    expr *nothing = expr_null(self->memory, (*key)->type);
    expr *all;
    if (guarded == NULL || nothing == NULL) {
        return rewrite_full(self);
    }
    guarded->case_.otherwise = nothing;
    TRY(rewrite_join(self, guards, &all));
    TRY(rewrite_add_expr(self, &guarded->case_.conditions, all));
    TRY(rewrite_add_expr(self, &guarded->case_.values, *key));
    guarded->position = (*key)->position;
    *key = guarded;
    return FIRN_OK;
}

typedef struct promotion {
    plan_node *join;
    const join_sides *ids;
    expr_list *residual; // The join's condition.
    expr_list *above;    // The conjuncts behind it; NULL if they are none of the join's business.
} promotion;

// Conjunct `index` of the condition, or of those above, becomes a key behind its guards.
static firn_status promote_one(optimizer *self, const promotion *state, bool is_above,
                               uint32_t index, bool *done) {
    const id_set *const side_ids[] = {&state->ids->left, &state->ids->right};
    const expr_list *list = is_above ? state->above : state->residual;
    expr *equality = list->items[index];
    plan_node *join = state->join;
    expr_list guards[2] = {{0}};
    *done = false;
    for (int side = 0; side < 2; side++) {
        TRY(add_guards(self, side_ids[side], state->residual,
                       is_above ? state->residual->count : index, &guards[side]));
        if (is_above) {
            TRY(add_guards(self, side_ids[side], state->above, index, &guards[side]));
        }
    }
    const bool is_guarded = guards[0].count > 0 || guards[1].count > 0;
    // NULL, which a guard makes of a key, may mean something there.
    if (is_guarded && (join->join_.null_aware || !expr_is_call(equality, "="))) {
        return FIRN_OK;
    }
    TRY(add_key(self, join, state->ids, equality, done));
    if (*done) {
        TRY(guard_key(self, &guards[0], &join->join_.left_keys.items[0]));
        TRY(guard_key(self, &guards[1], &join->join_.right_keys.items[0]));
    }
    return FIRN_OK;
}

static void remove_at(expr_list *list, uint32_t index) {
    list->count--;
    memmove(&list->items[index], &list->items[index + 1], (list->count - index) * sizeof(expr *));
}

// Makes an equality that can fail the key of a join that has none: the first that may be one.
static firn_status promote(optimizer *self, const promotion *state) {
    expr_list *const lists[] = {state->residual, state->above};
    for (int where = 0; where < 2 && lists[where] != NULL; where++) {
        for (uint32_t i = 0; i < lists[where]->count; i++) {
            bool done = false;
            if (rewrite_may_be_key(lists[where]->items[i])) {
                TRY(promote_one(self, state, where == 1, i, &done));
            }
            if (done) {
                remove_at(lists[where], i);
                return FIRN_OK;
            }
        }
    }
    return FIRN_OK;
}

firn_status join_keys_find(optimizer *self, plan_node *join, const join_sides *ids,
                           const expr_list *condition, expr_list *above, expr_list *residual) {
    bool done;
    for (uint32_t i = 0; i < condition->count; i++) {
        expr *conjunct = condition->items[i];
        done = false;
        if (!expr_can_fail(conjunct) ||
            (rewrite_may_be_key(conjunct) && join_key_is_by_range(conjunct))) {
            TRY(add_key(self, join, ids, conjunct, &done));
        }
        if (!done) {
            TRY(rewrite_add_expr(self, residual, conjunct));
        }
    }
    if (join->join_.left_keys.count > 0) {
        return FIRN_OK;
    }
    const promotion state = {.join = join, .ids = ids, .residual = residual, .above = above};
    return promote(self, &state);
}
