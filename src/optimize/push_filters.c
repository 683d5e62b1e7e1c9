// Filters go down as far as they may: into scans, below joins, projections, aggregates and unions.
// What compares the two sides of a join becomes its keys.
//
// Conjuncts that can fail stay where they were written, except that they may enter the scan right
// below: moved through a join or an aggregate they would meet rows that SQL never shows them.
// Equalities that may be keys (rewrite_may_be_key) and bounds of range joins go to the join that
// they are for all the same, as to compare all pairs of rows would be the only other way. As keys
// they are evaluated for the rows of either side that pass what was written for that side alone.
#include <assert.h>

#include "expr/expr_index.h"
#include "functions/overload.h"
#include "optimize/empty_joins.h"
#include "optimize/equal_values.h"
#include "optimize/join_keys.h"

static firn_status push(optimizer *self, plan_node **slot, expr_list *conjuncts);

static firn_status push_none(optimizer *self, plan_node **slot) {
    expr_list none = {0};
    return push(self, slot, &none);
}

static bool may_move(const expr *conjunct) {
    return !expr_can_fail(conjunct) && !expr_is_volatile(conjunct);
}

// Conjuncts that may not move stay above `slot`, the others are handed on in `moving`.
static firn_status split_moving(optimizer *self, const expr_list *conjuncts, expr_list *moving,
                                expr_list *staying) {
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        TRY(rewrite_add_expr(self, may_move(conjuncts->items[i]) ? moving : staying,
                             conjuncts->items[i]));
    }
    return FIRN_OK;
}

// ---- OR --------------------------------------------------------------------------------------

// (a AND b) OR (a AND c) is a AND (b OR c): what all arms demand is demanded by the whole.
static firn_status factor_or(optimizer *self, expr *disjunction, expr_list *out) {
    const uint32_t count = disjunction->or_.args.count;
    expr_list *arms = ARENA_NEW(self->memory, expr_list, count);
    if (arms == NULL) {
        return rewrite_full(self);
    }
    for (uint32_t i = 0; i < count; i++) {
        arms[i] = (expr_list){0};
        TRY(rewrite_split(self, disjunction->or_.args.items[i], &arms[i]));
    }
    for (uint32_t k = 0; k < arms[0].count; k++) {
        bool in_all = may_move(arms[0].items[k]);
        for (uint32_t i = 1; i < count && in_all; i++) {
            in_all = rewrite_holds(&arms[i], arms[0].items[k]);
        }
        if (in_all) {
            TRY(rewrite_add_expr(self, out, arms[0].items[k]));
        }
    }
    return FIRN_OK;
}

// What an OR implies for rows with these columns alone: each arm's conjuncts over them, if every
// arm has some. The OR itself stays.
static firn_status imply_or(optimizer *self, expr *disjunction, const id_set *ids, expr **out) {
    *out = NULL;
    expr *implied = expr_new(self->memory, EXPR_OR, TYPE_OF(BOOLEAN));
    if (implied == NULL) {
        return rewrite_full(self);
    }
    for (uint32_t i = 0; i < disjunction->or_.args.count; i++) {
        expr_list arm = {0};
        expr_list here = {0};
        TRY(rewrite_split(self, disjunction->or_.args.items[i], &arm));
        for (uint32_t k = 0; k < arm.count; k++) {
            bool covered;
            TRY(rewrite_covers(self, ids, arm.items[k], &covered));
            if (covered && may_move(arm.items[k])) {
                expr *copy = expr_copy(self->memory, arm.items[k]);
                if (copy == NULL) {
                    return rewrite_full(self);
                }
                TRY(rewrite_add_expr(self, &here, copy));
            }
        }
        if (here.count == 0) {
            return FIRN_OK;
        }
        expr *joined;
        TRY(rewrite_join(self, &here, &joined));
        TRY(rewrite_add_expr(self, &implied->or_.args, joined));
    }
    *out = implied;
    return FIRN_OK;
}

static firn_status add_factors(optimizer *self, expr_list *conjuncts) {
    const uint32_t count = conjuncts->count;
    for (uint32_t i = 0; i < count; i++) {
        if (conjuncts->items[i]->kind == EXPR_OR) {
            expr_list factors = {0};
            TRY(factor_or(self, conjuncts->items[i], &factors));
            for (uint32_t k = 0; k < factors.count; k++) {
                expr *copy = expr_copy(self->memory, factors.items[k]);
                if (copy == NULL) {
                    return rewrite_full(self);
                }
                if (!rewrite_holds(conjuncts, copy)) {
                    TRY(rewrite_add_expr(self, conjuncts, copy));
                }
            }
        }
    }
    return FIRN_OK;
}

// ---- Joins -----------------------------------------------------------------------------------

// A filter on one side's key column holds for the other side's as well.
static firn_status copy_across(optimizer *self, const plan_node *join, const expr_list *from,
                               bool from_left, expr_list *to) {
    for (uint32_t i = 0; i < from->count; i++) {
        for (uint32_t key = 0; key < join->join_.left_keys.count; key++) {
            const expr *here =
                from_left ? join->join_.left_keys.items[key] : join->join_.right_keys.items[key];
            expr *there =
                from_left ? join->join_.right_keys.items[key] : join->join_.left_keys.items[key];
            if (here->kind != EXPR_COLUMN || there->kind != EXPR_COLUMN ||
                !type_equal(here->type, there->type) || !type_equal_is_bytes(here->type)) {
                continue;
            }
            id_set only = id_set_open(self->memory);
            TRY(id_set_add(&only, here->column_.id, self->err));
            bool covered;
            TRY(rewrite_covers(self, &only, from->items[i], &covered));
            if (!covered || expr_is_constant(from->items[i])) {
                continue;
            }
            substitution map = {0};
            TRY(rewrite_add_id(self, &map.from, here->column_.id));
            TRY(rewrite_add_expr(self, &map.to, there));
            expr *copy = expr_copy(self->memory, from->items[i]);
            if (copy == NULL) {
                return rewrite_full(self);
            }
            TRY(rewrite_substitute(self, &copy, &map));
            if (!rewrite_holds(to, copy)) {
                TRY(rewrite_add_expr(self, to, copy));
            }
        }
    }
    return FIRN_OK;
}

typedef struct placed {
    expr_list left, right; // For the inputs.
    expr_list residual;    // Of the join.
    expr_list above;       // Stay above it.
} placed;

// Is there an inner join below whose two sides the conjunct compares?
static firn_status joins_below(optimizer *self, const plan_node *node, const expr *conjunct,
                               bool *out) {
    *out = false;
    while (node->kind == PLAN_JOIN &&
           (node->join_.join == JOIN_INNER || node->join_.join == JOIN_CROSS)) {
        join_sides ids;
        bool in_left;
        bool in_right;
        TRY(join_sides_of(self, node, &ids));
        TRY(rewrite_covers(self, &ids.left, conjunct, &in_left));
        TRY(rewrite_covers(self, &ids.right, conjunct, &in_right));
        if (!in_left && !in_right) {
            *out = true;
            return FIRN_OK;
        }
        node = in_left ? node->join_.left : node->join_.right;
    }
    return FIRN_OK;
}

static bool any_can_fail(const expr_list *list) {
    for (uint32_t i = 0; i < list->count; i++) {
        if (expr_can_fail(list->items[i])) {
            return true;
        }
    }
    return false;
}

// A conjunct that can fail, but may be a key or a bound of this join or of one below an inner join.
// What can fail and was written before it stays before it.
static firn_status place_key(optimizer *self, plan_node *join, const join_sides *ids,
                             expr *conjunct, bool is_above, placed *out) {
    const bool is_inner = join->join_.join == JOIN_INNER || join->join_.join == JOIN_CROSS;
    bool in_left;
    bool in_right;
    bool goes_down = false;
    const bool may_pass = join_key_is_by_range(conjunct) || !any_can_fail(&out->above);
    TRY(rewrite_covers(self, &ids->left, conjunct, &in_left));
    TRY(rewrite_covers(self, &ids->right, conjunct, &in_right));
    if (is_inner && may_pass && (in_left || in_right)) {
        const plan_node *side = in_left ? join->join_.left : join->join_.right;
        TRY(joins_below(self, side, conjunct, &goes_down));
    }
    if (goes_down) {
        return rewrite_add_expr(self, in_left ? &out->left : &out->right, conjunct);
    }
    const bool is_here = !in_left && !in_right && is_inner && may_pass;
    return rewrite_add_expr(self, is_above && !is_here ? &out->above : &out->residual, conjunct);
}

// Where a conjunct over the join's result (is_above) or of its condition may go.
static firn_status place(optimizer *self, plan_node *join, const join_sides *ids, expr *conjunct,
                         bool is_above, placed *out) {
    const join_kind kind = join->join_.join;
    const bool is_inner = kind == JOIN_INNER || kind == JOIN_CROSS;
    const bool left_stays = kind == JOIN_LEFT || kind == JOIN_FULL || kind == JOIN_ANTI ||
                            kind == JOIN_MARK || kind == JOIN_SINGLE;
    const bool right_stays = kind == JOIN_RIGHT || kind == JOIN_FULL || kind == JOIN_RIGHT_ANTI;
    bool in_left;
    bool in_right;
    TRY(rewrite_covers(self, &ids->left, conjunct, &in_left));
    TRY(rewrite_covers(self, &ids->right, conjunct, &in_right));
    const bool is_constant = in_left && in_right;
    if (!may_move(conjunct) && !is_constant &&
        (rewrite_may_be_key(conjunct) || rewrite_may_be_bound(conjunct))) {
        return place_key(self, join, ids, conjunct, is_above, out);
    }
    if (!may_move(conjunct) || is_constant) {
        return rewrite_add_expr(self, is_above ? &out->above : &out->residual, conjunct);
    }
    if (is_above) {
        if (in_left && !right_stays) {
            return rewrite_add_expr(self, &out->left, conjunct);
        }
        if (in_right && !left_stays) {
            return rewrite_add_expr(self, &out->right, conjunct);
        }
        return rewrite_add_expr(self, is_inner ? &out->residual : &out->above, conjunct);
    }
    // Of the condition: may go to the side whose unmatched rows do not survive.
    if (in_left && !left_stays) {
        return rewrite_add_expr(self, &out->left, conjunct);
    }
    if (in_right && !right_stays && !(join->join_.null_aware && kind != JOIN_SEMI)) {
        return rewrite_add_expr(self, &out->right, conjunct);
    }
    return rewrite_add_expr(self, &out->residual, conjunct);
}

static firn_status imply_sides(optimizer *self, const join_sides *ids, const expr_list *conjuncts,
                               placed *out) {
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        if (conjuncts->items[i]->kind != EXPR_OR) {
            continue;
        }
        expr *implied;
        TRY(imply_or(self, conjuncts->items[i], &ids->left, &implied));
        if (implied != NULL) {
            TRY(rewrite_add_expr(self, &out->left, implied));
        }
        TRY(imply_or(self, conjuncts->items[i], &ids->right, &implied));
        if (implied != NULL) {
            TRY(rewrite_add_expr(self, &out->right, implied));
        }
    }
    return FIRN_OK;
}

static firn_status push_join(optimizer *self, plan_node **slot, const expr_list *conjuncts) {
    plan_node *join = *slot;
    join_sides ids;
    placed out = {0};
    expr_list condition = {0};
    TRY(rewrite_split(self, join->join_.residual, &condition));
    if (join_is_empty(join, &condition)) {
        bool done;
        TRY(join_without_pairs(self, slot, &done));
        if (done) {
            expr_list all = *conjuncts;
            all.capacity = 0; // Shared with the caller.
            return push(self, slot, &all);
        }
    }
    TRY(join_sides_of(self, join, &ids));
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        TRY(place(self, join, &ids, conjuncts->items[i], true, &out));
    }
    TRY(add_factors(self, &condition));
    for (uint32_t i = 0; i < condition.count; i++) {
        TRY(place(self, join, &ids, condition.items[i], false, &out));
    }
    const bool is_inner = join->join_.join == JOIN_INNER || join->join_.join == JOIN_CROSS;
    expr_list residual = {0};
    TRY(join_keys_find(self, join, &ids, &out.residual, is_inner ? &out.above : NULL, &residual));
    if (is_inner) {
        TRY(imply_sides(self, &ids, &residual, &out));
        join->join_.join =
            join->join_.left_keys.count > 0 || residual.count > 0 ? JOIN_INNER : JOIN_CROSS;
    }
    if (is_inner || join->join_.join == JOIN_SEMI) {
        const expr_list left = out.left;
        TRY(copy_across(self, join, &out.right, false, &out.left));
        TRY(copy_across(self, join, &left, true, &out.right));
    } else if (join->join_.join == JOIN_LEFT || join->join_.join == JOIN_SINGLE ||
               join->join_.join == JOIN_ANTI) {
        if (!join->join_.null_aware) {
            TRY(copy_across(self, join, &out.left, true, &out.right));
        }
    }
    TRY(rewrite_join(self, &residual, &join->join_.residual));
    TRY(push(self, &join->join_.left, &out.left));
    TRY(push(self, &join->join_.right, &out.right));
    return rewrite_filter(self, join, &out.above, slot);
}

// ---- Other nodes -----------------------------------------------------------------------------

static firn_status substitute_all(optimizer *self, const expr_list *conjuncts,
                                  const substitution *map, expr_list *out) {
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        expr *copy = expr_copy(self->memory, conjuncts->items[i]);
        if (copy == NULL) {
            return rewrite_full(self);
        }
        TRY(rewrite_substitute(self, &copy, map));
        TRY(rewrite_add_expr(self, out, copy));
    }
    return FIRN_OK;
}

// Through a projection: columns become their expressions, unless these must not be evaluated twice.
static firn_status push_project(optimizer *self, plan_node **slot, const expr_list *conjuncts) {
    plan_node *node = *slot;
    expr_list moving = {0};
    expr_list staying = {0};
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        id_set used = id_set_open(self->memory);
        TRY(rewrite_used(self, conjuncts->items[i], &used));
        bool may = !expr_is_volatile(conjuncts->items[i]);
        for (uint32_t k = 0; k < node->project_.ids.count; k++) {
            const expr *value = node->project_.values.items[k];
            if (id_set_has(&used, node->project_.ids.items[k]) && value->kind != EXPR_COLUMN) {
                may &= !expr_is_volatile(value) && !expr_can_fail(value);
            }
        }
        TRY(rewrite_add_expr(self, may ? &moving : &staying, conjuncts->items[i]));
    }
    const substitution map = {.from = node->project_.ids, .to = node->project_.values};
    expr_list below = {0};
    TRY(substitute_all(self, &moving, &map, &below));
    TRY(push(self, &node->project_.input, &below));
    return rewrite_filter(self, node, &staying, slot);
}

static firn_status push_aggregate(optimizer *self, plan_node **slot, const expr_list *conjuncts) {
    plan_node *node = *slot;
    expr_list below = {0};
    expr_list staying = {0};
    id_set keys = id_set_open(self->memory);
    for (uint32_t i = 0; i < node->aggregate_.key_ids.count; i++) {
        TRY(id_set_add(&keys, node->aggregate_.key_ids.items[i], self->err));
    }
    const substitution map = {.from = node->aggregate_.key_ids, .to = node->aggregate_.keys};
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        bool covered;
        TRY(rewrite_covers(self, &keys, conjuncts->items[i], &covered));
        covered &= node->aggregate_.sets.count == 0 && may_move(conjuncts->items[i]) &&
                   !expr_is_constant(conjuncts->items[i]) &&
                   expr_is_of_equals(conjuncts->items[i], NULL);
        const expr_list one = {.count = 1, .items = &conjuncts->items[i]};
        if (covered) {
            TRY(substitute_all(self, &one, &map, &below));
        } else {
            TRY(rewrite_add_expr(self, &staying, conjuncts->items[i]));
        }
    }
    TRY(push(self, &node->aggregate_.input, &below));
    return rewrite_filter(self, node, &staying, slot);
}

static firn_status push_union(optimizer *self, plan_node **slot, const expr_list *conjuncts) {
    plan_node *node = *slot;
    expr_list moving = {0};
    expr_list staying = {0};
    TRY(split_moving(self, conjuncts, &moving, &staying));
    const uint32_t width = node->union_.ids.count;
    for (uint32_t i = 0; i < node->union_.inputs.count; i++) {
        substitution map = {.from = node->union_.ids};
        for (uint32_t k = 0; k < width; k++) {
            expr *value;
            TRY(rewrite_column(self, node->union_.input_ids.items[i * width + k],
                               node->union_.columns.fields[k].type, &value));
            TRY(rewrite_add_expr(self, &map.to, value));
        }
        expr_list below = {0};
        TRY(substitute_all(self, &moving, &map, &below));
        TRY(push(self, &node->union_.inputs.items[i], &below));
    }
    return rewrite_filter(self, node, &staying, slot);
}

// Conjuncts over the input's columns alone go below; the others stay.
static firn_status push_through(optimizer *self, plan_node **slot, plan_node **input,
                                const expr_list *conjuncts) {
    expr_list below = {0};
    expr_list staying = {0};
    id_set ids = id_set_open(self->memory);
    TRY(rewrite_outputs(self, *input, &ids));
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        bool covered;
        TRY(rewrite_covers(self, &ids, conjuncts->items[i], &covered));
        TRY(rewrite_add_expr(self, covered && may_move(conjuncts->items[i]) ? &below : &staying,
                             conjuncts->items[i]));
    }
    TRY(push(self, input, &below));
    return rewrite_filter(self, *slot, &staying, slot);
}

// A reader filters by the table's columns; what it numbers the rows by is not among them.
static bool is_no_row_id(void *user, expr **slot) {
    return ((*slot)->kind != EXPR_COLUMN || (*slot)->column_.id != *(const uint32_t *)user) &&
           expr_visit_children(*slot, is_no_row_id, user);
}

static bool mentions_row_id(const plan_node *scan, expr **conjunct) {
    uint32_t id = scan->scan_.row_id;
    return id != NO_SLOT && !is_no_row_id(&id, conjunct);
}

static firn_status push_scan(optimizer *self, plan_node **slot, const expr_list *conjuncts) {
    plan_node *node = *slot;
    expr_list staying = {0};
    expr_index known = {0}; // A copy of a shared subplan has them from before.
    for (uint32_t i = 0; i < node->scan_.filters.count; i++) {
        TRY(expr_index_add(&known, node->scan_.filters.items[i], self->memory, self->err));
    }
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        const bool enters = !expr_is_volatile(conjuncts->items[i]) &&
                            !expr_is_constant(conjuncts->items[i]) &&
                            !mentions_row_id(node, &conjuncts->items[i]);
        if (!enters || expr_index_find(&known, conjuncts->items[i]) == NO_EXPR) {
            TRY(rewrite_add_expr(self, enters ? &node->scan_.filters : &staying,
                                 conjuncts->items[i]));
        }
    }
    return rewrite_filter(self, node, &staying, slot);
}

// A filter: what may move goes down; what can fail is tried on the scan right below, else stays.
static firn_status push_filter(optimizer *self, plan_node **slot, const expr_list *conjuncts) {
    plan_node *node = *slot;
    expr_list all = {0};
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        TRY(rewrite_add_expr(self, &all, conjuncts->items[i]));
    }
    TRY(rewrite_split(self, node->filter_.predicate, &all));
    TRY(add_factors(self, &all));
    *slot = node->filter_.input;
    return push(self, slot, &all);
}

static bool push_child(void *user, plan_node **slot) {
    optimizer *self = user;
    return push_none(self, slot) == FIRN_OK;
}

static firn_status stop(optimizer *self, plan_node **slot, const expr_list *conjuncts) {
    if (!plan_visit_children(*slot, push_child, self)) {
        return self->err->status;
    }
    return rewrite_filter(self, *slot, conjuncts, slot);
}

static firn_status push(optimizer *self, plan_node **slot, expr_list *conjuncts) {
    plan_node *node = *slot;
    switch ((int)node->kind) {
    case PLAN_FILTER:
        return push_filter(self, slot, conjuncts);
    case PLAN_PROJECT:
        return push_project(self, slot, conjuncts);
    case PLAN_JOIN:
        return push_join(self, slot, conjuncts);
    case PLAN_AGGREGATE:
        return push_aggregate(self, slot, conjuncts);
    case PLAN_UNION:
        return push_union(self, slot, conjuncts);
    case PLAN_SORT:
        if (node->sort_.limit != UINT64_MAX) {
            return stop(self, slot, conjuncts);
        }
        return push_through(self, slot, &node->sort_.input, conjuncts);
    case PLAN_REPEAT:
        return push_through(self, slot, &node->repeat_.input, conjuncts);
    case PLAN_NUMBER:
        return push_through(self, slot, &node->number_.input, conjuncts);
    case PLAN_UNNEST:
        return push_through(self, slot, &node->unnest_.input, conjuncts);
    case PLAN_SHARED:
        TRY(push_none(self, &node->shared_.definition));
        return push(self, &node->shared_.body, conjuncts);
    case PLAN_SCAN:
        return push_scan(self, slot, conjuncts);
    default:
        return stop(self, slot, conjuncts);
    }
}

firn_status rule_push_filters(optimizer *self, plan_node **root) {
    return push_none(self, root);
}
