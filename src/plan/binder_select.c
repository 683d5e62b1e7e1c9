// SELECT: FROM, WHERE, GROUP BY, HAVING, the select list, DISTINCT and, because it may mention what
// is not selected, ORDER BY.
//
// Everything is first bound over the columns of FROM; aggregate calls met on the way are set aside
// (select_state) and stand as columns. If there is any, or GROUP BY, an AGGREGATE node goes in
// between: what equals a key becomes the key's column, and what then still mentions a column of
// FROM is an error.
#include <assert.h>

#include "plan/binder_select_private.h"
#include "sql/printer.h"

// ---- The select list -------------------------------------------------------------------------

static firn_status name_of_item(binder *self, const sql_select_item *item, text *out) {
    const sql_expr *value = item->value;
    if (item->alias.value.size > 0) {
        *out = item->alias.value;
        return FIRN_OK;
    }
    if (sql_is_expr(value, SQL_COLUMN)) {
        const sql_names *path = &sql_column_of(value)->path;
        *out = path->items[path->count - 1].value;
        return FIRN_OK;
    }
    if (sql_is_expr(value, SQL_FIELD)) {
        *out = sql_field_of(value)->name.value;
        return FIRN_OK;
    }
    text_builder printed = text_builder_open(self->memory);
    sql_print_expr(&printed, value);
    return text_builder_finish(&printed, out, self->err);
}

// What stands behind *: the names of its lists, numbered as they are.
typedef struct star_lists {
    const sql_star *written;
    name_index excluded, replaced, renamed;
} star_lists;

static const sql_name *last_of(const sql_expr *column) {
    const sql_names *path = &sql_column_of(column)->path;
    return &path->items[path->count - 1];
}

static firn_status index_lists(binder *self, const sql_star *star, star_lists *out) {
    *out = (star_lists){.written = star};
    for (size_t i = 0; i < star->exclude.count; i++) {
        TRY(name_index_add(&out->excluded, last_of(star->exclude.items[i])->value, self->memory,
                           self->err));
    }
    for (size_t i = 0; i < star->replace.count; i++) {
        const sql_select_item *item = sql_select_item_of(star->replace.items[i]);
        TRY(name_index_add(&out->replaced, item->alias.value, self->memory, self->err));
    }
    for (size_t i = 0; i < star->rename.count; i++) {
        const sql_select_item *item = sql_select_item_of(star->rename.items[i]);
        TRY(name_index_add(&out->renamed, last_of(item->value)->value, self->memory, self->err));
    }
    return FIRN_OK;
}

static bool is_excluded(const star_lists *self, const scope_column *column) {
    const name_index *names = &self->excluded;
    for (uint32_t i = name_index_first(names, column->name); i != NO_NAME;
         i = name_index_next(names, i)) {
        const sql_names *path = &sql_column_of(self->written->exclude.items[i])->path;
        if (name_matches(&path->items[path->count - 1], column->name) &&
            (path->count == 1 || name_matches(&path->items[path->count - 2], column->table))) {
            return true;
        }
    }
    return false;
}

static const sql_select_item *replacement_of(const star_lists *self, const scope_column *column) {
    const name_index *names = &self->replaced;
    for (uint32_t i = name_index_first(names, column->name); i != NO_NAME;
         i = name_index_next(names, i)) {
        const sql_select_item *item = sql_select_item_of(self->written->replace.items[i]);
        if (name_matches(&item->alias, column->name)) {
            return item;
        }
    }
    return NULL;
}

static text renamed(const star_lists *self, const scope_column *column) {
    const name_index *names = &self->renamed;
    for (uint32_t i = name_index_first(names, column->name); i != NO_NAME;
         i = name_index_next(names, i)) {
        const sql_select_item *item = sql_select_item_of(self->written->rename.items[i]);
        if (name_matches(last_of(item->value), column->name)) {
            return item->alias.value;
        }
    }
    return column->name;
}

static firn_status add_item(select_build *build, expr *value, text name, bool is_aggregate) {
    binder *self = build->self;
    if (build->item_count == 0 || (build->item_count & (build->item_count - 1)) == 0) {
        uint32_t capacity = build->item_count;
        select_item *items =
            binder_grow(self, build->items, build->item_count, &capacity, sizeof *items);
        if (items == NULL) {
            return binder_full(self);
        }
        build->items = items;
    }
    build->items[build->item_count++] =
        (select_item){.value = value, .name = name, .is_aggregate = is_aggregate};
    return FIRN_OK;
}

static firn_status add_star_column(select_build *build, const star_lists *lists,
                                   const scope_column *column) {
    binder *self = build->self;
    if (is_excluded(lists, column)) {
        return FIRN_OK;
    }
    const sql_select_item *instead = replacement_of(lists, column);
    expr *value;
    if (instead != NULL) {
        TRY(bind_expr(self, build->input, instead->value, &value));
    } else {
        value = expr_column(self->memory, column->id, column->name, column->type);
        if (value == NULL) {
            return binder_full(self);
        }
        value->position = lists->written->node.position;
    }
    return add_item(build, value, renamed(lists, column), false);
}

// (row).*: one item per field.
static firn_status add_fields(select_build *build, const sql_star *star, const sql_expr *operand) {
    binder *self = build->self;
    expr *row;
    TRY(bind_expr(self, build->input, operand, &row));
    if (row->type->id != TYPE_STRUCT) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42809", star->node.position,
                        ".* needs a STRUCT, not %.*s",
                        TEXT_ARGS(type_text(row->type, self->memory)));
    }
    for (uint32_t i = 0; i < row->type->child_count; i++) {
        const sql_name name = {.value = row->type->children[i].name, .is_quoted = true};
        expr *value;
        TRY(bind_field(self, row, &name, &value));
        TRY(add_item(build, value, name.value, false));
    }
    return FIRN_OK;
}

// What * leaves out must be there.
static firn_status check_excluded(select_build *build, const sql_star *star) {
    for (size_t i = 0; i < star->exclude.count; i++) {
        const sql_names *path = &sql_column_of(star->exclude.items[i])->path;
        const sql_name *name = &path->items[path->count - 1];
        TRY(scope_index(build->self, build->input));
        if (scope_first_named(build->input, name) == NO_NAME) {
            return scope_say_missing(build->self, build->input,
                                     &(sql_names){.count = 1, .items = name});
        }
    }
    return FIRN_OK;
}

static firn_status add_star(select_build *build, const sql_star *star) {
    binder *self = build->self;
    if (star->operand != NULL) {
        return add_fields(build, star, star->operand);
    }
    const scope *from = build->input;
    star_lists lists;
    TRY(index_lists(self, star, &lists));
    uint32_t added = 0;
    for (uint32_t i = 0; i < from->count; i++) {
        const scope_column *column = &from->columns[i];
        bool is_wanted = !column->is_hidden;
        if (star->qualifier.count > 0) {
            const sql_name *last = &star->qualifier.items[star->qualifier.count - 1];
            is_wanted = column->table.size > 0 && name_matches(last, column->table);
        }
        if (is_wanted) {
            TRY(add_star_column(build, &lists, column));
            added++;
        }
    }
    if (added == 0 && star->qualifier.count > 0) { // s.* of a struct.
        const sql_column column = {.node = {.family = SQL_FAMILY_EXPR,
                                            .kind = SQL_COLUMN,
                                            .position = star->node.position,
                                            .height = 1},
                                   .path = star->qualifier};
        scope_column found;
        size_t used;
        bool is_column;
        TRY(scope_find(self, build->input, &star->qualifier, &found, &used, &is_column));
        if (is_column) {
            return add_fields(build, star, &column.node);
        }
    }
    if (added == 0 && star->qualifier.count > 0) {
        const text name = star->qualifier.items[star->qualifier.count - 1].value;
        firn_status status = FAIL_SQL(self->err, FIRN_INVALID, "42P01", star->node.position,
                                      "there is no table \"%.*s\" in FROM here", TEXT_ARGS(name));
        scope_propose_relation(self, from, name);
        return status;
    }
    if (added == 0) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42P01", star->node.position,
                        build->state->written->from.count > 0 ? "nothing in FROM has a column for *"
                                                              : "* without FROM has no columns");
    }
    return check_excluded(build, star);
}

static firn_status bind_items(select_build *build) {
    binder *self = build->self;
    const sql_list *items = &build->state->written->items;
    for (size_t i = 0; i < items->count; i++) {
        const sql_select_item *item = sql_select_item_of(items->items[i]);
        if (sql_is_expr(item->value, SQL_STAR)) {
            TRY(add_star(build, sql_star_of(item->value)));
            continue;
        }
        expr *value;
        text name;
        bool is_aggregate;
        TRY(bind_expr(self, build->input, item->value, &value));
        if (!build->is_branch) {
            TRY(bind_settle(self, &value));
        }
        TRY(name_of_item(self, item, &name));
        bool is_grouping;
        TRY(bind_mentions(self, value, &build->state->aggregate_ids, &is_aggregate));
        TRY(bind_mentions(self, value, &build->state->grouping_ids, &is_grouping));
        TRY(add_item(build, value, name, is_aggregate || is_grouping));
    }
    return FIRN_OK;
}

static firn_status add_filter(binder *self, plan_node **node, expr *predicate) {
    plan_node *filter;
    TRY(binder_node(self, PLAN_FILTER, &filter));
    filter->filter_.input = *node;
    filter->filter_.predicate = predicate;
    *node = filter;
    return FIRN_OK;
}

// ---- ORDER BY --------------------------------------------------------------------------------

sort_key sort_key_of(const sql_order_item *item, expr *value) {
    const bool is_descending = item->direction == SQL_DIRECTION_DESC;
    return (sort_key){.value = value,
                      .is_descending = is_descending,
                      .nulls_first = item->nulls == SQL_NULL_ORDER_UNSAID
                                         ? is_descending
                                         : item->nulls == SQL_NULL_ORDER_FIRST};
}

// A bare name that is the alias (or name) of exactly one item means the item; else *out is NULL.
static firn_status item_named(select_build *build, const sql_expr *written, expr **out) {
    *out = NULL;
    if (!sql_is_expr(written, SQL_COLUMN) || sql_column_of(written)->path.count != 1) {
        return FIRN_OK;
    }
    name_index *names = &build->item_names;
    while (names->count < build->item_count) {
        TRY(name_index_add(names, build->items[names->count].name, build->self->memory,
                           build->self->err));
    }
    const sql_name *name = &sql_column_of(written)->path.items[0];
    expr *found = NULL;
    for (uint32_t i = name_index_first(names, name->value); i != NO_NAME;
         i = name_index_next(names, i)) {
        if (name_matches(name, build->items[i].name)) {
            if (found != NULL && !expr_equal(found, build->items[i].value)) {
                return FIRN_OK;
            }
            found = build->items[i].value;
        }
    }
    *out = found;
    return FIRN_OK;
}

static firn_status add_sort(select_build *build, sort_key key) {
    binder *self = build->self;
    const uint32_t count = build->sort.count;
    if (count == 0 || (count & (count - 1)) == 0) {
        uint32_t capacity = count;
        build->sort.items = binder_grow(self, build->sort.items, count, &capacity, sizeof key);
        if (build->sort.items == NULL) {
            return binder_full(self);
        }
    }
    build->sort.items[build->sort.count++] = key;
    return FIRN_OK;
}

static firn_status bind_order(select_build *build) {
    for (size_t i = 0; build->order != NULL && i < build->order->count; i++) {
        const sql_order_item *item = sql_order_item_of(build->order->items[i]);
        if (item->value == NULL) { // ORDER BY ALL
            for (uint32_t k = 0; k < build->item_count; k++) {
                TRY(add_sort(build, sort_key_of(item, build->items[k].value)));
            }
            continue;
        }
        uint64_t ordinal;
        expr *value;
        TRY(item_named(build, item->value, &value));
        if (bind_ordinal(item->value, &ordinal)) {
            TRY(select_item_at(build, ordinal, item->value, &value));
        } else if (value == NULL) {
            TRY(bind_expr(build->self, build->input, item->value, &value));
            TRY(bind_settle(build->self, &value));
        }
        TRY(add_sort(build, sort_key_of(item, value)));
    }
    return FIRN_OK;
}

// ---- The whole -------------------------------------------------------------------------------

// The select list, and behind it what only ORDER BY wants, as a projection.
static firn_status build_projection(select_build *build, bound_query *out) {
    binder *self = build->self;
    expr_list values = {0};
    expr_index known = {0}; // The values, if there is ORDER BY.
    u32_list ids = {0};
    *out = (bound_query){0};
    for (uint32_t i = 0; i < build->item_count; i++) {
        const select_item *item = &build->items[i];
        const uint32_t id = binder_new_id(self);
        if (build->sort.count > 0) {
            TRY(expr_index_add(&known, item->value, self->memory, self->err));
        }
        TRY(expr_list_add(self, &values, item->value));
        TRY(u32_list_add(self, &ids, id));
        TRY(plan_columns_add(
            self, &out->columns,
            (plan_column){.id = id, .type = item->value->type, .name = item->name}));
    }
    for (uint32_t i = 0; i < build->sort.count; i++) {
        expr **key = &build->sort.items[i].value;
        uint32_t found = expr_index_find(&known, *key);
        if (found == NO_EXPR) {
            if (build->state->written->is_distinct) {
                return FAIL_SQL(self->err, FIRN_INVALID, "42P10",
                                (*key)->position == UINT32_MAX ? NO_POSITION : (*key)->position,
                                "with SELECT DISTINCT, ORDER BY takes only what is selected");
            }
            found = values.count;
            TRY(expr_index_add(&known, *key, self->memory, self->err));
            TRY(expr_list_add(self, &values, *key));
            TRY(u32_list_add(self, &ids, binder_new_id(self)));
        }
        assert(found < ids.count && ids.items != NULL && values.items != NULL);
        *key = expr_column(self->memory, ids.items[found], TEXT(""), values.items[found]->type);
        if (*key == NULL) {
            return binder_full(self);
        }
    }
    return binder_project(self, build->node, &values, &ids, &out->node);
}

// DISTINCT: groups of all columns, without aggregates. Ids stay.
static firn_status build_distinct(binder *self, bound_query *query) {
    plan_node *node;
    TRY(binder_node(self, PLAN_AGGREGATE, &node));
    node->aggregate_.input = query->node;
    node->aggregate_.set_id = NO_SLOT;
    for (uint32_t i = 0; i < query->columns.count; i++) {
        const plan_column *column = &query->columns.items[i];
        expr *key = expr_column(self->memory, column->id, column->name, column->type);
        if (key == NULL) {
            return binder_full(self);
        }
        TRY(expr_list_add(self, &node->aggregate_.keys, key));
        TRY(u32_list_add(self, &node->aggregate_.key_ids, column->id));
    }
    query->node = node;
    return FIRN_OK;
}

static firn_status refuse(binder *self, const sql_select *written) {
    if (written->distinct_on.count > 0) {
        return FAIL_SQL(self->err, FIRN_UNSUPPORTED, "0A000", written->node.position,
                        "DISTINCT ON is not supported");
    }
    if (written->qualify != NULL) {
        return FAIL_SQL(self->err, FIRN_UNSUPPORTED, "0A000", written->qualify->position,
                        "QUALIFY is not supported");
    }
    return FIRN_OK;
}

static firn_status bind_clauses(select_build *build) {
    binder *self = build->self;
    select_state *state = build->state;
    const sql_select *written = state->written;
    state->clause = TEXT("FROM");
    TRY(bind_from(self, &written->from, build->input, &build->node));
    if (written->where != NULL) {
        expr *predicate;
        state->clause = TEXT("WHERE");
        TRY(bind_predicate(self, build->input, written->where, TEXT("WHERE"), &predicate));
        TRY(add_filter(self, &build->node, predicate));
    }
    state->allows_aggregates = true;
    state->allows_unnest = true;
    TRY(bind_items(build));
    TRY(select_bind_group_by(build));
    state->allows_unnest = false;
    if (written->having != NULL) {
        TRY(bind_predicate(self, build->input, written->having, TEXT("HAVING"), &build->having));
    }
    state->allows_unnest = true;
    return bind_order(build);
}

firn_status bind_select(binder *self, const sql_select *select, const sql_list *order, scope *outer,
                        bound_query *out) {
    TRY(refuse(self, select));
    select_state state = {.written = select};
    scope *input = scope_new(self, outer);
    if (input == NULL) {
        return binder_full(self);
    }
    input->select = &state;
    state.input = input;
    const bool is_plain = !select->is_distinct && select->group_by.count == 0;
    select_build build = {.self = self,
                          .state = &state,
                          .input = input,
                          .order = order,
                          .is_branch = self->is_branch && is_plain && !select->is_group_all};
    self->is_branch = false;
    TRY(bind_clauses(&build));
    TRY(select_unnest_keys(&build));
    if (build.has_group_by || state.aggregates.count > 0 || state.groupings.count > 0 ||
        build.having != NULL) {
        TRY(select_build_aggregate(&build));
    }
    if (build.having != NULL) {
        TRY(add_filter(self, &build.node, build.having));
    }
    TRY(select_unnest(&build));
    TRY(build_projection(&build, out));
    if (select->is_distinct) {
        TRY(build_distinct(self, out));
    }
    if (build.sort.count > 0) {
        plan_node *sort;
        TRY(binder_node(self, PLAN_SORT, &sort));
        sort->sort_.input = out->node;
        sort->sort_.keys = build.sort;
        sort->sort_.limit = UINT64_MAX;
        sort->sort_.dynamic_slot = NO_SLOT;
        out->node = sort;
    }
    return FIRN_OK;
}
