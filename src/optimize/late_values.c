// What a projection computes and only arms above need (of CASE, COALESCE, AND, OR) is computed in
// the arms: SQL evaluates it for the rows that reach them, so that for others it must not fail.
//
//     AGG[sum(CASE WHEN x > 0 THEN q END)] (PROJECT[x, 100 / x AS q] (t))
//  →  AGG[sum(CASE WHEN x > 0 THEN 100 / x END)] (PROJECT[x] (t))
//
// What an aggregate takes of the rows that its FILTER leaves is such an arm as well:
//
//     AGG[sum(q) FILTER (x > 0)]  →  AGG[sum(CASE WHEN x > 0 THEN 100 / x END) FILTER (x > 0)]
//
// Only values that can fail move, and only where no other use needs them for all rows. A value that
// is computed in several places grows the plan by a bounded number of nodes.
#include "optimize/late_values.h"
#include "optimize/one_row.h"

#define GROWTH_MAX 64 // Nodes that copies of a value may add.

// ---- Which values move -------------------------------------------------------------------------

static bool may_move(const late_values *self, const late_value *value) {
    if (value->stays || value->use_count == 0 || value->met != value->wanted ||
        (uint64_t)value->nodes * (value->use_count - 1) > GROWTH_MAX) {
        return false;
    }
    for (uint32_t at = value->first_use; at != NO_VALUE; at = self->uses[at].next) {
        const late_use *use = &self->uses[at];
        if (!use->is_arm && (use->owner == NO_VALUE || self->items[use->owner].stays)) {
            return false;
        }
    }
    return true;
}

// ---- Moving ------------------------------------------------------------------------------------

typedef struct moving {
    late_values *values;
    plan_node *project; // The one that values are taken out of now.
    // What it hands on, by column id: under which id; and which ids it gives.
    uint32_t *names;
    const plan_node **named_by, **taken_by;
    u32_list passing; // The values that are taken out of it.
    firn_status status;
} moving;

static late_value *moves_as(const late_values *self, uint32_t id) {
    const uint32_t value = id < self->id_count ? self->by_id[id] : NO_VALUE;
    return value == NO_VALUE || self->items[value].stays ? NULL : &self->items[value];
}

static void note_pass(moving *state, uint32_t id, uint32_t name) {
    const uint32_t id_count = state->values->id_count;
    if (id < id_count && state->named_by[id] != state->project) {
        state->named_by[id] = state->project;
        state->names[id] = name;
    }
    if (name < id_count) {
        state->taken_by[name] = state->project;
    }
}

// Takes the values that move out of the projection.
static firn_status take_out(moving *state) {
    late_values *self = state->values;
    plan_node *project = state->project;
    uint32_t kept = 0;
    state->passing.count = 0;
    for (uint32_t i = 0; i < project->project_.ids.count; i++) {
        const uint32_t id = project->project_.ids.items[i];
        expr *source = project->project_.values.items[i];
        late_value *value = moves_as(self, id);
        if (value == NULL) {
            note_pass(state, source->kind == EXPR_COLUMN ? source->column_.id : NO_SLOT, id);
            project->project_.ids.items[kept] = id;
            project->project_.values.items[kept++] = source;
        } else if (value->highest != project) { // It may stand there under several names.
            value->highest = project;
            if (source->kind != EXPR_COLUMN) {
                value->source = expr_copy(self->self->memory, source);
            }
            if (value->source == NULL) {
                return rewrite_full(self->self);
            }
            TRY(rewrite_add_id(self->self, &state->passing, self->by_id[id]));
        }
    }
    project->project_.ids.count = kept;
    project->project_.values.count = kept;
    return FIRN_OK;
}

// An id that was made by this rule, of which there are few.
static uint32_t name_of_new(const plan_node *project, uint32_t id) {
    for (uint32_t i = 0; i < project->project_.ids.count; i++) {
        const expr *value = project->project_.values.items[i];
        if (value->kind == EXPR_COLUMN && value->column_.id == id) {
            return project->project_.ids.items[i];
        }
    }
    return NO_SLOT;
}

// A column of a value, as it is called above the projection, which hands it on.
static bool hand_on(void *user, expr **slot) {
    moving *state = user;
    if ((*slot)->kind != EXPR_COLUMN) {
        return expr_visit_children(*slot, hand_on, user);
    }
    optimizer *rules = state->values->self;
    plan_node *project = state->project;
    const uint32_t id = (*slot)->column_.id;
    const bool is_new = id >= state->values->id_count;
    uint32_t name = is_new                           ? name_of_new(project, id)
                    : state->named_by[id] == project ? state->names[id]
                                                     : NO_SLOT;
    if (name == NO_SLOT) {
        expr *column = expr_copy(rules->memory, *slot);
        name = !is_new && state->taken_by[id] == project ? rewrite_new_id(rules) : id;
        state->status = column == NULL ? rewrite_full(rules)
                                       : rewrite_add_id(rules, &project->project_.ids, name);
        if (state->status == FIRN_OK) {
            state->status = rewrite_add_expr(rules, &project->project_.values, column);
        }
        note_pass(state, id, name);
    }
    (*slot)->column_.id = name;
    return state->status == FIRN_OK;
}

// What uses the value between this projection and the next one that hands it on.
static firn_status replace_uses(const late_values *self, late_value *value) {
    value->step++;
    for (; value->first_use != NO_VALUE && self->uses[value->first_use].step == value->step;
         value->first_use = self->uses[value->first_use].next) {
        expr *copy = expr_copy(self->self->memory, value->source);
        if (copy == NULL) {
            return rewrite_full(self->self);
        }
        *self->uses[value->first_use].slot = copy;
    }
    return FIRN_OK;
}

static bool only_passes(const plan_node *project) {
    for (uint32_t i = 0; i < project->project_.ids.count; i++) {
        const expr *value = project->project_.values.items[i];
        if (value->kind != EXPR_COLUMN || value->column_.id != project->project_.ids.items[i]) {
            return false;
        }
    }
    return project->project_.ids.count > 0; // None at all: drop_join.
}

static firn_status move_from(moving *state, plan_node **slot) {
    plan_node *project = *slot;
    state->project = project;
    TRY(take_out(state));
    for (uint32_t i = 0; i < state->passing.count; i++) {
        late_value *value = &state->values->items[state->passing.items[i]];
        if (!hand_on(state, &value->source)) {
            return state->status;
        }
        TRY(replace_uses(state->values, value));
    }
    if (state->passing.count > 0 && only_passes(project)) { // Hundreds of wide ones take long.
        *slot = project->project_.input;
    }
    return FIRN_OK;
}

static bool move_all(void *user, plan_node **slot) {
    moving *state = user;
    if (!plan_visit_children(*slot, move_all, user)) {
        return false;
    }
    state->status = rewrite_check(state->values->self);
    if (state->status == FIRN_OK && (*slot)->kind == PLAN_PROJECT) {
        state->status = move_from(state, slot);
    }
    return state->status == FIRN_OK;
}

static firn_status move_values(late_values *self, plan_node **root) {
    arena *memory = self->self->memory;
    const size_t count = (size_t)self->id_count + 1;
    moving state = {.values = self,
                    .names = ARENA_NEW(memory, uint32_t, count),
                    .named_by = ARENA_NEW(memory, const plan_node *, count),
                    .taken_by = ARENA_NEW(memory, const plan_node *, count)};
    if (state.names == NULL || state.named_by == NULL || state.taken_by == NULL) {
        return rewrite_full(self->self);
    }
    for (uint32_t i = 0; i < count; i++) {
        state.named_by[i] = state.taken_by[i] = NULL;
    }
    for (uint32_t i = 0; i < self->count; i++) {
        self->items[i].step = 0;
        self->items[i].highest = NULL;
    }
    (void)move_all(&state, root);
    return state.status;
}

// ---- What is left ------------------------------------------------------------------------------

// What an aggregate takes is computed of rows that its FILTER leaves out, too: not if it can fail.
static firn_status guard(optimizer *self, const expr *filter, expr **value) {
    if (!expr_can_fail(*value)) {
        return FIRN_OK;
    }
    expr *guarded = expr_new(self->memory, EXPR_CASE, (*value)->type);
    expr *condition = expr_copy(self->memory, filter);
    expr *otherwise = expr_null(self->memory, (*value)->type);
    if (guarded == NULL || condition == NULL || otherwise == NULL) {
        return rewrite_full(self);
    }
    guarded->case_.otherwise = otherwise;
    TRY(rewrite_add_expr(self, &guarded->case_.conditions, condition));
    TRY(rewrite_add_expr(self, &guarded->case_.values, *value));
    *value = guarded;
    return FIRN_OK;
}

static firn_status guard_aggregates(optimizer *self, plan_node **slot) {
    if ((*slot)->kind != PLAN_AGGREGATE) {
        return FIRN_OK;
    }
    const expr_list *calls = &(*slot)->aggregate_.aggregates;
    for (uint32_t i = 0; i < calls->count; i++) {
        expr *call = calls->items[i];
        const expr *filter = call->aggregate_.filter;
        if (filter == NULL || expr_is_volatile(filter)) {
            continue;
        }
        for (uint32_t k = 0; k < call->aggregate_.args.count; k++) {
            TRY(guard(self, filter, &call->aggregate_.args.items[k]));
        }
        for (uint32_t k = 0; k < call->aggregate_.order.count; k++) {
            TRY(guard(self, filter, &call->aggregate_.order.items[k].value));
        }
    }
    return FIRN_OK;
}

// A join with one row of no columns does nothing.
static firn_status drop_join(optimizer *self, plan_node **slot) {
    const plan_node *join = *slot;
    (void)self;
    if (join->kind != PLAN_JOIN || join->join_.residual != NULL ||
        join->join_.left_keys.count > 0) {
        return FIRN_OK;
    }
    const join_kind kind = join->join_.join;
    const plan_node *right = join->join_.right;
    if ((kind == JOIN_CROSS || kind == JOIN_LEFT || kind == JOIN_SINGLE) &&
        right->kind == PLAN_PROJECT && right->project_.ids.count == 0 && one_row_is_sure(right)) {
        *slot = join->join_.left;
    }
    return FIRN_OK;
}

firn_status rule_late_values(optimizer *self, plan_node **root) {
    late_values found = {.self = self, .id_count = self->plan->id_count};
    bool any = false;
    TRY(late_values_find(&found, root));
    for (uint32_t i = found.count; i > 0; i--) { // What uses a value comes behind it.
        late_value *value = &found.items[i - 1];
        value->stays = !may_move(&found, value);
        any |= !value->stays;
    }
    if (any) {
        TRY(move_values(&found, root));
    }
    TRY(rewrite_tree(self, root, guard_aggregates));
    return any ? rewrite_tree(self, root, drop_join) : FIRN_OK;
}
