#include "optimize/rewrite.h"

#include "functions/overload.h"

firn_status rewrite_full(optimizer *self) {
    return ARENA_FULL(self->memory, self->err);
}

firn_status rewrite_check(optimizer *self) {
    return cancel_check(self->context->cancel, self->err);
}

uint32_t rewrite_new_id(optimizer *self) {
    return self->plan->id_count++;
}

firn_status rewrite_node(optimizer *self, plan_kind kind, plan_node **out) {
    *out = plan_new(self->memory, kind);
    return *out == NULL ? rewrite_full(self) : FIRN_OK;
}

firn_status rewrite_column(optimizer *self, uint32_t id, const type *type, expr **out) {
    *out = expr_column(self->memory, id, TEXT(""), type);
    return *out == NULL ? rewrite_full(self) : FIRN_OK;
}

// A list without room grows by copying: its items may be another list's too.
static void *room(optimizer *self, const void *items, uint32_t count, size_t size,
                  uint32_t *capacity) {
    const uint32_t wanted = count < 4 ? 8 : count * 2;
    void *grown = arena_alloc(self->memory, wanted, size);
    if (grown != NULL) {
        if (count > 0) {
            memcpy(grown, items, count * size);
        }
        *capacity = wanted;
    }
    return grown;
}

firn_status rewrite_add_expr(optimizer *self, expr_list *list, expr *value) {
    if (value == NULL) {
        return rewrite_full(self);
    }
    if (list->count >= list->capacity) {
        expr **items = room(self, list->items, list->count, sizeof(expr *), &list->capacity);
        if (items == NULL) {
            return rewrite_full(self);
        }
        list->items = items;
    }
    list->items[list->count++] = value;
    return FIRN_OK;
}

firn_status rewrite_add_id(optimizer *self, u32_list *list, uint32_t id) {
    if (list->count >= list->capacity) {
        uint32_t *items = room(self, list->items, list->count, sizeof(uint32_t), &list->capacity);
        if (items == NULL) {
            return rewrite_full(self);
        }
        list->items = items;
    }
    list->items[list->count++] = id;
    return FIRN_OK;
}

// ---- Conjuncts -------------------------------------------------------------------------------

bool rewrite_is_bool(const expr *value, bool wanted) {
    return value->kind == EXPR_LITERAL && value->type->id == TYPE_BOOLEAN &&
           !value->literal_.value.is_null &&
           bitmap_get(value->literal_.value.value->values, 0) == wanted;
}

bool rewrite_is_never_true(const expr *value) {
    return rewrite_is_bool(value, false) ||
           (value->kind == EXPR_LITERAL && value->literal_.value.is_null);
}

bool rewrite_holds(const expr_list *list, const expr *value) {
    for (uint32_t i = 0; i < list->count; i++) {
        if (expr_equal(list->items[i], value)) {
            return true;
        }
    }
    return false;
}

firn_status rewrite_split(optimizer *self, expr *predicate, expr_list *out) {
    if (predicate == NULL || rewrite_is_bool(predicate, true)) {
        return FIRN_OK;
    }
    if (predicate->kind != EXPR_AND) {
        return rewrite_add_expr(self, out, predicate);
    }
    for (uint32_t i = 0; i < predicate->and_.args.count; i++) {
        TRY(rewrite_split(self, predicate->and_.args.items[i], out));
    }
    return FIRN_OK;
}

firn_status rewrite_join(optimizer *self, const expr_list *conjuncts, expr **out) {
    *out = NULL;
    if (conjuncts->count == 1) {
        *out = conjuncts->items[0];
    }
    if (conjuncts->count < 2) {
        return FIRN_OK;
    }
    *out = expr_new(self->memory, EXPR_AND, TYPE_OF(BOOLEAN));
    if (*out == NULL) {
        return rewrite_full(self);
    }
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        TRY(rewrite_add_expr(self, &(*out)->and_.args, conjuncts->items[i]));
    }
    return FIRN_OK;
}

firn_status rewrite_filter(optimizer *self, plan_node *node, const expr_list *conjuncts,
                           plan_node **out) {
    if (conjuncts->count == 0) {
        *out = node;
        return FIRN_OK;
    }
    plan_node *filter;
    TRY(rewrite_node(self, PLAN_FILTER, &filter));
    filter->filter_.input = node;
    *out = filter;
    return rewrite_join(self, conjuncts, &filter->filter_.predicate);
}

firn_status rewrite_project(optimizer *self, plan_node *input, const u32_list *ids,
                            const expr_list *values, plan_node **out) {
    plan_node *project;
    TRY(rewrite_node(self, PLAN_PROJECT, &project));
    project->project_.input = input;
    project->project_.ids = *ids;
    project->project_.values = *values;
    project->project_.ids.capacity = 0; // The caller's may grow into the same room.
    project->project_.values.capacity = 0;
    *out = project;
    return FIRN_OK;
}

firn_status rewrite_empty(optimizer *self, plan_node **slot) {
    plan_columns columns;
    plan_node *empty;
    TRY(plan_outputs(*slot, self->memory, &columns, self->err));
    TRY(rewrite_node(self, PLAN_VALUES, &empty));
    column *values = ARENA_NEW(self->memory, column, (size_t)columns.count + 1);
    if (values == NULL) {
        return rewrite_full(self);
    }
    for (uint32_t i = 0; i < columns.count; i++) {
        TRY(column_new_null(self->memory, columns.items[i].type, 0, &values[i], self->err));
        TRY(column_flatten(self->memory, &values[i], &values[i], self->err));
        TRY(rewrite_add_id(self, &empty->values_.ids, columns.items[i].id));
    }
    empty->values_.columns = (column_data_list){.count = columns.count, .items = values};
    *slot = empty;
    return FIRN_OK;
}

firn_status rewrite_pass(optimizer *self, plan_node *node, u32_list *ids, expr_list *values) {
    plan_columns columns;
    TRY(plan_outputs(node, self->memory, &columns, self->err));
    for (uint32_t i = 0; i < columns.count; i++) {
        expr *value = expr_column(self->memory, columns.items[i].id, columns.items[i].name,
                                  columns.items[i].type);
        if (value == NULL) {
            return rewrite_full(self);
        }
        TRY(rewrite_add_id(self, ids, columns.items[i].id));
        TRY(rewrite_add_expr(self, values, value));
    }
    return FIRN_OK;
}

firn_status rewrite_call(optimizer *self, const char *name, expr *left, expr *right, expr **out) {
    expr *args[2] = {left, right};
    return function_call_named(text_of(name), args, 2, self->memory, out, self->err);
}

firn_status rewrite_not(optimizer *self, expr *value, expr **out) {
    return function_call_named(TEXT("not"), &value, 1, self->memory, out, self->err);
}

firn_status rewrite_coalesce(optimizer *self, expr *value, expr *otherwise, expr **out) {
    *out = expr_new(self->memory, EXPR_COALESCE, value->type);
    if (*out == NULL) {
        return rewrite_full(self);
    }
    TRY(rewrite_add_expr(self, &(*out)->coalesce_.args, value));
    return rewrite_add_expr(self, &(*out)->coalesce_.args, otherwise);
}

firn_status rewrite_same(optimizer *self, expr *left, expr *right, expr **out) {
    return rewrite_call(self, "is_not_distinct_from", left, right, out);
}

// ---- Arms ------------------------------------------------------------------------------------

typedef struct arm_walk {
    rewrite_arm_visit visit;
    void *user;
    bool is_arm;
} arm_walk;

static bool visit_child(void *user, expr **slot) {
    const arm_walk *state = user;
    return state->visit(state->user, slot, state->is_arm);
}

static bool visit_list(expr_list *list, bool is_first_arm, bool is_arm, rewrite_arm_visit visit,
                       void *user) {
    for (uint32_t i = 0; i < list->count; i++) {
        if (!visit(user, &list->items[i], i == 0 ? is_first_arm : is_arm)) {
            return false;
        }
    }
    return true;
}

// Of an aggregate with FILTER the arguments are for the rows that pass.
static bool visit_aggregate(expr *value, bool is_arm, rewrite_arm_visit visit, void *user) {
    expr **filter = &value->aggregate_.filter;
    const sort_key_list *order = &value->aggregate_.order;
    const bool is_filtered = is_arm || (*filter != NULL && !expr_is_volatile(*filter));
    if (!visit_list(&value->aggregate_.args, is_filtered, is_filtered, visit, user) ||
        (*filter != NULL && !visit(user, filter, is_arm))) {
        return false;
    }
    for (uint32_t i = 0; i < order->count; i++) {
        if (!visit(user, &order->items[i].value, is_filtered)) {
            return false;
        }
    }
    return true;
}

bool rewrite_visit_arms(expr *value, bool is_arm, rewrite_arm_visit visit, void *user) {
    switch ((int)value->kind) {
    case EXPR_CASE:
        return visit_list(&value->case_.conditions, is_arm, true, visit, user) &&
               visit_list(&value->case_.values, true, true, visit, user) &&
               (value->case_.otherwise == NULL || visit(user, &value->case_.otherwise, true));
    case EXPR_COALESCE:
        return visit_list(&value->coalesce_.args, is_arm, true, visit, user);
    case EXPR_AND:
        return visit_list(&value->and_.args, true, true, visit, user);
    case EXPR_OR:
        return visit_list(&value->or_.args, true, true, visit, user);
    case EXPR_AGGREGATE:
        return visit_aggregate(value, is_arm, visit, user);
    default: {
        arm_walk state = {.visit = visit, .user = user, .is_arm = is_arm};
        return expr_visit_children(value, visit_child, &state);
    }
    }
}

// ---- Columns ---------------------------------------------------------------------------------

typedef struct replacing {
    optimizer *self;
    const substitution *map;
    firn_status status;
} replacing;

static bool is_number(const type *of) {
    const type_category category = type_category_of(of);
    return category == CATEGORY_INTEGER || category == CATEGORY_DECIMAL ||
           category == CATEGORY_FLOAT || category == CATEGORY_DATETIME;
}

// Leaves of failure: which of its own may an expression have?
static bool fails_by_range(void *user, expr **slot) {
    bool *only = user;
    const expr *value = *slot;
    if (value->kind == EXPR_CALL && (expr_call_flags(value) & FUNCTION_CAN_FAIL) != 0) {
        *only &= expr_is_call(value, "+") || expr_is_call(value, "-") || expr_is_call(value, "*");
    } else if (value->kind == EXPR_CAST) {
        *only &= !expr_can_fail(value) || is_number(value->cast_.arg->type);
    } else if (value->kind == EXPR_SUBQUERY) {
        *only = false;
    }
    return *only && expr_visit_children(*slot, fails_by_range, user);
}

bool rewrite_fails_by_range(const expr *value) {
    bool only = true;
    expr *root = (expr *)(uintptr_t)value; // Only looked at.
    (void)fails_by_range(&only, &root);
    return only;
}

static bool has_no_subquery(void *user, expr **slot) {
    return (*slot)->kind != EXPR_SUBQUERY && expr_visit_children(*slot, has_no_subquery, user);
}

static bool compares_values(const expr *conjunct) {
    expr *const *args = conjunct->call_.args.items;
    expr *root = (expr *)(uintptr_t)conjunct; // Only looked at.
    return !expr_is_volatile(conjunct) && !expr_is_constant(args[0]) &&
           !expr_is_constant(args[1]) && has_no_subquery(NULL, &root);
}

bool rewrite_may_be_key(const expr *conjunct) {
    return (expr_is_call(conjunct, "=") || expr_is_call(conjunct, "is_not_distinct_from")) &&
           compares_values(conjunct);
}

bool rewrite_may_be_bound(const expr *conjunct) {
    const bool is_order = expr_is_call(conjunct, "<") || expr_is_call(conjunct, "<=") ||
                          expr_is_call(conjunct, ">") || expr_is_call(conjunct, ">=");
    return is_order && rewrite_fails_by_range(conjunct) && compares_values(conjunct);
}

static bool replace_plan(void *user, plan_node **slot);

// The columns that a subquery mentions are others now.
static bool note_outer(replacing *state, expr *query) {
    id_set needed = id_set_open(state->self->memory);
    query->subquery_.outer_ids = (u32_list){0};
    state->status = rewrite_free(state->self, query->subquery_.plan, &needed);
    for (uint32_t id = 0; state->status == FIRN_OK && id_set_next(&needed, &id); id++) {
        state->status = rewrite_add_id(state->self, &query->subquery_.outer_ids, id);
    }
    return state->status == FIRN_OK;
}

static bool replace_expr(void *user, expr **slot) {
    replacing *state = user;
    const expr *value = *slot;
    if (value->kind == EXPR_COLUMN) {
        for (uint32_t i = 0; i < state->map->from.count; i++) {
            if (state->map->from.items[i] == value->column_.id) {
                *slot = expr_copy(state->self->memory, state->map->to.items[i]);
                if (*slot == NULL) {
                    state->status = rewrite_full(state->self);
                    return false;
                }
                return true;
            }
        }
        return true;
    }
    if (value->kind == EXPR_SUBQUERY) {
        plan_node *inner = value->subquery_.plan;
        if (!replace_plan(user, &inner) || !note_outer(state, *slot)) {
            return false;
        }
    }
    return expr_visit_children(*slot, replace_expr, user);
}

static bool replace_plan(void *user, plan_node **slot) {
    return plan_visit_exprs(*slot, replace_expr, user) &&
           plan_visit_children(*slot, replace_plan, user);
}

firn_status rewrite_substitute(optimizer *self, expr **value, const substitution *map) {
    replacing state = {.self = self, .map = map, .status = FIRN_OK};
    if (*value != NULL && map->from.count > 0) {
        (void)replace_expr(&state, value);
    }
    return state.status;
}

firn_status rewrite_substitute_plan(optimizer *self, plan_node *node, const substitution *map) {
    replacing state = {.self = self, .map = map, .status = FIRN_OK};
    if (map->from.count > 0) {
        (void)replace_plan(&state, &node);
    }
    return state.status;
}

firn_status rewrite_used(optimizer *self, const expr *value, id_set *out) {
    return value == NULL ? FIRN_OK : expr_columns(value, out, self->err);
}

typedef struct usage {
    optimizer *self;
    id_set used, made;
    firn_status status;
} usage;

static bool use_plan(void *user, plan_node **slot);

static bool use_expr(void *user, expr **slot) {
    usage *state = user;
    expr *value = *slot;
    if (value->kind == EXPR_COLUMN) {
        state->status = id_set_add(&state->used, value->column_.id, state->self->err);
        return state->status == FIRN_OK;
    }
    if (value->kind == EXPR_LAMBDA) {
        for (uint32_t i = 0; i < value->lambda_.parameters.count; i++) {
            state->status =
                id_set_add(&state->made, value->lambda_.parameters.items[i], state->self->err);
        }
    }
    if (value->kind == EXPR_SUBQUERY && !use_plan(user, &value->subquery_.plan)) {
        return false;
    }
    return state->status == FIRN_OK && expr_visit_children(value, use_expr, user);
}

// Ids of scan columns that only filters read are made as well, though not handed out.
static firn_status add_made(usage *state, const plan_node *node) {
    if (node->kind == PLAN_SCAN) {
        for (uint32_t i = 0; i < node->scan_.columns.count; i++) {
            TRY(id_set_add(&state->made, node->scan_.columns.items[i].id, state->self->err));
        }
        return node->scan_.row_id == NO_SLOT
                   ? FIRN_OK
                   : id_set_add(&state->made, node->scan_.row_id, state->self->err);
    }
    return plan_output_ids(node, &state->made, state->self->err);
}

static bool use_plan(void *user, plan_node **slot) {
    usage *state = user;
    state->status = add_made(state, *slot);
    return state->status == FIRN_OK && plan_visit_exprs(*slot, use_expr, user) &&
           plan_visit_children(*slot, use_plan, user);
}

firn_status rewrite_free(optimizer *self, plan_node *node, id_set *out) {
    usage state = {.self = self,
                   .used = id_set_open(self->memory),
                   .made = id_set_open(self->memory),
                   .status = FIRN_OK};
    (void)use_plan(&state, &node);
    TRY(state.status);
    id_set_remove_all(&state.used, &state.made);
    return id_set_add_all(out, &state.used, self->err);
}

firn_status rewrite_outputs(optimizer *self, const plan_node *node, id_set *out) {
    return plan_output_ids(node, out, self->err);
}

firn_status rewrite_covers(optimizer *self, const id_set *ids, const expr *value, bool *out) {
    const arena_mark mark =
        arena_mark_take(self->memory); // It is asked for each of many conjuncts.
    id_set used = id_set_open(self->memory);
    TRY(rewrite_used(self, value, &used));
    *out = id_set_contains(ids, &used);
    arena_rewind(self->memory, mark);
    return FIRN_OK;
}

const type *rewrite_type_of(const plan_columns *columns, uint32_t id) {
    for (uint32_t i = 0; i < columns->count; i++) {
        if (columns->items[i].id == id) {
            return columns->items[i].type;
        }
    }
    return NULL;
}

// ---- Trees -----------------------------------------------------------------------------------

typedef struct walk {
    optimizer *self;
    rewrite_visit visit;
    firn_status status;
} walk;

static bool visit_node(void *user, plan_node **slot) {
    walk *state = user;
    if (!plan_visit_children(*slot, visit_node, user)) {
        return false;
    }
    state->status = rewrite_check(state->self);
    if (state->status == FIRN_OK) {
        state->status = state->visit(state->self, slot);
    }
    return state->status == FIRN_OK;
}

firn_status rewrite_tree(optimizer *self, plan_node **root, rewrite_visit visit) {
    walk state = {.self = self, .visit = visit, .status = FIRN_OK};
    (void)visit_node(&state, root);
    return state.status;
}
