// Values that are equal and not the same, as 0.0 and -0.0, '1 mon' and '30 days': a subquery that
// looks at more than their equality is computed for each of them. So D is distinct by a tag too,
// which such values do not have in common. Comparisons cannot tell them apart: no tag for these.
#include "functions/overload.h"
#include "optimize/equal_values.h"
#include "optimize/unnest_domain.h"

typedef struct looking {
    id_set ids;
    bool sees_more;
} looking;

static bool look_plan(void *user, plan_node **slot);

static bool look_queries(void *user, expr **slot) {
    const bool goes_on =
        (*slot)->kind != EXPR_SUBQUERY || look_plan(user, &(*slot)->subquery_.plan);
    return goes_on && expr_visit_children(*slot, look_queries, user);
}

static bool look_expr(void *user, expr **slot) {
    looking *self = user;
    self->sees_more |= !expr_is_of_equals(*slot, &self->ids);
    return !self->sees_more && look_queries(user, slot);
}

static bool look_plan(void *user, plan_node **slot) {
    return plan_visit_exprs(*slot, look_expr, user) && plan_visit_children(*slot, look_plan, user);
}

firn_status unnest_find_tagged(optimizer *self, plan_node *right, expr *condition,
                               const u32_list *columns, const type *const *types, u32_list *out) {
    for (uint32_t i = 0; i < columns->count; i++) {
        if (type_equal_is_same(types[i])) {
            continue;
        }
        looking state = {.ids = id_set_open(self->memory)};
        TRY(id_set_add(&state.ids, columns->items[i], self->err));
        (void)(right == NULL || look_plan(&state, &right));
        (void)(condition == NULL || look_expr(&state, &condition));
        if (state.sees_more) {
            TRY(rewrite_add_id(self, out, i));
        }
    }
    return FIRN_OK;
}

firn_status unnest_tag(optimizer *self, uint32_t id, const type *of, expr **out) {
    TRY(rewrite_column(self, id, of, out));
    return function_call_named(TEXT("equal_tag"), out, 1, self->memory, out, self->err);
}

firn_status domain_tag(domain *self, plan_node **left, plan_node *right) {
    optimizer *rules = self->self;
    u32_list ids = {0};
    expr_list values = {0};
    self->outer = (u32_list){0};
    for (uint32_t i = 0; i < self->columns.count; i++) {
        TRY(rewrite_add_id(rules, &self->outer, self->columns.items[i]));
    }
    TRY(unnest_find_tagged(rules, right, NULL, &self->columns, self->types, &self->tagged));
    if (self->tagged.count == 0) {
        return FIRN_OK;
    }
    TRY(rewrite_pass(rules, *left, &ids, &values));
    for (uint32_t i = 0; i < self->tagged.count; i++) {
        const uint32_t at = self->tagged.items[i];
        const uint32_t id = rewrite_new_id(rules);
        expr *tag;
        TRY(unnest_tag(rules, self->columns.items[at], self->types[at], &tag));
        TRY(rewrite_add_id(rules, &ids, id));
        TRY(rewrite_add_expr(rules, &values, tag));
        self->types[self->outer.count] = TYPE_OF(BINARY);
        TRY(rewrite_add_id(rules, &self->outer, id));
    }
    return rewrite_project(rules, *left, &ids, &values, left);
}
