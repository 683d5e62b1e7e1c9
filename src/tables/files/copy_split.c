#include "tables/files/copy_split.h"

// By partition, so that one file is open at a time.
firn_status copy_wish(table_snapshot *base, change_kind kind, arena *memory, row_wish *out,
                      firn_error *err) {
    (void)kind;
    const copy_target_options *options = &copy_target_of(base)->options;
    row_wish_key *keys = ARENA_NEW(memory, row_wish_key, (size_t)options->partition_count + 1);
    if (keys == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < options->partition_count; i++) {
        keys[i] = (row_wish_key){.column = options->partitions[i], .transform = TEXT("identity")};
    }
    *out = (row_wish){.cluster_count = options->partition_count,
                      .key_count = options->partition_count,
                      .keys = keys,
                      .keeps_order = true};
    return FIRN_OK;
}

// ---- Partitions --------------------------------------------------------------------------------

firn_status copy_split_values(const copy_target *target, const batch *rows, arena *memory,
                              const column **out, firn_error *err) {
    const copy_target_options *options = &target->options;
    column *values = ARENA_NEW(memory, column, (size_t)options->partition_count + 1);
    if (values == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < options->partition_count; i++) {
        values[i] = rows->columns[options->partitions[i]];
    }
    *out = values;
    return FIRN_OK;
}

firn_status copy_split(const copy_target *target, const batch *rows, arena *memory,
                       parquet_runs *out, firn_error *err) {
    const uint32_t value_count = target->options.partition_count;
    const column *values;
    TRY(copy_split_values(target, rows, memory, &values, err));
    for (uint32_t k = 0; k < rows->selected_count; k++) {
        const uint32_t row = batch_row(rows, k);
        if (k > 0 && parquet_lines_is_same(values, value_count, batch_row(rows, k - 1), row)) {
            continue;
        }
        if (k > 0) {
            out->ends[out->count++] = k;
        }
        TRY(copy_target_folder(target, values, row, memory, &out->partitions[out->count], err));
    }
    out->ends[out->count++] = rows->selected_count;
    return FIRN_OK;
}

// ---- Columns -----------------------------------------------------------------------------------

firn_status copy_written_columns(const copy_target *target, arena *memory, copy_written *out,
                                 firn_error *err) {
    const schema *all = &target->base.columns;
    const copy_target_options *options = &target->options;
    field *fields = ARENA_NEW(memory, field, (size_t)all->count + 1);
    uint32_t *places = ARENA_NEW(memory, uint32_t, (size_t)all->count + 1);
    uint32_t width = 0;
    if (fields == NULL || places == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < all->count; i++) {
        bool is_folder = false;
        for (uint32_t k = 0; k < options->partition_count; k++) {
            is_folder |= options->partitions[k] == i;
        }
        if (!is_folder) {
            fields[width] = all->fields[i];
            places[width++] = i;
        }
    }
    *out = (copy_written){.columns = {.count = width, .fields = fields}, .places = places};
    return FIRN_OK;
}
