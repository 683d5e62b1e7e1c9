// GROUP BY, grouping sets, and the aggregate node.
#include "plan/binder_select_private.h"

#define GROUPING_SETS_MAX 4096

// ---- GROUP BY --------------------------------------------------------------------------------

// The n-th item of the select list, for GROUP BY 1. Stars before it are counted by their columns,
// so the list is bound first.
firn_status select_item_at(select_build *build, uint64_t ordinal, const sql_expr *written,
                           expr **out) {
    if (ordinal == 0 || ordinal > build->item_count) {
        return FAIL_SQL(build->self->err, FIRN_INVALID, "42P10", written->position,
                        "position %.*s is not in the select list of %u columns",
                        TEXT_ARGS(sql_literal_of(written)->value), build->item_count);
    }
    *out = build->items[ordinal - 1].value;
    return FIRN_OK;
}

static bool is_of_outer_query(const select_build *build, uint32_t id) {
    for (const scope *each = build->input->outer; each != NULL; each = each->outer) {
        for (uint32_t i = 0; i < each->count; i++) {
            if (each->columns[i].id == id) {
                return true;
            }
        }
    }
    return false;
}

static firn_status add_key(select_build *build, expr *value, uint32_t *index) {
    binder *self = build->self;
    *index = expr_index_find(&build->key_index, value);
    if (*index != NO_EXPR) {
        return FIRN_OK;
    }
    *index = build->keys.count;
    TRY(expr_index_add(&build->key_index, value, self->memory, self->err));
    TRY(expr_list_add(self, &build->keys, value));
    // A key that is just a column keeps its id: it is the same value. One of a query further out
    // does not: the aggregate does not make that.
    const bool is_own = value->kind == EXPR_COLUMN && !is_of_outer_query(build, value->column_.id);
    const uint32_t id = is_own ? value->column_.id : binder_new_id(self);
    return u32_list_add(self, &build->key_ids, id);
}

static firn_status bind_key(select_build *build, const sql_expr *written, uint32_t *index) {
    binder *self = build->self;
    uint64_t ordinal;
    expr *value;
    if (bind_ordinal(written, &ordinal)) {
        TRY(select_item_at(build, ordinal, written, &value));
    } else {
        TRY(bind_expr(self, build->input, written, &value));
        TRY(bind_settle(self, &value));
    }
    bool is_aggregate;
    bool is_grouping;
    TRY(bind_mentions(self, value, &build->state->aggregate_ids, &is_aggregate));
    TRY(bind_mentions(self, value, &build->state->grouping_ids, &is_grouping));
    if (is_aggregate || is_grouping) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42803", written->position,
                        "aggregate functions are not allowed in GROUP BY");
    }
    return add_key(build, value, index);
}

// The sets of one GROUP BY item: a list of bit masks.
static firn_status bind_sets(select_build *build, const sql_expr *written, u32_list *out);

static firn_status bind_mask(select_build *build, const sql_expr *written, uint32_t *mask) {
    uint32_t index;
    if (!sql_is_expr(written, SQL_ROW)) {
        TRY(bind_key(build, written, &index));
        *mask = UINT32_C(1) << (index % 32);
        return FIRN_OK;
    }
    *mask = 0;
    const sql_list *items = &sql_row_of(written)->items;
    for (size_t i = 0; i < items->count; i++) {
        TRY(bind_key(build, items->items[i], &index));
        *mask |= UINT32_C(1) << (index % 32);
    }
    return FIRN_OK;
}

static firn_status bind_rollup(select_build *build, const sql_grouping *written, u32_list *out) {
    binder *self = build->self;
    const size_t count = written->items.count;
    uint32_t masks[16];
    if (count > sizeof masks / sizeof masks[0]) {
        return FAIL_SQL(self->err, FIRN_INVALID, "54023", written->node.position,
                        "%zu items, at most 16 are allowed", count);
    }
    for (size_t i = 0; i < count; i++) {
        TRY(bind_mask(build, written->items.items[i], &masks[i]));
    }
    if (written->kind == SQL_GROUPING_ROLLUP) {
        for (size_t rest = count + 1; rest > 0; rest--) {
            const size_t kept = rest - 1;
            uint32_t mask = 0;
            for (size_t i = 0; i < kept; i++) {
                mask |= masks[i];
            }
            TRY(u32_list_add(self, out, mask));
        }
        return FIRN_OK;
    }
    for (uint32_t rest = UINT32_C(1) << count; rest > 0; rest--) {
        const uint32_t subset = rest - 1;
        uint32_t mask = 0;
        for (size_t i = 0; i < count; i++) {
            mask |= (subset >> (count - 1 - i) & 1) != 0 ? masks[i] : 0;
        }
        TRY(u32_list_add(self, out, mask));
    }
    return FIRN_OK;
}

static firn_status bind_sets(select_build *build, const sql_expr *written, u32_list *out) {
    binder *self = build->self;
    if (!sql_is_expr(written, SQL_GROUPING)) {
        uint32_t mask;
        TRY(bind_mask(build, written, &mask));
        return u32_list_add(self, out, mask);
    }
    const sql_grouping *grouping = sql_grouping_of(written);
    switch (grouping->kind) {
    case SQL_GROUPING_EMPTY:
        return u32_list_add(self, out, 0);
    case SQL_GROUPING_SETS:
        for (size_t i = 0; i < grouping->items.count; i++) {
            TRY(bind_sets(build, grouping->items.items[i], out));
        }
        return FIRN_OK;
    case SQL_GROUPING_ROLLUP:
    case SQL_GROUPING_CUBE:
        return bind_rollup(build, grouping, out);
    }
    return FIRN_OK;
}

// Every combination of one set of each item.
static firn_status cross_sets(select_build *build, const u32_list *added) {
    binder *self = build->self;
    u32_list product = {0};
    if ((uint64_t)build->sets.count * added->count > GROUPING_SETS_MAX) {
        return FAIL_SQL(self->err, FIRN_INVALID, "54023", NO_POSITION, "more than %d grouping sets",
                        GROUPING_SETS_MAX);
    }
    for (uint32_t i = 0; i < build->sets.count; i++) {
        for (uint32_t k = 0; k < added->count; k++) {
            TRY(u32_list_add(self, &product, build->sets.items[i] | added->items[k]));
        }
    }
    build->sets = product;
    return FIRN_OK;
}

static bool has_grouping(const sql_list *items) {
    for (size_t i = 0; i < items->count; i++) {
        if (sql_is_expr(items->items[i], SQL_GROUPING)) {
            return true;
        }
    }
    return false;
}

// One set of all keys is what GROUP BY without sets is.
static bool is_plain(const select_build *build) {
    return build->sets.count == 1 &&
           build->sets.items[0] == (UINT64_C(1) << build->keys.count) - 1; // 32 keys at most.
}

firn_status select_bind_group_by(select_build *build) {
    const sql_select *written = build->state->written;
    binder *self = build->self;
    uint32_t index;
    if (written->is_group_all) {
        for (uint32_t i = 0; i < build->item_count; i++) {
            if (!build->items[i].is_aggregate) {
                TRY(add_key(build, build->items[i].value, &index));
            }
        }
    }
    build->has_group_by = written->is_group_all || written->group_by.count > 0;
    const bool has_sets = has_grouping(&written->group_by);
    if (has_sets) {
        TRY(u32_list_add(self, &build->sets, 0));
    }
    for (size_t i = 0; i < written->group_by.count; i++) {
        const sql_expr *item = written->group_by.items[i];
        if (!has_sets) {
            TRY(bind_key(build, item, &index));
            continue;
        }
        u32_list sets = {0};
        TRY(bind_sets(build, item, &sets));
        TRY(cross_sets(build, &sets));
    }
    if (has_sets && build->keys.count > 32) {
        return FAIL_SQL(self->err, FIRN_INVALID, "54023", NO_POSITION,
                        "grouping sets over %u columns, at most 32 are allowed", build->keys.count);
    }
    if (is_plain(build)) {
        build->sets = (u32_list){0};
    }
    return FIRN_OK;
}

// ---- Aggregation -----------------------------------------------------------------------------

static bool replace_keys(void *user, expr **slot) {
    const select_build *build = user;
    const uint32_t key =
        (*slot)->kind == EXPR_COLUMN ? NO_EXPR : expr_index_find(&build->key_index, *slot);
    if (key == NO_EXPR) {
        return expr_visit_children(*slot, replace_keys, user);
    }
    expr *column = expr_column(build->self->memory, build->key_ids.items[key], TEXT(""),
                               build->keys.items[key]->type);
    if (column == NULL) {
        return false;
    }
    column->position = (*slot)->position;
    *slot = column;
    return true;
}

static firn_status refuse_ungrouped(select_build *build, const expr *value, const id_set *used) {
    const scope_column *column = build->input->columns;
    while (!id_set_has(used, column->id) || !id_set_has(&build->ungrouped, column->id)) {
        column++;
    }
    firn_status status =
        FAIL_SQL(build->self->err, FIRN_INVALID, "42803",
                 value->position == UINT32_MAX ? NO_POSITION : value->position,
                 "column \"%.*s\" must stand in GROUP BY or inside an aggregate function",
                 TEXT_ARGS(column->name));
    err_hint(build->self->err, "any_value(%.*s) takes it from any row of the group",
             TEXT_ARGS(column->name));
    return status;
}

// Rewrites an expression over FROM into one over the aggregate's columns.
static firn_status lift_expr(select_build *build, expr **value) {
    binder *self = build->self;
    *value = expr_copy(self->memory, *value);
    if (*value == NULL || !replace_keys(build, value) || !select_replace_groupings(build, value)) {
        return binder_full(self);
    }
    id_set used = id_set_open(self->memory);
    TRY(expr_columns(*value, &used, self->err));
    return id_set_intersects(&used, &build->ungrouped) ? refuse_ungrouped(build, *value, &used)
                                                       : FIRN_OK;
}

static firn_status find_ungrouped(select_build *build) {
    id_set keys = id_set_open(build->self->memory);
    build->ungrouped = id_set_open(build->self->memory);
    for (uint32_t i = 0; i < build->key_ids.count; i++) {
        TRY(id_set_add(&keys, build->key_ids.items[i], build->self->err));
    }
    for (uint32_t i = 0; i < build->input->count; i++) {
        TRY(id_set_add(&build->ungrouped, build->input->columns[i].id, build->self->err));
    }
    id_set_remove_all(&build->ungrouped, &keys);
    return FIRN_OK;
}

firn_status select_build_aggregate(select_build *build) {
    binder *self = build->self;
    plan_node *node;
    TRY(binder_node(self, PLAN_AGGREGATE, &node));
    node->aggregate_.input = build->node;
    node->aggregate_.keys = build->keys;
    node->aggregate_.key_ids = build->key_ids;
    node->aggregate_.aggregates = build->state->aggregates;
    node->aggregate_.ids = build->state->aggregate_ids;
    node->aggregate_.sets = build->sets;
    node->aggregate_.set_id = NO_SLOT;
    build->node = node;
    TRY(find_ungrouped(build));
    TRY(select_answer_groupings(build, node));
    for (uint32_t i = 0; i < build->item_count; i++) {
        TRY(lift_expr(build, &build->items[i].value));
    }
    for (uint32_t i = 0; i < build->sort.count; i++) {
        TRY(lift_expr(build, &build->sort.items[i].value));
    }
    for (uint32_t i = 0; i < build->state->unnested.count; i++) {
        TRY(lift_expr(build, &build->state->unnested.items[i]));
    }
    return build->having == NULL ? FIRN_OK : lift_expr(build, &build->having);
}

// ---- unnest ----------------------------------------------------------------------------------

firn_status select_unnest(select_build *build) {
    binder *self = build->self;
    select_state *state = build->state;
    while (state->unnested.count > 0) { // A list that another unnest makes waits for it.
        plan_node *node;
        TRY(binder_node(self, PLAN_UNNEST, &node));
        node->unnest_.input = build->node;
        node->unnest_.ordinality_id = NO_SLOT;
        expr_list left = {0};
        u32_list left_ids = {0};
        for (uint32_t i = 0; i < state->unnested.count; i++) {
            expr *list = state->unnested.items[i];
            bool waits;
            TRY(bind_mentions(self, list, &state->unnested_ids, &waits));
            TRY(expr_list_add(self, waits ? &left : &node->unnest_.lists, list));
            TRY(u32_list_add(self, waits ? &left_ids : &node->unnest_.ids,
                             state->unnested_ids.items[i]));
        }
        build->node = node;
        state->unnested = left;
        state->unnested_ids = left_ids;
    }
    return FIRN_OK;
}

firn_status select_unnest_keys(select_build *build) {
    binder *self = build->self;
    const select_state *state = build->state;
    bool is_needed = false;
    for (uint32_t i = 0; i < build->keys.count && !is_needed; i++) {
        TRY(bind_mentions(self, build->keys.items[i], &state->unnested_ids, &is_needed));
    }
    for (uint32_t i = 0; i < state->unnested.count && is_needed; i++) {
        bool is_aggregate;
        TRY(bind_mentions(self, state->unnested.items[i], &state->aggregate_ids, &is_aggregate));
        if (is_aggregate) {
            return FAIL_SQL(self->err, FIRN_INVALID, "42803", NO_POSITION,
                            "an unnest in GROUP BY and one of an aggregate function");
        }
        // From here on a column of the input like any other.
        TRY(scope_add(self, build->input,
                      (scope_column){.name = TEXT("unnest"),
                                     .is_hidden = true,
                                     .id = state->unnested_ids.items[i],
                                     .type = state->unnested.items[i]->type->children[0].type}));
    }
    return is_needed ? select_unnest(build) : FIRN_OK;
}
