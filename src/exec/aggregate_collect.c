// Collectors: (key, value) rows of aggregates that need all values of a group.
#include <assert.h>

#include "base/hash.h"
#include "exec/aggregate_state.h"
#include "kernels/hash_column.h"

// Top bits that partitions and their splits look at: of rows that are told apart by key and value
// they are the group's, so that a group's rows meet in one partition; the others are of both.
#define GROUP_BITS_SHIFT 40

typedef struct collecting {
    const aggregate_context *context;
    const aggregate_collector *collector;
    const aggregate_rows *rows; // Taken ones: numbers in the batch.
    batch_sequence sequence;
} collecting;

static firn_status stamp_places(void *user, const stage_places *placed, firn_error *err) {
    const collecting *self = user;
    const row_layout *layout = &self->collector->layout;
    (void)err;
    for (uint32_t i = 0; i < placed->count && layout->extra_size > 8; i++) {
        const uint32_t k = placed->ks == NULL ? i : placed->ks[i];
        const uint32_t row = placed->in->rows == NULL ? k : placed->in->rows[k];
        const uint64_t part = (uint64_t)self->sequence.part << 32 | row;
        uint8_t *extra = row_extra(layout, placed->places[i]);
        memcpy(extra + COLLECTED_TASK, &self->sequence.task, 8);
        memcpy(extra + COLLECTED_PART, &part, 8);
    }
    return FIRN_OK;
}

// Hashes of key and values for DISTINCT. Without groups the values alone choose the partition.
static firn_status hash_values(const collecting *self, const column *columns, uint32_t group_keys,
                               bool has_groups, const uint64_t *groups, uint64_t *out) {
    const aggregate_rows *rows = self->rows;
    arena *scratch = self->context->scratch;
    memcpy(out, groups, rows->count * sizeof *out);
    for (uint32_t i = 0; i < self->collector->arg_count; i++) {
        const bool combines = has_groups || i > 0;
        if (!hash_column(&columns[group_keys + i], rows->rows, rows->count, combines, scratch,
                         out)) {
            return ARENA_FULL(scratch, self->context->err);
        }
    }
    const uint64_t low = (UINT64_C(1) << GROUP_BITS_SHIFT) - 1;
    for (uint32_t k = 0; k < rows->count; k++) {
        const uint64_t mixed = hash_u64(out[k]); // hash_combine leaves similar values similar.
        out[k] = group_hash(has_groups ? (groups[k] & ~low) | (mixed & low) : mixed);
    }
    return FIRN_OK;
}

// The collector's columns: group keys, arguments, order keys; none as runs.
static firn_status gather_columns(const aggregate_context *context, aggregate_values *values,
                                  const aggregate_collector *collector, const column *keys,
                                  column *out) {
    const aggregate_shape *shape = context->shape;
    const aggregate_slot *slot = &shape->slots[collector->slot];
    uint32_t at = 0;
    for (uint32_t i = 0; i < shape->group_keys; i++) {
        out[at++] = keys[i];
    }
    for (uint32_t i = 0; i < collector->arg_count + collector->order_count; i++) {
        const uint32_t root =
            i < collector->arg_count ? slot->args[i] : collector->order[i - collector->arg_count];
        const column *value = &values->columns[root];
        if (value->form == FORM_RUNS) {
            TRY(aggregate_value_flat(values, root, context->scratch, &value, context->err));
        }
        out[at++] = *value;
    }
    return FIRN_OK;
}

static firn_status collect_one(aggregate_worker *self, uint32_t number,
                               const aggregate_context *context, const column *keys,
                               const aggregate_rows *rows, const uint64_t *hashes,
                               batch_sequence sequence) {
    const aggregate_shape *shape = context->shape;
    const aggregate_collector *collector = &shape->collectors[number];
    arena *scratch = context->scratch;
    column *columns = ARENA_NEW(scratch, column, collector->layout.column_count + 1);
    uint8_t **hash_of = ARENA_NEW(scratch, uint8_t *, (size_t)rows->count + 1);
    uint64_t *taken_hashes = ARENA_NEW(scratch, uint64_t, (size_t)rows->count + 1);
    if (columns == NULL || hash_of == NULL || taken_hashes == NULL) {
        return ARENA_FULL(scratch, context->err);
    }
    TRY(gather_columns(context, &self->values, collector, keys, columns));
    // Rows that FILTER or a NULL leaves out take their hash with them.
    aggregate_rows all = {.rows = rows->rows, .count = rows->count, .groups = hash_of};
    for (uint32_t k = 0; k < rows->count; k++) {
        hash_of[k] = (uint8_t *)(uintptr_t)&hashes[k];
    }
    aggregate_rows taken;
    TRY(aggregate_select(context, &self->values, &shape->slots[collector->slot], &all, &taken));
    for (uint32_t k = 0; k < taken.count; k++) {
        memcpy(&taken_hashes[k], taken.groups[k], sizeof *taken_hashes);
    }
    collecting state = {
        .context = context, .collector = collector, .rows = &taken, .sequence = sequence};
    if (collector->is_distinct) {
        uint64_t *mixed = ARENA_NEW(scratch, uint64_t, (size_t)taken.count + 1);
        if (mixed == NULL) {
            return ARENA_FULL(scratch, context->err);
        }
        TRY(hash_values(&state, columns, shape->group_keys, shape->has_groups, taken_hashes,
                        mixed));
        taken_hashes = mixed;
    }
    const stage_input in = {
        .columns = columns, .rows = taken.rows, .count = taken.count, .hashes = taken_hashes};
    const stage_owner owner = {.user = &state, .scratch = scratch, .placed = stamp_places};
    TRY(stage_add(&self->collected[number], &in, &owner, context->err));
    return stage_look(&self->collected[number], aggregate_share(self->shared), context->err);
}

firn_status aggregate_collect_rows(aggregate_worker *self, const aggregate_context *context,
                                   const column *keys, const aggregate_rows *rows,
                                   const uint64_t *hashes, batch_sequence sequence) {
    for (uint32_t i = 0; i < context->shape->collector_count; i++) {
        TRY(collect_one(self, i, context, keys, rows, hashes, sequence));
    }
    return FIRN_OK;
}
