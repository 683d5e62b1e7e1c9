// MERGE: one join of table and source, as the arms need it, and the number of the arm that each of
// its rows takes: a CASE over the arms' conditions, as they are written.
#include "plan/binder_change.h"

typedef struct merge_build {
    change_build change;
    const sql_merge *written;
    const change_target *target;
    scope *source; // Its columns.
    scope *both;
    plan_node *source_node;
    expr *is_source; // A column: TRUE, NULL where no row of the source matched.
    expr *arm;       // A column: the number of the arm from 1 on; NULL: there is but one.
    bool takes[3];   // By sql_merge_match: is there an arm that does something?
} merge_build;

static const sql_merge_when *arm_at(const merge_build *self, size_t i) {
    return sql_merge_when_of(self->written->whens.items[i]);
}

static firn_status is_null(binder *self, const expr *column, bool is_negated, expr **out) {
    expr *copy = expr_copy(self->memory, column);
    return copy == NULL ? binder_full(self)
                        : bind_function(self, is_negated ? "is_not_null" : "is_null", &copy, 1,
                                        UINT32_MAX, out);
}

// ---- The join ----------------------------------------------------------------------------------

// The source with a column that is TRUE.
static firn_status mark_source(binder *self, merge_build *build) {
    expr_list values = {0};
    u32_list ids = {0};
    const scope *source = build->source;
    for (uint32_t i = 0; i < source->count; i++) {
        const scope_column *column = &source->columns[i];
        TRY(expr_list_add(self, &values,
                          expr_column(self->memory, column->id, column->name, column->type)));
        TRY(u32_list_add(self, &ids, column->id));
    }
    const uint32_t mark = binder_new_id(self);
    TRY(expr_list_add(self, &values, expr_bool(self->memory, true)));
    TRY(u32_list_add(self, &ids, mark));
    for (uint32_t i = 0; i < values.count; i++) {
        if (values.items[i] == NULL) {
            return binder_full(self);
        }
    }
    build->is_source = expr_column(self->memory, mark, TEXT("source"), TYPE_OF(BOOLEAN));
    return build->is_source == NULL
               ? binder_full(self)
               : binder_project(self, build->source_node, &values, &ids, &build->source_node);
}

// The table is on the left. Which rows must be there hangs on the arms: unmatched ones of a side
// only where an arm asks for them.
static join_kind kind_of_join(const merge_build *self) {
    const bool keeps_table = self->takes[SQL_MERGE_NOT_MATCHED_BY_SOURCE];
    const bool keeps_source = self->takes[SQL_MERGE_NOT_MATCHED];
    if (keeps_table) {
        return keeps_source ? JOIN_FULL : self->takes[SQL_MERGE_MATCHED] ? JOIN_LEFT : JOIN_ANTI;
    }
    return !keeps_source                    ? JOIN_INNER
           : self->takes[SQL_MERGE_MATCHED] ? JOIN_RIGHT
                                            : JOIN_RIGHT_ANTI;
}

static firn_status join_source(binder *self, merge_build *build) {
    expr *condition;
    change_build *change = &build->change;
    const join_kind kind = kind_of_join(build);
    TRY(bind_predicate(self, build->both, build->written->on, TEXT("ON"), &condition));
    if (kind == JOIN_LEFT || kind == JOIN_FULL) {
        TRY(mark_source(self, build));
    }
    // RIGHT ANTI is an ANTI join with its sides changed: only that one can be a dependent join.
    if (kind == JOIN_RIGHT_ANTI) {
        return bind_new_join(self, build->source_node, change->node, JOIN_ANTI, condition,
                             &change->node);
    }
    TRY(bind_new_join(self, change->node, build->source_node, kind, condition, &change->node));
    return change->node->kind != PLAN_DEPENDENT_JOIN || kind == JOIN_INNER || kind == JOIN_LEFT ||
                   kind == JOIN_ANTI
               ? FIRN_OK
               : FAIL_SQL(self->err, FIRN_INVALID, "42P10", build->written->source->position,
                          "the source of MERGE cannot mention columns of the table");
}

// ---- Which arm ---------------------------------------------------------------------------------

// What an arm may mention: a row that is not there has no columns.
static scope *scope_of(const merge_build *self, sql_merge_match match) {
    return match == SQL_MERGE_MATCHED       ? self->both
           : match == SQL_MERGE_NOT_MATCHED ? self->source
                                            : self->change.rows;
}

// Whether an arm fits a row of the join; NULL: it fits all of them.
static firn_status condition_of(binder *self, const merge_build *build, const sql_merge_when *arm,
                                expr **out) {
    const join_kind kind = kind_of_join(build);
    const bool may_lack_table = kind == JOIN_RIGHT || kind == JOIN_FULL;
    const bool may_lack_source = kind == JOIN_LEFT || kind == JOIN_FULL;
    expr *parts[3] = {NULL, NULL, NULL};
    if (may_lack_table) {
        TRY(is_null(self, build->change.row_id, arm->match != SQL_MERGE_NOT_MATCHED, &parts[0]));
    }
    if (may_lack_source && arm->match != SQL_MERGE_NOT_MATCHED) {
        TRY(is_null(self, build->is_source, arm->match == SQL_MERGE_MATCHED, &parts[1]));
    }
    if (arm->condition != NULL) {
        TRY(bind_predicate(self, scope_of(build, arm->match), arm->condition, TEXT("WHEN"),
                           &parts[2]));
    }
    *out = NULL;
    for (int i = 0; i < 3; i++) {
        if (parts[i] != NULL) {
            *out = expr_and(self->memory, *out, parts[i]);
            if (*out == NULL) {
                return binder_full(self);
            }
        }
    }
    return FIRN_OK;
}

// One arm alone: its condition filters the join's rows.
static firn_status take_only(binder *self, merge_build *build) {
    expr *condition;
    TRY(condition_of(self, build, arm_at(build, 0), &condition));
    return condition == NULL ? FIRN_OK : change_filter(self, &build->change, condition);
}

// Adds a column to what the join hands out: the number of the arm, 0 for none.
static firn_status number_arms(binder *self, merge_build *build) {
    change_build *change = &build->change;
    expr *number = expr_new(self->memory, EXPR_CASE, TYPE_OF(INTEGER));
    if (number == NULL) {
        return binder_full(self);
    }
    for (size_t i = 0; i < build->written->whens.count; i++) {
        const sql_merge_when *arm = arm_at(build, i);
        const bool acts = arm->action != SQL_MERGE_NOTHING;
        expr *condition;
        TRY(condition_of(self, build, arm, &condition));
        if (!build->takes[arm->match]) {
            continue; // The join hands out no such rows.
        }
        condition = condition == NULL ? expr_bool(self->memory, true) : condition;
        expr *value = expr_i64(self->memory, TYPE_OF(INTEGER), acts ? (int64_t)i + 1 : 0);
        if (condition == NULL || value == NULL) {
            return binder_full(self);
        }
        TRY(expr_list_add(self, &number->case_.conditions, condition));
        TRY(expr_list_add(self, &number->case_.values, value));
    }
    if (number->case_.conditions.count == 0) { // Nothing is to be done.
        TRY(expr_list_add(self, &number->case_.conditions, expr_bool(self->memory, false)));
        TRY(expr_list_add(self, &number->case_.values,
                          expr_i64(self->memory, TYPE_OF(INTEGER), 0)));
    }
    number->case_.otherwise = expr_i64(self->memory, TYPE_OF(INTEGER), 0);
    expr_list values = {0};
    u32_list ids = {0};
    plan_columns columns;
    TRY(plan_outputs(change->node, self->memory, &columns, self->err));
    for (uint32_t i = 0; i < columns.count; i++) {
        const plan_column *column = &columns.items[i];
        TRY(expr_list_add(self, &values,
                          expr_column(self->memory, column->id, column->name, column->type)));
        TRY(u32_list_add(self, &ids, column->id));
    }
    const uint32_t id = binder_new_id(self);
    TRY(expr_list_add(self, &values, number));
    TRY(u32_list_add(self, &ids, id));
    TRY(binder_project(self, change->node, &values, &ids, &change->node));
    build->arm = expr_column(self->memory, id, TEXT("arm"), TYPE_OF(INTEGER));
    expr *sides[2] = {build->arm, expr_i64(self->memory, TYPE_OF(INTEGER), 0)};
    if (sides[0] == NULL || sides[1] == NULL || number->case_.otherwise == NULL) {
        return binder_full(self);
    }
    expr *acts;
    TRY(bind_function(self, "<>", sides, 2, UINT32_MAX, &acts));
    return change_filter(self, change, acts);
}

// ---- What arms do ------------------------------------------------------------------------------

// The source's column of that name, for UPDATE SET * and INSERT *.
static firn_status source_column(binder *self, const merge_build *build, uint32_t column,
                                 uint32_t position, expr **out) {
    const text wanted = build->target->table->columns.fields[column].name;
    const sql_name name = {.value = wanted, .position = position};
    uint32_t found = NO_NAME;
    uint32_t count = 0;
    TRY(scope_index(self, build->source));
    for (uint32_t i = scope_first_named(build->source, &name); i != NO_NAME;
         i = scope_next_named(build->source, &name, i)) {
        if (!build->source->columns[i].is_hidden) {
            found = i;
            count++;
        }
    }
    if (count != 1) {
        const firn_status status =
            FAIL_SQL(self->err, FIRN_INVALID, count == 0 ? "42703" : "42702", position,
                     count == 0 ? "the source has no column \"%.*s\", which * takes"
                                : "the source has several columns \"%.*s\"",
                     TEXT_ARGS(wanted));
        err_hint(self->err, "name the columns and their values instead of *");
        return status;
    }
    const scope_column *from = &build->source->columns[found];
    expr *value = expr_column(self->memory, from->id, from->name, from->type);
    return value == NULL ? binder_full(self)
                         : change_fill(self, &build->change, column, value, position, out);
}

static firn_status take_all(binder *self, const merge_build *build, uint32_t position,
                            column_values *values) {
    for (uint32_t i = 0; i < build->change.own.count; i++) {
        TRY(source_column(self, build, i, position, &values->items[i]));
        values->positions[i] = position;
    }
    return FIRN_OK;
}

// Which value of INSERT (columns) VALUES (values) is for which column; UINT32_MAX: its default.
static firn_status map_inserted(binder *self, const merge_build *build, const sql_merge_when *arm,
                                uint32_t *sources) {
    const schema *columns = &build->target->table->columns;
    memset(sources, 0xff, columns->count * sizeof *sources);
    const size_t given = arm->values.count;
    if (given > 0 && arm->columns.count == 0 && given != columns->count) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42601", arm->values.items[0]->position,
                        "INSERT gives %zu values, the table takes %u", given, columns->count);
    }
    for (size_t i = 0; i < given; i++) {
        uint32_t found = (uint32_t)i;
        if (arm->columns.count > 0) {
            const sql_name *name = &arm->columns.items[i];
            found = binder_find_column(&build->change.names, name);
            if (found == UINT32_MAX) {
                return binder_say_no_column(self, columns, name, name->position);
            }
            if (sources[found] != UINT32_MAX) {
                return FAIL_SQL(self->err, FIRN_INVALID, "42701", name->position,
                                "column \"%.*s\" is given twice", TEXT_ARGS(name->value));
            }
        }
        sources[found] = (uint32_t)i;
    }
    return FIRN_OK;
}

static firn_status insert_values(binder *self, const merge_build *build, const sql_merge_when *arm,
                                 column_values *values) {
    const uint32_t count = build->change.own.count;
    uint32_t *sources = ARENA_NEW(self->memory, uint32_t, count + 1);
    if (sources == NULL) {
        return binder_full(self);
    }
    TRY(map_inserted(self, build, arm, sources));
    for (uint32_t i = 0; i < count; i++) {
        if (sources[i] == UINT32_MAX) {
            TRY(bind_default_value(self, build->target->table, i, UINT32_MAX, &values->items[i]));
            values->positions[i] = arm->node.position;
            continue;
        }
        const sql_expr *written = arm->values.items[sources[i]];
        TRY(change_value(self, &build->change, build->source, i, written, &values->items[i]));
        values->positions[i] = written->position;
    }
    return FIRN_OK;
}

static firn_status values_of(binder *self, const merge_build *build, const sql_merge_when *arm,
                             column_values *out) {
    const uint32_t position = arm->node.position;
    if (arm->action == SQL_MERGE_DELETE || arm->action == SQL_MERGE_NOTHING) {
        return change_deleted(self, &build->change, CHANGE_MERGE, out);
    }
    TRY(change_kept(self, &build->change, out));
    if (arm->is_star) {
        return take_all(self, build, position, out);
    }
    return arm->action == SQL_MERGE_INSERT
               ? insert_values(self, build, arm, out)
               : change_assign(self, &build->change, scope_of(build, arm->match), &arm->assignments,
                               out);
}

static expr *action_of(binder *self, const sql_merge_when *arm) {
    return change_action(self, arm->action == SQL_MERGE_INSERT   ? ROW_INSERT
                               : arm->action == SQL_MERGE_DELETE ? ROW_DELETE
                                                                 : ROW_UPDATE);
}

// What an arm makes of a row: the table's columns, action and row id.
typedef struct arm_row {
    uint32_t number; // As in the CASE.
    expr **values;
} arm_row;

static firn_status row_of(binder *self, const merge_build *build, const sql_merge_when *arm,
                          arm_row *out) {
    const uint32_t count = build->change.own.count;
    column_values values;
    TRY(values_of(self, build, arm, &values));
    out->values = ARENA_NEW(self->memory, expr *, (size_t)count + 2);
    if (out->values == NULL) {
        return binder_full(self);
    }
    for (uint32_t i = 0; i < count; i++) {
        out->values[i] = values.items[i];
    }
    out->values[count] = action_of(self, arm);
    out->values[count + 1] = arm->action == SQL_MERGE_INSERT
                                 ? change_no_row(self)
                                 : expr_copy(self->memory, build->change.row_id);
    return out->values[count] == NULL || out->values[count + 1] == NULL ? binder_full(self)
                                                                        : FIRN_OK;
}

// Column `i` of all arms: a CASE over the number, whose ELSE is the last arm, as there are no rows
// of other numbers.
static firn_status choose(binder *self, const merge_build *build, const arm_row *rows,
                          uint32_t count, uint32_t i, expr **out) {
    *out = rows[count - 1].values[i];
    if (count == 1) {
        return FIRN_OK;
    }
    expr *made = expr_new(self->memory, EXPR_CASE, (*out)->type);
    if (made == NULL) {
        return binder_full(self);
    }
    made->case_.otherwise = *out;
    for (uint32_t k = 0; k + 1 < count; k++) {
        expr *sides[2] = {expr_copy(self->memory, build->arm),
                          expr_i64(self->memory, TYPE_OF(INTEGER), rows[k].number)};
        expr *condition;
        if (sides[0] == NULL || sides[1] == NULL) {
            return binder_full(self);
        }
        TRY(bind_function(self, "=", sides, 2, UINT32_MAX, &condition));
        TRY(expr_list_add(self, &made->case_.conditions, condition));
        TRY(expr_list_add(self, &made->case_.values, rows[k].values[i]));
    }
    *out = made;
    return FIRN_OK;
}

static firn_status end_arms(binder *self, merge_build *build, bound_query *out) {
    change_build *change = &build->change;
    const uint32_t width = change->own.count;
    arm_row *rows = ARENA_NEW(self->memory, arm_row, build->written->whens.count + 1);
    uint32_t count = 0;
    if (rows == NULL) {
        return binder_full(self);
    }
    for (size_t i = 0; i < build->written->whens.count; i++) {
        const sql_merge_when *arm = arm_at(build, i);
        if (arm->action != SQL_MERGE_NOTHING) {
            rows[count].number = (uint32_t)i + 1;
            TRY(row_of(self, build, arm, &rows[count++]));
        }
    }
    column_values values;
    expr *marks[2] = {change_action(self, ROW_KEEP), change_no_row(self)};
    TRY(change_deleted(self, change, CHANGE_MERGE, &values)); // Where no arm does anything.
    for (uint32_t i = 0; count > 0 && i < width + 2; i++) {
        TRY(choose(self, build, rows, count, i, i < width ? &values.items[i] : &marks[i - width]));
    }
    return change_end(self, change, &values, marks[0], marks[1], CHANGE_MERGE, out);
}

static firn_status end_only(binder *self, merge_build *build, bound_query *out) {
    const sql_merge_when *arm = arm_at(build, 0);
    column_values values;
    TRY(values_of(self, build, arm, &values));
    expr *row_id = arm->action == SQL_MERGE_INSERT ? change_no_row(self) : build->change.row_id;
    return change_end(self, &build->change, &values, action_of(self, arm), row_id, CHANGE_MERGE,
                      out);
}

// ---- Entry -------------------------------------------------------------------------------------

// An arm behind one of its kind that takes all rows is never taken: most likely a mistake.
static firn_status check_arms(binder *self, merge_build *build) {
    bool is_over[3] = {false, false, false};
    for (size_t i = 0; i < build->written->whens.count; i++) {
        const sql_merge_when *arm = arm_at(build, i);
        if (is_over[arm->match]) {
            return FAIL_SQL(self->err, FIRN_INVALID, "42601", arm->node.position,
                            "an arm that is never taken: one before it takes all rows");
        }
        is_over[arm->match] = arm->condition == NULL;
        build->takes[arm->match] |= arm->action != SQL_MERGE_NOTHING;
    }
    return FIRN_OK;
}

firn_status bind_merge(binder *self, const sql_merge *written, const change_target *target,
                       bound_query *out) {
    merge_build build = {.written = written, .target = target, .source = scope_new(self, NULL)};
    change_build *change = &build.change;
    if (build.source == NULL) {
        return binder_full(self);
    }
    TRY(check_arms(self, &build));
    TRY(bind_with(self, written->with, NULL));
    TRY(change_begin(self, written->table, target, change));
    scope *nothing = scope_new(self, NULL);
    if (nothing == NULL) {
        return binder_full(self);
    }
    TRY(bind_relation(self, written->source, nothing, build.source, &build.source_node));
    TRY(change_both(self, change->rows, build.source, written->source->position, &build.both));
    TRY(join_source(self, &build));
    const bool is_only =
        written->whens.count == 1 && arm_at(&build, 0)->action != SQL_MERGE_NOTHING;
    TRY(is_only ? take_only(self, &build) : number_arms(self, &build));
    const bool may_repeat = build.takes[SQL_MERGE_MATCHED];
    if (may_repeat) {
        TRY(change_once(self, change, written->source->position));
    }
    return is_only ? end_only(self, &build, out) : end_arms(self, &build, out);
}
