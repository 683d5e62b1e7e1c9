// Joins: what they join by, and what their result shows.
#include "plan/binder_private.h"

// Collects ids that a plan mentions and ids that it makes.
typedef struct usage {
    id_set used, made;
    firn_error *err;
    firn_status status;
} usage;

static bool use_plan(void *user, plan_node **slot);

static bool use_expr(void *user, expr **slot) {
    usage *state = user;
    if ((*slot)->kind == EXPR_SUBQUERY && !use_plan(user, &(*slot)->subquery_.plan)) {
        return false;
    }
    state->status = expr_columns(*slot, &state->used, state->err);
    return state->status == FIRN_OK && expr_visit_children(*slot, use_expr, user);
}

static bool use_plan(void *user, plan_node **slot) {
    usage *state = user;
    state->status = plan_output_ids(*slot, &state->made, state->err);
    return state->status == FIRN_OK && plan_visit_exprs(*slot, use_expr, user) &&
           plan_visit_children(*slot, use_plan, user);
}

firn_status bind_free_ids(binder *self, plan_node *node, id_set *out) {
    usage state = {
        .used = id_set_open(self->memory), .made = id_set_open(self->memory), .err = self->err};
    (void)use_plan(&state, &node);
    TRY(state.status);
    id_set_remove_all(&state.used, &state.made);
    *out = state.used;
    return FIRN_OK;
}

firn_status bind_new_join(binder *self, plan_node *left, plan_node *right, join_kind kind,
                          expr *condition, plan_node **out) {
    id_set needed;
    id_set made = id_set_open(self->memory);
    TRY(bind_free_ids(self, right, &needed));
    TRY(plan_output_ids(left, &made, self->err));
    const bool dependent = id_set_intersects(&needed, &made);
    if (dependent) {
        TRY(binder_node(self, PLAN_DEPENDENT_JOIN, out));
        (*out)->dependent_join_.left = left;
        (*out)->dependent_join_.right = right;
        (*out)->dependent_join_.join = kind == JOIN_CROSS ? JOIN_INNER : kind;
        (*out)->dependent_join_.condition = condition;
        return FIRN_OK;
    }
    TRY(binder_node(self, PLAN_JOIN, out));
    (*out)->join_.left = left;
    (*out)->join_.right = right;
    (*out)->join_.join = kind;
    (*out)->join_.residual = condition;
    return FIRN_OK;
}

typedef struct join_sides {
    scope *left, *right;
    plan_node *left_node, *right_node;
} join_sides;

// The join as it is written: what is kept for want of a row of the left cannot hang on such a row.
static firn_status join_written(binder *self, const sql_join *written, const join_sides *sides,
                                join_kind kind, expr *condition, plan_node **out) {
    TRY(bind_new_join(self, sides->left_node, sides->right_node, kind, condition, out));
    if ((*out)->kind != PLAN_DEPENDENT_JOIN || kind == JOIN_INNER || kind == JOIN_CROSS ||
        kind == JOIN_LEFT || kind == JOIN_SEMI || kind == JOIN_ANTI) {
        return FIRN_OK;
    }
    return FAIL_SQL(self->err, FIRN_INVALID, "42P10", written->right->position,
                    "the right side of a %s JOIN cannot mention columns of its left side",
                    kind == JOIN_FULL         ? "FULL"
                    : kind == JOIN_RIGHT      ? "RIGHT"
                    : kind == JOIN_RIGHT_SEMI ? "RIGHT SEMI"
                                              : "RIGHT ANTI");
}

static const join_kind join_kinds[] = {
    [SQL_JOIN_INNER] = JOIN_INNER,           [SQL_JOIN_LEFT] = JOIN_LEFT,
    [SQL_JOIN_RIGHT] = JOIN_RIGHT,           [SQL_JOIN_FULL] = JOIN_FULL,
    [SQL_JOIN_CROSS] = JOIN_CROSS,           [SQL_JOIN_LEFT_SEMI] = JOIN_SEMI,
    [SQL_JOIN_RIGHT_SEMI] = JOIN_RIGHT_SEMI, [SQL_JOIN_LEFT_ANTI] = JOIN_ANTI,
    [SQL_JOIN_RIGHT_ANTI] = JOIN_RIGHT_ANTI,
};

static scope_column *find_visible(scope *from, const sql_name *name, uint32_t *count) {
    scope_column *found = NULL;
    *count = 0;
    for (uint32_t i = scope_first_named(from, name); i != NO_NAME;
         i = scope_next_named(from, name, i)) {
        if (!from->columns[i].is_hidden) {
            found = &from->columns[i];
            (*count)++;
        }
    }
    return found;
}

typedef struct merged_column {
    scope_column left, right;
    text name;
} merged_column;

static firn_status pair_using(binder *self, scope *left, scope *right, const sql_name *name,
                              merged_column *out) {
    uint32_t counts[2];
    scope_column *sides[2] = {find_visible(left, name, &counts[0]),
                              find_visible(right, name, &counts[1])};
    for (int side = 0; side < 2; side++) {
        if (counts[side] == 1) {
            continue;
        }
        firn_status status = FAIL_SQL(
            self->err, FIRN_INVALID, counts[side] == 0 ? "42703" : "42702", name->position,
            "column \"%.*s\" of USING is %s the %s side of the join", TEXT_ARGS(name->value),
            counts[side] == 0 ? "not on" : "more than once on", side == 0 ? "left" : "right");
        const scope *at = side == 0 ? left : right;
        nearest_name near = nearest_to(name->value);
        for (uint32_t i = 0; counts[side] == 0 && i < at->count; i++) {
            nearest_offer(&near, at->columns[i].name);
        }
        (void)nearest_hint(&near, self->err);
        return status;
    }
    *out = (merged_column){.left = *sides[0], .right = *sides[1], .name = sides[0]->name};
    sides[0]->is_hidden = true;
    sides[1]->is_hidden = true;
    return FIRN_OK;
}

static firn_status natural_names(binder *self, scope *left, scope *right, sql_names *out) {
    sql_name *names = ARENA_NEW(self->memory, sql_name, left->count + 1);
    if (names == NULL) {
        return binder_full(self);
    }
    size_t used = 0;
    for (uint32_t i = 0; i < left->count; i++) {
        const sql_name name = {.value = left->columns[i].name};
        uint32_t matches;
        if (!left->columns[i].is_hidden && find_visible(right, &name, &matches) != NULL) {
            names[used++] = name;
        }
    }
    *out = (sql_names){.count = used, .items = names};
    return FIRN_OK;
}

// left.k = right.k, cast to what they have in common.
static firn_status equality(binder *self, const scope_column *left, const scope_column *right,
                            uint32_t position, expr **out) {
    expr *args[2] = {expr_column(self->memory, left->id, left->name, left->type),
                     expr_column(self->memory, right->id, right->name, right->type)};
    if (args[0] == NULL || args[1] == NULL) {
        return binder_full(self);
    }
    return bind_function(self, "=", args, 2, position, out);
}

// The merged column of USING in front of the others: left's, right's, or of FULL whichever is
// there.
static firn_status merge_using(binder *self, const merged_column *pairs, size_t count,
                               join_kind kind, scope *into, plan_node **node) {
    expr_list values = {0};
    u32_list ids = {0};
    for (size_t i = 0; i < count; i++) {
        scope_column merged = kind == JOIN_RIGHT ? pairs[i].right : pairs[i].left;
        if (kind == JOIN_FULL) {
            expr *args[2] = {
                expr_column(self->memory, pairs[i].left.id, pairs[i].name, pairs[i].left.type),
                expr_column(self->memory, pairs[i].right.id, pairs[i].name, pairs[i].right.type)};
            const type *common;
            TRY(bind_common(self, args, 2, "USING", UINT32_MAX, &common));
            expr *value = expr_new(self->memory, EXPR_COALESCE, common);
            if (value == NULL) {
                return binder_full(self);
            }
            TRY(expr_list_add(self, &value->coalesce_.args, args[0]));
            TRY(expr_list_add(self, &value->coalesce_.args, args[1]));
            merged.id = binder_new_id(self);
            merged.type = common;
            TRY(expr_list_add(self, &values, value));
            TRY(u32_list_add(self, &ids, merged.id));
        }
        merged.name = pairs[i].name;
        merged.table = TEXT("");
        merged.is_hidden = false;
        TRY(scope_add(self, into, merged));
    }
    if (values.count == 0) {
        return FIRN_OK;
    }
    // Everything else passes through the projection under its own id.
    plan_columns columns;
    TRY(plan_outputs(*node, self->memory, &columns, self->err));
    for (uint32_t i = 0; i < columns.count; i++) {
        const plan_column *column = &columns.items[i];
        expr *value = expr_column(self->memory, column->id, column->name, column->type);
        if (value == NULL) {
            return binder_full(self);
        }
        TRY(expr_list_add(self, &values, value));
        TRY(u32_list_add(self, &ids, column->id));
    }
    return binder_project(self, *node, &values, &ids, node);
}

// The condition of USING and NATURAL: the pairs, equal.
static firn_status using_condition(binder *self, const sql_join *written, join_sides *sides,
                                   merged_column *pairs, size_t *pair_count, expr **out) {
    sql_names names = written->using;
    *out = NULL;
    if (written->is_natural) {
        TRY(natural_names(self, sides->left, sides->right, &names));
    }
    for (size_t i = 0; i < names.count; i++) {
        TRY(pair_using(self, sides->left, sides->right, &names.items[i], &pairs[i]));
        expr *equal;
        TRY(equality(self, &pairs[i].left, &pairs[i].right, written->node.position, &equal));
        if (i == 0) {
            *out = equal;
        } else if (i == 1) {
            TRY(bind_and_or(self, EXPR_AND, *out, equal, out));
        } else {
            TRY(expr_list_add(self, &(*out)->and_.args, equal));
        }
    }
    *pair_count = names.count;
    return FIRN_OK;
}

static bool shows_one_side(join_kind kind) {
    return kind == JOIN_SEMI || kind == JOIN_ANTI || kind == JOIN_RIGHT_SEMI ||
           kind == JOIN_RIGHT_ANTI;
}

// A join by USING or NATURAL: merged columns first, then those of both sides.
static firn_status join_using(binder *self, const sql_join *written, join_sides *sides,
                              join_kind kind, scope **joined, plan_node **out) {
    const size_t pairs_max = written->is_natural ? sides->left->count : written->using.count;
    merged_column *pairs = ARENA_NEW(self->memory, merged_column, pairs_max + 1);
    size_t pair_count = 0;
    expr *condition;
    if (pairs == NULL) {
        return binder_full(self);
    }
    TRY(scope_index(self, sides->left));
    TRY(scope_index(self, sides->right));
    TRY(using_condition(self, written, sides, pairs, &pair_count, &condition));
    kind = kind == JOIN_INNER && condition == NULL ? JOIN_CROSS : kind;
    TRY(join_written(self, written, sides, kind, condition, out));
    if (shows_one_side(kind)) {
        *joined = kind == JOIN_SEMI || kind == JOIN_ANTI ? sides->left : sides->right;
        for (uint32_t i = 0; i < (*joined)->count; i++) {
            (*joined)->columns[i].is_hidden = false;
        }
        return FIRN_OK;
    }
    *joined = scope_new(self, sides->left->outer);
    if (*joined == NULL) {
        return binder_full(self);
    }
    TRY(merge_using(self, pairs, pair_count, kind, *joined, out));
    TRY(scope_add_all(self, *joined, sides->left));
    return scope_add_all(self, *joined, sides->right);
}

// A join by ON, or by nothing. What it shows is the left side's scope with the right's behind it.
static firn_status join_on(binder *self, const sql_join *written, join_sides *sides, join_kind kind,
                           scope **joined, plan_node **out) {
    expr *condition = NULL;
    scope *both = sides->left;
    if (shows_one_side(kind)) {
        both = scope_new(self, sides->left->outer);
        if (both == NULL) {
            return binder_full(self);
        }
        TRY(scope_add_all(self, both, sides->left));
    }
    TRY(scope_add_all(self, both, sides->right));
    if (written->on != NULL) {
        TRY(bind_predicate(self, both, written->on, TEXT("ON"), &condition));
    }
    kind = kind == JOIN_INNER && condition == NULL ? JOIN_CROSS : kind;
    *joined = kind == JOIN_RIGHT_SEMI || kind == JOIN_RIGHT_ANTI ? sides->right : sides->left;
    return join_written(self, written, sides, kind, condition, out);
}

// Joins two bound sides; `joined`: what the join shows.
static firn_status bind_join_of(binder *self, const sql_join *written, join_sides *sides,
                                scope **joined, plan_node **out) {
    if (written->is_asof || written->kind == SQL_JOIN_POSITIONAL) {
        return FAIL_SQL(self->err, FIRN_UNSUPPORTED, "0A000", written->node.position,
                        "%s joins are not supported", written->is_asof ? "ASOF" : "POSITIONAL");
    }
    const join_kind kind = join_kinds[written->kind];
    for (uint32_t i = 0; i < sides->right->relation_count; i++) {
        TRY(scope_check_name(self, sides->left, &sides->right->relations[i],
                             written->right->position));
    }
    return written->is_natural || written->using.count > 0
               ? join_using(self, written, sides, kind, joined, out)
               : join_on(self, written, sides, kind, joined, out);
}

// A chain of joins leans to the left: walked from its innermost join outwards, without recursion.
firn_status bind_join(binder *self, const sql_join *written, scope *left, scope *into,
                      plan_node **out) {
    uint32_t depth = 1;
    const sql_relation *innermost = written->left;
    while (sql_relation_kind_of(innermost) == SQL_JOIN &&
           sql_join_of(innermost)->alias.value.size == 0) {
        innermost = sql_join_of(innermost)->left;
        depth++;
    }
    if (depth > BIND_NESTING_MAX) {
        return FAIL_SQL(self->err, FIRN_INVALID, "54001", written->node.position,
                        "%u joins in one FROM, at most %d are allowed", depth, BIND_NESTING_MAX);
    }
    const sql_join **chain = ARENA_NEW(self->memory, const sql_join *, depth);
    scope *sofar = scope_new(self, into->outer);
    if (chain == NULL || sofar == NULL) {
        return binder_full(self);
    }
    chain[0] = written;
    for (uint32_t i = 1; i < depth; i++) {
        chain[i] = sql_join_of(chain[i - 1]->left);
    }
    TRY(bind_relation(self, innermost, left, sofar, out));
    for (uint32_t rest = depth; rest > 0; rest--) {
        const uint32_t i = rest - 1;
        scope *right = scope_new(self, into->outer);
        if (right == NULL) {
            return binder_full(self);
        }
        TRY(scope_index(self, sofar)); // Its copy must not do so in the same room.
        scope seen = *sofar;           // What LATERAL on the right side sees.
        seen.outer = left;
        join_sides sides = {.left = sofar, .right = right, .left_node = *out};
        TRY(bind_count_relation(self, chain[i]->node.position));
        TRY(bind_relation(self, chain[i]->right, &seen, right, &sides.right_node));
        TRY(bind_join_of(self, chain[i], &sides, &sofar, out));
    }
    if (written->alias.value.size == 0) {
        return scope_add_all(self, into, sofar);
    }
    plan_columns columns = {0};
    for (uint32_t i = 0; i < sofar->count; i++) {
        const scope_column *column = &sofar->columns[i];
        if (!column->is_hidden) {
            TRY(plan_columns_add(
                self, &columns,
                (plan_column){.id = column->id, .type = column->type, .name = column->name}));
        }
    }
    return scope_add_query(self, into, &columns, written->alias.value, (text_list){0},
                           &written->columns, written->node.position);
}
