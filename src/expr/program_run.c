// Running a program: registers, scopes, and the nodes that are not calls; filters with conjuncts in
// the order that has paid so far.
#include "base/host.h"
#include "expr/program.h"
#include "expr/program_state.h"
#include "kernels/bits.h"

// Batches between two looks at the order of conjuncts.
#define REORDER_EVERY 16
#define IDLE_PASS_RATE 0.95
#define RETRY_EVERY 32

// ---- State -----------------------------------------------------------------------------------

// An arena of the same pool and flag.
static arena beside(const arena *memory) {
    arena made = arena_open_in(memory->owner, SIZE_MAX);
    made.cancel = memory->cancel;
    return made;
}

static firn_status open_call(const expr_program *program, expr_state *state, uint32_t node,
                             firn_error *err) {
    const call_info *info = program->nodes[node].call;
    call_state *call = &state->calls[info->slot];
    *call = (call_state){.call = {.bound = info->bound.data,
                                  .context = state->context,
                                  .result = program->nodes[node].type,
                                  .types = info->types,
                                  .arg_count = info->arg_count}};
    call->cache.memory = beside(state->memory);
    if (info->lambdas != NULL) {
        TRY(lambda_open(state, call, info, err));
    }
    if (info->function == NULL || info->function->open == NULL) {
        return FIRN_OK;
    }
    const expr *source = program->nodes[node].source;
    const function_bind_call bound = {
        .types = info->types,
        .args = (const expr *const *)source->call_.args.items,
        .arg_count = info->arg_count,
        .memory = state->memory,
        .result = program->nodes[node].type,
        .bound = (void *)(uintptr_t)info->bound.data,
        .bound_size = (uint32_t)info->bound.size,
    };
    return info->function->open(&bound, state->memory, &call->call.local, err);
}

static firn_status allocate_state(const expr_program *program, arena *memory, expr_state **out,
                                  firn_error *err) {
    expr_state *state = ARENA_NEW(memory, expr_state, 1);
    if (state == NULL) {
        return ARENA_FULL(memory, err);
    }
    *state = (expr_state){.program = program, .memory = memory, .failed_row = NO_INDEX};
    state->registers = ARENA_NEW(memory, program_register, program->node_count + 1);
    state->calls = ARENA_NEW(memory, call_state, program->call_count + 1);
    state->memos = ARENA_NEW(memory, dynamic_memo, program->dynamic_count + 1);
    state->trees = ARENA_NEW(memory, tree_table, program->tree_count + 1);
    state->try_failures = ARENA_NEW(memory, uint64_t *, program->try_count + 1);
    state->conjunct_order = ARENA_NEW(memory, uint32_t, program->conjunct_count + 1);
    state->records = ARENA_NEW(memory, conjunct_record, program->conjunct_count + 1);
    if (state->registers == NULL || state->calls == NULL || state->memos == NULL ||
        state->trees == NULL || state->try_failures == NULL || state->conjunct_order == NULL ||
        state->records == NULL) {
        return ARENA_FULL(memory, err);
    }
    memset(state->registers, 0, program->node_count * sizeof *state->registers);
    memset(state->memos, 0, program->dynamic_count * sizeof *state->memos);
    memset(state->calls, 0, program->call_count * sizeof *state->calls);
    memset(state->records, 0, program->conjunct_count * sizeof *state->records);
    for (uint32_t i = 0; i < program->conjunct_count; i++) {
        state->conjunct_order[i] = i;
    }
    *out = state;
    return FIRN_OK;
}

firn_status expr_open(const expr_program *program, const statement_context *context,
                      const dynamic_filters *filters, arena *memory, expr_state **out,
                      firn_error *err) {
    *out = NULL;
    expr_state *state;
    TRY(allocate_state(program, memory, &state, err));
    state->context = context;
    state->filters = filters;
    for (uint32_t i = 0; i < program->dynamic_count; i++) {
        state->memos[i].memory = beside(memory);
    }
    for (uint32_t i = 0; i < program->tree_count; i++) {
        state->trees[i] = (tree_table){.memory = beside(memory)};
    }
    for (uint32_t node = 0; node < program->node_count; node++) {
        if (program->nodes[node].kind == NODE_CALL) {
            const firn_status status = open_call(program, state, node, err);
            if (status != FIRN_OK) {
                expr_close(state);
                return status;
            }
        }
    }
    *out = state;
    return FIRN_OK;
}

void expr_close(expr_state *self) {
    if (self == NULL) {
        return;
    }
    for (uint32_t i = 0; i < self->program->dynamic_count; i++) {
        arena_close(&self->memos[i].memory);
    }
    for (uint32_t i = 0; i < self->program->tree_count; i++) {
        tree_table_close(&self->trees[i]);
    }
    for (uint32_t node = 0; node < self->program->node_count; node++) {
        if (self->program->nodes[node].kind != NODE_CALL) {
            continue;
        }
        const call_info *info = self->program->nodes[node].call;
        call_state *call = &self->calls[info->slot];
        if (call->call.local != NULL && info->function->close != NULL) {
            info->function->close(call->call.local);
        }
        lambda_close(call, info);
        arena_close(&call->cache.memory);
    }
}

uint64_t expr_values_decoded(const expr_state *self) {
    return self->values_decoded;
}

// ---- Values ----------------------------------------------------------------------------------

uint64_t program_serial(const expr_run_call *run) {
    return ++run->state->serial;
}

firn_status program_narrow(const expr_run_call *run, row_scope *outer, const uint64_t *bits,
                           bool is_set, row_scope *out) {
    return scope_narrow(outer, bits, is_set, program_serial(run), run->scratch, out)
               ? FIRN_OK
               : ARENA_FULL(run->scratch, run->err);
}

static bool holds_for(const held_value *self, uint64_t batch_serial, const row_scope *scope) {
    return self->batch == batch_serial &&
           (self->is_everywhere || scope_is_within(scope, self->scope));
}

static firn_status value_of_in(const expr_run_call *run, const program_node *node, row_scope *scope,
                               column *out) {
    const column *arg;
    TRY(program_flat(run, node->children[0], scope, &arg));
    arena *scratch = run->scratch;
    const bool is_one = arg->form == FORM_CONSTANT;
    const uint32_t length = is_one ? 1 : scope->length;
    TRY(column_new(scratch, node->type, length, out, run->err));
    const uint16_t *rows = NULL;
    if (!is_one && !scope_is_dense(scope)) {
        rows = scope_rows(scope, scratch);
        if (rows == NULL) {
            return ARENA_FULL(scratch, run->err);
        }
    }
    uint64_t *bits = COLUMN_OUT(out, uint64_t);
    column single = *arg;
    single.length = length;
    if (!in_set_find(node->in, &single, rows, scope->count, length, scratch, bits)) {
        return ARENA_FULL(scratch, run->err);
    }
    const bool has_null = node->source->in_.has_null;
    if (arg->validity != NULL || has_null) {
        uint64_t *validity = column_validity_out(scratch, out);
        if (validity == NULL) {
            return ARENA_FULL(scratch, run->err);
        }
        if (arg->validity != NULL) {
            memcpy(validity, arg->validity, BITMAP_WORDS(length) * sizeof *validity);
        }
        if (has_null) { // Not found among values of which one is unknown: unknown.
            bits_and(validity, bits, length, validity);
        }
    }
    if (node->source->in_.is_negated) {
        bits_not(bits, length, bits);
    }
    if (is_one) {
        out->form = FORM_CONSTANT;
        out->length = scope->length;
    }
    return FIRN_OK;
}

// A value that may be looked up in a dynamic filter: any form but runs.
static firn_status key_of(const expr_run_call *run, uint32_t node, row_scope *scope,
                          const column **out) {
    TRY(program_value(run, node, scope, out));
    return (*out)->form == FORM_RUNS ? program_flat(run, node, scope, out) : FIRN_OK;
}

static firn_status value_of_dynamic(const expr_run_call *run, const program_node *node,
                                    row_scope *scope, column *out) {
    const dynamic_content *content = dynamic_content_of(run->state->filters, node->dynamic.slot);
    arena *scratch = run->scratch;
    if (content == NULL) {
        static const uint64_t always = 1;
        *out = (column){
            .type = node->type, .form = FORM_CONSTANT, .length = scope->length, .values = &always};
        return FIRN_OK;
    }
    const column **keys = ARENA_NEW(scratch, const column *, node->child_count + 1);
    if (keys == NULL) {
        return ARENA_FULL(scratch, run->err);
    }
    for (uint32_t i = 0; i < node->child_count; i++) {
        TRY(key_of(run, node->children[i], scope, &keys[i]));
    }
    TRY(column_new(scratch, node->type, scope->length, out, run->err));
    dynamic_memo *memo = &run->state->memos[node->dynamic.memo];
    if (!dynamic_pass(content, memo, keys, scope, scratch, COLUMN_OUT(out, uint64_t))) {
        return ARENA_FULL(scratch, run->err);
    }
    return FIRN_OK;
}

// Do the arguments of a call that was just made hold values in all rows? A cheap call is made for
// rows outside its scope too, and gives nothing of worth there if its arguments do not.
static bool has_whole_arguments(const expr_run_call *run, const program_node *node) {
    const expr_state *state = run->state;
    for (uint32_t i = 0; i < node->child_count; i++) {
        const uint32_t child = node->children[i];
        if (child == NO_INDEX) {
            continue;
        }
        const held_value *computed = &state->registers[child].computed;
        const held_value *flat = &state->registers[child].flat;
        if (computed->batch != state->batch || !computed->is_everywhere ||
            (flat->batch == state->batch && !flat->is_everywhere)) {
            return false;
        }
    }
    return true;
}

static firn_status compute(const expr_run_call *run, const program_node *node, row_scope *scope,
                           column *out, bool *is_everywhere) {
    *is_everywhere = scope_is_all(scope);
    const column *child;
    switch (node->kind) {
    case NODE_COLUMN:
        *out = run->in->columns[node->column];
        *is_everywhere = true;
        return FIRN_OK;
    case NODE_LITERAL:
        *out = node->constant;
        out->length = scope->length;
        *is_everywhere = true;
        return FIRN_OK;
    case NODE_CALL:
        TRY(lift_call(run, node, scope, out, is_everywhere));
        *is_everywhere &= scope_is_all(scope) || has_whole_arguments(run, node);
        return FIRN_OK;
    case NODE_RELABEL:
        TRY(program_value(run, node->children[0], scope, &child));
        return lift_relabel(run, child, node->type, out);
    case NODE_AND:
    case NODE_OR:
        return logic_junction(run, node, scope, out);
    case NODE_CASE:
        return logic_case(run, node, scope, out);
    case NODE_COALESCE:
        return logic_coalesce(run, node, scope, out);
    case NODE_IN:
        return value_of_in(run, node, scope, out);
    case NODE_TRY:
        return logic_try(run, node, scope, out);
    case NODE_DYNAMIC:
        return value_of_dynamic(run, node, scope, out);
    case NODE_TREE:
        return lift_tree(run, node, scope, out, is_everywhere);
    }
    return FAIL(run->err, FIRN_INTERNAL, "a node of kind %d", (int)node->kind);
}

firn_status program_value(const expr_run_call *run, uint32_t node, row_scope *scope,
                          const column **out) {
    assert(scope->count > 0);
    expr_state *state = run->state;
    held_value *held = &state->registers[node].computed;
    if (!holds_for(held, state->batch, scope)) {
        TRY(compute(run, &state->program->nodes[node], scope, &held->value, &held->is_everywhere));
        held->batch = state->batch;
        held->scope = scope->serial;
        state->registers[node].flat.batch = 0;
    }
    *out = &held->value;
    return FIRN_OK;
}

firn_status program_flat(const expr_run_call *run, uint32_t node, row_scope *scope,
                         const column **out) {
    expr_state *state = run->state;
    TRY(program_value(run, node, scope, out));
    const type *declared = state->program->nodes[node].type;
    const column *value = *out;
    if (value->form <= FORM_CONSTANT && value->type->precision == declared->precision) {
        return FIRN_OK;
    }
    held_value *held = &state->registers[node].flat;
    if (!holds_for(held, state->batch, scope)) {
        TRY(lift_flatten(run, &state->program->nodes[node], value, scope, &held->value,
                         &held->is_everywhere));
        held->batch = state->batch;
        held->scope = scope->serial;
    }
    *out = &held->value;
    return FIRN_OK;
}

// ---- Runs ------------------------------------------------------------------------------------

static row_scope begin(const expr_run_call *run) {
    expr_state *state = run->state;
    state->batch = program_serial(run);
    state->failed_row = NO_INDEX;
    for (uint32_t i = 0; i < state->program->try_count; i++) {
        state->try_failures[i] = NULL;
    }
    return (row_scope){.serial = state->batch,
                       .length = run->in->row_count,
                       .count = run->in->selected_count,
                       .rows = run->in->selection};
}

firn_status expr_run(expr_state *self, const batch *in, arena *scratch, column *out,
                     firn_error *err) {
    assert(in->column_count >= self->program->column_count);
    const expr_run_call run = {.state = self, .in = in, .scratch = scratch, .err = err};
    row_scope scope = begin(&run);
    for (uint32_t i = 0; i < self->program->root_count; i++) {
        const uint32_t root = self->program->roots[i];
        const program_node *node = &self->program->nodes[root];
        if (node->kind == NODE_COLUMN) {
            out[i] = in->columns[node->column];
            continue;
        }
        if (scope.count == 0) {
            TRY(column_new_null(scratch, node->type, in->row_count, &out[i], err));
            continue;
        }
        const column *value;
        TRY(program_value(&run, root, &scope, &value));
        if (value->type->precision != node->type->precision && !self->program->narrow_roots[i]) {
            TRY(program_flat(&run, root, &scope, &value));
        }
        out[i] = *value;
    }
    return FIRN_OK;
}

// ---- Filters ---------------------------------------------------------------------------------

static double rank_of(const conjunct_record *self) {
    // What it removes for what it costs; what was never tried comes early, to be measured.
    return self->is_measured ? (1.0 - self->pass_rate) / (self->cost_ns + 0.01) : 1e9;
}

// Sorts the conjuncts that cannot fail; the others keep their places behind.
static void reorder(expr_state *self) {
    for (uint32_t i = 1; i < self->program->infallible_count; i++) {
        const uint32_t moved = self->conjunct_order[i];
        const double rank = rank_of(&self->records[moved]);
        uint32_t at = i;
        while (at > 0 && rank_of(&self->records[self->conjunct_order[at - 1]]) < rank) {
            self->conjunct_order[at] = self->conjunct_order[at - 1];
            at--;
        }
        self->conjunct_order[at] = moved;
    }
}

static void record(conjunct_record *self, int64_t ns, uint32_t in, uint32_t out) {
    const double cost = (double)ns / (double)in;
    const double rate = (double)out / (double)in;
    const double weight = self->is_measured ? 0.2 : 1.0;
    self->cost_ns += (cost - self->cost_ns) * weight;
    self->pass_rate += (rate - self->pass_rate) * weight;
    self->is_measured = true;
}

// A dynamic filter that nobody has published lets every row through; one that lets nearly every row
// through costs more than it saves: the join above asks anyway. That is tried again now and then,
// and once a Top-N's has become tighter.
static bool is_idle(expr_state *self, uint32_t index) {
    const program_node *node = &self->program->nodes[self->program->conjuncts[index]];
    conjunct_record *known = &self->records[index];
    if (node->kind != NODE_DYNAMIC) {
        return false;
    }
    const dynamic_content *content = dynamic_content_of(self->filters, node->dynamic.slot);
    if (content != known->content) {
        known->content = content;
        known->is_measured = false;
    }
    return content == NULL || (known->is_measured && known->pass_rate > IDLE_PASS_RATE &&
                               self->filter_count % RETRY_EVERY != 0);
}

// Makes of `scope` the scope of its rows for which the conjunct is true.
static firn_status apply_conjunct(const expr_run_call *run, uint32_t node, row_scope *scope,
                                  row_scope *out) {
    const column *value;
    TRY(program_value(run, node, scope, &value));
    if (value->form == FORM_CONSTANT) {
        const bool holds = value->type->id != TYPE_NULL && column_is_valid(value, 0) &&
                           bitmap_get(value->values, 0);
        *out = *scope;
        out->outer = scope;
        out->count = holds ? scope->count : 0;
        return FIRN_OK;
    }
    TRY(program_flat(run, node, scope, &value));
    const uint64_t *truths = value->values;
    if (value->validity != NULL) {
        uint64_t *both = ARENA_NEW(run->scratch, uint64_t, BITMAP_WORDS(scope->length) + 1);
        if (both == NULL) {
            return ARENA_FULL(run->scratch, run->err);
        }
        bits_and(truths, value->validity, scope->length, both);
        truths = both;
    }
    return program_narrow(run, scope, truths, true, out);
}

firn_status expr_filter(expr_state *self, const batch *in, arena *scratch,
                        const uint16_t **selection, uint32_t *selected_count, firn_error *err) {
    const expr_program *program = self->program;
    assert(program->root_count == 1);
    const expr_run_call run = {.state = self, .in = in, .scratch = scratch, .err = err};
    // Scopes point to those around them: one stays for each conjunct.
    row_scope *scopes = ARENA_NEW(scratch, row_scope, program->conjunct_count + 1);
    if (scopes == NULL) {
        return ARENA_FULL(scratch, err);
    }
    scopes[0] = begin(&run);
    if (self->filter_count++ % REORDER_EVERY == 1) {
        reorder(self);
    }
    uint32_t done = 0;
    while (done < program->conjunct_count && scopes[done].count > 0) {
        const uint32_t index = self->conjunct_order[done];
        if (is_idle(self, index)) {
            scopes[done + 1] = scopes[done];
            done++;
            continue;
        }
        const int64_t start = program->infallible_count > 0 ? host_clock_ns() : 0;
        TRY(apply_conjunct(&run, program->conjuncts[index], &scopes[done], &scopes[done + 1]));
        if (program->infallible_count > 0) {
            record(&self->records[index], host_clock_ns() - start, scopes[done].count,
                   scopes[done + 1].count);
        }
        done++;
    }
    row_scope *left = &scopes[done];
    *selected_count = left->count;
    *selection = NULL;
    if (!scope_is_all(left)) {
        *selection = scope_rows(left, scratch);
        return *selection == NULL ? ARENA_FULL(scratch, err) : FIRN_OK;
    }
    return FIRN_OK;
}
