#include "optimize/estimate.h"

#include <math.h>

// Guesses where nothing is known, as System R and its heirs have them.
#define ROWS_UNKNOWN 100000.0
#define ROWS_OF_FUNCTION 1000.0 // Where its arguments do not say.
#define SELECTIVITY_EQUAL 0.05
#define SELECTIVITY_RANGE 0.3
#define SELECTIVITY_LIKE 0.1
#define SELECTIVITY_OTHER 0.33
#define SELECTIVITY_MIN 1e-7
#define KEYS_MAX 16   // Of a join; more of them make no other estimate.
#define KEY_SHARE 0.9 // Distinct values a row from which on a column is thought of as a key.
#define FACTS_BYTES_SMALL ((uint64_t)128 << 10)
#define ENDS_MAX 64        // How far apart the two ends of a range are looked for among conjuncts.
#define DISTINCT_SHARE 0.1 // Of the rows, where a column's distinct values are unknown.

// ---- Columns ---------------------------------------------------------------------------------

static firn_status make_room(estimates *self, uint32_t id) {
    if (id < self->count) {
        return FIRN_OK;
    }
    uint32_t count = self->self->plan->id_count + 64;
    count = count > id ? count : id + 1;
    column_estimate *columns = ARENA_NEW(self->self->memory, column_estimate, count);
    if (columns == NULL) {
        return rewrite_full(self->self);
    }
    memset(columns, 0, count * sizeof *columns);
    if (self->count > 0) {
        memcpy(columns, self->columns, self->count * sizeof *columns);
    }
    self->columns = columns;
    self->count = count;
    return FIRN_OK;
}

static firn_status put_column(estimates *self, uint32_t id, column_estimate value) {
    TRY(make_room(self, id));
    self->columns[id] = value;
    return FIRN_OK;
}

const column_estimate *estimate_column(const estimates *self, uint32_t id) {
    static const column_estimate unknown = {0};
    return id < self->count ? &self->columns[id] : &unknown;
}

// A number that keeps the order of values of numeric and temporal types.
static bool number_of(const column *value, double *out) {
    if (value == NULL || !column_is_valid(value, 0)) {
        return false;
    }
    const physical kind = type_physical(value->type);
    if (physical_is_integer(kind)) {
        const int64_t number = column_lane_integer(value, 0);
        *out = kind == PHYSICAL_U64 ? (double)(uint64_t)number : (double)number;
    } else if (kind == PHYSICAL_F32) {
        *out = (double)*COLUMN_VALUES(value, float);
    } else if (kind == PHYSICAL_F64) {
        *out = *COLUMN_VALUES(value, double);
    } else if (kind == PHYSICAL_I128) {
        *out = (double)*COLUMN_VALUES(value, i128);
    } else {
        return false;
    }
    if (value->type->id == TYPE_DECIMAL) {
        *out /= pow(10, value->type->scale);
    }
    return true;
}

static bool is_discrete(const type *type) {
    const type_category category = type_category_of(type);
    return category == CATEGORY_INTEGER || type->id == TYPE_DATE || type->id == TYPE_BOOLEAN;
}

static column_estimate of_facts(const column_facts *facts, const type *type, double rows) {
    column_estimate out = {
        .is_known = facts != NULL, .distinct = rows * DISTINCT_SHARE, .rows = rows};
    if (facts == NULL) {
        return out;
    }
    if (facts->null_count.is_known && rows > 0) {
        out.null_share = fmin(1, (double)facts->null_count.value / rows);
    }
    out.has_range = number_of(facts->minimum, &out.low) && number_of(facts->maximum, &out.high);
    out.distinct = rows;
    if (facts->distinct.is_known) {
        out.distinct = fmax(1, facts->distinct.value);
    } else if (out.has_range && is_discrete(type)) {
        out.distinct = fmax(1, fmin(rows, out.high - out.low + 1));
    } else if (!out.has_range) {
        out.distinct = fmax(1, rows * DISTINCT_SHARE);
        out.is_known = false;
    }
    return out;
}

double estimate_distinct(const estimates *self, const expr *value, double rows) {
    if (value->kind == EXPR_LITERAL || expr_is_call(value, "equal_tag")) { // Few values need one.
        return 1;
    }
    if (value->kind == EXPR_CAST) {
        return estimate_distinct(self, value->cast_.arg, rows);
    }
    if (value->kind == EXPR_COLUMN) {
        const column_estimate *column = estimate_column(self, value->column_.id);
        if (column->distinct > 0) {
            return fmin(column->distinct, fmax(1, rows));
        }
    }
    if (value->type != NULL && value->type->id == TYPE_BOOLEAN) {
        return 2;
    }
    return fmax(1, rows * DISTINCT_SHARE);
}

// ---- Equalities between relations ------------------------------------------------------------

key_estimate estimate_key(const estimates *self, const expr *value, double rows) {
    while (value->kind == EXPR_CAST) {
        value = value->cast_.arg;
    }
    const column_estimate *known =
        value->kind == EXPR_COLUMN ? estimate_column(self, value->column_.id) : NULL;
    if (known == NULL || known->distinct <= 0 || known->rows <= 0) {
        return (key_estimate){.distinct = estimate_distinct(self, value, rows),
                              .rows = (double)INFINITY};
    }
    return (key_estimate){.distinct = known->distinct,
                          .rows = known->rows,
                          .has_range = known->has_range,
                          .low = known->low,
                          .high = known->high};
}

// Of a range's values, those in the common part.
static double share_within(const key_estimate *key, double low, double high) {
    const double width = key->high - key->low;
    return width <= 0 ? 1 : fmin(1, fmax(0, (high - low) / width));
}

// A side is a key if (nearly) every row of its table has another value. Sparse keys have fewer
// values than their range has room for, and what refers to them has no others: so the smaller key's
// number of values decides, and otherwise the larger number of values (every value of the smaller
// side has a partner: System R).
static double partners(const double *distinct, const double *rows) {
    double smallest_key = (double)INFINITY;
    for (int side = 0; side < 2; side++) {
        if (distinct[side] >= KEY_SHARE * rows[side]) {
            smallest_key = fmin(smallest_key, fmin(distinct[side], rows[side]));
        }
    }
    return fmax(1, smallest_key < (double)INFINITY ? smallest_key : fmax(distinct[0], distinct[1]));
}

equal_estimate estimate_equal(const key_estimate *left, const key_estimate *right) {
    const key_estimate *keys[] = {left, right};
    equal_estimate out = {.overlap = 1};
    const bool has_ranges = left->has_range && right->has_range;
    const double low = fmax(left->low, right->low);
    const double high = fmin(left->high, right->high);
    for (int side = 0; side < 2; side++) {
        const double within = has_ranges ? share_within(keys[side], low, high) : 1;
        out.overlap *= within;
        out.distinct[side] = fmax(1, keys[side]->distinct * within);
        out.rows[side] = fmax(1, keys[side]->rows * within);
    }
    out.share =
        fmax(SELECTIVITY_MIN * SELECTIVITY_MIN, out.overlap / partners(out.distinct, out.rows));
    return out;
}

double estimate_equal_all(const equal_estimate *each, uint32_t count) {
    double share = 1;
    double overlap = 1;
    double distinct[2] = {1, 1};
    double rows[2] = {(double)INFINITY, (double)INFINITY};
    for (uint32_t i = 0; i < count; i++) {
        share *= each[i].share;
        overlap *= each[i].overlap;
        for (int side = 0; side < 2; side++) {
            distinct[side] *= each[i].distinct[side];
            rows[side] = fmin(rows[side], each[i].rows[side]);
        }
    }
    if (count < 2) {
        return share;
    }
    for (int side = 0; side < 2; side++) { // No more combinations than rows.
        distinct[side] = fmin(distinct[side], rows[side]);
    }
    return fmax(share, overlap / partners(distinct, rows));
}

// ---- Filters ---------------------------------------------------------------------------------

// Share of a column's range that lies below a value.
static double share_below(const column_estimate *column, double value) {
    const double width = column->high - column->low;
    if (width <= 0) {
        return value > column->low ? 1 : 0;
    }
    return fmin(1, fmax(0, (value - column->low) / width));
}

static double range_selectivity(const estimates *self, const expr *column, const expr *constant,
                                bool is_less) {
    const column_estimate *known =
        column->kind == EXPR_COLUMN ? estimate_column(self, column->column_.id) : NULL;
    double value;
    if (known == NULL || !known->has_range || constant->kind != EXPR_LITERAL ||
        constant->literal_.value.is_null || !number_of(constant->literal_.value.value, &value)) {
        return SELECTIVITY_RANGE;
    }
    const double below = share_below(known, value);
    return (1 - known->null_share) * (is_less ? below : 1 - below);
}

// Of one value of `column`, which has so many.
static double equal_selectivity(const estimates *self, const expr *column, double distinct) {
    const bool is_known =
        column->kind == EXPR_COLUMN && estimate_column(self, column->column_.id)->is_known;
    return is_known ? 1 / distinct : SELECTIVITY_EQUAL;
}

static double comparison_selectivity(const estimates *self, const expr *value) {
    const expr *left = value->call_.args.items[0];
    const expr *right = value->call_.args.items[1];
    const char *name = value->call_.function->name;
    const bool is_swapped = left->kind == EXPR_LITERAL;
    const expr *column = is_swapped ? right : left;
    const expr *constant = is_swapped ? left : right;
    if (strcmp(name, "=") == 0 || strcmp(name, "is_not_distinct_from") == 0) {
        const double distinct = fmax(estimate_distinct(self, left, ROWS_UNKNOWN),
                                     estimate_distinct(self, right, ROWS_UNKNOWN));
        return equal_selectivity(self, column, distinct);
    }
    if (strcmp(name, "<>") == 0) {
        return 0.9;
    }
    const bool is_less = (name[0] == '<') != is_swapped;
    return constant->kind == EXPR_LITERAL ? range_selectivity(self, column, constant, is_less)
                                          : SELECTIVITY_OTHER;
}

static bool is_comparison(const expr *value) {
    static const char *const names[] = {"=", "<>", "<", "<=", ">", ">=", "is_not_distinct_from"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (expr_is_call(value, names[i]) && value->call_.args.count == 2) {
            return true;
        }
    }
    return false;
}

static double call_selectivity(const estimates *self, const expr *value) {
    if (is_comparison(value)) {
        return comparison_selectivity(self, value);
    }
    if (expr_is_call(value, "not")) {
        return 1 - estimate_selectivity(self, value->call_.args.items[0]);
    }
    if (expr_is_call(value, "like") || expr_is_call(value, "ilike")) {
        return SELECTIVITY_LIKE;
    }
    const bool is_null = expr_is_call(value, "is_null");
    if (is_null || expr_is_call(value, "is_not_null")) {
        const expr *arg = value->call_.args.items[0];
        const double share = arg->kind == EXPR_COLUMN
                                 ? estimate_column(self, arg->column_.id)->null_share
                                 : SELECTIVITY_EQUAL;
        return is_null ? share : 1 - share;
    }
    return SELECTIVITY_OTHER;
}

double estimate_selectivity(const estimates *self, const expr *conjunct) {
    double share = 1;
    switch ((int)conjunct->kind) {
    case EXPR_LITERAL:
        share = !conjunct->literal_.value.is_null &&
                        bitmap_get(conjunct->literal_.value.value->values, 0)
                    ? 1
                    : 0;
        break;
    case EXPR_AND:
        for (uint32_t i = 0; i < conjunct->and_.args.count; i++) {
            share *= estimate_selectivity(self, conjunct->and_.args.items[i]);
        }
        break;
    case EXPR_OR:
        for (uint32_t i = 0; i < conjunct->or_.args.count; i++) {
            share *= 1 - estimate_selectivity(self, conjunct->or_.args.items[i]);
        }
        share = 1 - share;
        break;
    case EXPR_IN: {
        const expr *arg = conjunct->in_.arg;
        const double distinct = estimate_distinct(self, arg, ROWS_UNKNOWN);
        share = conjunct->in_.values->length * equal_selectivity(self, arg, distinct);
        share = fmin(1, share);
        share = conjunct->in_.is_negated ? 1 - share : share;
        break;
    }
    case EXPR_CALL:
        share = call_selectivity(self, conjunct);
        break;
    case EXPR_DYNAMIC:
        break;
    default:
        share = SELECTIVITY_OTHER;
    }
    return fmin(1, fmax(SELECTIVITY_MIN, share));
}

// Conjuncts of a filter: the two ends of one column's range are not independent.
static double filter_selectivity(const estimates *self, const expr_list *conjuncts) {
    double share = 1;
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        const expr *a = conjuncts->items[i];
        double own = estimate_selectivity(self, a);
        const uint32_t first = i < ENDS_MAX ? 0 : i - ENDS_MAX;
        for (uint32_t k = first; k < i && is_comparison(a); k++) {
            const expr *b = conjuncts->items[k];
            if (is_comparison(b) && a->call_.args.items[0]->kind == EXPR_COLUMN &&
                expr_equal(a->call_.args.items[0], b->call_.args.items[0]) &&
                a->call_.function->name[0] != b->call_.function->name[0] &&
                a->call_.function->name[0] != '=' && b->call_.function->name[0] != '=') {
                const double other = estimate_selectivity(self, b);
                own = fmax(SELECTIVITY_MIN, (own + other - 1) / other);
            }
        }
        share *= own;
    }
    return share;
}

// ---- Nodes -----------------------------------------------------------------------------------

double estimate_table_rows(const optimizer *self, uint32_t table) {
    const table_snapshot *snapshot = self->tables[table];
    return snapshot->row_count.is_known ? (double)snapshot->row_count.value
           : snapshot->rows.is_known    ? snapshot->rows.value
                                        : ROWS_UNKNOWN;
}

static firn_status estimate_scan(estimates *self, plan_node *node) {
    const table_snapshot *table = self->self->tables[node->scan_.table];
    const double rows = estimate_table_rows(self->self, node->scan_.table);
    const bool asks = table->kind->facts != NULL && table->facts_bytes <= self->facts_bytes_max;
    const cancel_flag *cancel = self->self->context->cancel;
    for (uint32_t i = 0; i < node->scan_.columns.count; i++) {
        const scan_column *column = &node->scan_.columns.items[i];
        const column_facts *facts = asks && column->path_length == 1
                                        ? table->kind->facts(table, column->path[0], cancel)
                                        : NULL;
        TRY(put_column(self, column->id, of_facts(facts, column->type, rows)));
    }
    node->row_estimate = fmax(1, rows * filter_selectivity(self, &node->scan_.filters));
    return FIRN_OK;
}

static firn_status copy_column(estimates *self, uint32_t id, const expr *value, double rows) {
    column_estimate made = {.distinct = estimate_distinct(self, value, rows)};
    if (value->kind == EXPR_COLUMN) {
        made = *estimate_column(self, value->column_.id);
    }
    return put_column(self, id, made);
}

static double join_rows(const estimates *self, const plan_node *node) {
    const double left = node->join_.left->row_estimate;
    const double right = node->join_.right->row_estimate;
    equal_estimate equals[KEYS_MAX];
    uint32_t equal_count = 0;
    double matched = 1; // Share of left rows with a partner.
    for (uint32_t i = 0; i < node->join_.left_keys.count; i++) {
        const expr *left_key = node->join_.left_keys.items[i];
        const expr *right_key = node->join_.right_keys.items[i];
        const double l = estimate_distinct(self, left_key, left);
        const double r = estimate_distinct(self, right_key, right);
        matched = fmin(matched, fmin(1, r / fmax(1, l)));
        if (equal_count < KEYS_MAX) {
            const key_estimate l_key = estimate_key(self, left_key, left);
            const key_estimate r_key = estimate_key(self, right_key, right);
            equals[equal_count++] = estimate_equal(&l_key, &r_key);
        }
    }
    double share = estimate_equal_all(equals, equal_count);
    if (node->join_.residual != NULL) {
        share *= estimate_selectivity(self, node->join_.residual);
        matched *= 0.5;
    }
    const double inner = left * right * share;
    switch ((join_kind)node->join_.join) {
    case JOIN_LEFT:
        return fmax(left, inner);
    case JOIN_RIGHT:
        return fmax(right, inner);
    case JOIN_FULL:
        return fmax(left + right, inner);
    case JOIN_SEMI:
        return left * matched;
    case JOIN_ANTI:
        return left * fmax(0.1, 1 - matched);
    case JOIN_RIGHT_SEMI:
        return fmin(right, inner);
    case JOIN_RIGHT_ANTI:
        return right * 0.5;
    case JOIN_MARK:
    case JOIN_SINGLE:
        return left;
    case JOIN_INNER:
    case JOIN_CROSS:
    case JOIN_KIND_COUNT:
        break;
    }
    return inner;
}

static double aggregate_rows(const estimates *self, const plan_node *node, double rows) {
    double groups = 1;
    for (uint32_t i = 0; i < node->aggregate_.keys.count; i++) {
        groups *= estimate_distinct(self, node->aggregate_.keys.items[i], rows);
        groups = fmin(groups, rows);
    }
    const uint32_t sets = node->aggregate_.sets.count;
    return fmax(1, groups) * (sets > 0 ? sets : 1);
}

static double limit_of(const expr *value, double otherwise) {
    if (value == NULL || value->kind != EXPR_LITERAL || value->literal_.value.is_null) {
        return otherwise;
    }
    return (double)*COLUMN_VALUES(value->literal_.value.value, int64_t);
}

static firn_status estimate_columns(estimates *self, const u32_list *ids, const expr_list *values,
                                    double rows) {
    for (uint32_t i = 0; i < ids->count; i++) {
        TRY(copy_column(self, ids->items[i], values->items[i], rows));
    }
    return FIRN_OK;
}

// What leaves an aggregate is a table of its own, where a single key is different in every row.
static firn_status estimate_groups(estimates *self, const plan_node *node) {
    for (uint32_t i = 0; i < node->aggregate_.key_ids.count; i++) {
        const uint32_t id = node->aggregate_.key_ids.items[i];
        column_estimate key = *estimate_column(self, id);
        key.rows = node->row_estimate;
        key.distinct = fmin(key.distinct, node->row_estimate);
        TRY(put_column(self, id, key));
    }
    return FIRN_OK;
}

static firn_status estimate_union(estimates *self, plan_node *node) {
    node->row_estimate = 0;
    for (uint32_t i = 0; i < node->union_.inputs.count; i++) {
        node->row_estimate += node->union_.inputs.items[i]->row_estimate;
    }
    for (uint32_t i = 0; i < node->union_.ids.count; i++) {
        TRY(put_column(self, node->union_.ids.items[i],
                       *estimate_column(self, node->union_.input_ids.items[i])));
    }
    return FIRN_OK;
}

// Remembers what a SHARED node keeps, whose estimates are there.
static firn_status note_shared(estimates *self, const plan_node *shared) {
    const uint32_t slot = shared->shared_.slot;
    if (slot >= self->shared_count) {
        const uint32_t count = self->self->plan->shared_count;
        const plan_node **kept = ARENA_NEW(self->self->memory, const plan_node *, count);
        if (kept == NULL) {
            return rewrite_full(self->self);
        }
        for (uint32_t i = 0; i < count; i++) {
            kept[i] = i < self->shared_count ? self->shared[i] : NULL;
        }
        self->shared = kept;
        self->shared_count = count;
    }
    self->shared[slot] = shared->shared_.definition;
    return FIRN_OK;
}

static firn_status estimate_shared_scan(estimates *self, plan_node *node) {
    const uint32_t slot = node->shared_scan_.slot;
    const plan_node *kept = slot < self->shared_count ? self->shared[slot] : NULL;
    node->row_estimate = kept == NULL ? ROWS_OF_FUNCTION : kept->row_estimate;
    for (uint32_t i = 0; kept != NULL && i < node->shared_scan_.ids.count; i++) {
        TRY(put_column(self, node->shared_scan_.ids.items[i],
                       *estimate_column(self, node->shared_scan_.source_ids.items[i])));
    }
    return FIRN_OK;
}

// An argument that is a known integer.
static bool integer_of(const expr *value, double *out) {
    if (value->kind != EXPR_LITERAL || value->literal_.value.is_null ||
        value->type->id != TYPE_BIGINT) {
        return false;
    }
    *out = (double)*COLUMN_VALUES(value->literal_.value.value, int64_t);
    return true;
}

// generate_series and range, which ends before its end, say how many rows they make: they are the
// only table functions so far.
static double series_rows(const plan_node *node) {
    const expr_list *args = &node->table_function_.args;
    double first;
    double last;
    double step;
    if (args->count != 3 || !integer_of(args->items[0], &first) ||
        !integer_of(args->items[1], &last) || !integer_of(args->items[2], &step) || step == 0) {
        return ROWS_OF_FUNCTION;
    }
    const double steps = (last - first) / step;
    return fmax(0, text_equal(node->table_function_.function, TEXT("generate_series"))
                       ? floor(steps) + 1
                       : ceil(steps));
}

// What a node with one input makes of its rows.
static firn_status estimate_node(estimates *self, plan_node *node) {
    switch ((int)node->kind) {
    case PLAN_SCAN:
        return estimate_scan(self, node);
    case PLAN_VALUES:
        node->row_estimate = (double)node->values_.row_count;
        return FIRN_OK;
    case PLAN_FILTER: {
        const expr_list one = {.count = 1, .items = &node->filter_.predicate};
        node->row_estimate =
            fmax(1, node->filter_.input->row_estimate * filter_selectivity(self, &one));
        return FIRN_OK;
    }
    case PLAN_PROJECT:
        node->row_estimate = node->project_.input->row_estimate;
        return estimate_columns(self, &node->project_.ids, &node->project_.values,
                                node->row_estimate);
    case PLAN_JOIN:
        node->row_estimate = fmax(1, join_rows(self, node));
        node->join_.build_estimate = (uint64_t)node->join_.right->row_estimate;
        return FIRN_OK;
    case PLAN_AGGREGATE:
        node->row_estimate = aggregate_rows(self, node, node->aggregate_.input->row_estimate);
        node->aggregate_.group_estimate = (uint64_t)node->row_estimate;
        TRY(estimate_columns(self, &node->aggregate_.key_ids, &node->aggregate_.keys,
                             node->row_estimate));
        return estimate_groups(self, node);
    case PLAN_SORT:
        node->row_estimate = fmin(node->sort_.input->row_estimate, (double)node->sort_.limit);
        return FIRN_OK;
    case PLAN_LIMIT:
        node->row_estimate =
            fmin(node->limit_.input->row_estimate, limit_of(node->limit_.limit, (double)INFINITY));
        return FIRN_OK;
    case PLAN_UNION:
        return estimate_union(self, node);
    case PLAN_REPEAT:
        node->row_estimate = node->repeat_.input->row_estimate;
        return FIRN_OK;
    case PLAN_NUMBER:
        node->row_estimate = node->number_.input->row_estimate;
        return FIRN_OK;
    case PLAN_UNNEST:
        node->row_estimate = node->unnest_.input->row_estimate * 4;
        return FIRN_OK;
    case PLAN_SHARED_SCAN:
        return estimate_shared_scan(self, node);
    case PLAN_SHARED:
        node->row_estimate = node->shared_.body->row_estimate;
        return FIRN_OK;
    case PLAN_OUTPUT:
        node->row_estimate = node->output_.input->row_estimate;
        return FIRN_OK;
    case PLAN_CHANGE_ONCE:
        node->row_estimate = node->change_once_.input->row_estimate;
        return FIRN_OK;
    case PLAN_SINGLE_ROW:
    case PLAN_INSERT:
        node->row_estimate = 1;
        return FIRN_OK;
    case PLAN_TABLE_FUNCTION:
        node->row_estimate = series_rows(node);
        return FIRN_OK;
    default:
        node->row_estimate = ROWS_OF_FUNCTION;
        return FIRN_OK;
    }
}

typedef struct walk {
    estimates *state;
    firn_status status;
} walk;

static bool visit(void *user, plan_node **slot) {
    walk *self = user;
    plan_node *node = *slot;
    if (node->kind == PLAN_SHARED) { // Before those who read it.
        if (!visit(user, &node->shared_.definition)) {
            return false;
        }
        self->status = note_shared(self->state, node);
        if (self->status != FIRN_OK || !visit(user, &node->shared_.body)) {
            return false;
        }
    } else if (!plan_visit_children(node, visit, user)) {
        return false;
    }
    self->status = estimate_node(self->state, *slot);
    return self->status == FIRN_OK;
}

static bool has_no_groups(void *user, plan_node **slot) {
    const plan_node *node = *slot;
    return !(node->kind == PLAN_AGGREGATE && node->aggregate_.keys.count > 0) &&
           plan_visit_children(*slot, has_no_groups, user);
}

// Facts that must be read for are asked for only where they choose something: a join's order
// whatever they cost, how groups are kept if they cost little. A scan by itself is the same
// whatever it is thought to give, and planning it reads the manifests that it needs. What WITH
// names may be joined with itself, and costs decide how often it runs.
static uint64_t facts_bytes_for(const estimates *self, plan_node *root) {
    if (self->self->plan->table_count > 1 || self->self->plan->shared_count > 0) {
        return UINT64_MAX;
    }
    return has_no_groups(NULL, &root) ? 0 : FACTS_BYTES_SMALL;
}

static firn_status estimate_with(estimates *self, plan_node *root, uint64_t facts_bytes_max) {
    walk state = {.state = self, .status = FIRN_OK};
    self->facts_bytes_max = facts_bytes_max;
    (void)visit(&state, &root);
    return state.status;
}

firn_status estimate_tree(estimates *self, plan_node *root) {
    return estimate_with(self, root, facts_bytes_for(self, root));
}

firn_status estimate_shared(estimates *self, plan_node *shared) {
    TRY(estimate_tree(self, shared->shared_.definition));
    return note_shared(self, shared);
}

firn_status estimate_plan(optimizer *self, plan_node *root) {
    estimates state = {.self = self};
    return estimate_tree(&state, root);
}

firn_status estimate_shown(optimizer *self, plan_node *root) {
    estimates state = {.self = self};
    return facts_bytes_for(&state, root) > 0 ? FIRN_OK : estimate_with(&state, root, UINT64_MAX);
}
