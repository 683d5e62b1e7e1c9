// Values of a batch into states; states into others; states into values.
#include <assert.h>

#include "exec/aggregate/aggregate_choice.h"

firn_status aggregate_fail(const aggregate_context *self, const aggregate_slot *slot,
                           uint32_t done) {
    const aggregate_heap *heap = self->heap;
    if (done == KERNEL_NO_MEMORY && heap != NULL && heap->refused > 0) {
        return POOL_FULL(heap->keeper, heap->refused, self->err);
    }
    if (done == KERNEL_NO_MEMORY) {
        return ARENA_FULL(self->scratch, self->err);
    }
    const text type = type_text(slot->call->type, self->scratch);
    const uint64_t position =
        slot->call->position == UINT32_MAX ? NO_POSITION : slot->call->position;
    return FAIL_SQL(self->err, FIRN_INVALID, "22003", position, "the value of %s does not fit %.*s",
                    slot->call->aggregate_.function->name, (int)type.size, type.data);
}

firn_status aggregate_value_flat(aggregate_values *self, uint32_t root, arena *scratch,
                                 const column **out, firn_error *err) {
    const column *value = &self->columns[root];
    *out = value;
    if (value->form == FORM_FLAT || value->form == FORM_CONSTANT) {
        return FIRN_OK;
    }
    if (!self->is_flat[root]) {
        TRY(column_flatten(scratch, value, &self->flats[root], err));
        self->is_flat[root] = true;
        self->decoded_count += value->length;
    }
    *out = &self->flats[root];
    return FIRN_OK;
}

aggregate_call aggregate_call_of(const aggregate_context *self, const aggregate_slot *slot) {
    return (aggregate_call){.bound = slot->chooser != NULL ? (const void *)slot->chooser
                                                           : slot->call->aggregate_.bound.data,
                            .context = self->statement,
                            .scratch = self->scratch,
                            .result = slot->call->type,
                            .types = slot->types,
                            .arg_count = slot->arg_count,
                            .heap = self->heap == NULL ? NULL : &self->heap->base};
}

// ---- Which rows --------------------------------------------------------------------------------

typedef struct selecting {
    const aggregate_rows *rows;
    uint16_t *kept; // Which of them, by k.
    uint32_t count;
    bool is_all; // `kept` is not filled in.
} selecting;

static uint32_t row_at(const aggregate_rows *rows, uint32_t k) {
    return rows->rows == NULL ? k : rows->rows[k];
}

// Keeps the rows whose bit is set, in a column's bitmap (one bit if it is constant).
static void keep_set(selecting *self, const uint64_t *bits, bool is_constant) {
    const uint32_t count = self->is_all ? self->rows->count : self->count;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint16_t k = self->is_all ? (uint16_t)i : self->kept[i];
        self->kept[kept] = k;
        kept += bitmap_get(bits, is_constant ? 0 : row_at(self->rows, k));
    }
    self->count = kept;
    self->is_all = false;
}

static bool is_without_nulls(const column *value) {
    return value->validity == NULL && value->type->id != TYPE_NULL;
}

// Whether rows must be looked at one by one.
static bool takes_all(const aggregate_values *values, const aggregate_slot *slot) {
    bool all = slot->filter == ROW_NONE;
    for (uint32_t i = 0; i < slot->arg_count && slot->skips_nulls; i++) {
        all = all && is_without_nulls(&values->columns[slot->args[i]]);
    }
    return all;
}

static firn_status select_rows(const aggregate_context *self, aggregate_values *values,
                               const aggregate_slot *slot, selecting *state) {
    if (slot->filter != ROW_NONE) {
        const column *filter;
        TRY(aggregate_value_flat(values, slot->filter, self->scratch, &filter, self->err));
        keep_set(state, filter->values, filter->form == FORM_CONSTANT);
        if (filter->validity != NULL) {
            keep_set(state, filter->validity, filter->form == FORM_CONSTANT);
        }
    }
    for (uint32_t i = 0; i < slot->arg_count && slot->skips_nulls; i++) {
        const column *value = &values->columns[slot->args[i]];
        if (value->form == FORM_RUNS) { // Its bitmap is of runs.
            TRY(aggregate_value_flat(values, slot->args[i], self->scratch, &value, self->err));
        }
        if (value->type->id == TYPE_NULL) {
            state->count = 0;
            state->is_all = false;
        } else if (value->validity != NULL) {
            keep_set(state, value->validity, value->form == FORM_CONSTANT);
        }
    }
    return FIRN_OK;
}

firn_status aggregate_select(const aggregate_context *self, aggregate_values *values,
                             const aggregate_slot *slot, const aggregate_rows *rows,
                             aggregate_rows *out) {
    *out = *rows;
    if (takes_all(values, slot)) {
        return FIRN_OK;
    }
    selecting state = {.rows = rows, .is_all = true};
    state.kept = ARENA_NEW(self->scratch, uint16_t, (size_t)rows->count + 1);
    if (state.kept == NULL) {
        return ARENA_FULL(self->scratch, self->err);
    }
    TRY(select_rows(self, values, slot, &state));
    if (state.is_all || state.count == rows->count) {
        return FIRN_OK;
    }
    uint16_t *numbers = ARENA_NEW(self->scratch, uint16_t, (size_t)state.count + 1);
    uint8_t **groups = ARENA_NEW(self->scratch, uint8_t *, (size_t)state.count + 1);
    if (numbers == NULL || groups == NULL) {
        return ARENA_FULL(self->scratch, self->err);
    }
    for (uint32_t i = 0; i < state.count; i++) {
        numbers[i] = (uint16_t)row_at(rows, state.kept[i]);
        groups[i] = rows->groups == NULL ? rows->single : rows->groups[state.kept[i]];
    }
    *out = (aggregate_rows){.rows = numbers,
                            .count = state.count,
                            .groups = rows->groups == NULL ? NULL : groups,
                            .single = rows->single};
    return FIRN_OK;
}

// ---- States ------------------------------------------------------------------------------------

firn_status aggregate_update_one_slot(const aggregate_context *self, const aggregate_slot *slot,
                                      const column *args, const aggregate_rows *rows) {
    if (rows->count == 0) {
        return FIRN_OK;
    }
    const column **pointers = ARENA_NEW(self->scratch, const column *, slot->arg_count + 1);
    if (pointers == NULL) {
        return ARENA_FULL(self->scratch, self->err);
    }
    for (uint32_t i = 0; i < slot->arg_count; i++) {
        pointers[i] = &args[i];
    }
    aggregate_call call = aggregate_call_of(self, slot);
    call.rows = rows->rows;
    call.count = rows->count;
    const uint32_t offset = self->shape->table.extra_offset + slot->state_offset;
    uint32_t done;
    if (rows->groups == NULL && slot->overload->update_one != NULL) {
        done = slot->overload->update_one(&call, pointers, rows->single + offset);
    } else {
        uint8_t *const *groups = rows->groups;
        if (groups == NULL) {
            uint8_t **all = ARENA_NEW(self->scratch, uint8_t *, rows->count);
            if (all == NULL) {
                return ARENA_FULL(self->scratch, self->err);
            }
            for (uint32_t i = 0; i < rows->count; i++) {
                all[i] = rows->single;
            }
            groups = all;
        }
        done = slot->overload->update(&call, pointers, (void *const *)groups, offset);
    }
    return done == rows->count ? FIRN_OK : aggregate_fail(self, slot, done);
}

firn_status aggregate_update_all(const aggregate_context *self, aggregate_values *values,
                                 const aggregate_rows *rows) {
    for (uint32_t i = 0; i < self->shape->slot_count; i++) {
        const aggregate_slot *slot = &self->shape->slots[i];
        if (slot->collector != ROW_NONE) {
            continue;
        }
        aggregate_rows taken;
        bool is_done;
        TRY(aggregate_select(self, values, slot, rows, &taken));
        if (taken.count == 0) {
            continue;
        }
        if (slot->chooser != NULL) {
            TRY(aggregate_choose(self, slot, values, &taken));
            continue;
        }
        TRY(aggregate_update_codes(self, slot, values, &taken, &is_done));
        if (is_done) {
            continue;
        }
        const bool looks_at_validity_only =
            (slot->call->aggregate_.function->flags & AGGREGATE_VALIDITY_ONLY) != 0;
        column *args = ARENA_NEW(self->scratch, column, slot->arg_count + 1);
        if (args == NULL) {
            return ARENA_FULL(self->scratch, self->err);
        }
        for (uint32_t k = 0; k < slot->arg_count; k++) {
            const column *arg = &values->columns[slot->args[k]];
            if (!looks_at_validity_only) {
                TRY(aggregate_value_flat(values, slot->args[k], self->scratch, &arg, self->err));
            }
            args[k] = *arg;
        }
        TRY(aggregate_update_one_slot(self, slot, args, &taken));
    }
    return FIRN_OK;
}

// A call of memset for each group takes longer than its stores.
#define ZERO_WIDTH(width)                                                                          \
    case width:                                                                                    \
        for (uint32_t k = 0; k < count; k++) {                                                     \
            memset(extra[k], 0, (width));                                                          \
        }                                                                                          \
        return;

static void zero_states(uint8_t *const *extra, uint32_t count, uint32_t size) {
    switch (size) {
        ZERO_WIDTH(0)
        ZERO_WIDTH(8)
        ZERO_WIDTH(16)
        ZERO_WIDTH(24)
        ZERO_WIDTH(32)
        ZERO_WIDTH(40)
        ZERO_WIDTH(48)
    default:
        for (uint32_t k = 0; k < count; k++) {
            memset(extra[k], 0, size);
        }
    }
}

void aggregate_init(const aggregate_shape *self, uint8_t *const *extra, uint32_t count) {
    zero_states(extra, count, self->state_size);
    for (uint32_t i = 0; i < self->slot_count; i++) {
        const aggregate_slot *slot = &self->slots[i];
        if (slot->is_fold && slot->overload->init != NULL) {
            for (uint32_t k = 0; k < count; k++) {
                slot->overload->init(extra[k] + slot->state_offset);
            }
        }
    }
}

firn_status aggregate_init_fresh(const aggregate_shape *self, uint8_t *const *groups,
                                 const uint16_t *fresh, uint32_t count, arena *scratch,
                                 firn_error *err) {
    uint8_t **extra = ARENA_NEW(scratch, uint8_t *, (size_t)count + 1);
    if (extra == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        extra[i] = row_extra(&self->table, groups[fresh[i]]);
    }
    aggregate_init(self, extra, count);
    return FIRN_OK;
}

firn_status aggregate_combine(const aggregate_context *self, uint8_t *const *targets,
                              uint8_t *const *sources, uint32_t count, bool plain_only) {
    // States without heap lie at the same place in both layouts.
    for (uint32_t i = 0; i < self->shape->slot_count && count > 0; i++) {
        const aggregate_slot *slot = &self->shape->slots[i];
        if (!slot->is_fold || (plain_only && slot->overload->state_has_heap)) {
            continue;
        }
        aggregate_call call = aggregate_call_of(self, slot);
        call.count = count;
        const uint32_t offset = self->shape->table.extra_offset + slot->state_offset;
        const uint32_t done =
            slot->overload->combine(&call, (void *const *)targets, (void *const *)sources, offset);
        if (done != count) {
            return aggregate_fail(self, slot, done);
        }
    }
    return FIRN_OK;
}

firn_status aggregate_export(const aggregate_context *self, uint8_t *const *groups, uint32_t count,
                             column *out) {
    for (uint32_t i = 0; i < self->shape->slot_count; i++) {
        const aggregate_slot *slot = &self->shape->slots[i];
        if (slot->exported.count == 0) {
            continue;
        }
        for (uint32_t k = 0; k < slot->exported.count; k++) {
            TRY(column_new(self->scratch, slot->exported.fields[k].type, count, &out[k],
                           self->err));
        }
        aggregate_call call = aggregate_call_of(self, slot);
        call.count = count;
        const uint32_t offset = self->shape->table.extra_offset + slot->state_offset;
        const uint32_t done =
            slot->overload->export_state(&call, (void *const *)groups, offset, out);
        if (done != count) {
            return aggregate_fail(self, slot, done);
        }
        out += slot->exported.count;
    }
    return FIRN_OK;
}

firn_status aggregate_import(const aggregate_context *self, const column *columns,
                             uint8_t *const *groups, uint32_t count) {
    for (uint32_t i = 0; i < self->shape->slot_count && count > 0; i++) {
        const aggregate_slot *slot = &self->shape->slots[i];
        if (slot->exported.count == 0) {
            continue;
        }
        const column **pointers =
            ARENA_NEW(self->scratch, const column *, slot->exported.count + 1);
        if (pointers == NULL) {
            return ARENA_FULL(self->scratch, self->err);
        }
        for (uint32_t k = 0; k < slot->exported.count; k++) {
            pointers[k] = &columns[k];
        }
        aggregate_call call = aggregate_call_of(self, slot);
        call.count = count;
        const uint32_t offset = self->shape->table.extra_offset + slot->state_offset;
        const uint32_t done =
            slot->overload->import_state(&call, pointers, (void *const *)groups, offset);
        if (done != count) {
            return aggregate_fail(self, slot, done);
        }
        columns += slot->exported.count;
    }
    return FIRN_OK;
}

firn_status aggregate_value_of(const aggregate_context *self, const aggregate_slot *slot,
                               uint8_t *const *groups, uint32_t count, column *out) {
    TRY(column_new(self->scratch, slot->call->type, count, out, self->err));
    aggregate_call call = aggregate_call_of(self, slot);
    call.count = count;
    const uint32_t offset = self->shape->table.extra_offset + slot->state_offset;
    const uint32_t done = slot->overload->finish(&call, (void *const *)groups, offset, out);
    return done == count ? FIRN_OK : aggregate_fail(self, slot, done);
}

firn_status aggregate_collect(const aggregate_context *self, const aggregate_slot *slot,
                              const column *args, const uint32_t *ends, uint32_t count,
                              column *out) {
    TRY(column_new(self->scratch, slot->call->type, count, out, self->err));
    const column **pointers = ARENA_NEW(self->scratch, const column *, slot->arg_count + 1);
    if (pointers == NULL) {
        return ARENA_FULL(self->scratch, self->err);
    }
    for (uint32_t i = 0; i < slot->arg_count; i++) {
        pointers[i] = &args[i];
    }
    aggregate_call call = aggregate_call_of(self, slot);
    call.count = count;
    const uint32_t done = slot->overload->collect(&call, pointers, ends, out);
    return done == count ? FIRN_OK : aggregate_fail(self, slot, done);
}
