#include "optimize/empty_joins.h"

bool join_is_empty(const plan_node *join, const expr_list *condition) {
    for (uint32_t i = 0; i < condition->count; i++) {
        const expr *each = condition->items[i];
        if (join->join_.null_aware ? rewrite_is_bool(each, false) : rewrite_is_never_true(each)) {
            return true;
        }
    }
    return false;
}

// The rows of one side, NULL in all columns of the other.
static firn_status pad(optimizer *self, plan_node *kept, const plan_node *other, plan_node **out) {
    u32_list ids = {0};
    expr_list values = {0};
    plan_columns columns;
    TRY(rewrite_pass(self, kept, &ids, &values));
    TRY(plan_outputs(other, self->memory, &columns, self->err));
    for (uint32_t i = 0; i < columns.count; i++) {
        expr *nothing = expr_null(self->memory, columns.items[i].type);
        if (nothing == NULL) {
            return rewrite_full(self);
        }
        TRY(rewrite_add_id(self, &ids, columns.items[i].id));
        TRY(rewrite_add_expr(self, &values, nothing));
    }
    return rewrite_project(self, kept, &ids, &values, out);
}

static firn_status mark_none(optimizer *self, const plan_node *join, plan_node **out) {
    u32_list ids = {0};
    expr_list values = {0};
    expr *mark = expr_bool(self->memory, false);
    if (mark == NULL) {
        return rewrite_full(self);
    }
    TRY(rewrite_pass(self, join->join_.left, &ids, &values));
    TRY(rewrite_add_id(self, &ids, join->join_.mark_id));
    TRY(rewrite_add_expr(self, &values, mark));
    return rewrite_project(self, join->join_.left, &ids, &values, out);
}

firn_status join_without_pairs(optimizer *self, plan_node **slot, bool *done) {
    const plan_node *join = *slot;
    *done = true;
    switch ((join_kind)join->join_.join) {
    case JOIN_INNER:
    case JOIN_CROSS:
    case JOIN_SEMI:
    case JOIN_RIGHT_SEMI:
        return rewrite_empty(self, slot);
    case JOIN_LEFT:
    case JOIN_SINGLE:
        return pad(self, join->join_.left, join->join_.right, slot);
    case JOIN_RIGHT:
        return pad(self, join->join_.right, join->join_.left, slot);
    case JOIN_ANTI:
        *slot = join->join_.left;
        return FIRN_OK;
    case JOIN_RIGHT_ANTI:
        *slot = join->join_.right;
        return FIRN_OK;
    case JOIN_MARK:
        return mark_none(self, join, slot);
    case JOIN_FULL:
    case JOIN_KIND_COUNT:
        break;
    }
    *done = false;
    return FIRN_OK;
}
