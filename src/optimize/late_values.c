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

typedef struct column_look {
    uint32_t id;
    const expr *found;
} column_look;

static bool find_column(void *user, expr **slot) {
    column_look *state = user;
    if ((*slot)->kind == EXPR_COLUMN && (*slot)->column_.id == state->id) {
        state->found = *slot;
    }
    return state->found == NULL && expr_visit_children(*slot, find_column, user);
}

// What a projection calls a column that it hands on; NO_SLOT if it does not. `is_taken`: it makes
// something else of that id.
static uint32_t name_in(const plan_node *project, uint32_t id, bool *is_taken) {
    uint32_t found = NO_SLOT;
    *is_taken = false;
    for (uint32_t i = 0; i < project->project_.ids.count; i++) {
        const expr *value = project->project_.values.items[i];
        if (value->kind == EXPR_COLUMN && value->column_.id == id && found == NO_SLOT) {
            found = project->project_.ids.items[i];
        }
        *is_taken |= project->project_.ids.items[i] == id;
    }
    return found;
}

// The columns of `value` are handed on by the projection, above which it calls them so.
static firn_status hand_on(optimizer *self, plan_node *project, expr **value) {
    substitution map = {0};
    id_set used = id_set_open(self->memory);
    TRY(rewrite_used(self, *value, &used));
    for (uint32_t id = 0; id_set_next(&used, &id); id++) {
        bool is_taken;
        uint32_t name = name_in(project, id, &is_taken);
        column_look look = {.id = id};
        if (find_column(&look, value), look.found == NULL) {
            return FAIL(self->err, FIRN_INTERNAL, "an expression without its column");
        }
        expr *column = expr_copy(self->memory, look.found);
        if (column == NULL) {
            return rewrite_full(self);
        }
        if (name == NO_SLOT) {
            name = is_taken ? rewrite_new_id(self) : id;
            TRY(rewrite_add_id(self, &project->project_.ids, name));
            TRY(rewrite_add_expr(self, &project->project_.values, column));
        }
        if (name != id) {
            expr *renamed = expr_column(self->memory, name, column->column_.name, column->type);
            if (renamed == NULL) {
                return rewrite_full(self);
            }
            TRY(rewrite_add_id(self, &map.from, id));
            TRY(rewrite_add_expr(self, &map.to, renamed));
        }
    }
    return rewrite_substitute(self, value, &map);
}

// Drops the value from a projection that computes it or hands it on. `computed`: what it was.
static void drop(const late_values *self, uint32_t value, plan_node *project, expr **computed) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < project->project_.ids.count; i++) {
        const uint32_t id = project->project_.ids.items[i];
        expr *source = project->project_.values.items[i];
        if (id < self->id_count && self->by_id[id] == value) {
            *computed = source->kind == EXPR_COLUMN ? *computed : source;
            continue;
        }
        project->project_.ids.items[kept] = id;
        project->project_.values.items[kept++] = source;
    }
    project->project_.ids.count = kept;
    project->project_.values.count = kept;
}

static firn_status move(late_values *self, uint32_t number) {
    optimizer *rules = self->self;
    const late_value *value = &self->items[number];
    expr *computed = NULL;
    uint32_t above = 0;
    for (const late_step *step = value->lowest; step != NULL; step = step->above, above++) {
        drop(self, number, step->project, &computed);
        TRY(hand_on(rules, step->project, &computed));
        for (uint32_t at = value->first_use; at != NO_VALUE; at = self->uses[at].next) {
            const late_use *use = &self->uses[at];
            if (use->step == above) {
                *use->slot = expr_copy(rules->memory, computed);
                if (*use->slot == NULL) {
                    return rewrite_full(rules);
                }
            }
        }
    }
    return FIRN_OK;
}

// What an aggregate takes is computed of rows that its FILTER leaves out, too: not if it can fail.
static firn_status guard(optimizer *self, const expr *filter, expr **value) {
    if (!expr_can_fail(*value)) {
        return FIRN_OK;
    }
    expr *guarded = expr_new(self->memory, EXPR_CASE, (*value)->type);
    expr *condition = expr_copy(self->memory, filter);
    if (guarded == NULL || condition == NULL) {
        return rewrite_full(self);
    }
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
    for (uint32_t i = 0; i < found.count; i++) { // What is in a value comes before it.
        if (!found.items[i].stays) {
            TRY(rewrite_check(self));
            TRY(move(&found, i));
        }
    }
    TRY(rewrite_tree(self, root, guard_aggregates));
    return any ? rewrite_tree(self, root, drop_join) : FIRN_OK;
}
