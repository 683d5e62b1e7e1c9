// A domain with lists, or with texts that are taken apart: each row that is made of one would carry
// the whole value as its key. So D is numbered, and kept once:
//
//     D = NUMBER (distinct values)
//     left JOIN D ON left's columns = D's (NULL equal to NULL), one look-up for each row of the
//     left right', computed by D's numbers alone
#include "optimize/unnest_domain.h"

static bool has_list(const type *self) {
    bool found = self->id == TYPE_LIST || self->id == TYPE_MAP;
    for (uint32_t i = 0; i < self->child_count && !found; i++) {
        found = has_list(self->children[i].type);
    }
    return found;
}

static bool has_unnest(void *user, plan_node **slot) {
    bool *found = user;
    *found |= (*slot)->kind == PLAN_UNNEST;
    return !*found && plan_visit_children(*slot, has_unnest, user);
}

static bool is_long(const domain *self, plan_node *right) {
    bool is_list = false;
    bool is_text = false;
    for (uint32_t i = 0; i < self->columns.count; i++) {
        is_list |= has_list(self->types[i]);
        is_text |= type_physical(self->types[i]) == PHYSICAL_STRING;
    }
    bool is_taken_apart = false;
    if (is_text && !is_list) {
        (void)has_unnest(&is_taken_apart, &right);
    }
    return is_list || is_taken_apart;
}

firn_status domain_read_numbered(domain *self, plan_node **out, domain_ids *made) {
    optimizer *rules = self->self;
    plan_node *scan;
    TRY(rewrite_node(rules, PLAN_SHARED_SCAN, &scan));
    *made = (domain_ids){0};
    for (uint32_t i = 0; i < self->kept_ids.count; i++) {
        TRY(rewrite_add_id(rules, &made->items, rewrite_new_id(rules)));
        TRY(rewrite_add_id(rules, &scan->shared_scan_.ids, made->items.items[i]));
    }
    scan->shared_scan_.source_ids = self->kept_ids;
    scan->shared_scan_.columns = self->kept;
    scan->shared_scan_.slot = self->slot;
    *out = scan;
    return FIRN_OK;
}

// Distinct values with their number, under the ids that are kept.
static firn_status define(domain *self, plan_node **out) {
    optimizer *rules = self->self;
    plan_node *number;
    TRY(rewrite_node(rules, PLAN_NUMBER, &number));
    TRY(unnest_distinct(rules, self->left, &self->columns, self->types, &self->tagged,
                        &number->number_.input, &self->kept_ids));
    number->number_.id = rewrite_new_id(rules);
    TRY(rewrite_add_id(rules, &self->kept_ids, number->number_.id));
    field *fields = ARENA_NEW(rules->memory, field, self->kept_ids.count);
    if (fields == NULL) {
        return rewrite_full(rules);
    }
    for (uint32_t i = 0; i < self->kept_ids.count; i++) {
        const type *of = i < self->outer.count ? self->types[i] : TYPE_OF(BIGINT);
        fields[i] = (field){.type = of, .is_nullable = true, .id = -1};
    }
    self->kept = (schema){.count = self->kept_ids.count, .fields = fields};
    *out = number;
    return FIRN_OK;
}

// Each row of the left finds its values in D.
static firn_status find_numbers(domain *self, plan_node **left, uint32_t *number) {
    plan_node *join;
    domain_ids made;
    const domain_ids own = {.items = self->outer};
    TRY(rewrite_node(self->self, PLAN_JOIN, &join));
    TRY(domain_read_numbered(self, &join->join_.right, &made));
    join->join_.left = *left;
    join->join_.join = JOIN_INNER;
    join->join_.mark_id = NO_SLOT;
    *left = join;
    *number = made.items.items[self->outer.count];
    return domain_equal(self, &own, &made, &join->join_.residual);
}

firn_status domain_number(domain *self, plan_node **left, plan_node *right, plan_node **shared) {
    optimizer *rules = self->self;
    id_set needed = id_set_open(rules->memory);
    *shared = NULL;
    if (!is_long(self, right)) {
        return FIRN_OK;
    }
    TRY(rewrite_free(rules, (plan_node *)(uintptr_t)self->left, &needed));
    if (!id_set_is_empty(&needed)) { // D would be made anew for each row further out.
        return FIRN_OK;
    }
    uint32_t number;
    TRY(rewrite_node(rules, PLAN_SHARED, shared));
    TRY(define(self, &(*shared)->shared_.definition));
    self->slot = rules->plan->shared_count++;
    (*shared)->shared_.slot = self->slot;
    TRY(find_numbers(self, left, &number));
    self->is_numbered = true;
    self->key_first = self->outer.count;
    self->types[self->outer.count] = TYPE_OF(BIGINT);
    return rewrite_add_id(rules, &self->outer, number);
}
