// Handing out groups: keys, values of states, and of collected rows, a batch of groups at a time.
#include <assert.h>

#include "exec/aggregate/aggregate_unit.h"
#include "memory/arena_measure.h"

// Collected rows of a batch of groups, unless one group has more: scratch memory, so few of them
// where there is little.
#define COLLECTED_ROWS_MAX UINT64_C(32768)
#define COLLECTED_ROWS_MIN UINT64_C(1024)
#define BYTES_A_COLLECTED_ROW 1024

firn_status unit_gather_args(const aggregate_unit *self, const aggregate_collector *collector,
                             uint8_t *const *rows, uint32_t count, column **out, arena *scratch,
                             firn_error *err) {
    const aggregate_shape *shape = &self->shared->shape;
    const aggregate_slot *slot = &shape->slots[collector->slot];
    const row_store *store = self->shared->collected[slot->collector].store;
    *out = ARENA_NEW(scratch, column, slot->arg_count + 1);
    if (*out == NULL) {
        return ARENA_FULL(scratch, err);
    }
    uint32_t at = aggregate_first_arg(self->shared, slot->collector);
    for (uint32_t i = 0; i < slot->arg_count; i++) {
        if (aggregate_is_kept(slot, i)) {
            TRY(rows_gather(store, at++, (const uint8_t *const *)rows, count, scratch, &(*out)[i],
                            err));
        } else {
            (*out)[i] = aggregate_constant(slot, i, count);
        }
    }
    return FIRN_OK;
}

// ---- Values ------------------------------------------------------------------------------------

// The rows of some groups, group after group: groups follow each other as in the order of rows.
static firn_status list_rows(const aggregate_unit *self, collected_rows *out,
                             uint8_t *const *groups, uint32_t count, arena *scratch,
                             firn_error *err) {
    const aggregate_shape *shape = &self->shared->shape;
    const aggregate_slot *slot = &shape->slots[out->collector->slot];
    uint64_t total = 0;
    out->ends = ARENA_NEW(scratch, uint32_t, (size_t)count + 1);
    if (out->ends == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t g = 0; g < count; g++) {
        total += unit_collected_of(shape, slot, groups[g])->count;
        if (total > UINT32_MAX) {
            return FAIL(err, FIRN_NO_MEMORY, "one group has %llu values of %s",
                        (unsigned long long)total, slot->call->aggregate_.function->name);
        }
        out->ends[g] = (uint32_t)total;
    }
    const aggregate_collected *last = unit_collected_of(shape, slot, groups[count - 1]);
    assert(last->end >= total);
    out->count = (uint32_t)total;
    if (total > 0) {
        uint8_t **order = self->collected[slot->collector].order.data;
        out->rows = order + (last->end - total);
    }
    return FIRN_OK;
}

static firn_status collected_value(aggregate_unit *self, const aggregate_slot *slot,
                                   uint8_t *const *groups, uint32_t count, column *out,
                                   arena *scratch, firn_error *err) {
    const aggregate_context context = aggregate_context_of(self->shared, &self->heap, scratch, err);
    const aggregate_shape *shape = context.shape;
    collected_rows found = {.collector = &shape->collectors[slot->collector],
                            .store = self->shared->collected[slot->collector].store,
                            .first_arg = aggregate_first_arg(self->shared, slot->collector)};
    const bool is_ranked = self->collected[slot->collector].ranked != NULL;
    if (is_ranked && !shape->has_groups) {
        return unit_ranked_single(self, slot, out, scratch, err);
    }
    TRY(list_rows(self, &found, groups, count, scratch, err));
    if (found.collector->is_ordered) {
        TRY(unit_order_rows(&found, count, scratch, err));
    }
    column *args;
    TRY(unit_gather_args(self, found.collector, found.rows, found.count, &args, scratch, err));
    if (!slot->is_fold) {
        TRY(aggregate_collect(&context, slot, args, found.ends, count, out));
        return is_ranked ? unit_ranked_values(self, slot, groups, count, out, scratch, err)
                         : FIRN_OK;
    }
    uint32_t at = 0;
    for (uint32_t g = 0; g < count; g++) {
        for (; at < found.ends[g]; at++) {
            found.rows[at] = groups[g];
        }
    }
    TRY(aggregate_update_one_slot(&context, slot, args,
                                  &(aggregate_rows){.count = found.count, .groups = found.rows}));
    return aggregate_value_of(&context, slot, groups, count, out);
}

static firn_status values_of(aggregate_unit *self, uint8_t *const *groups, uint32_t count,
                             column *out, arena *scratch, firn_error *err) {
    const aggregate_context context = aggregate_context_of(self->shared, &self->heap, scratch, err);
    const aggregate_shape *shape = context.shape;
    row_store *store = &self->shared->table_store;
    for (uint32_t i = 0; i < shape->key_count; i++) {
        TRY(rows_gather(store, i, (const uint8_t *const *)groups, count, scratch, out++, err));
    }
    for (uint32_t i = 0; i < shape->slot_count; i++) {
        const aggregate_slot *slot = &shape->slots[i];
        const bool is_chained =
            slot->collector != ROW_NONE && !shape->collectors[slot->collector].feeds_at_once;
        TRY(is_chained ? collected_value(self, slot, groups, count, out, scratch, err)
                       : aggregate_value_of(&context, slot, groups, count, out));
        out++;
    }
    if (shape->node->aggregate_.set_id == NO_SLOT) {
        return FIRN_OK;
    }
    if (shape->set_count > 0) {
        return rows_gather(store, shape->key_count, (const uint8_t *const *)groups, count, scratch,
                           out, err);
    }
    TRY(column_new(scratch, TYPE_OF(INTEGER), count, out, err));
    memset(COLUMN_OUT(out, int32_t), 0, count * sizeof(int32_t));
    return FIRN_OK;
}

// How many of the groups go into one batch, by how long those before were and what was collected
// for them.
static uint32_t limit_groups(const aggregate_unit *self, uint8_t *const *groups, uint32_t count) {
    const aggregate_state *shared = self->shared;
    const aggregate_shape *shape = &shared->shape;
    const uint64_t share = aggregate_share(shared) / BYTES_A_COLLECTED_ROW;
    const uint64_t row_max = share < COLLECTED_ROWS_MIN   ? COLLECTED_ROWS_MIN
                             : share > COLLECTED_ROWS_MAX ? COLLECTED_ROWS_MAX
                                                          : share;
    uint32_t taken = row_pace_rows(&self->emit_pace, count);
    taken = rows_readable(&shared->table_store, (const uint8_t *const *)groups, taken,
                          self->emit_pace.most);
    for (uint32_t i = 0; i < shape->slot_count; i++) {
        const aggregate_slot *slot = &shape->slots[i];
        uint64_t rows = 0;
        for (uint32_t g = 0; slot->collector != ROW_NONE && g < taken; g++) {
            rows += unit_collected_of(shape, slot, groups[g])->count;
            if (rows > row_max) {
                taken = g == 0 ? 1 : g;
            }
        }
    }
    return taken;
}

firn_status unit_emit(aggregate_unit *self, uint32_t max, arena *scratch, batch *out,
                      firn_error *err) {
    const aggregate_shape *shape = &self->shared->shape;
    uint8_t **groups = ARENA_NEW(scratch, uint8_t *, max);
    column *columns = ARENA_NEW(scratch, column, shape->output_count + 1);
    if (groups == NULL || columns == NULL) {
        return ARENA_FULL(scratch, err);
    }
    uint32_t count = self->left_count;
    if (count > 0) {
        memcpy(groups, self->left, count * sizeof *groups);
    } else if (shape->has_groups) {
        count = group_table_next(&self->table, &self->cursor, groups, max);
    }
    self->left_count = 0;
    if (count == 0) {
        return FIRN_OK;
    }
    const uint32_t taken = limit_groups(self, groups, count);
    memcpy(self->left, groups + taken, (count - taken) * sizeof *groups);
    self->left_count = count - taken;
    const arena_mark mark = arena_mark_take(scratch);
    TRY(values_of(self, groups, taken, columns, scratch, err));
    row_pace_learn(&self->emit_pace, taken, arena_bytes_since(scratch, mark));
    *out = batch_of(columns, shape->output_count, taken);
    atomic_fetch_add_explicit(&self->shared->group_count, taken, memory_order_relaxed);
    return FIRN_OK;
}

firn_status unit_emit_single(aggregate_unit *self, arena *scratch, batch *out, firn_error *err) {
    const aggregate_shape *shape = &self->shared->shape;
    column *columns = ARENA_NEW(scratch, column, shape->output_count + 1);
    if (columns == NULL) {
        return ARENA_FULL(scratch, err);
    }
    TRY(values_of(self, &self->single, 1, columns, scratch, err));
    *out = batch_of(columns, shape->output_count, 1);
    return FIRN_OK;
}
