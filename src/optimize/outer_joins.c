// An outer join whose unmatched rows a filter above throws away is an inner one (or half of it).
//
// A conjunct rejects NULL on a side if it cannot be true when all columns of that side are NULL. It
// is decided by evaluating it with NULL in their place: comparisons, LIKE, arithmetic and IS NOT
// NULL fold to NULL or false when nothing else is needed.
#include "expr/program.h"
#include "optimize/rewrite.h"

typedef struct nulls {
    optimizer *self;
    const id_set *ids;

} nulls;

// Is the expression NULL whenever the side's columns are? Only functions that are strict count.
static bool is_null_on(const nulls *state, const expr *value) {
    switch ((int)value->kind) {
    case EXPR_COLUMN:
        return id_set_has(state->ids, value->column_.id);
    case EXPR_LITERAL:
        return value->literal_.value.is_null;
    case EXPR_CAST:
        return is_null_on(state, value->cast_.arg);
    case EXPR_CALL: {
        const scalar_function *function = value->call_.function;
        const overload *chosen = &function->overloads[value->call_.overload];
        const uint32_t flags = (function->flags | chosen->flags_set) & ~chosen->flags_cleared;
        if ((flags & FUNCTION_NULL_STRICT) == 0) {
            return false;
        }
        for (uint32_t i = 0; i < value->call_.args.count; i++) {
            if (is_null_on(state, value->call_.args.items[i])) {
                return true;
            }
        }
        return false;
    }
    default:
        return false;
    }
}

static bool rejects(const nulls *state, const expr *conjunct);

static bool rejects_all(const nulls *state, const expr_list *args, bool any) {
    for (uint32_t i = 0; i < args->count; i++) {
        if (rejects(state, args->items[i]) == any) {
            return any;
        }
    }
    return !any;
}

static bool rejects(const nulls *state, const expr *conjunct) {
    switch ((int)conjunct->kind) {
    case EXPR_AND:
        return rejects_all(state, &conjunct->and_.args, true);
    case EXPR_OR:
        return rejects_all(state, &conjunct->or_.args, false);
    case EXPR_IN:
        return is_null_on(state, conjunct->in_.arg);
    case EXPR_CALL:
        if (text_equal(text_of(conjunct->call_.function->name), TEXT("is_not_null"))) {
            return is_null_on(state, conjunct->call_.args.items[0]);
        }
        return is_null_on(state, conjunct);
    default:
        return is_null_on(state, conjunct);
    }
}

static firn_status rejects_side(optimizer *self, const expr_list *conjuncts, const plan_node *side,
                                bool *out) {
    id_set ids = id_set_open(self->memory);
    TRY(rewrite_outputs(self, side, &ids));
    const nulls state = {.self = self, .ids = &ids};
    *out = false;
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        *out |= rejects(&state, conjuncts->items[i]);
    }
    return FIRN_OK;
}

static firn_status visit(optimizer *self, plan_node **slot) {
    plan_node *filter = *slot;
    if (filter->kind != PLAN_FILTER || filter->filter_.input->kind != PLAN_JOIN) {
        return FIRN_OK;
    }
    plan_node *join = filter->filter_.input;
    const join_kind kind = join->join_.join;
    if (kind != JOIN_LEFT && kind != JOIN_RIGHT && kind != JOIN_FULL) {
        return FIRN_OK;
    }
    expr_list conjuncts = {0};
    bool no_left;
    bool no_right;
    TRY(rewrite_split(self, filter->filter_.predicate, &conjuncts));
    TRY(rejects_side(self, &conjuncts, join->join_.left, &no_left));
    TRY(rejects_side(self, &conjuncts, join->join_.right, &no_right));
    if ((kind == JOIN_LEFT && no_right) || (kind == JOIN_RIGHT && no_left)) {
        join->join_.join = JOIN_INNER;
    } else if (kind == JOIN_FULL) {
        join->join_.join = no_left && no_right ? JOIN_INNER
                           : no_right          ? JOIN_RIGHT
                           : no_left           ? JOIN_LEFT
                                               : JOIN_FULL;
    }
    if (join->join_.join != kind) { // Now the filter may go further down.
        return rule_push_filters(self, slot);
    }
    return FIRN_OK;
}

firn_status rule_outer_joins(optimizer *self, plan_node **root) {
    return rewrite_tree(self, root, visit);
}
