// Grouping sets of which one has all keys, as those of ROLLUP and CUBE, are made of its groups
// instead of the rows:
//
//     AGG[a, b; sum(x); sets (a, b), (a), ()] (t)
//  →  AGG[a, b; sum(s); sets (a, b), (a), ()] (AGG[a, b; sum(x) AS s] (t))
//
// So each row is put into one group, not into one of each set. That is slower and takes twice the
// memory where nearly each row is a group: not where one key, or several numbers or dates by their
// ranges, may tell that many rows apart. Of combinations with texts, which have no ranges, nobody
// knows: there a few are expected.
#include <math.h>

#include "optimize/estimate.h"
#include "optimize/two_steps.h"

#define ROWS_A_GROUP 2 // As expected: with fewer, the inner aggregation saves nothing.

static bool may_split(const plan_node *node) {
    const uint32_t key_count = node->aggregate_.keys.count;
    const u32_list *sets = &node->aggregate_.sets;
    bool has_all = false;
    for (uint32_t i = 0; i < sets->count; i++) {
        has_all |= sets->items[i] == (UINT64_C(1) << key_count) - 1; // 32 keys at most.
    }
    bool may = has_all && sets->count > 1 && key_count > 0 &&
               !two_steps_has_volatile(&node->aggregate_.keys);
    for (uint32_t i = 0; i < node->aggregate_.aggregates.count && may; i++) {
        may = two_steps_has_parts(node->aggregate_.aggregates.items[i]);
    }
    return may;
}

static bool has_large_groups(const estimates *known, const plan_node *node) {
    const double rows = node->aggregate_.input->row_estimate;
    double most = 1;     // Values of one key.
    double combined = 1; // Of those that have ranges.
    for (uint32_t i = 0; i < node->aggregate_.keys.count; i++) {
        const expr *key = node->aggregate_.keys.items[i];
        const double distinct = estimate_distinct(known, key, rows);
        const column_estimate *column =
            key->kind == EXPR_COLUMN ? estimate_column(known, key->column_.id) : NULL;
        most = fmax(most, distinct);
        combined *= column != NULL && column->has_range ? distinct : 1;
    }
    return fmax(most, combined) * ROWS_A_GROUP <= rows;
}

static firn_status split(optimizer *self, plan_node **slot) {
    const plan_node *node = *slot;
    two_steps steps;
    TRY(two_steps_open(self, node, &steps));
    for (uint32_t i = 0; i < node->aggregate_.ids.count; i++) {
        TRY(two_steps_add_parts(&steps, node->aggregate_.aggregates.items[i],
                                node->aggregate_.ids.items[i]));
    }
    return two_steps_close(&steps, node, slot);
}

// `user`: the estimates of the whole rule.
static bool visit(void *user, plan_node **slot) {
    estimates *known = user;
    const plan_node *node = *slot;
    if (!plan_visit_children(*slot, visit, user)) {
        return false;
    }
    if (node->kind != PLAN_AGGREGATE || !may_split(node)) {
        return true;
    }
    if (estimate_tree(known, *slot) != FIRN_OK) {
        return false;
    }
    return !has_large_groups(known, node) || split(known->self, slot) == FIRN_OK;
}

firn_status rule_grouping_sets(optimizer *self, plan_node **root) {
    estimates known = {.self = self};
    return visit(&known, root) ? FIRN_OK : self->err->status;
}
