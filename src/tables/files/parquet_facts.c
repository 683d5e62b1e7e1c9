#include "tables/files/parquet_facts.h"

#include "formats/parquet/pq_facts.h"

static const column_facts *find(const unit_facts *base, uint32_t id) {
    const parquet_facts *self = (const parquet_facts *)base; // `base` is its first member.
    for (uint32_t i = 0; i < self->count; i++) {
        if (self->ids[i] == id) {
            return self->is_known[i] ? &self->columns[i] : NULL;
        }
    }
    return NULL;
}

firn_status parquet_facts_make(const pq_file *file, uint32_t row_group,
                               const parquet_columns *columns, const dynamic_filters *filters,
                               arena *memory, parquet_facts *out, firn_error *err) {
    const uint32_t count = columns->count;
    const pq_pick *picks = columns->picks;
    *out = (parquet_facts){
        .base = {.row_count = {.is_known = true, .value = pq_file_rows_of(file, row_group)},
                 .find = find,
                 .filters = filters},
        .count = count,
        .ids = columns->ids,
        .columns = ARENA_NEW(memory, column_facts, count + 1),
        .is_known = ARENA_NEW(memory, bool, count + 1),
    };
    if (out->columns == NULL || out->is_known == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        out->columns[i] = pq_facts_of_row_group(file, &picks[i], row_group, memory);
        out->is_known[i] = true;
    }
    return FIRN_OK;
}

// The wider of two bounds: what holds for both units.
static void widen(column_facts *sum, const column_facts *more) {
    const bool has_minimum = sum->minimum != NULL && more->minimum != NULL;
    const bool has_maximum = sum->maximum != NULL && more->maximum != NULL;
    if (has_minimum && column_compare_rows(more->minimum, 0, sum->minimum, 0) < 0) {
        sum->minimum = more->minimum;
        sum->minimum_is_exact = more->minimum_is_exact;
    }
    if (has_maximum && column_compare_rows(more->maximum, 0, sum->maximum, 0) > 0) {
        sum->maximum = more->maximum;
        sum->maximum_is_exact = more->maximum_is_exact;
    }
    sum->minimum = has_minimum ? sum->minimum : NULL;
    sum->maximum = has_maximum ? sum->maximum : NULL;
}

static void add_counts(column_facts *sum, const column_facts *more) {
    sum->null_count.is_known &= more->null_count.is_known;
    sum->null_count.value += more->null_count.value;
    sum->nan_count.is_known &= more->nan_count.is_known;
    sum->nan_count.value += more->nan_count.value;
    sum->may_have_null |= more->may_have_null;
}

static void take_bounds(column_facts *sum, const column_facts *more) {
    sum->minimum = more->minimum;
    sum->maximum = more->maximum;
    sum->minimum_is_exact = more->minimum_is_exact;
    sum->maximum_is_exact = more->maximum_is_exact;
}

void parquet_column_facts(const pq_file *file, const pq_pick *pick, arena *memory,
                          parquet_column_sum *sum) {
    for (uint32_t i = 0; i < pq_file_row_group_count(file); i++) {
        const column_facts facts = pq_facts_of_row_group(file, pick, i, memory);
        const exact_u64 nulls = facts.null_count;
        const bool has_values = !nulls.is_known || nulls.value < pq_file_rows_of(file, i);
        if (sum->has_any) {
            add_counts(&sum->facts, &facts);
        } else {
            sum->facts = facts;
        }
        if (has_values && sum->has_values) {
            widen(&sum->facts, &facts);
        } else if (has_values) {
            take_bounds(&sum->facts, &facts);
        } else if (!sum->has_any) {
            take_bounds(&sum->facts, &(column_facts){.minimum = NULL});
        }
        sum->has_any = true;
        sum->has_values |= has_values;
    }
}
