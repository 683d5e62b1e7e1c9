// Dynamic filters: a join's build keys tell scans on its probe side which rows can match; a Top-N
// tells the scan below it which rows come too late.
//
// A key is followed down through whatever hands the column on unchanged to the scan that reads it;
// dropping rows there must not change what comes out above: so not through LIMIT, not into the side
// of an outer join whose unmatched rows survive, and through an aggregate only if it is a grouping
// key.
#include "optimize/rewrite.h"

// The scan below `node` that reads column `id`, and its id there; NULL if it cannot be followed.
static plan_node *find_scan(plan_node *node, uint32_t *id);

static plan_node *through_values(plan_node *input, const u32_list *ids, const expr_list *values,
                                 uint32_t *id) {
    for (uint32_t i = 0; i < ids->count; i++) {
        if (ids->items[i] == *id) {
            if (values->items[i]->kind != EXPR_COLUMN) {
                return NULL;
            }
            *id = values->items[i]->column_.id;
            return find_scan(input, id);
        }
    }
    return NULL;
}

static plan_node *through_join(plan_node *node, uint32_t *id) {
    const join_kind kind = node->join_.join;
    const bool left_may = kind != JOIN_RIGHT && kind != JOIN_FULL && kind != JOIN_RIGHT_ANTI;
    const bool right_may = kind == JOIN_INNER || kind == JOIN_CROSS || kind == JOIN_RIGHT ||
                           kind == JOIN_RIGHT_SEMI || kind == JOIN_RIGHT_ANTI;
    const uint32_t before = *id;
    plan_node *found = left_may ? find_scan(node->join_.left, id) : NULL;
    if (found == NULL && right_may) {
        *id = before;
        found = find_scan(node->join_.right, id);
    }
    return found;
}

static plan_node *find_scan(plan_node *node, uint32_t *id) {
    switch ((int)node->kind) {
    case PLAN_SCAN:
        for (uint32_t i = 0; i < node->scan_.columns.count; i++) {
            if (node->scan_.columns.items[i].id == *id) {
                return node;
            }
        }
        return NULL;
    case PLAN_FILTER:
        return find_scan(node->filter_.input, id);
    case PLAN_PROJECT:
        return through_values(node->project_.input, &node->project_.ids, &node->project_.values,
                              id);
    case PLAN_AGGREGATE:
        if (node->aggregate_.sets.count > 0) {
            return NULL;
        }
        return through_values(node->aggregate_.input, &node->aggregate_.key_ids,
                              &node->aggregate_.keys, id);
    case PLAN_JOIN:
        return through_join(node, id);
    case PLAN_SORT:
        return node->sort_.limit == UINT64_MAX ? find_scan(node->sort_.input, id) : NULL;
    default:
        return NULL;
    }
}

static firn_status add_filter(optimizer *self, plan_node *scan, uint32_t id, const type *type,
                              uint32_t *slot) {
    expr *filter = expr_new(self->memory, EXPR_DYNAMIC, TYPE_OF(BOOLEAN));
    expr *column;
    if (filter == NULL) {
        return rewrite_full(self);
    }
    TRY(rewrite_column(self, id, type, &column));
    if (*slot == NO_SLOT) {
        *slot = self->plan->slot_count++;
    }
    filter->dynamic_.slot = *slot;
    TRY(rewrite_add_expr(self, &filter->dynamic_.args, column));
    return rewrite_add_expr(self, &scan->scan_.filters, filter);
}

static bool may_prune(join_kind kind) {
#define X(NAME, words, left, right, right_out, prunes) [JOIN_##NAME] = prunes,
    static const bool prunes_by_kind[JOIN_KIND_COUNT] = {JOIN_KIND_LIST(X)};
#undef X
    return prunes_by_kind[kind];
}

static firn_status visit_join(optimizer *self, plan_node *join) {
    join->join_.dynamic_slots = (u32_list){0};
    for (uint32_t i = 0; i < join->join_.left_keys.count; i++) {
        uint32_t slot = NO_SLOT;
        const expr *key = join->join_.left_keys.items[i];
        if (may_prune(join->join_.join) && key->kind == EXPR_COLUMN &&
            join->join_.null_equal.items[i] == 0) {
            uint32_t id = key->column_.id;
            plan_node *scan = find_scan(join->join_.left, &id);
            if (scan != NULL) {
                TRY(add_filter(self, scan, id, key->type, &slot));
            }
        }
        TRY(rewrite_add_id(self, &join->join_.dynamic_slots, slot));
    }
    return FIRN_OK;
}

static firn_status visit_sort(optimizer *self, plan_node *sort) {
    const expr *key = sort->sort_.keys.count > 0 ? sort->sort_.keys.items[0].value : NULL;
    sort->sort_.dynamic_slot = NO_SLOT;
    if (sort->sort_.limit == UINT64_MAX || key == NULL || key->kind != EXPR_COLUMN) {
        return FIRN_OK;
    }
    uint32_t id = key->column_.id;
    plan_node *scan = find_scan(sort->sort_.input, &id);
    return scan == NULL ? FIRN_OK
                        : add_filter(self, scan, id, key->type, &sort->sort_.dynamic_slot);
}

static firn_status visit(optimizer *self, plan_node **slot) {
    if ((*slot)->kind == PLAN_JOIN) {
        return visit_join(self, *slot);
    }
    return (*slot)->kind == PLAN_SORT ? visit_sort(self, *slot) : FIRN_OK;
}

firn_status rule_dynamic_filters(optimizer *self, plan_node **root) {
    return rewrite_tree(self, root, visit);
}
