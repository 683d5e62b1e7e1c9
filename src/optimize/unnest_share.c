// What a domain is made from: the part of the left side that makes its columns, as a copy, or as a
// subplan that both sides read where a copy might not give the same rows or would be large.
#include "optimize/unnest_domain.h"

// A copy under new ids: `renamed` has the new one of every old one.
firn_status domain_copy(optimizer *self, const plan_node *source, plan_node **out,
                        uint32_t **renamed) {
    const uint32_t id_count = self->plan->id_count;
    *renamed = ARENA_NEW(self->memory, uint32_t, id_count + 1);
    if (*renamed == NULL) {
        return rewrite_full(self);
    }
    for (uint32_t i = 0; i < id_count; i++) {
        (*renamed)[i] = i;
    }
    plan_renaming renaming = {.next_id = &self->plan->id_count,
                              .shared_count = &self->plan->shared_count,
                              .ids = *renamed,
                              .id_count = id_count};
    return plan_copy_renamed(self->memory, source, &renaming, out, self->err);
}

// Does a projection hand on all these columns as they are?
static bool passes_all(const plan_node *project, const id_set *ids) {
    bool passes = true;
    for (uint32_t id = 0; passes && id_set_next(ids, &id); id++) {
        passes = false;
        for (uint32_t i = 0; i < project->project_.ids.count && !passes; i++) {
            const expr *value = project->project_.values.items[i];
            passes = project->project_.ids.items[i] == id && value->kind == EXPR_COLUMN &&
                     value->column_.id == id;
        }
    }
    return passes;
}

// Does a join add one of these columns to those of its left side? Its right side is small, where
// the left one may hold the joins of hundreds of other subqueries.
static firn_status adds_some(optimizer *self, const plan_node *join, const id_set *ids, bool *out) {
    if (join->join_.join == JOIN_MARK) {
        *out = id_set_has(ids, join->join_.mark_id);
        return FIRN_OK;
    }
    const arena_mark mark = arena_mark_take(self->memory); // It is asked of each of many joins.
    id_set added = id_set_open(self->memory);
    const firn_status status = rewrite_outputs(self, join->join_.right, &added);
    *out = id_set_intersects(&added, ids);
    arena_rewind(self->memory, mark);
    return status;
}

// The deepest node of the left side that has the same values of the columns: what stands above it
// only adds columns, as the joins of other subqueries do. So D does not grow with their number.
firn_status domain_source(optimizer *self, plan_node **left, const id_set *ids, plan_node ***out) {
    plan_node **at = left;
    while (true) {
        plan_node **below = NULL;
        const bool is_join = (*at)->kind == PLAN_JOIN;
        const join_kind kind = is_join ? (join_kind)(*at)->join_.join : JOIN_INNER;
        if (is_join && (kind == JOIN_SINGLE || kind == JOIN_MARK || kind == JOIN_LEFT)) {
            bool is_added;
            TRY(adds_some(self, *at, ids, &is_added));
            below = is_added ? NULL : &(*at)->join_.left;
        } else if ((*at)->kind == PLAN_PROJECT && passes_all(*at, ids)) {
            below = &(*at)->project_.input;
        }
        if (below == NULL) {
            *out = at;
            return FIRN_OK;
        }
        at = below;
    }
}

typedef struct tree_size {
    uint32_t nodes;
    bool is_volatile; // Or its rows hang on the order in which threads were done.
} tree_size;

// Is the value the same whatever order the rows come in? Sums of floats are not, to the last bit.
static bool is_exact(const expr *call) {
    const uint32_t flags =
        call->aggregate_.function->flags & (AGGREGATE_DISTINCT_IS_SAME | AGGREGATE_ORDER_MATTERS);
    return flags == AGGREGATE_DISTINCT_IS_SAME || expr_is_aggregate(call, "count") ||
           (expr_is_aggregate(call, "sum") && type_category_of(call->type) != CATEGORY_FLOAT);
}

static bool measure_expr(void *user, expr **slot) {
    tree_size *size = user;
    size->is_volatile |= expr_is_volatile(*slot);
    return true;
}

static bool measure_node(void *user, plan_node **slot) {
    tree_size *size = user;
    size->nodes++;
    size->is_volatile |= (*slot)->kind == PLAN_LIMIT;
    for (uint32_t i = 0; (*slot)->kind == PLAN_AGGREGATE && i < (*slot)->aggregate_.ids.count;
         i++) {
        size->is_volatile |= !is_exact((*slot)->aggregate_.aggregates.items[i]);
    }
    return plan_visit_exprs(*slot, measure_expr, user) &&
           plan_visit_children(*slot, measure_node, user);
}

#define COPY_NODES_MAX 64 // A bigger subplan is shared instead: copies of copies would explode.

// Where D must not be a copy of the left side, both read one shared subplan. *slot becomes a scan
// of it, and *shared the node that must stand above the join; NULL if a copy is fine.
firn_status domain_share(optimizer *self, plan_node **slot, plan_node **shared) {
    tree_size size = {0};
    id_set needed = id_set_open(self->memory);
    (void)measure_node(&size, slot);
    TRY(rewrite_free(self, *slot, &needed));
    *shared = NULL;
    if ((size.nodes <= COPY_NODES_MAX && !size.is_volatile) || !id_set_is_empty(&needed)) {
        return FIRN_OK;
    }
    plan_columns columns;
    plan_node *scan;
    uint32_t *renamed;
    TRY(plan_outputs(*slot, self->memory, &columns, self->err));
    TRY(rewrite_node(self, PLAN_SHARED_SCAN, &scan));
    TRY(rewrite_node(self, PLAN_SHARED, shared));
    TRY(domain_copy(self, *slot, &(*shared)->shared_.definition, &renamed));
    field *fields = ARENA_NEW(self->memory, field, columns.count + 1);
    if (fields == NULL) {
        return rewrite_full(self);
    }
    for (uint32_t i = 0; i < columns.count; i++) {
        const plan_column *column = &columns.items[i];
        TRY(rewrite_add_id(self, &scan->shared_scan_.ids, column->id));
        TRY(rewrite_add_id(self, &scan->shared_scan_.source_ids, renamed[column->id]));
        fields[i] =
            (field){.name = column->name, .type = column->type, .is_nullable = true, .id = -1};
    }
    scan->shared_scan_.slot = self->plan->shared_count++;
    scan->shared_scan_.columns = (schema){.count = columns.count, .fields = fields};
    (*shared)->shared_.slot = scan->shared_scan_.slot;
    *slot = scan;
    return FIRN_OK;
}
