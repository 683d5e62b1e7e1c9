// The order of inner joins, by dynamic programming over connected subgraphs.
//
// A tree of inner and cross joins is taken apart into relations and conjuncts; the cheapest tree is
// found for every connected set of relations from the cheapest trees of its parts (G. Moerkotte,
// T. Neumann: "Analysis of Two Existing and One New Dynamic Programming Algorithm", 2006: DPsub);
// with more than RELATIONS_EXACT_MAX relations the cheapest pair is joined again and again instead
// (greedy operator ordering).
//
// Cost: every row that a join takes in or gives out, build rows weighing more than probe rows. So
// the smaller side is built, and intermediate results stay small.
#include "optimize/join_graph.h"

#include <math.h>

#define RELATIONS_EXACT_MAX 12
#define BUILD_WEIGHT 2.5
#define OUTPUT_WEIGHT 1.0

typedef struct entry { // The best tree of a set of relations.
    double rows;
    double cost;
    uint64_t left; // 0: a single relation.
} entry;

static firn_status order_tree(estimates *known, plan_node **slot);

// ---- Choosing --------------------------------------------------------------------------------

static double join_cost(const entry *left, const entry *right, double rows) {
    const double build = fmin(left->rows, right->rows);
    const double probe = fmax(left->rows, right->rows);
    return left->cost + right->cost + BUILD_WEIGHT * build + probe + OUTPUT_WEIGHT * rows;
}

static void consider(entry *table, uint64_t set, uint64_t left) {
    entry *best = &table[set];
    const entry *l = &table[left];
    const entry *r = &table[set & ~left];
    if (l->cost < 0 || r->cost < 0) {
        return;
    }
    const double cost = join_cost(l, r, best->rows);
    if (best->cost < 0 || cost < best->cost) {
        best->cost = cost;
        best->left = left;
    }
}

// Every split of every set; splits without a conjunct between the parts only if there is no other.
static firn_status choose_exactly(const join_graph *self, entry *table) {
    const uint64_t all = (UINT64_C(1) << self->relation_count) - 1;
    for (uint64_t set = 1; set <= all; set++) {
        table[set] = (entry){.rows = join_graph_rows(self, set), .cost = -1};
        if ((set & (set - 1)) == 0) {
            table[set].cost = 0;
            continue;
        }
        for (int with_cross = 0; with_cross < 2 && table[set].cost < 0; with_cross++) {
            for (uint64_t left = (set - 1) & set; left > 0; left = (left - 1) & set) {
                TRY(rewrite_check(self->self));
                if (left < (set & ~left) &&
                    (with_cross == 1 || join_graph_connects(self, left, set & ~left))) {
                    consider(table, set, left);
                }
            }
        }
    }
    return FIRN_OK;
}

// ---- Building --------------------------------------------------------------------------------

static firn_status new_join(join_graph *self, plan_node *left, plan_node *right, uint64_t left_set,
                            uint64_t right_set, plan_node **out) {
    optimizer *o = self->self;
    // The smaller side is built.
    const double left_rows = join_graph_rows(self, left_set);
    const double right_rows = join_graph_rows(self, right_set);
    plan_node *join;
    TRY(rewrite_node(o, PLAN_JOIN, &join));
    join->join_.join = JOIN_CROSS;
    join->join_.left = left_rows >= right_rows ? left : right;
    join->join_.right = left_rows >= right_rows ? right : left;
    join->join_.mark_id = NO_SLOT;
    expr_list here = {0};
    TRY(join_graph_take(self, left_set, right_set, &here));
    TRY(rewrite_join(o, &here, &join->join_.residual));
    join->join_.join = here.count > 0 ? JOIN_INNER : JOIN_CROSS;
    *out = join;
    return FIRN_OK;
}

static firn_status build(join_graph *self, const entry *table, uint64_t set, plan_node **out) {
    if ((set & (set - 1)) == 0) {
        *out = self->relations[__builtin_ctzll(set)];
        return FIRN_OK;
    }
    plan_node *left;
    plan_node *right;
    const uint64_t left_set = table[set].left;
    TRY(build(self, table, left_set, &left));
    TRY(build(self, table, set & ~left_set, &right));
    return new_join(self, left, right, left_set, set & ~left_set, out);
}

// Joins the pair with the fewest rows again and again.
static firn_status build_greedily(join_graph *self, plan_node **out) {
    plan_node *nodes[RELATIONS_MAX];
    uint64_t sets[RELATIONS_MAX];
    uint32_t count = self->relation_count;
    for (uint32_t i = 0; i < count; i++) {
        nodes[i] = self->relations[i];
        sets[i] = UINT64_C(1) << i;
    }
    while (count > 1) {
        double best = (double)INFINITY;
        uint32_t first = 0;
        uint32_t second = 1;
        for (uint32_t i = 0; i < count; i++) {
            for (uint32_t k = i + 1; k < count; k++) {
                TRY(rewrite_check(self->self));
                const double penalty = join_graph_connects(self, sets[i], sets[k]) ? 1 : 1e12;
                const double rows = join_graph_rows(self, sets[i] | sets[k]) * penalty;
                if (rows < best) {
                    best = rows;
                    first = i;
                    second = k;
                }
            }
        }
        TRY(new_join(self, nodes[first], nodes[second], sets[first], sets[second], &nodes[first]));
        sets[first] |= sets[second];
        nodes[second] = nodes[count - 1];
        sets[second] = sets[count - 1];
        count--;
    }
    *out = nodes[0];
    return FIRN_OK;
}

static firn_status order_joins(optimizer *self, estimates *known, plan_node **slot) {
    join_graph state = {.self = self, .known = known};
    TRY(join_graph_open(&state, *slot, order_tree));
    if (state.relation_count > RELATIONS_EXACT_MAX) {
        TRY(build_greedily(&state, slot));
    } else {
        entry *table = ARENA_NEW(self->memory, entry, (size_t)1 << state.relation_count);
        if (table == NULL) {
            return rewrite_full(self);
        }
        TRY(choose_exactly(&state, table));
        TRY(build(&state, table, (UINT64_C(1) << state.relation_count) - 1, slot));
    }
    // Conjuncts of one relation alone (there are none after push_filters) and constant ones.
    for (uint32_t i = 0; i < state.edge_count; i++) {
        if (state.edges[i].conjunct != NULL) {
            TRY(rewrite_add_expr(self, &state.constant, state.edges[i].conjunct));
        }
    }
    TRY(rewrite_filter(self, *slot, &state.constant, slot));
    return rule_push_filters(self, slot); // Finds the keys again.
}

// ---- Sides of other joins --------------------------------------------------------------------

static join_kind mirrored(join_kind kind) {
    switch ((int)kind) {
    case JOIN_LEFT:
        return JOIN_RIGHT;
    case JOIN_RIGHT:
        return JOIN_LEFT;
    case JOIN_SEMI:
        return JOIN_RIGHT_SEMI;
    case JOIN_ANTI:
        return JOIN_RIGHT_ANTI;
    case JOIN_RIGHT_SEMI:
        return JOIN_SEMI;
    case JOIN_RIGHT_ANTI:
        return JOIN_ANTI;
    default:
        return kind;
    }
}

// A semi or anti join over a tree of inner joins is a filter of the one relation that its left
// columns come from. Down there it is asked once for each of that relation's rows, and what is
// joined after it is less; it goes there unless the joins leave fewer rows than the relation has.
static firn_status sink_filter(optimizer *self, estimates *known, plan_node **slot) {
    plan_node *join = *slot;
    id_set used = id_set_open(self->memory);
    for (uint32_t i = 0; i < join->join_.left_keys.count; i++) {
        TRY(rewrite_used(self, join->join_.left_keys.items[i], &used));
    }
    if (join->join_.residual != NULL) {
        TRY(rewrite_used(self, join->join_.residual, &used));
    }
    TRY(estimate_tree(known, join));
    plan_node **target = &join->join_.left;
    while (join_graph_is_inner(*target)) {
        id_set own = id_set_open(self->memory);
        id_set other = id_set_open(self->memory);
        TRY(rewrite_outputs(self, (*target)->join_.left, &own));
        TRY(rewrite_outputs(self, (*target)->join_.right, &other));
        const bool needs_left = id_set_intersects(&own, &used);
        const bool needs_right = id_set_intersects(&other, &used);
        if (needs_left == needs_right) {
            return FIRN_OK;
        }
        target = needs_left ? &(*target)->join_.left : &(*target)->join_.right;
    }
    if ((*target)->row_estimate > join->join_.left->row_estimate) {
        return FIRN_OK;
    }
    *slot = join->join_.left;
    join->join_.left = *target;
    *target = join;
    return FIRN_OK;
}

// A left, full, semi or anti join whose left side is much the smaller one builds that instead.
static void choose_side(plan_node *join) {
    const join_kind kind = join->join_.join;
    const bool may = (kind == JOIN_FULL || kind != mirrored(kind)) && !join->join_.null_aware &&
                     join->join_.left_keys.count > 0;
    if (!may || join->join_.left->row_estimate * BUILD_WEIGHT >= join->join_.right->row_estimate) {
        return;
    }
    plan_node *left = join->join_.left;
    const expr_list keys = join->join_.left_keys;
    join->join_.left = join->join_.right;
    join->join_.right = left;
    join->join_.left_keys = join->join_.right_keys;
    join->join_.right_keys = keys;
    join->join_.join = mirrored(kind);
}

static bool order_child(void *user, plan_node **slot) {
    return order_tree(user, slot) == FIRN_OK;
}

// `known`: of all trees so far, since what is thought of a column takes room for every one there
// is.
static firn_status order_tree(estimates *known, plan_node **slot) {
    optimizer *self = known->self;
    if ((*slot)->kind == PLAN_JOIN && join_graph_is_inner((*slot)->join_.left) &&
        ((*slot)->join_.join == JOIN_SEMI || (*slot)->join_.join == JOIN_ANTI)) {
        TRY(sink_filter(self, known, slot));
    }
    if (join_graph_is_inner(*slot) && join_graph_count(*slot) <= RELATIONS_MAX) {
        return order_joins(self, known, slot);
    }
    if ((*slot)->kind == PLAN_SHARED) { // Before those who read it.
        TRY(order_tree(known, &(*slot)->shared_.definition));
        TRY(estimate_shared(known, *slot));
        return order_tree(known, &(*slot)->shared_.body);
    }
    if (!plan_visit_children(*slot, order_child, known)) {
        return self->err->status;
    }
    if ((*slot)->kind == PLAN_JOIN) {
        TRY(estimate_tree(known, *slot));
        choose_side(*slot);
    }
    return FIRN_OK;
}

firn_status rule_join_order(optimizer *self, plan_node **root) {
    estimates known = {.self = self};
    return order_tree(&known, root);
}
