// Proves that a plan hangs together: every column that a node mentions is made by its inputs, with
// the type it is used at; lists that go in pairs have equal lengths; numbers stay below their
// counts. Run on every decoded plan and, in test builds, on every optimized one.
#include "plan/plan.h"
#include "tables/row_change.h"

typedef struct checking {
    const plan *plan;
    arena *memory;
    firn_error *err;
    firn_status status;
    const plan_node *node;
    plan_columns inputs; // Columns of the node's inputs.
    uint32_t depth;
} checking;

static firn_status fault(checking *self, const char *what) {
    return FAIL(self->err, FIRN_CORRUPT, "a %s node with %s", plan_kind_label(self->node->kind),
                what);
}

static firn_status add_columns(checking *self, const plan_columns *more) {
    const uint32_t count = self->inputs.count + more->count;
    plan_column *items = ARENA_NEW(self->memory, plan_column, count + 1);
    if (items == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    if (self->inputs.count > 0) {
        memcpy(items, self->inputs.items, self->inputs.count * sizeof *items);
    }
    if (more->count > 0) {
        memcpy(items + self->inputs.count, more->items, more->count * sizeof *items);
    }
    self->inputs = (plan_columns){.count = count, .items = items};
    return FIRN_OK;
}

static bool add_input(void *user, plan_node **slot) {
    checking *self = user;
    plan_columns columns;
    self->status = plan_outputs(*slot, self->memory, &columns, self->err);
    if (self->status == FIRN_OK) {
        self->status = add_columns(self, &columns);
    }
    return self->status == FIRN_OK;
}

static const plan_column *find_input(const checking *self, uint32_t id) {
    for (uint32_t i = 0; i < self->inputs.count; i++) {
        if (self->inputs.items[i].id == id) {
            return &self->inputs.items[i];
        }
    }
    return NULL;
}

static bool check_expr(void *user, expr **slot) {
    checking *self = user;
    const expr *value = *slot;
    if (value->kind == EXPR_COLUMN) {
        const plan_column *made = find_input(self, value->column_.id);
        if (made == NULL) {
            self->status = fault(self, "a column that its input does not make");
        } else if (!type_same_values(made->type, value->type)) {
            self->status = fault(self, "a column of another type");
        }
        return self->status == FIRN_OK;
    }
    if (value->kind == EXPR_DYNAMIC && value->dynamic_.slot >= self->plan->slot_count) {
        self->status = fault(self, "an unknown dynamic filter");
        return false;
    }
    // What is inside a lambda is between its call and the parameters that the call gives it.
    return value->kind == EXPR_LAMBDA || expr_visit_children(*slot, check_expr, user);
}

static firn_status check_keys(checking *self) {
    const plan_node *node = self->node;
    const uint32_t count = node->join_.left_keys.count;
    if (node->join_.join >= JOIN_KIND_COUNT || node->join_.right_keys.count != count ||
        node->join_.null_equal.count != count ||
        (node->join_.dynamic_slots.count != 0 && node->join_.dynamic_slots.count != count)) {
        return fault(self, "lists of keys that do not pair");
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!type_same_values(node->join_.left_keys.items[i]->type,
                              node->join_.right_keys.items[i]->type)) {
            return fault(self, "keys of different types");
        }
    }
    for (uint32_t i = 0; i < node->join_.dynamic_slots.count; i++) {
        if (node->join_.dynamic_slots.items[i] != NO_SLOT &&
            node->join_.dynamic_slots.items[i] >= self->plan->slot_count) {
            return fault(self, "an unknown dynamic filter");
        }
    }
    return FIRN_OK;
}

static firn_status check_ids(checking *self, const u32_list *ids) {
    for (uint32_t i = 0; i < ids->count; i++) {
        if (find_input(self, ids->items[i]) == NULL) {
            return fault(self, "a column that its input does not make");
        }
    }
    return FIRN_OK;
}

static firn_status check_row_id(checking *self, uint32_t id) {
    const plan_column *made = find_input(self, id);
    return made != NULL && made->type->id == TYPE_UBIGINT
               ? FIRN_OK
               : fault(self, "a row id that its input does not make");
}

static firn_status check_insert(checking *self, const plan_node *node) {
    const u32_list *ids = &node->insert_.input_ids;
    const bool is_change = node->insert_.change != CHANGE_APPEND;
    if (node->insert_.table >= self->plan->table_count ||
        node->insert_.positions.count != ids->count || ids->count < (is_change ? 2 : 0)) {
        return fault(self, "an unknown table or lists that do not pair");
    }
    if (node->insert_.change > CHANGE_REWRITE || node->insert_.overwrite > OVERWRITE_PARTITIONS) {
        return fault(self, "an unknown change");
    }
    TRY(check_ids(self, ids));
    return is_change ? check_row_id(self, ids->items[ids->count - 1]) : FIRN_OK;
}

static firn_status check_aggregates(checking *self, const plan_node *node) {
    if (node->aggregate_.keys.count != node->aggregate_.key_ids.count ||
        node->aggregate_.aggregates.count != node->aggregate_.ids.count) {
        return fault(self, "lists that do not pair");
    }
    for (uint32_t i = 0; i < node->aggregate_.aggregates.count; i++) {
        if (node->aggregate_.aggregates.items[i]->kind != EXPR_AGGREGATE) {
            return fault(self, "an aggregate that is none");
        }
    }
    return FIRN_OK;
}

static firn_status check_values(checking *self, const plan_node *node) {
    bool fits = node->values_.ids.count == node->values_.columns.count;
    for (uint32_t i = 0; i < node->values_.columns.count && fits; i++) {
        fits = node->values_.columns.items[i].length >= node->values_.row_count;
    }
    return fits ? FIRN_OK : fault(self, "columns that are too short");
}

static firn_status check_scan(checking *self, const plan_node *node) {
    if (node->scan_.table >= self->plan->table_count ||
        node->scan_.output_count > node->scan_.columns.count) {
        return fault(self, "an unknown table or too many columns");
    }
    plan_column *items = ARENA_NEW(self->memory, plan_column, node->scan_.columns.count + 1);
    if (items == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    for (uint32_t i = 0; i < node->scan_.columns.count; i++) {
        items[i] = (plan_column){.id = node->scan_.columns.items[i].id,
                                 .type = node->scan_.columns.items[i].type};
    }
    self->inputs = (plan_columns){.count = node->scan_.columns.count, .items = items};
    return FIRN_OK;
}

// A series of a start, an end and a step; maybe numbered.
static firn_status check_series(checking *self, const plan_node *node) {
    const schema *columns = &node->table_function_.columns;
    const expr_list *args = &node->table_function_.args;
    if (node->table_function_.ids.count != columns->count || columns->count < 1 ||
        columns->count > 2 || args->count != 3) {
        return fault(self, "lists that do not pair");
    }
    const type *of = columns->fields[0].type;
    const bool is_time = of->id == TYPE_TIMESTAMP || of->id == TYPE_TIMESTAMPTZ;
    const bool fits = (is_time || of->id == TYPE_BIGINT) &&
                      type_same_values(args->items[0]->type, of) &&
                      type_same_values(args->items[1]->type, of) &&
                      args->items[2]->type->id == (is_time ? TYPE_INTERVAL : TYPE_BIGINT) &&
                      (columns->count == 1 || columns->fields[1].type->id == TYPE_BIGINT);
    return fits ? FIRN_OK : fault(self, "a series of other types");
}

static firn_status check_shape(checking *self) {
    const plan_node *node = self->node;
    switch ((int)node->kind) {
    case PLAN_SCAN:
        return check_scan(self, node);
    case PLAN_VALUES:
        return check_values(self, node);
    case PLAN_PROJECT:
        return node->project_.ids.count == node->project_.values.count
                   ? FIRN_OK
                   : fault(self, "lists that do not pair");
    case PLAN_JOIN:
        return check_keys(self);
    case PLAN_AGGREGATE:
        return check_aggregates(self, node);
    case PLAN_UNION:
        if ((uint64_t)node->union_.ids.count * node->union_.inputs.count !=
                node->union_.input_ids.count ||
            node->union_.columns.count != node->union_.ids.count) {
            return fault(self, "lists that do not pair");
        }
        return check_ids(self, &node->union_.input_ids);
    case PLAN_UNNEST:
        return node->unnest_.ids.count == node->unnest_.lists.count
                   ? FIRN_OK
                   : fault(self, "lists that do not pair");
    case PLAN_CHANGE_ONCE:
        return check_row_id(self, node->change_once_.id);
    case PLAN_INSERT:
        return check_insert(self, node);
    case PLAN_OUTPUT:
        return node->output_.ids.count == node->output_.columns.count
                   ? check_ids(self, &node->output_.ids)
                   : fault(self, "lists that do not pair");
    case PLAN_SHARED:
        return node->shared_.slot < self->plan->shared_count ? FIRN_OK
                                                             : fault(self, "an unknown slot");
    case PLAN_SHARED_SCAN:
        return node->shared_scan_.slot < self->plan->shared_count &&
                       node->shared_scan_.ids.count == node->shared_scan_.source_ids.count &&
                       node->shared_scan_.ids.count == node->shared_scan_.columns.count
                   ? FIRN_OK
                   : fault(self, "an unknown slot or lists that do not pair");
    case PLAN_TABLE_FUNCTION:
        return check_series(self, node);
    default:
        return FIRN_OK;
    }
}

static bool has_missing_input(void *user, plan_node **slot) {
    (void)user;
    return *slot != NULL;
}

static bool check_node(void *user, plan_node **slot) {
    checking *self = user;
    if (!plan_visit_children(*slot, check_node, user)) {
        return false;
    }
    self->node = *slot;
    self->inputs = (plan_columns){0};
    if (!plan_visit_children(*slot, has_missing_input, NULL)) {
        self->status = fault(self, "a missing input");
        return false;
    }
    if (!plan_visit_children(*slot, add_input, user)) {
        return false;
    }
    self->status = check_shape(self);
    return self->status == FIRN_OK && plan_visit_exprs(*slot, check_expr, user);
}

firn_status plan_check(const plan *self, arena *memory, firn_error *err) {
    checking state = {.plan = self, .memory = memory, .err = err, .status = FIRN_OK};
    plan_node *root = self->root;
    if (root == NULL || root->kind != PLAN_OUTPUT) {
        return FAIL(err, FIRN_CORRUPT, "a plan without an Output at its root");
    }
    (void)check_node(&state, &root);
    return state.status;
}
