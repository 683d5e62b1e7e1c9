// Subqueries become joins. First every EXPR_SUBQUERY becomes a dependent join below the node that
// mentions it, and a column in its place; then every dependent join becomes an ordinary one.
//
//     WHERE EXISTS (q)           semi join           a conjunct that is just this
//     WHERE NOT EXISTS (q)       anti join
//     WHERE x IN (q)             semi join on x = q.x
//     WHERE x NOT IN (q)         null-aware anti join on x = q.x
//     (q) as a value             single join: left join that fails at a second row
//     (x, y) < (q)               the same, and a comparison with its columns
//     EXISTS, IN, ANY elsewhere  mark join: a BOOLEAN column
//
// A value that not every row needs, in an arm of CASE and its like, fails there: unnest_arms.c.
#include "optimize/unnest.h"

#include <assert.h>

typedef struct lifting {
    optimizer *self;
    plan_node *input; // Grows: joins are put on top of it.
    firn_status status;
} lifting;

static const char *negated(text comparison) {
    static const char *const pairs[][2] = {{"=", "<>"}, {"<>", "="}, {"<", ">="},
                                           {"<=", ">"}, {">", "<="}, {">=", "<"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (text_equal(comparison, text_of(pairs[i][0]))) {
            return pairs[i][1];
        }
    }
    return NULL;
}

static firn_status new_dependent_join(optimizer *self, plan_node *left, plan_node *right,
                                      join_kind kind, expr *condition, plan_node **out) {
    TRY(rewrite_node(self, PLAN_DEPENDENT_JOIN, out));
    (*out)->dependent_join_.left = left;
    (*out)->dependent_join_.right = right;
    (*out)->dependent_join_.join = kind;
    (*out)->dependent_join_.condition = condition;
    (*out)->dependent_join_.mark_id = NO_SLOT;
    return FIRN_OK;
}

// args op columns of the subquery, of rows as the standard compares them: one after the other.
static firn_status compare_columns(optimizer *self, const expr *query, text comparison,
                                   expr **out) {
    plan_columns columns;
    TRY(plan_outputs(query->subquery_.plan, self->memory, &columns, self->err));
    text name;
    TRY(text_copy(self->memory, comparison, &name, self->err)); // Ends in NUL.
    const expr_list *args = &query->subquery_.args;
    const bool is_order = args->count > 1 && (name.data[0] == '<' || name.data[0] == '>') &&
                          !text_equal(name, TEXT("<>"));
    const bool is_distinct = args->count > 1 && text_equal(name, TEXT("is_distinct_from"));
    const bool is_unequal = is_distinct || (args->count > 1 && text_equal(name, TEXT("<>")));
    const char *alike = is_distinct ? "is_not_distinct_from" : is_unequal ? "=" : name.data;
    const char strict[2] = {name.data[0], '\0'};
    *out = NULL;
    for (uint32_t rest = args->count; rest > 0; rest--) {
        const uint32_t i = rest - 1;
        expr *right;
        expr *test;
        expr *again = expr_copy(self->memory, args->items[i]);
        TRY(rewrite_column(self, columns.items[i].id, columns.items[i].type, &right));
        if (again == NULL) {
            return rewrite_full(self);
        }
        if (!is_order || rest == args->count) {
            TRY(rewrite_call(self, alike, args->items[i], right, &test));
            *out = is_order ? test : expr_and(self->memory, test, *out);
        } else { // a < c OR (a = c AND what the rest says)
            expr *less;
            TRY(rewrite_call(self, strict, again, right, &less));
            TRY(rewrite_column(self, columns.items[i].id, columns.items[i].type, &right));
            TRY(rewrite_call(self, "=", args->items[i], right, &test));
            *out = expr_and(self->memory, test, *out);
            *out = *out == NULL ? NULL : expr_or(self->memory, less, *out);
        }
        if (*out == NULL) {
            return rewrite_full(self);
        }
    }
    return is_unequal ? rewrite_not(self, *out, out) : FIRN_OK;
}

// The condition under which a row of the subquery decides ANY. For ALL: that it does not compare.
static firn_status any_condition(optimizer *self, const expr *query, expr **out) {
    text comparison = query->subquery_.comparison;
    const bool is_all = query->subquery_.subquery == SUBQUERY_ALL;
    const bool is_not = text_starts_with(comparison, TEXT("not "));
    if (is_not) {
        comparison = text_slice(comparison, 4, comparison.size);
    }
    const char *opposite = query->subquery_.args.count == 1 ? negated(comparison) : NULL;
    if (is_all && opposite != NULL) {
        return compare_columns(self, query, text_of(opposite), out);
    }
    TRY(compare_columns(self, query, comparison, out));
    return is_all != is_not ? rewrite_not(self, *out, out) : FIRN_OK;
}

// A subquery somewhere in an expression: a single or mark join below, its column in its place.
static firn_status lift_value(lifting *state, expr **slot, bool is_arm) {
    optimizer *self = state->self;
    expr *query = *slot;
    plan_node *join;
    plan_columns columns;
    if (is_arm && query->subquery_.subquery == SUBQUERY_SCALAR) {
        TRY(unnest_count_rows(self, query));
    }
    TRY(plan_outputs(query->subquery_.plan, self->memory, &columns, self->err));
    if (query->subquery_.subquery == SUBQUERY_SCALAR) {
        TRY(new_dependent_join(self, state->input, query->subquery_.plan, JOIN_SINGLE, NULL,
                               &join));
        join->position = query->position;
        state->input = join;
        return query->subquery_.args.count > 0
                   ? compare_columns(self, query, query->subquery_.comparison, slot)
                   : rewrite_column(self, columns.items[0].id, query->type, slot);
    }
    expr *condition = NULL;
    const bool is_all = query->subquery_.subquery == SUBQUERY_ALL;
    if (query->subquery_.subquery != SUBQUERY_EXISTS) {
        TRY(any_condition(self, query, &condition));
    }
    TRY(new_dependent_join(self, state->input, query->subquery_.plan, JOIN_MARK, condition, &join));
    join->dependent_join_.mark_id = rewrite_new_id(self);
    join->dependent_join_.null_aware = condition != NULL;
    state->input = join;
    expr *mark;
    TRY(rewrite_column(self, join->dependent_join_.mark_id, TYPE_OF(BOOLEAN), &mark));
    if (is_all) {
        return rewrite_not(self, mark, slot);
    }
    *slot = mark;
    return FIRN_OK;
}

static bool lift_arm(void *user, expr **slot, bool is_arm) {
    lifting *state = user;
    if (!rewrite_visit_arms(*slot, is_arm, lift_arm, user)) {
        return false;
    }
    if ((*slot)->kind == EXPR_SUBQUERY) {
        state->status = lift_value(state, slot, is_arm);
    }
    return state->status == FIRN_OK;
}

static bool lift_expr(void *user, expr **slot) {
    return lift_arm(user, slot, false);
}

static bool has_subquery(void *user, expr **slot) {
    bool *found = user;
    *found |= (*slot)->kind == EXPR_SUBQUERY;
    return !*found && expr_visit_children(*slot, has_subquery, user);
}

static bool contains_subquery(expr *value) {
    bool found = false;
    (void)has_subquery(&found, &value);
    return found;
}

// The subquery behind NOT, if the conjunct is one: NOT EXISTS, NOT IN.
static expr *behind_not(expr *conjunct) {
    if (expr_is_call(conjunct, "not") && conjunct->call_.args.items[0]->kind == EXPR_SUBQUERY) {
        return conjunct->call_.args.items[0];
    }
    return NULL;
}

// A conjunct that is nothing but a subquery test: semi or anti join. *done is false for others.
static firn_status lift_conjunct(lifting *state, expr *conjunct, bool *done) {
    optimizer *self = state->self;
    expr *query = conjunct->kind == EXPR_SUBQUERY ? conjunct : behind_not(conjunct);
    bool is_negated = query != conjunct;
    *done = false;
    if (query == NULL || query->subquery_.subquery == SUBQUERY_SCALAR) {
        return FIRN_OK;
    }
    for (uint32_t i = 0; i < query->subquery_.args.count; i++) {
        // x IN (q) with a subquery in x itself: that one first.
        if (!lift_expr(state, &query->subquery_.args.items[i])) {
            return state->status;
        }
    }
    if (query->subquery_.subquery == SUBQUERY_ALL) { // x < ALL: no row with x >= it (or unknown).
        is_negated = !is_negated;
    }
    expr *condition = NULL;
    const bool is_exists = query->subquery_.subquery == SUBQUERY_EXISTS;
    if (!is_exists) {
        TRY(any_condition(self, query, &condition));
    }
    plan_node *join;
    TRY(new_dependent_join(self, state->input, query->subquery_.plan,
                           is_negated ? JOIN_ANTI : JOIN_SEMI, condition, &join));
    join->dependent_join_.null_aware = is_negated && !is_exists;
    state->input = join;
    *done = true;
    return FIRN_OK;
}

firn_status unnest_filter(optimizer *self, plan_node *filter) {
    expr_list conjuncts = {0};
    expr_list plain = {0};
    expr_list kept = {0};
    TRY(rewrite_split(self, filter->filter_.predicate, &conjuncts));
    for (uint32_t i = 0; i < conjuncts.count; i++) {
        TRY(rewrite_add_expr(self, contains_subquery(conjuncts.items[i]) ? &kept : &plain,
                             conjuncts.items[i]));
    }
    if (kept.count == 0) {
        return FIRN_OK;
    }
    lifting state = {.self = self, .status = FIRN_OK};
    // What needs no subquery filters first.
    TRY(rewrite_filter(self, filter->filter_.input, &plain, &state.input));
    expr_list left = {0};
    for (uint32_t i = 0; i < kept.count; i++) {
        bool done;
        TRY(lift_conjunct(&state, kept.items[i], &done));
        if (done) {
            continue;
        }
        if (!lift_expr(&state, &kept.items[i])) {
            return state.status;
        }
        TRY(rewrite_add_expr(self, &left, kept.items[i]));
    }
    if (left.count == 0) {
        TRY(rewrite_add_expr(self, &left, expr_bool(self->memory, true)));
    }
    filter->filter_.input = state.input;
    return rewrite_join(self, &left, &filter->filter_.predicate);
}

// The side of a join whose columns a subquery of its condition needs; NULL: both.
static firn_status side_of(optimizer *self, plan_node *node, expr *conjunct, plan_node ***out) {
    id_set used = id_set_open(self->memory);
    id_set left = id_set_open(self->memory);
    id_set right = id_set_open(self->memory);
    TRY(rewrite_used(self, conjunct, &used));
    TRY(rewrite_outputs(self, node->join_.left, &left));
    TRY(rewrite_outputs(self, node->join_.right, &right));
    const bool needs_left = id_set_intersects(&used, &left);
    const bool needs_right = id_set_intersects(&used, &right);
    *out = needs_left && needs_right ? NULL : needs_left ? &node->join_.left : &node->join_.right;
    return FIRN_OK;
}

// Subqueries of a condition go below the side that they belong to; if one needs both sides, all of
// the condition goes there as it is, before any of its subqueries was moved.
static firn_status lift_join(optimizer *self, plan_node *node) {
    if (node->join_.residual == NULL || !contains_subquery(node->join_.residual)) {
        return FIRN_OK;
    }
    expr_list conjuncts = {0};
    plan_node **side;
    TRY(rewrite_split(self, node->join_.residual, &conjuncts));
    for (uint32_t i = 0; i < conjuncts.count; i++) {
        if (contains_subquery(conjuncts.items[i])) {
            TRY(side_of(self, node, conjuncts.items[i], &side));
            if (side == NULL) {
                return unnest_on(self, node);
            }
        }
    }
    for (uint32_t i = 0; i < conjuncts.count; i++) {
        if (contains_subquery(conjuncts.items[i])) {
            TRY(side_of(self, node, conjuncts.items[i], &side));
            lifting state = {.self = self, .input = *side, .status = FIRN_OK};
            if (!lift_expr(&state, &conjuncts.items[i])) {
                return state.status;
            }
            *side = state.input;
        }
    }
    return rewrite_join(self, &conjuncts, &node->join_.residual);
}

static firn_status lift_node(optimizer *self, plan_node **slot);

static bool lift_inner_plan(void *user, expr **slot) {
    lifting *state = user;
    if (!expr_visit_children(*slot, lift_inner_plan, user)) {
        return false;
    }
    if ((*slot)->kind == EXPR_SUBQUERY) {
        state->status = rewrite_tree(state->self, &(*slot)->subquery_.plan, lift_node);
    }
    return state->status == FIRN_OK;
}

static plan_node **input_of(plan_node *node) {
    switch ((int)node->kind) {
    case PLAN_PROJECT:
        return &node->project_.input;
    case PLAN_AGGREGATE:
        return &node->aggregate_.input;
    case PLAN_SORT:
        return &node->sort_.input;
    case PLAN_UNNEST:
        return &node->unnest_.input;
    case PLAN_REPEAT:
        return &node->repeat_.input;
    case PLAN_WINDOW:
        return &node->window_.input;
    case PLAN_LIMIT: // A join above the sort might forget its order.
        return node->limit_.input->kind == PLAN_SORT ? &node->limit_.input->sort_.input
                                                     : &node->limit_.input;
    default:
        return NULL;
    }
}

// An inner join with a subquery in its condition is a cross join under a filter.
static firn_status split_inner_join(optimizer *self, plan_node **slot) {
    plan_node *join = *slot;
    plan_node *filter;
    TRY(rewrite_node(self, PLAN_FILTER, &filter));
    filter->filter_.input = join;
    filter->filter_.predicate = join->join_.residual;
    join->join_.residual = NULL;
    join->join_.join = JOIN_CROSS;
    *slot = filter;
    return unnest_filter(self, filter);
}

// JOIN LATERAL … ON p with a subquery in p: whose rows a row of the left meets may as well be asked
// inside the right side, which sees the left.
static firn_status lift_lateral(optimizer *self, plan_node *join) {
    plan_node *filter;
    TRY(rewrite_node(self, PLAN_FILTER, &filter));
    filter->filter_.input = join->dependent_join_.right;
    filter->filter_.predicate = join->dependent_join_.condition;
    join->dependent_join_.condition = NULL;
    join->dependent_join_.right = filter;
    return unnest_filter(self, filter);
}

static firn_status lift_node(optimizer *self, plan_node **slot) {
    plan_node *node = *slot;
    lifting state = {.self = self, .status = FIRN_OK};
    if (!plan_visit_exprs(node, lift_inner_plan, &state)) { // Subqueries inside subqueries first.
        return state.status;
    }
    if (node->kind == PLAN_FILTER) {
        return unnest_filter(self, node);
    }
    if (node->kind == PLAN_JOIN) {
        const bool is_inner = node->join_.join == JOIN_INNER || node->join_.join == JOIN_CROSS;
        if (is_inner && node->join_.residual != NULL && contains_subquery(node->join_.residual)) {
            return split_inner_join(self, slot);
        }
        return lift_join(self, node);
    }
    if (node->kind == PLAN_DEPENDENT_JOIN && node->dependent_join_.condition != NULL &&
        contains_subquery(node->dependent_join_.condition)) {
        return lift_lateral(self, node);
    }
    plan_node **input = input_of(node);
    if (input != NULL) {
        state.input = *input;
        if (!plan_visit_exprs(node, lift_expr, &state)) {
            return state.status;
        }
        *input = state.input;
    }
    return FIRN_OK;
}

static firn_status remove_node(optimizer *self, plan_node **slot) {
    return (*slot)->kind == PLAN_DEPENDENT_JOIN ? unnest_dependent_join(self, slot) : FIRN_OK;
}

firn_status unnest_dependent_join(optimizer *self, plan_node **slot) {
    plan_node *node = *slot;
    id_set outer = id_set_open(self->memory); // What the right side needs from the left.
    id_set left = id_set_open(self->memory);
    id_set free_ids = id_set_open(self->memory);
    TRY(rewrite_outputs(self, node->dependent_join_.left, &left));
    TRY(rewrite_free(self, node->dependent_join_.right, &free_ids));
    for (uint32_t id = 0; id_set_next(&free_ids, &id); id++) {
        if (id_set_has(&left, id)) {
            TRY(id_set_add(&outer, id, self->err));
        }
    }
    if (id_set_is_empty(&outer)) {
        plan_node *join;
        TRY(rewrite_node(self, PLAN_JOIN, &join));
        join->join_.left = node->dependent_join_.left;
        join->join_.right = node->dependent_join_.right;
        join->join_.join = node->dependent_join_.join;
        join->join_.residual = node->dependent_join_.condition;
        join->join_.mark_id = node->dependent_join_.mark_id;
        join->join_.null_aware = node->dependent_join_.null_aware;
        join->position = node->position;
        if (join->join_.join == JOIN_INNER && join->join_.residual == NULL) {
            join->join_.join = JOIN_CROSS;
        }
        *slot = join;
        return FIRN_OK;
    }
    bool done;
    TRY(unnest_apply(self, slot, &done));
    if (!done) {
        TRY(unnest_pull(self, slot, &outer, &done));
    }
    return done ? FIRN_OK : unnest_push(self, slot, &outer);
}

firn_status rule_unnest(optimizer *self, plan_node **root) {
    TRY(rewrite_tree(self, root, lift_node));
    return rewrite_tree(self, root, remove_node);
}
