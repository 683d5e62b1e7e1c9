// The straight way to unnest: a right side that makes its rows from one row of the left, without
// tables of its own, is put on top of the left.
//
//     CROSS JOIN (left, UNNEST[left.l] (one row))      →  UNNEST[l] (left)
//     CROSS JOIN (left, generate_series(1, left.n))     →  UNNEST[generate_series(1, n)] (left)
//     LEFT JOIN ON true (left, the same)               →  UNNEST[l] keeping empty lists (left)
//     SINGLE JOIN (left, PROJECT[left.a + 1] (one row)) →  PROJECT[*, a + 1] (left)
//
// So no row is looked up again by the values that it was made from, which may be long lists.
#include "functions/overload.h"
#include "optimize/unnest.h"

typedef struct chain_shape {
    bool has_filter;   // Or whatever else may lose the row.
    bool has_unnest;   // May make none or many of it.
    bool only_columns; // Projections only rename: what is NULL below stays NULL.
} chain_shape;

static bool is_one_row(const plan_node *node) {
    return node->kind == PLAN_VALUES && node->values_.row_count == 1 &&
           node->values_.ids.count == 0;
}

// The leaf of a chain of nodes with one input each, down to a single row; NULL if it is no such.
static plan_node **chain_leaf(plan_node **slot, chain_shape *shape) {
    *shape = (chain_shape){.only_columns = true};
    while (true) {
        plan_node *node = *slot;
        switch ((int)node->kind) {
        case PLAN_PROJECT:
            for (uint32_t i = 0; i < node->project_.values.count; i++) {
                shape->only_columns &= node->project_.values.items[i]->kind == EXPR_COLUMN;
            }
            slot = &node->project_.input;
            break;
        case PLAN_FILTER:
            shape->has_filter = true;
            slot = &node->filter_.input;
            break;
        case PLAN_UNNEST:
            // Keeping empty lists is of the lowest one, where nothing was lost before.
            shape->has_filter |= shape->has_unnest || node->unnest_.keeps_empty;
            shape->has_unnest = true;
            slot = &node->unnest_.input;
            break;
        case PLAN_TABLE_FUNCTION: // Becomes an Unnest.
            shape->has_filter |= shape->has_unnest;
            shape->has_unnest = true;
            return slot;
        default:
            return is_one_row(node) ? slot : NULL;
        }
    }
}

// Projections of the chain hand on what comes from below: the left's columns.
static firn_status pass_left(optimizer *self, plan_node *node, const plan_node *leaf) {
    while (node != leaf) {
        if (node->kind == PLAN_PROJECT) {
            u32_list ids = {0};
            expr_list values = {0};
            TRY(rewrite_pass(self, (plan_node *)(uintptr_t)leaf, &ids, &values));
            for (uint32_t i = 0; i < ids.count; i++) {
                TRY(rewrite_add_id(self, &node->project_.ids, ids.items[i]));
                TRY(rewrite_add_expr(self, &node->project_.values, values.items[i]));
            }
            node = node->project_.input;
        } else if (node->kind == PLAN_FILTER) {
            node = node->filter_.input;
        } else {
            node = node->unnest_.input;
        }
    }
    return FIRN_OK;
}

static void keep_empty(plan_node *node) {
    while (node->kind == PLAN_PROJECT) {
        node = node->project_.input;
    }
    node->unnest_.keeps_empty = true;
}

firn_status unnest_series(optimizer *self, const plan_node *series, plan_node *input,
                          plan_node **out) {
    plan_node *unnest;
    expr *list;
    const expr_list *args = &series->table_function_.args;
    const char *name =
        text_equal(series->table_function_.function, TEXT("range")) ? "range" : "generate_series";
    TRY(function_call_named(text_of(name), args->items, args->count, self->memory, &list,
                            self->err));
    TRY(rewrite_node(self, PLAN_UNNEST, &unnest));
    unnest->unnest_.input = input;
    const u32_list *ids = &series->table_function_.ids;
    unnest->unnest_.ordinality_id = ids->count > 1 ? ids->items[1] : NO_SLOT;
    TRY(rewrite_add_id(self, &unnest->unnest_.ids, ids->items[0]));
    *out = unnest;
    return rewrite_add_expr(self, &unnest->unnest_.lists, list);
}

firn_status unnest_apply(optimizer *self, plan_node **slot, bool *done) {
    plan_node *join = *slot;
    const join_kind kind = join->dependent_join_.join;
    chain_shape shape;
    plan_node **leaf = chain_leaf(&join->dependent_join_.right, &shape);
    expr_list conjuncts = {0};
    TRY(rewrite_split(self, join->dependent_join_.condition, &conjuncts));
    const bool is_inner = kind == JOIN_INNER || kind == JOIN_CROSS;
    const bool keeps_left = kind == JOIN_LEFT && !shape.has_filter && shape.has_unnest &&
                            shape.only_columns && conjuncts.count == 0;
    const bool is_one = kind == JOIN_SINGLE && !shape.has_filter && !shape.has_unnest;
    *done = leaf != NULL && (is_inner || keeps_left || is_one);
    if (!*done) {
        return FIRN_OK;
    }
    if ((*leaf)->kind == PLAN_TABLE_FUNCTION) {
        TRY(unnest_series(self, *leaf, join->dependent_join_.left, leaf));
        leaf = &(*leaf)->unnest_.input;
    }
    *leaf = join->dependent_join_.left;
    TRY(pass_left(self, join->dependent_join_.right, *leaf));
    if (keeps_left) {
        keep_empty(join->dependent_join_.right);
    }
    return rewrite_filter(self, join->dependent_join_.right, &conjuncts, slot);
}
