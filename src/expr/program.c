// Compilation: a tree of expressions becomes a graph of nodes, equal parts once.
#include "expr/program.h"

#include "base/hash.h"
#include "expr/cast.h"
#include "expr/id_set.h"
#include "expr/program_state.h"

typedef struct compiler {
    arena *memory;
    const input_layout *layout;
    expr_program *program;
    uint32_t node_capacity;
    uint64_t *hashes; ///< By node, of its source.
    uint32_t *slots;  ///< Nodes by hash, linear probing; NO_INDEX: empty.
    uint32_t slot_mask;
    uint32_t try_index; ///< The innermost TRY around what is being compiled.
    uint32_t depth;
    bool may_lift; ///< Trees over one column get a program of their own.
    firn_error *err;
} compiler;

static firn_status compile_node(compiler *self, const expr *source, uint32_t *out);
static firn_status compile_program(const expr *const *roots, uint32_t count,
                                   const input_layout *layout, bool may_lift, arena *memory,
                                   expr_program **out, firn_error *err);

// ---- Counting: the tables are made once, large enough ------------------------------------------

typedef struct tree_size {
    uint32_t nodes;
    uint32_t depth;
    uint32_t deepest;
} tree_size;

static bool measure(void *user, expr **slot) {
    tree_size *state = user;
    state->nodes++;
    state->depth++;
    if (state->depth > state->deepest) {
        state->deepest = state->depth;
    }
    const bool goes_on =
        state->deepest <= EXPR_DEPTH_MAX && expr_visit_children(*slot, measure, state);
    state->depth--;
    return goes_on;
}

// ---- Nodes -----------------------------------------------------------------------------------

// The slot of an equal node, or an empty one. Only a node that cannot fail, or is under the same
// TRY, does the same thing.
static uint32_t find_slot(const compiler *self, const expr *source, uint64_t hash, bool can_fail) {
    uint32_t slot = (uint32_t)hash & self->slot_mask;
    for (; self->slots[slot] != NO_INDEX; slot = (slot + 1) & self->slot_mask) {
        const uint32_t index = self->slots[slot];
        const program_node *node = &self->program->nodes[index];
        if (self->hashes[index] == hash && (!can_fail || node->try_index == self->try_index) &&
            expr_equal(node->source, source)) {
            break;
        }
    }
    return slot;
}

static firn_status new_node(compiler *self, const expr *source, program_node node, uint32_t *out,
                            firn_error *err) {
    expr_program *program = self->program;
    if (program->node_count == self->node_capacity) {
        return FAIL(err, FIRN_INTERNAL, "more nodes than counted");
    }
    node.source = source;
    node.type = source->type;
    node.try_index = self->try_index;
    node.is_constant = node.kind != NODE_COLUMN && node.kind != NODE_DYNAMIC &&
                       !(node.kind == NODE_CALL && (node.call->flags & FUNCTION_VOLATILE) != 0);
    for (uint32_t i = 0; i < node.child_count; i++) {
        if (node.children[i] != NO_INDEX) {
            node.can_fail |= program->nodes[node.children[i]].can_fail;
            node.is_constant &= program->nodes[node.children[i]].is_constant;
        }
    }
    if (node.kind == NODE_TRY) {
        node.can_fail = false;
    }
    *out = program->node_count;
    program->nodes[program->node_count++] = node;
    return FIRN_OK;
}

static firn_status new_children(compiler *self, uint32_t count, uint32_t **out) {
    *out = ARENA_NEW(self->memory, uint32_t, count + 1);
    return *out == NULL ? ARENA_FULL(self->memory, self->err) : FIRN_OK;
}

static firn_status compile_list(compiler *self, expr_list list, program_node *node) {
    uint32_t *children;
    TRY(new_children(self, list.count, &children));
    for (uint32_t i = 0; i < list.count; i++) {
        TRY(compile_node(self, list.items[i], &children[i]));
    }
    node->children = children;
    node->child_count = list.count;
    return FIRN_OK;
}

static firn_status compile_column(compiler *self, const expr *source, program_node *node) {
    node->kind = NODE_COLUMN;
    node->column = input_layout_find(self->layout, source->column_.id);
    return node->column != NO_PLACE
               ? FIRN_OK
               : FAIL(self->err, FIRN_INTERNAL, "column %u (\"%.*s\") is not in the input",
                      source->column_.id, TEXT_ARGS(source->column_.name));
}

static firn_status compile_literal(compiler *self, const expr *source, program_node *node) {
    node->kind = NODE_LITERAL;
    if (source->literal_.value.is_null) {
        return column_new_null(self->memory, source->type, 1, &node->constant, self->err);
    }
    node->constant = *source->literal_.value.value;
    node->constant.type = source->type;
    node->constant.form = FORM_CONSTANT;
    node->constant.validity = NULL;
    return FIRN_OK;
}

// ---- Calls -----------------------------------------------------------------------------------

static bool is_fixed_width(const type *self) {
    const physical layout = type_physical(self);
    return layout != PHYSICAL_STRING && layout != PHYSICAL_LIST && layout != PHYSICAL_STRUCT;
}

static bool is_wide_decimal(const type *self) {
    return self->id == TYPE_DECIMAL && self->precision > DECIMAL64_DIGITS_MAX;
}

// Digits behind the point that 64 bits have no room for.
static bool is_too_fine(const type *self) {
    return self->id == TYPE_DECIMAL && self->scale > DECIMAL64_DIGITS_MAX;
}

// What follows from the types of arguments and result.
static void judge_types(call_info *call, const type *result) {
    bool has_wide = is_wide_decimal(result);
    bool is_fine = is_too_fine(result);
    call->is_cheap = is_fixed_width(result) && call->lambdas == NULL;
    for (uint32_t i = 0; i < call->arg_count; i++) {
        call->is_cheap &= is_fixed_width(call->types[i]);
        has_wide |= is_wide_decimal(call->types[i]);
        is_fine |= is_too_fine(call->types[i]);
    }
    if (!has_wide || is_fine) {
        call->narrow_kernel = NULL;
    }
}

static firn_status new_call(compiler *self, uint32_t arg_count, call_info **out,
                            const type ***types) {
    call_info *call = ARENA_NEW(self->memory, call_info, 1);
    *types = ARENA_NEW(self->memory, const type *, arg_count + 1);
    if (call == NULL || *types == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    *call = (call_info){.types = *types, .arg_count = arg_count};
    call->slot = self->program->call_count++;
    *out = call;
    return FIRN_OK;
}

static firn_status compile_cast(compiler *self, const expr *source, program_node *node) {
    const type *from = source->cast_.arg->type;
    const cast_rule rule = cast_find(from, source->type);
    uint32_t *children;
    TRY(new_children(self, 1, &children));
    TRY(compile_node(self, source->cast_.arg, &children[0]));
    node->children = children;
    node->child_count = 1;
    if (rule.kind == CAST_SAME) {
        node->kind = NODE_RELABEL;
        return FIRN_OK;
    }
    if (rule.kind == CAST_NONE) {
        return FAIL(self->err, FIRN_INTERNAL, "there is no cast from %.*s to %.*s",
                    TEXT_ARGS(type_text(from, self->memory)),
                    TEXT_ARGS(type_text(source->type, self->memory)));
    }
    call_info *call;
    const type **types;
    TRY(new_call(self, 1, &call, &types));
    types[0] = from;
    call->kernel = cast_kernel(from, source->type);
    call->flags = FUNCTION_NULL_STRICT | (rule.can_fail ? FUNCTION_CAN_FAIL : 0) |
                  (rule.is_stable ? FUNCTION_STABLE : 0);
    call->fails_to_null = source->cast_.is_try;
    judge_types(call, source->type);
    node->kind = NODE_CALL;
    node->call = call;
    node->can_fail = rule.can_fail && !source->cast_.is_try;
    return FIRN_OK;
}

// The columns that a lambda's body takes from around it: ids in `captured`.
static firn_status find_captured(compiler *self, const expr *lambda, id_set *captured) {
    *captured = id_set_open(self->memory);
    return expr_columns(lambda, captured, self->err);
}

// The first mention of a column id in a tree.
typedef struct column_search {
    uint32_t id;
    expr *found;
} column_search;

static bool search_column(void *user, expr **slot) {
    column_search *state = user;
    if ((*slot)->kind == EXPR_COLUMN && (*slot)->column_.id == state->id) {
        state->found = *slot;
    }
    return state->found == NULL && expr_visit_children(*slot, search_column, state);
}

// Compiles the body over the lambda's parameters and then its captured columns, which become
// children of the call from children[*used] on.
static firn_status compile_lambda(compiler *self, const expr *lambda, uint32_t *children,
                                  uint32_t *used, lambda_info **out) {
    lambda_info *info = ARENA_NEW(self->memory, lambda_info, 1);
    id_set captured;
    TRY(find_captured(self, lambda, &captured));
    const u32_list *parameters = &lambda->lambda_.parameters;
    const uint32_t captured_count = id_set_count(&captured);
    uint32_t *ids = ARENA_NEW(self->memory, uint32_t, parameters->count + captured_count + 1);
    if (info == NULL || ids == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    *info = (lambda_info){.parameter_count = parameters->count,
                          .captured_first = *used,
                          .captured_count = captured_count,
                          .result = lambda->lambda_.body->type};
    for (uint32_t i = 0; i < parameters->count; i++) {
        ids[i] = parameters->items[i];
    }
    uint32_t at = parameters->count;
    for (uint32_t id = 0; id_set_next(&captured, &id); id++) {
        ids[at++] = id;
        column_search search = {.id = id};
        expr *root = lambda->lambda_.body;
        (void)search_column(&search, &root);
        TRY(compile_node(self, search.found, &children[(*used)++]));
    }
    const input_layout layout = {.count = at, .ids = ids};
    const expr *const body = lambda->lambda_.body;
    TRY(compile_program(&body, 1, &layout, false, self->memory, &info->body, self->err));
    *out = info;
    return FIRN_OK;
}

static firn_status count_captured(compiler *self, const expr_list *args, uint32_t *out) {
    *out = 0;
    for (uint32_t i = 0; i < args->count; i++) {
        if (args->items[i]->kind == EXPR_LAMBDA) {
            id_set captured;
            TRY(find_captured(self, args->items[i], &captured));
            *out += id_set_count(&captured);
        }
    }
    return FIRN_OK;
}

static firn_status compile_args(compiler *self, const expr *source, program_node *node,
                                call_info *call, const type **types) {
    const expr_list *args = &source->call_.args;
    uint32_t captured_count;
    TRY(count_captured(self, args, &captured_count));
    uint32_t *children;
    TRY(new_children(self, args->count + captured_count, &children));
    lambda_info **lambdas = ARENA_NEW(self->memory, lambda_info *, args->count + 1);
    if (lambdas == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    uint32_t used = args->count;
    for (uint32_t i = 0; i < args->count; i++) {
        types[i] = args->items[i]->type;
        lambdas[i] = NULL;
        if (args->items[i]->kind != EXPR_LAMBDA) {
            TRY(compile_node(self, args->items[i], &children[i]));
            continue;
        }
        children[i] = NO_INDEX;
        TRY(compile_lambda(self, args->items[i], children, &used, &lambdas[i]));
        node->can_fail |= lambdas[i]->body->nodes[lambdas[i]->body->roots[0]].can_fail;
        call->lambdas = lambdas;
    }
    node->children = children;
    node->child_count = used;
    return FIRN_OK;
}

static firn_status compile_call(compiler *self, const expr *source, program_node *node) {
    const overload *chosen = &source->call_.function->overloads[source->call_.overload];
    call_info *call;
    const type **types;
    TRY(new_call(self, source->call_.args.count, &call, &types));
    call->function = source->call_.function;
    call->kernel = chosen->kernel;
    call->narrow_kernel = chosen->narrow_kernel;
    call->flags = expr_call_flags(source);
    call->bound = source->call_.bound;
    TRY(compile_args(self, source, node, call, types));
    if (node->can_fail) { // A lambda's body: its failing rows are the call's.
        call->flags |= FUNCTION_CAN_FAIL;
    }
    judge_types(call, source->type);
    node->kind = NODE_CALL;
    node->call = call;
    node->can_fail |= (call->flags & FUNCTION_CAN_FAIL) != 0;
    return FIRN_OK;
}

// ---- The other kinds -------------------------------------------------------------------------

static firn_status compile_case(compiler *self, const expr *source, program_node *node) {
    const expr_list *conditions = &source->case_.conditions;
    uint32_t *children;
    TRY(new_children(self, conditions->count * 2 + 1, &children));
    for (uint32_t i = 0; i < conditions->count; i++) {
        TRY(compile_node(self, conditions->items[i], &children[(size_t)i * 2]));
        TRY(compile_node(self, source->case_.values.items[i], &children[(size_t)i * 2 + 1]));
    }
    node->child_count = conditions->count * 2;
    if (source->case_.otherwise != NULL) {
        TRY(compile_node(self, source->case_.otherwise, &children[node->child_count++]));
    }
    node->kind = NODE_CASE;
    node->children = children;
    return FIRN_OK;
}

static firn_status compile_in(compiler *self, const expr *source, program_node *node) {
    node->kind = NODE_IN;
    TRY(in_set_build(self->memory, source->in_.values, &node->in, self->err));
    return compile_list(
        self, (expr_list){.count = 1, .items = (expr **)(uintptr_t)&source->in_.arg}, node);
}

static firn_status compile_try(compiler *self, const expr *source, program_node *node) {
    const uint32_t outer = self->try_index;
    node->kind = NODE_TRY;
    node->own_try = self->program->try_count++;
    self->try_index = node->own_try;
    const firn_status status = compile_list(
        self, (expr_list){.count = 1, .items = (expr **)(uintptr_t)&source->try_.arg}, node);
    self->try_index = outer;
    return status;
}

// An AND or OR like `source`, of none of its arguments yet but with room for `count`.
static firn_status new_junction(compiler *self, const expr *source, uint32_t count, expr **out) {
    expr *made = expr_new(self->memory, source->kind, source->type);
    expr **items = ARENA_NEW(self->memory, expr *, count);
    if (made == NULL || items == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    *(source->kind == EXPR_AND ? &made->and_.args : &made->or_.args) = (expr_list){.items = items};
    *out = made;
    return FIRN_OK;
}

static void add_to_junction(expr *into, expr *value) {
    expr_list *args = into->kind == EXPR_AND ? &into->and_.args : &into->or_.args;
    args->items[args->count++] = value;
}

// Sets leaders[i] to the first argument over the same column, itself if it cannot be looked up by
// entry, and counts how many have the same leader.
static firn_status find_leaders(compiler *self, const expr_list *args, uint32_t *leaders,
                                uint32_t *counts) {
    uint32_t *columns = ARENA_NEW(self->memory, uint32_t, args->count + 1);
    if (columns == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    for (uint32_t i = 0; i < args->count; i++) {
        uint32_t ignored;
        columns[i] = NO_INDEX;
        counts[i] = 0;
        (void)lift_tree_column(args->items[i], &columns[i], &ignored);
    }
    input_layout places = {.count = args->count, .ids = columns};
    TRY(input_layout_index(&places, self->memory, self->err));
    for (uint32_t i = 0; i < args->count; i++) {
        leaders[i] = columns[i] == NO_INDEX ? i : input_layout_find(&places, columns[i]);
        counts[leaders[i]]++;
    }
    return FIRN_OK;
}

// Arguments over the same column become one, which is a tree over that column. Those that cannot be
// looked up by entry stay as they are.
static firn_status join_arguments(compiler *self, const expr *source, const expr_list *args,
                                  expr_list *out) {
    uint32_t *leaders = ARENA_NEW(self->memory, uint32_t, args->count + 1);
    uint32_t *counts = ARENA_NEW(self->memory, uint32_t, args->count + 1);
    expr **joined = ARENA_NEW(self->memory, expr *, args->count + 1); // By leader.
    *out = (expr_list){.items = ARENA_NEW(self->memory, expr *, args->count + 1)};
    if (leaders == NULL || counts == NULL || joined == NULL || out->items == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    TRY(find_leaders(self, args, leaders, counts));
    for (uint32_t i = 0; i < args->count; i++) {
        const uint32_t leader = leaders[i];
        if (counts[leader] == 1) {
            out->items[out->count++] = args->items[i];
            continue;
        }
        if (leader == i) {
            TRY(new_junction(self, source, counts[i], &joined[i]));
            out->items[out->count++] = joined[i];
        }
        add_to_junction(joined[leader], args->items[i]);
    }
    return FIRN_OK;
}

// Arguments that cannot fail come first: an AND is false, and an OR true, whatever the others are.
static firn_status compile_junction(compiler *self, const expr *source, program_node *node) {
    const expr_list *args = source->kind == EXPR_AND ? &source->and_.args : &source->or_.args;
    node->kind = source->kind == EXPR_AND ? NODE_AND : NODE_OR;
    expr_list joined = *args;
    if (self->may_lift && self->try_index == NO_INDEX) {
        TRY(join_arguments(self, source, args, &joined));
    }
    TRY(compile_list(self, joined, node));
    uint32_t *ordered;
    TRY(new_children(self, node->child_count, &ordered));
    uint32_t at = 0;
    for (int turn = 0; turn < 2; turn++) {
        for (uint32_t i = 0; i < node->child_count; i++) {
            if (self->program->nodes[node->children[i]].can_fail == (turn == 1)) {
                ordered[at++] = node->children[i];
            }
        }
    }
    node->children = ordered;
    return FIRN_OK;
}

static firn_status compile_kind(compiler *self, const expr *source, program_node *node) {
    switch (source->kind) {
    case EXPR_COLUMN:
        return compile_column(self, source, node);
    case EXPR_LITERAL:
        return compile_literal(self, source, node);
    case EXPR_CALL:
        return compile_call(self, source, node);
    case EXPR_CAST:
        return compile_cast(self, source, node);
    case EXPR_AND:
    case EXPR_OR:
        return compile_junction(self, source, node);
    case EXPR_CASE:
        return compile_case(self, source, node);
    case EXPR_COALESCE:
        node->kind = NODE_COALESCE;
        return compile_list(self, source->coalesce_.args, node);
    case EXPR_IN:
        return compile_in(self, source, node);
    case EXPR_TRY:
        return compile_try(self, source, node);
    case EXPR_DYNAMIC:
        node->kind = NODE_DYNAMIC;
        node->dynamic.slot = source->dynamic_.slot;
        node->dynamic.memo = self->program->dynamic_count++;
        return compile_list(self, source->dynamic_.args, node);
    case EXPR_PARAMETER:
        return FAIL(self->err, FIRN_INTERNAL, "parameter $%u has no value",
                    source->parameter_.index);
    case EXPR_LAMBDA:
    case EXPR_SUBQUERY:
    case EXPR_AGGREGATE:
    case EXPR_KIND_COUNT:
        break;
    }
    return FAIL(self->err, FIRN_INTERNAL, "an expression of kind %d cannot be evaluated by itself",
                (int)source->kind);
}

// Adds the node that looks a tree up by entry; `plain` is the tree node by node.
static firn_status add_tree(compiler *self, const expr *source, uint32_t column, uint32_t plain,
                            uint32_t *out) {
    tree_info *info = ARENA_NEW(self->memory, tree_info, 1);
    uint32_t *children;
    TRY(new_children(self, 1, &children));
    if (info == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    children[0] = plain;
    *info = (tree_info){.slot = self->program->tree_count++,
                        .column = input_layout_find(self->layout, column)};
    const input_layout layout = {.count = 1, .ids = &self->layout->ids[info->column]};
    TRY(compile_program(&source, 1, &layout, false, self->memory, &info->body, self->err));
    const program_node node = {
        .kind = NODE_TREE, .children = children, .child_count = 1, .tree = info};
    return new_node(self, source, node, out, self->err);
}

static firn_status compile_node(compiler *self, const expr *source, uint32_t *out) {
    uint32_t column = NO_INDEX;
    uint32_t operation_count = 0;
    const bool is_tree = self->may_lift && self->try_index == NO_INDEX &&
                         lift_tree_column(source, &column, &operation_count) && operation_count > 1;
    const uint64_t hash = expr_hash(source);
    const bool can_fail = expr_can_fail(source);
    uint32_t slot = find_slot(self, source, hash, can_fail);
    if (self->slots[slot] != NO_INDEX) {
        *out = self->slots[slot];
        return FIRN_OK;
    }
    program_node node = {.kind = NODE_LITERAL};
    const bool may_lift = self->may_lift;
    self->may_lift = may_lift && !is_tree; // Not its parts as well.
    TRY(compile_kind(self, source, &node));
    self->may_lift = may_lift;
    TRY(new_node(self, source, node, out, self->err));
    if (is_tree) {
        TRY(add_tree(self, source, column, *out, out));
    }
    self->hashes[*out] = hash;
    slot = find_slot(self, source, hash, can_fail); // Children were added meanwhile.
    self->slots[slot] = *out;
    return FIRN_OK;
}

// ---- Programs --------------------------------------------------------------------------------

// The conjuncts of root 0, those that cannot fail first.
static firn_status list_conjuncts(compiler *self) {
    expr_program *program = self->program;
    if (program->root_count == 0) {
        return FIRN_OK;
    }
    const program_node *root = &program->nodes[program->roots[0]];
    const bool is_and = root->kind == NODE_AND;
    program->conjunct_count = is_and ? root->child_count : 1;
    TRY(new_children(self, program->conjunct_count, &program->conjuncts));
    for (uint32_t i = 0; i < program->conjunct_count; i++) {
        program->conjuncts[i] = is_and ? root->children[i] : program->roots[0];
        if (!program->nodes[program->conjuncts[i]].can_fail) {
            program->infallible_count = i + 1;
        }
    }
    return FIRN_OK;
}

static firn_status open_tables(compiler *self, const expr *const *roots, uint32_t count) {
    tree_size size = {0};
    for (uint32_t i = 0; i < count; i++) {
        expr *root = (expr *)(uintptr_t)roots[i];
        (void)measure(&size, &root);
    }
    if (size.deepest > EXPR_DEPTH_MAX) {
        return FAIL_SQL(self->err, FIRN_INVALID, "54001", NO_POSITION,
                        "an expression is nested deeper than %d levels", EXPR_DEPTH_MAX);
    }
    // A lambda's captured columns are nodes too: at most one for each node of its body. A tree over
    // one column is a node more, and so are some of an AND's arguments together.
    self->node_capacity = size.nodes * 3 + 1;
    size_t slots = 8;
    while (slots < (size_t)self->node_capacity * 2) {
        slots *= 2;
    }
    expr_program *program = self->program;
    program->nodes = ARENA_NEW(self->memory, program_node, self->node_capacity);
    program->roots = ARENA_NEW(self->memory, uint32_t, count + 1);
    program->narrow_roots = ARENA_NEW(self->memory, bool, count + 1);
    self->hashes = ARENA_NEW(self->memory, uint64_t, self->node_capacity);
    self->slots = ARENA_NEW(self->memory, uint32_t, slots);
    if (program->nodes == NULL || program->roots == NULL || program->narrow_roots == NULL ||
        self->hashes == NULL || self->slots == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    memset(program->narrow_roots, 0, (count + 1) * sizeof(bool));
    memset(self->slots, 0xff, slots * sizeof *self->slots);
    self->slot_mask = (uint32_t)(slots - 1);
    return FIRN_OK;
}

static firn_status compile_program(const expr *const *roots, uint32_t count,
                                   const input_layout *layout, bool may_lift, arena *memory,
                                   expr_program **out, firn_error *err) {
    expr_program *program = ARENA_NEW(memory, expr_program, 1);
    if (program == NULL) {
        return ARENA_FULL(memory, err);
    }
    *program = (expr_program){.column_count = layout->count};
    compiler state = {.memory = memory,
                      .layout = layout,
                      .program = program,
                      .try_index = NO_INDEX,
                      .may_lift = may_lift,
                      .err = err};
    TRY(open_tables(&state, roots, count));
    for (uint32_t i = 0; i < count; i++) {
        TRY(compile_node(&state, roots[i], &program->roots[i]));
        program->root_count = i + 1;
    }
    TRY(list_conjuncts(&state));
    *out = program;
    return FIRN_OK;
}

firn_status expr_compile(const expr *const *roots, uint32_t count, const input_layout *layout,
                         arena *memory, expr_program **out, firn_error *err) {
    return compile_program(roots, count, layout, true, memory, out, err);
}

void expr_allow_narrow(expr_program *self, uint32_t root) {
    assert(root < self->root_count);
    self->narrow_roots[root] = true;
}
