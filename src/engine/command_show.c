// SHOW and DESCRIBE: what the session and its catalogs know.
#include "engine/catalog_walk.h"
#include "engine/information_schema.h"
#include "engine/propose.h"
#include "engine/spelling.h"
#include "functions/registry.h"
#include "tables/table_functions.h"

// ---- SHOW ---------------------------------------------------------------------------------------

// The description of one that holds for all sessions of the engine ends with "(engine)".
static firn_status show_settings(run *self, const sql_show *written, firn_error *err) {
    static const char *const names[] = {"name", "value", "default", "description"};
    listing *rows;
    TRY(listing_open(self, names, 4, &rows, err));
    TRY(listing_only(rows, 0, written->pattern, err));
    for (int id = 0; id < SETTING_COUNT; id++) {
        const setting_id each = (setting_id)id;
        char value[SETTING_TEXT_MAX];
        text description = setting_description(each);
        session_setting(self->session, each, value);
        if (setting_is_of_engine(each)) {
            TRY(text_format(&self->memory, &description, err, "%.*s (engine)",
                            TEXT_ARGS(description)));
        }
        const text cells[] = {setting_name(each), text_of(value), setting_default(each),
                              description};
        TRY(listing_add(rows, cells, err));
    }
    return listing_finish(rows, err);
}

// What SHOW lists besides settings may be meant as well as one of them.
static void propose_shown(text name, firn_error *err) {
    static const char *const lists[] = {"ALL SETTINGS", "CATALOGS",  "COLUMNS",
                                        "DATABASES",    "FUNCTIONS", "SCHEMAS",
                                        "SETTINGS",     "TABLES",    "VIEWS"};
    nearest_name near = nearest_to(name);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        nearest_offer(&near, text_of(lists[i]));
    }
    for (int id = 0; id < SETTING_COUNT; id++) {
        nearest_offer(&near, setting_name((setting_id)id));
    }
    (void)nearest_hint(&near, err);
}

static firn_status show_setting(run *self, const sql_names *path, firn_error *err) {
    text_builder name = text_builder_open(&self->memory);
    for (size_t i = 0; i < path->count; i++) {
        text_append(&name, i == 0 ? TEXT("") : TEXT("."));
        text_append(&name, path->items[i].value);
    }
    text whole;
    setting_id id;
    char value[SETTING_TEXT_MAX];
    TRY(text_builder_finish(&name, &whole, err));
    firn_status status = settings_find(whole, &id, err);
    if (status != FIRN_OK) {
        err->position = path->items[0].position;
        propose_shown(whole, err);
        return status;
    }
    session_setting(self->session, id, value);
    const text cell = text_of(value);
    const char *const names[] = {whole.data};
    listing *rows;
    TRY(listing_open(self, names, 1, &rows, err));
    TRY(listing_add(rows, &cell, err));
    return listing_finish(rows, err);
}

static firn_status show_catalogs(run *self, const sql_show *written, firn_error *err) {
    static const char *const names[] = {"name"};
    listing *rows;
    TRY(listing_open(self, names, 1, &rows, err));
    TRY(listing_only(rows, 0, written->pattern, err));
    for (uint32_t i = 0; i < self->catalogs->count; i++) {
        TRY(listing_add(rows, &self->catalogs->items[i]->alias, err));
    }
    return listing_finish(rows, err);
}

static firn_status add_space(run *self, const attached *owner, namespace_path space, void *user,
                             firn_error *err) {
    (void)owner;
    text name;
    TRY(catalog_dotted_space(self, space, &name, err));
    return listing_add(user, &name, err);
}

static firn_status show_schemas(run *self, const sql_show *written, firn_error *err) {
    static const char *const names[] = {"name"};
    listing *rows;
    TRY(listing_open(self, names, 1, &rows, err));
    TRY(listing_only(rows, 0, written->pattern, err));
    if (self->is_description) {
        return listing_finish(rows, err);
    }
    const sql_name current = {.value = self->context.catalog};
    const sql_name *wanted = written->name.count > 0 ? &written->name.items[0] : &current;
    const attached *owner = catalog_set_find(self->catalogs, wanted);
    if (owner == NULL) {
        return session_say_no_catalog(self->catalogs, wanted, err);
    }
    const text own = TEXT("information_schema");
    TRY(catalog_each_space(self, owner, add_space, rows, err));
    TRY(listing_add(rows, &own, err));
    return listing_finish(rows, err);
}

// Tables and views, or views alone.
static firn_status add_tables(run *self, const attached *owner, namespace_path space,
                              bool only_views, listing *rows, firn_error *err) {
    catalog_entry_list entries;
    text schema;
    TRY(spell_list(owner->catalog, &space, &self->memory, &entries, &self->cancel, err));
    TRY(catalog_dotted_space(self, space, &schema, err));
    for (uint32_t i = 0; i < entries.count; i++) {
        const text cells[] = {owner->alias, schema, entries.items[i].name,
                              catalog_entry_kind(self, owner, &entries.items[i])};
        if (!only_views || entries.items[i].kind == ENTRY_VIEW) {
            TRY(listing_add(rows, cells, err));
        }
    }
    return FIRN_OK;
}

// The tables of information_schema, which is in every catalog.
static firn_status add_listed(const object_place *place, listing *rows, firn_error *err) {
    for (uint32_t i = 0; i < INFORMATION_SCHEMA_COUNT; i++) {
        const text cells[] = {place->catalog->alias, TEXT("information_schema"),
                              information_schema_name(i), TEXT("VIEW")};
        TRY(listing_add(rows, cells, err));
    }
    return FIRN_OK;
}

static firn_status add_named(run *self, const sql_names *name, object_place *place, bool only_views,
                             listing *rows, firn_error *err) {
    namespace_path *space = &place->object.space;
    const bool is_named = name->count > 0 && text_equal_nocase(name->items[name->count - 1].value,
                                                               TEXT("information_schema"));
    if (session_space_is_listed(space) || (is_named && space->count == 0)) {
        return add_listed(place, rows, err);
    }
    bool exists = name->count == 0;
    if (!exists && space->count > 0) {
        TRY(spell_space(place->catalog, space, &self->memory, &self->cancel, &exists, err));
    }
    if (!exists) {
        return session_say_no_space(self->catalogs, name, place, &self->memory, &self->cancel, err);
    }
    const sql_name alias = {.value = place->catalog->alias, .is_quoted = true};
    return space->count == 0 ? FIRN_OK
                             : add_tables(self, catalog_set_find(self->catalogs, &alias), *space,
                                          only_views, rows, err);
}

// SHOW TABLES, VIEWS: of the current schema and temporary ones; FROM c.s or FROM s: of that.
static firn_status show_tables(run *self, const sql_show *written, firn_error *err) {
    static const char *const names[] = {"catalog", "schema", "name", "type"};
    listing *rows;
    const bool only_views = written->what == SQL_SHOW_VIEWS;
    TRY(listing_open(self, names, 4, &rows, err));
    TRY(listing_only(rows, 2, written->pattern, err));
    if (self->is_description) {
        return listing_finish(rows, err);
    }
    if (written->name.count == 0) {
        const sql_name temp = {.value = TEXT("temp")};
        text main_name = TEXT("main");
        TRY(add_tables(self, catalog_set_find(self->catalogs, &temp),
                       (namespace_path){.count = 1, .items = &main_name}, only_views, rows, err));
    }
    object_place place;
    TRY(session_place_in(self, &written->name, &place, err));
    TRY(add_named(self, &written->name, &place, only_views, rows, err));
    return listing_finish(rows, err);
}

// Those of FROM, with the named arguments that each takes.
static firn_status add_table_functions(run *self, listing *rows, firn_error *err) {
    for (uint32_t i = 0; i < table_function_count(); i++) {
        const table_function *each = table_function_at(i);
        text_builder builder = text_builder_open(&self->memory);
        text signature;
        text_append(&builder, text_of(each->signature));
        for (uint32_t k = 0; k < table_option_count(); k++) {
            const table_option *option = table_option_at(k);
            if (strcmp(option->function, each->name) == 0) {
                text_append_format(&builder, ", %s => %s", option->name, option->takes);
            }
        }
        TRY(text_builder_finish(&builder, &signature, err));
        const text cells[] = {text_of(each->name), TEXT("table"), signature,
                              text_of(each->summary)};
        TRY(listing_add(rows, cells, err));
    }
    return FIRN_OK;
}

// A signature, under the name of its function and under each other one.
static firn_status add_function(run *self, listing *rows, const call_form *each, firn_error *err) {
    const char *aliases = each->aliases;
    text name = text_of(each->name);
    text summary = text_of(each->summary);
    do {
        const text cells[] = {name, text_of(each->category), text_of(each->signature), summary};
        TRY(listing_add(rows, cells, err));
        TRY(text_format(&self->memory, &summary, err, "the same as %s", each->name));
    } while (function_next_alias(&aliases, &name));
    return FIRN_OK;
}

static firn_status show_functions(run *self, const sql_show *written, firn_error *err) {
    static const char *const names[] = {"name", "category", "signature", "description"};
    listing *rows;
    TRY(listing_open(self, names, 4, &rows, err));
    TRY(listing_only(rows, 0, written->pattern, err));
    for (uint32_t i = 0; i < function_count(); i++) {
        const scalar_function *each = function_at(i);
        call_form row = {.name = each->name,
                         .aliases = each->aliases,
                         .category = each->category,
                         .summary = each->summary};
        if ((each->flags & FUNCTION_INTERNAL) != 0) {
            continue;
        }
        for (const overload *form = each->overloads; form->signature != NULL; form++) {
            row.signature = form->signature;
            TRY(add_function(self, rows, &row, err));
        }
    }
    for (uint32_t i = 0; i < aggregate_count(); i++) {
        const aggregate_function *each = aggregate_at(i);
        call_form row = {.name = each->name,
                         .aliases = each->aliases,
                         .category = "aggregate",
                         .summary = each->summary};
        for (const aggregate_overload *form = each->overloads; form->signature != NULL; form++) {
            row.signature = form->signature;
            TRY(add_function(self, rows, &row, err));
        }
    }
    for (uint32_t i = 0; i < call_form_count(); i++) {
        TRY(add_function(self, rows, call_form_at(i), err));
    }
    TRY(add_table_functions(self, rows, err));
    return listing_finish(rows, err);
}

// DESCRIBE, or SHOW COLUMNS of the names that the pattern takes.
typedef struct described {
    const sql_describe *written;
    const sql_literal *pattern; // NULL: all.
} described;

static firn_status describe(run *self, const described *what, firn_error *err);

static firn_status show_columns(run *self, const sql_show *written, firn_error *err) {
    const sql_table table = {.node = {.family = SQL_FAMILY_RELATION,
                                      .kind = SQL_TABLE,
                                      .position = written->name.items[0].position},
                             .path = written->name};
    const sql_describe columns = {.node = written->node, .table = &table};
    return describe(self, &(described){.written = &columns, .pattern = written->pattern}, err);
}

firn_status command_show(run *self, const sql_show *written, firn_error *err) {
    switch (written->what) {
    case SQL_SHOW_SETTING:
        return show_setting(self, &written->name, err);
    case SQL_SHOW_ALL_SETTINGS:
        return show_settings(self, written, err);
    case SQL_SHOW_CATALOGS:
        return show_catalogs(self, written, err);
    case SQL_SHOW_SCHEMAS:
        return show_schemas(self, written, err);
    case SQL_SHOW_TABLES:
    case SQL_SHOW_VIEWS:
        return show_tables(self, written, err);
    case SQL_SHOW_FUNCTIONS:
        return show_functions(self, written, err);
    case SQL_SHOW_COLUMNS:
        return show_columns(self, written, err);
    case SQL_SHOW_CREATE_TABLE:
    case SQL_SHOW_CREATE_VIEW:
        return command_show_create(self, written, err);
    }
    return FAIL(err, FIRN_INTERNAL, "SHOW %d", written->what);
}

// ---- DESCRIBE -----------------------------------------------------------------------------------

static text or_null(text value) {
    return value.size == 0 ? (text){.data = NULL} : value;
}

static firn_status list_columns(run *self, const sql_literal *pattern, const schema *columns,
                                const column_note *notes, firn_error *err) {
    static const char *const names[] = {"column", "type", "nullable", "default", "comment"};
    listing *rows;
    TRY(listing_open(self, names, 5, &rows, err));
    TRY(listing_only(rows, 0, pattern, err));
    for (uint32_t i = 0; i < columns->count; i++) {
        const field *each = &columns->fields[i];
        const column_note note = notes == NULL ? (column_note){0} : notes[i];
        const text cells[] = {each->name, type_text(each->type, &self->memory),
                              each->is_nullable ? TEXT("YES") : TEXT("NO"),
                              or_null(note.default_value), or_null(note.comment)};
        TRY(listing_add(rows, cells, err));
    }
    return listing_finish(rows, err);
}

static firn_status describe_columns(run *self, const described *what, const schema *columns,
                                    const column_note *notes, firn_error *err) {
    return what->written->is_summary ? command_summarize(self, what->written, columns, err)
                                     : list_columns(self, what->pattern, columns, notes, err);
}

static firn_status describe_table(run *self, const described *what, const table_snapshot *table,
                                  firn_error *err) {
    schema columns;
    TRY(schema_copy(&self->memory, &table->columns, &columns, err));
    return describe_columns(self, what, &columns, table->notes, err);
}

/// Describes the columns of a query; its types live as long as the tables it was bound to.
static firn_status describe_query(run *self, const described *what, const sql_query *query,
                                  const bind_env *env, firn_error *err) {
    bind_result bound = {0};
    TRY(bind_query(query, env, NULL, &self->memory, &bound, err));
    firn_status status = describe_columns(self, what, &bound.plan.root->output_.columns, NULL, err);
    if (self->bound.snapshot_count > 0) { // SUMMARIZE's own.
        bind_result_release(&bound);
    } else { // They say whether what is shown still holds.
        self->bound.snapshots = bound.snapshots;
        self->bound.snapshot_count = bound.snapshot_count;
    }
    return status;
}

static firn_status describe(run *self, const described *what, firn_error *err) {
    const sql_describe *written = what->written;
    const bind_env env = session_bind_env(self);
    if (written->query != NULL) {
        return describe_query(self, what, written->query, &env, err);
    }
    bound_object object = {0};
    const bool is_file = written->table->path.count == 0;
    if (!is_file) {
        table_version version;
        TRY(bind_version(written->table, &env, &self->memory, &version, err));
        TRY(env.find(self, &written->table->path, &version, NULL, &self->memory, &object, err));
    }
    if (object.snapshot != NULL) {
        firn_status status = describe_table(self, what, object.snapshot, err);
        table_snapshot_release(object.snapshot);
        return status;
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
    return describe_query(self, what, &query, &env, err);
}

firn_status command_describe(run *self, const sql_describe *written, firn_error *err) {
    return describe(self, &(described){.written = written}, err);
}
