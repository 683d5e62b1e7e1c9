// What errors of rows say beyond the expression: the view it stands in, the column it is for.
#include "plan/binder_private.h"

firn_status binder_add_origin(binder *self, bind_origin origin, uint32_t *out) {
    if (self->origins.count >= EXPR_ORIGINS_MAX) {
        *out = origin.position; // So many that this one has to do without words.
        return FIRN_OK;
    }
    *out = EXPR_ORIGIN_FIRST + self->origins.count;
    bind_origin_list *list = &self->origins;
    if (list->count >= list->capacity) {
        list->items =
            binder_grow(self, list->items, list->count, &list->capacity, sizeof *list->items);
        if (list->items == NULL) {
            return binder_full(self);
        }
    }
    list->items[list->count++] = origin;
    return FIRN_OK;
}

firn_status binder_while_filling(binder *self, const field *into, firn_status status) {
    if (status != FIRN_OK) {
        err_while(self->err, "filling the column \"%.*s\"", TEXT_ARGS(into->name));
    }
    return status;
}

static bool mark_plan(void *user, plan_node **slot);

static bool mark_expr(void *user, expr **slot) {
    expr *value = *slot;
    if (value->position < EXPR_ORIGIN_FIRST || value->position == UINT32_MAX) {
        // Else of a view inside this one.
        value->position = *(const uint32_t *)user;
    }
    if (value->kind == EXPR_SUBQUERY) {
        (void)mark_plan(user, &value->subquery_.plan);
    }
    return expr_visit_children(value, mark_expr, user);
}

static bool mark_plan(void *user, plan_node **slot) {
    return plan_visit_exprs(*slot, mark_expr, user) && plan_visit_children(*slot, mark_plan, user);
}

firn_status binder_mark_view(binder *self, const view_definition *view, plan_node **node) {
    bind_origin origin = {.position = UINT32_MAX};
    TRY(text_format(self->memory, &origin.doing, self->err, "reading the view \"%.*s\"",
                    TEXT_ARGS(view->name)));
    uint32_t mark;
    TRY(binder_add_origin(self, origin, &mark));
    (void)mark_plan(&mark, node);
    return FIRN_OK;
}

void binder_place_all(expr **value, uint32_t position) {
    (void)mark_expr(&position, value);
}

void bind_forget_places(const bind_result *self) {
    uint32_t nowhere = UINT32_MAX;
    plan_node *root = self->plan.root;
    (void)mark_plan(&nowhere, &root);
}

void bind_say_origin(const bind_result *self, firn_error *err) {
    if (err->position < EXPR_ORIGIN_FIRST || err->position >= UINT32_MAX) {
        return;
    }
    const uint64_t number = err->position - EXPR_ORIGIN_FIRST;
    err->position = NO_POSITION;
    if (number < self->origins.count) {
        const bind_origin *origin = &self->origins.items[number];
        err->position = origin->position == UINT32_MAX ? NO_POSITION : origin->position;
        err_while(err, "%.*s", TEXT_ARGS(origin->doing));
    }
}
