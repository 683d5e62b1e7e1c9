// Only the columns that somebody above needs are read, computed and carried.
#include "optimize/rewrite.h"

static firn_status prune(optimizer *self, plan_node **slot, const id_set *needed);

static firn_status add_used(optimizer *self, const expr_list *values, id_set *out) {
    for (uint32_t i = 0; i < values->count; i++) {
        TRY(rewrite_used(self, values->items[i], out));
    }
    return FIRN_OK;
}

static firn_status add_keys(optimizer *self, const sort_key_list *keys, id_set *out) {
    for (uint32_t i = 0; i < keys->count; i++) {
        TRY(rewrite_used(self, keys->items[i].value, out));
    }
    return FIRN_OK;
}

static firn_status add_ids(optimizer *self, const u32_list *ids, id_set *out) {
    for (uint32_t i = 0; i < ids->count; i++) {
        TRY(id_set_add(out, ids->items[i], self->err));
    }
    return FIRN_OK;
}

// Columns needed above first, then those that only filters read.
static firn_status prune_scan(optimizer *self, plan_node *node, const id_set *needed) {
    id_set filters = id_set_open(self->memory);
    TRY(add_used(self, &node->scan_.filters, &filters));
    const scan_column_list all = node->scan_.columns;
    scan_column *kept = ARENA_NEW(self->memory, scan_column, all.count + 1);
    if (kept == NULL) {
        return rewrite_full(self);
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < all.count; i++) {
        if (id_set_has(needed, all.items[i].id)) {
            kept[count++] = all.items[i];
        }
    }
    node->scan_.output_count = count;
    for (uint32_t i = 0; i < all.count; i++) {
        if (!id_set_has(needed, all.items[i].id) && id_set_has(&filters, all.items[i].id)) {
            kept[count++] = all.items[i];
        }
    }
    node->scan_.columns = (scan_column_list){.count = count, .items = kept};
    if (node->scan_.row_id != NO_SLOT && !id_set_has(needed, node->scan_.row_id)) {
        node->scan_.row_id = NO_SLOT;
    }
    return FIRN_OK;
}

static void keep_values(u32_list *ids, expr_list *values, const id_set *needed) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ids->count; i++) {
        if (id_set_has(needed, ids->items[i])) {
            ids->items[kept] = ids->items[i];
            values->items[kept++] = values->items[i];
        }
    }
    ids->count = kept;
    values->count = kept;
}

static bool only_renames(const plan_node *project, const u32_list *input) {
    if (project->project_.ids.count != input->count) {
        return false;
    }
    for (uint32_t i = 0; i < input->count; i++) {
        const expr *value = project->project_.values.items[i];
        if (value->kind != EXPR_COLUMN || value->column_.id != input->items[i] ||
            project->project_.ids.items[i] != input->items[i]) {
            return false;
        }
    }
    return true;
}

static firn_status prune_project(optimizer *self, plan_node **slot, const id_set *needed) {
    plan_node *node = *slot;
    keep_values(&node->project_.ids, &node->project_.values, needed);
    id_set used = id_set_open(self->memory);
    TRY(add_used(self, &node->project_.values, &used));
    TRY(prune(self, &node->project_.input, &used));
    u32_list input;
    const arena_mark mark = arena_mark_take(self->memory); // Of joins of hundreds there are many.
    const firn_status status =
        plan_output_list(node->project_.input, self->memory, &input, self->err);
    if (status == FIRN_OK && only_renames(node, &input)) {
        *slot = node->project_.input;
    }
    arena_rewind(self->memory, mark);
    return status;
}

// A join keeps those of its columns that are needed, in their order.
static firn_status keep_outputs(optimizer *self, plan_node *node, const id_set *needed) {
    uint32_t needed_count = 0;
    for (uint32_t id = 0; id_set_next(needed, &id); id++) {
        needed_count++;
    }
    u32_list kept = {.items = ARENA_NEW(self->memory, uint32_t, (size_t)needed_count + 1)};
    if (kept.items == NULL) {
        return rewrite_full(self);
    }
    u32_list columns;
    node->join_.is_pruned = false;
    const arena_mark mark = arena_mark_take(self->memory); // Of joins of hundreds there are many.
    const firn_status status = plan_output_list(node, self->memory, &columns, self->err);
    for (uint32_t i = 0; i < columns.count && status == FIRN_OK; i++) {
        if (id_set_has(needed, columns.items[i])) {
            kept.items[kept.count++] = columns.items[i];
        }
    }
    node->join_.outputs = kept;
    node->join_.is_pruned = kept.count < columns.count;
    arena_rewind(self->memory, mark);
    return status;
}

static firn_status prune_join(optimizer *self, plan_node *node, const id_set *needed) {
    id_set used = id_set_open(self->memory);
    TRY(id_set_add_all(&used, needed, self->err));
    TRY(add_used(self, &node->join_.left_keys, &used));
    TRY(add_used(self, &node->join_.right_keys, &used));
    TRY(rewrite_used(self, node->join_.residual, &used));
    TRY(prune(self, &node->join_.left, &used));
    TRY(prune(self, &node->join_.right, &used));
    return keep_outputs(self, node, needed);
}

static firn_status prune_aggregate(optimizer *self, plan_node *node, const id_set *needed) {
    keep_values(&node->aggregate_.ids, &node->aggregate_.aggregates, needed);
    id_set used = id_set_open(self->memory);
    TRY(add_used(self, &node->aggregate_.keys, &used));
    TRY(add_used(self, &node->aggregate_.aggregates, &used));
    return prune(self, &node->aggregate_.input, &used);
}

static firn_status prune_union(optimizer *self, plan_node *node, const id_set *needed) {
    const uint32_t width = node->union_.ids.count;
    u32_list ids = {0};
    u32_list input_ids = {0};
    field *fields = ARENA_NEW(self->memory, field, width + 1);
    if (fields == NULL) {
        return rewrite_full(self);
    }
    for (uint32_t i = 0; i < width; i++) {
        if (id_set_has(needed, node->union_.ids.items[i])) {
            fields[ids.count] = node->union_.columns.fields[i];
            TRY(rewrite_add_id(self, &ids, node->union_.ids.items[i]));
        }
    }
    for (uint32_t input = 0; input < node->union_.inputs.count; input++) {
        id_set used = id_set_open(self->memory);
        for (uint32_t i = 0; i < width; i++) {
            if (id_set_has(needed, node->union_.ids.items[i])) {
                const uint32_t id = node->union_.input_ids.items[input * width + i];
                TRY(rewrite_add_id(self, &input_ids, id));
                TRY(id_set_add(&used, id, self->err));
            }
        }
        TRY(prune(self, &node->union_.inputs.items[input], &used));
    }
    node->union_.ids = ids;
    node->union_.input_ids = input_ids;
    node->union_.columns = (schema){.count = ids.count, .fields = fields};
    return FIRN_OK;
}

static firn_status prune_values(optimizer *self, plan_node *node, const id_set *needed) {
    column *columns = ARENA_NEW(self->memory, column, node->values_.ids.count + 1);
    if (columns == NULL) {
        return rewrite_full(self);
    }
    u32_list ids = {0};
    for (uint32_t i = 0; i < node->values_.ids.count; i++) {
        if (id_set_has(needed, node->values_.ids.items[i])) {
            columns[ids.count] = node->values_.columns.items[i];
            TRY(rewrite_add_id(self, &ids, node->values_.ids.items[i]));
        }
    }
    node->values_.columns = (column_data_list){.count = ids.count, .items = columns};
    node->values_.ids = ids;
    return FIRN_OK;
}

// The input must give what is needed above and what the node itself looks at.
static firn_status prune_input(optimizer *self, plan_node **input, const id_set *needed,
                               const expr_list *values, const sort_key_list *keys) {
    id_set used = id_set_open(self->memory);
    TRY(id_set_add_all(&used, needed, self->err));
    if (values != NULL) {
        TRY(add_used(self, values, &used));
    }
    if (keys != NULL) {
        TRY(add_keys(self, keys, &used));
    }
    return prune(self, input, &used);
}

static firn_status prune_all(optimizer *self, plan_node **slot) {
    id_set all = id_set_open(self->memory);
    TRY(rewrite_outputs(self, *slot, &all));
    return prune(self, slot, &all);
}

static firn_status prune_shared_scan(optimizer *self, plan_node *node, const id_set *needed) {
    const u32_list all = node->shared_scan_.ids;
    field *fields = ARENA_NEW(self->memory, field, all.count + 1);
    if (fields == NULL) {
        return rewrite_full(self);
    }
    u32_list ids = {0};
    u32_list source_ids = {0};
    for (uint32_t i = 0; i < all.count; i++) {
        if (id_set_has(needed, all.items[i])) {
            fields[ids.count] = node->shared_scan_.columns.fields[i];
            TRY(rewrite_add_id(self, &ids, all.items[i]));
            TRY(rewrite_add_id(self, &source_ids, node->shared_scan_.source_ids.items[i]));
        }
    }
    node->shared_scan_.ids = ids;
    node->shared_scan_.source_ids = source_ids;
    node->shared_scan_.columns = (schema){.count = ids.count, .fields = fields};
    return FIRN_OK;
}

typedef struct reading {
    optimizer *self;
    uint32_t slot;
    bool is_read;
    id_set read; // What the scans of the slot read.
} reading;

static bool add_read(void *user, plan_node **slot) {
    reading *state = user;
    const plan_node *node = *slot;
    if (node->kind == PLAN_SHARED_SCAN && node->shared_scan_.slot == state->slot) {
        state->is_read = true;
        return add_ids(state->self, &node->shared_scan_.source_ids, &state->read) == FIRN_OK;
    }
    return plan_visit_children(*slot, add_read, user);
}

// What is kept has the columns that those need who read it, once these are pruned.
static firn_status prune_shared(optimizer *self, plan_node **slot, const id_set *needed) {
    plan_node *node = *slot;
    TRY(prune(self, &node->shared_.body, needed));
    reading state = {.self = self, .slot = node->shared_.slot, .read = id_set_open(self->memory)};
    if (!add_read(&state, &self->plan->root)) {
        return self->err->status;
    }
    if (!state.is_read) {
        *slot = node->shared_.body;
        return FIRN_OK;
    }
    plan_node **kept = &node->shared_.definition;
    TRY(prune(self, kept, &state.read));
    plan_columns columns;
    u32_list ids = {0};
    expr_list values = {0};
    TRY(plan_outputs(*kept, self->memory, &columns, self->err));
    for (uint32_t i = 0; i < columns.count; i++) {
        if (id_set_has(&state.read, columns.items[i].id)) {
            expr *value;
            TRY(rewrite_column(self, columns.items[i].id, columns.items[i].type, &value));
            TRY(rewrite_add_id(self, &ids, columns.items[i].id));
            TRY(rewrite_add_expr(self, &values, value));
        }
    }
    return ids.count == columns.count ? FIRN_OK : rewrite_project(self, *kept, &ids, &values, kept);
}

static firn_status prune(optimizer *self, plan_node **slot, const id_set *needed) {
    plan_node *node = *slot;
    switch ((int)node->kind) {
    case PLAN_SCAN:
        return prune_scan(self, node, needed);
    case PLAN_VALUES:
        return prune_values(self, node, needed);
    case PLAN_FILTER: {
        const expr_list one = {.count = 1, .items = &node->filter_.predicate};
        return prune_input(self, &node->filter_.input, needed, &one, NULL);
    }
    case PLAN_PROJECT:
        return prune_project(self, slot, needed);
    case PLAN_JOIN:
        return prune_join(self, node, needed);
    case PLAN_AGGREGATE:
        return prune_aggregate(self, node, needed);
    case PLAN_SORT:
        return prune_input(self, &node->sort_.input, needed, NULL, &node->sort_.keys);
    case PLAN_LIMIT: {
        expr_list values = {0};
        if (node->limit_.limit != NULL) {
            TRY(rewrite_add_expr(self, &values, node->limit_.limit));
        }
        if (node->limit_.offset != NULL) {
            TRY(rewrite_add_expr(self, &values, node->limit_.offset));
        }
        return prune_input(self, &node->limit_.input, needed, &values, NULL);
    }
    case PLAN_UNION:
        return prune_union(self, node, needed);
    case PLAN_REPEAT: {
        const expr_list one = {.count = 1, .items = &node->repeat_.times};
        return prune_input(self, &node->repeat_.input, needed, &one, NULL);
    }
    case PLAN_NUMBER:
        return prune(self, &node->number_.input, needed);
    case PLAN_UNNEST:
        return prune_input(self, &node->unnest_.input, needed, &node->unnest_.lists, NULL);
    case PLAN_SHARED:
        return prune_shared(self, slot, needed);
    case PLAN_SHARED_SCAN:
        return prune_shared_scan(self, node, needed);
    case PLAN_SINGLE_ROW:
        return prune(self, &node->single_row_.input, needed);
    case PLAN_CHANGE_ONCE: {
        id_set used = id_set_open(self->memory);
        TRY(id_set_add_all(&used, needed, self->err));
        TRY(id_set_add(&used, node->change_once_.id, self->err));
        return prune(self, &node->change_once_.input, &used);
    }
    case PLAN_INSERT: {
        id_set used = id_set_open(self->memory);
        TRY(add_ids(self, &node->insert_.input_ids, &used));
        return prune(self, &node->insert_.input, &used);
    }
    case PLAN_OUTPUT: {
        id_set used = id_set_open(self->memory);
        TRY(add_ids(self, &node->output_.ids, &used));
        return prune(self, &node->output_.input, &used);
    }
    default:
        return FIRN_OK;
    }
}

firn_status rule_prune_columns(optimizer *self, plan_node **root) {
    return prune_all(self, root);
}
