#include <assert.h>

#include "plan/binder_private.h"
#include "tables/row_change.h"

const type type_unknown = {.id = TYPE_VARCHAR, .unit = UNIT_MICRO};

uint32_t binder_new_id(binder *self) {
    return self->next_id++;
}

firn_status binder_full(binder *self) {
    return ARENA_FULL(self->memory, self->err);
}

firn_status binder_node(binder *self, plan_kind kind, plan_node **out) {
    *out = plan_new(self->memory, kind);
    return *out == NULL ? binder_full(self) : FIRN_OK;
}

void *binder_grow(binder *self, const void *items, uint32_t count, uint32_t *capacity,
                  size_t size) {
    const uint32_t wanted = *capacity == 0 ? 8 : *capacity * 2;
    void *grown = arena_alloc(self->memory, wanted, size);
    if (grown != NULL) {
        if (count > 0) {
            memcpy(grown, items, count * size);
        }
        *capacity = wanted;
    }
    return grown;
}

#define ADD(list, value)                                                                           \
    do {                                                                                           \
        if ((list)->count >= (list)->capacity) {                                                   \
            uint32_t capacity = (list)->count;                                                     \
            (list)->items =                                                                        \
                binder_grow(self, (list)->items, (list)->count, &capacity, sizeof *(list)->items); \
            if ((list)->items == NULL) {                                                           \
                return binder_full(self);                                                          \
            }                                                                                      \
            (list)->capacity = capacity;                                                           \
        }                                                                                          \
        (list)->items[(list)->count++] = (value);                                                  \
        return FIRN_OK;                                                                            \
    } while (0)

firn_status expr_list_add(binder *self, expr_list *list, expr *value) {
    if (value == NULL) {
        return binder_full(self);
    }
    ADD(list, value);
}

firn_status u32_list_add(binder *self, u32_list *list, uint32_t value) {
    ADD(list, value);
}

firn_status plan_columns_add(binder *self, plan_columns *list, plan_column value) {
    ADD(list, value);
}

firn_status binder_project(binder *self, plan_node *input, const expr_list *values,
                           const u32_list *ids, plan_node **out) {
    assert(values->count == ids->count);
    TRY(binder_node(self, PLAN_PROJECT, out));
    (*out)->project_.input = input;
    (*out)->project_.values = *values;
    (*out)->project_.ids = *ids;
    (*out)->project_.values.capacity = 0; // The caller's may grow into the same room.
    (*out)->project_.ids.capacity = 0;
    return FIRN_OK;
}

// ---- Entry -----------------------------------------------------------------------------------

static binder open_binder(const bind_env *env, const bind_parameters *known, arena *memory,
                          firn_error *err) {
    binder self = {.memory = memory, .env = env, .err = err};
    if (known != NULL && known->count > 0) {
        const type **types = ARENA_NEW(memory, const type *, known->count);
        for (uint32_t i = 0; types != NULL && i < known->count; i++) {
            types[i] = known->types[i];
        }
        self.parameters =
            (bind_parameters){.count = types == NULL ? 0 : known->count, .types = types};
    }
    return self;
}

// Puts the OUTPUT on top and hands everything over.
static firn_status finish(binder *self, const bound_query *query, bind_result *out) {
    plan_node *root;
    TRY(binder_node(self, PLAN_OUTPUT, &root));
    const uint32_t count = query->columns.count;
    field *fields = ARENA_NEW(self->memory, field, count + 1);
    uint32_t *ids = ARENA_NEW(self->memory, uint32_t, count + 1);
    if (fields == NULL || ids == NULL) {
        return binder_full(self);
    }
    for (uint32_t i = 0; i < count; i++) {
        const plan_column *column = &query->columns.items[i];
        const type *shown = column->type == &type_unknown ? TYPE_OF(VARCHAR) : column->type;
        fields[i] = (field){.name = column->name, .type = shown, .is_nullable = true, .id = -1};
        ids[i] = column->id;
    }
    root->output_.input = query->node;
    root->output_.ids = (u32_list){.count = count, .items = ids};
    root->output_.columns = (schema){.count = count, .fields = fields};
    *out = (bind_result){.plan = {.root = root,
                                  .table_count = self->table_count,
                                  .tables = self->tables,
                                  .id_count = self->next_id,
                                  .slot_count = self->slot_count,
                                  .shared_count = self->shared_count},
                         .snapshot_count = self->table_count,
                         .snapshots = self->snapshots,
                         .parameters = self->parameters,
                         .origins = self->origins};
    return FIRN_OK;
}

firn_status binder_check(binder *self) {
    return cancel_check(self->env->context->cancel, self->err);
}

static void release_snapshots(binder *self) {
    for (uint32_t i = 0; i < self->table_count; i++) {
        table_snapshot_release(self->snapshots[i]);
    }
}

// Nothing is left behind. What fails because a stopped statement has no more memory (see
// memory/arena.h) may have been told as something else.
static firn_status give_up(binder *self, firn_status status) {
    release_snapshots(self);
    TRY(binder_check(self));
    return status;
}

void bind_result_release(bind_result *self) {
    for (uint32_t i = 0; i < self->snapshot_count; i++) {
        table_snapshot_release(self->snapshots[i]);
    }
    self->snapshot_count = 0;
}

firn_status bind_query(const sql_query *query, const bind_env *env, const bind_parameters *known,
                       arena *memory, bind_result *out, firn_error *err) {
    binder self = open_binder(env, known, memory, err);
    bound_query bound = {0};
    firn_status status = bind_query_body(&self, query, NULL, &bound);
    status = status == FIRN_OK ? finish(&self, &bound, out) : status;
    return status == FIRN_OK ? FIRN_OK : give_up(&self, status);
}

firn_status bind_view(const view_definition *view, const bind_env *env, arena *memory,
                      bind_result *out, firn_error *err) {
    binder self = open_binder(env, NULL, memory, err);
    bound_query bound = {0};
    firn_status status = binder_view(&self, view, &bound);
    status = status == FIRN_OK ? finish(&self, &bound, out) : status;
    return status == FIRN_OK ? FIRN_OK : give_up(&self, status);
}

firn_status bind_constant(const sql_expr *written, const bind_env *env, arena *memory, expr **out,
                          firn_error *err) {
    binder self = open_binder(env, NULL, memory, err);
    scope *nothing = scope_new(&self, NULL);
    if (nothing == NULL) {
        return binder_full(&self);
    }
    expr *value;
    firn_status status = bind_expr(&self, nothing, written, &value);
    status = status == FIRN_OK ? bind_settle(&self, &value) : status;
    if (status == FIRN_OK && !expr_is_constant(value)) {
        status = FAIL_SQL(err, FIRN_INVALID, "42601", written->position, "a constant is required");
    }
    release_snapshots(&self);
    return status == FIRN_OK ? expr_fold(value, env->context, memory, out, err) : status;
}

// ---- INSERT ----------------------------------------------------------------------------------

firn_status binder_index_columns(binder *self, const schema *target, name_index *out) {
    *out = (name_index){0};
    for (uint32_t i = 0; i < target->count; i++) {
        TRY(name_index_add(out, target->fields[i].name, self->memory, self->err));
    }
    return FIRN_OK;
}

uint32_t binder_find_column(const name_index *target, const sql_name *name) {
    uint32_t found = UINT32_MAX;
    for (uint32_t i = name_index_first(target, name->value); i != NO_NAME;
         i = name_index_next(target, i)) {
        found = name_matches(name, target->entries[i].name) ? i : found;
    }
    return found;
}

firn_status binder_say_no_column(binder *self, const schema *target, const sql_name *name,
                                 uint64_t position) {
    firn_status status = FAIL_SQL(self->err, FIRN_INVALID, "42703", position,
                                  "the table has no column \"%.*s\"", TEXT_ARGS(name->value));
    nearest_name near = nearest_to(name->value);
    for (uint32_t i = 0; i < target->count; i++) {
        nearest_offer(&near, target->fields[i].name);
    }
    (void)nearest_hint(&near, self->err);
    return status;
}

// Which column of the query goes into which of the target: UINT32_MAX for none.
static firn_status map_columns(binder *self, const bound_query *query, const insert_target *into,
                               uint64_t position, uint32_t *sources) {
    const schema *target = &into->table->columns;
    const sql_names *columns = into->columns;
    const bool is_by_name = into->is_by_name;
    for (uint32_t i = 0; i < target->count; i++) {
        sources[i] = UINT32_MAX;
    }
    const uint32_t wanted = columns->count > 0 ? (uint32_t)columns->count : target->count;
    if (!is_by_name && query->columns.count != wanted) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42601", position,
                        "INSERT gives %u columns, %s %u", query->columns.count,
                        columns->count > 0 ? "its list names" : "the table takes", wanted);
    }
    name_index names;
    TRY(binder_index_columns(self, target, &names));
    for (uint32_t i = 0; i < query->columns.count; i++) {
        sql_name name = {.value = query->columns.items[i].name};
        if (!is_by_name && columns->count == 0) {
            sources[i] = i;
            continue;
        }
        name = is_by_name ? name : columns->items[i];
        const uint32_t found = binder_find_column(&names, &name);
        if (found == UINT32_MAX) {
            return binder_say_no_column(self, target, &name, is_by_name ? position : name.position);
        }
        if (sources[found] != UINT32_MAX) {
            return FAIL_SQL(self->err, FIRN_INVALID, "42701", name.position,
                            "column \"%.*s\" is given twice", TEXT_ARGS(name.value));
        }
        sources[found] = i;
    }
    return FIRN_OK;
}

// How many items of the SELECT stand before its first *: their place in it is that of their column.
static uint32_t count_plain_items(const sql_query *query) {
    if (query == NULL || sql_body_kind_of(query->body) != SQL_SELECT) {
        return 0;
    }
    const sql_list *items = &sql_select_of(query->body)->items;
    uint32_t count = 0;
    while (count < items->count &&
           !sql_is_expr(sql_select_item_of(items->items[count])->value, SQL_STAR)) {
        count++;
    }
    return count;
}

// Where the statement says what goes into a column: the item of the SELECT, as far as no * stands
// before it; of a column that is not given, the list of those that are. UINT32_MAX: nowhere.
static uint32_t place_of_value(const sql_query *query, const insert_target *into,
                               uint32_t plain_count, uint32_t source) {
    if (query == NULL) {
        return UINT32_MAX;
    }
    if (source == UINT32_MAX) {
        return into->columns->count > 0 ? into->columns->items[0].position : query->body->position;
    }
    return source < plain_count
               ? sql_select_item_of(sql_select_of(query->body)->items.items[source])
                     ->value->position
               : UINT32_MAX;
}

firn_status binder_fill(binder *self, const field *into, expr *value, uint32_t position,
                        expr **out) {
    *out = value;
    if (!bind_must_cast(value->type, into->type)) {
        return FIRN_OK;
    }
    bind_origin origin = {.position = position};
    uint32_t place;
    TRY(text_format(self->memory, &origin.doing, self->err, "filling the column \"%.*s\"",
                    TEXT_ARGS(into->name)));
    TRY(binder_add_origin(self, origin, &place));
    TRY(binder_while_filling(self, into,
                             bind_cast(self, value, into->type, false, UINT32_MAX, out)));
    (*out)->position = place;
    return FIRN_OK;
}

// Sets values and input_ids of an INSERT, and where errors of its rows are.
static firn_status insert_values(binder *self, const bound_query *query, const sql_query *written,
                                 const insert_target *into, const uint32_t *sources,
                                 expr_list *values, plan_node *insert) {
    const table_snapshot *table = into->table;
    const schema *target = &table->columns;
    const uint32_t plain_count = count_plain_items(written);
    for (uint32_t i = 0; i < target->count; i++) {
        const uint32_t position = place_of_value(written, into, plain_count, sources[i]);
        expr *value;
        if (sources[i] == UINT32_MAX) {
            TRY(bind_default_value(self, table, i, UINT32_MAX, &value));
        } else {
            const plan_column *column = &query->columns.items[sources[i]];
            value = expr_column(self->memory, column->id, column->name, column->type);
        }
        if (value == NULL) {
            return binder_full(self);
        }
        TRY(binder_fill(self, &target->fields[i], value, position, &value));
        TRY(expr_list_add(self, values, value));
        TRY(u32_list_add(self, &insert->insert_.input_ids, binder_new_id(self)));
        TRY(u32_list_add(self, &insert->insert_.positions, position));
    }
    return FIRN_OK;
}

// Values that are written out become what their columns are, each on its own.
static firn_status note_inserted(binder *self, const sql_query *query, const insert_target *into) {
    const schema *target = &into->table->columns;
    const sql_names *columns = into->columns;
    if (sql_body_kind_of(query->body) != SQL_VALUES || query->with != NULL || into->is_by_name) {
        return FIRN_OK;
    }
    const uint32_t count = columns->count > 0 ? (uint32_t)columns->count : target->count;
    uint32_t *inserted = ARENA_NEW(self->memory, uint32_t, count + 1);
    if (inserted == NULL) {
        return binder_full(self);
    }
    name_index names;
    TRY(binder_index_columns(self, target, &names));
    for (uint32_t i = 0; i < count; i++) {
        inserted[i] = columns->count == 0 ? i : binder_find_column(&names, &columns->items[i]);
    }
    self->inserted = inserted;
    self->inserted_count = count;
    self->target = into->table;
    return FIRN_OK;
}

// INSERT … DEFAULT VALUES: one row that gives nothing.
static firn_status bind_nothing(binder *self, uint64_t row_count, bound_query *out) {
    *out = (bound_query){0};
    TRY(binder_node(self, PLAN_VALUES, &out->node));
    out->node->values_.row_count = row_count;
    return FIRN_OK;
}

// For errors of its values.
static firn_status wished_name(binder *self, const table_snapshot *target,
                               const row_wish_key *wanted, text *out) {
    text_builder name = text_builder_open(self->memory);
    text_append(&name, target->columns.fields[wanted->column].name);
    for (uint32_t i = 0; i < wanted->path_count; i++) {
        text_append_char(&name, '.');
        text_append(&name, wanted->path[i]);
    }
    return text_builder_finish(&name, out, self->err);
}

// What a key of a wish sorts by: the column, as the table will have it; a value that does not
// become one is told of where it is filled in. NULL: the table's default, which all rows have.
static firn_status wished_value(binder *self, const table_snapshot *target, const uint32_t *sources,
                                const bound_query *query, const row_wish_key *wanted, expr **out) {
    *out = NULL;
    if (sources[wanted->column] == UINT32_MAX) {
        return FIRN_OK;
    }
    const plan_column *column = &query->columns.items[sources[wanted->column]];
    const type *is = target->columns.fields[wanted->column].type;
    expr *value = expr_column(self->memory, column->id, column->name, column->type);
    if (value == NULL) {
        return binder_full(self);
    }
    if (bind_must_cast(value->type, is)) {
        TRY(bind_cast(self, value, is, true, UINT32_MAX, &value));
    }
    for (uint32_t i = 0; i < wanted->path_count; i++) {
        expr *args[] = {value, expr_string(self->memory, TYPE_OF(VARCHAR), wanted->path[i])};
        if (args[1] == NULL) {
            return binder_full(self);
        }
        TRY(function_call_named(TEXT("struct_extract"), args, 2, self->memory, &value, self->err));
    }
    *out = value;
    if (text_equal(wanted->transform, TEXT("identity"))) {
        return FIRN_OK;
    }
    text name;
    TRY(wished_name(self, target, wanted, &name));
    expr *args[] = {expr_string(self->memory, TYPE_OF(VARCHAR), wanted->transform), value,
                    expr_string(self->memory, TYPE_OF(VARCHAR), name)};
    return args[0] == NULL || args[2] == NULL
               ? binder_full(self)
               : function_call_named(TEXT("partition_value"), args, 3, self->memory, out,
                                     self->err);
}

// Rows that are equal by the wish keep an order that the query asks for, and else have none.
firn_status binder_cluster(binder *self, table_snapshot *target, change_kind kind,
                           const uint32_t *sources, bound_query *query, bool *is_clustered) {
    row_wish wish = {0};
    *is_clustered = false;
    const row_sink_kind *sink = target->kind->sink;
    if (sink == NULL || sink->wish == NULL) {
        return FIRN_OK;
    }
    TRY(sink->wish(target, kind, self->memory, &wish, self->err));
    const bool is_sorted = query->node->kind == PLAN_SORT && query->node->sort_.limit == UINT64_MAX;
    const sort_key_list more = is_sorted ? query->node->sort_.keys : (sort_key_list){0};
    sort_key *keys = ARENA_NEW(self->memory, sort_key, (size_t)wish.key_count + more.count + 1);
    if (keys == NULL) {
        return binder_full(self);
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < wish.key_count; i++) {
        const row_wish_key *wanted = &wish.keys[i];
        keys[count] =
            (sort_key){.is_descending = wanted->is_descending, .nulls_first = wanted->nulls_first};
        TRY(wished_value(self, target, sources, query, wanted, &keys[count].value));
        count += keys[count].value != NULL;
    }
    if (count == 0) {
        return FIRN_OK;
    }
    for (uint32_t i = 0; i < more.count; i++) {
        keys[count++] = more.items[i];
    }
    plan_node *sort = query->node;
    plan_node **input = &query->node;
    if (is_sorted) {
        input = &sort->sort_.input;
    }
    TRY(binder_compute_keys(self, &query->columns, keys, count, *input, input));
    *is_clustered = !is_sorted && wish.cluster_count == wish.key_count;
    if (!is_sorted) {
        TRY(binder_node(self, PLAN_SORT, &sort));
        sort->sort_.input = query->node;
        sort->sort_.limit = UINT64_MAX;
        sort->sort_.dynamic_slot = NO_SLOT;
        query->node = sort;
    }
    sort->sort_.keys = (sort_key_list){.count = count, .items = keys};
    return FIRN_OK;
}

firn_status binder_count(binder *self, plan_node *insert, bound_query *out) {
    insert->insert_.id = binder_new_id(self);
    *out = (bound_query){.node = insert};
    return plan_columns_add(
        self, &out->columns,
        (plan_column){.id = insert->insert_.id, .type = TYPE_OF(BIGINT), .name = TEXT("count")});
}

static firn_status insert_body(binder *self, const sql_query *query, const insert_target *into,
                               bind_result *out) {
    table_snapshot *target = into->table;
    bound_query bound = {0};
    bool is_clustered = false;
    uint32_t *sources = ARENA_NEW(self->memory, uint32_t, target->columns.count + 1);
    if (sources == NULL) {
        return binder_full(self);
    }
    if (query == NULL) {
        TRY(bind_nothing(self, into->is_empty ? 0 : 1, &bound));
        memset(sources, 0xff, target->columns.count * sizeof *sources);
    } else {
        TRY(bind_with(self, into->with, NULL));
        TRY(note_inserted(self, query, into));
        TRY(bind_query_body(self, query, NULL, &bound));
        TRY(map_columns(self, &bound, into, query->body->position, sources));
        TRY(binder_cluster(self, target, CHANGE_APPEND, sources, &bound, &is_clustered));
    }
    expr_list values = {0};
    plan_node *project;
    plan_node *insert;
    TRY(binder_node(self, PLAN_INSERT, &insert));
    TRY(insert_values(self, &bound, query, into, sources, &values, insert));
    if (into->is_overwrite || into->replaced != NULL) {
        TRY(bind_overwrite(self, into, &values, insert));
    }
    TRY(binder_project(self, bound.node, &values, &insert->insert_.input_ids, &project));
    if (into->replaced != NULL) {
        TRY(bind_replaced(self, into, insert, &project));
    }
    TRY(bind_end_with(self, NULL, &project));
    uint32_t table;
    TRY(binder_add_table(self, table_snapshot_retain(target), &table));
    insert->insert_.input = project;
    insert->insert_.is_clustered = is_clustered;
    insert->insert_.table = table; // The snapshot that REPLACE WHERE scans, by another number.
    TRY(binder_count(self, insert, &bound));
    return finish(self, &bound, out);
}

firn_status bind_insert(const sql_query *query, const insert_target *target, const bind_env *env,
                        const bind_parameters *known, arena *memory, bind_result *out,
                        firn_error *err) {
    binder self = open_binder(env, known, memory, err);
    firn_status status = insert_body(&self, query, target, out);
    return status == FIRN_OK ? FIRN_OK : give_up(&self, status);
}

// ---- DELETE, UPDATE, MERGE -------------------------------------------------------------------

firn_status bind_change(const sql_statement *written, const change_target *target,
                        const bind_env *env, const bind_parameters *known, arena *memory,
                        bind_result *out, firn_error *err) {
    binder self = open_binder(env, known, memory, err);
    bound_query bound = {0};
    firn_status status = bind_change_body(&self, written, target, &bound);
    status = status == FIRN_OK ? finish(&self, &bound, out) : status;
    return status == FIRN_OK ? FIRN_OK : give_up(&self, status);
}
