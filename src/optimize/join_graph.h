// A tree of inner joins as a graph: relations, and the conjuncts between them.
//
// Columns that equalities make the same are a class (a = b AND b = c: also a = c), and every pair
// of them from different relations an edge: so the order of joins does not hang on which of the
// equalities were written.
#ifndef FIRN_OPTIMIZE_JOIN_GRAPH_H
#define FIRN_OPTIMIZE_JOIN_GRAPH_H

#include "optimize/estimate.h"

#define RELATIONS_MAX 63 ///< One bit each in a set of relations.
#define NO_CLASS UINT32_MAX

/// A conjunct between relations.
typedef struct join_edge {
    expr *conjunct; ///< NULL once it stands in a join.
    uint64_t relations;
    uint32_t class; ///< Of equal columns; NO_CLASS for any other conjunct.
    double share;   ///< Of pairs of rows for which it is true.
    bool is_equal;
    bool is_taken;
    equal_estimate equal; ///< If is_equal.
} join_edge;

/// Edges of two relations are not independent: what their product is to be multiplied with.
typedef struct join_bond {
    uint64_t relations;
    double factor;
} join_bond;

typedef struct join_graph {
    optimizer *self;
    estimates *known;
    uint32_t relation_count;
    plan_node *relations[RELATIONS_MAX];
    id_set ids[RELATIONS_MAX];
    uint64_t neighbours[RELATIONS_MAX]; ///< By edges between two relations.
    uint32_t edge_count;
    uint32_t class_count;
    join_edge *edges; ///< Those of a class together, the most selective first.
    uint32_t bond_count;
    join_bond *bonds;
    expr_list constant; ///< Conjuncts without columns, or that can fail: filtered on top.
} join_graph;

bool join_graph_is_inner(const plan_node *node);
uint32_t join_graph_count(const plan_node *node); ///< Relations of a tree of inner joins.

/// Takes a tree of at most RELATIONS_MAX relations apart. `relation` is called on each first.
firn_status join_graph_open(join_graph *self, plan_node *root,
                            firn_status (*relation)(estimates *known, plan_node **slot));
/// Rows of a set of relations, joined in whatever order.
double join_graph_rows(const join_graph *self, uint64_t set);
/// Does a conjunct connect two sets?
bool join_graph_connects(const join_graph *self, uint64_t left, uint64_t right);
/// Takes out the conjuncts that are to be asked where two sets meet: one of each class.
firn_status join_graph_take(join_graph *self, uint64_t left, uint64_t right, expr_list *out);

#endif
