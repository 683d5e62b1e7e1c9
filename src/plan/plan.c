// Plan nodes: making, walking, comparing, and what each hands out. The walks over fields come from
// the lists in plan.h: one macro per kind of field, applied to every field of the node's kind.
#include "plan/plan.h"

#include <assert.h>

plan_node *plan_new(arena *memory, plan_kind kind) {
    plan_node *node = ARENA_NEW(memory, plan_node, 1);
    if (node != NULL) {
        *node = (plan_node){.kind = kind, .row_estimate = -1, .position = UINT32_MAX};
        if (kind == PLAN_SCAN) {
            node->scan_.row_id = NO_SLOT;
        }
    }
    return node;
}

bool plan_has_position(const plan_node *self) {
    return self->kind == PLAN_SINGLE_ROW || self->kind == PLAN_CHANGE_ONCE ||
           (self->kind == PLAN_JOIN && self->join_.join == JOIN_SINGLE) ||
           (self->kind == PLAN_DEPENDENT_JOIN && self->dependent_join_.join == JOIN_SINGLE);
}

static bool is_known(const expr *value) {
    return value == NULL || value->kind == EXPR_LITERAL;
}

bool plan_limit_is_known(const plan_node *limit) {
    return is_known(limit->limit_.limit) && is_known(limit->limit_.offset);
}

// ---- Visiting --------------------------------------------------------------------------------

typedef struct plan_walk {
    plan_visit visit;
    void *user;
} plan_walk;

static bool visit_plan(plan_node **slot, plan_walk walk) {
    return *slot == NULL || walk.visit(walk.user, slot);
}

static bool visit_plans(plan_list *list, plan_walk walk) {
    for (uint32_t i = 0; i < list->count; i++) {
        if (!visit_plan(&list->items[i], walk)) {
            return false;
        }
    }
    return true;
}

typedef struct expr_walk {
    expr_visit visit;
    void *user;
} expr_walk;

static bool visit_expr(expr **slot, expr_walk walk) {
    return *slot == NULL || walk.visit(walk.user, slot);
}

static bool visit_exprs(expr_list *list, expr_walk walk) {
    for (uint32_t i = 0; i < list->count; i++) {
        if (!visit_expr(&list->items[i], walk)) {
            return false;
        }
    }
    return true;
}

static bool visit_keys(sort_key_list *list, expr_walk walk) {
    for (uint32_t i = 0; i < list->count; i++) {
        if (!visit_expr(&list->items[i].value, walk)) {
            return false;
        }
    }
    return true;
}

// Kinds of fields that hold no plans (expressions): nothing to visit.
#define NOTHING(slot) true
#define PLANS_IN_U32 NOTHING
#define PLANS_IN_U64 NOTHING
#define PLANS_IN_BOOL NOTHING
#define PLANS_IN_TEXT NOTHING
#define PLANS_IN_SCHEMA NOTHING
#define PLANS_IN_EXPR NOTHING
#define PLANS_IN_EXPRS NOTHING
#define PLANS_IN_U32S NOTHING
#define PLANS_IN_SORT_KEYS NOTHING
#define PLANS_IN_SCAN_COLUMNS NOTHING
#define PLANS_IN_COLUMNS_DATA NOTHING
#define PLANS_IN_PLAN(slot) visit_plan(slot, walk)
#define PLANS_IN_PLANS(slot) visit_plans(slot, walk)
#define EXPRS_IN_U32 NOTHING
#define EXPRS_IN_U64 NOTHING
#define EXPRS_IN_BOOL NOTHING
#define EXPRS_IN_TEXT NOTHING
#define EXPRS_IN_SCHEMA NOTHING
#define EXPRS_IN_U32S NOTHING
#define EXPRS_IN_SCAN_COLUMNS NOTHING
#define EXPRS_IN_COLUMNS_DATA NOTHING
#define EXPRS_IN_PLAN NOTHING
#define EXPRS_IN_PLANS NOTHING
#define EXPRS_IN_EXPR(slot) visit_expr(slot, walk)
#define EXPRS_IN_EXPRS(slot) visit_exprs(slot, walk)
#define EXPRS_IN_SORT_KEYS(slot) visit_keys(slot, walk)

bool plan_visit_children(plan_node *self, plan_visit visit, void *user) {
    const plan_walk walk = {.visit = visit, .user = user};
    switch (self->kind) {
#define X(NAME, word, label, text)                                                                 \
    case PLAN_##NAME: {                                                                            \
        __typeof__(self->word##_) *node = &self->word##_;                                          \
        (void)node;                                                                                \
        return true PLAN_##NAME##_FIELDS(VISIT);                                                   \
    }
#define VISIT(kind, name) &&PLANS_IN_##kind(&node->name)
        PLAN_KIND_LIST(X)
#undef VISIT
#undef X
    case PLAN_KIND_COUNT:
        break;
    }
    return true;
}

bool plan_visit_exprs(plan_node *self, expr_visit visit, void *user) {
    const expr_walk walk = {.visit = visit, .user = user};
    switch (self->kind) {
#define X(NAME, word, label, text)                                                                 \
    case PLAN_##NAME: {                                                                            \
        __typeof__(self->word##_) *node = &self->word##_;                                          \
        (void)node;                                                                                \
        return true PLAN_##NAME##_FIELDS(VISIT);                                                   \
    }
#define VISIT(kind, name) &&EXPRS_IN_##kind(&node->name)
        PLAN_KIND_LIST(X)
#undef VISIT
#undef X
    case PLAN_KIND_COUNT:
        break;
    }
    return true;
}

typedef struct numbering {
    uint32_t next;
} numbering;

static bool number_node(void *user, plan_node **slot) {
    numbering *state = user;
    (*slot)->number = state->next++;
    return plan_visit_children(*slot, number_node, user);
}

void plan_number(plan_node *root) {
    numbering state = {.next = 1};
    (void)number_node(&state, &root);
}

// ---- Equality --------------------------------------------------------------------------------

static bool equal_plans(plan_list left, plan_list right) {
    bool same = left.count == right.count;
    for (uint32_t i = 0; same && i < left.count; i++) {
        same = plan_equal(left.items[i], right.items[i]);
    }
    return same;
}

static bool equal_expr(const expr *left, const expr *right) {
    return left == right || (left != NULL && right != NULL && expr_equal(left, right));
}

static bool equal_exprs(expr_list left, expr_list right) {
    bool same = left.count == right.count;
    for (uint32_t i = 0; same && i < left.count; i++) {
        same = equal_expr(left.items[i], right.items[i]);
    }
    return same;
}

static bool equal_u32s(u32_list left, u32_list right) {
    return left.count == right.count &&
           (left.count == 0 || memcmp(left.items, right.items, left.count * sizeof(uint32_t)) == 0);
}

static bool equal_keys(sort_key_list left, sort_key_list right) {
    bool same = left.count == right.count;
    for (uint32_t i = 0; same && i < left.count; i++) {
        same = equal_expr(left.items[i].value, right.items[i].value) &&
               left.items[i].is_descending == right.items[i].is_descending &&
               left.items[i].nulls_first == right.items[i].nulls_first;
    }
    return same;
}

static bool equal_schema(schema left, schema right) {
    bool same = left.count == right.count;
    for (uint32_t i = 0; same && i < left.count; i++) {
        same = text_equal(left.fields[i].name, right.fields[i].name) &&
               type_equal(left.fields[i].type, right.fields[i].type);
    }
    return same;
}

static bool equal_scan_columns(scan_column_list left, scan_column_list right) {
    bool same = left.count == right.count;
    for (uint32_t i = 0; same && i < left.count; i++) {
        const scan_column *l = &left.items[i];
        const scan_column *r = &right.items[i];
        same = l->id == r->id && l->path_length == r->path_length && type_equal(l->type, r->type) &&
               memcmp(l->path, r->path, l->path_length * sizeof *l->path) == 0;
    }
    return same;
}

static bool equal_data(column_data_list left, column_data_list right) {
    if (left.count != right.count) {
        return false;
    }
    for (uint32_t i = 0; i < left.count; i++) {
        const column *l = &left.items[i];
        const column *r = &right.items[i];
        if (l->length != r->length || !type_equal(l->type, r->type)) {
            return false;
        }
        for (uint32_t row = 0; row < l->length; row++) {
            if (!column_rows_equal(l, row, r, row)) {
                return false;
            }
        }
    }
    return true;
}

#define EQUAL_U32(l, r) ((l) == (r))
#define EQUAL_U64(l, r) ((l) == (r))
#define EQUAL_BOOL(l, r) ((l) == (r))
#define EQUAL_TEXT(l, r) text_equal(l, r)
#define EQUAL_SCHEMA(l, r) equal_schema(l, r)
#define EQUAL_EXPR(l, r) equal_expr(l, r)
#define EQUAL_EXPRS(l, r) equal_exprs(l, r)
#define EQUAL_U32S(l, r) equal_u32s(l, r)
#define EQUAL_SORT_KEYS(l, r) equal_keys(l, r)
#define EQUAL_PLAN(l, r) plan_equal(l, r)
#define EQUAL_PLANS(l, r) equal_plans(l, r)
#define EQUAL_SCAN_COLUMNS(l, r) equal_scan_columns(l, r)
#define EQUAL_COLUMNS_DATA(l, r) equal_data(l, r)

bool plan_equal(const plan_node *left, const plan_node *right) {
    if (left == right) {
        return true;
    }
    if (left == NULL || right == NULL || left->kind != right->kind) {
        return false;
    }
    switch (left->kind) {
#define X(NAME, word, label, text)                                                                 \
    case PLAN_##NAME: {                                                                            \
        const __typeof__(left->word##_) *l = &left->word##_;                                       \
        const __typeof__(left->word##_) *r = (const void *)&right->word##_;                        \
        return true PLAN_##NAME##_FIELDS(EQUAL);                                                   \
    }
#define EQUAL(kind, name) &&EQUAL_##kind(l->name, r->name)
        PLAN_KIND_LIST(X)
#undef EQUAL
#undef X
    case PLAN_KIND_COUNT:
        break;
    }
    return false;
}
