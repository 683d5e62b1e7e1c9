// count, min and max of a whole table that knows them exactly are constants: nothing is read.
//
// Only exact facts answer (expr/facts.h): a table with deletes, a filter or a limit is read, and so
// is a column whose bounds may be shortened or are those of somebody's metadata rather than of the
// file. MIN and MAX are answered for integers, decimals, dates and times: floating point has NaN
// and two zeros, which bounds leave out or widen.
#include "optimize/rewrite.h"

typedef enum asked_fact { ASKED_NONE, ASKED_ROWS, ASKED_COUNT, ASKED_MIN, ASKED_MAX } asked_fact;

static asked_fact asked_by(const expr *value) {
    const uint32_t count = value->aggregate_.args.count;
    if (value->aggregate_.filter != NULL || value->aggregate_.is_distinct || count > 1) {
        return ASKED_NONE;
    }
    if (expr_is_aggregate(value, "count")) {
        return count == 0 ? ASKED_ROWS : ASKED_COUNT;
    }
    return count == 0                        ? ASKED_NONE
           : expr_is_aggregate(value, "min") ? ASKED_MIN
           : expr_is_aggregate(value, "max") ? ASKED_MAX
                                             : ASKED_NONE;
}

static bool has_exact_bounds(const type *self) {
    const type_category category = type_category_of(self);
    return category == CATEGORY_INTEGER || category == CATEGORY_DECIMAL ||
           category == CATEGORY_DATETIME;
}

// The facts about the column that an expression over `node` is; NULL: it is none, or unknown.
static const column_facts *facts_of(const optimizer *self, const plan_node *node,
                                    const expr *value) {
    while (value->kind == EXPR_COLUMN && node->kind == PLAN_PROJECT) {
        uint32_t at = 0;
        while (at < node->project_.ids.count && node->project_.ids.items[at] != value->column_.id) {
            at++;
        }
        if (at == node->project_.ids.count) {
            return NULL;
        }
        value = node->project_.values.items[at];
        node = node->project_.input;
    }
    if (value->kind != EXPR_COLUMN || node->kind != PLAN_SCAN) {
        return NULL;
    }
    table_snapshot *table = self->tables[node->scan_.table];
    for (uint32_t i = 0; i < node->scan_.columns.count; i++) {
        const scan_column *column = &node->scan_.columns.items[i];
        if (column->id == value->column_.id) {
            const bool is_at_hand = table->kind->facts != NULL && table->facts_bytes == 0;
            return is_at_hand && column->path_length == 1
                       ? table->kind->facts(table, column->path[0], self->context->cancel)
                       : NULL;
        }
    }
    return NULL;
}

static firn_status of_number(const optimizer *self, uint64_t number, column *out) {
    TRY(column_new(self->memory, TYPE_OF(BIGINT), 1, out, self->err));
    COLUMN_OUT(out, int64_t)[0] = (int64_t)number;
    return FIRN_OK;
}

// The result of an aggregate over `rows` rows of `node`. `*is_known`: it needs no reading.
static firn_status answer(const optimizer *self, const plan_node *node, const expr *value,
                          uint64_t rows, column *out, bool *is_known) {
    const asked_fact asked = asked_by(value);
    *is_known = asked == ASKED_ROWS;
    if (asked == ASKED_ROWS) {
        return of_number(self, rows, out);
    }
    const column_facts *facts =
        asked == ASKED_NONE ? NULL : facts_of(self, node, value->aggregate_.args.items[0]);
    if (facts == NULL) {
        return FIRN_OK;
    }
    if (asked == ASKED_COUNT) {
        *is_known = facts->null_count.is_known && facts->null_count.value <= rows;
        return *is_known ? of_number(self, rows - facts->null_count.value, out) : FIRN_OK;
    }
    const column *bound = asked == ASKED_MIN ? facts->minimum : facts->maximum;
    const bool is_exact = asked == ASKED_MIN ? facts->minimum_is_exact : facts->maximum_is_exact;
    *is_known = bound != NULL && is_exact && has_exact_bounds(bound->type) &&
                type_equal(bound->type, value->type);
    if (*is_known) {
        TRY(column_flatten(self->memory, bound, out, self->err));
        out->type = value->type;
    }
    return FIRN_OK;
}

static bool may_know(const plan_node *node) {
    if (node->kind != PLAN_AGGREGATE || node->aggregate_.keys.count > 0 ||
        node->aggregate_.sets.count > 0 || node->aggregate_.ids.count == 0) {
        return false;
    }
    for (uint32_t i = 0; i < node->aggregate_.aggregates.count; i++) {
        if (asked_by(node->aggregate_.aggregates.items[i]) == ASKED_NONE) {
            return false;
        }
    }
    return true;
}

static exact_u64 rows_of(const optimizer *self, const plan_node *node) {
    while (node->kind == PLAN_PROJECT) { // Computes as many rows as it gets.
        node = node->project_.input;
    }
    if (node->kind != PLAN_SCAN || node->scan_.filters.count > 0 ||
        node->scan_.limit != UINT64_MAX) {
        return (exact_u64){.is_known = false};
    }
    return self->tables[node->scan_.table]->row_count;
}

static firn_status visit(optimizer *self, plan_node **slot) {
    const plan_node *node = *slot;
    const exact_u64 rows =
        may_know(node) ? rows_of(self, node->aggregate_.input) : (exact_u64){.is_known = false};
    if (!rows.is_known || rows.value > INT64_MAX) {
        return FIRN_OK;
    }
    const uint32_t count = node->aggregate_.ids.count;
    column *columns = ARENA_NEW(self->memory, column, count);
    if (columns == NULL) {
        return rewrite_full(self);
    }
    for (uint32_t i = 0; i < count; i++) {
        bool is_known;
        TRY(answer(self, node->aggregate_.input, node->aggregate_.aggregates.items[i], rows.value,
                   &columns[i], &is_known));
        if (!is_known) {
            return FIRN_OK;
        }
    }
    plan_node *values;
    TRY(rewrite_node(self, PLAN_VALUES, &values));
    for (uint32_t i = 0; i < count; i++) {
        TRY(rewrite_add_id(self, &values->values_.ids, node->aggregate_.ids.items[i]));
    }
    values->values_.columns = (column_data_list){.count = count, .items = columns};
    values->values_.row_count = 1;
    *slot = values;
    return FIRN_OK;
}

firn_status rule_known_counts(optimizer *self, plan_node **root) {
    return rewrite_tree(self, root, visit);
}
