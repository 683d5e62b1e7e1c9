// LIMIT next to ORDER BY becomes a Top-N; a limit above nothing but projections tells a scan how
// many rows are enough, and DISTINCT how many groups. Limits must be constants here: they are
// evaluated now.
#include "expr/program.h"
#include "optimize/rewrite.h"

static firn_status fold_limit(optimizer *self, expr **value) {
    if (*value == NULL || !expr_is_constant(*value)) {
        return FIRN_OK;
    }
    TRY(expr_fold(*value, self->context, self->memory, value, self->err));
    const literal *constant = &(*value)->literal_.value;
    if (!constant->is_null && *COLUMN_VALUES(constant->value, int64_t) < 0) {
        return FAIL_SQL(self->err, FIRN_INVALID, "2201W", NO_POSITION,
                        "LIMIT and OFFSET must not be negative");
    }
    return FIRN_OK;
}

static uint64_t value_of(const expr *value, uint64_t otherwise) {
    if (value == NULL || value->literal_.value.is_null) {
        return otherwise;
    }
    return (uint64_t)*COLUMN_VALUES(value->literal_.value.value, int64_t);
}

static void hint_enough(plan_node *node, uint64_t rows) {
    while (node->kind == PLAN_PROJECT) {
        node = node->project_.input;
    }
    if (node->kind == PLAN_SCAN && rows < node->scan_.limit) {
        node->scan_.limit = rows;
    }
    if (node->kind == PLAN_AGGREGATE && node->aggregate_.keys.count > 0 &&
        node->aggregate_.aggregates.count == 0 && node->aggregate_.sets.count == 0) {
        node->aggregate_.group_limit = rows;
    }
}

// A projection that only renames or computes does not change which rows are first.
static plan_node *sort_below(plan_node *node) {
    while (node->kind == PLAN_PROJECT) {
        node = node->project_.input;
    }
    return node->kind == PLAN_SORT && node->sort_.limit == UINT64_MAX ? node : NULL;
}

static firn_status visit(optimizer *self, plan_node **slot) {
    plan_node *node = *slot;
    if (node->kind != PLAN_LIMIT) {
        return FIRN_OK;
    }
    TRY(fold_limit(self, &node->limit_.limit));
    TRY(fold_limit(self, &node->limit_.offset));
    if (!plan_limit_is_known(node)) {
        return FIRN_OK;
    }
    const uint64_t limit = value_of(node->limit_.limit, UINT64_MAX);
    const uint64_t offset = value_of(node->limit_.offset, 0);
    if (limit == UINT64_MAX && offset == 0) {
        *slot = node->limit_.input;
        return FIRN_OK;
    }
    plan_node *sort = sort_below(node->limit_.input);
    if (sort != NULL && limit != UINT64_MAX) {
        sort->sort_.limit = limit;
        sort->sort_.offset = offset;
        *slot = node->limit_.input;
        return FIRN_OK;
    }
    uint64_t rows;
    if (!__builtin_add_overflow(limit, offset, &rows)) {
        hint_enough(node->limit_.input, rows);
    }
    return FIRN_OK;
}

firn_status rule_limits(optimizer *self, plan_node **root) {
    return rewrite_tree(self, root, visit);
}
