// The general way to unnest (T. Neumann, A. Kemper: "Unnesting Arbitrary Queries", BTW 2015).
//
// D = the distinct values of the left side's columns that the right side mentions. The dependent
// join becomes an ordinary one of left and right', where right' = right computed for all of D at
// once: it hands out D's columns too, and the join compares them (NULL equals NULL) with the
// left's.
//
// D travels down the right side until nothing below mentions the left any more; there it is joined
// in. On the way each node learns to keep D's columns apart: aggregates group by them, joins
// compare them, limits count per value of them. Every place gets its own copy of D under new ids.
//
// The left side stands twice in the result, as itself and in D: D's definition is a copy.
#include <assert.h>

#include "functions/overload.h"
#include "functions/registry.h"
#include "optimize/unnest_domain.h"

static firn_status mentions_domain(const domain *self, plan_node *node, bool *out) {
    id_set used = id_set_open(self->self->memory);
    TRY(rewrite_free(self->self, node, &used));
    *out = false;
    for (uint32_t i = 0; i < self->outer.count; i++) {
        *out |= id_set_has(&used, self->outer.items[i]);
    }
    return FIRN_OK;
}

// A copy under new ids: `renamed` has the new one of every old one.
static firn_status copy_subplan(optimizer *self, const plan_node *source, plan_node **out,
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

firn_status unnest_distinct(optimizer *self, const plan_node *source, const u32_list *columns,
                            const type *const *types, plan_node **out, u32_list *made) {
    uint32_t *renamed;
    plan_node *copy;
    TRY(copy_subplan(self, source, &copy, &renamed));
    plan_node *group;
    TRY(rewrite_node(self, PLAN_AGGREGATE, &group));
    group->aggregate_.input = copy;
    group->aggregate_.set_id = NO_SLOT;
    *made = (u32_list){0};
    for (uint32_t i = 0; i < columns->count; i++) {
        const uint32_t id = renamed[columns->items[i]];
        expr *key;
        TRY(rewrite_column(self, id, types[i], &key));
        TRY(rewrite_add_expr(self, &group->aggregate_.keys, key));
        TRY(rewrite_add_id(self, &group->aggregate_.key_ids, id));
        TRY(rewrite_add_id(self, made, id));
    }
    *out = group;
    return FIRN_OK;
}

// A fresh copy of D: distinct columns of a copy of the left side.
static firn_status new_domain(domain *self, plan_node **out, domain_ids *made) {
    return unnest_distinct(self->self, self->left, &self->outer, self->types, out, &made->items);
}

firn_status domain_substitution(domain *self, const domain_ids *ids, substitution *out) {
    *out = (substitution){.from = self->outer};
    for (uint32_t i = 0; i < self->outer.count; i++) {
        expr *value;
        TRY(rewrite_column(self->self, ids->items.items[i], self->types[i], &value));
        TRY(rewrite_add_expr(self->self, &out->to, value));
    }
    return FIRN_OK;
}

// left's domain columns = right's, NULL equal to NULL, added to a condition.
static firn_status equal_domains(domain *self, const domain_ids *left, const domain_ids *right,
                                 expr **condition) {
    optimizer *rules = self->self;
    expr_list parts = {0};
    for (uint32_t i = 0; i < self->outer.count; i++) {
        expr *sides[2];
        expr *same;
        TRY(rewrite_column(rules, left->items.items[i], self->types[i], &sides[0]));
        TRY(rewrite_column(rules, right->items.items[i], self->types[i], &sides[1]));
        TRY(rewrite_same(rules, sides[0], sides[1], &same));
        TRY(rewrite_add_expr(rules, &parts, same));
    }
    TRY(rewrite_split(rules, *condition, &parts));
    return rewrite_join(rules, &parts, condition);
}

static firn_status new_join(domain *self, plan_node *left, plan_node *right, join_kind kind,
                            plan_node **out) {
    TRY(rewrite_node(self->self, PLAN_JOIN, out));
    (*out)->join_.left = left;
    (*out)->join_.right = right;
    (*out)->join_.join = kind;
    (*out)->join_.mark_id = NO_SLOT;
    return FIRN_OK;
}

// Nothing here mentions the left: every value of D sees the same rows.
static firn_status push_leaf(domain *self, plan_node **slot, domain_ids *out) {
    plan_node *values;
    TRY(new_domain(self, &values, out));
    return new_join(self, *slot, values, JOIN_CROSS, slot);
}

firn_status domain_add_columns(domain *self, const domain_ids *ids, u32_list *to,
                               expr_list *values) {
    for (uint32_t i = 0; i < self->outer.count; i++) {
        expr *value;
        TRY(rewrite_column(self->self, ids->items.items[i], self->types[i], &value));
        TRY(rewrite_add_id(self->self, to, ids->items.items[i]));
        TRY(rewrite_add_expr(self->self, values, value));
    }
    return FIRN_OK;
}

static firn_status push_filter(domain *self, plan_node *node, domain_ids *out) {
    substitution map;
    TRY(domain_push(self, &node->filter_.input, out));
    TRY(domain_substitution(self, out, &map));
    return rewrite_substitute(self->self, &node->filter_.predicate, &map);
}

static firn_status push_project(domain *self, plan_node *node, domain_ids *out) {
    substitution map;
    TRY(domain_push(self, &node->project_.input, out));
    TRY(domain_substitution(self, out, &map));
    for (uint32_t i = 0; i < node->project_.values.count; i++) {
        TRY(rewrite_substitute(self->self, &node->project_.values.items[i], &map));
    }
    return domain_add_columns(self, out, &node->project_.ids, &node->project_.values);
}

// A scalar aggregate has a row for every value of D, also where no input row is: D LEFT JOIN it,
// and counts that are missing are 0.
static firn_status restore_empty(domain *self, plan_node **slot, uint32_t key_count,
                                 uint32_t total_set, domain_ids *out) {
    optimizer *rules = self->self;
    plan_node *node = *slot;
    plan_node *values;
    domain_ids outer_ids;
    TRY(new_domain(self, &values, &outer_ids));
    plan_node *join;
    TRY(new_join(self, values, node, JOIN_LEFT, &join));
    TRY(equal_domains(self, &outer_ids, out, &join->join_.residual));
    u32_list ids = {0};
    expr_list exprs = {0};
    TRY(domain_add_columns(self, &outer_ids, &ids, &exprs));
    for (uint32_t i = 0; i < node->aggregate_.ids.count; i++) {
        const expr *call = node->aggregate_.aggregates.items[i];
        expr *value;
        TRY(rewrite_column(rules, node->aggregate_.ids.items[i], call->type, &value));
        if ((call->aggregate_.function->flags & AGGREGATE_EMPTY_IS_ZERO) != 0) {
            TRY(rewrite_coalesce(rules, value, expr_i64(rules->memory, call->type, 0), &value));
        }
        TRY(rewrite_add_id(rules, &ids, node->aggregate_.ids.items[i]));
        TRY(rewrite_add_expr(rules, &exprs, value));
    }
    for (uint32_t i = 0; i < key_count; i++) { // Of the grand total: all NULL.
        expr *value;
        TRY(rewrite_column(rules, node->aggregate_.key_ids.items[i],
                           node->aggregate_.keys.items[i]->type, &value));
        TRY(rewrite_add_id(rules, &ids, node->aggregate_.key_ids.items[i]));
        TRY(rewrite_add_expr(rules, &exprs, value));
    }
    if (node->aggregate_.set_id != NO_SLOT) {
        expr *value;
        TRY(rewrite_column(rules, node->aggregate_.set_id, TYPE_OF(INTEGER), &value));
        TRY(rewrite_coalesce(rules, value, expr_i64(rules->memory, TYPE_OF(INTEGER), total_set),
                             &value));
        TRY(rewrite_add_id(rules, &ids, node->aggregate_.set_id));
        TRY(rewrite_add_expr(rules, &exprs, value));
    }
    *out = outer_ids;
    return rewrite_project(rules, join, &ids, &exprs, slot);
}

// Every grouping set gets D's columns, the keys behind the first `key_count`. Answers which of the
// sets is the grand total, UINT32_MAX if none is.
static firn_status push_sets(domain *self, plan_node *node, uint32_t key_count, uint32_t *total) {
    optimizer *rules = self->self;
    u32_list sets = {0};
    uint32_t added = 0;
    *total = UINT32_MAX;
    if (key_count + self->outer.count > 32) {
        return FAIL_SQL(rules->err, FIRN_UNSUPPORTED, "54023", NO_POSITION,
                        "grouping sets and columns of the queries around them: %u columns, at most "
                        "32 are allowed",
                        key_count + self->outer.count);
    }
    for (uint32_t i = 0; i < self->outer.count; i++) {
        added |= UINT32_C(1) << (key_count + i);
    }
    for (uint32_t i = 0; i < node->aggregate_.sets.count; i++) {
        *total = node->aggregate_.sets.items[i] == 0 && *total == UINT32_MAX ? i : *total;
        TRY(rewrite_add_id(rules, &sets, node->aggregate_.sets.items[i] | added));
    }
    node->aggregate_.sets = sets;
    return FIRN_OK;
}

static firn_status push_aggregate(domain *self, plan_node **slot, domain_ids *out) {
    plan_node *node = *slot;
    substitution map;
    const uint32_t key_count = node->aggregate_.keys.count;
    uint32_t total_set = key_count == 0 ? 0 : UINT32_MAX;
    TRY(domain_push(self, &node->aggregate_.input, out));
    TRY(domain_substitution(self, out, &map));
    for (uint32_t i = 0; i < node->aggregate_.keys.count; i++) {
        TRY(rewrite_substitute(self->self, &node->aggregate_.keys.items[i], &map));
    }
    for (uint32_t i = 0; i < node->aggregate_.aggregates.count; i++) {
        TRY(rewrite_substitute(self->self, &node->aggregate_.aggregates.items[i], &map));
    }
    if (node->aggregate_.sets.count > 0) {
        TRY(push_sets(self, node, key_count, &total_set));
    }
    TRY(domain_add_columns(self, out, &node->aggregate_.key_ids, &node->aggregate_.keys));
    return total_set != UINT32_MAX ? restore_empty(self, slot, key_count, total_set, out) : FIRN_OK;
}

// A row of a full join may lack either side: D's columns are those of the one that is there.
static firn_status merge_domains(domain *self, plan_node **slot, const domain_ids *left,
                                 const domain_ids *right, domain_ids *out) {
    optimizer *rules = self->self;
    u32_list ids = {0};
    expr_list values = {0};
    *out = (domain_ids){0};
    TRY(rewrite_pass(rules, *slot, &ids, &values));
    for (uint32_t i = 0; i < self->outer.count; i++) {
        const uint32_t id = rewrite_new_id(rules);
        expr *sides[2];
        expr *value;
        TRY(rewrite_column(rules, left->items.items[i], self->types[i], &sides[0]));
        TRY(rewrite_column(rules, right->items.items[i], self->types[i], &sides[1]));
        TRY(rewrite_coalesce(rules, sides[0], sides[1], &value));
        TRY(rewrite_add_id(rules, &ids, id));
        TRY(rewrite_add_expr(rules, &values, value));
        TRY(rewrite_add_id(rules, &out->items, id));
    }
    return rewrite_project(rules, *slot, &ids, &values, slot);
}

static firn_status push_join(domain *self, plan_node **slot, domain_ids *out) {
    optimizer *rules = self->self;
    plan_node *node = *slot;
    const join_kind kind = node->join_.join;
    bool left_mentions;
    bool right_mentions;
    bool condition_mentions = false;
    TRY(mentions_domain(self, node->join_.left, &left_mentions));
    TRY(mentions_domain(self, node->join_.right, &right_mentions));
    if (node->join_.residual != NULL) {
        id_set used = id_set_open(rules->memory);
        TRY(rewrite_used(rules, node->join_.residual, &used));
        for (uint32_t i = 0; i < self->outer.count; i++) {
            condition_mentions |= id_set_has(&used, self->outer.items[i]);
        }
    }
    const bool is_inner = kind == JOIN_INNER || kind == JOIN_CROSS;
    // An inner join needs D on one side only if that is enough; so does one that keeps left rows.
    const bool push_left = left_mentions || !right_mentions || !is_inner;
    const bool push_right = right_mentions || kind == JOIN_RIGHT || kind == JOIN_FULL ||
                            kind == JOIN_RIGHT_SEMI || kind == JOIN_RIGHT_ANTI;
    domain_ids left = {0};
    domain_ids right = {0};
    if (push_left) {
        TRY(domain_push(self, &node->join_.left, &left));
    }
    if (push_right) {
        TRY(domain_push(self, &node->join_.right, &right));
    }
    *out = push_left ? left : right;
    if (condition_mentions) {
        substitution map;
        TRY(domain_substitution(self, out, &map));
        TRY(rewrite_substitute(rules, &node->join_.residual, &map));
    }
    if (push_left && push_right) {
        TRY(equal_domains(self, &left, &right, &node->join_.residual));
        node->join_.join = kind == JOIN_CROSS ? JOIN_INNER : kind;
        if (kind == JOIN_RIGHT || kind == JOIN_RIGHT_SEMI || kind == JOIN_RIGHT_ANTI) {
            *out = right;
        }
    }
    return kind == JOIN_FULL ? merge_domains(self, slot, &left, &right, out) : FIRN_OK;
}

static firn_status push_union(domain *self, plan_node *node, domain_ids *out) {
    optimizer *rules = self->self;
    const uint32_t width = node->union_.ids.count;
    u32_list input_ids = {0};
    field *fields = ARENA_NEW(rules->memory, field, width + self->outer.count + 1);
    if (fields == NULL) {
        return rewrite_full(rules);
    }
    for (uint32_t i = 0; i < node->union_.inputs.count; i++) {
        domain_ids part;
        TRY(domain_push(self, &node->union_.inputs.items[i], &part));
        for (uint32_t k = 0; k < width; k++) {
            TRY(rewrite_add_id(rules, &input_ids, node->union_.input_ids.items[i * width + k]));
        }
        for (uint32_t k = 0; k < self->outer.count; k++) {
            TRY(rewrite_add_id(rules, &input_ids, part.items.items[k]));
        }
    }
    for (uint32_t i = 0; i < width; i++) {
        fields[i] = node->union_.columns.fields[i];
    }
    *out = (domain_ids){0};
    for (uint32_t i = 0; i < self->outer.count; i++) {
        const uint32_t id = rewrite_new_id(rules);
        fields[width + i] = (field){.type = self->types[i], .is_nullable = true, .id = -1};
        TRY(rewrite_add_id(rules, &node->union_.ids, id));
        TRY(rewrite_add_id(rules, &out->items, id));
    }
    node->union_.input_ids = input_ids;
    node->union_.columns = (schema){.count = width + self->outer.count, .fields = fields};
    return FIRN_OK;
}

firn_status domain_call(domain *self, const char *name, expr **args, uint32_t count, expr **out) {
    return function_call_named(text_of(name), args, count, self->self->memory, out,
                               self->self->err);
}

static firn_status push_unnest(domain *self, plan_node *node, domain_ids *out) {
    substitution map;
    TRY(domain_push(self, &node->unnest_.input, out));
    TRY(domain_substitution(self, out, &map));
    for (uint32_t i = 0; i < node->unnest_.lists.count; i++) {
        TRY(rewrite_substitute(self->self, &node->unnest_.lists.items[i], &map));
    }
    return FIRN_OK;
}

// generate_series(1, outer.n): as a list for each value of D, unnested.
static firn_status push_table_function(domain *self, plan_node **slot, domain_ids *out) {
    optimizer *o = self->self;
    plan_node *node = *slot;
    plan_node *values;
    plan_node *unnest;
    substitution map;
    expr *list;
    const char *name =
        text_equal(node->table_function_.function, TEXT("range")) ? "range" : "generate_series";
    TRY(new_domain(self, &values, out));
    TRY(domain_substitution(self, out, &map));
    for (uint32_t i = 0; i < node->table_function_.args.count; i++) {
        TRY(rewrite_substitute(o, &node->table_function_.args.items[i], &map));
    }
    TRY(domain_call(self, name, node->table_function_.args.items, node->table_function_.args.count,
                    &list));
    TRY(rewrite_node(o, PLAN_UNNEST, &unnest));
    unnest->unnest_.input = values;
    unnest->unnest_.ordinality_id = NO_SLOT;
    unnest->unnest_.ids = node->table_function_.ids;
    *slot = unnest;
    return rewrite_add_expr(o, &unnest->unnest_.lists, list);
}

firn_status domain_push(domain *self, plan_node **slot, domain_ids *out) {
    bool mentions;
    TRY(mentions_domain(self, *slot, &mentions));
    if (!mentions) {
        return push_leaf(self, slot, out);
    }
    plan_node *node = *slot;
    switch ((int)node->kind) {
    case PLAN_FILTER:
        return push_filter(self, node, out);
    case PLAN_PROJECT:
        return push_project(self, node, out);
    case PLAN_AGGREGATE:
        return push_aggregate(self, slot, out);
    case PLAN_JOIN:
        return push_join(self, slot, out);
    case PLAN_UNION:
        return push_union(self, node, out);
    case PLAN_LIMIT:
        return domain_push_limit(self, slot, out);
    case PLAN_SORT: // Order alone means nothing in a subquery.
        *slot = node->sort_.input;
        return domain_push(self, slot, out);
    case PLAN_UNNEST:
        return push_unnest(self, node, out);
    case PLAN_TABLE_FUNCTION:
        return push_table_function(self, slot, out);
    case PLAN_REPEAT: {
        substitution map;
        TRY(domain_push(self, &node->repeat_.input, out));
        TRY(domain_substitution(self, out, &map));
        return rewrite_substitute(self->self, &node->repeat_.times, &map);
    }
    case PLAN_SHARED:
        return domain_push(self, &node->shared_.body, out);
    default:
        return FAIL_SQL(self->self->err, FIRN_UNSUPPORTED, "0A000", NO_POSITION,
                        "a correlated subquery of this shape");
    }
}

// IS NOT FALSE: for null-aware tests, a row that may match counts as one that does.
static firn_status not_false(optimizer *self, expr *condition, expr **out) {
    return rewrite_coalesce(self, condition, expr_bool(self->memory, true), out);
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

// The deepest node of the left side that has the same values of the columns: what stands above it
// only adds columns, as the joins of other subqueries do. So D does not grow with their number.
static firn_status domain_source(optimizer *self, plan_node **left, const id_set *ids,
                                 plan_node ***out) {
    plan_node **at = left;
    while (true) {
        plan_node **below = NULL;
        const bool is_join = (*at)->kind == PLAN_JOIN;
        const join_kind kind = is_join ? (join_kind)(*at)->join_.join : JOIN_INNER;
        if (is_join && (kind == JOIN_SINGLE || kind == JOIN_MARK || kind == JOIN_LEFT)) {
            below = &(*at)->join_.left;
        } else if ((*at)->kind == PLAN_PROJECT && passes_all(*at, ids)) {
            below = &(*at)->project_.input;
        }
        if (below != NULL) {
            id_set made = id_set_open(self->memory);
            TRY(rewrite_outputs(self, *below, &made));
            below = id_set_contains(&made, ids) ? below : NULL;
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
    bool is_volatile;
} tree_size;

static bool measure_expr(void *user, expr **slot) {
    tree_size *size = user;
    size->is_volatile |= expr_is_volatile(*slot);
    return true;
}

static bool measure_node(void *user, plan_node **slot) {
    tree_size *size = user;
    size->nodes++;
    return plan_visit_exprs(*slot, measure_expr, user) &&
           plan_visit_children(*slot, measure_node, user);
}

#define COPY_NODES_MAX 64 // A bigger subplan is shared instead: copies of copies would explode.

// Where D must not be a copy of the left side, both read one shared subplan. *slot becomes a scan
// of it, and *shared the node that must stand above the join; NULL if a copy is fine.
static firn_status share_source(optimizer *self, plan_node **slot, plan_node **shared) {
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
    TRY(copy_subplan(self, *slot, &(*shared)->shared_.definition, &renamed));
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

firn_status unnest_push(optimizer *self, plan_node **slot, const id_set *outer) {
    plan_node *node = *slot;
    plan_node **source;
    plan_node *shared;
    TRY(domain_source(self, &node->dependent_join_.left, outer, &source));
    TRY(share_source(self, source, &shared));
    domain state = {.self = self, .left = *source};
    plan_columns columns;
    TRY(plan_outputs(state.left, self->memory, &columns, self->err));
    state.types = ARENA_NEW(self->memory, const type *, id_set_count(outer) + 1);
    if (state.types == NULL) {
        return rewrite_full(self);
    }
    domain_ids left = {0};
    for (uint32_t id = 0; id_set_next(outer, &id); id++) {
        state.types[state.outer.count] = rewrite_type_of(&columns, id);
        TRY(rewrite_add_id(self, &state.outer, id));
        TRY(rewrite_add_id(self, &left.items, id));
    }
    domain_ids right = {0};
    TRY(domain_push(&state, &node->dependent_join_.right, &right));
    plan_node *join;
    const join_kind kind = node->dependent_join_.join;
    TRY(new_join(&state, node->dependent_join_.left, node->dependent_join_.right, kind, &join));
    join->join_.mark_id = node->dependent_join_.mark_id;
    join->join_.residual = node->dependent_join_.condition;
    if (node->dependent_join_.null_aware && kind == JOIN_ANTI) {
        TRY(not_false(self, join->join_.residual, &join->join_.residual));
    } else {
        join->join_.null_aware = node->dependent_join_.null_aware;
    }
    TRY(equal_domains(&state, &left, &right, &join->join_.residual));
    *slot = join;
    if (shared != NULL) {
        shared->shared_.body = join;
        *slot = shared;
    }
    return FIRN_OK;
}
