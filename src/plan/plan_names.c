// What columns without a name are called where plans are shown: by what computes them.
#include <string.h>

#include "plan/plan.h"

#define NAME_BYTES_MAX 48 // Longer ones are shown as numbers, so that plans stay readable.

typedef struct naming {
    expr_names names; // In what is being made.
    text *items;
    arena *memory;
} naming;

static void name_id(naming *self, uint32_t id, text name) {
    if (id < self->names.count && self->items[id].size == 0 && name.size <= NAME_BYTES_MAX) {
        self->items[id] = name;
    }
}

// A name in parentheses where it would fall apart beside an operator.
static text text_of_value(naming *self, const expr *value) {
    text_builder builder = text_builder_open(self->memory);
    expr_print_as_operand(value, &self->names, &builder);
    return builder.is_full ? (text){0} : (text){.data = builder.data, .size = builder.size};
}

static void name_values(naming *self, const u32_list *ids, const expr_list *values) {
    for (uint32_t i = 0; i < ids->count && i < values->count; i++) {
        name_id(self, ids->items[i], text_of_value(self, values->items[i]));
    }
}

// The one row of VALUES is what it holds.
static void name_literals(naming *self, const u32_list *ids, const column_data_list *columns) {
    for (uint32_t i = 0; i < ids->count && i < columns->count; i++) {
        const column *value = &columns->items[i];
        const bool is_null = !column_is_valid(value, 0);
        const expr shown = {.kind = EXPR_LITERAL,
                            .type = value->type,
                            .literal_.value = {.is_null = is_null, .value = value}};
        name_id(self, ids->items[i], text_of_value(self, &shown));
    }
}

static void name_lists(naming *self, const plan_node *node) {
    for (uint32_t i = 0; i < node->unnest_.ids.count && i < node->unnest_.lists.count; i++) {
        text_builder builder = text_builder_open(self->memory);
        text_append(&builder, TEXT("unnest("));
        expr_print_named(node->unnest_.lists.items[i], &self->names, &builder);
        text_append_char(&builder, ')');
        name_id(self, node->unnest_.ids.items[i],
                builder.is_full ? (text){0} : (text){.data = builder.data, .size = builder.size});
    }
    name_id(self, node->unnest_.ordinality_id, TEXT("ordinality"));
}

static void name_fields(naming *self, const u32_list *ids, const schema *columns) {
    for (uint32_t i = 0; i < ids->count && i < columns->count; i++) {
        name_id(self, ids->items[i], columns->fields[i].name);
    }
}

static void name_outputs(naming *self, const plan_node *node) {
    switch ((int)node->kind) {
    case PLAN_SCAN:
        for (uint32_t i = 0; i < node->scan_.columns.count; i++) {
            name_id(self, node->scan_.columns.items[i].id, node->scan_.columns.items[i].name);
        }
        name_id(self, node->scan_.row_id, TEXT("row id"));
        break;
    case PLAN_PROJECT:
        name_values(self, &node->project_.ids, &node->project_.values);
        break;
    case PLAN_AGGREGATE:
        name_values(self, &node->aggregate_.key_ids, &node->aggregate_.keys);
        name_values(self, &node->aggregate_.ids, &node->aggregate_.aggregates);
        name_id(self, node->aggregate_.set_id, TEXT("grouping_set"));
        break;
    case PLAN_VALUES:
        if (node->values_.row_count == 1) {
            name_literals(self, &node->values_.ids, &node->values_.columns);
        }
        break;
    case PLAN_UNNEST:
        name_lists(self, node);
        break;
    case PLAN_JOIN:
        name_id(self, node->join_.mark_id, TEXT("mark"));
        break;
    case PLAN_TABLE_FUNCTION:
        name_fields(self, &node->table_function_.ids, &node->table_function_.columns);
        break;
    case PLAN_UNION:
        name_fields(self, &node->union_.ids, &node->union_.columns);
        break;
    case PLAN_SHARED_SCAN:
        name_fields(self, &node->shared_scan_.ids, &node->shared_scan_.columns);
        break;
    default:
        break;
    }
}

static bool name_below(void *user, plan_node **slot) {
    (void)plan_visit_children(*slot, name_below, user);
    name_outputs(user, *slot);
    return true;
}

expr_names plan_names(const plan *self, arena *memory) {
    text *items = ARENA_NEW(memory, text, self->id_count + (size_t)1);
    if (items == NULL) {
        return (expr_names){0};
    }
    memset(items, 0, (self->id_count + (size_t)1) * sizeof *items);
    naming state = {
        .names = {.count = self->id_count, .by_id = items}, .items = items, .memory = memory};
    plan_node *root = self->root;
    (void)name_below(&state, &root);
    return state.names;
}
