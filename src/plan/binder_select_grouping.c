// GROUPING(a, b): which of the keys are not in the grouping set that a row is of, a bit each.
//
// While a SELECT is bound it is a column of a new id: which sets there are is known only when GROUP
// BY has been read. Then that column becomes a list with an answer for each set, asked by the
// number of the row's set.
#include "plan/binder_select_private.h"

#define GROUPING_KEYS_MAX 31 // So that it fits an INTEGER.

static firn_status check_grouping(binder *self, const select_state *state,
                                  const sql_call *written) {
    const uint32_t position = written->node.position;
    if (state == NULL || !state->allows_aggregates) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42803", position,
                        "GROUPING is allowed in a select list, HAVING and ORDER BY only");
    }
    if (written->arguments.count == 0 || written->arguments.count > GROUPING_KEYS_MAX) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42883", position,
                        "GROUPING takes 1 to %d keys of GROUP BY, not %zu", GROUPING_KEYS_MAX,
                        written->arguments.count);
    }
    return FIRN_OK;
}

firn_status bind_grouping(binder *self, scope *names, const sql_call *written, expr **out) {
    select_state *state = names->select;
    TRY(check_grouping(self, state, written));
    expr_list args = {0};
    expr *keys;
    TRY(bind_exprs(self, names, &written->arguments, &args));
    TRY(bind_function(self, "row", args.items, args.count, written->node.position, &keys));
    uint32_t id = UINT32_MAX;
    for (uint32_t i = 0; i < state->groupings.count && id == UINT32_MAX; i++) {
        id = expr_equal(state->groupings.items[i], keys) ? state->grouping_ids.items[i] : id;
    }
    if (id == UINT32_MAX) {
        id = binder_new_id(self);
        TRY(expr_list_add(self, &state->groupings, keys));
        TRY(u32_list_add(self, &state->grouping_ids, id));
    }
    *out = expr_column(self->memory, id, TEXT(""), TYPE_OF(INTEGER));
    if (*out == NULL) {
        return binder_full(self);
    }
    (*out)->position = written->node.position;
    return FIRN_OK;
}

// Sets `bits` to the key that each argument is, first to last.
static firn_status find_keys(const select_build *build, const expr *keys, uint32_t *bits) {
    const expr_list *args = &keys->call_.args;
    for (uint32_t i = 0; i < args->count; i++) {
        bits[i] = UINT32_MAX;
        for (uint32_t k = 0; k < build->keys.count; k++) {
            bits[i] = expr_equal(build->keys.items[k], args->items[i]) ? k : bits[i];
        }
        if (bits[i] == UINT32_MAX) {
            return FAIL_SQL(build->self->err, FIRN_INVALID, "42803",
                            keys->position == UINT32_MAX ? NO_POSITION : keys->position,
                            "argument %u of GROUPING is no key of GROUP BY", i + 1);
        }
    }
    return FIRN_OK;
}

static int64_t answer_of(uint32_t set, const uint32_t *bits, uint32_t count) {
    int64_t answer = 0;
    for (uint32_t i = 0; i < count; i++) {
        answer = answer << 1 | (set >> bits[i] & 1 ? 0 : 1);
    }
    return answer;
}

// [answer of set 0, of set 1, …][set + 1], or 0 where there are no sets.
static firn_status make_answer(const select_build *build, const expr *keys, uint32_t set_id,
                               expr **out) {
    binder *self = build->self;
    uint32_t bits[GROUPING_KEYS_MAX];
    TRY(find_keys(build, keys, bits));
    if (build->sets.count == 0) {
        *out = expr_i64(self->memory, TYPE_OF(INTEGER), 0);
        return *out == NULL ? binder_full(self) : FIRN_OK;
    }
    expr_list answers = {0};
    for (uint32_t i = 0; i < build->sets.count; i++) {
        expr *answer = expr_i64(self->memory, TYPE_OF(INTEGER),
                                answer_of(build->sets.items[i], bits, keys->call_.args.count));
        if (answer == NULL) {
            return binder_full(self);
        }
        TRY(expr_list_add(self, &answers, answer));
    }
    expr *sum[2] = {expr_column(self->memory, set_id, TEXT(""), TYPE_OF(INTEGER)),
                    expr_i64(self->memory, TYPE_OF(BIGINT), 1)};
    expr *element[2];
    if (sum[0] == NULL || sum[1] == NULL) {
        return binder_full(self);
    }
    TRY(bind_function(self, "list_value", answers.items, answers.count, keys->position,
                      &element[0]));
    TRY(bind_function(self, "+", sum, 2, keys->position, &element[1]));
    return bind_function(self, "list_element", element, 2, keys->position, out);
}

firn_status select_answer_groupings(select_build *build, plan_node *aggregate) {
    binder *self = build->self;
    select_state *state = build->state;
    if (state->groupings.count > 0 && build->sets.count > 0) {
        aggregate->aggregate_.set_id = binder_new_id(self);
    }
    for (uint32_t i = 0; i < state->groupings.count; i++) {
        expr *answer;
        TRY(make_answer(build, state->groupings.items[i], aggregate->aggregate_.set_id, &answer));
        state->groupings.items[i] = answer;
    }
    return FIRN_OK;
}

bool select_replace_groupings(void *user, expr **slot) {
    const select_build *build = user;
    const select_state *state = build->state;
    if ((*slot)->kind != EXPR_COLUMN) {
        return expr_visit_children(*slot, select_replace_groupings, user);
    }
    for (uint32_t i = 0; i < state->grouping_ids.count; i++) {
        if (state->grouping_ids.items[i] == (*slot)->column_.id) {
            *slot = expr_copy(build->self->memory, state->groupings.items[i]);
            return *slot != NULL;
        }
    }
    return true;
}
