// What each node hands out: ids, types and names, in order.
#include "memory/arena_grow.h"
#include "plan/plan.h"

typedef struct collector {
    arena *memory;
    id_set *ids;       // If only they are wanted; or
    u32_list *list;    // they in their order; else
    plan_columns *out; // columns.
    uint32_t capacity;
    firn_error *err;
} collector;

static firn_status add(collector *self, uint32_t id, const type *type, text name) {
    if (self->ids != NULL) {
        return id_set_add(self->ids, id, self->err);
    }
    if (self->list != NULL) {
        uint32_t *items = ARENA_GROW(self->memory, uint32_t, self->list->items, self->list->count,
                                     1, &self->capacity);
        if (items == NULL) {
            return ARENA_FULL(self->memory, self->err);
        }
        self->list->items = items;
        items[self->list->count++] = id;
        return FIRN_OK;
    }
    if (self->out->count == self->capacity) {
        const uint32_t capacity = self->capacity == 0 ? 8 : self->capacity * 2;
        plan_column *items = ARENA_NEW(self->memory, plan_column, capacity);
        if (items == NULL) {
            return ARENA_FULL(self->memory, self->err);
        }
        if (self->out->count > 0) {
            memcpy(items, self->out->items, self->out->count * sizeof *items);
        }
        self->out->items = items;
        self->capacity = capacity;
    }
    self->out->items[self->out->count++] = (plan_column){.id = id, .type = type, .name = name};
    return FIRN_OK;
}

// All that a node hands out, behind what is there.
static firn_status add_node(collector *self, const plan_node *node);

static text name_of(const expr *value) {
    return value->kind == EXPR_COLUMN ? value->column_.name : TEXT("");
}

static firn_status add_values(collector *self, const u32_list *ids, const expr_list *values) {
    for (uint32_t i = 0; i < ids->count; i++) {
        TRY(add(self, ids->items[i], values->items[i]->type, name_of(values->items[i])));
    }
    return FIRN_OK;
}

static firn_status add_schema(collector *self, const u32_list *ids, const schema *columns) {
    for (uint32_t i = 0; i < ids->count; i++) {
        TRY(add(self, ids->items[i], columns->fields[i].type, columns->fields[i].name));
    }
    return FIRN_OK;
}

static firn_status add_scan(collector *self, const plan_node *node) {
    for (uint32_t i = 0; i < node->scan_.output_count; i++) {
        const scan_column *column = &node->scan_.columns.items[i];
        TRY(add(self, column->id, column->type, column->name));
    }
    return node->scan_.row_id == NO_SLOT
               ? FIRN_OK
               : add(self, node->scan_.row_id, TYPE_OF(UBIGINT), TEXT("row id"));
}

// A pruned join hands out a part of its columns, in the order of the whole, which begins at `from`.
static firn_status keep_outputs(collector *self, uint32_t from, const u32_list *ids) {
    plan_columns *columns = self->out;
    const arena_mark mark = arena_mark_take(self->memory);
    id_set wanted = id_set_open(self->memory);
    firn_status status = FIRN_OK;
    for (uint32_t i = 0; i < ids->count && status == FIRN_OK; i++) {
        status = id_set_add(&wanted, ids->items[i], self->err);
    }
    uint32_t kept = from;
    for (uint32_t i = from; i < columns->count && status == FIRN_OK; i++) {
        if (id_set_has(&wanted, columns->items[i].id)) {
            columns->items[kept++] = columns->items[i];
        }
    }
    columns->count = kept;
    arena_rewind(self->memory, mark);
    return status;
}

static firn_status add_join(collector *self, const plan_node *left, const plan_node *right,
                            uint32_t kind, uint32_t mark_id) {
    if (kind != JOIN_RIGHT_SEMI && kind != JOIN_RIGHT_ANTI) {
        TRY(add_node(self, left));
    }
    if (kind != JOIN_SEMI && kind != JOIN_ANTI && kind != JOIN_MARK) {
        TRY(add_node(self, right));
    }
    return kind == JOIN_MARK ? add(self, mark_id, TYPE_OF(BOOLEAN), TEXT("")) : FIRN_OK;
}

static firn_status add_kept_join(collector *self, const plan_node *node) {
    if (self->out == NULL && node->join_.is_pruned) { // Nobody asks for types, which are below.
        for (uint32_t i = 0; i < node->join_.outputs.count; i++) {
            TRY(add(self, node->join_.outputs.items[i], NULL, TEXT("")));
        }
        return FIRN_OK;
    }
    const uint32_t from = self->out == NULL ? 0 : self->out->count;
    TRY(add_join(self, node->join_.left, node->join_.right, node->join_.join, node->join_.mark_id));
    return node->join_.is_pruned ? keep_outputs(self, from, &node->join_.outputs) : FIRN_OK;
}

static firn_status add_aggregate(collector *self, const plan_node *node) {
    TRY(add_values(self, &node->aggregate_.key_ids, &node->aggregate_.keys));
    TRY(add_values(self, &node->aggregate_.ids, &node->aggregate_.aggregates));
    return node->aggregate_.set_id == NO_SLOT
               ? FIRN_OK
               : add(self, node->aggregate_.set_id, TYPE_OF(INTEGER), TEXT(""));
}

static firn_status add_unnest(collector *self, const plan_node *node) {
    TRY(add_node(self, node->unnest_.input));
    for (uint32_t i = 0; i < node->unnest_.ids.count; i++) {
        const type *list = node->unnest_.lists.items[i]->type;
        TRY(add(self, node->unnest_.ids.items[i], list->children[0].type, TEXT("unnest")));
    }
    return node->unnest_.ordinality_id == NO_SLOT
               ? FIRN_OK
               : add(self, node->unnest_.ordinality_id, TYPE_OF(BIGINT), TEXT("ordinality"));
}

static firn_status add_node(collector *self, const plan_node *node) {
    switch (node->kind) {
    case PLAN_SCAN:
        return add_scan(self, node);
    case PLAN_VALUES:
        for (uint32_t i = 0; i < node->values_.ids.count; i++) {
            TRY(add(self, node->values_.ids.items[i], node->values_.columns.items[i].type,
                    TEXT("")));
        }
        return FIRN_OK;
    case PLAN_TABLE_FUNCTION:
        return add_schema(self, &node->table_function_.ids, &node->table_function_.columns);
    case PLAN_FILTER:
        return add_node(self, node->filter_.input);
    case PLAN_PROJECT:
        return add_values(self, &node->project_.ids, &node->project_.values);
    case PLAN_JOIN:
        return add_kept_join(self, node);
    case PLAN_DEPENDENT_JOIN:
        return add_join(self, node->dependent_join_.left, node->dependent_join_.right,
                        node->dependent_join_.join, node->dependent_join_.mark_id);
    case PLAN_AGGREGATE:
        return add_aggregate(self, node);
    case PLAN_SORT:
        return add_node(self, node->sort_.input);
    case PLAN_LIMIT:
        return add_node(self, node->limit_.input);
    case PLAN_UNION:
        return add_schema(self, &node->union_.ids, &node->union_.columns);
    case PLAN_REPEAT:
        return add_node(self, node->repeat_.input);
    case PLAN_NUMBER:
        TRY(add_node(self, node->number_.input));
        return add(self, node->number_.id, TYPE_OF(BIGINT), TEXT("number"));
    case PLAN_UNNEST:
        return add_unnest(self, node);
    case PLAN_WINDOW:
        TRY(add_node(self, node->window_.input));
        return add_values(self, &node->window_.ids, &node->window_.functions);
    case PLAN_SHARED:
        return add_node(self, node->shared_.body);
    case PLAN_SHARED_SCAN:
        return add_schema(self, &node->shared_scan_.ids, &node->shared_scan_.columns);
    case PLAN_RECURSIVE:
        return add_schema(self, &node->recursive_.ids, &node->recursive_.columns);
    case PLAN_SINGLE_ROW:
        return add_node(self, node->single_row_.input);
    case PLAN_CHANGE_ONCE:
        return add_node(self, node->change_once_.input);
    case PLAN_INSERT:
        return add(self, node->insert_.id, TYPE_OF(BIGINT), TEXT("count"));
    case PLAN_OUTPUT:
        return add_schema(self, &node->output_.ids, &node->output_.columns);
    case PLAN_KIND_COUNT:
        break;
    }
    return FAIL(self->err, FIRN_INTERNAL, "a plan node of kind %u", (unsigned)node->kind);
}

firn_status plan_outputs(const plan_node *self, arena *memory, plan_columns *out, firn_error *err) {
    *out = (plan_columns){0};
    collector state = {.memory = memory, .out = out, .err = err};
    return add_node(&state, self);
}

firn_status plan_output_ids(const plan_node *self, id_set *out, firn_error *err) {
    collector state = {.memory = out->memory, .ids = out, .err = err};
    return add_node(&state, self);
}

firn_status plan_output_list(const plan_node *self, arena *memory, u32_list *out, firn_error *err) {
    *out = (u32_list){0};
    collector state = {.memory = memory, .list = out, .err = err};
    return add_node(&state, self);
}
