// Looking for values that can fail and for what uses them: once through the plan, inputs first.
//
// A value is followed upwards as long as its column is handed on. What an outer join makes NULL may
// be computed above it only if it is NULL of NULLs.
#include "expr/program.h"
#include "memory/arena_grow.h"
#include "optimize/late_values.h"
#include "optimize/one_row.h"

#define NODES_MAX 1000 // Of one value.
#define DEPTH_MAX 200  // Of one value; of an expression that it becomes a part of, with it:
#define DEPTH_AFTER_MAX 500

// ---- How often columns are mentioned -----------------------------------------------------------

static void mention(late_values *self, uint32_t id) {
    if (id < self->id_count) {
        self->mentions[id]++;
    }
}

static bool count_in_expr(void *user, expr **slot) {
    if ((*slot)->kind == EXPR_COLUMN) {
        mention(user, (*slot)->column_.id);
    }
    return expr_visit_children(*slot, count_in_expr, user);
}

// Columns that a node names by their ids alone.
static u32_list listed_ids(const plan_node *node) {
    switch ((int)node->kind) {
    case PLAN_JOIN:
        return node->join_.outputs;
    case PLAN_UNION:
        return node->union_.input_ids;
    case PLAN_SHARED_SCAN:
        return node->shared_scan_.source_ids;
    case PLAN_RECURSIVE:
        return node->recursive_.input_ids;
    case PLAN_INSERT:
        return node->insert_.input_ids;
    case PLAN_OUTPUT:
        return node->output_.ids;
    default:
        return (u32_list){0};
    }
}

static bool count_in_plan(void *user, plan_node **slot) {
    const u32_list ids = listed_ids(*slot);
    for (uint32_t i = 0; i < ids.count; i++) {
        mention(user, ids.items[i]);
    }
    return plan_visit_exprs(*slot, count_in_expr, user) &&
           plan_visit_children(*slot, count_in_plan, user);
}

// ---- Uses --------------------------------------------------------------------------------------

typedef struct looking {
    late_values *found;
    firn_status status;
    // Of the expression that is looked at:
    uint32_t owner; // The number that its value will have, NO_VALUE: it is none.
    uint32_t nodes, depth, deepest;
    uint32_t tries; // How many TRY are around.
    bool has_lambda;
} looking;

static late_value *value_of(const late_values *self, uint32_t id) {
    const uint32_t value = id < self->id_count ? self->by_id[id] : NO_VALUE;
    return value == NO_VALUE ? NULL : &self->items[value];
}

static uint32_t add_bounded(uint32_t left, uint32_t right) {
    return right > NODES_MAX || left + right > NODES_MAX ? NODES_MAX + 1 : left + right;
}

static firn_status add_use(looking *state, late_value *value, expr **slot, bool is_arm) {
    late_values *self = state->found;
    late_use *uses = ARENA_GROW(self->self->memory, late_use, self->uses, self->use_count, 1,
                                &self->use_capacity);
    if (uses == NULL) {
        return rewrite_full(self->self);
    }
    self->uses = uses;
    uses[self->use_count] = (late_use){.slot = slot,
                                       .step = value->step,
                                       .owner = state->owner,
                                       .is_arm = is_arm,
                                       .next = NO_VALUE};
    if (value->first_use == NO_VALUE) {
        value->first_use = self->use_count;
    } else {
        uses[value->last_use].next = self->use_count;
    }
    value->last_use = self->use_count++;
    value->use_count++;
    return FIRN_OK;
}

static bool look_at_expr(void *user, expr **slot, bool is_arm);

static bool look_at_column(looking *state, expr **slot, bool is_arm) {
    late_value *value = value_of(state->found, (*slot)->column_.id);
    if (value == NULL) {
        return true;
    }
    const uint32_t depth = state->depth + value->depth;
    value->met++;
    state->nodes = add_bounded(state->nodes, value->nodes);
    state->deepest = depth > state->deepest ? depth : state->deepest;
    // TRY takes errors of what it computes, not of what was computed before.
    value->stays |= state->tries > 0 || depth > DEPTH_AFTER_MAX;
    state->status = add_use(state, value, slot, is_arm);
    return state->status == FIRN_OK;
}

static bool look_at_expr(void *user, expr **slot, bool is_arm) {
    looking *state = user;
    if ((*slot)->kind == EXPR_COLUMN && !look_at_column(state, slot, is_arm)) {
        return false;
    }
    const bool is_try = (*slot)->kind == EXPR_TRY;
    state->has_lambda |= (*slot)->kind == EXPR_LAMBDA; // Whose parameters are columns, too.
    state->nodes = add_bounded(state->nodes, 1);
    state->depth++;
    state->deepest = state->depth > state->deepest ? state->depth : state->deepest;
    state->tries += is_try;
    const bool goes_on = rewrite_visit_arms(*slot, is_arm, look_at_expr, user);
    state->tries -= is_try;
    state->depth--;
    return goes_on;
}

// An expression that is no value of a projection.
static bool look_at_root(void *user, expr **slot) {
    looking *state = user;
    state->owner = NO_VALUE;
    return look_at_expr(user, slot, false);
}

// ---- NULL of NULLs -----------------------------------------------------------------------------

typedef struct null_look {
    late_values *found;
    bool is_kept;
} null_look;

static bool keeps_null(late_values *self, late_value *value);

// NULL in the place of columns: also where values are that may come into it.
static bool put_null(void *user, expr **slot) {
    null_look *state = user;
    if ((*slot)->kind == EXPR_COLUMN) {
        late_value *value = value_of(state->found, (*slot)->column_.id);
        state->is_kept = value == NULL || keeps_null(state->found, value);
        *slot = expr_null(state->found->self->memory, (*slot)->type);
        state->found->is_full |= *slot == NULL;
        return *slot != NULL && state->is_kept;
    }
    return expr_visit_children(*slot, put_null, user);
}

// Is the value NULL, and no error, when all columns below it are NULL? It nests as deep as values
// do, DEPTH_MAX.
static bool keeps_null(late_values *self, late_value *value) {
    if (value->of_null == LATE_NULL_UNKNOWN) {
        optimizer *rules = self->self;
        const arena_mark mark = arena_mark_take(rules->memory);
        null_look state = {.found = self, .is_kept = true};
        expr *copy = expr_copy(rules->memory, value->source);
        expr *folded = NULL;
        self->is_full |= copy == NULL;
        if (copy != NULL && put_null(&state, &copy) && state.is_kept) {
            self->is_full |=
                expr_try_fold(copy, rules->context, rules->memory, &folded, rules->err) != FIRN_OK;
        }
        const bool is_null = !self->is_full && folded != NULL && folded->literal_.value.is_null;
        arena_rewind(rules->memory, mark);
        value->of_null = is_null ? LATE_NULL_KEPT : LATE_NULL_LOST;
    }
    return value->of_null == LATE_NULL_KEPT;
}

// ---- Values ------------------------------------------------------------------------------------

// What is used in something that does not move is used there, whether its value is needed or not.
static void disown(late_values *self, uint32_t first_use) {
    for (uint32_t i = first_use; i < self->use_count; i++) {
        self->uses[i].owner = NO_VALUE;
    }
}

static firn_status add_value(looking *state, const plan_node *project, uint32_t id, expr *source) {
    late_values *self = state->found;
    arena *memory = self->self->memory;
    late_value *items =
        ARENA_GROW(memory, late_value, self->items, self->count, 1, &self->capacity);
    uint32_t *open =
        ARENA_GROW(memory, uint32_t, self->open, self->open_count, 1, &self->open_capacity);
    if (items == NULL || open == NULL) {
        return rewrite_full(self->self);
    }
    self->items = items;
    self->open = open;
    late_value *made = &items[self->count];
    *made = (late_value){.id = id,
                         .source = source,
                         .highest = project,
                         .step = 1,
                         .first_use = NO_VALUE,
                         .wanted = self->mentions[id],
                         .nodes = state->nodes,
                         .depth = state->deepest};
    open[self->open_count++] = self->count++;
    return FIRN_OK;
}

// A column that a projection hands on: the value goes by its id above.
static void pass_value(late_values *self, const plan_node *project, uint32_t id,
                       const expr *column) {
    late_value *value = value_of(self, column->column_.id);
    if (value == NULL) {
        return;
    }
    value->met++;
    value->step += value->highest != project;
    value->highest = project;
    late_value *same = value_of(self, id);
    if (same == value) {
        return;
    }
    if (same != NULL || id >= self->id_count) {
        value->stays = true;
        return;
    }
    self->by_id[id] = self->by_id[column->column_.id];
    value->wanted += self->mentions[id];
}

// A value of a projection that is no column.
static firn_status look_at_value(looking *state, plan_node *project, uint32_t index) {
    late_values *self = state->found;
    const uint32_t id = project->project_.ids.items[index];
    expr **slot = &project->project_.values.items[index];
    const uint32_t first_use = self->use_count;
    state->owner = self->count;
    state->nodes = state->depth = state->deepest = 0;
    state->has_lambda = false;
    if (!look_at_expr(state, slot, false)) {
        return state->status;
    }
    const bool may_fail = expr_can_fail(*slot) || self->use_count > first_use;
    if (id < self->id_count && self->mentions[id] > 0 && may_fail && state->nodes <= NODES_MAX &&
        state->deepest <= DEPTH_MAX && !state->has_lambda && !expr_is_volatile(*slot)) {
        return add_value(state, project, id, *slot);
    }
    disown(self, first_use);
    return FIRN_OK;
}

// From here on the columns are the projection's. An id may be made anew: which of both a mention
// means cannot be told then.
static void name_values(late_values *self, uint32_t first) {
    for (uint32_t i = first; i < self->count; i++) {
        late_value *other = value_of(self, self->items[i].id);
        if (other != NULL) {
            other->stays = true;
            self->items[i].stays = true;
        }
        self->by_id[self->items[i].id] = i;
    }
}

static firn_status look_at_project(looking *state, plan_node *project) {
    late_values *self = state->found;
    const expr_list *values = &project->project_.values;
    const uint32_t first = self->count;
    for (uint32_t i = 0; i < values->count; i++) {
        if (values->items[i]->kind != EXPR_COLUMN) {
            TRY(look_at_value(state, project, i));
        }
    }
    for (uint32_t i = 0; i < values->count; i++) {
        if (values->items[i]->kind == EXPR_COLUMN) {
            pass_value(self, project, project->project_.ids.items[i], values->items[i]);
        }
    }
    name_values(self, first);
    return FIRN_OK;
}

// ---- Joins -------------------------------------------------------------------------------------

// The columns of values from `first` to `end` may be NULL above.
static void make_null(late_values *self, uint32_t first, uint32_t end) {
    for (uint32_t i = first; i < end; i++) {
        late_value *value = &self->items[self->open[i]];
        value->stays |= value->met != value->wanted && !keeps_null(self, value);
    }
    if (end > first) {
        memmove(self->open + first, self->open + end,
                (size_t)(self->open_count - end) * sizeof *self->open);
        self->open_count -= end - first;
    }
}

static bool look_at_node(void *user, plan_node **slot);

static bool look_at_join(looking *state, plan_node *join) {
    late_values *self = state->found;
    const uint32_t left_first = self->open_count;
    if (!look_at_node(state, &join->join_.left)) {
        return false;
    }
    const uint32_t right_first = self->open_count;
    if (!look_at_node(state, &join->join_.right) || !plan_visit_exprs(join, look_at_root, state)) {
        return false;
    }
    const join_kind kind = join->join_.join;
    const bool has_condition = join->join_.residual != NULL || join->join_.left_keys.count > 0;
    const bool right_is_there = !has_condition && one_row_is_sure(join->join_.right);
    const bool right_may_lack =
        kind == JOIN_FULL || ((kind == JOIN_LEFT || kind == JOIN_SINGLE) && !right_is_there);
    if (right_may_lack) {
        make_null(self, right_first, self->open_count);
    }
    if (kind == JOIN_RIGHT || kind == JOIN_FULL) {
        make_null(self, left_first, right_first);
    }
    return true;
}

// ---- Nodes -------------------------------------------------------------------------------------

static void stop_listed(late_values *self, const plan_node *node) {
    const u32_list ids = listed_ids(node);
    for (uint32_t i = 0; i < ids.count; i++) {
        late_value *value = value_of(self, ids.items[i]);
        if (value != NULL) {
            value->stays = true;
        }
    }
}

static bool look_at_node(void *user, plan_node **slot) {
    looking *state = user;
    plan_node *node = *slot;
    state->status = rewrite_check(state->found->self);
    if (state->status != FIRN_OK) {
        return false;
    }
    if (node->kind == PLAN_JOIN) {
        if (!look_at_join(state, node)) {
            return false;
        }
    } else if (!plan_visit_children(node, look_at_node, user)) {
        return false;
    }
    stop_listed(state->found, node);
    if (node->kind == PLAN_PROJECT) {
        state->status = look_at_project(state, node);
        return state->status == FIRN_OK;
    }
    return node->kind == PLAN_JOIN || plan_visit_exprs(node, look_at_root, user);
}

firn_status late_values_find(late_values *self, plan_node **root) {
    self->mentions = ARENA_NEW(self->self->memory, uint32_t, self->id_count + (size_t)1);
    self->by_id = ARENA_NEW(self->self->memory, uint32_t, self->id_count + (size_t)1);
    if (self->mentions == NULL || self->by_id == NULL) {
        return rewrite_full(self->self);
    }
    for (uint32_t i = 0; i < self->id_count; i++) {
        self->mentions[i] = 0;
        self->by_id[i] = NO_VALUE;
    }
    (void)count_in_plan(self, root);
    looking state = {.found = self, .status = FIRN_OK};
    (void)look_at_node(&state, root);
    return state.status == FIRN_OK && self->is_full ? rewrite_full(self->self) : state.status;
}
