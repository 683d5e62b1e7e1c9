#include "plan/join_ranges.h"

firn_status join_side_ids_of(const plan_node *join, arena *memory, join_side_ids *out,
                             firn_error *err) {
    const plan_node *const inputs[2] = {join->join_.left, join->join_.right};
    id_set *const sets[2] = {&out->left, &out->right};
    for (int side = 0; side < 2; side++) {
        *sets[side] = id_set_open(memory);
        TRY(plan_output_ids(inputs[side], sets[side], err));
    }
    return FIRN_OK;
}

static firn_status is_of_side(const expr *value, const id_set *side, bool *out, firn_error *err) {
    id_set mentioned = id_set_open(side->memory);
    TRY(expr_columns(value, &mentioned, err));
    *out = !id_set_is_empty(&mentioned) && id_set_contains(side, &mentioned);
    return FIRN_OK;
}

// < <= > >=: is the second argument the greater one, and may they be equal?
static bool is_comparison(const expr *value, bool *rises, bool *is_strict) {
    static const char *const names[] = {"<", "<=", ">", ">="};
    for (uint32_t i = 0; i < 4; i++) {
        if (expr_is_call(value, names[i])) {
            *rises = i < 2;
            *is_strict = i % 2 == 0;
            return value->call_.args.count == 2;
        }
    }
    return false;
}

firn_status join_range_of(const expr *conjunct, const join_side_ids *sides, bool *is_range,
                          join_range *out, firn_error *err) {
    bool rises;
    bool is_strict;
    *is_range = false;
    if (!is_comparison(conjunct, &rises, &is_strict) || expr_is_volatile(conjunct)) {
        return FIRN_OK;
    }
    expr *const *args = conjunct->call_.args.items;
    if (!type_same_values(args[0]->type, args[1]->type) || !type_has_order_number(args[0]->type)) {
        return FIRN_OK;
    }
    for (int first = 0; first < 2 && !*is_range; first++) {
        bool is_left;
        bool is_right;
        TRY(is_of_side(args[first], &sides->left, &is_left, err));
        TRY(is_of_side(args[1 - first], &sides->right, &is_right, err));
        *is_range = is_left && is_right;
        *out = (join_range){.left = args[first],
                            .right = args[1 - first],
                            .is_lower = rises == (first == 0),
                            .is_strict = is_strict};
    }
    return FIRN_OK;
}

firn_status join_is_range(const plan_node *join, arena *memory, bool *out, firn_error *err) {
    const expr *condition = join->join_.residual;
    join_side_ids sides;
    join_range range;
    *out = false;
    if (condition == NULL || join->join_.left_keys.count > 0 ||
        (join->join_.null_aware && condition->kind == EXPR_AND)) {
        return FIRN_OK;
    }
    TRY(join_side_ids_of(join, memory, &sides, err));
    if (condition->kind != EXPR_AND) {
        return join_range_of(condition, &sides, out, &range, err);
    }
    for (uint32_t i = 0; i < condition->and_.args.count && !*out; i++) {
        TRY(join_range_of(condition->and_.args.items[i], &sides, out, &range, err));
    }
    return FIRN_OK;
}
