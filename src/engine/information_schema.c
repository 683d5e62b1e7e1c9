#include "engine/information_schema.h"

#include "base/shown_address.h"
#include "engine/catalog_walk.h"
#include "tables/known_tasks.h"
#include "tables/row_pick.h"

#define COLUMNS_MAX 9
#define KEY_COUNT 3 // Catalog, schema and table name come first in every one of the tables.

typedef struct table_shape {
    const char *name;
    uint32_t key_count; // How many of its first columns are catalog, schema, table.
    uint32_t column_count;
    const char *columns[COLUMNS_MAX];
} table_shape;

enum { OF_TABLES, OF_COLUMNS, OF_SCHEMATA, OF_VIEWS };

static const table_shape shapes[INFORMATION_SCHEMA_COUNT] = {
    [OF_TABLES] = {"tables",
                   3,
                   5,
                   {"table_catalog", "table_schema", "table_name", "table_type", "table_comment"}},
    [OF_COLUMNS] = {"columns",
                    3,
                    9,
                    {"table_catalog", "table_schema", "table_name", "column_name",
                     "ordinal_position", "column_default", "is_nullable", "data_type",
                     "column_comment"}},
    [OF_SCHEMATA] = {"schemata", 2, 2, {"catalog_name", "schema_name"}},
    [OF_VIEWS] = {"views",
                  3,
                  7,
                  {"table_catalog", "table_schema", "table_name", "view_definition", "check_option",
                   "is_updatable", "is_insertable_into"}},
};

typedef struct listed_table {
    table_snapshot base;
    uint32_t shape;
    uint32_t row_count;
    batch rows; // In the memory of the run whose plan scans it.
} listed_table;

static const table_kind information_schema_kind;

static listed_table *of(table_snapshot *base) {
    return (listed_table *)base; // `base` is its first member.
}

text information_schema_name(uint32_t index) {
    return text_of(shapes[index].name);
}

// ---- The table ---------------------------------------------------------------------------------

firn_status information_schema_open(text name, table_snapshot **out, firn_error *err) {
    uint32_t shape = 0;
    *out = NULL;
    while (shape < INFORMATION_SCHEMA_COUNT &&
           !text_equal_nocase(name, text_of(shapes[shape].name))) {
        shape++;
    }
    if (shape == INFORMATION_SCHEMA_COUNT) {
        return FIRN_OK;
    }
    arena memory = arena_open(SIZE_MAX);
    const uint32_t count = shapes[shape].column_count;
    listed_table *self = ARENA_NEW(&memory, listed_table, 1);
    field *fields = ARENA_NEW(&memory, field, count);
    if (self == NULL || fields == NULL) {
        firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    for (uint32_t i = 0; i < count; i++) {
        fields[i] = (field){.name = text_of(shapes[shape].columns[i]),
                            .type = TYPE_OF(VARCHAR),
                            .is_nullable = true,
                            .id = -1};
    }
    *self = (listed_table){.base = {.kind = &information_schema_kind,
                                    .columns = {.count = count, .fields = fields},
                                    .ref = {.kind = TEXT("information_schema"),
                                            .name = text_of(shapes[shape].name),
                                            .snapshot_id = -1,
                                            .schema_id = -1,
                                            .local = 1}},
                           .shape = shape};
    atomic_init(&self->base.references, 1);
    self->base.memory = memory;
    *out = &self->base;
    return FIRN_OK;
}

static void free_table(table_snapshot *base) {
    arena memory = base->memory; // It holds `base`.
    arena_close(&memory);
}

static firn_status plan_scan(table_snapshot *base, const scan_request *request, const scan_env *env,
                             scan_planner **out, firn_error *err) {
    (void)request;
    (void)env;
    TRY(known_tasks_open(sizeof(scan_task), 1, out, err));
    *known_tasks_at(*out, 0) = (scan_task){.name = base->ref.name};
    return FIRN_OK;
}

struct scan_reader {
    listed_table *table;
    const scan_env *env;
    row_pick pick;
    uint32_t row;
    uint32_t part;
    arena memory;
};

static void close_reader(scan_reader *self) {
    if (self != NULL) {
        row_pick_close(&self->pick);
        arena memory = self->memory;
        arena_close(&memory);
    }
}

static firn_status open_reader(table_snapshot *base, const scan_request *request,
                               const scan_task *task, const scan_env *env, scan_reader **out,
                               firn_error *err) {
    (void)task;
    arena memory = arena_open(SIZE_MAX);
    scan_reader *self = ARENA_NEW(&memory, scan_reader, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (scan_reader){.table = of(base), .env = env, .memory = memory};
    firn_status status = row_pick_open(&self->pick, request, env, &self->memory, err);
    if (status != FIRN_OK) {
        close_reader(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

static firn_status next(scan_reader *self, arena *scratch, batch *out, scan_answer *answer,
                        firn_error *err) {
    const batch *rows = &self->table->rows;
    const uint32_t left = self->table->row_count - self->row;
    *answer = left == 0 ? SCAN_END : SCAN_READY;
    if (left == 0) {
        return FIRN_OK;
    }
    const uint32_t count = left < self->env->batch_rows ? left : self->env->batch_rows;
    TRY(row_pick_apply(&self->pick, rows, self->row, count, scratch, out, err));
    out->sequence.part = self->part++;
    self->row += count;
    return FIRN_OK;
}

static void counters(const scan_reader *self, scan_counters *add_to) {
    add_to->rows_read += self->row;
}

static const table_kind information_schema_kind = {
    .name = "information_schema",
    .plan = plan_scan,
    .planner_next = known_tasks_next,
    .planner_counters = known_tasks_counters,
    .planner_close = known_tasks_close,
    .open = open_reader,
    .next = next,
    .counters = counters,
    .close = close_reader,
    .free = free_table,
};

// ---- What is asked about -----------------------------------------------------------------------

// A catalog, or with its schema, or with its schema and table, as the facts of a unit of rows: what
// the filters rule out is not looked at.
typedef struct asked {
    unit_facts face; // First.
    expr_list filters;
    uint32_t ids[KEY_COUNT]; // Of the key columns in the query; NO_SLOT: not scanned.
    string_value strings[KEY_COUNT];
    column values[KEY_COUNT];
    column_facts facts[KEY_COUNT];
    uint32_t known; // How many of the key columns are known now.
    arena scratch;
} asked;

static const column_facts *find_facts(const unit_facts *face, uint32_t id) {
    const asked *self = (const asked *)face;
    for (uint32_t i = 0; i < self->known; i++) {
        if (self->ids[i] == id) {
            return &self->facts[i];
        }
    }
    return NULL;
}

static bool is_asked(asked *self, uint32_t known, text value) {
    self->strings[known] = string_of(value.data, (uint32_t)value.size);
    self->known = known + 1;
    bool may_be = true;
    for (uint32_t i = 0; i < self->filters.count && may_be; i++) {
        may_be =
            facts_evaluate(self->filters.items[i], &self->face, &self->scratch) != VERDICT_NEVER;
    }
    arena_reset(&self->scratch);
    return may_be;
}

static void open_asked(asked *self, const plan_node *scan, uint32_t key_count) {
    *self = (asked){.face = {.row_count = {.is_known = true, .value = 1}, .find = find_facts},
                    .filters = scan->scan_.filters,
                    .scratch = arena_open(SIZE_MAX)};
    for (uint32_t i = 0; i < KEY_COUNT; i++) {
        self->ids[i] = NO_SLOT;
        self->values[i] = (column){
            .type = TYPE_OF(VARCHAR), .form = FORM_FLAT, .length = 1, .values = &self->strings[i]};
        self->facts[i] = (column_facts){.minimum = &self->values[i],
                                        .maximum = &self->values[i],
                                        .minimum_is_exact = true,
                                        .maximum_is_exact = true,
                                        .null_count = {.is_known = true}};
    }
    for (uint32_t i = 0; i < scan->scan_.columns.count; i++) {
        const scan_column *each = &scan->scan_.columns.items[i];
        if (each->path[0] < key_count) {
            self->ids[each->path[0]] = each->id;
        }
    }
}

// ---- Rows --------------------------------------------------------------------------------------

typedef struct gathering {
    asked asked;
    uint32_t shape;
    listing *rows;
    uint32_t loaded_count; // Tables that could be read.
    firn_error unreadable; // What the first one said that could not.
} gathering;

static text or_null(text value) {
    return value.size == 0 ? (text){.data = NULL} : value;
}

static firn_status add_columns_of(run *self, gathering *into, const text *names,
                                  const table_snapshot *table, firn_error *err) {
    for (uint32_t i = 0; i < table->columns.count; i++) {
        const field *each = &table->columns.fields[i];
        const column_note note = table->notes == NULL ? (column_note){0} : table->notes[i];
        text ordinal;
        TRY(text_format(&self->memory, &ordinal, err, "%u", i + 1));
        const text cells[] = {names[0],
                              names[1],
                              names[2],
                              each->name,
                              ordinal,
                              or_null(note.default_value),
                              each->is_nullable ? TEXT("YES") : TEXT("NO"),
                              type_text(each->type, &self->memory),
                              or_null(note.comment)};
        TRY(listing_add(into->rows, cells, err));
    }
    return FIRN_OK;
}

// Its SQL as it may be shown; SHOW CREATE VIEW has all of it.
static firn_status add_view(const gathering *into, const text *names, const view_definition *view,
                            arena *memory, firn_error *err) {
    char *shown = arena_alloc(memory, 1, view->sql.size + 1);
    if (shown == NULL) {
        return ARENA_FULL(memory, err);
    }
    memcpy(shown, view->sql.data, view->sql.size);
    const text sql = {.data = shown, .size = hide_addresses(shown, view->sql.size)};
    const text cells[] = {names[0],     names[1],   names[2],  or_null(sql),
                          TEXT("NONE"), TEXT("NO"), TEXT("NO")};
    return listing_add(into->rows, cells, err);
}

// What a table or view says of itself. One that cannot be read has no rows here, as it would hide
// those of all others; unless it is all that was asked about.
static firn_status add_loaded(run *self, gathering *into, catalog *from, object_name name,
                              const text *names, firn_error *err) {
    catalog_object object = {0};
    firn_error said = ERR_INIT;
    firn_status status =
        from->kind->load(from, name, NULL, &self->memory, &object, &self->cancel, &said);
    if (status == FIRN_OK) {
        into->loaded_count++;
        if (into->shape == OF_VIEWS) {
            status = object.view == NULL ? FIRN_OK
                                         : add_view(into, names, object.view, &self->memory, err);
        } else if (object.snapshot != NULL) {
            status = add_columns_of(self, into, names, object.snapshot, err);
        }
        table_snapshot_release(object.snapshot);
        return status;
    }
    if (status_is_refusal(status)) {
        *err = said;
        return status;
    }
    if (into->unreadable.status == FIRN_OK) {
        into->unreadable = said;
    }
    return FIRN_OK;
}

static firn_status add_space(run *self, const attached *owner, namespace_path space, void *user,
                             firn_error *err) {
    gathering *into = user;
    catalog *from = owner->catalog;
    text names[KEY_COUNT] = {owner->alias};
    TRY(catalog_dotted_space(self, space, &names[1], err));
    if (!is_asked(&into->asked, 1, names[1])) {
        return FIRN_OK;
    }
    if (into->shape == OF_SCHEMATA) {
        return listing_add(into->rows, names, err);
    }
    catalog_entry_list entries;
    TRY(from->kind->list(from, space, &self->memory, &entries, &self->cancel, err));
    for (uint32_t i = 0; i < entries.count; i++) {
        const catalog_entry *each = &entries.items[i];
        names[2] = each->name;
        if (!is_asked(&into->asked, 2, each->name)) {
            continue;
        }
        if (into->shape == OF_VIEWS && each->kind == ENTRY_TABLE) {
            continue;
        }
        if (into->shape == OF_COLUMNS || into->shape == OF_VIEWS) {
            const object_name name = {.space = space, .name = each->name, .is_exact = true};
            TRY(add_loaded(self, into, from, name, names, err));
            continue;
        }
        const text cells[] = {names[0], names[1], names[2], catalog_entry_kind(self, owner, each),
                              or_null(each->comment)};
        TRY(listing_add(into->rows, cells, err));
    }
    return FIRN_OK;
}

static firn_status gather(run *self, gathering *into, firn_error *err) {
    for (uint32_t i = 0; i < self->catalogs->count; i++) {
        const attached *each = self->catalogs->items[i];
        if (!is_asked(&into->asked, 0, each->alias)) {
            continue;
        }
        TRY(catalog_each_space(self, each, add_space, into, err));
        const text own[] = {each->alias, TEXT("information_schema")};
        if (into->shape == OF_SCHEMATA && is_asked(&into->asked, 1, own[1])) {
            TRY(listing_add(into->rows, own, err));
        }
    }
    if (into->loaded_count == 0 && into->unreadable.status != FIRN_OK) {
        *err = into->unreadable;
        return err->status;
    }
    return FIRN_OK;
}

// A second scan of the same table (of a plan that was copied) asks for its own rows: all of them.
static firn_status fill(run *self, listed_table *table, const plan_node *scan, firn_error *err) {
    const table_shape *shape = &shapes[table->shape];
    plan_node everything = *scan;
    if (table->rows.columns != NULL) {
        everything.scan_.filters = (expr_list){0};
    }
    gathering into = {.shape = table->shape, .unreadable = ERR_INIT};
    TRY(listing_open(self, shape->columns, shape->column_count, &into.rows, err));
    open_asked(&into.asked, &everything, shape->key_count);
    firn_status status = gather(self, &into, err);
    arena_close(&into.asked.scratch);
    TRY(status);
    column_data_list rows;
    schema columns;
    TRY(listing_rows(into.rows, &rows, &columns, err));
    table->row_count = rows.items[0].length;
    table->rows = batch_of((column *)(uintptr_t)rows.items, rows.count, table->row_count);
    return FIRN_OK;
}

typedef struct filling {
    run *owner;
    firn_status status;
    firn_error *err;
} filling;

static bool fill_scan(void *user, plan_node **slot) {
    filling *state = user;
    const plan_node *node = *slot;
    const bind_result *bound = &state->owner->bound;
    if (node->kind == PLAN_SCAN && node->scan_.table < bound->snapshot_count) {
        table_snapshot *table = bound->snapshots[node->scan_.table];
        if (table->kind == &information_schema_kind) {
            state->status = fill(state->owner, of(table), node, state->err);
        }
    }
    return state->status == FIRN_OK && plan_visit_children(*slot, fill_scan, user);
}

firn_status information_schema_fill(run *self, firn_error *err) {
    filling state = {.owner = self, .status = FIRN_OK, .err = err};
    for (uint32_t i = 0; i < self->bound.snapshot_count; i++) {
        if (self->bound.snapshots[i]->kind == &information_schema_kind) {
            (void)fill_scan(&state, &self->bound.plan.root);
            break;
        }
    }
    return state.status;
}
