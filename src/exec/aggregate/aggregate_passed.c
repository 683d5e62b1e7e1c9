// Rows that go past a worker's table: what they are waits in partitions until their groups are
// made. A row of two numbers has a third of the bytes of the group that it would begin, and of
// these rows there are as many as came.
#include <assert.h>

#include "exec/aggregate/aggregate_state.h"

bool aggregate_may_pass(const aggregate_shape *shape, const aggregate_values *values) {
    bool may = shape->has_passed;
    for (uint32_t i = 0; may && i < shape->passed_count; i++) {
        const type *kept = shape->passed.types[shape->group_keys + i];
        may = type_physical(values->columns[shape->passed_roots[i]].type) == type_physical(kept);
    }
    return may;
}

firn_status aggregate_pass(const aggregate_context *self, aggregate_values *values, row_writer *to,
                           const stage_input *in) {
    const aggregate_shape *shape = self->shape;
    column *columns = ARENA_NEW(self->scratch, column, shape->passed.column_count + 1);
    uint8_t **places = ARENA_NEW(self->scratch, uint8_t *, in->count);
    if (columns == NULL || places == NULL) {
        return ARENA_FULL(self->scratch, self->err);
    }
    for (uint32_t i = 0; i < shape->group_keys; i++) {
        columns[i] = in->columns[i];
    }
    for (uint32_t i = 0; i < shape->passed_count; i++) {
        const column *value = &values->columns[shape->passed_roots[i]];
        if (value->form == FORM_RUNS) {
            TRY(aggregate_value_flat(values, shape->passed_roots[i], self->scratch, &value,
                                     self->err));
        }
        columns[shape->group_keys + i] = *value;
    }
    row_input rows = {
        .columns = columns, .rows = in->rows, .count = in->count, .hashes = in->hashes};
    while (rows.next < rows.count) {
        TRY(row_writer_append(to, &rows, places, self->scratch, self->err));
    }
    return FIRN_OK;
}

// ---- Back ---------------------------------------------------------------------------------------

// Keys of rows and their hashes.
static firn_status hash_rows(aggregate_state *self, uint8_t *const *rows, uint32_t count,
                             column **keys, uint64_t **hashes, arena *scratch, firn_error *err) {
    const uint32_t key_count = self->shape.group_keys;
    *keys = ARENA_NEW(scratch, column, key_count + 1);
    *hashes = ARENA_NEW(scratch, uint64_t, (size_t)count + 1);
    if (*keys == NULL || *hashes == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < key_count; i++) {
        TRY(rows_gather(&self->passed_store, i, (const uint8_t *const *)rows, count, scratch,
                        &(*keys)[i], err));
    }
    return group_hash_rows(*keys, key_count, NULL, count, scratch, *hashes)
               ? FIRN_OK
               : ARENA_FULL(scratch, err);
}

firn_status aggregate_copy_passed(aggregate_state *self, uint8_t *const *rows, uint32_t count,
                                  row_writer *to, arena *scratch, firn_error *err) {
    column *keys;
    uint64_t *hashes;
    const arena_mark mark = arena_mark_take(scratch);
    TRY(hash_rows(self, rows, count, &keys, &hashes, scratch, err));
    for (uint32_t next = 0; next < count;) {
        TRY(row_writer_copy(to, rows, hashes, count, &next, err));
    }
    arena_rewind(scratch, mark);
    return FIRN_OK;
}

// Puts those of the rows that have a group before the others; how many they are.
static uint32_t part_taken(uint8_t **rows, uint8_t **groups, uint32_t count) {
    uint32_t taken = 0;
    for (uint32_t k = 0; k < count; k++) {
        uint8_t *row = rows[k];
        uint8_t *group = groups[k];
        rows[k] = rows[taken];
        groups[k] = groups[taken];
        rows[taken] = row;
        groups[taken] = group;
        taken += group != NULL;
    }
    return taken;
}

// A row's values, as if its batch had come now.
static firn_status values_of(aggregate_state *self, uint8_t *const *rows, uint32_t count,
                             aggregate_values *out, arena *scratch, firn_error *err) {
    const aggregate_shape *shape = &self->shape;
    const uint32_t root_count = shape->root_count;
    *out = (aggregate_values){.columns = ARENA_NEW(scratch, column, root_count + 1),
                              .flats = ARENA_NEW(scratch, column, root_count + 1),
                              .is_flat = ARENA_NEW(scratch, bool, root_count + 1),
                              .codes = ARENA_NEW(scratch, aggregate_codes *, root_count + 1)};
    if (out->columns == NULL || out->flats == NULL || out->is_flat == NULL || out->codes == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < root_count; i++) {
        out->is_flat[i] = false;
        out->codes[i] = NULL;
    }
    for (uint32_t i = 0; i < shape->passed_count; i++) {
        TRY(rows_gather(&self->passed_store, shape->group_keys + i, (const uint8_t *const *)rows,
                        count, scratch, &out->columns[shape->passed_roots[i]], err));
    }
    return FIRN_OK;
}

// A key that is too long for a page is the group's now.
static void drop_blobs(row_store *store, uint8_t *const *rows, uint32_t count) {
    for (uint32_t k = 0; k < count && store->layout->heap_offset != ROW_NONE; k++) {
        row_store_drop_blob(store, rows[k]);
    }
}

firn_status aggregate_take_passed(aggregate_state *self, group_table *table, aggregate_heap *heap,
                                  aggregate_passed *from, arena *scratch, firn_error *err) {
    group_lookup call = {.count = from->count,
                         .groups = ARENA_NEW(scratch, uint8_t *, (size_t)from->count + 1),
                         .fresh = ARENA_NEW(scratch, uint16_t, (size_t)from->count + 1)};
    column *keys;
    uint64_t *hashes;
    if (call.groups == NULL || call.fresh == NULL) {
        return ARENA_FULL(scratch, err);
    }
    TRY(hash_rows(self, from->rows, from->count, &keys, &hashes, scratch, err));
    call.columns = keys;
    call.hashes = hashes;
    TRY(group_table_find(table, &call, scratch, err));
    TRY(aggregate_init_fresh(&self->shape, call.groups, call.fresh, call.fresh_count, scratch,
                             err));
    from->taken =
        call.missing_count == 0 ? from->count : part_taken(from->rows, call.groups, from->count);
    aggregate_values values;
    TRY(values_of(self, from->rows, from->taken, &values, scratch, err));
    const aggregate_context context = aggregate_context_of(self, heap, scratch, err);
    TRY(aggregate_update_all(&context, &values,
                             &(aggregate_rows){.count = from->taken, .groups = call.groups}));
    drop_blobs(&self->passed_store, from->rows, from->taken);
    return FIRN_OK;
}
