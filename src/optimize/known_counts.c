// count(*) of a whole table that knows its rows exactly is a constant: nothing is read.
//
// Only exact facts answer (expr/facts.h): a table with deletes, a filter or a limit is read. MIN
// and MAX are not answered: bounds in metadata may be truncated or somebody else's.
#include "optimize/rewrite.h"

static bool is_row_count(const expr *value) {
    return strcmp(value->aggregate_.function->name, "count") == 0 &&
           value->aggregate_.args.count == 0 && !value->aggregate_.is_distinct &&
           value->aggregate_.filter == NULL;
}

static bool counts_rows_only(const plan_node *node) {
    if (node->kind != PLAN_AGGREGATE || node->aggregate_.keys.count > 0 ||
        node->aggregate_.sets.count > 0 || node->aggregate_.ids.count == 0) {
        return false;
    }
    for (uint32_t i = 0; i < node->aggregate_.aggregates.count; i++) {
        if (!is_row_count(node->aggregate_.aggregates.items[i])) {
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
    const exact_u64 rows = counts_rows_only(node) ? rows_of(self, node->aggregate_.input)
                                                  : (exact_u64){.is_known = false};
    if (!rows.is_known || rows.value > INT64_MAX) {
        return FIRN_OK;
    }
    plan_node *values;
    TRY(rewrite_node(self, PLAN_VALUES, &values));
    const uint32_t count = node->aggregate_.ids.count;
    column *columns = ARENA_NEW(self->memory, column, count);
    if (columns == NULL) {
        return rewrite_full(self);
    }
    for (uint32_t i = 0; i < count; i++) {
        TRY(column_new(self->memory, TYPE_OF(BIGINT), 1, &columns[i], self->err));
        COLUMN_OUT(&columns[i], int64_t)[0] = (int64_t)rows.value;
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
