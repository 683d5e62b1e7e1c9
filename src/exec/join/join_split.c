#include "exec/join/join_split.h"

#include "plan/join_ranges.h"

typedef struct splitting {
    join_split *split;
    join_side *left, *right;
    join_side_ids ids;
    bool has_guards;
    uint32_t left_count, right_count, rest_count;
    expr **left_guards, **right_guards, **rest;
    uint32_t range_count;
    join_range *ranges; // Of the rest.
    arena *memory;
    firn_error *err;
} splitting;

static firn_status add(splitting *self, expr *conjunct) {
    firn_error *err = self->err;
    id_set mentioned = id_set_open(self->memory);
    const bool may_guard =
        self->has_guards && !expr_can_fail(conjunct) && !expr_is_volatile(conjunct);
    TRY(expr_columns(conjunct, &mentioned, err));
    if (may_guard && id_set_contains(&self->ids.left, &mentioned)) {
        self->left_guards[self->left_count++] = conjunct;
        return FIRN_OK;
    }
    if (may_guard && id_set_contains(&self->ids.right, &mentioned)) {
        self->right_guards[self->right_count++] = conjunct;
        return FIRN_OK;
    }
    self->rest[self->rest_count++] = conjunct;
    bool is_range;
    TRY(join_range_of(conjunct, &self->ids, &is_range, &self->ranges[self->range_count], err));
    self->range_count += is_range ? 1 : 0;
    return FIRN_OK;
}

// ---- Compiling ---------------------------------------------------------------------------------

static firn_status compile_rows(splitting *self, expr *const *values, uint32_t count,
                                join_row_program *out) {
    firn_error *err = self->err;
    join_side *side = self->right;
    id_set mentioned = id_set_open(self->memory);
    for (uint32_t i = 0; i < count; i++) {
        TRY(expr_columns(values[i], &mentioned, err));
    }
    uint32_t *ids = ARENA_NEW(self->memory, uint32_t, (size_t)side->input_count + 1);
    out->inputs = ARENA_NEW(self->memory, uint32_t, (size_t)side->input_count + 1);
    if (ids == NULL || out->inputs == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (uint32_t i = 0; i < side->input_count; i++) {
        if (id_set_has(&mentioned, side->ids[i])) {
            join_side_want(side, i);
            ids[out->input_count] = side->ids[i];
            out->inputs[out->input_count++] = side->row_columns[i];
        }
    }
    input_layout layout = {.count = out->input_count, .ids = ids};
    TRY(input_layout_index(&layout, self->memory, err));
    return expr_compile((const expr *const *)values, count, &layout, self->memory, &out->program,
                        err);
}

static firn_status compile_guards(splitting *self) {
    firn_error *err = self->err;
    if (self->left_count > 0) {
        const expr *guard = expr_and_all(self->memory, self->left_guards, self->left_count);
        if (guard == NULL) {
            return ARENA_FULL(self->memory, err);
        }
        TRY(expr_compile(&guard, 1, &self->left->input, self->memory, &self->split->left_guard,
                         err));
    }
    if (self->right_count > 0) {
        expr *guard = expr_and_all(self->memory, self->right_guards, self->right_count);
        if (guard == NULL) {
            return ARENA_FULL(self->memory, err);
        }
        TRY(compile_rows(self, &guard, 1, &self->split->right_guard));
    }
    return FIRN_OK;
}

// ---- Bounds ------------------------------------------------------------------------------------

// Is the key of a range bounded from both sides?
static bool has_both(const splitting *self, const expr *key) {
    bool has_lower = false;
    bool has_upper = false;
    for (uint32_t i = 0; i < self->range_count; i++) {
        if (expr_equal(self->ranges[i].right, key)) {
            has_lower |= self->ranges[i].is_lower;
            has_upper |= !self->ranges[i].is_lower;
        }
    }
    return has_lower && has_upper;
}

// The best key but for `taken`: one with two bounds, else the first. NULL: there is none.
static const expr *choose_key(const splitting *self, const expr *taken) {
    const expr *best = NULL;
    for (uint32_t i = 0; i < self->range_count; i++) {
        const expr *key = self->ranges[i].right;
        if ((taken == NULL || !expr_equal(key, taken)) &&
            (best == NULL || (!has_both(self, best) && has_both(self, key)))) {
            best = key;
        }
    }
    return best;
}

static firn_status compile_bounds(splitting *self) {
    join_split *split = self->split;
    firn_error *err = self->err;
    const expr *keys[JOIN_RANGE_KEYS_MAX] = {NULL};
    const expr **values = ARENA_NEW(self->memory, const expr *, (size_t)self->range_count + 1);
    split->bounds = ARENA_NEW(self->memory, join_bound, (size_t)self->range_count + 1);
    if (values == NULL || split->bounds == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (uint32_t i = 0; i < JOIN_RANGE_KEYS_MAX; i++) {
        keys[i] = choose_key(self, i == 0 ? NULL : keys[0]);
        if (keys[i] == NULL) {
            break;
        }
        split->key_types[split->key_count++] = keys[i]->type;
    }
    for (uint32_t i = 0; i < self->range_count; i++) {
        const join_range *range = &self->ranges[i];
        for (uint32_t key = 0; key < split->key_count; key++) {
            if (expr_equal(range->right, keys[key])) {
                values[split->bound_count] = range->left;
                split->bounds[split->bound_count++] = (join_bound){
                    .key = key, .is_lower = range->is_lower, .is_strict = range->is_strict};
                break;
            }
        }
    }
    split->bounds_are_all = split->bound_count == self->rest_count;
    TRY(expr_compile(values, split->bound_count, &self->left->input, self->memory,
                     &split->bound_values, err));
    return compile_rows(self, (expr *const *)(uintptr_t)keys, split->key_count, &split->keys);
}

// ---- Opening -----------------------------------------------------------------------------------

static firn_status split_condition(splitting *self, expr *const *conjuncts, uint32_t count) {
    self->left_guards = ARENA_NEW(self->memory, expr *, count);
    self->right_guards = ARENA_NEW(self->memory, expr *, count);
    self->rest = ARENA_NEW(self->memory, expr *, count);
    self->ranges = ARENA_NEW(self->memory, join_range, count);
    if (self->left_guards == NULL || self->right_guards == NULL || self->rest == NULL ||
        self->ranges == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    for (uint32_t i = 0; i < count; i++) {
        TRY(add(self, conjuncts[i]));
    }
    if (self->rest_count > 0) {
        self->split->rest = expr_and_all(self->memory, self->rest, self->rest_count);
        if (self->split->rest == NULL) {
            return ARENA_FULL(self->memory, self->err);
        }
    }
    TRY(compile_guards(self));
    return self->range_count == 0 ? FIRN_OK : compile_bounds(self);
}

firn_status join_split_open(join_split *self, const plan_node *join, bool is_null_aware,
                            join_side *left, join_side *right, arena *memory, firn_error *err) {
    expr *condition = join->join_.residual;
    *self = (join_split){.rest = condition};
    const bool is_and = condition != NULL && condition->kind == EXPR_AND;
    if (condition == NULL || (is_null_aware && (is_and || right->key_count > 0))) {
        return FIRN_OK;
    }
    splitting state = {.split = self,
                       .left = left,
                       .right = right,
                       .has_guards = !is_null_aware && right->key_count == 0,
                       .memory = memory,
                       .err = err};
    self->rest = NULL;
    TRY(join_side_ids_of(join, memory, &state.ids, err));
    return split_condition(&state, is_and ? condition->and_.args.items : &condition,
                           is_and ? condition->and_.args.count : 1);
}

firn_status join_row_batch(const join_row_program *self, const row_store *store,
                           const uint8_t *const *rows, uint32_t count, arena *memory, batch *out,
                           firn_error *err) {
    column *columns = ARENA_NEW(memory, column, (size_t)self->input_count + 1);
    if (columns == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < self->input_count; i++) {
        TRY(rows_gather(store, self->inputs[i], rows, count, memory, &columns[i], err));
    }
    *out = batch_of(columns, self->input_count, count);
    return FIRN_OK;
}

firn_status join_row_guard(const join_row_guarding *self, uint8_t **rows, uint16_t *numbers,
                           uint32_t *count, arena *memory, firn_error *err) {
    batch input;
    const uint16_t *passed = NULL;
    if (self->state != NULL) {
        TRY(join_row_batch(&self->split->right_guard, self->store, (const uint8_t *const *)rows,
                           *count, memory, &input, err));
        TRY(expr_filter(self->state, &input, memory, &passed, count, err));
    }
    for (uint32_t k = 0; k < *count; k++) {
        const uint16_t number = passed == NULL ? (uint16_t)k : passed[k];
        rows[k] = rows[number];
        if (numbers != NULL) {
            numbers[k] = number;
        }
    }
    return FIRN_OK;
}
