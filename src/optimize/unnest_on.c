// Subqueries in the ON of a join that is no inner one, over columns of both sides.
//
//     A LEFT JOIN B ON p(A.a, B.b)           p with subqueries
//  →  M = distinct (a, b) of A × B with p,   an inner join under a filter: subqueries can be lifted
//     (A LEFT JOIN M ON a = M.a) LEFT JOIN B ON M.is_there AND M.b = B.b
//
// All comparisons take NULL as equal to NULL, and compare tags (unnest_tags.c) too. Every pair of
// values stands in M once, so that a row of A meets a row of B once if they fulfil p, else never.
// Semi and anti joins, which must not repeat rows of their one side, take M to the other.
#include "optimize/unnest.h"

typedef struct bridge {
    optimizer *self;
    u32_list own[2]; // The columns of left and right that ON mentions.
    const type **types[2];
    u32_list tagged[2]; // Indexes of those that need a tag: equal values that are not the same.
    u32_list made[2];   // All the same as columns of M: own, then tags.
    plan_node *pairs;
    uint32_t flag; // TRUE in every row of M.
} bridge;

// The columns of a side that the condition mentions.
static firn_status find_columns(bridge *state, const plan_node *side, const id_set *used,
                                expr *condition, int index) {
    optimizer *self = state->self;
    plan_columns columns;
    TRY(plan_outputs(side, self->memory, &columns, self->err));
    state->types[index] = ARENA_NEW(self->memory, const type *, columns.count + 1);
    if (state->types[index] == NULL) {
        return rewrite_full(self);
    }
    for (uint32_t i = 0; i < columns.count; i++) {
        if (id_set_has(used, columns.items[i].id)) {
            state->types[index][state->own[index].count] = columns.items[i].type;
            TRY(rewrite_add_id(self, &state->own[index], columns.items[i].id));
        }
    }
    return unnest_find_tagged(self, NULL, condition, &state->own[index], state->types[index],
                              &state->tagged[index]);
}

static firn_status column_at(const bridge *state, const u32_list *ids, int side, uint32_t i,
                             expr **out) {
    return rewrite_column(state->self, ids->items[i], state->types[side][i], out);
}

// The tag of the side's tagged column i, in M.
static firn_status tag_made(const bridge *state, int side, uint32_t i, expr **out) {
    const uint32_t id = state->made[side].items[state->own[side].count + i];
    return rewrite_column(state->self, id, TYPE_OF(BINARY), out);
}

// M, with the condition's subqueries lifted inside.
static firn_status make_pairs(bridge *state, const plan_node *const sides[2], expr *condition) {
    optimizer *self = state->self;
    substitution map = {0};
    plan_node *cross;
    plan_node *filter;
    u32_list ids = {0};
    expr_list values = {0};
    TRY(rewrite_node(self, PLAN_JOIN, &cross));
    cross->join_.join = JOIN_CROSS;
    cross->join_.mark_id = NO_SLOT;
    for (int side = 0; side < 2; side++) {
        plan_node **into = side == 0 ? &cross->join_.left : &cross->join_.right;
        TRY(unnest_distinct(self, sides[side], &state->own[side], state->types[side],
                            &state->tagged[side], into, &state->made[side]));
        for (uint32_t i = 0; i < state->own[side].count; i++) {
            expr *made;
            TRY(column_at(state, &state->made[side], side, i, &made));
            TRY(rewrite_add_id(self, &map.from, state->own[side].items[i]));
            TRY(rewrite_add_expr(self, &map.to, made));
            TRY(column_at(state, &state->made[side], side, i, &made));
            TRY(rewrite_add_id(self, &ids, state->made[side].items[i]));
            TRY(rewrite_add_expr(self, &values, made));
        }
        for (uint32_t i = 0; i < state->tagged[side].count; i++) {
            expr *made;
            TRY(tag_made(state, side, i, &made));
            TRY(rewrite_add_id(self, &ids, made->column_.id));
            TRY(rewrite_add_expr(self, &values, made));
        }
    }
    TRY(rewrite_node(self, PLAN_FILTER, &filter));
    filter->filter_.input = cross;
    filter->filter_.predicate = condition;
    TRY(rewrite_substitute(self, &filter->filter_.predicate, &map));
    TRY(unnest_filter(self, filter));
    state->flag = rewrite_new_id(self);
    TRY(rewrite_add_id(self, &ids, state->flag));
    TRY(rewrite_add_expr(self, &values, expr_bool(self->memory, true)));
    return rewrite_project(self, filter, &ids, &values, &state->pairs);
}

// The side's columns and tags = those of M, NULL equal to NULL.
static firn_status meets(const bridge *state, int side, expr_list *parts) {
    for (uint32_t i = 0; i < state->own[side].count; i++) {
        expr *own;
        expr *made;
        expr *same;
        TRY(column_at(state, &state->own[side], side, i, &own));
        TRY(column_at(state, &state->made[side], side, i, &made));
        TRY(rewrite_same(state->self, own, made, &same));
        TRY(rewrite_add_expr(state->self, parts, same));
    }
    for (uint32_t i = 0; i < state->tagged[side].count; i++) {
        const uint32_t at = state->tagged[side].items[i];
        expr *own;
        expr *made;
        expr *same;
        TRY(unnest_tag(state->self, state->own[side].items[at], state->types[side][at], &own));
        TRY(tag_made(state, side, i, &made));
        TRY(rewrite_same(state->self, own, made, &same));
        TRY(rewrite_add_expr(state->self, parts, same));
    }
    return FIRN_OK;
}

static firn_status join_pairs(const bridge *state, plan_node **slot, int side, join_kind kind) {
    optimizer *self = state->self;
    plan_node *join;
    expr_list parts = {0};
    TRY(rewrite_node(self, PLAN_JOIN, &join));
    TRY(meets(state, side, &parts));
    join->join_.left = *slot;
    join->join_.right = state->pairs;
    join->join_.join = kind;
    join->join_.mark_id = NO_SLOT;
    *slot = join;
    return rewrite_join(self, &parts, &join->join_.residual);
}

firn_status unnest_on(optimizer *self, plan_node *join) {
    bridge state = {.self = self};
    const join_kind kind = join->join_.join;
    const plan_node *const sides[2] = {join->join_.left, join->join_.right};
    id_set used = id_set_open(self->memory);
    expr_list parts = {0};
    TRY(rewrite_used(self, join->join_.residual, &used));
    TRY(find_columns(&state, sides[0], &used, join->join_.residual, 0));
    TRY(find_columns(&state, sides[1], &used, join->join_.residual, 1));
    TRY(make_pairs(&state, sides, join->join_.residual));
    if (kind == JOIN_SEMI || kind == JOIN_ANTI) {
        TRY(join_pairs(&state, &join->join_.right, 1, JOIN_INNER));
        TRY(meets(&state, 0, &parts));
    } else if (kind == JOIN_RIGHT_SEMI || kind == JOIN_RIGHT_ANTI) {
        TRY(join_pairs(&state, &join->join_.left, 0, JOIN_INNER));
        TRY(meets(&state, 1, &parts));
    } else {
        expr *flag;
        TRY(join_pairs(&state, &join->join_.left, 0, JOIN_LEFT));
        TRY(rewrite_column(self, state.flag, TYPE_OF(BOOLEAN), &flag));
        TRY(rewrite_add_expr(self, &parts, flag));
        TRY(meets(&state, 1, &parts));
    }
    return rewrite_join(self, &parts, &join->join_.residual);
}
