#include "optimize/one_row.h"

#define LOOK_MAX 64 // Nodes deep: it is asked at each of many joins.

static bool is_limit_of_one(const expr *limit) {
    if (limit == NULL || limit->kind != EXPR_LITERAL || limit->literal_.value.is_null ||
        limit->type->id != TYPE_BIGINT) {
        return false;
    }
    return COLUMN_VALUES(limit->literal_.value.value, int64_t)[0] <= 1;
}

// `is_sure`: neither may it be none.
static bool look(const plan_node *node, bool is_sure, uint32_t depth);

static bool look_at_join(const plan_node *left, const plan_node *right, uint32_t kind,
                         bool has_condition, bool is_sure, uint32_t depth) {
    switch (kind) {
    case JOIN_CROSS:
    case JOIN_INNER:
        return !(is_sure && has_condition) && look(left, is_sure, depth) &&
               look(right, is_sure, depth);
    case JOIN_LEFT:
        return look(left, is_sure, depth) && look(right, false, depth);
    case JOIN_SINGLE:
    case JOIN_MARK:
        return look(left, is_sure, depth);
    case JOIN_SEMI:
    case JOIN_ANTI:
        return !is_sure && look(left, false, depth);
    default:
        return false;
    }
}

static bool look(const plan_node *node, bool is_sure, uint32_t depth) {
    for (; depth < LOOK_MAX; depth++) {
        switch ((int)node->kind) {
        case PLAN_VALUES:
            return node->values_.row_count == 1 || (!is_sure && node->values_.row_count == 0);
        case PLAN_AGGREGATE:
            return node->aggregate_.keys.count == 0 && node->aggregate_.sets.count == 0;
        case PLAN_PROJECT:
            node = node->project_.input;
            break;
        case PLAN_NUMBER:
            node = node->number_.input;
            break;
        case PLAN_SHARED:
            node = node->shared_.body;
            break;
        case PLAN_SORT:
            if (is_sure && (node->sort_.limit == 0 || node->sort_.offset > 0)) {
                return false;
            }
            node = node->sort_.input;
            break;
        case PLAN_FILTER:
            if (is_sure) {
                return false;
            }
            node = node->filter_.input;
            break;
        case PLAN_LIMIT:
            if (is_sure || is_limit_of_one(node->limit_.limit)) {
                return !is_sure;
            }
            node = node->limit_.input;
            break;
        case PLAN_SINGLE_ROW:
            if (!is_sure) {
                return true;
            }
            node = node->single_row_.input;
            break;
        case PLAN_JOIN: {
            const bool has_condition =
                node->join_.residual != NULL || node->join_.left_keys.count > 0;
            return look_at_join(node->join_.left, node->join_.right, node->join_.join,
                                has_condition, is_sure, depth + 1);
        }
        case PLAN_DEPENDENT_JOIN:
            return look_at_join(node->dependent_join_.left, node->dependent_join_.right,
                                node->dependent_join_.join, node->dependent_join_.condition != NULL,
                                is_sure, depth + 1);
        default:
            return false;
        }
    }
    return false;
}

bool one_row_is_sure(const plan_node *node) {
    return look(node, true, 0);
}

bool one_row_is_most(const plan_node *node) {
    return look(node, false, 0);
}
