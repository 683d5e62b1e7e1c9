#include "optimize/equal_values.h"

static bool compares(const expr *self) {
    static const char *const names[] = {
        "=",       "<>",         "<", "<=", ">", ">=", "is_distinct_from", "is_not_distinct_from",
        "is_null", "is_not_null"};
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        found |= expr_is_call(self, names[i]);
    }
    return found || self->kind == EXPR_IN || self->kind == EXPR_SUBQUERY;
}

// Casts that a comparison of two types asks for keep the order.
static bool is_plain(const expr *self) {
    while (self->kind == EXPR_CAST && self->cast_.is_implicit) {
        self = self->cast_.arg;
    }
    return self->kind == EXPR_COLUMN;
}

typedef struct looking {
    const id_set *ids;
    bool is_compared; // What the parent does with its children.
    bool is_of_equals;
} looking;

static bool look(void *user, expr **slot) {
    looking *self = user;
    if (!self->is_compared || !is_plain(*slot)) {
        self->is_of_equals = self->is_of_equals && expr_is_of_equals(*slot, self->ids);
    }
    return self->is_of_equals;
}

bool expr_is_of_equals(const expr *self, const id_set *ids) {
    if (self->kind == EXPR_COLUMN) {
        return ids == NULL ? type_equal_is_bytes(self->type) : !id_set_has(ids, self->column_.id);
    }
    looking state = {.ids = ids, .is_compared = compares(self), .is_of_equals = true};
    (void)expr_visit_children((expr *)(uintptr_t)self, look, &state);
    return state.is_of_equals;
}
