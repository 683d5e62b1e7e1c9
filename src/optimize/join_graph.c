#include "optimize/join_graph.h"

#include <math.h>
#include <stdlib.h>

#define BOND_EDGES_MAX 16
#define CLASS_CONJUNCTS_MAX                                                                        \
    512 // Of more conjuncts no classes are made: that takes squares of time.

typedef struct endpoint { // One side of an equality.
    expr *value;
    uint64_t relation; // As a set.
    uint32_t class;
    key_estimate key;
} endpoint;

typedef struct endpoint_list {
    uint32_t count;
    endpoint *items;
} endpoint_list;

// Keys that can fail otherwise than by range must meet no other rows than they were written for.
static bool keys_may_move(const plan_node *join) {
    bool may = true;
    for (uint32_t i = 0; i < join->join_.left_keys.count && may; i++) {
        may = rewrite_fails_by_range(join->join_.left_keys.items[i]) &&
              rewrite_fails_by_range(join->join_.right_keys.items[i]);
    }
    return may;
}

bool join_graph_is_inner(const plan_node *node) {
    return node->kind == PLAN_JOIN &&
           (node->join_.join == JOIN_INNER || node->join_.join == JOIN_CROSS) &&
           keys_may_move(node);
}

uint32_t join_graph_count(const plan_node *node) {
    return join_graph_is_inner(node)
               ? join_graph_count(node->join_.left) + join_graph_count(node->join_.right)
               : 1;
}

// ---- Taking apart ----------------------------------------------------------------------------

static firn_status add_conjuncts(join_graph *self, const plan_node *join, expr_list *out) {
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

static firn_status take_apart(join_graph *self, plan_node *node, expr_list *conjuncts) {
    if (!join_graph_is_inner(node)) {
        self->relations[self->relation_count++] = node;
        return FIRN_OK;
    }
    TRY(take_apart(self, node->join_.left, conjuncts));
    TRY(take_apart(self, node->join_.right, conjuncts));
    return add_conjuncts(self, node, conjuncts);
}

static firn_status relations_of(const join_graph *self, const expr *value, uint64_t *out) {
    arena *memory = self->self->memory;
    const arena_mark mark = arena_mark_take(memory); // It is asked for each of many conjuncts.
    id_set used = id_set_open(memory);
    TRY(rewrite_used(self->self, value, &used));
    *out = 0;
    for (uint32_t i = 0; i < self->relation_count; i++) {
        if (id_set_intersects(&self->ids[i], &used)) {
            *out |= UINT64_C(1) << i;
        }
    }
    arena_rewind(memory, mark);
    return FIRN_OK;
}

static bool is_one(uint64_t set) {
    return set != 0 && (set & (set - 1)) == 0;
}

static uint32_t first_of(uint64_t set) {
    return (uint32_t)__builtin_ctzll(set);
}

// ---- Classes ---------------------------------------------------------------------------------

// Is the conjunct an equality of one relation's columns with another's?
static firn_status find_sides(const join_graph *self, const expr *conjunct, uint64_t *sides,
                              bool *out) {
    *out = false;
    if (expr_is_call(conjunct, "=") || expr_is_call(conjunct, "is_not_distinct_from")) {
        for (int side = 0; side < 2; side++) {
            TRY(relations_of(self, conjunct->call_.args.items[side], &sides[side]));
        }
        *out = is_one(sides[0]) && is_one(sides[1]) && sides[0] != sides[1];
    }
    return FIRN_OK;
}

static key_estimate key_of(const join_graph *self, const expr *value, uint64_t relation) {
    return estimate_key(self->known, value, self->relations[first_of(relation)]->row_estimate);
}

static void add_edge(join_graph *self, join_edge edge) {
    self->edges[self->edge_count++] = edge;
    if (__builtin_popcountll(edge.relations) == 2) {
        const uint64_t low = edge.relations & ~(edge.relations - 1);
        self->neighbours[first_of(low)] |= edge.relations & ~low;
        self->neighbours[first_of(edge.relations & ~low)] |= low;
    }
}

// The column of an equality's side in the list; a new one is a class of its own.
static endpoint *endpoint_of(join_graph *self, endpoint_list *list, expr *value,
                             uint64_t relation) {
    for (uint32_t i = 0; i < list->count; i++) {
        if (expr_equal(list->items[i].value, value)) {
            return &list->items[i];
        }
    }
    endpoint *made = &list->items[list->count++];
    *made = (endpoint){.value = value,
                       .relation = relation,
                       .class = self->class_count++,
                       .key = key_of(self, value, relation)};
    return made;
}

static void unite(join_graph *self, endpoint_list *list, const expr *equality,
                  const uint64_t *sides) {
    const expr_list *args = &equality->call_.args;
    const uint32_t into = endpoint_of(self, list, args->items[0], sides[0])->class;
    const uint32_t from = endpoint_of(self, list, args->items[1], sides[1])->class;
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].class == from) {
            list->items[i].class = into;
        }
    }
}

// A class with two columns of one relation says more than that relations meet, and one of several
// types may hold different casts of a column: the equalities of such are taken as they are written.
static bool is_plain(const endpoint_list *list, uint32_t class) {
    uint64_t seen = 0;
    const type *of = NULL;
    for (uint32_t i = 0; i < list->count; i++) {
        const endpoint *each = &list->items[i];
        if (each->class == class) {
            if ((seen & each->relation) != 0 ||
                (of != NULL && !type_equal(of, each->value->type))) {
                return true;
            }
            seen |= each->relation;
            of = each->value->type;
        }
    }
    return false;
}

static firn_status add_equality(join_graph *self, const endpoint *a, const endpoint *b) {
    join_edge edge = {.relations = a->relation | b->relation,
                      .class = a->class,
                      .is_equal = true,
                      .equal = estimate_equal(&a->key, &b->key)};
    edge.share = edge.equal.share;
    expr *left = expr_copy(self->self->memory, a->value);
    expr *right = expr_copy(self->self->memory, b->value);
    if (left == NULL || right == NULL) {
        return rewrite_full(self->self);
    }
    TRY(rewrite_call(self->self, "=", left, right, &edge.conjunct));
    add_edge(self, edge);
    return FIRN_OK;
}

// Every pair of a class's columns is an edge.
static firn_status add_class(join_graph *self, const endpoint_list *list, uint32_t class) {
    for (uint32_t i = 0; i < list->count; i++) {
        for (uint32_t k = i + 1; k < list->count && list->items[i].class == class; k++) {
            if (list->items[k].class == class) {
                TRY(add_equality(self, &list->items[i], &list->items[k]));
            }
        }
    }
    return FIRN_OK;
}

static bool is_class(const expr *conjunct) {
    return expr_is_call(conjunct, "=") && !expr_can_fail(conjunct) && !expr_is_volatile(conjunct);
}

static firn_status find_classes(join_graph *self, const expr_list *conjuncts, endpoint_list *list) {
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        uint64_t sides[2];
        bool has_sides = false;
        if (is_class(conjuncts->items[i])) {
            TRY(find_sides(self, conjuncts->items[i], sides, &has_sides));
        }
        if (has_sides) {
            unite(self, list, conjuncts->items[i], sides);
        }
    }
    for (uint32_t class = 0; class < self->class_count; class++) {
        bool may = !is_plain(list, class);
        for (uint32_t i = 0; i < list->count && !may; i++) {
            if (list->items[i].class == class) {
                list->items[i].class = NO_CLASS;
            }
        }
    }
    return FIRN_OK;
}

static size_t edges_of(const join_graph *self, const endpoint_list *list) {
    size_t count = 0;
    for (uint32_t class = 0; class < self->class_count; class++) {
        size_t members = 0;
        for (uint32_t i = 0; i < list->count; i++) {
            members += list->items[i].class == class;
        }
        count += members * (members - (members > 0)) / 2;
    }
    return count;
}

// A conjunct that no class stands for.
static firn_status add_conjunct(join_graph *self, endpoint_list *list, expr *conjunct) {
    join_edge edge = {.conjunct = conjunct, .class = NO_CLASS};
    TRY(relations_of(self, conjunct, &edge.relations));
    if (edge.relations == 0 || (expr_can_fail(conjunct) && !rewrite_may_be_key(conjunct) &&
                                !rewrite_may_be_bound(conjunct))) {
        return rewrite_add_expr(self->self, &self->constant, conjunct);
    }
    uint64_t sides[2];
    TRY(find_sides(self, conjunct, sides, &edge.is_equal));
    if (!edge.is_equal) {
        edge.share = estimate_selectivity(self->known, conjunct);
        add_edge(self, edge);
        return FIRN_OK;
    }
    const expr_list *args = &conjunct->call_.args;
    if (list->items != NULL && is_class(conjunct) &&
        endpoint_of(self, list, args->items[0], sides[0])->class != NO_CLASS) {
        return FIRN_OK;
    }
    const key_estimate left = key_of(self, args->items[0], sides[0]);
    const key_estimate right = key_of(self, args->items[1], sides[1]);
    edge.equal = estimate_equal(&left, &right);
    edge.share = edge.equal.share;
    add_edge(self, edge);
    return FIRN_OK;
}

// By class, and within one the most selective first.
static int compare_edges(const void *left, const void *right) {
    const join_edge *a = left;
    const join_edge *b = right;
    if (a->class != b->class) {
        return a->class < b->class ? -1 : 1;
    }
    if (a->share != b->share) {
        return a->share < b->share ? -1 : 1;
    }
    return a->relations < b->relations ? -1 : a->relations > b->relations;
}

static void add_bond(join_graph *self, uint64_t pair) {
    equal_estimate equals[BOND_EDGES_MAX];
    uint32_t count = 0;
    double product = 1;
    for (uint32_t i = 0; i < self->edge_count && count < BOND_EDGES_MAX; i++) {
        if (self->edges[i].is_equal && self->edges[i].relations == pair) {
            equals[count++] = self->edges[i].equal;
            product *= self->edges[i].share;
        }
    }
    if (count > 1) {
        self->bonds[self->bond_count++] =
            (join_bond){.relations = pair, .factor = estimate_equal_all(equals, count) / product};
    }
}

static firn_status add_bonds(join_graph *self) {
    const uint32_t count = self->relation_count;
    self->bonds = ARENA_NEW(self->self->memory, join_bond, (size_t)count * count);
    if (self->bonds == NULL) {
        return rewrite_full(self->self);
    }
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = i + 1; k < count; k++) {
            TRY(rewrite_check(self->self));
            if ((self->neighbours[i] >> k & 1) != 0) {
                add_bond(self, UINT64_C(1) << i | UINT64_C(1) << k);
            }
        }
    }
    return FIRN_OK;
}

firn_status join_graph_open(join_graph *self, plan_node *root,
                            firn_status (*relation)(estimates *known, plan_node **slot)) {
    expr_list conjuncts = {0};
    TRY(take_apart(self, root, &conjuncts));
    for (uint32_t i = 0; i < self->relation_count; i++) {
        TRY(relation(self->known, &self->relations[i]));
        TRY(estimate_tree(self->known, self->relations[i]));
        self->ids[i] = id_set_open(self->self->memory);
        TRY(rewrite_outputs(self->self, self->relations[i], &self->ids[i]));
    }
    endpoint_list list = {0};
    if (conjuncts.count <= CLASS_CONJUNCTS_MAX) {
        list.items = ARENA_NEW(self->self->memory, endpoint, 2 * (size_t)conjuncts.count + 2);
        if (list.items == NULL) {
            return rewrite_full(self->self);
        }
        TRY(find_classes(self, &conjuncts, &list));
    }
    const size_t edges = conjuncts.count + edges_of(self, &list) + 1;
    self->edges = ARENA_NEW(self->self->memory, join_edge, edges);
    if (self->edges == NULL) {
        return rewrite_full(self->self);
    }
    for (uint32_t class = 0; class < self->class_count; class++) {
        TRY(add_class(self, &list, class));
    }
    for (uint32_t i = 0; i < conjuncts.count; i++) {
        TRY(add_conjunct(self, &list, conjuncts.items[i]));
    }
    qsort(self->edges, self->edge_count, sizeof *self->edges, compare_edges);
    return add_bonds(self);
}

// ---- Questions -------------------------------------------------------------------------------

static uint64_t group_of(const uint64_t *groups, uint32_t count, uint64_t relation) {
    for (uint32_t i = 0; i < count; i++) {
        if ((groups[i] & relation) != 0) {
            return groups[i];
        }
    }
    return relation;
}

// Does the edge of a class join what the class's edges before it have not joined? `groups` are the
// sets that they have joined.
static bool joins_anew(uint64_t *groups, uint32_t *count, uint64_t relations) {
    const uint64_t low = relations & ~(relations - 1);
    const uint64_t one = group_of(groups, *count, low);
    if ((one & relations) == relations) {
        return false;
    }
    const uint64_t both = one | group_of(groups, *count, relations & ~low);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < *count; i++) {
        if ((groups[i] & both) == 0) {
            groups[kept++] = groups[i];
        }
    }
    groups[kept++] = both;
    *count = kept;
    return true;
}

double join_graph_rows(const join_graph *self, uint64_t set) {
    double rows = 1;
    for (uint64_t left = set; left != 0; left &= left - 1) {
        rows *= fmax(1, self->relations[first_of(left)]->row_estimate);
    }
    uint64_t groups[RELATIONS_MAX];
    uint32_t group_count = 0;
    uint32_t class = NO_CLASS;
    for (uint32_t i = 0; i < self->edge_count; i++) {
        const join_edge *edge = &self->edges[i];
        if ((edge->relations & ~set) != 0 || is_one(edge->relations)) {
            continue;
        }
        if (edge->class != class) {
            class = edge->class;
            group_count = 0;
        }
        if (class == NO_CLASS || joins_anew(groups, &group_count, edge->relations)) {
            rows *= edge->share;
        }
    }
    for (uint32_t i = 0; i < self->bond_count; i++) {
        rows *= (self->bonds[i].relations & ~set) == 0 ? self->bonds[i].factor : 1;
    }
    return fmax(1, rows);
}

bool join_graph_connects(const join_graph *self, uint64_t left, uint64_t right) {
    for (uint64_t each = left; each != 0; each &= each - 1) {
        if ((self->neighbours[first_of(each)] & right) != 0) {
            return true;
        }
    }
    for (uint32_t i = 0; i < self->edge_count; i++) {
        const uint64_t relations = self->edges[i].relations;
        if ((relations & ~(left | right)) == 0 && (relations & left) != 0 &&
            (relations & right) != 0) {
            return true;
        }
    }
    return false;
}

static bool is_bonded(const join_graph *self, uint64_t relations) {
    for (uint32_t i = 0; i < self->bond_count; i++) {
        if (self->bonds[i].relations == relations) {
            return true;
        }
    }
    return false;
}

// Of a class, the edge between two relations that have others too: a key of several columns of one
// relation says more than columns of several.
static join_edge *best_of_class(const join_graph *self, uint32_t first, uint64_t within) {
    join_edge *best = &self->edges[first];
    for (uint32_t i = first; i < self->edge_count && !is_bonded(self, best->relations); i++) {
        join_edge *each = &self->edges[i];
        if (each->class == best->class && each->conjunct != NULL &&
            (each->relations & ~within) == 0 && is_bonded(self, each->relations)) {
            best = each;
        }
    }
    return best;
}

firn_status join_graph_take(join_graph *self, uint64_t left, uint64_t right, expr_list *out) {
    uint32_t taken = NO_CLASS;
    for (uint32_t i = 0; i < self->edge_count; i++) {
        join_edge *each = &self->edges[i];
        if (each->conjunct == NULL || (each->relations & ~(left | right)) != 0) {
            continue;
        }
        if (each->class == NO_CLASS) {
            TRY(rewrite_add_expr(self->self, out, each->conjunct));
        } else if (each->class != taken) {
            const join_edge *best = best_of_class(self, i, left | right);
            TRY(rewrite_add_expr(self->self, out, best->conjunct));
            taken = each->class;
        }
        each->is_taken = true; // The others of its class follow from it.
    }
    for (uint32_t i = 0; i < self->edge_count; i++) {
        self->edges[i].conjunct = self->edges[i].is_taken ? NULL : self->edges[i].conjunct;
    }
    return FIRN_OK;
}
