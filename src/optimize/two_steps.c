#include "optimize/two_steps.h"

#include "functions/overload.h"
#include "functions/registry.h"

bool two_steps_has_volatile(const expr_list *values) {
    bool found = false;
    for (uint32_t i = 0; i < values->count; i++) {
        found |= expr_is_volatile(values->items[i]);
    }
    return found;
}

static bool is_idempotent(const expr *call) {
    return (call->aggregate_.function->flags & AGGREGATE_DISTINCT_IS_SAME) != 0;
}

bool two_steps_is_distinct(const expr *call) {
    return call->aggregate_.is_distinct && !is_idempotent(call);
}

bool two_steps_has_parts(const expr *call) {
    const aggregate_function *function = call->aggregate_.function;
    const expr *filter = call->aggregate_.filter;
    if (function->overloads[call->aggregate_.overload].collect != NULL ||
        two_steps_is_distinct(call) || call->aggregate_.order.count > 0 ||
        two_steps_has_volatile(&call->aggregate_.args) ||
        (filter != NULL && expr_is_volatile(filter))) {
        return false;
    }
    const bool is_typed_alike = call->aggregate_.args.count == 1 &&
                                type_equal(call->type, call->aggregate_.args.items[0]->type);
    // approx_count_distinct minds no doubles, but its value is none of those it has seen.
    const bool is_own_part =
        is_idempotent(call) && (function->flags & AGGREGATE_EMPTY_IS_ZERO) == 0 && is_typed_alike;
    return is_own_part || expr_is_aggregate(call, "count") || expr_is_aggregate(call, "sum");
}

firn_status two_steps_add_key(two_steps *self, expr *value, expr **out) {
    const uint32_t id = rewrite_new_id(self->self);
    TRY(rewrite_add_id(self->self, &self->inner->aggregate_.key_ids, id));
    TRY(rewrite_add_expr(self->self, &self->inner->aggregate_.keys, value));
    return rewrite_column(self->self, id, value->type, out);
}

firn_status two_steps_open(optimizer *self, const plan_node *node, two_steps *out) {
    *out = (two_steps){.self = self, .has_total = node->aggregate_.keys.count == 0};
    TRY(rewrite_node(self, PLAN_AGGREGATE, &out->inner));
    TRY(rewrite_node(self, PLAN_AGGREGATE, &out->outer));
    out->inner->aggregate_.input = node->aggregate_.input;
    out->inner->aggregate_.set_id = NO_SLOT;
    out->outer->aggregate_.input = out->inner;
    out->outer->aggregate_.sets = node->aggregate_.sets;
    out->outer->aggregate_.set_id = node->aggregate_.set_id;
    for (uint32_t i = 0; i < node->aggregate_.sets.count; i++) {
        out->has_total |= node->aggregate_.sets.items[i] == 0;
    }
    for (uint32_t i = 0; i < node->aggregate_.keys.count; i++) {
        expr *key;
        TRY(two_steps_add_key(out, node->aggregate_.keys.items[i], &key));
        TRY(rewrite_add_id(self, &out->outer->aggregate_.key_ids,
                           node->aggregate_.key_ids.items[i]));
        TRY(rewrite_add_expr(self, &out->outer->aggregate_.keys, key));
        TRY(rewrite_column(self, node->aggregate_.key_ids.items[i], key->type, &key));
        TRY(rewrite_add_expr(self, &out->results, key));
    }
    return FIRN_OK;
}

// The aggregate of the inner one's values that puts them together.
static firn_status make_whole(two_steps *self, const expr *call, expr *part, expr **out) {
    const text name = text_of(is_idempotent(call) ? call->aggregate_.function->name : "sum");
    const overload_request request = {.types = (const type *const[]){call->type},
                                      .args = &part,
                                      .arg_count = 1,
                                      .position = UINT32_MAX,
                                      .context = self->self->context};
    return aggregate_call_new(aggregate_find(name), &request, self->self->memory, out,
                              self->self->err);
}

firn_status two_steps_add_parts(two_steps *self, expr *call, uint32_t id) {
    optimizer *rules = self->self;
    const uint32_t part_id = rewrite_new_id(rules);
    const uint32_t whole_id = rewrite_new_id(rules);
    expr *part;
    expr *whole;
    expr *result;
    TRY(rewrite_add_id(rules, &self->inner->aggregate_.ids, part_id));
    TRY(rewrite_add_expr(rules, &self->inner->aggregate_.aggregates, call));
    TRY(rewrite_column(rules, part_id, call->type, &part));
    TRY(make_whole(self, call, part, &whole));
    call->aggregate_.is_distinct = false; // Of an idempotent one.
    const bool may_be_empty =
        self->has_total && (call->aggregate_.function->flags & AGGREGATE_EMPTY_IS_ZERO) != 0;
    const bool is_same_type = type_equal(whole->type, call->type);
    const bool is_result = is_same_type && !may_be_empty;
    const uint32_t made_id = is_result ? id : whole_id;
    TRY(rewrite_add_id(rules, &self->outer->aggregate_.ids, made_id));
    TRY(rewrite_add_expr(rules, &self->outer->aggregate_.aggregates, whole));
    TRY(rewrite_column(rules, made_id, whole->type, &result));
    self->needs_results |= !is_result;
    if (!is_same_type) {
        result = expr_cast(rules->memory, result, call->type, false, true);
        if (result == NULL) {
            return rewrite_full(rules);
        }
    }
    if (may_be_empty) { // Without a row there is no part.
        expr *zero = expr_i64(rules->memory, call->type, 0);
        if (zero == NULL) {
            return rewrite_full(rules);
        }
        TRY(rewrite_coalesce(rules, result, zero, &result));
    }
    return rewrite_add_expr(rules, &self->results, result);
}

firn_status two_steps_close(two_steps *self, const plan_node *node, plan_node **slot) {
    optimizer *rules = self->self;
    *slot = self->outer;
    if (!self->needs_results) {
        return FIRN_OK;
    }
    u32_list ids = {0};
    for (uint32_t i = 0; i < node->aggregate_.key_ids.count; i++) {
        TRY(rewrite_add_id(rules, &ids, node->aggregate_.key_ids.items[i]));
    }
    for (uint32_t i = 0; i < node->aggregate_.ids.count; i++) {
        TRY(rewrite_add_id(rules, &ids, node->aggregate_.ids.items[i]));
    }
    if (node->aggregate_.set_id != NO_SLOT) {
        expr *set;
        TRY(rewrite_column(rules, node->aggregate_.set_id, TYPE_OF(INTEGER), &set));
        TRY(rewrite_add_id(rules, &ids, node->aggregate_.set_id));
        TRY(rewrite_add_expr(rules, &self->results, set));
    }
    return rewrite_project(rules, self->outer, &ids, &self->results, slot);
}
