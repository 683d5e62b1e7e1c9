// What WITH names and several parts of a statement read: run once and kept, or run where it is
// read.
//
// A subplan that nobody reads any more goes; the only one who reads it gets it in its place, so
// that filters and columns reach it. With several readers costs decide: to run it for each of them,
// under the filter of each, or to run it once under what any of them asks for, to keep its rows and
// to read them again. Only scans, projections, filters and unions may run several times, and only
// if they give the same rows each time; WITH … AS MATERIALIZED runs once in any case.
//
// Costs are in rows of a table that are read whole.
#include "optimize/estimate.h"
#include "optimize/shared_readers.h"

#define COPIED_NODES_MAX 64 // Of all copies of a subplan: copies of copies would explode.
#define FILTERS_MAX 32      // Readers whose filters are asked of a shared subplan.
#define COST_PROBE 0.3      // Of a row that a filter drops in the scan; of one that is computed.
#define COST_KEEP                                                                                  \
    1.0                    // To copy a row, and for the chance that a reader's own scan, with its
                           // columns and filters, reads less than is thought here.
#define COST_KEEP_MANY 4.0 // The same where rows may have to be written out.
#define COST_AGAIN 0.1     // To read one that is kept.
#define VALUE_BYTES 16.0
#define MANY_BYTES ((double)(512 << 20))
#define COST_CALL 0.05 // Of a call for one row; of one with texts:
#define COST_TEXT_CALL 0.5

typedef struct sharing {
    optimizer *self;
    shared_readers readers;
    estimates known;
    bool is_estimated; // In this round.
    bool *is_touched;  // By slot, in this round.
    uint32_t *renamed; // By id: what a copy calls it. Used again by the next one.
    uint32_t renamed_capacity;
} sharing;

// ---- What may run several times -----------------------------------------------------------------

typedef struct body_look {
    const optimizer *self;
    uint32_t nodes;
    bool may_repeat;
} body_look;

static bool look_at_expr(void *user, expr **slot) {
    body_look *self = user;
    self->may_repeat &= !expr_is_volatile(*slot);
    return self->may_repeat;
}

static bool look_at_node(void *user, plan_node **slot) {
    body_look *self = user;
    const plan_node *node = *slot;
    self->nodes++;
    switch ((int)node->kind) {
    case PLAN_SCAN:
        self->may_repeat &= node->scan_.row_id == NO_SLOT &&
                            !self->self->tables[node->scan_.table]->kind->is_read_once;
        break;
    case PLAN_VALUES:
    case PLAN_TABLE_FUNCTION:
    case PLAN_FILTER:
    case PLAN_PROJECT:
    case PLAN_UNION:
    case PLAN_SHARED_SCAN:
        break;
    default:
        self->may_repeat = false;
    }
    return self->may_repeat && plan_visit_exprs(*slot, look_at_expr, user) &&
           plan_visit_children(*slot, look_at_node, user);
}

static bool may_repeat(const optimizer *self, plan_node *definition, uint32_t reader_count) {
    body_look look = {.self = self, .may_repeat = true};
    (void)look_at_node(&look, &definition);
    return look.may_repeat && (uint64_t)look.nodes * reader_count <= COPIED_NODES_MAX;
}

// ---- Costs --------------------------------------------------------------------------------------

static bool add_call_cost(void *user, expr **slot) {
    double *cost = user;
    const expr *value = *slot;
    if (value->kind != EXPR_COLUMN && value->kind != EXPR_LITERAL) {
        bool is_text = false;
        for (uint32_t i = 0; value->kind == EXPR_CALL && i < value->call_.args.count; i++) {
            is_text |= type_physical(value->call_.args.items[i]->type) == PHYSICAL_STRING;
        }
        *cost += is_text ? COST_TEXT_CALL : COST_CALL;
    }
    return expr_visit_children(*slot, add_call_cost, user);
}

typedef struct cost_sum {
    const optimizer *self;
    double share; // Of its rows that are asked for.
    double cost;
} cost_sum;

static bool add_node_cost(void *user, plan_node **slot) {
    cost_sum *sum = user;
    const plan_node *node = *slot;
    double rows = node->row_estimate * sum->share;
    switch ((int)node->kind) {
    case PLAN_SCAN: {
        const double all = estimate_table_rows(sum->self, node->scan_.table);
        sum->cost += all * COST_PROBE + rows * (1 - COST_PROBE);
        rows = all;
        break;
    }
    case PLAN_TABLE_FUNCTION:
        sum->cost += node->row_estimate * COST_PROBE;
        break;
    case PLAN_SHARED_SCAN:
        sum->cost += node->row_estimate * COST_AGAIN;
        break;
    case PLAN_FILTER:
        rows = node->filter_.input->row_estimate * sum->share;
        break;
    default:
        break;
    }
    double of_row = 0;
    (void)plan_visit_exprs(*slot, add_call_cost, &of_row);
    sum->cost += rows * of_row;
    return plan_visit_children(*slot, add_node_cost, user);
}

static double run_cost(const sharing *self, plan_node *definition, double share) {
    cost_sum sum = {.self = self->self, .share = share};
    (void)add_node_cost(&sum, &definition);
    return sum.cost;
}

// Of keeping so many rows of a subplan and reading them again.
static firn_status keep_cost(const sharing *self, const plan_node *definition, double rows,
                             uint32_t reader_count, double *out) {
    u32_list ids;
    TRY(plan_output_list(definition, self->self->memory, &ids, self->self->err));
    const bool is_much = rows * ids.count * VALUE_BYTES > MANY_BYTES;
    *out = rows * ((is_much ? COST_KEEP_MANY : COST_KEEP) + COST_AGAIN * reader_count);
    return FIRN_OK;
}

// Is it cheaper to run it for each reader than to keep its rows?
static firn_status is_cheaper_repeated(sharing *self, const plan_node *shared, bool *out) {
    const uint32_t slot = shared->shared_.slot;
    plan_node *definition = shared->shared_.definition;
    double repeated = 0;
    double dropped = 1; // Share of rows that no reader asks for.
    for (uint32_t i = 0; i < self->readers.reader_count; i++) {
        const shared_reader *reader = &self->readers.items[i];
        if (reader->slot == slot) {
            const double share =
                reader->filter == NULL ? 1 : estimate_selectivity(&self->known, reader->filter);
            repeated += run_cost(self, definition, share);
            dropped *= 1 - share;
        }
    }
    double keep;
    TRY(keep_cost(self, definition, definition->row_estimate * (1 - dropped),
                  shared_readers_count(&self->readers, slot), &keep));
    *out = repeated <= run_cost(self, definition, 1 - dropped) + keep;
    return FIRN_OK;
}

// ---- Running it where it is read ----------------------------------------------------------------

// The scan becomes a projection of `body`, whose columns are called `renamed` there.
static firn_status replace_scan(optimizer *self, plan_node *scan, plan_node *body,
                                const uint32_t *renamed) {
    expr_list values = {0};
    const u32_list ids = scan->shared_scan_.ids;
    for (uint32_t i = 0; i < ids.count; i++) {
        const uint32_t source = scan->shared_scan_.source_ids.items[i];
        const field *column = &scan->shared_scan_.columns.fields[i];
        expr *value = expr_column(self->memory, renamed == NULL ? source : renamed[source],
                                  column->name, column->type);
        if (value == NULL) {
            return rewrite_full(self);
        }
        TRY(rewrite_add_expr(self, &values, value));
    }
    *scan = (plan_node){.kind = PLAN_PROJECT, .row_estimate = scan->row_estimate};
    scan->project_.input = body;
    scan->project_.ids = ids;
    scan->project_.values = values;
    return FIRN_OK;
}

static firn_status copy_body(sharing *self, const plan_node *body, plan_node **out,
                             uint32_t **renamed) {
    optimizer *rules = self->self;
    const uint32_t id_count = rules->plan->id_count;
    if (id_count > self->renamed_capacity) {
        self->renamed_capacity = id_count * 2;
        self->renamed = ARENA_NEW(rules->memory, uint32_t, self->renamed_capacity);
        if (self->renamed == NULL) {
            return rewrite_full(rules);
        }
    }
    for (uint32_t i = 0; i < id_count; i++) {
        self->renamed[i] = i;
    }
    *renamed = self->renamed;
    plan_renaming renaming = {.next_id = &rules->plan->id_count,
                              .shared_count = &rules->plan->shared_count,
                              .ids = self->renamed,
                              .id_count = id_count};
    return plan_copy_renamed(rules->memory, body, &renaming, out, rules->err);
}

// The first reader gets the subplan itself, the others copies.
static firn_status run_in_places(sharing *self, const plan_node *shared) {
    optimizer *rules = self->self;
    plan_node *definition = shared->shared_.definition;
    bool is_used = false;
    for (uint32_t i = 0; i < self->readers.reader_count; i++) {
        const shared_reader *reader = &self->readers.items[i];
        if (reader->slot != shared->shared_.slot) {
            continue;
        }
        plan_node *body = definition;
        uint32_t *renamed = NULL;
        if (is_used) {
            TRY(copy_body(self, definition, &body, &renamed));
        }
        is_used = true;
        TRY(replace_scan(rules, reader->scan, body, renamed));
    }
    return FIRN_OK;
}

// What stands in a subplan that moves, or that goes, is looked at in the next round.
static bool touch(void *user, plan_node **slot) {
    sharing *self = user;
    if ((*slot)->kind == PLAN_SHARED) {
        self->is_touched[(*slot)->shared_.slot] = true;
    } else if ((*slot)->kind == PLAN_SHARED_SCAN) {
        self->is_touched[(*slot)->shared_scan_.slot] = true;
    }
    return plan_visit_children(*slot, touch, user);
}

static firn_status runs_in_places(sharing *self, const plan_node *shared, bool *out) {
    const uint32_t count = shared_readers_count(&self->readers, shared->shared_.slot);
    *out = count == 1;
    if (count == 1 || !may_repeat(self->self, shared->shared_.definition, count)) {
        return FIRN_OK;
    }
    if (!self->is_estimated) {
        TRY(estimate_tree(&self->known, self->self->plan->root));
        self->is_estimated = true;
    }
    return is_cheaper_repeated(self, shared, out);
}

// Does away with subplans that need not be kept, those first that read others.
static firn_status settle(sharing *self, bool *has_changed) {
    optimizer *rules = self->self;
    bool has_moved = false;
    *has_changed = false;
    self->is_estimated = false;
    memset(self->is_touched, 0, rules->plan->shared_count * sizeof *self->is_touched);
    TRY(shared_readers_find(&self->readers, &rules->plan->root));
    for (uint32_t i = 0; i < self->readers.count; i++) {
        plan_node **place = self->readers.places[i];
        plan_node *shared = *place;
        if (self->is_touched[shared->shared_.slot]) {
            continue;
        }
        const bool is_unread = shared_readers_count(&self->readers, shared->shared_.slot) == 0;
        bool moves = false;
        if (!is_unread && !shared->shared_.is_wanted) {
            TRY(runs_in_places(self, shared, &moves));
        }
        if (is_unread || moves) {
            (void)touch(self, &shared->shared_.definition);
            *place = shared->shared_.body;
            *has_changed = true;
        }
        if (moves) {
            TRY(run_in_places(self, shared));
            has_moved = true;
        }
    }
    return has_moved ? rule_push_filters(rules, &rules->plan->root) : FIRN_OK;
}

// ---- Filters of all readers ---------------------------------------------------------------------

// What a reader asks of the subplan's columns; NULL: nothing that may be asked there.
static firn_status asked_by(optimizer *self, const shared_reader *reader, expr **out) {
    expr_list all = {0};
    expr_list asked = {0};
    substitution map = {.from = reader->scan->shared_scan_.ids};
    for (uint32_t i = 0; i < map.from.count; i++) {
        expr *column;
        TRY(rewrite_column(self, reader->scan->shared_scan_.source_ids.items[i],
                           reader->scan->shared_scan_.columns.fields[i].type, &column));
        TRY(rewrite_add_expr(self, &map.to, column));
    }
    TRY(rewrite_split(self, reader->filter, &all));
    for (uint32_t i = 0; i < all.count; i++) {
        if (!expr_can_fail(all.items[i]) && !expr_is_volatile(all.items[i]) &&
            !expr_is_constant(all.items[i])) {
            expr *copy = expr_copy(self->memory, all.items[i]);
            if (copy == NULL) {
                return rewrite_full(self);
            }
            TRY(rewrite_substitute(self, &copy, &map));
            TRY(rewrite_add_expr(self, &asked, copy));
        }
    }
    return rewrite_join(self, &asked, out);
}

// Rows that no reader asks for are not kept. The readers' filters stay where they are.
static firn_status push_asked(sharing *self, plan_node *shared) {
    optimizer *rules = self->self;
    const uint32_t slot = shared->shared_.slot;
    expr_list any = {0};
    bool asks_all = shared_readers_count(&self->readers, slot) > FILTERS_MAX;
    for (uint32_t i = 0; i < self->readers.reader_count && !asks_all; i++) {
        const shared_reader *reader = &self->readers.items[i];
        if (reader->slot != slot) {
            continue;
        }
        expr *asked = NULL;
        if (reader->filter != NULL) {
            TRY(asked_by(rules, reader, &asked));
        }
        asks_all = asked == NULL;
        if (asked != NULL && !rewrite_holds(&any, asked)) {
            TRY(rewrite_add_expr(rules, &any, asked));
        }
    }
    if (asks_all || any.count == 0) {
        return FIRN_OK;
    }
    expr *predicate = any.items[0];
    if (any.count > 1) {
        predicate = expr_new(rules->memory, EXPR_OR, TYPE_OF(BOOLEAN));
        if (predicate == NULL) {
            return rewrite_full(rules);
        }
        predicate->or_.args = any;
    }
    const expr_list one = {.count = 1, .items = &predicate};
    TRY(rewrite_filter(rules, shared->shared_.definition, &one, &shared->shared_.definition));
    return rule_push_filters(rules, &shared->shared_.definition);
}

firn_status rule_shared_subplans(optimizer *self, plan_node **root) {
    sharing state = {.self = self, .readers = {.self = self}, .known = {.self = self}};
    bool has_changed = self->plan->shared_count > 0;
    state.is_touched = ARENA_NEW(self->memory, bool, (size_t)self->plan->shared_count + 1);
    if (state.is_touched == NULL) {
        return rewrite_full(self);
    }
    while (has_changed) {
        TRY(settle(&state, &has_changed));
    }
    for (uint32_t i = 0; i < state.readers.count; i++) {
        TRY(push_asked(&state, *state.readers.places[i]));
        TRY(shared_readers_find(&state.readers, root)); // Those that it reads have filters now.
    }
    return FIRN_OK;
}
