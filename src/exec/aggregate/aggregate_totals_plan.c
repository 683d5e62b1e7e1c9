// Which aggregates can be added up by combinations of dictionary entries.
#include "exec/aggregate/aggregate_totals.h"
#include "expr/expr_index.h"
#include "expr/id_set.h"

#define LEAVES_MAX (TOTALS_FACTORS_MAX + 1)

typedef struct planning {
    const aggregate_shape *shape;
    const input_layout *input;
    totals_plan *plan;
    arena *memory;
    const expr **roots; // Of the factors, …
    expr_index known;   // … which it finds again.
    firn_status status; // Of adding to that.
    firn_error *err;
} planning;

// The factors of a product.
typedef struct leaf_list {
    uint32_t count;
    const expr *items[LEAVES_MAX];
} leaf_list;

static uint32_t position_of(const planning *self, const expr *value) {
    const uint32_t place =
        value->kind == EXPR_COLUMN ? input_layout_find(self->input, value->column_.id) : NO_PLACE;
    return place == NO_PLACE ? ROW_NONE : place;
}

static uint32_t find(const uint32_t *list, uint32_t count, uint32_t wanted) {
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] == wanted) {
            return i;
        }
    }
    return ROW_NONE;
}

static bool add_dimension(totals_plan *plan, uint32_t position) {
    if (find(plan->dimensions, plan->dimension_count, position) != ROW_NONE) {
        return true;
    }
    if (plan->dimension_count == TOTALS_DIMENSIONS_MAX) {
        return false;
    }
    plan->dimensions[plan->dimension_count++] = position;
    return true;
}

// ---- Products ----------------------------------------------------------------------------------

// Whole numbers of at most 128 bits: their products and sums are exact.
static bool is_whole(const type *of) {
    switch ((int)type_physical(of)) {
    case PHYSICAL_I8:
    case PHYSICAL_I16:
    case PHYSICAL_I32:
    case PHYSICAL_I64:
    case PHYSICAL_I128:
        return of->id == TYPE_DECIMAL || type_category_of(of) == CATEGORY_INTEGER;
    default:
        return false;
    }
}

static bool is_decimal(const expr *value) {
    return value->type->id == TYPE_DECIMAL && is_whole(value->type);
}

// A product of decimals that nothing was rounded off of.
static bool is_exact_product(const expr *value) {
    if (!expr_is_call(value, "*") || !is_decimal(value) || value->call_.args.count != 2) {
        return false;
    }
    const expr *left = value->call_.args.items[0];
    const expr *right = value->call_.args.items[1];
    return is_decimal(left) && is_decimal(right) &&
           value->type->scale == left->type->scale + right->type->scale;
}

// The factors of `value`, from left to right. False if there are too many. Recursion ends with the
// list.
static bool add_leaves(const expr *value, uint32_t depth, leaf_list *out) {
    if (is_exact_product(value) && depth < LEAVES_MAX) {
        return add_leaves(value->call_.args.items[0], depth + 1, out) &&
               add_leaves(value->call_.args.items[1], depth + 1, out);
    }
    if (out->count == LEAVES_MAX) {
        return false;
    }
    out->items[out->count++] = value;
    return true;
}

static bool is_measure(const planning *self, const expr *leaf) {
    const uint32_t position = position_of(self, leaf);
    const physical layout = type_physical(leaf->type);
    return position != ROW_NONE && (layout == PHYSICAL_I32 || layout == PHYSICAL_I64) &&
           find(self->plan->dimensions, self->plan->dimension_count, position) == ROW_NONE;
}

// ---- Terms -------------------------------------------------------------------------------------

static bool add_factor(planning *self, const expr *leaf, totals_term *term) {
    totals_plan *plan = self->plan;
    if (term->factor_count == TOTALS_FACTORS_MAX) {
        return false;
    }
    uint32_t root = expr_index_find(&self->known, leaf);
    if (root == NO_EXPR) {
        root = plan->factor_count++;
        self->roots[root] = leaf;
        self->status = expr_index_add(&self->known, leaf, self->memory, self->err);
    }
    term->factors[term->factor_count++] = root;
    return self->status == FIRN_OK;
}

static bool add_measure(planning *self, const expr *leaf, totals_term *term) {
    totals_plan *plan = self->plan;
    const uint32_t position = position_of(self, leaf);
    term->measure = find(plan->measures, plan->measure_count, position);
    if (term->measure == ROW_NONE && plan->measure_count < TOTALS_MEASURES_MAX) {
        term->measure = plan->measure_count;
        plan->measures[plan->measure_count++] = position;
    }
    return term->measure != ROW_NONE;
}

static bool add_product(planning *self, const aggregate_slot *slot, totals_term *term) {
    const expr *arg = slot->call->aggregate_.args.items[0];
    leaf_list leaves = {.count = 0};
    if (slot->arg_count != 1 || !is_whole(arg->type) || !add_leaves(arg, 0, &leaves)) {
        return false;
    }
    for (uint32_t i = 0; i < leaves.count; i++) {
        const bool is_first = term->measure == ROW_NONE && is_measure(self, leaves.items[i]);
        if (!(is_first ? add_measure(self, leaves.items[i], term)
                       : add_factor(self, leaves.items[i], term))) {
            return false;
        }
    }
    return true;
}

// count: of all rows, or of those where columns have a value.
static bool add_count(planning *self, const aggregate_slot *slot, totals_term *term) {
    term->counts_rows = true;
    for (uint32_t i = 0; i < slot->arg_count; i++) {
        const uint32_t position = position_of(self, slot->call->aggregate_.args.items[i]);
        if (position == ROW_NONE) {
            return false;
        }
        self->plan->present[self->plan->present_count++] = position;
    }
    return true;
}

static bool add_term(planning *self, const aggregate_slot *slot, totals_term *term) {
    *term = (totals_term){.measure = ROW_NONE};
    if (slot->overload->update_total == NULL || slot->filter != ROW_NONE ||
        slot->collector != ROW_NONE || !slot->skips_nulls) {
        return false;
    }
    return (slot->call->aggregate_.function->flags & AGGREGATE_VALIDITY_ONLY) != 0
               ? add_count(self, slot, term)
               : add_product(self, slot, term);
}

// Columns of factors become dimensions.
static firn_status add_columns(planning *self, bool *fits) {
    id_set ids = id_set_open(self->memory);
    for (uint32_t i = 0; i < self->plan->factor_count; i++) {
        TRY(expr_columns(self->roots[i], &ids, self->err));
        *fits = *fits && !expr_is_volatile(self->roots[i]);
    }
    for (uint32_t i = 0; i < self->input->count && *fits; i++) {
        if (id_set_has(&ids, self->input->ids[i])) {
            *fits = add_dimension(self->plan, i);
        }
    }
    return FIRN_OK;
}

// A measure that is a dimension as well is one of its entries: a factor.
static bool has_shared_measure(const totals_plan *plan) {
    for (uint32_t i = 0; i < plan->measure_count; i++) {
        if (find(plan->dimensions, plan->dimension_count, plan->measures[i]) != ROW_NONE) {
            return true;
        }
    }
    return false;
}

static bool add_keys(planning *self) {
    const plan_node *node = self->shape->node;
    for (uint32_t i = 0; i < self->shape->key_count; i++) {
        const uint32_t position = position_of(self, node->aggregate_.keys.items[i]);
        if (position == ROW_NONE || !add_dimension(self->plan, position) ||
            self->plan->dimension_count != i + 1) { // The same key twice.
            return false;
        }
    }
    self->plan->key_count = self->shape->key_count;
    return true;
}

// One attempt with the dimensions that are known; *again says that it found more.
static firn_status add_terms(planning *self, bool *fits, bool *again) {
    totals_plan *plan = self->plan;
    *again = false;
    plan->measure_count = 0;
    plan->present_count = 0;
    plan->factor_count = 0;
    self->known = (expr_index){0};
    for (uint32_t i = 0; i < self->shape->slot_count && *fits; i++) {
        *fits = add_term(self, &self->shape->slots[i], &plan->terms[i]);
    }
    TRY(self->status);
    if (!*fits) {
        return FIRN_OK;
    }
    TRY(add_columns(self, fits));
    *again = *fits && has_shared_measure(plan);
    return FIRN_OK;
}

static bool is_possible(const aggregate_shape *shape) {
    return shape->set_count == 0 && shape->collector_count == 0 && !shape->has_heap &&
           shape->slot_count > 0;
}

static firn_status make(planning *self, bool *fits) {
    totals_plan *plan = self->plan;
    const aggregate_shape *shape = self->shape;
    uint32_t arg_count = 0;
    for (uint32_t i = 0; i < shape->slot_count; i++) {
        arg_count += shape->slots[i].arg_count;
    }
    plan->terms = ARENA_NEW(self->memory, totals_term, shape->slot_count + 1);
    plan->present = ARENA_NEW(self->memory, uint32_t, arg_count + 1);
    self->roots = ARENA_NEW(self->memory, const expr *, (size_t)shape->slot_count *LEAVES_MAX + 1);
    if (plan->terms == NULL || plan->present == NULL || self->roots == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    *fits = add_keys(self);
    bool again = *fits;
    while (again) { // Each time there is one more dimension at least.
        TRY(add_terms(self, fits, &again));
    }
    *fits = *fits && plan->dimension_count > 0;
    return !*fits ? FIRN_OK
                  : expr_compile(self->roots, plan->factor_count, self->input, self->memory,
                                 &plan->program, self->err);
}

firn_status totals_plan_make(const aggregate_shape *shape, const input_layout *input, arena *memory,
                             totals_plan *out, firn_error *err) {
    *out = (totals_plan){.input_count = input->count, .slot_count = shape->slot_count};
    if (!is_possible(shape)) {
        return FIRN_OK;
    }
    planning self = {.shape = shape,
                     .input = input,
                     .plan = out,
                     .memory = memory,
                     .status = FIRN_OK,
                     .err = err};
    bool fits;
    TRY(make(&self, &fits));
    out->is_possible = fits;
    return FIRN_OK;
}
