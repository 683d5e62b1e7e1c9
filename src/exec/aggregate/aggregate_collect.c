// Collectors: (key, value) rows of aggregates that need all values of a group.
#include <assert.h>

#include "base/hash.h"
#include "exec/aggregate/aggregate_state.h"
#include "kernels/hash_column.h"

// Top bits that partitions and their splits look at: of rows that are told apart by key and value
// they are the group's, so that a group's rows meet in one partition; the others are of both.
#define GROUP_BITS_SHIFT 40

typedef struct collecting {
    const aggregate_context *context;
    const aggregate_collector *collector;
    const column *columns; // The collector's.
    batch_sequence sequence;
} collecting;

static firn_status stamp_places(void *user, const stage_places *placed, firn_error *err) {
    const collecting *self = user;
    const row_layout *layout = &self->collector->layout;
    (void)err;
    for (uint32_t i = 0; i < placed->count && layout->extra_size == COLLECTED_PLACE_SIZE; i++) {
        const uint32_t k = placed->ks == NULL ? i : placed->ks[i];
        const uint32_t row = placed->in->rows == NULL ? k : placed->in->rows[k];
        const uint64_t part = (uint64_t)self->sequence.part << 32 | (self->sequence.first + row);
        uint8_t *extra = row_extra(layout, placed->places[i]);
        memcpy(extra + COLLECTED_TASK, &self->sequence.task, 8);
        memcpy(extra + COLLECTED_PART, &part, 8);
    }
    return FIRN_OK;
}

// Hashes of the group's key, for DISTINCT mixed with those of the values. Without groups the values
// alone choose the partition, unless the aggregate must see all of them at once.
static bool hash_rows(void *user, const uint16_t *rows, uint32_t count, arena *scratch,
                      uint64_t *out) {
    const collecting *self = user;
    const aggregate_shape *shape = self->context->shape;
    if (!group_hash_rows(self->columns, shape->group_keys, rows, count, scratch, out)) {
        return false;
    }
    if (!self->collector->is_distinct) {
        return true;
    }
    uint64_t *groups = ARENA_NEW(scratch, uint64_t, (size_t)count + 1);
    if (groups == NULL) {
        return false;
    }
    memcpy(groups, out, count * sizeof *groups);
    const bool is_by_value = !shape->has_groups && self->collector->feeds_at_once;
    for (uint32_t i = 0; i < self->collector->arg_count; i++) {
        const bool combines = !is_by_value || i > 0;
        if (!hash_column(&self->columns[shape->group_keys + i], rows, count, combines, scratch,
                         out)) {
            return false;
        }
    }
    const uint64_t low = (UINT64_C(1) << GROUP_BITS_SHIFT) - 1;
    for (uint32_t k = 0; k < count; k++) {
        const uint64_t mixed = hash_u64(out[k]); // hash_combine leaves similar values similar.
        out[k] = group_hash(is_by_value ? mixed : (groups[k] & ~low) | (mixed & low));
    }
    return true;
}

// The collector's columns: group keys, arguments, order keys; none as runs.
static firn_status gather_columns(const aggregate_context *context, aggregate_values *values,
                                  const aggregate_collector *collector, const column *keys,
                                  column *out) {
    const aggregate_shape *shape = context->shape;
    uint32_t at = 0;
    for (uint32_t i = 0; i < shape->group_keys; i++) {
        out[at++] = keys[i];
    }
    for (uint32_t i = 0; i < collector->arg_count + collector->order_count; i++) {
        const uint32_t root = i < collector->arg_count ? collector->args[i]
                                                       : collector->order[i - collector->arg_count];
        const column *value = &values->columns[root];
        if (value->form == FORM_RUNS) {
            TRY(aggregate_value_flat(values, root, context->scratch, &value, context->err));
        }
        out[at++] = *value;
    }
    return FIRN_OK;
}

// Those of `rows` that are not among `taken`, which are some of them.
static firn_status find_others(const aggregate_rows *rows, const aggregate_rows *taken,
                               aggregate_rows *out, const aggregate_context *context) {
    *out = (aggregate_rows){0};
    if (taken->count == rows->count) {
        return FIRN_OK;
    }
    uint16_t *others = ARENA_NEW(context->scratch, uint16_t, rows->count);
    if (others == NULL) {
        return ARENA_FULL(context->scratch, context->err);
    }
    uint32_t at = 0;
    for (uint32_t k = 0; k < rows->count; k++) {
        const uint16_t row = rows->rows == NULL ? (uint16_t)k : rows->rows[k];
        const uint32_t next = at == taken->count    ? ROW_NONE
                              : taken->rows == NULL ? at
                                                    : taken->rows[at];
        others[out->count] = row;
        out->count += row != next;
        at += row == next;
    }
    out->rows = others;
    return FIRN_OK;
}

// Is a row of no use that has the same group and values as one before?
static bool takes_rows_once(const aggregate_shape *shape, const aggregate_collector *collector) {
    const expr *call = shape->slots[collector->slot].call;
    const bool is_same = (call->aggregate_.function->flags & AGGREGATE_DISTINCT_IS_SAME) != 0;
    return collector->is_distinct || (is_same && collector->order_count == 0);
}

// A row that is alike one before it in this batch, in all columns; hashes[i] is that of the i-th.
static bool is_repeated(const column *columns, uint32_t column_count, const uint16_t *rows,
                        const uint32_t *table, uint64_t mask, uint64_t *at, uint32_t row) {
    for (; table[*at] != 0; *at = (*at + 1) & mask) {
        const uint32_t other = rows[table[*at] - 1];
        bool is_alike = true;
        for (uint32_t i = 0; i < column_count && is_alike; i++) {
            is_alike = column_rows_alike(&columns[i], other, row);
        }
        if (is_alike) {
            return true;
        }
    }
    return false;
}

// Hashes that rows which are alike have in common, without looking at entries of dictionaries.
static bool hash_alike(const column *columns, uint32_t column_count, const aggregate_rows *rows,
                       arena *scratch, uint64_t *out) {
    for (uint32_t i = 0; i < column_count; i++) {
        const column *each = &columns[i];
        if (each->form != FORM_DICTIONARY) {
            if (!hash_column(each, rows->rows, rows->count, i > 0, scratch, out)) {
                return false;
            }
            continue;
        }
        const uint32_t *codes = each->values;
        for (uint32_t k = 0; k < rows->count; k++) {
            const uint64_t hash = hash_u32(codes[rows->rows == NULL ? k : rows->rows[k]]);
            out[k] = i > 0 ? hash_combine(out[k], hash) : hash;
        }
    }
    return true;
}

// Leaves the rows out that are alike one before: rows of a join or unnest have long values in
// common, and each would be kept.
static firn_status drop_alike(const aggregate_context *context, const column *columns,
                              uint32_t column_count, aggregate_rows *rows) {
    arena *scratch = context->scratch;
    uint64_t size = 16;
    while (size < (uint64_t)rows->count * 2) {
        size *= 2;
    }
    uint64_t *hashes = ARENA_NEW(scratch, uint64_t, (size_t)rows->count + 1);
    uint32_t *table = ARENA_NEW(scratch, uint32_t, size); // Numbers of kept rows + 1.
    uint16_t *kept = ARENA_NEW(scratch, uint16_t, (size_t)rows->count + 1);
    if (hashes == NULL || table == NULL || kept == NULL ||
        !hash_alike(columns, column_count, rows, scratch, hashes)) {
        return ARENA_FULL(scratch, context->err);
    }
    memset(table, 0, size * sizeof *table);
    uint32_t count = 0;
    for (uint32_t k = 0; k < rows->count; k++) {
        const uint16_t row = rows->rows == NULL ? (uint16_t)k : rows->rows[k];
        uint64_t at = hash_u64(hashes[k]) & (size - 1);
        if (!is_repeated(columns, column_count, kept, table, size - 1, &at, row)) {
            kept[count++] = row;
            table[at] = count;
        }
    }
    rows->rows = kept;
    rows->count = count;
    return FIRN_OK;
}

// Has an argument nested entries that rows have in common?
static bool has_entries(const column *args, uint32_t count) {
    bool found = false;
    for (uint32_t i = 0; i < count; i++) {
        found |= args[i].form == FORM_DICTIONARY && type_is_nested(args[i].type);
    }
    return found;
}

// *others: the rows that the collector does not take.
static firn_status collect_one(aggregate_worker *self, uint32_t number,
                               const aggregate_context *context, const column *keys,
                               const aggregate_rows *rows, const uint64_t *ids,
                               aggregate_rows *others) {
    const aggregate_shape *shape = context->shape;
    const aggregate_collector *collector = &shape->collectors[number];
    aggregate_stage *stage = &self->collected[number];
    const uint64_t share = aggregate_share(self->shared);
    arena *scratch = context->scratch;
    column *columns = ARENA_NEW(scratch, column, collector->layout.column_count + 1);
    if (columns == NULL) {
        return ARENA_FULL(scratch, context->err);
    }
    TRY(gather_columns(context, &self->values, collector, keys, columns));
    aggregate_rows taken;
    TRY(aggregate_select(context, &self->values, &shape->slots[collector->slot], rows, &taken));
    TRY(find_others(rows, &taken, others, context));
    if (takes_rows_once(shape, collector)) {
        seen_codes_drop(&self->collected_codes[number], columns, collector->layout.column_count,
                        &taken.rows, &taken.count, scratch);
        if (has_entries(columns + shape->group_keys, collector->arg_count)) {
            TRY(drop_alike(context, columns, collector->layout.column_count, &taken));
        }
    }
    collecting state = {.context = context,
                        .collector = collector,
                        .columns = columns,
                        .sequence = context->sequence};
    const stage_owner owner = {
        .user = &state, .scratch = scratch, .placed = stamp_places, .hash_rows = hash_rows};
    stage_input in = {.columns = columns, .rows = taken.rows, .count = taken.count};
    TRY(stage_add_direct(stage, &in, share, &owner, context->err));
    const bool is_numbered = ids != NULL && collector->may_number;
    if (in.count > 0 && collector->layout.has_hash) {
        uint64_t *hashes = ARENA_NEW(scratch, uint64_t, in.count);
        if (hashes == NULL ||
            (!is_numbered && !hash_rows(&state, in.rows, in.count, scratch, hashes))) {
            return ARENA_FULL(scratch, context->err);
        }
        for (uint32_t k = 0; k < in.count && is_numbered; k++) {
            hashes[k] = ids[in.rows == NULL ? k : in.rows[k]];
        }
        in.columns += is_numbered ? shape->group_keys : 0;
        in.hashes = hashes;
    }
    TRY(stage_add(stage, &in, &owner, context->err));
    return stage_look(stage, share, context->err);
}

firn_status aggregate_collect_rows(aggregate_worker *self, const aggregate_context *context,
                                   const column *keys, const aggregate_rows *rows,
                                   aggregate_rows *left) {
    aggregate_rows others = *rows;
    uint64_t *ids = NULL;
    *left = *rows;
    if (self->is_numbered && rows->count > 0) {
        TRY(aggregate_number_rows(self, keys, rows, &ids, context->scratch, context->err));
    }
    for (uint32_t i = 0; i < context->shape->collector_count; i++) {
        TRY(collect_one(self, i, context, keys, rows, ids, &others));
        *left = i == 0 && context->shape->is_collected ? others : *left;
    }
    return FIRN_OK;
}
