// SHOW, DESCRIBE, EXPLAIN and information_schema: what the session and its catalogs know.
#include <inttypes.h>

#include "base/host.h"
#include "engine/measured_plan.h"
#include "engine/objects.h"
#include "functions/registry.h"
#include "sql/printer.h"

// ---- SHOW
// ------------------------------------------------------------------------------------------

static firn_status show_settings(run *self, firn_error *err) {
    static const char *const names[] = {"name", "value", "default", "description"};
    listing *rows;
    TRY(listing_open(self, names, 4, &rows, err));
    for (int id = 0; id < SETTING_COUNT; id++) {
        const setting_id each = (setting_id)id;
        const text cells[] = {setting_name(each), text_of(self->session->settings.texts[id]),
                              setting_default(each), setting_description(each)};
        TRY(listing_add(rows, cells, err));
    }
    return listing_finish(rows, err);
}

static firn_status show_setting(run *self, const sql_names *path, firn_error *err) {
    text_builder name = text_builder_open(&self->memory);
    for (size_t i = 0; i < path->count; i++) {
        text_append(&name, i == 0 ? TEXT("") : TEXT("."));
        text_append(&name, path->items[i].value);
    }
    text whole;
    text value;
    TRY(text_builder_finish(&name, &whole, err));
    firn_status status = settings_get(&self->session->settings, whole, &value, err);
    if (status != FIRN_OK) {
        err->position = path->items[0].position;
        return status;
    }
    const char *const names[] = {whole.data};
    listing *rows;
    TRY(listing_open(self, names, 1, &rows, err));
    TRY(listing_add(rows, &value, err));
    return listing_finish(rows, err);
}

static firn_status show_catalogs(run *self, firn_error *err) {
    static const char *const names[] = {"name"};
    listing *rows;
    TRY(listing_open(self, names, 1, &rows, err));
    for (uint32_t i = 0; i < self->catalogs->count; i++) {
        TRY(listing_add(rows, &self->catalogs->items[i]->alias, err));
    }
    return listing_finish(rows, err);
}

static firn_status dotted_space(run *self, namespace_path space, text *out, firn_error *err) {
    text_builder builder = text_builder_open(&self->memory);
    for (uint32_t i = 0; i < space.count; i++) {
        text_append(&builder, i == 0 ? TEXT("") : TEXT("."));
        text_append(&builder, space.items[i]);
    }
    return text_builder_finish(&builder, out, err);
}

typedef firn_status (*space_visit)(run *self, const attached *owner, namespace_path space,
                                   void *user, firn_error *err);

#define NAMESPACE_DEPTH_MAX 16

// Every namespace of a catalog, at every level.
static firn_status each_space(run *self, const attached *owner, namespace_path parent,
                              uint32_t depth, space_visit visit, void *user, firn_error *err) {
    namespace_path *children;
    uint32_t count;
    catalog *target = owner->catalog;
    TRY(target->kind->list_namespaces(target, parent, &self->memory, &children, &count,
                                      &self->cancel, err));
    for (uint32_t i = 0; i < count; i++) {
        TRY(visit(self, owner, children[i], user, err));
        if (depth < NAMESPACE_DEPTH_MAX) {
            TRY(each_space(self, owner, children[i], depth + 1, visit, user, err));
        }
    }
    return FIRN_OK;
}

static firn_status add_space(run *self, const attached *owner, namespace_path space, void *user,
                             firn_error *err) {
    (void)owner;
    text name;
    TRY(dotted_space(self, space, &name, err));
    return listing_add(user, &name, err);
}

static firn_status show_schemas(run *self, const sql_show *written, firn_error *err) {
    static const char *const names[] = {"name"};
    listing *rows;
    TRY(listing_open(self, names, 1, &rows, err));
    if (self->is_description) {
        return listing_finish(rows, err);
    }
    const sql_name current = {.value = self->context.catalog};
    const sql_name *wanted = written->name.count > 0 ? &written->name.items[0] : &current;
    const attached *owner = catalog_set_find(self->catalogs, wanted);
    if (owner == NULL) {
        return FAIL_SQL(err, FIRN_NOT_FOUND, "3D000", wanted->position,
                        "no catalog \"%.*s\" is attached", TEXT_ARGS(wanted->value));
    }
    TRY(each_space(self, owner, (namespace_path){0}, 0, add_space, rows, err));
    return listing_finish(rows, err);
}

static text kind_name(const attached *owner, const run *self, const catalog_entry *entry) {
    if (entry->kind == ENTRY_VIEW) {
        return TEXT("VIEW");
    }
    return owner->catalog == self->session->temporary ? TEXT("LOCAL TEMPORARY")
                                                      : TEXT("BASE TABLE");
}

static firn_status add_tables(run *self, const attached *owner, namespace_path space, void *user,
                              firn_error *err) {
    catalog_entry_list entries;
    text schema;
    TRY(owner->catalog->kind->list(owner->catalog, space, &self->memory, &entries, &self->cancel,
                                   err));
    TRY(dotted_space(self, space, &schema, err));
    for (uint32_t i = 0; i < entries.count; i++) {
        const text cells[] = {owner->alias, schema, entries.items[i].name,
                              kind_name(owner, self, &entries.items[i])};
        TRY(listing_add(user, cells, err));
    }
    return FIRN_OK;
}

// SHOW TABLES: of the current schema and temporary ones; FROM c.s or FROM s: of that.
static firn_status show_tables(run *self, const sql_show *written, firn_error *err) {
    static const char *const names[] = {"catalog", "schema", "name", "type"};
    listing *rows;
    TRY(listing_open(self, names, 4, &rows, err));
    if (self->is_description) {
        return listing_finish(rows, err);
    }
    sql_name *path = ARENA_NEW(&self->memory, sql_name, written->name.count + 2);
    if (path == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    size_t count = written->name.count;
    if (count > 0) {
        memcpy(path, written->name.items, count * sizeof *path);
    } else {
        const sql_name temp = {.value = TEXT("temp")};
        const text main_name = TEXT("main");
        TRY(add_tables(self, catalog_set_find(self->catalogs, &temp),
                       (namespace_path){.count = 1, .items = (text *)(uintptr_t)&main_name}, rows,
                       err));
    }
    path[count] = (sql_name){.value = TEXT("x")};
    const sql_names inside = {.count = count + 1, .items = path};
    object_place place;
    TRY(session_place(self, &inside, false, &place, err));
    const sql_name alias = {.value = place.catalog->alias, .is_quoted = true};
    TRY(add_tables(self, catalog_set_find(self->catalogs, &alias), place.object.space, rows, err));
    return listing_finish(rows, err);
}

static firn_status show_functions(run *self, firn_error *err) {
    static const char *const names[] = {"name", "category", "signature", "description"};
    listing *rows;
    TRY(listing_open(self, names, 4, &rows, err));
    for (uint32_t i = 0; i < function_count(); i++) {
        const scalar_function *each = function_at(i);
        for (const overload *form = each->overloads; form->signature != NULL; form++) {
            const text cells[] = {text_of(each->name), text_of(each->category),
                                  text_of(form->signature), text_of(each->summary)};
            TRY(listing_add(rows, cells, err));
        }
    }
    for (uint32_t i = 0; i < aggregate_count(); i++) {
        const aggregate_function *each = aggregate_at(i);
        for (const aggregate_overload *form = each->overloads; form->signature != NULL; form++) {
            const text cells[] = {text_of(each->name), TEXT("aggregate"), text_of(form->signature),
                                  text_of(each->summary)};
            TRY(listing_add(rows, cells, err));
        }
    }
    return listing_finish(rows, err);
}

firn_status command_show(run *self, const sql_show *written, firn_error *err) {
    switch (written->what) {
    case SQL_SHOW_SETTING:
        return show_setting(self, &written->name, err);
    case SQL_SHOW_ALL_SETTINGS:
        return show_settings(self, err);
    case SQL_SHOW_CATALOGS:
        return show_catalogs(self, err);
    case SQL_SHOW_SCHEMAS:
        return show_schemas(self, written, err);
    case SQL_SHOW_TABLES:
    case SQL_SHOW_VIEWS:
        return show_tables(self, written, err);
    case SQL_SHOW_FUNCTIONS:
        return show_functions(self, err);
    case SQL_SHOW_COLUMNS:
    case SQL_SHOW_CREATE_TABLE:
    case SQL_SHOW_CREATE_VIEW:
        break;
    }
    firn_status status = FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", written->node.position,
                                  "this form of SHOW is not supported");
    err_hint(err, "DESCRIBE t shows the columns of a table");
    return status;
}

// ---- DESCRIBE
// --------------------------------------------------------------------------------------

static firn_status list_columns(run *self, const schema *columns, firn_error *err) {
    static const char *const names[] = {"column", "type", "nullable", "default", "comment"};
    listing *rows;
    TRY(listing_open(self, names, 5, &rows, err));
    for (uint32_t i = 0; i < columns->count; i++) {
        const field *each = &columns->fields[i];
        const text cells[] = {each->name,
                              type_text(each->type, &self->memory),
                              each->is_nullable ? TEXT("YES") : TEXT("NO"),
                              {.data = NULL},
                              {.data = NULL}};
        TRY(listing_add(rows, cells, err));
    }
    return listing_finish(rows, err);
}

static firn_status describe_columns(run *self, const sql_describe *written, const schema *columns,
                                    firn_error *err) {
    return written->is_summary ? command_summarize(self, written, columns, err)
                               : list_columns(self, columns, err);
}

/// Describes the columns of a query; its types live as long as the tables it was bound to.
static firn_status describe_query(run *self, const sql_describe *written, const sql_query *query,
                                  const bind_env *env, firn_error *err) {
    bind_result bound = {0};
    TRY(bind_query(query, env, NULL, &self->memory, &bound, err));
    firn_status status = describe_columns(self, written, &bound.plan.root->output_.columns, err);
    if (self->bound.snapshot_count > 0) { // SUMMARIZE's own.
        bind_result_release(&bound);
    } else { // They say whether what is shown still holds.
        self->bound.snapshots = bound.snapshots;
        self->bound.snapshot_count = bound.snapshot_count;
    }
    return status;
}

firn_status command_describe(run *self, const sql_describe *written, firn_error *err) {
    const bind_env env = session_bind_env(self);
    schema columns;
    if (written->query != NULL) {
        return describe_query(self, written, written->query, &env, err);
    }
    const table_version now = {.kind = VERSION_CURRENT};
    bound_object object = {0};
    const bool is_file = written->table->path.count == 0;
    if (!is_file) {
        TRY(env.find(self, &written->table->path, &now, NULL, &self->memory, &object, err));
    }
    if (object.snapshot != NULL) {
        firn_status status = schema_copy(&self->memory, &object.snapshot->columns, &columns, err);
        table_snapshot_release(object.snapshot);
        return status == FIRN_OK ? describe_columns(self, written, &columns, err) : status;
    }
    if (object.rows != NULL) {
        return describe_columns(self, written, &object.columns, err);
    }
    // A view or a file: the columns of a query over it.
    sql_select_item star_item = {.node = {.family = SQL_FAMILY_PART, .kind = SQL_SELECT_ITEM}};
    sql_star star = {.node = {.family = SQL_FAMILY_EXPR, .kind = SQL_STAR, .height = 1}};
    star_item.value = &star.node;
    const sql_node *items[] = {&star_item.node};
    const sql_node *from[] = {&written->table->node};
    sql_select select = {.node = {.family = SQL_FAMILY_BODY, .kind = SQL_SELECT},
                         .items = {.count = 1, .items = items},
                         .from = {.count = 1, .items = from}};
    const sql_query query = {.node = {.family = SQL_FAMILY_BODY, .kind = SQL_QUERY},
                             .body = &select.node};
    return describe_query(self, written, &query, &env, err);
}

// ---- EXPLAIN
// ---------------------------------------------------------------------------------------

static firn_status add_lines(listing *rows, text printed, firn_error *err) {
    size_t from = 0;
    for (size_t i = 0; i < printed.size; i++) {
        if (printed.data[i] == '\n') {
            const text line = text_slice(printed, from, i);
            TRY(listing_add(rows, &line, err));
            from = i + 1;
        }
    }
    return FIRN_OK;
}

static void note_estimate(void *user, const plan_node *node, text_builder *out) {
    (void)user;
    if (node->row_estimate >= 0 && node->kind != PLAN_OUTPUT) {
        text_append_format(out, "  (rows≈%.0f)", node->row_estimate);
    }
}

typedef struct watching {
    run *self;
    listing *rows;
    text before;
    firn_status status;
    firn_error *err;
} watching;

// EXPLAIN (VERBOSE): the plan after each rule that changed it.
static void watch_rule(void *user, const char *rule, const plan *changed) {
    watching *state = user;
    text_builder builder = text_builder_open(&state->self->memory);
    plan_print(changed, NULL, NULL, &builder);
    text printed;
    if (state->status != FIRN_OK) {
        return;
    }
    state->status = text_builder_finish(&builder, &printed, state->err);
    if (state->status != FIRN_OK || text_equal(printed, state->before)) {
        return;
    }
    text title;
    state->before = printed;
    state->status = text_format(&state->self->memory, &title, state->err, "-- after %s", rule);
    if (state->status == FIRN_OK) {
        state->status = listing_add(state->rows, &title, state->err);
    }
    if (state->status == FIRN_OK) {
        state->status = add_lines(state->rows, printed, state->err);
    }
}

typedef struct explain_times {
    int64_t begun_ns;
    int64_t planned_ns;
} explain_times;

static void print_measured(run *self, const explain_times *times, text_builder *out) {
    const int64_t now_ns = host_clock_ns();
    pool_report memory;
    measured_plan_print(&self->bound.plan, self->execution, &self->memory, out);
    pool_describe(self->session->engine->pool, &memory);
    text_append_format(out, "time: %.2f ms planning, %.2f ms running\n",
                       (double)(times->planned_ns - times->begun_ns) / 1e6,
                       (double)(now_ns - times->planned_ns) / 1e6);
    text_append_format(out, "memory: peak %.1f MB of %.1f MB\n",
                       (double)memory.resident_peak / 1048576, (double)memory.limit / 1048576);
}

static firn_status explain_query(run *self, const sql_explain *written,
                                 const bind_parameters *known, const literal *values, listing *rows,
                                 firn_error *err) {
    const bind_env env = session_bind_env(self);
    const sql_query *query = sql_query_statement_of(written->statement)->query;
    const uint32_t value_count = known == NULL ? 0 : known->count;
    run *inner;
    TRY(run_open(self->session, &self->settings, &inner, err));
    watching state = {.self = self, .rows = rows, .status = FIRN_OK, .err = err};
    explain_times times = {.begun_ns = host_clock_ns()};
    firn_status status = FIRN_OK;
    if (self->is_bound) { // In this run's memory, which lives longer.
        inner->bound = self->bound;
        self->bound = (bind_result){0};
    } else {
        status = bind_query(query, &env, known, &inner->memory, &inner->bound, err);
    }
    if (status == FIRN_OK) {
        status = run_optimize(inner, values, value_count, written->is_verbose ? watch_rule : NULL,
                              &state, err);
    }
    status = status == FIRN_OK ? state.status : status;
    if (status == FIRN_OK && written->is_verbose) {
        const text title = TEXT("-- runs as");
        status = listing_add(rows, &title, err);
    }
    times.planned_ns = host_clock_ns();
    if (status == FIRN_OK && written->is_analyze) {
        status = run_execute(inner, true, err);
        status = status == FIRN_OK ? run_drain(inner, err) : status;
    }
    if (status == FIRN_OK) {
        text_builder builder = text_builder_open(&self->memory);
        if (written->is_analyze) {
            print_measured(inner, &times, &builder);
        } else {
            plan_print(&inner->bound.plan, note_estimate, inner, &builder);
        }
        text printed;
        status = text_builder_finish(&builder, &printed, err);
        status = status == FIRN_OK ? add_lines(rows, printed, err) : status;
    }
    run_release(inner);
    return status;
}

firn_status command_explain(run *self, const sql_explain *written, const bind_parameters *known,
                            const literal *values, firn_error *err) {
    static const char *const names[] = {"plan"};
    listing *rows;
    TRY(listing_open(self, names, 1, &rows, err));
    if (sql_statement_kind_of(written->statement) != SQL_QUERY_STATEMENT) {
        return FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", written->node.position,
                        "EXPLAIN takes a query");
    }
    TRY(explain_query(self, written, known, values, rows, err));
    return listing_finish(rows, err);
}

// ---- information_schema
// ----------------------------------------------------------------------------

static firn_status add_all(run *self, listing *rows, space_visit visit, firn_error *err) {
    for (uint32_t i = 0; i < self->catalogs->count; i++) {
        TRY(each_space(self, self->catalogs->items[i], (namespace_path){0}, 0, visit, rows, err));
    }
    return FIRN_OK;
}

static firn_status add_schema_row(run *self, const attached *owner, namespace_path space,
                                  void *user, firn_error *err) {
    text cells[2] = {owner->alias};
    TRY(dotted_space(self, space, &cells[1], err));
    return listing_add(user, cells, err);
}

static firn_status add_column_rows(run *self, listing *rows, const attached *owner,
                                   text schema_name, text table, const schema *columns,
                                   firn_error *err) {
    for (uint32_t i = 0; i < columns->count; i++) {
        text ordinal;
        TRY(text_format(&self->memory, &ordinal, err, "%u", i + 1));
        const text cells[] = {owner->alias,
                              schema_name,
                              table,
                              columns->fields[i].name,
                              ordinal,
                              {.data = NULL},
                              columns->fields[i].is_nullable ? TEXT("YES") : TEXT("NO"),
                              type_text(columns->fields[i].type, &self->memory)};
        TRY(listing_add(rows, cells, err));
    }
    return FIRN_OK;
}

static firn_status add_columns(run *self, const attached *owner, namespace_path space, void *user,
                               firn_error *err) {
    catalog_entry_list entries;
    text schema_name;
    TRY(owner->catalog->kind->list(owner->catalog, space, &self->memory, &entries, &self->cancel,
                                   err));
    TRY(dotted_space(self, space, &schema_name, err));
    for (uint32_t i = 0; i < entries.count; i++) {
        catalog_object object = {0};
        firn_status status = owner->catalog->kind->load(
            owner->catalog, (object_name){.space = space, .name = entries.items[i].name}, NULL,
            &self->memory, &object, &self->cancel, err);
        if (status == FIRN_OK && object.snapshot != NULL) {
            status = add_column_rows(self, user, owner, schema_name, entries.items[i].name,
                                     &object.snapshot->columns, err);
        }
        table_snapshot_release(object.snapshot);
        TRY(status);
    }
    return FIRN_OK;
}

firn_status information_schema(run *self, text name, bound_object *out, bool *found,
                               firn_error *err) {
    static const char *const tables[] = {"table_catalog", "table_schema", "table_name",
                                         "table_type"};
    static const char *const columns[] = {"table_catalog", "table_schema",     "table_name",
                                          "column_name",   "ordinal_position", "column_default",
                                          "is_nullable",   "data_type"};
    static const char *const schemata[] = {"catalog_name", "schema_name"};
    listing *rows;
    *found = true;
    if (text_equal_nocase(name, TEXT("tables"))) {
        TRY(listing_open(self, tables, 4, &rows, err));
        TRY(add_all(self, rows, add_tables, err));
    } else if (text_equal_nocase(name, TEXT("columns"))) {
        TRY(listing_open(self, columns, 8, &rows, err));
        TRY(add_all(self, rows, add_columns, err));
    } else if (text_equal_nocase(name, TEXT("schemata"))) {
        TRY(listing_open(self, schemata, 2, &rows, err));
        TRY(add_all(self, rows, add_schema_row, err));
    } else {
        *found = false;
        return FIRN_OK;
    }
    column_data_list *data = ARENA_NEW(&self->memory, column_data_list, 1);
    if (data == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    TRY(listing_rows(rows, data, &out->columns, err));
    out->rows = data;
    return FIRN_OK;
}
