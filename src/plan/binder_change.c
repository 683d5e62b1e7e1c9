// DELETE, UPDATE and TRUNCATE.
#include "plan/binder_change.h"

static firn_status refuse_returning(binder *self, const sql_list *returning) {
    if (returning->count == 0) {
        return FIRN_OK;
    }
    const firn_status status =
        FAIL_SQL(self->err, FIRN_UNSUPPORTED, "0A000", returning->items[0]->position,
                 "RETURNING is not supported: a change hands out how many rows it changed");
    err_hint(self->err, "query the rows before or after the statement");
    return status;
}

// ---- The table ---------------------------------------------------------------------------------

firn_status change_begin(binder *self, const sql_table *written, const change_target *target,
                         change_build *out) {
    bound_query rows = {0};
    *out = (change_build){.target = target, .rows = scope_new(self, NULL)};
    if (out->rows == NULL) {
        return binder_full(self);
    }
    TRY(binder_scan(self, table_snapshot_retain(target->table), &rows));
    const uint32_t row_id = binder_new_id(self);
    rows.node->scan_.row_id = row_id;
    out->node = rows.node;
    out->own = rows.columns;
    out->table = rows.node->scan_.table;
    out->row_id = expr_column(self->memory, row_id, TEXT("row id"), TYPE_OF(UBIGINT));
    if (out->row_id == NULL) {
        return binder_full(self);
    }
    const bool has_alias = written->alias.value.size > 0;
    const text name = written->path.items[written->path.count - 1].value;
    TRY(scope_add_query(self, out->rows, &rows.columns, has_alias ? written->alias.value : name,
                        has_alias ? (text_list){0} : target->place, &written->columns,
                        written->node.position));
    return binder_index_columns(self, &target->table->columns, &out->names);
}

firn_status change_filter(binder *self, change_build *build, expr *predicate) {
    plan_node *filter;
    TRY(binder_node(self, PLAN_FILTER, &filter));
    filter->filter_.input = build->node;
    filter->filter_.predicate = predicate;
    build->node = filter;
    return FIRN_OK;
}

firn_status change_once(binder *self, change_build *build, uint32_t position) {
    plan_node *once;
    TRY(binder_node(self, PLAN_CHANGE_ONCE, &once));
    once->position = position;
    once->change_once_.input = build->node;
    once->change_once_.id = build->row_id->column_.id;
    build->node = once;
    return FIRN_OK;
}

firn_status change_both(binder *self, const scope *left, const scope *right, uint32_t position,
                        scope **out) {
    for (uint32_t i = 0; i < right->relation_count; i++) {
        TRY(scope_check_name(self, left, &right->relations[i], position));
    }
    *out = scope_new(self, NULL);
    if (*out == NULL) {
        return binder_full(self);
    }
    TRY(scope_add_all(self, *out, left));
    return scope_add_all(self, *out, right);
}

// ---- Values ------------------------------------------------------------------------------------

static firn_status new_values(binder *self, uint32_t count, column_values *out) {
    *out = (column_values){.items = ARENA_NEW(self->memory, expr *, count + 1),
                           .positions = ARENA_NEW(self->memory, uint32_t, count + 1)};
    if (out->items == NULL || out->positions == NULL) {
        return binder_full(self);
    }
    memset(out->positions, 0xff, (count + 1) * sizeof *out->positions);
    return FIRN_OK;
}

static expr *own_column(binder *self, const change_build *build, uint32_t i) {
    const plan_column *column = &build->own.items[i];
    return expr_column(self->memory, column->id, column->name, column->type);
}

firn_status change_kept(binder *self, const change_build *build, column_values *out) {
    TRY(new_values(self, build->own.count, out));
    for (uint32_t i = 0; i < build->own.count; i++) {
        out->items[i] = own_column(self, build, i);
        if (out->items[i] == NULL) {
            return binder_full(self);
        }
    }
    return FIRN_OK;
}

firn_status change_deleted(binder *self, const change_build *build, change_kind kind,
                           column_values *out) {
    table_snapshot *table = build->target->table;
    const row_sink_kind *sink = table->kind->sink;
    row_wish wish = {0};
    TRY(new_values(self, build->own.count, out));
    if (sink->wish != NULL) {
        TRY(sink->wish(table, kind, self->memory, &wish, self->err));
    }
    for (uint32_t i = 0; i < build->own.count; i++) {
        out->items[i] = expr_null(self->memory, table->columns.fields[i].type);
    }
    for (uint32_t i = 0; i < wish.deleted_column_count; i++) {
        out->items[wish.deleted_columns[i]] = own_column(self, build, wish.deleted_columns[i]);
    }
    for (uint32_t i = 0; i < build->own.count; i++) {
        if (out->items[i] == NULL) {
            return binder_full(self);
        }
    }
    return FIRN_OK;
}

expr *change_action(binder *self, row_action action) {
    return expr_i64(self->memory, TYPE_OF(TINYINT), (int64_t)action);
}

expr *change_no_row(binder *self) {
    return expr_i64(self->memory, TYPE_OF(UBIGINT), (int64_t)ROW_ID_NONE);
}

firn_status change_fill(binder *self, const change_build *build, uint32_t column, expr *value,
                        uint32_t position, expr **out) {
    const field *into = &build->target->table->columns.fields[column];
    const bool is_written_out = expr_is_constant(value) && !expr_is_volatile(value);
    TRY(is_written_out ? binder_while_filling(
                             self, into, bind_cast(self, value, into->type, false, position, out))
                       : binder_fill(self, into, value, position, out));
    return bind_settle(self, out);
}

firn_status change_value(binder *self, const change_build *build, scope *names, uint32_t column,
                         const sql_expr *written, expr **out) {
    if (sql_is_expr(written, SQL_DEFAULT)) {
        return bind_default_value(self, build->target->table, column, written->position, out);
    }
    expr *value;
    TRY(bind_expr(self, names, written, &value));
    return change_fill(self, build, column, value, written->position, out);
}

// ---- SET ---------------------------------------------------------------------------------------

// A column that SET names, or a field inside.
typedef struct assigned_path {
    uint32_t column;
    size_t used; // Names of the path before the fields.
    const sql_names *path;
    expr *value; // Of a field; NULL: all of the column is set.
} assigned_path;

static bool begins_with(const assigned_path *self, const assigned_path *other) {
    const size_t count = self->path->count - self->used;
    bool same = self->column == other->column && count <= other->path->count - other->used;
    for (size_t i = 0; same && i < count; i++) {
        same = text_equal_nocase(self->path->items[self->used + i].value,
                                 other->path->items[other->used + i].value);
    }
    return same;
}

// The column that is meant, written alone or behind the table's name.
static firn_status find_assigned(binder *self, const change_build *build, const sql_column *written,
                                 assigned_path *out) {
    const sql_names *path = &written->path;
    *out = (assigned_path){.used = 1, .path = path};
    out->column = binder_find_column(&build->names, &path->items[0]);
    if (out->column == UINT32_MAX && path->count > 1 && build->rows->relation_count > 0 &&
        name_matches(&path->items[0], build->rows->relations[0].alias)) {
        out->column = binder_find_column(&build->names, &path->items[1]);
        out->used = 2;
    }
    return out->column != UINT32_MAX
               ? FIRN_OK
               : binder_say_no_column(self, &build->target->table->columns,
                                      &path->items[out->used - 1], path->items[0].position);
}

// Fields of one struct that are set, each with as many names of its path used.
typedef struct assigned_fields {
    uint32_t count;
    const assigned_path **items;
} assigned_fields;

static const sql_name *next_name(const assigned_path *self, size_t depth) {
    return &self->path->items[self->used + depth];
}

static firn_status check_fields(binder *self, expr *base, const assigned_fields *fields,
                                size_t depth) {
    for (uint32_t i = 0; i < fields->count; i++) {
        const sql_name *name = next_name(fields->items[i], depth);
        expr *old;
        TRY(bind_field(self, base, name, &old)); // Says if there is none.
        if (base->type->id != TYPE_STRUCT) {
            return FAIL_SQL(self->err, FIRN_UNSUPPORTED, "0A000", name->position,
                            "only fields of structs can be set, not entries of a map");
        }
    }
    return FIRN_OK;
}

static firn_status replace_fields(binder *self, expr *base, const assigned_fields *fields,
                                  size_t depth, expr **out);

// What becomes of field i of `base`.
// NOLINTNEXTLINE(misc-no-recursion): as deep as the type.
static firn_status replace_part(binder *self, const expr *base, uint32_t i,
                                const assigned_fields *fields, size_t depth, expr **out) {
    const sql_name exact = {.value = base->type->children[i].name,
                            .position = next_name(fields->items[0], depth)->position,
                            .is_quoted = true};
    assigned_fields inside = {
        .items = ARENA_NEW(self->memory, const assigned_path *, (size_t)fields->count)};
    expr *copy;
    if (inside.items == NULL) {
        return binder_full(self);
    }
    for (uint32_t k = 0; k < fields->count; k++) {
        if (bind_find_field(base->type, next_name(fields->items[k], depth)) == i) {
            inside.items[inside.count++] = fields->items[k];
        }
    }
    TRY(bind_copy(self, base, &copy));
    TRY(bind_field(self, copy, &exact, out));
    return inside.count == 0 ? FIRN_OK : replace_fields(self, *out, &inside, depth + 1, out);
}

// `base` with other values of the fields that paths name from `depth` on: structs around them are
// made anew, once for all that is set in them.
// NOLINTNEXTLINE(misc-no-recursion): as deep as the type.
static firn_status replace_fields(binder *self, expr *base, const assigned_fields *fields,
                                  size_t depth, expr **out) {
    const assigned_path *first = fields->items[0];
    if (first->used + depth == first->path->count) { // Then it is the only one.
        return bind_cast(self, first->value, base->type, false, first->value->position, out);
    }
    TRY(check_fields(self, base, fields, depth));
    expr_list args = {0};
    for (uint32_t i = 0; i < base->type->child_count; i++) {
        const text name = base->type->children[i].name;
        expr *part;
        TRY(replace_part(self, base, i, fields, depth, &part));
        TRY(expr_list_add(self, &args, expr_string(self->memory, TYPE_OF(VARCHAR), name)));
        TRY(expr_list_add(self, &args, part));
    }
    return bind_function(self, "named_struct", args.items, args.count,
                         next_name(first, depth)->position, out);
}

// The column of all[at], if that is the first of those whose fields are set.
static firn_status fill_fields(binder *self, const change_build *build, const assigned_path *all,
                               uint32_t count, uint32_t at, column_values *values) {
    const uint32_t column = all[at].column;
    assigned_fields fields = {
        .items = ARENA_NEW(self->memory, const assigned_path *, (size_t)count + 1)};
    if (fields.items == NULL) {
        return binder_full(self);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (all[i].column == column && i < at) {
            return FIRN_OK;
        }
        if (all[i].column == column) {
            fields.items[fields.count++] = &all[i];
        }
    }
    expr *value;
    const field *into = &build->target->table->columns.fields[column];
    const uint32_t position = values->positions[column];
    TRY(binder_while_filling(self, into,
                             replace_fields(self, values->items[column], &fields, 0, &value)));
    return change_fill(self, build, column, value, position, &values->items[column]);
}

static firn_status set_one(binder *self, const change_build *build, scope *names, assigned_path *to,
                           const sql_expr *written, column_values *values) {
    values->positions[to->column] = written->position;
    if (to->used == to->path->count) {
        return change_value(self, build, names, to->column, written, &values->items[to->column]);
    }
    if (sql_is_expr(written, SQL_DEFAULT)) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42601", written->position,
                        "DEFAULT is for whole columns");
    }
    return bind_expr(self, names, written, &to->value);
}

// The values of (a, b) = …, one for each.
static firn_status split_values(binder *self, const sql_assignment *written, const sql_list **out) {
    const size_t count = written->targets.count;
    if (!sql_is_expr(written->value, SQL_ROW)) {
        const firn_status status =
            FAIL_SQL(self->err, FIRN_UNSUPPORTED, "0A000", written->value->position,
                     "several columns are set to a row written out, (a, b) = (x, y), alone");
        err_hint(self->err, "join the query, by FROM or MERGE, and set each column");
        return status;
    }
    *out = &sql_row_of(written->value)->items;
    return (*out)->count == count
               ? FIRN_OK
               : FAIL_SQL(self->err, FIRN_INVALID, "42601", written->value->position,
                          "%zu values for %zu columns", (*out)->count, count);
}

// Adds a target that none before it, nor a part of it, may be.
static firn_status note_assigned(binder *self, assigned_path *all, uint32_t *count,
                                 const assigned_path *made) {
    for (uint32_t i = 0; i < *count; i++) {
        if (begins_with(&all[i], made) || begins_with(made, &all[i])) {
            const sql_name *name = &made->path->items[made->path->count - 1];
            return FAIL_SQL(self->err, FIRN_INVALID, "42701", name->position,
                            "\"%.*s\" is set twice", TEXT_ARGS(name->value));
        }
    }
    all[(*count)++] = *made;
    return FIRN_OK;
}

firn_status change_assign(binder *self, const change_build *build, scope *names,
                          const sql_list *assignments, column_values *values) {
    size_t most = 0;
    for (size_t i = 0; i < assignments->count; i++) {
        most += sql_assignment_of(assignments->items[i])->targets.count;
    }
    if (most > BIND_RELATIONS_MAX) {
        return FAIL_SQL(self->err, FIRN_INVALID, "54000", assignments->items[0]->position,
                        "more than %d assignments", BIND_RELATIONS_MAX);
    }
    assigned_path *all = ARENA_NEW(self->memory, assigned_path, most + 1);
    uint32_t count = 0;
    if (all == NULL) {
        return binder_full(self);
    }
    for (size_t i = 0; i < assignments->count; i++) {
        const sql_assignment *written = sql_assignment_of(assignments->items[i]);
        const sql_list *parts = NULL;
        if (written->targets.count > 1) {
            TRY(split_values(self, written, &parts));
        }
        for (size_t k = 0; k < written->targets.count; k++) {
            assigned_path to;
            TRY(find_assigned(self, build, sql_column_of(written->targets.items[k]), &to));
            TRY(note_assigned(self, all, &count, &to));
            TRY(set_one(self, build, names, &all[count - 1],
                        parts == NULL ? written->value : parts->items[k], values));
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (all[i].value != NULL) {
            TRY(fill_fields(self, build, all, count, i, values));
        }
    }
    return FIRN_OK;
}

// ---- The end -----------------------------------------------------------------------------------

// New rows among the changed ones come by partition, as those of INSERT.
static firn_status cluster_changed(binder *self, const change_build *build, change_kind kind,
                                   const expr_list *values, const u32_list *ids, plan_node **node,
                                   bool *is_clustered) {
    table_snapshot *table = build->target->table;
    bound_query rows = {.node = *node};
    uint32_t *sources = ARENA_NEW(self->memory, uint32_t, (size_t)values->count + 1);
    if (sources == NULL) {
        return binder_full(self);
    }
    for (uint32_t i = 0; i < values->count; i++) {
        const bool is_own = i < table->columns.count;
        sources[i] = i;
        TRY(plan_columns_add(
            self, &rows.columns,
            (plan_column){.id = ids->items[i],
                          .type = values->items[i]->type,
                          .name = is_own ? table->columns.fields[i].name : TEXT("")}));
    }
    TRY(binder_cluster(self, table, kind, sources, &rows, is_clustered));
    *node = rows.node;
    return FIRN_OK;
}

firn_status change_end(binder *self, change_build *build, const column_values *values, expr *action,
                       expr *row_id, change_kind kind, bound_query *out) {
    const uint32_t count = build->target->table->columns.count;
    plan_node *insert;
    plan_node *project;
    expr_list all = {0};
    TRY(binder_node(self, PLAN_INSERT, &insert));
    if (action == NULL || row_id == NULL) {
        return binder_full(self);
    }
    for (uint32_t i = 0; i < count + 2; i++) {
        TRY(expr_list_add(self, &all, i < count ? values->items[i] : i == count ? action : row_id));
        TRY(u32_list_add(self, &insert->insert_.input_ids, binder_new_id(self)));
        TRY(u32_list_add(self, &insert->insert_.positions,
                         i < count ? values->positions[i] : UINT32_MAX));
    }
    TRY(binder_project(self, build->node, &all, &insert->insert_.input_ids, &project));
    if (kind != CHANGE_DELETE) {
        TRY(cluster_changed(self, build, kind, &all, &insert->insert_.input_ids, &project,
                            &insert->insert_.is_clustered));
    }
    TRY(bind_end_with(self, NULL, &project));
    insert->insert_.input = project;
    insert->insert_.table = build->table;
    insert->insert_.change = kind;
    return binder_count(self, insert, out);
}

// ---- DELETE ------------------------------------------------------------------------------------

// What else the rows are compared with: FROM of UPDATE, USING of DELETE. `names`: all of it.
static firn_status bind_others(binder *self, const change_build *build, const sql_list *others,
                               scope **names, plan_node **out) {
    scope *right = scope_new(self, NULL);
    if (right == NULL) {
        return binder_full(self);
    }
    TRY(bind_from(self, others, right, out));
    return change_both(self, build->rows, right, others->items[0]->position, names);
}

static firn_status join_others(binder *self, change_build *build, const sql_list *others,
                               scope **names) {
    plan_node *node;
    TRY(bind_others(self, build, others, names, &node));
    return bind_new_join(self, build->node, node, JOIN_CROSS, NULL, &build->node);
}

static firn_status filter_rows(binder *self, change_build *build, scope *names,
                               const sql_expr *where) {
    if (where == NULL) {
        return FIRN_OK;
    }
    expr *predicate;
    TRY(bind_predicate(self, names, where, TEXT("WHERE"), &predicate));
    return change_filter(self, build, predicate);
}

// A row that several others match is deleted once.
static firn_status keep_matched(binder *self, change_build *build, const sql_delete *written) {
    scope *names;
    plan_node *node;
    expr *condition = NULL;
    TRY(bind_others(self, build, &written->using, &names, &node));
    if (written->where != NULL) {
        TRY(bind_predicate(self, names, written->where, TEXT("WHERE"), &condition));
    }
    return bind_new_join(self, build->node, node, JOIN_SEMI, condition, &build->node);
}

static firn_status bind_delete(binder *self, const sql_delete *written, const change_target *target,
                               bound_query *out) {
    change_build build;
    column_values values;
    TRY(refuse_returning(self, &written->returning));
    TRY(bind_with(self, written->with, NULL));
    TRY(change_begin(self, written->table, target, &build));
    TRY(written->using.count > 0 ? keep_matched(self, &build, written)
                                 : filter_rows(self, &build, build.rows, written->where));
    TRY(change_deleted(self, &build, CHANGE_DELETE, &values));
    return change_end(self, &build, &values, change_action(self, ROW_DELETE), build.row_id,
                      CHANGE_DELETE, out);
}

// ---- UPDATE ------------------------------------------------------------------------------------

static firn_status bind_update(binder *self, const sql_update *written, const change_target *target,
                               bound_query *out) {
    change_build build;
    column_values values;
    TRY(refuse_returning(self, &written->returning));
    TRY(bind_with(self, written->with, NULL));
    TRY(change_begin(self, written->table, target, &build));
    scope *names = build.rows;
    if (written->from.count > 0) {
        TRY(join_others(self, &build, &written->from, &names));
    }
    TRY(filter_rows(self, &build, names, written->where));
    if (written->from.count > 0) {
        TRY(change_once(self, &build, written->from.items[0]->position));
    }
    TRY(change_kept(self, &build, &values));
    TRY(change_assign(self, &build, names, &written->assignments, &values));
    return change_end(self, &build, &values, change_action(self, ROW_UPDATE), build.row_id,
                      CHANGE_UPDATE, out);
}

// ---- Entry -------------------------------------------------------------------------------------

firn_status bind_change_body(binder *self, const sql_statement *written,
                             const change_target *target, bound_query *out) {
    switch ((int)sql_statement_kind_of(written)) {
    case SQL_DELETE:
        return bind_delete(self, sql_delete_of(written), target, out);
    case SQL_UPDATE:
        return bind_update(self, sql_update_of(written), target, out);
    case SQL_MERGE:
        TRY(refuse_returning(self, &sql_merge_of(written)->returning));
        return bind_merge(self, sql_merge_of(written), target, out);
    default:
        return FAIL(self->err, FIRN_INTERNAL, "a statement that changes no rows");
    }
}
