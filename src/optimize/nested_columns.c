// A field of a struct that is a column of a table becomes a column of the scan itself: of the
// struct only that field is read, and filters on it prune like those on any column.
//
//     Project struct_extract(address, 'city')       Project #9
//       Scan columns=[address]                        Scan columns=[address.city]
//
// In filters of scans always; elsewhere only where nobody needs the struct as a whole, since that
// holds the field already. The struct itself goes with prune_columns if it is not needed any more.
#include "optimize/rewrite.h"

// A path of fields deeper than this is left as it is.
#define DEPTH_MAX 32

// A projection that hands a struct on, and then also what is taken out of it.
typedef struct pass {
    plan_node *project;
    const struct pass *below;
} pass;

// A struct that a node can see: which column of which scan it is.
typedef struct source {
    plan_node *scan;
    uint32_t id;    // Under which the node sees it.
    uint32_t index; // Of the scan's columns.
    const pass *passes;
} source;

typedef struct source_list {
    uint32_t count;
    source *items;
} source_list;

typedef struct nesting {
    optimizer *self;
    id_set wholes; // Structs that somebody needs as they are.
    const source_list *seen;
    bool is_filter;
    firn_status status;
} nesting;

// ---- Chains ------------------------------------------------------------------------------------

// The field that a call of struct_extract takes; false if it is none.
static bool field_of(const expr *call, uint32_t *out) {
    if (!expr_is_call(call, "struct_extract") || call->call_.bound.size != sizeof *out) {
        return false;
    }
    const type *of = call->call_.args.items[0]->type;
    memcpy(out, call->call_.bound.data, sizeof *out); // As struct_extract's bind function left it.
    return of->id == TYPE_STRUCT && *out < of->child_count &&
           type_equal(of->children[*out].type, call->type);
}

// The column that a chain of struct_extract begins with, and the fields on the way; NULL: no chain.
static const expr *chain_of(const expr *value, uint32_t *path, uint32_t *length) {
    uint32_t fields[DEPTH_MAX];
    uint32_t count = 0;
    while (count < DEPTH_MAX && field_of(value, &fields[count])) {
        value = value->call_.args.items[0];
        count++;
    }
    if (count == 0 || value->kind != EXPR_COLUMN) {
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        path[i] = fields[count - 1 - i];
    }
    *length = count;
    return value;
}

// ---- What is needed whole ----------------------------------------------------------------------

static bool add_wholes(void *user, expr **slot) {
    nesting *state = user;
    uint32_t path[DEPTH_MAX];
    uint32_t length;
    const expr *value = *slot;
    if (chain_of(value, path, &length) != NULL) {
        return true;
    }
    if (value->kind == EXPR_COLUMN) {
        state->status = id_set_add(&state->wholes, value->column_.id, state->self->err);
        return state->status == FIRN_OK;
    }
    return expr_visit_children(*slot, add_wholes, user);
}

static firn_status add_ids(nesting *state, const u32_list *ids) {
    for (uint32_t i = 0; i < ids->count; i++) {
        TRY(id_set_add(&state->wholes, ids->items[i], state->self->err));
    }
    return FIRN_OK;
}

static firn_status add_wholes_of(nesting *state, plan_node *node) {
    switch ((int)node->kind) {
    case PLAN_PROJECT:
        for (uint32_t i = 0; i < node->project_.values.count; i++) {
            expr **value = &node->project_.values.items[i]; // What is only handed on is not needed.
            if ((*value)->kind != EXPR_COLUMN && !add_wholes(state, value)) {
                return state->status;
            }
        }
        return FIRN_OK;
    case PLAN_UNION:
        return add_ids(state, &node->union_.input_ids);
    case PLAN_SHARED_SCAN:
        return add_ids(state, &node->shared_scan_.source_ids);
    case PLAN_RECURSIVE:
        return add_ids(state, &node->recursive_.input_ids);
    case PLAN_INSERT:
        return add_ids(state, &node->insert_.input_ids);
    case PLAN_OUTPUT:
        return add_ids(state, &node->output_.ids);
    default:
        (void)plan_visit_exprs(node, add_wholes, state);
        return state->status;
    }
}

static bool find_wholes(void *user, plan_node **slot) {
    nesting *state = user;
    state->status = add_wholes_of(state, *slot);
    return state->status == FIRN_OK && plan_visit_children(*slot, find_wholes, user);
}

// ---- Replacing ---------------------------------------------------------------------------------

static bool is_path(const scan_column *column, const scan_column *top, const uint32_t *path,
                    uint32_t length) {
    return column->path_length == top->path_length + length &&
           memcmp(column->path, top->path, top->path_length * sizeof *path) == 0 &&
           memcmp(column->path + top->path_length, path, length * sizeof *path) == 0;
}

static firn_status name_path(optimizer *self, const scan_column *top, const uint32_t *path,
                             uint32_t length, text *out) {
    text_builder name = text_builder_open(self->memory);
    const type *of = top->type;
    text_append(&name, top->name);
    for (uint32_t i = 0; i < length; i++) {
        text_append_char(&name, '.');
        text_append(&name, of->children[path[i]].name);
        of = of->children[path[i]].type;
    }
    return text_builder_finish(&name, out, self->err);
}

// The scan's column for a path below one of its structs: there already, or made.
static firn_status column_of(optimizer *self, const source *from, const uint32_t *path,
                             uint32_t length, scan_column *out) {
    scan_column_list *list = &from->scan->scan_.columns;
    const scan_column top = list->items[from->index];
    for (uint32_t i = 0; i < list->count; i++) {
        if (is_path(&list->items[i], &top, path, length)) {
            *out = list->items[i];
            return FIRN_OK;
        }
    }
    scan_column *grown = ARENA_NEW(self->memory, scan_column, (size_t)list->count + 1);
    uint32_t *whole = ARENA_NEW(self->memory, uint32_t, (size_t)top.path_length + length);
    if (grown == NULL || whole == NULL) {
        return rewrite_full(self);
    }
    memcpy(whole, top.path, top.path_length * sizeof *whole);
    memcpy(whole + top.path_length, path, length * sizeof *whole);
    memcpy(grown, list->items, list->count * sizeof *grown);
    const type *of = top.type;
    for (uint32_t i = 0; i < length; i++) {
        of = of->children[path[i]].type;
    }
    *out = (scan_column){.id = rewrite_new_id(self),
                         .path = whole,
                         .path_length = top.path_length + length,
                         .type = of};
    TRY(name_path(self, &top, path, length, &out->name));
    grown[list->count] = *out;
    *list = (scan_column_list){.count = list->count + 1, .items = grown};
    from->scan->scan_.output_count = list->count;
    return FIRN_OK;
}

// Projections between the scan and here hand the field on.
static firn_status hand_on(optimizer *self, const source *from, const scan_column *made) {
    for (const pass *at = from->passes; at != NULL; at = at->below) {
        plan_node *project = at->project;
        bool is_there = false;
        for (uint32_t i = 0; i < project->project_.ids.count; i++) {
            is_there = is_there || project->project_.ids.items[i] == made->id;
        }
        if (!is_there) {
            expr *value;
            TRY(rewrite_column(self, made->id, made->type, &value));
            TRY(rewrite_add_id(self, &project->project_.ids, made->id));
            TRY(rewrite_add_expr(self, &project->project_.values, value));
        }
    }
    return FIRN_OK;
}

static const source *find_source(const nesting *state, uint32_t id) {
    for (uint32_t i = 0; i < state->seen->count; i++) {
        if (state->seen->items[i].id == id) {
            return &state->seen->items[i];
        }
    }
    return NULL;
}

static firn_status replace_chain(nesting *state, expr **slot, const source *from,
                                 const uint32_t *path, uint32_t length) {
    scan_column made;
    TRY(column_of(state->self, from, path, length, &made));
    TRY(hand_on(state->self, from, &made));
    const uint32_t position = (*slot)->position;
    *slot = expr_column(state->self->memory, made.id, made.name, made.type);
    if (*slot == NULL) {
        return rewrite_full(state->self);
    }
    (*slot)->position = position;
    return FIRN_OK;
}

static bool replace(void *user, expr **slot) {
    nesting *state = user;
    uint32_t path[DEPTH_MAX];
    uint32_t length;
    const expr *root = chain_of(*slot, path, &length);
    const source *from = root == NULL ? NULL : find_source(state, root->column_.id);
    if (from == NULL) {
        return expr_visit_children(*slot, replace, user);
    }
    if (!state->is_filter && id_set_has(&state->wholes, from->id)) {
        return true;
    }
    state->status = replace_chain(state, slot, from, path, length);
    return state->status == FIRN_OK;
}

// ---- Walking -----------------------------------------------------------------------------------

static firn_status nest(nesting *state, plan_node *node, source_list *out);

static firn_status add_source(nesting *state, source_list *list, source added) {
    source *grown = ARENA_NEW(state->self->memory, source, (size_t)list->count + 1);
    if (grown == NULL) {
        return rewrite_full(state->self);
    }
    if (list->count > 0) {
        memcpy(grown, list->items, list->count * sizeof *grown);
    }
    grown[list->count] = added;
    *list = (source_list){.count = list->count + 1, .items = grown};
    return FIRN_OK;
}

static firn_status replace_all(nesting *state, plan_node *node, const source_list *seen,
                               bool is_filter) {
    state->seen = seen;
    state->is_filter = is_filter;
    (void)plan_visit_exprs(node, replace, state);
    return state->status;
}

static firn_status nest_scan(nesting *state, plan_node *node, source_list *out) {
    const scan_column_list columns = node->scan_.columns;
    if (node->scan_.output_count != columns.count) {
        return FIRN_OK; // Columns have been pruned before.
    }
    for (uint32_t i = 0; i < columns.count; i++) {
        if (columns.items[i].type->id == TYPE_STRUCT) {
            TRY(add_source(state, out,
                           (source){.scan = node, .id = columns.items[i].id, .index = i}));
        }
    }
    return out->count == 0 ? FIRN_OK : replace_all(state, node, out, true);
}

static firn_status nest_project(nesting *state, plan_node *node, source_list *out) {
    source_list seen = {0};
    TRY(nest(state, node->project_.input, &seen));
    TRY(replace_all(state, node, &seen, false));
    for (uint32_t i = 0; i < seen.count; i++) {
        pass *made = ARENA_NEW(state->self->memory, pass, 1);
        if (made == NULL) {
            return rewrite_full(state->self);
        }
        *made = (pass){.project = node, .below = seen.items[i].passes};
        for (uint32_t k = 0; k < node->project_.ids.count; k++) {
            const expr *value = node->project_.values.items[k];
            source passed = seen.items[i];
            if (value->kind == EXPR_COLUMN && value->column_.id == passed.id) {
                passed.id = node->project_.ids.items[k];
                passed.passes = made;
                TRY(add_source(state, out, passed));
            }
        }
    }
    return FIRN_OK;
}

static firn_status nest_join(nesting *state, plan_node *node, source_list *out) {
    source_list sides[2] = {{0}, {0}};
    TRY(nest(state, node->join_.left, &sides[0]));
    TRY(nest(state, node->join_.right, &sides[1]));
    source_list both = sides[0];
    for (uint32_t i = 0; i < sides[1].count; i++) {
        TRY(add_source(state, &both, sides[1].items[i]));
    }
    TRY(replace_all(state, node, &both, false));
    if (node->join_.is_pruned) {
        return FIRN_OK;
    }
    switch ((join_kind)node->join_.join) {
    case JOIN_SEMI:
    case JOIN_ANTI:
    case JOIN_MARK:
        *out = sides[0];
        break;
    case JOIN_RIGHT_SEMI:
    case JOIN_RIGHT_ANTI:
        *out = sides[1];
        break;
    case JOIN_INNER:
    case JOIN_LEFT:
    case JOIN_RIGHT:
    case JOIN_FULL:
    case JOIN_SINGLE:
    case JOIN_CROSS:
        *out = both;
        break;
    case JOIN_KIND_COUNT:
        break;
    }
    return FIRN_OK;
}

typedef struct nest_children {
    nesting *state;
    source_list *seen;
    firn_status status;
} nest_children;

static bool nest_child(void *user, plan_node **slot) {
    nest_children *all = user;
    all->status = nest(all->state, *slot, all->seen);
    return all->status == FIRN_OK;
}

// A node of one input that hands on its columns, or one that hands on none.
static firn_status nest_other(nesting *state, plan_node *node, source_list *out) {
    source_list seen = {0};
    nest_children all = {.state = state, .seen = &seen, .status = FIRN_OK};
    (void)plan_visit_children(node, nest_child, &all);
    TRY(all.status);
    switch ((int)node->kind) {
    case PLAN_FILTER:
    case PLAN_SORT:
    case PLAN_LIMIT:
    case PLAN_REPEAT:
    case PLAN_NUMBER:
    case PLAN_UNNEST:
    case PLAN_WINDOW:
    case PLAN_SINGLE_ROW:
    case PLAN_CHANGE_ONCE:
        *out = seen;
        return replace_all(state, node, &seen, false);
    case PLAN_AGGREGATE:
        return replace_all(state, node, &seen, false);
    default:
        return FIRN_OK;
    }
}

static firn_status nest(nesting *state, plan_node *node, source_list *out) {
    *out = (source_list){0};
    switch ((int)node->kind) {
    case PLAN_SCAN:
        return nest_scan(state, node, out);
    case PLAN_PROJECT:
        return nest_project(state, node, out);
    case PLAN_JOIN:
        return nest_join(state, node, out);
    default:
        return nest_other(state, node, out);
    }
}

firn_status rule_nested_columns(optimizer *self, plan_node **root) {
    nesting state = {.self = self, .wholes = id_set_open(self->memory), .status = FIRN_OK};
    (void)find_wholes(&state, root);
    TRY(state.status);
    source_list seen;
    return nest(&state, *root, &seen);
}
