// FROM: tables, files, subqueries, table functions, joins, and WITH.
//
// Items between commas and join sides are joined as they are written; the optimizer finds the
// order. A side that mentions columns of what stands left of it (LATERAL) makes a dependent join.
#include <assert.h>

#include "plan/binder_private.h"
#include "sql/parser.h"
#include "tables/table_functions.h"

firn_status binder_add_table(binder *self, table_snapshot *table, uint32_t *out) {
    if (self->table_count == self->table_capacity) {
        uint32_t capacity = self->table_capacity;
        table_snapshot **snapshots =
            binder_grow(self, self->snapshots, self->table_count, &capacity, sizeof *snapshots);
        table_ref *tables = binder_grow(self, self->tables, self->table_count,
                                        &self->table_capacity, sizeof *tables);
        if (snapshots == NULL || tables == NULL) {
            table_snapshot_release(table);
            return binder_full(self);
        }
        self->snapshots = snapshots;
        self->tables = tables;
    }
    *out = self->table_count;
    self->snapshots[self->table_count] = table;
    self->tables[self->table_count++] = table->ref;
    return FIRN_OK;
}

// ---- Tables ----------------------------------------------------------------------------------

firn_status binder_scan(binder *self, table_snapshot *table, bound_query *out) {
    uint32_t number;
    TRY(binder_add_table(self, table, &number));
    plan_node *scan;
    TRY(binder_node(self, PLAN_SCAN, &scan));
    const schema *columns = &table->columns;
    scan_column *list = ARENA_NEW(self->memory, scan_column, columns->count + 1);
    uint32_t *paths = ARENA_NEW(self->memory, uint32_t, columns->count + 1);
    if (list == NULL || paths == NULL) {
        return binder_full(self);
    }
    *out = (bound_query){.node = scan};
    for (uint32_t i = 0; i < columns->count; i++) {
        paths[i] = i;
        list[i] = (scan_column){.id = binder_new_id(self),
                                .path = &paths[i],
                                .path_length = 1,
                                .type = columns->fields[i].type,
                                .name = columns->fields[i].name};
        TRY(plan_columns_add(
            self, &out->columns,
            (plan_column){.id = list[i].id, .type = list[i].type, .name = list[i].name}));
    }
    scan->scan_.table = number;
    scan->scan_.columns = (scan_column_list){.count = columns->count, .items = list};
    scan->scan_.output_count = columns->count;
    scan->scan_.limit = UINT64_MAX;
    return FIRN_OK;
}

// Says in which view something was wrong, and whose SQL it is if it is not ours.
static firn_status while_in_view(const view_definition *view, firn_status status, firn_error *err) {
    if (status != FIRN_OK) {
        err->position = NO_POSITION; // It is a place in the view's text.
    }
    if (status != FIRN_OK && view->name.size > 0) {
        err_while(err, "binding the view \"%.*s\"%s%.*s%s", TEXT_ARGS(view->name),
                  view->dialect.size > 0 ? ", whose SQL is that of \"" : "",
                  TEXT_ARGS(view->dialect), view->dialect.size > 0 ? "\"" : "");
    }
    return status;
}

firn_status binder_view(binder *self, const view_definition *view, bound_query *out) {
    if (self->view_depth == BIND_VIEW_DEPTH_MAX) {
        return FAIL_SQL(self->err, FIRN_INVALID, "54001", NO_POSITION,
                        "views are nested deeper than %d", BIND_VIEW_DEPTH_MAX);
    }
    const sql_statement *statement;
    size_t used;
    TRY(while_in_view(view,
                      sql_parse_statement(view->sql, 0, self->memory, &statement, &used, self->err),
                      self->err));
    if (statement == NULL || sql_statement_kind_of(statement) != SQL_QUERY_STATEMENT) {
        return while_in_view(
            view, FAIL(self->err, FIRN_INVALID, "the definition of a view is no query"), self->err);
    }
    cte *const ctes = self->ctes;
    const view_definition *const around = self->view;
    self->ctes = NULL;
    self->view = view;
    self->view_depth++;
    firn_status status = bind_query_body(self, sql_query_statement_of(statement)->query, NULL, out);
    self->view_depth--;
    self->view = around;
    self->ctes = ctes;
    for (uint32_t i = 0; status == FIRN_OK && i < view->columns.count; i++) {
        if (i < out->columns.count) {
            out->columns.items[i].name = view->columns.items[i];
        }
    }
    if (status == FIRN_OK && view->name.size > 0) {
        status = binder_mark_view(self, view, &out->node);
    }
    return while_in_view(view, status, self->err);
}

static firn_status find_version(binder *self, const sql_table *written, table_version *out) {
    *out = (table_version){.kind = VERSION_CURRENT};
    const sql_expr *at = written->version != NULL ? written->version : written->timestamp;
    if (at == NULL) {
        return FIRN_OK;
    }
    expr *value;
    TRY(bind_constant(at, self->env, self->memory, &value, self->err));
    if (value->literal_.value.is_null) {
        return FAIL_SQL(self->err, FIRN_INVALID, "22004", at->position, "the version is NULL");
    }
    if (written->timestamp != NULL) {
        TRY(bind_cast(self, value, TYPE_OF(TIMESTAMPTZ), false, at->position, &value));
        TRY(expr_fold(value, self->env->context, self->memory, &value, self->err));
        out->kind = VERSION_TIMESTAMP;
        out->number = *COLUMN_VALUES(value->literal_.value.value, int64_t);
        return FIRN_OK;
    }
    if (type_category_of(value->type) == CATEGORY_TEXT) {
        out->kind = VERSION_REF;
        out->ref = string_text(COLUMN_VALUES(value->literal_.value.value, string_value));
        return FIRN_OK;
    }
    if (type_category_of(value->type) != CATEGORY_INTEGER) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42804", at->position,
                        "a version is the id of a snapshot, or the name of a branch or tag");
    }
    TRY(bind_cast(self, value, TYPE_OF(BIGINT), false, at->position, &value));
    TRY(expr_fold(value, self->env->context, self->memory, &value, self->err));
    out->kind = VERSION_SNAPSHOT;
    out->number = *COLUMN_VALUES(value->literal_.value.value, int64_t);
    return FIRN_OK;
}

firn_status bind_version(const sql_table *written, const bind_env *env, arena *memory,
                         table_version *out, firn_error *err) {
    binder self = {.memory = memory, .env = env, .err = err};
    return find_version(&self, written, out);
}

static firn_status refuse_version(binder *self, const sql_table *written, text name,
                                  const char *what) {
    const sql_expr *at = written->version != NULL ? written->version : written->timestamp;
    return at == NULL
               ? FIRN_OK
               : FAIL_SQL(self->err, FIRN_INVALID, "42809", at->position,
                          "\"%.*s\" is %s and has no earlier versions", TEXT_ARGS(name), what);
}

// Where in the statement a fault is that knows no place; inside a view there is none.
static firn_status at_position(binder *self, firn_status status, uint32_t position) {
    if (status != FIRN_OK && self->err->position == NO_POSITION && self->view == NULL) {
        self->err->position = position;
    }
    return status;
}

// Where an argument stands in the statement; inside a view it is nowhere in it.
static uint64_t place_of(const binder *self, uint32_t position) {
    return self->view == NULL ? position : NO_POSITION;
}

static firn_status bind_file(binder *self, const sql_literal *file, bound_query *out) {
    expr *path = expr_string(self->memory, TYPE_OF(VARCHAR), file->value);
    if (path == NULL) {
        return binder_full(self);
    }
    const table_argument argument = {.value = path->literal_.value,
                                     .type = path->type,
                                     .position = place_of(self, file->node.position)};
    bool found = false;
    table_snapshot *table = NULL;
    const firn_status opened = self->env->open_files(
        self->env->session, TEXT(""), (table_arguments){.count = 1, .items = &argument},
        self->memory, &found, &table, self->err);
    TRY(at_position(self, opened, file->node.position));
    return binder_scan(self, table, out);
}

// ---- WITH ------------------------------------------------------------------------------------

// The query of that name in a WITH, of those whose number is below; NULL if there is none.
static cte *find_in_group(const cte_group *group, const sql_name *name, uint32_t below) {
    cte *found = NULL;
    for (uint32_t i = name_index_first(&group->names, name->value); i != NO_NAME && i < below;
         i = name_index_next(&group->names, i)) {
        found = name_matches(name, group->items[i]->written->name.value) ? group->items[i] : found;
    }
    return found;
}

static firn_status add_cte(binder *self, cte_group *group, const sql_cte *written, scope *outer) {
    const sql_name *name = &written->name;
    const uint32_t number = group->names.count;
    if (find_in_group(group, name, number) != NULL) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42712", name->position,
                        "the WITH query \"%.*s\" is given twice", TEXT_ARGS(name->value));
    }
    cte *made = ARENA_NEW(self->memory, cte, 1);
    if (made == NULL) {
        return binder_full(self);
    }
    *made = (cte){.written = written,
                  .group = group,
                  .number = number,
                  .older = self->ctes,
                  .visible = self->ctes,
                  .outer = outer,
                  .view = self->view};
    group->items[number] = made;
    self->ctes = made;
    return name_index_add(&group->names, name->value, self->memory, self->err);
}

firn_status bind_with(binder *self, const sql_with *with, scope *outer) {
    if (with == NULL) {
        return FIRN_OK;
    }
    cte_group *group = ARENA_NEW(self->memory, cte_group, 1);
    cte **items = ARENA_NEW(self->memory, cte *, with->ctes.count + 1);
    if (group == NULL || items == NULL) {
        return binder_full(self);
    }
    *group = (cte_group){.items = items, .older = self->ctes};
    for (size_t i = 0; i < with->ctes.count; i++) {
        TRY(add_cte(self, group, sql_cte_of(with->ctes.items[i]), outer));
    }
    return FIRN_OK;
}

// A name that means nothing may be meant to be that of a WITH query.
static void propose_cte(binder *self, const sql_names *path) {
    nearest_name near = nearest_to(path->items[0].value);
    for (const cte *each = self->ctes; path->count == 1 && each != NULL; each = each->older) {
        nearest_offer(&near, each->written->name.value);
    }
    (void)nearest_hint(&near, self->err);
}

static cte *find_cte(binder *self, const sql_names *path) {
    cte *found = NULL;
    const cte *each = path->count == 1 ? self->ctes : NULL;
    while (each != NULL && found == NULL) {
        found = find_in_group(each->group, &path->items[0], each->number + 1);
        each = each->group->older;
    }
    return found;
}

static firn_status bind_cte_query(binder *self, cte *query, bound_query *out) {
    cte *const ctes = self->ctes;
    const view_definition *const view = self->view;
    self->ctes = query->visible;
    self->view = query->view;
    firn_status status = bind_query_body(self, query->written->query, query->outer, out);
    self->ctes = ctes;
    self->view = view;
    TRY(status);
    const sql_names *names = &query->written->columns;
    if (names->count > out->columns.count) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42P10", query->written->name.position,
                        "\"%.*s\" has %u columns, but %zu names are given for them",
                        TEXT_ARGS(query->written->name.value), out->columns.count, names->count);
    }
    for (uint32_t i = 0; i < names->count; i++) {
        out->columns.items[i].name = names->items[i].value;
    }
    return FIRN_OK;
}

static firn_status define_cte(binder *self, cte *query, bound_query *bound) {
    TRY(bind_cte_query(self, query, bound));
    id_set needed;
    TRY(bind_free_ids(self, bound->node, &needed));
    if (!id_set_is_empty(&needed) || query->written->materialized == SQL_MATERIALIZED_NO) {
        query->is_inlined = true;
        return FIRN_OK;
    }
    query->definition = bound->node;
    query->columns = bound->columns;
    query->slot = self->shared_count++;
    return FIRN_OK;
}

// Notes where a CTE is bound anew: for whom an aggregate around it belongs to.
static firn_status note_inlined(binder *self, const cte *query, const plan_node *node) {
    inlined_cte *made = ARENA_NEW(self->memory, inlined_cte, 1);
    if (made == NULL) {
        return binder_full(self);
    }
    *made = (inlined_cte){.query = query, .node = node, .older = self->inlined};
    self->inlined = made;
    return FIRN_OK;
}

// A reference to a CTE: rows of its shared subplan under new ids.
static firn_status bind_cte(binder *self, cte *query, bound_query *out) {
    if (query->is_inlined) {
        TRY(bind_cte_query(self, query, out));
        return note_inlined(self, query, out->node);
    }
    if (query->definition == NULL) {
        TRY(define_cte(self, query, out));
        if (query->is_inlined) {
            return note_inlined(self, query, out->node);
        }
    }
    plan_node *scan;
    TRY(binder_node(self, PLAN_SHARED_SCAN, &scan));
    const uint32_t count = query->columns.count;
    field *fields = ARENA_NEW(self->memory, field, count + 1);
    if (fields == NULL) {
        return binder_full(self);
    }
    *out = (bound_query){.node = scan};
    scan->shared_scan_.slot = query->slot;
    for (uint32_t i = 0; i < count; i++) {
        const plan_column *column = &query->columns.items[i];
        const uint32_t id = binder_new_id(self);
        fields[i] =
            (field){.name = column->name, .type = column->type, .is_nullable = true, .id = -1};
        TRY(u32_list_add(self, &scan->shared_scan_.ids, id));
        TRY(u32_list_add(self, &scan->shared_scan_.source_ids, column->id));
        TRY(plan_columns_add(self, &out->columns,
                             (plan_column){.id = id, .type = column->type, .name = column->name}));
    }
    scan->shared_scan_.columns = (schema){.count = count, .fields = fields};
    query->reference_count++;
    query->only_reference = scan;
    return FIRN_OK;
}

// The one reference of a CTE becomes its definition under a projection that renames.
static firn_status inline_only(binder *self, cte *query) {
    plan_node *node = query->only_reference;
    const u32_list ids = node->shared_scan_.ids;
    expr_list values = {0};
    for (uint32_t i = 0; i < query->columns.count; i++) {
        const plan_column *column = &query->columns.items[i];
        expr *value = expr_column(self->memory, column->id, column->name, column->type);
        if (value == NULL) {
            return binder_full(self);
        }
        TRY(expr_list_add(self, &values, value));
    }
    *node = (plan_node){.kind = PLAN_PROJECT, .row_estimate = -1, .position = UINT32_MAX};
    node->project_.input = query->definition;
    node->project_.ids = ids;
    node->project_.values = values;
    return FIRN_OK;
}

firn_status bind_end_with(binder *self, cte *until, plan_node **node) {
    for (cte *each = self->ctes; each != until; each = each->older) {
        if (each->reference_count == 0 && each->definition == NULL && !each->is_inlined) {
            bound_query unused = {0}; // Never mentioned, but wrong SQL in it is an error.
            TRY(bind_cte_query(self, each, &unused));
        }
        const bool is_wanted = each->written->materialized == SQL_MATERIALIZED_YES;
        if (each->reference_count == 1 && !is_wanted) {
            TRY(inline_only(self, each));
        } else if (each->reference_count > 0) {
            plan_node *shared;
            TRY(binder_node(self, PLAN_SHARED, &shared));
            shared->shared_.slot = each->slot;
            shared->shared_.is_wanted = is_wanted;
            shared->shared_.definition = each->definition;
            shared->shared_.body = *node;
            *node = shared;
        }
    }
    self->ctes = until;
    return FIRN_OK;
}

// ---- Relations -------------------------------------------------------------------------------

static firn_status path_of(binder *self, const sql_names *names, text_list *out) {
    text *items = ARENA_NEW(self->memory, text, names->count + 1);
    if (items == NULL) {
        return binder_full(self);
    }
    for (size_t i = 0; i < names->count; i++) {
        items[i] = names->items[i].value;
    }
    *out = (text_list){.count = (uint32_t)names->count, .items = items};
    return FIRN_OK;
}

static firn_status bind_table(binder *self, const sql_table *written, scope *into,
                              plan_node **out) {
    bound_query rows = {0};
    text_list path = {0};
    text alias = written->alias.value;
    cte *query = find_cte(self, &written->path);
    if (written->file != NULL) {
        TRY(refuse_version(self, written, written->file->value, "a file"));
        TRY(bind_file(self, written->file, &rows));
    } else if (query != NULL) {
        TRY(refuse_version(self, written, query->written->name.value, "a WITH query"));
        alias = alias.size > 0 ? alias : query->written->name.value;
        TRY(bind_cte(self, query, &rows));
    } else {
        table_version version;
        bound_object object = {0};
        TRY(find_version(self, written, &version));
        TRY(path_of(self, &written->path, &path));
        firn_status status = self->env->find(self->env->session, &written->path, &version,
                                             self->view, self->memory, &object, self->err);
        if (status == FIRN_NOT_FOUND) {
            propose_cte(self, &written->path);
        }
        TRY(at_position(self, status, written->node.position));
        path = object.place.count > path.count ? object.place : path;
        alias = alias.size > 0 ? alias : path.items[path.count - 1];
        if (object.snapshot != NULL) {
            TRY(binder_scan(self, object.snapshot, &rows));
        } else {
            TRY(binder_view(self, object.view, &rows));
        }
    }
    *out = rows.node;
    // An alias hides the table's own name.
    path = written->alias.value.size > 0 ? (text_list){0} : path;
    return scope_add_query(self, into, &rows.columns, alias, path, &written->columns,
                           written->node.position);
}

static firn_status bind_derived(binder *self, const sql_derived *written, scope *left, scope *into,
                                plan_node **out) {
    bound_query rows = {0};
    // Only LATERAL sees what stands left of it; else the query's own outer scope.
    scope *outer = written->is_lateral ? left : into->outer;
    TRY(bind_query_body(self, written->query, outer, &rows));
    *out = rows.node;
    return scope_add_query(self, into, &rows.columns, written->alias.value, (text_list){0},
                           &written->columns, written->node.position);
}

// ---- Table functions -------------------------------------------------------------------------

static bool is_call(const sql_call *call, const char *name) {
    return call->path.count == 1 && text_equal_nocase(call->path.items[0].value, text_of(name));
}

// The rows of lists in step; a row of constants below them if nothing is lateral.
static firn_status unnest_lists(binder *self, const sql_table_function *written, text name,
                                const expr_list *lists, bound_query *out) {
    plan_node *one;
    plan_node *node;
    TRY(binder_node(self, PLAN_VALUES, &one));
    TRY(binder_node(self, PLAN_UNNEST, &node));
    one->values_.row_count = 1;
    node->unnest_.input = one;
    node->unnest_.lists = *lists;
    node->unnest_.ordinality_id = NO_SLOT;
    *out = (bound_query){.node = node};
    for (uint32_t i = 0; i < lists->count; i++) {
        const type *list = lists->items[i]->type;
        if (list->id != TYPE_LIST) {
            return FAIL_SQL(self->err, FIRN_INVALID, "42804", written->node.position,
                            "unnest takes lists, not %.*s",
                            TEXT_ARGS(type_text(list, self->memory)));
        }
        const uint32_t id = binder_new_id(self);
        TRY(u32_list_add(self, &node->unnest_.ids, id));
        const bool has_alias = written->alias.value.size > 0 && lists->count == 1;
        TRY(plan_columns_add(self, &out->columns,
                             (plan_column){.id = id,
                                           .type = list->children[0].type,
                                           .name = has_alias ? written->alias.value : name}));
    }
    if (written->with_ordinality) {
        node->unnest_.ordinality_id = binder_new_id(self);
        TRY(plan_columns_add(self, &out->columns,
                             (plan_column){.id = node->unnest_.ordinality_id,
                                           .type = TYPE_OF(BIGINT),
                                           .name = TEXT("ordinality")}));
    }
    return FIRN_OK;
}

// unnest(a, b): one row per element.
static firn_status bind_unnest(binder *self, const sql_table_function *written, scope *left,
                               bound_query *out) {
    expr_list lists = {0};
    TRY(bind_exprs(self, left, &written->call->arguments, &lists));
    return unnest_lists(self, written, TEXT("unnest"), &lists, out);
}

// The arguments of numbers are what the function of that name takes; its error tells what that is.
// Of what nothing is known, such as a parameter, it is a number.
static firn_status type_numbers(binder *self, const sql_table_function *written, expr_list *args,
                                bool is_range) {
    const uint32_t position = written->node.position;
    expr *list;
    for (uint32_t i = 0; i < args->count; i++) {
        if (bind_is_unknown(args->items[i])) {
            TRY(bind_coerce(self, args->items[i], TYPE_OF(BIGINT), position, &args->items[i]));
        }
    }
    TRY(bind_function(self, is_range ? "range" : "generate_series", args->items, args->count,
                      position, &list));
    if (args->count == 1) { // They begin with 0.
        expr *zero = expr_i64(self->memory, TYPE_OF(BIGINT), 0);
        expr *end = list->call_.args.items[0];
        args->count = 0;
        TRY(expr_list_add(self, args, zero));
        return expr_list_add(self, args, end);
    }
    for (uint32_t i = 0; i < args->count; i++) {
        args->items[i] = list->call_.args.items[i];
    }
    return FIRN_OK;
}

static firn_status type_times(binder *self, const sql_table_function *written, expr_list *args,
                              const type *result) {
    const text name = written->call->path.items[0].value;
    if (args->count != 3) {
        firn_status status = FAIL_SQL(self->err, FIRN_INVALID, "42883", written->node.position,
                                      "\"%.*s\" of dates or timestamps takes a start, an end and a "
                                      "step, here are %u arguments",
                                      TEXT_ARGS(name), args->count);
        err_hint(self->err, "the step is an INTERVAL, such as INTERVAL '1 day'");
        return status;
    }
    for (uint32_t i = 0; i < 3; i++) {
        const type *wanted = i == 2 ? TYPE_OF(INTERVAL) : result;
        const uint32_t position = written->call->arguments.items[i]->position;
        TRY(bind_coerce(self, args->items[i], wanted, position, &args->items[i]));
    }
    return FIRN_OK;
}

// The type of the start, or else of the end, if that is one of dates and times.
static const type *time_of(const expr_list *args) {
    for (uint32_t i = 0; i < args->count && i < 2; i++) {
        if (type_category_of(args->items[i]->type) == CATEGORY_DATETIME) {
            return args->items[i]->type;
        }
    }
    return NULL;
}

static bool find_subquery(void *user, expr **slot) {
    (void)user;
    return (*slot)->kind != EXPR_SUBQUERY && expr_visit_children(*slot, find_subquery, user);
}

// Whether an argument is known only once a subquery has run.
static bool asks_subquery(expr_list *args) {
    for (uint32_t i = 0; i < args->count; i++) {
        if (!find_subquery(NULL, &args->items[i])) {
            return true;
        }
    }
    return false;
}

// generate_series and range: integers, or timestamps with an interval.
static firn_status bind_series(binder *self, const sql_table_function *written, scope *left,
                               bound_query *out) {
    const bool is_range = is_call(written->call, "range");
    expr_list args = {0};
    const type *result = TYPE_OF(BIGINT);
    TRY(bind_exprs(self, left, &written->call->arguments, &args));
    const type *time = time_of(&args);
    if (time != NULL) {
        result = time->id == TYPE_TIMESTAMPTZ ? TYPE_OF(TIMESTAMPTZ) : TYPE_OF(TIMESTAMP);
        TRY(type_times(self, written, &args, result));
    } else {
        TRY(type_numbers(self, written, &args, is_range));
    }
    if (args.count == 2) {
        TRY(expr_list_add(self, &args, expr_i64(self->memory, TYPE_OF(BIGINT), 1)));
    }
    const text name = is_range ? TEXT("range") : TEXT("generate_series");
    if (asks_subquery(&args)) { // As a list, which takes what stands in a row.
        expr *list;
        expr_list lists = {0};
        TRY(bind_function(self, is_range ? "range" : "generate_series", args.items, args.count,
                          written->node.position, &list));
        TRY(expr_list_add(self, &lists, list));
        return unnest_lists(self, written, name, &lists, out);
    }
    plan_node *node;
    TRY(binder_node(self, PLAN_TABLE_FUNCTION, &node));
    field *columns = ARENA_NEW(self->memory, field, 2);
    if (columns == NULL) {
        return binder_full(self);
    }
    columns[0] = (field){.name = written->alias.value.size > 0 ? written->alias.value : name,
                         .type = result,
                         .id = -1};
    columns[1] = (field){.name = TEXT("ordinality"), .type = TYPE_OF(BIGINT), .id = -1};
    const uint32_t count = written->with_ordinality ? 2 : 1;
    node->table_function_.function = name;
    node->table_function_.args = args;
    node->table_function_.columns = (schema){.count = count, .fields = columns};
    *out = (bound_query){.node = node};
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t id = binder_new_id(self);
        TRY(u32_list_add(self, &node->table_function_.ids, id));
        TRY(plan_columns_add(
            self, &out->columns,
            (plan_column){.id = id, .type = columns[i].type, .name = columns[i].name}));
    }
    return FIRN_OK;
}

// `name = value`: no column is known where files are named, so that it can only mean name => value.
static bool is_named_by_equals(const sql_expr *written) {
    if (!sql_is_expr(written, SQL_BINARY) || sql_binary_of(written)->op != SQL_OP_EQUAL) {
        return false;
    }
    const sql_expr *left = sql_binary_of(written)->left;
    return sql_is_expr(left, SQL_COLUMN) && sql_column_of(left)->path.count == 1;
}

// An argument `timestamp` is an instant: one without zone is of the session's, as FOR TIMESTAMP AS
// OF has it. What is none is left to the function to refuse.
static firn_status as_instant(binder *self, expr **value) {
    const type *of = (*value)->type;
    expr *made;
    if ((*value)->literal_.value.is_null ||
        (of->id != TYPE_DATE && of->id != TYPE_TIMESTAMP && of->id != TYPE_TIMESTAMPTZ &&
         of->id != TYPE_VARCHAR)) {
        return FIRN_OK;
    }
    TRY(bind_cast(self, *value, TYPE_OF(TIMESTAMPTZ), false, (*value)->position, &made));
    TRY(expr_try_fold(made, self->env->context, self->memory, &made, self->err));
    *value = made == NULL ? *value : made;
    return FIRN_OK;
}

static firn_status bind_argument(binder *self, const sql_expr *written, table_argument *out) {
    *out = (table_argument){.position = place_of(self, written->position)};
    if (sql_is_expr(written, SQL_NAMED_ARGUMENT)) {
        const sql_named_argument *named = sql_named_argument_of(written);
        out->name = named->name.value;
        written = named->value;
    } else if (is_named_by_equals(written)) {
        const sql_name *name = &sql_column_of(sql_binary_of(written)->left)->path.items[0];
        out->name = name->value;
        out->position = place_of(self, name->position);
        written = sql_binary_of(written)->right;
    }
    // A bare word such as `auto` is a text.
    if (sql_is_expr(written, SQL_COLUMN) && sql_column_of(written)->path.count == 1) {
        expr *word = expr_string(self->memory, TYPE_OF(VARCHAR),
                                 sql_column_of(written)->path.items[0].value);
        if (word == NULL) {
            return binder_full(self);
        }
        out->value = word->literal_.value;
        out->type = word->type;
        return FIRN_OK;
    }
    expr *value;
    TRY(bind_constant(written, self->env, self->memory, &value, self->err));
    if (text_equal_nocase(out->name, TEXT("timestamp"))) {
        TRY(as_instant(self, &value));
    }
    out->value = value->literal_.value;
    out->type = value->type;
    return FIRN_OK;
}

static firn_status bind_files(binder *self, const sql_table_function *written, bound_query *out) {
    const sql_call *call = written->call;
    const sql_name *name = &call->path.items[call->path.count - 1];
    table_argument *args = ARENA_NEW(self->memory, table_argument, call->arguments.count + 1);
    if (args == NULL) {
        return binder_full(self);
    }
    for (size_t i = 0; i < call->arguments.count; i++) {
        TRY(bind_argument(self, call->arguments.items[i], &args[i]));
    }
    bool found = false;
    table_snapshot *table = NULL;
    firn_status opened = self->env->open_files(
        self->env->session, name->value,
        (table_arguments){.count = (uint32_t)call->arguments.count, .items = args}, self->memory,
        &found, &table, self->err);
    const bool has_place = found && call->arguments.count > 0;
    TRY(at_position(self, opened, has_place ? (uint32_t)args[0].position : name->position));
    if (!found) {
        firn_status status =
            FAIL_SQL(self->err, FIRN_INVALID, "42883", name->position,
                     "there is no table function \"%.*s\"", TEXT_ARGS(name->value));
        table_function_hint(name->value, self->err);
        return status;
    }
    return binder_scan(self, table, out);
}

static firn_status bind_table_function(binder *self, const sql_table_function *written, scope *left,
                                       scope *into, plan_node **out) {
    bound_query rows = {0};
    if (is_call(written->call, "unnest")) {
        TRY(bind_unnest(self, written, left, &rows));
    } else if (is_call(written->call, "generate_series") || is_call(written->call, "range")) {
        TRY(bind_series(self, written, left, &rows));
    } else {
        TRY(bind_files(self, written, &rows));
        if (written->with_ordinality) {
            firn_status status =
                FAIL_SQL(self->err, FIRN_UNSUPPORTED, "0A000", written->node.position,
                         "WITH ORDINALITY is not supported for \"%.*s\"",
                         TEXT_ARGS(written->call->path.items[0].value));
            err_hint(self->err, "unnest, generate_series and range number their rows");
            return status;
        }
    }
    *out = rows.node;
    const text name = written->call->path.items[written->call->path.count - 1].value;
    const text alias = written->alias.value.size > 0 ? written->alias.value : name;
    return scope_add_query(self, into, &rows.columns, alias, (text_list){0}, &written->columns,
                           written->node.position);
}

static const sql_sample *sample_of(const sql_relation *written) {
    switch (sql_relation_kind_of(written)) {
    case SQL_TABLE:
        return sql_table_of(written)->sample;
    case SQL_DERIVED:
        return sql_derived_of(written)->sample;
    case SQL_TABLE_FUNCTION:
        return sql_table_function_of(written)->sample;
    case SQL_JOIN:
        break;
    }
    return NULL;
}

firn_status bind_relation(binder *self, const sql_relation *written, scope *left, scope *into,
                          plan_node **out) {
    if (sample_of(written) != NULL) {
        return FAIL_SQL(self->err, FIRN_UNSUPPORTED, "0A000", sample_of(written)->node.position,
                        "TABLESAMPLE is not supported");
    }
    switch (sql_relation_kind_of(written)) {
    case SQL_TABLE:
        return bind_table(self, sql_table_of(written), into, out);
    case SQL_DERIVED:
        return bind_derived(self, sql_derived_of(written), left, into, out);
    case SQL_TABLE_FUNCTION:
        return bind_table_function(self, sql_table_function_of(written), left, into, out);
    case SQL_JOIN:
        return bind_join(self, sql_join_of(written), left, into, out);
    }
    return FAIL(self->err, FIRN_INTERNAL, "an unknown relation");
}

firn_status bind_count_relation(binder *self, uint32_t position) {
    return self->relation_count++ < BIND_RELATIONS_MAX
               ? FIRN_OK
               : FAIL_SQL(self->err, FIRN_INVALID, "54000", position,
                          "more than %d tables in one statement", BIND_RELATIONS_MAX);
}

firn_status bind_from(binder *self, const sql_list *relations, scope *into, plan_node **out) {
    *out = NULL;
    if (relations->count > BIND_NESTING_MAX) {
        return FAIL_SQL(self->err, FIRN_INVALID, "54001", relations->items[0]->position,
                        "%zu items in one FROM, at most %d are allowed", relations->count,
                        BIND_NESTING_MAX);
    }
    for (size_t i = 0; i < relations->count; i++) {
        TRY(scope_index(self, into)); // Its copy must not do so in the same room.
        scope seen = *into;           // What LATERAL sees.
        seen.select = NULL;
        plan_node *node;
        TRY(bind_count_relation(self, relations->items[i]->position));
        TRY(bind_relation(self, relations->items[i], &seen, into, &node));
        if (*out == NULL) {
            *out = node;
        } else {
            TRY(bind_new_join(self, *out, node, JOIN_CROSS, NULL, out));
        }
    }
    if (*out == NULL) { // No FROM: one row without columns.
        TRY(binder_node(self, PLAN_VALUES, out));
        (*out)->values_.row_count = 1;
    }
    return FIRN_OK;
}
