// Expressions: making and walking them. What depends on a node's fields comes from the lists in
// expr.h: one macro per kind of field, applied to every field of the node's kind.
#include "expr/expr.h"

#include "expr/aggregate.h"
#include "expr/cast.h"
#include "expr/id_set.h"

// ---- Making ----------------------------------------------------------------------------------

expr *expr_new(arena *memory, expr_kind kind, const type *type) {
    expr *self = ARENA_NEW(memory, expr, 1);
    if (self != NULL) {
        *self = (expr){.kind = kind, .type = type, .position = UINT32_MAX};
    }
    return self;
}

expr *expr_column(arena *memory, uint32_t id, text name, const type *type) {
    expr *self = expr_new(memory, EXPR_COLUMN, type);
    if (self != NULL) {
        self->column_.id = id;
        self->column_.name = name;
    }
    return self;
}

expr *expr_null(arena *memory, const type *type) {
    expr *self = expr_new(memory, EXPR_LITERAL, type);
    if (self != NULL) {
        self->literal_.value.is_null = true;
    }
    return self;
}

// A literal over `size` bytes of value, which are copied.
static expr *literal_over(arena *memory, const type *type, const void *value, size_t size) {
    expr *self = expr_new(memory, EXPR_LITERAL, type);
    column *constant = ARENA_NEW(memory, column, 1);
    void *bytes = arena_alloc(memory, size, 1);
    if (self == NULL || constant == NULL || bytes == NULL) {
        return NULL;
    }
    memcpy(bytes, value, size);
    *constant = (column){.type = type, .form = FORM_CONSTANT, .length = 1, .values = bytes};
    self->literal_.value.value = constant;
    return self;
}

expr *expr_bool(arena *memory, bool value) {
    const uint64_t bits = value ? 1 : 0;
    return literal_over(memory, TYPE_OF(BOOLEAN), &bits, sizeof bits);
}

#define NARROWED(c_type)                                                                           \
    do {                                                                                           \
        const c_type narrow = (c_type)value;                                                       \
        return literal_over(memory, type, &narrow, sizeof narrow);                                 \
    } while (0)

expr *expr_i64(arena *memory, const type *type, int64_t value) {
    switch ((int)type_physical(type)) {
    case PHYSICAL_I8:
    case PHYSICAL_U8:
        NARROWED(int8_t);
    case PHYSICAL_I16:
    case PHYSICAL_U16:
        NARROWED(int16_t);
    case PHYSICAL_I32:
    case PHYSICAL_U32:
        NARROWED(int32_t);
    case PHYSICAL_I128: {
        const i128 wide = value;
        return literal_over(memory, type, &wide, sizeof wide);
    }
    case PHYSICAL_I256: {
        const i256 wide = i256_from_i64(value);
        return literal_over(memory, type, &wide, sizeof wide);
    }
    default:
        return literal_over(memory, type, &value, sizeof value);
    }
}

expr *expr_string(arena *memory, const type *type, text value) {
    text copy;
    firn_error err = ERR_INIT;
    if (value.size > UINT32_MAX || text_copy(memory, value, &copy, &err) != FIRN_OK) {
        return NULL;
    }
    const string_value string = string_of(copy.data, (uint32_t)copy.size);
    return literal_over(memory, type, &string, sizeof string);
}

// A flat AND or OR of all.
static expr *junction(arena *memory, expr_kind kind, expr *const *sides, uint32_t side_count) {
    expr *self = expr_new(memory, kind, TYPE_OF(BOOLEAN));
    uint32_t count = 0;
    for (uint32_t side = 0; side < side_count; side++) {
        count += sides[side]->kind == kind ? sides[side]->and_.args.count : 1;
    }
    expr **items = ARENA_NEW(memory, expr *, count);
    if (self == NULL || items == NULL) {
        return NULL;
    }
    uint32_t at = 0;
    for (uint32_t side = 0; side < side_count; side++) {
        if (sides[side]->kind != kind) {
            items[at++] = sides[side];
            continue;
        }
        for (uint32_t i = 0; i < sides[side]->and_.args.count; i++) {
            items[at++] = sides[side]->and_.args.items[i];
        }
    }
    self->and_.args = (expr_list){.count = count, .items = items};
    return self;
}

// junction looks at and_ for both kinds.
_Static_assert(offsetof(expr, and_.args) == offsetof(expr, or_.args), "AND and OR lie alike");

static expr *junction_of_two(arena *memory, expr_kind kind, expr *left, expr *right) {
    if (left == NULL || right == NULL) {
        return left == NULL ? right : left;
    }
    expr *const sides[2] = {left, right};
    return junction(memory, kind, sides, 2);
}

expr *expr_and(arena *memory, expr *left, expr *right) {
    return junction_of_two(memory, EXPR_AND, left, right);
}

expr *expr_or(arena *memory, expr *left, expr *right) {
    return junction_of_two(memory, EXPR_OR, left, right);
}

expr *expr_and_all(arena *memory, expr *const *items, uint32_t count) {
    return count == 1 ? items[0] : junction(memory, EXPR_AND, items, count);
}

expr *expr_cast(arena *memory, expr *arg, const type *to, bool is_try, bool is_implicit) {
    if (type_equal(arg->type, to)) {
        return arg;
    }
    expr *self = expr_new(memory, EXPR_CAST, to);
    if (self != NULL) {
        self->cast_.arg = arg;
        self->cast_.is_try = is_try;
        self->cast_.is_implicit = is_implicit;
        self->position = arg->position;
    }
    return self;
}

expr *expr_call(arena *memory, const scalar_function *function, uint32_t overload, const type *type,
                expr *const *args, uint32_t arg_count) {
    expr *self = expr_new(memory, EXPR_CALL, type);
    expr **items = ARENA_NEW(memory, expr *, arg_count == 0 ? 1 : arg_count);
    if (self == NULL || items == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < arg_count; i++) {
        items[i] = args[i];
    }
    self->call_.function = function;
    self->call_.overload = overload;
    self->call_.args = (expr_list){.count = arg_count, .items = items};
    return self;
}

firn_status expr_literal_of(arena *memory, const column *source, uint32_t row, expr **out,
                            firn_error *err) {
    expr *self = expr_null(memory, source->type);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *out = self;
    if (!column_is_valid(source, row)) {
        return FIRN_OK;
    }
    column taken;
    TRY(column_take(memory, source, &row, 1, &taken, err));
    column *constant = ARENA_NEW(memory, column, 1);
    if (constant == NULL) {
        return ARENA_FULL(memory, err);
    }
    TRY(column_copy(memory, &taken, constant, err));
    constant->form = FORM_CONSTANT;
    constant->validity = NULL;
    self->literal_.value = (literal){.is_null = false, .value = constant};
    return FIRN_OK;
}

// ---- Children --------------------------------------------------------------------------------

typedef struct walk {
    expr_visit visit;
    void *user;
} walk;

static bool visit_expr(expr **slot, walk with) {
    return *slot == NULL || with.visit(with.user, slot);
}

static bool visit_exprs(expr_list *list, walk with) {
    for (uint32_t i = 0; i < list->count; i++) {
        if (!visit_expr(&list->items[i], with)) {
            return false;
        }
    }
    return true;
}

static bool visit_keys(sort_key_list *list, walk with) {
    for (uint32_t i = 0; i < list->count; i++) {
        if (!visit_expr(&list->items[i].value, with)) {
            return false;
        }
    }
    return true;
}

#define NOTHING(slot) true
#define VISIT_U32 NOTHING
#define VISIT_BOOL NOTHING
#define VISIT_TEXT NOTHING
#define VISIT_BYTES NOTHING
#define VISIT_LITERAL NOTHING
#define VISIT_COLUMN_DATA NOTHING
#define VISIT_U32S NOTHING
#define VISIT_FUNCTION NOTHING
#define VISIT_AGGREGATE NOTHING
#define VISIT_PLAN NOTHING
#define VISIT_EXPR(slot) visit_expr(slot, with)
#define VISIT_EXPRS(slot) visit_exprs(slot, with)
#define VISIT_SORT_KEYS(slot) visit_keys(slot, with)

bool expr_visit_children(expr *self, expr_visit visit, void *user) {
    const walk with = {.visit = visit, .user = user};
    switch (self->kind) {
#define VISIT(kind, name) &&VISIT_##kind(&node->name)
#define X(NAME, word, text)                                                                        \
    case EXPR_##NAME: {                                                                            \
        __typeof__(self->word##_) *node = &self->word##_;                                          \
        (void)node;                                                                                \
        return true EXPR_##NAME##_FIELDS(VISIT);                                                   \
    }
        EXPR_KIND_LIST(X)
#undef X
#undef VISIT
    case EXPR_KIND_COUNT:
        break;
    }
    return true;
}

// ---- What a tree is --------------------------------------------------------------------------

uint32_t expr_call_flags(const expr *self) {
    const scalar_function *function = self->call_.function;
    const overload *chosen = &function->overloads[self->call_.overload];
    const uint32_t flags = (function->flags | chosen->flags_set) & ~chosen->flags_cleared;
    if ((flags & FUNCTION_CAN_FAIL) != 0 && chosen->cannot_fail != NULL &&
        chosen->cannot_fail(self)) {
        return flags & ~(uint32_t)FUNCTION_CAN_FAIL;
    }
    return flags;
}

bool expr_is_call(const expr *self, const char *name) {
    return self->kind == EXPR_CALL && strcmp(self->call_.function->name, name) == 0;
}

bool expr_is_aggregate(const expr *self, const char *name) {
    return self->kind == EXPR_AGGREGATE && strcmp(self->aggregate_.function->name, name) == 0;
}

// The answer of a question about all nodes: visiting stops when it is found to be yes.
typedef struct question {
    bool (*node_says)(const expr *self);
    bool stops_at_try;
    bool is_yes;
} question;

static bool ask(void *user, expr **slot) {
    question *state = user;
    state->is_yes = state->node_says(*slot);
    if (!state->is_yes && !(state->stops_at_try && (*slot)->kind == EXPR_TRY)) {
        (void)expr_visit_children(*slot, ask, state);
    }
    return !state->is_yes;
}

static bool any_node(const expr *self, question state) {
    expr *root = (expr *)(uintptr_t)self; // Visiting changes nothing here.
    (void)ask(&state, &root);
    return state.is_yes;
}

static bool node_can_fail(const expr *self) {
    switch (self->kind) {
    case EXPR_CALL:
        return (expr_call_flags(self) & FUNCTION_CAN_FAIL) != 0;
    case EXPR_CAST:
        return !self->cast_.is_try && cast_find(self->cast_.arg->type, self->type).can_fail;
    case EXPR_AGGREGATE:
        return (self->aggregate_.function->flags & AGGREGATE_CAN_FAIL) != 0;
    case EXPR_SUBQUERY:
        return true;
    case EXPR_COLUMN:
    case EXPR_LITERAL:
    case EXPR_PARAMETER:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_CASE:
    case EXPR_COALESCE:
    case EXPR_IN:
    case EXPR_TRY:
    case EXPR_DYNAMIC:
    case EXPR_LAMBDA:
    case EXPR_KIND_COUNT:
        break;
    }
    return false;
}

bool expr_can_fail(const expr *self) {
    return any_node(self, (question){.node_says = node_can_fail, .stops_at_try = true});
}

static bool node_is_volatile(const expr *self) {
    return self->kind == EXPR_CALL && (expr_call_flags(self) & FUNCTION_VOLATILE) != 0;
}

bool expr_is_volatile(const expr *self) {
    return any_node(self, (question){.node_says = node_is_volatile});
}

static bool node_makes_long(const expr *self) {
    return self->kind != EXPR_COLUMN && self->kind != EXPR_LITERAL &&
           type_has_any_length(self->type);
}

bool expr_makes_long_values(const expr *self) {
    return any_node(self, (question){.node_says = node_makes_long});
}

// Lambdas around a node: their parameters are no columns of the input.
typedef struct lambda_scope {
    const u32_list *parameters;
    const struct lambda_scope *outer;
} lambda_scope;

static bool is_parameter(const lambda_scope *scope, uint32_t id) {
    for (; scope != NULL; scope = scope->outer) {
        for (uint32_t i = 0; i < scope->parameters->count; i++) {
            if (scope->parameters->items[i] == id) {
                return true;
            }
        }
    }
    return false;
}

typedef struct constant_walk {
    const lambda_scope *scope;
    bool is_constant;
} constant_walk;

static bool find_variable(void *user, expr **slot) {
    constant_walk *state = user;
    expr *self = *slot;
    const lambda_scope inner = {.parameters =
                                    self->kind == EXPR_LAMBDA ? &self->lambda_.parameters : NULL,
                                .outer = state->scope};
    switch (self->kind) {
    case EXPR_COLUMN:
        state->is_constant = is_parameter(state->scope, self->column_.id);
        return state->is_constant;
    case EXPR_PARAMETER:
    case EXPR_DYNAMIC:
    case EXPR_SUBQUERY:
    case EXPR_AGGREGATE:
        state->is_constant = false;
        return false;
    case EXPR_CALL:
        if (node_is_volatile(self)) {
            state->is_constant = false;
            return false;
        }
        break;
    case EXPR_LAMBDA:
        state->scope = &inner;
        break;
    case EXPR_LITERAL:
    case EXPR_CAST:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_CASE:
    case EXPR_COALESCE:
    case EXPR_IN:
    case EXPR_TRY:
    case EXPR_KIND_COUNT:
        break;
    }
    (void)expr_visit_children(self, find_variable, state);
    if (self->kind == EXPR_LAMBDA) {
        state->scope = inner.outer;
    }
    return state->is_constant;
}

bool expr_is_constant(const expr *self) {
    constant_walk state = {.is_constant = true};
    expr *root = (expr *)(uintptr_t)self;
    (void)find_variable(&state, &root);
    return state.is_constant;
}

typedef struct column_walk {
    id_set *ids;
    const lambda_scope *scope;
    firn_error *err;
    firn_status status;
} column_walk;

static bool add_columns(void *user, expr **slot) {
    column_walk *state = user;
    expr *self = *slot;
    if (self->kind == EXPR_COLUMN) {
        if (!is_parameter(state->scope, self->column_.id)) {
            state->status = id_set_add(state->ids, self->column_.id, state->err);
        }
        return state->status == FIRN_OK;
    }
    if (self->kind == EXPR_SUBQUERY) {
        const u32_list *outer = &self->subquery_.outer_ids;
        for (uint32_t i = 0; i < outer->count && state->status == FIRN_OK; i++) {
            state->status = id_set_add(state->ids, outer->items[i], state->err);
        }
    }
    const lambda_scope *around = state->scope;
    const lambda_scope inner = {.parameters =
                                    self->kind == EXPR_LAMBDA ? &self->lambda_.parameters : NULL,
                                .outer = around};
    if (self->kind == EXPR_LAMBDA) {
        state->scope = &inner;
    }
    const bool goes_on = state->status == FIRN_OK && expr_visit_children(self, add_columns, state);
    state->scope = around;
    return goes_on;
}

firn_status expr_columns(const expr *self, id_set *out, firn_error *err) {
    column_walk state = {.ids = out, .err = err, .status = FIRN_OK};
    expr *root = (expr *)(uintptr_t)self;
    (void)add_columns(&state, &root);
    return state.status;
}

firn_status expr_say_second_row(uint32_t position, firn_error *err) {
    firn_status status = FAIL_SQL(err, FIRN_INVALID, "21000", position,
                                  "a subquery used as a value gave more than one row");
    err_hint(err, "LIMIT 1 or an aggregate makes it one row, IN and ANY compare with all of them");
    return status;
}
