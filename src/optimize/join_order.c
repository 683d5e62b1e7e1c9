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
#include "optimize/estimate.h"

#include <math.h>

#define RELATIONS_EXACT_MAX 12
#define RELATIONS_MAX 63
#define BUILD_WEIGHT 2.5
#define OUTPUT_WEIGHT 1.0

typedef struct edge { // A conjunct between relations.
    expr *conjunct;
    uint64_t relations;
    double selectivity;
} edge;

typedef struct graph {
    optimizer *self;
    estimates *known;
    uint32_t relation_count;
    plan_node *relations[RELATIONS_MAX];
    id_set ids[RELATIONS_MAX];
    uint32_t edge_count;
    edge *edges;
    expr_list constant; // Conjuncts without columns, or that can fail: filtered on top.
} graph;

typedef struct entry { // The best tree of a set of relations.
    double rows;
    double cost;
    uint64_t left; // 0: a single relation.
} entry;

static firn_status order_tree(optimizer *self, plan_node **slot);

static bool is_inner(const plan_node *node) {
    return node->kind == PLAN_JOIN &&
           (node->join_.join == JOIN_INNER || node->join_.join == JOIN_CROSS);
}

static uint32_t count_relations(const plan_node *node) {
    return is_inner(node) ? count_relations(node->join_.left) + count_relations(node->join_.right)
                          : 1;
}

// ---- Taking apart ----------------------------------------------------------------------------

static firn_status add_conjuncts(graph *self, const plan_node *join, expr_list *out) {
    optimizer *o = self->self;
    for (uint32_t i = 0; i < join->join_.left_keys.count; i++) {
        expr *equal;
        if (join->join_.null_equal.items[i] != 0) {
            TRY(rewrite_same(o, join->join_.left_keys.items[i], join->join_.right_keys.items[i],
                             &equal));
        } else {
            TRY(rewrite_call(o, "=", join->join_.left_keys.items[i],
                             join->join_.right_keys.items[i], &equal));
        }
        TRY(rewrite_add_expr(o, out, equal));
    }
    return rewrite_split(o, join->join_.residual, out);
}

static firn_status take_apart(graph *self, plan_node *node, expr_list *conjuncts) {
    if (!is_inner(node)) {
        self->relations[self->relation_count++] = node;
        return FIRN_OK;
    }
    TRY(take_apart(self, node->join_.left, conjuncts));
    TRY(take_apart(self, node->join_.right, conjuncts));
    return add_conjuncts(self, node, conjuncts);
}

static firn_status relations_of(const graph *self, const expr *conjunct, uint64_t *out) {
    id_set used = id_set_open(self->self->memory);
    TRY(rewrite_used(self->self, conjunct, &used));
    *out = 0;
    for (uint32_t i = 0; i < self->relation_count; i++) {
        if (id_set_intersects(&self->ids[i], &used)) {
            *out |= UINT64_C(1) << i;
        }
    }
    return FIRN_OK;
}

static double edge_selectivity(const graph *self, const expr *conjunct) {
    if (conjunct->kind == EXPR_CALL && conjunct->call_.args.count == 2 &&
        (text_equal(text_of(conjunct->call_.function->name), TEXT("=")) ||
         text_equal(text_of(conjunct->call_.function->name), TEXT("is_not_distinct_from")))) {
        double most = 1;
        for (int side = 0; side < 2; side++) {
            uint64_t relation;
            const expr *arg = conjunct->call_.args.items[side];
            double rows = (double)INFINITY;
            if (relations_of(self, arg, &relation) == FIRN_OK && relation != 0) {
                rows = self->relations[__builtin_ctzll(relation)]->row_estimate;
            }
            most = fmax(most, estimate_distinct(self->known, arg, rows));
        }
        return 1 / most;
    }
    return estimate_selectivity(self->known, conjunct);
}

// Several conditions between the same two relations: together they cannot tell apart more
// combinations than the larger one has rows.
static void bound_together(graph *self, edge *last) {
    double before = 1;
    double rows = 1;
    bool has_before = false;
    for (const edge *each = self->edges; each != last; each++) {
        if (each->relations == last->relations) {
            before *= each->selectivity;
            has_before = true;
        }
    }
    for (uint32_t i = 0; i < self->relation_count; i++) {
        if ((last->relations >> i & 1) != 0) {
            rows = fmax(rows, self->relations[i]->row_estimate);
        }
    }
    if (has_before && __builtin_popcountll(last->relations) == 2) {
        last->selectivity = fmin(1, fmax(last->selectivity, 1 / (rows * before)));
    }
}

static firn_status make_graph(graph *self, plan_node *root) {
    expr_list conjuncts = {0};
    TRY(take_apart(self, root, &conjuncts));
    for (uint32_t i = 0; i < self->relation_count; i++) {
        TRY(order_tree(self->self, &self->relations[i]));
        TRY(estimate_tree(self->known, self->relations[i]));
        self->ids[i] = id_set_open(self->self->memory);
        TRY(rewrite_outputs(self->self, self->relations[i], &self->ids[i]));
    }
    self->edges = ARENA_NEW(self->self->memory, edge, conjuncts.count + 1);
    if (self->edges == NULL) {
        return rewrite_full(self->self);
    }
    for (uint32_t i = 0; i < conjuncts.count; i++) {
        uint64_t relations;
        TRY(relations_of(self, conjuncts.items[i], &relations));
        if (relations == 0 || expr_can_fail(conjuncts.items[i])) {
            TRY(rewrite_add_expr(self->self, &self->constant, conjuncts.items[i]));
            continue;
        }
        edge *made = &self->edges[self->edge_count++];
        *made = (edge){.conjunct = conjuncts.items[i],
                       .relations = relations,
                       .selectivity = edge_selectivity(self, conjuncts.items[i])};
        bound_together(self, made);
    }
    return FIRN_OK;
}

// ---- Choosing --------------------------------------------------------------------------------

// Rows of a set: the product of its relations and of all conjuncts inside it.
static double rows_of(const graph *self, uint64_t set) {
    double rows = 1;
    for (uint32_t i = 0; i < self->relation_count; i++) {
        if ((set >> i & 1) != 0) {
            rows *= fmax(1, self->relations[i]->row_estimate);
        }
    }
    for (uint32_t i = 0; i < self->edge_count; i++) {
        if ((self->edges[i].relations & ~set) == 0 &&
            (self->edges[i].relations & (self->edges[i].relations - 1)) != 0) {
            rows *= self->edges[i].selectivity;
        }
    }
    return fmax(1, rows);
}

static bool is_connected(const graph *self, uint64_t left, uint64_t right) {
    for (uint32_t i = 0; i < self->edge_count; i++) {
        const uint64_t relations = self->edges[i].relations;
        if ((relations & ~(left | right)) == 0 && (relations & left) != 0 &&
            (relations & right) != 0) {
            return true;
        }
    }
    return false;
}

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
static void choose_exactly(const graph *self, entry *table) {
    const uint64_t all = (UINT64_C(1) << self->relation_count) - 1;
    for (uint64_t set = 1; set <= all; set++) {
        table[set] = (entry){.rows = rows_of(self, set), .cost = -1};
        if ((set & (set - 1)) == 0) {
            table[set].cost = 0;
            continue;
        }
        for (int with_cross = 0; with_cross < 2 && table[set].cost < 0; with_cross++) {
            for (uint64_t left = (set - 1) & set; left > 0; left = (left - 1) & set) {
                if (left < (set & ~left) &&
                    (with_cross == 1 || is_connected(self, left, set & ~left))) {
                    consider(table, set, left);
                }
            }
        }
    }
}

// ---- Building --------------------------------------------------------------------------------

static firn_status new_join(graph *self, plan_node *left, plan_node *right, uint64_t left_set,
                            uint64_t right_set, plan_node **out) {
    optimizer *o = self->self;
    // The smaller side is built.
    const double left_rows = rows_of(self, left_set);
    const double right_rows = rows_of(self, right_set);
    plan_node *join;
    TRY(rewrite_node(o, PLAN_JOIN, &join));
    join->join_.join = JOIN_CROSS;
    join->join_.left = left_rows >= right_rows ? left : right;
    join->join_.right = left_rows >= right_rows ? right : left;
    join->join_.mark_id = NO_SLOT;
    expr_list here = {0};
    for (uint32_t i = 0; i < self->edge_count; i++) {
        edge *each = &self->edges[i];
        if (each->conjunct != NULL && (each->relations & ~(left_set | right_set)) == 0) {
            TRY(rewrite_add_expr(o, &here, each->conjunct));
            each->conjunct = NULL;
        }
    }
    TRY(rewrite_join(o, &here, &join->join_.residual));
    join->join_.join = here.count > 0 ? JOIN_INNER : JOIN_CROSS;
    *out = join;
    return FIRN_OK;
}

static firn_status build(graph *self, const entry *table, uint64_t set, plan_node **out) {
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
static firn_status build_greedily(graph *self, plan_node **out) {
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
                const double penalty = is_connected(self, sets[i], sets[k]) ? 1 : 1e12;
                const double rows = rows_of(self, sets[i] | sets[k]) * penalty;
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
    graph state = {.self = self, .known = known};
    plan_node *root = *slot;
    TRY(make_graph(&state, root));
    if (state.relation_count > RELATIONS_EXACT_MAX) {
        TRY(build_greedily(&state, slot));
    } else {
        entry *table = ARENA_NEW(self->memory, entry, (size_t)1 << state.relation_count);
        if (table == NULL) {
            return rewrite_full(self);
        }
        choose_exactly(&state, table);
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

// A left, semi or anti join whose left side is much the smaller one builds that instead.
static void choose_side(plan_node *join) {
    const join_kind kind = join->join_.join;
    const bool may =
        kind != mirrored(kind) && !join->join_.null_aware && join->join_.left_keys.count > 0;
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

static firn_status order_tree(optimizer *self, plan_node **slot) {
    estimates known = {.self = self};
    if (is_inner(*slot) && count_relations(*slot) <= RELATIONS_MAX) {
        return order_joins(self, &known, slot);
    }
    if (!plan_visit_children(*slot, order_child, self)) {
        return self->err->status;
    }
    if ((*slot)->kind == PLAN_JOIN) {
        TRY(estimate_tree(&known, *slot));
        choose_side(*slot);
    }
    return FIRN_OK;
}

firn_status rule_join_order(optimizer *self, plan_node **root) {
    return order_tree(self, root);
}
