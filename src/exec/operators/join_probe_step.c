// Join, left side: every row looks for its partners among the build rows. Rows of a spilled
// partition follow it to the file, unless the bloom filter says that nothing waits for them there.
#include "exec/join/join_probe.h"
#include "kernels/bits.h"

#define HELD_MAX (UINT64_C(1) << 40) // The pool is what limits it.

typedef struct probe_local {
    join_state *owner;
    arena *memory;
    arena held; // Keys of the batch that is being probed.
    expr_state *keys;
    join_probe probe;
    row_writer writer;
    bool has_writer;
} probe_local;

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)worker;
    join_state *owner = shared;
    probe_local *self = ARENA_NEW(memory, probe_local, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (probe_local){
        .owner = owner, .memory = memory, .held = execution_arena(owner->run, HELD_MAX)};
    *local = self;
    TRY(expr_open(owner->plan.left.keys, owner->run->context, &owner->run->dynamic, memory,
                  &self->keys, err));
    return join_probe_open(&self->probe, owner, &owner->table, memory, err);
}

// ---- Spilled partitions ------------------------------------------------------------------------

// Over the target, all but the open page of each partition go out. Open pages stay: without them
// every row would take a page of the file.
static firn_status shrink(probe_local *self, firn_error *err) {
    join_state *owner = self->owner;
    for (uint32_t i = 0; i < owner->part_count && pool_excess(owner->keeper) > 0; i++) {
        row_pages *pages = &self->writer.parts[i];
        if (pages->page_count > 1) {
            TRY(row_pages_spill(&owner->probe_rows, pages, &self->writer.desk, 1, err));
        }
    }
    return FIRN_OK;
}

static firn_status write_rows(probe_local *self, const batch *input, const column *keys,
                              const uint16_t *lanes, const uint64_t *hashes, uint32_t count,
                              firn_error *err) {
    join_state *owner = self->owner;
    arena *held = &self->held;
    if (count == 0) {
        return FIRN_OK;
    }
    if (!self->has_writer) {
        TRY(row_writer_open(&owner->probe_rows, owner->part_count, 0, self->memory, &self->writer,
                            err));
        self->has_writer = true;
        join_state_lend(owner, 1, &self->writer.spares);
        (void)row_writer_keep(&self->writer, owner->spilled_part_count); // Kept free for them.
    }
    column *columns;
    uint8_t **rows = ARENA_NEW(held, uint8_t *, count);
    if (rows == NULL) {
        return ARENA_FULL(held, err);
    }
    TRY(join_side_columns(&owner->plan.left, keys, input, held, &columns, err));
    row_input in = {.columns = columns, .rows = lanes, .count = count, .hashes = hashes};
    TRY(row_writer_order(&self->writer, &in, held, err));
    while (in.next < in.count) {
        TRY(row_writer_append(&self->writer, &in, rows, held, err));
    }
    atomic_fetch_add_explicit(&owner->probe_spilled_rows, count, memory_order_relaxed);
    return shrink(self, err);
}

// Sends rows of spilled partitions there; the others stay in `lanes`.
static firn_status divide(probe_local *self, const batch *input, const column *keys,
                          uint16_t *lanes, uint32_t *count, firn_error *err) {
    join_state *owner = self->owner;
    const join_table *table = &owner->table;
    arena *held = &self->held;
    uint16_t *leaving = ARENA_NEW(held, uint16_t, *count + 1);
    uint64_t *hashes = ARENA_NEW(held, uint64_t, *count + 1);
    uint64_t *bits = ARENA_NEW(held, uint64_t, BITMAP_WORDS(input->row_count) + 1);
    if (leaving == NULL || hashes == NULL || bits == NULL) {
        return ARENA_FULL(held, err);
    }
    memcpy(leaving, lanes, *count * sizeof *lanes);
    const uint32_t valid = owner->decides_by_group
                               ? *count
                               : join_plan_valid_keys(&owner->plan, keys, leaving, *count);
    TRY(join_state_hash(owner, keys, leaving, valid, held, hashes, err));
    bits_clear(bits, input->row_count);
    uint32_t spilled = 0;
    for (uint32_t k = 0; k < valid; k++) {
        leaving[spilled] = leaving[k];
        hashes[spilled] = hashes[k];
        if (table->parts[join_table_part(table, hashes[k])].is_spilled) {
            spilled++;
            __builtin_prefetch(owner->bloom == NULL ? NULL : join_bloom_word(owner, hashes[k]));
        }
    }
    uint32_t kept = 0; // Others have no partner, and are treated so here and now.
    for (uint32_t k = 0; k < spilled; k++) {
        leaving[kept] = leaving[k];
        hashes[kept] = hashes[k];
        kept += owner->bloom == NULL || join_bloom_has(owner, hashes[k]) ? 1 : 0;
    }
    for (uint32_t k = 0; k < kept; k++) {
        bitmap_set(bits, leaving[k]);
    }
    atomic_fetch_add_explicit(&owner->bloom_dropped_rows, spilled - kept, memory_order_relaxed);
    TRY(write_rows(self, input, keys, leaving, hashes, kept, err));
    *count = bits_filter_rows(bits, false, lanes, *count, lanes);
    return FIRN_OK;
}

static firn_status hand_over(probe_local *self, firn_error *err) {
    join_state *owner = self->owner;
    if (!self->has_writer) {
        return FIRN_OK;
    }
    bool is_refilled = false;
    for (uint32_t i = 0; i < owner->part_count; i++) {
        const bool has_pages = self->writer.parts[i].page_count > 0;
        TRY(row_pages_spill(&owner->probe_rows, &self->writer.parts[i], &self->writer.desk, 0,
                            err));
        if (has_pages && !is_refilled) {
            is_refilled = true;
            join_state_refill(owner, 1); // The page that was lent.
        }
    }
    firn_status status = FIRN_OK;
    mutex_lock(&owner->lock);
    for (uint32_t i = 0; status == FIRN_OK && i < owner->part_count; i++) {
        status = row_pages_append(&owner->parts[i].probe, &self->writer.parts[i], err);
    }
    mutex_unlock(&owner->lock);
    row_writer_close(&self->writer);
    self->has_writer = false;
    return status;
}

// ---- Rows --------------------------------------------------------------------------------------

static firn_status begin_batch(probe_local *self, const batch *input, arena *scratch,
                               firn_error *err) {
    join_state *owner = self->owner;
    arena_reset(&self->held);
    column *keys;
    TRY(join_side_keys(&owner->plan.left, self->keys, input, &self->held, &keys, err));
    uint32_t count = input->selected_count;
    uint16_t *lanes = ARENA_NEW(&self->held, uint16_t, count + 1);
    if (lanes == NULL) {
        return ARENA_FULL(&self->held, err);
    }
    for (uint32_t k = 0; k < count; k++) {
        lanes[k] = (uint16_t)batch_row(input, k);
    }
    if (owner->table.has_spilled) {
        TRY(divide(self, input, keys, lanes, &count, err));
    }
    const join_lanes looking = {.lanes = lanes, .count = count};
    return join_probe_begin(&self->probe, input, keys, &looking, scratch, err);
}

// Can no left row change the result any more?
static bool is_decided(const join_state *self) {
    const join_plan *plan = &self->plan;
    return (self->row_count == 0 && !plan->left_survives) ||
           (plan->kind == JOIN_ANTI && plan->null_aware && !self->decides_by_group &&
            self->null_count > 0);
}

static firn_status push(op_call *call, const batch *input, batch *output, step_answer *out,
                        firn_error *err) {
    probe_local *self = call->local;
    *out = STEP_NEXT;
    if (is_decided(self->owner)) {
        *out = STEP_DONE;
        return FIRN_OK;
    }
    if (self->probe.is_done) {
        TRY(begin_batch(self, input, call->scratch, err));
    }
    while (!self->probe.is_done && output->selected_count == 0) {
        TRY(join_probe_next(&self->probe, call->scratch, output, err));
    }
    *out = self->probe.is_done ? STEP_NEXT : STEP_MORE;
    return FIRN_OK;
}

static firn_status flush(op_call *call, batch *output, step_answer *out, firn_error *err) {
    (void)output;
    *out = STEP_NEXT;
    return hand_over(call->local, err);
}

static uint64_t decoded(const void *local) {
    const probe_local *self = local;
    const expr_state *residual = self->probe.residual;
    return (self->keys == NULL ? 0 : expr_values_decoded(self->keys)) +
           (residual == NULL ? 0 : expr_values_decoded(residual));
}

static void close_worker(void *local) {
    probe_local *self = local;
    if (self != NULL) {
        expr_close(self->keys);
        join_probe_close(&self->probe);
        row_writer_close(&self->writer);
        arena_close(&self->held);
    }
}

// Rows of spilled partitions are written.
static bool writes_values(const void *shared) {
    const join_state *owner = shared;
    return owner->spilled_part_count > 0;
}

const operator_kind operator_join_probe_step = {
    .name = "JoinProbe",
    .keeps_order = true,
    .takes_forms = true,
    .writes_values = writes_values,
    .open = op_open_kept,
    .open_worker = open_worker,
    .push = push,
    .flush = flush,
    .decoded = decoded,
    .close_worker = close_worker,
};
