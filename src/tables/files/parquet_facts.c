#include "tables/files/parquet_facts.h"

#include "formats/parquet/pq_bounds.h"
#include "formats/parquet/pq_convert.h"

// One value as PLAIN stores it, converted to `wanted`: a column of one row, or NULL.
static firn_status convert_bound(const pq_file *file, uint32_t leaf, const type *wanted,
                                 bytes value, arena *memory, const column **out, firn_error *err) {
    const pq_leaf *from = &file->metadata->schema->leaves[leaf];
    const type *own = file->types.leaves[leaf];
    pq_conversion conversion;
    *out = NULL;
    if (!pq_can_convert(from, own, wanted)) {
        return FIRN_OK;
    }
    TRY(pq_conversion_find(from, own, wanted, &conversion, err));
    column *made = ARENA_NEW(memory, column, 1);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    TRY(column_new(memory, wanted, 1, made, err));
    made->form = FORM_CONSTANT;
    if (type_physical(wanted) == PHYSICAL_BIT) {
        bitmap_put(COLUMN_OUT(made, uint64_t), 0, value.size > 0 && value.data[0] != 0);
        *out = made;
        return FIRN_OK;
    }
    if (conversion.width == 0) {
        const string_value text = string_of((const char *)value.data, (uint32_t)value.size);
        if (conversion.strings == NULL) {
            *COLUMN_OUT(made, string_value) = text;
            *out = made;
            return FIRN_OK;
        }
        *out =
            conversion.strings(&conversion, &text, 1, COLUMN_OUT(made, uint8_t)) == 1 ? made : NULL;
        return FIRN_OK;
    }
    if (value.size != conversion.width) {
        return FIRN_OK;
    }
    if (conversion.fixed == NULL) {
        memcpy(COLUMN_OUT(made, uint8_t), value.data, value.size);
        *out = made;
        return FIRN_OK;
    }
    *out =
        conversion.fixed(&conversion, value.data, 1, COLUMN_OUT(made, uint8_t)) == 1 ? made : NULL;
    return FIRN_OK;
}

static firn_status leaf_facts(const pq_file *file, uint32_t row_group, uint32_t leaf,
                              const type *wanted, arena *memory, column_facts *out,
                              firn_error *err) {
    const pq_column_metadata *chunk = pq_chunk_metadata(file->metadata, row_group, leaf);
    const pq_bounds bounds = pq_bounds_of(file->metadata, leaf, &chunk->statistics);
    *out = (column_facts){
        .minimum_is_exact = bounds.minimum_is_exact,
        .maximum_is_exact = bounds.maximum_is_exact,
        .null_count = {.is_known = bounds.has_null_count, .value = bounds.null_count},
        .nan_count = {.is_known = bounds.has_nan_count, .value = bounds.nan_count},
        .may_have_null = !(bounds.has_null_count && bounds.null_count == 0) &&
                         file->metadata->schema->leaves[leaf].definition_max > 0,
    };
    if (bounds.has_minimum) {
        TRY(convert_bound(file, leaf, wanted, bounds.minimum, memory, &out->minimum, err));
    }
    if (bounds.has_maximum) {
        TRY(convert_bound(file, leaf, wanted, bounds.maximum, memory, &out->maximum, err));
    }
    return FIRN_OK;
}

static const column_facts *find(const unit_facts *base, uint32_t id) {
    const parquet_facts *self = (const parquet_facts *)base; // `base` is its first member.
    for (uint32_t i = 0; i < self->count; i++) {
        if (self->ids[i] == id) {
            return self->is_known[i] ? &self->columns[i] : NULL;
        }
    }
    return NULL;
}

static column_facts constant_facts(const column *value) {
    const bool is_null = !column_is_valid(value, 0);
    return (column_facts){.minimum = is_null ? NULL : value,
                          .maximum = is_null ? NULL : value,
                          .minimum_is_exact = true,
                          .maximum_is_exact = true,
                          .null_count = {.is_known = !is_null, .value = 0},
                          .may_have_null = is_null};
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
        out->is_known[i] = false;
        if (picks[i].kind == PQ_PICK_CONSTANT) {
            out->columns[i] = constant_facts(picks[i].constant);
            out->is_known[i] = true;
        } else if (picks[i].kind == PQ_PICK_LEAF && picks[i].node->repetition == 0) {
            TRY(leaf_facts(file, row_group, picks[i].node->first_leaf, picks[i].type, memory,
                           &out->columns[i], err));
            out->is_known[i] = true;
        }
    }
    return FIRN_OK;
}

// The wider of two facts: what holds for both units.
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
    sum->null_count.is_known &= more->null_count.is_known;
    sum->null_count.value += more->null_count.value;
    sum->nan_count.is_known &= more->nan_count.is_known;
    sum->nan_count.value += more->nan_count.value;
    sum->may_have_null |= more->may_have_null;
}

firn_status parquet_column_facts(const pq_file *file, uint32_t number, arena *memory,
                                 column_facts *out, bool *is_known, firn_error *err) {
    const pq_file_field field = pq_file_column(file, number);
    *is_known = field.node != NULL && field.node->leaf_count == 1 && field.node->repetition == 0 &&
                !type_is_nested(field.type);
    for (uint32_t i = 0; *is_known && i < pq_file_row_group_count(file); i++) {
        column_facts facts;
        TRY(leaf_facts(file, i, field.node->first_leaf, field.type, memory, &facts, err));
        if (i == 0) {
            *out = facts;
        } else {
            widen(out, &facts);
        }
    }
    *is_known &= pq_file_row_group_count(file) > 0;
    return FIRN_OK;
}
