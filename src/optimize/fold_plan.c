// Constant expressions are evaluated now. One that fails is left as it is: its error belongs to the
// rows that reach it, which may be none. Filters that are always true go; AND, OR and CASE lose the
// arguments that decide nothing. Under a filter that is never true there are no rows.
#include "expr/program.h"
#include "optimize/rewrite.h"

typedef struct folding {
    optimizer *self;
    firn_status status;
} folding;

static bool fold_plan(void *user, plan_node **slot);

// Drops TRUE from AND (FALSE from OR); FALSE in AND (TRUE in OR) decides all if nothing can fail
// before it.
static firn_status simplify_logical(optimizer *self, expr **slot) {
    expr *value = *slot;
    const bool is_and = value->kind == EXPR_AND;
    const expr_list *args = is_and ? &value->and_.args : &value->or_.args;
    expr_list kept = {0};
    for (uint32_t i = 0; i < args->count; i++) {
        if (rewrite_is_bool(args->items[i], !is_and)) {
            *slot = expr_bool(self->memory, !is_and);
            return *slot == NULL ? rewrite_full(self) : FIRN_OK;
        }
        if (!rewrite_is_bool(args->items[i], is_and)) {
            TRY(rewrite_add_expr(self, &kept, args->items[i]));
        }
    }
    if (kept.count == args->count) {
        return FIRN_OK;
    }
    if (kept.count == 0) {
        *slot = expr_bool(self->memory, is_and);
        return *slot == NULL ? rewrite_full(self) : FIRN_OK;
    }
    if (kept.count == 1) {
        *slot = kept.items[0];
        return FIRN_OK;
    }
    if (is_and) {
        value->and_.args = kept;
    } else {
        value->or_.args = kept;
    }
    return FIRN_OK;
}

static firn_status fold_node(optimizer *self, expr **slot) {
    expr *value = *slot;
    if (value->kind == EXPR_AND || value->kind == EXPR_OR) {
        TRY(simplify_logical(self, slot));
        value = *slot;
    }
    if (value->kind == EXPR_LITERAL || value->kind == EXPR_LAMBDA ||
        value->kind == EXPR_AGGREGATE || value->kind == EXPR_SUBQUERY ||
        value->kind == EXPR_DYNAMIC || !expr_is_constant(value) || expr_is_volatile(value)) {
        return FIRN_OK;
    }
    expr *folded;
    TRY(expr_try_fold(value, self->context, self->memory, &folded, self->err));
    if (folded != NULL) {
        folded->position = value->position;
        *slot = folded;
        return FIRN_OK;
    }
    return cancel_check(self->context == NULL ? NULL : self->context->cancel, self->err);
}

static bool fold_expr(void *user, expr **slot) {
    folding *state = user;
    if ((*slot)->kind == EXPR_SUBQUERY && !fold_plan(user, &(*slot)->subquery_.plan)) {
        return false;
    }
    if (!expr_visit_children(*slot, fold_expr, user)) {
        return false;
    }
    state->status = fold_node(state->self, slot);
    return state->status == FIRN_OK;
}

// LIMIT 0: what programs ask for the columns of a query by.
static bool takes_nothing(const plan_node *node) {
    const expr *limit = node->kind == PLAN_LIMIT ? node->limit_.limit : NULL;
    return limit != NULL && limit->kind == EXPR_LITERAL && !limit->literal_.value.is_null &&
           *COLUMN_VALUES(limit->literal_.value.value, int64_t) == 0;
}

static bool fold_plan(void *user, plan_node **slot) {
    if (!plan_visit_exprs(*slot, fold_expr, user) || !plan_visit_children(*slot, fold_plan, user)) {
        return false;
    }
    plan_node *node = *slot;
    if (node->kind == PLAN_FILTER && rewrite_is_bool(node->filter_.predicate, true)) {
        *slot = node->filter_.input;
    } else if ((node->kind == PLAN_FILTER && rewrite_is_never_true(node->filter_.predicate)) ||
               takes_nothing(node)) {
        folding *state = user;
        state->status = rewrite_empty(state->self, slot);
        return state->status == FIRN_OK;
    }
    return true;
}

firn_status rule_fold(optimizer *self, plan_node **root) {
    folding state = {.self = self, .status = FIRN_OK};
    (void)fold_plan(&state, root);
    return state.status;
}
