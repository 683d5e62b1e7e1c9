// Which query an aggregate belongs to: the innermost one whose columns it mentions. sum(outer.x) in
// a subquery is a value of the outer query's groups; one without columns belongs where it stands.
//
// What a WITH query mentions that is defined outside of the call is mentioned there and not by the
// call, as in PostgreSQL: a query that is correlated is bound anew wherever it is read, so what it
// needs would be found among the columns of the call.
#include "plan/binder_private.h"

typedef struct mention_walk {
    const binder *binder;
    const inlined_cte *newest; // Those that were read since the call began ...
    const inlined_cte *before; // ... end here.
    id_set *ids;
    firn_status status;
} mention_walk;

// Was a query defined outside of what is bound now?
static bool is_defined_outside(const binder *self, const cte *query) {
    const cte *each = self->ctes;
    while (each != NULL && each != query) {
        each = each->older;
    }
    return each == query;
}

static bool is_left_out(const mention_walk *state, const plan_node *node) {
    for (const inlined_cte *each = state->newest; each != state->before; each = each->older) {
        if (each->node == node) {
            return is_defined_outside(state->binder, each->query);
        }
    }
    return false;
}

static bool add_plan(void *user, plan_node **slot);

static bool add_expr(void *user, expr **slot) {
    mention_walk *state = user;
    if ((*slot)->kind == EXPR_COLUMN) {
        state->status = id_set_add(state->ids, (*slot)->column_.id, state->binder->err);
        return state->status == FIRN_OK;
    }
    if ((*slot)->kind == EXPR_SUBQUERY && !add_plan(user, &(*slot)->subquery_.plan)) {
        return false;
    }
    return expr_visit_children(*slot, add_expr, user);
}

static bool add_plan(void *user, plan_node **slot) {
    mention_walk *state = user;
    return is_left_out(state, *slot) ||
           (plan_visit_exprs(*slot, add_expr, user) && plan_visit_children(*slot, add_plan, user));
}

// Ids that subqueries of the call make for themselves are no other query's, and may be among them.
static firn_status mentioned_columns(binder *self, expr *call, const inlined_cte *before,
                                     id_set *out) {
    if (self->inlined == before) {
        return expr_columns(call, out, self->err);
    }
    mention_walk state = {
        .binder = self, .newest = self->inlined, .before = before, .ids = out, .status = FIRN_OK};
    (void)add_expr(&state, &call);
    return state.status;
}

static firn_status scope_makes(binder *self, scope *from, const id_set *used, bool *out) {
    TRY(scope_index(self, from));
    *out = id_set_intersects(&from->ids, used) ||
           (from->select != NULL && bind_has_any(used, &from->select->aggregate_ids));
    return FIRN_OK;
}

firn_status bind_find_owner(binder *self, scope *names, expr *call, const inlined_cte *before,
                            select_state **out) {
    id_set used = id_set_open(self->memory);
    TRY(mentioned_columns(self, call, before, &used));
    bool makes = id_set_is_empty(&used);
    scope *at = names;
    for (scope *each = names; each != NULL && !makes; each = each->outer) {
        TRY(scope_makes(self, each, &used, &makes));
        at = makes ? each : at;
    }
    *out = at->select;
    if (at->is_lambda && id_set_intersects(&at->ids, &used)) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42803",
                        call->position == UINT32_MAX ? NO_POSITION : call->position,
                        "an aggregate function of a lambda's parameter");
    }
    return FIRN_OK;
}
